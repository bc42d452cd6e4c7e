package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// slotChanges reads the values that stand where a phrase says so.
func (r *reader) slotChanges(i int, s lang.Span) []candidate {
	var out []candidate
	verb := r.hits.Has(s, lang.Change, lang.Add)
	slots := r.hits.Prefixed(s, lang.SetPrefix)
	for _, h := range slots {
		f := fieldOf(h)
		if isTyped(f) || longer(slots, h) || r.outdated(s, h) || h.Weak && !r.confirms(s, h) {
			continue
		}
		c := candidate{sentence: i, worth: r.changeMood(s)}
		c.strong = (verb || r.hits.Has(s, lang.New)) && !r.introduced(s, f, h.Span)
		c.Change = inbox.Change{Field: f, Op: r.op(s, h.Span)}
		if r.capture(&c, s, h) {
			out = append(out, c)
		}
	}
	if r.hits.Has(s, lang.Delete) && !verb {
		return out
	}
	return append(out, r.genericSlots(i, s, verb)...)
}

// confirms tells whether a sentence says more of a value than a phrase that may
// say one: it names the field, or something is new or wrong.
func (r *reader) confirms(s lang.Span, h lang.Hit) bool {
	return r.names(s, fieldOf(h)) || h.To-h.From > 1 && r.hits.Has(s, lang.New, lang.Wrong)
}

// outdated tells whether a longer phrase says of the same words that they are
// the old value: "as" of "is showing as".
func (r *reader) outdated(s lang.Span, h lang.Hit) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Old), func(o lang.Hit) bool {
		return !h.Left && !o.Left && o.To == h.To && o.From < h.From && !r.hits.Has(o.Span, lang.Negation)
	})
}

// introduced tells whether a name is said in passing, in a sentence whose wish is
// about something else: "My name is Jonas Hill, please change my telephone
// number".
func (r *reader) introduced(s lang.Span, f inbox.Field, at lang.Span) bool {
	if !introduces(f) || r.grammar.verbLast {
		return false
	}
	elsewhere := false
	for _, p := range r.parts(s) {
		asks := r.acts(p.From, p.To)
		if at.From >= p.From && at.From < p.To {
			if asks || r.hits.Has(p, lang.New, lang.Wrong) {
				return false
			}
			continue
		}
		fields, _ := r.fields(p)
		other := slices.ContainsFunc(fields, func(f inbox.Field) bool { return !introduces(f) || f == inbox.FieldEmail })
		elsewhere = elsewhere || asks && (other || r.hits.Has(p, lang.Account, lang.Data))
	}
	return elsewhere
}

// longer tells whether a phrase begins a longer one: "I'm a" of "I'm a citizen
// of".
func longer(slots lang.Hits, h lang.Hit) bool {
	return slices.ContainsFunc(slots, func(o lang.Hit) bool { return !h.Left && !o.Left && o.From == h.From && o.To > h.To })
}

// names tells whether a sentence names a field.
func (r *reader) names(s lang.Span, f inbox.Field) bool {
	fields, _ := r.fields(s)
	return slices.Contains(fields, f)
}

// genericSlots reads the phrases that leave open which field they are about:
// the one that stands before them, else the one that the sentence before or
// the subject speaks of.
func (r *reader) genericSlots(i int, s lang.Span, verb bool) []candidate {
	_, fields := r.fields(s)
	said := verb || r.hits.Has(s, lang.New, lang.Wrong)
	var out []candidate
	for _, h := range r.openSlots(s) {
		f, ok := r.slotField(i, h, fields, verb)
		ought := len(fields) > 0 && r.normative(s, h)
		if !ok || isTyped(f) || r.outdated(s, h) || len(fields) > 0 && !said && !ought {
			continue
		}
		if slices.ContainsFunc(out, func(c candidate) bool { return c.asked == f || h.From >= c.value.From && h.From < c.value.To }) {
			continue
		}
		c := candidate{sentence: i, asked: f, strong: len(fields) > 0 && !r.introduced(s, f, h.Span), worth: r.changeMood(s)}
		c.Change = inbox.Change{Field: f, Op: r.op(s, h.Span)}
		if !r.capture(&c, s, h) {
			continue
		}
		if len(fields) == 0 {
			c.worth *= 0.9
			return append(out, c)
		}
		c.prescribed = ought && !r.takenBack(s, h) && (said || isName(c.Field) || r.t.Words[c.value.From].Quoted || r.inFile(c.Field, c.Value))
		out = append(out, c)
	}
	if len(out) == 0 && len(fields) == 1 && verb {
		out = r.fieldLast(i, s, fields[0])
	}
	return out
}

// openSlots gives the phrases and signs of a sentence that a value follows, of
// whichever field.
func (r *reader) openSlots(s lang.Span) lang.Hits {
	return append(r.pointers(s), slices.DeleteFunc(r.hits.In(s, lang.Set), r.spentOn)...)
}

// slotField finds the field that a phrase is about: one that its sentence names
// or, if it names none, the one that those beside it do.
func (r *reader) slotField(i int, h lang.Hit, fields lang.Hits, verb bool) (inbox.Field, bool) {
	if len(fields) == 0 {
		return r.context(i)
	}
	return r.fieldFor(h, fields, verb)
}

// takenBack tells whether a "not" or "but" follows what ought to be, where nothing
// is said to be wrong.
func (r *reader) takenBack(s lang.Span, h lang.Hit) bool {
	return !r.hits.Has(s, lang.Wrong) && r.hits.Has(lang.Span{From: h.To, To: s.To}, lang.No, lang.But, lang.Negation)
}

