package handlers

import (
	"context"
	"fmt"
	"slices"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// copy makes a ZIP of everything that is held about the person, in three
// forms: data.json for programs, data.csv for spreadsheets, data.html to read.
// The store is read once, so that the three agree. What is too large for a mail
// comes in several ZIPs, each of which can be read by itself.
func (h *Handlers) copy(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	p, plan, err := h.plan(ctx, job)
	if err != nil {
		return inbox.Outcome{}, err
	}
	out := newCopier(h, job)
	for r, err := range h.store.Records(ctx, p) {
		if err != nil {
			return inbox.Outcome{}, err
		}
		if err := out.record(h.shown(r)); err != nil {
			return inbox.Outcome{}, fmt.Errorf("copying: %w", err)
		}
	}
	if err := out.end(job.Past); err != nil {
		return inbox.Outcome{}, fmt.Errorf("copying: %w", err)
	}
	return inbox.Outcome{Plan: plan}, nil
}

// shown gives a record without the columns that go into no copy.
func (h *Handlers) shown(r users.Record) users.Record {
	hidden := func(c string) bool { return !h.data().Shown(r.Place, inbox.Field(c)) }
	if !slices.ContainsFunc(r.Columns, hidden) {
		return r
	}
	out := users.Record{Place: r.Place}
	for i, c := range r.Columns {
		if !hidden(c) {
			out.Columns, out.Values = append(out.Columns, c), append(out.Values, r.Values[i])
		}
	}
	return out
}
