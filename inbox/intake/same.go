package intake

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/state"
)

// record gives the Mail to decide about: a new one, or one that was deferred.
// It is nil when another Mail accounts for the same content already.
func (in *Intake) record(tx *state.Tx, p *prepared) (m *inbox.Mail, again bool, err error) {
	if id, ok := tx.MailByRef(p.raw.Ref); ok {
		m, err := tx.Mail(id)
		if errors.Is(err, state.ErrNotFound) { // its record was dropped, and it is still on the server
			return nil, false, nil
		}
		if err != nil || m.State != inbox.MailDeferred {
			return nil, false, err
		}
		return m, true, nil
	}
	m, goesOn, err := in.twin(tx, p)
	switch {
	case err != nil:
		return nil, false, err
	case m != nil && !goesOn:
		return nil, false, in.same(tx, p, m)
	case goesOn && m.State == inbox.MailHeld:
		if goesOn, err = in.Cases.TakeBack(tx, m); err != nil {
			return nil, false, err
		}
	}
	if goesOn {
		m.Ref, m.Where, m.Ended = p.raw.Ref, inbox.Ref{}, time.Time{} // the Actions that were taken back are still of it
		return m, false, nil
	}
	id, err := tx.NewMailID()
	if err != nil {
		return nil, false, err
	}
	m = &inbox.Mail{ID: id, Ref: p.raw.Ref, Received: p.raw.Received, Digest: p.msg.Digest, Language: p.reading.Language}
	return m, false, nil
}

// twin finds the Mail that accounts for the same content, to be read and judged
// in the same way; nil when there is none, or when it must not stand for this
// one. goesOn is set when the Mail could go on with this one.
func (in *Intake) twin(tx *state.Tx, p *prepared) (m *inbox.Mail, goesOn bool, err error) {
	if p.msg.Digest == (inbox.Digest{}) {
		return nil, false, nil
	}
	id, sameForm := tx.MailByContent(p.msg.Digest, in.form(p))
	if !sameForm {
		if id, _ = tx.MailByDigest(p.msg.Digest); id == 0 {
			return nil, false, nil
		}
	}
	if m, err = tx.Mail(id); err != nil {
		return nil, false, err
	}
	then, now, err := in.both(tx, m, p)
	switch {
	case err != nil:
		return nil, false, err
	case numberedAnew(m, p):
		return m, m.State == inbox.MailDeferred, nil
	case !sameForm:
		return nil, false, nil
	case m.Detail != nil && resumes(m.State, then, now):
		return m, true, nil
	case covers(then, now):
		return m, false, nil
	}
	return nil, false, nil
}

// numberedAnew tells whether a mail is the one of a Mail, in a folder that the
// server has numbered anew.
func numberedAnew(m *inbox.Mail, p *prepared) bool {
	then, now := m.Ref, p.raw.Ref
	return then.Mailbox == now.Mailbox && then.Folder == now.Folder && then.UIDValidity != now.UIDValidity && m.Received.Equal(p.raw.Received)
}

// form identifies what else than its content decides how a mail is read and
// where it goes: the fields by which its body is read, what it answers, to which
// of our addresses with a token it was sent, and whether it seems to be from our
// own house. What the author, the class and the proof decide is compared beside
// it, because there one can be better than the other; see covers.
func (in *Intake) form(p *prepared) inbox.Digest {
	tokens := slices.Compact(slices.Sorted(slices.Values(in.plusTokens(p.msg))))
	lists := [][]string{p.msg.InReplyTo, p.msg.References, tokens, {p.fromUs}}
	if len(p.msg.InReplyTo)+len(p.msg.References)+len(tokens) == 0 && p.fromUs == "" {
		return p.msg.Form
	}
	sum := sha256.New()
	sum.Write(p.msg.Form[:])
	for _, list := range lists {
		fmt.Fprintf(sum, "%d %q\n", len(list), list)
	}
	return inbox.Digest(sum.Sum(nil))
}

// judged is what a mail is judged by beside its content and form.
type judged struct {
	class  inbox.Class
	author string // "": not certain
	level  inbox.Level
	open   bool // DNS may still prove it
	junk   bool // in the junk folder
	again  bool // an old mail that was sent again with something changed
}

// both gives what a Mail was judged by, and what another mail of its content
// and form would be.
func (in *Intake) both(tx *state.Tx, m *inbox.Mail, p *prepared) (then, now judged, err error) {
	s := cases.Sender{Address: p.msg.From.Addr, Evidence: p.evidence}
	now = judged{class: p.class, author: s.Address, open: p.unproved != nil, junk: p.raw.Junk, again: sentBefore(tx, p, m.ID) != 0}
	if !now.again {
		if _, _, err := in.question(tx, p, &s); err != nil {
			return then, now, err
		}
		now.level = s.Evidence.Level
	}
	then = judged{class: m.Class, author: now.author, level: m.Evidence, again: m.Again}
	if m.Detail != nil {
		then.author = m.Detail.From.Addr
	}
	src := in.source(m.Ref.Mailbox)
	then.junk = src != nil && src.Junk != "" && m.Ref.Folder == src.Junk
	return then, now, nil
}

