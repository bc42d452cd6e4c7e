package daemon_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

// spamHeader is a site whose server marks spam.
func spamHeader() setup { return setup{more: "\n[screen]\nspam_header = \"X-Spam: Yes\"\n"} }

// marked gives a mail with lines above it that somebody on the way has added.
func marked(lines ...string) string { return strings.Join(append(lines, stopMail), "\r\n") }

// heldBack fails unless the delete is held, staff know, and nobody was written
// to; the stop that comes after it by the plain way is heeded as ever.
func (s *scene) heldBack(says string) {
	s.t.Helper()
	if got := s.states()[0]; got != "delete account held" {
		m := s.newest()
		s.t.Fatalf("it stands at %q; the mail is %s (%s)", got, m.State, m.Reason)
	}
	s.notice(says)
	if m := s.newest(); m.State != inbox.MailHeld {
		s.t.Errorf("the mail is %s (%s)", m.State, m.Reason)
	}
	s.silence(bob)
	s.passes(2 * coolOff)
	s.stays("u-bob")
	s.silence(bob)
}

// Whoever forwards a mail can add a mark by which nobody may be answered. A
// proved stop holds all the same, and staff decide.
func TestProvedStopUnderAMark(t *testing.T) {
	for _, c := range []struct {
		name, mark, says string
		set              setup
	}{
		{"of our own loop", "X-Loop: support@site.test", "one of our own mailboxes", setup{}},
		{"of spam", "X-Spam: Yes", "marked it as spam", spamHeader()},
		{"of an automatic answer", "Auto-Submitted: auto-replied", "auto-reply", setup{}},
		{"of bulk mail", "Precedence: bulk", "bulk", setup{}},
		{"of a failure report", "X-Failed-Recipients: x@users.test", "bounce", setup{}},
		{"of a list", "List-Id: <all.users.test>", "list", setup{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, c.set, func(s *scene) {
				s.leaving()
				s.deliver(marked(c.mark), mailtest.Aligned(true))
				s.heldBack(c.says)
				s.act("release", "A-1")
				s.passes(coolOff)
				s.letter("result", bob)
			})
		})
		t.Run(c.name+", and the mail itself behind it", func(t *testing.T) {
			inScene(t, c.set, func(s *scene) {
				s.leaving()
				s.deliver(marked(c.mark), mailtest.Aligned(true))
				s.deliver(stopMail, mailtest.Aligned(true))
				s.letter("cancelled", bob)
				if got := s.states()[0]; got != "delete account cancelled" {
					t.Errorf("it stands at %q", got)
				}
			})
		})
	}
	t.Run("by its signature, once DNS answers", func(t *testing.T) {
		d, set := zone(t)
		inScene(t, set, func(s *scene) {
			s.leaving()
			raw := "X-Loop: support@site.test\r\n" + s.signedMail(bob, "please", "Stop!")
			d.Fail(usersKey, mailtest.ErrServFail)
			s.deliver(raw, mailtest.Aligned(false))
			d.Fail(usersKey, nil)
			s.passes(time.Hour)
			s.heldBack("one of our own mailboxes")
		})
	})
}

// A stop that is read together with the yes which it takes back holds, too, when
// it has a mark: that somebody has something to stop is known only once the yes is
// accounted for, whether they are of one batch or of two.
func TestStopUnderAMarkThatComesWithTheYes(t *testing.T) {
	for _, between := range []int{0, 70} {
		t.Run(fmt.Sprint(between), func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.write(bob, "bye", deletePlease)
				q := s.letter("confirm", bob)
				s.stop()
				s.Reply(q, bob, "Yes", mailtest.Aligned(false))
				for n := range between {
					s.deliver(fmt.Sprintf("From: news%d@news.test\r\nTo: support@site.test\r\nPrecedence: bulk\r\nMessage-ID: <%d@news.test>\r\nSubject: News\r\n\r\nNews %d\r\n", n, n, n))
				}
				s.deliver(marked("Precedence: bulk"), mailtest.Aligned(true))
				s.reopen()
				s.start()
				s.letter("scheduled", bob)
				s.passes(10 * time.Minute)
				s.heldBack("bulk")
			})
		})
	}
}

