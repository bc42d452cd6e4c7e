package value

import (
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

var phoneLike = regexp.MustCompile(`(?:\+|00)?[ ]?\(?\d[\d().  \-–/]{4,22}\d`)

// minDigits and maxDigits bound the digits of a telephone number.
const (
	minDigits = 7
	maxDigits = 15
)

// Phones finds telephone numbers. Value is E.164 when the number can be told
// in the region (a two-letter code) or has a country code, else as written;
// then, and when no such number is in use, it is not sure. Places where a date
// was found must be blanked out by the caller.
func Phones(text, region string) []Found {
	var out []Found
	if digits(text) < minDigits {
		return nil
	}
	for _, m := range phoneLike.FindAllStringIndex(text, -1) {
		raw := strings.TrimSpace(text[m[0]:m[1]])
		n := digits(raw)
		if n < minDigits || n > maxDigits {
			continue
		}
		f := Found{Start: m[0], End: m[1], Value: raw}
		num, err := phonenumbers.Parse(raw, region)
		switch {
		case err != nil:
		case phonenumbers.IsValidNumber(num), strings.HasPrefix(raw, "+") && phonenumbers.IsPossibleNumber(num):
			f.Value = phonenumbers.Format(num, phonenumbers.E164)
			f.Sure = prefixed(raw, n) || phonenumbers.IsValidNumberForRegion(num, region)
		}
		out = append(out, f)
	}
	return out
}

// IsPhone tells whether a value of [Phones] is a number, and not only what was
// written.
func IsPhone(s string) bool { return strings.HasPrefix(s, "+") && digits(s) == len(s)-1 }

// bareDigits is how many digits a number of many countries has without a prefix
// that says whose it is.
const bareDigits = 10

// prefixed tells whether a number begins with a country or trunk code, so that
// it cannot be one of another country written as there.
func prefixed(raw string, n int) bool {
	return strings.HasPrefix(raw, "+") || strings.HasPrefix(raw, "00") || n != bareDigits
}

func digits(s string) int {
	n := 0
	for _, r := range s {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}
