package classify

import (
	"slices"

	"push.guru/supportd/inbox/classify/lang"
)

// How many words a "not", "cannot" or "how" reaches forward, and other words.
const (
	reachNot    = 4
	reachCannot = 2 // "I cannot delete"
	reachHow    = 9
	reachIt     = 4 // "how do I do that"
	reachThird  = 5 // "my sister's account"
	reachObject = 2 // "not my whole account"
)

// mood gives what a find at the span is worth in its sentence: 0 when it is
// not asked for at all, 1 when nothing speaks against it.
func (r *reader) mood(s, at lang.Span) float64 {
	if r.quoted(at) || r.negated(s, at) || r.explains(s, at) || r.reports(s, at) {
		return 0
	}
	if r.outside(s, at, lang.AskStatus) {
		return 0 // it was asked for before
	}
	if r.asks(s) && !r.isWord(s.To-1, lang.WordOk) && !r.hits.Has(s, lang.Wish) && !r.forms.commands(s, at) {
		return 0
	}
	factor := r.conditional(s, at) * r.forms.verb(s, at) * r.wished(s, at) * sure(!r.said(s, at))
	if r.ahead(s, at, lang.Possible, reachHow) {
		factor *= unsureOf
	}
	if r.outside(lang.Span{From: r.plea(s, at), To: s.To}, at, lang.Problem) || r.endsAt(s, at.From, lang.Or) && at.From > s.From {
		factor *= unsureOf
	}
	if r.outside(s, at, lang.Third) {
		if r.near(s, at, lang.Third, reachThird) && !r.inOwnPart(s, at) {
			return 0
		}
		factor *= unsureOf
	}
	return factor
}

// wishClause gives what stands before the "чтобы" that begins the clause of a verb:
// its part of the sentence if that wishes, else all of it.
func (r *reader) wishClause(s, at lang.Span) (before lang.Span, ok bool) {
	for i := at.From; i >= max(s.From, at.From-reachSo); i-- {
		switch {
		case r.isWord(i, lang.WordSo), r.isWord(i, lang.WordClause):
			if i == s.From {
				return before, false // "чтобы его больше не было" by itself demands it
			}
			before = lang.Span{From: r.fromComma(s, word(i-1)).From, To: i}
			if !r.hits.Has(before, lang.Wish) {
				before = lang.Span{From: s.From, To: i}
			}
			return before, true
		case r.t.Words[i].Before >= lang.Comma:
			return before, false
		}
	}
	return before, false
}

// wished weighs what stands before a "чтобы": whoever says that what follows is
// not wished, or that somebody else wishes it, asks for nothing: "я не просил,
// чтобы | вы удалили". Without a wish it is not certain who does.
func (r *reader) wished(s, at lang.Span) float64 {
	before, ok := r.wishClause(s, at)
	switch {
	case !ok:
		return 1
	case r.hits.Has(before, lang.Negation, lang.No, lang.Third, lang.Done, lang.HowTo):
		return 0
	}
	return sure(r.hits.Has(before, lang.Wish))
}

// said tells whether a sentence tells, beside a find, what somebody said, or that
// its writer did not: "delete my account, she said". What stands before a plea is
// its reason.
func (r *reader) said(s, at lang.Span) bool {
	return r.retells(s, lang.Span{From: r.plea(s, at), To: at.From}) || r.retells(s, lang.Span{From: at.To, To: s.To})
}

// retells tells whether any of the words of a sentence tells what somebody said.
func (r *reader) retells(s, in lang.Span) bool {
	for i := in.From; i < in.To; i++ {
		if r.saysOther(s, i) || r.unsaid(s, i) {
			return true
		}
	}
	return false
}

// saysOther tells whether a word tells what another than the writer said, or with
// a "not" in its part what the writer did not. "The said account" tells nothing.
func (r *reader) saysOther(s lang.Span, i int) bool {
	if !r.isWord(i, lang.WordSaid) || r.hits.Has(word(i+1), lang.Account, lang.Data) {
		return false
	}
	p := r.commaPart(s, i)
	before := lang.Span{From: max(p.From, i-reachSaid), To: i}
	mine := r.hasWord(before, lang.WordI) && !r.hasWord(before, lang.WordIs) // "I was told"
	return !mine || r.hits.Has(p, lang.Negation)
}