// What a machine says that is no plain stop holds nothing, and neither does what
// nobody vouches for.
func TestNoStopUnderAMark(t *testing.T) {
	for _, c := range []struct {
		name, mark, text string
		aligned          bool
		set              setup
	}{
		{name: "an absence", mark: "Auto-Submitted: auto-replied", text: "I am away until Monday, please wait.", aligned: true},
		{name: "a question", mark: "Auto-Submitted: auto-replied", text: "Can I still stop this?", aligned: true},
		{name: "an automatic answer without proof", mark: "Auto-Submitted: auto-replied", text: "Stop!"},
		{name: "a list without proof", mark: "List-Id: <all.users.test>", text: "Stop!"},
		{name: "spam without proof", mark: "X-Spam: Yes", text: "Stop!", set: spamHeader()},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, c.set, func(s *scene) {
				s.leaving()
				s.deliver(strings.Replace(marked(c.mark), "Stop!", c.text, 1), mailtest.Aligned(c.aligned))
				if got := s.states()[0]; got != "delete account scheduled" {
					t.Errorf("it stands at %q", got)
				}
				s.silence(bob, staff)
			})
		})
	}
}

// Without proof a stop from our own house holds, too, and nobody is written to;
// the owner's own word without proof asks them, also when it comes second.
func TestUnprovedStopFromOurOwnHouse(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.leaving()
		s.deliver(marked("X-Loop: support@site.test"))
		s.heldBack("one of our own mailboxes")
		s.deliver(stopMail)
		q := s.letter("stop-check", bob)
		s.deliver(strings.Replace(marked("X-Loop: support@site.test"), "stop@", "again@", 1))
		s.deliver(strings.Replace(stopMail, "stop@", "more@", 1))
		s.silence(bob)
		s.answer(q, "Yes")
		s.letter("status", bob)
		s.deliver(strings.Replace(marked("X-Loop: support@site.test"), "stop@", "third@", 1))
		if got := s.states()[0]; got != "delete account scheduled" {
			t.Errorf("the owner let it go on, and it stands at %q", got)
		}
		s.passes(2 * coolOff)
		if !s.gone("u-bob") {
			t.Error("the owner let it go on, and it did not")
		}
	})
}

// Without proof our own house holds a thing once: what staff let go on is not
// held anew by the next, and the owner is still asked about their own word.
func TestUnprovedStopsFromOurOwnHouse(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.leaving()
		s.deliver(marked("X-Loop: support@site.test"))
		s.notice("one of our own mailboxes")
		s.act("release", "A-1")
		for i := range 3 {
			s.deliver(strings.Replace(marked("X-Loop: support@site.test"), "stop@", fmt.Sprintf("%d@", i), 1))
		}
		if got := s.states()[0]; got != "delete account scheduled" {
			t.Errorf("staff let it go on, and it stands at %q", got)
		}
		s.silence(bob, staff)
		s.deliver(stopMail)
		s.letter("stop-check", bob)
	})
}

// Somebody of our own domain has an account, too: what staff have approved for
// them they can stop.
func TestStopByAColleague(t *testing.T) {
	inScene(t, setup{more: "\n[screen]\nown_domains = [\"users.test\"]\n"}, func(s *scene) {
		s.write(bob, "bye", deletePlease)
		s.acts(control.Call{Verb: "approve", ID: "A-1", Reason: "she came to the desk"})
		s.letter("scheduled", bob)
		s.deliver(stopMail, mailtest.Aligned(true))
		s.heldBack("one of our own domains")
	})
}

// A form is a machine: what its mail program sets says nothing of the person.
func TestStopByAFormThatLoops(t *testing.T) {
	inScene(t, withForms(), func(s *scene) {
		s.leaving()
		s.fill(bob, "Stop!", mailtest.Header("X-Loop", support))
		s.letter("stop-check", bob)
		s.stand("delete account held")
	})
}

