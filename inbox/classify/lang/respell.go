package lang

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// minRespelt is how many letters a misspelt word has at least, and the word
// that is meant.
const minRespelt = 5

// spelling knows which words of a language are spelt right, and which ones a
// misspelt word may be. Words are in their comparable form or, for a text typed
// in the other script, in the spelling that both scripts share.
type spelling struct {
	words  *words // that are known
	kinds  []kind // of them, by number
	near   []meant
	sounds []meant
}

// kind says what a known word is.
type kind uint8

const (
	isWord  kind = 1 << iota // as it is
	isStem                   // with any ending
	isMeant                  // as a misspelt one may be meant
)

// meant is a word that a misspelt one may be meant to be, by the hash of what it
// has in common with one: all but one of its letters, or how it sounds.
type meant struct{ hash, word uint32 }

// mayBeMeant tells the sections whose words people misspell and are understood:
// what they want done, and with what.
func (c Concept) mayBeMeant() bool {
	switch c {
	case Delete, Deleting, Deactivate, Change, Add, Account, Data, Send, New, Wrong:
		return true
	}
	return c.names(FieldPrefix)
}

// spellings gives what makes the two spellings of a language when they are
// needed, of a range of the book. They are nil for one whose file does not list
// the words that look like others misspelt (section spelt).
func (b *book) spellings(from, to int) func(typed bool) *spelling {
	if !slices.ContainsFunc(b.patterns[from:to], func(p pattern) bool { return b.concepts[p.concept] == Spelt }) {
		return func(bool) *spelling { return nil }
	}
	written := sync.OnceValue(func() *spelling { return b.newSpelling(from, to, func(w string) string { return w }) })
	typed := sync.OnceValue(func() *spelling { return b.newSpelling(from, to, skeleton) })
	return func(other bool) *spelling {
		if other {
			return typed()
		}
		return written()
	}
}

// newSpelling gathers the words of a language.
func (b *book) newSpelling(from, to int, form func(string) string) *spelling {
	s := &spelling{words: newWords()}
	for i := from; i < to; i++ {
		e := &b.patterns[i]
		mayBeMeant := e.n == 1 && b.concepts[e.concept].mayBeMeant()
		for _, p := range b.all(e) {
			switch p.kind() {
			case partWord:
				s.add(form(b.words.at(p.number())), isWord, mayBeMeant)
			case partStem:
				s.add(form(b.words.at(p.number())), isStem, false)
			}
		}
	}
	byHash := func(a, b meant) int { return cmp.Compare(a.hash, b.hash) }
	slices.SortStableFunc(s.near, byHash)
	slices.SortStableFunc(s.sounds, byHash)
	return s
}

// add adds a word of a kind.
func (s *spelling) add(w string, k kind, mayBeMeant bool) {
	n := s.words.number(w)
	for len(s.kinds) <= int(n) {
		s.kinds = append(s.kinds, 0)
	}
	s.kinds[n] |= k
	if !mayBeMeant || s.kinds[n]&isMeant != 0 || utf8.RuneCountInString(w) < minRespelt {
		return
	}
	s.kinds[n] |= isMeant
	for _, less := range without(w) {
		s.near = append(s.near, meant{s.hash(less), n})
	}
	s.sounds = append(s.sounds, meant{s.hash(sound(w)), n})
}

func (s *spelling) hash(text string) uint32 { return uint32(maphash.String(s.words.seed, text)) }

// is tells whether a word is of a kind.
func (s *spelling) is(w string, k kind) bool {
	n := s.words.find(w)
	return n != unknown && s.kinds[n]&k != 0
}

// like gives those words of a list that have a text in common with a misspelt
// one. Some others may be among them.
func (s *spelling) like(text string, list []meant) []meant {
	hash := s.hash(text)
	from, _ := slices.BinarySearchFunc(list, hash, func(m meant, h uint32) int { return cmp.Compare(m.hash, h) })
	to := from
	for to < len(list) && list[to].hash == hash {
		to++
	}
	return list[from:to]
}