// fieldLast reads the value that stands before the one field of a sentence: "I am
// a dentist now, correct my job". It may be about something else.
func (r *reader) fieldLast(i int, s lang.Span, field lang.Hit) []candidate {
	f := fieldOf(field)
	if isTyped(f) || f == inbox.FieldAbout || f == inbox.FieldAddress {
		return nil
	}
	for _, h := range r.hits.In(lang.Span{From: s.From, To: field.From}, lang.Set) {
		c := candidate{sentence: i, asked: f, worth: r.changeMood(s) * unsureOf}
		c.Change = inbox.Change{Field: f, Op: r.op(s, h.Span)}
		if !h.Left && r.broken(h.To, field.From+1) && !r.spentOn(h) && r.capture(&c, s, h) {
			return []candidate{c}
		}
	}
	return nil
}

// spentOn tells whether a phrase is part of a longer one that says nothing: "to"
// of "to be honest", "на" of "на сайте".
func (r *reader) spentOn(h lang.Hit) bool { return r.within(h, lang.Filler, lang.Place, lang.Other) }

// context gives the one field that the sentence before or the subject is about,
// or that is asked for in the sentence behind.
func (r *reader) context(i int) (inbox.Field, bool) {
	for _, j := range []int{i - 1, 0} {
		if j < 0 || j == i || (j == 0 && i > 1 && r.subject == 0) {
			continue
		}
		if s := r.t.Sentences[j]; r.hits.Has(s, lang.Delete) && !r.hits.Has(s, lang.Change, lang.Add) {
			continue // "Delete my bio. It's embarrassing."
		}
		if fields, _ := r.fields(r.t.Sentences[j]); len(fields) == 1 {
			return fields[0], true
		}
	}
	if i+1 < len(r.t.Sentences) && !r.hits.Has(r.t.Sentences[i], lang.Change, lang.Add, lang.Delete) {
		return r.lastWord(r.t.Sentences[i+1])
	}
	return "", false
}

// lastWord gives the one field that a sentence asks to change and ends with: "Now
// I am a senior engineer. Please correct my job."
func (r *reader) lastWord(s lang.Span) (inbox.Field, bool) {
	fields, hits := r.fields(s)
	if len(fields) == 1 && r.hits.Has(s, lang.Change) && hits[len(hits)-1].To+1 >= s.To && len(r.hits.In(s, lang.Set)) == 0 {
		return fields[0], true
	}
	return "", false
}

// pointers gives the colons and dashes of a sentence that a value with a
// capital letter or quotation marks follows, as phrases of no words.
func (r *reader) pointers(s lang.Span) lang.Hits {
	var out lang.Hits
	for i := s.From + 1; i < s.To; i++ {
		sep := r.gap(i)
		named := r.endsName(s, i) && r.capital(i) && strings.Trim(sep, " ") == ""
		marked := strings.ContainsAny(sep, ":=—–→") && (r.capital(i) || r.t.Words[i].Quoted || strings.ContainsAny(sep, ":=")) || isArrow(sep)
		told := r.t.Words[i].Quoted && !r.t.Words[i-1].Quoted && r.hits.Has(word(i-1), lang.Add, lang.Change)
		if named || marked || told {
			out = append(out, lang.Hit{Concept: lang.Set, Span: lang.Span{From: i, To: i}})
		}
	}
	return out
}

// isArrow tells whether what stands between two words leads from an old value
// to a new one.
func isArrow(sep string) bool {
	return strings.Contains(sep, "->") || strings.Contains(sep, "=>") || strings.Contains(sep, "→")
}

// endsName tells whether what calls a person's or a place's name ends at a
// word: "my maiden name, Kowalski", "город Костанай".
func (r *reader) endsName(s lang.Span, i int) bool {
	for _, h := range r.hits.Prefixed(lang.Span{From: s.From, To: i}, lang.FieldPrefix) {
		switch f := fieldOf(h); {
		case h.To != i:
		case f == inbox.FieldFullName, f == inbox.FieldGivenName, f == inbox.FieldFamilyName, f == inbox.FieldLocation:
			return true
		}
	}
	return false
}

// fieldFor finds the field that a "to {}" belongs to: the nearest before it;
// without a verb it must be the word before.
func (r *reader) fieldFor(h lang.Hit, fields lang.Hits, verb bool) (inbox.Field, bool) {
	var best *lang.Hit
	for i, f := range fields {
		if f.To <= h.From || f.From >= h.From && f.To <= h.To { // before it, or in a gap of it
			best = &fields[i]
		}
	}
	if h.Left && !r.grammar.verbLast {
		// "X as my city and Y as my job": what is named behind it.
		if i := slices.IndexFunc(fields, func(f lang.Hit) bool { return f.From >= h.To && f.From-h.To <= 1 }); i >= 0 {
			best = &fields[i]
		}
	}
	if best == nil && h.Left && len(fields) > 0 {
		best = &fields[0]
	}
	pointer := h.From == h.To
	if best == nil && pointer && r.t.Words[h.From].Quoted && verb && len(fields) == 1 {
		return fieldOf(fields[0]), true // add "…" to my bio
	}
	if best != nil && len(fields) == 1 && (verb || h.To-h.From > 1 || pointer && isArrow(r.gap(h.From))) {
		return fieldOf(*best), true // there is no other that it could belong to
	}
	if best == nil || (!h.Left && !pointer && h.From-best.To > map[bool]int{true: 3, false: 2}[verb]) {
		return "", false
	}
	return fieldOf(*best), true
}
