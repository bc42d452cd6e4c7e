package state

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// keyOf reads the bytes of a key.
func keyOf(t *testing.T, db *DB, id inbox.MailID) (key []byte) {
	t.Helper()
	err := db.keys.db.View(func(tx *bolt.Tx) error {
		key = bytes.Clone(tx.Bucket(bucketKeys).Get(be(uint64(id))))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestForget: after it nothing of the Case is readable by any way, the key's
// bytes are in no file, and everything of other Cases is as it was.
func TestForget(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	fill := func(uid uint32) (m *inbox.Mail, a *inbox.Action, r *inbox.Reply) {
		db.update(t, func(tx *Tx) error {
			m = addMail(t, tx, uid)
			a = addAction(t, tx, m, inbox.EventAccept)
			r = addReply(t, tx, m.ID)
			return errors.Join(tx.SaveRendered(r, []byte(text)), db.SaveFile(m.ID, a.ID.String()+"-1", []byte(text)),
				tx.Journal("note", "staff", m.ID, a.ID, map[string]string{"text": text}))
		})
		return m, a, r
	}
	m, a, r := fill(1)
	m2, a2, r2 := fill(2)
	key, other := keyOf(t, db, m.ID), keyOf(t, db, m2.ID)
	if len(key) != 32 || !bytes.Contains(read(t, dir, "keys.db"), key) {
		t.Fatal("the key is not where the test looks for it")
	}
	if err := db.Forget([]inbox.MailID{m.ID}); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		db.view(t, func(tx *Tx) error {
			if !forgotten(t, tx, m, a, r) {
				t.Errorf("%s: something of %s is readable", when, m.ID)
			}
			if forgotten(t, tx, m2, a2, r2) {
				t.Errorf("%s: something of %s is gone", when, m2.ID)
			}
			f, err := tx.VerifyJournal("")
			if f.Broken != "" || len(f.Forgotten) == 0 || len(f.Forgotten) == int(f.Entries) {
				t.Errorf("%s: the journal says %+v", when, f)
			}
			return err
		})
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && bytes.Contains(read(t, path), key) {
				t.Errorf("%s: the key is still in %s", when, d.Name())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if !bytes.Contains(read(t, dir, "keys.db"), other) {
			t.Errorf("%s: the other key is gone", when)
		}
	}
	check("at once")
	if err := db.SaveFile(m.ID, "A-000009-1", []byte(text)); !errors.Is(err, journal.ErrForgotten) {
		t.Errorf("sealing under a key that is gone: %v", err)
	}
	db.update(t, func(tx *Tx) error { return tx.Journal("note", "staff", m.ID, 0, text) })
	check("after an entry about it")
	shut(t, db)
	db = openState(t, dir)
	check("after a restart")
	db.update(t, func(tx *Tx) error { addMail(t, tx, 3); return nil })
	if len(keyOf(t, db, m.ID)) != 0 {
		t.Error("a dropped key was made anew")
	}
}

// forgotten tells whether nothing that is sealed under a Case can be read; it
// fails the test when some can and some cannot.
func forgotten(t *testing.T, tx *Tx, m *inbox.Mail, a *inbox.Action, r *inbox.Reply) bool {
	t.Helper()
	mail, err1 := tx.Mail(m.ID)
	action, err2 := tx.Action(a.ID)
	reply, err3 := tx.Reply(r.ID)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	_, renderedErr := tx.db.Rendered(r)
	_, fileErr := tx.db.LoadFile(m.ID, a.ID.String()+"-1")
	details := 0
	err := tx.EachEntry(1, func(e journal.Entry, detail []byte) error {
		if e.Case == m.ID && detail != nil {
			details++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	gone := []bool{mail.Detail == nil, action.Detail == nil, reply.Detail == nil, errors.Is(renderedErr, journal.ErrForgotten),
		errors.Is(fileErr, journal.ErrForgotten), details == 0}
	for i := range gone {
		if gone[i] != gone[0] {
			t.Fatalf("of %s only a part is gone: %v", m.ID, gone)
		}
	}
	return gone[0]
}

// TestDroppedCiphers: what was made of a key goes with it, and of many keys few
// are kept.
func TestDroppedCiphers(t *testing.T) {
	db := newState(t)
	if err := db.keys.ensure(maxCiphers + 10); err != nil {
		t.Fatal(err)
	}
	const id, label = inbox.MailID(7), "a label"
	sealed, err := db.keys.seal(id, label, []byte(text))
	if err != nil || db.keys.used.get(id) == nil {
		t.Fatalf("sealing: %v", err)
	}
	if err := db.keys.drop([]inbox.MailID{id}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.keys.unseal(id, label, sealed); !errors.Is(err, ErrForgotten) || db.keys.used.get(id) != nil {
		t.Errorf("after its key was dropped: %v", err)
	}
	for n := range inbox.MailID(maxCiphers + 10) {
		if n == id {
			continue
		}
		if _, err := db.keys.seal(n, label, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(db.keys.used.of); n != maxCiphers {
		t.Errorf("%d ciphers are kept, want %d", n, maxCiphers)
	}
}

// TestHouseKeyStays: what belongs to no Case is never forgotten.
func TestHouseKeyStays(t *testing.T) {
	db := newState(t)
	if err := db.SaveFile(0, "R-000001", []byte("to staff")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Forget(nil), db.Forget([]inbox.MailID{0})); err != nil {
		t.Fatal(err)
	}
	if b, err := db.LoadFile(0, "R-000001"); err != nil || string(b) != "to staff" {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestPutKeepsWhatWasSealed: a record that is stored without its detail, as
// after its key was dropped, can still be changed and loses nothing.
func TestPutKeepsWhatWasSealed(t *testing.T) {
	db := newState(t)
	var id inbox.MailID
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		id = m.ID
		m.Detail, m.State = nil, inbox.MailHeld
		return tx.PutMail(m)
	})
	db.view(t, func(tx *Tx) error {
		m, err := tx.Mail(id)
		if err == nil && (m.State != inbox.MailHeld || m.Detail == nil || m.Detail.Text != text) {
			t.Errorf("got %+v, %+v", m, m.Detail)
		}
		return err
	})
	if err := db.Forget([]inbox.MailID{id}); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		m.State = inbox.MailActed
		if err := tx.PutMail(m); err != nil {
			return err
		}
		if m, err = tx.Mail(id); err == nil && m.State != inbox.MailActed {
			t.Errorf("got %+v", m)
		}
		return err
	})
}

// TestSealedInPlace: what is sealed for one place opens in no other.
func TestSealedInPlace(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error { addMail(t, tx, 1); addMail(t, tx, 2); return nil })
	if err := errors.Join(db.SaveFile(1, "A-000001-1", []byte(text)), os.Link(db.filePath("A-000001-1"), db.filePath("A-000002-1"))); err != nil {
		t.Fatal(err)
	}
	if b, err := db.LoadFile(1, "A-000002-1"); err == nil {
		t.Errorf("under another name: %q", b)
	}
	if b, err := db.LoadFile(2, "A-000001-1"); err == nil {
		t.Errorf("under another Case: %q", b)
	}
	db.update(t, func(tx *Tx) error {
		return tx.bucket("mails").Put(be(2), bytes.Replace(tx.bucket("mails").Get(be(1)), []byte("M-000001"), []byte("M-000002"), 1))
	})
	db.view(t, func(tx *Tx) error {
		if m, err := tx.Mail(2); err == nil {
			t.Errorf("a record was opened in another's place: %+v", m.Detail)
		}
		return nil
	})
}

func TestSealsDiffer(t *testing.T) {
	db := newState(t)
	for _, n := range []string{"a", "b"} {
		if err := db.SaveFile(0, n, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(read(t, db.filePath("a")), read(t, db.filePath("b"))) {
		t.Error("the same text is sealed to the same bytes")
	}
}

// TestKeysRunOut: a batch larger than the keys that were made ahead fails
// whole, and the next goes on.
func TestKeysRunOut(t *testing.T) {
	db := newState(t)
	err := db.Update(t.Context(), "batch", func(tx *Tx) error {
		for range 4 * keyBlock {
			if _, err := tx.NewMailID(); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "new mails in one transaction") {
		t.Errorf("got %v", err)
	}
	db.update(t, func(tx *Tx) error {
		if m := addMail(t, tx, 1); m.ID != 1 {
			t.Errorf("the next mail is %s", m.ID)
		}
		return nil
	})
}

// TestNothingPersonalInClear looks for what is planted in every file but
// keys.db, in the spellings that a careless encoder would use.
func TestNothingPersonalInClear(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	const fresh = "planted.new@example.net"
	var mid string
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		a := addAction(t, tx, m, inbox.EventAsk)
		r := addReply(t, tx, m.ID)
		mid = r.Detail.MessageID
		a.Detail.Plan = inbox.Plan{Steps: []inbox.Step{{Place: "users.email", Op: inbox.StepSet, Old: from, New: fresh}}}
		addTask(t, tx, m)
		_, err := tx.Count("proven", from, false, 1)
		return errors.Join(err, tx.PutAction(a), tx.Moved(person), tx.Effect(a.ID), tx.Erase(m.ID, person, from),
			tx.AddDeleted(&Deleted{Action: a.ID, Effect: tx.EffectKey(a.ID), Scope: inbox.ScopeFields, Person: person}, from,
				[]inbox.Step{{Field: inbox.FieldAbout, Op: inbox.StepClear, Old: text}}),
			tx.PutAsk(token, &Ask{Case: m.ID, Actions: []inbox.ActionID{a.ID}, To: tx.Hash(TieAddress, from), Reply: r.ID}),
			tx.Note(a, "yes to confirm", "the person", map[string]string{"text": text, "to": from}),
			tx.SaveRendered(r, []byte("Subject: "+subject+"\r\n\r\n"+text)),
			db.SaveFile(m.ID, "A-000001-1", []byte(text+from)))
	})
	shut(t, db)
	trimmed(t, dir)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file := bytes.ToLower(read(t, path))
		for _, planted := range []string{person, from, "zhanna", name, "Plantedkyzy", subject, text, "planted words", sent, token, fresh, mid} {
			for _, form := range []string{planted, base64.StdEncoding.EncodeToString([]byte(planted))[:len(planted)], hex.EncodeToString([]byte(planted))} {
				if bytes.Contains(file, []byte(strings.ToLower(form))) {
					t.Errorf("%q stands in %s as %q", planted, d.Name(), form)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHashesDiffer: an index tells nothing to somebody who has another
// state, and kinds do not mix.
func TestHashesDiffer(t *testing.T) {
	var hashes [][]byte
	for _, db := range []*DB{newState(t), newState(t)} {
		db.view(t, func(tx *Tx) error {
			hashes = append(hashes, tx.Hash("address", from), tx.Hash("person", from), tx.Hash("addres", "s"+from), tx.Hash("address", from+" "))
			if !bytes.Equal(tx.Hash("address", from), tx.Hash("address", from)) {
				t.Error("a hash is not stable")
			}
			return nil
		})
	}
	for i := range hashes {
		if len(hashes[i]) != 16 {
			t.Errorf("a hash has %d bytes", len(hashes[i]))
		}
		for j := range i {
			if bytes.Equal(hashes[i], hashes[j]) {
				t.Errorf("hashes %d and %d are the same", i, j)
			}
		}
	}
}

// TestKeysAfterAFailedRewrite: when the new keys.db cannot be put in place,
// nothing is sealed under keys that no file holds.
func TestKeysAfterAFailedRewrite(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error { addMail(t, tx, 1); addMail(t, tx, 2); return nil })
	if err := os.MkdirAll(filepath.Join(dir, "keys.db.new", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := db.Forget([]inbox.MailID{1}); err == nil {
		t.Fatal("the rewrite did not fail")
	}
	for n := range uint32(2 * keyBlock) {
		db.update(t, func(tx *Tx) error { addMail(t, tx, n+3); return nil })
	}
	shut(t, db)
	db = openState(t, dir)
	db.view(t, func(tx *Tx) error {
		return tx.EachMail(0, func(m *inbox.Mail) bool {
			if (m.Detail == nil) != (m.ID == 1) {
				t.Errorf("%s: readable %t", m.ID, m.Detail != nil)
			}
			return true
		})
	})
}
