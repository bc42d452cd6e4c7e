package daemon_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox/mailtest"
)

// jumpy is a machine's clock that can be set. Virtual time itself only goes on.
type jumpy struct{ ahead atomic.Int64 }

func (j *jumpy) now() time.Time      { return time.Now().Add(time.Duration(j.ahead.Load())) }
func (j *jumpy) set(d time.Duration) { j.ahead.Store(int64(d)) }

const year = 365 * 24 * time.Hour

// The machine's clock jumps and comes back. Nobody notices: letters leave at
// once, and who wants to leave has the whole cool-off to think about it.
func TestClockIsWrongForAWhile(t *testing.T) {
	for _, by := range []time.Duration{2 * time.Hour, 13 * time.Hour, 10 * 24 * time.Hour, 20 * year, -2 * time.Hour, -10 * 24 * time.Hour, -20 * year} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			var clock jumpy
			s := setup{nobody: true, opt: daemon.Options{Wall: clock.now}, replace: []string{"effects_per_hour = 100", "effects_per_hour = 1000000"}}
			inPlace(t, s, func(p *place) {
				c := p.people(50)
				p.start()
				c.Join(5) // the last of them wants to leave
				p.passes(time.Hour)
				clock.set(by)
				c.Join(5)
				p.passes(time.Minute)
				if n := c.Finished(); n != 8 {
					t.Errorf("a minute later %d people have got what they wish", n)
				}
				p.passes(30 * time.Minute)
				clock.set(0)
				p.passes(9 * time.Hour)
				if n := c.Finished(); n != 8 {
					t.Error("who wanted to leave had not the whole cool-off")
				}
				p.passes(24 * time.Hour)
				p.custody(c, filed)
			})
		})
	}
}

// The machine's clock is set, while the daemon runs or while it does not, and
// stays: nothing is lost, and letters leave soon.
func TestClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{2 * time.Hour, 10 * 24 * time.Hour, -2 * time.Hour, -10 * 24 * time.Hour} {
		for _, running := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v, running %v", by, running), func(t *testing.T) {
				var clock jumpy
				s := setup{nobody: true, opt: daemon.Options{Wall: clock.now}, replace: []string{"effects_per_hour = 100", "effects_per_hour = 1000000"}}
				inPlace(t, s, func(p *place) {
					c := p.people(50)
					c.Wishes = []crowd.Wish{crowd.NoPhone, crowd.ToMove, crowd.ACopy}
					p.start()
					p.SetFail(at(mailtest.StageConnect, 1<<30, mailtest.Refuse(421, "4.3.2 busy")))
					c.Join(12)
					p.passes(5 * time.Second)
					if n := c.Finished(); n > 0 {
						p.t.Fatal("no letters wait")
					}
					if !running {
						p.reopen()
					}
					clock.set(by)
					if !running {
						p.reopen()
						p.start()
					}
					p.SetFail(nil)
					p.passes(4 * time.Hour)
					c.Join(6)
					p.passes(4 * time.Hour)
					p.custody(c, filed)
				})
			})
		}
	}
}
