package daemon_test

import "testing"

// Who holds what: the owner's word ends the hold that a doubtful stop brought,
// and no other.
func TestStopCheckAndTheHoldOfStaff(t *testing.T) {
	for _, c := range []struct {
		name string
		acts []string
	}{
		{"released, and held anew", []string{"release", "hold"}},
		{"held over it", []string{"hold"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.claim(bob, "please", "stop")
				q := s.letter("stop-check", bob)
				for _, verb := range c.acts {
					s.act(verb, "A-1")
				}
				s.answer(q, "Yes")
				s.letter("status", bob)
				s.stand("delete account held")
				s.passes(2 * coolOff)
				s.stays("u-bob")
				s.act("release", "A-1")
				s.passes(coolOff)
				s.letter("result", bob)
				s.stand("delete account done")
			})
		})
	}
	t.Run("a no counts all the same", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.leaving()
			s.claim(bob, "please", "stop")
			q := s.letter("stop-check", bob)
			s.act("hold", "A-1")
			s.answer(q, "No")
			s.letter("cancelled", bob)
			s.stand("delete account cancelled")
		})
	})
}
