package daemon_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// way is a direction of a connection.
type way int

const (
	down way = iota // from the server to us
	up              // from us to the server
)

func (w way) String() string { return [...]string{"from the server", "to the server"}[w] }

// harm is what happens to a connection.
type harm int

const (
	cut     harm = iota // it ends
	stall               // nobody hears anything any more
	garbage             // the server says something senseless, and goes on; down only
)

func (h harm) String() string { return [...]string{"cut", "stalled", "garbled"}[h] }

const rubbish = "\x00\xff\x80)( * {99999999999999999999}\r\n+ 999 \"\r\n"

// where is a place in what passes in one direction: after a number of bytes,
// or at the end of a line, or beside it.
type where struct {
	way   way
	byte  int64
	line  int // from 1; 0: byte counts
	delta int // bytes behind the end of the line
	harm  harm
}

// tap sits in the connections to a server, counts what passes, and does harm
// to one of them, once each time that it is armed.
type tap struct {
	mu    sync.Mutex
	armed bool
	at    where
	bytes [2]int64
	lines [2]int
}

// wrap puts the tap into a connection.
func (t *tap) wrap(c net.Conn) net.Conn { return &tapped{Conn: c, tap: t} }

// arm counts from nothing again and has harm done at a place.
func (t *tap) arm(at where) {
	t.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed, t.at = true, at
}

func (t *tap) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed, t.bytes, t.lines = false, [2]int64{}, [2]int{}
}

// sprung tells whether the harm was done.
func (t *tap) sprung() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.armed
}

// counted gives the bytes and lines that passed in a direction.
func (t *tap) counted(w way) (int64, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes[w], t.lines[w]
}

// pass gives how much of p may pass, and whether harm is done behind it.
func (t *tap) pass(w way, p []byte) (n int, hit bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = len(p)
	if t.armed && t.at.way == w {
		t.find(p)
		if k := t.at.byte - t.bytes[w]; t.at.line == 0 && k <= int64(len(p)) {
			n, hit, t.armed = int(max(k, 0)), true, false
		}
	}
	t.bytes[w] += int64(n)
	t.lines[w] += bytes.Count(p[:n], []byte("\n"))
	return n, hit
}

// find makes a byte of the line, when it ends in p.
func (t *tap) find(p []byte) {
	w, left := t.at.way, t.at.line-t.lines[t.at.way]
	if t.at.line == 0 || bytes.Count(p, []byte("\n")) < left {
		return
	}
	end := 0
	for range left {
		end += bytes.IndexByte(p[end:], '\n') + 1
	}
	t.at.line, t.at.byte = 0, t.bytes[w]+int64(end+t.at.delta)
}

// tapped is a connection with a tap in it.
type tapped struct {
	net.Conn
	tap     *tap
	dead    atomic.Bool
	silent  atomic.Bool
	pending []byte // to be read first
}

func (c *tapped) Read(p []byte) (int, error) {
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p)
	for err == nil && c.silent.Load() {
		n, err = c.Conn.Read(p)
	}
	if c.dead.Load() {
		return 0, io.EOF
	}
	if err != nil {
		return n, err
	}
	m, hit := c.tap.pass(down, p[:n])
	if !hit {
		return n, nil
	}
	if c.tap.at.harm == garbage {
		c.pending = append([]byte(rubbish), p[m:n]...)
	} else {
		c.suffer()
	}
	if m == 0 {
		return c.Read(p)
	}
	return m, nil
}

func (c *tapped) Write(p []byte) (int, error) {
	switch {
	case c.dead.Load():
		return 0, &net.OpError{Op: "write", Net: "memory", Err: syscall.ECONNRESET}
	case c.silent.Load():
		return len(p), nil
	}
	m, hit := c.tap.pass(up, p)
	if !hit {
		return c.Conn.Write(p)
	}
	if n, err := c.Conn.Write(p[:m]); err != nil {
		return n, err
	}
	c.suffer()
	if c.silent.Load() {
		return len(p), nil
	}
	return m, &net.OpError{Op: "write", Net: "memory", Err: syscall.ECONNRESET}
}

func (c *tapped) suffer() {
	if c.tap.at.harm == stall {
		c.silent.Store(true)
		return
	}
	c.dead.Store(true)
	_ = c.Conn.Close() // that is the harm
}
