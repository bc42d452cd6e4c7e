package realmail

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/mailtest/keeper"
)

const (
	dovecotBin = "/usr/sbin/dovecot"
	masterBin  = "/usr/lib/postfix/sbin/master"
	lmtpBin    = "/usr/lib/dovecot/lmtp"

	// patience bounds how long the servers may take to start, to stop, and to
	// pass on a mail.
	patience = 30 * time.Second
)

// AuthservID is whose Authentication-Results DeliverAs writes.
const AuthservID = "mx.site.test"

// Servers is a running pair. The addresses are host:port.
type Servers struct {
	IMAPAddr        string // STARTTLS; no password before it
	IMAPSAddr       string
	SubmissionAddr  string // STARTTLS and AUTH
	SubmissionsAddr string // TLS and AUTH
	SMTPAddr        string // as the internet sees it: no AUTH
	LMTPAddr        string // straight into Dovecot
	CAFile          string // PEM; what clients must trust
	Password        string // of every user

	border    bool
	dir       string
	authority *mailtest.Authority

	reading   sync.Mutex
	readTo    int64 // of the log of Postfix
	delivered int   // as told before there
}

// Start runs a pair of servers until the test ends. Where they are not
// installed, or the test is not root, it skips the test; with SUPPORTD_REAL=1
// in the environment it fails it.
func Start(t testing.TB) *Servers {
	t.Helper()
	return start(t, false)
}

// StartWithBorder is Start with a Postfix that removes Authentication-Results of
// AuthservID from all mail that it takes, and writes its own, dmarc=none, on
// what comes to SMTPAddr.
func StartWithBorder(t testing.TB) *Servers {
	t.Helper()
	return start(t, true)
}

