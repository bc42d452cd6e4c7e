package userstest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

func change(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	r := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{
		{Field: inbox.FieldPhone, Op: inbox.OpAdd, Value: "+77017777777"},
		{Field: inbox.FieldLocation, Op: inbox.OpSet, Value: "Алматы"},
		{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "anna.new@users.test"},
	}}
	e := effect(t, f, "k-1", "17", r, false)
	a := apply(t, f, e)
	if a.Again || len(a.Plan.Steps) < 3 || a.Plan.Steps[0].New != "+77010000001, +77017777777" {
		t.Errorf("applied %+v", a)
	}
	wantField(t, f, "17", inbox.FieldPhone, "+77010000001, +77017777777")
	wantField(t, f, "17", inbox.FieldLocation, "Алматы")
	wantField(t, f, "17", inbox.FieldAbout, anna().Fields[inbox.FieldAbout])
	wantUntouched(t, f)
	for addr, n := range map[string]int{"anna@users.test": 0, "anna.new@users.test": 1} {
		found, err := f.Store.ByAddress(t.Context(), addr)
		if err != nil || len(found) != n {
			t.Errorf("%d people under an address, want %d (%v)", len(found), n, err)
		}
	}
}

// refusing lists the fields in which such text is no value, so that the map
// refuses it before the store sees it.
var refusing = []inbox.Field{inbox.FieldEmail, inbox.FieldBirth}

// hostileValues puts what has broken a store before into every field that
// takes it, and wants it back as it was; a telephone number has a digit in it.
func hostileValues(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	for _, v := range []string{
		`'; DROP TABLE users; --`, `" OR ""="`, `\'); DELETE FROM users WHERE 1=1 --`, "$1", "?", ":name", "%s", `\`, "NULL",
		"Жәнібек 🐝", "<script>alert(1)</script>", "{{.}}", "../../etc/passwd",
	} {
		for _, field := range f.Map.Fields() {
			v := v
			if field == inbox.FieldPhone {
				v += "7"
			}
			p := mustGet(t, f, "17")
			plan, err := f.Map.Plan(p, setField(field, v), false)
			if refused, ok := errors.AsType[*datamap.RefusedError](err); ok && refused.Reason == datamap.ReasonParts {
				word := strings.ReplaceAll(v, " ", "_")
				v = word + " " + word // a word in each of its columns
				plan, err = f.Map.Plan(p, setField(field, v), false)
			}
			if refuses := slices.Contains(refusing, field); refuses != (err != nil) {
				t.Errorf("%s: %q is refused: %v, want %t", field, v, err, refuses)
			}
			if err != nil {
				continue
			}
			e := users.Effect{Key: "k-" + string(field) + v, Kind: inbox.KindChange, Digest: plan.Digest("17", inbox.KindChange), Person: "17", Plan: plan, Address: p.Address()}
			apply(t, f, e)
			wantField(t, f, "17", field, v)
		}
	}
	const hostile = "'--$1?%s/*{{.}}`|1=1@users.test" // an address by RFC 5321 all the same
	apply(t, f, effect(t, f, "k-email", "17", setField(inbox.FieldEmail, hostile), false))
	wantField(t, f, "17", inbox.FieldEmail, hostile)
	if found, err := f.Store.ByAddress(t.Context(), hostile); err != nil || len(found) != 1 || found[0].ID != "17" {
		t.Errorf("found %d people under the address (%v)", len(found), err)
	}
	wantUntouched(t, f)
}

func clearFields(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	r := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldPhone, inbox.FieldGender}}
	apply(t, f, effect(t, f, "k-1", "17", r, false))
	wantField(t, f, "17", inbox.FieldPhone, "")
	wantField(t, f, "17", inbox.FieldFullName, "Anna Petrova")
	wantUntouched(t, f)
}

