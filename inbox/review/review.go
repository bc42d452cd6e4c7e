// Package review is what staff may do, and its record: every act looks up what
// it needs, changes the Case in one transaction through package cases, and
// stands in the journal under the name of who did it.
package review

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/classify/value"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/state"
)

// Finder finds people by the address on record.
type Finder interface {
	// Find gives everybody whose address on record is addr; nobody is no error.
	Find(ctx context.Context, addr string) ([]users.Person, error)
}

// Config is what staff's acts need. Every field must be set, but Log and
// Changed.
type Config struct {
	State     *state.DB
	Cases     *cases.Keeper
	People    Finder
	Region    string // two letters; where staff's telephone numbers are from
	Log       *slog.Logger
	Approvers []string // who may approve without the owner's proof
	Changed   func()   // called after an act that may have made something due

	Eraser      Eraser
	KeepDeleted time.Duration // how long deletes can be repeated; 0: not at all
}

// Desk is where staff act.
type Desk struct {
	Config
	reapplying sync.Mutex // one run at a time
}

// New gives a Desk.
func New(c Config) *Desk {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	return &Desk{Config: c}
}

// act reads an Action and its people, and runs f in one transaction.
func (d *Desk) act(ctx context.Context, name string, id inbox.ActionID, f func(tx *state.Tx, a *inbox.Action, people []users.Person) error) error {
	var found *inbox.Action
	err := d.State.View(func(tx *state.Tx) (err error) { found, err = tx.Action(id); return err })
	if err != nil {
		return err
	}
	var people []users.Person
	if found.Detail != nil && found.Detail.Address != "" {
		if people, err = d.People.Find(ctx, found.Detail.Address); err != nil {
			return fmt.Errorf("looking the person of %s up: %w", id, err)
		}
	}
	err = d.State.Update(ctx, name, func(tx *state.Tx) error {
		a, err := tx.Action(id)
		if err != nil {
			return err
		}
		return f(tx, a, people)
	})
	if err == nil {
		d.Log.Info("review: "+name, "action", id.String())
		d.Changed()
	}
	return err
}

// Approve lets an Action in review go on. With a reason in withoutProof it is
// scheduled although the owner's proof is missing.
//
// Only an approver may do that.
func (d *Desk) Approve(ctx context.Context, id inbox.ActionID, who, withoutProof string) error {
	if withoutProof != "" && !slices.Contains(d.Approvers, who) {
		return fmt.Errorf("%s may not approve without proof: it takes a user who is named in staff.approvers", who)
	}
	return d.act(ctx, "approve", id, func(tx *state.Tx, a *inbox.Action, people []users.Person) error {
		if withoutProof != "" {
			return d.Cases.ApproveWithoutProof(tx, a, people, who, withoutProof)
		}
		return d.Cases.Approve(tx, a, people, who)
	})
}

// Hold stops an Action where it is.
func (d *Desk) Hold(ctx context.Context, id inbox.ActionID, who string) error {
	return d.act(ctx, "hold", id, func(tx *state.Tx, a *inbox.Action, _ []users.Person) error { return d.Cases.Hold(tx, a, who) })
}

// Release puts a held Action back, and lets the held letters of its Case go.
func (d *Desk) Release(ctx context.Context, id inbox.ActionID, who string) error {
	return d.act(ctx, "release", id, func(tx *state.Tx, a *inbox.Action, people []users.Person) error {
		return d.Cases.Release(tx, a, people, who)
	})
}

// ReleaseCase lets the held letters of a Case go.
func (d *Desk) ReleaseCase(ctx context.Context, id inbox.MailID, who string) error {
	err := d.State.Update(ctx, "release", func(tx *state.Tx) error {
		n, err := d.Cases.ReleaseReplies(tx, id, who)
		if err == nil && n == 0 {
			return fmt.Errorf("%s has no held letter", id)
		}
		return err
	})
	if err == nil {
		d.Changed()
	}
	return err
}

