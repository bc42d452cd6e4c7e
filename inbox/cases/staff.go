package cases

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// Suggest puts the Requests of a mail before staff as suggestions, and writes
// to nobody. A mail without any becomes a question.
func (k *Keeper) Suggest(tx *state.Tx, m *inbox.Mail, s Sender, reqs []inbox.Request, why string) error {
	reqs = slices.Clone(reqs)
	if len(reqs) == 0 {
		reqs = []inbox.Request{{Kind: inbox.KindQuestion}}
	}
	for i := range reqs {
		reqs[i].Certain = false
	}
	for _, a := range k.draft(m, s, reqs) {
		a.Error = why
		if err := k.add(tx, m, a, inbox.EventReview); err != nil {
			return err
		}
	}
	return k.settle(tx, m)
}

// AnswersStaff puts before staff a mail that answers a letter of theirs, and
// notes it on what that was about. tell says that the person is told so.
func (k *Keeper) AnswersStaff(tx *state.Tx, m *inbox.Mail, s Sender, r *inbox.Reply, reqs []inbox.Request, tell bool) error {
	acts, err := tx.Actions(r.Actions)
	if err != nil {
		return err
	}
	for _, a := range acts {
		a.Answered(m.Received, inbox.WaitWords)
		if err := tx.Note(a, "answered in "+m.ID.String(), s.who(), map[string]any{"letter": r.ID}); err != nil {
			return err
		}
	}
	m.Actions = appendNew(m.Actions, r.Actions)
	why := "it answers " + r.ID.String() + ", which staff wrote"
	Mark(m, inbox.MailHeld, why)
	if err := k.Suggest(tx, m, s, reqs, why); err != nil || !tell {
		return err
	}
	return k.received(tx, m, s.onRecord())
}

// WhyRestored is the Error of an Action that was held because the state was
// restored.
const WhyRestored = "the state was restored from an older copy: look whether this was done already"

// HoldAll holds everything that is open and pauses effects and replies, until
// staff resume: what this copy of the state knows may be out of date.
func (k *Keeper) HoldAll(tx *state.Tx) error {
	var open []*inbox.Action
	for _, s := range []inbox.State{inbox.StateReview, inbox.StateUnconfirmed, inbox.StateScheduled, inbox.StateRunning} {
		if err := tx.ActionsIn(s, func(a *inbox.Action) bool { open = append(open, a); return true }); err != nil {
			return err
		}
	}
	for _, a := range open {
		if a.State == inbox.StateRunning { // when the copy was made; what came of it is not known here
			if err := tx.Move(a, inbox.EventLater, Program, nil); err != nil {
				return err
			}
		}
		if err := tx.MoveFor(a, inbox.EventHold, Program, WhyRestored); err != nil {
			return err
		}
	}
	if err := tx.Journal("restored", Program, 0, 0, nil); err != nil {
		return err
	}
	if err := tx.HeldRestored(); err != nil {
		return err
	}
	return tx.SetPaused(true, true)
}

// ErrManyPeople says that an address leads to more than one person, so that
// nothing can be carried out for it.
var ErrManyPeople = errors.New("the address on record belongs to more than one person: refuse it, or have the site's data mended")

// acting refuses an act of staff that would send or do something while the
// mode keeps everything in: the record must not say that it was.
func (k *Keeper) acting() error {
	if k.Rules.Mode != policy.Observe {
		return nil
	}
	return &inbox.Error{Err: errors.New("mode is observe: nothing is sent or done"),
		Hint: "hold and close work now; for the rest set policy.mode to assist or auto and restart, what waits is still there then"}
}

// Approve lets an Action in review go on: asked when a proof is missing, else
// scheduled. People are those whose address on record it goes to.
func (k *Keeper) Approve(tx *state.Tx, a *inbox.Action, people []users.Person, who string) error {
	if err := k.approvable(a); err != nil {
		return err
	}
	a.Reviewed = a.Reviewed || a.Proved != ""
	a.Approved, a.Error = true, ""
	if err := tx.Note(a, "approved", who, nil); err != nil {
		return err
	}
	return k.goOnWith(tx, a, people)
}

