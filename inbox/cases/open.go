package cases

import (
	"reflect"
	"slices"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// movedWindow is how long after a change of address a copy and the delete of
// the account are seen by staff first.
const movedWindow = 30 * 24 * time.Hour

// MovedWindow gives the start of the window in which a change of address makes
// staff look at a copy or the delete of an account.
func MovedWindow(now time.Time) time.Time { return now.Add(-movedWindow) }

// Open makes a Case of the Requests of a mail and sends what it owes. The Mail
// must be stored already; Open sets its end state.
func (k *Keeper) Open(tx *state.Tx, m *inbox.Mail, s Sender, reqs []inbox.Request) error {
	var fresh []*inbox.Action
	var joined *inbox.Action
	status, told := false, m.State != "" // an answer in the same mail got its letter already
	for _, a := range k.draft(m, s, reqs) {
		if a.Topic == inbox.TopicStatus && a.Certain {
			status = true
			continue
		}
		dup, err := k.open(tx, s, a)
		if err != nil {
			return err
		}
		if dup == nil {
			fresh = append(fresh, a)
			continue
		}
		joined = dup
		if err := k.join(tx, m, s, dup); err != nil {
			return err
		}
	}
	if len(fresh) > 0 {
		if err := k.admitNew(tx, m, s, fresh, told); err != nil {
			return err
		}
	} else if err := k.repeat(tx, m, s, joined, status); err != nil {
		return err
	}
	return k.settle(tx, m)
}

// join notes that a mail asks what an open Action does already. If it brings
// nothing else, and nobody is written to, it is a duplicate.
func (k *Keeper) join(tx *state.Tx, m *inbox.Mail, s Sender, a *inbox.Action) error {
	m.Actions = appendNew(m.Actions, ids([]*inbox.Action{a}))
	Mark(m, inbox.MailIgnored, "asks what "+a.ID.String()+" does already")
	return tx.Note(a, "asked for again in "+m.ID.String(), s.who(), nil)
}

// repeat answers a mail that brings nothing new: it asks what is open already,
// or what became of it. An open question is asked once more, in case its mail
// was lost, and whenever its sender is proved better than who asked before:
// strangers do not use that up.
func (k *Keeper) repeat(tx *state.Tx, m *inbox.Mail, s Sender, joined *inbox.Action, status bool) error {
	switch {
	case k.Rules.Mode == policy.Observe:
		Mark(m, inbox.MailHeld, "mode is observe: nobody is told where their requests stand")
		return nil
	case joined != nil && joined.State == inbox.StateUnconfirmed && (joined.Again == 0 || s.Evidence.Level > joined.Evidence):
		return k.askAgain(tx, m, s, joined.Case, templates.Confirm)
	case s.Evidence.Level > inbox.LevelNone:
		return k.status(tx, m, s, proven)
	case status:
		return k.claimStatus(tx, m, s)
	}
	return nil // nobody who has proved nothing is written to
}

// draft turns Requests into Actions that are not stored yet, in the order in
// which they run. The change of the address on record is an Action of its own.
func (k *Keeper) draft(m *inbox.Mail, s Sender, reqs []inbox.Request) []*inbox.Action {
	var out []*inbox.Action
	for _, r := range split(reqs) {
		a := &inbox.Action{Case: m.ID, Kind: r.Kind, Scope: r.Scope, Topic: r.Topic, Mailbox: m.Ref.Mailbox, Language: m.Language,
			Received: m.Received, Evidence: s.Evidence.Level, Certain: r.Certain}
		if r.Kind == inbox.KindQuestion && r.Topic == inbox.TopicReactivate && r.Certain {
			r.Kind, r.Topic = inbox.KindDeactivate, ""
			a.Kind, a.Topic, a.Undo = r.Kind, "", true
		}
		a.Mailto = movesAddress(r)
		a.Detail = &inbox.ActionDetail{Address: s.onRecord(), Request: r}
		if p := s.person(); p != nil {
			a.Detail.Person = p.ID
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b *inbox.Action) int { return a.Order() - b.Order() })
	return out
}

func movesAddress(r inbox.Request) bool {
	return r.Kind == inbox.KindChange && slices.ContainsFunc(r.Changes, isEmail)
}

func isEmail(c inbox.Change) bool { return c.Field == inbox.FieldEmail }

// split gives the change of the address on record a Request of its own.
func split(reqs []inbox.Request) []inbox.Request {
	var out []inbox.Request
	for _, r := range reqs {
		if !movesAddress(r) || len(r.Changes) == 1 {
			out = append(out, r)
			continue
		}
		rest, mail := r, r
		rest.Changes = slices.DeleteFunc(slices.Clone(r.Changes), isEmail)
		mail.Changes = slices.DeleteFunc(slices.Clone(r.Changes), func(c inbox.Change) bool { return !isEmail(c) })
		if len(rest.Changes) > 0 {
			out = append(out, rest)
		}
		out = append(out, mail)
	}
	return out
}

// open gives the open Action of the same person that asks the same, or nil. What
// was only suggested to staff, and by somebody less proved, holds up nobody.
func (k *Keeper) open(tx *state.Tx, s Sender, a *inbox.Action) (*inbox.Action, error) {
	if a.Kind == inbox.KindQuestion {
		return nil, nil
	}
	acts, err := tx.OpenActions(s.onRecord())
	if err != nil {
		return nil, err
	}
	for _, b := range acts {
		suggested := b.State == inbox.StateReview && !b.Certain && a.Certain && b.Evidence < s.Evidence.Level
		if b.Detail != nil && b.Kind == a.Kind && b.Undo == a.Undo && !suggested && sameRequest(a.Detail.Request, b.Detail.Request) {
			return b, nil
		}
	}
	return nil, nil
}

func sameRequest(a, b inbox.Request) bool {
	return a.Scope == b.Scope && reflect.DeepEqual(sorted(a.Fields), sorted(b.Fields)) && reflect.DeepEqual(a.Changes, b.Changes)
}

func sorted(f []inbox.Field) []inbox.Field { return slices.Sorted(slices.Values(f)) }

// status tells a proved sender where the open requests stand, or how the last
// one ended, or that there is none.
func (k *Keeper) status(tx *state.Tx, m *inbox.Mail, s Sender, cap limit) error {
	acts, err := tx.OpenActions(s.onRecord())
	if err != nil {
		return err
	}
	told := "told where the open requests stand"
	if len(acts) == 0 {
		if acts, err = k.lastEnded(tx, s); err != nil {
			return err
		}
		told = "told that no request is open, and how the last one ended"
	}
	m.Actions = appendNew(m.Actions, ids(acts))
	_, err = k.send(tx, letter{name: templates.Status, mail: m, to: s.onRecord(), data: templates.Data{Items: k.items(acts)}, limit: cap,
		ends: inbox.MailAnswered, reason: told})
	return err
}

// lookBack is how many mails of a person are looked at for what ended last.
const lookBack = 64

// lastEnded gives the request of a proved sender that ended last, if any is
// still known. What only a stranger asked in their name is not theirs.
func (k *Keeper) lastEnded(tx *state.Tx, s Sender) ([]*inbox.Action, error) {
	mails := tx.Tied(state.TieAddress, s.onRecord())
	if p := s.person(); p != nil {
		mails = append(mails, tx.Tied(state.TiePerson, p.ID)...)
	}
	slices.Sort(mails)
	mails = slices.Compact(mails)
	var last *inbox.Action
	for _, id := range mails[max(0, len(mails)-lookBack):] {
		acts, err := tx.CaseActions(id)
		if err != nil {
			return nil, err
		}
		for _, a := range acts {
			if theirs(a, s) && a.State.Ended() && (last == nil || !a.Ended.Before(last.Ended)) {
				last = a
			}
		}
	}
	if last == nil {
		return nil, nil
	}
	return []*inbox.Action{last}, nil
}

// theirs tells whether an Action is what a sender asked, and can be shown to
// them. A question that staff closed is not: they chose to say nothing.
func theirs(a *inbox.Action, s Sender) bool {
	known := a.Detail != nil && a.Detail.Address == s.onRecord()
	return known && (a.Evidence > inbox.LevelNone || a.Proved != "") && (a.Kind != inbox.KindQuestion || a.State == inbox.StateDone)
}

// claimStatus asks somebody who has proved nothing, and wants to know where
// their requests stand, whether it was they who wrote. Nothing waits for the
// answer but the state that it is told.
func (k *Keeper) claimStatus(tx *state.Tx, m *inbox.Mail, s Sender) error {
	return k.ask(tx, state.PurposeStatus, letter{name: templates.Claim, mail: m, to: s.onRecord(), limit: unproven,
		ends: inbox.MailAsked, reason: "asks for the state of a request: asked whether it was they who wrote"})
}

// admitNew stores new Actions: what staff must see goes to review, the rest
// is judged. Somebody who was told something already is not told that staff
// look at the rest.
func (k *Keeper) admitNew(tx *state.Tx, m *inbox.Mail, s Sender, acts []*inbox.Action, told bool) error {
	var clear, review []*inbox.Action
	for _, a := range acts {
		why, yes := k.reviewFirst(tx, a, s)
		if !yes {
			clear = append(clear, a)
			continue
		}
		review = append(review, a)
		if err := k.toReview(tx, m, s, a, why); err != nil {
			return err
		}
	}
	if len(clear) > 0 && s.Evidence.Level == inbox.LevelNone {
		return k.claim(tx, m, s.onRecord(), clear)
	}
	if len(clear) > 0 {
		return k.judge(tx, m, s, clear, review)
	}
	if told || s.Evidence.Level == inbox.LevelNone {
		return nil // nobody who has proved nothing is written to
	}
	return k.received(tx, m, s.onRecord())
}

// received tells that a person of the staff will answer, and until when.
func (k *Keeper) received(tx *state.Tx, m *inbox.Mail, to string) error {
	_, err := k.send(tx, letter{name: templates.Received, mail: m, to: to, limit: proven,
		data: templates.Data{Expires: k.Clock.Date(inbox.KindQuestion, deadline.Course{Received: m.Received}).Answer}})
	return err
}

func (k *Keeper) reviewFirst(tx *state.Tx, a *inbox.Action, s Sender) (string, bool) {
	a.Protected = slices.ContainsFunc(s.People, k.Guards.Protect)
	if why, yes := k.Rules.NeedsReview(a); yes {
		return why, true
	}
	if s.Evidence.Level > inbox.LevelNone && a.Kind == inbox.KindWithdraw && !a.Approved && !k.Data().TakesObjections() {
		return "the data map has no column for an objection: act on it, then answer the person", true
	}
	if s.Evidence.Level > inbox.LevelNone && len(s.People) > 1 {
		return "the address on record belongs to more than one person", true
	}
	p := s.person()
	if s.Evidence.Level == inbox.LevelNone || p == nil {
		return "", false
	}
	if GuardedAfterMove(a) && tx.MovedSince(p.ID, MovedWindow(tx.Now)) {
		return "the address on record changed less than 30 days ago", true
	}
	why := k.Guards.why(a, *p, tx.Now)
	return why, why != ""
}

// GuardedAfterMove tells whether an Action is what a stolen address would be
// used for.
func GuardedAfterMove(a *inbox.Action) bool {
	return a.Kind == inbox.KindCopy || a.Kind == inbox.KindDelete && a.Scope == inbox.ScopeAccount
}

func (k *Keeper) toReview(tx *state.Tx, m *inbox.Mail, s Sender, a *inbox.Action, why string) error {
	if p := s.person(); p != nil && a.Kind != inbox.KindQuestion {
		if plan, _, err := k.plan(a, *p); err == nil {
			a.Detail.Plan = plan
		}
	}
	a.Error = why
	Mark(m, inbox.MailHeld, why)
	return k.add(tx, m, a, inbox.EventReview)
}

// add stores a new Action, in its Case's list.
func (k *Keeper) add(tx *state.Tx, m *inbox.Mail, a *inbox.Action, e inbox.Event) error {
	if err := tx.NewAction(a, e, Program); err != nil {
		return err
	}
	m.Actions = append(m.Actions, a.ID)
	if a.Detail.Person != "" {
		if err := tx.Tie(state.TiePerson, a.Detail.Person, m.ID); err != nil {
			return err
		}
	}
	return tx.PutMail(m)
}

// step moves an Action, or stores it when it is new.
func (k *Keeper) step(tx *state.Tx, m *inbox.Mail, a *inbox.Action, isNew, then inbox.Event, who string) error {
	if a.ID == 0 {
		return k.add(tx, m, a, isNew)
	}
	return tx.Move(a, then, who, nil)
}

// claim asks an unproven sender whether it was they who wrote: one fixed text.
func (k *Keeper) claim(tx *state.Tx, m *inbox.Mail, to string, acts []*inbox.Action) error {
	for _, a := range acts {
		if a.ID != 0 && a.State == inbox.StateUnconfirmed {
			continue
		}
		if err := k.step(tx, m, a, inbox.EventAsk, inbox.EventAsk, Program); err != nil {
			return err
		}
	}
	return k.ask(tx, state.PurposeClaim, letter{name: templates.Claim, mail: m, to: to, actions: acts, limit: unproven,
		ends: inbox.MailAsked, reason: "asked whether it was they who wrote"})
}

// judge decides about Actions whose sender is proved: nobody found, a plan
// that the data refuse, a confirmation to ask for, or nothing that is missing.
// The letter also tells about others of the same Case.
func (k *Keeper) judge(tx *state.Tx, m *inbox.Mail, s Sender, acts, others []*inbox.Action) error {
	p := s.person()
	if p == nil {
		return k.nothingHeld(tx, m, s, acts)
	}
	good, refused, err := k.plans(tx, m, acts, *p)
	if err != nil {
		return err
	}
	if len(good) > 0 {
		return k.proceed(tx, m, good, append(refused, others...), templates.Confirm)
	}
	_, err = k.send(tx, letter{name: templates.Already, mail: m, to: s.onRecord(), actions: refused,
		data: templates.Data{Items: k.items(refused)}, limit: proven,
		ends: inbox.MailAnswered, reason: "there was nothing to do, or the value cannot be stored"})
	return err
}

// plans makes the plan of each Action, and sets apart what the data refuse.
func (k *Keeper) plans(tx *state.Tx, m *inbox.Mail, acts []*inbox.Action, p users.Person) (good, refused []*inbox.Action, err error) {
	for _, a := range acts {
		ok, err := k.planFor(tx, m, a, p)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			good = append(good, a)
		} else {
			refused = append(refused, a)
		}
	}
	return good, refused, nil
}

