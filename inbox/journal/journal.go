// Package journal keeps the append-only log of what happened, as a hash chain
// inside the state's own transaction: an entry exists exactly when what it
// tells of was committed.
//
// The journal commits, it does not tell. What is personal in an entry stands
// in a detail that is sealed apart; the chain holds only HMAC(nonce, detail).
// The detail may be forgotten later (its key dropped) and the chain still
// verifies: "forgotten" is a valid finding, another text in its place is not.
//
// The chain is cut into segments (segment.go). A closed one is sealed by the
// next: its record has the hash of the record before and is named by an entry
// that follows. Then its entries can be dropped, oldest segment first, and what
// is left verifies from the first entry that is kept to the head; that they
// were dropped is an entry, too.
//
// Three buckets:
//
//	journal          seq (8 bytes, big endian) -> Entry as JSON
//	journal_detail   seq                       -> sealed nonce (32 bytes) and detail
//	journal_segments seq of its first entry    -> Segment as JSON
package journal

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// The buckets that the journal owns in the state's file.
var (
	bucketEntries  = []byte("journal")
	bucketDetails  = []byte("journal_detail")
	bucketSegments = []byte("journal_segments")
)

// Buckets lists the names of the buckets that the journal owns.
func Buckets() []string {
	return []string{string(bucketEntries), string(bucketDetails), string(bucketSegments)}
}

// Entry is one link of the chain. Nothing in it is personal.
type Entry struct {
	Seq    uint64         `json:"seq"`
	At     time.Time      `json:"at"`
	What   string         `json:"what"` // a fixed word: the event, or the act of staff
	Who    string         `json:"who"`  // supportd, the person, or a staff account
	Case   inbox.MailID   `json:"case,omitempty"`
	Action inbox.ActionID `json:"action,omitempty"`
	Commit string         `json:"commit,omitempty"` // HMAC-SHA-256(nonce, detail), hex; "" without detail
	Prev   string         `json:"prev"`             // hash of the entry before, hex

	Seal    string `json:"seal,omitempty"`    // hash of the record of a segment that was closed with this entry, hex
	Dropped uint64 `json:"dropped,omitempty"` // entries up to this number were dropped with this one
}

// hash gives a link's hash: SHA-256 over its bytes as they are stored, Prev
// included. What the bytes are read as plays no part: no other text, and no
// later version of Entry, has the same hash.
func hash(stored []byte) string {
	sum := sha256.Sum256(stored)
	return hex.EncodeToString(sum[:])
}

// genesis stands before the first entry.
var genesis = hex.EncodeToString(make([]byte, sha256.Size))

// Seal encrypts a detail under the key of a Case.
type Seal func(c inbox.MailID, seq uint64, plain []byte) ([]byte, error)

// Unseal is the reverse of Seal. It returns ErrForgotten when the key is gone.
type Unseal func(c inbox.MailID, seq uint64, sealed []byte) ([]byte, error)

// ErrForgotten says that a detail's key was dropped.
var ErrForgotten = errors.New("forgotten")

// Create makes the buckets.
func Create(tx *bolt.Tx) error {
	for _, b := range [][]byte{bucketEntries, bucketDetails, bucketSegments} {
		if _, err := tx.CreateBucketIfNotExists(b); err != nil {
			return fmt.Errorf("creating bucket %s: %w", b, err)
		}
	}
	return nil
}

// Writer appends to the chain in one transaction, in which nobody else may
// change the journal: it remembers what it has read of it and written.
type Writer struct {
	tx    *bolt.Tx
	read  bool    // of the rest
	head  string  // hash of the newest entry
	last  uint64  // its number
	grows *growth // the segment that is not closed; nil: not read, or it has no entry
}

// NewWriter gives the Writer of a transaction.
func NewWriter(tx *bolt.Tx) *Writer { return &Writer{tx: tx} }

// Append adds an entry to the chain. Seq, Prev and Commit are filled in; detail
// (may be nil) is marshalled to JSON and sealed.
func (w *Writer) Append(e Entry, detail any, seal Seal) (Entry, error) {
	if err := w.readHead(); err != nil {
		return e, err
	}
	e.Seq, e.Prev = w.last+1, w.head
	e.At = e.At.UTC().Truncate(time.Millisecond)
	var sealed []byte
	var err error
	if detail != nil { // before anything is written: a caller may go on without what cannot be sealed
		if sealed, e.Commit, err = sealDetail(e, detail, seal); err != nil {
			return e, fmt.Errorf("sealing journal entry %d: %w", e.Seq, err)
		}
	}
	if e.Seal, err = w.closeSegment(e.At); err != nil {
		return e, err
	}
	if detail != nil {
		if err := growing(w.tx, bucketDetails).Put(key(e.Seq), sealed); err != nil {
			return e, fmt.Errorf("writing journal detail %d: %w", e.Seq, err)
		}
	}
	b, err := json.Marshal(&e)
	if err != nil {
		return e, fmt.Errorf("encoding journal entry %d: %w", e.Seq, err)
	}
	if err := growing(w.tx, bucketEntries).Put(key(e.Seq), b); err != nil {
		return e, fmt.Errorf("writing journal entry %d: %w", e.Seq, err)
	}
	w.head, w.last = hash(b), e.Seq
	return e, nil
}

