package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
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

// Erasable lists up to limit of the Cases of people whose account was deleted under which
// nothing is open: their keys can be dropped now. Erased must follow the drop.
func (tx *Tx) Erasable(limit int) (cases []inbox.MailID, err error) {
	err = tx.eachErasure(func(_ []byte, e erasure) error {
		for _, id := range tx.tied(e) {
			if len(cases) == limit {
				return nil
			}
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
		tx.eachID("persons", h, func(id uint64) bool {
			if tx.has("mails", id) { // else its record was dropped
				cases = append(cases, inbox.MailID(id))
			}
			return true
		})
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
	acts, err := tx.CaseStates(c)
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

// Walk remembers where looks at many records stopped, so that the next goes on
// there. The zero Walk begins at the start. One goroutine uses it.
type Walk struct{ at map[string][]byte }

// looksEach is how many records Forgettable looks at for each that it may list:
// those that are not over yet must not hide the others, and cost no more than
// that.
const looksEach = 16

// Forgettable lists up to limit Cases that ended longer ago than they are kept,
// and under which nothing is open. Forgotten must follow the drop.
func (tx *Tx) Forgettable(w *Walk, keep func(inbox.End) time.Duration, limit int) ([]inbox.MailID, error) {
	if w.at == nil {
		w.at = make(map[string][]byte)
	}
	var out []inbox.MailID
	looks := looksEach * limit
	for _, end := range inbox.Ends() {
		if err := tx.forgettable(w, end, tx.Now.Add(-keep(end)), &looks, limit, &out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// forgettable adds the Cases with one end. It goes on where the last look at
// these stopped, and at the start when that was at the last of them.
func (tx *Tx) forgettable(w *Walk, end inbox.End, before time.Time, looks *int, limit int, out *[]inbox.MailID) error {
	prefix := endedPrefix(end)
	from := w.at[string(end)]
	if from == nil {
		from = prefix
	}
	c := tx.bucket("mail_ended").Cursor()
	k, _ := c.Seek(from)
	for ; k != nil && bytes.HasPrefix(k, prefix) && bytes.Compare(k[len(prefix):], at(before)) < 0; k, _ = c.Next() {
		if *looks == 0 || len(*out) == limit {
			w.at[string(end)] = bytes.Clone(k)
			return nil
		}
		*looks--
		tx.count()
		id := inbox.MailID(binary.BigEndian.Uint64(k[len(k)-8:]))
		open, err := tx.open(id)
		if err != nil {
			return err
		}
		if !open {
			*out = append(*out, id)
		}
	}
	delete(w.at, string(end))
	return nil
}

// Forgotten notes that the keys of Cases were dropped.
func (tx *Tx) Forgotten(cases []inbox.MailID) error {
	for _, id := range cases {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		if m.Forgotten.IsZero() {
			m.Forgotten = tx.Now
		}
		if err := tx.PutMail(m); err != nil {
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
