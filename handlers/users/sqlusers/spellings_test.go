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

// spelling writes an address in the i-th of a great many ways.
func spelling(local string, i int) string {
	domain := []byte("users.of.a.long.domain.test")
	for bit, at := 0, 0; at < len(domain); at++ {
		if domain[at] == '.' {
			continue
		}
		if i>>bit&1 == 1 {
			domain[at] -= 'a' - 'A'
		}
		bit++
	}
	return local + "@" + string(domain)
}

// TestManySpellings: a stranger may write one address in as many ways as they
// like where a site stores what it is given. Everything is still found, moved,
// and removed.
func TestManySpellings(t *testing.T) {
	const many = 2*together + 100
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(190)){end}", "INSERT INTO people VALUES (17, '"+spelling("anna", 0)+"')",
			"CREATE TABLE news (id integer PRIMARY KEY, mail varchar(190), topic varchar(20)){end}", "CREATE INDEX news_mail ON news (mail)",
			"CREATE TABLE forms (id integer PRIMARY KEY, mail varchar(190), topic varchar(60)){end}", "CREATE INDEX forms_mail ON forms (mail)",
			"CREATE TABLE replies (id integer PRIMARY KEY, news integer, body varchar(20)){end}", "CREATE INDEX replies_news ON replies (news)")
		var rows, replies []string
		for i := range many {
			rows = append(rows, fmt.Sprintf("(%d, '%s', 'bees')", i, spelling("anna", i)), fmt.Sprintf("(%d, '%s', 'ants')", many+i, spelling("Anna", i)))
			replies = append(replies, fmt.Sprintf("(%d, %d, 'x')", i, i))
		}
		s.exec(t, "INSERT INTO news VALUES "+strings.Join(rows, ", "), "INSERT INTO forms VALUES "+strings.Join(rows, ", "), "INSERT INTO replies VALUES "+strings.Join(replies, ", "))
		st := s.open(t, mapOf(t, account("people", "id"), news("news", "id", nil), related("replies", "news", "news", "id", "body"),
			news("forms", "id", func(p *datamap.Place) {
				p.Erase = datamap.EraseValues
				p.Columns = []datamap.Column{fixed("mail", datamap.Rule{Op: datamap.RuleKeep}), fixed("topic", datamap.Rule{Op: datamap.RuleHash})}
			})))
		who := find(t, st, "17")
		held := func(p users.Person) (n int) {
			for _, err := range st.Records(t.Context(), p) {
				if n++; err != nil {
					t.Fatal(err)
				}
			}
			return n
		}
		if n := held(who); n != 1+3*many {
			t.Errorf("%d records, want %d", n, 1+3*many)
		}
		e := planned(t, st, "k-1", who, deletion)
		if left, err := st.Left(t.Context(), who, e.Plan); err != nil || len(left) != 4 {
			t.Errorf("left before: %v, %v", left, err)
		}
		guests, err := st.ByAddress(t.Context(), spelling("Anna", 5))
		if err != nil || len(guests) != 1 || !guests[0].Guest || held(guests[0]) != 2*many {
			t.Errorf("somebody else: %+v, %v", guests, err)
		}
		if err := moved(t, st, "k-2", "new@users.test"); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, "SELECT count(*) FROM news WHERE mail = 'new@users.test'"); n != many {
			t.Errorf("%d rows have the new address, want %d", n, many)
		}
		s.exec(t, "UPDATE people SET email = '"+who.Address()+"'")
		doPlan(t, st, "k-3", find(t, st, "17"), deletion)
		for table, want := range map[string]int{"news WHERE topic = 'bees'": many, "news WHERE topic = 'ants'": many, "forms WHERE topic = 'bees'": 0, "forms WHERE topic = 'ants'": many, "replies": many} {
			if n := s.count(t, "SELECT count(*) FROM "+table); n != want {
				t.Errorf("%d rows of %s, want %d", n, table, want)
			}
		}
		doPlan(t, st, "k-4", guests[0], deletion)
		if n := s.count(t, "SELECT count(*) FROM news WHERE topic = 'ants'"); n != 0 {
			t.Errorf("%d rows of somebody else are left", n)
		}
	})
}

// TestDriverRefuses: what the driver refuses before anything is sent would be
// refused again.
func TestDriverRefuses(t *testing.T) {
	s := newSite(t, "postgres")
	st := annas(t, s)
	q := st.statement("SELECT 1 WHERE 1 IN (")
	for i := range 70_000 {
		if i > 0 {
			q.add(", ")
		}
		q.add(q.plain("x"))
	}
	q.add(")")
	err := st.read(t.Context(), st.db, q, []Column{{}}, func([]value) bool { return true })
	if err == nil || inbox.IsTemporary(err) {
		t.Errorf("too many parameters: %v", err)
	}
	for name, err := range map[string]error{"unknown": errors.New("said 'anna@users.test'"), "wrapped": fmt.Errorf("x: %w", errors.New("y"))} {
		if got := st.failed(t.Context(), err); inbox.IsTemporary(got) || strings.Contains(got.Error(), "anna") {
			t.Errorf("%s: %v", name, got)
		}
	}
}
