package mailbox

import (
	"context"
	"net"
	"sync"
	"time"
)

// link is the connection as the session owns it. The client library reads and
// writes it but has no say in its deadlines: a link that is watched fails when
// the server was silent for limit, and one that is not may be silent for ever.
type link struct {
	net.Conn // TLS where there is TLS
	raw      net.Conn
	limit    time.Duration

	mu      sync.Mutex
	watched bool
	bounded bool  // whether left counts
	left    int64 // bytes that may still be read
	closed  bool
	cause   error           // why it ended; nil when the library or we closed it
	reader  <-chan struct{} // closed when the library's reader has ended
}

// readerTime is how long a failed write waits for the library's reader to end.
const readerTime = time.Second

func newLink(conn, raw net.Conn, limit time.Duration) *link {
	return &link{Conn: conn, raw: raw, limit: limit}
}

// begin watches the link until the function that it returns is called, and
// closes it when ctx ends before.
func (l *link) begin(ctx context.Context) (finish func()) {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		l.end(ctx.Err())
	})
	l.watch(true)
	return func() {
		if !stop() {
			<-fired
		}
		l.watch(false)
	}
}

// watch sets whether silence is a failure from now on.
func (l *link) watch(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watched = on
	var deadline time.Time
	if on {
		deadline = time.Now().Add(l.limit)
	}
	l.Conn.SetReadDeadline(deadline) // fails on a closed connection only, which the next read tells
}

// allow ends the link when more than n bytes are read from now on, until
// allowAll is called. The library keeps some kinds of answers in memory as a
// whole, however long they are.
func (l *link) allow(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bounded, l.left = true, n
}

func (l *link) allowAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bounded = false
}

// within cuts p to what may still be read.
func (l *link) within(p []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.bounded {
		return p, true
	}
	return p[:min(int64(len(p)), max(l.left, 0))], l.left > 0
}

// Read reads, and notes why it failed.
func (l *link) Read(p []byte) (int, error) {
	p, ok := l.within(p)
	if !ok {
		l.end(errTooMuch)
		return 0, errTooMuch
	}
	n, err := l.Conn.Read(p)
	if err != nil {
		l.end(err)
		return n, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left -= int64(n)
	if l.watched {
		l.Conn.SetReadDeadline(time.Now().Add(l.limit))
	}
	return n, nil
}

// Write writes within the limit, and notes why it failed.
//
// The library answers a failed write by closing the channels of all commands,
// on which its reader may be sending at that moment. So a failure is reported
// when the reader has ended. A reader that does not end, although its
// connection is closed, waits for somebody to take an answer; the write then
// counts as done, the answer is taken, and the reader ends the command.
func (l *link) Write(p []byte) (int, error) {
	l.Conn.SetWriteDeadline(time.Now().Add(l.limit))
	n, err := l.Conn.Write(p)
	if err == nil {
		return n, nil
	}
	l.end(err)
	l.mu.Lock()
	reader := l.reader
	l.mu.Unlock()
	timer := time.NewTimer(readerTime)
	defer timer.Stop()
	select {
	case <-reader:
		return n, err
	case <-timer.C:
		return len(p), nil
	}
}

// readBy names the channel that is closed when the library's reader has ended.
func (l *link) readBy(reader <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reader = reader
}

// SetDeadline does nothing: see link.
func (l *link) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: see link.
func (l *link) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: see link.
func (l *link) SetWriteDeadline(time.Time) error { return nil }

// Close frees every read and write. It never waits for the server.
func (l *link) Close() error {
	l.end(nil)
	return nil
}

// end closes the link. Only the first cause counts.
func (l *link) end(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed, l.cause = true, cause
	l.raw.Close() // nothing is lost by an error here: we are done with it
}

// dead tells whether the link was closed.
func (l *link) dead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// why gives the failure that closed the link, or nil.
func (l *link) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}
