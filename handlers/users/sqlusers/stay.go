package sqlusers

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"push.guru/supportd/inbox"
)

// staying counts, before an erasure, the subject's rows of every place that
// stays, where they can be found afterwards, too.
func (w *work) staying(erasures []inbox.Step) (map[*place]int, error) {
	if len(erasures) == 0 {
		return nil, nil
	}
	counts := map[*place]int{}
	for _, p := range w.l.of(w.e.Plan) {
		if !w.found(p) {
			continue
		}
		n, err := w.count(p, w.who)
		if err != nil {
			return nil, err
		}
		counts[p] = n
	}
	return counts, nil
}

// stayed compares what is there now with what there was: the person is told
// that it is kept.
func (w *work) stayed(before map[*place]int) error {
	for _, p := range w.l.places {
		was, counted := before[p]
		if !counted {
			continue
		}
		n, err := w.count(p, w.who)
		if err != nil {
			return err
		}
		if n < was {
			return &inbox.Error{Err: fmt.Errorf("the place %q held %d records that were to stay, and holds %d after the others went", p.Name, was, n),
				Hint: "does a trigger or a reference take them along? nothing was changed"}
		}
	}
	return nil
}

// found tells whether the rows of a place stay, and are still found as the
// subject's when the steps were carried out.
func (w *work) found(p *place) bool {
	gone := func(step inbox.Step) bool { return step.Place == p.Name && step.Op == inbox.StepRemove }
	if slices.ContainsFunc(w.e.Plan.Steps, gone) || p.account() && w.who.id == "" {
		return false
	}
	names := []string{p.link.Name}
	for _, m := range p.where {
		names = append(names, m.column.Name)
	}
	if slices.ContainsFunc(names, func(name string) bool { return w.blanks(p, name) }) {
		return false
	}
	return p.parent == nil || p.byID() || w.found(p.parent) && !w.blanks(p.parent, p.to.Name)
}

// blanks tells whether a step writes into a column of a place that stays.
func (w *work) blanks(p *place, name string) bool {
	return slices.ContainsFunc(w.e.Plan.Steps, func(step inbox.Step) bool {
		if step.Place != p.Name || step.Op != inbox.StepBlank {
			return false
		}
		c := p.column(step.Field)
		return c != nil && slices.ContainsFunc(c.source, func(from Column) bool { return from.Name == name })
	})
}

// count gives the number of a subject's rows of a place.
func (w *work) count(p *place, who subject) (n int, err error) {
	for _, part := range who.groups(p) {
		more, err := w.countOf(p, part)
		if err != nil {
			return 0, err
		}
		n += more
	}
	return n, nil
}

func (w *work) countOf(p *place, who subject) (int, error) {
	q := w.s.statement("SELECT count(*) FROM ")
	q.add(p.table.quoted, " AS t0 WHERE ")
	q.belongs(0, p, who)
	n, failed := 0, error(nil)
	err := w.s.read(w.ctx, w.tx, q, []Column{{Kind: KindInt}}, func(v []value) bool {
		n, failed = strconv.Atoi(v[0].text)
		return false
	})
	return n, errors.Join(err, failed)
}
