package datamap

import (
	"strings"
	"testing"
	"unicode"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// TestEmbeddedTexts: everything that people read is there in each language,
// and in its script.
func TestEmbeddedTexts(t *testing.T) {
	latin := map[string]bool{"Cookie файлы": true, "Файл cookie": true}
	check := func(what string, text Text) {
		t.Helper()
		for _, lang := range []string{"en", "ru", "kk"} {
			s := text[lang]
			if strings.TrimSpace(s) == "" || s != strings.TrimSpace(s) {
				t.Errorf("%s: the text in %s is %q", what, lang, s)
			}
			cyrillic := strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
			if cyrillic != (lang != "en") && !latin[s] {
				t.Errorf("%s: the text in %s is %q", what, lang, s)
			}
		}
	}
	for _, p := range append(Embedded().Places(), cases) {
		check(p.Name+" label", p.Label)
		check(p.Name+" purpose", p.Purpose)
		check(p.Name+" retention", p.Retention)
		check(p.Name+" recipients", p.Recipients)
		for _, c := range p.Columns {
			check(p.Name+"."+string(c.Field), c.Label)
		}
	}
}

func TestEmbeddedFields(t *testing.T) {
	got, want := Embedded().Fields(), inbox.Fields()
	if len(got) != len(want) {
		t.Fatalf("the map has the fields %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("field %d is %s, want %s", i, got[i], want[i])
		}
	}
}

func TestLabels(t *testing.T) {
	m := Embedded()
	for _, c := range []struct{ got, want string }{
		{m.Label(inbox.FieldPhone, "en"), "Phone number"},
		{m.Label(inbox.FieldPhone, "ru-KZ"), "Телефон"},
		{m.Label(inbox.FieldPhone, "KK"), "Телефон нөмірі"},
		{m.Label(inbox.FieldPhone, "de"), "Phone number"},
		{m.Label(inbox.FieldPhone, "und"), "Phone number"},
		{m.Label(inbox.FieldPhone, ""), "Phone number"},
		{m.Label(ColumnIP, "ru"), "IP-адрес"},
		{m.Label("shoe_size", "ru"), "Shoe size"},
		{m.Label("", "ru"), ""},
		{m.ColumnLabel(PlaceVisits, "", "ru"), "Посещения сайта"},
		{m.ColumnLabel(PlaceVisits, ColumnAt, "kk"), "Уақыты"},
		{m.ColumnLabel("strange", inbox.FieldPhone, "en"), "Phone number"},
		{m.PlaceLabel(CasesPlace, "en"), "Mails to support"},
		{m.PlaceLabel("old_orders", "en"), "Old orders"},
		{Text{"fr": "oui", "de": "ja"}.In("kk"), "ja"},
		{Text(nil).In("en"), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestExtend(t *testing.T) {
	m, err := Embedded().Extend(PlaceProfile, Column{Field: "shoe_size", Max: 2, Label: Text{"en": "Size of shoes"}})
	if err != nil {
		t.Fatal(err)
	}
	r := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: "shoe_size", Op: inbox.OpSet, Value: "43"}}}
	plan, err := m.Plan(users.Person{ID: "1"}, r, false)
	if err != nil || show(plan) != `shoe_size set "" -> "43"` {
		t.Errorf("plan %s, %v", show(plan), err)
	}
	if got := m.Label("shoe_size", "kk"); got != "Size of shoes" {
		t.Errorf("label %q", got)
	}
	if _, err := Embedded().Plan(users.Person{ID: "1"}, r, false); err == nil {
		t.Error("the map that was extended has changed itself")
	}
	if _, err := Embedded().Extend("strange", Column{Field: "x"}); err == nil {
		t.Error("a strange place was extended")
	}
}

func TestNewListsAllFaults(t *testing.T) {
	_, err := New(
		Place{Name: "Orders", Label: Text{"en": "x"}},
		Place{Name: "cases", Single: true, Label: Text{"en": "x"}},
		Place{Name: "a", Single: true, Columns: []Column{{Field: "phone"}, {Field: "phone"}, {Field: "Bad name"}}},
		Place{Name: "b", Single: true, Label: Text{"en": "x"}, Columns: []Column{{Field: "phone"}, {Field: "id", Fixed: true}}},
		Place{Name: "c", Label: Text{"en": "x"}, Columns: []Column{{Field: "size"}}},
	)
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{"first place", `"Orders": the name`, `"cases": the name`, `"a": it has no label`, `"a", column "phone": the place has the field "phone" twice`,
		`"Bad name"`, `"b", column "phone": people may change the field "phone" elsewhere`, `"c", column "size": the place has many records`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the fault %s is not listed in:\n%v", want, err)
		}
	}
	if _, err := New(); err == nil {
		t.Error("a map without places was taken")
	}
}

