package intake

import (
	"errors"
	"slices"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// way is one that a mail can go. fits says why it goes there, in words for
// staff, "" when it does not; take gives the Mail its end state.
type way struct {
	fits func(*state.Tx, *prepared, *inbox.Mail) (why string, err error)
	take func(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error
}

// ways lists the ways that a mail can go, in the order in which they are tried.
// Anybody can put a mail on any of them: by a header, or by sending a copy of it
// first. So each must say what becomes of a stop.
func (in *Intake) ways() []way {
	return []way{
		// Nothing of it can be read: staff are told.
		{in.isBroken, in.toQuarantine},

		// Nobody can have anything stopped by it: it is a probe of ours, or from before we were here.
		{in.isProbe, in.ignore},
		{in.isBacklog, in.ignore},

		// All that could be made of it was made of the other, stops included.
		{in.isCovered, in.drop},

		// A machine wrote it. Whatever came before it, this is no work for staff, and a report must reach the letter that
		// it is about. A plain and proved stop holds all the same: anybody on the way can set such a mark.
		{in.isMachine, in.screened},

		// Nobody may be written to, so what came before matters neither. A proved stop holds, and staff decide.
		{in.isMute, in.mute},

		// It is not simply new (see compare): a stop is heeded as far as its sender is proved, the rest is for staff. Of
		// an old mail nothing is proved, and nothing else comes of it.
		{in.isKnown, in.known},
		{in.isSentAgain, in.sentAgain},

		// DNS or the user store is away: a stop holds until they answer.
		{in.isUnanswered, in.unanswered},

		// Nobody is its author: only a token can say what a stop in it is against.
		{in.isAnonymous, in.anonymous},

		// A person wrote it.
		{in.isMail, in.person},
	}
}

// decide gives a Mail its end state.
func (in *Intake) decide(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	in.compare(tx, p, m)
	for _, w := range in.ways() {
		switch why, err := w.fits(tx, p, m); {
		case err != nil:
			return err
		case why != "":
			return w.take(tx, p, m, why)
		}
	}
	return nil
}

func (in *Intake) isBroken(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	return p.broken, nil
}

func (in *Intake) toQuarantine(tx *state.Tx, _ *prepared, m *inbox.Mail, why string) error {
	m.State, m.Reason = inbox.MailQuarantined, why
	return in.Cases.Notify(tx, "a mail is quarantined", m.ID)
}

func (in *Intake) isProbe(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	if p.probe {
		return whyProbe, nil
	}
	return "", nil
}

func (in *Intake) isBacklog(tx *state.Tx, _ *prepared, m *inbox.Mail) (string, error) {
	if in.beforeFirstRun(tx, m) {
		return "it arrived before the first run", nil
	}
	return "", nil
}

// beforeFirstRun tells whether a mail belongs to the backlog that the first
// run left alone, and came back with a change of UIDVALIDITY.
func (in *Intake) beforeFirstRun(tx *state.Tx, m *inbox.Mail) bool {
	f, ok, err := tx.Folder(m.Ref.Mailbox, m.Ref.Folder)
	return err == nil && ok && m.Received.Before(f.FirstRun.Truncate(time.Second)) && f.Floor == 0 && !f.FirstRun.IsZero()
}

func (in *Intake) ignore(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	cases.Mark(m, inbox.MailIgnored, why)
	return in.identify(tx, p, m)
}

// isCovered finds what was put on record on its own, and is known to be the
// content of another Mail only since it was tried again.
func (in *Intake) isCovered(tx *state.Tx, p *prepared, m *inbox.Mail) (string, error) {
	other, goesOn, err := in.twin(tx, p)
	if err != nil || other == nil || other.ID == m.ID || goesOn && other.State != inbox.MailDeferred {
		return "", err
	}
	return "its content is that of " + other.ID.String(), nil
}

// drop ends a mail for which another stands, and whose content stays the
// other's.
func (in *Intake) drop(_ *state.Tx, _ *prepared, m *inbox.Mail, why string) error {
	cases.Mark(m, inbox.MailIgnored, why)
	return nil
}

// isMachine finds what no machine may answer. What is only taken for spam may
// be a person's.
func (in *Intake) isMachine(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	if p.class == inbox.ClassNone || p.class == inbox.ClassSpam {
		return "", nil
	}
	return string(p.class) + ": " + p.why, nil
}

func (in *Intake) screened(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	switch p.class {
	case inbox.ClassMalformed:
		return in.toQuarantine(tx, p, m, why)
	case inbox.ClassOversize:
		cases.Mark(m, inbox.MailHeld, why)
		return in.Cases.Notify(tx, "a mail is too large to be read", m.ID)
	}
	switch unread, err := in.unread(tx, p); {
	case err != nil:
		return err
	case unread:
		return in.putOff(tx, p, m, "what it may stop came with it")
	}
	switch held, err := in.holdBack(tx, p, m, why); {
	case err != nil || m.State != "":
		return err
	case held:
		cases.Mark(m, inbox.MailHeld, why)
		return nil
	case p.class == inbox.ClassBounce:
		return in.bounced(tx, p, m, why)
	}
	cases.Mark(m, inbox.MailIgnored, why)
	return nil
}

// unread tells whether a mail that was not read may stop something by now: what
// it would stop was accounted for after somebody looked at the mail.
func (in *Intake) unread(tx *state.Tx, p *prepared) (bool, error) {
	if p.read {
		return false, nil
	}
	return in.stops(tx, p)
}

// bounced takes a report, and what it says about a letter of ours.
func (in *Intake) bounced(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	cases.Mark(m, inbox.MailIgnored, why)
	r, err := about(tx, p.msg)
	if err != nil || r == nil || p.msg.Report != nil && !p.msg.Report.Failed {
		return err
	}
	m.Reason = "a failure report about " + r.ID.String()
	return in.Cases.Bounced(tx, m, r)
}

// about gives the Reply of ours that a report is about, or nil.
func about(tx *state.Tx, msg *inbox.Message) (*inbox.Reply, error) {
	var candidates []string
	if msg.Report != nil {
		candidates = append(candidates, msg.Report.Originals...)
	}
	candidates = append(append(candidates, msg.InReplyTo...), msg.References...)
	for _, id := range candidates[:min(len(candidates), maxReferences)] {
		if r, err := tx.ReplyByMessageID(id); r != nil || err != nil {
			return r, err
		}
	}
	return nil, nil
}

// isMute finds what a person may have written although nobody may be written to
// about it.
func (in *Intake) isMute(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	switch {
	case p.raw.Junk:
		return "found in the junk folder", nil
	case p.class == inbox.ClassSpam:
		return p.why, nil
	}
	return p.fromUs, nil
}

// mute shows a mail to staff, and writes to nobody. Of what is taken for junk
// they see requests and answers only.
func (in *Intake) mute(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	held, err := in.holdBack(tx, p, m, why)
	if err != nil || m.State != "" {
		return err
	}
	if p.again != 0 {
		p.reading.Requests = nil // they were seen when it came first
	}
	if asJunk(p) {
		p.reading.Requests = slices.DeleteFunc(slices.Clone(p.reading.Requests), func(r inbox.Request) bool { return r.Kind == inbox.KindQuestion })
		if len(p.reading.Requests) == 0 && p.reading.Answer == inbox.AnswerNone && !held {
			cases.Mark(m, inbox.MailIgnored, why+", and no request is in it")
			return nil
		}
	}
	return in.hold(tx, p, m, why)
}

// asJunk tells whether a mail is taken for junk.
func asJunk(p *prepared) bool { return p.raw.Junk || p.class == inbox.ClassSpam }

// holdBack holds what a stop is against in a mail about which nobody may be
// written to. It must be proved, so that nobody can hold what is others' by mail
// that nobody is told of; staff are told, so of our own house a claim is enough.
// What a machine says counts only where it is plain. While DNS is away a stop
// that is not proved yet puts the mail off.
func (in *Intake) holdBack(tx *state.Tx, p *prepared, m *inbox.Mail, why string) (held bool, err error) {
	s, q, _, err := in.from(tx, p)
	if err != nil {
		return false, err
	}
	m.Evidence, m.Detail.EvidenceWhy = s.Evidence.Level, s.Evidence.Why
	if s, q, err = in.toStop(tx, p, s, q); err != nil {
		return false, err
	}
	r, _, err := in.listen(tx, p, s, q)
	machine := p.class != inbox.ClassNone && p.class != inbox.ClassSpam
	if err != nil || r.Stop == inbox.StopNone || r.Stop == inbox.StopMaybe && machine {
		return false, err
	}
	proved, ours := s.Evidence.Level > inbox.LevelNone, !machine && !asJunk(p)
	if proved || ours {
		if held, err = in.Cases.HoldBack(tx, m, s, r.Stop, why); err != nil {
			return held, err
		}
	}
	if !proved && p.unproved != nil && p.again == 0 {
		return held, in.putOff(tx, p, m, noAnswer)
	}
	return held, nil
}

func (in *Intake) isKnown(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	if p.anew {
		return "", nil // staff have seen that
	}
	return p.known, nil
}

// known takes a mail that is not simply a new one. Somebody may have sent us
// the other so that this one is taken for it; so a stop is heeded before the
// time for it is over, and the rest waits for staff. Its content is put on
// record with the end only: until then it would know itself.
func (in *Intake) known(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	if away(p) && in.Mode != policy.Observe {
		if err := in.doubt(tx, p, m, cases.Sender{Address: p.msg.From.Addr, People: p.people}, nil); err != nil {
			return err
		}
		return in.putOff(tx, p, m, noAnswer)
	}
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	s, q, stranger, err := in.from(tx, p)
	if err != nil {
		return err
	}
	m.Evidence, m.Detail.EvidenceWhy = s.Evidence.Level, s.Evidence.Why
	if s, q, err = in.toStop(tx, p, s, q); err != nil {
		return err
	}
	if stranger != nil {
		return in.elsewhere(tx, p, m, s, stranger, why)
	}
	heard, beside, err := in.heed(tx, p, m, s, q)
	if err != nil || heard && len(beside) == 0 {
		return err
	}
	p.reading.Requests = beside
	return in.hold(tx, p, m, why)
}

func (in *Intake) isSentAgain(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	if p.again == 0 {
		return "", nil
	}
	return "its signature came before, in " + p.again.String(), nil
}

// sentAgain takes a mail whose signature we have seen over another content: what
// is not signed of it was changed on the way, or by somebody who wants to have
// it done again. Nothing comes of it, but that a stop holds what it is against.
func (in *Intake) sentAgain(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	s, _, _, err := in.from(tx, p)
	if err != nil {
		return err
	}
	if err := in.doubt(tx, p, m, s, nil); err != nil {
		return err
	}
	if p.later != nil {
		return in.putOff(tx, p, m, noAnswer)
	}
	if m.State == "" || m.State == inbox.MailIgnored {
		m.State, m.Reason = inbox.MailIgnored, why
	}
	return nil
}

// away tells whether DNS or the user store did not answer.
func away(p *prepared) bool { return p.later != nil || p.unproved != nil }

func (in *Intake) isUnanswered(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	if away(p) {
		return noAnswer, nil
	}
	return "", nil
}

// unanswered decides about a mail although DNS or the user store did not
// answer. A token proves the sender without DNS, and a no needs nobody looked
// up: a stop must not wait until what it would stop has run. One that nothing
// proves yet holds it until it is decided.
func (in *Intake) unanswered(tx *state.Tx, p *prepared, m *inbox.Mail, _ string) error {
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	s := cases.Sender{Address: p.msg.From.Addr, People: p.people, Evidence: inbox.Evidence{Denied: p.evidence.Denied}}
	q, _, err := in.question(tx, p, &s)
	if err != nil {
		return err
	}
	no := p.reading.Answer == inbox.AnswerNo
	if s.Evidence.Level == inbox.LevelRoundtrip && (p.later == nil || no && q != nil) {
		p.evidence = inbox.Evidence{Why: "DNS did not answer"}
		return in.converse(tx, p, m)
	}
	if err := in.doubt(tx, p, m, s, q); err != nil {
		return err
	}
	return in.putOff(tx, p, m, noAnswer)
}

const (
	deferMin = time.Minute
	deferMax = 30 * time.Minute

	// maxDefer is how often a mail is tried: with these pauses for two days,
	// not counting the time in which nobody tried.
	maxDefer = 100

	noAnswer = "DNS or the user store did not answer"
)

// putOff puts a mail off. After two days staff decide.
func (in *Intake) putOff(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	if m.Tries >= maxDefer {
		return in.hold(tx, p, m, "DNS or the user store has not answered for two days")
	}
	pause := deferMin
	for range m.Tries {
		pause = min(2*pause, deferMax)
	}
	m.Tries++
	m.State, m.Reason, m.Retry = inbox.MailDeferred, why, tx.Now.Add(pause)
	in.Log.Warn("intake: a mail is deferred", "mail", m.ID.String(), "tries", m.Tries, "err", errors.Join(p.later, p.unproved))
	return nil
}

func (in *Intake) isAnonymous(_ *state.Tx, p *prepared, _ *inbox.Mail) (string, error) {
	if p.msg.FromFault == "" {
		return "", nil
	}
	return "its author is not certain: " + p.msg.FromFault, nil
}

func (in *Intake) anonymous(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	s, _, stranger, err := in.from(tx, p)
	if err != nil {
		return err
	}
	if stranger != nil {
		return in.elsewhere(tx, p, m, s, stranger, why)
	}
	return in.hold(tx, p, m, why)
}

func (in *Intake) isMail(*state.Tx, *prepared, *inbox.Mail) (string, error) {
	return "a person wrote it", nil
}

func (in *Intake) person(tx *state.Tx, p *prepared, m *inbox.Mail, _ string) error {
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	return in.converse(tx, p, m)
}

// hold hands a mail to staff, with the reading as a suggestion; nobody is
// written to.
func (in *Intake) hold(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	cases.Mark(m, inbox.MailHeld, why)
	return in.Cases.Suggest(tx, m, cases.Sender{Address: p.msg.From.Addr}, p.reading.Requests, why)
}

// ErrReplay says why a mail cannot be processed again.
var ErrReplay = errors.New("only a quarantined, held or ignored mail without open actions can be replayed")
