package draft

import (
	"fmt"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/handlers/users/meaning"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

// maxPlaces bounds the map; what is more is named in a comment.
const maxPlaces = 300

// relate finds the tables that belong to people: by links to what is found
// already, as deep as they go, and by addresses.
func (d *drafter) relate() {
	d.follow()
	for _, t := range d.tables() {
		if email, ok := d.emailOf(t); ok && !d.placed(t) && len(d.places) < maxPlaces {
			d.add(&place{table: t, column: email})
		}
	}
	d.follow()
	for _, p := range slices.Clone(d.places) {
		d.guests(p)
	}
}

// follow adds what is linked to the places that there are, until nothing more
// is.
func (d *drafter) follow() {
	for more := true; more; {
		more = false
		before := slices.Clone(d.places)
		for _, t := range d.tables() {
			if d.placed(t) || len(d.places) >= maxPlaces {
				continue
			}
			if p := d.linked(t, before); p != nil {
				d.add(p)
				more = true
			}
		}
	}
}

func (d *drafter) placed(t sqlusers.Table) bool {
	return slices.ContainsFunc(d.places, func(p *place) bool { return p.table.Name == t.Name })
}

// add enters a place under a name of its own.
func (d *drafter) add(p *place) {
	p.name = d.free(mapfile.Plain(last(p.table.Name)))
	p.key = keyOf(p.table)
	p.fields = map[string]inbox.Field{}
	if p.parent != nil && p.kind == "" && alone(p.table, p.column.Name) && !d.lexicon.Any("apart", p.table.Name) {
		if d.takeFields(p); len(p.fields) > 0 {
			p.single = true
		}
	}
	d.places = append(d.places, p)
}

// last gives the name of a table without its schema.
func last(table string) string { return table[strings.LastIndexByte(table, '.')+1:] }

// free gives the name, or one like it that no place has.
func (d *drafter) free(name string) string {
	taken := func(n string) bool {
		return n == "" || n == "cases" || slices.ContainsFunc(d.places, func(p *place) bool { return p.name == n })
	}
	out := name
	for i := 2; taken(out); i++ {
		out = fmt.Sprintf("%s_%d", name, i)
	}
	return out
}

// way is how a table may be linked to a place.
type way struct {
	column sqlusers.Column
	parent *place
	to     string
	kind   string
	rank   int
}

// linked gives the table as a place, by the likeliest of its links; nil: there
// is none.
func (d *drafter) linked(t sqlusers.Table, parents []*place) *place {
	var ways []way
	for _, p := range parents {
		for _, c := range t.Columns {
			if w, ok := d.way(t, c, p); ok {
				ways = append(ways, w)
			}
		}
	}
	if len(ways) == 0 {
		return nil
	}
	slices.SortStableFunc(ways, func(a, b way) int { return a.rank - b.rank })
	w := ways[0]
	p := &place{table: t, column: w.column, parent: w.parent, to: w.to, kind: w.kind}
	for _, other := range ways[1:] {
		if other.rank < bySort {
			p.notes = append(p.notes, fmt.Sprintf("%s leads to %s.%s, too: where such rows are the person's as well, add a place for them.", other.column.Name, other.parent.name, other.to))
		}
	}
	return p
}

// The ranks of ways: those by a reference before those by a name.
const (
	byName = 10
	bySort = 20
)

// way tells how a column links its table to a place.
func (d *drafter) way(t sqlusers.Table, c sqlusers.Column, p *place) (w way, ok bool) {
	if !writable(c.Name) || p.table.Name == t.Name {
		return w, false
	}
	w = way{column: c, parent: p}
	points := d.lexicon.Points(c.Name, p.table.Name)
	for _, f := range t.Foreign {
		if len(f.Columns) != 1 || f.Columns[0] != c.Name {
			continue
		}
		if f.Table != p.table.Name || len(f.To) != 1 {
			return w, false // it is known where it leads
		}
		w.to = f.To[0]
		w.penalty(c.Null, 1)
		w.penalty(!points, 2)
		w.penalty(!named(t, p), 4)
		return w, d.reachable(p, w.to)
	}
	if len(p.key) != 1 {
		return w, false
	}
	key, _ := p.table.Column(p.key[0])
	same := strings.EqualFold(c.Name, key.Name) && !strings.EqualFold(key.Name, "id") && !slices.Equal(keyOf(t), []string{c.Name})
	switch {
	case key.Kind != c.Kind:
		return w, false
	case points || same:
		w.to, w.rank = key.Name, byName
		w.penalty(!named(t, p), 4)
		return w, true
	case p.column.Name == "":
		w.to, w.rank = key.Name, bySort
		w.kind, ok = sort(t, c)
		return w, ok
	}
	return w, false
}

func (w *way) penalty(ok bool, n int) {
	if ok {
		w.rank += n
	}
}

// reachable tells whether the map names the column of a place: only then can a
// link lead to it.
func (d *drafter) reachable(p *place, column string) bool {
	if slices.Contains(p.key, column) {
		return true
	}
	_, ok := p.table.Column(column)
	return ok && p.column.Name == "" && alone(p.table, column)
}

// named tells whether a table has the name of the other's in its own:
// order_items belongs to orders.
func named(t sqlusers.Table, p *place) bool {
	words, parent := meaning.Words(last(t.Name)), meaning.Words(last(p.table.Name))
	return len(parent) == 0 || slices.ContainsFunc(words, func(w string) bool {
		end := parent[len(parent)-1]
		return w == end || w == meaning.One(end)
	})
}

// sort gives the column that says to what sort of thing a number leads, such as
// tokenable_type beside tokenable_id.
func sort(t sqlusers.Table, c sqlusers.Column) (string, bool) {
	stem, ok := strings.CutSuffix(strings.ToLower(c.Name), "_id")
	if !ok {
		return "", false
	}
	for _, o := range t.Columns {
		if strings.ToLower(o.Name) == stem+"_type" && o.Kind == sqlusers.KindText {
			return o.Name, true
		}
	}
	return "", false
}

// guests adds, beside a place of rows that may have no account, one for those
// that have only an address, and for what hangs on them.
func (d *drafter) guests(p *place) {
	email, ok := d.emailOf(p.table)
	if !ok || p.parent == nil || p.parent.column.Name != "" || p.kind != "" || p.single || len(d.places) >= maxPlaces {
		return
	}
	foreign := slices.ContainsFunc(p.table.Foreign, func(f sqlusers.ForeignKey) bool { return slices.Contains(f.Columns, p.column.Name) })
	zero := !p.column.Null && !foreign && p.column.Default && p.column.Kind == sqlusers.KindInt
	if !p.column.Null && !zero {
		return
	}
	g := &place{name: d.free("guest_" + p.name), table: p.table, key: p.key, column: email, zero: zero, own: p.column.Name, fields: map[string]inbox.Field{}}
	d.places = append(d.places, g)
	d.twins(p, g)
}

// twins adds for g what hangs on p.
func (d *drafter) twins(p, g *place) {
	for _, child := range slices.Clone(d.places) {
		if child.parent != p || len(d.places) >= maxPlaces {
			continue
		}
		twin := &place{name: d.free("guest_" + child.name), table: child.table, key: child.key, column: child.column, parent: g, to: child.to, fields: map[string]inbox.Field{}}
		d.places = append(d.places, twin)
		d.twins(child, twin)
	}
}
