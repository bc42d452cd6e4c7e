package sqlusers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// account is a map's first place: a table with an address and what is added.
func account(table, key string, columns ...datamap.Column) datamap.Place {
	return datamap.Place{Name: "profile", Single: true, Label: en("Profile"), Source: datamap.Source{Table: table, Key: []string{key}},
		Columns: append([]datamap.Column{{Field: inbox.FieldEmail, Type: datamap.TypeEmail}}, columns...)}
}

// related is a place linked to another, with columns that the site writes.
func related(name, link, parent, to string, columns ...string) datamap.Place {
	p := datamap.Place{Name: name, Label: en(name), Source: datamap.Source{Table: name, Key: []string{"id"}, Link: datamap.Link{Column: link, Parent: parent, To: to}}}
	for _, c := range columns {
		p.Columns = append(p.Columns, fixed(c))
	}
	return p
}

// TestRings: tables that refer to each other, to themselves, and by the account
// to what is the account's.
func TestRings(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		alter := []string{"ALTER TABLE photos ADD FOREIGN KEY (user_id) REFERENCES people (id)", "ALTER TABLE people ADD FOREIGN KEY (avatar) REFERENCES photos (id)",
			"ALTER TABLE people ADD FOREIGN KEY (home) REFERENCES homes (id)"}
		people := "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254), avatar integer, home integer NOT NULL){end}"
		photos := "CREATE TABLE photos (id integer PRIMARY KEY, user_id integer NOT NULL, name varchar(20)){end}"
		if s.store == "sqlite" { // it adds no constraints later
			alter = nil
			people = "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254), avatar integer REFERENCES photos (id), home integer NOT NULL REFERENCES homes (id))"
			photos = "CREATE TABLE photos (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES people (id), name varchar(20))"
		}
		s.exec(t, "CREATE TABLE homes (id integer PRIMARY KEY, street varchar(20)){end}", people, photos,
			"CREATE TABLE comments (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES people (id), parent integer REFERENCES comments (id), body varchar(20)){end}",
			"CREATE TABLE tags (id integer PRIMARY KEY, photo integer NOT NULL REFERENCES photos (id), comment integer NOT NULL REFERENCES comments (id), name varchar(20)){end}",
			"INSERT INTO homes VALUES (1, 'Abai'), (2, 'Dostyk')",
			"INSERT INTO people VALUES (17, 'anna@users.test', NULL, 1), (18, 'boris@users.test', NULL, 2)",
			"INSERT INTO photos VALUES (1, 17, 'a'), (2, 17, 'b'), (3, 18, 'c')",
			"UPDATE people SET avatar = 1 WHERE id = 17", "UPDATE people SET avatar = 3 WHERE id = 18",
			"INSERT INTO comments VALUES (1, 17, NULL, 'x'), (2, 17, 1, 'y'), (3, 17, 2, 'z'), (4, 18, NULL, 'q')",
			"INSERT INTO tags VALUES (1, 1, 1, 't'), (2, 3, 4, 'u')")
		s.exec(t, alter...)
		replies := related("replies", "parent", "comments", "id", "body") // the table of comments once more
		replies.Source.Table = "comments"
		st := s.open(t, mapOf(t, account("people", "id"), related("homes", "id", "profile", "home", "street"), related("photos", "user_id", "profile", "id", "name"),
			related("comments", "user_id", "profile", "id", "body"), replies, related("tags", "photo", "photos", "id", "name")))
		doPlan(t, st, "k-1", find(t, st, "17"), deletion)
		for table, want := range map[string]int{"people": 1, "homes": 1, "photos": 1, "comments": 1, "tags": 1} {
			if n := s.count(t, "SELECT count(*) FROM "+table); n != want {
				t.Errorf("%d rows are left in %s, want %d", n, table, want)
			}
		}
		find(t, st, "18")
	})
}

