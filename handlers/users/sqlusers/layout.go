package sqlusers

import (
	"errors"
	"fmt"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// layout is the data map as it lies in the database: every name in it is one
// that the database has. It never changes.
type layout struct {
	places  []*place // as in the map, the account first
	email   *Column  // of the account
	effects bool     // the table supportd_effects is there
}

// place is a place of the map and where it lies.
type place struct {
	datamap.Place
	table   Table
	keys    []Column
	columns []column
	where   []match

	link   Column // zero of the account
	parent *place // nil: of the account, and where the link is the address
	to     Column // of parent

	active, withdrawn, seen *Column // of the account, where the site has them
	protected               []match
}

// column is a column of the map and the table's columns that it is made of.
type column struct {
	datamap.Column
	source []Column
}

type match struct {
	column Column
	value  string
}

// account tells whether it is the people's own row.
func (p *place) account() bool { return p.link.Name == "" }

// byAddress tells whether rows belong to whoever has the address in them.
func (p *place) byAddress() bool { return p.link.Name != "" && p.parent == nil }

// root gives the place that the links of p lead to in the end.
func (p *place) root() *place {
	for p.parent != nil {
		p = p.parent
	}
	return p
}

// byID tells whether rows have the person's ID in them, so that they are found
// also when the account is gone.
func (p *place) byID() bool {
	return p.parent != nil && p.parent.account() && p.to.Name == p.parent.keys[0].Name
}

// place gives the place of that name, or nil.
func (l *layout) place(name string) *place {
	for _, p := range l.places {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// column gives the column that the map calls field, or nil.
func (p *place) column(field inbox.Field) *column {
	for i, c := range p.columns {
		if c.Field == field {
			return &p.columns[i]
		}
	}
	return nil
}

// newLayout finds every name of the map in the schema, and reports all that are
// missing at once.
func newLayout(m *datamap.Map, schema Schema) (*layout, error) {
	l := &layout{}
	var faults []error
	for _, p := range m.Places() {
		f := &fitter{schema: schema, name: p.Name}
		l.places = append(l.places, f.place(p))
		faults = append(faults, f.faults...)
	}
	for i, p := range l.places {
		if link := p.Source.Link; i > 0 && link.Parent != "" {
			f := &fitter{schema: schema, name: p.Name}
			p.parent = l.place(link.Parent)
			p.to = f.column(p.parent.table, link.To)
			faults = append(faults, f.faults...)
		}
	}
	if c := l.places[0].column(inbox.FieldEmail); c == nil || len(c.source) != 1 || c.Fixed {
		faults = append(faults, fmt.Errorf("place %q: no column is the address on record, the field email", l.places[0].Name))
	} else {
		l.email = &c.source[0]
	}
	effects, ok := schema.Table(EffectsTable)
	if l.effects = ok; effects.Filtered {
		faults = append(faults, fmt.Errorf("row-level security of the table %q may hide what was done before", EffectsTable))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, &inbox.Error{Err: err, Hint: "correct the map or the database; supportd check shows what differs"}
	}
	return l, nil
}

// fitter finds the names of one place.
type fitter struct {
	schema Schema
	name   string
	faults []error
}

func (f *fitter) fault(format string, args ...any) {
	f.faults = append(f.faults, fmt.Errorf("place %q: "+format, append([]any{f.name}, args...)...))
}

func (f *fitter) column(t Table, name string) Column {
	c, ok := t.Column(name)
	if !ok {
		f.fault("the table %q has no column %q", t.Name, name)
	}
	return c
}

// optional gives the column of that name, nil for "".
func (f *fitter) optional(t Table, name string) *Column {
	if name == "" {
		return nil
	}
	c := f.column(t, name)
	return &c
}

func (f *fitter) matches(t Table, all []datamap.Match) (found []match) {
	for _, m := range all {
		found = append(found, match{f.column(t, m.Column), m.Value})
	}
	return found
}

func (f *fitter) place(p datamap.Place) *place {
	out := &place{Place: p}
	t, ok := f.schema.Table(p.Source.Table)
	if !ok {
		f.fault("there is no table %q, or no right to see it", p.Source.Table)
		return out
	}
	out.table = t
	if !t.Transactional {
		f.fault("the table %q has no transactions (MyISAM?), so that half of an action could stay", t.Name)
	}
	if t.Filtered {
		f.fault("row-level security of the table %q may hide rows from us, and what is hidden would count as gone", t.Name)
	}
	for _, name := range p.Source.Key {
		out.keys = append(out.keys, f.column(t, name))
	}
	if !t.View && !t.Distinct(p.Source.Key...) {
		f.fault("the key does not tell the rows of %q apart: no unique index is on its columns, or they may be NULL", t.Name)
	}
	for _, c := range p.Columns {
		names := c.Source
		if len(names) == 0 {
			names = []string{string(c.Field)}
		}
		col := column{Column: c}
		for _, name := range names {
			col.source = append(col.source, f.column(t, name))
		}
		out.columns = append(out.columns, col)
	}
	out.where = f.matches(t, p.Source.Where)
	if p.Source.Link.Column != "" {
		out.link = f.column(t, p.Source.Link.Column)
	}
	out.active, out.withdrawn, out.seen = f.optional(t, p.Account.Active.Column), f.optional(t, p.Account.Withdrawn), f.optional(t, p.Account.LastSeen)
	out.protected = f.matches(t, p.Account.Protected)
	return out
}

// Distinct tells whether the columns tell the rows of the table apart: no two
// rows have the same in all of them, and no NULL makes an exception.
func (t Table) Distinct(columns ...string) bool {
	has := map[string]bool{}
	for _, name := range columns {
		c, _ := t.Column(name)
		has[c.Name] = true
	}
	for _, u := range t.Unique {
		if u.Partial || len(u.Columns) == 0 {
			continue
		}
		all := true
		for _, name := range u.Columns {
			c, ok := t.Column(name)
			all = all && ok && has[c.Name] && (u.Primary || !c.Null)
		}
		if all {
			return true
		}
	}
	return false
}
