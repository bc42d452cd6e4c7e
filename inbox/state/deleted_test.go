package state

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// took are steps of a delete of fields: the number that was shown is another
// than the one that was deleted, and of the names one follows the other.
var took = []inbox.Step{
	{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepClear, Old: "+7 701 000 00 00"},
	{Place: "profile", Field: inbox.FieldGender, Op: inbox.StepClear},
	{Place: "profile", Field: inbox.FieldFullName, Op: inbox.StepSet, Old: name, New: "Zhanna"},
	{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepClear, Old: "+7 701 111 11 11 "},
	{Place: "profile", Field: inbox.FieldPhone, Op: inbox.StepClear, Old: "+7 701 000 00 00"},
}

// keepDelete keeps a delete of a person that is carried out now.
func keepDelete(t *testing.T, tx *Tx, id inbox.ActionID, who string) *Deleted {
	t.Helper()
	d := &Deleted{Action: id, Effect: tx.EffectKey(id), Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Digest: "d",
		Person: who, Fields: []inbox.Field{inbox.FieldPhone, inbox.FieldGender}}
	if err := tx.AddDeleted(d, from, took); err != nil {
		t.Fatal(err)
	}
	return d
}

func deletedIDs(t *testing.T, db *DB, from time.Time, id inbox.ActionID, limit int) (ids []inbox.ActionID) {
	t.Helper()
	db.view(t, func(tx *Tx) error {
		all, err := tx.DeletedFrom(from, id, limit)
		for _, d := range all {
			ids = append(ids, d.Action)
		}
		return err
	})
	return ids
}

// TestDeletedOutlives: what it takes to repeat a delete is there when the keys
// of the person are dropped, and after a restart.
func TestDeletedOutlives(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	var put *Deleted
	db.update(t, func(tx *Tx) error {
		m := ended(t, tx, 1)
		put = keepDelete(t, tx, 7, person)
		return tx.Erase(m.ID, person, from)
	})
	over := erasable(t, db)
	if err := db.Forget(over); err != nil || len(over) != 1 {
		t.Fatal(over, err)
	}
	db.update(t, func(tx *Tx) error { return tx.Erased(over) })
	shut(t, db)
	db = openState(t, dir)
	db.update(t, func(tx *Tx) error {
		all, err := tx.DeletedFrom(time.Time{}, 0, 9)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		d := all[0]
		if d.Action != 7 || d.Effect != put.Effect || d.Scope != put.Scope || d.Person != person || !slices.Equal(d.Fields, put.Fields) || !d.At.Equal(put.At) {
			t.Errorf("kept is %+v", d)
		}
		d.Begun, d.BegunDigest = "key", "digest"
		return tx.PutDeleted(d)
	})
	db.view(t, func(tx *Tx) error {
		all, err := tx.DeletedFrom(time.Time{}, 0, 9)
		if err != nil || len(all) != 1 || all[0].Begun != "key" || all[0].BegunDigest != "digest" || !tx.db.SameAddress(all[0], from) ||
			!db.Took(all[0], inbox.FieldPhone, "+7 701 111 11 11") || db.Took(all[0], inbox.FieldPhone, "1") {
			t.Errorf("kept is %+v, %v", all, err)
		}
		return nil
	})
}

// TestTasksOutlive: a task of staff's own keeps no key of the person, is read
// without one, and names nobody when it has ended.
func TestTasksOutlive(t *testing.T) {
	db := newState(t)
	var task *inbox.Action
	db.update(t, func(tx *Tx) error {
		m := ended(t, tx, 1)
		task = addTask(t, tx, m)
		return tx.Erase(m.ID, person, from)
	})
	over := erasable(t, db)
	if len(over) != 1 {
		t.Fatalf("%v can go", over)
	}
	if err := db.Forget(over); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error { return tx.Erased(over) })
	db.update(t, func(tx *Tx) error {
		a, err := tx.Action(task.ID)
		if err != nil || a.Detail == nil || a.Detail.Task != task.Detail.Task {
			t.Fatalf("the task is %+v, %v", a, err)
		}
		return tx.Move(a, inbox.EventClose, "staff", map[string]string{"reason": "done"})
	})
	db.view(t, func(tx *Tx) error {
		a, err := tx.Action(task.ID)
		if err != nil || a.Detail == nil || a.Detail.Task != "" || a.Detail.Person != "" {
			t.Errorf("what has ended is %+v, %v", a.Detail, err)
		}
		reason := ""
		log := tx.EachEntry(1, func(e journal.Entry, detail []byte) error {
			if e.What == string(inbox.EventClose) {
				reason = string(detail)
			}
			return nil
		})
		if reason != `{"reason":"done"}` {
			t.Errorf("the journal says %q", reason)
		}
		return log
	})
}

