package sqlusers

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// hostileNames are names of tables and columns that somebody could have given,
// and that would do harm where they are not quoted.
var hostileNames = []string{
	`o'x`, `say "hi"`, "back`tick", `; DROP TABLE people; --`, `x" OR "1"="1`, "x` OR `1`=`1", `$1`, `?`, `:name`, `%s`, `a.b`, `select`, `имя`,
	`back\slash`, `/* */`, `?1`, `@v`, `[b]`,
}

// TestHostileNames: whatever a table and its columns are called, an effect is
// about them and nothing else.
func TestHostileNames(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		d, _ := dialectOf(s.store)
		s.exec(t, `CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}`, "INSERT INTO people VALUES (1, 'anna@users.test')")
		for i, name := range hostileNames {
			q, child := d.quote(name), d.quote("child of "+name)
			s.exec(t, fmt.Sprintf("CREATE TABLE %s (%s integer PRIMARY KEY, email varchar(254), %s varchar(100)){end}", q, d.quote("id "+name), q),
				fmt.Sprintf("CREATE TABLE %s (id integer PRIMARY KEY, %s integer, %s varchar(100)){end}", child, q, d.quote("k "+name)),
				fmt.Sprintf("INSERT INTO %s VALUES (17, 'anna@users.test', 'x'), (18, 'boris@users.test', 'y')", q),
				fmt.Sprintf("INSERT INTO %s VALUES (1, 17, 'k'), (2, 18, 'k'), (3, 17, 'other')", child))
			st := s.open(t, mapOf(t,
				datamap.Place{Name: "profile", Single: true, Label: en("Profile"), Source: datamap.Source{Table: name, Key: []string{"id " + name}},
					Columns: []datamap.Column{{Field: inbox.FieldEmail, Type: datamap.TypeEmail}, {Field: inbox.FieldAbout, Source: []string{name}}}},
				datamap.Place{Name: "child", Label: en("Child"), Columns: []datamap.Column{{Field: "k", Fixed: true, Source: []string{"k " + name}}},
					Source: datamap.Source{Table: "child of " + name, Key: []string{"id"}, Link: datamap.Link{Column: name, Parent: "profile", To: "id " + name},
						Where: []datamap.Match{{Column: "k " + name, Value: "k"}}}}))
			p, err := st.Get(t.Context(), "17")
			if err != nil || p.Fields[inbox.FieldAbout] != "x" {
				t.Errorf("%s: got %+v, %v", name, p, err)
				continue
			}
			doPlan(t, st, fmt.Sprintf("c-%d", i), p, setting(inbox.FieldAbout, name))
			if p, err = st.Get(t.Context(), "17"); err != nil || p.Fields[inbox.FieldAbout] != name {
				t.Errorf("%s: the value is %q, %v", name, p.Fields[inbox.FieldAbout], err)
			}
			doPlan(t, st, fmt.Sprintf("d-%d", i), p, deletion)
			if n := s.count(t, "SELECT count(*) FROM "+q); n != 1 {
				t.Errorf("%s: %d people are left, want 1", name, n)
			}
			if n := s.count(t, "SELECT count(*) FROM "+child); n != 2 {
				t.Errorf("%s: %d children are left, want 2", name, n)
			}
		}
		if n := s.count(t, "SELECT count(*) FROM people"); n != 1 {
			t.Errorf("somebody else's table has %d rows", n)
		}
	})
}

// TestUnknownNames: a map that names what is not there is refused as a whole,
// whatever the name would do in a statement.
func TestUnknownNames(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, shop...)
		for _, name := range append(hostileNames, "people; DROP TABLE orders", `people" AS t0 --`) {
			for what, change := range map[string]func(p []datamap.Place){
				"table":     func(p []datamap.Place) { p[2].Source.Table = name },
				"key":       func(p []datamap.Place) { p[2].Source.Key = []string{name} },
				"link":      func(p []datamap.Place) { p[2].Source.Link.Column = name },
				"link's to": func(p []datamap.Place) { p[2].Source.Link.To = name },
				"where":     func(p []datamap.Place) { p[2].Source.Where = []datamap.Match{{Column: name, Value: "x"}} },
				"column":    func(p []datamap.Place) { p[2].Columns[0].Source = []string{name} },
				"switch":    func(p []datamap.Place) { p[0].Account.Active.Column = name },
				"protected": func(p []datamap.Place) { p[0].Account.Protected = []datamap.Match{{Column: name}} },
			} {
				places := shopPlaces()
				change(places)
				st, err := Open(s.config(mapOf(t, places...)))
				if err != nil {
					t.Fatal(err)
				}
				_, err = st.Get(t.Context(), "17")
				if _, unfit := errors.AsType[*UnfitError](err); !unfit {
					t.Errorf("%s %q: %v, want that the map does not fit", what, name, err)
				}
				st.Close()
			}
		}
		if n := s.count(t, "SELECT count(*) FROM orders"); n != 0 {
			t.Error("orders are not as they were")
		}
	})
}

