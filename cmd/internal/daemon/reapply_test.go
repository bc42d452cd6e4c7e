package daemon_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/queue"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
)

// offline runs f while the daemon is stopped.
func (s *scene) offline(f func()) {
	s.t.Helper()
	s.stop()
	if err := s.d.Close(); err != nil {
		s.t.Fatal(err)
	}
	f()
	s.open()
	s.start()
}

// saved gives the user store as a backup of the site has it.
func (s *scene) saved() (store []byte) {
	s.t.Helper()
	s.offline(func() {
		var err error
		if store, err = os.ReadFile(s.cfg.Users.Path); err != nil {
			s.t.Fatal(err)
		}
	})
	return store
}

// restored puts a backup of the user store back.
func (s *scene) restored(store []byte) {
	s.t.Helper()
	s.offline(func() {
		if err := os.WriteFile(s.cfg.Users.Path, store, 0o600); err != nil {
			s.t.Fatal(err)
		}
	})
}

// reapply repeats deletes and compares what came of each, as "person result".
func (s *scene) reapply(since time.Time, dry bool, want ...string) []review.Repetition {
	s.t.Helper()
	all := list[review.Repetition](s.place, control.Call{Verb: "users reapply", Since: since, DryRun: dry})
	synctest.Wait()
	var got []string
	for _, r := range all {
		got = append(got, r.Person+" "+string(r.Result))
	}
	if !slices.Equal(got, want) {
		s.t.Fatalf("repeated: %q, want %q; %+v", got, want, all)
	}
	return all
}

// deleted has bob's account and kate's phone number deleted, and gives the user
// store from before.
func (s *scene) deleted() (before []byte, at time.Time) {
	s.t.Helper()
	before, at = s.saved(), time.Now()
	s.leaving()
	s.write(kate, "phone", "Please remove my phone number.")
	s.answer(s.letter("confirm", kate), "Yes")
	s.letter("result", kate)
	s.passes(coolOff)
	s.letter("result", bob)
	s.passes(time.Hour) // the keys of a person whose account was deleted are dropped
	if a := s.action("A-1"); !s.gone("u-bob") || !a.Forgotten {
		s.t.Fatalf("bob is not forgotten: %+v", a)
	}
	s.holds("u-kate", inbox.FieldPhone, "")
	return before, at
}

// entries gives the journal as "what action detail".
func (s *scene) entries() (out []string) {
	s.t.Helper()
	s.offline(func() {
		db, err := state.Open(state.Config{Dir: s.cfg.StateDir})
		if err != nil {
			s.t.Fatal(err)
		}
		err = db.View(func(tx *state.Tx) error {
			return tx.EachEntry(1, func(e journal.Entry, detail []byte) error {
				out = append(out, e.What+" "+e.Action.String()+" "+string(detail))
				return nil
			})
		})
		if err := errors.Join(err, db.Close()); err != nil {
			s.t.Fatal(err)
		}
	})
	return out
}

func count(all []string, what string) (n int) {
	for _, s := range all {
		if strings.HasPrefix(s, what) {
			n++
		}
	}
	return n
}

// A site that restores a backup brings back who was deleted since. They are
// deleted again, each time, whatever the backup knows of it.
func TestReapply(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		before, at := s.deleted()
		phone := func(want string) { s.t.Helper(); s.holds("u-kate", inbox.FieldPhone, want) }
		s.reapply(at, false, "u-kate already", "u-bob already")

		s.restored(before)
		held := s.person("u-kate").Fields[inbox.FieldPhone]
		if held == "" || s.gone("u-bob") {
			t.Fatal("the backup brought nothing back")
		}
		s.reapply(at, true, "u-kate due", "u-bob due")
		s.stays("u-bob")
		phone(held)
		s.reapply(at, false, "u-kate reapplied", "u-bob reapplied")
		phone("")
		if !s.gone("u-bob") {
			t.Error("bob is there still")
		}
		s.reapply(at, false, "u-kate already", "u-bob already")
		s.reapply(time.Now(), false)

		s.restored(before) // once more: it does not know the repetition either
		s.reapply(at, false, "u-kate reapplied", "u-bob reapplied")

		// A backup of the people alone: the store knows the effect and its repetition.
		s.records(`{"id":"u-bob","email":"bob@users.test","events":[{"at":"2026-01-02T03:04:05Z","page":"/"}]}` + "\n" +
			`{"id":"u-kate","phone":"` + held + `"}`)
		s.reapply(at, false, "u-kate reapplied", "u-bob reapplied")
		phone("")
		if !s.gone("u-bob") {
			t.Error("bob is there still")
		}
		s.silence(bob, kate, staff)
		log := s.entries()
		for _, want := range []string{"reapply A-000001", "reapplied A-000001", "reapply A-000002", "reapplied A-000002"} {
			if n := count(log, want); n != 3 {
				t.Errorf("%q stands %d times in the journal, want 3", want, n)
			}
		}
	})
}

