package parse

import (
	"bytes"
	"net/textproto"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"push.guru/supportd/inbox"
)

const (
	maxFields  = 2000 // of one header; no honest mail has as many
	maxSubject = 1000 // runes
	maxValue   = 2000 // runes of a header value that is kept
	maxKept    = 20   // values of one header that are kept
)

// field is one header line: the name in canonical form, the value unfolded and
// trimmed, otherwise as it stood.
type field struct {
	name, value string
	raw         []byte // the value while its lines are put together
}

// header is what could be read of a header block, top first.
type header struct {
	fields  []field
	dropped []string // lines that are no field; they may still look like one to others
	cut     bool     // there was more than the limit
	noEnd   bool     // no empty line ends the block
}

// splitHeader cuts raw at the first empty line and reads the fields above it.
// Where the empty line is missing, the body begins at the first line that is
// no field and that no field follows.
func splitHeader(raw []byte, limit int) (header, []byte) {
	var h header
	body := h.read(skipEnvelope(raw), limit)
	for i := range h.fields {
		f := &h.fields[i]
		f.value, f.raw = string(bytes.Trim(f.raw, " \t")), nil
	}
	return h, body
}

// read reads the fields and gives the body.
func (h *header) read(raw []byte, limit int) []byte {
	rest := raw
	var stray []byte // from the first line that is no field, while no field follows
	for len(rest) > 0 {
		line, next := cutLine(rest)
		if len(line) == 0 {
			if stray != nil {
				return stray
			}
			return next
		}
		if len(h.fields) >= maxFields {
			h.cut = true
			return afterHeader(rest)
		}
		if room := limit - (len(raw) - len(rest)); len(line) > room {
			h.cut = true
			if room > 0 {
				h.addLine(line[:room])
			}
			return afterHeader(next)
		}
		if len(h.fields) == 0 && len(h.dropped) == 0 && !looksLikeField(line) && !blankFirst(line) && isProse(raw) {
			h.noEnd = true
			return raw
		}
		switch {
		case looksLikeField(line):
			stray = nil
		case !blankFirst(line) && stray == nil:
			stray = rest
		}
		h.addLine(line)
		rest = next
	}
	h.noEnd = true
	return stray
}

// isProse tells whether none of the first lines is a header field: the bytes
// are a text without a header.
func isProse(raw []byte) bool {
	for range 5 {
		line, next := cutLine(raw)
		if looksLikeField(line) {
			return false
		}
		raw = next
	}
	return true
}

// skipEnvelope drops a mailbox file's "From " line and empty lines on top.
func skipEnvelope(raw []byte) []byte {
	for {
		line, next := cutLine(raw)
		empty := len(line) == 0 && len(next) > 0
		if !empty && !bytes.HasPrefix(line, []byte("From ")) && !bytes.HasPrefix(line, []byte(">From ")) {
			return raw
		}
		if empty {
			if l, _ := cutLine(next); !looksLikeField(l) && len(l) > 0 {
				return raw
			}
		}
		raw = next
	}
}

// afterHeader finds the body when the header is over its limit.
func afterHeader(b []byte) []byte {
	for len(b) > 0 {
		line, next := cutLine(b)
		if len(line) == 0 {
			return next
		}
		b = next
	}
	return nil
}

// cutLine gives the first line without its end, and what follows it.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return bytes.TrimSuffix(b, []byte("\r")), nil
	}
	return bytes.TrimSuffix(b[:i], []byte("\r")), b[i+1:]
}

func blankFirst(line []byte) bool { return line[0] == ' ' || line[0] == '\t' }

// fieldName gives the name of a header line in canonical form, or "" when the
// line is none. Blanks before the colon are forgiven: others forgive them too.
func fieldName(line []byte) string {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 100 {
		return ""
	}
	name := bytes.TrimRight(line[:i], " \t")
	if len(name) == 0 {
		return ""
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7F {
			return ""
		}
	}
	return textproto.CanonicalMIMEHeaderKey(string(name))
}

func looksLikeField(line []byte) bool { return fieldName(line) != "" }

