package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
)

const (
	support  = "support@site.test"
	password = "nine lilac otters whistle"
	cookie   = "__Host-session"
	// patience bounds whatever a test waits for.
	patience = 30 * time.Second
)

// site is a mail world with a daemon in it, whose console is served.
type site struct {
	*mailtest.World
	t     testing.TB
	d     *daemon.Daemon
	url   string // of the console
	admin string // session of an administrator
	log   notes
	read  map[string]int // letters that were looked at, by address

	mu    sync.Mutex
	taken int
	more  chan struct{} // closed when the daemon has taken one more mail
}

// notes is a log that can be read while it is written.
type notes struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

// open starts a site that runs until the test ends. More is configuration that
// is added, people those who have an account beside the ones of package talk.
func open(t testing.TB, name, more, people string) *site {
	t.Helper()
	w, err := mailtest.New(mailtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddUser(support, "secret"); err != nil {
		t.Fatal(err)
	}
	s := &site{World: w, t: t, read: map[string]int{}, more: make(chan struct{})}
	w.OnAcknowledge(func(_, _ string, uids []uint32) { s.took(len(uids)) })
	log := slog.New(slog.NewTextHandler(io.MultiWriter(&s.log, warnings{t.Output()}), nil))
	s.d, err = daemon.Open(t.Context(), configured(t, w, name, more), daemon.Options{NoSocket: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.d.ImportPeople(t.Context(), talk.People()+people); err != nil {
		t.Fatal(err)
	}
	link, err := s.d.Invite(t.Context(), "chief", staff.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	var token string
	s.url, token, _ = strings.Cut(link, "/link/")
	s.run()
	s.admin = s.post("/link", "", "token", token).given().Value
	return s
}

// warnings passes on the lines of a log that are worth seeing beside a test.
type warnings struct{ io.Writer }

func (w warnings) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte("level=WARN")) && !bytes.Contains(line, []byte("level=ERROR")) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}

func configured(t testing.TB, w *mailtest.World, name, more string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`state_dir = "state"
[site]
name = %q
languages = ["en", "ru", "kk"]
account_url = "https://site.test/account"
timezone = "Asia/Almaty"
[[mailbox]]
name = "support"
address = %q
imap = "imap+insecure://%s"
password_file = "pass"
first_run = "all"
poll = "1s"
[smtp]
server = "smtp+insecure://%s"
[proof]
trusted_authserv_ids = ["mx.site.test"]
own_hops = 1
dkim = false
[policy.limits]
unproven = 100
proven = 100
week = 100
thread = 100
effects_per_hour = 100
[console]
listen = "127.0.0.1:0"
`, name, support, w.IMAPAddr(), w.SMTPAddr())
	file := filepath.Join(dir, "supportd.toml")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "pass"), []byte("secret\n"), 0o600), os.WriteFile(file, []byte(text+more), 0o600)); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// run lets the daemon run until the test ends.
func (s *site) run() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.d.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, s.d.Close(), s.World.Close()); err != nil {
			s.t.Error(err)
		}
	})
}

func (s *site) took(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken += n
	close(s.more)
	s.more = make(chan struct{})
}

// takes waits until the daemon has taken n mails since the start.
func (s *site) takes(n int) {
	s.t.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		taken, more := s.taken, s.more
		s.mu.Unlock()
		if taken >= n {
			return
		}
		select {
		case <-more:
		case <-late:
			s.t.Fatalf("%d of %d mails were taken", taken, n)
		}
	}
}

// count gives how many mails were taken so far.
func (s *site) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// write has somebody write whom the border vouches for, and waits until the
// daemon has taken it.
func (s *site) write(from, subject, text string, opts ...mailtest.MailOption) {
	s.t.Helper()
	n := s.count()
	s.Send(from, support, subject, text, append([]mailtest.MailOption{mailtest.Aligned(true)}, opts...)...)
	s.takes(n + 1)
}

// answer answers a letter as a mail program does.
func (s *site) answer(d mailtest.Delivery, text string) {
	s.t.Helper()
	n := s.count()
	s.Reply(d, d.To, text, mailtest.Aligned(true))
	s.takes(n + 1)
}

// letter waits for the next letter to an address, which must be the named one.
func (s *site) letter(name, to string) mailtest.Delivery {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	n := s.read[to]
	all, err := talk.Embedded{World: s.World}.Letters(ctx, to, n+1)
	if err != nil {
		s.t.Fatalf("%s has got no %s: %v", to, name, err)
	}
	s.read[to] = n + 1
	if got := s.d.Letter(all[n].MessageID()); got != name {
		s.t.Fatalf("%s has got %q instead of %q:\n%s", to, got, name, all[n].Text())
	}
	return all[n]
}

