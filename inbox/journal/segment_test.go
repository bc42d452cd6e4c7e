package journal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// at is when the entries of a long journal were written: so many an hour.
func at(n int) time.Time {
	return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour)
}

// long appends n entries, one an hour, and gives the head after each.
func (l *log) long(n int) (heads []string) {
	l.t.Helper()
	l.update(func(tx *bolt.Tx) error {
		w := NewWriter(tx)
		for i := range n {
			if _, err := w.Append(Entry{At: at(i), What: "yes", Case: 1}, i, seal); err != nil {
				return err
			}
			head, _, err := Head(tx)
			if err != nil {
				return err
			}
			heads = append(heads, head)
		}
		return nil
	})
	return heads
}

func (l *log) drop(before time.Time) (dropped bool) {
	l.t.Helper()
	l.update(func(tx *bolt.Tx) error {
		could, err := Droppable(tx, before)
		if err != nil {
			return err
		}
		if dropped, err = NewWriter(tx).DropBefore(before, Entry{At: before, What: "journal dropped"}, nil); dropped != could {
			l.t.Errorf("it could be dropped: %t, it was: %t", could, dropped)
		}
		return err
	})
	return dropped
}

// TestSealThatFails: an entry that cannot be sealed closes no segment either, as
// its caller goes on without it.
func TestSealThatFails(t *testing.T) {
	l := newLog(t)
	l.update(func(tx *bolt.Tx) error {
		for range segmentEntries {
			if _, err := NewWriter(tx).Append(Entry{At: at(0)}, nil, nil); err != nil {
				return err
			}
		}
		gone := errors.New("the key was dropped")
		_, err := NewWriter(tx).Append(Entry{At: at(0), Case: 1}, "detail", func(inbox.MailID, uint64, []byte) ([]byte, error) { return nil, gone })
		if !errors.Is(err, gone) {
			t.Errorf("%v", err)
		}
		_, err = NewWriter(tx).Append(Entry{At: at(0), Case: 1}, nil, nil)
		return err
	})
	if f := l.verify(""); f.Broken != "" || f.Segments != 1 || f.Entries != segmentEntries+1 {
		t.Errorf("%+v", f)
	}
}

