// Package mapfile reads the data map of a site with a database of its own from
// the file that its operator writes (TOML), and has ready ones for the tables of
// well-known frameworks ([Example]). It reads no database.
//
// # The file
//
// Every text for people is a table of languages, { en = "…", ru = "…" }: names,
// reasons, spans of time. A date, "2031-12-31", is shown as a day in the
// reader's language.
//
//	[account]                      the person's own row
//	name                           of the place, in plans and copies; default "profile"
//	table, key                     "users", "schema.users"; the column that is the person's ID
//	label, purpose, retention, recipients    what people are told; label has a default here
//	tell                           names of recipients whom staff must tell of changes and deletes
//	active = { column, on, off } | { column, time = true }    by what an account is deactivated
//	withdrawn, last_seen           columns with a time: of an objection, of the last sign-in
//	protected = [{ column, value }]          rows on which only staff act
//	erase                          delete: the row goes | values: it stays, each column by its own rule | keep
//	why, until                     of keep: the reason, until when
//
//	[[account.column]]
//	name                           of the table; several make one field, with blanks between
//	field                          what people may change; left out: the site writes it
//	label, words                   how letters call it; what else people call it, by language: { en = ["…"] }
//	type                           text lines email phone date gender bool
//	max, join, needed              longest value, 0: no limit; what stands before a value that is added; it cannot be removed
//	export = false                 goes into no copy and no description, such as the hash of a password
//	erase                          where the row stays: null | hash | invalid | =a fixed text | keep
//	why, until                     of keep
//
//	[[related]]                    another table; the keys of [account], but for the account's own, and
//	key                            may be several columns
//	link = { column, to = "place.column" } | { column, address = true }    how a row belongs to a person
//	                               by address: when the person's changes, the rows get the new one, but where
//	                               erase = "keep" of the table or that column; { …, fixed = { en = "why" } }: they never do
//	where = [{ column, value }]    what else a row must hold to count
//	single = true                  one row a person: people may change its fields
//	[[related.column]]             as above
//
// What a known field (inbox.Fields) does not say, it has as in the embedded map.
package mapfile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/settings"
)

// What is beyond these bounds is no map that anybody wrote for a site.
const (
	maxFile   = 256 << 10 // bytes of the file; the library looks for double keys one by one
	maxPlaces = 500
	maxName   = 128 // characters of the name of a table or column
)

// Read reads a data map. The error is settings.Faults: everything that is wrong
// with it, at once, with the lines.
func Read(data []byte) (*datamap.Map, error) {
	if len(data) > maxFile {
		return nil, settings.Faults{{Problem: fmt.Sprintf("it has %d bytes, and a map may have %d", len(data), maxFile)}}
	}
	file, root := settings.Parse(data)
	if root == nil {
		return nil, file.Faults()
	}
	r := reader{}
	account := root.Sub("account")
	if !root.Has("account") {
		root.Fault("account", "write an [account]: the table where each person has their own row", "is missing")
	}
	if !root.Faulty("account") {
		r.account(account)
	}
	related := root.Subs("related")
	if len(related) > maxPlaces {
		root.Fault("related", "", "there are %d tables, and a map may have %d", len(related), maxPlaces)
		return nil, file.Faults()
	}
	for _, t := range related {
		r.related(t)
	}
	root.Close()
	if root.Faulty("account") {
		return nil, file.Faults()
	}
	m, err := datamap.New(r.places...)
	r.tell(err)
	r.checkLinks()
	if faults := file.Faults(); len(faults) > 0 {
		return nil, faults
	}
	return m, err
}

// reader gathers the places of a file, and where each of them is written.
type reader struct {
	places  []datamap.Place
	tables  []*settings.Table
	columns [][]*settings.Table
}

// tell notes the faults that only the whole map shows, each where it is
// written. What was noted there already is not told again in other words.
func (r *reader) tell(err error) {
	var faults datamap.Faults
	errors.As(err, &faults)
	for _, f := range faults {
		t := r.tables[f.Place]
		if f.Column >= 0 {
			t = r.columns[f.Place][f.Column]
		}
		switch {
		case f.Of == "":
			t.FaultHere("", "%s", f.Problem)
		case t.Faulty(f.Of), f.Of == "field" && t.Faulty("name"):
		case f.Of == "field" && !t.Has("field"):
			t.Fault("name", "", "%s", f.Problem)
		default:
			t.Fault(f.Of, "", "%s", f.Problem)
		}
	}
}

