package lang

import (
	"fmt"
	"slices"
	"strings"
)

// wordList holds the single words of a section word.NAME, and the beginnings of
// words.
type wordList struct {
	words map[string]bool
	stems []string
}

func (l *wordList) has(word string) bool {
	return l != nil && (l.words[word] || slices.ContainsFunc(l.stems, func(s string) bool { return strings.HasPrefix(word, s) }))
}

// takeWords moves the entries of the sections word.NAME out of a list of entries.
func (l *lexicon) takeWords(list []*entry) []*entry {
	return slices.DeleteFunc(list, func(e *entry) bool {
		if !e.concept.listed() {
			return false
		}
		of := l.words[e.concept]
		if of == nil {
			of = &wordList{words: map[string]bool{}}
			l.words[e.concept] = of
		}
		if p := e.parts[0]; p.kind == partStem {
			of.stems = append(of.stems, p.text)
		} else {
			of.words[p.text] = true
		}
		return true
	})
}

func (e *entry) checkListed() error {
	if len(e.parts) != 1 || e.parts[0].kind != partWord && e.parts[0].kind != partStem {
		return fmt.Errorf("%q: [%s] takes single words", e.source, e.concept)
	}
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
