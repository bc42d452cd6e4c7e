// Package answer tells what a reply to a confirmation says: yes, no, or
// neither.
//
// A yes is read strictly: every word of the text must be part of a yes, of
// politeness, of what is agreed to ("yes, delete it"), or of a reason that
// reserves nothing ("I no longer use it"). A word that the rule files do not
// know, a condition, a "but", a "perhaps" or a "no" beside it make it no yes;
// the name of the writer below it does not. What is agreed to is told, because
// here nobody knows what was asked. A no is read
// liberally, because it costs nothing but asking again: reasons may stand beside
// it, as long as no yes speaks against it and nothing else is asked for.
package answer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
	Agreed  inbox.Agreed // what a yes names of what it agrees to
	Partial bool         // it picks some of several items; Answer is none then
	But     bool         // "yes, but …": neither a yes nor requests of its own; Answer is none then
	Begun   bool         // it begins with a yes, whatever becomes of it
	Rest    string       // the part behind "also": what is asked beside the answer
}

// Read reads the new text of a mail. It does not know whether a confirmation
// was asked for: that is for the caller.
//
// reply says that the mail answers another one: then a no may have reasons
// beside it. In a mail of its own, a no must be all there is.
func Read(rules *lang.Rules, text string, g lang.Guess, reply bool) Reading {
	if TooLong(text) {
		return Reading{}
	}
	t := rules.NewText(text)
	if len(t.Words) == 1 && reply && typedYes(t.Words[0].Fold) {
		return Reading{Answer: inbox.AnswerYes}
	}
	if len(t.Words) == 0 {
		return sign(text)
	}
	if len(t.Words) > maxWords {
		return Reading{}
	}
	r := reader{t: t, hits: rules.Find(t, g), reply: reply}
	out := r.read()
	if out.empty() && len(t.Words) <= maxDrawn {
		if s := undrawn(text); s != text {
			return Read(rules, s, g, reply)
		}
	}
	return out
}

func (r Reading) empty() bool { return r.Answer == inbox.AnswerNone && !r.Partial && !r.But }

// TooLong tells at little cost whether a text cannot be an answer, because it
// has far too many words.
func TooLong(text string) bool {
	n := 0
	for range strings.FieldsSeq(text) {
		if n++; n > 2*maxWords {
			return true
		}
	}
	return false
}

// maxDrawn bounds the words of an answer that is drawn out: "yeeees", "нееет".
const maxDrawn = 4

// undrawn gives the text with one letter where three or more of the same stand.
func undrawn(text string) string {
	var out []rune
	list := []rune(text)
	for i := 0; i < len(list); {
		n := i
		for n < len(list) && unicode.ToLower(list[n]) == unicode.ToLower(list[i]) {
			n++
		}
		keep := list[i:n]
		if n-i >= 3 && unicode.IsLetter(list[i]) {
			keep = keep[:1]
		}
		out, i = append(out, keep...), n
	}
	return string(out)
}

// sign reads an answer without letters.
func sign(text string) Reading {
	switch strings.TrimSpace(text) {
	case "+", "++", "+++", "👍", "✅", "👌", "✔️", "✔", "🆗", "👍👍", "👍👍👍":
		return Reading{Answer: inbox.AnswerYes}
	case "-", "—", "👎", "❌", "⛔", "🚫", "✖️", "✖":
		return Reading{Answer: inbox.AnswerNo}
	}
	return Reading{}
}

