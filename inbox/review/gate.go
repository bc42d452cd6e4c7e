package review

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// Actor is somebody of the staff who is signed in.
type Actor struct {
	Name string
	Role staff.Role
}

// ErrDenied says that somebody's role lacks the right.
var ErrDenied = errors.New("not allowed")

// denied begins the words of the journal about what somebody may not.
const denied = "denied "

// fixedWords is how what is is opened or done: nothing that somebody typed may stand in
// the open part of the journal.
var fixedWords = regexp.MustCompile(`^[a-z][a-z -]{0,47}$`)

// Enter is the gate that every page and every call of the console passes: it
// checks that the actor has the right, and writes into the journal who opened
// or did what, and of which Mail or Action, or that they were denied. what is
// a fixed word or a few, never anything that was typed.
func (d *Desk) Enter(ctx context.Context, actor Actor, need staff.Right, what string, ids ...fmt.Stringer) error {
	if err := d.admit(ctx, actor, need, what, ids...); err != nil {
		return err
	}
	return d.record(ctx, what, actor, need, ids)
}

// Allowed tells whether the actor has a right, and writes nothing: for what
// only refreshes a page that was entered.
func (d *Desk) Allowed(actor Actor, need staff.Right) error {
	if actor.Name == "" || !actor.Role.May(need) {
		return fmt.Errorf("%w: it takes the right to %s, which the role %q does not have", ErrDenied, need, actor.Role)
	}
	return nil
}

// admit checks the right. That somebody was denied is written into the journal.
func (d *Desk) admit(ctx context.Context, actor Actor, need staff.Right, what string, ids ...fmt.Stringer) error {
	if !fixedWords.MatchString(what) {
		return errors.New("entering: what is opened or done must be named by fixed words")
	}
	err := d.Allowed(actor, need)
	if err == nil {
		return nil
	}
	return errors.Join(err, d.record(ctx, denied+what, actor, need, ids))
}

func (d *Desk) record(ctx context.Context, what string, actor Actor, need staff.Right, ids []fmt.Stringer) error {
	who := actor.Name
	if who == "" {
		who = inbox.WhoNobody
	}
	var c inbox.MailID
	var a inbox.ActionID
	for _, id := range ids {
		switch id := id.(type) {
		case inbox.MailID:
			c = id
		case inbox.ActionID:
			a = id
		default:
			return fmt.Errorf("entering: %T is neither a mail nor an action", id)
		}
	}
	return d.State.Update(ctx, "enter", func(tx *state.Tx) error {
		return tx.Journal(what, who, known(tx, c), a, map[string]string{"role": string(actor.Role), "right": string(need)})
	})
}

// known gives the Mail if there is one: an ID that somebody made up has no key.
func known(tx *state.Tx, c inbox.MailID) inbox.MailID {
	if _, err := tx.Mail(c); err != nil {
		return 0
	}
	return c
}
