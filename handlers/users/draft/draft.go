// Package draft writes a first data map from the tables of a site's database,
// for the operator to finish. Which table has the people, what its columns hold
// and what belongs to a person is guessed from names (package meaning), types
// and references. What a person must decide is marked TODO and is left empty,
// so that the map is not taken before it was looked at.
package draft

import (
	"slices"
	"strings"
	"unicode/utf8"

	"push.guru/supportd/handlers/users/meaning"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

// Map gives a data map as a commented file (package mapfile). Without its TODOs
// it fits the tables; with them, reading it names each by its line. Where no
// table seems to have the people, it says which could, and has no account.
func Map(schema sqlusers.Schema) string {
	d := &drafter{schema: schema, lexicon: meaning.New(), fields: map[inbox.Field]bool{}}
	if !d.findAccount() {
		return d.nobody()
	}
	d.relate()
	d.decide()
	return d.text()
}

// drafter is a map in the making.
type drafter struct {
	schema  sqlusers.Schema
	lexicon *meaning.Lexicon
	places  []*place // the account first
	rivals  []string // tables that could have the people, too
	fields  map[inbox.Field]bool
}

// place is a place in the making.
type place struct {
	name   string
	table  sqlusers.Table
	key    []string
	column sqlusers.Column // the link; zero of the account
	parent *place          // nil: of the account, and where the link is an address
	to     string
	kind   string // the column that says what a link without a reference leads to; "": it leads to one table
	zero   bool   // rows count where the link to the account is 0
	own    string // with zero: the column of that link
	single bool
	erase  string // delete, values, keep
	notes  []string
	fields map[string]inbox.Field // of its columns
}

// tables lists those that may have rows of people.
func (d *drafter) tables() (all []sqlusers.Table) {
	for _, t := range d.schema.Tables {
		if !t.View && t.Transactional && t.Name != sqlusers.EffectsTable && writable(t.Name) {
			all = append(all, t)
		}
	}
	return all
}

// writable tells whether a name can stand in the file.
func writable(name string) bool {
	return utf8.ValidString(name) && len([]rune(name)) <= 128 && strings.TrimSpace(name) == name && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// keyOf gives the columns that tell the rows of a table apart, none where
// nothing does.
func keyOf(t sqlusers.Table) (key []string) {
	for _, u := range t.Unique {
		if t.Distinct(u.Columns...) && !u.Partial && (key == nil || u.Primary) && !slices.ContainsFunc(u.Columns, func(c string) bool { return !writable(c) }) {
			key = u.Columns
		}
	}
	return key
}

// emailOf gives the column that most likely has a person's address.
func (d *drafter) emailOf(t sqlusers.Table) (email sqlusers.Column, ok bool) {
	best := 0
	for _, c := range t.Columns {
		rank, whole := d.lexicon.Whole("field.email", t.Name, c.Name)
		if !whole {
			rank = 1000
		}
		looks := d.lexicon.Looks(t.Name, c.Name) == "an e-mail address" && !d.lexicon.Secret(c.Name)
		if c.Kind == sqlusers.KindText && len(c.Enum) == 0 && !c.Generated && writable(c.Name) && (whole || looks) && (!ok || rank < best) {
			email, best, ok = c, rank, true
		}
	}
	return email, ok
}

// findAccount finds the table where each person has their own row.
func (d *drafter) findAccount() bool {
	var best sqlusers.Table
	most := 0
	for _, t := range d.tables() {
		score := d.score(t)
		if score >= enough {
			d.rivals = append(d.rivals, t.Name)
		}
		if score > most {
			best, most = t, score
		}
	}
	if most < enough {
		return false
	}
	d.rivals = slices.DeleteFunc(d.rivals, func(n string) bool { return n == best.Name })
	p := &place{name: "profile", table: best, key: keyOf(best), fields: map[string]inbox.Field{}}
	d.places = []*place{p}
	d.takeFields(p)
	return true
}

// enough is the score below which a table is not taken for that of the people.
const enough = 6

// score says how much a table looks like that of the people; 0 where it cannot
// be.
func (d *drafter) score(t sqlusers.Table) int {
	email, ok := d.emailOf(t)
	if _, whole := d.lexicon.Whole("field.email", t.Name, email.Name); !ok || !whole || len(keyOf(t)) != 1 {
		return 0
	}
	score := 2
	add := func(n int, ok bool) {
		if ok {
			score += n
		}
	}
	add(5, d.lexicon.People(t.Name))
	add(2, d.lexicon.Last("account", t.Name))
	add(-8, d.lexicon.Any("apart", t.Name))
	has := func(f func(sqlusers.Column) bool) bool { return slices.ContainsFunc(t.Columns, f) }
	add(4, has(func(c sqlusers.Column) bool { return c.Kind == sqlusers.KindText && d.lexicon.Secret(c.Name) }))
	for _, m := range []string{"seen", "active", "inactive", "since", "field.full_name", "field.family_name"} {
		add(1, has(func(c sqlusers.Column) bool { _, ok := d.lexicon.Whole(m, t.Name, c.Name); return ok }))
	}
	return score + min(5, d.references(t))
}

// references counts the tables that refer to a table, or seem to.
func (d *drafter) references(t sqlusers.Table) (n int) {
	for _, o := range d.tables() {
		refers := slices.ContainsFunc(o.Foreign, func(f sqlusers.ForeignKey) bool { return f.Table == t.Name }) ||
			slices.ContainsFunc(o.Columns, func(c sqlusers.Column) bool { return d.lexicon.Points(c.Name, t.Name) })
		if refers && o.Name != t.Name {
			n++
		}
	}
	return n
}

// takeFields finds the fields that people may change in a place, each where it
// is likeliest.
func (d *drafter) takeFields(p *place) {
	best := map[inbox.Field]int{}
	where := map[inbox.Field]string{}
	if email, ok := d.emailOf(p.table); ok && p.parent == nil && p.column.Name == "" {
		best[inbox.FieldEmail], where[inbox.FieldEmail] = -1, email.Name
	}
	for _, c := range p.table.Columns {
		f, rank := d.lexicon.Field(p.table.Name, c.Name)
		if now, taken := best[f]; f == "" || taken && now <= rank || d.fields[f] || !d.editable(p, f, c) {
			continue
		}
		best[f], where[f] = rank, c.Name
	}
	for f, name := range where {
		p.fields[name], d.fields[f] = f, true
	}
}

// editable tells whether a column can hold what people write for a field.
func (d *drafter) editable(p *place, f inbox.Field, c sqlusers.Column) bool {
	if c.Generated || !writable(c.Name) || slices.Contains(p.key, c.Name) || c.Name == p.column.Name || d.lexicon.Secret(c.Name) {
		return false
	}
	switch {
	case f == inbox.FieldEmail:
		return false // the account's alone, and found before
	case f == inbox.FieldBirth:
		return c.Kind == sqlusers.KindDate || c.Kind == sqlusers.KindTime || c.Kind == sqlusers.KindText
	}
	return c.Kind == sqlusers.KindText || len(c.Enum) > 0
}

// differs tells whether rows may have to differ in a column, by whatever index.
func differs(t sqlusers.Table, column string) bool {
	return slices.ContainsFunc(t.Unique, func(u sqlusers.Unique) bool { return len(u.Columns) == 1 && u.Columns[0] == column })
}

// alone tells whether no two rows have the same value in a column.
func alone(t sqlusers.Table, column string) bool {
	return slices.ContainsFunc(t.Unique, func(u sqlusers.Unique) bool {
		return !u.Partial && len(u.Columns) == 1 && u.Columns[0] == column
	})
}
