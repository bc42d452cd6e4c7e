package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

var update = flag.Bool("update", false, "freeze the present schema anew")

// present is the folder in which what this version writes is frozen.
const present = "schema1-present"

// TestFrozen: the state that was written under each schema opens in this
// version and holds what it held. A schema that was released is never frozen
// anew; a new one, and buckets that are added to one, get a folder of their own.
func TestFrozen(t *testing.T) {
	if *update {
		freeze(t, filepath.Join("testdata", present))
	}
	dirs, err := filepath.Glob("testdata/schema*")
	if err != nil || len(dirs) < Schema {
		t.Fatalf("%d schemas are frozen of %d, %v", len(dirs), Schema, err)
	}
	for _, frozen := range dirs {
		t.Run(filepath.Base(frozen), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(frozen)); err != nil {
				t.Fatal(err)
			}
			for range 2 { // as it was written, and as this version has opened it
				db := openState(t, dir)
				if db.Restored() {
					t.Error("the state is taken for a copy")
				}
				checkOpen(t, db)
				if got, want := dump(t, db), read(t, frozen, "held.json"); !bytes.Equal(got, want) {
					t.Errorf("it holds\n%s\nwant\n%s", got, want)
				}
				if small, err := db.LoadFile(1, "A-000002-2"); (err == nil && string(small) == text) != (filepath.Base(frozen) == present) {
					t.Errorf("the small file holds %q, %v", small, err)
				}
				shut(t, db)
			}
			want := []string{"seals: M-000003: the key of M-000003 is missing, and nothing says that it was dropped"}
			if filepath.Base(frozen) == present { // the first kept no list of that
				want = nil
			}
			if got := faults(t, dir); !slices.Equal(got, want) {
				t.Errorf("examined: %q", got)
			}
			db := openState(t, dir)
			db.update(t, func(tx *Tx) error {
				return errors.Join(useFrozen(t, tx, filepath.Base(frozen)), useFrozenStaff(t, tx))
			})
			checkOpen(t, db)
		})
	}
}

// useFrozen goes on with what the frozen state left off at. The first that was
// frozen kept neither the form of mails, nor signatures, nor deletes, nor
// answers, and not of a held letter that it is one.
func useFrozen(t *testing.T, tx *Tx, frozen string) error {
	first := frozen == "schema1"
	saved, err := tx.Saved()
	if err != nil || (len(saved) == 1 && saved[0].Text == text) == first {
		t.Errorf("the kept answers are %+v, %v", saved, err)
	}
	now := map[string]int{"schema1": 0, present: 2}[frozen] // a task, and a held letter
	if got := tx.Tallies(); got.Now != now || got.Now+got.Self != got.States[inbox.StateReview]+2 || got.States[inbox.StateScheduled] != 1 || got.Mails[inbox.MailDeferred] != 1 {
		t.Errorf("the numbers are %+v", got)
	}
	if all, err := tx.JournalOf(1); err != nil || len(all) != 2 {
		t.Errorf("the journal has %v about the first mail, %v", all, err)
	}
	q, err := tx.AskByToken(token)
	if err != nil || q == nil || q.Used {
		t.Fatalf("the open question is %+v, %v", q, err)
	}
	a, err := tx.Action(q.Actions[0])
	if err != nil {
		return err
	}
	if err := errors.Join(tx.UseAsk(q), tx.Move(a, inbox.EventYes, "the person", map[string]string{"text": text})); err != nil {
		return err
	}
	if id, ok := tx.MailByMessageID(sent); !ok || id != 3 { // the newest that came with it
		t.Errorf("the sender's Message-ID leads to %s, %t", id, ok)
	}
	if id, ok := tx.MailByContent(inbox.Digest{1, 1}, inbox.Digest{1}); ok != first || first && id != 1 {
		t.Errorf("the content of the first mail in another form leads to %s, %t", id, ok)
	}
	if id, ok := tx.MailBySignature(from, [][32]byte{{1}}); ok == first {
		t.Errorf("a signature leads to %s, %t", id, ok)
	}
	del, err := tx.DeletedFrom(time.Time{}, 0, 2)
	if err != nil || (len(del) == 0) != first || !first && (!tx.db.SameAddress(del[0], from) || tx.db.SameAddress(del[0], "bob@example.org")) {
		t.Errorf("of deletes it has %+v, %v", del, err)
	}
	for _, d := range del {
		if !tx.db.Took(d, inbox.FieldPhone, took[0].Old) || tx.db.Took(d, inbox.FieldPhone, "another") || !slices.Equal(d.Cleared(), d.Fields) {
			t.Errorf("what the delete took is not told: %+v", d)
		}
	}
	if due := tx.ToErase("support", "", 9); (len(due) == 1 && due[0].Mail == 3) != (frozen == present) {
		t.Errorf("to be taken off the server are %v", due)
	}
	if filed := tx.FiledBefore("support", tx.Now, 9); len(filed) != 1 || len(tx.Places(3)) != 1 || filed[0] != tx.Places(3)[0] {
		t.Errorf("filed are %v, at %v", filed, tx.Places(3))
	}
	if tied := tx.Tied(TiePerson, person); len(tied) == 0 || tied[0] != a.Case {
		t.Errorf("the person is tied to %v", tied)
	}
	f, err := tx.VerifyJournal("")
	if f.Broken != "" || len(f.Forgotten) == 0 {
		t.Errorf("the journal says %+v", f)
	}
	addAction(t, tx, addMail(t, tx, 99), inbox.EventAsk)
	return err
}

