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

// known is what signs.txt says.
var known = readSigns(signsText)

const (
	maxSentence = 80 // words of a sentence; what is longer is cut in two
	maxGap      = 10 // words that a "*" stands for
)

// signs are the phrases that give automatic mails away, and the words of dates,
// by the first two letters of their first word.
type signs struct {
	phrases map[letters][]phrase
	dates   map[letters][]stem
	sets    map[string]set // of one sign each
}

// letters are the first two of a word; the second is 0 of one that has but one.
type letters [2]rune

func begin(w string) letters {
	first, n := utf8.DecodeRuneInString(w)
	second, size := utf8.DecodeRuneInString(w[n:])
	if size == 0 {
		second = 0
	}
	return letters{first, second}
}

// either gives the letters of what a word may be, or begin with.
func (l letters) either() []letters {
	if l[1] == 0 {
		return []letters{l}
	}
	return []letters{l, {l[0]}}
}

// stem is a word, or the beginning of one.
type stem struct {
	text string
	any  bool // ending
}

func readStem(w string) stem {
	text, any := strings.CutSuffix(w, "-")
	return stem{text, any}
}

// fits compares a word with one of a phrase.
func (s stem) fits(word string) bool {
	return strings.HasPrefix(word, s.text) && (s.any || len(word) == len(s.text))
}

// phrase is a line of signs.txt: groups of words that follow each other, with
// up to maxGap other words between the groups. A word is a list of those that
// may stand in its place.
type phrase struct {
	sign   string
	set    set // of the sign
	groups [][][]stem
}

// readSigns reads the phrases. A section is made by its name; a test compares
// the names with those of the readings.
func readSigns(text string) signs {
	out := signs{phrases: map[letters][]phrase{}, dates: map[letters][]stem{}, sets: map[string]set{answering: 1}}
	sign := ""
	for l := range strings.SplitSeq(text, "\n") {
		l = strings.TrimSpace(l)
		switch {
		case l == "" || l[0] == '#':
		case l[0] == '[':
			sign = strings.Trim(l, "[]")
			if out.sets[sign] == 0 {
				out.sets[sign] = 1 << len(out.sets)
			}
		case sign == "dates":
			for w := range strings.FieldsSeq(plain(l)) {
				date := readStem(w)
				out.dates[begin(date.text)] = append(out.dates[begin(date.text)], date)
			}
		default:
			out.add(readPhrase(sign, l))
		}
	}
	return out
}

func (s signs) add(p phrase) {
	p.set = s.sets[p.sign]
	for _, l := range p.begins() {
		s.phrases[l] = append(s.phrases[l], p)
	}
}

func readPhrase(sign, l string) phrase {
	p := phrase{sign: sign, groups: [][][]stem{nil}}
	for w := range strings.FieldsSeq(plain(l)) {
		if w == "*" {
			p.groups = append(p.groups, nil)
			continue
		}
		var any []stem
		for one := range strings.SplitSeq(w, "|") {
			any = append(any, readStem(one))
		}
		last := &p.groups[len(p.groups)-1]
		*last = append(*last, any)
	}
	return p
}

// begins gives the letters that the phrase may begin with.
func (p phrase) begins() []letters {
	var out []letters
	for _, w := range p.groups[0][0] {
		if l := begin(w.text); !slices.Contains(out, l) {
			out = append(out, l)
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

func follow(words []string, group [][]stem) bool {
	if len(words) < len(group) {
		return false
	}
	for i, any := range group {
		if !slices.ContainsFunc(any, func(s stem) bool { return s.fits(words[i]) }) {
			return false
		}
	}
	return true
}

// sentence is a piece of a mail that stands between full stops: its words, of
// which numbers and dates are "0", addresses "@" and links "http". The first
// word is always "^", the last "$"; both stand behind a greeting, too.
type sentence struct {
	words    []string
	subject  bool
	question bool

	found set // once they were looked for
	read  bool
}

// signs gives the sections of signs.txt that a sentence has a phrase of.
func (s *sentence) signs() set {
	if !s.read {
		s.found, s.read = s.find(), true
	}
	return s.found
}

func (s *sentence) find() set {
	var found set
	for i, w := range s.words {
		for _, l := range begin(w).either() {
			for _, p := range known.phrases[l] {
				if found&p.set == 0 && p.in(s.words[i:]) {
					found |= p.set
				}
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
		for f := range strings.FieldsSeq(line) {
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
	for w := range strings.FieldsFuncSeq(field, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }) {
		if !isDate(w) {
			words = append(words, w)
		} else if words[len(words)-1] != "0" {
			words = append(words, "0")
		}
	}
	return words
}

func isDate(w string) bool {
	return strings.ContainsFunc(w, unicode.IsDigit) || slices.ContainsFunc(known.dates[begin(w)], func(d stem) bool { return d.fits(w) })
}

// plainer evens out what is written in several ways. An apostrophe parts words.
var plainer = strings.NewReplacer("’", " ", "‘", " ", "ё", "е", "\u00ad", "", "\u200b", "", "\u00a0", " ",
	"won't", "will not", "won’t", "will not", "can't", "can not", "can’t", "can not", "cannot", "can not", "n't", " not", "n’t", " not",
	"i'm", "i am", "i’m", "i am", "'re ", " are ", "’re ", " are ", "'ll ", " will ", "’ll ", " will ", "'ve ", " have ", "’ve ", " have ", "'", " ")

// plain makes texts and phrases comparable.
func plain(s string) string {
	s = strings.ToLower(s)
	if !strings.ContainsAny(s, "'’‘ё\u00ad\u200b\u00a0") && !strings.Contains(s, "cannot") {
		return s // nothing is written in several ways
	}
	return plainer.Replace(s)
}

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