// TestForeignRowsStandInTheWay: what others have written to hangs on a row that
// is to go. Nothing is done, and the error says where to look.
func TestForeignRowsStandInTheWay(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, shop...)
		s.exec(t, "CREATE TABLE stars (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders (id)){end}",
			"INSERT INTO people (id, email, is_active) VALUES (17, 'anna@users.test', true)", "INSERT INTO orders (id, user_id) VALUES (1, 17)", "INSERT INTO stars VALUES (1, 1)")
		st := s.open(t, mapOf(t, shopPlaces()...))
		_, err := st.Apply(t.Context(), planned(t, st, "k-1", find(t, st, "17"), deletion))
		if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), `"orders"`) || !strings.Contains(err.Error(), "no part of the data map") {
			t.Errorf("Apply: %v", err)
		}
		find(t, st, "17")
		if _, err := st.Recorded(t.Context(), "k-1", inbox.KindDelete, "x"); !errors.Is(err, users.ErrNotFound) {
			t.Errorf("it is recorded: %v", err)
		}
	})
}

// TestStubbornTables: a trigger puts back what was to go, changes what was
// written, or lets nothing happen. Nothing is done then.
func TestStubbornTables(t *testing.T) {
	triggers := map[string]map[string][]string{
		"kept": {
			"postgres": {"CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", "CREATE TRIGGER k BEFORE DELETE ON items FOR EACH ROW EXECUTE FUNCTION keep()"},
			"sqlite":   {"CREATE TRIGGER k BEFORE DELETE ON items BEGIN SELECT RAISE(IGNORE); END"},
		},
		"put back": {
			"postgres": {"CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO letters (sender, body) VALUES (OLD.sender, ''again''); RETURN NULL; END'",
				"CREATE TRIGGER b AFTER DELETE ON letters FOR EACH ROW EXECUTE FUNCTION back()"},
			"mysql":  {"CREATE TRIGGER b AFTER DELETE ON items FOR EACH ROW INSERT INTO letters (sender, body) VALUES ('anna@users.test', 'again')"},
			"sqlite": {"CREATE TRIGGER b AFTER DELETE ON letters BEGIN INSERT INTO letters (sender, body) VALUES (OLD.sender, 'again'); END"},
		},
	}
	each(t, func(t *testing.T, s *site) {
		for name, by := range triggers {
			if by[s.store] == nil {
				continue // it has no way to do that
			}
			t.Run(name, func(t *testing.T) {
				s := newSite(t, s.store)
				s.exec(t, shop...)
				s.exec(t, by[s.store]...)
				s.exec(t, "INSERT INTO people (id, email, is_active) VALUES (17, 'anna@users.test', true)", "INSERT INTO orders (id, user_id) VALUES (1, 17)",
					"INSERT INTO items (order_id, title) VALUES (1, 'x')", "INSERT INTO letters (sender, body) VALUES ('anna@users.test', 'x')")
				st := s.open(t, mapOf(t, shopPlaces()...))
				_, err := st.Apply(t.Context(), planned(t, st, "k-1", find(t, st, "17"), deletion))
				if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "still holds") && s.count(t, "SELECT count(*) FROM items") != 1 {
					t.Errorf("Apply: %v", err)
				}
				if n := s.count(t, "SELECT count(*) FROM letters WHERE body = 'x'"); n != 1 {
					t.Errorf("%d letters are left", n)
				}
				find(t, st, "17")
			})
		}
		s.exec(t, shop...)
		s.exec(t, map[string][]string{
			"postgres": {"CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.about := left(NEW.about, 3); RETURN NEW; END'",
				"CREATE TRIGGER c BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION cut()"},
			"mysql":  {"CREATE TRIGGER c BEFORE UPDATE ON people FOR EACH ROW SET NEW.about = left(NEW.about, 3)"},
			"sqlite": {"CREATE TRIGGER c AFTER UPDATE ON people BEGIN UPDATE people SET about = substr(about, 1, 3) WHERE id = NEW.id; END"},
		}[s.store]...)
		s.exec(t, "INSERT INTO people (id, email, is_active, about) VALUES (17, 'anna@users.test', true, 'old')")
		st := s.open(t, mapOf(t, shopPlaces()...))
		_, err := st.Apply(t.Context(), planned(t, st, "k-1", find(t, st, "17"), setting(inbox.FieldAbout, "Beekeeper")))
		if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "something else") || strings.Contains(err.Error(), "Bee") {
			t.Errorf("a value that was cut: %v", err)
		}
		if v := find(t, st, "17").Fields[inbox.FieldAbout]; v != "old" {
			t.Errorf("the value is %q", v)
		}
	})
}

