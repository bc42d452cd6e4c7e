package parse

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

// undeclared are names that say nothing about the charset: those of bytes, and
// those that programs put on text in any charset.
var undeclared = map[string]bool{
	"": true, "us-ascii": true, "ascii": true, "unknown-8bit": true, "unknown": true, "x-unknown": true, "default": true,
	"default_charset": true, "none": true, "8bit": true, "7bit": true, "binary": true, "ansi": true, "utf-8": true, "utf8": true,
	"_iso-2022-jp$esc": true, "ansi_x3.4-1968": true, "us-ascii-8bit": true, "ansi_x3.4-1986": true, "iso646-us": true,
	"iso-8859-1": true, "windows-1252": true, "latin1": true, "cp1252": true,
}

// aliases are names in use that the libraries do not know.
var aliases = map[string]string{
	"utf_8": "utf-8", "utf-8mb4": "utf-8", "utf8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8", "unicode": "utf-8", "cp65001": "utf-8",
	"latin-1": "windows-1252", "latin_1": "windows-1252", "iso8859_1": "windows-1252", "iso-8859-1": "windows-1252", "cp-1252": "windows-1252",
	"8859-1": "windows-1252", "iso-8859-8859-1": "windows-1252", "win-1252": "windows-1252",
	"cp-1251": "windows-1251", "win-1251": "windows-1251", "win1251": "windows-1251", "1251": "windows-1251", "ansi-1251": "windows-1251",
	"koi8r": "koi8-r", "koi8": "koi8-r", "cp932": "shift_jis", "ms932": "shift_jis", "x-sjis": "shift_jis", "cp949": "euc-kr", "ms949": "euc-kr",
	"cp936": "gbk", "ms936": "gbk", "cp950": "big5", "iso-2022-jp-2": "iso-2022-jp", "iso-2022-jp-ms": "iso-2022-jp", "cp866": "ibm866", "dos": "ibm866",
}

// decodeCharset gives b as UTF-8. A name that is missing, unknown or often
// wrong is replaced by a guess.
func decodeCharset(b []byte, name string) string {
	s, _ := decodeText(b, name)
	return s
}

// decodeText is decodeCharset, and tells whether the charset was usable.
func decodeText(b []byte, name string) (s string, known bool) {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), "\"'"))
	if a, ok := aliases[name]; ok {
		name = a
	}
	switch {
	case undeclared[name]:
		return guess(b), true
	case utf7Names[name]:
		return decodeUTF7(b), true
	}
	r, err := charset.Reader(name, bytes.NewReader(b))
	if err != nil {
		return guess(b), false
	}
	out, err := io.ReadAll(r)
	if err != nil && len(out) == 0 {
		return guess(b), false
	}
	return string(out), true
}

// guessed are the charsets that undeclared text may be in. KOI8-U differs from
// KOI8-R only where that has frames in place of Ukrainian letters. Where two
// fit alike the first is taken.
var guessed = []*charmap.Charmap{charmap.Windows1252, charmap.Windows1251, charmap.KOI8U, charmap.ISO8859_5}

// guess reads text that does not say its charset: UTF-8 when it is valid, else
// the charset whose letters fit best.
func guess(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	if nearlyUTF8(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	best, top := "", -1<<62
	for _, m := range guessed {
		out, err := m.NewDecoder().Bytes(b)
		if err != nil {
			continue
		}
		if s := score(string(out)); s > top {
			best, top = string(out), s
		}
	}
	return best
}

// nearlyUTF8 tells whether almost all of the 8-bit bytes are valid UTF-8: the
// text was cut or hurt, not written in another charset.
func nearlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		b = b[n:]
	}
	return good > 4*bad
}

// common are the Russian letters, the most frequent first; ukrainian are those
// that Russian has not.
const (
	common    = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
	ukrainian = "іїєґ"
)

// frequency says how often a Cyrillic letter is seen: 6 is often, 0 is hardly.
func frequency(lower rune) int {
	if strings.ContainsRune(ukrainian, lower) {
		return 3
	}
	switch i := strings.IndexRune(common, lower) / 2; {
	case i < 10:
		return 6
	case i < 20:
		return 3
	}
	return 0
}

// score says how much text looks like something that people write. A charset
// that is not the right one shows capitals within words, signs among letters
// and rare letters where common ones are due.
func score(s string) int {
	n, prev := 0, ' '
	for _, r := range s {
		if r < 0x80 && latin(r) && prev >= 0x400 || r >= 0x400 && r < 0x500 && latin(prev) {
			n -= 10 // one word in two scripts
		}
		n += scoreRune(r, prev)
		prev = r
	}
	return n
}

func scoreRune(r, prev rune) int {
	switch {
	case r < 0x80, r == '\u00A0', r == '€':
		return 0
	case smallCyrillic(r):
		return frequency(r) + 1 + rhythm(unicode.ToLower(prev), r)
	case smallCyrillic(unicode.ToLower(r)):
		if smallCyrillic(prev) {
			return -8 // a capital within a word
		}
		return frequency(unicode.ToLower(r)) + rhythm(unicode.ToLower(prev), unicode.ToLower(r))
	case r >= 'À' && r <= 'ÿ' && latin(prev):
		return 6 // an accented letter among plain ones
	case r >= 'À' && r <= 'ÿ' && prev >= 'À' && prev <= 'ÿ':
		return -4
	case r >= 'À' && r <= 'ÿ':
		return 0
	case strings.ContainsRune("«»—–„“”’№…", r):
		return 2
	}
	return -8
}

// rhythm says whether two neighbouring letters are vowel and consonant, as most
// neighbours are.
func rhythm(prev, r rune) int {
	const vowels = "аеёиоуыэюяіїє"
	switch {
	case !smallCyrillic(prev):
		return 0
	case strings.ContainsRune(vowels, prev) != strings.ContainsRune(vowels, r):
		return 2
	}
	return -1
}

func smallCyrillic(r rune) bool {
	return r >= 'а' && r <= 'я' || r == 'ё' || strings.ContainsRune(ukrainian, r)
}

func latin(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
