package journal

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Segment is a part of the chain that has come to its end. Its record is all
// that is left once its entries were dropped.
type Segment struct {
	First  uint64    `json:"first"`
	Last   uint64    `json:"last"`
	From   time.Time `json:"from"`   // when the first entry was written
	Until  time.Time `json:"until"`  // when the last one was
	Prev   string    `json:"prev"`   // hash of the entry before the first, hex
	Head   string    `json:"head"`   // hash of the last entry, hex
	Before string    `json:"before"` // hash of the record of the segment before, hex; of the first zeros
}

// closed is the record of a Segment with its hash.
type closed struct {
	Segment
	hash string
}

// A segment is closed when it has so many entries, or its first is so old:
// a busy journal is dropped in pieces that one commit can take, and a quiet one
// not much later than its entries may go.
const (
	segmentEntries = 4096
	segmentAge     = 31 * 24 * time.Hour
)

// growth is what must be known of the segment that is not closed.
type growth struct {
	before closed    // the one before it
	since  time.Time // when its first entry was written
}

// closeSegment closes the segment that is open, if it is full or old, before an
// entry of the time now follows. It gives the hash of the record, "" when
// nothing was closed. Of a journal that was written before there were segments
// it closes one with each entry, until it has caught up.
func (w *Writer) closeSegment(now time.Time) (string, error) {
	if err := w.readGrowth(); err != nil || w.grows == nil {
		return "", err
	}
	before := w.grows.before
	s := Segment{First: before.Last + 1, Last: min(before.Last+segmentEntries, w.last), From: w.grows.since, Prev: before.Head, Before: before.hash}
	if s.Last-s.First+1 < segmentEntries && now.Sub(s.From) < segmentAge {
		return "", nil
	}
	end, h, err := read(w.tx, s.Last)
	if err != nil {
		return "", err
	}
	s.Until, s.Head = end.At, h
	b, err := json.Marshal(&s)
	if err != nil {
		return "", fmt.Errorf("encoding a journal segment: %w", err)
	}
	if err := w.tx.Bucket(bucketSegments).Put(key(s.First), b); err != nil {
		return "", fmt.Errorf("closing a journal segment: %w", err)
	}
	w.grows = nil
	return hash(b), nil
}

// readGrowth reads the segment that is not closed, if it has an entry.
func (w *Writer) readGrowth() error {
	if w.grows != nil {
		return nil
	}
	before, err := newest(w.tx)
	if err != nil || before.Last >= w.last {
		return err
	}
	first, _, err := read(w.tx, before.Last+1)
	if err == nil {
		w.grows = &growth{before, first.At}
	}
	return err
}

// newest gives the segment that was closed last; before the first it is one
// that ends at number 0.
func newest(tx *bolt.Tx) (closed, error) {
	k, v := tx.Bucket(bucketSegments).Cursor().Last()
	if k == nil {
		return closed{Segment{Head: genesis}, genesis}, nil
	}
	return parseSegment(k, v)
}

func parseSegment(k, v []byte) (closed, error) {
	s := closed{hash: hash(v)}
	if err := json.Unmarshal(v, &s.Segment); err != nil {
		return s, fmt.Errorf("reading the journal segment %x: %w", k, err)
	}
	return s, nil
}

// read gives an entry and its hash.
func read(tx *bolt.Tx, seq uint64) (e Entry, h string, err error) {
	v := tx.Bucket(bucketEntries).Get(key(seq))
	if v == nil {
		return e, "", fmt.Errorf("journal entry %d is missing", seq)
	}
	if err := json.Unmarshal(v, &e); err != nil {
		return e, "", fmt.Errorf("reading journal entry %d: %w", seq, err)
	}
	return e, hash(v), nil
}

// readSegments adds to those that are known the records behind them, and says
// what is wrong with the first that does not follow the one before it.
func readSegments(tx *bolt.Tx, known []closed) (all []closed, broken string, err error) {
	before, all, from := closed{Segment{Head: genesis}, genesis}, known, key(0)
	if n := len(known); n > 0 {
		before = known[n-1]
		from = key(before.Last + 1)
	}
	c := tx.Bucket(bucketSegments).Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		s, err := parseSegment(k, v)
		if err != nil {
			return nil, err.Error(), nil
		}
		if s.First != before.Last+1 || s.Last < s.First || string(k) != string(key(s.First)) || s.Prev != before.Head || s.Before != before.hash {
			return nil, fmt.Sprintf("the record of the segment of entries %d to %d does not follow the one before it", s.First, s.Last), nil
		}
		all, before = append(all, s), s
	}
	return all, "", nil
}

// DropBefore drops the entries of the oldest segment that has some, when it is
// closed and its last entry was written before t, and notes that in the chain.
// It tells whether it did. Each entry that goes is given to gone, which must not
// change the journal; nil: nobody asks.
func (w *Writer) DropBefore(t time.Time, e Entry, gone func(Entry) error) (bool, error) {
	k, _ := w.tx.Bucket(bucketEntries).Cursor().First()
	if k == nil {
		return false, nil
	}
	first := binary.BigEndian.Uint64(k)
	v := w.tx.Bucket(bucketSegments).Get(key(first))
	if v == nil {
		return false, nil // it is still open
	}
	s, err := parseSegment(key(first), v)
	if err != nil || !s.Until.Before(t) {
		return false, err
	}
	for seq := s.First; seq <= s.Last; seq++ {
		if gone != nil {
			if err := goes(w.tx, seq, gone); err != nil {
				return false, err
			}
		}
		for _, b := range [][]byte{bucketEntries, bucketDetails} {
			if err := w.tx.Bucket(b).Delete(key(seq)); err != nil {
				return false, fmt.Errorf("dropping journal entry %d: %w", seq, err)
			}
		}
	}
	e.Dropped = s.Last
	_, err = w.Append(e, nil, nil)
	return err == nil, err
}

func goes(tx *bolt.Tx, seq uint64, gone func(Entry) error) error {
	e, _, err := read(tx, seq)
	if err != nil {
		return err
	}
	return gone(e)
}

// Droppable tells whether DropBefore would drop something, from a few reads.
func Droppable(tx *bolt.Tx, t time.Time) (bool, error) {
	k, _ := tx.Bucket(bucketEntries).Cursor().First()
	if k == nil {
		return false, nil
	}
	v := tx.Bucket(bucketSegments).Get(k)
	if v == nil {
		return false, nil
	}
	s, err := parseSegment(k, v)
	return err == nil && s.Until.Before(t), err
}
