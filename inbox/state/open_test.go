package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// checkOpen holds the index of what is open, and the kept numbers, against a
// full count.
func checkOpen(t *testing.T, db *DB) {
	t.Helper()
	db.view(t, func(tx *Tx) error {
		faults, err := tx.CheckOpen()
		for _, f := range faults {
			t.Error(f)
		}
		return err
	})
}

// lines gives the index as "class thing", in order.
func lines(t *testing.T, db *DB) (out []string) {
	t.Helper()
	db.view(t, func(tx *Tx) error {
		return tx.OpenAfter("", func(o Line, _ string) bool {
			thing := o.Case.String()
			if o.Action != 0 {
				thing = o.Action.String()
			}
			out = append(out, o.Class.String()+" "+thing)
			return true
		})
	})
	return out
}

// TestClasses: what each state waits for, alone, put off until a date, and with
// a letter that is held.
func TestClasses(t *testing.T) {
	until := time.Now().Add(time.Hour)
	for state, want := range map[inbox.State][3]Class{
		inbox.StateReview:      {ClassNow, ClassNow, ClassNow},
		inbox.StateFailed:      {ClassNow, ClassNow, ClassNow},
		inbox.StateHeld:        {ClassNow, ClassSelf, ClassNow},
		inbox.StateUnconfirmed: {ClassSelf, ClassSelf, ClassNow},
		inbox.StateScheduled:   {ClassSelf, ClassSelf, ClassNow},
		inbox.StateRunning:     {ClassSelf, ClassSelf, ClassNow},
	} {
		db := newState(t)
		db.update(t, func(tx *Tx) error {
			for i, wants := range want {
				m := addMail(t, tx, uint32(i))
				a := &inbox.Action{ID: inbox.ActionID(i + 1), Case: m.ID, State: state, Detail: &inbox.ActionDetail{Address: from}}
				if i == 1 {
					a.Until = until
				}
				m.Actions = []inbox.ActionID{a.ID}
				if err := errors.Join(tx.PutAction(a), tx.PutMail(m)); err != nil {
					return err
				}
				if i == 2 {
					r := addReply(t, tx, m.ID)
					r.State, r.Actions = inbox.ReplyHeld, []inbox.ActionID{a.ID}
					if err := tx.PutReply(r); err != nil {
						return err
					}
				}
				if o := tx.lineOfAction(a); o.Class != wants || o.Letters != (i == 2) {
					t.Errorf("%s, %d: %+v", state, i, o)
				}
			}
			return nil
		})
		checkOpen(t, db)
	}
	for _, s := range inbox.States() {
		if !s.Ended() {
			continue
		}
		if o := (&Tx{}).lineOfAction(&inbox.Action{State: s}); o != nil {
			t.Errorf("%s has a line: %+v", s, o)
		}
	}
}

// TestOpenOrder: a person before the rest, the nearest deadline first; a page
// goes on behind a key, also when its line has gone.
func TestOpenOrder(t *testing.T) {
	db := newState(t)
	now := time.Now()
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		for i, c := range []struct {
			e   inbox.Event
			due time.Duration
		}{{inbox.EventAsk, 1}, {inbox.EventReview, 3}, {inbox.EventReview, 2}, {inbox.EventAccept, 0}, {inbox.EventReview, 2}} {
			a := &inbox.Action{Case: m.ID, Kind: inbox.KindChange, Due: now.Add(c.due * time.Hour), Detail: &inbox.ActionDetail{Address: from}}
			if err := tx.NewAction(a, c.e, "supportd"); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	})
	want := []string{"now A-000003", "now A-000005", "now A-000002", "self A-000004", "self A-000001"}
	if got := lines(t, db); !slices.Equal(got, want) {
		t.Errorf("the index has %q, want %q", got, want)
	}
	third := ""
	db.view(t, func(tx *Tx) error {
		return tx.OpenAfter("", func(o Line, key string) bool { third = key; return o.Action != 2 })
	})
	db.update(t, func(tx *Tx) error {
		a, err := tx.Action(2)
		return errors.Join(err, tx.Move(a, inbox.EventClose, "staff", nil))
	})
	var rest []inbox.ActionID
	db.view(t, func(tx *Tx) error {
		return tx.OpenAfter(third, func(o Line, _ string) bool { rest = append(rest, o.Action); return true })
	})
	if !slices.Equal(rest, []inbox.ActionID{4, 1}) {
		t.Errorf("behind a line that has gone come %v", rest)
	}
	checkOpen(t, db)
}

