package handlers

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

//go:embed copy.html.tmpl
var pageSource string

// pageTemplate has the parts of the page, which are written one after the
// other, so that a person with a million records needs no more memory than one
// with three.
var pageTemplate = template.Must(template.New("copy").Parse(pageSource))

// htmlFile writes data.html: a page that stands alone, in the person's
// language, with nothing in it to load or to click.
type htmlFile struct {
	out     *bufio.Writer
	data    *datamap.Map
	words   words
	lang    string
	place   string
	columns []string // of the table that is open; nil: none is
}

// newPage begins the page of a part. Only from the second on is it known that
// there are several.
func newPage(w io.Writer, m *datamap.Map, site, lang string, part int) (*htmlFile, error) {
	f := &htmlFile{out: bufio.NewWriter(w), data: m}
	f.lang, f.words = wordsFor(lang)
	intro := f.words.Intro
	if part > 1 {
		intro = fmt.Sprintf(f.words.Part, part)
	}
	if m.Hides() {
		intro += " " + f.words.Hidden
	}
	return f, f.put("head", map[string]any{"Lang": f.lang, "Words": f.words, "Site": site, "Intro": intro})
}

// line is a value with its label.
type line struct{ Label, Value string }

func (f *htmlFile) record(r users.Record) error {
	place, known := f.data.Place(r.Place)
	if r.Place != f.place {
		if err := f.section(r.Place); err != nil {
			return err
		}
	}
	if known && place.Single {
		return f.put("list", f.lines(r))
	}
	if !slices.Equal(r.Columns, f.columns) {
		if err := f.table(r); err != nil {
			return err
		}
	}
	cells := make([]string, len(r.Values))
	for i, v := range r.Values {
		cells[i] = f.readable(r.Place, r.Columns[i], v)
	}
	return f.put("row", cells)
}

// section ends the place before and begins the next.
func (f *htmlFile) section(place string) error {
	if err := f.close(); err != nil {
		return err
	}
	f.place = place
	p, _ := f.data.Place(place)
	purpose := p.Purpose.In(f.lang)
	if place == datamap.CasesPlace {
		purpose = f.data.DescribeCases(0, f.lang).Purpose
	}
	if purpose != "" {
		purpose = f.words.Purpose + ": " + purpose
	}
	return f.put("section", line{f.data.PlaceLabel(place, f.lang), purpose})
}

func (f *htmlFile) table(r users.Record) error {
	if err := f.closeTable(); err != nil {
		return err
	}
	head := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		head[i] = f.data.ColumnLabel(r.Place, inbox.Field(c), f.lang)
	}
	f.columns = r.Columns
	return f.put("table", head)
}

func (f *htmlFile) lines(r users.Record) []line {
	var all []line
	for i, c := range r.Columns {
		all = append(all, line{f.data.ColumnLabel(r.Place, inbox.Field(c), f.lang), f.readable(r.Place, c, r.Values[i])})
	}
	return all
}

func (f *htmlFile) closeTable() error {
	if f.columns == nil {
		return nil
	}
	f.columns = nil
	return f.put("endtable", nil)
}

// close ends the section that is open.
func (f *htmlFile) close() error {
	if err := f.closeTable(); err != nil || f.place == "" {
		return err
	}
	f.place = ""
	return f.put("endsection", nil)
}

func (f *htmlFile) rest(empty []datamap.Place, past []inbox.PastCase) error {
	for _, p := range empty {
		if err := f.section(p.Name); err != nil {
			return err
		}
		if err := f.put("none", f.words); err != nil {
			return err
		}
	}
	if len(past) == 0 {
		return nil
	}
	if err := f.section(datamap.CasesPlace); err != nil {
		return err
	}
	for _, c := range past {
		var asked []string
		for _, a := range c.Asked {
			asked = append(asked, f.words.asked(a))
		}
		if err := f.put("case", map[string]any{"Case": c.Case.String(), "Received": moment(c.Received),
			"Subject": c.Subject, "Text": c.Text, "Asked": asked}); err != nil {
			return err
		}
	}
	return nil
}

func (f *htmlFile) end() error {
	if err := f.close(); err != nil {
		return err
	}
	if err := f.put("foot", f.words); err != nil {
		return err
	}
	return f.out.Flush()
}