func (w *Writer) readHead() (err error) {
	if !w.read {
		w.head, w.last, err = Head(w.tx)
		w.read = err == nil
	}
	return err
}

// growing gives a bucket to put something behind all that is in it: its pages
// are filled, as nothing comes between later.
func growing(tx *bolt.Tx, name []byte) *bolt.Bucket {
	b := tx.Bucket(name)
	b.FillPercent = 1
	return b
}

func sealDetail(e Entry, detail any, seal Seal) (sealed []byte, commit string, err error) {
	plain, err := json.Marshal(detail)
	if err != nil {
		return nil, "", err
	}
	nonce := make([]byte, sha256.Size)
	rand.Read(nonce)
	sealed, err = seal(e.Case, e.Seq, append(nonce, plain...))
	return sealed, commitment(nonce, plain), err
}

func commitment(nonce, plain []byte) string {
	m := hmac.New(sha256.New, nonce)
	m.Write(plain)
	return hex.EncodeToString(m.Sum(nil))
}

// Head gives the hash of the newest entry and its number; a chain without
// entries has number 0 and a hash of zeros.
func Head(tx *bolt.Tx) (head string, seq uint64, err error) {
	k, v := tx.Bucket(bucketEntries).Cursor().Last()
	if k == nil {
		return genesis, 0, nil
	}
	var e Entry
	if err := json.Unmarshal(v, &e); err != nil {
		return genesis, 0, fmt.Errorf("reading journal entry %d: %w", binary.BigEndian.Uint64(k), err)
	}
	return hash(v), e.Seq, nil
}

// Finding is what Verify saw.
type Finding struct {
	Entries   uint64    // links that hold, those that were dropped included
	Dropped   uint64    // of these: in closed segments whose entries were dropped
	Until     time.Time // when the last of those was written; zero without any
	Segments  int       // closed segments
	Forgotten []uint64  // entries whose detail can no longer be read
	Head      string    // hash of the last link that holds
	Broken    string    // "" or what is wrong with the first broken entry
	Known     bool      // the hash that the caller asked for stands in the chain
}

// Verify walks the whole chain and stops at the first entry that does not
// hold. A wanted hash ("" for none) is looked for among the links: a head that
// was noted outside earlier must still be there. Of a segment whose entries were
// dropped only the hash of the last is known.
func Verify(tx *bolt.Tx, want string, unseal Unseal) (Finding, error) {
	c := NewCheck(want)
	for {
		if done, err := c.Step(tx, math.MaxInt, unseal); done || err != nil {
			return c.Found, err
		}
	}
}

// Check is Verify in pieces, each in a transaction of its own, so that a long
// chain holds none for long. What is appended between them is looked at, too,
// and what is dropped between them is passed over.
type Check struct {
	Found    Finding // so far
	want     string
	segments []closed // oldest first
	gone     int      // of these, how many have no entries any more
	passed   int      // of these, how many ends were passed
	sealed   int      // of these, how many an entry has named
	dropped  uint64   // the last entry that the chain says was dropped
	links    bool     // all of them hold; what is left is to look for stray details
	stray    []byte   // the last detail that was looked at
}

// NewCheck begins at the first entry; want is as for Verify.
func NewCheck(want string) *Check {
	return &Check{want: want, Found: Finding{Head: genesis, Known: want == "" || want == genesis}}
}

// Step looks at most entries more at the next ones. Done: the end was reached,
// or something that does not hold.
func (c *Check) Step(tx *bolt.Tx, most int, unseal Unseal) (done bool, err error) {
	f := &c.Found
	if c.links {
		f.Broken, done = c.strayDetail(tx, most)
		return done, nil
	}
	if f.Broken, err = c.takeSegments(tx); err != nil || f.Broken != "" {
		return true, err
	}
	details, at := tx.Bucket(bucketDetails), tx.Bucket(bucketEntries).Cursor()
	k, v, broken := c.next(at)
	if f.Broken = broken; broken != "" {
		return true, nil
	}
	for n := 0; k != nil && n < most; n++ {
		if f.Broken, err = c.link(k, v, details.Get(k), unseal); err != nil || f.Broken != "" {
			return true, err
		}
		if f.Broken = c.pass(tx); f.Broken != "" {
			return true, nil
		}
		k, v = at.Next()
	}
	if c.links = k == nil; c.links {
		f.Broken = c.unsealed()
	}
	return f.Broken != "", nil
}

