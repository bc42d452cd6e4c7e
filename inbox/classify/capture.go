package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// capture takes the value that stands at the slot of a phrase.
func (r *reader) capture(c *candidate, s lang.Span, h lang.Hit) bool {
	at := r.behind(s, h, c.Field)
	if h.Left {
		at = r.before(s, h, c.Field)
	}
	if h.Left && c.Field == inbox.FieldOccupation && at.To-at.From > maxTrade {
		at.From, c.worth = at.To-maxTrade, c.worth*unsureOf
	}
	if c.Field == inbox.FieldOccupation && !h.Left {
		at = r.atWork(c, at)
	}
	if at.From >= at.To {
		return h.To == s.To && r.below(c, h)
	}
	if r.inAddress(at.From) || r.was(s, at) || !r.t.Words[at.From].Quoted && c.Field != inbox.FieldAbout && r.hits.Has(at, lang.Delete, lang.Deleted) {
		return false
	}
	if c.Field == inbox.FieldAbout {
		at = r.announcedBy(at)
	}
	text, end, quoted := r.quotation(at.From)
	if quoted {
		at.To = max(at.From+1, end)
	}
	c.at, c.value = union(at, h.Span), at
	if !quoted {
		text = r.standing(c, h, at)
	}
	return r.setText(c, text, at)
}

// announcedBy leaves out the words that lead to a text with a colon: "one more
// sentence below the last one: I answer slowly".
func (r *reader) announcedBy(at lang.Span) lang.Span {
	for i := at.From + 1; i < at.To; i++ {
		if strings.Contains(r.gap(i), ":") {
			return lang.Span{From: i, To: at.To}
		}
	}
	return at
}

// atWork leaves out of an occupation the word behind it that begins to say where
// somebody works. What goes on so may say no more than that.
func (r *reader) atWork(c *candidate, at lang.Span) lang.Span {
	for i := at.From + 1; i < at.To && !r.t.Words[at.From].Quoted; i++ {
		if !r.isWord(i, lang.WordJoint) || r.capital(i) {
			continue
		}
		c.worth *= sure(i+1 < at.To && r.capital(i+1))
		if i+1 == at.To {
			at.To = i
		}
	}
	return at
}

// maxTrade bounds the words of an occupation before a phrase.
const maxTrade = 2

// standing gives a value as it stands by itself: without the endings that the
// sentence has put on it. Where those cannot be told, it is not certain.
func (r *reader) standing(c *candidate, h lang.Hit, at lang.Span) string {
	text := value.Trim(r.t.Slice(at))
	bent := func(i int) bool {
		return r.bends(h) && r.c.rules.Bent(r.guess.Tag, string(c.Field), r.t.Words[i].Fold)
	}
	switch c.Field {
	case inbox.FieldLocation:
		return r.unbent(c, h, text)
	case inbox.FieldFullName, inbox.FieldGivenName, inbox.FieldFamilyName:
		switch {
		case h.From == h.To && r.grammar.verbLast:
			return r.unbentName(c, text, at.To)
		case r.bends(h):
			return r.unbentWords(c, text)
		}
	case inbox.FieldNationality:
		c.worth *= sure(!bent(at.To - 1))
	case inbox.FieldOccupation:
		c.worth *= sure(!bent(at.From))
	case inbox.FieldAbout:
		c.worth *= sure(!r.runsOn(c.sentence))
	}
	return text
}

// was tells whether a phrase behind the words says that they are the old value.
func (r *reader) was(s, at lang.Span) bool {
	behind := lang.Span{From: at.To, To: min(at.To+1, s.To)}
	return r.marked(s, at, lang.Old) && slices.ContainsFunc(r.hits.In(behind, lang.Old), func(h lang.Hit) bool { return h.Left })
}

// inAddress tells whether a word lies in an e-mail address.
func (r *reader) inAddress(i int) bool {
	return slices.ContainsFunc(r.values, func(x typed) bool { return x.field == inbox.FieldEmail && x.span.From <= i && i < x.span.To })
}

