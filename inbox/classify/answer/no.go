package answer

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// maxBareNo bounds the words of a no in a mail that answers nothing: "stop",
// "cancel that please".
const maxBareNo = 3

// How many words may stand before a no, in any text and in a long one.
const (
	maxBefore     = 8
	maxLong       = 25
	maxBeforeLong = 3
)

// maxWondering bounds the words of a no that only wonders: "no, what is this?"
const maxWondering = 4

// maxDigits bounds the digits of a no: more may be a number or a date to enter.
const maxDigits = 4

// reachNot is how many words a "not" reaches forward.
const reachNot = 4

// no reads a text that begins with a no, or says in a phrase of its own that
// the request is not theirs, and nothing takes it back or asks for something
// else. A question behind it is the rest.
func (r *reader) no(s lang.Span) (Reading, bool) {
	i := slices.IndexFunc(r.hits, func(h lang.Hit) bool {
		return h.Concept == lang.No && (h.To-h.From > 1 || r.opens(h.From) || r.closes(h.To)) && !r.idle(h, s)
	})
	if i < 0 || r.goesOn(s) {
		return Reading{}, false
	}
	first := r.hits[i]
	if r.late(first) || !r.reply && !r.bare(s) || r.reservesNo(first, s) || r.takenBack(r.from(first.To)) || r.asksElse(first) {
		return Reading{}, false
	}
	rest, ok := r.behindNo(first)
	return Reading{Answer: inbox.AnswerNo, Rest: rest}, ok
}

// late tells whether a no stands too far from the beginning of a text to be its
// answer, or behind a yes that no other no takes back.
func (r *reader) late(no lang.Hit) bool {
	if no.From > maxBefore || len(r.t.Words) > maxLong && no.From > maxBeforeLong {
		return true
	}
	return r.hits.Has(r.upTo(no.From), lang.Yes) && !r.hits.Has(r.from(no.From), lang.No)
}

// bare tells whether a text is short and but a no.
func (r *reader) bare(s lang.Span) bool {
	return r.whole(s) && len(r.t.Words) <= maxBareNo && !r.hits.Has(s, lang.Account)
}

// reservesNo tells whether a no is only what a yes reserves: "ok, but no" is a
// no; "yes, but leave the phone" is neither.
func (r *reader) reservesNo(first lang.Hit, s lang.Span) bool {
	buts := r.hits.In(r.upTo(first.From), lang.But)
	if len(buts) == 0 || !r.leads(s) {
		return false
	}
	nos := r.hits.In(s, lang.No)
	last := nos[len(nos)-1]
	return last.To != s.To || r.words(buts[len(buts)-1].To, last.From) > 0
}

// idle tells whether a "no" says none: as part of a longer reason ("no doubt"),
// or, behind a yes, in a question ("yes, isn't it?") or of a thing ("yes, leave
// the photos").
func (r *reader) idle(no lang.Hit, s lang.Span) bool {
	if slices.ContainsFunc(r.hits.In(r.upTo(no.To), lang.Reason, lang.Unused), func(h lang.Hit) bool {
		return h.From <= no.From && no.To < h.To
	}) {
		return true
	}
	if r.mere(no) {
		return true
	}
	part := r.partOf(no.Span)
	return r.leads(s) && (strings.Contains(r.t.EndMark(part), "?") || r.hits.Has(part, lang.Other) || len(r.fields(part)) > 0)
}

// mere tells whether a "no" is but the "not" of an unknown word, or one that such
// a "not" stands before: "не волнуйтесь", "не забудьте".
func (r *reader) mere(no lang.Hit) bool {
	if no.From > r.part(no.From) && r.listed(no.From-1, lang.WordMere) {
		return true
	}
	alone := no.To-no.From > 1 || !r.listed(no.From, lang.WordMere) || r.closes(no.To)
	return !alone && (!r.known(no.To) || r.hits.Has(at(no.To), lang.No))
}

// whole tells whether a span is a no and nothing else.
func (r *reader) whole(s lang.Span) bool {
	n := 0
	for _, h := range r.hits.In(s, lang.No, lang.Filler) {
		n += h.To - h.From
	}
	return n >= s.To-s.From
}

// opens tells whether a word begins its part of a sentence, politeness left
// out: "no" says no there, and elsewhere may be of something ("I have no idea").
func (r *reader) opens(i int) bool {
	for ; i > 0 && r.t.Words[i].Before < lang.Comma; i-- {
		if !r.hits.Has(at(i-1), lang.Filler, lang.But, lang.Yes, lang.No, lang.It, lang.And) {
			return false
		}
	}
	return true
}

// takenBack tells whether a yes or a reservation stands in a span.
func (r *reader) takenBack(s lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Yes, lang.But), func(h lang.Hit) bool { return h.Concept == lang.But || !r.negated(h.Span) })
}

// asksElse tells whether something is asked for behind a no: a verb that no
// "not" stands before, or something new.
func (r *reader) asksElse(no lang.Hit) bool {
	behind := r.from(no.To)
	if r.unwanted(no) {
		return true
	}
	for _, v := range r.hits.In(behind, lang.Delete, lang.Change, lang.Add, lang.Deactivate, lang.AskCopy, lang.AskDelete) {
		if !r.negated(v.Span) && !r.wonders(v.From) {
			return true
		}
	}
	if r.hits.Has(behind, lang.New) && len(r.hits.Prefixed(behind, lang.FieldPrefix)) > 0 {
		return true
	}
	text := r.t.Slice(behind)
	return strings.Contains(text, "@") || digits(text) > maxDigits
}

// unwanted tells whether it is the account that a no does not want, or its end
// that it does: "cancel my account", "I do not want to keep it".
func (r *reader) unwanted(no lang.Hit) bool {
	phrase, part := no.To-no.From > 1, r.partOf(no.Span)
	if r.hits.Has(no.Span, lang.Account, lang.Keep) || phrase && r.hits.Has(part, acts...) {
		return false
	}
	to := no.To
	for to < part.To && (r.hits.Has(at(to), lang.Me, lang.Wish) || r.small(to)) {
		to++
	}
	if to < part.To && r.hits.Has(at(to), lang.Account, lang.Keep) {
		return phrase || r.hits.Has(no.Span, lang.Delete)
	}
	before := r.hits.In(lang.Span{From: part.From, To: no.From}, lang.Account)
	return phrase && len(before) > 0 && before[len(before)-1].To == no.From
}

// negated tells whether a "not" stands before a verb in its part of the
// sentence, or at once behind it.
func (r *reader) negated(v lang.Span) bool {
	for i := v.From; i > 0 && v.From-i < reachNot && r.t.Words[i].Before < lang.Comma && !r.hits.Has(at(i), lang.And); i-- {
		if r.hits.Has(at(i-1), lang.Negation, lang.No) {
			return true
		}
	}
	return r.hits.Has(lang.Span{From: v.From, To: v.To + 1}, lang.Negation, lang.No)
}

// behindNo gives the question that a text asks behind its no, and whether the
// no stands apart from it.
func (r *reader) behindNo(no lang.Hit) (string, bool) {
	if len(r.t.Words) <= maxWondering {
		return "", true
	}
	for _, x := range r.t.Sentences {
		if !r.question(x) {
			continue
		}
		from := max(x.From, no.To)
		for from > x.From && from < x.To && r.t.Words[from].Before < lang.Comma {
			from++
		}
		if x.To <= no.From || from >= x.To {
			return "", x.To <= no.From
		}
		return r.t.Slice(lang.Span{From: from, To: x.To}) + "?", true
	}
	return "", true
}
