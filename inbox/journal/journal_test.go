package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// log is a journal in a file of its own, whose details are sealed by nothing
// more than the knowledge of which keys are left.
type log struct {
	t    *testing.T
	db   *bolt.DB
	gone map[inbox.MailID]bool
}

func newLog(t *testing.T) *log {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "j.db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l := &log{t: t, db: db, gone: map[inbox.MailID]bool{}}
	l.update(Create)
	return l
}

func (l *log) update(f func(*bolt.Tx) error) {
	l.t.Helper()
	if err := l.db.Update(f); err != nil {
		l.t.Fatal(err)
	}
}

func (l *log) view(f func(*bolt.Tx) error) {
	l.t.Helper()
	if err := l.db.View(f); err != nil {
		l.t.Fatal(err)
	}
}

func label(c inbox.MailID, seq uint64) []byte { return fmt.Appendf(nil, "%s/%d:", c, seq) }

func seal(c inbox.MailID, seq uint64, plain []byte) ([]byte, error) {
	return append(label(c, seq), plain...), nil
}

func (l *log) unseal(c inbox.MailID, seq uint64, sealed []byte) ([]byte, error) {
	if l.gone[c] {
		return nil, ErrForgotten
	}
	plain, ok := bytes.CutPrefix(sealed, label(c, seq))
	if !ok {
		return nil, errors.New("not sealed for this place")
	}
	return plain, nil
}

// write appends n entries of two Cases; every third has no detail. It gives
// the head after each.
func (l *log) write(n int) (heads []string) {
	l.t.Helper()
	for i := range n {
		l.update(func(tx *bolt.Tx) error {
			var detail any
			if i%3 != 2 {
				detail = map[string]string{"value": fmt.Sprint("secret ", i)}
			}
			_, err := NewWriter(tx).Append(Entry{At: time.Unix(int64(i), 123456789), What: "yes", Who: "the person", Case: inbox.MailID(i%2 + 1), Action: inbox.ActionID(i)}, detail, seal)
			if err != nil {
				return err
			}
			head, seq, err := Head(tx)
			if seq != uint64(i+1) {
				l.t.Errorf("the head is number %d, want %d", seq, i+1)
			}
			heads = append(heads, head)
			return err
		})
	}
	return heads
}

func (l *log) verify(want string) (f Finding) {
	l.t.Helper()
	l.view(func(tx *bolt.Tx) (err error) { f, err = Verify(tx, want, l.unseal); return err })
	for _, most := range []int{1, 3} {
		if g := l.pieces(want, most); !reflect.DeepEqual(f, g) {
			l.t.Errorf("at once %+v was found, by %d %+v", f, most, g)
		}
	}
	return f
}

// pieces verifies with a few entries at a time.
func (l *log) pieces(want string, most int) Finding {
	l.t.Helper()
	c := NewCheck(want)
	for done := false; !done; {
		l.view(func(tx *bolt.Tx) (err error) { done, err = c.Step(tx, most, l.unseal); return err })
	}
	return c.Found
}

func TestChain(t *testing.T) {
	l := newLog(t)
	if f := l.verify(""); f.Entries != 0 || f.Head != genesis || f.Broken != "" || !f.Known {
		t.Errorf("an empty chain: %+v", f)
	}
	heads := l.write(7)
	for i, h := range heads {
		if f := l.verify(h); f.Entries != 7 || f.Broken != "" || !f.Known || f.Head != heads[6] || len(f.Forgotten) != 0 {
			t.Errorf("looking for head %d: %+v", i+1, f)
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(heads)))) != 7 {
		t.Errorf("two heads are the same: %q", heads)
	}
	if f := l.verify(strings.Repeat("ab", 32)); f.Known || f.Broken != "" {
		t.Errorf("a head that never was: %+v", f)
	}
}

// TestSameWordsOtherCommit: two entries that say the same cannot be told to be
// the same.
func TestSameWordsOtherCommit(t *testing.T) {
	l := newLog(t)
	var a, b Entry
	l.update(func(tx *bolt.Tx) (err error) {
		w := NewWriter(tx)
		if a, err = w.Append(Entry{What: "yes", Case: 1}, "alice@example.org", seal); err != nil {
			return err
		}
		b, err = w.Append(Entry{What: "yes", Case: 1}, "alice@example.org", seal)
		return err
	})
	if a.Commit == b.Commit || a.Commit == "" {
		t.Errorf("the commitments are %q and %q", a.Commit, b.Commit)
	}
}

