package daemon_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

const eve = "eve@evil.test"

// stopMail is a stop by bob, of which somebody else got a copy.
const stopMail = "From: bob@users.test\r\nTo: support@site.test\r\nCc: eve@evil.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <stop@users.test>\r\n" +
	"Subject: please\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nStop!\r\n"

// Whoever gets a copy of a mail can send it to us before it comes, with other
// words around the same content. The mail itself must not be taken for that.
func TestStopBehindACopyOfIt(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(stopMail, old, new, 1) }
	for _, c := range []struct {
		name    string
		copy    string // that comes first
		genuine string // "": stopMail
		aligned bool   // the copy
	}{
		{name: "that says it is an automatic answer", copy: "Auto-Submitted: auto-replied\r\n" + stopMail},
		{name: "that says it is an automatic answer, aligned", copy: "Auto-Submitted: auto-replied\r\n" + stopMail, aligned: true},
		{name: "of a list", copy: "List-Id: <friends.evil.test>\r\n" + stopMail},
		{name: "that nobody vouches for", copy: stopMail},
		{name: "that our border disowns", copy: "Authentication-Results: mx.site.test; dmarc=fail header.from=users.test\r\n" + stopMail},
		{name: "under another subject", genuine: strings.Replace(change("please", "STOP"), "Stop!", "Sent from my iPhone", 1),
			copy: strings.Replace(change("please", "hello"), "Stop!", "Sent from my iPhone", 1), aligned: true},
		{name: "as another type", copy: change("text/plain; charset=utf-8", "application/octet-stream"), aligned: true},
		{name: "in another encoding", copy: change("7bit", "base64"), aligned: true},
		{name: "as an attachment", copy: change("MIME-Version", "Content-Disposition: attachment; filename=a.txt\r\nMIME-Version"), aligned: true},
		{name: "with other words under the same Message-ID", copy: change("Stop!", "How are you?"), aligned: true},
		{name: "with other words that nobody vouches for", copy: change("Stop!", "How are you?")},
		{name: "by another author under the same Message-ID", copy: change("bob@", "eve@"), aligned: true},
		{name: "whose author is not certain", copy: "Sender: eve@evil.test\r\nSender: bob@users.test\r\n" + stopMail, aligned: true},
		{name: "that our own house seems to have sent", copy: "X-Loop: support@site.test\r\n" + stopMail},
		{name: "that our own house seems to have sent, aligned", copy: "X-Loop: support@site.test\r\n" + stopMail, aligned: true},
		{name: "to an address with a token that is none", copy: change("Cc: eve@evil.test", "Cc: support+"+strings.Repeat("a", 26)+"@site.test"), aligned: true},
		{name: "that answers a mail of hers", copy: "In-Reply-To: <1@evil.test>\r\n" + stopMail, aligned: true},
		{name: "without a Message-ID", genuine: change("Message-ID: <stop@users.test>\r\n", ""),
			copy: "Auto-Submitted: auto-replied\r\n" + change("Message-ID: <stop@users.test>\r\n", "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, plusSetup(), func(s *scene) {
				s.leaving()
				s.deliver(c.copy, mailtest.Aligned(c.aligned), mailtest.Envelope("eve@evil.test"))
				s.deliver(cmp.Or(c.genuine, stopMail), mailtest.Aligned(true))
				if got := s.states()[0]; got != "delete account cancelled" {
					t.Errorf("it stands at %q", got)
				}
				s.passes(2 * coolOff)
				s.stays("u-bob")
				if all := s.lettersTo(bob); s.d.Letter(all[len(all)-1].MessageID()) != "cancelled" {
					t.Error("he was not told that it is cancelled")
				}
			})
		})
	}
}

// copiesForEve are bob's stop as somebody sends it who has a letter of ours:
// with something by which it answers that.
func copiesForEve(id, plus string) map[string]string {
	return map[string]string{
		"References":    "References: <" + id + ">\r\n" + stopMail,
		"In-Reply-To":   "In-Reply-To: <" + id + ">\r\n" + stopMail,
		"To and Cc":     strings.Replace(stopMail, "Cc: eve@evil.test", "Cc: "+plus, 1),
		"Delivered-To":  "Delivered-To: " + plus + "\r\n" + stopMail,
		"X-Original-To": "X-Original-To: " + plus + "\r\n" + stopMail,
	}
}

