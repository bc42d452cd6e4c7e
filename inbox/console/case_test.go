package console

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
)

// TestTyped: what cannot be taken back needs the number of its case.
func TestTyped(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("kim", staff.RoleHandler)
	want(t, o.get("/case/"+m.ID.String(), token), http.StatusOK, "<mark>delete my account</mark>", "Wants the account deleted", "Cannot be undone. Type "+m.ID.String())
	path, action := "/case/"+m.ID.String()+"/approve", m.Actions[0].String()
	for _, typed := range []string{"", "M-999999", "yes", action} {
		want(t, o.post(path, token, "action", action, "typed", typed), http.StatusUnprocessableEntity, "type the number of the case")
	}
	if o.state(m) != inbox.StateReview {
		t.Fatal("it was done")
	}
	want(t, o.post(path, token, "action", action, "typed", " m-1 "), http.StatusSeeOther, "/case/M-000001?done=approve")
	if o.state(m) == inbox.StateReview {
		t.Error("it was not done")
	}
	want(t, o.get("/case/M-000001?done=approve", token), http.StatusOK, "Approved.")
	want(t, o.get("/case/M-000001?done=<script>", token), http.StatusOK)
}

// TestForgedForms: a form can be about the Actions of its own case only, and do
// what there is.
func TestForgedForms(t *testing.T) {
	o := newOffice(t)
	m, other := o.deletion(), o.question()
	token := o.session("lena", staff.RoleHandler)
	want(t, o.post("/case/"+other.ID.String()+"/hold", token, "action", m.Actions[0].String(), "reason", "x"), http.StatusNotFound)
	want(t, o.post("/case/"+m.ID.String()+"/explode", token, "action", m.Actions[0].String()), http.StatusNotFound)
	want(t, o.post("/case/"+m.ID.String()+"/hold", token, "action", "A-999999"), http.StatusNotFound)
	want(t, o.post("/case/"+m.ID.String()+"/hold", token), http.StatusNotFound)
	w := o.post("/case/"+m.ID.String()+"/approve-without-proof", token, "action", m.Actions[0].String(), "reason", "x", "typed", m.ID.String())
	want(t, w, http.StatusForbidden)
	for _, verb := range []string{"approve-without-proof/", "approve%2dwithout%2dproof", "Approve-Without-Proof"} {
		if w := o.post("/case/"+m.ID.String()+"/"+verb, token, "action", m.Actions[0].String(), "reason", "x", "typed", m.ID.String()); w.Code < 400 && w.Code != http.StatusTemporaryRedirect && w.Code != http.StatusMovedPermanently && w.Code != http.StatusPermanentRedirect {
			t.Errorf("%s: %d", verb, w.Code)
		}
	}
	if o.state(m) != inbox.StateReview {
		t.Error("something was done")
	}
}

// TestLetterFirst: a refusal shows its letter, and is done with the go only.
func TestLetterFirst(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("mira", staff.RoleHandler)
	path, action := "/case/"+m.ID.String()+"/refuse", m.Actions[0].String()
	want(t, o.post(path, token, "action", action, "reason", " "), http.StatusConflict, "A refusal needs a reason")
	want(t, o.post(path, token, "action", action, "reason", "an order is on its way"), http.StatusOK, "ann@users.test", "an order is on its way", `name="step" value="send"`)
	if o.state(m) != inbox.StateReview {
		t.Fatal("it was done at once")
	}
	want(t, o.post(path, token, "action", action, "reason", "an order is on its way", "step", "back"), http.StatusOK, "an order is on its way</textarea>")
	want(t, o.post(path, token, "action", action, "reason", "an order is on its way", "step", "send"), http.StatusUnprocessableEntity)
	want(t, o.post(path, token, "action", action, "reason", "an order is on its way", "step", "send", "typed", m.ID.String()), http.StatusSeeOther)
	if o.state(m) != inbox.StateRefused {
		t.Errorf("it is %s", o.state(m))
	}
}

