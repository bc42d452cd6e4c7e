package daemon_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Nobody but staff acts upon a protected account, whatever its owner proves;
// once staff have approved, it goes its way.
func TestProtectedAccount(t *testing.T) {
	inScene(t, setup{more: "[users]\nprotected = [\"u-kate\"]\n"}, func(s *scene) {
		s.write(bob, "my data", copyPlease)
		s.letter("result", bob)
		s.write(kate, "my data", copyPlease)
		s.letter("received", kate)
		s.stand("copy done", "copy review")
		if got := s.action("A-2").Error; !strings.Contains(got, "protected") {
			t.Errorf("staff are told %q", got)
		}
		s.act("approve", "A-2")
		s.letter("result", kate)
		s.stand("copy done", "copy done")
	})
}

// Somebody who has proved nothing learns nothing of the protection: they are
// asked as anybody is, and staff look when the mailbox has answered.
func TestProtectedAccountOfAStranger(t *testing.T) {
	inScene(t, setup{more: "[users]\nprotected = [\"u-kate\"]\n"}, func(s *scene) {
		s.claim(kate, "bye", deletePlease)
		s.answer(s.letter("claim", kate), "Yes")
		s.stand("delete account review")
		s.stays("u-kate")
	})
}

// The rest of the site is told of an effect, by a command, until it has heard
// it; only then is the person told.
func TestSiteIsTold(t *testing.T) {
	dir := t.TempDir()
	script, out, fail := filepath.Join(dir, "after.sh"), filepath.Join(dir, "out"), filepath.Join(dir, "fail")
	text := "#!/bin/sh\ncat >> " + out + "\ntest ! -e " + fail + "\n"
	for name, b := range map[string]string{script: text, fail: ""} {
		if err := os.WriteFile(name, []byte(b), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	inScene(t, setup{more: "[users]\nafter = { command = [\"" + script + "\"] }\n"}, func(s *scene) {
		s.write(bob, "phone", phonePlease)
		s.answer(s.letter("confirm", bob), "Yes")
		s.silence(bob)
		s.stand("delete fields scheduled")
		if err := os.Remove(fail); err != nil {
			t.Fatal(err)
		}
		s.passes(time.Hour)
		s.letter("result", bob)
		s.stand("delete fields done")
	})
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) < 2 || !strings.Contains(lines[0], `"kind":"delete","scope":"fields","person":"u-bob"`) {
		t.Errorf("the command read %q", lines)
	}
	for _, l := range lines {
		if l != lines[0] {
			t.Errorf("the site was told %s and %s of one effect", lines[0], l)
		}
	}
}

// Staff are told in a few hours that the rest of the site does not hear of an
// effect; it goes on being told for days, and then once more when they retry.
func TestSiteIsNotTold(t *testing.T) {
	dir := t.TempDir()
	script, mark := filepath.Join(dir, "after.sh"), filepath.Join(dir, "ok")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat > /dev/null\ntest -e "+mark+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	hears := func() {
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		after time.Duration
		state string
	}{"for days": {5 * 24 * time.Hour, "scheduled"}, "for good": {8 * 24 * time.Hour, "failed"}} {
		t.Run(name, func(t *testing.T) {
			if err := os.Remove(mark); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			inScene(t, setup{more: "[users]\nafter = { command = [\"" + script + "\"] }\n"}, func(s *scene) {
				s.write(bob, "phone", phonePlease)
				s.answer(s.letter("confirm", bob), "Yes")
				s.passes(4 * time.Hour)
				s.notice("an action was carried out, and users.after has not succeeded yet")
				s.silence(bob, staff)
				s.passes(c.after)
				s.stand("delete fields " + c.state)
				hears()
				if c.state == "failed" {
					s.act("retry", "A-1")
				}
				s.passes(2 * time.Hour)
				s.stand("delete fields done")
			})
		})
	}
}

// An account that becomes protected while something waits for its cool-off is
// not acted upon: staff look at it first. Their approval is enough then, since
// the owner has confirmed it.
func TestProtectedWhileItWaits(t *testing.T) {
	set, db := siteDatabase(t)
	dir := filepath.Dir(rowOf(t, db, "SELECT file FROM pragma_database_list WHERE name = 'main'"))
	guarded := strings.Replace(siteMap, "withdrawn ", "protected  = [{ column = \"hold\", value = \"1\" }]\nwithdrawn ", 1)
	if err := os.WriteFile(filepath.Join(dir, "map.toml"), []byte(guarded), 0o600); err != nil {
		t.Fatal(err)
	}
	execSQL(t, db, "ALTER TABLE members ADD COLUMN hold INTEGER")
	inScene(t, set, func(s *scene) {
		s.write(kate, "leaving", deletePlease)
		s.answer(s.letter("confirm", kate), "Yes")
		s.letter("scheduled", kate)
		execSQL(t, db, "UPDATE members SET hold = 1 WHERE id = 17")
		s.passes(2 * coolOff)
		s.stand("delete account review")
		s.silence(kate)
		if got := rowOf(t, db, "SELECT name FROM members WHERE id = 17"); got != "Kate" {
			t.Errorf("the name is %q", got)
		}
		s.notice("stopped for review")
		if got := s.action("A-1").Error; !strings.Contains(got, "protected") {
			t.Errorf("staff are told %q", got)
		}
		s.act("approve", "A-1")
		s.letter("scheduled", kate) // without a question: the yes still counts
		s.passes(2 * coolOff)
		s.letter("result", kate)
		s.stand("delete account done")
	})
}

// The same of an ID that the configuration names when the daemon is started
// anew.
func TestProtectedByNameWhileItWaits(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(kate, "leaving", deletePlease)
		s.answer(s.letter("confirm", kate), "Yes")
		s.letter("scheduled", kate)
		s.cfg.Users.Protected = []string{"u-kate"}
		s.reopen()
		s.start()
		s.passes(2 * coolOff)
		s.stand("delete account review")
		s.stays("u-kate")
		s.act("approve", "A-1")
		s.passes(2 * coolOff)
		s.stand("delete account done")
	})
}
