package classify

import (
	"slices"
	"strings"

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
	all := r.all()
	asked, bare := r.asksChange(), r.bareForm()
	if !asked && !bare && !r.wonders() && !r.hits.Has(all, lang.New, lang.Wrong) && !r.has(deletesFields) && !r.prescribed(all, r.values) && !r.wishesField() && !r.contrastsAny() {
		return
	}
	var list []candidate
	for i, s := range r.t.Sentences {
		if c, ok := r.form(i, s, asked || bare); ok {
			list = append(list, c...)
			continue
		}
		list = append(list, r.typedChanges(i, s)...)
		list = append(list, r.slotChanges(i, s)...)
	}
	list = slices.DeleteFunc(list, r.outdone)
	list = append(list, r.inferred(list, asked || bare)...)
	list = slices.DeleteFunc(list, func(c candidate) bool { return c.Field == inbox.FieldPhone && !value.IsPhone(c.Value) })
	for _, c := range list {
		r.read = append(r.read, c.value)
	}
	more := r.saysMore(list)
	for _, c := range r.choose(list) {
		switch told := !asked && !c.prescribed && !r.announced(c); {
		case told:
			c.worth *= unsureOf
		case more || r.rivalled(c, list) || r.refuses():
			c.worth = min(c.worth, unsureOf)
		}
		r.add(find{
			Request: inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{c.Change}, Confidence: full * c.worth, Because: r.because(c.at)},
			at:      c.value.From, sentence: c.sentence,
		})
	}
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
	if r.prescribes() {
		return true
	}
	return len(r.finds) == 0 && !r.refuses() && slices.ContainsFunc(r.t.Sentences, func(s lang.Span) bool {
		refused := slices.ContainsFunc(r.hits.In(s, lang.Negation), func(n lang.Hit) bool { return n.To-n.From > 1 || r.hits.Has(s, lang.Change, lang.Add) })
		if refused || r.hits.Has(s, lang.Other, lang.Third, lang.Delete, lang.HowTo, lang.Condition, lang.Problem, lang.Send) {
			return false
		}
		return slices.ContainsFunc(r.parts(s), func(p lang.Span) bool {
			fields := named(r.hits.Prefixed(p, lang.FieldPrefix))
			if slices.Contains(fields, inbox.FieldAbout) && r.hits.Has(s, lang.Wish) && len(r.textMentions()) > 0 {
				return true
			}
			who := slices.ContainsFunc(fields, func(f inbox.Field) bool { return introduces(f) || f == inbox.FieldPhone || f == inbox.FieldAddress })
			return len(fields) > 0 && r.hits.Has(p, lang.Wish) && (r.hits.Has(s, lang.Old) || !who && r.hits.Has(s, lang.Set))
		})
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
	for _, s := range r.t.Sentences {
		for _, v := range r.hits.In(s, lang.Change, lang.Add) {
			if r.mood(s, v.Span) > 0 {
				return true
			}
		}
	}
	return false
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

// choose keeps one value a field: one that is asked for in its own sentence
// before one that is only stated, and of several such the first, unsure. Beside
// what is asked for, a stated name or address says who writes, and anything
// else that is stated may do so.
func (r *reader) choose(list []candidate) []candidate {
	var out []candidate
	anyStrong := slices.ContainsFunc(list, func(c candidate) bool { return c.strong })
	for _, c := range list {
		if c.Op == inbox.OpAdd && single(c.Field) {
			c.Op, c.worth = inbox.OpSet, c.worth*unsureOf // "add my patronymic"
		}
		stated := anyStrong && !c.strong
		if c.worth < worthIt || stated && introduces(c.Field) {
			continue
		}
		if stated {
			c.worth *= unsureOf
		}
		i := slices.IndexFunc(out, func(o candidate) bool { return o.Field == c.Field })
		switch {
		case i < 0:
			out = append(out, c)
		case isTyped(c.Field) && r.cue(r.t.Sentences[c.sentence], c.value) > r.cue(r.t.Sentences[out[i].sentence], out[i].value) && c.strong == out[i].strong && out[i].Value != c.Value:
			c.worth *= unsureOf
			out[i] = c
		case out[i].Value == c.Value:
			out[i].worth, out[i].strong = max(out[i].worth, c.worth), out[i].strong || c.strong
		case c.strong && !out[i].strong:
			out[i] = c
		case c.strong == out[i].strong:
			out[i].worth *= unsureOf
		}
	}
	r.divide(out)
	out = slices.DeleteFunc(out, func(c candidate) bool {
		// "I'm a woman" tells no trade.
		return (c.Field == inbox.FieldOccupation || c.Field == inbox.FieldNationality) && slices.ContainsFunc(out, func(o candidate) bool {
			return o.Field == inbox.FieldGender && o.value.From < c.value.To && c.value.From < o.value.To
		})
	})
	full := slices.ContainsFunc(out, func(c candidate) bool { return c.Field == inbox.FieldFullName })
	return slices.DeleteFunc(out, func(c candidate) bool {
		return full && (c.Field == inbox.FieldGivenName || c.Field == inbox.FieldFamilyName) && !c.strong
	})
}

// single tells the fields of which nobody has two.
func single(f inbox.Field) bool {
	switch f {
	case inbox.FieldFullName, inbox.FieldGivenName, inbox.FieldFamilyName, inbox.FieldGender, inbox.FieldBirth:
		return true
	}
	return false
}

// divide makes values uncertain that were read from the same words for several
// fields, but for those whose field the sentence names.
func (r *reader) divide(list []candidate) {
	for i := range list {
		shared := slices.ContainsFunc(list, func(o candidate) bool {
			return o.Field != list[i].Field && o.value.From < list[i].value.To && list[i].value.From < o.value.To
		})
		if !shared {
			continue
		}
		if fields, _ := r.fields(r.t.Sentences[list[i].sentence]); !slices.Contains(fields, list[i].Field) {
			list[i].worth *= unsureOf
		}
	}
}

func fieldOf(h lang.Hit) inbox.Field {
	s := string(h.Concept)
	s = strings.TrimPrefix(strings.TrimPrefix(s, lang.FieldPrefix), lang.SetPrefix)
	return inbox.Field(s)
}

// typedFields are those whose values their own form tells.
var typedFields = []inbox.Field{inbox.FieldEmail, inbox.FieldPhone, inbox.FieldBirth}

func isTyped(f inbox.Field) bool { return slices.Contains(typedFields, f) }

// changeMood is the mood of the sentence for a value, and of its verb.
func (r *reader) changeMood(s lang.Span) float64 {
	worth := 1.0
	if r.hits.Has(s, lang.HowTo) && r.asks(s) && !r.hits.Has(s, lang.Wish) {
		worth *= unsureOf
	}
	if r.hits.Has(s, lang.Third) || r.hits.Has(s, lang.Other) && !r.hits.Has(s, lang.New, lang.Wrong) {
		worth *= unsureOf
	}
	if r.hits.Has(s, lang.Condition) || r.hits.Has(s, lang.Send) && !r.hits.Has(s, lang.Change, lang.Wrong) {
		worth *= unsureOf
	}
	if r.fails(s) {
		worth *= unsureOf
	}
	verbs := r.hits.In(s, lang.Change, lang.Add)
	for _, v := range verbs {
		if r.negated(s, v.Span) {
			worth *= unsureOf
		}
	}
	return worth
}

// fails tells whether something does not work; that the old value does not is
// why it is to be changed.
func (r *reader) fails(s lang.Span) bool {
	for _, p := range r.parts(s) {
		if r.hits.Has(p, lang.Problem) && !r.hits.Has(p, lang.Old) {
			return true
		}
	}
	return false
}

// introduces tells the fields by which people say who they are.
func introduces(f inbox.Field) bool {
	return f == inbox.FieldEmail || f == inbox.FieldFullName || f == inbox.FieldGivenName || f == inbox.FieldFamilyName
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
		before := lang.Span{From: i - 1, To: i}
		if r.hits.Has(before, lang.And) {
			return true
		}
		if !r.hits.Has(before, lang.Filler, lang.Wish, lang.Also, lang.Add) {
			return false
		}
	}
	return true
}
