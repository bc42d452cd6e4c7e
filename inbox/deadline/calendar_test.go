package deadline

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func read(t testing.TB, text string) *Calendar {
	t.Helper()
	c, faults := ReadCalendar([]byte(text))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return c
}

// TestBuiltIn counts the working days of the years that were published, and
// holds that no day is named for nothing.
func TestBuiltIn(t *testing.T) {
	for country, want := range map[string]map[int]int{"RU": {2026: 247, 2027: 251}, "KZ": {2026: 247, 2027: 247}} {
		c, err := builtin(country)
		if err != nil {
			t.Fatal(err)
		}
		for year, n := range want {
			got := 0
			for d := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
				if c.Works(d) {
					got++
				}
			}
			if got != n {
				t.Errorf("%s has %d working days in %d, want %d", country, got, year, n)
			}
		}
		for d, works := range c.days {
			day := time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC)
			if works == !c.rest[day.Weekday()] {
				t.Errorf("%s: %s is named, and it is what its weekday says", country, day.Format(time.DateOnly))
			}
		}
		if c.Ends() != 2027 || c.Knows(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)) != Official || c.Knows(time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)) != Pattern ||
			c.Knows(time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)) != "" {
			t.Errorf("%s covers %v", country, c.years)
		}
	}
	if c, err := builtin(""); err != nil || c.Ends() != 0 || c.Knows(time.Now()) != Official {
		t.Errorf("without a country: %+v, %v", c, err)
	}
	if _, err := builtin("XX"); err == nil {
		t.Error("there is a calendar of XX")
	}
}

func TestOver(t *testing.T) {
	kz, err := builtin("KZ")
	if err != nil {
		t.Fatal(err)
	}
	c := read(t, "\ufeffcovers 2027 official\n2027-03-08 work # moved\n2027-03-09 off\ncovers 2028 official\n").Over(kz)
	for day, works := range map[string]bool{"2027-03-08": true, "2027-03-09": false, "2027-03-15": false, "2027-03-13": false, "2028-01-03": true} {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if c.Works(d) != works {
			t.Errorf("%s is worked: %t", day, !works)
		}
	}
	if c.Ends() != 2028 || c.Knows(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) != Official || kz.Ends() != 2027 {
		t.Errorf("it covers %v", c.years)
	}
}

func TestCalendarFaults(t *testing.T) {
	for text, want := range map[string]string{
		"2027-13-01 off":                       `1: "2027-13-01" is no day`,
		"covers 2027 official\n2027-02-29 off": `2: "2027-02-29" is no day`,
		"\n2027-03-08 off":                     "2: 2027 is a year that the file does not cover",
		"covers 2027":                          "1: covers takes a year, and official or pattern",
		"covers 27 official":                   `1: "27" is no year`,
		"covers 2027 maybe":                    "1: covers takes a year",
		"covers 2027 official\n2027-03-08 off\n2027-03-08 work": "3: 2027-03-08 is off here and work there (line 2)",
		"weekend samedi":            "1: weekend takes different days",
		"weekend friday friday":     "1: weekend takes",
		"holiday 2027-03-08":        "1: it is none of",
		"2027-03-08 free":           "1: it is none of",
		strings.Repeat("x", 100000): "1: the line cannot be read",
		"weekend sunday monday tuesday wednesday thursday friday saturday": "1: weekend takes",
	} {
		_, faults := ReadCalendar([]byte(text))
		if len(faults) != 1 || !strings.HasPrefix(fmt.Sprintf("%d: %s", faults[0].Line, faults[0].Problem), want) {
			t.Errorf("%.40q: %v, want %s", text, faults, want)
		}
	}
	if _, faults := ReadCalendar([]byte(strings.Repeat("x\n", 5000))); len(faults) != 100 {
		t.Errorf("%d faults are told", len(faults))
	}
	if c := read(t, "weekend friday saturday\n"); c.Works(time.Date(2026, 6, 5, 0, 0, 0, 0, time.UTC)) || !c.Works(time.Date(2026, 6, 7, 0, 0, 0, 0, time.UTC)) {
		t.Error("the weekend is not Friday and Saturday")
	}
}

// FuzzReadCalendar: whatever an operator writes, a Calendar without faults lets
// every clock come to an end.
func FuzzReadCalendar(f *testing.F) {
	for _, name := range []string{"KZ", "RU"} {
		b, err := os.ReadFile("calendars/" + name + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("weekend friday\ncovers 2026 pattern\n2026-06-05 work\n"))
	base := clock(f, "gdpr", "Asia/Almaty")
	f.Fuzz(func(t *testing.T, b []byte) {
		cal, faults := ReadCalendar(b)
		for _, x := range faults {
			if x.Line < 1 || x.Problem == "" {
				t.Errorf("a fault is %+v", x)
			}
		}
		if len(faults) > 0 {
			return
		}
		c := base
		c.calendar = cal
		at := time.Date(2026, 6, 4, 12, 0, 0, 0, time.UTC)
		if d := c.Date("copy", Course{Received: at}); !d.Due.After(at) || d.Red.After(d.Due) {
			t.Errorf("due %+v", d)
		}
		if due := c.add(at, Span{3, WorkingDays}); !due.After(at) {
			t.Errorf("three working days end at %s", due)
		}
	})
}
