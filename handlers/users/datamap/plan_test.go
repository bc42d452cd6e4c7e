package datamap

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

type fields = map[inbox.Field]string

// show writes a plan as one line: field op old -> new; …
func show(p inbox.Plan) string {
	var all []string
	for _, s := range p.Steps {
		l := fmt.Sprintf("%s.%s %s", s.Place, s.Field, s.Op)
		if s.Field == "" {
			l = fmt.Sprintf("%s %s", s.Op, s.Place)
		}
		if s.Old != "" || s.New != "" {
			l += fmt.Sprintf(" %q -> %q", s.Old, s.New)
		}
		all = append(all, strings.TrimPrefix(l, "profile."))
	}
	for _, k := range p.Keeps {
		word := "keep"
		if k.Earlier {
			word = "earlier"
		}
		all = append(all, fmt.Sprintf(word+" %s: %s until %s", strings.TrimSuffix(k.Place+"."+string(k.Field), "."), k.Why, k.Until))
	}
	return strings.Join(all, "; ")
}

// planned is the plan as one line, or the refusal.
func planned(t *testing.T, p users.Person, r inbox.Request, undo bool) string {
	t.Helper()
	plan, err := Embedded().Plan(p, r, undo)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		if inbox.IsTemporary(err) || inbox.PublicText(err) != "" {
			t.Errorf("the refusal %v is temporary, or has public words", err)
		}
		return strings.TrimSpace("REFUSED " + string(refused.Reason) + " " + string(refused.Field))
	}
	if err != nil {
		return "ERROR"
	}
	return show(plan)
}

func set(f inbox.Field, v string) inbox.Change {
	return inbox.Change{Field: f, Op: inbox.OpSet, Value: v}
}
func add(f inbox.Field, v string) inbox.Change {
	return inbox.Change{Field: f, Op: inbox.OpAdd, Value: v}
}

