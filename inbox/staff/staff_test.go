package staff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/state"
)

const (
	right = "correct horse battery"
	home  = "192.0.2.1:1234"
	away  = "198.51.100.7:4321"
)

// office is a Staff in a state of its own, and what tests see of it.
type office struct {
	*testing.T
	*Staff
	commits map[string]int // that were written, by name
	hashes  atomic.Int32   // that were made
}

// open gives an office in which a hash takes no time. In a bubble of virtual
// time it must be made there.
func open(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, commits: map[string]int{}}
	var mu sync.Mutex
	db, err := state.Open(state.Config{Dir: t.TempDir(), Point: func(p string) {
		if name, ok := strings.CutPrefix(p, "after commit "); ok {
			mu.Lock()
			o.commits[name]++
			mu.Unlock()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Staff = New(Config{State: db, Site: []string{"Push.Guru"}, Cost: cheap})
	stretch := o.Staff.hashes.stretch
	o.Staff.hashes.stretch = func(password, salt []byte, time, memory uint32, threads uint8, n uint32) []byte {
		o.hashes.Add(1)
		return stretch(password, salt, time, memory, threads, n)
	}
	return o
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// hire adds somebody who has chosen the right password, and gives the token of
// the session that they are in.
func (o *office) hire(name string, role Role) string {
	o.Helper()
	link, err := o.Add(o.Context(), "root", name, role)
	o.must(err)
	token, err := o.Begin(o.Context(), link, home)
	o.must(err)
	token, err = o.SetPassword(o.Context(), token, "", right, home)
	o.must(err)
	return token
}

func (o *office) signIn(name, password, from string) (string, error) {
	return o.SignIn(o.Context(), name, password, from)
}

// in signs somebody in.
func (o *office) in(name, from string) string {
	o.Helper()
	token, err := o.signIn(name, right, from)
	o.must(err)
	return token
}

// out says that a token opens nothing.
func (o *office) out(what, token string) {
	o.Helper()
	if s, err := o.Session(o.Context(), token); !errors.Is(err, ErrSignedOut) || s != (Session{}) {
		o.Errorf("%s the session is %+v, %v", what, s, err)
	}
}

// log gives the journal, an entry a line: who, what, detail.
func (o *office) log() (lines []string) {
	o.Helper()
	o.must(o.State.View(func(tx *state.Tx) error {
		return tx.EachEntry(1, func(e journal.Entry, detail []byte) error {
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s: %s %s", e.Who, e.What, detail)))
			return nil
		})
	}))
	return lines
}

func TestTheWayIn(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	link, err := o.Add(ctx, "root", " Aigul ", RoleHandler)
	o.must(err)
	first, err := o.Begin(ctx, link, home)
	o.must(err)
	s, err := o.Session(ctx, first)
	if err != nil || !s.MustChoose || s.Account.Name != "aigul" || s.Account.Role != RoleHandler || s.May(RightSee) {
		t.Fatalf("after the link the session is %+v, %v", s, err)
	}
	if _, err := o.SetPassword(ctx, first, "", "aigul2026aigul", home); !errors.Is(err, PasswordCommon) {
		t.Errorf("a bad password: %v", err)
	}
	second, err := o.SetPassword(ctx, first, "", right, home)
	if err != nil || second == first {
		t.Fatalf("%q, %v", second, err)
	}
	o.out("with the token of before the password", first)
	s, err = o.Session(ctx, second)
	if err != nil || s.MustChoose || !s.May(RightAct) || s.May(RightApprove) {
		t.Fatalf("with a password the session is %+v, %v", s, err)
	}
	o.must(o.SignOut(ctx, second))
	o.out("after signing out", second)
	o.must(o.SignOut(ctx, second)) // twice is no error
	third, err := o.signIn("AIGUL", right, away)
	if err != nil || len(third) < 43 || third == second {
		t.Fatalf("%q, %v", third, err)
	}
	if s, err = o.Session(ctx, third); err != nil || s.Account.LastSeen.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
	want := []string{
		`root: staff added {"account":"aigul","role":"handler"}`, `aigul: signed in {"by":"link"}`, `aigul: password set`,
		`aigul: signed in {"by":"new password"}`, `aigul: signed out`, `aigul: signed in {"by":"password"}`,
	}
	if got := o.log(); !slices.Equal(got, want) {
		t.Errorf("the journal has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestEveryChangeIsInTheJournal: with who did it; what changes nothing is not.
func TestEveryChangeIsInTheJournal(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	o.hire("boss", RoleAdmin)
	begin := len(o.log())
	link := func(_ string, err error) error { return err }
	for _, change := range []struct {
		err  error
		want string // "": nothing changed
	}{
		{link(o.Add(ctx, "boss", "bob", RoleViewer)), `{"account":"bob","role":"viewer"}`},
		{o.SetRole(ctx, "boss", "bob", RoleHandler), `{"account":"bob","role":"handler","was":"viewer"}`},
		{o.SetRole(ctx, "boss", "bob", RoleHandler), ""},
		{o.SetLanguage(ctx, "bob", "bob", "KK"), `{"account":"bob","language":"kk"}`},
		{o.SetLanguage(ctx, "bob", "bob", "kk"), ""},
		{o.Disable(ctx, "boss", "Bob"), `{"account":"bob"}`},
		{o.Disable(ctx, "boss", "bob"), ""},
		{o.Enable(ctx, "boss", "bob"), `{"account":"bob"}`},
		{o.Enable(ctx, "boss", "bob"), ""},
		{link(o.Reset(ctx, "root", "bob")), `{"account":"bob"}`},
		{link(o.Link(ctx, "root", "bob")), `{"account":"bob"}`},
	} {
		o.must(change.err)
		if change.want == "" {
			continue
		}
		if got := o.log()[begin]; !strings.HasSuffix(got, change.want) {
			t.Errorf("got %s, want %s", got, change.want)
		}
		begin++
	}
	got := o.log()
	if len(got) != begin {
		t.Errorf("more stands in the journal: %q", got[begin:])
	}
	if last := got[len(got)-2:]; last[0] != `root: staff reset {"account":"bob"}` || last[1] != `root: staff link {"account":"bob"}` {
		t.Errorf("the last are %q", last)
	}
	o.must(o.State.View(func(tx *state.Tx) error {
		f, err := tx.VerifyJournal("")
		if f.Broken != "" {
			t.Error(f.Broken)
		}
		return err
	}))
}

// TestNoAccountSpeaksForOthers: nobody is called what the journal has for
// somebody who is not of the staff, and who was called that before does nothing.
func TestNoAccountSpeaksForOthers(t *testing.T) {
	o := open(t)
	for _, who := range append(inbox.Whos(), "root") {
		for _, between := range []string{"-", ".", "_"} {
			name := strings.ReplaceAll(who, " ", between)
			if _, err := o.Add(t.Context(), "boss", name, RoleApprover); err == nil {
				t.Errorf("an account is called %q", name)
			}
		}
	}
	o.must(o.State.Update(t.Context(), "test", func(tx *state.Tx) error {
		return tx.PutStaffAccount(&state.StaffAccount{Name: "person", Role: string(RoleApprover), Created: tx.Now})
	}))
	link, err := o.Link(t.Context(), "boss", "person")
	if err == nil {
		_, err = o.Begin(t.Context(), link, "192.0.2.1")
	}
	if err == nil {
		t.Error("the account signs in")
	}
	o.must(o.Disable(t.Context(), "boss", "person"))
}

func TestRefusedChanges(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	o.hire("boss", RoleAdmin)
	_, err := o.Add(ctx, "boss", "bob", RoleViewer)
	o.must(err)
	o.must(o.Disable(ctx, "boss", "bob"))
	begin := len(o.log())
	link := func(_ string, err error) error { return err }
	for what, test := range map[string]struct {
		err  error
		want string
	}{
		"a name twice":                  {link(o.Add(ctx, "boss", "BOB", RoleViewer)), "there is an account"},
		"no role":                       {link(o.Add(ctx, "boss", "new", "boss")), "is no role"},
		"another role that is none":     {o.SetRole(ctx, "boss", "bob", "Admin"), "is no role"},
		"a role of nobody":              {o.SetRole(ctx, "boss", "eve", RoleViewer), "there is no account"},
		"nobody disabled":               {o.Disable(ctx, "boss", "eve"), "there is no account"},
		"nobody enabled":                {o.Enable(ctx, "boss", "eve"), "there is no account"},
		"nobody reset":                  {link(o.Reset(ctx, "boss", "eve")), "there is no account"},
		"a link for nobody":             {link(o.Link(ctx, "boss", "eve")), "there is no account"},
		"a reset of somebody disabled":  {link(o.Reset(ctx, "boss", "bob")), "is disabled"},
		"a link for somebody disabled":  {link(o.Link(ctx, "boss", "bob")), "is disabled"},
		"a language that is none":       {o.SetLanguage(ctx, "boss", "bob", "<b>"), "is no language"},
		"the last admin disabled":       {o.Disable(ctx, "boss", "boss"), "last enabled admin"},
		"the last admin made less":      {o.SetRole(ctx, "boss", "boss", RoleApprover), "last enabled admin"},
		"no name":                       {link(o.Add(ctx, "boss", " ", RoleViewer)), "cannot be an account's name"},
		"a long name":                   {link(o.Add(ctx, "boss", strings.Repeat("a", 33), RoleViewer)), "cannot be an account's name"},
		"an address":                    {link(o.Add(ctx, "boss", "bob@site.test", RoleViewer)), "cannot be an account's name"},
		"a letter that looks like an a": {link(o.Add(ctx, "boss", "bоss", RoleViewer)), "cannot be an account's name"},
		"a name of two lines":           {link(o.Add(ctx, "boss", "a\nb", RoleViewer)), "cannot be an account's name"},
		"the program":                   {link(o.Add(ctx, "boss", "Supportd", RoleViewer)), "for somebody else"},
		"the person who writes":         {link(o.Add(ctx, "boss", "person", RoleApprover)), "for somebody else"},
		"the person in a receipt":       {link(o.Add(ctx, "boss", "the-person", RoleApprover)), "for somebody else"},
		"the machine's administrator":   {link(o.Add(ctx, "boss", "root", RoleViewer)), "for somebody else"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: %v", what, test.err)
		}
	}
	if more := o.log()[begin:]; len(more) > 0 {
		t.Errorf("the journal has %q", more)
	}
	// with a second one the first can go, and then that one is the last
	o.hire("chief", RoleAdmin)
	o.must(o.Disable(ctx, "chief", "boss"))
	if err := o.SetRole(ctx, "chief", "chief", RoleViewer); err == nil {
		t.Error("a disabled admin counts as one")
	}
	o.must(o.Enable(ctx, "chief", "boss"))
	o.must(o.SetRole(ctx, "boss", "chief", RoleViewer))
}

// TestLastAdminsAtOnce: two admins who disable each other at the same time do
// not both succeed.
func TestLastAdminsAtOnce(t *testing.T) {
	o := open(t)
	o.hire("ann", RoleAdmin)
	o.hire("ben", RoleAdmin)
	var all sync.WaitGroup
	var done atomic.Int32
	for _, name := range []string{"ann", "ben"} {
		all.Go(func() {
			if o.Disable(t.Context(), "x", name) == nil {
				done.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 {
		t.Errorf("%d of two were disabled", done.Load())
	}
}

// TestList: and JSON has the names that the command line promises.
func TestList(t *testing.T) {
	o := open(t)
	_, err := o.Add(t.Context(), "root", "zoe", RoleViewer)
	o.must(err)
	o.hire("ann", RoleAdmin)
	all, err := o.List()
	if err != nil || len(all) != 2 || all[0].Name != "ann" || all[1].Name != "zoe" || !all[1].LastSeen.IsZero() {
		t.Fatalf("%+v, %v", all, err)
	}
	b, err := json.Marshal(all[1])
	o.must(err)
	var m map[string]any
	o.must(json.Unmarshal(b, &m))
	if m["name"] != "zoe" || m["role"] != "viewer" || m["disabled"] != false || m["created"] == nil || len(m) != 4 {
		t.Errorf("%s", b)
	}
}

// TestOneAnswerToAll: a wrong name, a disabled account, one without a password
// and a wrong password give the same error after the same work.
func TestOneAnswerToAll(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	o.hire("boss", RoleAdmin)
	o.hire("gone", RoleViewer)
	o.must(o.Disable(ctx, "boss", "gone"))
	_, err := o.Add(ctx, "boss", "new", RoleViewer)
	o.must(err)
	o.hire("reset", RoleViewer)
	_, err = o.Reset(ctx, "boss", "reset")
	o.must(err)
	_, err = o.signIn("boss", "wrong horse battery", away) // the journal is told at once, and then not for an hour
	before := len(o.log())
	for i, test := range []struct{ what, name, password string }{
		{"a wrong password", "boss", "wrong horse battery"},
		{"no password", "boss", ""},
		{"a password of odd characters", "boss", "\x00\xff"},
		{"a password without end", "boss", strings.Repeat("x", 1<<20)},
		{"a disabled account", "gone", right},
		{"an account without a password", "new", right},
		{"an empty password for it", "new", ""},
		{"a password that was reset", "reset", right},
		{"nobody", "eve", right},
		{"no name", "", right},
		{"a name without end", strings.Repeat("x", 1<<20), right},
	} {
		hashes := o.hashes.Load()
		token, got := o.signIn(test.name, test.password, fmt.Sprintf("203.0.113.%d", i))
		if token != "" || got == nil || got.Error() != err.Error() || !errors.Is(got, ErrSignIn) {
			t.Errorf("%s: %q, %v, want %v", test.what, token, got, err)
		}
		if n := o.hashes.Load() - hashes; n != 1 {
			t.Errorf("%s: %d hashes were made", test.what, n)
		}
	}
	if more := o.log()[before:]; len(more) > 0 {
		t.Errorf("the journal has %q", more)
	}
}

// TestRaisedCost: a hash with parameters of before is made anew when its owner
// signs in, and only then.
func TestRaisedCost(t *testing.T) {
	o := open(t)
	o.hire("ann", RoleViewer)
	stored := func() (hash string) {
		o.must(o.State.View(func(tx *state.Tx) error {
			a, err := tx.StaffAccount("ann")
			hash = a.Password
			return err
		}))
		return hash
	}
	was := stored()
	o.Staff = New(Config{State: o.State, Cost: Cost{Memory: 128, Time: 2, Threads: 1}})
	if _, err := o.signIn("ann", "wrong horse battery", home); !errors.Is(err, ErrSignIn) || stored() != was {
		t.Errorf("after a wrong password: %v, %s", err, stored())
	}
	o.in("ann", home)
	if now := stored(); !strings.HasPrefix(now, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("the hash is %s", now)
	}
	o.in("ann", home)
}

func TestOwnPassword(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	token, other := o.hire("ann", RoleViewer), o.in("ann", away)
	link, err := o.Link(ctx, "root", "ann")
	o.must(err)
	const better = "a better horse battery"
	if _, err := o.SetPassword(ctx, token, "wrong horse battery", better, home); !errors.Is(err, ErrSignIn) {
		t.Errorf("with a wrong old one: %v", err)
	}
	if _, err := o.SetPassword(ctx, token, "", better, home); !errors.Is(err, ErrSignIn) {
		t.Errorf("without the old one: %v", err)
	}
	if _, err := o.SetPassword(ctx, "nothing", right, better, home); !errors.Is(err, ErrSignedOut) {
		t.Errorf("by nobody: %v", err)
	}
	if _, err := o.SetPassword(ctx, token, right, "short", home); !errors.Is(err, PasswordShort) {
		t.Errorf("to a short one: %v", err)
	}
	fresh, err := o.SetPassword(ctx, token, right, better, home)
	o.must(err)
	o.out("after a new password", token)
	o.out("after a new password on another machine", other)
	if _, err := o.Begin(ctx, link, home); err != ErrLink {
		t.Errorf("a link of before the new password: %v", err)
	}
	if _, err := o.Session(ctx, fresh); err != nil {
		t.Error(err)
	}
	if _, err := o.signIn("ann", right, away); !errors.Is(err, ErrSignIn) {
		t.Errorf("with the old one: %v", err)
	}
	if _, err := o.signIn("ann", better, home); err != nil {
		t.Error(err)
	}
}

// TestGuessesAtTheOldPassword: a stolen session is no way around the throttle.
func TestGuessesAtTheOldPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		token := o.hire("ann", RoleViewer)
		for range 5 {
			if _, err := o.SetPassword(t.Context(), token, "a guess", "a better horse battery", home); !errors.Is(err, ErrSignIn) {
				t.Fatal(err)
			}
		}
		var wait *ThrottledError
		o.SetPassword(t.Context(), token, "a guess", "a better horse battery", home)
		if _, err := o.SetPassword(t.Context(), token, right, "a better horse battery", home); !errors.As(err, &wait) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(o *office, ctx context.Context) error{
		"disable": func(o *office, ctx context.Context) error { return o.Disable(ctx, "boss", "ann") },
		"role":    func(o *office, ctx context.Context) error { return o.SetRole(ctx, "boss", "ann", RoleApprover) },
		"reset":   func(o *office, ctx context.Context) error { _, err := o.Reset(ctx, "boss", "ann"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t)
			boss := o.hire("boss", RoleAdmin)
			one, two := o.hire("ann", RoleViewer), o.in("ann", away)
			o.must(end(o, t.Context()))
			o.out("then", one)
			o.out("then", two)
			if _, err := o.Session(t.Context(), boss); err != nil {
				t.Errorf("somebody else: %v", err)
			}
			if name == "disable" {
				o.must(o.Enable(t.Context(), "boss", "ann"))
				o.out("enabled again,", one)
				o.in("ann", home)
			}
		})
	}
}

func TestIdleAndLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		ctx := t.Context()
		token := o.hire("ann", RoleViewer)
		for range 4 { // Peek keeps nothing alive
			time.Sleep(7 * time.Minute)
			if _, err := o.Peek(token); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Minute)
		o.out("after 30 minutes", token)

		token = o.in("ann", home)
		began := time.Now()
		for time.Since(began) < lifetime-20*time.Minute {
			time.Sleep(20 * time.Minute)
			s, err := o.Session(ctx, token)
			if err != nil {
				t.Fatalf("after %v: %v", time.Since(began), err)
			}
			if want := min(time.Since(began)+30*time.Minute, lifetime); s.Ends.Sub(began) != want || !s.Started.Equal(began) {
				t.Fatalf("after %v it began at %v and ends at %v", time.Since(began), s.Started, s.Ends)
			}
		}
		time.Sleep(20 * time.Minute)
		o.out("after 12 hours", token)
		o.must(o.SignOut(ctx, token))
		if log := o.log(); strings.HasSuffix(log[len(log)-1], "signed out") {
			t.Error("the journal says that somebody signed out whose time was over")
		}
	})
}

// TestTouchedOnceAMinute counts what is written while somebody works.
func TestTouchedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		token := o.hire("ann", RoleViewer)
		for range 10 * 60 { // ten minutes, a call a second, and two at once
			time.Sleep(time.Second)
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					if _, err := o.Session(t.Context(), token); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		}
		if n := o.commits["staff seen"]; n != 10 {
			t.Errorf("1200 calls in ten minutes wrote %d times", n)
		}
		all, err := o.List()
		if err != nil || time.Since(all[0].LastSeen) >= time.Minute {
			t.Errorf("last seen %v ago, %v", time.Since(all[0].LastSeen), err)
		}
	})
}

// TestOldOnesAreTidied: what is over is removed, and an account has only so
// many sessions.
func TestOldOnesAreTidied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		ctx := t.Context()
		stored := func() (sessions, links int) {
			o.must(o.State.View(func(tx *state.Tx) error {
				s, err1 := tx.StaffSessions()
				l, err2 := tx.StaffLinks()
				sessions, links = len(s), len(l)
				return errors.Join(err1, err2)
			}))
			return sessions, links
		}
		first := o.hire("ann", RoleViewer)
		o.hire("bob", RoleViewer)
		_, err := o.Add(ctx, "root", "cid", RoleViewer)
		o.must(err)
		var tokens []string
		for range mostSessions {
			time.Sleep(time.Second)
			tokens = append(tokens, o.in("ann", home))
		}
		if s, l := stored(); s != mostSessions+1 || l != 1 {
			t.Errorf("%d sessions, %d links", s, l)
		}
		o.out("after ten more", first)
		if _, err := o.Session(ctx, tokens[0]); err != nil {
			t.Errorf("the oldest of ten: %v", err)
		}
		time.Sleep(25 * time.Hour)
		o.in("bob", home)
		if s, l := stored(); s != 1 || l != 0 {
			t.Errorf("a day later: %d sessions, %d links", s, l)
		}
	})
}

func TestLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		ctx := t.Context()
		o.hire("boss", RoleAdmin)
		void := func(what, link string) {
			t.Helper()
			if token, err := o.Begin(ctx, link, home); token != "" || err != ErrLink {
				t.Errorf("%s: %q, %v", what, token, err)
			}
		}
		void("no link", "")
		void("one that never was", "AAAAAAAAAAAAAAAAAAAAAAAAAA")
		first, err := o.Add(ctx, "boss", "ann", RoleHandler)
		o.must(err)
		if len(first) < 26 { // of 32 letters: 130 bits
			t.Errorf("a short link: %q", first)
		}
		second, err := o.Reset(ctx, "boss", "ann")
		o.must(err)
		void("one after another was made", first)
		time.Sleep(LinkLife)
		void("a day later", second)
		third, err := o.Reset(ctx, "boss", "ann")
		o.must(err)
		o.must(o.Disable(ctx, "boss", "ann"))
		o.must(o.Enable(ctx, "boss", "ann"))
		void("one of before a disable", third)

		time.Sleep(time.Hour)
		straight, err := o.Link(ctx, "root", "ann")
		o.must(err)
		time.Sleep(LinkLife - time.Second)
		token, err := o.Begin(ctx, straight, home)
		o.must(err)
		s, err := o.Session(ctx, token)
		if err != nil || s.MustChoose || !s.May(RightAct) {
			t.Errorf("a link that asks for no password: %+v, %v", s, err)
		}
		void("one that was used", straight)
		if _, err := o.signIn("ann", "", home); !errors.Is(err, ErrSignIn) {
			t.Errorf("ann has no password: %v", err)
		}
	})
}

