package boltusers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
)

// Export writes everybody in the order of their IDs, one JSON object a line,
// as Import reads it. The file that it makes holds personal data.
func (s *Store) Export(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	for p, err := range s.people(ctx) {
		if err == nil {
			err = s.exportPerson(ctx, out, p)
		}
		if err != nil {
			return fmt.Errorf("exporting people: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting people: %w", err)
	}
	return nil
}

// people streams everybody, page by page.
func (s *Store) people(ctx context.Context) iter.Seq2[users.Person, error] {
	return func(yield func(users.Person, error) bool) {
		next := []byte{}
		for {
			var batch []users.Person
			err := s.view(ctx, func(tx *bolt.Tx) error {
				c := tx.Bucket(bucketPeople).Cursor()
				for k, _ := c.Seek(next); k != nil && len(batch) < page; k, _ = c.Next() {
					p, err := getPerson(tx, string(k))
					if err != nil {
						return err
					}
					batch = append(batch, p.person(string(k)))
				}
				return nil
			})
			if err != nil {
				yield(users.Person{}, err)
				return
			}
			for _, p := range batch {
				if !yield(p, nil) {
					return
				}
			}
			if len(batch) < page {
				return
			}
			next = append([]byte(batch[len(batch)-1].ID), 0)
		}
	}
}

func (s *Store) exportPerson(ctx context.Context, out *bufio.Writer, p users.Person) error {
	member := func(before, name string, v any) error {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s%s:%s", before, key, value)
		return err
	}
	if err := member("{", string(datamap.ColumnID), p.ID); err != nil {
		return err
	}
	if err := member(",", string(datamap.ColumnActive), p.Active); err != nil {
		return err
	}
	if !p.Withdrawn.IsZero() {
		if err := member(",", string(datamap.ColumnWithdrawn), p.Withdrawn.Format(time.RFC3339)); err != nil {
			return err
		}
	}
	for _, f := range s.held(stored{Fields: p.Fields}) {
		if err := member(",", string(f), p.Fields[f]); err != nil {
			return err
		}
	}
	if err := s.exportEvents(ctx, out, p.ID); err != nil {
		return err
	}
	_, err := out.WriteString("}\n")
	return err
}

func (s *Store) exportEvents(ctx context.Context, out *bufio.Writer, id string) error {
	n := 0
	for e, err := range s.visits(ctx, id) {
		if err != nil {
			return err
		}
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		before := ","
		if n == 0 {
			before = `,"` + columnEvents + `":[`
		}
		n++
		if _, err := out.WriteString(before + string(b)); err != nil {
			return err
		}
	}
	if n == 0 {
		return nil
	}
	return out.WriteByte(']')
}