// Refuse ends an Action with a reason for the person, and tells whether they
// are written to: somebody who has proved nothing is not.
func (d *Desk) Refuse(ctx context.Context, id inbox.ActionID, who, reason string) (told bool, err error) {
	if strings.TrimSpace(reason) == "" {
		return false, errors.New("a refusal needs a reason: the person is told it")
	}
	err = d.act(ctx, "refuse", id, func(tx *state.Tx, a *inbox.Action, _ []users.Person) (err error) {
		told, err = d.Cases.Refuse(tx, a, who, reason)
		return err
	})
	return told, err
}

// Extend gives an Action, once, the time that its law adds. The person is told
// the reason, which must not be empty, and the new date.
func (d *Desk) Extend(ctx context.Context, id inbox.ActionID, who, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("an extension needs a reason: the person is told it")
	}
	return d.act(ctx, "extend", id, func(tx *state.Tx, a *inbox.Action, _ []users.Person) error {
		return d.Cases.Extend(tx, a, who, reason)
	})
}

// Retry schedules a failed Action again.
func (d *Desk) Retry(ctx context.Context, id inbox.ActionID, who string) error {
	return d.act(ctx, "retry", id, func(tx *state.Tx, a *inbox.Action, _ []users.Person) error { return d.Cases.Retry(tx, a, who) })
}

// Undo asks the owner to agree that an Action is taken back, and gives the
// Action that would do it.
func (d *Desk) Undo(ctx context.Context, id inbox.ActionID, who string) (inbox.ActionID, error) {
	var undo inbox.ActionID
	err := d.act(ctx, "undo", id, func(tx *state.Tx, a *inbox.Action, people []users.Person) error {
		b, err := d.Cases.Undo(tx, a, people, who)
		if err == nil {
			undo = b.ID
		}
		return err
	})
	return undo, err
}

// Answer writes staff's answer to the person and ends the question.
func (d *Desk) Answer(ctx context.Context, id inbox.ActionID, who, text string) error {
	return d.write(ctx, "answer", id, who, text, true)
}

// Ask writes a question of staff to the person.
func (d *Desk) Ask(ctx context.Context, id inbox.ActionID, who, text string) error {
	return d.write(ctx, "ask", id, who, text, false)
}

func (d *Desk) write(ctx context.Context, name string, id inbox.ActionID, who, text string, answers bool) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("there is no text to send")
	}
	return d.act(ctx, name, id, func(tx *state.Tx, a *inbox.Action, _ []users.Person) error {
		return d.Cases.Reply(tx, a, who, text, answers)
	})
}

// Close ends an Action without a letter.
func (d *Desk) Close(ctx context.Context, id inbox.ActionID, who, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errors.New("closing needs a reason, for the journal")
	}
	return d.act(ctx, "close", id, func(tx *state.Tx, a *inbox.Action, _ []users.Person) error {
		return d.Cases.Close(tx, a, who, reason)
	})
}

// Correction is another reading of an Action, as staff type it: Kind and Scope
// may be "" to stay as they are; Edits are FIELD=VALUE, FIELD+=VALUE and
// -FIELD.
type Correction struct {
	Kind  string   `json:"kind,omitempty"`
	Scope string   `json:"scope,omitempty"`
	Edits []string `json:"edits,omitempty"`
}

// Correct gives an Action another reading; the person is asked about it.
func (d *Desk) Correct(ctx context.Context, id inbox.ActionID, who string, c Correction) error {
	return d.act(ctx, "correct", id, func(tx *state.Tx, a *inbox.Action, people []users.Person) error {
		r, err := c.request(a, d.Region)
		if err != nil {
			return err
		}
		if err := d.possible(r); err != nil {
			return err
		}
		return d.Cases.Correct(tx, a, r, people, who)
	})
}

