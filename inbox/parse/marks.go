package parse

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed quotes.txt
var quotesText string

// marks are the words of quotes.txt.
var marks = readMarks(quotesText)

type markTable struct {
	start, separator, from, sent, to, subject, device map[string]bool

	wrote, own, mobile []string
}

// readMarks reads the table. A section that nobody knows is a mistake in a
// file that is part of the program, so it panics; a test reads the file.
func readMarks(text string) markTable {
	t := markTable{start: map[string]bool{}, separator: map[string]bool{}, from: map[string]bool{}, sent: map[string]bool{},
		to: map[string]bool{}, subject: map[string]bool{}, device: map[string]bool{}}
	sets := map[string]map[string]bool{"[start]": t.start, "[separator]": t.separator, "[from]": t.from, "[sent]": t.sent,
		"[to]": t.to, "[subject]": t.subject, "[device]": t.device}
	lists := map[string]*[]string{"[wrote]": &t.wrote, "[own]": &t.own, "[mobile]": &t.mobile}
	var set map[string]bool
	var list *[]string
	for l := range strings.SplitSeq(text, "\n") {
		l = strings.TrimSpace(l)
		switch {
		case l == "" || l[0] == '#':
		case l[0] == '[' && strings.HasSuffix(l, "]"):
			set, list = sets[l], lists[l]
			if set == nil && list == nil {
				panic("quotes.txt: unknown section " + l)
			}
		case set != nil:
			set[l] = true
		default:
			*list = append(*list, l)
		}
	}
	return t
}

// fold makes a line comparable: lower case, one blank between words, wide
// colons plain, marks of bold and italics dropped.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '*':
			return -1
		case '：':
			return ':'
		}
		return unicode.ToLower(r)
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// hasWord tells whether a folded text holds the word, not as part of another.
func hasWord(s, word string) bool {
	for i := 0; ; {
		j := strings.Index(s[i:], word)
		if j < 0 {
			return false
		}
		j += i
		before, _ := utf8.DecodeLastRuneInString(s[:j])
		after, _ := utf8.DecodeRuneInString(s[j+len(word):])
		last, _ := utf8.DecodeLastRuneInString(word)
		if !unicode.IsLetter(before) && (!unicode.IsLetter(after) || wide(last)) || wide(last) {
			return true
		}
		i = j + len(word)
	}
}

// wide tells whether a script does not put blanks between words.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

func hasAnyWord(s string, words []string) bool {
	for _, w := range words {
		if hasWord(s, w) {
			return true
		}
	}
	return false
}