// TestAnswer goes out once it was seen; saved answers are at hand.
func TestAnswer(t *testing.T) {
	o := newOffice(t)
	m := o.question()
	admin := o.session("nur", staff.RoleAdmin)
	want(t, o.post("/saved/put", admin, "name", "Where we are", "language", "en", "text", "In Almaty.\r\nCome by."), http.StatusSeeOther, "/saved?done=put")
	want(t, o.get("/saved", admin), http.StatusOK, "Where we are", "In Almaty.\nCome by.")
	want(t, o.get("/case/"+m.ID.String(), admin), http.StatusOK, "Where we are", `data-text="In Almaty.`)
	path, action := "/case/"+m.ID.String()+"/answer", m.Actions[0].String()
	want(t, o.post(path, admin, "action", action, "text", "In Almaty."), http.StatusOK, "In Almaty.", "bob@users.test")
	want(t, o.post(path, admin, "action", action, "text", "In Almaty.", "step", "send"), http.StatusSeeOther)
	if o.state(m) != inbox.StateDone {
		t.Errorf("it is %s", o.state(m))
	}
	want(t, o.post("/saved/delete", admin, "name", "Where we are", "language", "en"), http.StatusSeeOther)
}

// TestCorrect: fields and values are what the form says, the kind decides which
// of them count.
func TestCorrect(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("olga", staff.RoleHandler)
	path, action := "/case/"+m.ID.String()+"/correct", m.Actions[0].String()
	want(t, o.post(path, token, "action", action, "kind", "change", "set.email", "nowhere"), http.StatusConflict, "nowhere")
	want(t, o.post(path, token, "action", action, "kind", "change", "set.phone", "8 701 555 77 10", "drop.email", "yes", "set.made_up", "x"), http.StatusSeeOther)
	v, err := o.desk.Action(m.Actions[0])
	if err != nil || v.Kind != inbox.KindChange || len(v.Changes) != 1 || v.Changes[0].Value != "+77015557710" {
		t.Errorf("it is read as %s %+v, %v", v.Kind, v.Changes, err)
	}
}

// TestHoldAndHandOver: with a date, and to somebody who can act.
func TestHoldAndHandOver(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("pavel", staff.RoleHandler)
	path, action := "/case/"+m.ID.String(), m.Actions[0].String()
	want(t, o.post(path+"/hand-over", token, "action", action, "to", "pavel", "note", "mine"), http.StatusSeeOther)
	want(t, o.get("/queue?mine=me", token), http.StatusOK, "with pavel")
	want(t, o.post(path+"/hold", token, "action", action, "reason", "a lawyer looks", "until", "soon"), http.StatusUnprocessableEntity, "YYYY-MM-DD")
	want(t, o.post(path+"/hold", token, "action", action, "reason", "a lawyer looks", "until", "2020-01-01"), http.StatusConflict)
	day := time.Now().AddDate(0, 0, 3).UTC().Format(time.DateOnly)
	want(t, o.post(path+"/hold", token, "action", action, "reason", "a lawyer looks", "until", day), http.StatusSeeOther)
	want(t, o.get(path, token), http.StatusOK, "a lawyer looks", "On hold")
	want(t, o.post(path+"/release", token, "action", action), http.StatusSeeOther)
}

// TestExtend: where the law allows it, once, and the letter is shown first.
func TestExtend(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("qasym", staff.RoleHandler)
	if w := o.get("/case/"+m.ID.String(), token); strings.Contains(w.Body.String(), "/extend\"") {
		t.Error("it is offered where the law has none")
	}
	o = newOfficeUnder(t, "gdpr")
	m = o.deletion()
	token = o.session("qasym", staff.RoleHandler)
	path, action := "/case/"+m.ID.String(), m.Actions[0].String()
	want(t, o.get(path, token), http.StatusOK, "Extend the deadline", "GDPR")
	want(t, o.post(path+"/extend", token, "action", action, "reason", "a lawyer must look"), http.StatusOK, "ann@users.test", "a lawyer must look")
	want(t, o.post(path+"/extend", token, "action", action, "reason", "a lawyer must look", "step", "send"), http.StatusSeeOther, path+"?done=extend")
	want(t, o.post(path+"/extend", token, "action", action, "reason", "once more", "step", "send"), http.StatusConflict, "can be done once")
}

