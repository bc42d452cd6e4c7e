package templates

import (
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"time"
)

// Words are the texts of one language by key, for pages as for letters. A text
// may hold placeholders like {name}; the forms of a counted one are separated
// by "|".
type Words struct{ of phrases }

// ParseWords reads lines of the form "key = text"; file names them in faults.
func ParseWords(file, text string) (Words, Faults) {
	p, faults := parsePhrases(file, text)
	return Words{p}, faults
}

// LetterWords gives the words of the letters in an embedded language.
func LetterWords(code string) (Words, error) {
	text, err := fs.ReadFile(embedded, "replies/"+code+"/phrases.txt")
	if err != nil {
		return Words{}, fmt.Errorf("reading the words of the letters: %w", err)
	}
	p, faults := parsePhrases(code, string(text))
	if len(faults) > 0 {
		return Words{}, Faults(faults)
	}
	return Words{p}, nil
}

// Over gives w with the words of under where w has none.
func (w Words) Over(under Words) Words {
	all := maps.Clone(under.of)
	maps.Copy(all, w.of)
	return Words{all}
}

// Check gives what keys w lacks or has beyond those of model, and where the
// placeholders differ.
func (w Words) Check(file string, model Words) Faults { return w.of.check(file, model.of) }

// Has tells whether there is a text under key.
func (w Words) Has(key string) bool { return w.of[key] != "" }

// Say gives a text with its placeholders filled from pairs of name and value.
// What a value contains is not filled again.
func (w Words) Say(key string, pairs ...string) string { return w.of.say(key, pairs...) }

// Count gives the form of a counted text that belongs to n.
func (w Words) Count(key string, n int) string { return w.of.count(key, n) }

// Date words a day.
func (w Words) Date(t time.Time) string { return w.of.date(t) }

// Moment words a time in a zone (nil: UTC), with the zone's name.
func (w Words) Moment(t time.Time, zone *time.Location) string { return w.of.moment(t, zone) }

// Duration words a wait exactly.
func (w Words) Duration(d time.Duration) string { return w.of.duration(d) }

// Day words YYYY-MM-DD and leaves anything else as it is.
func (w Words) Day(s string) string { return w.of.day(s) }

// Plain makes what somebody gave fit to be shown in one line of a page: no
// control characters, no direction overrides, bounded.
func Plain(s string) string { return cut(strings.Join(strings.Fields(clean(s)), " "), maxValue) }

// PlainText is Plain for several lines.
func PlainText(s string) string { return strings.TrimSpace(cut(clean(s), maxWords)) }
