package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// labelled gives the name of the field that a "Field: value" line begins with.
func (r *reader) labelled(s lang.Span) (lang.Hit, bool) {
	_, hits := r.fields(s)
	if len(hits) == 0 || hits[0].From > s.From+2 || hits[0].To >= s.To {
		return lang.Hit{}, false
	}
	h := hits[0]
	if sep := r.gap(h.To); !strings.ContainsAny(sep, ":=—–→") && strings.Trim(sep, " +(") != "-" {
		return lang.Hit{}, false
	}
	for j := s.From; j < h.From; j++ {
		number := strings.Trim(r.t.Words[j].Fold, "0123456789") == ""
		if !number && !r.hits.Has(word(j), lang.Me, lang.New, lang.Change, lang.Common, lang.Wish, lang.Filler) {
			return lang.Hit{}, false
		}
	}
	return h, true
}

// form reads "Field: value" lines. They ask for something only where the
// message asks for a change; else they say who writes.
func (r *reader) form(i int, s lang.Span, asked bool) ([]candidate, bool) {
	h, ok := r.labelled(s)
	if !ok {
		return nil, false
	}
	if r.hits.Has(lang.Span{From: h.To, To: s.To}, lang.Change, lang.Wish) {
		return nil, false // a sentence with a heading
	}
	old := r.hits.Has(lang.Span{From: s.From, To: h.From}, lang.Old, lang.Wrong)
	if (!asked && !r.has(deletesFields)) || old || r.hits.Has(lang.Span{From: h.To, To: s.To}, lang.Keep) {
		return nil, true
	}
	c := candidate{at: lang.Span{From: h.From, To: s.To}, value: lang.Span{From: h.From, To: s.To}, sentence: i, strong: true, worth: 1}
	if asks := r.delimited(i); asks {
		c.worth = unsureOf
	}
	c.Change = inbox.Change{Field: fieldOf(h), Op: inbox.OpSet}
	if v := r.values.in(s, c.Field); len(v) > 0 {
		if arrow := v[len(v)-1]; len(v) > 1 {
			v = values{arrow}
		}
		c.Value = v[0].Value
		c.worth *= sure(v[0].Sure)
	} else if isTyped(c.Field) {
		return nil, true
	} else if !r.setText(&c, r.formText(c.Field, lang.Span{From: h.To, To: s.To}), lang.Span{From: h.To, To: s.To}) {
		return nil, true
	}
	return []candidate{c}, true
}

// delimited tells whether a deletion or copy was asked for before, so that
// the lines behind it may only say who writes.
func (r *reader) delimited(i int) bool {
	return slices.ContainsFunc(r.finds, func(f find) bool { return f.sentence < i && f.Kind != inbox.KindQuestion && f.sentence >= r.subject })
}

// formText gives the value of a form's line: to its end where dots may be part
// of the value, else to the end of the sentence.
func (r *reader) formText(f inbox.Field, at lang.Span) string {
	if f != inbox.FieldAbout && f != inbox.FieldAddress {
		return r.t.Slice(at)
	}
	start := r.t.Words[at.From].Start
	line, _, _ := strings.Cut(r.t.Source[start:], "\n")
	for _, s := range r.t.Sentences {
		if s.From >= at.To && r.hits.Has(s, lang.Change, lang.Wish, lang.Filler) {
			return line[:min(len(line), r.t.Words[s.From].Start-start)] // it asks for the change
		}
	}
	return line
}
