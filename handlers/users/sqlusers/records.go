package sqlusers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"push.guru/supportd/handlers/users"
)

// A page is what is read at once: between two pages nothing is open in the
// database, so that a slow reader of a copy is in nobody's way.
const (
	firstRows = 64 // of a place: nobody knows yet how large its rows are
	pageRows  = 2000
	pageBytes = 4 << 20
	cellBytes = 64 // what a value takes beside its text
)

// Records implements users.Store. What a person does now may or may not be in
// it.
func (s *Store) Records(ctx context.Context, p users.Person) iter.Seq2[users.Record, error] {
	return func(yield func(users.Record, error) bool) {
		err := s.records(ctx, p, func(r users.Record) bool { return yield(r, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(users.Record{}, fmt.Errorf("reading what is held about a person: %w", s.placed(ctx, err)))
		}
	}
}

// errStopped: the reader has enough.
var errStopped = errors.New("stopped")

func (s *Store) records(ctx context.Context, p users.Person, yield func(users.Record) bool) error {
	l, err := s.fit(ctx)
	if err != nil {
		return err
	}
	who, err := s.whose(ctx, l, l.places, p)
	if err != nil {
		return err
	}
	n := 0
	for _, place := range l.places {
		err := s.pages(ctx, s.db, place, who, place.shown(), func(r row) error {
			if n++; !yield(place.record(r)) {
				return errStopped
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if n == 0 {
		return users.ErrNotFound
	}
	return nil
}

// whose finds out which rows of some places are a person's: those with their ID, and those
// with the address of their account; where that is gone, with the address that
// the caller knows. More names an address that is theirs whatever the account
// says: the one they had.
func (s *Store) whose(ctx context.Context, l *layout, places []*place, p users.Person, more ...string) (subject, error) {
	r, err := s.account(ctx, s.db, l, p.ID, "")
	switch {
	case err == nil:
		return s.subject(ctx, s.db, places, p.ID, append(more, l.person(r).Address())...)
	case !errors.Is(err, users.ErrNotFound):
		return subject{}, err
	}
	guest, err := s.guestByID(ctx, s.db, l, p.ID, "")
	switch {
	case err == nil:
		return s.subject(ctx, s.db, places, "", append(more, guest.Address())...)
	case !errors.Is(err, users.ErrNotFound):
		return subject{}, err
	}
	return s.subject(ctx, s.db, places, p.ID, append(more, p.Address())...)
}

// pages gives the subject's rows of a place, group by group in the order of the
// keys.
func (s *Store) pages(ctx context.Context, db querier, p *place, who subject, columns []Column, each func(row) error) error {
	for _, part := range who.groups(p) {
		if err := s.pagesOf(ctx, db, p, part, columns, each); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) pagesOf(ctx context.Context, db querier, p *place, who subject, columns []Column, each func(row) error) error {
	var last []value
	limit := firstRows
	for {
		page, cut, err := s.page(ctx, db, p, who, columns, last, limit)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := each(r); err != nil {
				return err
			}
		}
		switch {
		case cut: // what was asked for beyond it came for nothing
			limit = len(page)
		case len(page) < limit:
			return nil
		default:
			limit = min(2*limit, pageRows)
		}
		last = p.keyOf(page[len(page)-1])
	}
}

// page reads what comes after the row with the keys last, so many rows at most;
// cut: fewer, because they are large.
func (s *Store) page(ctx context.Context, db querier, p *place, who subject, columns []Column, last []value, limit int) (rows []row, cut bool, err error) {
	q := s.fromAfter(p, columns, who, last)
	q.after(p, last)
	q.add(" LIMIT ", itoa(limit))
	size := 0
	err = s.read(ctx, db, q, columns, func(v []value) bool {
		rows = append(rows, rowOf(columns, v))
		for _, x := range v {
			size += cellBytes + len(x.text)
		}
		cut = size > pageBytes
		return !cut
	})
	return rows, cut, err
}

func (p *place) keyOf(r row) (keys []value) {
	for _, k := range p.keys {
		keys = append(keys, r[k.Name])
	}
	return keys
}

// shown lists the columns that a copy needs: what is hidden is not even read.
func (p *place) shown() []Column {
	all := slices.Clone(p.keys)
	for _, c := range p.columns {
		if !c.Hidden {
			all = append(all, c.source...)
		}
	}
	return once(all)
}

func (p *place) record(r row) users.Record {
	out := users.Record{Place: p.Name}
	for _, c := range p.columns {
		if c.Hidden || !c.held(r) {
			continue
		}
		out.Columns, out.Values = append(out.Columns, string(c.Field)), append(out.Values, c.joined(r))
	}
	return out
}

func (c column) held(r row) bool {
	for _, from := range c.source {
		if r[from.Name].held {
			return true
		}
	}
	return false
}
