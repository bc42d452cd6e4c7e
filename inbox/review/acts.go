package review

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// Act is something that staff do about an Action.
type Act struct {
	Verb       cases.Verb     `json:"verb"`
	Action     inbox.ActionID `json:"action"`
	Text       string         `json:"text,omitempty"`      // of a letter: answer, ask
	Reason     string         `json:"reason,omitempty"`    // refuse, close, extend, approve without proof; may be "" of hold and hand over
	To         string         `json:"to,omitempty"`        // hand over: a name; "": to nobody
	Until      time.Time      `json:"until,omitzero"`      // hold; zero: it still needs a person
	OnRecord   string         `json:"on_record,omitempty"` // ask: the address on record that is asked, too
	Correction Correction     `json:"correction,omitzero"` // correct
	Confirm    string         `json:"confirm,omitempty"`   // the case number, typed, of what cannot be taken back
}

// Done is what came of an Act.
type Done struct {
	State inbox.State    `json:"state"`          // of the Action
	Told  bool           `json:"told,omitempty"` // of a refusal: the person is written to
	Undo  inbox.ActionID `json:"undo,omitempty"` // the Action that takes another back
}

// The rights that acts and reads need; the table of who has them is in package
// staff.
const (
	rightAct     staff.Right = "act"
	rightApprove staff.Right = "approve"
)

// needs gives the right that an act takes. On somebody who is protected what
// lets an Action go on, and what cannot be taken back, is for approvers.
func needs(a *inbox.Action, v cases.Verb, protected bool) staff.Right {
	switch {
	case v == cases.ApproveWithoutProof:
		return rightApprove
	case protected && (v == cases.Approve || v == cases.Correct || cases.Final(a, v) != ""):
		return rightApprove
	}
	return rightAct
}

// may checks the right that an act takes of somebody, and writes into the
// journal that they were denied.
func (d *Desk) may(ctx context.Context, actor Actor, act Act, what string) error {
	least := needs(&inbox.Action{}, act.Verb, false)
	if err := d.admit(ctx, actor, least, what, act.Action); err != nil || least == rightApprove {
		return err
	}
	var a *inbox.Action
	err := d.State.View(func(tx *state.Tx) (err error) { a, err = tx.Action(act.Action); return err })
	if err != nil {
		return err
	}
	protected := a.Protected
	if !protected && needs(a, act.Verb, true) != least && a.Detail != nil && a.Detail.Address != "" {
		people, err := d.People.Find(ctx, a.Detail.Address)
		if err != nil {
			return fmt.Errorf("looking the person of %s up: %w", act.Action, err)
		}
		protected = slices.ContainsFunc(people, d.Cases.Guards.Protect)
	}
	return d.admit(ctx, actor, needs(a, act.Verb, protected), what, act.Action)
}

// ErrConfirm says that an act cannot be taken back, and that its Case was not
// typed with it.
var ErrConfirm = errors.New("it cannot be taken back: type the number of the case")

// Do carries out an act of somebody of the staff, after the gate: their role
// must have the right, and of what cannot be taken back ([cases.Final]) Confirm
// must be the number of the Case; else it is ErrDenied or ErrConfirm.
func (d *Desk) Do(ctx context.Context, actor Actor, act Act) (Done, error) {
	if err := d.may(ctx, actor, act, string(act.Verb)); err != nil {
		return Done{}, err
	}
	if err := d.confirmed(act); err != nil {
		return Done{}, err
	}
	return d.perform(ctx, actor.Name, act)
}

// confirmed tells whether what cannot be taken back was confirmed.
func (d *Desk) confirmed(act Act) error {
	return d.State.View(func(tx *state.Tx) error {
		a, err := tx.Action(act.Action)
		if err != nil {
			return err
		}
		why := cases.Final(a, act.Verb)
		if typed, err := inbox.ParseMailID(strings.TrimSpace(act.Confirm)); why != "" && (err != nil || typed != a.Case) {
			return fmt.Errorf("%s of %s: %s: %w", act.Verb, act.Action, why, ErrConfirm)
		}
		return nil
	})
}

func (d *Desk) do(ctx context.Context, who string, act Act) error {
	_, err := d.perform(ctx, who, act)
	return err
}