// approvable tells why staff cannot approve an Action.
func (k *Keeper) approvable(a *inbox.Action) error {
	switch {
	case a.State != inbox.StateReview:
		return fmt.Errorf("%s is %s: only an action in review can be approved", a.ID, a.State)
	case a.Kind == inbox.KindQuestion:
		return fmt.Errorf("%s is a question: answer it, close it, or correct what was read", a.ID)
	case a.Detail == nil:
		return fmt.Errorf("%s: its content was forgotten", a.ID)
	case a.Detail.Address == "":
		return fmt.Errorf("%s came from nobody who could be asked: close it", a.ID)
	}
	return k.acting()
}

// goOnWith judges one Action that staff let go on, together with others of its
// Case that must be asked about in the same letter. The one letter that comes
// of it is released by that.
func (k *Keeper) goOnWith(tx *state.Tx, a *inbox.Action, people []users.Person, with ...*inbox.Action) error {
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	s := Sender{Address: a.Detail.Address, People: people, Evidence: inbox.Evidence{Level: a.Evidence}}
	a.Released = true
	acts := append([]*inbox.Action{a}, with...)
	slices.SortStableFunc(acts, func(a, b *inbox.Action) int { return a.Order() - b.Order() })
	switch {
	case k.Rules.Missing(a, "") == policy.ProofSender:
		err = k.claim(tx, m, a.Detail.Address, acts)
	case len(people) > 1:
		return ErrManyPeople
	default:
		err = k.judge(tx, m, s, acts, nil)
	}
	if err != nil {
		return err
	}
	return k.settle(tx, m)
}

// ApproveWithoutProof schedules an Action on the word of staff alone. It is
// the one exception to the rule that staff supply judgement and never proof,
// and a journal kind of its own; the owner is told and can stop it.
func (k *Keeper) ApproveWithoutProof(tx *state.Tx, a *inbox.Action, people []users.Person, who, reason string) error {
	if err := k.approvable(a); err != nil {
		return err
	}
	if len(people) != 1 {
		return fmt.Errorf("%s: %d people have the address on record, it takes exactly one", a.ID, len(people))
	}
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	ok, err := k.planFor(tx, m, a, people[0])
	if err != nil || !ok {
		return err
	}
	a.Proved, a.OldYes, a.Approved, a.Reviewed, a.Released = digest(a), true, true, true, true
	if err := tx.Note(a, "approved without proof", who, map[string]string{"reason": reason}); err != nil {
		return err
	}
	if err := k.schedule(tx, m, a); err != nil {
		return err
	}
	if err := k.announce(tx, m, []*inbox.Action{a}); err != nil {
		return err
	}
	return k.settle(tx, m)
}

// Hold stops an Action where it is; ttl and cool-off stand still. With a date
// it needs a person again only then, see [Keeper.HoldOver]; until zero, at once.
// What is held for a doubtful stop is then for staff alone to release; what is
// held otherwise can only be put off.
func (k *Keeper) Hold(tx *state.Tx, a *inbox.Action, who, reason string, until time.Time) error {
	if err := holdable(a, until, tx.Now); err != nil {
		return err
	}
	held := a.State == inbox.StateHeld
	var detail any
	if reason != "" || !until.IsZero() {
		detail = map[string]any{"reason": reason, "until": until}
	}
	a.Until = until
	if reason != "" && a.Detail != nil {
		a.Detail.HeldFor = reason
	}
	if held {
		if a.Doubtful {
			a.Doubtful, a.Error = false, ""
		}
		return tx.Note(a, string(inbox.EventHold), who, detail)
	}
	return tx.Move(a, inbox.EventHold, who, detail)
}

