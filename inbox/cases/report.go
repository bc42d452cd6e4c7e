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
	if err := k.tooLate(tx, a); err != nil {
		return err
	}
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
	if err := k.tellOthers(tx, a, o.Plan); err != nil {
		return err
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
	stopped := []*inbox.Action{a}
	for _, b := range acts {
		if b.State != inbox.StateScheduled || b.Order() < a.Order() {
			continue
		}
		if err := k.HoldFor(tx, b, a); err != nil {
			return err
		}
		stopped = append(stopped, b)
	}
	if a.State == inbox.StateFailed || len(stopped) > 1 { // what the data refuse stops nobody but what comes after it
		if err := k.Notify(tx, "an action failed", a.Case, stopped...); err != nil {
			return err
		}
	}
	return k.report(tx, a.Case, nil, nil)
}

// HoldFor holds an Action because an earlier one of its Case failed. It is
// released when that one has ended.
func (k *Keeper) HoldFor(tx *state.Tx, b, failed *inbox.Action) error {
	b.HeldBy = failed.ID
	return tx.MoveFor(b, inbox.EventHold, Program, failed.ID.String()+", which comes before it, failed")
}

// unblock releases what was held for an Action that has ended since; of acts it
// needs their states only.
func (k *Keeper) unblock(tx *state.Tx, acts []*inbox.Action) error {
	for _, b := range acts {
		if b.State != inbox.StateHeld || b.HeldBy == 0 {
			continue
		}
		blocker, err := tx.Action(b.HeldBy)
		if err != nil {
			return err
		}
		if !blocker.State.Ended() {
			continue
		}
		if b, err = tx.Action(b.ID); err != nil {
			return err
		}
		b.HeldBy, b.Error = 0, ""
		if err := tx.Move(b, inbox.EventRelease, Program, nil); err != nil {
			return err
		}
	}
	return nil
}

// Report tells the person what ended in a Case and was not told yet, unless
// more ends in a moment, and starts or stops the Case's retention.
func (k *Keeper) Report(tx *state.Tx, id inbox.MailID) error { return k.report(tx, id, nil, nil) }

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
	told, later := unreported(tx, acts)
	if len(told) == 0 || len(files) == 0 && len(holdings) == 0 && soon(tx, acts) {
		return k.settle(tx, m)
	}
	name := resultName(told)
	if name == templates.Cancelled {
		later = nil // what goes on has been announced
	}
	l := letter{name: name, mail: m, to: told[0].Detail.Address, language: told[0].Language,
		actions: append(slices.Clone(told), later...), files: files[:min(len(files), 1)], limit: resultLimit(told)}
	l.data = templates.Data{Items: k.announced(l.actions), Holdings: holdings, Attached: len(files) > 0, Part: 1, Parts: len(files)}
	for _, a := range told {
		a.Reported = true
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	if len(later) > 0 {
		err = k.notice(tx, l)
	} else {
		_, err = k.send(tx, l)
	}
	if err == nil && len(files) > 1 {
		err = k.sendParts(tx, l, files)
	}
	if err != nil {
		return err
	}
	return k.settle(tx, m)
}

// sendParts queues the letters with the further parts of a copy, of which l has
// carried the first: they go out, or are held, as that one is.
func (k *Keeper) sendParts(tx *state.Tx, l letter, files []string) error {
	replies, err := tx.CaseReplies(l.mail.ID)
	if err != nil {
		return err
	}
	first := slices.IndexFunc(replies, func(r *inbox.Reply) bool { return r.Detail != nil && slices.Equal(r.Detail.Files, files[:1]) })
	if first < 0 {
		return nil // the mode keeps everything in
	}
	for i := range files[1:] {
		part := letter{name: templates.CopyPart, mail: l.mail, to: l.to, language: l.language, actions: l.actions,
			files: files[i+1 : i+2], with: replies[first], data: templates.Data{Part: i + 2, Parts: len(files)}}
		if _, err := k.send(tx, part); err != nil {
			return err
		}
	}
	return nil
}

