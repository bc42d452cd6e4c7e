package sqlusers

import (
	"slices"
	"strconv"
	"strings"
)

// A column of SQLite without a type, or of BLOB, holds each value as it was
// written: 17, '17' and the bytes of "17" are three, none equals another, and
// all of them read as "17". So all three are asked for; a row that was read is
// asked for again by what is in it.

// untyped tells whether a column's values keep the sort that they came in.
func (d *dialect) untyped(c Column) bool {
	return d.mixes && (c.Kind == KindBytes || c.Type == "" || strings.EqualFold(c.Type, "any"))
}

// forms lists what reads as the text v in an untyped column.
func forms(v string) []any {
	all := []any{v, []byte(v)}
	if b := bytesOf(v); string(b) != v {
		all = append(all, b)
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && strconv.FormatInt(n, 10) == v {
		all = append(all, n)
	} else if f, err := strconv.ParseFloat(v, 64); err == nil && strconv.FormatFloat(f, 'f', -1, 64) == v {
		all = append(all, f)
	}
	return all
}

// formed adds "column is one of the values in any form".
func (q *statement) formed(n int, c Column, values ...string) {
	q.add(q.d.exact(q.at(n, c)), " IN (")
	for i, v := range values {
		for j, form := range forms(v) {
			q.listed(i+j, q.raw(form))
		}
	}
	q.add(")")
}

// raw gives a parameter that is bound as it is.
func (q *statement) raw(v any) string {
	q.args = append(q.args, v)
	return q.d.param(len(q.args), Column{})
}

// formsOf words the forms of what an expression gives.
func formsOf(x string) []string {
	return []string{x, "CAST(" + x + " AS TEXT)", "CAST(" + x + " AS BLOB)",
		"CASE WHEN CAST(CAST(" + x + " AS INTEGER) AS TEXT) = CAST(" + x + " AS TEXT) THEN CAST(" + x + " AS INTEGER) END"}
}

// linkedInForms is linked, where one of the two columns is untyped.
func (q *statement) linkedInForms(n int, p *place, who subject) {
	link, to := q.at(n, p.link), q.at(n+1, p.to)
	if q.walks && n == 0 {
		q.add("EXISTS (SELECT 1 FROM ", p.parent.table.quoted, " AS t", itoa(n+1), " WHERE ", to, " IN (", strings.Join(formsOf(link), ", "), ") AND ")
	} else {
		f := "f" + itoa(n)
		q.add(link, " IN (SELECT CASE ", f, ".n")
		for i, form := range formsOf(to) {
			q.add(" WHEN ", itoa(i), " THEN ", form)
		}
		q.add(" END FROM ", p.parent.table.quoted, " AS t", itoa(n+1), ", (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS ", f, " WHERE ")
	}
	q.belongs(n+1, p.parent, who)
	q.add(")")
}

// alike gives the assignments, those to untyped columns as numbers where the row
// has one: the site compares by it.
func (d *dialect) alike(r row, set []assignment) []assignment {
	set = slices.Clone(set)
	for i, a := range set {
		if _, number := r[a.column.Name].raw.(int64); !number || !a.value.held || !d.untyped(a.column) {
			continue
		}
		if n, err := strconv.ParseInt(a.value.text, 10, 64); err == nil && strconv.FormatInt(n, 10) == a.value.text {
			set[i].value.raw = n
		}
	}
	return set
}
