package staff

import (
	"maps"
	"sync"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// tellEvery is how often at most the journal is told of refused sign-ins: a
// guesser must not fill it.
const tellEvery = time.Hour

// refusals counts the sign-ins that were refused, by account, until the journal
// is told. It goes by time alone: whether an entry is written says nothing about
// the name that was tried.
type refusals struct {
	mu     sync.Mutex
	told   time.Time
	counts map[string]int // by the name of an account; "": names that nobody has
}

func newRefusals() *refusals { return &refusals{counts: make(map[string]int)} }

func (r *refusals) count(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[name]++
}

// due tells whether it is time to tell the journal.
func (r *refusals) due(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.counts) > 0 && now.Sub(r.told) >= tellEvery
}

// tell writes what was counted, if it is time, or always; the latter from a
// sign-in, which writes anyway.
func (r *refusals) tell(tx *state.Tx, always bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.counts) == 0 || !always && tx.Now.Sub(r.told) < tellEvery {
		return nil
	}
	detail := map[string]any{}
	known := maps.Clone(r.counts)
	if n := known[""]; n > 0 {
		detail["unknown"] = n
		delete(known, "")
	}
	if len(known) > 0 {
		detail["accounts"] = known
	}
	if err := tx.Journal("sign-ins refused", inbox.WhoProgram, 0, 0, detail); err != nil {
		return err
	}
	r.told = tx.Now
	clear(r.counts)
	return nil
}
