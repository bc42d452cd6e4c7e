package screen

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox"
)

//go:embed signs.txt
var signsText string

// signPhrases are the phrases of signs.txt by the first rune of their first
// word.
var signPhrases, dateWords = readSigns(signsText)

const (
	maxSentence = 80 // words of a sentence; what is longer is cut in two
	maxGap      = 10 // words that a "*" stands for
)

// phrase is a line of signs.txt: groups of words that follow each other, with
// up to maxGap other words between the groups. A word is a list of those that
// may stand in its place.
type phrase struct {
	sign   string
	groups [][][]string
}

// readSigns reads the phrases. A section is made by its name; a test compares
// the names with those of the readings.
func readSigns(text string) (map[rune][]phrase, []string) {
	var dates []string
	byRune, sign := map[rune][]phrase{}, ""
	for l := range strings.SplitSeq(text, "\n") {
		l = strings.TrimSpace(l)
		switch {
		case l == "" || l[0] == '#':
		case l[0] == '[':
			sign = strings.Trim(l, "[]")
		case sign == "dates":
			dates = append(dates, strings.Fields(plain(l))...)
		default:
			p := readPhrase(sign, l)
			for _, r := range p.begins() {
				byRune[r] = append(byRune[r], p)
			}
		}
	}
	return byRune, dates
}

func readPhrase(sign, l string) phrase {
	p := phrase{sign, [][][]string{nil}}
	for _, w := range strings.Fields(plain(l)) {
		if w == "*" {
			p.groups = append(p.groups, nil)
			continue
		}
		last := &p.groups[len(p.groups)-1]
		*last = append(*last, strings.Split(w, "|"))
	}
	return p
}

