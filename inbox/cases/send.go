package cases

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

var zeroTime time.Time

// limit says which cap counts a letter.
type limit int

const (
	// uncapped: what answers a yes or no that changed something, notices of a
	// delete, words of staff. A yes that changes nothing is capped: a robot can
	// repeat it for ever.
	uncapped limit = iota
	unproven       // to an address that has proved nothing
	proven
)

// letter is a mail to be queued.
type letter struct {
	name     templates.Name
	mail     *inbox.Mail // the Case that it belongs to and the thread that it continues
	to       string      // canonical
	language string
	data     templates.Data
	token    string
	actions  []*inbox.Action
	files    []string
	limit    limit
	released bool // staff ask for it: neither the mode nor a cap holds it back
	byStaff  bool // staff's own words
	apart    bool // not part of the person's thread: another address reads it

	with *inbox.Reply // the letter that it goes out with, or is held with; nil: by itself

	// ends is the end state, with its reason, of the Mail that the letter
	// answers, once it goes out; of is that Mail, nil for the one above.
	ends   inbox.MailState
	reason string
	of     *inbox.Mail
}

// part gives which of several letters with a copy it is; 0 when it is none.
func (l *letter) part() int {
	if l.data.Parts < 2 {
		return 0
	}
	return l.data.Part
}

// send queues a letter in the outbox and gives its Reply; nil when the mode
// keeps everything in.
func (k *Keeper) send(tx *state.Tx, l letter) (*inbox.Reply, error) {
	if k.Rules.Mode == policy.Observe {
		l.mark(nil)
		return nil, nil
	}
	box, ok := k.byName[l.mail.Ref.Mailbox]
	if !ok {
		box = k.Mailboxes[0] // its own was taken out of the configuration
	}
	rendered, err := k.render(&l, box)
	if err != nil {
		return nil, err
	}
	id, err := tx.NewReplyID()
	if err != nil {
		return nil, err
	}
	r := &inbox.Reply{ID: id, Case: l.mail.ID, Name: string(l.name), Mailbox: box.Name, Created: tx.Now, Next: tx.Now, Actions: ids(l.actions), ByStaff: l.byStaff}
	r.Detail = &inbox.ReplyDetail{
		MessageID: tx.MessageID(id, address.DomainOf(box.Address)),
		From:      inbox.Address{Name: k.Site.Name, Addr: box.Address},
		To:        l.to, Text: rendered.Text, HTML: rendered.HTML, Files: l.files, Part: l.part(),
		Subject: k.subject(&l, rendered.Subject),
	}
	if box.Plus && l.token != "" {
		// In Reply-To: another From than the one that we log in as may be refused, and is unknown to whoever sorts mail by it.
		r.Detail.ReplyTo = policy.PlusAddress(box.Address, l.token)
	}
	if d := l.mail.Detail; !l.apart && d != nil {
		r.Detail.InReplyTo = d.MessageID
		r.Detail.References = thread(d)
	}
	if err := k.admit(tx, &l, r); err != nil {
		return nil, err
	}
	l.mark(r)
	if err := tx.AddReply(r); err != nil {
		return nil, err
	}
	return r, tx.Journal("reply queued", Program, l.mail.ID, 0, map[string]any{"reply": r.ID, "letter": l.name, "to": l.to, "state": r.State})
}

func (k *Keeper) render(l *letter, box Mailbox) (templates.Letter, error) {
	l.data.Site = k.Site
	l.data.Site.Address = box.Address
	l.data.Case = l.mail.ID.String()
	if d := l.mail.Detail; d != nil && l.limit != unproven && !l.apart && l.mail.Evidence > inbox.LevelNone {
		l.data.Name = d.From.Name
	}
	if l.language == "" {
		l.language = language(l.mail)
	}
	rendered, err := k.Letters.Render(l.name, l.language, l.data)
	if err != nil {
		return rendered, fmt.Errorf("writing to %s: %w", l.mail.ID, err)
	}
	return rendered, nil
}

