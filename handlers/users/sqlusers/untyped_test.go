package sqlusers

import (
	"fmt"
	"slices"
	"testing"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// TestUntyped: SQLite columns without a type hold numbers and texts as they were
// written, and take no 17 for "17". Rows are found all the same, by keys,
// links, what rows must be like, and addresses; in order, page by page.
func TestUntyped(t *testing.T) {
	const many = 3 * firstRows
	for _, kind := range []string{"", "BLOB"} {
		t.Run("of type "+kind, func(t *testing.T) {
			s := newSite(t, "sqlite")
			s.exec(t, fmt.Sprintf("CREATE TABLE people (id %[1]s PRIMARY KEY NOT NULL, email varchar(254), nickname varchar(20), active %[1]s)", kind),
				fmt.Sprintf("CREATE TABLE notes (id %[1]s PRIMARY KEY NOT NULL, user_id %[1]s, live %[1]s, body text)", kind),
				fmt.Sprintf("CREATE TABLE replies (id integer PRIMARY KEY, note %[1]s, body text)", kind),
				fmt.Sprintf("CREATE TABLE letters (id integer PRIMARY KEY, sender %[1]s, body text)", kind),
				fmt.Sprintf("CREATE TABLE shoes (id integer PRIMARY KEY, user_id %[1]s, size %[1]s)", kind),
				"INSERT INTO people VALUES (17, 'anna@users.test', 'anna', 1), ('18', 'boris@users.test', 'boris', 1)",
				"INSERT INTO letters VALUES (1, 'anna@users.test', 'a'), (2, CAST(' anna@Users.test' AS BLOB), 'b'), (3, 'boris@users.test', 'c')")
			for i := range many { // keys and links of either sort, and some as bytes
				key, link, live := fmt.Sprint(i), "17", "1"
				if i%2 == 1 {
					key = "'" + key + "'"
				}
				switch i % 3 {
				case 1:
					link, live = "'17'", "'1'"
				case 2:
					link = "x'3137'"
				}
				s.exec(t, fmt.Sprintf("INSERT INTO notes VALUES (%s, %s, %s, 'n')", key, link, live), fmt.Sprintf("INSERT INTO replies VALUES (%d, '%d', 'r')", i, i))
			}
			s.exec(t, "INSERT INTO notes VALUES (2000, '18', 1, 'of boris'), ('x', 18, 1, 'of boris'), (3000, 17, 0, 'another')")
			people := account("people", "id", datamap.Column{Field: inbox.FieldNickname, Max: 20})
			people.Account.Active = datamap.Switch{Column: "active", On: "1", Off: "0"}
			notes := related("notes", "user_id", "profile", "id", "body")
			notes.Source.Where = []datamap.Match{{Column: "live", Value: "1"}}
			shoes := related("shoes", "user_id", "profile", "id")
			shoes.Single, shoes.Columns = true, []datamap.Column{{Field: "size", Max: 20}}
			st := s.open(t, mapOf(t, people, notes, related("replies", "note", "notes", "id", "body"), related("letters", "sender", "", "", "body"), shoes))
			for id, want := range map[string]map[string]int{"17": {"profile": 1, "notes": many, "replies": many, "letters": 2}, "18": {"profile": 1, "notes": 2, "letters": 1}} {
				got := map[string]int{}
				for r, err := range st.Records(t.Context(), find(t, st, id)) {
					if got[r.Place]++; err != nil {
						t.Fatal(err)
					}
				}
				for _, place := range []string{"profile", "notes", "replies", "letters"} {
					if got[place] != want[place] {
						t.Errorf("person %s has %d records of %s, want %d", id, got[place], place, want[place])
					}
				}
			}
			doPlan(t, st, "k-1", find(t, st, "17"), inbox.Request{Kind: inbox.KindDeactivate})
			doPlan(t, st, "k-2", find(t, st, "17"), setting("size", "38"))
			doPlan(t, st, "k-3", find(t, st, "17"), setting("size", "39"))
			if got := s.text(t, "SELECT typeof(active) || active FROM people WHERE nickname = 'anna'"); got != "integer0" {
				t.Errorf("a number was written as %s", got)
			}
			if got := s.text(t, "SELECT typeof(user_id) || user_id FROM shoes"); got != "integer17" {
				t.Errorf("a new row is linked by %s", got)
			}
			doPlan(t, st, "k-4", find(t, st, "17"), deletion)
			var left []string
			for _, table := range []string{"people", "notes", "replies", "letters", "shoes"} {
				left = append(left, fmt.Sprint(table, s.count(t, "SELECT count(*) FROM "+table)))
			}
			if want := []string{"people1", "notes3", "replies0", "letters1", "shoes0"}; !slices.Equal(left, want) {
				t.Errorf("left are %v, want %v", left, want)
			}
		})
	}
}
