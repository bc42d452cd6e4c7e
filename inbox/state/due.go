package state

import (
	"encoding/binary"

	"push.guru/supportd/inbox"
)

// EachDueReply calls f for the Replies that the outbox must look at now, those
// that are due longest first, until it returns false; last come those that never
// will be, because the clock went back. However many are due,
// only those that f is called for cost anything. f must not change one.
func (tx *Tx) EachDueReply(f func(inbox.ReplyID) bool) {
	c := tx.bucket("reply_due").Cursor()
	end := uint64(tx.Now.UnixNano())
	for k, _ := c.First(); k != nil && binary.BigEndian.Uint64(k) <= end; k, _ = c.Next() {
		if !f(inbox.ReplyID(binary.BigEndian.Uint64(k[8:]))) {
			return
		}
	}
	beyond := uint64(tx.Now.Add(farOff).UnixNano())
	for k, _ := c.Last(); k != nil && binary.BigEndian.Uint64(k) > beyond; k, _ = c.Prev() {
		if !f(inbox.ReplyID(binary.BigEndian.Uint64(k[8:]))) {
			return
		}
	}
}
