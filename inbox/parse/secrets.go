package parse

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
)

// People paste passwords and card numbers into mails. They are masked before
// anybody reads, stores or shows the text; the mail itself stays as it is on
// the server. Nothing of a password is left, and of a card number the last
// four digits, by which its owner knows it. Identity numbers are personal
// data and no secrets: they stay.

// secretMask stands where a secret stood. It is no word of any language.
const secretMask = "****"

const (
	maskedPassword = "a password or PIN was masked"
	maskedCard     = "a card number was masked"
)

//go:embed secrets.txt
var secretsText string

// secretTable holds the words of secrets.txt.
type secretTable struct {
	label map[string]labelKind // by words with one blank between
	first map[string]bool      // the words that a label begins with

	is, link, and, word, common, phone map[string]bool
}

var secretWords = readSecretWords(secretsText)

func readSecretWords(text string) secretTable {
	s := readSections("secrets.txt", text, "password", "short", "code", "is", "link", "and", "word", "common", "phone")
	t := secretTable{label: map[string]labelKind{}, first: map[string]bool{},
		is: set(s["is"]), link: set(s["link"]), and: set(s["and"]), word: set(s["word"]), common: set(s["common"]), phone: set(s["phone"])}
	for kind, list := range map[labelKind][]string{labelPassword: s["password"], labelShort: s["short"], labelCode: s["code"]} {
		for _, l := range list {
			t.label[l] = max(t.label[l], kind)
			word, _, _ := strings.Cut(l, " ")
			t.first[word] = true
		}
	}
	return t
}

// span is a secret in a text.
type span struct {
	start, end int
	card       bool
}

// secrets finds what is to be masked, in order and without overlaps.
func secrets(s string) []span {
	all := append(cardSpans(s), passwordSpans(s)...)
	slices.SortFunc(all, func(a, b span) int { return a.start - b.start })
	out := all[:0]
	for _, x := range all {
		if n := len(out); n > 0 && x.start < out[n-1].end {
			if x.end > out[n-1].end || !x.card { // a password may hold what looks like a card, and more
				out[n-1].end, out[n-1].card = max(x.end, out[n-1].end), false
			}
			continue
		}
		out = append(out, x)
	}
	return out
}

// masked gives a text without its secrets, and says in notes what it was.
// There are as many lines as before.
func masked(s string, notes *faults) string {
	found := secrets(s)
	if len(found) == 0 {
		return s
	}
	var b strings.Builder
	at := 0
	for _, x := range found {
		b.WriteString(s[at:x.start])
		b.WriteString(secretMask)
		secret := s[x.start:x.end]
		if x.card {
			b.WriteString(" " + lastDigits(secret, 4))
			notes.add(maskedCard)
		} else {
			notes.add(maskedPassword)
		}
		b.WriteString(strings.Repeat("\n", strings.Count(secret, "\n")))
		at = x.end
	}
	b.WriteString(s[at:])
	return b.String()
}

// lastDigits gives the last n digits.
func lastDigits(s string, n int) string {
	var d []rune
	for _, r := range s {
		if digitValue(r) >= 0 {
			d = append(d, r)
		}
	}
	return string(d[max(0, len(d)-n):])
}

// maskLines masks in lines. Neighbours of the same depth are one text: a label
// may stand above its secret.
func maskLines(lines []line, notes *faults) {
	for i := 0; i < len(lines); {
		j := i + 1
		for j < len(lines) && lines[j].depth == lines[i].depth && !lines[j].cut && !lines[i].cut {
			j++
		}
		maskRun(lines[i:j], notes)
		i = j
	}
}

func maskRun(run []line, notes *faults) {
	var b strings.Builder
	b.Grow(size(run))
	for i, l := range run {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l.text)
	}
	before := b.String()
	after := masked(before, notes)
	if after == before {
		return
	}
	for i, t := range strings.Split(after, "\n") {
		run[i].text = t
	}
}

// maskHeaders masks in what is kept of the headers that people write.
func maskHeaders(m *inbox.Message, notes *faults) {
	m.From.Name = masked(m.From.Name, notes)
	m.Subject = maskSubject(m.Subject, notes)
	for i, v := range m.Header["Subject"] {
		m.Header["Subject"][i] = maskSubject(v, notes)
	}
}

// ticket is a mark that programs put into a subject to know an answer by.
var ticket = regexp.MustCompile(`\[#[0-9A-Za-z-]{1,64}\]`)

// maskSubject masks in a subject. A mark behind the word "password" is no
// password: it is put aside, and comes last when something was masked.
func maskSubject(s string, notes *faults) string {
	bare := ticket.ReplaceAllString(s, "")
	after := masked(bare, notes)
	if after == bare {
		return s
	}
	return strings.Join(append([]string{strings.TrimSpace(after)}, ticket.FindAllString(s, -1)...), " ")
}
