package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"push.guru/supportd/inbox"
)

// acceptedFile lies beside state.db. It names, by the hashes under which they
// are indexed, letters that a server has taken over and whose commit waits for
// those of others. What is written to it outlives the process, though not the
// loss of power: so a crash of the program alone doubles nothing for the sake of
// a batch.
const acceptedFile = "accepted"

// hashBytes is the length of what Tx.Hash gives.
const hashBytes = 16

// NoteAccepted notes at once that a server has taken over a letter of ours. It
// may be called by several goroutines.
func (db *DB) NoteAccepted(messageID string) error {
	f, err := os.OpenFile(db.path(acceptedFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("noting that a letter was accepted: %w", err)
	}
	_, err = f.Write(db.keys.hash("our message-id", messageID)) // one write, so that none is torn
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("noting that a letter was accepted: %w", err)
	}
	return nil
}

// Accepted gives the letters that NoteAccepted has noted since the last
// ClearAccepted and that are still on their way as far as the state knows.
func (db *DB) Accepted() (replies []*inbox.Reply, err error) {
	b, err := readAccepted(db.dir)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	err = db.View(func(tx *Tx) error {
		for hash := range slices.Chunk(b, hashBytes) {
			v := tx.bucket("reply_ids").Get(hash)
			if len(v) != 8 {
				continue // of another state, or written while the power went
			}
			r, err := tx.Reply(inbox.ReplyID(binary.BigEndian.Uint64(v)))
			if errors.Is(err, ErrNotFound) {
				continue // its record was dropped
			}
			if err != nil {
				return err
			}
			if r.State == inbox.ReplySending {
				replies = append(replies, r)
			}
		}
		return nil
	})
	return replies, err
}

// readAccepted reads the file of a directory; one that is not there is empty.
func readAccepted(dir string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, acceptedFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading which letters were accepted: %w", err)
	}
	return b[:len(b)/hashBytes*hashBytes], nil
}

// writeAccepted makes the file of a copy; without anything to say there is
// none.
func writeAccepted(dir string, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return writeNew(filepath.Join(dir, acceptedFile), func(w io.Writer) error { _, err := w.Write(b); return err })
}

// ClearAccepted forgets what NoteAccepted has noted, once it is committed.
func (db *DB) ClearAccepted() error {
	if err := os.Remove(db.path(acceptedFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forgetting which letters were accepted: %w", err)
	}
	return nil
}
