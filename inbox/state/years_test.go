package state

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

const (
	keepText    = 90 * 24 * time.Hour
	keepRecords = 365 * 24 * time.Hour
)

// live lets one request come, be confirmed, carried out and answered.
func live(t *testing.T, tx *Tx, n uint32) {
	t.Helper()
	m := addMail(t, tx, n)
	m.Received = tx.Now
	a := addAction(t, tx, m, inbox.EventAsk)
	r := addReply(t, tx, m.ID)
	r.State = inbox.ReplySent
	to := inbox.Ref{Mailbox: "support", Folder: "Processed", UIDValidity: 1, UID: n}
	_, err1 := tx.Count("proven", fmt.Sprint(n, from), false, 1)
	_, err2 := tx.Count("thread", fmt.Sprint(n), true, 1)
	_, err3 := tx.CountWeek("proven", fmt.Sprint(n), 1)
	err := errors.Join(err1, err2, err3, tx.Tie(TieAddress, fmt.Sprint(n, from), m.ID), tx.Moved(fmt.Sprint(n, person)),
		tx.Identify(m.ID, m.Digest, inbox.Digest{7, byte(n), byte(n >> 8)}, fmt.Sprint(n, sent)),
		tx.PutAsk(fmt.Sprint(token, n), &Ask{Case: m.ID, Actions: []inbox.ActionID{a.ID}, Purpose: PurposeConfirm, Reply: r.ID}),
		tx.PutReply(r), tx.Move(a, inbox.EventYes, "the person", text), tx.Move(a, inbox.EventStart, "supportd", nil),
		tx.Move(a, inbox.EventDone, "supportd", text), tx.Filed(m.Ref, to))
	m, failed := tx.Mail(m.ID)
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	m.State, m.Ended = inbox.MailActed, tx.Now
	notice := addNotice(t, tx)
	if err := errors.Join(tx.PutMail(m), tx.PutReply(notice)); err != nil {
		t.Fatal(err)
	}
}

// addNotice stores a notice to staff about no Case, sent.
func addNotice(t *testing.T, tx *Tx) *inbox.Reply {
	t.Helper()
	r := addReply(t, tx, 0)
	r.State, r.Staff = inbox.ReplySent, true
	return r
}

// tidy does what the queue and the intake do by and by.
func tidy(t *testing.T, db *DB, w *Walk) {
	t.Helper()
	var over []inbox.MailID
	db.view(t, func(tx *Tx) (err error) {
		over, err = tx.Forgettable(w, func(inbox.End) time.Duration { return keepText }, 1000)
		return err
	})
	if err := db.Forget(over); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error { return tx.Forgotten(over) })
	db.update(t, func(tx *Tx) error {
		before := tx.Now.Add(-keepRecords)
		filed := tx.FiledBefore("support", tx.Now.Add(-keepText), 1000)
		_, err := tx.DropJournal(before)
		_, swept := tx.Sweep(before, 1000, false)
		gone, _ := tx.ForgetRefs(inbox.Ref{Mailbox: "support", Folder: "INBOX"}, 1, func(uint32) bool { return false }, 1000)
		return errors.Join(err, swept, tx.Expunged(filed, tx.Now, func(inbox.Ref) bool { return true }), tx.DropRefs(gone))
	})
}

// keys counts the entries of every bucket.
func keys(t *testing.T, db *DB) map[string]int {
	t.Helper()
	n := make(map[string]int)
	db.view(t, func(tx *Tx) error {
		return tx.tx.ForEach(func(name []byte, b *bolt.Bucket) error { n[string(name)] = b.Stats().KeyN; return nil })
	})
	return n
}

// TestYears: what is kept bounds the state, in records and in bytes, however
// many years it is in use; the journal verifies all along.
func TestYears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		var w Walk
		var counts []map[string]int
		var sizes []int64
		n := uint32(0)
		for range 5 {
			for range 26 {
				db.update(t, func(tx *Tx) error {
					for range 5 {
						n++
						live(t, tx, n)
					}
					return nil
				})
				time.Sleep(14 * 24 * time.Hour)
				tidy(t, db, &w)
			}
			if _, _, err := db.Compact(); err != nil {
				t.Fatal(err)
			}
			s, err := db.Space()
			if err != nil {
				t.Fatal(err)
			}
			counts, sizes = append(counts, keys(t, db)), append(sizes, s.Size)
			db.view(t, func(tx *Tx) error {
				f, err := tx.VerifyJournal("")
				if f.Broken != "" {
					t.Error(f.Broken)
				}
				return err
			})
			checkOpen(t, db)
		}
		t.Logf("bytes at the end of each year: %d", sizes)
		for name, last := range counts[len(counts)-1] {
			third := counts[2][name]
			if name != "journal_segments" && last > third+third/10 {
				t.Errorf("%s has %d entries after three years and %d after %d", name, third, last, len(counts))
			}
		}
		if last := sizes[len(sizes)-1]; last > sizes[2]+sizes[2]/10 {
			t.Errorf("the file grows: %d", sizes)
		}
		if n := counts[len(counts)-1]["journal_segments"]; n > 13*len(counts) {
			t.Errorf("%d segments", n)
		}
	})
}

