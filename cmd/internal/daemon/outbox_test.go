package daemon_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

const alice, bob, kate = "alice@users.test", "bob@users.test", "kate@users.test"

// results gives what came of each try to send a letter.
func results(r []inbox.Attempt) []string {
	var out []string
	for _, a := range r {
		out = append(out, a.Result)
	}
	return out
}

// refuses makes SMTP answer with err whenever a stage is about an address.
func (s *scene) refuses(at, whom string, err error) {
	s.SetFail(func(stage, who string, _ int) error {
		if stage == at && who == whom {
			return err
		}
		return nil
	})
}

func TestTemporaryFailureIsTriedAgain(t *testing.T) {
	later := mailtest.Refuse(451, "4.3.0 try again later")
	for _, c := range []struct {
		stage string
		fault error
	}{
		{mailtest.StageConnect, mailtest.Refuse(421, "4.3.2 too busy")},
		{mailtest.StageConnect, mailtest.ErrHangUp},
		{mailtest.StageMail, later},
		{mailtest.StageRcpt, later},
		{mailtest.StageRcpt, mailtest.ErrSilence},
		{mailtest.StageData, later},
		{mailtest.StageDot, later},
	} {
		t.Run(fmt.Sprintf("%s %v", c.stage, c.fault), func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				failed := 0
				s.SetFail(func(stage, _ string, _ int) error {
					if stage != c.stage || failed == 3 {
						return nil
					}
					failed++
					return c.fault
				})
				s.write(alice, "phone", "Please remove my phone number.")
				s.passes(time.Hour)
				s.letter("confirm", alice)
				s.silence(alice, staff)
				tries := s.action("A-1").Replies[0].Attempts
				if got := results(tries); !slices.Equal(got, []string{"temporary", "temporary", "temporary", "sent"}) {
					t.Fatalf("the tries came to %q", got)
				}
				pause := time.Duration(0)
				for i := range tries[1:] {
					next := tries[i+1].At.Sub(tries[i].At)
					if next <= pause && c.fault != mailtest.ErrSilence { // which takes its time by itself
						t.Errorf("try %d waited %v, the one before it %v", i+2, next, pause)
					}
					pause = next
				}
			})
		})
	}
}

func TestFiveDaysThenGivenUp(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.refuses(mailtest.StageRcpt, alice, mailtest.Refuse(451, "4.2.1 mailbox busy"))
		s.write(alice, "phone", "Please remove my phone number.")
		s.passes(5*24*time.Hour - time.Hour)
		s.notice("an answer is due soon") // the person was not asked yet
		s.notice("an answer is late")
		s.silence(staff)
		s.passes(4 * time.Hour)
		s.notice("could not be delivered")
		r := s.action("A-1").Replies[0]
		if r.State != inbox.ReplyFailed {
			t.Errorf("the letter is %s", r.State)
		}
		if span := r.Attempts[len(r.Attempts)-1].At.Sub(r.Created); span < 5*24*time.Hour {
			t.Errorf("given up after %v", span)
		}
		s.SetFail(nil)
		s.passes(24 * time.Hour)
		s.silence(alice, staff)
	})
}

// A letter that waited long for staff has its five days from its first try.
func TestFiveDaysCountFromTheFirstTry(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.acts(control.Call{Verb: "pause", Replies: true})
		s.write(alice, "copy", "Please send me a copy of my data.")
		s.passes(6 * 24 * time.Hour)
		s.refuses(mailtest.StageRcpt, alice, mailtest.Refuse(450, "4.7.1 greylisted"))
		s.acts(control.Call{Verb: "resume"})
		s.passes(time.Minute)
		s.SetFail(nil)
		s.passes(time.Hour)
		s.letter("result", alice)
		s.silence(alice, staff)
	})
}

func TestPermanentFailure(t *testing.T) {
	for _, c := range []struct {
		stage string
		fault error
	}{
		{mailtest.StageRcpt, mailtest.Refuse(550, "5.1.1 no such user")},
		{mailtest.StageDot, mailtest.Refuse(554, "5.7.1 looks like spam")},
	} {
		t.Run(c.stage, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.refuses(c.stage, alice, c.fault)
				s.write(alice, "phone", "Please remove my phone number.")
				s.notice("could not be delivered")
				a := s.action("A-1")
				if r := a.Replies[0]; r.State != inbox.ReplyFailed || len(r.Attempts) != 1 {
					t.Errorf("the letter is %s after %d tries", r.State, len(r.Attempts))
				}
				if !strings.Contains(a.Error, "could not be delivered") {
					t.Errorf("staff see %q beside the action", a.Error)
				}
				s.passes(24 * time.Hour)
				s.silence(alice, staff)
			})
		})
	}
}

