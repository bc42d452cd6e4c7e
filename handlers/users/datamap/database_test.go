package datamap

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// shop gives the places of a site with a database: an account, a place below
// it with fields of its own, orders below that are kept in part, and what
// people without an account left behind, with something below it.
func shop() []Place {
	label := Text{"en": "x"}
	email, _ := Known(inbox.FieldEmail)
	source := func(table string, link Link) Source { return Source{Table: table, Key: []string{"id"}, Link: link} }
	own := func(to string) Link { return Link{Column: "user_id", Parent: "profile", To: to} }
	law := Text{"en": "tax law", "ru": "налоговый закон"}
	return []Place{
		{Name: "profile", Single: true, Label: label, Source: source("users", Link{}),
			Columns: []Column{email, {Field: "password", Fixed: true, Hidden: true}, {Field: "full_name", Max: 50, Source: []string{"first", "last"}}}},
		{Name: "settings", Single: true, Label: label, Source: source("settings", own("id")),
			Columns: []Column{{Field: "shoe_size", Max: 2, Label: Text{"en": "Shoe size"}, Words: map[string][]string{"en": {"size of shoes"}, "ru": {"размер обуви"}}}}},
		{Name: "orders", Label: label, Source: source("orders", own("id")), Erase: EraseValues,
			Columns: []Column{{Field: "street", Fixed: true, Erase: Rule{Op: RuleNull}}, {Field: "name", Fixed: true, Erase: Rule{Op: RuleValue, Value: "gone"}},
				{Field: "total", Fixed: true, Erase: Rule{Op: RuleKeep}, Why: law, Until: Text{"en": "2031-12-31"}}}},
		{Name: "messages", Label: label, Source: source("messages", Link{Column: "sender", Parent: ""})},
		{Name: "files", Label: label, Source: source("files", Link{Column: "message_id", Parent: "messages", To: "id"})},
	}
}

