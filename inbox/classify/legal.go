package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox/classify/lang"
)

// opening is how many words may stand before the phrase by which a sentence is
// known as boilerplate. One that has it further in may be the request itself.
const opening = 4

// minLegal is how many words a letter has at least in which such sentences are
// looked for: in a short mail every word counts.
const minLegal = 40

// dropBoilerplate forgets what was found in the sentences that letters citing
// the law have beside their request: deadlines, threats, exceptions, duties
// towards others. They neither ask for something nor speak against it. What
// stands below one that ends in a colon, up to a blank line, says who writes.
func (r *reader) dropBoilerplate() {
	if len(r.t.Words) < minLegal {
		return
	}
	below := false
	for _, s := range r.t.Sentences {
		below = below && !strings.Contains(r.gap(s.From), "\n\n")
		head := lang.Span{From: s.From, To: min(s.To, s.From+opening)}
		if !below && !r.hits.Has(head, lang.Boilerplate) {
			continue
		}
		below = below || strings.Contains(r.t.EndMark(s), ":") || strings.Contains(r.t.Slice(s), ":\n")
		r.setAside(s)
	}
}

// setAside forgets what was found in a sentence that is none of the request.
func (r *reader) setAside(s lang.Span) {
	r.beside = append(r.beside, s)
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool { return h.From >= s.From && h.From < s.To })
}

// dropUnticked forgets what was found in the lines of a list whose box is empty,
// where others are ticked.
func (r *reader) dropUnticked() {
	if !strings.Contains(r.t.Source, "[ ]") && !strings.ContainsRune(r.t.Source, '☐') {
		return
	}
	for _, s := range r.t.Sentences {
		if s.From == 0 {
			continue
		}
		if box := r.gap(s.From); strings.Contains(box, "[ ]") || strings.Contains(box, "☐") {
			r.setAside(s)
		}
	}
}

// isBeside tells whether a word stands in a sentence that was set aside.
func (r *reader) isBeside(i int) bool {
	return slices.ContainsFunc(r.beside, func(s lang.Span) bool { return s.From <= i && i < s.To })
}

// countWords counts the words of spans.
func countWords(spans []lang.Span) int {
	n := 0
	for _, s := range spans {
		n += s.To - s.From
	}
	return n
}
