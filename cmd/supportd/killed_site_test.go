package main_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	_ "push.guru/supportd/handlers/users/sqlusers" // its driver

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/inbox/mailtest"
)

// ownTables are those of a site that notes each row that is written, which no
// effect may do twice.
const ownTables = `
CREATE TABLE members (id TEXT PRIMARY KEY, mail TEXT NOT NULL UNIQUE, phone TEXT, city TEXT, about TEXT);
CREATE TABLE writes (id TEXT, what TEXT);
CREATE TRIGGER updated AFTER UPDATE ON members BEGIN INSERT INTO writes VALUES (old.id, 'update'); END;
CREATE TRIGGER deleted AFTER DELETE ON members BEGIN INSERT INTO writes VALUES (old.id, 'delete'); END;
`

const ownMap = `
[account]
table      = "members"
key        = "id"
purpose    = { en = "to run your account" }
retention  = { en = "until you delete it" }
recipients = { en = "nobody" }
  [[account.column]]
  name  = "mail"
  field = "email"
  [[account.column]]
  name  = "phone"
  field = "phone"
  [[account.column]]
  name  = "city"
  field = "location"
  [[account.column]]
  name  = "about"
  field = "about"
`

// TestKilledBetweenTheCommits kills the program over a database of the site's
// own when that has committed an effect and the state has not: the next run does
// nothing again, and tells the person once.
func TestKilledBetweenTheCommits(t *testing.T) {
	s := besieged(t)
	db := s.ownDatabase(len(crowd.Wishes()))
	for _, point := range []string{"after effect", "before commit outcome"} {
		for n, w := range crowd.Wishes() {
			if w.Kind == "copy" { // which writes nothing
				continue
			}
			t.Run(fmt.Sprintf("%s, wish %d", point, n), func(t *testing.T) {
				s.T = t
				s.refill(db, n)
				s.killedAt(db, point, n)
			})
		}
	}
}

// ownDatabase makes the site's database, and has the program use it.
func (s *siege) ownDatabase(people int) *sql.DB {
	s.Helper()
	path, mapPath := filepath.Join(s.dir, "own.db"), filepath.Join(s.dir, "own.toml")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { db.Close() })
	s.exec(db, ownTables)
	config, err := os.ReadFile(s.config)
	if err != nil {
		s.Fatal(err)
	}
	users := fmt.Sprintf("[users]\nstore = \"sqlite\"\npath = %q\nmap = %q\n", path, mapPath)
	for name, text := range map[string]string{mapPath: ownMap, s.config: string(config) + users} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			s.Fatal(err)
		}
	}
	s.supportd("users", "init")
	return db
}

func (s *siege) exec(db *sql.DB, query string, args ...any) {
	s.Helper()
	if _, err := db.ExecContext(s.Context(), query, args...); err != nil {
		s.Fatal(err)
	}
}

// refill puts one person in the place of whoever was there.
func (s *siege) refill(db *sql.DB, n int) {
	s.Helper()
	s.exec(db, "DELETE FROM members")
	s.exec(db, "INSERT INTO members VALUES (?, ?, '+77010000001', 'Almaty', 'Hello.')", fmt.Sprintf("u-%d", n), crowd.Address(n))
	s.exec(db, "DELETE FROM writes")
	s.exec(db, "DELETE FROM supportd_effects")
}

// killedAt lets somebody have their wish, and kills each run that comes to the
// point.
func (s *siege) killedAt(db *sql.DB, point string, n int) {
	s.Helper()
	w, before := crowd.Wishes()[n], len(s.world.Sent())
	s.world.Send(crowd.Address(n), crowd.Support, "My data", w.Text, mailtest.Aligned(w.Aligned))
	const runs = 60 // a delete waits for its cool-off
	killed, answered := 0, 0
	for range runs {
		if s.runs(point) {
			if killed++; s.count(db, "SELECT count(*) FROM supportd_effects") != 1 {
				s.Error("the program was killed, and the site has not committed the effect")
			}
		}
		sent := s.world.Sent()[before:]
		if answered < w.Yes && len(sent) > answered {
			s.world.Reply(sent[answered], crowd.Address(n), "Yes", mailtest.Aligned(w.Aligned))
			answered++
		}
		if killed > 0 && len(sent) >= len(w.Letters) {
			break
		}
		if killed > 0 {
			point = "" // once is enough: the effect is not done again, but noted
		}
	}
	s.supportd("run", "--once") // and once more, which must do nothing
	if killed != 1 {
		s.Errorf("the program was killed %d times", killed)
	}
	if sent := s.world.Sent()[before:]; len(sent) != len(w.Letters) {
		s.Errorf("%d letters came, want %q", len(sent), w.Letters)
	}
	if n := s.count(db, "SELECT count(*) FROM writes"); n != 1 {
		s.Errorf("the site's row was written %d times", n)
	}
	if n := s.count(db, "SELECT count(*) FROM supportd_effects"); n != 1 {
		s.Errorf("%d effects are on record", n)
	}
	s.wantMember(db, n)
}

// wantMember wants what the wish comes to.
func (s *siege) wantMember(db *sql.DB, n int) {
	s.Helper()
	var got []string
	row := db.QueryRowContext(s.Context(), "SELECT coalesce(max(phone), ''), coalesce(max(city), ''), coalesce(max(about), '') FROM members")
	var phone, city, about string
	if err := row.Scan(&phone, &city, &about); err != nil {
		s.Fatal(err)
	}
	got = []string{phone, city, fmt.Sprint(strings.Count(about, "I also teach pottery"))}
	want := map[int][]string{0: {"+77010000001", "Almaty", "1"}, 1: {"", "Almaty", "0"}, 2: {"+77010000001", "Astana", "0"}, 4: {"", "", "0"}}[n]
	if !slices.Equal(got, want) {
		s.Errorf("the member has %q, want %q", got, want)
	}
}

func (s *siege) count(db *sql.DB, query string) (n int) {
	s.Helper()
	if err := db.QueryRowContext(s.Context(), query).Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

// runs runs the program once, which ends itself at the kill point, and tells
// whether it did; otherwise it must end well.
func (s *siege) runs(point string) (killed bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, "run", "--once", "-c", s.config)
	if point != "" {
		cmd.Env = append(os.Environ(), "SUPPORTD_KILL="+point)
	}
	out, err := cmd.CombinedOutput()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if err != nil && (ctx.Err() != nil || status.Signal() != syscall.SIGKILL) {
		s.Fatalf("%v\n%s", err, tail(string(out)))
	}
	return err != nil
}
