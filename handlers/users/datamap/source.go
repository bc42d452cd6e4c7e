package datamap

import (
	"errors"
	"fmt"
	"slices"

	"push.guru/supportd/inbox"
)

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
type Link struct {
	Column string
	Parent string
	To     string
}

// ByAddress tells whether rows belong to whoever has the address that they hold.
func (l Link) ByAddress() bool { return l.Column != "" && l.Parent == "" }

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

// faults tells what is wrong with the erasure of a place.
func (p Place) faults() (faults []error) {
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("place %q: "+format, append([]any{p.Name}, args...)...))
	}
	switch p.Erase {
	case EraseRows:
	case EraseNone:
		if len(p.Keep) == 0 {
			fault("its rows are kept, and no reason is given that people could be told")
		}
	case EraseValues:
		for _, c := range p.Columns {
			if err := c.Erase.fault(c.Why); err != nil {
				fault("column %q: %w", c.Field, err)
			}
		}
	default:
		fault("no delete does %q to rows; what it can do: %q (rows go), %q, %q", p.Erase, EraseRows, EraseValues, EraseNone)
	}
	return faults
}

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

// sourceFaults tells what is wrong with where the places lie.
func (m *Map) sourceFaults() (faults []error) {
	if !m.inDatabase() {
		return nil
	}
	for i, p := range m.places {
		for _, err := range append(p.sourceFaults(i == 0), m.linkFault(i)) {
			if err != nil {
				faults = append(faults, fmt.Errorf("place %q: %w", p.Name, err))
			}
		}
	}
	return faults
}

func (p Place) sourceFaults(own bool) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	s := p.Source
	if s.Table == "" {
		fault("its table is missing")
	}
	if len(s.Key) == 0 || slices.Contains(s.Key, "") || own && len(s.Key) > 1 {
		fault("its key is missing, or not one column, as that of the account must be")
	}
	if own && !slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Field == inbox.FieldEmail && !c.Fixed }) {
		fault("no column is the field %q: nobody could be found by their address", inbox.FieldEmail)
	}
	if a := p.Account.Active; a.Column != "" && !a.Time && a.On == a.Off {
		fault("active: the values of on and off are the same")
	}
	held := map[string]inbox.Field{}
	for _, c := range p.Columns {
		for _, name := range c.Names() {
			switch other, twice := held[name]; {
			case twice:
				fault("the table's column %q is in two of the map's: %q and %q", name, other, c.Field)
			case !c.Fixed && slices.Contains(s.Key, name):
				fault("people cannot change the table's key %q, which is the field %q", name, c.Field)
			}
			held[name] = c.Field
		}
		if len(c.Source) > 1 && (c.Type != TypeText || c.Join != "") {
			fault("column %q: only a text of one line can lie in several columns, and nothing is added to it", c.Field)
		}
	}
	return faults
}

// Names gives the table's columns that the column is made of, in order.
func (c Column) Names() []string {
	if len(c.Source) == 0 {
		return []string{string(c.Field)}
	}
	return c.Source
}

// linkFault tells what is wrong with the link of place i.
func (m *Map) linkFault(i int) error {
	link := m.places[i].Source.Link
	switch at := slices.IndexFunc(m.places, func(p Place) bool { return p.Name == link.Parent }); {
	case i == 0 && link != Link{}:
		return errors.New("the person's own record is linked to nothing")
	case i == 0 || link.ByAddress():
		return nil
	case link.Column == "" || link.To == "":
		return errors.New("nothing says how its rows belong to a person")
	case at < 0:
		return fmt.Errorf("it is linked to the place %q, which the map does not have", link.Parent)
	case !m.places[at].has(link.To):
		return fmt.Errorf("it is linked to %s.%s, and the map has no such key or column of that place", link.Parent, link.To)
	case m.root(i).Name == "":
		return errors.New("its links lead neither to the account nor to an address: its rows could not be found")
	}
	return nil
}

// has tells whether the map names a column of the place's table.
func (p Place) has(name string) bool {
	return slices.Contains(p.Source.Key, name) || p.Source.Link.Column == name ||
		slices.ContainsFunc(p.Columns, func(c Column) bool { return slices.Contains(c.Names(), name) })
}

func (r Rule) fault(why Text) error {
	switch r.Op {
	case RuleNull, RuleHash, RuleInvalid:
	case RuleKeep:
		if len(why) == 0 {
			return errors.New("it is kept, and no reason is given that people could be told")
		}
	case RuleValue:
		if r.Value == "" {
			return errors.New("the fixed value is missing")
		}
	case "":
		return errors.New("its row stays when the account is deleted, and nothing says what becomes of the value")
	default:
		return fmt.Errorf("no rule is called %q", r.Op)
	}
	return nil
}

// String gives the rule as a plan has it: its name, or "=" and the fixed value.
func (r Rule) String() string {
	if r.Op == RuleValue {
		return "=" + r.Value
	}
	return string(r.Op)
}
