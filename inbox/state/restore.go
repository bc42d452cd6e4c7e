package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// The directories of a restore, in the state's own. What is put together in the
// first counts for nothing. Its rename to the second is the moment from which
// on the restore has happened: whoever opens the state then moves the files in
// it to their places, and what stands there to the third.
const (
	restoringDir = "restoring"
	restoredDir  = "restored"
	replacedDir  = "replaced"
)

// noteDeletes is the note that says from when on deletes are to be repeated.
const noteDeletes = "restored deletes"

// RestoreConfig says what is restored, and where to.
type RestoreConfig struct {
	Dir       string                               // the state's
	From      string                               // what Backup wrote, or a copy of a state directory
	Forgotten string                               // as in Config
	Lists     []string                             // copies of the list of what was forgotten that are elsewhere
	Files     []string                             // of From, that go into Dir, too, when they are there
	Open      func(r io.Reader) (io.Reader, error) // decrypts keys.db; nil: nobody can
	Point     func(name string)                    // called at "restore NAME"; nil: not at all
}

// Restored is what a restore did.
type Restored struct {
	Keys     int       // keys that were dropped again
	Deletes  int       // deletes that the copy did not know of
	Since    time.Time // when the first of these was carried out; zero without any
	Replaced string    // where what was there before is now; "": nothing was
	Finished bool      // an earlier restore was finished, and nothing else done
}

// Restore puts a copy of a state in place of the one in c.Dir, with what was
// forgotten since it was made forgotten again. The copy is known as one when it
// is opened next: it draws a new epoch and is held. Until everything is complete
// and on disk the state in c.Dir stays what it is; after that the restore has
// happened, however it ends. ErrLocked says that the daemon runs.
func Restore(c RestoreConfig) (r Restored, err error) {
	if c.Point == nil {
		c.Point = func(string) {}
	}
	if err := refuseRoot(c.Dir); err != nil {
		return r, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return r, fmt.Errorf("making the state directory: %w", err)
	}
	unlock, err := lockDir(c.Dir)
	if err != nil {
		return r, err
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(c.Dir, restoredDir)); err == nil {
		return Restored{Finished: true, Replaced: filepath.Join(c.Dir, replacedDir)}, finishRestore(c.Dir)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, replacedDir)); err == nil {
		return r, &inbox.Error{Err: fmt.Errorf("%s is there, of an earlier restore", filepath.Join(c.Dir, replacedDir)),
			Hint: "see whether something in it is still needed, and remove it"}
	}
	release, err := lockAll(c.Dir, append([]string{"state.db", "keys.db"}, c.Files...))
	if err != nil {
		return r, err
	}
	defer release()
	if r, err = c.stage(); err != nil {
		return r, errors.Join(err, os.RemoveAll(c.staged("")))
	}
	if err := os.Rename(c.staged(""), filepath.Join(c.Dir, restoredDir)); err != nil {
		return r, fmt.Errorf("restoring: %w", err)
	}
	c.Point("restore decided")
	if err := errors.Join(syncDir(c.Dir), finishRestore(c.Dir)); err != nil {
		return r, err
	}
	if _, err := os.Stat(filepath.Join(c.Dir, replacedDir)); err == nil {
		r.Replaced = filepath.Join(c.Dir, replacedDir)
	}
	return r, nil
}

func (c *RestoreConfig) staged(name string) string {
	return filepath.Join(c.Dir, restoringDir, name)
}

// lockDir keeps others from opening a state, and from restoring one, until
// release is called: where there is no file yet nothing else would. ErrLocked
// says that somebody else is at it. Where directories cannot be locked, as on
// some network file systems, it does nothing.
func lockDir(dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the state directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, fmt.Errorf("opening %s: %w", dir, ErrLocked)
	}
	return func() { f.Close() }, nil
}

// dropUnfinished removes what a restore that was killed had put together: the
// keys in it may be those of people who are forgotten.
func dropUnfinished(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, restoringDir)); err != nil {
		return fmt.Errorf("removing a restore that was cut short: %w", err)
	}
	return nil
}

// lockAll takes the locks of the files that a daemon would hold.
func lockAll(dir string, names []string) (release func(), err error) {
	var held []*os.File
	release = func() {
		for _, f := range held {
			f.Close()
		}
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			release()
			return nil, fmt.Errorf("restoring: %w", err)
		}
		held = append(held, f)
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			release()
			return nil, fmt.Errorf("restoring: %w", ErrLocked)
		}
	}
	return release, nil
}

