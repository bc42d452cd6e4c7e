package userstest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// addressCases are addresses that some database takes for equal, and some for
// different, against what address.Equal says.
var addressCases = []struct {
	name         string
	stored, asks string
	found        bool
}{
	{"as stored", "anna@users.test", "anna@users.test", true},
	{"case of the domain", "anna@users.test", "anna@USERS.Test", true},
	{"case of the stored domain", "anna@Users.TEST", "anna@users.test", true},
	{"case of the local part", "Anna@users.test", "anna@users.test", false},
	{"é is not e", "rené@users.test", "rene@users.test", false},
	{"e is not é", "rene@users.test", "rené@users.test", false},
	{"é composed and decomposed", "ren\u00e9@users.test", "rene\u0301@users.test", false},
	{"é itself", "rené@users.test", "rené@users.test", true},
	{"dotless i", "alı@users.test", "ali@users.test", false},
	{"dotted I", "al\u0130@users.test", "ali@users.test", false},
	{"ß is not ss", "strauß@users.test", "strauss@users.test", false},
	{"Cyrillic а", "аnna@users.test", "anna@users.test", false},
	{"full-width", "ａnna@users.test", "anna@users.test", false},
	{"trailing blank stored", "anna@users.test ", "anna@users.test", true},
	{"leading blank stored", " anna@users.test", "anna@users.test", true},
	{"another leading blank stored", "\u00a0anna@users.test", "anna@users.test", true},
	{"leading tab and line stored", "\t\nanna@users.test", "anna@users.test", true},
	{"leading ideographic blank stored", "\u3000\u2003anna@users.test", "anna@users.test", true},
	{"trailing blank asked", "anna@users.test", "anna@users.test ", true},
	{"blank inside", "an na@users.test", "anna@users.test", false},
	{"trailing dot of the domain", "anna@users.test", "anna@users.test.", true},
	{"+tag asked", "anna@users.test", "anna+news@users.test", false},
	{"+tag stored", "anna+news@users.test", "anna@users.test", false},
	{"+tag itself", "anna+news@users.test", "anna+news@users.test", true},
	{"dots in the local part", "an.na@users.test", "anna@users.test", false},
	{"IDNA against Unicode", "anna@xn--e1afmkfd.test", "anna@пример.test", true},
	{"Unicode against IDNA", "anna@Пример.test", "anna@xn--e1afmkfd.test", true},
	{"NUL asked", "anna@users.test", "anna\x00@users.test", false},
	{"NUL at the end asked", "anna@users.test", "anna@users.test\x00", false},
	{"NUL stored", "anna\x00@users.test", "anna@users.test", false},
	{"percent is no wildcard", "anna@users.test", "%@users.test", false},
	{"underscore is no wildcard", "anna@users.test", "ann_@users.test", false},
	{"star is no wildcard", "anna@users.test", "*@users.test", false},
	{"quote", "o'hara@users.test", "o'hara@users.test", true},
	{"injection", "anna@users.test", "x' OR '1'='1@users.test", false},
	{"empty", "anna@users.test", "", false},
	{"no domain", "anna@users.test", "anna", false},
	{"another domain", "anna@users.test", "anna@users.test.evil.test", false},
	{"prefix of the domain", "anna@users.test.evil.test", "anna@users.test", false},
	{"invalid UTF-8 asked", "anna@users.test", "ann\xff@users.test", false},
}

// byAddress fills one store case by case, so that each address is looked for
// among all that are like it.
func byAddress(t *testing.T, f Fixture) {
	for i, c := range addressCases {
		id := fmt.Sprintf("%d", 100+i)
		p := users.Person{ID: id, Active: true, Fields: map[inbox.Field]string{inbox.FieldEmail: c.stored}}
		if err := f.Seed(p); err != nil && c.found {
			t.Fatalf("%s: seeding: %v", c.name, err)
		} else if err != nil {
			t.Logf("%s: the store cannot hold it: %v", c.name, err)
		}
		found, err := f.Store.ByAddress(t.Context(), c.asks)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := slices.ContainsFunc(found, func(p users.Person) bool { return p.ID == id })
		if got != c.found {
			t.Errorf("%s: found %t, want %t", c.name, got, c.found)
		}
	}
}

