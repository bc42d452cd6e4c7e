package health

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Pulse knows which loops are alive. Its methods may be called by several
// goroutines.
type Pulse struct {
	mu    sync.Mutex
	due   map[string]time.Time // by loop: when it must have called again
	alone string               // the loop that the others wait for; "": none
}

// NewPulse gives a Pulse that knows of no loop.
func NewPulse() *Pulse { return &Pulse{due: make(map[string]time.Time)} }

// Beat notes that a loop is alive and will call again within a time. With 0 it
// has ended, or waits for work without a limit: nobody waits for it.
func (p *Pulse) Beat(loop string, within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if within <= 0 {
		delete(p.due, loop)
		return
	}
	p.due[loop] = time.Now().Add(within)
}

// Alone runs f for a loop, which takes no longer than within and for which the
// others may have to wait: until it has ended none of them hangs, and then each
// has as much time again as it had. One Alone runs at a time.
func (p *Pulse) Alone(loop string, within time.Duration, f func()) {
	p.mu.Lock()
	began := time.Now()
	p.alone, p.due[loop] = loop, began.Add(within)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.alone = ""
		delete(p.due, loop)
		for other, due := range p.due {
			p.due[other] = due.Add(time.Since(began))
		}
	}()
	f()
}

// Late lists the loops that should have called again, one sentence each, in the
// order of their names.
func (p *Pulse) Late() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for loop, due := range p.due {
		if p.alone != "" && loop != p.alone {
			continue
		}
		if late := time.Since(due); late > 0 {
			out = append(out, fmt.Sprintf("%s: hangs; it should have gone on %v ago", loop, late.Round(time.Second)))
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
