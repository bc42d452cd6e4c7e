package screen

import (
	"errors"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SpamHeader is a header by which a mail server marks spam. The zero value is
// none.
type SpamHeader struct {
	name  string  // canonical
	value string  // with which the header begins, as a word; "": least counts
	least float64 // the number with which it begins is at least this
}

// spamNames are the headers of spam filters that package parse keeps:
// SpamAssassin's, rspamd's, and Exchange's spam confidence level.
var spamNames = []string{"X-Spam", "X-Rspam", "X-Ms-Exchange-Organization-Scl"}

// ErrSpamHeader says that a text names no header of a spam filter.
var ErrSpamHeader = errors.New(`neither "NAME: VALUE" nor "NAME >= NUMBER", with NAME X-Spam…, X-Rspam… or X-MS-Exchange-Organization-SCL`)

// ParseSpamHeader reads "NAME: VALUE" or "NAME >= NUMBER". A header marks spam
// that begins with the value, in whatever case, before the end of a word:
//
//	X-Spam: Yes                             rspamd
//	X-Spam-Flag: YES                        SpamAssassin
//	X-Spam-Status: Yes                      SpamAssassin: "Yes, score=7.2 …"
//	X-Spam-Level: *****                     SpamAssassin: five stars or more
//	X-Spam-Score >= 6.5                     many
//	X-MS-Exchange-Organization-SCL >= 5     Exchange, Microsoft 365
//
// "" is the zero SpamHeader. The error is [ErrSpamHeader].
func ParseSpamHeader(s string) (SpamHeader, error) {
	if strings.TrimSpace(s) == "" {
		return SpamHeader{}, nil
	}
	var h SpamHeader
	name, value, isText := strings.Cut(s, ":")
	if !isText {
		var err error
		if name, value, isText = strings.Cut(s, ">="); !isText {
			return SpamHeader{}, ErrSpamHeader
		}
		if h.least, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil {
			return SpamHeader{}, ErrSpamHeader
		}
	} else if h.value = strings.TrimSpace(value); h.value == "" {
		return SpamHeader{}, ErrSpamHeader
	}
	h.name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
	if !slices.ContainsFunc(spamNames, func(n string) bool { return strings.HasPrefix(h.name, n) }) || strings.ContainsAny(h.name, " \t") {
		return SpamHeader{}, ErrSpamHeader
	}
	return h, nil
}

// marks tells whether a value of the header marks spam.
func (h SpamHeader) marks(v string) bool {
	v = strings.TrimSpace(v)
	if h.value == "" {
		if i := strings.IndexAny(v, " \t,;/("); i >= 0 {
			v = v[:i]
		}
		n, err := strconv.ParseFloat(v, 64)
		return err == nil && n >= h.least
	}
	if !hasPrefixFold(v, h.value) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(v[len(h.value):])
	last, _ := utf8.DecodeLastRuneInString(h.value)
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return !word(last) || !word(next)
}

func spam(c Config, m *view) string {
	if slices.ContainsFunc(m.Header[c.SpamHeader.name], c.SpamHeader.marks) {
		return "the mail server marked it as spam"
	}
	return ""
}
