package state

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// Schema is the version of the file format that this program writes.
const Schema = 1

// ErrLocked says that another process holds the state: the daemon runs.
var ErrLocked = errors.New("another process holds the state")

// ErrWrite says that the state could not be written: the disk is full, most
// often.
var ErrWrite = errors.New("writing the state")

// Config says where the state is and who listens to it.
type Config struct {
	Dir string       // made when it does not exist, mode 0700; must be set
	Log *slog.Logger // nil: none

	// Forgotten is the directory of the list of what was forgotten; "": forgotten
	// in Dir. Lines of months that ended ForgottenKeep ago are removed; 0: none.
	Forgotten     string
	ForgottenKeep time.Duration

	// Point is called at "before commit NAME" and "after commit NAME"; nil:
	// not at all. Tests end the process there.
	Point func(name string)

	// Wrote is called with what came of each commit: nil when it is on disk, an
	// error that is ErrWrite when it could not be written. nil: nobody asks.
	Wrote func(err error)

	// Dates sets the Due, the Alarm and the Alarmed of an open Action that is
	// stored, from what else it says; nil: they are stored as they are.
	Dates func(*inbox.Action)
	// Wall gives what the machine's clock shows; nil: time.Now.
	Wall func() time.Time
}

// DB is the open state. Its methods may be called by several goroutines; one
// Update runs at a time.
type DB struct {
	dir      string
	writing  sync.Mutex   // held by who writes state.db, or puts another file in its place
	swap     sync.RWMutex // guards bolt, readers and past, which compaction replaces
	bolt     *bolt.DB
	readers  *sync.WaitGroup // who reads bolt
	past     uint64          // transactions of the files before bolt; see Revision
	keys     *keyring
	list     *list
	log      *slog.Logger
	point    func(string)
	wrote    func(error)
	dates    func(*inbox.Action)
	instance string
	epoch    uint64
	restored bool
	clock    *clock
	files    sync.Mutex // held while files beside the state must not vanish
	reads    atomic.Int64
	broken   error // set when nothing may be written any more, until the next opening
}

var (
	bucketMeta = []byte("meta")

	// keyRestored stands from the opening that found an older copy until staff
	// resume; its value says whether what is open was held yet: a crash or a
	// compaction in between must not hide it.
	keyRestored = []byte("restored")
)

// The values of keyRestored.
const (
	restoreFound = "1"
	restoreHeld  = "held"
)

// Buckets lists the buckets of state.db, in the order of the package comment.
func Buckets() []string {
	names := []string{"meta", "mailboxes", "mails", "mail_refs", "mail_digests", "mail_ids", "mail_signatures", "mail_unfiled", "mail_filed", "mail_places", "mail_erase",
		"mail_retry", "mail_ended", "mail_states", "actions", "action_states", "action_due", "action_deadlines", "action_persons", "asks",
		"case_asks", "replies", "reply_due", "reply_cases", "reply_ids", "rendered", "attached", "persons", "erasures", "deleted", "moves", "counts", "effects",
		"staff", "staff_sessions", "staff_links", "open", "open_at", "reply_held", "tallies", "journal_of", "saved"}
	return append(names, journal.Buckets()...)
}

// Open opens the state in c.Dir, or begins one when there was none. It refuses
// a file of a newer schema, a state.db that vanished or was emptied, one that
// belongs to another instance, and root where the directory is another user's;
// ErrLocked says that the daemon has it.
func Open(c Config) (*DB, error) {
	if err := refuseRoot(c.Dir); err != nil {
		return nil, err
	}
	db, err := openDir(c)
	if errors.Is(err, os.ErrPermission) {
		return nil, &inbox.Error{Err: err, Hint: "run it as the user that owns the directory and every file in it" + named(c.Dir)}
	}
	return db, err
}

// refuseRoot keeps root out of a directory of somebody else: the files that
// root would leave there lock the daemon out.
func refuseRoot(dir string) error {
	name := owner(dir)
	if os.Geteuid() != 0 || name == "" || name == "root" {
		return nil
	}
	return &inbox.Error{Err: fmt.Errorf("%s belongs to %s: files of root in it would lock the daemon out", dir, name),
		Hint: "run it as that user: sudo -u " + quoted(name) + " supportd …"}
}

