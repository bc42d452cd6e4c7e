package boltusers

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/userstest"
	"push.guru/supportd/inbox"
)

func openTest(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, path
}

func TestConformance(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	related := visit(Event{At: at, IP: "192.0.2.7", Agent: "Firefox", Page: "/shop", Cookie: "sid=1"})
	userstest.Run(t, func(t *testing.T) userstest.Fixture {
		s, _ := openTest(t)
		return userstest.Fixture{Store: s, Map: datamap.Embedded(), Related: &related,
			Seed: func(p users.Person, records ...users.Record) error {
				in := Import{ID: p.ID, Active: &p.Active, Withdrawn: &p.Withdrawn, Fields: p.Fields}
				for range records {
					in.Events = append(in.Events, Event{At: at, IP: "192.0.2.7", Agent: "Firefox", Page: "/shop", Cookie: "sid=1"})
				}
				return s.Put(context.Background(), in)
			}}
	})
}

// TestSchema compares the file with what the package comment draws.
func TestSchema(t *testing.T) {
	s, _ := openTest(t)
	var got []string
	s.view(t.Context(), func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			got = append(got, string(name))
			return nil
		})
	})
	want := []string{"addresses", "effects", "meta", "people", "visits"}
	if !slices.Equal(got, want) {
		t.Errorf("the file has %v, the package comment %v", got, want)
	}
	source, err := os.ReadFile("boltusers.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range want {
		if !bytes.Contains(source, []byte("//	"+b+"/")) {
			t.Errorf("the package comment does not draw %s/", b)
		}
	}
}

