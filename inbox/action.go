package inbox

import (
	"fmt"
	"slices"
	"time"
)

// ActionID names an Action: A-000123.
type ActionID uint64

// String gives the written form of the ID, with at least six digits.
func (id ActionID) String() string { return fmt.Sprintf("A-%06d", uint64(id)) }

// MarshalText gives the written form of the ID.
func (id ActionID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the written form of the ID.
func (id *ActionID) UnmarshalText(b []byte) error {
	n, err := parseID("A", string(b))
	*id = ActionID(n)
	return err
}

// ParseActionID reads A-000123, with or without leading zeros.
func ParseActionID(s string) (ActionID, error) {
	n, err := parseID("A", s)
	return ActionID(n), err
}

// State is where an Action stands.
type State string

// The states of an Action; the last four are ends.
const (
	StateNew         State = "" // not yet in the queue
	StateReview      State = "review"
	StateUnconfirmed State = "unconfirmed"
	StateHeld        State = "held"
	StateScheduled   State = "scheduled"
	StateRunning     State = "running"
	StateFailed      State = "failed"
	StateDone        State = "done"
	StateCancelled   State = "cancelled"
	StateExpired     State = "expired"
	StateRefused     State = "refused"
)

// States lists every state that an Action can be stored in.
func States() []State {
	return []State{StateReview, StateUnconfirmed, StateHeld, StateScheduled, StateRunning, StateFailed,
		StateDone, StateCancelled, StateExpired, StateRefused}
}

// Ended tells whether nothing more will happen by itself.
func (s State) Ended() bool {
	switch s {
	case StateDone, StateCancelled, StateExpired, StateRefused:
		return true
	}
	return false
}

// Event is something that happens to an Action.
type Event string

// The events. Who may cause one, and on what proof, is decided where it is
// raised; where it leads is decided here.
const (
	EventReview     Event = "review"      // staff must see it first: the reading is not certain, or policy or mode say so
	EventAsk        Event = "ask"         // new or approved: certain, the proof is missing
	EventAccept     Event = "accept"      // new or approved: certain and proved
	EventCorrect    Event = "correct"     // staff correct the reading
	EventYes        Event = "yes"         // the person confirmed
	EventYesReview  Event = "yes-review"  // the person confirmed; policy wants staff to look
	EventNo         Event = "no"          // the person said no, or stop, with proof
	EventDoubtful   Event = "doubtful"    // a stop that nobody proved
	EventExpire     Event = "expire"      // nobody answered in time
	EventAskAgain   Event = "ask-again"   // a yes came after the end; asked anew, once
	EventHold       Event = "hold"        // staff hold
	EventRelease    Event = "release"     // staff release: back where it was
	EventBrake      Event = "brake"       // too many irreversible effects in an hour
	EventReprove    Event = "reprove"     // the person's address changed: earlier proof is void
	EventStart      Event = "start"       // due
	EventDone       Event = "done"        // carried out
	EventLater      Event = "later"       // failed for the moment
	EventFail       Event = "fail"        // failed for good
	EventStale      Event = "stale"       // the data changed since they were shown; asked again
	EventStaleAgain Event = "stale-again" // and once more: staff
	EventRetry      Event = "retry"       // staff retry
	EventRefuse     Event = "refuse"      // staff refuse, with a reason
	EventAnswer     Event = "answer"      // staff answered in writing
	EventClose      Event = "close"       // staff close without an answer
)

// Events lists every event.
func Events() []Event {
	return []Event{EventReview, EventAsk, EventAccept, EventCorrect, EventYes, EventYesReview, EventNo, EventDoubtful,
		EventExpire, EventAskAgain, EventHold, EventRelease, EventBrake, EventReprove, EventStart, EventDone,
		EventLater, EventFail, EventStale, EventStaleAgain, EventRetry, EventRefuse, EventAnswer, EventClose}
}

// back stands for the state that a held Action came from.
const back State = "(back)"

// transitions is the whole table; what it does not name cannot happen.
var transitions = map[State]map[Event]State{
	StateNew: {
		EventReview: StateReview,
		EventAsk:    StateUnconfirmed,
		EventAccept: StateScheduled,
	},
	StateReview: {
		EventAsk:     StateUnconfirmed,
		EventAccept:  StateScheduled,
		EventCorrect: StateUnconfirmed,
		EventHold:    StateHeld,
		EventNo:      StateCancelled,
		EventRefuse:  StateRefused,
		EventAnswer:  StateDone,
		EventClose:   StateCancelled,
	},
	StateUnconfirmed: {
		EventCorrect:   StateUnconfirmed,
		EventYes:       StateScheduled,
		EventYesReview: StateReview,
		EventNo:        StateCancelled,
		EventExpire:    StateExpired,
		EventHold:      StateHeld,
		EventRefuse:    StateRefused,
		EventReview:    StateReview,
		EventClose:     StateCancelled,
	},
	StateHeld: {
		EventRelease: back,
		EventCorrect: StateUnconfirmed,
		EventNo:      StateCancelled,
		EventRefuse:  StateRefused,
		EventAnswer:  StateDone,
		EventClose:   StateCancelled,
	},
	StateScheduled: {
		EventCorrect:  StateUnconfirmed,
		EventNo:       StateCancelled,
		EventDoubtful: StateHeld,
		EventHold:     StateHeld,
		EventBrake:    StateReview,
		EventReprove:  StateUnconfirmed,
		EventStart:    StateRunning,
		EventRefuse:   StateRefused,
		EventClose:    StateCancelled,
	},
	StateRunning: {
		EventDone:       StateDone,
		EventLater:      StateScheduled,
		EventFail:       StateFailed,
		EventStale:      StateUnconfirmed,
		EventStaleAgain: StateReview,
	},
	StateFailed: {
		EventRetry:   StateScheduled,
		EventCorrect: StateUnconfirmed,
		EventNo:      StateCancelled,
		EventRefuse:  StateRefused,
		EventClose:   StateCancelled,
	},
	StateExpired: {
		EventAskAgain: StateUnconfirmed,
	},
}

// ErrTransition says that an event cannot happen to an Action in its state.
type ErrTransition struct {
	State State
	Event Event
}

// Error names the state and the event.
func (e *ErrTransition) Error() string {
	return fmt.Sprintf("an action in state %q takes no %q", e.State, e.Event)
}

// Next gives the state that the event leads to. A held Action remembers where
// it came from in heldFrom; other states ignore it.
func Next(from State, e Event, heldFrom State) (State, error) {
	to, ok := transitions[from][e]
	if !ok {
		return from, &ErrTransition{from, e}
	}
	if to == back {
		if heldFrom == StateNew {
			return from, &ErrTransition{from, e}
		}
		to = heldFrom
	}
	return to, nil
}

// Action is a Request accepted into the queue.
type Action struct {
	ID          ActionID       `json:"id"`
	Case        MailID         `json:"case"`
	Kind        Kind           `json:"kind"`
	Scope       Scope          `json:"scope,omitempty"`
	Topic       Topic          `json:"topic,omitempty"`
	Undo        bool           `json:"undo,omitempty"`   // of a deactivate: reactivate the account
	Mailto      bool           `json:"mailto,omitempty"` // changes the address on record
	State       State          `json:"state"`
	HeldFrom    State          `json:"held_from,omitempty"`
	HeldAt      time.Time      `json:"held_at,omitzero"`
	Until       time.Time      `json:"until,omitzero"`     // held: put off until then, when it needs a person again
	Assignee    string         `json:"assignee,omitempty"` // of the staff, who it was handed over to
	Mailbox     string         `json:"mailbox"`
	Language    string         `json:"language"`
	Received    time.Time      `json:"received"`
	Due         time.Time      `json:"due"`                // when the law wants it answered
	RunAfter    time.Time      `json:"run_after,omitzero"` // end of the cool-off, or of the wait after a failure
	Expires     time.Time      `json:"expires,omitzero"`   // unconfirmed: when the question lapses
	Ended       time.Time      `json:"ended,omitzero"`
	Evidence    Level          `json:"evidence"`
	Certain     bool           `json:"certain"`
	Approved    bool           `json:"approved,omitempty"`     // staff judged the reading; the proof is another matter
	Proved      string         `json:"proved,omitempty"`       // digest of the diff that the owner confirmed; "" until then
	OldYes      bool           `json:"old_yes,omitempty"`      // change of address: the old address agreed
	Reviewed    bool           `json:"reviewed,omitempty"`     // approved after the proof was there
	Released    bool           `json:"released,omitempty"`     // an act of staff lets the next letter about it go, and no other
	StopBy      time.Time      `json:"stop_by,omitzero"`       // end of the cool-off: it runs only when mail up to then was read
	HeldBy      ActionID       `json:"held_by,omitempty"`      // the failed Action of its Case that it is held for
	StopChecked bool           `json:"stop_checked,omitempty"` // the owner said that a doubtful stop was not theirs
	Doubtful    bool           `json:"doubtful,omitempty"`     // held for a doubtful stop: the owner's word lets it go on
	Protected   bool           `json:"protected,omitempty"`    // its person was protected when it was looked at first: see cases.Guards
	Warned      bool           `json:"warned,omitempty"`       // staff were told that it waits for mail to be read
	Again       int            `json:"again,omitempty"`        // how often the question was asked once more
	Stale       int            `json:"stale,omitempty"`        // how often the data had changed when it was to run
	Attempts    int            `json:"attempts"`
	Begun       string         `json:"begun,omitempty"`     // effect key of an attempt that may have been carried out
	Wish        Event          `json:"wish,omitempty"`      // how it is to end, should the user store say that it was not
	WishedBy    string         `json:"wished_by,omitempty"` // who wants that
	Reported    bool           `json:"reported,omitempty"`  // the person was told the end
	Error       string         `json:"error,omitempty"`     // why it waits or failed; for staff, never personal
	History     []HistoryEntry `json:"history"`

	// What its clock depends on beside Received, and what staff were told of it.
	Confirmed    time.Time `json:"confirmed,omitzero"`    // arrival of the person's last yes
	Acknowledged time.Time `json:"acknowledged,omitzero"` // when a first letter of its Case left
	Extended     time.Time `json:"extended,omitzero"`     // when staff extended it, once
	Waits        []Wait    `json:"waits,omitempty"`       // when the person was asked
	Stands       bool      `json:"stands,omitempty"`      // its clock stands and no limit goes on, so that Due is what it was before; of what has ended: so it stood
	Alarm        time.Time `json:"alarm,omitzero"`        // when staff must hear of its Due; kept by the state
	Alarmed      Alarmed   `json:"alarmed,omitempty"`     // what they have heard of it

	// Detail is sealed under the key of the Case, and nil once that was dropped. Of
	// what is ForStaff it is sealed under the house's, and goes when it has ended.
	Detail *ActionDetail `json:"-"`
}

// Wait is a time in which we waited for the person to answer a question about
// an Action.
type Wait struct {
	For  WaitFor   `json:"for"`
	From time.Time `json:"from"`        // when the letter that asks had left
	To   time.Time `json:"to,omitzero"` // arrival of the answer, or whatever ended the question; zero: it is still open
}

// WaitFor says what the person was asked for.
type WaitFor string

// What people are asked for.
const (
	WaitProof WaitFor = "proof" // a yes: the request is theirs, and this is what they want
	WaitWords WaitFor = "words" // the answer to a question of staff
)

// Alarmed says what staff were told about the Due of an Action.
type Alarmed string

// What staff can have been told.
const (
	AlarmedNot  Alarmed = ""
	AlarmedSoon Alarmed = "soon"
	AlarmedLate Alarmed = "late"
)

// Asked notes that a letter which asks the person has left. What they are asked
// for already is not asked for twice.
func (a *Action) Asked(what WaitFor, at time.Time) {
	for _, w := range a.Waits {
		if w.For == what && w.To.IsZero() {
			return
		}
	}
	a.Waits = append(a.Waits, Wait{For: what, From: at})
}

// Answered notes that what the person was asked for is not waited for any more;
// without what, nothing is. An answer that came to the server before our letter
// had left by our own clock took no time.
func (a *Action) Answered(at time.Time, what ...WaitFor) {
	for i, w := range a.Waits {
		if !w.To.IsZero() || len(what) > 0 && !slices.Contains(what, w.For) {
			continue
		}
		a.Waits[i].To = at
		if at.Before(w.From) {
			a.Waits[i].To = w.From
		}
	}
}

// HistoryEntry is one line of an Action's history.
type HistoryEntry struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
	Who  string    `json:"who"`
	Why  string    `json:"why,omitempty"` // in words for staff; never personal
}

