package fit

import (
	"fmt"
	"slices"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/sqlusers"
)

// erasure compares what a delete writes into rows that stay.
func (w *placed) erasure() {
	for _, mapped := range w.p.Columns {
		for _, name := range mapped.Names() {
			if col, ok := w.t.Column(name); ok && mapped.Erase.Op != datamap.RuleKeep {
				w.rule(col, mapped.Erase)
			}
		}
	}
	for _, u := range w.t.Unique {
		if len(u.Columns) == 0 || slices.ContainsFunc(u.Columns, func(name string) bool { return !w.constant(name) }) {
			continue
		}
		const hint = `write erase = "hash", or "invalid" for an address`
		if u.Partial { // of some rows, or of what is made of the columns
			w.c.remark(w.at(u.Columns[0]), hint, "a delete writes the same into every row, and the index %q may not let two rows have it", u.Name)
			continue
		}
		w.c.fault(w.at(u.Columns[0]), hint, "a delete writes the same into every row, and %s of %q must be unique: the second delete would fail", quoted(u.Columns), w.t.Name)
	}
}

// rule compares what a delete writes with a column.
func (w *placed) rule(col sqlusers.Column, r datamap.Rule) {
	at := w.at(col.Name)
	if why := col.RefusesRule(r); why != "" {
		hint := "give it another rule, or widen the column"
		switch {
		case col.Generated:
			hint = "leave it out, and erase what it is computed from"
		case r.Op == datamap.RuleNull:
			hint = `let the column be NULL, or write erase = "=a fixed value"`
		case r.Op == datamap.RuleValue:
			hint = "write a value that the column takes"
		}
		w.c.fault(at, hint, "erase = %q cannot be done: %s", r, why)
		return
	}
	if slices.ContainsFunc(w.p.Source.Key, func(k string) bool { return sameColumn(w.t, k, col.Name) }) {
		w.c.fault(at, `keep it, or write erase = "delete" for the table`, "it is the key by which rows are found again, and a delete would change it")
	}
	for _, f := range w.t.Foreign {
		if slices.Contains(f.Columns, col.Name) && r.Op != datamap.RuleNull {
			w.c.add(Finding{Name: at, Remark: r.Op == datamap.RuleValue, Hint: fmt.Sprintf("be sure that %q has such a row", f.Table),
				Problem: fmt.Sprintf("erase = %q writes into a reference to %q", r, f.Table)})
		}
	}
}

// constant tells whether a delete writes the same into a column of every row,
// and something that is compared: of NULL there may be many.
func (w *placed) constant(name string) bool {
	for _, mapped := range w.p.Columns {
		for _, n := range mapped.Names() {
			col, ok := w.t.Column(n)
			if !ok || !sameColumn(w.t, n, name) {
				continue
			}
			return mapped.Erase.Op == datamap.RuleValue || mapped.Erase.Op == datamap.RuleNull && !col.Null
		}
	}
	return false
}

// foreign compares the references between tables with what the map says of
// them: those into tables whose rows go with an account, and those into the
// account's.
func (c *comparison) foreign() {
	for _, t := range c.schema.Tables {
		for _, f := range t.Foreign {
			for _, to := range c.mapped(f.Table) {
				if c.follows(t, f, to) {
					c.followed(t, f, to)
				} else {
					c.unfollowed(t, f, to)
				}
			}
		}
	}
}

// follows tells whether a link of the map goes along a reference, in either
// direction.
func (c *comparison) follows(t sqlusers.Table, f sqlusers.ForeignKey, to datamap.Place) bool {
	along := func(link datamap.Link, from, into string) bool {
		return len(f.Columns) == 1 && len(f.To) == 1 && link.Column == from && link.To == into
	}
	for _, p := range c.mapped(t.Name) {
		if p.Source.Link.Parent == to.Name && len(f.Columns) == 1 && along(p.Source.Link, f.Columns[0], f.To[0]) {
			return true
		}
		if to.Source.Link.Parent == p.Name && len(f.Columns) == 1 && along(to.Source.Link, f.To[0], f.Columns[0]) {
			return true
		}
	}
	return false
}

// followed looks at a reference that the map knows: rows that stay must not
// stand in the way of those that go, nor go with them.
func (c *comparison) followed(t sqlusers.Table, f sqlusers.ForeignKey, to datamap.Place) {
	if to.Erase != datamap.EraseRows {
		return
	}
	for _, p := range c.mapped(t.Name) {
		w := &placed{c, p, t}
		if p.Source.Link.Parent != to.Name || p.Erase == datamap.EraseRows || w.blanked(f.Columns) {
			continue
		}
		hint := fmt.Sprintf(`write erase = "values" for %s, or empty %s`, to.Name, quoted(f.Columns))
		switch f.OnDelete {
		case "cascade":
			c.fault(p.Name, hint, "its rows are to stay, and the database deletes them with those of %s (ON DELETE CASCADE)", to.Name)
		case "set null":
		default:
			c.fault(p.Name, hint, "its rows are to stay, and refer to those of %s, which are to go: the database refuses that", to.Name)
		}
	}
}

// blanked tells whether a delete writes into all of the columns.
func (w *placed) blanked(columns []string) bool {
	return !slices.ContainsFunc(columns, func(name string) bool {
		return !slices.ContainsFunc(w.p.Columns, func(m datamap.Column) bool {
			return w.p.Erase == datamap.EraseValues && m.Erase.Op != datamap.RuleKeep && slices.Contains(m.Names(), name)
		})
	})
}

// unfollowed looks at a reference that the map does not mention.
func (c *comparison) unfollowed(t sqlusers.Table, f sqlusers.ForeignKey, to datamap.Place) {
	refers := fmt.Sprintf("%s of %q refers to the place %s, and the map does not mention it", quoted(f.Columns), t.Name, to.Name)
	hint := fmt.Sprintf("if its rows are the person's: [[related]] with table = %q and link = { column = %q, to = %q }", t.Name, f.Columns[0], to.Name+"."+f.To[0])
	if len(f.Columns) > 1 {
		hint = "several columns make no link: name the table under [[related]] by another, or let its rows be for staff"
	}
	own := to.Source.Link.Column == ""
	switch goes := to.Erase == datamap.EraseRows; {
	case t.Name == f.Table && goes && f.OnDelete == "cascade":
		c.fault(t.Name, "let the database empty the reference: ON DELETE SET NULL",
			"%s of %q refers to rows of the same table, ON DELETE CASCADE: a delete of one person would take the rows of others with it", quoted(f.Columns), t.Name)
	case t.Name == f.Table:
		if goes && f.OnDelete != "cascade" && f.OnDelete != "set null" {
			c.remark(t.Name, "let the database empty the reference: ON DELETE SET NULL", "%s of %q refers to rows of the same table: a delete fails where those of other people refer to the person's", quoted(f.Columns), t.Name)
		}
	case goes && f.OnDelete != "cascade" && f.OnDelete != "set null":
		c.fault(t.Name, hint, "%s: no delete is possible while such rows are there", refers)
	case goes && f.OnDelete == "cascade":
		c.remark(t.Name, hint, "%s: its rows go with the person's, and are in no copy", refers)
	case own:
		c.remark(t.Name, hint, "%s", refers)
	}
}