// TestValuesThatDoNotFit are refused with a reason that the person is told.
func TestValuesThatDoNotFit(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		gender := map[string]string{"postgres": "gender", "mysql": "enum('Male', 'Female')", "sqlite": "varchar(10) CHECK (gender IN ('male', 'female'))"}[s.store]
		if s.store == "postgres" {
			s.exec(t, "CREATE TYPE gender AS ENUM ('Male', 'Female')")
		}
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254) UNIQUE, nickname varchar(5), gender "+gender+
			", date_of_birth date, phone integer, occupation varchar(20) NOT NULL, nationality integer NOT NULL){end}", "CREATE UNIQUE INDEX nick ON people (nickname)",
			"INSERT INTO people VALUES (17, 'anna@users.test', 'anna', NULL, NULL, NULL, 'x', 1), (18, 'boris@users.test', 'boris', NULL, NULL, NULL, 'y', 2)")
		columns := datamap.Embedded().Places()[0].Columns
		var mine []datamap.Column
		for _, c := range columns {
			switch c.Field {
			case inbox.FieldNickname, inbox.FieldGender, inbox.FieldBirth, inbox.FieldPhone, inbox.FieldOccupation, inbox.FieldNationality:
				mine = append(mine, c)
			}
		}
		st := s.open(t, mapOf(t, account("people", "id", mine...)))
		do := func(r inbox.Request) error {
			_, err := st.Apply(t.Context(), planned(t, st, "k-"+time.Now().String(), find(t, st, "17"), r))
			return err
		}
		reason := func(err error) string {
			var refused *datamap.RefusedError
			var taken *users.TakenError
			switch {
			case errors.As(err, &refused):
				return string(refused.Reason) + " " + string(refused.Field)
			case errors.As(err, &taken):
				return "taken " + string(taken.Field)
			case err == nil:
				return ""
			case inbox.IsTemporary(err):
				return "temporary"
			}
			return "permanent"
		}
		badPhone, badGender := "invalid phone", "invalid gender"
		if s.store == "sqlite" { // it takes any value, and tells no check from another
			badPhone, badGender = "", "permanent"
		}
		for name, c := range map[string]struct {
			r    inbox.Request
			want string
		}{
			"too long":             {setting(inbox.FieldNickname, "annabel"), "too-long nickname"},
			"just fits":            {setting(inbox.FieldNickname, "жәніб"), ""},
			"somebody else's":      {setting(inbox.FieldNickname, "boris"), "taken nickname"},
			"somebody's address":   {setting(inbox.FieldEmail, "boris@users.test"), "taken email"},
			"no such choice":       {setting(inbox.FieldGender, "other"), badGender},
			"a choice":             {setting(inbox.FieldGender, "female"), ""},
			"a date":               {setting(inbox.FieldBirth, "1980-02-29"), ""},
			"no number":            {setting(inbox.FieldPhone, "+7 (701) 1"), badPhone},
			"a field that must be": {inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldOccupation}}, ""},
			"a number that must be": {inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields,
				Fields: []inbox.Field{inbox.FieldNationality}}, "permanent"},
		} {
			if got := reason(do(c.r)); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
		if p := find(t, st, "17"); !strings.EqualFold(p.Fields[inbox.FieldGender], "female") || p.Fields[inbox.FieldBirth] != "1980-02-29" || p.Fields[inbox.FieldNickname] != "жәніб" || p.Fields[inbox.FieldNationality] != "1" {
			t.Errorf("it holds %v", p.Fields)
		}
	})
}