// checkLinks notes links to what the map does not name: a slip, that the
// database would otherwise have to tell.
func (r *reader) checkLinks() {
	for i, p := range r.places {
		link := p.Source.Link
		at := slices.IndexFunc(r.places, func(p datamap.Place) bool { return p.Name == link.Parent })
		if link.Parent != "" && at >= 0 && !names(r.places[at], link.To) && !r.tables[i].Faulty("link") {
			r.tables[i].Fault("link", "name it there, as key or as a column", "it is linked to %s.%s, and the map has no such key or column of that place", link.Parent, link.To)
		}
	}
}

// names tells whether the map names a column of the place's table.
func names(p datamap.Place, column string) bool {
	return slices.Contains(p.Source.Key, column) || p.Source.Link.Column == column ||
		slices.ContainsFunc(p.Columns, func(c datamap.Column) bool { return slices.Contains(c.Names(), column) })
}

// add enters a place that was read, with its columns.
func (r *reader) add(t *settings.Table, p datamap.Place) {
	tables := t.Subs("column")
	for _, c := range tables {
		p.Columns = append(p.Columns, readColumn(c, p.Erase == datamap.EraseValues || t.Faulty("erase")))
	}
	t.Close()
	r.places, r.tables, r.columns = append(r.places, p), append(r.tables, t), append(r.columns, tables)
}

func (r *reader) account(t *settings.Table) {
	p := datamap.Place{Name: t.Text("name", datamap.PlaceProfile), Single: true}
	readPlace(t, &p)
	if own, ok := datamap.Embedded().Place(datamap.PlaceProfile); ok && p.Label == nil {
		p.Label = own.Label
	}
	p.Source.Key = []string{readName(t, "key", "the column that is the person's ID")}
	p.Account = datamap.Account{Active: readSwitch(t), Withdrawn: optionalName(t, "withdrawn"), LastSeen: optionalName(t, "last_seen"),
		Protected: readMatches(t, "protected")}
	r.add(t, p)
}

func (r *reader) related(t *settings.Table) {
	p := datamap.Place{Name: t.Required("name", `what it is called in plans and copies, for example "orders"`), Single: t.Flag("single", false)}
	readPlace(t, &p)
	if p.Label == nil && !t.Faulty("label") {
		t.Fault("label", textHint, "is missing")
	}
	p.Source.Key = readNames(t, "key", "the column, or the columns, that tell a row from every other")
	p.Source.Link, p.Source.Where = readLink(t), readMatches(t, "where")
	r.add(t, p)
}

// readPlace reads what every place has, but its columns.
func readPlace(t *settings.Table, p *datamap.Place) {
	p.Source.Table = readName(t, "table", "as the database knows it")
	p.Label = readText(t, "label")
	p.Purpose, p.Retention, p.Recipients = toldText(t, "purpose", "why the site stores this"),
		toldText(t, "retention", "how long it is stored"), toldText(t, "recipients", "who else receives it")
	p.Tell = t.Texts("tell")
	switch erase := t.OneOf("erase", "delete", "delete", "values", "keep"); erase {
	case "values", "keep":
		p.Erase = datamap.Erasure(erase)
	}
	p.Keep, p.Until = readReason(t, p.Erase == datamap.EraseNone)
}

// toldText reads a text that people are told who ask what is stored about them.
func toldText(t *settings.Table, key, what string) datamap.Text {
	text := readText(t, key)
	if text == nil && !t.Faulty(key) {
		t.Fault(key, what+`, as people are told it: { en = "…" }`, "is missing")
	}
	return text
}

// readReason reads why something is kept, and until when.
func readReason(t *settings.Table, kept bool) (why, until datamap.Text) {
	why, until = readText(t, "why"), readText(t, "until")
	for _, key := range []string{"why", "until"} {
		if !kept && t.Has(key) {
			t.Fault(key, `it belongs to erase = "keep"`, "is not read")
		}
	}
	for lang, s := range until {
		if _, err := time.Parse(time.DateOnly, s); err != nil && dateLike.MatchString(s) {
			t.Fault("until", "write YYYY-MM-DD, or words", "%s: there is no day %s", lang, s)
		}
	}
	return why, until
}

var (
	language = regexp.MustCompile(`^[a-z]{2,3}$`)
	dateLike = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
)

const textHint = `for example { en = "Orders" }`

