package parse

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestBombs feeds mails that are made to cost work. The limit is far above
// what they take, and far below what they would without one.
func TestBombs(t *testing.T) {
	nested := func(n int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String() + "\r\nhello"
	}
	for name, raw := range map[string]string{
		"nested parts":             nested(20000),
		"many parts":               head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 1000000),
		"many boundaries unclosed": nested(20) + strings.Repeat("--b1\r\n", 200000),
		"a long header":            "From: a@example.org\r\nSubject: " + strings.Repeat("x", 10<<20) + "\r\n\r\nhello",
		"many header lines":        strings.Repeat("A: b\r\n", 1000000) + "\r\nhello",
		"many folded lines":        "From: a@example.org\r\nSubject: x\r\n" + strings.Repeat(" y\r\n", 1000000) + "\r\nhello",
		"many beginnings of words": "From: a@example.org\r\nSubject: " + strings.Repeat("=?a?q?x", 40000) + "\r\n\r\nhello",
		"many encoded words":       "From: a@example.org\r\nSubject: " + strings.Repeat("=?koi8-r?q?a?= ", 17000) + "\r\n\r\nhello",
		"many quote marks":         head + "\r\n" + strings.Repeat(">", 10<<20),
		"lines that may introduce": head + "\r\n" + strings.Repeat("1 @:\n", 2<<20),
		"lines that nearly do":     head + "\r\n" + strings.Repeat("On 1 a@b.example schrieb am Di., 16. Aug. 2016\n", 200000),
		"lines of a header block":  head + "\r\n" + strings.Repeat("From: a\n", 1<<20),
		"open elements":            head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<div>", 400000) + "hello",
		"closed elements":          head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<i>", 900) + strings.Repeat("</b></i><i>", 200000),
		"an open tag":              head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<a href=", 400000),
		"open style sheets":        head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<style>a{", 300000),
		"many attributes":          head + "Content-Type: text/html\r\n\r\n<p " + strings.Repeat("style=a:b class=\"a b c\" ", 100000) + ">hello",
		"many classes":             head + "Content-Type: text/html\r\n\r\n<style>.a{color:red}</style>" + strings.Repeat("<i class='"+strings.Repeat("a ", 100)+"'>x</i>", 8000),
		"many addresses":           head + "Cc: " + strings.Repeat("a@example.org,", 15000) + "\r\n\r\nhello",
		"many IDs":                 head + "References: " + strings.Repeat("<<", 100000) + "\r\n\r\nhello",
		"many uuencoded files":     head + "\r\n" + strings.Repeat("begin 644 x\n#AAAA\n", 200000),
		"begins of no file":        head + "\r\n" + strings.Repeat("begin 644 x\n", 400000),
		"many passwords":           head + "\r\n" + strings.Repeat("password: a1b2c3\r\n", 20000),
		"words for passwords":      head + "\r\n" + strings.Repeat("password ", 40000),
		"passwords without an end": head + "\r\n" + strings.Repeat("password:", 40000),
		"open quotes":              head + "\r\n" + strings.Repeat("password \"", 40000),
		"many cards":               head + "\r\n" + strings.Repeat("4111 1111 1111 1111\r\n", 20000),
		"digits without an end":    head + "\r\n" + strings.Repeat("4111 ", 60000),
		"many bank accounts":       head + "\r\n" + strings.Repeat("DE89 3704 ", 40000),
		"many report groups":       head + "Content-Type: message/delivery-status\r\n\r\n" + strings.Repeat("A: b\r\n\r\n", 500000),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m := Message([]byte(raw), Options{})
			runtime.ReadMemStats(&after)
			if cost, most := after.TotalAlloc-before.TotalAlloc, uint64(20*len(raw)+32<<20); cost > most {
				t.Errorf("%d bytes were allocated for a mail of %d", cost, len(raw))
			} else {
				t.Logf("%d bytes were allocated for a mail of %d", cost, len(raw))
			}
			if len(m.Whole) > DefaultMaxText*2 {
				t.Errorf("%d bytes of text", len(m.Whole))
			}
		})
	}
}