// unsaid tells whether a "not" is said of a word that tells what the writer said,
// and something is pointed at: "I did not say that", but not "I'd rather not say".
func (r *reader) unsaid(s lang.Span, i int) bool {
	if !r.isWord(i, lang.WordSay) {
		return false
	}
	p := r.commaPart(s, i)
	return r.hits.Has(p, lang.Negation) && (r.hits.Has(p, lang.It) || r.hasWord(p, lang.WordThat))
}

// reachSaid is how many words before a verb of saying an "i" is looked for.
const reachSaid = 4

// inOwnPart tells whether a verb stands in a part of its sentence that names its
// writer and nobody else: "my husband is ill, please close my account".
func (r *reader) inOwnPart(s, verb lang.Span) bool {
	p := r.partAt(s, verb.From)
	return r.seemsOwn(p) && r.hits.Has(p, lang.Account, lang.AskDelete) && !r.hits.Has(p, lang.Third)
}

// quoted tells whether the words are only mentioned: the button "Delete".
func (r *reader) quoted(at lang.Span) bool {
	return at.To > at.From && r.t.Words[at.From].Quoted && at.From > 0 && !r.t.Words[0].Quoted
}

// negated tells whether a "not" is said of words.
func (r *reader) negated(s, at lang.Span) bool {
	return r.denied(s, at, lang.Negation, lang.No, lang.Problem, lang.Keep)
}

// denied is negated by some of what negates.
func (r *reader) denied(s, at lang.Span, concepts ...lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(s, concepts...), func(n lang.Hit) bool {
		return !r.keepsAnother(s, at, n) && (r.deniedBefore(at, n) || r.deniedBehind(s, at, n))
	})
}

// keepsAnother tells whether a "keep" names what is to be kept and says nothing of
// the verb: "delete my number, the account stays".
func (r *reader) keepsAnother(s, at lang.Span, n lang.Hit) bool {
	phrase := n.From == at.To && n.To-n.From > 1
	switch n.Concept {
	case lang.Keep:
		return phrase || n.To != at.From && n.From != at.To
	case lang.No:
		return phrase && r.overlaps(s, n.Span, lang.Keep) && !r.acts(n.From, n.To)
	}
	return false
}

// deniedBefore tells whether a "not" before words is said of them.
func (r *reader) deniedBefore(at lang.Span, n lang.Hit) bool {
	reach := reachNot
	if n.Concept == lang.Problem {
		reach = reachCannot
	}
	between := lang.Span{From: n.To, To: at.From}
	if (n.Concept == lang.Keep || n.To-n.From > 1) && r.turns(between) {
		return false // "keep my account but | delete my number"
	}
	return n.To <= at.From && at.From-n.To <= reach && !r.broken(r.inserted(n, at.From), at.From+1) && !r.spent(n.To, at.From)
}

// turns tells whether words begin the contrary of what stands before them. A
// "however" does not: it may stand anywhere in what it is said of.
func (r *reader) turns(at lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(at, lang.But), func(b lang.Hit) bool { return r.butAt(b.From) })
}

// inserted gives the word behind a "not" and behind what is put between two
// commas there and parts nothing: "do not, however, delete it".
func (r *reader) inserted(n lang.Hit, end int) int {
	if n.Concept != lang.Negation {
		return n.To
	}
	in := lang.Span{From: n.To}
	for in.From < end && in.From <= n.To+1 && r.t.Words[in.From].Before < lang.Comma {
		in.From++ // "do not | want"
	}
	for in.To = in.From + 1; in.To < end && r.t.Words[in.To].Before < lang.Comma; {
		in.To++
	}
	if in.To > end || r.t.Words[in.To].Before < lang.Comma || r.turns(in) || r.countCovered(in, lang.But) < in.To-in.From {
		return n.To
	}
	return in.To + 1
}

// deniedBehind tells whether a "not" behind words is said of them: "удалять не
// надо", "ändern Sie nicht", but not "өшіріңіз енді керегі жоқ".
func (r *reader) deniedBehind(s, at lang.Span, n lang.Hit) bool {
	if n.From < at.To || r.broken(at.To, n.From+1) || r.excludes(n) || r.forms.isNeed(n.From) && r.forms.commands(s, at) {
		return false
	}
	return n.From == at.To || r.grammar.notBehind && n.From == at.To+1 || n.Concept == lang.Negation && r.closes(s, n.Span)
}

