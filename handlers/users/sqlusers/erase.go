package sqlusers

import (
	"errors"
	"fmt"
	"slices"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// erasure is what happens to the subject's rows of one place.
type erasure struct {
	place  *place
	steps  []inbox.Step
	remove bool
	blank  []blank
}

// blank is a column of the table, and what becomes of its values.
type blank struct {
	column Column
	rule   datamap.Rule
}

// erase carries out the steps that take away, in an order that the database
// allows. Each place is read again at once, while the rows that it hangs on
// are still there.
func (w *work) erase(steps []inbox.Step) error {
	all, err := w.erasures(steps)
	if err != nil {
		return err
	}
	if err := w.refuseSharedRows(all); err != nil {
		return err
	}
	ordered, err := w.order(all)
	if err != nil {
		return err
	}
	for _, e := range ordered {
		if err := w.erasePlace(e); err != nil {
			return fmt.Errorf("the place %q: %w", e.place.Name, err)
		}
		if err := w.nothingLeft(e.steps); err != nil {
			return err
		}
	}
	return nil
}

// erasures groups the steps by place, the last place of the map first.
func (w *work) erasures(steps []inbox.Step) (all []*erasure, err error) {
	for _, p := range slices.Backward(w.l.places) {
		e := &erasure{place: p}
		for _, step := range steps {
			if step.Place != p.Name {
				continue
			}
			e.steps = append(e.steps, step)
			if step.Op == inbox.StepRemove {
				e.remove = true
				continue
			}
			c := p.column(step.Field)
			if c == nil {
				return nil, unfit(step)
			}
			for _, from := range c.source {
				e.blank = append(e.blank, blank{from, ruleOf(step.New)})
			}
		}
		if len(e.steps) > 0 {
			all = append(all, e)
		}
	}
	return all, nil
}

// refuseSharedRows fails where rows would go that are linked by an address, or
// hang on such rows, and another account has the address, too.
func (w *work) refuseSharedRows(all []*erasure) error {
	for _, e := range all {
		if !e.place.root().byAddress() || len(w.who.addresses) == 0 {
			continue
		}
		n, err := w.count(e.place, w.who)
		if err == nil && n > 0 {
			err = w.refuseShared(w.who.addresses[0])
		}
		if err != nil {
			return fmt.Errorf("the place %q: %w", e.place.Name, err)
		}
	}
	return nil
}

func (w *work) erasePlace(e *erasure) error {
	switch {
	case e.remove:
		return w.remove(e.place)
	case slices.ContainsFunc(e.blank, func(b blank) bool { return b.rule.Op == datamap.RuleHash || b.rule.Op == datamap.RuleInvalid }):
		return w.blankEach(e)
	}
	var set []assignment
	for _, b := range e.blank {
		a, _, err := w.blanked(e.place, b, value{})
		if err != nil {
			return err
		}
		set = append(set, a)
	}
	_, err := w.updateAll(e.place, set)
	return err
}

// remove deletes the subject's rows of a place.
func (w *work) remove(p *place) error {
	if f := w.tied(p); f != nil && !w.spare(p, *f) {
		return w.removeEach(p, nulls(p, *f))
	} else if f != nil {
		if _, err := w.updateAll(p, nulls(p, *f)); err != nil {
			return err
		}
	}
	for _, part := range w.who.groups(p) {
		q := w.deleteFrom(p)
		q.belongs(0, p, part)
		if _, err := w.s.write(w.ctx, w.tx, q); err != nil {
			return err
		}
	}
	return nil
}

// tied gives the reference by which rows of one table hang on each other, where
// the database looks at it row by row; nil: none.
func (w *work) tied(p *place) *ForeignKey {
	for i, f := range p.table.Foreign {
		if w.s.d.copies && f.Table == p.table.Name && f.holds() {
			return &p.table.Foreign[i]
		}
	}
	return nil
}

// eachMost is how many rows are remembered by their keys.
const eachMost = 100_000

// removeEach deletes rows that are found by what keeps them from going: it
// remembers them, takes that out, and deletes them by their keys.
func (w *work) removeEach(p *place, set []assignment) error {
	var all []row
	err := w.s.pages(w.ctx, w.tx, p, w.who, p.keys, func(r row) error {
		if all = append(all, r); len(all) > eachMost {
			return errors.New("too many rows refer to each other")
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range all {
		if _, err := w.update(p, r, set); err != nil {
			return err
		}
	}
	for _, r := range all {
		q := w.deleteFrom(p)
		q.keyed(p, r)
		if _, err := w.s.write(w.ctx, w.tx, q); err != nil {
			return err
		}
	}
	return nil
}

// deleteFrom begins a DELETE.
func (w *work) deleteFrom(p *place) *statement {
	q := w.s.statement("DELETE ")
	q.target = p.table.quoted
	if w.s.d.copies {
		q.add("t0 ")
	}
	q.add("FROM ", p.table.quoted, " AS t0 WHERE ")
	return q
}

// updateAll writes the same into all of the subject's rows of a place, and tells
// how many they were.
func (w *work) updateAll(p *place, set []assignment) (n int64, err error) {
	for _, part := range w.who.groups(p) {
		more, err := w.updateOf(p, part, set)
		if err != nil {
			return n, err
		}
		n += more
	}
	return n, nil
}

func (w *work) updateOf(p *place, who subject, set []assignment) (int64, error) {
	q := w.s.statement("UPDATE ")
	q.target = p.table.quoted
	q.add(p.table.quoted, " AS t0 SET ")
	q.assign(set)
	q.add(" WHERE ")
	q.belongs(0, p, who)
	return w.s.write(w.ctx, w.tx, q)
}

// blankEach writes into the subject's rows what depends on what is in them.
func (w *work) blankEach(e *erasure) error {
	columns := slices.Clone(e.place.keys)
	for _, b := range e.blank {
		columns = append(columns, b.column)
	}
	b := &batch{w: w, p: e.place}
	err := w.s.pages(w.ctx, w.tx, e.place, w.who, once(columns), func(r row) error {
		set, err := w.blankedRow(e, r)
		if err != nil || set == nil {
			return err
		}
		return b.add(r, set)
	})
	if err != nil {
		return err
	}
	return b.flush()
}

// blankedRow says what becomes of a row, column by column; nil: it stays as it is.
func (w *work) blankedRow(e *erasure, r row) (set []assignment, err error) {
	changes := false
	for _, b := range e.blank {
		a, needed, err := w.blanked(e.place, b, r[b.column.Name])
		if err != nil {
			return nil, err
		}
		if changes = changes || needed; !needed {
			a.value = r[b.column.Name]
		}
		set = overlay(set, []assignment{a})
	}
	if !changes {
		return nil, nil
	}
	return set, nil
}

// blanked says what becomes of a value; needed is false when there is nothing
// to hide.
func (w *work) blanked(p *place, b blank, v value) (a assignment, needed bool, err error) {
	a.column = b.column
	switch b.rule.Op {
	case datamap.RuleNull:
		a.value, err = b.column.nothing(p)
		return a, true, err
	case datamap.RuleValue:
		a.value = value{text: b.rule.Value, held: true}
		return a, true, nil
	case datamap.RuleHash, datamap.RuleInvalid:
		if done(b.rule, b.column, v, w.s.seal) {
			return a, false, nil
		}
		text, ok := invalidAddress(b.column.Length)
		if b.rule.Op == datamap.RuleHash {
			text, ok = w.s.seal.hashOf(p.Name, b.column.Name, v.text, b.column.Length)
		}
		if !ok || b.column.Kind != KindText {
			return a, false, &inbox.Error{Err: fmt.Errorf("column %q of the place %q is too short for what the rule %q writes, or holds no text", b.column.Name, p.Name, b.rule.Op),
				Hint: "give the column another rule in the data map, or remove the rows"}
		}
		a.value = value{text: text, held: true}
		return a, true, nil
	}
	return a, false, fmt.Errorf("column %q of the place %q: no rule is called %q", b.column.Name, p.Name, b.rule.Op)
}

// edge says that the rows of one place go before those of another: because they
// are found by them, or because they refer to them.
type edge struct {
	first, then *erasure
	foreign     *ForeignKey // nil: found by them
}

// order sorts the erasures so that no row goes before what hangs on it. A ring
// is opened where a reference may be NULL, or else by remembering what the rows
// are found by.
func (w *work) order(all []*erasure) (ordered []*erasure, err error) {
	edges := w.edges(all)
	for len(all) > 0 {
		i := slices.IndexFunc(all, func(e *erasure) bool {
			return !slices.ContainsFunc(edges, func(g edge) bool { return g.then == e })
		})
		if i < 0 {
			if edges, err = w.open(edges); err != nil {
				return nil, err
			}
			continue
		}
		next := all[i]
		ordered, all = append(ordered, next), slices.Delete(all, i, i+1)
		edges = slices.DeleteFunc(edges, func(g edge) bool { return g.first == next })
	}
	return ordered, nil
}

func (w *work) edges(all []*erasure) (edges []edge) {
	for _, a := range all {
		for _, b := range all {
			if a == b {
				continue
			}
			if p := a.place; p.parent == b.place && !p.byID() {
				edges = append(edges, edge{first: a, then: b})
			}
			for i, f := range a.place.table.Foreign {
				if b.remove && f.Table == b.place.table.Name && f.Table != a.place.table.Name && f.holds() {
					edges = append(edges, edge{first: a, then: b, foreign: &a.place.table.Foreign[i]})
				}
			}
		}
	}
	return edges
}

// holds tells whether a reference keeps a row from going.
func (f ForeignKey) holds() bool { return f.OnDelete != "cascade" && f.OnDelete != "set null" }

// spare tells whether a reference can be taken out of rows that go anyway: no
// link needs it, and it may be NULL.
func (w *work) spare(p *place, f ForeignKey) bool {
	for _, name := range f.Columns {
		c, ok := p.table.Column(name)
		if !ok || !c.Null || p.link.Name == c.Name || slices.ContainsFunc(p.keys, func(k Column) bool { return k.Name == c.Name }) ||
			slices.ContainsFunc(p.where, func(m match) bool { return m.column.Name == c.Name }) ||
			slices.ContainsFunc(w.l.places, func(child *place) bool { return child.parent == p && child.to.Name == c.Name }) {
			return false
		}
	}
	return true
}

func nulls(p *place, f ForeignKey) (set []assignment) {
	for _, name := range f.Columns {
		if c, ok := p.table.Column(name); ok {
			set = append(set, assignment{c, value{}})
		}
	}
	return set
}

// open takes one edge out of a ring.
func (w *work) open(edges []edge) ([]edge, error) {
	for i, g := range edges {
		if g.foreign != nil && g.first.remove && w.spare(g.first.place, *g.foreign) {
			_, err := w.updateAll(g.first.place, nulls(g.first.place, *g.foreign))
			return slices.Delete(edges, i, i+1), err
		}
	}
	for i, g := range edges {
		if g.foreign == nil {
			err := w.freeze(g.first.place)
			return slices.Delete(edges, i, i+1), err
		}
	}
	return edges[1:], nil // the database may look at its references at the end
}

// frozenMost is how many links are remembered.
const frozenMost = 1000

// freeze remembers what the rows of a place are found by, so that the rows that
// have it can go first.
func (w *work) freeze(p *place) error {
	if w.who.frozen == nil {
		w.who.frozen = map[*place][]string{}
	}
	values := []string{}
	err := w.s.pages(w.ctx, w.tx, p.parent, w.who, once(append(slices.Clone(p.parent.keys), p.to)), func(r row) error {
		if v := r[p.to.Name]; v.held && !slices.Contains(values, v.text) {
			values = append(values, v.text)
		}
		if len(values) > frozenMost {
			return errors.New("the tables refer to each other in a ring, by too many rows")
		}
		return nil
	})
	w.who.frozen[p] = values
	return err
}
