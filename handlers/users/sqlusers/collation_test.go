package sqlusers

import (
	"slices"
	"testing"

	"push.guru/supportd/inbox"
)

// TestNondeterministicCollation: PostgreSQL compares no beginnings by a collation
// that takes different texts for equal; people are found all the same.
func TestNondeterministicCollation(t *testing.T) {
	s := newSite(t, "postgres")
	s.exec(t, "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE TABLE people (id varchar(20) PRIMARY KEY, email varchar(254) COLLATE ci)",
		`CREATE TABLE letters (id integer PRIMARY KEY, sender text COLLATE ci, body text)`,
		`CREATE TABLE notes (id integer PRIMARY KEY, user_id text COLLATE ci, body text)`,
		"INSERT INTO people VALUES ('a17', 'anna@users.test'), ('A17', 'Anna@users.test')",
		"INSERT INTO letters VALUES (1, 'anna@Users.test', 'mine'), (2, 'ANNA@users.test', 'other')",
		"INSERT INTO notes VALUES (1, 'a17', 'mine'), (2, 'A17', 'other')")
	st := s.open(t, mapOf(t, account("people", "id"), related("letters", "sender", "", "", "body"), related("notes", "user_id", "profile", "id", "body")))
	found, err := st.ByAddress(t.Context(), "anna@users.test")
	if err != nil || len(found) != 1 || found[0].ID != "a17" {
		t.Fatalf("found %+v, %v", found, err)
	}
	if lacks := lacksOf(t, st); len(lacks) > 0 {
		t.Errorf("it lacks %q", lacks)
	}
	doPlan(t, st, "k-1", found[0], setting(inbox.FieldEmail, "new@users.test"))
	doPlan(t, st, "k-2", find(t, st, "a17"), deletion)
	if n := s.count(t, "SELECT count(*) FROM people") + s.count(t, "SELECT count(*) FROM letters") + s.count(t, "SELECT count(*) FROM notes"); n != 3 {
		t.Errorf("%d rows are left, want the 3 of somebody else", n)
	}
}

// TestRightsToSearch: that a column can be read does not say that it can be
// searched, which is tried as well.
func TestRightsToSearch(t *testing.T) {
	s := newSite(t, "postgres")
	s.exec(t, "CREATE FUNCTION fails(v text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
		"CREATE TABLE people (id integer PRIMARY KEY, email varchar(254))", "INSERT INTO people VALUES (17, 'anna@users.test')",
		"CREATE VIEW members AS SELECT id, email FROM people", "CREATE TABLE letters (id integer PRIMARY KEY, sender text)", "INSERT INTO letters VALUES (1, 'x')",
		"CREATE VIEW mails AS SELECT id, fails(sender) AS sender FROM letters")
	place := related("mails", "sender", "", "")
	place.Source.Link.Fixed, place.Source.Link.Why, place.Erase, place.Keep = true, en("the law"), "keep", en("the law")
	if got := lacksOf(t, s.open(t, mapOf(t, account("members", "id"), place))); !slices.Contains(got, "mails mails SELECT sender") {
		t.Errorf("it lacks %q", got)
	}
}
