package draft

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/handlers/users/meaning"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

// maxText bounds the file, well below what is read.
const maxText = 200 << 10

// writer writes the file.
type writer struct {
	strings.Builder
	d *drafter
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// note writes a comment. Names in it may be anything.
func (w *writer) note(format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, fmt.Sprintf(format, args...))
	for line := range strings.SplitSeq(wrapped(text), "\n") {
		w.line("# %s", line)
	}
}

// wrapped breaks a text into lines.
func wrapped(text string) string {
	const width = 78
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		switch n := len([]rune(word)); {
		case i == 0:
			at = n
		case at+1+n > width:
			b.WriteByte('\n')
			at = n
		default:
			b.WriteByte(' ')
			at += 1 + n
		}
		b.WriteString(word)
	}
	return b.String()
}

// quote gives a text as TOML has it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// names gives one name, or a list of them.
func names(all []string) string {
	if len(all) == 1 {
		return quote(all[0])
	}
	list := make([]string, len(all))
	for i, n := range all {
		list[i] = quote(n)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// nobody is the file where no table seems to have the people.
func (d *drafter) nobody() string {
	w := &writer{d: d}
	w.note("No table of the database looks like the one where each person has a row of their own: with a key of one column, and a column with their address.")
	for _, t := range d.tables() {
		if email, ok := d.emailOf(t); ok {
			w.note("%s has addresses in %s.", t.Name, email.Name)
		}
	}
	w.line("\n[account]")
	w.line(`table = "" # TODO: the table where each person has their own row`)
	w.line(`key   = "" # TODO: its key, the person's ID`)
	w.told()
	return w.String()
}

// text writes the map.
func (d *drafter) text() string {
	w := &writer{d: d}
	w.note("What the site stores about people: a first data map, written from the tables that are there. Which column holds what was guessed from names and types. Nothing is done before you have looked at all of it:")
	w.line("#")
	w.note("1. Answer each TODO. Texts for people are by language: { en = \"…\", ru = \"…\" }.")
	w.note("2. Look at each erase: it is what happens when somebody has their account deleted. A place may say delete (rows go), values (rows stay, each column by its own erase) or keep (with a reason that the person is told).")
	w.note("3. Give columns a label where their name would tell people nothing: label = { en = \"…\" }. Take places and columns out that are not about people.")
	w.note("4. supportd check -c FILE holds the map against the database.")
	if len(d.rivals) > 0 {
		w.line("#")
		w.note("The people may also be in %s.", strings.Join(d.rivals, ", "))
	}
	if len(d.places) >= maxPlaces {
		w.line("#")
		w.note("After %d places nothing more was looked for.", maxPlaces)
	}
	for i, p := range d.places {
		if w.Len() > maxText {
			w.line("")
			w.note("There are more tables than a map should have. Left out: %s.", strings.Join(placeNames(d.places[i:]), ", "))
			break
		}
		w.place(p)
	}
	return w.String()
}

func placeNames(places []*place) (all []string) {
	for _, p := range places {
		all = append(all, p.table.Name)
	}
	return all
}

// told writes the texts that only the operator knows.
func (w *writer) told() {
	w.line(`purpose    = { en = "" } # TODO: why the site stores this`)
	w.line(`retention  = { en = "" } # TODO: how long`)
	w.line(`recipients = { en = "" } # TODO: who else receives it`)
}

func (w *writer) place(p *place) {
	w.line("")
	for _, n := range slices.Concat(p.notes, w.d.outward(p), w.d.doubts(p)) {
		w.note("%s", n)
	}
	if p.column.Name == "" {
		w.line("[account]")
	} else {
		w.line("[[related]]")
		w.line("name       = %s", quote(p.name))
	}
	w.line("table      = %s", quote(p.table.Name))
	if len(p.key) == 0 {
		w.line(`key        = "" # TODO: no column of it is unique; add a primary key, and name it`)
	} else {
		w.line("key        = %s", names(p.key))
	}
	if p.column.Name == "" {
		w.account(p)
	} else {
		w.link(p)
		w.line("label      = { en = %s }", quote(spelled(p)))
	}
	w.told()
	w.line("erase      = %s", quote(p.erase))
	if p.erase == keeps {
		w.line(`why        = { en = "" } # TODO: why the law or the site keeps it`)
		w.line(`until      = { en = "" } # TODO: until when; a day is YYYY-MM-DD; or take the line out`)
	}
	w.columns(p)
}

// spelled makes a label of a place's name.
func spelled(p *place) string {
	words := meaning.Words(last(p.table.Name))
	if len(words) == 0 {
		return last(p.table.Name)
	}
	text := []rune(strings.Join(words, " "))
	if strings.HasPrefix(p.name, "guest_") {
		return strings.ToUpper(string(text[:1])) + string(text[1:]) + " without an account"
	}
	return strings.ToUpper(string(text[:1])) + string(text[1:])
}

func (w *writer) link(p *place) {
	if p.parent == nil {
		w.line("link       = { column = %s, address = true }", quote(p.column.Name))
	} else {
		w.line("link       = { column = %s, to = %s }", quote(p.column.Name), quote(p.parent.name+"."+p.to))
	}
	switch {
	case p.zero:
		w.line("where      = [ { column = %s, value = \"0\" } ]", quote(p.own))
	case p.kind != "":
		w.line("where      = [ { column = %s } ] # TODO: value = …, what stands there for the account; take the place out where nothing does", quote(p.kind))
	}
	if p.single {
		w.line("single     = true")
	}
}

// account writes what the account's row tells of the account.
func (w *writer) account(p *place) {
	if sw := w.d.active(p.table); sw.Column != "" && sw.Time {
		w.line("active     = { column = %s, time = true }", quote(sw.Column))
	} else if sw.Column != "" {
		w.line("active     = { column = %s, on = %s, off = %s }", quote(sw.Column), quote(sw.On), quote(sw.Off))
	} else {
		w.line(`# active   = { column = "…", on = "…", off = "…" }: nothing looks like a switch by which an account is deactivated`)
	}
	timed := func(c sqlusers.Column) bool { return c.RefusesTime() == "" && c.Kind != sqlusers.KindText }
	if name := w.d.best(p.table, "objected", func(c sqlusers.Column) bool { return timed(c) && c.Kind != sqlusers.KindInt }); name != "" {
		w.line("withdrawn  = %s", quote(name))
	} else {
		w.line(`# withdrawn = "…": no column looks like the time of an objection; requests of that kind are for staff`)
	}
	if name := w.d.best(p.table, "seen", timed); name != "" {
		w.line("last_seen  = %s", quote(name))
	}
	if all := w.d.protected(p.table); len(all) > 0 {
		w.line("protected  = [ %s ]", strings.Join(all, ", "))
	}
}

// best gives the column whose name is likeliest of a meaning; "": none.
func (d *drafter) best(t sqlusers.Table, meaning string, fits func(sqlusers.Column) bool) (name string) {
	least := 0
	for _, c := range t.Columns {
		if rank, ok := d.lexicon.Whole(meaning, t.Name, c.Name); ok && writable(c.Name) && fits(c) && (name == "" || rank < least) {
			name, least = c.Name, rank
		}
	}
	return name
}

// active gives by what an account seems to be deactivated.
func (d *drafter) active(t sqlusers.Table) (sw datamap.Switch) {
	flag := func(c sqlusers.Column) bool { return c.Kind == sqlusers.KindBool || c.Kind == sqlusers.KindInt }
	since := func(c sqlusers.Column) bool { return c.Kind == sqlusers.KindTime && c.Null && c.RefusesTime() == "" }
	yes := func(name string) (string, string) {
		if c, _ := t.Column(name); c.Kind == sqlusers.KindInt {
			return "1", "0"
		}
		return "true", "false"
	}
	switch {
	case d.best(t, "active", flag) != "":
		sw.Column = d.best(t, "active", flag)
		sw.On, sw.Off = yes(sw.Column)
	case d.best(t, "inactive", flag) != "":
		sw.Column = d.best(t, "inactive", flag)
		sw.Off, sw.On = yes(sw.Column)
	case d.best(t, "since", since) != "":
		sw.Column, sw.Time = d.best(t, "since", since), true
	default:
		sw.Column, sw.On, sw.Off = d.states(t)
	}
	return sw
}

// states finds a list of values of which some say active, and some not.
func (d *drafter) states(t sqlusers.Table) (column, on, off string) {
	for _, c := range t.Columns {
		on, off = "", ""
		for _, v := range c.Enum {
			switch {
			case on == "" && d.lexicon.Is("active", meaning.Words(v)...):
				on = v
			case off == "" && d.lexicon.Is("inactive", meaning.Words(v)...):
				off = v
			}
		}
		if on != "" && off != "" && writable(c.Name) {
			return c.Name, on, off
		}
	}
	return "", "", ""
}

// protected gives the columns that mark those on whom only staff act.
func (d *drafter) protected(t sqlusers.Table) (all []string) {
	for _, c := range t.Columns {
		_, staff := d.lexicon.Whole("staff", t.Name, c.Name)
		value := map[sqlusers.Kind]string{sqlusers.KindBool: "true", sqlusers.KindInt: "1"}[c.Kind]
		if i := slices.IndexFunc(c.Enum, func(v string) bool { return strings.HasPrefix(strings.ToLower(v), "admin") }); i >= 0 {
			staff, value = true, c.Enum[i]
		}
		if staff && value != "" && writable(c.Name) {
			all = append(all, fmt.Sprintf("{ column = %s, value = %s }", quote(c.Name), quote(value)))
		}
	}
	return all
}

// outward tells of references from a place to tables that may hold something
// about the person, and that others may share.
func (d *drafter) outward(p *place) (notes []string) {
	for _, f := range p.table.Foreign {
		t, ok := d.schema.Table(f.Table)
		if !ok || len(f.Columns) != 1 || len(f.To) != 1 || d.placed(t) {
			continue
		}
		var found []string
		for _, c := range t.Columns {
			if d.what(&place{table: t}, c) != "" || slices.Contains(meaning.Words(c.Name), "filename") {
				found = append(found, c.Name)
			}
		}
		if len(found) > 0 {
			notes = append(notes, fmt.Sprintf("%s leads to %s, which has %s. Where each row there is one person's only, add it: link = { column = %q, to = %q }.",
				f.Columns[0], t.Name, strings.Join(found, ", "), f.To[0], p.name+"."+f.Columns[0]))
		}
	}
	return notes
}

// doubts tells what a person should look at in a place.
func (d *drafter) doubts(p *place) (notes []string) {
	if d.rival(p) && p.column.Name != "" {
		notes = append(notes, fmt.Sprintf("%s looks like another table of accounts. Take the place out where its people do not write to you as such.", p.table.Name))
	}
	if _, mail := d.emailOf(p.table); mail && p.erase == values && p.parent != nil && p.parent.column.Name != "" {
		notes = append(notes, fmt.Sprintf("These rows hang on those of %s, and have addresses of their own: where other people write them, take the place out, or find them by their address.", p.parent.name))
	}
	ends := func(word string) bool {
		return slices.ContainsFunc(p.table.Columns, func(c sqlusers.Column) bool {
			words := meaning.Words(c.Name)
			return len(words) > 0 && words[len(words)-1] == word
		})
	}
	if p.column.Name != "" && ends("key") && ends("value") {
		notes = append(notes, "Rows of key and value: what people may change among them needs a place of its own, with where = [ { column = …, value = … } ], single = true, and a field.")
	}
	return notes
}

// columns writes the columns of a place: all but its own number and what links
// it, unless a delete must do something to that.
func (w *writer) columns(p *place) {
	head := "[[related.column]]"
	if p.column.Name == "" {
		head = "[[account.column]]"
	}
	used := map[string]bool{}
	for _, f := range p.fields {
		used[string(f)] = true
	}
	for _, c := range p.table.Columns {
		if w.skips(p, c) {
			continue
		}
		field, name := p.fields[c.Name], mapfile.Plain(c.Name)
		w.line("\n  %s", head)
		if field == "" && (used[name] || !writable(c.Name)) {
			w.line("  name   = %s # TODO: the map cannot name it: copies would call it %s, as another, or not at all; rename it, or take it out", quote(c.Name), name)
		} else {
			w.line("  name   = %s", quote(c.Name))
		}
		used[name] = true
		w.properties(p, c, field)
		if field == "" && strings.ContainsFunc(c.Name, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) }) {
			w.line("  label  = { en = %s }", quote(c.Name))
		}
	}
}

