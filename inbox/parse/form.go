package parse

import (
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// Form says how the mails of a site's contact form are read. The form sends in
// its own name, so From says nothing of the person who filled it in; where they
// and their words stand, only the operator knows.
type Form struct {
	From  string   // canonical address that the form sends from
	Label []string // the person's address stands behind or below one of these; none: it is in Reply-To
	Body  []string // the person's words stand behind or below one of these; none: all of the text
	End   []string // what the form itself writes below them begins with one of these
}

// FormMessage is [Message] for a mailbox that contact forms write to, and tells
// whether one of them wrote the mail, as its From line says. From is then the
// person, or FromFault says why there is none; Text is their words. Whoever
// fills in a form can write any address, and whoever writes a mail can write
// the form's: the person is a claim, whatever vouches for the form's domain. A
// form's mail answers nothing, so InReplyTo and References are empty.
func FormMessage(raw []byte, o Options, forms []Form) (m *inbox.Message, filled bool) {
	m = Message(raw, o)
	var h header
	for _, f := range forms {
		if !f.wrote(m) {
			continue
		}
		if h.fields == nil {
			h, _ = splitHeader(raw, o.withDefaults().MaxHeader)
		}
		if read := f.read(h, *m); !filled || read.FromFault == "" {
			m, filled = read, true
		}
		if m.FromFault == "" {
			break
		}
	}
	return m, filled
}

// wrote tells whether a From line names the form. What else is wrong with it is
// looked at later: a form may put anything into the display name.
func (f Form) wrote(m *inbox.Message) bool {
	return slices.ContainsFunc(m.Header["From"], func(v string) bool {
		addr, err := address.Canonical(bare(v))
		return err == nil && strings.EqualFold(addr, f.From)
	})
}

// read gives the Message of the person who filled the form in.
func (f Form) read(h header, m inbox.Message) *inbox.Message {
	lines := strings.Split(m.Whole, "\n")
	body := f.body(lines)
	at, value, fault := f.claim(h, lines, body)
	m.From, m.FromFault = signed(h, value)
	switch {
	case m.FromFault != "" && len(f.Label) == 0:
		m.FromFault = strings.ReplaceAll(m.FromFault, "in From", "in Reply-To")
	case m.FromFault != "":
	case fault != "":
		m.FromFault = fault
	case strings.EqualFold(m.From.Addr, f.From):
		m.FromFault = "the form names itself"
	}
	if m.FromFault != "" {
		m.From = inbox.Address{}
	}
	if len(f.Body) > 0 && body < 0 {
		m.Faults = append(slices.Clone(m.Faults), "the form's text has no line that begins the person's words; all of it was read")
	}
	m.Text = f.words(lines, body, at)
	m.InReplyTo, m.References = nil, nil
	// The form may send the same words in the same second for two people.
	m.Digest = sha256.Sum256(append(m.Digest[:], m.From.Addr...))
	return &m
}

// signed gives the author that a mail would have with another From line, so
// that all that makes an author doubtful counts here too.
func signed(h header, from string) (inbox.Address, string) {
	h.fields = slices.Clone(h.fields)
	for i := range h.fields {
		if h.fields[i].name == "From" {
			h.fields[i].value = from
		}
	}
	return author(h)
}

// claim gives what the form says of who the person is, as a From line would
// have it, and the lines at which it stands. With a fault it is the form's own
// address.
func (f Form) claim(h header, lines []string, body int) (at []int, value, fault string) {
	if len(f.Label) == 0 {
		if value = h.get("Reply-To"); value == "" {
			return nil, f.From, "the form names nobody in Reply-To"
		}
		return nil, value, ""
	}
	at = f.labels(lines, body)
	found := ""
	for _, i := range at {
		for _, w := range addressWords(f.valueAt(lines, i)) {
			addr, err := address.Canonical(w)
			if err != nil {
				return at, f.From, "the form's text holds no plain address"
			}
			if found != "" && found != addr {
				return at, f.From, "the form's text names several addresses"
			}
			found = addr
		}
	}
	if found == "" {
		return at, f.From, "the form's text has no line of the person's address"
	}
	return at, found, ""
}

// body gives the line at which the person's words begin, or -1. A line that is
// a label as forms write them goes before one that only begins with its word,
// as the row of a table does; such a row must not stand above the address.
func (f Form) body(lines []string) int {
	if i := slices.IndexFunc(lines, func(l string) bool { _, ok := labelled(l, f.Body); return ok }); i >= 0 {
		return i
	}
	from := 0
	if at := f.labels(lines, -1); len(at) > 0 {
		from = at[0] + 1
	}
	if i := slices.IndexFunc(lines[from:], func(l string) bool { _, ok := row(l, f.Body); return ok }); i >= 0 {
		return from + i
	}
	return -1
}

// labels gives the lines that name the person's address: those above the
// person's words, or else those below.
func (f Form) labels(lines []string, body int) []int {
	var above, below []int
	for i, l := range lines {
		_, ok := labelled(l, f.Label)
		if v, inRow := row(l, f.Label); inRow && len(addressWords(v)) > 0 {
			ok = true
		}
		switch {
		case ok && (body < 0 || i < body):
			above = append(above, i)
		case ok && i > body:
			below = append(below, i)
		}
	}
	if len(above) > 0 {
		return above
	}
	return below
}

// valueAt gives what a line says of the person's address, or what the next one
// does when the label stands alone.
func (f Form) valueAt(lines []string, i int) string {
	if v, ok := labelled(lines[i], f.Label); !ok {
		v, _ = row(lines[i], f.Label)
		return v
	} else if v != "" {
		return v
	}
	for _, l := range lines[i+1:] {
		if strings.TrimSpace(l) == "" {
			continue
		}
		if _, ok := labelled(l, f.Body); ok {
			break
		}
		return l
	}
	return ""
}

// words gives what the person wrote, as any mail's new text: without history
// and signature. at are the lines of the person's address.
func (f Form) words(lines []string, body int, at []int) string {
	end := len(lines)
	for i := end - 1; i > body; i-- {
		if _, ok := labelled(lines[i], f.End); ok || opensAs(lines[i], f.End) {
			end = i // the last: the person may have written such a line, too
			break
		}
	}
	var own []string
	if body >= 0 {
		first, ok := labelled(lines[body], f.Body)
		if !ok {
			first, _ = row(lines[body], f.Body)
		}
		if len(at) > 0 && at[0] > body {
			end = min(end, at[0])
		}
		own = append([]string{first}, lines[body+1:end]...)
	} else {
		for i, l := range lines[:end] {
			if !slices.Contains(at, i) {
				own = append(own, l)
			}
		}
	}
	s := strings.Join(own, "\n")
	if text := newText(plainLines(s, false, false)); text != "" {
		return text
	}
	return strings.TrimSpace(s) // a form may lay its text out like the header of an older mail
}

// dress is what forms put around labels: "**E-mail:**", "--- E-mail ---".
const dress = " \t*_-–—=#|•"

// labelled gives what stands behind a label on its line: behind a colon or a
// dash, or nothing, when the label stands alone.
func labelled(l string, labels []string) (value string, ok bool) {
	for _, label := range labels {
		rest, found := afterFold(strings.TrimLeft(l, dress), label)
		if !found {
			continue
		}
		bare := strings.TrimLeft(rest, dress)
		if bare == "" {
			return "", true
		}
		r := []rune(bare)
		if r[0] == ':' || r[0] == '：' {
			return strings.Trim(string(r[1:]), " \t*_"), true
		}
		if tight := strings.TrimLeft(rest, " \t"); len(tight) < len(rest) && len(bare) < len(tight) {
			return strings.TrimSpace(bare), true
		}
	}
	return "", false
}

// row gives what stands behind a label in a row of a table, which became a
// line of words.
func row(l string, labels []string) (value string, ok bool) {
	for _, label := range labels {
		rest, found := afterFold(strings.TrimSpace(l), label)
		if v := strings.TrimLeft(rest, " \t"); found && v != "" && len(v) < len(rest) {
			return v, true
		}
	}
	return "", false
}

func opensAs(l string, labels []string) bool {
	return slices.ContainsFunc(labels, func(label string) bool { _, ok := afterFold(strings.TrimLeft(l, dress), label); return ok })
}

// afterFold cuts a word off the beginning of a text, in whatever case; the word
// must end there.
func afterFold(s, word string) (rest string, ok bool) {
	rs, n := []rune(s), len([]rune(word))
	if n == 0 || len(rs) < n || !strings.EqualFold(string(rs[:n]), word) {
		return "", false
	}
	if len(rs) > n && (unicode.IsLetter(rs[n]) || unicode.IsDigit(rs[n])) {
		return "", false
	}
	return string(rs[n:]), true
}

// addressWords gives the words of a value that are meant as addresses.
func addressWords(value string) []string {
	words := strings.FieldsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>()[],;", r) })
	words = slices.DeleteFunc(words, func(w string) bool { return !strings.Contains(w, "@") })
	for i, w := range words {
		words[i] = strings.TrimPrefix(w, "mailto:")
	}
	return words
}
