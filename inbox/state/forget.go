package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"push.guru/supportd/inbox"
)

// erasure says whose keys are to be dropped once no letter needs them.
type erasure struct {
	Person  []byte `json:"person"`
	Address []byte `json:"address"`
}

// Erase asks for every key of a person to be dropped, each as soon as nothing
// under it is open; c is the Case that deleted the account.
func (tx *Tx) Erase(c inbox.MailID, person, address string) error {
	b, err := json.Marshal(erasure{Person: tx.Hash(TiePerson, person), Address: tx.Hash(TieAddress, address)})
	if err != nil {
		return fmt.Errorf("encoding an erasure: %w", err)
	}
	return tx.bucket("erasures").Put(be(uint64(c)), b)
}

// Erasable lists the Cases of people whose account was deleted under which
// nothing is open: their keys can be dropped now. Erased must follow the drop.
func (tx *Tx) Erasable() (cases []inbox.MailID, err error) {
	err = tx.eachErasure(func(_ []byte, e erasure) error {
		for _, id := range tx.tied(e) {
			open, err := tx.open(id)
			if err != nil {
				return err
			}
			waits, err := tx.heldLately(id)
			if err != nil {
				return err
			}
			if !open && !waits && !slices.Contains(cases, id) {
				cases = append(cases, id)
			}
		}
		return nil
	})
	return cases, err
}

func (tx *Tx) eachErasure(f func(key []byte, e erasure) error) error {
	return tx.bucket("erasures").ForEach(func(k, v []byte) error {
		var e erasure
		if err := json.Unmarshal(v, &e); err != nil {
			return fmt.Errorf("reading an erasure: %w", err)
		}
		return f(k, e)
	})
}

// tied lists the Cases under whose keys something of an erased person is
// sealed.
func (tx *Tx) tied(e erasure) (cases []inbox.MailID) {
	for _, h := range [][]byte{e.Person, e.Address} {
		tx.eachID("persons", h, func(id uint64) bool { cases = append(cases, inbox.MailID(id)); return true })
	}
	return cases
}

// open tells whether something of a Case has not ended: a letter, or an
// Action, which nobody could read any more without the key.
func (tx *Tx) open(c inbox.MailID) (bool, error) {
	replies, err := tx.CaseReplies(c)
	if err != nil {
		return false, err
	}
	// A held letter that nobody released until the rest had ended is owed no more.
	if slices.ContainsFunc(replies, func(r *inbox.Reply) bool { return !r.State.Ended() && r.State != inbox.ReplyHeld }) {
		return true, nil
	}
	acts, err := tx.CaseActions(c)
	return slices.ContainsFunc(acts, func(a *inbox.Action) bool { return !a.State.Ended() && !a.ForStaff() }), err
}

// heldWait is how long a held letter keeps the key of somebody whose account
// was deleted: staff may still release the letter that says so.
const heldWait = 30 * 24 * time.Hour

// heldLately tells whether a letter of a Case waits for staff, and not for too
// long yet.
func (tx *Tx) heldLately(c inbox.MailID) (bool, error) {
	replies, err := tx.CaseReplies(c)
	return slices.ContainsFunc(replies, func(r *inbox.Reply) bool {
		return r.State == inbox.ReplyHeld && tx.Now.Sub(r.Created) < heldWait
	}), err
}

// Erased notes that the keys of Cases of deleted people were dropped. What
// came in since Erasable keeps its tie, and its turn comes later.
func (tx *Tx) Erased(cases []inbox.MailID) error {
	var over [][]byte
	err := tx.eachErasure(func(key []byte, e erasure) error {
		for _, id := range cases {
			for _, h := range [][]byte{e.Person, e.Address} {
				if err := tx.bucket("persons").Delete(join(h, be(uint64(id)))); err != nil {
					return fmt.Errorf("untying %s: %w", id, err)
				}
			}
		}
		if len(tx.tied(e)) == 0 {
			over = append(over, bytes.Clone(key))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range over {
		if err := tx.bucket("erasures").Delete(key); err != nil {
			return fmt.Errorf("ending an erasure: %w", err)
		}
	}
	return tx.Forgotten(cases)
}

// Forgettable lists Cases that ended before the given time and under which
// nothing is open; keepLonger may spare one. Forgotten must follow the drop.
func (tx *Tx) Forgettable(before time.Time, limit int, keepLonger func(*inbox.Mail) bool) ([]inbox.MailID, error) {
	var out []inbox.MailID
	// All are looked at: those that are spared must not hide the others.
	for _, id := range tx.EndedMails(before, math.MaxInt) {
		if len(out) == limit {
			break
		}
		m, err := tx.Mail(id)
		if err != nil {
			return nil, err
		}
		open, err := tx.open(id)
		if err != nil {
			return nil, err
		}
		if !open && !keepLonger(m) {
			out = append(out, id)
		}
	}
	return out, nil
}

// Forgotten notes that the keys of Cases were dropped.
func (tx *Tx) Forgotten(cases []inbox.MailID) error {
	for _, id := range cases {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		if err := tx.bucket("mail_ended").Delete(endedKey(m)); err != nil {
			return fmt.Errorf("forgetting %s: %w", id, err)
		}
		if err := tx.dropHeld(id); err != nil {
			return err
		}
		if err := tx.Journal("forgotten", inbox.WhoProgram, id, 0, nil); err != nil {
			return err
		}
	}
	return nil
}
