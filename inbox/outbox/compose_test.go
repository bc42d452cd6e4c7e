package outbox

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"

	"push.guru/supportd/inbox"
)

var composed = time.Date(2026, 3, 1, 10, 20, 30, 0, time.FixedZone("", 5*3600))

// detail is a Reply that a test changes where it needs to.
func detail(change func(*inbox.ReplyDetail)) *inbox.ReplyDetail {
	d := &inbox.ReplyDetail{
		MessageID: "a.1.A-000001@site.test",
		From:      inbox.Address{Name: "Site support", Addr: "support@site.test"},
		To:        "bob@example.org",
		Subject:   "Re: hello",
		Text:      "Good day,\n\nyes.\n",
	}
	if change != nil {
		change(d)
	}
	return d
}

// compose renders d and checks what holds for every mail: CRLF, seven bits,
// short lines, no header that says more than it must.
func compose(t *testing.T, d *inbox.ReplyDetail, files []inbox.File, auto AutoSubmitted) *message.Entity {
	t.Helper()
	b, err := Compose(d, files, composed, auto)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(b, []byte("\r\n")) != bytes.Count(b, []byte("\n")) || bytes.Count(b, []byte("\r")) != bytes.Count(b, []byte("\n")) {
		t.Error("a line end is not CRLF")
	}
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		t.Error("the last line has no end")
	}
	if bytes.ContainsFunc(b, func(r rune) bool { return r >= 0x80 || r == 0 }) {
		t.Error("a byte is not plain ASCII")
	}
	for _, name := range []string{"Subject", "From"} {
		if bytes.Contains(b, []byte("\r\n"+name+":\r\n")) {
			t.Errorf("%s begins with an empty line", name)
		}
	}
	for line := range bytes.SplitSeq(b, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line has %d octets", len(line))
		}
		if len(line) > 0 && len(bytes.TrimSpace(line)) == 0 {
			t.Error("a line has blanks only")
		}
	}
	e, err := message.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("reading it back: %v\n%s", err, b)
	}
	allowed := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "In-Reply-To",
		"Message-Id", "Mime-Version", "References", "Reply-To", "Subject", "To", "X-Auto-Response-Suppress", "X-Supportd-Loop"}
	seen := map[string]bool{}
	for f := e.Header.Fields(); f.Next(); {
		if !slices.Contains(allowed, f.Key()) {
			t.Errorf("unexpected header %s", f.Key())
		}
		if seen[f.Key()] {
			t.Errorf("header %s occurs twice", f.Key())
		}
		seen[f.Key()] = true
	}
	return e
}

// part is one leaf of a mail read back.
type part struct {
	media, name, disposition string
	body                     string
}

