package outbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// The points at which TransportConfig.Point is called.
const (
	PointBeforeDot = "smtp before dot" // the whole mail has left, the final dot has not
	PointAfterDot  = "smtp after dot"  // the server has answered the final dot
)

// TransportConfig says how to reach a server and how to behave there.
type TransportConfig struct {
	Server   Server
	Username string
	// Secret gives the password, or the access token when XOAUTH2 is set; it is
	// asked at every connect. Nil: no authentication.
	Secret  func(context.Context) (string, error)
	XOAUTH2 bool
	// RootCAs are the trusted authorities; nil: the system's.
	RootCAs *x509.CertPool
	// Dial opens connections; nil: a plain net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// HELO is the name that we introduce ourselves with; "": the host's.
	HELO string
	// Timeout bounds each step: connecting, one command, 64 KiB of the mail.
	// The answer to the final dot may take five times as long (RFC 5321
	// section 4.5.3.2 has 2 and 10 minutes). 0: 2 minutes.
	Timeout time.Duration
	// Log gets connects and disconnects at level debug; nil: no log.
	Log *slog.Logger
	// Point is called at the named moments, for tests that end the process
	// there; nil: not called.
	Point func(name string)
}

const (
	defaultTimeout = 2 * time.Minute
	dotPatience    = 5           // times Timeout
	maxIdle        = time.Minute // an older connection is likelier to be dead than alive
	quitTimeout    = 5 * time.Second
	blockSize      = 64 << 10
)

// Transport sends mails to one server, over one connection that it opens when
// it is needed and keeps for the next mail. It is not for concurrent use.
type Transport struct {
	cfg  TransportConfig
	link *link
}

// link is an open, authenticated connection.
type link struct {
	raw     *countingConn
	smtp    *smtp.Client
	lastUse time.Time
	begun   bool // a mail transaction, which no mail that was taken over has ended
}

// countingConn counts the bytes that the network took.
type countingConn struct {
	net.Conn
	written atomic.Int64
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// NewTransport makes a Transport; it does not connect yet.
func NewTransport(cfg TransportConfig) *Transport {
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.HELO == "" {
		cfg.HELO, _ = os.Hostname() // without a name we are localhost
		cfg.HELO = cmp.Or(cfg.HELO, "localhost")
	}
	if cfg.Point == nil {
		cfg.Point = func(string) {}
	}
	return &Transport{cfg: cfg}
}

// Send hands one mail to the server, for one recipient. from may be "", the
// null sender. msg must have CRLF line ends, as Compose makes them. The end
// of ctx closes the connection at once; whether that leaves the mail
// unsent or unknown is in the Result.
func (t *Transport) Send(ctx context.Context, from, to string, msg []byte) Result {
	if err := checkMail(from, to, msg); err != nil {
		return Result{Outcome: Permanent, Err: err}
	}
	for {
		reused := t.link != nil
		if err := t.connect(ctx); err != nil {
			return connectFailure(err)
		}
		// A kept connection that turns out to be dead, or that the server is
		// weary of, says nothing about the mail: once more on a new one.
		if res, stale := t.open(ctx, from, to, len(msg)); res.Err != nil {
			if reused && stale && ctx.Err() == nil {
				continue
			}
			return res
		}
		return t.deliver(ctx, msg)
	}
}

// Check connects, authenticates and says NOOP: what Send needs, without a
// mail.
func (t *Transport) Check(ctx context.Context) error {
	t.quit()
	if err := t.connect(ctx); err != nil {
		return err
	}
	res := t.step(ctx, "asking for a sign of life", t.link.smtp.Noop)
	return res.Err
}

// Close takes leave of the server and closes the connection. The Transport
// may be used again; it will connect anew.
func (t *Transport) Close() error {
	t.quit()
	return nil
}

// checkMail refuses what would be another command or another mail on the
// wire.
func checkMail(from, to string, msg []byte) error {
	if from != "" {
		if c, err := address.Canonical(from); err != nil || c != from {
			return errors.New("sending a mail: the sender is not a canonical address")
		}
	}
	if c, err := address.Canonical(to); err != nil || c != to {
		return errors.New("sending a mail: the recipient is not a canonical address")
	}
	if !bytes.HasSuffix(msg, []byte("\r\n")) {
		return errors.New("sending a mail: the text does not end with CRLF: it is cut off")
	}
	crlf := bytes.Count(msg, []byte("\r\n"))
	if bytes.Count(msg, []byte("\r")) != crlf || bytes.Count(msg, []byte("\n")) != crlf {
		return errors.New("sending a mail: a CR or LF stands alone in the text")
	}
	return nil
}

// open begins the mail transaction, up to where the server wants the text. stale
// tells that the connection was lost, or the server took leave, before it said
// anything about this mail.
func (t *Transport) open(ctx context.Context, from, to string, size int) (res Result, stale bool) {
	if t.link.begun { // RFC 5321 section 4.1.1.4 has an accepted mail clear the rest, and nothing else
		if res = t.step(ctx, "clearing the connection", t.link.smtp.Reset); res.Err != nil {
			t.drop() // one that cannot be cleared is of no use
			return res, true
		}
		t.link.begun = false
	}
	params, err := t.parameters(from, to, size)
	if err != nil {
		return Result{Outcome: Permanent, Err: err}, false
	}
	t.link.begun = true
	return t.envelope(ctx, []command{
		{doing: "naming the sender", line: "MAIL FROM:<" + from + ">" + params, want: 250},
		{doing: "naming the recipient", line: "RCPT TO:<" + to + ">", want: 25},
		{doing: "opening the text", line: "DATA", want: codeText},
	})
}

// parameters gives those of MAIL, or why the server cannot take the mail.
func (t *Transport) parameters(from, to string, size int) (params string, err error) {
	c := t.link.smtp
	if ok, limit := c.Extension("SIZE"); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(limit)); err == nil && n > 0 && size > n {
			return "", fmt.Errorf("sending a mail of %d bytes: the server takes no more than %d", size, n)
		}
	}
	if ok, _ := c.Extension("8BITMIME"); ok {
		params = " BODY=8BITMIME"
	}
	if isASCII(from) && isASCII(to) {
		return params, nil // a mail that asks for SMTPUTF8 is refused by every later server that does not know it
	}
	if ok, _ := c.Extension("SMTPUTF8"); !ok {
		return "", errors.New("sending a mail: an address is not ASCII and the server knows no SMTPUTF8")
	}
	return params + " SMTPUTF8", nil
}

