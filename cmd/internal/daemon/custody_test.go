package daemon_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
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
				s.notice("the IMAP server of the mailbox support cannot be worked with")
				s.silence(staff)
				s.passes(48 * time.Hour)
				s.stand("delete account scheduled")
				s.notice("an action waits")
				s.notice("cannot be worked with")
				s.notice("an answer is due soon")
				s.notice("cannot be worked with") // once a day
				s.silence(staff)
				s.down.Store(false)
				s.passes(10 * time.Minute)
				s.letter("cancelled", bob)
				s.notice("Over: the IMAP server of the mailbox support works again")
				s.silence(staff)
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
			d.Fail(usersKey, mailtest.ErrServFail)
			s.sign(bob, "users.test", "please", "Stop!")
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

// People do not look for our letter to answer it: while something of theirs
// can be stopped, a new mail that says so in any words stops it.
func TestCustodyStopInANewMail(t *testing.T) {
	for _, text := range []string{
		"Stop, do not delete my account.",
		"Please don't delete my account after all, I changed my mind.",
		"I have changed my mind. Please keep my account.",
		"Пожалуйста, не удаляйте мой аккаунт, я передумал.",
		"Аккаунтымды жоймаңыз, мен ойымды өзгерттім.",
	} {
		t.Run(text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.write(bob, "my account", text)
				s.letter("cancelled", bob)
				s.stand("delete account cancelled")
				s.silence(bob)
			})
		})
		t.Run("unproven: "+text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.claim(bob, "my account", text)
				s.letter("stop-check", bob)
				s.stand("delete account held")
			})
		})
		t.Run("nothing to stop: "+text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "my account", text)
				s.letter("received", bob)
				s.stand("question review")
			})
		})
	}
	for _, text := range []string{
		"I have no idea how to pay my last invoice. Can you help me?",
		"There is no invoice for June. Where do I find it?",
	} {
		t.Run("no stop: "+text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.write(bob, "invoice", text)
				s.letter("received", bob)
				s.stand("delete account scheduled", "question review")
			})
		})
	}
}

