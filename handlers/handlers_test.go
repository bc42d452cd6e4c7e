package handlers

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// house is a store with two people in it, and Handlers for it.
type house struct {
	*Handlers
	t     *testing.T
	store *boltusers.Store
	sent  [][]byte // what the last job attached
}

func open(t *testing.T) *house {
	t.Helper()
	s, err := boltusers.Open(filepath.Join(t.TempDir(), "users.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, p := range []boltusers.Import{
		{ID: "17", Fields: map[inbox.Field]string{inbox.FieldEmail: "anna@users.test", inbox.FieldFullName: "Anna Petrova",
			inbox.FieldPhone: "+77010000001", inbox.FieldAbout: "Beekeeper.\nSee https://bees.test <script>alert(1)</script>"},
			Events: []boltusers.Event{{At: at, IP: "192.0.2.7", Agent: "Firefox", Page: "/shop?a=1&b=2"}, {At: at, IP: "192.0.2.8", Cookie: `=cmd|' /C calc'!A0`}}},
		{ID: "18", Fields: map[inbox.Field]string{inbox.FieldEmail: "boris@users.test", inbox.FieldPhone: "+77010000002"},
			Events: []boltusers.Event{{At: at, IP: "192.0.2.9"}}},
	} {
		if err := s.Put(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	return &house{Handlers: New(s, datamap.Embedded(), Copies{Site: "Push.Guru"}, nil), t: t, store: s}
}

// job plans the request from Anna's present record, as if she confirmed it now.
func (h *house) job(key string, r inbox.Request, undo bool) inbox.Job {
	h.t.Helper()
	plan, err := h.Plan(h.t.Context(), h.get("17"), r, undo)
	if err != nil {
		h.t.Fatal(err)
	}
	return inbox.Job{EffectKey: key, Kind: r.Kind, Scope: r.Scope, Undo: undo, Person: "17", Address: h.get("17").Address(), Request: r,
		Digest: plan.Digest("17", r.Kind), Language: "en",
		Attach: func(b []byte) error { h.sent = append(h.sent, b); return nil }}
}

func (h *house) get(id string) users.Person {
	h.t.Helper()
	p, err := h.store.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) perform(job inbox.Job) inbox.Outcome {
	h.t.Helper()
	h.sent = nil
	out, err := h.Perform(h.t.Context(), job)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func setPhone(v string) inbox.Request {
	return inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpSet, Value: v}}}
}

var deleteAccount = inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}

// TestEffects performs each kind that acts, twice: the second time, as after a
// crash between the store's commit and ours, nothing is done. Whoever only asks
// gets the same answer, and has nothing done.
func TestEffects(t *testing.T) {
	gone := func(h *house) bool {
		_, err := h.store.Get(h.t.Context(), "17")
		return errors.Is(err, users.ErrNotFound)
	}
	for _, c := range []struct {
		name string
		r    inbox.Request
		undo bool
		done func(h *house) bool
		op   inbox.StepOp
	}{
		{"change", setPhone("+77019999999"), false, func(h *house) bool { return h.get("17").Fields[inbox.FieldPhone] == "+77019999999" }, inbox.StepSet},
		{"add", inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpAdd, Value: "2"}}}, false,
			func(h *house) bool { return h.get("17").Fields[inbox.FieldPhone] == "+77010000001, 2" }, inbox.StepAdd},
		{"change of address", inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "new@users.test"}}}, false,
			func(h *house) bool {
				found, err := h.Find(h.t.Context(), "new@users.test")
				return err == nil && len(found) == 1 && found[0].ID == "17"
			}, inbox.StepSet},
		{"delete fields", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldAbout}}, false,
			func(h *house) bool { return h.get("17").Fields[inbox.FieldAbout] == "" }, inbox.StepClear},
		{"delete account", deleteAccount, false, gone, inbox.StepRemove},
		{"deactivate", inbox.Request{Kind: inbox.KindDeactivate}, false, func(h *house) bool { return !h.get("17").Active }, inbox.StepDeactivate},
		{"withdraw", inbox.Request{Kind: inbox.KindWithdraw}, false, func(h *house) bool { return !h.get("17").Withdrawn.IsZero() }, inbox.StepWithdraw},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			job := h.job("k-1", c.r, c.undo)
			ask := job
			ask.Ask = true
			if _, err := h.Perform(t.Context(), ask); !errors.Is(err, inbox.ErrNotDone) || inbox.InDoubt(err) {
				t.Errorf("asked before it began: %v, want ErrNotDone", err)
			}
			if c.done(h) {
				t.Fatal("it is done before it began")
			}
			for run, job := range []inbox.Job{job, job, ask} {
				out := h.perform(job)
				if len(out.Plan.Steps) == 0 || out.Plan.Steps[0].Op != c.op || len(h.sent)+len(out.Holdings) != 0 {
					t.Errorf("run %d: outcome %+v", run, out)
				}
				if !c.done(h) {
					t.Errorf("run %d: it is not done", run)
				}
			}
			if other := h.get("18"); other.Fields[inbox.FieldPhone] != "+77010000002" || !other.Active {
				t.Error("somebody else was touched")
			}
		})
	}
}

