package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// NewReplyID draws the next ID.
func (tx *Tx) NewReplyID() (inbox.ReplyID, error) {
	n, err := tx.bucket("replies").NextSequence()
	if err != nil {
		return 0, fmt.Errorf("drawing a reply ID: %w", err)
	}
	return inbox.ReplyID(n), nil
}

// AddReply stores a new Reply, whose ID was drawn, under its Case and its
// Message-ID.
func (tx *Tx) AddReply(r *inbox.Reply) error {
	if err := tx.index("reply_cases", join(be(uint64(r.Case)), be(uint64(r.ID))), true); err != nil {
		return fmt.Errorf("indexing %s: %w", r.ID, err)
	}
	if err := tx.bucket("reply_ids").Put(tx.Hash("our message-id", r.Detail.MessageID), be(uint64(r.ID))); err != nil {
		return fmt.Errorf("indexing %s: %w", r.ID, err)
	}
	return tx.PutReply(r)
}

// PutReply stores a Reply and keeps its indexes.
func (tx *Tx) PutReply(r *inbox.Reply) error {
	var due []byte
	old, err := tx.storedReply(r.ID)
	switch {
	case err == nil:
		due = replyDueKey(old)
	case err != ErrNotFound:
		return err
	}
	if err := tx.reindex("reply_due", due, replyDueKey(r)); err != nil {
		return fmt.Errorf("indexing %s: %w", r.ID, err)
	}
	if err := put(tx, "replies", uint64(r.ID), r.Case, r, r.Detail); err != nil {
		return err
	}
	tx.noteReply(r)
	return tx.placeReply(old, r)
}

// PutReplyState is PutReply of one whose detail is as it was: what is sealed stays.
func (tx *Tx) PutReplyState(r *inbox.Reply) error {
	plain := *r
	plain.Detail = nil
	return tx.PutReply(&plain)
}

// storedReply gives what PutReply compares with.
func (tx *Tx) storedReply(id inbox.ReplyID) (*inbox.Reply, error) {
	if r := tx.replies.recall(tx, "replies", uint64(id)); r != nil {
		return r, nil
	}
	return stored[inbox.Reply](tx, "replies", uint64(id))
}

// noteReply notes what is stored of a Reply that was read or put.
func (tx *Tx) noteReply(r *inbox.Reply) {
	plain := *r
	plain.Actions = slices.Clone(r.Actions)
	tx.replies.note(tx, uint64(r.ID), plain)
}

// LastReply gives the ID that was drawn last.
func (tx *Tx) LastReply() inbox.ReplyID { return inbox.ReplyID(tx.bucket("replies").Sequence()) }

func replyCase(r *inbox.Reply) inbox.MailID { return r.Case }

func replyDueKey(r *inbox.Reply) []byte {
	switch r.State {
	case inbox.ReplyDue, inbox.ReplySending, inbox.ReplyUnknown:
		return join(at(r.Next), be(uint64(r.ID)))
	}
	return nil
}

// Reply reads a Reply; ErrNotFound when there is none.
func (tx *Tx) Reply(id inbox.ReplyID) (*inbox.Reply, error) {
	r, d, err := get[inbox.Reply, inbox.ReplyDetail](tx, "replies", uint64(id), replyCase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	r.Detail = d
	tx.noteReply(r)
	return r, nil
}

// ReplyState is Reply without what is sealed: its detail is nil.
func (tx *Tx) ReplyState(id inbox.ReplyID) (*inbox.Reply, error) {
	r, err := stored[inbox.Reply](tx, "replies", uint64(id))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	tx.noteReply(r)
	return r, nil
}

// ReplyByMessageID gives the Reply that has one of our Message-IDs, or nil.
func (tx *Tx) ReplyByMessageID(messageID string) (*inbox.Reply, error) {
	v := tx.bucket("reply_ids").Get(tx.Hash("our message-id", messageID))
	if v == nil {
		return nil, nil
	}
	r, err := tx.Reply(inbox.ReplyID(binary.BigEndian.Uint64(v)))
	if errors.Is(err, ErrNotFound) {
		return nil, nil // its record was dropped
	}
	return r, err
}

// CaseReplies reads the Replies of a Case, oldest first.
func (tx *Tx) CaseReplies(c inbox.MailID) ([]*inbox.Reply, error) {
	var out []*inbox.Reply
	var err error
	tx.eachID("reply_cases", be(uint64(c)), func(id uint64) bool {
		var r *inbox.Reply
		if r, err = tx.Reply(inbox.ReplyID(id)); err == nil {
			out = append(out, r)
		}
		return err == nil
	})
	return out, err
}

// DueReplies lists Replies that the outbox must look at now.
func (tx *Tx) DueReplies(limit int) []inbox.ReplyID {
	ids := tx.dueOrFarOff("reply_due", limit)
	out := make([]inbox.ReplyID, len(ids))
	for i, id := range ids {
		out[i] = inbox.ReplyID(id)
	}
	return out
}

// NextReply gives the time at which the outbox must look again, or zero.
func (tx *Tx) NextReply() time.Time { return tx.firstTime("reply_due", time.Unix(0, 0)) }

// SaveFile seals bytes into a file beside the state, for a Reply; it returns
// the file's name. It is on disk when SaveFile returns.
func (db *DB) SaveFile(c inbox.MailID, name string, b []byte) error {
	sealed, err := db.keys.seal(c, "file "+name, b)
	if err != nil {
		return err
	}
	if err := writeSynced(db.filePath(name), sealed); err != nil {
		return fmt.Errorf("saving %s: %w", name, err)
	}
	return nil
}

// LoadFile reads what SaveFile or Tx.SaveAttached wrote.
func (db *DB) LoadFile(c inbox.MailID, name string) ([]byte, error) {
	sealed, err := db.attached(name)
	if sealed == nil && err == nil {
		sealed, err = os.ReadFile(db.filePath(name))
	}
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", name, err)
	}
	return db.keys.unseal(c, "file "+name, sealed)
}

