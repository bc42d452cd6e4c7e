package intake

import (
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
)

// from gives what is known of who sent a mail, with the question of ours that it
// answers; see question. Of an old mail that is sent again nothing is proved.
func (in *Intake) from(tx *state.Tx, p *prepared) (s cases.Sender, q, stranger *state.Ask, err error) {
	s = cases.Sender{Address: p.msg.From.Addr, People: p.people, Evidence: p.evidence}
	if p.again != 0 {
		s.Evidence = inbox.Evidence{Why: "its signature came before, in " + p.again.String(), Denied: p.evidence.Denied}
		return s, nil, nil, nil
	}
	q, stranger, err = in.question(tx, p, &s)
	return s, q, stranger, err
}

// toStop gives what is known of who sent a mail, as far as a stop in it goes: one
// whose content came before, and is older than what it would stop, cannot be
// about that. Whoever has got a copy of it may be sending it again.
func (in *Intake) toStop(tx *state.Tx, p *prepared, s cases.Sender, q *state.Ask) (cases.Sender, *state.Ask, error) {
	if !p.repeats {
		return s, q, nil
	}
	older, err := in.Cases.StoppableSince(tx, s, p.msg.Date)
	if err != nil || !older {
		return s, q, err
	}
	s.Evidence = inbox.Evidence{Why: "its content came before, and is older than what it would stop", Denied: s.Evidence.Denied}
	return s, nil, nil
}

// answerable is how long a mail of ours, quoted by its Message-ID, proves that
// the mailbox was read.
const answerable = 30 * 24 * time.Hour

// carried is a token that a mail brings back.
type carried struct {
	token string
	by    string // what has it, in words for staff
}

// tokens finds the tokens that a mail brings back.
func (in *Intake) tokens(msg *inbox.Message) (all []carried) {
	for _, token := range policy.Tokens(msg.Subject) {
		all = append(all, carried{token, "its subject"})
	}
	for _, token := range in.plusTokens(msg) {
		all = append(all, carried{token, "the address that it was sent to"})
	}
	return all
}

const (
	maxTokens     = 8   // in addresses; a mail of ours has one
	maxRecipients = 100 // of one header; no answer to us has as many
)

// plusTokens finds the tokens in addresses of ours that a mail was sent to.
func (in *Intake) plusTokens(msg *inbox.Message) (tokens []string) {
	if len(in.Plus) == 0 {
		return nil
	}
	var to []string
	for _, list := range [][]inbox.Address{msg.To, msg.Cc} {
		for _, a := range list[:min(len(list), maxRecipients)] {
			to = append(to, a.Addr)
		}
	}
	for _, name := range []string{"Delivered-To", "X-Original-To"} {
		for _, v := range msg.Header[name] {
			if a, err := address.Canonical(strings.Trim(v, "<> ")); err == nil {
				to = append(to, a)
			}
		}
	}
	for _, addr := range to {
		base, token := policy.PlusToken(addr)
		// Our own servers deliver to us whatever the case of the local part is.
		if token != "" && slices.ContainsFunc(in.Plus, func(own string) bool { return strings.EqualFold(own, base) }) {
			tokens = append(tokens, token)
		}
	}
	return tokens[:min(len(tokens), maxTokens)]
}

// question finds the question of ours that a mail answers, by the token that it
// carries or by its References, and raises the evidence when the mail shows
// that the mailbox which we wrote to has answered. stranger is set when the
// question was for another address, or the mail is not from where it says.
func (in *Intake) question(tx *state.Tx, p *prepared, s *cases.Sender) (q, stranger *state.Ask, err error) {
	if p.form {
		return nil, nil, nil // whoever has seen a token can write it into a form
	}
	from := tx.Hash(state.TieAddress, s.Address)
	for _, c := range in.tokens(p.msg) {
		found, err := tx.AskByToken(c.token)
		if err != nil {
			return nil, nil, err
		}
		if found != nil && slices.Equal(found.To, from) && !s.Evidence.Denied {
			if tx.Now.Sub(found.Asked) > answerable {
				continue
			}
			prove(s, c.by+" carries the token that was sent to this address")
			return found, nil, nil
		}
		if found != nil {
			stranger = found
		}
	}
	refs := append(slices.Clone(p.msg.InReplyTo), p.msg.References...)
	slices.Reverse(refs)
	for _, id := range refs[:min(len(refs), maxReferences)] {
		r, err := tx.ReplyByMessageID(id)
		if err != nil {
			return nil, nil, err
		}
		if r == nil || r.Detail == nil || r.Staff || tx.Now.Sub(later(r.Created, r.Sent)) > answerable {
			continue
		}
		found, err := tx.AskByReply(r)
		if err != nil {
			return nil, nil, err
		}
		if r.Detail.To != s.Address || s.Evidence.Denied {
			if found != nil && stranger == nil {
				stranger = found
			}
			continue
		}
		prove(s, "it answers "+r.ID.String()+", which was sent to this address only")
		if q == nil {
			q = found
		}
	}
	if s.Evidence.Level == inbox.LevelRoundtrip {
		stranger = nil
	}
	return q, stranger, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func prove(s *cases.Sender, why string) {
	if s.Evidence.Level == inbox.LevelRoundtrip {
		return
	}
	s.Evidence = inbox.Evidence{Level: inbox.LevelRoundtrip, Why: strings.Trim(why+"; "+s.Evidence.Why, "; ")}
}