// holdable tells why an Action cannot be held until a date, or zero.
func holdable(a *inbox.Action, until, now time.Time) error {
	if !until.IsZero() && !until.After(now) {
		return errors.New("the date until which it is held must be still to come")
	}
	if a.Doubtful || a.State == inbox.StateHeld && !until.IsZero() {
		return nil
	}
	return can(a, inbox.EventHold)
}

// can tells why an event cannot happen to an Action.
func can(a *inbox.Action, e inbox.Event) error {
	if _, err := inbox.Next(a.State, e, a.HeldFrom); err != nil {
		return fmt.Errorf("%s: %w", a.ID, err)
	}
	return nil
}

// HoldOver notes that the date has come until which staff hold an Action: it
// needs a person again. Nothing is released by that.
func (k *Keeper) HoldOver(tx *state.Tx, a *inbox.Action) error {
	a.Until = zeroTime
	if err := tx.Note(a, "hold date reached", Program, nil); err != nil {
		return err
	}
	return k.Notify(tx, "an action was held until now, and waits for you", a.Case, a)
}

// HandOver gives an Action to somebody of the staff, or with "" to nobody. It
// stays where it is. Staff are told of it, unless whoever has it now did it or
// had it before; what was noted with it stays in the console.
func (k *Keeper) HandOver(tx *state.Tx, a *inbox.Action, who, to, note string) error {
	if err := handable(a); err != nil {
		return err
	}
	news := to != "" && to != who && to != a.Assignee
	a.Assignee = to
	if a.Detail != nil {
		a.Detail.Handed = note
	}
	what, why := "handed over", "to "+to
	if to == "" {
		what, why = "handed back", ""
	}
	if err := tx.Note(a, what, who, map[string]string{"to": to, "note": note}); err != nil {
		return err
	}
	a.History[len(a.History)-1].Why = why
	if err := tx.PutAction(a); err != nil || !news {
		return err
	}
	return k.Notify(tx, "an action was handed over to "+to, a.Case, a)
}

// handable tells why an Action cannot be handed over.
func handable(a *inbox.Action) error {
	if a.State.Ended() {
		return fmt.Errorf("%s is %s: there is nothing left to hand over", a.ID, a.State)
	}
	return nil
}

// Release puts a held Action back where it was, and sends the letters of its
// Case that were held. What waits for a yes, but to no question that still
// counts, is asked anew.
func (k *Keeper) Release(tx *state.Tx, a *inbox.Action, people []users.Person, who string) error {
	n, err := k.ReleaseReplies(tx, a.Case, who)
	if err != nil {
		return err
	}
	if n > 0 { // what became of the letters stands in its history
		fresh, err := tx.Action(a.ID)
		if err != nil {
			return err
		}
		*a = *fresh
	}
	if n > 0 && (a.State != inbox.StateHeld || a.Doubtful) {
		return tx.PutAction(a) // the letters were what waited; one that asks the owner is not answered for them
	}
	a.Error, a.HeldBy = "", 0
	if err := tx.Move(a, inbox.EventRelease, who, nil); err != nil {
		return err
	}
	if a.State != inbox.StateUnconfirmed || a.Detail == nil {
		return nil
	}
	asks, err := tx.CaseAsks(a.Case)
	if err != nil {
		return err
	}
	waits := func(q *state.Ask) bool { return !q.Used && q.Void == "" && slices.Contains(q.Actions, a.ID) }
	if slices.ContainsFunc(asks, waits) {
		return nil
	}
	if err := k.acting(); err != nil {
		return err
	}
	return k.goOnWith(tx, a, people)
}

