package sqlusers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// assignment is a column and what it is to hold.
type assignment struct {
	column Column
	value  value
}

// change carries out the steps that change values, place by place.
func (w *work) change(steps []inbox.Step) error {
	for _, p := range w.l.places {
		var here []inbox.Step
		for _, step := range steps {
			if step.Place == p.Name {
				here = append(here, step)
			}
		}
		if len(here) == 0 {
			continue
		}
		if p.account() && w.account == nil || !p.Single {
			return unfit(here[0])
		}
		if err := w.changePlace(p, here); err != nil {
			return w.explained(p, here, err)
		}
	}
	return nil
}

// changePlace compares the old values, writes the new ones, and reads again
// what the database has made of them.
func (w *work) changePlace(p *place, steps []inbox.Step) error {
	r, err := w.row(p)
	if err != nil {
		return err
	}
	var set []assignment
	for _, step := range steps {
		more, err := w.assign(p, r, step)
		if err != nil {
			return err
		}
		set = overlay(set, more)
	}
	if err := w.put(p, r, set); err != nil {
		return err
	}
	now, err := w.row(p)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if !p.came(step, now) {
			return &inbox.Error{Err: fmt.Errorf("the database made something else of %s of the place %q", step.Field, p.Name),
				Hint: "is it cut, converted or changed by a trigger? nothing was changed"}
		}
	}
	return nil
}

// row gives the person's row in a place of one row a person, locked; nil when
// there is none.
func (w *work) row(p *place) (row, error) {
	rows, err := w.s.few(w.ctx, w.tx, p, w.who, 2, w.s.d.lock)
	switch {
	case err != nil:
		return nil, err
	case len(rows) > 1:
		return nil, &inbox.Error{Err: fmt.Errorf("the place %q has several rows of one person, and the data map says that it has one", p.Name),
			Hint: "correct the map, or remove the row that is too many"}
	case len(rows) == 0:
		return nil, nil
	}
	return rows[0], nil
}

// overlay gives the assignments of both, the later where a column is in both.
func overlay(set, more []assignment) []assignment {
	for _, m := range more {
		if i := slices.IndexFunc(set, func(a assignment) bool { return a.column.Name == m.column.Name }); i >= 0 {
			set[i] = m
			continue
		}
		set = append(set, m)
	}
	return set
}

// assign says what a step writes into the row r, which may be none.
func (w *work) assign(p *place, r row, step inbox.Step) ([]assignment, error) {
	switch step.Op {
	case inbox.StepDeactivate, inbox.StepReactivate, inbox.StepWithdraw:
		if p.account() {
			return w.assignAccount(p, step)
		}
		return nil, unfit(step)
	case inbox.StepSet, inbox.StepAdd, inbox.StepClear:
	default:
		return nil, unfit(step)
	}
	c := p.column(step.Field)
	if c == nil || c.Fixed {
		return nil, unfit(step)
	}
	if step.Op == inbox.StepClear {
		return cleared(p, c.source)
	}
	if c.joined(r) != step.Old {
		return nil, users.ErrChanged
	}
	if step.Field == inbox.FieldEmail && p.account() {
		if err := w.refuseTaken(step.New); err != nil {
			return nil, err
		}
	}
	return c.split(step)
}

// split shares a new value out to the columns.
func (c column) split(step inbox.Step) (set []assignment, err error) {
	parts := []string{step.New}
	if len(c.source) > 1 {
		parts = strings.Fields(step.New)
	}
	if len(parts) != len(c.source) {
		return nil, datamap.Refuse(datamap.ReasonParts, step.Field)
	}
	for i, to := range c.source {
		v, reason := to.fitted(parts[i])
		if reason != "" {
			return nil, datamap.Refuse(reason, step.Field)
		}
		set = append(set, assignment{to, value{text: v, held: true}})
	}
	return set, nil
}

// fitted gives the value as the column takes it, or why it does not.
func (c Column) fitted(v string) (string, datamap.Reason) {
	if c.Length > 0 && utf8.RuneCountInString(v) > c.Length {
		return "", datamap.ReasonTooLong
	}
	if len(c.Enum) > 0 && !slices.Contains(c.Enum, v) {
		i := slices.IndexFunc(c.Enum, func(e string) bool { return strings.EqualFold(e, v) })
		if i < 0 {
			return "", datamap.ReasonInvalid
		}
		v = c.Enum[i]
	}
	return v, ""
}

