package state

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// grown makes a state of which most pages hold nothing any more.
func grown(t *testing.T, c Config) *DB {
	t.Helper()
	db, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	big := strings.Repeat("a long letter ", 10_000)
	for n := range uint32(20) {
		db.update(t, func(tx *Tx) error {
			m := addMail(t, tx, n+1)
			m.Detail.Text = big
			return tx.PutMail(m)
		})
	}
	for n := range uint32(20) {
		db.update(t, func(tx *Tx) error {
			m, err := tx.Mail(inbox.MailID(n + 1))
			if err != nil {
				return err
			}
			m.Detail.Text = text
			return tx.PutMail(m)
		})
	}
	return db
}

// whole fails unless a state holds so many mails, all readable, and an unbroken
// journal.
func whole(t *testing.T, db *DB, mails int) {
	t.Helper()
	db.view(t, func(tx *Tx) error {
		n := 0
		each := tx.EachMail(0, func(m *inbox.Mail) bool { n++; return m.Detail != nil && m.Detail.Text == text })
		f, err := tx.VerifyJournal("")
		if n != mails || f.Broken != "" {
			t.Errorf("%d mails are readable, want %d; the journal: %s", n, mails, f.Broken)
		}
		return errors.Join(each, err)
	})
}

// TestCompactWhileInUse: nothing that is written meanwhile is lost, who reads
// reads on, and a second opener never gets in.
func TestCompactWhileInUse(t *testing.T) {
	dir := t.TempDir()
	db := grown(t, Config{Dir: dir})
	patience := lockTimeout
	lockTimeout = 1
	t.Cleanup(func() { lockTimeout = patience })
	var wg sync.WaitGroup
	stop := make(chan struct{})
	written := uint32(20)
	wg.Go(func() {
		for more := true; more; {
			db.update(t, func(tx *Tx) error { written++; addMail(t, tx, written); return nil })
			select {
			case <-stop:
				more = false
			default:
			}
		}
	})
	wg.Go(func() {
		for more := true; more; {
			db.view(t, func(tx *Tx) error {
				_, err := tx.Mail(7)
				return errors.Join(err, db.View(func(tx *Tx) error { _, err := tx.Mail(8); return err }))
			})
			if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
				t.Errorf("a second opener got %v", err)
			}
			select {
			case <-stop:
				more = false
			default:
			}
		}
	})
	var first Space
	for i := range 5 {
		s, err := db.Space()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = s
		}
		if _, _, err := db.Compact(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	whole(t, db, int(written))
	s, err := db.Space()
	if err != nil || first.Freed < 1<<20 || s.Size > first.Size/2 {
		t.Errorf("before %+v, after %+v, %v", first, s, err)
	}
	shut(t, db)
	whole(t, openState(t, dir), int(written))
}

// TestCompactCutShort: whenever the program ends, the files are one whole state.
func TestCompactCutShort(t *testing.T) {
	dir := t.TempDir()
	images := make(map[string]string)
	db := grown(t, Config{Dir: dir, Point: func(name string) {
		if strings.HasPrefix(name, "compaction") {
			images[name] = t.TempDir()
			if err := os.CopyFS(filepath.Join(images[name], "state"), os.DirFS(dir)); err != nil {
				t.Error(err)
			}
		}
	}})
	key := db.EffectKey(1)
	if _, _, err := db.Compact(); err != nil {
		t.Fatal(err)
	}
	if len(images) != 2 {
		t.Fatalf("the program could end at %d moments", len(images))
	}
	half := filepath.Join(t.TempDir(), "state") // and in the middle of the copy
	if err := os.CopyFS(half, os.DirFS(filepath.Join(images["compaction copied"], "state"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(half, "state.db.new"), 5000); err != nil {
		t.Fatal(err)
	}
	for name, image := range images {
		images[name] = filepath.Join(image, "state")
	}
	images["half a copy"] = half
	for name, image := range images {
		again := openState(t, image)
		whole(t, again, 20)
		if again.Restored() || again.EffectKey(1) != key {
			t.Errorf("%s: the state takes itself for another", name)
		}
		if _, _, err := again.Compact(); err != nil {
			t.Errorf("%s: the next compaction: %v", name, err)
		}
		whole(t, again, 20)
		if _, err := os.Stat(filepath.Join(image, "state.db.new")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a copy was left behind: %v", name, err)
		}
	}
}

// alone runs a test in a process of its own, for what is the whole process's.
// It tells whether this is that process.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("SUPPORTD_TEST_ALONE") == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(slices.Clone(os.Environ()), "SUPPORTD_TEST_ALONE="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// full lets no file of this process grow beyond so many bytes, until the
// function that it gives is called.
func full(t *testing.T, size uint64) (free func()) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	limit := was
	limit.Cur = size
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Error(err)
		}
	}
}

// TestCompactDiskFull: a disk that is full at the start or in the middle of the
// copy costs nothing.
func TestCompactDiskFull(t *testing.T) {
	if !alone(t) {
		return
	}
	dir := t.TempDir()
	db := grown(t, Config{Dir: dir})
	for _, size := range []uint64{0, 10_000, 40_000} {
		free := full(t, size)
		_, _, err := db.Compact()
		free()
		if err == nil || !inbox.IsTemporary(err) {
			t.Errorf("with %d bytes: %v", size, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "state.db.new")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("with %d bytes: a copy was left behind: %v", size, err)
		}
		whole(t, db, 20)
	}
	db.update(t, func(tx *Tx) error { addMail(t, tx, 21); return nil })
	if _, _, err := db.Compact(); err != nil {
		t.Error(err)
	}
	whole(t, db, 21)
}

