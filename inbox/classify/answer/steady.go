package answer

import (
	"slices"

	"push.guru/supportd/inbox/classify/lang"
)

// goesOn tells whether a text says not to stop: "don't cancel", "no need to
// cancel", which ask for the contrary of what a no does.
func (r *reader) goesOn(s lang.Span) bool {
	return slices.ContainsFunc(r.tags, func(tag string) bool { return steady{r, tag}.in(s) })
}

// steady looks in one language for what is not to be stopped: the same letters
// may mean to stop in one and to delete in another.
type steady struct {
	*reader
	tag string
}

// reachHalt is how many words may stand between a "not" and what is not to be
// stopped.
const reachHalt = 3

func (r steady) is(i int, list lang.Concept) bool { return r.listedIn(r.tag, i, list) }

func (r steady) in(s lang.Span) bool {
	for i := s.From; i < s.To; i++ {
		found := r.is(i, lang.WordSteady) || r.is(i, lang.WordHalt) && (r.notBefore(i) || r.notBehind(i))
		if found && !r.ofAccount(i) {
			return true
		}
	}
	return false
}

// notBefore tells whether a "not" before a word is said of it: only words of no
// weight stand between. A need does where the word names the act and does not
// order it: "не надо отменять", and not "не надо отмените".
func (r steady) notBefore(i int) bool {
	named := r.is(i, lang.WordInfinitive) || i > 0 && r.is(i-1, lang.WordInfinitive)
	needed := false
	for k := i - 1; k >= max(r.part(i), i-1-reachHalt); k-- {
		switch {
		case r.is(k, lang.WordDont), needed && r.not(k, i):
			return true
		case named && r.needs(k):
			needed = true
		case !r.light(k):
			return false
		}
	}
	return false
}

// notBehind tells whether a "not" behind a word is said of it: one that ends the
// part of the sentence ("annuleer het niet", "тоқтату керек емес"), or, of what
// names the act, one that says that there is no need ("отменять не надо").
func (r steady) notBehind(i int) bool {
	named := r.is(i, lang.WordInfinitive) || !r.closes(i+1) && r.is(i+1, lang.WordInfinitive)
	for k := i + 1; !r.closes(k) && k <= i+1+reachHalt; k++ {
		switch {
		case r.is(k, lang.WordBehind):
			return r.closes(k + 1)
		case named && r.is(k, lang.WordDont):
			return r.needless(k + 1)
		case !r.light(k) && !r.is(k, lang.WordInfinitive) && !(named && r.needs(k)):
			return false
		}
	}
	return false
}

// needless tells whether a need, and no more, stands from a word to the end of its
// part of the sentence.
func (r steady) needless(from int) bool {
	needed := false
	for i := from; !r.closes(i); i++ {
		if !r.needs(i) && !r.light(i) {
			return false
		}
		needed = needed || r.needs(i)
	}
	return needed
}

// not tells whether a word is a "no" by itself or begins a "not" that ends before
// another word.
func (r steady) not(i, end int) bool {
	return slices.ContainsFunc(r.hits.In(at(i), lang.No, lang.Negation), func(h lang.Hit) bool {
		return h.To == i+1 || h.Concept == lang.Negation && h.To <= end
	})
}

// light tells whether a word may stand between a "not" and what it is about.
func (r steady) light(i int) bool {
	return r.small(i) || r.hits.Has(at(i), lang.Filler, lang.It, lang.Me, lang.Little)
}

// needs tells whether a word says that something is needed or wanted.
func (r steady) needs(i int) bool {
	return r.is(i, lang.WordNeeded) || r.hits.Has(at(i), lang.Wish)
}

// ofAccount tells whether it is the account that is said to be stopped or not,
// and not its deletion: "don't cancel my account".
func (r steady) ofAccount(i int) bool {
	return slices.ContainsFunc(r.hits.In(r.partOf(at(i)), lang.Account), func(h lang.Hit) bool {
		for k := min(h.To, i+1); k < max(h.From, i); k++ {
			if !r.light(k) {
				return false
			}
		}
		return true
	})
}
