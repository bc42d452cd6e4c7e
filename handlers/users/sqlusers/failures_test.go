package sqlusers

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// eachServer runs a test on the databases that are servers.
func eachServer(t *testing.T, test func(t *testing.T, s *site)) {
	for _, store := range stores[:2] {
		t.Run(store, func(t *testing.T) { test(t, newSite(t, store)) })
	}
}

// annas is the shop with anna in it, and some orders of hers.
func annas(t *testing.T, s *site) *Store {
	t.Helper()
	s.exec(t, shop...)
	s.exec(t, "INSERT INTO people (id, email, is_active, phone, about) VALUES (17, 'anna@users.test', true, '1', 'old')",
		"INSERT INTO orders (id, user_id, number) VALUES (1, 17, 'a'), (2, 17, 'b')")
	return s.open(t, mapOf(t, shopPlaces()...))
}

// locked begins a transaction that has an order of anna's, so that a delete has
// to wait for it.
func locked(t *testing.T, s *site) *sql.Tx {
	t.Helper()
	tx, err := s.admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	if _, err := tx.ExecContext(t.Context(), "UPDATE orders SET number = 'c' WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	return tx
}

// waiting gives the server's number of the connection that waits for a lock in
// the test's database, once there is one; 0: there is none, once that is so.
func waiting(t *testing.T, s *site, want bool) (id int) {
	t.Helper()
	query := "SELECT COALESCE(max(pid), 0) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
	if s.store == "mysql" {
		query = "SELECT COALESCE(max(trx_mysql_thread_id), 0) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(150 * time.Millisecond) // MariaDB shows its locks anew when nobody has looked for a tenth of a second
	defer again.Stop()
	for {
		if err := s.admin.QueryRowContext(ctx, query).Scan(&id); err != nil {
			t.Fatalf("waiting for a lock to be waited for: %v", err)
		}
		if (id != 0) == want {
			return id
		}
		<-again.C
	}
}

// applying carries an effect out in the background.
func applying(ctx context.Context, st *Store, e users.Effect) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := st.Apply(ctx, e)
		done <- err
	}()
	return done
}

// wantWaits fails unless err is temporary, and nothing of e is done.
func wantWaits(t *testing.T, s *site, st *Store, e users.Effect, err error) {
	t.Helper()
	if !inbox.IsTemporary(err) {
		t.Errorf("Apply: %v, want a temporary error", err)
	}
	wantNothingDone(t, s, st, e)
}

func wantNothingDone(t *testing.T, s *site, st *Store, e users.Effect) {
	t.Helper()
	if _, err := st.Recorded(t.Context(), e.Key, e.Kind, e.Digest); !errors.Is(err, users.ErrNotFound) {
		t.Errorf("Recorded: %v, want ErrNotFound", err)
	}
	if n := s.count(t, "SELECT count(*) FROM orders") + s.count(t, "SELECT count(*) FROM people"); n != 3 {
		t.Errorf("%d rows are there, want 3", n)
	}
}

// wantDone fails unless the effect goes through now.
func wantDone(t *testing.T, s *site, st *Store, e users.Effect) {
	t.Helper()
	if a, err := st.Apply(t.Context(), e); err != nil || a.Again {
		t.Errorf("the next try: again %t, %v", a.Again, err)
	}
	if n := s.count(t, "SELECT count(*) FROM orders") + s.count(t, "SELECT count(*) FROM people"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestDeadlock(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		st := annas(t, s)
		e := planned(t, st, "k-1", find(t, st, "17"), deletion)
		tx := locked(t, s)
		// The server is to give us up, and not the other: it has written more, or
		// looks later.
		for _, q := range map[string][]string{
			"postgres": {"SET LOCAL deadlock_timeout = '20s'"},
			"mysql":    {"INSERT INTO letters (body) SELECT seq FROM seq_1_to_1000"},
		}[s.store] {
			if _, err := tx.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		done := applying(t.Context(), st, e)
		waiting(t, s, true)
		if _, err := tx.ExecContext(t.Context(), "UPDATE people SET phone = '2' WHERE id = 17"); err != nil {
			t.Errorf("the other lost: %v", err)
		}
		err := <-done
		if err == nil || !strings.Contains(err.Error(), map[string]string{"postgres": "40P01", "mysql": "1213"}[s.store]) {
			t.Errorf("Apply: %v, want a deadlock", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		wantWaits(t, s, st, e, err)
		wantDone(t, s, st, e)
	})
}

// TestConnectionCut: the server ends our connection in the middle of an effect.
func TestConnectionCut(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		st := annas(t, s)
		e := planned(t, st, "k-1", find(t, st, "17"), deletion)
		tx := locked(t, s)
		done := applying(t.Context(), st, e)
		id := waiting(t, s, true)
		cut := map[string]string{"postgres": "SELECT pg_terminate_backend(" + itoa(id) + ")", "mysql": "KILL " + itoa(id)}[s.store]
		if _, err := s.admin.ExecContext(t.Context(), cut); err != nil {
			t.Fatal(err)
		}
		err := <-done
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		wantWaits(t, s, st, e, err)
		wantDone(t, s, st, e)
	})
}

// TestGivenUp: the caller has no more time while the database is slow; the
// server does not go on with it behind our back.
func TestGivenUp(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		st := annas(t, s)
		e := planned(t, st, "k-1", find(t, st, "17"), deletion)
		tx := locked(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := applying(ctx, st, e)
		waiting(t, s, true)
		cancel()
		err := <-done
		if s.store == "postgres" {
			waiting(t, s, false)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		waiting(t, s, false)
		wantWaits(t, s, st, e, err)
		wantDone(t, s, st, e)
	})
}

// TestReadOnly: a standby, or a server that is being moved. That passes only
// when somebody does something.
func TestReadOnly(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		st := annas(t, s)
		e := planned(t, st, "k-1", find(t, st, "17"), deletion)
		st = s.readOnly(t, st)
		find(t, st, "17")
		_, err := st.Apply(t.Context(), e)
		if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("Apply: %v", err)
		}
		wantNothingDone(t, s, st, e)
	})
}

