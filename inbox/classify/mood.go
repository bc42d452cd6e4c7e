package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox/classify/lang"
)

// reach is how many words a "not" or "how" reaches forward.
const (
	reachNot    = 4
	reachCannot = 2 // "I cannot delete"
	reachHow    = 9
	reachIt     = 4 // "how do I do that"
)

// mood gives what a find at the span is worth in its sentence: 0 when it is
// not asked for at all, 1 when nothing speaks against it.
func (r *reader) mood(sentence, at lang.Span) float64 {
	if r.quoted(at) || r.negated(sentence, at) || r.explains(sentence, at) || r.reports(sentence, at) {
		return 0
	}
	if r.outside(sentence, at, lang.AskStatus) {
		return 0 // it was asked for before
	}
	factor := r.conditional(sentence, at) * r.kazakh(sentence, at)
	asks := strings.Contains(r.t.EndMark(sentence), "?") && !r.tagged(sentence)
	wish := r.hits.Has(sentence, lang.Wish) || r.commands(sentence, at)
	if r.ahead(sentence, at, lang.Possible, reachHow) {
		factor *= unsureOf
	}
	if asks && !wish {
		return 0
	}
	if r.outside(lang.Span{From: r.plea(sentence, at), To: sentence.To}, at, lang.Problem) || r.endsAt(sentence, at.From, lang.Or) && at.From > sentence.From {
		factor *= unsureOf
	}
	if r.outside(sentence, at, lang.Third) {
		if r.near(sentence, at, lang.Third, 5) && !r.inOwnPart(sentence, at) {
			return 0
		}
		factor *= unsureOf
	}
	return factor
}

// inOwnPart tells whether a verb stands in a part of its sentence that names its
// writer and nobody else: "my husband is ill, please close my account".
func (r *reader) inOwnPart(s, verb lang.Span) bool {
	for _, p := range r.parts(s) {
		if p.From <= verb.From && verb.From < p.To {
			return r.own(p) && r.hits.Has(p, lang.Account, lang.AskDelete) && !r.hits.Has(p, lang.Third)
		}
	}
	return false
}

// quoted tells whether the words are only mentioned: the button "Delete".
func (r *reader) quoted(at lang.Span) bool {
	return at.To > at.From && r.t.Words[at.From].Quoted && at.From > 0 && !r.t.Words[0].Quoted
}

func (r *reader) negated(sentence, at lang.Span) bool {
	return r.denied(sentence, at, lang.Negation, lang.No, lang.Problem, lang.Keep)
}

// denied is negated by some of what negates.
func (r *reader) denied(sentence, at lang.Span, concepts ...lang.Concept) bool {
	for _, n := range r.hits.In(sentence, concepts...) {
		if n.Concept == lang.Keep && (!(n.To == at.From || n.From == at.To) || n.From == at.To && n.To-n.From > 1) {
			continue // "delete my number, the account stays" names what is kept
		}
		if n.Concept == lang.No && n.From == at.To && n.To-n.From > 1 && r.overlaps(sentence, n.Span, lang.Keep) && !r.acts(n.From, n.To) {
			continue
		}
		reach := reachNot
		if n.Concept == lang.Problem {
			reach = reachCannot
		}
		if n.To <= at.From && at.From-n.To <= reach && !r.broken(n.To, at.From+1) && !r.spent(n.To, at.From) {
			return true
		}
		behind := 0 // "удалять не надо"
		switch r.guess.Tag {
		case "kk", "de", "nl", "sv", "da":
			behind = 1 // they negate behind the verb: "ändern Sie nicht"
		}
		if n.From >= at.To && r.needless(n.Span) && r.commands(sentence, at) {
			continue // "өшіріңіз енді керегі жоқ"
		}
		if n.From >= at.To && (n.From-at.To <= behind || n.Concept == lang.Negation && r.closes(sentence, n.Span)) && !r.broken(at.To, n.From+1) && !r.excludes(n) {
			return true
		}
	}
	return false
}

