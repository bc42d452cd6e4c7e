package sqlusers

import (
	"errors"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// TestOldCharacterSet: tables in latin1, which many MySQL sites have, and which
// cannot even say what is asked for.
func TestOldCharacterSet(t *testing.T) {
	for _, collation := range []string{"latin1_swedish_ci", "latin1_general_cs", "utf8mb3_general_ci", "utf8mb4_unicode_ci", "koi8r_general_ci"} {
		t.Run(collation, func(t *testing.T) {
			s := newSite(t, "mysql")
			end := ") COLLATE " + collation
			s.exec(t, "CREATE TABLE people (id varchar(20) PRIMARY KEY, email varchar(254), full_name varchar(100)"+end,
				"CREATE TABLE notes (id integer PRIMARY KEY, user_id varchar(20), body varchar(100)"+end,
				"CREATE TABLE letters (id integer PRIMARY KEY, sender varchar(254), body varchar(100)"+end,
				"INSERT INTO people VALUES ('17', 'anna@users.test', 'Anna'), ('18', 'boris@users.test', 'Boris')",
				"INSERT INTO notes VALUES (1, '17', 'mine'), (2, '18', 'other')",
				"INSERT INTO letters VALUES (1, ' anna@users.test', 'mine'), (2, 'boris@users.test', 'other')")
			name := datamap.Column{Field: inbox.FieldFullName, Max: 100}
			st := s.open(t, mapOf(t, account("people", "id", name), related("notes", "user_id", "profile", "id", "body"), related("letters", "sender", "", "", "body")))
			for addr, want := range map[string]int{"anna@users.test": 1, "анна@users.test": 0, "rené@users.test": 0, "字@users.test": 0, "????@users.test": 0} {
				if found, err := st.ByAddress(t.Context(), addr); err != nil || len(found) != want {
					t.Errorf("%s: found %v, %v", addr, found, err)
				}
			}
			if p, err := st.Get(t.Context(), "字"); !errors.Is(err, users.ErrNotFound) {
				t.Errorf("a strange ID: %v, %v", p, err)
			}
			doPlan(t, st, "k-1", find(t, st, "17"), setting(inbox.FieldFullName, "Anna Petrova"))
			doPlan(t, st, "k-2", find(t, st, "17"), deletion)
			if n := s.count(t, "SELECT count(*) FROM notes") + s.count(t, "SELECT count(*) FROM letters"); n != 2 {
				t.Errorf("%d rows are left, want the 2 of others", n)
			}
		})
	}
}
