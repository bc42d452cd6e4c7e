package classify

import (
	"slices"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// mention is something in the text that may be the value of a field, old or
// new: "it's Lockwood again and no longer Farrant" has two of a name.
type mention struct {
	text     string
	span     lang.Span
	sentence int
	cue      cue
	faint    bool // nothing but its capital letter speaks for it, and it begins a sentence
}

// cue says what stands around a mention.
type cue int

const (
	olden cue = iota - 1 // it is said to be what was, or what is wrong
	bland                // nothing is said
	fresh                // it is said to be what is now, or should be
)

// mentions gives what can be a value of a field. It is looked for once, and not
// to be changed.
func (r *reader) mentions(f inbox.Field) []mention {
	if isName(f) {
		f = inbox.FieldFullName // whole or not, it looks alike
	}
	list, ok := r.mentioning[f]
	if !ok {
		list = r.findMentions(f)
		r.mentioning[f] = list
	}
	return list
}

func (r *reader) findMentions(f inbox.Field) []mention {
	switch f {
	case inbox.FieldEmail, inbox.FieldPhone, inbox.FieldBirth:
		return r.typedMentions(f)
	case inbox.FieldNationality, inbox.FieldOccupation:
		return r.listedMentions(f)
	case inbox.FieldGender:
		return r.genderMentions()
	case inbox.FieldLocation:
		return r.placeMentions()
	case inbox.FieldNickname:
		return r.nickMentions()
	case inbox.FieldFullName:
		return r.nameMentions()
	case inbox.FieldAbout:
		return r.textMentions()
	case inbox.FieldAddress:
		return r.addressMentions()
	}
	return nil
}

// typedMentions finds what its own form tells, above the end of the letter.
func (r *reader) typedMentions(f inbox.Field) []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for _, v := range r.values.in(s, f) {
			if s.From < r.closing() && v.Sure && v.Value != r.from {
				out = append(out, r.mention(i, v.span, v.Value))
			}
		}
	}
	return out
}

// mention weighs what stands around a value.
func (r *reader) mention(sentence int, at lang.Span, text string) mention {
	return mention{text: text, span: at, sentence: sentence, cue: r.cue(r.t.Sentences[sentence], at)}
}

// cue tells whether the words say of a value that it is the old or the new one.
func (r *reader) cue(s, at lang.Span) cue {
	switch {
	case r.marked(s, at, lang.Old), r.excluded(s, at), r.passed(s, at), r.replaced(s, at):
		return olden
	case r.marked(s, at, lang.Set), r.endsAt(s, at.From, lang.New):
		return fresh
	}
	for _, p := range r.parts(s) {
		if at.From < p.From || at.From >= p.To {
			continue
		}
		was := r.hits.Has(p, lang.Old, lang.Wrong)
		if is := r.hits.Has(p, lang.New); is && !was {
			return fresh
		} else if was && !is {
			return olden
		}
	}
	return bland
}

// passed tells whether a phrase that leads to a new value runs over a value:
// "moved from Taraz to {}".
func (r *reader) passed(s, at lang.Span) bool {
	return slices.ContainsFunc(r.hits.Prefixed(s, lang.SetPrefix), func(h lang.Hit) bool { return h.From < at.From && at.To < h.To })
}

// replaced tells whether a sentence says what a value is and, in another part, to
// what it is to be changed: "my number is 1, please change it to 2".
func (r *reader) replaced(s, at lang.Span) bool {
	p := r.piece(s, at)
	if r.hits.Has(p, lang.Change, lang.Add, lang.New) {
		return false
	}
	behind := lang.Span{From: p.To, To: s.To}
	return slices.ContainsFunc(r.hits.In(behind, lang.Change), func(v lang.Hit) bool {
		return slices.ContainsFunc(r.hits.In(behind, lang.Set), func(h lang.Hit) bool {
			return !h.Left && h.To < s.To && h.From == v.To+1 && r.hits.Has(word(v.To), lang.It) && !r.hits.Has(word(h.To), lang.It)
		})
	})
}

