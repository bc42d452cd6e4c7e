package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// candidate is a value that somebody may want stored.
type candidate struct {
	inbox.Change
	at       lang.Span   // the words that decided, value included
	value    lang.Span   // the words of the value
	asked    inbox.Field // that the sentence names; of a name, the value may tell another
	sentence int
	strong   bool // the sentence itself asks for the change
	worth    float64

	prescribed bool // a wish points at the value
}

// readChanges finds the new values of fields.
func (r *reader) readChanges() {
	asked, bare := r.asksChange(), r.bareForm()
	if !asked && !bare && !r.mayChange() {
		return
	}
	list := r.candidates(asked || bare)
	for _, c := range list {
		r.read = append(r.read, c.value)
	}
	more := r.saysMore(list)
	for _, c := range r.choose(list) {
		switch told := !asked && !c.prescribed && !r.announced(c); {
		case told:
			c.worth *= unsureOf
		case more || r.rivalled(c, list) || r.refuses() || r.timed(c) || r.forAnother(c):
			c.worth = min(c.worth, unsureOf)
		}
		r.add(find{
			Request: inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{c.Change}, Confidence: full * c.worth, Because: r.because(c.at)},
			at:      c.value.From, sentence: c.sentence,
		})
	}
}

// timed tells whether a value is to be stored until, or from, another time than
// now: "my city to Rome until Monday", "to Smith after the wedding".
func (r *reader) timed(c candidate) bool {
	s := r.t.Sentences[c.sentence]
	if c.Field == inbox.FieldAbout || c.value.To > s.To {
		return false
	}
	p := r.piece(s, c.value)
	behind := lang.Span{From: c.value.To, To: max(p.To, c.value.To)}
	for behind.To < s.To && r.t.Words[behind.To].Before < lang.Comma {
		behind.To++ // an address has commas in it
	}
	asks := r.hits.Has(p, lang.Change, lang.Add)
	return r.untilIn(behind) || asks && (r.isWord(p.From, lang.WordUntil) || r.grammar.verbLast && r.untilIn(p))
}

// forAnother tells whether a value seems to be that of somebody else: they are
// named behind it, or beside an account.
func (r *reader) forAnother(c candidate) bool {
	s := r.t.Sentences[c.sentence]
	if c.value.To > s.To {
		return false
	}
	for i := c.value.To; i < s.To && r.t.Words[i].Before < lang.Comma && !r.hits.Has(word(i), lang.Because); i++ {
		if r.isWord(i, lang.WordKin) {
			return true // "to +7701… for him"
		}
	}
	return slices.ContainsFunc(r.commas(s), func(p lang.Span) bool {
		return r.hits.Has(p, lang.Account) && (r.hits.Has(p, lang.Third) || r.hasWord(p, lang.WordKin)) // "I sold the account to him"
	})
}

// untilIn tells whether words say until, or from, when something is to be.
func (r *reader) untilIn(at lang.Span) bool {
	for i := at.From; i < at.To; i++ {
		if r.isUntil(i) {
			return true
		}
	}
	return r.hits.Has(at, lang.Temporary, lang.Later)
}

// mayChange tells whether a text that asks for no change in so many words may
// want one.
func (r *reader) mayChange() bool {
	return r.hits.Has(r.all(), lang.New, lang.Wrong) || r.has(deletesFields) || r.wonders() || r.prescribed(r.all(), r.values) || r.wishesField() || r.contrastsAny()
}

// candidates gives every value that somebody may want stored.
func (r *reader) candidates(asked bool) []candidate {
	var list []candidate
	for i, s := range r.t.Sentences {
		if c, ok := r.form(i, s, asked); ok {
			list = append(list, c...)
			continue
		}
		list = append(list, r.typedChanges(i, s)...)
		list = append(list, r.slotChanges(i, s)...)
	}
	list = slices.DeleteFunc(list, r.outdone)
	list = append(list, r.inferred(list, asked)...)
	return slices.DeleteFunc(list, func(c candidate) bool { return c.Field == inbox.FieldPhone && !value.IsPhone(c.Value) })
}

// announced tells whether a part of a sentence says that a field has a new value
// now: who writes that to the support wants it entered.
func (r *reader) announced(c candidate) bool {
	s := r.t.Sentences[c.sentence]
	if r.hits.Has(s, lang.Other, lang.Third, lang.Condition, lang.Problem, lang.HowTo, lang.Send, lang.Done) || r.asks(s) {
		return false
	}
	if r.hits.Has(r.all(), lang.Problem) || !isTyped(c.Field) && !isName(c.Field) && !r.inFile(c.Field, c.Value) {
		return false
	}
	fields, _ := r.fields(s)
	return r.hits.Has(s, lang.New) && len(fields) == 1 && fields[0] == c.Field
}

// wishesField tells whether, in a message that asks for nothing else, a
// sentence names a field and both wishes something and says a value.
func (r *reader) wishesField() bool {
	return r.prescribes() || len(r.finds) == 0 && !r.refuses() && slices.ContainsFunc(r.t.Sentences, r.wishesValue)
}

// wishesValue is wishesField of one sentence.
func (r *reader) wishesValue(s lang.Span) bool {
	refused := slices.ContainsFunc(r.hits.In(s, lang.Negation), func(n lang.Hit) bool { return n.To-n.From > 1 || r.hits.Has(s, lang.Change, lang.Add) })
	if refused || r.hits.Has(s, lang.Other, lang.Third, lang.Delete, lang.HowTo, lang.Condition, lang.Problem, lang.Send) {
		return false
	}
	return slices.ContainsFunc(r.parts(s), func(p lang.Span) bool {
		fields := named(r.hits.Prefixed(p, lang.FieldPrefix))
		if slices.Contains(fields, inbox.FieldAbout) && r.hits.Has(s, lang.Wish) && len(r.mentions(inbox.FieldAbout)) > 0 {
			return true
		}
		who := slices.ContainsFunc(fields, func(f inbox.Field) bool { return introduces(f) || f == inbox.FieldPhone || f == inbox.FieldAddress })
		return len(fields) > 0 && r.hits.Has(p, lang.Wish) && (r.hits.Has(s, lang.Old) || !who && r.hits.Has(s, lang.Set))
	})
}

