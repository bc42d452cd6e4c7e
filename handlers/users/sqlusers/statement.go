package sqlusers

import (
	"context"
	"database/sql"
	"strings"
)

// statement is an SQL statement in the making. Names come from the database's
// own list, values are parameters.
type statement struct {
	d    *dialect
	text strings.Builder
	args []any

	target string // the table that is written; "": it only reads
	ranged bool   // the link is asked for as a range, and comes first in the order
	walks  bool   // the rows are walked in the order of their keys, and each is asked whose it is
}

func (s *Store) statement(text string) *statement {
	q := &statement{d: s.d}
	q.add(text)
	return q
}

func (q *statement) add(parts ...string) {
	for _, p := range parts {
		q.text.WriteString(p)
	}
}

// at names a column of the n-th table of the statement.
func (q *statement) at(n int, c Column) string { return "t" + itoa(n) + "." + q.d.quote(c.Name) }

// param gives a parameter of the column's type. What the column cannot hold is
// NULL, which equals nothing; ok is false then.
func (q *statement) param(c Column, v string) (text string, ok bool) {
	arg, ok := q.d.arg(c, v)
	if !ok {
		arg = nil
	}
	q.args = append(q.args, arg)
	return q.d.param(len(q.args), c), ok
}

// asRead gives a parameter that is what was read of a column.
func (q *statement) asRead(c Column, v value) string {
	if v.raw != nil {
		return q.raw(v.raw)
	}
	p, _ := q.param(c, v.text)
	return p
}

// plain gives a parameter that is a text.
func (q *statement) plain(v string) string {
	q.args = append(q.args, v)
	return q.d.param(len(q.args), Column{})
}

// castTime gives a parameter that is a time.
func (q *statement) castTime(v string) string {
	q.args = append(q.args, v)
	return q.d.param(len(q.args), Column{cast: "timestamptz"})
}

// equal adds "column = value", exactly: no collation has a say in it.
func (q *statement) equal(n int, c Column, v string) {
	if q.d.untyped(c) {
		q.formed(n, c, v)
		return
	}
	col := q.at(n, c)
	p, ok := q.param(c, v)
	if q.add(col, " = ", q.near(c, p)); ok {
		q.exactly(n, c, v)
	}
}

// near gives a parameter of what c is only roughly compared with.
func (q *statement) near(c Column, param string) string {
	if q.d.near == nil {
		return param
	}
	return q.d.near(c, param)
}

// exactly adds to an equality that no collation has a say in it.
func (q *statement) exactly(n int, c Column, v string) {
	if col := q.at(n, c); q.d.same(c, col, "") != "" {
		q.add(" AND ", q.d.same(c, col, q.plain(v)))
	}
}

// in adds "column is one of the values", exactly.
func (q *statement) in(n int, c Column, values []string) {
	col := q.at(n, c)
	switch {
	case len(values) == 0:
		q.add("1 = 0")
		return
	case q.d.untyped(c):
		q.formed(n, c, values...)
		return
	}
	q.add("(", col, " IN (")
	for i, v := range values {
		p, _ := q.param(c, v)
		q.listed(i, q.near(c, p))
	}
	if q.add(")"); q.d.same(c, col, "") != "" {
		q.add(" AND ", q.d.exact(col), " IN (")
		for i, v := range values {
			q.listed(i, q.plain(v))
		}
		q.add(")")
	}
	q.add(")")
}

// listed adds the i-th of a list.
func (q *statement) listed(i int, text string) {
	if i > 0 {
		q.add(", ")
	}
	q.add(text)
}

// subject is whose rows are meant.
type subject struct {
	id        string              // of the account; "": a guest
	addresses []string            // those that count as theirs
	spelled   map[*place][]string // how the places linked by address write them
	frozen    map[*place][]string // links that are gone from the parent's rows, by the place that has them
}

// belongs adds the condition that a row of the n-th table, which is that of p,
// is the subject's.
func (q *statement) belongs(n int, p *place, who subject) {
	switch values, frozen := who.frozen[p]; {
	case frozen:
		q.in(n, p.link, values)
	case p.byAddress():
		q.in(n, p.link, who.spelled[p])
	case (p.account() || p.byID()) && who.id == "":
		q.add("1 = 0")
	case p.account():
		q.equal(n, p.keys[0], who.id)
	case p.byID() && q.ranged && n == 0:
		// With an equality MySQL reads all of the person's rows for each page.
		col := q.at(n, p.link)
		least, _ := q.param(p.link, who.id)
		q.add(col, " >= ", least)
		most, _ := q.param(p.link, who.id)
		q.add(" AND ", col, " <= ", most)
		q.exactly(n, p.link, who.id)
	case p.byID():
		q.equal(n, p.link, who.id)
	default:
		q.linked(n, p, who)
	}
	for _, m := range p.where {
		q.add(" AND ")
		q.equal(n, m.column, m.value)
	}
}