// TestSameAddress: addresses are compared as everywhere, and tell nothing about
// another person.
func TestSameAddress(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		d, other := keepDelete(t, tx, 1, person), keepDelete(t, tx, 2, "another")
		for addr, want := range map[string]bool{
			from: true, "zhanna.planted@EXAMPLE.org": true, " " + from: true,
			"Zhanna.planted@example.org": false, "bob@example.org": false, "": false, "nobody": false,
		} {
			if got := tx.db.SameAddress(d, addr); got != want {
				t.Errorf("%q: %t", addr, got)
			}
		}
		if slices.Equal(d.address, other.address) {
			t.Error("two people with one address have one hash")
		}
		none := &Deleted{Action: 3, Person: person}
		err := tx.AddDeleted(none, "no address", nil)
		if tx.db.SameAddress(none, "no address") || tx.db.SameAddress(none, "") {
			t.Error("what is no address is the same as something")
		}
		return err
	})
}

// TestTook: a value that was deleted is known again, and nothing else is.
func TestTook(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		d := keepDelete(t, tx, 1, person)
		for _, c := range []struct {
			field inbox.Field
			value string
			want  bool
		}{
			{inbox.FieldPhone, "+7 701 000 00 00", true},
			{inbox.FieldPhone, "+7 701 111 11 11", true},
			{inbox.FieldPhone, "\t+7 701 111 11 11\n", true},
			{inbox.FieldPhone, "+77011111111", false},
			{inbox.FieldPhone, "", false},
			{inbox.FieldGender, "+7 701 111 11 11", false},
			{inbox.FieldGender, "", false}, // it held nothing
			{inbox.FieldFullName, name, false},
		} {
			if got := db.Took(d, c.field, c.value); got != c.want {
				t.Errorf("%s %q: %t", c.field, c.value, got)
			}
		}
		if got := d.Cleared(); !slices.Equal(got, []inbox.Field{inbox.FieldPhone}) {
			t.Errorf("cleared are %q", got)
		}
		seen := map[string]bool{}
		for _, d := range []*Deleted{d, keepDelete(t, tx, 2, "another")} {
			for _, f := range []inbox.Field{inbox.FieldPhone, inbox.FieldGender} {
				seen[string(db.tookHash(d, f, "1"))] = true
			}
		}
		if len(seen) != 4 || len(d.took) != 2 {
			t.Errorf("%d hashes of one value for two people and fields; %d are kept of two values", len(seen), len(d.took))
		}
		account := &Deleted{Action: 3, Scope: inbox.ScopeAccount, Person: person}
		err := tx.AddDeleted(account, from, took)
		if account.took != nil {
			t.Error("of an account values are kept")
		}
		return err
	})
}

// TestDeletedInOrder: they are read from any moment on, page by page, and
// forgotten from the oldest on, so many at a time.
func TestDeletedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		var at []time.Time
		for n := range inbox.ActionID(4) {
			db.update(t, func(tx *Tx) error {
				d := keepDelete(t, tx, 2*n+1, person) // two in one commit
				at = append(at, d.At)
				keepDelete(t, tx, 2*n+2, person)
				return nil
			})
			time.Sleep(time.Hour)
		}
		for _, c := range []struct {
			from  time.Time
			id    inbox.ActionID
			limit int
			want  []inbox.ActionID
		}{
			{time.Time{}, 0, 99, []inbox.ActionID{1, 2, 3, 4, 5, 6, 7, 8}},
			{time.Time{}, 0, 3, []inbox.ActionID{1, 2, 3}},
			{at[1], 0, 99, []inbox.ActionID{3, 4, 5, 6, 7, 8}},
			{at[1], 4, 2, []inbox.ActionID{4, 5}},
			{at[1], 5, 2, []inbox.ActionID{5, 6}},
			{at[1].Add(1), 0, 1, []inbox.ActionID{5}},
			{time.Now(), 0, 99, nil},
		} {
			if got := deletedIDs(t, db, c.from, c.id, c.limit); !slices.Equal(got, c.want) {
				t.Errorf("from %s %s: %v, want %v", c.from, c.id, got, c.want)
			}
		}
		db.update(t, func(tx *Tx) error {
			if tx.DeletedBefore(at[0]) || !tx.DeletedBefore(at[0].Add(1)) {
				t.Error("the oldest is not where it is")
			}
			return errors.Join(tx.ForgetDeleted(at[0], 99), tx.ForgetDeleted(at[2], 3))
		})
		if got := deletedIDs(t, db, time.Time{}, 0, 99); !slices.Equal(got, []inbox.ActionID{4, 5, 6, 7, 8}) {
			t.Errorf("left is %v", got)
		}
		db.update(t, func(tx *Tx) error { return tx.ForgetDeleted(at[2], 99) })
		if got := deletedIDs(t, db, time.Time{}, 0, 99); !slices.Equal(got, []inbox.ActionID{5, 6, 7, 8}) {
			t.Errorf("left is %v", got)
		}
	})
}