// What was deleted before the backup was made is not touched, and who came
// after it is nobody's to delete.
func TestReapplySince(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		_, _ = s.deleted()
		s.records(`{"id":"u-bob","email":"bob@users.test"}`)
		s.reapply(time.Now(), false)
		s.stays("u-bob")
	})
}

// A run that was cut short between the store's commit and ours is brought to
// its end by the next, which does nothing twice.
func TestReapplyCutShort(t *testing.T) {
	u := &unreliable{}
	cut := false
	set := setup{opt: daemon.Options{Perform: func(next queue.Performer) queue.Performer {
		u.Performer = performerFunc(func(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
			out, err := next.Perform(ctx, job)
			if err == nil && cut {
				return inbox.Outcome{}, inbox.Temporary(errors.New("connection reset"))
			}
			return out, err
		})
		return u
	}}}
	inScene(t, set, func(s *scene) {
		before, at := s.deleted()
		s.restored(before)
		cut = true
		if got := s.reapply(at, false, "u-kate failed", "u-bob failed"); !strings.Contains(got[0].Error, "connection reset") {
			t.Errorf("it failed with %q", got[0].Error)
		}
		if !s.gone("u-bob") {
			t.Fatal("the store did not do it")
		}
		s.reapply(at, true, "u-kate due", "u-bob due") // the site may not have been told
		cut, u.jobs = false, nil
		s.reapply(at, false, "u-kate reapplied", "u-bob reapplied")
		for _, job := range u.jobs {
			if !job.Ask || !strings.HasSuffix(job.EffectKey, "-again-1") {
				t.Errorf("the second run did not ask what the first had done: %+v", job)
			}
		}
		s.reapply(at, false, "u-kate already", "u-bob already")

		cut = true
		s.restored(before)
		s.reapply(at, false, "u-kate failed", "u-bob failed")
		s.restored(before) // and again before anybody has asked
		cut = false
		s.reapply(at, false, "u-kate reapplied", "u-bob reapplied")
		if !s.gone("u-bob") {
			t.Error("bob is there still")
		}
	})
}

// The store does not answer: nothing is lost, the next run does it.
func TestReapplyWhileTheStoreIsDown(t *testing.T) {
	u := &unreliable{}
	inScene(t, u.over(), func(s *scene) {
		before, at := s.deleted()
		s.restored(before)
		u.script(func(inbox.Job, int) error { return inbox.Temporary(errors.New("the database is restarting")) })
		s.reapply(at, false, "u-kate failed", "u-bob failed")
		s.stays("u-bob")
		u.script(nil)
		s.reapply(at, false, "u-kate reapplied", "u-bob reapplied")
		if log := s.entries(); count(log, "not reapplied A-000001") != 1 {
			t.Error("the failure does not stand in the journal")
		}
	})
}

// A restored database may give an ID anew: whoever has another address is
// somebody else, and staff are told.
func TestReapplySparesOthers(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		_, at := s.deleted()
		s.records(`{"id":"u-bob","email":"zoe@users.test","phone":"+77010000009"}`)
		got := s.reapply(at, false, "u-kate already", "u-bob other-person")
		s.holds("u-bob", inbox.FieldPhone, "+77010000009")
		d := s.letter("staff-notice", staff)
		for _, want := range []string{"u-bob", "A-000001"} {
			if !strings.Contains(d.Text(), want) {
				t.Errorf("staff are not told %s:\n%s", want, d.Text())
			}
		}
		if effect := got[1].Effect; !strings.Contains(strings.Join(strings.Fields(d.Text()), ""), effect) {
			t.Errorf("staff are not told the effect %s:\n%s", effect, d.Text())
		}
		s.silence(staff)
		s.reapply(at, true, "u-kate already", "u-bob other-person")
		s.silence(staff) // who only looks tells nobody
	})
}

