package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// settle removes finds that others explain and makes contradicting ones
// uncertain.
func (r *reader) settle() {
	if r.has(isFilledChange) { // it says what is to be changed
		r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return isChange(f) && len(f.Changes) == 0 })
	}
	if r.itemized && r.has(deletesFields) { // a list says which of the data
		r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return endsAccount(f) && f.general })
	}
	r.dropLater()
	r.dropTitle()
	for i := range r.finds {
		r.finds[i].Confidence *= sure(!r.contradicted(r.finds[i]))
	}
	r.dropReplaced()
}

// has tells whether any find is of a sort.
func (r *reader) has(sort func(find) bool) bool { return slices.ContainsFunc(r.finds, sort) }

// The sorts of finds that contradict each other.
func endsAccount(f find) bool    { return f.Kind == inbox.KindDelete && f.Scope == inbox.ScopeAccount }
func deletesFields(f find) bool  { return f.Kind == inbox.KindDelete && f.Scope == inbox.ScopeFields }
func switchesOff(f find) bool    { return f.Kind == inbox.KindDeactivate }
func switchesOn(f find) bool     { return f.Topic == inbox.TopicReactivate }
func isChange(f find) bool       { return f.Kind == inbox.KindChange }
func isFilledChange(f find) bool { return len(f.Changes) > 0 }

// contradicted tells whether another find, or something else in the text, speaks
// against a find.
func (r *reader) contradicted(f find) bool {
	switch {
	case endsAccount(f):
		kept := r.itemized || r.namesOther() || r.takesBack() || r.hits.Has(r.all(), lang.Keep)
		return kept || r.has(switchesOff) || r.has(isChange) || r.has(switchesOn)
	case switchesOff(f):
		return r.namesOther() || r.has(endsAccount) || r.has(switchesOn)
	}
	return (isChange(f) || deletesFields(f)) && r.has(endsAccount)
}

// dropLater forgets the wish to have back what is to be switched off first:
// "hide my profile; later, turn it on again".
func (r *reader) dropLater() {
	off := slices.IndexFunc(r.finds, switchesOff)
	if off < 0 {
		return
	}
	first := r.finds[off]
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool {
		return switchesOn(f) && f.at > first.at &&
			(f.sentence > first.sentence || r.hits.Has(lang.Span{From: first.at, To: f.at}, lang.Temporary))
	})
}

// dropTitle forgets the title of a request for information above a letter that
// asks for a copy, and the name of the right of access beside what is to be
// told: the same in other words.
func (r *reader) dropTitle() {
	described := map[int]bool{}
	for _, f := range r.finds {
		described[f.sentence] = described[f.sentence] || f.Kind == inbox.KindDescribe
	}
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool {
		return f.Kind == inbox.KindCopy && described[f.sentence] && r.isRight(f.words)
	})
	copied := slices.ContainsFunc(r.finds, func(f find) bool { return f.Kind == inbox.KindCopy && f.sentence >= r.subject })
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return copied && f.Kind == inbox.KindDescribe && f.sentence < r.subject })
}

// isRight tells whether a phrase names the right of access and no more: what
// is asked by it, others say.
func (r *reader) isRight(at lang.Span) bool {
	return !r.hits.Has(at, lang.Send) && r.hasWord(at, lang.WordAccess)
}

// namesOther tells whether the text names an address that is not the sender's:
// the account may be somebody else's, or another one of theirs.
func (r *reader) namesOther() bool {
	return slices.ContainsFunc(r.values, func(v typed) bool {
		return v.field == inbox.FieldEmail && r.from != "" && v.Value != r.from && !r.isBeside(v.span.From)
	})
}

// takesBack tells whether a deletion is said not to be wanted, of nothing in
// particular: "I asked you to erase my account. Please erase nothing."
func (r *reader) takesBack() bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool {
		return slices.ContainsFunc(r.hits.In(s, lang.Delete, lang.Deleting), func(v lang.Hit) bool {
			c := r.clause(s, v.Span)
			things := len(r.hits.Prefixed(c, lang.FieldPrefix)) > 0 || r.hits.Has(c, lang.Other, lang.Account, lang.Data, lang.Deactivate)
			return !things && r.negated(s, v.Span)
		})
	})
}

// dropReplaced takes the fields out of deletions that get a new value: to
// delete the old number and enter a new one is one change.
func (r *reader) dropReplaced() {
	changed, unsure := map[inbox.Field]bool{}, map[inbox.Field]bool{}
	for _, f := range r.finds {
		for _, ch := range f.Changes {
			changed[ch.Field] = true
			unsure[ch.Field] = f.Confidence < enough
		}
	}
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return f.Scope == inbox.ScopeFields && allIn(f.Fields, changed) })
	for i := range r.finds {
		f := &r.finds[i]
		if f.Scope != inbox.ScopeFields {
			continue
		}
		f.Confidence *= sure(!slices.ContainsFunc(f.Fields, func(x inbox.Field) bool { return unsure[x] }))
		f.Fields = slices.DeleteFunc(f.Fields, func(x inbox.Field) bool { return changed[x] })
	}
}

func allIn(fields []inbox.Field, in map[inbox.Field]bool) bool {
	return !slices.ContainsFunc(fields, func(f inbox.Field) bool { return !in[f] })
}