// Who is told late has the whole cool-off all the same: it begins when the
// letter has left, and the letter says nothing that is over when it is read.
func TestCustodyLateNotice(t *testing.T) {
	smtpAway := func(s *scene) (back func()) {
		s.refuses(mailtest.StageRcpt, bob, mailtest.Refuse(451, "4.3.0 try again later"))
		return func() { s.SetFail(nil); s.passes(2*time.Hour + time.Minute) }
	}
	paused := func(s *scene) (back func()) {
		s.acts(control.Call{Verb: "pause", Replies: true})
		return func() { s.acts(control.Call{Verb: "resume"}); s.passes(time.Second) }
	}
	for _, c := range []struct {
		name string
		away func(s *scene) (back func())
		late time.Duration
	}{
		{"SMTP was busy", smtpAway, 20 * time.Hour},
		{"replies were paused", paused, 48 * time.Hour},
		{"it left within the cool-off", paused, 11 * time.Hour},
	} {
		told := func(s *scene) mailtest.Delivery {
			s.write(bob, "bye", deletePlease)
			q := s.letter("confirm", bob)
			back := c.away(s)
			s.answer(q, "Yes")
			s.passes(c.late)
			back()
			d := s.letter("scheduled", bob)
			if !strings.Contains(d.Text(), "until 12 hours after this letter was sent") || strings.Contains(d.Text(), "2000") {
				t.Errorf("it says:\n%s", d.Text())
			}
			s.passes(11*time.Hour + 50*time.Minute - time.Since(d.At))
			s.stand("delete account scheduled")
			return d
		}
		t.Run(c.name+", and it is stopped", func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.answer(told(s), "stop")
				s.letter("cancelled", bob)
				s.passes(2 * coolOff)
				s.stand("delete account cancelled")
				s.stays("u-bob")
				s.silence(bob)
			})
		})
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				told(s)
				s.passes(30 * time.Minute)
				s.letter("result", bob)
				s.stand("delete account done")
				s.silence(bob)
			})
		})
	}
	t.Run("while staff hold it", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "bye", deletePlease)
			q := s.letter("confirm", bob)
			back := paused(s)
			s.answer(q, "Yes")
			s.passes(10 * time.Hour)
			s.act("hold", "A-1")
			s.passes(5 * time.Hour)
			back()
			s.letter("scheduled", bob)
			s.passes(time.Hour)
			s.act("release", "A-1")
			s.passes(10*time.Hour + 50*time.Minute)
			s.stand("delete account scheduled")
			s.passes(90 * time.Minute)
			s.letter("result", bob)
		})
	})
	t.Run("a new address", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
			s.answer(s.letter("confirm", erin), "Yes")
			s.letter("asked-new", erin)
			q := s.letter("confirm-new-address", erinNew)
			back := paused(s)
			s.answer(q, "Yes")
			s.passes(48 * time.Hour)
			back()
			s.letter("address-notice", erin)
			s.passes(11*time.Hour + 50*time.Minute)
			s.holds("u-erin", inbox.FieldEmail, erin)
			s.passes(30 * time.Minute)
			s.letter("address-changed", erin)
			s.holds("u-erin", inbox.FieldEmail, erinNew)
		})
	})
	t.Run("behind what took long", func(t *testing.T) {
		u := &unreliable{fail: func(job inbox.Job, _ int) error {
			if job.Kind == inbox.KindCopy {
				return inbox.Temporary(errors.New("the database is restarting"))
			}
			return nil
		}}
		inScene(t, u.over(), func(s *scene) {
			s.write(bob, "leaving", "Please send me a copy of my data and then delete my account.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.passes(20 * time.Hour)
			s.stand("copy scheduled", "delete account scheduled")
			s.silence(bob)
			u.script(nil)
			for s.states()[0] != "copy done" {
				s.passes(time.Minute)
			}
			d := s.letter("result", bob)
			if !strings.Contains(d.Text(), "until 12 hours after this letter was sent") {
				t.Errorf("it says:\n%s", d.Text())
			}
			s.passes(11*time.Hour + 50*time.Minute)
			s.stand("copy done", "delete account scheduled")
			s.answer(d, "stop")
			s.letter("cancelled", bob)
			s.stays("u-bob")
		})
	})
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
			s.standing("copy done", "delete account scheduled") // with the copy they have time to look at it
			s.passes(coolOff)
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
			s.passes(coolOff)
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

// However an Action ends, what waited behind it goes on.
func TestCustodyWhatWaitsBehindReview(t *testing.T) {
	const both = "I withdraw my consent to the processing of my data. Also, please remove my phone number."
	for _, c := range []struct {
		name string
		call control.Call
		tell string // the letter about the one in review; "": none
		end  string
	}{
		{"approved", control.Call{Verb: "approve"}, "", "done"},
		{"refused", control.Call{Verb: "refuse", Reason: "there is no consent to withdraw"}, "refused", "refused"},
		{"closed", control.Call{Verb: "close", Reason: "told by telephone"}, "", "cancelled"},
		{"answered", control.Call{Verb: "answer", Text: "There is no consent to withdraw."}, "staff-answer", "done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "my data", both)
				s.answer(s.letter("confirm", bob), "Yes")
				s.passes(48 * time.Hour)
				s.standing("withdraw review", "delete fields scheduled")
				s.holds("u-bob", inbox.FieldPhone, "+77011234502")
				c.call.ID = s.id(inbox.KindWithdraw)
				s.acts(c.call)
				s.passes(2 * time.Minute)
				if c.tell != "" {
					s.letter(c.tell, bob)
				}
				s.letter("result", bob) // one, also where both were carried out
				s.standing("withdraw "+c.end, "delete fields done")
				s.holds("u-bob", inbox.FieldPhone, "")
				s.passes(48 * time.Hour)
				s.silence(bob)
			})
		})
	}
}

