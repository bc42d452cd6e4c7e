package parse

import (
	_ "embed"
	"slices"
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

func readMarks(text string) markTable {
	s := readSections("quotes.txt", text, "start", "separator", "from", "sent", "to", "subject", "device", "wrote", "own", "mobile")
	return markTable{start: set(s["start"]), separator: set(s["separator"]), from: set(s["from"]), sent: set(s["sent"]),
		to: set(s["to"]), subject: set(s["subject"]), device: set(s["device"]), wrote: s["wrote"], own: s["own"], mobile: s["mobile"]}
}

// readSections reads a file of words: [section] lines, one word a line, and
// comments. A section that nobody knows is a mistake in a file that is part of
// the program, so it panics; a test reads the files.
func readSections(file, text string, known ...string) map[string][]string {
	sections := map[string][]string{}
	section := ""
	for l := range strings.SplitSeq(text, "\n") {
		l = strings.TrimSpace(l)
		switch {
		case l == "" || l[0] == '#':
		case l[0] == '[' && l[len(l)-1] == ']':
			if section = l[1 : len(l)-1]; !slices.Contains(known, section) {
				panic(file + ": unknown section " + l)
			}
		default:
			sections[section] = append(sections[section], l)
		}
	}
	return sections
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
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
