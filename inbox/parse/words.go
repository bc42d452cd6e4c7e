package parse

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one encoded word (RFC 2047) before its charset is applied.
type word struct {
	charset string
	bytes   []byte
}

// decodeWords decodes the encoded words of a header value. Neighbours of the
// same charset are joined first, because many programs cut words within a
// character. Raw 8-bit text is read as if its charset were not declared.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return decodeCharset([]byte(s), "")
	}
	var out strings.Builder
	var open word
	flush := func() {
		if open.charset != "" {
			out.WriteString(decodeCharset(open.bytes, open.charset))
			open = word{}
		}
	}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, n := readWord(s[i:])
		if n == 0 {
			flush()
			out.WriteString(decodeCharset([]byte(s[:i+2]), ""))
			s = s[i+2:]
			continue
		}
		if open.charset == "" || strings.TrimSpace(s[:i]) != "" {
			flush()
			out.WriteString(decodeCharset([]byte(s[:i]), ""))
		} else if open.charset != w.charset || utf7Names[w.charset] { // a word of UTF-7 ends its base64
			flush()
		}
		open.charset, open.bytes = w.charset, append(open.bytes, w.bytes...)
		s = s[i+n:]
	}
	flush()
	out.WriteString(decodeCharset([]byte(s), ""))
	return out.String()
}

// readWord reads the encoded word that s begins with. It gives the word and
// its length, which is 0 when there is none. The window is bounded, so that a
// value full of beginnings costs linear time.
func readWord(s string) (word, int) {
	const longest = 2000 // RFC 2047 says 75; programs disagree
	in := s[2:min(len(s), longest)]
	charset, in, ok := strings.Cut(in, "?")
	if !ok || charset == "" || len(charset) > 60 || strings.ContainsAny(charset, " \t") || len(in) < 2 || in[1] != '?' {
		return word{}, 0
	}
	kind, in := in[0], in[2:]
	text, _, ok := strings.Cut(in, "?=")
	if !ok {
		return word{}, 0
	}
	n := len("=?") + len(charset) + len("?B?") + len(text) + len("?=")
	charset, _, _ = strings.Cut(strings.ToLower(charset), "*") // RFC 2231: language
	switch kind {
	case 'b', 'B':
		return word{charset, decodeB(text)}, n
	case 'q', 'Q':
		return word{charset, decodeQ(text)}, n
	}
	return word{}, 0
}

// decodeB decodes base64 with or without padding, as far as it goes.
func decodeB(s string) []byte {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '=' {
			return -1
		}
		return r
	}, s)
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil && len(s) > 0 && len(b) == 0 {
		return []byte("?")
	}
	return b
}

func decodeQ(s string) []byte {
	var b []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			b = append(b, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return b
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// oneLine makes a decoded value one clean line of at most so many runes.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(clean(s)), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit])
}

// clean makes text safe to read: valid UTF-8, LF line ends, no control
// characters, nothing that is invisible or turns the direction of writing.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(cleanRune, s)
}

func cleanRune(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\v' || r == '\f' || r == 0x85:
		return '\n'
	case r == '\u00A0' || r == '\u202F' || r == '\u2007' || blank(r):
		return ' '
	case invisible(r) || unicode.IsControl(r):
		return -1
	}
	return r
}

// invisible tells whether a character shows nothing and never has to be there
// (Unicode's Default_Ignorable_Code_Point, without those of optional).
func invisible(r rune) bool {
	return unicode.Is(ignorable, r) || turns(r)
}

// ignorable are the characters that programs draw as nothing.
var ignorable = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00AD, Hi: 0x00AD, Stride: 1}, {Lo: 0x034F, Hi: 0x034F, Stride: 1}, {Lo: 0x115F, Hi: 0x1160, Stride: 1},
		{Lo: 0x17B4, Hi: 0x17B5, Stride: 1}, {Lo: 0x180E, Hi: 0x180E, Stride: 1}, {Lo: 0x200B, Hi: 0x200B, Stride: 1},
		{Lo: 0x2060, Hi: 0x2065, Stride: 1}, {Lo: 0x206A, Hi: 0x206F, Stride: 1}, {Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1},
		{Lo: 0xFFF0, Hi: 0xFFFB, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1BCA0, Hi: 0x1BCA3, Stride: 1}, {Lo: 0x1D173, Hi: 0x1D17A, Stride: 1}, {Lo: 0xE0000, Hi: 0xE00FF, Stride: 1},
		{Lo: 0xE01F0, Hi: 0xE0FFF, Stride: 1},
	},
	LatinOffset: 1,
}

// blank tells whether a letter or a sign is drawn as a blank.
func blank(r rune) bool { return r == '\u3164' || r == '\uFFA0' || r == '\u2800' }

// joining are the scripts that need the joiners U+200C and U+200D.
var joining = []*unicode.RangeTable{unicode.Arabic, unicode.Bengali, unicode.Devanagari, unicode.Gujarati, unicode.Gurmukhi,
	unicode.Kannada, unicode.Khmer, unicode.Malayalam, unicode.Mongolian, unicode.Myanmar, unicode.Oriya, unicode.Sinhala, unicode.Syriac,
	unicode.Tamil, unicode.Telugu, unicode.Tibetan}

// optional tells whether a character is one that scripts and emoji need behind
// some characters, and that shows nothing behind others: the joiners and the
// variation selectors. They stay in texts; fits says whether one is in place.
func optional(r rune) bool {
	return r == '\u200C' || r == '\u200D' || r >= 0xFE00 && r <= 0xFE0F || r >= 0x180B && r <= 0x180F || r >= 0xE0100 && r <= 0xE01EF
}

func fits(prev, r rune) bool {
	emoji := unicode.IsSymbol(prev) || prev > 0x2000 && unicode.IsPunct(prev)
	switch {
	case r == '\u200C' || r == '\u200D':
		return emoji || prev == 0xFE0F || unicode.In(prev, joining...)
	case r >= 0xFE00 && r <= 0xFE0F:
		return emoji || unicode.In(prev, unicode.Han, unicode.Myanmar)
	case r >= 0xE0100:
		return unicode.Is(unicode.Han, prev)
	}
	return unicode.Is(unicode.Mongolian, prev)
}

// unseen gives the first character of s that nobody sees where it stands.
func unseen(s string) (rune, bool) {
	prev := ' '
	for _, r := range s {
		if invisible(r) || blank(r) || optional(r) && !fits(prev, r) {
			return r, true
		}
		prev = r
	}
	return 0, false
}

// turns tells whether a character changes the direction of writing.
func turns(r rune) bool {
	return r == '\u200E' || r == '\u200F' || r == '\u061C' || r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}
