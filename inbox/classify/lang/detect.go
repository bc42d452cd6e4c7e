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
	d := r.newDetection(t, from)
	means := 0 // hits of the best that answer something
	list := slices.DeleteFunc(r.order(preferred), d.excludes)
	for i, tag := range list {
		typed := d.types(tag)
		beside := slices.DeleteFunc(slices.Clone(list[i+1:]), func(other string) bool { return d.types(other) != typed })
		found := r.found(t, typed, r.lexicons[tag], r.known(beside)...)
		if votes, n := d.votes(tag, found), telling(found); votes > best.Votes || votes == best.Votes && n > means {
			best, means = Guess{Tag: tag, Typed: typed, Votes: votes}, n
		}
	}
	if best.Votes*5 < len(t.Words)-from && d.latin+d.cyrillic >= enoughLetters {
		rest := t.Source[t.Words[from].Start:]
		if info := whatlanggo.Detect(rest[:min(len(rest), 2000)]); info.IsReliable() {
			if tag := info.Lang.Iso6391(); tag != "" && !(d.latin > d.cyrillic && slices.Contains(cyrillicTags, tag)) {
				return Guess{Tag: tag}
			}
		}
	}
	return best
}

// detection is what the letters of a text tell of its language.
type detection struct {
	words           []Word
	from            int
	latin, cyrillic int
	plainKazakh     bool // if it is Kazakh, it is by a keyboard without its letters
}

func (r *Rules) newDetection(t *Text, from int) detection {
	d := detection{words: t.Words[from:], from: from}
	d.latin, d.cyrillic = t.letters(from)
	d.plainKazakh = d.latin == 0 && tell(d.words, "kk") == 0
	return d
}

// excludes tells whether a text cannot be in a language.
func (d detection) excludes(tag string) bool {
	return d.cyrillic > d.latin && !slices.Contains(cyrillicTags, tag)
}

// types tells whether a text is typed in other letters, if it is in a language.
func (d detection) types(tag string) bool {
	return d.latin > d.cyrillic && slices.Contains(cyrillicTags, tag) || d.plainKazakh && tag == "kk"
}

// votes counts the words that speak for a language. The shared spelling is
// coarse.
func (d detection) votes(tag string, found []spot) int {
	votes := known(d.from, found) * 2
	if d.types(tag) {
		return votes - 1
	}
	return votes + tell(d.words, tag)
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

// known counts the words from the given one on that are part of any hit. Those
// that count stand in the order of the text.
func known(from int, found []spot) int {
	n := 0
	for _, s := range found {
		if !s.has(isLoose) && s.to() > from {
			n += s.to() - max(from, int(s.from))
			from = s.to()
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