// TestAllFaultsAtOnce: nobody has to correct a map name by name.
func TestAllFaultsAtOnce(t *testing.T) {
	s := newSite(t, "sqlite")
	s.exec(t, shop...)
	s.exec(t, "CREATE TABLE loose (id integer, user_id integer)")
	places := shopPlaces()
	places[1].Source.Table = "nowhere"
	places[2].Columns[0].Source = []string{"missing"}
	places[5].Source = datamap.Source{Table: "loose", Key: []string{"id"}, Link: places[5].Source.Link}
	places[0].Columns[0].Source = []string{"ident"}
	st, err := Open(s.config(mapOf(t, places...)))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	err = st.Ping(t.Context())
	for _, want := range []string{"nowhere", "missing", "ident", "tell the rows", "supportd check"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

// TestBadMaps: what can be told without a database is told at once.
func TestBadMaps(t *testing.T) {
	for name, change := range map[string]func(p []datamap.Place){
		"no table":          func(p []datamap.Place) { p[2].Source.Table = "" },
		"no key":            func(p []datamap.Place) { p[2].Source.Key = nil },
		"two keys":          func(p []datamap.Place) { p[0].Source.Key = []string{"id", "email"} },
		"no link":           func(p []datamap.Place) { p[2].Source.Link = datamap.Link{} },
		"link to nowhere":   func(p []datamap.Place) { p[2].Source.Link.Parent = "nowhere" },
		"link to no column": func(p []datamap.Place) { p[2].Source.Link.To = "" },
		"ring": func(p []datamap.Place) {
			p[2].Source.Link = datamap.Link{Column: "id", Parent: "items", To: "order_id"}
		},
		"to itself": func(p []datamap.Place) { p[2].Source.Link.Parent = "orders" },
	} {
		places := shopPlaces()
		change(places)
		if _, err := datamap.New(places...); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	m := mapOf(t, shopPlaces()...)
	for name, c := range map[string]Config{
		"store": {Store: "oracle", Map: m, Key: make([]byte, 16)}, "key": {Store: "sqlite", Path: "x", Map: m}, "map": {Store: "sqlite", Key: make([]byte, 16)},
		"dsn": {Store: "mysql", DSN: "geheim@@@(", Map: m, Key: make([]byte, 16)}, "dsn of postgres": {Store: "postgres", DSN: "postgres://u:geheim@h:x/", Map: m, Key: make([]byte, 16)},
	} {
		st, err := Open(c)
		if err == nil {
			st.Close()
		}
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var deletion = inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}

func setting(f inbox.Field, v string) inbox.Request {
	return inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: f, Op: inbox.OpSet, Value: v}}}
}

// planned makes the effect of a request.
func planned(t testing.TB, st *Store, key string, p users.Person, r inbox.Request) users.Effect {
	t.Helper()
	plan, err := st.m.Plan(p, r, false)
	if err != nil {
		t.Fatal(err)
	}
	return users.Effect{Key: key, Kind: r.Kind, Digest: plan.Digest(p.ID, r.Kind), Person: p.ID, Plan: plan, Address: p.Address()}
}

// doPlan plans a request and carries it out.
func doPlan(t testing.TB, st *Store, key string, p users.Person, r inbox.Request) {
	t.Helper()
	if _, err := st.Apply(t.Context(), planned(t, st, key, p, r)); err != nil {
		t.Fatal(err)
	}
}

// find gives the one person of that ID.
func find(t testing.TB, st *Store, id string) users.Person {
	t.Helper()
	p, err := st.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
