package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// weighUnread makes everything uncertain when a part of the text seems to ask
// for something that no find accounts for: the person would be shown, and
// confirm, half of what they asked.
func (r *reader) weighUnread() {
	for i, s := range r.t.Sentences {
		if slices.ContainsFunc(r.parts(s), func(p lang.Span) bool { return r.unread(i, p) }) {
			for k := range r.finds {
				r.finds[k].Confidence *= unsureOf
			}
			return
		}
	}
}

// unread tells whether a part of sentence i asks for something that was not
// read.
func (r *reader) unread(i int, part lang.Span) bool {
	s := r.t.Sentences[i]
	part = r.beforeBecause(s, part)
	verbs := r.openVerbs(s, part)
	if !verbs && r.hits.Has(part, lang.Keep) {
		return false // leave the bio
	}
	if r.wantsCopy(part) {
		return true
	}
	fields, _ := r.fields(part)
	strange := slices.ContainsFunc(fields, func(f inbox.Field) bool { return !r.hasField(f) })
	switch {
	case r.isRead(part):
		return strange && r.changesIn(s)
	case strange && r.toldValue(part, fields):
		return true
	case !verbs:
		return r.unreadThing(s, part, strange, len(fields) > 0)
	case r.has(deletesAccount) && r.goesAlong(part, strange):
		return false
	case strange || r.hits.Has(part, lang.Other, lang.Act) || r.coordinated(part, true):
		return true
	}
	return len(fields) == 0 && !r.bare(part) && !r.lendsVerb()
}

// wantsCopy tells whether a part asks for a copy, and does not say of what, while
// something else is asked for: "Send me a copy. Delete my account." That none is
// needed asks for nothing, nor does a copy of something else that nobody is to
// send.
func (r *reader) wantsCopy(part lang.Span) bool {
	told := func(q inbox.Request) bool { return q.Kind == inbox.KindCopy || q.Kind == inbox.KindDescribe }
	if !r.has(notQuestion) || r.has(told) || r.hits.Has(part, lang.Negation, lang.No) {
		return false
	}
	for i := part.From; i < part.To; i++ {
		if r.isWord(i, lang.WordCopy) && !r.isRead(word(i)) && !r.isBeside(i) {
			return r.hits.Has(part, lang.Send, lang.Wish) || !r.hits.Has(part, lang.Other, lang.Done)
		}
	}
	return false
}

// beforeBecause gives what stands in a part before the reason that it gives, if
// that asks for nothing.
func (r *reader) beforeBecause(s, part lang.Span) lang.Span {
	b := r.hits.In(part, lang.Because)
	if len(b) > 0 && !r.openVerbs(s, lang.Span{From: b[0].From, To: part.To}) {
		part.To = b[0].From
	}
	return part
}

// openVerbs tells whether a part has a verb that asks for something and that no
// find accounts for.
func (r *reader) openVerbs(s, part lang.Span) bool {
	return slices.ContainsFunc(r.hits.In(part, lang.Delete, lang.Change, lang.Add, lang.Deactivate, lang.Act), func(v lang.Hit) bool {
		return r.mood(s, v.Span) > 0 && !r.isRead(v.Span) && !r.told(s, v.Span)
	})
}

// unreadThing is unread for a part without a verb: it goes on with what another
// part began.
func (r *reader) unreadThing(s, part lang.Span, strange, field bool) bool {
	if strange && r.has(hasValue) && (r.hits.Has(part, lang.New, lang.Wrong) || r.pointed(part)) {
		return true
	}
	begun := part.From == s.From && r.hits.Has(word(s.From), lang.And, lang.Also)
	state := r.hits.Has(part, lang.Account) && r.hasWord(part, lang.WordIs) // "my account is public"
	return strange && begun || r.changesIn(s) && (strange || !field && !state && r.coordinated(part, false))
}

// goesAlong tells whether a part asks for no more than what goes with the account
// that is to be deleted, or the same in other words.
func (r *reader) goesAlong(part lang.Span, strange bool) bool {
	same := strange || r.bare(part) || r.hits.Has(part, lang.Account, lang.Data)
	if same && !r.hits.Has(part, lang.Other, lang.Act, lang.Change, lang.Add, lang.New) {
		return true
	}
	return !strange && len(r.t.Words) < minLegal && !r.hits.Has(part, lang.Other, lang.Act, lang.Third, lang.Change, lang.Add, lang.Deactivate)
}

