package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/journal"
)

// both holds an index against the records that it is made of, both ways: keyOf
// gives the key that a record must have, nil for none.
func both[T any](tx *Tx, e *Examined, records, index string, keyOf func(*T) []byte) error {
	return bothBut(tx, e, records, index, keyOf, func(*T) bool { return false })
}

// bothBut is both, where some records may have no entry.
func bothBut[T any](tx *Tx, e *Examined, records, index string, keyOf func(*T) []byte, mayLack func(*T) bool) error {
	err := tx.bucket(records).ForEach(func(k, v []byte) error {
		r, err := parsed[T](v)
		if err != nil {
			e.fault("%s %d cannot be read: %v", records, binary.BigEndian.Uint64(k), err)
			return nil
		}
		if key := keyOf(r); key != nil && tx.bucket(index).Get(key) == nil && !mayLack(r) {
			e.fault("%s has no entry of %s %d", index, records, binary.BigEndian.Uint64(k))
		}
		return nil
	})
	return errors.Join(err, tx.bucket(index).ForEach(func(k, _ []byte) error {
		if len(k) < 8 {
			e.fault("%s has an entry %x, which is none", index, k)
			return nil
		}
		id := binary.BigEndian.Uint64(k[len(k)-8:])
		r, err := stored[T](tx, records, id)
		if err != nil {
			e.fault("%s has an entry of %s %d, which is not there", index, records, id)
			return nil
		}
		if !bytes.Equal(keyOf(r), k) {
			e.fault("%s has an entry of %s %d that is not true", index, records, id)
		}
		return nil
	}))
}

// counted says how many records a bucket has, and that no number is higher than
// those that were drawn.
func counted(tx *Tx, e *Examined, bucket string) {
	b := tx.bucket(bucket)
	if k, _ := b.Cursor().Last(); len(k) == 8 && binary.BigEndian.Uint64(k) > b.Sequence() {
		e.fault("%s has number %d, and only %d were drawn", bucket, binary.BigEndian.Uint64(k), b.Sequence())
	}
	e.Seen = fmt.Sprintf("%d records", b.Stats().KeyN)
}

// drawn holds the numbers that an index leads to against those that were drawn:
// a record may have been dropped, but none is to come.
func drawn(tx *Tx, e *Examined, index, records string, numberOf func(k, v []byte) []byte) error {
	last := tx.bucket(records).Sequence()
	return tx.bucket(index).ForEach(func(k, v []byte) error {
		n := numberOf(k, v)
		if len(n) < 8 || binary.BigEndian.Uint64(n) > last {
			e.fault("%s has an entry of %s that were never there", index, records)
		}
		return nil
	})
}

func ofValue(_, v []byte) []byte { return v }
func ofKey(k, _ []byte) []byte   { return k[max(0, len(k)-8):] }

func (x *examination) mails(e *Examined) error {
	return x.view(func(tx *Tx) error {
		counted(tx, e, "mails")
		told := make(map[inbox.MailID]bool)
		if err := toldForgotten(tx, told); err != nil {
			return err
		}
		forgottenBefore := func(m *inbox.Mail) bool { return m.Forgotten.IsZero() && told[m.ID] && !tx.db.keys.holds(m.ID) } // that was noted
		err := errors.Join(both(tx, e, "mails", "mail_states", mailStateKey), both(tx, e, "mails", "mail_retry", retryKey), bothBut(tx, e, "mails", "mail_ended", endedKey, forgottenBefore))
		for _, index := range []string{"mail_digests", "mail_ids", "mail_signatures"} {
			err = errors.Join(err, drawn(tx, e, index, "mails", ofValue))
		}
		return errors.Join(err, drawn(tx, e, "persons", "mails", ofKey), tx.bucket("mails").ForEach(func(_, v []byte) error {
			m, err := parsed[inbox.Mail](v)
			if err == nil && m.Digest != (inbox.Digest{}) && tx.bucket("mail_digests").Get(tx.Hash("digest", string(m.Digest[:]))) == nil {
				e.fault("mail_digests has no entry of %s", m.ID)
			}
			return nil
		}))
	})
}

func (x *examination) actions(e *Examined) error {
	return x.view(func(tx *Tx) error {
		counted(tx, e, "actions")
		err := errors.Join(both(tx, e, "actions", "action_states", actionStateKey), both(tx, e, "actions", "action_due", dueKey), both(tx, e, "actions", "action_deadlines", alarmKey))
		err = errors.Join(err, tx.bucket("actions").ForEach(func(k, v []byte) error {
			a, err := tx.Action(inbox.ActionID(binary.BigEndian.Uint64(k)))
			if err != nil {
				return nil // the seals say so
			}
			if key := tx.openKey(a, a.Detail); key != nil && tx.bucket("action_persons").Get(key) == nil {
				e.fault("action_persons has no entry of %s", a.ID)
			}
			if m, err := stored[inbox.Mail](tx, "mails", uint64(a.Case)); err != nil {
				e.fault("%s is of %s, which is not there", a.ID, a.Case)
			} else if takenBack := a.State == inbox.StateCancelled && a.Reported; !slices.Contains(m.Actions, a.ID) && !takenBack { // those were not named before
				e.fault("%s does not name %s, which is of it", a.Case, a.ID)
			}
			return nil
		}))
		return errors.Join(err, tx.bucket("action_persons").ForEach(func(k, _ []byte) error {
			id := inbox.ActionID(binary.BigEndian.Uint64(k[len(k)-8:]))
			a, err := tx.Action(id)
			if errors.Is(err, ErrNotFound) || err == nil && (a.State.Ended() || a.Detail != nil && !bytes.Equal(tx.openKey(a, a.Detail), k)) {
				e.fault("action_persons has an entry of %s that is not true", id)
			}
			return nil
		}))
	})
}

