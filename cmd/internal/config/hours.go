package config

import (
	"fmt"
	"strings"
	"time"
)

// Hours is a part of each day, in whatever zone a time is given; the zero Hours
// is none of it.
type Hours struct {
	From, To time.Duration // since midnight; To may be on the next day
}

// ParseHours reads "02:00-05:00"; "" is none. The end must differ from the
// beginning.
func ParseHours(s string) (h Hours, err error) {
	if s == "" {
		return h, nil
	}
	from, to, ok := strings.Cut(s, "-")
	a, err1 := time.Parse("15:04", from)
	b, err2 := time.Parse("15:04", to)
	if !ok || err1 != nil || err2 != nil || a.Equal(b) {
		return h, fmt.Errorf("%q is no part of a day", s)
	}
	midnight := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	return Hours{a.Sub(midnight), b.Sub(midnight)}, nil
}

// Has tells whether a time is within the hours, by its own clock.
func (h Hours) Has(t time.Time) bool {
	at := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	if h.From <= h.To {
		return h.From <= at && at < h.To
	}
	return at >= h.From || at < h.To
}
