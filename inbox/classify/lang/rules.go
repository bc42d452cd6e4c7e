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

	book  *book
	nots  []map[string]bool // by number of the language: the single words of [negation]
	plain index             // the entries of all languages as they are written
	typed index             // those in Cyrillic, in the spelling that both scripts share
}

// lexicon is what one language's file says, but for the entries that begin
// with a word: those of all languages are in one index.
type lexicon struct {
	nr     int                  // its place among the tags
	refs   map[Concept][]uint32 // entries of the book
	cuts   map[Concept][]cut
	values map[string]valueWords // by what they are values of
	words  map[Concept]*wordList

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
	kind       partKind
	text, skel string
}

// entry is one of a rule file, while it is read.
type entry struct {
	concept Concept
	parts   []part
	source  string
	weak    bool // begins with ~
	refers  bool // has a <concept>, so it can only be found once plain entries are
}

// Load reads every *.txt of the file systems, later ones adding to earlier
// ones. The error joins every fault of every file, each naming file and line.
func Load(systems ...fs.FS) (*Rules, error) { return LoadWith(nil, systems...) }

// LoadWith is Load with entries beside those of the files, by language. Those
// of a language that has no file are left out: it is not one that is read.
func LoadWith(more map[string]map[Concept][]string, systems ...fs.FS) (*Rules, error) {
	r := &Rules{book: newBook(), lexicons: map[string]*lexicon{}, cities: map[string]string{}, typedCities: map[string]bool{}}
	files, faults := ruleFiles(systems)
	r.tags = slices.Sorted(maps.Keys(files))
	counts := map[string]int{}
	for nr, tag := range r.tags { // one language at a time: what is read takes far more memory than what is kept
		var entries []*entry
		for _, f := range files[tag] {
			var errs []error
			entries, errs = parseFile(f.name, f.text, entries)
			faults = append(faults, errs...)
		}
		entries, errs := addEntries(tag, entries, more[tag])
		faults = append(faults, errs...)
		counts[tag] = len(entries)
		r.lexicons[tag] = r.newLexicon(nr, r.takeCities(entries))
	}
	r.plain.done()
	r.typed.done()
	r.book.done()
	r.richest = slices.Clone(r.tags)
	slices.SortStableFunc(r.richest, func(a, b string) int { return counts[b] - counts[a] })
	return r, errors.Join(faults...)
}

type ruleFile struct{ name, text string }

// ruleFiles reads the rule files of every language.
func ruleFiles(systems []fs.FS) (files map[string][]ruleFile, faults []error) {
	files = map[string][]ruleFile{}
	for _, fsys := range systems {
		names, err := fs.Glob(fsys, "*.txt")
		if err != nil {
			return files, []error{fmt.Errorf("listing rule files: %w", err)}
		}
		for _, name := range names {
			b, err := fs.ReadFile(fsys, name)
			if err != nil {
				faults = append(faults, fmt.Errorf("reading rule file: %w", err))
				continue
			}
			tag := strings.TrimSuffix(path.Base(name), ".txt")
			files[tag] = append(files[tag], ruleFile{name, string(b)})
		}
	}
	return files, faults
}

func addEntries(tag string, entries []*entry, more map[Concept][]string) (all []*entry, faults []error) {
	for _, section := range slices.Sorted(maps.Keys(more)) {
		for _, source := range more[section] {
			e, err := parseEntry(section, source)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s, [%s]: %w", tag, section, err))
				continue
			}
			entries = append(entries, e)
		}
	}
	return entries, faults
}

// Languages lists the languages that have a rule file, sorted.
func (r *Rules) Languages() []string { return slices.Clone(r.tags) }

func parseFile(name, text string, list []*entry) ([]*entry, []error) {
	var faults []error
	var section Concept
	for i, line := range strings.Split(text, "\n") {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("%s:%d: %s", name, i+1, fmt.Sprintf(format, args...)))
		}
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "["):
			section = Concept(strings.Trim(line, "[] "))
			if !section.known() {
				fault("no section is called %q", section)
				section = ""
			}
		case section == "":
			fault("an entry before the first valid section")
		default:
			var errs []error
			list, errs = parseLine(section, line, list)
			for _, err := range errs {
				fault("%v", err)
			}
		}
	}
	return list, faults
}

func parseLine(section Concept, line string, list []*entry) ([]*entry, []error) {
	var faults []error
	rest, remove := strings.CutPrefix(line, "- ")
	for source := range strings.SplitSeq(rest, ",") {
		source = strings.Join(strings.Fields(source), " ")
		if source == "" {
			continue
		}
		if remove {
			n := len(list)
			list = slices.DeleteFunc(list, func(e *entry) bool { return e.concept == section && e.source == source })
			if len(list) == n {
				faults = append(faults, fmt.Errorf("%q is not in [%s], so it cannot be taken out", source, section))
			}
			continue
		}
		e, err := parseEntry(section, source)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		list = append(list, e)
	}
	return list, faults
}