func (x *examination) replies(e *Examined) error {
	return x.view(func(tx *Tx) error {
		counted(tx, e, "replies")
		caseKey := func(r *inbox.Reply) []byte { return join(be(uint64(r.Case)), be(uint64(r.ID))) }
		err := errors.Join(both(tx, e, "replies", "reply_due", replyDueKey), both(tx, e, "replies", "reply_cases", caseKey), drawn(tx, e, "reply_ids", "replies", ofValue))
		return errors.Join(err, tx.bucket("replies").ForEach(func(k, _ []byte) error {
			r, err := tx.Reply(inbox.ReplyID(binary.BigEndian.Uint64(k)))
			if err != nil || r.Detail == nil {
				return nil // the seals say so
			}
			if v := tx.bucket("reply_ids").Get(tx.Hash("our message-id", r.Detail.MessageID)); !bytes.Equal(v, k) {
				e.fault("reply_ids has no entry of %s", r.ID)
			}
			return nil
		}))
	})
}

func (x *examination) asks(e *Examined) error {
	return x.view(func(tx *Tx) error {
		e.Seen = fmt.Sprintf("%d records", tx.bucket("asks").Stats().KeyN)
		err := tx.bucket("asks").ForEach(func(k, v []byte) error {
			var a Ask
			if err := json.Unmarshal(v, &a); err != nil {
				e.fault("a question cannot be read: %v", err)
			} else if tx.bucket("case_asks").Get(join(be(uint64(a.Case)), k)) == nil {
				e.fault("case_asks has no entry of a question of %s", a.Case)
			}
			return nil
		})
		return errors.Join(err, tx.bucket("case_asks").ForEach(func(k, _ []byte) error {
			if len(k) < 8 || tx.bucket("asks").Get(k[8:]) == nil {
				e.fault("case_asks has an entry of a question of %s that is not there", inbox.MailID(binary.BigEndian.Uint64(k)))
			}
			return nil
		}))
	})
}

func (x *examination) refs(e *Examined) error {
	return x.view(func(tx *Tx) error {
		e.Seen = fmt.Sprintf("%d refs", tx.bucket("mail_refs").Stats().KeyN)
		err := errors.Join(drawn(tx, e, "mail_refs", "mails", ofValue), drawn(tx, e, "mail_filed", "mails", ofValue), drawn(tx, e, "mail_erase", "mails", ofValue))
		err = errors.Join(err, tx.bucket("mails").ForEach(func(_, v []byte) error {
			m, err := parsed[inbox.Mail](v)
			if err != nil || m.Ref == (inbox.Ref{}) {
				return nil
			}
			if id, ok := tx.MailByRef(m.Ref); !ok || id != m.ID {
				e.fault("mail_refs does not lead from %s to %s", m.Ref, m.ID)
			}
			return nil
		}))
		err = errors.Join(err, tx.bucket("mail_unfiled").ForEach(func(k, v []byte) error {
			if !bytes.Equal(tx.bucket("mail_refs").Get(k), v) {
				e.fault("mail_unfiled has %s, which mail_refs has not", keyRef(k))
			}
			return nil
		}))
		err = errors.Join(err, tx.bucket("mail_filed").ForEach(func(k, v []byte) error {
			if tx.bucket("mail_places").Get(join(v, refKey(filedRef(k)))) == nil {
				e.fault("mail_places has no entry of %s", filedRef(k))
			}
			return nil
		}))
		return errors.Join(err, tx.bucket("mail_places").ForEach(func(k, t []byte) error {
			r := keyRef(k[8:])
			if tx.bucket("mail_filed").Get(join(filedPrefix(r.Mailbox), t, refKey(r))) == nil {
				e.fault("mail_filed has no entry of %s", r)
			}
			return nil
		}))
	})
}

// desk counts what is open anew.
func (x *examination) desk(e *Examined) error {
	return x.view(func(tx *Tx) error {
		faults, err := tx.CheckOpen()
		for _, f := range faults {
			e.fault("%s", f)
		}
		n := tx.Tallies()
		e.Seen = fmt.Sprintf("%d that need a person, %d that go on by themselves", n.Now, n.Self)
		return err
	})
}

// journalOf holds the index of the journal against its entries, both ways.
func (x *examination) journalOf(e *Examined) error {
	return x.view(func(tx *Tx) error {
		if tx.bucket("meta").Get([]byte(keyUnindexed)) != nil {
			e.Seen = "not looked at: it is not complete before the daemon's next start"
			return nil
		}
		err := tx.WalkJournal(1, false, func(l journal.Link) (bool, error) {
			for _, thing := range thingsOf(l.Entry) {
				if tx.bucket("journal_of").Get(join(thing, be(l.Seq))) == nil {
					e.fault("journal_of has no entry of journal entry %d", l.Seq)
				}
			}
			return true, nil
		})
		return errors.Join(err, tx.bucket("journal_of").ForEach(func(k, _ []byte) error {
			thing, seq := k[:max(0, len(k)-8)], ofKey(k, nil)
			l, err := tx.JournalAt(binary.BigEndian.Uint64(join(make([]byte, 8-len(seq)), seq)))
			if err != nil || !slices.ContainsFunc(thingsOf(l.Entry), func(of []byte) bool { return bytes.Equal(of, thing) }) {
				e.fault("journal_of has an entry of journal entry %x that is not true", seq)
			}
			return nil
		}))
	})
}