// typedYes tells whether a word that is all of a text is a Russian or Kazakh yes
// in Latin letters. In a longer text, it may be a word of another language.
func typedYes(word string) bool { return slices.Contains([]string{"da", "ia", "iya", "iye"}, word) }

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
		if from := r.part(also[0].From); from > 0 && from < main.To && !r.yes(main) && r.yes(lang.Span{To: from}) {
			main.To = from // "Yes, and send me also a copy"
			rest = r.t.Slice(lang.Span{From: from, To: all.To})
		}
	}
	partial := r.hits.Has(all, lang.Partial)
	switch {
	case r.hits.Has(all, lang.Perhaps):
		return Reading{}
	case partial && len(r.t.Words) <= maxPartial, r.divides(all):
		return Reading{Partial: true}
	case r.yes(main) && (rest == "" || len(r.t.Words) > main.To):
		return Reading{Answer: inbox.AnswerYes, Agreed: r.agreed(main), Rest: rest}
	case rest != "":
		return r.orNo(all)
	}
	if first, behind := r.apart(all); r.yes(first) && !r.hits.Has(behind, lang.But, lang.Wait, lang.Condition, lang.No, lang.Negation, lang.Keep) {
		return Reading{Answer: inbox.AnswerYes, Agreed: r.agreed(first), Rest: r.t.Slice(behind)}
	}
	return r.orNo(all)
}

// apart parts the first sentence from what is behind it, or what stands before an
// "and" at the beginning of a part: "Yes, and change my city to Rome".
func (r *reader) apart(all lang.Span) (first, behind lang.Span) {
	for _, h := range r.hits.In(r.t.Sentences[0], lang.And) {
		if h.From > 0 && r.t.Words[h.From].Before >= lang.Comma && h.To < all.To {
			return lang.Span{From: 0, To: h.From}, lang.Span{From: h.To, To: all.To}
		}
	}
	if len(r.t.Sentences) < 2 {
		return lang.Span{}, lang.Span{}
	}
	return r.t.Sentences[0], lang.Span{From: r.t.Sentences[0].To, To: all.To}
}

// divides tells whether a text says yes to one point and no to another: "the
// phone yes, the birthday no".
func (r *reader) divides(all lang.Span) bool {
	fields := r.hits.Prefixed(all, lang.FieldPrefix)
	return len(fields) > 1 && len(r.t.Words) <= maxDivided && r.hits.Has(all, lang.Yes) && r.hits.Has(all, lang.No, lang.Negation, lang.Keep)
}

// maxDivided bounds the words of such an answer.
const maxDivided = 14

// part gives the word where the part of a sentence begins that a word stands in.
func (r *reader) part(i int) int {
	for i > 0 && r.t.Words[i].Before < lang.Comma {
		i--
	}
	return i
}

func (r *reader) orNo(all lang.Span) Reading {
	no, ok := r.no(all)
	if !ok {
		no = Reading{But: r.reserved(all)}
	}
	no.Begun = r.leads(all)
	return no
}

// reserved tells whether a text begins with a yes that a "but" follows at once.
func (r *reader) reserved(s lang.Span) bool {
	for i := s.From; i < s.To; {
		at := lang.Span{From: i, To: i + 1}
		if r.hits.Has(at, lang.But) {
			return r.leads(s)
		}
		known := r.hits.In(at, lang.Yes, lang.Filler, lang.It)
		if len(known) == 0 {
			return false
		}
		i = max(known[0].To, i+1)
	}
	return false
}

// joins are the words that may stand before "also".
func joins(w string) bool { return w == "and" || w == "и" || w == "und" || w == "y" || w == "et" }

// against are the concepts that make a text no yes, wherever they stand.
var against = []lang.Concept{lang.Wait, lang.But, lang.No, lang.Negation, lang.Condition, lang.HowTo, lang.Problem}

// doubtful are those that make it none but for the name under the text.
var doubtful = []lang.Concept{lang.Doubt, lang.Other, lang.Temporary, lang.Grave}

// acts are the concepts of what can be agreed to.
var acts = []lang.Concept{lang.Delete, lang.Deleting, lang.Deleted, lang.AskDelete, lang.Deactivate, lang.AskDeactivate, lang.Change}

// beside are the concepts whose words may stand beside a yes.
var beside = append([]lang.Concept{lang.Yes, lang.Filler, lang.It, lang.Reason, lang.Unused, lang.Aside, lang.Little, lang.Heard, lang.Account, lang.Data, lang.Me, lang.All}, acts...)

