package fit

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/handlers/users/realsql"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

var (
	servers realsql.Servers
	update  = flag.Bool("update", false, "write what the cases want anew; read it before you commit")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(servers.Run(m))
}

var stores = []string{"postgres", "mysql", "sqlite"}

// site is a site's database under test.
type site struct {
	store  string
	config sqlusers.Config
	real   *realsql.Database
}

func newSite(t *testing.T, store string) *site {
	t.Helper()
	d := servers.Fresh(t, store)
	return &site{store: store, config: sqlusers.Config{Store: store, DSN: d.DSN, Path: d.Path, Key: make([]byte, 16)}, real: d}
}

// exec runs statements that end with a semicolon and the end of a line. Types
// in braces are those of the database.
func (s *site) exec(t *testing.T, script string) {
	t.Helper()
	for from, to := range map[string][]string{
		"{bool}": {"boolean", "tinyint(1)", "boolean"}, "{time}": {"timestamptz", "datetime", "datetime"}, "{bytes}": {"bytea", "blob", "blob"},
		"{uuid}": {"uuid", "char(36)", "uuid"}, "{json}": {"jsonb", "json", "json"}, "{ci}": {"", "", ""},
	} {
		script = strings.ReplaceAll(script, from, to[slices.Index(stores, s.store)])
	}
	s.real.Script(t, script)
}

