package classify

import (
	"slices"
	"unicode"

	"push.guru/supportd/inbox/classify/lang"
)

// stopReader reads what calls something off, piece by piece: a piece ends at a
// comma or more. In each, a "not" or a "stop" is followed to what it is about.
type stopReader struct {
	*reader
	all    lang.Hits // what the rule files find, and the words that stop
	first  []int     // for each word, where its hits begin
	pieces []lang.Span
	saying []said // of each piece
	steady bool   // "do not stop", "I am not changing my mind"
}

// shared are the concepts whose words are those of the rule files, too, in a
// language that has words that stop.
var shared = []lang.Concept{lang.No, lang.Delete, lang.Deleting, lang.AskDelete, lang.Deactivate, lang.Account, lang.Filler, lang.Closing}

// newStopReader finds the words that stop beside those that a reader has found.
func newStopReader(r *reader) *stopReader {
	c, s := r.c, &stopReader{reader: r}
	s.all = slices.Clone(s.hits)
	if c.knowsStops(s.guess.Tag) {
		s.all = slices.DeleteFunc(s.all, func(h lang.Hit) bool { return !slices.Contains(shared, h.Concept) })
	}
	own := c.stops.Find(r.asCut(), s.guess)
	s.all = append(s.all, slices.DeleteFunc(own, func(h lang.Hit) bool { return h.To > len(s.t.Words) })...)
	s.all = slices.DeleteFunc(s.all, func(h lang.Hit) bool { return h.To == h.From+1 && s.forms.isWhat(h.From) })
	slices.SortStableFunc(s.all, func(a, b lang.Hit) int { return a.From - b.From })
	s.first = make([]int, 0, len(s.t.Words)+1)
	for i, k := 0, 0; i <= len(s.t.Words); i++ {
		for k < len(s.all) && s.all[k].From < i {
			k++
		}
		s.first = append(s.first, k)
	}
	s.cut()
	return s
}

// cut finds the pieces. Politeness between commas parts nothing: "stop, please,
// the deletion".
func (s *stopReader) cut() {
	for _, x := range s.t.Sentences {
		from := x.From
		for at := x.From; at < x.To; {
			next := s.comma(at, x.To)
			if next == x.To || !s.polite(at, next) && !s.polite(next, s.comma(next, x.To)) {
				s.pieces = append(s.pieces, lang.Span{From: from, To: next})
				from = next
			}
			at = next
		}
	}
}

// polite tells whether nothing but politeness stands from one word to another.
func (s *stopReader) polite(from, to int) bool {
	x := lang.Span{From: from, To: to}
	return s.onlyHas(x, light...) && !s.all.Has(x, lang.Delete, lang.Deleting, lang.Negation, lang.No)
}

// comma gives the next word behind one that has a comma or more before it.
func (s *stopReader) comma(i, end int) int {
	for i++; i < end && s.t.Words[i].Before < lang.Comma; i++ {
	}
	return i
}

// at gives the hits that begin at a word.
func (s *stopReader) at(i int) lang.Hits { return s.all[s.first[i]:s.first[i+1]] }

// end gives the word behind the longest phrase of one of the concepts that
// begins at a word, or 0.
func (s *stopReader) end(i int, concepts ...lang.Concept) int {
	end := 0
	for _, h := range s.at(i) {
		if slices.Contains(concepts, h.Concept) {
			end = max(end, h.To)
		}
	}
	return end
}

// onlyHas tells whether every word of a span belongs to one of the concepts.
func (s *stopReader) onlyHas(x lang.Span, concepts ...lang.Concept) bool {
	for i := x.From; i < x.To; {
		if i = s.end(i, concepts...); i == 0 {
			return false
		}
	}
	return true
}

// read tells the plainest that any piece says.
func (s *stopReader) read() said {
	most := unsaid
	for _, x := range s.pieces {
		says := unsaid
		if !s.isBeside(x.From) {
			says = s.soften(x, s.piece(x))
		}
		s.saying = append(s.saying, says)
		most = max(most, says)
	}
	return most
}

// piece tells what one piece says.
func (s *stopReader) piece(x lang.Span) said {
	most := unsaid
	if s.all.Has(x, lang.Wait) && s.onlyHas(x, lang.Wait, lang.Filler, lang.Wish) { // "hold on"
		most = maybe
	}
	for i := x.From; i < x.To; i++ {
		if s.hasNot(x, i) {
			s.steady = s.steady || s.end(i, lang.Halt, lang.Recant) > 0
			continue
		}
		for _, h := range s.at(i) {
			switch h.Concept {
			case lang.Spare:
				most = max(most, s.object(x))
			case lang.Keep:
				most = max(most, s.keeps(x))
			case lang.Recant:
				most = max(most, s.recants(x, h))
			case lang.Steady:
				s.steady = true
			case lang.Halt, lang.Negation, lang.No:
				most = max(most, s.refuses(x, h))
			}
		}
	}
	return most
}