func start(t testing.TB, border bool) *Servers {
	t.Helper()
	if why := missing(); why != "" {
		if os.Getenv("SUPPORTD_REAL") == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	s := &Servers{Password: rand.Text(), border: border}
	if err := s.prepare(); err != nil {
		t.Fatal(errors.Join(err, os.RemoveAll(s.dir)))
	}
	stop, err := s.run()
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stopping the mail servers: %v", err)
		}
		if t.Failed() {
			t.Logf("what the mail servers logged:\n%s", s.Logs())
		}
		if err := os.RemoveAll(s.dir); err != nil {
			t.Errorf("removing the mail servers' directory: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// missing says what keeps the servers from running, or "".
func missing() string {
	for _, bin := range []string{dovecotBin, lmtpBin, masterBin} {
		if _, err := os.Stat(bin); err != nil {
			return "there is no " + bin + ": to run the tests against real mail servers, install Debian's dovecot-imapd, dovecot-lmtpd and postfix"
		}
	}
	if os.Geteuid() != 0 {
		return "Dovecot and Postfix change user, which takes root: run the tests against real mail servers as root"
	}
	return ""
}

// prepare makes the directory and everything in it.
func (s *Servers) prepare() error {
	dir, err := os.MkdirTemp("", "mail")
	if err != nil {
		return fmt.Errorf("making the mail servers' directory: %w", err)
	}
	s.dir, s.CAFile = dir, filepath.Join(dir, "ca.pem")
	if err := s.directories(); err != nil {
		return err
	}
	host, ports, err := keeper.FreePorts(6)
	if err != nil {
		return err
	}
	at := func(i int) string { return net.JoinHostPort(host, ports[i]) }
	s.IMAPAddr, s.IMAPSAddr, s.LMTPAddr = at(0), at(1), at(2)
	s.SMTPAddr, s.SubmissionAddr, s.SubmissionsAddr = at(3), at(4), at(5)
	if err := s.certify(host); err != nil {
		return err
	}
	checks, writes := "", ""
	if s.border {
		checks, writes = "header_checks = regexp:"+dir+"/postfix/headers\n", borderWrites
	}
	return s.configure(map[string]string{
		"border checks": checks, "border writes": writes,
		"dir": dir, "name": filepath.Base(dir), "host": host, "uid": strconv.Itoa(mailUID), "password": s.Password,
		"imap": ports[0], "imaps": ports[1], "lmtp": ports[2], "smtp": ports[3], "submission": ports[4], "submissions": ports[5],
	})
}

// directories makes what the servers expect to find. For the queue that is
// what "postfix check" would make, which takes seconds.
func (s *Servers) directories() error {
	uid, gid, err := postfixIDs()
	if err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return fmt.Errorf("opening the mail servers' directory: %w", err)
	}
	type place struct {
		name     string
		mode     os.FileMode
		uid, gid int
	}
	dirs := []place{
		{"postfix", 0o755, 0, 0}, {"run", 0o755, 0, 0}, {"state", 0o755, 0, 0},
		{"mail", 0o755, mailUID, mailUID}, {"data", 0o700, uid, 0},
		{"queue", 0o755, 0, 0}, {"queue/pid", 0o755, 0, 0},
		{"queue/public", 0o710, uid, gid}, {"queue/maildrop", 0o730, uid, gid},
	}
	for _, name := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"} {
		dirs = append(dirs, place{"queue/" + name, 0o700, uid, 0})
	}
	for _, d := range dirs {
		path := filepath.Join(s.dir, d.name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chown(path, d.uid, d.gid), os.Chmod(path, d.mode)); err != nil {
			return fmt.Errorf("making a directory for the mail servers: %w", err)
		}
	}
	return nil
}

// postfixIDs gives the user of Postfix and the group that may post mail.
func postfixIDs() (uid, gid int, err error) {
	u, err := user.Lookup("postfix")
	if err != nil {
		return 0, 0, fmt.Errorf("finding the user of Postfix: %w", err)
	}
	g, err := user.LookupGroup("postdrop")
	if err != nil {
		return 0, 0, fmt.Errorf("finding the group of Postfix: %w", err)
	}
	uid, errU := strconv.Atoi(u.Uid)
	gid, errG := strconv.Atoi(g.Gid)
	return uid, gid, errors.Join(errU, errG)
}

func (s *Servers) certify(host string) error {
	a, err := mailtest.NewAuthority(host, "127.0.0.1", "localhost", "mail.site.test")
	if err != nil {
		return err
	}
	cert, key, err := a.ServerPEM()
	if err != nil {
		return err
	}
	s.authority = a
	err = errors.Join(
		os.WriteFile(s.CAFile, a.PEM(), 0o644),
		os.WriteFile(filepath.Join(s.dir, "server.pem"), cert, 0o644),
		os.WriteFile(filepath.Join(s.dir, "server.key"), key, 0o600))
	if err != nil {
		return fmt.Errorf("writing the mail servers' certificate: %w", err)
	}
	return nil
}

// run starts both servers and waits until every port answers. stop ends what
// was started, also after an error.
func (s *Servers) run() (stop func() error, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	k := keeper.New(filepath.Join(s.dir, "out.log"))
	err = errors.Join(
		k.Start(exec.Command(dovecotBin, "-F", "-c", filepath.Join(s.dir, "dovecot.conf")), syscall.SIGTERM),
		k.Start(exec.Command(masterBin, "-c", filepath.Join(s.dir, "postfix"), "-s"), syscall.SIGTERM))
	for _, addr := range []string{s.IMAPAddr, s.IMAPSAddr, s.LMTPAddr, s.SMTPAddr, s.SubmissionAddr, s.SubmissionsAddr} {
		if err == nil {
			err = k.Answering(ctx, addr)
		}
	}
	return k.Stop, err
}

// trouble is what the servers say where something went wrong.
var trouble = regexp.MustCompile(`(?i)warning|error|fatal|panic|reject|bounced|deferred|timed? ?out|lost|refused|failed`)

// Logs gives what the servers have logged of trouble so far, and all that their
// programs have printed: the rest is a line or more for each mail, under which the
// failure of a test would be buried.
func (s *Servers) Logs() string {
	var b strings.Builder
	for _, name := range []string{"out.log", "dovecot.log", "postfix.log"} {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			fmt.Fprintf(&b, "--- %s: %v\n", name, err)
			continue
		}
		fmt.Fprintf(&b, "--- %s, %d bytes\n", name, len(text))
		for line := range bytes.Lines(text) {
			if name == "out.log" || trouble.Match(line) {
				fmt.Fprintf(&b, "%s\n", bytes.TrimRight(line, "\n"))
			}
		}
	}
	return b.String()
}
