package boltusers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// effect is the record of an Effect: enough to answer for it again, and
// nothing that the person gave.
type effect struct {
	Kind   inbox.Kind `json:"kind"`
	Digest string     `json:"digest"`
	At     time.Time  `json:"at"`
	Plan   inbox.Plan `json:"plan"` // without values
}

// Recorded implements users.Store.
func (s *Store) Recorded(ctx context.Context, key string, kind inbox.Kind, digest string) (users.Applied, error) {
	var a users.Applied
	err := s.view(ctx, func(tx *bolt.Tx) (err error) {
		a, err = recorded(tx, key, kind, digest)
		return err
	})
	if err != nil {
		return users.Applied{}, fmt.Errorf("looking for effect %s: %w", key, err)
	}
	return a, nil
}

// Apply implements users.Store.
func (s *Store) Apply(ctx context.Context, e users.Effect) (users.Applied, error) {
	if err := e.Validate(); err != nil {
		return users.Applied{}, fmt.Errorf("applying an effect: %w", err)
	}
	var a users.Applied
	err := s.update(ctx, func(tx *bolt.Tx) (err error) {
		a, err = recorded(tx, e.Key, e.Kind, e.Digest)
		if err == nil || err != users.ErrNotFound {
			return err
		}
		if err := act(tx, e); err != nil {
			return err
		}
		a = users.Applied{Plan: e.Plan}
		return record(tx, e)
	})
	if err != nil {
		return users.Applied{}, fmt.Errorf("applying effect %s: %w", e.Key, err)
	}
	return a, nil
}

// recorded gives bare users.ErrNotFound for a key that is new.
func recorded(tx *bolt.Tx, key string, kind inbox.Kind, digest string) (users.Applied, error) {
	b := tx.Bucket(bucketEffects).Get([]byte(key))
	if b == nil {
		return users.Applied{}, users.ErrNotFound
	}
	var e effect
	if err := json.Unmarshal(b, &e); err != nil {
		return users.Applied{}, fmt.Errorf("reading the record of the effect: %w", err)
	}
	if e.Kind != kind || e.Digest != digest {
		return users.Applied{}, &users.MismatchError{Key: key}
	}
	return users.Applied{Plan: e.Plan, Again: true}, nil
}

func record(tx *bolt.Tx, e users.Effect) error {
	b, err := json.Marshal(effect{Kind: e.Kind, Digest: e.Digest, At: time.Now().UTC(), Plan: users.WithoutValues(e.Plan)})
	if err != nil {
		return fmt.Errorf("writing the record of the effect: %w", err)
	}
	return tx.Bucket(bucketEffects).Put([]byte(e.Key), b)
}

// act carries out the steps: those on the profile change the record in memory,
// which is written or removed once at the end.
func act(tx *bolt.Tx, e users.Effect) error {
	p, err := getPerson(tx, e.Person)
	if err != nil {
		return err
	}
	before, gone := p.Fields[inbox.FieldEmail], false
	if e.Moved(before) {
		return users.ErrChanged
	}
	for _, step := range e.Plan.Steps {
		switch {
		case step.Place == datamap.PlaceVisits && step.Op == inbox.StepRemove:
			err = deleteVisits(tx, e.Person)
		case step.Place == datamap.PlaceProfile && step.Op == inbox.StepRemove:
			gone, err = true, deletePerson(tx, e.Person, before)
		case step.Place == datamap.PlaceProfile:
			err = p.apply(tx, e.Person, step)
		default:
			err = unfit(step)
		}
		if err != nil {
			return err
		}
	}
	if gone {
		return nil
	}
	return putPerson(tx, e.Person, before, p)
}

// apply carries out a step on the profile.
func (p *stored) apply(tx *bolt.Tx, id string, step inbox.Step) error {
	switch step.Op {
	case inbox.StepSet, inbox.StepAdd:
		if p.Fields[step.Field] != step.Old {
			return users.ErrChanged
		}
		if step.Field == inbox.FieldEmail {
			if err := refuseTaken(tx, id, step.New); err != nil {
				return err
			}
		}
		p.set(step.Field, step.New)
	case inbox.StepClear:
		p.set(step.Field, "")
	case inbox.StepDeactivate:
		p.Active = false
	case inbox.StepReactivate:
		p.Active = true
	case inbox.StepWithdraw:
		p.Withdrawn = time.Now().UTC().Truncate(time.Second)
	default:
		return unfit(step)
	}
	return nil
}

// refuseTaken fails when somebody else has the address.
func refuseTaken(tx *bolt.Tx, id, addr string) error {
	prefix, ok := indexKey(addr, "")
	if !ok {
		return fmt.Errorf("setting the address on record: %w", errNoAddress)
	}
	c := tx.Bucket(bucketAddresses).Cursor()
	for k, _ := c.Seek(prefix); len(k) > len(prefix) && string(k[:len(prefix)]) == string(prefix); k, _ = c.Next() {
		if string(k[len(prefix):]) != id {
			return &users.TakenError{Field: inbox.FieldEmail}
		}
	}
	return nil
}

// unfit is a plan that was made from another map than this store has.
func unfit(step inbox.Step) error {
	return &inbox.Error{Err: fmt.Errorf("the store cannot %s the place %q", step.Op, step.Place), Hint: "the plan was made from another data map"}
}
