package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

const (
	host     = "127.0.0.1:8080"
	password = "nine lilac otters whistle"
)

// office is a console with accounts and cases.
type office struct {
	t     testing.TB
	s     *Server
	db    *state.DB
	desk  *review.Desk
	staff *staff.Staff
	keep  *cases.Keeper
	raw   []byte // of every mail
	again []inbox.MailID
}

// Find implements review.Finder: everybody has an account.
func (o *office) Find(_ context.Context, addr string) ([]users.Person, error) {
	return []users.Person{o.person(addr)}, nil
}

func (o *office) person(addr string) users.Person {
	return users.Person{ID: "u-" + addr, Active: true, Fields: map[inbox.Field]string{inbox.FieldEmail: addr, inbox.FieldPhone: "+77010000000"}}
}

// Raw implements review.Fetcher.
func (o *office) Raw(context.Context, inbox.MailID) (inbox.Raw, error) {
	return inbox.Raw{Bytes: o.raw}, nil
}

// Replay implements Replayer.
func (o *office) Replay(_ context.Context, id inbox.MailID, _ string) error {
	o.again = append(o.again, id)
	return nil
}

// newOffice opens a console under the law of Kazakhstan.
func newOffice(t testing.TB) *office {
	t.Helper()
	return newOfficeUnder(t, "kz")
}

func newOfficeUnder(t testing.TB, law string) *office {
	t.Helper()
	clock, err := deadline.Profile(law, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.Open(state.Config{Dir: t.TempDir(), Dates: cases.Dates(clock)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // the test is over
	data := datamap.Embedded()
	letters, err := templates.Load(nil, []string{"en", "ru", "kk"}, data.ColumnLabel)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, db: db}
	o.keep = cases.New(cases.Config{Rules: policy.Defaults(), Letters: letters, Clock: clock, Map: data, Site: templates.Site{Name: "Site", Zone: time.UTC},
		Mailboxes: []cases.Mailbox{{Name: "support", Address: "support@site.test"}}, Log: slog.New(slog.DiscardHandler)})
	o.desk = review.New(review.Config{State: db, Cases: o.keep, People: o, Region: "KZ", Mailboxes: o})
	o.staff = staff.New(staff.Config{State: db, Site: []string{"Site"}, Cost: staff.Cost{Memory: 8, Time: 1, Threads: 1}})
	o.s, err = New(Config{Desk: o.desk, Staff: o.staff, Replay: o, Site: "Site", Zone: time.UTC, Law: law, Mailboxes: []string{"support"}, Fields: data.Fields(),
		Label: data.ColumnLabel, Revision: db.Revision, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, host)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// mail stores a mail of somebody and opens the case of what it asks.
func (o *office) mail(from, name, subject, text string, level inbox.Level, reqs ...inbox.Request) *inbox.Mail {
	o.t.Helper()
	var m *inbox.Mail
	err := o.db.Update(o.t.Context(), "test", func(tx *state.Tx) error {
		id, err := tx.NewMailID()
		if err != nil {
			return err
		}
		m = &inbox.Mail{ID: id, Ref: inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(id)}, Received: tx.Now.Add(-time.Hour), Language: "en",
			Evidence: level, Digest: inbox.Digest{byte(id)}, Detail: &inbox.MailDetail{From: inbox.Address{Name: name, Addr: from}, Subject: subject, Text: text, Notes: []string{text}, EvidenceWhy: subject}}
		if err := errors.Join(tx.Account(m.Ref, id, true), tx.PutMail(m), tx.Tie(state.TieAddress, from, id)); err != nil {
			return err
		}
		return o.keep.Open(tx, m, cases.Sender{Address: from, People: []users.Person{o.person(from)}, Evidence: inbox.Evidence{Level: level}}, reqs)
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return m
}

// deletion is a mail whose delete staff must decide about.
func (o *office) deletion() *inbox.Mail {
	o.t.Helper()
	return o.mail("ann@users.test", "Ann Bee", "please", "Maybe delete my account.", inbox.LevelAligned,
		inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Confidence: .6, Because: []string{"delete my account"}})
}

func (o *office) question() *inbox.Mail {
	o.t.Helper()
	return o.mail("bob@users.test", "Bob", "hello", "Where are you?", inbox.LevelAligned, inbox.Request{Kind: inbox.KindQuestion, Confidence: .9, Because: []string{"Where"}})
}

// session signs a new account in, and gives its token.
func (o *office) session(name string, role staff.Role) string {
	o.t.Helper()
	if _, err := o.staff.Add(o.t.Context(), "test", name, role); err != nil {
		o.t.Fatal(err)
	}
	link, err := o.staff.Link(o.t.Context(), "test", name)
	if err != nil {
		o.t.Fatal(err)
	}
	token, err := o.staff.Begin(o.t.Context(), link, "192.0.2.1")
	if err != nil {
		o.t.Fatal(err)
	}
	return token
}

// ask sends a request as a browser that is on one of our pages does.
func (o *office) ask(method, path, token string, form url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	o.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(o.t.Context(), method, path, body)
	r.Host = host
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if token != "" {
		r.AddCookie(&http.Cookie{Name: cookie, Value: token})
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	o.s.ServeHTTP(w, r)
	return w
}

func (o *office) get(path, token string) *httptest.ResponseRecorder {
	o.t.Helper()
	return o.ask(http.MethodGet, path, token, nil)
}

// post sends a form of name and value pairs.
func (o *office) post(path, token string, pairs ...string) *httptest.ResponseRecorder {
	o.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return o.ask(http.MethodPost, path, token, form)
}

// state gives the state of the first Action of a Mail.
func (o *office) state(m *inbox.Mail) inbox.State {
	o.t.Helper()
	v, err := o.desk.Action(m.Actions[0])
	if err != nil {
		o.t.Fatal(err)
	}
	return v.State
}

// entries lists what the journal holds, newest first.
func (o *office) entries() []string {
	o.t.Helper()
	page, err := o.desk.Log(review.LogFilter{}, "", 500)
	if err != nil {
		o.t.Fatal(err)
	}
	var out []string
	for _, e := range page.Entries {
		out = append(out, e.Who+" "+e.What)
	}
	return out
}

// want ends the test when an answer is not the expected one.
func want(t *testing.T, w *httptest.ResponseRecorder, code int, parts ...string) {
	t.Helper()
	if w.Code != code {
		t.Fatalf("answered %d, want %d: %s %s", w.Code, code, w.Header().Get("Location"), text(w))
	}
	for _, p := range parts {
		if !strings.Contains(w.Body.String(), p) && w.Header().Get("Location") != p {
			t.Errorf("the page does not hold %q, Location %q:\n%s", p, w.Header().Get("Location"), text(w))
		}
	}
}

var tags = regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>|\n\s*`)

func text(w *httptest.ResponseRecorder) string { return tags.ReplaceAllString(w.Body.String(), " ") }
