package sqlusers

import (
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// TestServerSettings: what a server is set to changes neither what is read nor
// what is written: its zone, its way to write dates, strings and bytes, and
// whether it cuts what is too long.
func TestServerSettings(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		settings := []string{"timezone = 'Asia/Almaty'", "datestyle = 'SQL, DMY'", "standard_conforming_strings = off", "bytea_output = 'escape'",
			"default_transaction_isolation = 'serializable'", "extra_float_digits = 0", "intervalstyle = 'sql_standard'"}
		for i, set := range settings {
			settings[i] = "ALTER DATABASE " + s.real.Name + " SET " + set
		}
		if s.store == "mysql" {
			settings = []string{"SET GLOBAL time_zone = '+05:00'", "SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'", "SET GLOBAL tx_isolation = 'SERIALIZABLE'"}
			defer s.admin.Exec("SET GLOBAL time_zone = 'SYSTEM', sql_mode = DEFAULT, tx_isolation = 'REPEATABLE-READ'")
		}
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254), seen "+map[string]string{"postgres": "timestamptz", "mysql": "timestamp NULL"}[s.store]+
			", born date, raw {bytes}, price decimal(10,2), about varchar(5), code char(5), local timestamp NULL){end}",
			"INSERT INTO people VALUES (17, 'anna@users.test', NULL, '1980-02-03', NULL, 1.5, NULL, 'ab', NULL)",
			map[string]string{"postgres": `UPDATE people SET seen = '2026-03-04 05:06:07+00', local = '2026-03-04 05:06:07', raw = '\x00ff5c27'`,
				"mysql": "UPDATE people SET seen = FROM_UNIXTIME(1772600767), local = FROM_UNIXTIME(1772600767), raw = x'00ff5c27'"}[s.store])
		for _, q := range settings {
			if _, err := s.admin.ExecContext(t.Context(), q); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
		p := account("people", "id", datamap.Column{Field: inbox.FieldAbout}, datamap.Column{Field: inbox.FieldBirth, Source: []string{"born"}, Type: datamap.TypeDate},
			fixed("seen"), fixed("raw"), fixed("price"), fixed("code"), fixed("local"))
		p.Account = datamap.Account{Withdrawn: "seen", LastSeen: "seen"}
		st := s.open(t, mapOf(t, p))
		who := find(t, st, "17")
		if who.LastSeen.Unix() != 1772600767 {
			t.Errorf("last seen %v", who.LastSeen)
		}
		for r, err := range st.Records(t.Context(), who) {
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range r.Columns {
				want := map[string]string{"seen": "2026-03-04T05:06:07Z", "local": "2026-03-04T05:06:07Z", "date_of_birth": "1980-02-03", "raw": "AP9cJw==", "price": "1.50", "code": "ab"}[c]
				if want != "" && r.Values[i] != want {
					t.Errorf("%s is %q, want %q", c, r.Values[i], want)
				}
			}
		}
		doPlan(t, st, "k-1", who, setting(inbox.FieldAbout, `a\'b"`))
		doPlan(t, st, "k-2", find(t, st, "17"), setting(inbox.FieldBirth, "1980-03-04"))
		if v := find(t, st, "17").Fields; v[inbox.FieldAbout] != `a\'b"` || v[inbox.FieldBirth] != "1980-03-04" {
			t.Errorf("it holds %v", v)
		}
		if _, err := st.Apply(t.Context(), planned(t, st, "k-3", find(t, st, "17"), setting(inbox.FieldAbout, "too long"))); err == nil {
			t.Error("what is too long was cut")
		}
	})
}

