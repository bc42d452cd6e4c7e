package mailtest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
)

var (
	errDone    = errors.New("the conversation is over")
	errTooLong = errors.New("the message is larger than SIZE")
)

const maxCommand = 4096

// smtpConn is one SMTP conversation.
type smtpConn struct {
	world *World
	conn  net.Conn
	in    *bufio.Reader
	tls   bool
	user  string // authenticated; "" when not
	greet bool
	mail  bool // MAIL was accepted
	from  string
	rcpts []string
}

func (w *World) serveSMTP(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		w.servers.Go(func() {
			defer conn.Close()
			_, secure := conn.(*tls.Conn)
			c := &smtpConn{world: w, conn: conn, in: bufio.NewReader(conn), tls: secure}
			if err := c.converse(); err != nil && !errors.Is(err, errDone) {
				w.opts.Log.Debug("test mail world: SMTP connection ended", "error", err)
			}
		})
	}
}

// converse answers commands until the conversation is over.
func (c *smtpConn) converse() error {
	refused, err := c.scripted(StageConnect, "")
	if refused || err != nil {
		return err
	}
	if err := c.reply("220 smtp.%s ESMTP", c.world.opts.Domain); err != nil {
		return err
	}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		verb, arg, _ := strings.Cut(line, " ")
		if err := c.command(strings.ToUpper(verb), strings.TrimSpace(arg)); err != nil {
			return err
		}
	}
}

func (c *smtpConn) command(verb, arg string) error {
	switch verb {
	case "EHLO":
		return c.ehlo()
	case "HELO":
		c.greet = true
		c.reset()
		return c.reply("250 smtp.%s", c.world.opts.Domain)
	case "STARTTLS":
		return c.startTLS()
	case "AUTH":
		return c.auth(arg)
	case "MAIL":
		return c.mailFrom(arg)
	case "RCPT":
		return c.rcptTo(arg)
	case "DATA":
		return c.data()
	case "RSET":
		c.reset()
		return c.reply("250 2.0.0 OK")
	case "NOOP":
		return c.reply("250 2.0.0 OK")
	case "QUIT":
		return errors.Join(c.reply("221 2.0.0 Bye"), errDone)
	}
	return c.reply("502 5.5.1 Command not implemented")
}

func (c *smtpConn) reset() { c.mail, c.from, c.rcpts = false, "", nil }

func (c *smtpConn) reply(format string, args ...any) error {
	_, err := fmt.Fprintf(c.conn, format+"\r\n", args...)
	return err
}

// line reads one command, without its line end.
func (c *smtpConn) line() (string, error) {
	b, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(b) > maxCommand {
		return "", errors.Join(c.reply("500 5.5.2 Line too long"), errDone)
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// scripted does what the script wants at this stage. It tells whether the
// command was refused; an error ends the conversation.
func (c *smtpConn) scripted(stage, who string) (refused bool, err error) {
	fault := c.world.fault(stage, who)
	refusal, isRefusal := errors.AsType[*Refusal](fault)
	switch {
	case fault == nil:
		return false, nil
	case errors.Is(fault, ErrHangUp):
		return true, errDone
	case errors.Is(fault, ErrSilence):
		_, err := io.Copy(io.Discard, c.in) // until the client or the World gives up
		return true, errors.Join(err, errDone)
	case isRefusal:
		return true, c.reply("%d %s", refusal.Code, refusal.Text)
	}
	return true, c.reply("451 4.3.0 %s", fault)
}

func (c *smtpConn) ehlo() error {
	c.greet = true
	c.reset()
	lines := []string{"smtp." + c.world.opts.Domain, "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES",
		"SIZE " + strconv.FormatInt(c.world.opts.MaxMessageBytes, 10)}
	if c.world.opts.TLS && !c.tls {
		lines = append(lines, "STARTTLS")
	} else {
		lines = append(lines, "AUTH PLAIN LOGIN XOAUTH2")
	}
	last := len(lines) - 1
	return c.reply("250-%s\r\n250 %s", strings.Join(lines[:last], "\r\n250-"), lines[last])
}

func (c *smtpConn) startTLS() error {
	if !c.world.opts.TLS || c.tls {
		return c.reply("502 5.5.1 No STARTTLS here")
	}
	if err := c.reply("220 2.0.0 Go ahead"); err != nil {
		return err
	}
	if c.in.Buffered() > 0 {
		return errDone // words said before TLS must not count after it
	}
	c.conn = tls.Server(c.conn, c.world.serverTLS())
	c.in = bufio.NewReader(c.conn)
	c.tls, c.greet = true, false
	c.reset()
	return nil
}

func (c *smtpConn) auth(arg string) error {
	if c.world.opts.TLS && !c.tls {
		return c.reply("538 5.7.11 Encryption required")
	}
	mech, initial, _ := strings.Cut(arg, " ")
	var name string
	server := saslServer(mech, func(username, password string) error {
		name = username
		if c.world.store.login(username, password) == nil {
			return Refuse(535, "5.7.8 Authentication failed")
		}
		return nil
	})
	if server == nil {
		return c.reply("504 5.5.4 Unknown mechanism")
	}
	if refused, err := c.authenticate(server, initial); refused || err != nil {
		return err
	}
	if refused, err := c.scripted(StageAuth, name); refused || err != nil {
		return err
	}
	c.user = name
	return c.reply("235 2.7.0 Welcome")
}

// authenticate goes through the mechanism's challenges. It tells whether the
// command was refused; an error ends the conversation.
func (c *smtpConn) authenticate(server sasl.Server, initial string) (refused bool, err error) {
	var response []byte // nil until the client says something, were it nothing
	if initial != "" {
		b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(initial, "="))
		if err != nil {
			return true, c.reply("501 5.5.2 Not base64")
		}
		response = append([]byte{}, b...)
	}
	for {
		challenge, done, err := server.Next(response)
		if err != nil {
			return true, c.reply("535 5.7.8 Authentication failed")
		}
		if done {
			return false, nil
		}
		if response, err = c.challenge(challenge); err != nil {
			return true, err
		}
	}
}

func (c *smtpConn) challenge(b []byte) ([]byte, error) {
	if err := c.reply("334 %s", base64.StdEncoding.EncodeToString(b)); err != nil {
		return nil, err
	}
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	response, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return nil, errors.Join(c.reply("501 5.5.2 Not base64"), errDone)
	}
	return append([]byte{}, response...), nil
}

