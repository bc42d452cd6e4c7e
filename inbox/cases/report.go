package cases

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// Done takes the end of an Action that was carried out: its consequences for
// other Actions of the person, and the letter that tells of it. The Action
// must have moved already; files are what its letter carries.
func (k *Keeper) Done(tx *state.Tx, a *inbox.Action, o inbox.Outcome, files []string) error {
	switch {
	case a.Mailto:
		if err := k.moved(tx, a); err != nil {
			return err
		}
	case a.Kind == inbox.KindDelete && a.Scope == inbox.ScopeAccount:
		if err := k.erased(tx, a); err != nil {
			return err
		}
	}
	return k.report(tx, a.Case, o.Holdings, files)
}

// Failed takes the end of an Action that could not be carried out: the rest of
// its Case is held, the person and staff are told.
func (k *Keeper) Failed(tx *state.Tx, a *inbox.Action) error {
	acts, err := tx.CaseActions(a.Case)
	if err != nil {
		return err
	}
	for _, b := range acts {
		if b.State != inbox.StateScheduled || order(b) < order(a) {
			continue
		}
		b.Error = a.ID.String() + ", which comes before it, failed"
		if err := tx.Move(b, inbox.EventHold, Program, nil); err != nil {
			return err
		}
	}
	if a.State == inbox.StateFailed {
		if err := k.Notify(tx, "an action failed", a.Case, a); err != nil {
			return err
		}
	}
	return k.report(tx, a.Case, nil, nil)
}

