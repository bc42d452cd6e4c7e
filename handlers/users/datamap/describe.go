package datamap

import (
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// CountKey is where counts, as Describe takes them, have the number of values
// that a column of a place holds.
func CountKey(place string, column inbox.Field) string { return place + "." + string(column) }

// Describe tells what is held about the person, place by place, in the
// language of the tag. Counts has the number of records of each place under
// its name, and may have that of the values of a column under CountKey; a
// column that is not counted is taken to hold some. A place without records is
// left out, except the person's own, and so is a column that is Hidden.
func (m *Map) Describe(p users.Person, counts map[string]int, lang string) []inbox.Holding {
	var all []inbox.Holding
	for i, place := range m.places {
		h := holding(place, counts[place.Name], lang)
		if i == 0 && !p.Guest {
			h.Count = max(h.Count, 1)
		}
		if h.Count == 0 {
			continue
		}
		for _, c := range place.Columns {
			if !c.Hidden && holds(p, place, c, counts) {
				h.Fields = append(h.Fields, labelOf(c, lang))
			}
		}
		all = append(all, h)
	}
	return all
}

// DescribeCases tells that n earlier letters of the person are held.
func (m *Map) DescribeCases(n int, lang string) inbox.Holding { return holding(cases, n, lang) }

func holding(p Place, n int, lang string) inbox.Holding {
	return inbox.Holding{Place: p.Name, Label: p.Label.In(lang), Count: n, Purpose: p.Purpose.In(lang),
		Retention: p.Retention.In(lang), Recipients: p.Recipients.In(lang)}
}

func holds(p users.Person, place Place, c Column, counts map[string]int) bool {
	if n, ok := counts[CountKey(place.Name, c.Field)]; ok {
		return n > 0
	}
	if place.Single && !c.Fixed {
		return p.Fields[c.Field] != ""
	}
	if c.Field == ColumnWithdrawn {
		return !p.Withdrawn.IsZero()
	}
	return true
}
