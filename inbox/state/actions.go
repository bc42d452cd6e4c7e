package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/inbox"
)

// NewAction draws the ID of an Action and moves it into its first state by
// the event.
func (tx *Tx) NewAction(a *inbox.Action, e inbox.Event, who string) error {
	n, err := tx.bucket("actions").NextSequence()
	if err != nil {
		return fmt.Errorf("drawing an action ID: %w", err)
	}
	a.ID, a.State = inbox.ActionID(n), inbox.StateNew
	why := ""
	if e == inbox.EventReview {
		why = a.Error
	}
	detail := any(a.Detail)
	if a.ForStaff() { // what the house's key seals in the journal stays for ever
		detail = map[string]string{"why": why}
	}
	return tx.move(a, inbox.HistoryEntry{At: tx.Now, What: string(e), Who: who, Why: why}, e, detail)
}

// Move applies an event to an Action, notes it in history and journal (with
// the detail, which may be nil) and stores the Action. Nothing else changes a
// state. On an *inbox.ErrTransition nothing was changed.
func (tx *Tx) Move(a *inbox.Action, e inbox.Event, who string, detail any) error {
	return tx.move(a, inbox.HistoryEntry{At: tx.Now, What: string(e), Who: who}, e, detail)
}

// MoveFor is Move with a reason in words for staff, which stands beside the
// Action and in its history.
func (tx *Tx) MoveFor(a *inbox.Action, e inbox.Event, who, why string) error {
	before := a.Error
	a.Error = why
	err := tx.move(a, inbox.HistoryEntry{At: tx.Now, What: string(e), Who: who, Why: why}, e, map[string]string{"why": why})
	var impossible *inbox.ErrTransition
	if errors.As(err, &impossible) {
		a.Error = before
	}
	return err
}

func (tx *Tx) move(a *inbox.Action, h inbox.HistoryEntry, e inbox.Event, detail any) error {
	to, err := inbox.Next(a.State, e, a.HeldFrom)
	if err != nil {
		return fmt.Errorf("%s: %w", a.ID, err)
	}
	if to != a.State || e == inbox.EventCorrect {
		a.Answered(tx.Now)
	}
	if err := tx.standStill(a, e, to); err != nil {
		return err
	}
	a.State = to
	if to.Ended() && a.Ended.IsZero() {
		a.Ended = tx.Now
		tx.db.dates(a) // once more, with the waits that its end has closed
	}
	if to.Ended() && a.ForStaff() {
		a.Detail = &inbox.ActionDetail{}
	}
	a.History = append(a.History, h)
	if err := tx.Journal(h.What, h.Who, actionKey(a), a.ID, detail); err != nil {
		return err
	}
	return tx.PutAction(a)
}

// standStill makes ttl and cool-off wait while an Action is held, and the
// questions about it with them.
func (tx *Tx) standStill(a *inbox.Action, e inbox.Event, to inbox.State) error {
	switch {
	case to == inbox.StateHeld:
		a.HeldFrom, a.HeldAt, a.Doubtful = a.State, tx.Now, e == inbox.EventDoubtful
	case a.State == inbox.StateHeld:
		waited := tx.Now.Sub(a.HeldAt)
		if !a.Expires.IsZero() {
			a.Expires = a.Expires.Add(waited)
		}
		if !a.RunAfter.IsZero() {
			a.RunAfter = a.RunAfter.Add(waited)
		}
		if !a.StopBy.IsZero() {
			a.StopBy = a.StopBy.Add(waited)
		}
		a.HeldFrom, a.HeldAt, a.Doubtful, a.Until = inbox.StateNew, time.Time{}, false, time.Time{}
		if a.Detail != nil {
			a.Detail.HeldFor = ""
		}
		return tx.prolongAsks(a, to)
	}
	return nil
}

// Note adds a line to an Action's history and the journal without a change of
// state.
func (tx *Tx) Note(a *inbox.Action, what, who string, detail any) error {
	a.History = append(a.History, inbox.HistoryEntry{At: tx.Now, What: what, Who: who})
	if err := tx.Journal(what, who, actionKey(a), a.ID, detail); err != nil {
		return err
	}
	return tx.PutAction(a)
}

