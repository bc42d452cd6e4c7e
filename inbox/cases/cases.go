// Package cases knows what a Case owes next: which question, which answer, to
// whom. The three loops and staff all change a Case through it, each inside
// its own transaction, so that the conversation has one author.
//
// # How a Case moves
//
// Open makes Actions of the Requests of a mail. Whatever a rule wants staff to
// see first waits in review; the rest is judged together:
//
//	evidence none               one fixed letter, the same with and without an account: was it you?
//	a yes to it, or aligned     nobody is found: "nothing is held"; two are found: staff
//	                            a plan is made of each Action, old -> new, and
//	                            a proof is missing: one letter with all plans, one token over all their digests
//	                            none is missing:    scheduled, after the cool-off
//	a yes to the plans          scheduled; a change of address asks the new address next
//	no, stop                    cancelled
//	carried out                 one letter for all that ended together
//
// An answer counts when it carries the token of an open question, comes from
// the address that was asked, and was not answered before. Anything else is
// answered with where the request stands, or goes to staff.
package cases

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// Program is the "who" of what happens without a person.
const Program = inbox.WhoProgram

// Owner is the "who" of what the person who wrote decided.
const Owner = inbox.WhoOwner

// Claimant is the "who" of what a mail brought that nobody proved.
const Claimant = inbox.WhoClaimant

// Mailbox is one of the addresses that people write to.
type Mailbox struct {
	Name    string
	Address string // canonical; the From of replies
	Plus    bool   // the server delivers Address with a detail: questions ask to be answered there
}

// Config is what the conversation needs. Every field must be set, but Staff.
type Config struct {
	Rules     policy.Rules
	Letters   *templates.Set
	Site      templates.Site // Address is filled in for each mailbox
	Mailboxes []Mailbox
	Staff     []string // canonical addresses that notices to staff go to
	Clock     deadline.Clock
	Map       *datamap.Map // at first; see Use
	Guards    Guards
	Log       *slog.Logger
}

// Keeper keeps the Cases. It has no state of its own; every method works in
// the transaction that it is given.
type Keeper struct {
	Config
	byName map[string]Mailbox
	inUse  atomic.Pointer[datamap.Map]
}

// New gives a Keeper.
func New(c Config) *Keeper {
	k := &Keeper{Config: c, byName: make(map[string]Mailbox)}
	for _, m := range c.Mailboxes {
		k.byName[m.Name] = m
	}
	k.Use(c.Map)
	return k
}

// Use puts another map in the place of Config.Map: the same places, and what
// has become known of the values that they take.
func (k *Keeper) Use(m *datamap.Map) { k.inUse.Store(m) }

// Data gives the map that is in use.
func (k *Keeper) Data() *datamap.Map { return k.inUse.Load() }

// Sender is what is known about who wrote a mail.
type Sender struct {
	Address  string         // the single From, canonical
	People   []users.Person // whose address on record it is; mostly none or one
	Evidence inbox.Evidence
}

// person gives the one person that the address belongs to, or nil.
func (s Sender) person() *users.Person {
	if len(s.People) != 1 {
		return nil
	}
	return &s.People[0]
}

// onRecord gives where answers go: the address on record, else the From.
func (s Sender) onRecord() string {
	if p := s.person(); p != nil {
		if a, err := address.Canonical(p.Fields[inbox.FieldEmail]); err == nil {
			return a
		}
	}
	return s.Address
}

// who says under what name what the mail brought stands in the record.
func (s Sender) who() string {
	if s.Evidence.Level == inbox.LevelNone {
		return Claimant
	}
	return Owner
}

// rank orders the states of a Mail with several Requests: the first that fits
// counts.
var rank = map[inbox.MailState]int{"": 0, inbox.MailIgnored: 1, inbox.MailAnswered: 2, inbox.MailActed: 3, inbox.MailAsked: 4, inbox.MailHeld: 5}

// Mark sets a Mail's end state unless a weightier one stands already.
func Mark(m *inbox.Mail, s inbox.MailState, reason string) {
	if rank[s] > rank[m.State] {
		m.State, m.Reason = s, reason
	}
}

// settle stores a Mail, and starts its retention when its Case has nothing
// open any more.
func (k *Keeper) settle(tx *state.Tx, m *inbox.Mail) error {
	acts, err := tx.StatesOf(m)
	if err != nil {
		return err
	}
	if err := k.unblock(tx, acts); err != nil {
		return err
	}
	goesOn := func(a *inbox.Action) bool { return !a.State.Ended() && !a.ForStaff() }
	if slices.ContainsFunc(acts, goesOn) {
		m.Ended = zeroTime
	} else if m.Ended.IsZero() {
		m.Ended = tx.Now
	}
	return tx.PutMail(m)
}

// plan makes an Action's Plan from the person's present record. A refusal by
// the data map comes back as its reason.
func (k *Keeper) plan(a *inbox.Action, p users.Person) (inbox.Plan, *datamap.RefusedError, error) {
	plan, err := k.Data().Plan(p, a.Detail.Request, a.Undo)
	var refused *datamap.RefusedError
	if errors.As(err, &refused) {
		return plan, refused, nil
	}
	return plan, nil, err
}

// digest gives what a confirmation of the Action binds.
func digest(a *inbox.Action) string { return a.Detail.Plan.Digest(a.Detail.Person, a.Kind) }

func language(m *inbox.Mail) string {
	l, _, _ := strings.Cut(m.Language, "-")
	return l
}