// TestAskAboutWhatOnlyReads: a copy and a describe leave no trace.
func TestAskAboutWhatOnlyReads(t *testing.T) {
	h := open(t)
	for _, k := range []inbox.Kind{inbox.KindCopy, inbox.KindDescribe} {
		job := h.job("k-1", inbox.Request{Kind: k}, false)
		h.perform(job)
		job.Ask = true
		if _, err := h.Perform(t.Context(), job); !errors.Is(err, inbox.ErrNotDone) {
			t.Errorf("%s: %v, want ErrNotDone", k, err)
		}
	}
}

func TestUndo(t *testing.T) {
	h := open(t)
	h.perform(h.job("k-1", inbox.Request{Kind: inbox.KindDeactivate}, false))
	// The undo is asked as a question, and runs as a deactivate.
	r := inbox.Request{Kind: inbox.KindQuestion, Topic: inbox.TopicReactivate}
	job := h.job("k-2", inbox.Request{Kind: inbox.KindDeactivate}, true)
	job.Request = r
	h.perform(job)
	h.perform(job)
	if !h.get("17").Active {
		t.Error("the account is not active after the undo")
	}
}

func TestReceipt(t *testing.T) {
	h := open(t)
	job := h.job("k-1", setPhone("+77019999999"), false)
	step := h.perform(job).Plan.Steps[0]
	if step.Old != "+77010000001" || step.New != "+77019999999" {
		t.Errorf("the receipt says %+v", step)
	}
	step = h.perform(job).Plan.Steps[0]
	if step.Old != "" || step.New != "" || step.Field != inbox.FieldPhone {
		t.Errorf("the receipt of the repeat says %+v", step)
	}
}

