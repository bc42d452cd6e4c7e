package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// deletion is a verb that asks to delete something, and what it may be about.
type deletion struct {
	find
	verb lang.Hit
	part lang.Span // of the sentence, that the verb rules
	list lang.Span // the part, or the sentence with the items of a list below it

	accounts, data, fields, other lang.Hits
}

// readDelete finds what one sentence asks to delete.
func (r *reader) readDelete(i int) {
	s := r.t.Sentences[i]
	read := false
	for _, v := range r.hits.In(s, lang.Delete, lang.Deleting, lang.Deleted) {
		worth := r.mood(s, v.Span) * r.verbForm(s, v)
		if worth == 0 || v.Concept == lang.Deleting && r.turnsOff(s, v.From) {
			continue
		}
		worth *= sure(!r.refusesAnother(s, v))
		f := find{Request: inbox.Request{Confidence: full * worth, Because: r.because(v.Span)}, at: v.From, sentence: i, words: v.Span}
		if r.forAWhile(s) && !r.endsFirst(s, v.Span) && (len(r.accounts(s)) > 0 || r.hits.Has(s, lang.Data)) {
			f.Kind = inbox.KindDeactivate
			f.Confidence *= unsureOf
			r.add(f)
			continue
		}
		if f.Kind = inbox.KindDelete; !read || r.rulesMore(s, v) {
			read = r.deleteObject(f, v) || read
		}
	}
}

// refusesAnother tells whether another deletion of the sentence is not wanted:
// "do not delete my number, take it off the list". That of the account says
// nothing of a field.
func (r *reader) refusesAnother(s lang.Span, v lang.Hit) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Delete), func(x lang.Hit) bool {
		spared := r.hits.Has(r.clause(s, x.Span), lang.Account, lang.Data) && len(r.hits.Prefixed(r.clause(s, v.Span), lang.FieldPrefix)) > 0
		return x.From != v.From && !spared && r.negated(s, x.Span)
	})
}

// forAWhile tells whether a sentence says for how long, and not within how long
// or how long ago: "within a month", "two weeks ago".
func (r *reader) forAWhile(s lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Temporary), func(h lang.Hit) bool {
		return !r.hasWord(lang.Span{From: max(s.From, h.From-reachSince), To: min(s.To, h.To+1)}, lang.WordSince)
	})
}

// endsFirst tells whether a sentence asks, before a verb and in a part of its own,
// for an account to be switched off for a while: "close it for a month | and then
// delete it".
func (r *reader) endsFirst(s, v lang.Span) bool {
	before := lang.Span{From: s.From, To: r.partAt(s, v.From).From}
	off := r.hits.Has(before, lang.Deactivate, lang.Deactivated, lang.AskDeactivate, lang.Delete)
	return off && r.forAWhile(before) && !r.hits.Has(lang.Span{From: before.To, To: s.To}, lang.Temporary)
}

// reachSince is how many words before a time a "within" is looked for.
const reachSince = 3

// rulesMore tells whether the part of a sentence that a verb rules names
// something that nothing has read yet: "remove my number, remove my town".
func (r *reader) rulesMore(s lang.Span, v lang.Hit) bool {
	c := r.clause(s, v.Span)
	return c != s && !r.isRead(c) && len(r.hits.Prefixed(c, lang.FieldPrefix))+len(r.accounts(c)) > 0
}

// verbForm weighs the form of a verb: a participle needs a wish beside it, a
// noun gains by one.
func (r *reader) verbForm(s lang.Span, v lang.Hit) float64 {
	wish := r.hits.Has(s, lang.Wish)
	switch {
	case v.Concept == lang.Deleted && v.To-v.From == 1 && !wish:
		return 0
	case v.Concept == lang.Deleting && !wish:
		return 0.8
	}
	return 1
}

// deleteObject finds what is to be deleted, and tells whether it found it.
func (r *reader) deleteObject(f find, v lang.Hit) bool {
	d := r.findObjects(f, v)
	if r.hides(v) && (len(d.fields) == 0 || r.hits.Has(d.part, lang.Wrong, lang.New, lang.Add)) {
		return false
	}
	switch {
	case len(d.accounts) > 0:
		return r.deleteAccount(d)
	case len(d.fields) > 0:
		return r.deleteFields(d)
	case len(d.data) > 0:
		return r.deleteData(d)
	case len(d.other) > 0:
		return false
	}
	return r.deleteIt(d) || r.deleteBare(d)
}

