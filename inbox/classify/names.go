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

// isHandle tells the signs of which such names consist.
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
	w := r.t.Slice(word(i))
	if !r.capital(i) || utf8.RuneCountInString(w) < 2 || w == strings.ToUpper(w) || strings.ContainsFunc(w, unicode.IsDigit) {
		return false
	}
	return !r.knows(i) && !r.inAddress(i) && !r.c.rules.Unbend(r.guess.Tag, w).Known
}

// closing gives the word where a letter has ended and its writer's name begins.
func (r *reader) closing() int {
	if r.ended == 0 {
		r.ended = r.findClosing()
	}
	return r.ended
}

func (r *reader) findClosing() int {
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
	for i := len(r.t.Sentences) - 1; i > r.subject; i-- {
		s := r.t.Sentences[i]
		if !strings.Contains(r.gap(s.From), "\n\n") {
			continue
		}
		if s.To-s.From <= maxSigned && r.nameLike(s) {
			return s.From // a name below a blank line, and what is below it
		}
		break
	}
	return len(r.t.Words)
}

// maxSigned bounds the words of a name below a letter.
const maxSigned = 3

// nameLike tells whether all words of a span have a capital letter, and none is
// known.
func (r *reader) nameLike(s lang.Span) bool {
	for w := s.From; w < s.To; w++ {
		if !r.capital(w) || r.knows(w) {
			return false
		}
	}
	return true
}

// signs tells whether a sentence is the name of the writer below the letter.
func (r *reader) signs(i int) bool {
	s := r.t.Sentences[i]
	if i == 0 || i < r.subject || s.To < len(r.t.Words) && i+2 < len(r.t.Sentences) {
		return false
	}
	return r.nameLike(s) && s.To-s.From <= maxSigned && strings.Contains(r.gap(s.From), "\n")
}

// setName sets a name, and tells whether it is a whole one or a part.
func (r *reader) setName(c *candidate, text string, at lang.Span) bool {
	words := value.Name(text)
	if words == nil || r.small(at) || r.hits.Has(at, lang.Male, lang.Female) {
		return false
	}
	if len(words) > 1 && strings.ToLower(text) == text && r.usesCapitals() {
		return false
	}
	if len(words) > 1 && r.forms.leads(words[0], r.t.Words[at.To-1].Fold) {
		words, c.worth = words[1:], c.worth*unsureOf // "Касымовтан Қасымовқа"
	}
	c.worth *= sure(value.Proper(words))
	switch n := r.countNames(words); {
	case c.Field == inbox.FieldFullName && n == 1:
		c.Field = inbox.FieldGivenName
		fields, _ := r.fields(r.all())
		c.worth *= sure(slices.ContainsFunc(fields, isName)) // else it may be the family's: "I'm called Hill now"
	case c.Field == inbox.FieldFullName || n == 1:
	case n == 2 && r.isLabelled(c.sentence, c.Field): // "Surname: Oliveira Santos"
	default:
		c.Field = inbox.FieldFullName
	}
	c.Value = strings.Join(words, " ")
	return true
}

// countNames counts the words of a name, a particle being part of the word behind
// it: De Wit, van der Berg.
func (r *reader) countNames(words []string) int {
	n := 0
	for _, w := range words {
		if !r.isOfAny(w, lang.WordParticle) {
			n++
		}
	}
	return max(n, 1)
}

// usesCapitals tells whether most sentences of the text begin with a capital
// letter, so that its writer would give names theirs.
func (r *reader) usesCapitals() bool {
	n := 0
	for _, s := range r.t.Sentences {
		if r.capital(s.From) {
			n++
		}
	}
	return 2*n > len(r.t.Sentences)
}

// small tells whether a word of the span is a known one without a capital
// letter, so that the span is no name.
func (r *reader) small(at lang.Span) bool {
	for _, h := range r.hits.In(at, lang.Common, lang.Me, lang.Filler, lang.Change, lang.Wrong, lang.New, lang.Delete, lang.Keep) {
		if !r.capital(h.From) {
			return true
		}
	}
	return false
}
