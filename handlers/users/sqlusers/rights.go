package sqlusers

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users/datamap"
)

// Lack is something that the data map needs, and that the database does not let
// us do.
type Lack struct {
	Place   string // of the map; "": the table supportd_effects
	Table   string
	Verb    string   // SELECT, UPDATE, INSERT, DELETE, or SELECT FOR UPDATE
	Columns []string // where it is about single columns
	Err     error    // what the database said, with a hint
}

// Rights tries every kind of statement that the data map needs, in a
// transaction that is rolled back, and the search for an address. No statement
// finds a row, but those that begin with a blank by the search; triggers of a
// statement (not those of a row) run all the same, and are undone. It fails
// when the map does not fit the database, or the database does not answer.
func (s *Store) Rights(ctx context.Context) ([]Lack, error) {
	lacks, err := s.rights(ctx)
	if err != nil {
		return nil, fmt.Errorf("trying the rights: %w", err)
	}
	return lacks, nil
}

func (s *Store) rights(ctx context.Context) ([]Lack, error) {
	l, err := s.refit(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := s.begin(ctx, s.d.begin, &sql.TxOptions{Isolation: s.d.isolation})
	switch {
	case isClass(err, classReadOnly):
		return []Lack{{Table: EffectsTable, Verb: "INSERT", Err: err}}, nil
	case err != nil:
		return nil, err
	}
	defer tx.Rollback()
	t := &trial{s: s, ctx: ctx, tx: tx}
	for _, n := range s.needs(l) {
		if err := t.try(n); err != nil || t.readOnly {
			return t.lacks, err
		}
	}
	return t.lacks, nil
}

// need is a statement that the map leads to.
type need struct {
	place, table, quoted string
	verb                 string
	columns              []Column
	search               bool // of the one column for an address, as it is done for every mail
}

// needs lists what carrying out anything may take.
func (s *Store) needs(l *layout) (all []need) {
	if l.effects {
		n := need{table: EffectsTable, quoted: EffectsTable, verb: "SELECT", columns: []Column{{Name: "kind"}, {Name: "digest"}, {Name: "plan"}}}
		all = append(all, n)
		n.verb, n.columns = "INSERT", append(n.columns, Column{Name: "key"}, Column{Name: "at"})
		all = append(all, n)
	}
	for _, p := range l.places {
		add := func(verb string, columns []Column) {
			if columns = once(columns); len(columns) > 0 {
				all = append(all, need{p.Name, p.table.Name, p.table.quoted, verb, columns, false})
			}
		}
		add("SELECT", p.read())
		if c := l.searched(p); c != nil {
			all = append(all, need{p.Name, p.table.Name, p.table.quoted, "SELECT", []Column{*c}, true})
		}
		if s.d.lock != "" && (p.account() || p.byAddress() || p.Single && p.editable()) {
			add("SELECT FOR UPDATE", p.keys)
		}
		add("UPDATE", slices.DeleteFunc(p.written(s.d), func(c Column) bool { return c.Generated }))
		if p.Single && !p.account() && p.editable() {
			add("INSERT", p.inserted())
		}
		if p.Erase == datamap.EraseRows {
			add("DELETE", p.keys)
		}
	}
	return all
}

// searched gives the column of a place that people are found by; nil: none.
func (l *layout) searched(p *place) *Column {
	switch {
	case p.account():
		return l.email
	case p.byAddress():
		return &p.link
	}
	return nil
}

// read lists the columns that are ever read.
func (p *place) read() []Column {
	all := append(p.all(), p.shown()...)
	for _, c := range p.columns {
		if p.blanks(c) {
			all = append(all, c.source...)
		}
	}
	for _, m := range p.where {
		all = append(all, m.column)
	}
	return all
}

// blanks tells whether a delete writes into a column.
func (p *place) blanks(c column) bool {
	return p.Erase == datamap.EraseValues && c.Erase.Op != datamap.RuleKeep
}

// written lists the columns that are ever updated.
func (p *place) written(d *dialect) (all []Column) {
	for _, c := range p.columns {
		if p.Single && !c.Fixed || p.blanks(c) {
			all = append(all, c.source...)
		}
	}
	for _, c := range []*Column{p.active, p.withdrawn} {
		if c != nil {
			all = append(all, *c)
		}
	}
	if p.Readdressed() {
		all = append(all, p.link)
	}
	for _, f := range p.table.Foreign { // rows of one table that hang on each other
		if d.copies && p.Erase == datamap.EraseRows && f.Table == p.table.Name && f.holds() {
			for _, a := range nulls(p, f) {
				all = append(all, a.column)
			}
		}
	}
	return all
}

// inserted lists the columns of a row that is new.
func (p *place) inserted() []Column {
	all := []Column{p.link}
	for _, m := range p.where {
		all = append(all, m.column)
	}
	for _, c := range p.columns {
		if !c.Fixed {
			all = append(all, c.source...)
		}
	}
	return all
}

// trial tries needs in one transaction.
type trial struct {
	s        *Store
	ctx      context.Context
	tx       *sql.Tx
	lacks    []Lack
	readOnly bool // nothing can be written, whatever it is
}

// try notes what of a need is lacking: single columns, where others are there.
func (t *trial) try(n need) error {
	if last := len(t.lacks) - 1; n.search && last >= 0 && t.lacks[last].Place == n.place {
		return nil // it cannot even be read
	}
	lack, err := t.run(n)
	if err != nil || lack == nil {
		return err
	}
	whole := Lack{Place: n.place, Table: n.table, Verb: n.verb, Err: lack}
	if t.readOnly = isClass(lack, classReadOnly); !t.readOnly && n.verb != "DELETE" && len(n.columns) > 1 {
		some := 0
		for _, c := range n.columns {
			single := n
			single.columns = []Column{c}
			bad, err := t.run(single)
			switch {
			case err != nil:
				return err
			case bad != nil:
				whole.Columns = append(whole.Columns, c.Name)
			default:
				some++
			}
		}
		if some == 0 {
			whole.Columns = nil
		}
	}
	if n.search {
		whole.Columns = []string{n.columns[0].Name}
	}
	t.lacks = append(t.lacks, whole)
	return nil
}

// run runs the statement of a need; lack is why the database refuses it.
func (t *trial) run(n need) (lack, err error) {
	const mark = "supportd_right"
	if _, err := t.tx.ExecContext(t.ctx, "SAVEPOINT "+mark); err != nil {
		return nil, t.s.failed(t.ctx, err)
	}
	if lack = t.refused(n); isClass(lack, classPassing) || t.ctx.Err() != nil {
		return nil, lack
	}
	if isClass(lack, classConstraint) || isClass(lack, classUnique) || isClass(lack, classValue) {
		lack = nil // it is about values, of which there are none: the right is there
	}
	for _, q := range []string{"ROLLBACK TO SAVEPOINT ", "RELEASE SAVEPOINT "} {
		if _, err := t.tx.ExecContext(t.ctx, q+mark); err != nil {
			return nil, t.s.failed(t.ctx, err)
		}
	}
	return lack, nil
}

// refused runs the statement and gives the database's error.
func (t *trial) refused(n need) error {
	if n.search {
		q := t.s.statement("SELECT 1 FROM ")
		q.add(n.quoted, " AS t0 WHERE ")
		q.begins(0, n.columns[0], "nobody@supportd.invalid")
		return t.s.read(t.ctx, t.tx, q, []Column{{Kind: KindInt}}, func([]value) bool { return true })
	}
	_, err := t.tx.ExecContext(t.ctx, t.s.d.harmless(n))
	return t.s.failed(t.ctx, err)
}

// harmless words a need so that it finds no row.
func (d *dialect) harmless(n need) string {
	var plain, read, same []string
	for _, c := range n.columns {
		name := d.quote(c.Name)
		plain, read, same = append(plain, name), append(read, "t0."+name), append(same, name+" = t0."+name)
	}
	list := func(s []string) string { return strings.Join(s, ", ") }
	from := " FROM " + n.quoted + " AS t0 WHERE 1 = 0"
	switch n.verb {
	case "UPDATE":
		return "UPDATE " + n.quoted + " AS t0 SET " + list(same) + " WHERE 1 = 0"
	case "INSERT": // a right to write needs no right to read
		return "INSERT INTO " + n.quoted + " (" + list(plain) + ") SELECT NULL" + strings.Repeat(", NULL", len(plain)-1) +
			" FROM (SELECT 1 AS one) AS t0 WHERE 1 = 0"
	case "DELETE":
		if d.copies {
			return "DELETE t0" + from
		}
		return "DELETE" + from
	case "SELECT FOR UPDATE":
		return "SELECT " + list(read) + from + d.lock
	}
	return "SELECT " + list(read) + from
}