// yes tells whether a span is a yes and nothing else.
func (r *reader) yes(s lang.Span) bool {
	end := r.signed(s)
	if r.question(s) || r.opposed(s) || r.doubted(lang.Span{From: s.From, To: end}) || !r.leads(s) && !r.follows(s) && !r.restates(s) {
		return false
	}
	if !r.founded(lang.Span{From: s.From, To: end}) {
		return false
	}
	covered := make([]bool, len(r.t.Words))
	for _, h := range slices.Concat(r.hits.In(s, beside...), r.named(s), r.wishes(s)) {
		for i := h.From; i < h.To; i++ {
			covered[i] = true
		}
	}
	for i := s.From; i < end; i++ {
		if !covered[i] && !small(r.t.Words[i].Fold) && !r.introduced(i) {
			return false
		}
	}
	return true
}

// founded tells whether each part of a span that speaks of a thing, or has words
// without a meaning, says why or agrees to something: "I wrote this letter", and
// not "in the letter". What is to be deleted is no such thing.
func (r *reader) founded(s lang.Span) bool {
	for from := s.From; from < s.To; {
		to := from + 1
		for to < s.To && !r.closes(to) {
			to++
		}
		part := lang.Span{From: from, To: to}
		light := r.outside(r.hits.In(part, lang.Aside, lang.Little), r.hits.In(s, lang.Yes, lang.Filler, lang.Closing, lang.Reason, lang.Unused))
		if light && !r.grounds(part) || r.takesAside(part) {
			return false
		}
		from = to
	}
	return true
}

// grounds tells whether a part has more to it than a bare yes.
func (r *reader) grounds(part lang.Span) bool {
	more := append([]lang.Concept{lang.Reason, lang.Unused, lang.Heard}, acts...)
	return r.hits.Has(part, more...) || slices.ContainsFunc(r.hits.In(part, lang.Yes), func(h lang.Hit) bool { return h.From > 0 || h.To > 1 })
}

// takesAside tells whether an act is done to something beside the matter:
// "delete this letter".
func (r *reader) takesAside(part lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(part, lang.Delete, lang.Deactivate, lang.Change), func(h lang.Hit) bool {
		i := h.To
		for i < part.To && (small(r.t.Words[i].Fold) || r.hits.Has(lang.Span{From: i, To: i + 1}, lang.Me, lang.It)) && !r.hits.Has(lang.Span{From: i, To: i + 1}, lang.Aside) {
			i++
		}
		before := h.From > part.From && r.covers(h.From-1, lang.Aside)
		return before || i < part.To && r.hits.Has(lang.Span{From: i, To: i + 1}, lang.Aside)
	})
}

// covers tells whether a word is part of a phrase of a concept.
func (r *reader) covers(i int, c lang.Concept) bool {
	return slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.Concept == c && h.From <= i && i < h.To })
}

// wishes gives the wishes of a span in whose part of the sentence an act stands: "I
// want to delete it". Else they are for something: "I need it".
func (r *reader) wishes(s lang.Span) lang.Hits {
	return slices.DeleteFunc(r.hits.In(s, lang.Wish), func(h lang.Hit) bool {
		to := h.To
		for !r.closes(to) {
			to++
		}
		return !r.hits.Has(lang.Span{From: r.part(h.From), To: to}, acts...)
	})
}

// opposed tells whether something in a span speaks against a yes. What is part
// of a reason does not: "I do not need it any more".
func (r *reader) opposed(s lang.Span) bool {
	if slices.ContainsFunc(r.hits.In(s, lang.Unused), r.denies) {
		return true
	}
	return r.outside(r.hits.In(s, against...), r.hits.In(s, lang.Reason, lang.Unused))
}

// doubted tells whether a span has a word of doubt or of another thing.
func (r *reader) doubted(s lang.Span) bool {
	return r.outside(r.hits.In(s, doubtful...), r.hits.In(s, lang.Reason, lang.Unused, lang.Yes))
}

