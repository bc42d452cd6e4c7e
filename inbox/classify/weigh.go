package classify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// longText is the number of words from which a letter has more in it than its
// request, so that the reading is less than certain unless it is asked for in
// so many words.
const longText = 400

// sure makes uncertain what is not so.
func sure(ok bool) float64 {
	if ok {
		return 1
	}
	return unsureOf
}

// weighMessage lowers every find by what the rest of the message says.
func (r *reader) weighMessage() {
	factor := r.weighText()
	asksHow, comesBack, silent := r.asksHow(), r.forms.comesBack(), r.filler(r.bodyWords())
	third, disowned := r.hits.Has(r.all(), lang.Third), r.disowns()
	for i := range r.finds {
		f := &r.finds[i]
		f.Confidence *= factor
		if f.Confidence >= enough && f.Kind != inbox.KindQuestion && (r.strange(*f) || r.retracts(*f) || r.putOff(*f)) {
			f.Confidence *= unsureOf
		}
		if r.respelt(f.words) || f.Kind == inbox.KindChange && r.respelt(r.t.Sentences[f.sentence]) {
			f.Confidence *= respelt
		}
		if third && !r.inPassing(*f) {
			f.Confidence *= 0.85
		}
		told := f.Kind == inbox.KindCopy || f.Kind == inbox.KindDescribe
		f.Confidence *= sure(told || !r.grammar.perFind || !r.wavers(*f))
		f.Confidence *= sure(f.Kind == inbox.KindQuestion || !r.retold(*f))
		f.Confidence *= sure(!comesBack && !disowned || !deletesAccount(f.Request))
		f.Confidence *= sure(!asksHow || f.Kind == inbox.KindDescribe)         // "where do you have it from" asks for the same
		f.Confidence *= sure(!r.blank || told || f.Kind == inbox.KindWithdraw) // whoever sent it off may not have read it
		if f.sentence < r.subject && f.Kind != inbox.KindQuestion && !silent {
			f.Confidence *= 0.75 // the text speaks of something else
		}
	}
}

// retold tells whether the sentence behind a find says little more than that
// somebody else said so, or the one before leads to it: "He wrote this: …".
func (r *reader) retold(f find) bool {
	if i := f.sentence + 1; i < len(r.t.Sentences) {
		if s := r.t.Sentences[i]; s.To-s.From <= longDoubt && r.retells(s, s) {
			return true
		}
	}
	if f.sentence == 0 {
		return false
	}
	before := r.t.Sentences[f.sentence-1]
	return strings.Contains(r.t.EndMark(before), ":") && r.retells(before, before)
}

// disowns tells whether a sentence that names no field says that something is not
// its writer's: "this account is not mine".
func (r *reader) disowns() bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool {
		fields, _ := r.fields(s)
		return len(fields) == 0 && r.hits.Has(s, lang.NotMine)
	})
}

// weighText tells what any find in the text is worth.
func (r *reader) weighText() float64 {
	factor := sure(!r.hidden && !r.unfilled()) * sure(!r.doubts()) * r.grammar.trust
	if len(r.t.Words)-countWords(r.beside) > longText {
		factor *= 0.9
	}
	return factor
}

// strange tells whether a word that nobody knows stands where it may say of a find
// whose it is, when, or that somebody else asks. Numbers say none of it, nor names
// that no preposition stands before, nor the words of legal letters.
func (r *reader) strange(f find) bool {
	s := r.t.Sentences[f.sentence]
	switch {
	case len(r.beside) > 0:
		return false
	case f.Kind == inbox.KindChange || f.Scope == inbox.ScopeFields:
		return r.qualified(s)
	case f.Kind == inbox.KindCopy:
		behind := lang.Span{From: f.words.To, To: r.nearby(s, f.words.To)}
		return r.strangeIn(behind) && !r.hasWord(behind, lang.WordCarrier)
	case f.Kind != inbox.KindDelete && f.Kind != inbox.KindDeactivate:
		return false
	}
	return slices.ContainsFunc(r.commas(s), func(p lang.Span) bool { return overlap(p, f.words) && r.strangeIn(p) })
}

// strangeIn tells whether a part of a sentence has such a word, up to where it
// says why or for how long, and outside of what was read as a value.
func (r *reader) strangeIn(p lang.Span) bool {
	for i := p.From; i < p.To && !r.hits.Has(word(i), lang.Temporary, lang.Because); i++ {
		named := r.capital(i) && (i == p.From || !r.hits.Has(word(i-1), lang.Bends, lang.Third))
		if r.isStrange(i) && !named {
			return true
		}
	}
	return false
}

// isStrange tells whether a word is one that nobody knows, no number and nothing
// that was read.
func (r *reader) isStrange(i int) bool {
	return !r.knows(i) && !isNumber(r.t.Words[i].Fold) && !r.isRead(word(i))
}

// isNumber tells whether a word begins with a digit.
func isNumber(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return unicode.IsDigit(first)
}

