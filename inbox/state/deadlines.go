package state

import (
	"fmt"
	"time"

	"push.guru/supportd/inbox"
)

// date keeps the dates of an Action. One that has ended keeps its Due, and
// nobody needs to hear of it any more.
func (db *DB) date(a *inbox.Action) {
	if a.State.Ended() {
		a.Alarm = time.Time{}
		return
	}
	db.dates(a)
}

// alarmKey says when staff must hear of the Due of an Action.
func alarmKey(a *inbox.Action) []byte {
	if a.State.Ended() || a.Alarm.IsZero() {
		return nil
	}
	return join(at(a.Alarm), be(uint64(a.ID)))
}

// AlarmDue lists up to limit open Actions of whose Due staff must hear now, the
// longest overdue alarm first.
func (tx *Tx) AlarmDue(limit int) []inbox.ActionID {
	return actionIDs(tx.idsUntil("action_deadlines", tx.Now, limit))
}

// openStates lists the states that are no ends.
func openStates() []inbox.State {
	var out []inbox.State
	for _, s := range inbox.States() {
		if !s.Ended() {
			out = append(out, s)
		}
	}
	return out
}

// Undated lists the open Actions whose dates are not what Config.Dates would
// set: those of a state from before it, or whose law has changed.
func (tx *Tx) Undated() ([]inbox.ActionID, error) {
	var out []inbox.ActionID
	for _, s := range openStates() {
		err := tx.ActionsIn(s, func(a *inbox.Action) bool {
			now := *a
			if tx.db.date(&now); !now.Due.Equal(a.Due) || !now.Alarm.Equal(a.Alarm) || now.Stands != a.Stands {
				out = append(out, a.ID)
			}
			return true
		})
		if err != nil {
			return nil, fmt.Errorf("looking at the dates of %s actions: %w", s, err)
		}
	}
	return out, nil
}

// DateAnew stores Actions with the dates of now. Those of before that was noted
// have waited for their person since they were asked.
func (tx *Tx) DateAnew(ids []inbox.ActionID) error {
	for _, id := range ids {
		a, err := tx.Action(id)
		if err == nil {
			err = tx.noteWait(a)
		}
		if err == nil {
			err = tx.PutAction(a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) noteWait(a *inbox.Action) error {
	if a.State != inbox.StateUnconfirmed || len(a.Waits) > 0 {
		return nil
	}
	asks, err := tx.CaseAsks(a.Case)
	for _, q := range asks {
		if q.Purpose.Waits() && !q.Used && q.Void == "" && !q.Expires.IsZero() && about(q, []inbox.ActionID{a.ID}) {
			a.Asked(inbox.WaitProof, q.Asked)
		}
	}
	return err
}
