package answer

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// agreed gives what a span names of what it agrees to. A word that may mean one
// act or another names none.
func (r *reader) agreed(s lang.Span) inbox.Agreed {
	var out inbox.Agreed
	for i := s.From; i < s.To; i++ {
		one := at(i)
		kinds := r.kinds(one)
		if len(kinds) == 1 && !slices.Contains(out.Kinds, kinds[0]) {
			out.Kinds = append(out.Kinds, kinds[0])
		}
		for _, h := range r.hits.Prefixed(one, lang.FieldPrefix) {
			if f := inbox.Field(strings.TrimPrefix(string(h.Concept), lang.FieldPrefix)); !slices.Contains(out.Fields, f) {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	return out
}

// kinds gives the acts that the words of a span may mean.
func (r *reader) kinds(at lang.Span) []inbox.Kind {
	var out []inbox.Kind
	if r.hits.Has(at, lang.Delete, lang.Deleting, lang.Deleted, lang.AskDelete) {
		out = append(out, inbox.KindDelete)
	}
	if r.hits.Has(at, lang.Deactivate, lang.AskDeactivate) {
		out = append(out, inbox.KindDeactivate)
	}
	if r.hits.Has(at, lang.Change) {
		out = append(out, inbox.KindChange)
	}
	return out
}
