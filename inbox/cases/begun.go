package cases

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// begun tells whether an Action may have been carried out: an attempt runs, or
// what came of one is not known.
func begun(a *inbox.Action) bool { return a.State == inbox.StateRunning || a.Begun != "" }

// asksFirst tells whether staff's end of an Action waits for the user store's
// word. Once the store was asked in vain until the Action failed, staff's own
// word ends it.
func asksFirst(a *inbox.Action, e inbox.Event) bool {
	return begun(a) && !(a.State == inbox.StateFailed && a.Wish == e)
}

// wish notes how an Action is to end that may have been carried out. The queue
// asks the user store before anything else is done: what was carried out is
// told as done, and only what was not ends as wished; see NotDone.
func (k *Keeper) wish(tx *state.Tx, a *inbox.Action, e inbox.Event, who string, detail any) error {
	a.Wish, a.WishedBy, a.Reported = e, who, false
	a.Error = "it may have been carried out: the user store is asked before it ends"
	if err := tx.Note(a, string(e)+" asked for", who, detail); err != nil {
		return err
	}
	var err error
	switch a.State {
	case inbox.StateHeld:
		err = tx.Move(a, inbox.EventRelease, who, nil)
	case inbox.StateFailed:
		err = tx.Move(a, inbox.EventRetry, who, nil)
	}
	if err != nil {
		return err
	}
	a.HeldBy, a.Attempts, a.RunAfter = 0, 0, tx.Now
	return tx.PutAction(a)
}

// NotDone takes the user store's word that nothing was carried out of an
// Action. It ends as was wished; without a wish its proof was void, and the
// person is asked anew.
func (k *Keeper) NotDone(tx *state.Tx, a *inbox.Action) error {
	wish, who := a.Wish, a.WishedBy
	a.Begun, a.Wish, a.WishedBy, a.RunAfter = "", "", "", tx.Now
	if err := tx.MoveFor(a, inbox.EventLater, Program, "the user store says that nothing of it was carried out"); err != nil {
		return err
	}
	switch wish {
	case inbox.EventNo:
		if err := k.cancel(tx, a); err != nil {
			return err
		}
		a.Reported = false
		if err := tx.PutAction(a); err != nil {
			return err
		}
		return k.Report(tx, a.Case)
	case inbox.EventRefuse:
		_, err := k.refuse(tx, a, who, a.Detail.Words)
		return err
	case inbox.EventClose:
		return k.close(tx, a, who, nil)
	case inbox.EventDoubtful:
		if err := k.holdDoubtful(tx, a, doubtOf(who), ""); err != nil {
			return err
		}
		return k.checkStop(tx, []*inbox.Action{a}, nil, doubtOf(who))
	}
	return k.AskProof(tx, a)
}

// untilKnown leaves a no without an answer until the user store has said
// whether it came in time. What else it ended is told with that.
func (k *Keeper) untilKnown(tx *state.Tx, m *inbox.Mail, ended []*inbox.Action) error {
	Mark(m, inbox.MailActed, "to be cancelled, unless it was carried out already")
	for _, a := range ended {
		a.Reported = false
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	return nil
}

// Unclear tells the owner that nobody knows yet whether their no came in time,
// because the user store does not answer. The end is told apart.
func (k *Keeper) Unclear(tx *state.Tx, a *inbox.Action) error {
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	acts, err := tx.CaseActions(a.Case)
	if err != nil {
		return err
	}
	acts = slices.DeleteFunc(acts, func(b *inbox.Action) bool {
		return b.ID != a.ID && (b.State != inbox.StateCancelled || b.Reported)
	})
	for _, b := range acts {
		if b.Reported = b.ID != a.ID; b.Reported {
			if err := tx.PutAction(b); err != nil {
				return err
			}
		}
	}
	_, err = k.send(tx, letter{name: templates.Status, mail: m, to: a.Detail.Address, language: a.Language, data: templates.Data{Items: k.items(acts)}})
	return err
}

// doubtBegun takes a stop that is in doubt, of what may have been carried out:
// whether there is anything to hold, the user store says.
func (k *Keeper) doubtBegun(tx *state.Tx, m *inbox.Mail, a *inbox.Action, d doubt) error {
	m.Actions = appendNew(m.Actions, []inbox.ActionID{a.ID})
	Mark(m, inbox.MailActed, "a stop that is in doubt: to be held, unless it was carried out already")
	if a.Wish != "" {
		return nil
	}
	return k.wish(tx, a, inbox.EventDoubtful, d.who, map[string]any{"mail": m.ID})
}

// tooLate tells staff that what they wanted to end had been carried out.
func (k *Keeper) tooLate(tx *state.Tx, a *inbox.Action) error {
	if a.Wish != inbox.EventRefuse && a.Wish != inbox.EventClose || a.WishedBy == Program {
		return nil
	}
	a.Detail.Words = "" // of a refusal
	if err := tx.PutAction(a); err != nil {
		return err
	}
	return k.Notify(tx, "an action had been carried out before it could be ended", a.Case, a)
}
