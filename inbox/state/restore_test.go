package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
)

// backedUp makes a state with three mails and a copy of it; afterwards the key
// of the first is dropped and a delete carried out.
func backedUp(t *testing.T) (dir, from string, key []byte) {
	t.Helper()
	dir, from = t.TempDir(), filepath.Join(t.TempDir(), "copy")
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error {
		for n := range uint32(3) {
			addAction(t, tx, addMail(t, tx, n+1), inbox.EventAccept)
		}
		return nil
	})
	if err := errors.Join(db.SaveFile(2, "A-000002-1", []byte(text)), db.Backup(from, nil)); err != nil {
		t.Fatal(err)
	}
	key = keyOf(t, db, 1)
	db.update(t, func(tx *Tx) error { addMail(t, tx, 4); return nil })
	if err := db.Forget([]inbox.MailID{1, 4}); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error {
		return errors.Join(tx.Forgotten([]inbox.MailID{1, 4}),
			tx.AddDeleted(&Deleted{Action: 2, Effect: "e", Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Person: person}, from, nil))
	})
	shut(t, db)
	return dir, from, key
}

// isRestored fails unless the state is the copy, with what was forgotten since
// forgotten again.
func isRestored(t *testing.T, dir string, key []byte) {
	t.Helper()
	db := openState(t, dir)
	if !db.Restored() {
		t.Error("the copy takes itself for the state")
	}
	db.view(t, func(tx *Tx) error {
		for id, want := range map[inbox.MailID]bool{1: false, 2: true, 3: true} {
			if m, err := tx.Mail(id); err != nil || (m.Detail != nil) != want {
				t.Errorf("%s is readable: %t, %v", id, m.Detail != nil, err)
			}
		}
		del, err := tx.DeletedFrom(time.Time{}, 0, 9)
		since, err2 := tx.DeletesSince()
		if len(del) != 1 || del[0].Person != person || !since.Equal(del[0].At) {
			t.Errorf("deletes: %+v, since %v", del, since)
		}
		f, err3 := tx.VerifyJournal("")
		if f.Broken != "" {
			t.Error(f.Broken)
		}
		return errors.Join(err, err2, err3)
	})
	if b, err := db.LoadFile(2, "A-000002-1"); err != nil || string(b) != text {
		t.Errorf("the file of a letter: %q, %v", b, err)
	}
	db.update(t, func(tx *Tx) error {
		if m := addMail(t, tx, 99); m.ID != 4 { // the mail that had this number is forgotten, key and all
			t.Errorf("the next mail is %s", m.ID)
		}
		return nil
	})
	shut(t, db)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == replacedDir {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() && bytes.Contains(read(t, path), key) {
			t.Errorf("the dropped key is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRestore: in place of a state that is lost, damaged or whole, and where
// nothing was; the list may be in place, in the copy or elsewhere.
func TestRestore(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, c *RestoreConfig) error{
		"whole": func(t *testing.T, c *RestoreConfig) error { return nil },
		"lost":  func(t *testing.T, c *RestoreConfig) error { return os.Remove(filepath.Join(c.Dir, "state.db")) },
		"damaged": func(t *testing.T, c *RestoreConfig) error {
			return os.WriteFile(filepath.Join(c.Dir, "state.db"), []byte("?"), 0o600)
		},
		"all lost but the list": func(t *testing.T, c *RestoreConfig) error {
			return errors.Join(os.Remove(filepath.Join(c.Dir, "state.db")), os.Remove(filepath.Join(c.Dir, "keys.db")), os.Remove(filepath.Join(c.Dir, "instance")))
		},
		"all lost, a copy of the list elsewhere": func(t *testing.T, c *RestoreConfig) error {
			elsewhere := filepath.Join(t.TempDir(), "f")
			err := os.Rename(filepath.Join(c.Dir, "forgotten"), elsewhere)
			c.Lists = []string{elsewhere}
			return errors.Join(err, os.RemoveAll(c.Dir))
		},
		"all lost, the list is kept elsewhere": func(t *testing.T, c *RestoreConfig) error {
			c.Forgotten = filepath.Join(t.TempDir(), "f")
			return errors.Join(os.Rename(filepath.Join(c.Dir, "forgotten"), c.Forgotten), os.RemoveAll(c.Dir))
		},
		"all lost, the copy has the list": func(t *testing.T, c *RestoreConfig) error {
			return errors.Join(os.Rename(filepath.Join(c.Dir, "forgotten"), filepath.Join(c.From, "forgotten")), os.RemoveAll(c.Dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, from, key := backedUp(t)
			c := RestoreConfig{Dir: dir, From: from}
			if err := lose(t, &c); err != nil {
				t.Fatal(err)
			}
			r, err := Restore(c)
			if err != nil || r.Keys != 1 || r.Deletes != 1 {
				t.Fatalf("%+v, %v", r, err)
			}
			isRestored(t, dir, key)
			if again, err := Restore(c); r.Replaced != "" && err == nil {
				t.Errorf("restored over %s: %+v", r.Replaced, again)
			}
			if r.Replaced == "" {
				return
			}
			if err := os.RemoveAll(r.Replaced); err != nil {
				t.Fatal(err)
			}
			c.Lists = nil // they are in place by now
			if r, err := Restore(c); err != nil || r.Keys != 1 || r.Deletes != 1 {
				t.Errorf("again: %+v, %v", r, err)
			}
			isRestored(t, dir, key)
		})
	}
}

// TestRestoreCutShort: whenever the program ends, what opens is the old state
// or the restored one.
func TestRestoreCutShort(t *testing.T) {
	dir, from, key := backedUp(t)
	images := make(map[string]string)
	keep := func(name, dir string) string {
		images[name] = filepath.Join(t.TempDir(), "state")
		if err := os.CopyFS(images[name], os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		return images[name]
	}
	c := RestoreConfig{Dir: dir, From: from, Point: func(name string) { keep(name, dir) }}
	if _, err := Restore(c); err != nil {
		t.Fatal(err)
	}
	if len(images) != 3 {
		t.Fatalf("it could end at %d moments", len(images))
	}
	decided := images["restore decided"]
	for i, done := range []func(dir string) error{ // as far as the moves got
		func(dir string) error { return displace(dir, "keys.db") },
		func(dir string) error {
			return os.Rename(filepath.Join(dir, restoredDir, "keys.db"), filepath.Join(dir, "keys.db"))
		},
		func(dir string) error { return displace(dir, "replies") },
		func(dir string) error {
			return os.Rename(filepath.Join(dir, restoredDir, "replies"), filepath.Join(dir, "replies"))
		},
		func(dir string) error { return displace(dir, "state.db") },
		func(dir string) error { return displace(dir, "instance") },
		func(dir string) error {
			return os.Rename(filepath.Join(dir, restoredDir, "state.db"), filepath.Join(dir, "state.db"))
		},
	} {
		decided = keep(fmt.Sprint("restore decided, step ", i+1), decided)
		if err := done(decided); err != nil {
			t.Fatal(err)
		}
	}
	for name, image := range images {
		if strings.HasPrefix(name, "restore decided") {
			isRestored(t, image, key)
			continue
		}
		db := openState(t, image)
		if db.Restored() {
			t.Errorf("%s: the old state takes itself for a copy", name)
		}
		shut(t, db)
		if r, err := Restore(RestoreConfig{Dir: image, From: from}); err != nil || r.Keys != 1 {
			t.Errorf("%s: once more: %+v, %v", name, r, err)
		}
		isRestored(t, image, key)
	}
}

// TestRestoreRefused: what is not whole, or not of one state, or under a running
// daemon, leaves everything as it was.
func TestRestoreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(t *testing.T, c *RestoreConfig) error
		says string
	}{
		"no copy": {func(_ *testing.T, c *RestoreConfig) error { c.From = filepath.Join(c.From, "x"); return nil }, "no such file"},
		"encrypted keys": {func(_ *testing.T, c *RestoreConfig) error {
			return os.Rename(filepath.Join(c.From, "keys.db"), filepath.Join(c.From, sealedKeys))
		}, "encrypted"},
		"keys of another state": {func(t *testing.T, c *RestoreConfig) error {
			copyFileTo(t, filepath.Join(past(t), "keys.db"), filepath.Join(c.From, "keys.db"))
			return os.RemoveAll(filepath.Join(c.Dir, "forgotten"))
		}, "does not belong"},
		"a list of another state": {func(t *testing.T, c *RestoreConfig) error {
			dir, _, _ := backedUp(t)
			c.Lists = []string{filepath.Join(dir, "forgotten")}
			return nil
		}, "line 1 is damaged, or of another state"},
		"no such list": {func(_ *testing.T, c *RestoreConfig) error { c.Lists = []string{"/nowhere"}; return nil }, "no such file"},
		"a damaged page": {func(_ *testing.T, c *RestoreConfig) error {
			path := filepath.Join(c.From, "state.db")
			b, err := os.ReadFile(path)
			for i := 3 * os.Getpagesize(); err == nil && i < len(b); i += os.Getpagesize() {
				clear(b[i : i+64])
			}
			return errors.Join(err, os.WriteFile(path, b, 0o600))
		}, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, from, _ := backedUp(t)
			c := RestoreConfig{Dir: dir, From: from}
			if err := test.do(t, &c); err != nil {
				t.Fatal(err)
			}
			if _, err := Restore(c); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
			for _, left := range []string{restoringDir, restoredDir, replacedDir} {
				if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
					t.Errorf("%s was left behind", left)
				}
			}
			if db := openState(t, dir); db.Restored() {
				t.Error("the state was changed")
			}
		})
	}
	dir, from, _ := backedUp(t)
	openState(t, dir)
	if _, err := Restore(RestoreConfig{Dir: dir, From: from}); !errors.Is(err, ErrLocked) {
		t.Errorf("under a daemon: %v", err)
	}
}

// TestForgottenDiskFull: nothing is forgotten that cannot be listed, and a line
// that was cut leaves the list whole.
func TestForgottenDiskFull(t *testing.T) {
	if !alone(t) {
		return
	}
	dir, from, _ := backedUp(t)
	db := openState(t, dir)
	size := int64(0)
	entries, err := os.ReadDir(filepath.Join(dir, "forgotten"))
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	path := filepath.Join(dir, "forgotten", entries[0].Name())
	if info, err := os.Stat(path); err == nil {
		size = info.Size()
	}
	for _, room := range []uint64{0, 20} {
		free := full(t, uint64(size)+room)
		err := db.Forget([]inbox.MailID{2})
		free()
		if !inbox.IsTemporary(err) || len(keyOf(t, db, 2)) == 0 {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
	}
	for _, size := range []uint64{0, 10_000, 30_000} {
		c := RestoreConfig{Dir: t.TempDir(), From: from}
		free := full(t, size)
		_, err := Restore(c)
		to := filepath.Join(t.TempDir(), "copy")
		failed := db.Backup(to, nil)
		free()
		if left, _ := os.ReadDir(c.Dir); err == nil || len(left) != 0 {
			t.Errorf("restored on a disk that is full at %d bytes: %v, %v", size, err, left)
		}
		if failed == nil {
			t.Errorf("backed up on a disk that is full at %d bytes", size)
		}
	}
	if err := db.Forget([]inbox.MailID{2}); err != nil {
		t.Error(err)
	}
	shut(t, db)
	if r, err := Restore(RestoreConfig{Dir: dir, From: from}); err != nil || r.Keys != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestForgottenTorn: a line that a crash has cut is none, and the next begins
// anew.
func TestForgottenTorn(t *testing.T) {
	dir, from, _ := backedUp(t)
	months, err := filepath.Glob(filepath.Join(dir, "forgotten", "*"))
	if err != nil || len(months) != 1 {
		t.Fatal(months, err)
	}
	b := read(t, months[0])
	if err := os.WriteFile(months[0], append(b, b[:len(b)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	cut := bytes.LastIndexByte(append(b, b[:len(b)/2]...), '\n') + 1
	if err := os.Truncate(months[0], int64(cut)+10); err != nil {
		t.Fatal(err)
	}
	db := openState(t, dir)
	if err := db.Forget([]inbox.MailID{3}); err != nil {
		t.Fatal(err)
	}
	shut(t, db)
	if r, err := Restore(RestoreConfig{Dir: dir, From: from}); err != nil || r.Keys != 2 || r.Deletes != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestForgottenMonths: months that ended too long ago are removed.
func TestForgottenMonths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		db, err := Open(Config{Dir: dir, ForgottenKeep: 90 * 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for n := range inbox.MailID(12) {
			db.update(t, func(tx *Tx) error { addMail(t, tx, uint32(n+1)); return nil })
			if err := db.Forget([]inbox.MailID{n + 1}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(31 * 24 * time.Hour)
		}
		months, err := filepath.Glob(filepath.Join(dir, "forgotten", "*"))
		if err != nil || len(months) != 4 {
			t.Errorf("%q are left, %v", months, err)
		}
	})
}

// TestBackupAfterCompact: what is copied is the file that has the name now.
func TestBackupAfterCompact(t *testing.T) {
	db := newState(t)
	if _, _, err := db.Compact(); err != nil {
		t.Fatal(err)
	}
	db.update(t, func(tx *Tx) error { addReply(t, tx, addMail(t, tx, 1).ID); return nil })
	db.update(t, func(tx *Tx) error { return endReply(tx, 1) })
	to := filepath.Join(t.TempDir(), "copy")
	if err := db.Backup(to, nil); err != nil {
		t.Fatal(err)
	}
	checkCopy(t, to)
}

// TestRestoreAccepted: letters that a server has taken over before their commit
// are known to a copy, and after a restore, those of the state that it replaces
// included.
func TestRestoreAccepted(t *testing.T) {
	dir, from := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	db := openState(t, dir)
	var ids []string
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		for range 3 {
			r := addReply(t, tx, m.ID)
			r.State = inbox.ReplySending
			if err := tx.PutReply(r); err != nil {
				return err
			}
			ids = append(ids, r.Detail.MessageID)
		}
		return nil
	})
	accepted := func(dir string) (n []inbox.ReplyID) {
		db := openState(t, dir)
		defer shut(t, db)
		all, err := db.Accepted()
		for _, r := range all {
			n = append(n, r.ID)
		}
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if err := errors.Join(db.NoteAccepted(ids[0]), db.Backup(from, nil), db.ClearAccepted(), db.NoteAccepted(ids[2])); err != nil {
		t.Fatal(err)
	}
	shut(t, db)
	if err := os.CopyFS(from+"2", os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if got := accepted(from + "2"); len(got) != 1 || got[0] != 1 {
		t.Errorf("the copy knows of %v", got)
	}
	if _, err := Restore(RestoreConfig{Dir: dir, From: from}); err != nil {
		t.Fatal(err)
	}
	if got := accepted(dir); len(got) != 2 || got[0] != 1 || got[1] != 3 {
		t.Errorf("after the restore %v are known", got)
	}
}

// TestRestoreHeld: a held letter of a case that was forgotten since the copy was
// made waits for nobody any more.
func TestRestoreHeld(t *testing.T) {
	dir, from := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error {
		for n := range uint32(2) {
			m := addMail(t, tx, n+1)
			r := addReply(t, tx, m.ID)
			r.State = inbox.ReplyHeld
			if err := tx.PutReply(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(db.Backup(from, nil), db.Forget([]inbox.MailID{1})); err != nil {
		t.Fatal(err)
	}
	shut(t, db)
	if _, err := Restore(RestoreConfig{Dir: dir, From: from}); err != nil {
		t.Fatal(err)
	}
	db = openState(t, dir)
	checkOpen(t, db)
	if n := tallies(t, db); n.Now != 1 {
		t.Errorf("%d need a person", n.Now)
	}
	shut(t, db)
	if got := faults(t, dir); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// TestRestoreKnownDeletes: a delete that was carried out before the copy was made
// is not one that happened since, though the copy keeps it no more: the list
// is kept for longer.
func TestRestoreKnownDeletes(t *testing.T) {
	for name, dropped := range map[string]bool{"its action is kept": false, "its records were dropped": true} {
		t.Run(name, func(t *testing.T) {
			dir, from := t.TempDir(), filepath.Join(t.TempDir(), "copy")
			db := openState(t, dir)
			var first, second *inbox.Action
			end := func(tx *Tx, a *inbox.Action) error {
				return errors.Join(tx.Move(a, inbox.EventStart, "supportd", nil), tx.Move(a, inbox.EventDone, "supportd", nil),
					tx.AddDeleted(&Deleted{Action: a.ID, Effect: "e", Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Person: person}, from, nil))
			}
			db.update(t, func(tx *Tx) error {
				m := addMail(t, tx, 1)
				first, second = addAction(t, tx, m, inbox.EventAccept), addAction(t, tx, m, inbox.EventAccept)
				return end(tx, first)
			})
			db.update(t, func(tx *Tx) error {
				if dropped {
					if err := tx.dropAction(first.ID, first.Case); err != nil {
						return err
					}
				}
				return tx.ForgetDeleted(tx.Now.Add(time.Hour), 9)
			})
			if err := db.Backup(from, nil); err != nil {
				t.Fatal(err)
			}
			db.update(t, func(tx *Tx) error { return end(tx, second) })
			shut(t, db)
			r, err := Restore(RestoreConfig{Dir: dir, From: from})
			if err != nil || r.Deletes != 1 {
				t.Fatalf("%+v, %v", r, err)
			}
			openState(t, dir).view(t, func(tx *Tx) error {
				all, err := tx.DeletedFrom(time.Time{}, 0, 9)
				if len(all) != 1 || all[0].Action != second.ID {
					t.Errorf("to be repeated: %+v", all)
				}
				return err
			})
		})
	}
}

// TestRestoreAlone: while a restore works nobody else opens or restores there,
// where there was no state to lock, too.
func TestRestoreAlone(t *testing.T) {
	for _, moment := range []string{"restore copied", "restore forgotten", "restore decided"} {
		t.Run(moment, func(t *testing.T) {
			_, from, _ := backedUp(t)
			dir := t.TempDir()
			c := RestoreConfig{Dir: dir, From: from}
			tried := false
			c.Point = func(name string) {
				if name != moment {
					return
				}
				tried = true
				if db, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
					t.Errorf("opened meanwhile: %v", errors.Join(err, db.Close()))
				}
				if _, err := Restore(RestoreConfig{Dir: dir, From: from}); !errors.Is(err, ErrLocked) {
					t.Errorf("restored meanwhile: %v", err)
				}
			}
			if r, err := Restore(c); err != nil || r.Replaced != "" || !tried {
				t.Fatalf("%+v, %v", r, err)
			}
			if db := openState(t, dir); !db.Restored() || db.bolt == nil {
				t.Error("the copy takes itself for the state")
			}
		})
	}
}

// TestRestoreLeftover: what a restore that was killed has put together is removed
// when the state is opened: the keys in it are those of the copy.
func TestRestoreLeftover(t *testing.T) {
	dir, from, _ := backedUp(t)
	image := filepath.Join(t.TempDir(), "state")
	c := RestoreConfig{Dir: dir, From: from, Point: func(name string) {
		if name != "restore copied" {
			return
		}
		if err := os.CopyFS(image, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}}
	if _, err := Restore(c); err != nil {
		t.Fatal(err)
	}
	openState(t, image)
	if _, err := os.Stat(filepath.Join(image, restoringDir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("keys that were dropped are still in %s: %v", restoringDir, err)
	}
}

// TestRestoreFilesInUse: the user store is not put aside under who has it open.
func TestRestoreFilesInUse(t *testing.T) {
	dir, from, _ := backedUp(t)
	path := filepath.Join(dir, "users.db")
	users, err := openBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	defer users.Close()
	copyFileTo(t, path, filepath.Join(from, "users.db"))
	if _, err := Restore(RestoreConfig{Dir: dir, From: from, Files: []string{"users.db"}}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
}

// TestForgottenTogether: what is forgotten while a delete is committed is listed
// beside it.
func TestForgottenTogether(t *testing.T) {
	const n = 60
	dir, from := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error {
		for i := range uint32(n) {
			addMail(t, tx, i+1)
		}
		return nil
	})
	if err := db.Backup(from, nil); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for id := range inbox.MailID(n) {
			if err := db.Forget([]inbox.MailID{id + 1}); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range n {
		db.update(t, func(tx *Tx) error {
			return tx.AddDeleted(&Deleted{Action: inbox.ActionID(i + 1), Effect: "e", Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Person: person}, from, nil)
		})
	}
	wg.Wait()
	shut(t, db)
	if r, err := Restore(RestoreConfig{Dir: dir, From: from}); err != nil || r.Keys != n || r.Deletes != n {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestRestoreReminds: as long as what was there before a restore is there, the log
// says so: its keys are of people who are forgotten.
func TestRestoreReminds(t *testing.T) {
	dir, from, _ := backedUp(t)
	r, err := Restore(RestoreConfig{Dir: dir, From: from})
	if err != nil {
		t.Fatal(err)
	}
	for _, there := range []bool{true, false} {
		var log bytes.Buffer
		db, err := Open(Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		shut(t, db)
		if strings.Contains(log.String(), replacedDir) != there {
			t.Errorf("it is there: %t, and the log says %q", there, log.String())
		}
		if err := os.RemoveAll(r.Replaced); err != nil {
			t.Fatal(err)
		}
	}
}
