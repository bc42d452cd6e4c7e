package classify

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

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
	const about = lang.Concept(lang.FieldPrefix + inbox.FieldAbout)
	for i := s.From + 1; i < s.To; i++ {
		if strings.Contains(r.gap(i), ":") && r.hits.Has(lang.Span{From: s.From, To: i}, lang.Change, lang.Add, lang.Wish, about) {
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

// runsOn tells whether more than politeness follows a sentence in its
// paragraph, which may belong to a value that is running text.
func (r *reader) runsOn(sentence int) bool {
	if sentence+1 >= len(r.t.Sentences) {
		return false
	}
	next := r.t.Sentences[sentence+1]
	if strings.Contains(r.gap(next.From), "\n\n") {
		return false
	}
	for i := next.From; i < next.To; i++ {
		w := word(i)
		f := r.hits.In(w, lang.Filler, lang.Closing)
		if len(f) == 0 {
			// What asks for the next thing is none of the value.
			return !r.hits.Has(w, lang.Also, lang.And, lang.Wish, lang.Change, lang.Add, lang.Delete)
		}
		if r.hits.Has(w, lang.Closing) {
			return false
		}
		i = f[0].To - 1
	}
	return false
}

// below takes the lines under a sentence that ends in a colon as the value of
// a field that holds running text.
func (r *reader) below(c *candidate, h lang.Hit) bool {
	i := c.sentence + 1
	if c.Field != inbox.FieldAbout && c.Field != inbox.FieldAddress || i >= len(r.t.Sentences) || !strings.Contains(r.t.EndMark(r.t.Sentences[c.sentence]), ":") {
		return false
	}
	first := r.t.Sentences[i].From
	if v, end, ok := r.quotation(first); ok {
		c.at = lang.Span{From: h.From, To: end}
		c.value = c.at
		return r.setText(c, v, c.at)
	}
	start := r.t.Words[first].Start
	text, _, _ := strings.Cut(r.t.Source[start:], "\n\n")
	if end := r.paragraph(first); c.Field == inbox.FieldAddress && end > first {
		text = r.t.Source[start:r.t.Words[end-1].End] // without "the old one is no longer valid"
	}
	c.value = r.words(start, start+len(text))
	c.at = h.Span
	if c.Field == inbox.FieldAddress {
		text = strings.Join(strings.Split(text, "\n"), ", ")
		c.worth *= sure(strings.Count(text, ", ") < maxLines && r.filler(lang.Span{From: c.value.To, To: len(r.t.Words)}))
		return r.setText(c, text, h.Span)
	}
	c.worth *= unsureOf
	return r.setText(c, text, h.Span)
}

// maxLines bounds the lines of an address.
const maxLines = 6