// TestKeys: people whose ID is not a plain number.
func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for name, c := range map[string]struct{ kind, literal, id string }{
			"bigint": {"bigint", "9007199254740993", "9007199254740993"},
			"text":   {"varchar(40)", "'Anna''s key'", "Anna's key"},
			"uuid": {map[string]string{"postgres": "uuid", "mysql": "uuid", "sqlite": "varchar(36)"}[s.store],
				"'6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
			"bytes": {map[string]string{"postgres": "bytea", "mysql": "binary(4)", "sqlite": "blob"}[s.store],
				map[string]string{"postgres": `'\xff00fe01'`, "mysql": "x'ff00fe01'", "sqlite": "x'ff00fe01'"}[s.store], "/wD+AQ=="},
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, s.store)
				s.exec(t, "CREATE TABLE people (id "+c.kind+" PRIMARY KEY NOT NULL, email varchar(254), about varchar(20)){end}",
					"CREATE TABLE notes (id "+c.kind+" PRIMARY KEY NOT NULL, user_id "+c.kind+", body varchar(20)){end}",
					"INSERT INTO people VALUES ("+c.literal+", 'anna@users.test', 'x')", "INSERT INTO notes VALUES ("+c.literal+", "+c.literal+", 'note')")
				st := s.open(t, mapOf(t, account("people", "id", datamap.Column{Field: inbox.FieldAbout}), related("notes", "user_id", "profile", "id", "body")))
				found, err := st.ByAddress(t.Context(), "anna@users.test")
				if err != nil || len(found) != 1 || found[0].ID != c.id {
					t.Fatalf("found %+v, %v", found, err)
				}
				n := 0
				for _, err := range st.Records(t.Context(), found[0]) {
					if n++; err != nil {
						t.Fatal(err)
					}
				}
				if n != 2 {
					t.Errorf("%d records, want 2", n)
				}
				doPlan(t, st, "k-1", found[0], setting(inbox.FieldAbout, "y"))
				doPlan(t, st, "k-2", find(t, st, c.id), deletion)
				if n := s.count(t, "SELECT count(*) FROM people") + s.count(t, "SELECT count(*) FROM notes"); n != 0 {
					t.Errorf("%d rows are left", n)
				}
			})
		}
	})
}

// TestAccountSwitches: by a time, by a number, by a word; and what is not
// there.
func TestAccountSwitches(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254), gone {time}, state varchar(20), status integer, seen bigint, objected bigint){end}",
			"INSERT INTO people VALUES (17, 'anna@users.test', NULL, 'open', 1, 1700000000, NULL)")
		for name, sw := range map[string]datamap.Switch{
			"time": {Column: "gone", Time: true}, "word": {Column: "state", On: "open", Off: "closed"}, "number": {Column: "status", On: "1", Off: "0"},
		} {
			p := account("people", "id")
			p.Account = datamap.Account{Active: sw, LastSeen: "seen", Withdrawn: "objected", Protected: []datamap.Match{{Column: "state", Value: "closed"}}}
			st := s.open(t, mapOf(t, p))
			who := find(t, st, "17")
			if !who.Active || who.LastSeen.Unix() != 1700000000 || who.Protected {
				t.Errorf("%s: %+v", name, who)
			}
			doPlan(t, st, "off "+name, who, inbox.Request{Kind: inbox.KindDeactivate})
			if who = find(t, st, "17"); who.Active || who.Protected != (name == "word") {
				t.Errorf("%s: active %t, protected %t", name, who.Active, who.Protected)
			}
			plan, err := st.m.Plan(who, inbox.Request{Kind: inbox.KindDeactivate}, true)
			if err != nil {
				t.Fatal(err)
			}
			e := users.Effect{Key: "on " + name, Kind: inbox.KindDeactivate, Digest: plan.Digest("17", inbox.KindDeactivate), Person: "17", Plan: plan, Undo: true, Address: who.Address()}
			if _, err := st.Apply(t.Context(), e); err != nil || !find(t, st, "17").Active {
				t.Errorf("%s: it is not on again: %v", name, err)
			}
			if who.Withdrawn.IsZero() {
				doPlan(t, st, "objected "+name, who, inbox.Request{Kind: inbox.KindWithdraw})
			}
			if at := find(t, st, "17").Withdrawn; time.Since(at) > time.Hour || time.Until(at) > time.Minute {
				t.Errorf("%s: the objection is of %v", name, at)
			}
		}
	})
}

