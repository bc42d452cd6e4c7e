package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// typedChanges reads the dates, numbers and addresses of a sentence.
func (r *reader) typedChanges(i int, s lang.Span) []candidate {
	if s.From >= r.closing() && !r.hits.Has(s, lang.Change, lang.New, lang.Wrong) {
		return nil // how to reach the writer
	}
	var out []candidate
	for _, f := range typedFields {
		if v := r.values.in(s, f); len(v) > 0 {
			if c, ok := r.typedChange(i, f, v); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// typedChange reads the new value of one field among those of a sentence.
func (r *reader) typedChange(i int, f inbox.Field, v values) (candidate, bool) {
	s := r.t.Sentences[i]
	where, ok := r.speaksOf(i, f)
	if !ok && r.isListed(i, v) {
		where, ok = r.t.Sentences[i-1], true
		r.read = append(r.read, where)
	}
	if !ok && !r.implied(s, f) {
		return candidate{}, false
	}
	c := candidate{sentence: i, worth: r.changeMood(s) * sure(ok), prescribed: r.prescribed(s, v)}
	onlySubject := r.subject > 0 && where == r.t.Sentences[0] && i >= r.subject
	c.worth *= sure(!onlySubject || r.hits.Has(s, lang.Change, lang.Add, lang.New))
	c.strong = c.prescribed || r.hits.Has(s, lang.Change, lang.Add, lang.New) || r.hits.Has(where, lang.New, lang.Change)
	x, certain := r.newest(s, v)
	if x == nil || !c.strong && !r.hits.Has(where, lang.Wrong) && !r.states(s, f, v) {
		return candidate{}, false
	}
	c.Change = inbox.Change{Field: f, Op: r.op(s, x.span), Value: x.Value}
	c.worth *= sure(x.Sure) * sure(certain)
	if !r.saidOf(s, f, x.span) {
		c.worth = min(c.worth, unsureOf)
	}
	c.at, c.value = x.span, x.span
	if where.From < s.To && where.From >= s.From {
		c.at = r.around(s, x.span)
	}
	return c, true
}

// saidOf tells whether the part of a sentence that a value stands in says that it
// is to be stored: "call me at", "I signed up on" and "my boss is at" say
// something else of it. A value that is all its part has belongs to what stands
// before.
func (r *reader) saidOf(s lang.Span, f inbox.Field, at lang.Span) bool {
	p := r.piece(s, at)
	switch {
	case r.cue(s, at) != olden && slices.ContainsFunc(r.hits.Prefixed(p, lang.SetPrefix), func(h lang.Hit) bool { return fieldOf(h) == f && h.To == at.From }):
		return true // "people can ring me on"
	case r.cue(s, at) == olden, r.hits.Has(p, lang.Contact), r.hits.Has(lang.Span{From: s.From, To: at.From}, lang.Contact) && !r.marked(s, at, lang.Set):
		return false
	case strings.Contains(r.t.EndMark(s), "?") && !r.hits.Has(s, lang.Wish, lang.Change, lang.Add):
		return false // "my phone is ...?"
	case r.marked(s, at, lang.Set), r.hits.Has(p, lang.Change, lang.Add, lang.New), r.endsAt(s, at.From, lang.Wish):
		return true
	}
	before := r.hits.Prefixed(lang.Span{From: max(p.From, at.From-reachField), To: at.From}, lang.FieldPrefix)
	if slices.ContainsFunc(before, func(h lang.Hit) bool { return fieldOf(h) == f }) {
		return true // "my birthday 3 May 1980, please correct it"
	}
	_, labelled := r.labelled(s)
	return labelled || len(r.hits.Prefixed(p, lang.SetPrefix)) > 0 || p.From >= at.From && r.filler(lang.Span{From: at.To, To: p.To})
}

// reachField is how many words a value may stand behind what its field is called.
const reachField = 4

// piece gives the part of a sentence, between commas or colons, that a value
// stands in.
func (r *reader) piece(s, at lang.Span) lang.Span {
	for _, p := range r.commas(s) {
		if at.From >= p.From && at.From < p.To {
			return p
		}
	}
	return s
}

// isListed tells whether a sentence is nothing but a value below one that asks
// for changes and ends in a colon: what the value is says the field.
func (r *reader) isListed(i int, v values) bool {
	if i == 0 || len(v) != 1 || !r.listsBelow(i-1) {
		return false
	}
	s, before := r.t.Sentences[i], r.t.Sentences[i-1]
	return v[0].span == s && r.hits.Has(before, lang.Change, lang.Add) && r.changeMood(before) == 1
}

// implied tells whether a sentence asks for a change and names no field, so
// that an address or number in it is likely what is to be entered.
func (r *reader) implied(s lang.Span, f inbox.Field) bool {
	if fields, _ := r.fields(s); len(fields) > 0 || f == inbox.FieldBirth || r.hits.Has(s, lang.Other) {
		return false
	}
	return slices.ContainsFunc(r.hits.In(s, lang.Change, lang.Add), func(v lang.Hit) bool { return r.mood(s, v.Span) > 0 })
}

// around gives the sentence as far as it is of use for a reason.
func (r *reader) around(s, at lang.Span) lang.Span {
	return lang.Span{From: max(s.From, at.From-12), To: at.To}
}

// speaksOf finds the place that names the field: the sentence, the one before
// it, or the subject.
func (r *reader) speaksOf(i int, f inbox.Field) (lang.Span, bool) {
	places := []lang.Span{r.t.Sentences[i]}
	if i > 0 {
		places = append(places, r.t.Sentences[i-1])
	}
	if j, ok := r.opener(i); ok {
		places = append(places, r.t.Sentences[j])
	}
	if r.subject > 0 {
		places = append(places, r.t.Sentences[0])
	}
	for _, s := range places {
		for _, h := range append(r.hits.Prefixed(s, lang.FieldPrefix), r.hits.Prefixed(s, lang.SetPrefix)...) {
			if fieldOf(h) == f || (f == inbox.FieldEmail && fieldOf(h) == inbox.FieldAddress) {
				return s, true
			}
		}
	}
	return lang.Span{}, false
}

// opener finds the sentence that asks for a change further back, when those
// between it and sentence i name no field and ask for nothing else: "Please update
// my number. I lost the old SIM. The new one is …".
func (r *reader) opener(i int) (int, bool) {
	for j := i - 1; j >= r.subject; j-- {
		s := r.t.Sentences[j]
		if fields, _ := r.fields(s); len(fields) > 0 {
			return j, len(fields) == 1 && r.hits.Has(s, lang.Change, lang.Add)
		}
		if r.acts(s.From, s.To) {
			break
		}
	}
	return 0, false
}

// states tells whether a phrase of the rule files says the field's value.
func (r *reader) states(s lang.Span, f inbox.Field, v values) bool {
	for _, h := range r.hits.Prefixed(s, lang.SetPrefix) {
		for _, x := range v {
			if fieldOf(h) == f && (h.Left || (x.span.From >= h.To && x.span.From <= h.To+3)) {
				return true
			}
		}
	}
	return f == inbox.FieldBirth && r.hits.Has(s, lang.Set)
}

// prescribed tells whether a wish points at one of the values: "should be".
func (r *reader) prescribed(s lang.Span, v values) bool {
	return slices.ContainsFunc(v, func(x typed) bool {
		return slices.ContainsFunc(r.hits.In(s, lang.Wish), func(w lang.Hit) bool { return w.To == x.span.From })
	})
}

// newest tells the new value from the old ones, and whether it is sure.
func (r *reader) newest(s lang.Span, v values) (*typed, bool) {
	var left values
	for _, x := range v {
		if r.marked(s, x.span, lang.Old) && !r.marked(s, x.span, lang.Set) || r.replaced(s, x.span) {
			continue
		}
		if x.field == inbox.FieldEmail && r.from != "" && x.Value == r.from && len(v) > 1 {
			continue
		}
		if r.repeated(x, v) {
			continue
		}
		left = append(left, x)
	}
	if len(left) == 0 {
		return nil, false
	}
	for _, x := range left[1:] {
		if x.Value != left[0].Value {
			for k := range left {
				if r.marked(s, left[k].span, lang.Set) && r.count(s, left, lang.Set) == 1 {
					return &left[k], !r.paired(left, k)
				}
			}
			return &left[len(left)-1], false
		}
	}
	return &left[0], true
}

// paired tells whether nothing but an "and" stands between a value and the one
// behind it: both are to be stored.
func (r *reader) paired(v values, k int) bool {
	if k+1 >= len(v) || v[k+1].Value == v[k].Value {
		return false
	}
	between := lang.Span{From: v[k].span.To, To: v[k+1].span.From}
	return between.To-between.From <= reachPart && r.countCovered(between, lang.And, lang.Or, lang.Also) >= between.To-between.From
}

// minSame is how many last digits two spellings of a number share.
const minSame = 9

// repeated tells whether a number written without its country stands among
// the values once more with it: "9847012345, i.e. +91 9847012345".
func (r *reader) repeated(x typed, v values) bool {
	if x.field != inbox.FieldPhone || strings.HasPrefix(r.t.Source[x.Start:], "+") || len(x.Value) <= minSame {
		return false
	}
	end := x.Value[len(x.Value)-minSame:]
	return slices.ContainsFunc(v, func(o typed) bool {
		return o.Value != x.Value && strings.HasSuffix(o.Value, end) && strings.HasPrefix(r.t.Source[o.Start:], "+")
	})
}

// count counts the values that a phrase points at.
func (r *reader) count(s lang.Span, v values, c lang.Concept) int {
	n := 0
	for _, x := range v {
		if r.marked(s, x.span, c) {
			n++
		}
	}
	return n
}

// marked tells whether a phrase with {} points at the words. Of two that
// point at them, the longer one decides.
func (r *reader) marked(s, at lang.Span, c lang.Concept) bool {
	best, found := 0, false
	for _, h := range r.hits.In(s, lang.Set, lang.Old) {
		points := h.Left && h.From == at.To || !h.Left && h.To == at.From
		n := h.To - h.From
		if points && (n > best || n == best && h.Concept == c) {
			best, found = n, h.Concept == c
		}
	}
	return found
}
