package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Rules are the rule files of all languages.
type Rules struct {
	lexicons map[string]*lexicon
	tags     []string          // sorted
	richest  []string          // tags, those with more entries first
	cities   map[string]string // of all languages, by their comparable form

	typedCities map[string]bool // in the spelling that both scripts share

	nots  []map[string]bool // by number of the language: the single words of [negation]
	plain index             // the entries of all languages as they are written
	typed index             // those in Cyrillic, in the spelling that both scripts share
}

// lexicon is what one language's file says, but for the entries that begin
// with a word: those of all languages are in one index.
type lexicon struct {
	nr     int // its place among the tags
	refs   map[Concept][]*entry
	cuts   map[Concept][]cut
	values map[string]valueWords // by what they are values of
	words  map[Concept]*wordList

	spelling func(typed bool) *spelling
}

type partKind int

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

type entry struct {
	concept Concept
	parts   []part
	source  string
	nr      int  // of its lexicon
	weak    bool // begins with ~
	refers  bool // has a <concept>, so it can only be found once plain entries are

	// What finding needs, once the entry is complete.
	left, loose, slot  bool   // as in a Hit
	second, secondSkel string // the word behind the first; "": it may be any
}

// prepare fills in what finding needs.
func (e *entry) prepare() {
	e.left = e.parts[0].kind == partSlot
	gap := false
	for _, p := range e.parts {
		e.loose = e.loose || p.kind != partWord && p.kind != partStem
		e.slot = e.slot || p.kind == partSlot
		gap = gap || p.kind == partGap || p.kind == partRef
	}
	e.slot = e.slot && !gap
	parts := e.parts
	if e.left {
		parts = parts[1:]
	}
	if len(parts) > 1 && parts[0].kind != partRef && parts[1].kind == partWord {
		e.second, e.secondSkel = parts[1].text, parts[1].skel
	}
}

// Load reads every *.txt of the file systems, later ones adding to earlier
// ones. The error joins every fault of every file, each naming file and line.
func Load(systems ...fs.FS) (*Rules, error) { return LoadWith(nil, systems...) }

// LoadWith is Load with entries beside those of the files, by language. Those
// of a language that has no file are left out: it is not one that is read.
func LoadWith(more map[string]map[Concept][]string, systems ...fs.FS) (*Rules, error) {
	r := &Rules{lexicons: map[string]*lexicon{}, cities: map[string]string{}, typedCities: map[string]bool{}}
	entries := map[string][]*entry{}
	var faults []error
	for _, fsys := range systems {
		names, err := fs.Glob(fsys, "*.txt")
		if err != nil {
			return nil, fmt.Errorf("listing rule files: %w", err)
		}
		for _, name := range names {
			b, err := fs.ReadFile(fsys, name)
			if err != nil {
				faults = append(faults, fmt.Errorf("reading rule file: %w", err))
				continue
			}
			tag := strings.TrimSuffix(path.Base(name), ".txt")
			var errs []error
			entries[tag], errs = parseFile(name, string(b), entries[tag])
			faults = append(faults, errs...)
		}
	}
	faults = append(faults, addEntries(entries, more)...)
	r.tags = slices.Sorted(maps.Keys(entries))
	for nr, tag := range r.tags {
		r.lexicons[tag] = r.newLexicon(nr, r.takeCities(entries[tag]))
	}
	r.plain.done()
	r.typed.done()
	r.richest = slices.Clone(r.tags)
	slices.SortStableFunc(r.richest, func(a, b string) int { return len(entries[b]) - len(entries[a]) })
	return r, errors.Join(faults...)
}

func addEntries(entries map[string][]*entry, more map[string]map[Concept][]string) (faults []error) {
	for _, tag := range slices.Sorted(maps.Keys(more)) {
		if entries[tag] == nil {
			continue
		}
		for _, section := range slices.Sorted(maps.Keys(more[tag])) {
			for _, source := range more[tag][section] {
				e, err := parseEntry(section, source)
				if err != nil {
					faults = append(faults, fmt.Errorf("%s, [%s]: %w", tag, section, err))
					continue
				}
				entries[tag] = append(entries[tag], e)
			}
		}
	}
	return faults
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
	l := &lexicon{nr: nr, refs: map[Concept][]*entry{}, cuts: map[Concept][]cut{}, values: map[string]valueWords{}, words: map[Concept]*wordList{}}
	list = l.takeWords(list)
	written := sync.OnceValue(func() *spelling { return newSpelling(list, func(w string) string { return w }) })
	typed := sync.OnceValue(func() *spelling { return newSpelling(list, skeleton) })
	l.spelling = func(other bool) *spelling {
		if other {
			return typed()
		}
		return written()
	}
	for _, e := range list {
		e.nr = nr
		e.spell()
		e.prepare()
		if e.concept == Spelt {
			continue
		}
		if e.concept == Negation && len(e.parts) == 1 && e.parts[0].kind == partWord {
			nots[e.parts[0].text] = true
		}
		p := e.parts[0]
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
			l.refs[Concept(p.text)] = append(l.refs[Concept(p.text)], e)
			continue
		}
		r.plain.add(e, p.text, p.kind)
		if isCyrillic(p.text) {
			r.typed.add(e, skeleton(p.text), p.kind)
		}
	}
	return l
}