// qualified tells whether a word that nobody knows follows a field at once, so
// that it may be one of something else.
func (r *reader) qualified(s lang.Span) bool {
	return slices.ContainsFunc(r.hits.Prefixed(s, lang.FieldPrefix), func(h lang.Hit) bool {
		for i := h.To; i < r.nearby(s, h.To); i++ {
			if r.isStrange(i) && !r.capital(i) && !r.isTypedAt(i) {
				return true
			}
		}
		return false
	})
}

// reachOwner is how many words behind a field may say whose it is: "the name of
// my dog", "the town in my review".
const reachOwner = 3

// nearby gives the word behind those that may say of what something is.
func (r *reader) nearby(s lang.Span, from int) int {
	end := from
	for end < min(s.To, from+reachOwner) && r.t.Words[end].Before < lang.Comma && !r.hits.Has(word(end), lang.Set, lang.Change, lang.Delete, lang.Wish, lang.Because) {
		end++
	}
	return end
}

// retracts tells whether a text takes back, behind a find, what it asks for:
// "Delete my account. No, forget it."
func (r *reader) retracts(f find) bool {
	if f.Kind == inbox.KindWithdraw {
		return false // which says what is to stop
	}
	s, end := r.stops(), max(f.at+1, f.words.To)
	for i, x := range s.pieces {
		if x.From >= end && r.moot(f, x) {
			return true
		}
		if r.hits.Has(x, lang.Unused) && deletesAccount(f.Request) && (i == 0 || s.saying[i-1] < bare) {
			continue // "no longer needed" is why the account goes
		}
		short := r.isShort(x) || s.saying[i] >= off || x.To-x.From <= 2*shortNo && r.hits.Has(x, lang.Negation) && !r.hits.Has(x, lang.Me)
		if spares := s.saying[i] == spared; spares && deletesAccount(f.Request) || !spares && s.saying[i] >= bare && short && x.From >= end {
			return true
		}
	}
	return false
}

// moot tells whether a piece says of a change or of a deletion of fields, and of
// nothing that is named, that it is needed no more: "No longer needed." In the
// same sentence it may be why a field is to be deleted.
func (r *reader) moot(f find, x lang.Span) bool {
	fields, _ := r.fields(x)
	alone := f.Kind == inbox.KindChange || r.t.Sentences[f.sentence].To <= x.From
	return alone && !deletesAccount(f.Request) && x.To-x.From <= bareWords && len(fields) == 0 && !r.hits.Has(x, lang.Me) && r.hits.Has(x, lang.Moot)
}

// isShort tells whether a piece is a no and little more: "forget it", "oh no forget
// about it".
func (r *reader) isShort(x lang.Span) bool {
	no := x.From
	for no < x.To && r.isWord(no, lang.WordNo) {
		no++
	}
	if no > x.From {
		return x.To-no <= shortNo+1
	}
	return x.To-x.From <= shortNo
}

// putOff tells whether a find is asked for later: "from Monday on", "on 1 May".
// Of what is hidden for a while, that says until when.
func (r *reader) putOff(f find) bool {
	s := r.t.Sentences[f.sentence]
	if f.Kind == inbox.KindCopy || f.Kind == inbox.KindDescribe || f.Kind == inbox.KindWithdraw || r.hits.Has(s, lang.Temporary) {
		return false
	}
	dated := deletesAccount(f.Request) && len(r.hits.Prefixed(s, lang.MonthPrefix)) > 0
	return dated || r.hits.Has(s, lang.Later) || r.waits(f, s)
}

// waits tells whether an "afterwards" makes a find wait for something else than
// the copy that is asked for before it, which it waits for in any case.
func (r *reader) waits(f find, s lang.Span) bool {
	if slices.ContainsFunc(r.finds, func(c find) bool { return c.Kind == inbox.KindCopy && c.at < f.at }) {
		return false
	}
	at := f.words
	if f.Kind == inbox.KindChange {
		at = s
	}
	before := false
	for _, p := range r.parts(s) {
		about := overlap(p, at)
		alone := before && r.countCovered(p, lang.Then) >= p.To-p.From // "delete it, afterwards"
		if (about || alone) && r.hits.Has(p, lang.Then) {
			return true
		}
		before = about
	}
	return false
}

// stops reads what in the text calls something off, once.
func (r *reader) stops() *stopReader {
	if r.calledOff == nil {
		r.calledOff = newStopReader(r)
		r.calledOff.read()
	}
	return r.calledOff
}

// shortNo is how many words a "no" has at most that takes something back: "forget
// it". Longer ones may give a reason: "I'm not using it any more".
const shortNo = 2

// respelt tells whether a word of a span had to be respelt.
func (r *reader) respelt(at lang.Span) bool {
	return slices.ContainsFunc(r.t.Words[at.From:at.To], func(w lang.Word) bool { return w.Respelt })
}

