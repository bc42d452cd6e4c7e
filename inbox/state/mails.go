package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/inbox"
)

var bucketMails = []byte("mails")

// Folder is what is known about one folder of a mailbox.
type Folder struct {
	UIDValidity uint32    `json:"uidvalidity"`
	Floor       uint32    `json:"floor"`     // UIDs below it were there before the first run and are not ours
	FirstRun    time.Time `json:"first_run"` // the moment of the first run; zero when the backlog is taken

	// Suspects are the UIDs of mails that were asked for when a connection ended,
	// and how often that was so with each of them alone.
	Suspects map[uint32]int `json:"suspects,omitempty"`
}

// Folder reads what is known about a folder; ok is false at the first contact.
func (tx *Tx) Folder(mailbox, folder string) (f Folder, ok bool, err error) {
	v := tx.bucket("mailboxes").Get(folderKey(mailbox, folder))
	if v == nil {
		return f, false, nil
	}
	return f, true, json.Unmarshal(v, &f)
}

// PutFolder stores what is known about a folder.
func (tx *Tx) PutFolder(mailbox, folder string, f Folder) error {
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encoding folder: %w", err)
	}
	return tx.bucket("mailboxes").Put(folderKey(mailbox, folder), b)
}

func folderKey(mailbox, folder string) []byte { return []byte(mailbox + "\x00" + folder) }

func refKey(r inbox.Ref) []byte {
	return join(folderKey(r.Mailbox, r.Folder), []byte{0},
		binary.BigEndian.AppendUint32(nil, r.UIDValidity), binary.BigEndian.AppendUint32(nil, r.UID))
}

func keyRef(k []byte) (r inbox.Ref) {
	if len(k) < 8 {
		return r
	}
	n := len(k) - 8
	r.UIDValidity, r.UID = binary.BigEndian.Uint32(k[n:]), binary.BigEndian.Uint32(k[n+4:])
	parts := bytes.SplitN(k[:n], []byte{0}, 3)
	if len(parts) >= 2 {
		r.Mailbox, r.Folder = string(parts[0]), string(parts[1])
	}
	return r
}

// NewMailID draws the next ID.
func (tx *Tx) NewMailID() (inbox.MailID, error) {
	n, err := tx.bucket("mails").NextSequence()
	if err != nil {
		return 0, fmt.Errorf("drawing a mail ID: %w", err)
	}
	return inbox.MailID(n), tx.db.keysReady(n)
}

// keysReady tells that ensure has made the key; a batch larger than a block
// would outrun it.
func (db *DB) keysReady(n uint64) error {
	db.keys.mu.RLock()
	defer db.keys.mu.RUnlock()
	if n > db.keys.upTo {
		return fmt.Errorf("more than %d new mails in one transaction", keyBlock/2)
	}
	return nil
}

// MailByRef gives the Mail that accounts for a ref; ok is false when none does.
// Its record may have been dropped: the ref is accounted for all the same.
func (tx *Tx) MailByRef(r inbox.Ref) (id inbox.MailID, ok bool) {
	return tx.mailIn("mail_refs", refKey(r))
}

// MailByDigest gives the newest Mail with the same content.
func (tx *Tx) MailByDigest(d inbox.Digest) (id inbox.MailID, ok bool) {
	return tx.knownIn("mail_digests", tx.Hash("digest", string(d[:])))
}

// MailByContent gives the newest Mail with the same content that was read by
// the same fields (see inbox.Message). Of Mails from before the form was kept,
// the content alone counts.
func (tx *Tx) MailByContent(d, form inbox.Digest) (id inbox.MailID, ok bool) {
	if id, ok := tx.knownIn("mail_digests", tx.contentHash(d, form)); ok {
		return id, true
	}
	key := tx.Hash("digest", string(d[:]))
	if len(tx.bucket("mail_digests").Get(key)) != 8 {
		return 0, false
	}
	return tx.knownIn("mail_digests", key)
}

// withForm stands behind the mail of a digest whose form is kept, too.
const withForm = 1

