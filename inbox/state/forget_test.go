package state

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
)

// ended stores a Mail whose Case had nothing open any more, now.
func ended(t *testing.T, tx *Tx, uid uint32) *inbox.Mail {
	t.Helper()
	m := addMail(t, tx, uid)
	m.Ended = tx.Now
	if err := tx.PutMail(m); err != nil {
		t.Fatal(err)
	}
	return m
}

func erasable(t *testing.T, db *DB) (cases []inbox.MailID) {
	t.Helper()
	db.view(t, func(tx *Tx) (err error) { cases, err = tx.Erasable(100); return err })
	slices.Sort(cases)
	return cases
}

// TestErase: the keys of somebody whose account was deleted go one by one, as
// the letters and Actions under them end; nothing that is open is lost.
func TestErase(t *testing.T) {
	db := newState(t)
	var letter *inbox.Reply
	var question *inbox.Action
	db.update(t, func(tx *Tx) error {
		ended(t, tx, 1)
		m := ended(t, tx, 2)
		letter = addReply(t, tx, m.ID)
		question = addAction(t, tx, addMail(t, tx, 3), inbox.EventReview)
		return tx.Erase(m.ID, person, from)
	})
	forget := func(want ...inbox.MailID) {
		t.Helper()
		got := erasable(t, db)
		if !slices.Equal(got, want) {
			t.Fatalf("%v can go, want %v", got, want)
		}
		if err := db.Forget(got); err != nil {
			t.Fatal(err)
		}
		db.update(t, func(tx *Tx) error { return tx.Erased(got) })
	}
	forget(1)
	forget() // not a second time
	db.update(t, func(tx *Tx) error { return endReply(tx, letter.ID) })
	forget(2)
	db.update(t, func(tx *Tx) error { return tx.Move(question, inbox.EventAnswer, "staff", nil) })
	forget(3)
	db.update(t, func(tx *Tx) error {
		if left := append(tx.Tied(TiePerson, person), tx.Tied(TieAddress, from)...); len(left) != 0 {
			t.Errorf("%v are tied still", left)
		}
		if k, _ := tx.bucket("erasures").Cursor().First(); k != nil {
			t.Error("the erasure did not end")
		}
		if k, _ := tx.bucket("mail_ended").Cursor().First(); k != nil {
			t.Errorf("retention will forget %x again", k)
		}
		ended(t, tx, 4) // somebody has the address again
		return nil
	})
	forget()
}

// TestErasedBetween: a mail that comes in while keys are dropped is not
// forgotten unseen.
func TestErasedBetween(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error { return tx.Erase(ended(t, tx, 1).ID, person, from) })
	got := erasable(t, db)
	db.update(t, func(tx *Tx) error { ended(t, tx, 2); return nil })
	if err := db.Forget(got); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error { return tx.Erased(got) })
	if next := erasable(t, db); !slices.Equal(got, []inbox.MailID{1}) || !slices.Equal(next, []inbox.MailID{2}) {
		t.Errorf("first %v, then %v", got, next)
	}
}

// TestEraseOthers: other people keep what they have.
func TestEraseOthers(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		m := ended(t, tx, 1)
		other, err := tx.NewMailID()
		if err != nil {
			return err
		}
		if err := tx.PutMail(&inbox.Mail{ID: other, Ended: tx.Now, Detail: &inbox.MailDetail{Text: "mine"}}); err != nil {
			return err
		}
		if err := tx.Tie(TieAddress, "bob@example.org", other); err != nil {
			return err
		}
		return tx.Erase(m.ID, person, from)
	})
	if got := erasable(t, db); !slices.Equal(got, []inbox.MailID{1}) {
		t.Errorf("%v can go", got)
	}
}

// TestForgettable: retention is over a time after the end, unless a letter is
// owed; what is kept longer does not hide what is not.
func TestForgettable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		var owed *inbox.Reply
		db.update(t, func(tx *Tx) error {
			for n := range uint32(10) {
				ended(t, tx, n+1)
			}
			m := ended(t, tx, 11)
			owed = addReply(t, tx, m.ID)
			addMail(t, tx, 12) // not ended
			return nil
		})
		time.Sleep(time.Hour)
		db.update(t, func(tx *Tx) error { ended(t, tx, 13); return nil }) // too young
		var walk Walk
		list := func(limit int) (ids []inbox.MailID) {
			db.view(t, func(tx *Tx) (err error) {
				ids, err = tx.Forgettable(&walk, func(inbox.End) time.Duration { return time.Minute }, limit)
				return err
			})
			return ids
		}
		if got := list(100); len(got) != 10 || slices.Contains(got, owed.Case) {
			t.Errorf("%v can go", got)
		}
		if got := list(3); !slices.Equal(got, []inbox.MailID{1, 2, 3}) {
			t.Errorf("of three %v can go", got)
		}
		if got := list(3); !slices.Equal(got, []inbox.MailID{4, 5, 6}) {
			t.Errorf("of three more %v can go", got)
		}
		walk = Walk{}
		db.update(t, func(tx *Tx) error { return endReply(tx, owed.ID) })
		over := list(100)
		if !slices.Contains(over, owed.Case) {
			t.Errorf("%v can go", over)
		}
		if err := db.Forget(over); err != nil {
			t.Fatal(err)
		}
		db.update(t, func(tx *Tx) error { return tx.Forgotten(over) })
		if again := list(100); len(again) != 0 {
			t.Errorf("%v are forgotten twice", again)
		}
	})
}