// outside tells whether one of some hits lies in none of others.
func (r *reader) outside(hits, others lang.Hits) bool {
	return slices.ContainsFunc(hits, func(h lang.Hit) bool {
		return !slices.ContainsFunc(others, func(x lang.Hit) bool { return x.From <= h.From && h.To <= x.To })
	})
}

// denies tells whether the "not" of a reason is about what was asked: "I no
// longer need it deleted", "the request is no longer needed". Politeness or an
// "and" begins something else: "I do not need it please delete it".
func (r *reader) denies(reason lang.Hit) bool {
	if slices.ContainsFunc(r.hits, func(h lang.Hit) bool {
		return h.Concept == lang.Unused && h.From <= reason.From && reason.To <= h.To && h.To-h.From > reason.To-reason.From
	}) {
		return false // part of a longer one: "I do not need" of "I do not need it"
	}
	about := append([]lang.Concept{lang.It}, acts...)
	for i := reason.To; !r.closes(i) && !r.hits.Has(lang.Span{From: i, To: i + 1}, lang.And, lang.Filler, lang.Wish, lang.Yes); i++ {
		if r.hits.Has(lang.Span{From: i, To: i + 1}, about...) {
			return true
		}
	}
	for i := reason.From - 1; i >= r.part(reason.From); i-- {
		if r.hits.Has(lang.Span{From: i, To: i + 1}, lang.And, lang.Yes) {
			return false
		}
		if r.hits.Has(lang.Span{From: i, To: i + 1}, about...) {
			return true
		}
	}
	return false
}

// named gives the fields that a span names beside an act, as new or as right:
// "yes, change my number", "yes, the new number", "yes, the number is right".
func (r *reader) named(s lang.Span) lang.Hits {
	if !r.hits.Has(s, lang.Change, lang.Delete, lang.New) && len(r.hits.In(s, lang.Yes)) < 2 {
		return nil
	}
	return append(r.hits.Prefixed(s, lang.FieldPrefix), r.hits.In(s, lang.New)...)
}

// introduced tells whether a word is part of a name that the writer gives: "this
// is Ann Lee", "it was me, Ann Lee". Beside an act it may be of something else.
func (r *reader) introduced(i int) bool {
	from, to := i, i+1
	for from > 0 && r.isName(from-1) && r.t.Words[from].Before < lang.Comma {
		from--
	}
	for !r.closes(to) && r.isName(to) {
		to++
	}
	if from == 0 || to-from > maxName || !r.closes(to) || !r.isName(i) {
		return false
	}
	if r.t.Words[from].Before >= lang.Comma {
		return r.covers(from-1, lang.Me) || self(r.t.Words[from-1].Fold)
	}
	at := from - 1
	if at == r.part(from) && r.covers(at, lang.Me) && !r.hits.Has(lang.Span{From: at, To: to}, acts...) {
		return true // "I, Ann Lee, …"
	}
	for at > 0 && small(r.t.Words[at].Fold) && !r.covers(at, lang.It) && r.t.Words[at].Before < lang.Comma {
		at--
	}
	return r.covers(at, lang.It) && !r.hits.Has(lang.Span{From: r.part(from), To: to}, acts...)
}

// self are the words for oneself that end a yes: "it was me".
func self(w string) bool {
	switch w {
	case "me", "i", "я", "мен", "ich", "moi", "yo", "io", "eu", "ik", "ja", "ben":
		return true
	}
	return false
}

// isName tells whether a word has a capital letter and means nothing.
func (r *reader) isName(i int) bool {
	return r.capital(lang.Span{From: i, To: i + 1}) && !slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.From <= i && i < h.To })
}

// restates tells whether a span is the act itself in words that can only be
// about what was asked: "delete it". What names its object is a request.
func (r *reader) restates(s lang.Span) bool {
	if r.hits.Has(s, lang.Account, lang.Data, lang.All) || len(r.hits.Prefixed(s, lang.FieldPrefix)) > 0 {
		return false
	}
	return slices.ContainsFunc(r.hits.In(s, lang.Reason), func(h lang.Hit) bool {
		return r.hits.Has(h.Span, lang.Delete, lang.Deactivate, lang.Change)
	})
}

