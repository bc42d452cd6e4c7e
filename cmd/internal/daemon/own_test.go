package daemon_test

import (
	"regexp"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// TestOurMailComesBack: a letter of ours that a server sends back is ignored,
// also where the server has given it another Message-ID and another sender.
func TestOurMailComesBack(t *testing.T) {
	id := regexp.MustCompile(`(?m)^Message-ID: .*\r?$`)
	from := regexp.MustCompile(`(?m)^From: .*\r?$`)
	for name, change := range map[string]func(string) string{
		"as it was":          func(s string) string { return s },
		"another Message-ID": func(s string) string { return id.ReplaceAllString(s, "Message-ID: <0102@relay.test>\r") },
		"without Message-ID": func(s string) string { return id.ReplaceAllString(s, "X-Was: gone\r") },
		"another sender, too": func(s string) string {
			return from.ReplaceAllString(id.ReplaceAllString(s, "X-Was: gone\r"), "From: relay@relay.test\r")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "my data", copyPlease)
				raw := change(string(s.letter("result", bob).Bytes))
				s.deliver(strings.Replace(raw, "Auto-Submitted: auto-replied", "X-Robot: no", 1), mailtest.Aligned(false))
				if m := s.newest(); m.State != inbox.MailIgnored || !strings.HasPrefix(m.Reason, "loop") {
					t.Errorf("it is %s (%s)", m.State, m.Reason)
				}
				s.silence(bob, support, staff, "relay@relay.test")
			})
		})
	}
}

// TestMarkOfStrangers: nobody can make us overlook a mail by writing a mark like
// ours into it.
func TestMarkOfStrangers(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		for _, mark := range []string{"<made-up@site.test>", "site.test", ""} {
			s.write(bob, "my data", copyPlease, mailtest.Header("X-Supportd-Loop", mark))
			s.letter("result", bob)
		}
	})
}

// TestOwnHouse: whoever writes from one of our own addresses or domains is for
// staff, whatever vouches for them; nobody is answered.
func TestOwnHouse(t *testing.T) {
	for _, from := range []string{support, "Support+x@site.test", "anna@site.test", "anna@other.test", "noreply@site.test"} {
		t.Run(from, func(t *testing.T) {
			set := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\naliases = [\"help@other.test\"]"}}
			inScene(t, set, func(s *scene) {
				s.write(from, "bye", deletePlease)
				if m := s.newest(); m.State != inbox.MailHeld || !strings.Contains(m.Reason, "it comes from one of our own") {
					t.Errorf("it is %s (%s)", m.State, m.Reason)
				}
				s.silence(from, staff)
			})
		})
	}
}

// TestSpamByHeader: of what the server has marked, by a form, too, nobody is
// written to, and staff see the requests; what it has not marked is a person's,
// and does not wait for what was.
func TestSpamByHeader(t *testing.T) {
	set := withForms()
	set.more = "[screen]\nspam_header = \"X-Spam: Yes\"\n"
	inScene(t, set, func(s *scene) {
		s.write(bob, "my data", copyPlease, mailtest.Header("X-Spam", "Yes"))
		s.fill("alice@users.test", copyPlease, mailtest.Header("X-Spam", "Yes"))
		s.write(bob, "watches", "Cheap watches, buy now!", mailtest.Header("X-Spam", "Yes"))
		s.wantMails(inbox.MailHeld, inbox.MailHeld, inbox.MailIgnored)
		s.stand("copy review", "copy review")
		s.silence(bob, "alice@users.test", staff)
		s.write(bob, "my data", copyPlease, mailtest.Header("X-Spam", "No"))
		s.letter("result", bob)
	})
}
