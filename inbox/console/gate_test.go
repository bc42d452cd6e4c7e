package console

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"push.guru/supportd/inbox/staff"
	pages "push.guru/supportd/templates/console"
)

// concrete gives an address that a route serves.
func concrete(pattern, id string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.NewReplacer("{id}", id, "{act}", "hold", "{token}", "x", "{$}", "").Replace(path)
	return method, path
}

// formOf is a form that a route takes as far as its right goes.
func formOf(path, action string) url.Values {
	f := url.Values{"action": {action}, "reason": {"because"}, "what": {"M-000001"}, "name": {"x"}, "language": {"en"}, "text": {"t"}, "role": {"viewer"}, "letter": {"R-000001"}}
	if path == "/password" {
		f.Set("password", "short")
		f.Set("again", "short")
	}
	return f
}

// TestEveryRouteForEveryRole: each address is open to those whose role has the
// right that it needs, and to nobody else; that somebody was refused is in the
// journal.
func TestEveryRouteForEveryRole(t *testing.T) {
	for _, role := range append([]staff.Role{""}, staff.Roles()...) {
		t.Run("role "+string(role), func(t *testing.T) {
			o := newOffice(t)
			m := o.deletion()
			for i, to := range routes() {
				if to.quiet {
					continue // a stream; TestLive
				}
				token := ""
				if role != "" {
					token = o.session(fmt.Sprintf("%s%d", role, i), role)
				}
				method, path := concrete(to.pattern, m.ID.String())
				var form url.Values
				if method == http.MethodPost {
					form = formOf(path, m.Actions[0].String())
				}
				if strings.Contains(path, "export") {
					path += "?format=csv"
				}
				before := len(o.entries())
				w := o.ask(method, path, token, form)
				may := to.who != signedIn || role != "" && role.May(to.need)
				switch {
				case role == "" && to.who != anybody:
					if method == http.MethodPost {
						want(t, w, http.StatusUnauthorized, `action="/sign-in"`)
					} else if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
						t.Errorf("%s: nobody got %d %s", to.pattern, w.Code, w.Header().Get("Location"))
					}
					if o.state(m) != "review" {
						t.Fatalf("%s: nobody did something", to.pattern)
					}
				case !may:
					if w.Code != http.StatusForbidden {
						t.Errorf("%s: %s got %d", to.pattern, role, w.Code)
					}
					if all := o.entries(); len(all) != before+1 || !strings.Contains(all[0], " denied "+to.what) {
						t.Errorf("%s: the journal has %q", to.pattern, all[0])
					}
				case to.who == signedIn && (w.Code == http.StatusForbidden || w.Code >= 500):
					t.Errorf("%s: %s got %d: %s", to.pattern, role, w.Code, text(w))
				case to.who == signedIn && !to.own && len(o.entries()) <= before:
					t.Errorf("%s: the journal was told nothing", to.pattern)
				}
				secured(t, to.pattern, w)
			}
		})
	}
}

// secured checks what every answer must carry.
func secured(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
	for _, forbidden := range []string{" style=", "<style", " onclick", " onload", "javascript:"} {
		if strings.Contains(w.Body.String(), forbidden) {
			t.Errorf("%s: the page has %q, which the policy forbids", what, forbidden)
		}
	}
}

// TestForeignPages: what changes something is refused to a form of another site.
func TestForeignPages(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("root1", staff.RoleAdmin)
	for _, to := range routes() {
		method, path := concrete(to.pattern, m.ID.String())
		if method != http.MethodPost {
			continue
		}
		for name, change := range map[string]func(*http.Request){
			"another site":  func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
			"a sister site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
			"an old browser": func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "https://evil.test")
			},
			"a file": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "null") },
		} {
			w := o.ask(method, path, token, formOf(path, m.Actions[0].String()), change)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s from %s: %d", to.pattern, name, w.Code)
			}
			secured(t, to.pattern, w)
		}
	}
	if o.state(m) != "review" {
		t.Error("something was done")
	}
}