// TestLinkUsedTwiceAtOnce: one of two gets in.
func TestLinkUsedTwiceAtOnce(t *testing.T) {
	o := open(t)
	for i := range 10 {
		link, err := o.Add(t.Context(), "root", fmt.Sprintf("a%d", i), RoleViewer)
		o.must(err)
		var all sync.WaitGroup
		var in atomic.Int32
		for range 4 {
			all.Go(func() {
				switch _, err := o.Begin(t.Context(), link, home); {
				case err == nil:
					in.Add(1)
				case err != ErrLink:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 {
			t.Errorf("one link let %d in", in.Load())
		}
	}
}

// TestResetWhileSigningIn: what was proved with the old password is worth
// nothing after it was taken away.
func TestResetWhileSigningIn(t *testing.T) {
	for name, change := range map[string]func(*office) error{
		"reset":   func(o *office) error { _, err := o.Reset(o.Context(), "root", "ann"); return err },
		"disable": func(o *office) error { return o.Disable(o.Context(), "root", "ann") },
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t)
			o.hire("ann", RoleViewer)
			stretch := o.Staff.hashes.stretch
			o.Staff.hashes.stretch = func(password, salt []byte, time, memory uint32, threads uint8, n uint32) []byte {
				o.must(change(o))
				return stretch(password, salt, time, memory, threads, n)
			}
			if token, err := o.signIn("ann", right, home); token != "" || !errors.Is(err, ErrSignIn) {
				t.Errorf("%q, %v", token, err)
			}
		})
	}
}