// skips tells whether a column says nothing that a copy needs, and is no value
// that a delete must erase.
func (w *writer) skips(p *place, c sqlusers.Column) bool {
	if c.Generated {
		return true
	}
	if p.column.Name == "" {
		return false
	}
	key := slices.Contains(p.key, c.Name) && c.Kind == sqlusers.KindInt
	link := (c.Name == p.column.Name && p.parent != nil || c.Name == p.kind || p.zero && c.Name == p.own) && !(p.erase == values && !p.zero && c.Name != p.kind)
	needed := slices.ContainsFunc(w.d.places, func(child *place) bool {
		return child.parent == p && child.to == c.Name && !slices.Contains(p.key, c.Name)
	})
	return (key || link) && !needed
}

func (w *writer) properties(p *place, c sqlusers.Column, field inbox.Field) {
	if field != "" {
		w.line("  field  = %s", quote(string(field)))
		if field != inbox.FieldEmail && !c.Null && c.Kind != sqlusers.KindText {
			w.line("  needed = true")
		}
	} else if c.Kind == sqlusers.KindBool {
		w.line(`  type   = "bool"`)
	}
	if w.d.secret(p, c) {
		w.line("  export = false")
	}
	if p.erase != values {
		return
	}
	r, todo := w.d.rule(p, c)
	w.line("  erase  = %s", quote(r.String()))
	switch {
	case todo:
		w.line(`  why    = { en = "" } # TODO: why it is kept; nothing else fits its type`)
	case r.Op == datamap.RuleKeep:
		w.line(`  why    = { en = "it no longer tells whom it was about" }`)
	}
}

// secret tells whether a column lets somebody in: by its name, or because it is
// the key of what is there for that.
func (d *drafter) secret(p *place, c sqlusers.Column) bool {
	switch c.Kind {
	case sqlusers.KindText, sqlusers.KindBytes, sqlusers.KindOther:
	default:
		return false
	}
	about := func(word string) bool { return slices.Contains(meaning.Words(p.table.Name), word) }
	opens := about("token") || about("tokens") || about("session") || about("sessions")
	return d.lexicon.Secret(c.Name) || opens && slices.Contains(p.key, c.Name) && c.Kind == sqlusers.KindText && c.Name != p.column.Name
}
