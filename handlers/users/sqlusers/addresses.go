package sqlusers

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"push.guru/supportd/inbox/address"
)

// Addresses implements users.Store: those of the places that are linked by
// address, whether or not an account has them.
func (s *Store) Addresses(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := s.addresses(ctx, func(addr string) bool { return yield(addr, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield("", fmt.Errorf("reading the addresses that rows are found by: %w", s.placed(ctx, err)))
		}
	}
}

func (s *Store) addresses(ctx context.Context, yield func(string) bool) error {
	l, err := s.refit(ctx)
	if err != nil {
		return err
	}
	for _, p := range l.places {
		if !p.byAddress() {
			continue
		}
		q := s.statement("SELECT DISTINCT ")
		q.add(q.d.exact(q.at(0, p.link)), " FROM ", p.table.quoted, " AS t0 WHERE ", q.at(0, p.link), " IS NOT NULL")
		for _, m := range p.where {
			q.add(" AND ")
			q.equal(0, m.column, m.value)
		}
		more := true
		err := s.read(ctx, s.db, q, []Column{p.link}, func(row []value) bool {
			addr := row[0].text
			if _, bad := address.Canonical(addr); bad == nil && !isInvalidAddress(addr) {
				more = yield(addr)
			}
			return more
		})
		if err != nil {
			return err
		}
		if !more {
			return errStopped
		}
	}
	return nil
}