// A copy can answer a letter that whoever sends it has got: it is held for that,
// and the mail itself must not be.
func TestStopBehindACopyThatAnswersAnother(t *testing.T) {
	for name := range copiesForEve("", "") {
		for _, genuine := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, the mail itself aligned %t", name, genuine), func(t *testing.T) {
				inScene(t, plusSetup(), func(s *scene) {
					s.leaving()
					s.write(eve, "hi", copyPlease, mailtest.Aligned(false))
					q := s.letter("claim", eve)
					s.deliver(copiesForEve(strings.Trim(q.MessageID(), "<>"), s.plus(q))[name], mailtest.Aligned(genuine))
					s.deliver(stopMail, mailtest.Aligned(genuine))
					want := map[bool]string{true: "cancelled", false: "held"}[genuine]
					if got := s.states()[0]; got != "delete account "+want {
						t.Errorf("it stands at %q", got)
					}
					s.passes(2 * coolOff)
					s.stays("u-bob")
					if n := len(s.lettersTo(bob)); n != 3 {
						t.Errorf("he has got %d letters", n)
					}
				})
			})
		}
	}
	t.Run("signed", func(t *testing.T) {
		_, set := zone(t)
		inScene(t, set, func(s *scene) {
			s.leaving()
			s.write(eve, "hi", copyPlease, mailtest.Aligned(false))
			q := s.letter("claim", eve)
			raw := s.signedMail(bob, "please", "Stop!")
			s.deliver("References: "+q.Header("Message-ID")+"\r\n"+raw, mailtest.Aligned(false))
			s.deliver(raw, mailtest.Aligned(false))
			s.letter("cancelled", bob)
			s.passes(2 * coolOff)
			s.stays("u-bob")
		})
	})
}

// A copy can answer an older letter to the owner, whose Message-ID is known to
// whoever got a mail of that thread: a no is about what it answers.
func TestNoBehindACopyThatAnswersAnOlderLetter(t *testing.T) {
	no := strings.Replace(stopMail, "Stop!", "No", 1)
	inScene(t, setup{}, func(s *scene) {
		s.write(bob, "nick", "Please change my nickname to Bo.")
		older := s.letter("confirm", bob)
		last := s.leaving()
		s.deliver("In-Reply-To: " + older.Header("Message-ID") + "\r\n" + no)
		s.deliver("In-Reply-To: " + last.Header("Message-ID") + "\r\n" + no)
		s.stand("change cancelled", "delete account cancelled")
	})
}

// A copy can have a signature on top that came before, so that nothing comes of
// it: the mail itself is not lost with it.
func TestMailBehindACopyUnderAnOldSignature(t *testing.T) {
	request := strings.NewReplacer("Stop!", copyPlease, "stop@", "copy@").Replace(stopMail)
	for _, aligned := range []bool{true, false} {
		t.Run(fmt.Sprintf("aligned %t", aligned), func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				raw := s.signedMail(bob, "my data", copyPlease)
				signature, _, _ := strings.Cut(raw, "Mime-Version")
				s.deliver(raw, mailtest.Aligned(true))
				s.letter("result", bob)
				s.deliver(signature + request)
				s.deliver(request, mailtest.Aligned(aligned))
				s.wantMails(inbox.MailActed, inbox.MailIgnored, inbox.MailHeld)
				s.stand("copy done", "copy review")
				s.deliver(signature + request)
				s.deliver(request)
				s.wantMails(inbox.MailActed, inbox.MailIgnored, inbox.MailHeld)
				s.silence(bob)
			})
		})
	}
}

// Without any proof the mail itself still holds what it would stop.
func TestUnprovedStopBehindACopyOfIt(t *testing.T) {
	for name, copy := range map[string]string{
		"that is screened":            "Auto-Submitted: auto-replied\r\n" + stopMail,
		"of a list":                   "List-Id: <friends.evil.test>\r\n" + stopMail,
		"of our own house":            "X-Loop: support@site.test\r\n" + stopMail,
		"whose author is not certain": "Sender: eve@evil.test\r\nSender: bob@users.test\r\n" + stopMail,
	} {
		t.Run(name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.leaving()
				s.deliver(copy)
				s.deliver(stopMail)
				s.letter("stop-check", bob)
				s.passes(2 * coolOff)
				s.stays("u-bob")
			})
		})
	}
}

