package classify

import (
	"slices"
	"strconv"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// typed is a value that its own form tells: a date, a number, an address.
type typed struct {
	value.Found
	field inbox.Field
	span  lang.Span // the words that it covers
}

type values []typed

// in gives the values of a field that begin in a span.
func (v values) in(s lang.Span, f inbox.Field) values {
	var out values
	for _, x := range v {
		if x.field == f && x.span.From >= s.From && x.span.From < s.To {
			out = append(out, x)
		}
	}
	return out
}

// findValues finds the dates, addresses and telephone numbers of the text.
func (r *reader) findValues() values {
	var out values
	text := r.t.Source
	take := func(list []value.Found, f inbox.Field) {
		for _, x := range list {
			out = append(out, typed{Found: x, field: f, span: r.words(x.Start, x.End)})
		}
	}
	mails := value.Emails(text)
	dates := value.Dates(text, value.Writing{Order: r.order(), Marks: r.marks(), Links: r.dated})
	if len(dates) > 0 {
		dates = outside(dates, value.Phones(blanked(text, mails), r.c.opt.Region))
	}
	take(dates, inbox.FieldBirth)
	take(mails, inbox.FieldEmail)
	take(value.Phones(blanked(text, mails, dates), r.c.opt.Region), inbox.FieldPhone)
	return out
}

// outside leaves out the dates that are part of a telephone number:
// 8 (71645) 6-12-08.
func outside(dates, phones []value.Found) []value.Found {
	return slices.DeleteFunc(dates, func(d value.Found) bool {
		return slices.ContainsFunc(phones, func(p value.Found) bool {
			return p.Sure && p.Start <= d.Start && d.End <= p.End && p.End-p.Start > d.End-d.Start
		})
	})
}

// blanked gives a text with other signs in the place of what was found in it.
func blanked(text string, found ...[]value.Found) string {
	out := []byte(text)
	for _, list := range found {
		for _, x := range list {
			for i := x.Start; i < x.End; i++ {
				out[i] = '_'
			}
		}
	}
	return string(out)
}

// isTypedAt tells whether a word lies in such a value.
func (r *reader) isTypedAt(i int) bool {
	return slices.ContainsFunc(r.values, func(v typed) bool { return v.span.From <= i && i < v.span.To })
}

// monthFirst are the regions that write the month first.
var monthFirst = map[string]bool{"US": true, "PH": true, "FM": true, "PW": true, "MH": true}

// order tells how dates in digits are meant: by the language where it has one
// way, else not for sure.
func (r *reader) order() value.Order {
	switch {
	case !r.grammar.anyOrder:
		return value.DayFirst
	case monthFirst[r.c.opt.Region]:
		return value.MonthFirst
	}
	return value.OrderUnknown
}

// dated tells the words that stand inside a date.
func (r *reader) dated(word string) bool { return r.isOfAny(lang.Fold(word), lang.WordDated) }

// marks gives the months and days in words.
func (r *reader) marks() []value.Mark {
	var out []value.Mark
	for _, h := range r.hits {
		m := value.Mark{Start: r.t.Words[h.From].Start, End: r.t.Words[h.To-1].End}
		if n, ok := strings.CutPrefix(string(h.Concept), lang.MonthPrefix); ok {
			m.Month, _ = strconv.Atoi(n)
		} else if n, ok := strings.CutPrefix(string(h.Concept), lang.DayPrefix); ok {
			m.Day, _ = strconv.Atoi(n)
		} else {
			continue
		}
		out = append(out, m)
	}
	return out
}
