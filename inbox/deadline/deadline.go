// Package deadline says when an answer is due, and how near that is. It is
// pure: what has happened to a request comes in, a Date comes out.
//
// # What counts
//
// A profile (profiles/NAME.txt, with the source of each figure) gives each kind
// of request a [Term]. Its clock starts when the request arrived at the server;
// where it starts from the confirmation, the person's yes starts it anew, as of
// the arrival of that mail. The day of the start is not counted (Regulation
// 1182/71, Article 3(1); Civil Code of Kazakhstan, Article 173; Civil Code of
// Russia, Article 191), and the last one counts to its end, 23:59:59 in the zone
// of the site; hours count from the moment. A month ends on the same day of the
// next, or on its last day (Article 3(2)(c) there). Where the profile rolls, a
// last day that is not worked gives way to the next that is (Article 3(4)).
//
// # When it stands
//
// It stands from the moment at which our question has left until its answer has
// arrived. What is added is whole days, those that began meanwhile: of working
// days, the worked ones. A question that is asked and answered on one day adds
// nothing. While staff have not asked, or hold a request, it runs.
//
// That a clock stands while we establish who asks is a reading of Article 12(6)
// of the GDPR and of Article 12A of the UK GDPR; in Kazakhstan no rule says it,
// and the limit of fifteen days goes on. The CCPA regulations, section 7021(b),
// say that it does not, and neither does 152-FZ.
//
// # Days off
//
// Calendars (calendars/COUNTRY.txt) say which days are worked; the profiles of
// the EU, the UK and California know weekends only, until the operator gives
// them a file. A holiday that is not known makes a date earlier, never later.
package deadline

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"push.guru/supportd/inbox"
)

// Clock computes due times of one legal profile. The zero value is not usable;
// see [Profile].
type Clock struct {
	zone     *time.Location
	terms    map[inbox.Kind]Term
	calendar *Calendar
}

// Profile gives the clock of a law, with the calendar of its country.
func Profile(name string, zone *time.Location) (Clock, error) {
	country, terms, err := readProfile(name)
	if err != nil {
		return Clock{}, err
	}
	c := Clock{zone: zone, terms: terms}
	if c.calendar, err = builtin(country); err != nil {
		return Clock{}, fmt.Errorf("profile %s: %w", name, err)
	}
	return c, nil
}

// WithTerm gives a Clock with another Term for a kind.
func (c Clock) WithTerm(k inbox.Kind, t Term) Clock {
	c.terms = maps.Clone(c.terms)
	c.terms[k] = t
	return c
}

// WithHolidays gives a Clock in which what a calendar names stands over what
// the Clock knows.
func (c Clock) WithHolidays(cal *Calendar) Clock {
	c.calendar = cal.Over(c.calendar)
	return c
}

// Term gives the Term of a kind; of one that the profile does not know, that of
// a question.
func (c Clock) Term(k inbox.Kind) Term {
	if t, ok := c.terms[k]; ok {
		return t
	}
	return c.terms[inbox.KindQuestion]
}

// Calendar gives which days are worked.
func (c Clock) Calendar() *Calendar { return c.calendar }

// Length gives how long the clock of a kind is, measured from noon of a day,
// the middle of the times at which it can start, and without days of rest.
func (c Clock) Length(k inbox.Kind) time.Duration {
	t := c.Term(k)
	if t.AtMost.N > 0 {
		return min(t.Due.length(), t.AtMost.length())
	}
	return t.Due.length()
}

// Longest gives the end of the longest time that an answer can take to a request
// of any kind that arrives at a time and is extended.
func (c Clock) Longest(t time.Time) time.Time {
	var last time.Time
	for _, term := range c.terms {
		for _, d := range []time.Time{c.add(t, term.Due, term.Extend), c.add(t, term.AtMost)} {
			if d = c.roll(d, term); d.After(last) {
				last = d
			}
		}
	}
	return last
}

// Course is what has happened to a request that counts for its clock.
type Course struct {
	Received     time.Time // by the server
	Confirmed    time.Time // arrival of the person's last yes; zero: none came
	Waits        []inbox.Wait
	Extended     bool
	Acknowledged bool // a letter of ours has left
}

// Date is when a request is due.
type Date struct {
	Due    time.Time // what must happen next: an answer, or the first letter
	Answer time.Time // when the answer is due
	Stands bool      // the clock stands, because the person was asked; Due is then the latest day, or what it was before

	// Amber and Red are from when on the Due is near; see Risk. They are zero
	// while the clock stands and no limit goes on.
	Amber, Red time.Time
}

// Still tells whether the clock stands and no limit goes on meanwhile: nothing
// can be late then.
func (d Date) Still() bool { return d.Stands && d.Red.IsZero() }

// Risk says how near a due time is.
type Risk string

// The risks.
const (
	RiskNone  Risk = "none"
	RiskAmber Risk = "amber" // less than half of the clock is left
	RiskRed   Risk = "red"   // less than five working days and less than a third of the clock is left, or it is late
)

