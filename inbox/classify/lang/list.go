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
	for _, s := range l.stems {
		if strings.HasPrefix(word, s) {
			return true
		}
	}
	for _, s := range l.ends {
		if strings.HasSuffix(word, s) {
			return true
		}
	}
	return false
}

// wordLists are the sections word.NAME of one language, or of all.
type wordLists map[Concept]*wordList

func (w wordLists) add(c Concept, source string) {
	of := w[c]
	if of == nil {
		of = &wordList{words: map[string]bool{}}
		w[c] = of
	}
	of.add(source)
}

// takeWords moves the entries of the sections word.NAME out of a list of entries.
func (r *Rules) takeWords(l *lexicon, list []entry) []entry {
	return slices.DeleteFunc(list, func(e entry) bool {
		if !e.concept.listed() {
			return false
		}
		l.words.add(e.concept, e.source)
		r.words.add(e.concept, e.source)
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
	return r.words[c].has(word)
}