func shopMap(t *testing.T, change func(p []Place)) *Map {
	t.Helper()
	places := shop()
	if change != nil {
		change(places)
	}
	m, err := New(places...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// said is a plan as one line, or the refusal.
func said(t *testing.T, m *Map, p users.Person, r inbox.Request, undo bool) string {
	t.Helper()
	plan, err := m.Plan(p, r, undo)
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return strings.TrimSpace("REFUSED " + string(refused.Reason) + " " + string(refused.Field))
	}
	if err != nil {
		t.Fatal(err)
	}
	return show(plan)
}

func TestPlanInADatabase(t *testing.T) {
	change := func(c ...inbox.Change) inbox.Request { return inbox.Request{Kind: inbox.KindChange, Changes: c} }
	clear := func(f ...inbox.Field) inbox.Request {
		return inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: f}
	}
	all := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
	member := users.Person{ID: "1", Active: true, Fields: fields{"email": "a@users.test", "full_name": "Anna Petrova", "shoe_size": "38"}}
	guest := users.Person{ID: "messages:7", Guest: true, Fields: fields{"email": "a@users.test"}}
	for _, c := range []struct {
		name string
		p    users.Person
		r    inbox.Request
		want string
	}{
		{"delete", member, all, `remove profile; remove settings; orders.street blank "" -> "null"; orders.name blank "" -> "=gone"; ` +
			`remove messages; remove files; keep orders.total: tax law until 2031-12-31`},
		{"copy", member, inbox.Request{Kind: inbox.KindCopy}, "send profile; send settings; send orders; send messages; send files"},
		{"a field of another place", member, change(set("shoe_size", "39")), `settings.shoe_size set "38" -> "39"`},
		{"a field of another place and one of the account", member, change(set("shoe_size", "39"), set("email", "b@users.test")),
			`settings.shoe_size set "38" -> "39"; email set "a@users.test" -> "b@users.test"; messages.email readdress`},
		{"a field of another place goes", member, clear("shoe_size"), `settings.shoe_size clear "38" -> ""`},
		{"a field of another place is too long", member, change(set("shoe_size", "390")), "REFUSED too-long shoe_size"},
		{"two columns, two words", member, change(set("full_name", " Anna  Kim ")), `full_name set "Anna Petrova" -> "Anna Kim"`},
		{"two columns, one word", member, change(set("full_name", "Anna")), "REFUSED parts full_name"},
		{"two columns, three words", member, change(set("full_name", "Anna Maria Kim")), "REFUSED parts full_name"},
		{"two columns, a word more", member, change(add("full_name", "Kim")), "REFUSED single full_name"},
		{"two columns, added to nothing", users.Person{ID: "1"}, change(add("full_name", "Kim")), "REFUSED parts full_name"},
		{"two columns, cleared", member, clear("full_name"), `full_name clear "Anna Petrova" -> ""`},
		{"nowhere to record it", member, inbox.Request{Kind: inbox.KindDeactivate}, "REFUSED no-deactivate"},
		{"nowhere to object", member, inbox.Request{Kind: inbox.KindWithdraw}, "REFUSED no-withdraw"},
		{"guest: delete", guest, all, "remove messages; remove files"},
		{"guest: copy", guest, inbox.Request{Kind: inbox.KindCopy}, "send messages; send files"},
		{"guest: describe", guest, inbox.Request{Kind: inbox.KindDescribe}, "describe messages; describe files"},
		{"guest: change", guest, change(set("email", "b@users.test")), "REFUSED guest"},
		{"guest: a field goes", guest, clear("email"), "REFUSED guest"},
		{"guest: deactivate", guest, inbox.Request{Kind: inbox.KindDeactivate}, "REFUSED guest"},
		{"guest: withdraw", guest, inbox.Request{Kind: inbox.KindWithdraw}, "REFUSED guest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := said(t, shopMap(t, nil), c.p, c.r, false); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestPlanReaddress: what is linked by address follows it, unless the map says
// that it stays as it is; then the plan says so, with the reason.
func TestPlanReaddress(t *testing.T) {
	law := Text{"en": "audit", "ru": "проверка"}
	member := users.Person{ID: "1", Active: true, Fields: fields{"email": "a@users.test", "full_name": "Anna Petrova"}}
	move := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("email", "b@users.test")}}
	const email = `email set "a@users.test" -> "b@users.test"`
	for name, c := range map[string]struct {
		change func(p *Place)
		want   string
	}{
		"as it is":     {func(*Place) {}, email + "; messages.email readdress"},
		"made to stay": {func(p *Place) { p.Source.Link.Fixed, p.Source.Link.Why = true, law }, email + "; earlier messages: audit until ; earlier files: audit until"},
		"rows kept":    {func(p *Place) { p.Erase, p.Keep, p.Until = EraseNone, law, Text{"en": "2031-12-31"} }, email + "; earlier messages: audit until 2031-12-31; earlier files: audit until 2031-12-31"},
		"its column kept": {func(p *Place) {
			p.Erase, p.Columns = EraseValues, []Column{{Field: "from", Source: []string{"sender"}, Fixed: true, Erase: Rule{Op: RuleKeep}, Why: law}}
		}, email + "; earlier messages: audit until ; earlier files: audit until"},
		"its column hidden": {func(p *Place) {
			p.Erase, p.Columns = EraseValues, []Column{{Field: "sender", Fixed: true, Erase: Rule{Op: RuleInvalid}}}
		}, email + "; messages.email readdress"},
		"another kept": {func(p *Place) {
			p.Erase, p.Columns = EraseValues, []Column{{Field: "text", Fixed: true, Erase: Rule{Op: RuleKeep}, Why: law}}
		}, email + "; messages.email readdress"},
		"a rule of no use": {func(p *Place) {
			p.Columns = []Column{{Field: "sender", Fixed: true, Erase: Rule{Op: RuleKeep}, Why: law}}
		}, email + "; messages.email readdress"},
	} {
		m := shopMap(t, func(p []Place) { c.change(&p[3]) })
		if got := strings.TrimSpace(said(t, m, member, move, false)); got != strings.TrimSpace(c.want) {
			t.Errorf("%s: got  %s\nwant %s", name, got, c.want)
		}
		if p, _ := m.Place("messages"); p.Readdressed() != strings.Contains(c.want, "readdress") {
			t.Errorf("%s: Readdressed is %v", name, p.Readdressed())
		}
		if got := said(t, m, member, inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{set("full_name", "Anna Kim")}}, false); strings.Contains(got, "messages") {
			t.Errorf("%s: a change of a name: %s", name, got)
		}
	}
	if _, err := New(func() []Place { p := shop(); p[2].Source.Link.Fixed = true; return p }()...); err == nil || !strings.Contains(err.Error(), "the address of its time") {
		t.Errorf("a link by ID that is fixed: %v", err)
	}
	if _, err := New(func() []Place { p := shop(); p[3].Source.Link.Fixed = true; return p }()...); err == nil || !strings.Contains(err.Error(), "no reason is given that people could be told") {
		t.Errorf("a link that is fixed for no reason: %v", err)
	}
}

