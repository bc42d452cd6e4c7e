package deadline

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of the table, whatever the machine has

	"push.guru/supportd/inbox"
)

func clock(t *testing.T, zone string) Clock {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Profile("kz", loc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDue: kz gives a change one working day and a copy three.
func TestDue(t *testing.T) {
	const qyzylorda, utc, cairo, samoa = "Asia/Qyzylorda", "UTC", "Africa/Cairo", "Pacific/Apia"
	tests := []struct {
		name, zone, arrived string
		change, copy        string // the last day, in the zone
	}{
		{"a Monday", qyzylorda, "2026-03-02T10:00:00+05:00", "2026-03-03", "2026-03-05"},
		{"a Thursday: the weekend is between", qyzylorda, "2026-03-05T10:00:00+05:00", "2026-03-06", "2026-03-10"},
		{"a Friday", qyzylorda, "2026-03-06T10:00:00+05:00", "2026-03-09", "2026-03-11"},
		{"a Saturday", qyzylorda, "2026-03-07T10:00:00+05:00", "2026-03-09", "2026-03-11"},
		{"a Sunday", qyzylorda, "2026-03-08T23:59:59+05:00", "2026-03-09", "2026-03-11"},
		{"the first second of a Monday", qyzylorda, "2026-03-09T00:00:00+05:00", "2026-03-10", "2026-03-12"},
		{"Sunday in UTC, Monday there", qyzylorda, "2026-03-08T19:00:00Z", "2026-03-10", "2026-03-12"},
		{"Friday there, Saturday at the sender", qyzylorda, "2026-03-07T01:00:00+09:00", "2026-03-09", "2026-03-11"},
		{"the same moment elsewhere", utc, "2026-03-08T19:00:00Z", "2026-03-09", "2026-03-11"},
		{"over the end of a year", utc, "2026-12-31T12:00:00Z", "2027-01-01", "2027-01-05"},
		{"over the end of February in a leap year", utc, "2028-02-28T12:00:00Z", "2028-02-29", "2028-03-02"},
		{"the night has no midnight", cairo, "2023-04-27T00:30:00+02:00", "2023-04-28", "2023-05-02"},
		{"the night before it", cairo, "2023-04-26T00:15:00+02:00", "2023-04-27", "2023-05-01"},
		{"the hour comes twice", cairo, "2023-10-26T23:30:00+02:00", "2023-10-27", "2023-10-31"},
		{"the island skips a Friday", samoa, "2011-12-28T12:00:00-10:00", "2011-12-29", "2012-01-03"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := clock(t, test.zone)
			at, err := time.Parse(time.RFC3339, test.arrived)
			if err != nil {
				t.Fatal(err)
			}
			for kind, day := range map[inbox.Kind]string{inbox.KindChange: test.change, inbox.KindCopy: test.copy} {
				got := c.Due(kind, at)
				if got.Format(time.DateOnly) != day || got.Format(time.TimeOnly) != "23:59:59" || got.Location() != c.zone {
					t.Errorf("a %s that arrived at %s is due at %s, want the end of %s", kind, test.arrived, got, day)
				}
				if !got.After(at) {
					t.Errorf("%s is due before it arrived", kind)
				}
			}
		})
	}
}

// TestDueOfEachKind: what changes or erases has a day, what informs has three.
func TestDueOfEachKind(t *testing.T) {
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	short := map[inbox.Kind]bool{inbox.KindChange: true, inbox.KindDelete: true, inbox.KindDeactivate: true, inbox.KindWithdraw: true}
	for _, k := range append(inbox.Kinds(), "a kind of tomorrow") {
		want := 5
		if short[k] {
			want = 3
		}
		if got := clock(t, "UTC").Due(k, monday).Day(); got != want {
			t.Errorf("%s of Monday, 2 March is due on the %d., want the %d.", k, got, want)
		}
	}
}

// TestDueIsAWorkingDay walks a year of arrivals: the last day is none of a
// weekend, and a mail that arrives later is never due earlier.
func TestDueIsAWorkingDay(t *testing.T) {
	for _, zone := range []string{"Asia/Almaty", "Africa/Cairo", "America/Sao_Paulo", "Pacific/Auckland"} {
		c := clock(t, zone)
		for _, k := range []inbox.Kind{inbox.KindChange, inbox.KindCopy} {
			var before time.Time
			for at := time.Date(2018, 1, 1, 0, 0, 0, 0, c.zone); at.Year() == 2018; at = at.Add(25 * time.Minute) {
				due := c.Due(k, at)
				if wd := due.Weekday(); wd == time.Saturday || wd == time.Sunday || due.Before(before) {
					t.Fatalf("%s: a %s of %s is due on %s", zone, k, at, due)
				}
				before = due
			}
		}
	}
}

func TestProfile(t *testing.T) {
	for _, name := range Profiles() {
		if _, err := Profile(name, time.UTC); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "KZ", "eu"} {
		if _, err := Profile(name, time.UTC); err == nil {
			t.Errorf("%q is a profile", name)
		}
	}
}