var replyMark = regexp.MustCompile(`(?i)^\s*((re|fwd?|aw|sv|на|отв|ответ|fw)(\[\d+\])?\s*:\s*)+`)

// subject continues the person's own subject, or takes the letter's.
func (k *Keeper) subject(l *letter, own string) string {
	s := own
	if s == "" {
		if d := l.mail.Detail; d != nil && !l.apart {
			s = strings.TrimSpace(replyMark.ReplaceAllString(policy.StripTags(d.Subject), ""))
		}
		if s == "" {
			s = k.Site.Name + ", " + l.mail.ID.String()
		}
		s = "Re: " + cut(s, 150)
	}
	if l.token != "" {
		s += " " + policy.Tag(l.token)
	}
	return s
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimSpace(string(r[:n])) + "…"
}

// thread gives the References of an answer: those of the mail and the mail.
func thread(d *inbox.MailDetail) []string {
	if d.MessageID == "" {
		return nil
	}
	refs := slices.DeleteFunc(slices.Clone(d.References), func(s string) bool { return s == d.MessageID })
	return append(refs, d.MessageID)
}

// admit says whether a letter goes out now, and counts it against its caps.
func (k *Keeper) admit(tx *state.Tx, l *letter, r *inbox.Reply) error {
	if l.with != nil {
		r.State, r.Error = l.with.State, l.with.Error
		return nil
	}
	released, err := k.spend(tx, l)
	if err != nil {
		return err
	}
	r.State = inbox.ReplyDue
	switch {
	case released:
		return nil
	case k.Rules.Mode == policy.Assist:
		r.State, r.Error = inbox.ReplyHeld, "mode is assist"
		return k.noteHeld(tx, l, r)
	case l.limit == uncapped:
		return nil
	}
	over, err := k.overCap(tx, l)
	if err != nil || over == "" {
		return err
	}
	r.State, r.Error = inbox.ReplyHeld, over
	if err := k.noteHeld(tx, l, r); err != nil {
		return err
	}
	return k.Notify(tx, "a letter is held, because its address has got too many", l.mail.ID, l.actions...)
}

// spend tells whether an act of staff released a letter: one act releases one
// letter.
func (k *Keeper) spend(tx *state.Tx, l *letter) (bool, error) {
	released := l.released
	for _, a := range l.actions {
		if !a.Released {
			continue
		}
		released, a.Released = true, false
		if err := tx.PutAction(a); err != nil {
			return false, err
		}
	}
	return released, nil
}

// noteHeld shows staff, beside each Action of a letter, that it is held.
func (k *Keeper) noteHeld(tx *state.Tx, l *letter, r *inbox.Reply) error {
	for _, a := range l.actions {
		a.Error = withHeld(a.Error, r.Error)
		if err := tx.Note(a, "letter "+r.ID.String()+" held: "+r.Error, Program, nil); err != nil {
			return err
		}
	}
	return nil
}

// heldNote stands beside an Action, behind whatever else is to be said of it,
// until its letter goes out.
const heldNote = "its letter is held: "

func withHeld(note, why string) string {
	if note = withoutHeld(note); note != "" {
		note += "; "
	}
	return note + heldNote + why
}

func withoutHeld(note string) string {
	before, _, _ := strings.Cut(note, heldNote)
	return strings.TrimSuffix(before, "; ")
}

// mark sets the end state of the Mail that a letter answers, by what became of
// the letter: one that is held has told nobody anything yet.
func (l *letter) mark(r *inbox.Reply) {
	m := l.of
	if m == nil {
		m = l.mail
	}
	switch {
	case l.ends == "":
	case r == nil:
		Mark(m, inbox.MailHeld, "mode is observe: nothing is sent")
	case r.State == inbox.ReplyHeld:
		Mark(m, inbox.MailHeld, heldReason(r))
	default:
		Mark(m, l.ends, l.reason)
	}
}

func heldReason(r *inbox.Reply) string { return r.ID.String() + ", its letter, is held: " + r.Error }

