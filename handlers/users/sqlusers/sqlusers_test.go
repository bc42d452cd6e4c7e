package sqlusers

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/realsql"
	"push.guru/supportd/handlers/users/userstest"
	"push.guru/supportd/inbox"
)

var servers realsql.Servers

// TestMain also fails when something that a test began is still running.
func TestMain(m *testing.M) {
	if path := os.Getenv(childTask); path != "" {
		if err := runChild(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := servers.Run(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// site is a site's database under test.
type site struct {
	store string  // as Config.Store
	db    *sql.DB // as the site's own user
	admin *sql.DB // as somebody who may do anything
	real  *realsql.Database
	path  string
}

// stores are the databases that everything is tested on.
var stores = []string{"postgres", "mysql", "sqlite"}

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
		s.path = filepath.Join(t.TempDir(), "a site's ?#%41 file.db")
		if err := os.WriteFile(s.path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := openSQLite(Config{Path: s.path})
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

func (s *site) config(m *datamap.Map) Config {
	c := Config{Store: s.store, Path: s.path, Map: m, Key: []byte("0123456789abcdef")}
	if s.real != nil {
		c.DSN = s.real.DSN
	}
	return c
}

// open gives the store, with its table made.
func (s *site) open(t testing.TB, m *datamap.Map) *Store {
	t.Helper()
	st, err := Open(s.config(m))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := st.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st
}

// ddl turns the types in braces into those of the database.
func (s *site) ddl(text string) string {
	words := map[string][]string{
		"{bool}":   {"boolean", "tinyint(1)", "BOOLEAN"},
		"{time}":   {"timestamptz", "datetime", "DATETIME"},
		"{serial}": {"serial PRIMARY KEY", "integer AUTO_INCREMENT PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"},
		"{bytes}":  {"bytea", "blob", "BLOB"},
		"{end}":    {"", " DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci", ""},
	}
	for from, to := range words {
		text = strings.ReplaceAll(text, from, to[slices.Index(stores, s.store)])
	}
	return text
}

// exec runs statements as the site's own user, who writes its schema.
func (s *site) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := s.db.ExecContext(t.Context(), s.ddl(q)); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// count gives the one number that a query selects.
func (s *site) count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// text gives the one text that a query selects, "NULL" for none.
func (s *site) text(t *testing.T, query string) string {
	t.Helper()
	var v sql.NullString
	if err := s.db.QueryRowContext(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if !v.Valid {
		return "NULL"
	}
	return v.String
}

// put inserts a row; names and values in turn.
func (s *site) put(ctx context.Context, table string, pairs ...any) error {
	var names, marks []string
	var args []any
	for i := 0; i < len(pairs); i += 2 {
		names = append(names, pairs[i].(string))
		args = append(args, pairs[i+1])
		if s.store == "postgres" {
			marks = append(marks, fmt.Sprintf("$%d", len(args)))
		} else {
			marks = append(marks, "?")
		}
	}
	_, err := s.db.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ", "), strings.Join(marks, ", ")), args...)
	return err
}

// each runs a test on every database.
func each(t *testing.T, test func(t *testing.T, s *site)) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) { test(t, newSite(t, store)) })
	}
}

// shop is the schema that most tests use.
var shop = []string{
	`CREATE TABLE people (id integer PRIMARY KEY, email varchar(254), full_name varchar(200), given_name varchar(100), family_name varchar(100),
nickname varchar(100), phone varchar(100), date_of_birth date, gender varchar(50), nationality varchar(100), location varchar(200),
address text, occupation varchar(200), about text, contact_first varchar(50) NOT NULL DEFAULT '', contact_last varchar(50),
is_active {bool} NOT NULL, objected_at {time}, last_login {time}, is_staff {bool} NOT NULL DEFAULT false, password varchar(100)){end}`,
	`CREATE TABLE settings (id {serial}, user_id integer NOT NULL, k varchar(50) NOT NULL, v text, UNIQUE (user_id, k)){end}`,
	`CREATE TABLE orders (id {serial}, user_id integer NOT NULL REFERENCES people (id), number varchar(20), total decimal(10,2), paid {bool}, at {time}){end}`,
	`CREATE TABLE items (id {serial}, order_id integer NOT NULL REFERENCES orders (id), title varchar(100)){end}`,
	`CREATE TABLE letters (id {serial}, sender varchar(254), body text){end}`,
	`CREATE TABLE reviews (id {serial}, user_id integer, author varchar(40) NOT NULL, mail varchar(60), ip varchar(40), body varchar(100) NOT NULL, stars integer){end}`,
	`CREATE TABLE invoices (id {serial}, user_id integer NOT NULL, amount decimal(10,2)){end}`,
}

func en(s string) datamap.Text { return datamap.Text{"en": s} }

// fixed is a column that the site writes, with what a delete does to it.
func fixed(name string, rule ...datamap.Rule) datamap.Column {
	c := datamap.Column{Field: inbox.Field(name), Fixed: true}
	if len(rule) > 0 {
		c.Erase, c.Why = rule[0], en("the law")
	}
	return c
}

