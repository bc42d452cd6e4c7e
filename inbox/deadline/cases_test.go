package deadline

import (
	"os"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// TestDue works through the table of testdata/due.txt.
func TestDue(t *testing.T) {
	b, err := os.ReadFile("testdata/due.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 7 {
			t.Fatalf("%d cells in %q", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		n++
		t.Run(strings.Join([]string{cells[0], cells[2], cells[3], cells[6]}, " "), func(t *testing.T) {
			c := clock(t, cells[0], cells[1])
			got := c.Date(inbox.Kind(cells[2]), course(t, c.zone, cells[3], cells[4]))
			want, stands := strings.CutSuffix(cells[5], " stands")
			if day := got.Due.Format(time.DateOnly); day != want || got.Stands != stands {
				t.Errorf("due on %s (stands: %t), want %s (%t): %s", day, got.Stands, want, stands, cells[6])
			}
			if got.Due.Format(time.TimeOnly) != "23:59:59" || got.Due.Location() != c.zone {
				t.Errorf("it is due at %s", got.Due)
			}
		})
	}
	if n < 50 {
		t.Errorf("the table has only %d lines", n)
	}
}

func moment(t *testing.T, zone *time.Location, s string) time.Time {
	t.Helper()
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func course(t *testing.T, zone *time.Location, received, events string) Course {
	t.Helper()
	r := Course{Received: moment(t, zone, received)}
	for event := range strings.SplitSeq(events, ", ") {
		what, when, _ := strings.Cut(event, " ")
		switch what {
		case "":
		case "confirmed":
			r.Confirmed = moment(t, zone, when)
		case "extended":
			r.Extended = true
		case "acknowledged":
			r.Acknowledged = true
		case "proof", "words":
			from, to, _ := strings.Cut(when, "..")
			w := inbox.Wait{For: inbox.WaitFor(what), From: moment(t, zone, from)}
			if to != "" {
				w.To = moment(t, zone, to)
			}
			r.Waits = append(r.Waits, w)
		default:
			t.Fatalf("%q is no event", event)
		}
	}
	return r
}

// TestRisk: when a due time is near, for a short clock and a long one, over a
// weekend, and while the clock stands.
func TestRisk(t *testing.T) {
	for _, x := range []struct{ profile, kind, received, events, amber, red string }{
		{"kz", "change", "2026-06-01 12:00", "", "2026-06-02 06:00", "2026-06-02 12:00"},         // a third of 36 hours is less than a working day
		{"kz", "copy", "2026-06-01 12:00", "", "2026-06-03 06:00", "2026-06-03 20:00"},           // a third of 84 hours
		{"kz", "copy", "2026-06-03 12:00", "", "2026-06-06 06:00", "2026-06-07 04:00"},           // due on a Monday
		{"gdpr", "copy", "2026-06-01 12:00", "", "2026-06-16 18:00", "2026-06-25 00:00"},         // amber in the middle of the month, red five working days before
		{"gdpr", "copy", "2026-06-12 12:00", "", "2026-06-28 06:00", "2026-07-07 00:00"},         // due on Monday, 13 July: from the end of the Monday before on
		{"ccpa", "copy", "2026-03-04 12:00", "acknowledged", "", "2026-04-11 00:00"},             // due on a Saturday: five working days before Friday, the last
		{"gdpr", "copy", "2026-06-01 12:00", "proof 2026-06-01 12:01..", "never", "never"},       // it stands
		{"kz", "change", "2026-06-01 12:00", "proof 2026-06-01 12:01..", "", "2026-06-11 20:00"}, // the limit goes on: a third of 15 days is less than five working days
	} {
		c := clock(t, x.profile, "Asia/Almaty")
		d := c.Date(inbox.Kind(x.kind), course(t, c.zone, x.received, x.events))
		for what, pair := range map[string][2]string{"amber": {x.amber, when(d.Amber)}, "red": {x.red, when(d.Red)}} {
			if pair[0] != "" && pair[0] != pair[1] {
				t.Errorf("%s %s of %s (%s), due %s: %s from %s on, want %s", x.profile, x.kind, x.received, x.events, when(d.Due), what, pair[1], pair[0])
			}
		}
		if d.Red.IsZero() {
			if got := d.Risk(d.Due.AddDate(1, 0, 0)); got != RiskNone {
				t.Errorf("what stands is at risk %s", got)
			}
			continue
		}
		for at, want := range map[time.Time]Risk{d.Amber.Add(-1): RiskNone, d.Amber: RiskAmber, d.Red.Add(-1): RiskAmber, d.Red: RiskRed, d.Due.Add(time.Hour): RiskRed} {
			if got := d.Risk(at); got != want && d.Amber.Before(d.Red) {
				t.Errorf("%s of %s is at risk %s at %s, want %s", x.kind, x.received, got, at, want)
			}
		}
	}
}

// when rounds to the minute: the last second of a day is the next midnight.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Add(30 * time.Second).Truncate(time.Minute).Format("2006-01-02 15:04")
}