// quoted gives a user as a shell takes it.
func quoted(name string) string {
	if strings.HasPrefix(name, "#") {
		return "'" + name + "'"
	}
	return name
}

// owner names the user that a directory belongs to, or gives "" when it is not
// there.
func owner(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	if id == "0" {
		return "root"
	}
	u, err := user.LookupId(id)
	if err != nil {
		return "#" + id // as sudo takes it
	}
	return u.Username
}

func named(dir string) string {
	if name := owner(dir); name != "" {
		return ", " + name
	}
	return ""
}

func openDir(c Config) (*DB, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Point == nil {
		c.Point = func(string) {}
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	release, err := lockDir(c.Dir)
	if err != nil {
		return nil, err
	}
	defer release() // who has the files open is seen by their locks
	if err := errors.Join(finishRestore(c.Dir), dropUnfinished(c.Dir)); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(c.Dir, replacedDir)); err == nil {
		c.Log.Warn("state: what was there before a restore is still there, and so are its keys: see whether something in it is needed, and remove it", "directory", filepath.Join(c.Dir, replacedDir))
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "replies"), 0o700); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	if c.Wrote == nil {
		c.Wrote = func(error) {}
	}
	if c.Dates == nil {
		c.Dates = func(*inbox.Action) {}
	}
	db := &DB{dir: c.Dir, log: c.Log, point: c.Point, readers: new(sync.WaitGroup), clock: newClock(c.Wall, c.Log), dates: c.Dates, wrote: c.Wrote}
	mark, err := readSentinel(db.path("instance"))
	if err != nil {
		return nil, err
	}
	if err := db.checkFiles(mark); err != nil {
		return nil, err
	}
	db.list = &list{dir: cmp.Or(c.Forgotten, db.path("forgotten")), keep: c.ForgottenKeep}
	if err := db.open(mark); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) open(mark sentinel) (err error) {
	if db.bolt, err = openBolt(db.path("state.db")); err != nil {
		return err
	}
	if db.keys, err = openKeys(db.path("keys.db")); err != nil {
		return err
	}
	db.list.keys = db.keys
	var opens uint64
	err = guard(db.path("state.db"), func() (err error) { opens, err = db.prepare(mark); return err })
	if err == nil {
		err = guard(db.path("state.db"), db.indexJournal)
	}
	if err != nil {
		return fmt.Errorf("preparing %s: %w", db.path("state.db"), err)
	}
	return writeSentinel(db.path("instance"), sentinel{db.instance, opens})
}

func (db *DB) path(name string) string { return filepath.Join(db.dir, name) }

// checkFiles refuses to begin anew where something was before.
func (db *DB) checkFiles(mark sentinel) error {
	for _, name := range []string{"state.db", "keys.db"} {
		info, err := os.Stat(db.path(name))
		switch {
		case errors.Is(err, os.ErrNotExist) && mark.instance == "":
			// the first start
		case errors.Is(err, os.ErrNotExist):
			return &inbox.Error{Err: fmt.Errorf("%s is missing, although this directory has held a state", db.path(name)),
				Hint: "restore it from a backup; to begin anew and forget everything, remove the file " + db.path("instance")}
		case err != nil:
			return fmt.Errorf("looking at the state: %w", err)
		case info.Size() == 0:
			return &inbox.Error{Err: fmt.Errorf("%s is empty", db.path(name)),
				Hint: "restore it from a backup; to begin anew and forget everything, remove every file in " + db.dir}
		}
	}
	return nil
}

// openBolt opens a bbolt file that nobody else holds.
func openBolt(path string) (*bolt.DB, error) { return openBoltAs(path, false) }

func openBoltAs(path string, readOnly bool) (db *bolt.DB, err error) {
	var file *os.File
	opt := &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType, InitialMmapSize: 1 << 30, ReadOnly: readOnly}
	opt.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		if name == path {
			file = f
		}
		return f, err
	}
	err = guard(path, func() (err error) { db, err = bolt.Open(path, 0o600, opt); return err })
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("opening %s: %w", path, ErrLocked)
	case err != nil:
		release(file)
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	if err := checkFile(db, file, path); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), db.Close())
	}
	return db, nil
}

// release gives up a file that a panic has left open. Closing it is not enough:
// what is mapped of it would hold the lock.
func release(file *os.File) {
	if file == nil {
		return
	}
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
	file.Close()
}

