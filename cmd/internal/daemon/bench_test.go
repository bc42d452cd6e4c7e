package daemon_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/mailtest/realmail"
)

var (
	benchCount       = flag.Int("mails", 2000, "the benchmark's mails, each from another person")
	benchLong        = flag.Int("long", 10000, "the mails of the benchmark's run that looks at memory and processor")
	benchRounds      = flag.Int("rounds", 5, "how often the benchmark repeats what it takes the median of")
	benchConnections = flag.Int("connections", 4, "the benchmark's SMTP connections")
	benchSamples     = flag.Int("samples", 200, "the mails of which the benchmark measures the latency")
	benchOnly        = flag.String("only", "", "the parts of the benchmark to run: delivered, sink, intake, long, syncs, latency; default all")
)

// row is a line of the table.
type row struct{ what, goal, result, floor string }

// table collects what was measured.
type table struct{ rows []row }

func (t *table) add(what, goal, result, floor string) {
	t.rows = append(t.rows, row{what, goal, result, floor})
	fmt.Printf("%s: %s\n", what, result) // the whole table takes minutes
}

// String gives the table as Markdown has it.
func (t *table) String() string {
	var s strings.Builder
	line := func(r row) {
		fmt.Fprintf(&s, "| %-52s | %-20s | %-24s | %s |\n", r.what, r.goal, r.result, r.floor)
	}
	line(row{"what", "goal", "result", "beside it"})
	fmt.Fprintln(&s, "|---|---|---|---|")
	for _, r := range t.rows {
		line(r)
	}
	return s.String()
}

// BenchmarkSupportd measures the whole way of a mail with real servers on this
// machine and prints a table of goals and results; what a result is measured
// against stands beside it, measured in the same run and in turn with it. The
// mails of benchLetters lie in a private Dovecot that is read over TLS; the
// letters go to a private Postfix that delivers them into Dovecot, or to a sink
// that accepts them and does nothing. The time of a run begins with the start of
// the program, and every mail must be answered.
func BenchmarkSupportd(b *testing.B) {
	servers := realmail.Start(b)
	m := &measuring{b: b, servers: servers, binary: buildSupportd(b), sink: startSink(b)}
	parts := []struct {
		name string
		run  func()
	}{{"delivered", m.delivered}, {"sink", m.accepted}, {"intake", m.intake}, {"long", m.long}, {"syncs", m.syncs}, {"latency", m.latency}}
	for _, p := range parts {
		if *benchOnly == "" || slices.Contains(strings.Split(*benchOnly, ","), p.name) {
			p.run()
		}
	}
	fmt.Printf("\n%s\n", m.String())
	b.ReportMetric(0, "ns/op") // what counts is in the table
}

// measuring is one run of the benchmark.
type measuring struct {
	table
	b       *testing.B
	servers *realmail.Servers
	binary  string
	sink    *benchSink
}

// fill makes a site with mails that wait.
func (m *measuring) fill(smtp string, mails int) *benchSite {
	m.b.Helper()
	s := newBenchSite(m.b, benchServers{m.servers.IMAPSAddr, m.servers.CAFile, m.servers.Password, smtp}, m.binary, mails)
	if err := m.servers.Fill(support, benchMails(mails)); err != nil {
		m.b.Fatal(err)
	}
	return s
}

// delivered compares the whole way with what smtp-source reaches.
func (m *measuring) delivered() {
	var ours, floors []float64
	for range *benchRounds {
		floors = append(floors, m.source())
		s := m.fill(m.servers.SMTPAddr, *benchCount)
		p := s.start()
		ours = append(ours, rate(*benchCount, p.until(*benchCount, m.deliveries())))
		p.end()
	}
	us, floor := median(ours), median(floors)
	m.add(fmt.Sprintf("mailbox to delivered reply, %d mails", *benchCount), ">= 70 % of floor", fmt.Sprintf("%.0f mails/s (%.0f %%)", us, 100*us/floor),
		fmt.Sprintf("smtp-source: %.0f mails/s, both over %d connections, median of %d", floor, *benchConnections, *benchRounds))
}

// deliveries gives a counter of what Postfix delivers from now on.
func (m *measuring) deliveries() func() (int, error) {
	before, err := m.servers.Delivered()
	return func() (int, error) {
		now, failure := m.servers.Delivered()
		return now - before, errors.Join(err, failure)
	}
}

// replyBytes is how large a letter of ours is at the mean.
const replyBytes = 5500