// TestDeleteLeavesNothing reads every place again.
func TestDeleteLeavesNothing(t *testing.T) {
	h := open(t)
	h.perform(h.job("k-1", deleteAccount, false))
	for r, err := range h.store.Records(t.Context(), users.Person{ID: "17"}) {
		if !errors.Is(err, users.ErrNotFound) {
			t.Errorf("left: %v, %v", r, err)
		}
	}
	n := 0
	for _, err := range h.store.Records(t.Context(), users.Person{ID: "18"}) {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if n != 2 {
		t.Errorf("somebody else has %d records, want 2", n)
	}
}

func TestStale(t *testing.T) {
	h := open(t)
	job := h.job("k-1", setPhone("+77019999999"), false)
	h.perform(h.job("k-2", setPhone("+77018888888"), false))
	_, err := h.Perform(t.Context(), job)
	stale, ok := errors.AsType[*inbox.StaleError](err)
	if !ok || inbox.IsTemporary(err) {
		t.Fatalf("Perform: %v, want a permanent *inbox.StaleError", err)
	}
	if s := stale.Plan.Steps; len(s) != 1 || s[0].Old != "+77018888888" || s[0].New != "+77019999999" {
		t.Errorf("the new plan is %+v", s)
	}
	if got := h.get("17").Fields[inbox.FieldPhone]; got != "+77018888888" {
		t.Errorf("the phone is %s after a stale job", got)
	}
	// Confirmed anew, it runs.
	job.Digest = stale.Plan.Digest("17", job.Kind)
	h.perform(job)
	if got := h.get("17").Fields[inbox.FieldPhone]; got != "+77019999999" {
		t.Errorf("the phone is %s", got)
	}
}

func TestUnconfirmedNeverRuns(t *testing.T) {
	for _, r := range []inbox.Request{setPhone("1"), deleteAccount, {Kind: inbox.KindCopy}, {Kind: inbox.KindDescribe}, {Kind: inbox.KindWithdraw}} {
		h := open(t)
		job := h.job("k-1", r, false)
		job.Digest = ""
		if _, err := h.Perform(t.Context(), job); !isStale(err) {
			t.Errorf("%s without a digest: %v, want an *inbox.StaleError", r.Kind, err)
		}
		job = h.job("k-1", r, false)
		job.Person, job.Address = "18", h.get("18").Address() // confirmed by Anna, aimed at Boris
		if _, err := h.Perform(t.Context(), job); !isStale(err) {
			t.Errorf("%s with another's digest: %v, want an *inbox.StaleError", r.Kind, err)
		}
		job = h.job("k-1", r, false)
		job.Address = "anna@elsewhere.test" // it was on record when she confirmed, and is not any more
		if _, err := h.Perform(t.Context(), job); !isMoved(err) {
			t.Errorf("%s confirmed by an address that is not on record: %v, want an *inbox.MovedError", r.Kind, err)
		}
		if h.get("18").Fields[inbox.FieldPhone] != "+77010000002" {
			t.Error("somebody else was touched")
		}
	}
}

func TestMismatch(t *testing.T) {
	h := open(t)
	h.perform(h.job("k-1", setPhone("+77019999999"), false))
	_, err := h.Perform(t.Context(), h.job("k-1", deleteAccount, false))
	if _, ok := errors.AsType[*users.MismatchError](err); !ok || inbox.IsTemporary(err) || !inbox.InDoubt(err) {
		t.Errorf("Perform: %v, want a permanent *MismatchError, and a doubt", err)
	}
	h.get("17")
}

func TestRefused(t *testing.T) {
	h := open(t)
	email := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "boris@users.test"}}}
	_, err := h.Perform(t.Context(), h.job("k-1", email, false))
	if r, ok := errors.AsType[*datamap.RefusedError](err); !ok || r.Reason != datamap.ReasonTaken || r.Field != inbox.FieldEmail || inbox.InDoubt(err) {
		t.Errorf("an address of somebody else: %v, want taken", err)
	}
	job := h.job("k-2", setPhone("+77019999999"), false)
	h.perform(h.job("k-3", setPhone("+77019999999"), false))
	_, err = h.Perform(t.Context(), job)
	if r, ok := errors.AsType[*datamap.RefusedError](err); !ok || r.Reason != datamap.ReasonSame {
		t.Errorf("what is so already: %v, want same", err)
	}
}

func TestPersonGone(t *testing.T) {
	h := open(t)
	change, describe := h.job("k-1", setPhone("1"), false), h.job("k-2", inbox.Request{Kind: inbox.KindDescribe}, false)
	h.perform(h.job("k-3", deleteAccount, false))
	for _, job := range []inbox.Job{change, describe} {
		if _, err := h.Perform(t.Context(), job); !errors.Is(err, users.ErrNotFound) || inbox.InDoubt(err) {
			t.Errorf("%s: %v, want a permanent ErrNotFound", job.Kind, err)
		}
	}
}

func TestQuestionIsForPeople(t *testing.T) {
	h := open(t)
	if _, err := h.Perform(t.Context(), inbox.Job{EffectKey: "k-1", Kind: inbox.KindQuestion, Person: "17"}); err == nil || inbox.IsTemporary(err) {
		t.Errorf("Perform: %v, want a permanent error", err)
	}
}

// scripted is a store that fails as told.
type scripted struct {
	users.Store
	apply   []error             // of each call before the real one
	before  func()              // runs once, before Apply
	after   error               // Apply acts, and its answer is lost
	records []users.Record      // put after the real ones
	get     func(*users.Person) // changes what Get gives
	left    []inbox.Step        // what Left gives, besides
}

