package sqlusers

import (
	"context"
	"fmt"
	"slices"
)

// Absence is a value that the data map gives, and no row has in that column.
type Absence struct {
	Place, Table, Column, Value string
}

// AbsentRows is how many rows of a table Absent looks at.
const AbsentRows = 1_000_000

// Absent lists the values that no row has, among those by which the map picks
// rows, protects accounts or knows that one is active: slips, most likely. Of a
// table it looks at AbsentRows rows, and of an empty one it says nothing. It
// fails when the map does not fit the database, or the database does not answer.
func (s *Store) Absent(ctx context.Context) ([]Absence, error) {
	all, err := s.absent(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for the values of the data map: %w", err)
	}
	return all, nil
}

func (s *Store) absent(ctx context.Context) (all []Absence, err error) {
	l, err := s.refit(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range l.places {
		values := p.values()
		if len(values) == 0 {
			continue
		}
		if filled, err := s.has(ctx, p, nil); err != nil || !filled {
			if err != nil {
				return nil, err
			}
			continue
		}
		for _, m := range values {
			there, err := s.has(ctx, p, &m)
			if err != nil {
				return nil, err
			}
			if !there {
				all = append(all, Absence{p.Name, p.table.Name, m.column.Name, m.value})
			}
		}
	}
	return all, nil
}

// values lists what rows of a place are held against.
func (p *place) values() []match {
	all := slices.Concat(p.where, p.protected)
	if on := p.Account.Active; p.active != nil && !on.Time && on.On != "" {
		all = append(all, match{*p.active, on.On})
	}
	return all
}

// has tells whether a row has the value; nil: whether there is any.
func (s *Store) has(ctx context.Context, p *place, m *match) (found bool, err error) {
	q, column := s.statement("SELECT "), p.keys[0]
	if m != nil {
		column = m.column
	}
	q.selected(0, []Column{column})
	q.add(" FROM (SELECT ", s.d.quote(column.Name), " FROM ", p.table.quoted, " LIMIT ", itoa(AbsentRows), ") AS t0 WHERE 1 = 1")
	if m != nil {
		q.add(" AND ")
		q.equal(0, m.column, m.value)
	}
	q.add(" LIMIT 1")
	err = s.read(ctx, s.db, q, []Column{column}, func([]value) bool { found = true; return false })
	return found, err
}