// unbent gives the name of a place without the ending that the words before or
// behind it have put on it. A place that no rule file knows is not certain,
// because what would be stored may be a name that nobody uses.
func (r *reader) unbent(c *candidate, h lang.Hit, text string) string {
	if r.guess.Typed {
		// Cut endings are those of the other script.
		c.worth *= sure(r.c.rules.IsCity(text) || h.From < h.To && !r.bends(h))
		return text
	}
	p := r.c.rules.Unbend(r.guess.Tag, text)
	if first, last, ok := strings.Cut(text, " "); ok && !p.Known && (h.Left || h.From == h.To) {
		// "Алматыдан Астанаға көштім": the place that it is about stands last.
		from, to := r.c.rules.Unbend(r.guess.Tag, first), r.c.rules.Unbend(r.guess.Tag, last)
		if to.Known && from.Name != first {
			p = to
		}
	}
	switch {
	case p.Known:
		return p.Name
	case h.Left && h.Concept != lang.Set:
		c.worth *= unsureOf
	case p.Bent && (h.From == h.To || r.bends(h)):
		c.worth *= unsureOf
	default:
		return text
	}
	return p.Name
}

// unbentName gives a person's name without the ending that a verb behind it
// has put on it. A name that may end so by itself is not certain, nor one whose
// verb does not follow at once.
func (r *reader) unbentName(c *candidate, text string, next int) string {
	w := word(next)
	if r.hits.Has(w, lang.Stop) {
		return text // "as Айгүлге", with the word that says so
	}
	name, known := r.c.rules.UnbendName(r.guess.Tag, text)
	c.worth *= sure(known && (name == text || r.hits.Has(w, lang.Change)))
	return name
}

// unbentWords gives a person's name without the endings that the phrase before
// it has put on its words: "на Петрову" is Петрова.
func (r *reader) unbentWords(c *candidate, text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		name, known := r.c.rules.UnbendName(r.guess.Tag, w)
		words[i], c.worth = name, c.worth*sure(known)
	}
	return strings.Join(words, " ")
}

// bends tells whether a phrase puts an ending on the value behind it.
func (r *reader) bends(h lang.Hit) bool { return r.hits.Has(h.Span, lang.Bends) }

// quotation gives the whole quotation that begins at a word.
func (r *reader) quotation(i int) (string, int, bool) {
	if !r.t.Words[i].Quoted {
		return "", 0, false
	}
	start := r.t.Words[i].Start
	k, found := slices.BinarySearchFunc(r.quotes, start, func(q [2]int, at int) int {
		switch {
		case q[1] <= at:
			return -1
		case q[0] > at:
			return 1
		}
		return 0
	})
	if !found {
		return "", 0, false
	}
	end := i
	for end < len(r.t.Words) && r.t.Words[end].Start < r.quotes[k][1] {
		end++
	}
	return r.t.Source[r.quotes[k][0]:r.quotes[k][1]], end, true
}

// behind gives the words behind a phrase up to where the value ends.
func (r *reader) behind(s lang.Span, h lang.Hit, f inbox.Field) lang.Span {
	from := h.To
	for from < s.To && r.skips(from, f) {
		from++
	}
	at := lang.Span{From: from, To: from}
	if from < s.To && r.beginsNone(h, from) {
		return at
	}
	for at.To < s.To && at.To-from < maxWords(f) && (at.To == from || r.gap(at.To) == "-" || !r.ends(at.To, from, f)) {
		at.To++
	}
	return at
}

// beginsNone tells whether no value begins at a word behind a phrase, but
// something else that is said.
func (r *reader) beginsNone(h lang.Hit, i int) bool {
	named := r.capital(i) || r.t.Words[i].Quoted
	switch {
	case h.To > h.From && i > 0 && strings.Contains(r.gap(i), ",") && !r.corrects(h, i):
		return true
	case len(r.hits.Prefixed(word(i), lang.SetPrefix)) > 0:
		return true
	case !r.t.Words[i].Quoted && r.hits.Has(word(i), lang.Stop, lang.Set, lang.Old, lang.Wish, lang.HowTo, lang.Wrong):
		return true
	}
	return !named && (r.hits.Has(word(i), lang.Place, lang.Because, lang.Temporary) || r.beginsPhrase(i, lang.Filler) || r.covered(i, lang.New, lang.Change, lang.Wrong) || r.inPhrase(i, lang.Common, lang.Filler))
}

