package datamap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
)

// Fault is one thing that is wrong with a map.
type Fault struct {
	Place   int    // counted from 0, in the order of New
	Column  int    // of the place, counted from 0; -1: the place as a whole
	Of      string // which property: name, field, label, table, key, link, active, erase or why; "" when it is no single one
	Where   string // place and column in words
	Problem string
}

// String gives where it is and what is wrong.
func (f Fault) String() string { return f.Where + ": " + f.Problem }

// Faults are all that is wrong with a map.
type Faults []Fault

// Error gives the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// checker gathers the faults of a map.
type checker struct {
	m      *Map
	faults Faults
}

func (c *checker) place(i int, of, format string, args ...any) {
	c.faults = append(c.faults, Fault{Place: i, Column: -1, Of: of, Where: fmt.Sprintf("place %q", c.m.places[i].Name), Problem: fmt.Sprintf(format, args...)})
}

func (c *checker) column(i, j int, of, format string, args ...any) {
	p := c.m.places[i]
	c.faults = append(c.faults, Fault{Place: i, Column: j, Of: of,
		Where: fmt.Sprintf("place %q, column %q", p.Name, p.Columns[j].Field), Problem: fmt.Sprintf(format, args...)})
}

// check finds what is wrong with the map, and enters its fields.
func (c *checker) check() {
	m := c.m
	if !m.places[0].Single {
		c.place(0, "", "the first place is the person's own record: it must have one a person")
	}
	seen := map[string]bool{CasesPlace: true}
	for i, p := range m.places {
		if !plainName(p.Name) || seen[p.Name] {
			c.place(i, "name", "the name %q is reserved, used twice, or not made of a-z, 0-9 and _", p.Name)
		}
		seen[p.Name] = true
		if len(p.Label) == 0 {
			c.place(i, "label", "it has no label")
		}
		c.erasure(i)
		c.tell(i)
		c.fields(i)
	}
	if m.inDatabase() {
		for i := range m.places {
			c.source(i)
			c.lies(i)
			c.link(i)
		}
	}
}

// fields enters the columns of place i.
func (c *checker) fields(i int) {
	p := c.m.places[i]
	here := map[inbox.Field]bool{}
	for j, col := range p.Columns {
		_, elsewhere := c.m.fields[col.Field]
		switch {
		case !plainName(string(col.Field)):
			c.column(i, j, "field", "the field name %q is not made of a-z, 0-9 and _", col.Field)
		case here[col.Field]:
			c.column(i, j, "field", "the place has the field %q twice", col.Field)
		case col.Fixed:
		case !p.Single:
			c.column(i, j, "field", "the place has many records a person, so people cannot change the field %q of it", col.Field)
		case elsewhere:
			c.column(i, j, "field", "people may change the field %q elsewhere already", col.Field)
		default:
			c.m.fields[col.Field] = position{i, j}
		}
		here[col.Field] = true
	}
}

// erasure tells what is wrong with what a delete does to place i.
func (c *checker) erasure(i int) {
	p := c.m.places[i]
	switch p.Erase {
	case EraseRows:
	case EraseNone:
		if len(p.Keep) == 0 {
			c.place(i, "why", "its rows are kept, and no reason is given that people could be told")
		}
	case EraseValues:
		for j, col := range p.Columns {
			if of, err := col.Erase.fault(col.Why); err != nil {
				c.column(i, j, of, "%v", err)
			}
		}
	default:
		c.place(i, "erase", "no delete does %q to rows; what it can do: %q (rows go), %q, %q", p.Erase, EraseRows, EraseValues, EraseNone)
	}
}

// fault tells what is wrong with a rule, and with which property of its column.
func (r Rule) fault(why Text) (of string, err error) {
	switch r.Op {
	case RuleNull, RuleHash, RuleInvalid:
	case RuleKeep:
		if len(why) == 0 {
			return "why", errors.New("it is kept, and no reason is given that people could be told")
		}
	case RuleValue:
		if r.Value == "" {
			return "erase", errors.New("the fixed value is missing")
		}
	case "":
		return "erase", errors.New("its row stays when the account is deleted, and nothing says what becomes of the value")
	default:
		return "erase", fmt.Errorf("no rule is called %q", r.Op)
	}
	return "", nil
}

// source tells what is wrong with the table of place i.
func (c *checker) source(i int) {
	p := c.m.places[i]
	if p.Source.Table == "" {
		c.place(i, "table", "its table is missing")
	}
	switch key := p.Source.Key; {
	case len(key) == 0 || slices.Contains(key, ""):
		c.place(i, "key", "its key is missing")
	case i == 0 && len(key) > 1:
		c.place(i, "key", "the key of the account must be one column: it is the person's ID")
	}
	if i > 0 {
		return
	}
	if !slices.ContainsFunc(p.Columns, func(col Column) bool { return col.Field == inbox.FieldEmail && !col.Fixed }) {
		c.place(i, "", "no column is the field %q: nobody could be found by their address", inbox.FieldEmail)
	}
	if a := p.Account.Active; a.Column != "" && !a.Time && a.On == a.Off {
		c.place(i, "active", "on and off are the same value, by which nobody could tell them apart")
	}
}

// lies tells what is wrong with where the columns of place i lie.
func (c *checker) lies(i int) {
	p := c.m.places[i]
	held := map[string]inbox.Field{}
	for j, col := range p.Columns {
		for _, name := range col.Names() {
			if other, twice := held[name]; twice {
				c.column(i, j, "name", "the table's column %q is in %q already", name, other)
			} else if !col.Fixed && slices.Contains(p.Source.Key, name) {
				c.column(i, j, "field", "it is the table's key, which people cannot change")
			}
			held[name] = col.Field
		}
		if len(col.Source) > 1 && (col.Type != TypeText || col.Join != "") {
			c.column(i, j, "name", "only a text of one line can lie in several columns, and nothing can be added to it")
		}
	}
}

// link tells what is wrong with the link of place i.
func (c *checker) link(i int) {
	link := c.m.places[i].Source.Link
	if i == 0 {
		if link.Column != "" || link.Parent != "" || link.To != "" || link.Fixed {
			c.place(i, "link", "the person's own record is linked to nothing")
		}
		return
	}
	at := slices.IndexFunc(c.m.places, func(p Place) bool { return p.Name == link.Parent })
	switch {
	case link.ByAddress():
		if link.Fixed && len(link.Why) == 0 {
			c.place(i, "link", "its rows stay under an earlier address, where no delete reaches them, and no reason is given that people could be told")
		}
	case link.Fixed:
		c.place(i, "link", "only what is linked by address can keep the address of its time")
	case link.Column == "" || link.To == "":
		c.place(i, "link", "nothing says how its rows belong to a person")
	case at < 0:
		c.place(i, "link", "it is linked to the place %q, which the map does not have", link.Parent)
	case c.m.root(i).Name == "":
		c.place(i, "link", "its links lead neither to the account nor to an address, so that its rows could not be found")
	}
}