func TestCustodyWhatIsHeldForAFailure(t *testing.T) {
	const both = "Please change my nickname to Bo. And remove my phone number."
	for _, c := range []struct {
		name string
		call control.Call
		tell string
		end  string
	}{
		{"retried", control.Call{Verb: "retry"}, "", "done"},
		{"refused", control.Call{Verb: "refuse", Reason: "the name is taken"}, "refused", "refused"},
		{"closed", control.Call{Verb: "close", Reason: "told by telephone"}, "", "cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := &unreliable{fail: func(job inbox.Job, _ int) error {
				if job.Kind == inbox.KindChange {
					return errors.New("constraint violated")
				}
				return nil
			}}
			inScene(t, u.over(), func(s *scene) {
				s.write(bob, "two things", both)
				s.answer(s.letter("confirm", bob), "Yes")
				s.letter("failed", bob)
				s.stand("change failed", "delete fields held")
				u.script(nil)
				c.call.ID = "A-1"
				s.acts(c.call)
				s.passes(2 * time.Minute)
				if c.tell != "" {
					s.letter(c.tell, bob)
				}
				s.letter("result", bob)
				s.stand("change "+c.end, "delete fields done")
				s.holds("u-bob", inbox.FieldPhone, "")
				s.passes(48 * time.Hour)
				s.silence(bob)
			})
		})
	}
	t.Run("fails again, and is refused", func(t *testing.T) {
		u := &unreliable{fail: func(job inbox.Job, _ int) error {
			if job.Kind == inbox.KindChange {
				return errors.New("constraint violated")
			}
			return nil
		}}
		inScene(t, u.over(), func(s *scene) {
			s.write(bob, "two things", both)
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("failed", bob)
			s.act("retry", "A-1")
			s.passes(2 * time.Minute)
			s.letter("failed", bob)
			s.stand("change failed", "delete fields held")
			s.acts(control.Call{Verb: "refuse", ID: "A-1", Reason: "the name is taken"})
			s.passes(2 * time.Minute)
			s.letter("refused", bob)
			s.letter("result", bob)
			s.stand("change refused", "delete fields done")
		})
	})
}

// A yes that came too late runs nothing, also where a proof of the sender is
// all that was missing.
func TestCustodyLateYesToAClaim(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.claim(bob, "my data", copyPlease)
		q := s.letter("claim", bob)
		s.passes(week + time.Minute)
		s.stand("copy expired")
		s.answer(q, "Yes")
		again := s.letter("expired-ask", bob)
		s.passes(time.Hour)
		s.stand("copy unconfirmed")
		s.silence(bob)
		s.answer(again, "Yes")
		if got := s.letter("result", bob).Attachments(); !slices.Equal(got, []string{"data.zip"}) {
			t.Errorf("attached: %q", got)
		}
		s.stand("copy done")
		s.silence(bob)
	})
}

// Who writes in the owner's name can neither use up nor make void the question
// that the owner was asked first.
func TestCustodyForgedRepeats(t *testing.T) {
	for _, c := range []struct{ name, text, end string }{
		{"a delete", deletePlease, "confirm"},
		{"a copy", copyPlease, "result"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.claim(bob, "hello", c.text)
				first := s.letter("claim", bob)
				for i := range 12 {
					s.claim(bob, fmt.Sprintf("again %d", i), c.text)
					s.passes(12 * time.Hour)
				}
				s.read[bob] = len(s.lettersTo(bob))
				s.answer(first, "Yes")
				s.letter(c.end, bob)
			})
		})
	}
}

// However often a stranger asked before them, the owner who asks the same with
// proof is asked with the plan; asking again brings no second question.
func TestCustodyOwnerAfterForgedRepeats(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		for i := range 3 {
			s.claim(bob, fmt.Sprintf("hello %d", i), deletePlease)
		}
		s.read[bob] = len(s.lettersTo(bob))
		s.write(bob, "bye", deletePlease)
		q := s.letter("confirm", bob)
		s.write(bob, "bye again", deletePlease)
		s.letter("status", bob)
		s.answer(q, "Yes")
		s.letter("scheduled", bob)
		s.stand("delete account scheduled")
		s.silence(bob)
	})
}

// Forged stops hold an Action once; after the owner's word they are noted, and
// no more.
func TestCustodyForgedStops(t *testing.T) {
	t.Run("after the owner said to go on", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.claim(bob, "please", "stop")
			s.answer(s.letter("stop-check", bob), "Yes")
			s.letter("status", bob)
			for i := range 12 {
				s.claim(bob, fmt.Sprintf("please %d", i), "stop")
				s.passes(time.Hour)
				if a := s.action("A-1"); a.State == inbox.StateHeld {
					t.Fatalf("forged stop %d held it again", i+1)
				}
			}
			if !strings.Contains(fmt.Sprint(s.action("A-1").History), "another stop without proof") {
				t.Error("staff do not see the other stops")
			}
			s.passes(time.Hour)
			s.letter("result", bob)
			s.stand("delete account done")
			s.silence(bob)
		})
	})
	t.Run("the question is never capped", func(t *testing.T) {
		none := setup{replace: []string{"effects_per_hour = 100", "effects_per_hour = 100\nunproven = 1\nproven = 1\nthread = 1"}}
		inScene(t, none, func(s *scene) {
			s.leaving()
			s.claim(bob, "please", "stop")
			s.letter("stop-check", bob)
		})
	})
	t.Run("the question lives as long as it is held", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.passes(time.Hour)
			s.claim(bob, "please", "stop")
			q := s.letter("stop-check", bob)
			s.passes(3 * week)
			s.stand("delete account held")
			s.answer(q, "Yes")
			s.letter("status", bob)
			s.passes(10 * time.Hour)
			s.stand("delete account scheduled") // what was left of the cool-off
			s.passes(2 * time.Hour)
			s.letter("result", bob)
			s.stand("delete account done")
		})
	})
}

