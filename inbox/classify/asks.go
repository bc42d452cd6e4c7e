package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// phrase is a section whose entries ask for something by themselves.
type phrase struct {
	lang.Concept
	request inbox.Request
	// weigh gives what one that was found is worth in its sentence.
	weigh func(r *reader, s, at lang.Span) float64
}

var phrases = []phrase{
	{lang.AskDelete, inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount}, (*reader).weighAskDelete},
	{lang.AskDeactivate, inbox.Request{Kind: inbox.KindDeactivate}, (*reader).weighAskDeactivate},
	{lang.AskWithdraw, inbox.Request{Kind: inbox.KindWithdraw}, (*reader).weighAskWithdraw},
	{lang.AskCopy, inbox.Request{Kind: inbox.KindCopy}, (*reader).weighAskCopy},
	{lang.AskChange, inbox.Request{Kind: inbox.KindChange}, (*reader).weighAskChange},
	{lang.AskDescribe, inbox.Request{Kind: inbox.KindDescribe}, (*reader).weighAskDescribe},
	{lang.AskStatus, inbox.Request{Kind: inbox.KindQuestion, Topic: inbox.TopicStatus}, (*reader).weighAskStatus},
	{lang.AskReactivate, inbox.Request{Kind: inbox.KindQuestion, Topic: inbox.TopicReactivate}, (*reader).weighAskReactivate},
}

// readSentence finds every request of one sentence but the changes.
func (r *reader) readSentence(i int) {
	r.readDelete(i)
	r.readDeactivate(i)
	for _, p := range phrases {
		r.readPhrases(i, p)
	}
}

// readPhrases adds a find for every phrase that asks by itself.
func (r *reader) readPhrases(i int, p phrase) {
	s := r.t.Sentences[i]
	for _, h := range r.hits.In(s, p.Concept) {
		f := find{Request: p.request, at: h.From, sentence: i, words: h.Span}
		f.Confidence = full * p.weigh(r, s, h.Span)
		f.Because = r.because(h.Span)
		r.add(f)
	}
}

// because quotes the words from the first to the last that decided.
func (r *reader) because(spans ...lang.Span) []string {
	return []string{clip(r.t.Slice(union(spans...)))}
}

// weighAskDelete weighs "close my account for good".
func (r *reader) weighAskDelete(s, at lang.Span) float64 {
	if len(r.hits.Prefixed(at, lang.FieldPrefix)) > 0 && r.hits.Has(at, lang.Place) {
		return 0 // "get rid of | my number from | my profile"
	}
	if _, fields := r.fields(at); slices.ContainsFunc(fields, func(f lang.Hit) bool { return r.besideAccount(at, f) }) {
		return 0 // "get rid of | my number because my account is public"
	}
	return r.weighAct(s, at, lang.AskDelete) * r.followed(s, at) * r.outOf(s, at) * sure(!r.forAWhile(s))
}

// besideAccount tells whether a phrase names a field, and behind it an account of
// which something else is said.
func (r *reader) besideAccount(at lang.Span, field lang.Hit) bool {
	accounts := r.accounts(lang.Span{From: field.To, To: at.To})
	return len(accounts) > 0 && accounts[0].From > field.To && !r.listedWith(r.sentenceOf(at.From), field.Span, accounts[0].Span)
}

// weighAskDeactivate weighs "put my account on ice", which may also be said of how
// an account is.
func (r *reader) weighAskDeactivate(s, at lang.Span) float64 {
	if r.hasWord(at, lang.WordWas) || r.isState(s, at) || len(r.hits.Prefixed(at, lang.FieldPrefix)) > 0 {
		return 0 // "my number on my profile is not to be seen"
	}
	worth := r.weighAct(s, at, lang.AskDeactivate) * r.outOf(s, at)
	if at.To < s.To && r.isWord(at.To, lang.WordAmong) {
		worth *= sure(r.hits.Has(word(at.To), lang.Place, lang.Filler)) // hidden in the crowd
	}
	return worth
}

// weighAskWithdraw weighs "I withdraw my consent".
func (r *reader) weighAskWithdraw(s, at lang.Span) float64 {
	return r.weighAct(s, at, lang.AskWithdraw)
}

// weighAct weighs a phrase that asks for something to be done to what it is said
// of.
func (r *reader) weighAct(s, at lang.Span, c lang.Concept) float64 {
	if r.isSaid(s, at, lang.WordBecame) || r.undone(s, at) {
		return 0
	}
	wished := r.hits.Has(lang.Span{From: s.From, To: at.From}, lang.Wish)
	return r.moodOfAct(s, at) * r.about(s, at, c) * sure(wished || !r.othersDo(s, at)) * sure(!r.isSaid(s, at, lang.WordIs))
}

// isSaid tells whether a phrase only names what a word behind it says something
// of: "the withdrawal of my consent | was a mistake".
func (r *reader) isSaid(s, at lang.Span, list lang.Concept) bool {
	noun := r.isWord(at.From, lang.WordUndone)
	for i := at.To; i < min(s.To, at.To+reachUndo) && r.t.Words[i].Before < lang.Comma; i++ {
		if r.isWord(i, list) {
			return !r.closes(s, word(i)) // else it is a verb that comes last
		}
		if !noun && !r.covered(i, lang.Place) { // "the closure | of my account | is"
			break
		}
	}
	return false
}