func TestForgotten(t *testing.T) {
	l := newLog(t)
	heads := l.write(6)
	l.gone[1] = true // entries 1, 3 and 5; 3 has no detail
	f := l.verify(heads[2])
	if f.Broken != "" || !f.Known || f.Entries != 6 || !slices.Equal(f.Forgotten, []uint64{1, 5}) {
		t.Errorf("%+v", f)
	}
	l.view(func(tx *bolt.Tx) error {
		return Each(tx, 1, l.unseal, func(e Entry, detail []byte) error {
			if want := e.Seq == 2 || e.Seq == 4; (detail != nil) != want {
				t.Errorf("entry %d of %s has the detail %q", e.Seq, e.Case, detail)
			}
			return nil
		})
	})
}

func TestEach(t *testing.T) {
	l := newLog(t)
	l.write(5)
	var got []string
	stop := errors.New("stop")
	err := l.db.View(func(tx *bolt.Tx) error {
		return Each(tx, 2, l.unseal, func(e Entry, detail []byte) error {
			got = append(got, fmt.Sprint(e.Seq, string(detail)))
			if e.Seq == 4 {
				return stop
			}
			return nil
		})
	})
	if want := []string{`2{"value":"secret 1"}`, "3", `4{"value":"secret 3"}`}; !errors.Is(err, stop) || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// swap exchanges two values of a bucket.
// TestWalk: from any entry on, and back from it; each comes with the hash that
// the next one names.
func TestWalk(t *testing.T) {
	l := newLog(t)
	heads := l.write(5)
	for _, c := range []struct {
		from uint64
		back bool
		want []uint64
	}{
		{1, false, []uint64{1, 2, 3, 4, 5}}, {0, false, []uint64{1, 2, 3, 4, 5}}, {4, false, []uint64{4, 5}}, {6, false, nil},
		{0, true, []uint64{5, 4, 3, 2, 1}}, {5, true, []uint64{5, 4, 3, 2, 1}}, {99, true, []uint64{5, 4, 3, 2, 1}}, {2, true, []uint64{2, 1}},
	} {
		var got []uint64
		l.view(func(tx *bolt.Tx) error {
			return Walk(tx, c.from, c.back, func(e Link) (bool, error) {
				got = append(got, e.Seq)
				if e.Hash != heads[e.Seq-1] {
					t.Errorf("entry %d has the hash %s, want %s", e.Seq, e.Hash, heads[e.Seq-1])
				}
				return true, nil
			})
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("from %d, back %v: %d, want %d", c.from, c.back, got, c.want)
		}
	}
	l.view(func(tx *bolt.Tx) error {
		if e, ok, err := At(tx, 3); err != nil || !ok || e.Seq != 3 || e.Hash != heads[2] {
			t.Errorf("entry 3 is %+v, %v, %v", e, ok, err)
		}
		if _, ok, err := At(tx, 6); ok || err != nil {
			t.Errorf("entry 6 is there: %v, %v", ok, err)
		}
		return nil
	})
	l.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketEntries).Put(key(2), []byte("{")) })
	l.view(func(tx *bolt.Tx) error {
		if err := Walk(tx, 1, false, func(Link) (bool, error) { return true, nil }); err == nil {
			t.Error("an entry that cannot be read was passed over")
		}
		return nil
	})
}

func swap(tx *bolt.Tx, bucket []byte, i, j uint64) error {
	b := tx.Bucket(bucket)
	x, y := bytes.Clone(b.Get(key(i))), bytes.Clone(b.Get(key(j)))
	return errors.Join(b.Put(key(i), y), b.Put(key(j), x))
}

// edit rewrites an entry by f.
func edit(tx *bolt.Tx, n uint64, f func(e *Entry)) error {
	var e Entry
	b := tx.Bucket(bucketEntries)
	if err := json.Unmarshal(b.Get(key(n)), &e); err != nil {
		return err
	}
	f(&e)
	v, err := json.Marshal(&e)
	if err != nil {
		return err
	}
	return b.Put(key(n), v)
}

