package boltusers

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// Event is one thing that the site collected by itself: a visit to a page.
type Event struct {
	At     time.Time `json:"at"`
	IP     string    `json:"ip,omitempty"`
	Agent  string    `json:"agent,omitempty"`
	Page   string    `json:"page,omitempty"`
	Cookie string    `json:"cookie,omitempty"`
}

// stored is a person as the file has it; the ID is the key.
type stored struct {
	Active    bool                   `json:"active"`
	Withdrawn time.Time              `json:"withdrawn,omitzero"`
	Fields    map[inbox.Field]string `json:"fields"`
}

func (p stored) person(id string) users.Person {
	return users.Person{ID: id, Active: p.Active, Withdrawn: p.Withdrawn, Fields: p.Fields}
}

// set gives the field a value; "" removes it.
func (p *stored) set(f inbox.Field, v string) {
	if v == "" {
		delete(p.Fields, f)
		return
	}
	p.Fields[f] = v
}

// getPerson reads a person, or users.ErrNotFound.
func getPerson(tx *bolt.Tx, id string) (stored, error) {
	var p stored
	b := tx.Bucket(bucketPeople).Get([]byte(id))
	if b == nil {
		return p, users.ErrNotFound
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("reading a person's record: %w", err)
	}
	if p.Fields == nil {
		p.Fields = map[inbox.Field]string{}
	}
	return p, nil
}

// putPerson writes a person and moves the entry of the address index, which
// stood under the address before.
func putPerson(tx *bolt.Tx, id, before string, p stored) error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing a person's record: %w", err)
	}
	if err := tx.Bucket(bucketPeople).Put([]byte(id), b); err != nil {
		return err
	}
	if err := unindex(tx, id, before); err != nil {
		return err
	}
	if key, ok := indexKey(p.Fields[inbox.FieldEmail], id); ok {
		return tx.Bucket(bucketAddresses).Put(key, nil)
	}
	return nil
}

func deletePerson(tx *bolt.Tx, id, addr string) error {
	if err := unindex(tx, id, addr); err != nil {
		return err
	}
	return tx.Bucket(bucketPeople).Delete([]byte(id))
}

func unindex(tx *bolt.Tx, id, addr string) error {
	if key, ok := indexKey(addr, id); ok {
		return tx.Bucket(bucketAddresses).Delete(key)
	}
	return nil
}

// indexKey is canonical address, zero byte, ID; a canonical address has no
// zero byte in it. With an empty ID it is the prefix of all who have the
// address.
func indexKey(addr, id string) ([]byte, bool) {
	c, err := address.Canonical(addr)
	if err != nil {
		return nil, false
	}
	return []byte(c + "\x00" + id), true
}

// deleteVisits removes everything that the site collected about a person.
func deleteVisits(tx *bolt.Tx, id string) error {
	all := tx.Bucket(bucketVisits)
	if all.Bucket([]byte(id)) == nil {
		return nil
	}
	return all.DeleteBucket([]byte(id))
}

// putVisits replaces what the site collected about a person.
func putVisits(tx *bolt.Tx, id string, events []Event) error {
	if err := deleteVisits(tx, id); err != nil || len(events) == 0 {
		return err
	}
	b, err := tx.Bucket(bucketVisits).CreateBucket([]byte(id))
	if err != nil {
		return err
	}
	for i, e := range events {
		v, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("writing a visit: %w", err)
		}
		if err := b.Put(sequence(uint64(i)+1), v); err != nil {
			return err
		}
	}
	return nil
}

// visitsAfter reads at most n visits whose sequence number is greater than
// after, and gives the last number read.
func visitsAfter(tx *bolt.Tx, id string, after uint64, n int) (events []Event, last uint64, err error) {
	b := tx.Bucket(bucketVisits).Bucket([]byte(id))
	if b == nil {
		return nil, after, nil
	}
	c := b.Cursor()
	for k, v := c.Seek(sequence(after + 1)); k != nil && len(events) < n; k, v = c.Next() {
		var e Event
		if err := json.Unmarshal(v, &e); err != nil {
			return nil, after, fmt.Errorf("reading a visit: %w", err)
		}
		events, last = append(events, e), binary.BigEndian.Uint64(k)
	}
	return events, max(after, last), nil
}

func sequence(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// held lists the fields of a person that hold a value, in the store's order;
// what the store does not know comes last, so that nothing held is left out.
func (s *Store) held(p stored) []inbox.Field {
	var known, other []inbox.Field
	for _, f := range s.fields {
		if p.Fields[f] != "" {
			known = append(known, f)
		}
	}
	for f, v := range p.Fields {
		if v != "" && !slices.Contains(s.fields, f) {
			other = append(other, f)
		}
	}
	slices.Sort(other)
	return append(known, other...)
}
