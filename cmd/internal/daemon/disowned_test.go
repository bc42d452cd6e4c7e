package daemon_test

import (
	"cmp"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// phonePlease asks for what is done at once when it is confirmed.
const phonePlease = "Please remove my phone number."

// disowned delivers an answer to a letter, From the address that got it, of
// which the border says what verdict has. Odd lines of the sender's own may
// stand in its header.
func (s *scene) disowned(q mailtest.Delivery, text, verdict, odd string, opts ...mailtest.MailOption) {
	s.t.Helper()
	raw, err := mailtest.Compose(q.To, support, "Re: "+q.Subject(), text, opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.deliver("Authentication-Results: mx.site.test; dmarc=" + verdict + "\r\n" + odd + string(raw))
}

// A token may leak: a reply to all, a forwarded question, an archive. Where our
// own border says that a mail is not from the address in its From, the token
// proves nothing, and whoever it was sent to can still use it.
func TestTokenInADisownedMail(t *testing.T) {
	const fails = "fail header.from=users.test"
	for _, c := range []struct {
		name, verdict, odd string
		why                string // it is held; "": what our server says
		opts               func(q mailtest.Delivery) []mailtest.MailOption
	}{
		{name: "in the subject", verdict: fails},
		{name: "by reference, under another subject", verdict: fails, opts: func(q mailtest.Delivery) []mailtest.MailOption {
			return []mailtest.MailOption{mailtest.InReplyTo(q), mailtest.Header("Subject", "hello")}
		}},
		{name: "both", verdict: fails, opts: func(q mailtest.Delivery) []mailtest.MailOption { return []mailtest.MailOption{mailtest.InReplyTo(q)} }},
		{name: "it passes for another domain", verdict: "pass header.from=evil.test"},
		{name: "a line that parsers read apart", verdict: fails, odd: "X-Odd : 1\r\n"},
		{name: "a header that stands twice", verdict: fails, odd: "MIME-Version: 1.0\r\n", why: "two MIME-Version lines"},
		{name: "a bare NUL", verdict: fails, odd: "X-Odd: \x00\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "phone", phonePlease)
				q := s.letter("confirm", bob)
				var opts []mailtest.MailOption
				if c.opts != nil {
					opts = c.opts(q)
				}
				s.disowned(q, "Yes", c.verdict, c.odd, opts...)
				m := s.newest()
				if m.State != inbox.MailHeld || !strings.Contains(m.Reason, cmp.Or(c.why, "our own server")) {
					t.Errorf("the mail is %s (%s)", m.State, m.Reason)
				}
				if got := s.states()[0]; got != "delete fields unconfirmed" {
					t.Fatalf("it stands at %q", got)
				}
				s.silence(bob)
				s.answer(q, "Yes")
				s.letter("result", bob)
				if got := s.states()[0]; got != "delete fields done" {
					t.Errorf("after the owner's own yes it stands at %q", got)
				}
			})
		})
	}
	for _, c := range []struct{ name, verdict string }{
		{"nothing is known of it", "none header.from=users.test"},
		{"the record of the domain is broken", "permerror header.from=users.test"},
		{"the border cannot tell", "temperror header.from=users.test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "phone", phonePlease)
				s.disowned(s.letter("confirm", bob), "Yes", c.verdict, "")
				s.letter("result", bob)
				s.stand("delete fields done")
			})
		})
	}
	t.Run("who wrote is asked, and a stranger says that it was they", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.claim(bob, "bye", deletePlease)
			s.disowned(s.letter("claim", bob), "Yes, it was me", fails, "")
			if got := s.states()[0]; got != "delete account unconfirmed" {
				t.Errorf("it stands at %q", got)
			}
			s.silence(bob)
		})
	})
}

// absence gives a setup whose user store does not answer while away is set.
func absence() (away *atomic.Bool, set setup) {
	away = new(atomic.Bool)
	find := finding(func(string) error {
		if away.Load() {
			return inbox.Temporary(errors.New("the database is away"))
		}
		return nil
	})
	return away, setup{opt: daemon.Options{Find: find}}
}

// A stop of a disowned mail can be taken back, so it is heeded as one without
// any proof: what it is against waits, and the owner is asked.
func TestStopInADisownedMail(t *testing.T) {
	for _, text := range []string{"Stop!", "No", "Please do not delete my account.", "Can I still stop this?"} {
		t.Run(text, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.disowned(s.leaving(), text, "fail header.from=users.test", "")
				q := s.letter("stop-check", bob)
				if got := s.states()[0]; got != "delete account held" {
					t.Errorf("it stands at %q", got)
				}
				want := inbox.MailAsked
				if strings.HasSuffix(text, "?") {
					want = inbox.MailHeld // staff see words that are not plain
				}
				if m := s.newest(); m.State != want {
					t.Errorf("the mail is %s (%s)", m.State, m.Reason)
				}
				s.passes(2 * coolOff)
				s.stays("u-bob")
				s.answer(q, "Yes")
				s.letter("status", bob)
				s.passes(2 * coolOff)
				if !s.gone("u-bob") {
					t.Error("the owner let it go on, and it did not")
				}
			})
		})
	}
	t.Run("while the user store is away", func(t *testing.T) {
		away, set := absence()
		inScene(t, set, func(s *scene) {
			d := s.leaving()
			away.Store(true)
			s.disowned(d, "Stop!", "fail header.from=users.test", "")
			s.letter("stop-check", bob)
			s.stand("delete account held")
			away.Store(false)
			s.passes(time.Hour)
			if got := s.states()[0]; got != "delete account held" {
				t.Errorf("it stands at %q", got)
			}
			s.silence(bob)
		})
	})
	t.Run("there is nothing to stop", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "phone", phonePlease)
			q := s.letter("confirm", bob)
			s.disowned(q, "No", "fail header.from=users.test", "")
			if m := s.newest(); m.State != inbox.MailHeld {
				t.Errorf("the mail is %s (%s)", m.State, m.Reason)
			}
			s.silence(bob)
			s.answer(q, "Yes")
			s.letter("result", bob)
		})
	})
}