// TestPlanEraseWhatStays: what does not follow a person's address is out of the
// reach of a delete that comes later, also what hangs on it; the plan says so,
// with the reason in the reader's language. Of what is kept whatever the
// address is, and of a guest, there is nothing to say.
func TestPlanEraseWhatStays(t *testing.T) {
	law := Text{"en": "audit", "ru": "проверка"}
	member := users.Person{ID: "1", Active: true, Fields: fields{"email": "a@users.test"}}
	guest := users.Person{ID: "messages:1", Active: true, Guest: true, Fields: fields{"email": "a@users.test"}}
	all := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
	const before = "remove profile; remove settings; orders.street blank \"\" -> \"null\"; orders.name blank \"\" -> \"=gone\"; "
	const total = "keep orders.total: tax law until 2031-12-31"
	for name, c := range map[string]struct {
		change      func(p *Place)
		want, guest string
	}{
		"follows":         {func(*Place) {}, "remove messages; remove files; " + total, "remove messages; remove files"},
		"fixed":           {func(p *Place) { p.Source.Link.Fixed, p.Source.Link.Why = true, law }, "remove messages; remove files; " + total + "; earlier messages: audit until ; earlier files: audit until", "remove messages; remove files"},
		"kept as a whole": {func(p *Place) { p.Erase, p.Keep = EraseNone, law }, "remove files; " + total + "; keep messages: audit until ; earlier files: audit until", "remove files; keep messages: audit until"},
		"its column kept": {func(p *Place) {
			p.Erase, p.Columns = EraseValues, []Column{{Field: "sender", Fixed: true, Erase: Rule{Op: RuleKeep}, Why: law}, {Field: "text", Fixed: true, Erase: Rule{Op: RuleNull}}}
		}, "messages.text blank \"\" -> \"null\"; remove files; " + total + "; keep messages.sender: audit until ; earlier messages: audit until ; earlier files: audit until",
			"messages.text blank \"\" -> \"null\"; remove files; keep messages.sender: audit until"},
	} {
		m := shopMap(t, func(p []Place) { c.change(&p[3]) })
		if got := said(t, m, member, all, false); strings.TrimSpace(got) != strings.TrimSpace(before+c.want) {
			t.Errorf("%s: got  %s\nwant %s", name, got, before+c.want)
		}
		if got := said(t, m, guest, all, false); strings.TrimSpace(got) != strings.TrimSpace(c.guest) {
			t.Errorf("%s of a guest: got  %s\nwant %s", name, got, c.guest)
		}
	}
	m := shopMap(t, func(p []Place) { p[3].Source.Link.Fixed, p[3].Source.Link.Why = true, law })
	plan, err := m.Plan(member, all, false)
	if err != nil {
		t.Fatal(err)
	}
	if keeps := m.Localize(plan, "ru").Keeps; keeps[1].Why != "проверка" || keeps[2].Why != "проверка" {
		t.Errorf("in Russian: %+v", keeps)
	}
	without := plan
	without.Keeps = slices.Clone(plan.Keeps)
	without.Keeps[1].Earlier = false
	if plan.Digest("1", inbox.KindDelete) == without.Digest("1", inbox.KindDelete) {
		t.Error("the digest does not say which rows stay")
	}
}

