// Package settings reads the files that operators write (TOML) strictly: into
// tables that know the line of each key. Whoever reads a table asks it for the
// keys that it can have, with the default beside the key; a key that nobody
// asked for is unknown. What is wrong becomes a [Fault], with its key, its line
// and, where there is one, a hint, and a file's faults come all at once.
package settings

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// File gathers the faults of one file.
type File struct {
	lines  map[string]int // where each key is written
	faults Faults
}

// maxFaults is how many faults of a file are told; nobody reads more at once.
const maxFaults = 500

// Fault notes a fault of a key, on the key's line or that of the table that
// should hold it. The same fault of the same key, found on two ways, is one.
func (r *File) Fault(key, hint, format string, args ...any) {
	f := Fault{Key: key, Problem: fmt.Sprintf(format, args...), Hint: hint}
	for path := key; path != "" && f.Line == 0; path = path[:max(0, strings.LastIndexAny(path, ".["))] {
		f.Line = r.lines[path]
	}
	if len(r.faults) < maxFaults && !slices.Contains(r.faults, f) {
		r.faults = append(r.faults, f)
	}
}

// Parse reads a file into its root table, which is nil when it is not TOML.
func Parse(data []byte) (*File, *Table) {
	r := &File{}
	values := map[string]any{}
	if err := toml.Unmarshal(data, &values); err != nil {
		f := Fault{Problem: "not valid TOML: " + err.Error()}
		var decode *toml.DecodeError
		if errors.As(err, &decode) {
			f.Line, _ = decode.Position()
			f.Key = strings.Join(decode.Key(), ".")
		}
		r.faults = append(r.faults, f)
		return r, nil
	}
	r.lines = linesOf(data)
	return r, &Table{r: r, values: values}
}

// linesOf finds the line of every key and table of a valid file. Tables in an
// array are counted from 1.
func linesOf(data []byte) map[string]int {
	lines := map[string]int{}
	count := map[string]int{}
	var ends []uint32 // of the lines; the parser would count them anew for each key
	for i, c := range data {
		if c == '\n' {
			ends = append(ends, uint32(i))
		}
	}
	var p unstable.Parser
	p.Reset(data)
	prefix := ""
	for p.NextExpression() {
		e := p.Expression()
		path, line := "", 0
		if e.Kind == unstable.KeyValue {
			path = prefix
		}
		it := e.Key()
		for it.Next() {
			n := it.Node()
			if count[path] > 0 { // only for what follows the array's own name
				path += fmt.Sprintf("[%d]", count[path])
			}
			path = join(path, string(n.Data))
			at, _ := slices.BinarySearch(ends, n.Raw.Offset)
			line = 1 + at
		}
		switch e.Kind {
		case unstable.ArrayTable:
			count[path]++
			path += fmt.Sprintf("[%d]", count[path])
			prefix = path
		case unstable.Table:
			prefix = path
		}
		if lines[path] == 0 {
			lines[path] = line
		}
	}
	return lines
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Table is one table of the file. Its methods read one key each: they give
// the default when the key is not there, and note a fault when it holds
// something else than it should.
type Table struct {
	r      *File
	path   string
	values map[string]any
	under  *Table   // where keys that this table lacks are looked up, or nil
	asked  []string // keys that somebody read
}

// Find looks a key up, here and then in the table under this one, and gives
// the path that faults of it are reported at.
func (t *Table) Find(key string) (v any, path string, ok bool) {
	t.asked = append(t.asked, key)
	if t.under != nil && !t.Has(key) {
		return t.under.Find(key)
	}
	v, ok = t.values[key]
	return v, join(t.path, key), ok
}

// Has tells whether this very table holds one of the keys.
func (t *Table) Has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { _, ok := t.values[k]; return ok })
}

// Fault notes a fault of one of the table's keys.
func (t *Table) Fault(key, hint, format string, args ...any) {
	_, path, _ := t.Find(key)
	t.r.Fault(path, hint, format, args...)
}

// At gives the path of a key, by which faults name it.
func (t *Table) At(key string) string { return join(t.path, key) }

// Keys lists the keys that are written in this very table, sorted.
func (t *Table) Keys() []string { return slices.Sorted(maps.Keys(t.values)) }

// Over has keys that the table lacks looked up in under.
func (t *Table) Over(under *Table) { t.under = under }