// readOnly lets nothing be written any more, and gives the store as it is then.
func (s *site) readOnly(t *testing.T, st *Store) *Store {
	t.Helper()
	exec := func(q string) {
		t.Helper()
		if _, err := s.admin.ExecContext(context.WithoutCancel(t.Context()), q); err != nil {
			t.Fatal(err)
		}
	}
	switch s.store {
	case "postgres":
		exec("ALTER DATABASE " + s.real.Name + " SET default_transaction_read_only = on")
		return s.reopened(t, s.real.DSN)
	case "mysql":
		exec("SET GLOBAL read_only = 1")
		t.Cleanup(func() { exec("SET GLOBAL read_only = 0") })
		return st
	}
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(s.path)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	st.db.Close() // its Close ends the new one
	st.db = db
	return st
}

// reopened gives a store without making its table.
func (s *site) reopened(t *testing.T, dsn string) *Store {
	t.Helper()
	c := s.config(mapOf(t, shopPlaces()...))
	c.DSN = dsn
	st, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func TestMissingRights(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		all := annas(t, s)
		e := planned(t, all, "k-1", find(t, all, "17"), deletion)
		user := "ltd_" + s.real.Name
		statements := []string{"CREATE ROLE " + user + " LOGIN PASSWORD 'pw'", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + user,
			"GRANT INSERT ON supportd_effects TO " + user, "GRANT UPDATE ON people TO " + user}
		drop := []string{"DROP OWNED BY " + user, "DROP ROLE " + user}
		if s.store == "mysql" {
			on := s.real.Name + "."
			statements = []string{"CREATE USER " + user + "@'%' IDENTIFIED BY 'pw'", "GRANT SELECT ON " + on + "* TO " + user + "@'%'",
				"GRANT INSERT ON " + on + "supportd_effects TO " + user + "@'%'", "GRANT UPDATE ON " + on + "people TO " + user + "@'%'"}
			drop = []string{"DROP USER " + user + "@'%'"}
		}
		run := func(all []string) {
			for _, q := range all {
				if _, err := s.admin.ExecContext(context.WithoutCancel(t.Context()), q); err != nil {
					t.Errorf("%s: %v", q, err)
				}
			}
		}
		run(statements)
		defer run(drop)
		st := s.reopened(t, s.real.As(user, "pw"))
		defer st.Close()
		_, err := st.Apply(t.Context(), e)
		if err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "rights are missing") || !strings.Contains(err.Error(), "grant") {
			t.Errorf("Apply: %v", err)
		}
		wantNothingDone(t, s, st, e)
		if err := st.Init(t.Context()); s.store == "mysql" && (err == nil || inbox.IsTemporary(err)) {
			t.Errorf("Init: %v", err)
		}
	})
}

// TestNoWayIn: nothing answers, or does not know us. No error has the password
// in it.
func TestNoWayIn(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		e := planned(t, annas(t, s), "k-1", users.Person{ID: "17"}, deletion)
		nowhere := map[string]string{"postgres": "postgres://u:geheim@127.0.0.1:1/db", "mysql": "u:geheim@tcp(127.0.0.1:1)/db"}[s.store]
		for dsn, passes := range map[string]bool{nowhere: true, s.real.As("site", "geheim"): false, s.real.As("nobody", "geheim"): false} {
			st := s.reopened(t, dsn)
			_, errApply := st.Apply(t.Context(), e)
			_, errGet := st.Get(t.Context(), "17")
			_, errFind := st.ByAddress(t.Context(), "anna@users.test")
			for what, err := range map[string]error{"Apply": errApply, "Get": errGet, "ByAddress": errFind, "Ping": st.Ping(t.Context()), "Init": st.Init(t.Context())} {
				if err == nil || inbox.IsTemporary(err) != passes || strings.Contains(err.Error(), "geheim") {
					t.Errorf("%s: %v; temporary is wanted: %t", what, err, passes)
				}
			}
			st.Close()
		}
	})
}

