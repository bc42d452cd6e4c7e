// Package boltusers is the embedded user store: one bbolt file, for a site that
// has no database of its own, and for the demo.
//
// # Schema, version 1
//
//	meta/       version -> "1", mark -> 32 hexadecimal digits drawn when the file was made
//	people/     <id> -> {active, withdrawn, fields} as JSON
//	addresses/  <canonical address> 0x00 <id> -> ""; a hint: every hit is compared again
//	visits/     <id>/ <8-byte sequence number, big endian> -> {at, ip, agent, page, cookie} as JSON
//	effects/    <effect key> -> {kind, digest, at, plan without values} as JSON
//
// The file holds personal data as plain text, as any site's database does; its
// mode is 0600. What is deleted may stay in free pages of the file until they
// are used again: Compact writes the file anew without them.
//
// # A lost file is not an empty store
//
// bbolt opens a missing or a zero-length file as a new, empty database, and a
// support mailbox that answers "we hold nothing about you" to everybody is
// worse than one that does not start. So Open leaves a small file beside the
// store (its name with ".mark" appended), and refuses to start when that file
// is there and the store is missing, empty or another one.
package boltusers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

const (
	version = "1"
	// lockWait is how long Open waits for another process to let go of the file.
	lockWait = time.Second
	// mapSize keeps a reader from blocking a writer: the file must outgrow it
	// before the memory map has to move.
	mapSize = 1 << 30
)

var (
	bucketMeta      = []byte("meta")
	bucketPeople    = []byte("people")
	bucketAddresses = []byte("addresses")
	bucketVisits    = []byte("visits")
	bucketEffects   = []byte("effects")

	keyVersion = []byte("version")
	keyMark    = []byte("mark")
)

func buckets() [][]byte {
	return [][]byte{bucketMeta, bucketPeople, bucketAddresses, bucketVisits, bucketEffects}
}

// Store is an open user store. It implements users.Store.
type Store struct {
	db     *bolt.DB
	fields []inbox.Field // what a person may have, in the order of the records
}

var _ users.Store = (*Store)(nil)

// Open opens the store, and makes it when there never was one. Extra names the
// fields that people have beside inbox.Fields. It fails at once for a lost or
// foreign file, and with a temporary error when another process has it open.
func Open(path string, extra ...inbox.Field) (*Store, error) {
	s, err := open(path, extra)
	if err != nil {
		return nil, fmt.Errorf("opening the user store %s: %w", path, err)
	}
	return s, nil
}

func open(path string, extra []inbox.Field) (_ *Store, err error) {
	mark, err := readMark(path)
	if err != nil {
		return nil, err
	}
	if err := refuseLost(path, mark != ""); err != nil {
		return nil, err
	}
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	s := &Store{db: db, fields: fieldOrder(extra)}
	found, err := s.settle(mark == "")
	if err != nil {
		return nil, err
	}
	if mark == "" {
		return s, writeMark(path, found)
	}
	if mark != found {
		return nil, &inbox.Error{Err: errors.New("the file is another store than the one that was here"),
			Hint: "restore the right file, or remove " + markPath(path) + " to go on with this one"}
	}
	return s, nil
}

// Close closes the store once the calls that run have ended.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing the user store: %w", err)
	}
	return nil
}

// Backup writes a consistent copy of the store to the file path, which must
// not be there, while others read and write.
func (s *Store) Backup(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("copying the user store: %s already exists", path)
	}
	if err := s.view(ctx, func(tx *bolt.Tx) error { return tx.CopyFile(path, 0o600) }); err != nil {
		return fmt.Errorf("copying the user store: %w", err)
	}
	return nil
}

func fieldOrder(extra []inbox.Field) []inbox.Field {
	order := inbox.Fields()
	for _, f := range extra {
		if !slices.Contains(order, f) {
			order = append(order, f)
		}
	}
	return order
}

func openFile(path string) (_ *bolt.DB, err error) {
	defer recoverDamage(&err)
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType, InitialMmapSize: mapSize})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, &inbox.Error{Err: err, Temp: true, Hint: "another process has it open; is the daemon running?"}
	}
	return db, err
}

// refuseLost fails when the file must not be taken for a new, empty store.
func refuseLost(path string, marked bool) error {
	hint := "restore it from a backup; to begin with an empty store, remove it and " + markPath(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !marked:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return &inbox.Error{Err: errors.New("the file is gone"), Hint: hint}
	case err != nil:
		return err
	case info.Size() == 0:
		return &inbox.Error{Err: errors.New("the file is empty"), Hint: hint}
	}
	return nil
}

// settle checks the schema, or writes it into a file that has none yet, and
// gives the file's mark.
func (s *Store) settle(mayCreate bool) (mark string, err error) {
	err = s.update(context.Background(), func(tx *bolt.Tx) error {
		if name, _ := tx.Cursor().First(); name == nil && mayCreate {
			return create(tx)
		}
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return &inbox.Error{Err: errors.New("this is no user store"), Hint: "is the path right?"}
		}
		if v := string(meta.Get(keyVersion)); v != version {
			return &inbox.Error{Err: fmt.Errorf("its schema is version %q, and this program knows version %s", v, version), Hint: "run the program that wrote it"}
		}
		for _, b := range buckets() {
			if tx.Bucket(b) == nil {
				return &inbox.Error{Err: fmt.Errorf("its part %q is missing", b), Hint: "restore it from a backup"}
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	err = s.view(context.Background(), func(tx *bolt.Tx) error {
		mark = string(tx.Bucket(bucketMeta).Get(keyMark))
		return nil
	})
	return mark, err
}

func create(tx *bolt.Tx) error {
	for _, b := range buckets() {
		if _, err := tx.CreateBucket(b); err != nil {
			return err
		}
	}
	var mark [16]byte
	rand.Read(mark[:])
	meta := tx.Bucket(bucketMeta)
	if err := meta.Put(keyMark, []byte(hex.EncodeToString(mark[:]))); err != nil {
		return err
	}
	return meta.Put(keyVersion, []byte(version))
}

func markPath(path string) string { return path + ".mark" }

func readMark(path string) (string, error) {
	b, err := os.ReadFile(markPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(b)), err
}

// writeMark comes after the file's own commit: a crash between the two leaves
// a store without a mark, which the next Open marks.
func writeMark(path, mark string) error {
	tmp := markPath(path) + ".new"
	if err := os.WriteFile(tmp, []byte(mark+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, markPath(path))
}

// view runs fn in a transaction that reads, update in one that writes. A
// failure of the file, the disk or the context is temporary; damage is not.
func (s *Store) view(ctx context.Context, fn func(*bolt.Tx) error) error {
	return guarded(ctx, s.db.View, fn)
}

func (s *Store) update(ctx context.Context, fn func(*bolt.Tx) error) error {
	return guarded(ctx, s.db.Update, fn)
}

func guarded(ctx context.Context, run func(func(*bolt.Tx) error) error, fn func(*bolt.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return inbox.Temporary(err)
	}
	defer recoverDamage(&err)
	if err = run(fn); mayPass(err) {
		return inbox.Temporary(err)
	}
	return err
}

func mayPass(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) || errors.Is(err, bolterrors.ErrDatabaseNotOpen) ||
		errors.Is(err, bolterrors.ErrTimeout) || errors.Is(err, bolterrors.ErrMaxSizeReached)
}

// recoverDamage turns bbolt's panic at a bad page into an error.
func recoverDamage(err *error) {
	if r := recover(); r != nil {
		*err = &inbox.Error{Err: fmt.Errorf("the file is damaged: %v", r), Hint: "restore it from a backup"}
	}
}
