package daemon_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// points counts the moments of a daemon, and ends it at one of them.
type points struct {
	commits, acks atomic.Int64
	stopAt        int64 // the commit of intake at which the daemon is told to stop; 0: none
	stop          func()
}

func (p *points) at(name string) {
	switch name {
	case "after commit intake":
		if p.commits.Add(1) == p.stopAt {
			p.stop()
		}
	case "before ack":
		p.acks.Add(1)
	}
}

// A backlog is taken in batches, and whoever is stopped in the middle of it goes
// on behind what is accounted for. Each mail is answered once.
func TestBacklogGoesOn(t *testing.T) {
	const mails = 700
	seen := &points{stopAt: 3}
	s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}
	s.opt.Point = seen.at
	inPlace(t, s, func(p *place) {
		for n := range mails {
			p.Send(fmt.Sprintf("p%d@users.test", n), support, "my data", copyPlease, mailtest.Aligned(true))
		}
		seen.stop = func() { p.cancel() }
		p.start()
		if err := <-p.done; err != nil {
			t.Error(err)
		}
		p.cancel = nil
		if n := len(p.mails()); n == 0 || n == mails {
			t.Fatalf("%d of %d mails were taken before the daemon was stopped", n, mails)
		}
		p.reopen()
		p.start()
		p.passes(time.Minute)
		if n := len(p.mails()); n != mails {
			t.Errorf("%d records for %d mails", n, mails)
		}
		for _, m := range p.mails() {
			if m.State != inbox.MailAnswered && m.State != inbox.MailActed && m.State != inbox.MailAsked {
				t.Fatalf("%s is %s: %s", m.ID, m.State, m.Reason)
			}
		}
		to := make(map[string]int)
		for _, d := range p.Sent() {
			to[d.To]++
		}
		for n := range mails {
			if got := to[fmt.Sprintf("p%d@users.test", n)]; got != 1 {
				t.Errorf("person %d got %d letters", n, got)
			}
		}
		if got := len(p.Folder(support, "Processed")); got != mails {
			t.Errorf("%d of %d mails are filed", got, mails)
		}
		if c, a := seen.commits.Load(), seen.acks.Load(); c > mails/64+4 || a > mails/64+4 {
			t.Errorf("%d mails took %d commits and %d acknowledgements", mails, c, a)
		}
	})
}

// The heap after a backlog does not grow with it.
func TestBacklogLeavesNothingInMemory(t *testing.T) {
	heap := func(mails int) (bytes uint64) {
		s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}
		inPlace(t, s, func(p *place) {
			for n := range mails {
				p.Send(fmt.Sprintf("p%d@users.test", n), support, "hello", "What are your opening hours?", mailtest.Aligned(false))
			}
			before := inUse()
			p.start()
			p.passes(time.Minute)
			if n := len(p.mails()); n != mails {
				t.Fatalf("%d of %d mails were taken", n, mails)
			}
			bytes = inUse() - min(before, inUse())
		})
		return bytes
	}
	few, many := heap(100), heap(1000)
	if many > few+(8<<20) {
		t.Errorf("after 100 mails the heap has grown by %d bytes, after 1000 by %d", few, many)
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