// prescribes tells whether a sentence says what a field ought to be.
func (r *reader) prescribes() bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool {
		return !r.hits.Has(s, lang.Other, lang.Third, lang.Delete, lang.HowTo, lang.Condition) && len(r.hits.Prefixed(s, lang.FieldPrefix)) > 0 &&
			slices.ContainsFunc(r.hits.In(s, lang.Set), func(h lang.Hit) bool { return r.normative(s, h) })
	})
}

// normative tells whether a phrase says what ought to be: "must be {}".
func (r *reader) normative(s lang.Span, h lang.Hit) bool {
	return slices.ContainsFunc(r.hits.In(s, lang.Wish), func(w lang.Hit) bool { return w.To == h.To || w.From >= h.From && w.To < h.To })
}

// refuses tells whether a change is said not to be wanted.
func (r *reader) refuses() bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool {
		return slices.ContainsFunc(r.hits.In(s, lang.Change, lang.Add), func(v lang.Hit) bool { return r.negated(s, v.Span) })
	})
}

// minForm is how many "Field: value" lines make a form.
const minForm = 2

// bareForm tells whether a message is a form and asks for nothing: who fills
// in a form probably wants it entered.
func (r *reader) bareForm() bool {
	lines := 0
	for _, s := range r.t.Sentences {
		if _, ok := r.labelled(s); ok {
			lines++
		}
	}
	return lines >= minForm && len(r.finds) == 0
}

// asksChange tells whether any sentence asks for a change.
func (r *reader) asksChange() bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool { return r.asksFor(s, lang.Change, lang.Add) })
}

// wonders tells whether a question may ask for a change: "can I have another
// name?"
func (r *reader) wonders() bool {
	return slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool {
		fields, _ := r.fields(s)
		return len(fields) > 0 && r.asks(s) && r.hits.Has(s, lang.Possible) &&
			!r.hits.Has(s, lang.HowTo, lang.Condition, lang.Third) && r.hits.Has(s, lang.Change, lang.Add)
	})
}

// changeMood is the mood of the sentence for a value, and of its verb.
func (r *reader) changeMood(s lang.Span) float64 {
	worth, asking := 1.0, r.beforeReason(s)
	for _, speaksAgainst := range []bool{
		r.hits.Has(s, lang.HowTo) && r.asks(s) && !r.hits.Has(s, lang.Wish),
		r.hits.Has(asking, lang.Third) || r.hits.Has(asking, lang.Other) && !r.hits.Has(s, lang.New, lang.Wrong),
		r.hits.Has(s, lang.Condition) || r.hits.Has(s, lang.Send) && !r.hits.Has(s, lang.Change, lang.Wrong),
		r.fails(s),
	} {
		worth *= sure(!speaksAgainst)
	}
	for _, v := range r.hits.In(s, lang.Change, lang.Add) {
		worth *= sure(!r.negated(s, v.Span))
	}
	return worth
}

// beforeReason gives the part of a sentence before the reason that it gives for a
// change: "change my address because | I left the company".
func (r *reader) beforeReason(s lang.Span) lang.Span {
	for _, h := range r.hits.In(s, lang.Because) {
		if before := (lang.Span{From: s.From, To: h.From}); r.hits.Has(before, lang.Change, lang.Add) {
			return before
		}
	}
	return s
}

// fails tells whether something does not work; that the old value does not is
// why it is to be changed.
func (r *reader) fails(s lang.Span) bool {
	return slices.ContainsFunc(r.parts(s), func(p lang.Span) bool { return r.hits.Has(p, lang.Problem) && !r.hits.Has(p, lang.Old) })
}

// op tells whether a value is to stand beside the one that is there.
func (r *reader) op(s, at lang.Span) inbox.Op {
	if !r.hits.Has(s, lang.Add) {
		return inbox.OpSet
	}
	if v, ok := r.ruling(s, at); ok && v.Concept == lang.Add {
		return inbox.OpAdd
	}
	return inbox.OpSet
}

// ruling gives the verb that a value belongs to: the last one before it, in a
// language whose verbs come last the first one behind it; else the other.
func (r *reader) ruling(s, at lang.Span) (lang.Hit, bool) {
	var before, behind *lang.Hit
	verbs := r.hits.In(s, lang.Change, lang.Add)
	for i, v := range verbs {
		switch {
		case v.To <= at.From && (before == nil || v.Concept == lang.Change || r.starts(s, v.From)):
			before = &verbs[i]
		case v.From >= at.To && behind == nil:
			behind = &verbs[i]
		}
	}
	if behind != nil && (before == nil || r.grammar.verbLast) {
		return *behind, true
	}
	if before != nil {
		return *before, true
	}
	return lang.Hit{}, false
}

// starts tells whether a word opens a part of its sentence, politeness left
// out: there "add" is a verb, elsewhere it may be "the second phone".
func (r *reader) starts(s lang.Span, i int) bool {
	for ; i > s.From && r.t.Words[i].Before < lang.Comma; i-- {
		before := word(i - 1)
		if r.hits.Has(before, lang.And) {
			return true
		}
		if !r.hits.Has(before, lang.Filler, lang.Wish, lang.Also, lang.Add) {
			return false
		}
	}
	return true
}
