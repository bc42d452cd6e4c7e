package handlers

import (
	"context"

	"push.guru/supportd/inbox"
)

// change sets and adds values of fields. The digest covers each field's old
// and new value, so a value that was altered meanwhile is never overwritten
// unseen. A change of the address on record moves the account to the new
// address, and the rows that are linked by it as far as the map says; that both
// addresses agreed is the caller's to see to.
func (h *Handlers) change(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	done, err := h.effect(ctx, job)
	return inbox.Outcome{Plan: done}, err
}