// perform looks up what an act needs, and runs it in one transaction.
func (d *Desk) perform(ctx context.Context, who string, act Act) (done Done, err error) {
	r, err := d.ready(ctx, act)
	if err != nil {
		return done, err
	}
	err = d.State.Update(ctx, string(act.Verb), func(tx *state.Tx) error { done, err = r.run(tx, who); return err })
	if err != nil {
		return Done{}, err
	}
	d.Config.Log.Info("review: "+string(act.Verb), "action", act.Action.String())
	d.Changed()
	return done, nil
}

// readied is an act with what it needs of the user store.
type readied struct {
	*Desk
	act    Act
	people []users.Person // whose address on record letters about it go to
	owner  *users.Person  // of an ask: who has the other address on record
}

// ready checks what was said with an act, and looks people up.
func (d *Desk) ready(ctx context.Context, act Act) (*readied, error) {
	if err := d.sound(ctx, act); err != nil {
		return nil, err
	}
	var found *inbox.Action
	err := d.State.View(func(tx *state.Tx) (err error) { found, err = tx.Action(act.Action); return err })
	if err != nil {
		return nil, err
	}
	r := &readied{Desk: d, act: act}
	if found.Detail != nil && found.Detail.Address != "" {
		if r.people, err = d.People.Find(ctx, found.Detail.Address); err != nil {
			return nil, fmt.Errorf("looking the person of %s up: %w", act.Action, err)
		}
	}
	if act.OnRecord == "" {
		return r, nil
	}
	owners, err := d.People.Find(ctx, act.OnRecord)
	switch {
	case err != nil:
		return nil, fmt.Errorf("looking the address on record up: %w", err)
	case len(owners) != 1:
		return nil, fmt.Errorf("%d people have that address on record, it takes exactly one: nobody was asked", len(owners))
	}
	r.owner = &owners[0]
	return r, nil
}

// longest is how many bytes staff's words may have.
const longest = 64 << 10