// readText reads a wording by language, or gives nil where there is none.
func readText(t *settings.Table, key string) datamap.Text {
	if v, _, ok := t.Find(key); ok {
		if _, ok := v.(map[string]any); !ok {
			t.Fault(key, textHint, "must be a text for each language")
			return nil
		}
	}
	var text datamap.Text
	sub := t.Sub(key)
	for _, lang := range sub.Keys() {
		s := sub.Required(lang, "")
		checkLanguage(sub, lang)
		if s != strings.TrimSpace(s) || strings.ContainsFunc(s, unicode.IsControl) {
			sub.Fault(lang, "one line, without blanks around it", "%q cannot be shown to people", s)
		}
		if text == nil {
			text = datamap.Text{}
		}
		text[lang] = s
	}
	if t.Has(key) && text == nil && !t.Faulty(key) {
		t.Fault(key, textHint, "says nothing")
	}
	return text
}

func checkLanguage(t *settings.Table, lang string) {
	if !language.MatchString(lang) {
		t.Fault(lang, `for example "en" or "kk"`, "%q is not a language", lang)
	}
}

// readWords reads what people call a field besides its label.
func readWords(t *settings.Table, key string) map[string][]string {
	var words map[string][]string
	sub := t.Sub(key)
	for _, lang := range sub.Keys() {
		checkLanguage(sub, lang)
		if words == nil {
			words = map[string][]string{}
		}
		words[lang] = sub.Texts(lang)
		if slices.ContainsFunc(words[lang], func(s string) bool { return !strings.ContainsFunc(s, unicode.IsLetter) }) {
			sub.Fault(lang, "write it as people do", "a text without a letter is no word")
		}
	}
	return words
}

// readName reads the name of a table or of a column that must be there.
func readName(t *settings.Table, key, hint string) string {
	s := t.Required(key, hint)
	checkName(t, key, s)
	return s
}

func optionalName(t *settings.Table, key string) string {
	s := t.Text(key, "")
	if t.Has(key) && s == "" && !t.Faulty(key) {
		t.Fault(key, "leave the key out where the site has no such column", "is empty")
	}
	checkName(t, key, s)
	return s
}

// readNames reads one name, or a list of them.
func readNames(t *settings.Table, key, hint string) []string {
	v, _, _ := t.Find(key)
	if _, list := v.([]any); !list {
		return []string{readName(t, key, hint)}
	}
	names := t.Texts(key)
	if len(names) == 0 && !t.Faulty(key) {
		t.Fault(key, hint, "is empty")
	}
	for i, s := range names {
		checkName(t, key, s)
		if s == "" || slices.Contains(names[:i], s) {
			t.Fault(key, "", "the name %q is empty, or there twice", s)
		}
	}
	return names
}

func checkName(t *settings.Table, key, s string) {
	if strings.ContainsFunc(s, unicode.IsControl) || len([]rune(s)) > maxName || strings.TrimSpace(s) != s {
		t.Fault(key, "write it as the database does, without quotes", "%.200q is not the name of a table or column", s)
	}
}

// readMatches reads a list of columns and the values that they must hold.
func readMatches(t *settings.Table, key string) []datamap.Match {
	var out []datamap.Match
	for _, m := range t.Subs(key) {
		const hint = `for example { column = "kind", value = "order" }`
		out = append(out, datamap.Match{Column: readName(m, "column", hint), Value: m.Text("value", "")})
		if !m.Has("value") {
			m.Fault("value", hint, "is missing")
		}
		m.Close()
	}
	return out
}

// readSwitch reads by what an account is deactivated.
func readSwitch(t *settings.Table) datamap.Switch {
	const key, hint = "active", `write { column = "…", on = "…", off = "…" }, or { column = "…", time = true }`
	sub := t.Sub(key)
	if !t.Has(key) || t.Faulty(key) {
		return datamap.Switch{}
	}
	s := datamap.Switch{Column: readName(sub, "column", hint), On: sub.Text("on", ""), Off: sub.Text("off", ""), Time: sub.Flag("time", false)}
	switch values := sub.Has("on") && sub.Has("off"); {
	case s.Time && sub.Has("on", "off"):
		t.Fault(key, hint, "it is a time, or has values, not both")
	case !s.Time && !values:
		t.Fault(key, hint, "nothing says which values of the column stand for active and for not")
	}
	sub.Close()
	return s
}

// readLink reads how the rows of a place belong to a person.
func readLink(t *settings.Table) datamap.Link {
	const key, hint = "link", `write { column = "…", to = "place.column" }, or { column = "…", address = true }`
	sub := t.Sub(key)
	if !t.Has(key) {
		t.Fault(key, hint, "is missing")
	}
	if t.Faulty(key) {
		return datamap.Link{}
	}
	l := datamap.Link{Column: readName(sub, "column", hint)}
	to, byAddress := sub.Text("to", ""), sub.Flag("address", false)
	l.Why = readText(sub, "fixed")
	l.Fixed = l.Why != nil
	l.Parent, l.To, _ = strings.Cut(to, ".")
	switch {
	case byAddress == (to != ""):
		t.Fault(key, hint, "it leads to a column of another place, or is by address: one of the two")
	case !byAddress && (l.Parent == "" || l.To == ""):
		t.Fault(key, `for example to = "profile.id"`, "%q is not a place and a column of it", to)
	}
	checkName(sub, "to", to)
	sub.Close()
	return l
}

