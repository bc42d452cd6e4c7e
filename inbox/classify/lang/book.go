package lang

import "slices"

// book holds the entries that are looked for, of all languages. A hundred
// thousand of them stay in memory as long as the program runs: so they are
// numbers without a pointer among them, and each word stands there once.
type book struct {
	words    *words
	skels    []uint32 // by number of the word: the number of its shared spelling, once an entry needs it
	concepts []Concept
	roles    []role // of the concepts
	sections map[Concept]uint16
	parts    []packedPart
	patterns []pattern
}

// packedPart is a part of an entry: its kind in the lowest bits, and above them
// the number of its word or, of a reference, of its concept.
type packedPart uint32

const kindBits = 3

func pack(kind partKind, n uint32) packedPart { return packedPart(n<<kindBits | uint32(kind)) }

func (p packedPart) kind() partKind { return partKind(p & (1<<kindBits - 1)) }
func (p packedPart) number() uint32 { return uint32(p >> kindBits) }

// pattern is an entry as it is looked for.
type pattern struct {
	from    uint32 // of its parts
	concept uint16
	n       uint8 // of its parts
	nr      uint8 // of its language
	marks
}

// marks say what there is to know of an entry before it is looked for.
type marks uint8

const (
	isWeak   marks = 1 << iota // begins with ~
	isLeft                     // as in a Hit
	isLoose                    // found with a gap or another section's word
	isSlot                     // has a {} and otherwise nothing but words
	isRefers                   // has a <concept>, so it can only be found once plain entries are
	isLatin                    // has words, and none in Cyrillic
)

func (m marks) has(x marks) bool { return m&x != 0 }

func (m *marks) set(x marks, ok bool) {
	if ok {
		*m |= x
	}
}

// unspelt is the number of "", which stands for the shared spelling of a word
// that no entry needs.
const unspelt = 1

func newBook() *book {
	b := &book{words: newWords(), sections: map[Concept]uint16{}}
	b.number("")
	return b
}

// number gives a word its number.
func (b *book) number(word string) uint32 {
	n := b.words.number(word)
	for len(b.skels) < b.words.count() {
		b.skels = append(b.skels, unspelt)
	}
	return n
}

// spell gives the number of the spelling of a word that both scripts share.
func (b *book) spell(word uint32) uint32 {
	if b.skels[word] == unspelt {
		skel := b.number(skeleton(b.words.at(word)))
		b.skels[word] = skel
	}
	return b.skels[word]
}

func (b *book) section(c Concept) uint16 {
	if n, ok := b.sections[c]; ok {
		return n
	}
	c = c.own()
	n := uint16(len(b.concepts))
	b.concepts, b.roles = append(b.concepts, c), append(b.roles, c.role())
	b.sections[c] = n
	return n
}

// add writes an entry of a language into the book and gives its number.
func (b *book) add(e *entry, nr int) uint32 {
	p := pattern{from: uint32(len(b.parts)), n: uint8(len(e.parts)), concept: b.section(e.concept), nr: uint8(nr)}
	cyrillic := slices.ContainsFunc(e.parts, func(x part) bool { return isCyrillic(x.text) })
	gap := false
	for _, x := range e.parts {
		word := x.kind == partWord || x.kind == partStem
		p.set(isLoose, !word)
		p.set(isSlot, x.kind == partSlot)
		p.set(isLatin, word && !cyrillic)
		gap = gap || x.kind == partGap || x.kind == partRef
		b.parts = append(b.parts, b.pack(x, cyrillic))
	}
	p.set(isWeak, e.weak)
	p.set(isRefers, e.refers)
	p.set(isLeft, e.parts[0].kind == partSlot)
	if gap {
		p.marks &^= isSlot
	}
	b.patterns = append(b.patterns, p)
	return uint32(len(b.patterns) - 1)
}

// pack makes a part of an entry as small as it can be.
func (b *book) pack(x part, spell bool) packedPart {
	switch x.kind {
	case partRef:
		return pack(x.kind, uint32(b.section(Concept(x.text))))
	case partWord, partStem:
		n := b.number(x.text)
		if spell {
			b.spell(n)
		}
		return pack(x.kind, n)
	}
	return pack(x.kind, unknown)
}

// done makes the book as small as it can be.
func (b *book) done() {
	b.words.done()
	b.skels, b.parts, b.patterns = slices.Clip(slices.Clone(b.skels)), slices.Clip(slices.Clone(b.parts)), slices.Clip(slices.Clone(b.patterns))
	clear(b.sections)
}

// all gives the parts of an entry.
func (b *book) all(p *pattern) []packedPart { return b.parts[p.from : p.from+uint32(p.n)] }

// look gives those parts of an entry that stand one behind the other in a text.
func (b *book) look(p *pattern) []packedPart {
	if parts := b.all(p); !p.has(isLeft) {
		return parts
	}
	return b.all(p)[1:]
}
