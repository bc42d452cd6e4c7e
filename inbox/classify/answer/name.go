package answer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox/classify/lang"
)

// maxName bounds the words of a name under a letter, and maxTitled those of a
// name with titles and a post.
const (
	maxName   = 3
	maxTitled = 6
)

// signed gives the word where the name of the writer begins at the end of a
// span: behind a closing, or with capital letters on a line of its own. A
// word that means something is no name.
func (r *reader) signed(s lang.Span) int {
	if to := r.numbered(s); to < s.To {
		if at := r.signed(lang.Span{From: s.From, To: to}); at < to {
			return at
		}
	}
	for _, h := range r.hits {
		if h.Concept == lang.Closing && h.From > s.From && h.To < s.To && s.To-h.To <= maxTitled && r.titled(lang.Span{From: h.To, To: s.To}) {
			return h.To
		}
	}
	for i := s.To - 1; i > s.From && s.To-i <= maxName; i-- {
		if r.known(i) {
			break
		}
		closed := slices.ContainsFunc(r.hits, func(h lang.Hit) bool { return h.Concept == lang.Closing && h.To == i })
		if closed || r.t.Words[i].Before == lang.Sentence && r.capital(lang.Span{From: i, To: s.To}) {
			return i
		}
	}
	return s.To
}

// numbered gives the word where a telephone number begins at the end of a span,
// on a line of its own.
func (r *reader) numbered(s lang.Span) int {
	i := s.To
	for i > s.From && digits(r.t.Words[i-1].Fold) == len(r.t.Words[i-1].Fold) {
		i--
	}
	if i > s.From && i < s.To && r.t.Words[i].Before == lang.Sentence {
		return i
	}
	return s.To
}

// titled tells whether a span behind a closing is a name with titles and a post:
// "Dr. H. Hill\nHead of sales". It begins with a capital letter or an
// abbreviation, has more words with a capital letter than without one, and
// holds nothing that can be asked for or said against a yes.
func (r *reader) titled(s lang.Span) bool {
	capitals := 0
	for i := s.From; i < s.To; i++ {
		one := at(i)
		short := i+1 < s.To && strings.HasPrefix(r.t.Source[r.t.Words[i].End:], ".")
		switch {
		case r.capital(one):
			capitals++
		case i == s.From && !short:
			return false
		}
		if r.hits.Has(one, lang.Wish, lang.Delete, lang.Deleted, lang.Deactivate, lang.Send, lang.Also, lang.Perhaps, lang.Partial, lang.Doubt, lang.Account, lang.Data, lang.Done) {
			return false
		}
	}
	return 2*capitals > s.To-s.From
}

// introduced tells whether a word is part of a name that the writer gives: "this
// is Ann Lee", "it was me, Ann Lee". Beside an act it may be of something else.
func (r *reader) introduced(i int) bool {
	name := r.nameAt(i)
	if name.From == 0 || name.From == name.To || name.To-name.From > maxName || !r.closes(name.To) {
		return false
	}
	before := name.From - 1
	if r.t.Words[name.From].Before >= lang.Comma {
		return r.covers(before, lang.Me) || r.listed(before, lang.WordSelf)
	}
	part := r.part(name.From)
	if before == part && r.covers(part, lang.Me) && !r.hits.Has(lang.Span{From: part, To: name.To}, acts...) {
		return true // "I, Ann Lee, …"
	}
	for before > part && r.small(before) && !r.covers(before, lang.It) {
		before--
	}
	return r.covers(before, lang.It) && !r.hits.Has(lang.Span{From: part, To: name.To}, acts...)
}

// nameAt gives the words of a name around a word of it, within its part of the
// sentence; of another word, nothing.
func (r *reader) nameAt(i int) lang.Span {
	if !r.isName(i) {
		return lang.Span{}
	}
	from, to := i, i+1
	for from > 0 && r.isName(from-1) && r.t.Words[from].Before < lang.Comma {
		from--
	}
	for !r.closes(to) && r.isName(to) {
		to++
	}
	return lang.Span{From: from, To: to}
}

// isName tells whether a word has a capital letter and means nothing.
func (r *reader) isName(i int) bool {
	return r.capital(at(i)) && !r.known(i)
}

// capital tells whether every word of a span begins with a capital letter.
func (r *reader) capital(s lang.Span) bool {
	return !slices.ContainsFunc(r.t.Words[s.From:s.To], func(w lang.Word) bool {
		c, _ := utf8.DecodeRuneInString(r.t.Source[w.Start:])
		return !unicode.IsUpper(c)
	})
}
