package classify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
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

// mentions finds what can be a value of a field.
func (r *reader) mentions(f inbox.Field) []mention {
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
	case inbox.FieldFullName, inbox.FieldGivenName, inbox.FieldFamilyName:
		return r.nameMentions()
	case inbox.FieldAbout:
		return r.textMentions()
	case inbox.FieldAddress:
		return r.addressMentions()
	}
	return nil
}

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
	case r.marked(s, at, lang.Old), r.excluded(s, at), r.passed(s, at):
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

func (r *reader) genderMentions() []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for _, h := range r.hits.In(s, lang.Male, lang.Female) {
			out = append(out, r.mention(i, h.Span, string(h.Concept)))
		}
	}
	if len(out) > 0 && !slices.ContainsFunc(out, func(m mention) bool { return m.cue != olden || m.text != out[0].text }) {
		out = append(out, mention{text: opposite(out[0].text), span: out[0].span, sentence: out[0].sentence, cue: fresh})
	}
	return out
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

// nickMentions finds quotations of one word, and words that nobody writes: with
// digits or signs between letters.
func (r *reader) nickMentions() []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for at := s.From; at < s.To; at++ {
			if text, end, ok := r.quotation(at); ok && !strings.ContainsAny(text, " \t\n") {
				out = append(out, r.mention(i, lang.Span{From: at, To: max(at+1, end)}, text))
				at = max(at, end-1)
				continue
			}
			if text, end, ok := r.handle(at); ok {
				out = append(out, r.mention(i, lang.Span{From: at, To: end}, text))
				at = end - 1
			}
		}
	}
	return out
}

// handle gives the run of letters, digits and signs that begins at a word, if it
// looks like what only a user calls themselves.
func (r *reader) handle(i int) (string, int, bool) {
	w := r.t.Words[i]
	if i > 0 && r.t.Words[i-1].End > w.Start-1 && w.Start > 0 {
		return "", 0, false
	}
	text := r.t.Source[w.Start:]
	if n := strings.IndexFunc(text, func(c rune) bool { return !isHandle(c) }); n >= 0 {
		text = text[:n]
	}
	text = strings.TrimRight(text, ".-")
	letters := strings.ContainsFunc(text, unicode.IsLetter)
	odd := strings.ContainsAny(text, "_") || strings.ContainsFunc(text, unicode.IsDigit) || inner(text)
	if !letters || !odd || unicode.IsDigit(rune(text[0])) || r.inAddress(i) || utf8.RuneCountInString(text) < 3 {
		return "", 0, false
	}
	return text, r.words(w.Start, w.Start+len(text)).To, true
}

func isHandle(c rune) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_' || c == '-' || c == '.'
}

// inner tells whether a capital letter stands behind a small one.
func inner(s string) bool {
	small := false
	for _, c := range s {
		if small && unicode.IsUpper(c) {
			return true
		}
		small = unicode.IsLower(c)
	}
	return false
}

// nameMentions finds the words with a capital letter that no rule file knows.
func (r *reader) nameMentions() []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		if r.isBeside(s.From) || r.signs(i) || s.From >= r.closing() {
			continue
		}
		for at := s.From; at < s.To; at++ {
			if !r.mayName(at) {
				continue
			}
			end := at + 1
			for end < s.To && r.mayName(end) && r.t.Words[end].Before < lang.Comma {
				end++
			}
			span := lang.Span{From: at, To: end}
			m := r.mention(i, span, r.t.Slice(span))
			if name, known := r.c.rules.UnbendName(r.guess.Tag, m.text); r.grammar.verbLast && known && m.cue == fresh {
				m.text = name
			}
			m.faint = at == s.From && !r.t.Words[at].Quoted && (at == 0 || !strings.Contains(r.gap(at), "|")) && len(value.Name(m.text)) < 2
			out = append(out, m)
			at = end - 1
		}
	}
	return out
}

// mayName tells whether a word can be part of somebody's name.
func (r *reader) mayName(i int) bool {
	w := r.t.Source[r.t.Words[i].Start:r.t.Words[i].End]
	return r.capital(i) && utf8.RuneCountInString(w) > 1 && w != strings.ToUpper(w) && !r.knows(i) && !r.inAddress(i) && !strings.ContainsFunc(r.t.Words[i].Fold, unicode.IsDigit) &&
		!r.c.rules.Unbend(r.guess.Tag, r.t.Slice(word(i))).Known
}

