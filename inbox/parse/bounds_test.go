package parse

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// TestBounds reads mails that are far larger or deeper than any that is
// fetched. What stays in memory and what reading takes is within three times
// the size of the largest mail that is, and the mail says what was left out.
func TestBounds(t *testing.T) {
	const most = 3 * 25 << 20 // bytes; three times mailbox.Config.MaxBytes
	long := func(n int) string { return strings.Repeat("x", n) }
	nested := func() []byte {
		var b bytes.Buffer
		b.WriteString(head)
		for i := range 20000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		b.WriteString("\r\nhello")
		return b.Bytes()
	}
	header := "the header is too long; its end was left out"
	for _, c := range []struct {
		name  string
		raw   func() []byte
		fault string
	}{
		{"nesting of 20,000", nested, "parts are nested too deeply; the inner ones were left out"},
		{"1,000,000 parts", func() []byte {
			return []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 1000000))
		}, "the mail has too many parts; the rest was left out"},
		{"a header line of 200 MB", func() []byte { return []byte(head + "X-A: " + long(200<<20) + "\r\n\r\nhello") }, header},
		{"a From line of 200 MB", func() []byte { return []byte("From: " + long(200<<20) + " <a@b.example>\r\n\r\nhello") }, header},
		{"a header line of 200 MB that is none", func() []byte { return []byte(head + long(200<<20) + "\r\n\r\nhello") }, header},
		{"a header of 200 MB in lines", func() []byte { return []byte(head + strings.Repeat("X-A: "+long(995)+"\r\n", 200<<10) + "\r\nhello") }, header},
		{"a folded header line of 200 MB", func() []byte {
			return []byte(head + "X-A: y\r\n" + strings.Repeat(" "+long(997)+"\r\n", 200<<10) + "\r\nhello")
		}, header},
		{"a part with a header of 200 MB", func() []byte {
			return []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-A: " + long(200<<20) + "\r\n\r\nhello\r\n--b--\r\n")
		}, "the header of a part is too long; its end was left out"},
		{"a line of 100 MB", func() []byte { return []byte(head + "\r\n" + long(100<<20)) }, "the text is too long; its end was left out"},
		{"a body of 100 MB", func() []byte { return []byte(head + "\r\n" + strings.Repeat("hello, hello\r\n", 100<<20/14)) }, "the text is too long; its end was left out"},
		{"HTML of 100 MB", func() []byte {
			return []byte(head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<p>hello</p>\r\n", 100<<20/14))
		}, "the text is too long; its end was left out"},
		{"base64 of 100 MB", func() []byte {
			return []byte(head + "Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("aGVsbG8sIGhl\r\n", 100<<20/14))
		}, "the text is too long; its end was left out"},
		{"uuencode of 100 MB", func() []byte {
			return []byte(head + "\r\nhi\r\nbegin 644 x\r\n" + strings.Repeat("M"+strings.Repeat("A", 60)+"\r\n", 100<<20/63) + "end\r\n")
		}, ""},
		{"100 MB of uuencoded files", func() []byte {
			return []byte(head + "\r\n" + strings.Repeat("hi\r\nbegin 644 x\r\n#AAAA\r\n", 100<<20/24))
		}, "the text is too long; its end was left out"},
		{"100 MB of line ends of old Macs", func() []byte {
			return []byte(strings.ReplaceAll(head, "\r\n", "\r") + "\r" + strings.Repeat("\r", 25<<20))
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := c.raw()
			m, heap, work := measured(raw)
			t.Logf("%d bytes: heap after GC %+d bytes, allocated %d bytes", len(raw), heap, work)
			if heap > most || work > most {
				t.Errorf("more than %d bytes", most)
			}
			if c.fault != "" && !slices.Contains(m.Faults, c.fault) {
				t.Errorf("faults %q, want %q", m.Faults, c.fault)
			}
			if c.fault == header && m.From.Addr != "" {
				t.Error("an author is trusted although the header was not read to its end")
			}
			runtime.KeepAlive(raw)
		})
	}
}

// measured reads a mail and tells what stays in memory and what was allocated.
func measured(raw []byte) (m *inbox.Message, heap, work int64) {
	var before, after, end runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m = Message(raw, Options{})
	runtime.ReadMemStats(&after)
	runtime.GC()
	runtime.ReadMemStats(&end)
	return m, int64(end.HeapAlloc) - int64(before.HeapAlloc), int64(after.TotalAlloc - before.TotalAlloc)
}
