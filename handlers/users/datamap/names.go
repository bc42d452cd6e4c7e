package datamap

import (
	"strings"

	"push.guru/supportd/inbox"
)

// alignNames keeps full, given and family name in step, as the package comment
// tells. What the request named itself is left as it asked.
func (d *draft) alignNames() {
	full := d.touched(inbox.FieldFullName)
	parts := d.touched(inbox.FieldGivenName) || d.touched(inbox.FieldFamilyName)
	switch {
	case full && !parts:
		d.splitFull()
	case parts && !full:
		d.joinFull()
	}
}

func (d *draft) splitFull() {
	given, family := d.old[inbox.FieldGivenName], d.old[inbox.FieldFamilyName]
	if d.now[inbox.FieldFullName] == "" {
		d.derive(inbox.FieldGivenName, "")
		d.derive(inbox.FieldFamilyName, "")
		return
	}
	if given == "" || family == "" {
		return
	}
	if g, f, ok := splitName(d.now[inbox.FieldFullName], d.old[inbox.FieldFullName], given, family); ok {
		d.derive(inbox.FieldGivenName, g)
		d.derive(inbox.FieldFamilyName, f)
	}
}

// splitName tells which of the two words of a new full name is the given name,
// by what the record holds so far.
func splitName(now, old, given, family string) (newGiven, newFamily string, ok bool) {
	w := strings.Fields(now)
	if len(w) != 2 {
		return "", "", false
	}
	first, last := is(w[0], given) || is(w[1], family), is(w[0], family) || is(w[1], given)
	if first == last { // neither word is known, or they contradict each other
		familyFirst, known := nameOrder(old, given, family)
		first, last = known && !familyFirst, known && familyFirst
	}
	switch {
	case first:
		return w[0], w[1], true
	case last:
		return w[1], w[0], true
	}
	return "", "", false
}

// joinFull lets the full name follow its parts, if it was these together.
func (d *draft) joinFull() {
	old := d.old[inbox.FieldFullName]
	familyFirst, known := nameOrder(old, d.old[inbox.FieldGivenName], d.old[inbox.FieldFamilyName])
	if old == "" || !known {
		return
	}
	a, b := d.now[inbox.FieldGivenName], d.now[inbox.FieldFamilyName]
	if familyFirst {
		a, b = b, a
	}
	d.derive(inbox.FieldFullName, strings.TrimSpace(a+" "+b))
}

// nameOrder tells whether the full name is given and family name together, and
// in which order.
func nameOrder(full, given, family string) (familyFirst, known bool) {
	switch {
	case is(full, strings.TrimSpace(given+" "+family)):
		return false, true
	case is(full, strings.TrimSpace(family+" "+given)):
		return true, true
	}
	return false, false
}

func is(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
