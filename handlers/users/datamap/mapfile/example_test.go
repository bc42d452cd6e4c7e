package mapfile

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/templates"
)

var languages = []string{"en", "ru", "kk"}

func example(t *testing.T, name string) *datamap.Map {
	t.Helper()
	m, err := Read([]byte(Example(name)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

func TestExamples(t *testing.T) {
	if got := strings.Join(Examples(), " "); got != "django laravel rails wordpress" {
		t.Errorf("there are %s", got)
	}
	for _, name := range []string{"", "drupal", "../mapfile", "django.toml"} {
		if Example(name) != "" {
			t.Errorf("there is a map called %q", name)
		}
	}
	for _, name := range Examples() {
		tables := map[string]bool{}
		for _, p := range example(t, name).Places() {
			tables[p.Source.Table] = true
		}
		if len(tables) < 3 {
			t.Errorf("%s: only the tables %v", name, tables)
		}
	}
}

// TestExamplesSayAll: every text of the ready maps is there in each language,
// in its script, with no blank or stop at its end.
func TestExamplesSayAll(t *testing.T) {
	for _, name := range Examples() {
		for _, p := range example(t, name).Places() {
			check := func(what string, text datamap.Text) {
				t.Helper()
				if len(text) != len(languages) {
					t.Errorf("%s: %s.%s is there in %d languages", name, p.Name, what, len(text))
				}
				for lang, s := range text {
					cyrillic := strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
					if cyrillic != (lang != "en") || strings.HasSuffix(s, ".") || !slices.Contains(languages, lang) {
						t.Errorf("%s: %s.%s in %s is %q", name, p.Name, what, lang, s)
					}
				}
			}
			check("label", p.Label)
			check("purpose", p.Purpose)
			check("retention", p.Retention)
			check("recipients", p.Recipients)
			for _, c := range p.Columns {
				check(string(c.Field)+" label", c.Label)
				if c.Erase.Op == datamap.RuleKeep {
					check(string(c.Field)+" why", c.Why)
					check(string(c.Field)+" until", c.Until)
				}
			}
		}
	}
}

// TestExamplesKeepSecrets: what lets somebody in goes into no copy.
func TestExamplesKeepSecrets(t *testing.T) {
	secret := regexp.MustCompile(`pass|token$|token_secret|activation_key|payload`)
	for _, name := range Examples() {
		for _, p := range example(t, name).Places() {
			for _, c := range p.Columns {
				if secret.MatchString(string(c.Field)) && !c.Hidden && c.Field != "reset_password_sent_at" {
					t.Errorf("%s: %s.%s is in copies", name, p.Name, c.Field)
				}
			}
		}
	}
}

// TestExamplesPlan: each kind of request has a plan, or is refused in words.
func TestExamplesPlan(t *testing.T) {
	member := users.Person{ID: "1", Active: true, Fields: map[inbox.Field]string{inbox.FieldEmail: "a@users.test"}}
	guest := users.Person{ID: "x:1", Guest: true, Fields: member.Fields}
	account := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
	for _, name := range Examples() {
		m := example(t, name)
		letters, err := templates.Load(nil, languages, m.ColumnLabel)
		if err != nil {
			t.Fatal(err)
		}
		byAddress := slices.ContainsFunc(m.Places(), func(p datamap.Place) bool { return p.Source.Link.ByAddress() })
		if want := name == "wordpress" || name == "laravel"; byAddress != want {
			t.Errorf("%s: rows are found by address: %v", name, byAddress)
		}
		for _, p := range []users.Person{member, guest} {
			if p.Guest && !byAddress {
				continue
			}
			plan, err := m.Plan(p, account, false)
			if err != nil || m.OfGuest(plan) != p.Guest {
				t.Errorf("%s: guest %v: %+v, %v", name, p.Guest, plan, err)
			}
			for _, lang := range languages {
				shown := m.Localize(plan, lang)
				it := templates.Item{Kind: account.Kind, Scope: account.Scope, Guest: p.Guest, Steps: shown.Steps, Keeps: shown.Keeps}
				l, err := letters.Render(templates.Confirm, lang, templates.Data{Items: []templates.Item{it}})
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range plan.Steps {
					if label := m.ColumnLabel(s.Place, s.Field, lang); !strings.Contains(strings.Join(strings.Fields(l.Text), " "), label) {
						t.Errorf("%s: %q is not in the letter\n%s", name, label, l.Text)
					}
				}
				t.Logf("=== %s %s\n%s", name, lang, l.Text)
			}
		}
		plan, err := m.Plan(member, inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "b@users.test"}}}, false)
		follows := map[string]int{"wordpress": 1}[name] // comments without an account
		if err != nil || len(plan.Steps) != 1+follows {
			t.Errorf("%s: a change of address: %+v, %v", name, plan, err)
		}
	}
}

// column is a column of a CREATE TABLE, a line of its own.
var column = regexp.MustCompile("(?m)^    [\"`]([A-Za-z0-9_]+)[\"`] ")

// TestExamplesFitTheTables: every table and column that a map names is in the
// tables of the framework, and every column of them that could be about somebody
// is in the map.
func TestExamplesFitTheTables(t *testing.T) {
	// Columns that say nothing about a person, and that the maps leave out.
	plain := map[string]string{
		"wordpress": "comment_post_ID comment_date_gmt comment_karma comment_approved comment_type comment_parent",
		"django":    "content_type_id app_id",
		"rails":     "service_name",
	}
	for _, name := range Examples() {
		m := example(t, name)
		for _, dialect := range []string{"postgres", "mysql", "sqlite"} {
			ddl := string(read(t, "examples/"+name+"."+dialect+".sql"))
			tables := map[string][]string{}
			for part := range strings.SplitSeq(ddl, "CREATE TABLE ") {
				if end := strings.IndexByte(part, ' '); end > 0 && strings.ContainsAny(part[:1], "\"`") {
					table := strings.Trim(part[:end], "\"`")
					for _, c := range column.FindAllStringSubmatch(part, -1) {
						tables[table] = append(tables[table], c[1])
					}
				}
			}
			named := map[string][]string{}
			for _, p := range m.Places() {
				has := append(p.Source.Key, p.Source.Link.Column)
				for _, w := range p.Source.Where {
					has = append(has, w.Column)
				}
				for _, c := range p.Columns {
					has = append(has, c.Names()...)
				}
				a := p.Account
				has = append(has, a.Active.Column, a.Withdrawn, a.LastSeen)
				for _, c := range has {
					if c != "" && !slices.Contains(tables[p.Source.Table], c) {
						t.Errorf("%s, %s: %s has no column %s", name, dialect, p.Source.Table, c)
					}
				}
				named[p.Source.Table] = append(named[p.Source.Table], has...)
			}
			for table, columns := range tables {
				for _, c := range columns {
					if !slices.Contains(named[table], c) && !slices.Contains(strings.Fields(plain[name]), c) {
						t.Errorf("%s, %s: the map leaves out %s.%s", name, dialect, table, c)
					}
				}
			}
		}
	}
}
