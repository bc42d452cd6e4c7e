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
	"push.guru/supportd/inbox/cases"
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
	read     bool // what it says; else nobody had anything to stop by it
	reading  inbox.Reading
	later    error  // the user store did not answer
	unproved error  // DNS did not answer
	broken   string // why it cannot be processed at all
	ends     inbox.MailState
	probe    bool // it is one that a probe of ours sent
	anew     bool // staff have it processed again

	// What the state knows of it; see compare.
	known   string       // how it is not simply a new mail, in words for staff
	repeats bool         // its content came before
	again   inbox.MailID // whose signature it has, over another content
}

// prepareAll prepares a batch of mails.
func (in *Intake) prepareAll(ctx context.Context, raws []inbox.Raw) []*prepared {
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
	return batch
}

// commitAll commits what comes of a batch of mails. When that cannot be done
// together each mail is tried alone, and one that still fails is quarantined.
func (in *Intake) commitAll(ctx context.Context, batch []*prepared) error {
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
	read, all := in.readMail(p)
	if !read || p.msg.FromFault != "" || p.msg.From.Addr == "" {
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

// readMail finds out what a mail itself tells, as many at a time as there are
// processors: others would only wait for one, and hold their memory meanwhile.
// read tells whether what it says can matter, all whether each of its
// signatures was looked at.
func (in *Intake) readMail(p *prepared) (read, all bool) {
	in.cores <- struct{}{}
	defer func() { <-in.cores }()
	in.look(p)
	p.signed, all = sender.Signatures(p.raw.Bytes)
	if !in.reads(p) {
		return false, all
	}
	p.msg.Answers = !p.form && len(in.plusTokens(p.msg)) > 0
	p.read, p.reading = true, in.Classifier.Read(p.msg)
	return true, all
}

// reads tells whether what a mail says can matter: who wrote it may be a person,
// or it may be from one who can still stop something.
func (in *Intake) reads(p *prepared) bool {
	if p.class == inbox.ClassNone || p.class == inbox.ClassSpam {
		return true
	}
	can := true
	err := in.State.View(func(tx *state.Tx) (err error) { can, err = in.stops(tx, p); return err })
	return can || err != nil && p.msg.From.Addr != ""
}

// stops tells whether a mail that a machine wrote is from one who can stop
// something, and may say so.
func (in *Intake) stops(tx *state.Tx, p *prepared) (bool, error) {
	switch p.class {
	case inbox.ClassAutoReply, inbox.ClassBounce, inbox.ClassList, inbox.ClassBulk, inbox.ClassNoSender:
		if p.msg.From.Addr != "" {
			return in.Cases.Stoppable(tx, cases.Sender{Address: p.msg.From.Addr})
		}
	}
	return false, nil
}

func (in *Intake) commit(ctx context.Context, batch []*prepared) (err error) {
	defer func() {
		if recover() != nil {
			in.Log.Error("intake: deciding about a mail made the program panic", "stack", string(debug.Stack()))
			err = errors.New("it made the program panic; the log has the details")
		}
	}()
	err = in.State.Update(ctx, "intake", func(tx *state.Tx) error {
		for _, p := range batch {
			if err := in.account(tx, p); err != nil {
				return fmt.Errorf("accounting for %s: %w", p.raw.Ref, err)
			}
		}
		return nil
	})
	if err == nil {
		in.took(batch)
	}
	return err
}

// took tells of the mails of a batch that came to their ends.
func (in *Intake) took(batch []*prepared) {
	for _, p := range batch {
		if p.ends != "" && p.ends != inbox.MailDeferred {
			in.Watch.Took(p.raw.Ref.Mailbox, p.ends)
		}
	}
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
	p.ends = m.State
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
