package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// Deleted is a delete that was carried out. It is kept so that it can be
// repeated once the site has restored a backup of its database, and outlives
// the keys of the person: what could tell who they were is sealed under the
// house's own.
type Deleted struct {
	Action inbox.ActionID `json:"action"`
	Effect string         `json:"effect"` // the key under which it was carried out
	Kind   inbox.Kind     `json:"kind"`
	Scope  inbox.Scope    `json:"scope"`
	Digest string         `json:"digest"` // of the plan
	At     time.Time      `json:"at"`

	// Begun is the effect key of a repetition that may have been carried out,
	// and BegunDigest is of its plan; "" when none is under way.
	Begun       string `json:"begun,omitempty"`
	BegunDigest string `json:"begun_digest,omitempty"`

	Person string        `json:"-"` // user store id
	Fields []inbox.Field `json:"-"` // of scope fields

	address []byte      // keyed hash of the address on record when it was carried out
	took    []tookValue // of scope fields; nil: kept before values were told apart
}

// tookValue is a value that the delete of a field took away, as a keyed hash.
type tookValue struct {
	Field inbox.Field `json:"field"`
	Hash  []byte      `json:"hash"`
}

// deletedDetail is what is sealed of a Deleted.
type deletedDetail struct {
	Person  string        `json:"person"`
	Fields  []inbox.Field `json:"fields,omitempty"`
	Address []byte        `json:"address"`
	Took    []tookValue   `json:"took,omitzero"`
}

// house is the Mail under whose key is sealed what belongs to no Case.
const house inbox.MailID = 0

func deletedKey(t time.Time, id inbox.ActionID) []byte { return join(at(t), be(uint64(id))) }

func deletedLabel(key []byte) string { return fmt.Sprintf("deleted %x", key) }

// AddDeleted keeps a delete that was carried out now, and of the address on
// record what tells it from others. What is no address is told from all. Of a
// delete of fields it keeps the same of the old values that its steps cleared:
// as they were shown, as they were done, or both.
func (tx *Tx) AddDeleted(d *Deleted, addr string, steps []inbox.Step) error {
	d.At = tx.Now.UTC()
	d.take(tx.db, steps)
	if canonical, err := address.Canonical(addr); err == nil {
		d.address = tx.db.deletedAddress(d, canonical)
	}
	if err := tx.PutDeleted(d); err != nil {
		return err
	}
	key := deletedKey(d.At, d.Action)
	tx.listed = append(tx.listed, tx.db.list.deleted(tx.Now, key, tx.bucket("deleted").Get(key)))
	return nil
}

// PutDeleted stores a delete that AddDeleted has kept.
func (tx *Tx) PutDeleted(d *Deleted) error {
	key := deletedKey(d.At, d.Action)
	detail, err := json.Marshal(deletedDetail{Person: d.Person, Fields: d.Fields, Address: d.address, Took: d.took})
	if err != nil {
		return fmt.Errorf("keeping the delete of %s: %w", d.Action, err)
	}
	sealed, err := tx.db.keys.seal(house, deletedLabel(key), detail)
	if err != nil {
		return err
	}
	b, err := encode(d, sealed)
	if err != nil {
		return fmt.Errorf("keeping the delete of %s: %w", d.Action, err)
	}
	return tx.bucket("deleted").Put(key, b)
}

// SameAddress tells whether an address is the one that was on record when the
// delete was carried out. What is no address is not.
func (db *DB) SameAddress(d *Deleted, addr string) bool {
	canonical, err := address.Canonical(addr)
	return err == nil && bytes.Equal(d.address, db.deletedAddress(d, canonical))
}

// deletedAddress gives the hash that stands for an address. It is another one
// for each person.
func (db *DB) deletedAddress(d *Deleted, canonical string) []byte {
	return db.keys.hash("deleted", d.Person+"\x00"+canonical)
}

func (d *Deleted) take(db *DB, steps []inbox.Step) {
	if d.Scope != inbox.ScopeFields {
		return
	}
	d.took = []tookValue{}
	for _, s := range steps {
		if s.Op == inbox.StepClear && strings.TrimSpace(s.Old) != "" && !db.Took(d, s.Field, s.Old) {
			d.took = append(d.took, tookValue{s.Field, db.tookHash(d, s.Field, s.Old)})
		}
	}
}

// Cleared lists the fields that a delete of fields took a value from, each
// once. Of one that an earlier version kept, without its values, that is not
// known: it gives those that were asked for.
func (d *Deleted) Cleared() []inbox.Field {
	if d.took == nil {
		return d.Fields
	}
	var all []inbox.Field
	for _, t := range d.took {
		if !slices.Contains(all, t.Field) {
			all = append(all, t.Field)
		}
	}
	return all
}

// Took tells whether a value is one that a delete of fields took from the
// field; blanks around it do not count. Of a delete that an earlier version
// kept, without its values, any value may be: it is repeated whatever the
// fields hold.
func (db *DB) Took(d *Deleted, f inbox.Field, value string) bool {
	hash := db.tookHash(d, f, value)
	return d.took == nil || slices.ContainsFunc(d.took, func(t tookValue) bool { return t.Field == f && bytes.Equal(t.Hash, hash) })
}

// tookHash gives the hash that stands for a value. It is another one for each
// person and field.
func (db *DB) tookHash(d *Deleted, f inbox.Field, value string) []byte {
	return db.keys.hash("deleted value", d.Person+"\x00"+string(f)+"\x00"+strings.TrimSpace(value))
}

// DeletedFrom lists up to limit deletes in the order in which they were carried
// out, from the one of the Action id at time t on, if that is kept, or the next.
func (tx *Tx) DeletedFrom(t time.Time, id inbox.ActionID, limit int) ([]*Deleted, error) {
	var out []*Deleted
	c := tx.bucket("deleted").Cursor()
	for k, v := c.Seek(deletedKey(t, id)); k != nil && len(out) < limit; k, v = c.Next() {
		d, err := tx.deleted(k, v)
		if err != nil {
			return nil, fmt.Errorf("reading a delete that was carried out: %w", err)
		}
		out = append(out, d)
	}
	return out, nil
}

func (tx *Tx) deleted(key, value []byte) (*Deleted, error) {
	d := new(Deleted)
	sealed, err := decode(value, d)
	if err != nil {
		return nil, err
	}
	b, err := tx.db.keys.unseal(house, deletedLabel(key), sealed)
	if err != nil {
		return nil, err
	}
	var detail deletedDetail
	if err := json.Unmarshal(b, &detail); err != nil {
		return nil, err
	}
	d.Person, d.Fields, d.address, d.took = detail.Person, detail.Fields, detail.Address, detail.Took
	return d, nil
}

// DeletedBefore tells whether a delete is kept that was carried out before t.
func (tx *Tx) DeletedBefore(t time.Time) bool {
	k, _ := tx.bucket("deleted").Cursor().First()
	return k != nil && bytes.Compare(k, at(t)) < 0
}

// ForgetDeleted drops up to limit deletes that were carried out before t.
func (tx *Tx) ForgetDeleted(t time.Time, limit int) error {
	var over [][]byte
	c := tx.bucket("deleted").Cursor()
	for k, _ := c.First(); k != nil && len(over) < limit && bytes.Compare(k, at(t)) < 0; k, _ = c.Next() {
		over = append(over, bytes.Clone(k))
	}
	for _, k := range over {
		if err := tx.bucket("deleted").Delete(k); err != nil {
			return fmt.Errorf("forgetting a delete that was carried out: %w", err)
		}
	}
	return nil
}
