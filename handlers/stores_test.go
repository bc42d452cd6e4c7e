package handlers_test

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"push.guru/supportd/handlers"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/handlers/users/realsql"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

var servers realsql.Servers

// TestMain also fails when something that a test began is still running.
func TestMain(m *testing.M) {
	code := servers.Run(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// databases are those that a site can have, as the configuration calls them.
var databases = []string{"postgres", "mysql", "sqlite"}

// site is a site's database under test.
type site struct {
	store string
	db    *sql.DB // as the site's own user
	admin *sql.DB // as somebody who may do anything
	real  *realsql.Database
	path  string
}

// newSite gives a fresh database.
func newSite(t testing.TB, store string) *site {
	t.Helper()
	s := &site{store: store}
	switch store {
	case "postgres":
		s.real = servers.Postgres(t)
	case "mysql":
		s.real = servers.MariaDB(t)
	default:
		s.path = filepath.Join(t.TempDir(), "site.db")
		db, err := sql.Open("sqlite", "file:"+s.path+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s.db, s.admin = db, db
		return s
	}
	s.db, s.admin = s.real.SQL, s.real.Admin
	return s
}

// script runs statements that end at a semicolon at the end of a line. They are
// the same for every database: names in double quotes, backslashes that mean
// themselves.
func (s *site) script(t testing.TB, text string) {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "--") {
			lines = append(lines, line)
		}
	}
	statements := strings.Split(strings.Join(lines, ""), ";\n")
	if s.store == "mysql" {
		statements = slices.Insert(statements, 0, "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
	}
	for _, q := range statements {
		if q = strings.TrimSuffix(strings.TrimSpace(q), ";"); q == "" {
			continue
		}
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// open gives the store under the map, with its own table made.
func (s *site) open(t testing.TB, m *datamap.Map) *sqlusers.Store {
	t.Helper()
	dsn := ""
	if s.real != nil {
		dsn = s.real.DSN
	}
	st := s.openAs(t, m, dsn)
	if err := st.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

// openAs gives the store by another way in.
func (s *site) openAs(t testing.TB, m *datamap.Map, dsn string) *sqlusers.Store {
	t.Helper()
	st, err := sqlusers.Open(sqlusers.Config{Store: s.store, DSN: dsn, Path: s.path, Map: m, Key: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// tables lists the tables of the site.
func (s *site) tables(t testing.TB) (names []string) {
	t.Helper()
	query := map[string]string{
		"postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
		"mysql":    "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
		"sqlite":   "SELECT name FROM sqlite_master WHERE type = 'table'",
	}[s.store]
	for _, r := range s.rows(t, query) {
		names = append(names, r)
	}
	return names
}

// rows gives what a query selects, a line a row.
func (s *site) rows(t testing.TB, query string) (lines []string) {
	t.Helper()
	rows, err := s.admin.QueryContext(context.WithoutCancel(t.Context()), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range row {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			cells = append(cells, fmt.Sprint(v))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// dump gives every row of the database, a line each, sorted: "table: row".
func (s *site) dump(t testing.TB) (lines []string) {
	t.Helper()
	quote := `"`
	if s.store == "mysql" {
		quote = "`"
	}
	for _, name := range s.tables(t) {
		for _, r := range s.rows(t, "SELECT * FROM "+quote+name+quote) {
			lines = append(lines, name+": "+r)
		}
	}
	slices.Sort(lines)
	return lines
}

// of gives the lines with somebody's name in them: every row of the test data
// has the name of whose it is.
func of(name string, lines []string) (found []string) {
	for _, l := range lines {
		if strings.Contains(strings.ToLower(l), name) {
			found = append(found, l)
		}
	}
	return found
}

// theirs gives the lines that the site wrote, and not we.
func theirs(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "supportd_effects: ") })
}

func readFile(t testing.TB, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readMap(t testing.TB, text string) *datamap.Map {
	t.Helper()
	m, err := mapfile.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// desk is Handlers for one store, with what a test asks of the store itself.
type desk struct {
	*handlers.Handlers
	t     testing.TB
	store users.Store
	dump  func() []string // everything in the store, a line a record
	sent  [][]byte        // what the last job attached
}

func (s *site) desk(t testing.TB, m *datamap.Map) *desk {
	t.Helper()
	st := s.open(t, m)
	return &desk{Handlers: handlers.New(st, m, handlers.Copies{Site: "Push.Guru"}, nil), t: t, store: st,
		dump: func() []string { return s.dump(t) }}
}

// shop is the site's database with the tables and the people of shop.sql.
func shop(t testing.TB, store string) *site {
	t.Helper()
	s := newSite(t, store)
	s.script(t, readFile(t, "testdata", "shop.sql"))
	return s
}

func shopMap(t testing.TB) *datamap.Map {
	t.Helper()
	return readMap(t, readFile(t, "testdata", "shop.toml"))
}

// embedded is the embedded store with the same people.
func embedded(t *testing.T) *desk {
	t.Helper()
	st, err := boltusers.Open(filepath.Join(t.TempDir(), "users.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	for id, name := range map[string]string{"17": "anna", "18": "boris"} {
		err := st.Put(t.Context(), boltusers.Import{ID: id, Fields: map[inbox.Field]string{inbox.FieldEmail: name + "@users.test",
			inbox.FieldFullName: strings.ToUpper(name[:1]) + name[1:], inbox.FieldPhone: "+77010000001", inbox.FieldAbout: name + " keeps bees"},
			Events: []boltusers.Event{{At: time.Unix(1, 0), Page: "/" + name}, {At: time.Unix(2, 0), Page: "/" + name + "/hives"}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	m := datamap.Embedded()
	return &desk{Handlers: handlers.New(st, m, handlers.Copies{Site: "Push.Guru"}, nil), t: t, store: st, dump: func() []string {
		var b bytes.Buffer
		if err := st.Export(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(b.String()), "\n")
	}}
}

// find gives the one person who has the address.
func (d *desk) find(addr string) users.Person {
	d.t.Helper()
	found, err := d.Find(d.t.Context(), addr)
	if err != nil || len(found) != 1 {
		d.t.Fatalf("%d people have the address, %v", len(found), err)
	}
	return found[0]
}

// job plans a request from the present record, as if it was confirmed now.
func (d *desk) job(key string, who users.Person, r inbox.Request, undo bool) inbox.Job {
	d.t.Helper()
	plan, err := d.Plan(d.t.Context(), who, r, undo)
	if err != nil {
		d.t.Fatalf("planning a %s: %v", r.Kind, err)
	}
	return d.confirmed(key, who, r, undo, plan.Digest(who.ID, r.Kind))
}

func (d *desk) confirmed(key string, who users.Person, r inbox.Request, undo bool, digest string) inbox.Job {
	return inbox.Job{EffectKey: key, Kind: r.Kind, Scope: r.Scope, Undo: undo, Person: who.ID, Address: who.Address(), Request: r,
		Digest: digest, Language: "en", Attach: func(b []byte) error { d.sent = append(d.sent, b); return nil }}
}

func (d *desk) perform(job inbox.Job) inbox.Outcome {
	d.t.Helper()
	d.sent = nil
	out, err := d.Perform(d.t.Context(), job)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// records counts what is held about somebody, by place.
func (d *desk) records(who users.Person) (n int) {
	d.t.Helper()
	for _, err := range d.store.Records(d.t.Context(), who) {
		if isNotFound(err) {
			return 0
		}
		if err != nil {
			d.t.Fatal(err)
		}
		n++
	}
	return n
}

// rowsOf gives the rows of data.csv of every part of a copy, without the header.
func rowsOf(t testing.TB, parts [][]byte) (rows [][]string) {
	t.Helper()
	for _, b := range parts {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		f, err := z.Open("data.csv")
		if err != nil {
			t.Fatal(err)
		}
		all, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, all[1:]...)
	}
	return rows
}
