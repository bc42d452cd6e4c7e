package state

import (
	"bytes"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

var bucketAttached = []byte("attached")

// Small tells whether a file is kept in state.db (Tx.SaveAttached) rather than
// beside it: it then costs nothing but its part of a commit.
func Small(b []byte) bool { return len(b) <= inlineMax }

// SaveAttached seals a small file into state.db, for a Reply. LoadFile reads it.
func (tx *Tx) SaveAttached(c inbox.MailID, name string, b []byte) error {
	sealed, err := tx.db.keys.seal(c, "file "+name, b)
	if err != nil {
		return err
	}
	if err := tx.tx.Bucket(bucketAttached).Put([]byte(name), sealed); err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	return nil
}

// DropAttached forgets a file that SaveAttached kept; one that is not there is
// no error.
func (tx *Tx) DropAttached(name string) error {
	return tx.tx.Bucket(bucketAttached).Delete([]byte(name))
}

// attached gives the sealed bytes of a file that is kept in state.db, or nil.
func (db *DB) attached(name string) (sealed []byte, err error) {
	err = db.read(func(tx *bolt.Tx) error {
		sealed = bytes.Clone(tx.Bucket(bucketAttached).Get([]byte(name)))
		return nil
	})
	return sealed, err
}

// dropAttached is DropAttached in a commit of its own, where there is anything
// to drop.
func (db *DB) dropAttached(name string) error {
	sealed, err := db.attached(name)
	if err != nil || sealed == nil {
		return err
	}
	const what = "drop file"
	if err := db.begin(what); err != nil {
		return err
	}
	defer db.writing.Unlock()
	err = db.bolt.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketAttached).Delete([]byte(name)) })
	if err != nil {
		return db.unwritten(what, err)
	}
	db.wrote(nil)
	return nil
}

// strayAttached lists the files in state.db that nothing needs any more.
func (tx *Tx) strayAttached() (stray []string, err error) {
	c := tx.tx.Bucket(bucketAttached).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		needed, failure := tx.needed(string(k))
		err = errors.Join(err, failure)
		if !needed && failure == nil {
			stray = append(stray, string(k))
		}
	}
	return stray, err
}