// TestCompactBroken is what cannot be brought about on a real disk:
// nobody writes into a file whose name may not last.
func TestCompactBroken(t *testing.T) {
	var told error
	db, err := Open(Config{Dir: t.TempDir(), Wrote: func(err error) { told = err }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.broken = errors.New("the new state.db may not stay")
	if err := db.Update(t.Context(), "test", func(*Tx) error { return nil }); !errors.Is(err, db.broken) || !errors.Is(told, ErrWrite) {
		t.Errorf("writing: %v, told was %v", err, told)
	}
	if _, _, err := db.Compact(); !errors.Is(err, db.broken) {
		t.Errorf("compacting: %v", err)
	}
}

// TestRevisionAfterCompact: whoever shows something learns of what is stored
// after a compaction, which begins to count its transactions anew.
func TestRevisionAfterCompact(t *testing.T) {
	db := newState(t)
	seen := map[uint64]bool{}
	last := uint64(0)
	for n := range uint32(40) {
		db.update(t, func(tx *Tx) error { addMail(t, tx, n+1); return nil })
		if n%7 == 6 {
			if _, _, err := db.Compact(); err != nil {
				t.Fatal(err)
			}
		}
		now, err := db.Revision()
		if err != nil || now <= last || seen[now] {
			t.Fatalf("the revision is %d after %d, %v", now, last, err)
		}
		last, seen[now] = now, true
	}
}

// TestTryWhileCompacted: what is tried meanwhile sees the state, old or new.
func TestTryWhileCompacted(t *testing.T) {
	db := grown(t, Config{Dir: t.TempDir()})
	var tries sync.WaitGroup
	for range 4 {
		tries.Go(func() {
			for range 20 {
				err := db.Try(func(tx *Tx) error {
					_, err := tx.Mail(20)
					return errors.Join(err, tx.SetMeta("tried", "yes"))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		if _, _, err := db.Compact(); err != nil {
			t.Error(err)
		}
	}
	tries.Wait()
	db.view(t, func(tx *Tx) error {
		if tx.Meta("tried") != "" {
			t.Error("what was tried has stayed")
		}
		return nil
	})
	whole(t, db, 20)
}

// TestBackupStopsNobody: a backup may take long, on a slow disk; who writes and
// who reads goes on meanwhile.
func TestBackupStopsNobody(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error { addMail(t, tx, 1); return nil })
	slow := db.path("replies/R-000001")
	if err := syscall.Mkfifo(slow, 0o600); err != nil {
		t.Fatal(err)
	}
	copied, to := make(chan error, 1), filepath.Join(t.TempDir(), "copy")
	go func() { copied <- db.Backup(to, nil) }()
	w, err := os.OpenFile(slow, os.O_WRONLY, 0) // returns when the backup reads it
	if err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() {
		wrote <- db.Update(t.Context(), "test", func(tx *Tx) error {
			m, err := tx.Mail(1)
			if err == nil && m.Detail == nil {
				err = errors.New("it cannot be read")
			}
			return err
		})
	}()
	select {
	case err := <-wrote:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a commit waits for the backup")
	}
	if err := errors.Join(w.Close(), <-copied); err != nil {
		t.Error(err)
	}
}

// TestBackupIsInTheWay: neither a compaction nor the removal of a file waits for a
// backup: one is for another time, the other for the next look for stray files.
func TestBackupIsInTheWay(t *testing.T) {
	db := newState(t)
	if err := db.SaveFile(house, "R-000009", []byte(text)); err != nil {
		t.Fatal(err)
	}
	tried := false
	seal := func(w io.Writer) (io.WriteCloser, error) {
		tried = true
		done := make(chan error, 1)
		go func() {
			_, _, err := db.Compact()
			if errors.Is(err, ErrBackup) {
				err = db.RemoveFile("R-000009")
			}
			done <- err
		}()
		select {
		case err := <-done:
			return nopCloser{w}, err
		case <-time.After(10 * time.Second):
			return nil, errors.New("it waits for the backup")
		}
	}
	if err := db.Backup(filepath.Join(t.TempDir(), "copy"), seal); err != nil || !tried {
		t.Fatal(err)
	}
	if stray, err := db.StrayFiles(); err != nil || len(stray) != 1 {
		t.Errorf("%q are left to be removed, %v", stray, err)
	}
	if err := db.RemoveFile("R-000009"); err != nil {
		t.Error(err)
	}
	if _, _, err := db.Compact(); err != nil {
		t.Error(err)
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// TestCompactLongReader: a compaction waits for who reads the file from before it,
// and nobody else does.
func TestCompactLongReader(t *testing.T) {
	swapped := make(chan struct{}, 1)
	db, err := Open(Config{Dir: t.TempDir(), Point: func(name string) {
		if name == "compaction renamed" {
			swapped <- struct{}{}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	compacted := make(chan error, 1)
	db.view(t, func(tx *Tx) error {
		go func() { _, _, err := db.Compact(); compacted <- err }()
		<-swapped
		wrote := make(chan error, 1)
		go func() { wrote <- db.Update(t.Context(), "test", func(tx *Tx) error { addMail(t, tx, 1); return nil }) }()
		select {
		case err := <-wrote:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("a commit waits for a reader")
		}
	})
	if err := <-compacted; err != nil {
		t.Error(err)
	}
	db.view(t, func(tx *Tx) error { _, err := tx.Mail(1); return err })
}