// With the columns named, the same requests have plans.
func TestAccountColumns(t *testing.T) {
	m := shopMap(t, func(p []Place) {
		p[0].Account = Account{Active: Switch{Column: "is_active", On: "1", Off: "0"}, Withdrawn: "objected_at"}
	})
	p := users.Person{ID: "1", Active: true}
	for r, want := range map[inbox.Kind]string{inbox.KindDeactivate: "deactivate profile", inbox.KindWithdraw: "withdraw profile"} {
		if got := said(t, m, p, inbox.Request{Kind: r}, false); got != want {
			t.Errorf("%s: got %s, want %s", r, got, want)
		}
	}
	if got := said(t, shopMap(t, nil), p, inbox.Request{Kind: inbox.KindDeactivate}, true); got != "REFUSED same" {
		t.Errorf("an account that is always active, reactivated: %s", got)
	}
	p.Withdrawn = time.Unix(1, 0)
	if got := said(t, m, p, inbox.Request{Kind: inbox.KindWithdraw}, false); got != "REFUSED same" {
		t.Errorf("objected before: %s", got)
	}
	if m.TakesObjections() == shopMap(t, nil).TakesObjections() {
		t.Error("a map with a column for objections says the same as one without")
	}
}

// A guest all of whose rows have to be kept is told so, and no effect is made
// that would do nothing.
func TestAllIsKept(t *testing.T) {
	m := shopMap(t, func(p []Place) {
		for _, i := range []int{3, 4} {
			p[i].Erase, p[i].Keep = EraseNone, Text{"en": "tax law"}
		}
	})
	r := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
	if got := said(t, m, users.Person{ID: "messages:7", Guest: true}, r, false); got != "REFUSED kept" {
		t.Errorf("a guest: %s", got)
	}
	if got := said(t, m, users.Person{ID: "1"}, r, false); !strings.HasPrefix(got, "remove profile;") {
		t.Errorf("an account: %s", got)
	}
}

// TestNamesApart: a site that stores given and family name, and no full name,
// follows a full name where it is certain what becomes of the two.
func TestNamesApart(t *testing.T) {
	m := shopMap(t, func(p []Place) {
		p[0].Columns = append(p[0].Columns[:1], Column{Field: "given_name", Join: " "}, Column{Field: "family_name", Join: " "})
	})
	held := fields{"email": "a@users.test", "given_name": "Anna", "family_name": "Petrova"}
	change := func(c ...inbox.Change) inbox.Request { return inbox.Request{Kind: inbox.KindChange, Changes: c} }
	clear := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{"full_name"}}
	for _, c := range []struct {
		name string
		held fields
		r    inbox.Request
		want string
	}{
		{"married", held, change(set("full_name", "Anna Kim")), `family_name set "Petrova" -> "Kim"`},
		{"married, family name first", held, change(set("full_name", "Kim Anna")), `family_name set "Petrova" -> "Kim"`},
		{"all new", held, change(set("full_name", "Maria Kim")), "REFUSED names full_name"},
		{"three words", held, change(set("full_name", "Anna Maria Kim")), "REFUSED names full_name"},
		{"nothing held", nil, change(set("full_name", "Maria Kim")), "REFUSED names full_name"},
		{"as it is", held, change(set("full_name", "Anna Petrova")), "REFUSED same full_name"},
		{"turned round", held, change(set("full_name", "Petrova Anna")), "REFUSED same full_name"},
		{"a word more", held, change(add("full_name", "Kim")), "REFUSED names full_name"},
		{"and both parts", held, change(set("full_name", "M. Kim"), set("given_name", "Maria"), set("family_name", "Kim")),
			`given_name set "Anna" -> "Maria"; family_name set "Petrova" -> "Kim"`},
		{"and a part that fits", held, change(set("full_name", "Maria Petrova"), set("given_name", "Maria")), `given_name set "Anna" -> "Maria"`},
		{"and a part that does not", held, change(set("full_name", "Anna Kim"), set("given_name", "Maria")), "REFUSED names full_name"},
		{"a part alone", held, change(set("given_name", "Maria")), `given_name set "Anna" -> "Maria"`},
		{"cleared", held, clear, `given_name clear "Anna" -> ""; family_name clear "Petrova" -> ""`},
		{"cleared, one is empty", fields{"given_name": "Anna"}, clear, `given_name clear "Anna" -> ""; family_name clear`},
		{"cleared, nothing held", nil, clear, "REFUSED same full_name"},
		{"not a name", held, change(set("full_name", "Anna\x00Kim")), "REFUSED invalid full_name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := said(t, m, users.Person{ID: "1", Fields: c.held}, c.r, false); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	if got := m.Label("full_name", "ru"); got != "Полное имя" {
		t.Errorf("what the map does not have is called %q", got)
	}
}

