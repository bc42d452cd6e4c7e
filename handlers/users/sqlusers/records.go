package sqlusers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
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
	l, err := s.refit(ctx)
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
		page, more, err := s.page(ctx, db, p, who, columns, last, limit)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := each(r); err != nil {
				return err
			}
		}
		switch {
		case !more:
			return nil
		case len(page) < limit: // they are large: what was asked for beyond them came for nothing
			limit = len(page)
		default:
			limit = min(2*limit, pageRows)
		}
		last = p.keyOf(page[len(page)-1])
	}
}

// page reads what comes after the row with the keys last, so many rows at most,
// or fewer, where they are large; more tells that there may be others. Of a view
// it looks at one row more, because what has the same keys as the last would be
// lost; the keys of a table are unique.
func (s *Store) page(ctx context.Context, db querier, p *place, who subject, columns []Column, last []value, limit int) (rows []row, more bool, err error) {
	q := s.fromAfter(p, columns, who, last)
	q.after(p, last)
	ahead := 0
	if p.table.View {
		ahead = 1
	}
	q.add(" LIMIT ", itoa(limit+ahead))
	size, unclear := 0, false
	err = s.read(ctx, db, q, columns, func(v []value) bool {
		r := rowOf(columns, v)
		keys := p.keyOf(r)
		if unclear = p.same(last, keys); unclear {
			return false
		}
		if more { // it is the row ahead
			return false
		}
		rows, last = append(rows, r), keys
		for _, x := range v {
			size += cellBytes + len(x.text)
		}
		more = len(rows) == limit || size > pageBytes
		return !more || ahead > 0
	})
	if err == nil && unclear {
		err = &inbox.Error{Err: fmt.Errorf("the place %q has two rows with the same key, or one without, and they cannot be told apart", p.Name),
			Hint: "name columns as its key in the data map that no two rows have alike"}
	}
	return rows, more, err
}

// same tells whether rows with these keys cannot be told apart.
func (p *place) same(last, keys []value) bool {
	alike := len(last) > 0
	for i, k := range keys {
		if !k.held {
			return true
		}
		alike = alike && p.ordered(k.text) == p.ordered(last[i].text) && reflect.TypeOf(k.raw) == reflect.TypeOf(last[i].raw)
	}
	return alike
}

// ordered gives a key as the order has it: that of a view may take no account of
// blanks at the end.
func (p *place) ordered(key string) string {
	if p.table.View {
		return strings.TrimRight(key, " ")
	}
	return key
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
