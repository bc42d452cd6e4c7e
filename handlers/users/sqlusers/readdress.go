package sqlusers

import (
	"errors"
	"fmt"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// readdress gives the rows that hold the address which the person had the one
// that they have now. Rows that hold that one already become theirs, too: the
// mailbox behind it has answered, and no other account has it.
func (w *work) readdress(steps []inbox.Step) error {
	for _, step := range steps {
		p := w.l.place(step.Place)
		to := w.newAddress()
		if w.account == nil || to == "" || !p.byAddress() {
			return unfit(step)
		}
		if err := w.readdressPlace(p, step, to); err != nil {
			return fmt.Errorf("the place %q: %w", p.Name, err)
		}
	}
	return nil
}

// refuseDouble fails where a place of one row a person would have two: one that
// holds the old address, and one that holds the new one already.
func (w *work) refuseDouble(steps []inbox.Step) error {
	old, to := w.who.addresses, w.newAddress()
	if len(old) == 0 || to == "" || address.Equal(old[0], to) {
		return nil
	}
	for _, step := range steps {
		p := w.l.place(step.Place)
		if !p.Single || !p.byAddress() {
			continue
		}
		had, err := w.rowsOf(p, old[0])
		there := 0
		if err == nil && had > 0 {
			there, err = w.rowsOf(p, to)
		}
		if err != nil {
			return err
		}
		if there > 0 {
			return fmt.Errorf("the place %q: %w", p.Name, &inbox.Error{Err: errors.New("two of its rows would hold the new address, and the data map says that it has one of each person"),
				Hint: hintDouble})
		}
	}
	return nil
}

const hintDouble = "nothing was changed: join the two rows in the site, or remove one of them, and retry"

// newAddress is what the plan sets as the address on record, "" when it sets
// none.
func (w *work) newAddress() string {
	for _, step := range w.e.Plan.Steps {
		if step.Field == inbox.FieldEmail && step.Place == w.l.places[0].Name && step.Op != inbox.StepReaddress {
			return step.New
		}
	}
	return ""
}

// readdressPlace is one statement for all rows, so that their number does not
// matter. Afterwards it counts what the database made of them.
func (w *work) readdressPlace(p *place, step inbox.Step, to string) error {
	old := w.who.addresses
	if len(old) == 0 || address.Equal(old[0], to) {
		return nil
	}
	if had, err := w.rowsOf(p, old[0]); err != nil || had == 0 {
		return err
	}
	if err := w.refuseShared(old[0]); err != nil {
		return err
	}
	written, reason := p.link.fitted(to)
	if reason != "" {
		return datamap.Refuse(reason, inbox.FieldEmail)
	}
	before, err := w.rowsOf(p, to)
	if err != nil {
		return err
	}
	moved, err := w.updateAll(p, []assignment{{p.link, value{text: written, held: true}}})
	if err != nil {
		return w.refusedAddress(p, err)
	}
	left, err := w.rowsOf(p, old[0])
	if err != nil {
		return err
	}
	now, err := w.rowsOf(p, to)
	switch {
	case err != nil:
		return err
	case left > 0:
		return &inbox.Error{Err: &leftError{step}, Hint: "a trigger or the site itself writes it anew: nothing was changed"}
	case int64(now) < int64(before)+moved:
		return &inbox.Error{Err: fmt.Errorf("the database made something else of the address in column %q", p.link.Name),
			Hint: "is it cut, converted or changed by a trigger? nothing was changed"}
	}
	return nil
}

// rowsOf counts the rows of a place linked by address that hold it now, however
// they write it.
func (w *work) rowsOf(p *place, addr string) (int, error) {
	who, err := w.s.subject(w.ctx, w.tx, []*place{p}, "", addr)
	if err != nil || len(who.spelled[p]) == 0 {
		return 0, err
	}
	return w.count(p, who)
}

// refuseShared fails when another account has the address: whose the rows are
// that hold it, nobody can tell.
func (w *work) refuseShared(addr string) error {
	ids, err := w.s.holders(w.ctx, w.tx, w.l, addr)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id != w.who.id {
			return &inbox.Error{Err: errors.New("another account has the address, too, and nobody can tell whose the rows are that hold it"),
				Hint: "nothing was changed: look whose they are, and do it in the site itself"}
		}
	}
	return nil
}

// refusedAddress says why the database refused the new address in rows that are
// linked by it.
func (w *work) refusedAddress(p *place, err error) error {
	switch {
	case isClass(err, classUnique):
		f, _ := errors.AsType[*failure](err)
		on := fmt.Sprintf("column %q", p.link.Name)
		if columns := f.indexed(p.table); len(columns) > 0 {
			on = fmt.Sprintf("what %q hold", columns)
		}
		return &inbox.Error{Err: fmt.Errorf("two of its rows would hold the new address, and %s must be unique: %w", on, f),
			Hint: hintDouble}
	case isClass(err, classValue):
		return datamap.Refuse(datamap.ReasonInvalid, inbox.FieldEmail)
	}
	return err
}
