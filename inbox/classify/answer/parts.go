package answer

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// read reads the whole text.
func (r *reader) read() Reading {
	all := r.from(0)
	main, rest := r.beforeAlso(all)
	switch {
	case r.hits.Has(all, lang.Perhaps):
		return Reading{}
	case r.offersBoth():
		return Reading{Begun: true}
	case r.hits.Has(all, lang.Partial) && len(r.t.Words) <= maxPartial, r.divides(all):
		return Reading{Partial: true}
	case r.yes(main) && (rest == "" || len(r.t.Words) > main.To):
		return r.yesTo(main, rest)
	case rest != "":
		return r.orNo(all)
	}
	if first, behind := r.beforeWhen(all); r.yes(first) {
		out := r.yesTo(first, strings.TrimRight(r.t.Slice(behind), " ?!."))
		out.When = true
		return out
	}
	if first, behind := r.apart(all); r.yes(first) && !r.reserves(behind) {
		return r.yesTo(first, r.t.Slice(behind))
	}
	if first, behind := r.beforeQuestion(all); r.yes(first) && !r.reserves(behind) && !r.recalls(behind) {
		out := r.yesTo(first, r.t.Slice(behind)+"?")
		out.Wonders = true
		return out
	}
	return r.orNo(all)
}

// reserves tells whether what stands behind a yes may take it back.
func (r *reader) reserves(s lang.Span) bool { return r.hits.Has(s, reserving...) }

// recalls tells whether a question is about when its writer did something, which
// doubts that they did: "when did I ask for this?"
func (r *reader) recalls(s lang.Span) bool {
	return r.hits.Has(s, lang.When) && r.hits.Has(s, lang.Reason, lang.Unused)
}

// reserving are the concepts of what may take a yes back.
var reserving = []lang.Concept{lang.But, lang.Wait, lang.Condition, lang.No, lang.Negation, lang.Keep}

// beforeQuestion parts the one sentence of a text before the question that it
// ends in: "Yes, thank you, how long will it take?"
func (r *reader) beforeQuestion(all lang.Span) (first, behind lang.Span) {
	if len(r.t.Sentences) != 1 || !r.question(all) {
		return lang.Span{}, lang.Span{}
	}
	parts := r.parts(all)
	last := parts[len(parts)-1]
	return r.upTo(last.From), last
}

// beforeWhen parts a text before a question that it ends in and that asks but
// when it will be done: "Yes, when?", "yes. how long does it take?"
func (r *reader) beforeWhen(all lang.Span) (first, behind lang.Span) {
	if !strings.Contains(r.t.EndMark(all), "?") {
		return lang.Span{}, lang.Span{}
	}
	for _, h := range r.hits.In(all, lang.When) {
		first, behind := r.upTo(h.From), r.from(h.From)
		if first.To > 1 && r.covers(first.To-1, lang.And) && !r.covers(first.To-1, lang.But) {
			first.To--
		}
		if h.From > 0 && r.asksWhen(h, behind) {
			return first, behind
		}
	}
	return lang.Span{}, lang.Span{}
}

// asksWhen tells whether a span, which begins with a word of time, asks for no
// more than that: "when?", "when will my account be deleted?" "When" by itself
// may also begin a condition.
func (r *reader) asksWhen(when lang.Hit, s lang.Span) bool {
	if r.outside(r.hits.In(s, reserving...), r.hits.In(s, lang.When)) {
		return false
	}
	for i := when.To; i < s.To; i++ {
		beside := r.small(i) || r.inside(i, when.To, lang.Filler, lang.It, lang.When)
		if !beside && (when.To-when.From == 1 || !r.aboutWhen(i, when)) {
			return false
		}
	}
	return true
}

// aboutWhen tells whether a word may stand in a question about when something
// will be done: "will it be deleted", and not "is it from".
func (r *reader) aboutWhen(i int, when lang.Hit) bool {
	done := append([]lang.Concept{lang.Reason}, acts...)
	if r.hits.Has(at(i), append(done, lang.Account, lang.Data, lang.Me)...) || len(r.fields(at(i))) > 0 {
		return true
	}
	return r.inside(i, when.From, lang.AskStatus) || r.hits.Has(at(i), lang.Little) && r.hits.Has(r.from(i), done...)
}

