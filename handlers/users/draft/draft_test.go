package draft

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/handlers/users/fit"
	"push.guru/supportd/handlers/users/realsql"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/settings"
)

var (
	servers realsql.Servers
	update  = flag.Bool("update", false, "write the wanted maps anew; read them before you commit")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(servers.Run(m))
}

var stores = []string{"postgres", "mysql", "sqlite"}

// site is a site's database.
type site struct {
	config sqlusers.Config
	schema sqlusers.Schema
	db     *sql.DB
}

// newSite makes a database from a script: statements that end with a semicolon
// and the end of a line.
func newSite(t *testing.T, store, script string) *site {
	t.Helper()
	d := servers.Fresh(t, store)
	d.Script(t, script)
	s := &site{config: sqlusers.Config{Store: store, DSN: d.DSN, Path: d.Path, Key: make([]byte, 16)}, db: d.SQL}
	var err error
	if s.schema, err = sqlusers.ReadSchema(t.Context(), s.config); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantTODOs reads a draft: its faults must each be on a line with a TODO.
func wantTODOs(t *testing.T, text string) settings.Faults {
	t.Helper()
	lines := strings.Split(text, "\n")
	_, err := mapfile.Read([]byte(text))
	var faults settings.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("a draft with TODOs was read: %v", err)
	}
	for _, f := range faults {
		if f.Line < 1 || !strings.Contains(lines[f.Line-1], "TODO") {
			t.Errorf("line %d: %v", f.Line, f)
		}
	}
	return faults
}

