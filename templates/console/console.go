// Package console holds the pages that staff work in: their HTML, one
// stylesheet, one small script, and the texts in English, Russian and Kazakh.
//
// # Files
//
//	pages/frame.html       what stands around every page
//	pages/NAME.html        one page; it defines "body"
//	pages/rows.html        the part of the queue that is updated while it is open
//	assets/style.css       light and dark; system fonts
//	assets/script.js       what the pages can do without: updates, keys, texts to choose
//	texts/LANG.txt         every word, key = text; under them lie those of the letters
//
// A page is given a [Frame], whose Body is the type of views.go that bears the
// page's name. Whatever people or staff gave is a string there and is escaped;
// nothing is marked as safe.
package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/templates"
)

//go:embed pages texts assets
var files embed.FS

// Languages lists the languages of the pages; the first stands in for others.
func Languages() []string { return []string{"en", "ru", "kk"} }

// names lists the pages.
func names() []string {
	return []string{"sign-in", "link", "password", "account", "queue", "found", "case", "preview", "kept", "raw", "log", "mails", "staff", "saved", "receipt", "fault"}
}

// Asset is a file beside the pages. Its name holds a digest of its content, so
// that browsers may keep it for ever.
type Asset struct {
	Path, Type string
	Body       []byte
}

// Pages are the loaded pages. They are safe for concurrent use.
type Pages struct {
	style, script, icon Asset
	words               map[string]templates.Words
	pages               map[string]func() (*template.Template, error) // language/name
}

// Load reads the pages; zone is that of all times (nil: UTC). A page is made
// ready when it is looked at first: all of them in all languages take more
// memory than the rest of the program but its word lists, and most are never looked at.
func Load(zone *time.Location) (*Pages, error) {
	if zone == nil {
		zone = time.UTC
	}
	p := &Pages{words: map[string]templates.Words{}, pages: map[string]func() (*template.Template, error){}}
	var errs []error
	for _, code := range Languages() {
		errs = append(errs, p.loadLanguage(code, zone))
	}
	var err error
	p.style, err = asset("style.css", "text/css; charset=utf-8")
	errs = append(errs, err)
	p.script, err = asset("script.js", "text/javascript; charset=utf-8")
	errs = append(errs, err)
	p.icon, err = asset("icon.svg", "image/svg+xml")
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("loading the console's pages: %w", err)
	}
	return p, nil
}

func (p *Pages) loadLanguage(code string, zone *time.Location) error {
	text, err := fs.ReadFile(files, "texts/"+code+".txt")
	if err != nil {
		return err
	}
	own, faults := templates.ParseWords("texts/"+code+".txt", string(text))
	if len(faults) > 0 {
		return faults
	}
	letters, err := templates.LetterWords(code)
	if err != nil {
		return err
	}
	p.words[code] = own.Over(letters)
	funcs := functions(code, p.words[code], zone)
	for _, name := range names() {
		p.pages[code+"/"+name] = sync.OnceValues(func() (*template.Template, error) {
			return template.New("frame.html").Option("missingkey=error").Funcs(funcs).
				ParseFS(files, "pages/frame.html", "pages/rows.html", "pages/"+name+".html")
		})
	}
	return nil
}

