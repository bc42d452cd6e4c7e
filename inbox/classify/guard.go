package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// saysMore tells whether the text seems to say more of what is to be changed than
// was read: a birthday without its year, a line of a form whose label nobody
// knows, another value that is said to be new, or that nobody should see it.
func (r *reader) saysMore(list []candidate) bool {
	return r.looseMonth(list) || r.strangeLabel() || r.untaken(list) || r.elsewhere(list) || r.hits.Has(r.all(), lang.Private)
}

// elsewhere tells whether an account is named by an address that is not the
// writer's: "the phone on the account of bob@example.org".
func (r *reader) elsewhere(list []candidate) bool {
	return slices.ContainsFunc(r.values, func(v typed) bool {
		if v.field != inbox.FieldEmail || v.Value == r.from || r.taken(list, v.span) || r.isBeside(v.span.From) {
			return false
		}
		s := r.sentenceOf(v.span.From)
		return r.cue(s, v.span) != olden && r.accountOf(s, v.span.From)
	})
}

// accountOf tells whether an account that is nobody's in particular is named
// before a word.
func (r *reader) accountOf(s lang.Span, i int) bool {
	before := lang.Span{From: max(s.From, i-reachOwner), To: i}
	return r.hits.Has(before, lang.Account) && !r.hits.Has(lang.Span{From: max(s.From, before.From-1), To: i}, lang.Me)
}

// looseMonth tells whether a month stands outside of every date while a
// birthday is to be changed: "you show 7 December 1990, it's 12 July".
func (r *reader) looseMonth(list []candidate) bool {
	if !slices.ContainsFunc(list, func(c candidate) bool { return c.Field == inbox.FieldBirth }) {
		return false
	}
	return slices.ContainsFunc(r.marks(), func(m value.Mark) bool {
		dated := slices.ContainsFunc(r.values, func(v typed) bool { return v.Start <= m.Start && m.End <= v.End })
		at := r.words(m.Start, m.End)
		return m.Month > 0 && !dated && r.cue(r.sentenceOf(at.From), at) != olden
	})
}

// strangeLabel tells whether a form has a line whose label is no field that is
// known.
func (r *reader) strangeLabel() bool {
	before := false
	for _, s := range r.t.Sentences {
		_, ok := r.labelled(s)
		if !ok && before && !r.isBeside(s.From) && strings.Contains(r.gap(s.From), "\n") && r.colonAt(s) {
			return true
		}
		before = ok
	}
	return false
}

// strangeBeside tells whether an "and" puts a word that nobody knows beside one
// of the fields: "their sex and my birthday", of which one is read.
func (r *reader) strangeBeside(s lang.Span, fields lang.Hits) bool {
	and := func(i int) bool {
		return i >= s.From && i < s.To && r.hits.Has(word(i), lang.And)
	}
	strange := func(i int) bool { return i >= s.From && i < s.To && !r.knows(i) }
	return slices.ContainsFunc(fields, func(h lang.Hit) bool {
		return and(h.From-1) && strange(h.From-2) || and(h.To) && strange(h.To+1)
	})
}

// maxLabel bounds the words of a label.
const maxLabel = 3

// colonAt tells whether a sentence looks like "Label: value".
func (r *reader) colonAt(s lang.Span) bool {
	for i := s.From + 1; i < s.To && i <= s.From+maxLabel; i++ {
		if strings.Contains(r.gap(i), ":") {
			return true
		}
	}
	return false
}

// untaken tells whether a telephone number or address, or a place or occupation
// that is said to be new, was not taken for a value.
func (r *reader) untaken(list []candidate) bool {
	for _, f := range []inbox.Field{inbox.FieldEmail, inbox.FieldPhone, inbox.FieldLocation, inbox.FieldOccupation, inbox.FieldNationality} {
		for _, m := range r.mentions(f) {
			s := r.t.Sentences[m.sentence]
			said := m.cue == fresh && (!introduces(f) || r.hits.Has(s, lang.New, lang.Wrong, lang.Old))
			if said && !r.taken(list, m.span) && !r.isBeside(m.span.From) {
				return true
			}
		}
	}
	return false
}