// planFor gives an Action its Plan. What the data refuse ends as refused, with
// the reason in the person's letter.
func (k *Keeper) planFor(tx *state.Tx, m *inbox.Mail, a *inbox.Action, p users.Person) (ok bool, err error) {
	plan, refused, err := k.plan(a, p)
	if err != nil {
		return false, err
	}
	a.Detail.Person, a.Detail.Plan = p.ID, plan
	if a.ID != 0 {
		if err := tx.Tie(state.TiePerson, p.ID, a.Case); err != nil {
			return false, err
		}
	}
	if refused == nil {
		return true, nil
	}
	a.Detail.Reason, a.Reported = string(refused.Reason), true
	if a.ID == 0 {
		if err := k.add(tx, m, a, inbox.EventAsk); err != nil {
			return false, err
		}
	}
	return false, tx.MoveFor(a, inbox.EventRefuse, Program, refused.Error())
}

// nothingHeld answers that nothing is stored under the address.
func (k *Keeper) nothingHeld(tx *state.Tx, m *inbox.Mail, s Sender, acts []*inbox.Action) error {
	for _, a := range acts {
		a.Reported = true
		if a.ID == 0 {
			if err := k.add(tx, m, a, inbox.EventAsk); err != nil {
				return err
			}
		}
		if err := tx.MoveFor(a, inbox.EventClose, Program, "nothing is held under the address"); err != nil {
			return err
		}
	}
	_, err := k.send(tx, letter{name: templates.NothingHeld, mail: m, to: s.onRecord(), actions: acts, limit: proven,
		ends: inbox.MailAnswered, reason: "nothing is held under the address"})
	return err
}

