package answer

import (
	"slices"

	"push.guru/supportd/inbox/classify/lang"
)

// against are the concepts that make a text no yes, wherever they stand.
var against = []lang.Concept{lang.Wait, lang.But, lang.No, lang.Negation, lang.Condition, lang.HowTo, lang.Problem}

// doubtful are those that make it none but for the name under the text.
var doubtful = []lang.Concept{lang.Doubt, lang.Other, lang.Temporary, lang.Grave}

// acts are the concepts of what can be agreed to.
var acts = []lang.Concept{lang.Delete, lang.Deleting, lang.Deleted, lang.AskDelete, lang.Deactivate, lang.AskDeactivate, lang.Change}

// asked are the concepts of what was asked: the act, or "it".
var asked = append([]lang.Concept{lang.It}, acts...)

// beside are the concepts whose words may stand beside a yes.
var beside = append([]lang.Concept{lang.Yes, lang.Filler, lang.It, lang.Both, lang.Reason, lang.Unused, lang.Aside, lang.Little, lang.Heard, lang.Account, lang.Data, lang.Me, lang.All}, acts...)

// yes tells whether a span is a yes and nothing else.
func (r *reader) yes(s lang.Span) bool {
	if r.question(s) || r.opposed(s) || !r.leads(s) && !r.follows(s) && !r.restates(s) && !r.both(s) {
		return false
	}
	body := lang.Span{From: s.From, To: r.signed(s)}
	return !r.doubted(body) && r.founded(body) && r.harmless(s, body)
}

// harmless tells whether every word of the body of a span is one that may stand
// beside a yes, or of the writer's name.
func (r *reader) harmless(s, body lang.Span) bool {
	covered := make([]bool, len(r.t.Words))
	for _, h := range slices.Concat(r.hits.In(s, beside...), r.named(s), r.wishes(s)) {
		for i := h.From; i < h.To; i++ {
			covered[i] = true
		}
	}
	for i := body.From; i < body.To; i++ {
		if !covered[i] && !r.small(i) && !r.introduced(i) {
			return false
		}
	}
	return true
}

// leads tells whether the yes comes first, politeness left out: "delete it, ok?"
// is a request.
func (r *reader) leads(s lang.Span) bool {
	for i := s.From; i < s.To; {
		one := at(i)
		if slices.ContainsFunc(r.hits.In(one, lang.Yes), r.affirms) {
			return true
		}
		f := r.hits.In(one, lang.Filler, lang.It)
		if len(f) == 0 {
			return false
		}
		i = max(f[0].To, i+1)
	}
	return false
}

// follows tells whether a later part of a span begins with a yes: "I wrote that
// myself, so yes". It is one only where all else is harmless, too.
func (r *reader) follows(s lang.Span) bool {
	for i := s.From + 1; i < s.To; i++ {
		if r.t.Words[i].Before >= lang.Comma && r.leads(lang.Span{From: i, To: s.To}) {
			return true
		}
	}
	return false
}

// affirms tells whether a yes says so to what was asked: not with a "not" that
// runs on from within it ("I do not"), not only to having heard ("yes, I got your
// letter"), and not as a plea to us ("please confirm").
func (r *reader) affirms(yes lang.Hit) bool {
	inner := r.hits.In(lang.Span{From: yes.From + 1, To: yes.To}, lang.No, lang.Negation)
	if slices.ContainsFunc(inner, func(h lang.Hit) bool { return h.To > yes.To }) || r.pleads(yes) {
		return false
	}
	end := yes.To
	for !r.ends(end) {
		end++
	}
	heard := r.hits.In(lang.Span{From: yes.To, To: end}, lang.Heard)
	return len(heard) == 0 || r.hits.Has(lang.Span{From: heard[0].To, To: end}, lang.Yes) || r.acted(heard[0], end)
}

// acted tells whether an act behind what was heard is wished and not what was
// heard: "I know, delete it", and not "I see that it will be deleted". What only
// reserves nothing ("I understand that") was heard and is agreed to.
func (r *reader) acted(heard lang.Hit, end int) bool {
	if !r.outside(lang.Hits{heard}, r.hits.In(at(heard.From), lang.Reason)) {
		return r.hits.Has(lang.Span{From: heard.To, To: end}, acts...)
	}
	part := r.partOf(heard.Span).To
	if part < end && r.hits.Has(lang.Span{From: part, To: end}, acts...) {
		return true
	}
	for i := heard.To; i < part; i++ {
		if r.hits.Has(at(i), lang.Delete, lang.Deactivate, lang.Change, lang.AskDelete) {
			return true
		}
		if !r.hits.Has(at(i), lang.Filler, lang.Wish, lang.And) {
			return false
		}
	}
	return false
}