// possible refuses a reading that the data map would refuse of anybody: a slip
// of staff must not end the Action, with a letter to the person about it.
func (d *Desk) possible(r inbox.Request) error {
	_, err := d.Cases.Map.Plan(users.Person{}, r, false)
	var refused *datamap.RefusedError
	switch {
	case !errors.As(err, &refused) || refused.Reason == datamap.ReasonSame || refused.Reason == datamap.ReasonNames:
		return nil // the latter depends on the names that the person has
	case refused.Reason == datamap.ReasonUnknownField:
		return fmt.Errorf("there is no field %q: the fields are %s", refused.Field, words(d.Cases.Map.Fields()))
	}
	if refused.Field == "" {
		return errors.New(slips[refused.Reason])
	}
	return fmt.Errorf("%s: %s", refused.Field, slips[refused.Reason])
}

// words lists fields for a sentence.
func words(fields []inbox.Field) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = string(f)
	}
	return strings.Join(out, ", ")
}

// slips says of what the data map refuses how it should have been typed.
var slips = map[datamap.Reason]string{
	datamap.ReasonBadEmail:   "it is a plain address, local@domain",
	datamap.ReasonBadDate:    "it is a day that exists, YYYY-MM-DD",
	datamap.ReasonFutureDate: "it is a day that has been, YYYY-MM-DD",
	datamap.ReasonTooLong:    "it is longer than the field can hold",
	datamap.ReasonNotAllowed: "it takes one of a few values, and this is none of them: look at its column in the site's database",
	datamap.ReasonInvalid:    "it is empty, or has characters that no value has",
	datamap.ReasonSingle:     "it holds one value: replace it with FIELD=VALUE",
	datamap.ReasonParts:      "it is stored in parts, one word each: give as many words as there are parts",
	datamap.ReasonNeeded:     "it cannot be removed without deleting the account",

	datamap.ReasonNoDeactivate: "the data map has no column by which an account is deactivated",
	datamap.ReasonNoWithdraw:   "the data map has no column for an objection: act on it, then answer the person",
	datamap.ReasonKept:         "the data map keeps everything: nothing would be deleted",
}

// request makes the corrected Request, and says what does not fit together.
func (c Correction) request(a *inbox.Action, region string) (inbox.Request, error) {
	r := inbox.Request{Kind: a.Kind, Scope: a.Scope, Certain: true, Confidence: 1}
	switch {
	case c.Kind != "":
		r.Kind, r.Scope = inbox.Kind(c.Kind), ""
	case a.Kind == inbox.KindQuestion:
		kind, err := c.meant()
		if err != nil {
			return r, err
		}
		r.Kind = kind
	}
	if c.Scope != "" {
		r.Scope = inbox.Scope(c.Scope)
	}
	for _, e := range c.Edits {
		if err := edit(&r, e, region); err != nil {
			return r, err
		}
	}
	return r, fits(&r)
}

// meant gives the kind of a Correction that names none, of what was taken for a
// question.
func (c Correction) meant() (inbox.Kind, error) {
	switch {
	case c.Scope != "":
		return inbox.KindDelete, nil
	case len(c.Edits) == 0:
		return "", errors.New("say what it asks for: --kind, FIELD=VALUE for a change, or -FIELD for a delete of fields")
	}
	for _, e := range c.Edits {
		if _, ok := removed(e); !ok {
			return inbox.KindChange, nil
		}
	}
	return inbox.KindDelete, nil
}

// removed reads -FIELD.
func removed(e string) (inbox.Field, bool) {
	f, ok := strings.CutPrefix(e, "-")
	return inbox.Field(f), ok && !strings.Contains(f, "=")
}

