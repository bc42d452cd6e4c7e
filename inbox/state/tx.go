package state

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// Tx is one transaction, with its time. It must not outlive the function that
// it was given to.
type Tx struct {
	Now time.Time
	tx  *bolt.Tx
	db  *DB

	listed []string // lines for the list of what was forgotten, there before the commit

	text  bytes.Buffer // of the record that is put
	clear []byte       // what was sealed of the record that is read

	// What the records are that this transaction has read or put.
	actions known[inbox.Action]
	mails   known[inbox.Mail]
	replies known[inbox.Reply]

	writer *journal.Writer // made when it is needed
}

// known are plain parts of records by their IDs, as they are stored: whoever puts
// one compares it with that, and need not read it again.
type known[T any] map[uint64]T

// maxKnown bounds what a transaction that walks through everything remembers.
const maxKnown = 1024

// note keeps what is stored from now on. It does not copy what lists hold.
func (k *known[T]) note(tx *Tx, id uint64, plain T) {
	if !tx.tx.Writable() {
		return // nothing is put
	}
	if *k == nil {
		*k = make(known[T])
	}
	if len(*k) == maxKnown {
		clear(*k)
	}
	(*k)[id] = plain
}

// recall gives what note has kept of a record that is still there, or nil.
func (k known[T]) recall(tx *Tx, bucket string, id uint64) *T {
	plain, ok := k[id]
	if !ok || tx.bucket(bucket).Get(be(id)) == nil { // it was dropped since
		return nil
	}
	return &plain
}

// ErrNotFound says that there is no such record.
var ErrNotFound = errors.New("not found")

// ErrForgotten says that the key of what should be read was dropped.
var ErrForgotten = journal.ErrForgotten

func (tx *Tx) bucket(name string) *bolt.Bucket {
	b := tx.tx.Bucket([]byte(name))
	if !scattered(name) {
		b.FillPercent = orderedFill
	}
	return b
}

// orderedFill is how full a page is left behind where keys come in the order of
// time, each behind those before: little is put in between later, and records
// grow a little when their state changes.
const orderedFill = 0.9

// scattered tells whether new keys of a bucket come anywhere among the others:
// those that begin with a keyed hash or a name.
func scattered(name string) bool {
	switch name {
	case "mail_digests", "mail_ids", "mail_signatures", "action_persons", "asks", "reply_ids", "persons", "moves", "counts",
		"staff", "staff_sessions", "staff_links", "tallies", "saved", "meta", "mailboxes":
		return true
	}
	return false
}

// put stores plain with its detail sealed under the key of a Case.
func put[T, D any](tx *Tx, bucket string, id uint64, c inbox.MailID, plain *T, detail *D) error {
	label := fmt.Sprintf("%s %d", bucket, id)
	tx.text.Reset()
	if err := appendJSON(&tx.text, plain); err != nil {
		return fmt.Errorf("encoding %s: %w", label, err)
	}
	n := tx.text.Len()
	var b []byte
	switch {
	case detail != nil:
		if err := appendJSON(&tx.text, detail); err != nil {
			return fmt.Errorf("encoding %s: %w", label, err)
		}
		plain, clear := tx.text.Bytes()[:n], tx.text.Bytes()[n:]
		var err error
		if b, err = tx.db.keys.appendSealed(beginRecord(plain, len(clear)+sealGrows), c, label, clear); err != nil {
			return err
		}
	default: // its key was dropped, or this caller did not open it: what was sealed stays
		var sealed []byte
		if old := tx.bucket(bucket).Get(be(id)); old != nil {
			var err error
			if sealed, err = sealedPart(old); err != nil {
				return fmt.Errorf("reading %s: %w", label, err)
			}
		}
		b = append(beginRecord(tx.text.Bytes(), len(sealed)), sealed...)
	}
	return tx.bucket(bucket).Put(be(id), b)
}

// stored reads the plain part of what put stored.
func stored[T any](tx *Tx, bucket string, id uint64) (*T, error) {
	tx.count()
	v := tx.bucket(bucket).Get(be(id))
	if v == nil {
		return nil, ErrNotFound
	}
	plain, err := parsed[T](v)
	if err != nil {
		return nil, fmt.Errorf("reading %s %d: %w", bucket, id, err)
	}
	return plain, nil
}

// parsed is stored of what was read.
func parsed[T any](stored []byte) (*T, error) {
	plain := new(T)
	_, err := decode(stored, plain)
	return plain, err
}