// findObjects finds what a verb may be about: the things that are named in its
// part of the sentence or, if none is, in all of it and the list below.
func (r *reader) findObjects(f find, v lang.Hit) *deletion {
	s := r.t.Sentences[f.sentence]
	d := &deletion{find: f, verb: v, part: s, list: r.withList(f.sentence)}
	if c := r.clause(s, v.Span); d.list == s && r.namesThings(c) {
		if r.namesThings(lang.Span{From: v.To, To: c.To}) {
			c = r.fromComma(c, v.Span) // "He reads my profile, so take away where I live"
		}
		d.part, d.list = c, c
	} else if d.list == s && !r.grammar.verbLast && !r.hits.Has(c, lang.It) && !r.bare(c) && !r.namesThings(lang.Span{From: c.To, To: s.To}) {
		d.Confidence *= unsureOf // what it is said of may be a word that nobody knows
	}
	_, d.fields = r.fields(d.list)
	d.other = r.hits.In(d.list, lang.Other)
	if r.hides(v) {
		return d // what of an account is meant nobody knows
	}
	d.fields = r.meant(d.list, d.fields)
	d.accounts, d.data = r.meant(d.part, r.accounts(d.part)), r.meant(d.part, r.hits.In(d.part, lang.Data))
	if len(d.accounts) > 0 && len(d.fields) > 0 && r.lies(v, d.fields[0].Span, d.accounts[0].Span) {
		d.accounts = nil // my mobile out of the profile
	}
	r.leaveAside(d)
	return d
}

// leaveAside leaves out an account that is named beside the fields only in a
// reason or a clause of its own: "delete my number, everybody sees my profile".
// Where nothing says that it gives a reason, the fields are not certain.
func (r *reader) leaveAside(d *deletion) {
	if len(d.accounts) == 0 {
		return
	}
	a := d.accounts[0].Span
	if a.To <= d.verb.From && r.hits.Has(lang.Span{From: d.part.From, To: a.From}, lang.AskDelete) {
		return // a verb of its own asks for it
	}
	i := slices.IndexFunc(d.fields, func(f lang.Hit) bool { return r.shadows(d.verb, f.Span, a) })
	if i < 0 {
		return
	}
	f := d.fields[i].Span
	for _, next := range d.fields[i+1:] {
		if next.To <= a.From && r.shadows(d.verb, next.Span, a) {
			f = next.Span
		}
	}
	switch {
	case f.To == a.From && !r.parted(a.From):
		d.Confidence *= unsureOf // "my phone account"
	case !r.listedWith(d.part, f, a):
		d.accounts = nil
		d.Confidence *= sure(r.isReason(d.part, f, a))
	}
}

// shadows tells whether a field stands where the object of a verb does, and an
// account does not: between the two, or before the verb when the account follows
// behind a comma or the verb is a participle.
func (r *reader) shadows(v lang.Hit, field, account lang.Span) bool {
	switch {
	case v.To <= field.From && field.To <= account.From:
		return true
	case account.To <= v.From && v.To <= field.From:
		return !r.grammar.verbLast
	case field.To <= v.From && v.To <= account.From:
		return r.grammar.verbLast || v.Concept == lang.Deleted || r.broken(v.To, account.From+1)
	}
	return r.grammar.verbLast && account.To <= field.From && field.To <= v.From
}

// listedWith tells whether an "and" or a comma puts an account beside a field, and
// nothing more is said of it in its part.
func (r *reader) listedWith(s, field, account lang.Span) bool {
	between := lang.Span{From: min(field.To, account.To), To: max(field.From, account.From)}
	behind := lang.Span{From: account.To, To: account.To}
	for behind.To < s.To && !r.parted(behind.To) {
		behind.To++
	}
	switch {
	case r.hasWord(between, lang.WordWhich) || r.hasWord(behind, lang.WordIs):
		return false
	case r.hits.Has(between, lang.And, lang.Also) || r.hasWord(between, lang.WordBeside):
		return r.light(between, lang.Common)
	}
	return r.broken(between.From, account.From+1) && r.light(between) && r.light(behind)
}

