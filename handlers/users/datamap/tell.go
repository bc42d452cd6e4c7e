package datamap

import (
	"slices"
	"strings"
	"unicode"

	"push.guru/supportd/inbox"
)

// Tell gives the recipients outside the site who must be told of what a plan
// did, each once, in the order of the map, and the fields of their places that
// it touched, in the order of the plan. What only reads or deactivates touches
// nothing.
func (m *Map) Tell(done inbox.Plan) (whom []string, fields []inbox.Field) {
	for _, p := range m.places {
		touched := false
		for _, s := range done.Steps {
			if s.Place != p.Name || len(p.Tell) == 0 || !touches(s.Op) {
				continue
			}
			touched = true
			if s.Field != "" && !slices.Contains(fields, s.Field) {
				fields = append(fields, s.Field)
			}
		}
		for _, name := range p.Tell {
			if touched && !slices.Contains(whom, name) {
				whom = append(whom, name)
			}
		}
	}
	return whom, fields
}

// touches tells whether a step changes what somebody may have been given.
func touches(op inbox.StepOp) bool {
	switch op {
	case inbox.StepSet, inbox.StepAdd, inbox.StepClear, inbox.StepRemove, inbox.StepBlank, inbox.StepReaddress, inbox.StepWithdraw:
		return true
	}
	return false
}

// tell tells what is wrong with the recipients of place i.
func (c *checker) tell(i int) {
	all := c.m.places[i].Tell
	for j, name := range all {
		switch {
		case strings.TrimSpace(name) == "" || strings.ContainsFunc(name, unicode.IsControl):
			c.place(i, "tell", "who is to be told has the name %q", name)
		case slices.Contains(all[:j], name):
			c.place(i, "tell", "%s is to be told twice", name)
		}
	}
}