// proceed asks for the proof that Actions with a Plan still lack, all in one
// letter, or schedules them when nothing is missing.
//
// The letter also tells about others of the same Case that cannot be done.
func (k *Keeper) proceed(tx *state.Tx, m *inbox.Mail, acts, others []*inbox.Action, name templates.Name) error {
	missing := policy.ProofComplete
	for _, a := range acts {
		switch p := k.Rules.Missing(a, digest(a)); {
		case p == policy.ProofSender:
			return k.claim(tx, m, a.Detail.Address, acts)
		case p == policy.ProofDiff:
			missing = p
		}
	}
	if missing == policy.ProofDiff {
		return k.confirm(tx, m, acts, others, name)
	}
	for _, a := range acts {
		if k.Rules.Missing(a, digest(a)) == policy.ProofNewAddr {
			if err := k.askNewAddress(tx, m, a); err != nil {
				return err
			}
			continue
		}
		if err := k.schedule(tx, m, a); err != nil {
			return err
		}
	}
	return k.announce(tx, m, acts)
}

// confirm shows the plans and asks for a yes to all of them.
func (k *Keeper) confirm(tx *state.Tx, m *inbox.Mail, acts, others []*inbox.Action, name templates.Name) error {
	for _, a := range acts {
		a.Proved, a.OldYes = "", false
		if a.ID != 0 && a.State == inbox.StateUnconfirmed {
			continue
		}
		if err := k.step(tx, m, a, inbox.EventAsk, inbox.EventAsk, Program); err != nil {
			return err
		}
	}
	return k.ask(tx, state.PurposeConfirm, letter{name: name, mail: m, to: acts[0].Detail.Address, actions: acts,
		data: templates.Data{Items: k.items(append(slices.Clone(acts), others...))}, limit: askLimit(acts),
		ends: inbox.MailAsked, reason: "asked to confirm"})
}