// source gives how many mails a second smtp-source has delivered.
func (m *measuring) source() float64 {
	m.b.Helper()
	count := m.deliveries()
	began := time.Now()
	out, err := exec.Command("smtp-source", "-d", "-N", "-s", strconv.Itoa(*benchConnections), "-m", strconv.Itoa(*benchCount), "-l", strconv.Itoa(replyBytes),
		"-f", support, "-t", "floor@users.test", m.servers.SMTPAddr).CombinedOutput()
	if err != nil {
		m.b.Fatalf("smtp-source: %v\n%s", err, out)
	}
	for {
		n, err := count()
		if err != nil {
			m.b.Fatal(err)
		}
		if n >= *benchCount {
			return rate(*benchCount, time.Since(began))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// accepted measures the whole way where the server only accepts.
func (m *measuring) accepted() {
	var ours []float64
	for range *benchRounds {
		s := m.fill(m.sink.Addr, *benchCount)
		count := m.sink.since()
		p := s.start()
		ours = append(ours, rate(*benchCount, p.until(*benchCount, count)))
		p.end()
	}
	m.add("the same against a sink that only accepts", ">= 400 mails/s", fmt.Sprintf("%.0f mails/s", median(ours)), fmt.Sprintf("median of %d", *benchRounds))
}

// intake measures taking mail in: alone, as a site does that only observes, and
// with the letters that it makes due and the acknowledgement, while nothing is
// sent or carried out.
func (m *measuring) intake() {
	var alone, whole, floors []float64
	for range *benchRounds {
		s := m.fill(m.sink.Addr, *benchCount)
		s.observe()
		floors = append(floors, m.rawFetch())
		alone = append(alone, m.takeIn(s))
		whole = append(whole, m.takeIn(m.fill(m.sink.Addr, *benchCount)))
	}
	us, floor := median(alone), median(floors)
	m.add("intake alone: fetch, parse, authenticate, classify, commit", ">= 1500 mails/s", fmt.Sprintf("%.0f mails/s", us),
		fmt.Sprintf("raw fetch over TLS: %.0f mails/s (%.0f %%), median of %d", floor, 100*us/floor, *benchRounds))
	m.add("the same with the letters it writes and the acknowledgement", "", fmt.Sprintf("%.0f mails/s", median(whole)), fmt.Sprintf("median of %d", *benchRounds))
}

// takeIn runs intake in this process, so that it can be profiled.
func (m *measuring) takeIn(s *benchSite) float64 {
	m.b.Helper()
	cfg, err := config.Load(s.config)
	if err != nil {
		m.b.Fatal(err)
	}
	d, err := daemon.Open(m.b.Context(), cfg, daemon.Options{})
	if err != nil {
		m.b.Fatal(err)
	}
	err = d.Service().Do(m.b.Context(), "bench", control.Call{Verb: "pause", Effects: true, Replies: true}, strings.NewReader(""), func(any) error { return nil })
	began := time.Now()
	err = errors.Join(err, d.Once(m.b.Context()))
	took := time.Since(began)
	n := 0
	err = errors.Join(err, d.Service().Do(m.b.Context(), "bench", control.Call{Verb: "mails list"}, strings.NewReader(""), func(any) error { n++; return nil }), d.Close())
	if err != nil || n != *benchCount {
		m.b.Fatalf("%d mails were taken: %v", n, err)
	}
	return rate(n, took)
}

// rawFetch gives how many mails a second come with one command.
func (m *measuring) rawFetch() float64 {
	m.b.Helper()
	c := m.selectInbox()
	defer c.Close()
	began := time.Now()
	c.say("c", "UID FETCH 1:* (UID INTERNALDATE BODY.PEEK[])")
	return rate(*benchCount, time.Since(began))
}

// rawClient is a connection to Dovecot on which the mailbox is selected.
type rawClient struct {
	*tls.Conn
	b *testing.B
}

func (m *measuring) selectInbox() rawClient {
	m.b.Helper()
	conn, err := tls.Dial("tcp", m.servers.IMAPSAddr, m.servers.TLS())
	if err != nil {
		m.b.Fatal(err)
	}
	c := rawClient{conn, m.b}
	c.say("a", fmt.Sprintf("LOGIN %s %s", support, m.servers.Password))
	c.say("b", "SELECT INBOX")
	return c
}

// say sends a command and waits until the server has done it.
func (c rawClient) say(tag, command string) {
	c.b.Helper()
	_, err := fmt.Fprintf(c, "%s %s\r\n", tag, command)
	if err = errors.Join(err, readTo(c, "\r\n"+tag+" OK")); err != nil {
		c.b.Fatalf("%s: %v", command, err)
	}
}

// readTo reads until the words have come.
func readTo(r io.Reader, words string) error {
	buf, tail := make([]byte, 64<<10), []byte(nil)
	for {
		n, err := r.Read(buf)
		tail = append(tail, buf[:n]...)
		if bytes.Contains(tail, []byte(words)) {
			return nil
		}
		if err != nil {
			return err
		}
		tail = slices.Clone(tail[max(0, len(tail)-len(words)):])
	}
}

// long measures memory and processor over a long run.
func (m *measuring) long() {
	s := m.fill(m.sink.Addr, *benchLong)
	count := m.sink.since()
	p := s.start()
	took := p.until(*benchLong, count)
	cpu := p.end()
	m.add(fmt.Sprintf("peak RssAnon, %d mails", *benchLong), "< 64 MB", fmt.Sprintf("%.1f MB", float64(p.peak.Load())*1024/1e6), fmt.Sprintf("%.0f mails/s to the sink", rate(*benchLong, took)))
	m.add("processor time a mail, whole loop", "< 2 ms", fmt.Sprintf("%.2f ms", float64(cpu.Microseconds())/1000/float64(*benchLong)), "rusage of the process, start-up included")
}

// syncs counts what is forced to disk.
func (m *measuring) syncs() {
	const what, goal = "fsyncs a mail, whole loop, a backlog waits", "< 0.3"
	strace, err := exec.LookPath("strace")
	if err != nil {
		m.add(what, goal, "not measured", "install strace")
		return
	}
	s := m.fill(m.sink.Addr, *benchCount)
	file := filepath.Join(m.b.TempDir(), "strace")
	count := m.sink.since()
	p := s.start(strace, "-f", "-c", "-U", "name,calls", "-e", "trace=fsync,fdatasync", "-o", file)
	p.until(*benchCount, count)
	p.end()
	text, err := os.ReadFile(file)
	if err != nil {
		m.b.Fatal(err)
	}
	m.add(what, goal, fmt.Sprintf("%.2f", float64(syncs(string(text)))/float64(*benchCount)), "counted by strace")
}

// latency measures, one mail at a time while everybody is idle, from the moment
// at which a mail arrives to the moment at which the reply was handed to an SMTP
// server. The mailbox is one whose server tells idle clients at once, over TLS;
// Dovecot waits half a second for more mail, which no client can shorten.
func (m *measuring) latency() {
	world, err := mailtest.New(mailtest.Options{TLS: true, Aligned: true})
	if err != nil {
		m.b.Fatal(err)
	}
	defer world.Close()
	ca := filepath.Join(m.b.TempDir(), "ca.pem")
	if err := errors.Join(world.AddUser(support, m.servers.Password), os.WriteFile(ca, world.CA(), 0o600)); err != nil {
		m.b.Fatal(err)
	}
	s := newBenchSite(m.b, benchServers{world.IMAPSAddr(), ca, m.servers.Password, world.SMTPAddr()}, m.binary, *benchSamples+1)
	letters := make(chan mailtest.Delivery, 3**benchSamples)
	world.OnSent(func(d mailtest.Delivery) { letters <- d })
	p := s.start()
	defer p.end()
	var took []time.Duration
	for n := range *benchSamples + 1 {
		arrived := m.arrives(world, n)
		m.replied(p, letters, n)
		if n > 0 { // the first waits for the start
			took = append(took, time.Since(arrived))
		}
		time.Sleep(30 * time.Millisecond) // until everybody is idle again
	}
	m.add("latency with IDLE, one mail at a time", "p50 < 100, p99 < 300 ms", fmt.Sprintf("p50 %.0f, p99 %.0f ms", ms(quantile(took, .5)), ms(quantile(took, .99))),
		fmt.Sprintf("%d mails, of a server that tells at once; Dovecot tells after 500 ms", len(took)))
}

// arrives puts the mail of a person into the mailbox and gives when.
func (m *measuring) arrives(world *mailtest.World, n int) time.Time {
	m.b.Helper()
	raw, err := benchWritten(n)
	now := time.Now()
	if err == nil {
		err = world.Deliver(support, raw)
	}
	if err != nil {
		m.b.Fatal(err)
	}
	return now
}

// replied waits for the first letter to a person, who may get more than one.
func (m *measuring) replied(p *benchProcess, letters <-chan mailtest.Delivery, n int) {
	m.b.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case d := <-letters:
			if d.To == benchPerson(n) {
				return
			}
		case <-late:
			m.b.Fatalf("the mail of person %d has no answer\n%s", n, p.out.String())
		}
	}
}

func quantile(took []time.Duration, q float64) time.Duration {
	slices.Sort(took)
	return took[int(q*float64(len(took)-1))]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func rate(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
