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

	loose bool // found with a gap or another section's word
	slot  bool // a phrase with {} and otherwise nothing but words
}

// Hits are what was found in a text, in its order.
type Hits []Hit

// In gives the hits that begin in the span, of any of the concepts.
func (h Hits) In(s Span, concepts ...Concept) Hits {
	var out Hits
	for _, x := range h.begin(s) {
		if slices.Contains(concepts, x.Concept) {
			out = append(out, x)
		}
	}
	return out
}

// Has tells whether any of the concepts begins in the span.
func (h Hits) Has(s Span, concepts ...Concept) bool {
	return slices.ContainsFunc(h.begin(s), func(x Hit) bool { return slices.Contains(concepts, x.Concept) })
}

// Prefixed gives the hits in the span whose section begins with the prefix.
func (h Hits) Prefixed(s Span, prefix string) Hits {
	var out Hits
	for _, x := range h.begin(s) {
		if strings.HasPrefix(string(x.Concept), prefix) {
			out = append(out, x)
		}
	}
	return out
}

// begin gives the hits whose first word is in the span.
func (h Hits) begin(s Span) Hits {
	from := h.first(s.From)
	return h[from : from+h[from:].first(s.To)]
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
	words   []string // in the form that is compared
	numbers []uint32 // of the words
	skel    bool
	nots    []map[string]bool // of each language, the words that negate
	found   Hits              // what <concept> may refer to
}

func (r *Rules) newMatcher(t *Text, words []string, typed bool) *matcher {
	m := &matcher{t: t, book: r.book, words: words, numbers: make([]uint32, len(words)), skel: typed, nots: r.nots}
	for i, w := range words {
		m.numbers[i] = r.book.numbers[w]
	}
	return m
}

// may tells whether the second word of an entry allows that it begins at a
// word, which fits. That is said quickly of most entries that do not fit.
func (m *matcher) may(e *pattern, i int) bool {
	if e.second == unknown {
		return true
	}
	want := e.second
	if m.skel {
		want = e.secondSkel
	}
	return i+1 < len(m.numbers) && m.numbers[i+1] == want
}

func (m *matcher) try(e *pattern, i int, hits Hits) Hits {
	end := m.match(m.book.look(e), i, false, m.nots[e.nr])
	if end < 0 {
		return hits
	}
	return append(hits, Hit{Concept: m.book.concepts[e.concept], Span: Span{i, end}, Left: e.left, Weak: e.weak, loose: e.loose, slot: e.slot})
}