// checkFile looks whether the file is as long as its pages say, and whether
// it is still the one that has the name: its former holder may have put
// another in its place while we waited for the lock.
func checkFile(db *bolt.DB, file *os.File, path string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(info, named) {
		return ErrLocked
	}
	return db.View(func(tx *bolt.Tx) error {
		if tx.Size() > info.Size() {
			return damaged(path, fmt.Sprintf("%d of its %d bytes are missing", tx.Size()-info.Size(), tx.Size()))
		}
		return nil
	})
}

// guard runs f, which reads a bbolt file. That bbolt panics about a page which
// makes no sense, or reads behind the end of a file that was cut, is an error
// of the file.
func guard(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged(path, r)
		}
	}()
	return f()
}

func damaged(path string, why any) error {
	return &inbox.Error{Err: fmt.Errorf("%s is damaged: %v", path, why), Hint: "restore it from a backup"}
}

// prepare makes or checks the buckets and counts this opening.
func (db *DB) prepare(mark sentinel) (opens uint64, err error) {
	err = db.bolt.Update(func(tx *bolt.Tx) error {
		fresh := tx.Bucket(bucketMeta) == nil
		if fresh {
			if err := db.create(tx); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		if err := checkSchema(meta); err != nil {
			return err
		}
		// A state of the same schema may be from before these were added.
		seen := metaUint(meta, "opens")
		unindexed := tx.Bucket([]byte("open")) == nil || metaUint(meta, keyIndexed) != seen
		for _, name := range addedBuckets() {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return fmt.Errorf("creating bucket %s: %w", name, err)
			}
		}
		if err := journal.Create(tx); err != nil {
			return err
		}
		db.instance = string(meta.Get([]byte("instance")))
		if mark.instance != "" && mark.instance != db.instance {
			return &inbox.Error{Err: errors.New("state.db belongs to another instance than this directory"),
				Hint: "put the state.db back that belongs to " + db.path("instance")}
		}
		if err := db.checkKeys(tx); err != nil {
			return err
		}
		if err := db.migrate(tx); err != nil {
			return err
		}
		if unindexed {
			if err := db.indexOlder(tx); err != nil {
				return err
			}
		}
		epoch := metaUint(meta, "epoch")
		if !fresh && older(tx, mark) {
			epoch, seen = newEpoch(epoch), max(seen, mark.opens)
			if err := meta.Put(keyRestored, []byte(restoreFound)); err != nil {
				return err
			}
		}
		db.restored = string(meta.Get(keyRestored)) == restoreFound
		db.epoch, opens = epoch, seen+1
		return errors.Join(putMeta(meta, "epoch", epoch), putMeta(meta, "opens", opens), putMeta(meta, keyIndexed, opens))
	})
	return opens, err
}

// keyIndexed says at which opening the indexes were last kept: a program that
// knows nothing of them counts its opening, and leaves it as it is.
const keyIndexed = "indexed"

// indexOlder makes the indexes that a state lacks which a program from before
// them has written; that of the journal, which may be long, is only begun.
func (db *DB) indexOlder(t *bolt.Tx) error {
	for _, name := range []string{"open", "open_at", "reply_held", "tallies", "journal_of"} {
		if err := t.DeleteBucket([]byte(name)); err != nil {
			return fmt.Errorf("indexing anew: %w", err)
		}
		if _, err := t.CreateBucket([]byte(name)); err != nil {
			return fmt.Errorf("indexing anew: %w", err)
		}
	}
	if err := (&Tx{tx: t, db: db, Now: time.Now()}).indexOpen(); err != nil {
		return fmt.Errorf("indexing what is open: %w", err)
	}
	return putMeta(t.Bucket(bucketMeta), keyUnindexed, 0)
}

// older tells whether a state is an older copy of the one that was last open
// here. A backup counts no opening; and a state with a past and no sentinel
// beside it was restored, too.
func older(tx *bolt.Tx, mark sentinel) bool {
	seen := metaUint(tx.Bucket(bucketMeta), "opens")
	return seen == 0 || seen < mark.opens || mark.instance == "" && tx.Bucket(bucketMails).Sequence() > 0
}