func parts(t *testing.T, e *message.Entity) []part {
	t.Helper()
	var out []part
	err := e.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		media, _, err := e.Header.ContentType()
		if err != nil || strings.HasPrefix(media, "multipart/") {
			return err
		}
		p := part{media: media}
		if e.Header.Has("Content-Disposition") {
			disposition, params, err := e.Header.ContentDisposition()
			if err != nil {
				return err
			}
			p.disposition, p.name = disposition, params["filename"]
		}
		b, err := io.ReadAll(e.Body)
		p.body = string(b)
		out = append(out, p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestComposeRoundTrip(t *testing.T) {
	zip := bytes.Repeat([]byte{0, 1, 0xff, '\n', '.', '\r'}, 5000)
	d := detail(func(d *inbox.ReplyDetail) {
		d.From.Name = "Поддержка «Сайт»"
		d.Subject = "Re: Өтінемін, удалите мой аккаунт — пожалуйста, и как можно скорее, спасибо"
		d.InReplyTo = "q@example.org"
		d.References = []string{"p@example.org", "q@example.org"}
		d.Text = "Здравствуйте!\n.\n\nFrom now on  \nҚош болыңыз\n" + strings.Repeat("слово ", 400) + "\n"
		d.HTML = "<p>Здравствуйте!</p>\n"
	})
	files := []inbox.File{{Name: "мои данные.zip", Type: "application/zip", Bytes: zip}, {Name: "data.json", Type: `application/json; charset="utf-8"`, Bytes: []byte("{}")}}
	e := compose(t, d, files, AutoReplied)

	for key, want := range map[string]string{
		"Subject": d.Subject, "Message-Id": "<" + d.MessageID + ">", "Date": "Sun, 01 Mar 2026 10:20:30 +0500", "To": "<bob@example.org>",
		"In-Reply-To": "<q@example.org>", "References": "<p@example.org> <q@example.org>", "Auto-Submitted": "auto-replied",
		"X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply", "Mime-Version": "1.0", "X-Supportd-Loop": "<" + d.MessageID + ">",
	} {
		if got, err := e.Header.Text(key); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", key, got, err, want)
		}
	}
	from, err := mail.ParseAddress(e.Header.Get("From"))
	if err != nil || *from != (mail.Address{Name: d.From.Name, Address: d.From.Addr}) {
		t.Errorf("From: got %v, %v", from, err)
	}
	want := []part{
		{"text/plain", "", "", strings.ReplaceAll(d.Text, "\n", "\r\n")},
		{"text/html", "", "", strings.ReplaceAll(d.HTML, "\n", "\r\n")},
		{"application/zip", "мои данные.zip", "attachment", string(zip)},
		{"application/json", "data.json", "attachment", "{}"},
	}
	if got := parts(t, e); !slices.Equal(got, want) {
		t.Errorf("got parts %.300q\nwant %.300q", got, want)
	}
}

func TestComposePlain(t *testing.T) {
	e := compose(t, detail(nil), nil, AutoNone)
	got := parts(t, e)
	if len(got) != 1 || got[0].body != "Good day,\r\n\r\nyes.\r\n" || got[0].media != "text/plain" {
		t.Errorf("got %q", got)
	}
	for _, key := range []string{"Auto-Submitted", "X-Auto-Response-Suppress", "In-Reply-To", "References"} {
		if e.Header.Has(key) {
			t.Errorf("has %s: %s", key, e.Header.Get(key))
		}
	}
}

// TestComposeReplyTo: a question says where its answer arrives, in one line that
// servers and mail programs read alike; From stays who we log in as.
func TestComposeReplyTo(t *testing.T) {
	const at = "support+4pda46x6nw2c4zskf6jw7v6qvv@site.test"
	for name, want := range map[string]string{
		"":             "Reply-To: <" + at + ">\r\n",
		"Site support": "Reply-To: \"Site support\" <" + at + ">\r\n",
		"Поддержка «Сайт» и его друзья":   "Reply-To: =?UTF-8?B?",
		"Eve\" <eve@evil.test>\r\nBcc: x": "Reply-To: \"",
	} {
		d := detail(func(d *inbox.ReplyDetail) { d.From.Name, d.ReplyTo = name, at })
		e := compose(t, d, nil, AutoReplied)
		to, err := mail.ParseAddressList(e.Header.Get("Reply-To"))
		if err != nil || len(to) != 1 || to[0].Address != at || to[0].Name != headerText(name) {
			t.Errorf("%q: Reply-To %v, %v", name, to, err)
		}
		if from, err := mail.ParseAddress(e.Header.Get("From")); err != nil || from.Address != "support@site.test" {
			t.Errorf("%q: From %v, %v", name, from, err)
		}
		b, err := Compose(d, nil, composed, AutoReplied)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte("\r\n"+want)) {
			t.Errorf("%q: no %q in\n%s", name, want, b)
		}
		header, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
		for line := range bytes.SplitSeq(header, []byte("\r\n")) {
			if len(line) > 78 {
				t.Errorf("%q has %d octets", line, len(line))
			}
		}
	}
	if e := compose(t, detail(nil), nil, AutoReplied); e.Header.Has("Reply-To") {
		t.Errorf("a mail that asks for no answer elsewhere has Reply-To: %s", e.Header.Get("Reply-To"))
	}
}

