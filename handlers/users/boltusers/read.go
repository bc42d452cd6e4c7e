package boltusers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// page is how many records are read in one transaction. Between two pages none
// is open, so that a slow reader of the stream never holds up a writer.
const page = 512

// ByAddress implements users.Store.
func (s *Store) ByAddress(ctx context.Context, addr string) ([]users.Person, error) {
	prefix, ok := indexKey(addr, "")
	if !ok {
		return nil, nil
	}
	var found []users.Person
	err := s.view(ctx, func(tx *bolt.Tx) error {
		found = nil
		c := tx.Bucket(bucketAddresses).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			id := string(k[len(prefix):])
			p, err := getPerson(tx, id)
			if err != nil {
				return err
			}
			if address.Equal(p.Fields[inbox.FieldEmail], addr) {
				found = append(found, p.person(id))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("finding people by address: %w", err)
	}
	return found, nil
}

// Addresses implements users.Store: everything here is found by ID.
func (s *Store) Addresses(context.Context) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

// Get implements users.Store.
func (s *Store) Get(ctx context.Context, id string) (users.Person, error) {
	var p stored
	err := s.view(ctx, func(tx *bolt.Tx) (err error) {
		p, err = getPerson(tx, id)
		return err
	})
	if err != nil {
		return users.Person{}, fmt.Errorf("reading a person: %w", err)
	}
	return p.person(id), nil
}

// Count tells how many people the store has.
func (s *Store) Count(ctx context.Context) (int, error) {
	var n int
	err := s.view(ctx, func(tx *bolt.Tx) error {
		n = tx.Bucket(bucketPeople).Stats().KeyN
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("counting people: %w", err)
	}
	return n, nil
}

// Records implements users.Store: the profile, then the visits in the order in
// which they were collected. What is written while the stream is read may or
// may not be in it.
func (s *Store) Records(ctx context.Context, who users.Person) iter.Seq2[users.Record, error] {
	return func(yield func(users.Record, error) bool) {
		p, missing := s.Get(ctx, who.ID)
		if missing != nil && !errors.Is(missing, users.ErrNotFound) {
			yield(users.Record{}, missing)
			return
		}
		if missing == nil && !yield(s.profile(p), nil) {
			return
		}
		for e, err := range s.visits(ctx, who.ID) {
			if err != nil {
				yield(users.Record{}, err)
				return
			}
			missing = nil
			if !yield(visit(e), nil) {
				return
			}
		}
		if missing != nil {
			yield(users.Record{}, missing)
		}
	}
}

// Left implements users.Store.
func (s *Store) Left(ctx context.Context, who users.Person, plan inbox.Plan) (left []inbox.Step, err error) {
	held := map[string]bool{} // by place, and by place and column
	for r, err := range s.Records(ctx, who) {
		if errors.Is(err, users.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("looking for what is left: %w", err)
		}
		held[r.Place] = true
		for i, c := range r.Columns {
			held[datamap.CountKey(r.Place, inbox.Field(c))] = r.Values[i] != ""
		}
	}
	for _, step := range plan.Steps {
		if step.Op == inbox.StepRemove && held[step.Place] || step.Op == inbox.StepClear && held[datamap.CountKey(step.Place, step.Field)] {
			left = append(left, step)
		}
	}
	return left, nil
}

// visits streams what the site collected about a person, page by page.
func (s *Store) visits(ctx context.Context, id string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var last uint64
		for {
			var events []Event
			err := s.view(ctx, func(tx *bolt.Tx) (err error) {
				events, last, err = visitsAfter(tx, id, last, page)
				return err
			})
			if err != nil {
				yield(Event{}, fmt.Errorf("reading a person's visits: %w", err))
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if len(events) < page {
				return
			}
		}
	}
}

func (s *Store) profile(p users.Person) users.Record {
	r := users.Record{Place: datamap.PlaceProfile}
	add := func(f inbox.Field, v string) {
		r.Columns, r.Values = append(r.Columns, string(f)), append(r.Values, v)
	}
	add(datamap.ColumnID, p.ID)
	add(datamap.ColumnActive, strconv.FormatBool(p.Active))
	if !p.Withdrawn.IsZero() {
		add(datamap.ColumnWithdrawn, p.Withdrawn.Format(time.RFC3339))
	}
	for _, f := range s.held(stored{Fields: p.Fields}) {
		add(f, p.Fields[f])
	}
	return r
}

func visit(e Event) users.Record {
	return users.Record{
		Place: datamap.PlaceVisits,
		Columns: []string{string(datamap.ColumnAt), string(datamap.ColumnIP), string(datamap.ColumnAgent),
			string(datamap.ColumnPage), string(datamap.ColumnCookie)},
		Values: []string{e.At.Format(time.RFC3339), e.IP, e.Agent, e.Page, e.Cookie},
	}
}
