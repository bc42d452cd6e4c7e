package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/inbox"
)

// filedTo notes that a Mail is at a ref on the server, and that it may be expunged
// from there when keep is over.
func (tx *Tx) filedTo(from, to inbox.Ref, id inbox.MailID) error {
	m, err := tx.storedMail(id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil // its record was dropped
	case err != nil:
		return fmt.Errorf("%s: %w", id, err)
	}
	if m.Ref.Mailbox == from.Mailbox { // where it was seen last: the server may have numbered it anew
		m.Where = to
		if err := tx.PutMail(m); err != nil {
			return err
		}
	}
	if err := tx.bucket("mail_filed").Put(filedKey(to, tx.Now), be(uint64(id))); err != nil {
		return err
	}
	if err := tx.bucket("mail_places").Put(join(be(uint64(id)), refKey(to)), at(tx.Now)); err != nil {
		return err
	}
	return tx.eraseMoved(from, to)
}

func filedPrefix(mailbox string) []byte { return append([]byte(mailbox), 0) }

func filedKey(to inbox.Ref, t time.Time) []byte {
	return join(filedPrefix(to.Mailbox), at(t), refKey(to))
}

// filedRef gives the ref of a key of mail_filed.
func filedRef(k []byte) inbox.Ref {
	_, rest, _ := bytes.Cut(k, []byte{0})
	if len(rest) < 8 {
		return inbox.Ref{}
	}
	return keyRef(rest[8:])
}

// CountFiled counts the mails of a mailbox that were filed and not expunged.
func (tx *Tx) CountFiled(mailbox string) (n int) {
	c := tx.bucket("mail_filed").Cursor()
	prefix := filedPrefix(mailbox)
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		tx.count()
		n++
	}
	return n
}

// FiledBefore lists refs of a mailbox that were filed before t, the oldest
// first.
func (tx *Tx) FiledBefore(mailbox string, t time.Time, limit int) (refs []inbox.Ref) {
	tx.eachFiled(mailbox, t, func(k, _ []byte) bool {
		refs = append(refs, filedRef(k))
		return len(refs) < limit
	})
	return refs
}

func (tx *Tx) eachFiled(mailbox string, t time.Time, f func(k, v []byte) bool) {
	c := tx.bucket("mail_filed").Cursor()
	prefix := filedPrefix(mailbox)
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		tx.count()
		if bytes.Compare(k[len(prefix):][:8], at(t)) > 0 || !f(k, v) {
			return
		}
	}
}