// offersBoth tells whether a text is but a yes and a no beside each other, as
// our question or a form may have offered them: "yes/no", "yes and no", "[x] yes
// [ ] no". What people say in one breath is none of these: "yeah no".
func (r *reader) offersBoth() bool {
	yes, no := r.hits.In(r.from(0), lang.Yes), r.hits.In(r.from(0), lang.No)
	if len(yes) != 1 || len(no) != 1 || len(r.t.Words) > maxOffered {
		return false
	}
	for i := range r.t.Words {
		if i != yes[0].From && i != no[0].From && !r.hits.Has(at(i), lang.And, lang.Or) && len(r.t.Words[i].Fold) > 1 {
			return false
		}
	}
	from, to := min(yes[0].To, no[0].To), max(yes[0].From, no[0].From)
	between := r.t.Source[r.t.Words[from-1].End:r.t.Words[to].Start]
	return to > from || strings.ContainsAny(between, "/|[]()\n")
}

// maxOffered bounds the words of such a text, marks of a list counted.
const maxOffered = 5

// yesTo gives the reading of a span that is a yes.
func (r *reader) yesTo(s lang.Span, rest string) Reading {
	return Reading{Answer: inbox.AnswerYes, Agreed: r.agreed(s), Rest: rest}
}

// beforeAlso parts a text at its "also": what stands before it, and what is
// asked beside that. Without one, there is no rest.
func (r *reader) beforeAlso(all lang.Span) (main lang.Span, rest string) {
	also := r.hits.In(all, lang.Also)
	if len(also) == 0 || also[0].From == 0 {
		return all, ""
	}
	main = r.upTo(also[0].From)
	if main.To > 1 && r.covers(main.To-1, lang.And) {
		main.To--
	}
	if from := r.part(also[0].From); from > 0 && from < main.To && !r.yes(main) && r.yes(r.upTo(from)) {
		return r.upTo(from), r.t.Slice(r.from(from)) // "Yes, and send me also a copy"
	}
	return main, r.t.Slice(r.from(also[0].To))
}

// maxPartial bounds the words of "only the second one, please".
const maxPartial = 8

// apart parts the first sentence from what is behind it, or what stands before an
// "and" at the beginning of a part: "Yes, and change my city to Rome".
func (r *reader) apart(all lang.Span) (first, behind lang.Span) {
	for _, h := range r.hits.In(r.t.Sentences[0], lang.And) {
		if h.From > 0 && r.t.Words[h.From].Before >= lang.Comma && h.To < all.To {
			return r.upTo(h.From), r.from(h.To)
		}
	}
	if len(r.t.Sentences) < 2 {
		return lang.Span{}, lang.Span{}
	}
	return r.t.Sentences[0], r.from(r.t.Sentences[0].To)
}

// divides tells whether a text says yes to one point and no to another: "the
// phone yes, the birthday no".
func (r *reader) divides(all lang.Span) bool {
	if len(r.t.Words) > maxDivided || !r.hits.Has(all, lang.Yes) {
		return false
	}
	fields := r.hits.Prefixed(all, lang.FieldPrefix)
	return len(fields) > 1 && r.hits.Has(all, lang.No, lang.Negation, lang.Keep) || len(fields) > 0 && r.sparesAccount(all)
}

// sparesAccount tells whether a text says no to the account: "account no".
func (r *reader) sparesAccount(all lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(all, lang.No), func(h lang.Hit) bool {
		return h.To == h.From+1 && h.From > 0 && r.covers(h.From-1, lang.Account) && r.closes(h.To)
	})
}

// maxDivided bounds the words of such an answer.
const maxDivided = 14

// orNo reads a text that is no yes.
func (r *reader) orNo(all lang.Span) Reading {
	no, ok := r.no(all)
	if !ok {
		no = Reading{But: r.reserved(all), NoStop: len(r.t.Sentences) == 1 && r.goesOn(all)}
	}
	no.Begun = r.leads(all)
	return no
}

// reserved tells whether a text begins with a yes that a "but" follows at once.
func (r *reader) reserved(s lang.Span) bool {
	for i := s.From; i < s.To; {
		one := at(i)
		if r.hits.Has(one, lang.But) {
			return r.leads(s)
		}
		known := r.hits.In(one, lang.Yes, lang.Filler, lang.It)
		if len(known) == 0 {
			return false
		}
		i = max(known[0].To, i+1)
	}
	return false
}