// ReleaseReplies sends the letters of a Case that a cap or the mode held, and
// gives their number.
func (k *Keeper) ReleaseReplies(tx *state.Tx, c inbox.MailID, who string) (int, error) {
	replies, err := tx.CaseReplies(c)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range replies {
		if r.State != inbox.ReplyHeld {
			continue
		}
		if err := k.releaseReply(tx, r, who); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// releaseReply lets one held letter go. Its Mail and its Actions no longer say
// that it is held, and their history says who released it.
func (k *Keeper) releaseReply(tx *state.Tx, r *inbox.Reply, who string) error {
	if err := k.acting(); err != nil {
		return err
	}
	if err := k.unmark(tx, r); err != nil {
		return err
	}
	r.State, r.Next, r.Error = inbox.ReplyDue, tx.Now, ""
	if err := tx.PutReply(r); err != nil {
		return err
	}
	if err := tx.Journal("reply released", who, r.Case, 0, map[string]any{"reply": r.ID}); err != nil {
		return err
	}
	return noteLetter(tx, r, "released", who)
}

// Refuse ends an Action with a reason, which the person is told when their
// sender is proved; told says whether they are. One that may have been carried
// out ends, and they are told, once the user store has said that it was not.
func (k *Keeper) Refuse(tx *state.Tx, a *inbox.Action, who, reason string) (told bool, err error) {
	if a.Detail != nil {
		a.Detail.Words = reason
	}
	if asksFirst(a, inbox.EventRefuse) {
		if err := k.acting(); err != nil {
			return false, err
		}
		return a.Evidence > inbox.LevelNone, k.wish(tx, a, inbox.EventRefuse, who, map[string]string{"reason": reason})
	}
	return k.refuse(tx, a, who, reason)
}

func (k *Keeper) refuse(tx *state.Tx, a *inbox.Action, who, reason string) (told bool, err error) {
	a.Reported, a.Error = true, "refused by staff"
	if err := tx.Move(a, inbox.EventRefuse, who, map[string]string{"reason": reason}); err != nil {
		return false, err
	}
	if err := k.voidEnded(tx, a.Case, "refused"); err != nil {
		return false, err
	}
	told = tellsRefusal(a)
	return told, k.tell(tx, a, letter{name: templates.Refused, data: templates.Data{Words: reason}}, told)
}

// tell writes to the person of an Action on behalf of staff, and settles the
// Case.
func (k *Keeper) tell(tx *state.Tx, a *inbox.Action, l letter, write bool) error {
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	if write && a.Detail != nil && a.Detail.Address != "" {
		if err := k.acting(); err != nil {
			return err
		}
		l.mail, l.to, l.language, l.actions, l.released = m, a.Detail.Address, a.Language, []*inbox.Action{a}, true
		l.data.Items = k.items(l.actions)
		if _, err := k.send(tx, l); err != nil {
			return err
		}
	}
	return k.Report(tx, m.ID)
}

// Retry schedules a failed Action again, under its old effect key, and
// releases what was held because of it. If its proof has become void the
// person is asked first.
func (k *Keeper) Retry(tx *state.Tx, a *inbox.Action, who string) error {
	if err := k.acting(); err != nil {
		return err
	}
	a.RunAfter, a.Attempts, a.Reported, a.Released, a.Error = tx.Now, 0, false, true, ""
	if err := tx.Move(a, inbox.EventRetry, who, nil); err != nil {
		return err
	}
	acts, err := tx.CaseActions(a.Case)
	if err != nil {
		return err
	}
	for _, b := range acts {
		if b.State != inbox.StateHeld || b.HeldBy != a.ID {
			continue
		}
		b.HeldBy, b.Error = 0, ""
		if err := tx.Move(b, inbox.EventRelease, who, nil); err != nil {
			return err
		}
	}
	return nil
}

// Undo asks the owner to agree that a deactivation or a change is taken back,
// in an Action of its own.
func (k *Keeper) Undo(tx *state.Tx, a *inbox.Action, people []users.Person, who string) (*inbox.Action, error) {
	r, err := Reverse(a)
	if err != nil {
		return nil, err
	}
	m, err := tx.Mail(a.Case)
	if err != nil {
		return nil, err
	}
	b := &inbox.Action{Case: a.Case, Kind: r.Kind, Scope: r.Scope, Undo: r.Kind == inbox.KindDeactivate && !a.Undo, Mailbox: a.Mailbox,
		Language: a.Language, Received: tx.Now, Evidence: a.Evidence, Certain: true,
		Detail: &inbox.ActionDetail{Person: a.Detail.Person, Address: a.Detail.Address, Request: r}}
	if err := k.add(tx, m, b, inbox.EventReview); err != nil {
		return nil, err
	}
	if err := tx.Note(a, "undo asked for in "+b.ID.String(), who, nil); err != nil {
		return nil, err
	}
	return b, k.Approve(tx, b, people, who)
}

// Reverse gives the Request that takes back what a done Action did.
func Reverse(a *inbox.Action) (inbox.Request, error) {
	switch {
	case a.State != inbox.StateDone || a.Detail == nil:
		return inbox.Request{}, fmt.Errorf("%s is %s: only what is done can be undone; hold or refuse it instead", a.ID, a.State)
	case a.Kind == inbox.KindDeactivate:
		return inbox.Request{Kind: inbox.KindDeactivate, Certain: true, Confidence: 1}, nil
	case a.Kind != inbox.KindChange || a.Mailto:
		return inbox.Request{}, fmt.Errorf("%s: a %s cannot be undone", a.ID, a.Kind)
	}
	r := inbox.Request{Kind: inbox.KindChange, Certain: true, Confidence: 1}
	for _, s := range a.Detail.Plan.Steps {
		if s.Old == "" {
			return r, fmt.Errorf("%s set %s, which was empty before: correct it to a delete of that field", a.ID, s.Field)
		}
		r.Changes = append(r.Changes, inbox.Change{Field: s.Field, Op: inbox.OpSet, Value: s.Old})
	}
	return r, nil
}

// Correct gives an Action another reading. Earlier questions and proof are
// void: the person is asked about the new one.
func (k *Keeper) Correct(tx *state.Tx, a *inbox.Action, r inbox.Request, people []users.Person, who string) error {
	if err := k.correctable(a); err != nil {
		return err
	}
	old := a.Detail.Request
	with, err := k.askedWith(tx, a)
	if err != nil {
		return err
	}
	a.Stale, a.Again, a.Attempts, a.Reported = 0, 0, 0, false
	a.Kind, a.Scope, a.Topic, a.Undo, a.Mailto = r.Kind, r.Scope, r.Topic, false, movesAddress(r)
	a.Certain, a.Approved, a.Reviewed, a.Proved, a.OldYes, a.Error = true, true, false, "", false, ""
	a.Expires = tx.Now.Add(k.Rules.ConfirmTTL)
	a.Detail.Request, a.Detail.Plan = r, inbox.Plan{}
	a.Detail.Reading = append(a.Detail.Reading, string(old.Kind))
	if err := tx.Move(a, inbox.EventCorrect, who, map[string]any{"old": old, "new": r}); err != nil {
		return err
	}
	if err := tx.VoidAsks(a.Case, "corrected", a.ID); err != nil {
		return err
	}
	return k.goOnWith(tx, a, people, with...)
}

// askedWith gives the other Actions that wait for the yes to a letter that is
// about this one, too: when it is void they are asked anew together.
func (k *Keeper) askedWith(tx *state.Tx, a *inbox.Action) ([]*inbox.Action, error) {
	asks, err := tx.CaseAsks(a.Case)
	if err != nil {
		return nil, err
	}
	var out []*inbox.Action
	for _, q := range asks {
		if q.Used || q.Void != "" || !slices.Contains(q.Actions, a.ID) {
			continue
		}
		acts, err := open(tx, q)
		if err != nil {
			return nil, err
		}
		for _, b := range acts {
			if b.ID != a.ID && b.State == inbox.StateUnconfirmed {
				out = append(out, b)
			}
		}
	}
	return out, nil
}

// Reply writes staff's own words to the person: an answer ends a question, a
// question leaves the Action where it is.
func (k *Keeper) Reply(tx *state.Tx, a *inbox.Action, who, text string, answers bool) error {
	if err := k.writable(a, answers); err != nil {
		return err
	}
	name, what := templates.StaffQuestion, "asked the person"
	if answers {
		name, what = templates.StaffAnswer, "answered"
		a.Reported = true
		if err := tx.Move(a, inbox.EventAnswer, who, map[string]string{"text": text}); err != nil {
			return err
		}
	} else if err := tx.Note(a, what, who, map[string]string{"text": text}); err != nil {
		return err
	}
	return k.tell(tx, a, letter{name: name, data: templates.Data{Words: text}, byStaff: true}, true)
}

// writable tells why staff cannot write to the person of an Action.
func (k *Keeper) writable(a *inbox.Action, answers bool) error {
	if a.Detail == nil || a.Detail.Address == "" {
		return fmt.Errorf("%s came from nobody who could be written to", a.ID)
	}
	if !answers {
		return k.acting()
	}
	if a.Kind != inbox.KindQuestion && a.Kind != inbox.KindWithdraw {
		return fmt.Errorf("%s is a %s: approve, correct or refuse it; only a question or a withdraw ends with an answer", a.ID, a.Kind)
	}
	return errors.Join(can(a, inbox.EventAnswer), k.acting())
}

// AskOnRecord writes staff's question to the address on record of a person, too,
// in whose name somebody else may have written from another one. The letter is
// no part of that conversation and quotes nothing of it; whoever wrote is told
// nothing of it, nor whether there is such a person.
func (k *Keeper) AskOnRecord(tx *state.Tx, a *inbox.Action, p users.Person, who, text string) error {
	to, err := address.Canonical(p.Fields[inbox.FieldEmail])
	if err != nil {
		return fmt.Errorf("%s: the address on record cannot be written to: %w", a.ID, err)
	}
	if a.Detail != nil && a.Detail.Address == to {
		return fmt.Errorf("%s: letters about it go to the address on record already", a.ID)
	}
	if err := k.acting(); err != nil {
		return err
	}
	m, err := tx.Mail(a.Case)
	if err != nil {
		return err
	}
	if err := tx.Note(a, "asked at the address on record", who, map[string]string{"text": text, "to": to}); err != nil {
		return err
	}
	// By the person alone: what stands under an address is the past of whoever has it.
	if err := tx.Tie(state.TiePerson, p.ID, a.Case); err != nil {
		return err
	}
	_, err = k.send(tx, letter{name: templates.AskOnRecord, mail: m, to: to, language: a.Language, actions: []*inbox.Action{a},
		data: templates.Data{Words: text}, released: true, byStaff: true, apart: true})
	return err
}

// Close ends an Action without a letter. One that may have been carried out
// ends once the user store has said that it was not; that it was, is told.
func (k *Keeper) Close(tx *state.Tx, a *inbox.Action, who, reason string) error {
	why := map[string]string{"reason": reason}
	if asksFirst(a, inbox.EventClose) {
		if err := k.acting(); err != nil {
			return err
		}
		return k.wish(tx, a, inbox.EventClose, who, why)
	}
	return k.close(tx, a, who, why)
}

func (k *Keeper) close(tx *state.Tx, a *inbox.Action, who string, why any) error {
	a.Reported, a.Error = true, "closed by staff"
	if err := tx.Move(a, inbox.EventClose, who, why); err != nil {
		return err
	}
	if err := k.voidEnded(tx, a.Case, "closed"); err != nil {
		return err
	}
	return k.Report(tx, a.Case)
}

// Resume ends a pause and releases what a restore had held.
func (k *Keeper) Resume(tx *state.Tx, who string) error {
	var held []*inbox.Action
	err := tx.ActionsIn(inbox.StateHeld, func(a *inbox.Action) bool {
		if a.Error == WhyRestored {
			held = append(held, a)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, a := range held {
		a.Error = ""
		if err := tx.Move(a, inbox.EventRelease, who, nil); err != nil {
			return err
		}
	}
	if err := tx.Journal("resume", who, 0, 0, nil); err != nil {
		return err
	}
	return errors.Join(tx.EndRestored(), tx.SetPaused(false, false))
}
