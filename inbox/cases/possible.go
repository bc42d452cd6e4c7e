package cases

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// Verb names an act of staff on one Action.
type Verb string

// The verbs.
const (
	Approve             Verb = "approve"
	ApproveWithoutProof Verb = "approve-without-proof"
	Correct             Verb = "correct"
	HandOver            Verb = "hand-over"
	Hold                Verb = "hold"
	Release             Verb = "release"
	Refuse              Verb = "refuse"
	Answer              Verb = "answer"
	Ask                 Verb = "ask"
	Retry               Verb = "retry"
	Undo                Verb = "undo"
	Extend              Verb = "extend"
	Close               Verb = "close"
)

// Verbs lists every verb, in the order in which staff are offered them.
func Verbs() []Verb {
	return []Verb{Approve, ApproveWithoutProof, Correct, HandOver, Hold, Release, Refuse, Answer, Ask, Retry, Undo, Extend, Close}
}

// Possible tells why staff cannot do something about an Action now, nil when
// they can: what they say with it, and what the user store holds, may still be
// in the way.
func (k *Keeper) Possible(tx *state.Tx, a *inbox.Action, v Verb) error {
	switch v {
	case Approve, ApproveWithoutProof:
		return k.approvable(a)
	case Correct:
		return k.correctable(a)
	case HandOver:
		return handable(a)
	case Hold:
		return holdable(a, tx.Now.Add(time.Hour), tx.Now)
	case Release:
		return k.releasable(tx, a)
	case Refuse:
		return k.endable(a, inbox.EventRefuse)
	case Answer:
		return k.writable(a, true)
	case Ask:
		return k.writable(a, false)
	case Retry:
		return errors.Join(can(a, inbox.EventRetry), k.acting())
	case Undo:
		return k.undoable(a)
	case Extend:
		_, err := k.extended(tx, a)
		return err
	case Close:
		return k.endable(a, inbox.EventClose)
	}
	return fmt.Errorf("there is no act %q", v)
}

// endable tells why staff cannot end an Action. One that may have been carried
// out ends once the user store was asked.
func (k *Keeper) endable(a *inbox.Action, e inbox.Event) error {
	if asksFirst(a, e) {
		return k.acting()
	}
	if err := can(a, e); err != nil {
		return err
	}
	if e == inbox.EventRefuse && tellsRefusal(a) {
		return k.acting()
	}
	return nil
}

// tellsRefusal tells whether the person is written to when their Action is
// refused.
func tellsRefusal(a *inbox.Action) bool {
	return a.Evidence > inbox.LevelNone && !a.ForStaff() && a.Detail != nil && a.Detail.Address != ""
}

// correctable tells why staff cannot give an Action another reading.
func (k *Keeper) correctable(a *inbox.Action) error {
	switch {
	case a.Detail == nil || a.Detail.Address == "":
		return fmt.Errorf("%s came from nobody who could be asked: close it", a.ID)
	case k.Rules.Mode == policy.Observe:
		return k.acting()
	case begun(a):
		return fmt.Errorf("%s may have been carried out: while that is not known it can be refused, closed or retried, not corrected", a.ID)
	}
	return can(a, inbox.EventCorrect)
}

// releasable tells why there is nothing to release about an Action.
func (k *Keeper) releasable(tx *state.Tx, a *inbox.Action) error {
	replies, err := tx.CaseReplies(a.Case)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(replies, func(r *inbox.Reply) bool { return r.State == inbox.ReplyHeld }) {
		return k.acting()
	}
	return can(a, inbox.EventRelease)
}

// undoable tells why an Action cannot be taken back.
func (k *Keeper) undoable(a *inbox.Action) error {
	if _, err := Reverse(a); err != nil {
		return err
	}
	if a.Detail.Address == "" {
		return fmt.Errorf("%s came from nobody who could be asked", a.ID)
	}
	return k.acting()
}

// Final tells whether an act of staff cannot be taken back once it has taken
// effect, and why, in words for staff; "" when it can. It is the one table of
// these acts.
func Final(a *inbox.Action, v Verb) string {
	destroys, moves, sends := policy.Irreversible(a), a.Mailto, a.Kind == inbox.KindCopy
	runs := a.HeldFrom == inbox.StateScheduled
	switch {
	case v == ApproveWithoutProof:
		return "it is carried out without the owner's word"
	case v == Refuse:
		return "a refusal cannot be withdrawn"
	case v == Close && a.Kind != inbox.KindQuestion:
		return "what is closed is never carried out, and nobody is told"
	case v != Approve && v != Retry && (v != Release || !runs):
		return ""
	case destroys:
		return "what is deleted nobody can restore"
	case moves:
		return "from then on letters go to the new address"
	case sends:
		return "a copy that was sent cannot be called back"
	}
	return ""
}