// spent tells whether a "not" is said of another act, and only this one is
// wanted: "don't erase anything, just hide me", "don't delete it but hide me".
func (r *reader) spent(not, at int) bool {
	for i := not; i < at; i++ {
		if but := r.butAt(i); but || i > not && r.isWord(i, lang.WordOnly) {
			return r.acts(not, i) || but && r.grammar.verbLast // what is said "not" of stands before it
		}
	}
	return false
}

// excludes tells whether a "not" is said of a thing, not of the act: "delete
// not the account but the telephone number".
func (r *reader) excludes(n lang.Hit) bool {
	if n.Concept != lang.Negation {
		return false
	}
	near := lang.Span{From: n.To, To: n.To + 1 + reachObject}
	things := append(r.hits.In(near, lang.Account, lang.Data, lang.Other), r.hits.Prefixed(near, lang.FieldPrefix)...)
	return slices.ContainsFunc(things, func(o lang.Hit) bool { return !r.broken(n.To, o.From+1) })
}

// meant leaves out the things that a "not" is said of.
func (r *reader) meant(s lang.Span, things lang.Hits) lang.Hits {
	nots := slices.DeleteFunc(r.hits.In(s, lang.Negation), func(n lang.Hit) bool {
		return slices.ContainsFunc(r.hits.In(s, lang.Deleted), func(v lang.Hit) bool { return v.From < n.From && n.To <= v.To })
	}) // "so that there is | no | telephone" asks for it
	return slices.DeleteFunc(things, func(o lang.Hit) bool {
		return slices.ContainsFunc(nots, func(n lang.Hit) bool { return r.isNot(o, n) })
	})
}

// isNot tells whether a "not" is said of a thing. It is not where it is said of a
// need: "I don't need this account, delete it".
func (r *reader) isNot(thing, n lang.Hit) bool {
	if r.grammar.notLast {
		return n.From == thing.To && !r.broken(thing.To, n.From+1) && !r.forms.isNeed(n.From)
	}
	return n.To <= thing.From && thing.From-n.To <= reachObject && !r.broken(n.To, thing.From+1) && !r.acts(n.To, thing.From) && !r.isWord(n.To, lang.WordNeed)
}

// explains tells whether an explanation is asked for, not the thing itself.
func (r *reader) explains(s, at lang.Span) bool {
	plea := r.plea(s, at)
	switch {
	case plea == s.From && r.ahead(s, at, lang.HowTo, reachHow):
		return true
	case slices.ContainsFunc(r.hits.In(at, lang.HowTo), func(h lang.Hit) bool { return h.To > at.To }):
		return true // "I withdraw my | consent | to the deletion"
	case plea > s.From && (r.asksHowBefore(s, plea) || r.ahead(lang.Span{From: plea, To: s.To}, at, lang.HowTo, reachHow)):
		return true
	}
	return slices.ContainsFunc(r.hits.In(lang.Span{From: at.To, To: s.To}, lang.HowTo), func(h lang.Hit) bool {
		short := r.grammar.verbLast && s.To-h.From <= reachIt                                                          // "көшірмесі керек еді, қалай аламын"
		return short || r.closes(s, h.Span) || r.hits.Has(lang.Span{From: h.To, To: min(h.To+reachIt, s.To)}, lang.It) // "I want to delete it how do I do that"
	})
}

// asksHowBefore tells whether an explanation is asked for before a plea. That it
// was not found is a reason: "I can't find where to do it, please delete my
// account".
func (r *reader) asksHowBefore(s lang.Span, plea int) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.HowTo), func(h lang.Hit) bool {
		return h.From < plea && !r.hits.Has(lang.Span{From: max(s.From, h.From-reachNot), To: h.From + 1}, lang.Problem, lang.Negation)
	})
}

// reports tells whether the sentence says that it happened, or what somebody
// else says, asks or did.
func (r *reader) reports(s, at lang.Span) bool {
	done := slices.ContainsFunc(r.pasts(s), func(d lang.Hit) bool {
		before := d.To <= at.From && at.From-d.To <= reachNot && !r.broken(d.To, at.From+1)
		behind := r.grammar.verbLast && d.From >= at.To && d.From-at.To <= 1 && !r.broken(at.To, d.From+1)
		return before || behind
	})
	return done || r.happened(s, at, r.broken) && !r.hits.Has(s, lang.Wish) && !r.forms.commands(s, at)
}

// pasts gives the words that tell what happened. Behind a "чтобы", the same form
// of a verb tells what is wished.
func (r *reader) pasts(s lang.Span) lang.Hits {
	return slices.DeleteFunc(r.hits.In(s, lang.Done), func(d lang.Hit) bool {
		return r.hasWord(lang.Span{From: max(s.From, d.From-reachSo), To: d.From}, lang.WordSo)
	})
}

