package handlers

import (
	"context"
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
	p := users.Person{ID: job.Person, Fields: map[inbox.Field]string{inbox.FieldEmail: job.Address}}
	left, err := h.store.Left(ctx, p, done)
	switch {
	case err != nil:
		err = fmt.Errorf("verifying the erasure: %w", err)
	case len(left) > 0 && left[0].Field != "":
		err = &inbox.Error{Err: fmt.Errorf("verifying the erasure: %s of the place %q still holds a value", left[0].Field, left[0].Place),
			Hint: "did the site write it anew? ask the person, or remove it by hand and retry"}
	case len(left) > 0:
		err = &inbox.Error{Err: fmt.Errorf("verifying the erasure: the place %q still holds a record", left[0].Place),
			Hint: "did the site write it anew? remove it by hand, then retry"}
	}
	if err != nil {
		return inbox.Outcome{}, &inbox.InDoubtError{Err: err}
	}
	return inbox.Outcome{Plan: done}, nil
}