// spent tells whether a "not" is said of another act, and only this one is
// wanted: "don't erase anything, just hide me".
func (r *reader) spent(not, at int) bool {
	for i := not + 1; i < at; i++ {
		if r.isWord(i, lang.WordOnly) {
			return r.acts(not, i)
		}
	}
	return false
}

// closes tells whether a span ends its part of the sentence: "löschen Sie mein
// Konto bitte nicht".
func (r *reader) closes(s, at lang.Span) bool {
	return at.To >= s.To || r.t.Words[at.To].Before >= lang.Comma
}

// reachObject is how many words may stand between a "not" and what it is said
// of: "not my whole account".
const reachObject = 2

// excludes tells whether a "not" is said of a thing, not of the act: "delete
// not the account but the telephone number".
func (r *reader) excludes(n lang.Hit) bool {
	if n.Concept != lang.Negation {
		return false
	}
	near := lang.Span{From: n.To, To: n.To + 1 + reachObject}
	for _, o := range append(r.hits.In(near, lang.Account, lang.Data, lang.Other), r.hits.Prefixed(near, lang.FieldPrefix)...) {
		if !r.broken(n.To, o.From+1) {
			return true
		}
	}
	return false
}

// meant leaves out the things that a "not" is said of. Kazakh says it behind
// them.
func (r *reader) meant(s lang.Span, things lang.Hits) lang.Hits {
	nots := slices.DeleteFunc(r.hits.In(s, lang.Negation), func(n lang.Hit) bool {
		return slices.ContainsFunc(r.hits.In(s, lang.Deleted), func(v lang.Hit) bool { return v.From < n.From && n.To <= v.To })
	}) // "so that there is | no | telephone" asks for it
	return slices.DeleteFunc(things, func(o lang.Hit) bool {
		return slices.ContainsFunc(nots, func(n lang.Hit) bool {
			if r.guess.Tag == "kk" {
				return n.From == o.To && !r.broken(o.To, n.From+1) && !r.needless(n.Span)
			}
			return n.To <= o.From && o.From-n.To <= reachObject && !r.broken(n.To, o.From+1) && !r.acts(n.To, o.From) && !r.isWord(n.To, lang.WordNeed)
		})
	})
}

// acts tells whether a verb that asks for something stands in a range of words.
func (r *reader) acts(from, to int) bool {
	return r.hits.Has(lang.Span{From: from, To: to}, lang.Delete, lang.Deactivate, lang.Change, lang.Add, lang.Send)
}

// explains tells whether an explanation is asked for, not the thing itself.
func (r *reader) explains(sentence, at lang.Span) bool {
	plea := r.plea(sentence, at)
	if plea == sentence.From && r.ahead(sentence, at, lang.HowTo, reachHow) {
		return true
	}
	for _, h := range r.hits.In(at, lang.HowTo) {
		if h.To > at.To {
			return true // "I withdraw my | consent | to the deletion"
		}
	}
	if plea > sentence.From {
		// "I can't find where to do it, please delete my account"
		for _, h := range r.hits.In(sentence, lang.HowTo) {
			if h.From < plea && !r.hits.Has(lang.Span{From: max(sentence.From, h.From-reachNot), To: h.From + 1}, lang.Problem, lang.Negation) {
				return true
			}
		}
		if r.ahead(lang.Span{From: plea, To: sentence.To}, at, lang.HowTo, reachHow) {
			return true
		}
	}
	for _, h := range r.hits.In(lang.Span{From: at.To, To: sentence.To}, lang.HowTo) {
		if r.closes(sentence, h.Span) || r.hits.Has(lang.Span{From: h.To, To: min(h.To+reachIt, sentence.To)}, lang.It) {
			return true // "I want to delete it how do I do that"
		}
		if r.guess.Tag == "kk" && sentence.To-h.From <= reachIt {
			return true // "көшірмесі керек еді, қалай аламын"
		}
	}
	return false
}

