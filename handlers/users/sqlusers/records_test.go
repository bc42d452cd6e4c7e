package sqlusers

import (
	"fmt"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// TestPages reads and blanks more rows than a page has, by a key of two
// columns, and rows that are too large for one page together.
func TestPages(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const n = 2*pageRows + 1
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}", "INSERT INTO people VALUES (17, 'anna@users.test'), (18, 'boris@users.test')",
			"CREATE TABLE visits (site varchar(20) NOT NULL, n integer NOT NULL, user_id integer, mail varchar(60), page "+
				map[string]string{"postgres": "text", "mysql": "longtext", "sqlite": "text"}[s.store]+", PRIMARY KEY (site, n)){end}")
		var rows []string
		for i := range 2 * n {
			rows = append(rows, fmt.Sprintf("('%c', %d, %d, 'm%d@users.test', 'p')", 'a'+i%3, i, 17+i%2, i))
		}
		s.exec(t, "INSERT INTO visits VALUES "+strings.Join(rows, ", "), "UPDATE visits SET page = '"+strings.Repeat("x", pageBytes/3)+"' WHERE n < 14")
		visits := related("visits", "user_id", "profile", "id")
		visits.Source.Key, visits.Erase = []string{"site", "n"}, datamap.EraseValues
		visits.Columns = []datamap.Column{fixed("n", datamap.Rule{Op: datamap.RuleKeep}), fixed("mail", datamap.Rule{Op: datamap.RuleInvalid}),
			fixed("page", datamap.Rule{Op: datamap.RuleNull})}
		st := s.open(t, mapOf(t, account("people", "id"), visits))
		seen := map[string]bool{}
		who := find(t, st, "17")
		for r, err := range st.Records(t.Context(), who) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Place == "visits" {
				seen[r.Values[0]] = true
			}
		}
		if len(seen) != n {
			t.Errorf("%d rows came out, want %d", len(seen), n)
		}
		for v := range st.Records(t.Context(), who) { // who stops reading is not read on to
			if v.Place == "visits" {
				break
			}
		}
		doPlan(t, st, "k-1", who, deletion)
		if got := s.count(t, "SELECT count(DISTINCT mail) FROM visits WHERE mail LIKE '%@erased.invalid' AND page IS NULL AND user_id = 17"); got != n {
			t.Errorf("%d rows are blanked, want %d", got, n)
		}
		if got := s.count(t, "SELECT count(*) FROM visits WHERE mail LIKE 'm%@users.test' AND page IS NOT NULL AND user_id = 18"); got != n {
			t.Errorf("%d rows of somebody else are as they were, want %d", got, n)
		}
	})
}

// TestNestedPages reads more rows than a page has of a place that is linked to
// another.
func TestNestedPages(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const n = 2*pageRows + 1
		s.exec(t, shop...)
		s.exec(t, "INSERT INTO people (id, email, is_active) VALUES (17, 'anna@users.test', true), (18, 'boris@users.test', true)",
			"INSERT INTO orders (id, user_id) VALUES (1, 17), (2, 18), (3, 17)")
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf("(%d, '%d'), (2, 'of boris')", 1+i%2*2, i))
		}
		s.exec(t, "INSERT INTO items (order_id, title) VALUES "+strings.Join(rows, ", "))
		st := s.open(t, mapOf(t, shopPlaces()...))
		next := 0
		for r, err := range st.Records(t.Context(), find(t, st, "17")) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Place != "items" {
				continue
			}
			if want := fmt.Sprint(next); r.Values[0] != want {
				t.Fatalf("item %s comes where %s should", r.Values[0], want)
			}
			next++
		}
		if next != n {
			t.Errorf("%d items, want %d", next, n)
		}
	})
}

// TestPagesOfLargeRows: what does not fit in a page is not fetched with every
// page and thrown away.
func TestPagesOfLargeRows(t *testing.T) {
	const rows, size = 100, pageBytes / 8
	s := newSite(t, "mysql") // it tells what it has sent
	s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}", "INSERT INTO people VALUES (17, 'anna@users.test')",
		"CREATE TABLE files (id integer PRIMARY KEY, user_id integer, body longtext){end}",
		fmt.Sprintf("INSERT INTO files SELECT seq, 17, REPEAT('x', %d) FROM seq_1_to_%d", size, rows))
	st := s.open(t, mapOf(t, account("people", "id"), related("files", "user_id", "profile", "id", "body")))
	who := find(t, st, "17")
	sent := func() (n int) {
		t.Helper()
		var name string
		if err := s.admin.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Bytes_sent'").Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before, n := sent(), 0
	for _, err := range st.Records(t.Context(), who) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if got := (sent() - before) / size; n != rows+1 || got > 2*rows {
		t.Errorf("for %d records the database sent %d rows, want %d or less", n, got, 2*rows)
	}
}

// TestKeyOfView: a view whose key is not unique would lose rows between two
// pages, or within one. It is an error, on whatever side of a page they fall.
func TestKeyOfView(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254)){end}", "INSERT INTO people VALUES (17, 'anna@users.test'), (18, 'boris@users.test'), (19, 'clara@users.test'), (20, 'dora@users.test')",
			"CREATE TABLE visits (id integer PRIMARY KEY, user_id integer, no varchar(20)){end}", "CREATE VIEW seen AS SELECT no, user_id, id FROM visits")
		add := func(user, from, to int, no func(i int) string) {
			var rows []string
			for i := from; i < to; i++ {
				rows = append(rows, fmt.Sprintf("(%d, %d, '%s')", user*1000+i, user, no(i)))
			}
			s.exec(t, "INSERT INTO visits VALUES "+strings.Join(rows, ", "))
		}
		add(17, 0, 200, func(int) string { return "same" })
		add(18, 0, 200, func(i int) string { return fmt.Sprintf("%03d", i) })
		add(19, 0, 200, func(i int) string { return fmt.Sprintf("%03d", i-i/firstRows) })
		add(20, 0, 2*firstRows, func(i int) string { return strings.Repeat("z", 1+i/firstRows) + fmt.Sprintf("%03d", i-i/firstRows) })
		add(21, 0, 200, func(i int) string { return fmt.Sprintf("%03d", i) })
		s.exec(t, "INSERT INTO people VALUES (21, 'eva@users.test')", "UPDATE visits SET no = NULL WHERE id = 21100")
		s.exec(t, "INSERT INTO visits VALUES (1, 18, 'A'), (2, 18, 'a'), (3, 18, 'á')") // which some collations take for one
		place := related("seen", "user_id", "profile", "id", "id")
		place.Source.Key, place.Erase, place.Keep = []string{"no"}, "keep", en("the law")
		st := s.open(t, mapOf(t, account("people", "id"), place))
		for id, want := range map[string]int{"17": -1, "18": 204, "19": -1, "20": 1 + 2*firstRows, "21": -1} {
			n, failed := 0, error(nil)
			for _, err := range st.Records(t.Context(), find(t, st, id)) {
				if failed = err; err == nil {
					n++
				}
			}
			switch {
			case want < 0 && (failed == nil || inbox.IsTemporary(failed) || !strings.Contains(failed.Error(), `"seen"`) || !strings.Contains(failed.Error(), "key")):
				t.Errorf("person %s: %d records, %v", id, n, failed)
			case want >= 0 && (n != want || failed != nil):
				t.Errorf("person %s: %d records, %v, want %d", id, n, failed, want)
			}
		}
	})
}
