package console

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// BenchmarkQueuePage is the whole way of the queue's page, from the request to
// the last octet, with 5,000 open cases; package review has one over a million
// that have ended.
func BenchmarkQueuePage(b *testing.B) {
	const open, batch = 5000, 100 // one transaction takes no more than 128 new mails
	o := newOffice(b)
	for i := 0; i < open; i += batch {
		if err := o.db.Update(b.Context(), "bench", func(tx *state.Tx) error { return o.questions(tx, i, batch) }); err != nil {
			b.Fatal(err)
		}
	}
	token := o.session("bench", staff.RoleHandler)
	for name, path := range map[string]string{"all": "/queue", "filtered": "/queue?deadline=week&language=en&kind=question", "nothing": "/queue?mine=me"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if w := o.get(path, token); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// questions opens n cases of questions, from number first on.
func (o *office) questions(tx *state.Tx, first, n int) error {
	for i := first; i < first+n; i++ {
		id, err := tx.NewMailID()
		if err != nil {
			return err
		}
		from := fmt.Sprintf("p%d@users.test", i)
		m := &inbox.Mail{ID: id, Ref: inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uint32(id)}, Received: tx.Now.Add(-time.Duration(i) * time.Minute),
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