func (s *scripted) Left(ctx context.Context, p users.Person, plan inbox.Plan) ([]inbox.Step, error) {
	left, err := s.Store.Left(ctx, p, plan)
	return append(left, s.left...), err
}

func (s *scripted) Apply(ctx context.Context, e users.Effect) (users.Applied, error) {
	if len(s.apply) > 0 {
		err := s.apply[0]
		s.apply = s.apply[1:]
		return users.Applied{}, err
	}
	if s.before != nil {
		s.before()
		s.before = nil
	}
	a, err := s.Store.Apply(ctx, e)
	if lost := s.after; err == nil && lost != nil {
		s.after = nil
		return users.Applied{}, lost
	}
	return a, err
}

func (s *scripted) Get(ctx context.Context, id string) (users.Person, error) {
	p, err := s.Store.Get(ctx, id)
	if s.get != nil {
		s.get(&p)
	}
	return p, err
}

func (s *scripted) Records(ctx context.Context, p users.Person) iter.Seq2[users.Record, error] {
	if len(s.records) == 0 {
		return s.Store.Records(ctx, p)
	}
	return func(yield func(users.Record, error) bool) {
		for _, r := range s.records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (h *house) script() *scripted {
	s := &scripted{Store: h.store}
	h.Handlers = New(s, datamap.Embedded(), Copies{Site: "Push.Guru"}, nil)
	return s
}

// TestLostAnswer: the store committed, and the answer did not arrive.
func TestLostAnswer(t *testing.T) {
	h := open(t)
	s := h.script()
	add := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpAdd, Value: "2"}}}
	for key, r := range map[string]inbox.Request{"k-1": add, "k-2": {Kind: inbox.KindWithdraw}} {
		job := h.job(key, r, false)
		s.after = inbox.Temporary(syscall.ECONNRESET)
		if _, err := h.Perform(t.Context(), job); !inbox.IsTemporary(err) {
			t.Fatalf("%s: %v, want a temporary error", r.Kind, err)
		}
		h.perform(job)
	}
	if got := h.get("17").Fields[inbox.FieldPhone]; got != "+77010000001, 2" {
		t.Errorf("the phone is %q", got)
	}
}

func TestTemporary(t *testing.T) {
	h := open(t)
	s := h.script()
	s.apply = []error{inbox.Temporary(syscall.EIO)}
	job := h.job("k-1", setPhone("1"), false)
	if _, err := h.Perform(t.Context(), job); !inbox.IsTemporary(err) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("Perform: %v, want the store's temporary error", err)
	}
	h.perform(job)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range []inbox.Request{setPhone("2"), deleteAccount, {Kind: inbox.KindCopy}, {Kind: inbox.KindDescribe}} {
		if _, err := h.Perform(ctx, h.job("k-2", r, false)); !inbox.IsTemporary(err) {
			t.Errorf("%s with an ended context: %v, want a temporary error", r.Kind, err)
		}
	}
	if _, err := h.Find(ctx, "anna@users.test"); !inbox.IsTemporary(err) {
		t.Errorf("Find: %v, want a temporary error", err)
	}
	if _, err := h.Plan(ctx, h.get("17"), setPhone("2"), false); !inbox.IsTemporary(err) {
		t.Errorf("Plan: %v, want a temporary error", err)
	}
}

// TestOvertaken: the record changes between the plan and the transaction.
func TestOvertaken(t *testing.T) {
	h := open(t)
	s := h.script()
	job := h.job("k-1", setPhone("+77019999999"), false)
	s.before = func() {
		if err := h.store.Put(t.Context(), boltusers.Import{ID: "17", Fields: map[inbox.Field]string{inbox.FieldPhone: "3"}}); err != nil {
			t.Error(err)
		}
	}
	_, err := h.Perform(t.Context(), job)
	if stale, ok := errors.AsType[*inbox.StaleError](err); !ok || stale.Plan.Steps[0].Old != "3" {
		t.Errorf("Perform: %v, want an *inbox.StaleError with the present value", err)
	}
	// It changed, and changed back: to be tried again.
	s.apply = []error{users.ErrChanged}
	job = h.job("k-1", setPhone("+77019999999"), false)
	if _, err := h.Perform(t.Context(), job); !inbox.IsTemporary(err) {
		t.Errorf("Perform: %v, want a temporary error", err)
	}
	h.perform(job)
}

