package handlers

import (
	"context"

	"push.guru/supportd/inbox"
)

// withdraw records when the person objected. What the site must stop doing on
// account of it, only staff can know; the record is what they act on, and it
// is part of every copy.
func (h *Handlers) withdraw(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	done, err := h.effect(ctx, job)
	return inbox.Outcome{Plan: done}, err
}
