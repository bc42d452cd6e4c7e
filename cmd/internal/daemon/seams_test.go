package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

// Our letters number their points, and people answer them by number: what may
// be a stop is heeded before the rest goes to staff.
func TestStopByNumber(t *testing.T) {
	for _, text := range []string{"Please skip number 2.", "Not number 2, please keep my account.", "Stop number 2", "only 1"} {
		t.Run(text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "bye", "Please send me a copy of my data. Then please delete my account.")
				s.answer(s.letter("confirm", bob), "Yes")
				s.answer(s.letter("result", bob), text)
				s.letter("stop-check", bob)
				s.passes(2 * coolOff)
				s.stays("u-bob")
				s.stand("copy done", "delete account held")
			})
		})
	}
}

// In assist a release sends the letter that asks the owner whether to go on. It
// does not answer it for them; a second one is a decision of staff.
func TestReleaseOfAStopCheckStillHolds(t *testing.T) {
	inScene(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(s *scene) {
		s.write(bob, "bye", deletePlease)
		s.act("approve", "A-1")
		s.answer(s.letter("confirm", bob), "Yes")
		s.act("approve", "A-1")
		s.letter("scheduled", bob)
		s.write(bob, "hm", "Can I still stop this?")
		s.act("release", "A-1")
		s.letter("received", bob) // of the first mail
		s.letter("stop-check", bob)
		s.passes(2 * coolOff)
		s.stays("u-bob")
		if got := s.states(); got[0] != "delete account held" {
			t.Fatalf("the actions stand at %q", got)
		}
		s.act("release", "A-1")
		s.passes(2 * coolOff)
		if !s.gone("u-bob") {
			t.Error("the second release did not let it go on")
		}
	})
}

// A release of letters keeps what stands beside an action that is not held.
func TestReleaseKeepsTheReasonOfAReview(t *testing.T) {
	inScene(t, setup{more: "[policy]\nmode = \"assist\"\n"}, func(s *scene) {
		s.write(bob, "q", "When do you open on Sundays?")
		before := s.action("A-1").Error
		s.act("release", "A-1")
		if after := s.action("A-1").Error; before == "" || after != before {
			t.Errorf("beside the question stood %q, and after a release of its letter %q", before, after)
		}
	})
}

// A stop that answers the letter about a delete ends that, and leaves alone
// what it is not about.
func TestStopByReplyTouchesNothingElse(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(erin, "new email", "Hi, please change the email address of my account to erin@new.test.")
		s.answer(s.letter("confirm", erin), "Yes")
		q := s.letter("confirm-new-address", erinNew)
		s.letter("asked-new", erin)
		s.write(erin, "bye", deletePlease)
		s.answer(s.letter("confirm", erin), "Yes")
		d := s.letter("scheduled", erin)
		s.answer(q, "Yes")
		s.letter("address-notice", erin)
		s.answer(d, "No, please do not delete my account.")
		s.letter("cancelled", erin)
		s.stand("change scheduled", "delete account cancelled")
		s.silence(erin)
	})
}

// What tells of a delete could not be delivered: nobody was told, so it waits
// for staff.
func TestUndeliverableNoticeHolds(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "bye", deletePlease)
		q := s.letter("confirm", bob)
		s.refuses(mailtest.StageRcpt, bob, mailtest.Refuse(450, "4.2.1 try again later"))
		s.answer(q, "Yes")
		s.passes(7 * 24 * time.Hour)
		s.stays("u-bob")
		if got := s.states(); !slices.Equal(got, []string{"delete account held"}) {
			t.Errorf("the actions stand at %q", got)
		}
		if a := s.action("A-1"); a.State != inbox.StateHeld || a.Error == "" {
			t.Errorf("it stands at %s (%s)", a.State, a.Error)
		}
	})
}

// What answers a question of staff goes to staff. It confirms nothing and
// cancels nothing else; a no at most holds what can be stopped.
func TestAnswerToStaff(t *testing.T) {
	for text, want := range map[string]string{
		"Yes":                                 "delete account scheduled",
		"No, the second one.":                 "delete account held",
		"No. Please keep my account.":         "delete account cancelled",
		"It is the one of the third of June.": "delete account scheduled",
	} {
		t.Run(text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "invoice", "I have a question about my last invoice, it looks odd.")
				s.letter("received", bob)
				s.write(bob, "nick", "Please change my nickname to Bo.")
				s.letter("confirm", bob)
				s.leaving()
				s.acts(control.Call{Verb: "ask", ID: "A-1", Text: "Do you mean the invoice of June?"})
				s.answer(s.letter("staff-question", bob), text)
				got := s.states()
				if len(got) != 4 || got[0] != "question review" || got[1] != "change unconfirmed" || got[2] != want || got[3] != "question review" {
					t.Errorf("the actions stand at %q", got)
				}
				noted := func(h inbox.HistoryEntry) bool { return strings.Contains(h.What, "answered in ") }
				if !slices.ContainsFunc(s.action("A-1").History, noted) {
					t.Errorf("what staff asked about does not show the answer: %+v", s.action("A-1").History)
				}
			})
		})
	}
}