// match gives the word behind the last part, or -1. The first part's word has
// nothing to be next to; after a gap, a comma may stand between. A gap does not
// step over a "not".
func (m *matcher) match(parts []packedPart, i int, follows bool, nots map[string]bool) int {
	if len(parts) == 0 || parts[0].kind == partSlot {
		return i
	}
	p := parts[0]
	if p.kind == partGap {
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
	if p.kind == partRef {
		for _, h := range m.found.begin(Span{i, i + 1}) {
			if string(h.Concept) == m.book.words[p.text] {
				if end := m.match(parts[1:], h.To, true, nots); end >= 0 {
					return end
				}
			}
		}
		return -1
	}
	want := p.text
	if m.skel {
		want = p.skel
	}
	if m.numbers[i] == want || (p.kind == partStem && strings.HasPrefix(m.words[i], m.book.words[want])) {
		return m.match(parts[1:], i+1, true, nots)
	}
	return -1
}

// longest drops every hit that lies inside a longer phrase. In a whole yes or no
// ("don't delete my account") the acts and things keep their own meaning, and a
// reason hides nothing and is not hidden: it counts only beside something else. cover is
// room for a span of every word.
func longest(hits Hits, cover []Span) Hits {
	plain := func(h Hit) bool { return !h.slot && !h.reason() }
	no := func(h Hit) bool { return h.Concept == No }
	yes := func(h Hit) bool { return h.Concept == Yes }
	hits = hidden(hits, cover, func(h Hit) bool { return !no(h) && !yes(h) && !h.reason() }, plain)
	hits = hidden(hits, cover, no, func(h Hit) bool { return plain(h) && !h.asks() })
	hits = hidden(hits, cover, yes, func(h Hit) bool { return plain(h) && !h.agreed() })
	// The "por" of "por favor" says no value.
	return hidden(hits, cover, func(h Hit) bool { return h.Concept == Filler }, func(h Hit) bool { return h.slot })
}

// agreed tells whether a hit within a whole yes says what is agreed to: "confirm
// the deletion of my account". Of nouns only those of one word, as "can go" may
// be of "you can go on".
func (h Hit) agreed() bool {
	switch h.Concept {
	case Delete, Deactivate, Account, Data:
		return true
	}
	return h.Concept == Deleting && h.To-h.From == 1
}

// answers tells whether a hit is one of those that are an answer by themselves.
func (h Hit) answers() bool { return h.Concept == Yes || h.Concept == No || h.Concept == Partial }

// reason tells whether a hit is one of those that count only beside an answer or a
// request, of which the words in it keep their own meaning.
func (h Hit) reason() bool {
	return slices.Contains([]Concept{Reason, Unused, Aside, Little, Heard, Both, When, Moot, NotMine, Private}, h.Concept)
}

// asks tells whether a hit is an act that can be asked for, or what it is about.
func (h Hit) asks() bool {
	switch h.Concept {
	case Delete, Deleting, Deactivate, Change, Add, Send, Account, Data, Negation:
		return true
	}
	return strings.HasPrefix(string(h.Concept), FieldPrefix)
}

// hidden drops those of some hits that lie inside longer ones of others.
func hidden(hits Hits, cover []Span, by, of func(Hit) bool) Hits {
	clear(cover)
	for _, h := range hits {
		if h.loose || !by(h) {
			continue
		}
		for i := h.From; i < h.To; i++ {
			if h.To-h.From > cover[i].To-cover[i].From {
				cover[i] = h.Span
			}
		}
	}
	return slices.DeleteFunc(hits, func(h Hit) bool {
		c := cover[h.From]
		return of(h) && (!h.loose || h.slot) && c.From <= h.From && h.To <= c.To && h.To-h.From < c.To-c.From
	})
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
	var all Hits
	for _, tag := range r.Tags(t, g) {
		l := r.lexicons[tag]
		if l == nil {
			continue
		}
		found := slices.Clone(r.found(t, g.Typed && tag == g.Tag)[l.nr])
		if tag == "kk" && tag == g.Tag && !g.Typed {
			found = append(found, mixed(t, found, r.found(t, true)[l.nr])...)
		}
		if tag != g.Tag && tag == "en" && r.lexicons[g.Tag] != nil && !slices.Contains(cyrillicTags, g.Tag) {
			found = foreign(t, all, found)
		}
		all = append(all, found...)
	}
	all = longest(all, make([]Span, len(t.Words)))
	slices.SortStableFunc(all, func(a, b Hit) int { return a.From - b.From })
	return slices.CompactFunc(all, func(a, b Hit) bool { return a == b })
}

// mixed keeps those hits in the spelling of typists that have a word in them
// which is none in its proper spelling: many leave out the letters that their
// keyboard lacks in one word and write them in the next.
func mixed(t *Text, own, typed Hits) Hits {
	known := make([]bool, len(t.Words))
	for _, h := range own {
		for i := h.From; i < h.To && !h.loose; i++ {
			known[i] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(typed), func(h Hit) bool {
		for i := h.From; i < h.To; i++ {
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
func foreign(t *Text, own, english Hits) Hits {
	taken := make([]bool, len(t.Words))
	for _, h := range own {
		for i := h.From; i < h.To && !h.loose; i++ {
			taken[i] = true
		}
	}
	return slices.DeleteFunc(english, func(h Hit) bool {
		for i := h.From; i < h.To; i++ {
			if taken[i] || len(t.Words[i].Fold) < minForeign {
				return true
			}
		}
		return false
	})
}