// pleads tells whether a yes is the verb of a plea: "please confirm".
func (r *reader) pleads(yes lang.Hit) bool {
	return r.listed(yes.From, lang.WordConfirm) && !r.begins(yes.From) && r.listed(yes.From-1, lang.WordPlease)
}

// both tells whether a span says "both" and no more: "both, please".
func (r *reader) both(s lang.Span) bool {
	if !r.hits.Has(s, lang.Both) {
		return false
	}
	for i := s.From; i < s.To; i++ {
		if !r.inside(i, s.From, lang.Both, lang.Filler) {
			return false
		}
	}
	return true
}

// restates tells whether a span is the act itself in words that can only be
// about what was asked: "delete it". What names its object is a request.
func (r *reader) restates(s lang.Span) bool {
	if r.hits.Has(s, lang.Account, lang.Data, lang.All) || len(r.hits.Prefixed(s, lang.FieldPrefix)) > 0 {
		return false
	}
	return slices.ContainsFunc(r.hits.In(s, lang.Reason), func(h lang.Hit) bool {
		return r.hits.Has(h.Span, lang.Delete, lang.Deactivate, lang.Change)
	})
}

// opposed tells whether something in a span speaks against a yes. What is part
// of a reason, or of having heard, does not: "I do not need it any more".
func (r *reader) opposed(s lang.Span) bool {
	if slices.ContainsFunc(r.hits.In(s, lang.Unused), r.denies) {
		return true
	}
	return r.outside(r.hits.In(s, against...), r.hits.In(s, lang.Reason, lang.Unused, lang.Heard))
}

// doubted tells whether a span has a word of doubt or of another thing.
func (r *reader) doubted(s lang.Span) bool {
	twice := slices.ContainsFunc(r.hits.In(s, lang.Both), func(h lang.Hit) bool { return r.hits.Has(r.partOf(h.Span), lang.Account) })
	return twice || r.outside(r.hits.In(s, doubtful...), r.hits.In(s, lang.Reason, lang.Unused, lang.Yes, lang.Both)) ||
		slices.ContainsFunc(r.hits.In(s, lang.New, lang.Reason), func(h lang.Hit) bool { return r.another(h, s) })
}

// another tells whether all that is said of a field is that it is another one, or
// the old one, and no act beside it says what for: "yes, another number".
func (r *reader) another(thing lang.Hit, s lang.Span) bool {
	part := r.partOf(thing.Span)
	if thing.Concept == lang.Reason && (thing.To < part.To || len(r.fields(thing.Span)) == 0) {
		return false // "the old number is dead"
	}
	for i := thing.From; i < thing.To; i++ {
		if r.listed(i, lang.WordAnother) {
			return !r.hits.Has(lang.Span{From: s.From, To: part.From}, acts...) && !r.hits.Has(lang.Span{From: part.To, To: s.To}, acts...)
		}
	}
	return false
}

// denies tells whether the "not" of a reason is about what was asked: "I no
// longer need it deleted", "the request is no longer needed". Politeness or an
// "and" begins something else: "I do not need it please delete it".
func (r *reader) denies(reason lang.Hit) bool {
	longer := func(h lang.Hit) bool {
		return h.Concept == lang.Unused && h.From <= reason.From && reason.To <= h.To && h.To-h.From > reason.To-reason.From
	}
	if slices.ContainsFunc(r.hits, longer) {
		return false // "I do not need" of "I do not need it"
	}
	for i := reason.To; !r.closes(i) && !r.hits.Has(at(i), lang.And, lang.Filler, lang.Wish, lang.Yes); i++ {
		if r.hits.Has(at(i), asked...) {
			return true
		}
	}
	for i := reason.From - 1; i >= r.part(reason.From) && !r.hits.Has(at(i), lang.And, lang.Yes); i-- {
		if r.hits.Has(at(i), asked...) {
			return true
		}
	}
	return false
}

// wishes gives the wishes of a span in whose part of the sentence an act stands: "I
// want to delete it". Else they are for something: "I need it".
func (r *reader) wishes(s lang.Span) lang.Hits {
	return slices.DeleteFunc(r.hits.In(s, lang.Wish), func(h lang.Hit) bool {
		return !r.hits.Has(r.partOf(h.Span), acts...)
	})
}

// named gives the fields that a span names beside an act, as new or as right:
// "yes, change my number", "yes, the new number", "yes, the number is right".
func (r *reader) named(s lang.Span) lang.Hits {
	if !r.hits.Has(s, lang.Change, lang.Delete, lang.New) && len(r.hits.In(s, lang.Yes)) < 2 {
		return nil
	}
	return append(r.hits.Prefixed(s, lang.FieldPrefix), r.hits.In(s, lang.New)...)
}
