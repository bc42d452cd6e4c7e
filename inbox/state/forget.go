package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"push.guru/supportd/inbox"
)

// erasure says whose keys are to be dropped once no letter needs them.
type erasure struct {
	Person  []byte `json:"person"`
	Address []byte `json:"address"`
}

// Erase asks for every key of a person to be dropped, as soon as each Reply
// under them has ended; c is the Case that deleted the account.
func (tx *Tx) Erase(c inbox.MailID, person, address string) error {
	b, err := json.Marshal(erasure{Person: tx.Hash(TiePerson, person), Address: tx.Hash(TieAddress, address)})
	if err != nil {
		return fmt.Errorf("encoding an erasure: %w", err)
	}
	return tx.bucket("erasures").Put(be(uint64(c)), b)
}

// Erasable lists the Cases whose keys can be dropped now: those of people
// whose account was deleted and who are owed no letter any more. Erased must
// follow the drop.
func (tx *Tx) Erasable() (done []inbox.MailID, cases []inbox.MailID, err error) {
	err = tx.bucket("erasures").ForEach(func(k, v []byte) error {
		var e erasure
		if err := json.Unmarshal(v, &e); err != nil {
			return fmt.Errorf("reading an erasure: %w", err)
		}
		var all []inbox.MailID
		collect := func(id uint64) bool { all = append(all, inbox.MailID(id)); return true }
		tx.eachID("persons", e.Person, collect)
		tx.eachID("persons", e.Address, collect)
		for _, id := range all {
			if open, err := tx.owed(id); err != nil || open {
				return err
			}
		}
		done = append(done, inbox.MailID(binary.BigEndian.Uint64(k)))
		cases = append(cases, all...)
		return nil
	})
	return done, cases, err
}

// owed tells whether a letter of a Case has not ended.
func (tx *Tx) owed(c inbox.MailID) (bool, error) {
	replies, err := tx.CaseReplies(c)
	for _, r := range replies {
		if !r.State.Ended() {
			return true, nil
		}
	}
	return false, err
}

// Erased notes that the keys of deleted people were dropped.
func (tx *Tx) Erased(done []inbox.MailID) error {
	for _, c := range done {
		v := tx.bucket("erasures").Get(be(uint64(c)))
		var e erasure
		if err := json.Unmarshal(v, &e); err != nil {
			return fmt.Errorf("reading an erasure: %w", err)
		}
		for _, h := range [][]byte{e.Person, e.Address} {
			if err := tx.dropPrefix("persons", h); err != nil {
				return err
			}
		}
		if err := tx.bucket("erasures").Delete(be(uint64(c))); err != nil {
			return err
		}
		if err := tx.Journal("forgotten", "supportd", c, 0, nil); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) dropPrefix(bucket string, prefix []byte) error {
	var ids []uint64
	tx.eachID(bucket, prefix, func(id uint64) bool { ids = append(ids, id); return true })
	for _, id := range ids {
		if err := tx.bucket(bucket).Delete(join(prefix, be(id))); err != nil {
			return fmt.Errorf("cleaning %s: %w", bucket, err)
		}
	}
	return nil
}

// Forgettable lists Cases that ended before the given time and whose letters
// have ended, too; keepLonger may spare one. Forgotten must follow the drop.
func (tx *Tx) Forgettable(before time.Time, limit int, keepLonger func(*inbox.Mail) bool) ([]inbox.MailID, error) {
	var out []inbox.MailID
	for _, id := range tx.EndedMails(before, limit) {
		m, err := tx.Mail(id)
		if err != nil {
			return nil, err
		}
		open, err := tx.owed(id)
		if err != nil {
			return nil, err
		}
		if !open && !keepLonger(m) {
			out = append(out, id)
		}
	}
	return out, nil
}

// Forgotten notes that the keys of Cases were dropped because their retention
// was over.
func (tx *Tx) Forgotten(cases []inbox.MailID) error {
	for _, id := range cases {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		if err := tx.bucket("mail_ended").Delete(endedKey(m)); err != nil {
			return fmt.Errorf("forgetting %s: %w", id, err)
		}
		if err := tx.Journal("forgotten", "supportd", id, 0, nil); err != nil {
			return err
		}
	}
	return nil
}
