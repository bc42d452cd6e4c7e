package review

import (
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/state"
)

// ActionView is an Action as it is listed to staff and scripts.
type ActionView struct {
	ID       inbox.ActionID `json:"id"`
	Case     inbox.MailID   `json:"case"`
	Kind     inbox.Kind     `json:"kind"`
	Scope    inbox.Scope    `json:"scope,omitempty"`
	Topic    inbox.Topic    `json:"topic,omitempty"`
	Undo     bool           `json:"undo,omitempty"`
	State    inbox.State    `json:"state"`
	Received time.Time      `json:"received"`
	Due      time.Time      `json:"due"`
	Risk     deadline.Risk  `json:"risk"`
	Stands   bool           `json:"stands,omitempty"` // the law's clock, because the person was asked
	Still    bool           `json:"-"`                //  and no limit goes on: Due is what it was before, and cannot be missed
	RunAfter time.Time      `json:"run_after,omitzero"`
	Person   string         `json:"person"`
	Evidence inbox.Level    `json:"evidence"`
	Mailbox  string         `json:"mailbox"`
	Attempts int            `json:"attempts"`
	Error    string         `json:"error"`
	Assignee string         `json:"assignee,omitempty"` // who it was handed over to
	Until    time.Time      `json:"until,omitzero"`     // held, and needs nobody before
}

// ActionDetail is everything about one Action.
type ActionDetail struct {
	ActionView
	Certain    bool                 `json:"certain"`
	Confidence float64              `json:"confidence"`
	Changes    []inbox.Change       `json:"changes,omitempty"`
	Fields     []inbox.Field        `json:"fields,omitempty"`
	Because    []string             `json:"because,omitempty"`
	Plan       inbox.Plan           `json:"plan"`
	Address    string               `json:"address,omitempty"`
	Language   string               `json:"language"`
	Expires    time.Time            `json:"expires,omitzero"`
	Extended   time.Time            `json:"extended,omitzero"`
	Waits      []inbox.Wait         `json:"waits,omitempty"`
	Text       string               `json:"text,omitempty"` // the person's own words
	Why        string               `json:"evidence_why,omitempty"`
	Notes      []string             `json:"notes,omitempty"`
	Replies    []ReplyView          `json:"replies,omitempty"`
	Forgotten  bool                 `json:"forgotten,omitempty"` // the content was kept long enough
	Handed     string               `json:"handed,omitempty"`    // what was written when it was handed over
	Wish       inbox.Event          `json:"wish,omitempty"`      // how it is to end, should the user store say that it was not carried out
	History    []inbox.HistoryEntry `json:"history"`
}

// ReplyView is a letter of a Case.
type ReplyView struct {
	ID       inbox.ReplyID    `json:"id"`
	Letter   string           `json:"letter"`
	State    inbox.ReplyState `json:"state"`
	Created  time.Time        `json:"created"`
	Attempts []inbox.Attempt  `json:"attempts,omitempty"`
	Error    string           `json:"error,omitempty"`
}

// MailView is a Mail as it is listed to staff and scripts.
type MailView struct {
	ID          inbox.MailID     `json:"id"`
	Mailbox     string           `json:"mailbox"`
	UIDValidity uint32           `json:"uidvalidity"`
	UID         uint32           `json:"uid"`
	Received    time.Time        `json:"received"`
	State       inbox.MailState  `json:"state"`
	Reason      string           `json:"reason"`
	Actions     []inbox.ActionID `json:"actions"`
}

