package classify

import (
	"slices"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// bareWords bounds the words of "delete pls".
const bareWords = 5

// deleteIt reads a verb whose object is a word for what the sentence says is
// not needed: "I do not want my number there, remove it".
func (r *reader) deleteIt(d *deletion) bool {
	c := r.clause(d.part, d.verb.Span)
	if !r.hits.Has(c, lang.It) && !r.bare(c) || r.hits.Has(d.part, lang.Keep) {
		return false
	}
	before := lang.Span{From: d.part.From, To: d.verb.From}
	fields, _ := r.fields(before)
	switch f := d.find; {
	case len(fields) > 0:
		f.Scope, f.Fields = inbox.ScopeFields, fields
		f.Confidence *= nameless(fields)
		r.add(f)
		return true
	case len(r.accounts(before)) > 0:
		f.Scope = inbox.ScopeAccount
		r.add(f)
		return true
	}
	return false
}

// deleteBare reads a verb without an object: it means what the sentence
// before was about, or, in a text of a few words, the account.
func (r *reader) deleteBare(d *deletion) bool {
	s, v := d.part, d.verb
	if r.overlaps(s, v.Span, lang.AskDelete) || r.overlaps(s, v.Span, lang.AskWithdraw) || r.overlaps(s, v.Span, lang.AskReactivate) {
		return false // a phrase of its own says what of: get rid of my account
	}
	if v.From > s.From+1 && r.capital(v.From) && r.capital(v.From-1) {
		return false // 14 Larch Close
	}
	if k := r.antecedent(d.sentence); k >= r.subject {
		before := r.t.Sentences[k]
		fields, _ := r.fields(before)
		switch {
		case r.hits.Has(r.fieldPart(before), lang.Other) || r.hits.Has(before, lang.Third) && (len(fields) > 0 || !r.hits.Has(before, lang.Me)):
			return false
		case len(fields) > 0:
			r.deleteFieldsOf(d, k, fields)
			return true
		case len(r.accounts(before)) > 0 && (r.hits.Has(s, lang.It) || r.bare(s)):
			r.deleteAccountOf(d, before)
			return true
		}
	}
	return r.deleteAlone(d)
}

// deleteFieldsOf adds the wish to delete the fields that a sentence before names.
func (r *reader) deleteFieldsOf(d *deletion, sentence int, fields []inbox.Field) {
	s, before, f := d.part, r.t.Sentences[sentence], d.find
	f.Scope, f.Fields = inbox.ScopeFields, fields
	f.Confidence *= nameless(fields)
	if !r.points(s, d.verb) && !r.bare(s) || r.hits.Has(before, lang.New) || r.asksFor(before, lang.Change) {
		f.Confidence *= r.pointsBack(before, s)
	}
	r.handled[sentence] = true
	r.add(f)
}

// deleteAccountOf adds the wish to delete the account that the sentence before
// names.
func (r *reader) deleteAccountOf(d *deletion, before lang.Span) {
	f := d.find
	f.Scope = inbox.ScopeAccount
	f.Confidence *= sure(!r.hits.Has(before, lang.Third))
	said := r.hits.Has(before, lang.HowTo, lang.Problem, lang.Done, lang.Condition, lang.Deactivate, lang.Deactivated,
		lang.AskReactivate, lang.AskStatus, lang.Keep, lang.New, lang.Wrong)
	if said || !r.own(before) && !r.seemsOwn(before) || r.asks(before) || !r.points(d.part, d.verb) && !r.bare(d.part) {
		f.Confidence *= 0.9
	}
	r.add(f)
}

// deleteAlone reads "delete pls", which says no more in the whole text.
func (r *reader) deleteAlone(d *deletion) bool {
	body := r.bodyWords()
	n := body.To - body.From
	if d.verb.Concept != lang.Delete && n != 1 || n > bareWords || len(r.t.Sentences)-r.subject > 2 {
		return false
	}
	f := d.find
	f.Scope = inbox.ScopeAccount
	f.Confidence *= 0.75
	r.add(f)
	return true
}

// fieldPart gives the part of a sentence that names a field, if one alone does.
func (r *reader) fieldPart(s lang.Span) lang.Span {
	parts := slices.DeleteFunc(r.parts(s), func(p lang.Span) bool { f, _ := r.fields(p); return len(f) == 0 })
	if len(parts) == 1 {
		return parts[0]
	}
	return s
}

// pointsBack weighs a verb that has its object in the sentence before: nothing
// else may be asked of it there, and little stand beside the verb.
func (r *reader) pointsBack(before, s lang.Span) float64 {
	said := r.hits.Has(before, lang.Change, lang.Add, lang.Send, lang.Wrong, lang.New, lang.Condition, lang.HowTo,
		lang.Problem, lang.Done, lang.Keep, lang.Data, lang.Third)
	long := s.To-s.From > bareWords && !r.hits.Has(s, lang.It)
	if said || long || len(r.accounts(before)) > 0 || r.asks(before) || !r.hits.Has(s, lang.It, lang.Wish, lang.Filler) {
		return 0.8
	}
	return 1
}

// asksFor tells whether a verb of a kind asks for something in a sentence.
func (r *reader) asksFor(s lang.Span, concepts ...lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(s, concepts...), func(v lang.Hit) bool { return r.mood(s, v.Span) > 0 })
}

// antecedent gives the sentence that an "it" in sentence i means something of:
// the one before, or the one before that if the last one names nothing. It is
// -1 where there is none.
func (r *reader) antecedent(i int) int {
	for k := i - 1; k >= max(r.subject, i-2); k-- {
		before := r.t.Sentences[k]
		fields, _ := r.fields(before)
		if len(fields) > 0 || r.hits.Has(before, lang.Other, lang.Third, lang.Account, lang.Data) {
			return k
		}
	}
	return -1
}

// points tells whether an "it" is what a verb acts on: it stands at once behind
// it, in it ("take it out"), or before a participle ("it can be removed").
func (r *reader) points(s lang.Span, v lang.Hit) bool {
	near := lang.Span{From: v.From, To: min(v.To+1, s.To)}
	if v.Concept != lang.Delete {
		near.From = max(s.From, v.From-reachNot-reachObject)
		for i := near.From; i < v.To; i++ {
			if r.isWord(i, lang.WordThat) && !r.broken(i+1, v.From+1) {
				return true
			}
		}
	}
	return slices.ContainsFunc(r.hits.In(near, lang.It), func(h lang.Hit) bool {
		return !r.broken(min(h.From, v.To)+1, max(h.From, v.From)+1)
	})
}

// isNumber tells whether a sentence is no more than the number of a list item.
func (r *reader) isNumber(s lang.Span) bool {
	return s.To-s.From == 1 && utf8.RuneCountInString(r.t.Words[s.From].Fold) <= 2 && !r.knows(s.From)
}
