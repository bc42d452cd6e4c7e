package daemon_test

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// plusSetup is a site whose server delivers addresses with a detail.
func plusSetup() setup {
	return setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\naliases = [\"privacy@site.test\"]\nplus = true"}}
}

// plus gives the address that a letter asks to be answered at; "" when it asks
// for nothing else than From.
func (s *scene) plus(d mailtest.Delivery) string {
	s.t.Helper()
	if from := d.Header("From"); !strings.HasSuffix(from, "<support@site.test>") {
		s.t.Errorf("a letter is from %s", from)
	}
	_, addr, _ := strings.Cut(strings.TrimSuffix(d.Header("Reply-To"), ">"), "<")
	return addr
}

// toPlus has somebody answer in a new mail, of which only where it goes says
// what it is about.
func (s *scene) toPlus(from, to, text string, opts ...mailtest.MailOption) {
	s.t.Helper()
	s.claim(from, "hello", text, append([]mailtest.MailOption{mailtest.Header("To", to)}, opts...)...)
}

// A question is answered at an address that has its token, whatever becomes of
// subject and references.
func TestPlusAddress(t *testing.T) {
	header := mailtest.Header
	for _, c := range []struct {
		name string
		send func(s *scene, at string)
		want string
	}{
		{"in To", func(s *scene, at string) { s.toPlus(bob, at, "Yes") }, "done"},
		{"in To beside others", func(s *scene, at string) { s.toPlus(bob, "Anna <anna@else.test>, Site <"+at+">", "Yes") }, "done"},
		{"in Cc", func(s *scene, at string) { s.toPlus(bob, "anna@else.test", "Yes", header("Cc", at)) }, "done"},
		{"in Delivered-To", func(s *scene, at string) {
			s.toPlus(bob, "undisclosed-recipients:;", "Yes", header("Delivered-To", at))
		}, "done"},
		{"in X-Original-To", func(s *scene, at string) { s.toPlus(bob, support, "Yes", header("X-Original-To", at)) }, "done"},
		{"in capitals", func(s *scene, at string) { s.toPlus(bob, strings.ToUpper(at), "Yes") }, "done"},
		{"at our alias", func(s *scene, at string) { s.toPlus(bob, strings.Replace(at, "support", "privacy", 1), "Yes") }, "done"},
		{"with a plain reply", func(s *scene, _ string) {
			s.Reply(s.lettersTo(bob)[0], bob, "Yes", mailtest.Aligned(false), header("Subject", "Re:"), header("In-Reply-To", ""), header("References", ""))
			s.passes(0)
		}, "done"},
		{"a no", func(s *scene, at string) { s.toPlus(bob, at, "No") }, "cancelled"},

		{"at another site", func(s *scene, at string) { s.toPlus(bob, strings.Replace(at, "site.test", "evil.test", 1), "Yes") }, "unconfirmed"},
		{"at another mailbox", func(s *scene, at string) { s.toPlus(bob, strings.Replace(at, "support", "sales", 1), "Yes") }, "unconfirmed"},
		{"with another token", func(s *scene, at string) { s.toPlus(bob, "support+"+strings.Repeat("a", 26)+"@site.test", "Yes") }, "unconfirmed"},
		{"from somebody else", func(s *scene, at string) { s.toPlus("mallory@evil.test", at, "Yes", mailtest.Aligned(true)) }, "unconfirmed"},
		{"by a robot", func(s *scene, at string) { s.toPlus(bob, at, "Yes", header("Auto-Submitted", "auto-replied")) }, "unconfirmed"},
		{"from his address, by somebody else", func(s *scene, at string) {
			raw, err := mailtest.Compose(bob, at, "hello", "Yes")
			if err != nil {
				s.t.Fatal(err)
			}
			s.deliver("Authentication-Results: mx.site.test; dmarc=fail header.from=users.test\r\n" + string(raw))
			if m := s.newest(); m.State != inbox.MailHeld || !strings.Contains(m.Reason, "our own server") {
				s.t.Errorf("the mail is %s (%s)", m.State, m.Reason)
			}
		}, "unconfirmed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, plusSetup(), func(s *scene) {
				s.write(bob, "phone", phonePlease)
				q := s.letter("confirm", bob)
				at := s.plus(q)
				c.send(s, at)
				if got := s.states()[0]; got != "delete fields "+c.want {
					m := s.newest()
					t.Fatalf("it stands at %q; the mail is %s (%s)", got, m.State, m.Reason)
				}
				if c.want == "unconfirmed" { // the token is still good
					s.toPlus(bob, at, "Yes")
					if got := s.states()[0]; got != "delete fields done" {
						t.Errorf("after the owner's own yes it stands at %q", got)
					}
				}
			})
		})
	}
}

// A token counts once, whichever way it comes back.
func TestPlusAddressCountsOnce(t *testing.T) {
	inScene(t, plusSetup(), func(s *scene) {
		s.write(bob, "phone", phonePlease)
		q := s.letter("confirm", bob)
		s.toPlus(bob, s.plus(q), "Yes")
		s.letter("result", bob)
		s.toPlus(bob, s.plus(q), "Yes")
		s.answer(q, "Yes")
		s.letter("status", bob)
		s.letter("status", bob)
		s.stand("delete fields done")
		s.silence(bob)
	})
}

// Only letters that can be answered with a token name such an address.
func TestPlusAddressOfEachLetter(t *testing.T) {
	inScene(t, plusSetup(), func(s *scene) {
		s.claim(bob, "bye", deletePlease)
		claim := s.letter("claim", bob)
		s.answer(claim, "Yes")
		confirm := s.letter("confirm", bob)
		s.answer(confirm, "Yes")
		notice := s.letter("scheduled", bob)
		seen := map[string]bool{}
		for _, d := range []mailtest.Delivery{claim, confirm, notice} {
			at := s.plus(d)
			token, _, _ := strings.Cut(strings.TrimPrefix(at, "support+"), "@")
			if len(token) != 26 || seen[token] || !strings.Contains(strings.ToLower(d.Subject()), "[#"+token+"]") {
				t.Errorf("%q asks for an answer at %q", d.Subject(), at)
			}
			seen[token] = true
		}
		s.toPlus(bob, s.plus(notice), "Stop!")
		if at := s.plus(s.letter("cancelled", bob)); at != "" {
			t.Errorf("a letter that asks nothing names %q", at)
		}
		s.stand("delete account cancelled")
	})
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "phone", phonePlease)
		if at := s.plus(s.letter("confirm", bob)); at != "" {
			t.Errorf("where no detail is delivered a letter names %q", at)
		}
		s.toPlus(bob, "support+"+strings.Repeat("a", 26)+"@site.test", "How are you?")
	})
}
