package lang

import (
	"cmp"
	"slices"
)

// index finds the entries of every language that begin with a word, or with
// the beginning of one.
type index struct {
	starts []uint32 // by number of the word: the first of its groups
	begin  trie     // of the beginnings
	groups []group  // and one that ends the last
	list   []start  // of entries

	exact, stems []first // while entries are added
}

// bucket is a range of groups: the entries that begin with the same word, by
// language.
type bucket struct{ from, to uint32 }

// group is a range of entries of one language, up to the next group.
type group struct {
	from uint32
	nr   uint8 // of the language
}

// start is an entry, and the word that must stand behind its first. That is said
// quickly of most entries that do not fit.
type start struct{ entry, second uint32 }

// first is the word that an entry begins with.
type first struct {
	word uint32
	start
}

func (x *index) add(f first, kind partKind) {
	if kind == partStem {
		x.stems = append(x.stems, f)
	} else {
		x.exact = append(x.exact, f)
	}
}

// done makes the index ready for use. The entries were added language by
// language.
func (x *index) done(b *book) {
	x.list = make([]start, 0, len(x.exact)+len(x.stems))
	x.starts = x.group(b, x.exact)
	stems := x.group(b, x.stems)
	x.groups = slices.Clip(append(x.groups, group{from: uint32(len(x.list))}))
	x.begin = newTrie(beginnings(b, stems))
	x.exact, x.stems = nil, nil
}

// group appends the entries that begin with each word, in the order of the
// words' numbers, and gives where the groups of each begin and those of the last
// end.
func (x *index) group(b *book, firsts []first) []uint32 {
	slices.SortFunc(firsts, func(a, b first) int { return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.entry, b.entry)) })
	starts := make([]uint32, b.words.count()+1)
	for word := range uint32(b.words.count()) {
		starts[word] = uint32(len(x.groups))
		for nr := -1; len(firsts) > 0 && firsts[0].word == word; firsts = firsts[1:] {
			if of := b.patterns[firsts[0].entry].nr; int(of) != nr {
				nr = int(of)
				x.groups = append(x.groups, group{uint32(len(x.list)), of})
			}
			x.list = append(x.list, firsts[0].start)
		}
	}
	starts[b.words.count()] = uint32(len(x.groups))
	return starts
}

// beginnings gives those words that have groups, in the order of their letters.
func beginnings(b *book, starts []uint32) []beginning {
	var out []beginning
	for n := range len(starts) - 1 {
		if starts[n] < starts[n+1] {
			out = append(out, beginning{b.words.at(uint32(n)), bucket{starts[n], starts[n+1]}})
		}
	}
	slices.SortFunc(out, func(a, b beginning) int { return cmp.Compare(a.text, b.text) })
	return out
}

// entries gives the entries of a group.
func (x *index) entries(group uint32) []start {
	return x.list[x.groups[group].from:x.groups[group+1].from]
}

// look gives the buckets of the entries that may begin at each word, and where
// those of each end.
func (x *index) look(m *matcher) (all []bucket, ends []int32) {
	all, ends = make([]bucket, 0, len(m.numbers)), make([]int32, len(m.numbers))
	for i, n := range m.numbers {
		if n != unknown && x.starts[n] < x.starts[n+1] {
			all = append(all, bucket{x.starts[n], x.starts[n+1]})
		}
		all = x.begin.each(m.word(i), all)
		ends[i] = int32(len(all))
	}
	return all, ends
}
