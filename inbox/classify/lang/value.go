package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// valueWords are the values that a section value.NAME lists, by their
// comparable form and by the spelling that both scripts share.
type valueWords struct {
	plain, typed *valueList
	sources      *words   // the values as they are written
	source       []uint32 // by number of the comparable form
}

// valueList holds the values in one spelling.
type valueList struct {
	keys *words
	// The first letters, minStem to maxBegin of them, of the values of one word
	// and of those of several.
	alone, leading *words
}

// maxBegin is how many letters of a word are compared at the most to tell at
// little cost that no value begins with it.
const maxBegin = 4

func newValueList() *valueList {
	return &valueList{keys: newWords(), alone: newWords(), leading: newWords()}
}

// add gives the number of a value.
func (l *valueList) add(key string) uint32 {
	begins := l.alone
	if strings.Contains(key, " ") {
		begins = l.leading
	}
	for n := minStem; n <= maxBegin; n++ {
		begins.number(begin(key, n))
	}
	return l.keys.number(key)
}

// isBetween tells what stands between the words of a value.
func isBetween(r rune) bool { return r == '-' || unicode.IsSpace(r) }

// mayHold tells, by the first word of a text alone, whether the text may be one
// of the values, with an ending of so many letters or without.
func (l *valueList) mayHold(text string, ending int) bool {
	i := strings.IndexFunc(text, isBetween)
	if i <= 0 {
		return mayBegin(l.alone, text, ending) || i == 0 && mayBegin(l.leading, text, ending)
	}
	if strings.TrimLeftFunc(text[i:], isBetween) == "" {
		return mayBegin(l.alone, text[:i], ending)
	}
	return mayBegin(l.leading, text[:i], ending)
}

// mayBegin tells whether a word may begin like one of those that have the first
// letters, once an ending of so many letters is taken off.
func mayBegin(begins *words, word string, ending int) bool {
	word = Fold(word)
	letters := utf8.RuneCountInString(word)
	kept := min(max(letters-ending, minStem), maxBegin) // what no ending reaches
	return letters < minStem || begins.find(begin(word, kept)) != unknown
}

// begin gives the first letters of a word.
func begin(key string, letters int) string {
	n := 0
	for i := range key {
		if n == letters {
			return key[:i]
		}
		n++
	}
	return key
}

func (l *lexicon) addValue(of, source string) {
	v := l.values[of]
	if v == nil {
		v = &valueWords{plain: newValueList(), typed: newValueList(), sources: newWords()}
		l.values[of] = v
	}
	key := placeKey(source)
	v.typed.add(skeleton(key))
	n := v.plain.add(key)
	for len(v.source) <= int(n) {
		v.source = append(v.source, unknown)
	}
	v.source[n] = v.sources.number(source)
}

// done makes the values as small as they can be.
func (v *valueWords) done() {
	for _, w := range []*words{v.plain.keys, v.plain.alone, v.plain.leading, v.typed.keys, v.typed.alone, v.typed.leading, v.sources} {
		w.done()
	}
}

// as gives a value as it is written by its comparable form.
func (v *valueWords) as(key string) (string, bool) {
	n := v.plain.keys.find(key)
	return v.sources.at(v.source[n]), n != unknown
}

// cutValue is the section of the endings that values lose.
const cutValue Concept = CutPrefix + "value"

// MaxValueWords bounds the words of a value that a rule file lists.
const MaxValueWords = 3

// Value tells whether a text is a value of the section value.NAME of the
// guessed language, with or without an ending of the sentence (section
// cut.value), and gives it as it stands by itself. What is typed in the other
// script is given as it was written.
func (r *Rules) Value(g Guess, of, text string) (string, bool) {
	l := r.lexicons[g.Tag]
	if l == nil {
		return "", false
	}
	words := l.values[of]
	if words == nil || !g.Typed && !words.plain.mayHold(text, l.longestEnd) {
		return "", false
	}
	list, key := words.plain, placeKey(text)
	if g.Typed {
		list, key = words.typed, skeleton(key)
	}
	if first := begin(key, minStem); list.alone.find(first) == unknown && list.leading.find(first) == unknown {
		return "", false
	}
	if list.keys.find(key) != unknown {
		return text, true // with the writer's capitals
	}
	for _, form := range bare(strings.Fields(key), l.cuts[cutValue], g.Typed) {
		if list.keys.find(form) == unknown {
			continue
		}
		if g.Typed {
			return text, true
		}
		return words.as(form)
	}
	return "", false
}

// MayBeginValue tells at little cost whether a value of a section value.NAME of
// the guessed language may begin with a word.
func (r *Rules) MayBeginValue(g Guess, of, word string) bool {
	l := r.lexicons[g.Tag]
	if l == nil || l.values[of] == nil {
		return false
	}
	list := l.values[of].plain
	return g.Typed || mayBegin(list.alone, word, l.longestEnd) || mayBegin(list.leading, word, l.longestEnd)
}

// longestEnd gives how many letters an ending has at the most.
func longestEnd(cuts []cut) int {
	n := 0
	for _, c := range cuts {
		n = max(n, c.letters)
	}
	return n
}

// Lists tells whether the file of the guessed language has a section value.NAME.
func (r *Rules) Lists(g Guess, of string) bool {
	l := r.lexicons[g.Tag]
	return l != nil && l.values[of] != nil
}

// bare gives the forms that words may have without the endings of a sentence:
// each with one or none taken off.
func bare(words []string, cuts []cut, typed bool) []string {
	if len(words) == 0 || len(words) >= MaxValueWords || len(cuts) == 0 {
		return nil
	}
	forms := []string{""}
	for _, w := range words {
		var next []string
		for _, f := range forms {
			next = append(next, strings.TrimSpace(f+" "+w))
			for _, c := range cuts {
				if typed {
					c.end, c.instead = skeleton(c.end), skeleton(c.instead)
				}
				if form, ok := c.undo(w); ok {
					next = append(next, strings.TrimSpace(f+" "+form))
				}
			}
		}
		forms = next
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}
