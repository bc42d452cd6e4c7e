package daemon_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox/mailtest"
)

// erasing has mails of deleted people taken off the server.
func erasing(more string) setup {
	return setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nerase = true\n" + more}}
}

// from counts the mails of a folder that are from an address.
func (p *place) from(folder, addr string) (n int) {
	for _, m := range p.Folder(support, folder) {
		if bytes.Contains(m.Bytes, []byte("From: "+addr)) || bytes.Contains(m.Bytes, []byte("<"+addr+">")) {
			n++
		}
	}
	return n
}

// leave has bob's account deleted.
func (s *scene) leave() {
	s.t.Helper()
	s.write(bob, "bye", "Please delete my account.")
	s.answer(s.letter("confirm", bob), "Yes")
	s.passes(coolOff)
	if p := s.person("u-bob"); p.ID != "" {
		s.t.Fatal("the account is still there")
	}
}

// TestEraseMails: when an account was deleted and nothing is owed, the person's
// mails leave the server: those that we filed, and no others.
func TestEraseMails(t *testing.T) {
	inScene(t, erasing(""), func(s *scene) {
		s.write("alice@users.test", "my data", copyPlease)
		s.write(bob, "my data", copyPlease)
		s.letter("result", bob)
		imap(s.place, support, func(c *client) { // what staff keep of him is theirs
			c.append("Processed", "From: "+bob+"\r\nSubject: notes\r\n\r\nmine\r\n")
			c.append("Processed", "From: "+bob+"\r\nSubject: old notes\r\n\r\nmine\r\n")
			c.must("SELECT Processed")
			c.must("UID STORE 4 +FLAGS.SILENT (\\Deleted)")
		})
		if n := s.from("Processed", bob); n != 3 {
			t.Fatalf("%d mails of bob are filed", n)
		}
		s.leave()
		s.passes(2 * time.Hour)
		if bobs, alices := s.from("Processed", bob), s.from("Processed", "alice@users.test"); bobs != 2 || alices != 1 {
			t.Errorf("%d mails of bob and %d of alice are left", bobs, alices)
		}
		s.silence(staff)
		s.write(bob, "hello", "What are your opening hours?") // whoever has the address now
		s.passes(2 * time.Hour)
		if n := s.from("Processed", bob); n != 3 {
			t.Errorf("%d mails are left", n)
		}
	})
}

// TestEraseForgotten: what a mail said may be forgotten before; it is known still
// from whom it came.
func TestEraseForgotten(t *testing.T) {
	setup := erasing("")
	setup.more = "[keep]\ndone = \"1h\"\nother = \"1h\"\n"
	inScene(t, setup, func(s *scene) {
		s.write("alice@users.test", "my data", copyPlease)
		s.write(bob, "my data", copyPlease)
		s.letter("result", bob)
		s.passes(3 * time.Hour)
		s.leave()
		s.passes(2 * time.Hour)
		if bobs, alices := s.from("Processed", bob), s.from("Processed", "alice@users.test"); bobs != 0 || alices != 1 {
			t.Errorf("%d mails of bob and %d of alice are left", bobs, alices)
		}
	})
}

// TestEraseNotAsked: without erase they stay until keep is over.
func TestEraseNotAsked(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.leave()
		s.passes(2 * time.Hour)
		if n := s.from("Processed", bob); n != 2 {
			t.Errorf("%d mails are left", n)
		}
	})
}

// TestEraseRenumbered: what has another UIDVALIDITY may be somebody else's mail:
// it stays, and staff are told.
func TestEraseRenumbered(t *testing.T) {
	inScene(t, erasing(""), func(s *scene) {
		s.write("alice@users.test", "my data", copyPlease)
		s.write(bob, "my data", copyPlease)
		s.letter("result", bob)
		if err := s.SetUIDValidity(support, "Processed", 4711); err != nil {
			t.Fatal(err)
		}
		s.passes(time.Minute) // the server has ended the connection
		s.leave()
		s.passes(2 * time.Hour)
		if bobs, alices := s.from("Processed", bob), s.from("Processed", "alice@users.test"); bobs != 1 || alices != 1 {
			t.Errorf("%d mails of bob and %d of alice are left; the two that came after the change are gone", bobs, alices)
		}
		s.notice("cannot be found on the server any more")
		s.passes(24 * time.Hour)
		s.silence(staff)
	})
}

