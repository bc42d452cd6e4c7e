package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// WalkJournal calls f for the journal's entries from number from on, or back
// from it; see journal.Walk.
func (tx *Tx) WalkJournal(from uint64, back bool, f func(journal.Link) (more bool, err error)) error {
	return journal.Walk(tx.tx, from, back, f)
}

// JournalAt reads one entry; ErrNotFound when there is none of that number.
func (tx *Tx) JournalAt(seq uint64) (journal.Link, error) {
	l, ok, err := journal.At(tx.tx, seq)
	if err == nil && !ok {
		err = fmt.Errorf("journal entry %d: %w", seq, ErrNotFound)
	}
	return l, err
}

// JournalDetail reads the detail of an entry as JSON; nil when there is none.
func (tx *Tx) JournalDetail(e journal.Entry) (detail []byte, forgotten bool) {
	return journal.Detail(tx.tx, e, tx.unsealJournal)
}

// JournalOf lists the numbers of the entries about a Case and its Actions,
// oldest first.
func (tx *Tx) JournalOf(c inbox.MailID) ([]uint64, error) {
	all := tx.entriesOf(caseThing(c))
	m, err := tx.Mail(c)
	if errors.Is(err, ErrNotFound) && len(all) > 0 {
		return all, nil // its records were dropped, and these are left
	}
	if err != nil {
		return nil, err
	}
	acts, err := tx.Actions(m.Actions)
	if err != nil {
		return nil, err
	}
	for _, a := range acts {
		if a.Case == c {
			all = append(all, tx.entriesOf(actionThing(a.ID))...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// JournalOfAction lists the numbers of the entries about an Action, oldest
// first.
func (tx *Tx) JournalOfAction(id inbox.ActionID) []uint64 { return tx.entriesOf(actionThing(id)) }

func (tx *Tx) entriesOf(thing []byte) (seqs []uint64) {
	c := tx.bucket("journal_of").Cursor()
	for k, _ := c.Seek(thing); len(k) == len(thing)+8 && bytes.HasPrefix(k, thing); k, _ = c.Next() {
		seqs = append(seqs, binary.BigEndian.Uint64(k[len(thing):]))
	}
	return seqs
}

// thingsOf gives what an entry is about.
func thingsOf(e journal.Entry) (things [][]byte) {
	if e.Case != 0 {
		things = append(things, caseThing(e.Case))
	}
	if e.Action != 0 {
		things = append(things, actionThing(e.Action))
	}
	return things
}

// indexEntry files an entry under what it is about.
func (tx *Tx) indexEntry(e journal.Entry) error { return tx.setEntry(e, true) }

// unindexEntry takes an entry out of the index that is dropped.
func (tx *Tx) unindexEntry(e journal.Entry) error { return tx.setEntry(e, false) }

func (tx *Tx) setEntry(e journal.Entry, present bool) error {
	for _, thing := range thingsOf(e) {
		if err := tx.index("journal_of", join(thing, be(e.Seq)), present); err != nil {
			return fmt.Errorf("indexing journal entry %d: %w", e.Seq, err)
		}
	}
	return nil
}

// logBatch is how many entries of a journal without an index are indexed in
// one transaction.
const logBatch = 20_000

// keyUnindexed stands while a journal from before there was an index is being
// indexed, and says up to which entry it is.
const keyUnindexed = "journal_indexed"

// indexJournal ends the indexing of the journal, if it was begun. Cut short,
// it goes on at the next opening.
func (db *DB) indexJournal() error {
	for more := true; more; {
		err := db.bolt.Update(func(t *bolt.Tx) (err error) { more, err = db.indexSome(t); return err })
		if err != nil {
			return fmt.Errorf("indexing the journal: %w", err)
		}
	}
	return nil
}

func (db *DB) indexSome(t *bolt.Tx) (more bool, err error) {
	meta := t.Bucket(bucketMeta)
	if meta.Get([]byte(keyUnindexed)) == nil {
		return false, nil
	}
	tx, done, n := &Tx{tx: t, db: db, Now: time.Now()}, metaUint(meta, keyUnindexed), 0
	err = tx.WalkJournal(done+1, false, func(l journal.Link) (bool, error) {
		done, n = l.Seq, n+1
		return n < logBatch, tx.indexEntry(l.Entry)
	})
	if err != nil {
		return false, err
	}
	if n < logBatch {
		return false, meta.Delete([]byte(keyUnindexed))
	}
	return true, putMeta(meta, keyUnindexed, done)
}
