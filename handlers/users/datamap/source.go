package datamap

import "slices"

// Source says where a place lies in a site's own database; that of the embedded
// store is zero.
type Source struct {
	Table string   // as the database knows it, "schema.table" where a plain name does not find it
	Key   []string // the columns that tell a row from every other; one of the account: the person's ID
	Link  Link     // how a row belongs to the person; zero for the account
	Where []Match  // what else a row must hold to count: all of them
}

// Link says which rows of a table are a person's: those that have in Column
// what the person's rows of the place Parent have in its column To. Without a
// Parent it is the person's address on record that Column holds, compared as
// package address does.
//
// When a person's address changes, the rows that hold it get the new one, but
// those of a place that is Fixed, or of which a delete keeps what Column holds.
// These stay as they are, and are no longer found as the person's, nor is what
// hangs on them: no later copy has them, and no later delete takes them. Both
// the change and the delete tell so ([inbox.Keep].Earlier). Whoever writes from
// the old address still gets at them.
type Link struct {
	Column string
	Parent string
	To     string
	Fixed  bool // by address: the rows hold that of their time, for ever
	Why    Text // of Fixed: the reason
}

// ByAddress tells whether rows belong to whoever has the address that they hold.
func (l Link) ByAddress() bool { return l.Column != "" && l.Parent == "" }

// stays tells of a place that is linked by address that its rows keep the old
// one when a person's address changes, why, and until when.
func (p Place) stays() (why, until Text, yes bool) {
	link := p.Source.Link
	switch {
	case !link.ByAddress():
		return nil, nil, false
	case link.Fixed:
		return link.Why, nil, true
	case p.Erase == EraseNone:
		return p.Keep, p.Until, true
	}
	for _, c := range p.Columns {
		if p.Erase == EraseValues && c.Erase.Op == RuleKeep && slices.Contains(c.Names(), link.Column) {
			return c.Why, c.Until, true
		}
	}
	return nil, nil, false
}

// Readdressed tells whether the rows of the place get the person's new address
// when that changes; see Link.
func (p Place) Readdressed() bool {
	_, _, stays := p.stays()
	return p.Source.Link.ByAddress() && !stays
}

// Match is a column, and the text that its value must be.
type Match struct {
	Column string
	Value  string
}

// Account says what an account's row tells of the account itself. A column that
// is not named is one that the site does not have.
type Account struct {
	Active    Switch
	Withdrawn string  // a time: when an objection was recorded; else objections are for staff
	LastSeen  string  // a time: when the person was last signed in
	Protected []Match // each marks accounts that only staff act upon
}

// Switch is a column that says whether an account is active: by two values, or
// by a time, at which it was deactivated, and nothing while it is active.
type Switch struct {
	Column  string // "": accounts cannot be deactivated
	On, Off string
	Time    bool
}

// Erasure is what a delete of the account does to the rows of a place.
type Erasure string

// The erasures of a place.
const (
	EraseRows   Erasure = ""       // they go
	EraseValues Erasure = "values" // they stay, and each column by its own Rule
	EraseNone   Erasure = "keep"   // they stay as they are, for the reason in Place.Keep
)

// Rule is what a delete of the account makes of a column's value, where the row
// stays.
type Rule struct {
	Op    RuleOp
	Value string // of RuleValue
}

// RuleOp is the sort of a Rule.
type RuleOp string

// The rules of a column.
const (
	RuleKeep    RuleOp = "keep"    // stays, for the reason in Column.Why
	RuleNull    RuleOp = "null"    // no value
	RuleValue   RuleOp = "value"   // a fixed one
	RuleHash    RuleOp = "hash"    // a keyed hash, from which nobody finds the value
	RuleInvalid RuleOp = "invalid" // an address that cannot receive mail (RFC 2606), another one for each row
)

// inDatabase tells whether the places lie in a site's own database.
func (m *Map) inDatabase() bool {
	return slices.ContainsFunc(m.places, func(p Place) bool { return p.Source.Table != "" })
}

// root follows the links of place i to the place that they begin at: one that
// has none, or one that is found by address. Where they lead nowhere, or in a
// circle, it is an empty place.
func (m *Map) root(i int) Place {
	for range m.places {
		link := m.places[i].Source.Link
		if link.Parent == "" {
			return m.places[i]
		}
		if i = slices.IndexFunc(m.places, func(p Place) bool { return p.Name == link.Parent }); i < 0 {
			break
		}
	}
	return Place{}
}

// Names gives the table's columns that the column is made of, in order.
func (c Column) Names() []string {
	if len(c.Source) == 0 {
		return []string{string(c.Field)}
	}
	return c.Source
}

// String gives the rule as a plan has it: its name, or "=" and the fixed value.
func (r Rule) String() string {
	if r.Op == RuleValue {
		return "=" + r.Value
	}
	return string(r.Op)
}
