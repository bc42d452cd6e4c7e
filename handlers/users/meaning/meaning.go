// Package meaning tells from the names of a site's tables and columns what they
// are about: names in several languages and spellings (first_name, firstName,
// Vorname, имя). It is a guess, for a first data map and for hints, and nothing
// is ever done because of it. The words are data, in words.txt.
package meaning

import (
	"bufio"
	_ "embed"
	"slices"
	"strings"
	"unicode"

	"push.guru/supportd/inbox"
)

//go:embed words.txt
var text string

// Lexicon has the words of each meaning. It never changes.
type Lexicon struct {
	words map[string][]string // by meaning, in the order of the file
	order []string            // the meanings, in the order of the file
}

// New reads the words that the program has.
func New() *Lexicon {
	l := &Lexicon{words: map[string][]string{}}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		meaning, words, ok := strings.Cut(lines.Text(), ": ")
		if !ok || strings.HasPrefix(meaning, "#") {
			continue
		}
		if l.words[meaning] == nil {
			l.order = append(l.order, meaning)
		}
		l.words[meaning] = append(l.words[meaning], strings.Fields(words)...)
	}
	return l
}

// Words takes a name apart: "userIPAddress_2" is user, ip, address. Digits say
// nothing.
func Words(name string) (words []string) {
	runes := []rune(name)
	start := -1
	end := func(i int) {
		if start >= 0 {
			words = append(words, strings.ToLower(string(runes[start:i])))
		}
		start = -1
	}
	for i, r := range runes {
		if !unicode.IsLetter(r) {
			end(i)
			continue
		}
		before := i > 0 && unicode.IsLower(runes[i-1])
		after := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) && (before || after && i > 0 && unicode.IsUpper(runes[i-1])) {
			end(i)
		}
		if start < 0 {
			start = i
		}
	}
	end(len(runes))
	return words
}

// Is tells whether the words together are one of a meaning.
func (l *Lexicon) Is(meaning string, words ...string) bool {
	return slices.ContainsFunc(l.words[meaning], func(w string) bool { return w == strings.Join(words, "") })
}

// Whole tells whether a name, or what is left of it without words for a person
// or for the table in front, is one of a meaning; of several names of one
// meaning the smaller rank is the likelier.
func (l *Lexicon) Whole(meaning, table, name string) (rank int, ok bool) {
	words := Words(name)
	for skip := range words {
		joined := strings.Join(words[skip:], "")
		if i := slices.Index(l.words[meaning], joined); i >= 0 {
			return i + 100*skip, true
		}
		if !l.Is("person", words[skip]) && !names(table, words[skip]) {
			break
		}
	}
	return 0, false
}

// names tells whether a word is one of the table's name, or of what one row of
// it is.
func names(table, word string) bool {
	return slices.ContainsFunc(Words(table), func(w string) bool { return w == word || One(w) == word })
}

// Field gives the field that a column of a table of people holds, "" for none.
// The rank is as of Whole.
func (l *Lexicon) Field(table, name string) (f inbox.Field, rank int) {
	for _, known := range inbox.Fields() {
		if r, ok := l.Whole("field."+string(known), table, name); ok && (f == "" || r < rank) {
			f, rank = known, r
		}
	}
	return f, rank
}

// Looks says in words what personal thing a column seems to hold; "" for none.
// A plain "name" is one where the table is about people.
func (l *Lexicon) Looks(table, name string) string {
	if l.Is("field.full_name", Words(name)...) && l.People(table) {
		return "a name"
	}
	for _, m := range l.order {
		if what, ok := strings.CutPrefix(m, "looks."); ok && l.within(m, name) {
			return what
		}
	}
	if l.Secret(name) {
		return "a secret"
	}
	return ""
}

// Secret tells whether a column seems to hold what lets somebody in.
func (l *Lexicon) Secret(name string) bool { return l.within("secret", name) }

// People tells whether each row of a table seems to be about a person.
func (l *Lexicon) People(table string) bool { return l.Last("people", table) }

// Last tells whether the last word of a name is one of a meaning.
func (l *Lexicon) Last(meaning, name string) bool {
	words := Words(name)
	return len(words) > 0 && l.Is(meaning, words[len(words)-1])
}

// Points tells whether a column seems to hold the key of a table's rows:
// order_id of orders, userId of users or, because that is a word for a person,
// of any table of people.
func (l *Lexicon) Points(column, table string) bool {
	words := Words(column)
	switch n := len(words); {
	case n == 1:
		w, ok := strings.CutSuffix(words[0], "id")
		return ok && w != "" && l.rowOf(w, table)
	case n == 2 && words[0] == "id":
		return l.rowOf(words[1], table)
	case n > 1 && words[n-1] == "id":
		return l.rowOf(strings.Join(words[:n-1], ""), table)
	}
	return false
}

// rowOf tells whether a word stands for a row of a table.
func (l *Lexicon) rowOf(word, table string) bool {
	words := Words(table)
	for i := range words {
		many := strings.Join(words[i:], "")
		if word == many || word == One(many) {
			return true
		}
	}
	return l.People(table) && l.Is("account", word)
}

// Any tells whether some words of a name, one after another, are one of a meaning.
func (l *Lexicon) Any(meaning, name string) bool { return l.within(meaning, name) }

// within looks at every run of words of a name.
func (l *Lexicon) within(meaning, name string) bool {
	words := Words(name)
	for i := range words {
		run := ""
		for _, w := range words[i:] {
			run += w
			if l.Is(meaning, run) {
				return true
			}
		}
		for _, w := range l.words[meaning] {
			if end, ok := strings.CutPrefix(w, "*"); ok && strings.HasSuffix(words[i], end) {
				return true
			}
		}
	}
	return false
}

// One gives the singular of an English word, and of others what it can: orders
// is order, entries is entry, boxes is box.
func One(word string) string {
	switch {
	case word == "people":
		return "person"
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"):
		return word[:len(word)-2]
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && len(word) > 3:
		return word[:len(word)-1]
	}
	return word
}
