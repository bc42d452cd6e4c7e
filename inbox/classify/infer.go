package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// inferred gives the values of fields that are named and for which no phrase of
// the rule files told a value: of what can be a value of the field by its own
// form, the one that is not said to be the old one. It is certain only where that
// is said of all others, and of itself that it is the new one.
//
// Where no change is asked for in so many words, a field by which people say who
// they are needs the old value beside the new one, or a word that says which is
// new.
func (r *reader) inferred(list []candidate, asked bool) []candidate {
	if !asked && (r.refuses() || len(r.finds) > 0) {
		return nil
	}
	var out []candidate
	wanted, named := r.wanted(list)
	slices.SortStableFunc(wanted[:named], func(a, b inbox.Field) int { return maxWords(b) - maxWords(a) }) // running text holds names of all kinds
	for i, f := range wanted {
		all := slices.DeleteFunc(slices.Clone(r.mentions(f)), func(m mention) bool { return r.taken(list, m.span) || r.taken(out, m.span) })
		m, ok := newer(all)
		who := (introduces(f) || f == inbox.FieldNickname) && len(all) < 2 && !r.saysWhich(m, asked)
		if !ok || who || r.hits.Has(r.t.Sentences[m.sentence], lang.Third) {
			continue
		}
		if c, ok := r.mentioned(f, m); ok {
			c.worth *= sure(asked && i < named && m.cue == fresh && r.alone(m, all))
			out = append(out, c)
		}
	}
	return out
}

// mentioned makes a mention the value of a field, if it can be one.
func (r *reader) mentioned(f inbox.Field, m mention) (candidate, bool) {
	c := candidate{sentence: m.sentence, asked: f, at: m.span, value: m.span, strong: true, worth: 1}
	c.Change = inbox.Change{Field: f, Op: r.op(r.t.Sentences[m.sentence], m.span)}
	if f == inbox.FieldLocation || f == inbox.FieldOccupation {
		c.worth = sure(r.inFile(f, m.text))
	}
	if isTyped(f) || f == inbox.FieldGender {
		c.Value = m.text
		return c, true
	}
	return c, r.setText(&c, m.text, m.span)
}

// saysWhich tells whether the sentence of a name or an address says more than who
// writes.
func (r *reader) saysWhich(m mention, asked bool) bool {
	s := r.t.Sentences[m.sentence]
	return m.cue == fresh && r.hits.Has(s, lang.New, lang.Change, lang.Wrong, lang.Old) || asked && r.hits.Has(s, lang.Change, lang.Wrong)
}

// alone tells whether all other mentions of a field are said to be old.
func (r *reader) alone(m mention, all []mention) bool {
	return !slices.ContainsFunc(all, func(o mention) bool { return o.text != m.text && o.cue != olden })
}

// rivalled tells whether something else in the text could be the value of a
// candidate's field and is not said to be the old one.
func (r *reader) rivalled(c candidate, list []candidate) bool {
	if isTyped(c.Field) || c.Field == inbox.FieldGender {
		return false
	}
	return slices.ContainsFunc(r.mentions(c.Field), func(m mention) bool {
		if p := r.partAt(r.t.Sentences[c.sentence], c.value.From); m.span.From >= p.From && m.span.To <= c.value.From {
			return false // from A to B
		}
		return !overlap(m.span, c.value) && m.cue != olden && !m.faint && m.text != c.Value && !r.taken(list, m.span)
	})
}

// inFile tells whether a value of a field is one that the rule files list.
func (r *reader) inFile(f inbox.Field, text string) bool {
	switch f {
	case inbox.FieldGender:
		return true
	case inbox.FieldLocation:
		return r.c.rules.Unbend(r.guess.Tag, text).Known
	}
	_, ok := r.value(f, text)
	return ok
}

// value gives a value that the rule files list for a field; a country, too, is
// a nationality.
func (r *reader) value(f inbox.Field, text string) (string, bool) {
	if v, ok := r.c.rules.Value(r.guess, string(f), text); ok || f != inbox.FieldNationality {
		return v, ok
	}
	return r.c.rules.Value(r.guess, "country", text)
}

// mayBeginValue tells whether a value that the rule files list for a field may
// begin with a word.
func (r *reader) mayBeginValue(f inbox.Field, i int) bool {
	w := r.t.Slice(word(i))
	return r.c.rules.MayBeginValue(r.guess, string(f), w) || f == inbox.FieldNationality && r.c.rules.MayBeginValue(r.guess, "country", w)
}

