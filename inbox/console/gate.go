package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
	pages "push.guru/supportd/templates/console"
)

// cookie is the name of the session's cookie. Browsers take one with this
// prefix only if it is for this host alone, for all of it, and secure.
const cookie = "__Host-session"

// who says to whom a route is open.
type who int

const (
	signedIn who = iota // with the right that it needs
	oneself             // signed in, whatever the role, and with a password still to choose, too
	anybody
)

// route is one address.
type route struct {
	pattern string      // of http.ServeMux
	need    staff.Right // of those who are signed in
	what    string      // stands in the journal for it
	who     who
	own     bool // writes entries of its own: the Desk's acts do
	quiet   bool // keeps an open page up to date: nothing is written, and the session is not kept alive
	run     func(*Server, http.ResponseWriter, *request) error
}

// request is a request of somebody.
type request struct {
	*http.Request
	token   string // of the session; "" when nobody is signed in
	session staff.Session
	actor   review.Actor
	mail    inbox.MailID // that the address names; 0: none
	lang    string
	words   templates.Words
}

// mux gives what answers every request.
func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes() {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, q *http.Request) { s.serve(w, q, r) })
	}
	for _, a := range s.pages.Assets() {
		mux.HandleFunc("GET "+a.Path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", a.Type)
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			_, _ = w.Write(a.Body) // a browser that went away is no fault
		})
	}
	return s.named(s.ours(s.whole(s.bounded(s.notFound(mux)))))
}

// origin gives the origin of a URL.
func origin(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	return u.Scheme + "://" + u.Host
}

// bounded sends away what is too much at once. Who is signed in does not wait
// for those who are not.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == livePath { // which has bounds of its own
			next.ServeHTTP(w, r)
			return
		}
		slots := s.strangers
		if s.signedIn(r) {
			slots = s.busy
		}
		select {
		case slots <- struct{}{}:
		default:
			w.Header().Set("Retry-After", again)
			s.deny(http.StatusServiceUnavailable).ServeHTTP(w, r)
			return
		}
		free := sync.OnceFunc(func() { <-slots })
		defer free()
		if slots == s.strangers {
			w = &working{w, free}
		}
		next.ServeHTTP(w, r)
	})
}

// whole reads what a form sends before it takes anybody's place: a body that
// comes in slowly keeps nobody waiting but itself.
func (s *Server) whole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			s.deny(http.StatusRequestEntityTooLarge).ServeHTTP(w, r)
		case err != nil:
			s.deny(http.StatusBadRequest).ServeHTTP(w, r)
		default:
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		}
	})
}

// ours lets through what changes something only from a page of ours. A browser
// that says from where its page is counts by that alone; the origin is for those
// that do not.
func (s *Server) ours(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(s.deny(http.StatusForbidden))
	if err := cross.AddTrustedOrigin(origin(s.link)); err != nil {
		s.Log.Warn("console: its own origin", "err", err)
	}
	checked := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !slices.Contains([]string{"", "same-origin", "none"}, site) {
			s.deny(http.StatusForbidden).ServeHTTP(w, r)
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// named sets what every answer carries, and sends away what asks for another
// name than ours, or comes past the proxy.
func (s *Server) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers(w.Header(), s.secure)
		if s.ProxiesOnly && !s.proxy(hostOf(r.RemoteAddr)) {
			s.deny(http.StatusForbidden).ServeHTTP(w, r)
			return
		}
		if !slices.Contains(s.hosts, strings.ToLower(r.Host)) {
			s.deny(http.StatusMisdirectedRequest).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// again says after how many seconds a browser may come again.
const again = "2"

// signedIn tells whether a request is of somebody who is signed in.
func (s *Server) signedIn(r *http.Request) bool {
	c, err := r.Cookie(cookie)
	if err != nil {
		return false
	}
	_, err = s.Staff.Peek(c.Value)
	return err == nil
}

// working frees a slot when the work is done and the answer begins: who does not
// fetch it must not keep others out.
type working struct {
	http.ResponseWriter
	done func()
}

// Write implements io.Writer.
func (o *working) Write(b []byte) (int, error) {
	o.done()
	return o.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (o *working) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// headers sets what every answer carries.
func headers(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("X-Robots-Tag", "noindex")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// notFound has addresses that nobody serves, and methods that they do not take,
// answered with a page of ours.
func (s *Server) notFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		code := http.StatusNotFound
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); pattern != "" {
				code = http.StatusMethodNotAllowed
			}
		}
		s.deny(code).ServeHTTP(w, r)
	})
}

// deny answers with a page that says why there is no other. It names nobody.
func (s *Server) deny(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := s.speak(&request{Request: r})
		s.fault(w, q, code, "")
	})
}

