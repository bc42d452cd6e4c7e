// Package answer tells what a reply to a confirmation says: yes, no, or
// neither.
//
// A yes is read strictly: every word of the text must be part of a yes, of
// politeness, or of what is agreed to ("yes, delete it"). A word that the rule
// files do not know, a condition, a "but", a "perhaps" or a "no" beside it
// make it no yes. A no is read liberally, because it costs nothing but asking
// again: the first words decide, as long as no yes speaks against them.
package answer

import (
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// maxWords bounds the words of a text that can be an answer; a longer one is
// a letter.
const maxWords = 60

// maxBareNo bounds the words of a no in a mail that answers nothing: "stop",
// "cancel that please".
const maxBareNo = 3

// maxPartial bounds the words of "only the second one, please".
const maxPartial = 8

// Reading is what a text says.
type Reading struct {
	Answer  inbox.Answer
	Partial bool   // it picks some of several items; Answer is none then
	Rest    string // the part behind "also": what is asked beside the answer
}

// Read reads the new text of a mail. It does not know whether a confirmation
// was asked for: that is for the caller.
//
// reply says that the mail answers another one: then a no may have reasons
// beside it. In a mail of its own, a no must be all there is.
func Read(rules *lang.Rules, text string, g lang.Guess, reply bool) Reading {
	t := lang.NewText(text)
	if len(t.Words) == 0 {
		return sign(text)
	}
	if len(t.Words) > maxWords {
		return Reading{}
	}
	r := reader{t: t, hits: rules.Find(t, g), reply: reply}
	return r.read()
}

// sign reads an answer without letters.
func sign(text string) Reading {
	switch strings.TrimSpace(text) {
	case "+", "++", "+++", "👍", "✅", "👌":
		return Reading{Answer: inbox.AnswerYes}
	case "-", "—", "👎", "❌":
		return Reading{Answer: inbox.AnswerNo}
	}
	return Reading{}
}

type reader struct {
	t     *lang.Text
	hits  lang.Hits
	reply bool
}

func (r *reader) read() Reading {
	all := lang.Span{From: 0, To: len(r.t.Words)}
	main, rest := all, ""
	if also := r.hits.In(all, lang.Also); len(also) > 0 && also[0].From > 0 {
		main.To = also[0].From
		if main.To > 1 && joins(r.t.Words[main.To-1].Fold) {
			main.To--
		}
		rest = r.t.Slice(lang.Span{From: also[0].To, To: all.To})
	}
	partial := r.hits.Has(all, lang.Partial)
	switch {
	case r.hits.Has(all, lang.Perhaps):
		return Reading{}
	case partial && len(r.t.Words) <= maxPartial:
		return Reading{Partial: true}
	case r.yes(main) && (rest == "" || len(r.t.Words) > main.To):
		return Reading{Answer: inbox.AnswerYes, Rest: rest}
	case rest == "" && len(r.t.Sentences) > 1 && r.yes(r.t.Sentences[0]):
		behind := lang.Span{From: r.t.Sentences[0].To, To: all.To}
		if r.hits.Has(behind, lang.But, lang.Wait, lang.Condition, lang.No, lang.Negation, lang.Keep) {
			return r.orNo(all)
		}
		return Reading{Answer: inbox.AnswerYes, Rest: r.t.Slice(behind)}
	case r.no(all):
		return Reading{Answer: inbox.AnswerNo}
	}
	return Reading{}
}

func (r *reader) orNo(all lang.Span) Reading {
	if r.no(all) {
		return Reading{Answer: inbox.AnswerNo}
	}
	return Reading{}
}

// joins are the words that may stand before "also".
func joins(w string) bool { return w == "and" || w == "и" || w == "und" || w == "y" || w == "et" }

// yes tells whether a span is a yes and nothing else.
func (r *reader) yes(s lang.Span) bool {
	if r.hits.Has(s, lang.Wait, lang.But, lang.No, lang.Negation, lang.Condition, lang.HowTo, lang.Problem) || r.question(s) {
		return false
	}
	if !r.hits.Has(s, lang.Yes) || !r.leads(s) {
		return false
	}
	covered := make([]bool, len(r.t.Words))
	for _, h := range r.hits.In(s, lang.Yes, lang.Filler, lang.It, lang.Delete, lang.Deleting, lang.Deactivate, lang.Change, lang.Account,
		lang.Data, lang.Me, lang.Wish, lang.All) {
		for i := h.From; i < h.To; i++ {
			covered[i] = true
		}
	}
	for i := s.From; i < s.To; i++ {
		if !covered[i] && !small(r.t.Words[i].Fold) {
			return false
		}
	}
	return true
}

// whole tells whether a span is a no and nothing else.
func (r *reader) whole(s lang.Span) bool {
	n := 0
	for _, h := range r.hits.In(s, lang.No, lang.Filler) {
		n += h.To - h.From
	}
	return n >= s.To-s.From
}

// leads tells whether the yes comes first, politeness left out: "delete it,
// ok?" is a request.
func (r *reader) leads(s lang.Span) bool {
	for i := s.From; i < s.To; {
		at := lang.Span{From: i, To: i + 1}
		if r.hits.Has(at, lang.Yes) {
			return true
		}
		f := r.hits.In(at, lang.Filler, lang.It)
		if len(f) == 0 {
			return false
		}
		i = max(f[0].To, i+1)
	}
	return false
}

// small are words without a meaning of their own.
func small(w string) bool {
	switch w {
	case "i", "it", "the", "my", "this", "that", "and", "to", "is", "я", "и", "мой", "это", "все", "мен", "деп", "ich", "je", "yo":
		return true
	}
	return false
}

func (r *reader) question(s lang.Span) bool { return strings.Contains(r.t.EndMark(s), "?") }

// no tells whether a text begins with a no and nothing takes it back.
func (r *reader) no(s lang.Span) bool {
	nos := r.hits.In(s, lang.No)
	if len(nos) == 0 || r.question(s) && len(r.t.Words) > 4 {
		return false
	}
	first := nos[0]
	if buts := r.hits.In(lang.Span{From: s.From, To: first.From}, lang.But); len(buts) > 0 && r.leads(s) {
		// "ok, but no" is a no; "yes, but leave the phone" is neither.
		if last := nos[len(nos)-1]; last.From != buts[len(buts)-1].To || last.To != s.To {
			return false
		}
	}
	for i := s.From; i < first.From; i++ {
		at := lang.Span{From: i, To: i + 1}
		if r.hits.Has(at, lang.Yes) && !r.hits.Has(lang.Span{From: i + 1, To: s.To}, lang.No) {
			return false
		}
	}
	if !r.reply && (!r.whole(s) || len(r.t.Words) > maxBareNo || r.hits.Has(s, lang.Account)) {
		return false
	}
	if first.From > 8 || (len(r.t.Words) > 25 && first.From > 3) {
		return false
	}
	for _, y := range r.hits.In(s, lang.Yes) {
		if y.From >= first.To {
			return false
		}
	}
	return !r.hits.Has(lang.Span{From: first.To, To: s.To}, lang.Delete, lang.Change, lang.Deactivate, lang.But) || len(nos) > 1
}