func deactivate(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	r := inbox.Request{Kind: inbox.KindDeactivate}
	apply(t, f, effect(t, f, "k-1", "17", r, false))
	if mustGet(t, f, "17").Active {
		t.Error("the account is active after a deactivate")
	}
	apply(t, f, effect(t, f, "k-2", "17", r, true))
	if !mustGet(t, f, "17").Active {
		t.Error("the account is not active after the undo")
	}
	wantField(t, f, "17", inbox.FieldPhone, anna().Fields[inbox.FieldPhone])
	wantUntouched(t, f)
}

func withdraw(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	start := time.Now().Add(-2 * time.Second)
	apply(t, f, effect(t, f, "k-1", "17", inbox.Request{Kind: inbox.KindWithdraw}, false))
	if at := mustGet(t, f, "17").Withdrawn; at.Before(start) || at.After(time.Now().Add(time.Minute)) {
		t.Errorf("the objection is recorded at %v", at)
	}
	wantUntouched(t, f)
}

func remove(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	before := held(t, f, boris())
	e := effect(t, f, "k-1", "17", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false)
	apply(t, f, e)
	if _, err := f.Store.Get(t.Context(), "17"); !errors.Is(err, users.ErrNotFound) {
		t.Errorf("Get after the delete: %v, want ErrNotFound", err)
	}
	if found, err := f.Store.ByAddress(t.Context(), "anna@users.test"); err != nil || len(found) != 0 {
		t.Errorf("%d people under the address after the delete (%v)", len(found), err)
	}
	wantRest(t, f, e.Plan, held(t, f, anna()))
	if a := apply(t, f, e); !a.Again {
		t.Error("a second delete under the same key acted")
	}
	wantUntouched(t, f)
	if after := held(t, f, boris()); !reflect.DeepEqual(after, before) {
		t.Errorf("somebody else has %d records after the delete, or others than the %d before", len(after), len(before))
	}
}

// wantRest fails unless the rest is what the plan leaves: what is kept as it
// was, and what stays without its values.
func wantRest(t *testing.T, f Fixture, plan inbox.Plan, rest []users.Record) {
	t.Helper()
	seeded := map[string]users.Record{}
	for _, r := range f.records() {
		seeded[r.Place] = r
	}
	blank, kept := map[string]bool{}, map[string]bool{}
	for _, s := range plan.Steps {
		if s.Op == inbox.StepBlank {
			blank[s.Place], blank[datamap.CountKey(s.Place, s.Field)] = true, true
		}
	}
	for _, k := range plan.Keeps {
		kept[k.Place] = kept[k.Place] || k.Field == "" && !k.Earlier
	}
	places := map[string]bool{}
	for _, r := range rest {
		if places[r.Place] = true; !kept[r.Place] && !blank[r.Place] {
			t.Errorf("a record of %q is left after the delete", r.Place)
		}
		got := map[string]string{}
		for i, c := range r.Columns {
			got[c] = r.Values[i]
		}
		was := seeded[r.Place]
		for i, c := range was.Columns {
			if goes := blank[datamap.CountKey(r.Place, inbox.Field(c))]; goes == (got[c] == was.Values[i]) {
				t.Errorf("%s.%s is %q after the delete and was %q; that it goes is %t", r.Place, c, got[c], was.Values[i], goes)
			}
		}
	}
	for _, r := range []*users.Record{f.Stays, f.Kept} {
		if r != nil && !places[r.Place] {
			t.Errorf("no record of %q is left, and it was to stay", r.Place)
		}
	}
}

func again(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	e := effect(t, f, "k-1", "17", setField(inbox.FieldPhone, "+77019999999"), false)
	wantNew(t, f, e)
	apply(t, f, e)
	// Somebody sets another value meanwhile, which a repeat must leave alone.
	apply(t, f, effect(t, f, "k-2", "17", setField(inbox.FieldPhone, "+77018888888"), false))
	a := apply(t, f, e)
	r, err := f.Store.Recorded(t.Context(), e.Key, e.Kind, e.Digest)
	if err != nil {
		t.Fatalf("Recorded: %v", err)
	}
	for name, a := range map[string]users.Applied{"Apply": a, "Recorded": r} {
		if !a.Again || len(a.Plan.Steps) != 1 {
			t.Fatalf("%s answers %+v for an effect that was done", name, a)
		}
		s := a.Plan.Steps[0]
		if s.Field != inbox.FieldPhone || s.Op != inbox.StepSet || s.Place != e.Plan.Steps[0].Place {
			t.Errorf("%s answers with the step %+v", name, s)
		}
		if s.Old != "" || s.New != "" {
			t.Errorf("%s: the record of the effect holds values", name)
		}
	}
	wantField(t, f, "17", inbox.FieldPhone, "+77018888888")
}