func (db *DB) create(tx *bolt.Tx) error {
	for _, name := range Buckets() {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return fmt.Errorf("creating bucket %s: %w", name, err)
		}
	}
	if err := journal.Create(tx); err != nil {
		return err
	}
	mark := make([]byte, 16)
	rand.Read(mark)
	meta := tx.Bucket(bucketMeta)
	return errors.Join(
		meta.Put([]byte("instance"), []byte(hex.EncodeToString(mark))),
		meta.Put([]byte("keyring"), db.keys.mark()),
		putMeta(meta, "schema", Schema),
		putMeta(meta, "epoch", newEpoch(0)))
}

// checkKeys refuses keys that are not those of this state: everything in it
// would seem forgotten, and mail that was answered would be new. An older copy
// would bring back keys that were dropped, and lack the newest.
func (db *DB) checkKeys(tx *bolt.Tx) error {
	hint := "restore keys.db from a backup that is not older than state.db, or both from the same"
	switch {
	case !bytes.Equal(tx.Bucket(bucketMeta).Get([]byte("keyring")), db.keys.mark()):
		return &inbox.Error{Err: errors.New("keys.db does not belong to state.db"), Hint: hint}
	case db.keys.upTo < tx.Bucket(bucketMails).Sequence():
		return &inbox.Error{Err: errors.New("keys.db is older than state.db"), Hint: hint}
	}
	return nil
}

// newEpoch is later than old, and not what another copy of the same state
// would draw.
func newEpoch(old uint64) uint64 { return max(old+1, uint64(time.Now().UnixMilli())) }

func checkSchema(meta *bolt.Bucket) error {
	switch v := metaUint(meta, "schema"); {
	case v == Schema:
		return nil
	case v > Schema:
		return &inbox.Error{Err: fmt.Errorf("the state has schema %d, this program knows up to %d", v, Schema),
			Hint: "a newer supportd wrote it: run that one, or restore a backup from before"}
	default:
		return fmt.Errorf("the state has schema %d, which no supportd ever wrote", v)
	}
}

func metaUint(meta *bolt.Bucket, name string) uint64 {
	n, _ := strconv.ParseUint(string(meta.Get([]byte(name))), 10, 64)
	return n
}

func putMeta(meta *bolt.Bucket, name string, n uint64) error {
	return meta.Put([]byte(name), strconv.AppendUint(nil, n, 10))
}

// Peek looks at the state in dir without changing anything, and calls f with a
// read transaction, in which what is sealed cannot be read; restored tells
// that it is an older copy of itself, whether or not an opening has found it
// out, and staff have not resumed. Where no state is f is not called; ErrLocked
// says that the daemon has it.
func Peek(dir string, f func(tx *Tx, restored bool)) error {
	mark, err := readSentinel(filepath.Join(dir, "instance"))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "state.db")
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("looking at the state: %w", err)
	}
	db, err := openBoltAs(path, true)
	if err != nil {
		return err
	}
	err = guard(path, func() error {
		return db.View(func(tx *bolt.Tx) error {
			meta := tx.Bucket(bucketMeta)
			if meta == nil {
				return nil // its first opening was cut short
			}
			if err := checkSchema(meta); err != nil {
				return err
			}
			peek := &Tx{tx: tx, Now: time.Now()}
			f(peek, peek.Restored() || older(tx, mark))
			return nil
		})
	})
	return errors.Join(err, db.Close())
}

// Close releases the files.
func (db *DB) Close() error {
	var err error
	if db.bolt != nil {
		err = db.bolt.Close()
	}
	if db.keys != nil {
		err = errors.Join(err, db.keys.close())
	}
	return err
}

// Instance gives the random mark of this state, 32 hex digits.
func (db *DB) Instance() string { return db.instance }

// Epoch gives the number that changes when the state turns out to be restored;
// it only grows.
func (db *DB) Epoch() uint64 { return db.epoch }

// Restored tells whether this opening, or one before it whose caller did not
// get to say Tx.HeldRestored, found an older copy of the state than the one that
// was last open here. The caller holds what is open and pauses.
func (db *DB) Restored() bool { return db.restored }

// EffectKey gives the key under which the user store remembers an Action.
func (db *DB) EffectKey(id inbox.ActionID) string {
	return inbox.EffectKey(db.instance, db.epoch, id)
}

