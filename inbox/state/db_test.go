package state

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// TestBuckets holds the drawing of the package comment, Buckets and the file
// against each other.
func TestBuckets(t *testing.T) {
	var real []string
	newState(t).view(t, func(tx *Tx) error {
		return tx.tx.ForEach(func(name []byte, _ *bolt.Bucket) error { real = append(real, string(name)); return nil })
	})
	listed := Buckets()
	if got, want := slices.Sorted(slices.Values(listed)), real; !slices.Equal(got, want) {
		t.Errorf("Buckets lists %q, the file has %q", got, want)
	}
	if drawn := drawnBuckets(t); !slices.Equal(drawn, listed) {
		t.Errorf("the package comment draws %q, Buckets lists %q", drawn, listed)
	}
}

// drawnBuckets reads the names in the drawing of doc.go.
func drawnBuckets(t *testing.T) (names []string) {
	t.Helper()
	page, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, drawing, _ := strings.Cut(string(page), "# Buckets of state.db")
	drawing, _, _ = strings.Cut(drawing, "\n// # ")
	for line := range strings.Lines(drawing) {
		row, ok := strings.CutPrefix(line, "//\t")
		if !ok {
			continue
		}
		column, _, _ := strings.Cut(row, "  ")
		for name := range strings.SplitSeq(column, ",") {
			name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
			names = append(names, name)
		}
	}
	return names
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	db := openState(t, dir)
	if err := db.SaveFile(0, "A-000001-1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "replies": 0o700, "state.db": 0o600, "keys.db": 0o600, "instance": 0o600, "replies/A-000001-1": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v; want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	var id inbox.MailID
	db.update(t, func(tx *Tx) error { id = addMail(t, tx, 1).ID; return nil })
	instance, key := db.Instance(), db.EffectKey(7)
	shut(t, db)
	for range 3 {
		db = openState(t, dir)
		if db.Restored() || db.Instance() != instance || db.EffectKey(7) != key {
			t.Errorf("restored %t, instance %s (was %s), effect key %s (was %s)", db.Restored(), db.Instance(), instance, db.EffectKey(7), key)
		}
		db.view(t, func(tx *Tx) error {
			m, err := tx.Mail(id)
			if err == nil && (m.Detail == nil || m.Detail.Text != text) {
				t.Errorf("the mail came back as %+v", m.Detail)
			}
			return err
		})
		shut(t, db)
	}
}

func TestInstancesDiffer(t *testing.T) {
	a, b := newState(t), newState(t)
	if len(a.Instance()) != 32 || a.Instance() == b.Instance() || a.EffectKey(1) == b.EffectKey(1) {
		t.Errorf("two states have the marks %s and %s", a.Instance(), b.Instance())
	}
}

// TestSecondOpener: whoever comes second is told so, whichever command it is.
func TestSecondOpener(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	patience := lockTimeout
	lockTimeout = 1
	t.Cleanup(func() { lockTimeout = patience })
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("opening got %v", err)
	}
	if _, _, err := Compact(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("compacting got %v", err)
	}
	if err := Peek(dir, func(*Tx, bool) { t.Error("looked at while it was open") }); !errors.Is(err, ErrLocked) {
		t.Errorf("peeking got %v", err)
	}
	db.update(t, func(tx *Tx) error { return tx.SetMeta("still", "here") })
	shut(t, db)
	openState(t, dir).view(t, func(tx *Tx) error {
		if tx.Meta("still") != "here" {
			t.Error("the first opener lost what it wrote")
		}
		return nil
	})
}