func TestLimits(t *testing.T) {
	small := Options{MaxDepth: 2, MaxParts: 4, MaxText: 10, MaxHeader: 60}
	multi := "Content-Type: multipart/mixed; boundary=b\n\n"
	for _, c := range []struct{ name, raw, text, fault string }{
		{"text", "From: a@b.example\n\none two three four", "", "the text is too long; its end was left out"},
		{"short text", "From: a@b.example\n\none\ntwo\nthree four", "one\ntwo", "the text is too long; its end was left out"},
		{"parts", multi + strings.Repeat("--b\n\nx\n", 9), "x\n\nx\n\nx", "the mail has too many parts; the rest was left out"},
		{"depth", multi + "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: multipart/mixed; boundary=d\n\n--d\n\nx\n--d--\n--c\n\ny\n--c--\n--b--\n", "y",
			"parts are nested too deeply; the inner ones were left out"},
		{"header", "From: a@b.example\nSubject: s\nX-A: " + strings.Repeat("x", 50) + "\nX-B: y\n\nhello", "hello", "the header is too long; its end was left out"},
	} {
		m := Message([]byte(c.raw), small)
		if m.Text != c.text {
			t.Errorf("%s: text %q, want %q", c.name, m.Text, c.text)
		}
		if len(m.Faults) != 1 || m.Faults[0] != c.fault {
			t.Errorf("%s: faults %q, want %q", c.name, m.Faults, c.fault)
		}
	}
	if m := Message([]byte("From: a@b.example\nSubject: "+strings.Repeat("x", 99)+"\n\nhello"), small); m.Subject != strings.Repeat("x", 33) || m.Text != "hello" {
		t.Errorf("of a long header line %q was kept; the text is %q", m.Subject, m.Text)
	}
	if m := Message([]byte("From: a@b.example\nX-A: "+strings.Repeat("x", 99)+"\nFrom: c@d.example\n\nx"), small); m.From.Addr != "" {
		t.Error("a From line is trusted although a second one lies beyond the limit")
	}
}

// whole checks what must hold for every Message.
func whole(t *testing.T, raw []byte) {
	t.Helper()
	m := Message(raw, Options{})
	if m == nil {
		t.Fatal("no Message")
	}
	for what, s := range map[string]string{"Text": m.Text, "Whole": m.Whole, "Subject": m.Subject, "From.Name": m.From.Name, "ID": m.ID} {
		if !utf8.ValidString(s) {
			t.Errorf("%s is not UTF-8: %q", what, s)
		}
		if strings.ContainsAny(s, "\x00\r\x1b\u202e\u200b") {
			t.Errorf("%s is not clean: %q", what, s)
		}
	}
	if strings.Contains(m.Subject, "\n") || strings.Contains(m.From.Name, "\n") {
		t.Errorf("Subject %q or name %q has several lines", m.Subject, m.From.Name)
	}
	if (m.From.Addr == "") != (m.FromFault != "") {
		t.Errorf("From %q with the fault %q", m.From.Addr, m.FromFault)
	}
	if strings.Count(m.From.Addr, "@") > 1 {
		t.Errorf("From %q", m.From.Addr)
	}
	if len(m.Text) > len(m.Whole) {
		t.Errorf("Text %q is longer than Whole %q", m.Text, m.Whole)
	}
	if again := Message(raw, Options{}); again.Digest != m.Digest || again.Text != m.Text {
		t.Error("the same mail is not read the same again")
	}
}

// TestPreformattedToTheLimit ends preformatted text at the limit, also when a
// line ends just there.
func TestPreformattedToTheLimit(t *testing.T) {
	for limit := range 8 {
		lines, _ := htmlLines("<pre>abc\nd\n\nef\n</pre>g", limit)
		if n := size(lines); n > limit+len(lines) {
			t.Errorf("limit %d: %d bytes in %d lines", limit, n, len(lines))
		}
	}
}
