package templates

import (
	"fmt"
	"strconv"
	"time"

	"push.guru/supportd/inbox"
)

// date words a day.
func (p phrases) date(t time.Time) string {
	return p.say("date", "d", strconv.Itoa(t.Day()), "month", p.say(fmt.Sprintf("month.%d", int(t.Month()))), "y", strconv.Itoa(t.Year()))
}

// moment words a time in the site's zone, with the zone's name where the
// language has one and its offset otherwise.
func (p phrases) moment(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	name := p["zone."+zone.String()]
	if name == "" {
		name = "UTC" + t.Format("-07:00")
	}
	return p.say("moment", "date", p.date(t), "clock", t.Format("15:04"), "zone", name)
}

// duration words a wait exactly, since people act on it: in days from two on,
// hours, minutes or seconds, whichever is the first that needs no fraction.
func (p phrases) duration(d time.Duration) string {
	const day = 24 * time.Hour
	d = (d + time.Second - 1).Truncate(time.Second)
	switch {
	case d >= 2*day && d%day == 0:
		return p.count("days", int(d/day))
	case d%time.Hour == 0:
		return p.count("hours", int(d/time.Hour))
	case d%time.Minute == 0:
		return p.count("minutes", int(d/time.Minute))
	}
	return p.count("seconds", int(d/time.Second))
}

// day words YYYY-MM-DD and leaves anything else as it is.
func (p phrases) day(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return p.date(t)
}

// fieldValue words what a field holds: dates and gender are stored in a form
// for machines.
func (p phrases) fieldValue(field inbox.Field, s string) string {
	switch field {
	case inbox.FieldBirth:
		return value(p.day(s))
	case inbox.FieldGender:
		if word := p["gender."+s]; word != "" {
			return value(word)
		}
	}
	return given(s)
}