// linked adds the condition that a row of p has what the subject's rows of its
// parent have.
func (q *statement) linked(n int, p *place, who subject) {
	if q.d.untyped(p.link) || q.d.untyped(p.to) {
		q.linkedInForms(n, p, who)
		return
	}
	link, to := q.at(n, p.link), q.at(n+1, p.to)
	if !joins(p.link, p.to) {
		link, to = q.d.exact(link), q.d.exact(to)
	}
	if q.walks && n == 0 {
		q.add("EXISTS (SELECT 1 FROM ", p.parent.table.quoted, " AS t", itoa(n+1), " WHERE ", to, " = ", link, " AND ")
		q.belongs(n+1, p.parent, who)
		q.add(")")
		return
	}
	// MySQL does not read a table that it writes, but it does read a copy.
	copied := q.d.copies && q.target != "" && p.reaches(q.target)
	if q.add(link, " IN (SELECT "); copied {
		q.add("d", itoa(n), ".v FROM (SELECT DISTINCT ", to, " AS v")
	} else {
		q.add(to)
	}
	q.add(" FROM ", p.parent.table.quoted, " AS t", itoa(n+1), " WHERE ")
	q.belongs(n+1, p.parent, who)
	if q.add(")"); copied {
		q.add(" AS d", itoa(n), ")")
	}
}

// reaches tells whether the links of p go through a table.
func (p *place) reaches(table string) bool {
	for up := p.parent; up != nil; up = up.parent {
		if up.table.quoted == table {
			return true
		}
	}
	return false
}

// joins tells whether two columns can be compared as they are.
func joins(a, b Column) bool {
	alike := a.Type == b.Type || a.Kind == b.Kind && (a.Kind == KindInt || a.Kind == KindText)
	return alike && a.collation == b.collation
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// read runs a statement that selects the columns, and gives row by row. Each
// may say that it has enough.
func (s *Store) read(ctx context.Context, db querier, q *statement, columns []Column, each func(row []value) (more bool)) error {
	if db == querier(s.db) && len(s.d.reads) > 0 {
		tx, err := s.begin(ctx, s.d.reads, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			return err
		}
		defer tx.Rollback()
		db = tx
	}
	rows, err := db.QueryContext(ctx, q.text.String(), q.args...)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer rows.Close()
	into := make([]any, len(columns))
	for rows.Next() {
		got := make([]any, len(columns))
		for i := range got {
			into[i] = &got[i]
		}
		if err := rows.Scan(into...); err != nil {
			return s.failed(ctx, err)
		}
		row := make([]value, len(columns))
		for i, c := range columns {
			if row[i] = textOf(c, got[i]); s.d.untyped(c) {
				row[i].raw = got[i]
			}
		}
		if !each(row) {
			break
		}
	}
	return s.failed(ctx, rows.Err())
}

// begin begins a transaction with what is set in it first.
func (s *Store) begin(ctx context.Context, first []string, o *sql.TxOptions) (*sql.Tx, error) {
	tx, err := s.db.BeginTx(ctx, o)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	for _, set := range first {
		if _, err := tx.ExecContext(ctx, set); err != nil {
			tx.Rollback()
			return nil, s.failed(ctx, err)
		}
	}
	return tx, nil
}

// write runs a statement and tells how many rows it was about.
func (s *Store) write(ctx context.Context, db querier, q *statement) (int64, error) {
	r, err := db.ExecContext(ctx, q.text.String(), q.args...)
	if err != nil {
		return 0, s.failed(ctx, err)
	}
	n, err := r.RowsAffected()
	return n, s.failed(ctx, err)
}

// selected adds the columns of the n-th table as the dialect reads them.
func (q *statement) selected(n int, columns []Column) {
	for i, c := range columns {
		if i > 0 {
			q.add(", ")
		}
		q.add(q.d.read(c, q.at(n, c)))
	}
}

// from begins a SELECT of the subject's rows of p.
func (s *Store) from(p *place, columns []Column, who subject) *statement {
	return s.fromAfter(p, columns, who, nil)
}

// fromAfter begins the SELECT of a page that comes after the row with the keys
// last; nil: the first.
func (s *Store) fromAfter(p *place, columns []Column, who subject, last []value) *statement {
	q := s.statement("SELECT ")
	q.ranged, q.walks = s.d.ranges && p.byID(), s.d.walks && last != nil
	q.selected(0, columns)
	q.add(" FROM ", p.table.quoted, " AS t0 WHERE ")
	q.belongs(0, p, who)
	return q
}

// after adds the condition that a row of p comes after the one with the keys,
// and the order of the keys.
func (q *statement) after(p *place, last []value) {
	keys := p.keys
	if last != nil {
		q.add(" AND (")
		for i := range keys {
			if i > 0 {
				q.add(" OR ")
			}
			q.add("(")
			for j := range i {
				q.add(q.key(p, keys[j]), " = ", q.asRead(keys[j], last[j]), " AND ")
			}
			q.add(q.key(p, keys[i]), " > ", q.asRead(keys[i], last[i]))
			if p.table.View && keys[i].Null { // it has no place in the order, and must be seen
				q.add(" OR ", q.at(0, keys[i]), " IS NULL")
			}
			q.add(")")
		}
		q.add(")")
	}
	q.add(" ORDER BY ")
	if q.ranged {
		keys = append([]Column{p.link}, keys...)
	}
	for i, k := range keys {
		if i > 0 {
			q.add(", ")
		}
		q.add(q.key(p, k))
	}
}

// key names a column that rows are ordered by. No index serves that of a view
// anyway, and a collation might take two of its keys for one.
func (q *statement) key(p *place, c Column) string {
	if p.table.View && c.Kind == KindText {
		return q.d.exact(q.at(0, c))
	}
	return q.at(0, c)
}
