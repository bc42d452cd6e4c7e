package lang

import (
	"slices"
	"strings"

	"github.com/abadojack/whatlanggo"
)

// Und is the tag of a text whose language cannot be told.
const Und = "und"

// Guess is the language that a text seems to be in.
type Guess struct {
	Tag   string // BCP 47, or Und
	Typed bool   // a language of Cyrillic script, typed in Latin letters
	Votes int    // words that speak for it
}

// letters are those that one language has and its neighbours do not.
var letters = []struct{ tag, letters string }{
	{"kk", "әғқңөұүһ"},
	{"uk", "їєґ"},
	{"ru", "ъэё"},
}

var cyrillicTags = []string{"ru", "kk", "uk"}

// enoughLetters is what a statistical guess needs to be worth something.
const enoughLetters = 24

// Detect guesses the language of the words from the given one on: the script
// first, then how many words each language's file knows, then letter
// statistics. Of languages that know as many words, one that reads an answer
// in them wins, then the earliest of preferred.
func (r *Rules) Detect(t *Text, from int, preferred []string) Guess {
	best := Guess{Tag: Und}
	if from >= len(t.Words) {
		return best
	}
	latin, cyrillic := t.letters(from)
	means := 0 // hits of the best that answer something
	for _, tag := range r.order(preferred) {
		l := r.lexicons[tag]
		isCyr := slices.Contains(cyrillicTags, tag)
		typed := isCyr && latin > cyrillic
		if !isCyr && cyrillic > latin {
			continue
		}
		typed = typed || tag == "kk" && latin == 0 && tell(t.Words[from:], tag) == 0 // by a keyboard without its letters
		hits := r.found(t, typed)[l.nr]
		votes := known(t, from, hits) * 2
		if isCyr && !typed {
			votes += tell(t.Words[from:], tag)
		}
		if typed {
			votes-- // the shared spelling is coarse
		}
		if n := telling(hits); votes > best.Votes || votes == best.Votes && n > means {
			best, means = Guess{Tag: tag, Typed: typed, Votes: votes}, n
		}
	}
	if best.Votes*5 < len(t.Words)-from && latin+cyrillic >= enoughLetters {
		rest := t.Source[t.Words[from].Start:]
		if info := whatlanggo.Detect(rest[:min(len(rest), 2000)]); info.IsReliable() {
			if tag := info.Lang.Iso6391(); tag != "" && !(latin > cyrillic && slices.Contains(cyrillicTags, tag)) {
				return Guess{Tag: tag}
			}
		}
	}
	return best
}

// telling counts the words that answer a question, or leave it open: a text of
// a word or two is most likely an answer.
func telling(found []spot) int {
	n := 0
	for _, s := range found {
		if s.is(roleNo | roleYes | roleOpen) {
			n += int(s.n)
		}
	}
	return n
}

// order gives the languages that have a file, preferred ones first, then those
// with the richer file.
func (r *Rules) order(preferred []string) []string {
	var out []string
	for _, tag := range slices.Concat(preferred, []string{"en", "ru", "kk"}, r.richest) {
		if r.lexicons[tag] != nil && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// known counts the words from the given one on that are part of any hit.
func known(t *Text, from int, found []spot) int {
	n := 0
	for _, k := range knownWords(t, found)[from:] {
		if k {
			n++
		}
	}
	return n
}

func tell(words []Word, tag string) int {
	n := 0
	for _, x := range letters {
		if x.tag != tag {
			continue
		}
		for _, w := range words {
			if strings.ContainsAny(w.Fold, x.letters) {
				n += 2
			}
		}
	}
	return n
}
