package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// sound makes a state with something in every bucket that an examination looks
// at, one case of it forgotten, closed again.
func sound(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	freeze(t, dir)
	if err := os.Remove(filepath.Join(dir, "held.json")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// faults examines a state and gives every fault, with the part before it.
func faults(t *testing.T, dir string) (all []string) {
	t.Helper()
	parts, err := Examine(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) != 13 {
		t.Errorf("%d parts were examined", len(parts))
	}
	for _, p := range parts {
		for _, f := range p.Faults {
			all = append(all, p.Name+": "+f)
		}
	}
	return all
}

// TestExamineSound: nothing is wrong with a state that is used, compacted or
// swept, and looking changes nothing.
func TestExamineSound(t *testing.T) {
	dir := sound(t)
	before := read(t, dir, "state.db")
	if got := faults(t, dir); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if !bytes.Equal(before, read(t, dir, "state.db")) {
		t.Error("looking has changed the state")
	}
	db := openState(t, dir)
	if _, err := Examine(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("while it is open: %v", err)
	}
	shut(t, db)
	if _, _, err := Compact(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if got := faults(t, dir); len(got) != 0 {
		t.Errorf("compacted: %q", got)
	}
	old, from, _ := backedUp(t)
	if _, err := Restore(RestoreConfig{Dir: old, From: from}); err != nil {
		t.Fatal(err)
	}
	shut(t, openState(t, old))
	if got := faults(t, old); len(got) != 0 {
		t.Errorf("restored: %q", got)
	}
}

// TestExamineDamaged: what was done to a copy is found where it was done, and
// the other parts are still looked at.
func TestExamineDamaged(t *testing.T) {
	whole := sound(t)
	first := func(tx *bolt.Tx, bucket string) ([]byte, []byte) {
		k, v := tx.Bucket([]byte(bucket)).Cursor().First()
		return bytes.Clone(k), bytes.Clone(v)
	}
	remove := func(bucket string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			k, _ := first(tx, bucket)
			if k == nil {
				return errors.New("nothing is in " + bucket)
			}
			return tx.Bucket([]byte(bucket)).Delete(k)
		}
	}
	add := func(bucket string, k, v []byte) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucket)).Put(k, v) }
	}
	swap := func(bucket string, a, b uint64) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			bk := tx.Bucket([]byte(bucket))
			x, y := bytes.Clone(bk.Get(be(a))), bytes.Clone(bk.Get(be(b)))
			return errors.Join(bk.Put(be(a), y), bk.Put(be(b), x))
		}
	}
	for name, test := range map[string]struct {
		do   func(*bolt.Tx) error
		says string
	}{
		"mail_states":             {remove("mail_states"), "mails and their indexes: mail_states has no entry of mails 3"},
		"mail_retry":              {remove("mail_retry"), "mail_retry has no entry of mails 2"},
		"mail_ended":              {remove("mail_ended"), "mail_ended has no entry of mails"},
		"action_states":           {remove("action_states"), "actions and their indexes: action_states has no entry"},
		"action_due":              {remove("action_due"), "action_due has no entry"},
		"action_persons":          {remove("action_persons"), "action_persons has no entry"},
		"reply_due":               {remove("reply_due"), "replies and their indexes: reply_due has no entry of replies 1"},
		"reply_cases":             {remove("reply_cases"), "reply_cases has no entry"},
		"reply_ids":               {remove("reply_ids"), "reply_ids has no entry of R-"},
		"case_asks":               {remove("case_asks"), "questions and their indexes: case_asks has no entry"},
		"asks":                    {remove("asks"), "case_asks has an entry of a question of M-000001 that is not there"},
		"mail_refs":               {remove("mail_refs"), "refs on the server: mail_refs does not lead from support INBOX 1/1 to M-000001"},
		"mail_filed":              {remove("mail_filed"), "mail_filed has no entry of support Processed 2/3"},
		"mail_places":             {remove("mail_places"), "mail_places has no entry of support Processed 2/3"},
		"a mail is gone":          {remove("mails"), "mail_states has an entry of mails 1, which is not there"},
		"an action is gone":       {remove("actions"), "action_states has an entry of actions 1, which is not there"},
		"a reply is gone":         {remove("replies"), "reply_cases has an entry of replies 1, which is not there"},
		"an entry is too many":    {add("mail_states", append([]byte("acted\x00"), be(1)...), nil), "mail_states has an entry of mails 1 that is not true"},
		"a mail that never was":   {add("mail_ids", be(7), be(99)), "mail_ids has an entry of mails that were never there"},
		"mails are swapped":       {swap("mails", 1, 2), "seals: M-000001: the record of M-000002 stands in its place"},
		"replies are swapped":     {swap("replies", 1, 2), "seals: R-000001: the record of R-000002 stands in its place"},
		"actions are swapped":     {swap("actions", 1, 2), "seals: A-000001: the record of A-000002 stands in its place"},
		"seals are swapped":       {swap("rendered", 1, 2), "seals:"},
		"a record is no JSON":     {add("mails", be(1), []byte("{")), "M-000001 cannot be read"},
		"the journal":             {remove("journal"), "journal: entry 1 is missing"},
		"a detail of the journal": {remove("journal_detail"), "journal: the detail of entry 1 was removed"},
		"action_deadlines":        {remove("action_deadlines"), "actions and their indexes: action_deadlines has no entry"},
		"open":                    {remove("open"), "what is open, and the numbers: the index lacks"},
		"open_at":                 {remove("open_at"), "open_at does not lead to the line of"},
		"reply_held":              {remove("reply_held"), "R-000003 is held, and reply_held says otherwise"},
		"tallies":                 {remove("tallies"), "what is open, and the numbers: the numbers are"},
		"journal_of":              {remove("journal_of"), "what the journal is about: journal_of has no entry of journal entry 1"},
		"journal_of is too many":  {add("journal_of", append(caseThing(7), be(1)...), nil), "journal_of has an entry of journal entry 0000000000000001 that is not true"},
		"journal_of is cut":       {add("journal_of", []byte{1}, nil), "journal_of has an entry of journal entry 01 that is not true"},
		"a file in state.db":      {add("attached", []byte("A-000002-2"), []byte("another")), "the file A-000002-2 cannot be opened"},
		"a kept answer":           {add("saved", be(1), []byte("another")), "a kept answer cannot be opened"},
		"an account is no record": {add("staff", []byte("aliya"), []byte("{")), "the account aliya cannot be read"},
		"an account of another":   {func(tx *bolt.Tx) error { _, v := first(tx, "staff"); return add("staff", []byte("bob"), v)(tx) }, "the account bob: that of aliya stands in its place"},
		"an account's seal":       {func(tx *bolt.Tx) error { return flip(tx, "staff") }, "the account aliya cannot be opened"},
		"a number was drawn back": {func(tx *bolt.Tx) error { return tx.Bucket([]byte("actions")).SetSequence(1) }, "actions has number 3, and only 1 were drawn"},
		"a bucket":                {func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("moves")) }, "bucket moves is missing"},
		"the key mark":            {func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put([]byte("keyring"), []byte("x")) }, "belong together: keys.db does not belong"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := damage(t, whole, "state.db", test.do)
			if got := strings.Join(faults(t, dir), "\n"); !strings.Contains(got, test.says) {
				t.Errorf("it says\n%s\nwant %q", got, test.says)
			}
		})
	}
	t.Run("a key", func(t *testing.T) {
		dir := damage(t, whole, "keys.db", func(tx *bolt.Tx) error { return tx.Bucket(bucketKeys).Delete(be(1)) })
		if got := strings.Join(faults(t, dir), "\n"); !strings.Contains(got, "the key of M-000001 is missing, and nothing says that it was dropped") {
			t.Errorf("it says\n%s", got)
		}
	})
	t.Run("a file", func(t *testing.T) {
		dir := damage(t, whole, "keys.db", func(*bolt.Tx) error { return nil })
		if err := os.WriteFile(filepath.Join(dir, "replies", "R-000002"), []byte("another"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(faults(t, dir), "\n"); !strings.Contains(got, "replies/R-000002 cannot be opened") {
			t.Errorf("it says\n%s", got)
		}
	})
}

// flip flips the last byte of the first value of a bucket.
func flip(tx *bolt.Tx, bucket string) error {
	k, v := tx.Bucket([]byte(bucket)).Cursor().First()
	v = bytes.Clone(v)
	v[len(v)-1] ^= 1
	return tx.Bucket([]byte(bucket)).Put(bytes.Clone(k), v)
}

// damage gives a copy of a state with something done to a file of it.
func damage(t *testing.T, whole, file string, do func(*bolt.Tx) error) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "state")
	if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	db, err := openBolt(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(do), db.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestExamineFlipped: a byte that is flipped anywhere never ends the program,
// and one within what is in use is told.
func TestExamineFlipped(t *testing.T) {
	whole := sound(t)
	for _, name := range []string{"state.db", "keys.db"} {
		b := read(t, whole, name)
		told := 0
		for at := 0; at < len(b); at += 2999 {
			dir := filepath.Join(t.TempDir(), "state")
			flipped := bytes.Clone(b)
			flipped[at] ^= 0x40
			if err := errors.Join(os.CopyFS(dir, os.DirFS(whole)), os.WriteFile(filepath.Join(dir, name), flipped, 0o600)); err != nil {
				t.Fatal(err)
			}
			parts, err := Examine(Config{Dir: dir})
			found := err != nil
			for _, p := range parts {
				found = found || p.Count > 0
			}
			if errors.Is(err, ErrLocked) {
				t.Fatal("an examination has left its lock behind")
			}
			if found {
				told++
			}
		}
		if told == 0 {
			t.Errorf("%s: no flipped byte was told", name)
		}
	}
}

// TestExamineForgottenLongAgo: a Mail that was forgotten by a version that did not
// note when is sound: its key is gone, and so is its entry of what ended.
func TestExamineForgottenLongAgo(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		m.State, m.Ended = inbox.MailActed, tx.Now
		return errors.Join(tx.PutMail(m), tx.bucket("mail_ended").Delete(endedKey(m)), tx.Journal("forgotten", inbox.WhoProgram, m.ID, 0, nil))
	})
	if err := db.Forget([]inbox.MailID{1}); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error { // one whose entry was lost is not
		m := addMail(t, tx, 2)
		m.State, m.Ended = inbox.MailActed, tx.Now
		return errors.Join(tx.PutMail(m), tx.bucket("mail_ended").Delete(endedKey(m)))
	})
	shut(t, db)
	got := faults(t, dir)
	if len(got) != 1 || !strings.Contains(got[0], "mail_ended has no entry of mails 2") {
		t.Errorf("%q", got)
	}
}
