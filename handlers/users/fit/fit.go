// Package fit holds a data map against the tables of a site's database: it
// finds what of the map the database cannot do ([Compare], [Check]), and takes
// into the map what the database says about lengths and values ([Narrow]).
//
// An error is what would make an action fail, or do something else than people
// are told. A remark is worth a look: what the map may have forgotten, and what
// is slow.
package fit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/meaning"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

// Finding is one thing that is wrong, or worth a look.
type Finding struct {
	Name    string // what it is about: a place, "place.column", or a table
	Problem string
	Hint    string // what to do, "" where the problem says it
	Remark  bool   // nothing fails because of it
}

// String gives the finding on one line.
func (f Finding) String() string {
	word := "error"
	if f.Remark {
		word = "remark"
	}
	text := word + " " + f.Name + ": " + f.Problem
	if f.Hint != "" {
		text += " (" + f.Hint + ")"
	}
	return text
}

// Err gives the finding as an error with its hint, which does not pass; nil for
// a remark.
func (f Finding) Err() error {
	if f.Remark {
		return nil
	}
	return &inbox.Error{Err: fmt.Errorf("%s: %s", f.Name, f.Problem), Hint: f.Hint}
}

// Database is a site's database: a *sqlusers.Store.
type Database interface {
	// Schema reads the tables as they are now.
	Schema(ctx context.Context) (sqlusers.Schema, error)
	// Rights gives what the data map needs and the database refuses.
	Rights(ctx context.Context) ([]sqlusers.Lack, error)
	// Absent gives the values that the data map names and no row has.
	Absent(ctx context.Context) ([]sqlusers.Absence, error)
}

// Check gives everything that is to be said of the map and the database: that
// of Compare, the rights that are missing, which are tried only where the map
// has no errors, and, where none is missing, the values of the map that no row
// has. It changes nothing. It fails when the database does not
// answer.
func Check(ctx context.Context, db Database, m *datamap.Map) ([]Finding, error) {
	schema, err := db.Schema(ctx)
	if err != nil {
		return nil, fmt.Errorf("comparing the data map with the database: %w", err)
	}
	all := Compare(m, schema)
	if slices.ContainsFunc(all, func(f Finding) bool { return !f.Remark && f.Name != sqlusers.EffectsTable }) {
		return append(all, Finding{Name: "rights", Remark: true, Problem: "they were not tried, because the data map does not fit"}), nil
	}
	lacks, err := db.Rights(ctx)
	if err != nil {
		return nil, fmt.Errorf("comparing the data map with the database: %w", err)
	}
	for _, l := range lacks {
		all = append(all, lacking(l))
	}
	if len(lacks) > 0 {
		return all, nil
	}
	absent, err := db.Absent(ctx)
	if err != nil {
		return nil, fmt.Errorf("comparing the data map with the database: %w", err)
	}
	for _, a := range absent {
		all = append(all, Finding{Name: a.Place + "." + a.Column, Remark: true, Hint: "is it spelled as the site does?",
			Problem: fmt.Sprintf("no row of %q has %q in it, of the first %d that were looked at", a.Table, a.Value, sqlusers.AbsentRows)})
	}
	return all, nil
}

// lacking words what the database does not let us do.
func lacking(l sqlusers.Lack) Finding {
	f := Finding{Name: l.Place, Problem: fmt.Sprintf("%s on %q is refused", l.Verb, l.Table)}
	if f.Name == "" {
		f.Name = l.Table
	}
	if len(l.Columns) > 0 {
		f.Problem = fmt.Sprintf("%s on %s of %q is refused", l.Verb, quoted(l.Columns), l.Table)
	}
	f.Problem += ": " + l.Err.Error()
	if e, ok := errors.AsType[*inbox.Error](l.Err); ok {
		f.Hint = e.Hint
		f.Problem = strings.TrimSuffix(f.Problem, l.Err.Error()) + e.Err.Error()
	}
	return f
}

func quoted(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(all, ", ")
}

// Compare gives what is wrong with the map, or worth a look, as far as the
// tables tell: first place by place in the order of the map, then what it does
// not mention.
func Compare(m *datamap.Map, schema sqlusers.Schema) []Finding {
	c := &comparison{schema: schema, places: m.Places(), lexicon: meaning.New()}
	if t, ok := schema.Table(sqlusers.EffectsTable); !ok {
		c.add(Finding{Name: sqlusers.EffectsTable, Problem: "the table is missing", Hint: "run: supportd users -c FILE init"})
	} else if t.Filtered {
		c.fault(t.Name, "switch it off for this table: ALTER TABLE … NO FORCE ROW LEVEL SECURITY", "row-level security may hide from us what was done before")
	}
	for i, p := range c.places {
		c.place(i, p)
	}
	c.foreign()
	c.unmapped()
	return c.all
}

// comparison gathers findings.
type comparison struct {
	schema  sqlusers.Schema
	places  []datamap.Place
	lexicon *meaning.Lexicon
	all     []Finding
}

func (c *comparison) add(f Finding) {
	if !slices.Contains(c.all, f) {
		c.all = append(c.all, f)
	}
}

func (c *comparison) fault(name, hint, format string, args ...any) {
	c.add(Finding{Name: name, Problem: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *comparison) remark(name, hint, format string, args ...any) {
	c.add(Finding{Name: name, Problem: fmt.Sprintf(format, args...), Hint: hint, Remark: true})
}

// table gives the table of a place.
func (c *comparison) table(p datamap.Place) (sqlusers.Table, bool) {
	return c.schema.Table(p.Source.Table)
}

// mapped gives the places of a table.
func (c *comparison) mapped(table string) (places []datamap.Place) {
	for _, p := range c.places {
		if t, ok := c.table(p); ok && t.Name == table {
			places = append(places, p)
		}
	}
	return places
}

// parent gives the place that p is linked to.
func (c *comparison) parent(p datamap.Place) (datamap.Place, bool) {
	for _, up := range c.places {
		if p.Source.Link.Parent == up.Name && up.Name != "" {
			return up, true
		}
	}
	return datamap.Place{}, false
}
