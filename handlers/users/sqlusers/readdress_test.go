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

// news is a place that is linked by address.
func news(name, key string, change func(*datamap.Place)) datamap.Place {
	p := datamap.Place{Name: name, Label: en(name), Columns: []datamap.Column{fixed("topic")},
		Source: datamap.Source{Table: name, Key: []string{key}, Link: datamap.Link{Column: "mail"}}}
	if change != nil {
		change(&p)
	}
	return p
}

// moved applies a change of Anna's address.
func moved(t *testing.T, st *Store, key, to string) error {
	t.Helper()
	_, err := st.Apply(t.Context(), planned(t, st, key, find(t, st, "17"), setting(inbox.FieldEmail, to)))
	return err
}

// addressed makes people and a table of news for each column that is given.
func addressed(t *testing.T, s *site, columns string) {
	t.Helper()
	s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}",
		"INSERT INTO people VALUES (17, 'anna@users.test'), (18, 'boris@users.test')", "CREATE TABLE news ("+columns+"){end}")
}

// TestReaddressTaken: a row with the new address is there already, where it must
// be unique; so are two rows that write the old one in two ways. Nothing is
// done, and staff are told what to do; once they have, it goes through under
// the same key.
func TestReaddressTaken(t *testing.T) {
	for name, c := range map[string]struct{ columns, rows, mend, want string }{
		"column": {"id integer PRIMARY KEY, mail varchar(190) UNIQUE, topic varchar(20)", "(1, 'anna@users.test', 'bees'), (2, 'new@users.test', 'ants')",
			"DELETE FROM news WHERE id = 2", `["mail"]`},
		"columns": {"id integer PRIMARY KEY, mail varchar(190), topic varchar(20), UNIQUE (mail, topic)", "(1, 'anna@users.test', 'bees'), (2, 'anna@users.test', 'ants'), (4, 'new@users.test', 'bees')",
			"DELETE FROM news WHERE id = 4", `["mail" "topic"]`},
		"key": {"mail varchar(190) PRIMARY KEY NOT NULL, id integer, topic varchar(20)", "('anna@users.test', 1, 'bees'), ('new@users.test', 2, 'ants')",
			"DELETE FROM news WHERE id = 2", `"mail"`},
		"written in two ways": {"id integer PRIMARY KEY, mail varchar(190) UNIQUE, topic varchar(20)", "(1, 'anna@users.test', 'bees'), (2, ' anna@users.test', 'ants')",
			"DELETE FROM news WHERE id = 2", `["mail"]`},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *site) {
				addressed(t, s, c.columns)
				s.exec(t, "INSERT INTO news VALUES "+c.rows)
				key := "id"
				if name == "key" {
					key = "mail"
				}
				st := s.open(t, mapOf(t, account("people", "id"), news("news", key, nil)))
				err := moved(t, st, "k-1", "new@users.test")
				var taken *users.TakenError
				if err == nil || inbox.IsTemporary(err) || errors.As(err, &taken) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"news"`) {
					t.Errorf("Apply: %v", err)
				}
				for _, private := range []string{"new@", "anna@", "bees"} {
					if err != nil && strings.Contains(err.Error(), private) {
						t.Errorf("the error has a value in it: %v", err)
					}
				}
				if a := find(t, st, "17").Address(); a != "anna@users.test" || s.count(t, "SELECT count(*) FROM news WHERE mail LIKE '%anna@users.test'") == 0 {
					t.Errorf("half of it was done: the account has %s", a)
				}
				s.exec(t, c.mend)
				if err := moved(t, st, "k-1", "new@users.test"); err != nil {
					t.Errorf("once it is mended: %v", err)
				}
				if n := s.count(t, "SELECT count(*) FROM news WHERE mail LIKE '%anna%'"); n != 0 || s.text(t, "SELECT mail FROM news WHERE id = 1") != "new@users.test" {
					t.Errorf("%d rows keep the old address", n)
				}
			})
		})
	}
}

// TestReaddressStubborn: the database cuts the address, puts rows with the old
// one back, or refuses it. Nothing is done.
func TestReaddressStubborn(t *testing.T) {
	const serial = "id {serial}, mail varchar(60), topic varchar(20)"
	triggers := map[string]map[string][]string{
		"cut": {
			"postgres": {"CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.mail := left(NEW.mail, 5); RETURN NEW; END'", "CREATE TRIGGER c BEFORE UPDATE ON news FOR EACH ROW EXECUTE FUNCTION cut()"},
			"mysql":    {"CREATE TRIGGER c BEFORE UPDATE ON news FOR EACH ROW SET NEW.mail = left(NEW.mail, 5)"},
			"sqlite":   {"CREATE TRIGGER c AFTER UPDATE ON news BEGIN UPDATE news SET mail = substr(mail, 1, 5) WHERE id = NEW.id; END"},
		},
		"put back": {
			"postgres": {"CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO news (mail, topic) VALUES (OLD.mail, ''again''); RETURN NULL; END'", "CREATE TRIGGER b AFTER UPDATE ON news FOR EACH ROW EXECUTE FUNCTION back()"},
			"sqlite":   {"CREATE TRIGGER b AFTER UPDATE ON news BEGIN INSERT INTO news (mail, topic) VALUES (OLD.mail, 'again'); END"},
		},
		"not done": {
			"postgres": {"CREATE RULE r AS ON UPDATE TO news DO INSTEAD NOTHING"},
			"sqlite":   {"CREATE TRIGGER r BEFORE UPDATE ON news BEGIN SELECT RAISE(IGNORE); END"},
		},
	}
	for name, by := range triggers {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s *site) {
				if by[s.store] == nil {
					return // it has no way to do that
				}
				addressed(t, s, serial)
				s.exec(t, "INSERT INTO news (mail, topic) VALUES ('anna@users.test', 'bees')")
				s.exec(t, by[s.store]...)
				st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil)))
				err := moved(t, st, "k-1", "anna.new@users.test")
				if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), `"news"`) || strings.Contains(err.Error(), "@") {
					t.Errorf("Apply: %v", err)
				}
				if a, m := find(t, st, "17").Address(), s.text(t, "SELECT mail FROM news"); a != "anna@users.test" || m != a {
					t.Errorf("half of it was done: the account has %s, the row %s", a, m)
				}
			})
		})
	}
}

// TestReaddressDoesNotFit: an address that is longer than a column that it would
// be written into, or has characters that this has not, is refused with a reason
// that the person is told.
func TestReaddressDoesNotFit(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(20) CHECK (mail <> 'x@users.test'), topic varchar(20)")
		s.exec(t, "INSERT INTO news VALUES (1, 'anna@users.test', 'bees')")
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil)))
		var refused *datamap.RefusedError
		if err := moved(t, st, "k-1", "anna.petrova@users.test"); !errors.As(err, &refused) || refused.Reason != datamap.ReasonTooLong || refused.Field != inbox.FieldEmail {
			t.Errorf("too long: %v", err)
		}
		if err := moved(t, st, "k-2", "x@users.test"); err == nil || inbox.IsTemporary(err) {
			t.Errorf("refused by a constraint: %v", err)
		}
		if a := find(t, st, "17").Address(); a != "anna@users.test" {
			t.Errorf("the account has %s", a)
		}
		if s.store != "mysql" {
			return
		}
		s.exec(t, "ALTER TABLE news MODIFY mail varchar(190) CHARACTER SET latin1")
		if err := moved(t, st, "k-3", "анна@users.test"); !errors.As(err, &refused) || refused.Reason != datamap.ReasonInvalid {
			t.Errorf("not in the character set: %v", err)
		}
	})
}

// TestReaddressWhich: rows that the map keeps, that do not count, or that only
// look alike stay as they are; what refers to the address follows.
func TestReaddressWhich(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(190), topic varchar(20)")
		for _, table := range []string{"kept", "tokens", "half"} {
			s.exec(t, "CREATE TABLE "+table+" (id integer PRIMARY KEY, mail varchar(190), topic varchar(20)){end}", "INSERT INTO "+table+" VALUES (1, 'anna@users.test', 'bees')")
		}
		s.exec(t, "INSERT INTO news VALUES (1, 'anna@users.test', 'bees'), (2, 'anna@users.test', 'spam'), (3, 'Anna@users.test', 'bees'), (4, 'ann@users.test', 'bees'), (5, '\tanna@USERS.test ', 'bees'), (6, NULL, 'bees')",
			"CREATE TABLE replies (id integer PRIMARY KEY, news integer, body varchar(20)){end}", "INSERT INTO replies VALUES (1, 1, 'x')")
		st := s.open(t, mapOf(t, account("people", "id"),
			news("news", "id", func(p *datamap.Place) { p.Source.Where = []datamap.Match{{Column: "topic", Value: "bees"}} }),
			news("kept", "id", func(p *datamap.Place) { p.Erase, p.Keep = datamap.EraseNone, en("the law") }),
			news("tokens", "id", func(p *datamap.Place) { p.Source.Link.Fixed, p.Source.Link.Why = true, en("the law") }),
			news("half", "id", func(p *datamap.Place) {
				p.Erase = datamap.EraseValues
				p.Columns = []datamap.Column{fixed("mail", datamap.Rule{Op: datamap.RuleKeep}), fixed("topic", datamap.Rule{Op: datamap.RuleNull})}
			}),
			related("replies", "news", "news", "id", "body")))
		if err := moved(t, st, "k-1", "New@Users.test"); err != nil {
			t.Fatal(err)
		}
		for table, want := range map[string]string{"news": "1 2 5", "kept": "1", "tokens": "1", "half": "1"} {
			for id := range strings.FieldsSeq(want) {
				addr := "anna@users.test"
				if table == "news" && id != "2" {
					addr = "New@users.test"
				}
				if got := s.text(t, "SELECT mail FROM "+table+" WHERE id = "+id); got != addr {
					t.Errorf("%s %s has %s, want %s", table, id, got, addr)
				}
			}
		}
		if n := s.count(t, "SELECT count(*) FROM news WHERE id IN (3, 4, 6) AND (mail IS NULL OR mail LIKE '%nn%@users.test')"); n != 3 {
			t.Errorf("somebody else's rows were changed: %d are as they were", n)
		}
		n := 0
		for _, err := range st.Records(t.Context(), find(t, st, "17")) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 4 { // the account, two of news, and what hangs on one
			t.Errorf("%d records, want 4", n)
		}
	})
}

// TestReaddressMany: their number does not matter.
func TestReaddressMany(t *testing.T) {
	const many = 5000
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(190), topic varchar(20)")
		for i := 0; i < many; i += 500 {
			var rows []string
			for j := i; j < i+500; j++ {
				rows = append(rows, fmt.Sprintf("(%d, 'anna@users.test', 'bees')", j))
			}
			s.exec(t, "INSERT INTO news VALUES "+strings.Join(rows, ", "))
		}
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil)))
		if err := moved(t, st, "k-1", "new@users.test"); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, "SELECT count(*) FROM news WHERE mail = 'new@users.test'"); n != many {
			t.Errorf("%d rows have the new address, want %d", n, many)
		}
	})
}

// TestReaddressReferences: a reference to the account's own address takes its
// rows along, or stands in the way, and says so.
func TestReaddressReferences(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		for _, on := range []string{"CASCADE", "NO ACTION"} {
			s := newSite(t, s.store)
			s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(190) UNIQUE){end}", "INSERT INTO people VALUES (17, 'anna@users.test')",
				"CREATE TABLE news (id integer PRIMARY KEY, mail varchar(190), topic varchar(20), FOREIGN KEY (mail) REFERENCES people (email) ON UPDATE "+on+"){end}",
				"INSERT INTO news VALUES (1, 'anna@users.test', 'bees')")
			st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil)))
			err := moved(t, st, "k-1", "new@users.test")
			if on == "CASCADE" && (err != nil || s.text(t, "SELECT mail FROM news") != "new@users.test") {
				t.Errorf("%s: %v", on, err)
			}
			if on != "CASCADE" && (err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "constraint")) {
				t.Errorf("%s: %v", on, err)
			}
		}
	})
}

// TestReaddressAtTheSameTime: two people want the same address, and both have
// rows. One of them gets it, with their own rows only.
func TestReaddressAtTheSameTime(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(190), topic varchar(20)")
		s.exec(t, "INSERT INTO news VALUES (1, 'anna@users.test', 'bees'), (2, 'boris@users.test', 'ants')")
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil)))
		results := make(chan error)
		for _, id := range []string{"17", "18"} {
			e := planned(t, st, "k-"+id, find(t, st, id), setting(inbox.FieldEmail, "new@users.test"))
			go func() {
				_, err := st.Apply(t.Context(), e)
				results <- err
			}()
		}
		failed := 0
		for range 2 {
			var taken *users.TakenError
			switch err := <-results; {
			case errors.As(err, &taken):
				failed++
			case err != nil:
				t.Errorf("Apply: %v", err)
			}
		}
		if n := s.count(t, "SELECT count(*) FROM news WHERE mail = 'new@users.test'"); failed != 1 || n != 1 {
			t.Errorf("%d failed, %d rows have the new address, want one each", failed, n)
		}
	})
}

// TestFirstRowByAddress: somebody who has no row yet in a place linked by address
// gets one, which is theirs at once, and follows them.
func TestFirstRowByAddress(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id {serial}, mail varchar(190), topic varchar(20)")
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", func(p *datamap.Place) {
			p.Single, p.Columns = true, []datamap.Column{{Field: "topic", Max: 20}}
		})))
		doPlan(t, st, "k-1", find(t, st, "17"), setting("topic", "bees"))
		if err := moved(t, st, "k-2", "new@users.test"); err != nil {
			t.Fatal(err)
		}
		if got := find(t, st, "17").Fields["topic"]; got != "bees" {
			t.Errorf("it holds %q", got)
		}
	})
}

// TestReaddressSingle: a place of one row a person would have two, one of the old
// address and one of the new. Nothing is written, and staff are told.
func TestReaddressSingle(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id {serial}, mail varchar(190), topic varchar(20)")
		s.exec(t, "INSERT INTO news (mail, topic) VALUES ('anna@users.test', 'bees'), ('new@users.test', 'ants'), ('newer@users.test', 'wasps')",
			"DELETE FROM news WHERE topic = 'wasps'")
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", func(p *datamap.Place) {
			p.Single, p.Columns = true, []datamap.Column{{Field: "topic", Max: 20}}
		})))
		err := moved(t, st, "k-1", "New@users.test")
		if err != nil {
			t.Fatalf("a row of somebody else stands in the way: %v", err)
		}
		if err := moved(t, st, "k-2", "new@users.test"); err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "two of its rows would hold the new address") || strings.Contains(err.Error(), "@") {
			t.Errorf("Apply: %v", err)
		}
		if p := find(t, st, "17"); p.Address() != "New@users.test" || p.Fields["topic"] != "bees" {
			t.Errorf("half of it was done: %+v", p)
		}
		s.exec(t, "DELETE FROM news WHERE topic = 'ants'")
		if err := moved(t, st, "k-2", "new@users.test"); err != nil {
			t.Errorf("once it is mended: %v", err)
		}
	})
}

// TestRemoveAfterMove: the site itself sets another address between the plan and
// the delete. The rows of the new one stay, and those of the old one do not stay
// behind unseen: nothing is done.
func TestRemoveAfterMove(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(190), topic varchar(20)")
		s.exec(t, "INSERT INTO news VALUES (1, 'anna@users.test', 'bees'), (2, 'guest@users.test', 'ants')")
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil)))
		e := planned(t, st, "k-1", find(t, st, "17"), deletion)
		s.exec(t, "UPDATE people SET email = 'guest@users.test' WHERE id = 17")
		if _, err := st.Apply(t.Context(), e); !errors.Is(err, users.ErrChanged) || inbox.IsTemporary(err) {
			t.Errorf("Apply: %v, want ErrChanged", err)
		}
		if n := s.count(t, "SELECT count(*) FROM news") + s.count(t, "SELECT count(*) FROM people"); n != 4 {
			t.Errorf("%d rows are left, want all 4", n)
		}
		s.exec(t, "UPDATE people SET email = 'Anna@users.test' WHERE id = 17", "UPDATE people SET email = NULL WHERE id = 18")
		none := planned(t, st, "k-2", find(t, st, "18"), deletion)
		s.exec(t, "UPDATE people SET email = 'guest@users.test' WHERE id = 18")
		if _, err := st.Apply(t.Context(), none); !errors.Is(err, users.ErrChanged) {
			t.Errorf("an address where there was none: %v, want ErrChanged", err)
		}
	})
}

// TestEraseShared: rows that hold an address which another account has, too, are
// neither removed nor blanked, nor what hangs on them; a guest's are not either,
// once there is an account. Where there are none, nothing stands in the way.
func TestEraseShared(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		addressed(t, s, "id integer PRIMARY KEY, mail varchar(190), topic varchar(20)")
		s.exec(t, "CREATE TABLE replies (id integer PRIMARY KEY, news integer, body varchar(20)){end}", "INSERT INTO replies VALUES (1, 1, 'x')",
			"INSERT INTO news VALUES (1, 'anna@users.test', 'bees'), (2, 'guest@users.test', 'ants')", "UPDATE people SET email = 'anna@USERS.test' WHERE id = 18")
		stay := news("news", "id", func(p *datamap.Place) { p.Erase, p.Keep = datamap.EraseNone, en("the law") })
		blank := news("news", "id", func(p *datamap.Place) {
			p.Erase = datamap.EraseValues
			p.Columns = []datamap.Column{fixed("mail", datamap.Rule{Op: datamap.RuleKeep}), fixed("topic", datamap.Rule{Op: datamap.RuleHash})}
		})
		replies := related("replies", "news", "news", "id", "body")
		for name, places := range map[string][]datamap.Place{"removed": {news("news", "id", nil)}, "blanked": {blank}, "hanging on": {stay, replies}} {
			st := s.open(t, mapOf(t, append([]datamap.Place{account("people", "id")}, places...)...))
			_, err := st.Apply(t.Context(), planned(t, st, "k-1", find(t, st, "17"), deletion))
			if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "another account") || strings.Contains(err.Error(), "@") {
				t.Errorf("%s: %v", name, err)
			}
			if n := s.count(t, "SELECT count(*) FROM news WHERE topic = 'bees'") + s.count(t, "SELECT count(*) FROM replies") + s.count(t, "SELECT count(*) FROM people"); n != 4 {
				t.Errorf("%s: %d rows are as they were, want 4", name, n)
			}
		}
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil)))
		found, err := st.ByAddress(t.Context(), "guest@users.test")
		if err != nil || len(found) != 1 {
			t.Fatalf("found %+v, %v", found, err)
		}
		e := planned(t, st, "k-2", found[0], deletion)
		s.exec(t, "INSERT INTO people VALUES (19, 'guest@users.test')")
		if _, err := st.Apply(t.Context(), e); err == nil || inbox.IsTemporary(err) || s.count(t, "SELECT count(*) FROM news") != 2 {
			t.Errorf("a guest who has an account now: %v", err)
		}
		s.exec(t, "DELETE FROM news WHERE id = 1")
		if _, err := st.Apply(t.Context(), planned(t, st, "k-3", find(t, st, "17"), deletion)); err != nil {
			t.Errorf("without such rows: %v", err)
		}
	})
}