// get reads what put stored; detail is nil when its key was dropped.
func get[T, D any](tx *Tx, bucket string, id uint64, caseOf func(*T) inbox.MailID) (*T, *D, error) {
	tx.count()
	v := tx.bucket(bucket).Get(be(id))
	if v == nil {
		return nil, nil, ErrNotFound
	}
	label := fmt.Sprintf("%s %d", bucket, id)
	plain := new(T)
	sealed, err := decode(v, plain)
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", label, err)
	}
	if len(sealed) == 0 {
		return plain, nil, nil
	}
	b, err := tx.db.keys.appendUnsealed(tx.clear[:0], caseOf(plain), label, sealed)
	if errors.Is(err, errKeyGone) {
		return plain, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", label, err)
	}
	tx.clear = b
	var d D
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", label, err)
	}
	return plain, &d, nil
}

// has tells whether a bucket has a record.
func (tx *Tx) has(bucket string, id uint64) bool {
	tx.count()
	return tx.bucket(bucket).Get(be(id)) != nil
}

// count counts something that is read; see DB.Reads.
func (tx *Tx) count() {
	if tx.db != nil {
		tx.db.reads.Add(1)
	}
}

// Journal appends an entry. The detail is sealed under the key of the Case.
func (tx *Tx) Journal(what, who string, c inbox.MailID, a inbox.ActionID, detail any) error {
	e, err := tx.chain().Append(journal.Entry{At: tx.Now, What: what, Who: who, Case: c, Action: a}, detail,
		func(c inbox.MailID, seq uint64, plain []byte) ([]byte, error) {
			return tx.db.keys.seal(c, journalLabel(seq), plain)
		})
	if errors.Is(err, errKeyGone) { // the Case was forgotten; that it goes on is told all the same
		return tx.Journal(what, who, c, a, nil)
	}
	if err != nil {
		return err
	}
	return tx.indexEntry(e)
}

func (tx *Tx) chain() *journal.Writer {
	if tx.writer == nil {
		tx.writer = journal.NewWriter(tx.tx)
	}
	return tx.writer
}

func journalLabel(seq uint64) string { return fmt.Sprintf("journal %d", seq) }

func (tx *Tx) unsealJournal(c inbox.MailID, seq uint64, sealed []byte) ([]byte, error) {
	return tx.db.keys.unseal(c, journalLabel(seq), sealed)
}

// VerifyJournal walks the chain; see journal.Verify.
func (tx *Tx) VerifyJournal(want string) (journal.Finding, error) {
	return journal.Verify(tx.tx, want, tx.unsealJournal)
}

// DropJournal drops the entries of the oldest closed segment of the journal when
// all of it was written before t, and tells whether it did. What is left
// verifies.
func (tx *Tx) DropJournal(t time.Time) (bool, error) {
	return tx.chain().DropBefore(t, journal.Entry{At: tx.Now, What: "journal dropped", Who: inbox.WhoProgram}, tx.unindexEntry)
}

// JournalDroppable tells whether DropJournal has something to drop.
func (tx *Tx) JournalDroppable(t time.Time) (bool, error) { return journal.Droppable(tx.tx, t) }

// CheckJournal goes on with a check of the chain; see journal.Check.
func (tx *Tx) CheckJournal(c *journal.Check, most int) (done bool, err error) {
	return c.Step(tx.tx, most, tx.unsealJournal)
}

// JournalHead gives the hash and number of the newest entry.
func (tx *Tx) JournalHead() (hash string, seq uint64, err error) { return journal.Head(tx.tx) }

// EachEntry calls f for the journal's entries from number from on.
func (tx *Tx) EachEntry(from uint64, f func(e journal.Entry, detail []byte) error) error {
	return journal.Each(tx.tx, from, tx.unsealJournal, f)
}

// Hash gives the keyed hash of something personal, for indexes and limits.
func (tx *Tx) Hash(kind, s string) []byte { return tx.db.keys.hash(kind, s) }

// MessageID makes the Message-ID of a Reply: stable, and not to be guessed by
// anybody who has seen others of ours.
func (tx *Tx) MessageID(id inbox.ReplyID, domain string) string {
	s := fmt.Sprintf("%s-%d-%s", tx.db.instance, tx.db.epoch, id)
	h := append(tx.db.keys.hash("message-id", s), tx.db.keys.hash("message-id-2", s)[:4]...)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h)) + "@" + domain
}

// EffectKey gives the key under which the user store remembers an Action.
func (tx *Tx) EffectKey(id inbox.ActionID) string { return tx.db.EffectKey(id) }

// Paused tells what is paused: nothing is carried out, nothing is sent.
func (tx *Tx) Paused() (effects, replies bool) {
	p := string(tx.bucket("meta").Get([]byte("paused")))
	return strings.Contains(p, "effects"), strings.Contains(p, "replies")
}

// SetPaused stores what is paused.
func (tx *Tx) SetPaused(effects, replies bool) error {
	var p []string
	if effects {
		p = append(p, "effects")
	}
	if replies {
		p = append(p, "replies")
	}
	return tx.bucket("meta").Put([]byte("paused"), []byte(strings.Join(p, " ")))
}

