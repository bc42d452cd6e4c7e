package deadline

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the table, whatever the machine has

	"push.guru/supportd/inbox"
)

func clock(t testing.TB, profile, zone string) Clock {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Profile(profile, loc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOddZones: days without a midnight, with one hour twice, and that were
// skipped. Far from its calendar kz knows weekends.
func TestOddZones(t *testing.T) {
	const cairo, samoa = "Africa/Cairo", "Pacific/Apia"
	for _, x := range []struct{ name, zone, arrived, change, copy string }{
		{"over the end of February in a leap year", "UTC", "2028-02-28T12:00:00Z", "2028-02-29", "2028-03-02"},
		{"the night has no midnight", cairo, "2023-04-27T00:30:00+02:00", "2023-04-28", "2023-05-02"},
		{"the night before it", cairo, "2023-04-26T00:15:00+02:00", "2023-04-27", "2023-05-01"},
		{"the hour comes twice", cairo, "2023-10-26T23:30:00+02:00", "2023-10-27", "2023-10-31"},
		{"the island skips a Friday", samoa, "2011-12-28T12:00:00-10:00", "2011-12-29", "2012-01-03"},
	} {
		c := clock(t, "kz", x.zone)
		for kind, day := range map[inbox.Kind]string{inbox.KindChange: x.change, inbox.KindCopy: x.copy} {
			got := c.Date(kind, Course{Received: moment(t, c.zone, x.arrived)}).Due
			if got.Format(time.DateOnly) != day || got.Format(time.TimeOnly) != "23:59:59" {
				t.Errorf("%s: a %s is due at %s, want the end of %s", x.name, kind, got, day)
			}
		}
	}
}

// TestDueIsAWorkingDay walks two years of arrivals: where a profile counts
// working days or rolls, the last day is worked, what arrives later is never due
// earlier, and nothing is due before it arrived. What is near is so in order.
func TestDueIsAWorkingDay(t *testing.T) {
	for profile, zone := range map[string]string{"kz": "Asia/Almaty", "152-fz": "Europe/Moscow", "gdpr": "Africa/Cairo", "uk": "America/Sao_Paulo"} {
		c := clock(t, profile, zone)
		for _, k := range []inbox.Kind{inbox.KindChange, inbox.KindCopy} {
			var before time.Time
			for at := time.Date(2026, 1, 1, 0, 0, 0, 0, c.zone); at.Year() < 2028; at = at.Add(185 * time.Minute) {
				d := c.Date(k, Course{Received: at})
				if !c.calendar.Works(d.Due) || d.Due.Before(before) || !d.Due.After(at) || d.Amber.After(d.Red) || d.Red.After(d.Due) || d.Amber.Before(at) {
					t.Fatalf("%s: a %s of %s is %+v", profile, k, at, d)
				}
				before = d.Due
			}
		}
	}
}

// TestProfiles: each has every kind, with the figures that it is known for.
func TestProfiles(t *testing.T) {
	for name, want := range map[string]string{
		"kz": "change 1 working day confirmed none 15 days, copy 3 working days received none 15 days", "gdpr": "change 1 month received 2 months none, copy 1 month received 2 months none",
		"uk": "change 1 month received 2 months none, copy 1 month received 2 months none", "ccpa": "change 45 days received 45 days none, copy 45 days received 45 days none",
		"152-fz": "change 10 working days received 5 working days none, copy 10 working days received 5 working days none",
	} {
		c := clock(t, name, "UTC")
		var got []string
		for _, k := range []inbox.Kind{inbox.KindChange, inbox.KindCopy} {
			x := c.Term(k)
			got = append(got, strings.Join([]string{string(k), x.Due.String(), string(x.From), x.Extend.String(), x.AtMost.String()}, " "))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s has %s, want %s", name, s, want)
		}
		for _, k := range inbox.Kinds() {
			if _, ok := c.terms[k]; !ok {
				t.Errorf("%s has no clock for a %s", name, k)
			}
		}
		if c.Term("a kind of tomorrow") != c.Term(inbox.KindQuestion) {
			t.Errorf("%s: a kind that is not known has a clock of its own", name)
		}
	}
	if len(Profiles()) != 5 {
		t.Errorf("there are %q", Profiles())
	}
	for _, name := range []string{"", "KZ", "eu", "../profiles/kz"} {
		if _, err := Profile(name, time.UTC); err == nil {
			t.Errorf("%q is a profile", name)
		}
	}
}

func TestSetTerm(t *testing.T) {
	c := clock(t, "kz", "UTC")
	term := c.Term(inbox.KindDelete)
	for key, value := range map[string]string{"due": "48 hours", "from": "received", "at_most": "none", "acknowledge": "2 days", "extend": "1 month", "pause": "any", "roll": "yes"} {
		if err := term.Set(key, value); err != nil {
			t.Errorf("%s = %s: %v", key, value, err)
		}
	}
	want := Term{Due: Span{48, Hours}, From: Received, Acknowledge: Span{2, Days}, Extend: Span{1, Months}, Pause: PauseAny, Roll: true}
	if term != want || len(Keys()) != 7 {
		t.Errorf("got %+v, want %+v", term, want)
	}
	d := c.WithTerm(inbox.KindDelete, Term{Due: Span{48, Hours}, Pause: PauseAny})
	at := time.Date(2026, 6, 5, 15, 30, 0, 0, time.UTC)
	waits := []inbox.Wait{{For: inbox.WaitWords, From: at.Add(time.Hour), To: at.Add(90 * time.Minute)}}
	if got := d.Date(inbox.KindDelete, Course{Received: at, Waits: waits}).Due; !got.Equal(at.Add(48*time.Hour + 30*time.Minute)) {
		t.Errorf("48 hours with half an hour's wait end at %s", got)
	}
	if c.Term(inbox.KindDelete).Due != (Span{1, WorkingDays}) {
		t.Error("the clock that it was made of has changed")
	}
	for _, bad := range [][2]string{{"due", "none"}, {"due", "0 days"}, {"due", "3"}, {"due", "three days"}, {"due", "3 weeks"}, {"due", "-1 days"}, {"due", "99999 days"},
		{"from", "sent"}, {"pause", ""}, {"roll", "true"}, {"extends", "1 day"}, {"extend", ""}} {
		if err := term.Set(bad[0], bad[1]); err == nil {
			t.Errorf("%s = %q was taken", bad[0], bad[1])
		}
	}
	for s, want := range map[string]string{"1 working days": "1 working day", "2  months": "2 months", "48 hours": "48 hours"} {
		if got, err := ParseSpan(s); err != nil || got.String() != want {
			t.Errorf("%q is %s, %v", s, got, err)
		}
	}
}

func TestLength(t *testing.T) {
	for x, want := range map[[2]string]time.Duration{
		{"kz", "delete"}: 36 * time.Hour, {"kz", "copy"}: 84 * time.Hour, {"gdpr", "copy"}: 28*24*time.Hour + 12*time.Hour, {"ccpa", "delete"}: 45*24*time.Hour + 12*time.Hour,
	} {
		if got := clock(t, x[0], "UTC").Length(inbox.Kind(x[1])); got != want {
			t.Errorf("a %s of %s has %s, want %s", x[1], x[0], got, want)
		}
	}
	c := clock(t, "kz", "UTC")
	if got := c.WithTerm(inbox.KindCopy, Term{Due: Span{9, WorkingDays}, AtMost: Span{2, Days}}).Length(inbox.KindCopy); got != 60*time.Hour {
		t.Errorf("the limit gives %s", got)
	}
	if got := c.Longest(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)).Format(time.DateOnly); got != "2026-12-11" {
		t.Errorf("the longest ends on %s", got)
	}
}
