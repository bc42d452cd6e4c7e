package deadline

import (
	"bufio"
	"bytes"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed calendars
var calendars embed.FS

// Calendar says which days are worked. Where a day is not named and its year is
// not covered, Saturday and Sunday are days of rest and all others are worked.
//
// A day of rest that a Calendar does not know makes a due day earlier, never
// later; a Saturday at work that it does not know makes one later.
type Calendar struct {
	rest  map[time.Weekday]bool
	days  map[date]bool   // worked or not, against the weekday
	years map[int]Covered // the years that it speaks for
}

// Covered says how well a Calendar knows a year.
type Covered string

// How a year can be known.
const (
	Official Covered = "official" // as the country published it, with what it moved
	Pattern  Covered = "pattern"  // the holidays of its statute; what the government moves is not in it
)

// date is a day without a time.
type date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) date { y, m, d := t.Date(); return date{y, m, d} }

// Fault is something wrong with a line of a file.
type Fault struct {
	Line    int
	Problem string
}

// weekends is the calendar without holidays.
func weekends() *Calendar {
	return &Calendar{rest: map[time.Weekday]bool{time.Saturday: true, time.Sunday: true}, days: map[date]bool{}, years: map[int]Covered{}}
}

// builtin gives a calendar that is embedded, by the name of its country.
func builtin(country string) (*Calendar, error) {
	if country == "" {
		return weekends(), nil
	}
	b, err := calendars.ReadFile("calendars/" + country + ".txt")
	if err != nil {
		return nil, fmt.Errorf("there is no calendar of %s", country)
	}
	c, faults := ReadCalendar(b)
	if len(faults) > 0 {
		return nil, fmt.Errorf("calendar of %s, line %d: %s", country, faults[0].Line, faults[0].Problem)
	}
	return c, nil
}

// ReadCalendar reads a calendar, a statement a line; what follows # is a
// comment:
//
//	weekend saturday sunday       the days of rest of a week; this is the default
//	covers 2027 official          the file has the whole year, as published; or pattern: only what the statute says
//	2027-03-08 off                a day of rest
//	2027-02-20 work               a worked day, such as a Saturday that a government moved
//
// A day must be of a year that the file covers. The Calendar is usable when
// there are no faults, of which it gives a hundred at most.
func ReadCalendar(b []byte) (*Calendar, []Fault) {
	r := &calendarReader{c: weekends(), named: map[date]int{}}
	scan := bufio.NewScanner(bytes.NewReader(b))
	for scan.Scan() {
		r.line++
		text, _, _ := strings.Cut(strings.TrimPrefix(scan.Text(), "\ufeff"), "#")
		if words := strings.Fields(text); len(words) > 0 {
			r.statement(words)
		}
	}
	if err := scan.Err(); err != nil {
		r.line++
		r.fault("the line cannot be read: %v", err)
	}
	for d, line := range r.named {
		if _, ok := r.c.years[d.year]; !ok {
			r.line = line
			r.fault("%d is a year that the file does not cover: write \"covers %d official\" when it has all of it", d.year, d.year)
		}
	}
	slices.SortFunc(r.faults, func(a, b Fault) int { return a.Line - b.Line })
	return r.c, r.faults[:min(len(r.faults), 100)]
}

type calendarReader struct {
	c      *Calendar
	line   int
	named  map[date]int // the lines
	faults []Fault
}

func (r *calendarReader) fault(format string, args ...any) {
	r.faults = append(r.faults, Fault{r.line, fmt.Sprintf(format, args...)})
}

func (r *calendarReader) statement(words []string) {
	switch {
	case words[0] == "weekend":
		r.weekend(words[1:])
	case words[0] == "covers":
		r.covers(words[1:])
	case len(words) == 2 && (words[1] == "off" || words[1] == "work"):
		r.day(words[0], words[1] == "work")
	default:
		r.fault("it is none of \"weekend DAY…\", \"covers YEAR official|pattern\", \"YYYY-MM-DD off|work\"")
	}
}

func (r *calendarReader) weekend(words []string) {
	rest := map[time.Weekday]bool{}
	for _, w := range words {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.EqualFold(w, d.String()) {
				rest[d] = true
			}
		}
	}
	if len(rest) != len(words) || len(rest) > 6 {
		r.fault("weekend takes different days of the week, six at most, such as saturday sunday")
		return
	}
	r.c.rest = rest
}

func (r *calendarReader) covers(words []string) {
	if len(words) != 2 || words[1] != string(Official) && words[1] != string(Pattern) {
		r.fault("covers takes a year, and official or pattern")
		return
	}
	year, err := strconv.Atoi(words[0])
	if err != nil || year < 1900 || year > 9999 {
		r.fault("%q is no year", words[0])
		return
	}
	r.c.years[year] = Covered(words[1])
}

func (r *calendarReader) day(s string, works bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		r.fault("%q is no day, YYYY-MM-DD", s)
		return
	}
	d := dateOf(t)
	if was, ok := r.c.days[d]; ok && was != works {
		r.fault("%s is off here and work there (line %d)", s, r.named[d])
		return
	}
	r.c.days[d], r.named[d] = works, r.line
}

// Over gives a Calendar in which what c names of days and years stands over
// another, whose weekend stays.
func (c *Calendar) Over(under *Calendar) *Calendar {
	out := &Calendar{rest: under.rest, days: maps.Clone(under.days), years: maps.Clone(under.years)}
	maps.Copy(out.days, c.days)
	maps.Copy(out.years, c.years)
	return out
}

// Works tells whether the day of t, in t's own zone, is a working day.
func (c *Calendar) Works(t time.Time) bool {
	if works, ok := c.days[dateOf(t)]; ok {
		return works
	}
	return !c.rest[t.Weekday()]
}

// Knows says how the year of a day is known; "" where nothing but weekends is,
// although the Calendar has holidays of other years. One that has none at all
// is whole in every year.
func (c *Calendar) Knows(t time.Time) Covered {
	if len(c.years) == 0 {
		return Official
	}
	return c.years[t.Year()]
}

// Ends gives the last year that is covered; 0 for a Calendar without holidays.
func (c *Calendar) Ends() int {
	last := 0
	for year := range c.years {
		last = max(last, year)
	}
	return last
}
