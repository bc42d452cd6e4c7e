package health

import (
	"maps"
	"slices"
	"sync"
)

// Counters count what came to its end since the program began. Its methods may
// be called by several goroutines.
type Counters struct {
	mu sync.Mutex
	n  map[string]map[string]uint64
}

// The names of what is counted.
const (
	countMails   = "mails"
	countReplies = "replies"
	countEffects = "effects"
)

// NewCounters gives counters that stand at zero.
func NewCounters() *Counters { return &Counters{n: make(map[string]map[string]uint64)} }

// Mail counts a mail that came to an end state.
func (c *Counters) Mail(state string) { c.add(countMails, state) }

// Reply counts a letter that was sent, failed, or became void.
func (c *Counters) Reply(state string) { c.add(countReplies, state) }

// Effect counts a request of a kind that was carried out in the user store.
func (c *Counters) Effect(kind string) { c.add(countEffects, kind) }

func (c *Counters) add(what, label string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[what] == nil {
		c.n[what] = make(map[string]uint64)
	}
	c.n[what][label]++
}

// of gives the counts of a name, those of labels that did not occur as zero.
func (c *Counters) of(what string, labels []string) (names []string, counts []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := maps.Clone(c.n[what])
	if all == nil {
		all = make(map[string]uint64)
	}
	for _, l := range labels {
		all[l] += 0
	}
	names = slices.Sorted(maps.Keys(all))
	for _, l := range names {
		counts = append(counts, all[l])
	}
	return names, counts
}
