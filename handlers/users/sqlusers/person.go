package sqlusers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// ByAddress implements users.Store.
func (s *Store) ByAddress(ctx context.Context, addr string) ([]users.Person, error) {
	found, err := s.byAddress(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("finding people by address: %w", s.placed(ctx, err))
	}
	return found, nil
}

func (s *Store) byAddress(ctx context.Context, addr string) (found []users.Person, err error) {
	if err := ctx.Err(); err != nil {
		return nil, inbox.Temporary(err)
	}
	if _, err := address.Canonical(addr); err != nil {
		return nil, nil
	}
	l, err := s.refit(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := s.holders(ctx, s.db, l, addr)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		p, err := s.get(ctx, s.db, l, id)
		if errors.Is(err, users.ErrNotFound) {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	if len(ids) > 0 {
		return found, nil
	}
	guest, err := s.guest(ctx, l, addr)
	if errors.Is(err, users.ErrNotFound) {
		return nil, nil
	}
	return []users.Person{guest}, err
}

// holders gives the IDs of all accounts that have the address, in order.
func (s *Store) holders(ctx context.Context, db querier, l *layout, addr string) (ids []string, err error) {
	p := l.places[0]
	columns := []Column{p.keys[0], *l.email}
	q := s.statement("SELECT ")
	q.selected(0, columns)
	q.add(" FROM ", p.table.quoted, " AS t0 WHERE ")
	q.begins(0, *l.email, addr)
	for _, m := range p.where {
		q.add(" AND ")
		q.equal(0, m.column, m.value)
	}
	err = s.read(ctx, db, q, columns, func(row []value) bool {
		if address.Equal(row[1].text, addr) {
			ids = append(ids, row[0].text)
		}
		return true
	})
	slices.Sort(ids)
	return ids, err
}

// blanks are the characters that may stand before an address in a row, and are
// no part of it.
const blanks = " \t\n\r\v\f\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

// begins adds the condition that a column begins as the address does, up to
// its last @; or with a blank, which address.Equal drops.
func (q *statement) begins(n int, c Column, addr string) {
	addr = strings.TrimSpace(addr)
	col := q.at(n, c)
	switch {
	case q.d.untyped(c):
		col = "CAST(" + col + " AS TEXT)"
	case c.loose:
		col = q.d.exact(col)
	}
	q.add("(", q.d.prefix(col, q.near(c, q.plain(q.d.like(addr[:strings.LastIndexByte(addr, '@')+1])))))
	for _, r := range q.d.blankRanges {
		q.add(" OR ", col, " BETWEEN char(", itoa(int(r[0])), ") AND char(", itoa(int(r[1])), ")")
	}
	if q.d.blankRanges == nil {
		for _, b := range blanks {
			q.add(" OR ", q.d.prefix(col, q.near(c, q.plain(q.d.like(string(b))))))
		}
	}
	q.add(")")
}

// spelled reads how a place linked by address writes the addresses, in an order
// that is the same each time.
func (s *Store) spelled(ctx context.Context, db querier, p *place, addresses []string) (all []string, err error) {
	known := map[string]bool{}
	for _, addr := range addresses {
		q := s.statement("SELECT DISTINCT ")
		q.add(q.d.exact(q.at(0, p.link)), " FROM ", p.table.quoted, " AS t0 WHERE ")
		q.begins(0, p.link, addr)
		err := s.read(ctx, db, q, []Column{p.link}, func(row []value) bool {
			if address.Equal(row[0].text, addr) {
				known[row[0].text] = true
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(known)), nil
}

// subject gives whose rows in some places those of an account and of addresses
// are.
func (s *Store) subject(ctx context.Context, db querier, places []*place, id string, addresses ...string) (subject, error) {
	who := subject{id: id, spelled: map[*place][]string{}}
	for _, addr := range addresses {
		if _, err := address.Canonical(addr); err == nil && !slices.Contains(who.addresses, addr) {
			who.addresses = append(who.addresses, addr)
		}
	}
	for _, p := range places {
		p = p.root()
		if _, known := who.spelled[p]; known || !p.byAddress() {
			continue
		}
		var err error
		if who.spelled[p], err = s.spelled(ctx, db, p, who.addresses); err != nil {
			return who, err
		}
	}
	return who, nil
}

// Get implements users.Store.
func (s *Store) Get(ctx context.Context, id string) (users.Person, error) {
	p, err := s.person(ctx, id)
	if err != nil {
		return users.Person{}, fmt.Errorf("reading a person: %w", s.placed(ctx, err))
	}
	return p, nil
}

func (s *Store) person(ctx context.Context, id string) (users.Person, error) {
	l, err := s.fit(ctx)
	if err != nil {
		return users.Person{}, err
	}
	p, err := s.get(ctx, s.db, l, id)
	if errors.Is(err, users.ErrNotFound) {
		return s.guestByID(ctx, s.db, l, id, "")
	}
	return p, err
}

// row is what a row holds, by the column's name.
type row map[string]value

// get reads an account, or users.ErrNotFound.
func (s *Store) get(ctx context.Context, db querier, l *layout, id string) (users.Person, error) {
	r, err := s.account(ctx, db, l, id, "")
	if err != nil {
		return users.Person{}, err
	}
	p := l.person(r)
	apart := slices.DeleteFunc(slices.Clone(l.places[1:]), func(p *place) bool { return !p.Single || !p.editable() })
	who, err := s.subject(ctx, db, apart, id, p.Address())
	if err != nil {
		return p, err
	}
	for _, place := range apart {
		rows, err := s.few(ctx, db, place, who, 1, "")
		if err != nil {
			return p, err
		}
		if len(rows) > 0 {
			place.fill(p.Fields, rows[0])
		}
	}
	return p, nil
}

// account reads an account's row, or users.ErrNotFound.
func (s *Store) account(ctx context.Context, db querier, l *layout, id, lock string) (row, error) {
	rows, err := s.few(ctx, db, l.places[0], subject{id: id}, 2, lock)
	switch {
	case isClass(err, classValue):
		return nil, users.ErrNotFound // no key is like that
	case err != nil:
		return nil, err
	case len(rows) == 0 || rows[0][l.places[0].keys[0].Name].text != id:
		return nil, users.ErrNotFound // the database may take another text for the same
	}
	return rows[0], nil
}

// few reads the first rows of the subject's in a place.
func (s *Store) few(ctx context.Context, db querier, p *place, who subject, limit int, lock string) (rows []row, err error) {
	columns := p.all()
	for _, part := range who.groups(p) {
		q := s.from(p, columns, part)
		q.after(p, nil)
		q.add(" LIMIT ", itoa(limit-len(rows)), lock)
		err = s.read(ctx, db, q, columns, func(v []value) bool {
			rows = append(rows, rowOf(columns, v))
			return true
		})
		if err != nil || len(rows) == limit {
			break
		}
	}
	return rows, err
}

func rowOf(columns []Column, v []value) row {
	r := row{}
	for i, c := range columns {
		r[c.Name] = v[i]
	}
	return r
}

// all lists the columns that say what people may change, and what the account
// is like; not what only goes into copies.
func (p *place) all() []Column {
	all := slices.Clone(p.keys)
	for _, c := range p.columns {
		if !c.Fixed {
			all = append(all, c.source...)
		}
	}
	for _, c := range []*Column{p.active, p.withdrawn, p.seen} {
		if c != nil {
			all = append(all, *c)
		}
	}
	for _, m := range p.protected {
		all = append(all, m.column)
	}
	if p.link.Name != "" {
		all = append(all, p.link)
	}
	return once(all)
}

// editable tells whether people may change something in the place.
func (p *place) editable() bool {
	return slices.ContainsFunc(p.columns, func(c column) bool { return !c.Fixed })
}

// fill enters what a row holds of the fields that people may name.
func (p *place) fill(fields map[inbox.Field]string, r row) {
	for _, c := range p.columns {
		if v := c.joined(r); !c.Fixed && v != "" {
			fields[c.Field] = v
		}
	}
}

// joined gives what the columns hold together, with blanks between.
func (c column) joined(r row) string {
	var parts []string
	for _, from := range c.source {
		if v := r[from.Name]; !v.empty() {
			parts = append(parts, v.text)
		}
	}
	return strings.Join(parts, " ")
}

// person makes a person of an account's row.
func (l *layout) person(r row) users.Person {
	p := l.places[0]
	out := users.Person{ID: r[p.keys[0].Name].text, Active: p.isActive(r), Fields: map[inbox.Field]string{}}
	p.fill(out.Fields, r)
	if p.withdrawn != nil {
		out.Withdrawn, _ = timeOf(r[p.withdrawn.Name].text)
	}
	if p.seen != nil {
		out.LastSeen, _ = timeOf(r[p.seen.Name].text)
	}
	for _, m := range p.protected {
		out.Protected = out.Protected || r[m.column.Name].held && r[m.column.Name].text == m.column.worded(m.value)
	}
	return out
}

func (p *place) isActive(r row) bool {
	if p.active == nil {
		return true
	}
	v, sw := r[p.active.Name], p.Account.Active
	switch {
	case sw.Time:
		return strings.Trim(v.text, "0-: .TZ+") == "" // what cannot be read as a time is one all the same
	case sw.On != "":
		return v.text == p.active.worded(sw.On)
	}
	return v.text != p.active.worded(sw.Off)
}

// guest gives who has the address in a row and no account, or ErrNotFound.
func (s *Store) guest(ctx context.Context, l *layout, addr string) (users.Person, error) {
	who, err := s.subject(ctx, s.db, l.places, "", addr)
	if err != nil {
		return users.Person{}, err
	}
	for _, p := range l.places {
		if !p.byAddress() || len(who.spelled[p]) == 0 {
			continue
		}
		rows, err := s.few(ctx, s.db, p, who, 1, "")
		if err != nil {
			return users.Person{}, err
		}
		if len(rows) > 0 {
			return s.guestOf(p, rows[0]), nil
		}
	}
	return users.Person{}, users.ErrNotFound
}

func (s *Store) guestOf(p *place, r row) users.Person {
	return users.Person{ID: s.guestID(p, r), Active: true, Guest: true,
		Fields: map[inbox.Field]string{inbox.FieldEmail: r[p.link.Name].text}}
}

// guestID is the place and the key; a key that has the address in it is sealed.
func (s *Store) guestID(p *place, r row) string {
	var parts []string
	for _, k := range p.keys {
		parts = append(parts, strings.NewReplacer("%", "%25", ",", "%2C").Replace(r[k.Name].text))
	}
	key := strings.Join(parts, ",")
	if p.telling() {
		key = "~" + s.seal.close(key)
	}
	return p.Name + ":" + key
}

// telling tells whether the key of a place says whose row it is.
func (p *place) telling() bool {
	return slices.ContainsFunc(p.keys, func(k Column) bool { return k.Name == p.link.Name || k.Kind == KindText })
}

// guestByID finds a guest again, by the row that their ID names.
func (s *Store) guestByID(ctx context.Context, db querier, l *layout, id, lock string) (users.Person, error) {
	name, key, ok := strings.Cut(id, ":")
	p := l.place(name)
	if !ok || p == nil || !p.byAddress() {
		return users.Person{}, users.ErrNotFound
	}
	if p.telling() {
		if key, ok = s.seal.open(strings.TrimPrefix(key, "~")); !ok {
			return users.Person{}, users.ErrNotFound
		}
	}
	parts := strings.Split(key, ",")
	if len(parts) != len(p.keys) {
		return users.Person{}, users.ErrNotFound
	}
	columns := p.all()
	q := s.statement("SELECT ")
	q.selected(0, columns)
	q.add(" FROM ", p.table.quoted, " AS t0 WHERE 1 = 1")
	for i, k := range p.keys {
		q.add(" AND ")
		q.equal(0, k, strings.NewReplacer("%2C", ",", "%25", "%").Replace(parts[i]))
	}
	for _, m := range p.where {
		q.add(" AND ")
		q.equal(0, m.column, m.value)
	}
	q.add(lock)
	var found row
	err := s.read(ctx, db, q, columns, func(v []value) bool { found = rowOf(columns, v); return false })
	if err != nil && !isClass(err, classValue) {
		return users.Person{}, err
	}
	addr := found[p.link.Name].text
	if _, err := address.Canonical(addr); err != nil || isInvalidAddress(addr) || s.guestID(p, found) != id {
		return users.Person{}, users.ErrNotFound
	}
	return s.guestOf(p, found), nil
}
