package parse

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// want is what a testdata mail must be read as. What a file does not name must
// be empty, except the text when only a part of it is given.
type want struct {
	From        string
	Fault       string
	Subject     string
	ID          string // not compared when empty
	Text        string
	TextPart    string
	Hidden      bool
	Attachments []string
	Faults      []string
	Report      *inbox.Report
}

// TestMessage reads every mail in testdata; its name says what is odd.
func TestMessage(t *testing.T) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatal("no mails in testdata", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".eml"), func(t *testing.T) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(strings.TrimSuffix(f, ".eml") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var w want
			if err := json.Unmarshal(b, &w); err != nil {
				t.Fatal(err)
			}
			compare(t, Message(raw, Options{}), w)
		})
	}
}

func compare(t *testing.T, m *inbox.Message, w want) {
	t.Helper()
	equal := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	equal("From", m.From.Addr, w.From)
	equal("FromFault", m.FromFault, w.Fault)
	equal("Subject", m.Subject, w.Subject)
	if w.ID != "" {
		equal("ID", m.ID, w.ID)
	}
	if w.TextPart == "" {
		equal("Text", m.Text, w.Text)
	} else if !strings.Contains(m.Text, w.TextPart) {
		t.Errorf("Text: %q has no %q", m.Text, w.TextPart)
	}
	equal("Hidden", m.Hidden, w.Hidden)
	equal("Attachments", m.Attachments, w.Attachments)
	equal("Faults", m.Faults, w.Faults)
	if (m.Report == nil) != (w.Report == nil) || m.Report != nil && !reflect.DeepEqual(*m.Report, *w.Report) {
		t.Errorf("Report: %+v, want %+v", m.Report, w.Report)
	}
}

const head = "From: Ann <ann@example.org>\r\nTo: support@site.test\r\nSubject: hello\r\n"

