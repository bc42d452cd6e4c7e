package lang

import (
	"hash/maphash"
	"slices"
	"strings"
)

// words numbers texts, and holds each of them once. Tens of thousands stay in
// memory as long as the program runs: so they lie one behind the other, and
// nothing points at them.
type words struct {
	text  strings.Builder
	ends  []uint32 // in text, by number
	slots []uint32 // numbers, by the hash of the text; unknown where none is
	seed  maphash.Seed
}

// unknown is the number of a text that was given none.
const unknown = 0

// minSlots is how many slots there are at the least: a power of two, as ever.
const minSlots = 16

func newWords() *words {
	return &words{ends: []uint32{0}, slots: make([]uint32, minSlots), seed: maphash.MakeSeed()}
}

// at gives the text of a number.
func (w *words) at(n uint32) string {
	if n == unknown {
		return ""
	}
	return w.text.String()[w.ends[n-1]:w.ends[n]]
}

// find gives the number of a text, or unknown.
func (w *words) find(text string) uint32 { return w.slots[w.slot(text)] }

// number gives a text its number.
func (w *words) number(text string) uint32 {
	slot := w.slot(text)
	if n := w.slots[slot]; n != unknown {
		return n
	}
	w.text.WriteString(text)
	n := uint32(len(w.ends))
	w.ends = append(w.ends, uint32(w.text.Len()))
	w.slots[slot] = n
	if 4*len(w.ends) > 3*len(w.slots) {
		w.widen()
	}
	return n
}

// slot gives the place of a text among the slots, or the free one that would be
// its place.
func (w *words) slot(text string) uint64 {
	mask := uint64(len(w.slots) - 1)
	for i := maphash.String(w.seed, text) & mask; ; i = (i + 1) & mask {
		if n := w.slots[i]; n == unknown || w.at(n) == text {
			return i
		}
	}
}

// widen makes room for twice as many.
func (w *words) widen() {
	w.slots = make([]uint32, 2*len(w.slots))
	for n := 1; n < len(w.ends); n++ {
		w.slots[w.slot(w.at(uint32(n)))] = uint32(n)
	}
}

// count tells how many numbers there are, unknown included.
func (w *words) count() int { return len(w.ends) }

// done gives back the room that nothing has been put into.
func (w *words) done() {
	text := w.text.String()
	w.text.Reset()
	w.text.Grow(len(text))
	w.text.WriteString(text)
	w.ends = slices.Clip(slices.Clone(w.ends))
}