// TestKeep: a place that the law keeps is planned as kept, with its reason in
// the reader's language, and the digest is the same in each.
func TestKeep(t *testing.T) {
	m, err := New(append(Embedded().Places(), Place{Name: "orders", Label: Text{"en": "Orders"},
		Erase: EraseNone, Keep: Text{"en": "tax law", "ru": "налоговый закон"}, Until: Text{"en": "five years", "ru": "пять лет"}})...)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.Plan(users.Person{ID: "1"}, inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, false)
	if err != nil || show(plan) != "remove profile; remove visits; keep orders: tax law until five years" {
		t.Fatalf("plan %s, %v", show(plan), err)
	}
	if got := show(m.Localize(plan, "ru")); !strings.HasSuffix(got, "keep orders: налоговый закон until пять лет") {
		t.Errorf("in Russian: %s", got)
	}
	if show(plan) != "remove profile; remove visits; keep orders: tax law until five years" {
		t.Error("Localize has changed the plan itself")
	}
}

func TestDescribe(t *testing.T) {
	m := Embedded()
	p := users.Person{ID: "1", Active: true, Fields: map[inbox.Field]string{inbox.FieldEmail: "a@users.test", inbox.FieldAbout: ""}}
	got := m.Describe(p, map[string]int{PlaceProfile: 1}, "en")
	if len(got) != 1 || strings.Join(got[0].Fields, "|") != "Account number|Account is active|Email address" || got[0].Count != 1 {
		t.Errorf("without visits: %+v", got)
	}
	counts := map[string]int{PlaceProfile: 1, PlaceVisits: 3, CountKey(PlaceVisits, ColumnCookie): 0, CountKey(PlaceVisits, ColumnIP): 2}
	got = m.Describe(p, counts, "ru")
	if len(got) != 2 {
		t.Fatalf("%d places, want 2", len(got))
	}
	v := got[1]
	if v.Place != PlaceVisits || v.Label != "Посещения сайта" || v.Count != 3 || strings.Join(v.Fields, "|") != "Время|IP-адрес|Браузер|Страница" {
		t.Errorf("visits: %+v", v)
	}
	if v.Purpose == "" || v.Retention == "" || v.Recipients == "" {
		t.Errorf("visits without purpose, retention or recipients: %+v", v)
	}
	if c := m.DescribeCases(2, "en"); c.Place != CasesPlace || c.Count != 2 || c.Purpose == "" {
		t.Errorf("cases: %+v", c)
	}
}

func TestReasons(t *testing.T) {
	seen := map[Reason]bool{}
	for _, r := range Reasons() {
		if r == "" || seen[r] {
			t.Errorf("the reason %q is empty or there twice", r)
		}
		if s := r.Sentence(); s == string(r) {
			t.Errorf("no sentence says the reason %q to staff", r)
		}
		seen[r] = true
	}
	if got := Refuse(ReasonSame, "").Error(); got != "refused: it is so already" {
		t.Errorf("error text %q", got)
	}
	if got := Refuse(ReasonBadDate, inbox.FieldBirth).Error(); got != "refused: date_of_birth: there is no such date" {
		t.Errorf("error text %q", got)
	}
}
