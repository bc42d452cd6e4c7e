package daemon

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/draft"
	"push.guru/supportd/handlers/users/fit"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// store is a user store that was opened.
type store interface {
	users.Store
	Close() error
}

// openStore opens the user store. A database need not answer yet; but when it
// does, the data map must fit it.
func (d *Daemon) openStore(ctx context.Context) error {
	u := d.cfg.Users
	if u.Store == "bolt" {
		s, err := boltusers.Open(u.Path)
		if err != nil {
			return err
		}
		d.store, d.embedded = s, s
		return nil
	}
	var key []byte
	if err := d.state.View(func(tx *state.Tx) error { key = tx.Hash("user store", "key"); return nil }); err != nil {
		return err
	}
	s, err := openSQL(ctx, u, key, d.fits)
	if err != nil {
		return err
	}
	d.store, d.database = s, s
	err = s.Ping(ctx)
	if _, unfit := errors.AsType[*sqlusers.UnfitError](err); !unfit && inbox.IsTemporary(err) {
		d.log.Warn("daemon: the user store does not answer; until it does, mails of people wait", "err", err)
		return nil
	}
	d.answered = err == nil
	return err
}

// fits holds the data map against the tables of the site's database, whenever
// these are others than before, and takes into it what they say about lengths
// and values. While it gives an error, the store does nothing.
func (d *Daemon) fits(schema sqlusers.Schema) error {
	m, err := fitted(d.cfg.Users.Map, schema)
	switch {
	case d.handlers == nil: // the start, which fails with the error
		d.opt.Map = m
	case err != nil:
		d.log.Error("daemon: the data map does not fit the site's database; until it does, mails and actions of people wait", "err", err)
	default:
		d.keeper.Use(m)
		d.handlers.Use(m)
		d.log.Info("daemon: the data map fits the site's database")
	}
	return err
}

// fitted gives the map as narrow as the tables are, or what of it they cannot do.
func fitted(m *datamap.Map, schema sqlusers.Schema) (*datamap.Map, error) {
	var faults []error
	for _, f := range fit.Compare(m, schema) {
		faults = append(faults, f.Err())
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return fit.Narrow(m, schema)
}

// untilAnswered asks a database that was down at the start until it answers, so
// that the log tells of a map that does not fit before a mail comes; it returns
// when ctx ends.
func (d *Daemon) untilAnswered(ctx context.Context) error {
	defer d.pulse.Beat("user store", 0)
	for d.database != nil && !d.answered {
		d.pulse.Beat("user store", refit+watchTime)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(refit):
		}
		d.answered = d.database.Ping(ctx) == nil
	}
	d.pulse.Beat("user store", 0)
	<-ctx.Done()
	return nil
}

// refit is after which time a database that was down is asked again.
const refit = 30 * time.Second

// openSQL opens the site's database.
func openSQL(ctx context.Context, u config.Users, key []byte, fits func(sqlusers.Schema) error) (*sqlusers.Store, error) {
	c, err := database(ctx, u)
	if err != nil {
		return nil, err
	}
	c.Key, c.Fits = key, fits
	return sqlusers.Open(c)
}

// database says where the site's database is.
func database(ctx context.Context, u config.Users) (sqlusers.Config, error) {
	c := sqlusers.Config{Store: u.Store, Path: u.Path, Map: u.Map}
	if read := u.DSN(); read != nil {
		dsn, err := read(ctx)
		if err != nil {
			return c, err
		}
		c.DSN = dsn
	}
	return c, nil
}

// DraftMap writes a first data map from the tables of the site's database.
func DraftMap(ctx context.Context, u config.Users) (string, error) {
	c, err := database(ctx, u)
	if err != nil {
		return "", err
	}
	schema, err := sqlusers.ReadSchema(ctx, c)
	if err != nil {
		return "", err
	}
	return draft.Map(schema), nil
}

// withSQL runs f with the site's database, for what needs no key: nothing is
// kept that was made with this one.
func withSQL(ctx context.Context, u config.Users, f func(*sqlusers.Store) error) (err error) {
	s, err := openSQL(ctx, u, make([]byte, 32), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(s)
}

// InitStore makes the table that the site's database needs for what supportd
// remembers of its effects; once it is there, it does nothing.
func InitStore(ctx context.Context, u config.Users) error {
	if u.Store == "bolt" {
		return &inbox.Error{Err: errors.New("the embedded store needs no table"), Hint: "this is for users.store = postgres, mysql or sqlite"}
	}
	return withSQL(ctx, u, func(s *sqlusers.Store) error { return s.Init(ctx) })
}

// checkStore looks at the user store, and holds the data map of a database
// against its tables.
func checkStore(ctx context.Context, u config.Users) []Check {
	name := "user store " + cmp.Or(u.Path, u.Store)
	if u.Store == "bolt" {
		return []Check{{Name: name, Err: checkFile(u)}}
	}
	var found []fit.Finding
	err := withSQL(ctx, u, func(s *sqlusers.Store) (err error) {
		found, err = fit.Check(ctx, s, u.Map)
		return err
	})
	if err != nil {
		return []Check{{Name: name, Err: err}}
	}
	var out []Check
	fits := true
	for _, f := range found {
		if err := f.Err(); err != nil {
			out, fits = append(out, Check{Name: "data map", Err: err}), false
			continue
		}
		out = append(out, Check{Name: "data map: " + strings.TrimPrefix(f.String(), "remark "), Open: true})
	}
	if fits {
		out = append([]Check{{Name: name}}, out...)
	}
	return out
}

// checkFile looks at the embedded store.
func checkFile(u config.Users) error {
	info, err := os.Stat(u.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &inbox.Error{Err: errors.New("it is empty: nobody has been imported"), Hint: "supportd users -c FILE import PEOPLE.csv"}
	case err != nil:
		return err
	case info.Size() == 0:
		return &inbox.Error{Err: errors.New("the file is empty"), Hint: "restore it from a backup"}
	}
	return nil
}
