//go:build linux

package daemon_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

// fillDisk has every write to a file of this process fail, until the function
// that it gives is called.
func fillDisk(t *testing.T) (free func()) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	full := was
	full.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Error(err)
		}
	}
}

// While the state cannot be written nothing is acknowledged, nothing is sent
// and the log says so; afterwards everything goes on by itself.
//
// The limit is one of the whole process, so the test is a process of its own.
func TestFullDisk(t *testing.T) {
	const alone = "SUPPORTD_TEST_FULL_DISK"
	if os.Getenv(alone) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), alone+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestFullDisk") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	inPlace(t, setup{}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		free := fillDisk(t)
		p.takes("bob@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.takes("carol@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.passes(time.Hour)
		if in := len(p.Folder(support, "INBOX")); in != 2 {
			t.Errorf("%d mails are in the folder while the disk is full", in)
		}
		p.wantMails(inbox.MailActed)
		p.wantLog("level=ERROR", "disk full")
		backup := func(to string) error { return p.call(control.Call{Verb: "backup", Path: filepath.Join(dir, to)}) }
		if err := backup("full"); err == nil {
			t.Error("a backup was made although the disk is full")
		}
		free()
		if err := backup("free"); err != nil {
			t.Errorf("a backup after that: %v", err)
		}
		p.passes(time.Hour)
		p.wantMails(inbox.MailActed, inbox.MailActed, inbox.MailActed)
		p.wantLetters("bob@users.test", "result")
		p.wantLetters("carol@users.test", "result")
		got := p.lettersTo(staff) // one that no disk kept, and one that says that it is over
		if len(got) != 2 || !strings.Contains(got[0].Text(), "what supportd must keep cannot be written") || !strings.Contains(got[1].Text(), "Over: ") {
			t.Errorf("staff got %d letters: %s", len(got), got)
		}
	})
}

// While nothing can be saved beside the state, small copies, which lie in it,
// and the rest go on.
func TestFullReplies(t *testing.T) {
	s := setup{nobody: true, replace: []string{"effects_per_hour = 100", "effects_per_hour = 1000000"}}
	inPlace(t, s, func(p *place) {
		c := p.people(20)
		p.start()
		replies := filepath.Join(p.cfg.StateDir, "replies")
		if err := errors.Join(os.Remove(replies), os.WriteFile(replies, nil, 0o600)); err != nil { // nothing can be made in it
			t.Fatal(err)
		}
		c.Join(10) // two of them want a copy, and two to leave after the cool-off
		p.passes(30 * time.Minute)
		if n := c.Finished(); n != 8 {
			t.Errorf("%d people have got what they wish", n)
		}
		if err := errors.Join(os.Remove(replies), os.Mkdir(replies, 0o700)); err != nil {
			t.Fatal(err)
		}
		p.passes(24 * time.Hour)
		p.custody(c, filed)
	})
}