// cleared empties columns.
func cleared(p *place, columns []Column) (set []assignment, err error) {
	for _, c := range columns {
		v, err := c.nothing(p)
		if err != nil {
			return nil, err
		}
		set = append(set, assignment{c, v})
	}
	return set, nil
}

// nothing is what a column holds when it holds nothing: NULL, or "" where it
// cannot be NULL.
func (c Column) nothing(p *place) (value, error) {
	switch {
	case c.Null:
		return value{}, nil
	case c.Kind == KindText:
		return value{text: "", held: true}, nil
	}
	return value{}, &inbox.Error{Err: fmt.Errorf("column %q of the place %q cannot be empty", c.Name, p.Name),
		Hint: "let the column be NULL, or give the data map another rule for it"}
}

// assignAccount says what changes whether the account is active, or that an
// objection was recorded.
func (w *work) assignAccount(p *place, step inbox.Step) ([]assignment, error) {
	now := time.Now().UTC().Truncate(time.Second)
	if step.Op == inbox.StepWithdraw {
		if p.withdrawn == nil {
			return nil, lacking(p, "objections", "withdrawn")
		}
		return []assignment{{*p.withdrawn, value{text: w.s.written(*p.withdrawn, now), held: true}}}, nil
	}
	if p.active == nil {
		return nil, lacking(p, "whether an account is active", "active")
	}
	sw := p.Account.Active
	v := value{text: sw.On, held: true}
	switch off := step.Op == inbox.StepDeactivate; {
	case off && sw.Time:
		v.text = w.s.written(*p.active, now)
	case off:
		v.text = sw.Off
	case sw.Time:
		return cleared(p, []Column{*p.active})
	}
	return []assignment{{*p.active, v}}, nil
}

func lacking(p *place, what, name string) error {
	return &inbox.Error{Err: fmt.Errorf("the site has no column for %s", what),
		Hint: fmt.Sprintf("name it as %q of the place %q in the data map, or do it by hand", name, p.Name)}
}

// came tells whether a row is what the step was to make of it.
func (p *place) came(step inbox.Step, r row) bool {
	switch step.Op {
	case inbox.StepDeactivate, inbox.StepReactivate:
		return p.isActive(r) == (step.Op == inbox.StepReactivate)
	case inbox.StepWithdraw:
		_, ok := timeOf(r[p.withdrawn.Name].text)
		return ok
	}
	c := p.column(step.Field)
	got := c.joined(r)
	if len(c.source) == 1 && len(c.source[0].Enum) > 0 {
		return strings.EqualFold(got, step.New) // an enum has its own spelling
	}
	return got == step.New || len(c.source) == 1 && step.New != "" && sameValue(c.source[0], got, step.New)
}

// put writes the assignments into the row r, or into a new one.
func (w *work) put(p *place, r row, set []assignment) error {
	if r == nil {
		if !slices.ContainsFunc(set, func(a assignment) bool { return a.value.text != "" }) {
			return nil // what is not there needs not be emptied
		}
		return w.insert(p, set)
	}
	n, err := w.update(p, r, w.s.d.alike(r, set))
	if err == nil && n != 1 {
		err = &inbox.Error{Err: fmt.Errorf("writing one row of the place %q changed %d", p.Name, n), Hint: "does a trigger or a rule stand in the way? nothing was changed"}
	}
	return err
}

// update writes into the row with the keys of r.
func (w *work) update(p *place, r row, set []assignment) (int64, error) {
	q := w.s.statement("UPDATE ")
	q.target = p.table.quoted
	q.add(p.table.quoted, " AS t0 SET ")
	q.assign(set)
	q.add(" WHERE ")
	q.keyed(p, r)
	return w.s.write(w.ctx, w.tx, q)
}

// keyed adds the condition that a row has the keys of r.
func (q *statement) keyed(p *place, r row) {
	for i, k := range p.keys {
		if i > 0 {
			q.add(" AND ")
		}
		if v := r[k.Name]; v.raw != nil {
			q.add(q.d.exact(q.at(0, k)), " = ", q.raw(v.raw))
		} else {
			q.equal(0, k, v.text)
		}
	}
}

// assign adds "column = value, …".
func (q *statement) assign(set []assignment) {
	for i, a := range set {
		if i > 0 {
			q.add(", ")
		}
		q.add(q.d.quote(a.column.Name), " = ")
		q.add(q.value(a))
	}
}