func (f *htmlFile) put(part string, data any) error {
	if err := pageTemplate.ExecuteTemplate(f.out, part, data); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// readable words a value for a reader: yes and no, times, and a dash for what
// is held but empty.
func (f *htmlFile) readable(place, column, v string) string {
	if v == "" {
		return "–"
	}
	if b, err := strconv.ParseBool(v); err == nil && f.data.IsBool(place, inbox.Field(column)) {
		if b {
			return f.words.Yes
		}
		return f.words.No
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return moment(t)
	}
	return v
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// words is what the page says by itself.
type words struct {
	Title, Intro, Part, Others, None string
	Hidden                           string // what is left out
	Purpose, Yes, No                 string
	terms                            map[string]string // kinds, scopes and states, as PastCase.Asked has them
}

// asked words what an earlier letter asked and what came of it, as far as it
// is made of known terms.
func (w words) asked(s string) string {
	parts := strings.Fields(s)
	for i, p := range parts {
		if t := w.terms[strings.Trim(p, ":,()")]; t != "" {
			parts[i] = strings.Replace(p, strings.Trim(p, ":,()"), t, 1)
		}
	}
	return strings.Join(parts, " ")
}

// wordsFor gives the page's words in the language of the tag, else in English.
func wordsFor(lang string) (string, words) {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	if w, ok := pageWords()[base]; ok {
		return base, w
	}
	return "en", pageWords()["en"]
}

func pageWords() map[string]words {
	return map[string]words{
		"en": {Title: "Your data", Intro: "This is what we hold about you.", Part: "This is part %d of what we hold about you.",
			Hidden: "Left out are only passwords, keys and the like, which are there to protect your account.",
			Others: "The same data are in data.json, for programs, and in data.csv, for spreadsheets; there an apostrophe stands before a value that a spreadsheet would take for a formula.",
			None:   "We hold nothing here.", Purpose: "Purpose", Yes: "yes", No: "no"},
		"ru": {Title: "Ваши данные", Intro: "Здесь то, что мы храним о вас.", Part: "Здесь то, что мы храним о вас, часть %d.",
			Hidden: "Нет только паролей, ключей и подобного: они нужны, чтобы защищать ваш аккаунт.",
			Others: "Те же данные есть в файлах data.json (для программ) и data.csv (для таблиц); в таблице перед значением, похожим на формулу, стоит апостроф.",
			None:   "Здесь мы ничего не храним.", Purpose: "Зачем", Yes: "да", No: "нет",
			terms: map[string]string{"change": "изменение", "delete": "удаление", "deactivate": "отключение аккаунта",
				"copy": "копия данных", "describe": "сведения о данных", "withdraw": "возражение", "question": "вопрос",
				"account": "(аккаунт)", "fields": "(отдельные данные)",
				"review": "рассматривается", "unconfirmed": "ждёт подтверждения", "held": "приостановлено", "scheduled": "запланировано",
				"running": "выполняется", "failed": "не удалось", "done": "выполнено", "cancelled": "отменено",
				"expired": "срок истёк", "refused": "отказано"}},
		"kk": {Title: "Сіздің деректеріңіз", Intro: "Мұнда біз сіз туралы сақтайтын деректер бар.", Part: "Мұнда біз сіз туралы сақтайтын деректердің %d-бөлігі бар.",
			Hidden: "Тек құпиясөздер, кілттер және сол сияқтылар жоқ: олар аккаунтыңызды қорғауға керек.",
			Others: "Осы деректер data.json (бағдарламаларға арналған) және data.csv (кестелерге арналған) файлдарында да бар; кестеде формулаға ұқсас мәннің алдында апостроф тұрады.",
			None:   "Мұнда біз ештеңе сақтамаймыз.", Purpose: "Мақсаты", Yes: "иә", No: "жоқ",
			terms: map[string]string{"change": "өзгерту", "delete": "жою", "deactivate": "аккаунтты өшіріп қою",
				"copy": "деректер көшірмесі", "describe": "деректер туралы мәлімет", "withdraw": "қарсылық", "question": "сұрақ",
				"account": "(аккаунт)", "fields": "(жеке деректер)",
				"review": "қаралуда", "unconfirmed": "растауды күтуде", "held": "тоқтатылды", "scheduled": "жоспарланды",
				"running": "орындалуда", "failed": "орындалмады", "done": "орындалды", "cancelled": "тоқтатылды",
				"expired": "мерзімі өтті", "refused": "бас тартылды"}},
	}
}
