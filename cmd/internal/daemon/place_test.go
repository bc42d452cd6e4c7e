package daemon_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
)

// staff is where notices to staff go.
const staff = "staff@office.test"

// setup says in what a place differs from the plain one.
type setup struct {
	more    string   // configuration that is added
	replace []string // old, new: what is changed in the configuration
	world   mailtest.Options
	opt     daemon.Options
	nobody  bool                    // the user store stays empty
	wrap    func(net.Conn) net.Conn // around each IMAP connection of the daemon
	relay   func(net.Conn) net.Conn // the same for SMTP
	before  func(w *mailtest.World) // runs before the daemon is opened
}

// place is a mail world with a supportd in it, in virtual time.
type place struct {
	*mailtest.World
	t      *testing.T
	d      *daemon.Daemon
	cfg    *config.Config
	opt    daemon.Options
	log    notes
	down   atomic.Bool // the IMAP server cannot be reached
	cancel context.CancelFunc
	done   chan error
}

// notes is a log that can be read while it is written.
type notes struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

// inPlace runs f beside a place whose daemon is open but does not run yet.
func inPlace(t *testing.T, s setup, f func(p *place)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &place{t: t, opt: s.opt}
		dir := t.TempDir()
		p.build(s, dir)
		defer func() {
			if err := p.World.Close(); err != nil {
				t.Error(err)
			}
		}()
		p.cfg = site(t, dir, s.more, s.replace...)
		p.open()
		if !s.nobody {
			if err := p.d.ImportPeople(t.Context(), talk.People()); err != nil {
				t.Fatal(err)
			}
		}
		f(p)
		p.stop()
		p.checkOpen()
		if err := p.d.Close(); err != nil {
			t.Error(err)
		}
	})
}

// checkOpen holds the index of what is open against a full count, whatever the
// story was.
func (p *place) checkOpen() {
	p.t.Helper()
	faults, err := p.d.CheckOpen()
	if err != nil {
		p.t.Error(err)
	}
	for _, f := range faults {
		p.t.Error(f)
	}
}

// build makes the world, and what the daemon sees of it.
func (p *place) build(s setup, dir string) {
	s.world.InMemory = true
	w, err := mailtest.New(s.world)
	if err != nil {
		p.t.Fatal(err)
	}
	p.World = w
	if err := w.AddUser(support, "secret"); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), w.CA(), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if s.before != nil {
		s.before(w)
	}
	p.opt.Log = slog.New(slog.NewTextHandler(io.MultiWriter(&p.log, warnings{p.t.Output()}), nil))
	p.opt.NoSocket, p.opt.NoConsole = true, true
	p.opt.DialIMAP = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return p.dialIMAP(ctx, network, addr, s)
	}
	p.opt.DialSMTP = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return p.dialSMTP(ctx, network, addr, s)
	}
}

func (p *place) dialSMTP(ctx context.Context, network, configured string, s setup) (net.Conn, error) {
	addr := p.SMTPAddr()
	if strings.HasSuffix(configured, ":465") {
		addr = p.SMTPSAddr()
	}
	conn, err := p.DialSMTP(ctx, network, addr)
	if err == nil && s.relay != nil {
		conn = s.relay(conn)
	}
	return conn, err
}

func (p *place) dialIMAP(ctx context.Context, network, configured string, s setup) (net.Conn, error) {
	if p.down.Load() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	addr := p.IMAPAddr()
	if strings.HasSuffix(configured, ":993") {
		addr = p.IMAPSAddr()
	}
	conn, err := p.DialIMAP(ctx, network, addr)
	if err == nil && s.wrap != nil {
		conn = s.wrap(conn)
	}
	return conn, err
}

// warnings passes on the lines of a log that are worth seeing beside a test.
type warnings struct{ io.Writer }

func (w warnings) Write(line []byte) (int, error) {
	if !bytes.Contains(line, []byte("level=WARN")) && !bytes.Contains(line, []byte("level=ERROR")) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}

func (p *place) open() {
	p.t.Helper()
	d, err := daemon.Open(p.t.Context(), p.cfg, p.opt)
	if err != nil {
		p.t.Fatal(err)
	}
	p.d = d
}

// start lets the daemon run, until it has nothing to do at the moment.
func (p *place) start() {
	ctx, cancel := context.WithCancel(p.t.Context())
	p.cancel, p.done = cancel, make(chan error, 1)
	go func() { p.done <- p.d.Run(ctx) }()
	synctest.Wait()
}

// stop ends a running daemon, which must agree.
func (p *place) stop() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	if err := <-p.done; err != nil {
		p.t.Error(err)
	}
	p.cancel = nil
}

// reopen starts a new daemon over the same state, as a restart does.
func (p *place) reopen() {
	p.stop()
	if err := p.d.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.open()
}

// passes lets time pass, and the daemon do what became due.
func (p *place) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// takes delivers a mail and lets the daemon deal with it.
func (p *place) takes(from, subject, text string, opts ...mailtest.MailOption) []byte {
	raw := p.Send(from, support, subject, text, opts...)
	synctest.Wait()
	return raw
}