// command is a line for the server, and the answer that lets us go on: a whole
// code, or its beginning.
type command struct {
	doing, line string
	want        int
}

// codeText is the answer that has the server wait for the text.
const codeText = 354

// envelope gives commands until one is refused: all in one write where the
// server takes that (RFC 2920), which saves a way there and back for each. stale
// is that of open.
func (t *Transport) envelope(ctx context.Context, commands []command) (res Result, stale bool) {
	text := t.link.smtp.Text
	together, _ := t.link.smtp.Extension("PIPELINING")
	for i, c := range commands {
		lines := commands[i : i+1]
		switch {
		case together && i == 0:
			lines = commands
		case together:
			lines = nil // it is on its way
		}
		res = t.step(ctx, c.doing, func() error {
			if err := send(text, lines); err != nil {
				return err
			}
			_, _, err := text.ReadResponse(c.want)
			return err
		})
		if res.Err == nil {
			continue
		}
		stale = i == 0 && t.link == nil
		if together {
			t.skip(ctx, commands[i+1:])
		}
		return res, stale
	}
	return res, false
}

// send writes commands at once.
func send(text *textproto.Conn, commands []command) error {
	if len(commands) == 0 {
		return nil
	}
	for _, c := range commands {
		if _, err := text.W.WriteString(c.line + "\r\n"); err != nil {
			return err
		}
	}
	return text.W.Flush()
}

// skip reads the answers to commands that were sent behind a refused one. A
// server that wants the text all the same would take a lone dot for one (RFC
// 2920 section 3.1); the connection is closed instead, so that no mail comes of it.
func (t *Transport) skip(ctx context.Context, commands []command) {
	for _, c := range commands {
		if t.link == nil {
			return
		}
		text := t.link.smtp.Text
		res := t.step(ctx, c.doing, func() error { _, _, err := text.ReadResponse(c.want); return err })
		if res.Err == nil && c.want == codeText {
			t.drop()
		}
	}
}