func (tx *Tx) contentHash(d, form inbox.Digest) []byte {
	return tx.Hash("digest and form", string(d[:])+string(form[:]))
}

// MailByMessageID gives the Mail that came with the sender's Message-ID.
func (tx *Tx) MailByMessageID(id string) (inbox.MailID, bool) {
	return tx.knownIn("mail_ids", tx.Hash("sender message-id", id))
}

func (tx *Tx) mailIn(bucket string, key []byte) (inbox.MailID, bool) {
	v := tx.bucket(bucket).Get(key)
	if v == nil {
		return 0, false
	}
	return inbox.MailID(binary.BigEndian.Uint64(v)), true
}

// knownIn is mailIn without the Mails whose records were dropped.
func (tx *Tx) knownIn(bucket string, key []byte) (inbox.MailID, bool) {
	id, ok := tx.mailIn(bucket, key)
	if !ok || !tx.has("mails", uint64(id)) {
		return 0, false
	}
	return id, true
}

// Account ties a ref on the server to the Mail that accounts for it. With file
// set it also notes that the server has yet to be told.
func (tx *Tx) Account(r inbox.Ref, id inbox.MailID, file bool) error {
	if err := tx.bucket("mail_refs").Put(refKey(r), be(uint64(id))); err != nil {
		return fmt.Errorf("accounting for %s: %w", r, err)
	}
	if !file {
		return nil
	}
	return tx.bucket("mail_unfiled").Put(refKey(r), be(uint64(id)))
}

// Identify ties content, form and Message-ID to a Mail; "" is no Message-ID.
func (tx *Tx) Identify(id inbox.MailID, d, form inbox.Digest, messageID string) error {
	b := tx.bucket("mail_digests")
	err := errors.Join(b.Put(tx.Hash("digest", string(d[:])), append(be(uint64(id)), withForm)), b.Put(tx.contentHash(d, form), be(uint64(id))))
	if err != nil {
		return fmt.Errorf("indexing %s: %w", id, err)
	}
	if messageID == "" {
		return nil
	}
	return tx.bucket("mail_ids").Put(tx.Hash("sender message-id", messageID), be(uint64(id)))
}

// Sign ties signatures of a mail from an address to the Mail. One that is tied
// already stays where it is.
func (tx *Tx) Sign(id inbox.MailID, from string, signatures [][32]byte) error {
	b := tx.bucket("mail_signatures")
	for _, s := range signatures {
		key := tx.signatureHash(from, s)
		if _, known := tx.knownIn("mail_signatures", key); known {
			continue
		}
		if err := b.Put(key, be(uint64(id))); err != nil {
			return fmt.Errorf("indexing %s: %w", id, err)
		}
	}
	return nil
}

// MailBySignature gives the Mail from an address that came with one of the
// signatures.
func (tx *Tx) MailBySignature(from string, signatures [][32]byte) (inbox.MailID, bool) {
	for _, s := range signatures {
		if id, ok := tx.knownIn("mail_signatures", tx.signatureHash(from, s)); ok {
			return id, true
		}
	}
	return 0, false
}

func (tx *Tx) signatureHash(from string, s [32]byte) []byte {
	return tx.Hash("signature", string(s[:])+from)
}

// PutMail stores a Mail and keeps its indexes.
func (tx *Tx) PutMail(m *inbox.Mail) error {
	m.End = tx.endOf(m)
	var retry, ended, state []byte
	old, err := tx.storedMail(m.ID)
	switch {
	case err == nil:
		retry, ended, state = retryKey(old), endedKey(old), mailStateKey(old)
	case err != ErrNotFound:
		return err
	}
	for _, x := range []struct {
		bucket   string
		old, now []byte
	}{{"mail_retry", retry, retryKey(m)}, {"mail_ended", ended, endedKey(m)}, {"mail_states", state, mailStateKey(m)}} {
		if err := tx.reindex(x.bucket, x.old, x.now); err != nil {
			return fmt.Errorf("indexing %s: %w", m.ID, err)
		}
	}
	before := inbox.MailState("")
	if old != nil {
		before = old.State
	}
	if err := tx.tallyMove("mail", string(before), string(m.State)); err != nil {
		return fmt.Errorf("counting %s: %w", m.ID, err)
	}
	if err := put(tx, "mails", uint64(m.ID), m.ID, m, m.Detail); err != nil {
		return err
	}
	tx.mails.note(tx, uint64(m.ID), *m)
	if !tx.hasHeld(m.ID) {
		return nil
	}
	return tx.placeCase(m.ID) // which Actions it has may have changed
}

