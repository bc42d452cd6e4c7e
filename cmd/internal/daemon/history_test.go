package daemon_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/state"
)

// inOne is how many finished actions are written in one transaction.
const inOne = 50_000

// finished writes so many Cases into a state that nobody has open: a mail, an
// Action that was carried out, and its answer that was sent, each of another
// person, forgotten or not as the times say.
func finished(t testing.TB, dir string, n int, ended time.Time) {
	t.Helper()
	db, err := state.Open(state.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < n; from += inOne {
		to := min(n, from+inOne)
		err := errors.Join(db.Reserve(to-from), db.Update(t.Context(), "history", func(tx *state.Tx) error {
			for i := from; i < to; i++ {
				if err := finish(tx, i, ended); err != nil {
					return err
				}
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func finish(tx *state.Tx, i int, ended time.Time) error {
	id, err := tx.NewMailID()
	if err != nil {
		return err
	}
	addr, person := fmt.Sprintf("past%d@elsewhere.test", i), fmt.Sprint("past-", i)
	ref := inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(i%4_000_000_000) + 1_000_000}
	m := &inbox.Mail{ID: id, Ref: ref, Received: ended, State: inbox.MailActed, Language: "en", Digest: sha256.Sum256([]byte(addr)),
		Detail: &inbox.MailDetail{From: inbox.Address{Addr: addr}, Subject: "my number", Text: "Please remove my phone number.", Person: person}}
	a := &inbox.Action{Case: id, Kind: inbox.KindChange, Mailbox: "support", Language: "en", Received: ended,
		Detail: &inbox.ActionDetail{Person: person, Address: addr}}
	err = errors.Join(tx.Account(ref, id, false), tx.Identify(id, m.Digest, inbox.Digest{1}, addr), tx.Sign(id, addr, [][32]byte{m.Digest}),
		tx.Tie(state.TieAddress, addr, id), tx.Tie(state.TiePerson, person, id), tx.NewAction(a, inbox.EventAccept, "supportd"))
	if err != nil {
		return err
	}
	reply, err := tx.NewReplyID()
	if err != nil {
		return err
	}
	m.Actions, m.Ended = []inbox.ActionID{a.ID}, ended
	a.State, a.Ended = inbox.StateDone, ended // not by its events: a million take long enough
	return errors.Join(tx.PutAction(a), tx.PutMail(m), tx.AddReply(&inbox.Reply{ID: reply, Case: id, Name: "done", Mailbox: "support", State: inbox.ReplySent, Created: ended, Sent: ended,
		Detail: &inbox.ReplyDetail{MessageID: tx.MessageID(reply, "site.test"), To: addr, Subject: "Re: my number", Text: "Done."}}))
}

// reads opens a daemon over a state with n finished actions, takes a mail, and
// lets it tidy, and gives what each has read of the state.
func reads(t *testing.T, n int) (start, mail, tidy int64) {
	inPlace(t, setup{}, func(p *place) {
		if err := p.d.Close(); err != nil {
			t.Fatal(err)
		}
		finished(t, p.cfg.StateDir, n, time.Now().Add(-40*24*time.Hour)) // longer ago than the shortest retention, which is not theirs
		p.open()
		p.start()
		start = p.d.Reads()
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.wantLetters("alice@users.test", "result")
		mail = p.d.Reads() - start
		before := p.d.Reads()
		if err := p.d.Tidy(p.t.Context()); err != nil {
			t.Error(err)
		}
		tidy = p.d.Reads() - before
	})
	return start, mail, tidy
}

// TestHistoryReads: what a start and a new mail read does not grow with what has
// ended, and what tidying reads has a bound.
func TestHistoryReads(t *testing.T) {
	start1, mail1, tidy1 := reads(t, 1000)
	start2, mail2, tidy2 := reads(t, 20_000)
	t.Logf("start %d and %d, a mail %d and %d, tidying %d and %d", start1, start2, mail1, mail2, tidy1, tidy2)
	const bound = 100_000 // entries of the buckets that are swept, so many each
	const looks = 5       // that loops take once more, as they happen to be woken
	if mail2 > mail1+looks || start2 > bound || tidy2 > bound {
		t.Errorf("with a thousand finished actions: start %d, a mail %d, tidying %d; with twenty thousand: %d, %d, %d", start1, mail1, tidy1, start2, mail2, tidy2)
	}
}

var benchHistory = flag.Int("history", 100_000, "the finished actions that BenchmarkHistory puts into a state")

// BenchmarkHistory takes mails into an empty state and into one with many
// finished actions, by turns, and prints what one costs in each: the median
// time, and what it allocates; and what a daemon holds on its heap, and the time of
// a start. To make a state with a million takes some minutes.
func BenchmarkHistory(b *testing.B) {
	newBench(b, 0).close(b) // what is loaded once a process counts for neither
	var boxes [2]*bench
	for i, size := range []int{0, *benchHistory} {
		boxes[i] = newBench(b, size)
	}
	for b.Loop() {
		for _, x := range boxes {
			x.take(b)
		}
	}
	b.StopTimer()
	empty, full := boxes[0], boxes[1]
	b.ReportMetric(float64(empty.median().Microseconds()), "empty-µs/mail")
	b.ReportMetric(float64(full.median().Microseconds()), "history-µs/mail")
	b.ReportMetric(float64(empty.allocated())/1024, "empty-KiB/mail")
	b.ReportMetric(float64(full.allocated())/1024, "history-KiB/mail")
	b.ReportMetric(float64(empty.live)/1024, "empty-KiB-held")
	b.ReportMetric(float64(full.live)/1024, "history-KiB-held")
	b.ReportMetric(float64(full.start.Milliseconds()), "history-start-ms")
	for _, x := range boxes {
		x.close(b)
	}
}

// bench is a running daemon with its mail servers, on loopback.
type bench struct {
	world *mailtest.World
	d     *daemon.Daemon
	start time.Duration // until it was open
	live  int64         // bytes on the heap that it holds
	end   context.CancelFunc
	ended chan error
	n     int
	took  []time.Duration
	bytes []uint64
}

func newBench(b *testing.B, past int) *bench {
	b.Helper()
	w, err := mailtest.New(mailtest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := w.AddUser(support, "secret"); err != nil {
		b.Fatal(err)
	}
	x := &bench{world: w, ended: make(chan error, 1)}
	cfg := site(b, b.TempDir(), "", `poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\"",
		"imap+insecure://127.0.0.1:143", "imap+insecure://"+w.IMAPAddr(), "smtp+insecure://127.0.0.1:25", "smtp+insecure://"+w.SMTPAddr())
	opt := daemon.Options{NoSocket: true, NoConsole: true}
	opt.DialIMAP = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return w.DialIMAP(ctx, network, w.IMAPAddr())
	}
	opt.DialSMTP = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return w.DialSMTP(ctx, network, w.SMTPAddr())
	}
	finished(b, cfg.StateDir, past, time.Now())
	if _, _, err := state.Compact(state.Config{Dir: cfg.StateDir}); err != nil { // as a night does: each commit writes the list of free pages
		b.Fatal(err)
	}
	before := live()
	began := time.Now()
	if x.d, err = daemon.Open(b.Context(), cfg, opt); err != nil {
		b.Fatal(err)
	}
	x.start = time.Since(began)
	ctx, end := context.WithCancel(b.Context())
	x.end = end
	go func() { x.ended <- x.d.Run(ctx) }()
	for range 20 { // caches, connections, the first look at everything
		x.take(b)
	}
	x.took, x.bytes, x.live = nil, nil, live()-before
	return x
}

// live gives what is on the heap once it was cleaned.
func live() int64 {
	var m runtime.MemStats
	for range 3 { // what is pooled or has a finalizer goes by and by
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// take has somebody new write, and waits for the letter to them.
func (x *bench) take(b *testing.B) {
	b.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	x.n++
	began := time.Now()
	x.world.Send(fmt.Sprintf("new%d@elsewhere.test", x.n), support, "my number", "Please remove my phone number.", mailtest.Aligned(true))
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	if _, err := x.world.WaitSent(ctx, x.n); err != nil {
		b.Fatal(err)
	}
	x.took = append(x.took, time.Since(began))
	runtime.ReadMemStats(&after)
	x.bytes = append(x.bytes, after.TotalAlloc-before.TotalAlloc)
}

func (x *bench) median() time.Duration { return slices.Sorted(slices.Values(x.took))[len(x.took)/2] }

func (x *bench) allocated() uint64 { return slices.Sorted(slices.Values(x.bytes))[len(x.bytes)/2] }

func (x *bench) close(b *testing.B) {
	x.end()
	if err := errors.Join(<-x.ended, x.d.Close(), x.world.Close()); err != nil {
		b.Error(err)
	}
}