// toldValue tells whether a part names a field, and a value of it, in a sentence
// of its own, and nothing is said to be done about that field.
func (r *reader) toldValue(part lang.Span, fields []inbox.Field) bool {
	if !r.has(hasValue) {
		return false
	}
	return slices.ContainsFunc(r.values, func(v typed) bool {
		return v.span.From >= part.From && v.span.To <= part.To && part.To-v.span.To+v.span.From-part.From > besideNumber &&
			!introduces(v.field) && slices.Contains(fields, v.field) && !r.hasField(v.field)
	})
}

// besideNumber is how many words stand beside a number in a signature.
const besideNumber = 3

// pointed tells whether a colon or dash in a part points at something.
func (r *reader) pointed(part lang.Span) bool {
	for i := part.From + 1; i <= part.To && i < len(r.t.Words); i++ {
		if strings.ContainsAny(r.gap(i), ":—–=") {
			return true
		}
	}
	return false
}

// isRead tells whether a find or a value lies in the span, if only in part.
func (r *reader) isRead(at lang.Span) bool {
	return slices.ContainsFunc(r.read, func(x lang.Span) bool { return overlap(x, at) })
}

// changesIn tells whether a value was read in the sentence or a field is
// deleted there.
func (r *reader) changesIn(s lang.Span) bool {
	return slices.ContainsFunc(r.finds, func(f find) bool {
		return (f.Kind == inbox.KindChange || f.Scope == inbox.ScopeFields) && f.at >= s.From && f.at < s.To
	})
}

// hasField tells whether a find is about the field, or one of its kin.
func (r *reader) hasField(f inbox.Field) bool {
	same := func(x inbox.Field) bool { return root(x) == root(f) }
	return slices.ContainsFunc(r.finds, func(x find) bool {
		return slices.ContainsFunc(x.Fields, same) || slices.ContainsFunc(x.Changes, func(c inbox.Change) bool { return same(c.Field) })
	})
}

// coordinated tells whether a part says what something is to become: "and my
// plan to premium". Without a verb, what it is must stand before, and little
// beside.
func (r *reader) coordinated(part lang.Span, verb bool) bool {
	if r.hits.Has(part, lang.New, lang.Wrong, lang.Old, lang.Negation, lang.Condition) {
		return false
	}
	first := part.From
	if r.hits.Has(word(first), lang.And) {
		first++
	}
	return slices.ContainsFunc(r.hits.In(part, lang.Set), func(h lang.Hit) bool {
		slot := h.To
		if h.Left {
			slot = h.From - 1
		}
		if slot < part.From || slot >= part.To || r.known(slot) || r.within(h) {
			return false
		}
		return verb || h.From > first && part.To-first <= maxPair && !r.hits.Has(word(first), lang.Set)
	})
}

// within tells whether a phrase is part of a longer one, of some concepts or of
// any: "to" of "up to date".
func (r *reader) within(h lang.Hit, concepts ...lang.Concept) bool {
	near := lang.Span{From: h.From - maxPair, To: h.From + 1}
	return slices.ContainsFunc(r.hits.Prefixed(near, ""), func(x lang.Hit) bool {
		return h.To <= x.To && x.To-x.From > h.To-h.From && (len(concepts) == 0 || slices.Contains(concepts, x.Concept))
	})
}

// maxPair bounds the words of "my plan to premium".
const maxPair = 6

// known tells whether a word is one of those that make sentences, and so no
// value.
func (r *reader) known(i int) bool {
	return r.hits.Has(word(i), lang.Common, lang.Filler, lang.It, lang.Stop, lang.Me, lang.Change, lang.Add, lang.Delete)
}

// lendsVerb tells whether a value stands where no verb asks for it, so that
// the verb of another part does: "My surname is Hill, correct your records".
func (r *reader) lendsVerb() bool {
	return slices.ContainsFunc(r.finds, func(f find) bool {
		if f.Kind != inbox.KindChange {
			return false
		}
		parts := r.parts(r.t.Sentences[f.sentence])
		i := slices.IndexFunc(parts, func(p lang.Span) bool { return f.at >= p.From && f.at < p.To })
		return i >= 0 && !r.hits.Has(parts[i], lang.Change, lang.Add)
	})
}
