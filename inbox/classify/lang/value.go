package lang

import (
	"slices"
	"strings"
)

// valueWords are the values that a section value.NAME lists, by their
// comparable form and by the spelling that both scripts share.
type valueWords struct {
	plain, typed map[string]string
}

func (l *lexicon) addValue(of, source string) {
	v, ok := l.values[of]
	if !ok {
		v = valueWords{plain: map[string]string{}, typed: map[string]string{}}
		l.values[of] = v
	}
	key := placeKey(source)
	v.plain[key], v.typed[skeleton(key)] = source, source
}

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
	list, key := l.values[of].plain, placeKey(text)
	if g.Typed {
		list, key = l.values[of].typed, skeleton(key)
	}
	if _, ok := list[key]; ok {
		return text, true // with the writer's capitals
	}
	cuts := l.cuts[CutPrefix+"value"]
	for _, form := range bare(strings.Fields(key), cuts, g.Typed) {
		if source, ok := list[form]; ok {
			if g.Typed {
				return text, true
			}
			return source, true
		}
	}
	return "", false
}

// Lists tells whether the file of the guessed language has a section value.NAME.
func (r *Rules) Lists(g Guess, of string) bool {
	l := r.lexicons[g.Tag]
	return l != nil && len(l.values[of].plain) > 0
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
