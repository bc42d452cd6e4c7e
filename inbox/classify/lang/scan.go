package lang

import "slices"

// spot is a Hit while a text is scanned: there are thousands, of which a few are
// kept.
type spot struct {
	from    int32
	n       uint16 // words
	concept uint16
	role
	marks
	nr uint8 // of the language, until those of each are apart
}

func (s spot) span() Span { return Span{int(s.from), s.to()} }
func (s spot) to() int    { return int(s.from) + int(s.n) }

// role says what a hit does to the hits in it and around it.
type role uint16

const (
	roleNo     role = 1 << iota // a whole no
	roleYes                     // a whole yes
	roleReason                  // counts only beside an answer or a request, and the words in it keep their own meaning
	roleOther                   // none of these
	roleOpen                    // answers in part, or leaves the answer open
	roleFiller
	roleAsks   // an act that can be asked for, or what it is about
	roleAgreed // says, within a whole yes, what is agreed to
	roleAct    // is agreed to as a word by itself
	roleSlot   // a phrase with {} and otherwise nothing but words
	roleWords  // any other phrase
)

func (r role) is(any role) bool { return r&any != 0 }

// role gives what a concept says of the role of its hits. Of the nouns those of
// one word alone say what is agreed to, as "can go" may be of "you can go on".
func (c Concept) role() role {
	switch c {
	case No:
		return roleNo
	case Yes:
		return roleYes
	case Reason, Unused, Aside, Little, Heard, Both, When, Moot, NotMine, Private:
		return roleReason
	case Partial, Perhaps:
		return roleOther | roleOpen
	case Filler:
		return roleOther | roleFiller
	case Delete, Deactivate, Account, Data:
		return roleOther | roleAsks | roleAgreed
	case Deleting:
		return roleOther | roleAsks | roleAct
	case Change, Add, Send, Negation:
		return roleOther | roleAsks
	}
	if c.names(FieldPrefix) {
		return roleOther | roleAsks
	}
	return roleOther
}

// of gives the role of a hit of some words.
func (r role) of(words int, m marks) role {
	if r.is(roleAct) && words == 1 {
		r |= roleAgreed
	}
	if m.has(isSlot) {
		return r | roleSlot
	}
	return r | roleWords
}

// scan is a text in one of its spellings, and what was found in it so far, by
// number of the language.
type scan struct {
	matcher
	index  *index
	all    []bucket // of the words
	ends   []int32  // of the buckets of each
	likely []bool
	done   []bool
	found  [][]spot

	room  []spot // for what is found in one go
	cover []extent
}

// scan gives the scan of a text. In a typed one only entries of Cyrillic script
// are found.
func (r *Rules) scan(t *Text, typed bool) *scan {
	list, x := &t.plain, &r.plain
	if typed {
		list, x = &t.typed, &r.typed
	}
	if *list == nil {
		s := &scan{matcher: r.newMatcher(t, typed), index: x, done: make([]bool, len(r.tags)), found: make([][]spot, len(r.tags))}
		s.all, s.ends = x.look(&s.matcher)
		s.room, s.cover = make([]spot, 0, len(s.all)), make([]extent, len(t.Words))
		s.likely = r.likely(x, s.all, s.ends)
		*list = s
	}
	return *list
}

// found gives what the rule files find in a text in a language. Those of the
// languages beside it are looked for at the same time.
func (r *Rules) found(t *Text, typed bool, l *lexicon, beside ...*lexicon) []spot {
	s := r.scan(t, typed)
	if s.done[l.nr] {
		return s.found[l.nr]
	}
	wanted := make([]bool, len(r.tags))
	for _, x := range append(beside, l) {
		wanted[x.nr] = s.likely[x.nr] && !s.done[x.nr]
	}
	found, later := s.plainly(wanted)
	list := apart(found, len(r.tags))
	for _, x := range append(beside, l) {
		if wanted[x.nr] {
			s.found[x.nr] = s.referring(x, longest(list[x.nr], s.cover), later)
		}
		s.done[x.nr] = true
	}
	return s.found[l.nr]
}

