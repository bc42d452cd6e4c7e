package sqlusers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// Left implements users.Store.
func (s *Store) Left(ctx context.Context, p users.Person, plan inbox.Plan) ([]inbox.Step, error) {
	left, err := s.remaining(ctx, p, plan)
	if err != nil {
		return nil, fmt.Errorf("looking for what is left: %w", s.placed(ctx, err))
	}
	return left, nil
}

func (s *Store) remaining(ctx context.Context, p users.Person, plan inbox.Plan) ([]inbox.Step, error) {
	l, err := s.fit(ctx)
	if err != nil {
		return nil, err
	}
	who, err := s.whose(ctx, l, l.of(plan), p, p.Address())
	if err != nil {
		return nil, err
	}
	return s.left(ctx, s.db, l, who, plan.Steps)
}

// of lists the places of a plan, also those that it keeps.
func (l *layout) of(plan inbox.Plan) (all []*place) {
	add := func(name string) {
		if p := l.place(name); p != nil && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	for _, step := range plan.Steps {
		add(step.Place)
	}
	for _, k := range plan.Keeps {
		add(k.Place)
	}
	return all
}

// left gives the steps that are to take something away and have not, in their
// order.
func (s *Store) left(ctx context.Context, db querier, l *layout, who subject, steps []inbox.Step) (left []inbox.Step, err error) {
	for _, p := range l.places {
		held, err := s.heldOf(ctx, db, p, who, steps)
		if err != nil {
			return nil, err
		}
		left = append(left, held...)
	}
	for _, step := range steps {
		if l.place(step.Place) == nil {
			return nil, unfit(step)
		}
	}
	return left, nil
}

// heldOf gives those of the steps on p that have not taken away what they were
// to: it looks at the rows until each of them is found, or there are no more.
func (s *Store) heldOf(ctx context.Context, db querier, p *place, who subject, steps []inbox.Step) (left []inbox.Step, err error) {
	open := map[int]test{}
	columns := p.keys
	for i, step := range steps {
		if step.Place != p.Name {
			continue
		}
		t, err := p.test(step, s.seal)
		if err != nil {
			return nil, err
		}
		if t.holds != nil {
			open[i] = t
			columns = append(columns[:len(columns):len(columns)], t.columns...)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	found := map[int]bool{}
	err = s.pages(ctx, db, p, who, once(columns), func(r row) error {
		for i, t := range open {
			if t.holds(r) {
				found[i] = true
				delete(open, i)
			}
		}
		if len(open) == 0 {
			return errStopped
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStopped) {
		return nil, err
	}
	for i, step := range steps {
		if found[i] {
			left = append(left, step)
		}
	}
	return left, nil
}

// test says of a row whether a step has left something in it; holds is nil when
// the step takes nothing away.
type test struct {
	columns []Column
	holds   func(row) bool
}

func (p *place) test(step inbox.Step, seal *sealer) (test, error) {
	if step.Op == inbox.StepRemove {
		return test{holds: func(row) bool { return true }}, nil
	}
	if step.Op != inbox.StepClear && step.Op != inbox.StepBlank {
		return test{}, nil
	}
	c := p.column(step.Field)
	if c == nil {
		return test{}, unfit(step)
	}
	rule := ruleOf(step.New)
	if step.Op == inbox.StepClear {
		rule = datamap.Rule{Op: datamap.RuleNull}
	}
	return test{columns: c.source, holds: func(r row) bool {
		for _, from := range c.source {
			if !done(rule, from, r[from.Name], seal) {
				return true
			}
		}
		return false
	}}, nil
}

// ruleOf reads what a step of StepBlank says.
func ruleOf(text string) datamap.Rule {
	if v, ok := strings.CutPrefix(text, "="); ok {
		return datamap.Rule{Op: datamap.RuleValue, Value: v}
	}
	return datamap.Rule{Op: datamap.RuleOp(text)}
}

// done tells whether a value is what the rule makes of one.
func done(rule datamap.Rule, c Column, v value, seal *sealer) bool {
	switch rule.Op {
	case datamap.RuleValue:
		return v.held && sameValue(c, v.text, rule.Value)
	case datamap.RuleHash:
		return v.empty() || seal.isHash(v.text)
	case datamap.RuleInvalid:
		return v.empty() || isInvalidAddress(v.text)
	}
	return v.empty()
}

// sameValue tells whether the column writes both texts as one value.
func sameValue(c Column, a, b string) bool {
	if c.Kind == KindNumber || c.Kind == KindInt {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		return errX == nil && errY == nil && x == y
	}
	return c.worded(a) == c.worded(b)
}

// once gives the columns without those that come again.
func once(columns []Column) (all []Column) {
	seen := map[string]bool{}
	for _, c := range columns {
		if !seen[c.Name] {
			all = append(all, c)
		}
		seen[c.Name] = true
	}
	return all
}
