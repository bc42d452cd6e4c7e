package sqlusers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// Recorded implements users.Store.
func (s *Store) Recorded(ctx context.Context, key string, kind inbox.Kind, digest string) (users.Applied, error) {
	a, err := s.recorded(ctx, s.db, key, kind, digest)
	if err != nil {
		return users.Applied{}, fmt.Errorf("looking for effect %s: %w", key, err)
	}
	return a, nil
}

// Apply implements users.Store.
func (s *Store) Apply(ctx context.Context, e users.Effect) (users.Applied, error) {
	if err := e.Validate(); err != nil {
		return users.Applied{}, fmt.Errorf("applying an effect: %w", err)
	}
	a, err := s.apply(ctx, e)
	if err != nil {
		return users.Applied{}, fmt.Errorf("applying effect %s: %w", e.Key, err)
	}
	return a, nil
}

// tries is how often an effect is tried when the site writes anew what it takes
// away: once may be chance.
const tries = 3

func (s *Store) apply(ctx context.Context, e users.Effect) (users.Applied, error) {
	l, err := s.refit(ctx)
	if err != nil { // what was done is answered for all the same
		if a, errR := s.recorded(ctx, s.db, e.Key, e.Kind, e.Digest); errR == nil {
			return a, nil
		}
		return users.Applied{}, err
	}
	if slices.ContainsFunc(e.Plan.Steps, func(step inbox.Step) bool { return step.Field == inbox.FieldEmail }) {
		s.moving.Lock()
		defer s.moving.Unlock()
	}
	var a users.Applied
	for range tries {
		a, err = s.once(ctx, l, e)
		if _, left := errors.AsType[*leftError](err); !left {
			break
		}
	}
	return a, err
}

// once carries out an effect in one transaction.
func (s *Store) once(ctx context.Context, l *layout, e users.Effect) (users.Applied, error) {
	tx, err := s.begin(ctx, s.d.begin, &sql.TxOptions{Isolation: s.d.isolation})
	if err != nil {
		return users.Applied{}, err
	}
	defer tx.Rollback()
	work := &work{s: s, ctx: ctx, tx: tx, l: l, e: e}
	if a, err := work.begin(); err != nil || a.Again {
		return a, err
	}
	if err := work.act(); err != nil {
		return users.Applied{}, err
	}
	if err := tx.Commit(); err != nil {
		return users.Applied{}, s.failed(ctx, err)
	}
	return users.Applied{Plan: e.Plan}, nil
}

// recorded gives bare users.ErrNotFound for a key that is new.
func (s *Store) recorded(ctx context.Context, db querier, key string, kind inbox.Kind, digest string) (users.Applied, error) {
	q := s.statement("SELECT ")
	name := s.d.quote
	q.add(name("kind"), ", ", name("digest"), ", ", name("plan"), " FROM ", EffectsTable, " WHERE ", name("key"), " = ")
	q.add(q.plain(key))
	var found []value
	if err := s.read(ctx, db, q, make([]Column, 3), func(v []value) bool { found = v; return true }); err != nil {
		return users.Applied{}, err
	}
	if found == nil {
		return users.Applied{}, users.ErrNotFound
	}
	if found[0].text != string(kind) || found[1].text != digest {
		return users.Applied{}, &users.MismatchError{Key: key}
	}
	var plan inbox.Plan
	if err := json.Unmarshal([]byte(found[2].text), &plan); err != nil {
		return users.Applied{}, fmt.Errorf("reading the record of the effect: %w", err)
	}
	return users.Applied{Plan: plan, Again: true}, nil
}

// work is an effect in its transaction.
type work struct {
	s   *Store
	ctx context.Context
	tx  *sql.Tx
	l   *layout
	e   users.Effect

	who     subject
	account row    // locked; nil of a guest
	address string // on record, as it is now
}

// begin locks who the effect is about, and records it; a.Again tells that this
// was done before.
func (w *work) begin() (users.Applied, error) {
	missing := w.lock()
	if missing != nil && !errors.Is(missing, users.ErrNotFound) {
		return users.Applied{}, missing
	}
	a, err := w.s.recorded(w.ctx, w.tx, w.e.Key, w.e.Kind, w.e.Digest)
	if err == nil || !errors.Is(err, users.ErrNotFound) {
		return a, err
	}
	if missing != nil {
		return users.Applied{}, missing
	}
	if w.e.Moved(w.address) {
		return users.Applied{}, users.ErrChanged
	}
	return users.Applied{}, w.record()
}

