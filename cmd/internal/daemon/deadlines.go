package daemon

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/queue"
)

// checkDeadlines looks whether requests can be carried out well within their
// clocks, and whether the calendar reaches as far as they do.
func checkDeadlines(d config.Deadlines, slow error, now time.Time) []Check {
	name, ends := "deadlines "+d.Profile+", weekends only", d.Clock.Calendar().Ends()
	if ends > 0 {
		name = fmt.Sprintf("deadlines %s, holidays to the end of %d", d.Profile, ends)
	}
	out := []Check{{Name: name, Err: slow}}
	last := d.Clock.Longest(now)
	how := d.Clock.Calendar().Knows(last)
	const hint = "give that year's days in deadlines.holidays"
	switch {
	case ends > 0 && last.Year() > ends:
		out = append(out, Check{Name: "calendar", Err: &inbox.Error{Err: fmt.Errorf("it ends with %d, and what comes today can be due on %s: of that year only weekends are known",
			ends, last.Format(time.DateOnly)), Hint: hint}})
	case how == deadline.Pattern:
		out = append(out, Check{Open: true, Name: fmt.Sprintf("calendar: of %d it has the pattern of the statute, and not what the government moves; %s", last.Year(), hint)})
	}
	return out
}

// tooSlow lists the kinds of which the cool-off, a poll after it and one retry
// take more than half of the clock: nothing would be left for staff.
func tooSlow(cfg *config.Config) error {
	var poll time.Duration
	for _, m := range cfg.Mailboxes {
		poll = max(poll, m.Poll)
	}
	var faults []error
	for _, k := range inbox.Kinds() {
		length := cfg.Deadlines.Clock.Length(k)
		subject, coolOff := longestWait(cfg, k)
		if takes := coolOff + poll + queue.LongestRetry(); subject != "" && takes > length/2 {
			faults = append(faults, &inbox.Error{Err: fmt.Errorf("%s: cool_off %s, poll %s and one retry %s are %s, more than half of its %s (%s from noon)",
				k, brief(coolOff), brief(poll), brief(queue.LongestRetry()), brief(takes), cfg.Deadlines.Clock.Term(k).Due, brief(length)),
				Hint: fmt.Sprintf("make policy.%s.cool_off %s or less, or have a lawyer say what deadlines.%s.due may be", subject, brief(max(length/2-poll-queue.LongestRetry(), 0).Truncate(time.Minute)), k)})
		}
	}
	return errors.Join(faults...)
}

// longestWait gives, of the rules that a kind can fall under, the one with the
// longest cool-off; "" for a question, which nobody carries out.
func longestWait(cfg *config.Config, k inbox.Kind) (subject string, coolOff time.Duration) {
	for _, a := range []inbox.Action{{Kind: k}, {Kind: k, Mailto: true}, {Kind: k, Scope: inbox.ScopeFields}} {
		s := string(policy.SubjectOf(&a))
		if rule, ok := cfg.Policy.Rules[s]; ok && (subject == "" || rule.CoolOff > coolOff) {
			subject, coolOff = s, rule.CoolOff
		}
	}
	return subject, coolOff
}

// brief writes a span without the units that are zero.
func brief(d time.Duration) string {
	s := d.String()
	if short, ok := strings.CutSuffix(s, "m0s"); ok {
		s = short + "m"
	}
	if short, ok := strings.CutSuffix(s, "h0m"); ok {
		s = short + "h"
	}
	return s
}