// FailedError is why the function of a transaction wanted nothing stored. The name
// of the transaction is for logs.
type FailedError struct {
	Name string
	Err  error
}

// Error names the transaction.
func (e *FailedError) Error() string { return e.Name + ": " + e.Err.Error() }

// Unwrap gives what the function said.
func (e *FailedError) Unwrap() error { return e.Err }

// Update runs f in one transaction and commits it when f returns nil. The
// name stands in the kill points and in errors; that of f is in a [FailedError]. An error that is temporary,
// when f gave none, says that the state could not be written: nothing happened. Nothing that f does may reach
// outside: no network, no other file.
func (db *DB) Update(ctx context.Context, name string, f func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.begin(name); err != nil {
		return err
	}
	defer db.writing.Unlock()
	var next uint64
	err := db.read(func(tx *bolt.Tx) error { next = tx.Bucket(bucketMails).Sequence(); return nil })
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := db.keys.ensure(next + keyBlock/2); err != nil {
		return db.unwritten(name, err)
	}
	db.point("before commit " + name)
	var failed error
	err = db.bolt.Update(func(tx *bolt.Tx) error {
		t := &Tx{tx: tx, db: db, Now: db.Now()}
		if failed = f(t); failed != nil {
			return failed
		}
		return db.list.append(t.Now, t.listed)
	})
	switch {
	case failed != nil:
		return &FailedError{name, failed}
	case err != nil:
		return db.unwritten(name, err)
	}
	db.wrote(nil)
	db.point("after commit " + name)
	return nil
}

// Reserve makes the keys of so many mails ahead, for a transaction that takes
// more in than Update allows for.
func (db *DB) Reserve(mails int) error {
	var next uint64
	err := db.read(func(tx *bolt.Tx) error { next = tx.Bucket(bucketMails).Sequence(); return nil })
	if err != nil {
		return fmt.Errorf("reserving keys: %w", err)
	}
	return db.keys.ensure(next + uint64(mails))
}

// Reads counts the records and index entries that were read since the state was
// opened: what it costs must not grow with what has ended.
func (db *DB) Reads() int64 { return db.reads.Load() }