func TestPlanChange(t *testing.T) {
	long := strings.Repeat("ы", 4001)
	for _, c := range []struct {
		name    string
		held    fields
		changes []inbox.Change
		want    string
	}{
		{"set", fields{inbox.FieldPhone: "1"}, []inbox.Change{set(inbox.FieldPhone, " 2 ")}, `phone set "1" -> "2"`},
		{"set in an empty record", nil, []inbox.Change{set(inbox.FieldPhone, "2")}, `phone set "" -> "2"`},
		{"same", fields{inbox.FieldPhone: "1"}, []inbox.Change{set(inbox.FieldPhone, "1")}, "REFUSED same phone"},
		{"one same, one new", fields{inbox.FieldPhone: "1"}, []inbox.Change{set(inbox.FieldPhone, "1"), set(inbox.FieldLocation, "Almaty")}, `location set "" -> "Almaty"`},
		{"one bad, one good", nil, []inbox.Change{set(inbox.FieldLocation, "Almaty"), set(inbox.FieldEmail, "x")}, "REFUSED bad-email email"},
		{"nothing asked", nil, nil, "REFUSED invalid"},
		{"unknown field", nil, []inbox.Change{set("shoe_size", "43")}, "REFUSED unknown-field shoe_size"},
		{"field of the site", nil, []inbox.Change{set(ColumnActive, "true")}, "REFUSED unknown-field active"},
		{"unknown op", nil, []inbox.Change{{Field: inbox.FieldPhone, Op: "swap", Value: "1"}}, "REFUSED invalid phone"},
		{"empty value", nil, []inbox.Change{set(inbox.FieldPhone, " \n ")}, "REFUSED invalid phone"},

		{"add phone", fields{inbox.FieldPhone: "1"}, []inbox.Change{add(inbox.FieldPhone, "2")}, `phone add "1" -> "1, 2"`},
		{"add about", fields{inbox.FieldAbout: "One."}, []inbox.Change{add(inbox.FieldAbout, "Two.\r\nThree.")}, `about add "One." -> "One.\nTwo.\nThree."`},
		{"add to nothing", nil, []inbox.Change{add(inbox.FieldPhone, "2")}, `phone set "" -> "2"`},
		{"add what is there", fields{inbox.FieldPhone: "1, 2"}, []inbox.Change{add(inbox.FieldPhone, "2")}, "REFUSED same phone"},
		{"add part of what is there", fields{inbox.FieldPhone: "12"}, []inbox.Change{add(inbox.FieldPhone, "2")}, `phone add "12" -> "12, 2"`},
		{"add a second e-mail", fields{inbox.FieldEmail: "a@users.test"}, []inbox.Change{add(inbox.FieldEmail, "b@users.test")}, "REFUSED single email"},
		{"add the same e-mail", fields{inbox.FieldEmail: "a@users.test"}, []inbox.Change{add(inbox.FieldEmail, "a@USERS.test")}, "REFUSED same email"},
		{"add a second birth", fields{inbox.FieldBirth: "1980-01-02"}, []inbox.Change{add(inbox.FieldBirth, "1980-01-03")}, "REFUSED single date_of_birth"},
		{"add makes it too long", fields{inbox.FieldPhone: strings.Repeat("1", 98)}, []inbox.Change{add(inbox.FieldPhone, "2")}, "REFUSED too-long phone"},
		{"set, then add", fields{inbox.FieldPhone: "1"}, []inbox.Change{set(inbox.FieldPhone, "2"), add(inbox.FieldPhone, "3")}, `phone set "1" -> "2, 3"`},
		{"add, then add", fields{inbox.FieldPhone: "1"}, []inbox.Change{add(inbox.FieldPhone, "2"), add(inbox.FieldPhone, "3")}, `phone add "1" -> "1, 2, 3"`},
		{"set there and back", fields{inbox.FieldPhone: "1"}, []inbox.Change{set(inbox.FieldPhone, "2"), set(inbox.FieldPhone, "1")}, "REFUSED same phone"},

		{"e-mail", fields{inbox.FieldEmail: "a@users.test"}, []inbox.Change{set(inbox.FieldEmail, "B@Users.TEST")}, `email set "a@users.test" -> "B@users.test"`},
		{"e-mail with a name", nil, []inbox.Change{set(inbox.FieldEmail, "B <b@users.test>")}, "REFUSED bad-email email"},
		{"e-mail, same mailbox", fields{inbox.FieldEmail: "a@xn--e1afmkfd.test"}, []inbox.Change{set(inbox.FieldEmail, "a@пример.test")}, "REFUSED same email"},
		{"birth", nil, []inbox.Change{set(inbox.FieldBirth, "1980-02-29")}, `date_of_birth set "" -> "1980-02-29"`},
		{"birth that never was", nil, []inbox.Change{set(inbox.FieldBirth, "1981-02-29")}, "REFUSED bad-date date_of_birth"},
		{"birth in words", nil, []inbox.Change{set(inbox.FieldBirth, "2 May 80")}, "REFUSED bad-date date_of_birth"},
		{"birth long ago", nil, []inbox.Change{set(inbox.FieldBirth, "0198-05-02")}, "REFUSED bad-date date_of_birth"},
		{"birth to come", nil, []inbox.Change{set(inbox.FieldBirth, "2999-01-01")}, "REFUSED future-date date_of_birth"},
		{"gender", nil, []inbox.Change{set(inbox.FieldGender, "Female")}, `gender set "" -> "female"`},
		{"gender in own words", nil, []inbox.Change{set(inbox.FieldGender, "Nonbinary")}, `gender set "" -> "Nonbinary"`},
		{"phone without a digit", nil, []inbox.Change{set(inbox.FieldPhone, "my new number")}, "REFUSED invalid phone"},
		{"phone as written", nil, []inbox.Change{set(inbox.FieldPhone, "8 (701) 123-45-67 ext. 2")}, `phone set "" -> "8 (701) 123-45-67 ext. 2"`},
		{"address in lines", nil, []inbox.Change{set(inbox.FieldAddress, "Abay 1 \n\tAlmaty ")}, `address set "" -> "Abay 1\n Almaty"`},
		{"lines in one", nil, []inbox.Change{set(inbox.FieldLocation, "Almaty,\n Kazakhstan")}, `location set "" -> "Almaty, Kazakhstan"`},
		{"too long", nil, []inbox.Change{set(inbox.FieldAbout, long)}, "REFUSED too-long about"},
		{"just fits", nil, []inbox.Change{set(inbox.FieldAbout, long[2:])}, fmt.Sprintf("about set \"\" -> %q", long[2:])},
		{"control characters", nil, []inbox.Change{set(inbox.FieldAbout, "a\x1bb")}, "REFUSED invalid about"},
		{"NUL", nil, []inbox.Change{set(inbox.FieldPhone, "1\x002")}, "REFUSED invalid phone"},
		{"turned writing", nil, []inbox.Change{set(inbox.FieldNickname, "a\u202eb")}, "REFUSED invalid nickname"},
		{"no UTF-8", nil, []inbox.Change{set(inbox.FieldNickname, "a\xffb")}, "REFUSED invalid nickname"},
		{"unseen characters", nil, []inbox.Change{set(inbox.FieldNickname, "\ufeffbee\u200b")}, `nickname set "" -> "bee"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := users.Person{ID: "1", Active: true, Fields: c.held}
			if got := planned(t, p, inbox.Request{Kind: inbox.KindChange, Changes: c.changes}, false); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPlanNames(t *testing.T) {
	held := fields{inbox.FieldFullName: "Anna Petrova", inbox.FieldGivenName: "Anna", inbox.FieldFamilyName: "Petrova"}
	turned := fields{inbox.FieldFullName: "Петрова Анна", inbox.FieldGivenName: "Анна", inbox.FieldFamilyName: "Петрова"}
	apart := fields{inbox.FieldFullName: "Anna Maria Petrova", inbox.FieldGivenName: "Anna", inbox.FieldFamilyName: "Petrova"}
	only := fields{inbox.FieldFullName: "Anna Petrova"}
	one := fields{inbox.FieldFullName: "Anna", inbox.FieldGivenName: "Anna"}
	change := func(c ...inbox.Change) inbox.Request { return inbox.Request{Kind: inbox.KindChange, Changes: c} }
	clear := func(f ...inbox.Field) inbox.Request {
		return inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: f}
	}
	for _, c := range []struct {
		name string
		held fields
		r    inbox.Request
		want string
	}{
		{"married", held, change(set(inbox.FieldFullName, "Anna Kim")),
			`full_name set "Anna Petrova" -> "Anna Kim"; family_name set "Petrova" -> "Kim"`},
		{"married, family name first", held, change(set(inbox.FieldFullName, "Kim Anna")),
			`full_name set "Anna Petrova" -> "Kim Anna"; family_name set "Petrova" -> "Kim"`},
		{"all new, in the known order", held, change(set(inbox.FieldFullName, "Maria Kim")),
			`full_name set "Anna Petrova" -> "Maria Kim"; given_name set "Anna" -> "Maria"; family_name set "Petrova" -> "Kim"`},
		{"all new, family name first before", turned, change(set(inbox.FieldFullName, "Ким Мария")),
			`full_name set "Петрова Анна" -> "Ким Мария"; given_name set "Анна" -> "Мария"; family_name set "Петрова" -> "Ким"`},
		{"all new, order unknown", apart, change(set(inbox.FieldFullName, "Maria Kim")), `full_name set "Anna Maria Petrova" -> "Maria Kim"`},
		{"three words", held, change(set(inbox.FieldFullName, "Anna Maria Kim")), `full_name set "Anna Petrova" -> "Anna Maria Kim"`},
		{"one word", held, change(set(inbox.FieldFullName, "Anna")), `full_name set "Anna Petrova" -> "Anna"`},
		{"no parts held", only, change(set(inbox.FieldFullName, "Anna Kim")), `full_name set "Anna Petrova" -> "Anna Kim"`},
		{"one part held", one, change(set(inbox.FieldFullName, "Anna Kim")), `full_name set "Anna" -> "Anna Kim"`},
		{"turned round", held, change(set(inbox.FieldFullName, "Petrova Anna")), `full_name set "Anna Petrova" -> "Petrova Anna"`},
		{"given name", held, change(set(inbox.FieldGivenName, "Maria")),
			`given_name set "Anna" -> "Maria"; full_name set "Anna Petrova" -> "Maria Petrova"`},
		{"family name, first before", turned, change(set(inbox.FieldFamilyName, "Ким")),
			`family_name set "Петрова" -> "Ким"; full_name set "Петрова Анна" -> "Ким Анна"`},
		{"family name comes to one", one, change(set(inbox.FieldFamilyName, "Kim")),
			`family_name set "" -> "Kim"; full_name set "Anna" -> "Anna Kim"`},
		{"given name, full name apart", apart, change(set(inbox.FieldGivenName, "Maria")), `given_name set "Anna" -> "Maria"`},
		{"all three named", held, change(set(inbox.FieldFullName, "M. Kim"), set(inbox.FieldGivenName, "Maria")),
			`full_name set "Anna Petrova" -> "M. Kim"; given_name set "Anna" -> "Maria"`},
		{"a middle name", held, change(add(inbox.FieldGivenName, "Maria")),
			`given_name add "Anna" -> "Anna Maria"; full_name set "Anna Petrova" -> "Anna Maria Petrova"`},
		{"clear the full name", held, clear(inbox.FieldFullName),
			`full_name clear "Anna Petrova" -> ""; given_name clear "Anna" -> ""; family_name clear "Petrova" -> ""`},
		{"clear the family name", held, clear(inbox.FieldFamilyName),
			`family_name clear "Petrova" -> ""; full_name set "Anna Petrova" -> "Anna"`},
		{"clear both parts", held, clear(inbox.FieldFamilyName, inbox.FieldGivenName),
			`family_name clear "Petrova" -> ""; given_name clear "Anna" -> ""; full_name clear "Anna Petrova" -> ""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := planned(t, users.Person{ID: "1", Fields: c.held}, c.r, false); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPlanOther(t *testing.T) {
	active := users.Person{ID: "1", Active: true, Fields: fields{inbox.FieldEmail: "a@users.test", inbox.FieldPhone: "1"}}
	hidden := users.Person{ID: "1", Withdrawn: time.Unix(1, 0)}
	clear := func(f ...inbox.Field) inbox.Request {
		return inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: f}
	}
	for _, c := range []struct {
		name string
		p    users.Person
		r    inbox.Request
		undo bool
		want string
	}{
		{"delete account", active, inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false, "remove profile; remove visits"},
		{"delete without scope", active, inbox.Request{Kind: inbox.KindDelete}, false, "ERROR"},
		{"clear", active, clear(inbox.FieldPhone, inbox.FieldGender), false, `phone clear "1" -> ""; gender clear`},
		{"clear what is empty", active, clear(inbox.FieldGender), false, "REFUSED same gender"},
		{"clear nothing", active, clear(), false, "REFUSED invalid"},
		{"clear the address on record", active, clear(inbox.FieldPhone, inbox.FieldEmail), false, "REFUSED needed email"},
		{"clear what is not stored", active, clear("shoe_size"), false, "REFUSED unknown-field shoe_size"},
		{"clear what the site collected", active, clear(ColumnIP), false, "REFUSED unknown-field ip"},
		{"deactivate", active, inbox.Request{Kind: inbox.KindDeactivate}, false, "deactivate profile"},
		{"deactivate again", hidden, inbox.Request{Kind: inbox.KindDeactivate}, false, "REFUSED same"},
		{"reactivate", hidden, inbox.Request{Kind: inbox.KindDeactivate}, true, "reactivate profile"},
		{"reactivate again", active, inbox.Request{Kind: inbox.KindDeactivate}, true, "REFUSED same"},
		{"undo a delete", active, inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, true, "ERROR"},
		{"withdraw", active, inbox.Request{Kind: inbox.KindWithdraw}, false, "withdraw profile"},
		{"withdraw again", hidden, inbox.Request{Kind: inbox.KindWithdraw}, false, "REFUSED same"},
		{"copy", active, inbox.Request{Kind: inbox.KindCopy}, false, "send profile; send visits"},
		{"describe", active, inbox.Request{Kind: inbox.KindDescribe}, false, "describe profile; describe visits"},
		{"question", active, inbox.Request{Kind: inbox.KindQuestion}, false, "ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := planned(t, c.p, c.r, c.undo); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestDigestOfClear: what is confirmed is the set of fields, not what they
// hold at the moment.
func TestDigestOfClear(t *testing.T) {
	r := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldPhone, inbox.FieldGender}}
	digest := func(held fields) string {
		plan, err := Embedded().Plan(users.Person{ID: "1", Fields: held}, r, false)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Digest("1", r.Kind)
	}
	if digest(fields{inbox.FieldPhone: "1"}) != digest(fields{inbox.FieldPhone: "2", inbox.FieldGender: "male"}) {
		t.Error("the digest depends on what the fields hold")
	}
}

func TestFutureDateTurnsWithTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands at 2000-01-01 00:00 UTC
		c := Column{Type: TypeDate}
		for v, want := range map[string]Reason{"1999-12-31": "", "2000-01-01": "", "2000-01-02": ReasonFutureDate} {
			if _, r := c.Clean(v); r != want {
				t.Errorf("%s: %q, want %q", v, r, want)
			}
		}
		time.Sleep(10 * time.Hour) // it is the second of January in Kiritimati
		if _, r := c.Clean("2000-01-02"); r != "" {
			t.Errorf("the day that has begun in the east is refused: %s", r)
		}
	})
}

