package daemon_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/inbox"
)

const siteTables = `
CREATE TABLE members (id INTEGER PRIMARY KEY, mail TEXT NOT NULL UNIQUE, name TEXT, phone TEXT, pass TEXT NOT NULL, off_at TEXT, objected_at TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, member INTEGER NOT NULL REFERENCES members (id), total INTEGER, street TEXT);
CREATE TABLE newsletter (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
INSERT INTO members VALUES (17, 'kate@users.test', 'Kate', '+77010000001', 'x', NULL, NULL), (18, 'bob@users.test', 'Bob', '+77010000002', 'y', NULL, NULL);
INSERT INTO orders VALUES (1, 17, 100, 'Abay 1'), (2, 18, 200, 'Abay 2');
INSERT INTO newsletter VALUES (1, 'kate@users.test'), (2, 'guest@users.test')`

const siteMap = `
[account]
table      = "members"
key        = "id"
purpose    = { en = "to run your account" }
retention  = { en = "until you delete it" }
recipients = { en = "nobody" }
active     = { column = "off_at", time = true }
withdrawn  = "objected_at"
erase      = "values"
  [[account.column]]
  name  = "mail"
  field = "email"
  erase = "invalid"
  [[account.column]]
  name  = "name"
  field = "full_name"
  erase = "null"
  [[account.column]]
  name  = "phone"
  field = "phone"
  erase = "null"
  [[account.column]]
  name   = "pass"
  export = false
  erase  = "=gone"

[[related]]
name       = "orders"
table      = "orders"
key        = "id"
link       = { column = "member", to = "profile.id" }
label      = { en = "Orders" }
purpose    = { en = "to deliver" }
retention  = { en = "five years" }
recipients = { en = "the post" }
erase      = "values"
  [[related.column]]
  name  = "total"
  erase = "keep"
  why   = { en = "tax law" }
  until = { en = "2031-12-31" }
  [[related.column]]
  name  = "street"
  erase = "null"

[[related]]
name       = "newsletter"
table      = "newsletter"
key        = "id"
link       = { column = "email", address = true }
label      = { en = "Newsletter" }
purpose    = { en = "to send news" }
retention  = { en = "until you leave it" }
recipients = { en = "nobody" }
`