// undone tells whether an act that a phrase names is taken back: "I take back the
// | withdrawal of my consent".
func (r *reader) undone(s, at lang.Span) bool {
	for i := at.From; i < at.To; i++ {
		if r.isWord(i, lang.WordUndone) {
			p := r.piece(s, word(i))
			before := lang.Span{From: max(p.From, i-reachUndo), To: i}
			return r.hasWord(before, lang.WordUndo) || p.To-1 > i && r.isWord(p.To-1, lang.WordUndo) // "nehme den Widerruf zurück"
		}
	}
	return false
}

// reachUndo is how many words from an act as a noun stands what takes it back or
// says something of it.
const reachUndo = 3

// moodOfAct is mood for a phrase whose verb, in some languages, stands behind what
// it rules, and which an explanation is asked of: "келісімімді қалай қайтарып
// аламын".
func (r *reader) moodOfAct(s, at lang.Span) float64 {
	if r.grammar.verbLast && r.hits.Has(lang.Span{From: at.From + 1, To: at.To}, lang.HowTo) {
		return 0
	}
	return r.mood(s, at)
}

// weighAskCopy weighs "send me my data", where no other verb has the data.
func (r *reader) weighAskCopy(s, at lang.Span) float64 {
	behind := lang.Span{From: at.To, To: min(at.To+reachNot, s.To)}
	switch {
	case r.runsOver(at), r.hits.Has(at, lang.Change):
		return 0
	case at.To-at.From > minObject && r.hits.Has(lang.Span{From: s.From, To: at.From}, lang.AskWithdraw):
		return 0
	case r.onTopic(s, at), !r.grammar.verbLast && r.goesOn(s, at):
		return 0
	case slices.ContainsFunc(r.hits.In(s, lang.AskDescribe), func(d lang.Hit) bool { return d.From < at.From && d.To >= at.To }):
		return 0 // "who has access to my data"
	case r.hits.Has(behind, lang.Deleted) && !r.hits.Has(at, lang.Send):
		return 0 // "I want all the data you have erased"
	}
	deleted := !r.grammar.verbLast && !r.hits.Has(at, lang.Send) && r.deletes(s, at.From) // "delete all copies of my data"
	return r.moodOfAct(s, at) * r.forms.object(s, at) * sure(r.grammar.verbLast || !r.withOther(at)) * sure(!deleted)
}

// weighAskChange is never sure: of what, the values say.
func (r *reader) weighAskChange(s, at lang.Span) float64 { return r.moodOfAct(s, at) * unsureOf }

// weighAskDescribe weighs "what do you know about me".
func (r *reader) weighAskDescribe(s, at lang.Span) float64 {
	acts := lang.Span{From: at.From, To: min(s.To, at.To+2)}
	switch {
	case r.runsOver(at), r.underCopy(s, at), r.deletes(s, at.From), r.endsAt(s, at.From, lang.AskWithdraw):
		return 0
	case r.onTopic(s, at), r.goesOn(s, at): // "whom did you give my | order"
		return 0
	case r.grammar.verbLast && r.hits.Has(word(at.To), lang.Other):
		return 0 // "мен туралы қандай пікірлер"
	case r.hits.Has(acts, lang.Delete, lang.Deleted, lang.Deactivate, lang.Deactivated):
		return 0 // who deleted my data?
	}
	// To be sent what is held is a copy, or nearly so.
	return r.moodOfQuestion(s, at) * sure(!r.hits.Has(lang.Span{From: s.From, To: at.From}, lang.Send)) * sure(r.wondered(s, at))
}

// wondered tells whether what a question is about is asked, and not known or
// agreed to: "I know | how my data is used".
func (r *reader) wondered(s, at lang.Span) bool {
	before := lang.Span{From: max(s.From, at.From-reachAware), To: at.From + 1}
	return !r.hasWord(before, lang.WordAware) || r.asks(s) || r.hits.Has(s, lang.Wish)
}

// reachAware is how many words before what a question is about may say that it is
// known.
const reachAware = 5

// weighAskStatus weighs "what became of my request".
func (r *reader) weighAskStatus(s, at lang.Span) float64 {
	if at.From > s.From && r.hits.Has(word(at.From-1), lang.Because) {
		return 0 // "my account is asleep because I asked you to"
	}
	return r.moodOfQuestion(s, at)
}

// weighAskReactivate weighs "open my account again", which may also be a plan.
func (r *reader) weighAskReactivate(s, at lang.Span) float64 {
	if r.hits.Has(at, lang.Other, lang.Act) || r.forms.will(at) || r.later(s, at) {
		return 0 // "give me back my money to my account"
	}
	return r.moodOfQuestion(s, at)
}