// doubts tells whether the text doubts itself, apart from the words by which
// consent is withdrawn: "I don't want you to use my data".
func (r *reader) doubts() bool {
	concepts := []lang.Concept{lang.Doubt, lang.Perhaps}
	if r.grammar.perFind {
		concepts = concepts[:1]
	}
	return slices.ContainsFunc(r.hits.In(r.all(), concepts...), func(d lang.Hit) bool {
		return !slices.ContainsFunc(r.finds, func(f find) bool { return f.Kind == inbox.KindWithdraw && f.words.From <= d.From && d.To <= f.words.To })
	})
}

// wavers tells whether a "perhaps" stands in the part of a sentence in which a
// find stands, or says nothing else: "I think.", "delete it, or maybe not".
func (r *reader) wavers(f find) bool {
	for i, s := range r.t.Sentences {
		for _, p := range r.commas(s) {
			about := i == f.sentence && f.at >= p.From && f.at < p.To
			short := p.To-p.From <= shortDoubt || s.To-s.From <= longDoubt && i != f.sentence
			if (about || short) && slices.ContainsFunc(r.hits.In(p, lang.Perhaps), func(h lang.Hit) bool { return !r.isWord(h.From, lang.WordBoth) }) {
				return true
			}
		}
	}
	return false
}

// How many words a sentence and a part of one may have that do nothing but
// waver.
const (
	longDoubt  = 7
	shortDoubt = 3
)

// inPassing tells whether other people are only spoken of beside a find that is
// about the writer's own.
func (r *reader) inPassing(f find) bool {
	if r.grammar.perFind {
		return r.aside(f)
	}
	return r.mine(f)
}

// mine tells whether a find names its writer as the one whose account it is, and
// nobody else asks for it: "My grandson set it up for me. Close my account."
func (r *reader) mine(f find) bool {
	at := f.words
	if f.Kind == inbox.KindChange {
		at = r.t.Sentences[f.sentence]
	}
	if !r.seemsOwn(at) || r.hits.Has(r.t.Sentences[f.sentence], lang.Third) {
		return false
	}
	return !slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool {
		return slices.ContainsFunc(r.hits.In(s, lang.Third), func(o lang.Hit) bool { // "I write for my mother"; "My mother wants to leave"
			return r.hits.Has(s, lang.Wish) || r.hasWord(lang.Span{From: max(s.From, o.From-1), To: o.From + 1}, lang.WordFor)
		})
	})
}

// aside tells whether other people are only spoken of in passing: in sentences
// that name nothing that could be theirs, while the find is about the writer's
// own. "My wife is ill. Please hide my profile."
func (r *reader) aside(f find) bool {
	if f.Scope != inbox.ScopeFields && !r.own(r.t.Sentences[f.sentence]) {
		return false
	}
	for i, s := range r.t.Sentences {
		if r.hits.Has(s, lang.Third) && (i == f.sentence || r.hits.Has(s, lang.Wish) || r.doesSomething(s) || r.namesTheirs(s)) {
			return false
		}
	}
	return true
}

// doesSomething tells whether a sentence has a verb of a request, apart from those
// that tell what was done.
func (r *reader) doesSomething(s lang.Span) bool {
	verbs := r.hits.In(s, lang.Delete, lang.Deleting, lang.Deleted, lang.Deactivate, lang.Deactivated, lang.Change, lang.Send)
	return slices.ContainsFunc(verbs, func(v lang.Hit) bool { return !r.told(s, v.Span) })
}

// namesTheirs tells whether a sentence names something that is not said to be the
// writer's.
func (r *reader) namesTheirs(s lang.Span) bool {
	things := append(r.hits.In(s, lang.Account, lang.Data), r.hits.Prefixed(s, lang.FieldPrefix)...)
	return slices.ContainsFunc(things, func(h lang.Hit) bool { return !r.own(lang.Span{From: max(s.From, h.From-1), To: h.To}) })
}

// asksHow tells whether a sentence asks how to do what another one names:
// "I want to delete my account. How do I do this?"
func (r *reader) asksHow() bool {
	for i, s := range r.t.Sentences {
		if !r.handled[i] && r.hits.Has(s, lang.HowTo) && (s.To-s.From <= 3 || r.hits.Has(s, lang.It)) && r.asks(s) {
			return true
		}
	}
	return false
}

// minBlank is how many of the same letter stand for something to be filled in.
const minBlank = 3

// unfilled tells whether a template has places that nobody filled in: braces,
// XXX, YOUR_NAME.
func (r *reader) unfilled() bool {
	if strings.Contains(r.t.Source, "{{") {
		return true
	}
	for i, w := range r.t.Words {
		text := r.t.Source[w.Start:w.End]
		if strings.Trim(text, "XХ") == "" && utf8.RuneCountInString(text) >= minBlank {
			return true
		}
		if i+1 < len(r.t.Words) && r.gap(i+1) == "_" && text == strings.ToUpper(text) && r.isOfAny(w.Fold, lang.WordTemplate) {
			return true
		}
	}
	return false
}
