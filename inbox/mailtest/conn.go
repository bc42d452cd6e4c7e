package mailtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipe is one direction of an in-memory connection. It takes whatever is
// written to it, so that a peer who does not read never blocks a writer.
type pipe struct {
	mu       sync.Mutex
	news     *sync.Cond
	buf      []byte
	ended    bool // the writer closed: what is buffered may still be read
	gone     bool // the reader closed
	deadline time.Time
	alarm    *time.Timer
}

func newPipe() *pipe {
	p := &pipe{}
	p.news = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.gone:
			return 0, net.ErrClosed
		case !p.deadline.IsZero() && !time.Now().Before(p.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(p.buf) > 0 || len(b) == 0:
			n := copy(b, p.buf)
			p.buf = p.buf[n:]
			return n, nil
		case p.ended:
			return 0, io.EOF
		}
		p.news.Wait()
	}
}

func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return 0, net.ErrClosed
	}
	if p.gone {
		return 0, syscall.ECONNRESET
	}
	p.buf = append(p.buf, b...)
	p.news.Broadcast()
	return len(b), nil
}

func (p *pipe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.news.Broadcast()
}

func (p *pipe) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone, p.buf = true, nil
	if p.alarm != nil {
		p.alarm.Stop()
	}
	p.news.Broadcast()
}

func (p *pipe) setDeadline(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alarm != nil {
		p.alarm.Stop()
		p.alarm = nil
	}
	p.deadline = t
	if !t.IsZero() && !p.gone {
		p.alarm = time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.news.Broadcast()
		})
	}
	p.news.Broadcast()
}

// memConn is one end of an in-memory connection.
type memConn struct {
	in, out       *pipe
	local, remote memAddr

	mu     sync.Mutex
	writeT time.Time
}

// newMemConn makes a connected pair: the client's end and the server's.
func newMemConn(addr string) (client, server *memConn) {
	up, down := newPipe(), newPipe()
	c := &memConn{in: down, out: up, local: "memory", remote: memAddr(addr)}
	s := &memConn{in: up, out: down, local: memAddr(addr), remote: "memory"}
	return c, s
}

func (c *memConn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.opError("read", err)
}

func (c *memConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	late := !c.writeT.IsZero() && !time.Now().Before(c.writeT)
	c.mu.Unlock()
	if late {
		return 0, c.opError("write", os.ErrDeadlineExceeded)
	}
	n, err := c.out.write(b)
	return n, c.opError("write", err)
}

func (c *memConn) Close() error {
	c.out.end()
	c.in.leave()
	return nil
}

// CloseWrite tells the peer that nothing more will come, as that of a
// net.TCPConn.
func (c *memConn) CloseWrite() error {
	c.out.end()
	return nil
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

func (c *memConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(t)
	return nil
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeT = t
	return nil
}

func (c *memConn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err // io.Reader wants EOF bare
	}
	return &net.OpError{Op: op, Net: "memory", Source: c.local, Addr: c.remote, Err: err}
}

type memAddr string

func (memAddr) Network() string  { return "memory" }
func (a memAddr) String() string { return string(a) }

// memListener accepts the connections that its dial makes.
type memListener struct {
	addr    memAddr
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newMemListener(addr string) *memListener {
	return &memListener{addr: memAddr(addr), waiting: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "memory", Addr: l.addr, Err: net.ErrClosed}
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memListener) Addr() net.Addr { return l.addr }

func (l *memListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := newMemConn(string(l.addr))
	var err error
	select {
	case l.waiting <- server:
		return client, nil
	case <-l.closed:
		err = syscall.ECONNREFUSED
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.addr, Err: err}
}

// listener remembers the connections that it accepted, so that whoever closes
// it can end them all, including one that no server has begun to serve.
type listener struct {
	net.Listener
	accepted func() // called for each connection before it is handed out

	mu     sync.Mutex
	conns  map[*heldConn]bool
	closed bool
}

func newListener(l net.Listener, accepted func()) *listener {
	return &listener{Listener: l, accepted: accepted, conns: map[*heldConn]bool{}}
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if held := l.hold(c); held != nil {
			return held, nil
		}
	}
}

func (l *listener) hold(c net.Conn) *heldConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close() // nobody will serve it
		return nil
	}
	held := &heldConn{Conn: c, of: l}
	l.conns[held] = true
	l.accepted()
	return held
}

// cut closes every open connection and leaves the listener open.
func (l *listener) cut() {
	l.mu.Lock()
	open := make([]*heldConn, 0, len(l.conns))
	for c := range l.conns {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // an end that was asked for; there is nobody to tell
	}
}

func (l *listener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	err := l.Listener.Close()
	l.cut()
	return err
}

// veiledListener accepts connections on which the server does not tell of IDLE:
// the library announces it in any case.
type veiledListener struct{ net.Listener }

func (l veiledListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return veiledConn{c}, nil
}

type veiledConn struct{ net.Conn }

func (c veiledConn) Write(b []byte) (int, error) {
	if !bytes.Contains(b, []byte("CAPABILITY ")) {
		return c.Conn.Write(b)
	}
	if _, err := c.Conn.Write(bytes.ReplaceAll(b, []byte(" IDLE"), nil)); err != nil {
		return 0, err
	}
	return len(b), nil
}

type heldConn struct {
	net.Conn
	of *listener
}

func (c *heldConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
