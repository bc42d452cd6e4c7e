package lang

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold gives the comparable form of a word: lower case, without apostrophes,
// Latin letters without accents, ё as е.
func Fold(s string) string {
	if strings.IndexFunc(s, unfolded) < 0 {
		return s
	}
	s = strings.ToLower(s)
	if strings.IndexFunc(s, unfolded) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case !unfolded(r):
			b.WriteRune(r)
		case r == '\'' || r == '’':
		case r >= firstAccented && r <= lastAccented:
			b.WriteString(accented[r-firstAccented])
		default:
			return foldMarks(s)
		}
	}
	return b.String()
}

// The small letters of the Latin languages, accents and all.
const (
	firstAccented = 'ß'
	lastAccented  = 'ž'
)

// accented gives the comparable form of each.
var accented = func() (t [lastAccented - firstAccented + 1]string) {
	for i := range t {
		t[i] = foldMarks(string(rune(firstAccented + i)))
	}
	return t
}()

// foldMarks is Fold of a text in lower case that may have marks by themselves.
func foldMarks(s string) string {
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

// unfolded tells whether a letter may have to be written otherwise.
func unfolded(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return 'A' <= r && r <= 'Z' || r == '\'' || r == '`'
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

// digraphs are the ways to type one Cyrillic letter in Latin ones, by their
// first letter; longer ones first.
var digraphs = [128][]struct{ typed, instead string }{
	's': {{"shch", "6"}, {"sch", "6"}, {"sh", "6"}},
	't': {{"tsh", "t6"}, {"ts", "c"}, {"tz", "c"}},
	'c': {{"ch", "4"}},
	'z': {{"zh", "j"}},
	'k': {{"kh", "h"}},
	'g': {{"gh", "g"}},
	'n': {{"ng", "n"}},
	'y': {{"yo", "e"}, {"ye", "e"}, {"yu", "iu"}, {"ya", "ia"}, {"y", "i"}},
	'w': {{"w", "u"}},
	'x': {{"x", "h"}},
	'q': {{"q", "k"}},
}

// undigraph appends a text without its digraphs.
func undigraph(out, s []byte) []byte {
next:
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			for _, d := range digraphs[c] {
				if bytes.HasPrefix(s[i:], []byte(d.typed)) {
					out = append(out, d.instead...)
					i += len(d.typed)
					continue next
				}
			}
		}
		out = append(out, s[i])
		i++
	}
	return out
}

// shared gives the shared spelling of a Cyrillic letter; ok is false of others.
func shared(r rune) (s string, ok bool) {
	if r < 0x400 || r > 0x4FF {
		return "", false
	}
	return cyrillicTable[r-0x400].s, cyrillicTable[r-0x400].ok
}

// cyrillicTable is cyrillic by the number of the letter.
var cyrillicTable = func() (t [0x100]struct {
	s  string
	ok bool
}) {
	for r, s := range cyrillic {
		t[r-0x400].s, t[r-0x400].ok = s, true
	}
	return t
}()

// eitherJ joins the two letters that typists write as "j": ж, and the sound
// before a vowel that makes я and ю of а and у.
func eitherJ(s []byte) {
	for i := range len(s) - 1 {
		if s[i] == 'j' && (s[i+1] == 'a' || s[i+1] == 'u') {
			s[i] = 'i'
		}
	}
}

// skeleton gives the spelling that a word shares with the same word typed in
// the other script. Doubled letters count once, because typists drop them.
func skeleton(folded string) string {
	var room, more [2 * maxWord]byte
	s, isLatin := room[:0], false
	for _, r := range folded {
		if typed, ok := shared(r); ok {
			s = append(s, typed...)
			continue
		}
		isLatin = true
		s = utf8.AppendRune(s, r)
	}
	if isLatin {
		s = undigraph(more[:0], s)
	}
	eitherJ(s)
	if s = undouble(s); string(s) == folded {
		return folded
	}
	return string(s)
}

// undouble drops letters that repeat the one before.
func undouble(s []byte) []byte {
	out, last := s[:0], rune(0)
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		if r != last {
			out = append(out, s[:n]...)
		}
		last, s = r, s[n:]
	}
	return out
}
