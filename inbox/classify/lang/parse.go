package lang

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// entry is one of a rule file, while it is read. Its texts are parts of the
// file's.
type entry struct {
	concept Concept
	parts   []part
	source  string
	weak    bool // begins with ~
	refers  bool // has a <concept>, so it can only be found once plain entries are
}

// parser reads the files of one language after the other. The room that the
// entries of one take is used for those of the next.
type parser struct {
	entries []entry
	parts   []part // of all entries
	faults  []error
	known   map[Concept]bool // the sections that were looked up
}

// knows tells whether there is a section of a name.
func (p *parser) knows(c Concept) bool {
	known, ok := p.known[c]
	if !ok {
		known = c.known()
		p.known[c] = known
	}
	return known
}

// readFile adds the entries of a file.
func (p *parser) readFile(f ruleFile) {
	text, err := f.read()
	if err != nil {
		p.faults = append(p.faults, fmt.Errorf("reading rule file: %w", err))
		return
	}
	var section Concept
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		fault := func(err error) { p.faults = append(p.faults, fmt.Errorf("%s:%d: %w", f.name, n, err)) }
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "["):
			section = Concept(strings.Clone(strings.Trim(line, "[] "))) // which stays longer than the file
			if !p.knows(section) {
				fault(fmt.Errorf("no section is called %q", section))
				section = ""
			}
		case section == "":
			fault(fmt.Errorf("an entry before the first valid section"))
		default:
			p.readLine(section, line, fault)
		}
	}
}

// read gives the text of a file.
func (f ruleFile) read() (string, error) {
	r, err := f.in.Open(f.name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var text strings.Builder
	if info, err := r.Stat(); err == nil {
		text.Grow(int(info.Size()))
	}
	_, err = io.Copy(&text, r)
	return text.String(), err
}

// readLine adds the entries of a line, or takes them out.
func (p *parser) readLine(section Concept, line string, fault func(error)) {
	rest, remove := strings.CutPrefix(line, "- ")
	for source := range strings.SplitSeq(rest, ",") {
		var err error
		switch source = single(source); {
		case source == "":
		case remove:
			err = p.remove(section, source)
		default:
			err = p.read(section, source)
		}
		if err != nil {
			fault(err)
		}
	}
}

// remove takes an entry out.
func (p *parser) remove(section Concept, source string) error {
	n := len(p.entries)
	p.entries = slices.DeleteFunc(p.entries, func(e entry) bool { return e.concept == section && e.source == source })
	if len(p.entries) == n {
		return fmt.Errorf("%q is not in [%s], so it cannot be taken out", source, section)
	}
	return nil
}

// add reads the entries of a language that stand in no file.
func (p *parser) add(tag string, more map[Concept][]string) {
	for _, section := range slices.Sorted(maps.Keys(more)) {
		for _, source := range more[section] {
			if err := p.read(section, source); err != nil {
				p.faults = append(p.faults, fmt.Errorf("%s, [%s]: %w", tag, section, err))
			}
		}
	}
}

// single puts one blank where there are several or other ones.
func single(s string) string {
	s = strings.TrimSpace(s)
	before := rune(0)
	for _, r := range s {
		if unicode.IsSpace(r) && (r != ' ' || before == ' ') {
			return strings.Join(strings.Fields(s), " ")
		}
		before = r
	}
	return s
}

// read adds an entry.
func (p *parser) read(section Concept, source string) error {
	if section.listed() {
		return p.readListed(section, source)
	}
	text, weak := strings.CutPrefix(source, "~")
	e := entry{concept: section, source: source, weak: weak}
	if weak && !section.slotted() {
		return fmt.Errorf("%q: [%s] takes no entry with a ~", source, section)
	}
	from := len(p.parts)
	for w := range strings.FieldsSeq(text) {
		if err := p.readPart(&e, w); err != nil {
			return err
		}
	}
	e.parts = slices.Clip(p.parts[from:])
	if err := e.check(); err != nil {
		return err
	}
	p.entries = append(p.entries, e)
	return nil
}

// readPart adds what stands between two blanks of an entry.
func (p *parser) readPart(e *entry, w string) error {
	switch {
	case w == "...":
		p.parts = append(p.parts, part{kind: partGap})
	case w == "{}":
		p.parts = append(p.parts, part{kind: partSlot})
	case strings.HasPrefix(w, "<") && strings.HasSuffix(w, ">"):
		c := Concept(w[1 : len(w)-1])
		if !p.knows(c) {
			return fmt.Errorf("%q: no section is called %q", e.source, c)
		}
		p.parts, e.refers = append(p.parts, part{kind: partRef, text: string(c)}), true
	default:
		return p.readWords(e, w)
	}
	return nil
}

// readWords adds a word, or those that a hyphen joins.
func (p *parser) readWords(e *entry, w string) error {
	w, stem := strings.CutSuffix(w, "*")
	n := len(p.parts)
	for f := range strings.FieldsFuncSeq(w, func(r rune) bool { return !isWordRune(r) && !isApostrophe(r) }) {
		p.parts = append(p.parts, part{kind: partWord, text: Fold(f)})
	}
	if last := len(p.parts) - 1; stem && last >= n {
		p.parts[last].kind = partStem
		if utf8.RuneCountInString(p.parts[last].text) < 2 {
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
