package intake

import (
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// record gives the Mail to decide about: a new one, or one that was deferred.
// It is nil when another Mail accounts for the same content already.
func (in *Intake) record(tx *state.Tx, p *prepared) (m *inbox.Mail, again bool, err error) {
	if id, ok := tx.MailByRef(p.raw.Ref); ok {
		m, err := tx.Mail(id)
		if err != nil || m.State != inbox.MailDeferred {
			return nil, false, err
		}
		return m, true, nil
	}
	switch m, resumes, err := in.twin(tx, p); {
	case err != nil:
		return nil, false, err
	case resumes:
		m.Ref, m.Where, m.Ended = p.raw.Ref, inbox.Ref{}, time.Time{}
		return m, false, nil
	case m != nil:
		return nil, false, in.same(tx, p, m.ID)
	}
	id, err := tx.NewMailID()
	if err != nil {
		return nil, false, err
	}
	m = &inbox.Mail{ID: id, Ref: p.raw.Ref, Received: p.raw.Received, Digest: p.msg.Digest, Language: p.reading.Language}
	return m, false, nil
}

// twin finds the Mail that accounts for the same content, to be read in the
// same way; nil when there is none, or when it must not stand for this one.
// resumes is set when the Mail goes on with this one.
func (in *Intake) twin(tx *state.Tx, p *prepared) (m *inbox.Mail, resumes bool, err error) {
	if p.msg.Digest == (inbox.Digest{}) {
		return nil, false, nil
	}
	id, ok := tx.MailByContent(p.msg.Digest, p.msg.Form)
	if !ok {
		return nil, false, nil
	}
	if m, err = tx.Mail(id); err != nil {
		return nil, false, err
	}
	s := cases.Sender{Address: p.msg.From.Addr, Evidence: p.evidence}
	if _, _, err := in.question(tx, p, &s); err != nil {
		return nil, false, err
	}
	switch {
	case in.resumes(m, p, s.Evidence.Level):
		return m, true, nil
	case covers(m, p, s.Evidence.Level):
		return m, false, nil
	}
	return nil, false, nil
}

// covers tells whether a Mail can stand for another mail of the same content.
// Whoever got a copy of a mail can send it first, with a header by which it is
// screened, or its author uncertain, or under which nobody is believed: that
// must not swallow the mail itself. While nothing was decided, either can stand
// for both.
func covers(m *inbox.Mail, p *prepared, proved inbox.Level) bool {
	screened := m.Class != inbox.ClassNone && m.Class != p.class
	author := m.Detail == nil || m.Detail.From.Addr == p.msg.From.Addr || p.msg.From.Addr == ""
	return m.State == inbox.MailDeferred || !screened && author && proved <= m.Evidence ||
		renumbered(m, p) && m.Received.Equal(p.raw.Received)
}

// renumbered tells whether the server has numbered the folder of a Mail anew.
func renumbered(m *inbox.Mail, p *prepared) bool {
	then, now := m.Ref, p.raw.Ref
	return then.Mailbox == now.Mailbox && then.Folder == now.Folder && then.UIDValidity != now.UIDValidity
}

// resumes tells whether a Mail goes on with the same content in another
// place: one that was deferred, where it is seen next and not less can be made
// of it, and one that nobody was shown because it was junk, after somebody
// moved it out of there.
func (in *Intake) resumes(m *inbox.Mail, p *prepared, proved inbox.Level) bool {
	if m.Detail == nil {
		return false // kept long enough
	}
	src := in.source(m.Ref.Mailbox)
	wasJunk := src != nil && src.Junk != "" && m.Ref.Folder == src.Junk
	moved := wasJunk && !p.raw.Junk
	switch m.State {
	case inbox.MailDeferred:
		return moved || renumbered(m, p) || p.class == inbox.ClassNone && asGood(m, p, proved)
	case inbox.MailIgnored:
		return moved
	}
	return false
}

// asGood tells whether a mail is at least as well proved as a Mail of the same
// content that is deferred, and whose sender DNS may still prove.
func asGood(m *inbox.Mail, p *prepared, proved inbox.Level) bool {
	return proved > inbox.LevelNone && proved >= m.Evidence || p.unproved != nil && m.Evidence == inbox.LevelNone
}

// same accounts for a mail whose content came before: in another of our
// mailboxes, or under another UID.
func (in *Intake) same(tx *state.Tx, p *prepared, id inbox.MailID) error {
	if err := tx.Account(p.raw.Ref, id, !p.raw.Junk && !p.probe); err != nil {
		return err
	}
	return tx.Journal("mail seen again", cases.Program, id, 0, map[string]any{"ref": p.raw.Ref})
}

func (in *Intake) identify(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	if p.msg.Digest == (inbox.Digest{}) {
		return nil
	}
	if err := tx.Identify(m.ID, p.msg.Digest, p.msg.Form, p.msg.ID); err != nil || p.evidence.Level == inbox.LevelNone {
		return err
	}
	return tx.Sign(m.ID, p.msg.From.Addr, p.signed) // of others anybody may have made them up
}

// otherForm says, in words for staff, how a mail differs from another of the
// same content that must not stand for it; "" when there is none.
func otherForm(tx *state.Tx, p *prepared, m *inbox.Mail) string {
	other, ok := tx.MailByDigest(p.msg.Digest)
	if !ok || other == m.ID || p.msg.Digest == (inbox.Digest{}) || p.class != inbox.ClassNone {
		return "" // of a copy that is screened nobody needs to know
	}
	return "its content came before, in " + other.String() + ", but in another form or with less proof"
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

// known takes a mail that is not simply a new one. Somebody may have sent us
// the other so that this one is taken for it; so a stop is heeded as far as its
// sender is proved, before the time for it is over, and the rest waits for
// staff.
func (in *Intake) known(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	quiet := p.class != inbox.ClassNone || p.msg.FromFault != "" || p.fromUs != "" || in.Mode == policy.Observe || p.raw.Junk
	if !quiet && (p.later != nil || p.unproved != nil) {
		if err := in.doubt(tx, p, m, cases.Sender{Address: p.msg.From.Addr, People: p.people}, nil); err != nil {
			return err
		}
		return in.putOff(tx, p, m)
	}
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	switch {
	case p.raw.Junk && p.class == inbox.ClassNone:
		return in.junk(tx, p, m)
	case !quiet:
		if err := in.stop(tx, p, m); err != nil || m.State != "" {
			return err
		}
	}
	return in.hold(tx, p, m, why)
}

// replayed takes a mail whose signature we have seen over another content: what
// is not signed of it was changed on the way, or by somebody who wants to have
// it done again. Nothing comes of it, but that a stop holds what it is against.
func (in *Intake) replayed(tx *state.Tx, p *prepared, m *inbox.Mail, before inbox.MailID) error {
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	p.reading.Requests = nil
	var err error
	switch {
	case p.class != inbox.ClassNone:
		return in.screened(tx, p, m)
	case in.Mode == policy.Observe, p.fromUs != "":
	case p.raw.Junk:
		err = in.junk(tx, p, m)
	default:
		err = in.doubt(tx, p, m, cases.Sender{Address: p.msg.From.Addr, People: p.people}, nil)
	}
	if err != nil {
		return err
	}
	if p.later != nil && !p.raw.Junk {
		return in.putOff(tx, p, m)
	}
	if m.State == "" || m.State == inbox.MailIgnored {
		m.State, m.Reason = inbox.MailIgnored, "its signature came before, in "+before.String()
	}
	return nil
}

// stop heeds what a mail says against what its sender can still stop, and
// nothing else of it.
func (in *Intake) stop(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	s := cases.Sender{Address: p.msg.From.Addr, People: p.people, Evidence: p.evidence}
	q, _, err := in.question(tx, p, &s)
	if err != nil {
		return err
	}
	m.Evidence, m.Detail.EvidenceWhy = s.Evidence.Level, s.Evidence.Why
	can, err := in.Cases.Stoppable(tx, s)
	if err != nil || !can {
		return err
	}
	r, _, err := in.listen(tx, p, s, q)
	switch {
	case err != nil:
	case r.Answer == inbox.AnswerNo && q != nil && !r.Partial:
		err = in.Cases.Answer(tx, m, s, q, r)
	case r.Answer == inbox.AnswerNo:
		err = in.Cases.Loose(tx, m, s, r)
	default:
		_, err = in.Cases.Stop(tx, m, s, r.Stop)
	}
	return err
}