// freeze writes a state that has something in every bucket, and what it holds.
func freeze(t *testing.T, to string) {
	t.Helper()
	dir := t.TempDir()
	db := openState(t, dir)
	var gone inbox.MailID
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		a := addAction(t, tx, m, inbox.EventAsk)
		a.Expires = tx.Now.Add(7 * 24 * time.Hour)
		a.Alarm, a.Alarmed = tx.Now.Add(24*time.Hour), inbox.AlarmedSoon
		a.Asked(inbox.WaitProof, tx.Now)
		scheduled := addAction(t, tx, m, inbox.EventAccept)
		r, large := addReply(t, tx, m.ID), addReply(t, tx, m.ID)
		held := addReply(t, tx, m.ID)
		held.State, held.Actions = inbox.ReplyHeld, []inbox.ActionID{a.ID}
		r.Detail.Files = []string{scheduled.ID.String() + "-1", scheduled.ID.String() + "-2"}
		m2 := addMail(t, tx, 2)
		m2.State, m2.Retry = inbox.MailDeferred, tx.Now.Add(time.Minute)
		m3 := addMail(t, tx, 3)
		m3.State, m3.Ended, gone = inbox.MailAnswered, tx.Now, m3.ID
		addTask(t, tx, m3)
		_, err := tx.Count("proven", from, false, 1)
		return errors.Join(err, tx.PutAction(a), tx.PutReply(r), tx.PutReply(held), tx.PutSaved(Saved{Name: name, Language: "en", Text: text, By: "staff", At: tx.Now}), tx.PutMail(m2), tx.PutMail(m3),
			tx.PutAsk(token, &Ask{Case: m.ID, Actions: []inbox.ActionID{a.ID}, Purpose: PurposeConfirm, Digests: []string{"d"},
				To: tx.Hash(TieAddress, from), Reply: r.ID, Asked: tx.Now, Expires: a.Expires}),
			tx.SaveRendered(r, []byte(text)), tx.SaveRendered(large, make([]byte, inlineMax+1)), db.SaveLarge(large, make([]byte, inlineMax+1)),
			db.SaveFile(m.ID, r.Detail.Files[0], []byte(text)), tx.SaveAttached(m.ID, r.Detail.Files[1], []byte(text)), tx.Moved(person), tx.Effect(scheduled.ID),
			tx.AddDeleted(&Deleted{Action: scheduled.ID, Effect: tx.EffectKey(scheduled.ID), Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Digest: "d",
				Begun: "again", BegunDigest: "d2", Person: person, Fields: []inbox.Field{inbox.FieldPhone}}, from, took),
			tx.Erase(m3.ID, "gone", "gone@example.org"), freezeStaff(tx),
			tx.PutFolder("support", "INBOX", Folder{UIDValidity: 1, Floor: 1, FirstRun: tx.Now}),
			tx.Filed(m3.Ref, inbox.Ref{Mailbox: "support", Folder: "Processed", UIDValidity: 2, UID: 3}), endSegment(tx),
			tx.SetPaused(true, false), tx.SetMeta("anchor", "noted"), tx.Journal("note", "staff", m3.ID, 0, text))
	})
	db.update(t, func(tx *Tx) error {
		return tx.bucket("mail_erase").Put(refKey(inbox.Ref{Mailbox: "support", Folder: "Processed", UIDValidity: 2, UID: 3}), be(uint64(gone)))
	})
	db.view(t, func(tx *Tx) error {
		for _, name := range Buckets() {
			if k, _ := tx.bucket(name).Cursor().First(); k == nil {
				t.Errorf("nothing in bucket %s is frozen", name)
			}
		}
		return nil
	})
	if err := db.Forget([]inbox.MailID{gone}); err != nil {
		t.Fatal(err)
	}
	held := dump(t, db)
	shut(t, db)
	trimmed(t, dir)
	if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(dir)), os.WriteFile(filepath.Join(to, "held.json"), held, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// endSegment lets the journal's first segment close: its entries are a month old.
func endSegment(tx *Tx) error {
	now := tx.Now
	tx.Now = now.Add(32 * 24 * time.Hour)
	err := tx.Journal("note", "staff", 0, 0, nil)
	tx.Now = now
	return err
}

// dump gives everything that can be read, as JSON.
func dump(t *testing.T, db *DB) []byte {
	t.Helper()
	var all []any
	db.view(t, func(tx *Tx) error {
		effects, replies := tx.Paused()
		folder, _, err := tx.Folder("support", "INBOX")
		all = append(all, db.Instance(), db.EffectKey(1), effects, replies, tx.Meta("anchor"), folder, tx.NextDue(time.Unix(0, -1)).UTC(), tx.NextRetry().UTC())
		each := tx.EachMail(0, func(m *inbox.Mail) bool {
			if (m.End == "") != m.Ended.IsZero() {
				t.Errorf("%s ended at %v as %q", m.ID, m.Ended, m.End)
			}
			m.End = "" // the first that were frozen had none
			letters, err1 := tx.CaseReplies(m.ID)
			asks, err2 := tx.CaseAsks(m.ID)
			if err := errors.Join(err1, err2); err != nil {
				t.Error(err)
			}
			all = append(all, m, m.Detail, asks)
			for _, r := range letters {
				rendered, err := db.Rendered(r)
				if err != nil {
					t.Error(err)
				}
				all = append(all, r, r.Detail, len(rendered))
			}
			return true
		})
		deleted, failed := tx.DeletedFrom(time.Time{}, 0, 9)
		for _, d := range deleted {
			all = append(all, d, d.Person, d.Fields)
		}
		staff, unread := dumpStaff(tx)
		all = append(all, staff...)
		acts := tx.ActionsIn("", func(a *inbox.Action) bool { all = append(all, a, a.Detail); return true })
		log := tx.EachEntry(1, func(e journal.Entry, detail []byte) error { all = append(all, e, json.RawMessage(detail)); return nil })
		return errors.Join(err, failed, unread, each, acts, log)
	})
	file, err := db.LoadFile(1, "A-000002-1")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", " ")
	if err := enc.Encode(append(all, string(file))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
