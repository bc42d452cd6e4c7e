package state

import (
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// openState opens the state in a directory, until the end of the test.
func openState(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newState(t *testing.T) *DB {
	t.Helper()
	return openState(t, t.TempDir())
}

func shut(t *testing.T, db *DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func (db *DB) update(t *testing.T, f func(*Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), "test", f); err != nil {
		t.Fatal(err)
	}
}

func (db *DB) view(t *testing.T, f func(*Tx) error) {
	t.Helper()
	if err := db.View(f); err != nil {
		t.Fatal(err)
	}
}

// The person whom the tests write about. None of it may stand in state.db.
const (
	person  = "user-4711-zhanna"
	from    = "zhanna.planted@example.org"
	name    = "Zhanna Plantedkyzy"
	subject = "Planted subject of mine"
	text    = "Please delete the planted words about me"
	sent    = "planted-message-id@mail.example.org"
	token   = "PLANTEDPLANTEDPLANTED22222"
)

// addMail stores a Mail of the person, under a ref of its own.
func addMail(t *testing.T, tx *Tx, uid uint32) *inbox.Mail {
	t.Helper()
	id, err := tx.NewMailID()
	if err != nil {
		t.Fatal(err)
	}
	m := &inbox.Mail{
		ID: id, Ref: inbox.Ref{Mailbox: "support", Folder: "INBOX", UIDValidity: 1, UID: uid},
		Received: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), State: inbox.MailAsked, Language: "en", Digest: inbox.Digest{byte(uid), 1},
		Detail: &inbox.MailDetail{From: inbox.Address{Name: name, Addr: from}, Subject: subject, Text: text, MessageID: sent, Person: person},
	}
	for _, err := range []error{
		tx.Account(m.Ref, id, true), tx.Identify(id, m.Digest, inbox.Digest{7}, sent), tx.PutMail(m), tx.Sign(id, from, [][32]byte{{byte(uid)}}),
		tx.Tie(TieAddress, from, id), tx.Tie(TiePerson, person, id),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// addAction stores an Action of a Mail, after the event.
func addAction(t *testing.T, tx *Tx, m *inbox.Mail, e inbox.Event) *inbox.Action {
	t.Helper()
	a := &inbox.Action{Case: m.ID, Kind: inbox.KindChange, Mailbox: "support", Language: "en", Received: m.Received, Certain: true,
		Detail: &inbox.ActionDetail{Person: person, Address: from, Request: inbox.Request{Kind: inbox.KindChange, Because: []string{text}}}}
	if err := tx.NewAction(a, e, "supportd"); err != nil {
		t.Fatal(err)
	}
	m.Actions = append(m.Actions, a.ID)
	if err := tx.PutMail(m); err != nil {
		t.Fatal(err)
	}
	return a
}

// addTask stores a task of staff's own in the Case of a Mail.
func addTask(t *testing.T, tx *Tx, m *inbox.Mail) *inbox.Action {
	t.Helper()
	a := &inbox.Action{Case: m.ID, Kind: inbox.KindQuestion, Topic: inbox.TopicTell, Mailbox: "support", Received: m.Received, Error: "tell somebody",
		Detail: &inbox.ActionDetail{Person: person, Task: "tell somebody of " + person}}
	if err := tx.NewAction(a, inbox.EventReview, "supportd"); err != nil {
		t.Fatal(err)
	}
	m.Actions = append(m.Actions, a.ID)
	if err := tx.PutMail(m); err != nil {
		t.Fatal(err)
	}
	return a
}

// addReply queues a letter of a Case.
func addReply(t *testing.T, tx *Tx, c inbox.MailID) *inbox.Reply {
	t.Helper()
	id, err := tx.NewReplyID()
	if err != nil {
		t.Fatal(err)
	}
	r := &inbox.Reply{ID: id, Case: c, Name: "confirm", Mailbox: "support", State: inbox.ReplyDue, Created: tx.Now, Next: tx.Now,
		Detail: &inbox.ReplyDetail{MessageID: tx.MessageID(id, "site.test"), To: from, Subject: subject, Text: "Dear " + name}}
	if err := tx.AddReply(r); err != nil {
		t.Fatal(err)
	}
	return r
}