// unreported splits a Case into what has ended and was not told of, and what
// comes later, so that it can still be stopped. What is due this moment is in
// neither: it tells of itself.
func unreported(tx *state.Tx, acts []*inbox.Action) (told, later []*inbox.Action) {
	for _, a := range acts {
		switch {
		case a.Detail == nil:
		case !a.Reported && (a.State.Ended() || a.State == inbox.StateFailed):
			told = append(told, a)
		case a.State == inbox.StateScheduled && (a.RunAfter.After(tx.Now) || !a.StopBy.IsZero()):
			later = append(later, a)
		}
	}
	return told, later
}

// soon tells whether another Action of the Case ends in a moment, so that one
// letter can tell of both. What follows one that is open waits for it, and one
// that can be stopped may wait for mail to be read.
func soon(tx *state.Tx, acts []*inbox.Action) bool {
	for _, a := range acts {
		if a.State.Ended() || a.Kind == inbox.KindQuestion {
			continue
		}
		due := a.State == inbox.StateScheduled && a.Attempts == 0 && !a.RunAfter.After(tx.Now)
		return a.State == inbox.StateRunning || due && (a.StopBy.IsZero() || a.Error == "" || a.Wish != "")
	}
	return false
}

func resultName(told []*inbox.Action) templates.Name {
	all := func(s inbox.State) bool {
		return !slices.ContainsFunc(told, func(a *inbox.Action) bool { return a.State != s })
	}
	switch {
	case all(inbox.StateFailed):
		return templates.Failed
	case all(inbox.StateCancelled):
		return templates.Cancelled
	}
	return templates.Result
}

// resultLimit caps what somebody can cause without having said yes to it.
func resultLimit(told []*inbox.Action) limit {
	for _, a := range told {
		if a.Proved != "" || policy.Irreversible(a) || a.State == inbox.StateCancelled {
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
		data: templates.Data{Items: k.items([]*inbox.Action{a})}})
	if err != nil {
		return err
	}
	a.Detail.Address = fresh
	if err := tx.PutAction(a); err != nil {
		return err
	}
	if err := carryOver(tx, a, old, fresh); err != nil {
		return err
	}
	return k.reprove(tx, a, old, fresh)
}

// carryOver ties the cases that a person has under their old address to the new
// one.
func carryOver(tx *state.Tx, a *inbox.Action, old, fresh string) error {
	theirs := tx.Tied(state.TiePerson, a.Detail.Person)
	for _, id := range append(tx.Tied(state.TieAddress, old), a.Case) {
		if id != a.Case && !slices.Contains(theirs, id) {
			continue
		}
		if err := tx.Tie(state.TieAddress, fresh, id); err != nil {
			return err
		}
	}
	return nil
}

// reprove makes earlier proof of a person's other open Actions void: what
// waited for a yes, or had it, is asked anew at the new address, in one letter
// a Case. Answers to all of them go there.
func (k *Keeper) reprove(tx *state.Tx, moved *inbox.Action, old, fresh string) error {
	acts, err := tx.OpenActions(old)
	if err != nil {
		return err
	}
	var asked []*inbox.Action
	for _, b := range acts {
		if b.ID == moved.ID {
			continue
		}
		if err := k.unprove(tx, b, fresh); err != nil {
			return err
		}
		if b.State == inbox.StateUnconfirmed {
			asked = append(asked, b)
		}
	}
	for _, id := range casesOf(asked) {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		if err := k.claim(tx, m, fresh, ofCase(asked, id)); err != nil {
			return err
		}
	}
	return nil
}

// unprove takes from an Action what the old address had proved.
func (k *Keeper) unprove(tx *state.Tx, b *inbox.Action, fresh string) error {
	b.Detail.Address = fresh
	if b.Kind == inbox.KindQuestion { // nothing runs on its proof
		return tx.PutAction(b)
	}
	b.Proved, b.OldYes, b.Evidence = "", false, inbox.LevelNone
	if err := tx.VoidAsks(b.Case, "the address on record changed", b.ID); err != nil {
		return err
	}
	switch {
	case begun(b): // the queue asks the user store first, and what was not carried out is asked anew
	case b.State == inbox.StateScheduled:
		return tx.Move(b, inbox.EventReprove, Program, nil)
	case b.HeldFrom == inbox.StateScheduled:
		b.HeldFrom = inbox.StateUnconfirmed
	}
	return tx.Note(b, "proof void: the address on record changed", Program, nil)
}

