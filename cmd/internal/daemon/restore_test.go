package daemon_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
)

// restore stops the daemon, puts a copy in place and starts it again. It gives
// what was told.
func (s *scene) restore(o daemon.RestoreOptions) (string, error) {
	s.t.Helper()
	s.stop()
	if err := s.d.Close(); err != nil {
		s.t.Fatal(err)
	}
	var told strings.Builder
	o.Tell = func(line string) { told.WriteString(line + "\n") }
	err := daemon.Restore(s.t.Context(), s.cfg, o, s.opt)
	s.open()
	s.start()
	return told.String(), err
}

// TestRestore: a copy whose keys are encrypted comes back only with the
// identity; whoever was deleted since it was made is gone before anything is
// open, what was open is held, and nothing is sent until staff resume.
func TestRestore(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	right, wrong, none := filepath.Join(dir, "right"), filepath.Join(dir, "wrong"), filepath.Join(dir, "none")
	for path, text := range map[string]string{right: id.String(), wrong: other.String(), none: "nothing"} {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inScene(t, setup{more: "[backup]\nrecipient = \"" + id.Recipient().String() + "\"\n"}, func(s *scene) {
		s.write("carol@users.test", "my number", "Please remove my phone number.")
		copied := filepath.Join(dir, "copy")
		s.acts(control.Call{Verb: "backup", Path: copied})
		if _, err := os.Stat(filepath.Join(copied, "keys.db")); err == nil {
			t.Error("the keys stand in the copy as they are")
		}
		b, err := os.ReadFile(filepath.Join(copied, "keys.db.age"))
		if err != nil || !bytes.HasPrefix(b, []byte("age-encryption.org/")) {
			t.Fatalf("the encrypted keys begin with %.20q, %v", b, err)
		}
		s.leave()
		s.passes(time.Hour)
		for identity, says := range map[string]string{"": "--identity", wrong: "another recipient", none: "no age identity"} {
			var e *inbox.Error
			if _, err := s.restore(daemon.RestoreOptions{From: copied, Identity: identity}); !errors.As(err, &e) || !strings.Contains(err.Error()+e.Hint, says) {
				t.Errorf("with identity %q: %v", identity, err)
			}
		}
		if p := s.person("u-bob"); p.ID != "" || len(s.actions()) != 2 {
			t.Fatal("a restore that failed has changed something")
		}
		told, err := s.restore(daemon.RestoreOptions{From: copied, Identity: right})
		if err != nil || !strings.Contains(told, "deletes carried out since: 1") {
			t.Fatalf("%v\n%s", err, told)
		}
		if p := s.person("u-bob"); p.ID != "" {
			t.Error("whoever was deleted is there again")
		}
		s.stand("delete fields held")
		s.passes(24 * time.Hour)
		s.stand("delete fields held")
		s.acts(control.Call{Verb: "resume"})
		s.answer(s.letter("confirm", "carol@users.test"), "Yes")
		s.passes(time.Hour)
		s.stand("delete fields done")
		s.must(control.Call{Verb: "journal verify"})
	})
}

// TestRestoreLongAgo: deletes that were carried out since the copy was made are
// repeated also when users.reapply is over by now: nothing else would open.
func TestRestoreLongAgo(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "copy")
	inScene(t, setup{more: "[users]\nreapply = \"24h\"\n"}, func(s *scene) {
		s.acts(control.Call{Verb: "backup", Path: copied})
		s.leave()
		s.passes(72 * time.Hour)
		if told, err := s.restore(daemon.RestoreOptions{From: copied}); err != nil || !strings.Contains(told, "deletes carried out since: 1") {
			t.Fatalf("%v\n%s", err, told)
		}
		if p := s.person("u-bob"); p.ID != "" {
			t.Error("whoever was deleted is there again")
		}
	})
}

// TestRestoreClockBehind: the clock of the machine that the copy is restored on
// may be behind that of the one on which the deletes were carried out.
func TestRestoreClockBehind(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "copy")
	inScene(t, setup{}, func(s *scene) {
		s.acts(control.Call{Verb: "backup", Path: copied})
		s.leave()
		s.opt.Wall = func() time.Time { return time.Now().Add(-time.Hour) }
		if told, err := s.restore(daemon.RestoreOptions{From: copied}); err != nil || !strings.Contains(told, "deletes carried out since: 1") {
			t.Fatalf("%v\n%s", err, told)
		}
		if p := s.person("u-bob"); p.ID != "" {
			t.Error("whoever was deleted is there again")
		}
	})
}

// TestRestoreNoList: where the configuration names a list of what was forgotten that
// is not there, nothing is restored: what was forgotten would come back.
func TestRestoreNoList(t *testing.T) {
	dir := t.TempDir()
	copied := filepath.Join(dir, "copy")
	inScene(t, setup{}, func(s *scene) {
		s.acts(control.Call{Verb: "backup", Path: copied})
		s.leave()
		s.passes(time.Hour)
		s.cfg.Backup.Forgotten = filepath.Join(dir, "forgoten")
		var e *inbox.Error
		if _, err := s.restore(daemon.RestoreOptions{From: copied}); !errors.As(err, &e) || !strings.Contains(e.Hint, "backup.forgotten") {
			t.Errorf("restored: %v", err)
		}
		if p := s.person("u-bob"); p.ID != "" {
			t.Error("whoever was deleted is there again")
		}
	})
}