func TestHiddenIsNotDescribed(t *testing.T) {
	m := shopMap(t, nil)
	p := users.Person{ID: "1", Fields: fields{"email": "a@users.test"}}
	got := m.Describe(p, map[string]int{"profile": 1, CountKey("profile", "password"): 1}, "en")
	if len(got) != 1 || strings.Join(got[0].Fields, "|") != "Email address" {
		t.Errorf("got %+v", got)
	}
	if m.Shown("profile", "password") || !m.Shown("profile", "email") || !m.Shown("cases", "text") {
		t.Error("the wrong columns go into copies")
	}
	guest := users.Person{ID: "messages:7", Guest: true}
	if got := m.Describe(guest, map[string]int{"messages": 2}, "en"); len(got) != 1 || got[0].Place != "messages" {
		t.Errorf("of a guest: %+v", got)
	}
}

func TestOfGuest(t *testing.T) {
	m := shopMap(t, nil)
	step := func(place string) []inbox.Step { return []inbox.Step{{Place: place, Op: inbox.StepRemove}} }
	for _, c := range []struct {
		plan inbox.Plan
		want bool
	}{
		{inbox.Plan{Steps: step("messages")}, true},
		{inbox.Plan{Steps: step("profile")}, false},
		{inbox.Plan{Steps: step("messages"), Keeps: []inbox.Keep{{Place: "profile"}}}, false},
		{inbox.Plan{}, false},
	} {
		if got := m.OfGuest(c.plan); got != c.want {
			t.Errorf("%+v: %v", c.plan, got)
		}
	}
}

func TestWords(t *testing.T) {
	words := shopMap(t, nil).Words()
	if got := strings.Join(words["en"]["shoe_size"], "|"); got != "Shoe size|size of shoes" {
		t.Errorf("en: %q", got)
	}
	if got := strings.Join(words["ru"]["shoe_size"], "|"); got != "размер обуви" {
		t.Errorf("ru: %q", got)
	}
	if got := words["en"]["email"]; got != nil {
		t.Errorf("of a field that everybody knows: %q", got)
	}
}

// Each change of the places is one fault, named with its place.
func TestSourceFaults(t *testing.T) {
	for want, change := range map[string]func(p []Place){
		`"orders": its table is missing`:                              func(p []Place) { p[2].Source.Table = "" },
		`"orders": its key is missing`:                                func(p []Place) { p[2].Source.Key = nil },
		`"profile": the key of the account must be one column`:        func(p []Place) { p[0].Source.Key = []string{"id", "site"} },
		`"profile": no column is the field "email"`:                   func(p []Place) { p[0].Columns = p[0].Columns[1:] },
		`"profile": the person's own record is linked`:                func(p []Place) { p[0].Source.Link.Column = "id" },
		`"profile": on and off are the same value`:                    func(p []Place) { p[0].Account.Active.Column = "active" },
		`column "nick": the table's column "first" is in "full_name"`: func(p []Place) { p[0].Columns = append(p[0].Columns, Column{Field: "nick", Source: []string{"first"}}) },
		`it is the table's key, which people cannot change`:           func(p []Place) { p[1].Columns[0].Source = []string{"id"} },
		`only a text of one line can lie in several columns`:          func(p []Place) { p[0].Columns[2].Join = " " },
		`"files": nothing says how its rows belong`:                   func(p []Place) { p[4].Source.Link = Link{} },
		`linked to the place "mesages", which`:                        func(p []Place) { p[4].Source.Link.Parent = "mesages" },
		`"messages": its links lead neither`: func(p []Place) {
			p[3].Source.Link = Link{Column: "file_id", Parent: "files", To: "id"}
		},
	} {
		places := shop()
		change(places)
		if _, err := New(places...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
}