// unmark gives Mails that are held because of a letter, which staff release
// now, the state of those whose letter goes out.
func (k *Keeper) unmark(tx *state.Tx, r *inbox.Reply) error {
	q, err := tx.AskByReply(r)
	if err != nil {
		return err
	}
	ends, reason := inbox.MailAnswered, "staff released the letter"
	if q != nil {
		ends, reason = inbox.MailAsked, "asked, once staff had released the question"
	}
	return k.endHeld(tx, r, ends, reason)
}

// endHeld ends the Mails that are held because of a letter.
func (k *Keeper) endHeld(tx *state.Tx, r *inbox.Reply, ends inbox.MailState, reason string) error {
	var held []*inbox.Mail
	err := tx.MailsIn(inbox.MailHeld, func(m *inbox.Mail) bool {
		if m.Reason == heldReason(r) {
			held = append(held, m)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, m := range held {
		m.State, m.Reason = ends, reason
		if err := tx.PutMail(m); err != nil {
			return err
		}
	}
	return nil
}

// overCap says which cap a letter is over; "" when none.
func (k *Keeper) overCap(tx *state.Tx, l *letter) (string, error) {
	kind, top := "unproven", k.Rules.Limits.Unproven
	if l.limit == proven {
		kind, top = "proven", k.Rules.Limits.Proven
	}
	n, err := tx.Count(kind, l.to, false, 1)
	if err != nil {
		return "", err
	}
	if n > top {
		return fmt.Sprintf("more than %d mails a day to an address (policy.limits.%s)", top, kind), nil
	}
	// Slow robots that begin a thread each time stay below every other cap. Only what goes out counts: a person
	// who has got that many is not to wait longer for each mail that they write meanwhile.
	if n, err = tx.CountWeek(kind, l.to, 0); err != nil {
		return "", err
	}
	if n >= k.Rules.Limits.Week {
		return fmt.Sprintf("more than %d mails a week to an address (policy.limits.week)", k.Rules.Limits.Week), nil
	}
	over, err := k.overThread(tx, l)
	if err != nil || over != "" {
		return over, err
	}
	_, err = tx.CountWeek(kind, l.to, 1)
	return "", err
}

func (k *Keeper) overThread(tx *state.Tx, l *letter) (string, error) {
	root := threadRoot(l.mail)
	if root == "" || l.apart {
		return "", nil
	}
	n, err := tx.Count("thread", root+"\x00"+l.to, true, 1) // anybody can name a thread, so each address has its own count
	if err != nil {
		return "", err
	}
	if n > k.Rules.Limits.Thread {
		return fmt.Sprintf("more than %d mails in a thread (policy.limits.thread)", k.Rules.Limits.Thread), nil
	}
	return "", nil
}

func threadRoot(m *inbox.Mail) string {
	switch d := m.Detail; {
	case d == nil:
		return ""
	case len(d.References) > 0:
		return d.References[0]
	default:
		return d.MessageID
	}
}

// ask sends a question about Actions and stores its token. The question waits
// from the moment that its letter is sent; see Sent, and unreleased. A confirmation that goes
// out makes earlier questions about the same Actions void; a claim does not,
// for each of them proves the same mailbox.
func (k *Keeper) ask(tx *state.Tx, p state.Purpose, l letter) error {
	l.token = policy.NewToken()
	l.data.Expires = tx.Now.Add(k.Rules.ConfirmTTL)
	question := &state.Ask{Case: l.mail.ID, Actions: ids(l.actions), Purpose: p, Asked: tx.Now, To: tx.Hash(state.TieAddress, l.to)}
	for _, a := range l.actions {
		question.Digests = append(question.Digests, digest(a))
	}
	r, err := k.send(tx, l)
	if err != nil {
		return err
	}
	if err := k.untilSent(tx, p, l.actions, r); err != nil || r == nil {
		return err
	}
	if p == state.PurposeConfirm && r.State == inbox.ReplyDue {
		if err := tx.VoidAsks(l.mail.ID, "asked anew", ids(l.actions)...); err != nil {
			return err
		}
	}
	question.Reply = r.ID
	return tx.PutAsk(l.token, question)
}

// unreleased is how long a question that is held may wait for staff: what
// nobody releases must not be kept for ever.
const unreleased = 30 * 24 * time.Hour

// untilSent sets when Actions lapse whose question has not left yet.
func (k *Keeper) untilSent(tx *state.Tx, p state.Purpose, acts []*inbox.Action, r *inbox.Reply) error {
	if !p.Waits() {
		return nil
	}
	for _, a := range acts {
		a.Expires = zeroTime
		if r != nil && r.State == inbox.ReplyHeld {
			a.Expires = tx.Now.Add(unreleased)
		}
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	return nil
}

// Sent starts the time in which the question of a letter can be answered, and
// the cool-off of what it announces: nobody can stop what they were not told of.
// Of what the letter is about the law's clock takes note.
func (k *Keeper) Sent(tx *state.Tx, r *inbox.Reply) error {
	if err := k.clockSent(tx, r); err != nil {
		return err
	}
	q, err := tx.AskByReply(r)
	if err != nil || q == nil {
		return err
	}
	expires := tx.Now.Add(k.Rules.ConfirmTTL)
	if err := tx.PutSent(q, expires); err != nil {
		return err
	}
	if q.Purpose == state.PurposeNotice {
		return k.coolOff(tx, q)
	}
	return k.lapseAt(tx, q, expires)
}

// coolOff lets the cool-off of what a letter announces begin now.
func (k *Keeper) coolOff(tx *state.Tx, q *state.Ask) error {
	acts, err := open(tx, q)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if !cools(a) {
			continue
		}
		from := tx.Now
		if a.State == inbox.StateHeld {
			from = a.HeldAt // its clock stands still since then
		}
		end := from.Add(k.Rules.Rule(a).CoolOff)
		a.RunAfter, a.StopBy = laterOf(a.RunAfter, end), laterOf(a.StopBy, end)
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	return nil
}

// cools tells whether an Action waits for the end of its cool-off. One that has
// begun does not wait once more.
func cools(a *inbox.Action) bool {
	return (a.State == inbox.StateScheduled || a.HeldFrom == inbox.StateScheduled) && !a.StopBy.IsZero() && a.Begun == ""
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lapseAt sets when the Actions of a question lapse.
func (k *Keeper) lapseAt(tx *state.Tx, q *state.Ask, expires time.Time) error {
	if !q.Purpose.Waits() || q.Used || q.Void != "" {
		return nil
	}
	acts, err := open(tx, q)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if a.State != inbox.StateUnconfirmed && a.HeldFrom != inbox.StateUnconfirmed {
			continue
		}
		a.Expires = expires
		if a.State == inbox.StateUnconfirmed {
			a.Asked(inbox.WaitProof, tx.Now)
		}
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	return nil
}

func ids(acts []*inbox.Action) []inbox.ActionID {
	out := make([]inbox.ActionID, len(acts))
	for i, a := range acts {
		out[i] = a.ID
	}
	return out
}

// items shows Actions as the person sees them. Values are left out unless the
// sender is proved.
func (k *Keeper) items(acts []*inbox.Action) []templates.Item {
	var out []templates.Item
	for _, a := range acts {
		it := templates.Item{Kind: a.Kind, Scope: a.Scope, Topic: a.Topic, Undo: a.Undo, Mailto: a.Mailto, State: a.State,
			Wait: k.Rules.Rule(a).CoolOff, Expires: a.Expires, Stopping: a.Wish == inbox.EventNo}
		if a.State == inbox.StateScheduled && !a.StopBy.IsZero() {
			it.RunAfter = a.RunAfter
		}
		if d := a.Detail; d != nil {
			plan := k.Data().Localize(d.Plan, a.Language) // what ran is what was shown
			it.Guest = k.Data().OfGuest(plan)
			it.Steps, it.Keeps, it.Fields, it.Reason, it.Words = plan.Steps, plan.Keeps, d.Request.Fields, d.Reason, d.Words
			for _, c := range d.Request.Changes {
				it.Fields = append(it.Fields, c.Field)
			}
		}
		out = append(out, it)
	}
	return out
}

// announced shows Actions in a letter that tells what will happen. What cools
// off begins to when the letter has left; see Sent.
func (k *Keeper) announced(acts []*inbox.Action) []templates.Item {
	out := k.items(acts)
	for i, a := range acts {
		if cools(a) {
			out[i].Delay = k.Rules.Rule(a).CoolOff
		}
	}
	return out
}

// staffDaily caps notices of one sort, so that a flood does not reach staff as
// another flood.
const staffDaily = 20

// Notify queues a notice to staff: what happened, in plain words that are not
// personal, to which Case and Actions.
func (k *Keeper) Notify(tx *state.Tx, what string, c inbox.MailID, acts ...*inbox.Action) error {
	if err := tx.Journal("staff told", Program, c, 0, map[string]string{"what": what}); err != nil {
		return err
	}
	n, err := tx.Count("staff", what, false, 1)
	if err != nil || n > staffDaily {
		return err
	}
	return k.tellStaff(tx, k.Staff, what, c, acts)
}

// Anchor queues a mail with the head of the journal's chain to the address
// that keeps it outside of the operator's reach.
func (k *Keeper) Anchor(tx *state.Tx, to string) error {
	hash, seq, err := tx.JournalHead()
	if err != nil {
		return err
	}
	site := k.Site
	site.ConsoleURL = "" // whoever keeps it need not be of the staff
	return k.writeTo(tx, site, []string{to}, fmt.Sprintf("the journal has %d entries; its head is %s", seq, hash), 0, nil)
}

func (k *Keeper) tellStaff(tx *state.Tx, addresses []string, what string, c inbox.MailID, acts []*inbox.Action) error {
	return k.writeTo(tx, k.Site, addresses, what, c, acts)
}

// writeTo queues a notice to each of some addresses.
func (k *Keeper) writeTo(tx *state.Tx, site templates.Site, addresses []string, what string, c inbox.MailID, acts []*inbox.Action) error {
	if k.Rules.Mode == policy.Observe {
		return nil
	}
	letter, box, err := k.staffLetter(site, what, c, acts)
	if err != nil {
		return err
	}
	for _, to := range addresses {
		id, err := tx.NewReplyID()
		if err != nil {
			return err
		}
		r := &inbox.Reply{ID: id, Name: string(templates.StaffNotice), Mailbox: box.Name, State: inbox.ReplyDue,
			Created: tx.Now, Next: tx.Now, Staff: true, Actions: ids(acts)}
		r.Detail = &inbox.ReplyDetail{}
		*r.Detail = letter
		r.Detail.MessageID, r.Detail.To = tx.MessageID(id, address.DomainOf(box.Address)), to
		if err := tx.AddReply(r); err != nil {
			return err
		}
	}
	return nil
}

// staffLetter renders a notice to staff, and says from which mailbox it goes.
func (k *Keeper) staffLetter(site templates.Site, what string, c inbox.MailID, acts []*inbox.Action) (inbox.ReplyDetail, Mailbox, error) {
	box := k.Mailboxes[0]
	data := templates.Data{Site: site, Words: what, Items: k.bare(acts)}
	if c != 0 {
		data.Case = c.String()
	}
	data.Site.Address = box.Address
	rendered, err := k.Letters.Render(templates.StaffNotice, "", data)
	if err != nil {
		return inbox.ReplyDetail{}, box, fmt.Errorf("writing to staff: %w", err)
	}
	return inbox.ReplyDetail{From: inbox.Address{Name: k.Site.Name, Addr: box.Address},
		Subject: rendered.Subject, Text: rendered.Text, HTML: rendered.HTML}, box, nil
}

// bare shows Actions without a value, for staff's mailboxes.
func (k *Keeper) bare(acts []*inbox.Action) []templates.Item {
	var out []templates.Item
	for _, a := range acts {
		out = append(out, templates.Item{Kind: a.Kind, Scope: a.Scope, Topic: a.Topic, Undo: a.Undo, Mailto: a.Mailto, State: a.State})
	}
	return out
}
