package cases

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// Answer takes a yes or no that came with the token of an Ask, from the
// address that was asked. The Mail must be stored already; Answer sets its end
// state.
func (k *Keeper) Answer(tx *state.Tx, m *inbox.Mail, s Sender, q *state.Ask, r inbox.Reading) error {
	cm, err := k.continued(tx, m, q.Case)
	if err != nil {
		return err
	}
	acts, err := open(tx, q)
	if err != nil {
		return err
	}
	m.Actions = appendNew(m.Actions, q.Actions)
	over := q.Used || q.Void != "" || q.Purpose != state.PurposeStop && lapsed(tx, q, acts)
	if q.Purpose.Waits() && !over {
		for _, a := range acts {
			a.Answered(m.Received, inbox.WaitProof) // its clock goes on, whatever the answer is
		}
	}
	switch {
	case r.Partial && (over || q.Purpose != state.PurposeConfirm):
		err = k.handOver(tx, m, s, "an answer to some of several points, but to no open question", q.Purpose != state.PurposeNewAddr)
	case r.Partial:
		err = k.differs(tx, m, cm, s, q, acts, "the answer picks some of several points")
	case q.Purpose == state.PurposeStatus:
		err = k.toldStatus(tx, m, cm, s, q, r.Answer)
	case r.Answer == inbox.AnswerNo && r.Stop != inbox.StopNone && !slices.ContainsFunc(acts, sayOver(s)):
		_, err = k.Stop(tx, m, s, r.Stop) // about what was asked there is nothing to end any more
	case r.Answer == inbox.AnswerNo:
		err = k.no(tx, m, cm, s, acts, declined(q, m, cm))
	case q.Purpose == state.PurposeNotice:
		err = k.status(tx, m, s, proven) // there was nothing to agree to
	case over:
		err = k.late(tx, m, cm, s, q, acts)
	case q.Purpose != state.PurposeStop && !agrees(r.Agreed, acts):
		err = k.differs(tx, m, cm, s, q, acts, "the answer names something else than was asked about")
	default:
		err = k.yes(tx, m, cm, s, q, acts)
	}
	if err == nil && r.Stop == inbox.StopDelete {
		err = k.stopDelete(tx, m, s) // whatever it answered, it names the delete
	}
	if err != nil {
		return err
	}
	if err := k.settle(tx, cm); err != nil {
		return err
	}
	return k.settle(tx, m)
}

// agrees tells whether what a yes names is what was asked about: "yes, delete it"
// is no yes to a change, "yes, delete my account" none to the deletion of a
// phone number, and "yes, the phone" none to the phone and the name. "Yes, my
// account" and "yes, I no longer need it" are none to a change, and "yes, both"
// is one to just two things.
func agrees(said inbox.Agreed, acts []*inbox.Action) bool {
	var q question
	for _, a := range acts {
		if a.State == inbox.StateUnconfirmed && a.Detail != nil {
			q.add(a.Kind, a.Detail.Request)
		}
	}
	return len(q.kinds) == 0 || (len(said.Kinds) == 0 || equal(q.kinds, said.Kinds)) &&
		(len(said.Scopes) == 0 || q.about(said)) &&
		(len(said.Fields) == 0 || equal(roughly(said.Fields), roughly(q.fields))) &&
		(!said.Both || q.things == 2) && (!said.Unneeded || len(said.Kinds) > 0 || q.ends())
}

// question is what a yes would agree to.
type question struct {
	kinds  []inbox.Kind
	fields []inbox.Field
	scopes []inbox.Scope // of what is to be deleted
	things int           // how many things it is about
}

func (q *question) add(k inbox.Kind, r inbox.Request) {
	q.kinds = append(q.kinds, k)
	if k == inbox.KindDelete {
		q.scopes = append(q.scopes, r.Scope)
	}
	q.fields = append(q.fields, r.Fields...)
	for _, c := range r.Changes {
		q.fields = append(q.fields, c.Field)
	}
	q.things += max(1, len(r.Fields)+len(r.Changes))
}

// about tells whether the account, or the fields, that a yes names are what is
// to be deleted. A change is about neither, unless the yes names it, too.
func (q *question) about(said inbox.Agreed) bool {
	if len(said.Kinds) == 0 && slices.Contains(q.kinds, inbox.KindChange) {
		return false
	}
	return len(q.scopes) == 0 || equal(q.scopes, said.Scopes)
}

