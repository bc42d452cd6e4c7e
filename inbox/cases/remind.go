package cases

import (
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// dueSoon is how long before an answer is due staff are told.
const dueSoon = 12 * time.Hour

// DueSoon lists the Actions that wait for staff, are due soon or late, and
// that staff were not told of.
func (k *Keeper) DueSoon(tx *state.Tx) ([]*inbox.Action, error) {
	var out []*inbox.Action
	for _, s := range []inbox.State{inbox.StateReview, inbox.StateHeld, inbox.StateFailed} {
		err := tx.ActionsIn(s, func(a *inbox.Action) bool {
			if !a.Warned && a.Due.Before(tx.Now.Add(dueSoon)) {
				out = append(out, a)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Remind tells staff of what DueSoon lists, a Case a notice.
func (k *Keeper) Remind(tx *state.Tx) error {
	acts, err := k.DueSoon(tx)
	if err != nil {
		return err
	}
	for _, a := range acts {
		a.Warned = true
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	for _, id := range casesOf(acts) {
		if err := k.Notify(tx, "an answer is due soon, and it waits for you", id, ofCase(acts, id)...); err != nil {
			return err
		}
	}
	return nil
}