// closing gives the word where a letter has ended and its writer's name begins.
func (r *reader) closing() int {
	body := r.bodyWords()
	for i := body.From + 1; i < body.To; i++ {
		if gap := r.gap(i); strings.Contains(gap, "\n--\n") || strings.Contains(gap, "\n-- \n") {
			return i
		}
	}
	for _, h := range r.hits.In(body, lang.Closing) {
		if h.From > body.From && r.t.Words[h.From].Before == lang.Sentence {
			return h.From
		}
	}
	return len(r.t.Words)
}

// signs tells whether a sentence is the name of the writer below the letter.
func (r *reader) signs(i int) bool {
	s := r.t.Sentences[i]
	if i == 0 || i < r.subject || s.To < len(r.t.Words) && i+2 < len(r.t.Sentences) {
		return false
	}
	for w := s.From; w < s.To; w++ {
		if !r.capital(w) || r.knows(w) {
			return false
		}
	}
	return s.To-s.From <= 3 && strings.Contains(r.gap(s.From), "\n")
}

// minText is how many words a quotation has that may be a text about somebody.
const minText = 3

// textMentions finds quotations of several words and, without one, what stands
// below the last line that ends in a colon.
func (r *reader) textMentions() []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for at := s.From; at < s.To; at++ {
			if text, end, ok := r.quotation(at); ok && end-at >= minText {
				out = append(out, r.mention(i, lang.Span{From: at, To: end}, text))
				at = end - 1
			}
		}
	}
	for i := len(r.t.Sentences) - 1; i >= r.subject && len(out) == 0; i-- {
		if at := r.behindColon(r.t.Sentences[i]); at.To-at.From >= minText {
			out = append(out, r.mention(i, at, r.t.Slice(at)))
		}
	}
	for i := len(r.t.Sentences) - 2; i >= 0 && len(out) == 0; i-- {
		if s := r.t.Sentences[i]; strings.Contains(r.t.EndMark(s), ":") && i >= r.subject {
			at := lang.Span{From: s.To, To: r.paragraph(s.To)}
			out = append(out, r.mention(i+1, at, r.t.Slice(at)))
		}
	}
	return out
}

// behindColon gives what follows the colon of a sentence that asks for something.
func (r *reader) behindColon(s lang.Span) lang.Span {
	for i := s.From + 1; i < s.To; i++ {
		if strings.Contains(r.gap(i), ":") && r.hits.Has(lang.Span{From: s.From, To: i}, lang.Change, lang.Add, lang.Wish, lang.FieldPrefix+lang.Concept(inbox.FieldAbout)) {
			return lang.Span{From: i, To: s.To}
		}
	}
	return lang.Span{}
}

// paragraph gives the word behind the sentences that run on from a word: to a
// blank line, or to one that asks for something or ends the letter.
func (r *reader) paragraph(from int) int {
	end := from
	for _, s := range r.t.Sentences {
		if s.From < from {
			continue
		}
		if s.From > from && (strings.Contains(r.gap(s.From), "\n\n") || r.hits.Has(s, lang.Wish, lang.Closing, lang.Change, lang.Keep, lang.Negation, lang.Filler)) {
			break
		}
		end = s.To
	}
	return end
}

// addressMentions finds runs of words with capital letters, numbers and what
// streets and houses are called.
func (r *reader) addressMentions() []mention {
	var out []mention
	for i, s := range r.t.Sentences {
		for at := s.From; at < s.To; at++ {
			end, number, parts := at, false, 1
			for end < s.To && r.inPostal(end) {
				number = number || strings.ContainsFunc(r.t.Words[end].Fold, unicode.IsDigit)
				if end > at && strings.Contains(r.gap(end), ",") {
					parts++
				}
				end++
			}
			if number && parts > 1 {
				span := lang.Span{From: at, To: end}
				out = append(out, r.mention(i, span, r.t.Slice(span)))
			}
			at = max(at, end-1)
		}
	}
	return out
}

// maxShort is how many letters an abbreviation has at most: "ул.", "apt."
const maxShort = 4

// inPostal tells whether a word can be part of a postal address.
func (r *reader) inPostal(i int) bool {
	w := r.t.Words[i]
	short := utf8.RuneCountInString(w.Fold) <= maxShort && strings.HasPrefix(r.t.Source[w.End:], ".")
	_, street := r.c.rules.Value(r.guess, "street", w.Fold)
	digits := strings.ContainsFunc(w.Fold, unicode.IsDigit)
	typed := slices.ContainsFunc(r.values, func(v typed) bool { return v.span.From <= i && i < v.span.To })
	return !typed && (digits || street || short || r.capital(i) && !r.hits.Has(word(i), lang.Filler, lang.Change, lang.Wish, lang.Set, lang.Me))
}