// TestAnonymised: the account's row stays without its values, and what is
// linked by address goes with it.
func TestAnonymised(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, shop...)
		s.exec(t, "INSERT INTO people (id, email, full_name, phone, is_active) VALUES (17, 'anna@users.test', 'Anna', '1', true), (18, 'boris@users.test', 'Boris', '2', true)",
			"INSERT INTO letters (sender, body) VALUES ('anna@users.test', 'x'), ('anna@USERS.test', 'y'), ('boris@users.test', 'z')")
		places := shopPlaces()
		places[0].Erase = datamap.EraseValues
		for i, c := range places[0].Columns {
			rule := datamap.Rule{Op: datamap.RuleNull}
			switch c.Field {
			case inbox.FieldEmail:
				rule.Op = datamap.RuleInvalid
			case inbox.FieldFullName:
				rule = datamap.Rule{Op: datamap.RuleValue, Value: "deleted"}
			case inbox.FieldPhone:
				rule.Op = datamap.RuleHash
			case datamap.ColumnActive:
				rule = datamap.Rule{Op: datamap.RuleValue, Value: "false"}
			case datamap.ColumnID:
				rule.Op, places[0].Columns[i].Why = datamap.RuleKeep, en("a number")
			}
			places[0].Columns[i].Erase = rule
		}
		st := s.open(t, mapOf(t, places...))
		who := find(t, st, "17")
		e := planned(t, st, "k-1", who, deletion)
		doPlan(t, st, "k-1", who, deletion)
		p := find(t, st, "17")
		if p.Active || !strings.HasSuffix(p.Address(), "@erased.invalid") || p.Fields[inbox.FieldFullName] != "deleted" || len(p.Fields[inbox.FieldPhone]) != 40 {
			t.Errorf("it holds %+v", p)
		}
		if left, err := st.Left(t.Context(), who, e.Plan); err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
		if n := s.count(t, "SELECT count(*) FROM letters"); n != 1 {
			t.Errorf("%d letters are left, want 1", n)
		}
		s.exec(t, "UPDATE people SET phone = '"+strings.Repeat("0", 40)+"' WHERE id = 17")
		if left, err := st.Left(t.Context(), who, e.Plan); err != nil || len(left) != 1 || left[0].Field != inbox.FieldPhone {
			t.Errorf("a value that only looks like a hash: left %v, %v", left, err)
		}
		if b := find(t, st, "18"); b.Fields[inbox.FieldFullName] != "Boris" || !b.Active {
			t.Errorf("somebody else is %+v", b)
		}
	})
}

// TestGuestKeys: the ID of a guest says nothing about them, also where the key
// of their row is the address.
func TestGuestKeys(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}", "CREATE TABLE news (mail varchar(190) PRIMARY KEY NOT NULL, topic varchar(20)){end}",
			"INSERT INTO news VALUES ('guest,1%2@users.test', 'bees'), ('other@users.test', 'ants')")
		st := s.open(t, mapOf(t, account("people", "id"), datamap.Place{Name: "news", Label: en("News"), Columns: []datamap.Column{fixed("topic"), fixed("mail")},
			Source: datamap.Source{Table: "news", Key: []string{"mail"}, Link: datamap.Link{Column: "mail"}}}))
		s.exec(t, "UPDATE news SET mail = 'guest+1%2C@users.test' WHERE topic = 'bees'")
		found, err := st.ByAddress(t.Context(), "guest+1%2C@users.test")
		if err != nil || len(found) != 1 || strings.Contains(found[0].ID, "guest") {
			t.Fatalf("found %+v, %v", found, err)
		}
		again, err := st.ByAddress(t.Context(), "guest+1%2C@users.test")
		if err != nil || again[0].ID != found[0].ID || find(t, st, found[0].ID).Address() != "guest+1%2C@users.test" {
			t.Errorf("found again %+v, %v", again, err)
		}
		doPlan(t, st, "k-1", found[0], deletion)
		if n := s.count(t, "SELECT count(*) FROM news"); n != 1 {
			t.Errorf("%d rows are left, want 1", n)
		}
		if _, err := st.Get(t.Context(), found[0].ID); !errors.Is(err, users.ErrNotFound) {
			t.Errorf("Get: %v", err)
		}
	})
}