// moodOfQuestion is mood for what is asked by a question: "what", "how long"
// and the question mark speak for it.
func (r *reader) moodOfQuestion(s, at lang.Span) float64 {
	if r.quoted(at) || r.denied(s, at, lang.Negation, lang.No, lang.Keep) || !r.grammar.perFind && r.denied(s, at, lang.Problem) {
		return 0 // "I want to know" is no problem
	}
	if r.outside(s, at, lang.Third) {
		return unsureOf
	}
	return sure(!slices.ContainsFunc(r.hits.In(s, lang.Condition), func(h lang.Hit) bool {
		return (h.From < at.From || h.To > at.To) && !r.isWord(h.From, lang.WordWhether) && !r.isWord(h.From, lang.WordOr)
	}))
}

// about weighs what a phrase is said of: "remove me from this mailing list" is
// about the list.
func (r *reader) about(s, at lang.Span, c lang.Concept) float64 {
	for _, o := range r.hits.In(s, lang.Other) {
		near := o.From >= at.To && o.From-at.To <= reachOther && !r.broken(at.To, o.From+1)
		switch {
		case r.besides(at, o, c):
		case o.From >= at.From && o.From < at.To: // "I don't want my PIN for my account any more"
			return 0
		case c != lang.AskWithdraw && near:
			return 0
		default:
			return unsureOf
		}
	}
	return 1
}

const (
	minObject  = 3 // how many words a phrase has at most that names no object
	reachOther = 3 // how many words may stand between a phrase and what it is said of
)

// besides tells whether something that is not ours to act on is none of what a
// phrase is said of: a reason, or what the person's data is used for.
func (r *reader) besides(at lang.Span, o lang.Hit, c lang.Concept) bool {
	behind := o.From >= at.To
	switch {
	case behind && r.reason(at.To, o.From):
		return true
	case behind && c == lang.AskWithdraw: // "my data for advertising"
		return at.To-at.From > minObject || r.hits.Has(lang.Span{From: at.From, To: o.From}, lang.Data) || r.otherVerb(at, o)
	case behind:
		return r.otherVerb(at, o)
	}
	return c == lang.AskDeactivate && o.To == at.To && o.From > at.From || // "my profile | from the search"
		c == lang.AskWithdraw && o.From == at.From // "отзыв согласия", where it is no review
}

// otherVerb tells whether something stands behind the verb of a phrase, and so
// belongs to another one.
func (r *reader) otherVerb(at lang.Span, o lang.Hit) bool {
	return r.grammar.verbLast && r.broken(at.To, o.From+1)
}

// onTopic tells whether a phrase goes on to say about what, and that is not the
// writer: "the information you have about the course".
func (r *reader) onTopic(s, at lang.Span) bool {
	i := at.To
	return i+1 < s.To && r.t.Words[i].Before < lang.Comma && r.isWord(i, lang.WordAbout) && !r.isWord(i+1, lang.WordMe)
}

// isState tells whether words say how an account is, not how somebody wants it:
// "mi perfil está en pausa".
func (r *reader) isState(s, at lang.Span) bool {
	return !r.hits.Has(s, lang.Wish) && r.hasWord(at, lang.WordIs)
}

// withOther tells whether something that is not the person's data stands in a
// phrase or at once behind it, and does not begin it: "the invoice with my data",
// but "a file with my data".
func (r *reader) withOther(at lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(lang.Span{From: at.From + 1, To: at.To + 2}, lang.Other), func(o lang.Hit) bool { return !r.broken(at.To, o.From+1) })
}

// goesOn tells whether one of the things that are not ours to act on follows
// at once, or behind one word that does not begin another thing.
func (r *reader) goesOn(s, at lang.Span) bool {
	for i := at.To; i < min(at.To+2, s.To) && !r.parted(i); i++ {
		if r.hits.Has(word(i), lang.Other) {
			return true
		}
	}
	return false
}

// runsOver tells whether a phrase that was found with gaps runs over a verb of
// another kind: "send … delete … my data".
func (r *reader) runsOver(at lang.Span) bool {
	return r.hits.Has(at, lang.Delete, lang.Deleting, lang.Deactivate, lang.AskWithdraw, lang.AskDelete)
}

// deletes tells whether the words before one ask to delete what it begins:
// "destroy what you know about me".
func (r *reader) deletes(s lang.Span, i int) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Delete), func(v lang.Hit) bool { return v.To <= i && i-v.To <= reachNot && r.mood(s, v.Span) > 0 })
}

// underCopy tells whether a phrase that asks for a copy, and asks, overlaps a
// span, and does not only begin in it: "who has | access to my data".
func (r *reader) underCopy(s, at lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.AskCopy), func(h lang.Hit) bool {
		return h.From <= at.From && at.From < h.To && r.mood(s, h.Span) > 0
	})
}

// later tells whether something is to be asked for at another time: "I'll write
// when I want it visible again".
func (r *reader) later(s, at lang.Span) bool {
	if r.grammar.verbLast {
		return false
	}
	before := lang.Span{From: max(s.From, at.From-reachHow), To: at.From}
	return slices.ContainsFunc(r.hits.In(before, lang.Temporary, lang.Condition, lang.Wait), func(h lang.Hit) bool {
		return h.To <= at.From && !r.broken(h.To, at.From+1) && !r.hits.Has(lang.Span{From: h.To, To: at.From}, lang.Wish)
	})
}