// shopPlaces describe shop.
func shopPlaces() []datamap.Place {
	profile := datamap.Embedded().Places()[0]
	profile.Source = datamap.Source{Table: "people", Key: []string{"id"}}
	profile.Account = datamap.Account{Active: datamap.Switch{Column: "is_active", On: "true", Off: "false"}, Withdrawn: "objected_at",
		LastSeen: "last_login", Protected: []datamap.Match{{Column: "is_staff", Value: "true"}}}
	var columns []datamap.Column
	for _, c := range profile.Columns {
		switch c.Field {
		case datamap.ColumnActive:
			c.Source = []string{"is_active"}
		case datamap.ColumnWithdrawn:
			c.Source = []string{"objected_at"}
		}
		columns = append(columns, c)
	}
	profile.Columns = append(columns, datamap.Column{Field: "contact", Source: []string{"contact_first", "contact_last"}, Max: 100},
		datamap.Column{Field: "password", Fixed: true, Hidden: true})
	of := func(table, link, parent, to string) datamap.Source {
		return datamap.Source{Table: table, Key: []string{"id"}, Link: datamap.Link{Column: link, Parent: parent, To: to}}
	}
	settings := of("settings", "user_id", "profile", "id")
	settings.Where = []datamap.Match{{Column: "k", Value: "shoe size"}}
	return []datamap.Place{profile,
		{Name: "shoes", Single: true, Label: en("Shoes"), Source: settings, Columns: []datamap.Column{{Field: "shoe_size", Max: 100, Source: []string{"v"}}}},
		{Name: "orders", Label: en("Orders"), Source: of("orders", "user_id", "profile", "id"),
			Columns: []datamap.Column{fixed("number"), fixed("total"), {Field: "paid", Fixed: true, Type: datamap.TypeBool}, fixed("at")}},
		{Name: "items", Label: en("Items"), Source: of("items", "order_id", "orders", "id"), Columns: []datamap.Column{fixed("title")}},
		{Name: "letters", Label: en("Letters"), Source: of("letters", "sender", "", ""), Columns: []datamap.Column{fixed("body"), fixed("sender")}},
		{Name: "reviews", Label: en("Reviews"), Source: of("reviews", "user_id", "profile", "id"), Erase: datamap.EraseValues, Columns: []datamap.Column{
			fixed("author", datamap.Rule{Op: datamap.RuleHash}), fixed("mail", datamap.Rule{Op: datamap.RuleInvalid}),
			fixed("ip", datamap.Rule{Op: datamap.RuleNull}), fixed("body", datamap.Rule{Op: datamap.RuleValue, Value: "(removed)"}),
			fixed("stars", datamap.Rule{Op: datamap.RuleKeep})}},
		{Name: "invoices", Label: en("Invoices"), Source: of("invoices", "user_id", "profile", "id"), Erase: datamap.EraseNone, Keep: en("the tax law"),
			Columns: []datamap.Column{fixed("amount")}},
	}
}

func mapOf(t testing.TB, places ...datamap.Place) *datamap.Map {
	t.Helper()
	m, err := datamap.New(places...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fixture is the shop, for the suite.
func fixture(t *testing.T, s *site) userstest.Fixture {
	t.Helper()
	s.exec(t, shop...)
	m := mapOf(t, shopPlaces()...)
	record := func(place string, pairs ...string) *users.Record {
		r := &users.Record{Place: place}
		for i := 0; i < len(pairs); i += 2 {
			r.Columns, r.Values = append(r.Columns, pairs[i]), append(r.Values, pairs[i+1])
		}
		return r
	}
	return userstest.Fixture{Store: s.open(t, m), Map: m, Parts: "contact", Apart: "shoe_size",
		Related: record("orders", "number", "N-1", "total", "12.25", "paid", "true", "at", "2026-03-04T05:06:07Z"),
		Nested:  record("items", "title", "A hive"),
		Letter:  record("letters", "body", "Where is my hive?"),
		Stays:   record("reviews", "author", "Anna", "mail", "anna@users.test", "ip", "192.0.2.7", "body", "Nice.", "stars", "5"),
		Kept:    record("invoices", "amount", "12.25"),
		Seed:    func(p users.Person, records ...users.Record) error { return s.seed(t.Context(), p, records) },
	}
}

// seed puts a person of the suite into the shop.
func (s *site) seed(ctx context.Context, p users.Person, records []users.Record) error {
	if !p.Guest {
		row := []any{"id", p.ID, "is_active", p.Active}
		for f, v := range p.Fields {
			row = append(row, string(f), v)
		}
		if err := s.put(ctx, "people", row...); err != nil {
			return err
		}
	}
	for _, r := range records {
		row := []any{}
		for i, c := range r.Columns {
			v := any(r.Values[i])
			switch c {
			case "paid":
				v = v == "true"
			case "at":
				v = strings.NewReplacer("T", " ", "Z", "").Replace(r.Values[i])
			}
			row = append(row, c, v)
		}
		switch r.Place {
		case "items":
			var order int
			if err := s.db.QueryRowContext(ctx, "SELECT max(id) FROM orders").Scan(&order); err != nil {
				return err
			}
			row = append(row, "order_id", order)
		case "letters":
			row = append(row, "sender", p.Address())
		default:
			row = append(row, "user_id", p.ID)
		}
		if err := s.put(ctx, r.Place, row...); err != nil {
			return err
		}
	}
	return nil
}

func TestConformance(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			userstest.Run(t, func(t *testing.T) userstest.Fixture { return fixture(t, newSite(t, store)) })
		})
	}
}
