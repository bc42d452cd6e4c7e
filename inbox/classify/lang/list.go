package lang

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// wordList holds the single words of a section word.NAME, and the beginnings and
// endings of words.
type wordList struct {
	words       map[string]bool
	stems, ends []string
}

func (l *wordList) add(source string) {
	word, stem := strings.CutSuffix(source, "*")
	word, end := strings.CutPrefix(word, "*")
	switch word = strings.Clone(Fold(word)); {
	case stem:
		l.stems = append(l.stems, word)
	case end:
		l.ends = append(l.ends, word)
	default:
		l.words[word] = true
	}
}

func (l *wordList) has(word string) bool {
	if l == nil || l.words[word] {
		return l != nil
	}
	begins := func(s string) bool { return strings.HasPrefix(word, s) }
	ends := func(s string) bool { return strings.HasSuffix(word, s) }
	return slices.ContainsFunc(l.stems, begins) || slices.ContainsFunc(l.ends, ends)
}

// takeWords moves the entries of the sections word.NAME out of a list of entries.
func (l *lexicon) takeWords(list []entry) []entry {
	return slices.DeleteFunc(list, func(e entry) bool {
		if !e.concept.listed() {
			return false
		}
		of := l.words[e.concept]
		if of == nil {
			of = &wordList{words: map[string]bool{}}
			l.words[e.concept] = of
		}
		of.add(e.source)
		return true
	})
}

// readListed adds an entry of a section word.NAME.
func (p *parser) readListed(section Concept, source string) error {
	word := strings.TrimSuffix(strings.TrimPrefix(source, "*"), "*")
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && !isApostrophe(r) }) {
		return fmt.Errorf("%q: [%s] takes single words", source, section)
	}
	p.entries = append(p.entries, entry{concept: section, source: source})
	return nil
}

// Listed tells whether a word, in its comparable form, stands in a section
// word.NAME of the guessed language or, where no language was guessed, of any.
func (r *Rules) Listed(g Guess, c Concept, word string) bool {
	if g.Tag != "" {
		l := r.lexicons[g.Tag]
		return l != nil && l.words[c].has(word)
	}
	for _, l := range r.lexicons {
		if l.words[c].has(word) {
			return true
		}
	}
	return false
}
