package cases

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// Dates gives what keeps the dates of Actions by a clock; see state.Config. When
// the Due has moved, staff hear of the new one. What has ended keeps what its
// answer was due by, and whether its clock stood until then.
func Dates(c deadline.Clock) func(*inbox.Action) {
	return func(a *inbox.Action) {
		d := c.Of(a)
		if a.State.Ended() {
			a.Due = d.Answer
			return
		}
		a.Stands = d.Still()
		if !d.Due.Equal(a.Due) {
			a.Due, a.Alarmed = d.Due, inbox.AlarmedNot
		}
		a.Alarm = alarm(a, d)
	}
}

// runs is how long staff are not told of the near Due of what runs by itself.
const runs = time.Hour

// alarm gives when staff must hear of the Due of an Action: when it turns red,
// and again once it is late; zero for never. What was not tried yet, because its
// cool-off goes on, gets the time to run.
func alarm(a *inbox.Action, d deadline.Date) time.Time {
	late := d.Due.Add(time.Second)
	switch {
	case d.Red.IsZero() || a.Alarmed == inbox.AlarmedLate:
		return zeroTime
	case a.Alarmed == inbox.AlarmedSoon:
		return late
	}
	red := d.Red
	if a.Attempts == 0 && a.State == inbox.StateScheduled || a.State == inbox.StateRunning {
		red = laterOf(red, a.RunAfter.Add(runs))
	}
	if red.After(late) {
		return late
	}
	return red
}

// Risk says how near the Due of an Action is now; one that has ended has none.
func (k *Keeper) Risk(a *inbox.Action, now time.Time) deadline.Risk {
	if a.State.Ended() {
		return deadline.RiskNone
	}
	return k.Clock.Of(a).Risk(now)
}