// TestTampering: every change that somebody with the file but without the keys
// can make is found, at the first entry that it touches or the one behind it.
func TestTampering(t *testing.T) {
	put := func(bucket []byte, n uint64, v string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put(key(n), []byte(v)) }
	}
	field := func(n uint64, f func(*Entry)) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error { return edit(tx, n, f) }
	}
	tests := []struct {
		name  string
		do    func(*bolt.Tx) error
		holds uint64 // links before the break
		says  string
	}{
		{"what happened", field(4, func(e *Entry) { e.What = "no" }), 4, "entry 5 does not follow entry 4"},
		{"who did it", field(4, func(e *Entry) { e.Who = "supportd" }), 4, "entry 5 does not follow"},
		{"when it was", field(4, func(e *Entry) { e.At = e.At.Add(time.Millisecond) }), 4, "entry 5 does not follow"},
		{"which action", field(6, func(e *Entry) { e.Action = 99 }), 6, "entry 7 does not follow"},
		{"which Case", field(6, func(e *Entry) { e.Case = 9 }), 6, "entry 7 does not follow"},
		{"the first entry", field(1, func(e *Entry) { e.What = "no" }), 1, "entry 2 does not follow entry 1"},
		{"the link", field(4, func(e *Entry) { e.Prev = genesis }), 3, "entry 4 does not follow entry 3"},
		{"the number", field(4, func(e *Entry) { e.Seq = 40 }), 3, "entry 4 is missing"},
		{"the commitment", field(4, func(e *Entry) { e.Commit = strings.Repeat("0", 64) }), 3, "the detail of entry 4 is not the one"},
		{"the commitment taken away", field(4, func(e *Entry) { e.Commit = "" }), 3, "entry 4"},
		{"bytes that are read the same", func(tx *bolt.Tx) error {
			v := tx.Bucket(bucketEntries).Get(key(4))
			return tx.Bucket(bucketEntries).Put(key(4), append([]byte(`{"note":"nothing to see",`), v[1:]...))
		}, 4, "entry 5 does not follow"},
		{"no JSON", put(bucketEntries, 4, "{"), 3, "entry 4 cannot be read"},
		{"empty", put(bucketEntries, 4, ""), 3, "entry 4 cannot be read"},
		{"removed", func(tx *bolt.Tx) error { return tx.Bucket(bucketEntries).Delete(key(4)) }, 3, "entry 4 is missing"},
		{"the first removed", func(tx *bolt.Tx) error { return tx.Bucket(bucketEntries).Delete(key(1)) }, 0, "entry 1 is missing"},
		{"inserted in front", func(tx *bolt.Tx) error {
			return tx.Bucket(bucketEntries).Put(key(0), tx.Bucket(bucketEntries).Get(key(1)))
		}, 0, "entry 1 is missing"},
		{"inserted between, under a longer key", func(tx *bolt.Tx) error {
			return tx.Bucket(bucketEntries).Put(append(key(4), 0), tx.Bucket(bucketEntries).Get(key(4)))
		}, 4, "entry 5 is missing"},
		{"added at the end, without the link", put(bucketEntries, 8, `{"seq":8,"at":"2026-01-01T00:00:00Z","what":"done","who":"supportd","prev":"`+genesis+`"}`), 7, "entry 8 does not follow entry 7"},
		{"neighbours swapped", func(tx *bolt.Tx) error { return swap(tx, bucketEntries, 4, 5) }, 3, "entry 4 is missing: entry 5 stands in its place"},
		{"far ones swapped", func(tx *bolt.Tx) error { return swap(tx, bucketEntries, 2, 6) }, 1, "entry 2 is missing"},
		{"detail removed", func(tx *bolt.Tx) error { return tx.Bucket(bucketDetails).Delete(key(4)) }, 3, "the detail of entry 4 was removed"},
		{"detail cut", put(bucketDetails, 4, string(label(2, 4))+"short"), 3, "the detail of entry 4 cannot be opened"},
		{"detail of nobody", put(bucketDetails, 4, "garbage"), 3, "the detail of entry 4 cannot be opened"},
		{"detail changed", func(tx *bolt.Tx) error {
			v := bytes.Clone(tx.Bucket(bucketDetails).Get(key(4)))
			v[len(v)-2] ^= 1
			return tx.Bucket(bucketDetails).Put(key(4), v)
		}, 3, "the detail of entry 4 is not the one"},
		{"details swapped within a Case", func(tx *bolt.Tx) error { return swap(tx, bucketDetails, 1, 5) }, 0, "the detail of entry 1 cannot be opened"},
		{"a detail where none was", func(tx *bolt.Tx) error {
			sealed, err := seal(1, 3, append(make([]byte, 32), `{"value":"he agreed"}`...))
			return errors.Join(err, tx.Bucket(bucketDetails).Put(key(3), sealed))
		}, 2, "entry 3 has a detail that was never committed"},
		{"a detail of no entry", put(bucketDetails, 70, "x"), 7, "a detail stands under number 70, where there is no entry"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLog(t)
			heads := l.write(7)
			l.update(test.do)
			f := l.verify("")
			if f.Entries != test.holds || !strings.Contains(f.Broken, test.says) {
				t.Fatalf("%d links hold, broken: %q; want %d, %q", f.Entries, f.Broken, test.holds, test.says)
			}
			if f := l.verify(heads[6]); f.Known && f.Broken == "" {
				t.Error("the head that was noted hides it")
			}
		})
	}
}

