package daemon_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

// leaving has bob confirm the delete of his account, and gives the letter that
// says when it will be done.
func (s *scene) leaving() mailtest.Delivery {
	s.t.Helper()
	s.write(bob, "bye", deletePlease)
	s.answer(s.letter("confirm", bob), "Yes")
	return s.letter("scheduled", bob)
}

// stays fails when a person is no longer in the user store.
func (s *scene) stays(id string) {
	s.t.Helper()
	if s.gone(id) {
		s.t.Fatalf("%s is gone", id)
	}
}

// Nothing irreversible runs before the mail of its cool-off was read: a stop
// may be among it.
func TestCustodyStopThatWaitsInTheMailbox(t *testing.T) {
	stops := []struct {
		name string
		send func(s *scene, scheduled mailtest.Delivery)
	}{
		{"an answer", func(s *scene, d mailtest.Delivery) { s.Reply(d, bob, "stop", mailtest.Aligned(false)) }},
		{"a new mail", func(s *scene, _ mailtest.Delivery) {
			s.Send(bob, support, "please", "Stop!", mailtest.Aligned(true))
		}},
	}
	for _, stop := range stops {
		t.Run("the daemon is down, "+stop.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				d := s.leaving()
				s.stop()
				stop.send(s, d)
				s.passes(2 * coolOff)
				s.reopen()
				s.start()
				s.passes(coolOff)
				s.letter("cancelled", bob)
				s.stand("delete account cancelled")
				s.stays("u-bob")
				s.silence(bob, staff)
			})
		})
		t.Run("the mailbox is out of reach, "+stop.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				d := s.leaving()
				s.cutOff()
				stop.send(s, d)
				s.passes(coolOff + 30*time.Minute)
				s.silence(staff)
				s.passes(48 * time.Hour)
				s.stand("delete account scheduled")
				s.notice("an action waits")
				s.silence(staff) // told once
				s.down.Store(false)
				s.passes(10 * time.Minute)
				s.letter("cancelled", bob)
				s.stand("delete account cancelled")
				s.stays("u-bob")
			})
		})
		t.Run("single runs, "+stop.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				d := s.leaving()
				s.stop()
				stop.send(s, d)
				s.passes(coolOff)
				s.down.Store(true)
				for range 2 {
					if err := s.d.Once(s.t.Context()); err == nil {
						t.Error("a run that did not reach the mailbox says that all is well")
					}
					s.passes(time.Minute)
				}
				s.stand("delete account scheduled")
				s.down.Store(false)
				if err := s.d.Once(s.t.Context()); err != nil {
					t.Error(err)
				}
				s.letter("cancelled", bob)
				s.stand("delete account cancelled")
				s.stays("u-bob")
			})
		})
	}
	t.Run("there is none: it runs once the mailbox was read", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.cutOff()
			s.passes(coolOff)
			s.stays("u-bob")
			s.down.Store(false)
			s.passes(10 * time.Minute)
			s.letter("result", bob)
			s.stand("delete account done")
		})
	})
}

// cutOff ends the connections to the mailbox, and lets nobody in.
func (s *scene) cutOff() {
	s.down.Store(true)
	s.CutIMAP()
	synctest.Wait()
}

// zone gives a DNS in which signatures are looked up, and the setup that asks
// it. The key of users.test is there.
func zone(t *testing.T) (*mailtest.DNS, setup) {
	d := mailtest.NewDNS()
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	public := dkimKey().Public().(ed25519.PublicKey)
	d.TXT(usersKey, "v=DKIM1; k=ed25519; p="+base64.StdEncoding.EncodeToString(public))
	return d, setup{opt: daemon.Options{Lookup: d.LookupTXT}, replace: []string{"dkim = false", "dkim = true"}}
}

const usersKey = "s._domainkey.users.test"

func dkimKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("thirty-two bytes that sign mails"))
}

