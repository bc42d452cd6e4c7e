package daemon_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// signedMail writes a mail whose signature does not cover the Message-ID, as
// those of some providers do not.
func (s *scene) signedMail(from, subject, text string, opts ...mailtest.MailOption) string {
	s.t.Helper()
	raw, err := mailtest.Compose(from, support, subject, text, slicesOf(opts, mailtest.Header("Message-ID", "<1@users.test>"))...)
	if err != nil {
		s.t.Fatal(err)
	}
	var b bytes.Buffer
	err = dkim.Sign(&b, bytes.NewReader(raw), &dkim.SignOptions{Domain: "users.test", Selector: "s", Signer: dkimKey(), Hash: crypto.SHA256,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

func slicesOf(opts []mailtest.MailOption, more ...mailtest.MailOption) []mailtest.MailOption {
	return append(append([]mailtest.MailOption(nil), more...), opts...)
}

// otherID gives a mail under another Message-ID.
func otherID(raw, id string) string {
	return strings.Replace(raw, "<1@users.test>", "<"+id+"@users.test>", 1)
}

// withSignature gives a mail whose b= is written as change has it.
func withSignature(t *testing.T, raw string, change func(b string) string) string {
	t.Helper()
	before, rest, ok := strings.Cut(raw, " b=")
	b, after, ok2 := strings.Cut(rest, ";")
	if !ok || !ok2 {
		b, after, ok2 = strings.Cut(rest, "\r\nMime-Version")
		after = "\r\nMime-Version" + after
	}
	if !ok || !ok2 {
		t.Fatalf("no signature in\n%s", raw)
	}
	return before + " b=" + change(b) + after
}

// proofs are the two ways in which a signature makes a mail aligned: our own
// verification, and the verdict of our border.
func proofs(t *testing.T, f func(t *testing.T, set setup, aligned bool)) {
	t.Run("verified here", func(t *testing.T) {
		_, set := zone(t)
		f(t, set, false)
	})
	t.Run("verified by the border", func(t *testing.T) { f(t, setup{}, true) })
}

// An old signed mail that is sent again does nothing, however what is not
// signed of it was changed.
func TestSignedMailSentAgain(t *testing.T) {
	proofs(t, func(t *testing.T, set setup, aligned bool) {
		inScene(t, set, func(s *scene) {
			raw := s.signedMail(bob, "my data", copyPlease)
			s.deliver(raw, mailtest.Aligned(aligned))
			s.letter("result", bob)
			again := []string{
				otherID(raw, "2"), otherID(raw, "3"), otherID(raw, "4"),
				strings.Replace(raw, "Message-Id: <1@users.test>\r\n", "", 1),
				"X-Other: 1\r\n" + otherID(raw, "5"),
				badSignature + otherID(raw, "6"),
				otherID(withSignature(t, raw, func(b string) string { return " " + b[:20] + "\r\n\t " + b[20:40] + " " + b[40:] }), "7"),
			}
			if aligned { // what only some verifiers overlook
				again = append(again, otherID(withSignature(t, raw, func(b string) string { return b[:10] + "!" + b[10:] }), "8"))
			}
			for i, raw := range again {
				s.passes(time.Minute)
				s.deliver(raw, mailtest.Aligned(aligned))
				m := s.newest()
				if m.State != inbox.MailIgnored || m.Reason != "its signature came before, in M-000001" {
					t.Errorf("%d: it is %s (%s)", i, m.State, m.Reason)
				}
			}
			n := len(s.mails())
			s.deliver(raw, mailtest.Aligned(aligned))
			if got := len(s.mails()); got != n || n != len(again)+1 {
				t.Errorf("there are %d mails, and were %d", got, n)
			}
			s.stand("copy done")
			s.silence(bob)
		})
	})
}

// A stop can be taken back: one that is sent again holds what it is against,
// and the owner is asked, once.
func TestSignedStopSentAgain(t *testing.T) {
	proofs(t, func(t *testing.T, set setup, aligned bool) {
		inScene(t, set, func(s *scene) {
			s.leaving()
			raw := s.signedMail(bob, "please", "Stop!")
			s.deliver(raw, mailtest.Aligned(aligned))
			s.letter("cancelled", bob)
			s.passes(time.Hour)
			s.leaving()
			for i := range 3 {
				s.deliver(otherID(raw, fmt.Sprint(2+i)), mailtest.Aligned(aligned))
			}
			q := s.letter("stop-check", bob)
			s.stand("delete account cancelled", "delete account held")
			s.silence(bob)
			s.answer(q, "Yes")
			s.letter("status", bob)
			s.deliver(otherID(raw, "9"), mailtest.Aligned(aligned))
			s.silence(bob)
			s.passes(2 * coolOff)
			if !s.gone("u-bob") {
				t.Error("the owner let it go on, and it did not")
			}
		})
	})
}

// The same under other fields that nobody signs: a stop cannot be about what was
// asked for after it was written.
func TestSignedStopSentAgainUnderOtherFields(t *testing.T) {
	for name, field := range map[string]string{
		"References": "References: <%d@evil.test>\r\n", "In-Reply-To": "In-Reply-To: <%d@evil.test>\r\n", "our own loop": "X-Loop: support+%d@site.test\r\nIn-Reply-To: <%[1]d@evil.test>\r\n",
	} {
		proofs(t, func(t *testing.T, set setup, aligned bool) {
			t.Run(name, func(t *testing.T) {
				inScene(t, set, func(s *scene) {
					s.leaving()
					raw := s.signedMail(bob, "please", "Stop!")
					s.deliver(raw, mailtest.Aligned(aligned))
					s.letter("cancelled", bob)
					s.passes(time.Hour)
					s.leaving()
					again := func(i int) { s.deliver(fmt.Sprintf(field, i)+raw, mailtest.Aligned(aligned)) }
					again(1)
					again(2)
					if got := s.states()[1]; got != "delete account held" {
						t.Errorf("it stands at %q", got)
					}
					if name == "our own loop" { // nobody is written to, and staff decide, once
						s.silence(bob)
						s.act("release", "A-2")
					} else {
						s.answer(s.letter("stop-check", bob), "Yes")
						s.letter("status", bob)
					}
					again(3)
					if got := s.states()[1]; got != "delete account scheduled" {
						t.Errorf("then it stands at %q", got)
					}
					s.silence(bob)
				})
			})
		})
	}
}

// One mail stays one, whoever delivers it once more.
func TestSignedMailThatComesTwice(t *testing.T) {
	second := "[[mailbox]]\nname = \"privacy\"\naddress = \"privacy@site.test\"\nimap = \"imap+insecure://127.0.0.1:143\"\npassword_file = \"pass\"\n"
	set := setup{more: second, before: func(w *mailtest.World) {
		if err := w.AddUser("privacy@site.test", "secret"); err != nil {
			t.Error(err)
		}
	}}
	inScene(t, set, func(s *scene) {
		raw := s.signedMail(bob, "my data", copyPlease)
		s.deliver(raw, mailtest.Aligned(true))
		if err := s.Deliver("privacy@site.test", []byte(raw), mailtest.Aligned(true)); err != nil {
			t.Fatal(err)
		}
		s.passes(time.Hour)
		s.wantMails(inbox.MailActed)
		// A list adds a footer and says that it is one; a gateway adds its notice and does not.
		s.deliver("List-Id: <staff.site.test>\r\n"+raw+"_____\r\nstaff@site.test\r\n", mailtest.Aligned(true))
		s.deliver(raw+"This mail was checked for viruses.\r\n", mailtest.Aligned(true))
		s.wantMails(inbox.MailActed, inbox.MailIgnored, inbox.MailIgnored)
		if m := s.newest(); m.Reason != "its signature came before, in M-000001" {
			t.Errorf("the reason is %q", m.Reason)
		}
		s.letter("result", bob)
		s.silence(bob)
	})
}

// Nobody can use up the signature of a mail that they got a copy of.
func TestSignatureOfAnother(t *testing.T) {
	for name, first := range map[string]func(s *scene, signature string){
		"by another of the same provider": func(s *scene, signature string) {
			s.deliver(signature+"From: alice@users.test\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <a@users.test>\r\nSubject: hello\r\n\r\nThank you.\r\n", mailtest.Aligned(true))
		},
		"by nobody who is believed": func(s *scene, signature string) {
			s.deliver(signature + "From: bob@users.test\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <a@users.test>\r\nSubject: hello\r\n\r\nThank you.\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				raw := s.signedMail(bob, "my data", copyPlease)
				signature, _, _ := strings.Cut(raw, "Mime-Version")
				if !strings.HasPrefix(signature, "DKIM-Signature: ") {
					t.Fatalf("the mail begins with %q", signature)
				}
				first(s, signature)
				s.deliver(raw, mailtest.Aligned(true))
				if m := s.newest(); m.State != inbox.MailActed {
					t.Errorf("his mail is %s (%s)", m.State, m.Reason)
				}
			})
		})
	}
	t.Run("behind many that are none", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			raw := s.signedMail(bob, "my data", copyPlease)
			for i := range 4 {
				var many strings.Builder
				for j := range 5 {
					b := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d %d", i, j))
					many.WriteString(strings.Replace(badSignature, "b=AAAA", "b="+b, 1))
				}
				s.deliver(many.String()+otherID(raw, fmt.Sprint(i)), mailtest.Aligned(true))
			}
			s.letter("claim", bob)
			if got := s.states(); got[0] != "copy unconfirmed" {
				t.Errorf("the actions stand at %q", got)
			}
			for _, d := range s.lettersTo(bob) {
				if got := s.d.Letter(d.MessageID()); got != "claim" {
					t.Errorf("a letter is %q", got)
				}
			}
		})
	})
}