// reports tells whether the sentence says that it happened, or what somebody
// else says, asks or did.
func (r *reader) reports(sentence, at lang.Span) bool {
	for _, d := range r.hits.In(sentence, lang.Done) {
		if d.To <= at.From && at.From-d.To <= reachNot && !r.broken(d.To, at.From+1) {
			return true
		}
		if d.From >= at.To && d.From-at.To <= 1 && r.guess.Tag == "kk" && !r.broken(at.To, d.From+1) {
			return true
		}
	}
	return r.outside(sentence, at, lang.Done) && !r.hits.Has(sentence, lang.Wish) && !r.commands(sentence, at)
}

// conditional weighs an "if": in the same breath it makes a find worthless.
func (r *reader) conditional(sentence, at lang.Span) float64 {
	factor, plea := 1.0, r.plea(sentence, at)
	for _, h := range r.hits.In(sentence, lang.Condition) {
		switch {
		case h.From >= at.From && h.To <= at.To:
		case h.From >= at.To && h.To-h.From == 1 && r.isWord(h.From, lang.WordOr) && !r.acts(h.To, h.To+2): // of two things; "or I will" is a phrase
		case h.To <= plea && plea > sentence.From && r.isWord(h.From, lang.WordWill): // "I'll be away, please hide me"
		case r.isWord(h.From, lang.WordBefore) && r.hits.Has(at, lang.Send, lang.AskCopy):
			// "before I leave, send me my data" says when
		case slices.ContainsFunc(r.hits.In(h.Span, lang.Temporary), func(x lang.Hit) bool { return x.Span == h.Span }):
			// "so lange"
		case h.To <= at.From && at.From-h.To <= reachHow && !r.broken(h.To, at.From+1):
			return 0
		default:
			factor = 0.7
		}
	}
	if r.outside(sentence, at, lang.Done) {
		factor *= unsureOf
	}
	return factor
}

// ahead tells whether the concept stands before the span, near enough and
// outside it, or anywhere in a sentence that ends in a question mark.
func (r *reader) ahead(sentence, at lang.Span, c lang.Concept, reach int) bool {
	asks := strings.Contains(r.t.EndMark(sentence), "?")
	for _, h := range r.hits.In(sentence, c) {
		if h.From >= at.From && h.To <= at.To {
			continue
		}
		if asks || (h.From < at.From && at.From-h.From <= reach) {
			return true
		}
	}
	return false
}

// tagged tells whether a question mark stands behind a word that only asks for
// consent: "just hide me, ok?"
func (r *reader) tagged(sentence lang.Span) bool {
	return r.isWord(sentence.To-1, lang.WordOk)
}

// plea gives where the part of a sentence begins in which a find is asked for
// politely, if that is behind a comma: "I can't find it, | please delete my
// account". What stands before gives the reason. It is the beginning of the
// sentence otherwise.
func (r *reader) plea(sentence, at lang.Span) int {
	from := at.From
	for from > sentence.From && r.t.Words[from].Before < lang.Comma {
		from--
	}
	part := lang.Span{From: from, To: at.From}
	for _, w := range r.hits.In(part, lang.Wish) {
		if r.isWord(w.From, lang.WordPlease) && !r.hits.Has(part, lang.HowTo, lang.Possible, lang.Condition, lang.Negation) {
			return from
		}
	}
	return sentence.From
}

func (r *reader) outside(sentence, at lang.Span, c lang.Concept) bool {
	for _, h := range r.hits.In(sentence, c) {
		if h.From < at.From || h.To > at.To {
			return true
		}
	}
	return false
}

func (r *reader) near(sentence, at lang.Span, c lang.Concept, words int) bool {
	for _, h := range r.hits.In(sentence, c) {
		if h.To >= at.From-words && h.From <= at.To+words {
			return true
		}
	}
	return false
}

// broken tells whether a comma or more stands before any of the words.
func (r *reader) broken(from, to int) bool {
	for i := from; i < to && i < len(r.t.Words); i++ {
		if r.t.Words[i].Before >= lang.Comma {
			return true
		}
	}
	return false
}