// siteDatabase makes a site's SQLite file and its data map, and gives how the
// daemon finds them.
func siteDatabase(t *testing.T) (setup, *sql.DB) {
	t.Helper()
	dir := t.TempDir()
	path, mapPath := filepath.Join(dir, "site.db"), filepath.Join(dir, "map.toml")
	if err := os.WriteFile(mapPath, []byte(siteMap), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(siteTables); err != nil {
		t.Fatal(err)
	}
	m, err := mapfile.Read([]byte(siteMap))
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.InitStore(t.Context(), config.Users{Store: "sqlite", Path: path, Map: m}); err != nil {
		t.Fatal(err)
	}
	return setup{nobody: true, more: fmt.Sprintf("[users]\nstore = \"sqlite\"\npath = %q\nmap = %q\n", path, mapPath)}, db
}

// holds tells what the one row of a query has.
func rowOf(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		to := make([]any, len(names))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range values {
			cells = append(cells, v.String)
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, "; ")
}

// People who live in the site's own database are served as those of the
// embedded store are.
func TestSiteDatabase(t *testing.T) {
	set, db := siteDatabase(t)
	inScene(t, set, func(s *scene) {
		s.write(kate, "my data", copyPlease)
		if got := s.letter("result", kate).Attachments(); len(got) != 1 {
			t.Errorf("attached: %q", got)
		}
		s.write(kate, "phone", "Please change my phone to +7 701 555 30 40.")
		s.answer(s.letter("confirm", kate), "Yes")
		s.letter("result", kate)
		if got := rowOf(t, db, "SELECT phone FROM members WHERE id = 17"); got != "+77015553040" {
			t.Errorf("the phone is %q", got)
		}
		s.write(kate, "leaving", deletePlease)
		q := s.letter("confirm", kate)
		if text := q.Text(); !strings.Contains(text, "Orders") || !strings.Contains(text, "tax law") || !strings.Contains(text, "Newsletter") {
			t.Errorf("what goes and what stays is asked so:\n%s", text)
		}
		s.answer(q, "Yes")
		s.letter("scheduled", kate)
		s.passes(2 * coolOff)
		s.letter("result", kate)
		s.stand("copy done", "change done", "delete account done")
	})
	if got := rowOf(t, db, "SELECT id, name, phone, pass FROM members ORDER BY id"); got != "17|||gone; 18|Bob|+77010000002|y" {
		t.Errorf("members: %s", got)
	}
	if got := rowOf(t, db, "SELECT * FROM orders ORDER BY id"); got != "1|17|100|; 2|18|200|Abay 2" {
		t.Errorf("orders: %s", got)
	}
	if got := rowOf(t, db, "SELECT * FROM newsletter"); got != "2|guest@users.test" {
		t.Errorf("newsletter: %s", got)
	}
	if got := rowOf(t, db, "SELECT count(*) FROM members WHERE mail LIKE '%.invalid'"); got != "1" {
		t.Errorf("%s addresses are invalid now", got)
	}
}

// Somebody's address changes: the newsletter, which is linked by it, follows, as
// they are told before and after; and it goes with the account.
func TestSiteDatabaseMoves(t *testing.T) {
	set, db := siteDatabase(t)
	const moved = "kate@new.test"
	inScene(t, set, func(s *scene) {
		s.write(kate, "address", "Please change my e-mail address to "+moved+".")
		q := s.letter("confirm", kate)
		if text := q.Text(); !strings.Contains(text, "Newsletter: we will replace the old address") {
			t.Errorf("it is asked so:\n%s", text)
		}
		s.answer(q, "Yes")
		s.letter("asked-new", kate)
		s.answer(s.letter("confirm-new-address", moved), "Yes")
		s.letter("address-notice", kate)
		s.passes(2 * coolOff)
		s.letter("result", moved)
		if text := s.letter("address-changed", kate).Text(); !strings.Contains(text, "Newsletter: we have replaced the old address") {
			t.Errorf("it is told so:\n%s", text)
		}
		if got := rowOf(t, db, "SELECT * FROM newsletter ORDER BY id"); got != "1|"+moved+"; 2|guest@users.test" {
			t.Errorf("newsletter: %s", got)
		}
		s.write(moved, "leaving", deletePlease)
		s.letter("received", moved)
		s.act("approve", s.id("delete"))
		s.answer(s.letter("confirm", moved), "Yes")
		s.passes(2 * coolOff)
		s.stand("change done", "delete account done")
	})
	if got := rowOf(t, db, "SELECT * FROM newsletter"); got != "2|guest@users.test" {
		t.Errorf("newsletter: %s", got)
	}
}

// Somebody without an account, of whom the site has rows all the same, gets
// them, and has them deleted.
func TestSiteDatabaseOfAGuest(t *testing.T) {
	set, db := siteDatabase(t)
	const guest = "guest@users.test"
	inScene(t, set, func(s *scene) {
		s.write(guest, "my data", "Please delete all my data.")
		s.answer(s.letter("confirm", guest), "Yes")
		s.passes(2 * coolOff)
		s.stand("delete account done")
		for _, a := range s.actions() {
			if strings.Contains(a.Person, "@") {
				t.Errorf("the person is called %s", a.Person)
			}
		}
	})
	if got := rowOf(t, db, "SELECT * FROM newsletter"); got != "1|kate@users.test" {
		t.Errorf("newsletter: %s", got)
	}
}

// A table that changes under a running daemon stops what needs it, with the
// reason, and the mailbox goes on; when it fits again, the mail is answered.
func TestSiteDatabaseIsAltered(t *testing.T) {
	set, db := siteDatabase(t)
	exec := func(q string) {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	inScene(t, set, func(s *scene) {
		s.write(kate, "phone", "Please change my phone to +7 701 555 30 40.")
		q := s.letter("confirm", kate)
		exec("ALTER TABLE members RENAME COLUMN phone TO telephone")
		s.answer(q, "Yes")
		s.write("nobody@users.test", "a question", "When do you open?")
		if m := s.newest(); m.State != inbox.MailDeferred {
			t.Errorf("a mail meanwhile is %s (%s)", m.State, m.Reason)
		}
		exec("ALTER TABLE members RENAME COLUMN telephone TO phone")
		s.passes(2 * coolOff)
		s.letter("result", kate)
	})
	if got := rowOf(t, db, "SELECT phone FROM members WHERE id = 17"); got != "+77015553040" {
		t.Errorf("the phone is %q", got)
	}
}

// A database that is down when the daemon starts is asked again: mails wait
// until it answers, and soon after what its columns cannot hold is refused before
// anybody is asked to confirm it.
func TestSiteDatabaseIsDownAtTheStart(t *testing.T) {
	set, db := siteDatabase(t)
	set.more = strings.Replace(set.more, "map.toml", "days.toml", 1)
	dir := filepath.Dir(rowOf(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'"))
	days := strings.Replace(siteMap, "[[related]]", "  [[account.column]]\n  name  = \"since\"\n  field = \"occupation\"\n  erase = \"null\"\n\n[[related]]", 1)
	if err := os.WriteFile(filepath.Join(dir, "days.toml"), []byte(days), 0o600); err != nil {
		t.Fatal(err)
	}
	locked, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exec := func(q string) {
		if _, err := locked.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	exec("ALTER TABLE members ADD COLUMN since DATE")
	exec("BEGIN EXCLUSIVE")
	inScene(t, set, func(s *scene) {
		s.write(kate, "my data", copyPlease)
		s.passes(time.Minute) // as long as one waits for a lock
		if m := s.newest(); m.State != inbox.MailDeferred {
			t.Errorf("a mail meanwhile is %s (%s)", m.State, m.Reason)
		}
		exec("COMMIT")
		s.passes(2 * time.Hour)
		s.letter("result", kate)
		s.write(kate, "job", "Please change my occupation to baker.")
		s.letter("already", kate) // that there is no such day; without what is known of the column it is asked about
	})
}