// TestSweepKeeps: what is open, or not forgotten, or not long enough ago, keeps
// its records; so does what the server was not told of.
func TestSweepKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		var want []inbox.MailID
		db.update(t, func(tx *Tx) error {
			for n := range uint32(8) {
				m := addMail(t, tx, n+1)
				to := inbox.Ref{Mailbox: "support", Folder: "Processed", UIDValidity: 1, UID: n + 1}
				if n == 7 { // it stays where it is
					to = inbox.Ref{}
				}
				if n != 6 {
					if err := tx.Filed(m.Ref, to); err != nil {
						return err
					}
				}
				m, err := tx.Mail(m.ID)
				if err != nil {
					return err
				}
				switch m.Ended, m.Forgotten = tx.Now, tx.Now; n {
				case 0: // over
				case 1:
					m.Ended, m.Forgotten = time.Time{}, time.Time{}
				case 2:
					m.Forgotten = time.Time{} // it has its key
				case 3:
					addTask(t, tx, m)
				case 4:
					addReply(t, tx, m.ID)
				case 5:
					m.Forgotten = tx.Now.Add(30 * 24 * time.Hour)
				}
				if n > 0 {
					want = append(want, m.ID)
				}
				if err := tx.PutMail(m); err != nil {
					return err
				}
			}
			return nil
		})
		time.Sleep(20 * 24 * time.Hour)
		for range 2 {
			db.update(t, func(tx *Tx) error { _, err := tx.Sweep(tx.Now.Add(-24*time.Hour), 100, false); return err })
		}
		var left []inbox.MailID
		db.view(t, func(tx *Tx) error {
			if id, ok := tx.MailByRef(inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: 1}); !ok || id != 1 {
				t.Error("the mail whose records were dropped is not accounted for any more")
			}
			if _, ok := tx.MailByDigest(inbox.Digest{1, 1}); ok {
				t.Error("its content leads to it")
			}
			return tx.EachMail(0, func(m *inbox.Mail) bool { left = append(left, m.ID); return true })
		})
		if !slices.Equal(left, want) {
			t.Errorf("%v are left, want %v", left, want)
		}
		checkOpen(t, db)
		db.view(t, func(tx *Tx) error {
			if again, err := tx.Sweep(tx.Now.Add(-24*time.Hour), 100, true); again || err != nil {
				t.Errorf("there is something again: %v", err)
			}
			if none, err := tx.Sweep(time.Time{}, 100, true); none || err != nil {
				t.Errorf("records that are kept for ever: %t, %v", none, err)
			}
			return nil
		})
	})
}

// TestSweepGoesOn: a run looks at so many and no more, and the next goes on.
func TestSweepGoesOn(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		for n := range uint32(100) {
			m := addMail(t, tx, n+1)
			if n == 99 {
				m.Ended, m.Forgotten = tx.Now.Add(-time.Hour), tx.Now.Add(-time.Hour)
			}
			if err := errors.Join(tx.Filed(m.Ref, inbox.Ref{Mailbox: "support", Folder: "Processed", UIDValidity: 1, UID: n + 1}), tx.PutMail(m)); err != nil {
				return err
			}
		}
		return nil
	})
	runs := 0
	for gone := false; !gone; runs++ {
		db.update(t, func(tx *Tx) error {
			_, err := tx.Sweep(tx.Now, 10, false)
			gone = !tx.has("mails", 100)
			return err
		})
		if runs > 20 {
			t.Fatal("the last is never come by")
		}
	}
	if runs != 10 {
		t.Errorf("it took %d runs", runs)
	}
}