// TestTamperingAtTheEnd: nothing stands behind the newest entries, so only a
// head that was noted outside tells that they were changed or cut off.
func TestTamperingAtTheEnd(t *testing.T) {
	tests := map[string]func(*bolt.Tx) error{
		"changed": func(tx *bolt.Tx) error { return edit(tx, 7, func(e *Entry) { e.Who = "supportd" }) },
		"cut off": func(tx *bolt.Tx) error {
			return errors.Join(tx.Bucket(bucketEntries).Delete(key(7)), tx.Bucket(bucketDetails).Delete(key(7)))
		},
		"cut off and written anew": func(tx *bolt.Tx) error {
			if err := errors.Join(tx.Bucket(bucketEntries).Delete(key(7)), tx.Bucket(bucketDetails).Delete(key(7))); err != nil {
				return err
			}
			_, err := NewWriter(tx).Append(Entry{What: "no", Who: "the person"}, nil, seal)
			return err
		},
		"everything cut off": func(tx *bolt.Tx) error {
			return errors.Join(tx.DeleteBucket(bucketEntries), tx.DeleteBucket(bucketDetails), Create(tx))
		},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			l := newLog(t)
			heads := l.write(7)
			l.update(tests[name])
			if f := l.verify(heads[6]); f.Known {
				t.Errorf("the noted head still stands: %+v", f)
			}
		})
	}
}

// TestChangedWhileVerified: what was looked at must still be there when it goes
// on.
func TestChangedWhileVerified(t *testing.T) {
	l := newLog(t)
	l.write(4)
	c := NewCheck("")
	l.view(func(tx *bolt.Tx) error { _, err := c.Step(tx, 2, l.unseal); return err })
	l.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketEntries).Put(key(2), []byte(`{"seq":2}`)) })
	l.view(func(tx *bolt.Tx) error {
		if done, err := c.Step(tx, 2, l.unseal); err != nil || !done || c.Found.Broken != "entry 2 was changed while the chain was verified" {
			t.Errorf("%+v, %v, %v", c.Found, done, err)
		}
		return nil
	})
}

// TestAppendAfterTampering: an entry that follows a changed one does not hide
// the change from somebody who noted the head.
func TestAppendAfterTampering(t *testing.T) {
	l := newLog(t)
	heads := l.write(3)
	l.update(func(tx *bolt.Tx) error { return edit(tx, 3, func(e *Entry) { e.What = "no" }) })
	l.update(func(tx *bolt.Tx) error { _, err := NewWriter(tx).Append(Entry{What: "done"}, nil, seal); return err })
	if f := l.verify(heads[2]); f.Known {
		t.Errorf("%+v", f)
	}
	if f := l.verify(heads[1]); !f.Known {
		t.Errorf("what was before the change is lost: %+v", f)
	}
}

// TestAppendFails: an entry that cannot be sealed or written is not there.
func TestAppendFails(t *testing.T) {
	l := newLog(t)
	l.write(1)
	bad := errors.New("no key")
	err := l.db.Update(func(tx *bolt.Tx) error {
		_, err := NewWriter(tx).Append(Entry{What: "yes"}, "x", func(inbox.MailID, uint64, []byte) ([]byte, error) { return nil, bad })
		return err
	})
	if !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
	if err := l.db.Update(func(tx *bolt.Tx) error { _, err := NewWriter(tx).Append(Entry{}, func() {}, seal); return err }); err == nil {
		t.Error("a detail that is no data was written")
	}
	if f := l.verify(""); f.Entries != 1 || f.Broken != "" {
		t.Errorf("%+v", f)
	}
	if err := l.db.View(func(tx *bolt.Tx) error { _, err := NewWriter(tx).Append(Entry{}, nil, seal); return err }); err == nil {
		t.Error("a read transaction took an entry")
	}
}

// TestUnreadableHead: an entry that cannot be read takes no successor.
func TestUnreadableHead(t *testing.T) {
	l := newLog(t)
	l.write(2)
	l.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketEntries).Put(key(2), []byte("{")) })
	for name, f := range map[string]func(*bolt.Tx) error{
		"append": func(tx *bolt.Tx) error { _, err := NewWriter(tx).Append(Entry{}, nil, seal); return err },
		"head":   func(tx *bolt.Tx) error { _, _, err := Head(tx); return err },
		"each": func(tx *bolt.Tx) error {
			return Each(tx, 1, l.unseal, func(Entry, []byte) error { return nil })
		},
	} {
		if err := l.db.Update(f); err == nil || !strings.Contains(err.Error(), "journal entry 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