// PutAction stores an Action, and keeps its dates and indexes. Its state must
// not differ from the stored one: Move does that.
func (tx *Tx) PutAction(a *inbox.Action) error {
	tx.db.date(a)
	var state, due, alarm, open []byte
	old, err := tx.storedAction(a.ID)
	switch {
	case err == nil:
		state, due, alarm, open = actionStateKey(old), dueKey(old), alarmKey(old), tx.openKey(old, old.Detail)
	case err != ErrNotFound:
		return err
	}
	if err := tx.reindex("action_states", state, actionStateKey(a)); err != nil {
		return fmt.Errorf("indexing %s: %w", a.ID, err)
	}
	if err := tx.reindex("action_due", due, dueKey(a)); err != nil {
		return fmt.Errorf("indexing %s: %w", a.ID, err)
	}
	if err := tx.reindex("action_deadlines", alarm, alarmKey(a)); err != nil {
		return fmt.Errorf("indexing %s: %w", a.ID, err)
	}
	if err := tx.reindex("action_persons", open, tx.openKey(a, a.Detail)); err != nil {
		return fmt.Errorf("indexing %s: %w", a.ID, err)
	}
	if err := put(tx, "actions", uint64(a.ID), actionKey(a), a, a.Detail); err != nil {
		return err
	}
	tx.noteAction(a)
	before := inbox.StateNew
	if old != nil {
		before = old.State
	}
	return errors.Join(tx.tallyMove("state", string(before), string(a.State)), tx.placeAction(a))
}

// storedAction gives what PutAction compares with; of the detail it has no more
// than the address.
func (tx *Tx) storedAction(id inbox.ActionID) (*inbox.Action, error) {
	if a := tx.actions.recall(tx, "actions", uint64(id)); a != nil {
		return a, nil
	}
	a, d, err := get[inbox.Action, inbox.ActionDetail](tx, "actions", uint64(id), actionKey)
	if err != nil {
		return nil, err
	}
	a.Detail = d
	return a, nil
}

// noteAction notes what is stored of an Action that was read or put.
func (tx *Tx) noteAction(a *inbox.Action) {
	if !tx.tx.Writable() {
		return // nothing is put
	}
	plain := *a
	if a.Detail != nil {
		plain.Detail = &inbox.ActionDetail{Address: a.Detail.Address}
	}
	tx.actions.note(tx, uint64(a.ID), plain)
}

// openKey is under what an open Action is found: the address that answers go
// to, so that it does not matter whether a person is held.
func (tx *Tx) openKey(a *inbox.Action, d *inbox.ActionDetail) []byte {
	if d == nil || a.State.Ended() {
		return nil
	}
	return join(tx.Hash(TieAddress, d.Address), be(uint64(a.ID)))
}

// actionKey gives the Mail under whose key an Action is sealed: its Case, which
// staff's own tasks outlive.
func actionKey(a *inbox.Action) inbox.MailID {
	if a.ForStaff() {
		return house
	}
	return a.Case
}

func actionStateKey(a *inbox.Action) []byte {
	return join([]byte(a.State), []byte{0}, be(uint64(a.ID)))
}

// dueKey says when the queue must look at an Action.
func dueKey(a *inbox.Action) []byte {
	switch a.State {
	case inbox.StateScheduled:
		return join(at(a.RunAfter), be(uint64(a.ID)))
	case inbox.StateUnconfirmed:
		if a.Expires.IsZero() {
			return nil
		}
		return join(at(a.Expires), be(uint64(a.ID)))
	case inbox.StateHeld:
		if a.Until.IsZero() {
			return nil
		}
		return join(at(a.Until), be(uint64(a.ID)))
	}
	return nil
}

// Action reads an Action; ErrNotFound when there is none.
func (tx *Tx) Action(id inbox.ActionID) (*inbox.Action, error) {
	a, d, err := get[inbox.Action, inbox.ActionDetail](tx, "actions", uint64(id), actionKey)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	a.Detail = d
	tx.noteAction(a)
	return a, nil
}