// corrects tells whether the phrase before a word says that the value before
// it is the old one, so that a name behind it is the new one: "not Ann, Anna".
func (r *reader) corrects(h lang.Hit, i int) bool {
	w := word(i)
	return r.hits.Has(h.Span, lang.Old) && (r.capital(i) || r.t.Words[i].Quoted) && len(r.hits.Prefixed(w, lang.FieldPrefix)) == 0
}

// skips tells whether a word before a value is none of it.
func (r *reader) skips(i int, f inbox.Field) bool {
	return r.isWord(i, lang.WordLead) || f != inbox.FieldAbout && r.isWord(i, lang.WordArticle)
}

// ends tells whether a value that begins at one word ends before another.
func (r *reader) ends(i, from int, f inbox.Field) bool {
	switch {
	case f == inbox.FieldAbout:
		return false
	case r.isUntil(i):
		return true
	case f == inbox.FieldAddress:
		return r.hits.Has(word(i), lang.Stop, lang.But, lang.Wish, lang.Also, lang.Change, lang.Because, lang.Later, lang.Temporary)
	case r.t.Words[i].Before >= lang.Comma:
		return f != inbox.FieldLocation || !r.capitalRun(i)
	case r.hits.Has(word(i), lang.Because, lang.Later, lang.Temporary), r.beginsPhrase(i, lang.Filler):
		return true
	case f == inbox.FieldLocation && r.capital(from) && !r.capital(i) && !r.capital(i+1):
		return true
	}
	return r.hits.Has(word(i), lang.Set, lang.Old, lang.Stop, lang.But, lang.Wish, lang.Also, lang.Change) || len(r.hits.Prefixed(word(i), lang.FieldPrefix)) > 0
}

// isUntil tells whether a word says until or after when something is to be, and
// begins no name.
func (r *reader) isUntil(i int) bool {
	return r.isWord(i, lang.WordUntil) && !r.capital(i) && !r.beginsPhrase(i, lang.Filler)
}

// capitalRun tells whether the words from i to the next comma are a name of a
// region or country: capital letters, three at most.
func (r *reader) capitalRun(i int) bool {
	n := 0
	for j := i; j < len(r.t.Words); j++ {
		if j > i && r.t.Words[j].Before >= lang.Comma {
			break
		}
		if !r.capital(j) {
			return n > 0 && r.hits.Has(word(j), lang.Stop)
		}
		n++
	}
	return n > 0 && n <= 3
}

// inFieldName tells whether a word is part of what a field is called.
func (r *reader) inFieldName(s lang.Span, i int) bool {
	return slices.ContainsFunc(r.hits.Prefixed(s, lang.FieldPrefix), func(h lang.Hit) bool { return h.From <= i && i < h.To })
}

// before gives the words before a phrase, back to where the value begins. An
// address goes over its commas.
func (r *reader) before(s lang.Span, h lang.Hit, f inbox.Field) lang.Span {
	at := lang.Span{From: h.From, To: h.From}
	if h.From > s.From && r.t.Words[h.From].Before >= lang.Comma && r.hits.Has(lang.Span{From: h.From - 2, To: h.From}, lang.Change) {
		return at // "қаламды Астанаға өзгертіңіз, көшіп кеттік"
	}
	for i := h.From - 1; i >= s.From && h.From-i <= maxWords(f); i-- {
		w := word(i)
		if r.inFieldName(s, i) || r.hits.Has(w, lang.New, lang.Old, lang.Me, lang.Wrong, lang.Stop) || !r.grammar.verbLast && r.covered(i, lang.Change, lang.Add) {
			break
		}
		if f == inbox.FieldAddress && r.hits.Has(w, lang.Filler, lang.Wish, lang.Change) {
			break
		}
		if f == inbox.FieldLocation && at.From < h.From && r.capital(at.From) && !r.capital(i) {
			break // "for work to Atyrau": the name begins with its capital
		}
		at.From = i
		if r.t.Words[i].Before >= lang.Comma && f != inbox.FieldAddress || r.t.Words[i].Quoted && (i == 0 || !r.t.Words[i-1].Quoted) {
			break
		}
	}
	return at
}