// What is no stop waits for staff: the content is known, and not as it came.
func TestRequestBehindACopyOfIt(t *testing.T) {
	request := strings.NewReplacer("Stop!", copyPlease, "stop@", "copy@").Replace(stopMail)
	inScene(t, setup{}, func(s *scene) {
		s.deliver("Auto-Submitted: auto-replied\r\n"+request, mailtest.Aligned(false))
		s.deliver(request, mailtest.Aligned(true))
		s.wantMails(inbox.MailIgnored, inbox.MailHeld)
		s.stand("copy review")
		s.silence(bob)
		for range 3 { // and again it is nothing new
			s.deliver(request, mailtest.Aligned(true))
			s.deliver("Auto-Submitted: auto-replied\r\n"+request, mailtest.Aligned(false))
		}
		s.wantMails(inbox.MailIgnored, inbox.MailHeld)
	})
}

// What comes behind the mail itself changes nothing, and staff see it only where
// it may be read as something else.
func TestCopiesBehindTheMail(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.leaving()
		s.deliver(stopMail, mailtest.Aligned(true))
		s.letter("cancelled", bob)
		n := len(s.mails())
		s.deliver("Auto-Submitted: auto-replied\r\n"+stopMail, mailtest.Aligned(false))
		s.deliver("Received: from a by b\r\nDelivered-To: support@site.test\r\n"+stopMail, mailtest.Aligned(true))
		if got := len(s.mails()); got != n {
			t.Errorf("there are %d mails, and were %d", got, n)
		}
		s.deliver("Auto-Submitted: auto-replied\r\n"+strings.Replace(stopMail, "please", "hello", 1), mailtest.Aligned(false))
		if m := s.newest(); m.State != inbox.MailIgnored {
			t.Errorf("a screened copy is %s (%s)", m.State, m.Reason)
		}
		s.deliver(strings.Replace(stopMail, "please", "hi", 1), mailtest.Aligned(true))
		if m := s.newest(); m.State != inbox.MailHeld {
			t.Errorf("a copy in another form is %s (%s)", m.State, m.Reason)
		}
		s.stand("delete account cancelled", "question review")
		s.silence(bob)
	})
}

// A worse copy that comes while a mail waits for the user store does not take
// its place.
func TestCopyWhileAMailIsDeferred(t *testing.T) {
	away, set := absence()
	inScene(t, set, func(s *scene) {
		s.leaving()
		away.Store(true)
		s.deliver(stopMail, mailtest.Aligned(true))
		s.letter("stop-check", bob)
		s.deliver("Auto-Submitted: auto-replied\r\n"+stopMail, mailtest.Aligned(false))
		s.deliver(stopMail, mailtest.Aligned(false))
		away.Store(false)
		s.passes(time.Hour)
		s.letter("cancelled", bob)
		s.stand("delete account cancelled")
		if left := s.Folder(support, "INBOX"); len(left) != 0 {
			t.Errorf("%d mails are left in the folder", len(left))
		}
	})
	inScene(t, set, func(s *scene) { // the copy comes first
		s.leaving()
		away.Store(true)
		s.deliver(stopMail, mailtest.Aligned(false))
		s.letter("stop-check", bob)
		s.deliver(stopMail, mailtest.Aligned(true))
		away.Store(false)
		s.passes(time.Hour)
		s.letter("cancelled", bob)
		s.stand("delete account cancelled")
	})
}

// The server may number its mail anew. What is accounted for stays so: also
// what came in two forms, and what somebody would be believed for only now.
func TestCopiesNumberedAnew(t *testing.T) {
	set := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nfiled = \"\"", `trusted_authserv_ids = ["mx.site.test"]`, "trusted_authserv_ids = [\"mx.site.test\", \"old.site.test\"]"}}
	inScene(t, set, func(s *scene) {
		s.deliver("Auto-Submitted: auto-replied\r\n" + stopMail)
		s.passes(time.Second)
		s.deliver(strings.Replace(stopMail, "please", "hello", 1))
		s.passes(time.Second)
		s.deliver(stopMail, mailtest.Aligned(true))
		s.passes(time.Second)
		s.deliver(strings.NewReplacer("Stop!", "Hello!", "stop@", "other@").Replace(stopMail))
		s.passes(time.Second)
		n := len(s.mails())
		for validity := range uint32(2) {
			if err := s.SetUIDValidity(support, "INBOX", 77+validity); err != nil {
				t.Fatal(err)
			}
			s.passes(time.Hour)
			if got := len(s.mails()); got != n {
				t.Errorf("there are %d mails, and were %d", got, n)
			}
		}
	})
}
