package cases

import (
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// TestHoldAll: after a restore nothing that is open goes on by itself, also
// not what the copy says was running; resuming puts everything back.
func TestHoldAll(t *testing.T) {
	db, err := state.Open(state.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	paths := []struct {
		events []inbox.Event
		held   inbox.State // in which state it is after HoldAll
		back   inbox.State // and after Resume
	}{
		{[]inbox.Event{inbox.EventReview}, inbox.StateHeld, inbox.StateReview},
		{[]inbox.Event{inbox.EventAsk}, inbox.StateHeld, inbox.StateUnconfirmed},
		{[]inbox.Event{inbox.EventAccept}, inbox.StateHeld, inbox.StateScheduled},
		{[]inbox.Event{inbox.EventAccept, inbox.EventStart}, inbox.StateHeld, inbox.StateScheduled},
		{[]inbox.Event{inbox.EventAccept, inbox.EventHold}, inbox.StateHeld, inbox.StateHeld}, // staff's own hold stays
		{[]inbox.Event{inbox.EventAccept, inbox.EventStart, inbox.EventFail}, inbox.StateFailed, inbox.StateFailed},
		{[]inbox.Event{inbox.EventAccept, inbox.EventStart, inbox.EventDone}, inbox.StateDone, inbox.StateDone},
	}
	k := &Keeper{}
	check := func(when string, want func(i int) inbox.State, paused bool) {
		t.Helper()
		err := db.View(func(tx *state.Tx) error {
			for i := range paths {
				a, err := tx.Action(inbox.ActionID(i + 1))
				if err != nil {
					return err
				}
				if a.State != want(i) {
					t.Errorf("%s: %v is %s, want %s", when, paths[i].events, a.State, want(i))
				}
			}
			if effects, replies := tx.Paused(); effects != paused || replies != paused {
				t.Errorf("%s: effects paused %t, replies paused %t", when, effects, replies)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []func(tx *state.Tx) error{
		func(tx *state.Tx) error {
			id, err := tx.NewMailID()
			if err != nil {
				return err
			}
			for _, p := range paths {
				a := &inbox.Action{Case: id, Kind: inbox.KindDelete, Detail: &inbox.ActionDetail{Address: "alice@example.org"}}
				if err := tx.NewAction(a, p.events[0], Program); err != nil {
					return err
				}
				for _, e := range p.events[1:] {
					if err := tx.Move(a, e, Program, nil); err != nil {
						return err
					}
				}
			}
			return nil
		},
		k.HoldAll,
	} {
		if err := db.Update(t.Context(), "test", f); err != nil {
			t.Fatal(err)
		}
	}
	check("held", func(i int) inbox.State { return paths[i].held }, true)
	if err := db.Update(t.Context(), "resume", func(tx *state.Tx) error { return k.Resume(tx, "staff") }); err != nil {
		t.Fatal(err)
	}
	check("resumed", func(i int) inbox.State { return paths[i].back }, false)
}