// What the server takes for junk may be moved out of there, or lie there as a
// copy that somebody else has sent: the mail itself is taken like any other.
func TestMailBehindJunk(t *testing.T) {
	for _, text := range []string{"Stop!", "No", "Please do not delete my account"} {
		for _, aligned := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, aligned %t", text, aligned), func(t *testing.T) {
				inSpamScene(t, setup{}, func(s *scene) {
					s.leaving()
					raw := strings.Replace(stopMail, "Stop!", text, 1)
					imap(s.place, support, func(c *client) { c.append("Spam", raw) })
					s.passes(20 * time.Minute)
					s.deliver(raw, mailtest.Aligned(aligned))
					if aligned {
						s.letter("cancelled", bob)
					} else {
						s.letter("stop-check", bob)
					}
					s.passes(2 * coolOff)
					s.stays("u-bob")
					s.stopsWaiting()
				})
			})
		}
	}
	request := strings.NewReplacer("Stop!", copyPlease, "stop@", "copy@").Replace(stopMail)
	const vouched = "Authentication-Results: mx.site.test; dmarc=pass header.from=users.test; spf=pass smtp.mailfrom=users.test\r\n"
	t.Run("a request that is moved", func(t *testing.T) {
		inSpamScene(t, setup{}, func(s *scene) {
			imap(s.place, support, func(c *client) { c.append("Spam", vouched+request) })
			s.passes(20 * time.Minute)
			s.stand("copy review")
			imap(s.place, support, func(c *client) {
				c.must("SELECT Spam")
				c.must("UID MOVE 1 INBOX")
			})
			s.passes(20 * time.Minute)
			s.letter("result", bob)
			s.stand("copy cancelled", "copy done")
			s.wantMails(inbox.MailActed)
			s.silence(bob)
			s.stop()
			if err := s.d.Close(); err != nil {
				t.Fatal(err)
			}
			for _, c := range daemon.CheckDeep(s.cfg) {
				if c.Err != nil {
					t.Errorf("%s: %v", c.Name, c.Err)
				}
			}
			s.open()
			s.start()
		})
	})
	t.Run("a request that staff have decided about", func(t *testing.T) {
		inSpamScene(t, setup{}, func(s *scene) {
			imap(s.place, support, func(c *client) { c.append("Spam", vouched+request) })
			s.passes(20 * time.Minute)
			s.act("approve", "A-1")
			s.letter("claim", bob)
			s.deliver(request, mailtest.Aligned(true))
			s.wantMails(inbox.MailHeld, inbox.MailHeld)
			s.stand("copy unconfirmed", "copy review")
			s.silence(bob)
		})
	})
	t.Run("a copy with less proof", func(t *testing.T) {
		inSpamScene(t, setup{}, func(s *scene) {
			imap(s.place, support, func(c *client) { c.append("Spam", vouched+request) })
			s.passes(20 * time.Minute)
			s.deliver(request)
			s.wantMails(inbox.MailHeld, inbox.MailHeld)
			s.silence(bob)
		})
	})
}

// stopsWaiting fails when a question about a stop waits for staff that was
// answered already.
func (s *scene) stopsWaiting() {
	s.t.Helper()
	for _, a := range s.actions() {
		if a.State == inbox.StateReview {
			s.t.Errorf("%s waits for staff", a.ID)
		}
	}
}

// A stop in a mail that carries the token of somebody else's question is the
// sender's all the same.
func TestStopBesideAnothersToken(t *testing.T) {
	t.Run("the old address, in the thread of the new one", func(t *testing.T) {
		inScene(t, setup{}, func(s *scene) {
			s.write(bob, "change", "Please change my e-mail to bobby@else.test")
			s.answer(s.letter("confirm", bob), "Yes")
			s.letter("asked-new", bob)
			q := s.letter("confirm-new-address", "bobby@else.test")
			s.answer(q, "Yes")
			s.letter("address-notice", bob)
			s.Reply(q, bob, "Stop! I do not want that.", mailtest.Aligned(true))
			s.passes(time.Minute)
			s.letter("cancelled", bob)
			s.passes(2 * coolOff)
			s.holds("u-bob", inbox.FieldEmail, bob)
			if got := s.states()[0]; got != "change cancelled" {
				t.Errorf("it stands at %q", got)
			}
		})
	})
	for _, c := range []struct {
		name, text, letter, stands string
		aligned                    bool
	}{
		{"proved", "Stop!", "cancelled", "cancelled", true},
		{"without proof", "Stop!", "stop-check", "held", false},
		{"a no", "No", "cancelled", "cancelled", true},
		{"a no without proof", "No", "stop-check", "held", false},
		{"not a plain one", "Can I still stop this?", "stop-check", "held", true},
		{"beside a request", "Please do not delete my account. My June invoice is wrong, it says 300 euros in place of 30.", "cancelled", "cancelled", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.write(eve, "hi", phonePlease, mailtest.Aligned(false))
				s.Reply(s.letter("claim", eve), bob, c.text, mailtest.Aligned(c.aligned))
				s.passes(time.Minute)
				s.letter(c.letter, bob)
				if got := s.states()[0]; got != "delete account "+c.stands {
					t.Errorf("it stands at %q", got)
				}
				s.passes(2 * coolOff)
				s.stays("u-bob")
				if m := s.newest(); strings.Contains(c.name, "request") && m.State != inbox.MailHeld {
					t.Errorf("the rest of it is for staff, and the mail is %s (%s)", m.State, m.Reason)
				}
				s.silence(bob, eve)
			})
		})
	}
}

