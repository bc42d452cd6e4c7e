package cases

import (
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// Stoppable tells whether something of a sender's waits for the end of its
// cool-off.
func (k *Keeper) Stoppable(tx *state.Tx, s Sender) (bool, error) {
	acts, err := stoppable(tx, s)
	return len(acts) > 0, err
}

// StoppableSince tells whether something that a sender can stop was asked for
// after t.
func (k *Keeper) StoppableSince(tx *state.Tx, s Sender, t time.Time) (bool, error) {
	acts, err := stoppable(tx, s)
	return slices.ContainsFunc(acts, func(a *inbox.Action) bool { return a.Received.After(t) }), err
}

// stoppable gives what waits for the end of its cool-off, also while it is held,
// and what has just begun.
func stoppable(tx *state.Tx, s Sender) ([]*inbox.Action, error) {
	acts, err := tx.OpenActions(s.onRecord())
	return stoppableOf(acts), err
}

// stoppableOf gives those of some Actions that can be stopped.
func stoppableOf(acts []*inbox.Action) []*inbox.Action {
	return slices.DeleteFunc(acts, func(a *inbox.Action) bool {
		waits := a.State == inbox.StateScheduled || a.State == inbox.StateRunning || a.HeldFrom == inbox.StateScheduled
		return a.StopBy.IsZero() || !waits
	})
}

// Stop takes what a mail says against what waits for the end of its cool-off. A
// plain stop from a proved sender cancels what it is about and nothing else.
// Anything less holds it, because that can be taken back, and asks the owner.
// heard is false when there was nothing to stop.
func (k *Keeper) Stop(tx *state.Tx, m *inbox.Mail, s Sender, says inbox.Stop) (heard bool, err error) {
	acts, err := stoppable(tx, s)
	if err != nil || says == inbox.StopNone || len(acts) == 0 {
		return false, err
	}
	if meant := meant(acts, says); len(meant) > 0 && s.Evidence.Level > inbox.LevelNone {
		m.Actions = appendNew(m.Actions, ids(meant))
		err = k.noToAll(tx, m, s, meant)
	} else {
		err = k.doubtful(tx, m, s, acts)
	}
	if err != nil {
		return true, err
	}
	return true, k.settle(tx, m)
}

// stopDelete cancels the deletes that wait, and nothing else.
func (k *Keeper) stopDelete(tx *state.Tx, m *inbox.Mail, s Sender) error {
	acts, err := stoppable(tx, s)
	if err != nil {
		return err
	}
	if acts = meant(acts, inbox.StopDelete); len(acts) == 0 {
		return nil
	}
	m.Actions = appendNew(m.Actions, ids(acts))
	return k.noToAll(tx, m, s, acts)
}

// meant gives those Actions that a plain stop is about.
func meant(acts []*inbox.Action, says inbox.Stop) []*inbox.Action {
	return slices.DeleteFunc(slices.Clone(acts), func(a *inbox.Action) bool {
		return says != inbox.StopAll && (says != inbox.StopDelete || a.Kind != inbox.KindDelete)
	})
}

// Doubtful holds what a no from somebody who is not proved yet would end, so
// that it does not run before the proof is in.
func (k *Keeper) Doubtful(tx *state.Tx, m *inbox.Mail, s Sender) error {
	acts, err := tx.OpenActions(s.onRecord())
	if err != nil {
		return err
	}
	return k.doubtful(tx, m, s, acts)
}

// doubt says why a stop is not enough to cancel anything, in the words that
// stand on record.
type doubt struct {
	who    string
	action string // beside the Action
	staff  string // in the notice to staff
	mail   string // beside the Mail
}

// doubtOf gives the doubt about a stop: nobody has proved it, or its words only
// may mean it.
func doubtOf(who string) doubt {
	if who == Claimant {
		return doubt{who: who, action: "somebody without proof asked to stop it", staff: "somebody without proof asked to stop an action; it is held",
			mail: "a stop without proof: held, and the owner was asked"}
	}
	return doubt{who: who, action: "it may be asked to stop", staff: "a mail may ask to stop an action; it is held",
		mail: "it may ask to stop something: held, and the owner was asked"}
}

// doubtful takes a stop that is in doubt: what would run is held, and the owner
// is asked whether to go on.
func (k *Keeper) doubtful(tx *state.Tx, m *inbox.Mail, s Sender, acts []*inbox.Action) error {
	d := doubtOf(s.who())
	for _, id := range casesOf(acts) {
		held, err := k.holdAll(tx, m, d, ofCase(acts, id))
		if err != nil {
			return err
		}
		if len(held) == 0 {
			continue
		}
		m.Actions = appendNew(m.Actions, ids(held))
		if err := k.checkStop(tx, held, m, d); err != nil {
			return err
		}
	}
	switch {
	case d.who == Claimant:
		Mark(m, inbox.MailIgnored, "a no without proof, and nothing to hold for it")
	case slices.ContainsFunc(acts, func(a *inbox.Action) bool { return a.Doubtful }):
		Mark(m, inbox.MailAsked, "it may ask to stop something that is held, and the owner was asked")
	}
	return nil
}

// holdAll holds what would run, and gives it. About stops without proof the
// owner is asked once.
func (k *Keeper) holdAll(tx *state.Tx, m *inbox.Mail, d doubt, acts []*inbox.Action) (held []*inbox.Action, err error) {
	for _, a := range acts {
		unasked, err := unasked(tx, a)
		switch {
		case err != nil:
		case unasked:
			held = append(held, a)
		case a.State == inbox.StateHeld && !a.Doubtful && d.who != Claimant:
			m.Actions = appendNew(m.Actions, []inbox.ActionID{a.ID})
			err = tx.Note(a, d.action+", in "+m.ID.String(), d.who, nil) // staff hold it, and see this beside it
		case a.State == inbox.StateRunning && d.who != Claimant:
			err = k.doubtBegun(tx, m, a, d)
		case a.State != inbox.StateScheduled:
		case a.StopChecked && d.who == Claimant:
			err = noteFew(tx, m, a, "another stop without proof")
		case begun(a):
			err = k.doubtBegun(tx, m, a, d)
		default:
			err = k.holdDoubtful(tx, a, d, ", in "+m.ID.String())
			held = append(held, a)
		}
		if err != nil {
			return nil, err
		}
	}
	return held, nil
}

// unasked tells whether an Action is held by a stop in doubt about which nobody
// could be asked when it came.
func unasked(tx *state.Tx, a *inbox.Action) (bool, error) {
	if a.State != inbox.StateHeld || !a.Doubtful {
		return false, nil
	}
	asks, err := tx.CaseAsks(a.Case)
	return !slices.ContainsFunc(asks, func(q *state.Ask) bool {
		return q.Purpose == state.PurposeStop && !q.Used && q.Void == "" && slices.Contains(q.Actions, a.ID)
	}), err
}

// fewNotes is how often the history of an Action says the same of mails that
// anybody can send; each of them has its own record.
const fewNotes = 3

// noteFew notes beside an Action what a mail without proof brought.
func noteFew(tx *state.Tx, m *inbox.Mail, a *inbox.Action, what string) error {
	n := 0
	for _, h := range a.History {
		if strings.HasPrefix(h.What, what) {
			n++
		}
	}
	if n >= fewNotes {
		return nil
	}
	return tx.Note(a, what+", in "+m.ID.String(), Claimant, nil)
}

func (k *Keeper) holdDoubtful(tx *state.Tx, a *inbox.Action, d doubt, where string) error {
	a.Released = false
	return tx.MoveFor(a, inbox.EventDoubtful, d.who, d.action+where)
}

// checkStop asks the owner whether to stop or to go on with Actions of a Case
// that are held, and tells staff. of is the mail that asked for it, if it is
// the one to be decided about.
func (k *Keeper) checkStop(tx *state.Tx, held []*inbox.Action, of *inbox.Mail, d doubt) error {
	cm, err := tx.Mail(held[0].Case)
	if err != nil {
		return err
	}
	l := letter{name: templates.StopCheck, mail: cm, to: held[0].Detail.Address, actions: held, data: templates.Data{Items: k.items(held)}}
	if of != nil {
		l.of, l.ends, l.reason = of, inbox.MailAsked, d.mail
	}
	if err := k.ask(tx, state.PurposeStop, l); err != nil {
		return err
	}
	return k.Notify(tx, d.staff, cm.ID, held...)
}

// HoldBack holds what a stop is about, or may be about, when nobody may be
// written to, until staff decide. What nobody has proved holds as a stop in
// doubt does, so that the owner can still be asked about the next, and holds an
// Action once. held is false when nothing would run.
func (k *Keeper) HoldBack(tx *state.Tx, m *inbox.Mail, s Sender, says inbox.Stop, where string) (held bool, err error) {
	acts, err := stoppable(tx, s)
	if err != nil {
		return false, err
	}
	if named := meant(acts, says); len(named) > 0 {
		acts = named
	}
	acts = slices.DeleteFunc(acts, func(a *inbox.Action) bool {
		return a.State != inbox.StateScheduled || s.who() == Claimant && (a.StopChecked || doubted(a))
	})
	if len(acts) == 0 {
		return false, nil
	}
	m.Actions = appendNew(m.Actions, ids(acts))
	event := inbox.EventHold
	if s.who() == Claimant {
		event = inbox.EventDoubtful
	}
	for _, a := range acts {
		a.Released = false
		if err := tx.MoveFor(a, event, s.who(), "it is asked to stop, in "+m.ID.String()+", "+where); err != nil {
			return false, err
		}
	}
	return true, k.Notify(tx, "a mail asks to stop an action ("+where+"); it is held", m.ID, acts...)
}

// doubted tells whether an Action was held by a stop without proof before.
func doubted(a *inbox.Action) bool {
	return slices.ContainsFunc(a.History, func(h inbox.HistoryEntry) bool { return h.What == string(inbox.EventDoubtful) && h.Who == Claimant })
}

// FromElsewhere takes what a mail says against the Actions of a question whose
// token it carries, although it is not from whom we asked: the token is neither
// accepted nor used up. Who has it may be the owner all the same, at another
// address, so a stop is one without proof.
func (k *Keeper) FromElsewhere(tx *state.Tx, m *inbox.Mail, q *state.Ask, says inbox.Stop) error {
	m.Actions = appendNew(m.Actions, q.Actions)
	acts, err := open(tx, q)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if err := noteFew(tx, m, a, "its token came from elsewhere"); err != nil {
			return err
		}
	}
	if acts = stoppableOf(acts); says == inbox.StopNone || len(acts) == 0 {
		return nil
	}
	return k.doubtful(tx, m, Sender{}, acts)
}

// TakeBack ends what a mail had suggested to staff, because the mail is taken
// anew. ok is false, and nothing is ended, when staff have dealt with it.
func (k *Keeper) TakeBack(tx *state.Tx, m *inbox.Mail) (ok bool, err error) {
	acts, err := tx.CaseActions(m.ID)
	if err != nil || slices.ContainsFunc(acts, func(a *inbox.Action) bool { return a.State != inbox.StateReview }) {
		return false, err
	}
	for _, a := range acts {
		a.Reported = true
		if err := tx.MoveFor(a, inbox.EventClose, Program, "its mail is taken anew, from where it was moved to"); err != nil {
			return false, err
		}
	}
	return true, nil
}
