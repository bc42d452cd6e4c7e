package answer

import (
	"strings"
	"unicode"
)

// maxDrawn bounds the words of an answer that is drawn out: "yeeees", "нееет".
const maxDrawn = 4

// undrawn gives the text with one letter where three or more of the same stand.
func undrawn(text string) string {
	var out []rune
	list := []rune(text)
	for i := 0; i < len(list); {
		n := i
		for n < len(list) && unicode.ToLower(list[n]) == unicode.ToLower(list[i]) {
			n++
		}
		keep := list[i:n]
		if n-i >= 3 && unicode.IsLetter(list[i]) {
			keep = keep[:1]
		}
		out, i = append(out, keep...), n
	}
	return string(out)
}

// maxSwapped bounds the words of an answer typed on the wrong keyboard, and
// minSwapped the letters of each.
const (
	maxSwapped = 2
	minSwapped = 2
)

// The letters of the English and the Russian keyboard, key by key.
const (
	latinKeys    = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
	cyrillicKeys = "йцукенгшщзхъфывапролджэячсмитьбю"
)

// keys gives for a letter of one keyboard the letter of the other.
var keys = func() map[rune]rune {
	out := map[rune]rune{}
	cyrillic := []rune(cyrillicKeys)
	for i, c := range []rune(latinKeys) {
		out[cyrillic[i]] = c
		if unicode.IsLetter(c) {
			out[c] = cyrillic[i]
		}
	}
	return out
}()

// swapped gives a text as it would be if its keys were pressed on the other
// keyboard, "да" for "lf", or "" where that cannot be meant.
func swapped(text string) string {
	text = strings.Trim(strings.ToLower(text), " .!\n\t")
	for w := range strings.FieldsSeq(text) {
		if len([]rune(w)) < minSwapped {
			return ""
		}
	}
	return strings.Map(func(c rune) rune {
		if k, ok := keys[c]; ok {
			return k
		}
		return c
	}, text)
}
