package screen

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
)

var config = Config{
	Own:        []string{"support@site.test", "privacy@site.test"},
	Ours:       func(id string) bool { return strings.HasSuffix(id, ".out@site.test") },
	Domains:    []string{"site.test"},
	SpamHeader: spamHeader("X-Spam-Flag: YES"),
}

func spamHeader(s string) SpamHeader {
	h, err := ParseSpamHeader(s)
	if err != nil {
		panic(err)
	}
	return h
}

// mail makes a mail of header lines and a text. Lines that a test does not
// give are those of a person's mail.
func mail(header, text string) string {
	for _, l := range []string{"From: Ann <ann@example.org>", "To: support@site.test", "Subject: hello", "Message-ID: <1@example.org>", "Return-Path: <ann@example.org>"} {
		name, _, _ := strings.Cut(l, ":")
		if !strings.Contains("\n"+header, "\n"+name+":") {
			header += "\n" + l
		}
	}
	return strings.TrimPrefix(header, "\n") + "\n\n" + text + "\n"
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, header, text string
		want               inbox.Class
	}{
		{"a person", "", "please delete my account", ""},
		{"Auto-Submitted: no is a person", "Auto-Submitted: no", "hello", ""},
		{"Auto-Submitted: no with a comment", "Auto-Submitted: no (a person)", "hello", ""},
		{"auto-replied", "Auto-Submitted: auto-replied", "hello", inbox.ClassAutoReply},
		{"auto-replied with a parameter", "Auto-Submitted: Auto-Replied; owner-email=\"a@b.example\"", "hello", inbox.ClassAutoReply},
		{"auto-generated", "Auto-Submitted: auto-generated", "hello", inbox.ClassAutoReply},
		{"auto-replied behind a comment", "Auto-Submitted: (by robot) auto-replied", "hello", inbox.ClassAutoReply},
		{"auto-replied behind comments in comments", "Auto-Submitted: (a (b) \\) c)\n (d)auto-replied(e)", "hello", inbox.ClassAutoReply},
		{"no behind a comment", "Auto-Submitted: (auto-replied) no", "hello", ""},
		{"Precedence behind a comment", "Precedence: (x) bulk", "hello", inbox.ClassBulk},
		{"a comment that is not closed", "Auto-Submitted: (no", "hello", inbox.ClassAutoReply},
		{"an extension of RFC 3834", "Auto-Submitted: x-later", "hello", inbox.ClassAutoReply},
		{"Exchange's request not to be auto-replied to", "X-Auto-Response-Suppress: All", "hello", ""},
		{"X-Autoreply: yes", "X-Autoreply: yes", "hello", inbox.ClassAutoReply},
		{"X-Autoreply: no", "X-Autoreply: no", "hello", ""},
		{"a null return path", "Return-Path: <>", "hello", inbox.ClassBounce},
		{"a mailer daemon", "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example>", "sorry", inbox.ClassBounce},
		{"Precedence: bulk", "Precedence: bulk", "hello", inbox.ClassBulk},
		{"Precedence: list", "Precedence: list", "hello", inbox.ClassList},
		{"Precedence: auto_reply", "Precedence: auto_reply", "hello", inbox.ClassAutoReply},
		{"Precedence: first-class", "Precedence: first-class", "hello", ""},
		{"a list", "List-Id: Knitting <knit.lists.example>", "hello", inbox.ClassList},
		{"a list by its post address", "List-Post: <mailto:knit@lists.example>", "hello", inbox.ClassList},
		{"our own group address", "List-Id: <support.site.test>\nList-Post: <mailto:support@site.test>\nPrecedence: list", "hello", ""},
		{"List-Unsubscribe alone", "List-Unsubscribe: <https://mail.example/u>", "delete me", ""},
		{"one-click unsubscription", "List-Unsubscribe: <https://mail.example/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", "buy", inbox.ClassBulk},
		{"Feedback-ID alone", "Feedback-ID: 1:2:3:example", "hello", ""},
		{"spam by the server's mark", "X-Spam-Flag: YES", "hello", inbox.ClassSpam},
		{"no spam by the server's mark", "X-Spam-Flag: NO", "hello", ""},
		{"our own Message-ID", "Message-ID: <r1.out@site.test>", "hello", inbox.ClassLoop},
		{"an answer to our mail", "In-Reply-To: <r1.out@site.test>\nReferences: <r1.out@site.test>", "yes", ""},
		{"our loop mark", "X-Supportd-Loop: <r1.out@site.test>", "hello", inbox.ClassLoop},
		{"a loop mark that is not ours", "X-Supportd-Loop: site.test", "hello", ""},
		{"an empty loop mark", "X-Supportd-Loop: <>", "hello", ""},
		{"a loop mark that is not ours above one that is", "X-Supportd-Loop: <x@y>\nX-Supportd-Loop: <r2.out@site.test>", "hello", inbox.ClassLoop},
		{"a loop is told before an auto-reply", "Message-ID: <r1.out@site.test>\nAuto-Submitted: auto-replied", "hello", inbox.ClassLoop},
		{"our own address", "From: Site <support@site.test>", "hello", ""},
		{"noreply", "From: Shop <no-reply@shop.example>", "your order", inbox.ClassNoSender},
		{"noreply of our own house", "From: no-reply@site.test\nReply-To: ann@example.org", "hello", ""},
		{"noreply of our own house that says that it is a robot", "From: no-reply@site.test\nAuto-Submitted: auto-generated", "hello", inbox.ClassAutoReply},
		{"no sender", "From: undisclosed", "hello", inbox.ClassNoSender},
		{"a suspicious sender is for staff", "From: a@example.org, b@example.org", "hello", ""},
		{"a doubled Subject is for staff", "Subject: one\nSubject: two", "hello", ""},
	} {
		t.Run(c.name, func(t *testing.T) { verify(t, mail(c.header, c.text), c.want) })
	}
}

