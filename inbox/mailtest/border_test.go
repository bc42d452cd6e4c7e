package mailtest_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"

	"push.guru/supportd/inbox/mailtest"
)

const claim = "Authentication-Results: mx.site.test;\r\n\tdmarc=pass header.from=bank.test\r\n"

// arrives sends a mail that brings a claim along, logged in or not, and gives
// what is in the mailbox then; "" when nothing is.
func arrives(t *testing.T, b mailtest.Border, to string, login bool) string {
	t.Helper()
	w := world(t, mailtest.Options{Border: b})
	c := smtpClient(t, w)
	if login {
		if err := c.Auth(sasl.NewPlainClient("", alice, password)); err != nil {
			t.Fatal(err)
		}
	}
	raw := claim + "From: " + alice + "\r\nSubject: Hi\r\n\r\n" + claim
	if err := c.SendMail(alice, []string{to}, strings.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	mails := w.Folder(alice, "INBOX")
	if len(mails) == 0 {
		return ""
	}
	return string(mails[0].Bytes)
}

func TestBorderRefuses(t *testing.T) {
	w := world(t, mailtest.Options{Border: mailtest.Border{Refuses: func(d mailtest.Delivery) *mailtest.Refusal {
		if d.Subject() == "Hi" {
			return nil
		}
		return &mailtest.Refusal{Code: 550, Text: "5.7.1 say Hi"}
	}}})
	c := smtpClient(t, w)
	if err := c.SendMail(site, []string{alice}, strings.NewReader("Subject: Hello\r\n\r\n")); code(err) != 550 {
		t.Errorf("a mail that is refused: %v", err)
	}
	if err := c.SendMail(site, []string{alice}, strings.NewReader("Subject: Hi\r\n\r\n")); err != nil {
		t.Error(err)
	}
	if n := len(w.Sent()); n != 1 {
		t.Errorf("%d mails were taken", n)
	}
}

// forget takes the claim out of a mail's header.
func forget(raw []byte) []byte { return bytes.Replace(raw, []byte(claim), nil, 1) }

func TestBorder(t *testing.T) {
	const own = "Authentication-Results: mx.site.test;\r\n\tdmarc=none header.from=example.org\r\n"
	const body = "\r\n\r\n" + claim
	for name, c := range map[string]struct {
		border      mailtest.Border
		to          string
		login       bool
		brought     bool
		own, nobody bool
	}{
		"as it is":                 {to: alice, brought: true, own: true},
		"strips":                   {border: mailtest.Border{Strips: true}, to: alice, own: true},
		"silent, with a login":     {border: mailtest.Border{Silent: true}, to: alice, login: true, brought: true},
		"silent, from outside":     {border: mailtest.Border{Silent: true}, to: alice, brought: true, own: true},
		"deaf":                     {border: mailtest.Border{Deaf: true}, to: alice, brought: true},
		"detail":                   {border: mailtest.Border{Strips: true}, to: "alice+tag@example.org", own: true},
		"rewrites":                 {border: mailtest.Border{Silent: true, Rewrites: forget}, to: alice, login: true},
		"rewrites, from outside":   {border: mailtest.Border{Rewrites: forget}, to: alice, brought: true, own: true},
		"no detail":                {border: mailtest.Border{NoDetail: true}, to: "alice+tag@example.org", nobody: true},
		"no detail, plain address": {border: mailtest.Border{NoDetail: true, Strips: true}, to: alice, own: true},
		"loses":                    {border: mailtest.Border{Loses: func(d mailtest.Delivery) bool { return d.To == alice }}, to: alice, nobody: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := arrives(t, c.border, c.to, c.login)
			if c.nobody != (got == "") {
				t.Fatalf("the mailbox has %q", got)
			}
			if c.nobody {
				return
			}
			head, _, _ := strings.Cut(got, "\r\n\r\n")
			if strings.Contains(head, "bank.test") != c.brought || strings.Contains(got, own) != (c.own && !c.login) || !strings.HasSuffix(got, body) {
				t.Errorf("it arrived as\n%s", got)
			}
		})
	}
}
