package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/inbox/mailtest"
)

const (
	joinEvery    = 100 * time.Millisecond // of a soak
	disturbEvery = 90 * time.Second       // on the average
	measureEvery = 5 * time.Second
)

// population is how many people may come to write.
func (s *siege) population() int { return 1000 + 30**kills + 2*int(*soak/joinEvery) }

// transcript keeps what a daemon writes, and hands out what it tells of itself
// when it is asked by a signal.
type transcript struct {
	mu    sync.Mutex
	all   bytes.Buffer
	rest  []byte
	tells chan string
}

func newTranscript() *transcript { return &transcript{tells: make(chan string, 64)} }

func (x *transcript) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rest = append(x.rest, p...)
	for {
		line, rest, whole := bytes.Cut(x.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if bytes.HasPrefix(line, []byte("measure ")) {
			x.tells <- string(line)
		} else {
			x.all.Write(append(line, '\n'))
		}
		x.rest = rest
	}
}

func (x *transcript) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.all.String()
}

// measured is what a running daemon takes up.
type measured struct {
	goroutines, heap int
	anonymous        int // RssAnon
}

// measure asks a running daemon.
func (s *siege) measure(p *process) (m measured) {
	s.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		s.Fatalf("%v\n%s", err, tail(p.log.String()))
	}
	select {
	case line := <-p.log.tells:
		if _, err := fmt.Sscanf(line, "measure goroutines=%d heap=%d", &m.goroutines, &m.heap); err != nil {
			s.Fatalf("%q: %v", line, err)
		}
	case <-p.done:
		s.Fatalf("the daemon ended by itself\n%s", tail(p.log.String()))
	case <-time.After(patience):
		s.Fatal("the daemon does not tell how large it is")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")))
			if err != nil {
				s.Fatal(err)
			}
			m.anonymous = n << 10
		}
	}
	return m
}

// soak lets one daemon run for d, while people join at a steady rate and its
// servers fail at random. What it takes up must be the same in the last third
// as in the first.
func (s *siege) soak(d time.Duration) {
	s.Helper()
	s.crowd.Last() // by the clock from now on
	p := s.start("")
	s.world.SetFail(s.misfortune())
	ctx, cancel := context.WithTimeout(s.Context(), d)
	defer cancel()
	var others sync.WaitGroup
	others.Go(func() { s.disturb(ctx) })
	var all []measured
	join, look := time.NewTicker(joinEvery), time.NewTicker(measureEvery)
	defer join.Stop()
	defer look.Stop()
	for ctx.Err() == nil {
		select {
		case <-join.C:
			s.crowd.Join(1)
		case <-look.C:
			all = append(all, s.measure(p))
		case <-ctx.Done():
		}
	}
	others.Wait()
	s.world.SetFail(nil)
	third := len(all) / 3
	flat(s.T, all[:third], all[len(all)-third:])
	s.calm()
	s.stop()
}

// calm waits until the people of a soak have come to their end.
func (s *siege) calm() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 5*patience) // a server that stays silent is given two minutes for each command
	defer cancel()
	if err := s.crowd.Until(ctx, func() bool { return s.crowd.Done(nil) == s.crowd.Written }); err != nil {
		s.Fatalf("%v\n%s", err, tail(s.running.log.String()))
	}
}

// misfortune gives a script by which servers fail now and then. A letter whose
// fate is unknown is sent again after an hour, longer than most soaks; so the
// connection is lost after the final dot only where the letter was taken, and
// nothing waits for it.
func (s *siege) misfortune() func(stage, who string, n int) error {
	var mu sync.Mutex
	chance := func(of int) bool {
		mu.Lock()
		defer mu.Unlock()
		return s.rand.IntN(of) == 0
	}
	return func(stage, who string, _ int) error {
		switch stage {
		case mailtest.StageTaken:
			if chance(100) && !s.crowd.Leaves(who) {
				return mailtest.ErrHangUp
			}
			return nil
		case mailtest.StageBody, mailtest.StageDot:
			return nil
		}
		often := 150
		if strings.HasPrefix(stage, "IMAP") { // who is thrown out again and again within a minute stays away for five
			often = 3000
		}
		switch {
		case stage != mailtest.StageMove && chance(often): // what it does not file is filed a quarter of an hour later
			return mailtest.Refuse(451, "4.3.0 not now")
		case chance(often):
			return mailtest.ErrHangUp
		case chance(20000):
			return mailtest.ErrSilence
		}
		return nil
	}
}

// disturb does to the IMAP server what befalls servers, until ctx ends.
func (s *siege) disturb(ctx context.Context) {
	pause := func() time.Duration { return time.Duration(s.dice.Int64N(int64(2 * disturbEvery))) }
	for t := time.NewTimer(pause()); ; t.Reset(pause()) {
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		switch s.dice.IntN(4) {
		case 0:
			s.epoch++
			if err := s.world.SetUIDValidity(crowd.Support, "INBOX", 1000+s.epoch); err != nil {
				s.Error(err)
			}
		case 1:
			s.world.ByeIMAP("Autologout; idle for too long")
		default:
			s.world.CutIMAP()
		}
	}
}

// flat compares what a daemon took up at first and in the end.
func flat(t *testing.T, first, last []measured) {
	t.Helper()
	if len(first) == 0 {
		t.Error("the soak was too short to measure anything")
		return
	}
	for _, c := range []struct {
		name  string
		of    func(measured) int
		slack int // that it may grow by, beside a quarter
	}{
		{"goroutines", func(m measured) int { return m.goroutines }, 4},
		{"bytes of heap after a collection", func(m measured) int { return m.heap }, 4 << 20},
		{"bytes of anonymous memory", func(m measured) int { return m.anonymous }, 8 << 20},
	} {
		was, is := median(first, c.of), median(last, c.of)
		t.Logf("%s: %d in the first third, %d in the last (%d and %d samples)", c.name, was, is, len(first), len(last))
		if is > was+was/4+c.slack {
			t.Errorf("the %s grew from %d to %d", c.name, was, is)
		}
	}
}

func median(all []measured, of func(measured) int) int {
	var v []int
	for _, m := range all {
		v = append(v, of(m))
	}
	slices.Sort(v)
	return v[len(v)/2]
}