// report tells the person what ended in a Case, in one letter for all that
// ends together.
func (k *Keeper) report(tx *state.Tx, id inbox.MailID, holdings []inbox.Holding, files []string) error {
	m, err := tx.Mail(id)
	if err != nil {
		return err
	}
	acts, err := tx.CaseActions(id)
	if err != nil {
		return err
	}
	told, later := unreported(acts)
	if len(told) == 0 || len(files) == 0 && len(holdings) == 0 && soon(tx, acts) {
		return k.settle(tx, m)
	}
	l := letter{name: resultName(told), mail: m, to: told[0].Detail.Address, language: told[0].Language,
		actions: append(slices.Clone(told), later...), files: files, released: released(told), limit: resultLimit(told)}
	l.data = templates.Data{Items: k.items(l.actions), Holdings: holdings, Attached: len(files) > 0}
	for _, a := range told {
		a.Reported = true
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	if len(later) > 0 {
		l.data.RunAfter = later[0].RunAfter
		err = k.notice(tx, l)
	} else {
		_, err = k.send(tx, l)
	}
	if err != nil {
		return err
	}
	return k.settle(tx, m)
}

// unreported splits a Case into what has ended and was not told of, and what
// still waits for the end of its cool-off.
func unreported(acts []*inbox.Action) (told, later []*inbox.Action) {
	for _, a := range acts {
		switch {
		case a.Detail == nil:
		case !a.Reported && (a.State == inbox.StateDone || a.State == inbox.StateFailed || a.State == inbox.StateRefused):
			told = append(told, a)
		case a.State == inbox.StateScheduled:
			later = append(later, a)
		}
	}
	return told, later
}

// soon tells whether another Action of the Case ends in a moment, so that one
// letter can tell of both.
func soon(tx *state.Tx, acts []*inbox.Action) bool {
	return slices.ContainsFunc(acts, func(a *inbox.Action) bool {
		return a.State == inbox.StateRunning || a.State == inbox.StateScheduled && a.Attempts == 0 && !a.RunAfter.After(tx.Now)
	})
}

func resultName(told []*inbox.Action) templates.Name {
	for _, a := range told {
		if a.State != inbox.StateFailed {
			return templates.Result
		}
	}
	return templates.Failed
}

// resultLimit caps what somebody can cause without having said yes to it.
func resultLimit(told []*inbox.Action) limit {
	for _, a := range told {
		if a.Proved != "" || policy.Irreversible(a) {
			return uncapped
		}
	}
	return proven
}

// moved takes the change of the address on record: the old address is told,
// everything else of the person is asked anew at the new one.
func (k *Keeper) moved(tx *state.Tx, a *inbox.Action) error {
	old := a.Detail.Address
	fresh, err := address.Canonical(newAddress(a))
	if err != nil {
		return err
	}
	if err := tx.Moved(a.Detail.Person); err != nil {
		return err
	}
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	_, err = k.send(tx, letter{name: templates.AddressChanged, mail: m, to: old, actions: []*inbox.Action{a}, language: a.Language,
		data: templates.Data{Items: k.items([]*inbox.Action{a})}, released: true})
	if err != nil {
		return err
	}
	a.Detail.Address = fresh
	if err := tx.PutAction(a); err != nil {
		return err
	}
	if err := tx.Tie(state.TieAddress, fresh, a.Case); err != nil {
		return err
	}
	return k.reprove(tx, a, old, fresh)
}

// reprove makes earlier proof of a person's other open Actions void.
func (k *Keeper) reprove(tx *state.Tx, moved *inbox.Action, old, fresh string) error {
	acts, err := tx.OpenActions(old)
	if err != nil {
		return err
	}
	for _, b := range acts {
		if b.ID == moved.ID || b.Kind == inbox.KindQuestion {
			continue
		}
		b.Detail.Address, b.Proved, b.OldYes, b.Evidence = fresh, "", false, inbox.LevelNone
		if err := tx.VoidAsks(b.Case, "the address on record changed", b.ID); err != nil {
			return err
		}
		if b.State != inbox.StateScheduled {
			if b.HeldFrom == inbox.StateScheduled {
				b.HeldFrom = inbox.StateUnconfirmed
			}
			if err := tx.Note(b, "proof void: the address on record changed", Program, nil); err != nil {
				return err
			}
			continue
		}
		if err := tx.Move(b, inbox.EventReprove, Program, nil); err != nil {
			return err
		}
		bm, err := tx.Mail(b.Case)
		if err != nil {
			return err
		}
		if err := k.claim(tx, bm, fresh, []*inbox.Action{b}, false); err != nil {
			return err
		}
	}
	return nil
}

// erased takes the delete of an account: whatever else of the person is open
// ends, and their keys are dropped once every letter has gone.
func (k *Keeper) erased(tx *state.Tx, a *inbox.Action) error {
	acts, err := tx.OpenActions(a.Detail.Address)
	if err != nil {
		return err
	}
	for _, b := range acts {
		if b.ID == a.ID || b.Case == a.Case && order(b) > order(a) {
			continue
		}
		b.Reported, b.Error = true, "the account was deleted"
		if err := tx.Move(b, inbox.EventClose, Program, nil); err != nil {
			return err
		}
		if err := k.Settle(tx, b.Case); err != nil {
			return err
		}
	}
	return tx.Erase(a.Case, a.Detail.Person, a.Detail.Address)
}

// Expire ends an Action whose question nobody answered in time. A change of
// address that the old address did not answer goes to staff.
func (k *Keeper) Expire(tx *state.Tx, a *inbox.Action) error {
	if a.Mailto && !a.OldYes && a.Evidence > inbox.LevelNone {
		a.Error, a.Expires = "the old address did not answer", zeroTime
		return tx.Move(a, inbox.EventUnsure, Program, nil)
	}
	a.Reported = true
	if err := tx.Move(a, inbox.EventExpire, Program, nil); err != nil {
		return err
	}
	return k.Settle(tx, a.Case)
}

// Stale takes an Action whose plan is no longer the one that was confirmed:
// asked again once with the new plan, then staff.
func (k *Keeper) Stale(tx *state.Tx, a *inbox.Action, now inbox.Plan) error {
	a.Detail.Plan, a.Proved, a.OldYes = now, "", false
	a.Stale++
	if a.Stale > 1 {
		a.Error = "the data changed twice since they were shown"
		return tx.Move(a, inbox.EventStaleAgain, Program, nil)
	}
	if err := tx.Move(a, inbox.EventStale, Program, nil); err != nil {
		return err
	}
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	return k.confirm(tx, m, []*inbox.Action{a}, nil, released([]*inbox.Action{a}), templates.StaleAsk)
}

// Bounced takes a failure report for one of our letters: staff see it, and a
// question that never arrived is void.
func (k *Keeper) Bounced(tx *state.Tx, m *inbox.Mail, r *inbox.Reply) error {
	if r.State == inbox.ReplyBounced {
		return nil
	}
	r.State, r.Error = inbox.ReplyBounced, "a failure report came back in "+m.ID.String()
	if err := tx.PutReply(r); err != nil {
		return err
	}
	if err := tx.Journal("reply bounced", Program, r.Case, 0, map[string]any{"reply": r.ID, "report": m.ID}); err != nil {
		return err
	}
	m.Actions = appendNew(m.Actions, r.Actions)
	if r.Staff {
		return nil
	}
	return k.undelivered(tx, r, "a letter of ours bounced", "its letter bounced")
}

// Undelivered takes a letter that was given up: its question is void, and
// staff are told.
func (k *Keeper) Undelivered(tx *state.Tx, r *inbox.Reply) error {
	if r.Staff {
		return nil
	}
	return k.undelivered(tx, r, "a letter could not be delivered", "its letter could not be delivered")
}

func (k *Keeper) undelivered(tx *state.Tx, r *inbox.Reply, what, void string) error {
	q, err := tx.AskByReply(r)
	if err != nil {
		return err
	}
	if q != nil {
		if err := tx.VoidAsk(q, void); err != nil {
			return err
		}
	}
	var acts []*inbox.Action
	for _, id := range r.Actions {
		a, err := tx.Action(id)
		if err != nil {
			return err
		}
		if !a.State.Ended() {
			a.Error = void + " (" + r.ID.String() + ")"
			if err := tx.Note(a, void, Program, nil); err != nil {
				return err
			}
		}
		acts = append(acts, a)
	}
	return k.Notify(tx, what, r.Case, acts...)
}