// taken tells whether a word is part of the value of a candidate.
func (r *reader) taken(list []candidate, at lang.Span) bool {
	return slices.ContainsFunc(list, func(c candidate) bool { return overlap(at, c.value) })
}

// wanted gives the fields that no candidate is about: first those that are named
// outside of what is to be deleted, and how many they are, then those of which
// an old and a new value are told.
func (r *reader) wanted(list []candidate) ([]inbox.Field, int) {
	var out []inbox.Field
	for _, s := range r.t.Sentences {
		for _, p := range r.parts(s) {
			refused := r.hits.Has(p, lang.Negation) && r.hits.Has(p, lang.Change, lang.Add)
			if refused || r.hits.Has(p, lang.Delete) || r.isBeside(p.From) {
				continue
			}
			for _, f := range named(r.hits.Prefixed(p, lang.FieldPrefix)) {
				if !slices.Contains(out, f) && !r.hasCandidate(list, f) {
					out = append(out, f)
				}
			}
		}
	}
	named := len(out)
	for _, f := range contrasting {
		if f == inbox.FieldGender && len(list) > 0 {
			continue // the other one is meant only where nothing else is
		}
		if !slices.Contains(out, f) && !r.hasCandidate(list, f) && r.contrasts(f) {
			out = append(out, f)
		}
	}
	return out, named
}

// contrasting are the fields whose values tell what they are values of.
var contrasting = []inbox.Field{inbox.FieldGender, inbox.FieldNationality, inbox.FieldOccupation, inbox.FieldLocation,
	inbox.FieldEmail, inbox.FieldPhone, inbox.FieldBirth, inbox.FieldFullName, inbox.FieldNickname}

// contrastsAny tells whether a message that asks for nothing else tells an old
// and a new value.
func (r *reader) contrastsAny() bool {
	all := r.all()
	return len(r.finds) == 0 && !r.refuses() && r.hits.Has(all, lang.Old, lang.Negation) && slices.ContainsFunc(contrasting, r.contrasts)
}

// contrasts tells whether the text says of two values of a field that one is
// old and the other new, so that the field need not be named: "no more
// resident, it's paediatrician now".
func (r *reader) contrasts(f inbox.Field) bool {
	was, is := false, false
	own := isTyped(f) || f == inbox.FieldNickname // of two such values, one being old tells the other
	for _, m := range r.mentions(f) {
		if r.supposed(m) {
			continue
		}
		named := isName(f) && !r.grammar.verbLast && r.namesName(r.t.Sentences[m.sentence])
		known := own || named || r.inFile(f, m.text) || isName(f) && m.span.To-m.span.From > 1
		was, is = was || known && m.cue == olden, is || known && (m.cue == fresh || (own || named) && m.cue != olden)
	}
	return was && is
}

// namesName tells whether a name is all that a sentence speaks of.
func (r *reader) namesName(s lang.Span) bool {
	fields, _ := r.fields(s)
	return len(fields) == 1 && isName(fields[0])
}

// outdone tells whether a candidate of a phrase is said to be the old value, and
// something else in the text to be the new one.
func (r *reader) outdone(c candidate) bool {
	if c.Field == inbox.FieldAbout || r.cue(r.t.Sentences[c.sentence], c.value) != olden {
		return false
	}
	return slices.ContainsFunc(r.mentions(c.Field), func(m mention) bool {
		return !overlap(m.span, c.value) && m.cue == fresh && !m.faint && m.text != c.Value && !r.supposed(m)
	})
}

// supposed tells whether the sentence of a mention speaks of somebody else, or of
// what may be.
func (r *reader) supposed(m mention) bool {
	return r.hits.Has(r.t.Sentences[m.sentence], lang.Condition, lang.Perhaps, lang.Third)
}

// hasCandidate tells whether a candidate is about a field, or one of its kin.
func (r *reader) hasCandidate(list []candidate, f inbox.Field) bool {
	return slices.ContainsFunc(list, func(c candidate) bool {
		return c.worth >= worthIt && (c.Field == f || c.asked == f || isName(c.Field) && isName(f))
	})
}

// newer gives the one mention that may be the new value.
func newer(list []mention) (mention, bool) {
	for _, want := range []func(mention) bool{
		func(m mention) bool { return m.cue == fresh && !m.faint },
		func(m mention) bool { return m.cue == bland && !m.faint },
		func(m mention) bool { return m.cue == fresh },
	} {
		var found []mention
		for _, m := range list {
			if want(m) && !slices.ContainsFunc(found, func(o mention) bool { return o.text == m.text }) {
				found = append(found, m)
			}
		}
		if len(found) > 0 {
			return found[len(found)-1], true
		}
	}
	return mention{}, false
}
