package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// reader gathers the faults of one file.
type reader struct {
	dir    string         // relative paths start here
	lines  map[string]int // where each key is written
	faults Faults
}

// fault notes a fault of a key, on the key's line or that of the table that
// should hold it. The same fault of the same key, found on two ways, is one.
func (r *reader) fault(key, hint, format string, args ...any) {
	f := Fault{Key: key, Problem: fmt.Sprintf(format, args...), Hint: hint}
	for path := key; path != "" && f.Line == 0; path = path[:max(0, strings.LastIndexAny(path, ".["))] {
		f.Line = r.lines[path]
	}
	if !slices.Contains(r.faults, f) {
		r.faults = append(r.faults, f)
	}
}

// parse reads the file into its root table, or gives nil and notes the fault.
func (r *reader) parse(data []byte) *table {
	values := map[string]any{}
	if err := toml.Unmarshal(data, &values); err != nil {
		f := Fault{Problem: "not valid TOML: " + err.Error()}
		var decode *toml.DecodeError
		if errors.As(err, &decode) {
			f.Line, _ = decode.Position()
			f.Key = strings.Join(decode.Key(), ".")
		}
		r.faults = append(r.faults, f)
		return nil
	}
	r.lines = linesOf(data)
	return &table{r: r, values: values}
}

// linesOf finds the line of every key and table of a valid file. Tables in an
// array are counted from 1.
func linesOf(data []byte) map[string]int {
	lines := map[string]int{}
	count := map[string]int{}
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
			line = p.Shape(n.Raw).Start.Line
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

// table is one table of the file. Its methods read one key each: they give
// the default when the key is not there, and note a fault when it holds
// something else than it should.
type table struct {
	r      *reader
	path   string
	values map[string]any
	under  *table   // where keys that this table lacks are looked up, or nil
	asked  []string // keys that somebody read
}

// find looks a key up, here and then in the table under this one, and gives
// the path that faults of it are reported at.
func (t *table) find(key string) (v any, path string, ok bool) {
	t.asked = append(t.asked, key)
	if t.under != nil && !t.has(key) {
		return t.under.find(key)
	}
	v, ok = t.values[key]
	return v, join(t.path, key), ok
}

// has tells whether this very table holds one of the keys.
func (t *table) has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { _, ok := t.values[k]; return ok })
}

// fault notes a fault of one of the table's keys.
func (t *table) fault(key, hint, format string, args ...any) {
	_, path, _ := t.find(key)
	t.r.fault(path, hint, format, args...)
}

// get reads a key of type T; what names the type in words.
func get[T any](t *table, key string, def T, what string) T {
	v, path, ok := t.find(key)
	if !ok {
		return def
	}
	x, ok := v.(T)
	if !ok {
		t.r.fault(path, "", "must be %s", what)
		return def
	}
	return x
}

func (t *table) text(key, def string) string { return get(t, key, def, "a text in quotes") }

func (t *table) flag(key string, def bool) bool { return get(t, key, def, "true or false") }

// required reads a text that must be there.
func (t *table) required(key, hint string) string {
	v, path, ok := t.find(key)
	s, isText := v.(string)
	switch {
	case !ok:
		t.r.fault(path, hint, "is missing")
	case !isText:
		t.r.fault(path, hint, "must be a text in quotes")
	case s == "":
		t.r.fault(path, hint, "is empty")
	}
	return s
}

// oneOf reads a text that must be one of the allowed words.
func (t *table) oneOf(key, def string, allowed ...string) string {
	s := t.text(key, def)
	if !slices.Contains(allowed, s) {
		hint := ""
		if meant := nearest(s, allowed); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		t.fault(key, hint, "%q is none of %s", s, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	}
	return s
}

// number reads a whole number of at least least.
func (t *table) number(key string, def, least int64) int64 {
	n := get(t, key, def, "a whole number")
	if n < least || n > math.MaxInt32 {
		t.fault(key, "", "%d is not between %d and %d", n, least, math.MaxInt32)
		return def
	}
	return n
}

// duration reads a span of time that is not shorter than least.
func (t *table) duration(key string, def, least time.Duration) time.Duration {
	const hint = `write for example "90d", "12h" or "30s"`
	v, path, ok := t.find(key)
	if !ok {
		return def
	}
	s, isText := v.(string)
	d, err := ParseDuration(s)
	switch {
	case !isText:
		t.r.fault(path, hint, "must be a text in quotes")
	case err != nil:
		t.r.fault(path, hint, "%v", err)
	case d < least:
		t.r.fault(path, "", "%s is shorter than %s", s, least)
	default:
		return d
	}
	return def
}

// texts reads a list of texts.
func (t *table) texts(key string, def ...string) []string {
	v, path, ok := t.find(key)
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
		t.r.fault(path, "", `must be a list of texts, ["…", "…"]`)
		return def
	}
	return out
}

// table gives the table of that name; an empty one when it is not there.
func (t *table) table(key string) *table {
	values := get(t, key, map[string]any(nil), "a table")
	return &table{r: t.r, path: join(t.path, key), values: values}
}

// tables gives the tables of an array, [[key]].
func (t *table) tables(key string) []*table {
	v, path, ok := t.find(key)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	var out []*table
	for i, x := range list {
		values, isTable := x.(map[string]any)
		ok = ok && isTable
		out = append(out, &table{r: t.r, path: fmt.Sprintf("%s[%d]", path, i+1), values: values})
	}
	if !ok {
		t.r.fault(path, "write [["+key+"]], once for each", "must be a list of tables")
		return nil
	}
	return out
}

// close notes the keys that nobody asked for, and is called when everything
// that a table can have was read.
func (t *table) close() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if slices.Contains(t.asked, key) {
			continue
		}
		hint := ""
		if meant := nearest(key, t.asked); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		t.r.fault(join(t.path, key), hint, "unknown key")
	}
}