// clockSent notes what a letter that has left means to the law's clock of the
// Actions of its Case: it acknowledges them, and a question of staff waits for
// its answer.
func (k *Keeper) clockSent(tx *state.Tx, r *inbox.Reply) error {
	if r.Staff || r.Case == 0 {
		return nil
	}
	acts, err := tx.CaseStates(r.Case)
	if err != nil && !errors.Is(err, state.ErrNotFound) { // that a letter was sent is noted whatever became of its Case
		return err
	}
	for _, a := range acts {
		asks := r.Name == string(templates.StaffQuestion) && slices.Contains(r.Actions, a.ID)
		if a.State.Ended() || !a.Acknowledged.IsZero() && !asks {
			continue
		}
		if a, err = tx.Action(a.ID); err != nil {
			return err
		}
		if a.Acknowledged.IsZero() {
			a.Acknowledged = tx.Now
		}
		if asks {
			a.Asked(inbox.WaitWords, tx.Now)
		}
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	return nil
}

// goesOn lets the clocks of what a question was about go on, because its letter
// did not arrive.
func goesOn(tx *state.Tx, q *state.Ask) error {
	acts, err := open(tx, q)
	if err != nil {
		return err
	}
	for _, a := range acts {
		a.Answered(tx.Now, inbox.WaitProof)
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	return nil
}

// Extend gives an Action, once, the time that its law adds. The person is told
// the reason and the new date, in time: what is late cannot be extended.
func (k *Keeper) Extend(tx *state.Tx, a *inbox.Action, who, reason string) error {
	due, err := k.extended(tx, a)
	if err != nil {
		return err
	}
	a.Extended = tx.Now
	if err := tx.Note(a, "extended", who, map[string]any{"reason": reason, "due": due}); err != nil {
		return err
	}
	return k.tell(tx, a, letter{name: templates.Extended, data: templates.Data{Words: reason, Expires: due}}, true)
}

// extended gives when an Action is due if it is extended now, or why it cannot
// be.
func (k *Keeper) extended(tx *state.Tx, a *inbox.Action) (time.Time, error) {
	before := k.Clock.Of(a).Answer
	if err := k.extendable(tx, a, before); err != nil {
		return time.Time{}, err
	}
	then := *a
	then.Extended = tx.Now
	due := k.Clock.Of(&then).Answer
	if !due.After(before) {
		return time.Time{}, fmt.Errorf("%s would be due no later: %s", a.ID, k.day(due))
	}
	return due, nil
}

// extendable tells why an Action cannot be extended.
func (k *Keeper) extendable(tx *state.Tx, a *inbox.Action, due time.Time) error {
	switch {
	case a.State.Ended():
		return fmt.Errorf("%s is %s: only what is open can be extended", a.ID, a.State)
	case a.ForStaff() || a.Detail == nil || a.Detail.Address == "":
		return fmt.Errorf("%s came from nobody who could be told", a.ID)
	case a.Evidence == inbox.LevelNone:
		return fmt.Errorf("%s: nobody proved who sent it, and an extension must be told", a.ID)
	case !a.Extended.IsZero():
		return fmt.Errorf("%s was extended on %s: that can be done once", a.ID, k.day(a.Extended))
	case k.Clock.Term(a.Kind).Extend.N == 0:
		return &inbox.Error{Err: fmt.Errorf("the law's profile knows no extension for a %s", a.Kind),
			Hint: "if yours does, set extend in [deadlines." + string(a.Kind) + "]"}
	case tx.Now.After(due):
		return fmt.Errorf("%s was due on %s: an extension must be told before that", a.ID, k.day(due))
	}
	return k.acting()
}

// day tells staff a moment, in the zone of the site.
func (k *Keeper) day(t time.Time) string {
	zone := k.Site.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04 -07:00")
}

const (
	alarmBatch = 1000 // alarms of one mail
	alarmLines = 50   // that it names
)

// Alarming tells whether Alarm has anything to tell.
func (k *Keeper) Alarming(tx *state.Tx) bool {
	return k.Rules.Mode != policy.Observe && len(tx.AlarmDue(1)) > 0
}

// Alarm tells staff, in one mail, of the Actions that have turned red and of
// those that are late; of each once. In mode observe nobody is told, until the
// mode has changed.
func (k *Keeper) Alarm(tx *state.Tx) error {
	if !k.Alarming(tx) {
		return nil
	}
	var acts []*inbox.Action
	for _, id := range tx.AlarmDue(alarmBatch) {
		a, err := tx.Action(id)
		if err != nil {
			return err
		}
		a.Alarmed = inbox.AlarmedSoon
		if tx.Now.After(a.Due) {
			a.Alarmed = inbox.AlarmedLate
		}
		if err := tx.PutAction(a); err != nil {
			return err
		}
		acts = append(acts, a)
	}
	what, c := alarmed(acts), inbox.MailID(0)
	if ids := casesOf(acts); len(ids) == 1 {
		c = ids[0]
	}
	if err := tx.Journal("staff told", Program, c, 0, map[string]string{"what": what}); err != nil {
		return err
	}
	return k.tellStaff(tx, k.Staff, what+"\n\n"+k.alarmLines(acts), c, nil)
}

// alarmed words what staff are told of.
func alarmed(acts []*inbox.Action) string {
	late := 0
	for _, a := range acts {
		if a.Alarmed == inbox.AlarmedLate {
			late++
		}
	}
	switch soon := len(acts) - late; {
	case len(acts) == 1 && late == 1:
		return "an answer is late"
	case len(acts) == 1:
		return "an answer is due soon"
	case late == 0:
		return fmt.Sprintf("%d answers are due soon", soon)
	case soon == 0:
		return fmt.Sprintf("%d answers are late", late)
	default:
		return fmt.Sprintf("%d answers are late, and %d due soon", late, soon)
	}
}

// alarmLines names Actions, a line each.
func (k *Keeper) alarmLines(acts []*inbox.Action) string {
	var b strings.Builder
	for _, a := range acts[:min(len(acts), alarmLines)] {
		what := strings.TrimSpace(string(a.Kind) + " " + string(a.Scope))
		fmt.Fprintf(&b, "%s of %s: %s, %s, due %s\n", a.ID, a.Case, what, a.State, k.day(a.Due))
	}
	if more := len(acts) - alarmLines; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	return b.String()
}