// What somebody has given anew since is theirs: only the value that was deleted
// is deleted again, and who only looks is told the same.
func TestReapplySparesNewValues(t *testing.T) {
	const given = "+77010000077"
	inScene(t, setup{}, func(s *scene) {
		before, at := s.deleted()
		s.restored(before)
		held := s.person("u-kate").Fields[inbox.FieldPhone]
		phone := func(v string) { s.t.Helper(); s.records(`{"id":"u-kate","phone":"` + v + `"}`) }

		phone(given)
		for _, got := range [][]review.Repetition{
			s.reapply(at, true, "u-kate other-value", "u-bob due"), s.reapply(at, false, "u-kate other-value", "u-bob reapplied"),
		} {
			if !slices.Equal(got[0].LeftAlone, []inbox.Field{inbox.FieldPhone}) || len(got[1].LeftAlone) != 0 {
				t.Errorf("left alone is %+v", got)
			}
			s.holds("u-kate", inbox.FieldPhone, given)
		}
		s.silence(staff)
		for _, entry := range s.entries() {
			if strings.Contains(entry, "reapp") && (strings.Contains(entry, given) || strings.Contains(entry, held)) {
				t.Errorf("a value stands in %s", entry)
			}
		}

		phone(" " + held + "  ")
		s.reapply(at, false, "u-kate reapplied", "u-bob already")
		s.holds("u-kate", inbox.FieldPhone, "")

		s.records(`{"id":"u-kate","email":"zoe@users.test","phone":"` + given + `"}`) // whose ID it is comes first
		s.reapply(at, true, "u-kate other-person", "u-bob already")
	})
}

// The value that was shown and the one that was there when it was done are both
// deleted. When the answer of the store was lost, only the first is known.
func TestReapplyKnowsWhatWasShown(t *testing.T) {
	const later = "+77010000088"
	for _, lost := range []bool{false, true} {
		u := &unreliable{}
		cut := lost
		set := setup{opt: daemon.Options{Perform: func(next queue.Performer) queue.Performer {
			u.Performer = performerFunc(func(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
				out, err := next.Perform(ctx, job)
				if err == nil && cut {
					cut = false
					return inbox.Outcome{}, &inbox.InDoubtError{Err: inbox.Temporary(errors.New("connection reset"))}
				}
				return out, err
			})
			return u
		}}}
		inScene(t, set, func(s *scene) {
			shown, at := s.person("u-kate").Fields[inbox.FieldPhone], time.Now()
			phone := func(v string) { s.t.Helper(); s.records(`{"id":"u-kate","phone":"` + v + `"}`) }
			s.write(kate, "phone", "Please remove my phone number.")
			question := s.letter("confirm", kate)
			phone(later)
			s.answer(question, "Yes")
			s.passes(time.Minute)
			s.letter("result", kate)

			phone(shown)
			s.reapply(at, false, "u-kate reapplied")
			phone(later)
			if lost {
				s.reapply(at, false, "u-kate other-value")
				return
			}
			s.reapply(at, false, "u-kate reapplied")
		})
	}
}

// What is kept to repeat deletes is forgotten in time, and nobody is left to
// believe that all was done.
func TestReapplyForgets(t *testing.T) {
	inScene(t, setup{more: "[users]\nreapply = \"30d\"\n"}, func(s *scene) {
		before, at := s.deleted()
		s.passes(29 * 24 * time.Hour)
		s.reapply(at, false, "u-kate already", "u-bob already")
		s.passes(2 * 24 * time.Hour)
		s.restored(before)
		err := s.call(control.Call{Verb: "users reapply", Since: at})
		if err == nil || !strings.Contains(err.Error(), "is not known any more") {
			t.Errorf("the run ended with %v", err)
		}
		s.stays("u-bob")
	})
}

// What makes no sense is refused.
func TestReapplyRefused(t *testing.T) {
	for _, c := range []struct {
		more, want string
		since      time.Duration
	}{
		{"[users]\nreapply = \"0s\"\n", "no delete is kept", 0},
		{"[policy]\nmode = \"observe\"\n", "mode is observe", 0},
		{"", "still to come", time.Hour},
	} {
		inScene(t, setup{more: c.more}, func(s *scene) {
			err := s.call(control.Call{Verb: "users reapply", Since: time.Now().Add(c.since)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v, want %q", c.more, err, c.want)
			}
		})
	}
}