// TestErasureIsVerified: what is still there makes a delete a failure, also
// when the store says that it had been done.
func TestErasureIsVerified(t *testing.T) {
	h := open(t)
	s := h.script()
	fields := h.job("k-1", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldAbout}}, false)
	account := h.job("k-2", deleteAccount, false)
	h.perform(fields)
	s.left = []inbox.Step{{Place: datamap.PlaceProfile, Field: inbox.FieldAbout, Op: inbox.StepClear, Old: "secret"}}
	if _, err := h.Perform(t.Context(), fields); err == nil || inbox.IsTemporary(err) || !inbox.InDoubt(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a field that still holds a value: %v", err)
	}
	s.left = []inbox.Step{{Place: datamap.PlaceVisits, Op: inbox.StepRemove}}
	if _, err := h.Perform(t.Context(), account); err == nil || inbox.IsTemporary(err) || !inbox.InDoubt(err) {
		t.Errorf("a place that still holds a record: %v", err)
	}
	s.left = nil
	h.perform(account)
	h.perform(fields) // an account that is gone has no fields
}

func TestDescribe(t *testing.T) {
	h := open(t)
	job := h.job("k-1", inbox.Request{Kind: inbox.KindDescribe}, false)
	job.Language = "ru"
	job.Past = []inbox.PastCase{{Case: 3}}
	out := h.perform(job)
	var got []string
	for _, x := range out.Holdings {
		got = append(got, x.Label+": "+strings.Join(x.Fields, ", "))
		if x.Purpose == "" || x.Retention == "" || x.Recipients == "" {
			t.Errorf("%s is described without purpose, retention or recipients", x.Place)
		}
	}
	want := []string{"Профиль: Номер аккаунта, Аккаунт активен, Полное имя, Электронная почта, Телефон, О себе",
		"Посещения сайта: Время, IP-адрес, Браузер, Страница, Файл cookie", "Письма в поддержку: "}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if out.Holdings[1].Count != 2 || out.Holdings[2].Count != 1 {
		t.Errorf("%d visits, %d letters; want 2 and 1", out.Holdings[1].Count, out.Holdings[2].Count)
	}
	for _, x := range out.Holdings {
		for _, f := range x.Fields {
			if strings.Contains(f, "Anna") || strings.Contains(f, "192.0.2") {
				t.Errorf("a description with the values in it: %q", f)
			}
		}
	}
}

// TestErrorsAreNotPersonal: no error text names a person or a value.
func TestErrorsAreNotPersonal(t *testing.T) {
	h := open(t)
	var all []string
	note := func(err error) {
		t.Helper()
		if err == nil {
			t.Fatal("no error")
		}
		all = append(all, err.Error())
	}
	perform := func(job inbox.Job) { t.Helper(); _, err := h.Perform(t.Context(), job); note(err) }
	job := h.job("k-1", setPhone("+77019999999"), false)
	h.perform(h.job("k-2", setPhone("+77018888888"), false))
	perform(job)
	perform(h.job("k-2", setPhone("+77017777777"), false))
	perform(h.job("k-3", inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "boris@users.test"}}}, false))
	_, err := h.Plan(t.Context(), h.get("17"), setPhone("Zebra"), false)
	note(err)
	job.Person = "Zebra"
	job.EffectKey = "k-4"
	perform(job)
	for _, s := range all {
		for _, personal := range []string{"anna", "boris", "7701", "Zebra", "Petrova"} {
			if strings.Contains(s, personal) {
				t.Errorf("the error text %q names %q", s, personal)
			}
		}
	}
}

func isMoved(err error) bool {
	_, ok := errors.AsType[*inbox.MovedError](err)
	return ok
}

func isStale(err error) bool {
	_, ok := errors.AsType[*inbox.StaleError](err)
	return ok
}
