// Package handlers carries out what people asked: one file a kind. It stands
// between the queue, which knows when, and the user store, which knows how.
//
// # What runs is what was shown
//
// A Job comes with the digest of the Plan that was confirmed. Perform makes
// the Plan anew from the present record, and does nothing when its digest
// differs: the data have changed, and the person must see the new Plan first
// ([inbox.StaleError]). The store compares once more, inside its transaction.
//
// # Once
//
// A change, a delete, a deactivate and a withdraw are effects. Before anything
// else Perform asks the store whether the Job's effect key is on record, since
// after a crash the Plan of what is already done would look stale or
// superfluous; if it is, the answer is what was done then. The rest of the site
// is told of it (package after), which is part of the Job. A copy and a
// describe leave no trace in the store and are simply made again. A Job that
// only asks (Job.Ask) gets the same answer, or inbox.ErrNotDone.
//
// # Failures
//
// Perform's errors are of seven sorts, told apart with errors.As and errors.Is:
// an *inbox.StaleError, *inbox.MovedError or *inbox.ProtectedError, after which
// staff or the person decide anew; a *datamap.RefusedError, whose Reason the person is told;
// users.ErrNotFound, when the person has left the store by another way; an
// error with inbox.IsTemporary, to be tried again; and everything else, which
// is permanent and for staff. After one that is inbox.InDoubt the Job may have
// been carried out, after any other it was not. No error text names a person or
// a value.
package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"push.guru/supportd/handlers/after"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// Copies says how copies are made.
type Copies struct {
	Site      string // the site's name, for the page of a copy
	PartBytes int    // what a mail may weigh; a larger copy comes in parts; 0: no limit
	MaxParts  int    // a copy of more parts is for staff; 0: no limit
}

// Handlers carries out Jobs. Its methods may be called at the same time.
type Handlers struct {
	store  users.Store
	inUse  atomic.Pointer[datamap.Map]
	copies Copies
	hook   after.Hook

	compressors compressors
}

// New makes Handlers of the site's user store, the map of what is in it, and
// the hook that tells the rest of the site of each effect; nil: nobody is told.
func New(store users.Store, m *datamap.Map, copies Copies, hook after.Hook) *Handlers {
	h := &Handlers{store: store, copies: copies, hook: hook}
	h.Use(m)
	return h
}

// Use puts another map in the place of the one that New was given: the same
// places, and what has become known of the values that they take.
func (h *Handlers) Use(m *datamap.Map) { h.inUse.Store(m) }

func (h *Handlers) data() *datamap.Map { return h.inUse.Load() }

// Find gives everybody whose address on record is addr, ordered by ID. An
// empty answer is no error; two or more are for staff to tell apart.
func (h *Handlers) Find(ctx context.Context, addr string) ([]users.Person, error) {
	found, err := h.store.ByAddress(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("finding who wrote: %w", err)
	}
	return found, nil
}

// Plan says what the request would do to the person's data; undo turns a
// deactivate into its opposite. What cannot be done is a
// *datamap.RefusedError, and nothing is planned of it. That a new address is
// somebody else's shows only in Perform, after the owner of that address has
// agreed: before, it would tell a stranger who has an account.
func (h *Handlers) Plan(ctx context.Context, p users.Person, r inbox.Request, undo bool) (inbox.Plan, error) {
	if err := ctx.Err(); err != nil {
		return inbox.Plan{}, inbox.Temporary(fmt.Errorf("planning: %w", err))
	}
	return h.data().Plan(p, r, undo)
}

// Perform carries out the job and gives its receipt. A job may be performed
// again after a crash or a temporary failure: what was done is not done twice.
// The receipt of an effect that had been done already has no values; the Plan
// whose digest the job bears is the same with them.
func (h *Handlers) Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	out, err := h.perform(ctx, job)
	if err == nil {
		err = h.tell(ctx, job)
	}
	if err != nil {
		return inbox.Outcome{}, fmt.Errorf("performing %s (%s): %w", job.EffectKey, job.Kind, err)
	}
	return out, nil
}

func (h *Handlers) perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	if job.Ask && (job.Kind == inbox.KindCopy || job.Kind == inbox.KindDescribe) {
		return inbox.Outcome{}, inbox.ErrNotDone // what only reads does nothing that could be found again
	}
	switch job.Kind {
	case inbox.KindChange:
		return h.change(ctx, job)
	case inbox.KindDelete:
		return h.delete(ctx, job)
	case inbox.KindDeactivate:
		return h.deactivate(ctx, job)
	case inbox.KindWithdraw:
		return h.withdraw(ctx, job)
	case inbox.KindCopy:
		return h.copy(ctx, job)
	case inbox.KindDescribe:
		return h.describe(ctx, job)
	}
	return inbox.Outcome{}, errors.New("this kind is not for a program to carry out")
}