// soften makes less than plain what is a question, doubted or limited: "can I
// still stop it?", "do not delete it yet".
func (s *stopReader) soften(x lang.Span, says said) said {
	if says > maybe && (s.limited(x) || s.asks(x) && !s.all.Has(x, lang.Wish)) {
		return maybe
	}
	return says
}

// limited tells whether a part, or the beginning of what is behind its comma,
// has a word of doubt, a condition or a time. That it begins with a "but" says
// nothing.
func (s *stopReader) limited(x lang.Span) bool {
	behind := lang.Span{From: x.To, To: x.To}
	if x.To < len(s.t.Words) && s.t.Words[x.To].Before < lang.Sentence {
		behind.To++
	}
	limits := append(s.all.In(x, lang.But, lang.Perhaps, lang.HowTo), s.all.In(lang.Span{From: x.From, To: behind.To}, lang.Wait, lang.Condition, lang.Temporary)...)
	return slices.ContainsFunc(limits, func(h lang.Hit) bool { return h.Concept != lang.But || h.From > x.From })
}

// light are the words that may stand between a "not" and what it is about.
var light = []lang.Concept{lang.Carry, lang.It, lang.Me, lang.Filler, lang.Closing, lang.Wish, lang.All, lang.Common}

// reachStop is how many words back a "not" is looked for.
const reachStop = 8

// hasNot tells whether a "not" is said of the phrase that begins at a word.
func (s *stopReader) hasNot(x lang.Span, i int) bool {
	for from := i - 1; from >= max(x.From, i-reachStop); from-- {
		if end := s.end(from, lang.Negation); end > 0 && end <= i && !s.isNo(from, i) && s.onlyHas(lang.Span{From: end, To: i}, light...) {
			return true
		}
	}
	return false
}

// isNo tells whether a word is a no by itself, behind which something is called
// off at once: "no forget it", "no don't".
func (s *stopReader) isNo(no, next int) bool {
	return no+1 == next && s.isWord(no, lang.WordNo) && !s.isWord(next, lang.WordNo) && s.end(next, lang.Halt, lang.Recant, lang.Negation) > 0
}

// object tells what is not to be deleted: the account, or something else.
func (s *stopReader) object(x lang.Span) said {
	if s.all.Has(x, lang.Account) {
		return spared
	}
	things := append(s.hits.In(x, lang.Other, lang.Data), s.hits.Prefixed(x, lang.FieldPrefix)...)
	if slices.ContainsFunc(things, func(h lang.Hit) bool { return s.end(h.From, lang.Carry, lang.Wish, lang.It) == 0 }) {
		return maybe
	}
	return spared
}

// keeps reads "keep my account", "I want to stay".
func (s *stopReader) keeps(x lang.Span) said {
	switch {
	case s.all.Has(x, lang.Account):
		return spared
	case s.onlyHas(x, append([]lang.Concept{lang.Keep, lang.Recant}, light...)...):
		return maybe
	}
	return unsaid
}

// recants reads "I changed my mind".
func (s *stopReader) recants(x lang.Span, h lang.Hit) said {
	if about, _ := s.follow(x, h.To); about == nothing {
		return bare
	}
	return maybe
}

// refuses reads a "not" or a "stop".
func (s *stopReader) refuses(x lang.Span, h lang.Hit) said {
	about, straight := s.follow(x, h.To)
	switch {
	case about == nothing:
		about = s.lookBack(x, h.From)
	case s.grammar.notLast && h.Concept != lang.Halt:
		return unsaid // else it stands behind what it is about
	}
	told := straight && s.tellsUndone(x, h)
	switch about {
	case deleting, deleted:
		if told || about == deleted && straight && !s.all.Has(lang.Span{From: x.From, To: h.From}, lang.Wish) {
			return unsaid
		}
		return s.object(x)
	case hiding:
		return maybe
	case account:
		if h.Concept == lang.Negation && straight {
			return maybe // "not the account"
		}
	case nothing:
		if !s.onlyHas(x, append([]lang.Concept{lang.Halt, lang.Negation, lang.No, lang.And, lang.But, lang.HowTo, lang.Possible, lang.Report}, light...)...) {
			return unsaid
		}
		if h.Concept == lang.Halt && !s.stopsIt(x, h.To) && s.opens(x) {
			return off
		}
		return bare
	}
	return unsaid
}

