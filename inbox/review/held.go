package review

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// SendLetter lets a letter of a Case go that is held, after the gate.
func (d *Desk) SendLetter(ctx context.Context, actor Actor, c inbox.MailID, id inbox.ReplyID) error {
	if err := d.admit(ctx, actor, rightAct, "send letter", c); err != nil {
		return err
	}
	return d.ofCase(ctx, c, id, func(tx *state.Tx, r *inbox.Reply) error { return d.Cases.ReleaseLetter(tx, r, actor.Name) })
}

// DropLetter discards a letter of a Case that is held, after the gate. The
// reason is for the journal.
func (d *Desk) DropLetter(ctx context.Context, actor Actor, c inbox.MailID, id inbox.ReplyID, reason string) error {
	if err := d.admit(ctx, actor, rightAct, "drop letter", c); err != nil {
		return err
	}
	if err := dropReason(reason); err != nil {
		return err
	}
	return d.ofCase(ctx, c, id, func(tx *state.Tx, r *inbox.Reply) error { return d.Cases.DropLetter(tx, r, actor.Name, reason) })
}

// DropHeld discards a held letter for a caller of the command line.
func (d *Desk) DropHeld(ctx context.Context, id inbox.ReplyID, who, reason string) error {
	if err := dropReason(reason); err != nil {
		return err
	}
	return d.ofCase(ctx, 0, id, func(tx *state.Tx, r *inbox.Reply) error { return d.Cases.DropLetter(tx, r, who, reason) })
}

// DropCase discards every held letter of a Case, and gives their number.
func (d *Desk) DropCase(ctx context.Context, c inbox.MailID, who, reason string) (n int, err error) {
	if err := dropReason(reason); err != nil {
		return 0, err
	}
	err = d.State.Update(ctx, "drop letters", func(tx *state.Tx) error {
		held, _, err := heldLetters(tx, c)
		for _, id := range held {
			r, err := tx.Reply(id)
			if err == nil {
				err = d.Cases.DropLetter(tx, r, who, reason)
			}
			if err != nil {
				return err
			}
		}
		if n = len(held); n == 0 && err == nil {
			return fmt.Errorf("%s has no held letter", c)
		}
		return err
	})
	if err == nil {
		d.Changed()
	}
	return n, err
}

func dropReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return errors.New("discarding a letter needs a reason, for the journal")
	case len(reason) > longest:
		return fmt.Errorf("the text is longer than %d bytes", longest)
	}
	return nil
}

// ofCase does something about a letter, which must belong to a Case (0: to any).
func (d *Desk) ofCase(ctx context.Context, c inbox.MailID, id inbox.ReplyID, do func(*state.Tx, *inbox.Reply) error) error {
	err := d.State.Update(ctx, "letter", func(tx *state.Tx) error {
		r, err := tx.Reply(id)
		switch {
		case err != nil:
			return err
		case c != 0 && r.Case != c:
			return fmt.Errorf("%s of %s: %w", id, c, state.ErrNotFound)
		}
		return do(tx, r)
	})
	if err == nil {
		d.Changed()
	}
	return err
}