// ends tells whether something is to come to an end.
func (q *question) ends() bool {
	return slices.Contains(q.kinds, inbox.KindDelete) || slices.Contains(q.kinds, inbox.KindDeactivate)
}

// within tells whether every element of a list is in another.
func within[T comparable](list, in []T) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !slices.Contains(in, x) })
}

// equal tells whether two lists have the same elements, however often.
func equal[T comparable](a, b []T) bool { return within(a, b) && within(b, a) }

// roughly gives fields that people call by the same word as one: they call any
// name a name, and any address an address.
func roughly(list []inbox.Field) []inbox.Field {
	out := slices.Clone(list)
	for i, f := range out {
		switch f {
		case inbox.FieldGivenName, inbox.FieldFamilyName, inbox.FieldNickname:
			out[i] = inbox.FieldFullName
		case inbox.FieldLocation:
			out[i] = inbox.FieldAddress
		}
	}
	return out
}

// toldStatus takes the answer of somebody in whose name we were asked where
// their requests stand. Who denies it is thanked, but told all the same when
// something is open: they may want to stop it.
func (k *Keeper) toldStatus(tx *state.Tx, m, cm *inbox.Mail, s Sender, q *state.Ask, answer inbox.Answer) error {
	acts, err := tx.OpenActions(s.onRecord())
	if err != nil {
		return err
	}
	denied := answer == inbox.AnswerNo && !q.Used && len(acts) == 0
	if err := tx.UseAsk(q); err != nil {
		return err
	}
	if !denied {
		return k.status(tx, m, s, proven)
	}
	_, err = k.send(tx, letter{name: templates.NotYou, mail: cm, to: s.onRecord(), limit: proven,
		of: m, ends: inbox.MailAnswered, reason: "it was not they who asked for the state of a request"})
	return err
}

// continued reads the Case that a mail belongs to, and lets its next letter
// continue the thread at that mail, when it is of the same person.
func (k *Keeper) continued(tx *state.Tx, m *inbox.Mail, id inbox.MailID) (*inbox.Mail, error) {
	cm, err := tx.Mail(id)
	if err != nil {
		return nil, err
	}
	if cm.Detail != nil && m.Detail != nil && m.Detail.MessageID != "" && cm.Detail.From.Addr == m.Detail.From.Addr {
		cm.Detail.MessageID, cm.Detail.References = m.Detail.MessageID, m.Detail.References
	}
	return cm, nil
}

// lapsed tells whether a question was not answered in time. It does not lapse
// before its Actions, whose ttl stands still while staff hold them.
func lapsed(tx *state.Tx, q *state.Ask, acts []*inbox.Action) bool {
	later := slices.ContainsFunc(acts, func(a *inbox.Action) bool { return a.Expires.After(tx.Now) })
	return q.Lapsed(tx.Now) && !later
}

// open reads the Actions of an Ask that have not ended.
func open(tx *state.Tx, q *state.Ask) ([]*inbox.Action, error) {
	acts, err := tx.Actions(q.Actions)
	return slices.DeleteFunc(acts, func(a *inbox.Action) bool { return a.State.Ended() }), err
}