// Who has the token of what waits is most likely its owner, at another address
// or with a broken mail program: what they want stopped waits for the owner's word.
func TestStopWithTheTokenFromElsewhere(t *testing.T) {
	for name, send := range map[string]func(s *scene, d mailtest.Delivery){
		"from another address": func(s *scene, d mailtest.Delivery) {
			s.Reply(d, "bob@elsewhere.test", "Stop!", mailtest.Aligned(true))
		},
		"from an author who is not certain": func(s *scene, d mailtest.Delivery) {
			s.disowned(d, "Stop!", "none header.from=users.test", "MIME-Version: 1.0\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				d := s.leaving()
				for range 3 {
					send(s, d)
					s.passes(time.Minute)
				}
				q := s.letter("stop-check", bob)
				if got := s.states()[0]; got != "delete account held" {
					t.Errorf("it stands at %q", got)
				}
				s.silence(bob, "bob@elsewhere.test")
				s.answer(q, "Yes")
				s.letter("status", bob)
				send(s, d)
				s.passes(2 * coolOff)
				if !s.gone("u-bob") {
					t.Error("the owner let it go on, and it did not")
				}
			})
		})
	}
}

// Whoever has one token can name others as their author as often as they like:
// the record of the action that it is about does not grow with it.
func TestManyMailsWithATokenFromElsewhere(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(eve, "hi", phonePlease, mailtest.Aligned(false))
		q := s.letter("claim", eve)
		for range 20 {
			s.Reply(q, bob, "Yes please", mailtest.Aligned(false))
			s.passes(time.Minute)
		}
		if n := len(s.action("A-1").History); n > 8 {
			t.Errorf("its history has %d lines", n)
		}
		if n := len(s.mails()); n != 21 {
			t.Errorf("%d mails are on record", n)
		}
		s.silence(bob, eve)
	})
}

// What a machine sends under one Message-ID is a machine's each time, and no
// work for staff; a report still reaches the letter that it is about.
func TestMachinesWithOneMessageID(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		for _, text := range []string{"one", "two", "three"} {
			s.deliver("Auto-Submitted: auto-replied\r\n"+strings.Replace(stopMail, "Stop!", text, 1), mailtest.Aligned(true))
		}
		s.wantMails(inbox.MailIgnored, inbox.MailIgnored, inbox.MailIgnored)
		s.stand()
	})
	inScene(t, setup{}, func(s *scene) {
		for _, who := range []string{bob, alice} {
			s.write(who, "bye", deletePlease)
			report := string(mailtest.Bounce(s.letter("confirm", who), "mx.users.test", "550 5.1.1 no such user"))
			id, _, _ := strings.Cut(report[strings.Index(report, "Message-ID: "):], "\r\n")
			s.deliver(strings.Replace(report, id, "Message-ID: <report@mx.users.test>", 1), mailtest.Envelope(""))
			s.notice("bounced")
		}
	})
}

// What staff have processed again goes its way: that its content came before is
// what they have looked at.
func TestReplayOfAMailThatWasKnown(t *testing.T) {
	request := strings.NewReplacer("Stop!", copyPlease, "stop@", "copy@").Replace(stopMail)
	inScene(t, setup{}, func(s *scene) {
		s.deliver("Auto-Submitted: auto-replied\r\n"+request, mailtest.Aligned(false))
		s.deliver(request, mailtest.Aligned(true))
		s.wantMails(inbox.MailIgnored, inbox.MailHeld)
		s.deliver(strings.Replace(request, "please", "hello", 1), mailtest.Aligned(false))
		for _, id := range []string{"A-1", "A-2"} {
			s.acts(control.Call{Verb: "close", ID: id, Reason: "it goes its own way"})
		}
		s.act("mails replay", "M-2")
		s.letter("result", bob)
		s.wantMails(inbox.MailIgnored, inbox.MailActed, inbox.MailHeld)
		s.deliver(request, mailtest.Aligned(true))
		s.wantMails(inbox.MailIgnored, inbox.MailActed, inbox.MailHeld)
		s.silence(bob)
	})
}
