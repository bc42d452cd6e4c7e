// Package userstest is the suite that every user store passes: who is found
// under an address, what an effect does, once and not half, and what comes out
// of it again. It drives a store by plans made from the store's own data map,
// so it knows no store and no schema.
package userstest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// Fixture is a store under test, empty when it is opened.
type Fixture struct {
	Store users.Store
	Map   *datamap.Map // what is in the store

	// Seed puts a person into the store, with records of places beside their
	// own. It fails for what the store cannot hold.
	Seed func(p users.Person, records ...users.Record) error

	// Related is a record of a place beside the person's own, as Seed takes it
	// and Records gives it; nil when the store has no such place. So are the
	// others: Nested is of a place that hangs on Related's; Letter of one that is
	// linked by address, so that also people without an account have some, whom
	// Seed takes as guests; Stays of one whose rows stay when the account goes,
	// without the values; Kept of one whose rows stay as they are.
	Related, Nested, Letter, Stays, Kept *users.Record

	// Parts is a field that lies in two columns, Apart one that lies in a place
	// of its own, whose row may not be there yet; "": the store has none.
	Parts, Apart inbox.Field
}

// records gives all that a person has beside their own record.
func (f Fixture) records() (all []users.Record) {
	for _, r := range []*users.Record{f.Related, f.Nested, f.Letter, f.Stays, f.Kept} {
		if r != nil {
			all = append(all, *r)
		}
	}
	return all
}

// Run runs the suite. Open gives a new fixture each time it is called, and
// arranges with t for its end.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Fixture)
	}{
		{"ByAddress", byAddress},
		{"ByAddress/two people", twoPeople},
		{"Get", get},
		{"Records", records},
		{"Records/of somebody who is gone", recordsOfGone},
		{"guests", guests},
		{"guests/addresses", guestsByAddress},
		{"Apply/change", change},
		{"Apply/address", moved},
		{"Apply/address, rows of the new one", movedToOwnRows},
		{"Apply/address, two people", movedFromTwo},
		{"Apply/a field in parts", inParts},
		{"Apply/a field in a place of its own", inPlaceOfItsOwn},
		{"Apply/every field, hostile values", hostileValues},
		{"Apply/clear", clearFields},
		{"Apply/deactivate", deactivate},
		{"Apply/withdraw", withdraw},
		{"Apply/remove", remove},
		{"Left", left},
		{"Apply/again", again},
		{"Apply/mismatch", mismatch},
		{"Apply/changed meanwhile", changedMeanwhile},
		{"Apply/address changed meanwhile", movedMeanwhile},
		{"Apply/remove, two people", removeOfTwo},
		{"Apply/taken", taken},
		{"Apply/nobody", nobody},
		{"Apply/another plan", anotherPlan},
		{"Apply/at the same time", atTheSameTime},
		{"Apply/while a copy is read", whileRead},
		{"cancelled", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// anna is who most tests are about.
func anna() users.Person {
	return users.Person{ID: "17", Active: true, Fields: map[inbox.Field]string{
		inbox.FieldEmail: "anna@users.test", inbox.FieldFullName: "Anna Petrova", inbox.FieldPhone: "+77010000001",
		inbox.FieldAbout: "Beekeeper.\nTwo hives.",
	}}
}

// boris is somebody else, who must never be touched.
func boris() users.Person {
	return users.Person{ID: "18", Active: true, Fields: map[inbox.Field]string{
		inbox.FieldEmail: "boris@users.test", inbox.FieldFullName: "Boris Kim", inbox.FieldPhone: "+77010000002",
	}}
}

func seed(t *testing.T, f Fixture, people ...users.Person) {
	t.Helper()
	for _, p := range people {
		if err := f.Seed(p, f.records()...); err != nil {
			t.Fatalf("seeding person %s: %v", p.ID, err)
		}
	}
}

// effect plans the request from the person's present record.
func effect(t *testing.T, f Fixture, key, id string, r inbox.Request, undo bool) users.Effect {
	t.Helper()
	p, err := f.Store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	plan, err := f.Map.Plan(p, r, undo)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	return users.Effect{Key: key, Kind: r.Kind, Digest: plan.Digest(id, r.Kind), Person: id, Undo: undo, Plan: plan, Address: p.Address()}
}

func apply(t *testing.T, f Fixture, e users.Effect) users.Applied {
	t.Helper()
	a, err := f.Store.Apply(t.Context(), e)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return a
}

func setField(field inbox.Field, value string) inbox.Request {
	return inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: field, Op: inbox.OpSet, Value: value}}}
}

func mustGet(t *testing.T, f Fixture, id string) users.Person {
	t.Helper()
	p, err := f.Store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return p
}

func wantField(t *testing.T, f Fixture, id string, field inbox.Field, want string) {
	t.Helper()
	if got := mustGet(t, f, id).Fields[field]; got != want {
		t.Errorf("%s of person %s is %q, want %q", field, id, got, want)
	}
}

// wantUntouched fails unless boris is as he was.
func wantUntouched(t *testing.T, f Fixture) {
	t.Helper()
	got, want := mustGet(t, f, boris().ID), boris()
	for field, v := range want.Fields {
		if got.Fields[field] != v {
			t.Errorf("somebody else's %s is %q, was %q", field, got.Fields[field], v)
		}
	}
	if !got.Active || !got.Withdrawn.IsZero() {
		t.Errorf("somebody else is active %t, withdrawn %v", got.Active, got.Withdrawn)
	}
}

// wantNew fails unless the key is not recorded.
func wantNew(t *testing.T, f Fixture, e users.Effect) {
	t.Helper()
	if _, err := f.Store.Recorded(t.Context(), e.Key, e.Kind, e.Digest); !errors.Is(err, users.ErrNotFound) {
		t.Errorf("Recorded after a failure: %v, want ErrNotFound", err)
	}
}

