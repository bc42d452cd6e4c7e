package cases

import (
	"errors"
	"fmt"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// ReleaseLetter sends one letter that a cap or the mode held.
func (k *Keeper) ReleaseLetter(tx *state.Tx, r *inbox.Reply, who string) error {
	if err := isHeld(r); err != nil {
		return err
	}
	return k.releaseReply(tx, r, who)
}

// DropLetter discards a held letter: nobody gets it. What it asked counts no
// more; an Action that it asked about lapses unless staff do something, and one
// that its owner could have stopped because of it is held. The reason stands in
// the journal.
func (k *Keeper) DropLetter(tx *state.Tx, r *inbox.Reply, who, reason string) error {
	if err := isHeld(r); err != nil {
		return err
	}
	if err := k.unanswer(tx, r); err != nil {
		return err
	}
	r.State, r.Error = inbox.ReplyVoid, "discarded by staff"
	if err := tx.PutReply(r); err != nil {
		return err
	}
	if err := tx.Journal("reply dropped", who, r.Case, 0, map[string]any{"reply": r.ID, "reason": reason}); err != nil {
		return err
	}
	if err := k.dropQuestion(tx, r); err != nil {
		return err
	}
	if err := noteLetter(tx, r, "discarded", who); err != nil {
		return err
	}
	m, err := tx.Mail(r.Case)
	if errors.Is(err, state.ErrNotFound) {
		return nil // a notice about no case
	}
	if err != nil {
		return err
	}
	return k.settle(tx, m)
}

// noteLetter notes at the Actions of a letter what became of it, which is not
// held any more.
func noteLetter(tx *state.Tx, r *inbox.Reply, became, who string) error {
	acts, err := tx.Actions(r.Actions)
	if err != nil {
		return err
	}
	for _, a := range acts {
		a.Error = withoutHeld(a.Error)
		if err := tx.Note(a, "letter "+r.ID.String()+" "+became, who, nil); err != nil {
			return err
		}
	}
	return nil
}

func isHeld(r *inbox.Reply) error {
	if r.State != inbox.ReplyHeld {
		return fmt.Errorf("%s is %s: only a letter that is held can be sent or discarded", r.ID, r.State)
	}
	return nil
}

// unanswer ends the Mails that are held because of a letter: nobody is answered.
func (k *Keeper) unanswer(tx *state.Tx, r *inbox.Reply) error {
	return k.endHeld(tx, r, inbox.MailIgnored, "staff discarded the letter")
}

// dropQuestion does what follows when the question of a letter is never asked.
func (k *Keeper) dropQuestion(tx *state.Tx, r *inbox.Reply) error {
	const dropped = "its letter was discarded"
	q, err := tx.AskByReply(r)
	if err != nil || q == nil {
		return err
	}
	if err := k.voidQuestion(tx, r, dropped); err != nil {
		return err
	}
	switch {
	case q.Purpose == state.PurposeNotice:
		return k.holdUntold(tx, q, "held: the letter that tells of it was discarded")
	case q.Expires.IsZero():
		return k.lapseUnsent(tx, q)
	}
	return nil
}
