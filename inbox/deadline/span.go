package deadline

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Unit is what a Span counts in.
type Unit string

// The units. All but hours end with the last second of their last day.
const (
	Hours       Unit = "hour"
	Days        Unit = "day"
	WorkingDays Unit = "working day"
	Months      Unit = "month"
)

// Span is a number of hours, days, working days or months; the zero Span is
// none.
type Span struct {
	N    int
	Unit Unit
}

// maxSpan is the most that a Span can count: ten thousand hours are more than a
// year, and no law gives that long.
const maxSpan = 10000

// ParseSpan reads "48 hours", "15 days", "3 working days" or "1 month".
func ParseSpan(s string) (Span, error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	n, err := strconv.Atoi(number)
	u := Unit(strings.TrimSuffix(strings.Join(strings.Fields(unit), " "), "s"))
	switch {
	case err != nil || u != Hours && u != Days && u != WorkingDays && u != Months:
		return Span{}, fmt.Errorf("%q is none of \"48 hours\", \"15 days\", \"3 working days\", \"1 month\"", s)
	case n < 1 || n > maxSpan:
		return Span{}, fmt.Errorf("%q is not between 1 and %d", s, maxSpan)
	}
	return Span{n, u}, nil
}

// String gives what ParseSpan reads; "none" for the zero Span.
func (s Span) String() string {
	switch s.N {
	case 0:
		return "none"
	case 1:
		return "1 " + string(s.Unit)
	}
	return fmt.Sprintf("%d %ss", s.N, s.Unit)
}

// UnmarshalText reads a Span, or "none".
func (s *Span) UnmarshalText(b []byte) (err error) {
	if *s = (Span{}); string(b) != "none" {
		*s, err = ParseSpan(string(b))
	}
	return err
}

// length gives how long a Span that begins at noon is, if no day of rest and no
// long month makes it longer.
func (s Span) length() time.Duration {
	const day = 24 * time.Hour
	switch s.Unit {
	case Hours:
		return time.Duration(s.N) * time.Hour
	case Months:
		return time.Duration(s.N)*28*day + day/2
	}
	return time.Duration(s.N)*day + day/2
}

var errNoDue = errors.New("due must not be none")

// add gives the end of some Spans, one after the other, that begin at t. Spans
// of the same unit are counted as one: three months from 31 January end on 30
// April.
func (c Clock) add(t time.Time, spans ...Span) time.Time {
	t = t.In(c.zone)
	for i := 0; i < len(spans); i++ {
		s := spans[i]
		for ; i+1 < len(spans) && spans[i+1].Unit == s.Unit; i++ {
			s.N += spans[i+1].N
		}
		if s.N > 0 {
			t = c.addOne(t, s)
		}
	}
	return t
}

func (c Clock) addOne(t time.Time, s Span) time.Time {
	switch s.Unit {
	case Hours:
		return t.Add(time.Duration(s.N) * time.Hour)
	case Months:
		return end(addMonths(noon(t), s.N))
	case Days:
		return end(noon(t).AddDate(0, 0, s.N))
	}
	d := noon(t)
	for n := s.N; n > 0; {
		if d = d.AddDate(0, 0, 1); c.calendar.Works(d) {
			n--
		}
	}
	return end(d)
}

// noon gives the middle of a day, which every day has whatever its zone does to
// its midnight.
func noon(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location())
}

// end gives the last second of a day.
func end(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 59, 0, t.Location())
}

// addMonths gives the same day n months later, or the last of that month when
// it has no such day: 31 January and a month are 28 February.
func addMonths(t time.Time, n int) time.Time {
	last := time.Date(t.Year(), t.Month()+time.Month(n)+1, 0, 12, 0, 0, 0, t.Location())
	return time.Date(last.Year(), last.Month(), min(t.Day(), last.Day()), 12, 0, 0, 0, t.Location())
}
