package fit

import (
	"fmt"
	"slices"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

// Narrow gives the map with what the tables say about the values of fields that
// people may change: how long they may be, of which few they are one, and that
// they are days; an address may be as long as every place that is linked by it
// takes. So what the database would refuse is refused before anybody is
// asked, with a reason. The map is to be the one that the operator wrote, and
// not one that was narrowed before, since columns are widened, too. It fails only where the narrowed map is none.
func Narrow(m *datamap.Map, schema sqlusers.Schema) (*datamap.Map, error) {
	places := m.Places()
	for i, p := range places {
		t, ok := schema.Table(p.Source.Table)
		if !ok {
			continue
		}
		for j, col := range p.Columns {
			if !col.Fixed {
				places[i].Columns[j] = narrowed(col, t)
			}
		}
	}
	narrowAddress(places, schema)
	out, err := datamap.New(places...)
	if err != nil {
		return nil, fmt.Errorf("narrowing the data map to the database: %w", err)
	}
	return out, nil
}

// narrowAddress bounds the address on record by what is linked by it: a new one
// is written there, too.
func narrowAddress(places []datamap.Place, schema sqlusers.Schema) {
	for _, p := range places {
		t, _ := schema.Table(p.Source.Table)
		link, ok := t.Column(p.Source.Link.Column)
		if !ok || !p.Readdressed() || link.Kind != sqlusers.KindText {
			continue
		}
		for j, col := range places[0].Columns {
			if col.Field == inbox.FieldEmail && !col.Fixed {
				places[0].Columns[j].Max = least(col.Max, link.Length)
			}
		}
	}
}

// narrowed gives a column of the map with the bounds of the table's columns.
func narrowed(c datamap.Column, t sqlusers.Table) datamap.Column {
	var parts []int
	for _, name := range c.Names() {
		col, ok := t.Column(name)
		if !ok {
			return c
		}
		most := 0
		if col.Kind == sqlusers.KindText {
			most = col.Length
		}
		parts = append(parts, most)
		if len(c.Names()) > 1 {
			continue
		}
		if c.Max = least(c.Max, most); len(col.Enum) > 0 {
			c.Allowed, c.Join = slices.Clone(col.Enum), ""
		}
		if col.Kind == sqlusers.KindDate && c.Type == datamap.TypeText {
			c.Type, c.Join = datamap.TypeDate, ""
		}
	}
	if len(parts) > 1 {
		c.Parts = parts
	}
	return c
}

// least gives the smaller of two bounds; 0 is none.
func least(a, b int) int {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
