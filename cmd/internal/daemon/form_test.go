package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/policy"
)

// forms is a configuration with a form that sends as noreply@site.test, and
// one that sends as the mailbox itself, with the person in a line.
const forms = `poll = "1m"
[[mailbox.form]]
from = "noreply@site.test"
body = ["Message"]
[[mailbox.form]]
from = "support@site.test"
person = "line"
label = ["E-mail"]
body = ["Message"]
`

func withForms() setup { return setup{replace: []string{`poll = "1m"`, forms}} }

// fill has somebody fill in the form, as the mail program of a site sends it.
// The border vouches for the site's own domain.
func (s *scene) fill(person, text string, opts ...mailtest.MailOption) {
	s.takes("Site <noreply@site.test>", "New entry of the form", "Name: Somebody\nMessage: "+text+"\n\n-- \nSent by the site.",
		append([]mailtest.MailOption{mailtest.Aligned(true), mailtest.Header("Reply-To", person), mailtest.Header("Auto-Submitted", "auto-generated"),
			mailtest.Header("Precedence", "bulk"), mailtest.Envelope("")}, opts...)...)
}

// TestFormIsAClaim: whoever fills in the form is asked at the address they
// gave, and their yes there opens what a mail of theirs would have.
func TestFormIsAClaim(t *testing.T) {
	inScene(t, withForms(), func(s *scene) {
		s.fill("Bob <"+bob+">", deletePlease)
		if a := s.actions()[0]; s.newest().State != inbox.MailAsked || a.Evidence != inbox.LevelNone {
			t.Errorf("the mail is %s (%s), its action at %s", s.newest().State, s.newest().Reason, a.Evidence)
		}
		s.stand("delete account unconfirmed")
		s.answer(s.letter("claim", bob), "Yes")
		s.answer(s.letter("confirm", bob), "Yes")
		s.letter("scheduled", bob)
		s.passes(coolOff)
		s.letter("result", bob)
		s.silence(bob, staff, "noreply@site.test", support)
	})
}

// TestFormNamesAnother: somebody who writes another's address into the form
// learns nothing and does nothing; the letter is the same for everybody.
func TestFormNamesAnother(t *testing.T) {
	const stranger = "nobody@users.test"
	inScene(t, withForms(), func(s *scene) {
		s.fill(bob, copyPlease)
		s.fill(stranger, copyPlease)
		known, unknown := s.letter("claim", bob), s.letter("claim", stranger)
		if known.Text() != unknown.Text() || policy.StripTags(known.Subject()) != policy.StripTags(unknown.Subject()) {
			t.Errorf("with an account:\n%s\nwithout:\n%s", known.Text(), unknown.Text())
		}
		s.answer(known, "No")
		s.letter("not-you", bob)
		for range 5 { // nobody is flooded through the form
			s.fill(stranger, deletePlease)
		}
		if n := len(s.lettersTo(stranger)); n > 2 {
			t.Errorf("%d letters went to an address that proved nothing", n)
		}
		s.passes(coolOff)
		s.stays("u-bob")
	})
}

// TestFormWithAToken: a token that was typed into the form is no proof, and is
// not used up.
func TestFormWithAToken(t *testing.T) {
	inScene(t, withForms(), func(s *scene) {
		s.write(bob, "bye", deletePlease)
		q := s.letter("confirm", bob)
		s.fill(bob, "Yes", mailtest.InReplyTo(q), mailtest.Header("Subject", "Re: "+q.Subject()))
		s.passes(time.Hour)
		s.stand("delete account unconfirmed")
		if a := s.actions()[0]; a.Evidence == inbox.LevelRoundtrip {
			t.Error("the token proved who filled in the form")
		}
		s.answer(q, "Yes")
		s.stand("delete account scheduled")
	})
}

// TestFormStop: "stop" by the form holds what runs, and the owner is asked.
func TestFormStop(t *testing.T) {
	inScene(t, withForms(), func(s *scene) {
		s.leaving()
		s.fill(bob, "stop")
		s.letter("stop-check", bob)
		s.stand("delete account held")
		s.passes(2 * coolOff)
		s.stays("u-bob")
	})
}

