package queue

import (
	"context"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// How much one call of Tidy does.
const (
	forgetEach   = 1024 // cases whose keys are dropped: keys.db is rewritten once for them
	sweepEach    = 2048 // entries of each bucket that are looked at
	segmentsEach = 4    // of the journal
)

func (q *Queue) erase(ctx context.Context) error {
	var over []inbox.MailID
	err := q.State.View(func(tx *state.Tx) (err error) { over, err = tx.Erasable(forgetEach); return err })
	if err != nil || len(over) == 0 {
		return err
	}
	lost, err := q.eraseMails(ctx, over)
	if err != nil {
		return err
	}
	if err := q.State.Forget(over); err != nil {
		return err
	}
	return q.State.Update(ctx, "erase", func(tx *state.Tx) error {
		for _, id := range lost { // here, because until here all is done once more after a failure
			if err := q.Cases.Notify(tx, "a mail of somebody whose account was deleted is still on the server: it did not say where it filed it", id); err != nil {
				return err
			}
		}
		return tx.Erased(over)
	})
}

// eraseMails notes which mails of deleted people are to be taken off the server,
// while it can still be read whose they are, and gives the Cases whose mail
// cannot be found there.
func (q *Queue) eraseMails(ctx context.Context, over []inbox.MailID) (lost []inbox.MailID, err error) {
	var noted int
	look := func(tx *state.Tx) (err error) { noted, lost, err = tx.EraseMails(over, q.Erase, true); return err }
	if err := q.State.View(look); err != nil || noted == 0 {
		return lost, err
	}
	return lost, q.State.Update(ctx, "erase mails", func(tx *state.Tx) error { _, _, err := tx.EraseMails(over, q.Erase, false); return err })
}

func (q *Queue) forget(ctx context.Context) error {
	var over []inbox.MailID
	err := q.State.View(func(tx *state.Tx) (err error) { over, err = tx.Forgettable(&q.walk, q.Keep, forgetEach); return err })
	if err != nil || len(over) == 0 {
		return err
	}
	if err := q.State.Forget(over); err != nil {
		return err
	}
	return q.State.Update(ctx, "forget", func(tx *state.Tx) error { return tx.Forgotten(over) })
}

// recordsBefore is the time before which records are dropped; zero: none are.
func (q *Queue) recordsBefore() time.Time {
	if q.Records == 0 {
		return time.Time{}
	}
	return q.State.Now().Add(-q.Records)
}

// dropRecords drops what is left of cases that were forgotten long ago.
func (q *Queue) dropRecords(ctx context.Context) error {
	found := false
	err := q.State.View(func(tx *state.Tx) (err error) { found, err = tx.Sweep(q.recordsBefore(), sweepEach, true); return err })
	if err != nil || !found {
		return err
	}
	return q.State.Update(ctx, "sweep", func(tx *state.Tx) error { _, err := tx.Sweep(q.recordsBefore(), sweepEach, false); return err })
}

// dropJournal drops entries that are as old, in whole segments.
func (q *Queue) dropJournal(ctx context.Context) error {
	for range segmentsEach {
		before, could := q.recordsBefore(), false
		err := q.State.View(func(tx *state.Tx) (err error) { could, err = tx.JournalDroppable(before); return err })
		if err != nil || !could {
			return err
		}
		if err := q.State.Update(ctx, "drop journal", func(tx *state.Tx) error { _, err := tx.DropJournal(before); return err }); err != nil {
			return err
		}
	}
	return nil
}