// finished answers the TODOs of a draft, of each of which a fault must remind,
// and reads it again.
func finished(t *testing.T, text string) *datamap.Map {
	t.Helper()
	faults := wantTODOs(t, text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.Contains(line, "TODO") || strings.HasPrefix(line, "#") {
			continue
		}
		if !slices.ContainsFunc(faults, func(f settings.Fault) bool { return f.Line == i+1 }) {
			t.Errorf("nothing reminds of the TODO in line %d: %s", i+1, line)
		}
		if strings.HasPrefix(line, "  name ") { // the column is taken out
			for j := i - 1; j < len(lines) && lines[j] != ""; j++ {
				lines[j] = ""
			}
			continue
		}
		line = strings.Replace(line, `{ en = "" }`, `{ en = "x" }`, 1)
		if strings.HasPrefix(line, "where") {
			line = strings.Replace(line, " } ]", `, value = "User" } ]`, 1)
		}
		lines[i] = line
	}
	if strings.Contains(text, `key        = ""`) {
		return nil // first a table must be altered
	}
	m, err := mapfile.Read([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatalf("the finished draft: %v\n%s", err, text)
	}
	return m
}

// wantFits opens the store with the map, and fails unless that fits it.
func wantFits(t *testing.T, s *site, m *datamap.Map) *sqlusers.Store {
	t.Helper()
	c := s.config
	c.Map = m
	st, err := sqlusers.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := st.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := fit.Check(t.Context(), st, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if t.Log(f); !f.Remark {
			t.Error(f)
		}
	}
	return st
}

// found counts what a draft has of what a ready map has.
type found struct{ tables, links, fields, secrets share }

type share struct{ got, of int }

func (s share) String() string { return fmt.Sprintf("%d/%d", s.got, s.of) }

func (s *share) count(ok bool) {
	if s.of++; ok {
		s.got++
	}
}

// compare holds a draft against the ready map for the same tables.
func compare(t *testing.T, draft, ready *datamap.Map) (f found) {
	tables, links, columns, hidden := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	each := func(m *datamap.Map, table func(p datamap.Place, link string), column func(name string, c datamap.Column)) {
		for _, p := range m.Places() {
			up, _ := m.Place(p.Source.Link.Parent)
			table(p, fmt.Sprint(p.Source.Table, " by ", p.Source.Link.Column, " to ", up.Source.Table, " ", p.Source.Link.To))
			for _, c := range p.Columns {
				column(p.Source.Table+"."+strings.Join(c.Names(), "+"), c)
			}
		}
	}
	each(draft, func(p datamap.Place, link string) { tables[p.Source.Table], links[link] = true, true }, func(name string, c datamap.Column) {
		columns[name+" "+string(c.Field)], hidden[name] = !c.Fixed, c.Hidden
	})
	seen := map[string]bool{}
	count := func(s *share, what, name string, ok bool) {
		if seen[what+name] {
			return
		}
		seen[what+name] = true
		if s.count(ok); !ok {
			t.Logf("not found: %s %s", what, name)
		}
	}
	each(ready, func(p datamap.Place, link string) {
		count(&f.tables, "table", p.Source.Table, tables[p.Source.Table])
		count(&f.links, "link", link, links[link])
	}, func(name string, c datamap.Column) {
		if !c.Fixed {
			count(&f.fields, "field", name+" "+string(c.Field), columns[name+" "+string(c.Field)])
		}
		if c.Hidden {
			count(&f.secrets, "secret", name, hidden[name])
		}
	})
	return f
}

// TestFrameworks drafts a map from the tables of each framework, on each
// database, and holds it against the ready one.
func TestFrameworks(t *testing.T) {
	// What cannot be seen from tables: the names in WordPress's rows of key and
	// value, and a field of its own; that Rails' files belong to what is attached.
	least := map[string]found{
		"django":    {share{8, 8}, share{8, 8}, share{3, 3}, share{4, 4}},
		"laravel":   {share{4, 4}, share{4, 4}, share{2, 2}, share{6, 6}},
		"rails":     {share{3, 4}, share{3, 4}, share{1, 1}, share{4, 6}},
		"wordpress": {share{4, 4}, share{5, 5}, share{2, 7}, share{2, 2}},
	}
	rows := []string{fmt.Sprintf("%-10s %-9s %7s %7s %7s %7s", "", "", "tables", "links", "fields", "secrets")}
	for _, name := range mapfile.Examples() {
		ready, err := mapfile.Read([]byte(mapfile.Example(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, store := range stores {
			t.Run(name+"/"+store, func(t *testing.T) {
				ddl, err := os.ReadFile("../datamap/mapfile/examples/" + name + "." + store + ".sql")
				if err != nil {
					t.Fatal(err)
				}
				s := newSite(t, store, string(ddl))
				m := finished(t, Map(s.schema))
				f := compare(t, m, ready)
				rows = append(rows, fmt.Sprintf("%-10s %-9s %7s %7s %7s %7s", name, store, f.tables, f.links, f.fields, f.secrets))
				for i, got := range []share{f.tables, f.links, f.fields, f.secrets} {
					if want := []share{least[name].tables, least[name].links, least[name].fields, least[name].secrets}[i]; got.got < want.got || got.of != want.of {
						t.Errorf("column %d: %v, want %v", i+1, got, want)
					}
				}
				wantFits(t, s, m)
			})
		}
	}
	t.Log("what a draft has of what the ready map has:\n" + strings.Join(rows, "\n"))
}

// TestDrafts writes the maps of sites that nobody here made, and reads them: a
// case is the tables, and the map that is wanted.
func TestDrafts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) < 5 {
		t.Fatal("the cases are missing")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, store := range stores {
			if first, _, _ := strings.Cut(string(script), "\n"); strings.HasPrefix(first, "-- only ") && !strings.Contains(first, store) {
				continue
			}
			t.Run(name+"/"+store, func(t *testing.T) {
				s := newSite(t, store, string(script))
				text := Map(s.schema)
				if golden := "testdata/" + name + ".toml"; *update {
					if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if want, err := os.ReadFile(golden); err != nil || text != string(want) {
					t.Errorf("%v, got\n%s", err, text)
				}
				if strings.Contains(text, "No table") {
					if _, err := mapfile.Read([]byte(text)); err == nil {
						t.Error("a map without people was read")
					}
					return
				}
				if m := finished(t, text); m != nil {
					wantFits(t, s, m)
				}
			})
		}
	}
}

// TestErases carries a finished draft out: whoever wants to go, goes, on every
// database.
func TestErases(t *testing.T) {
	for _, name := range mapfile.Examples() {
		for _, store := range stores {
			t.Run(name+"/"+store, func(t *testing.T) {
				ddl, err := os.ReadFile("../datamap/mapfile/examples/" + name + "." + store + ".sql")
				if err != nil {
					t.Fatal(err)
				}
				s := newSite(t, store, string(ddl))
				m := finished(t, Map(s.schema))
				st := wantFits(t, s, m)
				insert := map[string]string{
					"django":    "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) VALUES (7, 'x', false, 'a', 'A', 'B', 'anna@users.test', false, true, '2020-01-01 00:00:00')",
					"laravel":   "INSERT INTO users (id, name, email, password) VALUES (7, 'A', 'anna@users.test', 'x')",
					"rails":     "INSERT INTO users (id, email, created_at, updated_at) VALUES (7, 'anna@users.test', '2020-01-01 00:00:00', '2020-01-01 00:00:00')",
					"wordpress": "INSERT INTO wp_users (ID, user_login, user_pass, user_email, user_registered, display_name) VALUES (7, 'a', 'x', 'anna@users.test', '2020-01-01 00:00:00', 'A')",
				}[name]
				if store == "postgres" && name == "wordpress" {
					insert = strings.Replace(insert, "(ID,", `("ID",`, 1)
				}
				if _, err := s.db.ExecContext(t.Context(), insert); err != nil {
					t.Fatal(err)
				}
				people, err := st.ByAddress(t.Context(), "anna@users.test")
				if err != nil || len(people) != 1 {
					t.Fatalf("%+v, %v", people, err)
				}
				r := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
				plan, err := m.Plan(people[0], r, false)
				if err != nil {
					t.Fatal(err)
				}
				e := users.Effect{Key: "k", Kind: r.Kind, Digest: plan.Digest(people[0].ID, r.Kind), Person: people[0].ID, Plan: plan, Address: people[0].Address()}
				if _, err := st.Apply(t.Context(), e); err != nil {
					t.Fatal(err)
				}
				if left, err := st.ByAddress(t.Context(), "anna@users.test"); err != nil || len(left) != 0 {
					t.Errorf("%+v, %v", left, err)
				}
			})
		}
	}
}

// TestLarge: a database with more tables than anybody maps gives a file that can
// be read, and says what it leaves out.
func TestLarge(t *testing.T) {
	var b strings.Builder
	b.WriteString("CREATE TABLE users (id integer PRIMARY KEY, email varchar(100));\n")
	for i := range 600 {
		fmt.Fprintf(&b, "CREATE TABLE plugin_%d (id integer PRIMARY KEY, user_id integer REFERENCES users (id), a text, b text, c text, d text, e text, f text);\n", i)
	}
	s := newSite(t, "sqlite", b.String())
	text := Map(s.schema)
	if len(text) > 256<<10 || !strings.Contains(text, "Left out: plugin_") || !strings.Contains(text, "300 places") {
		t.Errorf("%d bytes", len(text))
	}
	wantTODOs(t, text)
}

// TestErasesValues carries a finished draft out where the account's row stays,
// emptied, because orders that are kept refer to it.
func TestErasesValues(t *testing.T) {
	script, err := os.ReadFile("testdata/shop-with-guests.sql")
	if err != nil {
		t.Fatal(err)
	}
	rows := `INSERT INTO customers (id, email, name, mobile) VALUES (7, 'anna@users.test', 'Anna', '1'), (8, 'boris@users.test', 'Boris', '2');
INSERT INTO orders (id, customer_id, email, total) VALUES (1, 7, 'anna@users.test', 5), (2, 8, 'boris@users.test', 6);
INSERT INTO order_items (id, order_id, product_id, title) VALUES (1, 1, 1, 'x');
INSERT INTO messages (id, sender_id, recipient_id, body) VALUES (1, 7, 8, 'hello'), (2, 8, 7, 'hi');
INSERT INTO addresses (id, customer_id, street) VALUES (1, 7, 'Abai'), (2, 8, 'Dostyk');
`
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSite(t, store, string(script)+rows)
			m := finished(t, Map(s.schema))
			st := wantFits(t, s, m)
			p, err := st.Get(t.Context(), "7")
			if err != nil {
				t.Fatal(err)
			}
			r := inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}
			plan, err := m.Plan(p, r, false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Apply(t.Context(), users.Effect{Key: "k", Kind: r.Kind, Digest: plan.Digest("7", r.Kind), Person: "7", Plan: plan, Address: p.Address()}); err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string]int{
				"SELECT count(*) FROM customers WHERE id = 7 AND email LIKE '%.invalid' AND name IS NULL AND mobile IS NULL": 1,
				"SELECT count(*) FROM customers WHERE id = 8 AND email = 'boris@users.test' AND name = 'Boris'":              1,
				"SELECT count(*) FROM messages WHERE body = '-'":                                                             1,
				"SELECT count(*) FROM messages WHERE body = 'hi'":                                                            1,
				"SELECT count(*) FROM orders WHERE total > 0":                                                                2,
				"SELECT count(*) FROM addresses":                                                                             1,
			} {
				var n int
				if err := s.db.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != want {
					t.Errorf("%s: %d, %v, want %d", query, n, err, want)
				}
			}
		})
	}
}