// TestComposeFolds: a header's text begins beside its name, since some mail
// programs take an empty first line for the whole of it; what is ASCII at its
// ends stays readable; and no line is longer than 78 octets.
func TestComposeFolds(t *testing.T) {
	for subject, want := range map[string]string{
		"Re: hello [#4PDA46X6NW2C4ZSKF6JW7V6QVV]": "Subject: Re: hello [#4PDA46X6NW2C4ZSKF6JW7V6QVV]\r\n",
		"Re: Пожалуйста, удалите мой аккаунт и все мои данные с вашего сайта [#4PDA46X6NW2C4ZSKF6JW7V6QVV]": "Subject: Re: =?UTF-8?B?",
		"Это вы написали в поддержку Push.Guru?":                                                            "Subject: =?UTF-8?B?",
		"Re: Қ":                                     "Subject: Re: =?UTF-8?B?0po=?=\r\n",
		"Re: my café and the rest":                  "Subject: Re: my =?UTF-8?B?Y2Fmw6k=?= and the rest\r\n",
		"Re: " + strings.Repeat("ж", 150):           "Subject: Re: =?UTF-8?B?",
		"Re: " + strings.Repeat("x", 150):           "Subject: Re: =?UTF-8?B?",
		"Re: " + strings.Repeat("😀", 60):            "Subject: Re: =?UTF-8?B?",
		"Re: " + strings.Repeat("plain words ", 12): "Subject: Re: plain words",
		"Re: e\u0301 " + strings.Repeat("a ж ", 40): "Subject: Re: =?UTF-8?B?",
	} {
		for _, name := range []string{"Site", "Поддержка «Сайт» и его друзья", "Doe, John (Ж)"} {
			d := detail(func(d *inbox.ReplyDetail) { d.Subject, d.From.Name = subject, name })
			e := compose(t, d, nil, AutoReplied)
			if got, err := e.Header.Text("Subject"); err != nil || got != strings.TrimSpace(subject) {
				t.Errorf("subject %q, %v; want %q", got, err, subject)
			}
			if from, err := mail.ParseAddress(e.Header.Get("From")); err != nil || from.Name != name {
				t.Errorf("From %v, %v; want %q", from, err, name)
			}
			b, err := Compose(d, nil, composed, AutoReplied)
			if err != nil {
				t.Fatal(err)
			}
			header, _, _ := bytes.Cut(b, []byte("\r\n\r\n"))
			if !bytes.Contains(header, []byte("\r\n"+want)) {
				t.Errorf("the subject does not begin with %q:\n%s", want, header)
			}
			for line := range bytes.SplitSeq(header, []byte("\r\n")) {
				if len(line) > 78 {
					t.Errorf("%q has %d octets", line, len(line))
				}
			}
		}
	}
}

// TestComposeHostile puts into every text what would become a header, a part
// or another mail. compose checks that no header was added.
func TestComposeHostile(t *testing.T) {
	const bcc = "\r\nBcc: eve@evil.test\r\n\r\n<b>evil</b>\r\n.\r\nMAIL FROM:<eve@evil.test>"
	tests := map[string]func(*inbox.ReplyDetail){
		"subject": func(d *inbox.ReplyDetail) { d.Subject = "Re: hi" + bcc },
		"subject of blanks": func(d *inbox.ReplyDetail) {
			d.Subject = strings.Repeat(" ", 3000) + "x" + strings.Repeat("\t \n", 90) + "y"
		},
		"long word":          func(d *inbox.ReplyDetail) { d.Subject = strings.Repeat("x", 5000) },
		"long Cyrillic word": func(d *inbox.ReplyDetail) { d.Subject = strings.Repeat("ж", 5000) },
		"encoded word":       func(d *inbox.ReplyDetail) { d.Subject = "=?utf-8?q?a=0D=0ABcc:_eve@evil.test?=" },
		"invalid UTF-8":      func(d *inbox.ReplyDetail) { d.Subject, d.Text = "a\xff\xfeb", "a\xff\xfeb" },
		"direction":          func(d *inbox.ReplyDetail) { d.Subject = "a\u202eb\u2066c\u2028d" },
		"name":               func(d *inbox.ReplyDetail) { d.From.Name = "Site\" <eve@evil.test>, \"x" + bcc },
		"name encoded":       func(d *inbox.ReplyDetail) { d.From.Name = "=?utf-8?q?x=22=0D=0ABcc:_eve?=" },
		"long name":          func(d *inbox.ReplyDetail) { d.From.Name = strings.Repeat("x y", 2000) },
		"parent":             func(d *inbox.ReplyDetail) { d.InReplyTo = "x@y>" + bcc },
		"references": func(d *inbox.ReplyDetail) {
			d.References = []string{"x@y" + bcc, "<a@b>", "", "a@b c@d", strings.Repeat("x", 2000) + "@y"}
		},
		"text":     func(d *inbox.ReplyDetail) { d.Text = "x\r\n.\r\nQUIT\r\x00\x1b[2J\rlone" },
		"boundary": func(d *inbox.ReplyDetail) { d.Text, d.HTML = "--x\n--x--\n", "--x--" },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			d := detail(change)
			e := compose(t, d, nil, AutoReplied)
			subject, err := e.Header.Text("Subject")
			if err != nil || strings.ContainsAny(subject, "\r\n\u202e\u2028") {
				t.Errorf("subject %q, %v", subject, err)
			}
			from, err := mail.ParseAddress(e.Header.Get("From"))
			if err != nil || from.Address != "support@site.test" {
				t.Errorf("From %v, %v", from, err)
			}
			if got := e.Header.Get("To"); got != "<bob@example.org>" {
				t.Errorf("To %q", got)
			}
		})
	}
}