// TestTones: what is late is red, by the clock.
func TestTones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.deletion()
		for _, step := range []struct {
			wait time.Duration
			tone string
		}{{0, `class="row "`}, {30 * time.Hour, `class="row `}, {72 * time.Hour, `class="row red"`}} {
			time.Sleep(step.wait)
			token := o.session("tone"+strings.ReplaceAll(step.wait.String(), ".", ""), staff.RoleViewer)
			want(t, o.get("/queue", token), http.StatusOK, step.tone)
		}
	})
}

// script is what a mail may try; nothing of it may reach a page as markup.
const script = `"'><script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>` + "\u202e" + `</textarea></blockquote>{{.}}`

// fields are what people can type into; what stands there turns nothing else
// round.
var fields = regexp.MustCompile(`(?s)<textarea.*?</textarea>|(value|data-text)="[^"]*"`)

// TestStoredScript: whatever a mail fills is text on every page.
func TestStoredScript(t *testing.T) {
	o := newOffice(t)
	o.raw = []byte("Subject: " + script + "\r\n\r\n" + script + "\x00\xff")
	m := o.mail("ann@users.test", script, script, script+" change my name", inbox.LevelAligned,
		inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldAbout, Op: inbox.OpSet, Value: script}, {Field: inbox.Field(script), Op: inbox.OpSet, Value: "x"}}, Because: []string{"change my name"}})
	q := o.mail("bob@users.test", script, script, script, inbox.LevelAligned, inbox.Request{Kind: inbox.KindQuestion, Because: []string{script}})
	token := o.session("rosa", staff.RoleAdmin)
	want(t, o.post("/saved/put", token, "name", script, "language", "en", "text", script), http.StatusSeeOther)
	pages := map[string]string{}
	for _, path := range []string{"/queue", "/case/" + m.ID.String(), "/case/" + q.ID.String(), "/case/" + m.ID.String() + "/raw", "/case/" + m.ID.String() + "/receipt", "/mails", "/log", "/saved", "/staff",
		"/log?case=" + "%22%3E%3Cscript%3E", "/queue?kind=%22%3E%3Cscript%3E", "/sign-in?next=%22%3E%3Cscript%3E"} {
		w := o.get(path, token)
		if w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", path, w.Code)
		}
		pages[path] = w.Body.String()
	}
	act := q.Actions[0].String()
	pages["found"] = o.post("/search", token, "what", "bob@users.test").Body.String()
	pages["preview"] = o.post("/case/"+q.ID.String()+"/answer", token, "action", act, "text", script).Body.String()
	pages["fault"] = o.post("/case/"+q.ID.String()+"/hold", token, "action", act, "reason", script, "until", script).Body.String()
	pages["correct"] = o.post("/case/"+q.ID.String()+"/correct", token, "action", act, "kind", script, "set.email", script).Body.String()
	pages["handed"] = o.post("/case/"+q.ID.String()+"/hand-over", token, "action", act, "to", script).Body.String()
	pages["wrong"] = o.post("/sign-in", "", "name", script, "password", script).Body.String()
	for path, body := range pages {
		for _, bad := range []string{"<script>alert", "<img src=x", "<svg/onload", "\u202e"} {
			if strings.Contains(fields.ReplaceAllString(body, ""), bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
		if n := strings.Count(body, "<script"); n > 1 {
			t.Errorf("%s has %d scripts", path, n)
		}
	}
}

// TestSearch: by number one goes there; what was looked for stands in no address.
func TestSearch(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	o.question()
	token := o.session("sara", staff.RoleViewer)
	want(t, o.post("/search", token, "what", "m-1"), http.StatusSeeOther, "/case/"+m.ID.String())
	want(t, o.post("/search", token, "what", "ann@users.test"), http.StatusOK, "Ann Bee", "1 case")
	want(t, o.post("/search", token, "what", "bee"), http.StatusOK, "Ann Bee")
	want(t, o.post("/search", token, "what", "zzz"), http.StatusOK, "Nothing was found")
	want(t, o.ask(http.MethodGet, "/search?what=bee", token, nil), http.StatusMethodNotAllowed)
	for _, e := range o.entries() {
		if strings.Contains(strings.ToLower(e), "bee") || strings.Contains(e, "@") {
			t.Errorf("the journal has %q", e)
		}
	}
}

// TestLog: it is filtered, exported without what is personal, and verified.
func TestLog(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("timur", staff.RoleViewer)
	want(t, o.get("/log?case="+m.ID.String(), token), http.StatusOK, "Passed to staff", m.Actions[0].String())
	want(t, o.get("/log?who=timur", token), http.StatusOK, "timur")
	w := o.get("/log/export?format=csv&case="+m.ID.String(), token)
	want(t, w, http.StatusOK)
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(rows) < 2 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment; filename=") {
		t.Errorf("%d rows, %v, %v", len(rows), err, w.Header())
	}
	if w := o.get("/log/export?format=jsonl", token); strings.Contains(w.Body.String(), "ann@") || !strings.Contains(w.Body.String(), `{"entry":{"seq":1,`) {
		t.Errorf("exported %s", w.Body)
	}
	want(t, o.post("/log/verify", token), http.StatusOK, "The chain holds.")
	want(t, o.post("/log/verify", token, "head", strings.Repeat("ab", 32)), http.StatusOK, "is not in it")
	want(t, o.get("/case/"+m.ID.String()+"/receipt", token), http.StatusOK, "a•••@u•••.test", "Wants the account deleted")
}

