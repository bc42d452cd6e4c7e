package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cut is an ending that a word has in a sentence, and what it has by itself:
// "у", "а" make "Астана" of "Астану".
type cut struct {
	end, instead string
	letters      int // of the end
}

func newCut(e *entry) cut {
	c := cut{end: strings.Clone(e.parts[0].text)}
	if len(e.parts) > 1 {
		c.instead = strings.Clone(e.parts[1].text)
	}
	c.letters = utf8.RuneCountInString(c.end)
	return c
}

// minStem is how many letters a name must keep when it loses an ending.
const minStem = 2

// undo gives the word without the ending.
func (c cut) undo(word string) (string, bool) {
	stem, ok := strings.CutSuffix(word, c.end)
	if !ok || utf8.RuneCountInString(stem) < minStem {
		return "", false
	}
	return stem + c.instead, true
}

// takeCities moves the names of places out of a list of entries.
func (r *Rules) takeCities(list []entry) []entry {
	return slices.DeleteFunc(list, func(e entry) bool {
		if e.concept == City {
			key := strings.Clone(placeKey(e.source))
			r.cities[key] = strings.Clone(e.source)
			r.typedCities[skeleton(key)] = true
		}
		return e.concept == City
	})
}

// IsCity tells whether a text is the name of a city of the rule files, typed in
// either script.
func (r *Rules) IsCity(text string) bool { return r.typedCities[skeleton(placeKey(text))] }

func placeKey(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == '-' || unicode.IsSpace(r) }) {
		return Fold(s) // one word
	}
	return Fold(strings.Join(strings.Fields(strings.ReplaceAll(s, "-", " ")), " "))
}

// PlaceName is what [Rules.Unbend] tells of a place's name.
type PlaceName struct {
	Name  string // as it stands by itself, if that can be told, else as written
	Known bool   // it is a city of the rule files
	Bent  bool   // it is none of them, and may have an ending of the sentence
}

// Unbend takes the ending off the name of a place that a sentence of the
// language has put on it: "Астану" is Астана. Only for a city of the rule
// files is that certain.
func (r *Rules) Unbend(tag, text string) PlaceName {
	if name, ok := r.cities[placeKey(text)]; ok {
		return PlaceName{Name: name, Known: true}
	}
	l := r.lexicons[tag]
	if l == nil {
		return PlaceName{Name: text}
	}
	cuts := l.cuts[CutPrefix+"location"]
	if name, ok := r.unbend(strings.Fields(placeKey(text)), cuts); ok {
		return PlaceName{Name: name, Known: true}
	}
	var forms []string
	for _, c := range cuts {
		if form, ok := c.undo(text); ok && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	if len(forms) == 1 {
		return PlaceName{Name: forms[0], Bent: true}
	}
	return PlaceName{Name: text, Bent: len(forms) > 0}
}

// maxPlaceWords bounds the words of a name whose endings are tried.
const maxPlaceWords = 4

// unbend finds the city that the words are, each with an ending or without.
func (r *Rules) unbend(words []string, cuts []cut) (string, bool) {
	if len(words) == 0 || len(words) > maxPlaceWords {
		return "", false
	}
	names := []string{""}
	for _, w := range words {
		var next []string
		for _, name := range names {
			next = append(next, name+" "+w)
			for _, c := range cuts {
				if form, ok := c.undo(w); ok {
					next = append(next, name+" "+form)
				}
			}
		}
		names = next
	}
	for _, name := range names {
		if city, ok := r.cities[name[1:]]; ok {
			return city, true
		}
	}
	return "", false
}

// UnbendName takes the ending off a person's name that a sentence of the
// language has put on it, and tells whether that is certain. Of the endings
// that fit, the longest decides: "ге ге" says that a name may end so by
// itself, "лге л" that one in "лге" does not.
func (r *Rules) UnbendName(tag, text string) (string, bool) {
	l := r.lexicons[tag]
	if l == nil {
		return text, true
	}
	name, end := text, ""
	for _, c := range l.cuts[CutPrefix+"full_name"] {
		if form, ok := c.undo(strings.ToLower(text)); ok && len(c.end) > len(end) {
			name, end = text, c.end
			if whole, ok := c.undo(text); ok && form != strings.ToLower(text) {
				name = whole
			}
		}
	}
	return name, end == "" || name != text
}

// Bent tells whether a word may have an ending that the sentence has put on a
// value of the field.
func (r *Rules) Bent(tag, field, word string) bool {
	l := r.lexicons[tag]
	return l != nil && slices.ContainsFunc(l.cuts[Concept(CutPrefix+field)], func(c cut) bool {
		_, ok := c.undo(word)
		return ok
	})
}