// erased takes the delete of an account: whatever else of the person is open
// ends, and their keys are dropped once every letter has gone.
func (k *Keeper) erased(tx *state.Tx, a *inbox.Action) error {
	acts, err := tx.OpenActions(a.Detail.Address)
	if err != nil {
		return err
	}
	for _, b := range acts {
		if b.ID == a.ID || b.Case == a.Case && b.Order() > a.Order() {
			continue
		}
		if err := k.endWith(tx, b); err != nil {
			return err
		}
		if err := k.Report(tx, b.Case); err != nil {
			return err
		}
	}
	for _, id := range append(tx.Tied(state.TiePerson, a.Detail.Person), tx.Tied(state.TieAddress, a.Detail.Address)...) {
		if err := k.voidHeld(tx, id); err != nil {
			return err
		}
	}
	return tx.Erase(a.Case, a.Detail.Person, a.Detail.Address)
}

// endWith ends an Action because the account was deleted, without a letter.
func (k *Keeper) endWith(tx *state.Tx, b *inbox.Action) error {
	const why = "the account was deleted"
	if !begun(b) {
		b.Reported = true
		return tx.MoveFor(b, inbox.EventClose, Program, why)
	}
	if err := k.wish(tx, b, inbox.EventClose, Program, map[string]string{"reason": why}); err != nil {
		return err
	}
	b.Reported = true
	return tx.PutAction(b)
}

// voidHeld ends the letters of a Case that wait for staff: they are about an
// account that is gone, and would keep its keys.
func (k *Keeper) voidHeld(tx *state.Tx, c inbox.MailID) error {
	replies, err := tx.CaseReplies(c)
	if err != nil {
		return err
	}
	for _, r := range replies {
		if r.State != inbox.ReplyHeld {
			continue
		}
		r.State, r.Error = inbox.ReplyVoid, "the account was deleted"
		if err := tx.PutReply(r); err != nil {
			return err
		}
		if err := tx.Journal("reply void", Program, c, 0, map[string]any{"reply": r.ID, "error": r.Error}); err != nil {
			return err
		}
	}
	return nil
}

// Expire ends an Action whose question nobody answered in time. A change of
// address that the old address did not answer goes to staff.
func (k *Keeper) Expire(tx *state.Tx, a *inbox.Action) error {
	if a.Mailto && !a.OldYes && a.Evidence > inbox.LevelNone {
		a.Expires = zeroTime
		return tx.MoveFor(a, inbox.EventReview, Program, "the old address did not answer")
	}
	a.Reported = true
	if err := tx.Move(a, inbox.EventExpire, Program, nil); err != nil {
		return err
	}
	return k.Report(tx, a.Case)
}

// Stale takes an Action whose plan is no longer the one that was confirmed:
// asked again once with the new plan, then staff.
func (k *Keeper) Stale(tx *state.Tx, a *inbox.Action, now inbox.Plan) error {
	a.Detail.Plan, a.Proved, a.OldYes, a.Reviewed = now, "", false, false
	a.Stale++
	if a.Stale > 1 {
		return k.ToReview(tx, a, "the data changed twice since they were shown")
	}
	if err := tx.Move(a, inbox.EventStale, Program, nil); err != nil {
		return err
	}
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	return k.confirm(tx, m, []*inbox.Action{a}, nil, templates.StaleAsk)
}

// ToReview puts a running Action before staff, who are told.
func (k *Keeper) ToReview(tx *state.Tx, a *inbox.Action, why string) error {
	a.Proved, a.OldYes, a.Approved, a.Reviewed, a.Released = "", false, false, false, false
	if err := tx.MoveFor(a, inbox.EventStaleAgain, Program, why); err != nil {
		return err
	}
	return k.Notify(tx, "an action was stopped for review", a.Case, a)
}

