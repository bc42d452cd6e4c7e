package mailbox

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		return nil, errors.New("nobody listens")
	}
}

// deliver puts a mail into INBOX, as if it had arrived at that time.
func deliver(t *testing.T, user *imapmemserver.User, text string, at time.Time) {
	t.Helper()
	r := literal{strings.NewReader(text)}
	if _, err := user.Append("INBOX", r, &imap.AppendOptions{Time: at}); err != nil {
		t.Error(err)
	}
}

type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// TestRound goes the whole way against a server that keeps mail: list, fetch,
// file, wait, fetch what came, expunge.
func TestRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		user := serveMemory(t, ln, nil)
		deliver(t, user, "Subject: one\r\n\r\n1\r\n", arrival(1))
		deliver(t, user, "Subject: two\r\n\r\n2\r\n", arrival(2))
		cfg := scripted(t)
		cfg.Dial = ln.dial
		s, folder := enter(t, cfg)
		if !folder.Keywords || folder.UIDNext != 3 {
			t.Errorf("folder %+v", folder)
		}
		uids, err := s.UIDs(t.Context())
		if err != nil || !slices.Equal(uids, []uint32{1, 2}) {
			t.Fatalf("listed %d, %v", uids, err)
		}
		got, err := fetch(t, s, folder, append(uids, 77)...)
		if want := []string{"1 19 Subject: one\r\n\r\n1\r\n dated", "2 19 Subject: two\r\n\r\n2\r\n dated"}; err != nil || !slices.Equal(got, want) {
			t.Fatalf("fetched %q, %v", got, err)
		}
		moved, err := s.File(t.Context(), []uint32{1, 77}, "Processed")
		if err != nil || len(moved.UIDs) != 1 || moved.UIDs[1] != 1 {
			t.Fatalf("moved %v, %v", moved, err)
		}
		if err := s.Mark(t.Context(), []uint32{2}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		timer := time.AfterFunc(20*time.Minute, func() { deliver(t, user, "Subject: three\r\n\r\n3\r\n", arrival(3)) })
		defer timer.Stop()
		if err := s.Wait(t.Context(), time.Hour); err != nil || time.Since(start) != 20*time.Minute {
			t.Fatalf("waited %v, %v", time.Since(start), err)
		}
		uids, err = s.UIDsFrom(t.Context(), 3)
		if err != nil || !slices.Equal(uids, []uint32{3}) {
			t.Fatalf("listed %d, %v", uids, err)
		}
		if uids, err := s.UIDsFrom(t.Context(), 4); err != nil || len(uids) != 0 {
			t.Fatalf("listed %d, %v", uids, err)
		}
		filed, err := s.Select(t.Context(), "Processed")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fetch(t, s, filed, moved.UIDs[1]); err != nil || len(got) != 1 {
			t.Fatalf("fetched %q, %v", got, err)
		}
		if err := s.Expunge(t.Context(), []uint32{moved.UIDs[1]}); err != nil {
			t.Fatal(err)
		}
		if uids, err := s.UIDs(t.Context()); err != nil || len(uids) != 0 {
			t.Fatalf("listed %d, %v", uids, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := s.UIDs(t.Context()); !errors.Is(err, ErrDead) {
			t.Errorf("after Close: %v, want ErrDead", err)
		}
	})
}
