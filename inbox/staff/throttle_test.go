package staff

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// guess tries a wrong password, and gives how long to wait; 0: it was looked
// at.
func (o *office) guess(name, from string) time.Duration {
	o.Helper()
	_, err := o.signIn(name, "wrong horse battery", from)
	var wait *ThrottledError
	switch {
	case errors.As(err, &wait):
		return wait.Wait
	case !errors.Is(err, ErrSignIn):
		o.Fatal(err)
	}
	return 0
}

// TestOnePlaceOneAccount: five guesses are free, then each costs twice the wait
// of the one before, up to an hour. It is the same for a name that nobody has.
func TestOnePlaceOneAccount(t *testing.T) {
	for _, name := range []string{"ann", "nobody"} {
		synctest.Test(t, func(t *testing.T) {
			o := open(t)
			o.hire("ann", RoleViewer)
			for range 5 {
				if wait := o.guess(name, away); wait != 0 {
					t.Fatalf("%s: a free guess waits %v", name, wait)
				}
			}
			for i := range 10 {
				o.guess(name, away)
				want := min(30*time.Second<<i, time.Hour)
				if wait := o.guess(name, away); wait != want {
					t.Fatalf("%s: after %d guesses: %v, want %v", name, 6+i, wait, want)
				}
				hashes := o.hashes.Load()
				if _, err := o.signIn(name, right, away); err == nil {
					t.Fatal("who must wait gets in with the right password")
				}
				if o.hashes.Load() != hashes {
					t.Error("who must wait costs a hash")
				}
				time.Sleep(want)
			}
			time.Sleep(2 * time.Hour)
			for range 5 {
				if wait := o.guess(name, away); wait != 0 {
					t.Fatalf("%s: hours later a free guess waits %v", name, wait)
				}
			}
		})
	}
}

// TestDisabledIsThrottled: the right password of a disabled account is one more
// that is wrong.
func TestDisabledIsThrottled(t *testing.T) {
	o := open(t)
	o.hire("boss", RoleAdmin)
	o.hire("gone", RoleViewer)
	o.must(o.Disable(t.Context(), "boss", "gone"))
	for range 6 {
		if _, err := o.signIn("gone", right, away); !errors.Is(err, ErrSignIn) {
			t.Fatal(err)
		}
	}
	if wait := o.guess("gone", away); wait == 0 {
		t.Error("nobody counts them")
	}
}

// TestOwnSlips: who gets it right has a clean slate.
func TestOwnSlips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		o.hire("ann", RoleViewer)
		for range 20 {
			for range 4 {
				if wait := o.guess("ann", home); wait != 0 {
					t.Fatalf("she waits %v", wait)
				}
			}
			o.in("ann", home)
			time.Sleep(8 * time.Hour)
		}
	})
}

// TestOnePlaceManyAccounts: guesses at everybody from one place stop soon, and
// an account of one's own does not help.
func TestOnePlaceManyAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		o.hire("mallory", RoleViewer)
		looked := 0
		for i := range 100 {
			if o.guess(fmt.Sprintf("name%d", i), away) == 0 {
				looked++
			}
			o.signIn("mallory", right, away)
		}
		if looked > 21 {
			t.Errorf("%d guesses were looked at", looked)
		}
		// an IPv6 subscriber is one place, whatever the second half of the address
		looked = 0
		for i := range 100 {
			if o.guess(fmt.Sprintf("other%d", i), fmt.Sprintf("[2001:db8:1:2:%x::1]:443", i)) == 0 {
				looked++
			}
		}
		if looked > 21 {
			t.Errorf("%d guesses of one subscriber were looked at", looked)
		}
		if wait := o.guess("x", "[2001:db8:1:3::1]:443"); wait != 0 {
			t.Errorf("the neighbour waits %v", wait)
		}
	})
}

// TestManyPlacesOneAccount: a guesser with many addresses is slowed down, and
// the owner is not kept out: not at all where they come from as always, and for
// seconds elsewhere.
func TestManyPlacesOneAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		o.hire("ann", RoleViewer) // at home
		began, looked := time.Now(), 0
		for i := range 5000 {
			if o.guess("ann", fmt.Sprintf("10.%d.%d.1", i/250, i%250)) == 0 {
				looked++
			}
			time.Sleep(time.Second)
			if i%500 == 499 {
				o.in("ann", home)
			}
		}
		if most := int(time.Since(began)/(15*time.Second)) + 20; looked > most {
			t.Errorf("%d guesses in %v, want %d at most", looked, time.Since(began), most)
		}
		var wait *ThrottledError
		_, err := o.signIn("ann", right, away)
		if errors.As(err, &wait) {
			if wait.Wait > 15*time.Second {
				t.Errorf("the owner waits %v elsewhere", wait.Wait)
			}
			time.Sleep(wait.Wait)
			_, err = o.signIn("ann", right, away)
		}
		o.must(err)
	})
}

