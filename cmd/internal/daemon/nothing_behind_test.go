package daemon_test

import (
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

// A mail that is answered as if a person would look at it has an Action that
// reminds staff; of any other the sender is told where they stand.
func TestNoPromiseWithNothingBehind(t *testing.T) {
	done := func(s *scene) {
		s.write(bob, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
	}
	told := func(s *scene, words string) {
		s.t.Helper()
		if d := s.letter("status", bob); !strings.Contains(d.Text(), words) {
			s.t.Errorf("it says:\n%s", d.Text())
		}
		if m := s.newest(); m.State != inbox.MailAnswered {
			s.t.Errorf("the mail is %s (%s)", m.State, m.Reason)
		}
		s.silence(bob)
	}
	elsewhere := mailtest.Header("In-Reply-To", "<gone@users.test>")
	const (
		itIsDone = "Removal of details (Phone number): done"
		none     = "no open request"
		status   = "What is the status of my request?"
	)
	t.Run("a question about state, after it was done", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			done(s)
			s.letter("result", bob)
			s.write(bob, "my request", status)
			told(s, itIsDone)
		})
	})
	t.Run("of several that ended the last", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			done(s)
			s.letter("result", bob)
			s.write(bob, "nickname", "Please change my nickname to Bo.")
			s.answer(s.letter("confirm", bob), "No")
			s.letter("cancelled", bob)
			s.write(bob, "my request", status)
			told(s, "Change of your details (Nickname): cancelled")
		})
	})
	t.Run("a no after it was done", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			done(s)
			s.answer(s.letter("result", bob), "No, stop!")
			told(s, itIsDone)
		})
	})
	t.Run("an answer to nothing", func(t *testing.T) {
		for _, text := range []string{"Yes", "No", status} {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "Re: hm", text, elsewhere)
				told(s, none)
			})
		}
	})
	t.Run("what a stranger asked is not theirs", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "phone", "Please remove my phone number.")
			s.letter("claim", bob)
			s.passes(week + time.Minute)
			s.stand("delete fields expired")
			s.write(bob, "my request", status)
			told(s, none)
		})
	})
	t.Run("a question that staff closed without a word", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "why", "Why was I charged twice?")
			s.letter("received", bob)
			s.acts(control.Call{Verb: "close", ID: "A-1", Reason: "spam"})
			s.write(bob, "my request", status)
			told(s, none)
		})
	})
	t.Run("a yes while nothing waits for it", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.write(bob, "Re: hm", "Yes", elsewhere)
			told(s, "Deletion of your account: will be carried out")
		})
	})
	t.Run("without proof", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "Re: hm", "No", elsewhere)
			if m := s.newest(); m.State != inbox.MailIgnored {
				t.Errorf("the mail is %s (%s)", m.State, m.Reason)
			}
			s.silence(bob, staff)
		})
	})
	t.Run("a new address that agrees once more", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
			s.answer(s.letter("confirm", erin), "Yes")
			q := s.letter("confirm-new-address", erinNew)
			s.letter("asked-new", erin)
			s.answer(q, "Yes")
			s.letter("address-notice", erin)
			s.passes(coolOff)
			s.letter("result", erinNew)
			s.answer(q, "Yes")
			if d := s.letter("status", erinNew); !strings.Contains(d.Text(), "New email address for your account: done") {
				t.Errorf("it says:\n%s", d.Text())
			}
		})
	})

	handed := func(s *scene) {
		s.t.Helper()
		m := s.newest()
		a := s.action(s.id(inbox.KindQuestion))
		if m.State != inbox.MailHeld || a.State != inbox.StateReview || a.Case != m.ID {
			s.t.Fatalf("the mail is %s (%s), the question %s of %s", m.State, m.Reason, a.State, a.Case)
		}
		s.passes(time.Until(a.Due))
		s.notice("an answer is due soon")
	}
	t.Run("a yes to one of several questions", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "phone", "Please remove my phone number.")
			s.letter("confirm", bob)
			s.write(bob, "nickname", "Please change my nickname to Bo.")
			s.letter("confirm", bob)
			s.write(bob, "Re: hm", "Yes", elsewhere)
			s.letter("received", bob)
			handed(s)
			s.silence(bob, staff)
		})
	})
	t.Run("some of several points, and the question is over", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "two things", "Please change my nickname to Bo. And remove my phone number.")
			q := s.letter("confirm", bob)
			s.answer(q, "Yes")
			s.letter("result", bob)
			s.answer(q, "only 2")
			s.letter("received", bob)
			handed(s)
		})
	})
	t.Run("a new address that agrees to what was cancelled", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
			s.answer(s.letter("confirm", erin), "Yes")
			q := s.letter("confirm-new-address", erinNew)
			s.answer(s.letter("asked-new", erin), "stop")
			s.letter("cancelled", erin)
			s.answer(q, "Yes")
			handed(s)
			s.silence(erin, erinNew)
		})
	})
}