// patient is an answer whose deadline can be pushed on.
type patient struct {
	*httptest.ResponseRecorder
	pushed int
}

// SetWriteDeadline is for http.ResponseController.
func (p *patient) SetWriteDeadline(time.Time) error { p.pushed++; return nil }

// TestLongWork: what takes longer than an answer may gets its time anew, and ends
// with the browser.
func TestLongWork(t *testing.T) {
	o := newOffice(t)
	o.deletion()
	token := o.session("uma", staff.RoleViewer)
	for _, do := range []struct{ method, path string }{{http.MethodPost, "/log/verify"}, {http.MethodGet, "/log/export?format=jsonl&case=M-000001&who=person"}} {
		for _, gone := range []bool{false, true} {
			ctx, leave := context.WithCancel(t.Context())
			r := httptest.NewRequestWithContext(ctx, do.method, do.path, nil)
			r.Host = host
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.AddCookie(&http.Cookie{Name: cookie, Value: token})
			w := &patient{ResponseRecorder: httptest.NewRecorder()}
			var to http.Handler = o.s
			if gone {
				leave()
				to = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // past the gate, which needs the browser, too
					q := o.s.speak(&request{Request: r})
					run := map[string]func(*Server, http.ResponseWriter, *request) error{http.MethodPost: verifyLog, http.MethodGet: exportLog}[do.method]
					if err := run(o.s, w, q); !errors.Is(err, context.Canceled) {
						t.Errorf("%s ends with %v", do.path, err)
					}
				})
			}
			to.ServeHTTP(w, r)
			leave()
			if !gone && (w.Code != http.StatusOK || w.pushed == 0) {
				t.Errorf("%s: %d, its deadline was pushed on %d times", do.path, w.Code, w.pushed)
			}
		}
	}
}

// TestReplay is there for mails that were set aside, and for who may act.
func TestReplay(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("ulan", staff.RoleHandler)
	want(t, o.get("/mails", token), http.StatusOK, m.ID.String())
	want(t, o.post("/mails/"+m.ID.String()+"/replay", token), http.StatusSeeOther)
	if len(o.again) != 1 {
		t.Errorf("taken anew: %v", o.again)
	}
}

// TestPause: the banner is on every page until an admin resumes.
func TestPause(t *testing.T) {
	o := newOffice(t)
	token := o.session("vera", staff.RoleAdmin)
	want(t, o.post("/pause", token), http.StatusSeeOther)
	want(t, o.get("/queue", token), http.StatusOK, "Everything is paused")
	want(t, o.post("/resume", token), http.StatusSeeOther)
	if w := o.get("/queue", token); strings.Contains(w.Body.String(), "is paused") {
		t.Error("it still says that it is paused")
	}
}