// storedMail reads a Mail without what is sealed: its detail is nil, and stays as
// it was when it is put.
func (tx *Tx) storedMail(id inbox.MailID) (*inbox.Mail, error) {
	if m := tx.mails.recall(tx, "mails", uint64(id)); m != nil {
		m.Detail = nil
		return m, nil
	}
	m, err := stored[inbox.Mail](tx, "mails", uint64(id))
	if err == nil {
		tx.mails.note(tx, uint64(id), *m)
	}
	return m, err
}

func mailCase(m *inbox.Mail) inbox.MailID { return m.ID }

func retryKey(m *inbox.Mail) []byte {
	if m.State != inbox.MailDeferred {
		return nil
	}
	return join(at(m.Retry), be(uint64(m.ID)))
}

// endedKey is under what a Case waits for the end of its retention.
func endedKey(m *inbox.Mail) []byte {
	if m.Ended.IsZero() || !m.Forgotten.IsZero() {
		return nil
	}
	return join(endedPrefix(m.End), at(m.Ended), be(uint64(m.ID)))
}

func endedPrefix(e inbox.End) []byte { return append([]byte(e), 0) }

// endOf says how a Case ended, "" while it has not.
func (tx *Tx) endOf(m *inbox.Mail) inbox.End {
	if m.Ended.IsZero() {
		return ""
	}
	best := inbox.End("")
	for _, id := range m.Actions {
		a, err := tx.actionState(id)
		if err != nil || !a.State.Ended() {
			continue
		}
		if end := inbox.End(a.State); best == "" || slices.Index(inbox.Ends(), end) < slices.Index(inbox.Ends(), best) {
			best = end
		}
	}
	switch {
	case best != "":
		return best
	case len(m.Actions) > 0:
		return inbox.EndDone
	}
	if end := inbox.End(m.State); slices.Contains(inbox.Ends(), end) {
		return end
	}
	return inbox.EndAnswered
}

func mailStateKey(m *inbox.Mail) []byte { return join([]byte(m.State), []byte{0}, be(uint64(m.ID))) }

