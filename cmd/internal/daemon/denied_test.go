package daemon_test

import (
	"strings"
	"testing"
)

// TestDenied: who says that a mail was not theirs is thanked, and told nothing
// of what it asked for; who had said that it was is told what became of it.
func TestDenied(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		for text, thanks := range map[string]string{
			"Please delete my account.":         "Thank you for telling us.",
			"Удалите мой аккаунт, пожалуйста.":  "Спасибо, что сообщили нам.",
			"Менің аккаунтымды жойып беріңізші": "Хабарлағаныңызға рақмет.",
		} {
			inScene(t, setup{}, func(s *scene) {
				s.claim(bob, "URGENT", text)
				asked := s.letter("claim", bob)
				s.answer(asked, "No, I did not write that.")
				d := s.letter("not-you", bob)
				s.stand("delete account cancelled")
				subject, _, _ := strings.Cut(asked.Subject(), " [")
				if d.Subject() != "Re: "+subject || d.Header("In-Reply-To") == "" {
					t.Errorf("the subject is %q in answer to %q, want it in the conversation about %q", d.Subject(), d.Header("In-Reply-To"), subject)
				}
				if !strings.Contains(d.Text(), thanks) || strings.Contains(d.Text(), "M-0000") {
					t.Errorf("the letter is\n%s", d.Text())
				}
			})
		}
	})
	t.Run("after a yes", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "bye", "Please delete my account.")
			asked := s.letter("claim", bob)
			s.answer(asked, "Yes")
			s.letter("confirm", bob)
			s.answer(asked, "No, stop that")
			s.letter("cancelled", bob)
			s.stand("delete account cancelled")
		})
	})
}