// staffName is what the name of somebody of the staff looks like.
var staffName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$`)

// sound tells what is wrong with what was said with an act.
func (d *Desk) sound(ctx context.Context, act Act) error {
	said := func(s string) bool { return strings.TrimSpace(s) != "" }
	switch v := act.Verb; {
	case len(act.Text) > longest || len(act.Reason) > longest:
		return fmt.Errorf("the text is longer than %d bytes", longest)
	case v == cases.Refuse && !said(act.Reason):
		return errors.New("a refusal needs a reason: the person is told it")
	case v == cases.Close && !said(act.Reason):
		return errors.New("closing needs a reason, for the journal")
	case v == cases.ApproveWithoutProof && !said(act.Reason):
		return errors.New("an approval without proof needs a reason, for the journal")
	case v == cases.Extend && !said(act.Reason):
		return errors.New("an extension needs a reason: the person is told it")
	case (v == cases.Answer || v == cases.Ask) && !said(act.Text):
		return errors.New("there is no text to send")
	case v == cases.Hold && !act.Until.IsZero() && !said(act.Reason):
		return errors.New("holding until a date needs a reason, for whoever looks then")
	case v == cases.HandOver && act.To != "" && !staffName.MatchString(act.To):
		return fmt.Errorf("%q is no name of somebody of the staff", act.To)
	case v == cases.HandOver && act.To != "" && d.Knows != nil && !d.Knows(ctx, act.To):
		return fmt.Errorf("nobody of the staff has the name %q", act.To)
	}
	return nil
}

// run does it.
func (r *readied) run(tx *state.Tx, who string) (done Done, err error) {
	a, err := tx.Action(r.act.Action)
	if err != nil {
		return done, err
	}
	switch act, k := r.act, r.Cases; act.Verb {
	case cases.Approve:
		err = k.Approve(tx, a, r.people, who)
	case cases.ApproveWithoutProof:
		err = k.ApproveWithoutProof(tx, a, r.people, who, act.Reason)
	case cases.Correct:
		err = r.correct(tx, a, who)
	case cases.HandOver:
		err = k.HandOver(tx, a, who, act.To, act.Reason)
	case cases.Hold:
		err = k.Hold(tx, a, who, act.Reason, act.Until)
	case cases.Release:
		err = k.Release(tx, a, r.people, who)
	case cases.Refuse:
		done.Told, err = k.Refuse(tx, a, who, act.Reason)
	case cases.Answer:
		err = k.Reply(tx, a, who, act.Text, true)
	case cases.Ask:
		err = r.ask(tx, a, who)
	case cases.Retry:
		err = k.Retry(tx, a, who)
	case cases.Undo:
		done.Undo, err = r.undo(tx, a, who)
	case cases.Extend:
		err = k.Extend(tx, a, who, act.Reason)
	case cases.Close:
		err = k.Close(tx, a, who, act.Reason)
	default:
		err = fmt.Errorf("there is no act %q", act.Verb)
	}
	if err != nil {
		return Done{}, err
	}
	after, err := tx.Action(r.act.Action)
	if err == nil {
		done.State = after.State
	}
	return done, err
}

func (r *readied) correct(tx *state.Tx, a *inbox.Action, who string) error {
	q, err := r.act.Correction.request(a, r.Region)
	if err != nil {
		return err
	}
	if err := r.possible(q); err != nil {
		return err
	}
	return r.Cases.Correct(tx, a, q, r.people, who)
}

func (r *readied) ask(tx *state.Tx, a *inbox.Action, who string) error {
	if err := r.Cases.Reply(tx, a, who, r.act.Text, false); err != nil || r.owner == nil {
		return err
	}
	return r.Cases.AskOnRecord(tx, a, *r.owner, who, r.act.Text)
}

func (r *readied) undo(tx *state.Tx, a *inbox.Action, who string) (inbox.ActionID, error) {
	b, err := r.Cases.Undo(tx, a, r.people, who)
	if err != nil {
		return 0, err
	}
	return b.ID, nil
}

// Preview is what an act would do.
type Preview struct {
	Done
	Letters []LetterView `json:"letters"`         // that it would send, or hold
	Final   string       `json:"final,omitempty"` // why it could not be taken back, "" when it could
}

// LetterView is a letter as its reader gets it.
type LetterView struct {
	To      string           `json:"to"`
	Subject string           `json:"subject"` // without the mark that tells answers apart
	Text    string           `json:"text"`
	State   inbox.ReplyState `json:"state"` // due, or held and why
	Error   string           `json:"error,omitempty"`
}

// Preview shows what an act would do and which letters it would send, by doing
// it in a transaction of which nothing stays.
func (d *Desk) Preview(ctx context.Context, actor Actor, act Act) (p Preview, err error) {
	if err := d.may(ctx, actor, act, "preview of "+string(act.Verb)); err != nil {
		return p, err
	}
	r, err := d.ready(ctx, act)
	if err != nil {
		return p, err
	}
	err = d.State.Try(func(tx *state.Tx) error { p, err = r.preview(tx, actor.Name); return err })
	return p, err
}

func (r *readied) preview(tx *state.Tx, who string) (p Preview, err error) {
	a, err := tx.Action(r.act.Action)
	if err != nil {
		return p, err
	}
	p.Final, p.Letters = cases.Final(a, r.act.Verb), []LetterView{}
	held, last, err := heldLetters(tx, a.Case)
	if err != nil {
		return p, err
	}
	if p.Done, err = r.run(tx, who); err != nil {
		return p, err
	}
	p.Undo = 0 // no such Action is made
	for id := last + 1; id <= tx.LastReply(); id++ {
		held = append(held, id)
	}
	for _, id := range held {
		reply, err := tx.Reply(id)
		if err != nil {
			return p, err
		}
		if fresh := id > last; !reply.Staff && reply.Detail != nil && (fresh || reply.State != inbox.ReplyHeld) {
			p.Letters = append(p.Letters, letterView(reply))
		}
	}
	return p, nil
}

// heldLetters lists the letters of a Case that are held, and gives the ID of
// the last letter that there is.
func heldLetters(tx *state.Tx, c inbox.MailID) (held []inbox.ReplyID, last inbox.ReplyID, err error) {
	replies, err := tx.CaseReplies(c)
	for _, r := range replies {
		if r.State == inbox.ReplyHeld {
			held = append(held, r.ID)
		}
	}
	return held, tx.LastReply(), err
}

func letterView(r *inbox.Reply) LetterView {
	return LetterView{To: r.Detail.To, Subject: policy.StripTags(r.Detail.Subject), Text: r.Detail.Text, State: r.State, Error: r.Error}
}
