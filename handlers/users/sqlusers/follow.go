package sqlusers

import (
	"errors"
	"fmt"
	"slices"

	"push.guru/supportd/inbox"
)

// followers are the rows that are found by what an effect changes: how many of
// them there are before, in each place.
type followers map[*place]int

// followers counts them. Those that are linked to the new values already count,
// too, because they are found afterwards.
func (w *work) followers(steps []inbox.Step) (followers, error) {
	var all []*place
	for _, p := range w.l.places {
		if w.follows(p, steps) {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	who, err := w.oldAndNew(all)
	if err != nil {
		return nil, err
	}
	who.frozen = map[*place][]string{}
	for _, p := range all {
		step, changed := changes(p.parent, p.to, steps)
		switch {
		case !changed:
		case step.Op == inbox.StepReaddress:
			who.frozen[p] = slices.Clone(who.spelled[p.parent])
			if to := w.newAddress(); !slices.Contains(who.frozen[p], to) {
				who.frozen[p] = append(who.frozen[p], to)
			}
		default:
			if who.frozen[p], err = w.oldAndNewOf(p, step); err != nil {
				return nil, err
			}
		}
	}
	before := followers{}
	for _, p := range all {
		if before[p], err = w.count(p, who); err != nil {
			return nil, err
		}
	}
	return before, nil
}

// followed fails where fewer rows are found than before.
func (w *work) followed(before followers) error {
	if len(before) == 0 {
		return nil
	}
	var all []*place
	for _, p := range w.l.places {
		if _, ok := before[p]; ok {
			all = append(all, p)
		}
	}
	who, err := w.oldAndNew(all)
	if err != nil {
		return err
	}
	for _, p := range all {
		n, err := w.count(p, who)
		switch {
		case err != nil:
			return err
		case n < before[p]:
			return &inbox.Error{Err: fmt.Errorf("the place %q is linked to what changes: %d of its records would be found no more", p.Name, before[p]-n),
				Hint: "nothing was changed: link it to the key in the data map, or let the database take its rows along (ON UPDATE CASCADE)"}
		}
	}
	return nil
}

// follows tells whether the rows of a place are found, at any depth, by what the
// steps change.
func (w *work) follows(p *place, steps []inbox.Step) bool {
	if p.parent == nil {
		return false
	}
	_, changed := changes(p.parent, p.to, steps)
	return changed || w.follows(p.parent, steps)
}

// changes gives the step that writes into a column.
func changes(p *place, column Column, steps []inbox.Step) (inbox.Step, bool) {
	i := slices.IndexFunc(steps, func(step inbox.Step) bool {
		if step.Place != p.Name || step.Op == inbox.StepReaddress {
			return step.Place == p.Name && p.link.Name == column.Name
		}
		c := p.column(step.Field)
		return c != nil && slices.ContainsFunc(c.source, func(from Column) bool { return from.Name == column.Name })
	})
	if i < 0 {
		return inbox.Step{}, false
	}
	return steps[i], true
}

// oldAndNew gives the person with the address that they had and the one that they
// get.
func (w *work) oldAndNew(places []*place) (subject, error) {
	addresses := slices.Clone(w.who.addresses)
	if to := w.newAddress(); to != "" {
		addresses = append(addresses, to)
	}
	return w.s.subject(w.ctx, w.tx, places, w.who.id, addresses...)
}

// oldAndNewOf gives what rows of p are linked to before a step and after it.
// Nothing, where there is nothing.
func (w *work) oldAndNewOf(p *place, step inbox.Step) (values []string, err error) {
	r := w.account
	if !p.parent.account() {
		if r, err = w.row(p.parent); err != nil {
			return nil, err
		}
	}
	if v := r[p.to.Name]; !v.empty() {
		values = append(values, v.text)
	}
	if step.Op == inbox.StepClear {
		return values, nil
	}
	set, err := p.parent.column(step.Field).split(step)
	if _, refused := errors.AsType[*inbox.Error](err); refused {
		return values, nil // the change itself says so
	}
	for _, a := range set {
		if a.column.Name == p.to.Name && !slices.Contains(values, a.value.text) {
			values = append(values, a.value.text)
		}
	}
	return values, err
}