func TestComposeHostileFile(t *testing.T) {
	tests := []struct{ name, media, wantName, wantMedia string }{
		{"a.zip\"\r\nContent-Type: text/html\r\n\r\n<b>", "application/zip", "a.zip_ Content-Type_ text_html _b_", "application/zip"},
		{"../../etc/passwd", "text/plain", ".._.._etc_passwd", "text/plain"},
		{"a.json", "text/html\r\nX-Evil: 1", "a.json", "application/octet-stream"},
		{"a.json", "", "a.json", "application/octet-stream"},
		{"a.json", "json", "a.json", "application/octet-stream"},
		{"a.json", `multipart/mixed; boundary="x"`, "a.json", "application/octet-stream"},
		{"", "text/csv", "attachment", "text/csv"},
		{".csv", "text/csv", "attachment.csv", "text/csv"},
		{strings.Repeat("ж", 500) + ".csv", "text/csv", strings.Repeat("ж", 60) + ".csv", "text/csv"},
	}
	for _, test := range tests {
		e := compose(t, detail(nil), []inbox.File{{Name: test.name, Type: test.media, Bytes: []byte("x")}}, AutoReplied)
		got := parts(t, e)
		want := part{test.wantMedia, test.wantName, "attachment", "x"}
		if len(got) != 2 || got[1] != want {
			t.Errorf("%q %q: got %q, want %q", test.name, test.media, got, want)
		}
	}
}

func TestComposeThread(t *testing.T) {
	var ids []string
	for i := range 300 {
		ids = append(ids, string(rune('a'+i%26))+strings.Repeat("x", i%9)+"."+strings.Repeat("1", i/26)+"@example.org")
	}
	e := compose(t, detail(func(d *inbox.ReplyDetail) { d.References, d.InReplyTo = ids, "last@example.org" }), nil, AutoReplied)
	refs := strings.Fields(e.Header.Get("References"))
	if len(refs) != 21 || refs[0] != "<"+ids[0]+">" || refs[1] != "<"+ids[281]+">" || refs[20] != "<last@example.org>" {
		t.Errorf("got %d references: %q", len(refs), refs)
	}
}

