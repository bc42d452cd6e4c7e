package state

// Revision gives a number that grows with everything that is stored, and with
// nothing else: whoever shows something learns from it that it may be another.
func (db *DB) Revision() (n uint64, err error) {
	err = db.View(func(tx *Tx) error { n = uint64(tx.tx.ID()); return nil })
	return n, err
}