func asset(name, kind string) (Asset, error) {
	b, err := fs.ReadFile(files, "assets/"+name)
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	return Asset{"/assets/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext, kind, b}, err
}

// Assets lists the files beside the pages.
func (p *Pages) Assets() []Asset { return []Asset{p.style, p.script, p.icon} }

// Words gives the words of a language; those of the first for an unknown one.
func (p *Pages) Words(lang string) templates.Words {
	if w, ok := p.words[lang]; ok {
		return w
	}
	return p.words[Languages()[0]]
}

// Render writes a page. Nothing is written when it cannot be made.
func (p *Pages) Render(w io.Writer, page string, f Frame) error {
	return p.execute(w, "frame.html", page, f)
}

// RenderRows writes the part of the queue that is updated while it is open.
func (p *Pages) RenderRows(w io.Writer, f Frame) error { return p.execute(w, "rows", "queue", f) }

func (p *Pages) execute(w io.Writer, name, page string, f Frame) error {
	f.Style, f.Script, f.Icon = p.style.Path, p.script.Path, p.icon.Path
	ready := p.pages[f.Lang+"/"+page]
	if ready == nil {
		return fmt.Errorf("there is no page %q in language %q", page, f.Lang)
	}
	t, err := ready()
	var b bytes.Buffer
	if err == nil {
		err = t.ExecuteTemplate(&b, name, f)
	}
	if err != nil {
		return fmt.Errorf("making the page %s: %w", page, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// functions are what the pages can call.
func functions(code string, w templates.Words, zone *time.Location) template.FuncMap {
	times := Times{w, zone}
	return template.FuncMap{
		"t":          func(key string, pairs ...string) (string, error) { return say(w, key, pairs...) },
		"n":          func(key string, n int) (string, error) { return count(w, key, n) },
		"name":       func(group, word string) string { return Name(w, group, word) },
		"why":        func(why string) string { return templates.Plain(Reason(w, why)) },
		"worded":     func(why string) bool { _, all := Worded(w, why); return all },
		"translated": func(why string) bool { return code != Languages()[0] && Reason(w, why) != why },
		"ago":        times.Ago,
		"due":        times.Due,
		"moment":     func(t time.Time) string { return w.Moment(t, zone) },
		"short":      times.Short,
		"iso":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"plain":      templates.Plain,
		"text":       templates.PlainText,
		"lines":      func(s string) int { return min(max(3, strings.Count(s, "\n")+2), 14) },
		"str":        func(v any) string { return fmt.Sprint(v) },
		"within":     func(f Frame, body any) Frame { f.Body = body; return f },
	}
}

func say(w templates.Words, key string, pairs ...string) (string, error) {
	if !w.Has(key) {
		return "", fmt.Errorf("there is no text %q", key)
	}
	return w.Say(key, pairs...), nil
}

func count(w templates.Words, key string, n int) (string, error) {
	if !w.Has(key) {
		return "", fmt.Errorf("there is no text %q", key)
	}
	return w.Count(key, n), nil
}

// Name gives the word for a fixed name of a group, such as "state" and
// "review", and the bare name where there is none.
func Name(w templates.Words, group, word string) string {
	if key := group + "." + strings.ReplaceAll(word, " ", "-"); w.Has(key) {
		return w.Say(key)
	}
	return strings.ReplaceAll(word, "_", " ")
}

// Reason words why something waits, was not done or cannot be taken back, and
// what a proof rests on, where the language has the program's sentence; several
// are separated by "; ". What has no text of its own stays as it is.
func Reason(w templates.Words, why string) string {
	text, _ := Worded(w, why)
	return text
}

// Worded is Reason, and tells whether all of it has a text.
func Worded(w templates.Words, why string) (text string, all bool) {
	why = strings.ReplaceAll(why, "\n", "; ") // errors that were joined
	if text, ok := sentenceOf(w, why); ok {
		return text, true
	}
	parts := strings.Split(why, "; ")
	all = true
	for i, p := range parts {
		var ok bool
		parts[i], ok = sentenceOf(w, p)
		all = all && ok
	}
	return strings.Join(parts, "; "), all
}

// sentenceOf words one sentence; without a text for it, or for a part of it, it
// is worded as far as there is one.
func sentenceOf(w templates.Words, why string) (text string, ok bool) {
	slug := strings.Join(strings.FieldsFunc(strings.ToLower(why), func(r rune) bool { return r < 'a' || r > 'z' }), "-")
	if key := "why." + slug; w.Has(key) {
		return w.Say(key), true
	}
	return saidOf(w, why)
}

// groups gives the group of names of which what is put into a sentence is one.
func groups() map[string]string {
	return map[string]string{"class": "class", "state": "state", "mail": "mail", "reply": "letter", "field": "field", "act": "act", "kind": "kind"}
}

// saidOf words a sentence that has something put into it; reasons and names of
// the program in it are worded, too.
func saidOf(w templates.Words, why string) (text string, ok bool) {
	for _, s := range said() {
		pairs, is := put(s[1], why)
		if !is || !w.Has(s[0]) {
			continue
		}
		all := true
		for i := 0; i < len(pairs); i += 2 {
			switch place, value := pairs[i], pairs[i+1]; {
			case place == "why":
				pairs[i+1], all = Worded(w, value)
			case place == "class" && !w.Has("class."+value) && w.Has("field."+value):
				pairs[i+1] = Name(w, "field", value)
			case groups()[place] != "" && w.Has(groups()[place]+"."+value):
				pairs[i+1] = Name(w, groups()[place], value)
			}
		}
		return w.Say(s[0], pairs...), all
	}
	return why, false
}

// put gives what was put into a sentence, as pairs of placeholder and value. All
// but reasons, names and times are one word.
func put(sentence, why string) (pairs []string, ok bool) {
	for {
		before, rest, found := strings.Cut(sentence, "{")
		if why, ok = strings.CutPrefix(why, before); !ok || !found {
			return pairs, ok && why == ""
		}
		var place string
		place, sentence, _ = strings.Cut(rest, "}")
		value := why
		if next, _, _ := strings.Cut(sentence, "{"); next != "" {
			i := strings.Index(why, next)
			if i < 0 {
				return nil, false
			}
			value = why[:i]
		}
		if value == "" || place != "why" && strings.Contains(value, "; ") || !slices.Contains([]string{"why", "names", "called", "when"}, place) && strings.Contains(value, " ") {
			return nil, false
		}
		pairs, why = append(pairs, place, value), why[len(value):]
	}
}

// Times words times as people say them, seen from now.
type Times struct {
	Words templates.Words
	Zone  *time.Location
}

// Ago says how long ago a time was: in minutes, hours, and days up to a week;
// then the day.
func (t Times) Ago(at time.Time) string {
	d := time.Since(at)
	switch {
	case d < time.Minute:
		return t.Words.Say("ago.now")
	case d < time.Hour:
		return t.Words.Count("ago.minutes", int(d/time.Minute))
	case d < 24*time.Hour:
		return t.Words.Count("ago.hours", int(d/time.Hour))
	case d < 7*24*time.Hour:
		return t.Words.Count("ago.days", int(d/(24*time.Hour)))
	}
	return t.Words.Say("ago.day", "date", t.day(at))
}

// Due says when something is due, or for how long it has been.
func (t Times) Due(at time.Time) string {
	now := time.Now()
	clock := at.In(t.Zone).Format("15:04")
	switch late := now.Sub(at); {
	case late >= 48*time.Hour:
		return t.Words.Count("late.days", int(late/(24*time.Hour)))
	case late >= time.Hour:
		return t.Words.Count("late.hours", int(late/time.Hour))
	case late >= 0:
		return t.Words.Say("late.now")
	}
	switch days := t.days(at) - t.days(now); days {
	case 0:
		return t.Words.Say("due.today", "clock", clock)
	case 1:
		return t.Words.Say("due.tomorrow", "clock", clock)
	}
	return t.Words.Say("due.day", "date", t.day(at), "clock", clock)
}

// Short gives the time of today, and else the day and the time.
func (t Times) Short(at time.Time) string {
	clock := at.In(t.Zone).Format("15:04")
	if t.days(at) == t.days(time.Now()) {
		return clock
	}
	return t.Words.Say("short", "date", t.day(at), "clock", clock)
}

// day words a day; the year is left out where it is this one.
func (t Times) day(at time.Time) string {
	at = at.In(t.Zone)
	if at.Year() != time.Now().In(t.Zone).Year() {
		return t.Words.Date(at)
	}
	return t.Words.Say("day", "d", strconv.Itoa(at.Day()), "month", t.Words.Say("month."+strconv.Itoa(int(at.Month()))))
}

// days counts the days of the calendar.
func (t Times) days(at time.Time) int {
	at = at.In(t.Zone)
	return int(time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}
