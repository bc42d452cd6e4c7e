package main_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/state"
)

// manager is a service manager's end of the socket.
type manager struct {
	*testing.T
	conn *net.UnixConn
	said []string
}

func manage(t *testing.T, socket string) *manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &manager{T: t, conn: conn}
}

// hears waits until the program says something that begins like this, and gives
// all that it has said.
func (m *manager) hears(word string) {
	m.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		m.Fatal(err)
	}
	for b := make([]byte, 4096); ; {
		n, err := m.conn.Read(b)
		if err != nil {
			m.Fatalf("waiting for %q: %v; it said %q", word, err, m.said)
		}
		words := strings.Split(string(b[:n]), "\n")
		m.said = append(m.said, words...)
		if slices.ContainsFunc(words, func(s string) bool { return strings.HasPrefix(s, word) }) {
			return
		}
	}
}

// besieged is a program and its world, without the people.
func besieged(t *testing.T) *siege {
	t.Helper()
	s := &siege{T: t, dir: t.TempDir(), doubt: make(map[inbox.ReplyID][]int), kills: make(map[int]string), doubled: make(map[string]int)}
	s.binary, s.world = build(t, s.dir), newWorld(t)
	s.config = configure(t, s.dir, s.world)
	s.crowd = crowd.New(s.world, true)
	t.Cleanup(func() {
		if s.running != nil {
			s.running.end(syscall.SIGKILL)
		}
	})
	return s
}

// TestServiceManager runs the program as systemd does: it says that it is
// ready, that it is alive, and that it stops, in that order.
func TestServiceManager(t *testing.T) {
	s := besieged(t)
	for name, socket := range map[string]string{"file": filepath.Join(s.dir, "notify"), "abstract": fmt.Sprintf("@supportd-test-%d", os.Getpid())} {
		t.Run(name, func(t *testing.T) {
			m := manage(t, socket)
			t.Setenv("NOTIFY_SOCKET", socket)
			t.Setenv("WATCHDOG_USEC", "300000")
			s.start("")
			m.hears("READY=1")
			for range 3 {
				m.hears("WATCHDOG=1")
			}
			s.stop()
			m.hears("STOPPING=1")
			ready, stopping := slices.Index(m.said, "READY=1"), slices.Index(m.said, "STOPPING=1")
			if !slices.Contains(m.said, "STATUS=Running in mode auto; everything is reached") || ready < 0 || stopping < ready || slices.Index(m.said[stopping:], "WATCHDOG=1") >= 0 {
				t.Errorf("it said %q", m.said)
			}
		})
	}
}

// slowly has the server hold a letter to an address back before it takes it,
// until it is let go.
func slowly(w *mailtest.World, to string) (reached chan struct{}, letGo func()) {
	reached, open := make(chan struct{}, 9), make(chan struct{})
	w.SetFail(func(stage, who string, _ int) error {
		if stage == mailtest.StageDot && who == to {
			reached <- struct{}{}
			<-open
		}
		return nil
	})
	return reached, func() { close(open) }
}

const olga = "olga@users.test"

// TestStopDuringALetter: SIGTERM lets the letter that is being handed over
// arrive, and the state knows.
func TestStopDuringALetter(t *testing.T) {
	s := besieged(t)
	reached, letGo := slowly(s.world, olga)
	s.start("")
	s.world.Send(olga, crowd.Support, "question", "How do I delete my account?", mailtest.Aligned(true))
	within(t, reached, s.running.done)
	if err := s.running.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(s.dir, "state", "supportd.sock")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for gone := false; !gone; { // it has begun to stop
		_, err := os.Stat(socket)
		if gone = errors.Is(err, os.ErrNotExist); ctx.Err() != nil {
			t.Fatal("it does not stop")
		}
	}
	letGo()
	<-s.running.done
	if state := s.running.cmd.ProcessState; !state.Success() {
		t.Fatalf("it ended with %v\n%s", state, tail(s.running.log.String()))
	}
	if got := lettersTo(s.world, olga); got != 1 {
		t.Errorf("%d letters came", got)
	}
	s.inState(func(tx *state.Tx) error {
		if due := tx.DueReplies(9); len(due) != 0 {
			t.Errorf("%v are still on their way", due)
		}
		r, err := tx.Reply(1)
		if err == nil && r.State != inbox.ReplySent {
			t.Errorf("the letter is %s", r.State)
		}
		return err
	})
	s.supportd("run", "--once")
	if got := lettersTo(s.world, olga); got != 1 {
		t.Errorf("%d letters came in the end", got)
	}
}

// TestSecondSignal: who does not want to wait need not.
func TestSecondSignal(t *testing.T) {
	s := besieged(t)
	reached, letGo := slowly(s.world, olga)
	defer letGo()
	s.start("")
	s.world.Send(olga, crowd.Support, "question", "How do I delete my account?", mailtest.Aligned(true))
	within(t, reached, s.running.done)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	again := time.NewTicker(100 * time.Millisecond) // the first is on its way for a moment
	defer again.Stop()
	for ended := false; !ended; {
		_ = s.running.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.running.done:
			ended = true
		case <-again.C:
		case <-limit.C:
			t.Fatal("it does not end")
		}
	}
	if s.running.signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", s.running.cmd.ProcessState)
	}
}

// within waits for something that the program brings about.
func within(t *testing.T, it <-chan struct{}, ended <-chan struct{}) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-it:
	case <-ended:
		t.Fatal("the program has ended")
	case <-limit.C:
		t.Fatal("it did not come to that")
	}
}

func lettersTo(w *mailtest.World, to string) (n int) {
	for _, d := range w.Sent() {
		if d.To == to {
			n++
		}
	}
	return n
}
