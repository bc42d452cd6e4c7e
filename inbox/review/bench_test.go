package review

import (
	"errors"
	"flag"
	"runtime"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

var (
	finished = flag.Int("finished", 1_000_000, "how many finished cases the benchmark has")
	open     = flag.Int("open", 5_000, "how many open ones")
)

// BenchmarkDesk measures the pages of a desk that has been worked at for years:
//
//	go test ./inbox/review -run XXX -bench Desk -timeout 60m
func BenchmarkDesk(b *testing.B) {
	d := worn(b)
	page := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
		})
	}
	queue := func(f QueueFilter) func() error {
		return func() error { _, err := d.Queue(f, "", 50); return err }
	}
	page("queue", queue(QueueFilter{}))
	page("queue, one assignee", queue(QueueFilter{Assignee: "dana"}))
	page("queue, filter that nothing passes", queue(QueueFilter{All: true, Mailbox: "none"}))
	page("counts", func() error { _, err := d.Counts(); return err })
	page("ended", func() error { _, err := d.Ended(EndedFilter{}, "", 50); return err })
	page("mails", func() error { _, err := d.MailPage(MailFilter{}, "", 50); return err })
	page("case", func() error { _, err := d.Case(inbox.MailID(*finished + 1)); return err })
	page("search, name", func() error { _, err := d.Search(b.Context(), "zed"); return err })
	page("log", func() error { _, err := d.Log(LogFilter{}, "", 50); return err })
	page("log, nothing passes", func() error { _, err := d.Log(LogFilter{Who: "nobody"}, "", 50); return err })
	p := new(peak)
	page("export", func() error { return d.ExportLog(b.Context(), p, FormatCSV, LogFilter{}) })
	b.Logf("while it exported %d MiB the heap had up to %d MiB", p.bytes>>20, p.heap>>20)
}

// worn makes the state, without the journal's share of finished cases but a
// million entries of its own.
func worn(b *testing.B) *Desk {
	b.Helper()
	d, began := newDesk(b, policy.Auto), time.Now()
	const batch = 100
	for n := 0; n < *finished+*open; n += batch {
		err := d.State.Update(b.Context(), "bench", func(tx *state.Tx) error {
			for i := n; i < n+batch; i++ {
				if err := past(tx, i, i >= *finished); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("made in %s", time.Since(began).Round(time.Second))
	return d
}

// past stores a case that has ended, or an open one.
func past(tx *state.Tx, i int, open bool) error {
	id, err := tx.NewMailID()
	if err != nil {
		return err
	}
	m := &inbox.Mail{ID: id, Ref: inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(id)}, Received: tx.Now, State: inbox.MailActed, Language: "en",
		Evidence: inbox.LevelAligned, Actions: []inbox.ActionID{inbox.ActionID(i + 1)}, Detail: &inbox.MailDetail{From: inbox.Address{Name: "Ann Lee", Addr: ann}, Subject: "hello", Text: "text"}}
	a := &inbox.Action{ID: inbox.ActionID(i + 1), Case: id, Kind: inbox.KindChange, State: inbox.StateDone, Mailbox: "support", Language: "en", Received: tx.Now,
		Due: tx.Now.Add(time.Duration(i*7919%5000) * time.Minute), Ended: tx.Now, Detail: &inbox.ActionDetail{Address: ann, Request: change}}
	if open {
		a.State, a.Ended = []inbox.State{inbox.StateReview, inbox.StateScheduled}[i%2], time.Time{}
		if i%100 == 0 {
			a.Assignee = "dana"
		}
	}
	return errors.Join(tx.PutMail(m), tx.PutAction(a), tx.Journal("done", "supportd", id, a.ID, map[string]string{"effect": "key"}))
}

// peak looks at the heap while something is written.
type peak struct {
	writes, bytes int
	heap          uint64
}

func (p *peak) Write(b []byte) (int, error) {
	if p.writes++; p.writes%1000 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.heap = max(p.heap, m.HeapAlloc)
	}
	p.bytes += len(b)
	return len(b), nil
}
