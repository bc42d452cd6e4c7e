package handlers

import (
	"context"
	"errors"
	"fmt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// delete removes an account, or the values of fields. It is done only when it
// can be seen: after the effect the store is read again, and whatever is still
// there makes it a failure, for staff.
func (h *Handlers) delete(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	done, err := h.effect(ctx, job)
	if err != nil {
		return inbox.Outcome{}, err
	}
	verify := h.verifyCleared
	if job.Scope == inbox.ScopeAccount {
		verify = h.verifyRemoved
	}
	if err := verify(ctx, job.Person, done); err != nil {
		return inbox.Outcome{}, &inbox.InDoubtError{Err: fmt.Errorf("verifying the erasure: %w", err)}
	}
	return inbox.Outcome{Plan: done}, nil
}

// verifyRemoved looks for a record in any place that was to be removed.
func (h *Handlers) verifyRemoved(ctx context.Context, person string, done inbox.Plan) error {
	removed := map[string]bool{}
	for _, s := range done.Steps {
		removed[s.Place] = s.Op == inbox.StepRemove
	}
	for r, err := range h.store.Records(ctx, person) {
		if errors.Is(err, users.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if removed[r.Place] {
			return &inbox.Error{Err: fmt.Errorf("the place %q still holds a record", r.Place),
				Hint: "did the site write it anew? remove it by hand, then retry"}
		}
	}
	return nil
}

// verifyCleared looks for a value in any field that was to be emptied. An
// account that is gone holds none.
func (h *Handlers) verifyCleared(ctx context.Context, person string, done inbox.Plan) error {
	p, err := h.store.Get(ctx, person)
	if errors.Is(err, users.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, s := range done.Steps {
		if s.Op == inbox.StepClear && p.Fields[s.Field] != "" {
			return &inbox.Error{Err: fmt.Errorf("the field %s still holds a value", s.Field),
				Hint: "did the site write it anew? ask the person"}
		}
	}
	return nil
}