func appendNew(list, more []inbox.ActionID) []inbox.ActionID {
	for _, id := range more {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// yes lets the Actions of an open Ask go on.
func (k *Keeper) yes(tx *state.Tx, m, cm *inbox.Mail, s Sender, q *state.Ask, acts []*inbox.Action) error {
	if q.Purpose == state.PurposeStop {
		if err := tx.UseAsk(q); err != nil {
			return err
		}
		return k.goOn(tx, m, s, acts)
	}
	if elsewhere := k.elsewhere(s, q, acts); elsewhere {
		return k.toStaff(tx, m, acts, "the address on record is no longer the one that was asked")
	}
	acts = slices.DeleteFunc(acts, func(a *inbox.Action) bool { return a.State != inbox.StateUnconfirmed })
	if len(acts) == 0 { // staff hold them, and the token keeps; or they have gone on
		return k.status(tx, m, s, proven)
	}
	if err := tx.UseAsk(q); err != nil {
		return err
	}
	for _, a := range acts {
		if err := k.prove(tx, a, q, m); err != nil {
			return err
		}
	}
	Mark(m, inbox.MailActed, "confirmed")
	if q.Purpose == state.PurposeClaim {
		return k.claimed(tx, m, cm, s, acts)
	}
	return k.proceed(tx, cm, acts, nil, templates.Confirm)
}

// elsewhere tells whether whoever answers is no longer who the Actions are
// about: the site gave the address to another person, or the person another
// address.
func (k *Keeper) elsewhere(s Sender, q *state.Ask, acts []*inbox.Action) bool {
	if q.Purpose != state.PurposeConfirm {
		return false
	}
	p := s.person()
	return slices.ContainsFunc(acts, func(a *inbox.Action) bool { return p == nil || p.ID != a.Detail.Person })
}

// toStaff puts Actions that wait for an answer before staff; nobody is written
// to.
func (k *Keeper) toStaff(tx *state.Tx, m *inbox.Mail, acts []*inbox.Action, why string) error {
	Mark(m, inbox.MailHeld, why)
	for _, a := range acts {
		if a.State != inbox.StateUnconfirmed {
			continue
		}
		if err := tx.MoveFor(a, inbox.EventReview, Program, why); err != nil {
			return err
		}
	}
	return nil
}

// prove notes in an Action what the yes has proved.
func (k *Keeper) prove(tx *state.Tx, a *inbox.Action, q *state.Ask, m *inbox.Mail) error {
	shown := q.Digests[slices.Index(q.Actions, a.ID)]
	a.Confirmed = m.Received
	switch {
	case q.Purpose == state.PurposeClaim:
		a.Evidence = inbox.LevelRoundtrip
	case q.Purpose == state.PurposeNewAddr:
		a.Proved = shown
	case a.Mailto:
		a.OldYes, a.Evidence = true, inbox.LevelRoundtrip
	default:
		a.Proved, a.Evidence = shown, inbox.LevelRoundtrip
	}
	return tx.Note(a, "yes to "+string(q.Purpose), Owner, map[string]any{"mail": m.ID, "shown": shown})
}

// claimed goes on with Actions whose sender has just been proved. What waits
// behind them is the same as for a sender who was proved from the start.
func (k *Keeper) claimed(tx *state.Tx, m, cm *inbox.Mail, s Sender, acts []*inbox.Action) error {
	clear, err := k.lookAgain(tx, s, acts)
	if err != nil {
		return err
	}
	if len(clear) == 0 {
		return k.received(tx, cm, s.onRecord())
	}
	ends, reason, err := through(cm, func() error { return k.judge(tx, cm, s, clear, nil) })
	if !slices.ContainsFunc(clear, func(a *inbox.Action) bool { return !a.State.Ended() }) {
		m.State, m.Reason = ends, reason
	}
	return err
}

// through runs f, which goes on with a Case because of a later mail, and gives
// the end state that this makes for the later mail. The Case's own Mail keeps
// the weightier one of its old and its new state.
func through(cm *inbox.Mail, f func() error) (inbox.MailState, string, error) {
	before, why := cm.State, cm.Reason
	cm.State, cm.Reason = "", ""
	err := f()
	ends, reason := cm.State, cm.Reason
	Mark(cm, before, why)
	return ends, reason, err
}

// lookAgain puts before staff what they must see first, now that the sender is
// proved, and gives the rest.
func (k *Keeper) lookAgain(tx *state.Tx, s Sender, acts []*inbox.Action) (clear []*inbox.Action, err error) {
	for _, a := range acts {
		a.Detail.Address = s.onRecord()
		why, review := k.reviewFirst(tx, a, Sender{Address: s.Address, People: s.People, Evidence: inbox.Evidence{Level: a.Evidence}})
		if !review {
			clear = append(clear, a)
			continue
		}
		if err := tx.MoveFor(a, inbox.EventReview, Program, why); err != nil {
			return nil, err
		}
	}
	return clear, nil
}

// declined names the letter that answers a no. Who denies the mail itself is
// not told what a stranger asked for in their name; but once they have said
// that it was theirs, they are told what has become of it.
func declined(q *state.Ask, m, cm *inbox.Mail) templates.Name {
	theirs := m.Detail != nil && cm.Detail != nil && m.Detail.From.Addr == cm.Detail.From.Addr
	if q.Purpose == state.PurposeClaim && !q.Used && theirs {
		return templates.NotYou
	}
	return templates.Cancelled
}

// no ends the Actions of an Ask that have not run, and says so in the named
// letter.
func (k *Keeper) no(tx *state.Tx, m, cm *inbox.Mail, s Sender, acts []*inbox.Action, name templates.Name) error {
	var stopped []*inbox.Action
	known := true
	for _, a := range acts {
		switch {
		case a.Kind == inbox.KindQuestion || !asked(a, s) || begun(a) && a.Wish == inbox.EventNo:
			continue
		case begun(a):
			known = false
			if err := k.wish(tx, a, inbox.EventNo, Owner, map[string]any{"mail": m.ID}); err != nil {
				return err
			}
			continue
		}
		if err := k.cancel(tx, a); err != nil {
			return err
		}
		stopped = append(stopped, a)
	}
	if !known {
		return k.untilKnown(tx, m, stopped)
	}
	if len(stopped) == 0 {
		return k.status(tx, m, s, proven)
	}
	Mark(m, inbox.MailActed, "cancelled by the person")
	to := s.onRecord()
	if s.Address == newAddress(stopped[0]) {
		to = stopped[0].Detail.Address // the new address declined: its owner learns nothing more
	}
	_, err := k.send(tx, letter{name: name, mail: cm, to: to, actions: stopped, data: templates.Data{Items: k.items(stopped)}})
	return err
}

// sayOver tells whether a sender's no ends an Action.
func sayOver(s Sender) func(*inbox.Action) bool {
	return func(a *inbox.Action) bool { return a.Kind != inbox.KindQuestion && asked(a, s) }
}

// asked tells whether an address still has a say in an Action: it is the one
// that answers go to, or the new one that a change leads to.
func asked(a *inbox.Action, s Sender) bool {
	return a.Detail != nil && (a.Detail.Address == s.onRecord() || newAddress(a) == s.Address)
}

func (k *Keeper) cancel(tx *state.Tx, a *inbox.Action) error {
	a.Reported, a.Released = true, false
	if err := tx.Move(a, inbox.EventNo, Owner, nil); err != nil {
		return err
	}
	return k.voidEnded(tx, a.Case, "cancelled")
}

// voidEnded makes those questions of a Case void whose Actions have all ended.
// One that is about others, too, can still be answered.
func (k *Keeper) voidEnded(tx *state.Tx, c inbox.MailID, why string) error {
	asks, err := tx.CaseAsks(c)
	if err != nil {
		return err
	}
	for _, q := range asks {
		acts, err := open(tx, q)
		if err != nil {
			return err
		}
		if len(acts) > 0 || q.Used || q.Void != "" {
			continue
		}
		if err := tx.VoidAsk(q, why); err != nil {
			return err
		}
	}
	return nil
}

// goOn releases what a doubtful stop had held, and nothing that staff hold: the
// owner says that the stop was not theirs.
func (k *Keeper) goOn(tx *state.Tx, m *inbox.Mail, s Sender, acts []*inbox.Action) error {
	for _, a := range acts {
		if !a.Doubtful {
			continue
		}
		a.Error, a.StopChecked = "", true
		if err := tx.Move(a, inbox.EventRelease, Owner, nil); err != nil {
			return err
		}
		Mark(m, inbox.MailActed, "the owner lets it go on")
	}
	return k.status(tx, m, s, uncapped)
}

// late answers a yes to a question that no longer counts. It never runs
// anything: what expired is asked anew once, of the rest the state is told.
func (k *Keeper) late(tx *state.Tx, m, cm *inbox.Mail, s Sender, q *state.Ask, acts []*inbox.Action) error {
	if len(acts) > 0 {
		return k.status(tx, m, s, proven)
	}
	all, err := tx.Actions(q.Actions)
	if err != nil {
		return err
	}
	var ended, again []*inbox.Action
	for _, a := range all {
		if a.Detail != nil {
			ended = append(ended, a)
		}
		if a.State == inbox.StateExpired && a.Again == 0 && a.Detail != nil && !q.Used {
			again = append(again, a)
		}
	}
	if len(again) == 0 {
		return k.overAlready(tx, m, cm, s, q, ended)
	}
	for _, a := range again {
		a.Ended, a.Reported = zeroTime, false
		if err := tx.Move(a, inbox.EventAskAgain, Owner, nil); err != nil {
			return err
		}
	}
	if q.Purpose == state.PurposeNewAddr {
		return k.newAddressAgain(tx, m, cm, again)
	}
	s.Evidence.Level = max(s.Evidence.Level, inbox.LevelRoundtrip)
	return k.askAgain(tx, m, s, cm.ID, templates.ExpiredAsk)
}

// overAlready answers a yes to what has ended with how it ended. A new address
// that did not become the one on record is told nothing of what became of it.
func (k *Keeper) overAlready(tx *state.Tx, m, cm *inbox.Mail, s Sender, q *state.Ask, ended []*inbox.Action) error {
	stranger := slices.ContainsFunc(ended, func(a *inbox.Action) bool { return a.Detail.Address != s.onRecord() })
	switch {
	case q.Purpose == state.PurposeNewAddr && (stranger || len(ended) == 0):
		return k.handOver(tx, m, s, "a new address agrees to what has ended", false)
	case len(ended) == 0: // all of it was kept long enough
		return k.status(tx, m, s, proven)
	}
	_, err := k.send(tx, letter{name: templates.Status, mail: cm, to: s.onRecord(), data: templates.Data{Items: k.items(ended)}, limit: proven,
		of: m, ends: inbox.MailAnswered, reason: "a yes to a question that has ended: told how"})
	return err
}

// newAddressAgain asks a new address once more that agreed too late. The old
// one, which had agreed in time, is told as before.
func (k *Keeper) newAddressAgain(tx *state.Tx, m, cm *inbox.Mail, acts []*inbox.Action) error {
	ends, reason, err := through(cm, func() error {
		for _, a := range acts {
			a.Again++
			if err := k.askNewAddress(tx, cm, a); err != nil {
				return err
			}
		}
		return nil
	})
	Mark(m, ends, reason)
	return err
}

// askAgain asks the open question of a Case once more, in a new letter: the
// first was lost or has lapsed.
func (k *Keeper) askAgain(tx *state.Tx, m *inbox.Mail, s Sender, id inbox.MailID, name templates.Name) error {
	cm, err := k.continued(tx, m, id)
	if err != nil {
		return err
	}
	all, err := tx.CaseActions(id)
	if err != nil {
		return err
	}
	var acts []*inbox.Action
	for _, a := range all {
		if a.State == inbox.StateUnconfirmed && !a.OldYes && a.Detail.Address == s.onRecord() && s.Evidence.Level >= min(a.Evidence, inbox.LevelAligned) {
			a.Again++
			a.Evidence = max(a.Evidence, s.Evidence.Level)
			acts = append(acts, a)
		}
	}
	switch {
	case len(acts) > 0:
	case s.Evidence.Level > inbox.LevelNone:
		return k.status(tx, m, s, proven)
	default:
		return nil // a stranger does not make the owner's question void
	}
	m.Actions = appendNew(m.Actions, ids(acts))
	ends, reason, err := through(cm, func() error {
		if s.Evidence.Level == inbox.LevelNone {
			return k.claim(tx, cm, s.onRecord(), acts)
		}
		return k.askPlans(tx, cm, s, acts, name)
	})
	if err != nil {
		return err
	}
	if ends == inbox.MailAsked {
		reason = "asked once more"
	}
	Mark(m, ends, reason)
	return k.settle(tx, cm)
}

// askPlans makes the plans anew and asks for a yes to them.
func (k *Keeper) askPlans(tx *state.Tx, cm *inbox.Mail, s Sender, acts []*inbox.Action, name templates.Name) error {
	acts, err := k.lookAgain(tx, s, acts)
	if err != nil {
		return err
	}
	if len(acts) == 0 {
		Mark(cm, inbox.MailHeld, "staff must see it first")
		return k.received(tx, cm, s.onRecord())
	}
	p := s.person()
	if p == nil {
		return k.judge(tx, cm, s, acts, nil)
	}
	good, refused, err := k.plans(tx, cm, acts, *p)
	if err != nil || len(good) == 0 {
		return err
	}
	return k.confirm(tx, cm, good, refused, name) // a late yes never runs anything
}

// differs hands a yes to less than was asked about, or to something else, to
// staff.
func (k *Keeper) differs(tx *state.Tx, m, cm *inbox.Mail, s Sender, q *state.Ask, acts []*inbox.Action, why string) error {
	Mark(m, inbox.MailHeld, why)
	if err := tx.UseAsk(q); err != nil {
		return err
	}
	for _, a := range acts {
		if a.State != inbox.StateUnconfirmed {
			continue
		}
		if err := tx.MoveFor(a, inbox.EventReview, Owner, m.ID.String()+": "+why); err != nil {
			return err
		}
	}
	_, err := k.send(tx, letter{name: templates.PartialToStaff, mail: cm, to: s.onRecord(), data: templates.Data{Items: k.items(acts)}, limit: proven})
	return err
}

// Loose takes a yes or no that carried no token. The owner's word counts for a
// stop when the sender is aligned; a yes never counts, and the question is
// asked once more.
func (k *Keeper) Loose(tx *state.Tx, m *inbox.Mail, s Sender, r inbox.Reading) error {
	acts, err := tx.OpenActions(s.onRecord())
	if err != nil {
		return err
	}
	acts = slices.DeleteFunc(acts, func(a *inbox.Action) bool { return a.Kind == inbox.KindQuestion })
	switch {
	case len(acts) == 0:
		err = k.loneAnswer(tx, m, s)
	case r.Answer == inbox.AnswerNo && s.Evidence.Level > inbox.LevelNone:
		m.Actions = appendNew(m.Actions, ids(acts))
		err = k.noToAll(tx, m, s, acts)
	case r.Answer == inbox.AnswerNo:
		err = k.doubtful(tx, m, s, acts)
	default:
		err = k.looseYes(tx, m, s, acts)
	}
	if err != nil {
		return err
	}
	return k.settle(tx, m)
}

// loneAnswer is a yes or no to nothing that is open: a proved sender is told
// so, and nobody else learns anything.
func (k *Keeper) loneAnswer(tx *state.Tx, m *inbox.Mail, s Sender) error {
	if s.Evidence.Level == inbox.LevelNone {
		Mark(m, inbox.MailIgnored, "an answer without proof, and no question of ours is open")
		return nil
	}
	return k.status(tx, m, s, proven)
}

// handOver hands an answer whose meaning only a person can tell to staff, as a
// question that is due like any other. Only somebody who may learn that is told.
func (k *Keeper) handOver(tx *state.Tx, m *inbox.Mail, s Sender, why string, tell bool) error {
	Mark(m, inbox.MailHeld, why)
	if err := k.Suggest(tx, m, s, nil, why); err != nil || !tell {
		return err
	}
	return k.received(tx, m, s.onRecord())
}

func (k *Keeper) noToAll(tx *state.Tx, m *inbox.Mail, s Sender, acts []*inbox.Action) error {
	for _, id := range casesOf(acts) {
		cm, err := k.continued(tx, m, id)
		if err != nil {
			return err
		}
		if err := k.no(tx, m, cm, s, ofCase(acts, id), templates.Cancelled); err != nil {
			return err
		}
		if err := k.settle(tx, cm); err != nil {
			return err
		}
	}
	return nil
}

func casesOf(acts []*inbox.Action) []inbox.MailID {
	var out []inbox.MailID
	for _, a := range acts {
		if !slices.Contains(out, a.Case) {
			out = append(out, a.Case)
		}
	}
	return out
}

// ofCase gives those Actions that are of one Case.
func ofCase(acts []*inbox.Action, id inbox.MailID) []*inbox.Action {
	return slices.DeleteFunc(slices.Clone(acts), func(a *inbox.Action) bool { return a.Case != id })
}

// looseYes asks anew, once: a yes without the token of the question proves
// nothing about the plan.
func (k *Keeper) looseYes(tx *state.Tx, m *inbox.Mail, s Sender, acts []*inbox.Action) error {
	waiting := slices.DeleteFunc(slices.Clone(acts), func(a *inbox.Action) bool { return a.State != inbox.StateUnconfirmed })
	if len(waiting) == 0 {
		return k.loneAnswer(tx, m, s)
	}
	fresh := slices.DeleteFunc(waiting, func(a *inbox.Action) bool { return a.Again > 0 })
	if len(casesOf(fresh)) != 1 {
		return k.handOver(tx, m, s, "a yes that does not say to which question", s.Evidence.Level > inbox.LevelNone)
	}
	err := k.askAgain(tx, m, s, fresh[0].Case, templates.Confirm)
	if m.State == "" {
		Mark(m, inbox.MailHeld, "a yes without proof, to a question that was asked of a proved sender")
	}
	return err
}
