package draft

import (
	"slices"
	"strings"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/fit"
	"push.guru/supportd/handlers/users/sqlusers"
)

const (
	deletes = "delete"
	values  = "values"
	keeps   = "keep"
)

// decide proposes what a delete of the account does to each place. Rows that
// stay must not refer to rows that go.
func (d *drafter) decide() {
	d.places[0].erase = deletes
	for _, p := range d.places[1:] { // parents come first
		p.erase = d.proposal(p)
	}
	for changed := true; changed; {
		changed = false
		for _, p := range d.places {
			if up := p.parent; up != nil && p.erase != deletes && up.erase == deletes && d.held(p) {
				up.erase, changed = values, true
			}
		}
	}
	for _, p := range d.places {
		if p.erase == values && !d.canStay(p) {
			p.erase = keeps
		}
	}
}

// proposal says what becomes of the rows of a place, by what its table is
// called and by what they hang on.
func (d *drafter) proposal(p *place) string {
	name, l := p.table.Name, d.lexicon
	switch {
	case p.parent != nil && p.parent.column.Name != "" && p.parent.erase != values:
		return p.parent.erase
	case l.Last("stays", name):
		return keeps
	case d.rival(p):
		return keeps
	case p.single, d.telling(p), l.Last("goes", name), l.Any("goes", name):
		return deletes
	case l.Any("stays", name):
		return keeps
	case !d.says(p):
		return deletes
	}
	return values
}

// rival tells whether a place found by address seems to be another table of
// accounts, on which a letter to support should do nothing by itself.
func (d *drafter) rival(p *place) bool {
	return p.parent == nil && d.lexicon.People(p.table.Name) && slices.ContainsFunc(p.table.Columns, func(c sqlusers.Column) bool {
		return c.Kind == sqlusers.KindText && d.lexicon.Secret(c.Name)
	})
}

// telling tells whether the key itself says who it was or lets somebody in, so
// that the row cannot stay.
func (d *drafter) telling(p *place) bool {
	return slices.ContainsFunc(p.key, func(name string) bool {
		c, _ := p.table.Column(name)
		return c.Kind == sqlusers.KindText && (d.what(p, c) != "" || p.parent == nil)
	})
}

// says tells whether rows hold more than links and times.
func (d *drafter) says(p *place) bool {
	return slices.ContainsFunc(p.table.Columns, func(c sqlusers.Column) bool {
		return c.Name != p.column.Name && !slices.Contains(p.key, c.Name) && (c.Kind == sqlusers.KindText || d.what(p, c) != "")
	})
}

// held tells whether the link of a place keeps what it leads to from going, or
// goes with it.
func (d *drafter) held(p *place) bool {
	for _, f := range p.table.Foreign {
		if len(f.Columns) == 1 && f.Columns[0] == p.column.Name && f.Table == p.parent.table.Name {
			return f.OnDelete != "set null" && (f.OnDelete == "cascade" || p.erase == keeps || !p.column.Null)
		}
	}
	return false
}

// canStay tells whether the values of a place can be erased where its rows stay.
func (d *drafter) canStay(p *place) bool { return len(p.key) > 0 && !d.telling(p) }

// what says what a column seems to hold about a person.
func (d *drafter) what(p *place, c sqlusers.Column) string {
	return fit.Personal(d.lexicon.Looks(p.table.Name, c.Name), c)
}

// free text is what people write, and may say anything.
func freeText(c sqlusers.Column) bool {
	return c.Kind == sqlusers.KindText && (c.Length == 0 || c.Length >= 200) || c.Kind == sqlusers.KindBytes || c.Kind == sqlusers.KindOther && strings.HasPrefix(c.Type, "json")
}

// rule proposes what a delete makes of a column's values where the row stays;
// keep: it stays, and todo tells that a person must say why.
func (d *drafter) rule(p *place, c sqlusers.Column) (r datamap.Rule, todo bool) {
	keep := datamap.Rule{Op: datamap.RuleKeep}
	what := d.what(p, c)
	link := c.Name == p.column.Name
	switch {
	case link && p.parent != nil && (p.parent.column.Name != "" || p.parent.erase != deletes):
		return keep, false // what it leads to says nothing any more
	case slices.Contains(p.key, c.Name):
		return keep, false
	case !link && what == "" && !freeText(c) && p.fields[c.Name] == "":
		return keep, false
	}
	for _, r := range candidates(what, c) {
		constant := r.Op == datamap.RuleValue || r.Op == datamap.RuleNull && !c.Null
		if c.RefusesRule(r) == "" && !(constant && differs(p.table, c.Name)) && (r.Op == datamap.RuleNull && c.Null || !d.refers(p, c)) {
			return r, false
		}
	}
	return keep, true
}

// refers tells whether a column is a reference to another table.
func (d *drafter) refers(p *place, c sqlusers.Column) bool {
	return slices.ContainsFunc(p.table.Foreign, func(f sqlusers.ForeignKey) bool { return slices.Contains(f.Columns, c.Name) })
}

// candidates lists rules for a column, the best first.
func candidates(what string, c sqlusers.Column) (all []datamap.Rule) {
	if what == "an e-mail address" {
		all = append(all, datamap.Rule{Op: datamap.RuleInvalid})
	}
	if c.Null {
		all = append(all, datamap.Rule{Op: datamap.RuleNull})
	}
	if c.Kind == sqlusers.KindOther && strings.HasPrefix(c.Type, "json") {
		all = append(all, datamap.Rule{Op: datamap.RuleValue, Value: "{}"})
	}
	for _, v := range []string{"-", "0", "0.0.0.0", "1900-01-01"} {
		all = append(all, datamap.Rule{Op: datamap.RuleValue, Value: v})
	}
	return append(all, datamap.Rule{Op: datamap.RuleHash})
}
