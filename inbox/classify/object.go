package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// accounts gives the hits of the sentence that name the account itself, not
// a place in it.
func (r *reader) accounts(s lang.Span) lang.Hits {
	places := slices.DeleteFunc(r.hits.In(s, lang.Place), func(p lang.Hit) bool {
		return r.endsAt(s, p.From, lang.Deleting) || r.endsAt(s, p.From, lang.Deactivated) || r.turnsOff(s, p.From) // the deletion of my account
	})
	return slices.DeleteFunc(r.hits.In(s, lang.Account), func(a lang.Hit) bool {
		return slices.ContainsFunc(places, func(p lang.Hit) bool { return p.From <= a.From && a.To <= p.To })
	})
}

// turnsOff tells whether a word is the last of a verb that may take an account:
// "switch off my account".
func (r *reader) turnsOff(s lang.Span, i int) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Deactivate), func(h lang.Hit) bool { return h.To == i+1 && h.To-h.From == 2 })
}

// fields gives the fields that are named in the sentence, in order.
func (r *reader) fields(s lang.Span) ([]inbox.Field, lang.Hits) {
	hits := r.hits.Prefixed(s, lang.FieldPrefix)
	hits = slices.DeleteFunc(hits, func(h lang.Hit) bool { return h.To > s.To })
	return named(hits), hits
}

