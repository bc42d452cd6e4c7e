package lang

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Hit is one place where an entry of a rule file was found.
type Hit struct {
	Concept
	Span
	// Left: the value stands before the phrase, not behind it. Of a phrase
	// with {} only.
	Left bool
	// Weak: the phrase says a field's value only where the field is named or
	// something is said to be new. Of a phrase with {} only.
	Weak bool
}

// Hits are what was found in a text, in its order.
type Hits []Hit

// In gives the hits that begin in the span, of any of the concepts.
func (h Hits) In(s Span, concepts ...Concept) Hits {
	var out Hits
	for i := h.first(s.From); i < len(h) && h[i].From < s.To; i++ {
		if slices.Contains(concepts, h[i].Concept) {
			out = append(out, h[i])
		}
	}
	return out
}

// Has tells whether any of the concepts begins in the span.
func (h Hits) Has(s Span, concepts ...Concept) bool {
	for i := h.first(s.From); i < len(h) && h[i].From < s.To; i++ {
		if slices.Contains(concepts, h[i].Concept) {
			return true
		}
	}
	return false
}

// Prefixed gives the hits in the span whose section begins with the prefix.
func (h Hits) Prefixed(s Span, prefix string) Hits {
	var out Hits
	for i := h.first(s.From); i < len(h) && h[i].From < s.To; i++ {
		if h[i].names(prefix) {
			out = append(out, h[i])
		}
	}
	return out
}