// TestLostFile: a file that is not there is not made, and no database is not
// taken for an empty one.
func TestLostFile(t *testing.T) {
	m := mapOf(t, shopPlaces()...)
	path := filepath.Join(t.TempDir(), "gone.db")
	for _, text := range []string{"", strings.Repeat("no database ", 1000)} {
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		st, err := Open(Config{Store: "sqlite", Path: path, Map: m, Key: make([]byte, 16)})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Ping(t.Context()); err == nil || inbox.IsTemporary(err) {
			t.Errorf("Ping: %v, want a permanent error", err)
		}
		st.Close()
		if _, err := os.Stat(path); text == "" && !errors.Is(err, os.ErrNotExist) {
			t.Error("the file was made")
		}
	}
}

// TestSchemaChanges: somebody alters a table while the daemon runs.
func TestSchemaChanges(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		st := annas(t, s)
		who := find(t, st, "17")
		e := planned(t, st, "k-1", who, setting(inbox.FieldPhone, "2"))
		s.exec(t, "ALTER TABLE people DROP COLUMN about", "ALTER TABLE people ADD COLUMN more varchar(10)")
		_, errGet := st.Get(t.Context(), "17")
		_, errNext := st.Get(t.Context(), "17")
		_, errApply := st.Apply(t.Context(), e)
		for what, err := range map[string]error{"Get": errGet, "the next Get": errNext, "Apply": errApply, "Ping": st.Ping(t.Context())} {
			if _, unfit := errors.AsType[*UnfitError](err); !unfit || !inbox.IsTemporary(err) || !strings.Contains(err.Error(), "supportd check") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if !strings.Contains(errNext.Error(), `"about"`) {
			t.Errorf("the next error does not name the column: %v", errNext)
		}
		s.exec(t, "ALTER TABLE people ADD COLUMN about text")
		if _, err := st.Apply(t.Context(), e); err != nil {
			t.Errorf("Apply after the column came back: %v", err)
		}
		if v := find(t, st, "17").Fields[inbox.FieldPhone]; v != "2" {
			t.Errorf("the value is %q", v)
		}
		// What was done is answered for, whatever the tables are like by then.
		s.exec(t, "ALTER TABLE people DROP COLUMN about")
		if a, err := st.Apply(t.Context(), e); err != nil || !a.Again {
			t.Errorf("the same effect again: %+v, %v", a, err)
		}
		s.exec(t, "DROP TABLE supportd_effects")
		if _, err := st.Recorded(t.Context(), "k-1", e.Kind, e.Digest); err == nil || inbox.IsTemporary(err) || !strings.Contains(err.Error(), "init") {
			t.Errorf("Recorded without our table: %v", err)
		}
	})
}

// TestErrorsQuoteNobody: the drivers' texts have values in them, ours do not.
func TestErrorsQuoteNobody(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254) UNIQUE, phone integer CHECK (phone < 100), about varchar(20)){end}",
			"CREATE UNIQUE INDEX both_of ON people (phone, about)",
			"INSERT INTO people VALUES (17, 'anna@users.test', 1, 'zebra'), (18, 'boris@users.test', 2, 'quagga')")
		st := s.open(t, mapOf(t, account("people", "id", shopPlaces()[0].Columns[8], shopPlaces()[0].Columns[15])))
		for _, c := range []map[inbox.Field]string{
			{inbox.FieldPhone: "4711"}, {inbox.FieldPhone: "2", inbox.FieldAbout: "quagga"}, {inbox.FieldPhone: "secret 1"}, {inbox.FieldAbout: "secret " + strings.Repeat("x", 40)},
		} {
			r := inbox.Request{Kind: inbox.KindChange}
			for f, v := range c {
				r.Changes = append(r.Changes, inbox.Change{Field: f, Op: inbox.OpSet, Value: v})
			}
			_, err := st.Apply(t.Context(), planned(t, st, "k-1", find(t, st, "17"), r))
			if err == nil && s.store == "sqlite" {
				continue // it takes any text for a number
			}
			if err == nil || inbox.IsTemporary(err) {
				t.Errorf("%v: %v", c, err)
				continue
			}
			for _, v := range []string{"4711", "quagga", "secret", "zebra", "anna", "boris"} {
				if strings.Contains(err.Error(), v) {
					t.Errorf("the error quotes %q: %v", v, err)
				}
			}
		}
	})
}
