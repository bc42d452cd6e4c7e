// Package crowd is many people who write to a site, each once, and answer what
// they must; and the question at the end of every test that hurts the program
// on the way: has everybody got what they asked for, once? Only tests use it.
package crowd

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// Support is the address that the crowd writes to.
const Support = "support@site.test"

// Wish is what somebody of the crowd asks for, and the letters that must come
// of it.
type Wish struct {
	Kind    inbox.Kind
	Text    string
	Aligned bool     // whether the border vouches for who wrote it
	Letters []string // by name, in order
	Yes     int      // so many of them, from the first, are answered with a yes
	did     did
}

// did is what a wish does to the person in the user store.
type did int

const (
	nothing did = iota
	teaches
	hangsUp
	moves
	leaves
)

// The wishes, each of another kind.
var (
	ToTeach = Wish{inbox.KindChange, `Please add to my "about me": I also teach pottery.`, true, []string{"confirm", "result"}, 1, teaches}
	NoPhone = Wish{inbox.KindDelete, "Please remove my phone number from my profile.", true, []string{"confirm", "result"}, 1, hangsUp}
	ToMove  = Wish{inbox.KindChange, "Please change my city to Astana.", false, []string{"claim", "confirm", "result"}, 2, moves}
	ACopy   = Wish{inbox.KindCopy, "Could you please send me a copy of all personal data you hold about me?", true, []string{"result"}, 0, nothing}
	ToLeave = Wish{inbox.KindDelete, "Please delete my account.", true, []string{"confirm", "scheduled", "result"}, 1, leaves}
)

// Wishes gives all of them.
func Wishes() []Wish { return []Wish{ToTeach, NoPhone, ToMove, ACopy, ToLeave} }

// Crowd is the people. They wish in turn what Wishes says. The fields that
// grow are read where nobody writes or sends, or within the function that
// Until calls.
type Crowd struct {
	Wishes   []Wish // set before anybody writes; by default all
	Written  int    // people who have written
	Moves    int    // things that happened to the mail of anybody
	Run      int    // how often the program was started
	finished map[int]bool

	world   *mailtest.World
	mu      sync.Mutex
	joining bool                // whether the next one writes as somebody comes to their end
	mails   []string            // Message-IDs of what people wrote
	firsts  []string            // of these, the first of each person
	taken   map[string]bool     // of these, what somebody took away before it was read
	got     map[string][]string // Message-IDs of the letters of an address, each once
	copies  map[string][]Coming // of a letter, by Message-ID
	moved   chan struct{}       // closed, and made anew, at each thing that happens
}

// Coming is one arrival of a letter.
type Coming struct {
	Run   int // the run of the program that it came in
	bytes string
}

// New gives a crowd that lives in w and takes its hooks. With open set, the
// next one writes whenever somebody has come to the end of their wish.
func New(w *mailtest.World, open bool) *Crowd {
	c := &Crowd{Wishes: Wishes(), world: w, joining: open, got: make(map[string][]string), copies: make(map[string][]Coming),
		taken: make(map[string]bool), finished: make(map[int]bool), moved: make(chan struct{})}
	w.OnSent(c.letter)
	w.OnFinalDot(func(mailtest.Delivery) { c.move() })
	w.OnAcknowledge(func(string, string, []uint32) { c.move() })
	return c
}

// People gives the first n of a crowd as JSON lines for an import.
func People(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"u-%d","email":%q,"full_name":"Person %d","phone":"+7701%07d","location":"Almaty","about":"Hello.","active":true}`+"\n",
			i, Address(i), i, i)
	}
	return b.String()
}

// Address gives the address of the n-th person.
func Address(n int) string { return fmt.Sprintf("p%d@users.test", n) }

func (c *Crowd) wish(n int) Wish { return c.Wishes[n%len(c.Wishes)] }

func (c *Crowd) move() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Moves++
	close(c.moved)
	c.moved = make(chan struct{})
}

// Join lets n more people write.
func (c *Crowd) Join(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.joinLocked()
	}
}

func (c *Crowd) joinLocked() {
	w := c.wish(c.Written)
	c.note(c.world.Send(Address(c.Written), Support, "My data", w.Text, mailtest.Aligned(w.Aligned)))
	c.firsts = append(c.firsts, c.mails[len(c.mails)-1])
	c.Written++
}

// note keeps the Message-ID of what somebody wrote.
func (c *Crowd) note(raw []byte) {
	c.mails = append(c.mails, mailtest.Delivery{Bytes: raw}.MessageID())
}

// letter takes what the site sent. A letter that came before is on record and
// is not answered again.
func (c *Crowd) letter(d mailtest.Delivery) {
	defer c.move()
	c.mu.Lock()
	defer c.mu.Unlock()
	id := d.MessageID()
	c.copies[id] = append(c.copies[id], Coming{c.Run, string(d.Bytes)})
	if len(c.copies[id]) > 1 {
		return
	}
	c.got[d.To] = append(c.got[d.To], id)
	var n int
	if _, err := fmt.Sscanf(d.To, "p%d@users.test", &n); err != nil || n >= c.Written {
		return // not one of us: the letters are counted at the end
	}
	w, at := c.wish(n), len(c.got[d.To])
	if at <= w.Yes {
		c.note(c.world.Reply(d, d.To, "Yes", mailtest.Aligned(w.Aligned)))
	}
	if at == len(w.Letters) {
		c.finished[n] = true
		if c.joining {
			c.joinLocked()
		}
	}
}

// Begins notes that the program is started once more.
func (c *Crowd) Begins() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Run++
}

// Last lets nobody join any more by themselves.
func (c *Crowd) Last() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joining = false
}

// Taken notes that somebody took a mail of the crowd away before the program
// had read it: nothing can come of it, nor of its author's wish.
func (c *Crowd) Taken(raw []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken[mailtest.Delivery{Bytes: raw}.MessageID()] = true
}

// Done counts the people who have got every letter and whose wish fits; nil
// fits all. Within Until.
func (c *Crowd) Done(fits func(Wish) bool) (done int) {
	for p := range c.finished {
		if fits == nil || fits(c.wish(p)) {
			done++
		}
	}
	return done
}

// Leaves tells whether an address is that of somebody who wants to leave.
func (c *Crowd) Leaves(addr string) bool {
	var n int
	_, err := fmt.Sscanf(addr, "p%d@users.test", &n)
	return err == nil && c.wish(n).did == leaves
}

// Finished counts the people who have got every letter.
func (c *Crowd) Finished() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.finished)
}

// Until waits until ok, which is called with the crowd at rest.
func (c *Crowd) Until(ctx context.Context, ok func() bool) error {
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
			return fmt.Errorf("the crowd waits in vain: %d of %d are done, and %s: %w", c.Finished(), c.Written, c.waiting(), ctx.Err())
		}
	}
}

// waiting tells who has not come to their end, and how far they got.
func (c *Crowd) waiting() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for n := range c.Written {
		if !c.finished[n] {
			out = append(out, fmt.Sprintf("%s has %d of %q", Address(n), len(c.got[Address(n)]), c.wish(n).Letters))
		}
	}
	return strings.Join(out[:min(len(out), 5)], ", ")
}
