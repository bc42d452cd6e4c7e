// Package sqlusers is the user store of a site that has a database of its own:
// PostgreSQL, MySQL or MariaDB, SQLite. It finds people, reads what is held
// about them and carries effects out, in tables that supportd did not design.
// The data map says which tables and columns these are.
//
// # What is written
//
// One table is ours, supportd_effects, which Init makes: the key of an effect,
// its kind, the digest of its plan, when it was, and the plan without values.
// Everything else belongs to the site. An effect is one transaction: the
// account's row is locked, the effect is recorded, what the plan was made from
// is compared with what is there, the steps are done, and at the end every
// place of the plan is read again. What the database made something else of
// (cut, converted, changed by a trigger) is a failure, and so is a value that
// was to go and is still there; then nothing is written.
//
// Rows go before the rows that they belong to or refer to. Where tables refer
// to each other in a ring, the reference that may be NULL is taken out first.
//
// # Names and values
//
// Tables and columns have the names that the data map gives, and are asked for
// only after the database has listed them; its spelling is quoted. Values are
// parameters, always. No error text has a value in it: the drivers' own texts
// quote them, and go no further than this package.
//
// # Addresses
//
// People are found by comparing addresses in Go (package address). The query
// narrows by what the address begins with, for which an index serves: of
// PostgreSQL one with text_pattern_ops or the collation C, of MySQL and SQLite
// any.
//
// When an address changes, the rows that are linked by it get the new one in the
// same transaction, unless the data map says that they stay as they are.
//
// Somebody without an account is a guest: rows of places that are linked by
// address. Their ID is the place and the key of the first such row, which says
// nothing about them; a key that is a text is sealed.
//
// # Values as text
//
// A copy has times by RFC 3339 in UTC, days as YYYY-MM-DD, true and false.
// Bytes that are no UTF-8 are in base64 (RFC 4648). A time without a zone is
// taken for UTC. NULL is left out.
package sqlusers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// Config says which database it is, and what in it is about people.
type Config struct {
	Store string       // postgres, mysql (MariaDB too) or sqlite
	DSN   string       // of postgres and mysql: where the database is, with user and password
	Path  string       // of sqlite: the file
	Map   *datamap.Map // what the site stores; every place says where it lies
	Key   []byte       // makes hashes and seals the keys of guests; at least 16 bytes, the same for ever

	// Fits tells what of the map the tables cannot do. It is asked whenever they
	// are seen to be others than before, one call at a time, and while it gives
	// an error nothing is found, read or done. nil: the names are looked for, and
	// that is all.
	Fits func(Schema) error
}

// Store is a site's database. It implements users.Store.
type Store struct {
	d       *dialect
	db      *sql.DB
	m       *datamap.Map
	schemas []string // that the map names
	seal    *sealer

	moving sync.Mutex // held while an address changes: two may want the same

	fits func(Schema) error // nil: whatever the tables are

	mu     sync.Mutex
	known  bool    // the layout can be used as it is; false: look at the tables first
	seen   *Schema // that the map was last held against; nil: none yet
	layout *layout // what came of that
	unfit  error   // why there is no layout
}

var _ users.Store = (*Store)(nil)

const (
	connections = 8
	minKey      = 16
)

// Open prepares a store. It does not ask the database yet, which may be down
// when the daemon starts: Ping does, and every method. It fails for a DSN that
// cannot be read, for a short key, and for a map whose places say nothing of
// tables, or whose links lead nowhere.
func Open(c Config) (*Store, error) {
	s, err := open(c)
	if err != nil {
		return nil, fmt.Errorf("opening the user store: %w", err)
	}
	return s, nil
}

func open(c Config) (*Store, error) {
	switch {
	case len(c.Key) < minKey:
		return nil, fmt.Errorf("the key has %d bytes, and must have %d or more", len(c.Key), minKey)
	case c.Map == nil || c.Map.Places()[0].Source.Table == "":
		return nil, errors.New("there is no data map of a database")
	}
	s, err := dial(c)
	if err != nil {
		return nil, err
	}
	s.m, s.seal, s.fits = c.Map, newSealer(c.Key), c.Fits
	for _, p := range c.Map.Places() {
		if schema, _, ok := strings.Cut(p.Source.Table, "."); ok && !slices.Contains(s.schemas, schema) {
			s.schemas = append(s.schemas, schema)
		}
	}
	return s, nil
}

// dial prepares the connections.
func dial(c Config) (*Store, error) {
	d, ok := dialectOf(c.Store)
	if !ok {
		return nil, fmt.Errorf("no database is called %q", c.Store)
	}
	db, err := d.open(c)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(time.Minute)
	return &Store{d: d, db: db}, nil
}

// Close ends the connections, once the calls that run have ended.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing the user store: %w", err)
	}
	return nil
}

// Ping asks whether the database answers, whether the data map fits it, and
// whether supportd_effects is there. Everything that does not fit is reported
// at once.
func (s *Store) Ping(ctx context.Context) error {
	l, err := s.refit(ctx)
	if err == nil && !l.effects {
		err = &inbox.Error{Err: errors.New("the table supportd_effects is missing"), Hint: "run: supportd users -c FILE init"}
	}
	if err != nil {
		return fmt.Errorf("asking the user store: %w", err)
	}
	return nil
}

// EffectsTable is the one table that is ours: what Init makes, and where the
// keys of the effects are recorded.
const EffectsTable = "supportd_effects"

// Init makes the table supportd_effects where it is missing. It is the only
// thing that supportd ever creates in the site's database, and needs the right
// to create a table.
func (s *Store) Init(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, s.d.effects); err != nil {
		return fmt.Errorf("making the table supportd_effects: %w", s.failed(ctx, err))
	}
	s.forget()
	return nil
}

// fit gives the map as it lies in the database, from memory where it can.
func (s *Store) fit(ctx context.Context) (*layout, error) {
	s.mu.Lock()
	l, known := s.layout, s.known
	s.mu.Unlock()
	if known {
		return l, nil
	}
	return s.refit(ctx)
}

// UnfitError says that the data map does not fit the site's database, and what
// of it. It is temporary: nothing was done, and what was wanted can be done once
// the map or the database is mended.
type UnfitError struct{ Err error }

// Error gives what does not fit.
func (e *UnfitError) Error() string {
	return "the data map does not fit the site's database: " + e.Err.Error()
}

// Unwrap gives what does not fit.
func (e *UnfitError) Unwrap() error { return e.Err }

// Temporary implements inbox.IsTemporary.
func (e *UnfitError) Temporary() bool { return true }

// refit holds the map against the database as it is now. Whatever acts, or
// promises that something will be done, begins with it.
func (s *Store) refit(ctx context.Context) (*layout, error) {
	schema, err := s.readSchema(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || !reflect.DeepEqual(s.seen.Tables, schema.Tables) {
		s.layout, s.unfit = s.compare(schema)
		s.seen = &schema
	}
	s.known = s.unfit == nil
	return s.layout, s.unfit
}

// compare holds the map against tables that were not seen before.
func (s *Store) compare(schema Schema) (*layout, error) {
	if s.fits != nil {
		if err := s.fits(schema); err != nil {
			return nil, &UnfitError{err}
		}
	}
	l, err := newLayout(s.m, schema)
	if err != nil {
		return nil, &UnfitError{err}
	}
	return l, nil
}

// forget has the tables looked at before the layout is used again.
func (s *Store) forget() {
	s.mu.Lock()
	s.known = false
	s.mu.Unlock()
}