// RemoveFile removes a file; one that is gone is no error. During a backup, which
// may need it, it is left to be found by StrayFiles.
func (db *DB) RemoveFile(name string) error {
	if !db.files.TryLock() {
		return nil
	}
	defer db.files.Unlock()
	if err := db.dropAttached(name); err != nil {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	if err := os.Remove(db.filePath(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return nil
}

// inlineMax is up to where a rendered mail is kept in state.db; a larger one
// has a file.
const inlineMax = 64 << 10

// Rendered reads the bytes that a Reply was rendered to, or nil when it was
// not rendered yet.
func (db *DB) Rendered(r *inbox.Reply) ([]byte, error) {
	var sealed []byte
	err := db.read(func(tx *bolt.Tx) error {
		sealed = append(sealed, tx.Bucket([]byte("rendered")).Get(be(uint64(r.ID)))...)
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading rendered %s: %w", r.ID, err)
	case sealed == nil:
		return nil, nil
	case string(sealed) == inFile:
		return db.LoadFile(r.Case, r.ID.String())
	}
	return db.keys.unseal(r.Case, "rendered "+r.ID.String(), sealed)
}

const inFile = "file"

// SaveLarge puts a rendered mail that is too large for state.db into its
// file; SaveRendered must follow. A small one is left alone.
func (db *DB) SaveLarge(r *inbox.Reply, b []byte) error {
	if len(b) <= inlineMax {
		return nil
	}
	return db.SaveFile(r.Case, r.ID.String(), b)
}

// SaveRendered keeps the bytes of a Reply until it has ended.
func (tx *Tx) SaveRendered(r *inbox.Reply, b []byte) error {
	if len(b) > inlineMax {
		return tx.bucket("rendered").Put(be(uint64(r.ID)), []byte(inFile))
	}
	sealed, err := tx.db.keys.seal(r.Case, "rendered "+r.ID.String(), b)
	if err != nil {
		return err
	}
	return tx.bucket("rendered").Put(be(uint64(r.ID)), sealed)
}

// DropRendered forgets the bytes of a Reply that has ended.
func (tx *Tx) DropRendered(id inbox.ReplyID) error {
	return tx.bucket("rendered").Delete(be(uint64(id)))
}

// StrayFiles lists files that nothing needs any more. A file is named after
// the Action whose data it holds (A-000123-1) or after the Reply that it is
// (R-000789); a crash between a file and its commit leaves one behind.
func (db *DB) StrayFiles() ([]string, error) {
	entries, err := os.ReadDir(db.path("replies"))
	if err != nil {
		return nil, fmt.Errorf("listing reply files: %w", err)
	}
	var stray []string
	err = db.View(func(tx *Tx) (err error) {
		if stray, err = tx.strayAttached(); err != nil {
			return err
		}
		for _, e := range entries {
			needed, err := tx.needed(e.Name())
			if err != nil {
				return err
			}
			if !needed {
				stray = append(stray, e.Name())
			}
		}
		return nil
	})
	return stray, err
}

func (tx *Tx) needed(file string) (bool, error) {
	letter, rest, _ := strings.Cut(strings.TrimSuffix(file, unfinished), "-")
	number, _, _ := strings.Cut(rest, "-")
	if letter == "R" {
		var id inbox.ReplyID
		if id.UnmarshalText([]byte("R-"+number)) != nil {
			return false, nil
		}
		r, err := tx.Reply(id)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return err == nil && !r.State.Ended(), err
	}
	id, err := inbox.ParseActionID(letter + "-" + number)
	if err != nil {
		return false, nil
	}
	a, err := tx.Action(id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil || a.State == inbox.StateRunning {
		return true, err
	}
	replies, err := tx.CaseReplies(a.Case)
	for _, r := range replies {
		if !r.State.Ended() && r.Detail != nil && slices.Contains(r.Detail.Files, file) {
			return true, nil
		}
	}
	return false, err
}

func (db *DB) filePath(name string) string {
	return filepath.Join(db.dir, "replies", filepath.Base(name))
}