// authors are From lines and what they are read as.
var authors = []struct{ from, addr, name, fault string }{
	{"ann@example.org", "ann@example.org", "", ""},
	{"Ann <Ann@Example.ORG>", "Ann@example.org", "Ann", ""},
	{`"Doe, Ann" <ann@example.org>`, "ann@example.org", "Doe, Ann", ""},
	{"John Q. Public <j@example.org>", "j@example.org", "John Q. Public", ""},
	{"=?utf-8?b?0JbQsNC90L3QsA==?= <z@example.org>", "z@example.org", "Жанна", ""},
	{"=?klingon?q?Worf?= <w@example.org>", "w@example.org", "Worf", ""},
	{"=?utf-7?Q?+BBYEMAQ9BD0EMA-?= <z@example.org>", "z@example.org", "Жанна", ""},
	{"=?utf-7?Q?boss+AEA-site.test?= <z@example.org>", "", "", "the display name looks like another address"},
	{"\xc6\xe0\xed\xed\xe0 <z@example.org>", "z@example.org", "Жанна", ""},
	{`"ann@example.org" <ann@example.org>`, "ann@example.org", "ann@example.org", ""},
	{"Anna <anna@почта.рф>", "anna@xn--80a1acny.xn--p1ai", "Anna", ""},
	{"Bob @ Work <bob@example.org>", "", "", "several addresses in From"},
	{"", "", "", "the From line is empty"},
	{"Ann", "", "", "no address in From"},
	{"a@example.org, b@example.org", "", "", "several addresses in From"},
	{"<a@example.org> <b@example.org>", "", "", "several addresses in From"},
	{"a@b@example.org", "", "", "several addresses in From"},
	{"Team: a@example.org;", "", "", "a group or a route in From"},
	{"<@relay.example:a@example.org>", "", "", "several addresses in From"},
	{"a@example.org (Ann)", "", "", "a comment in From"},
	{"Ann <=?utf-8?q?a=40example.org?=>", "", "", "an encoded address in From"},
	{"Ann <ann@example.org", "", "", "text after the address in From"},
	{"<ann@example.org> Ann", "", "", "text after the address in From"},
	{`"Ann <ann@example.org>`, "", "", "an open quote in From"},
	{`"a@b"@example.org`, "", "", "From holds no plain address"},
	{"Ann\x00 <ann@example.org>", "", "", "a bare CR or NUL in the From line"},
	{"Ann\x07 <ann@example.org>", "", "", "a control character in From"},
	{`"boss@site.test" <ann@example.org>`, "", "", "the display name looks like another address"},
	{`"boss＠site.test" <ann@example.org>`, "", "", "the display name looks like another address"},
	{"=?utf-8?q?boss=40site=2Etest?= <ann@example.org>", "", "", "the display name looks like another address"},
	{"An\u202en <ann@example.org>", "", "", "the display name turns the direction of writing"},
	{"An\u200bn <ann@example.org>", "", "", "an invisible character in the display name (U+200B)"},
	{"Ann\u3164 <ann@example.org>", "", "", "an invisible character in the display name (U+3164)"},
	{"\u3164 <ann@example.org>", "", "", "an invisible character in the display name (U+3164)"},
	{"A\u115fnn <ann@example.org>", "", "", "an invisible character in the display name (U+115F)"},
	{"A\u1160nn <ann@example.org>", "", "", "an invisible character in the display name (U+1160)"},
	{"A\uffa0nn <ann@example.org>", "", "", "an invisible character in the display name (U+FFA0)"},
	{"A\u17b4nn <ann@example.org>", "", "", "an invisible character in the display name (U+17B4)"},
	{"A\u2800nn <ann@example.org>", "", "", "an invisible character in the display name (U+2800)"},
	{"A\u206ann <ann@example.org>", "", "", "an invisible character in the display name (U+206A)"},
	{"A\ufff0nn <ann@example.org>", "", "", "an invisible character in the display name (U+FFF0)"},
	{"A\u180bnn <ann@example.org>", "", "", "an invisible character in the display name (U+180B)"},
	{"A\ufe0fnn <ann@example.org>", "", "", "an invisible character in the display name (U+FE0F)"},
	{"A\u200dnn <ann@example.org>", "", "", "an invisible character in the display name (U+200D)"},
	{"А\u200cнна <ann@example.org>", "", "", "an invisible character in the display name (U+200C)"},
	{"Ann\U000e0061\U000e007f <ann@example.org>", "", "", "an invisible character in the display name (U+E0061)"},
	{"Ann\U000e0001 <ann@example.org>", "", "", "an invisible character in the display name (U+E0001)"},
	{"Ann\U000e0100 <ann@example.org>", "", "", "an invisible character in the display name (U+E0100)"},
	{"A\U0001d173nn <ann@example.org>", "", "", "an invisible character in the display name (U+1D173)"},
	{"=?utf-8?q?Ann=E3=85=A4?= <ann@example.org>", "", "", "an invisible character in the display name (U+3164)"},
	{"Ann ❤\ufe0f <ann@example.org>", "ann@example.org", "Ann ❤\ufe0f", ""},
	{"Ann 👩\u200d💻 <ann@example.org>", "ann@example.org", "Ann 👩\u200d💻", ""},
	{"محمد\u200cرضا <ann@example.org>", "ann@example.org", "محمد\u200cرضا", ""},
	{"葛\U000e0100城 <ann@example.org>", "ann@example.org", "葛\U000e0100城", ""},
	{"alice@vic\u00adtim.org", "", "", "the domain in From holds characters that are read as others"},
	{"Alice <alice@vic\u200btim.org>", "", "", "the domain in From holds characters that are read as others"},
	{"alice@ｖictim.org", "", "", "the domain in From holds characters that are read as others"},
	{"alice@victim。org", "", "", "the domain in From holds characters that are read as others"},
	{"alice@\u212aelvin.org", "", "", "the domain in From holds characters that are read as others"},
	{"alice@ⓥictim.org", "", "", "the domain in From holds characters that are read as others"},
	{"alice@ſite.test", "", "", "the domain in From holds characters that are read as others"},
	{"alice@cafe\u0301.fr", "", "", "the domain in From holds characters that are read as others"},
	{"al\u3164ice@victim.org", "", "", "an invisible character in the address in From (U+3164)"},
	{"Anna <anna@ПОЧТА.РФ>", "anna@xn--80a1acny.xn--p1ai", "Anna", ""},
	{"anna@straße.de", "anna@xn--strae-oqa.de", "", ""},
	{"anna@xn--80a1acny.xn--p1ai", "anna@xn--80a1acny.xn--p1ai", "", ""},
}

