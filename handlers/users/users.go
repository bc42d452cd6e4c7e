// Package users is what supportd knows of a site's user store: the Person, the
// Record, the Effect, and the Store that keeps them. The store itself belongs
// to the site; adapters (boltusers and its like) speak to one each, and pass
// the one suite in userstest.
//
// # What every store must keep
//
//   - People are found by comparing addresses in Go (package address), whatever
//     an index or a collation thinks is equal. Two people under one address are
//     both given: which of them wrote is for staff to say.
//   - An Effect is idempotent by its key. The record of the key is written in
//     the same transaction as the effect, so that after a crash the same key is
//     answered with what was done, and nothing is done twice. The record holds
//     no values of the person: place, field and operation are enough.
//   - What runs is what was shown: the store compares the old value of each
//     step with what it holds, inside the transaction, and does nothing at all
//     when one differs. So it does when the address on record is another one,
//     because that says which rows are the person's.
//   - An address that changes takes along the rows that are found by it, where the
//     plan says so. Where two accounts have the address and such rows are there,
//     none of them moves or goes, and nothing else is done: nobody can tell whose
//     they are.
//   - Everything held about a person comes out as a stream, place by place, and
//     no transaction of the store is open while the reader is at work on it.
//   - A failure that a later try may mend says so (inbox.IsTemporary). No error
//     text names a person, an address or a value.
package users

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// Person is somebody whom the site knows.
type Person struct {
	ID        string                 // the site's own key, opaque to supportd
	Active    bool                   // false: the account is deactivated
	Withdrawn time.Time              // when an objection was recorded; zero: never
	Fields    map[inbox.Field]string // what is held; a field without a value may be absent

	Guest     bool      // they have no account, only rows that name their address
	LastSeen  time.Time // when they were last signed in; zero: not known
	Protected bool      // the site says that only staff act upon this account
}

// Address gives the address on record as it is stored, or "".
func (p Person) Address() string { return p.Fields[inbox.FieldEmail] }

// Name gives what the person may be greeted with, the fullest first: full
// name, given and family name, nickname, or "" when none is held.
func (p Person) Name() string {
	parts := strings.TrimSpace(p.Fields[inbox.FieldGivenName] + " " + p.Fields[inbox.FieldFamilyName])
	for _, n := range []string{p.Fields[inbox.FieldFullName], parts, p.Fields[inbox.FieldNickname]} {
		if n = strings.TrimSpace(n); n != "" {
			return n
		}
	}
	return ""
}

// Record is one row of one place, as it goes into a copy. Columns and Values
// have the same length and the order in which a reader should see them. A
// value of "" is held, but empty.
type Record struct {
	Place   string // as the data map names it
	Columns []string
	Values  []string
}

// Effect is what an Action does to the user store, once.
type Effect struct {
	Key    string     // inbox.EffectKey; idempotence hangs on it
	Kind   inbox.Kind // what was asked
	Digest string     // of Plan, for Person and Kind: what was confirmed
	Person string     // Person.ID
	Undo   bool       // of a deactivate: reactivate
	Plan   inbox.Plan // what to do

	// Address is Person.Address when the plan was made: rows that are found by it
	// are part of the plan. Where it is another one by now, it is ErrChanged.
	Address string
}

// Moved tells whether addr, which is on record now, is another address than the
// plan was made with.
func (e Effect) Moved(addr string) bool {
	return addr != e.Address && !address.Equal(addr, e.Address)
}

// Validate tells what is wrong with the effect itself: no key, no person,
// nothing to do, or a plan that is not the one that was confirmed. Every store
// calls it before it acts.
func (e Effect) Validate() error {
	switch {
	case e.Key == "":
		return errors.New("an effect needs a key")
	case e.Person == "":
		return fmt.Errorf("effect %s: nobody is named", e.Key)
	case len(e.Plan.Steps) == 0:
		return fmt.Errorf("effect %s: the plan has no steps", e.Key)
	case e.Plan.Digest(e.Person, e.Kind) != e.Digest:
		return fmt.Errorf("effect %s: the plan is not the one that was confirmed", e.Key)
	}
	return nil
}

// Applied is what came of an Effect.
type Applied struct {
	Plan  inbox.Plan // what was done; without values when Again is set
	Again bool       // an earlier call had done it; this one did nothing
}

// Store is a site's user store. All methods may be called at the same time
// from several goroutines.
type Store interface {
	// ByAddress gives everybody whose address on record is addr, as
	// address.Equal sees it, ordered by ID. Nobody is an empty answer, and so
	// is a text that is no address; neither is an error.
	ByAddress(ctx context.Context, addr string) ([]Person, error)

	// Get gives the person of that ID, or ErrNotFound.
	Get(ctx context.Context, id string) (Person, error)

	// Records gives everything held about a person, found by ID and address,
	// all records of a place together, the person's own record first. What is
	// left of somebody whose own record is gone still comes; when nothing is
	// held, it is ErrNotFound. An error ends the stream.
	Records(ctx context.Context, p Person) iter.Seq2[Record, error]

	// Addresses gives every address that rows are found by, whether or not an
	// account has it, at least once, as it is written there; a store where all is
	// found by ID gives none. An error ends the stream. The reader must be quick:
	// something may be open meanwhile.
	Addresses(ctx context.Context) iter.Seq2[string, error]

	// Left reads every place that the plan was to take something from again,
	// and gives those of its steps that are not done: what they were to take is
	// still there. An erasure is done when there is none.
	Left(ctx context.Context, p Person, plan inbox.Plan) ([]inbox.Step, error)

	// Recorded answers for an effect that was applied before: with Again set
	// and the plan without its values, with ErrNotFound when the key is new,
	// with a *MismatchError when the key stands for something else.
	Recorded(ctx context.Context, key string, kind inbox.Kind, digest string) (Applied, error)

	// Apply carries out e.Plan and records e.Key in one transaction. A second
	// call with the same key, kind and digest does nothing and answers as
	// Recorded does. Nothing at all is done on ErrNotFound (no such person),
	// ErrChanged (an old value or the address differs from the plan's), a *TakenError, a
	// *MismatchError, or any other error that is not temporary.
	Apply(ctx context.Context, e Effect) (Applied, error)
}

// The findings of a store that callers tell apart; none is temporary.
var (
	// ErrNotFound: the store has no such person, or no such effect.
	ErrNotFound = errors.New("not in the user store")
	// ErrChanged: the data are no longer what the plan was made from.
	ErrChanged = errors.New("the data have changed since the plan was made")
)

// MismatchError says that an effect key was used before for another kind or
// another plan. It is never a success: two states share an instance mark, or
// one was restored without a new epoch.
type MismatchError struct{ Key string }

// Error names the key, and what most likely went wrong.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("effect %s is recorded for another kind or plan (was the state restored without a new epoch?)", e.Key)
}

// TakenError says that a value must be unique in the store and is another
// person's already. Whoever reads it learns that somebody has the value, so it
// is for staff, or for a person who has proved that the value is theirs.
type TakenError struct{ Field inbox.Field }

// Error names the field, and no value.
func (e *TakenError) Error() string { return fmt.Sprintf("%s is taken by another person", e.Field) }

// WithoutValues gives the plan with every old and new value of the person
// blanked: what the record of an effect may keep.
func WithoutValues(p inbox.Plan) inbox.Plan {
	p.Steps = slices.Clone(p.Steps)
	for i := range p.Steps {
		if p.Steps[i].Op != inbox.StepBlank { // New is the rule
			p.Steps[i].New = ""
		}
		p.Steps[i].Old = ""
	}
	return p
}