// deliver hands over the text of the mail.
func (t *Transport) deliver(ctx context.Context, msg []byte) Result {
	text := t.link.smtp.Text
	w := text.DotWriter()
	// From here on a failure closes the connection. Anything else that the
	// library would write ends the text first, and the server would take the
	// part that it has for the whole.
	for block := range chunks(msg) {
		res := t.step(ctx, "sending the text", func() error { _, err := w.Write(block); return err })
		if res.Err != nil {
			t.drop()
			return res
		}
	}
	if res := t.step(ctx, "sending the text", text.W.Flush); res.Err != nil {
		t.drop()
		return res
	}
	t.cfg.Point(PointBeforeDot)
	return t.finish(ctx, w)
}

// finish sends the final dot and judges the mail by the answer.
func (t *Transport) finish(ctx context.Context, w io.WriteCloser) Result {
	l := t.link
	before := l.raw.written.Load()
	res := t.stepWithin(ctx, dotPatience*t.cfg.Timeout, "waiting for the mail to be taken over", func() error {
		if err := w.Close(); err != nil {
			return err
		}
		_, _, err := l.smtp.Text.ReadResponse(250)
		return err
	})
	t.cfg.Point(PointAfterDot)
	l.begun = res.Err != nil
	switch {
	case !l.begun:
		return res
	case res.Code/100 == 2: // 250 is the rule, any other yes is one too
		return Result{Outcome: Sent, Code: res.Code, Enhanced: res.Enhanced}
	case res.Code/100 == 4, res.Code/100 == 5:
		return res
	case l.raw.written.Load() == before:
		return res // not one byte of the dot has left
	}
	res.Outcome = Unknown
	t.drop()
	return res
}

// chunks cuts the mail into blocks, so that each has a deadline of its own.
func chunks(msg []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(msg) > 0 {
			n := min(blockSize, len(msg))
			if !yield(msg[:n]) {
				return
			}
			msg = msg[n:]
		}
	}
}

// step runs one exchange with the server within Timeout.
func (t *Transport) step(ctx context.Context, doing string, f func() error) Result {
	return t.stepWithin(ctx, t.cfg.Timeout, doing, f)
}

// stepWithin runs one exchange and turns its failure into a Result; a
// connection that was lost, timed out or taken leave of (421) is dropped.
func (t *Transport) stepWithin(ctx context.Context, limit time.Duration, doing string, f func() error) Result {
	l := t.link
	stop := l.bound(ctx, limit)
	err := f()
	stop()
	l.lastUse = time.Now()
	if err == nil {
		return Result{Outcome: Sent, Code: 250}
	}
	res := failure(doing, err)
	if res.Code == 0 && ctx.Err() != nil {
		res.Err = inbox.Temporary(fmt.Errorf("%s: %w", doing, context.Cause(ctx)))
	}
	switch res.Code {
	case 530, 534, 535, 538: // the server wants somebody else, or somebody at all
		res.Outcome = Temporary
		res.Err = &AuthError{t.cfg.Server.String(), res.Err, "check username and password of [smtp]"}
	}
	if res.Code == 0 || res.Code == 421 || res.Code < 400 {
		t.drop()
	}
	return res
}

// bound limits the exchanges until stop is called: the end of ctx closes the
// connection, and so frees whatever waits on it.
func (l *link) bound(ctx context.Context, limit time.Duration) (stop func()) {
	_ = l.raw.SetDeadline(time.Now().Add(limit)) // on a closed connection the exchange fails by itself
	release := context.AfterFunc(ctx, func() { _ = l.raw.Close() })
	return func() { release() }
}

// drop closes the connection without a word, so that no half-written mail is
// completed.
func (t *Transport) drop() {
	if t.link == nil {
		return
	}
	_ = t.link.raw.Close() // whether it closes well changes nothing
	t.link = nil
	t.cfg.Log.Debug("smtp connection dropped", "server", t.cfg.Server.String())
}

// quit takes leave of the server, briefly, and closes the connection.
func (t *Transport) quit() {
	if t.link == nil {
		return
	}
	_ = t.link.raw.SetDeadline(time.Now().Add(quitTimeout))
	_ = t.link.smtp.Quit() // the mails before it are settled, whatever it says
	t.drop()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