// Try runs f in a transaction that is never committed: whatever f does, nothing
// of it stays. Other writers wait meanwhile, so it must be short.
func (db *DB) Try(f func(*Tx) error) (err error) {
	db.writing.Lock()
	defer db.writing.Unlock()
	tx, err := db.bolt.Begin(true)
	if err != nil {
		return fmt.Errorf("trying: %w", err)
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	return f(&Tx{tx: tx, db: db, Now: db.Now()})
}

// begin waits until nobody else writes, and takes their lock.
func (db *DB) begin(name string) error {
	db.writing.Lock()
	if db.broken == nil {
		return nil
	}
	db.writing.Unlock()
	return db.unwritten(name, db.broken)
}

// unwritten makes and tells the error of a commit that is not on disk.
func (db *DB) unwritten(name string, err error) error {
	err = &inbox.Error{Err: fmt.Errorf("%s: %w: %w", name, ErrWrite, err), Hint: hintOf(err, "is the disk full?"), Temp: true}
	db.wrote(err)
	return err
}

// View runs f in a read transaction. It must be short: a long one keeps the
// file from growing.
func (db *DB) View(f func(*Tx) error) error {
	return db.read(func(tx *bolt.Tx) error { return f(&Tx{tx: tx, db: db, Now: db.Now()}) })
}

// read runs f in a read transaction of the file that state.db is now. The lock
// is not held while f runs: a compaction lets f end on the file that it began
// on.
func (db *DB) read(f func(*bolt.Tx) error) error {
	file, _, done := db.hold()
	defer done()
	return file.View(f)
}

// readAnd is read that does something else first, once its transaction has
// begun.
func (db *DB) readAnd(first func() error) func(func(*bolt.Tx) error) error {
	return func(f func(*bolt.Tx) error) error {
		return db.read(func(tx *bolt.Tx) error {
			if err := first(); err != nil {
				return err
			}
			return f(tx)
		})
	}
}

// hold gives the file that state.db is now, and keeps it open until done is
// called.
func (db *DB) hold() (file *bolt.DB, past uint64, done func()) {
	db.swap.RLock()
	defer db.swap.RUnlock()
	db.readers.Add(1)
	return db.bolt, db.past, db.readers.Done
}

// Forget drops the keys of Mails: nothing that was sealed under them can be
// read again, in this file or in a copy of it.
// That is listed first, so that a copy of keys.db that is restored forgets them,
// too.
func (db *DB) Forget(ids []inbox.MailID) error {
	if err := db.list.dropped(db.Now(), ids); err != nil {
		return err
	}
	return db.keys.drop(ids)
}

// Seal encrypts what is written to it into w, until it is closed.
type Seal func(w io.Writer) (io.WriteCloser, error)

// sealedKeys is the name of a copy of keys.db that is encrypted.
const sealedKeys = "keys.db.age"

// Backup writes a consistent copy of both files, and of the list of what was
// forgotten, into the directory to, which it makes; it refuses one that already
// holds a state. With seal the copy of keys.db is encrypted, and none of it
// touches the disk in clear; nil: it is not.
func (db *DB) Backup(to string, seal Seal) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("making the backup directory: %w", err)
	}
	for _, name := range []string{"keys.db", sealedKeys, "state.db", "instance", "forgotten", acceptedFile} {
		if _, err := os.Stat(filepath.Join(to, name)); err == nil {
			return fmt.Errorf("%s already exists: name an empty directory", filepath.Join(to, name))
		}
	}
	db.files.Lock()
	defer db.files.Unlock()
	// The state first: keys and files that it does not need are harmless, missing ones are not.
	state := filepath.Join(to, "state.db")
	var accepted []byte // as it was for that state: a commit may clear it meanwhile
	for _, part := range []func() error{
		func() error {
			return copyBolt(db.readAnd(func() (err error) { accepted, err = readAccepted(db.dir); return err }), state)
		},
		func() error { return writeAccepted(to, accepted) },
		func() error { return markCopy(state) },
		func() error { return db.keys.copy(to, seal) },
		func() error { return copyFiles(db.path("replies"), filepath.Join(to, "replies")) },
		func() error { return db.list.copy(filepath.Join(to, "forgotten")) },
		func() error { return syncDir(to) },
	} {
		if err := part(); err != nil {
			return fmt.Errorf("backing up: %w", err)
		}
	}
	return nil
}

func copyBolt(read func(func(*bolt.Tx) error) error, to string) error {
	return writeNew(to, func(f io.Writer) error {
		return read(func(tx *bolt.Tx) error { _, err := tx.WriteTo(f); return err })
	})
}

// markCopy makes a copy of state.db count no opening. It is then known as a
// copy even where the sentinel has not counted further since it was made.
func markCopy(path string) error {
	db, err := openBolt(path)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if metaUint(meta, keyIndexed) == metaUint(meta, "opens") {
			if err := putMeta(meta, keyIndexed, 0); err != nil {
				return err
			}
		}
		return putMeta(meta, "opens", 0)
	})
	return errors.Join(err, db.Close())
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// sentinel is what stands beside the state so that its loss is noticed.
type sentinel struct {
	instance string
	opens    uint64
}

func readSentinel(path string) (s sentinel, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the sentinel: %w", err)
	}
	instance, opens, ok := strings.Cut(strings.TrimSpace(string(b)), " ")
	n, err := strconv.ParseUint(opens, 10, 64)
	if !ok || err != nil || instance == "" {
		return s, &inbox.Error{Err: fmt.Errorf("%s is damaged", path), Hint: "it holds the instance mark and a number; restore it from a backup"}
	}
	return sentinel{instance, n}, nil
}

func writeSentinel(path string, s sentinel) error {
	if err := writeSynced(path, fmt.Appendf(nil, "%s %d\n", s.instance, s.opens)); err != nil {
		return fmt.Errorf("writing the sentinel: %w", err)
	}
	return nil
}

// unfinished ends the name of a file until it is complete.
const unfinished = ".new"

// writeSynced puts a file in place whole or not at all.
func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path+unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+unfinished, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// copyFiles copies the files of a directory that are complete.
func copyFiles(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), unfinished) {
			continue
		}
		if err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return syncDir(to)
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	return writeNew(to, func(dst io.Writer) error { _, err := io.Copy(dst, src); return err })
}

// writeNew makes a file that was not there, and has it on disk.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Sync(), f.Close())
}
