package sqlusers

// How many rows one statement writes. Where each is compared with all others of
// the statement, more make it slower; where they are joined, it is for the number
// of its parameters.
const (
	batchRows   = 200
	joinedRows  = 2000
	batchParams = 30_000
)

// batch writes something else into each of many rows of a place, some of them
// with one statement. All rows get values in the same columns.
type batch struct {
	w    *work
	p    *place
	rows []row
	sets [][]assignment
}

func (b *batch) add(r row, set []assignment) error {
	b.rows, b.sets = append(b.rows, r), append(b.sets, set)
	most := batchRows
	if b.w.s.d.joined {
		most = max(1, min(joinedRows, batchParams/(len(b.p.keys)+len(set))))
	}
	if len(b.rows) < most {
		return nil
	}
	return b.flush()
}

// flush writes what was added.
func (b *batch) flush() error {
	if len(b.rows) == 0 {
		return nil
	}
	q := b.w.s.statement("UPDATE ")
	q.target = b.p.table.quoted
	q.add(b.p.table.quoted, " AS t0 SET ")
	if q.d.joined {
		b.join(q)
	} else {
		b.choose(q)
	}
	_, err := b.w.s.write(b.w.ctx, b.w.tx, q)
	b.rows, b.sets = nil, nil
	return err
}

// choose has each row choose its values.
func (b *batch) choose(q *statement) {
	for i, a := range b.sets[0] {
		q.listed(i, q.d.quote(a.column.Name)+" = ")
		b.column(q, i)
	}
	q.add(" WHERE ")
	b.these(q)
}

// join makes a table of the keys and values, and joins it.
func (b *batch) join(q *statement) {
	for i, a := range b.sets[0] {
		q.listed(i, q.d.quote(a.column.Name)+" = v.c"+itoa(i))
	}
	q.add(" FROM (VALUES ")
	for j, r := range b.rows {
		q.listed(j, "(")
		for i, k := range b.p.keys {
			q.listed(i, q.typed(assignment{k, r[k.Name]}))
		}
		for _, a := range b.sets[j] {
			q.add(", ", q.typed(a))
		}
		q.add(")")
	}
	q.add(") AS v (")
	for i := range b.p.keys {
		q.listed(i, "k"+itoa(i))
	}
	for i := range b.sets[0] {
		q.add(", c", itoa(i))
	}
	q.add(") WHERE 1 = 1")
	for i, k := range b.p.keys {
		col, key := q.at(0, k), "v.k"+itoa(i)
		if q.add(" AND ", col, " = ", key); k.Kind == KindText {
			q.add(" AND ", q.d.exact(col), " = ", q.d.exact(key))
		}
	}
}

// typed gives the parameter of an assignment with its type, also of NULL.
func (q *statement) typed(a assignment) string {
	return "CAST(" + q.value(a) + " AS " + a.column.cast + ")"
}

// column adds what the i-th column gets in each row.
func (b *batch) column(q *statement, i int) {
	first, differs := b.sets[0][i], false
	for _, set := range b.sets {
		differs = differs || set[i].value.text != first.value.text || set[i].value.held != first.value.held
	}
	if !differs {
		q.add(q.value(first))
		return
	}
	q.add("CASE")
	for j, r := range b.rows {
		q.add(" WHEN ")
		q.keyed(b.p, r)
		q.add(" THEN ", q.value(b.sets[j][i]))
	}
	q.add(" END")
}

// these adds the condition that a row is one of them.
func (b *batch) these(q *statement) {
	if len(b.p.keys) == 1 && !q.d.untyped(b.p.keys[0]) {
		var keys []string
		for _, r := range b.rows {
			keys = append(keys, r[b.p.keys[0].Name].text)
		}
		q.in(0, b.p.keys[0], keys)
		return
	}
	for i, r := range b.rows {
		if i > 0 {
			q.add(" OR ")
		}
		q.add("(")
		q.keyed(b.p, r)
		q.add(")")
	}
}
