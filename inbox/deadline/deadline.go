// Package deadline says when an answer is due. It knows working days: a clock
// that counts them skips weekends, and an answer is due at the end of its day
// in the site's zone.
package deadline

import (
	"fmt"
	"time"

	"push.guru/supportd/inbox"
)

// Clock computes due times of one legal profile. The zero value is not usable;
// see [Profile].
type Clock struct {
	zone *time.Location
	days map[inbox.Kind]int // working days
	rest int                // working days for every other kind
}

// Profiles lists the names that Profile knows.
func Profiles() []string { return []string{"kz"} }

// Profile gives the clock of a law: "kz" is Kazakhstan's Law No. 94-V, Article
// 25: three working days for information about the data, one working day for a
// change or an erasure.
func Profile(name string, zone *time.Location) (Clock, error) {
	if name != "kz" {
		return Clock{}, fmt.Errorf("unknown profile %q: known is kz", name)
	}
	return Clock{zone: zone, rest: 3, days: map[inbox.Kind]int{
		inbox.KindChange: 1, inbox.KindDelete: 1, inbox.KindDeactivate: 1, inbox.KindWithdraw: 1,
	}}, nil
}

// Due gives the moment by which a request of a kind that arrived at t must be
// answered: the last second of the last working day.
func (c Clock) Due(k inbox.Kind, t time.Time) time.Time {
	n, ok := c.days[k]
	if !ok {
		n = c.rest
	}
	d := t.In(c.zone)
	for n > 0 {
		d = d.AddDate(0, 0, 1)
		if wd := d.Weekday(); wd != time.Saturday && wd != time.Sunday {
			n--
		}
	}
	return time.Date(d.Year(), d.Month(), d.Day(), 23, 59, 59, 0, c.zone)
}
