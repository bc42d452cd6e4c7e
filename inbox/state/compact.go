package state

import (
	"errors"
	"fmt"
	"os"
	"sync"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"push.guru/supportd/inbox"
)

// Compact rewrites a state that nobody has open without freed pages, keys.db
// included, and gives the size of state.db before and after, in bytes.
// ErrLocked says that the daemon has it.
func Compact(c Config) (before, after int64, err error) {
	db, err := Open(c)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.keys.rewriteLocked(); err != nil {
		return 0, 0, err
	}
	return db.Compact()
}

// ErrBackup says that a backup is being made.
var ErrBackup = errors.New("a backup is being made")

// Compact rewrites state.db without freed pages while it is in use, and gives
// its size before and after, in bytes. Whoever writes waits meanwhile; who
// reads does not. On an error the state is as it was; ErrBackup asks to try again
// later.
//
// bbolt cannot shrink a file in place. The copy is written beside it, synced,
// and takes its name while it is open and locked: there is no moment at which
// nobody holds the state, and none at which a crash finds half of it.
func (db *DB) Compact() (before, after int64, err error) {
	if !db.files.TryLock() { // it reads for long, and the old file would have to wait for it
		return 0, 0, ErrBackup
	}
	defer db.files.Unlock()
	before, after, old, err := db.compact()
	if old != nil {
		err = errors.Join(err, old.close())
	}
	return before, after, err
}

// compact is Compact without the wait for who reads the old file, which it gives
// when there is another now.
func (db *DB) compact() (before, after int64, old *replaced, err error) {
	db.writing.Lock()
	defer db.writing.Unlock()
	if db.broken != nil {
		return 0, 0, nil, db.broken
	}
	path, fresh := db.path("state.db"), db.path("state.db"+unfinished)
	dst, err := db.copyCompact(fresh)
	if err != nil {
		return 0, 0, nil, &inbox.Error{Err: fmt.Errorf("compacting: %w", err), Hint: "is the disk full?", Temp: true}
	}
	db.point("compaction copied")
	before, after = fileSize(path), fileSize(fresh)
	if err := os.Rename(fresh, path); err != nil {
		return before, after, nil, errors.Join(fmt.Errorf("compacting: %w", err), dst.Close(), os.Remove(fresh))
	}
	db.point("compaction renamed")
	if err = syncDir(db.dir); err != nil { // a crash may bring the old file back, and lose what goes into the new one
		db.broken = &inbox.Error{Err: fmt.Errorf("compacting: the new state.db may not stay: %w", err), Hint: "stop supportd, look at the disk, start it again"}
		err = db.broken
	}
	old, failed := db.replace(dst)
	return before, after, old, errors.Join(err, failed)
}

// copyCompact writes what state.db holds into a new file, on disk when it
// returns. On an error nothing is left of it.
func (db *DB) copyCompact(fresh string) (dst *bolt.DB, err error) {
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if dst, err = openBolt(fresh); err != nil {
		return nil, errors.Join(err, removed(fresh))
	}
	dst.NoSync = true // nothing of it counts before all of it is there
	err = guard(db.path("state.db"), func() error { return bolt.Compact(dst, db.bolt, 1<<22) })
	if err == nil {
		err = dst.Sync()
	}
	dst.NoSync = false
	if err != nil {
		return nil, errors.Join(err, dst.Close(), removed(fresh))
	}
	return dst, nil
}

// removed removes a file that may not be there.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// replaced is the file that was the state before a compaction, and who reads it.
type replaced struct {
	file    *bolt.DB
	readers *sync.WaitGroup
}

// replace lets the file that has the name now be the state, and gives the old
// one.
func (db *DB) replace(dst *bolt.DB) (*replaced, error) {
	past, err := transactions(db.bolt, dst)
	db.swap.Lock()
	defer db.swap.Unlock()
	old := &replaced{db.bolt, db.readers}
	db.bolt, db.readers, db.past = dst, new(sync.WaitGroup), db.past+past
	return old, err
}

// close closes the old file when nobody reads it any more. bbolt's own waiting for
// readers would not do: it locks out a reader who reads within a reading.
func (r *replaced) close() error {
	r.readers.Wait()
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("closing the state from before the compaction: %w", err)
	}
	return nil
}

// transactions gives how many more one file has seen than another; the
// difference may be below zero.
func transactions(of, than *bolt.DB) (n uint64, err error) {
	err = of.View(func(tx *bolt.Tx) error { n = uint64(tx.ID()); return nil })
	return n, errors.Join(err, than.View(func(tx *bolt.Tx) error { n -= uint64(tx.ID()); return nil }))
}

// Space is how much of state.db is in use, in bytes.
type Space struct {
	Size  int64 // up to the last page in use
	Freed int64 // of these: pages that hold nothing any more
	Disk  int64 // free on its disk, for this user
}

// Space tells how much of state.db is in use.
func (db *DB) Space() (s Space, err error) {
	err = db.read(func(tx *bolt.Tx) error {
		stats := tx.DB().Stats()
		s.Size, s.Freed = tx.Size(), int64(stats.FreePageN+stats.PendingPageN)*int64(tx.DB().Info().PageSize)
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("looking at the state: %w", err)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(db.dir, &disk); err != nil {
		return s, fmt.Errorf("looking at the disk of %s: %w", db.dir, err)
	}
	s.Disk = int64(disk.Bavail) * disk.Bsize
	return s, nil
}

// What makes a compaction worth its while: it stops the writers for as long as
// it takes to copy what is in use.
const (
	worthBytes = 16 << 20  // a file grows by as much at a time
	worthShare = 4         // one part in so many
	diskSpare  = 256 << 20 // left on the disk, whatever happens
)

// Worth tells whether a compaction would give back much of the file.
func (s Space) Worth() bool { return s.Freed >= worthBytes && s.Freed >= s.Size/worthShare }

// Room tells whether the disk has room for a copy beside the file.
func (s Space) Room() bool { return s.Disk-diskSpare > (s.Size-s.Freed)/4*5+worthBytes }
