package state

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"push.guru/supportd/inbox"
)

// Sweeping goes round and round through what may be left of Cases whose keys
// were dropped, so many records a run whatever the size of the state, and
// notes where it stopped. The records of a Case go together; what only points
// to them goes when it is come by.

// swept is a bucket that is gone through, and who judges its entries.
type swept struct {
	bucket string
	over   func(tx *Tx, k, v []byte, before time.Time) (bool, error)
	drop   func(tx *Tx, k, v []byte) error
}

func sweeps() []swept {
	return []swept{
		{"mails", (*Tx).mailOver, (*Tx).dropCase},
		{"replies", (*Tx).noticeOver, (*Tx).dropReplyAt},
		{"mail_digests", (*Tx).noMail, dropFrom("mail_digests")},
		{"mail_ids", (*Tx).noMail, dropFrom("mail_ids")},
		{"mail_signatures", (*Tx).noMail, dropFrom("mail_signatures")},
		{"mail_filed", (*Tx).noMail, (*Tx).unplace},
		{"reply_ids", (*Tx).noReply, dropFrom("reply_ids")},
		{"persons", (*Tx).noTie, dropFrom("persons")},
		{"counts", (*Tx).countOver, dropFrom("counts")},
		{"moves", (*Tx).moveOver, dropFrom("moves")},
	}
}

func dropFrom(bucket string) func(tx *Tx, k, v []byte) error {
	return func(tx *Tx, k, _ []byte) error { return tx.bucket(bucket).Delete(k) }
}

// Sweep looks at up to limit entries of each bucket that may hold what is not
// needed any more, going on where the last run stopped, and drops the records of
// Cases that were forgotten before the given time, with what points to them. It
// tells whether it found or noted anything; with dry it changes nothing. A zero
// time drops no records.
func (tx *Tx) Sweep(before time.Time, limit int, dry bool) (bool, error) {
	any := false
	for _, s := range sweeps() {
		found, err := tx.sweep(s, before, limit, dry)
		if err != nil {
			return any, fmt.Errorf("sweeping %s: %w", s.bucket, err)
		}
		any = any || found
	}
	return any, nil
}

func (tx *Tx) sweep(s swept, before time.Time, limit int, dry bool) (bool, error) {
	note := "sweep " + s.bucket
	from, _ := hex.DecodeString(tx.Meta(note))
	var over [][2][]byte
	c := tx.bucket(s.bucket).Cursor()
	k, v := c.Seek(from)
	for n := 0; k != nil && n < limit; n++ {
		tx.count()
		gone, err := s.over(tx, k, v, before)
		if err != nil {
			return false, err
		}
		if gone {
			over = append(over, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
		}
		k, v = c.Next()
	}
	next := hex.EncodeToString(k) // "" at the end: the next run begins at the start
	changed := len(over) > 0 || next != tx.Meta(note)
	if dry || !changed {
		return changed, nil
	}
	for _, o := range over {
		if err := s.drop(tx, o[0], o[1]); err != nil {
			return true, err
		}
	}
	return true, tx.SetMeta(note, next)
}

// mailOver tells whether the records of a Case can be dropped: what it holds was
// forgotten, its mail is out of the folder that is read, and nothing of it is open,
// tasks of staff included.
func (tx *Tx) mailOver(k, v []byte, before time.Time) (bool, error) {
	m, err := parsed[inbox.Mail](v)
	if err != nil || before.IsZero() {
		return false, err
	}
	since := m.Forgotten
	if since.IsZero() { // forgotten before that was noted, or not forgotten
		if m.Ended.IsZero() || tx.db.keys.holds(m.ID) {
			return false, nil
		}
		since = m.Ended
	}
	if !since.Before(before) || tx.bucket("mail_unfiled").Get(refKey(m.Ref)) != nil {
		return false, nil
	}
	for _, r := range tx.Places(m.ID) {
		if r.Mailbox == m.Ref.Mailbox && r.Folder == m.Ref.Folder { // left in place: were it numbered anew, it would be new
			return false, nil
		}
	}
	for _, id := range m.Actions {
		a, err := stored[inbox.Action](tx, "actions", uint64(id))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return false, err
		}
		if err == nil && a.Case == m.ID && !a.State.Ended() {
			return false, nil
		}
	}
	open := false
	tx.eachID("reply_cases", k, func(id uint64) bool {
		var r *inbox.Reply
		r, err = stored[inbox.Reply](tx, "replies", id)
		open = err == nil && !r.State.Ended() && r.State != inbox.ReplyHeld
		return err == nil && !open
	})
	return !open && err == nil, err
}

// dropCase drops every record of a Case. The ref stays accounted for until the
// mail is off the server.
func (tx *Tx) dropCase(k, v []byte) error {
	m, err := parsed[inbox.Mail](v)
	if err != nil {
		return err
	}
	for _, id := range m.Actions {
		if err := tx.dropAction(id, m.ID); err != nil {
			return err
		}
	}
	if err := tx.dropAsks(m.ID); err != nil {
		return err
	}
	var replies []uint64
	tx.eachID("reply_cases", k, func(id uint64) bool { replies = append(replies, id); return true })
	for _, id := range replies {
		if err := tx.dropReply(id, m.ID); err != nil {
			return err
		}
	}
	return errors.Join(tx.reindex("mail_states", mailStateKey(m), nil), tx.reindex("mail_ended", endedKey(m), nil),
		tx.reindex("mail_retry", retryKey(m), nil), tx.place(caseThing(m.ID), nil), tx.tallyMove("mail", string(m.State), ""),
		tx.bucket("mails").Delete(k))
}

