package intake

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// converse takes a mail that a person wrote: an answer to a question of ours,
// new requests, or both.
func (in *Intake) converse(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	s, q, stranger, err := in.from(tx, p)
	if err != nil {
		return err
	}
	m.Evidence = s.Evidence.Level
	m.Detail.EvidenceWhy = s.Evidence.Why
	switch {
	case stranger != nil && s.Evidence.Denied:
		return in.elsewhere(tx, p, m, s, stranger, "it answers a question of ours, and our own server says that it is not from the address in its From")
	case stranger != nil:
		return in.elsewhere(tx, p, m, s, stranger, "it answers a question that we asked another address")
	case in.Mode == policy.Observe && p.reading.Answer != inbox.AnswerNone:
		cases.Mark(m, inbox.MailHeld, "an answer, and mode is observe")
		return nil
	case p.reading.Partial && q != nil:
		return in.pick(tx, p, m, s, q)
	}
	if r, err := in.ofStaff(tx, p, s); r != nil || err != nil {
		return in.answersStaff(tx, p, m, s, r, err)
	}
	r, beside, err := in.listen(tx, p, s, q)
	if err != nil {
		return err
	}
	heard := false
	if r.Answer == inbox.AnswerNone || q == nil {
		heard, err = in.Cases.Stop(tx, m, s, r.Stop)
	}
	switch {
	case err != nil:
	case heard:
		r.Requests = beside
	case r.Answer == inbox.AnswerNone:
	case q != nil:
		err = in.Cases.Answer(tx, m, s, q, r)
	default:
		err = in.Cases.Loose(tx, m, s, r)
	}
	if err != nil || len(r.Requests) == 0 {
		return err
	}
	return in.Cases.Open(tx, m, s, r.Requests)
}

// ofStaff gives the letter in which staff asked something in their own words, if
// that is the newest of ours that a mail answers.
func (in *Intake) ofStaff(tx *state.Tx, p *prepared, s cases.Sender) (*inbox.Reply, error) {
	refs := append(slices.Clone(p.msg.References), p.msg.InReplyTo...)
	slices.Reverse(refs)
	for _, id := range refs[:min(len(refs), maxReferences)] {
		r, err := tx.ReplyByMessageID(id)
		if err != nil {
			return nil, err
		}
		if r == nil || r.Detail == nil || r.Detail.To != s.Address {
			continue
		}
		if q, err := tx.AskByReply(r); err != nil || q != nil || !r.ByStaff {
			return nil, err
		}
		return r, nil
	}
	return nil, nil
}

// answersStaff hands a mail to staff that answers their own words: its yes or no
// is about those. At most it holds what can be stopped; to keep the account is
// plain wherever it stands.
func (in *Intake) answersStaff(tx *state.Tx, p *prepared, m *inbox.Mail, s cases.Sender, r *inbox.Reply, err error) error {
	if err != nil {
		return err
	}
	said, _, err := in.listen(tx, p, s, nil)
	if err != nil {
		return err
	}
	if said.Stop == inbox.StopAll {
		said.Stop = inbox.StopMaybe
	}
	heard, err := in.Cases.Stop(tx, m, s, said.Stop)
	if err != nil {
		return err
	}
	return in.Cases.AnswersStaff(tx, m, s, r, p.reading.Requests, !heard)
}

// pick takes an answer to some of several points. Where it answers no open
// question, it may be a stop: "not number 2".
func (in *Intake) pick(tx *state.Tx, p *prepared, m *inbox.Mail, s cases.Sender, q *state.Ask) error {
	if q.Purpose != state.PurposeConfirm || q.Used || q.Void != "" {
		if heard, err := in.Cases.Stop(tx, m, s, inbox.StopMaybe); heard || err != nil {
			return err
		}
	}
	return in.Cases.Answer(tx, m, s, q, p.reading) // the rest of it is about the same points
}

