package state

import (
	"encoding/binary"
	"time"

	"push.guru/supportd/inbox"
)

// Waits is what waits the longest for the program.
type Waits struct {
	Replies int       // how many letters are due or on their way
	Reply   time.Time // when the oldest of them was written; zero: there is none
	Mail    time.Time // when the oldest deferred mail arrived; zero: there is none
}

// maxHurried bounds what one commit brings forward.
const maxHurried = 1000

// HurryReplies makes letters of a mailbox that wait for another try due now,
// in the order in which they were written: their server is back. One that may
// have arrived waits on.
func (tx *Tx) HurryReplies(mailbox string) error {
	var ids []uint64
	c := tx.bucket("reply_due").Cursor()
	for k, _ := c.Seek(at(tx.Now)); k != nil && len(ids) < maxHurried; k, _ = c.Next() {
		ids = append(ids, binary.BigEndian.Uint64(k[8:]))
	}
	for _, id := range ids {
		r, err := tx.Reply(inbox.ReplyID(id))
		if err != nil {
			return err
		}
		if r.Mailbox != mailbox || r.State != inbox.ReplyDue {
			continue
		}
		r.Next = tx.Now
		if err := tx.PutReply(r); err != nil {
			return err
		}
	}
	return nil
}

// Waits looks up what waits. Of the letters that wait it reads the keys, of
// everything else one record.
func (tx *Tx) Waits() (w Waits, err error) {
	var oldest uint64 // numbers are drawn in the order in which letters are written
	c := tx.bucket("reply_due").Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if id := binary.BigEndian.Uint64(k[8:]); w.Replies == 0 || id < oldest {
			oldest = id
		}
		w.Replies++
	}
	if v := tx.bucket("replies").Get(be(oldest)); w.Replies > 0 && v != nil {
		r, err := plainReply(v)
		if err != nil {
			return w, err
		}
		w.Reply = r.Created
	}
	err = tx.MailsIn(inbox.MailDeferred, func(m *inbox.Mail) bool { w.Mail = m.Received; return false })
	return w, err
}