// HeldRestored notes that everything that was open when an older copy of the
// state was found is held now; see DB.Restored.
func (tx *Tx) HeldRestored() error { return tx.bucket("meta").Put(keyRestored, []byte(restoreHeld)) }

// Restored tells whether the state is an older copy of itself that staff have
// not let go on yet.
func (tx *Tx) Restored() bool { return tx.bucket("meta").Get(keyRestored) != nil }

// EndRestored notes that staff let a restored state go on.
func (tx *Tx) EndRestored() error { return tx.bucket("meta").Delete(keyRestored) }

// Meta reads a small note that a room keeps, "" when there is none.
func (tx *Tx) Meta(name string) string { return string(tx.bucket("meta").Get([]byte("note " + name))) }

// SetMeta stores a small note that a room keeps. It must not be personal.
func (tx *Tx) SetMeta(name, value string) error {
	return tx.bucket("meta").Put([]byte("note "+name), []byte(value))
}

func at(t time.Time) []byte { return be(uint64(max(t.UnixNano(), 0))) }

// index keeps one key of an index bucket present or absent.
func (tx *Tx) index(bucket string, key []byte, present bool) error {
	if present {
		return tx.bucket(bucket).Put(key, []byte{})
	}
	return tx.bucket(bucket).Delete(key)
}

// reindex moves an entry from one key to another; nil is none.
func (tx *Tx) reindex(bucket string, old, now []byte) error {
	if string(old) == string(now) {
		return nil
	}
	if old != nil {
		if err := tx.index(bucket, old, false); err != nil {
			return err
		}
	}
	if now != nil {
		return tx.index(bucket, now, true)
	}
	return nil
}

// eachID calls f with the ID at the end of every key below prefix, in order,
// until it returns false. f must not change the bucket.
func (tx *Tx) eachID(bucket string, prefix []byte, f func(id uint64) bool) {
	c := tx.bucket(bucket).Cursor()
	for k, _ := c.Seek(prefix); k != nil && strings.HasPrefix(string(k), string(prefix)); k, _ = c.Next() {
		tx.count()
		if !f(binary.BigEndian.Uint64(k[len(k)-8:])) {
			return
		}
	}
}

// eachBack calls f with the ID behind every prefix, from below before (0: from
// the last) downwards, until it returns false.
func (tx *Tx) eachBack(bucket string, prefix []byte, before uint64, f func(id uint64) bool) {
	if before == 0 {
		before = math.MaxUint64
	}
	c := tx.bucket(bucket).Cursor()
	k, _ := c.Seek(join(prefix, be(before)))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	for ; len(k) == len(prefix)+8 && bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
		if !f(binary.BigEndian.Uint64(k[len(prefix):])) {
			return
		}
	}
}

// idsUntil lists up to limit IDs of a bucket keyed by time and ID whose time
// is not after t.
func (tx *Tx) idsUntil(bucket string, t time.Time, limit int) []uint64 {
	var ids []uint64
	c := tx.bucket(bucket).Cursor()
	end := uint64(t.UnixNano())
	for k, _ := c.First(); k != nil && len(ids) < limit && binary.BigEndian.Uint64(k) <= end; k, _ = c.Next() {
		tx.count()
		ids = append(ids, binary.BigEndian.Uint64(k[8:]))
	}
	return ids
}

// idsBeyond lists up to limit IDs of a bucket keyed by time and ID whose time is
// after t, from the last.
func (tx *Tx) idsBeyond(bucket string, t time.Time, limit int) []uint64 {
	var ids []uint64
	c := tx.bucket(bucket).Cursor()
	end := uint64(t.UnixNano())
	for k, _ := c.Last(); k != nil && len(ids) < limit && binary.BigEndian.Uint64(k) > end; k, _ = c.Prev() {
		ids = append(ids, binary.BigEndian.Uint64(k[8:]))
	}
	return ids
}

// farOff is longer than any pause before a letter or a deferred mail is tried
// again. What is to wait longer was put off by a clock that was ahead.
const farOff = 3 * time.Hour

// dueOrFarOff lists up to limit IDs of what is due, what never will be because
// the clock went back included.
func (tx *Tx) dueOrFarOff(bucket string, limit int) []uint64 {
	ids := tx.idsUntil(bucket, tx.Now, limit)
	return append(ids, tx.idsBeyond(bucket, tx.Now.Add(farOff), limit-len(ids))...)
}

// firstTime gives the earliest time of a bucket keyed by time that is not
// before t, or zero.
func (tx *Tx) firstTime(bucket string, t time.Time) time.Time {
	k, _ := tx.bucket(bucket).Cursor().Seek(at(t))
	if k == nil {
		return time.Time{}
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(k)))
}

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// keyTime gives the time that a key begins with.
func keyTime(k []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(k))) }