// serve is the one way to every page: who is it, may they, then the page.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, to route) {
	q := &request{Request: r}
	if c, err := r.Cookie(cookie); err == nil {
		q.token = c.Value
	}
	err := s.enter(q, to)
	s.speak(q)
	if err == nil {
		err = form(r)
	}
	if err == nil {
		err = to.run(s, w, q)
	}
	if err != nil {
		s.refuse(w, q, to, err)
	}
}

// errChoose says that somebody must choose a password first.
var errChoose = errors.New("a password must be chosen first")

// errNoPage says that an address names nothing.
var errNoPage = errors.New("there is no such page")

// enter finds out who it is, and lets them in or not.
func (s *Server) enter(q *request, to route) (err error) {
	if to.quiet {
		q.session, err = s.Staff.Peek(q.token)
	} else {
		q.session, err = s.Staff.Session(q.Context(), q.token)
	}
	if to.who == anybody && errors.Is(err, staff.ErrSignedOut) {
		return nil
	}
	if err != nil {
		return err
	}
	q.actor = review.Actor{Name: q.session.Account.Name, Role: q.session.Account.Role}
	if to.who != signedIn {
		return nil
	}
	if q.session.MustChoose {
		return errChoose
	}
	if id := q.PathValue("id"); id != "" {
		if q.mail, err = inbox.ParseMailID(id); err != nil {
			return errNoPage
		}
	}
	return s.allow(q, to)
}

// allow has the Desk check the right and write who opened or did what. What
// writes entries of its own is written here only when it is denied.
func (s *Server) allow(q *request, to route) error {
	if to.quiet || to.own {
		if err := s.Desk.Allowed(q.actor, to.need); err == nil || to.quiet {
			return err
		}
	}
	var ids []fmt.Stringer
	if q.mail != 0 {
		ids = append(ids, q.mail)
	}
	return s.Desk.Enter(q.Context(), q.actor, to.need, to.what, ids...)
}

// form reads what a form sends; a file or another type is none.
func form(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if err := r.ParseForm(); err != nil {
		return &badForm{err}
	}
	return nil
}

// badForm is what no form of ours sends.
type badForm struct{ error }

// Unwrap gives why.
func (b *badForm) Unwrap() error { return b.error }

// speak chooses the language: what the account is set to, or the browser likes.
func (s *Server) speak(q *request) *request {
	tags := make([]language.Tag, len(pages.Languages()))
	for i, code := range pages.Languages() {
		tags[i] = language.MustParse(code)
	}
	like := q.session.Account.Language
	if like == "" {
		like = q.Header.Get("Accept-Language")
	}
	wanted, _, _ := language.ParseAcceptLanguage(like) // what cannot be read is none
	_, i, _ := language.NewMatcher(tags).Match(wanted...)
	q.lang = pages.Languages()[i]
	q.words = s.pages.Words(q.lang)
	return q
}

// refuse answers a request that was not let in, or that failed.
func (s *Server) refuse(w http.ResponseWriter, q *request, to route, err error) {
	var tooLarge *http.MaxBytesError
	var bad *badForm
	switch {
	case errors.Is(err, staff.ErrSignedOut):
		s.signedOut(w, q, to)
	case errors.Is(err, errChoose):
		http.Redirect(w, q.Request, "/password", http.StatusSeeOther)
	case errors.Is(err, review.ErrDenied):
		s.fault(w, q, http.StatusForbidden, "")
	case errors.As(err, &tooLarge):
		s.fault(w, q, http.StatusRequestEntityTooLarge, "")
	case errors.As(err, &bad):
		s.fault(w, q, http.StatusBadRequest, "")
	case errors.Is(err, state.ErrNotFound), errors.Is(err, errNoPage):
		s.fault(w, q, http.StatusNotFound, "")
	case inbox.IsTemporary(err):
		s.Log.Warn("console: a page failed for the moment", "page", to.pattern, "err", err)
		w.Header().Set("Retry-After", again)
		s.fault(w, q, http.StatusServiceUnavailable, "")
	case errors.Is(err, context.Canceled) && q.Context().Err() != nil:
		s.Log.Debug("console: a browser hung up", "page", to.pattern)
	default:
		s.Log.Error("console: a page failed", "page", to.pattern, "err", err)
		s.fault(w, q, http.StatusInternalServerError, "")
	}
}