func twoPeople(t *testing.T, f Fixture) {
	first, second := anna(), boris()
	second.Fields[inbox.FieldEmail] = "anna@USERS.test"
	seed(t, f, second, first)
	found, err := f.Store.ByAddress(t.Context(), "anna@users.test")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[0].ID != first.ID || found[1].ID != second.ID {
		t.Errorf("found %d people, want both, ordered by ID", len(found))
	}
	if none, err := f.Store.ByAddress(t.Context(), "nobody@users.test"); err != nil || len(none) != 0 {
		t.Errorf("found %d people under a strange address, %v", len(none), err)
	}
}

// letters counts the letters among what is held about somebody.
func letters(t *testing.T, f Fixture, p users.Person) (n int) {
	t.Helper()
	for _, r := range held(t, f, p) {
		if r.Place == f.Letter.Place {
			n++
		}
	}
	return n
}

// moved wants what is linked by address to follow an address that changes,
// however it is written there, and nothing of anybody else's to; so that a copy
// has it, and a delete takes it.
func moved(t *testing.T, f Fixture) {
	if f.Letter == nil {
		t.Log("the store has no place that is linked by address")
		return
	}
	seed(t, f, anna(), boris())
	more, others := 0, map[string]int{}
	for _, c := range addressCases {
		p := users.Person{Guest: true, Fields: map[inbox.Field]string{inbox.FieldEmail: c.stored}}
		if !address.Equal(c.stored, "anna@users.test") {
			others[c.stored]++
		}
		if err := f.Seed(p, *f.Letter); err != nil { // the store cannot hold it
			delete(others, c.stored)
		} else if address.Equal(c.stored, "anna@users.test") {
			more++
		}
	}
	e := effect(t, f, "k-1", "17", setField(inbox.FieldEmail, "O'Neil.ғ@Users.TEST"), false)
	for range 2 {
		apply(t, f, e)
		if n := letters(t, f, mustGet(t, f, "17")); n != 1+more {
			t.Errorf("%d letters are theirs after the change, want %d", n, 1+more)
		}
		if found, err := f.Store.ByAddress(t.Context(), "anna@users.test"); err != nil || len(found) > 0 {
			t.Errorf("found %+v under the old address, %v", found, err)
		}
	}
	apply(t, f, effect(t, f, "k-2", "17", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false))
	if found, err := f.Store.ByAddress(t.Context(), "O'Neil.ғ@users.test"); err != nil || len(found) > 0 {
		t.Errorf("found %+v under the new address after the delete, %v", found, err)
	}
	for addr, n := range others {
		found, err := f.Store.ByAddress(t.Context(), addr)
		if err != nil || len(found) > 1 {
			t.Fatalf("%q: %d people, %v", addr, len(found), err)
		}
		for _, p := range found {
			if got := letters(t, f, p); got < n {
				t.Errorf("%q has %d letters after somebody else moved and went, and had %d", addr, got, n)
			}
		}
	}
	wantUntouched(t, f)
}

// movedToOwnRows: letters that bear the new address already are the person's
// from then on, with those that they had.
func movedToOwnRows(t *testing.T, f Fixture) {
	if f.Letter == nil {
		t.Log("the store has no place that is linked by address")
		return
	}
	seed(t, f, anna(), boris())
	if err := f.Seed(guest(), *f.Letter); err != nil {
		t.Fatal(err)
	}
	apply(t, f, effect(t, f, "k-1", "17", setField(inbox.FieldEmail, "guest@users.test"), false))
	found, err := f.Store.ByAddress(t.Context(), "guest@users.test")
	if err != nil || len(found) != 1 || found[0].ID != "17" || letters(t, f, found[0]) != 2 {
		t.Errorf("found %+v, %v, want the one person, with two letters", found, err)
	}
	wantUntouched(t, f)
}

// movedFromTwo: where two accounts have one address, nobody can tell whose the
// letters are. They are not taken from either; staff are to look.
func movedFromTwo(t *testing.T, f Fixture) {
	first, second := anna(), boris()
	second.Fields[inbox.FieldEmail] = "anna@USERS.test"
	seed(t, f, first, second)
	e := effect(t, f, "k-1", "17", setField(inbox.FieldEmail, "anna.new@users.test"), false)
	_, err := f.Store.Apply(t.Context(), e)
	if f.Letter == nil {
		if err != nil {
			t.Errorf("Apply: %v", err)
		}
		return
	}
	if err == nil || inbox.IsTemporary(err) || errors.Is(err, users.ErrChanged) {
		t.Errorf("Apply: %v, want a permanent error", err)
	}
	wantNew(t, f, e)
	for _, id := range []string{"17", "18"} {
		if n := letters(t, f, mustGet(t, f, id)); n != 2 {
			t.Errorf("person %s has %d letters, want both that name the address", id, n)
		}
	}
}
