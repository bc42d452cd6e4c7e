package daemon_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

// drawn has the daemon draw a Message-ID for a mail of a probe.
func (p *place) drawn() string {
	p.t.Helper()
	return list[control.Drawn](p, control.Call{Verb: "probe", Address: support, Mails: 1})[0].MessageID
}

// withID is a mail with a Message-ID of the caller's choice.
func withID(id, text string) string {
	return fmt.Sprintf("From: alice@users.test\r\nTo: %s\r\nSubject: Hello\r\nMessage-ID: <%s>\r\nDate: Sat, 1 Jan 2000 00:00:00 +0000\r\n\r\n%s\r\n",
		support, id, text)
}

// removes takes a mail away, as a probe does with what it sent.
func (p *place) removes(uid uint32) {
	imap(p, support, func(c *client) {
		c.must("SELECT INBOX")
		c.must(fmt.Sprintf(`UID STORE %d +FLAGS (\Deleted)`, uid))
		c.must(fmt.Sprintf("UID EXPUNGE %d", uid))
	})
}

// The mail that carries a Message-ID which was drawn for a probe is on record
// and otherwise left alone, in every mode and across a restart; when it is
// taken away nothing is missing.
func TestMailOfAProbeIsIgnored(t *testing.T) {
	for _, mode := range []string{"observe", "assist", "auto"} {
		t.Run(mode, func(t *testing.T) {
			inPlace(t, setup{more: fmt.Sprintf("[policy]\nmode = %q\n", mode)}, func(p *place) {
				p.OnAcknowledge(func(_, folder string, uids []uint32) {
					if folder != "INBOX" || len(uids) != 1 || uids[0] != 1 {
						t.Errorf("UIDs %v of %s were touched", uids, folder)
					}
				})
				id := p.drawn()
				p.reopen()
				p.start()
				p.deliver(withID(id, deletePlease), mailtest.Aligned(true))
				p.wantMails(inbox.MailIgnored)
				p.wantActions()
				if got := p.mails()[0].Reason; !strings.Contains(got, "check --probe") {
					t.Errorf("the reason is %q", got)
				}
				if got := len(p.Folder(support, "INBOX")); got != 1 {
					t.Fatalf("%d mails are in INBOX", got)
				}
				p.removes(1)
				p.passes(time.Hour)
				if a := p.reconcile(); a.Server != 0 || a.Accounted != 0 || a.Gone != 0 {
					t.Errorf("the mailbox compares as %+v", a)
				}
				if got := p.Sent(); len(got) > 0 {
					t.Errorf("%d letters went out", len(got))
				}
			})
		})
	}
}

// Whoever has seen a Message-ID of a probe gets nothing ignored by it: it
// counts for one mail and for an hour, and one that looks alike counts never.
func TestMessageIDOfAProbeHidesNoOtherMail(t *testing.T) {
	inPlace(t, setup{}, func(p *place) {
		p.start()
		id, late := p.drawn(), p.drawn()
		p.deliver(withID(id, "probe"), mailtest.Aligned(true))
		p.deliver(withID(id, deletePlease), mailtest.Aligned(true))
		p.deliver(withID("x"+id, "Please change my nickname to Al."), mailtest.Aligned(true))
		p.passes(2 * time.Hour)
		p.deliver(withID(late, "Please remove my phone number."), mailtest.Aligned(true))
		p.wantMails(inbox.MailIgnored, inbox.MailHeld, inbox.MailAsked, inbox.MailAsked)
		if a := p.reconcile(); a.Server != 1 || a.Accounted != 1 || a.Gone != 0 {
			t.Errorf("the mailbox compares as %+v", a)
		}
	})
}

// The same mail in two places, and a mail that the server put among the junk.
func TestMailOfAProbeInMorePlaces(t *testing.T) {
	inPlace(t, setup{}, func(p *place) {
		p.start()
		id := p.drawn()
		p.deliver(withID(id, "probe"))
		p.deliver(withID(id, "probe"))
		p.wantMails(inbox.MailIgnored)
		if a := p.reconcile(); a.Server != 2 || a.Accounted != 2 {
			t.Errorf("the mailbox compares as %+v", a)
		}
		p.removes(1)
		p.removes(2)
		p.passes(time.Hour)
		if a := p.reconcile(); a.Server != 0 || a.Gone != 0 {
			t.Errorf("the mailbox compares as %+v", a)
		}
	})
}

func TestProbeIDsAreBounded(t *testing.T) {
	inPlace(t, setup{}, func(p *place) {
		for range 10 {
			p.must(control.Call{Verb: "probe", Address: support, Mails: 50})
		}
		full := p.call(control.Call{Verb: "probe", Address: support, Mails: 1})
		if full == nil || !strings.Contains(full.Error(), "try again in an hour") {
			t.Errorf("one too many: %v", full)
		}
		p.passes(2 * time.Hour)
		p.must(control.Call{Verb: "probe", Address: support, Mails: 50})
		for _, c := range []control.Call{{Verb: "probe", Address: "nobody", Mails: 1}, {Verb: "probe", Address: support}} {
			if err := p.call(c); err == nil {
				t.Errorf("%+v was answered", c)
			}
		}
	})
}
