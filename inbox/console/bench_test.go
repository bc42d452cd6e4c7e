package console

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

var (
	finished = flag.Int("finished", 1_000_000, "how many finished cases the benchmark has")
	open     = flag.Int("open", 5_000, "how many open ones")
)

// bound is how long the queue's page may take.
const bound = 50 * time.Millisecond

// BenchmarkQueuePage is the whole way of the queue's page, from the request to
// the last octet, in an office that has been worked in for years:
//
//	go test ./inbox/console -run XXX -bench QueuePage -timeout 60m
//
// It fails when a page takes longer than it may, or when the heap grows with the
// number of pages.
func BenchmarkQueuePage(b *testing.B) {
	const batch = 100 // one transaction takes no more than 128 new mails
	o, began := newOffice(b), time.Now()
	for i := 0; i < *finished+*open; i += batch {
		err := o.db.Update(b.Context(), "bench", func(tx *state.Tx) error {
			if i < *finished {
				return past(tx, i, batch)
			}
			return o.questions(tx, i, batch)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d finished and %d open cases were made in %s", *finished, *open, time.Since(began).Round(time.Second))
	token := o.session("bench", staff.RoleHandler)
	for name, path := range map[string]string{"all": "/queue", "filtered": "/queue?deadline=week&language=en&kind=question", "nothing": "/queue?mine=me"} {
		b.Run(name, func(b *testing.B) {
			before := heap()
			for b.Loop() {
				if w := o.get(path, token); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
			after := heap()
			b.ReportMetric(after, "heap-MiB")
			if took := b.Elapsed() / time.Duration(b.N); took > bound {
				b.Errorf("a page takes %s, it may take %s", took, bound)
			}
			if after > before+16 {
				b.Errorf("%d pages had the heap grow from %.0f to %.0f MiB", b.N, before, after)
			}
		})
	}
}

// heap gives what is in use, in MiB.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// past stores n cases that have ended, from number first on.
func past(tx *state.Tx, first, n int) error {
	for i := first; i < first+n; i++ {
		id, err := tx.NewMailID()
		if err != nil {
			return err
		}
		m := &inbox.Mail{ID: id, Ref: inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(id)}, Received: tx.Now, State: inbox.MailActed, Language: "en",
			Evidence: inbox.LevelAligned, Detail: &inbox.MailDetail{From: inbox.Address{Name: "Somebody", Addr: "p@users.test"}, Subject: "hello", Text: "text"}}
		a := &inbox.Action{Case: id, Kind: inbox.KindChange, Mailbox: "support", Language: "en", Received: tx.Now, Due: tx.Now, Detail: &inbox.ActionDetail{Address: "p@users.test"}}
		if err := errors.Join(tx.PutMail(m), tx.NewAction(a, inbox.EventReview, "bench")); err != nil {
			return err
		}
		m.Actions, a.State, a.Ended = []inbox.ActionID{a.ID}, inbox.StateDone, tx.Now
		if err := errors.Join(tx.PutMail(m), tx.PutAction(a)); err != nil {
			return err
		}
	}
	return nil
}

// questions opens n cases of questions, from number first on.
func (o *office) questions(tx *state.Tx, first, n int) error {
	for i := first; i < first+n; i++ {
		id, err := tx.NewMailID()
		if err != nil {
			return err
		}
		from := fmt.Sprintf("p%d@users.test", i)
		m := &inbox.Mail{ID: id, Ref: inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(id)}, Received: tx.Now.Add(-time.Duration(i-*finished) * time.Minute),
			Language: "en", Evidence: inbox.LevelAligned, Detail: &inbox.MailDetail{From: inbox.Address{Name: "Somebody", Addr: from}, Subject: "a question", Text: "Where are you?"}}
		if err := errors.Join(tx.Account(m.Ref, id, true), tx.PutMail(m)); err != nil {
			return err
		}
		err = o.keep.Open(tx, m, cases.Sender{Address: from, People: []users.Person{o.person(from)}, Evidence: inbox.Evidence{Level: inbox.LevelAligned}},
			[]inbox.Request{{Kind: inbox.KindQuestion, Because: []string{"Where"}}})
		if err != nil {
			return err
		}
	}
	return nil
}