// readColumn reads a column; stays tells that its row may stay when the account
// is deleted.
func readColumn(t *settings.Table, stays bool) datamap.Column {
	defer t.Close()
	names := readNames(t, "name", "the column, as the database knows it")
	field := inbox.Field(t.Text("field", ""))
	c := datamap.Column{Fixed: true}
	switch {
	case t.Has("field"):
		c, _ = datamap.Known(field)
	case len(names) > 1:
		t.Fault("name", "name the field that they make together, or write a column each", "several columns are one only where people may change them")
	default:
		field = inbox.Field(Plain(names[0]))
	}
	c.Field, c.Source, c.Hidden = field, names, !t.Flag("export", true)
	if label := readText(t, "label"); label != nil {
		c.Label = label
	}
	c.Type = readType(t, c)
	readLimits(t, &c)
	c.Erase = readRule(t, stays)
	c.Why, c.Until = readReason(t, c.Erase.Op == datamap.RuleKeep)
	return c
}

// Plain gives the name that a column, or a place, of that name has in copies:
// small letters, digits and _. Cyrillic is written in Latin letters, what else
// there is as _.
func Plain(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		latin, cyrillic := cyrillicLetters[r]
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case cyrillic:
			b.WriteString(latin)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// cyrillicLetters are those of Russian, Kazakh and Ukrainian.
var cyrillicLetters = map[rune]string{
	'а': "a", 'ә': "a", 'б': "b", 'в': "v", 'г': "g", 'ғ': "g", 'ґ': "g", 'д': "d", 'е': "e", 'ё': "e", 'є': "ie", 'ж': "zh", 'з': "z", 'и': "i",
	'і': "i", 'ї': "i", 'й': "i", 'к': "k", 'қ': "q", 'л': "l", 'м': "m", 'н': "n", 'ң': "n", 'о': "o", 'ө': "o", 'п': "p", 'р': "r", 'с': "s",
	'т': "t", 'у': "u", 'ұ': "u", 'ү': "u", 'ф': "f", 'х': "kh", 'һ': "h", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y",
	'ь': "", 'э': "e", 'ю': "iu", 'я': "ia",
}

func readType(t *settings.Table, c datamap.Column) datamap.Type {
	const plain = "text"
	def := string(c.Type)
	if c.Type == datamap.TypeText {
		def = plain
	}
	s := t.OneOf("type", def, plain, "lines", "email", "phone", "date", "gender", "bool")
	switch {
	case s == plain:
		return datamap.TypeText
	case !c.Fixed && datamap.Type(s) == datamap.TypeBool:
		t.Fault("type", "leave field out", "only what the site writes is true or false")
	}
	return datamap.Type(s)
}

// readLimits reads what people may do with a field.
func readLimits(t *settings.Table, c *datamap.Column) {
	of := []string{"max", "join", "needed", "words"}
	if c.Fixed {
		for _, key := range of {
			if _, _, ok := t.Find(key); ok {
				t.Fault(key, "it is of a column that people may change: one with a field", "is not read")
			}
		}
		return
	}
	several := len(c.Source) > 1
	if several {
		c.Join = ""
	}
	c.Max = int(t.Number("max", int64(c.Max), 0))
	if several && t.Text("join", "") != "" {
		t.Fault("join", "leave it out", "nothing can be added to what lies in several columns")
	} else {
		c.Join = t.Text("join", c.Join)
	}
	c.Needed = t.Flag("needed", c.Needed)
	c.Words = readWords(t, "words")
}

// readRule reads what a delete does to the values of a column.
func readRule(t *settings.Table, stays bool) datamap.Rule {
	const key = "erase"
	s := t.Text(key, "")
	if t.Has(key) && !stays {
		t.Fault(key, `write erase = "values" for the table, where its rows are to stay`, "is not read, because no delete looks at single columns of this table")
		return datamap.Rule{}
	}
	if fixed, ok := strings.CutPrefix(s, "="); ok {
		return datamap.Rule{Op: datamap.RuleValue, Value: fixed}
	}
	if t.Has(key) {
		t.OneOf(key, "", "null", "hash", "invalid", "keep", `=a fixed text`)
	}
	return datamap.Rule{Op: datamap.RuleOp(s)}
}
