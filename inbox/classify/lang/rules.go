package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
)

// Rules are the rule files of all languages.
type Rules struct {
	lexicons map[string]*lexicon
	tags     []string          // sorted
	richest  []string          // tags, those with more entries first
	cities   map[string]string // of all languages, by their comparable form

	typedCities map[string]bool // in the spelling that both scripts share

	words wordLists // of all languages

	book  *book
	nots  []map[string]bool // by number of the language: the single words of [negation]
	plain index             // the entries of all languages as they are written
	typed index             // those in Cyrillic, in the spelling that both scripts share
}

// lexicon is what one language's file says, but for the entries that begin
// with a word: those of all languages are in one index.
type lexicon struct {
	nr     int                 // its place among the tags
	refs   map[uint16][]uint32 // entries of the book that begin with a <concept>, by it
	cuts   map[Concept][]cut
	values map[string]*valueWords // by what they are values of
	words  wordLists

	longestEnd int // of those in the section cut.value, in letters

	spelling func(typed bool) *spelling
}

type partKind uint8

const (
	partWord partKind = iota
	partStem
	partRef
	partGap
	partSlot
)

type part struct {
	kind partKind
	text string
}

// Load reads every *.txt of the file systems, later ones adding to earlier
// ones. The error joins every fault of every file, each naming file and line.
func Load(systems ...fs.FS) (*Rules, error) { return LoadWith(nil, systems...) }

// LoadWith is Load with entries beside those of the files, by language. Those
// of a language that has no file are left out: it is not one that is read.
func LoadWith(more map[string]map[Concept][]string, systems ...fs.FS) (*Rules, error) {
	r := &Rules{book: newBook(), lexicons: map[string]*lexicon{}, cities: map[string]string{}, typedCities: map[string]bool{}, words: wordLists{}}
	files, faults := ruleFiles(systems)
	r.tags = slices.Sorted(maps.Keys(files))
	counts := map[string]int{}
	p := parser{faults: faults, known: map[Concept]bool{}}
	for nr, tag := range r.tags { // one language at a time: what is read takes far more memory than what is kept
		p.entries, p.parts = p.entries[:0], p.parts[:0]
		for _, f := range files[tag] {
			p.readFile(f)
		}
		p.add(tag, more[tag])
		counts[tag] = len(p.entries)
		r.lexicons[tag] = r.newLexicon(nr, r.takeCities(p.entries))
	}
	r.plain.done(r.book)
	r.typed.done(r.book)
	r.book.done()
	r.richest = slices.Clone(r.tags)
	slices.SortStableFunc(r.richest, func(a, b string) int { return counts[b] - counts[a] })
	return r, errors.Join(p.faults...)
}

// ruleFile is a rule file that was not read yet.
type ruleFile struct {
	in   fs.FS
	name string
}

// ruleFiles lists the rule files of every language.
func ruleFiles(systems []fs.FS) (files map[string][]ruleFile, faults []error) {
	files = map[string][]ruleFile{}
	for _, fsys := range systems {
		names, err := fs.Glob(fsys, "*.txt")
		if err != nil {
			return files, []error{fmt.Errorf("listing rule files: %w", err)}
		}
		for _, name := range names {
			tag := strings.TrimSuffix(path.Base(name), ".txt")
			files[tag] = append(files[tag], ruleFile{fsys, name})
		}
	}
	return files, faults
}

// Languages lists the languages that have a rule file, sorted.
func (r *Rules) Languages() []string { return slices.Clone(r.tags) }

// firstCyrillic is the first letter of the script.
const firstCyrillic = '\u0400'

func isCyrillic(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= firstCyrillic && unicode.Is(unicode.Cyrillic, r) })
}

func (r *Rules) newLexicon(nr int, list []entry) *lexicon {
	nots := map[string]bool{}
	r.nots = append(r.nots, nots)
	l := &lexicon{nr: nr, refs: map[uint16][]uint32{}, cuts: map[Concept][]cut{}, values: map[string]*valueWords{}, words: wordLists{}}
	list = r.takeWords(l, list)
	from := len(r.book.patterns)
	for i := range list {
		e := &list[i]
		n := r.book.add(e, nr)
		if e.concept == Negation && len(e.parts) == 1 && e.parts[0].kind == partWord {
			nots[strings.Clone(e.parts[0].text)] = true
		}
		if of, ok := strings.CutPrefix(string(e.concept), ValuePrefix); ok {
			l.addValue(of, e.source)
		} else if e.concept.names(CutPrefix) {
			l.cuts[e.concept] = append(l.cuts[e.concept], newCut(e))
		} else if e.concept != Spelt {
			r.index(l, n)
		}
	}
	for _, v := range l.values {
		v.done()
	}
	l.longestEnd = longestEnd(l.cuts[cutValue])
	l.spelling = r.book.spellings(from, len(r.book.patterns))
	return l
}

// index writes down with what an entry of a language begins.
func (r *Rules) index(l *lexicon, n uint32) {
	parts := r.book.look(&r.book.patterns[n])
	word, kind := parts[0].number(), parts[0].kind()
	if kind == partRef {
		l.refs[uint16(word)] = append(l.refs[uint16(word)], n)
		return
	}
	f := first{word, start{entry: n, second: unknown}}
	if len(parts) > 1 && parts[1].kind() == partWord {
		f.second = parts[1].number()
	}
	r.plain.add(f, kind)
	if isCyrillic(r.book.words.at(word)) {
		f.word = r.book.spell(word)
		if f.second != unknown {
			f.second = r.book.spell(f.second)
		}
		r.typed.add(f, kind)
	}
}