// open gives the store, with the table of effects where that is wanted.
func (s *site) open(t *testing.T, m *datamap.Map, effects bool) *sqlusers.Store {
	t.Helper()
	c := s.config
	c.Map = m
	st, err := sqlusers.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if effects {
		if err := st.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

// told is what every place of a case is told to people with, to keep the cases
// short.
const told = `label = { en = "X" }
purpose = { en = "x" }
retention = { en = "x" }
recipients = { en = "x" }`

func mapOf(t *testing.T, text string) *datamap.Map {
	t.Helper()
	m, err := mapfile.Read([]byte(strings.ReplaceAll(text, "TOLD", told)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCheck: a case has the site's tables (sql for all databases, sql.postgres
// and so on for one), a data map, and the findings that are wanted of each
// database: want of all, or want.postgres and so on.
func TestCheck(t *testing.T) {
	files, err := filepath.Glob("testdata/check/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatal("the cases are missing")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			c, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, store := range stores {
				if part(c, "only") != "" && !slices.Contains(strings.Fields(part(c, "only")), store) {
					continue
				}
				t.Run(store, func(t *testing.T) {
					s := newSite(t, store)
					s.exec(t, part(c, "sql")+"\n"+part(c, "sql."+store))
					st := s.open(t, mapOf(t, part(c, "map")), !strings.Contains(string(c.Comment), "without our table."))
					all, err := Check(t.Context(), st, mapOf(t, part(c, "map")))
					if err != nil {
						t.Fatal(err)
					}
					var b strings.Builder
					for _, f := range all {
						b.WriteString(f.String() + "\n")
					}
					got[store] = b.String()
					if want := cmp.Or(part(c, "want."+store), part(c, "want")); got[store] != want && !*update {
						t.Errorf("got\n%s\nwant\n%s", got[store], want)
					}
				})
			}
			if *update {
				rewrite(t, file, c, got)
			}
		})
	}
}

// part gives a file of a case.
func part(c *txtar.Archive, name string) string {
	for _, f := range c.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// rewrite writes what is wanted anew: once, where all databases give the same.
func rewrite(t *testing.T, file string, c *txtar.Archive, got map[string]string) {
	t.Helper()
	c.Files = slices.DeleteFunc(c.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want") })
	first, same := "", true
	for _, store := range stores {
		if text, ok := got[store]; ok {
			first = cmp.Or(first, text)
			same = same && text == first
		}
	}
	for _, store := range stores {
		if text, ok := got[store]; ok && !same {
			c.Files = append(c.Files, txtar.File{Name: "want." + store, Data: []byte(text)})
		}
	}
	if same {
		c.Files = append(c.Files, txtar.File{Name: "want", Data: []byte(first)})
	}
	if err := os.WriteFile(file, txtar.Format(c), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRights: what the user of the DSN may not do is a finding with a hint.
func TestRights(t *testing.T) {
	m := mapOf(t, "[account]\ntable = \"users\"\nkey = \"id\"\nTOLD\n[[account.column]]\nname = \"email\"\nfield = \"email\"\n[[account.column]]\nname = \"phone\"\nfield = \"phone\"\n")
	for _, store := range stores[:2] {
		t.Run(store, func(t *testing.T) {
			s := newSite(t, store)
			s.exec(t, "CREATE TABLE users (id integer PRIMARY KEY, email varchar(100), phone varchar(100))")
			s.open(t, m, true)
			user := "fit_" + s.real.Name
			grants := []string{"CREATE ROLE " + user + " LOGIN PASSWORD 'pw'", "GRANT SELECT, INSERT ON supportd_effects TO " + user, "GRANT SELECT, UPDATE (email) ON users TO " + user}
			revoke := []string{"DROP OWNED BY " + user, "DROP ROLE " + user}
			if store == "mysql" {
				who := user + "@'%'"
				grants = []string{"CREATE USER " + who + " IDENTIFIED BY 'pw'", "GRANT SELECT, INSERT ON " + s.real.Name + ".supportd_effects TO " + who,
					"GRANT SELECT, UPDATE (email) ON " + s.real.Name + ".users TO " + who}
				revoke = []string{"DROP USER " + who}
			}
			run := func(all []string) {
				for _, q := range all {
					if _, err := s.real.Admin.ExecContext(context.WithoutCancel(t.Context()), q); err != nil {
						t.Errorf("%s: %v", q, err)
					}
				}
			}
			run(grants)
			defer run(revoke)
			s.config.DSN = s.real.As(user, "pw")
			st := s.open(t, m, false)
			all, err := Check(t.Context(), st, m)
			st.Close()
			var got []string
			for _, f := range all {
				if !f.Remark {
					got = append(got, f.Problem[:strings.Index(f.Problem, ":")])
					if !strings.Contains(f.Hint, "grant") || f.Err() == nil || inbox.IsTemporary(f.Err()) {
						t.Errorf("%v", f)
					}
				}
			}
			want := []string{`UPDATE on "phone" of "users" is refused`, `DELETE on "users" is refused`}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// TestNoAnswer: a database that is not there is an error that may pass, and no
// list of findings.
func TestNoAnswer(t *testing.T) {
	m := mapOf(t, "[account]\ntable = \"users\"\nkey = \"id\"\nTOLD\n[[account.column]]\nname = \"email\"\nfield = \"email\"\n")
	s := &site{config: sqlusers.Config{Store: "postgres", DSN: "postgres://u:secret@127.0.0.1:1/db", Key: make([]byte, 16)}}
	if all, err := Check(t.Context(), s.open(t, m, false), m); !inbox.IsTemporary(err) || all != nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, %v", all, err)
	}
}

// TestNarrow: what the columns cannot hold is refused before anybody is asked.
func TestNarrow(t *testing.T) {
	const text = `
[account]
table = "users"
key = "id"
TOLD
[[account.column]]
name = "email"
field = "email"
[[account.column]]
name = ["first", "last"]
field = "full_name"
[[account.column]]
name = "phone"
field = "phone"
[[account.column]]
name = "bio"
field = "about"
[[account.column]]
name = "born"
field = "founded"
label = { en = "Founded" }
[[account.column]]
name = "size"
field = "size"
label = { en = "Size" }
[[related]]
name = "news"
table = "news"
key = "id"
link = { column = "mail", address = true }
TOLD
[[related]]
name = "tokens"
table = "tokens"
key = "id"
link = { column = "mail", address = true, fixed = { en = "x" } }
TOLD
`
	ddl := "CREATE TABLE users (id integer PRIMARY KEY, email varchar(30), first varchar(5), last varchar(8), phone varchar(10), bio text, born date, size %s)"
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSite(t, store)
			size := "enum('S', 'M')"
			switch store {
			case "postgres":
				s.exec(t, "CREATE TYPE sizes AS ENUM ('S', 'M')")
				size = "sizes"
			case "sqlite":
				size = "varchar(1)"
			}
			s.exec(t, strings.Replace(ddl, "%s", size, 1)+";\nCREATE TABLE news (id integer PRIMARY KEY, mail varchar(27));\nCREATE TABLE tokens (id integer PRIMARY KEY, mail varchar(9))")
			m := mapOf(t, text)
			schema, err := sqlusers.ReadSchema(t.Context(), s.config)
			if err != nil {
				t.Fatal(err)
			}
			n, err := Narrow(m, schema)
			if err != nil {
				t.Fatal(err)
			}
			st := s.open(t, n, true)
			s.exec(t, "INSERT INTO users (id, email, size) VALUES (1, 'anna@users.test', 'S');\nINSERT INTO news VALUES (1, 'anna@users.test')")
			p, err := st.Get(t.Context(), "1")
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range []struct {
				field      inbox.Field
				value, why string
			}{
				{"email", "anna.petrova.petrova@users.example", "too-long"},
				{"email", "anna.petrovaia@users.example", "too-long"}, {"email", "anna.petrova@users.example", ""}, // it is written into news, too
				{"full_name", "Annaa Petrovaa", ""}, {"full_name", "Annaaa Petrova", "too-long"}, {"full_name", "Anna Petrovaaa", "too-long"}, {"full_name", "Anna", "parts"},
				{"phone", "1234567890", ""}, {"phone", "12345678901", "too-long"}, {"about", strings.Repeat("ä", 4000), ""},
				{"founded", "2001-02-03", ""}, {"founded", "2001-02-31", "bad-date"}, {"founded", "soon", "bad-date"},
				{"size", "m", ""}, {"size", "XL", map[string]string{"sqlite": "too-long"}[store]},
			} {
				r := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: c.field, Op: inbox.OpSet, Value: c.value}}}
				plan, err := n.Plan(p, r, false)
				why := datamap.Reason("")
				if refused, ok := errors.AsType[*datamap.RefusedError](err); ok {
					why = refused.Reason
				}
				want := datamap.Reason(c.why)
				if c.value == "XL" && store != "sqlite" {
					want = datamap.ReasonNotAllowed
				}
				if why != want {
					t.Errorf("%s=%.40s: %v, want %q", c.field, c.value, err, want)
					continue
				}
				if why == "" { // what is let through, the database takes
					now, err := st.Get(t.Context(), p.ID)
					if err != nil {
						t.Fatal(err)
					}
					e := users.Effect{Key: fmt.Sprint("k-", i), Kind: r.Kind, Digest: plan.Digest(p.ID, r.Kind), Person: p.ID, Plan: plan, Address: now.Address()}
					if _, err := st.Apply(t.Context(), e); err != nil {
						t.Errorf("%s=%.40s: %v", c.field, c.value, err)
					}
				}
			}
		})
	}
}

// TestExamples: the ready maps fit the tables that their frameworks make, and
// nothing in these looks personal that they leave out.
func TestExamples(t *testing.T) {
	for _, name := range mapfile.Examples() {
		for _, store := range stores {
			t.Run(name+"/"+store, func(t *testing.T) {
				ddl, err := os.ReadFile("../datamap/mapfile/examples/" + name + "." + store + ".sql")
				if err != nil {
					t.Fatal(err)
				}
				s := newSite(t, store)
				s.exec(t, string(ddl))
				m := mapOf(t, mapfile.Example(name))
				all, err := Check(t.Context(), s.open(t, m, true), m)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range all {
					if t.Log(f); !f.Remark || strings.Contains(f.Problem, "personal") {
						t.Error(f)
					}
				}
				schema, err := sqlusers.ReadSchema(t.Context(), s.config)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := Narrow(m, schema); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