// light tells whether words do no more than put one thing beside another.
func (r *reader) light(at lang.Span, more ...lang.Concept) bool {
	concepts := append(more, lang.And, lang.Also, lang.Me, lang.All, lang.Filler, lang.Wish, lang.Delete, lang.Place, lang.Stop)
	for i := at.From; i < at.To; i++ {
		if !r.covered(i, concepts...) && !r.isWord(i, lang.WordArticle) && !r.isWord(i, lang.WordMy) {
			return false
		}
	}
	return true
}

// isReason tells whether an account is named in the reason that a text gives for
// the deletion of a field: behind a "because", or behind a comma as what is so.
func (r *reader) isReason(s, field, account lang.Span) bool {
	if account.To <= field.From {
		return r.hits.Has(lang.Span{From: s.From, To: account.From}, lang.Because)
	}
	is := r.broken(field.To, account.From+1) && r.hasWord(lang.Span{From: account.To, To: min(s.To, account.To+1)}, lang.WordIs)
	return is || r.reason(field.To, account.From+1)
}

// hides tells whether a wish is that something be seen no more: a field can be
// emptied for it.
func (r *reader) hides(v lang.Hit) bool {
	return v.Concept == lang.Deleted && r.hasWord(v.Span, lang.WordNot)
}

// namesThings tells whether something that can be deleted is named in a span.
func (r *reader) namesThings(at lang.Span) bool {
	return len(r.accounts(at)) > 0 || r.hits.Has(at, lang.Data, lang.Other) || len(r.hits.Prefixed(at, lang.FieldPrefix)) > 0
}

// lies tells whether a field that a verb names is in the account that is named
// behind it.
func (r *reader) lies(v lang.Hit, field, account lang.Span) bool {
	if v.To > field.From || field.To >= account.From {
		return false
	}
	for i := field.To; i < account.From; i++ {
		if r.parted(i) {
			return false
		}
	}
	return r.hasWord(lang.Span{From: field.To, To: account.From}, lang.WordIn)
}

// deleteAccount adds the wish to delete an account, unless the sentence before
// says that it is somebody else's.
func (r *reader) deleteAccount(d *deletion) bool {
	account := d.accounts[0].Span
	if r.theirs(d.sentence, account) {
		return true
	}
	d.about(r, account)
	d.Scope = inbox.ScopeAccount
	d.Confidence *= r.between(d.verb, account, d.other) * r.whose(d.part, account, d.other)
	r.add(d.find)
	return true
}

// about keeps the words that decide, from the verb to what it is about.
func (d *deletion) about(r *reader, things ...lang.Span) {
	d.words = union(append(things, d.verb.Span)...)
	d.Because = r.because(d.verb.Span, things[0])
}

// theirs tells whether "that account" is one that the sentence before says to
// be somebody else's.
func (r *reader) theirs(i int, account lang.Span) bool {
	if i <= r.subject || account.From == 0 || !r.hits.Has(word(account.From-1), lang.It) {
		return false
	}
	before := r.t.Sentences[i-1]
	return r.hits.Has(before, lang.Third) && r.hits.Has(before, lang.Account)
}

// deleteData adds the wish to delete all that is held of a person, or what a list
// names of it.
func (r *reader) deleteData(d *deletion) bool {
	d.about(r, d.data[0].Span)
	d.Scope, d.general = inbox.ScopeAccount, true
	d.Confidence *= r.outOf(d.part, d.data[0].Span) * sure(!r.alongside(d.verb.Span, d.other))
	if r.listsBelow(d.sentence) {
		r.itemized = true
		if fields := r.listed(d.sentence); len(fields) > 0 {
			d.Scope, d.Fields, d.general = inbox.ScopeFields, fields, false
		}
	}
	r.add(d.find)
	return true
}