// reachSo is how many words before a verb a "чтобы" is looked for.
const reachSo = 4

// happened tells whether the sentence says, outside of the words at and of the
// reason behind them, that something happened. apart tells what else stands apart
// from them.
func (r *reader) happened(s, at lang.Span, apart func(from, to int) bool) bool {
	return slices.ContainsFunc(r.pasts(s), func(d lang.Hit) bool {
		inside := d.From >= at.From && d.To <= at.To
		behind := d.From >= at.To && (r.reason(at.To, d.From+1) || apart(at.To, d.From+1))
		return !inside && !behind
	})
}

// conditional weighs an "if": in the same breath it makes a find worthless.
func (r *reader) conditional(s, at lang.Span) float64 {
	factor, plea := 1.0, r.plea(s, at)
	for _, h := range r.hits.In(s, lang.Condition) {
		switch {
		case h.From >= at.From && h.To <= at.To, r.sayingWhen(s, at, h, plea):
		case h.To <= at.From && at.From-h.To <= reachHow && !r.broken(h.To, at.From+1):
			return 0
		default:
			factor = 0.7
		}
	}
	return factor * sure(!r.happened(s, at, func(int, int) bool { return false }))
}

// sayingWhen tells whether words that may begin a condition set none: they say
// when, or name one of two things.
func (r *reader) sayingWhen(s, at lang.Span, h lang.Hit, plea int) bool {
	switch {
	case h.From >= at.To && h.To-h.From == 1 && r.isWord(h.From, lang.WordOr) && !r.acts(h.To, h.To+2): // "or I will" is a phrase
		return true
	case h.To <= plea && plea > s.From && r.isWord(h.From, lang.WordWill): // "I'll be away, please hide me"
		return true
	case h.From >= at.To && r.hasWord(lang.Span{From: max(at.To, h.From-reachTell), To: h.From}, lang.WordTell): // "tell me when it is done"
		return true
	case r.isWord(h.From, lang.WordBefore) && r.hits.Has(at, lang.Send, lang.AskCopy): // "before I leave, send me my data"
		return true
	}
	return slices.ContainsFunc(r.hits.In(h.Span, lang.Temporary), func(x lang.Hit) bool { return x.Span == h.Span }) // "so lange"
}

// reachTell is how many words before a "when" a verb of telling is looked for.
const reachTell = 3

// ahead tells whether the concept stands before the span, near enough and
// outside it, or anywhere in a sentence that ends in a question mark.
func (r *reader) ahead(s, at lang.Span, c lang.Concept, reach int) bool {
	asks := r.asks(s)
	return slices.ContainsFunc(r.hits.In(s, c), func(h lang.Hit) bool {
		within := h.From >= at.From && h.To <= at.To
		return !within && (asks || h.From < at.From && at.From-h.From <= reach)
	})
}

// plea gives where the part of a sentence begins in which a find is asked for
// politely, if that is behind a comma: "I can't find it, | please delete my
// account". What stands before gives the reason. It is the beginning of the
// sentence otherwise.
func (r *reader) plea(s, at lang.Span) int {
	part := lang.Span{From: r.fromComma(s, at).From, To: at.From}
	pleads := slices.ContainsFunc(r.hits.In(part, lang.Wish), func(w lang.Hit) bool { return r.isWord(w.From, lang.WordPlease) })
	if pleads && !r.hits.Has(part, lang.HowTo, lang.Possible, lang.Condition, lang.Negation) {
		return part.From
	}
	return s.From
}

// othersDo tells whether a verb says what others do: "you promised you would not".
func (r *reader) othersDo(s, v lang.Span) bool { return r.behindWord(s, v, lang.WordThey) }

// told tells whether a verb says what somebody does or did, and asks for
// nothing: "everything that I put in", "the name you show".
func (r *reader) told(s, v lang.Span) bool { return r.othersDo(s, v) || r.behindWord(s, v, lang.WordI) }

// behindWord tells whether a word of a list stands at once before a verb, and is
// no part of a wish.
func (r *reader) behindWord(s, v lang.Span, list lang.Concept) bool {
	return v.From > s.From && r.t.Words[v.From].Before < lang.Comma && r.isWord(v.From-1, list) && !r.covered(v.From-1, lang.Wish)
}
