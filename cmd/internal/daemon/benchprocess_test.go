package daemon_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/inbox/mailtest/keeper"
)

// benchPatience bounds one run of the benchmark.
const benchPatience = 10 * time.Minute

// benchSite is a site whose supportd is a process of its own, so that what it
// takes of the machine can be told from what the servers and the benchmark take.
type benchSite struct {
	b        *testing.B
	binary   string
	config   string
	stateDir string
}

// buildSupportd builds the program as it is installed.
func buildSupportd(b *testing.B) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "supportd")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "push.guru/supportd/cmd/supportd").CombinedOutput(); err != nil {
		b.Fatalf("building the program: %v\n%s", err, out)
	}
	return binary
}

// benchServers are the addresses of a site's mail servers, and its password for
// the mailbox.
type benchServers struct{ imaps, ca, password, smtp string }

// newBenchSite makes a site with an empty state and so many people in its user
// store.
func newBenchSite(b *testing.B, servers benchServers, binary string, people int) *benchSite {
	b.Helper()
	dir := b.TempDir()
	s := &benchSite{b: b, binary: binary, config: filepath.Join(dir, "site.toml"), stateDir: filepath.Join(dir, "state")}
	text := fmt.Sprintf(`state_dir = %q
[site]
name = "Site"
account_url = "https://site.test/account"
[staff]
notify = ["staff@office.test"]
[[mailbox]]
name = "support"
address = %q
imap = "imaps://%s"
ca_file = %q
password_file = "mail.pass"
first_run = "all"
[smtp]
server = "smtp+insecure://%s"
connections = %d
[proof]
trusted_authserv_ids = ["mx.site.test"]
own_hops = 1
[console]
listen = "127.0.0.1:0"
[log]
level = "warn"
`, s.stateDir, support, servers.imaps, servers.ca, servers.smtp, *benchConnections)
	file := filepath.Join(dir, "people.jsonl")
	err := errors.Join(os.WriteFile(filepath.Join(dir, "mail.pass"), []byte(servers.password+"\n"), 0o600),
		os.WriteFile(s.config, []byte(text), 0o600), os.WriteFile(file, []byte(benchPeople(people)), 0o600))
	if err != nil {
		b.Fatal(err)
	}
	if out, err := exec.CommandContext(b.Context(), binary, "users", "-c", s.config, "import", file).CombinedOutput(); err != nil {
		b.Fatalf("importing people: %v\n%s", err, out)
	}
	return s
}

// observe makes the site one that only observes: mail is taken in, and nothing
// else is done.
func (s *benchSite) observe() {
	s.b.Helper()
	text, err := os.ReadFile(s.config)
	if err == nil {
		err = os.WriteFile(s.config, append(text, "[policy]\nmode = \"observe\"\n"...), 0o600)
	}
	if err != nil {
		s.b.Fatal(err)
	}
}

// benchProcess is a supportd that runs.
type benchProcess struct {
	b     *testing.B
	cmd   *exec.Cmd
	began time.Time
	out   bytes.Buffer // readable after it has ended
	done  chan struct{}
	peak  atomic.Int64 // RssAnon, in KiB
	look  sync.WaitGroup
}

// start runs the daemon, under the words before it if there are any.
func (s *benchSite) start(before ...string) *benchProcess {
	s.b.Helper()
	words := append(before, s.binary, "run", "-c", s.config)
	p := &benchProcess{b: s.b, cmd: exec.Command(words[0], words[1:]...), began: time.Now(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		s.b.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.done)
	}()
	p.look.Go(p.watchMemory)
	return p
}

var rssAnon = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB$`)

// watchMemory notes the highest RssAnon until the process has ended.
func (p *benchProcess) watchMemory() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		if m := rssAnon.FindSubmatch(text); err == nil && m != nil {
			kib, _ := strconv.ParseInt(string(m[1]), 10, 64)
			p.peak.Store(max(p.peak.Load(), kib))
		}
	}
}

// until waits until count gives n, and how long that took since the start.
func (p *benchProcess) until(n int, count func() (int, error)) time.Duration {
	p.b.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := count()
		switch {
		case err != nil:
			p.end()
			p.b.Fatal(err)
		case got >= n:
			return time.Since(p.began)
		case time.Since(p.began) > benchPatience:
			p.end()
			p.b.Fatalf("%d of %d letters came within %v\n%s", got, n, benchPatience, p.out.String())
		}
		select {
		case <-tick.C:
		case <-p.done:
			p.b.Fatalf("the daemon ended with %v\n%s", p.cmd.ProcessState, p.out.String())
		}
	}
}

// end stops the daemon as a service manager does and gives its time on the
// processors.
func (p *benchProcess) end() (cpu time.Duration) {
	pid := p.cmd.Process.Pid
	if child, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)); err == nil && len(child) > 0 { // strace passes nothing on
		pid, _ = strconv.Atoi(string(bytes.Fields(child)[0]))
	}
	_ = syscall.Kill(pid, syscall.SIGTERM) // one that has ended needs none
	<-p.done
	p.look.Wait()
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// benchSink is an SMTP server that accepts everything and keeps nothing.
type benchSink struct {
	Addr string
	got  atomic.Int64
}

var sinkCount = regexp.MustCompile(`mesg=(\d+)`)

// startSink runs Postfix's smtp-sink until the benchmark ends.
func startSink(b *testing.B) *benchSink {
	b.Helper()
	host, ports, err := keeper.FreePorts(1)
	if err != nil {
		b.Fatal(err)
	}
	s := &benchSink{Addr: net.JoinHostPort(host, ports[0])}
	cmd := exec.Command("smtp-sink", "-c", "-u", "postfix", s.Addr, "100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { s.count(out) })
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait() // it was killed
	})
	for began := time.Now(); time.Since(began) < benchPatience; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", s.Addr); err == nil {
			conn.Close()
			return s
		}
	}
	b.Fatal("smtp-sink does not listen")
	return nil
}

// count follows what smtp-sink prints.
func (s *benchSink) count(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Split(scanReturns)
	for lines.Scan() {
		if m := sinkCount.FindStringSubmatch(lines.Text()); m != nil {
			n, _ := strconv.ParseInt(m[1], 10, 64)
			s.got.Store(n)
		}
	}
}

// scanReturns splits at carriage returns.
func scanReturns(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\r'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// since gives a counter of the mails that come from now on.
func (s *benchSink) since() func() (int, error) {
	before := s.got.Load()
	return func() (int, error) { return int(s.got.Load() - before), nil }
}

// syncs reads a table of strace, names and numbers: the calls of fsync and fdatasync.
func syncs(table string) (n int) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) == 2 && (f[0] == "fsync" || f[0] == "fdatasync") {
			calls, _ := strconv.Atoi(f[1])
			n += calls
		}
	}
	return n
}