// Mail reads a Mail; ErrNotFound when there is none.
func (tx *Tx) Mail(id inbox.MailID) (*inbox.Mail, error) {
	m, d, err := get[inbox.Mail, inbox.MailDetail](tx, "mails", uint64(id), mailCase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	m.Detail = d
	tx.mails.note(tx, uint64(id), *m)
	return m, nil
}

// EachMail calls f for every Mail after the given ID, oldest first, until it
// returns false.
func (tx *Tx) EachMail(after inbox.MailID, f func(*inbox.Mail) bool) error {
	c := tx.bucket("mails").Cursor()
	for k, _ := c.Seek(be(uint64(after) + 1)); k != nil; k, _ = c.Next() {
		m, err := tx.Mail(inbox.MailID(binary.BigEndian.Uint64(k)))
		if err != nil {
			return err
		}
		if !f(m) {
			return nil
		}
	}
	return nil
}

// MailsIn calls f for the Mails of a state, oldest first, until it returns
// false; "" is every state.
func (tx *Tx) MailsIn(s inbox.MailState, f func(*inbox.Mail) bool) error {
	if s == "" {
		return tx.EachMail(0, f)
	}
	var err error
	tx.eachID("mail_states", append([]byte(s), 0), func(id uint64) bool {
		var m *inbox.Mail
		m, err = tx.Mail(inbox.MailID(id))
		return err == nil && f(m)
	})
	return err
}

// MailsBack calls f for the Mails of a state before the given ID (0: the newest
// are the first), newest first, until it returns false; "" is every state.
func (tx *Tx) MailsBack(s inbox.MailState, before inbox.MailID, f func(*inbox.Mail) bool) error {
	bucket, prefix := "mails", []byte(nil)
	if s != "" {
		bucket, prefix = "mail_states", append([]byte(s), 0)
	}
	var err error
	tx.eachBack(bucket, prefix, uint64(before), func(id uint64) bool {
		var m *inbox.Mail
		m, err = tx.Mail(inbox.MailID(id))
		return err == nil && f(m)
	})
	return err
}

// RetryMails lists deferred mails whose time has come.
func (tx *Tx) RetryMails(limit int) []inbox.MailID {
	return mailIDs(tx.dueOrFarOff("mail_retry", limit))
}

// NextRetry gives the time at which the next deferred mail is tried, or zero.
func (tx *Tx) NextRetry() time.Time { return tx.firstTime("mail_retry", time.Unix(0, 0)) }

func mailIDs(ids []uint64) []inbox.MailID {
	out := make([]inbox.MailID, len(ids))
	for i, id := range ids {
		out[i] = inbox.MailID(id)
	}
	return out
}

// Unfiled lists the refs of a folder that are accounted for but that the
// server was not told about. Deferred mails are not among them: they stay
// where they are until they have ended.
func (tx *Tx) Unfiled(mailbox, folder string, uidvalidity uint32, limit int) ([]inbox.Ref, error) {
	prefix := join(folderKey(mailbox, folder), []byte{0}, binary.BigEndian.AppendUint32(nil, uidvalidity))
	var refs []inbox.Ref
	c := tx.bucket("mail_unfiled").Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix) && len(refs) < limit; k, v = c.Next() {
		m, err := stored[inbox.Mail](tx, "mails", binary.BigEndian.Uint64(v))
		gone := errors.Is(err, ErrNotFound) // its record was dropped: it was filed in another of our mailboxes
		if err != nil && !gone {
			return nil, fmt.Errorf("looking for what is to be filed: %w", err)
		}
		if gone || m.State != inbox.MailDeferred {
			refs = append(refs, keyRef(k))
		}
	}
	return refs, nil
}

// Filed notes that the server was told: the mail is now at to, or still at
// from when to is zero, and may be expunged when keep is over.
func (tx *Tx) Filed(from, to inbox.Ref) error {
	id, ok := tx.MailByRef(from)
	if !ok {
		return fmt.Errorf("filing %s: %w", from, ErrNotFound)
	}
	if err := tx.bucket("mail_unfiled").Delete(refKey(from)); err != nil {
		return fmt.Errorf("filing %s: %w", from, err)
	}
	if to == (inbox.Ref{}) {
		to = from
	}
	if to.UID == 0 { // moved to where the server did not say: keep cannot reach it
		return errors.Join(tx.bucket("mail_erase").Delete(refKey(from)), tx.mislaid(to, id))
	}
	if err := tx.filedTo(from, to, id); err != nil {
		return fmt.Errorf("filing %s: %w", from, err)
	}
	return nil
}

// Tie notes that something of a person, or of an address, is sealed under the
// key of a Case.
func (tx *Tx) Tie(kind, personOrAddress string, c inbox.MailID) error {
	return tx.bucket("persons").Put(join(tx.Hash(kind, personOrAddress), be(uint64(c))), []byte{})
}

// Tied lists every Case under whose key something of a person or an address
// is sealed.
func (tx *Tx) Tied(kind, personOrAddress string) []inbox.MailID {
	var ids []uint64
	tx.eachID("persons", tx.Hash(kind, personOrAddress), func(id uint64) bool {
		if tx.has("mails", id) { // else its record was dropped
			ids = append(ids, id)
		}
		return true
	})
	return mailIDs(ids)
}

// Remembers tells whether the key of a Case is held, so that what is sealed
// under it can be read.
func (tx *Tx) Remembers(c inbox.MailID) bool { return tx.db.keys.holds(c) }

// The kinds of ties, for Tie and Tied.
const (
	TiePerson  = "person"
	TieAddress = "address"
)
