package datamap

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox/address"
)

// Type says how a value is checked.
type Type string

// The types of a column.
const (
	TypeText   Type = ""       // one line
	TypeLines  Type = "lines"  // several lines
	TypeEmail  Type = "email"  // a plain e-mail address
	TypePhone  Type = "phone"  // one line with a digit in it, as the person wrote it
	TypeDate   Type = "date"   // YYYY-MM-DD, a day that has been
	TypeGender Type = "gender" // male, female, or the person's own word
	TypeBool   Type = "bool"   // true or false; only of what the site writes itself
)

// oldestYear is the earliest year of a date; what lies before it is a slip.
const oldestYear = 1880

// Clean gives the value as it will be stored, or the reason why it cannot be:
// blanks are trimmed and, on one line, run together; an e-mail address gets a
// lower-case domain. A Reason of "" means that the value is good.
func (c Column) Clean(value string) (string, Reason) {
	v, ok := tidy(value, c.Type == TypeLines)
	if !ok || v == "" {
		return "", ReasonInvalid
	}
	if c.Max > 0 && utf8.RuneCountInString(v) > c.Max {
		return "", ReasonTooLong
	}
	switch c.Type {
	case TypeEmail:
		return cleanEmail(v)
	case TypeDate:
		return v, checkDate(v)
	case TypePhone:
		if strings.IndexFunc(v, unicode.IsDigit) < 0 {
			return "", ReasonInvalid
		}
	case TypeGender:
		for _, g := range []string{"male", "female"} {
			if strings.EqualFold(v, g) {
				v = g
			}
		}
	}
	return c.allowed(v)
}

// allowed gives one of the values that the column takes as the store spells it.
func (c Column) allowed(v string) (string, Reason) {
	if len(c.Allowed) == 0 || slices.Contains(c.Allowed, v) {
		return v, ""
	}
	for _, a := range c.Allowed {
		if strings.EqualFold(a, v) {
			return a, ""
		}
	}
	if c.Type == TypeGender {
		for _, a := range c.Allowed {
			if slices.Contains(genderWords(v), strings.ToLower(a)) {
				return a, ""
			}
		}
	}
	return "", ReasonNotAllowed
}

// genderWords are what sites write for male and female.
func genderWords(g string) []string {
	switch g {
	case "male":
		return []string{"m", "man", "mann", "männlich", "maennlich", "homme", "hombre", "м", "муж", "мужской", "ер", "mr"}
	case "female":
		return []string{"f", "w", "woman", "frau", "weiblich", "femme", "mujer", "ж", "жен", "женский", "әйел", "ms"}
	}
	return nil
}

// add gives what the column holds once the cleaned value is added to old.
func (c Column) add(old, value string) (string, Reason) {
	switch {
	case old == "":
		return value, ""
	case c.Join == "":
		if c.same(old, value) {
			return old, ""
		}
		return "", ReasonSingle
	}
	for part := range strings.SplitSeq(old, c.Join) {
		if strings.TrimSpace(part) == value {
			return old, ""
		}
	}
	sum := old + c.Join + value
	if c.Max > 0 && utf8.RuneCountInString(sum) > c.Max {
		return "", ReasonTooLong
	}
	return sum, ""
}

// fits says why a value does not go into the table's columns that the field is
// made of, one word each where there are several; "": it does.
func (c Column) fits(value string) Reason {
	if c.Max > 0 && utf8.RuneCountInString(value) > c.Max {
		return ReasonTooLong
	}
	if len(c.Source) < 2 {
		return ""
	}
	words := strings.Fields(value)
	if len(words) != len(c.Source) {
		return ReasonParts
	}
	for i, most := range c.Parts {
		if most > 0 && i < len(words) && utf8.RuneCountInString(words[i]) > most {
			return ReasonTooLong
		}
	}
	return ""
}

// same tells whether two values mean the same.
func (c Column) same(a, b string) bool {
	return a == b || c.Type == TypeEmail && address.Equal(a, b)
}

// unseen are characters that come along when text is pasted, and that nobody
// sees: zero-width space, word joiner, byte order mark, soft hyphen.
var unseen = strings.NewReplacer("\u200b", "", "\u2060", "", "\ufeff", "", "\u00ad", "")

// tidy trims a stranger's text, and tells whether it has nothing in it that a
// value cannot have: control characters, and those that turn the direction of
// writing, which would make a person confirm what they do not see.
func tidy(s string, lines bool) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	s = unseen.Replace(s)
	if lines {
		rows := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", " ").Replace(s), "\n")
		for i, r := range rows {
			rows[i] = strings.TrimRightFunc(r, unicode.IsSpace)
		}
		s = strings.TrimSpace(strings.Join(rows, "\n"))
	} else {
		s = strings.Join(strings.Fields(s), " ")
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) && r != '\u200e' && r != '\u200f' {
			return "", false
		}
	}
	return s, true
}

func cleanEmail(v string) (string, Reason) {
	if _, err := address.Canonical(v); err != nil {
		return "", ReasonBadEmail
	}
	at := strings.LastIndexByte(v, '@')
	return v[:at] + strings.ToLower(v[at:]), ""
}

// checkDate takes a day as past once it has begun anywhere on earth.
func checkDate(v string) Reason {
	d, err := time.Parse(time.DateOnly, v)
	switch {
	case err != nil || d.Year() < oldestYear:
		return ReasonBadDate
	case d.After(time.Now().UTC().Add(14 * time.Hour)):
		return ReasonFutureDate
	}
	return ""
}
