package answer

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox/classify/lang"
)

// at gives the span of one word.
func at(i int) lang.Span { return lang.Span{From: i, To: i + 1} }

// upTo gives the text before a word, and from that from the word on.
func (r *reader) upTo(i int) lang.Span { return lang.Span{To: i} }
func (r *reader) from(i int) lang.Span { return lang.Span{From: i, To: len(r.t.Words)} }

// part gives the word where the part of a sentence begins that a word stands in.
func (r *reader) part(i int) int {
	for i > 0 && r.t.Words[i].Before < lang.Comma {
		i--
	}
	return i
}

// closes tells whether a part of a sentence ends before a word.
func (r *reader) closes(i int) bool { return i >= len(r.t.Words) || r.t.Words[i].Before >= lang.Comma }

// partOf gives the whole part of a sentence that a phrase stands in.
func (r *reader) partOf(s lang.Span) lang.Span {
	to := s.To
	for !r.closes(to) {
		to++
	}
	return lang.Span{From: r.part(s.From), To: to}
}

// parts cuts a span into its parts of sentences.
func (r *reader) parts(s lang.Span) []lang.Span {
	var out []lang.Span
	for i := s.From; i < s.To; i++ {
		if i == s.From || r.closes(i) {
			out = append(out, lang.Span{From: i, To: s.To})
		}
		out[len(out)-1].To = i + 1
	}
	return out
}

// begins tells whether a sentence begins with a word.
func (r *reader) begins(i int) bool { return i == 0 || r.ends(i) }

// ends tells whether a sentence ends before a word.
func (r *reader) ends(i int) bool { return i >= len(r.t.Words) || r.t.Words[i].Before >= lang.Sentence }

// covers tells whether a word is part of a phrase of a concept.
func (r *reader) covers(i int, c lang.Concept) bool {
	return slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.Concept == c && h.From <= i && i < h.To })
}

// inside tells whether a word is part of a phrase of one of the concepts that
// begins at another word or behind it.
func (r *reader) inside(i, from int, concepts ...lang.Concept) bool {
	return slices.ContainsFunc(r.hits.In(lang.Span{From: from, To: i + 1}, concepts...), func(h lang.Hit) bool { return i < h.To })
}

// known tells whether a word is part of any phrase.
func (r *reader) known(i int) bool {
	return slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.From <= i && i < h.To })
}

// outside tells whether one of some hits lies in none of others.
func (r *reader) outside(hits, others lang.Hits) bool {
	return slices.ContainsFunc(hits, func(h lang.Hit) bool {
		return !slices.ContainsFunc(others, func(x lang.Hit) bool { return x.From <= h.From && h.To <= x.To })
	})
}

// words counts the words from one to another that are more than politeness.
func (r *reader) words(from, to int) int {
	n := 0
	for i := from; i < to; i++ {
		if f := r.hits.In(at(i), lang.Filler); len(f) > 0 {
			i = f[0].To - 1
		} else {
			n++
		}
	}
	return n
}

// listed tells whether a word stands in a list of one of the text's languages.
func (r *reader) listed(i int, list lang.Concept) bool {
	return slices.ContainsFunc(r.tags, func(tag string) bool { return r.listedIn(tag, i, list) })
}

func (r *reader) listedIn(tag string, i int, list lang.Concept) bool {
	return r.rules.Listed(lang.Guess{Tag: tag}, list, r.t.Words[i].Fold)
}

// small tells whether a word has no meaning of its own.
func (r *reader) small(i int) bool { return r.listed(i, lang.WordSmall) }

// question tells whether a span, or a sentence in it, ends in a question mark.
func (r *reader) question(s lang.Span) bool {
	return strings.Contains(r.t.EndMark(s), "?") || slices.ContainsFunc(r.t.Sentences, func(x lang.Span) bool {
		return s.From <= x.From && x.To <= s.To && strings.Contains(r.t.EndMark(x), "?")
	})
}

// wonders tells whether a word stands in a question.
func (r *reader) wonders(i int) bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool { return s.From <= i && i < s.To && r.question(s) })
}

func digits(s string) int {
	n := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}
