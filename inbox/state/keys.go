package state

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

var (
	bucketKeys  = []byte("keys")
	bucketHash  = []byte("hash")
	keyHash     = []byte("index")
	errKeyGone  = ErrForgotten
	keyBlock    = uint64(256) // keys made ahead in one commit, so that a batch of mails costs none
	lockTimeout = 2 * time.Second
)

// keyring holds keys.db. Keys are made ahead in blocks and dropped by
// rewriting the file.
type keyring struct {
	path string

	mu    sync.RWMutex
	db    *bolt.DB
	upTo  uint64 // keys exist, or existed, for every mail up to here
	index []byte
	macs  sync.Pool // of hash.Hash, keyed with index

	used ciphers
}

// ciphers are those of keys that were used of late: to make one takes longer than
// to seal a record with it. What is dropped is forgotten here, too.
type ciphers struct {
	mu sync.Mutex
	of map[inbox.MailID]cipher.AEAD
}

// maxCiphers is more than the Cases that one batch of mails and letters is about.
const maxCiphers = 256

func (c *ciphers) get(id inbox.MailID) cipher.AEAD {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[id]
}

// put keeps a cipher, in the place of any other where there are too many.
func (c *ciphers) put(id inbox.MailID, a cipher.AEAD) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[inbox.MailID]cipher.AEAD)
	}
	for other := range c.of {
		if len(c.of) < maxCiphers {
			break
		}
		delete(c.of, other)
	}
	c.of[id] = a
}

func (c *ciphers) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.of)
}

func openKeys(path string) (*keyring, error) {
	db, err := openBolt(path)
	if err != nil {
		return nil, err
	}
	k := &keyring{path: path, db: db}
	if err := guard(path, k.prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing %s: %w", path, err), db.Close())
	}
	return k, nil
}

// prepare makes or reads what keys.db begins with.
func (k *keyring) prepare() error {
	return k.db.Update(func(tx *bolt.Tx) error {
		keys, err := tx.CreateBucketIfNotExists(bucketKeys)
		if err != nil {
			return err
		}
		hash, err := tx.CreateBucketIfNotExists(bucketHash)
		if err != nil {
			return err
		}
		if hash.Get(keyHash) == nil {
			if err := hash.Put(keyHash, randomKey()); err != nil {
				return err
			}
			if err := keys.Put(be(0), randomKey()); err != nil {
				return err
			}
		}
		k.index = append([]byte(nil), hash.Get(keyHash)...)
		k.upTo = keys.Sequence()
		return nil
	})
}

// mark tells these keys from others, and nothing about them.
func (k *keyring) mark() []byte { return hex.AppendEncode(nil, k.hash("keyring", "")) }

func randomKey() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// ensure makes keys up to mail n and a block beyond.
func (k *keyring) ensure(n uint64) error {
	if k.has(n) { // most often, and without waiting for who reads
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if n <= k.upTo {
		return nil
	}
	top := n + keyBlock
	err := k.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketKeys)
		for i := k.upTo + 1; i <= top; i++ {
			if err := b.Put(be(i), randomKey()); err != nil {
				return err
			}
		}
		return b.SetSequence(top)
	})
	if err != nil {
		return fmt.Errorf("making keys: %w", err)
	}
	k.upTo = top
	return nil
}

// has tells whether the key of mail n was made.
func (k *keyring) has(n uint64) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return n <= k.upTo
}

// holds tells whether the key of a Mail is there.
func (k *keyring) holds(id inbox.MailID) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	found := false
	err := k.db.View(func(tx *bolt.Tx) error { found = tx.Bucket(bucketKeys).Get(be(uint64(id))) != nil; return nil })
	return found || err != nil // that it is gone must be certain
}

