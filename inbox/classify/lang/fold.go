package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold gives the comparable form of a word: lower case, without apostrophes,
// Latin letters without accents, ё as е.
func Fold(s string) string {
	s = strings.ToLower(s)
	if strings.IndexFunc(s, composed) < 0 {
		return s
	}
	var b strings.Builder
	latin := false
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == '\'', r == '’', r == 'ʼ', r == '`', r == '\u00AD', r == '\u200B':
		case unicode.Is(unicode.Mn, r):
			if !latin && r != '\u0308' {
				b.WriteRune(r) // й, ї keep theirs; ё loses it
			}
			if !latin && r == '\u0308' && strings.HasSuffix(b.String(), "і") {
				b.WriteRune(r)
			}
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ı':
			b.WriteByte('i')
		case r == 'ł':
			b.WriteByte('l')
		case r == 'ø':
			b.WriteByte('o')
		default:
			b.WriteRune(r)
			latin = unicode.Is(unicode.Latin, r)
		}
	}
	return norm.NFC.String(b.String())
}

// composed tells whether a lower-case letter may have to be written otherwise.
func composed(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r == '\'' || r == '`'
	case 'а' <= r && r <= 'я':
		return false
	}
	return !strings.ContainsRune("әғқңөұүһіїєґ", r)
}

// cyrillic gives the shared spelling of each Cyrillic letter.
var cyrillic = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ж': "j", 'з': "z", 'и': "i", 'й': "i", 'к': "k",
	'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "h",
	'ц': "c", 'ч': "4", 'ш': "6", 'щ': "6", 'ъ': "", 'ы': "i", 'ь': "", 'э': "e", 'ю': "iu", 'я': "ia",
	'ә': "a", 'ғ': "g", 'қ': "k", 'ң': "n", 'ө': "o", 'ұ': "u", 'ү': "u", 'һ': "h", 'і': "i", 'ї': "i", 'є': "e", 'ґ': "g",
}

// digraphs are the ways to type one Cyrillic letter in Latin ones; longer first.
var digraphs = strings.NewReplacer(
	"shch", "6", "sch", "6", "tsh", "t6", "sh", "6", "ch", "4", "zh", "j", "kh", "h", "gh", "g", "ng", "n", "ts", "c", "tz", "c",
	"yo", "e", "ye", "e", "yu", "iu", "ya", "ia",
	"y", "i", "w", "u", "x", "h", "q", "k",
)

// eitherJ joins the two letters that typists write as "j": ж, and the sound
// before a vowel that makes я and ю of а and у.
var eitherJ = strings.NewReplacer("ja", "ia", "ju", "iu")

// skeleton gives the spelling that a word shares with the same word typed in
// the other script. Doubled letters count once, because typists drop them.
func skeleton(folded string) string {
	var b strings.Builder
	isLatin := false
	for _, r := range folded {
		s, ok := cyrillic[r]
		if !ok {
			s, isLatin = string(r), true
		}
		b.WriteString(s)
	}
	s := b.String()
	if isLatin {
		s = digraphs.Replace(s)
	}
	s = eitherJ.Replace(s)
	b.Reset()
	var last rune
	for _, r := range s {
		if r != last {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}