// lock makes the account's row, or the first one of a guest, ours until the
// end.
func (w *work) lock() error {
	s, id := w.s, w.e.Person
	var err error
	if w.account, err = s.account(w.ctx, w.tx, w.l, id, s.d.lock); err == nil {
		w.address = w.l.person(w.account).Address()
		w.who, err = s.subject(w.ctx, w.tx, w.l.of(w.e.Plan), id, w.address)
		return err
	}
	if !errors.Is(err, users.ErrNotFound) {
		return err
	}
	guest, err := s.guestByID(w.ctx, w.tx, w.l, id, s.d.lock)
	if err != nil {
		return err
	}
	w.address = guest.Address()
	w.who, err = s.subject(w.ctx, w.tx, w.l.of(w.e.Plan), "", w.address)
	return err
}

func (w *work) record() error {
	plan, err := json.Marshal(users.WithoutValues(w.e.Plan))
	if err != nil {
		return fmt.Errorf("writing the record of the effect: %w", err)
	}
	q, name := w.s.statement("INSERT INTO "), w.s.d.quote
	q.add(EffectsTable, " (", name("key"), ", ", name("kind"), ", ", name("digest"), ", ", name("at"), ", ", name("plan"), ") VALUES (")
	q.add(q.plain(w.e.Key), ", ", q.plain(string(w.e.Kind)), ", ", q.plain(w.e.Digest), ", ")
	q.add(q.castTime(w.s.d.moment(time.Now().UTC())), ", ", q.plain(string(plan)), ")")
	_, err = w.s.write(w.ctx, w.tx, q)
	if isClass(err, classUnique) { // another call has the key; the next try sees what it did
		return inbox.Temporary(err)
	}
	return err
}

// act carries out the steps: what changes first, with what follows from it, then
// what goes.
func (w *work) act() error {
	var changes, addresses, erasures []inbox.Step
	for _, step := range w.e.Plan.Steps {
		p := w.l.place(step.Place)
		switch {
		case p == nil:
			return unfit(step)
		case step.Op == inbox.StepRemove, step.Op == inbox.StepBlank:
			erasures = append(erasures, step)
		case step.Op == inbox.StepReaddress:
			addresses = append(addresses, step)
		default:
			changes = append(changes, step)
		}
	}
	staying, err := w.staying(erasures)
	if err != nil {
		return err
	}
	if err := w.move(changes, addresses); err != nil {
		return err
	}
	if err := w.erase(erasures); err != nil {
		return err
	}
	if err := w.nothingLeft(w.e.Plan.Steps); err != nil {
		return err
	}
	return w.stayed(staying)
}

// move carries out the steps that change values, and sees that what is linked to
// them is still found.
func (w *work) move(changes, addresses []inbox.Step) error {
	if err := w.refuseDouble(addresses); err != nil {
		return err
	}
	before, err := w.followers(slices.Concat(changes, addresses))
	if err != nil {
		return err
	}
	if err := w.change(changes); err != nil {
		return err
	}
	if err := w.readdress(addresses); err != nil {
		return err
	}
	return w.followed(before)
}

// leftError says that a value was to go, and is still there, or there again.
type leftError struct{ step inbox.Step }

// Error names the place and the column.
func (e *leftError) Error() string {
	switch {
	case e.step.Op == inbox.StepReaddress:
		return "a row still holds the old address after it was given the new one"
	case e.step.Field == "":
		return fmt.Sprintf("the place %q still holds a record after it was removed", e.step.Place)
	}
	return fmt.Sprintf("%s of the place %q still holds its value after it was removed", e.step.Field, e.step.Place)
}

func (w *work) nothingLeft(steps []inbox.Step) error {
	left, err := w.s.left(w.ctx, w.tx, w.l, w.who, steps)
	if err == nil && len(left) > 0 {
		err = &inbox.Error{Err: &leftError{left[0]}, Hint: "a trigger or the site itself writes it anew: nothing was changed"}
	}
	return err
}

// unfit is a plan that was made from another map than this store has, or for
// somebody with an account.
func unfit(step inbox.Step) error {
	return &inbox.Error{Err: fmt.Errorf("the store cannot %s the place %q", step.Op, step.Place),
		Hint: "the plan was made from another data map, or for a person with an account"}
}
