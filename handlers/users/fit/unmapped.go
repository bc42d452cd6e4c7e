package fit

import (
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/sqlusers"
)

// unmapped looks for columns that seem to hold something personal, and that the
// map does not name: in its own tables, and in those that refer to the account
// or have an address in them.
func (c *comparison) unmapped() {
	for _, t := range c.schema.Tables {
		places := c.mapped(t.Name)
		if t.Name == sqlusers.EffectsTable || len(places) == 0 && (t.View || !c.about(t)) {
			continue
		}
		var found []string
		for _, col := range t.Columns {
			if what := c.personal(t, col); what != "" && !slices.ContainsFunc(places, func(p datamap.Place) bool { return mentions(p, t, col.Name) }) {
				found = append(found, fmt.Sprintf("%s (%s)", col.Name, what))
			}
		}
		switch {
		case len(found) == 0 && len(places) == 0 && !c.refers(t):
			c.remark(t.Name, "if its rows are about people, name the table under [[related]]", "a column seems to lead to people, and the map does not name this table")
		case len(found) == 0:
		case len(places) > 0:
			c.remark(t.Name, fmt.Sprintf("name them as columns of the place %s; what is left out is in no copy", places[0].Name),
				"columns look personal, and the map does not name them: %s", strings.Join(found, ", "))
		default:
			c.remark(t.Name, "if its rows are about people, name the table under [[related]]", "the map does not name this table, and columns look personal: %s", strings.Join(found, ", "))
		}
	}
}

// about tells whether the rows of a table that the map does not name seem to
// belong to people.
func (c *comparison) about(t sqlusers.Table) bool {
	account, ok := c.table(c.places[0])
	if !ok {
		return false
	}
	return slices.ContainsFunc(t.Foreign, func(f sqlusers.ForeignKey) bool { return f.Table == account.Name }) ||
		slices.ContainsFunc(t.Columns, func(col sqlusers.Column) bool {
			return c.lexicon.Points(col.Name, account.Name) || strings.EqualFold(col.Name, c.places[0].Source.Key[0]) && !strings.EqualFold(col.Name, "id") || col.Kind == sqlusers.KindText && c.lexicon.Looks(t.Name, col.Name) == "an e-mail address"
		})
}

// refers tells whether a table has a reference to one of the map, which is told already.
func (c *comparison) refers(t sqlusers.Table) bool {
	return slices.ContainsFunc(t.Foreign, func(f sqlusers.ForeignKey) bool { return len(c.mapped(f.Table)) > 0 })
}

// personal says what a column seems to hold, where its type allows that.
func (c *comparison) personal(t sqlusers.Table, col sqlusers.Column) string {
	return Personal(c.lexicon.Looks(t.Name, col.Name), col)
}

// Personal gives what, which a name looks like, where a column of its type can
// hold it; else "".
func Personal(what string, col sqlusers.Column) string {
	birth := what == "a date of birth"
	switch col.Kind {
	case sqlusers.KindText, sqlusers.KindOther, sqlusers.KindBytes:
		return what
	case sqlusers.KindDate, sqlusers.KindTime:
		if birth {
			return what
		}
	case sqlusers.KindNumber:
		if what == "a place" {
			return what
		}
	case sqlusers.KindInt:
		words := strings.ToLower(col.Name)
		if what != "a secret" && what != "an e-mail address" && !strings.HasSuffix(words, "id") && !strings.HasSuffix(words, "count") {
			return what
		}
	}
	return ""
}

// mentions tells whether a place names a column of its table at all.
func mentions(p datamap.Place, t sqlusers.Table, column string) bool {
	named := append(slices.Clone(p.Source.Key), p.Source.Link.Column, p.Account.Active.Column, p.Account.Withdrawn, p.Account.LastSeen)
	for _, m := range slices.Concat(p.Source.Where, p.Account.Protected) {
		named = append(named, m.Column)
	}
	for _, m := range p.Columns {
		named = append(named, m.Names()...)
	}
	return slices.ContainsFunc(named, func(n string) bool { return n != "" && sameColumn(t, n, column) })
}
