package staff

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// limit is how failures slow further tries down: the first free ones do not;
// after each one more the wait doubles, from first to most.
type limit struct {
	free        int
	first, most time.Duration
}

// The limits. A try must fit all that apply to it.
//
// Who guesses at one account from one place soon waits an hour. Who guesses at
// many accounts from one place, too; there the first tries are more, because an
// office has one address. What comes from many places at one account slows all
// places down from which nobody has signed in to it, though never by more than
// seconds: the owner at an unknown place must get in between the guesses, and
// at a known one does not notice them at all. There only guesses at the same
// account from the same place count.
func limits() (pair, place, account limit) {
	return limit{5, 30 * time.Second, time.Hour}, limit{20, 30 * time.Second, time.Hour}, limit{10, time.Second, 15 * time.Second}
}

// forgetAfter is how long after its last failure, and the wait that came of
// it, a failure is remembered.
const forgetAfter = 2 * time.Hour

// throttleSize is how many pairs, places and accounts are remembered at once,
// about 100 bytes each. When there are more, those that hinder least are
// forgotten first.
const throttleSize = 10_000

// failures is what is remembered of one pair, place or account.
type failures struct {
	n     int
	last  time.Time
	until time.Time // no further try before
}

// throttle slows guessing down. It is kept in memory: a restart forgets it,
// which a guesser cannot bring about, and a flood of guesses writes nothing.
type throttle struct {
	mu   sync.Mutex
	size int
	seen map[[sha256.Size]byte]failures // by a hash: what was typed as a name may be a password
}

func newThrottle(size int) *throttle {
	return &throttle{size: size, seen: make(map[[sha256.Size]byte]failures)}
}

// try is one sign-in that is under way.
type try struct {
	pair, place, account [sha256.Size]byte
	known                bool // somebody has signed in to that account from there
}

func newTry(name, network string, known bool) try {
	return try{known: known,
		pair:    sha256.Sum256([]byte("pair\x00" + network + "\x00" + name)),
		place:   sha256.Sum256([]byte("place\x00" + network)),
		account: sha256.Sum256([]byte("account\x00" + name))}
}

// applies lists what a try counts against.
func (t try) applies() (keys [][sha256.Size]byte, by []limit) {
	pair, place, account := limits()
	if t.known {
		return [][sha256.Size]byte{t.pair}, []limit{pair}
	}
	return [][sha256.Size]byte{t.pair, t.place, t.account}, []limit{pair, place, account}
}

// admit lets a try go on, or tells how long to wait with the next. A try counts
// as failed from its beginning, so that many at once are no more than one after
// the other.
func (t *throttle) admit(now time.Time, a try) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys, by := a.applies()
	for _, k := range keys {
		wait = max(wait, t.seen[k].until.Sub(now))
	}
	if wait > 0 {
		return wait
	}
	for i, k := range keys {
		t.fail(now, k, by[i])
	}
	return 0
}

func (t *throttle) fail(now time.Time, key [sha256.Size]byte, by limit) {
	f, ok := t.seen[key]
	switch {
	case !ok && len(t.seen) >= t.size:
		t.makeRoom(now)
	case ok && f.over(now):
		f = failures{}
	}
	f.n, f.last = f.n+1, now
	if f.n > by.free {
		wait := by.first
		for i := by.free + 1; i < f.n && wait < by.most; i++ {
			wait *= 2
		}
		f.until = now.Add(min(wait, by.most))
	}
	t.seen[key] = f
}

func (f failures) over(now time.Time) bool {
	return now.Sub(f.last) >= forgetAfter && now.Sub(f.until) >= forgetAfter
}

// makeRoom forgets what is over, or else the one that hinders least.
func (t *throttle) makeRoom(now time.Time) {
	var least [sha256.Size]byte
	var its failures
	for k, f := range t.seen {
		if f.over(now) {
			delete(t.seen, k)
			continue
		}
		if its.n == 0 || f.less(its) {
			least, its = k, f
		}
	}
	if len(t.seen) >= t.size {
		delete(t.seen, least)
	}
}

// less tells whether f hinders less than g.
func (f failures) less(g failures) bool {
	if c := f.until.Compare(g.until); c != 0 {
		return c < 0
	}
	if f.n != g.n {
		return f.n < g.n
	}
	return f.last.Before(g.last)
}

// succeeded takes a try back that was none of a guesser. The place keeps its
// other failures: an account of one's own does not wash guesses at others off.
func (t *throttle) succeeded(a try) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.seen, a.pair)
	if a.known {
		return
	}
	delete(t.seen, a.account)
	if f, ok := t.seen[a.place]; ok {
		if f.n--; f.n <= 0 {
			delete(t.seen, a.place)
			return
		}
		f.until = time.Time{}
		t.seen[a.place] = f
	}
}

// network gives what of an address tells one guesser from another: an IPv4
// address, or the first half of an IPv6 address, which is one subscriber's.
// What is no address stands for itself.
func network(from string) string {
	ip, err := netip.ParseAddr(from)
	if err != nil {
		port, err := netip.ParseAddrPort(from)
		if err != nil {
			return from
		}
		ip = port.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if half, err := ip.Prefix(64); err == nil {
			return half.String()
		}
	}
	return ip.String()
}