// TestHosts: the console answers under its own names only.
func TestHosts(t *testing.T) {
	o := newOffice(t)
	for name, code := range map[string]int{host: 200, "localhost:8080": 200, "LOCALHOST:8080": 200, "[::1]:8080": 200, "evil.test": 421, "127.0.0.1": 421, "127.0.0.1.evil.test:8080": 421, "": 421} {
		w := o.ask(http.MethodGet, "/sign-in", "", nil, func(r *http.Request) { r.Host = name })
		if w.Code != code {
			t.Errorf("host %q: %d, want %d", name, w.Code, code)
		}
	}
}

// TestNames: browsers send neither the port that goes without saying nor letters
// of other alphabets.
func TestNames(t *testing.T) {
	for _, test := range []struct{ url, listen, want string }{
		{"", "127.0.0.1:8080", "127.0.0.1:8080 localhost:8080 [::1]:8080"},
		{"https://Console.site.test:443/", "127.0.0.1:8080", "console.site.test localhost:8080 127.0.0.1:8080 [::1]:8080"},
		{"https://қызмет.қаз", "192.0.2.1:8080", "xn--e1adpz5by9a.xn--80ao21a"},
		{"https://127.0.0.1:443", "127.0.0.1:443", "127.0.0.1 localhost [::1] localhost:443 127.0.0.1:443 [::1]:443"},
		{"http://[::1]:80", "[::1]:80", "[::1] localhost 127.0.0.1 localhost:80 127.0.0.1:80 [::1]:80"},
	} {
		_, names, err := Names(test.url, test.listen)
		if got := strings.Join(names, " "); err != nil || got != test.want {
			t.Errorf("%s on %s answers to %q, want %q, %v", test.url, test.listen, got, test.want, err)
		}
	}
	for _, bad := range []string{"https://", "https://a b.қаз", "://"} {
		if _, names, err := Names(bad, "127.0.0.1:8080"); err == nil {
			t.Errorf("%s answers to %q", bad, names)
		}
	}
}

// TestProxiesOnly: where a proxy has the TLS, nobody passes it by.
func TestProxiesOnly(t *testing.T) {
	o := newOffice(t)
	o.s.Proxies, o.s.ProxiesOnly = prefixes(t, "10.0.0.0/8"), true
	for remote, code := range map[string]int{"10.1.2.3:99": 200, "[::ffff:10.1.2.3]:99": 200, "192.0.2.7:99": 403, "127.0.0.1:99": 403, "junk": 403} {
		w := o.ask(http.MethodGet, "/sign-in", "", nil, func(r *http.Request) { r.RemoteAddr = remote; r.Header.Set("X-Forwarded-For", "10.1.2.3") })
		if w.Code != code || code == 403 && strings.Contains(w.Body.String(), "<form") {
			t.Errorf("%s got %d, want %d", remote, w.Code, code)
		}
	}
}

// TestWhereTo: after the sign-in one goes on to a page of ours, and nowhere else.
func TestWhereTo(t *testing.T) {
	for path, want := range map[string]string{
		"/queue": "/queue", "/case/M-000012": "/case/M-000012", "/case/m-12": "/case/M-000012", "/case/M-000012/receipt": "/case/M-000012/receipt", "/log": "/log",
		"": "", "//evil.test": "", "https://evil.test/queue": "", "/\\evil.test": "", "/queue/../x": "", "/sign-out": "", "/case/": "", "/case/M-1/../../x": "",
		"/case/M-000012/raw": "", "/queue?x=//evil.test": "", "/case/M-000012%2f..": "", "javascript:alert(1)": "", "/log/export": "", "\t//evil.test": "",
	} {
		if got := local(path); got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
	o := newOffice(t)
	want(t, o.get("/case/M-000012", ""), http.StatusSeeOther, "/sign-in?next=%2Fcase%2FM-000012")
	want(t, o.get("/sign-in?next=//evil.test", ""), http.StatusOK, `name="next" value=""`)
}

// TestFromALetter: who follows a link from a mail program's page comes without
// the cookie, and is made to ask again.
func TestFromALetter(t *testing.T) {
	o := newOffice(t)
	w := o.ask(http.MethodGet, "/case/M-000001", "", nil, func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
	})
	want(t, w, http.StatusOK, `content="0;url=/case/M-000001"`)
	secured(t, "again", w)
	w = o.ask(http.MethodGet, "/queue", "", nil, func(r *http.Request) {
		r.URL.Path = "//evil.test/\"><script>"
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
	})
	if strings.Contains(w.Body.String(), "url=//") || strings.Contains(w.Body.String(), "<script>alert") {
		t.Errorf("it leads elsewhere: %s", w.Body)
	}
}

