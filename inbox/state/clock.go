package state

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// drift is how far the machine's clock may be from ours before it has jumped.
	drift = time.Minute
	// settle is how long a clock that jumped must go on evenly before it is followed.
	settle = time.Hour
)

// clock gives the time that is kept in the state. The machine's clock can be
// set, by hand or when the network comes up, and be wrong for a while: a cool-off
// would be over at once, or what is due never come. So it goes by the steady
// time of the process, which nobody sets, and follows a jump of the machine's
// clock only after an hour: by then a mistake was noticed. A machine that slept
// has a clock that jumped, too.
type clock struct {
	wall func() time.Time
	log  *slog.Logger

	mu    sync.Mutex
	ours  time.Time     // what was given last
	at    time.Time     // the steady time of that
	off   time.Duration // the jump that is not followed yet; 0: none
	since time.Time     // the steady time at which it was seen
}

func newClock(wall func() time.Time, log *slog.Logger) *clock {
	if wall == nil {
		wall = time.Now
	}
	return &clock{wall: wall, log: log, ours: wall().Round(0), at: time.Now()}
}

// now gives the time.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	steady := time.Now()
	c.ours, c.at = c.ours.Add(steady.Sub(c.at)), steady
	wall := c.wall().Round(0) // without a steady time of its own
	switch off := wall.Sub(c.ours); {
	case off.Abs() <= drift:
		if c.off = 0; off > 0 {
			c.ours = wall
		}
	case c.off == 0 || (off-c.off).Abs() > drift:
		c.off, c.since = off, steady
		c.log.Error("state: the machine's clock has jumped; it is followed when it goes on evenly", "by", off.Round(time.Second), "for", settle)
	case steady.Sub(c.since) >= settle:
		c.log.Error("state: the machine's clock is followed", "by", off.Round(time.Second))
		c.ours, c.off = wall, 0
	}
	return c.ours
}

// Now gives the time that is kept with what is committed now: the machine's, as
// long as that does not jump.
func (db *DB) Now() time.Time { return db.clock.now() }
