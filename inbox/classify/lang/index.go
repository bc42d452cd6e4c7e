package lang

import (
	"maps"
	"slices"
)

// index finds the entries of every language that begin with a word, or with
// the beginning of one.
type index struct {
	exact  map[string]bucket
	begin  trie // of the beginnings
	groups []group
	list   []uint32 // entries

	filling map[string][]filling // by the word, while entries are added
	stems   map[string][]filling
}

// bucket is a range of groups: the entries that begin with the same word, by
// language.
type bucket struct{ from, to uint32 }

// group is a range of entries of one language.
type group struct {
	from, to uint32
	nr       uint8 // of the language
}

// filling is a group that still grows.
type filling struct {
	nr      uint8
	entries []uint32
}

func (x *index) add(entry uint32, nr int, word string, kind partKind) {
	if x.filling == nil {
		x.filling, x.stems = map[string][]filling{}, map[string][]filling{}
	}
	of := x.filling
	if kind == partStem {
		of = x.stems
	}
	list := of[word]
	for i := range list {
		if list[i].nr == uint8(nr) {
			list[i].entries = append(list[i].entries, entry)
			return
		}
	}
	of[word] = append(list, filling{uint8(nr), []uint32{entry}})
}

// done makes the index ready for use.
func (x *index) done() {
	x.exact = x.flat(x.filling)
	x.begin = newTrie(slices.Sorted(maps.Keys(x.stems)), x.flat(x.stems))
	x.filling, x.stems = nil, nil
	x.groups, x.list = slices.Clip(x.groups), slices.Clip(x.list)
}

func (x *index) flat(of map[string][]filling) map[string]bucket {
	out := make(map[string]bucket, len(of))
	for word, list := range of {
		b := bucket{from: uint32(len(x.groups))}
		for _, f := range list {
			from := uint32(len(x.list))
			x.list = append(x.list, f.entries...)
			x.groups = append(x.groups, group{from, uint32(len(x.list)), f.nr})
		}
		b.to = uint32(len(x.groups))
		out[word] = b
	}
	return out
}

// look gives for each word the buckets of the entries that may begin there.
func (x *index) look(words []string) [][]bucket {
	all, ends := make([]bucket, 0, 2*len(words)), make([]int, len(words))
	for i, w := range words {
		if b, ok := x.exact[w]; ok {
			all = append(all, b)
		}
		all = x.begin.each(w, all)
		ends[i] = len(all)
	}
	out, from := make([][]bucket, len(words)), 0
	for i, to := range ends {
		out[i] = all[from:to]
		from = to
	}
	return out
}

// likely tells which languages a text may be in, by their numbers: those that
// know at least half as many of its words as the one that knows the most, and
// those that are looked for in any text.
func (r *Rules) likely(x *index, words [][]bucket) []bool {
	votes, last := make([]int, len(r.tags)), make([]int, len(r.tags))
	best := 0
	for i, buckets := range words {
		for _, b := range buckets {
			for _, g := range x.groups[b.from:b.to] {
				if last[g.nr] <= i {
					last[g.nr] = i + 1
					votes[g.nr]++
					best = max(best, votes[g.nr])
				}
			}
		}
	}
	out := make([]bool, len(r.tags))
	for nr, tag := range r.tags {
		out[nr] = 2*votes[nr] >= best || tag == "en" || slices.Contains(cyrillicTags, tag)
	}
	return out
}

// scan finds the entries of every language that a text may be in, by number of
// the language. In a typed scan only those of Cyrillic script are found.
func (r *Rules) scan(t *Text, typed bool) []Hits {
	x, words := &r.plain, make([]string, len(t.Words))
	if typed {
		x = &r.typed
		t.spell()
	}
	for i, w := range t.Words {
		words[i] = w.Fold
		if typed {
			words[i] = w.skel
		}
	}
	m := r.newMatcher(t, words, typed)
	found := x.look(words)
	likely := r.likely(x, found)
	plain, later := make([]Hits, len(r.tags)), make([][]pending, len(r.tags))
	for i, buckets := range found {
		for _, b := range buckets {
			for _, g := range x.groups[b.from:b.to] {
				if !likely[g.nr] {
					continue
				}
				for _, n := range x.list[g.from:g.to] {
					if e := &r.book.patterns[n]; e.refers {
						later[g.nr] = append(later[g.nr], pending{e, i})
					} else if m.may(e, i) {
						plain[g.nr] = m.try(e, i, plain[g.nr])
					}
				}
			}
		}
	}
	cover := make([]Span, len(t.Words))
	for nr, tag := range r.tags {
		if len(plain[nr]) > 0 || len(later[nr]) > 0 {
			plain[nr] = m.referring(r.lexicons[tag], longest(plain[nr], cover), later[nr])
		}
	}
	return plain
}

// pending is an entry that may begin at a word, and that refers to what other
// entries find.
type pending struct {
	e    *pattern
	word int
}

// referring adds the entries of a language that refer to the plain ones found.
func (m *matcher) referring(l *lexicon, plain Hits, later []pending) Hits {
	m.found = plain
	all := plain
	for _, p := range later {
		all = m.try(p.e, p.word, all)
	}
	for _, h := range plain {
		for _, n := range l.refs[h.Concept] {
			all = m.try(&m.book.patterns[n], h.From, all)
		}
	}
	return all
}

// found gives what the rule files find in a text, scanning it but once.
func (r *Rules) found(t *Text, typed bool) []Hits {
	list := &t.plain
	if typed {
		list = &t.typed
	}
	if *list == nil {
		*list = r.scan(t, typed)
	}
	return *list
}
