package classify

import (
	"slices"

	"push.guru/supportd/inbox"
)

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
		c.worth *= sure(!stated)
		i := slices.IndexFunc(out, func(o candidate) bool { return o.Field == c.Field })
		if i < 0 {
			out = append(out, c)
		} else {
			out[i] = r.better(out[i], c)
		}
	}
	r.divide(out)
	return slices.DeleteFunc(out, func(c candidate) bool { return explained(c, out) })
}

// better gives the better of two values of a field, the first being that of an
// earlier sentence.
func (r *reader) better(a, b candidate) candidate {
	switch {
	case a.Value == b.Value:
		a.worth, a.strong = max(a.worth, b.worth), a.strong || b.strong
		return a
	case b.strong && !a.strong:
		return b
	case a.strong && !b.strong:
		return a
	case isTyped(b.Field) && r.cue(r.t.Sentences[b.sentence], b.value) > r.cue(r.t.Sentences[a.sentence], a.value):
		b.worth *= unsureOf
		return b
	}
	a.worth *= unsureOf
	return a
}

// explained tells whether another value says the same in more words, or was meant
// by the same ones: "I'm a woman" tells no trade.
func explained(c candidate, list []candidate) bool {
	return slices.ContainsFunc(list, func(o candidate) bool {
		switch c.Field {
		case inbox.FieldOccupation, inbox.FieldNationality:
			return o.Field == inbox.FieldGender && overlap(o.value, c.value)
		case inbox.FieldGivenName, inbox.FieldFamilyName:
			return o.Field == inbox.FieldFullName && !c.strong
		}
		return false
	})
}

// divide makes values uncertain that were read from the same words for several
// fields, but for those whose field the sentence names.
func (r *reader) divide(list []candidate) {
	for i := range list {
		shared := slices.ContainsFunc(list, func(o candidate) bool {
			return o.Field != list[i].Field && overlap(o.value, list[i].value)
		})
		if !shared {
			continue
		}
		if fields, _ := r.fields(r.t.Sentences[list[i].sentence]); !slices.Contains(fields, list[i].Field) {
			list[i].worth *= unsureOf
		}
	}
}
