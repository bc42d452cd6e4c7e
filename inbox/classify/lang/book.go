package lang

import "slices"

// book holds the entries that are looked for, of all languages. A hundred
// thousand of them stay in memory as long as the program runs: so they are
// numbers without a pointer among them, and each word stands there once.
type book struct {
	words    []string // by number
	numbers  map[string]uint32
	concepts []Concept
	sections map[Concept]uint16
	parts    []packedPart
	patterns []pattern
}

// unknown is the number of a word that stands in no entry.
const unknown = 0

// packedPart is a part of an entry.
type packedPart struct {
	text, skel uint32 // words
	kind       partKind
}

// pattern is an entry as it is looked for.
type pattern struct {
	from               uint32 // of its parts
	second, secondSkel uint32 // the word behind the first; unknown: it may be any
	concept            uint16
	n                  uint8 // of its parts
	nr                 uint8 // of its language
	weak               bool  // begins with ~
	refers             bool  // has a <concept>, so it can only be found once plain entries are
	left, loose, slot  bool  // as in a Hit
}

func newBook() *book {
	return &book{words: []string{""}, numbers: map[string]uint32{}, sections: map[Concept]uint16{}}
}

// number gives a word its number.
func (b *book) number(word string) uint32 {
	if n, ok := b.numbers[word]; ok {
		return n
	}
	n := uint32(len(b.words))
	b.words = append(b.words, word)
	b.numbers[word] = n
	return n
}

func (b *book) section(c Concept) uint16 {
	if n, ok := b.sections[c]; ok {
		return n
	}
	n := uint16(len(b.concepts))
	b.concepts = append(b.concepts, c)
	b.sections[c] = n
	return n
}

// add writes an entry of a language into the book and gives its number.
func (b *book) add(e *entry, nr int) uint32 {
	p := pattern{from: uint32(len(b.parts)), n: uint8(len(e.parts)), concept: b.section(e.concept), nr: uint8(nr), weak: e.weak, refers: e.refers,
		left: e.parts[0].kind == partSlot}
	gap := false
	for _, x := range e.parts {
		p.loose = p.loose || x.kind != partWord && x.kind != partStem
		p.slot = p.slot || x.kind == partSlot
		gap = gap || x.kind == partGap || x.kind == partRef
		b.parts = append(b.parts, packedPart{text: b.number(x.text), skel: b.number(x.skel), kind: x.kind})
	}
	p.slot = p.slot && !gap
	parts := b.look(&p)
	if len(parts) > 1 && parts[0].kind != partRef && parts[1].kind == partWord {
		p.second, p.secondSkel = parts[1].text, parts[1].skel
	}
	b.patterns = append(b.patterns, p)
	return uint32(len(b.patterns) - 1)
}

// done makes the book as small as it can be.
func (b *book) done() {
	b.words, b.parts, b.patterns = slices.Clip(slices.Clone(b.words)), slices.Clip(slices.Clone(b.parts)), slices.Clip(slices.Clone(b.patterns))
	clear(b.sections)
}

// all gives the parts of an entry.
func (b *book) all(p *pattern) []packedPart { return b.parts[p.from : p.from+uint32(p.n)] }

// look gives those parts of an entry that stand one behind the other in a text.
func (b *book) look(p *pattern) []packedPart {
	if parts := b.all(p); !p.left {
		return parts
	}
	return b.all(p)[1:]
}