// TestOtherSchema: tables that a plain name does not find.
func TestOtherSchema(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		other := "hr_" + s.real.Name
		if s.store == "mysql" {
			for _, q := range []string{"CREATE DATABASE " + other, "GRANT ALL ON " + other + ".* TO site@'%'"} {
				if _, err := s.admin.ExecContext(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			defer s.admin.Exec("DROP DATABASE " + other)
		} else {
			s.exec(t, "CREATE SCHEMA "+other)
		}
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY){end}", "CREATE TABLE "+other+".people (id integer PRIMARY KEY, email varchar(254)){end}",
			"CREATE TABLE "+other+".notes (id integer PRIMARY KEY, user_id integer REFERENCES "+other+".people (id), body varchar(20)){end}",
			"INSERT INTO people VALUES (17)", "INSERT INTO "+other+".people VALUES (17, 'anna@users.test')", "INSERT INTO "+other+".notes VALUES (1, 17, 'x')")
		notes := related("notes", "user_id", "profile", "id", "body")
		notes.Source.Table = other + ".notes"
		st := s.open(t, mapOf(t, account(other+".people", "id"), notes))
		found, err := st.ByAddress(t.Context(), "anna@users.test")
		if err != nil || len(found) != 1 {
			t.Fatalf("found %v, %v", found, err)
		}
		doPlan(t, st, "k-1", found[0], deletion)
		if n := s.count(t, "SELECT count(*) FROM people"); n != 1 {
			t.Errorf("the table of the same name has %d rows, want 1", n)
		}
		if n := s.count(t, "SELECT count(*) FROM "+other+".people") + s.count(t, "SELECT count(*) FROM "+other+".notes"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// TestCollations: a database that takes other texts for the same has no say in
// whose a row is.
func TestCollations(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		text := map[string]string{"postgres": "citext", "mysql": "varchar(100)", "sqlite": "varchar(100) COLLATE NOCASE"}[s.store]
		if s.store == "postgres" {
			if _, err := s.admin.ExecContext(t.Context(), "CREATE EXTENSION citext"); err != nil {
				t.Fatal(err)
			}
		}
		s.exec(t, "CREATE TABLE people (id "+text+" PRIMARY KEY NOT NULL, email "+text+"){end}",
			"CREATE TABLE notes (id integer PRIMARY KEY, user_id "+text+", kind "+text+", body varchar(20)){end}",
			"CREATE TABLE letters (id integer PRIMARY KEY, sender "+text+", body varchar(20)){end}",
			"INSERT INTO people VALUES ('anna', 'anna@users.test')",
			"INSERT INTO notes VALUES (1, 'anna', 'note', 'mine'), (2, 'ANNA', 'note', 'other'), (3, 'anna', 'NOTE', 'other')",
			"INSERT INTO letters VALUES (1, 'anna@users.test', 'mine'), (2, 'ANNA@users.test', 'other'), (3, 'anna@USERS.test', 'mine')")
		notes := related("notes", "user_id", "profile", "id", "body")
		notes.Source.Where = []datamap.Match{{Column: "kind", Value: "note"}}
		st := s.open(t, mapOf(t, account("people", "id"), notes, related("letters", "sender", "", "", "body")))
		n := 0
		for r, err := range st.Records(t.Context(), users.Person{ID: "anna"}) {
			if n++; err != nil {
				t.Fatal(err)
			}
			if r.Place != "profile" && r.Values[0] != "mine" {
				t.Errorf("a row of %s is somebody else's", r.Place)
			}
		}
		if n != 4 {
			t.Errorf("%d records, want 4", n)
		}
		if _, err := st.Get(t.Context(), "ANNA"); err == nil {
			t.Error("another ID was taken for the same")
		}
		if found, err := st.ByAddress(t.Context(), "ANNA@users.test"); err != nil || len(found) != 1 || !found[0].Guest {
			t.Errorf("found %+v, %v", found, err)
		}
		doPlan(t, st, "k-1", find(t, st, "anna"), deletion)
		if n := s.count(t, "SELECT count(*) FROM notes") + s.count(t, "SELECT count(*) FROM letters"); n != 3 {
			t.Errorf("%d rows are left, want the 3 of others", n)
		}
	})
}
