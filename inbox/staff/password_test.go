package staff

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
)

func TestPasswords(t *testing.T) {
	b, err := os.ReadFile("testdata/passwords.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		want, quoted, _ := strings.Cut(line, " ")
		password, err := strconv.Unquote(strings.TrimSpace(quoted))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		cases++
		got := "ok"
		if _, err = acceptable(password, "aigul", "Push.Guru"); err != nil {
			var fault PasswordFault
			if !errors.As(err, &fault) || fault.Error() == "" {
				t.Fatalf("%s: %v is no fault", quoted, err)
			}
			got = string(fault)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", quoted, got, want)
		}
	}
	if cases < 30 {
		t.Errorf("only %d cases", cases)
	}
}

func TestLongestPassword(t *testing.T) {
	phrase := strings.Repeat("correct horse, ", MaxPassword/15+1)
	if _, err := acceptable(phrase[:MaxPassword]); err != nil {
		t.Errorf("%d bytes: %v", MaxPassword, err)
	}
	if _, err := acceptable(phrase[:MaxPassword+1]); !errors.Is(err, PasswordLong) {
		t.Errorf("%d bytes: %v", MaxPassword+1, err)
	}
}

// TestSamePassword: the same keys on another machine make other bytes.
func TestSamePassword(t *testing.T) {
	for _, pair := range [][2]string{
		{"caf\u00e9 am Markt", "cafe\u0301 am Markt"},
		{"\u0439ог и ёж вместе", "\u0438\u0306ог и \u0435\u0308ж вместе"},
		{"a b c d e f g h", "a\u00a0b c\u2003d e f g h"},
	} {
		one, err1 := prepared(pair[0])
		two, err2 := prepared(pair[1])
		if err1 != nil || err2 != nil || one != two {
			t.Errorf("%q and %q are %q and %q, %v, %v", pair[0], pair[1], one, two, err1, err2)
		}
	}
	if one, _ := prepared("Correct Horse"); one != "Correct Horse" {
		t.Errorf("it became %q", one)
	}
}

// cheap is a cost for tests of what is about a hash.
var cheap = Cost{Memory: 64, Time: 1, Threads: 1}

func TestHash(t *testing.T) {
	ctx := t.Context()
	h := newHasher(cheap)
	one, err1 := h.make(ctx, "correct horse")
	two, err2 := h.make(ctx, "correct horse")
	if err := errors.Join(err1, err2); err != nil || one == two || !strings.HasPrefix(one, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("%s, %s, %v", one, two, err)
	}
	dearer := newHasher(Cost{Memory: 128, Time: 2, Threads: 2})
	for _, test := range []struct {
		name             string
		h                *hasher
		stored, password string
		ok, old          bool
	}{
		{"the right one", h, one, "correct horse", true, false},
		{"a wrong one", h, one, "correct horsE", false, false},
		{"none", h, one, "", false, false},
		{"nobody's", h, "", "", false, false},
		{"parameters of before", dearer, one, "correct horse", true, true},
	} {
		ok, old, err := test.h.matches(ctx, test.stored, test.password)
		if ok != test.ok || old != test.old || err != nil {
			t.Errorf("%s: %t, %t, %v", test.name, ok, old, err)
		}
	}
}

func TestDamagedHash(t *testing.T) {
	good, err := newHasher(cheap).make(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	for _, s := range []string{
		"x", "$", "$$$$$", good + "$", good[1:], good[:len(good)-40], change("argon2id", "argon2i"), change("v=19", "v=16"), change("m=64", "m=0"),
		change("m=64", "m=4294967295"), change("m=64", "n=64"), change("t=1", "t=0"), change("t=1", "t=101"), change("p=1", "p=0"), change("p=1", "p=256"),
		change("p=1", "p=1,x=1"), change(",p=1", ""), change("m=64,t=1,p=1", "m=,t=,p="), good + "=",
	} {
		if _, _, err := newHasher(cheap).matches(t.Context(), s, "x"); err == nil {
			t.Errorf("%q is taken for a hash", s)
		}
	}
}

// TestOneHashAtATime: many sign-ins at once take the memory of one; who gives
// up stands in nobody's way, and a crowd is sent away.
func TestOneHashAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(cheap)
		var now, most atomic.Int32
		h.stretch = func(_, _ []byte, _, _ uint32, _ uint8, n uint32) []byte {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return make([]byte, n)
		}
		began := time.Now()
		var all sync.WaitGroup
		var made, busy, gone atomic.Int32
		impatient, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		for i := range waiting + 11 {
			ctx := t.Context()
			if i < 10 {
				ctx = impatient
			}
			all.Go(func() {
				_, err := h.make(ctx, "x")
				switch {
				case err == nil:
					made.Add(1)
				case errors.Is(err, errBusy) && inbox.IsTemporary(err):
					busy.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					gone.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most.Load() != 1 {
			t.Errorf("%d hashes were made at once", most.Load())
		}
		if busy.Load() != 10 || made.Load()+gone.Load() != waiting+1 || made.Load() < waiting+1-10 {
			t.Errorf("%d made, %d sent away, %d gave up", made.Load(), busy.Load(), gone.Load())
		}
		if took := time.Since(began); took != time.Duration(made.Load())*time.Second {
			t.Errorf("%d hashes of a second took %v", made.Load(), took)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(DefaultCost())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.make(b.Context(), "correct horse battery"); err != nil {
			b.Fatal(err)
		}
	}
}