// ActionDetail is the part of an Action that is personal.
type ActionDetail struct {
	Person  string   `json:"person,omitempty"` // user store id; "" while nobody is found
	Address string   `json:"address"`          // where answers go: the address on record, else the single From
	Request Request  `json:"request"`
	Plan    Plan     `json:"plan"`
	Reason  string   `json:"reason,omitempty"`   // code of why it was refused by the data, for the person's letter
	Words   string   `json:"words,omitempty"`    // staff's own words about it, for the person's letter
	Reading []string `json:"reading,omitempty"`  // earlier readings that staff corrected
	Hold    []string `json:"hold,omitempty"`     // for staff: why it is in review
	Task    string   `json:"task,omitempty"`     // what staff are to do; see Action.ForStaff
	HeldFor string   `json:"held_for,omitempty"` // why staff hold it, in their words
	Handed  string   `json:"handed,omitempty"`   // what staff wrote when they handed it over
}

// ForStaff tells whether an Action is a task that the program sets staff, about
// nothing of the person but their ID. Nobody asked for it and no letter tells of
// it; nothing of its Case waits for it, and it outlives what the Case holds.
func (a *Action) ForStaff() bool { return a.Kind == KindQuestion && a.Topic == TopicTell }

// Order is the place of an Action in its Case: what only reads comes before
// what changes, the address on record after the other fields, so that their
// confirmation still reaches it, and what destroys comes last.
func (a *Action) Order() int {
	n := 2 * a.Kind.Order()
	if a.Mailto {
		n++
	}
	return n
}

// EffectKey gives the key under which the user store remembers the effect of
// an Action: instance and epoch are the state's own.
func EffectKey(instance string, epoch uint64, id ActionID) string {
	return fmt.Sprintf("%s-%d-%s", instance, epoch, id)
}