// askLimit spares a question that answers a yes: its sender was asked before,
// and said so. It cannot go round, because each yes uses up a token.
func askLimit(acts []*inbox.Action) limit {
	for _, a := range acts {
		if a.Evidence != inbox.LevelRoundtrip || a.Again > 0 || len(a.History) < 2 {
			return proven
		}
	}
	return uncapped
}

// askNewAddress asks the new address, after the old one has agreed, and tells
// the old one. The letter to the new address names nobody.
func (k *Keeper) askNewAddress(tx *state.Tx, m *inbox.Mail, a *inbox.Action) error {
	if a.State != inbox.StateUnconfirmed {
		if err := k.step(tx, m, a, inbox.EventAsk, inbox.EventAsk, Program); err != nil {
			return err
		}
	}
	let := a.Released // both letters are one step
	err := k.ask(tx, state.PurposeNewAddr, letter{name: templates.ConfirmNewAddress, mail: m, to: newAddress(a), actions: []*inbox.Action{a},
		limit: unproven, apart: true, ends: inbox.MailAsked, reason: "the new address was asked"})
	if err != nil {
		return err
	}
	return k.notice(tx, letter{name: templates.AskedNew, mail: m, to: a.Detail.Address, actions: []*inbox.Action{a},
		data: templates.Data{Items: k.items([]*inbox.Action{a})}, released: let})
}

