package state

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// TestKnownRecords: a transaction that reads and puts records again and again
// keeps their indexes as several do, whether it remembers them or not.
func TestKnownRecords(t *testing.T) {
	for name, between := range map[string]func(*Tx){
		"remembered": func(*Tx) {},
		"forgotten":  func(tx *Tx) { tx.actions, tx.mails, tx.replies = nil, nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			db := newState(t)
			var m *inbox.Mail
			var a *inbox.Action
			var r *inbox.Reply
			db.update(t, func(tx *Tx) error {
				m = addMail(t, tx, 1)
				a = addAction(t, tx, m, inbox.EventAsk)
				r = addReply(t, tx, m.ID)
				return nil
			})
			was := a.Detail.Address
			db.update(t, func(tx *Tx) error {
				for n := range 3 {
					again, err := tx.Action(a.ID)
					if err != nil {
						return err
					}
					again.Expires = tx.Now.Add(time.Duration(n) * time.Hour)
					again.Detail.Address = fmt.Sprintf("other-%d@users.test", n)
					mail, err := tx.Mail(m.ID)
					if err != nil {
						return err
					}
					mail.Ended = tx.Now.Add(time.Duration(n))
					reply, err := tx.Reply(r.ID)
					if err != nil {
						return err
					}
					reply.Next = tx.Now.Add(time.Duration(n))
					if err := errors.Join(tx.PutAction(again), tx.PutMail(mail), tx.PutReply(reply)); err != nil {
						return err
					}
					between(tx)
				}
				return nil
			})
			db.view(t, func(tx *Tx) error {
				for _, bucket := range []string{"action_states", "action_due", "action_persons", "mail_ended", "mail_states", "reply_due"} {
					if n := tx.bucket(bucket).Stats().KeyN; n != 1 {
						t.Errorf("%s has %d entries", bucket, n)
					}
				}
				found, err := tx.OpenActions("other-2@users.test")
				if err != nil || len(found) != 1 {
					t.Errorf("%d Actions under the last address: %v", len(found), err)
				}
				if found, err := tx.OpenActions(was); err != nil || len(found) != 0 {
					t.Errorf("%d Actions under the first address: %v", len(found), err)
				}
				return nil
			})
		})
	}
}

// TestKnownIsBounded: a transaction that walks through everything remembers a
// part of it, and one that only reads nothing.
func TestKnownIsBounded(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		for n := range uint64(3 * maxKnown) {
			tx.mails.note(tx, n, inbox.Mail{})
		}
		if n := len(tx.mails); n > maxKnown {
			t.Errorf("%d mails are remembered", n)
		}
		return nil
	})
	db.view(t, func(tx *Tx) error {
		if tx.mails.note(tx, 1, inbox.Mail{}); len(tx.mails) != 0 {
			t.Error("a transaction that only reads remembers a mail")
		}
		return nil
	})
}

// TestKnownAndDropped: a record that was dropped is put as a new one.
func TestKnownAndDropped(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		if err := tx.bucket("mails").Delete(be(uint64(m.ID))); err != nil {
			return err
		}
		if _, err := tx.storedMail(m.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("a mail that was dropped: %v", err)
		}
		return nil
	})
}

// TestReplyState: a letter that is put without its detail keeps it, whoever had
// it in hand.
func TestReplyState(t *testing.T) {
	db := newState(t)
	var r *inbox.Reply
	db.update(t, func(tx *Tx) error {
		r = addReply(t, tx, addMail(t, tx, 1).ID)
		return nil
	})
	detail := r.Detail.Text
	db.update(t, func(tx *Tx) error {
		plain, err := tx.ReplyState(r.ID)
		if err != nil || plain.Detail != nil {
			t.Fatalf("got %+v, %v", plain, err)
		}
		plain.State, plain.Detail = inbox.ReplySending, &inbox.ReplyDetail{Text: "not this"}
		return tx.PutReplyState(plain)
	})
	db.view(t, func(tx *Tx) error {
		got, err := tx.Reply(r.ID)
		if err == nil && (got.State != inbox.ReplySending || got.Detail == nil || got.Detail.Text != detail) {
			t.Errorf("got %+v, %+v", got, got.Detail)
		}
		return err
	})
}

// TestStatesOf: the states are those that are put, also within a transaction, in
// the order of the Actions and without those of another Case or that are gone.
func TestStatesOf(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		m, other := addMail(t, tx, 1), addMail(t, tx, 2)
		first, second, foreign := addAction(t, tx, m, inbox.EventAsk), addAction(t, tx, m, inbox.EventAsk), addAction(t, tx, other, inbox.EventAsk)
		if err := tx.Move(second, inbox.EventYes, "person", nil); err != nil {
			return err
		}
		m.Actions = []inbox.ActionID{second.ID, foreign.ID, 999, first.ID}
		for range 2 {
			got, err := tx.StatesOf(m)
			if err != nil || len(got) != 2 {
				t.Fatalf("%d Actions, %v", len(got), err)
			}
			if got[0].ID != first.ID || got[0].State != inbox.StateUnconfirmed || got[1].ID != second.ID || got[1].State != second.State || got[0].Detail != nil {
				t.Errorf("got %+v and %+v", got[0], got[1])
			}
			tx.actions = nil
		}
		return nil
	})
}
