package sqlusers

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Schema is what the database says of its tables at one moment, ordered by
// name. It names columns and rules, and no value of anybody.
type Schema struct {
	Tables []Table
	d      *dialect
}

// Table is a table, or a view, that the user we are can see.
type Table struct {
	Name          string // "table", or "schema.table" where a plain name does not find it
	View          bool
	Transactional bool // false: what is written stays, whatever comes after it (MyISAM)
	Filtered      bool // row-level security may hide rows from us (PostgreSQL)
	Columns       []Column
	Unique        []Unique
	Foreign       []ForeignKey

	quoted  string // as statements have it
	schema  string // where it lies
	plain   string // its name there
	columns map[string]int
}

// Kind is the sort of a column's values.
type Kind string

// The kinds of a column.
const (
	KindText   Kind = "text"
	KindInt    Kind = "int"
	KindNumber Kind = "number" // with a fraction
	KindBool   Kind = "bool"   // of MySQL also tinyint(1) and bit(1)
	KindDate   Kind = "date"
	KindTime   Kind = "time"  // a day and a time of it
	KindBytes  Kind = "bytes" // no text, or of no known encoding
	KindOther  Kind = "other" // has its own syntax: uuid, json, enum, inet, an interval
)

// Column is a column of a table.
type Column struct {
	Name      string
	Type      string // as the database spells it: "character varying(254)"
	Kind      Kind
	Null      bool     // it can hold NULL
	Length    int      // the longest text, in characters; 0: no limit
	Enum      []string // what it can hold, when that is a list
	Default   bool     // it gets a value when a new row names none
	Generated bool     // the database computes it; nobody can write it
	Searched  bool     // an index serves the search for texts that begin with something

	cast      string // PostgreSQL: the type without its length, as CAST takes it
	collation string // PostgreSQL, MySQL; "": it has none
	loose     bool   // PostgreSQL: by the collation different texts are equal, and none begins with another
}

// Unique is a set of columns that no two rows have the same values in.
type Unique struct {
	Name    string
	Primary bool
	Columns []string // ordered as the index has them
	Partial bool     // only of some rows, or of what is computed from the columns
}

// ForeignKey is a reference to another table.
type ForeignKey struct {
	Name     string
	Columns  []string
	Table    string   // as Table.Name
	To       []string // its columns
	OnDelete string   // what becomes of the row when that goes: "no action", "restrict", "cascade", "set null", "set default"
	OnUpdate string   // and when what it refers to changes; the same words
}

// Table gives the table of that name, as a data map has it.
func (s Schema) Table(name string) (Table, bool) {
	same := func(a string) bool { return a == name || s.d != nil && s.d.fold && strings.EqualFold(a, name) }
	for _, full := range []bool{false, true} {
		for _, t := range s.Tables {
			if !full && same(t.Name) || full && same(t.schema+"."+t.plain) {
				return t, true
			}
		}
	}
	return Table{}, false
}

// SearchIndex gives the statement that makes the index by which people are
// found by an address in the column.
func (s Schema) SearchIndex(t Table, c Column) string {
	class := ""
	switch {
	case c.loose:
		class = ` COLLATE "C"`
	case s.d.patterns:
		class = " text_pattern_ops"
	}
	name := []rune("search_" + t.plain + "_" + c.Name)
	return "CREATE INDEX " + s.d.quote(string(name[:min(len(name), 30)])) + " ON " + t.quoted + " (" + s.d.quote(c.Name) + class + ")"
}

// Column gives the column of that name. MySQL and SQLite tell no upper from
// lower case in it.
func (t Table) Column(name string) (Column, bool) {
	i, ok := t.columns[name]
	if !ok {
		i, ok = t.columns["\x00"+strings.ToLower(name)]
	}
	if !ok {
		return Column{}, false
	}
	return t.Columns[i], true
}

// Schema reads the tables that the database shows us: of PostgreSQL those of
// every schema but its own, of MySQL those of the database of the DSN and of
// others that the data map names, of SQLite those of the file.
func (s *Store) Schema(ctx context.Context) (Schema, error) {
	schema, err := s.readSchema(ctx)
	if err != nil {
		return Schema{}, fmt.Errorf("reading the tables of the site's database: %w", err)
	}
	return schema, nil
}

// ReadSchema reads the tables of a database that there is no data map for yet:
// Map and Key of c are not looked at. It fails as Open and Schema do.
func ReadSchema(ctx context.Context, c Config) (Schema, error) {
	s, err := dial(c)
	if err != nil {
		return Schema{}, fmt.Errorf("opening the site's database: %w", err)
	}
	schema, err := s.Schema(ctx)
	if errClose := s.db.Close(); err == nil && errClose != nil {
		err = fmt.Errorf("closing the site's database: %w", errClose)
	}
	return schema, err
}

// rows reads the rows of a catalogue query, every value as text; NULL is "".
func (s *Store) rows(ctx context.Context, query string, args []any, each func(v []string)) error {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return s.failed(ctx, err)
	}
	held, into := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range held {
		into[i] = &held[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return s.failed(ctx, err)
		}
		v := make([]string, len(held))
		for i, h := range held {
			v[i] = h.String
		}
		each(v)
	}
	if err := rows.Err(); err != nil {
		return s.failed(ctx, err)
	}
	return nil
}