// signedOut sends somebody to the sign-in, and from there back where they
// wanted to go. A browser that comes from another site's page does not bring
// the cookie: it is made to ask again, from a page of ours.
func (s *Server) signedOut(w http.ResponseWriter, q *request, to route) {
	switch {
	case to.quiet:
		s.fault(w, q, http.StatusUnauthorized, "")
	case q.Method == http.MethodGet && q.token == "" && q.Header.Get("Sec-Fetch-Site") == "cross-site" && q.Header.Get("Sec-Fetch-Mode") == "navigate":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=` + html.EscapeString("/"+strings.TrimLeft(q.URL.EscapedPath(), "/")) + `"><title>…</title>`)) // a browser that went away is no fault
	case q.Method != http.MethodGet:
		s.askAgain(w, q)
	default:
		address := "/sign-in"
		if next := local(q.URL.EscapedPath()); next != "" && next != "/queue" {
			address += "?next=" + url.QueryEscape(next)
		}
		if q.token != "" {
			s.expire(w)
		}
		http.Redirect(w, q.Request, address, http.StatusSeeOther)
	}
}

// local gives the path of a page that one may go on to after the sign-in, or
// "": a page of ours that takes a GET and changes nothing, by a path alone.
func local(path string) string {
	for _, known := range []string{"/queue", "/mails", "/log", "/saved", "/staff", "/account"} {
		if path == known {
			return path
		}
	}
	rest, ok := strings.CutPrefix(path, "/case/")
	id, tail, _ := strings.Cut(rest, "/")
	if !ok || tail != "" && tail != "receipt" {
		return ""
	}
	mail, err := inbox.ParseMailID(id)
	if err != nil {
		return ""
	}
	if path = "/case/" + mail.String(); tail != "" {
		path += "/" + tail
	}
	return path
}

// admit hands the session's token to the browser.
func (s *Server) admit(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// expire has the browser forget the token.
func (s *Server) expire(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// from gives the address of the browser: that of the connection, or, where a
// proxy of ours made it, the last in the proxy's word that is none of ours.
func (s *Server) from(r *http.Request) string {
	host := hostOf(r.RemoteAddr)
	said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(said) - 1; i >= 0 && s.proxy(host); i-- {
		ip, err := netip.ParseAddr(hostOf(strings.TrimSpace(said[i])))
		if err != nil {
			break
		}
		host = ip.String()
	}
	return host
}

// hostOf gives an address without its port, if it has one.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
}

func (s *Server) proxy(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// frame gives what stands around a page.
func (s *Server) frame(q *request, page string, body any) pages.Frame {
	f := pages.Frame{Lang: q.lang, Site: s.Site, Page: page, Body: body}
	if q.actor.Name == "" || q.session.MustChoose {
		return f
	}
	f.User = pages.User{Name: q.actor.Name, Role: string(q.actor.Role), Act: q.actor.Role.May(staff.RightAct),
		Approve: q.actor.Role.May(staff.RightApprove), Administers: q.actor.Role.May(staff.RightAdminister)}
	p, err := s.Desk.Paused()
	if err != nil {
		s.Log.Error("console: reading what is paused", "err", err)
	}
	f.Paused = pages.Paused{Effects: p.Effects, Replies: p.Replies, Restored: p.Restored}
	if done := "act.done." + q.URL.Query().Get("done"); q.words.Has(done) {
		f.Said = append(f.Said, pages.Said{Kind: "ok", Text: q.words.Say(done)})
	}
	return f
}

// show answers with a page.
func (s *Server) show(w http.ResponseWriter, code int, page string, f pages.Frame) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", f.Lang)
	return s.pages.Render(&late{w, code}, page, f)
}

// late writes the code of an answer with its first octet, so that a page that
// cannot be made can still become another.
type late struct {
	http.ResponseWriter
	code int
}

// Write implements io.Writer.
func (l *late) Write(b []byte) (int, error) {
	if l.code != 0 {
		l.WriteHeader(l.code)
		l.code = 0
	}
	return l.ResponseWriter.Write(b)
}

// fault answers with a page that says why there is no other; text is for where
// there is more to say than the code does.
func (s *Server) fault(w http.ResponseWriter, q *request, code int, text string) {
	s.faultWhy(w, q, code, text, "")
}

// faultWhy is fault with the program's own reason.
func (s *Server) faultWhy(w http.ResponseWriter, q *request, code int, text, why string) {
	key := "fault." + strconv.Itoa(code)
	if !q.words.Has(key) {
		key = "fault.500"
	}
	if text == "" {
		text = q.words.Say(key + ".text")
	}
	back := "/queue"
	if q.mail != 0 && code != http.StatusNotFound {
		back = "/case/" + q.mail.String()
	}
	f := s.frame(q, "fault", pages.Fault{Code: code, Title: q.words.Say(key), Text: text, Why: why, Back: back})
	f.Said = nil
	if err := s.show(w, code, "fault", f); err != nil {
		s.Log.Error("console: a page failed", "err", err)
		http.Error(w, http.StatusText(code), code)
	}
}

// wait words how long somebody is to wait.
func wait(d time.Duration) time.Duration {
	if d > time.Minute {
		return (d + time.Minute - 1).Truncate(time.Minute)
	}
	return max((d + time.Second - 1).Truncate(time.Second), time.Second)
}
