package classify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox/classify/lang"
)

// word gives the span of one word.
func word(i int) lang.Span { return lang.Span{From: i, To: i + 1} }

// union gives the words from the first to the last of the spans.
func union(spans ...lang.Span) lang.Span {
	all := spans[0]
	for _, s := range spans[1:] {
		all.From, all.To = min(all.From, s.From), max(all.To, s.To)
	}
	return all
}

// overlap tells whether two spans share a word.
func overlap(a, b lang.Span) bool { return a.From < b.To && b.From < a.To }

// all gives the words of the whole text.
func (r *reader) all() lang.Span { return lang.Span{From: 0, To: len(r.t.Words)} }

// words gives the words between two places of the source.
func (r *reader) words(start, end int) lang.Span {
	s := lang.Span{From: len(r.t.Words), To: len(r.t.Words)}
	for i, w := range r.t.Words {
		if w.End > start && s.From > i {
			s.From = i
		}
		if w.Start >= end {
			s.To = i
			break
		}
	}
	return s
}

// bodyWords gives the words below the subject.
func (r *reader) bodyWords() lang.Span {
	if r.subject < len(r.t.Sentences) {
		return lang.Span{From: r.t.Sentences[r.subject].From, To: len(r.t.Words)}
	}
	return lang.Span{From: len(r.t.Words), To: len(r.t.Words)}
}

// sentenceOf gives the sentence that a word stands in.
func (r *reader) sentenceOf(word int) lang.Span {
	i, ok := slices.BinarySearchFunc(r.t.Sentences, word, func(s lang.Span, w int) int {
		switch {
		case s.To <= w:
			return -1
		case s.From > w:
			return 1
		}
		return 0
	})
	if !ok {
		return lang.Span{}
	}
	return r.t.Sentences[i]
}

// asks tells whether a question mark stands behind a span.
func (r *reader) asks(s lang.Span) bool { return strings.Contains(r.t.EndMark(s), "?") }

// gap gives what stands before a word.
func (r *reader) gap(i int) string {
	return r.t.Source[r.t.Words[i-1].End:r.t.Words[i].Start]
}

// capital tells whether a word begins with a capital letter.
func (r *reader) capital(i int) bool {
	if i >= len(r.t.Words) {
		return false
	}
	c, _ := utf8.DecodeRuneInString(r.t.Source[r.t.Words[i].Start:])
	return unicode.IsUpper(c)
}

// isWord tells whether a word stands in one of the lists of the text's language.
func (r *reader) isWord(i int, list lang.Concept) bool {
	return i >= 0 && i < len(r.t.Words) && r.c.rules.Listed(r.guess, list, r.t.Words[i].Fold)
}

// hasWord tells whether any word of a span stands in a list.
func (r *reader) hasWord(at lang.Span, list lang.Concept) bool {
	for i := at.From; i < at.To; i++ {
		if r.isWord(i, list) {
			return true
		}
	}
	return false
}

// isOfAny tells whether a text stands in a list of any language, where it is none
// of the text's: names, trade marks, what was written before its language is known.
func (r *reader) isOfAny(text string, list lang.Concept) bool {
	return r.c.rules.Listed(lang.Guess{}, list, lang.Fold(text))
}

// knows tells whether any entry of the rule files covers a word, also one that
// drop has forgotten because it says nothing there.
func (r *reader) knows(i int) bool { return i < len(r.inRules) && r.inRules[i] }

// covers marks the words that hits cover.
func (r *reader) covers(hits lang.Hits) []bool {
	words := make([]bool, len(r.t.Words)+1)
	for _, h := range hits {
		for k := h.From; k < h.To; k++ {
			words[k] = true
		}
	}
	return words
}

// maxPhrase bounds the words of a phrase that covers another word.
const maxPhrase = 5

// covered tells whether a phrase of any of the concepts covers a word.
func (r *reader) covered(i int, concepts ...lang.Concept) bool {
	near := lang.Span{From: max(0, i-maxPhrase), To: i + 1}
	return slices.ContainsFunc(r.hits.In(near, concepts...), func(h lang.Hit) bool { return i < h.To })
}

// inPhrase tells whether a word stands in a phrase of any of the concepts, and
// does not begin it.
func (r *reader) inPhrase(i int, concepts ...lang.Concept) bool {
	before := lang.Span{From: max(0, i-maxPhrase), To: i}
	return slices.ContainsFunc(r.hits.In(before, concepts...), func(h lang.Hit) bool { return i < h.To })
}

// beginsPhrase tells whether a word begins a phrase of a concept.
func (r *reader) beginsPhrase(i int, concept lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(word(i), concept), func(h lang.Hit) bool { return h.From == i && h.To > i+1 })
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

// parted tells whether a part of a sentence begins at a word: behind a comma,
// or with an "and" or "but".
func (r *reader) parted(i int) bool {
	return r.t.Words[i].Before >= lang.Comma || r.hits.Has(word(i), lang.And) || r.butAt(i)
}

// butAt tells whether the contrary of what stands before begins at a word.
func (r *reader) butAt(i int) bool { return r.isWord(i, lang.WordBut) && r.hits.Has(word(i), lang.But) }

// commas cuts a sentence at its commas.
func (r *reader) commas(s lang.Span) []lang.Span {
	return cutAt(s, func(i int) bool { return r.t.Words[i].Before >= lang.Comma })
}

// commaPart gives the words from the comma before a word to the next.
func (r *reader) commaPart(s lang.Span, i int) lang.Span {
	p := r.fromComma(s, word(i))
	for p.To = i + 1; p.To < s.To && r.t.Words[p.To].Before < lang.Comma; {
		p.To++
	}
	return p
}

