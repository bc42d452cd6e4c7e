package boltusers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// compactTx is how many octets Compact copies in one transaction.
const compactTx = 4 << 20

// Compact writes the store at path anew without its free pages, in which
// deleted people may still be read. No process may have it open: that is a
// temporary error. Until the new file has taken the old one's place nothing is
// lost.
func Compact(path string) error {
	if err := compact(path); err != nil {
		return fmt.Errorf("compacting the user store %s: %w", path, err)
	}
	return nil
}

func compact(path string) (err error) {
	s, err := Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	tmp := path + ".compact"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := copyTo(tmp, s.db); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func copyTo(path string, src *bolt.DB) (err error) {
	defer recoverDamage(&err)
	dst, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	if err := bolt.Compact(dst, src, compactTx); err != nil {
		return errors.Join(err, dst.Close())
	}
	return errors.Join(dst.Sync(), dst.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
