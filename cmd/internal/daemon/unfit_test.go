package daemon_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// badgesMap links a table to the nickname of the account, which fits as long as
// no two people can have one.
const badgesMap = `
[[related]]
name       = "badges"
table      = "badges"
key        = "id"
link       = { column = "holder", to = "profile.nick" }
label      = { en = "Badges" }
purpose    = { en = "to be seen" }
retention  = { en = "until you leave" }
recipients = { en = "nobody" }
`

// nickMap is the column that it needs of the account.
const nickMap = `
  [[account.column]]
  name  = "nick"
  erase = "keep"
  why   = { en = "nobody may have it after them" }

[[related]]`

// badgesDatabase is the site's database with badges of two people, and two who
// are called Kate where the names need not be unique.
func badgesDatabase(t *testing.T, unique bool) (setup, *sql.DB) {
	t.Helper()
	set, db := siteDatabase(t)
	dir := filepath.Dir(rowOf(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'"))
	if err := os.WriteFile(filepath.Join(dir, "map.toml"), []byte(strings.Replace(siteMap, "\n[[related]]", nickMap, 1)+badgesMap), 0o600); err != nil {
		t.Fatal(err)
	}
	execSQL(t, db, "ALTER TABLE members ADD COLUMN nick TEXT", "UPDATE members SET nick = name", "CREATE TABLE badges (id INTEGER PRIMARY KEY, holder TEXT NOT NULL)", "INSERT INTO badges VALUES (1, 'Kate')")
	if unique {
		execSQL(t, db, "CREATE UNIQUE INDEX one_name ON members (nick)")
		return set, db
	}
	execSQL(t, db, otherKate, "INSERT INTO badges VALUES (2, 'Kate')")
	return set, db
}

const otherKate = "INSERT INTO members VALUES (19, 'kate@other.test', 'Kate', NULL, 'z', NULL, NULL, 'Kate')"

func execSQL(t *testing.T, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, all ...string) {
	t.Helper()
	for _, q := range all {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// lockDatabase keeps everybody else out of the database until the function is called.
func lockDatabase(t *testing.T, db *sql.DB) (unlock func()) {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	execSQL(t, c, "BEGIN EXCLUSIVE")
	return func() { execSQL(t, c, "COMMIT"); c.Close() }
}

// A data map that does not fit stops what needs the user store also where the
// database was down at the start: nobody is asked, nothing is done, and once
// the database was mended, the mail is answered.
func TestUnfitAfterADatabaseThatWasDown(t *testing.T) {
	set, db := badgesDatabase(t, false)
	unlock := lockDatabase(t, db)
	inScene(t, set, func(s *scene) {
		unlock()
		s.passes(5 * time.Minute)
		s.write(kate, "leaving", deletePlease)
		if m := s.newest(); m.State != inbox.MailDeferred {
			t.Errorf("the mail is %s (%s)", m.State, m.Reason)
		}
		s.write(bob, "my data", copyPlease)
		s.passes(2 * coolOff)
		s.silence(kate, bob)
		if got := rowOf(t, db, "SELECT id FROM badges"); got != "1; 2" {
			t.Errorf("badges: %s", got)
		}
		if !strings.Contains(s.log.String(), "link it to a column that is unique") {
			t.Error("the log does not say what does not fit")
		}
		execSQL(t, db, "UPDATE members SET nick = 'Kate II' WHERE id = 19", "UPDATE badges SET holder = 'Kate II' WHERE id = 2", "CREATE UNIQUE INDEX one_name ON members (nick)")
		s.passes(2 * time.Hour)
		s.letter("result", bob)
		s.answer(s.letter("confirm", kate), "Yes")
		s.passes(3 * coolOff)
		if got := rowOf(t, db, "SELECT id FROM badges"); got != "2" {
			t.Errorf("badges once it fits: %s", got)
		}
	})
}

// The same of a single run.
func TestUnfitInASingleRun(t *testing.T) {
	set, db := badgesDatabase(t, false)
	unlock := lockDatabase(t, db)
	inPlace(t, set, func(p *place) {
		unlock()
		p.takes(kate, "leaving", deletePlease)
		if err := p.d.Once(t.Context()); err != nil && !inbox.IsTemporary(err) {
			t.Error(err)
		}
		if got := p.actions(); len(got) != 0 {
			t.Errorf("actions: %v", got)
		}
	})
}

// Where a table changes under a running daemon so that the map does not fit any
// more, what was confirmed waits, too: a name that need not be unique any more,
// rows that a reference takes along. It is done once the map fits again.
func TestUnfitUnderARunningDaemon(t *testing.T) {
	for name, c := range map[string]struct{ spoil, mend []string }{
		"an index is dropped": {
			[]string{"DROP INDEX one_name", otherKate, "INSERT INTO badges VALUES (2, 'Kate')"},
			[]string{"DELETE FROM badges WHERE id = 2", "DELETE FROM members WHERE id = 19", "CREATE UNIQUE INDEX one_name ON members (nick)"},
		},
		"a table refers to the person's rows": {
			[]string{"CREATE TABLE notes (id INTEGER PRIMARY KEY, badge INTEGER REFERENCES badges (id))", "INSERT INTO notes VALUES (1, 1)"},
			[]string{"DROP TABLE notes"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			set, db := badgesDatabase(t, true)
			inScene(t, set, func(s *scene) {
				s.write(kate, "leaving", deletePlease)
				s.answer(s.letter("confirm", kate), "Yes")
				s.letter("scheduled", kate)
				execSQL(t, db, c.spoil...)
				before := rowOf(t, db, "SELECT * FROM badges ORDER BY id")
				s.write(bob, "my data", copyPlease)
				if m := s.newest(); m.State != inbox.MailDeferred {
					t.Errorf("a mail meanwhile is %s (%s)", m.State, m.Reason)
				}
				s.passes(2 * coolOff)
				s.silence(kate, bob)
				s.stand("delete account scheduled")
				if got := rowOf(t, db, "SELECT * FROM badges ORDER BY id"); got != before {
					t.Errorf("badges: %s", got)
				}
				if got := s.action("A-1").Error; !strings.Contains(got, "badges") {
					t.Errorf("staff see %q", got)
				}
				execSQL(t, db, c.mend...)
				s.passes(3 * time.Hour)
				s.letter("result", kate)
				s.letter("result", bob)
				if got := rowOf(t, db, "SELECT * FROM badges"); got != "" {
					t.Errorf("badges once it fits: %s", got)
				}
			})
		})
	}
}
