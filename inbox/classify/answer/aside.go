package answer

import (
	"slices"

	"push.guru/supportd/inbox/classify/lang"
)

// founded tells whether each part of a span that speaks of a thing, or has words
// without a meaning, says why or agrees to something: "I wrote this letter", and
// not "in the letter". What is to be deleted is no such thing.
func (r *reader) founded(s lang.Span) bool {
	heavy := r.hits.In(s, lang.Yes, lang.Both, lang.Filler, lang.Closing, lang.Reason, lang.Unused, lang.All)
	return !slices.ContainsFunc(r.parts(s), func(part lang.Span) bool {
		light := r.outside(r.hits.In(part, lang.Aside, lang.Little), heavy)
		return light && !r.grounds(part) || r.takesAside(part)
	})
}

// grounds tells whether a part has more to it than a bare yes.
func (r *reader) grounds(part lang.Span) bool {
	more := append([]lang.Concept{lang.Reason, lang.Unused, lang.Heard}, acts...)
	return r.hits.Has(part, more...) || slices.ContainsFunc(r.hits.In(part, lang.Yes), func(h lang.Hit) bool { return h.From > 0 || h.To > 1 })
}

// takesAside tells whether an act is done to something beside the matter:
// "delete this letter".
func (r *reader) takesAside(part lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(part, lang.Delete, lang.Deactivate, lang.Change), func(h lang.Hit) bool {
		i := h.To
		for i < part.To && (r.small(i) || r.hits.Has(at(i), lang.Me, lang.It)) && !r.hits.Has(at(i), lang.Aside) {
			i++
		}
		before := h.From > part.From && r.covers(h.From-1, lang.Aside)
		return before || i < part.To && r.hits.Has(at(i), lang.Aside)
	})
}
