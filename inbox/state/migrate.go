package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// addedBuckets are those that a state of the same schema may be from before of.
func addedBuckets() []string {
	return []string{"mail_signatures", "deleted", "mail_places", "mail_erase", "attached", "staff", "staff_sessions", "staff_links",
		"open", "open_at", "reply_held", "tallies", "journal_of", "saved", "action_deadlines"}
}

// migrate brings indexes whose keys have changed into their present form. It
// costs one look at each when there is nothing to do: keys of the old form begin
// with a time, and come before all others.
func (db *DB) migrate(tx *bolt.Tx) error {
	t := &Tx{tx: tx, db: db}
	if err := t.migrateEnded(); err != nil {
		return fmt.Errorf("bringing mail_ended up to date: %w", err)
	}
	if err := t.migrateFiled(); err != nil {
		return fmt.Errorf("bringing mail_filed up to date: %w", err)
	}
	return nil
}

// timed lists the keys of a bucket that begin with a time of this century, and
// their values.
func (tx *Tx) timed(bucket string) (entries [][2][]byte) {
	c := tx.bucket(bucket).Cursor()
	for k, v := c.First(); len(k) >= 16 && k[0] < ' '; k, v = c.Next() {
		entries = append(entries, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
	}
	return entries
}

// migrateEnded files Cases that ended by how they did.
func (tx *Tx) migrateEnded() error {
	for _, e := range tx.timed("mail_ended") {
		if err := tx.bucket("mail_ended").Delete(e[0]); err != nil {
			return err
		}
		m, err := tx.Mail(inbox.MailID(binary.BigEndian.Uint64(e[0][8:])))
		if err == nil {
			err = tx.PutMail(m)
		}
		if err == nil && endedKey(m) != nil { // PutMail may think that it is there
			err = tx.index("mail_ended", endedKey(m), true)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// migrateFiled files mails on the server by mailbox, and by Mail.
func (tx *Tx) migrateFiled() error {
	for _, e := range tx.timed("mail_filed") {
		ref := e[0][8:]
		to := keyRef(ref)
		err := errors.Join(tx.bucket("mail_filed").Delete(e[0]),
			tx.bucket("mail_filed").Put(join(filedPrefix(to.Mailbox), e[0][:8], ref), e[1]),
			tx.bucket("mail_places").Put(join(e[1], ref), e[0][:8]))
		if err != nil {
			return err
		}
	}
	return nil
}