func edit(r *inbox.Request, e, region string) error {
	if f, ok := removed(e); ok {
		r.Fields = append(r.Fields, f)
		return nil
	}
	name, v, ok := strings.Cut(e, "=")
	if !ok || name == "" || v == "" {
		return fmt.Errorf("%q is none of FIELD=VALUE, FIELD+=VALUE, -FIELD", e)
	}
	c := inbox.Change{Field: inbox.Field(name), Op: inbox.OpSet, Value: v}
	if f, add := strings.CutSuffix(name, "+"); add {
		c.Field, c.Op = inbox.Field(f), inbox.OpAdd
	}
	switch c.Field {
	case inbox.FieldEmail:
		canonical, err := address.Canonical(v)
		if err != nil {
			return fmt.Errorf("email=%s: %w", v, err)
		}
		c.Value = canonical
	case inbox.FieldPhone:
		number, err := phone(v, region)
		if err != nil {
			return fmt.Errorf("phone=%s: %w", v, err)
		}
		c.Value = number
	}
	r.Changes = append(r.Changes, c)
	return nil
}

// phone gives a number as it is read out of a mail, too: E.164 where it can be
// told, else as typed.
func phone(v, region string) (string, error) {
	found := value.Phones(v, region)
	if len(found) == 0 {
		return "", errors.New("not a telephone number, which has 6 to 15 digits")
	}
	if len(found) == 1 && found[0].Sure && found[0].Start == 0 && found[0].End == len(v) {
		return found[0].Value, nil
	}
	return v, nil
}

func fits(r *inbox.Request) error {
	switch {
	case r.Kind.Order() < 0 || r.Kind == inbox.KindQuestion:
		return fmt.Errorf("%q is no kind to correct to: change, delete, deactivate, copy, describe or withdraw", r.Kind)
	case r.Kind == inbox.KindChange && (len(r.Changes) == 0 || len(r.Fields) > 0):
		return errors.New("a change takes FIELD=VALUE or FIELD+=VALUE; to remove a value, --kind delete --scope fields -FIELD")
	case r.Kind == inbox.KindChange:
		r.Scope = ""
	case len(r.Changes) > 0:
		return fmt.Errorf("a %s takes no values", r.Kind)
	case r.Kind != inbox.KindDelete && (len(r.Fields) > 0 || r.Scope != ""):
		return fmt.Errorf("a %s takes neither a scope nor fields", r.Kind)
	case r.Kind == inbox.KindDelete && r.Scope == "" && len(r.Fields) > 0:
		r.Scope = inbox.ScopeFields
	case r.Kind == inbox.KindDelete && r.Scope == inbox.ScopeFields && len(r.Fields) == 0:
		return errors.New("a delete of fields takes -FIELD")
	case r.Kind == inbox.KindDelete && r.Scope != inbox.ScopeFields && (r.Scope != inbox.ScopeAccount || len(r.Fields) > 0):
		return errors.New("a delete has --scope account, or --scope fields and -FIELD")
	}
	return nil
}

// Pause stops effects, replies, or both when neither is named, and gives all
// that is paused then.
func (d *Desk) Pause(ctx context.Context, who string, effects, replies bool) (p Paused, err error) {
	if !effects && !replies {
		effects, replies = true, true
	}
	err = d.State.Update(ctx, "pause", func(tx *state.Tx) error {
		e, r := tx.Paused()
		if err := tx.Journal("pause", who, 0, 0, map[string]bool{"effects": effects, "replies": replies}); err != nil {
			return err
		}
		if err := tx.SetPaused(e || effects, r || replies); err != nil {
			return err
		}
		p = paused(tx, tx.Restored())
		return nil
	})
	return p, err
}

// Paused gives what is paused.
func (d *Desk) Paused() (p Paused, err error) {
	err = d.State.View(func(tx *state.Tx) error { p = paused(tx, tx.Restored()); return nil })
	return p, err
}

// Resume ends a pause.
func (d *Desk) Resume(ctx context.Context, who string) error {
	err := d.State.Update(ctx, "resume", func(tx *state.Tx) error { return d.Cases.Resume(tx, who) })
	d.Changed()
	return err
}

// Verify walks the journal's chain; see journal.Verify.
func (d *Desk) Verify(want string) (f journal.Finding, err error) {
	err = d.State.View(func(tx *state.Tx) error { f, err = tx.VerifyJournal(want); return err })
	return f, err
}