// deliver puts a raw mail into the support mailbox.
func (p *place) deliver(raw string, opts ...mailtest.MailOption) {
	p.t.Helper()
	if err := p.Deliver(support, []byte(raw), opts...); err != nil {
		p.t.Fatal(err)
	}
	synctest.Wait()
}

func (p *place) call(c control.Call) error {
	return p.ask(c, func(any) error { return nil })
}

func (p *place) ask(c control.Call, put func(any) error) error {
	return p.d.Service().Do(p.t.Context(), "tester", c, strings.NewReader(""), put)
}

// must makes a call that may not fail.
func (p *place) must(c control.Call) {
	p.t.Helper()
	if err := p.call(c); err != nil {
		p.t.Fatalf("%s %s: %v", c.Verb, c.ID, err)
	}
}

// list collects the answer to a call as values of T.
func list[T any](p *place, c control.Call) []T {
	p.t.Helper()
	var out []T
	err := p.ask(c, func(item any) error {
		b, err := json.Marshal(item)
		if err != nil {
			return err
		}
		var v T
		err = json.Unmarshal(b, &v)
		out = append(out, v)
		return err
	})
	if err != nil {
		p.t.Fatalf("%s: %v", c.Verb, err)
	}
	return out
}

func (p *place) mails() []review.MailView {
	p.t.Helper()
	return list[review.MailView](p, control.Call{Verb: "mails list"})
}

func (p *place) actions() []review.ActionView {
	p.t.Helper()
	return list[review.ActionView](p, control.Call{Verb: "actions list"})
}

func (p *place) reconcile() intake.Account {
	p.t.Helper()
	return list[intake.Account](p, control.Call{Verb: "reconcile"})[0]
}

// wantMails compares the end states of all mails, oldest first.
func (p *place) wantMails(want ...inbox.MailState) {
	p.t.Helper()
	var got []string
	same := true
	for i, m := range p.mails() {
		got = append(got, string(m.State)+" ("+m.Reason+")")
		same = same && i < len(want) && m.State == want[i]
	}
	if !same || len(got) != len(want) {
		p.t.Errorf("the mails are %q, want %q", got, want)
	}
}

// wantActions compares the states of all actions, oldest first, as "kind state".
func (p *place) wantActions(want ...string) {
	p.t.Helper()
	var got []string
	for _, a := range p.actions() {
		got = append(got, string(a.Kind)+" "+string(a.State))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		p.t.Errorf("the actions are %q, want %q", got, want)
	}
}

// lettersTo gives what an address has got from us.
func (p *place) lettersTo(addr string) []mailtest.Delivery {
	var out []mailtest.Delivery
	for _, d := range p.Sent() {
		if d.To == addr {
			out = append(out, d)
		}
	}
	return out
}

// wantLetters compares the names of the letters that an address has got.
func (p *place) wantLetters(addr string, want ...string) {
	p.t.Helper()
	var got []string
	for _, d := range p.lettersTo(addr) {
		got = append(got, p.d.Letter(d.MessageID()))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		p.t.Errorf("%s got the letters %q, want %q", addr, got, want)
	}
}

// wantLog looks for a line of the log that has every one of the words.
func (p *place) wantLog(words ...string) {
	p.t.Helper()
	for line := range strings.Lines(p.log.String()) {
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(line, w)
		}
		if !missing {
			return
		}
	}
	p.t.Errorf("no line of the log has all of %q", words)
}

// client is somebody else at a mailbox: staff with a mail program.
type client struct {
	t   *testing.T
	in  *bufio.Reader
	out io.Writer
	n   int
}

// imap runs f with a client that is logged in to a mailbox, and lets the
// daemon react.
func imap(p *place, user string, f func(c *client)) {
	p.t.Helper()
	conn, err := p.DialIMAP(p.t.Context(), "tcp", p.IMAPAddr())
	if err != nil {
		p.t.Fatal(err)
	}
	c := &client{t: p.t, in: bufio.NewReader(conn), out: conn}
	c.line() // the greeting
	c.must("LOGIN " + user + " secret")
	f(c)
	c.must("LOGOUT")
	if err := conn.Close(); err != nil {
		p.t.Error(err)
	}
	synctest.Wait()
}

// must sends a command, which the server has to accept.
func (c *client) must(command string) {
	c.t.Helper()
	c.n++
	tag := fmt.Sprintf("c%d", c.n)
	if _, err := fmt.Fprintf(c.out, "%s %s\r\n", tag, command); err != nil {
		c.t.Fatal(err)
	}
	for {
		line := c.line()
		if answer, ok := strings.CutPrefix(line, tag+" "); ok {
			if !strings.HasPrefix(answer, "OK") {
				c.t.Fatalf("%s: %s", command, line)
			}
			return
		}
	}
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	return line
}

// append puts a mail into a folder.
func (c *client) append(folder, mail string) {
	c.t.Helper()
	c.must(fmt.Sprintf("APPEND %s {%d+}\r\n%s", folder, len(mail), mail))
}

// swapPassword puts another password into the file that the daemon reads.
func (p *place) swapPassword(to string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(p.cfg.StateDir), "pass"), []byte(to+"\n"), 0o600); err != nil {
		p.t.Fatal(err)
	}
}