// takeSegments takes up the segments that were closed since the last step, and
// passes over what was dropped.
func (c *Check) takeSegments(tx *bolt.Tx) (broken string, err error) {
	all, broken, err := readSegments(tx, c.segments)
	if err != nil || broken != "" {
		return broken, err
	}
	c.segments, c.Found.Segments = all, len(all)
	c.skipDropped(tx)
	return c.pass(tx), nil
}

// skipDropped begins behind the segments whose entries are gone.
func (c *Check) skipDropped(tx *bolt.Tx) {
	f := &c.Found
	first, _ := tx.Bucket(bucketEntries).Cursor().First()
	for ; c.gone < len(c.segments); c.gone++ {
		s := c.segments[c.gone]
		if first != nil && bytes.Compare(first, key(s.Last)) <= 0 {
			break
		}
		f.Dropped, f.Until = s.Last, s.Until
		f.Known = f.Known || s.Head == c.want
		if f.Entries < s.Last {
			f.Entries, f.Head = s.Last, s.Head
		}
	}
	c.passed = max(c.passed, c.gone)
	f.Forgotten = slices.DeleteFunc(f.Forgotten, func(n uint64) bool { return n <= f.Dropped })
}

// next gives the entry that is looked at next, and makes sure that the last one
// is what it was.
func (c *Check) next(at *bolt.Cursor) (k, v []byte, broken string) {
	f := &c.Found
	if f.Entries == f.Dropped {
		k, v = at.First()
		return k, v, ""
	}
	if k, v = at.Seek(key(f.Entries)); !bytes.Equal(k, key(f.Entries)) || hash(v) != f.Head {
		return nil, nil, fmt.Sprintf("entry %d was changed while the chain was verified", f.Entries)
	}
	k, v = at.Next()
	return k, v, ""
}

// link checks the next link, and says what is wrong with it.
func (c *Check) link(k, v, sealed []byte, unseal Unseal) (broken string, err error) {
	f := &c.Found
	n := f.Entries + 1
	var e Entry
	if err := json.Unmarshal(v, &e); err != nil {
		return fmt.Sprintf("entry %d cannot be read: %v", n, err), nil
	}
	if broken := cmp.Or(checkLink(e, k, n, f.Head), c.seal(e)); broken != "" {
		return broken, nil
	}
	forgotten, broken, err := checkDetail(e, sealed, unseal)
	if err != nil || broken != "" {
		return broken, err
	}
	if forgotten {
		f.Forgotten = append(f.Forgotten, n)
	}
	f.Entries, f.Head = n, hash(v)
	f.Known = f.Known || f.Head == c.want
	c.dropped = max(c.dropped, e.Dropped)
	return "", nil
}

// seal follows the seals of the segments, one after the other.
func (c *Check) seal(e Entry) string {
	if e.Seal == "" {
		return ""
	}
	i := slices.IndexFunc(c.segments, func(s closed) bool { return s.hash == e.Seal })
	if i < 0 {
		return fmt.Sprintf("entry %d seals a segment whose record is not there, or was changed", e.Seq)
	}
	c.sealed = i + 1
	return ""
}

// pass holds the records of the segments whose ends lie behind against their last
// entries.
func (c *Check) pass(tx *bolt.Tx) string {
	for ; c.passed < len(c.segments) && c.segments[c.passed].Last <= c.Found.Entries; c.passed++ {
		s := c.segments[c.passed]
		if hash(tx.Bucket(bucketEntries).Get(key(s.Last))) != s.Head {
			return fmt.Sprintf("the record of the segment of entries %d to %d has another hash than entry %d", s.First, s.Last, s.Last)
		}
	}
	return ""
}

// unsealed says what is missing at the end of the walk, "" when nothing is.
func (c *Check) unsealed() string {
	switch f := &c.Found; {
	case c.passed < len(c.segments):
		return fmt.Sprintf("entries %d to %d are missing at the end", f.Entries+1, c.segments[len(c.segments)-1].Last)
	case c.sealed < len(c.segments):
		return fmt.Sprintf("no entry seals the record of the segment of entries %d to %d", c.segments[c.sealed].First, c.segments[c.sealed].Last)
	case f.Dropped != c.dropped:
		return fmt.Sprintf("entries up to %d are missing, and the journal says that those up to %d were dropped", f.Dropped, c.dropped)
	}
	return ""
}

