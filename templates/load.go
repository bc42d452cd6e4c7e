package templates

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

//go:embed replies
var embedded embed.FS

const (
	staffLanguage = "en"
	layoutFile    = "replies/layout.html"
	modelFile     = "replies/en/phrases.txt"
)

// Fault is something wrong with one file of the texts.
type Fault struct {
	File    string
	Line    int // 0: the file as a whole
	Problem string
}

// String gives file, line and problem, as far as they are known.
func (f Fault) String() string {
	switch {
	case f.File == "":
		return f.Problem
	case f.Line == 0:
		return f.File + ": " + f.Problem
	}
	return f.File + ":" + strconv.Itoa(f.Line) + ": " + f.Problem
}

// Faults is everything that [Load] found wrong, by file and line.
type Faults []Fault

// Error gives one line a fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

type layoutData struct {
	Lang   string
	Blocks []block
}

// loader collects the faults of one Load.
type loader struct {
	overlay fs.FS
	model   phrases // the embedded English
	set     *Set
	faults  Faults
}

// Load reads the texts of the site's languages, embedded ones under those of
// overlay (nil: none). With an overlay it renders every letter in every language
// with sample data; the embedded ones alone are known to be good. The first
// language is the site's default. label names fields and places in the
// operator's words (nil: ours only). The error is [Faults]: all that is wrong, at
// once.
func Load(overlay fs.FS, languages []string, label LabelFunc) (*Set, error) {
	l := &loader{overlay: overlay, set: &Set{languages: map[string]*language{}, label: label}}
	text, err := fs.ReadFile(embedded, modelFile)
	if err != nil {
		return nil, fmt.Errorf("reading the embedded phrases: %w", err)
	}
	l.model, _ = parsePhrases(modelFile, string(text))

	l.setLanguages(languages)
	l.checkOverlay()
	l.readLayout()
	for _, code := range l.used() {
		l.set.languages[code] = l.readLanguage(code)
	}
	if overlay != nil && len(l.faults) == 0 {
		l.tryAll()
	}
	if len(l.faults) > 0 {
		slices.SortFunc(l.faults, func(a, b Fault) int {
			return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Problem, b.Problem))
		})
		return nil, slices.Compact(l.faults)
	}
	return l.set, nil
}

func (l *loader) fault(file string, line int, format string, args ...any) {
	l.faults = append(l.faults, Fault{file, line, fmt.Sprintf(format, args...)})
}

var languageCode = regexp.MustCompile(`^[a-z]{2,3}$`)

func (l *loader) setLanguages(codes []string) {
	for _, code := range codes {
		switch {
		case !languageCode.MatchString(code):
			l.fault("", 0, "language %q is not a code of two or three small letters", code)
		case slices.Contains(l.set.codes, code):
			l.fault("", 0, "language %q is named twice", code)
		default:
			l.set.codes = append(l.set.codes, code)
		}
	}
	if len(codes) == 0 {
		l.fault("", 0, "no language is named; the first one is the default")
	}
}

// used gives the site's languages and that of staff.
func (l *loader) used() []string {
	if slices.Contains(l.set.codes, staffLanguage) {
		return l.set.codes
	}
	return append(slices.Clone(l.set.codes), staffLanguage)
}

// letters gives the letters that a language must have.
func (l *loader) letters(code string) []Name {
	if !slices.Contains(l.set.codes, code) {
		return []Name{StaffNotice}
	}
	return slices.DeleteFunc(Names(), func(n Name) bool { return n == StaffNotice && code != staffLanguage })
}

func partsFile(code string) string          { return "replies/" + code + "/parts.txt" }
func phrasesFile(code string) string        { return "replies/" + code + "/phrases.txt" }
func letterFile(code string, n Name) string { return "replies/" + code + "/" + string(n) + ".txt" }

// checkOverlay names the files of the overlay that nothing would read.
func (l *loader) checkOverlay() {
	if l.overlay == nil {
		return
	}
	known := map[string]bool{layoutFile: true}
	for _, code := range l.used() {
		known[partsFile(code)], known[phrasesFile(code)] = true, true
		for _, n := range l.letters(code) {
			known[letterFile(code, n)] = true
		}
	}
	err := fs.WalkDir(l.overlay, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.fault(path, 0, "reading the overlay: %v", err)
		case !d.IsDir() && !known[path]:
			l.fault(path, 0, "nothing reads this file; its name must be replies/LANGUAGE/LETTER.txt, with a language of the site")
		}
		return nil
	})
	if err != nil {
		l.fault("", 0, "reading the overlay: %v", err)
	}
}