// TestGuessesBesideTheOwner: guesses at other accounts from the network that
// somebody always comes from do not keep them out, and their slips there do not
// hinder others.
func TestGuessesBesideTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		o.hire("ann", RoleViewer) // at home
		for i := range 200 {
			o.guess(fmt.Sprint("name", i), home)
		}
		if o.guess("bob", home) == 0 {
			t.Error("guesses at many accounts are not slowed down")
		}
		o.in("ann", home)
		for range 30 {
			o.guess("ann", home)
		}
		if o.guess("ann", home) == 0 {
			t.Error("guesses at her from her own network are not slowed down")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		o.hire("ann", RoleViewer)
		for range 30 {
			o.guess("ann", home)
			time.Sleep(time.Hour)
		}
		if wait := o.guess("bob", home); wait != 0 {
			t.Errorf("her slips make another wait %v", wait)
		}
	})
}

// TestGuessesAtOnce are no more than guesses one after the other.
func TestGuessesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		o.hire("ann", RoleViewer)
		o.Staff.hashes.stretch = func(_, _ []byte, _, _ uint32, _ uint8, n uint32) []byte {
			o.hashes.Add(1)
			time.Sleep(time.Second)
			return make([]byte, n)
		}
		before := o.hashes.Load()
		var all sync.WaitGroup
		var waits atomic.Int32
		for range 50 {
			all.Go(func() {
				if o.guess("ann", away) > 0 {
					waits.Add(1)
				}
			})
		}
		all.Wait()
		if n := o.hashes.Load() - before; n != 6 || waits.Load() != 44 {
			t.Errorf("%d of 50 guesses at once were looked at, %d wait", n, waits.Load())
		}
	})
}

// TestThrottleIsBounded: a flood of places fills no memory, and does not wash
// off who waits.
func TestThrottleIsBounded(t *testing.T) {
	th := newThrottle(100)
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	bad := newTry("ann", "192.0.2.66", false)
	for range 6 {
		th.admit(now, bad)
	}
	for i := range 10_000 {
		now = now.Add(time.Millisecond)
		th.admit(now, newTry(fmt.Sprint("name", i), fmt.Sprint("place", i), false))
		if len(th.seen) > 100 {
			t.Fatalf("%d are remembered", len(th.seen))
		}
	}
	if th.admit(now, bad) == 0 {
		t.Error("a flood washed the failures of another off")
	}
	now = now.Add(2 * forgetAfter)
	th.admit(now, newTry("bob", "192.0.2.77", false))
	if len(th.seen) != 3 {
		t.Errorf("hours later %d are remembered", len(th.seen))
	}
}

// TestRefusalsInTheJournal: hours of guessing are an entry an hour, and tell no
// name that nobody has.
func TestRefusalsInTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t)
		o.hire("ann", RoleViewer)
		begin := len(o.log())
		for i := range 600 {
			time.Sleep(30 * time.Second)
			o.guess("ann", fmt.Sprintf("10.0.%d.1", i))
			o.guess("my secret password", fmt.Sprintf("10.1.%d.1", i))
		}
		o.in("ann", home) // with what was not told yet
		log := o.log()[begin:]
		if len(log) != 7 { // the first at once, five hours, the last with the sign-in
			t.Errorf("%d entries:\n%s", len(log), strings.Join(log, "\n"))
		}
		sum := map[string]int{}
		for _, line := range log {
			if strings.Contains(line, "secret") {
				t.Error(line)
			}
			var ann, unknown int
			if n, _ := fmt.Sscanf(line, `supportd: sign-ins refused {"accounts":{"ann":%d},"unknown":%d}`, &ann, &unknown); n > 0 {
				sum["ann"], sum["unknown"] = sum["ann"]+ann, sum["unknown"]+unknown
			}
		}
		if sum["ann"] != 600 || sum["unknown"] != 599 && sum["unknown"] != 600 {
			t.Errorf("they tell of %v:\n%s", sum, strings.Join(log, "\n"))
		}
	})
}

func TestNetwork(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "192.0.2.1:80": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"": "", "@": "@",
	} {
		if got := network(from); got != want {
			t.Errorf("%q is %q, want %q", from, got, want)
		}
	}
}