// MailDetail is everything about one Mail.
type MailDetail struct {
	MailView
	From     string      `json:"from,omitempty"`
	Name     string      `json:"name,omitempty"` // as the mail gives it
	Subject  string      `json:"subject,omitempty"`
	Text     string      `json:"text,omitempty"`
	Language string      `json:"language,omitempty"`
	Evidence inbox.Level `json:"evidence"`
	Why      string      `json:"evidence_why,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
	Replies  []ReplyView `json:"replies,omitempty"`
}

// Paused is what stands still until staff resume.
type Paused struct {
	Effects  bool `json:"effects"`
	Replies  bool `json:"replies"`
	Restored bool `json:"restored,omitempty"` // because the state is an older copy of itself
}

// String says what is paused and how it ends, or "" when nothing is.
func (p Paused) String() string {
	what := ""
	switch {
	case p.Effects && p.Replies:
		what = "effects and replies are paused"
	case p.Effects:
		what = "effects are paused"
	case p.Replies:
		what = "replies are paused"
	default:
		return ""
	}
	if p.Restored {
		return what + " until \"supportd resume\", and what was open is held: the state was restored from an older copy; look first whether it was done already"
	}
	return what + " until \"supportd resume\""
}

// PausedIn looks at the closed state in a directory, and changes nothing.
//
// After a restore everything is paused from the next opening on.
func PausedIn(dir string) (p Paused, err error) {
	err = state.Peek(dir, func(tx *state.Tx, restored bool) { p = paused(tx, restored) })
	return p, err
}

func paused(tx *state.Tx, restored bool) Paused {
	effects, replies := tx.Paused()
	return Paused{Effects: effects || restored, Replies: replies || restored, Restored: restored}
}

func (d *Desk) view(tx *state.Tx, a *inbox.Action) ActionView {
	v := ActionView{ID: a.ID, Case: a.Case, Kind: a.Kind, Scope: a.Scope, Topic: a.Topic, Undo: a.Undo, State: a.State, Received: a.Received.UTC(), Due: a.Due.UTC(),
		Risk: d.Cases.Risk(a, tx.Now), Evidence: a.Evidence, Mailbox: a.Mailbox, Attempts: a.Attempts, Error: a.Error, Assignee: a.Assignee}
	if !a.Until.IsZero() {
		v.Until = a.Until.UTC()
	}
	if !a.State.Ended() {
		date := d.Cases.Clock.Of(a)
		v.Stands, v.Still = date.Stands, date.Still()
	}
	if a.State == inbox.StateScheduled || a.State == inbox.StateHeld {
		v.RunAfter = a.RunAfter.UTC()
	}
	if a.Detail != nil {
		v.Person, v.Error = a.Detail.Person, note(a)
	}
	return v
}

// note gives what stands beside an Action: of a task, what staff are to do; and
// why staff hold it.
func note(a *inbox.Action) string {
	task, why, held := a.Detail.Task, a.Error, a.Detail.HeldFor
	if task != "" && a.State == inbox.StateReview {
		why = ""
	}
	return strings.Join(slices.DeleteFunc([]string{task, why, held}, func(s string) bool { return s == "" }), "; ")
}

// Label says in one or two words what an Action is: its kind, and more where
// the kind alone does not tell.
func (v ActionView) Label() string {
	switch {
	case v.Undo:
		return reactivate
	case v.Scope != "":
		return string(v.Kind) + " " + string(v.Scope)
	case v.Topic == inbox.TopicTell:
		return string(v.Topic)
	}
	return string(v.Kind)
}

const reactivate = "reactivate"

// Labels lists the kinds, and every Label that is none.
func Labels() []string {
	var out []string
	for _, k := range inbox.Kinds() {
		out = append(out, string(k))
	}
	for _, s := range []inbox.Scope{inbox.ScopeAccount, inbox.ScopeFields} {
		out = append(out, ActionView{Kind: inbox.KindDelete, Scope: s}.Label())
	}
	return append(out, reactivate, string(inbox.TopicTell))
}

// Actions calls f for the Actions in a state ("" for all) of a kind or with a
// Label ("" for all) that were handed over to somebody ("" for whoever), oldest
// first.
func (d *Desk) Actions(s inbox.State, kind, assignee string, f func(ActionView) error) error {
	return d.State.View(func(tx *state.Tx) error {
		var failed error
		err := tx.ActionsIn(s, func(a *inbox.Action) bool {
			if v := d.view(tx, a); (kind == "" || string(v.Kind) == kind || v.Label() == kind) && (assignee == "" || v.Assignee == assignee) {
				failed = f(v)
			}
			return failed == nil
		})
		if failed != nil {
			return failed
		}
		return err
	})
}

// Action gives everything about one Action.
func (d *Desk) Action(id inbox.ActionID) (v ActionDetail, err error) {
	err = d.State.View(func(tx *state.Tx) error {
		a, err := tx.Action(id)
		if err != nil {
			return err
		}
		v = d.actionDetail(tx, a)
		m, err := tx.Mail(a.Case)
		if err != nil {
			return err
		}
		if m.Detail != nil {
			v.Text, v.Why, v.Notes = m.Detail.Text, m.Detail.EvidenceWhy, m.Detail.Notes
		}
		v.Replies, err = replies(tx, a.Case, id)
		return err
	})
	return v, err
}

// actionDetail gives what an Action itself tells.
func (d *Desk) actionDetail(tx *state.Tx, a *inbox.Action) ActionDetail {
	v := ActionDetail{ActionView: d.view(tx, a), Extended: a.Extended, Waits: a.Waits, Certain: a.Certain, Language: a.Language, Expires: a.Expires, History: a.History, Wish: a.Wish, Forgotten: a.Detail == nil}
	if det := a.Detail; det != nil {
		r := det.Request
		v.Confidence, v.Changes, v.Fields, v.Because, v.Plan, v.Address, v.Handed = r.Confidence, r.Changes, r.Fields, r.Because, det.Plan, det.Address, det.Handed
	}
	return v
}

// replies lists the letters of a Case, or only those about one Action.
func replies(tx *state.Tx, c inbox.MailID, only inbox.ActionID) ([]ReplyView, error) {
	all, err := tx.CaseReplies(c)
	return replyViews(slices.DeleteFunc(all, func(r *inbox.Reply) bool {
		return only != 0 && len(r.Actions) > 0 && !slices.Contains(r.Actions, only)
	})), err
}

func replyViews(all []*inbox.Reply) (out []ReplyView) {
	for _, r := range all {
		out = append(out, replyView(r))
	}
	return out
}

func replyView(r *inbox.Reply) ReplyView {
	return ReplyView{ID: r.ID, Letter: r.Name, State: r.State, Created: r.Created, Attempts: r.Attempts, Error: r.Error}
}

func mailView(m *inbox.Mail) MailView {
	v := MailView{ID: m.ID, Mailbox: m.Ref.Mailbox, UIDValidity: m.Ref.UIDValidity, UID: m.Ref.UID, Received: m.Received.UTC(),
		State: m.State, Reason: m.Reason, Actions: m.Actions}
	if v.Actions == nil {
		v.Actions = []inbox.ActionID{}
	}
	return v
}

// Mails calls f for the Mails in a state ("" for all), oldest first.
func (d *Desk) Mails(s inbox.MailState, f func(MailView) error) error {
	return d.State.View(func(tx *state.Tx) error {
		var failed error
		err := tx.MailsIn(s, func(m *inbox.Mail) bool {
			failed = f(mailView(m))
			return failed == nil
		})
		if failed != nil {
			return failed
		}
		return err
	})
}

// Mail gives everything about one Mail.
func (d *Desk) Mail(id inbox.MailID) (v MailDetail, err error) {
	err = d.State.View(func(tx *state.Tx) error {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		letters, err := tx.CaseReplies(id)
		v = mailDetail(m, letters)
		return err
	})
	return v, err
}