func TestComposeRefuses(t *testing.T) {
	tests := map[string]func(*inbox.ReplyDetail){
		"no recipient":          func(d *inbox.ReplyDetail) { d.To = "" },
		"two recipients":        func(d *inbox.ReplyDetail) { d.To = "a@example.org, b@example.org" },
		"recipient with header": func(d *inbox.ReplyDetail) { d.To = "a@example.org\r\nBcc: b@example.org" },
		"two to reply to":       func(d *inbox.ReplyDetail) { d.ReplyTo = "a@site.test, b@site.test" },
		"reply to with header":  func(d *inbox.ReplyDetail) { d.ReplyTo = "a@site.test\r\nBcc: b@example.org" },
		"sender with name":      func(d *inbox.ReplyDetail) { d.From.Addr = "Support <support@site.test>" },
		"no Message-ID":         func(d *inbox.ReplyDetail) { d.MessageID = "" },
		"Message-ID brackets":   func(d *inbox.ReplyDetail) { d.MessageID = "<a@b>" },
		"Message-ID not ASCII":  func(d *inbox.ReplyDetail) { d.MessageID = "ж@b" },
	}
	for name, change := range tests {
		b, err := Compose(detail(change), nil, composed, AutoReplied)
		if err == nil {
			t.Errorf("%s: composed %q", name, b)
		} else if strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: the error holds an address: %v", name, err)
		}
	}
	if _, err := Compose(detail(nil), nil, composed, "yes\r\nBcc: x"); err == nil {
		t.Error("took any word for Auto-Submitted")
	}
}

// FuzzCompose checks that no text adds a header or a recipient, and that what
// was composed may be sent.
func FuzzCompose(f *testing.F) {
	f.Add("Re: hello", "Bob", "q@example.org", "text\r\n.\r\n", "<p>", "a.zip", "application/zip")
	f.Add("=?utf-8?b?DQo=?=\r\nBcc: x@y", "\"<a@b>", "x@y>\r\nX: 1", "--\n\r\x00", "", "\"\r\n\r\n", "a/b; c=\"\r\n\"")
	f.Add(strings.Repeat(" ж", 300), "\u202e", "<>", "", "\xff", "=?x?q?y?=", "*/*")
	f.Fuzz(func(t *testing.T, subject, name, id, text, html, file, media string) {
		d := detail(func(d *inbox.ReplyDetail) {
			d.Subject, d.From.Name, d.InReplyTo, d.References, d.Text, d.HTML = subject, name, id, []string{id, "r@example.org"}, text, html
		})
		e := compose(t, d, []inbox.File{{Name: file, Type: media, Bytes: []byte(text)}}, AutoGenerated)
		want := 2
		if html != "" {
			want = 3
		}
		got := parts(t, e)
		if len(got) != want || got[want-1].body != text || got[want-1].disposition != "attachment" {
			t.Errorf("got parts %q", got)
		}
		if s, err := new(mime.WordDecoder).DecodeHeader(e.Header.Get("Subject")); err != nil || strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("subject %q, %v", s, err)
		}
		if from, err := mail.ParseAddress(e.Header.Get("From")); err != nil || from.Address != d.From.Addr {
			t.Errorf("From %q: %v", e.Header.Get("From"), err)
		}
	})
}

// TestComposeAllocates: beside the mail itself only the buffer grows into which
// the library encodes a part.
func TestComposeAllocates(t *testing.T) {
	const size = 11 << 20
	files := []inbox.File{{Name: "copy.zip", Type: "application/zip", Bytes: make([]byte, size)}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b, err := Compose(detail(nil), files, composed, AutoReplied)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	got := after.TotalAlloc - before.TotalAlloc
	t.Logf("a mail of %d bytes took %d", len(b), got)
	if most := uint64(len(b)) * 9 / 2; got > most && !raced {
		t.Errorf("composing a mail of %d bytes took %d, want %d at most", len(b), got, most)
	}
}

// TestRoughly: the buffer of a mail is large enough, and not much larger, in every
// script.
func TestRoughly(t *testing.T) {
	for name, text := range map[string]string{
		"Latin":    strings.Repeat("Your data were deleted. ", 300),
		"Cyrillic": strings.Repeat("Ваши данные удалены. ", 300),
		"lines":    strings.Repeat("ә\n", 2000),
		"equals":   strings.Repeat("=", 5000),
		"nothing":  "",
	} {
		d := &inbox.ReplyDetail{MessageID: "a@site.test", From: inbox.Address{Addr: "support@site.test"}, To: "alice@users.test", Subject: "Re: data", Text: text, HTML: text}
		b, err := Compose(d, nil, time.Now(), AutoReplied)
		if err != nil {
			t.Fatal(err)
		}
		if room := roughly(d, nil); len(b) > room || room > len(b)+8<<10 {
			t.Errorf("%s: %d bytes in room for %d", name, len(b), room)
		}
	}
}