// TestSegments: a segment closes when it is full or old, and the chain holds
// across.
func TestSegments(t *testing.T) {
	l := newLog(t)
	heads := l.long(2000) // an entry an hour: a month comes first
	var first []uint64
	l.view(func(tx *bolt.Tx) error {
		all, broken, err := readSegments(tx, nil)
		for _, s := range all {
			first = append(first, s.First)
		}
		if broken != "" {
			t.Error(broken)
		}
		return err
	})
	if want := []uint64{1, 745}; !slices.Equal(first, want) {
		t.Errorf("segments begin at %d, want %d", first, want)
	}
	if f := l.verify(heads[3]); f.Broken != "" || f.Entries != 2000 || f.Segments != 2 || f.Dropped != 0 || !f.Known {
		t.Errorf("%+v", f)
	}
	busy := newLog(t)
	busy.update(func(tx *bolt.Tx) error {
		for range 2*segmentEntries + 1 {
			if _, err := NewWriter(tx).Append(Entry{At: at(0)}, nil, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if f := busy.verify(""); f.Broken != "" || f.Segments != 2 {
		t.Errorf("%+v", f)
	}
}

// TestDropSegments: what was dropped is known as such; the rest verifies, from
// a head of each kept entry and from the last of each dropped segment.
func TestDropSegments(t *testing.T) {
	l := newLog(t)
	heads := l.long(3000)
	if l.drop(at(743)) {
		t.Error("a segment was dropped whose last entry is too young")
	}
	for n, last := range []uint64{744, 1488} {
		if !l.drop(at(1600)) {
			t.Fatalf("segment %d was not dropped", n+1)
		}
		f := l.verify("")
		if f.Broken != "" || f.Dropped != last || f.Entries != uint64(3001+n) || !f.Until.Equal(at(int(last)-1)) {
			t.Fatalf("%+v", f)
		}
	}
	if l.drop(at(1600)) {
		t.Error("a third segment was dropped")
	}
	for n, known := range map[int]bool{742: false, 743: true, 1486: false, 1487: true, 1488: true, 2999: true} {
		if f := l.verify(heads[n]); f.Known != known || f.Broken != "" {
			t.Errorf("the head of entry %d is known: %t, %s", n+1, f.Known, f.Broken)
		}
	}
	left := 0
	l.view(func(tx *bolt.Tx) error {
		left = tx.Bucket(bucketDetails).Stats().KeyN
		return nil
	})
	if left != 3000-1488 {
		t.Errorf("%d details are left", left)
	}
	for l.drop(at(1 << 20)) {
	}
	if f := l.verify(""); f.Broken != "" || f.Dropped < 2000 {
		t.Errorf("with all dropped that can be: %+v", f)
	}
}

// TestDropUntold: whoever takes entries away without the chain saying so, or
// changes what stands for them, is found out.
func TestDropUntold(t *testing.T) {
	segments := func(tx *bolt.Tx) *bolt.Bucket { return tx.Bucket(bucketSegments) }
	for _, test := range []struct {
		name, says string
		do         func(*bolt.Tx) error
	}{
		{"the entries of a segment are gone", "the journal says that those up to 744 were dropped", func(tx *bolt.Tx) error { return erase(tx, 745, 1488) }},
		{"the first entries of a segment are gone", "entry 745 is missing", func(tx *bolt.Tx) error { return erase(tx, 745, 900) }},
		{"all entries are gone", "no entry seals", func(tx *bolt.Tx) error { return erase(tx, 745, 3002) }},
		{"the last entries are gone", "are missing at the end", func(tx *bolt.Tx) error { return erase(tx, 2900, 3002) }},
		{"the record of a dropped segment is gone", "does not follow", func(tx *bolt.Tx) error { return segments(tx).Delete(key(1)) }},
		{"the newest record is gone", "seals a segment whose record is not there", func(tx *bolt.Tx) error { return segments(tx).Delete(key(2233)) }},
		{"a dropped segment has another hash", "does not follow", func(tx *bolt.Tx) error { return rewrite(tx, 1, `"head":"`, `"head":"0`) }},
		{"a dropped segment is said to be younger", "does not follow", func(tx *bolt.Tx) error { return rewrite(tx, 1, `"until":"2026`, `"until":"2036`) }},
		{"the newest record is changed", "seals a segment whose record is not there", func(tx *bolt.Tx) error { return rewrite(tx, 2233, `"until":"2026`, `"until":"2036`) }},
		{"a record is no JSON", "reading the journal segment", func(tx *bolt.Tx) error { return segments(tx).Put(key(745), []byte("{")) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLog(t)
			l.long(3001)
			if !l.drop(at(800)) {
				t.Fatal("nothing was dropped")
			}
			l.update(test.do)
			if f := l.verify(""); !strings.Contains(f.Broken, test.says) {
				t.Errorf("it says %q, want %q", f.Broken, test.says)
			}
		})
	}
}

func erase(tx *bolt.Tx, from, to uint64) error {
	for n := from; n <= to; n++ {
		for _, b := range [][]byte{bucketEntries, bucketDetails} {
			if err := tx.Bucket(b).Delete(key(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

func rewrite(tx *bolt.Tx, segment uint64, old, fresh string) error {
	b := tx.Bucket(bucketSegments)
	v := string(b.Get(key(segment)))
	if !strings.Contains(v, old) {
		return fmt.Errorf("no %q in %s", old, v)
	}
	return b.Put(key(segment), []byte(strings.Replace(v, old, fresh, 1)))
}

// TestDroppedWhileVerified: what is dropped between two steps is passed over,
// wherever the check is; what vanishes untold is not.
func TestDroppedWhileVerified(t *testing.T) {
	for _, test := range []struct {
		name      string
		after     int // entries that were looked at before
		do        func(*log)
		entries   uint64
		dropped   uint64
		forgotten int
		broken    string
	}{
		{"the segment that is walked", 300, func(l *log) { l.drop(at(800)) }, 3001, 744, 2255, ""},
		{"one behind it", 1000, func(l *log) { l.drop(at(800)) }, 3001, 744, 2255, ""},
		{"the one behind it, and the one that is walked", 1000, func(l *log) { l.drop(at(1600)); l.drop(at(1600)) }, 3002, 1488, 1511, ""},
		{"up to where it is", 744, func(l *log) { l.drop(at(800)) }, 3001, 744, 2255, ""},
		{"what is behind it, and nobody says so", 1000, func(l *log) {
			l.update(func(tx *bolt.Tx) error { return erase(tx, 1, 744) })
		}, 3000, 744, 2255, "entries up to 744 are missing, and the journal says that those up to 0 were dropped"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLog(t)
			l.long(2999)
			l.update(func(tx *bolt.Tx) error { // of another Case, whose key is there
				_, err := NewWriter(tx).Append(Entry{At: at(2999), Case: 2}, 1, seal)
				return err
			})
			forgot := func(c inbox.MailID, seq uint64, sealed []byte) ([]byte, error) {
				if c == 1 {
					return nil, ErrForgotten
				}
				return l.unseal(c, seq, sealed)
			}
			c := NewCheck("")
			step := func(most int) (done bool) {
				l.view(func(tx *bolt.Tx) (err error) { done, err = c.Step(tx, most, forgot); return err })
				return done
			}
			step(test.after)
			test.do(l)
			for !step(100) {
			}
			if f := c.Found; f.Entries != test.entries || f.Dropped != test.dropped || len(f.Forgotten) != test.forgotten || f.Broken != test.broken {
				t.Errorf("%d entries, %d dropped, %d forgotten, %q", f.Entries, f.Dropped, len(f.Forgotten), f.Broken)
			}
		})
	}
}

// TestClosedWhileVerified: segments that are closed between two steps are held
// against their entries, those of an older journal included, which lie behind.
func TestClosedWhileVerified(t *testing.T) {
	for _, changed := range []bool{false, true} {
		l := newLog(t)
		l.long(2 * segmentEntries)
		l.update(func(tx *bolt.Tx) error {
			for n := range uint64(2 * segmentEntries) {
				if err := tx.Bucket(bucketSegments).Delete(key(n + 1)); err != nil {
					return err
				}
			}
			return unsealAll(tx)
		})
		c := NewCheck("")
		l.view(func(tx *bolt.Tx) error { _, err := c.Step(tx, segmentEntries+9, l.unseal); return err })
		l.update(func(tx *bolt.Tx) error {
			_, err := NewWriter(tx).Append(Entry{At: at(2 * segmentEntries)}, nil, nil)
			if err == nil && changed {
				err = rewrite(tx, 1, `"head":"`, `"head":"0`)
			}
			return err
		})
		for done := false; !done; {
			l.view(func(tx *bolt.Tx) (err error) { done, err = c.Step(tx, 1000, l.unseal); return err })
		}
		if f := c.Found; (f.Broken != "") != changed || f.Segments != 1 {
			t.Errorf("changed: %t, found: %+v", changed, f)
		}
	}
}

// TestWalkDropped: a walk begins at the first entry that is kept, and ends there
// on its way back; who asked for it is told of each entry that is dropped.
func TestWalkDropped(t *testing.T) {
	l := newLog(t)
	l.long(1000)
	var gone []uint64
	l.update(func(tx *bolt.Tx) error {
		_, err := NewWriter(tx).DropBefore(at(800), Entry{At: at(800)}, func(e Entry) error { gone = append(gone, e.Seq); return nil })
		return err
	})
	if len(gone) != 744 || gone[0] != 1 || gone[743] != 744 {
		t.Errorf("%d entries were told to be dropped: %v", len(gone), gone)
	}
	l.view(func(tx *bolt.Tx) error {
		for _, test := range []struct {
			from        uint64
			back        bool
			first, last uint64
		}{{1, false, 745, 1001}, {745, false, 745, 1001}, {0, true, 1001, 745}, {746, true, 746, 745}, {744, true, 0, 0}} {
			var first, last uint64
			err := Walk(tx, test.from, test.back, func(e Link) (bool, error) { first, last = cmp.Or(first, e.Seq), e.Seq; return true, nil })
			if err != nil || first != test.first || last != test.last {
				t.Errorf("from %d, back %t: %d to %d, %v", test.from, test.back, first, last, err)
			}
		}
		_, ok, err := At(tx, 744)
		if ok || err != nil {
			t.Errorf("entry 744 is there: %t, %v", ok, err)
		}
		return nil
	})
}

// TestSegmentsOfAnOldJournal: one that was written before there were segments
// is cut by and by.
func TestSegmentsOfAnOldJournal(t *testing.T) {
	l := newLog(t)
	l.long(3 * segmentEntries)
	l.update(func(tx *bolt.Tx) error { // as if no entry had closed anything
		for n := range uint64(3 * segmentEntries) {
			if err := tx.Bucket(bucketSegments).Delete(key(n + 1)); err != nil {
				return err
			}
		}
		return unsealAll(tx)
	})
	for range 3 {
		l.update(func(tx *bolt.Tx) error {
			_, err := NewWriter(tx).Append(Entry{At: at(3 * segmentEntries)}, nil, nil)
			return err
		})
	}
	if f := l.verify(""); f.Broken != "" || f.Segments != 3 {
		t.Fatalf("%+v", f)
	}
	if !l.drop(at(2 * segmentEntries)) {
		t.Error("nothing was dropped")
	}
	if f := l.verify(""); f.Broken != "" || f.Dropped != segmentEntries {
		t.Errorf("%+v", f)
	}
}

// unsealAll writes the chain anew without seals.
func unsealAll(tx *bolt.Tx) error {
	prev := genesis
	for n := uint64(1); tx.Bucket(bucketEntries).Get(key(n)) != nil; n++ {
		b := fmt.Appendf(nil, `{"seq":%d,"at":%q,"what":"yes","who":"","prev":%q}`, n, at(int(n)-1).Format(time.RFC3339), prev)
		if err := tx.Bucket(bucketDetails).Delete(key(n)); err != nil {
			return err
		}
		if err := tx.Bucket(bucketEntries).Put(key(n), b); err != nil {
			return err
		}
		prev = hash(b)
	}
	return nil
}
