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

// Append adds an entry to the chain, in tx. Seq, Prev and Commit are filled
// in; detail (may be nil) is marshalled to JSON and sealed.
func Append(tx *bolt.Tx, e Entry, detail any, seal Seal) (Entry, error) {
	prev, last, err := Head(tx)
	if err != nil {
		return e, err
	}
	e.Seq, e.Prev = last+1, prev
	e.At = e.At.UTC().Truncate(time.Millisecond)
	if e.Seal, err = closeSegment(tx, e.At, last); err != nil {
		return e, err
	}
	if detail != nil {
		sealed, commit, err := sealDetail(e, detail, seal)
		if err != nil {
			return e, fmt.Errorf("sealing journal entry %d: %w", e.Seq, err)
		}
		e.Commit = commit
		if err := tx.Bucket(bucketDetails).Put(key(e.Seq), sealed); err != nil {
			return e, fmt.Errorf("writing journal detail %d: %w", e.Seq, err)
		}
	}
	b, err := json.Marshal(&e)
	if err != nil {
		return e, fmt.Errorf("encoding journal entry %d: %w", e.Seq, err)
	}
	if err := tx.Bucket(bucketEntries).Put(key(e.Seq), b); err != nil {
		return e, fmt.Errorf("writing journal entry %d: %w", e.Seq, err)
	}
	return e, nil
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
	v := &verifier{tx: tx, unseal: unseal, want: want, f: Finding{Head: genesis, Known: want == "" || want == genesis}}
	err := v.all()
	return v.f, err
}

// verifier is one walk of the chain.
type verifier struct {
	tx       *bolt.Tx
	unseal   Unseal
	want     string
	f        Finding
	segments []closed // oldest first
	sealed   int      // how many segments an entry has named
	dropped  uint64   // the last entry that the chain says was dropped
}

func (v *verifier) all() (err error) {
	if v.segments, v.f.Broken, err = readSegments(v.tx); err != nil || v.f.Broken != "" {
		return err
	}
	v.f.Segments = len(v.segments)
	at := v.skipDropped()
	c := v.tx.Bucket(bucketEntries).Cursor()
	for k, stored := c.First(); k != nil; k, stored = c.Next() {
		if err := v.entry(k, stored); err != nil || v.f.Broken != "" {
			return err
		}
		if at < len(v.segments) && v.f.Entries == v.segments[at].Last {
			if v.f.Broken = v.segments[at].holds(v.f.Head); v.f.Broken != "" {
				return nil
			}
			at++
		}
	}
	v.f.Broken = cmp.Or(v.unsealed(at), strayDetail(v.tx))
	return nil
}

// skipDropped begins behind the segments whose entries are gone, and gives how
// many these are.
func (v *verifier) skipDropped() (gone int) {
	first, _ := v.tx.Bucket(bucketEntries).Cursor().First()
	for _, s := range v.segments {
		if first != nil && bytes.Compare(first, key(s.Last)) <= 0 {
			break
		}
		gone++
		v.f.Entries, v.f.Dropped, v.f.Until, v.f.Head = s.Last, s.Last, s.Until, s.Head
		v.f.Known = v.f.Known || s.Head == v.want
	}
	return gone
}

// entry looks at one entry that is kept.
func (v *verifier) entry(k, stored []byte) error {
	n := v.f.Entries + 1
	var e Entry
	if err := json.Unmarshal(stored, &e); err != nil {
		v.f.Broken = fmt.Sprintf("entry %d cannot be read: %v", n, err)
		return nil
	}
	v.f.Broken = cmp.Or(checkLink(e, k, n, v.f.Head), v.seal(e))
	if v.f.Broken != "" {
		return nil
	}
	forgotten, broken, err := checkDetail(e, v.tx.Bucket(bucketDetails).Get(k), v.unseal)
	if v.f.Broken = broken; err != nil || broken != "" {
		return err
	}
	if forgotten {
		v.f.Forgotten = append(v.f.Forgotten, n)
	}
	v.f.Entries, v.f.Head = n, hash(stored)
	v.f.Known = v.f.Known || v.f.Head == v.want
	v.dropped = max(v.dropped, e.Dropped)
	return nil
}

// seal follows the seals of the segments, one after the other.
func (v *verifier) seal(e Entry) string {
	if e.Seal == "" {
		return ""
	}
	i := slices.IndexFunc(v.segments, func(s closed) bool { return s.hash == e.Seal })
	if i < 0 {
		return fmt.Sprintf("entry %d seals a segment whose record is not there, or was changed", e.Seq)
	}
	v.sealed = i + 1
	return ""
}

// unsealed says what is missing at the end of the walk, "" when nothing is.
func (v *verifier) unsealed(at int) string {
	switch {
	case at < len(v.segments):
		return fmt.Sprintf("entries %d to %d are missing at the end", v.f.Entries+1, v.segments[len(v.segments)-1].Last)
	case v.sealed < len(v.segments):
		return fmt.Sprintf("no entry seals the record of the segment of entries %d to %d", v.segments[v.sealed].First, v.segments[v.sealed].Last)
	case v.f.Dropped != v.dropped:
		return fmt.Sprintf("entries up to %d are missing, and the journal says that those up to %d were dropped", v.f.Dropped, v.dropped)
	}
	return ""
}

// strayDetail names a detail that no entry has.
func strayDetail(tx *bolt.Tx) string {
	entries := tx.Bucket(bucketEntries)
	c := tx.Bucket(bucketDetails).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if entries.Get(k) != nil {
			continue
		}
		if len(k) != 8 {
			return "a detail stands under a key that is no number"
		}
		return fmt.Sprintf("a detail stands under number %d, where there is no entry", binary.BigEndian.Uint64(k))
	}
	return ""
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

// Each calls f for every entry from number from on, oldest first, with its
// detail as JSON; detail is nil when there is none or it was forgotten.
func Each(tx *bolt.Tx, from uint64, unseal Unseal, f func(e Entry, detail []byte) error) error {
	details := tx.Bucket(bucketDetails)
	c := tx.Bucket(bucketEntries).Cursor()
	for k, v := c.Seek(key(from)); k != nil; k, v = c.Next() {
		var e Entry
		if err := json.Unmarshal(v, &e); err != nil {
			return fmt.Errorf("reading journal entry %d: %w", binary.BigEndian.Uint64(k), err)
		}
		var detail []byte
		if sealed := details.Get(k); sealed != nil {
			if plain, err := unseal(e.Case, e.Seq, sealed); err == nil && len(plain) >= sha256.Size {
				detail = plain[sha256.Size:]
			}
		}
		if err := f(e, detail); err != nil {
			return err
		}
	}
	return nil
}

func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