// sign delivers a mail that only its signature vouches for.
func (s *scene) sign(from, domain, subject, text string, opts ...mailtest.MailOption) {
	s.t.Helper()
	raw, err := mailtest.Compose(from, support, subject, text, opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	var b bytes.Buffer
	err = dkim.Sign(&b, bytes.NewReader(raw), &dkim.SignOptions{Domain: domain, Selector: "s", Signer: dkimKey(), Hash: crypto.SHA256,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.deliver(b.String(), mailtest.Aligned(false))
}

// A stop does not wait for DNS: with the token it needs none, and what it asks
// for is held until DNS has said whose it is.
func TestCustodyStopWhileDNSIsAway(t *testing.T) {
	t.Run("with the token", func(t *testing.T) {
		d, set := zone(t)
		inScene(t, set, func(s *scene) {
			last := s.leaving()
			d.Fail(usersKey, mailtest.ErrNoAnswer)
			s.sign(bob, "users.test", "Re: "+last.Subject(), "stop", mailtest.InReplyTo(last))
			s.passes(time.Minute) // what DNS is asked about a mail ends by then
			s.letter("cancelled", bob)
			s.stand("delete account cancelled")
			s.passes(2 * coolOff)
			s.stays("u-bob")
			s.silence(bob, staff)
		})
	})
	t.Run("vouched for by a signature only", func(t *testing.T) {
		d, set := zone(t)
		inScene(t, set, func(s *scene) {
			s.leaving()
			d.Fail(usersKey, mailtest.ErrServFail)
			s.sign(bob, "users.test", "please", "Stop!")
			s.letter("stop-check", bob)
			s.notice("asked to stop")
			s.stand("delete account held")
			s.passes(2 * coolOff)
			s.stand("delete account held")
			d.Fail(usersKey, nil)
			s.passes(time.Hour)
			s.letter("cancelled", bob)
			s.stand("delete account cancelled")
			s.stays("u-bob")
			s.silence(bob, staff)
		})
	})
	t.Run("a forged one: the owner decides, and DNS changes nothing", func(t *testing.T) {
		d, set := zone(t)
		inScene(t, set, func(s *scene) {
			s.leaving()
			d.Fail("s._domainkey.users.test", mailtest.ErrServFail)
			s.sign(bob, "users.test", "please", "Stop!", mailtest.Header("Bcc", "x@y.test"))
			q := s.letter("stop-check", bob)
			d.Delete(usersKey) // the signature leads to no key
			d.Fail(usersKey, nil)
			s.passes(time.Hour)
			s.answer(q, "Yes")
			s.letter("status", bob)
			s.passes(2 * coolOff)
			s.letter("result", bob)
			s.stand("delete account done")
			s.silence(bob)
		})
	})
}

// asks writes, and has the sender confirm.
func (s *scene) confirms(who, text string) {
	s.t.Helper()
	s.write(who, "my data", text)
	s.answer(s.letter("confirm", who), "Yes")
}

func TestCustodyCopyBeforeDelete(t *testing.T) {
	reviewed := setup{more: "[policy.delete_account]\nreview = \"always\"\n"}
	const both = "Please send me a copy of my data and then delete my account."
	t.Run("in review", func(t *testing.T) {
		inScene(t, reviewed, func(s *scene) {
			s.write(kate, "leaving", both)
			if got := s.letter("result", kate).Attachments(); len(got) != 1 {
				t.Errorf("the copy has the attachments %q", got)
			}
			s.passes(week)
			s.standing("copy done", "delete account review")
			s.act("approve", s.id(inbox.KindDelete))
			s.answer(s.letter("confirm", kate), "Yes")
			s.letter("scheduled", kate)
			s.passes(coolOff)
			s.letter("result", kate)
			s.standing("copy done", "delete account done")
			s.silence(kate)
		})
	})
	t.Run("in review, and the copy cannot be sent", func(t *testing.T) {
		inScene(t, reviewed, func(s *scene) {
			s.refuses(mailtest.StageDot, kate, mailtest.Refuse(451, "4.3.0 try again later"))
			s.write(kate, "leaving", both)
			s.acts(control.Call{Verb: "approve", ID: s.id(inbox.KindDelete), Reason: "she came to the office"})
			s.passes(2 * coolOff)
			s.standing("copy done", "delete account scheduled")
			s.stays("u-kate")
			s.SetFail(nil)
			s.passes(6 * time.Hour)
			s.letter("result", kate)
			s.letter("scheduled", kate)
			s.passes(coolOff)
			s.letter("result", kate)
			s.standing("copy done", "delete account done")
		})
	})
	t.Run("in review, and the copy fails for a day", func(t *testing.T) {
		u := &unreliable{fail: func(job inbox.Job, _ int) error {
			if job.Kind == inbox.KindCopy {
				return inbox.Temporary(errors.New("the database is away"))
			}
			return nil
		}}
		set := u.over()
		set.more = reviewed.more
		inScene(t, set, func(s *scene) {
			s.write(kate, "leaving", both)
			s.act("approve", s.id(inbox.KindDelete))
			s.answer(s.letter("confirm", kate), "Yes")
			s.letter("scheduled", kate)
			s.passes(20 * time.Hour)
			s.standing("copy scheduled", "delete account scheduled")
			s.stays("u-kate")
			u.script(nil)
			s.passes(2 * time.Hour)
			s.letter("result", kate)
			s.letter("result", kate)
			s.standing("copy done", "delete account done")
		})
	})
	t.Run("in review, from nobody who proved it", func(t *testing.T) {
		inScene(t, reviewed, func(s *scene) {
			s.claim(kate, "leaving", both)
			q := s.letter("claim", kate)
			s.act("approve", s.id(inbox.KindDelete))
			again := s.letter("claim", kate)
			s.answer(again, "Yes")
			s.answer(s.letter("confirm", kate), "Yes")
			s.letter("scheduled", kate)
			s.passes(2 * coolOff)
			s.standing("copy unconfirmed", "delete account scheduled")
			s.stays("u-kate")
			s.answer(q, "Yes")
			s.passes(time.Hour)
			s.letter("result", kate)
			s.letter("result", kate)
			s.standing("copy done", "delete account done")
			s.silence(kate)
		})
	})
}

// standing is stand for Actions whose order does not matter.
func (s *scene) standing(want ...string) {
	s.t.Helper()
	got := s.states()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Fatalf("the actions stand at %q, want %q", got, want)
	}
}

// id gives the newest Action of a kind.
func (s *scene) id(k inbox.Kind) string {
	s.t.Helper()
	id := ""
	for _, a := range s.actions() {
		if a.Kind == k {
			id = a.ID.String()
		}
	}
	if id == "" {
		s.t.Fatalf("there is no %s", k)
	}
	return id
}