// TestEraseInPlace: mail that is not moved is expunged where it is.
func TestEraseInPlace(t *testing.T) {
	inScene(t, erasing(`filed = ""`), func(s *scene) {
		s.write("alice@users.test", "my data", copyPlease)
		s.leave()
		s.passes(2 * time.Hour)
		if bobs, alices := s.from("INBOX", bob), s.from("INBOX", "alice@users.test"); bobs != 0 || alices != 1 {
			t.Errorf("%d mails of bob and %d of alice are left", bobs, alices)
		}
	})
}

// TestEraseNeedsUIDPlus: without it nothing is expunged, and check says so.
func TestEraseNeedsUIDPlus(t *testing.T) {
	s := erasing("")
	s.world = mailtest.Options{Without: append(mailtest.Options{}.Without, "UIDPLUS")}
	inScene(t, s, func(s *scene) {
		s.leave()
		s.passes(2 * time.Hour)
		if n := s.from("Processed", bob); n != 2 {
			t.Errorf("%d mails are left", n)
		}
		s.cfg.Mailboxes[0].Keep = 0
		for _, c := range daemon.CheckAll(s.t.Context(), s.cfg, s.opt) {
			if c.Err != nil && bytes.Contains([]byte(c.String()), []byte("mails of deleted people cannot be expunged")) {
				return
			}
		}
		t.Error("check does not say so")
	})
}

// TestEraseRefused: a server that refuses to expunge is still read, so that what
// waits for the mail of its cool-off runs; and it is asked again.
func TestEraseRefused(t *testing.T) {
	inScene(t, erasing(""), func(s *scene) {
		refuse := true
		s.SetFail(func(stage, _ string, _ int) error {
			if refuse && stage == mailtest.StageStore {
				return mailtest.Refuse(550, "read-only")
			}
			return nil
		})
		s.leave()
		s.passes(time.Hour)
		s.write("carol@users.test", "bye", "Please delete my account.")
		s.answer(s.letter("confirm", "carol@users.test"), "Yes")
		s.passes(coolOff)
		if p := s.person("u-carol"); p.ID != "" {
			t.Error("while the server refuses to expunge nothing is carried out")
		}
		refuse = false
		s.passes(2 * time.Hour)
		if n := s.from("Processed", bob); n != 0 {
			t.Errorf("%d mails are left", n)
		}
	})
}

// TestEraseAfterKeep: what was expunged long before is not missed when the account
// is deleted.
func TestEraseAfterKeep(t *testing.T) {
	setup := erasing("keep = \"24h\"\n")
	inScene(t, setup, func(s *scene) {
		s.write(bob, "my data", copyPlease)
		s.letter("result", bob)
		s.passes(36 * time.Hour)
		if n := s.from("Processed", bob); n != 0 {
			t.Fatalf("%d mails are left", n)
		}
		s.leave()
		s.passes(2 * time.Hour)
		if n := s.from("Processed", bob); n != 0 {
			t.Errorf("%d mails are left", n)
		}
		s.silence(staff)
	})
}

// TestEraseMovedMeanwhile: a mail that was taken elsewhere before it could be filed
// cannot be taken off the server; staff are told.
func TestEraseMovedMeanwhile(t *testing.T) {
	inScene(t, erasing(""), func(s *scene) {
		refuse := true
		s.SetFail(func(stage, _ string, _ int) error {
			if refuse && stage == mailtest.StageMove {
				return mailtest.ErrOverQuota
			}
			return nil
		})
		s.leave()
		s.passes(2 * time.Hour)
		s.silence(staff)
		refuse = false
		imap(s.place, support, func(c *client) {
			c.must("CREATE Private")
			c.must("SELECT INBOX")
			c.must("UID MOVE 1:* Private")
		})
		s.passes(2 * time.Hour)
		s.notice("cannot be found on the server any more")
		s.passes(24 * time.Hour)
	})
}