// agreed gives what a span names of what it agrees to. A word that may mean one
// act or another names none.
func (r *reader) agreed(s lang.Span) inbox.Agreed {
	var out inbox.Agreed
	for i := s.From; i < s.To; i++ {
		at := lang.Span{From: i, To: i + 1}
		kinds := r.kinds(at)
		if len(kinds) == 1 && !slices.Contains(out.Kinds, kinds[0]) {
			out.Kinds = append(out.Kinds, kinds[0])
		}
		for _, h := range r.hits.Prefixed(at, lang.FieldPrefix) {
			if f := inbox.Field(strings.TrimPrefix(string(h.Concept), lang.FieldPrefix)); !slices.Contains(out.Fields, f) {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	return out
}

// kinds gives the acts that the words of a span may mean.
func (r *reader) kinds(at lang.Span) []inbox.Kind {
	var out []inbox.Kind
	if r.hits.Has(at, lang.Delete, lang.Deleting, lang.Deleted, lang.AskDelete) {
		out = append(out, inbox.KindDelete)
	}
	if r.hits.Has(at, lang.Deactivate, lang.AskDeactivate) {
		out = append(out, inbox.KindDeactivate)
	}
	if r.hits.Has(at, lang.Change) {
		out = append(out, inbox.KindChange)
	}
	return out
}

// maxName bounds the words of a name under a letter, and maxTitled those of a
// name with titles and a post.
const (
	maxName   = 3
	maxTitled = 6
)

// signed gives the word where the name of the writer begins at the end of a
// span: behind a closing, or with capital letters on a line of its own. A
// word that means something is no name.
func (r *reader) signed(s lang.Span) int {
	if to := r.numbered(s); to < s.To {
		if at := r.signed(lang.Span{From: s.From, To: to}); at < to {
			return at
		}
	}
	for _, h := range r.hits {
		if h.Concept == lang.Closing && h.From > s.From && h.To < s.To && s.To-h.To <= maxTitled && r.titled(lang.Span{From: h.To, To: s.To}) {
			return h.To
		}
	}
	for i := s.To - 1; i > s.From && s.To-i <= maxName; i-- {
		if slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.From <= i && i < h.To }) {
			break
		}
		closed := slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.Concept == lang.Closing && h.To == i })
		if closed || r.t.Words[i].Before == lang.Sentence && r.capital(lang.Span{From: i, To: s.To}) {
			return i
		}
	}
	return s.To
}

// numbered gives the word where a telephone number begins at the end of a span,
// on a line of its own.
func (r *reader) numbered(s lang.Span) int {
	i := s.To
	for i > s.From && digits(r.t.Words[i-1].Fold) == len(r.t.Words[i-1].Fold) {
		i--
	}
	if i > s.From && i < s.To && r.t.Words[i].Before == lang.Sentence {
		return i
	}
	return s.To
}

// titled tells whether a span behind a closing is a name with titles and a post:
// "Dr. H. Hill\nHead of sales". It begins with a capital letter or an
// abbreviation, has more words with a capital letter than without one, and
// holds nothing that can be asked for or said against a yes.
func (r *reader) titled(s lang.Span) bool {
	capitals := 0
	for i := s.From; i < s.To; i++ {
		one := lang.Span{From: i, To: i + 1}
		short := i+1 < s.To && strings.HasPrefix(r.t.Source[r.t.Words[i].End:], ".")
		switch {
		case r.capital(one):
			capitals++
		case i == s.From && !short:
			return false
		}
		if r.hits.Has(one, lang.Wish, lang.Delete, lang.Deleted, lang.Deactivate, lang.Send, lang.Also, lang.Perhaps, lang.Partial, lang.Doubt, lang.Account, lang.Data, lang.Done) {
			return false
		}
	}
	return 2*capitals > s.To-s.From
}

