// Package value reads the values that people write: dates, telephone numbers,
// e-mail addresses, names. Each reader finds every value in a text and says
// where it stands, what it is in the form that is stored, and whether it could
// be meant otherwise. Work is linear in the text.
package value

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox/address"
)

// Found is one value in a text.
type Found struct {
	Start, End int    // bytes of the text
	Value      string // in the form that is stored
	Sure       bool   // it can only be meant like this
}

var (
	plainMail  = regexp.MustCompile(`[\p{L}\p{N}._%+'~-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`)
	spokenMail = regexp.MustCompile(`(?i)([a-z0-9][a-z0-9._+-]*)\s*(?:\(at\)|\[at\]|\{at\}|\sat\s|\sсобака\s|\sсобачка\s|\(собака\))\s*` +
		`([a-z0-9-]+(?:(?:\s*(?:\(dot\)|\[dot\]|\{dot\})\s*|\s+dot\s+|\s+точка\s+|\.)[a-z0-9-]+)+)`)
	suffix    = regexp.MustCompile(`[0-9A-Za-z]-?\p{Cyrillic}+$`) // "a@b.org-ға": an ending of the sentence
	spokenDot = regexp.MustCompile(`(?i)\s*(?:\(dot\)|\[dot\]|\{dot\})\s*|\s+dot\s+|\s+точка\s+`)
)

// Emails finds addresses, written plainly or spelled out ("kev at site dot
// org"), with the domain in lower case. What no mail server would take is left
// out.
func Emails(text string) []Found {
	var out []Found
	for _, m := range plainMails(text) {
		if at := suffix.FindStringIndex(text[m[0]:m[1]]); at != nil {
			m[1] = m[0] + at[0] + 1
		}
		s := strings.Trim(text[m[0]:m[1]], ".'-")
		if a, err := address.Canonical(s); err == nil {
			out = append(out, Found{m[0], m[1], a, true})
		}
	}
	if !mayBeSpoken(text) {
		return out
	}
	for _, m := range spokenMail.FindAllStringSubmatchIndex(text, -1) {
		domain := spokenDot.ReplaceAllString(text[m[4]:m[5]], ".")
		if !strings.Contains(text[m[3]:m[4]], "(") && !strings.Contains(text[m[3]:m[4]], "[") && domain == text[m[4]:m[5]] {
			continue // "meet me at example.org" names no mailbox
		}
		if a, err := address.Canonical(text[m[2]:m[3]] + "@" + strings.Trim(domain, ".-")); err == nil {
			out = append(out, Found{m[0], m[1], a, true})
		}
	}
	return out
}

// plainMails looks for addresses where there is an at sign.
func plainMails(text string) [][]int {
	if !strings.Contains(text, "@") {
		return nil
	}
	return plainMail.FindAllStringIndex(text, -1)
}

// mayBeSpoken tells at little cost whether a text spells out an address.
func mayBeSpoken(text string) bool {
	lower := strings.ToLower(text)
	for _, s := range []string{"(at)", "[at]", "{at}", "собак", "собач", "dot", "точка"} {
		if strings.Contains(lower, s) {
			return true
		}
	}
	return false
}

var link = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"]+`)

// hasWWW tells whether a text has a "www." in it, in whatever case.
func hasWWW(text string) bool {
	for i := 0; i+4 <= len(text); i++ {
		if text[i]|0x20 == 'w' && text[i+3] == '.' && strings.EqualFold(text[i:i+3], "www") {
			return true
		}
	}
	return false
}

// Names gives the byte ranges of addresses and links: names whose words are
// not the writer's.
func Names(text string) [][2]int {
	found := plainMails(text)
	if strings.Contains(text, "://") || hasWWW(text) {
		found = append(found, link.FindAllStringIndex(text, -1)...)
	}
	var out [][2]int
	for _, m := range found {
		out = append(out, [2]int{m[0], m[1]})
	}
	return out
}

// Trim takes quotes, blanks and closing punctuation off a value.
func Trim(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	s = strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("\"'«»“”„‘’`*_,;:!?.…", r)
	})
	return s
}

// maxName bounds the words of a person's name.
const maxName = 6

// Name gives the words of a person's name, or nil for what cannot be one:
// digits, signs, too many words. A name all in capitals is written as names
// are.
func Name(s string) []string {
	s = Trim(s)
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > maxName || len(s) > 120 {
		return nil
	}
	for i, w := range words {
		for _, r := range w {
			if !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune("-'’.ʼ", r) {
				return nil
			}
		}
		if n := utf8.RuneCountInString(w); n > 2 && w == strings.ToUpper(w) {
			words[i] = capital(w)
		}
	}
	return words
}

// Proper tells whether every word of a name begins with a capital letter, as
// far as the script has them; particles ("van", "de", "oğlu") need none.
func Proper(words []string) bool {
	capitals := 0
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		if unicode.IsUpper(r) || unicode.IsTitle(r) {
			capitals++
		} else if utf8.RuneCountInString(w) > 4 {
			return false
		}
	}
	return capitals > 0
}

// capital writes each hyphenated part with one capital letter.
func capital(w string) string {
	up := true
	return strings.Map(func(r rune) rune {
		if up {
			up = false
			return unicode.ToUpper(r)
		}
		up = r == '-' || r == '\'' || r == '’'
		return unicode.ToLower(r)
	}, w)
}