// silence fails when an address has got a letter that nobody looked at.
func (s *site) silence(to string) {
	s.t.Helper()
	all, err := talk.Embedded{World: s.World}.Letters(s.t.Context(), to, 0)
	if err != nil || len(all) > s.read[to] {
		s.t.Errorf("%s has got %d letters, want %d (%v)", to, len(all), s.read[to], err)
	}
}

// person gives what the user store holds.
func (s *site) person(id string) (users.Person, bool) {
	s.t.Helper()
	p, err := s.d.Person(s.t.Context(), id)
	if err != nil && !errors.Is(err, users.ErrNotFound) {
		s.t.Fatal(err)
	}
	return p, err == nil
}

// action gives an Action.
func (s *site) action(id inbox.ActionID) review.ActionDetail {
	s.t.Helper()
	v, err := s.d.Desk().Action(id)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// logged lists the newest entries of the journal as "who what".
func (s *site) logged(n int) (out []string) {
	s.t.Helper()
	page, err := s.d.Desk().Log(review.LogFilter{}, "", n)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range page.Entries {
		out = append(out, e.Who+" "+e.What)
	}
	return out
}

// answer is what the console answered.
type answered struct {
	Code   int
	Header http.Header
	Body   string
}

// to gives where an answer leads.
func (a answered) to() string { return a.Header.Get("Location") }

// given gives the session that an answer hands out, or nil.
func (a answered) given() *http.Cookie {
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == cookie {
			return c
		}
	}
	return nil
}

// ask sends a request to the console's listener as a browser does that is on
// one of its pages, and follows nothing.
func (s *site) ask(method, path, token, body string, change ...func(*http.Request)) answered {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if token != "" {
		r.AddCookie(&http.Cookie{Name: cookie, Value: token})
	}
	for _, f := range change {
		f(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		s.t.Fatal(err)
	}
	return answered{resp.StatusCode, resp.Header, string(b)}
}

func (s *site) get(path, token string) answered {
	s.t.Helper()
	return s.ask(http.MethodGet, path, token, "")
}

// post sends a form of name and value pairs.
func (s *site) post(path, token string, pairs ...string) answered {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return s.ask(http.MethodPost, path, token, form.Encode())
}

// invite makes an account, as an administrator does, and gives the path of the
// one-time link.
func (s *site) invite(name string, role staff.Role) string {
	s.t.Helper()
	got := s.post("/staff/add", s.admin, "name", name, "role", string(role))
	link := oneTime.FindString(got.Body)
	if link == "" {
		s.t.Fatalf("%s got no link: %d %s", name, got.Code, got.text())
	}
	return link
}

var oneTime = regexp.MustCompile(`/link/[A-Z0-9a-z_-]{20,}`)

// hire makes an account with a password, and gives a session of it.
func (s *site) hire(name string, role staff.Role) (token string) {
	s.t.Helper()
	first := s.post("/link", "", "token", strings.TrimPrefix(s.invite(name, role), "/link/")).given()
	if first == nil {
		s.t.Fatalf("%s could not use a link", name)
	}
	second := s.post("/password", first.Value, "password", password, "again", password).given()
	if second == nil {
		s.t.Fatalf("%s could not choose a password", name)
	}
	return second.Value
}

// signIn gives a new session of somebody.
func (s *site) signIn(name string) string {
	s.t.Helper()
	got := s.post("/sign-in", "", "name", name, "password", password).given()
	if got == nil {
		s.t.Fatalf("%s could not sign in", name)
	}
	return got.Value
}

var tags = regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>|\n\s*`)

// text gives the text of a page.
func (a answered) text() string { return tags.ReplaceAllString(a.Body, " ") }

// next waits for the next letter to an address, whichever it is.
func (s *site) next(to string) mailtest.Delivery {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	n := s.read[to]
	all, err := talk.Embedded{World: s.World}.Letters(ctx, to, n+1)
	if err != nil {
		s.t.Fatalf("%s has got no letter: %v", to, err)
	}
	s.read[to] = n + 1
	return all[n]
}

// ids lists the Actions, oldest first.
func (s *site) ids() (out []inbox.ActionID) {
	s.t.Helper()
	page, err := s.d.Desk().Queue(review.QueueFilter{All: true}, "", 500)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range page.Rows {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return out
}
