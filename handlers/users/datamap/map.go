// Package datamap says what a site stores about people, where, and why: the
// map. From the map and a person's record it makes the Plan of a Request, the
// description that a person may ask for, and the labels that people read. It
// is pure: it reads no store, and the same map, record and request always give
// the same plan.
//
// # Places and columns
//
// A [Place] is one thing that holds records about a person: the profile, the
// visits, a table of orders. The first place of a map is the person's own
// record, one row a person; it also bears whether the account is active and
// whether an objection was recorded. A [Column] of a place is a field that
// people may name, or, when it is Fixed, something that the site wrote by
// itself. [Embedded] is the map of the embedded store; [New] makes another.
//
// # Plans
//
// [Map.Plan] turns a Request into steps. What cannot be done is refused with a
// [RefusedError], whose Reason the letters put into words; a request is
// planned as a whole or refused as a whole, but what is already so is left out
// of a change that has other things to do.
//
// A change of the address on record takes along the rows of the places that are
// linked by it, each place a step; what stays under the old address is kept,
// see [Link].
//
// A person's name is stored in up to three fields, which are kept in step:
// when full_name is set to two words and both given_name and family_name hold
// values, these follow if the split is certain, that is if one of the words is
// the present given or family name, or else if the present full name is these
// two in a known order. When given_name or family_name changes and the full
// name was the two together, it follows. A full name that is removed takes the
// other two with it. What the person named explicitly is never overruled.
package datamap

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
)

// Text is a wording in several languages, by base language tag ("en").
type Text map[string]string

// In gives the wording in the language of the tag ("ru-KZ" is "ru"), else in
// English, else in the first language it has, else "".
func (t Text) In(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	for _, l := range []string{lang, strings.ToLower(base), "en"} {
		if s := t[l]; s != "" {
			return s
		}
	}
	if len(t) == 0 {
		return ""
	}
	return t[slices.Min(slices.Collect(maps.Keys(t)))]
}

// Column is one field of a place.
type Column struct {
	Field  inbox.Field
	Label  Text
	Type   Type   // how a value is checked
	Max    int    // the longest value, in characters; 0: no limit
	Join   string // what stands between a value and one added to it; "": it holds one value only
	Needed bool   // it cannot be removed without the account
	Fixed  bool   // the site writes it; people cannot name or change it

	Allowed []string // the only values that it takes, as the store spells them; none: any
	Parts   []int    // of several columns in Source: the longest value of each, in characters; 0: no limit

	Source []string            // the table's columns that it is made of, in order; none: one of the field's name
	Hidden bool                // it goes into no copy, such as the hash of a password
	Erase  Rule                // what a delete of the account does to it where the row stays
	Why    Text                // of RuleKeep: the reason
	Until  Text                // of RuleKeep: until when, if that is known
	Words  map[string][]string // what people call it besides its label, by language
}

// Place is one thing that holds records about people.
type Place struct {
	Name       string
	Single     bool // one record a person, as in the profile
	Label      Text
	Purpose    Text
	Retention  Text
	Recipients Text
	Columns    []Column
	Tell       []string // recipients outside the site whom staff must tell when people's data here change or go (GDPR, Article 19)

	Erase Erasure // what a delete of the account does to its rows
	Keep  Text    // of EraseNone: the reason
	Until Text    // of EraseNone: until when, if that is known

	Source  Source  // where it lies in a site's own database
	Account Account // of the first place: what its row tells of the account
}

// CasesPlace is the name under which a person's earlier letters appear in a
// copy or a description. They lie in the state, so no map has such a place.
const CasesPlace = "cases"

// Map is what a site stores about people. It never changes.
type Map struct {
	places []Place
	fields map[inbox.Field]position // of the columns that people may name
	guest  []bool                   // by place: its rows are found by address, the account or not
}

type position struct{ place, column int }

// New makes a map of the places, the person's own record first. The error is
// Faults: all that is wrong, at once.
func New(places ...Place) (*Map, error) {
	if len(places) == 0 {
		return nil, errors.New("reading the data map: it has no places; the first must be the person's own record")
	}
	m := &Map{places: clonePlaces(places), fields: map[inbox.Field]position{}}
	c := checker{m: m}
	if c.check(); len(c.faults) > 0 {
		return nil, fmt.Errorf("reading the data map: %w", c.faults)
	}
	for i := range m.places {
		m.guest = append(m.guest, m.root(i).Source.Link.ByAddress())
	}
	return m, nil
}

// Extend gives a map whose place has the columns beside those it had: a site's
// own fields.
func (m *Map) Extend(place string, columns ...Column) (*Map, error) {
	places := m.Places()
	i := slices.IndexFunc(places, func(p Place) bool { return p.Name == place })
	if i < 0 {
		return nil, fmt.Errorf("extending the data map: it has no place %q", place)
	}
	places[i].Columns = append(places[i].Columns, columns...)
	return New(places...)
}

// Places gives a copy of the map's places, the person's own record first.
func (m *Map) Places() []Place { return clonePlaces(m.places) }

// Place gives a copy of the place of that name.
func (m *Map) Place(name string) (Place, bool) {
	for _, p := range m.places {
		if p.Name == name {
			return clonePlaces([]Place{p})[0], true
		}
	}
	return Place{}, false
}

// Shown tells whether a column of a place goes into copies.
func (m *Map) Shown(place string, column inbox.Field) bool {
	for _, p := range m.places {
		for _, c := range p.Columns {
			if p.Name == place && c.Field == column {
				return !c.Hidden
			}
		}
	}
	return true
}