// excluded tells whether a "not" is said of a value.
func (r *reader) excluded(s, at lang.Span) bool {
	if r.grammar.notLast {
		return at.To < s.To && r.hits.Has(word(at.To), lang.Negation)
	}
	return slices.ContainsFunc(r.hits.In(lang.Span{From: s.From, To: at.From}, lang.Negation), func(n lang.Hit) bool {
		return at.From-n.To <= 1 && !r.broken(n.To, at.From+1)
	})
}

// listedMentions finds the nationalities or occupations that the rule files
// list, and quotations.
func (r *reader) listedMentions(f inbox.Field) []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for at := s.From; at < s.To; at++ {
			if text, end, ok := r.quotation(at); ok && end <= s.To && end > at && (r.names(s, f) || r.inFile(f, text)) {
				out = append(out, r.mention(i, lang.Span{From: at, To: end}, text))
				at = end - 1
				continue
			}
			if m, ok := r.listed1(i, at, f); ok {
				out = append(out, m)
				at = m.span.To - 1
			}
		}
	}
	return out
}

// listed1 finds the longest value of the rule files that begins at a word.
func (r *reader) listed1(sentence, from int, f inbox.Field) (mention, bool) {
	if !r.mayBeginValue(f, from) {
		return mention{}, false
	}
	s := r.t.Sentences[sentence]
	for n := min(lang.MaxValueWords, s.To-from); n > 0; n-- {
		at := lang.Span{From: from, To: from + n}
		if r.broken(from+1, from+n) {
			continue
		}
		ofField := at.To < s.To && len(r.hits.Prefixed(word(at.To), lang.FieldPrefix)) > 0 && !r.broken(at.To, at.To+1)
		if text, ok := r.value(f, r.t.Slice(at)); ok && !ofField { // рабочая почта
			return r.mention(sentence, at, text), true
		}
	}
	return mention{}, false
}

// genderMentions finds the words of a gender. Where one is said to be wrong, the
// other one is meant.
func (r *reader) genderMentions() []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for _, h := range r.hits.In(s, lang.Male, lang.Female) {
			out = append(out, r.mention(i, h.Span, string(h.Concept)))
		}
	}
	if len(out) > 0 && !slices.ContainsFunc(out, func(m mention) bool { return m.text != out[0].text || !r.wrong(m) }) {
		out = append(out, mention{text: opposite(out[0].text), span: out[0].span, sentence: out[0].sentence, cue: fresh})
	}
	return out
}

// wrong tells whether a phrase says of a value that it is what stands there, or
// that it is wrong.
func (r *reader) wrong(m mention) bool {
	s := r.t.Sentences[m.sentence]
	return m.cue == olden && (r.marked(s, m.span, lang.Old) || r.hits.Has(r.partAt(s, m.span.From), lang.Wrong))
}

// opposite gives the gender that is meant where the other one is wrong.
func opposite(gender string) string {
	if gender == string(lang.Male) {
		return string(lang.Female)
	}
	return string(lang.Male)
}

// maxPlace bounds the words of a place's name.
const maxPlace = 3

// placeMentions finds the towns that the rule files know, and other names that
// are said to be the new ones.
func (r *reader) placeMentions() []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for at := s.From; at < s.To; at++ {
			if !r.capital(at) {
				continue
			}
			for n := min(maxPlace, s.To-at); n > 0; n-- {
				span := lang.Span{From: at, To: at + n}
				if p := r.c.rules.Unbend(r.guess.Tag, r.t.Slice(span)); p.Known && !r.broken(at+1, at+n) {
					out = append(out, r.mention(i, span, p.Name))
					at += n - 1
					break
				}
			}
			name := word(at)
			for name.To < s.To && r.mayName(name.To) && r.t.Words[name.To].Before < lang.Comma {
				name.To++
			}
			if led := r.marked(s, name, lang.Set) || r.endsAt(s, at, lang.New); led && at > s.From && r.mayName(at) {
				out = append(out, r.mention(i, name, r.t.Slice(name)))
			}
		}
	}
	return out
}