// A question can be answered for the full time, counted from the moment it
// left, whatever kept it back.
func TestCustodyTimeToAnswer(t *testing.T) {
	for _, c := range []struct {
		name string
		late func(s *scene) mailtest.Delivery // gives the question, which has just left
	}{
		{"held over a cap", func(s *scene) mailtest.Delivery {
			s.claim(bob, "one", "Please change my nickname to Bo.")
			s.claim(bob, "two", "Please change my nickname to Bobo.")
			s.letter("claim", bob)
			s.letter("claim", bob)
			s.claim(bob, "three", "Please remove my phone number.")
			s.passes(10 * 24 * time.Hour)
			s.act("release", s.id(inbox.KindDelete))
			return s.letter("claim", bob)
		}},
		{"replies were paused", func(s *scene) mailtest.Delivery {
			s.acts(control.Call{Verb: "pause", Replies: true})
			s.write(bob, "phone", "Please remove my phone number.")
			s.passes(10 * 24 * time.Hour)
			s.silence(bob)
			s.acts(control.Call{Verb: "resume"})
			return s.letter("confirm", bob)
		}},
		{"replies were paused for long", func(s *scene) mailtest.Delivery {
			s.acts(control.Call{Verb: "pause", Replies: true})
			s.write(bob, "phone", "Please remove my phone number.")
			s.passes(31 * 24 * time.Hour)
			s.acts(control.Call{Verb: "resume"})
			return s.letter("confirm", bob)
		}},
		{"SMTP was down", func(s *scene) mailtest.Delivery {
			s.SetFail(func(stage, _ string, _ int) error {
				if stage == mailtest.StageConnect {
					return mailtest.Refuse(421, "4.3.2 down")
				}
				return nil
			})
			s.write(bob, "phone", "Please remove my phone number.")
			s.passes(4 * 24 * time.Hour)
			s.SetFail(nil)
			s.passes(2*time.Hour + time.Minute)
			return s.letter("confirm", bob)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				q := c.late(s)
				s.passes(week - time.Since(q.At) - time.Minute)
				s.claim(bob, "my phone number", "Yes", mailtest.InReplyTo(q)) // some mail programs drop our subject
				if s.d.Letter(q.MessageID()) == "claim" {
					s.answer(s.letter("confirm", bob), "Yes")
				}
				s.letter("result", bob)
				s.holds("u-bob", inbox.FieldPhone, "")
			})
		})
		t.Run(c.name+", and the answer comes too late", func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				q := c.late(s)
				s.passes(week - time.Since(q.At) + time.Minute)
				s.answer(q, "Yes")
				s.letter("expired-ask", bob)
				s.holds("u-bob", inbox.FieldPhone, "+77011234502")
			})
		})
	}
}

// records puts people into the user store behind our back, as the site does.
func (s *scene) records(jsonl string) {
	s.t.Helper()
	if err := s.d.ImportPeople(s.t.Context(), jsonl); err != nil {
		s.t.Fatal(err)
	}
}

