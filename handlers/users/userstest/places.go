package userstest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// recordsOfGone wants what is kept of somebody whose account is gone to be found
// by their ID.
func recordsOfGone(t *testing.T, f Fixture) {
	if f.Kept == nil {
		t.Log("the store keeps no place")
		return
	}
	seed(t, f, anna(), boris())
	apply(t, f, effect(t, f, "k-1", "17", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false))
	rest := held(t, f, users.Person{ID: "17"})
	if !slices.ContainsFunc(rest, func(r users.Record) bool { return r.Place == f.Kept.Place }) {
		t.Errorf("what is kept of somebody who is gone does not come out: %v", rest)
	}
}

// guest is somebody without an account.
func guest() users.Person {
	return users.Person{Guest: true, Fields: map[inbox.Field]string{inbox.FieldEmail: "guest@users.test"}}
}

func guests(t *testing.T, f Fixture) {
	if f.Letter == nil {
		t.Log("the store knows nobody without an account")
		return
	}
	seed(t, f, anna(), boris())
	for range 2 {
		if err := f.Seed(guest(), *f.Letter); err != nil {
			t.Fatal(err)
		}
	}
	found, err := f.Store.ByAddress(t.Context(), "guest@Users.test")
	if err != nil || len(found) != 1 || !found[0].Guest || found[0].Address() != "guest@users.test" || strings.Contains(found[0].ID, "guest@") {
		t.Fatalf("found %+v, %v", found, err)
	}
	who := found[0]
	if p := mustGet(t, f, who.ID); !p.Guest || p.ID != who.ID || p.Address() != who.Address() {
		t.Errorf("Get gives %+v", p)
	}
	rows := held(t, f, users.Person{ID: who.ID})
	if len(rows) != 2 || rows[0].Place != f.Letter.Place {
		t.Errorf("of a guest %d records are held: %v", len(rows), rows)
	}
	if found, err := f.Store.ByAddress(t.Context(), "anna@users.test"); err != nil || len(found) != 1 || found[0].Guest {
		t.Errorf("somebody with an account is found as %+v, %v", found, err)
	}
	for _, id := range []string{f.Letter.Place + ":", f.Letter.Place + ":4711", f.Letter.Place + ":1,2", "nowhere:1", f.Letter.Place + ":1 ", ":1"} {
		if _, err := f.Store.Get(t.Context(), id); !errors.Is(err, users.ErrNotFound) {
			t.Errorf("Get(%q): %v, want ErrNotFound", id, err)
		}
	}
	eraseGuest(t, f, who)
}

func eraseGuest(t *testing.T, f Fixture, who users.Person) {
	t.Helper()
	others := [][]users.Record{held(t, f, anna()), held(t, f, boris())}
	hide := inbox.Plan{Steps: []inbox.Step{{Place: f.Map.Places()[0].Name, Op: inbox.StepDeactivate}}}
	e := users.Effect{Key: "k-1", Kind: inbox.KindDeactivate, Digest: hide.Digest(who.ID, inbox.KindDeactivate), Person: who.ID, Plan: hide, Address: who.Address()}
	if _, err := f.Store.Apply(t.Context(), e); err == nil || inbox.IsTemporary(err) {
		t.Errorf("deactivating a guest: %v, want a permanent error", err)
	}
	e = effect(t, f, "k-2", who.ID, inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false)
	apply(t, f, e)
	if left, err := f.Store.Left(t.Context(), who, e.Plan); err != nil || len(left) > 0 {
		t.Errorf("left of a guest: %v, %v", left, err)
	}
	if found, err := f.Store.ByAddress(t.Context(), who.Address()); err != nil || len(found) > 0 {
		t.Errorf("found %d after the delete, %v", len(found), err)
	}
	if a := apply(t, f, e); !a.Again {
		t.Error("a second delete of a guest under the same key acted")
	}
	for i, p := range []users.Person{anna(), boris()} {
		if got := held(t, f, p); len(got) != len(others[i]) {
			t.Errorf("somebody else has %d records after a guest went, and had %d", len(got), len(others[i]))
		}
	}
}

