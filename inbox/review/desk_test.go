package review

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// people is a user store of one person.
type people map[string]users.Person

func (p people) Find(_ context.Context, addr string) ([]users.Person, error) {
	if x, ok := p[addr]; ok {
		return []users.Person{x}, nil
	}
	return nil, nil
}

const ann, elsewhere = "ann@users.test", "ann.lee@elsewhere.test"

// newDesk gives a desk over a new state, in a mode.
func newDesk(t testing.TB, mode policy.Mode) *Desk {
	t.Helper()
	db, err := state.Open(state.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	fields := datamap.Embedded()
	letters, err := templates.Load(nil, []string{"en", "ru", "kk"}, fields.ColumnLabel)
	if err != nil {
		t.Fatal(err)
	}
	clock, err := deadline.Profile("kz", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	rules := policy.Rules{Mode: mode, ConfirmTTL: 7 * 24 * time.Hour, Of: map[policy.Subject]policy.Rule{}, Limits: policy.Limits{Unproven: 99, Proven: 99, Week: 99, Thread: 99, EffectsPerHour: 99}}
	keeper := cases.New(cases.Config{Rules: rules, Letters: letters, Clock: clock, Map: fields, Site: templates.Site{Name: "Site"},
		Mailboxes: []cases.Mailbox{{Name: "support", Address: "support@site.test"}}})
	return New(Config{State: db, Cases: keeper, Region: "KZ", People: people{ann: {ID: "17", Active: true, Fields: map[inbox.Field]string{
		inbox.FieldEmail: ann, inbox.FieldPhone: "+77010000001", inbox.FieldFullName: "Ann Lee"}}}})
}

func (d *Desk) update(t *testing.T, f func(tx *state.Tx) error) {
	t.Helper()
	if err := d.State.Update(t.Context(), "test", f); err != nil {
		t.Fatal(err)
	}
}

// mail stores a Mail of ann's.
func mail(t *testing.T, tx *state.Tx, text string) *inbox.Mail {
	t.Helper()
	id, err := tx.NewMailID()
	if err != nil {
		t.Fatal(err)
	}
	m := &inbox.Mail{ID: id, Ref: inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(id)}, Received: tx.Now, State: inbox.MailActed, Language: "en",
		Evidence: inbox.LevelAligned, Detail: &inbox.MailDetail{From: inbox.Address{Name: "Ann Lee", Addr: ann}, Subject: "hello", Text: text}}
	if err := errors.Join(tx.PutMail(m), tx.Tie(state.TieAddress, ann, id)); err != nil {
		t.Fatal(err)
	}
	return m
}

// action stores an Action in a state.
func action(t *testing.T, tx *state.Tx, m *inbox.Mail, r inbox.Request, s inbox.State) *inbox.Action {
	t.Helper()
	a := &inbox.Action{Case: m.ID, Kind: r.Kind, Scope: r.Scope, Topic: r.Topic, Mailbox: "support", Language: "en", Received: m.Received, Due: m.Received.Add(24 * time.Hour),
		Evidence: m.Evidence, Certain: true, Detail: &inbox.ActionDetail{Person: "17", Address: ann, Request: r}}
	if err := tx.NewAction(a, inbox.EventReview, cases.Program); err != nil {
		t.Fatal(err)
	}
	m.Actions = append(m.Actions, a.ID)
	if a.State = s; s == inbox.StateHeld {
		a.HeldFrom, a.HeldAt = inbox.StateReview, tx.Now
	}
	if s.Ended() {
		a.Ended = tx.Now
	}
	if err := errors.Join(tx.PutAction(a), tx.PutMail(m)); err != nil {
		t.Fatal(err)
	}
	return a
}

var (
	change  = inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpSet, Value: "+77015550000"}}}
	account = inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
)

// requests is one of each sort.
func requests() []inbox.Request {
	return []inbox.Request{change, account, {Kind: inbox.KindCopy}, {Kind: inbox.KindQuestion}, {Kind: inbox.KindWithdraw},
		{Kind: inbox.KindDeactivate}, {Kind: inbox.KindQuestion, Topic: inbox.TopicTell}}
}