// stage puts together what the state is going to be.
func (c *RestoreConfig) stage() (r Restored, err error) {
	if err := os.RemoveAll(c.staged("")); err != nil {
		return r, fmt.Errorf("restoring: %w", err)
	}
	if err := c.copy(); err != nil {
		return r, &inbox.Error{Err: fmt.Errorf("restoring: %w", err), Hint: hintOf(err, "name the directory that \"supportd backup\" wrote")}
	}
	c.Point("restore copied")
	for _, name := range []string{"state.db", "keys.db"} {
		if err := wholeFile(c.staged(name)); err != nil {
			return r, err
		}
	}
	keys, err := openKeys(c.staged("keys.db"))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, keys.close()) }()
	all, err := c.lists(keys)
	if err != nil {
		return r, err
	}
	mails, err := c.mails()
	if err != nil {
		return r, err
	}
	if err := keys.renew(mails); err != nil {
		return r, err
	}
	if r.Keys, err = keys.dropListed(all.keys); err != nil {
		return r, err
	}
	if err := keys.rewriteLocked(); err != nil {
		return r, err
	}
	c.Point("restore forgotten")
	r.Deletes, r.Since, err = c.stageState(keys, all)
	if err != nil {
		return r, err
	}
	return r, syncDir(c.staged(""))
}

// hintOf gives the hint of an error, or another one when it has none.
func hintOf(err error, other string) string {
	var e *inbox.Error
	if errors.As(err, &e) && e.Hint != "" {
		return e.Hint
	}
	return other
}

// copy copies the files of the copy.
func (c *RestoreConfig) copy() error {
	if err := os.MkdirAll(c.staged("replies"), 0o700); err != nil {
		return err
	}
	for _, name := range append([]string{"state.db"}, c.Files...) {
		err := copyFile(filepath.Join(c.From, name), c.staged(name))
		if err != nil && !(errors.Is(err, os.ErrNotExist) && slices.Contains(c.Files, name)) {
			return err
		}
	}
	if err := c.copyKeys(); err != nil {
		return err
	}
	if err := c.copyAccepted(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(c.From, "replies"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if err := copyFile(filepath.Join(c.From, "replies", e.Name()), filepath.Join(c.staged("replies"), e.Name())); err != nil {
			return err
		}
	}
	return syncDir(c.staged("replies"))
}

// copyAccepted copies what is known of letters that a server has taken over: by
// the copy, and by the state that it replaces, which may know more.
func (c *RestoreConfig) copyAccepted() error {
	then, err := readAccepted(c.From)
	if err != nil {
		return err
	}
	now, err := readAccepted(c.Dir)
	if err != nil {
		return err
	}
	return writeAccepted(c.staged(""), append(then, now...))
}

// copyKeys copies keys.db, or what it was encrypted to.
func (c *RestoreConfig) copyKeys() error {
	err := copyFile(filepath.Join(c.From, "keys.db"), c.staged("keys.db"))
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	sealed, err := os.Open(filepath.Join(c.From, sealedKeys))
	if err != nil {
		return err
	}
	defer sealed.Close()
	if c.Open == nil {
		return &inbox.Error{Err: errors.New("the keys of the copy are encrypted"), Hint: "name the file with the identity that they were encrypted to: --identity FILE"}
	}
	clear, err := c.Open(sealed)
	if err != nil {
		return err
	}
	return writeNew(c.staged("keys.db"), func(w io.Writer) error { _, err := io.Copy(w, clear); return err })
}

// lists reads what was forgotten, as far as a list of it is left anywhere, and
// puts all of it into the one that is kept.
func (c *RestoreConfig) lists(keys *keyring) (*listing, error) {
	kept := c.Forgotten
	if kept == "" {
		kept = filepath.Join(c.Dir, "forgotten")
	}
	all := newListed()
	for _, dir := range append([]string{kept, filepath.Join(c.From, "forgotten")}, c.Lists...) {
		if err := (&list{dir: dir, keys: keys}).read(all); err != nil {
			return nil, err
		}
	}
	for _, dir := range c.Lists {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("reading what was forgotten: %w", err)
		}
	}
	return all, (&list{dir: kept, keys: keys}).merge(all)
}

// mails gives the number of the newest Mail of the copy.
func (c *RestoreConfig) mails() (n uint64, err error) {
	path := c.staged("state.db")
	file, err := openBolt(path)
	if err != nil {
		return 0, err
	}
	err = guard(path, func() error {
		return file.View(func(tx *bolt.Tx) error {
			b := tx.Bucket(bucketMails)
			if b == nil {
				return damaged(path, "no mails are in it")
			}
			n = b.Sequence()
			return nil
		})
	})
	return n, errors.Join(err, file.Close())
}