func get(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	got, want := mustGet(t, f, "17"), anna()
	if got.ID != want.ID || got.Active != want.Active || !got.Withdrawn.IsZero() {
		t.Errorf("got %s, active %t, withdrawn %v", got.ID, got.Active, got.Withdrawn)
	}
	for field, v := range want.Fields {
		if got.Fields[field] != v {
			t.Errorf("%s is %q, want %q", field, got.Fields[field], v)
		}
	}
	for _, id := range []string{"", "1", "171", "17 ", "17' OR '1'='1", "17\x00"} {
		if _, err := f.Store.Get(t.Context(), id); !errors.Is(err, users.ErrNotFound) {
			t.Errorf("Get(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func records(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	got := held(t, f, users.Person{ID: "17"})
	if len(got) == 0 || got[0].Place != f.Map.Places()[0].Name {
		t.Fatalf("the person's own record does not come first: %v", got)
	}
	wantRecord(t, got[0], users.Record{Columns: []string{"email", "full_name"}, Values: []string{"anna@users.test", "Anna Petrova"}})
	byPlace := map[string][]users.Record{}
	last := ""
	for _, r := range got {
		if byPlace[r.Place] != nil && last != r.Place {
			t.Errorf("the records of %q do not come together", r.Place)
		}
		last = r.Place
		byPlace[r.Place] = append(byPlace[r.Place], r)
	}
	for _, want := range f.records() {
		if here := byPlace[want.Place]; len(here) != 1 {
			t.Errorf("%d records of %q, want 1", len(here), want.Place)
		} else {
			wantRecord(t, here[0], want)
		}
	}
	if want := 1 + len(f.records()); len(got) != want {
		t.Errorf("%d records, want %d", len(got), want)
	}
	for _, err := range f.Store.Records(t.Context(), users.Person{ID: "nobody"}) {
		if !errors.Is(err, users.ErrNotFound) {
			t.Errorf("records of nobody: %v, want ErrNotFound", err)
		}
	}
}

// held reads everything that is held about somebody; nothing is none.
func held(t *testing.T, f Fixture, p users.Person) (all []users.Record) {
	t.Helper()
	for r, err := range f.Store.Records(t.Context(), p) {
		if errors.Is(err, users.ErrNotFound) {
			return nil
		}
		if err != nil {
			t.Fatalf("Records: %v", err)
		}
		if len(r.Columns) != len(r.Values) {
			t.Fatalf("a record of %q has %d columns and %d values", r.Place, len(r.Columns), len(r.Values))
		}
		all = append(all, r)
	}
	return all
}

// wantRecord looks for the columns and values of want in got.
func wantRecord(t *testing.T, got, want users.Record) {
	t.Helper()
	values := map[string]string{}
	for i, c := range got.Columns {
		values[c] = got.Values[i]
	}
	for i, c := range want.Columns {
		if v, ok := values[c]; !ok || v != want.Values[i] {
			t.Errorf("%s.%s is %q, want %q", got.Place, c, v, want.Values[i])
		}
	}
}

func whileRead(t *testing.T, f Fixture) {
	seed(t, f, anna())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	e := effect(t, f, "k-1", "17", setField(inbox.FieldPhone, "+77019999999"), false)
	for _, err := range f.Store.Records(ctx, users.Person{ID: "17"}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Store.Apply(ctx, e); err != nil {
			t.Fatalf("Apply while a copy is read: %v", err)
		}
	}
	wantField(t, f, "17", inbox.FieldPhone, "+77019999999")
}

func atTheSameTime(t *testing.T, f Fixture) {
	seed(t, f, anna())
	r := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldAbout, Op: inbox.OpAdd, Value: "Once."}}}
	e := effect(t, f, "k-1", "17", r, false)
	var mu sync.Mutex
	var wg sync.WaitGroup
	first := 0
	for range 8 {
		wg.Go(func() {
			a, err := f.Store.Apply(t.Context(), e)
			for tries := 0; inbox.IsTemporary(err) && tries < 50; tries++ {
				a, err = f.Store.Apply(t.Context(), e)
			}
			if err != nil {
				t.Errorf("Apply: %v", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if !a.Again {
				first++
			}
		})
	}
	wg.Wait()
	if first != 1 {
		t.Errorf("%d of 8 calls acted, want 1", first)
	}
	if n := strings.Count(mustGet(t, f, "17").Fields[inbox.FieldAbout], "Once."); n != 1 {
		t.Errorf("the value was added %d times", n)
	}
}

func cancelled(t *testing.T, f Fixture) {
	seed(t, f, anna())
	e := effect(t, f, "k-1", "17", setField(inbox.FieldPhone, "+77019999999"), false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errApply := f.Store.Apply(ctx, e)
	_, errGet := f.Store.Get(ctx, "17")
	_, errFind := f.Store.ByAddress(ctx, "anna@users.test")
	_, errRecorded := f.Store.Recorded(ctx, e.Key, e.Kind, e.Digest)
	var errRecords error
	for _, err := range f.Store.Records(ctx, users.Person{ID: "17"}) {
		errRecords = err
	}
	for name, err := range map[string]error{"Apply": errApply, "Get": errGet, "ByAddress": errFind, "Recorded": errRecorded, "Records": errRecords} {
		if !inbox.IsTemporary(err) {
			t.Errorf("%s with an ended context: %v, want a temporary error", name, err)
		}
	}
	wantNew(t, f, e)
	wantField(t, f, "17", inbox.FieldPhone, anna().Fields[inbox.FieldPhone])
}