// Guarded puts a running Action before staff, who are told, because the account
// has become one that only they act upon. What the owner has confirmed stays so.
func (k *Keeper) Guarded(tx *state.Tx, a *inbox.Action, why string) error {
	a.Released = false
	if err := tx.MoveFor(a, inbox.EventStaleAgain, Program, why); err != nil {
		return err
	}
	return k.Notify(tx, "an action was stopped for review", a.Case, a)
}

// AskProof takes a scheduled Action that lacks proof, because what proved it is
// void, back to its question.
func (k *Keeper) AskProof(tx *state.Tx, a *inbox.Action) error {
	if err := tx.Move(a, inbox.EventReprove, Program, nil); err != nil {
		return err
	}
	return k.askOpen(tx, a)
}

// askOpen asks the question of an unconfirmed Action that waits for no answer.
func (k *Keeper) askOpen(tx *state.Tx, a *inbox.Action) error {
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	if k.Rules.Missing(a, digest(a)) == policy.ProofSender || len(a.Detail.Plan.Steps) == 0 {
		return k.claim(tx, m, a.Detail.Address, []*inbox.Action{a})
	}
	return k.confirm(tx, m, []*inbox.Action{a}, nil, templates.Confirm)
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
	const bounced = "its letter bounced"
	if err := k.voidQuestion(tx, r, bounced); err != nil {
		return err
	}
	return k.undelivered(tx, r, "a letter of ours bounced", bounced)
}

// Undelivered takes a letter that was given up: its question is void, and
// staff are told. A letter that may have arrived keeps its question: only
// somebody who has it can answer.
func (k *Keeper) Undelivered(tx *state.Tx, r *inbox.Reply) error {
	if r.Staff {
		return nil
	}
	arrived := slices.ContainsFunc(r.Attempts, func(t inbox.Attempt) bool { return t.Result == "unknown" })
	if !arrived {
		if err := k.voidQuestion(tx, r, notDelivered); err != nil {
			return err
		}
	}
	q, err := tx.AskByReply(r)
	switch {
	case err != nil || q == nil:
	case q.Purpose == state.PurposeNotice:
		err = k.holdUntold(tx, q, "held: the letter that tells of it could not be delivered")
	case q.Expires.IsZero(): // staff have the same time to mend it
		err = k.lapseUnsent(tx, q)
	}
	if err != nil {
		return err
	}
	return k.undelivered(tx, r, "a letter could not be delivered", notDelivered)
}

const notDelivered = "its letter could not be delivered"

// holdUntold holds what the owner could not be told of while they could have
// stopped it, until staff decide.
func (k *Keeper) holdUntold(tx *state.Tx, q *state.Ask, why string) error {
	acts, err := open(tx, q)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if a.State != inbox.StateScheduled || a.StopBy.IsZero() {
			continue
		}
		if err := tx.MoveFor(a, inbox.EventHold, Program, why); err != nil {
			return err
		}
	}
	return nil
}

// lapseUnsent lets the Actions lapse whose question never left.
func (k *Keeper) lapseUnsent(tx *state.Tx, q *state.Ask) error {
	acts, err := open(tx, q)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if a.State == inbox.StateUnconfirmed && a.Expires.IsZero() {
			a.Expires = tx.Now.Add(k.Rules.ConfirmTTL)
			if err := tx.PutAction(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// voidQuestion makes the question that a letter asked worthless.
func (k *Keeper) voidQuestion(tx *state.Tx, r *inbox.Reply, why string) error {
	q, err := tx.AskByReply(r)
	if err != nil || q == nil {
		return err
	}
	if err := tx.VoidAsk(q, why); err != nil || !q.Purpose.Waits() {
		return err
	}
	return goesOn(tx, q)
}

// undelivered shows staff, beside each Action of a letter, why it did not arrive.
func (k *Keeper) undelivered(tx *state.Tx, r *inbox.Reply, what, why string) error {
	acts, err := tx.Actions(r.Actions)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if !a.State.Ended() {
			a.Error = why + " (" + r.ID.String() + ")"
			if err := tx.Note(a, why, Program, nil); err != nil {
				return err
			}
		}
	}
	return k.Notify(tx, what, r.Case, acts...)
}
