package datamap

import (
	"fmt"
	"maps"
	"slices"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// Plan says what the request would do to the person's data; undo turns a
// deactivate into its opposite and means nothing else. What cannot be done is
// an *inbox.Error around a *RefusedError. A question has no plan and is an
// error.
func (m *Map) Plan(p users.Person, r inbox.Request, undo bool) (inbox.Plan, error) {
	if undo && r.Kind != inbox.KindDeactivate {
		return inbox.Plan{}, fmt.Errorf("planning: a %s cannot be undone", r.Kind)
	}
	if p.Guest && needsAccount(r) {
		return inbox.Plan{}, Refuse(ReasonGuest, "")
	}
	switch r.Kind {
	case inbox.KindChange:
		return m.planChange(p, r.Changes)
	case inbox.KindDelete:
		return m.planDelete(p, r)
	case inbox.KindDeactivate:
		return m.planDeactivate(p, undo)
	case inbox.KindWithdraw:
		return m.planWithdraw(p)
	case inbox.KindCopy:
		return m.planAll(p, inbox.StepSend), nil
	case inbox.KindDescribe:
		return m.planAll(p, inbox.StepDescribe), nil
	}
	return inbox.Plan{}, fmt.Errorf("planning: a request of kind %q has no plan", r.Kind)
}

// needsAccount tells of a request that it is about an account, and not only
// about what is stored.
func needsAccount(r inbox.Request) bool {
	switch r.Kind {
	case inbox.KindChange, inbox.KindDeactivate, inbox.KindWithdraw:
		return true
	}
	return r.Kind == inbox.KindDelete && r.Scope == inbox.ScopeFields
}

// of gives the places that may hold something about the person: of somebody
// without an account, those that are found by their address.
func (m *Map) of(p users.Person) []Place {
	if !p.Guest {
		return m.places
	}
	var found []Place
	for i, place := range m.places {
		if m.guest[i] {
			found = append(found, place)
		}
	}
	return found
}

// planOwn is one step on the person's own record.
func (m *Map) planOwn(op inbox.StepOp) inbox.Plan {
	return inbox.Plan{Steps: []inbox.Step{{Place: m.places[0].Name, Op: op}}}
}

// planAll is the same step on every place, whether or not it holds anything.
func (m *Map) planAll(p users.Person, op inbox.StepOp) inbox.Plan {
	var plan inbox.Plan
	for _, p := range m.of(p) {
		plan.Steps = append(plan.Steps, inbox.Step{Place: p.Name, Op: op})
	}
	return plan
}

func (m *Map) planDeactivate(p users.Person, undo bool) (inbox.Plan, error) {
	if p.Active == undo {
		return inbox.Plan{}, Refuse(ReasonSame, "")
	}
	switch {
	case m.inDatabase() && m.places[0].Account.Active.Column == "":
		return inbox.Plan{}, Refuse(ReasonNoDeactivate, "")
	case undo:
		return m.planOwn(inbox.StepReactivate), nil
	}
	return m.planOwn(inbox.StepDeactivate), nil
}

func (m *Map) planWithdraw(p users.Person) (inbox.Plan, error) {
	switch {
	case !p.Withdrawn.IsZero():
		return inbox.Plan{}, Refuse(ReasonSame, "")
	case !m.TakesObjections():
		return inbox.Plan{}, Refuse(ReasonNoWithdraw, "")
	}
	return m.planOwn(inbox.StepWithdraw), nil
}

// TakesObjections tells whether the site has a place to record that somebody
// objected. Where it has none, objections are for staff.
func (m *Map) TakesObjections() bool {
	return !m.inDatabase() || m.places[0].Account.Withdrawn != ""
}

func (m *Map) planDelete(p users.Person, r inbox.Request) (inbox.Plan, error) {
	switch r.Scope {
	case inbox.ScopeAccount:
		plan := m.planErase(p)
		if len(plan.Steps) == 0 {
			return inbox.Plan{}, Refuse(ReasonKept, "")
		}
		return plan, nil
	case inbox.ScopeFields:
		return m.planClear(p, r.Fields)
	}
	return inbox.Plan{}, fmt.Errorf("planning: a delete has no scope %q", r.Scope)
}

// planErase does to every place of the person what the map says. The reasons are in the
// language that Text.In falls back to, so that the digest does not depend on who
// reads; Localize words them.
func (m *Map) planErase(p users.Person) inbox.Plan {
	var plan inbox.Plan
	for _, p := range m.of(p) {
		switch p.Erase {
		case EraseNone:
			plan.Keeps = append(plan.Keeps, inbox.Keep{Place: p.Name, Why: p.Keep.In(""), Until: p.Until.In("")})
		case EraseValues:
			planBlank(&plan, p)
		default:
			plan.Steps = append(plan.Steps, inbox.Step{Place: p.Name, Op: inbox.StepRemove})
		}
	}
	if !p.Guest {
		m.planEarlier(&plan, func(p Place) bool { return p.Erase != EraseNone })
	}
	return plan
}

// planEarlier says of those places that what stands there, or hangs on what
// does, under another address than the present one stays as it is.
func (m *Map) planEarlier(plan *inbox.Plan, of func(Place) bool) {
	for i, p := range m.places {
		if why, until, stays := m.root(i).stays(); stays && of(p) {
			plan.Keeps = append(plan.Keeps, inbox.Keep{Place: p.Name, Why: why.In(""), Until: until.In(""), Earlier: true})
		}
	}
}

// planBlank makes the values of a place's columns unrecognisable, but those that
// are kept.
func planBlank(plan *inbox.Plan, p Place) {
	for _, c := range p.Columns {
		if c.Erase.Op == RuleKeep {
			plan.Keeps = append(plan.Keeps, inbox.Keep{Place: p.Name, Field: c.Field, Why: c.Why.In(""), Until: c.Until.In("")})
			continue
		}
		plan.Steps = append(plan.Steps, inbox.Step{Place: p.Name, Field: c.Field, Op: inbox.StepBlank, New: c.Erase.String()})
	}
}

// planClear names every field that was asked, also one that holds nothing at
// the moment: what is confirmed is the set of fields.
func (m *Map) planClear(p users.Person, fields []inbox.Field) (inbox.Plan, error) {
	d := newDraft(m, p)
	held := false
	for _, f := range fields {
		held = held || d.old[f] != ""
		for _, f := range d.stored(f) {
			_, c, ok := m.column(f)
			switch {
			case !ok:
				return inbox.Plan{}, Refuse(ReasonUnknownField, f)
			case c.Needed:
				return inbox.Plan{}, Refuse(ReasonNeeded, f)
			}
			d.put(f, "", inbox.StepClear)
		}
	}
	switch {
	case len(fields) == 0:
		return inbox.Plan{}, Refuse(ReasonInvalid, "")
	case !held:
		return inbox.Plan{}, Refuse(ReasonSame, fields[0])
	}
	d.alignNames()
	return d.plan(), nil
}

func (m *Map) planChange(p users.Person, changes []inbox.Change) (inbox.Plan, error) {
	if len(changes) == 0 {
		return inbox.Plan{}, Refuse(ReasonInvalid, "")
	}
	d := newDraft(m, p)
	for _, c := range changes {
		if r := d.change(c); r != "" {
			return inbox.Plan{}, Refuse(r, c.Field)
		}
	}
	if r := d.takeApart(); r != "" {
		return inbox.Plan{}, Refuse(r, inbox.FieldFullName)
	}
	d.alignNames()
	plan := d.plan()
	if len(plan.Steps) == 0 {
		return inbox.Plan{}, Refuse(ReasonSame, changes[0].Field)
	}
	if slices.ContainsFunc(plan.Steps, func(s inbox.Step) bool { return s.Field == inbox.FieldEmail }) {
		m.planReaddress(&plan)
	}
	return plan, nil
}

// planReaddress lets what is linked by the person's address follow it to the new
// one, whether or not there are such rows, and says what does not.
func (m *Map) planReaddress(plan *inbox.Plan) {
	for _, p := range m.places {
		if p.Readdressed() {
			plan.Steps = append(plan.Steps, inbox.Step{Place: p.Name, Field: inbox.FieldEmail, Op: inbox.StepReaddress})
		}
	}
	m.planEarlier(plan, func(Place) bool { return true })
}

// draft is a plan in the making: the record as it is and as it will be.
type draft struct {
	m     *Map
	old   map[inbox.Field]string
	now   map[inbox.Field]string
	order []inbox.Field // the fields touched, in the order of the first touch
	ops   map[inbox.Field]inbox.StepOp
}

func newDraft(m *Map, p users.Person) *draft {
	d := &draft{m: m, old: map[inbox.Field]string{}, ops: map[inbox.Field]inbox.StepOp{}}
	maps.Copy(d.old, p.Fields)
	if m.namesApart() {
		d.old[inbox.FieldFullName] = together(d.old)
	}
	d.now = maps.Clone(d.old)
	return d
}

// change enters one change. Several of one field build on each other and
// become one step.
func (d *draft) change(c inbox.Change) Reason {
	_, col, ok := d.m.column(c.Field)
	if c.Field == inbox.FieldFullName && d.m.namesApart() {
		col, ok = Column{Max: 200, Join: " "}, true
	}
	if !ok {
		return ReasonUnknownField
	}
	v, r := col.Clean(c.Value)
	if r != "" {
		return r
	}
	switch c.Op {
	case inbox.OpSet:
		if r := col.fits(v); r != "" {
			return r
		}
		d.put(c.Field, v, inbox.StepSet)
		return ""
	case inbox.OpAdd:
		op := inbox.StepAdd
		if d.now[c.Field] == "" || d.ops[c.Field] == inbox.StepSet {
			op = inbox.StepSet
		}
		if v, r = col.add(d.now[c.Field], v); r == "" {
			r = col.fits(v)
		}
		if r == "" {
			d.put(c.Field, v, op)
		}
		return r
	}
	return ReasonInvalid
}

func (d *draft) put(f inbox.Field, v string, op inbox.StepOp) {
	if _, again := d.ops[f]; !again {
		d.order = append(d.order, f)
	}
	d.now[f], d.ops[f] = v, op
}

// derive enters what follows from another step, if the map has the field.
func (d *draft) derive(f inbox.Field, v string) {
	if _, c, ok := d.m.column(f); !ok || c.same(d.old[f], v) || v != "" && c.fits(v) != "" {
		return
	}
	if v == "" {
		d.put(f, v, inbox.StepClear)
		return
	}
	d.put(f, v, inbox.StepSet)
}

func (d *draft) touched(f inbox.Field) bool { _, ok := d.ops[f]; return ok }

// plan gives the steps, without those that set what is there already.
func (d *draft) plan() inbox.Plan {
	var plan inbox.Plan
	for _, f := range d.order {
		place, c, _ := d.m.column(f)
		if d.ops[f] != inbox.StepClear && c.same(d.old[f], d.now[f]) {
			continue
		}
		plan.Steps = append(plan.Steps, inbox.Step{Place: place, Field: f, Op: d.ops[f], Old: d.old[f], New: d.now[f]})
	}
	return plan
}