// TestForgetRefs: a ref is forgotten when its mail is neither on record nor on
// the server.
func TestForgetRefs(t *testing.T) {
	db := newState(t)
	ref := func(validity, uid uint32) inbox.Ref {
		return inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: validity, UID: uid}
	}
	db.update(t, func(tx *Tx) error {
		addMail(t, tx, 1)
		return errors.Join(tx.Account(ref(1, 2), 99, false), tx.Account(ref(1, 3), 99, false), tx.Account(ref(0, 3), 99, false),
			tx.Account(inbox.Ref{Mailbox: "support", Folder: "INBOX2", UIDValidity: 1, UID: 9}, 99, false))
	})
	var gone []inbox.Ref
	next := inbox.Ref{Mailbox: "support", Folder: "INBOX"}
	for range 3 {
		db.view(t, func(tx *Tx) error {
			var some []inbox.Ref
			some, next = tx.ForgetRefs(next, 1, func(uid uint32) bool { return uid == 3 }, 2)
			gone = append(gone, some...)
			return nil
		})
		if next.UID == 0 {
			break
		}
	}
	if want := []inbox.Ref{ref(0, 3), ref(1, 2)}; !slices.Equal(gone, want) {
		t.Errorf("%v are gone, want %v", gone, want)
	}
	db.update(t, func(tx *Tx) error { return tx.DropRefs(gone) })
	db.view(t, func(tx *Tx) error {
		for r, want := range map[inbox.Ref]bool{ref(1, 1): true, ref(1, 2): false, ref(1, 3): true, ref(0, 3): false} {
			if _, ok := tx.MailByRef(r); ok != want {
				t.Errorf("%s is accounted for: %t", r, ok)
			}
		}
		return nil
	})
}

// TestJournalOfDropped: the index of the journal goes with the entries, and what
// is left of a Case whose records are gone can still be listed.
func TestJournalOfDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		db.update(t, func(tx *Tx) error { live(t, tx, 1); return nil })
		time.Sleep(40 * 24 * time.Hour)
		db.update(t, func(tx *Tx) error {
			return errors.Join(tx.Journal("note", "staff", 1, 0, nil), tx.Forgotten([]inbox.MailID{1}))
		})
		if err := db.Forget([]inbox.MailID{1}); err != nil {
			t.Fatal(err)
		}
		of := func() (seqs, action []uint64) {
			db.view(t, func(tx *Tx) (err error) { seqs, err = tx.JournalOf(1); action = tx.JournalOfAction(1); return err })
			return seqs, action
		}
		before, _ := of()
		db.update(t, func(tx *Tx) error { _, err := tx.DropJournal(tx.Now.Add(-24 * time.Hour)); return err })
		if left, action := of(); len(left) != 2 || !slices.Equal(left, before[len(before)-2:]) || len(action) != 0 {
			t.Errorf("%d are left of %d, of the action %d", left, before, action)
		}
		db.update(t, func(tx *Tx) error { _, err := tx.Sweep(tx.Now.Add(1), 100, false); return err })
		db.view(t, func(tx *Tx) error {
			if _, err := tx.Mail(1); !errors.Is(err, ErrNotFound) {
				t.Errorf("the record is there: %v", err)
			}
			return nil
		})
		if left, _ := of(); len(left) != 2 {
			t.Errorf("without the record %d are left", left)
		}
		checkOpen(t, db)
	})
}

// TestAnswerToDropped: a mail that answers a letter whose record was dropped
// finds none, whether or not the index was swept since.
func TestAnswerToDropped(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		r := addReply(t, tx, addMail(t, tx, 1).ID)
		if err := tx.dropReply(uint64(r.ID), r.Case); err != nil {
			return err
		}
		found, err := tx.ReplyByMessageID(r.Detail.MessageID)
		if found != nil || err != nil {
			t.Errorf("found %+v, %v", found, err)
		}
		return nil
	})
}

// TestUnfiledOfDropped: a mail that one of two mailboxes has not filed yet when the
// record that accounts for both was dropped can still be filed.
func TestUnfiledOfDropped(t *testing.T) {
	db := newState(t)
	other := inbox.Ref{Mailbox: "privacy", Folder: "INBOX", UIDValidity: 1, UID: 7}
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		if err := errors.Join(tx.Account(other, m.ID, true), tx.Filed(m.Ref, inbox.Ref{Mailbox: "support", Folder: "Processed", UIDValidity: 1, UID: 1})); err != nil {
			return err
		}
		m, err := tx.Mail(m.ID)
		if err != nil {
			return err
		}
		m.State, m.Ended = inbox.MailActed, tx.Now
		return tx.PutMail(m)
	})
	if err := db.Forget([]inbox.MailID{1}); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error { return tx.Forgotten([]inbox.MailID{1}) })
	db.update(t, func(tx *Tx) error {
		_, err := tx.Sweep(tx.Now.Add(time.Hour), 100, false)
		if tx.has("mails", 1) {
			t.Error("the record was not dropped")
		}
		return err
	})
	db.update(t, func(tx *Tx) error {
		refs, err := tx.Unfiled("privacy", "INBOX", 1, 9)
		if err != nil || len(refs) != 1 {
			t.Fatalf("to be filed: %v, %v", refs, err)
		}
		return tx.Filed(refs[0], inbox.Ref{Mailbox: "privacy", Folder: "Processed", UIDValidity: 1, UID: 1})
	})
}
