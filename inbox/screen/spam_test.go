package screen

import (
	"errors"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
)

func TestSpamHeader(t *testing.T) {
	for _, c := range []struct {
		set, header string
		want        bool
	}{
		{"X-Spam: Yes", "X-Spam: Yes", true},
		{"X-Spam: Yes", "X-Spam: yes", true},
		{"X-Spam: Yes", "X-Spam: no", false},
		{"X-Spam: Yes", "X-Spam-Flag: YES", false},
		{"X-Spam: Yes", "", false},
		{"X-Spam: Yes", "X-Spam:", false},
		{"x-spam-flag:YES", "X-Spam-Flag: YES", true},
		{"X-Spam-Status: Yes", "X-Spam-Status: Yes, score=7.2 required=5.0 tests=BAYES_99", true},
		{"X-Spam-Status: Yes", "X-Spam-Status: No, score=-0.1", false},
		{"X-Spam-Status: Yes", "X-Spam-Status: Yesterday", false},
		{"X-Spam-Level: *****", "X-Spam-Level: *******", true},
		{"X-Spam-Level: *****", "X-Spam-Level: ****", false},
		{"X-Spam-Score >= 6.5", "X-Spam-Score: 6.5 (++++++)", true},
		{"X-Spam-Score >= 6.5", "X-Spam-Score: 6.4", false},
		{"X-Spam-Score >= 6.5", "X-Spam-Score: -7", false},
		{"X-Spam-Score >= 6.5", "X-Spam-Score: many", false},
		{"X-Spam-Score>=6.5", "X-Spam-Score:", false},
		{"X-Rspamd-Score >= 10", "X-Rspamd-Score: 11.30 / 15", true},
		{"X-MS-Exchange-Organization-SCL >= 5", "X-MS-Exchange-Organization-SCL: 9", true},
		{"X-MS-Exchange-Organization-SCL >= 5", "X-MS-Exchange-Organization-SCL: 1", false},
		{"X-MS-Exchange-Organization-SCL >= 5", "X-MS-Exchange-Organization-SCL: -1", false},
		{"X-MS-Exchange-Organization-SCL: 5", "X-MS-Exchange-Organization-SCL: 51", false},
		{"", "X-Spam: Yes", false},
	} {
		h, err := ParseSpamHeader(c.set)
		if err != nil {
			t.Fatalf("%q: %v", c.set, err)
		}
		m := parse.Message([]byte(mail(c.header, "hello")), parse.Options{})
		for _, check := range []func(*inbox.Message) (inbox.Class, string){Config{SpamHeader: h}.Check, Config{SpamHeader: h}.CheckForm} {
			if class, why := check(m); (class == inbox.ClassSpam) != c.want {
				t.Errorf("%q, set to %q: %q (%s)", c.header, c.set, class, why)
			}
		}
	}
	for _, bad := range []string{"X-Spam-Flag", "X-Spam-Flag:", "X-Spam-Flag: ", ">= 5", "X-Spam-Score >= high", "X-Spam-Score >=", "Subject: [SPAM]", "X-Spam Flag: YES", ": YES", "Return-Path: <>"} {
		if h, err := ParseSpamHeader(bad); !errors.Is(err, ErrSpamHeader) {
			t.Errorf("%q gave %+v, %v", bad, h, err)
		}
	}
}

// TestCheckForm: a form is a machine, and whatever it says of itself says
// nothing of the person who filled it in.
func TestCheckForm(t *testing.T) {
	forms := []parse.Form{{From: "noreply@site.test"}}
	for _, c := range []struct {
		name, header, text string
		want               inbox.Class
	}{
		{"nothing else", "", "delete my account", ""},
		{"auto-generated", "Auto-Submitted: auto-generated", "delete my account", ""},
		{"Precedence: bulk", "Precedence: bulk", "delete my account", ""},
		{"a null return path", "Return-Path: <>", "delete my account", ""},
		{"of a provider of forms", "List-Unsubscribe: <https://a.test>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\nX-Mailgun-Sid: 1", "delete my account", ""},
		{"an automatic text", "Subject: Automatic reply: form", "This is an automatic message of your site.\n\ndelete my account", ""},
		{"our own mail", "Message-ID: <r1.out@site.test>", "delete my account", inbox.ClassLoop},
		{"our own mail by its mark", "X-Supportd-Loop: <r1.out@site.test>", "delete my account", inbox.ClassLoop},
		{"spam", "X-Spam-Flag: YES", "delete my account", inbox.ClassSpam},
		{"the address of a robot", "Reply-To: no-reply@example.org", "delete my account", inbox.ClassNoSender},
		{"nobody's address", "Reply-To: nobody", "delete my account", ""}, // for staff
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := mail(strings.TrimSpace("From: noreply@site.test\n"+c.header), c.text)
			if !strings.Contains(raw, "Reply-To:") {
				raw = "Reply-To: ann@example.org\n" + raw
			}
			m, filled := parse.FormMessage([]byte(raw), parse.Options{}, forms)
			if !filled {
				t.Fatal("it is not read as a form's mail")
			}
			if class, why := config.CheckForm(m); class != c.want {
				t.Errorf("screened %q (%s), want %q", class, why, c.want)
			}
		})
	}
}