// likely tells which languages a text may be in, by their numbers: those that
// know at least half as many of its words as the one that knows the most, and
// those that are looked for in any text.
func (r *Rules) likely(x *index, all []bucket, ends []int32) []bool {
	votes, last := make([]int, len(r.tags)), make([]int, len(r.tags))
	best, from := 0, int32(0)
	for i, end := range ends {
		for _, b := range all[from:end] {
			for _, g := range x.groups[b.from:b.to] {
				if last[g.nr] <= i {
					last[g.nr] = i + 1
					votes[g.nr]++
					best = max(best, votes[g.nr])
				}
			}
		}
		from = end
	}
	out := make([]bool, len(r.tags))
	for nr, tag := range r.tags {
		out[nr] = 2*votes[nr] >= best || tag == "en" || slices.Contains(cyrillicTags, tag)
	}
	return out
}

// pending is an entry that may begin at a word, and that refers to what other
// entries find.
type pending struct {
	e    *pattern
	word int
}

// plainly finds the entries of some languages that refer to no others, and gives
// those that do.
func (s *scan) plainly(wanted []bool) (found []spot, later []pending) {
	found = s.room[:0]
	from := int32(0)
	for i, end := range s.ends {
		for _, b := range s.all[from:end] {
			for g := b.from; g < b.to; g++ {
				if wanted[s.index.groups[g].nr] {
					found, later = s.begin(g, i, found, later)
				}
			}
		}
		from = end
	}
	s.room = found
	return found, later
}

// begin finds those of a group of entries that begin at a word.
func (s *scan) begin(group uint32, word int, found []spot, later []pending) ([]spot, []pending) {
	next := uint32(unknown)
	if word+1 < len(s.numbers) {
		next = s.numbers[word+1]
	}
	for _, x := range s.index.entries(group) {
		if x.second != unknown && x.second != next {
			continue
		}
		if e := &s.book.patterns[x.entry]; e.has(isRefers) {
			later = append(later, pending{e, word})
		} else {
			found = s.try(e, word, found)
		}
	}
	return found, later
}

// apart parts what was found by the number of the language.
func apart(found []spot, languages int) [][]spot {
	counts := make([]int, languages)
	for _, s := range found {
		counts[s.nr]++
	}
	out, room := make([][]spot, languages), make([]spot, len(found))
	for nr, n := range counts {
		out[nr], room = room[:0:n], room[n:]
	}
	for _, s := range found {
		nr := s.nr
		s.nr = 0
		out[nr] = append(out[nr], s)
	}
	return out
}

// referring adds the entries of a language that refer to the plain ones found.
func (m *matcher) referring(l *lexicon, plain []spot, later []pending) []spot {
	m.found = plain
	all := plain
	for _, p := range later {
		if int(p.e.nr) == l.nr {
			all = m.try(p.e, p.word, all)
		}
	}
	for _, s := range plain {
		for _, n := range l.refs[s.concept] {
			all = m.try(&m.book.patterns[n], int(s.from), all)
		}
	}
	for i := range all[len(plain):] {
		all[len(plain)+i].nr = 0
	}
	return all
}

// extent is a Span that takes less room.
type extent struct{ from, to int32 }

// hidings say which hits are hidden where they lie inside longer ones: those
// inside a hit of the role by, but for those of a role that is spared. In a
// whole yes or no ("don't delete my account") the acts and things keep their own
// meaning, and a reason hides nothing and is not hidden: it counts only beside
// something else. The "por" of "por favor" says no value.
var hidings = [...]hiding{
	{roleOther, roleReason | roleSlot},
	{roleNo, roleReason | roleSlot | roleAsks},
	{roleYes, roleReason | roleSlot | roleAgreed},
	{roleFiller, roleWords},
}

type hiding struct{ by, spared role }

// longest drops every hit that lies inside a longer phrase. cover is room for an
// extent of every word.
func longest(hits []spot, cover []extent) []spot {
	for _, h := range hidings {
		if h.covers(hits, cover) {
			hits = slices.DeleteFunc(hits, func(s spot) bool {
				c := cover[s.from]
				inside := c.from <= s.from && s.to() <= int(c.to) && int32(s.n) < c.to-c.from
				return inside && !s.is(h.spared) && (!s.has(isLoose) || s.has(isSlot))
			})
		}
	}
	return hits
}

// covers writes down the longest phrase that hides each word, and tells whether
// there is any.
func (h hiding) covers(hits []spot, cover []extent) bool {
	any := false
	for _, s := range hits {
		if s.n < 2 || s.has(isLoose) || !s.is(h.by) {
			continue
		}
		if !any {
			any = true
			clear(cover)
		}
		for i := s.from; i < s.from+int32(s.n); i++ {
			if c := &cover[i]; int32(s.n) > c.to-c.from {
				*c = extent{s.from, s.from + int32(s.n)}
			}
		}
	}
	return any
}