func parseEntry(section Concept, source string) (*entry, error) {
	if section.listed() {
		return parseListed(section, source)
	}
	words, weak := strings.CutPrefix(source, "~")
	e := &entry{concept: section, source: source, weak: weak}
	if weak && !section.slotted() {
		return nil, fmt.Errorf("%q: [%s] takes no entry with a ~", source, section)
	}
	for _, w := range strings.Fields(words) {
		switch {
		case w == "...":
			e.parts = append(e.parts, part{kind: partGap})
		case w == "{}":
			e.parts = append(e.parts, part{kind: partSlot})
		case strings.HasPrefix(w, "<") && strings.HasSuffix(w, ">"):
			c := Concept(w[1 : len(w)-1])
			if !c.known() {
				return nil, fmt.Errorf("%q: no section is called %q", source, c)
			}
			e.parts, e.refers = append(e.parts, part{kind: partRef, text: string(c)}), true
		default:
			if err := e.addWords(w); err != nil {
				return nil, err
			}
		}
	}
	return e, e.check()
}

func (e *entry) addWords(w string) error {
	w, stem := strings.CutSuffix(w, "*")
	for f := range strings.FieldsFuncSeq(w, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !isApostrophe(r)
	}) {
		f = Fold(f)
		e.parts = append(e.parts, part{kind: partWord, text: f})
	}
	if n := len(e.parts); stem && n > 0 {
		e.parts[n-1].kind = partStem
		if len([]rune(e.parts[n-1].text)) < 2 {
			return fmt.Errorf("%q: a beginning of one letter fits too much", e.source)
		}
	}
	return nil
}

// maxParts bounds the parts of an entry.
const maxParts = 200

func (e *entry) check() error {
	n := len(e.parts)
	if n == 0 {
		return fmt.Errorf("%q has no words", e.source)
	}
	words, gaps := 0, 0
	for i, p := range e.parts {
		switch {
		case p.kind == partWord || p.kind == partStem || p.kind == partRef:
			words++
		case p.kind == partGap && (i == 0 || i == n-1):
			return fmt.Errorf("%q: a gap must stand between words", e.source)
		case p.kind == partGap:
			gaps++
		case p.kind == partSlot && i != 0 && i != n-1:
			return fmt.Errorf("%q: {} must stand first or last", e.source)
		}
	}
	slots := 0
	for _, p := range e.parts {
		if p.kind == partSlot {
			slots++
		}
	}
	if want := e.concept.slotted(); (slots == 1) != want || slots > 1 {
		return fmt.Errorf("%q: [%s] takes entries with %s", e.source, e.concept, map[bool]string{true: "exactly one {}", false: "no {}"}[want])
	}
	if n > maxParts {
		return fmt.Errorf("%q: more than %d words are no phrase", e.source, maxParts)
	}
	if gaps > 2 {
		return fmt.Errorf("%q: more than two gaps fit too much", e.source)
	}
	if words == 0 {
		return fmt.Errorf("%q has no words", e.source)
	}
	return nil
}

func isCyrillic(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
}

// spell fills in the spelling that both scripts share, where there is any
// Cyrillic in an entry.
func (e *entry) spell() {
	if !slices.ContainsFunc(e.parts, func(p part) bool { return isCyrillic(p.text) }) {
		return
	}
	for i := range e.parts {
		e.parts[i].skel = skeleton(e.parts[i].text)
	}
}

func (r *Rules) newLexicon(nr int, list []*entry) *lexicon {
	nots := map[string]bool{}
	r.nots = append(r.nots, nots)
	l := &lexicon{nr: nr, refs: map[Concept][]uint32{}, cuts: map[Concept][]cut{}, values: map[string]valueWords{}, words: map[Concept]*wordList{}}
	list = l.takeWords(list)
	from := len(r.book.patterns)
	defer func() { l.spelling = r.book.spellings(from, len(r.book.patterns)) }()
	for _, e := range list {
		e.spell()
		n, p := r.book.add(e, nr), e.parts[0]
		if e.concept == Spelt {
			continue
		}
		if e.concept == Negation && len(e.parts) == 1 && e.parts[0].kind == partWord {
			nots[e.parts[0].text] = true
		}
		if strings.HasPrefix(string(e.concept), CutPrefix) {
			l.cuts[e.concept] = append(l.cuts[e.concept], newCut(e))
			continue
		}
		if of, ok := strings.CutPrefix(string(e.concept), ValuePrefix); ok {
			l.addValue(of, e.source)
			continue
		}
		if p.kind == partSlot {
			p = e.parts[1]
		}
		if p.kind == partRef {
			l.refs[Concept(p.text)] = append(l.refs[Concept(p.text)], n)
			continue
		}
		r.plain.add(n, nr, p.text, p.kind)
		if isCyrillic(p.text) {
			r.typed.add(n, nr, skeleton(p.text), p.kind)
		}
	}
	return l
}