// guestsByAddress is byAddress for people without an account.
func guestsByAddress(t *testing.T, f Fixture) {
	if f.Letter == nil {
		t.Log("the store knows nobody without an account")
		return
	}
	for i, c := range addressCases {
		letter := *f.Letter
		letter.Values = slices.Clone(letter.Values)
		letter.Values[0] = fmt.Sprintf("letter %d", i)
		p := users.Person{Guest: true, Fields: map[inbox.Field]string{inbox.FieldEmail: c.stored}}
		if err := f.Seed(p, letter); err != nil && c.found {
			t.Fatalf("%s: seeding: %v", c.name, err)
		}
		found, err := f.Store.ByAddress(t.Context(), c.asks)
		if err != nil || len(found) > 1 {
			t.Errorf("%s: %d people, %v", c.name, len(found), err)
		}
		got := false
		for _, p := range found {
			for _, r := range held(t, f, p) {
				got = got || slices.Contains(r.Values, letter.Values[0])
			}
		}
		if got != c.found {
			t.Errorf("%s: found %t, want %t", c.name, got, c.found)
		}
	}
}

// inParts writes a field that two columns hold.
func inParts(t *testing.T, f Fixture) {
	if f.Parts == "" {
		t.Log("the store has no field in parts")
		return
	}
	seed(t, f, anna(), boris())
	apply(t, f, effect(t, f, "k-1", "17", setField(f.Parts, "Maria Kim"), false))
	wantField(t, f, "17", f.Parts, "Maria Kim")
	apply(t, f, effect(t, f, "k-2", "17", setField(f.Parts, "Maria O'Hara"), false))
	wantField(t, f, "17", f.Parts, "Maria O'Hara")
	for _, v := range []string{"Maria", "Maria Anna Kim"} {
		plan := inbox.Plan{Steps: []inbox.Step{{Place: f.Map.Places()[0].Name, Field: f.Parts, Op: inbox.StepSet, Old: "Maria O'Hara", New: v}}}
		e := users.Effect{Key: "k-3", Kind: inbox.KindChange, Digest: plan.Digest("17", inbox.KindChange), Person: "17", Plan: plan, Address: mustGet(t, f, "17").Address()}
		var refused *datamap.RefusedError
		if _, err := f.Store.Apply(t.Context(), e); !errors.As(err, &refused) || refused.Reason != datamap.ReasonParts {
			t.Errorf("%q: %v, want it refused", v, err)
		}
	}
	e := effect(t, f, "k-4", "17", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{f.Parts}}, false)
	wantLeft(t, f, e, 1)
	wantField(t, f, "17", f.Parts, "")
	wantUntouched(t, f)
}

// inPlaceOfItsOwn writes a field whose row may not be there.
func inPlaceOfItsOwn(t *testing.T, f Fixture) {
	if f.Apart == "" {
		t.Log("the store has no field in a place of its own")
		return
	}
	seed(t, f, anna(), boris())
	for i, v := range []string{"first", "second", "'third' --"} {
		apply(t, f, effect(t, f, fmt.Sprintf("k-%d", i), "17", setField(f.Apart, v), false))
		wantField(t, f, "17", f.Apart, v)
		wantField(t, f, "18", f.Apart, "")
	}
	stale := effect(t, f, "k-4", "17", setField(f.Apart, "fifth"), false)
	apply(t, f, effect(t, f, "k-5", "17", setField(f.Apart, "fourth"), false))
	if _, err := f.Store.Apply(t.Context(), stale); !errors.Is(err, users.ErrChanged) {
		t.Errorf("a stale plan: %v, want ErrChanged", err)
	}
	wantLeft(t, f, effect(t, f, "k-6", "17", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{f.Apart}}, false), 1)
	wantField(t, f, "17", f.Apart, "")
	apply(t, f, effect(t, f, "k-7", "18", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false))
}