func FuzzChange(f *testing.F) {
	for _, v := range []string{"+7 701 123 45 67", "1980-02-29", "a@users.test", "Anna Petrova", "a\r\nb", "\u202e", "\xff", "female", ""} {
		f.Add(v, "Anna Petrova", true)
	}
	m := Embedded()
	f.Fuzz(func(t *testing.T, value, old string, set bool) {
		op := inbox.OpAdd
		if set {
			op = inbox.OpSet
		}
		for _, field := range m.Fields() {
			p := users.Person{ID: "1", Fields: fields{field: old, inbox.FieldGivenName: "Anna", inbox.FieldFamilyName: "Petrova"}}
			plan, err := m.Plan(p, inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: field, Op: op, Value: value}}}, false)
			if err != nil {
				if _, ok := errors.AsType[*RefusedError](err); !ok {
					t.Fatalf("%s: %v", field, err)
				}
				continue
			}
			for _, s := range plan.Steps {
				if s.Old != p.Fields[s.Field] || s.New == s.Old || s.New == "" {
					t.Errorf("%s: the step %+v", field, s)
				}
				if op == inbox.OpSet && (!utf8.ValidString(s.New) || strings.ContainsAny(s.New, "\x00\r\u202e")) {
					t.Errorf("%s: the new value %q", field, s.New)
				}
			}
		}
	})
}

