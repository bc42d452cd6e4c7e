package staff

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// A password has 12 characters at least, and no rules of composition, as NIST
// SP 800-63B has it: length is what counts. It has 256 bytes at most, which is
// 64 characters in every script, the least that NIST wants to be allowed.
const (
	MinPassword = 12  // characters
	MaxPassword = 256 // bytes
)

// least is what must be left of a password without the words that do not
// count.
const (
	leastLeft     = 6 // characters
	leastDistinct = 5 // different ones
)

// PasswordFault says why a password cannot be taken; pages have a sentence for
// each in every language.
type PasswordFault string

// The faults.
const (
	PasswordShort  PasswordFault = "short"  // fewer than MinPassword characters
	PasswordLong   PasswordFault = "long"   // more than MaxPassword bytes
	PasswordCommon PasswordFault = "common" // little is left of it without common words, the account's and the site's name
	PasswordOdd    PasswordFault = "odd"    // has characters that no keyboard types, or is no UTF-8
)

// Error says what is wrong, in English.
func (f PasswordFault) Error() string {
	switch f {
	case PasswordShort:
		return "the password is too short: it needs 12 characters"
	case PasswordLong:
		return "the password is too long: it may have 256 bytes, which are 64 characters in any script"
	case PasswordCommon:
		return "the password is too easy to guess: common words, rows of keys, the account's and the site's name do not count"
	}
	return "the password has characters that cannot be typed"
}

//go:embed common.txt
var common string

// prepared gives a password as it is hashed, so that the same keys pressed on
// another machine make the same: the OpaqueString profile of RFC 8265, which
// is NFC, with every kind of space made an ordinary one.
func prepared(password string) (string, error) {
	if len(password) > MaxPassword {
		return "", PasswordLong
	}
	s, err := precis.OpaqueString.String(password)
	switch {
	case password == "":
		return "", PasswordShort
	case err != nil || !utf8.ValidString(password):
		return "", PasswordOdd
	}
	return s, nil
}

// acceptable prepares a password that is to be a new one. The words, which are
// the account's and the site's names, do not count towards it.
func acceptable(password string, words ...string) (string, error) {
	s, err := prepared(password)
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(s) < MinPassword {
		return "", PasswordShort
	}
	if left := uncommon(s, words); utf8.RuneCountInString(left) < leastLeft || distinct(left) < leastDistinct {
		return "", PasswordCommon
	}
	return s, nil
}

// uncommon gives what is left of a password without the words that do not
// count, the longest taken first. They are looked for among its letters and
// digits alone, so that "Pass-word" is one, too; signs stay, spaces do not.
func uncommon(password string, words []string) string {
	left := bare(password)
	var all []string
	for _, w := range words {
		if w = bare(w); utf8.RuneCountInString(w) >= 3 {
			all = append(all, w)
		}
	}
	for line := range strings.Lines(common) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	for {
		longest := ""
		for _, w := range all {
			if len(w) > len(longest) && strings.Contains(left, w) {
				longest = w
			}
		}
		if longest == "" {
			return left + signs(password)
		}
		left = strings.ReplaceAll(left, longest, "")
	}
}

// bare gives the letters and digits of a text in lower case, signs what is
// neither they nor a space.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if alphanumeric(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func signs(s string) string {
	return strings.Map(func(r rune) rune {
		if alphanumeric(r) || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func alphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}