// begins gives the runes that the phrase may begin with.
func (p phrase) begins() []rune {
	var out []rune
	for _, w := range p.groups[0][0] {
		if r, _ := utf8.DecodeRuneInString(w); !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// in tells whether the words begin with the phrase. Each group is taken where
// it is found first, so that the work is bounded.
func (p phrase) in(words []string) bool {
	for i, g := range p.groups {
		at := 0
		for !follow(words[at:], g) {
			if at++; i == 0 || at > maxGap || at > len(words) {
				return false
			}
		}
		words = words[at+len(g):]
	}
	return true
}

func follow(words []string, group [][]string) bool {
	if len(words) < len(group) {
		return false
	}
	for i, any := range group {
		if !slices.ContainsFunc(any, func(w string) bool { return fits(words[i], w) }) {
			return false
		}
	}
	return true
}

// fits compares a word with one of a phrase, whose "-" is any ending.
func fits(word, want string) bool {
	stem, ok := strings.CutSuffix(want, "-")
	return word == want || ok && strings.HasPrefix(word, stem)
}

// sentence is a piece of a mail that stands between full stops: its words, of
// which numbers and dates are "0", addresses "@" and links "http". The first
// word is always "^", the last "$"; both stand behind a greeting, too.
type sentence struct {
	words    []string
	subject  bool
	question bool
}

// signs gives the sections of signs.txt that a sentence has a phrase of.
func (s sentence) signs() set {
	found := set{}
	for i, w := range s.words {
		r, _ := utf8.DecodeRuneInString(w)
		for _, p := range signPhrases[r] {
			if !found[p.sign] && p.in(s.words[i:]) {
				found[p.sign] = true
			}
		}
	}
	return found
}

// sentences gives the subject, unless it is that of the mail that is answered
// or forwarded, and the text in sentences, without what it quotes.
func sentences(m *inbox.Message) []sentence {
	var out []sentence
	if s := subject(m); !answers(s) {
		out = split(s)
		for i := range out {
			out[i].subject = true
		}
	}
	s := m.Text
	if s == "" {
		s = m.Whole
	}
	return append(out, split(unquoted(s[:min(len(s), maxText)]))...)
}

// answerMarks stand before the subject of a mail that is answered or forwarded.
var answerMarks = []string{"re", "aw", "sv", "vs", "r", "ref", "rif", "res", "antw", "odp", "ynt", "отв", "ответ", "fw", "fwd", "wg", "tr", "rv", "i", "enc", "doorst", "pd", "ilt", "пересл"}

func answers(subject string) bool {
	head, _, ok := strings.Cut(subject, ":")
	return ok && slices.Contains(answerMarks, strings.TrimSpace(head))
}

// split cuts a text into sentences: at full stops, empty lines, and short lines.
func split(text string) []sentence {
	const short = 50   // bytes; programs do not break shorter lines
	const greeting = 4 // words with "^", up to a comma: "Good morning Ann,"; one word up to a colon
	var out []sentence
	open := sentence{words: []string{"^"}}
	end := func() {
		if len(open.words) > 1 {
			open.words = append(open.words, "$")
			out = append(out, open)
		}
		open = sentence{words: []string{"^"}}
	}
	for line := range strings.SplitSeq(plain(text), "\n") {
		for _, f := range strings.Fields(line) {
			open.words = appendWords(open.words, f)
			stop, question := stops(f)
			open.question = open.question || question
			switch {
			case stop || len(open.words) > maxSentence:
				end()
			case len(open.words) <= greeting && strings.HasSuffix(f, ",") || len(open.words) == 2 && strings.HasSuffix(f, ":"):
				open.words = append(open.words, "$", "^")
			}
		}
		if len(line) < short {
			end()
		}
	}
	end()
	return out
}

// stops tells whether a sentence ends with a field. A full stop behind a
// number may belong to the number.
func stops(field string) (stop, question bool) {
	field = strings.TrimRight(field, ")]*_>")
	last, n := utf8.DecodeLastRuneInString(field)
	before, _ := utf8.DecodeLastRuneInString(field[:len(field)-n])
	return strings.ContainsRune("!?;…。", last) || last == '.' && !unicode.IsDigit(before), last == '?' || last == '？'
}

// appendWords adds the words of what stands between two blanks. Numbers and
// dates that follow each other are one.
func appendWords(words []string, field string) []string {
	switch {
	case strings.Contains(field, "@") && strings.Contains(field, "."):
		return append(words, "@")
	case strings.Contains(field, "http://") || strings.Contains(field, "https://") || strings.HasPrefix(field, "www."):
		return append(words, "http")
	}
	for _, w := range strings.FieldsFunc(field, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }) {
		if !isDate(w) {
			words = append(words, w)
		} else if words[len(words)-1] != "0" {
			words = append(words, "0")
		}
	}
	return words
}

func isDate(w string) bool {
	return strings.ContainsFunc(w, unicode.IsDigit) || slices.ContainsFunc(dateWords, func(d string) bool { return fits(w, d) })
}

// plainer evens out what is written in several ways. An apostrophe parts words.
var plainer = strings.NewReplacer("’", " ", "‘", " ", "ё", "е", "\u00ad", "", "\u200b", "", "\u00a0", " ",
	"won't", "will not", "won’t", "will not", "can't", "can not", "can’t", "can not", "cannot", "can not", "n't", " not", "n’t", " not",
	"i'm", "i am", "i’m", "i am", "'re ", " are ", "’re ", " are ", "'ll ", " will ", "’ll ", " will ", "'ve ", " have ", "’ve ", " have ", "'", " ")

// plain makes texts and phrases comparable.
func plain(s string) string { return plainer.Replace(strings.ToLower(s)) }

// unquoted drops what a text quotes in quotation marks: it is another's.
func unquoted(s string) string {
	const most = 200 // bytes; what is longer was not closed
	var out strings.Builder
	for {
		i := strings.IndexAny(s, "«„“\"")
		if i < 0 {
			break
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		out.WriteString(s[:i])
		s = s[i+n:]
		if j := strings.IndexAny(s, "»“”\""); j >= 0 && j <= most {
			_, n = utf8.DecodeRuneInString(s[j:])
			s = s[j+n:]
		}
	}
	return out.String() + s
}
