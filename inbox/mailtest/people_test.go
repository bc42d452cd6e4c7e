package mailtest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox/mailtest"
)

// question is a mail of ours as SMTP accepted it.
func question(t *testing.T, w *mailtest.World) mailtest.Delivery {
	t.Helper()
	raw := "From: Support <support@site.test>\r\nReply-To: support+token@site.test\r\nSubject: Delete =?utf-8?q?=E2=80=93?= are you sure?\r\n" +
		"Message-Id: <r1@site.test>\r\nReferences: <a@example.org>\r\n\r\nPlease answer yes.\r\nThank you\r\n"
	if err := smtpClient(t, w).SendMail(site, []string{alice}, strings.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return w.Sent()[0]
}

func last(t *testing.T, w *mailtest.World) mailtest.Delivery {
	t.Helper()
	box := w.Folder(site, "INBOX")
	if len(box) == 0 {
		t.Fatal("nothing arrived")
	}
	return mailtest.Delivery{Bytes: box[len(box)-1].Bytes, At: box[len(box)-1].At}
}

func TestReplyIsWhatAMailProgramWrites(t *testing.T) {
	w := world(t, mailtest.Options{})
	d := question(t, w)
	w.Reply(d, "Alice <"+alice+">", "Ja – yes!", mailtest.HTML(""))
	got := last(t, w)
	for name, want := range map[string]string{
		"From": "\"Alice\" <alice@example.org>", "To": "<support+token@site.test>", "Subject": "Re: Delete – are you sure?",
		"In-Reply-To": "<r1@site.test>", "References": "<a@example.org> <r1@site.test>", "Return-Path": "<alice@example.org>",
	} {
		if v := got.Header(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	text := got.Text()
	attribution := "On " + d.At.Format("Mon, Jan 2, 2006 at 3:04\u202fPM") + " Support <support@site.test> wrote:"
	if want := "Ja – yes!\n\n" + attribution + "\n\n> Please answer yes.\n> Thank you\n"; text != want {
		t.Errorf("the text is\n%q, want\n%q", text, want)
	}
	if !strings.Contains(string(got.Bytes), "gmail_quote") || !strings.HasPrefix(got.Header("Content-Type"), "multipart/alternative") {
		t.Errorf("the HTML alternative is missing:\n%s", got.Bytes)
	}
}

func TestWhatTheBorderSays(t *testing.T) {
	for _, x := range []struct {
		world mailtest.Options
		opts  []mailtest.MailOption
		want  string
	}{
		{mailtest.Options{}, nil, ""},
		{mailtest.Options{}, []mailtest.MailOption{mailtest.Aligned(true)}, "mx.site.test;\tdmarc=pass header.from=example.org"},
		{mailtest.Options{}, []mailtest.MailOption{mailtest.Aligned(false)}, "mx.site.test;\tdmarc=none header.from=example.org"},
		{mailtest.Options{Aligned: true, AuthservID: "border"}, nil, "border;\tdmarc=pass header.from=example.org"},
		{mailtest.Options{Aligned: true}, []mailtest.MailOption{mailtest.Aligned(false)}, "mx.site.test;\tdmarc=none header.from=example.org"},
	} {
		w := world(t, x.world)
		w.Send(alice, site, "Hello", "Hello", x.opts...)
		if got := last(t, w).Header("Authentication-Results"); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(x.want), " ") {
			t.Errorf("%+v: %q, want %q", x.world, got, x.want)
		}
	}
}

func TestMailOptions(t *testing.T) {
	w := world(t, mailtest.Options{})
	d := question(t, w)
	at := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	w.Send(alice, "support+x@site.test", "Hello", "Hello", mailtest.References(d), mailtest.SentAt(at), mailtest.Envelope(""),
		mailtest.Header("Auto-Submitted", "auto-replied"), mailtest.Header("Message-ID", ""))
	got := last(t, w)
	for name, want := range map[string]string{"In-Reply-To": "", "References": "<a@example.org> <r1@site.test>", "Return-Path": "<>",
		"Auto-Submitted": "auto-replied", "Message-Id": "", "Date": "Thu, 29 Feb 2024 12:00:00 +0000"} {
		if v := got.Header(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if !got.At.Equal(at) {
		t.Errorf("it arrived at %v", got.At)
	}
}

func TestDeliver(t *testing.T) {
	w := world(t, mailtest.Options{})
	w.AddAlias("privacy@site.test", site)
	for _, x := range []struct{ to, raw, want string }{
		{"PRIVACY@site.test", "", ""}, // a local part has a case
		{"privacy@SITE.test", "From: x@y.test\n\nhello\n", "From: x@y.test\r\n\r\nhello\r\n"},
		{"privacy+tag@site.test", "From: x\r\nodd\n\r\nhello", "From: x\r\nodd\n\r\nhello"},
	} {
		err := w.Deliver(x.to, []byte(x.raw))
		if x.want == "" {
			if !errors.Is(err, mailtest.ErrNoMailbox) {
				t.Errorf("%s: %v", x.to, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := last(t, w); !strings.HasSuffix(string(got.Bytes), "\r\n"+x.want) {
			t.Errorf("%s: %q", x.to, got.Bytes)
		}
	}
}

func TestComposeRefusesWhatIsNoSender(t *testing.T) {
	if _, err := mailtest.Compose("not an address", site, "", ""); err == nil {
		t.Error("it was written")
	}
}