// Actions reads Actions, but for those whose records were dropped: they ended
// long ago.
func (tx *Tx) Actions(ids []inbox.ActionID) ([]*inbox.Action, error) {
	out := make([]*inbox.Action, 0, len(ids))
	for _, id := range ids {
		a, err := tx.Action(id)
		switch {
		case err == nil:
			out = append(out, a)
		case !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	return out, nil
}

// CaseActions reads the Actions of a Case in the order in which they run.
func (tx *Tx) CaseActions(c inbox.MailID) ([]*inbox.Action, error) {
	m, err := tx.storedMail(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	out, err := tx.Actions(m.Actions)
	if err != nil {
		return nil, err
	}
	return inOrder(c, out), nil
}

// CaseStates is CaseActions to look at only, without what is sealed: their
// details are nil.
func (tx *Tx) CaseStates(c inbox.MailID) ([]*inbox.Action, error) {
	m, err := tx.storedMail(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	return tx.StatesOf(m)
}

// StatesOf is CaseStates of a Mail as it is, whether or not that is stored.
func (tx *Tx) StatesOf(m *inbox.Mail) ([]*inbox.Action, error) {
	var out []*inbox.Action
	for _, id := range m.Actions {
		a, err := tx.actionState(id)
		if errors.Is(err, ErrNotFound) {
			continue // its record was dropped
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		out = append(out, a)
	}
	return inOrder(m.ID, out), nil
}

// actionState reads an Action to look at only, without what is sealed. It is not
// noted: PutAction compares with one that has its address.
func (tx *Tx) actionState(id inbox.ActionID) (*inbox.Action, error) {
	a := tx.actions.recall(tx, "actions", uint64(id))
	if a == nil {
		return stored[inbox.Action](tx, "actions", uint64(id))
	}
	a.Detail = nil
	return a, nil
}

// inOrder gives those of some Actions that run in a Case, in the order in which
// they do. A joined Action belongs to the Case that it began in.
func inOrder(c inbox.MailID, acts []*inbox.Action) []*inbox.Action {
	acts = slices.DeleteFunc(acts, func(a *inbox.Action) bool { return a.Case != c })
	slices.SortFunc(acts, func(a, b *inbox.Action) int {
		return cmp.Or(cmp.Compare(a.Order(), b.Order()), cmp.Compare(a.ID, b.ID))
	})
	return acts
}

// OpenActions reads the Actions that have not ended and whose answers go to
// an address.
func (tx *Tx) OpenActions(address string) ([]*inbox.Action, error) {
	var out []*inbox.Action
	var err error
	tx.eachID("action_persons", tx.Hash(TieAddress, address), func(id uint64) bool {
		var a *inbox.Action
		a, err = tx.Action(inbox.ActionID(id))
		if err == nil {
			out = append(out, a)
		}
		return err == nil
	})
	return out, err
}

// DueActions lists Actions that the queue must look at now.
func (tx *Tx) DueActions(limit int) []inbox.ActionID {
	return actionIDs(tx.idsUntil("action_due", tx.Now, limit))
}

// NextDue gives the first time after t at which the queue must look at an
// Action, or zero.
func (tx *Tx) NextDue(t time.Time) time.Time { return tx.firstTime("action_due", t.Add(1)) }

// ActionsIn lists the Actions of a state, oldest first; "" lists all.
func (tx *Tx) ActionsIn(s inbox.State, f func(*inbox.Action) bool) error {
	read := func(id uint64) (bool, error) {
		a, err := tx.Action(inbox.ActionID(id))
		if err != nil {
			return false, err
		}
		return f(a), nil
	}
	var err error
	step := func(id uint64) bool {
		var more bool
		more, err = read(id)
		return more && err == nil
	}
	if s == "" {
		tx.eachID("actions", nil, step)
	} else {
		tx.eachID("action_states", append([]byte(s), 0), step)
	}
	return err
}

// ActionsBack calls f for the IDs of the Actions of a state before the given ID
// (0: the newest are the first), newest first, until it returns false.
func (tx *Tx) ActionsBack(s inbox.State, before inbox.ActionID, f func(inbox.ActionID) bool) {
	tx.eachBack("action_states", append([]byte(s), 0), uint64(before), func(id uint64) bool { return f(inbox.ActionID(id)) })
}

func actionIDs(ids []uint64) []inbox.ActionID {
	out := make([]inbox.ActionID, len(ids))
	for i, id := range ids {
		out[i] = inbox.ActionID(id)
	}
	return out
}

// Effect notes that an irreversible effect was claimed now.
func (tx *Tx) Effect(id inbox.ActionID) error {
	return tx.bucket("effects").Put(join(at(tx.Now), be(uint64(id))), []byte{})
}

// Effects counts the irreversible effects that Actions other than the named
// one have claimed since t, each Action once, and forgets older ones.
func (tx *Tx) Effects(since time.Time, other inbox.ActionID) (int, error) {
	seen := map[uint64]bool{}
	var old [][]byte
	c := tx.bucket("effects").Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if binary.BigEndian.Uint64(k) < uint64(since.UnixNano()) {
			old = append(old, bytes.Clone(k))
			continue
		}
		if id := binary.BigEndian.Uint64(k[8:]); id != uint64(other) {
			seen[id] = true
		}
	}
	for _, k := range old {
		if err := tx.bucket("effects").Delete(k); err != nil {
			return 0, fmt.Errorf("forgetting an effect: %w", err)
		}
	}
	return len(seen), nil
}

// Moved notes that a person's address on record changed now.
func (tx *Tx) Moved(person string) error {
	return tx.bucket("moves").Put(tx.Hash(TiePerson, person), at(tx.Now))
}

// MovedSince tells whether a person's address on record changed after t.
func (tx *Tx) MovedSince(person string, t time.Time) bool {
	v := tx.bucket("moves").Get(tx.Hash(TiePerson, person))
	return v != nil && binary.BigEndian.Uint64(v) > uint64(t.UnixNano())
}