func TestAuthor(t *testing.T) {
	for _, c := range authors {
		m := Message([]byte("From: "+c.from+"\r\nSubject: x\r\n\r\nhello"), Options{})
		if m.From.Addr != c.addr || m.From.Name != c.name || m.FromFault != c.fault {
			t.Errorf("From: %q read as %q, %q, %q; want %q, %q, %q", c.from, m.From.Addr, m.From.Name, m.FromFault, c.addr, c.name, c.fault)
		}
	}
}

func TestDoubledLines(t *testing.T) {
	for _, s := range single {
		raw := "From: a@example.org\r\n" + strings.ToUpper(s.name) + ": x@example.org\r\n" + s.name + ": x@example.org\r\n\r\nhello"
		if m := Message([]byte(raw), Options{}); m.From.Addr != "" || !strings.HasSuffix(m.FromFault, " "+s.shown+" lines") {
			t.Errorf("a doubled %s: From %q, fault %q", s.name, m.From.Addr, m.FromFault)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"<a@b>", []string{"a@b"}},
		{"<a@b>,<c@d> <a@b>", []string{"a@b", "c@d"}},
		{"a@b", []string{"a@b"}},
		{"<a>", []string{"a"}},
		{"< a@b >", []string{"a@b"}},
		{"<a@b@c>", []string{"a@b@c"}},
		{"<a@b", []string{"a@b"}},
		{"<x <a@b>", []string{"a@b"}},
		{`Your mail of Monday "x" <a@b>`, []string{"a@b"}},
		{"no ID", nil},
		{"<>", nil},
		{"", nil},
	} {
		if got := messageIDs(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("messageIDs(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	many := messageIDs(strings.Repeat("<a@b>", 5) + numbered(500))
	if len(many) != 100 || many[99] != "499@x" {
		t.Errorf("of many IDs %d were kept, the last is %q; want the last 100", len(many), many[len(many)-1])
	}
}

func TestDigest(t *testing.T) {
	raw := head + "Date: Mon, 5 Oct 2026 10:00:00 +0500\r\nMessage-ID: <1@example.org>\r\n\r\nOne\r\nTwo\r\n"
	base := Message([]byte(raw), Options{}).Digest
	for name, same := range map[string]string{
		"a Received line":        "Received: from a by b\r\n" + raw,
		"LF line ends":           strings.ReplaceAll(raw, "\r\n", "\n"),
		"empty lines at the end": raw + "\r\n\r\n",
		"another Delivered-To":   "Delivered-To: privacy@site.test\r\n" + raw,
		"a folded To":            strings.Replace(raw, "To: support", "To:\r\n support", 1),
	} {
		if Message([]byte(same), Options{}).Digest != base {
			t.Errorf("%s changes the digest", name)
		}
	}
	for _, change := range [][2]string{{"ann@", "eve@"}, {"support@", "help@"}, {"10:00", "10:01"}, {"<1@", "<2@"}, {"Two", "Three"}, {"One\r\n", "One"}} {
		other := strings.Replace(raw, change[0], change[1], 1)
		if Message([]byte(other), Options{}).Digest == base {
			t.Errorf("%q for %q leaves the digest as it was", change[1], change[0])
		}
	}
}

// TestForm: what a body is read by is told apart, whatever servers put around it.
func TestForm(t *testing.T) {
	raw := head + "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n\r\nOne\r\n"
	base := Message([]byte(raw), Options{})
	for name, same := range map[string]string{
		"a Received line":  "Received: from a by b\r\n" + raw,
		"LF line ends":     strings.ReplaceAll(raw, "\r\n", "\n"),
		"a folded Subject": strings.Replace(raw, "Subject: ", "Subject:\r\n ", 1),
	} {
		if Message([]byte(same), Options{}).Form != base.Form {
			t.Errorf("%s changes the form", name)
		}
	}
	for _, change := range [][2]string{{"Subject: ", "Subject: Re: "}, {"text/plain", "text/html"}, {"7bit", "base64"},
		{"Content-Type: text/plain\r\n", ""}, {"Content-Type", "Content-Disposition: attachment\r\nContent-Type"}, {"Content-Type", "Subject: x\r\nContent-Type"}} {
		other := Message([]byte(strings.Replace(raw, change[0], change[1], 1)), Options{})
		if other.Form == base.Form || other.Digest != base.Digest {
			t.Errorf("%q for %q: another form %t, the same digest %t", change[1], change[0], other.Form != base.Form, other.Digest == base.Digest)
		}
	}
}

func TestHeader(t *testing.T) {
	raw := head + "Auto-Submitted: auto-replied\r\nLIST-ID: =?utf-8?q?Caf=C3=A9?= <c.example>\r\nX-Secret: no\r\nprecedence : bulk\r\n" +
		"Cc: B <b@Example.org>, broken, \"C, D\" <c@example.org>\r\nIn-Reply-To: <r1@site.test>\r\nReferences: <r0@site.test>\r\n <r1@site.test>\r\n\r\nx"
	m := Message([]byte(raw), Options{})
	if got := m.Header.Get("Auto-Submitted"); got != "auto-replied" {
		t.Errorf("Auto-Submitted: %q", got)
	}
	if got := m.Header.Get("List-Id"); got != "Café <c.example>" {
		t.Errorf("List-Id: %q", got)
	}
	if got := m.Header.Get("Precedence"); got != "bulk" {
		t.Errorf("Precedence: %q", got)
	}
	if _, ok := m.Header["X-Secret"]; ok {
		t.Error("a header that nobody reads was kept")
	}
	if want := []inbox.Address{{Name: "B", Addr: "b@example.org"}, {Name: "C, D", Addr: "c@example.org"}}; !reflect.DeepEqual(m.Cc, want) {
		t.Errorf("Cc: %q, want %q", m.Cc, want)
	}
	if want := []string{"r0@site.test", "r1@site.test"}; !reflect.DeepEqual(m.References, want) || !reflect.DeepEqual(m.InReplyTo, want[1:]) {
		t.Errorf("References %q, In-Reply-To %q", m.References, m.InReplyTo)
	}
}

func TestDate(t *testing.T) {
	for in, want := range map[string]string{
		"Mon, 5 Oct 2026 10:00:00 +0500":        "2026-10-05T05:00:00Z",
		"5 Oct 2026 10:00 GMT":                  "2026-10-05T10:00:00Z",
		"Mon, 5 Oct 2026 10:00:00 +0500 (ALMT)": "2026-10-05T05:00:00Z",
		"yesterday":                             "0001-01-01T00:00:00Z",
		"":                                      "0001-01-01T00:00:00Z",
	} {
		if got := Message([]byte("Date: "+in+"\r\n\r\n"), Options{}).Date.UTC().Format("2006-01-02T15:04:05Z"); got != want {
			t.Errorf("Date: %q read as %s, want %s", in, got, want)
		}
	}
}

func TestGuess(t *testing.T) {
	for _, s := range []string{"Да", "ИРИНА", "Сколько можно писать мне Арина!!!", "НЕ НАДО, Я ПЕРЕДУМАЛ", "подтверждаю", "e-mail: поменяйте",
		"удалите мой аккаунт", "Удалите мой аккаунт", "удалить", "УДАЛИТЕ МЕНЯ", "нет", "Нет", "стоп", "Спасибо", "да, подтверждаю", "Пришлите копию моих данных",
		"мой новый адрес: г. Алматы, ул. Абая, д. 5", "Меня зовут Щукина Юлия", "Всё верно", "хочу сменить имя на Цой", "отпишите"} {
		for _, cs := range []string{"windows-1251", "koi8-r", "iso-8859-5"} {
			if got := guess(encode(t, cs, s)); got != s {
				t.Errorf("%s in %s guessed as %s", s, cs, got)
			}
		}
	}
	for _, s := range []string{"видаліть мій акаунт", "Її ім'я", "є питання", "Ґудзь", "так", "Підтверджую", "Змініть прізвище на Їжакевич", "Дякую"} {
		for _, cs := range []string{"windows-1251", "koi8-u", "iso-8859-5"} {
			if cs == "iso-8859-5" && strings.ContainsAny(s, "Ґґ") {
				continue // it has no such letter
			}
			if got := guess(encode(t, cs, s)); got != s {
				t.Errorf("%s in %s guessed as %s", s, cs, got)
			}
		}
	}
	for _, s := range []string{"Grüße", "C'était très bien, écrivez à Zoë", "señor Núñez", "Ärger mit Ö", "naïve café", "50 € — “ok”"} {
		if got := guess(encode(t, "windows-1252", s)); got != s {
			t.Errorf("%s in windows-1252 guessed as %s", s, got)
		}
	}
}