// Hides tells whether any column goes into no copy.
func (m *Map) Hides() bool {
	return slices.ContainsFunc(m.places, func(p Place) bool {
		return slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Hidden })
	})
}

// OfGuest tells whether a plan is about somebody without an account.
func (m *Map) OfGuest(plan inbox.Plan) bool {
	own := m.places[0].Name
	return len(plan.Steps) > 0 && !slices.ContainsFunc(plan.Steps, func(s inbox.Step) bool { return s.Place == own }) &&
		!slices.ContainsFunc(plan.Keeps, func(k inbox.Keep) bool { return k.Place == own })
}

// Words gives what people call the fields that they may name, besides the words
// that everybody uses: by language, those of the map, and of a site's own
// fields their labels, too.
func (m *Map) Words() map[string]map[inbox.Field][]string {
	all := map[string]map[inbox.Field][]string{}
	add := func(lang string, f inbox.Field, words ...string) {
		if all[lang] == nil {
			all[lang] = map[inbox.Field][]string{}
		}
		all[lang][f] = append(all[lang][f], words...)
	}
	for f := range m.fields {
		_, c, _ := m.column(f)
		if !slices.Contains(inbox.Fields(), f) {
			for lang, label := range c.Label {
				add(lang, f, label)
			}
		}
		for lang, words := range c.Words {
			add(lang, f, words...)
		}
	}
	return all
}

// IsBool tells whether a column of a place holds true or false, and no words.
func (m *Map) IsBool(place string, column inbox.Field) bool {
	for _, p := range m.places {
		for _, c := range p.Columns {
			if p.Name == place && c.Field == column {
				return c.Type == TypeBool
			}
		}
	}
	return false
}

// Fields lists the fields that people may name, the known ones first, in the
// order in which people are shown them.
func (m *Map) Fields() []inbox.Field {
	known := inbox.Fields()
	rank := func(f inbox.Field) int {
		if i := slices.Index(known, f); i >= 0 {
			return i
		}
		return len(known)
	}
	return slices.SortedFunc(maps.Keys(m.fields), func(a, b inbox.Field) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
}

// Label gives the field's name as people read it, in the language of the tag.
// A field that neither the map nor anybody else has is spelled out.
func (m *Map) Label(field inbox.Field, lang string) string {
	if at, ok := m.fields[field]; ok {
		return labelOf(m.places[at.place].Columns[at.column], lang)
	}
	for _, p := range m.places {
		for _, c := range p.Columns {
			if c.Field == field {
				return labelOf(c, lang)
			}
		}
	}
	if c, ok := Known(field); ok {
		return c.Label.In(lang)
	}
	return spell(string(field))
}

// PlaceLabel gives the place's name as people read it.
func (m *Map) PlaceLabel(place, lang string) string {
	if place == CasesPlace {
		return cases.Label.In(lang)
	}
	for _, p := range m.places {
		if p.Name == place {
			return p.Label.In(lang)
		}
	}
	return spell(place)
}

// ColumnLabel gives the name of a field in one place as people read it; the
// place's own with an empty field.
func (m *Map) ColumnLabel(place string, field inbox.Field, lang string) string {
	if field == "" {
		return m.PlaceLabel(place, lang)
	}
	for _, p := range m.places {
		for _, c := range p.Columns {
			if p.Name == place && c.Field == field {
				return labelOf(c, lang)
			}
		}
	}
	return m.Label(field, lang)
}

// Localize gives the plan with what is kept, and until when, worded in the
// language of the tag. It is for showing: a plan's digest is taken before.
func (m *Map) Localize(p inbox.Plan, lang string) inbox.Plan {
	p.Keeps = slices.Clone(p.Keeps)
	for i, k := range p.Keeps {
		why, until := m.reasons(k)
		p.Keeps[i].Why, p.Keeps[i].Until = why.In(lang), until.In(lang)
	}
	return p
}

// reasons gives why something is kept, and until when.
func (m *Map) reasons(k inbox.Keep) (why, until Text) {
	for i, p := range m.places {
		if p.Name != k.Place {
			continue
		}
		if k.Earlier {
			why, until, _ = m.root(i).stays()
			return why, until
		}
		if k.Field == "" {
			return p.Keep, p.Until
		}
		for _, c := range p.Columns {
			if c.Field == k.Field {
				return c.Why, c.Until
			}
		}
	}
	return Text{"en": k.Why}, Text{"en": k.Until}
}

// column gives the column that people mean by the field.
func (m *Map) column(f inbox.Field) (place string, c Column, ok bool) {
	at, ok := m.fields[f]
	if !ok {
		return "", Column{}, false
	}
	p := m.places[at.place]
	return p.Name, p.Columns[at.column], true
}

func labelOf(c Column, lang string) string {
	if l := c.Label.In(lang); l != "" {
		return l
	}
	return spell(string(c.Field))
}

// spell makes a readable word of a name: "shoe_size" is "Shoe size".
func spell(name string) string {
	s := strings.ReplaceAll(name, "_", " ")
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func plainName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) < 0
}

func clonePlaces(places []Place) []Place {
	places = slices.Clone(places)
	for i, p := range places {
		places[i].Columns, places[i].Tell = slices.Clone(p.Columns), slices.Clone(p.Tell)
	}
	return places
}