// capital tells whether every word of a span begins with a capital letter.
func (r *reader) capital(s lang.Span) bool {
	return !slices.ContainsFunc(r.t.Words[s.From:s.To], func(w lang.Word) bool {
		c, _ := utf8.DecodeRuneInString(r.t.Source[w.Start:])
		return !unicode.IsUpper(c)
	})
}

// whole tells whether a span is a no and nothing else.
func (r *reader) whole(s lang.Span) bool {
	n := 0
	for _, h := range r.hits.In(s, lang.No, lang.Filler) {
		n += h.To - h.From
	}
	return n >= s.To-s.From
}

// leads tells whether the yes comes first, politeness left out: "delete it, ok?"
// is a request.
func (r *reader) leads(s lang.Span) bool {
	for i := s.From; i < s.To; {
		at := lang.Span{From: i, To: i + 1}
		if slices.ContainsFunc(r.hits.In(at, lang.Yes), r.affirms) {
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

// follows tells whether a later part of a span begins with a yes: "I wrote that
// myself, so yes". It is one only where all else is harmless, too.
func (r *reader) follows(s lang.Span) bool {
	for i := s.From + 1; i < s.To; i++ {
		if r.t.Words[i].Before >= lang.Comma && r.leads(lang.Span{From: i, To: s.To}) {
			return true
		}
	}
	return false
}

// affirms tells whether a yes says so to what was asked: not with a "not" that
// runs on from within it ("I do not"), and not only to having heard ("yes, I got
// your letter").
func (r *reader) affirms(yes lang.Hit) bool {
	inner := r.hits.In(lang.Span{From: yes.From + 1, To: yes.To}, lang.No, lang.Negation)
	if slices.ContainsFunc(inner, func(h lang.Hit) bool { return h.To > yes.To }) {
		return false
	}
	end := yes.To
	for !r.ends(end) {
		end++
	}
	heard := r.hits.In(lang.Span{From: yes.To, To: end}, lang.Heard)
	return len(heard) == 0 || r.hits.Has(lang.Span{From: heard[0].To, To: end}, append([]lang.Concept{lang.Yes}, acts...)...)
}

// ends tells whether a sentence ends before a word.
func (r *reader) ends(i int) bool { return i >= len(r.t.Words) || r.t.Words[i].Before >= lang.Sentence }

// small are words without a meaning of their own.
func small(w string) bool {
	switch w {
	case "i", "it", "the", "my", "this", "that", "and", "to", "is", "я", "и", "мой", "это", "все", "мен", "деп", "ich", "je", "yo":
		return true
	}
	return false
}

// question tells whether a span, or a sentence in it, ends in a question mark.
func (r *reader) question(s lang.Span) bool {
	return strings.Contains(r.t.EndMark(s), "?") || slices.ContainsFunc(r.t.Sentences, func(x lang.Span) bool {
		return s.From <= x.From && x.To <= s.To && strings.Contains(r.t.EndMark(x), "?")
	})
}

// no reads a text that begins with a no, or says in a phrase of its own that
// the request is not theirs, and nothing takes it back or asks for something
// else. A question behind it is the rest.
func (r *reader) no(s lang.Span) (Reading, bool) {
	i := slices.IndexFunc(r.hits, func(h lang.Hit) bool {
		return h.Concept == lang.No && (h.To-h.From > 1 || r.opens(h.From) || r.closes(h.To))
	})
	if i < 0 {
		return Reading{}, false
	}
	first := r.hits[i]
	if buts := r.hits.In(lang.Span{From: s.From, To: first.From}, lang.But); len(buts) > 0 && r.leads(s) {
		// "ok, but no" is a no; "yes, but leave the phone" is neither.
		nos := r.hits.In(s, lang.No)
		if last := nos[len(nos)-1]; last.To != s.To || r.words(buts[len(buts)-1].To, last.From) > 0 {
			return Reading{}, false
		}
	}
	switch {
	case r.hits.Has(lang.Span{From: s.From, To: first.From}, lang.Yes) && !r.hits.Has(lang.Span{From: first.From, To: s.To}, lang.No),
		!r.reply && (!r.whole(s) || len(r.t.Words) > maxBareNo || r.hits.Has(s, lang.Account)),
		first.From > 8 || len(r.t.Words) > 25 && first.From > 3,
		r.takenBack(lang.Span{From: first.To, To: s.To}),
		r.asksElse(first, s):
		return Reading{}, false
	}
	rest, ok := r.behindNo(first, s)
	return Reading{Answer: inbox.AnswerNo, Rest: rest}, ok
}

// opens tells whether a word begins its part of a sentence, politeness left
// out: "no" says no there, and elsewhere may be of something ("I have no idea").
func (r *reader) opens(i int) bool {
	for ; i > 0 && r.t.Words[i].Before < lang.Comma; i-- {
		if !r.hits.Has(lang.Span{From: i - 1, To: i}, lang.Filler, lang.But, lang.Yes, lang.No, lang.It, lang.And) {
			return false
		}
	}
	return true
}

// closes tells whether a part of a sentence ends before a word.
func (r *reader) closes(i int) bool { return i >= len(r.t.Words) || r.t.Words[i].Before >= lang.Comma }

// words counts the words from one to another that are more than politeness.
func (r *reader) words(from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		if f := r.hits.In(lang.Span{From: i, To: i + 1}, lang.Filler); len(f) > 0 {
			i = f[0].To - 1
		} else {
			n++
		}
	}
	return n
}

// reachNot is how many words a "not" reaches forward.
const reachNot = 4

// takenBack tells whether a yes or a reservation stands in a span.
func (r *reader) takenBack(s lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Yes, lang.But), func(h lang.Hit) bool { return h.Concept == lang.But || !r.negated(h.Span) })
}