// TestWords tells machines without headers from people who use their words.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		name, subject, text string
		want                inbox.Class
	}{
		{"Outlook", "Automatic reply: your question", "I am away.", inbox.ClassAutoReply},
		{"Outlook, Russian", "Автоматический ответ: вопрос", "Меня нет.", inbox.ClassAutoReply},
		{"Outlook, German", "Automatische Antwort: Frage", "Ich bin weg.", inbox.ClassAutoReply},
		{"Outlook, French", "Réponse automatique : question", "Absent.", inbox.ClassAutoReply},
		{"Outlook, Spanish", "Respuesta automática: pregunta", "Ausente.", inbox.ClassAutoReply},
		{"Kazakh", "Автоматты жауап: сұрақ", "Мен демалыстамын.", inbox.ClassAutoReply},
		{"out of office", "Out of office", "I am out of the office until Monday. In urgent cases call Bob.", inbox.ClassAutoReply},
		{"out of office, Russian", "Вне офиса", "Здравствуйте! Отвечу по возвращении.", inbox.ClassAutoReply},
		{"a ticket system", "Ваше обращение получено", "Обращению присвоен номер 17.", inbox.ClassAutoReply},
		{"a first line", "Re: your data", "This is an automated response. We will be in touch.", inbox.ClassAutoReply},
		{"a challenge", "Please confirm your message", "Click here to prove that you are a human.", inbox.ClassAutoReply},
		{"a bounce in words", "Undelivered mail", "Your mail could not be delivered: 550 5.1.1 user unknown", inbox.ClassBounce},

		{"a person on vacation", "отпуск", "Я в отпуске до 5 октября, скройте мой профиль.", ""},
		{"a person on vacation, in the subject", "On vacation", "I am on vacation until May, please hide my profile.", ""},
		{"a person who is away", "Away until June", "Please freeze my account while I am away.", ""},
		{"a person about a bounce", "Undelivered mail", "Your mail to my old address was not delivered. Please use the new one.", ""},
		{"a person about a returned mail", "Re: Undelivered Mail Returned to Sender", "550 user unknown, they say. My new address is a@b.example.", ""},
		{"a person about robots", "your robot", "I wrote to you and got an automatic reply. Delete my account.", ""},
		{"a person about an auto-reply", "Auto-renewal", "Please stop the auto-renewal.", ""},
		{"a person who confirms", "Please confirm: delete your account", "Confirmed.", ""},
		{"a person who thanks", "Thank you for your message", "Yes, delete it.", ""},
		{"a person about a list", "mailing list", "Take me off your mailing list.", ""},
	} {
		t.Run(c.name, func(t *testing.T) { verify(t, mail("Subject: "+c.subject, c.text), c.want) })
	}
}

func TestReports(t *testing.T) {
	const multi = "Content-Type: multipart/report; report-type=%; boundary=b\n\n--b\n\nread me\n--b\nContent-Type: message/%\n\n&\n--b--"
	report := func(kind, fields string) string {
		s := strings.ReplaceAll(multi, "%", kind)
		head, body, _ := strings.Cut(strings.ReplaceAll(s, "&", fields), "\n\n")
		return mail(head, body)
	}
	verify(t, report("delivery-status", "Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1"), inbox.ClassBounce)
	verify(t, report("disposition-notification", "Final-Recipient: rfc822; a@b.example\nDisposition: manual-action/MDN-sent-manually; displayed"), inbox.ClassAutoReply)
	verify(t, report("feedback-report", "Feedback-Type: abuse\nVersion: 1"), inbox.ClassBounce)
	verify(t, mail("Content-Type: text/calendar; method=REPLY", "BEGIN:VCALENDAR"), inbox.ClassAutoReply)
	verify(t, mail("Subject: Accepted: call\nContent-Type: multipart/mixed; boundary=b", "--b\n\nAnn has accepted.\n--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--b--"), inbox.ClassAutoReply)
	verify(t, mail("Subject: my birthday\nContent-Type: multipart/mixed; boundary=b", "--b\n\nChange it, please.\n--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\n--b--"), "")
}

func TestMalformed(t *testing.T) {
	verify(t, "", inbox.ClassMalformed)
	verify(t, "\x00\xff\xfe garbage", inbox.ClassMalformed)
	verify(t, "Subject: only a subject\n\nhello\n", inbox.ClassNoSender)
}

func TestZeroConfig(t *testing.T) {
	m := parse.Message([]byte(mail("X-Spam-Flag: YES", "hello")), parse.Options{})
	if class, why := (Config{}).Check(m); class != "" {
		t.Errorf("the zero Config screens a person: %s (%s)", class, why)
	}
}

func verify(t *testing.T, raw string, want inbox.Class) {
	t.Helper()
	class, why := config.Check(parse.Message([]byte(raw), parse.Options{}))
	if class != want {
		t.Errorf("screened %q (%s), want %q", class, why, want)
	}
	if (class == "") != (why == "") {
		t.Errorf("class %q with the reason %q", class, why)
	}
	if strings.Contains(why, "@") {
		t.Errorf("the reason %q names somebody", why)
	}
}
