package classify

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/classify/lang"
)

// English has two things that a list of words cannot tell: a genitive that is an
// ending of any name, and a field that is called by a preposition.

// possessed tells whether the word before an account says whose it is: "our
// competitor's account".
func (r *reader) possessed(account lang.Span) bool {
	if account.From == 0 {
		return false
	}
	w := r.t.Words[account.From-1]
	text := strings.ReplaceAll(r.t.Source[w.Start:w.End], "’", "'")
	return strings.HasSuffix(text, "'s") || strings.HasSuffix(text, "s'")
}

// dropAboutMe forgets that "about" and "about me" are what a field is called
// where they say of whom or what something is known, said or thought.
func (r *reader) dropAboutMe() {
	r.hits = slices.DeleteFunc(r.hits, func(h lang.Hit) bool {
		if fieldOf(h) != inbox.FieldAbout || h.To-h.From > 2 || h.From == 0 || !r.isWord(h.From, lang.WordAbout) || r.t.Words[h.From].Before >= lang.Comma {
			return false
		}
		return !r.isWord(h.From-1, lang.WordHeading) && !r.t.Words[h.From].Quoted && !r.capital(h.From)
	})
}