// TestLive: an open queue gets its rows anew when there are others, does not keep
// the session alive, and ends with it.
func TestLive(t *testing.T) {
	o := newOffice(t)
	o.deletion()
	token := o.session("will", staff.RoleViewer)
	ctx, stop := context.WithCancel(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.s.hosts = append(o.s.hosts, l.Addr().String())
	done := make(chan error, 1)
	go func() { done <- o.s.Serve(ctx, l) }()
	at := livePath
	events := func(token string) (*bufio.Reader, *http.Response) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String()+at, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: cookie, Value: token})
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(resp.Body), resp
	}
	if _, resp := events("nobody's"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody got %d", resp.StatusCode)
	}
	in, resp := events(token)
	var first *bufio.Reader
	until := func(part string) {
		t.Helper()
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("%q did not come: %v", part, err)
			}
			if strings.Contains(line, part) {
				return
			}
		}
	}
	until("event: hello")
	until("event: rows") // a page that does not say what it shows gets it at once
	until("Wants the account deleted")
	page := o.get("/queue", token).Body.String()
	o.question()
	until("event: rows")
	until("id: ")
	until("Asks a question")
	_, page, _ = strings.Cut(page, `data-live="`)
	page, _, _ = strings.Cut(page, `"`)
	if at = page; !strings.Contains(at, "seen=") {
		t.Fatalf("the page is kept up to date at %q", at)
	}
	later, old := events(token)
	first, in = in, later
	until("event: hello")
	until("Asks a question") // it came between the page and its connection
	_ = old.Body.Close()
	in = first
	if err := o.staff.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	until("event: out")
	_ = resp.Body.Close() // it has ended
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLiveBounds: one session has a few open pages, and all have a bound.
func TestLiveBounds(t *testing.T) {
	w := newWatchers()
	for range liveEach {
		if w.add("one") == nil {
			t.Fatal("too few")
		}
	}
	if w.add("one") != nil {
		t.Error("too many of one")
	}
	for i := 0; len(w.open) < maxLive; i++ {
		w.add(strings.Repeat("x", i/liveEach+1))
	}
	if w.add("another") != nil {
		t.Error("too many")
	}
}

// TestSameRows: who looks at the same gets what was made once, until something
// changes or the times in it are old.
func TestSameRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, n := newWatchers(), 0
		look := func(key string) {
			t.Helper()
			if _, err := w.same(key, func() ([]byte, error) { n++; return []byte("x"), nil }); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			key  string
			do   func()
			want int
		}{{"a", func() {}, 1}, {"a", func() {}, 1}, {"b", func() {}, 2}, {"a", w.tell, 3}, {"a", func() { time.Sleep(quiet) }, 4}} {
			step.do()
			if look(step.key); n != step.want {
				t.Errorf("%q was made for the %dth time, want %d", step.key, n, step.want)
			}
		}
	})
}

// TestSeen: what a page shows already is not sent again, neither at its first
// connection nor at a later one.
func TestSeen(t *testing.T) {
	o := newOffice(t)
	o.deletion()
	token := o.session("yann", staff.RoleViewer)
	_, at, _ := strings.Cut(o.get("/queue", token).Body.String(), `data-live="`)
	at, _, _ = strings.Cut(at, `"`)
	o.s.end() // so that each connection ends by itself
	w := o.get(at, token)
	want(t, w, http.StatusOK, "event: hello")
	if strings.Contains(w.Body.String(), "event: rows") {
		t.Error("what the page shows came again")
	}
	w = o.get(livePath, token)
	want(t, w, http.StatusOK, "event: rows")
	_, id, _ := strings.Cut(w.Body.String(), "id: ")
	id, _, _ = strings.Cut(id, "\n")
	w = o.ask(http.MethodGet, livePath+"?seen=old", token, nil, func(r *http.Request) { r.Header.Set("Last-Event-ID", id) })
	if strings.Contains(w.Body.String(), "event: rows") {
		t.Error("what the page was sent came again")
	}
}