// read gives a file of the overlay, else the embedded one.
func (l *loader) read(file string) (string, bool) {
	var text []byte
	err := fs.ErrNotExist
	if l.overlay != nil {
		text, err = fs.ReadFile(l.overlay, file)
	}
	if errors.Is(err, fs.ErrNotExist) {
		text, err = fs.ReadFile(embedded, file)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.fault(file, 0, "this file is missing, and there is none of ours for it")
		return "", false
	case err != nil:
		l.fault(file, 0, "reading it: %v", err)
		return "", false
	}
	s := strings.ReplaceAll(strings.TrimPrefix(string(text), "\uFEFF"), "\r\n", "\n")
	if i := strings.IndexFunc(s, unfit); i >= 0 || !utf8.ValidString(s) {
		if i < 0 {
			i = len(strings.ToValidUTF8(s, ""))
		}
		l.fault(file, 1+strings.Count(s[:min(i, len(s))], "\n"), "the file must be UTF-8 text without control characters")
		return "", false
	}
	return s, true
}

func unfit(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

func (l *loader) readLayout() {
	text, ok := l.read(layoutFile)
	if !ok {
		return
	}
	layout, err := htmltemplate.New(layoutFile).Parse(text)
	if err != nil {
		l.broken(layoutFile, err)
		return
	}
	l.set.layout = layout
}

func (l *loader) readLanguage(code string) *language {
	lang := &language{code: code, letters: map[Name]*template.Template{}}
	if text, ok := l.read(phrasesFile(code)); ok {
		var faults []Fault
		lang.phrases, faults = parsePhrases(phrasesFile(code), text)
		l.faults = append(l.faults, faults...)
		l.faults = append(l.faults, lang.phrases.check(phrasesFile(code), l.model)...)
	}
	parts := template.New(partsFile(code))
	if text, ok := l.read(partsFile(code)); ok {
		if _, err := parts.Parse(text); err != nil {
			l.broken(partsFile(code), err)
		}
	}
	for _, n := range l.letters(code) {
		file := letterFile(code, n)
		text, ok := l.read(file)
		if !ok {
			continue
		}
		letter, err := template.Must(parts.Clone()).New(file).Parse(text)
		if err != nil {
			l.broken(file, err)
			continue
		}
		lang.letters[n] = letter
	}
	return lang
}

var templateError = regexp.MustCompile(`(?:html/)?template: ?([^:\s]+):(\d+)(?::\d+)?: `)

// broken adds the fault that a template package found, in the file and line
// that it names.
func (l *loader) broken(file string, err error) {
	text := err.Error()
	m := templateError.FindStringSubmatchIndex(text)
	if m == nil {
		l.fault(file, 0, "%s", text)
		return
	}
	line, _ := strconv.Atoi(text[m[4]:m[5]]) // digits; what is too large for a line number gives 0
	l.fault(text[m[2]:m[3]], line, "%s", text[m[1]:])
}

// tryAll renders every letter in every language with each of the samples.
func (l *loader) tryAll() {
	for _, code := range slices.Sorted(maps.Keys(l.set.languages)) {
		for _, n := range l.letters(code) {
			for _, d := range samples() {
				l.try(code, n, d)
			}
		}
	}
}

func (l *loader) try(code string, n Name, d Data) {
	file := letterFile(code, n)
	letter, err := l.set.Render(n, code, d)
	if err != nil {
		l.broken(file, err)
		return
	}
	switch {
	case strings.TrimSpace(letter.Text) == "":
		l.fault(file, 0, "the letter is empty")
	case n.ownSubject() && letter.Subject == "":
		l.fault(file, 1, `this letter must begin with a line "Subject: …"`)
	case !n.ownSubject() && letter.Subject != "":
		l.fault(file, 1, "this letter continues the person's own subject and must not have one")
	}
	if problem := compare(letter, d.Site.AccountURL); problem != "" {
		l.fault(layoutFile, 0, "%s", problem)
	}
}
