package handlers

import (
	"context"
	"fmt"
	"slices"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// CopyName is the name of the file that a copy is sent as. It names nobody.
const CopyName = "data.zip"

// encoder writes a copy in one format. The records of a place come together;
// after the last one come the earlier cases, and then the end.
type encoder interface {
	record(r users.Record) error
	cases(past []inbox.PastCase) error
	end() error
}

// copy makes a ZIP of everything that is held about the person, in three
// forms: data.json for programs, data.csv for spreadsheets, data.html to read.
// The store is read once, so that the three agree.
func (h *Handlers) copy(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	p, plan, err := h.plan(ctx, job)
	if err != nil {
		return inbox.Outcome{}, err
	}
	asJSON, asCSV, asHTML := newMember("data.json"), newMember("data.csv"), newMember("data.html")
	page, err := newPage(asHTML, h.data, h.page, job.Language)
	if err != nil {
		return inbox.Outcome{}, err
	}
	encoders := []encoder{newJSON(asJSON, h.data), newCSV(asCSV), page}
	for r, err := range h.store.Records(ctx, p) {
		if err != nil {
			return inbox.Outcome{}, err
		}
		if len(r.Columns) != len(r.Values) {
			return inbox.Outcome{}, fmt.Errorf("copying: a record of %q has %d columns and %d values", r.Place, len(r.Columns), len(r.Values))
		}
		r = h.shown(r)
		for _, e := range encoders {
			if err := e.record(r); err != nil {
				return inbox.Outcome{}, fmt.Errorf("copying: %w", err)
			}
		}
	}
	for _, e := range encoders {
		if err := e.cases(job.Past); err != nil {
			return inbox.Outcome{}, fmt.Errorf("copying: %w", err)
		}
		if err := e.end(); err != nil {
			return inbox.Outcome{}, fmt.Errorf("copying: %w", err)
		}
	}
	b, err := pack(asHTML, asJSON, asCSV)
	if err != nil {
		return inbox.Outcome{}, fmt.Errorf("copying: %w", err)
	}
	return inbox.Outcome{Plan: plan, Files: []inbox.File{{Name: CopyName, Type: "application/zip", Bytes: b}}}, nil
}

// shown gives a record without the columns that go into no copy.
func (h *Handlers) shown(r users.Record) users.Record {
	hidden := func(c string) bool { return !h.data.Shown(r.Place, inbox.Field(c)) }
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
