package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Break says what stands before a word.
type Break uint8

// The breaks, weakest first.
const (
	None     Break = iota // blanks, hyphens, a line that runs on
	Comma                 // comma, bracket, dash, slash
	Colon                 // colon, equals sign, arrow
	Sentence              // end of a sentence, a new line or list item
)

// Word is one word of a Text.
type Word struct {
	Start, End int    // bytes in Text.Source
	Fold       string // comparable form
	Before     Break
	Quoted     bool // stands in quotation marks
	Respelt    bool // Fold is that of another word, which is meant
}

// Text is a text cut into words and sentences.
type Text struct {
	Source    string
	Words     []Word
	Sentences []Span // of words; every word is in exactly one

	skels        []string // of the words, the spelling that both scripts share, once it was asked for
	plain, typed *scan    // what the rule files find, once it was looked for
}

// letters counts the letters of either script in the words from one on.
func (t *Text) letters(from int) (latin, cyrillic int) {
	for _, w := range t.Words[from:] {
		for _, r := range t.Source[w.Start:w.End] {
			switch {
			case r < utf8.RuneSelf:
				if 'a' <= r|0x20 && r|0x20 <= 'z' {
					latin++
				}
			case unicode.Is(unicode.Cyrillic, r):
				cyrillic++
			case unicode.Is(unicode.Latin, r):
				latin++
			}
		}
	}
	return latin, cyrillic
}

// spell fills in the spelling of each word that both scripts share.
func (t *Text) spell() {
	if t.skels != nil {
		return
	}
	t.skels = make([]string, len(t.Words))
	for i := range t.Words {
		t.skels[i] = skeleton(t.Words[i].Fold)
	}
}

// Unread gives the text without what was found in it, for other rules to be
// looked for in the same words.
func (t *Text) Unread() *Text { return &Text{Source: t.Source, Words: t.Words, Sentences: t.Sentences} }

// Span is a range of words: From is the first, To the one behind the last.
type Span struct{ From, To int }

// maxWord bounds the bytes of a word that are looked at.
const maxWord = 60

// NewText cuts a text into words and sentences. The rules tell which dots end no
// sentence.
func (r *Rules) NewText(s string) *Text {
	t := &Text{Source: s, Words: make([]Word, 0, strings.Count(s, " ")+strings.Count(s, "\n")+1)}
	sc := scanner{rules: r, t: t, gap: Sentence, lineStart: true}
	for i := 0; i < len(s); {
		i = sc.step(i)
	}
	sc.word(len(s))
	t.markQuotes()
	t.cutSentences()
	return t
}

type scanner struct {
	rules     *Rules
	t         *Text
	start     int // of the current word
	in        bool
	gap       Break
	lineStart bool // nothing but list marks since the line began
	line      int  // where the line began
}

func (sc *scanner) step(i int) int {
	s := sc.t.Source
	r, n := utf8.DecodeRuneInString(s[i:])
	switch {
	case isWordRune(r) || sc.in && isApostrophe(r):
		if !sc.in {
			sc.in, sc.start = true, i
		}
		sc.lineStart = false
	default:
		sc.word(i)
		sc.mark(r, i, n)
	}
	return i + n
}

func (sc *scanner) word(end int) {
	if !sc.in {
		return
	}
	f := Fold(sc.t.Source[sc.start:min(end, sc.start+maxWord)])
	if f != "" {
		sc.t.Words = append(sc.t.Words, Word{Start: sc.start, End: end, Fold: f, Before: sc.gap})
	}
	sc.in, sc.gap = false, None
}

func (sc *scanner) mark(r rune, i, n int) {
	s := sc.t.Source
	next, _ := utf8.DecodeRuneInString(s[i+n:])
	spaced := i+n >= len(s) || unicode.IsSpace(next)
	b := None
	switch r {
	case '\n':
		b = sc.lineBreak(i)
		sc.lineStart, sc.line = true, i+1
	case '.', '…':
		if spaced || strings.ContainsRune(".…!?)\"»”", next) {
			b = Sentence
			if r == '.' && sc.abbreviated() && next != '\n' && i+n < len(s) {
				b = None
			}
		}
	case '!', '?', ';', '\u2022', '|':
		b = Sentence
	case ',', '(', ')', '/', '—', '–', '[', ']', '{', '}', '\t':
		b = Comma
	case '-':
		if i > 0 && s[i-1] == ' ' && spaced {
			b = Comma
		}
	case ':', '=', '→', '>':
		if r != ':' || spaced || !unicode.IsDigit(next) {
			b = Colon
		}
	}
	sc.gap = max(sc.gap, b)
}

