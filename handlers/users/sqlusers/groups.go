package sqlusers

import (
	"maps"
	"slices"
)

// together is how many values a row may be compared with in one statement. A
// stranger may spell one address in any number of ways where a site stores what
// it is given, and every database has an end of what it takes at once.
const together = 500

// groups shares a subject out, so that no statement about rows of p compares with
// more than so many values. Each row belongs to one of them.
func (who subject) groups(p *place) (all []subject) {
	for ; p != nil; p = p.parent {
		if values, frozen := who.frozen[p]; frozen {
			return who.shared(values, func(part *subject, values []string) {
				part.frozen = maps.Clone(who.frozen)
				part.frozen[p] = values
			})
		}
		if p.byAddress() {
			return who.shared(who.spelled[p], func(part *subject, values []string) {
				part.spelled = maps.Clone(who.spelled)
				part.spelled[p] = values
			})
		}
	}
	return []subject{who}
}

func (who subject) shared(values []string, with func(*subject, []string)) (all []subject) {
	if len(values) <= together {
		return []subject{who}
	}
	for values := range slices.Chunk(values, together) {
		part := who
		with(&part, values)
		all = append(all, part)
	}
	return all
}