func (h *header) addLine(line []byte) {
	if blankFirst(line) {
		if n := len(h.fields); n > 0 && len(h.dropped) == 0 {
			f := &h.fields[n-1]
			f.raw = append(append(f.raw, ' '), bytes.Trim(line, " \t")...)
			return
		}
		h.drop(line)
		return
	}
	name := fieldName(line)
	if name == "" {
		h.drop(line)
		return
	}
	value := line[bytes.IndexByte(line, ':')+1:]
	h.fields = append(h.fields, field{name: name, raw: append([]byte(nil), bytes.Trim(value, " \t")...)})
}

func (h *header) drop(line []byte) {
	if len(h.dropped) < 100 {
		h.dropped = append(h.dropped, string(line[:min(len(line), 200)]))
	}
}

// notes says what was wrong with the block.
func (h *header) notes(f *faults) {
	if len(h.dropped) > 0 {
		f.add("the header has lines that are no header lines; they were left out")
	}
	if h.cut {
		f.add("the header is too long; its end was left out")
	}
	if h.noEnd && len(h.fields) == 0 {
		f.add("the mail has no header")
	}
}

// get gives the topmost value of a canonical name, or "".
func (h *header) get(name string) string {
	for _, f := range h.fields {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// all gives every value of a canonical name, topmost first.
func (h *header) all(name string) []string {
	var v []string
	for _, f := range h.fields {
		if f.name == name {
			v = append(v, f.value)
		}
	}
	return v
}

// keptNames are the headers that screening and intake read; keptPrefixes are
// those of families that are kept whole.
var keptNames = names(`
	From Sender Reply-To To Subject Date Message-Id Content-Type Return-Path Delivered-To Envelope-To X-Original-To
	Auto-Submitted Precedence X-Auto-Response-Suppress X-Autoreply X-Autorespond X-Autoresponder X-Auto-Reply X-Mail-Autoreply
	X-Autoreply-From X-Autorespond-From X-Autoreply-Domain X-Autogenerated X-Auto-Submitted X-Autosubmitted X-Vacation
	X-Fc-Machinegenerated X-Ms-Exchange-Generated-Message-Source X-Cron-Env X-Failed-Recipients
	X-Loop X-Supportd-Loop X-Boxtrapper X-Ham-Challenge X-Challenge X-Tmda-Fingerprint
	Mailing-List X-Mailing-List X-Mailman-Version X-Google-Group-Id
	Feedback-Id X-Campaign X-Campaign-Id X-Mailgun-Sid X-Mc-User X-Bulkmail`)

var keptPrefixes = []string{"List-", "X-Spam", "X-Rspam", "X-Ms-Exchange-Organization-Scl"}

func names(list string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(list) {
		m[n] = true
	}
	return m
}

func isKept(name string) bool {
	for _, p := range keptPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return keptNames[name]
}

// kept gives the headers that screening and intake read, decoded and bounded.
func kept(h header) inbox.Header {
	k := inbox.Header{}
	for _, f := range h.fields {
		if isKept(f.name) && len(k[f.name]) < maxKept {
			k[f.name] = append(k[f.name], oneLine(decodeWords(f.value), maxValue))
		}
	}
	return k
}

// date reads the Date header; zero when it cannot.
func date(v string) time.Time {
	var h mail.Header
	h.Header = message.Header{}
	h.Set("Date", clean(v))
	t, err := h.Date()
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// messageIDs finds the Message-IDs in a header value: what stands in angle
// brackets, or else every word with an "@". What sits in between is ignored,
// as are repetitions.
func messageIDs(v string) []string {
	const most, longest = 100, 500
	var ids []string
	seen := map[string]bool{}
	add := func(s string) {
		s = strings.Join(strings.Fields(clean(s)), "")
		if s != "" && len(s) <= longest && !seen[s] {
			seen[s] = true
			ids = append(ids, s)
		}
	}
	if !strings.Contains(v, "<") {
		for _, w := range strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' }) {
			if strings.Contains(w, "@") {
				add(strings.Trim(w, "<>\"'"))
			}
		}
	}
	for {
		_, rest, ok := strings.Cut(v, "<")
		if !ok {
			break
		}
		id, after, ok := strings.Cut(rest, ">")
		if i := strings.LastIndexByte(id, '<'); i >= 0 {
			id = id[i+1:]
		}
		if !ok {
			add(first(strings.Fields(id)))
			break
		}
		add(id)
		v = after
	}
	if len(ids) > most { // the newest are at the end
		ids = ids[len(ids)-most:]
	}
	return ids
}
