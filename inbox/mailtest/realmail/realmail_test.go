package realmail_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/mailtest/realmail"
)

const (
	site  = "support@site.test"
	alice = "alice@users.test"
)

func compose(t *testing.T, from, to, text string) []byte {
	t.Helper()
	raw, err := mailtest.Compose(from, to, "Grüße", text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestMailGoesThrough(t *testing.T) {
	s := realmail.Start(t)
	raw := compose(t, alice, site, "Please delete my account.\n.\nA dot above.\n")
	if err := s.Submit(alice, "support+tag@site.test", raw); err != nil {
		t.Fatal(err)
	}
	got := s.WaitMails(t, site, "INBOX", 1)
	if len(got) != 1 || !bytes.HasSuffix(got[0], raw) {
		t.Errorf("submitted\n%s\nfound %d:\n%s", raw, len(got), bytes.Join(got, nil))
	}
	if mails := s.Mails(t, site, "Nowhere"); len(mails) > 0 {
		t.Errorf("a folder that does not exist has %d mails", len(mails))
	}
}

func TestDeliverAs(t *testing.T) {
	s := realmail.Start(t)
	raw := compose(t, alice, site, "Please delete my account.\n")
	for _, aligned := range []bool{false, true} {
		if err := s.DeliverAs(alice, raw, aligned); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Mails(t, site, "INBOX")
	if len(got) != 2 {
		t.Fatalf("%d mails, want 2", len(got))
	}
	const result = "Authentication-Results: mx.site.test;\r\n\tdmarc=pass header.from=users.test\r\n"
	for i, m := range got {
		if has := strings.Contains(string(m), result); has != (i == 1) || !bytes.HasSuffix(m, raw) {
			t.Errorf("mail %d:\n%s", i, m)
		}
	}
}

func TestRecipientsThatFail(t *testing.T) {
	s := realmail.Start(t)
	for rcpt, code := range map[string]int{"reject-1@users.test": 550, "defer-1@users.test": 450} {
		err := s.Submit(site, rcpt, compose(t, site, rcpt, "Hello"))
		if codeOf(err) != code {
			t.Errorf("%s: %v, want %d", rcpt, err, code)
		}
	}
	// Nothing leaves the machine, whoever asks.
	if err := s.Submit(site, "someone@example.org", compose(t, site, "someone@example.org", "Hello")); codeOf(err)/100 != 5 {
		t.Errorf("a recipient outside .test: %v", err)
	}
}

func codeOf(err error) int {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return e.Code
	}
	return 0
}

func TestBounceComesBack(t *testing.T) {
	s := realmail.Start(t)
	if err := s.Submit(site, "bounce-1@users.test", compose(t, site, "bounce-1@users.test", "Hello")); err != nil {
		t.Fatal(err)
	}
	got := string(s.WaitMails(t, site, "INBOX", 1)[0])
	for _, want := range []string{"report-type=delivery-status", "Action: failed", "bounce-1@users.test"} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q:\n%s", want, got)
		}
	}
}

func TestBorder(t *testing.T) {
	s := realmail.StartWithBorder(t)
	const forged = "Authentication-Results: mx.site.test;\r\n\tdmarc=pass header.from=users.test\r\n"
	raw := append([]byte(forged+"Authentication-Results: other.test; none\r\n"), compose(t, alice, site, "Hello")...)
	if err := s.Submit(alice, site, raw); err != nil {
		t.Fatal(err)
	}
	submitted := string(s.WaitMails(t, site, "INBOX", 1)[0])
	c, err := smtp.Dial(s.SMTPAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SendMail(alice, []string{site}, bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	outside := string(s.WaitMails(t, site, "INBOX", 2)[1])
	for name, m := range map[string]string{"submitted": submitted, "outside": outside} {
		const own = "Authentication-Results: mx.site.test; dmarc=none (by the border)\r\n"
		if strings.Contains(m, "dmarc=pass") || strings.Contains(m, own) != (name == "outside") || !strings.Contains(m, "other.test; none") {
			t.Errorf("%s:\n%s", name, m)
		}
	}
}

func TestTwoPairsDoNotMeet(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := realmail.Start(t)
			if err := s.Submit(alice, site, compose(t, alice, site, name)); err != nil {
				t.Fatal(err)
			}
			got := s.WaitMails(t, site, "INBOX", 1)
			if len(got) != 1 || !strings.Contains(string(got[0]), "\r\n\r\n"+name) {
				t.Errorf("%d mails:\n%s", len(got), bytes.Join(got, nil))
			}
		})
	}
}

func TestPasswordsNeedTLS(t *testing.T) {
	s := realmail.Start(t)
	ca, err := os.ReadFile(s.CAFile)
	if err != nil || !bytes.Contains(ca, []byte("CERTIFICATE")) {
		t.Errorf("the CA file: %v", err)
	}
	plain, err := imapclient.DialInsecure(s.IMAPAddr, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if err := plain.Login(site, s.Password).Wait(); err == nil {
		t.Error("a password was accepted before TLS")
	}
	conn, err := net.Dial("tcp", s.IMAPAddr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: s.TLS()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(site, "wrong").Wait(); err == nil {
		t.Error("a wrong password was accepted")
	}
	if err := c.Login(site, s.Password).Wait(); err != nil {
		t.Errorf("the right password after STARTTLS: %v", err)
	}
	caps, err := c.Capability().Wait()
	if err != nil || !caps.Has(imap.CapMove) || !caps.Has(imap.CapUIDPlus) || !caps.Has(imap.CapIdle) {
		t.Errorf("capabilities %v, %v", caps, err)
	}
}