func TestLostAfterTheFinalDot(t *testing.T) {
	lose := func(s *scene, times int) {
		s.SetFail(func(stage, who string, n int) error {
			if stage == mailtest.StageTaken && who == alice && n <= times {
				return mailtest.ErrHangUp
			}
			return nil
		})
	}
	t.Run("once", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			lose(s, 1)
			s.write(alice, "phone", "Please remove my phone number.")
			first := s.letter("confirm", alice)
			if r := s.action("A-1").Replies[0]; r.State != inbox.ReplyUnknown {
				t.Fatalf("the letter is %s", r.State)
			}
			s.passes(59 * time.Minute)
			s.silence(alice)
			s.passes(2 * time.Minute)
			second := s.letter("confirm", alice)
			if first.MessageID() != second.MessageID() || string(first.Bytes) != string(second.Bytes) {
				t.Error("the second try is another mail")
			}
			s.passes(48 * time.Hour)
			s.silence(alice, staff)
		})
	})
	t.Run("twice", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			lose(s, 9)
			s.write(alice, "phone", "Please remove my phone number.")
			s.letter("confirm", alice)
			s.passes(2 * time.Hour)
			second := s.letter("confirm", alice)
			s.notice("could not be delivered")
			s.passes(48 * time.Hour)
			s.notice("an answer is due soon")
			s.silence(alice, staff)
			s.SetFail(nil)
			s.answer(second, "Yes") // it had arrived: that is proved now
			s.letter("result", alice)
			s.holds("u-alice", inbox.FieldPhone, "")
		})
	})
	t.Run("answered before the second try", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			lose(s, 1)
			s.write(alice, "phone", "Please remove my phone number.")
			s.answer(s.letter("confirm", alice), "Yes")
			s.letter("result", alice)
			s.passes(2 * time.Hour)
			s.silence(alice, staff)
		})
	})
}

// Nobody can know how much of a mail had left, so it is an hour until the next
// try; but the server had not taken it, and it comes once.
func TestLostBeforeTheMailIsTaken(t *testing.T) {
	for _, at := range []string{mailtest.StageBody, mailtest.StageDot} {
		t.Run(at, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.SetFail(func(stage, who string, n int) error {
					if stage == at && who == alice && n == 1 {
						return mailtest.ErrHangUp
					}
					return nil
				})
				s.write(alice, "phone", "Please remove my phone number.")
				s.passes(2 * time.Hour)
				s.letter("confirm", alice)
				s.passes(48 * time.Hour)
				s.silence(alice, staff)
			})
		})
	}
}

func TestBouncedConfirmation(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(alice, "bye", "Please delete my account.")
		q := s.letter("confirm", alice)
		s.deliver(string(mailtest.Bounce(q, "mx.users.test", "550 5.1.1 no such user")), mailtest.Envelope(""))
		s.notice("bounced")
		s.deliver(string(mailtest.Bounce(q, "mx.users.test", "550 5.1.1 no such user")), mailtest.Envelope(""))
		s.answer(q, "Yes")
		s.letter("status", alice)
		s.passes(2 * coolOff)
		s.stand("delete account unconfirmed")
		if s.person("u-alice").ID == "" {
			t.Error("a void token deleted the account")
		}
		s.silence(alice, staff)
	})
}

func TestCopyIsAcceptedBeforeTheDelete(t *testing.T) {
	ask := func(s *scene) {
		s.write(kate, "leaving", "Hi! Please send me a copy of my data and then delete my account.")
		s.answer(s.letter("confirm", kate), "Yes")
	}
	t.Run("the server is busy for a day", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(kate, "leaving", "Hi! Please send me a copy of my data and then delete my account.")
			q := s.letter("confirm", kate)
			s.refuses(mailtest.StageRcpt, kate, mailtest.Refuse(451, "4.3.0 try again later"))
			s.answer(q, "Yes")
			s.passes(24 * time.Hour)
			s.stand("copy done", "delete account scheduled")
			s.SetFail(nil)
			s.passes(3 * time.Hour)
			if got := s.letter("result", kate).Attachments(); !slices.Equal(got, []string{"data.zip"}) {
				t.Errorf("attached: %q", got)
			}
			s.stand("copy done", "delete account scheduled")
			s.passes(coolOff)
			s.letter("result", kate)
			s.stand("copy done", "delete account done")
			s.silence(kate, staff)
		})
	})
	t.Run("the copy is refused", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(kate, "leaving", "Hi! Please send me a copy of my data and then delete my account.")
			q := s.letter("confirm", kate)
			s.refuses(mailtest.StageDot, kate, mailtest.Refuse(552, "5.3.4 too large"))
			s.answer(q, "Yes")
			s.notice("could not be delivered")
			s.passes(2 * coolOff)
			s.stand("copy done", "delete account held")
			if s.person("u-kate").ID == "" {
				t.Error("deleted, and the copy never went out")
			}
		})
	})
	t.Run("the copy bounces", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			ask(s)
			d := s.letter("result", kate)
			s.deliver(string(mailtest.Bounce(d, "mx.users.test", "552 5.2.2 mailbox full")), mailtest.Envelope(""))
			s.notice("bounced")
			s.passes(2 * coolOff)
			s.stand("copy done", "delete account held")
		})
	})
}

