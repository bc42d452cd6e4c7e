package fit

import (
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/settings"
)

// place compares the i-th place of the map with its table.
func (c *comparison) place(i int, p datamap.Place) {
	t, ok := c.table(p)
	if !ok {
		c.fault(p.Name, c.nearestTable(p.Source.Table), "there is no table %q, or no right to see it", p.Source.Table)
		return
	}
	if !t.Transactional {
		c.fault(p.Name, "convert it: ALTER TABLE … ENGINE = InnoDB", "the table %q has no transactions, so that half of an action could stay", t.Name)
	}
	if t.Filtered {
		c.fault(p.Name, "give supportd a database user with BYPASSRLS, or make it the owner without FORCE ROW LEVEL SECURITY",
			"row-level security of %q may hide rows from us, and what is hidden would count as gone", t.Name)
	}
	w := &placed{c, p, t}
	known := true
	for _, k := range p.Source.Key {
		_, ok := w.column(k)
		known = known && ok
	}
	if known && !t.View && !t.Distinct(p.Source.Key...) {
		c.fault(p.Name, "name other columns as key, or add a primary key", "the key %s does not tell the rows of %q apart: no unique index is on it, or it may be NULL", quoted(p.Source.Key), t.Name)
	}
	if known && t.View && !t.Distinct(p.Source.Key...) {
		c.remark(p.Name, "be sure that no two rows have the same", "nothing says that the key %s tells the rows of the view %q apart: where it does not, a copy or a delete fails", quoted(p.Source.Key), t.Name)
	}
	w.matches(p.Source.Where, "no row can be like that")
	if w.columns(); i == 0 {
		w.account()
	} else {
		w.link()
	}
	if p.Erase == datamap.EraseValues {
		w.erasure()
	}
}

func (c *comparison) nearestTable(name string) string {
	var names []string
	for _, t := range c.schema.Tables {
		names = append(names, t.Name)
	}
	if near := settings.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	_, last, found := strings.Cut(name, ".")
	for _, n := range names {
		if _, plain, _ := strings.Cut(n, "."); found && n == last || !found && plain == name {
			return fmt.Sprintf("did you mean %q?", n)
		}
	}
	return "write it as the database does; take the place out of the map where the site has no such table"
}

// placed is a place and its table.
type placed struct {
	c *comparison
	p datamap.Place
	t sqlusers.Table
}

// at names a column of the place in findings.
func (w *placed) at(column string) string { return w.p.Name + "." + column }

// column gives a column of the table; where there is none, it says so.
func (w *placed) column(name string) (sqlusers.Column, bool) {
	col, ok := w.t.Column(name)
	if !ok {
		var names []string
		for _, c := range w.t.Columns {
			names = append(names, c.Name)
		}
		hint := fmt.Sprintf("the table has %s", shortened(names))
		if near := settings.Nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		w.c.fault(w.at(name), hint, "the table %q has no column %q", w.t.Name, name)
	}
	return col, ok
}