func (k *keyring) aead(id inbox.MailID) (cipher.AEAD, error) {
	k.mu.RLock()
	defer k.mu.RUnlock() // so that nobody drops the key before its cipher is kept
	if a := k.used.get(id); a != nil {
		return a, nil
	}
	var key []byte
	err := k.db.View(func(tx *bolt.Tx) error {
		key = append(key, tx.Bucket(bucketKeys).Get(be(uint64(id)))...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the key of %s: %w", id, err)
	}
	if len(key) == 0 {
		return nil, errKeyGone
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("using the key of %s: %w", id, err)
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("using the key of %s: %w", id, err)
	}
	k.used.put(id, a)
	return a, nil
}

// fingerprint gives that of the key of a Mail; ok is false when it was dropped.
func (k *keyring) fingerprint(id inbox.MailID) (print string, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	err := k.db.View(func(tx *bolt.Tx) error {
		if key := tx.Bucket(bucketKeys).Get(be(uint64(id))); key != nil {
			print = fingerprint(key)
		}
		return nil
	})
	return print, err == nil && print != ""
}

// renew draws the keys anew that were made ahead of mail n: where the keys are an
// older copy, other mails had them since, and they may be dropped.
func (k *keyring) renew(n uint64) error {
	defer k.used.clear()
	err := k.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketKeys)
		for id := n + 1; id <= k.upTo; id++ {
			if err := b.Put(be(id), randomKey()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("making keys: %w", err)
	}
	return nil
}

// dropListed drops every key whose fingerprint is listed, and gives their
// number.
func (k *keyring) dropListed(listed map[string]bool) (int, error) {
	var ids []inbox.MailID
	err := k.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketKeys).ForEach(func(id, key []byte) error {
			if listed[fingerprint(key)] {
				ids = append(ids, inbox.MailID(binary.BigEndian.Uint64(id)))
			}
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("reading keys: %w", err)
	}
	return len(ids), k.drop(ids)
}

// sealGrows is by how much what is sealed is longer than before: a nonce and a tag.
const sealGrows = 12 + 16

// seal encrypts plain under the key of a Mail; label binds it to its place.
func (k *keyring) seal(id inbox.MailID, label string, plain []byte) ([]byte, error) {
	return k.appendSealed(nil, id, label, plain)
}

// appendSealed is seal that appends to b.
func (k *keyring) appendSealed(b []byte, id inbox.MailID, label string, plain []byte) ([]byte, error) {
	a, err := k.aead(id)
	if err != nil {
		return nil, fmt.Errorf("sealing for %s: %w", id, err)
	}
	return a.Seal(b, nil, plain, []byte(label)), nil
}

// unseal is the reverse; ErrForgotten says that the key was dropped.
func (k *keyring) unseal(id inbox.MailID, label string, sealed []byte) ([]byte, error) {
	return k.appendUnsealed(nil, id, label, sealed)
}

// appendUnsealed is unseal that appends to b.
func (k *keyring) appendUnsealed(b []byte, id inbox.MailID, label string, sealed []byte) ([]byte, error) {
	a, err := k.aead(id)
	if err != nil {
		return nil, err
	}
	plain, err := a.Open(b, nil, sealed, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("opening what is sealed under %s: %w", id, err)
	}
	return plain, nil
}

// drop forgets keys for good: the file is rewritten without them.
func (k *keyring) drop(ids []inbox.MailID) error {
	if len(ids) == 0 {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.used.clear()
	err := k.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketKeys)
		for _, id := range ids {
			if id == 0 {
				continue // the house's own
			}
			if err := b.Delete(be(uint64(id))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("dropping keys: %w", err)
	}
	return k.rewrite()
}

func (k *keyring) rewriteLocked() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rewrite()
}

// rewrite replaces keys.db by a copy without freed pages. The old file stays
// in use until the new one is complete on disk.
func (k *keyring) rewrite() error {
	fresh := k.path + unfinished
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("rewriting keys: %w", err)
	}
	dst, err := openBolt(fresh)
	if err != nil {
		return err
	}
	dst.NoSync = true // nothing of it counts before all of it is there, and everybody waits
	err = errors.Join(bolt.Compact(dst, k.db, 1<<20), dst.Sync(), dst.Close())
	if err != nil {
		return fmt.Errorf("rewriting keys: %w", err)
	}
	if err := os.Rename(fresh, k.path); err != nil {
		return fmt.Errorf("rewriting keys: %w", err)
	}
	// From here on the old file has no name. Should the new one not open, nothing
	// may be written any more: a key in the old one would be lost with it.
	closed := k.db.Close()
	db, err := openBolt(k.path)
	if err != nil {
		return errors.Join(fmt.Errorf("reopening keys: %w", err), closed)
	}
	k.db = db
	if err := errors.Join(closed, syncDir(filepath.Dir(k.path))); err != nil {
		return fmt.Errorf("rewriting keys: %w", err)
	}
	return nil
}

// hash gives the keyed hash under which something personal is indexed.
func (k *keyring) hash(kind, s string) []byte {
	m, ok := k.macs.Get().(hash.Hash)
	if !ok {
		m = hmac.New(sha256.New, k.index)
	}
	defer k.macs.Put(m)
	m.Reset()
	io.WriteString(m, kind)
	m.Write([]byte{0})
	io.WriteString(m, s)
	return m.Sum(nil)[:hashBytes]
}

func (k *keyring) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.db.Close()
}

func be(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
