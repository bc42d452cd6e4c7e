// Package parse makes a Message of the bytes of a mail, however broken they are.
//
// There is one entry, [Message]. It never fails: what cannot be read is left
// out, and Faults says so in words for staff. The work is bounded by counting
// bytes, parts and nesting, never by a clock, so the same mail always gives
// the same Message.
//
// The header is cut into fields by this package, because one bad line makes a
// strict reader give up the whole mail. Nothing is repaired in silence where
// it decides who wrote: a second From, Subject or Date, a line that only
// nearly is one, and every address that two readers could understand
// differently end in FromFault, and From stays empty.
//
// Multiparts are cut by this package too. The reader of go-message gives up
// everything after one bad part header and needs quadratic time for nested
// parts; here one pass over the bytes a level is enough, and depth and number
// of parts are limited. go-message then decodes what was cut: transfer
// encodings, charsets, media types and addresses.
//
// The readable text becomes a list of lines, each with the depth at which it
// is quoted (">" in plain text, blockquote in HTML). [inbox.Message.Whole] is
// all of them; [inbox.Message.Text] is what is left when history and signature
// are cut away (quote.go). The words by which the mail programs of many
// languages mark history are data, in quotes.txt.
//
// Passwords and card numbers that people paste are masked in the lines and the
// subject before anything else looks at them (secrets.go).
//
// A mail inside a mail (message/rfc822) is seen and never obeyed: it counts as
// an attachment, and only its Message-ID is read, when the mail is a report.
package parse

import (
	"bytes"
	"strings"

	"push.guru/supportd/inbox"
)

// The limits that apply when [Options] names no other.
const (
	DefaultMaxDepth  = 20        // multiparts inside one another
	DefaultMaxParts  = 200       // parts, multiparts included
	DefaultMaxText   = 256 << 10 // bytes of readable text, as UTF-8
	DefaultMaxHeader = 256 << 10 // bytes of one header
)

// Options limits the work on one mail. The zero value is ready to use.
type Options struct {
	MaxDepth  int // multiparts inside one another; 0: DefaultMaxDepth
	MaxParts  int // parts, multiparts included; 0: DefaultMaxParts
	MaxText   int // bytes of readable text; 0: DefaultMaxText
	MaxHeader int // bytes of the header of the mail or of a part; 0: DefaultMaxHeader
}

func (o Options) withDefaults() Options {
	set := func(n *int, to int) {
		if *n <= 0 {
			*n = to
		}
	}
	set(&o.MaxDepth, DefaultMaxDepth)
	set(&o.MaxParts, DefaultMaxParts)
	set(&o.MaxText, DefaultMaxText)
	set(&o.MaxHeader, DefaultMaxHeader)
	return o
}

// Message makes a mail readable. It always returns a Message that can be used,
// whatever the bytes are.
func Message(raw []byte, o Options) *inbox.Message {
	o = o.withDefaults()
	m := &inbox.Message{}
	var notes faults
	if !bytes.Contains(raw, []byte("\n")) {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n")) // old Macs ended lines so
	}
	h, body := splitHeader(raw, o.MaxHeader)
	h.notes(&notes)

	m.From, m.FromFault = author(h)
	m.To = addressList(h.all("To"))
	m.Cc = addressList(h.all("Cc"))
	m.Subject = oneLine(decodeWords(h.get("Subject")), maxSubject)
	m.Date = date(h.get("Date"))
	m.ID = first(messageIDs(h.get("Message-Id")))
	m.InReplyTo = messageIDs(strings.Join(h.all("In-Reply-To"), " "))
	m.References = messageIDs(strings.Join(h.all("References"), " "))
	m.Header = kept(h)
	m.Digest, m.Form = digest(h, body), form(h)

	w := walker{opts: o, faults: &notes}
	lines := w.root(h, body)
	maskLines(lines, &notes)
	maskHeaders(m, &notes)
	m.Whole = render(lines)
	m.Text = newText(lines)
	m.Hidden = w.hidden
	m.Attachments = w.attachments
	if m.Report = w.found(h, m); m.Report != nil {
		m.Report.Detail = masked(m.Report.Detail, &notes)
	}
	m.Faults = notes.list
	return m
}

// faults collects what was wrong, each thing once.
type faults struct{ list []string }

func (f *faults) add(s string) {
	for _, x := range f.list {
		if x == s {
			return
		}
	}
	f.list = append(f.list, s)
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
