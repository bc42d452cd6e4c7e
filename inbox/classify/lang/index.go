package lang

import "slices"

// index finds the entries of every language that begin with a word, or with
// the beginning of one.
type index struct {
	exact, stems map[string]bucket
	begin        *trie // of the stems, once all entries are added
}

// bucket holds the entries that begin with the same word, by language.
type bucket []group

// group is the entries of one language in a bucket.
type group struct {
	nr      int // of the language
	entries []*entry
}

func (b bucket) with(e *entry) bucket {
	for i := range b {
		if b[i].nr == e.nr {
			b[i].entries = append(b[i].entries, e)
			return b
		}
	}
	return append(b, group{nr: e.nr, entries: []*entry{e}})
}

func (x *index) add(e *entry, word string, kind partKind) {
	if x.exact == nil {
		x.exact, x.stems = map[string]bucket{}, map[string]bucket{}
	}
	if kind == partWord {
		x.exact[word] = x.exact[word].with(e)
		return
	}
	x.stems[word] = x.stems[word].with(e)
}

// done makes the index ready for use.
func (x *index) done() {
	x.begin = newTrie(x.stems)
	x.stems = nil
}

// at appends the buckets of the entries that may begin at a word.
func (x *index) at(word string, out []bucket) []bucket {
	if b := x.exact[word]; b != nil {
		out = append(out, b)
	}
	return x.begin.each(word, out)
}

// look gives for each word the buckets of the entries that may begin there.
func (x *index) look(words []string) [][]bucket {
	all, ends := make([]bucket, 0, 2*len(words)), make([]int, len(words))
	for i, w := range words {
		all = x.at(w, all)
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
func (r *Rules) likely(words [][]bucket) []bool {
	votes, last := make([]int, len(r.tags)), make([]int, len(r.tags))
	best := 0
	for i, buckets := range words {
		for _, b := range buckets {
			for _, g := range b {
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
	m := &matcher{t: t, words: words, skel: typed, nots: r.nots}
	found := x.look(words)
	likely := r.likely(found)
	plain, later := make([]Hits, len(r.tags)), make([][]pending, len(r.tags))
	for i, buckets := range found {
		for _, b := range buckets {
			for _, g := range b {
				if !likely[g.nr] {
					continue
				}
				for _, e := range g.entries {
					if e.refers {
						later[e.nr] = append(later[e.nr], pending{e, i})
					} else if m.may(e, i) {
						plain[e.nr] = m.try(e, i, plain[e.nr])
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
	e    *entry
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
		for _, e := range l.refs[h.Concept] {
			all = m.try(e, h.From, all)
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
