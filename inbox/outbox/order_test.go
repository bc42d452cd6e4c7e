package outbox_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/state"
)

// slowServer takes a second for each mail and notes what it was given.
type slowServer struct {
	mu   sync.Mutex
	talk []string
	mid  func() // called in the middle of each mail; nil: nothing
}

func (s *slowServer) Send(_ context.Context, _, to string, _ []byte) outbox.Result {
	s.note("begin " + to)
	time.Sleep(time.Second)
	if s.mid != nil {
		s.mid()
	}
	s.note("end " + to)
	return outbox.Result{Outcome: outbox.Sent, Code: 250}
}

func (s *slowServer) Close() error { return nil }

func (s *slowServer) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.talk = append(s.talk, what)
}

func openState(t *testing.T, dir string) *state.DB {
	t.Helper()
	db, err := state.Open(state.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// owe queues letters of one Case, each to an address of its own.
func owe(t *testing.T, db *state.DB, to ...string) {
	t.Helper()
	oweBy(t, db, "support", 0, to...)
}

func oweBy(t *testing.T, db *state.DB, box string, c inbox.MailID, to ...string) {
	t.Helper()
	err := db.Update(t.Context(), "owe", func(tx *state.Tx) error {
		for _, addr := range to {
			id, err := tx.NewReplyID()
			if err != nil {
				return err
			}
			r := &inbox.Reply{ID: id, Case: c, Name: "status", Mailbox: box, State: inbox.ReplyDue, Created: tx.Now, Next: tx.Now}
			r.Detail = &inbox.ReplyDetail{MessageID: tx.MessageID(id, "site.test"), To: addr, Subject: "Hello", Text: "Hello",
				From: inbox.Address{Addr: "support@site.test"}}
			if err := tx.AddReply(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func drain(t *testing.T, db *state.DB, s *slowServer) []string {
	t.Helper()
	o := outbox.New(outbox.Config{State: db, Cases: cases.New(cases.Config{}),
		Boxes: []outbox.Box{{Name: "support", Connections: 2, Open: func() outbox.Sender { return s }}}})
	if err := o.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.talk
}

func TestLettersOfACaseGoOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openState(t, t.TempDir())
		owe(t, db, "1@users.test", "2@users.test", "3@users.test")
		got := drain(t, db, &slowServer{})
		want := []string{"begin 1@users.test", "end 1@users.test", "begin 2@users.test", "end 2@users.test", "begin 3@users.test", "end 3@users.test"}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// A letter that was on its way in a crash is still the first of its Case.
func TestACrashKeepsTheOrderOfLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, crashed := openState(t, t.TempDir()), filepath.Join(t.TempDir(), "crashed")
		owe(t, db, "1@users.test")
		var failed error
		s := &slowServer{mid: sync.OnceFunc(func() {
			time.Sleep(time.Second)
			owe(t, db, "2@users.test")
			failed = db.Backup(crashed, nil)
		})}
		if got := drain(t, db, s); len(got) != 4 || failed != nil {
			t.Fatalf("%q, %v", got, failed)
		}
		got := drain(t, openState(t, crashed), &slowServer{})
		want := []string{"begin 1@users.test", "end 1@users.test", "begin 2@users.test", "end 2@users.test"}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// hanging is a server that never answers.
type hanging struct{}

func (hanging) Send(ctx context.Context, _, _ string, _ []byte) outbox.Result {
	<-ctx.Done()
	return outbox.Result{Outcome: outbox.Temporary, Err: ctx.Err()}
}

func (hanging) Close() error { return nil }

// However many letters wait for a server that hangs, or for others of their
// Case, those that wait for nothing go out.
func TestWhatWaitsDelaysNobodyElse(t *testing.T) {
	for name, fill := range map[string]func(db *state.DB){
		"for a server that hangs": func(db *state.DB) {
			for i := range 200 {
				oweBy(t, db, "slow", inbox.MailID(10+i), "x@users.test")
			}
		},
		"for others of their case": func(db *state.DB) { oweBy(t, db, "slow", 10, slices.Repeat([]string{"x@users.test"}, 200)...) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := openState(t, t.TempDir())
				fill(db)
				for i := range 3 {
					oweBy(t, db, "support", inbox.MailID(1+i), "alice@users.test")
				}
				s := &slowServer{}
				o := outbox.New(outbox.Config{State: db, Cases: cases.New(cases.Config{}), Boxes: []outbox.Box{
					{Name: "slow", Connections: 2, Open: func() outbox.Sender { return hanging{} }},
					{Name: "support", Connections: 1, Open: func() outbox.Sender { return s }}}})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- o.Run(ctx) }()
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if got := len(s.talk); got != 6 {
					t.Errorf("after ten seconds the other mailbox had %d of 6 words with its server: %q", got, s.talk)
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