// shortened lists names as far as a line bears.
func shortened(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// matches compares the values that columns must have.
func (w *placed) matches(all []datamap.Match, so string) {
	for _, m := range all {
		if col, ok := w.column(m.Column); ok && !col.Generated {
			if why := col.Refuses(m.Value); why != "" {
				w.c.fault(w.at(m.Column), "write the value as the database has it", "%s: %s", so, why)
			}
		}
	}
}

// columns compares the columns of the map.
func (w *placed) columns() {
	for _, mapped := range w.p.Columns {
		for i, name := range mapped.Names() {
			col, ok := w.column(name)
			if ok && !mapped.Fixed {
				w.editable(mapped, i, col)
			}
		}
	}
	if w.p.Single && w.p.Source.Link.Column != "" {
		w.newRow()
	}
}

// editable tells whether what people give can be written.
func (w *placed) editable(mapped datamap.Column, i int, col sqlusers.Column) {
	const fix = "leave field out: then the site writes it"
	at := w.at(col.Name)
	switch {
	case col.Generated:
		w.c.fault(at, fix, "people may change it, and the database computes it")
		return
	case mapped.Type == datamap.TypeDate && (col.Kind == sqlusers.KindInt || col.Kind == sqlusers.KindNumber || col.Kind == sqlusers.KindBool):
		w.c.fault(at, fix, "people may change it as a date, and %s holds none", col.Type)
	case mapped.Type == datamap.TypeEmail && col.Kind != sqlusers.KindText:
		w.c.fault(at, "name a column of text", "it is an address, and %s holds none", col.Type)
	case mapped.Type != datamap.TypeDate && col.Kind != sqlusers.KindText && len(col.Enum) == 0:
		w.c.remark(at, "where people would write it in words, leave field out", "people may change it, and what is no %s is refused", col.Type)
	}
	if !mapped.Needed && !col.Null && col.Kind != sqlusers.KindText {
		w.c.fault(at, "write needed = true, or let the column be NULL", "people may have it removed, and it cannot be NULL")
	}
}

// newRow tells whether a row can be made for somebody who has none.
func (w *placed) newRow() {
	var missing []string
	for _, col := range w.t.Columns {
		given := col.Name == w.p.Source.Link.Column || slices.ContainsFunc(w.p.Source.Where, func(m datamap.Match) bool { return m.Column == col.Name }) ||
			slices.ContainsFunc(w.p.Columns, func(m datamap.Column) bool { return !m.Fixed && slices.Contains(m.Names(), col.Name) })
		if !given && !col.Null && !col.Default && !col.Generated {
			missing = append(missing, col.Name)
		}
	}
	if len(missing) > 0 && slices.ContainsFunc(w.p.Columns, func(m datamap.Column) bool { return !m.Fixed }) {
		w.c.remark(w.p.Name, "give these columns a default", "somebody who has no row in %q yet cannot get one: nothing says what %s should be", w.t.Name, quoted(missing))
	}
}

// account compares what the account's row tells of the account.
func (w *placed) account() {
	email := slices.IndexFunc(w.p.Columns, func(m datamap.Column) bool { return m.Field == inbox.FieldEmail && !m.Fixed })
	switch {
	case email < 0 || len(w.p.Columns[email].Names()) != 1:
		w.c.fault(w.p.Name, `one [[account.column]] has field = "email"`, "no single column is the address on record")
	default:
		if col, ok := w.t.Column(w.p.Columns[email].Names()[0]); ok {
			w.searched(col)
		}
	}
	w.activity()
	for _, name := range []string{w.p.Account.Withdrawn, w.p.Account.LastSeen} {
		if name == "" {
			continue
		}
		if col, ok := w.column(name); ok && col.RefusesTime() != "" && !(col.Generated && name == w.p.Account.LastSeen) {
			w.c.fault(w.at(name), "name a column with a time", "it is to hold a time: %s", col.RefusesTime())
		}
	}
	w.matches(w.p.Account.Protected, "nobody would ever be protected by it")
}

// activity compares the switch of the account.
func (w *placed) activity() {
	sw := w.p.Account.Active
	if sw.Column == "" {
		return
	}
	col, ok := w.column(sw.Column)
	at := w.at(sw.Column)
	switch {
	case !ok:
	case sw.Time:
		if why := col.RefusesTime(); why != "" {
			w.c.fault(at, "name a column with a time, or write on and off", "accounts are deactivated by a time in it: %s", why)
		} else if why := col.RefusesRule(datamap.Rule{Op: datamap.RuleNull}); why != "" {
			w.c.fault(at, "let the column be NULL", "it is to be emptied when an account is active again: %s", why)
		}
	default:
		for _, v := range []string{sw.On, sw.Off} {
			if why := col.Refuses(v); why != "" {
				w.c.fault(at, "write on and off as the column has them", "it cannot be switched: %s", why)
			}
		}
	}
}

// searched tells whether people are found by an index.
func (w *placed) searched(col sqlusers.Column) {
	switch {
	case col.Kind != sqlusers.KindText:
		w.c.fault(w.at(col.Name), "name a column of text", "people are found by the address in it, and %s holds none", col.Type)
	case !col.Searched && !w.t.View:
		w.c.remark(w.at(col.Name), w.c.schema.SearchIndex(w.t, col), "no index serves the search by address: every search reads all of %q", w.t.Name)
	}
}

// link compares how the rows of the place belong to a person.
func (w *placed) link() {
	link := w.p.Source.Link
	col, ok := w.column(link.Column)
	if ok && link.ByAddress() {
		w.searched(col)
		w.readdressed(col)
		w.staying(col)
	}
	up, found := w.c.parent(w.p)
	parent, there := w.c.table(up)
	if !ok || !found || !there {
		return
	}
	to, ok := (&placed{w.c, up, parent}).column(link.To)
	if ok {
		w.changing(up, to, parent)
	}
	switch {
	case ok && alone(parent, to.Name) && alone(w.t, col.Name) && !w.p.Single && !refers(w.t, col, parent, to) && !refers(parent, to, w.t, col):
		w.c.fault(w.at(col.Name), "name the column that holds whose row it is; where it is this one, write single = true",
			"no two rows of %q have the same in %q, and nothing says that it refers to %q: is it the number of the row, and not of the person?", w.t.Name, col.Name, parent.Name)
	case !ok || alone(parent, to.Name) || parent.View:
	case alone(w.t, col.Name):
		w.c.remark(w.at(col.Name), "look whether a row is one person's only: it goes when one of them goes",
			"several rows of %q may have one value in %q, so that a row of %q may belong to several people", parent.Name, to.Name, w.t.Name)
	default:
		w.c.fault(w.at(col.Name), "link it to a column that is unique", "several people may have one value in %q of %q, and would be taken for the owner of each other's rows", to.Name, parent.Name)
	}
}

// refers tells whether the database knows one column as a reference to the other.
func refers(t sqlusers.Table, col sqlusers.Column, to sqlusers.Table, at sqlusers.Column) bool {
	return slices.ContainsFunc(t.Foreign, func(f sqlusers.ForeignKey) bool {
		return f.Table == to.Name && len(f.Columns) == 1 && len(f.To) == 1 && sameColumn(t, f.Columns[0], col.Name) && sameColumn(to, f.To[0], at.Name)
	})
}

// changing refuses a link to what changes by our own hand, unless the database
// takes the rows along.
func (w *placed) changing(up datamap.Place, to sqlusers.Column, parent sqlusers.Table) {
	why := w.c.changes(up, to.Name)
	if why == "" || w.follows(parent, to.Name) {
		return
	}
	hint := "link it to the key; or let the database take the rows along: ON UPDATE CASCADE"
	if account, ok := w.c.email(); ok && up.Source.Link.Column == "" && account.Name == to.Name {
		hint = fmt.Sprintf("write link = { column = %q, address = true }", w.p.Source.Link.Column)
	}
	w.c.fault(w.at(w.p.Source.Link.Column), hint, "its rows are found by %q of %q, which %s, and would be lost then", to.Name, parent.Name, why)
}

// changes says by what a column of a place changes while its rows stay; "": by
// nothing that we do.
func (c *comparison) changes(p datamap.Place, column string) string {
	t, ok := c.table(p)
	by := func(name string) bool { return sameColumn(t, name, column) }
	switch {
	case !ok:
		return ""
	case slices.ContainsFunc(p.Columns, func(m datamap.Column) bool { return !m.Fixed && slices.ContainsFunc(m.Names(), by) }):
		return "people may change"
	case !by(p.Source.Link.Column):
		return ""
	case p.Readdressed():
		return "changes with people's address"
	}
	up, found := c.parent(p)
	parent, _ := c.table(up)
	if found && (&placed{c, p, t}).follows(parent, p.Source.Link.To) && c.changes(up, p.Source.Link.To) != "" {
		return fmt.Sprintf("changes with %q of %q", p.Source.Link.To, parent.Name)
	}
	return ""
}

// follows tells whether the database gives the link of a row what its parent's
// column gets.
func (w *placed) follows(parent sqlusers.Table, to string) bool {
	return slices.ContainsFunc(w.t.Foreign, func(f sqlusers.ForeignKey) bool {
		if f.Table != parent.Name || f.OnUpdate != "cascade" {
			return false
		}
		for i, name := range f.Columns {
			if i < len(f.To) && sameColumn(w.t, name, w.p.Source.Link.Column) && sameColumn(parent, f.To[i], to) {
				return true
			}
		}
		return false
	})
}

// readdressed compares what a new address is written into where rows are linked
// by it.
func (w *placed) readdressed(col sqlusers.Column) {
	at := w.at(col.Name)
	if !w.p.Readdressed() || col.Kind != sqlusers.KindText {
		return
	}
	if col.Generated {
		w.c.fault(at, "name the column that it is computed from, or write fixed in the link, with the reason", "the rows are to get the new address when a person's changes, and the database computes it")
		return
	}
	if account, ok := w.c.email(); ok && col.Length > 0 && (account.Length == 0 || account.Length > col.Length) {
		w.c.remark(at, "widen the column, or write fixed in the link, with the reason", "nobody's new address may have more than its %d characters, because the rows are to get it, too", col.Length)
	}
	for _, u := range w.t.Unique {
		if slices.ContainsFunc(u.Columns, func(name string) bool { return sameColumn(w.t, name, col.Name) }) {
			w.c.remark(at, "a failed change tells staff; they join the two rows and retry it",
				"%s of %q must be unique: a change of address fails where there is a row with the new one already", quoted(u.Columns), w.t.Name)
		}
	}
}

// staying warns of what a delete is to take, and no longer reaches once a person
// has another address.
func (w *placed) staying(col sqlusers.Column) {
	if w.p.Readdressed() || w.p.Erase == datamap.EraseNone {
		return
	}
	hint := "leave fixed out where the rows may get the new address"
	if !w.p.Source.Link.Fixed {
		hint = "erase the column, where it need not be kept, so that the rows get the new address"
	}
	w.c.remark(w.at(col.Name), hint, "after a change of address its rows stay under the old one: no later copy has them, and no later delete reaches them, as people are told")
}

// email gives the column of the address on record.
func (c *comparison) email() (sqlusers.Column, bool) {
	t, _ := c.table(c.places[0])
	for _, mapped := range c.places[0].Columns {
		if mapped.Field == inbox.FieldEmail && !mapped.Fixed {
			return t.Column(mapped.Names()[0])
		}
	}
	return sqlusers.Column{}, false
}

// alone tells whether no two rows have the same value in the column.
func alone(t sqlusers.Table, column string) bool {
	return slices.ContainsFunc(t.Unique, func(u sqlusers.Unique) bool {
		return !u.Partial && len(u.Columns) == 1 && sameColumn(t, u.Columns[0], column)
	})
}

// sameColumn tells whether two names are those of one column.
func sameColumn(t sqlusers.Table, a, b string) bool {
	x, okX := t.Column(a)
	y, okY := t.Column(b)
	return okX && okY && x.Name == y.Name
}