func mismatch(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	apply(t, f, effect(t, f, "k-1", "17", setField(inbox.FieldPhone, "+77019999999"), false))
	for name, e := range map[string]users.Effect{
		"another digest": effect(t, f, "k-1", "17", setField(inbox.FieldPhone, "+77018888888"), false),
		"another kind":   effect(t, f, "k-1", "17", inbox.Request{Kind: inbox.KindDeactivate}, false),
		"another person": effect(t, f, "k-1", "18", setField(inbox.FieldPhone, "+77019999999"), false),
	} {
		var bad *users.MismatchError
		if _, err := f.Store.Apply(t.Context(), e); !errors.As(err, &bad) || bad.Key != "k-1" || inbox.IsTemporary(err) {
			t.Errorf("Apply with %s: %v, want a permanent *MismatchError", name, err)
		}
		if _, err := f.Store.Recorded(t.Context(), e.Key, e.Kind, e.Digest); !errors.As(err, &bad) {
			t.Errorf("Recorded with %s: %v, want a *MismatchError", name, err)
		}
	}
	wantField(t, f, "17", inbox.FieldPhone, "+77019999999")
	wantUntouched(t, f)
}

// changedMeanwhile wants nothing of a plan done when its second step is stale.
func changedMeanwhile(t *testing.T, f Fixture) {
	seed(t, f, anna())
	r := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{
		{Field: inbox.FieldAbout, Op: inbox.OpSet, Value: "Sold the hives."},
		{Field: inbox.FieldPhone, Op: inbox.OpSet, Value: "+77019999999"},
	}}
	e := effect(t, f, "k-1", "17", r, false)
	apply(t, f, effect(t, f, "k-2", "17", setField(inbox.FieldPhone, "+77018888888"), false))
	if _, err := f.Store.Apply(t.Context(), e); !errors.Is(err, users.ErrChanged) || inbox.IsTemporary(err) {
		t.Errorf("Apply: %v, want ErrChanged", err)
	}
	wantField(t, f, "17", inbox.FieldAbout, anna().Fields[inbox.FieldAbout])
	wantField(t, f, "17", inbox.FieldPhone, "+77018888888")
	wantNew(t, f, e)
}