// tell tells the rest of the site of an effect that the store has. Only then is
// the job done; a job that is performed again tells it again.
func (h *Handlers) tell(ctx context.Context, job inbox.Job) error {
	if h.hook == nil || job.Kind == inbox.KindCopy || job.Kind == inbox.KindDescribe {
		return nil
	}
	err := h.hook.Tell(ctx, after.Note{Effect: job.EffectKey, Kind: job.Kind, Scope: job.Scope, Undo: job.Undo, Person: job.Person})
	if err != nil {
		return &inbox.UntoldError{Err: err}
	}
	return nil
}

// plan makes the job's Plan from the present record, and gives both when it is
// the one that was confirmed.
func (h *Handlers) plan(ctx context.Context, job inbox.Job) (users.Person, inbox.Plan, error) {
	p, err := h.store.Get(ctx, job.Person)
	if err != nil {
		return users.Person{}, inbox.Plan{}, err
	}
	if !address.Equal(p.Address(), job.Address) {
		return users.Person{}, inbox.Plan{}, &inbox.MovedError{}
	}
	if p.Protected && !job.Approved {
		return users.Person{}, inbox.Plan{}, &inbox.ProtectedError{}
	}
	plan, _, err := h.planNow(ctx, p, job)
	if err != nil {
		return users.Person{}, inbox.Plan{}, err
	}
	if plan.Digest(p.ID, job.Kind) != job.Digest {
		return users.Person{}, inbox.Plan{}, &inbox.StaleError{Plan: plan}
	}
	return p, plan, nil
}

// planNow makes the job's Plan from a record. A job that repeats a delete of
// fields leaves those alone that hold another value than it took.
func (h *Handlers) planNow(ctx context.Context, p users.Person, job inbox.Job) (plan inbox.Plan, alone []inbox.Field, err error) {
	r := job.Request
	r.Kind, r.Scope = job.Kind, job.Scope
	if job.Took == nil {
		plan, err = h.Plan(ctx, p, r, job.Undo)
		return plan, nil, err
	}
	r.Fields = nil
	for _, f := range job.Request.Fields {
		if holdsOther(p, job, f) {
			alone = append(alone, f)
			continue
		}
		r.Fields = append(r.Fields, f)
	}
	if len(r.Fields) == 0 {
		return inbox.Plan{}, alone, nil
	}
	plan, err = h.Plan(ctx, p, r, job.Undo)
	plan.Steps = slices.DeleteFunc(plan.Steps, func(s inbox.Step) bool { // a name that follows others, or that others make up
		if s.Op == inbox.StepClear && holdsOther(p, job, s.Field) && !slices.Contains(alone, s.Field) {
			alone = append(alone, s.Field)
		}
		return slices.Contains(alone, s.Field)
	})
	return plan, alone, err
}

// holdsOther tells whether a field holds another value than the job took.
func holdsOther(p users.Person, job inbox.Job, f inbox.Field) bool {
	return job.Took != nil && strings.TrimSpace(p.Fields[f]) != "" && !job.Took(f, p.Fields[f])
}

// effect carries out a job that the store keeps a record of.
func (h *Handlers) effect(ctx context.Context, job inbox.Job) (inbox.Plan, error) {
	before, err := h.store.Recorded(ctx, job.EffectKey, job.Kind, job.Digest)
	switch {
	case err == nil:
		return before.Plan, nil
	case !errors.Is(err, users.ErrNotFound):
		return inbox.Plan{}, &inbox.InDoubtError{Err: err}
	case job.Ask:
		return inbox.Plan{}, inbox.ErrNotDone
	}
	p, plan, err := h.plan(ctx, job)
	if err != nil {
		return inbox.Plan{}, err
	}
	done, err := h.store.Apply(ctx, users.Effect{Key: job.EffectKey, Kind: job.Kind, Digest: job.Digest,
		Person: job.Person, Undo: job.Undo, Plan: plan, Address: p.Address()})
	if err == nil {
		return done.Plan, nil
	}
	if taken, ok := errors.AsType[*users.TakenError](err); ok {
		reason := datamap.ReasonTaken
		if taken.Field != inbox.FieldEmail {
			reason = datamap.ReasonInvalid // that somebody has the value is nobody's business
		}
		return inbox.Plan{}, datamap.Refuse(reason, taken.Field)
	}
	if errors.Is(err, users.ErrChanged) {
		return inbox.Plan{}, h.overtaken(ctx, job, err)
	}
	return inbox.Plan{}, err
}

// overtaken gives the error for a record that changed between the plan and the
// transaction: how the plan looks by now, or, should it look as before, a
// temporary one.
func (h *Handlers) overtaken(ctx context.Context, job inbox.Job, changed error) error {
	if _, _, err := h.plan(ctx, job); err != nil {
		return err
	}
	return inbox.Temporary(changed)
}