// newAddress gives the address that a change of address leads to.
func newAddress(a *inbox.Action) string {
	for _, c := range a.Detail.Request.Changes {
		if isEmail(c) {
			return c.Value
		}
	}
	return ""
}

// schedule lets an Action run when its cool-off is over.
func (k *Keeper) schedule(tx *state.Tx, m *inbox.Mail, a *inbox.Action) error {
	a.Expires, a.Error = zeroTime, ""
	if k.Rules.Mode == policy.Assist && a.State == inbox.StateUnconfirmed && !a.Reviewed {
		return tx.MoveFor(a, inbox.EventYesReview, Owner, "mode is assist: the person agreed, approve it to let it run")
	}
	a.RunAfter, a.StopBy = tx.Now, zeroTime
	if coolOff := k.Rules.Rule(a).CoolOff; coolOff > 0 {
		a.RunAfter = tx.Now.Add(coolOff)
		a.StopBy = a.RunAfter
	}
	Mark(m, inbox.MailActed, "will be carried out")
	event, who := inbox.EventYes, Owner
	if a.State == inbox.StateReview { // staff let it go on; the history has their name already
		event, who = inbox.EventAccept, Program
	}
	return k.step(tx, m, a, inbox.EventAccept, event, who)
}

// announce tells what will happen when a cool-off is over, with a way to stop
// it. What runs at once is told when it is done, and the rest with it.
func (k *Keeper) announce(tx *state.Tx, m *inbox.Mail, acts []*inbox.Action) error {
	var later []*inbox.Action
	for _, a := range acts {
		switch {
		case a.State != inbox.StateScheduled:
		case !a.RunAfter.After(tx.Now):
			return nil // the letter about it tells of the others
		default:
			later = append(later, a)
		}
	}
	if len(later) == 0 {
		return nil
	}
	name := templates.Scheduled
	if len(later) == 1 && later[0].Mailto {
		name = templates.AddressNotice
	}
	return k.notice(tx, letter{name: name, mail: m, to: later[0].Detail.Address, actions: later,
		data: templates.Data{Items: k.announced(later)}})
}

// notice sends a letter whose token proves a "stop".
func (k *Keeper) notice(tx *state.Tx, l letter) error { return k.ask(tx, state.PurposeNotice, l) }
