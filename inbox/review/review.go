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

// Fetcher reads raw mails from their servers.
type Fetcher interface {
	// Raw gives a mail as the server has it; an error says when it is gone, or
	// larger than what is read.
	Raw(ctx context.Context, id inbox.MailID) (inbox.Raw, error)
}

// Config is what staff's acts need. Every field must be set, but Log, Changed,
// Mailboxes and Knows.
type Config struct {
	State     *state.DB
	Cases     *cases.Keeper
	People    Finder
	Region    string // two letters; where staff's telephone numbers are from
	Log       *slog.Logger
	Approvers []string // who may approve without the owner's proof
	Changed   func()   // called after an act that may have made something due
	Mailboxes Fetcher

	// Knows tells whether somebody of the staff has a name, to whom work can be
	// handed over; nil: whoever is named.
	Knows func(ctx context.Context, name string) bool

	Eraser      Eraser
	KeepDeleted time.Duration // how long deletes can be repeated; 0: not at all
}

// Desk is where staff act.
type Desk struct {
	Config
	reapplying sync.Mutex // one run at a time
	verifying  sync.Mutex // one walk at a time
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

// Approve lets an Action in review go on. With a reason in withoutProof it is
// scheduled although the owner's proof is missing.
//
// Only an approver may do that.
func (d *Desk) Approve(ctx context.Context, id inbox.ActionID, who, withoutProof string) error {
	act := Act{Verb: cases.Approve, Action: id}
	if withoutProof != "" {
		if !slices.Contains(d.Approvers, who) {
			return fmt.Errorf("%s may not approve without proof: it takes a user who is named in staff.approvers", who)
		}
		act = Act{Verb: cases.ApproveWithoutProof, Action: id, Reason: withoutProof}
	}
	return d.do(ctx, who, act)
}

// Hold stops an Action where it is, with a reason or "". With a date it needs a
// person again only then; nothing is released by that.
func (d *Desk) Hold(ctx context.Context, id inbox.ActionID, who, reason string, until time.Time) error {
	return d.do(ctx, who, Act{Verb: cases.Hold, Action: id, Reason: reason, Until: until})
}

// HandOver gives an Action to somebody of the staff, with a note or "". It stays
// where it is, and whoever had it keeps all their rights.
func (d *Desk) HandOver(ctx context.Context, id inbox.ActionID, who, to, note string) error {
	return d.do(ctx, who, Act{Verb: cases.HandOver, Action: id, To: to, Reason: note})
}

// Release puts a held Action back, and lets the held letters of its Case go.
func (d *Desk) Release(ctx context.Context, id inbox.ActionID, who string) error {
	return d.do(ctx, who, Act{Verb: cases.Release, Action: id})
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
	done, err := d.perform(ctx, who, Act{Verb: cases.Refuse, Action: id, Reason: reason})
	return done.Told, err
}

// Extend gives an Action, once, the time that its law adds. The person is told
// the reason, which must not be empty, and the new date.
func (d *Desk) Extend(ctx context.Context, id inbox.ActionID, who, reason string) error {
	return d.do(ctx, who, Act{Verb: cases.Extend, Action: id, Reason: reason})
}

// Retry schedules a failed Action again.
func (d *Desk) Retry(ctx context.Context, id inbox.ActionID, who string) error {
	return d.do(ctx, who, Act{Verb: cases.Retry, Action: id})
}

// Undo asks the owner to agree that an Action is taken back, and gives the
// Action that would do it.
func (d *Desk) Undo(ctx context.Context, id inbox.ActionID, who string) (inbox.ActionID, error) {
	done, err := d.perform(ctx, who, Act{Verb: cases.Undo, Action: id})
	return done.Undo, err
}

// Answer writes staff's answer to the person and ends the question.
func (d *Desk) Answer(ctx context.Context, id inbox.ActionID, who, text string) error {
	return d.do(ctx, who, Act{Verb: cases.Answer, Action: id, Text: text})
}

// Ask writes a question of staff to whoever wrote. With an address in
// alsoOnRecord the person who has that on record is asked there, too, in a
// letter of its own; nothing is revealed to the other address.
func (d *Desk) Ask(ctx context.Context, id inbox.ActionID, who, text, alsoOnRecord string) error {
	return d.do(ctx, who, Act{Verb: cases.Ask, Action: id, Text: text, OnRecord: alsoOnRecord})
}

// Close ends an Action without a letter.
func (d *Desk) Close(ctx context.Context, id inbox.ActionID, who, reason string) error {
	return d.do(ctx, who, Act{Verb: cases.Close, Action: id, Reason: reason})
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
	return d.do(ctx, who, Act{Verb: cases.Correct, Action: id, Correction: c})
}

// possible refuses a reading that the data map would refuse of anybody: a slip
// of staff must not end the Action, with a letter to the person about it.
func (d *Desk) possible(r inbox.Request) error {
	_, err := d.Cases.Data().Plan(users.Person{}, r, false)
	var refused *datamap.RefusedError
	switch {
	case !errors.As(err, &refused) || refused.Reason == datamap.ReasonSame || refused.Reason == datamap.ReasonNames:
		return nil // the latter depends on the names that the person has
	case refused.Reason == datamap.ReasonUnknownField:
		return fmt.Errorf("there is no field %q: the fields are %s", refused.Field, words(d.Cases.Data().Fields()))
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

// verifyPiece is how many entries of the chain are looked at in a transaction.
const verifyPiece = 2000

// Verify walks the journal's chain, a piece at a time; see journal.Verify. It
// calls alive (nil: nobody) after each piece, and ends with its error. One walk
// goes on at a time: for another meanwhile the error is temporary.
func (d *Desk) Verify(ctx context.Context, want string, alive func() error) (journal.Finding, error) {
	if !d.verifying.TryLock() {
		return journal.Finding{}, &inbox.Error{Err: errors.New("the chain is being verified already"), Hint: "try again when that has ended", Temp: true}
	}
	defer d.verifying.Unlock()
	c := journal.NewCheck(want)
	for done := false; !done; {
		err := ctx.Err()
		if err == nil {
			err = d.State.View(func(tx *state.Tx) (err error) { done, err = tx.CheckJournal(c, verifyPiece); return err })
		}
		if err == nil && alive != nil {
			err = alive()
		}
		if err != nil {
			return c.Found, fmt.Errorf("verifying the journal: %w", err)
		}
	}
	return c.Found, nil
}