// TestEraseToldOnce: staff hear of a mail that is out of reach once, also when what
// was forgotten cannot be listed for a while.
func TestEraseToldOnce(t *testing.T) {
	setup := erasing("")
	setup.more = "[users]\nreapply = \"0s\"\n"
	inScene(t, setup, func(s *scene) {
		refuse := true
		s.SetFail(func(stage, _ string, _ int) error {
			if refuse && stage == mailtest.StageMove {
				return mailtest.ErrOverQuota
			}
			return nil
		})
		s.write(bob, "my data", copyPlease)
		s.letter("result", bob)
		refuse = false
		imap(s.place, support, func(c *client) {
			c.must("CREATE Private")
			c.must("SELECT INBOX")
			c.must("UID MOVE 1:* Private")
		})
		list := filepath.Join(s.cfg.StateDir, "forgotten")
		if err := os.WriteFile(list, []byte("no directory"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.leave()
		s.passes(3 * time.Hour)
		if err := os.Remove(list); err != nil {
			t.Fatal(err)
		}
		s.passes(time.Hour)
		s.notice("did not say where it filed it")
		s.passes(time.Hour)
		s.silence(staff)
	})
}

// TestUnbrokenStream: while mail comes without a pause, what waits for the mail of
// its cool-off is carried out all the same, and what is to leave the mailbox leaves
// it.
func TestUnbrokenStream(t *testing.T) {
	var flow func()
	set := erasing("")
	set.more = "[policy.delete_account]\ncool_off = \"1h\"\n"
	set.opt.Point = func(name string) {
		if name == "before ack" && flow != nil {
			flow()
		}
	}
	inScene(t, set, func(s *scene) {
		s.write(bob, "bye", "Please delete my account.")
		s.answer(s.letter("confirm", bob), "Yes")
		n, left := 0, 200
		flow = func() { // before the round has ended the next mail is there
			if n++; n > left {
				return
			}
			time.Sleep(time.Minute)
			raw := fmt.Sprintf("From: robot%d@users.test\r\nTo: %s\r\nAuto-Submitted: auto-generated\r\nMessage-ID: <%d@users.test>\r\nSubject: tick %d\r\n\r\ntick %d\r\n", n, support, n, n, n)
			if err := s.Deliver(support, []byte(raw)); err != nil {
				t.Error(err)
			}
		}
		if err := s.Deliver(support, []byte("From: robot@users.test\r\nTo: "+support+"\r\nAuto-Submitted: auto-generated\r\nSubject: tick\r\n\r\ntick\r\n")); err != nil {
			t.Fatal(err)
		}
		s.passes(3 * time.Hour)
		if n < 150 || n >= left {
			t.Fatalf("the stream had %d mails", n)
		}
		if p := s.person("u-bob"); p.ID != "" {
			t.Error("the account is still there")
		}
		if n := s.from("Processed", bob); n != 0 {
			t.Errorf("%d mails of bob are left", n)
		}
		flow = nil
		s.passes(time.Hour)
	})
}

// TestEraseRenumberedUnfiled: a mail that waits to be filed, and to leave the server
// then, is found again when the server has numbered its folder anew.
func TestEraseRenumberedUnfiled(t *testing.T) {
	inScene(t, erasing(""), func(s *scene) {
		refuse := true
		s.SetFail(func(stage, _ string, _ int) error {
			if refuse && stage == mailtest.StageMove {
				return mailtest.ErrOverQuota
			}
			return nil
		})
		s.leave()
		s.passes(2 * time.Hour)
		if err := s.SetUIDValidity(support, "INBOX", 4711); err != nil {
			t.Fatal(err)
		}
		refuse = false
		s.passes(2 * time.Hour)
		for _, folder := range []string{"INBOX", "Processed"} {
			if n := s.from(folder, bob); n != 0 {
				t.Errorf("%d mails are left in %s", n, folder)
			}
		}
		s.silence(staff)
	})
}
