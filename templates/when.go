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

// duration words a wait: whole days from two on, else hours, rounded up, else
// minutes.
func (p phrases) duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return p.count("days", int(d/day))
	case d >= time.Hour:
		return p.count("hours", int((d+time.Hour-1)/time.Hour))
	}
	return p.count("minutes", max(1, int((d+time.Minute-1)/time.Minute)))
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
	return value(s)
}
