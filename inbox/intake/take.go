package intake

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/sender"
	"push.guru/supportd/inbox/state"
)

// prepared is a Raw with everything that can be found out about it outside of
// a transaction.
type prepared struct {
	raw      inbox.Raw
	msg      *inbox.Message
	form     bool   // a contact form of the site wrote it for somebody
	fromUs   string // why it is one of our own house; "": it is not
	class    inbox.Class
	why      string
	evidence inbox.Evidence
	signed   [][32]byte // its signatures
	people   []users.Person
	reading  inbox.Reading
	later    error  // the user store did not answer
	unproved error  // DNS did not answer
	broken   string // why it cannot be processed at all
	probe    bool   // it is one that a probe of ours sent
}

// take prepares a batch of mails and commits what comes of them. When the
// batch cannot be committed each mail is tried alone, and one that still fails
// is quarantined.
func (in *Intake) take(ctx context.Context, raws []inbox.Raw) error {
	batch := make([]*prepared, len(raws))
	var wg sync.WaitGroup
	slots := make(chan struct{}, prepareAtOnce)
	for i, raw := range raws {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			batch[i] = in.prepare(ctx, raw)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	err := in.commit(ctx, batch)
	for i := 0; err != nil && i < len(batch); i++ {
		if single := in.commit(ctx, batch[i:i+1]); inbox.IsTemporary(single) || ctx.Err() != nil {
			in.Log.Error("intake: the state cannot be written; until it can, no mail is acknowledged", "err", single)
			return single // not this mail's fault
		} else if single != nil {
			in.Log.Error("intake: a mail cannot be processed", "mail", batch[i].raw.Ref.String(), "err", single)
			if err := in.quarantine(ctx, batch[i].raw, "it could not be processed: "+single.Error()); err != nil {
				return err
			}
		}
	}
	in.Changed()
	return nil
}

const (
	prepareAtOnce = batchMails       // mails that wait for DNS and the user store together
	senderBudget  = 10 * time.Second // for all that DNS is asked about one mail
)

// prepare never fails: what goes wrong is part of what it finds.
func (in *Intake) prepare(ctx context.Context, raw inbox.Raw) (p *prepared) {
	p = &prepared{raw: raw}
	defer func() {
		if recover() != nil { // what it panicked with may be personal
			in.Log.Error("intake: a mail made the program panic", "mail", raw.Ref.String(), "stack", string(debug.Stack()))
			p.broken = "it made the program panic"
		}
		p.raw.Bytes = nil // nobody needs them any more
	}()
	if raw.Bytes == nil {
		p.msg = &inbox.Message{}
		p.class, p.why = inbox.ClassOversize, fmt.Sprintf("%d bytes, more than policy.max_message_bytes", raw.Size)
		return p
	}
	in.look(p)
	signed, all := sender.Signatures(raw.Bytes)
	p.signed = signed
	if p.class != inbox.ClassNone {
		return p
	}
	p.msg.Answers = !p.form && len(in.plusTokens(p.msg)) > 0
	p.reading = in.Classifier.Read(p.msg)
	if p.msg.FromFault != "" || p.msg.From.Addr == "" || p.fromUs != "" {
		return p
	}
	p.people, p.later = in.People.Find(ctx, p.msg.From.Addr)
	if p.form {
		p.evidence = ByForm()
		return p
	}
	asking, cancel := context.WithTimeout(ctx, senderBudget)
	defer cancel()
	p.evidence, p.unproved = in.Sender.Evidence(asking, raw.Bytes, p.msg, raw.Received)
	if !all && p.evidence.Level > inbox.LevelNone {
		p.evidence = inbox.Evidence{Why: "it has so many signatures that nobody can tell whether it came before"}
	}
	return p
}

func (in *Intake) commit(ctx context.Context, batch []*prepared) (err error) {
	defer func() {
		if recover() != nil {
			in.Log.Error("intake: deciding about a mail made the program panic", "stack", string(debug.Stack()))
			err = errors.New("it made the program panic; the log has the details")
		}
	}()
	return in.State.Update(ctx, "intake", func(tx *state.Tx) error {
		for _, p := range batch {
			if err := in.account(tx, p); err != nil {
				return fmt.Errorf("accounting for %s: %w", p.raw.Ref, err)
			}
		}
		return nil
	})
}

// quarantine accounts for a mail that cannot be processed, and tells staff.
func (in *Intake) quarantine(ctx context.Context, raw inbox.Raw, why string) error {
	raw.Bytes = nil
	p := &prepared{raw: raw, msg: &inbox.Message{}, broken: why}
	return in.commit(ctx, []*prepared{p})
}

// account stores the Mail that accounts for a Raw, and its Case.
func (in *Intake) account(tx *state.Tx, p *prepared) (err error) {
	if p.probe, err = isProbe(tx, p); err != nil {
		return err
	}
	m, again, err := in.record(tx, p)
	if err != nil || m == nil {
		return err
	}
	if !again {
		if err := in.store(tx, p, m); err != nil {
			return err
		}
	}
	before := m.State
	m.State, m.Reason = "", ""
	if err := in.decide(tx, p, m); err != nil {
		return err
	}
	if m.State == "" {
		m.State, m.Reason = inbox.MailHeld, "nobody decided about it"
	}
	if m.State != inbox.MailDeferred {
		m.Retry = time.Time{}
	}
	if len(m.Actions) == 0 && m.State != inbox.MailDeferred && m.Ended.IsZero() {
		m.Ended = tx.Now
	}
	if before == inbox.MailDeferred && m.State == inbox.MailDeferred {
		return tx.PutMail(m)
	}
	if err := tx.Journal("mail "+string(m.State), cases.Program, m.ID, 0, map[string]any{"from": p.msg.From.Addr, "reason": m.Reason, "ref": m.Ref}); err != nil {
		return err
	}
	in.Log.Info("intake: mail", "mail", m.ID.String(), "state", string(m.State), "reason", m.Reason, "actions", len(m.Actions), "language", m.Language)
	return tx.PutMail(m)
}

const maxText = 64 << 10

// store puts a new Mail into the state, with what is sealed of it.
func (in *Intake) store(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	msg := p.msg
	m.Evidence, m.Class = p.evidence.Level, p.class
	m.Detail = &inbox.MailDetail{From: msg.From, Subject: msg.Subject, Text: clip(msg.Text, maxText), MessageID: msg.ID,
		References: threadOf(msg), EvidenceWhy: p.evidence.Why, Notes: notes(msg)}
	if len(p.people) == 1 {
		m.Detail.Person = p.people[0].ID
	}
	if err := tx.Account(m.Ref, m.ID, !p.raw.Junk && !p.probe && !in.beforeFirstRun(tx, m)); err != nil {
		return err
	}
	m.State = inbox.MailHeld // until decided, within this transaction
	if err := tx.PutMail(m); err != nil {
		return err
	}
	if msg.From.Addr != "" {
		if err := tx.Tie(state.TieAddress, msg.From.Addr, m.ID); err != nil {
			return err
		}
	}
	return nil
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

const maxReferences = 50

func threadOf(msg *inbox.Message) []string {
	refs := slices.Clone(msg.References)
	if len(refs) == 0 {
		refs = slices.Clone(msg.InReplyTo)
	}
	if len(refs) > maxReferences {
		refs = append(refs[:1], refs[len(refs)-maxReferences+1:]...)
	}
	return refs
}

func notes(msg *inbox.Message) []string {
	out := slices.Clone(msg.Faults)
	if msg.Hidden {
		out = append(out, "its HTML hid text from the reader; that text was not read")
	}
	if len(msg.Attachments) > 0 {
		out = append(out, "attachments, not kept: "+strings.Join(msg.Attachments, ", "))
	}
	return out
}

// decide gives a Mail its end state.
func (in *Intake) decide(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	switch {
	case p.broken != "":
		return in.toQuarantine(tx, m, p.broken)
	case p.probe:
		cases.Mark(m, inbox.MailIgnored, whyProbe)
		return in.identify(tx, p, m)
	case in.beforeFirstRun(tx, m):
		cases.Mark(m, inbox.MailIgnored, "it arrived before the first run")
		return in.identify(tx, p, m)
	}
	switch other, _, err := in.twin(tx, p); {
	case err != nil:
		return err
	case other != nil && other.ID != m.ID:
		cases.Mark(m, inbox.MailIgnored, "its content is that of "+other.ID.String()) // known only since it was replayed
		return nil
	}
	if why := otherForm(tx, p, m); why != "" {
		return in.known(tx, p, m, why)
	}
	if other, ok := tx.MailBySignature(p.msg.From.Addr, p.signed); ok && other != m.ID {
		return in.replayed(tx, p, m, other)
	}
	if why := sameID(tx, p, m); why != "" {
		return in.known(tx, p, m, why)
	}
	if err := in.identify(tx, p, m); err != nil {
		return err
	}
	switch {
	case p.class != inbox.ClassNone:
		return in.screened(tx, p, m)
	case p.raw.Junk:
		return in.junk(tx, p, m)
	case p.fromUs != "":
		return in.hold(tx, p, m, p.fromUs)
	case p.later != nil || p.unproved != nil:
		return in.unanswered(tx, p, m)
	case p.msg.FromFault != "":
		return in.hold(tx, p, m, "its author is not certain: "+p.msg.FromFault)
	}
	return in.converse(tx, p, m)
}

// listen gives the reading of a mail with what it says against what its sender
// can still stop: they need not look for our letter to answer it. beside is
// what is left of its requests when that is heeded. A no to q is not heeded as
// one when q told what will happen and the words are about something else.
func (in *Intake) listen(tx *state.Tx, p *prepared, s cases.Sender, q *state.Ask) (r inbox.Reading, beside []inbox.Request, err error) {
	r = p.reading
	can, err := in.Cases.Stoppable(tx, s)
	if err != nil || !can || r.Answer == inbox.AnswerYes || in.Mode == policy.Observe {
		return r, nil, err
	}
	r.Stop, beside = in.Classifier.Stops(p.msg, r)
	if r.Stop == inbox.StopNone && r.Answer == inbox.AnswerNo && q != nil && q.Purpose == state.PurposeNotice {
		r.Answer, r.Stop = inbox.AnswerNone, inbox.StopMaybe
	}
	return r, beside, nil
}

// beforeFirstRun tells whether a mail belongs to the backlog that the first
// run left alone, and came back with a change of UIDVALIDITY.
func (in *Intake) beforeFirstRun(tx *state.Tx, m *inbox.Mail) bool {
	f, ok, err := tx.Folder(m.Ref.Mailbox, m.Ref.Folder)
	return err == nil && ok && m.Received.Before(f.FirstRun.Truncate(time.Second)) && f.Floor == 0 && !f.FirstRun.IsZero()
}

func (in *Intake) toQuarantine(tx *state.Tx, m *inbox.Mail, why string) error {
	m.State, m.Reason = inbox.MailQuarantined, why
	return in.Cases.Notify(tx, "a mail is quarantined", m.ID)
}

const (
	deferMin = time.Minute
	deferMax = 30 * time.Minute

	// maxDefer is how often a mail is tried: with these pauses for two days,
	// not counting the time in which nobody tried.
	maxDefer = 100
)

// putOff puts a mail off because DNS or the user store did not answer. After
// two days staff decide.
func (in *Intake) putOff(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	if m.Tries >= maxDefer {
		return in.hold(tx, p, m, "DNS or the user store has not answered for two days")
	}
	pause := deferMin
	for range m.Tries {
		pause = min(2*pause, deferMax)
	}
	m.Tries++
	m.State, m.Reason, m.Retry = inbox.MailDeferred, "DNS or the user store did not answer", tx.Now.Add(pause)
	in.Log.Warn("intake: a mail is deferred", "mail", m.ID.String(), "tries", m.Tries, "err", errors.Join(p.later, p.unproved))
	return nil
}

// unanswered decides about a mail although DNS or the user store did not
// answer. A token proves the sender without DNS, and a no needs nobody looked
// up: a stop must not wait until what it would stop has run. One that nothing
// proves yet holds it until it is decided.
func (in *Intake) unanswered(tx *state.Tx, p *prepared, m *inbox.Mail) error {
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
	if in.Mode == policy.Observe {
		return in.putOff(tx, p, m)
	}
	if err := in.doubt(tx, p, m, s, q); err != nil {
		return err
	}
	return in.putOff(tx, p, m)
}

// hold hands a mail to staff, with the reading as a suggestion; nobody is
// written to.
func (in *Intake) hold(tx *state.Tx, p *prepared, m *inbox.Mail, why string) error {
	cases.Mark(m, inbox.MailHeld, why)
	return in.Cases.Suggest(tx, m, cases.Sender{Address: p.msg.From.Addr}, p.reading.Requests, why)
}

// screened ends a mail that no machine may answer.
func (in *Intake) screened(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	reason := string(p.class) + ": " + p.why
	switch p.class {
	case inbox.ClassMalformed:
		return in.toQuarantine(tx, m, reason)
	case inbox.ClassOversize:
		cases.Mark(m, inbox.MailHeld, reason)
		return in.Cases.Notify(tx, "a mail is too large to be read", m.ID)
	}
	cases.Mark(m, inbox.MailIgnored, reason)
	if p.class != inbox.ClassBounce {
		return nil
	}
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

// junk shows staff the requests that the provider took for junk, and writes to
// nobody. A proved stop holds what it is against until staff have seen it.
func (in *Intake) junk(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	s := cases.Sender{Address: p.msg.From.Addr, People: p.people, Evidence: p.evidence}
	q, _, err := in.question(tx, p, &s)
	if err != nil {
		return err
	}
	m.Evidence = s.Evidence.Level
	r, _, err := in.listen(tx, p, s, q)
	if err != nil {
		return err
	}
	if r.Stop != inbox.StopNone && s.Evidence.Level == inbox.LevelNone && p.unproved != nil {
		return in.putOff(tx, p, m)
	}
	held := false
	if r.Stop != inbox.StopNone && s.Evidence.Level > inbox.LevelNone {
		if held, err = in.Cases.HoldBack(tx, m, s, r.Stop, "found in the junk folder"); err != nil {
			return err
		}
	}
	asks := slices.DeleteFunc(slices.Clone(r.Requests), func(r inbox.Request) bool { return r.Kind == inbox.KindQuestion })
	if len(asks) == 0 && r.Answer == inbox.AnswerNone && !held {
		cases.Mark(m, inbox.MailIgnored, "junk, and no request was found in it")
		return nil
	}
	p.reading.Requests = asks
	return in.hold(tx, p, m, "found in the junk folder")
}

// converse takes a mail that a person wrote: an answer to a question of ours,
// new requests, or both.
func (in *Intake) converse(tx *state.Tx, p *prepared, m *inbox.Mail) error {
	s := cases.Sender{Address: p.msg.From.Addr, People: p.people, Evidence: p.evidence}
	q, stranger, err := in.question(tx, p, &s)
	if err != nil {
		return err
	}
	m.Evidence = s.Evidence.Level
	m.Detail.EvidenceWhy = s.Evidence.Why
	switch {
	case stranger != nil && s.Evidence.Denied:
		return in.disowned(tx, p, m, s, stranger)
	case stranger != nil:
		return in.fromElsewhere(tx, p, m, stranger, "it answers a question that we asked another address")
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

// disowned takes a mail that carries the token of a question, and of which our
// own server says that it is not from the address in its From: whoever sent it
// has the token from somebody else. A stop can be taken back, so it is heeded
// as one without proof.
func (in *Intake) disowned(tx *state.Tx, p *prepared, m *inbox.Mail, s cases.Sender, q *state.Ask) error {
	if in.Mode != policy.Observe {
		if err := in.doubt(tx, p, m, s, nil); err != nil || m.State == inbox.MailAsked {
			return err
		}
	}
	return in.fromElsewhere(tx, p, m, q, "it answers a question of ours, and our own server says that it is not from the address in its From")
}

// doubt holds what a no or a stop of somebody who has proved nothing is
// against, and asks the owner; q is the question that the mail answers, if any.
func (in *Intake) doubt(tx *state.Tx, p *prepared, m *inbox.Mail, s cases.Sender, q *state.Ask) error {
	s.Evidence.Level = inbox.LevelNone
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

// fromElsewhere takes a mail that carries the token of a question and is not
// from whom we asked: it is neither accepted nor consumed.
func (in *Intake) fromElsewhere(tx *state.Tx, p *prepared, m *inbox.Mail, q *state.Ask, why string) error {
	m.Actions = slices.Clone(q.Actions)
	for _, id := range q.Actions {
		a, err := tx.Action(id)
		if err != nil {
			return err
		}
		if err := tx.Note(a, "its token came in "+m.ID.String()+", which is not from whom we asked", cases.Program, nil); err != nil {
			return err
		}
	}
	return in.hold(tx, p, m, why)
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

// ErrReplay says why a mail cannot be processed again.
var ErrReplay = errors.New("only a quarantined, held or ignored mail without open actions can be replayed")
