package value

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Order is the way of a place or language to write a date in digits.
type Order int

// The orders.
const (
	OrderUnknown Order = iota // day first is assumed, and not sure
	DayFirst
	MonthFirst
)

// Mark is a word of a date, found by whoever knows the language.
type Mark struct {
	Start, End int // bytes of the text
	Month, Day int // one of them is 0
}

// Writing is how dates are written in a text; its zero value is digits in an
// unknown order.
type Writing struct {
	Order Order
	Marks []Mark                 // in the order of the text
	Links func(word string) bool // stands inside a date: th, of; nil tells no word
}

// Dates finds the days that a text names, in every order of day, month and
// year: digits with dots, slashes or dashes, months by name. Value is
// YYYY-MM-DD. A day that does not exist is left out. A date in digits that
// could be read both ways is sure only in a known order, or with dots, which
// only go with day first.
func Dates(text string, how Writing) []Found {
	if len(how.Marks) == 0 && !strings.ContainsAny(text, "0123456789") {
		return nil
	}
	toks := dateTokens(text, how.Marks)
	var out []Found
	for i := 0; i < len(toks); {
		f, n := dateAt(text, toks[i:], how)
		if n == 0 {
			i++
			continue
		}
		out = append(out, f)
		i += n
	}
	return out
}

// token is a number, a month, a day in words, or another word.
type token struct {
	start, end int
	kind       byte // n number, m month, d day in words, w other word
	n, width   int
	before     int // where the token before it ends
}

// sep gives what stands between a token of a text and the one before.
func (t token) sep(text string) string { return text[t.before:t.start] }

// tokenBytes is how many bytes a token takes at the least, by and large.
const tokenBytes = 6

func dateTokens(text string, marks []Mark) []token {
	out := make([]token, 0, len(text)/tokenBytes)
	last := 0
	add := func(t token) {
		t.before = last
		last = t.end
		out = append(out, t)
	}
	for i := 0; i < len(text); {
		for len(marks) > 0 && marks[0].Start < i {
			marks = marks[1:]
		}
		if len(marks) > 0 && marks[0].Start == i {
			m := marks[0]
			kind, n := byte('m'), m.Month
			if m.Month == 0 {
				kind, n = 'd', m.Day
			}
			add(token{start: m.Start, end: m.End, kind: kind, n: n})
			i = m.End
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r >= '0' && r <= '9':
			j := i
			for j < len(text) && text[j] >= '0' && text[j] <= '9' {
				j++
			}
			n := -1
			if j-i <= 4 {
				n, _ = strconv.Atoi(text[i:j])
			}
			add(token{start: i, end: j, kind: 'n', n: n, width: j - i})
			i = j
		case unicode.IsLetter(r):
			j := i
			for j < len(text) {
				r, s := utf8.DecodeRuneInString(text[j:])
				if !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) {
					break
				}
				j += s
			}
			add(token{start: i, end: j, kind: 'w', width: j - i})
			i = j
		default:
			i += size
		}
	}
	return out
}

// dateAt reads a date that begins with the first token, and gives how many
// tokens it takes; 0 is none.
func dateAt(text string, t []token, how Writing) (Found, int) {
	if f, n := allDigits(text, t, how.Order); n > 0 {
		return f, n
	}
	return named(text, t, how.Links)
}

func allDigits(text string, t []token, order Order) (Found, int) {
	if len(t) < 3 || t[0].kind != 'n' || t[1].kind != 'n' || t[2].kind != 'n' {
		return Found{}, 0
	}
	sep := strings.TrimSpace(t[1].sep(text))
	if sep != strings.TrimSpace(t[2].sep(text)) || (sep != "." && sep != "/" && sep != "-" && !(sep == "" && t[0].width == 2 && t[1].width == 2 && t[2].width == 4)) {
		return Found{}, 0
	}
	if t[0].start > 0 && strings.HasSuffix(t[0].sep(text), "+") || (len(t) > 3 && t[3].kind == 'n' && strings.TrimSpace(t[3].sep(text)) == sep && sep != "") {
		return Found{}, 0 // a telephone or version number
	}
	start, end := t[0].start, t[2].end
	a, b, c := t[0].n, t[1].n, t[2].n
	if t[0].width == 4 && t[1].width <= 2 && t[2].width <= 2 {
		return found(start, end, a, b, c, true, 3)
	}
	if t[0].width > 2 || t[1].width > 2 || (t[2].width != 4 && t[2].width != 2) {
		return Found{}, 0
	}
	year, sure := fullYear(c, t[2].width)
	day, month := a, b
	switch {
	case a > 12:
	case b > 12:
		day, month = b, a
	case order == MonthFirst && sep != ".":
		day, month = b, a
	case order == OrderUnknown && sep != "." && a != b:
		sure = false
	}
	return found(start, end, year, month, day, sure, 3)
}

// named reads a date whose month is a word: 8 March 1979, March 8th, 1979,
// 1979 жылғы 8 наурыз.
func named(text string, t []token, links func(word string) bool) (Found, int) {
	var day, month, year, n, width int
	for n < len(t) && n < 7 {
		x := t[n]
		if sep := x.sep(text); n > 0 && (len(sep) > 4 || strings.ContainsAny(sep, ":;!?\n()")) {
			break
		}
		switch {
		case x.kind == 'm' && month == 0:
			month = x.n
		case x.kind == 'd' && day == 0:
			day = x.n
		case x.kind == 'n' && (x.width == 4 || (month > 0 && day > 0 && x.width == 2)) && year == 0:
			year, width = x.n, x.width
		case x.kind == 'n' && x.width <= 2 && day == 0:
			day = x.n
		case x.kind == 'w' && n > 0 && links != nil && links(text[x.start:x.end]):
		default:
			return Found{}, 0
		}
		n++
		if day > 0 && month > 0 && year > 0 {
			y, sure := fullYear(year, width)
			return found(t[0].start, t[n-1].end, y, month, day, sure, n)
		}
	}
	return Found{}, 0
}

// fullYear completes a year of two digits. People who write mails were born
// between 1930 and 2029, so far; the newer ones are not sure.
func fullYear(y, width int) (int, bool) {
	if width == 4 {
		return y, true
	}
	if y >= 30 {
		return 1900 + y, true
	}
	return 2000 + y, false
}

func found(start, end, year, month, day int, sure bool, n int) (Found, int) {
	if year < 1880 || year > 2100 || month < 1 || month > 12 || day < 1 {
		return Found{}, 0
	}
	d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if d.Day() != day {
		return Found{}, 0
	}
	return Found{start, end, fmt.Sprintf("%04d-%02d-%02d", year, month, day), sure}, n
}