// Risk says how near the due time is at a time.
func (d Date) Risk(now time.Time) Risk {
	switch {
	case !d.Red.IsZero() && !now.Before(d.Red):
		return RiskRed
	case !d.Amber.IsZero() && !now.Before(d.Amber):
		return RiskAmber
	}
	return RiskNone
}

// Of gives the Date of an Action.
func (c Clock) Of(a *inbox.Action) Date {
	return c.Date(a.Kind, Course{Received: a.Received, Confirmed: a.Confirmed, Waits: a.Waits,
		Extended: !a.Extended.IsZero(), Acknowledged: !a.Acknowledged.IsZero()})
}

// Date gives when a request of a kind is due.
func (c Clock) Date(k inbox.Kind, r Course) Date {
	t := c.Term(k)
	start := r.Received
	if t.From == Confirmed && r.Confirmed.After(start) {
		start = r.Confirmed
	}
	spans := []Span{t.Due}
	if r.Extended {
		spans = append(spans, t.Extend)
	}
	stood, stands := stood(r.Waits, t.Pause, start)
	due := c.roll(c.addTime(c.add(start, spans...), t.Due.Unit, stood), t)
	d := Date{Due: due, Answer: due, Stands: stands}
	if t.AtMost.N > 0 {
		spans[0] = t.AtMost
		limit := c.roll(c.add(r.Received, spans...), t)
		if stands || limit.Before(due) {
			d.Due, d.Answer = limit, limit
		}
	}
	if t.Acknowledge.N > 0 && !r.Acknowledged {
		if first := c.add(r.Received, t.Acknowledge); first.Before(d.Due) {
			d.Due, start = first, r.Received
		}
	}
	if stands && t.AtMost.N == 0 {
		return d
	}
	if stands {
		start = r.Received
	}
	return c.near(d, start)
}

// roll moves a last day that is not worked to the next that is.
func (c Clock) roll(due time.Time, t Term) time.Time {
	for t.Roll && !c.calendar.Works(due) {
		due = end(noon(due).AddDate(0, 0, 1))
	}
	return due
}

// near fills in from when on a due time is near.
func (c Clock) near(d Date, start time.Time) Date {
	whole := max(d.Due.Sub(start), 0)
	d.Amber, d.Red = d.Due.Add(-whole/2), d.Due.Add(-whole/3)
	if week := c.before(d.Due, redDays); week.After(d.Red) {
		d.Red = week
	}
	return d
}

// redDays is how many working days before a due time that was long in coming it
// turns red: a week of the office, in which somebody can still act.
const redDays = 5

// before gives the time a number of working days before t, or before the last
// that was worked when t is on none: less than so many are left from then on.
func (c Clock) before(t time.Time, days int) time.Time {
	for t = c.worked(t); days > 0; days-- {
		t = c.worked(t.AddDate(0, 0, -1))
	}
	return t
}

// worked gives the same time on the last working day up to t. A calendar may
// have no worked day at all: after a year it is no matter.
func (c Clock) worked(t time.Time) time.Time {
	for n := 0; n < 366 && !c.calendar.Works(t); n++ {
		t = t.AddDate(0, 0, -1)
	}
	return t
}

// stood gives the times after start in which a clock stood, in order and without
// overlaps; stands tells that it stands now.
func stood(waits []inbox.Wait, p Pause, start time.Time) (out []inbox.Wait, stands bool) {
	for _, w := range waits {
		switch {
		case p == PauseNever || p == PauseProof && w.For != inbox.WaitProof:
			continue
		case w.To.IsZero():
			stands = true
			continue
		}
		if w.From.Before(start) {
			w.From = start
		}
		if w.To.After(w.From) {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b inbox.Wait) int { return a.From.Compare(b.From) })
	for i := 1; i < len(out); i++ {
		if out[i].From.Before(out[i-1].To) {
			out[i].From = out[i-1].To
		}
		if out[i].To.Before(out[i].From) {
			out[i].To = out[i].From
		}
	}
	return out, stands
}

// addTime adds to a due time what a clock stood: whole days, or the exact time
// to one that counts hours.
func (c Clock) addTime(due time.Time, u Unit, stood []inbox.Wait) time.Time {
	n := 0
	for _, w := range stood {
		if u == Hours {
			due = due.Add(w.To.Sub(w.From))
			continue
		}
		last := noon(w.To.In(c.zone))
		for d := noon(w.From.In(c.zone)); d.Before(last) && n < maxSpan; {
			if d = d.AddDate(0, 0, 1); u != WorkingDays || c.calendar.Works(d) {
				n++
			}
		}
	}
	switch {
	case n == 0:
		return due
	case u == WorkingDays:
		return c.addOne(due, Span{n, WorkingDays})
	}
	return end(noon(due).AddDate(0, 0, n))
}
