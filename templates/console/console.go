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
	funcs := functions(p.words[code], zone)
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
func functions(w templates.Words, zone *time.Location) template.FuncMap {
	times := Times{w, zone}
	return template.FuncMap{
		"t":      func(key string, pairs ...string) (string, error) { return say(w, key, pairs...) },
		"n":      func(key string, n int) (string, error) { return count(w, key, n) },
		"name":   func(group, word string) string { return Name(w, group, word) },
		"why":    func(why string) string { return templates.Plain(Reason(w, why)) },
		"ago":    times.Ago,
		"due":    times.Due,
		"moment": func(t time.Time) string { return w.Moment(t, zone) },
		"short":  times.Short,
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"plain":  templates.Plain,
		"text":   templates.PlainText,
		"lines":  func(s string) int { return min(max(3, strings.Count(s, "\n")+2), 14) },
		"str":    func(v any) string { return fmt.Sprint(v) },
		"within": func(f Frame, body any) Frame { f.Body = body; return f },
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

// Reason words why something waits, or cannot be taken back, where the language
// has the program's sentence; several are separated by "; ". What has no text of
// its own stays as it is.
func Reason(w templates.Words, why string) string {
	parts := strings.Split(why, "; ")
	for i, p := range parts {
		slug := strings.Join(strings.FieldsFunc(strings.ToLower(p), func(r rune) bool { return r < 'a' || r > 'z' }), "-")
		if key := "why." + slug; w.Has(key) {
			parts[i] = w.Say(key)
		} else if text, ok := saidOf(w, p); ok {
			parts[i] = text
		}
	}
	return strings.Join(parts, "; ")
}

// said lists the sentences of the program that have something put into them: the
// key of their text, and how they are said.
func said() [][2]string {
	return [][2]string{
		{"why-of.last-signed-in", "the person was last signed in on {day}: the mailbox may be somebody else's by now"},
		{"why-of.report-in", "a failure report came back in {case}"},
		{"why-of.its-letter", "{letter}, its letter, is held: {why}"},
		{"why-of.answers-staff", "it answers {letter}, which staff wrote"},
		{"why-of.report", "it is a report: {type}"},
		{"why-of.mass", "List-Unsubscribe and {header} are set, as on mass mail"},
		{"why-of.to", "to {name}"},
		{"why-of.tell", "tell {names} of what {action} did"},
		{"why-of.same-content", "its content is that of {case}"},
		{"why-of.failure-of", "a failure report about {letter}"},
		{"why-of.same-signature", "its signature came before, in {case}"},
		{"why-of.author", "its author is not certain: {why}"},
		{"why-of.less-proof", "its content came before, in {case}, but in another form or with less proof"},
		{"why-of.other-content", "it has the Message-ID of {case}, but another content"},
		{"why-of.policy", "policy wants every {kind} reviewed"},
		{"why-of.waits-order", "waits: {action}, which comes before it, has not ended"},
		{"why-of.waits-letter", "waits: {letter}, which tells of it, was not sent"},
		{"why-of.copy-lost", "the copy was not delivered ({letter} is {state})"},
		{"why-of.class", "{class}: {why}"},
		{"why-of.remark", "{why} ({letter})"},
		{"why-of.set", "{header} is set"},
	}
}

// saidOf words a sentence that has something put into it; a reason in it and the
// class of a mail are worded, too.
func saidOf(w templates.Words, why string) (text string, ok bool) {
	for _, s := range said() {
		if pairs, ok := put(s[1], why); ok && w.Has(s[0]) {
			for i := 0; i < len(pairs); i += 2 {
				switch pairs[i] {
				case "why":
					pairs[i+1] = Reason(w, pairs[i+1])
				case "class":
					pairs[i+1] = Name(w, "class", pairs[i+1])
				}
			}
			return w.Say(s[0], pairs...), true
		}
	}
	return "", false
}

// put gives what was put into a sentence, as pairs of placeholder and value. All
// but a reason and a list of names is one word.
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
		if value == "" || place != "why" && place != "names" && strings.Contains(value, " ") {
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
