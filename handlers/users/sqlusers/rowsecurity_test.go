package sqlusers

import (
	"errors"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// hidden makes PostgreSQL hide every row of a table from its owner, too.
func hidden(table string) []string {
	return []string{"ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY", "ALTER TABLE " + table + " FORCE ROW LEVEL SECURITY",
		"CREATE POLICY p ON " + table + " USING (current_setting('site.tenant', true) = 'x')"}
}

// TestRowSecurity: a policy that hides rows from us is an error, and never the
// answer that there is nobody, or nothing left.
func TestRowSecurity(t *testing.T) {
	refused := func(t *testing.T, what string, err error) {
		t.Helper()
		if _, unfit := errors.AsType[*UnfitError](err); !unfit || !strings.Contains(err.Error(), "row-level security") {
			t.Errorf("%s: %v, want that the map does not fit because of the row-level security", what, err)
		}
	}
	for _, table := range []string{"people", "letters", "items"} {
		t.Run(table, func(t *testing.T) {
			s := newSite(t, "postgres")
			st := annas(t, s)
			s.exec(t, "INSERT INTO letters (sender, body) VALUES ('anna@users.test', 'x')", "INSERT INTO items (order_id, title) VALUES (1, 'y')")
			who := find(t, st, "17")
			e := planned(t, st, "k-1", who, deletion)
			s.exec(t, hidden(table)...)
			if table == "people" {
				_, err := st.ByAddress(t.Context(), "anna@users.test")
				refused(t, "ByAddress", err)
				_, err = st.Get(t.Context(), "17")
				refused(t, "Get", err)
			}
			var last error
			for _, err := range st.Records(t.Context(), who) {
				last = err
			}
			refused(t, "Records", last)
			_, err := st.Left(t.Context(), who, e.Plan)
			refused(t, "Left", err)
			_, err = st.Apply(t.Context(), e)
			refused(t, "Apply", err)
			refused(t, "Ping", st.Ping(t.Context()))
			_, err = st.Rights(t.Context())
			refused(t, "Rights", err)
			s.exec(t, "ALTER TABLE "+table+" NO FORCE ROW LEVEL SECURITY") // then the owner sees every row
			if _, err := st.Apply(t.Context(), e); err != nil {
				t.Errorf("without it: %v", err)
			}
			if n := s.count(t, "SELECT count(*) FROM people") + s.count(t, "SELECT count(*) FROM letters") + s.count(t, "SELECT count(*) FROM items"); n != 0 {
				t.Errorf("%d rows are left", n)
			}
		})
	}
}

// TestRowSecurityBelowView: nothing tells of a view that rows of its table are
// hidden, until it is asked.
func TestRowSecurityBelowView(t *testing.T) {
	s := newSite(t, "postgres")
	s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254))", "CREATE VIEW members AS SELECT * FROM people", "INSERT INTO people VALUES (17, 'anna@users.test')")
	s.exec(t, hidden("people")...)
	st := s.open(t, mapOf(t, account("members", "id")))
	if _, err := st.ByAddress(t.Context(), "anna@users.test"); err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("ByAddress: %v", err)
	}
	lacks, err := st.Rights(t.Context())
	if err != nil || len(lacks) == 0 || !strings.Contains(lacks[0].Err.Error(), "row-level security") {
		t.Errorf("Rights: %+v, %v", lacks, err)
	}
}
