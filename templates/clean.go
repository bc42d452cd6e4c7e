package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox/address"
)

// Marks within markup. No value can contain them, since cleaning drops control
// characters, and no template file may.
const (
	inert     = '\x0e' // before a value: what follows is not markup
	linkOpen  = '\x02' // around the account URL
	linkClose = '\x03'
)

const (
	maxValue = 500   // runes of a value; what is longer loses its middle
	maxWords = 20000 // runes of a text of staff
	maxName  = 60    // runes of a name that we greet with
)

// Directional isolates, around a value that is written from right to left: it
// must not turn "old → new" round.
const (
	firstStrongIsolate = "\u2068"
	popIsolate         = "\u2069"
)

// value makes text that somebody gave fit to stand in a line of markup.
func value(s string) string {
	s = cut(strings.Join(strings.Fields(clean(s)), " "), maxValue)
	if strings.ContainsFunc(s, rightToLeft) {
		s = firstStrongIsolate + s + popIsolate
	}
	return string(inert) + s
}

// wordJoiner is seen by nobody and breaks no line. Where it stands, mail
// programs find no address of a page.
const wordJoiner = "\u2060"

// given is value for what people gave. It must not be clickable in the letters
// that the site signs: somebody may have put it there in another's name. Its
// words look as they did; a bare mail address stays as it is, for people copy
// it.
func given(s string) string {
	words := strings.Split(value(s), " ")
	for i, w := range words {
		if _, err := address.Canonical(strings.Trim(w, string(inert)+firstStrongIsolate+popIsolate+".,;:()<>\"'")); err != nil {
			words[i] = unlinked(w)
		}
	}
	return strings.Join(words, " ")
}

// unlinked puts the joiner where a word becomes a link to mail programs: behind
// the scheme of an address, and before each dot that may part the labels of a
// domain's name.
func unlinked(word string) string {
	runes := []rune(strings.ReplaceAll(word, "://", ":"+wordJoiner+"//"))
	inLabel := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]) || runes[i] == '-')
	}
	var b strings.Builder
	for i, r := range runes {
		www := i >= 3 && strings.EqualFold(string(runes[i-3:i]), "www")
		if r == '.' && inLabel(i-1) && inLabel(i+1) && (www || unicode.IsLetter(runes[i+1]) && inLabel(i+2)) {
			b.WriteString(wordJoiner)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// said makes text of several lines fit to stand in markup, every line kept.
func said(s string) string {
	s = strings.TrimSpace(cut(clean(s), maxWords))
	if s == "" {
		return ""
	}
	var b strings.Builder
	blank := false
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimRight(line, " ")
		if line == "" && blank {
			continue
		}
		blank = line == ""
		b.WriteString("| " + string(inert) + line + "\n")
	}
	return b.String()
}

// clean drops what is not seen or moves other text about: control and format
// characters but line ends, and direction overrides. The joiners that some
// scripts and emoji need stay. All blanks become plain ones.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
			return '\n'
		case unicode.IsSpace(r):
			return ' '
		case r == '\u200C', r == '\u200D':
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, s)
}

// cut shortens s to about limit runes. The middle goes, so that what was
// appended to a long text is still seen.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	runes := []rune(s)
	tail := limit / 3
	return strings.TrimSpace(string(runes[:limit-tail])) + " … " + strings.TrimSpace(string(runes[len(runes)-tail:]))
}

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Samaritan, unicode.Mandaic)
}

// greetable gives the name to greet somebody with, or "" for what does not
// look like one: a name must not be able to carry a link or a message.
func greetable(name string) string {
	name = strings.Join(strings.Fields(clean(name)), " ")
	if utf8.RuneCountInString(name) > maxName {
		return ""
	}
	letters := 0
	for i, r := range name {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsMark(r), r == ' ', r == '-', r == '\'', r == '’':
		case r == '.' && (i+1 == len(name) || name[i+1] == ' '):
		default:
			return ""
		}
	}
	if letters == 0 {
		return ""
	}
	return name
}
