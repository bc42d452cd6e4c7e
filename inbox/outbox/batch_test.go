package outbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/state"
)

// counted opens a state that counts its commits by name.
func counted(t *testing.T) (*state.DB, func(name string) int) {
	t.Helper()
	var mu sync.Mutex
	commits := make(map[string]int)
	db, err := state.Open(state.Config{Dir: t.TempDir(), Point: func(name string) {
		mu.Lock()
		defer mu.Unlock()
		commits[name]++
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, func(name string) int {
		mu.Lock()
		defer mu.Unlock()
		return commits["after commit "+name]
	}
}

// quick is a server that takes everything within a millisecond.
type quick struct {
	mu    sync.Mutex
	taken map[string]int
}

func (q *quick) Send(_ context.Context, _, to string, _ []byte) outbox.Result {
	time.Sleep(time.Millisecond)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken[to]++
	return outbox.Result{Outcome: outbox.Sent, Code: 250}
}

func (q *quick) Close() error { return nil }

// Where many letters wait, one commit claims many of them, and one notes what
// came of many. Each is sent once.
func TestOneCommitServesABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const letters = 256
		db, commits := counted(t)
		for i := range letters {
			oweBy(t, db, "support", inbox.MailID(1+i), fmt.Sprintf("p%d@users.test", i))
		}
		server := &quick{taken: make(map[string]int)}
		o := outbox.New(outbox.Config{State: db, Cases: cases.New(cases.Config{}),
			Boxes: []outbox.Box{{Name: "support", Connections: 2, Open: func() outbox.Sender { return server }}}})
		if err := o.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range letters {
			if n := server.taken[fmt.Sprintf("p%d@users.test", i)]; n != 1 {
				t.Errorf("letter %d was sent %d times", i, n)
			}
		}
		for _, name := range []string{"send", "sent"} {
			if n := commits(name); n == 0 || n > letters/16 {
				t.Errorf("%d letters took %d commits %q", letters, n, name)
			}
		}
	})
}

// busy is a server that takes nothing from anybody.
type busy struct{ tries int }

func (b *busy) Send(context.Context, string, string, []byte) outbox.Result {
	b.tries++
	return outbox.Result{Outcome: outbox.Temporary, Code: 421, Busy: true, Err: inbox.Temporary(fmt.Errorf("too busy"))}
}

func (b *busy) Close() error { return nil }

// A server that takes nothing is not told of each letter that waits; and who
// stops the loop meanwhile is not kept waiting.
func TestABusyServerIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := counted(t)
		for i := range 100 {
			oweBy(t, db, "support", inbox.MailID(1+i), "x@users.test")
		}
		server := &busy{}
		o := outbox.New(outbox.Config{State: db, Cases: cases.New(cases.Config{}),
			Boxes: []outbox.Box{{Name: "support", Connections: 1, Open: func() outbox.Sender { return server }}}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.Run(ctx) }()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		cancel()
		stopped := time.Now()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if server.tries < 3 || server.tries > 10 {
			t.Errorf("the server was asked %d times in five minutes", server.tries)
		}
		if d := time.Since(stopped); d > time.Second {
			t.Errorf("stopping took %v", d)
		}
		tried, sending := 0, 0
		err := db.View(func(tx *state.Tx) (err error) {
			for id := range inbox.ReplyID(100) {
				r, failure := tx.Reply(id + 1)
				if failure != nil {
					return failure
				}
				tried += len(r.Attempts)
				if r.State == inbox.ReplySending {
					sending++
				}
			}
			return nil
		})
		if err != nil || tried != server.tries || sending > 0 {
			t.Errorf("%d tries are on record, the server saw %d; %d letters are on their way for ever: %v", tried, server.tries, sending, err)
		}
	})
}

// A crash of the program between a server's yes and the commit, which waits for
// those of other letters, has nothing sent again.
func TestWhatWasAcceptedIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, crashed := t.TempDir(), t.TempDir()
		db := openState(t, dir)
		for i := range 5 {
			oweBy(t, db, "support", inbox.MailID(1+i), fmt.Sprintf("p%d@users.test", i))
		}
		copied := false
		server := &quick{taken: make(map[string]int)}
		o := outbox.New(outbox.Config{State: db, Cases: cases.New(cases.Config{}), Boxes: []outbox.Box{{Name: "support", Connections: 1, Open: func() outbox.Sender {
			return sendFunc(func(ctx context.Context, from, to string, msg []byte) outbox.Result {
				if server.all() == 3 && !copied { // three are accepted, and not one of them is committed
					copied = true
					if err := os.CopyFS(filepath.Join(crashed, "state"), os.DirFS(dir)); err != nil {
						t.Error(err)
					}
				}
				return server.Send(ctx, from, to, msg)
			})
		}}}})
		if err := o.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		again := &quick{taken: make(map[string]int)}
		restarted := openState(t, filepath.Join(crashed, "state"))
		o = outbox.New(outbox.Config{State: restarted, Cases: cases.New(cases.Config{}), Boxes: []outbox.Box{{Name: "support", Connections: 1, Open: func() outbox.Sender { return again }}}})
		if err := o.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for to, n := range again.taken {
			if to < "p3" || n != 1 {
				t.Errorf("%s got its letter again", to)
			}
		}
		if again.all() != 2 {
			t.Errorf("after the crash %d letters were sent, want the 2 that were not accepted", again.all())
		}
	})
}

// sendFunc is a server that is one function.
type sendFunc func(ctx context.Context, from, to string, msg []byte) outbox.Result

func (f sendFunc) Send(ctx context.Context, from, to string, msg []byte) outbox.Result {
	return f(ctx, from, to, msg)
}

func (sendFunc) Close() error { return nil }

// all is how many mails the server has taken.
func (q *quick) all() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, x := range q.taken {
		n += x
	}
	return n
}
