package state

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// dated opens a state whose Actions are due a while after they were received,
// and alarm an hour before.
func dated(t testing.TB, dir string, after time.Duration) *DB {
	t.Helper()
	db, err := Open(Config{Dir: dir, Dates: func(a *inbox.Action) {
		a.Due = a.Received.Add(after)
		a.Alarm = a.Due.Add(-time.Hour)
		if a.Alarmed == inbox.AlarmedSoon {
			a.Alarm = time.Time{}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// alarms gives the Actions of whose Due staff must hear.
func alarms(t *testing.T, db *DB) (ids string) {
	t.Helper()
	db.view(t, func(tx *Tx) error { ids = fmt.Sprint(tx.AlarmDue(9)); return nil })
	return ids
}

// TestDates: an Action has its dates whenever it is stored; what was told, or
// has ended, is not in the index; a state of before, or of another law, is
// brought up to date once.
func TestDates(t *testing.T) {
	dir := t.TempDir()
	old := openState(t, dir) // which dates nothing
	var a, b, c *inbox.Action
	old.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		m.Received = tx.Now
		a, b, c = addAction(t, tx, m, inbox.EventReview), addAction(t, tx, m, inbox.EventReview), addAction(t, tx, m, inbox.EventReview)
		return tx.Move(c, inbox.EventClose, "staff", nil)
	})
	if got := alarms(t, old); got != "[]" || !a.Due.IsZero() {
		t.Fatalf("alarms %s, due %s", got, a.Due)
	}
	shut(t, old)

	soon := dated(t, dir, 30*time.Minute)
	for n := 2; n >= 0; n -= 2 { // the open ones, then none
		soon.update(t, func(tx *Tx) error {
			ids, err := tx.Undated()
			if err != nil || len(ids) != n {
				t.Errorf("%v have other dates, %v; want %d", ids, err, n)
			}
			return tx.DateAnew(ids)
		})
	}
	if got := alarms(t, soon); got != "[A-000001 A-000002]" {
		t.Errorf("alarms %s", got)
	}
	soon.update(t, func(tx *Tx) error {
		x, err := tx.Action(a.ID)
		if err != nil {
			return err
		}
		x.Alarmed = inbox.AlarmedSoon
		return tx.PutAction(x)
	})
	if got := alarms(t, soon); got != "[A-000002]" {
		t.Errorf("one was told: alarms %s", got)
	}
	soon.update(t, func(tx *Tx) error {
		x, err := tx.Action(b.ID)
		if err != nil {
			return err
		}
		return tx.Move(x, inbox.EventClose, "staff", nil)
	})
	if got := alarms(t, soon); got != "[]" {
		t.Errorf("and one ended: alarms %s", got)
	}
	soon.view(t, func(tx *Tx) error {
		x, err := tx.Action(b.ID)
		if err == nil && (x.Due.IsZero() || !x.Alarm.IsZero()) {
			t.Errorf("what has ended is due %s, alarm %s", x.Due, x.Alarm)
		}
		return err
	})
}

// TestTheEndIsDatedOnce: an end closes what was waited for, and what is kept
// from then on knows it.
func TestTheEndIsDatedOnce(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Config{Dir: dir, Dates: func(a *inbox.Action) {
		a.Due = a.Received.Add(time.Hour)
		for _, w := range a.Waits {
			if !w.To.IsZero() {
				a.Due = a.Due.Add(w.To.Sub(w.From))
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var a *inbox.Action
	var want time.Time
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		m.Received = tx.Now
		a = addAction(t, tx, m, inbox.EventReview)
		a.Asked(inbox.WaitWords, tx.Now.Add(-5*time.Hour))
		return tx.PutAction(a)
	})
	db.update(t, func(tx *Tx) error {
		want = a.Received.Add(time.Hour + tx.Now.Sub(a.Waits[0].From))
		return tx.Move(a, inbox.EventClose, "dana", nil)
	})
	db.update(t, func(tx *Tx) error { return tx.PutAction(a) })
	if !a.Due.Equal(want) {
		t.Errorf("what ended is due %s, want %s", a.Due, want)
	}
}

// TestDateAnewKnowsWhoWasAsked: a state of before has no waits, but questions.
func TestDateAnewKnowsWhoWasAsked(t *testing.T) {
	db := newState(t)
	var asked, unasked inbox.ActionID
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		a, b := addAction(t, tx, m, inbox.EventAsk), addAction(t, tx, m, inbox.EventAsk)
		asked, unasked = a.ID, b.ID
		return errors.Join(
			tx.PutAsk(token, &Ask{Case: m.ID, Actions: []inbox.ActionID{a.ID}, Purpose: PurposeConfirm, Asked: tx.Now, Expires: tx.Now.Add(time.Hour)}),
			tx.PutAsk(token+"2", &Ask{Case: m.ID, Actions: []inbox.ActionID{b.ID}, Purpose: PurposeConfirm, Asked: tx.Now}),
			tx.DateAnew([]inbox.ActionID{a.ID, b.ID}), tx.DateAnew([]inbox.ActionID{a.ID, b.ID}))
	})
	db.view(t, func(tx *Tx) error {
		a, err := tx.Action(asked)
		b, err2 := tx.Action(unasked)
		if len(a.Waits) != 1 || a.Waits[0].For != inbox.WaitProof || !a.Waits[0].To.IsZero() || len(b.Waits) != 0 {
			t.Errorf("they waited %v and %v", a.Waits, b.Waits)
		}
		return errors.Join(err, err2)
	})
}

// BenchmarkAlarmDue: one look for alarms among 5,000 open Actions of which none
// is near reads none of them.
func BenchmarkAlarmDue(b *testing.B) {
	db := dated(b, b.TempDir(), 365*24*time.Hour)
	err := db.Update(b.Context(), "test", func(tx *Tx) error {
		for range 5000 {
			a := &inbox.Action{Kind: inbox.KindCopy, Received: tx.Now, Detail: &inbox.ActionDetail{}}
			if err := tx.NewAction(a, inbox.EventReview, "supportd"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		err := db.View(func(tx *Tx) error {
			if ids := tx.AlarmDue(1); len(ids) > 0 {
				b.Fatal(ids)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