// named gives the fields of hits, each once.
func named(hits lang.Hits) []inbox.Field {
	var out []inbox.Field
	for _, h := range hits {
		if f := fieldOf(h); !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// own tells whether words name their writer, if only by a "my" within a phrase of
// the rule files: "my page".
func (r *reader) own(at lang.Span) bool { return r.hits.Has(at, lang.Me) || r.hasWord(at, lang.WordMy) }

// seemsOwn tells whether words name their writer, if only by a form that is part
// of what an account is called: "mon inscription", "hesabımı".
func (r *reader) seemsOwn(at lang.Span) bool {
	return r.hits.Has(at, lang.Me) || r.hasWord(at, lang.WordOwn)
}

// whose lowers the confidence when an account may be another than the writer's,
// or only something in it is meant.
func (r *reader) whose(s, account lang.Span, other lang.Hits) float64 {
	another := r.partOf(account, other) || r.isWord(account.From-1, lang.WordAny) || r.possessed(account) || r.madeFor(s, account)
	return r.followed(s, account) * sure(!another)
}

// madeFor tells whether an account is said to be for somebody, and not for its
// writer: "the account I made for a friend". Of the writer's own, "for" says why,
// unless it stands in a clause that says which one is meant.
func (r *reader) madeFor(s, account lang.Span) bool {
	near := lang.Span{From: account.To, To: min(s.To, account.To+reachWhom)}
	if r.grammar.verbLast {
		near = lang.Span{From: max(r.fromComma(s, account).From, account.From-reachWhom), To: account.From}
	}
	whom, which := -1, false
	for i := near.From; i < near.To; i++ {
		which = which || r.isWord(i, lang.WordWhich)
		if whom < 0 && r.isWord(i, lang.WordWhom) && !r.inLonger(i) {
			whom = i
		}
		parted := i > near.From && r.t.Words[i].Before >= lang.Comma || i == account.To && r.broken(i, i+1)
		if whom < 0 && (r.hits.Has(word(i), lang.Because) || parted && !r.isWord(i, lang.WordWhich)) {
			break
		}
	}
	mine := r.own(lang.Span{From: max(s.From, account.From-1), To: account.From})
	return whom >= 0 && (which || whom == account.To && !mine) && !r.forWriter(s, whom)
}

// reachWhom is how many words beside an account may say for whom it is.
const reachWhom = 7

// inLonger tells whether a word is part of a phrase that says why, when or how:
// "for good", "for a while".
func (r *reader) inLonger(i int) bool {
	near := lang.Span{From: max(0, i-maxPhrase), To: i + 1}
	return slices.ContainsFunc(r.hits.Prefixed(near, ""), func(h lang.Hit) bool {
		return i < h.To && h.To-h.From > 1 && slices.Contains([]lang.Concept{lang.Filler, lang.Temporary, lang.Because, lang.All, lang.Common, lang.Closing}, h.Concept)
	})
}

// forWriter tells whether who is named beside a "for" is the writer: "for myself".
func (r *reader) forWriter(s lang.Span, i int) bool {
	if r.grammar.verbLast {
		return i == s.From || r.hits.Has(word(i-1), lang.Me) || r.isWord(i-1, lang.WordMe)
	}
	next := i + 1
	if next >= s.To {
		return true
	}
	me := r.hits.Has(word(next), lang.Me) || r.isWord(next, lang.WordMe)
	return me && (next+1 >= s.To || r.parted(next+1) || r.hits.Has(word(next+1), lang.Because, lang.Temporary, lang.Filler))
}

// between lowers the confidence when something else stands nearer to the verb
// than the account.
func (r *reader) between(v lang.Hit, account lang.Span, other lang.Hits) float64 {
	return sure(!slices.ContainsFunc(other, func(o lang.Hit) bool {
		return v.To <= o.From && o.To <= account.From || account.To <= o.From && o.To <= v.From
	}))
}

// reachPart is how many words may stand between a thing and what it is part of.
const reachPart = 4

// partOf tells whether one of the things follows at once, so that what is
// named is in it or of it: "my number from the listing". It is not where the
// words between say for how long, why, or that the one is named beside the other.
func (r *reader) partOf(at lang.Span, other lang.Hits) bool {
	return slices.ContainsFunc(other, func(o lang.Hit) bool {
		space := lang.Span{From: at.To, To: o.From}
		if o.From < at.To || o.From-at.To > reachPart || r.broken(at.To, o.From+1) {
			return false
		}
		return !r.hits.Has(space, lang.Temporary) && !r.hasWord(space, lang.WordBeside) && !r.reason(at.To, o.From)
	})
}

// alongside tells whether any of the things is not only named as a reason behind
// what is asked.
func (r *reader) alongside(at lang.Span, other lang.Hits) bool {
	return slices.ContainsFunc(other, func(o lang.Hit) bool { return o.From < at.To || !r.reason(at.To, o.From) })
}

// reason tells whether a word in a range begins to give a reason: "remove me
// because I get too many messages", "remove me, I get too many messages".
func (r *reader) reason(from, to int) bool {
	for i := from; i < to; i++ {
		if r.hits.Has(word(i), lang.Because) || r.t.Words[i].Before >= lang.Comma && r.isWord(i, lang.WordTells) {
			return true
		}
	}
	return false
}

// followed lowers the confidence when an unknown word follows the account:
// it may say whose ("аккаунт Иванова") or what of it ("account policy").
func (r *reader) followed(s, account lang.Span) float64 {
	i := account.To
	if i >= s.To || r.t.Words[i].Before >= lang.Comma || r.forms.isObject(account) {
		return 1
	}
	if r.forms.isParticiple(i) {
		return unsureOf
	}
	mine := r.own(lang.Span{From: max(s.From, account.From-1), To: account.To})
	if next := word(i); r.hits.Has(next, lang.Me, lang.It) && !r.isWord(i, lang.WordBeside) {
		return sure(mine || r.hits.Has(word(i+1), lang.Account)) // everything I posted; all this
	}
	if r.isWord(i, lang.WordOf) && i+1 < s.To && !r.hits.Has(word(i+1), lang.Filler) && !r.isWord(i+1, lang.WordMine) {
		return unsureOf // the account of our secretary
	}
	if r.knows(i) {
		return 1
	}
	return sure(mine && (r.grammar.bends && !r.capital(i) || r.allCapitals(i, s.To)))
}

// allCapitals tells whether the unknown words from one on, to the end of their
// part of the sentence, are a name: "my account on the site | Push Guru".
func (r *reader) allCapitals(from, to int) bool {
	for i := from; i < to && r.t.Words[i].Before < lang.Comma && !r.knows(i); i++ {
		if !r.capital(i) {
			return false
		}
	}
	return true
}

// outOf lowers the confidence when a word that nobody knows says out of what:
// "удалите меня из чемпионата".
func (r *reader) outOf(s, at lang.Span) float64 {
	return sure(at.To+1 >= s.To || !r.hits.Has(word(at.To), lang.Bends) || r.broken(at.To, at.To+1) || r.knows(at.To+1))
}

// strangers lowers the confidence when several words that nobody knows stand in
// a range: "close the hole in the fence at my address".
func (r *reader) strangers(from, to int) float64 {
	n := 0
	for i := from; i < to; i++ {
		if !r.knows(i) {
			n++
		}
	}
	return sure(n < maxStrangers)
}

// maxStrangers is how many unknown words between a verb and a field are too many.
const maxStrangers = 2
