package daemon_test

import (
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/review"
)

// A letter with a copy is held and staff discard it, and a delete waits behind
// it: it is never done, since nobody got the copy, and when its time comes staff
// hear of it and have it in their queue, however often they release it.
func TestDiscardedCopyBeforeADelete(t *testing.T) {
	const both = "Please send me a copy of my data and then delete my account."
	drop := func(s *scene) { s.acts(control.Call{Verb: "drop", ID: "M-2", Reason: "it holds somebody else's data"}) }
	decide := func(s *scene, noticed bool) {
		s.passes(time.Minute)
		s.queued(review.QueueFilter{}, s.id(inbox.KindDelete)+" M-000002 held")
		if v := s.action(s.id(inbox.KindDelete)); !strings.Contains(v.Error, "the copy was not delivered") {
			t.Errorf("it is held for %q", v.Error)
		}
		if noticed {
			s.notice("a delete is held: the copy before it was not delivered")
		}
		s.passes(2 * week)
		s.stays("u-kate")
		s.act("release", s.id(inbox.KindDelete)) // which does not replace the copy
		s.passes(2 * coolOff)
		s.standing("question cancelled", "copy done", "delete account held")
		s.stays("u-kate")
	}
	ready := func(s *scene) {
		s.write(kate, "hours", "When are you open?")
		s.letter("received", kate)
		s.write(kate, "leaving", both)
		s.notice("a letter is held, because its address has got too many")
		s.standing("question review", "copy done", "delete account review")
		s.acts(control.Call{Verb: "close", ID: s.id(inbox.KindQuestion), Reason: "x"})
	}
	scheduled := func(s *scene) {
		ready(s)
		s.act("approve", s.id(inbox.KindDelete))
		s.answer(s.letter("confirm", kate), "Yes")
		s.standing("question cancelled", "copy done", "delete account scheduled")
	}
	set := setup{more: "[policy.delete_account]\nreview = \"always\"\n", replace: []string{"effects_per_hour = 100", "effects_per_hour = 100\nproven = 1"}}
	t.Run("while staff look at the delete", func(t *testing.T) {
		inScene(t, set, func(s *scene) {
			ready(s)
			drop(s)
			s.queued(review.QueueFilter{}, s.id(inbox.KindDelete)+" M-000002 review")
			s.act("approve", s.id(inbox.KindDelete))
			s.answer(s.letter("confirm", kate), "Yes")
			s.passes(2 * coolOff)
			decide(s, true)
		})
	})
	t.Run("while the delete cools off", func(t *testing.T) {
		inScene(t, set, func(s *scene) {
			scheduled(s)
			s.passes(time.Hour)
			drop(s)
			s.standing("question cancelled", "copy done", "delete account scheduled") // until its time comes
			s.passes(coolOff)
			decide(s, true)
		})
	})
	t.Run("once the delete is held for it", func(t *testing.T) {
		inScene(t, set, func(s *scene) {
			scheduled(s)
			s.passes(2 * coolOff)
			s.notice("a delete is held: the copy before it was not delivered")
			drop(s)
			decide(s, false)
		})
	})
}