// listen gives the reading of a mail with what it says against what its sender
// can still stop: they need not look for our letter to answer it. beside is
// what is left of its requests when that is heeded. A no to q is not heeded as
// one when q told what will happen and the words are about something else.
func (in *Intake) listen(tx *state.Tx, p *prepared, s cases.Sender, q *state.Ask) (r inbox.Reading, beside []inbox.Request, err error) {
	r = p.reading
	can, err := in.Cases.Stoppable(tx, s)
	if err != nil || !can || r.Answer == inbox.AnswerYes || in.Mode == policy.Observe {
		return r, r.Requests, err
	}
	r.Stop, beside = in.Classifier.Stops(p.msg, r)
	if r.Stop == inbox.StopNone && r.Answer == inbox.AnswerNo && q != nil && q.Purpose == state.PurposeNotice {
		r.Answer, r.Stop = inbox.AnswerNone, inbox.StopMaybe
	}
	return r, beside, nil
}

// heed takes what a mail says against what its sender can still stop, as far as
// they are proved, and nothing else of it. beside is what is left of its
// requests; heard is false when there was nothing to stop.
func (in *Intake) heed(tx *state.Tx, p *prepared, m *inbox.Mail, s cases.Sender, q *state.Ask) (heard bool, beside []inbox.Request, err error) {
	beside = p.reading.Requests
	can, err := in.Cases.Stoppable(tx, s)
	if err != nil || !can || in.Mode == policy.Observe {
		return false, beside, err
	}
	r, left, err := in.listen(tx, p, s, q)
	switch {
	case err != nil:
	case r.Answer == inbox.AnswerNo && q != nil && !r.Partial:
		err = in.Cases.Answer(tx, m, s, q, r)
	case r.Answer == inbox.AnswerNo:
		err = in.Cases.Loose(tx, m, s, r)
	default:
		if _, err = in.Cases.Stop(tx, m, s, r.Stop); m.State != "" {
			beside = left
		}
	}
	return m.State != "", beside, err
}

// doubt holds what a no or a stop of somebody who has proved nothing is
// against, and asks the owner; q is the question that the mail answers, if any.
func (in *Intake) doubt(tx *state.Tx, p *prepared, m *inbox.Mail, s cases.Sender, q *state.Ask) error {
	s.Evidence.Level = inbox.LevelNone
	if in.Mode == policy.Observe {
		return nil
	}
	if p.reading.Answer == inbox.AnswerNo {
		return in.Cases.Doubtful(tx, m, s)
	}
	r, _, err := in.listen(tx, p, s, q)
	if err != nil {
		return err
	}
	_, err = in.Cases.Stop(tx, m, s, r.Stop)
	return err
}

// elsewhere takes a mail that carries the token of a question and is not from
// whom we asked, or whose author is not certain. The token is neither accepted
// nor used up, and staff see the mail. A stop in it is heeded: against what its
// sender can stop, and, as one without proof, against what the question is about.
func (in *Intake) elsewhere(tx *state.Tx, p *prepared, m *inbox.Mail, s cases.Sender, q *state.Ask, why string) error {
	says, beside := in.against(p)
	if s.Address != "" {
		if _, err := in.Cases.Stop(tx, m, s, says); err != nil {
			return err
		}
	}
	if err := in.Cases.FromElsewhere(tx, m, q, says); err != nil {
		return err
	}
	if m.State != "" && m.State != inbox.MailIgnored {
		if len(beside) == 0 {
			return nil
		}
		p.reading.Requests = beside
	}
	return in.hold(tx, p, m, why)
}

// against gives what a mail says against something that was asked for before,
// whoever may have asked, and what is left of its requests beside that.
func (in *Intake) against(p *prepared) (says inbox.Stop, beside []inbox.Request) {
	if in.Mode == policy.Observe || p.reading.Answer == inbox.AnswerYes {
		return inbox.StopNone, p.reading.Requests
	}
	if says, beside = in.Classifier.Stops(p.msg, p.reading); p.reading.Answer == inbox.AnswerNo {
		return max(says, inbox.StopAll), p.reading.Requests
	}
	return says, beside
}