// without gives a word in all ways without one of its letters.
func without(w string) []string {
	out := make([]string, 0, len(w))
	for i, r := range w {
		out = append(out, w[:i]+w[i+utf8.RuneLen(r):])
	}
	return out
}

// vowels joins the letters that sound alike where they are not stressed, and
// drops the signs that are not heard.
var vowels = strings.NewReplacer("о", "а", "э", "и", "е", "и", "я", "и", "ы", "и", "й", "и", "ю", "у", "ь", "", "ъ", "", "щ", "ш")

// sound gives a coarse form of how a Russian word sounds: "удолить" and
// "удалить" have the same.
func sound(w string) string {
	var b strings.Builder
	var last rune
	for _, r := range vowels.Replace(w) {
		if r != last {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// respelt gives the word that a misspelt one is meant to be: one that sounds
// the same, or that has one letter more, less, other or in another place, the
// first being the same.
func (s *spelling) respelt(w string) (string, bool) {
	if s == nil || utf8.RuneCountInString(w) < minRespelt || s.isKnown(w) {
		return "", false
	}
	if m := s.sounding(sound(w)); m != "" {
		return m, true
	}
	best := ""
	try := func(m string) {
		a, _ := utf8.DecodeRuneInString(m)
		b, _ := utf8.DecodeRuneInString(w)
		if a == b && oneApart(m, w) && (best == "" || m < best) {
			best = m
		}
	}
	for _, m := range s.like(w, s.near) {
		try(s.words.at(m.word))
	}
	for _, less := range without(w) {
		if s.is(less, isMeant) {
			try(less)
		}
		for _, m := range s.like(less, s.near) {
			try(s.words.at(m.word))
		}
	}
	return best, best != ""
}

// sounding gives the first word that sounds so and may be meant.
func (s *spelling) sounding(so string) string {
	for _, m := range s.like(so, s.sounds) {
		if w := s.words.at(m.word); sound(w) == so {
			return w
		}
	}
	return ""
}

func (s *spelling) isKnown(w string) bool {
	if s.is(w, isWord|isStem) {
		return true
	}
	for i := range w {
		if s.is(w[:i], isStem) {
			return true
		}
	}
	return false
}

// oneApart tells whether two words differ in one letter that is more, less or
// other, or in the order of two neighbours.
func oneApart(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	swapped := len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
	return len(x) <= 1 && len(y) <= 1 || swapped
}

// Respell replaces the comparable form of misspelt words by that of the words
// that are meant, marks them, and tells whether there are any. What was found
// in the text before is forgotten then. A word with a capital letter within a sentence may be a name,
// and stays.
func (r *Rules) Respell(t *Text, g Guess) (changed bool) {
	l := r.lexicons[g.Tag]
	if l == nil {
		return false
	}
	s := l.spelling(g.Typed)
	if g.Typed {
		t.spell()
	}
	for i := range t.Words {
		w := &t.Words[i]
		first, _ := utf8.DecodeRuneInString(t.Source[w.Start:])
		if w.Quoted || strings.ContainsFunc(w.Fold, unicode.IsDigit) || unicode.IsUpper(first) && w.Before < Sentence && !upper(t.Source[w.Start:w.End]) {
			continue
		}
		form := &w.Fold
		if g.Typed {
			form = &t.skels[i]
		}
		if owner, ok := s.owner(*form, t.Source[w.Start:w.End]); ok {
			*form, changed = owner, true
			continue
		}
		if m, ok := s.respelt(*form); ok {
			*form, w.Respelt, changed = m, true, true
		}
	}
	if changed {
		t.plain, t.typed = nil, nil
	}
	return changed
}

// owner gives a word without the ending that says what is its: "number's".
func (s *spelling) owner(form, source string) (string, bool) {
	word, ok := strings.CutSuffix(form, "s")
	if s == nil || !ok || !strings.HasSuffix(source, "'s") && !strings.HasSuffix(source, "’s") {
		return "", false
	}
	return word, !s.isKnown(form) && s.isKnown(word)
}

func upper(s string) bool { return s == strings.ToUpper(s) }