// Expunged forgets that refs filed before t are on the server. Mails at those that
// were not reached may still be somewhere on it.
func (tx *Tx) Expunged(refs []inbox.Ref, t time.Time, reached func(inbox.Ref) bool) error {
	gone, boxes := make(map[inbox.Ref]bool, len(refs)), make(map[string]bool)
	for _, r := range refs {
		gone[r], boxes[r.Mailbox] = true, true
	}
	var over [][2][]byte // key and mail
	for box := range boxes {
		tx.eachFiled(box, t, func(k, v []byte) bool {
			if gone[filedRef(k)] {
				over = append(over, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
			}
			return true
		})
	}
	for _, o := range over {
		if err := tx.unplace(o[0], o[1]); err != nil {
			return err
		}
		if r := filedRef(o[0]); !reached(r) {
			if err := tx.mislaid(r, inbox.MailID(binary.BigEndian.Uint64(o[1]))); err != nil {
				return err
			}
		}
	}
	return nil
}

// mislaid notes that a Mail may still be on the server, and not where.
func (tx *Tx) mislaid(at inbox.Ref, id inbox.MailID) error {
	m, err := tx.Mail(id)
	if errors.Is(err, ErrNotFound) || err == nil && m.Ref.Mailbox != at.Mailbox {
		return nil // its record was dropped, or it is the same mail in another mailbox
	}
	if err != nil {
		return err
	}
	at.UID = 0
	m.Where = at
	return tx.PutMail(m)
}

// unplace removes an entry of mail_filed, and what mirrors it.
func (tx *Tx) unplace(filed, mail []byte) error {
	ref := refKey(filedRef(filed))
	err := errors.Join(tx.bucket("mail_filed").Delete(filed), tx.bucket("mail_places").Delete(join(mail, ref)))
	if err != nil {
		return fmt.Errorf("forgetting a filed mail: %w", err)
	}
	return nil
}

// Places lists where a Mail is on the server, as far as the server told.
func (tx *Tx) Places(id inbox.MailID) (refs []inbox.Ref) {
	c := tx.bucket("mail_places").Cursor()
	for k, _ := c.Seek(be(uint64(id))); len(k) > 8 && bytes.HasPrefix(k, be(uint64(id))); k, _ = c.Next() {
		refs = append(refs, keyRef(k[8:]))
	}
	return refs
}

// EraseMails notes, before the keys of Cases of deleted people are dropped, which
// of their mails are to be taken off the server: those that the person wrote.
// Of mails that were moved to where the server did not say it gives the Cases:
// these cannot be found there. With dry it changes nothing.
func (tx *Tx) EraseMails(cases []inbox.MailID, mailboxes func(name string) bool, dry bool) (noted int, lost []inbox.MailID, err error) {
	var erased []erasure
	err = tx.eachErasure(func(_ []byte, e erasure) error { erased = append(erased, e); return nil })
	if err != nil {
		return 0, nil, err
	}
	for _, id := range cases {
		m, err := tx.Mail(id)
		if err != nil {
			return noted, lost, err
		}
		if !slices.ContainsFunc(erased, func(e erasure) bool { return tx.wrote(m, e) }) {
			continue
		}
		refs := tx.Places(id)
		if tx.bucket("mail_unfiled").Get(refKey(m.Ref)) != nil {
			refs = append(refs, m.Ref)
		}
		if len(refs) == 0 && m.Where.UID == 0 && mailboxes(m.Ref.Mailbox) && !m.Junk { // else it was expunged where it was seen last
			lost = append(lost, id)
		}
		for _, r := range refs {
			if !mailboxes(r.Mailbox) {
				continue
			}
			if noted++; dry {
				continue
			}
			if err := tx.bucket("mail_erase").Put(refKey(r), be(uint64(id))); err != nil {
				return noted, lost, fmt.Errorf("noting that %s is to be expunged: %w", id, err)
			}
		}
	}
	return noted, lost, nil
}

// wrote tells whether a mail came from a person who is erased: from their
// address, or from one that was theirs when it came. Where that was forgotten,
// the tie to the address still says so.
func (tx *Tx) wrote(m *inbox.Mail, e erasure) bool {
	if m.Detail == nil {
		return tx.bucket("persons").Get(join(e.Address, be(uint64(m.ID)))) != nil
	}
	return bytes.Equal(tx.Hash(TieAddress, m.Detail.From.Addr), e.Address) || m.Detail.Person != "" && bytes.Equal(tx.Hash(TiePerson, m.Detail.Person), e.Person)
}

// eraseMoved lets a mail that is to be taken off the server be found where it
// was moved to.
func (tx *Tx) eraseMoved(from, to inbox.Ref) error {
	b := tx.bucket("mail_erase")
	v := b.Get(refKey(from))
	if v == nil || from == to {
		return nil
	}
	return errors.Join(b.Put(refKey(to), bytes.Clone(v)), b.Delete(refKey(from)))
}

// Renumbered notes that a mail which the server was not told about yet stands at
// another ref there.
func (tx *Tx) Renumbered(from, to inbox.Ref) error {
	if err := tx.bucket("mail_unfiled").Delete(refKey(from)); err != nil {
		return fmt.Errorf("numbering %s anew: %w", from, err)
	}
	return tx.eraseMoved(from, to)
}

// Erasing is a mail of a deleted person that is to be taken off the server.
type Erasing struct {
	Ref  inbox.Ref
	Mail inbox.MailID
}

// Erasing tells of a ref whether it is to be taken off the server.
func (tx *Tx) Erasing(r inbox.Ref) (e Erasing, ok bool) {
	id, ok := tx.mailIn("mail_erase", refKey(r))
	return Erasing{r, id}, ok
}

// ToErase lists up to limit mails of a folder that are to be taken off the
// server, of the lowest UIDVALIDITY first. What was not filed yet is not among
// them. The folder "" is any of the mailbox.
func (tx *Tx) ToErase(mailbox, folder string, limit int) (out []Erasing) {
	prefix := filedPrefix(mailbox)
	if folder != "" {
		prefix = join(folderKey(mailbox, folder), []byte{0})
	}
	c := tx.bucket("mail_erase").Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix) && len(out) < limit; k, v = c.Next() {
		if tx.bucket("mail_unfiled").Get(k) == nil {
			out = append(out, Erasing{keyRef(k), inbox.MailID(binary.BigEndian.Uint64(v))})
		}
	}
	return out
}

// ErasedMail notes that a mail of a deleted person is off the server, or cannot
// be reached there any more.
func (tx *Tx) ErasedMail(e Erasing, what string) error {
	key := refKey(e.Ref)
	place := join(be(uint64(e.Mail)), key)
	if t := tx.bucket("mail_places").Get(place); t != nil {
		filed := join(filedPrefix(e.Ref.Mailbox), t, key)
		if err := tx.unplace(filed, be(uint64(e.Mail))); err != nil {
			return err
		}
	}
	if err := tx.bucket("mail_erase").Delete(key); err != nil {
		return fmt.Errorf("ending the expunge of %s: %w", e.Mail, err)
	}
	return tx.Journal(what, inbox.WhoProgram, e.Mail, 0, nil)
}
