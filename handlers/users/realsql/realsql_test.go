package realsql_test

import (
	"database/sql"
	"os"
	"testing"

	"push.guru/supportd/handlers/users/realsql"
)

var servers realsql.Servers

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// TestFresh: each test has a database of its own, empty, that it may fill.
func TestFresh(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *realsql.Database{"PostgreSQL": servers.Postgres, "MariaDB": servers.MariaDB} {
		for range 2 {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := open(t)
				if _, err := d.SQL.ExecContext(t.Context(), "CREATE TABLE people (id INTEGER PRIMARY KEY)"); err != nil {
					t.Fatal(err)
				}
				var n int
				if err := d.Admin.QueryRowContext(t.Context(), "SELECT count(*) FROM people").Scan(&n); err != nil || n != 0 {
					t.Errorf("%d people, %v", n, err)
				}
				wantOnlyOwn(t, d)
			})
		}
	}
}

// wantOnlyOwn fails when the site's user may make databases.
func wantOnlyOwn(t *testing.T, d *realsql.Database) {
	t.Helper()
	if _, err := d.SQL.ExecContext(t.Context(), "CREATE DATABASE other"); err == nil {
		t.Error("the site's user may do anything")
	}
	other, err := sql.Open("pgx", d.As(realsql.Site, "wrong"))
	if err == nil {
		defer other.Close()
		err = other.PingContext(t.Context())
	}
	if err == nil {
		t.Error("a wrong password was accepted")
	}
}