// strayDetail names a detail that no entry has; done at the last one.
func (c *Check) strayDetail(tx *bolt.Tx, most int) (broken string, done bool) {
	entries := tx.Bucket(bucketEntries)
	at := tx.Bucket(bucketDetails).Cursor()
	k, _ := at.First()
	if c.stray != nil {
		if k, _ = at.Seek(c.stray); bytes.Equal(k, c.stray) {
			k, _ = at.Next()
		}
	}
	for n := 0; k != nil && n < most; n++ {
		switch {
		case entries.Get(k) != nil:
		case len(k) != 8:
			return "a detail stands under a key that is no number", true
		default:
			return fmt.Sprintf("a detail stands under number %d, where there is no entry", binary.BigEndian.Uint64(k)), true
		}
		c.stray = bytes.Clone(k)
		k, _ = at.Next()
	}
	return "", k == nil
}

func checkLink(e Entry, k []byte, n uint64, prev string) string {
	switch {
	case e.Seq != n || !bytes.Equal(k, key(n)):
		return fmt.Sprintf("entry %d is missing: entry %d stands in its place", n, e.Seq)
	case e.Prev != prev:
		return fmt.Sprintf("entry %d does not follow entry %d: one of them was changed", n, n-1)
	}
	return ""
}

func checkDetail(e Entry, sealed []byte, unseal Unseal) (forgotten bool, broken string, err error) {
	switch {
	case e.Commit == "" && sealed != nil:
		return false, fmt.Sprintf("entry %d has a detail that was never committed", e.Seq), nil
	case e.Commit == "":
		return false, "", nil
	case sealed == nil: // forgetting drops a key, never what was sealed under it
		return false, fmt.Sprintf("the detail of entry %d was removed", e.Seq), nil
	}
	plain, err := unseal(e.Case, e.Seq, sealed)
	switch {
	case errors.Is(err, ErrForgotten):
		return true, "", nil
	case err != nil || len(plain) < sha256.Size:
		return false, fmt.Sprintf("the detail of entry %d cannot be opened although its key is here", e.Seq), nil
	case commitment(plain[:sha256.Size], plain[sha256.Size:]) != e.Commit:
		return false, fmt.Sprintf("the detail of entry %d is not the one that was committed", e.Seq), nil
	}
	return false, "", nil
}

// Link is an entry as it stands in the chain.
type Link struct {
	Entry
	Hash   string          `json:"hash"` // of Stored, hex: the Prev of the next one
	Stored json.RawMessage `json:"-"`    // the very bytes that the hash is over; not to be kept beyond the transaction
}

// Walk calls f for the entries from number from on, oldest first, or back from
// it, newest first, until it returns false; back from 0 begins at the newest.
func Walk(tx *bolt.Tx, from uint64, back bool, f func(Link) (more bool, err error)) error {
	c := tx.Bucket(bucketEntries).Cursor()
	k, v := c.Seek(key(from))
	step := c.Next
	if back {
		step = c.Prev
		switch {
		case from == 0 || k == nil:
			k, v = c.Last()
		case !bytes.Equal(k, key(from)):
			k, v = c.Prev()
		}
	}
	for ; k != nil; k, v = step() {
		l, err := link(k, v)
		if err != nil {
			return err
		}
		if more, err := f(l); err != nil || !more {
			return err
		}
	}
	return nil
}

// At reads one entry; ok is false when there is none of that number.
func At(tx *bolt.Tx, seq uint64) (l Link, ok bool, err error) {
	v := tx.Bucket(bucketEntries).Get(key(seq))
	if v == nil {
		return l, false, nil
	}
	l, err = link(key(seq), v)
	return l, err == nil, err
}

func link(k, v []byte) (Link, error) {
	l := Link{Hash: hash(v), Stored: v}
	if err := json.Unmarshal(v, &l.Entry); err != nil {
		return l, fmt.Errorf("reading journal entry %d: %w", binary.BigEndian.Uint64(k), err)
	}
	return l, nil
}

// Detail reads the detail of an entry as JSON; nil when there is none. That it
// was forgotten is told, and no error.
func Detail(tx *bolt.Tx, e Entry, unseal Unseal) (detail []byte, forgotten bool) {
	sealed := tx.Bucket(bucketDetails).Get(key(e.Seq))
	if sealed == nil {
		return nil, false
	}
	plain, err := unseal(e.Case, e.Seq, sealed)
	if err != nil || len(plain) < sha256.Size {
		return nil, errors.Is(err, ErrForgotten)
	}
	return plain[sha256.Size:], false
}

// Each calls f for every entry from number from on, oldest first, with its
// detail as JSON; detail is nil when there is none or it was forgotten.
func Each(tx *bolt.Tx, from uint64, unseal Unseal, f func(e Entry, detail []byte) error) error {
	return Walk(tx, from, false, func(l Link) (bool, error) {
		detail, _ := Detail(tx, l.Entry, unseal)
		return true, f(l.Entry, detail)
	})
}

func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
