package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// settle removes finds that others explain and makes contradicting ones
// uncertain.
func (r *reader) settle() {
	if r.has(hasValue) { // it says what is to be changed
		r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return isChange(f.Request) && len(f.Changes) == 0 })
	}
	if r.itemized && r.has(deletesFields) { // a list says which of the data
		r.finds = slices.DeleteFunc(r.finds, func(f find) bool { return deletesAccount(f.Request) && f.general })
	}
	r.dropLater()
	r.dropTitle()
	for i := range r.finds {
		r.finds[i].Confidence *= sure(!r.contradicted(r.finds[i].Request))
	}
	r.dropReplaced()
}

// has tells whether any find is of a sort.
func (r *reader) has(sort func(inbox.Request) bool) bool {
	return slices.ContainsFunc(r.finds, func(f find) bool { return sort(f.Request) })
}

// deletesAccount tells the wish to end an account for good.
func deletesAccount(q inbox.Request) bool {
	return q.Kind == inbox.KindDelete && q.Scope == inbox.ScopeAccount
}

// deletesFields tells the wish to empty fields.
func deletesFields(q inbox.Request) bool {
	return q.Kind == inbox.KindDelete && q.Scope == inbox.ScopeFields
}

// switchesOff tells the wish to end an account for a while.
func switchesOff(q inbox.Request) bool { return q.Kind == inbox.KindDeactivate }

// wantsBack tells the wish to have an account again.
func wantsBack(q inbox.Request) bool { return q.Topic == inbox.TopicReactivate }

// isChange tells a change, with or without its values.
func isChange(q inbox.Request) bool { return q.Kind == inbox.KindChange }

// hasValue tells a change of which a value was read.
func hasValue(q inbox.Request) bool { return len(q.Changes) > 0 }

// contradicted tells whether another find, or something else in the text, speaks
// against a request.
func (r *reader) contradicted(q inbox.Request) bool {
	switch {
	case deletesAccount(q):
		kept := r.itemized || r.namesOther() || r.takesBack() || r.hits.Has(r.all(), lang.Keep)
		return kept || r.has(switchesOff) || r.has(isChange) || r.has(wantsBack)
	case switchesOff(q):
		return r.namesOther() || r.has(deletesAccount) || r.has(wantsBack)
	}
	return (isChange(q) || deletesFields(q)) && r.has(deletesAccount)
}

// dropLater forgets the wish to have back what is to be switched off first:
// "hide my profile; later, turn it on again".
func (r *reader) dropLater() {
	off := slices.IndexFunc(r.finds, func(f find) bool { return switchesOff(f.Request) })
	if off < 0 {
		return
	}
	first := r.finds[off]
	r.finds = slices.DeleteFunc(r.finds, func(f find) bool {
		return wantsBack(f.Request) && f.at > first.at &&
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

// allIn tells whether a set has all of some fields.
func allIn(fields []inbox.Field, in map[inbox.Field]bool) bool {
	return !slices.ContainsFunc(fields, func(f inbox.Field) bool { return !in[f] })
}