// TestFieldInParts: a field that the table has in several columns takes one
// word for each, and what follows from another field does not force it.
func TestFieldInParts(t *testing.T) {
	m, err := New(Place{Name: "profile", Single: true, Label: Text{"en": "Profile"}, Columns: []Column{
		{Field: inbox.FieldFullName, Join: " ", Source: []string{"first", "last"}},
		{Field: inbox.FieldGivenName, Source: []string{"first"}}, {Field: inbox.FieldFamilyName, Source: []string{"last"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	held := fields{inbox.FieldFullName: "Anna Petrova", inbox.FieldGivenName: "Anna", inbox.FieldFamilyName: "Petrova"}
	full := func(op inbox.Op, v string) inbox.Request {
		return inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldFullName, Op: op, Value: v}}}
	}
	for name, c := range map[string]struct {
		r    inbox.Request
		want int // steps; 0: refused for its parts
	}{
		"two words":           {full(inbox.OpSet, "Anna Kim"), 2},
		"one":                 {full(inbox.OpSet, "Anna"), 0},
		"three":               {full(inbox.OpSet, "Anna Maria Kim"), 0},
		"one more":            {full(inbox.OpAdd, "Kim"), 0},
		"one part is cleared": {inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldGivenName}}, 1},
	} {
		plan, err := m.Plan(users.Person{ID: "1", Fields: held}, c.r, false)
		refused, ok := errors.AsType[*RefusedError](err)
		if parts := ok && refused.Reason == ReasonParts; len(plan.Steps) != c.want || parts != (c.want == 0) {
			t.Errorf("%s: %d steps, want %d (%v)", name, len(plan.Steps), c.want, err)
		}
	}
}