// TestHeldLettersOfACase: a held letter shows at the open Action that it tells
// of; without one the Case stands for it, until the letter goes or is
// forgotten.
func TestHeldLettersOfACase(t *testing.T) {
	db := newState(t)
	var r, lone *inbox.Reply
	step := func(f func(tx *Tx) error, want ...string) {
		t.Helper()
		db.update(t, f)
		if got := lines(t, db); !slices.Equal(got, want) {
			t.Errorf("the index has %q, want %q", got, want)
		}
		checkOpen(t, db)
	}
	step(func(tx *Tx) error {
		m := addMail(t, tx, 1)
		a := addAction(t, tx, m, inbox.EventAccept)
		r = addReply(t, tx, m.ID)
		r.State, r.Actions = inbox.ReplyHeld, []inbox.ActionID{a.ID}
		return tx.PutReply(r)
	}, "now A-000001")
	step(func(tx *Tx) error {
		a, err := tx.Action(1)
		return errors.Join(err, tx.Move(a, inbox.EventClose, "staff", nil))
	}, "now M-000001")
	step(func(tx *Tx) error { // another of its Case begins, and ends
		m, err := tx.Mail(1)
		addAction(t, tx, m, inbox.EventAsk)
		return err
	}, "now A-000002")
	step(func(tx *Tx) error {
		a, err := tx.Action(2)
		return errors.Join(err, tx.Move(a, inbox.EventClose, "staff", nil))
	}, "now M-000001")
	step(func(tx *Tx) error { r.State = inbox.ReplyDue; return tx.PutReply(r) })
	step(func(tx *Tx) error {
		m := addMail(t, tx, 2)
		lone = addReply(t, tx, m.ID)
		lone.State = inbox.ReplyHeld
		return tx.PutReply(lone)
	}, "now M-000002")
	if err := db.Forget([]inbox.MailID{2}); err != nil {
		t.Fatal(err)
	}
	step(func(tx *Tx) error { return tx.Forgotten([]inbox.MailID{2}) })
}

