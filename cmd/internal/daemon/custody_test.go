package daemon_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
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
				s.letter("result", bob)
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
			s.silence(bob)
			s.passes(10 * 24 * time.Hour)
			s.act("release", s.id(inbox.KindDelete))
			q := s.letter("claim", bob)
			s.answer(q, "Yes")
			return s.letter("confirm", bob)
		}},
		{"held over a cap, a claim", func(s *scene) mailtest.Delivery {
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
			s.passes(60 * 24 * time.Hour)
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
				s.answer(q, "Yes")
				if strings.HasSuffix(c.name, "a claim") {
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
		t.Run(c.name+", and the subject of the answer is another", func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				q := c.late(s)
				s.passes(week - time.Since(q.At) - time.Minute)
				s.claim(bob, "Re: my phone", "Yes", mailtest.InReplyTo(q))
				if strings.HasSuffix(c.name, "a claim") {
					s.answer(s.letter("confirm", bob), "Yes")
				}
				s.letter("result", bob)
				s.holds("u-bob", inbox.FieldPhone, "")
			})
		})
	}
}