// movedMeanwhile wants nothing done of a plan that was made when the person had
// another address: other rows are theirs now.
func movedMeanwhile(t *testing.T, f Fixture) {
	for i, r := range []inbox.Request{{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, {Kind: inbox.KindDeactivate}, setField(inbox.FieldAbout, "Sold the hives.")} {
		who := anna()
		who.ID = fmt.Sprint(20 + i)
		who.Fields[inbox.FieldEmail] = fmt.Sprintf("anna%d@users.test", i)
		seed(t, f, who)
		e := effect(t, f, fmt.Sprint("k-", i), who.ID, r, false)
		apply(t, f, effect(t, f, fmt.Sprint("m-", i), who.ID, setField(inbox.FieldEmail, fmt.Sprintf("anna.new%d@users.test", i)), false))
		before := held(t, f, mustGet(t, f, who.ID))
		if _, err := f.Store.Apply(t.Context(), e); !errors.Is(err, users.ErrChanged) || inbox.IsTemporary(err) {
			t.Errorf("%s: %v, want ErrChanged", r.Kind, err)
		}
		wantNew(t, f, e)
		if now := held(t, f, mustGet(t, f, who.ID)); !reflect.DeepEqual(now, before) {
			t.Errorf("%s: of what was held, something else is", r.Kind)
		}
		again := effect(t, f, fmt.Sprint("a-", i), who.ID, setField(inbox.FieldAbout, "Three hives."), false)
		again.Address = fmt.Sprintf(" anna.new%d@USERS.test", i) // which is the same
		apply(t, f, again)
	}
}

// removeOfTwo: where two accounts have one address, nobody can tell whose the
// letters are, and none of them goes; where there are no letters, the account
// does.
func removeOfTwo(t *testing.T, f Fixture) {
	first, second := anna(), boris()
	second.Fields[inbox.FieldEmail] = "anna@USERS.test"
	seed(t, f, first, second)
	before := held(t, f, first)
	e := effect(t, f, "k-1", "17", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false)
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
	if now := held(t, f, mustGet(t, f, "17")); !reflect.DeepEqual(now, before) {
		t.Errorf("half of it was done: %d records are left of %d", len(now), len(before))
	}
}

func taken(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	r := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{
		{Field: inbox.FieldPhone, Op: inbox.OpSet, Value: "+77019999999"},
		{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "boris@Users.test"},
	}}
	e := effect(t, f, "k-1", "17", r, false)
	var bad *users.TakenError
	if _, err := f.Store.Apply(t.Context(), e); !errors.As(err, &bad) || bad.Field != inbox.FieldEmail || inbox.IsTemporary(err) {
		t.Errorf("Apply: %v, want a permanent *TakenError", err)
	}
	wantField(t, f, "17", inbox.FieldEmail, "anna@users.test")
	wantField(t, f, "17", inbox.FieldPhone, anna().Fields[inbox.FieldPhone])
	wantNew(t, f, e)
	wantUntouched(t, f)
}

func nobody(t *testing.T, f Fixture) {
	seed(t, f, anna())
	e := effect(t, f, "k-1", "17", inbox.Request{Kind: inbox.KindDeactivate}, false)
	e.Person = "18"
	e.Digest = e.Plan.Digest(e.Person, e.Kind)
	if _, err := f.Store.Apply(t.Context(), e); !errors.Is(err, users.ErrNotFound) {
		t.Errorf("Apply: %v, want ErrNotFound", err)
	}
	wantNew(t, f, e)
}

// anotherPlan hands over a plan that is not the one of the digest.
func anotherPlan(t *testing.T, f Fixture) {
	seed(t, f, anna())
	e := effect(t, f, "k-1", "17", setField(inbox.FieldPhone, "+77019999999"), false)
	e.Plan = effect(t, f, "k-1", "17", setField(inbox.FieldPhone, "+77018888888"), false).Plan
	if _, err := f.Store.Apply(t.Context(), e); err == nil || inbox.IsTemporary(err) {
		t.Errorf("Apply: %v, want a permanent error", err)
	}
	wantField(t, f, "17", inbox.FieldPhone, anna().Fields[inbox.FieldPhone])
	wantNew(t, f, e)
}

// left wants every step of a delete before it, and none after.
func left(t *testing.T, f Fixture) {
	seed(t, f, anna(), boris())
	fields := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldPhone, inbox.FieldGender}}
	wantLeft(t, f, effect(t, f, "k-1", "17", fields, false), 1) // there is no gender
	if f.Apart != "" {
		apply(t, f, effect(t, f, "k-3", "17", setField(f.Apart, "something"), false)) // so that every place holds something
	}
	wantLeft(t, f, effect(t, f, "k-2", "17", inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false), -1)
	wantUntouched(t, f)
}

// wantLeft wants that many steps of e left, -1: all of them; and none once e
// is applied.
func wantLeft(t *testing.T, f Fixture, e users.Effect, n int) {
	t.Helper()
	if n < 0 {
		n = len(e.Plan.Steps)
	}
	who := mustGet(t, f, e.Person)
	for _, want := range []int{n, 0} {
		got, err := f.Store.Left(t.Context(), who, e.Plan)
		if err != nil || len(got) != want {
			t.Errorf("of %d steps %d are left, want %d (%v)", len(e.Plan.Steps), len(got), want, err)
		}
		apply(t, f, e)
	}
}
