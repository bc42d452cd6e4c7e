package cases

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
)

// TestAlarmTimes: staff hear of what turns red, and of what is late, and of what
// has its cool-off still before it only when that took too long.
func TestAlarmTimes(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }
	d := deadline.Date{Due: at(20), Amber: at(8), Red: at(12)}
	late := at(20).Add(time.Second)
	for _, x := range []struct {
		name string
		a    inbox.Action
		d    deadline.Date
		want time.Time
	}{
		{"it waits for staff", inbox.Action{State: inbox.StateReview}, d, at(12)},
		{"told that it is near", inbox.Action{State: inbox.StateReview, Alarmed: inbox.AlarmedSoon}, d, late},
		{"told that it is late", inbox.Action{State: inbox.StateReview, Alarmed: inbox.AlarmedLate}, d, zeroTime},
		{"its clock stands", inbox.Action{State: inbox.StateUnconfirmed}, deadline.Date{Due: at(20), Stands: true}, zeroTime},
		{"its cool-off ends before", inbox.Action{State: inbox.StateScheduled, RunAfter: at(10)}, d, at(12)},
		{"its cool-off ends later", inbox.Action{State: inbox.StateScheduled, RunAfter: at(14)}, d, at(15)},
		{"its cool-off ends too late", inbox.Action{State: inbox.StateScheduled, RunAfter: at(20)}, d, late},
		{"tried in vain", inbox.Action{State: inbox.StateScheduled, RunAfter: at(14), Attempts: 3}, d, at(12)},
	} {
		if got := alarm(&x.a, x.d); !got.Equal(x.want) {
			t.Errorf("%s: alarm at %s, want %s", x.name, got, x.want)
		}
	}
}

func TestAlarmWords(t *testing.T) {
	acts := func(soon, late int) (out []*inbox.Action) {
		for i := range soon + late {
			a := &inbox.Action{ID: inbox.ActionID(i + 1), Case: 7, Kind: inbox.KindDelete, Scope: inbox.ScopeFields, State: inbox.StateReview, Alarmed: inbox.AlarmedSoon}
			if i >= soon {
				a.Alarmed = inbox.AlarmedLate
			}
			out = append(out, a)
		}
		return out
	}
	for want, n := range map[string][2]int{
		"an answer is due soon": {1, 0}, "an answer is late": {0, 1}, "3 answers are due soon": {3, 0}, "2 answers are late": {0, 2},
		"2 answers are late, and 1 due soon": {1, 2},
	} {
		if got := alarmed(acts(n[0], n[1])); got != want {
			t.Errorf("of %v staff are told %q, want %q", n, got, want)
		}
	}
	lines := strings.Split(strings.TrimSpace(New(Config{}).alarmLines(acts(60, 0))), "\n")
	if len(lines) != alarmLines+1 || lines[0] != "A-000001 of M-000007: delete fields, review, due 0001-01-01 00:00 +00:00" || lines[alarmLines] != fmt.Sprintf("and %d more", 60-alarmLines) {
		t.Errorf("%d lines, the first %q, the last %q", len(lines), lines[0], lines[len(lines)-1])
	}
}
