package handlers

import (
	"context"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// describe tells what is held, why, for how long and who received it, without
// the values themselves. Earlier letters count when the job knows of them.
func (h *Handlers) describe(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	p, plan, err := h.plan(ctx, job)
	if err != nil {
		return inbox.Outcome{}, err
	}
	counts := h.zeroCounts()
	for r, err := range h.store.Records(ctx, p) {
		if err != nil {
			return inbox.Outcome{}, err
		}
		counts[r.Place]++
		for i, c := range r.Columns {
			if r.Values[i] != "" {
				counts[datamap.CountKey(r.Place, inbox.Field(c))]++
			}
		}
	}
	held := h.data().Describe(p, counts, job.Language)
	if n := len(job.Past); n > 0 {
		held = append(held, h.data().DescribeCases(n, job.Language))
	}
	return inbox.Outcome{Plan: plan, Holdings: held}, nil
}

// zeroCounts has every column of the map, so that one which holds nothing is
// known to hold nothing.
func (h *Handlers) zeroCounts() map[string]int {
	counts := map[string]int{}
	for _, place := range h.data().Places() {
		for _, c := range place.Columns {
			counts[datamap.CountKey(place.Name, c.Field)] = 0
		}
	}
	return counts
}
