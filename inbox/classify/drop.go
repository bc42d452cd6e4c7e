package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox/classify/lang"
	"push.guru/supportd/inbox/classify/value"
)

// drop forgets what was found in words that say nothing of what their writer
// wants.
func (r *reader) drop() {
	r.dropNames()
	r.dropPronouns()
	r.dropMistaken()
	r.dropAboutMe()
	r.cutForwarded()
	r.blank = r.hits.Has(r.all(), lang.Blank)
	r.dropBoilerplate()
	r.dropUnticked()
}

// maxSignature bounds the words of "Sent from my iPhone".
const maxSignature = 5

// signed tells whether there is nothing below the subject but the line that a
// telephone adds, in its own language.
func (r *reader) signed() bool {
	body := r.bodyWords()
	if body.To-body.From > maxSignature || body.From == 0 {
		return false
	}
	return slices.ContainsFunc(r.t.Words[body.From:body.To], func(w lang.Word) bool { return r.isOfAny(w.Fold, lang.WordDevice) })
}

// joinCitations makes one sentence of those that the dots of a citation have
// cut, "nach Art. 17 Abs. 1 DSGVO", and tells whether there are any.
func (r *reader) joinCitations() bool {
	var out []lang.Span
	for _, s := range r.t.Sentences {
		if n := len(out); n > 0 && r.cites(s.From) {
			out[n-1].To, r.t.Words[s.From].Before = s.To, lang.None
			continue
		}
		out = append(out, s)
	}
	joined := len(out) < len(r.t.Sentences)
	r.t.Sentences = out
	return joined
}

// cites tells whether a word is the number, or the next abbreviation, behind the
// dot of a citation.
func (r *reader) cites(i int) bool {
	isCitation := func(w lang.Word) bool { return r.isOfAny(w.Fold, lang.WordCitation) }
	w, gap := r.t.Words[i], r.gap(i)
	if !isCitation(r.t.Words[i-1]) || !strings.HasPrefix(gap, ".") || strings.Contains(gap, "\n") {
		return false
	}
	return w.Fold[0] >= '0' && w.Fold[0] <= '9' || len(w.Fold) == 1 || isCitation(w)
}

// dropNames forgets what was found inside addresses and links: the words of
// new@example.org say nothing.
func (r *reader) dropNames() {
	for _, a := range value.Names(r.t.Source) {
		at := r.words(a[0], a[1])
		r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool { return h.From >= at.From && h.To <= at.To && h.From < at.To })
	}
}

// dropPronouns forgets that a word may say whose something is where it ends its
// part of the sentence: there it is the object itself ("приберіть його").
func (r *reader) dropPronouns() {
	if !r.hits.Has(r.all(), lang.Third) {
		return
	}
	all := slices.Clone(r.hits)
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool {
		if h.Concept != lang.Third || h.To-h.From > 1 || h.From == 0 || !all.Has(h.Span, lang.It) {
			return false
		}
		next := word(h.To)
		last := h.To >= len(r.t.Words) || r.t.Words[h.To].Before >= lang.Comma || all.Has(next, lang.Me, lang.Filler) && !all.Has(next, lang.Account, lang.Data)
		return last && all.Has(word(h.From-1), lang.Delete, lang.Deactivate, lang.Change, lang.Send)
	})
}

// dropMistaken forgets what the form of a word or the words beside it show to
// mean something else.
func (r *reader) dropMistaken() {
	if r.forms == (noForms{}) {
		return
	}
	all := slices.Clone(r.hits) // DeleteFunc moves what it deletes from
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool { return r.forms.mistaken(h, all) })
}

// cutForwarded forgets what stands below the line that clients put above a
// forwarded mail: somebody else wrote it.
func (r *reader) cutForwarded() {
	f := r.hits.In(r.all(), lang.Forwarded)
	if len(f) == 0 {
		return
	}
	end := f[0].From
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool { return h.To > end })
	r.t.Words, r.altered = r.t.Words[:end], true
	r.t.Sentences = slices.DeleteFunc(r.t.Sentences, func(s lang.Span) bool { return s.From >= end })
	if n := len(r.t.Sentences); n > 0 {
		r.t.Sentences[n-1].To = min(r.t.Sentences[n-1].To, end)
	}
}