func TestCapOfUnprovenMail(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.claim(bob, "one", "Please delete my account.")
		s.claim(bob, "two", "Please remove my phone number.")
		s.claim(bob, "three", "Please send me a copy of my data.")
		s.letter("claim", bob)
		s.letter("claim", bob)
		s.silence(bob)
		a := s.action("A-3")
		if a.Replies[0].State != inbox.ReplyHeld || !strings.Contains(a.Error, "policy.limits.unproven") {
			t.Fatalf("the third letter is %s, staff see %q", a.Replies[0].State, a.Error)
		}
		if m := s.newest(); m.State != inbox.MailHeld || !strings.Contains(m.Reason, "is held: ") || strings.Contains(m.Reason, "asked") {
			t.Errorf("the mail, of which nobody was asked, is %s (%s)", m.State, m.Reason)
		}
		s.act("release", "M-3")
		q := s.letter("claim", bob)
		if a := s.action("A-3"); a.Error != "" || !did(a, "letter "+a.Replies[0].ID.String()+" released", "tester") {
			t.Errorf("the letter is out, and staff see %q; the history: %v", a.Error, a.History)
		}
		if m := s.newest(); m.State != inbox.MailAsked {
			t.Errorf("after the release the mail is %s (%s)", m.State, m.Reason)
		}
		s.answer(q, "Yes")
		s.letter("result", bob)
		s.passes(24 * time.Hour)
		s.claim(bob, "four", "Please change my nickname to Bobbo.")
		s.letter("claim", bob)
		s.silence(bob)
	})
}

func TestCapOfProvenMail(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		for i := range 11 {
			s.write(alice, fmt.Sprintf("nickname %d", i), fmt.Sprintf("Please change my nickname to Ali%d.", i))
		}
		var last mailtest.Delivery
		for range 10 {
			last = s.letter("confirm", alice)
		}
		s.silence(alice)
		s.answer(last, "Yes") // the answer to a yes is never capped
		s.letter("result", alice)
		s.holds("u-alice", inbox.FieldNickname, "Ali9")
		s.act("release", "M-11")
		s.answer(s.letter("confirm", alice), "No")
		s.letter("cancelled", alice)
		s.silence(alice)
	})
}

func TestCapOfAThread(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(alice, "my profile", "Please change my nickname to Ali0.")
		first := s.letter("confirm", alice)
		last := first
		for i := range 5 {
			if i > 0 {
				last = s.letter("confirm", alice)
			}
			s.write(alice, "my profile", fmt.Sprintf("Please change my nickname to Ali%d.", i+1), mailtest.InReplyTo(first))
		}
		s.silence(alice)
		if a := s.action("A-6"); !strings.Contains(a.Error, "policy.limits.thread") {
			t.Errorf("staff see %q", a.Error)
		}
		s.answer(last, "Yes")
		s.letter("result", alice)
		s.act("release", "A-6")
		s.letter("confirm", alice)
		s.silence(alice)
	})
}

// Whoever knows how a thread began can write as if they were part of it. That
// does not use up what may be written to others there.
func TestCapOfAThreadOfAnother(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(alice, "my profile", "Please change my nickname to Ali0.", mailtest.Header("Message-ID", "<root@users.test>"))
		first := s.letter("confirm", alice)
		for i := range 7 {
			s.write(bob, "my profile", fmt.Sprintf("Please change my nickname to Bob%d.", i), mailtest.Header("References", "<root@users.test>"))
		}
		if got := len(s.lettersTo(bob)); got != 5 {
			t.Errorf("bob has got %d letters in the thread", got)
		}
		for i := range 4 {
			s.write(alice, "my profile", fmt.Sprintf("Please change my nickname to Ali%d.", i+1), mailtest.InReplyTo(first))
			s.letter("confirm", alice)
		}
	})
}

// A robot that says yes to each of our mails has its account deleted, and does
// not keep us talking until then.
func TestRobotThatAgrees(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "bye", "Please delete my account.")
		answered := 0
		for range 48 {
			all := s.lettersTo(bob)
			for _, d := range all[answered:] {
				s.answer(d, "Yes")
			}
			answered = len(all)
			s.passes(time.Hour)
		}
		if len(s.lettersTo(bob)) > 8 {
			t.Errorf("%d mails", len(s.lettersTo(bob)))
		}
		if a := s.action("A-1"); a.State != inbox.StateDone {
			t.Errorf("the delete is %s", a.State)
		}
	})
}
