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
	for _, part := range r.parts(s) {
		for i := part.From; i < part.To; i++ {
			if kinds := r.kinds(at(i)); len(kinds) == 1 {
				out.Kinds = add(out.Kinds, kinds[0])
			}
		}
		if r.hits.Has(part, acts...) || !r.hits.Has(part, lang.Heard) { // not "I got your mail"
			out.Fields = add(out.Fields, r.fields(part)...)
		}
		out.Scopes = add(out.Scopes, r.scopes(part)...)
	}
	out.Both = r.hits.Has(s, lang.Both)
	out.Unneeded = slices.ContainsFunc(r.hits.In(s, lang.Unused), r.unneeded)
	return out
}

// unneeded tells whether a reason says that something is not needed: of what was
// asked, that can be said where it ends something. What is "not used" may be an
// old number.
func (r *reader) unneeded(reason lang.Hit) bool {
	for i := reason.From; i < reason.To; i++ {
		if r.listed(i, lang.WordNeeded) {
			return true
		}
	}
	return false
}

// fields gives the fields that a span names.
func (r *reader) fields(s lang.Span) []inbox.Field {
	var out []inbox.Field
	for _, h := range r.hits.Prefixed(s, lang.FieldPrefix) {
		out = append(out, inbox.Field(strings.TrimPrefix(string(h.Concept), lang.FieldPrefix)))
	}
	return out
}

// kinds gives the acts that the words of a span may mean.
func (r *reader) kinds(at lang.Span) []inbox.Kind {
	var out []inbox.Kind
	if r.hits.Has(at, deletes...) {
		out = append(out, inbox.KindDelete)
	}
	if r.hits.Has(at, lang.Deactivate, lang.AskDeactivate) {
		out = append(out, inbox.KindDeactivate)
	}
	if slices.ContainsFunc(r.hits.In(at, lang.Change), func(h lang.Hit) bool { return !r.exclaims(h) }) {
		out = append(out, inbox.KindChange)
	}
	return out
}

// exclaims tells whether a verb of change is but a yes where it stands: "it is
// correct", and not "correct it".
func (r *reader) exclaims(verb lang.Hit) bool {
	return r.closes(verb.To) && r.covers(verb.From, lang.Yes) && r.listed(verb.From, lang.WordRight)
}

// deletes are the concepts of the act of deleting.
var deletes = []lang.Concept{lang.Delete, lang.Deleting, lang.Deleted, lang.AskDelete}

// scopes gives what a part of a sentence says is to be deleted: what stands
// behind the verb or, where nothing does, before it. "It" is neither.
func (r *reader) scopes(part lang.Span) []inbox.Scope {
	verbs := r.hits.In(part, acts...)
	if len(verbs) == 0 {
		return r.bareObject(part)
	}
	var out []inbox.Scope
	for _, v := range verbs {
		switch {
		case v.Concept == lang.AskDelete: // "forget me"
			out = append(out, inbox.ScopeAccount)
		case !slices.Contains(deletes, v.Concept):
		default:
			before, behind := around(v.Span, verbs, part)
			found := r.objects(behind)
			if len(found) == 0 {
				found = r.objects(before)
			}
			out = append(out, found...)
		}
	}
	return out
}

// around gives the words before and behind a verb, up to another one or the
// ends of its part of the sentence.
func around(verb lang.Span, verbs lang.Hits, part lang.Span) (before, behind lang.Span) {
	before, behind = lang.Span{From: part.From, To: verb.From}, lang.Span{From: verb.To, To: part.To}
	for _, x := range verbs {
		if x.To <= verb.From {
			before.From = max(before.From, x.To)
		}
		if x.From >= verb.To {
			behind.To = min(behind.To, x.From)
		}
	}
	return before, behind
}

// objects gives what a span names: fields, or the account and all that is in
// it.
func (r *reader) objects(s lang.Span) []inbox.Scope {
	fields := len(r.hits.Prefixed(s, lang.FieldPrefix)) > 0
	account := slices.ContainsFunc(r.hits.In(s, lang.Account, lang.Data), func(h lang.Hit) bool {
		return !r.says(h) && !(r.place(h) && (fields || r.hits.Has(s, lang.It)))
	})
	var out []inbox.Scope
	if fields {
		out = append(out, inbox.ScopeFields)
	}
	if account || !fields && r.everything(s) {
		out = append(out, inbox.ScopeAccount)
	}
	return out
}

// place tells whether an account is only where something else is: "the phone
// in my account".
func (r *reader) place(account lang.Hit) bool {
	return !r.outside(lang.Hits{account}, r.hits.In(r.upTo(account.To), lang.Place))
}

// says tells whether an account stands in a reason that says something of it:
// "it is my account", and not only whose it is.
func (r *reader) says(account lang.Hit) bool {
	return slices.ContainsFunc(r.hits.In(r.upTo(account.To), lang.Reason, lang.Unused), func(h lang.Hit) bool {
		if h.From > account.From || h.To < account.To {
			return false
		}
		for i := h.From; i < h.To; i++ {
			owned := r.hits.Has(at(i), lang.Me, lang.All) || r.covers(i, lang.Yes) || r.listed(i, lang.WordArticle)
			if !owned && (i < account.From || i >= account.To) {
				return true
			}
		}
		return false
	})
}

// everything tells whether a span has an "all" that is a thing: "delete
// everything", and not "delete it completely".
func (r *reader) everything(s lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.All), func(h lang.Hit) bool { return r.listed(h.From, lang.WordEverything) })
}

// bareObject gives the account where a part of a sentence names it and says
// nothing of it: "yes, my account".
func (r *reader) bareObject(part lang.Span) []inbox.Scope {
	for i := part.From; i < part.To; i++ {
		if !r.small(i) && !r.hits.Has(at(i), lang.Yes, lang.Filler, lang.Me, lang.All) && !r.covers(i, lang.Account) && !r.covers(i, lang.Data) {
			return nil
		}
	}
	named := r.hits.In(part, lang.Account, lang.Data)
	if len(named) == 0 || r.hits.Has(part, lang.It) || slices.ContainsFunc(named, r.says) {
		return nil
	}
	return r.objects(part)
}

// add puts those elements behind a list that are not in it.
func add[T comparable](list []T, more ...T) []T {
	for _, x := range more {
		if !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}
