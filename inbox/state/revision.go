package state

import bolt "go.etcd.io/bbolt"

// Revision gives a number that grows with everything that is stored, and with
// nothing else: whoever shows something learns from it that it may be another.
func (db *DB) Revision() (n uint64, err error) {
	file, past, done := db.hold()
	defer done()
	err = file.View(func(tx *bolt.Tx) error { n = past + uint64(tx.ID()); return nil })
	return n, err
}