// TestPossible holds what staff are offered against what is then done: in every
// state, of every kind and proof, in every mode, also of what may have been
// carried out, and of what was forgotten.
func TestPossible(t *testing.T) {
	for _, mode := range []policy.Mode{policy.Auto, policy.Observe} {
		d := newDesk(t, mode)
		for _, s := range inbox.States() {
			d.update(t, func(tx *state.Tx) error {
				for _, r := range requests() {
					for n := range 8 {
						m := mail(t, tx, "text")
						if n&1 != 0 {
							m.Evidence = inbox.LevelNone
						}
						a := action(t, tx, m, r, s)
						if n&2 != 0 {
							a.Begun = "key"
						}
						if n&4 != 0 {
							a.Detail.Address = ""
						}
						if s == inbox.StateDone && r.Kind == inbox.KindChange {
							a.Detail.Plan = inbox.Plan{Steps: []inbox.Step{{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepSet, Old: "+77010000009", New: "+77010000001"}}}
						}
						if err := tx.PutAction(a); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		n := d.compare(t)
		t.Logf("mode %s: %d acts, %d of them possible", mode, n[0]+n[1], n[1])
		if n[1] < 100 || n[0] < 100 {
			t.Errorf("of the acts %d are possible and %d not: the test shows nothing", n[1], n[0])
		}
	}
}

// compare tries every act on every Action, and counts those that are not
// possible, and those that are.
func (d *Desk) compare(t *testing.T) (n [2]int) {
	t.Helper()
	var all []*inbox.Action
	err := d.State.View(func(tx *state.Tx) error {
		return tx.ActionsIn("", func(a *inbox.Action) bool { all = append(all, a); return true })
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		for _, v := range cases.Verbs() {
			act := Act{Verb: v, Action: a.ID, Text: "text", Reason: "reason", To: "dana", Until: time.Now().Add(time.Hour), Correction: Correction{Kind: "copy"}}
			r, err := d.ready(t.Context(), act)
			if err != nil {
				t.Fatal(err)
			}
			err = d.State.Try(func(tx *state.Tx) error {
				offered := d.Cases.Possible(tx, a, v)
				_, done := r.run(tx, "tester")
				if (offered == nil) != (done == nil) {
					t.Errorf("%s of %s %s (%s, begun %q, to %q): offered %v, done %v", v, a.State, a.Kind, a.Evidence, a.Begun, a.Detail.Address, offered, done)
				}
				if offered == nil {
					n[1]++
				} else {
					n[0]++
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

// TestFinal is the table of what cannot be taken back, and so takes the number
// of the case.
func TestFinal(t *testing.T) {
	d := newDesk(t, policy.Auto)
	email := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "new@users.test"}}}
	fields := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldPhone}}
	for _, c := range []struct {
		name  string
		r     inbox.Request
		s     inbox.State
		final string // verbs
	}{
		{"change", change, inbox.StateReview, "approve-without-proof refuse close"},
		{"change of address", email, inbox.StateReview, "approve approve-without-proof refuse retry close"},
		{"account", account, inbox.StateReview, "approve approve-without-proof refuse retry close"},
		{"account, held while scheduled", account, inbox.StateHeld, "approve approve-without-proof release refuse retry close"},
		{"fields", fields, inbox.StateReview, "approve approve-without-proof refuse retry close"},
		{"copy", inbox.Request{Kind: inbox.KindCopy}, inbox.StateReview, "approve approve-without-proof refuse retry close"},
		{"describe", inbox.Request{Kind: inbox.KindDescribe}, inbox.StateReview, "approve-without-proof refuse close"},
		{"deactivate", inbox.Request{Kind: inbox.KindDeactivate}, inbox.StateReview, "approve-without-proof refuse close"},
		{"question", inbox.Request{Kind: inbox.KindQuestion}, inbox.StateReview, "approve-without-proof refuse"},
	} {
		var a *inbox.Action
		d.update(t, func(tx *state.Tx) error {
			a = action(t, tx, mail(t, tx, ""), c.r, c.s)
			if a.Mailto = c.name == "change of address"; c.s == inbox.StateHeld {
				a.HeldFrom = inbox.StateScheduled
			}
			return tx.PutAction(a)
		})
		var final []string
		for _, v := range cases.Verbs() {
			if cases.Final(a, v) != "" {
				final = append(final, string(v))
			}
			for typed, ok := range map[string]bool{"": false, "M-000999": false, a.ID.String(): false, a.Case.String(): true, " " + strings.ToLower(a.Case.String()) + " ": true} {
				err := d.confirmed(Act{Verb: v, Action: a.ID, Confirm: typed})
				if want := !ok && cases.Final(a, v) != ""; errors.Is(err, ErrConfirm) != want {
					t.Errorf("%s of %s with %q typed: %v", v, c.name, typed, err)
				}
			}
		}
		if got := strings.Join(final, " "); got != c.final {
			t.Errorf("%s: %q cannot be taken back, want %q", c.name, got, c.final)
		}
	}
}

// TestSound: what staff forget to say with an act.
func TestSound(t *testing.T) {
	d := newDesk(t, policy.Auto)
	d.Knows = func(_ context.Context, name string) bool { return name == "dana" }
	until := time.Now().Add(time.Hour)
	for want, act := range map[string]Act{
		"a refusal needs a reason":          {Verb: cases.Refuse, Reason: " \n"},
		"closing needs a reason":            {Verb: cases.Close},
		"needs a reason, for the journal":   {Verb: cases.ApproveWithoutProof},
		"there is no text to send":          {Verb: cases.Answer, Text: "\t"},
		"needs a reason, for whoever looks": {Verb: cases.Hold, Until: until},
		"is no name of somebody":            {Verb: cases.HandOver, To: "dana\nbob"},
		"nobody of the staff has the name":  {Verb: cases.HandOver, To: "bob"},
		"is longer than":                    {Verb: cases.Ask, Text: strings.Repeat("x", longest+1)},
	} {
		if err := d.sound(t.Context(), act); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", act.Verb, err, want)
		}
	}
	for _, act := range []Act{{Verb: cases.HandOver, To: "dana"}, {Verb: cases.HandOver}, {Verb: cases.Hold}, {Verb: cases.Hold, Until: until, Reason: "x"}} {
		if err := d.sound(t.Context(), act); err != nil {
			t.Errorf("%+v: %v", act, err)
		}
	}
}

// TestEnter: the gate lets in whoever has the right and writes that down, and
// writes down whom it kept out; nothing that was typed gets into the journal.
func TestEnter(t *testing.T) {
	d := newDesk(t, policy.Auto)
	var m *inbox.Mail
	d.update(t, func(tx *state.Tx) error { m = mail(t, tx, ""); action(t, tx, m, change, inbox.StateReview); return nil })
	enter := func(role, need, what string, want error, ids ...fmt.Stringer) {
		t.Helper()
		err := d.Enter(t.Context(), Actor{Name: "dana", Role: staff.Role(role)}, staff.Right(need), what, ids...)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s who needs %q for %q: %v, want %v", role, need, what, err, want)
		}
	}
	before := journalOf(t, d)
	enter("viewer", "see", "open case", nil, m.ID)
	enter("viewer", "act", "approve", ErrDenied, inbox.ActionID(1))
	enter("", "see", "open case", ErrDenied, m.ID)
	enter("owner", "see", "open queue", ErrDenied)
	enter("admin", "see", "open case", nil, inbox.MailID(4711))
	got := journalOf(t, d)[len(before):]
	want := []string{"open case dana M-000001 A-000000", "denied approve dana M-000000 A-000001", "denied open case dana M-000001 A-000000",
		"denied open queue dana M-000000 A-000000", "open case dana M-000000 A-000000"}
	if !slices.Equal(got, want) {
		t.Errorf("the journal has\n%q\nwant\n%q", got, want)
	}
	for _, typed := range []string{"search ann@users.test", "Open", "", "open\ncase", strings.Repeat("a", 60)} {
		if err := d.Enter(t.Context(), Actor{Name: "dana", Role: "admin"}, "see", typed); err == nil {
			t.Errorf("%q got into the journal", typed)
		}
	}
	if err := d.Allowed(Actor{Name: "", Role: "admin"}, "see"); !errors.Is(err, ErrDenied) {
		t.Errorf("nobody is let in: %v", err)
	}
	if n := len(journalOf(t, d)); n != len(before)+len(want) {
		t.Errorf("the journal has %d entries", n)
	}
	_, err := d.Do(t.Context(), Actor{Name: "dana", Role: "viewer"}, Act{Verb: cases.Hold, Action: 1})
	if !errors.Is(err, ErrDenied) {
		t.Errorf("a viewer may hold: %v", err)
	}
	_, err = d.Do(t.Context(), Actor{Name: "dana", Role: "handler"}, Act{Verb: cases.ApproveWithoutProof, Action: 1, Reason: "x", Confirm: "M-1"})
	if !errors.Is(err, ErrDenied) {
		t.Errorf("a handler may approve without proof: %v", err)
	}
	if done, err := d.Do(t.Context(), Actor{Name: "dana", Role: "approver"}, Act{Verb: cases.ApproveWithoutProof, Action: 1, Reason: "x", Confirm: "M-1"}); err != nil || done.State != inbox.StateScheduled {
		t.Errorf("an approver may not: %+v, %v", done, err)
	}
}

// TestProtectedPeopleAreForApprovers: what lets a request about somebody who is
// protected go on, or cannot be taken back, is refused to handlers and not
// offered to them, however it came to staff; the rest is not.
func TestProtectedPeopleAreForApprovers(t *testing.T) {
	d := newDesk(t, policy.Auto)
	d.update(t, func(tx *state.Tx) error {
		m := mail(t, tx, "")
		for range 2 {
			action(t, tx, m, account, inbox.StateReview)
		}
		a, err := tx.Action(1)
		if err != nil {
			return err
		}
		a.Protected = true // as it was found at first; of the other only the user store knows
		return tx.PutAction(a)
	})
	d.Cases.Guards.Protected = []string{"17"}
	handler, approver := Actor{Name: "hal", Role: staff.RoleHandler}, Actor{Name: "dana", Role: staff.RoleApprover}
	forApprovers := []cases.Verb{cases.Approve, cases.ApproveWithoutProof, cases.Correct, cases.Refuse, cases.Close}
	v, err := d.Case(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range v.Actions[0].Acts {
		if want := act.Verb == cases.Retry || slices.Contains(forApprovers, act.Verb); (act.Needs == staff.RightApprove) != want {
			t.Errorf("%s needs %s", act.Verb, act.Needs)
		}
	}
	for _, id := range []inbox.ActionID{1, 2} {
		for _, verb := range forApprovers {
			act := Act{Verb: verb, Action: id, Reason: "x", Confirm: "M-1", Correction: Correction{Kind: "copy"}}
			if _, err := d.Do(t.Context(), handler, act); !errors.Is(err, ErrDenied) {
				t.Errorf("a handler may %s %s: %v", verb, id, err)
			}
			if _, err := d.Preview(t.Context(), handler, act); !errors.Is(err, ErrDenied) {
				t.Errorf("a handler may preview %s of %s: %v", verb, id, err)
			}
		}
		if _, err := d.Do(t.Context(), handler, Act{Verb: cases.Hold, Action: id}); err != nil {
			t.Errorf("a handler may not hold %s: %v", id, err)
		}
		if _, err := d.Do(t.Context(), handler, Act{Verb: cases.Release, Action: id}); err != nil {
			t.Errorf("a handler may not release %s: %v", id, err)
		}
		if _, err := d.Do(t.Context(), approver, Act{Verb: cases.Approve, Action: id, Confirm: "M-1"}); err != nil {
			t.Errorf("an approver may not approve %s: %v", id, err)
		}
	}
	if got := journalOf(t, d); !slices.Contains(got, "denied approve hal M-000000 A-000002") {
		t.Errorf("the journal has %q", got)
	}
}

// journalOf gives the journal as "what who case action".
func journalOf(t *testing.T, d *Desk) (out []string) {
	t.Helper()
	page, err := d.Log(LogFilter{Oldest: true}, "", maxPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Entries {
		out = append(out, fmt.Sprint(e.What, " ", e.Who, " ", e.Case, " ", e.Action))
	}
	return out
}
