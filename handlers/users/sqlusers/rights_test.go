package sqlusers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// lacksOf words what the store lacks, a line each.
func lacksOf(t *testing.T, st *Store) (all []string) {
	t.Helper()
	lacks, err := st.Rights(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lacks {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", l.Place, l.Table, l.Verb, strings.Join(l.Columns, ","))))
		if l.Err == nil || inbox.IsTemporary(l.Err) {
			t.Errorf("%+v", l)
		}
	}
	return all
}

// TestRights: the site's own user may do everything, and nothing is done.
func TestRights(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		st := annas(t, s)
		if got := lacksOf(t, st); len(got) > 0 {
			t.Errorf("the owner lacks %q", got)
		}
		if n := s.count(t, "SELECT count(*) FROM orders") + s.count(t, "SELECT count(*) FROM people") + s.count(t, "SELECT count(*) FROM supportd_effects"); n != 3 {
			t.Errorf("%d rows, want 3", n)
		}
	})
}

// TestRightsMissing: each kind that a user may not do is named, with the
// columns where it is about some.
func TestRightsMissing(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		annas(t, s)
		user := "rgt_" + s.real.Name
		on, who := "", user
		statements, drop := []string{"CREATE ROLE " + user + " LOGIN PASSWORD 'pw'"}, []string{"DROP OWNED BY " + user, "DROP ROLE " + user}
		if s.store == "mysql" {
			on, who = s.real.Name+".", user+"@'%'"
			statements, drop = []string{"CREATE USER " + who + " IDENTIFIED BY 'pw'"}, []string{"DROP USER " + who}
		}
		for grant, tables := range map[string][]string{
			"SELECT": {"people", "settings", "orders", "items", "letters", "reviews", "invoices"}, "DELETE": {"people", "orders", "letters"},
			"UPDATE": {"people", "letters"}, "UPDATE (author, mail, ip)": {"reviews"}, "UPDATE (v)": {"settings"}, "INSERT": {"supportd_effects"},
		} {
			for _, table := range tables {
				statements = append(statements, "GRANT "+grant+" ON "+on+table+" TO "+who)
			}
		}
		admin := func(all []string) {
			for _, q := range all {
				if _, err := s.admin.ExecContext(context.WithoutCancel(t.Context()), q); err != nil {
					t.Errorf("%s: %v", q, err)
				}
			}
		}
		admin(statements)
		defer admin(drop)
		st := s.reopened(t, s.real.As(user, "pw"))
		defer st.Close()
		got := lacksOf(t, st)
		want := []string{"supportd_effects SELECT", "shoes settings INSERT", "shoes settings DELETE", "items items DELETE", "reviews reviews UPDATE body"}
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "  ", " ")
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%q is not named in %q", w, got)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %q", got)
		}
	})
}

// TestRightsToReaddress: a user who may not write the column that rows are linked
// by is named, unless the map says that they stay as they are.
func TestRightsToReaddress(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(190), topic varchar(20)")
		fixed := mapOf(t, account("people", "id"), news("news", "id", func(p *datamap.Place) { p.Source.Link.Fixed, p.Source.Link.Why = true, en("the law") }))
		s.open(t, fixed).Close()
		user := "adr_" + s.real.Name
		on, who := "", user
		statements, drop := []string{"CREATE ROLE " + user + " LOGIN PASSWORD 'pw'"}, []string{"DROP OWNED BY " + user, "DROP ROLE " + user}
		if s.store == "mysql" {
			on, who = s.real.Name+".", user+"@'%'"
			statements, drop = []string{"CREATE USER " + who + " IDENTIFIED BY 'pw'"}, []string{"DROP USER " + who}
		}
		statements = append(statements, "GRANT SELECT, INSERT ON "+on+"supportd_effects TO "+who, "GRANT SELECT, UPDATE, DELETE ON "+on+"people TO "+who,
			"GRANT SELECT, DELETE, UPDATE (topic) ON "+on+"news TO "+who)
		admin := func(all []string) {
			for _, q := range all {
				if _, err := s.admin.ExecContext(context.WithoutCancel(t.Context()), q); err != nil {
					t.Errorf("%s: %v", q, err)
				}
			}
		}
		admin(statements)
		defer admin(drop)
		for m, want := range map[*datamap.Map]string{mapOf(t, account("people", "id"), news("news", "id", nil)): "news news UPDATE", fixed: ""} {
			c := s.config(m)
			c.DSN = s.real.As(user, "pw")
			st, err := Open(c)
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			if got := strings.Join(lacksOf(t, st), "; "); strings.TrimSpace(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

// TestRightsReadOnly: a database that takes nothing is one finding, not one a table.
func TestRightsReadOnly(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		st := annas(t, s)
		st = s.readOnly(t, st)
		lacks, err := st.Rights(t.Context())
		if err != nil || len(lacks) != 1 || !strings.Contains(lacks[0].Err.Error(), "read-only") {
			t.Errorf("%+v, %v", lacks, err)
		}
	})
}

// TestRightsOfView: a view that takes no writing is named.
func TestRightsOfView(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}", "CREATE VIEW addresses AS SELECT DISTINCT id, email FROM people")
		place := account("addresses", "id")
		place.Erase, place.Keep = datamap.EraseNone, en("the law")
		got := lacksOf(t, s.open(t, mapOf(t, place)))
		if !slices.Contains(got, "profile addresses UPDATE") {
			t.Errorf("got %q", got)
		}
	})
}

// TestSearched: which columns an index serves that finds texts by how they begin.
func TestSearched(t *testing.T) {
	index := map[string][]string{
		"postgres": {"CREATE INDEX b1 ON t (b varchar_pattern_ops)", `CREATE INDEX c1 ON t (c COLLATE "C")`, "CREATE INDEX d1 ON t (d)", "CREATE INDEX e1 ON t (lower(e) text_pattern_ops)",
			"CREATE INDEX f1 ON t (a, f varchar_pattern_ops)", "CREATE INDEX g1 ON t (g varchar_pattern_ops) WHERE a > 0"},
		"mysql":  {"CREATE INDEX b1 ON t (b)", "CREATE INDEX c1 ON t (c(10))", "CREATE FULLTEXT INDEX d1 ON t (d)", "CREATE INDEX f1 ON t (a, f)"},
		"sqlite": {"CREATE INDEX b1 ON t (b)", "CREATE UNIQUE INDEX c1 ON t (c)", "CREATE INDEX e1 ON t (lower(e))", "CREATE INDEX f1 ON t (a, f)", "CREATE INDEX g1 ON t (g) WHERE a > 0"},
	}
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE t (id integer PRIMARY KEY, a integer, b varchar(20), c varchar(20), d varchar(20), e varchar(20), f varchar(20), g varchar(20)){end}")
		s.exec(t, index[s.store]...)
		schema, err := ReadSchema(t.Context(), Config{Store: s.store, DSN: s.config(nil).DSN, Path: s.path})
		if err != nil {
			t.Fatal(err)
		}
		table, _ := schema.Table("t")
		for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
			if c, _ := table.Column(name); c.Searched != strings.Contains("bc", name) {
				t.Errorf("%s: %v", name, c.Searched)
			}
		}
	})
}