// TestReplacedWhileWaiting: a file that lost its name while somebody waited
// for its lock is not written to.
func TestReplacedWhileWaiting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := openBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := checkFile(db, file, path); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.View(func(tx *bolt.Tx) error { return tx.CopyFile(path+".new", 0o600) }), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	if err := checkFile(db, file, path); !errors.Is(err, ErrLocked) {
		t.Errorf("a file without a name: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// past makes a state with one mail and one scheduled Action, closed again.
func past(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	db := openState(t, dir)
	db.update(t, func(tx *Tx) error { addAction(t, tx, addMail(t, tx, 1), inbox.EventAccept); return nil })
	shut(t, db)
	return dir
}

func copyFileTo(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRefused: what would silently begin anew, or mix two states, does not
// start, and says what to do.
func TestRefused(t *testing.T) {
	remove := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, n := range names {
				if err := os.Remove(filepath.Join(dir, n)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	empty := func(n string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, n), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	foreign := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			other := past(t)
			for _, n := range names {
				copyFileTo(t, filepath.Join(other, n), filepath.Join(dir, n))
			}
		}
	}
	sentinel := func(s string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "instance"), []byte(s), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name string
		do   func(*testing.T, string)
		says string
	}{
		{"state.db vanished", remove("state.db"), "state.db is missing"},
		{"keys.db vanished", remove("keys.db"), "keys.db is missing"},
		{"both vanished", remove("state.db", "keys.db"), "is missing"},
		{"state.db emptied", empty("state.db"), "state.db is empty"},
		{"keys.db emptied", empty("keys.db"), "keys.db is empty"},
		{"state.db of another instance", foreign("state.db"), "another instance"},
		{"both of another instance", foreign("state.db", "keys.db"), "another instance"},
		{"keys.db of another instance", foreign("keys.db"), "keys.db does not belong"},
		{"sentinel of another instance", foreign("instance"), "another instance"},
		{"keys.db and sentinel vanished", remove("keys.db", "instance"), "keys.db does not belong"},
		{"sentinel emptied", sentinel(""), "instance is damaged"},
		{"sentinel without a number", sentinel("0123456789abcdef0123456789abcdef\n"), "instance is damaged"},
		{"sentinel of garbage", sentinel("\x00\x00 \x00"), "instance is damaged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := past(t)
			test.do(t, dir)
			for range 2 { // the first try must not make the second succeed
				db, err := Open(Config{Dir: dir})
				if err == nil {
					shut(t, db)
					t.Fatal("it opened")
				}
				var hint *inbox.Error
				if !strings.Contains(err.Error(), test.says) || !errors.As(err, &hint) || hint.Hint == "" {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// TestOlderKeys: a keys.db from before the newest mails lacks their keys, and
// has some that were dropped.
func TestOlderKeys(t *testing.T) {
	dir := past(t)
	old := filepath.Join(t.TempDir(), "keys.db")
	copyFileTo(t, filepath.Join(dir, "keys.db"), old)
	db := openState(t, dir)
	for range 3 { // more mails than keys are made ahead
		db.update(t, func(tx *Tx) error {
			for range keyBlock / 2 {
				if _, err := tx.NewMailID(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	shut(t, db)
	copyFileTo(t, old, filepath.Join(dir, "keys.db"))
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "keys.db is older than state.db") {
		t.Errorf("got %v", err)
	}
}

func TestSchemas(t *testing.T) {
	for _, test := range []struct {
		version uint64
		says    string
	}{{Schema + 1, "a newer supportd wrote it"}, {0, "no supportd ever wrote"}} {
		dir := past(t)
		db := openState(t, dir)
		db.update(t, func(tx *Tx) error { return putMeta(tx.bucket("meta"), "schema", test.version) })
		shut(t, db)
		if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("schema %d: %v", test.version, err)
		}
	}
}

// TestRestored: an older copy is known as one until what is open was held,
// draws a new epoch, and is an ordinary state after that.
func TestRestored(t *testing.T) {
	backup := func(t *testing.T, dir string) string {
		db := openState(t, dir)
		to := filepath.Join(t.TempDir(), "backup")
		if err := db.Backup(to, nil); err != nil {
			t.Fatal(err)
		}
		db.update(t, func(tx *Tx) error { addAction(t, tx, addMail(t, tx, 2), inbox.EventAccept); return nil })
		shut(t, db)
		return to
	}
	tests := []struct {
		name string
		do   func(t *testing.T, dir string) (restored string)
	}{
		{"a file copy, put back after another opening", func(t *testing.T, dir string) string {
			old := filepath.Join(t.TempDir(), "state.db")
			copyFileTo(t, filepath.Join(dir, "state.db"), old)
			shut(t, openState(t, dir))
			copyFileTo(t, old, filepath.Join(dir, "state.db"))
			return dir
		}},
		{"a backup, put back in place of the state it was made of", func(t *testing.T, dir string) string {
			to := backup(t, dir)
			copyFileTo(t, filepath.Join(to, "state.db"), filepath.Join(dir, "state.db"))
			return dir
		}},
		{"a backup with its keys, put back the same", func(t *testing.T, dir string) string {
			to := backup(t, dir)
			copyFileTo(t, filepath.Join(to, "state.db"), filepath.Join(dir, "state.db"))
			copyFileTo(t, filepath.Join(to, "keys.db"), filepath.Join(dir, "keys.db"))
			return dir
		}},
		{"a backup, opened elsewhere", backup},
		{"the sentinel is lost", func(t *testing.T, dir string) string {
			if err := os.Remove(filepath.Join(dir, "instance")); err != nil {
				t.Fatal(err)
			}
			return dir
		}},
		{"a backup from before the first mail", func(t *testing.T, _ string) string { return backup(t, t.TempDir()) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := past(t)
			before := openState(t, dir)
			instance, key := before.Instance(), before.EffectKey(2)
			shut(t, before)
			dir = test.do(t, dir)
			peek(t, dir, true)
			for range 2 { // the first opener ends before it holds anything
				db := openState(t, dir)
				if !db.Restored() {
					t.Fatal("nothing was noticed")
				}
				if test.name != "a backup from before the first mail" && db.Instance() != instance || db.EffectKey(2) == key {
					t.Errorf("instance %s, effect key %s; were %s, %s", db.Instance(), db.EffectKey(2), instance, key)
				}
				key = strings.Replace(key, "-A-", "-never-", 1) // the second opening keeps the epoch of the first
				shut(t, db)
			}
			db := openState(t, dir)
			epoch := db.EffectKey(2)
			db.update(t, func(tx *Tx) error { return tx.HeldRestored() })
			shut(t, db)
			peek(t, dir, true)
			if db = openState(t, dir); db.Restored() || db.EffectKey(2) != epoch {
				t.Errorf("afterwards: restored %t, effect key %s, was %s", db.Restored(), db.EffectKey(2), epoch)
			}
			db.update(t, func(tx *Tx) error { return tx.EndRestored() })
			shut(t, db)
			peek(t, dir, false)
		})
	}
}

// peek looks whether a state is known as a restored one, and that looking
// leaves no trace.
func peek(t *testing.T, dir string, want bool) {
	t.Helper()
	path := filepath.Join(dir, "state.db")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	looked := false
	if err := Peek(dir, func(_ *Tx, restored bool) { looked = restored == want }); err != nil || !looked {
		t.Errorf("restored should be %t (%v)", want, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("looking has changed the state (%v)", err)
	}
}

// TestPeekWhereNothingIs makes nothing.
func TestPeekWhereNothingIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := Peek(dir, func(*Tx, bool) { t.Error("there is something") }); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory: %v", err)
	}
}

// TestCompactKeepsRestored: a command between the restore and the daemon's
// start does not hide it.
func TestCompactKeepsRestored(t *testing.T) {
	dir := past(t)
	if err := os.Remove(filepath.Join(dir, "instance")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Compact(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if !openState(t, dir).Restored() {
		t.Error("the restore is hidden")
	}
}

// TestDamaged: whatever became of the file's bytes, opening it is an error or
// a success, never a panic or a fault, and leaves no lock behind.
func TestDamaged(t *testing.T) {
	whole := past(t)
	db := openState(t, whole)
	db.update(t, func(tx *Tx) error { // a mail of many pages, which no opening reads
		m := addMail(t, tx, 2)
		m.Detail.Text = strings.Repeat(text, 2000)
		return tx.PutMail(m)
	})
	shut(t, db)
	trimmed(t, whole)
	for _, name := range []string{"state.db", "keys.db"} {
		b, err := os.ReadFile(filepath.Join(whole, name))
		if err != nil {
			t.Fatal(err)
		}
		page := os.Getpagesize()
		damage := map[string][]byte{
			"no bbolt file":   bytes.Repeat([]byte("damaged "), len(b)/8),
			"all zeros":       make([]byte, len(b)),
			"a single byte":   {0},
			"text":            []byte("restore me from the backup of last night\n"),
			"cut in the meta": b[:page/2],
		}
		for at := page; at < len(b); at += page {
			damage[fmt.Sprint("cut at page ", at/page)] = b[:at]
			hole := bytes.Clone(b)
			clear(hole[at:min(at+page, len(b))])
			damage[fmt.Sprint("page ", at/page, " zeroed")] = hole
			noise := bytes.Clone(b)
			for i := at; i < min(at+page, len(b)); i += 2 {
				binary.LittleEndian.PutUint16(noise[i:], uint16(i*40503))
			}
			damage[fmt.Sprint("page ", at/page, " overwritten")] = noise
		}
		for what, bytes := range damage {
			t.Run(name+" "+what, func(t *testing.T) {
				dir := t.TempDir()
				for _, n := range []string{"state.db", "keys.db", "instance"} {
					copyFileTo(t, filepath.Join(whole, n), filepath.Join(dir, n))
				}
				if err := os.WriteFile(filepath.Join(dir, name), bytes, 0o600); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					db, err := Open(Config{Dir: dir})
					if err == nil {
						err = db.Close()
					}
					if errors.Is(err, ErrLocked) {
						t.Fatal("the first try has left its lock behind")
					}
				}
				if strings.HasPrefix(what, "cut") || what == "all zeros" || what == "text" {
					if db, err := Open(Config{Dir: dir}); err == nil {
						shut(t, db)
						t.Error("it opened")
					}
				}
			})
		}
	}
}

// trimmed cuts the unused end off the files of a closed state.
func trimmed(t *testing.T, dir string) string {
	t.Helper()
	for _, name := range []string{"state.db", "keys.db"} {
		path := filepath.Join(dir, name)
		db, err := openBolt(path)
		if err != nil {
			t.Fatal(err)
		}
		var used int64
		err = db.View(func(tx *bolt.Tx) error { used = tx.Size(); return nil })
		if err := errors.Join(err, db.Close(), os.Truncate(path, used)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestUpdateIsWhole(t *testing.T) {
	db := newState(t)
	no := errors.New("no")
	err := db.Update(t.Context(), "a half", func(tx *Tx) error {
		addMail(t, tx, 1)
		return no
	})
	if !errors.Is(err, no) || !strings.Contains(err.Error(), "a half") {
		t.Errorf("got %v", err)
	}
	db.view(t, func(tx *Tx) error {
		if _, ok := tx.MailByRef(inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: 1}); ok {
			t.Error("half of it is there")
		}
		return tx.EachMail(0, func(m *inbox.Mail) bool { t.Errorf("%s is there", m.ID); return true })
	})
}

func TestUpdateAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := newState(t).Update(ctx, "late", func(*Tx) error { t.Error("it ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestPoints(t *testing.T) {
	var points []string
	db, err := Open(Config{Dir: t.TempDir(), Point: func(s string) { points = append(points, s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.update(t, func(*Tx) error { points = append(points, "inside"); return nil })
	if err := db.Update(t.Context(), "failing", func(*Tx) error { return ErrNotFound }); err == nil {
		t.Error("a failure was committed")
	}
	if want := []string{"before commit test", "inside", "after commit test", "before commit failing"}; !slices.Equal(points, want) {
		t.Errorf("got %q", points)
	}
}

// TestBackupWhileWriting: the copy is one moment of a state that goes on, it
// opens, and every letter's file that it needs came along.
func TestBackupWhileWriting(t *testing.T) {
	db := newState(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	started := make(chan struct{})
	wg.Go(func() { // letters come and go, each with its file
		for n := uint32(1); ; n++ {
			name := ""
			db.update(t, func(tx *Tx) error {
				m := addMail(t, tx, n)
				name = inbox.ReplyID(n).String()
				if err := db.SaveFile(m.ID, name, []byte(text)); err != nil {
					return err
				}
				addReply(t, tx, m.ID)
				return nil
			})
			if n == 3 {
				close(started)
			}
			if n > 1 {
				db.update(t, func(tx *Tx) error { return endReply(tx, inbox.ReplyID(n-1)) })
				if err := db.RemoveFile(inbox.ReplyID(n - 1).String()); err != nil {
					t.Error(err)
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-started
	for range 5 {
		to := filepath.Join(t.TempDir(), "copy")
		if err := db.Backup(to, nil); err != nil {
			t.Error(err)
			continue
		}
		checkCopy(t, to)
	}
	close(stop)
	wg.Wait()
}

func endReply(tx *Tx, id inbox.ReplyID) error {
	r, err := tx.Reply(id)
	if err != nil {
		return err
	}
	r.State = inbox.ReplySent
	return tx.PutReply(r)
}

// checkCopy opens a backup and reads everything in it.
func checkCopy(t *testing.T, dir string) {
	t.Helper()
	db := openState(t, dir)
	defer shut(t, db)
	if !db.Restored() {
		t.Error("the copy takes itself for the state")
	}
	db.view(t, func(tx *Tx) error {
		f, err := tx.VerifyJournal("")
		if f.Broken != "" {
			t.Error(f.Broken)
		}
		return errors.Join(err, tx.EachMail(0, func(m *inbox.Mail) bool {
			replies, err := tx.CaseReplies(m.ID)
			if err != nil || m.Detail == nil || len(replies) != 1 {
				t.Errorf("%s has %d letters, %v", m.ID, len(replies), err)
				return false
			}
			if r := replies[0]; !r.State.Ended() {
				if b, err := db.LoadFile(m.ID, r.ID.String()); err != nil || string(b) != text {
					t.Errorf("the file of %s is %q, %v", r.ID, b, err)
				}
			}
			return true
		}))
	})
	for _, name := range []string{"state.db", "keys.db", "replies"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", name, info.Mode(), err)
		}
	}
	files, err := os.ReadDir(filepath.Join(dir, "replies"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is open to others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestBackupRefusesAState(t *testing.T) {
	db := newState(t)
	for _, taken := range []string{"state.db", "keys.db", "instance"} {
		to := t.TempDir()
		path := filepath.Join(to, taken)
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := db.Backup(to, nil); err == nil {
			t.Errorf("a directory with %s was written to", taken)
		}
		if b, err := os.ReadFile(path); string(b) != "precious" {
			t.Errorf("%s became %q, %v", taken, b, err)
		}
	}
	if err := db.Backup(db.dir, nil); err == nil {
		t.Error("the state was backed up into itself")
	}
}

func TestCompact(t *testing.T) {
	dir := t.TempDir()
	db := openState(t, dir)
	big := strings.Repeat("a long letter ", 100_000) // a file grows by 16 MiB at a time
	for n := range uint32(20) {
		db.update(t, func(tx *Tx) error {
			m := addMail(t, tx, n+1)
			m.Detail.Text = big
			return tx.PutMail(m)
		})
	}
	db.update(t, func(tx *Tx) error {
		for n := range inbox.MailID(20) {
			m, err := tx.Mail(n + 1)
			if err != nil {
				return err
			}
			m.Detail.Text = text
			if err := tx.PutMail(m); err != nil {
				return err
			}
		}
		return nil
	})
	var head string
	db.view(t, func(tx *Tx) (err error) { head, _, err = tx.JournalHead(); return err })
	key := db.EffectKey(1)
	shut(t, db)
	before, after, err := Compact(Config{Dir: dir})
	if err != nil || after >= before {
		t.Fatalf("%d bytes became %d, %v", before, after, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "state.db")); err != nil || info.Size() != after || info.Mode().Perm() != 0o600 {
		t.Errorf("state.db has %d bytes, %v, %v", info.Size(), info.Mode(), err)
	}
	db = openState(t, dir)
	if db.Restored() || db.EffectKey(1) != key {
		t.Error("a compacted state takes itself for another")
	}
	db.update(t, func(tx *Tx) error {
		n := 0
		if err := tx.EachMail(0, func(m *inbox.Mail) bool { n++; return m.Detail != nil && m.Detail.Text == text }); err != nil || n != 20 {
			t.Errorf("%d mails are readable, %v", n, err)
		}
		if m := addMail(t, tx, 99); m.ID != 21 {
			t.Errorf("the next mail is %s", m.ID)
		}
		now, _, err := tx.JournalHead()
		if now != head {
			t.Error("the journal has another head")
		}
		return err
	})
	for _, name := range []string{"state.db.new", "keys.db.new"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was left behind: %v", name, err)
		}
	}
}