func TestReopen(t *testing.T) {
	s, path := openTest(t)
	if err := s.Put(t.Context(), Import{ID: "1", Fields: map[inbox.Field]string{inbox.FieldEmail: "a@users.test"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !inbox.IsTemporary(err) || !strings.Contains(err.Error(), "daemon") {
		t.Errorf("opening a store that is open: %v, want a temporary error with a hint", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "1"); !inbox.IsTemporary(err) {
		t.Errorf("reading a closed store: %v, want a temporary error", err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n, err := s.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("%d people after reopening (%v), want 1", n, err)
	}
}

// TestLostFile: nothing that is not this store is taken for an empty one.
func TestLostFile(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(path string) error
		want  string
	}{
		{"gone", os.Remove, "the file is gone"},
		{"empty", func(p string) error { return os.Truncate(p, 0) }, "the file is empty"},
		{"cut short", func(p string) error { return os.Truncate(p, 5000) }, ""},
		{"damaged pages", func(p string) error {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			for i := 2 * os.Getpagesize(); i < len(b); i++ {
				b[i] = 0xff // all but the two meta pages
			}
			return os.WriteFile(p, b, 0o600)
		}, "damaged"},
		{"no database", func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("x"), 1<<16), 0o600) }, "invalid"},
		{"another store", func(p string) error {
			other := filepath.Join(filepath.Dir(p), "other.db")
			s, err := Open(other)
			if err != nil {
				return err
			}
			s.Close()
			return os.Rename(other, p)
		}, "another store"},
		{"another program's", func(p string) error {
			os.Remove(p)
			os.Remove(markPath(p))
			db, err := bolt.Open(p, 0o600, nil)
			if err != nil {
				return err
			}
			defer db.Close()
			return db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("state")); return err })
		}, "no user store"},
		{"newer", func(p string) error {
			db, err := bolt.Open(p, 0o600, nil)
			if err != nil {
				return err
			}
			defer db.Close()
			return db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyVersion, []byte("2")) })
		}, `version "2"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, path := openTest(t)
			s.Close()
			if err := c.spoil(path); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if inbox.IsTemporary(err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want a permanent one with %q", err, c.want)
			}
		})
	}
}

// TestInterruptedCreation: a crash between the file and its mark is mended.
func TestInterruptedCreation(t *testing.T) {
	s, path := openTest(t)
	s.Close()
	if err := os.Remove(markPath(path)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if m, err := readMark(path); err != nil || len(m) != 32 {
		t.Errorf("the mark is %q (%v)", m, err)
	}
}

// TestEffectsHoldNothingPersonal reads the records of effects as they lie in
// the file.
func TestEffectsHoldNothingPersonal(t *testing.T) {
	s, _ := openTest(t)
	secret := map[inbox.Field]string{inbox.FieldEmail: "zarina@users.test", inbox.FieldPhone: "+77015554433", inbox.FieldAbout: "Zebra"}
	if err := s.Put(t.Context(), Import{ID: "p-9", Fields: secret}); err != nil {
		t.Fatal(err)
	}
	m := datamap.Embedded()
	for i, r := range []inbox.Request{
		{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpAdd, Value: "+77016667788"}}},
		{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldAbout}},
		{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount},
	} {
		p, err := s.Get(t.Context(), "p-9")
		if err != nil {
			t.Fatal(err)
		}
		plan, err := m.Plan(p, r, false)
		if err != nil {
			t.Fatal(err)
		}
		e := users.Effect{Key: "k-" + string(rune('1'+i)), Kind: r.Kind, Digest: plan.Digest("p-9", r.Kind), Person: "p-9", Plan: plan, Address: p.Address()}
		if _, err := s.Apply(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	s.view(t.Context(), func(tx *bolt.Tx) error {
		return tx.Bucket(bucketEffects).ForEach(func(k, v []byte) error {
			n++
			for _, personal := range []string{"zarina", "7701", "Zebra", "p-9"} {
				if bytes.Contains(v, []byte(personal)) {
					t.Errorf("the record of %s holds %q: %s", k, personal, v)
				}
			}
			return nil
		})
	})
	if n != 3 {
		t.Errorf("%d effects are recorded, want 3", n)
	}
}

// TestCompact: what was deleted is in the file before, and not after.
func TestCompact(t *testing.T) {
	s, path := openTest(t)
	if err := s.Put(t.Context(), Import{ID: "1", Fields: map[inbox.Field]string{inbox.FieldEmail: "a@users.test", inbox.FieldAbout: "quagga-4711"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), Import{ID: "2", Fields: map[inbox.Field]string{inbox.FieldEmail: "b@users.test"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), Import{ID: "1", Fields: map[inbox.Field]string{inbox.FieldAbout: ""}}); err != nil {
		t.Fatal(err)
	}
	if err := Compact(path); !inbox.IsTemporary(err) {
		t.Errorf("compacting an open store: %v, want a temporary error", err)
	}
	s.Close()
	residue := func() bool {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(b, []byte("quagga-4711"))
	}
	if !residue() {
		t.Fatal("the deleted value is not in the file: this test shows nothing")
	}
	if err := Compact(path); err != nil {
		t.Fatal(err)
	}
	if residue() {
		t.Error("the deleted value is still in the file")
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if found, err := s.ByAddress(t.Context(), "b@users.test"); err != nil || len(found) != 1 {
		t.Errorf("%d people under an address after compacting (%v)", len(found), err)
	}
}

// TestManyVisits reads more than one page.
func TestManyVisits(t *testing.T) {
	s, _ := openTest(t)
	for _, n := range []int{page - 1, page, page + 1, 3 * page} {
		events := make([]Event, n)
		for i := range events {
			events[i] = Event{At: time.Unix(int64(i+1), 0).UTC()}
		}
		if err := s.Put(t.Context(), Import{ID: "1", Events: events}); err != nil {
			t.Fatal(err)
		}
		got := 0
		for r, err := range s.Records(t.Context(), users.Person{ID: "1"}) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Place != datamap.PlaceVisits {
				continue
			}
			if want := time.Unix(int64(got+1), 0).UTC().Format(time.RFC3339); r.Values[0] != want {
				t.Fatalf("visit %d is of %s, want %s", got, r.Values[0], want)
			}
			got++
		}
		if got != n {
			t.Errorf("%d visits came out, %d were put in", got, n)
		}
	}
}

// TestStrangePlan: a plan from another map is refused as a whole.
func TestStrangePlan(t *testing.T) {
	s, _ := openTest(t)
	if err := s.Put(t.Context(), Import{ID: "1", Fields: map[inbox.Field]string{inbox.FieldPhone: "1"}}); err != nil {
		t.Fatal(err)
	}
	for _, strange := range []inbox.Step{
		{Place: "orders", Op: inbox.StepRemove},
		{Place: datamap.PlaceVisits, Op: inbox.StepClear, Field: datamap.ColumnIP},
		{Place: datamap.PlaceProfile, Op: inbox.StepSend},
	} {
		plan := inbox.Plan{Steps: []inbox.Step{{Place: datamap.PlaceProfile, Field: inbox.FieldPhone, Op: inbox.StepClear}, strange}}
		e := users.Effect{Key: "k-1", Kind: inbox.KindDelete, Digest: plan.Digest("1", inbox.KindDelete), Person: "1", Plan: plan}
		if _, err := s.Apply(t.Context(), e); err == nil || inbox.IsTemporary(err) {
			t.Errorf("%s %s: %v, want a permanent error", strange.Op, strange.Place, err)
		}
	}
	if p, err := s.Get(t.Context(), "1"); err != nil || p.Fields[inbox.FieldPhone] != "1" {
		t.Errorf("half of a plan was carried out (%v)", err)
	}
}