// abbreviated tells whether the dot before belongs to an abbreviation or a
// single letter: an initial, "г.", "д.".
func (sc *scanner) abbreviated() bool {
	w := sc.t.Words
	if len(w) == 0 {
		return false
	}
	last := w[len(w)-1].Fold
	if last == "no" && len(w) > 1 && w[len(w)-1].Before == None {
		return sc.rules.Listed(Guess{}, WordNumbered, w[len(w)-2].Fold)
	}
	r, n := utf8.DecodeRuneInString(last)
	return n == len(last) && unicode.IsLetter(r) || sc.rules.Listed(Guess{}, WordShort, last)
}

// lineBreak tells a line that was wrapped from one that ends.
func (sc *scanner) lineBreak(i int) Break {
	rest := strings.TrimLeft(sc.t.Source[i+1:min(len(sc.t.Source), i+80)], " \t")
	next, _ := utf8.DecodeRuneInString(rest)
	width := utf8.RuneCountInString(sc.t.Source[sc.line:i])
	if rest == "" || next == '\n' || width < 40 || strings.HasSuffix(strings.TrimRight(sc.t.Source[sc.line:i], " \t\r"), ":") || strings.ContainsRune("-*•–—·>", next) {
		return Sentence
	}
	if unicode.IsLower(next) || (width >= 60 && !labelled(rest)) {
		return None
	}
	return Sentence
}

// labelled tells whether a line begins like "Field: value".
func labelled(line string) bool {
	line, _, _ = strings.Cut(line, "\n")
	i := strings.IndexByte(line, ':')
	return i > 0 && i < 40
}

// isWordRune tells the letters and digits that words are made of.
func isWordRune(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9'
	case 'А' <= r && r <= 'я':
		return true
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func isApostrophe(r rune) bool { return r == '\'' || r == '’' || r == 'ʼ' || r == '`' }

// closing gives the marks that close a quotation that a mark opens.
func closing(open rune) string {
	switch open {
	case '"':
		return "\""
	case '\'':
		return "'"
	case '‘':
		return "’"
	case '«':
		return "»"
	case '“':
		return "”“\""
	case '„':
		return "“”\""
	case '”':
		return "”"
	}
	return ""
}

// maxQuote bounds a quotation in bytes; an opening mark without its end means nothing.
const maxQuote = 1000

func (t *Text) markQuotes() {
	w := 0
	for _, q := range Quotations(t.Source) {
		for w < len(t.Words) && t.Words[w].Start < q[0] {
			w++
		}
		for w < len(t.Words) && t.Words[w].End <= q[1] {
			t.Words[w].Quoted = true
			w++
		}
	}
}

// Quotations gives the byte ranges that stand in quotation marks, without the marks.
func Quotations(s string) [][2]int {
	var out [][2]int
	var end string
	open := -1
	before := ' '
	for i, r := range s {
		last := before
		before = r
		switch {
		case isApostrophe(r) && open < 0 && !unicode.IsSpace(last) || isApostrophe(r) && open >= 0 && within(s[i+utf8.RuneLen(r):]):
			continue // within a word, or behind it
		case open >= 0 && i-open > maxQuote:
			open = -1
		case open >= 0 && strings.ContainsRune(end, r):
			out = append(out, [2]int{open, i})
			open = -1
			continue
		}
		if c := closing(r); c != "" && open < 0 {
			open, end = i+utf8.RuneLen(r), c
		}
	}
	return out
}

// within tells whether a word goes on.
func within(rest string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// maxSentence bounds the words of a sentence, so that what looks at a sentence
// as a whole stays linear in the text. People do not write longer ones.
const maxSentence = 80

func (t *Text) cutSentences() {
	from := 0
	for i := range t.Words {
		if i-from >= maxSentence {
			t.Words[i].Before = Sentence
		}
		if i > from && t.Words[i].Before == Sentence {
			t.Sentences = append(t.Sentences, Span{from, i})
			from = i
		}
	}
	if from < len(t.Words) {
		t.Sentences = append(t.Sentences, Span{from, len(t.Words)})
	}
}

// Slice gives the source of a span of words, without what stands around it.
func (t *Text) Slice(s Span) string {
	if s.From >= s.To {
		return ""
	}
	return t.Source[t.Words[s.From].Start:t.Words[s.To-1].End]
}

// EndMark gives the punctuation that stands behind a span, blanks left out.
func (t *Text) EndMark(s Span) string {
	if s.From >= s.To {
		return ""
	}
	end := len(t.Source)
	if s.To < len(t.Words) {
		end = t.Words[s.To].Start
	}
	mark := strings.TrimSpace(t.Source[t.Words[s.To-1].End:end])
	if strings.ContainsFunc(mark, unicode.IsSpace) {
		return strings.Join(strings.Fields(mark), "")
	}
	return mark
}