// covers tells whether a Mail can stand for another mail of the same content and
// form: whatever could be made of that one was made of it. Whoever got a copy of
// a mail can send it first, in a way in which less is made of it, and that must
// not swallow the mail itself.
func covers(then, now judged) bool {
	switch {
	case then.class != inbox.ClassNone && then.class != now.class:
		return false // nothing was done, and now it is another's or no machine's
	case then.junk && !now.junk && now.class == inbox.ClassNone:
		return false // nobody was written to
	case then.again && !now.again:
		return false // nothing was done
	case now.author != "" && now.author != then.author:
		return false // nobody knew whose it is
	}
	return now.level <= then.level
}

// resumes tells whether a Mail goes on with the same content in another place:
// one that is deferred, where it is seen next and not less can be made of it,
// and one about which nobody was written to because it was junk, after somebody
// has moved it out of there. Of such a one staff may have decided already.
func resumes(was inbox.MailState, then, now judged) bool {
	if now.author != then.author || now.again && !then.again || now.class != inbox.ClassNone && now.class != then.class {
		return false
	}
	moved := then.junk && !now.junk && now.class == inbox.ClassNone
	switch was {
	case inbox.MailDeferred:
		return moved || asGood(then, now)
	case inbox.MailIgnored:
		return moved
	case inbox.MailHeld:
		return moved && now.level >= then.level
	}
	return false
}

// asGood tells whether a mail is at least as well proved as a Mail of the same
// content that is deferred, and whose sender DNS may still prove.
func asGood(then, now judged) bool {
	return now.level > inbox.LevelNone && now.level >= then.level || now.open && then.level == inbox.LevelNone
}

// same accounts for a mail whose content came before: in another of our
// mailboxes, or under another UID.
func (in *Intake) same(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	if err := tx.Account(p.raw.Ref, m.ID, !p.raw.Junk && !p.probe); err != nil {
		return err
	}
	if numberedAnew(m, p) {
		if err := tx.Renumbered(m.Ref, p.raw.Ref); err != nil {
			return err
		}
	}
	return tx.Journal("mail seen again", cases.Program, m.ID, 0, map[string]any{"ref": p.raw.Ref})
}

// identify puts a mail's content on record, so that it is known when it comes
// again.
func (in *Intake) identify(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	if p.msg.Digest == (inbox.Digest{}) {
		return nil
	}
	if err := tx.Identify(m.ID, p.msg.Digest, in.form(p), p.msg.ID); err != nil || p.evidence.Level == inbox.LevelNone {
		return err
	}
	return tx.Sign(m.ID, p.msg.From.Addr, p.signed) // of others anybody may have made them up
}

// compare finds out how a mail is not simply a new one. The content is compared
// first, because a copy that was sent before the mail itself has its signature;
// then the signature, because an old mail that is sent again with other words
// can keep its Message-ID.
func (in *Intake) compare(tx *state.Tx, p *prepared, m *inbox.Mail) {
	p.again = 0
	p.known = otherForm(tx, p, m)
	if p.repeats = p.known != ""; !p.repeats {
		p.again = sentBefore(tx, p, m.ID)
	}
	if p.known == "" && p.again == 0 {
		p.known = sameID(tx, p, m)
	}
	m.Again = p.again != 0
}

// otherForm says, in words for staff, how a mail differs from another of the
// same content that must not stand for it; "" when there is none.
func otherForm(tx *state.Tx, p *prepared, m *inbox.Mail) string {
	other, ok := tx.MailByDigest(p.msg.Digest)
	if !ok || other == m.ID || p.msg.Digest == (inbox.Digest{}) {
		return ""
	}
	return "its content came before, in " + other.String() + ", but in another form or with less proof"
}

// sentBefore gives the Mail from the same author that came with one of a mail's
// signatures and is not self; 0 when there is none.
func sentBefore(tx *state.Tx, p *prepared, self inbox.MailID) inbox.MailID {
	if other, ok := tx.MailBySignature(p.msg.From.Addr, p.signed); ok && other != self {
		return other
	}
	return 0
}

// sameID says whose Message-ID a mail has over another content; "" when there
// is none.
func sameID(tx *state.Tx, p *prepared, m *inbox.Mail) string {
	other, ok := tx.MailByMessageID(p.msg.ID)
	if !ok || other == m.ID || p.msg.ID == "" {
		return ""
	}
	if same, ok := tx.MailByDigest(p.msg.Digest); ok && same == other {
		return ""
	}
	return "it has the Message-ID of " + other.String() + ", but another content"
}