// dropAction drops the record of an Action that began in the Case.
func (tx *Tx) dropAction(id inbox.ActionID, c inbox.MailID) error {
	a, err := stored[inbox.Action](tx, "actions", uint64(id))
	if errors.Is(err, ErrNotFound) || err == nil && a.Case != c {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(tx.reindex("action_states", actionStateKey(a), nil), tx.reindex("action_due", dueKey(a), nil),
		tx.reindex("action_deadlines", alarmKey(a), nil), tx.place(actionThing(a.ID), nil), tx.tallyMove("state", string(a.State), ""),
		tx.bucket("actions").Delete(be(uint64(id))))
}

func (tx *Tx) dropAsks(c inbox.MailID) error {
	var keys [][]byte
	cur := tx.bucket("case_asks").Cursor()
	for k, _ := cur.Seek(be(uint64(c))); len(k) > 8 && bytes.HasPrefix(k, be(uint64(c))); k, _ = cur.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := errors.Join(tx.bucket("asks").Delete(k[8:]), tx.bucket("case_asks").Delete(k)); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) dropReply(id uint64, c inbox.MailID) error {
	return errors.Join(tx.bucket("replies").Delete(be(id)), tx.bucket("rendered").Delete(be(id)),
		tx.bucket("reply_cases").Delete(join(be(uint64(c)), be(id))), tx.bucket("reply_held").Delete(join(be(uint64(c)), be(id))))
}

func (tx *Tx) dropReplyAt(k, v []byte) error {
	r, err := parsed[inbox.Reply](v)
	if err != nil {
		return err
	}
	return tx.dropReply(binary.BigEndian.Uint64(k), r.Case)
}

// noticeOver tells whether a notice to staff that is about no Case is old.
func (tx *Tx) noticeOver(_, v []byte, before time.Time) (bool, error) {
	r, err := parsed[inbox.Reply](v)
	if err != nil || before.IsZero() {
		return false, err
	}
	return r.Case == house && r.State.Ended() && r.Created.Before(before), nil
}

func (tx *Tx) noMail(_, v []byte, _ time.Time) (bool, error) {
	return len(v) < 8 || !tx.has("mails", binary.BigEndian.Uint64(v)), nil
}

func (tx *Tx) noReply(_, v []byte, _ time.Time) (bool, error) {
	return len(v) < 8 || !tx.has("replies", binary.BigEndian.Uint64(v)), nil
}

func (tx *Tx) noTie(k, _ []byte, _ time.Time) (bool, error) {
	return len(k) < 8 || !tx.has("mails", binary.BigEndian.Uint64(k[len(k)-8:])), nil
}

// countOver tells whether a count says nothing any more: one of a day when the
// week after it is over, one without end when nothing was counted for as long as
// records are kept.
func (tx *Tx) countOver(_, v []byte, before time.Time) (bool, error) {
	var c count
	if err := json.Unmarshal(v, &c); err != nil {
		return false, err
	}
	if c.Day != "" {
		day, err := strconv.ParseInt(c.Day, 10, 64)
		return err == nil && day < tx.day()-daysOfWeek-1, nil
	}
	return !before.IsZero() && c.Last > 0 && c.Last < before.Unix()/86400, nil
}

// movesKept is longer than anybody asks for when an address has changed.
const movesKept = 90 * 24 * time.Hour

func (tx *Tx) moveOver(_, v []byte, _ time.Time) (bool, error) {
	return len(v) != 8 || binary.BigEndian.Uint64(v) < uint64(tx.Now.Add(-movesKept).UnixNano()), nil
}

// ForgetRefs looks at up to limit refs of a folder, going on behind the UID that
// the last run gave, and forgets those that are not on the server any more and
// whose records were dropped. here tells of a UID whether it is in the folder
// now; refs of another UIDVALIDITY are nowhere. It gives the refs that it found,
// and where to go on; the zero Ref is the start.
func (tx *Tx) ForgetRefs(from inbox.Ref, uidvalidity uint32, here func(uid uint32) bool, limit int) (gone []inbox.Ref, next inbox.Ref) {
	prefix := join(folderKey(from.Mailbox, from.Folder), []byte{0})
	c := tx.bucket("mail_refs").Cursor()
	k, v := c.Seek(refKey(from))
	for n := 0; k != nil && bytes.HasPrefix(k, prefix); n++ {
		r := keyRef(k)
		if n == limit {
			return gone, r
		}
		tx.count()
		if len(v) == 8 && !tx.has("mails", binary.BigEndian.Uint64(v)) && (r.UIDValidity != uidvalidity || !here(r.UID)) {
			gone = append(gone, r)
		}
		k, v = c.Next()
	}
	return gone, inbox.Ref{Mailbox: from.Mailbox, Folder: from.Folder}
}

// DropRefs forgets refs that ForgetRefs found.
func (tx *Tx) DropRefs(refs []inbox.Ref) error {
	for _, r := range refs {
		if err := errors.Join(tx.bucket("mail_refs").Delete(refKey(r)), tx.bucket("mail_unfiled").Delete(refKey(r))); err != nil {
			return fmt.Errorf("forgetting %s: %w", r, err)
		}
	}
	return nil
}