// TestWrongAddresses: nothing is served but what is in the table.
func TestWrongAddresses(t *testing.T) {
	o := newOffice(t)
	token := o.session("carl", staff.RoleAdmin)
	for path, code := range map[string]int{
		"/assets/../../etc/passwd": 404, "/assets/style.css": 404, "/assets/%2e%2e/console.go": 404, "/case/M-1%2f..%2f..": 404, "/case/x": 404, "/case/M-999999": 404,
		"/case/M-99999999999999999999999": 404, "/nothing": 404, "/queue?after=junk": 404, "/log?after=%00": 404, "/mails?after=..": 404, "/staff/add": 405, "/.git/config": 404, "/log/export?format=exe": 404,
	} {
		w := o.ask(http.MethodGet, path, token, nil)
		if w.Code == http.StatusMovedPermanently || w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusPermanentRedirect {
			w = o.ask(http.MethodGet, w.Header().Get("Location"), token, nil)
		}
		if w.Code != code {
			t.Errorf("%s: %d, want %d", path, w.Code, code)
		}
		secured(t, path, w)
	}
	w := o.ask(http.MethodPost, "/search", token, url.Values{"what": {strings.Repeat("x", maxForm)}})
	want(t, w, http.StatusRequestEntityTooLarge)
}

// TestFrom: the address of a browser is the connection's, unless a proxy of ours
// made it.
func TestFrom(t *testing.T) {
	o := newOffice(t)
	for _, test := range []struct{ remote, said, proxies, want string }{
		{"198.51.100.7:99", "", "", "198.51.100.7"},
		{"198.51.100.7:99", "203.0.113.1", "", "198.51.100.7"},
		{"127.0.0.1:99", "203.0.113.1", "127.0.0.0/8", "203.0.113.1"},
		{"127.0.0.1:99", "1.1.1.1, 203.0.113.1", "127.0.0.0/8", "203.0.113.1"},
		{"127.0.0.1:99", "203.0.113.1, 127.0.0.2", "127.0.0.0/8", "203.0.113.1"},
		{"127.0.0.1:99", "203.0.113.1:4711", "127.0.0.0/8", "203.0.113.1"},
		{"127.0.0.1:99", "[2001:db8::1]:4711, 127.0.0.2:80", "127.0.0.0/8", "2001:db8::1"},
		{"127.0.0.1:99", "[2001:db8::1]", "127.0.0.0/8", "2001:db8::1"},
		{"127.0.0.1:99", "junk", "127.0.0.0/8", "127.0.0.1"},
		{"[::1]:99", "203.0.113.1", "127.0.0.0/8", "::1"},
	} {
		o.s.Proxies = prefixes(t, test.proxies)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = test.remote
		if test.said != "" {
			r.Header.Set("X-Forwarded-For", test.said)
		}
		if got := o.s.from(r); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// TestTooMuch: more at once than can be served are told to come again.
func TestTooMuch(t *testing.T) {
	o := newOffice(t)
	token := o.session("bill", staff.RoleViewer)
	for range maxAtOnce {
		o.s.strangers <- struct{}{}
	}
	w := o.get("/sign-in", "")
	want(t, w, http.StatusServiceUnavailable)
	if w.Header().Get("Retry-After") == "" {
		t.Error("it does not say when")
	}
	want(t, o.get("/queue", "made up"), http.StatusServiceUnavailable)
	want(t, o.get("/queue", token), http.StatusOK) // strangers do not keep staff out
	for range maxAtOnce {
		o.s.busy <- struct{}{}
	}
	want(t, o.get("/queue", token), http.StatusServiceUnavailable)
}

// unfinished is the body of a request that says that it is read, and then does
// not come.
type unfinished struct{ read, end chan struct{} }

// Read implements io.Reader.
func (u unfinished) Read([]byte) (int, error) {
	select {
	case u.read <- struct{}{}:
	default:
	}
	<-u.end
	return 0, io.ErrUnexpectedEOF
}

// TestUnfinishedForms: forms that do not come whole keep nobody out, however
// many there are.
func TestUnfinishedForms(t *testing.T) {
	o := newOffice(t)
	token := o.session("cleo", staff.RoleViewer)
	end := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(end)
	for range 2 * maxAtOnce {
		body := unfinished{make(chan struct{}, 1), end}
		answered := make(chan struct{})
		all.Go(func() {
			defer close(answered)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-in", body)
			r.Host = host
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			o.s.ServeHTTP(httptest.NewRecorder(), r)
		})
		select {
		case <-body.read:
		case <-answered:
		}
	}
	want(t, o.get("/queue", token), http.StatusOK)
	want(t, o.get("/sign-in", ""), http.StatusOK)
}

// TestLanguage: what the account is set to, else what the browser likes.
func TestLanguage(t *testing.T) {
	o := newOffice(t)
	token := o.session("dina", staff.RoleViewer)
	like := func(tags string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Accept-Language", tags) }
	}
	for tags, lang := range map[string]string{"": "en", "ru-RU,ru;q=0.9,en;q=0.8": "ru", "kk": "kk", "de-DE,de": "en", "fr, kk;q=0.5": "kk", "%%%": "en"} {
		if w := o.ask(http.MethodGet, "/queue", token, nil, like(tags)); !strings.Contains(w.Body.String(), `<html lang="`+lang+`">`) {
			t.Errorf("%q: %s", tags, w.Body.String()[:60])
		}
	}
	want(t, o.post("/account", token, "language", "xx"), http.StatusBadRequest)
	want(t, o.post("/account", token, "language", "ru"), http.StatusSeeOther)
	want(t, o.ask(http.MethodGet, "/queue", token, nil, like("en")), http.StatusOK, `<html lang="ru">`, pagesWord(o, "ru", "queue.title"))
}

func pagesWord(o *office, lang, key string) string { return o.s.pages.Words(lang).Say(key) }

// TestAssets are kept by browsers, and need nobody to be signed in.
func TestAssets(t *testing.T) {
	o := newOffice(t)
	p, err := pages.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.Assets() {
		w := o.get(a.Path, "")
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != a.Type || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !slices.Equal(w.Body.Bytes(), a.Body) {
			t.Errorf("%s: %d %v", a.Path, w.Code, w.Header())
		}
	}
}

// TestSlowBodies: a form that comes in slowly takes nobody's place, and one that
// breaks off is no form.
func TestSlowBodies(t *testing.T) {
	o := newOffice(t)
	come, end := make(chan struct{}), make(chan struct{})
	var slow sync.WaitGroup
	for range maxAtOnce + 1 {
		slow.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-in", &slowBody{come, end})
			r.Host = host
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			o.s.ServeHTTP(w, r)
			if w.Code != http.StatusBadRequest {
				t.Errorf("a form that broke off: %d", w.Code)
			}
		})
	}
	for range maxAtOnce + 1 {
		select {
		case <-come:
		case <-time.After(10 * time.Second):
			close(end)
			t.Fatal("not every body is read")
		}
	}
	want(t, o.get("/sign-in", ""), http.StatusOK)
	close(end)
	slow.Wait()
}

// slowBody is a body that says when it is read, and breaks off when it is told to.
type slowBody struct{ come, end chan struct{} }

func (s *slowBody) Read([]byte) (int, error) {
	s.come <- struct{}{}
	<-s.end
	return 0, io.ErrUnexpectedEOF
}

// TestOwnOrigin: a request of another site's page stays one, whatever it says of
// its origin.
func TestOwnOrigin(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("lara", staff.RoleHandler)
	form := url.Values{"action": {m.Actions[0].String()}, "typed": {m.ID.String()}}
	for _, site := range []string{"cross-site", "same-site", "something new"} {
		w := o.ask(http.MethodPost, "/case/"+m.ID.String()+"/approve", token, form, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", site)
			r.Header.Set("Origin", "http://"+host)
		})
		want(t, w, http.StatusForbidden)
	}
}