// TestIndexHolds: whatever is done, the index and the kept numbers are what a
// full count gives; and so are those that an older state gets at its opening.
func TestIndexHolds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	db := openState(t, dir)
	for range 40 {
		db.update(t, func(tx *Tx) error { return muddle(t, tx, random) })
		checkOpen(t, db)
	}
	want, numbers := lines(t, db), tallies(t, db)
	db.update(t, func(tx *Tx) error {
		for _, name := range []string{"open", "open_at", "reply_held", "tallies", "journal_of", "saved"} {
			if err := tx.tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	shut(t, db)
	db = openState(t, dir)
	checkOpen(t, db)
	if got := lines(t, db); !slices.Equal(got, want) || fmt.Sprint(tallies(t, db)) != fmt.Sprint(numbers) {
		t.Errorf("of an older state was made %q %+v\nwant %q %+v", got, tallies(t, db), want, numbers)
	}
}

// TestIndexAfterAnOlderProgram: a program that knows no index has opened the
// state in between, and changed what is open.
func TestIndexAfterAnOlderProgram(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error { addAction(t, tx, addMail(t, tx, 1), inbox.EventReview); return nil })
	shut(t, db)
	db = openState(t, dir)
	db.update(t, func(tx *Tx) error {
		meta := tx.bucket("meta")
		a, err := tx.Action(1)
		a.State = inbox.StateDone
		return errors.Join(err, put(tx, "actions", 1, a.Case, a, a.Detail), tx.reindex("action_states", []byte("review\x00\x00\x00\x00\x00\x00\x00\x00\x01"), actionStateKey(a)),
			putMeta(meta, "opens", metaUint(meta, "opens")+1), tx.tx.DeleteBucket([]byte("journal_of")))
	})
	shut(t, db)
	db = openState(t, dir)
	checkOpen(t, db)
	db.view(t, func(tx *Tx) error {
		if all, err := tx.JournalOf(1); err != nil || len(all) != 1 {
			t.Errorf("about the mail are %d, %v", all, err)
		}
		return nil
	})
}

func tallies(t *testing.T, db *DB) (n Tallies) {
	t.Helper()
	db.view(t, func(tx *Tx) error { n = tx.Tallies(); return nil })
	return n
}

// muddle does something possible.
func muddle(t *testing.T, tx *Tx, random *rand.Rand) error {
	m := addMail(t, tx, random.Uint32())
	m.State = inbox.MailStates()[random.IntN(len(inbox.MailStates()))]
	events := []inbox.Event{inbox.EventReview, inbox.EventAsk, inbox.EventAccept}
	a := addAction(t, tx, m, events[random.IntN(3)])
	if err := tx.PutMail(m); err != nil {
		return err
	}
	for range random.IntN(4) {
		before := a.State
		e := inbox.Events()[random.IntN(len(inbox.Events()))]
		if e == inbox.EventHold && random.IntN(2) == 0 {
			a.Until = tx.Now.Add(time.Hour)
		}
		if err := tx.Move(a, e, "test", nil); err == nil && a.State == before && e != inbox.EventCorrect {
			t.Errorf("%s left %s", e, before)
		}
		a.Assignee, a.Due = fmt.Sprint(random.IntN(3)), tx.Now.Add(time.Duration(random.IntN(1000))*time.Hour)
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	for range random.IntN(3) {
		r := addReply(t, tx, m.ID)
		if random.IntN(2) == 0 {
			r.Actions = []inbox.ActionID{a.ID}
		}
		for range 2 {
			r.State = []inbox.ReplyState{inbox.ReplyHeld, inbox.ReplyDue, inbox.ReplyVoid}[random.IntN(3)]
			if err := tx.PutReply(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestJournalIndex: a long journal without an index gets one at the opening, in
// several commits, and finds what it is asked for.
func TestJournalIndex(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error {
		a := addAction(t, tx, addMail(t, tx, 1), inbox.EventAsk)
		for i := range logBatch {
			if err := tx.Journal("note", "staff", inbox.MailID(2+i%2), 0, nil); err != nil {
				return err
			}
		}
		return errors.Join(tx.Journal("last", "staff", 0, a.ID, nil), tx.tx.DeleteBucket([]byte("open")), tx.tx.DeleteBucket([]byte("journal_of")),
			tx.tx.DeleteBucket([]byte("open_at")), tx.tx.DeleteBucket([]byte("tallies")))
	})
	shut(t, db)
	db = openState(t, dir)
	db.update(t, func(tx *Tx) error { return tx.Journal("after", "staff", 1, 0, nil) })
	db.view(t, func(tx *Tx) error {
		seqs, err := tx.JournalOf(1)
		if want := []uint64{1, logBatch + 2, logBatch + 3}; err != nil || !slices.Equal(seqs, want) {
			t.Errorf("about the mail are %d, %v, want %d", seqs, err, want)
		}
		if n := len(tx.entriesOf(caseThing(2))); n != logBatch/2 {
			t.Errorf("about another are %d", n)
		}
		if tx.bucket("meta").Get([]byte(keyUnindexed)) != nil {
			t.Error("the indexing has not ended")
		}
		return nil
	})
}

// TestTry: nothing of what is tried stays, whether it succeeds or not.
func TestTry(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error { addAction(t, tx, addMail(t, tx, 1), inbox.EventReview); return nil })
	before := dumpLog(t, db)
	for _, end := range []error{nil, errors.New("no")} {
		err := db.Try(func(tx *Tx) error {
			a, err := tx.Action(1)
			if err != nil {
				return err
			}
			r := addReply(t, tx, a.Case)
			if r.ID != 1 {
				t.Errorf("the letter is %s", r.ID)
			}
			_, err = tx.Count("proven", from, false, 1)
			return errors.Join(err, tx.Move(a, inbox.EventClose, "staff", "why"), end)
		})
		if !errors.Is(err, end) || end == nil && err != nil {
			t.Errorf("it gave %v", err)
		}
		if after := dumpLog(t, db); after != before {
			t.Errorf("it left\n%s\nof\n%s", after, before)
		}
		checkOpen(t, db)
	}
}

// dumpLog gives the journal's head, the Actions and how many letters there were.
func dumpLog(t *testing.T, db *DB) string {
	t.Helper()
	var out strings.Builder
	db.view(t, func(tx *Tx) error {
		head, seq, err := tx.JournalHead()
		n, failed := tx.Count("proven", from, false, 0)
		fmt.Fprintln(&out, head, seq, tx.LastReply(), n, tx.Tallies())
		return errors.Join(err, failed, tx.ActionsIn("", func(a *inbox.Action) bool { fmt.Fprintln(&out, a.ID, a.State, len(a.History)); return true }),
			tx.WalkJournal(1, false, func(l journal.Link) (bool, error) { fmt.Fprintln(&out, l.Hash); return true, nil }))
	})
	return out.String()
}

func TestSaved(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		return errors.Join(tx.PutSaved(Saved{Name: "hours", Language: "ru", Text: "old"}), tx.PutSaved(Saved{Name: "hours", Language: "ru", Text: text}),
			tx.PutSaved(Saved{Name: "hours", Language: "en", Text: text}), tx.PutSaved(Saved{Name: name, Language: "en", Text: text}),
			tx.DropSaved(name, "en"))
	})
	db.view(t, func(tx *Tx) error {
		all, err := tx.Saved()
		if err != nil || len(all) != 2 || all[0].Language != "en" || all[1].Text != text {
			t.Errorf("kept are %+v, %v", all, err)
		}
		return nil
	})
	err := db.Update(t.Context(), "test", func(tx *Tx) error { return tx.DropSaved("hours", "kk") })
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("dropping what is not there gave %v", err)
	}
}

// TestBack: lists from the newest to the oldest, in pages.
func TestBack(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		for i := range 5 {
			m := addMail(t, tx, uint32(i+1))
			if i%2 == 0 {
				m.State = inbox.MailHeld
			}
			if err := tx.PutMail(m); err != nil {
				return err
			}
			addAction(t, tx, m, []inbox.Event{inbox.EventReview, inbox.EventAsk}[i%2])
		}
		return nil
	})
	mails := func(s inbox.MailState, before inbox.MailID) (ids []inbox.MailID) {
		db.view(t, func(tx *Tx) error {
			return tx.MailsBack(s, before, func(m *inbox.Mail) bool { ids = append(ids, m.ID); return len(ids) < 3 })
		})
		return ids
	}
	for _, c := range []struct {
		s      inbox.MailState
		before inbox.MailID
		want   []inbox.MailID
	}{
		{"", 0, []inbox.MailID{5, 4, 3}}, {"", 3, []inbox.MailID{2, 1}}, {inbox.MailHeld, 0, []inbox.MailID{5, 3, 1}}, {inbox.MailHeld, 5, []inbox.MailID{3, 1}},
		{inbox.MailHeld, 1, nil}, {inbox.MailAsked, 99, []inbox.MailID{4, 2}}, {inbox.MailIgnored, 0, nil}, {inbox.MailQuarantined, 0, nil}, {inbox.MailActed, 0, nil},
	} {
		if got := mails(c.s, c.before); !slices.Equal(got, c.want) {
			t.Errorf("%q before %d: %v, want %v", c.s, c.before, got, c.want)
		}
	}
	db.view(t, func(tx *Tx) error {
		var ids []inbox.ActionID
		tx.ActionsBack(inbox.StateReview, 5, func(id inbox.ActionID) bool { ids = append(ids, id); return true })
		if !slices.Equal(ids, []inbox.ActionID{3, 1}) {
			t.Errorf("the actions are %v", ids)
		}
		return nil
	})
}