// TestSameRowsIsBounded: made-up addresses fill no memory, and what was asked for
// last is at hand.
func TestSameRowsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, n := newWatchers(), 0
		made := func() ([]byte, error) { n++; return []byte("x"), nil }
		for i := range 10 * maxMade {
			time.Sleep(time.Millisecond)
			if _, err := w.same(strings.Repeat("x", i), made); err != nil {
				t.Fatal(err)
			}
			if len(w.made) > maxMade {
				t.Fatalf("%d are kept", len(w.made))
			}
		}
		before := n
		if _, err := w.same(strings.Repeat("x", 10*maxMade-1), made); err != nil || n != before {
			t.Errorf("the newest is not at hand: %v", err)
		}
	})
}

// TestStop: the server ends with its context although a page is open.
func TestStop(t *testing.T) {
	o := newOffice(t)
	o.session("xena", staff.RoleViewer)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- o.s.Serve(ctx, blocked{make(chan struct{})}) }()
		time.Sleep(time.Minute)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// blocked is a listener to which nobody comes.
type blocked struct{ end chan struct{} }

// Accept implements net.Listener.
func (b blocked) Accept() (net.Conn, error) { <-b.end; return nil, net.ErrClosed }

// Close implements net.Listener.
func (b blocked) Close() error {
	select {
	case <-b.end:
	default:
		close(b.end)
	}
	return nil
}

// Addr implements net.Listener.
func (blocked) Addr() net.Addr { return &net.TCPAddr{} }

// TestBackFromALetter: who looks at a letter and goes back sends what the form
// and that button hold, in their order; nothing is done, and what was typed is
// still there.
func TestBackFromALetter(t *testing.T) {
	o := newOffice(t)
	m := o.question()
	token := o.session("hugo", staff.RoleHandler)
	id := m.Actions[0].String()
	path := "/case/" + m.ID.String() + "/answer"
	w := o.post(path, token, "action", id, "text", "In Astana.")
	want(t, w, http.StatusOK, "In Astana.")
	form := regexp.MustCompile(`(?s)<form action="` + path + `".*?</form>`).FindString(w.Body.String())
	press := func(button string) *httptest.ResponseRecorder {
		var pairs []string
		for _, tag := range regexp.MustCompile(`<(?:input type="hidden"|button)[^>]*>[^<]*`).FindAllString(form, -1) {
			if strings.HasPrefix(tag, "<button") && !strings.HasSuffix(tag, ">"+button) {
				continue
			}
			if at := regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`).FindStringSubmatch(tag); at != nil {
				pairs = append(pairs, at[1], at[2])
			}
		}
		return o.post(path, token, pairs...)
	}
	want(t, press("Back"), http.StatusOK, "In Astana.</textarea>")
	if got := o.state(m); got != inbox.StateReview {
		t.Fatalf("going back left it %s", got)
	}
	want(t, press("Send"), http.StatusSeeOther, "/case/"+m.ID.String()+"?done=answer")
}

// TestLiveIsNotOlder: rows that were made for others, and are older than what a
// page was just made with, do not take its place: what was done a moment ago
// would be there again.
func TestLiveIsNotOlder(t *testing.T) {
	o := newOffice(t)
	m := o.question()
	token := o.session("mira", staff.RoleHandler)
	q := o.s.speak(&request{Request: httptest.NewRequestWithContext(t.Context(), http.MethodGet, livePath, nil), token: token})
	before, err := o.s.liveRows(q)
	if err != nil || !strings.Contains(string(before), m.ID.String()) {
		t.Fatalf("%s, %v", before, err)
	}
	want(t, o.post("/case/"+m.ID.String()+"/answer", token, "action", m.Actions[0].String(), "text", "In Astana.", "step", "send"), http.StatusSeeOther)
	after, err := o.s.liveRows(q)
	if err != nil || strings.Contains(string(after), m.ID.String()) {
		t.Errorf("what was answered is there again: %v", err)
	}
	again, err := o.s.liveRows(q)
	if err != nil || &again[0] != &after[0] {
		t.Errorf("while nothing changes they are made anew: %v", err)
	}
}