// A mailbox that is no longer on record agrees to nothing.
func TestCustodyAddressChangedByTheSite(t *testing.T) {
	const (
		movedAway = `{"id": "u-bob", "email": "bob@new.test", "nickname": "bobby", "phone": "+77011234502", "active": true}`
		newOwner  = `{"id": "u-rob", "email": "bob@users.test", "nickname": "rob", "phone": "+77019999999", "active": true}`
	)
	for _, c := range []struct{ name, records string }{
		{"nobody has the old address", movedAway},
		{"another person has it now", movedAway + "\n" + newOwner},
	} {
		t.Run("before the yes: "+c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "bye", deletePlease)
				q := s.letter("confirm", bob)
				s.records(c.records)
				s.answer(q, "Yes")
				s.passes(2 * coolOff)
				s.stand("delete account review")
				if m := s.newest(); m.State != inbox.MailHeld {
					t.Errorf("the yes is %s (%s)", m.State, m.Reason)
				}
				if a := s.action("A-1"); !strings.Contains(a.Error, "address on record") {
					t.Errorf("staff see %q", a.Error)
				}
				s.stays("u-bob")
				s.silence(bob, "bob@new.test")
			})
		})
		t.Run("between the yes and the end of the cool-off: "+c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.passes(time.Hour)
				s.records(c.records)
				s.passes(2 * coolOff)
				s.notice("stopped for review")
				s.stand("delete account review")
				s.stays("u-bob")
				s.silence(bob, "bob@new.test")
			})
		})
	}
}

// The delete of an account ends what was asked before it; what the same
// address asks later is kept until it has ended.
func TestCustodyMailAfterTheDelete(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.leaving()
		s.passes(12*time.Hour - time.Minute)
		for range 100 {
			if s.passes(30 * time.Second); s.gone("u-bob") {
				break // and their keys are not dropped yet
			}
		}
		s.letter("result", bob)
		s.write(bob, "invoices", "Will you keep my invoices, and for how long? I need them for my tax office.")
		s.letter("received", bob)
		s.passes(24 * time.Hour)
		if a := s.action("A-2"); a.Forgotten || !strings.Contains(a.Text, "tax office") {
			t.Fatalf("of an open question staff read %q", a.Text)
		}
		if !s.action("A-1").Forgotten {
			t.Error("the delete itself is still known")
		}
		s.acts(control.Call{Verb: "answer", ID: "A-2", Text: "For five years."})
		s.letter("staff-answer", bob)
		s.passes(time.Hour)
		if a := s.action("A-2"); !a.Forgotten {
			t.Error("an hour after it was answered the question is still known")
		}
		s.silence(bob)
	})
}

// Letters that a flood held back keep nothing from being forgotten: neither
// what they are about nor what came after.
func TestCustodyFloodIsForgotten(t *testing.T) {
	const flood = 300
	set := setup{more: "[keep]\ndone = \"48h\"\nother = \"48h\"\n"}
	t.Run("letters about nothing open", func(t *testing.T) {
		inScene(t, set, func(s *scene) {
			for i := range flood {
				s.write(bob, fmt.Sprintf("no %d", i), "No")
			}
			s.write(kate, "hello", "No")
			s.passes(3 * 24 * time.Hour)
			for _, id := range []string{"M-1", fmt.Sprintf("M-%d", flood), fmt.Sprintf("M-%d", flood+1)} {
				if m := list[review.MailDetail](s.place, control.Call{Verb: "mails show", ID: id})[0]; m.Subject != "" {
					t.Errorf("%s still knows %q", id, m.Subject)
				}
			}
		})
	})
	t.Run("questions that never left", func(t *testing.T) {
		inScene(t, set, func(s *scene) {
			s.claim(bob, "one", "Please change my nickname to Bo1.")
			s.claim(bob, "two", "Please change my nickname to Bo2.")
			s.claim(bob, "three", "Please change my nickname to Bo3.")
			s.passes(40 * 24 * time.Hour)
			s.stand("change expired", "change expired", "change expired")
			if a := s.action("A-3"); !a.Forgotten {
				t.Errorf("staff still read %q", a.Text)
			}
			s.letter("claim", bob)
			s.letter("claim", bob)
			s.silence(bob)
		})
	})
}

