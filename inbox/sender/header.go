package sender

import (
	"bytes"
	"errors"
	"strings"

	"push.guru/supportd/inbox/address"
)

// The largest header that is judged. Beyond it a mail counts as unreadable:
// the cost of verifying a signature grows with fields times signed names.
const (
	maxHeader = 256 << 10 // octets
	maxFields = 500
)

// field is one header field.
type field struct {
	name  string // lower case
	value string // unfolded: without line ends, folding blanks kept
	line  []byte // as it stands in the mail, line ends included
}

// mail is a raw mail cut into fields and body.
type mail struct {
	fields []field // topmost first
	body   []byte
}

var errHeader = errors.New("the header can be read in more than one way")

// readMail cuts raw. It accepts CRLF and LF line ends and refuses everything
// that one parser may read otherwise than the next: a line without a field
// name, blanks before the colon, an empty folded line, NUL, a CR that ends no
// line, a header that nothing ends. The fields above such a line are given in
// any case.
func readMail(raw []byte) (*mail, error) {
	m := new(mail)
	defer m.unfold()
	rest := raw
	for {
		line, next, ok := cutLine(rest)
		if !ok || len(raw)-len(next) > maxHeader || bytes.ContainsAny(line, "\x00\r") {
			return m, errHeader
		}
		whole := rest[:len(rest)-len(next)]
		rest = next
		if len(line) == 0 {
			m.body = rest
			return m, nil
		}
		if line[0] == ' ' || line[0] == '\t' {
			if !m.fold(line, whole) {
				return m, errHeader
			}
			continue
		}
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok || !isFieldName(name) || len(m.fields) == maxFields {
			return m, errHeader
		}
		m.fields = append(m.fields, field{name: strings.ToLower(string(name)), line: whole})
	}
}

// cutLine gives the first line of b without its end, and what follows it.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return nil, nil, false
	}
	return bytes.TrimSuffix(b[:i], []byte("\r")), b[i+1:], true
}

// fold adds a continuation line to the last field. whole is the line with its
// end; it follows the field in memory.
func (m *mail) fold(line, whole []byte) bool {
	if len(m.fields) == 0 || len(bytes.TrimSpace(line)) == 0 {
		return false
	}
	f := &m.fields[len(m.fields)-1]
	f.line = f.line[:len(f.line)+len(whole)]
	return true
}

// lineEnds takes out what unfolding takes out (RFC 5322 section 2.2.3).
var lineEnds = strings.NewReplacer("\r", "", "\n", "")

// unfold fills in the values, once every field has its last line.
func (m *mail) unfold() {
	for i := range m.fields {
		f := &m.fields[i]
		f.value = lineEnds.Replace(string(f.line[len(f.name)+1:]))
	}
}

// isFieldName tells whether b is a field name of RFC 5322 section 2.2.
func isFieldName(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7F {
			return false
		}
	}
	return len(b) > 0
}

// single lists the fields that decide what a mail says and who seems to say
// it. DKIM signs the lowest of several, and most readers show the topmost.
var single = []string{"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To",
	"References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition"}

// doubled gives the name of a field that must not occur twice and does, or "".
func (m *mail) doubled() string {
	seen := make(map[string]int, len(m.fields))
	for _, f := range m.fields {
		seen[f.name]++
	}
	for _, name := range single {
		if seen[strings.ToLower(name)] > 1 {
			return name
		}
	}
	return ""
}

// get gives the value of the topmost field of that lower-case name.
func (m *mail) get(name string) (value string, ok bool) {
	for _, f := range m.fields {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}

// namesAuthor tells whether a naive reader of the From line sees addr, which
// is canonical, and nothing else that could be an address: "addr" or
// "phrase <addr>", no group, no comment, no route, no second address.
func (m *mail) namesAuthor(addr string) bool {
	v, _ := m.get("from")
	v = strings.Trim(v, " \t")
	if i := strings.LastIndexByte(v, '<'); i >= 0 {
		if !strings.HasSuffix(v, ">") || !isPhrase(v[:i]) {
			return false
		}
		v = v[i+1 : len(v)-1]
	}
	got, err := address.Canonical(v)
	return err == nil && got == addr && strings.Trim(v, " \t") == v
}

// isPhrase tells whether s can only be a display name: quoted strings, and
// words without the characters that separate addresses.
func isPhrase(s string) bool {
	for s != "" {
		i := strings.IndexAny(s, "\"<>,;:@()[]\\")
		if i < 0 {
			return true
		}
		if s[i] != '"' {
			return false
		}
		end := quotedEnd(s[i:])
		if end < 0 {
			return false
		}
		s = s[i+end:]
	}
	return true
}

// quotedEnd gives the length of the quoted string at the start of s, quotes
// included, or -1 when it has no end.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