func (c *smtpConn) mailFrom(arg string) error {
	from, ok := path(arg, "FROM:")
	switch {
	case !c.greet || c.mail:
		return c.reply("503 5.5.1 Bad sequence of commands")
	case !ok:
		return c.reply("501 5.5.4 Syntax: MAIL FROM:<address>")
	case c.world.opts.RequireAuth && c.user == "":
		return c.reply("530 5.7.0 Authentication required")
	}
	if refused, err := c.scripted(StageMail, from); refused || err != nil {
		return err
	}
	c.mail, c.from = true, from
	return c.reply("250 2.1.0 OK")
}

func (c *smtpConn) rcptTo(arg string) error {
	to, ok := path(arg, "TO:")
	switch {
	case !c.mail:
		return c.reply("503 5.5.1 Bad sequence of commands")
	case !ok || to == "":
		return c.reply("501 5.5.4 Syntax: RCPT TO:<address>")
	}
	if refused, err := c.scripted(StageRcpt, to); refused || err != nil {
		return err
	}
	c.rcpts = append(c.rcpts, to)
	return c.reply("250 2.1.5 OK")
}

// path reads FROM:<address> or TO:<address>; parameters are ignored.
func path(arg, prefix string) (string, bool) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return "", false
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(arg[len(prefix):]), "<")
	end := strings.LastIndexByte(rest, '>')
	if !ok || end < 0 {
		return "", false
	}
	return rest[:end], true
}

// data takes the mail: every recipient gets it, and it is on record before the
// client is told.
func (c *smtpConn) data() error {
	if len(c.rcpts) == 0 {
		return c.reply("503 5.5.1 No valid recipients")
	}
	who := c.rcpts[0]
	if refused, err := c.scripted(StageData, who); refused || err != nil {
		return err
	}
	if err := c.reply("354 Go ahead"); err != nil {
		return err
	}
	b, err := c.body(who)
	if errors.Is(err, errTooLong) {
		c.reset()
		return c.reply("552 5.3.4 Message too big")
	}
	if err != nil {
		return err
	}
	mails := c.deliveries(b)
	c.reset()
	if refused, err := c.scripted(StageDot, who); refused || err != nil {
		return err
	}
	if r := c.world.border().refuses(mails[0]); r != nil {
		return c.reply("%d %s", r.Code, r.Text)
	}
	for _, d := range mails {
		c.world.take(d)
	}
	refused, err := c.scripted(StageTaken, who)
	if err == nil && !refused {
		err = c.reply("250 2.0.0 OK: queued")
	}
	c.world.tell(mails)
	return err
}

func (c *smtpConn) deliveries(b []byte) []Delivery {
	now := time.Now()
	out := make([]Delivery, len(c.rcpts))
	for i, to := range c.rcpts {
		out[i] = Delivery{From: c.from, To: to, Bytes: b, At: now, User: c.user}
	}
	return out
}

// body reads up to the final dot and takes the dots that protect lines away.
// A line ends with CR LF and nothing else.
func (c *smtpConn) body(who string) ([]byte, error) {
	var b []byte
	large, start, cr := false, true, false
	for first := true; ; {
		line, err := c.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, noEOF(err)
		}
		if start && string(line) == ".\r\n" {
			break
		}
		if start && len(line) > 0 && line[0] == '.' {
			line = line[1:]
		}
		large = large || int64(len(b)+len(line)) > c.world.opts.MaxMessageBytes
		if !large {
			b = append(b, line...)
		}
		start, cr = endsLine(line, cr)
		if first && start {
			first = false
			if refused, err := c.scripted(StageBody, who); refused || err != nil {
				return nil, errors.Join(err, errDone) // no reply has a place here
			}
		}
	}
	if large {
		return nil, errTooLong
	}
	return b, nil
}

// endsLine tells whether b ends with CR LF, and whether with a CR; cr says that
// what came before b ended with one.
func endsLine(b []byte, cr bool) (line, endsCR bool) {
	n := len(b)
	if n == 0 {
		return false, cr
	}
	if n > 1 {
		cr = b[n-2] == '\r'
	}
	return cr && b[n-1] == '\n', b[n-1] == '\r'
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