// first gives the place of the first hit that begins at a word or behind it.
func (h Hits) first(word int) int {
	lo, hi := 0, len(h)
	for lo < hi {
		if mid := (lo + hi) / 2; h[mid].From < word {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// maxGap bounds the words that "..." stands for.
const maxGap = 6

type matcher struct {
	t       *Text
	book    *book
	numbers []uint32 // of the words
	typed   bool
	nots    []map[string]bool // of each language, the words that negate
	found   []spot            // what <concept> may refer to
}

func (r *Rules) newMatcher(t *Text, typed bool) matcher {
	m := matcher{t: t, book: r.book, numbers: make([]uint32, len(t.Words)), typed: typed, nots: r.nots}
	if typed {
		t.spell()
	}
	for i := range t.Words {
		m.numbers[i] = r.book.words.find(m.word(i))
	}
	return m
}

// word gives a word of the text in the form that is compared.
func (m *matcher) word(i int) string {
	if m.typed {
		return m.t.skels[i]
	}
	return m.t.Words[i].Fold
}

// wanted gives the number of a word of an entry in that form.
func (m *matcher) wanted(word uint32) uint32 {
	if m.typed {
		return m.book.skels[word]
	}
	return word
}

func (m *matcher) try(e *pattern, i int, hits []spot) []spot {
	if m.typed && e.has(isLatin) {
		return hits
	}
	end := m.match(m.book.look(e), i, false, m.nots[e.nr])
	if end < 0 {
		return hits
	}
	s := spot{from: int32(i), n: uint16(end - i), concept: e.concept, marks: e.marks & (isWeak | isLeft | isLoose | isSlot), nr: e.nr}
	s.role = m.book.roles[e.concept].of(end-i, e.marks)
	return append(hits, s)
}

// match gives the word behind the last part, or -1. The first part's word has
// nothing to be next to; after a gap, a comma may stand between. A gap does not
// step over a "not".
func (m *matcher) match(parts []packedPart, i int, follows bool, nots map[string]bool) int {
	if len(parts) == 0 || parts[0].kind() == partSlot {
		return i
	}
	p := parts[0]
	if p.kind() == partGap {
		for j := i; j <= i+maxGap && j < len(m.t.Words); j++ {
			if m.t.Words[j].Before == Sentence {
				return -1
			}
			if end := m.match(parts[1:], j, false, nots); end >= 0 {
				return end
			}
			if nots[m.t.Words[j].Fold] {
				return -1
			}
		}
		return -1
	}
	if i >= len(m.t.Words) || (follows && m.t.Words[i].Before >= Comma) {
		return -1
	}
	if p.kind() == partRef {
		for _, s := range from(m.found, i) {
			if int(s.from) > i {
				break
			}
			if uint32(s.concept) == p.number() {
				if end := m.match(parts[1:], s.to(), true, nots); end >= 0 {
					return end
				}
			}
		}
		return -1
	}
	want := m.wanted(p.number())
	if m.numbers[i] == want || p.kind() == partStem && strings.HasPrefix(m.word(i), m.book.words.at(want)) {
		return m.match(parts[1:], i+1, true, nots)
	}
	return -1
}

// from gives those of some hits that begin at a word or behind it.
func from(hits []spot, word int) []spot {
	lo, hi := 0, len(hits)
	for lo < hi {
		if mid := (lo + hi) / 2; int(hits[mid].from) < word {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return hits[lo:]
}

// Tags gives the languages whose rule files are searched for in the text: the
// guessed one if any, English, and in Cyrillic script Russian.
func (r *Rules) Tags(t *Text, g Guess) []string {
	var tags []string
	if g.Tag != "" {
		tags = append(tags, g.Tag)
	}
	if g.Tag != "en" {
		tags = append(tags, "en")
	}
	if _, cyrillic := t.letters(0); cyrillic > 0 && g.Tag != "ru" {
		tags = append(tags, "ru")
	}
	return tags
}

// Find gives what the rule files of the text's languages ([Rules.Tags]) find in
// it.
func (r *Rules) Find(t *Text, g Guess) Hits {
	var all []spot
	tags := r.Tags(t, g)
	for i, tag := range tags {
		l := r.lexicons[tag]
		if l == nil {
			continue
		}
		found := r.found(t, g.Typed && tag == g.Tag, l, r.known(tags[i+1:])...)
		if tag != g.Tag && tag == "en" && r.lexicons[g.Tag] != nil && !slices.Contains(cyrillicTags, g.Tag) {
			found = foreign(t, all, found)
		}
		all = append(all, found...)
		if tag == "kk" && tag == g.Tag && !g.Typed {
			all = append(all, mixed(t, found, r.found(t, true, l))...)
		}
	}
	all = longest(all, make([]extent, len(t.Words)))
	slices.SortStableFunc(all, func(a, b spot) int { return int(a.from) - int(b.from) })
	return r.hits(slices.Compact(all))
}

// known gives what there is of some languages.
func (r *Rules) known(tags []string) []*lexicon {
	var out []*lexicon
	for _, tag := range tags {
		if l := r.lexicons[tag]; l != nil {
			out = append(out, l)
		}
	}
	return out
}

// hits gives what was found in full.
func (r *Rules) hits(found []spot) Hits {
	out := make(Hits, 0, len(found))
	for _, s := range found {
		out = append(out, Hit{Concept: r.book.concepts[s.concept], Span: s.span(), Left: s.has(isLeft), Weak: s.has(isWeak)})
	}
	return out
}

// knownWords tells of each word whether it is one of a phrase that was found.
func knownWords(t *Text, found []spot) []bool {
	known := make([]bool, len(t.Words))
	for _, s := range found {
		for i := int(s.from); i < s.to() && !s.has(isLoose); i++ {
			known[i] = true
		}
	}
	return known
}

// mixed keeps those hits in the spelling of typists that have a word in them
// which is none in its proper spelling: many leave out the letters that their
// keyboard lacks in one word and write them in the next.
func mixed(t *Text, own, typed []spot) []spot {
	known := knownWords(t, own)
	return slices.DeleteFunc(slices.Clone(typed), func(s spot) bool {
		for i := int(s.from); i < s.to(); i++ {
			if !known[i] && utf8.RuneCountInString(t.Words[i].Fold) >= minForeign {
				return false
			}
		}
		return true
	})
}

// minForeign is how many letters an English word must have to be believed in a
// text of another language of the same script: "del" is Spanish, too.
const minForeign = 4

// foreign keeps those English hits that the language of the text, whose own
// hits are given, does not know as words of its own.
func foreign(t *Text, own, english []spot) []spot {
	taken := knownWords(t, own)
	return slices.DeleteFunc(slices.Clone(english), func(s spot) bool {
		for i := int(s.from); i < s.to(); i++ {
			if taken[i] || len(t.Words[i].Fold) < minForeign {
				return true
			}
		}
		return false
	})
}