// The new address of a change is a stranger: it says yes or no, and learns
// nothing else.
func TestCustodyNewAddress(t *testing.T) {
	agreed := func(s *scene, text string) mailtest.Delivery {
		s.t.Helper()
		s.write(erin, "Erin Walsh, my divorce", text)
		s.answer(s.letter("confirm", erin), "Yes")
		return s.letter("confirm-new-address", erinNew)
	}
	const change = "Hi, please change the email address of my account to erin@new.test."
	t.Run("agrees to some of it", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			q := agreed(s, change)
			s.letter("asked-new", erin)
			s.answer(q, "only the first one")
			s.passes(2 * coolOff)
			s.silence(erin, erinNew)
			s.holds("u-erin", inbox.FieldEmail, erin)
			if m := s.newest(); m.State != inbox.MailHeld {
				t.Errorf("its mail is %s (%s)", m.State, m.Reason)
			}
		})
	})
	t.Run("asks something", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			q := agreed(s, change)
			s.letter("asked-new", erin)
			s.answer(q, "What is this? Who wants this?")
			s.passes(2 * coolOff)
			for _, d := range s.lettersTo(erinNew)[1:] {
				if text := d.Subject() + d.Text(); strings.Contains(text, "Walsh") || strings.Contains(text, "divorce") {
					t.Errorf("it reads:\n%s", text)
				}
			}
			s.silence(erin)
			s.holds("u-erin", inbox.FieldEmail, erin)
		})
	})
	t.Run("agrees too late, and the owner has asked for more", func(t *testing.T) {
		reviewed := setup{more: "[policy.delete_fields]\nreview = \"always\"\n"}
		inScene(t, reviewed, func(s *scene) {
			q := agreed(s, change+" And please remove my phone number.")
			s.letter("asked-new", erin)
			s.passes(week + time.Minute)
			s.act("approve", s.id(inbox.KindDelete))
			mine := s.letter("confirm", erin)
			s.write(erin, "pause", "Please deactivate my account.")
			also := s.letter("confirm", erin)
			s.answer(q, "Yes")
			s.letter("confirm-new-address", erinNew)
			s.letter("asked-new", erin)
			s.silence(erin, erinNew)
			s.standing("change unconfirmed", "delete fields unconfirmed", "deactivate unconfirmed")
			s.answer(also, "Yes")
			s.letter("result", erin)
			s.answer(mine, "No")
			s.letter("cancelled", erin)
			s.standing("change unconfirmed", "delete fields cancelled", "deactivate done")
		})
	})
}

// moves has erin's address changed.
func (s *scene) moves() {
	s.t.Helper()
	s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
	s.answer(s.letter("confirm", erin), "Yes")
	q := s.letter("confirm-new-address", erinNew)
	s.letter("asked-new", erin)
	s.answer(q, "Yes")
	s.letter("address-notice", erin)
	s.passes(coolOff)
	s.letter("address-changed", erin)
	s.letter("result", erinNew)
	s.holds("u-erin", inbox.FieldEmail, erinNew)
}

// What failed before the address changed was agreed to by the old one.
func TestCustodyRetryAfterTheAddressChanged(t *testing.T) {
	u := &unreliable{fail: func(job inbox.Job, _ int) error {
		if job.Kind == inbox.KindDelete {
			return errors.New("constraint violated")
		}
		return nil
	}}
	inScene(t, u.over(), func(s *scene) {
		s.write(erin, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", erin), "Yes")
		s.letter("failed", erin)
		s.moves()
		u.script(nil)
		s.act("retry", "A-1")
		s.passes(time.Hour)
		s.holds("u-erin", inbox.FieldPhone, "+353871234567")
		s.answer(s.letter("claim", erinNew), "Yes")
		s.answer(s.letter("confirm", erinNew), "Yes")
		s.letter("result", erinNew)
		s.holds("u-erin", inbox.FieldPhone, "")
		s.silence(erin, erinNew)
	})
}

// The person is told of what was done, also when the rest of their mail takes
// its time.
func TestCustodyResultDoesNotWait(t *testing.T) {
	t.Run("for staff to look at what comes next", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "my data", "Please change my nickname to Bo. I withdraw my consent to the processing of my data. Also, please remove my phone number.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.passes(time.Minute)
			s.standing("change done", "withdraw review", "delete fields scheduled")
			s.letter("result", bob)
			s.holds("u-bob", inbox.FieldNickname, "Bo")
			s.act("approve", s.id(inbox.KindWithdraw))
			s.passes(time.Minute)
			s.letter("result", bob)
			s.standing("change done", "withdraw done", "delete fields done")
			s.silence(bob)
		})
	})
	t.Run("for the brake", func(t *testing.T) {
		inScene(t, setup{replace: []string{"effects_per_hour = 100", "effects_per_hour = 1"}}, func(s *scene) {
			s.write(alice, "phone", "Please remove my phone number.")
			s.answer(s.letter("confirm", alice), "Yes")
			s.letter("result", alice)
			s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
			s.answer(s.letter("confirm", bob), "Yes")
			s.passes(time.Minute)
			s.letter("result", bob)
			s.stand("delete fields done", "change done", "delete fields review")
			s.act("approve", "A-3")
			s.passes(time.Minute)
			s.letter("result", bob)
			s.silence(bob)
		})
	})
	t.Run("for the new address to prove the rest", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(erin, "moving", "Please change the email address of my account to erin@new.test. And remove my phone number.")
			s.answer(s.letter("confirm", erin), "Yes")
			q := s.letter("confirm-new-address", erinNew)
			s.read[erin] = len(s.lettersTo(erin))
			s.answer(q, "Yes")
			s.letter("address-notice", erin)
			s.passes(coolOff)
			s.letter("address-changed", erin)
			s.letter("claim", erinNew)
			s.letter("result", erinNew)
			s.stand("change done", "delete fields unconfirmed")
			s.holds("u-erin", inbox.FieldPhone, "+353871234567")
			s.silence(erin, erinNew)
		})
	})
}