// TestFormDuplicates: mails of the form have their sender and perhaps their
// words and second in common, and are two people's all the same.
func TestFormDuplicates(t *testing.T) {
	const mail = "From: noreply@site.test\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nReply-To: %\r\nSubject: form\r\n\r\nMessage: " + copyPlease + "\r\n"
	inScene(t, withForms(), func(s *scene) {
		for _, who := range []string{bob, "alice@users.test", bob} {
			s.deliver(strings.ReplaceAll(mail, "%", who), mailtest.Aligned(true))
		}
		s.letter("claim", bob)
		s.letter("claim", "alice@users.test")
		s.wantMails(inbox.MailAsked, inbox.MailAsked)
		s.silence(bob, "alice@users.test")
	})
}

// TestFormInOurName: a form that sends as the mailbox itself is no loop, and
// our own letters are still ours.
func TestFormInOurName(t *testing.T) {
	inScene(t, withForms(), func(s *scene) {
		s.takes(support, "form", "E-mail: "+bob+"\nMessage: "+copyPlease, mailtest.Aligned(true))
		d := s.letter("claim", bob)
		s.deliver(string(d.Bytes), mailtest.Aligned(true))
		if m := s.newest(); m.State != inbox.MailIgnored || !strings.HasPrefix(m.Reason, "loop") {
			t.Errorf("our own letter is %s (%s)", m.State, m.Reason)
		}
		s.takes(support, "form", "nothing that the form writes", mailtest.Aligned(true))
		if m := s.newest(); m.State != inbox.MailHeld || !strings.Contains(m.Reason, "no line of the person's address") {
			t.Errorf("a mail without a person is %s (%s)", m.State, m.Reason)
		}
		s.silence(bob)
	})
}

// TestFormsThatNameNobody are for staff, and nobody is written to.
func TestFormsThatNameNobody(t *testing.T) {
	for name, person := range map[string]string{
		"nobody": "", "two": bob + ", alice@users.test", "a name like an address": `"bob@users.test" <evil@evil.test>`, "itself": "noreply@site.test",
		"our own mailbox": "support+a@site.test", "a colleague": "anna@site.test",
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, withForms(), func(s *scene) {
				s.fill(person, deletePlease)
				if m := s.newest(); m.State != inbox.MailHeld {
					t.Errorf("it is %s (%s)", m.State, m.Reason)
				}
				s.silence(bob, "alice@users.test", "evil@evil.test", "noreply@site.test", "anna@site.test", support)
			})
		})
	}
}

// TestFormPretended: a mail that anybody sends in the form's name is the claim
// that the form itself would be.
func TestFormPretended(t *testing.T) {
	inScene(t, withForms(), func(s *scene) {
		s.fill(bob, deletePlease, mailtest.Aligned(false), mailtest.Envelope("mallory@evil.test"))
		s.letter("claim", bob)
		s.stand("delete account unconfirmed")
		s.silence(bob, "mallory@evil.test")
	})
}

// TestClassifyForms: what "classify" shows of the mails of known forms.
func TestClassifyForms(t *testing.T) {
	const folder = "../../../inbox/parse/testdata/forms"
	cfg := site(t, t.TempDir(), "", `poll = "1m"`, `poll = "1m"
[[mailbox.form]]
from = "wordpress@site.test"
body = ["Message Body"]
[[mailbox.form]]
from = "noreply@site.test"
person = "line"
label = ["E-mail"]
body = ["Comment or Message", "Сообщение"]
end = ["Sent from"]
[[mailbox.form]]
from = "noreply@tilda.test"
person = "line"
label = ["Email"]
body = ["Textarea"]
end = ["Additional information"]
[[mailbox.form]]
from = "webmaster@site.test"
`)
	r, err := daemon.NewReader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]struct{ from, request string }{
		"contact-form-7.eml": {"ann@users.test", "delete account"}, "wpforms-html.eml": {bob, "change"}, "php-mail.eml": {"dmitry@users.test", "delete account"},
		"tilda.eml": {"aigul@users.test", "delete account"}, "django.eml": {"joel@users.test", "delete account"},
	} {
		raw, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		got := r.Read(t.Context(), file, raw)
		if got.From != want.from || got.Screened != "" || got.Evidence.Level != inbox.LevelNone || !strings.Contains(got.Evidence.Why, "by the site's contact form") {
			t.Errorf("%s is read as from %s, screened %q (%s), %s (%s)", file, got.From, got.Screened, got.Why, got.Evidence.Level, got.Evidence.Why)
		}
		if len(got.Requests) != 1 || strings.TrimSpace(string(got.Requests[0].Kind)+" "+string(got.Requests[0].Scope)) != want.request || !got.Requests[0].Certain {
			t.Errorf("%s asks for %+v", file, got.Requests)
		}
	}
}