// opens tells whether nothing stands before a part in its sentence that it may
// be about: "your mails annoy me, stop".
func (s *stopReader) opens(x lang.Span) bool {
	from := x.From
	for from > 0 && s.t.Words[from].Before < lang.Sentence {
		from--
	}
	return s.speaks(lang.Span{From: from, To: x.From})
}

// stopsIt tells whether a word stands for what is to be stopped: "stop it".
func (s *stopReader) stopsIt(x lang.Span, from int) bool {
	return slices.ContainsFunc(s.all.In(lang.Span{From: from, To: x.To}, lang.It), func(h lang.Hit) bool { return h.To-h.From == 1 })
}

// tellsUndone tells whether a "not" tells or asks what was not done: "you did not
// delete it", "why do you not delete it?"
func (s *stopReader) tellsUndone(x lang.Span, h lang.Hit) bool {
	if h.Concept == lang.Halt {
		return false
	}
	near := lang.Span{From: max(x.From, h.From-1), To: h.To}
	return s.all.Has(near, lang.Report) || s.asks(x) && s.all.Has(lang.Span{From: x.From, To: h.From}, lang.HowTo)
}

// topic is what a "not" or a "stop" is about.
type topic int

const (
	nothing topic = iota // whatever was asked for
	deleting
	deleted
	hiding
	account
	other
)

// follow tells what the words from one on are about. straight: no word of
// asking or wanting stands between.
func (s *stopReader) follow(x lang.Span, from int) (about topic, straight bool) {
	straight = true
	for i := from; i < x.To; {
		switch next := s.end(i, light...); {
		case s.end(i, lang.Halt, lang.Keep, lang.Spare) > 0:
			return other, straight
		case s.end(i, lang.Delete, lang.Deleting, lang.AskDelete) > 0:
			return deleting, straight
		case s.end(i, lang.Deleted) > 0:
			return deleted, straight
		case s.end(i, lang.Deactivate) > 0:
			return hiding, straight
		case s.end(i, lang.And, lang.But) > 0:
			return about, straight
		case s.end(i, lang.Account) > 0:
			about, i = account, s.end(i, lang.Account)
		case s.endsInName(i, x.To):
			return about, straight
		case next == 0:
			return other, straight
		default:
			straight = straight && s.end(i, lang.Wish) == 0
			i = next
		}
	}
	return about, straight
}

// lookBack tells what a "not" at the end of its part is about, from the words
// before it.
func (s *stopReader) lookBack(x lang.Span, to int) (about topic) {
	for i := to - 1; i >= max(x.From, to-reachStop); i-- {
		switch {
		case s.end(i, lang.Delete, lang.Deleting) > 0:
			return deleting
		case s.end(i, lang.Account) == to:
			about = account
		case s.end(i, lang.Account) == 0 && !s.inside(i, light...):
			return about
		}
	}
	return about
}

// inside tells whether a word is part of a phrase of one of the concepts.
func (s *stopReader) inside(i int, concepts ...lang.Concept) bool {
	for from := max(0, i-reachStop); from <= i; from++ {
		if s.end(from, concepts...) > i {
			return true
		}
	}
	return false
}

// endsInName tells whether nothing but a name stands from one word to another.
func (s *stopReader) endsInName(from, to int) bool {
	return to-from <= maxName && to == len(s.t.Words) && !slices.ContainsFunc(s.t.Words[from:to], func(w lang.Word) bool {
		word := []rune(s.t.Source[w.Start:w.End])
		return !unicode.IsUpper(word[0]) || !slices.ContainsFunc(word, unicode.IsLower)
	})
}

// maxName bounds the words of a name under a letter.
const maxName = 3

// spoken are the words of which mails consist that only call something off.
var spoken = append([]lang.Concept{lang.Halt, lang.Negation, lang.No, lang.Recant, lang.Spare, lang.Keep, lang.Wait, lang.Delete, lang.Deleting,
	lang.Deleted, lang.AskDelete, lang.Account, lang.And, lang.Report}, light...)

// speaks tells whether words only call something off, or are a name.
func (s *stopReader) speaks(x lang.Span) bool {
	for i := x.From; i < x.To; {
		next := s.end(i, spoken...)
		if next == 0 {
			return s.endsInName(i, x.To)
		}
		i = next
	}
	return true
}
