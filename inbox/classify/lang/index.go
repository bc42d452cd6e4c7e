package lang

import "unicode/utf8"

// index finds the entries of every language that begin with a word, or with
// the beginning of one.
type index struct {
	exact, stems      map[string][]*entry
	shortest, longest int // bytes of a stem
}

func (x *index) add(e *entry, word string, kind partKind) {
	if x.exact == nil {
		x.exact, x.stems = map[string][]*entry{}, map[string][]*entry{}
		x.shortest = len(word)
	}
	if kind == partWord {
		x.exact[word] = append(x.exact[word], e)
		return
	}
	x.stems[word] = append(x.stems[word], e)
	x.shortest, x.longest = min(x.shortest, len(word)), max(x.longest, len(word))
}

// each calls do with every entry that may begin at a word.
func (x *index) each(word string, do func(*entry)) {
	for _, e := range x.exact[word] {
		do(e)
	}
	for n := 0; n < min(len(word), x.longest); {
		_, size := utf8.DecodeRuneInString(word[n:])
		if n += size; n < x.shortest {
			continue
		}
		for _, e := range x.stems[word[:n]] {
			do(e)
		}
	}
}

// scan finds the entries of every language in a text, by number of the
// language. In a typed scan only those of Cyrillic script are found.
func (r *Rules) scan(t *Text, typed bool) []Hits {
	x := &r.plain
	if typed {
		x = &r.typed
		t.spell()
	}
	m := &matcher{t: t, skel: typed, nots: r.nots}
	plain, later := make([]Hits, len(r.tags)), make([][]pending, len(r.tags))
	for i := range t.Words {
		w := t.Words[i].Fold
		if typed {
			w = t.Words[i].skel
		}
		x.each(w, func(e *entry) {
			if e.refers {
				later[e.nr] = append(later[e.nr], pending{e, i})
			} else {
				plain[e.nr] = m.try(e, i, plain[e.nr])
			}
		})
	}
	cover := make([]Span, len(t.Words))
	for nr, tag := range r.tags {
		plain[nr] = m.referring(r.lexicons[tag], longest(plain[nr], cover), later[nr])
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