// deleteFields adds the wish to delete fields, unless they are those of something
// else: "a photo of my birthday", "my name from the comment".
func (r *reader) deleteFields(d *deletion) bool {
	first, last := d.fields[0].Span, d.fields[len(d.fields)-1].Span
	if r.between(d.verb, first, d.other) < 1 || r.partOf(last, d.other) {
		return false
	}
	if d.Fields = r.unkept(d.list, d.fields); len(d.Fields) == 0 {
		return false
	}
	if k := r.antecedent(d.sentence); k >= 0 && d.verb.To < first.From && r.points(d.part, d.verb) {
		// "Nobody needs to know where I work. Blank that line, and the telephone."
		before, _ := r.fields(r.t.Sentences[k])
		d.Fields = append(slices.DeleteFunc(before, func(f inbox.Field) bool { return slices.Contains(d.Fields, f) }), d.Fields...)
		d.Confidence *= sure(!r.hits.Has(r.t.Sentences[k], lang.Other, lang.Third))
	}
	d.about(r, first, last)
	d.Scope = inbox.ScopeFields
	d.Confidence *= nameless(d.Fields) * r.strangers(d.verb.To, first.From)
	d.Confidence *= sure(!r.strangeBeside(d.list, d.fields)) * sure(!r.alongside(last, d.other))
	r.add(d.find)
	return true
}

// unkept gives the fields that no "except" or "keep" stands before.
func (r *reader) unkept(s lang.Span, hits lang.Hits) []inbox.Field {
	keeps := slices.DeleteFunc(r.hits.In(s, lang.Keep), func(k lang.Hit) bool {
		return r.hits.Has(word(k.From), lang.Delete) // leave it blank
	})
	return named(slices.DeleteFunc(slices.Clone(hits), func(h lang.Hit) bool {
		return slices.ContainsFunc(keeps, func(k lang.Hit) bool { return r.isKept(h, k) })
	}))
}

// isKept tells whether a field is one that is not to be touched: it follows an
// "except", or "is plenty" follows it.
func (r *reader) isKept(field, keep lang.Hit) bool {
	if keep.From >= field.To {
		return keep.From == field.To && !r.broken(field.To, keep.From+1) && r.isWord(keep.From, lang.WordStays)
	}
	return keep.From < field.From && field.From-keep.To <= reachKeep && !r.broken(keep.To, field.From+1)
}

// reachKeep is how many words may stand between a "keep" and what is kept.
const reachKeep = 2

// nameless lowers the confidence of deleting a name: most who ask for it mean
// a part of it, and an account needs one.
func nameless(fields []inbox.Field) float64 { return sure(!slices.ContainsFunc(fields, introduces)) }

// withList stretches a sentence that ends in a colon over the list items
// behind it, as long as they name fields and little else.
func (r *reader) withList(i int) lang.Span {
	s := r.t.Sentences[i]
	if !strings.Contains(r.t.EndMark(s), ":") {
		return s
	}
	for _, next := range r.t.Sentences[i+1:] {
		if r.isBeside(next.From) || r.isNumber(next) {
			continue
		}
		_, hits := r.fields(next)
		covered := 0
		for _, h := range hits {
			covered += h.To - h.From
		}
		if len(hits) == 0 || next.To-next.From-covered > 1 {
			break
		}
		s.To = next.To
	}
	return s
}

// listsBelow tells whether a sentence has a colon with something at once below
// it: "delete the following data:".
func (r *reader) listsBelow(i int) bool {
	s := r.t.Sentences[i]
	if strings.Contains(r.t.Slice(s), ":\n") {
		return true
	}
	return i+1 < len(r.t.Sentences) && strings.Contains(r.t.EndMark(s), ":") && !strings.Contains(r.gap(s.To), "\n\n")
}

// listed gives the fields of the values that stand below the colon of a
// sentence.
func (r *reader) listed(i int) []inbox.Field {
	at := r.t.Sentences[i]
	if next := i + 1; !strings.Contains(r.t.Slice(at), ":\n") && next < len(r.t.Sentences) {
		at = r.t.Sentences[next]
	}
	return slices.DeleteFunc(slices.Clone(typedFields), func(f inbox.Field) bool { return len(r.values.in(at, f)) == 0 })
}
