package handlers

import (
	"context"

	"push.guru/supportd/inbox"
)

// deactivate hides an account, or brings it back when the job is an undo.
// Nothing is removed, so it can be undone at any time.
func (h *Handlers) deactivate(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	done, err := h.effect(ctx, job)
	return inbox.Outcome{Plan: done}, err
}
