package state

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// StaffAccount is somebody of the staff who may sign in. The password and the
// networks are sealed under the house's own key: a state.db without its keys.db
// gives nobody a hash to guess at.
type StaffAccount struct {
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	Language string    `json:"language,omitempty"`
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
	Seen     time.Time `json:"seen,omitzero"` // when they last did something; zero: never

	Password string   `json:"-"` // hash with its parameters; "": none was chosen
	Networks [][]byte `json:"-"` // keyed hashes of where they signed in from, the newest last
}

// staffSecret is what is sealed of a StaffAccount.
type staffSecret struct {
	Password string   `json:"password,omitempty"`
	Networks [][]byte `json:"networks,omitempty"`
}

// StaffSession is one sign-in. Its token is with the browser; here it is only a
// keyed hash, and one of this epoch: what a restored copy holds opens nothing.
type StaffSession struct {
	Account string    `json:"account"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`
	Choose  bool      `json:"choose,omitempty"`  // good for choosing a password, and nothing else
	Browser string    `json:"browser,omitempty"` // in short, in words of ours

	key []byte
}

// ID names a session among others; it opens nothing.
func (s *StaffSession) ID() string { return hex.EncodeToString(s.key[:min(len(s.key), 8)]) }

// StaffLink is a sign-in that works once, in place of a password. Of its token
// there is only a keyed hash, as of a session's.
type StaffLink struct {
	Account string    `json:"account"`
	Expires time.Time `json:"expires"`
	Choose  bool      `json:"choose,omitempty"` // a password must be chosen before anything else

	key []byte
}

func staffLabel(name string) string { return "staff " + name }

// StaffAccount gives the account of that very name; ErrNotFound when there is
// none.
func (tx *Tx) StaffAccount(name string) (*StaffAccount, error) {
	v := tx.bucket("staff").Get([]byte(name))
	if v == nil {
		return nil, fmt.Errorf("account %s: %w", name, ErrNotFound)
	}
	return tx.staffAccount(v)
}

func (tx *Tx) staffAccount(value []byte) (*StaffAccount, error) {
	a := new(StaffAccount)
	sealed, err := decode(value, a)
	if err != nil {
		return nil, fmt.Errorf("reading an account: %w", err)
	}
	b, err := tx.db.keys.unseal(house, staffLabel(a.Name), sealed)
	if err != nil {
		return nil, fmt.Errorf("reading account %s: %w", a.Name, err)
	}
	var secret staffSecret
	if err := json.Unmarshal(b, &secret); err != nil {
		return nil, fmt.Errorf("reading account %s: %w", a.Name, err)
	}
	a.Password, a.Networks = secret.Password, secret.Networks
	return a, nil
}

// StaffAccounts gives every account, by name.
func (tx *Tx) StaffAccounts() ([]*StaffAccount, error) {
	var all []*StaffAccount
	err := tx.bucket("staff").ForEach(func(_, v []byte) error {
		a, err := tx.staffAccount(v)
		all = append(all, a)
		return err
	})
	return all, err
}

// PutStaffAccount stores an account under its name.
func (tx *Tx) PutStaffAccount(a *StaffAccount) error {
	secret, err := json.Marshal(staffSecret{Password: a.Password, Networks: a.Networks})
	if err != nil {
		return fmt.Errorf("encoding account %s: %w", a.Name, err)
	}
	sealed, err := tx.db.keys.seal(house, staffLabel(a.Name), secret)
	if err != nil {
		return err
	}
	b, err := encode(a, sealed)
	if err != nil {
		return fmt.Errorf("encoding account %s: %w", a.Name, err)
	}
	return tx.bucket("staff").Put([]byte(a.Name), b)
}

// staffToken gives the key of what a token opens.
func (tx *Tx) staffToken(kind, token string) []byte {
	return tx.Hash(kind, strconv.FormatUint(tx.db.epoch, 10)+" "+token)
}

// AddStaffSession stores a new session under its token.
func (tx *Tx) AddStaffSession(token string, s *StaffSession) error {
	s.key = tx.staffToken("staff session", token)
	return tx.PutStaffSession(s)
}

// PutStaffSession stores a session that was read.
func (tx *Tx) PutStaffSession(s *StaffSession) error {
	return putStaff(tx, "staff_sessions", s.key, s)
}

// StaffSession gives the session of a token; ErrNotFound when there is none.
func (tx *Tx) StaffSession(token string) (*StaffSession, error) {
	s := &StaffSession{key: tx.staffToken("staff session", token)}
	return s, getStaff(tx, "staff_sessions", s.key, s)
}

// StaffSessions gives every session that is stored, in no order that means
// anything.
func (tx *Tx) StaffSessions() (all []*StaffSession, err error) {
	err = eachStaff(tx, "staff_sessions", func(key []byte, s *StaffSession) { s.key = key; all = append(all, s) })
	return all, err
}

// EndStaffSession removes a session that was read.
func (tx *Tx) EndStaffSession(s *StaffSession) error {
	return tx.bucket("staff_sessions").Delete(s.key)
}

// AddStaffLink stores a new link under its token.
func (tx *Tx) AddStaffLink(token string, l *StaffLink) error {
	l.key = tx.staffToken("staff link", token)
	return putStaff(tx, "staff_links", l.key, l)
}

// StaffLink gives the link of a token; ErrNotFound when there is none.
func (tx *Tx) StaffLink(token string) (*StaffLink, error) {
	l := &StaffLink{key: tx.staffToken("staff link", token)}
	return l, getStaff(tx, "staff_links", l.key, l)
}

// StaffLinks gives every link that is stored, in no order that means anything.
func (tx *Tx) StaffLinks() (all []*StaffLink, err error) {
	err = eachStaff(tx, "staff_links", func(key []byte, l *StaffLink) { l.key = key; all = append(all, l) })
	return all, err
}

// EndStaffLink removes a link that was read.
func (tx *Tx) EndStaffLink(l *StaffLink) error { return tx.bucket("staff_links").Delete(l.key) }

func putStaff[T any](tx *Tx, bucket string, key []byte, v *T) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding one of %s: %w", bucket, err)
	}
	return tx.bucket(bucket).Put(key, b)
}

func getStaff[T any](tx *Tx, bucket string, key []byte, v *T) error {
	b := tx.bucket(bucket).Get(key)
	if b == nil {
		return ErrNotFound
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("reading one of %s: %w", bucket, err)
	}
	return nil
}

func eachStaff[T any](tx *Tx, bucket string, f func(key []byte, v *T)) error {
	return tx.bucket(bucket).ForEach(func(k, b []byte) error {
		v := new(T)
		if err := json.Unmarshal(b, v); err != nil {
			return fmt.Errorf("reading one of %s: %w", bucket, err)
		}
		f(bytes.Clone(k), v)
		return nil
	})
}