// Alone gives a table of one's own for keys that are taken from one place: when
// it has any of them, nothing of the table under it.
func (t *Table) Alone(keys ...string) *Table {
	if t.under == nil || !t.Has(keys...) {
		return t
	}
	t.asked = append(t.asked, keys...)
	return &Table{r: t.r, path: t.path, values: t.values}
}

// FaultHere notes a fault of the table as a whole.
func (t *Table) FaultHere(hint, format string, args ...any) { t.r.Fault(t.path, hint, format, args...) }

// FaultsOf notes the faults of another file, which a key of this one names.
func (t *Table) FaultsOf(file string, faults Faults) {
	for _, f := range faults {
		f.File = file
		t.r.faults = append(t.r.faults, f)
	}
}

// Faulty tells whether a fault of the key was noted, so that what follows from
// it need not be.
func (t *Table) Faulty(key string) bool {
	at := t.At(key)
	return slices.ContainsFunc(t.r.faults, func(f Fault) bool { return f.Key == at })
}

// get reads a key of type T; what names the type in words.
func get[T any](t *Table, key string, def T, what string) T {
	v, path, ok := t.Find(key)
	if !ok {
		return def
	}
	x, ok := v.(T)
	if !ok {
		t.r.Fault(path, "", "must be %s", what)
		return def
	}
	return x
}

// Text reads a text.
func (t *Table) Text(key, def string) string { return get(t, key, def, "a text in quotes") }

// Flag reads true or false.
func (t *Table) Flag(key string, def bool) bool { return get(t, key, def, "true or false") }

// Required reads a text that must be there.
func (t *Table) Required(key, hint string) string {
	v, path, ok := t.Find(key)
	s, isText := v.(string)
	switch {
	case !ok:
		t.r.Fault(path, hint, "is missing")
	case !isText:
		t.r.Fault(path, hint, "must be a text in quotes")
	case s == "":
		t.r.Fault(path, hint, "is empty")
	}
	return s
}

// OneOf reads a text that must be one of the allowed words.
func (t *Table) OneOf(key, def string, allowed ...string) string {
	s := t.Text(key, def)
	if !slices.Contains(allowed, s) {
		hint := ""
		if meant := Nearest(s, allowed); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		t.Fault(key, hint, "%q is none of %s", s, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	}
	return s
}

// Number reads a whole number of at least least.
func (t *Table) Number(key string, def, least int64) int64 {
	n := get(t, key, def, "a whole number")
	if n < least || n > math.MaxInt32 {
		t.Fault(key, "", "%d is not between %d and %d", n, least, math.MaxInt32)
		return def
	}
	return n
}

// Texts reads a list of texts.
func (t *Table) Texts(key string, def ...string) []string {
	v, path, ok := t.Find(key)
	if !ok {
		return def
	}
	list, ok := v.([]any)
	out := make([]string, 0, len(list))
	for _, x := range list {
		s, isText := x.(string)
		ok = ok && isText
		out = append(out, s)
	}
	if !ok {
		t.r.Fault(path, "", `must be a list of texts, ["…", "…"]`)
		return def
	}
	return out
}

// Sub gives the table of that name; an empty one when it is not there.
func (t *Table) Sub(key string) *Table {
	values := get(t, key, map[string]any(nil), "a table")
	return &Table{r: t.r, path: join(t.path, key), values: values}
}

// Subs gives the tables of an array, [[key]].
func (t *Table) Subs(key string) []*Table {
	v, path, ok := t.Find(key)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	var out []*Table
	for i, x := range list {
		values, isTable := x.(map[string]any)
		ok = ok && isTable
		out = append(out, &Table{r: t.r, path: fmt.Sprintf("%s[%d]", path, i+1), values: values})
	}
	if !ok {
		t.r.Fault(path, "write [["+key+"]], once for each", "must be a list of tables")
		return nil
	}
	return out
}

// Close notes the keys that nobody asked for, and is called when everything
// that a table can have was read.
func (t *Table) Close() {
	for _, key := range t.Keys() {
		if slices.Contains(t.asked, key) {
			continue
		}
		hint := ""
		if meant := Nearest(key, t.asked); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		t.r.Fault(join(t.path, key), hint, "unknown key")
	}
}