// A domain whose DNS never answers holds nobody up for long.
func TestCustodyTarpit(t *testing.T) {
	const poison = "s._domainkey.evil.test"
	for _, later := range []time.Duration{0, 7 * time.Minute, 30 * time.Hour} {
		t.Run(fmt.Sprintf("a mail %v behind", later), func(t *testing.T) {
			d, set := zone(t)
			d.Fail(poison, mailtest.ErrNoAnswer)
			inScene(t, set, func(s *scene) {
				for i := range 200 {
					s.trap(fmt.Sprintf("x%d@evil.test", i))
				}
				time.Sleep(later)
				s.Send(bob, support, "my data", copyPlease, mailtest.Aligned(true))
				s.passes(2 * time.Minute)
				s.letter("result", bob)
			})
		})
	}
}

// trap delivers a mail whose signature has to be looked up, and waits for
// nobody.
func (s *scene) trap(from string) {
	s.t.Helper()
	raw, err := mailtest.Compose(from, support, "hello", deletePlease,
		mailtest.Header("DKIM-Signature", "v=1; a=rsa-sha256; d=evil.test; s=s; h=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"))
	if err == nil {
		err = s.Deliver(support, raw, mailtest.Aligned(false))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// gather puts so much into the profile of somebody that no ZIP makes it small.
func gather(s *scene, id, addr string, bytes int) {
	s.t.Helper()
	random := make([]byte, bytes/2)
	rand.NewChaCha8([32]byte{}).Read(random)
	if err := s.d.ImportPeople(s.t.Context(), fmt.Sprintf(`{"id":%q,"email":%q,"about":"%x","active":true}`+"\n", id, addr, random)); err != nil {
		s.t.Fatal(err)
	}
}

// A letter whose attachment cannot be read at the moment is sent later; staff
// are told when that goes on for days.
func TestCustodyDiskErrorWhileRendering(t *testing.T) {
	waiting := func(s *scene) (mend func()) {
		s.acts(control.Call{Verb: "pause", Replies: true})
		gather(s, "u-bob", bob, 64<<10) // a small copy would lie in the state
		s.write(bob, "my data", copyPlease)
		s.stand("copy done")
		file := filepath.Join(s.cfg.StateDir, "replies", "A-000001-1")
		aside := filepath.Join(s.t.TempDir(), "aside")
		if err := errors.Join(os.Rename(file, aside), os.Mkdir(file, 0o700)); err != nil { // a read of it fails
			s.t.Fatal(err)
		}
		s.acts(control.Call{Verb: "resume"})
		return func() {
			if err := errors.Join(os.Remove(file), os.Rename(aside, file)); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	t.Run("for an hour", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			mend := waiting(s)
			s.passes(time.Hour)
			s.silence(bob, staff)
			if r := s.action("A-1").Replies[0]; r.State != inbox.ReplyDue {
				t.Errorf("the letter is %s", r.State)
			}
			mend()
			s.passes(2 * time.Hour)
			if got := s.letter("result", bob).Attachments(); !slices.Equal(got, []string{"data.zip"}) {
				t.Errorf("attached: %q", got)
			}
			s.silence(bob, staff)
		})
	})
	t.Run("for good", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			waiting(s)
			s.passes(5*24*time.Hour - time.Hour)
			s.silence(staff)
			s.passes(4 * time.Hour)
			s.notice("could not be delivered")
			s.silence(bob, staff)
		})
	})
}
