package datamap

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
)

// namesApart tells that the site stores given and family name, and no full name.
func (m *Map) namesApart() bool {
	_, full := m.fields[inbox.FieldFullName]
	_, given := m.fields[inbox.FieldGivenName]
	_, family := m.fields[inbox.FieldFamilyName]
	return !full && given && family
}

// together gives the full name that given and family name are.
func together(held map[inbox.Field]string) string {
	return strings.TrimSpace(held[inbox.FieldGivenName] + " " + held[inbox.FieldFamilyName])
}

// stored gives the fields that the map has for one that was named: of the full
// name, it may be its parts.
func (d *draft) stored(f inbox.Field) []inbox.Field {
	if f == inbox.FieldFullName && d.m.namesApart() {
		return []inbox.Field{inbox.FieldGivenName, inbox.FieldFamilyName}
	}
	return []inbox.Field{f}
}

// takeApart turns a full name that was named into the parts that the site
// stores, where it is certain which is which: one of them is as it was, or the
// request names both.
func (d *draft) takeApart() Reason {
	if !d.m.namesApart() || !d.touched(inbox.FieldFullName) {
		return ""
	}
	full := d.now[inbox.FieldFullName]
	d.drop(inbox.FieldFullName)
	switch given, family := d.touched(inbox.FieldGivenName), d.touched(inbox.FieldFamilyName); {
	case given && family, is(full, together(d.now)): // both are named, or it is so, or becomes so
		return ""
	case given || family:
		return ReasonNames
	}
	given, family := d.old[inbox.FieldGivenName], d.old[inbox.FieldFamilyName]
	g, f, ok := splitName(full, "", given, family)
	if !ok || given == "" && family == "" {
		return ReasonNames
	}
	for field, v := range map[inbox.Field]string{inbox.FieldGivenName: g, inbox.FieldFamilyName: f} {
		if _, c, _ := d.m.column(field); c.fits(v) != "" {
			return c.fits(v)
		}
	}
	d.derive(inbox.FieldGivenName, g)
	d.derive(inbox.FieldFamilyName, f)
	return ""
}

// drop forgets that a field was touched.
func (d *draft) drop(f inbox.Field) {
	d.order = slices.DeleteFunc(d.order, func(o inbox.Field) bool { return o == f })
	delete(d.ops, f)
}

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