// readSchema joins the answers of the dialect's catalogue queries.
func (s *Store) readSchema(ctx context.Context) (Schema, error) {
	b := builder{at: map[string]int{}, fold: s.d.fold}
	for _, part := range []struct {
		query string
		take  func([]string)
	}{{s.d.catalogue.columns, b.column}, {s.d.catalogue.unique, b.unique}, {s.d.catalogue.foreign, b.foreign}, {s.d.catalogue.searched, b.searched}} {
		query, args := part.query, []any(nil)
		if s.d.catalogue.schemas != nil {
			query, args = s.d.catalogue.schemas(query, s.schemas)
		}
		if err := s.rows(ctx, query, args, part.take); err != nil {
			return Schema{}, err
		}
	}
	return b.schema(s.d), nil
}

// catalogue is what a dialect asks about its tables. Every query starts with
// the schema and the name of the table, and whether a plain name finds it.
type catalogue struct {
	// columns: then "view" or "", "plain" when it has no transactions, the name,
	// the type, the kind, "null" or "", the length, "default" or "", "generated"
	// or "", the enum as a JSON list, the type to cast to and the collation, where
	// the dialect needs them, "filtered" or "",
	// and "loose" or "".
	columns string
	// unique: then the name, "primary" or "", "partial" or "", and a column.
	unique string
	// foreign: then the name, a column, schema, name and plainness of the other
	// table, its column, and what happens on delete and on update.
	foreign string
	// searched: then a column by which an index finds texts by how they begin.
	searched string
	// schemas puts those that the map names into a query; nil: not needed.
	schemas func(query string, names []string) (string, []any)
}

// builder collects a Schema from rows that come ordered by table.
type builder struct {
	tables []Table
	at     map[string]int
	fold   bool
}

func fullName(v []string) string {
	if v[2] == "plain" {
		return v[1]
	}
	return v[0] + "." + v[1]
}

func (b *builder) column(v []string) {
	name := fullName(v)
	i, ok := b.at[name]
	if !ok {
		i = len(b.tables)
		b.at[name] = i
		b.tables = append(b.tables, Table{Name: name, View: v[3] == "view", Transactional: v[4] != "plain", Filtered: v[15] == "filtered",
			schema: v[0], plain: v[1], columns: map[string]int{}})
	}
	t := &b.tables[i]
	c := Column{Name: v[5], Type: v[6], Kind: Kind(v[7]), Null: v[8] == "null", Default: v[10] == "default", Generated: v[11] == "generated",
		Enum: list(v[12]), cast: v[13], collation: v[14], loose: v[16] == "loose"}
	fmt.Sscan(v[9], &c.Length) // what is no number is no limit
	t.columns[c.Name] = len(t.Columns)
	if b.fold {
		t.columns["\x00"+strings.ToLower(c.Name)] = len(t.Columns)
	}
	t.Columns = append(t.Columns, c)
}

func (b *builder) unique(v []string) {
	i, ok := b.at[fullName(v)]
	if !ok {
		return
	}
	t := &b.tables[i]
	u := Unique{Name: v[3], Primary: v[4] == "primary", Partial: v[5] == "partial"}
	if n := len(t.Unique); n == 0 || t.Unique[n-1].Name != u.Name {
		t.Unique = append(t.Unique, u)
	}
	last := &t.Unique[len(t.Unique)-1]
	last.Columns = append(last.Columns, v[6])
}

func (b *builder) foreign(v []string) {
	i, ok := b.at[fullName(v)]
	if !ok {
		return
	}
	t := &b.tables[i]
	if n := len(t.Foreign); n == 0 || t.Foreign[n-1].Name != v[3] {
		t.Foreign = append(t.Foreign, ForeignKey{Name: v[3], Table: fullName(v[5:8]), OnDelete: strings.ToLower(v[9]), OnUpdate: strings.ToLower(v[10])})
	}
	f := &t.Foreign[len(t.Foreign)-1]
	f.Columns, f.To = append(f.Columns, v[4]), append(f.To, v[8])
}

func (b *builder) searched(v []string) {
	i, ok := b.at[fullName(v)]
	if !ok {
		return
	}
	t := &b.tables[i]
	if at, ok := t.columns[v[3]]; ok {
		t.Columns[at].Searched = true
	}
}

func (b *builder) schema(d *dialect) Schema {
	for i := range b.tables {
		t := &b.tables[i]
		t.quoted = d.quote(t.plain)
		if t.Name != t.plain {
			t.quoted = d.quote(t.schema) + "." + t.quoted
		}
		for j, f := range t.Foreign {
			if b.fold { // SQLite takes any case, and keeps what was written
				f = b.spelled(*t, f)
				t.Foreign[j] = f
			}
			// SQLite leaves out the columns where they are the other's key.
			if other, ok := b.at[f.Table]; ok && slices.Contains(f.To, "") {
				t.Foreign[j].To = b.tables[other].primary()
			}
		}
	}
	slices.SortFunc(b.tables, func(a, c Table) int { return cmp.Compare(a.Name, c.Name) })
	return Schema{Tables: b.tables, d: d}
}

// spelled gives a reference with the names as their tables have them.
func (b *builder) spelled(t Table, f ForeignKey) ForeignKey {
	own := func(t Table, names []string) {
		for i, n := range names {
			if c, ok := t.Column(n); ok {
				names[i] = c.Name
			}
		}
	}
	own(t, f.Columns)
	for _, other := range b.tables {
		if strings.EqualFold(other.Name, f.Table) {
			f.Table = other.Name
			own(other, f.To)
		}
	}
	return f
}

func (t Table) primary() []string {
	for _, u := range t.Unique {
		if u.Primary {
			return u.Columns
		}
	}
	return nil
}

// list reads a JSON list of texts; what is none is empty.
func list(s string) (all []string) {
	if json.Unmarshal([]byte(s), &all) != nil {
		return nil
	}
	return all
}