// wonders tells whether a word stands in a question.
func (r *reader) wonders(i int) bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool { return s.From <= i && i < s.To && r.question(s) })
}

// asksElse tells whether something is asked for behind a no: a verb that no
// "not" stands before, or something new.
func (r *reader) asksElse(no lang.Hit, s lang.Span) bool {
	behind := lang.Span{From: no.To, To: s.To}
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
	phrase := no.To-no.From > 1
	end := no.To
	for !r.closes(end) {
		end++
	}
	if r.hits.Has(no.Span, lang.Account, lang.Keep) || phrase && r.hits.Has(lang.Span{From: r.part(no.From), To: end}, acts...) {
		return false
	}
	to := no.To
	for to < end && (r.hits.Has(lang.Span{From: to, To: to + 1}, lang.Me, lang.Wish) || small(r.t.Words[to].Fold)) {
		to++
	}
	if to < end && r.hits.Has(lang.Span{From: to, To: to + 1}, lang.Account, lang.Keep) {
		return phrase || r.hits.Has(no.Span, lang.Delete)
	}
	before := r.hits.In(lang.Span{From: r.part(no.From), To: no.From}, lang.Account)
	return phrase && len(before) > 0 && before[len(before)-1].To == no.From
}

// negated tells whether a "not" stands before a verb in its part of the
// sentence, or at once behind it.
func (r *reader) negated(v lang.Span) bool {
	for i := v.From; i > 0 && v.From-i < reachNot && r.t.Words[i].Before < lang.Comma && !r.hits.Has(lang.Span{From: i, To: i + 1}, lang.And); i-- {
		if r.hits.Has(lang.Span{From: i - 1, To: i}, lang.Negation, lang.No) {
			return true
		}
	}
	return r.hits.Has(lang.Span{From: v.From, To: v.To + 1}, lang.Negation, lang.No)
}

// maxDigits bounds the digits of a no: more may be a number or a date to enter.
const maxDigits = 4

func digits(s string) int {
	n := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// behindNo gives the question that a text asks behind its no, and whether the
// no stands apart from it.
func (r *reader) behindNo(no lang.Hit, s lang.Span) (string, bool) {
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

// maxWondering bounds the words of a no that only wonders: "no, what is this?"
const maxWondering = 4