// stageState looks whether state.db belongs to the keys, makes it
// known as a copy, of which the opening makes the indexes anew, since keys were
// dropped, and adds the deletes that it does not know of.
func (c *RestoreConfig) stageState(keys *keyring, all *listing) (deletes int, since time.Time, err error) {
	path := c.staged("state.db")
	file, err := openBolt(path)
	if err != nil {
		return 0, since, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	db := &DB{keys: keys}
	err = file.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return damaged(path, "nothing is in it")
		}
		if err := errors.Join(checkSchema(meta), db.checkKeys(tx), putMeta(meta, "opens", 0), putMeta(meta, keyIndexed, 1), meta.Put(keyRestored, []byte(restoreFound))); err != nil {
			return err
		}
		b, err := tx.CreateBucketIfNotExists([]byte("deleted"))
		if err != nil {
			return err
		}
		t := &Tx{tx: tx, db: db}
		for key, value := range all.deletes {
			if b.Get([]byte(key)) != nil || t.doneBefore([]byte(key)) {
				continue
			}
			if err := b.Put([]byte(key), value); err != nil {
				return err
			}
			if at := keyTime([]byte(key)); deletes == 0 || at.Before(since) {
				since = at
			}
			deletes++
		}
		if deletes == 0 {
			return nil
		}
		return t.SetMeta(noteDeletes, since.UTC().Format(time.RFC3339Nano))
	})
	return deletes, since, err
}

// doneBefore tells whether a delete was carried out before a copy was made, which
// keeps it no more: the list is kept for longer, and what somebody gave
// again in between is theirs. Its time says so, and its Action, unless
// that is open: the clock may have gone back since.
func (tx *Tx) doneBefore(key []byte) bool {
	known := false
	err := journal.Walk(tx.tx, 0, true, func(l journal.Link) (bool, error) {
		known = !keyTime(key).Truncate(time.Millisecond).After(l.At) // as exact as entries are
		return false, nil
	})
	id := binary.BigEndian.Uint64(key[8:])
	if err != nil || !known || id > tx.bucket("actions").Sequence() {
		return false
	}
	a, err := stored[inbox.Action](tx, "actions", id)
	return errors.Is(err, ErrNotFound) || err == nil && a.State.Ended()
}

// wholeFile looks at every page of a file.
func wholeFile(path string) error {
	var e Examined
	if err := pages(&e, path); err != nil {
		return damaged(path, err)
	}
	if e.Count > 0 {
		return damaged(path, e.Faults[0])
	}
	return nil
}

// DeletesSince tells from when on deletes are to be repeated in a user store
// that was restored with the state; zero: none are.
func (tx *Tx) DeletesSince() (time.Time, error) {
	note := tx.Meta(noteDeletes)
	if note == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339Nano, note)
}

// DeletesRepeated notes that they were.
func (tx *Tx) DeletesRepeated() error { return tx.SetMeta(noteDeletes, "") }

// finishRestore moves what a restore has put together to its place. It can be
// cut short at any moment, and begun anew; the caller holds the directory's lock.
func finishRestore(dir string) error {
	from := filepath.Join(dir, restoredDir)
	entries, err := os.ReadDir(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finishing a restore: %w", err)
	}
	for _, e := range entries {
		displaced := []string{e.Name(), e.Name() + ".mark"}
		if e.Name() == "state.db" {
			displaced = []string{"state.db", "instance"}
		}
		for _, name := range displaced {
			if err := displace(dir, name); err != nil {
				return fmt.Errorf("finishing a restore: %w", err)
			}
		}
		err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("finishing a restore: %w", err)
		}
	}
	if err := os.Remove(from); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("finishing a restore: %w", err)
	}
	return syncDir(dir)
}

// displace moves what stands in the way of a restore aside.
func displace(dir, name string) error {
	if _, err := os.Lstat(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	aside := filepath.Join(dir, replacedDir)
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return err
	}
	err := os.Rename(filepath.Join(dir, name), filepath.Join(aside, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// copy copies a list.
func (l *list) copy(to string) error {
	months, err := l.months()
	if err != nil || len(months) == 0 {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, m := range months {
		if err := copyFile(filepath.Join(l.dir, m), filepath.Join(to, m)); err != nil {
			return err
		}
	}
	return syncDir(to)
}

// copy writes a copy of keys.db into a directory. It may lack keys that were
// dropped since state.db was copied: these are on the list, which is copied
// afterwards.
func (k *keyring) copy(to string, seal Seal) error {
	k.mu.RLock() // the file must not be rewritten meanwhile
	defer k.mu.RUnlock()
	if seal == nil {
		return copyBolt(k.db.View, filepath.Join(to, "keys.db"))
	}
	return writeNew(filepath.Join(to, sealedKeys), func(w io.Writer) error {
		sealed, err := seal(w)
		if err != nil {
			return err
		}
		return errors.Join(k.db.View(func(tx *bolt.Tx) error { _, err := tx.WriteTo(sealed); return err }), sealed.Close())
	})
}
