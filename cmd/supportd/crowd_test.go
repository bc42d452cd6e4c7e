package main_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

const support = "support@site.test"

// wish is what somebody of the crowd asks for, and the letters that must come
// of it.
type wish struct {
	kind    inbox.Kind
	text    string
	aligned bool
	letters []string // by name, in order
	yes     int      // so many of them, from the first, are answered with a yes
}

// wishes go round: the n-th person has the n-th of them.
var wishes = []wish{
	{inbox.KindChange, `Please add to my "about me": I also teach pottery.`, true, []string{"confirm", "result"}, 1},
	{inbox.KindDelete, "Please remove my phone number from my profile.", true, []string{"confirm", "result"}, 1},
	{inbox.KindChange, "Please change my city to Astana.", false, []string{"claim", "confirm", "result"}, 2},
	{inbox.KindCopy, "Could you please send me a copy of all personal data you hold about me?", true, []string{"result"}, 0},
	{inbox.KindDelete, "Please delete my account.", true, []string{"confirm", "scheduled", "result"}, 1},
}

func wishOf(n int) wish { return wishes[n%len(wishes)] }

// crowd is many people who write to the site, each once, and answer what they
// must. As somebody comes to the end of their wish, the next one writes.
type crowd struct {
	world *mailtest.World

	mu       sync.Mutex
	joining  bool                // whether the next one writes
	written  int                 // people who have written
	mails    []string            // Message-IDs of what people wrote
	got      map[string][]string // Message-IDs of the letters of an address, each once
	copies   map[string][]copied // of a letter, by Message-ID
	run      int                 // how often the daemon was started
	finished map[int]bool
	moved    chan struct{} // closed, and made anew, at each thing that happens
	moves    int
}

// copied is one coming of a letter.
type copied struct {
	run   int // the run of the daemon that it came in
	bytes string
}

func newCrowd(w *mailtest.World) *crowd {
	c := &crowd{world: w, joining: true, got: make(map[string][]string), copies: make(map[string][]copied),
		finished: make(map[int]bool), moved: make(chan struct{})}
	w.OnSent(c.letter)
	w.OnFinalDot(func(mailtest.Delivery) { c.move() })
	w.OnAcknowledge(func(string, string, []uint32) { c.move() })
	return c
}

// people gives the crowd as JSON lines for an import.
func people(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"u-%d","email":%q,"full_name":"Person %d","phone":"+7701%07d","location":"Almaty","about":"Hello.","active":true}`+"\n",
			i, addressOf(i), i, i)
	}
	return b.String()
}

func addressOf(n int) string { return fmt.Sprintf("p%d@users.test", n) }

func (c *crowd) move() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moves++
	close(c.moved)
	c.moved = make(chan struct{})
}

// join lets n more people write.
func (c *crowd) join(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.joinLocked()
	}
}

func (c *crowd) joinLocked() {
	w := wishOf(c.written)
	c.note(c.world.Send(addressOf(c.written), support, "My data", w.text, mailtest.Aligned(w.aligned)))
	c.written++
}

// note keeps the Message-ID of what somebody wrote.
func (c *crowd) note(raw []byte) {
	c.mails = append(c.mails, mailtest.Delivery{Bytes: raw}.MessageID())
}

// letter takes what the site sent. A letter that came before is on record and
// is not answered again.
func (c *crowd) letter(d mailtest.Delivery) {
	defer c.move()
	c.mu.Lock()
	defer c.mu.Unlock()
	id := d.MessageID()
	c.copies[id] = append(c.copies[id], copied{c.run, string(d.Bytes)})
	if len(c.copies[id]) > 1 {
		return
	}
	c.got[d.To] = append(c.got[d.To], id)
	var n int
	if _, err := fmt.Sscanf(d.To, "p%d@users.test", &n); err != nil || n >= c.written {
		return // not one of us: the letters are counted at the end
	}
	w, at := wishOf(n), len(c.got[d.To])
	if at <= w.yes {
		c.note(c.world.Reply(d, d.To, "Yes", mailtest.Aligned(w.aligned)))
	}
	if at == len(w.letters) {
		c.finished[n] = true
		if c.joining {
			c.joinLocked()
		}
	}
}

// begins notes that the daemon is started once more.
func (c *crowd) begins() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run++
}

// last lets nobody join any more.
func (c *crowd) last() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joining = false
}

// done counts the people who have got every letter, of those who have the
// n-th wish; all of them when n is negative.
func (c *crowd) done(n int) (done int) {
	for p := range c.finished {
		if n < 0 || p%len(wishes) == n {
			done++
		}
	}
	return done
}

// until waits until ok, which is called with the crowd at rest.
func (c *crowd) until(ctx context.Context, ok func() bool) error {
	for {
		c.mu.Lock()
		met, moved := ok(), c.moved
		c.mu.Unlock()
		if met {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("the crowd waits in vain: %d of %d are done: %w", len(c.finished), c.written, ctx.Err())
		}
	}
}

// patience bounds every wait of these tests.
const patience = time.Minute