// parts cuts a sentence at its commas and where an "and" stands.
func (r *reader) parts(s lang.Span) []lang.Span { return cutAt(s, r.parted) }

// cutAt cuts a span before every word at which a new part begins.
func cutAt(s lang.Span, begins func(int) bool) []lang.Span {
	var out []lang.Span
	from := s.From
	for i := s.From + 1; i < s.To; i++ {
		if begins(i) {
			out = append(out, lang.Span{From: from, To: i})
			from = i
		}
	}
	return append(out, lang.Span{From: from, To: s.To})
}

// partAt gives the part of a sentence that a word stands in, or the sentence.
func (r *reader) partAt(s lang.Span, word int) lang.Span {
	for _, p := range r.parts(s) {
		if word >= p.From && word < p.To {
			return p
		}
	}
	return s
}

// fromComma cuts off the parts of a clause before the one that a verb stands in.
func (r *reader) fromComma(c, v lang.Span) lang.Span {
	from := v.From
	for from > c.From && r.t.Words[from].Before < lang.Comma {
		from--
	}
	return lang.Span{From: from, To: c.To}
}

// clause gives the part of a sentence that a verb rules: from its comma or
// "and" to the next, and over further ones as long as no other verb stands
// behind them.
func (r *reader) clause(s, v lang.Span) lang.Span {
	out := v
	for from := v.From; from > s.From; {
		part := word(from - 1)
		for part.From > s.From && !r.parted(part.From) {
			part.From--
		}
		if r.opens(part, from) {
			if r.hits.Has(v, lang.Deleted) && !r.acts(part.From, part.To) && !r.hits.Has(part, lang.Negation, lang.No, lang.Keep, lang.But) {
				out.From = part.From // I'd like my phone, address and job gone
			}
			break
		}
		out.From, from = part.From, part.From
	}
	for to := v.To; to < s.To; {
		part := word(to)
		for part.To < s.To && !r.parted(part.To) {
			part.To++
		}
		if r.opens(part, to) && !r.instead(out, part) {
			break
		}
		out.To, to = part.To, part.To
	}
	return out
}

// instead tells whether a part names what is meant in the place of what a clause
// says "not" of, and nothing more: "delete not my number | but my address".
func (r *reader) instead(clause, part lang.Span) bool {
	return r.butAt(part.From) && r.hits.Has(clause, lang.Negation) && r.namesThings(part) &&
		!r.hits.Has(part, lang.Delete, lang.Deleted, lang.Change, lang.Deactivate, lang.Send, lang.Negation, lang.No, lang.Keep, lang.Wish)
}

// opens tells whether a part of a sentence has a verb of its own, so that a
// clause ends at the word where the one begins and the other ends. A wish has one
// behind a comma only: "my city and age, please".
func (r *reader) opens(part lang.Span, at int) bool {
	return r.parted(at) && (r.hits.Has(part, lang.Delete, lang.Deleted, lang.Change, lang.Deactivate, lang.Send, lang.Negation, lang.No, lang.Keep, lang.But) ||
		r.t.Words[at].Before >= lang.Comma && r.hits.Has(part, lang.Wish))
}

// closes tells whether a span ends its part of the sentence: "löschen Sie mein
// Konto bitte nicht".
func (r *reader) closes(s, at lang.Span) bool {
	return at.To >= s.To || r.t.Words[at.To].Before >= lang.Comma
}

// overlaps tells whether a phrase of a concept shares a word with a span.
func (r *reader) overlaps(s, at lang.Span, c lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(s, c), func(h lang.Hit) bool { return overlap(h.Span, at) })
}

// endsAt tells whether a phrase of a concept ends at a word: "stop using | what
// you know about me".
func (r *reader) endsAt(s lang.Span, i int, c lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(s, c), func(h lang.Hit) bool { return h.From < i && h.To >= i })
}

// outside tells whether a phrase of a concept reaches out of a span.
func (r *reader) outside(s, at lang.Span, c lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(s, c), func(h lang.Hit) bool { return h.From < at.From || h.To > at.To })
}

// near tells whether a phrase of a concept stands no more than some words away.
func (r *reader) near(s, at lang.Span, c lang.Concept, words int) bool {
	return slices.ContainsFunc(r.hits.In(s, c), func(h lang.Hit) bool { return h.To >= at.From-words && h.From <= at.To+words })
}

// acts tells whether a verb that asks for something stands in a range of words.
func (r *reader) acts(from, to int) bool {
	return r.hits.Has(lang.Span{From: from, To: to}, lang.Delete, lang.Deactivate, lang.Change, lang.Add, lang.Send)
}

// bare tells whether a part names nothing but its verb and the person's
// records: "please update it".
func (r *reader) bare(part lang.Span) bool {
	return r.countCovered(part, lang.Filler, lang.Wish, lang.It, lang.Yes, lang.No, lang.And, lang.Also, lang.Me, lang.Account, lang.Place, lang.Data,
		lang.All, lang.Common, lang.Stop, lang.Change, lang.Delete, lang.Add, lang.Deactivate, lang.New, lang.Set) >= part.To-part.From
}

// filler tells whether nothing but politeness and one or two unknown words (a
// name) stand in the span.
func (r *reader) filler(s lang.Span) bool {
	return s.To-s.From-r.countCovered(s, lang.Filler, lang.Wish, lang.Yes) <= 2
}

// countCovered counts the words of the phrases of some concepts that begin in a
// span.
func (r *reader) countCovered(s lang.Span, concepts ...lang.Concept) int {
	n, end := 0, 0
	for _, h := range r.hits.In(s, concepts...) {
		if h.To > end {
			n += h.To - max(end, h.From)
			end = h.To
		}
	}
	return n
}