// TestBlankedGuest: of a guest whose rows stay without their address nobody is
// left who could be found.
func TestBlankedGuest(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}",
			"CREATE TABLE news (id integer PRIMARY KEY, mail varchar(254)){end}", "INSERT INTO news VALUES (1, 'guest@users.test')")
		news := related("news", "mail", "", "", "mail")
		news.Erase, news.Columns[0].Erase = datamap.EraseValues, datamap.Rule{Op: datamap.RuleInvalid}
		st := s.open(t, mapOf(t, account("people", "id"), news))
		found, err := st.ByAddress(t.Context(), "guest@users.test")
		if err != nil || len(found) != 1 {
			t.Fatalf("%+v, %v", found, err)
		}
		e := planned(t, st, "k-1", found[0], deletion)
		for _, again := range []bool{false, true} {
			if a, err := st.Apply(t.Context(), e); err != nil || a.Again != again {
				t.Errorf("Apply: %+v, %v", a, err)
			}
		}
		if p, err := st.Get(t.Context(), found[0].ID); !errors.Is(err, users.ErrNotFound) {
			t.Errorf("Get: %+v, %v", p, err)
		}
		s.exec(t, "UPDATE news SET mail = 'guest@users.test'") // a backup was restored
		find(t, st, found[0].ID)
	})
}

// TestKeptRowsGo: what the person is told to be kept must be there afterwards.
func TestKeptRowsGo(t *testing.T) {
	const gone = "DELETE FROM letters WHERE sender = 'anna@users.test'"
	each(t, func(t *testing.T, s *site) {
		s.exec(t, shop...)
		s.exec(t, map[string][]string{
			"postgres": {"CREATE FUNCTION clean() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN " + gone + "; RETURN NULL; END$$",
				"CREATE TRIGGER c AFTER DELETE ON items FOR EACH ROW EXECUTE FUNCTION clean()"},
			"mysql":  {"CREATE TRIGGER c AFTER DELETE ON items FOR EACH ROW " + gone},
			"sqlite": {"CREATE TRIGGER c AFTER DELETE ON items BEGIN " + gone + "; END"},
		}[s.store]...)
		s.exec(t, "INSERT INTO people (id, email, is_active) VALUES (17, 'anna@users.test', true)", "INSERT INTO orders (id, user_id) VALUES (1, 17)",
			"INSERT INTO items (order_id, title) VALUES (1, 'x')", "INSERT INTO letters (sender, body) VALUES ('anna@users.test', 'x'), ('boris@users.test', 'y')")
		places := shopPlaces()
		for i, p := range places {
			if p.Name == "letters" {
				places[i].Erase, places[i].Keep = datamap.EraseNone, en("we answer for what we were told")
			}
		}
		st := s.open(t, mapOf(t, places...))
		_, err := st.Apply(t.Context(), planned(t, st, "k-1", find(t, st, "17"), deletion))
		if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), `"letters"`) || !strings.Contains(err.Error(), "to stay") {
			t.Errorf("Apply: %v", err)
		}
		if n := s.count(t, "SELECT count(*) FROM letters"); n != 2 {
			t.Errorf("%d letters are left", n)
		}
		find(t, st, "17")
		s.exec(t, "DELETE FROM items", "INSERT INTO letters (sender, body) VALUES ('anna@users.test', 'x')")
		doPlan(t, st, "k-2", find(t, st, "17"), deletion)
		if n := s.count(t, "SELECT count(*) FROM letters"); n != 2 {
			t.Errorf("%d letters are left after a delete that keeps them", n)
		}
	})
}