// value gives the parameter of an assignment. What the column surely cannot
// hold is given as it is, and the database says so.
func (q *statement) value(a assignment) string {
	if !a.value.held {
		return "NULL"
	}
	if a.value.raw != nil {
		return q.raw(a.value.raw)
	}
	n := len(q.args)
	p, ok := q.param(a.column, a.value.text)
	if !ok {
		q.args[n] = a.value.text
	}
	return p
}

// insert adds the row that a place of one row a person does not have yet, such
// as a row of key and value.
func (w *work) insert(p *place, set []assignment) error {
	if p.account() {
		return users.ErrNotFound
	}
	link, err := w.linkOf(p)
	if err != nil {
		return err
	}
	all := []assignment{{p.link, link}}
	for _, m := range p.where {
		all = overlay(all, []assignment{{m.column, value{text: m.value, held: true}}})
	}
	all = overlay(all, set)
	q := w.s.statement("INSERT INTO ")
	q.add(p.table.quoted, " (")
	for i, a := range all {
		if i > 0 {
			q.add(", ")
		}
		q.add(w.s.d.quote(a.column.Name))
	}
	q.add(") VALUES (")
	for i, a := range all {
		if i > 0 {
			q.add(", ")
		}
		q.add(q.value(a))
	}
	q.add(")")
	_, err = w.s.write(w.ctx, w.tx, q)
	return err
}

// linkOf gives what links a new row of p to the person.
func (w *work) linkOf(p *place) (value, error) {
	switch {
	case p.byID() && w.who.id != "":
		return value{text: w.who.id, held: true, raw: w.account[p.to.Name].raw}, nil
	case p.byAddress() && len(w.who.addresses) > 0:
		addr := w.who.addresses[0]
		w.who.spelled[p] = append(w.who.spelled[p], addr) // by which it is found from now on
		return value{text: addr, held: true}, nil
	case p.parent != nil:
		var to value
		for _, part := range w.who.groups(p.parent) {
			q := w.s.from(p.parent, []Column{p.to}, part)
			err := w.s.read(w.ctx, w.tx, q, []Column{p.to}, func(v []value) bool { to = v[0]; return false })
			if err != nil || to.held {
				return to, err
			}
		}
	}
	return value{}, &inbox.Error{Err: fmt.Errorf("the place %q has no row of this person, and nothing to link a new one to", p.Name)}
}

// refuseTaken fails when another account has the address.
func (w *work) refuseTaken(addr string) error {
	ids, err := w.s.holders(w.ctx, w.tx, w.l, addr)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id != w.who.id {
			return &users.TakenError{Field: inbox.FieldEmail}
		}
	}
	return nil
}

// explained says of which field the database refused the value, where it can
// be told: the person can give another.
func (w *work) explained(p *place, steps []inbox.Step, err error) error {
	f, ok := errors.AsType[*failure](err)
	switch {
	case !ok:
		return err
	case f.class != classUnique && f.class != classValue:
		return fmt.Errorf("the place %q: %w", p.Name, err)
	}
	fields := fieldsOf(p, steps, f.indexed(p.table))
	switch {
	case f.class == classUnique && len(fields) == 1:
		return &users.TakenError{Field: fields[0]}
	case f.class == classValue && len(fields) == 1:
		return datamap.Refuse(datamap.ReasonInvalid, fields[0])
	}
	return fmt.Errorf("the place %q: %w", p.Name, err)
}

// indexed lists the columns of the unique index that refused; none: not known.
func (f *failure) indexed(t Table) []string {
	if f.class != classUnique || f.columns != nil {
		return f.columns
	}
	for _, u := range t.Unique {
		if u.Name == f.name {
			return u.Columns
		}
	}
	return nil
}

// fieldsOf lists the fields that the steps change, of those columns if there
// are any.
func fieldsOf(p *place, steps []inbox.Step, columns []string) (fields []inbox.Field) {
	for _, step := range steps {
		c := p.column(step.Field)
		if c == nil || step.Op == inbox.StepClear {
			continue
		}
		in := func(s Column) bool { return len(columns) == 0 || slices.Contains(columns, s.Name) }
		if slices.ContainsFunc(c.source, in) {
			fields = append(fields, step.Field)
		}
	}
	return fields
}
