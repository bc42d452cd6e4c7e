// Package realsql runs Debian's PostgreSQL and MariaDB privately, so that tests
// meet the databases that sites have. The program itself never links it.
//
// A test binary has one server of each sort, started when the first test asks
// for it: data and socket lie in one directory below the system's temporary
// one, the port is on a loopback address of 127.0.0.0/8 that is drawn at
// random. Each test gets a fresh database. No service of the system is
// touched. The servers are children of the test binary and end with it, also
// when it crashes; they run as the user that Debian's package made for them
// where the test runs as root, and they do not wait for the disk.
package realsql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/inbox/mailtest/keeper"
)

// patience bounds how long a server may take to start.
const patience = 60 * time.Second

// Site is the user of every database: the owner of all in it, and nobody
// elsewhere.
const Site = "site"

// Servers are those of one test binary. The zero value is ready.
type Servers struct {
	postgres, mariadb server
}

// Database is a fresh one, for one test.
type Database struct {
	Name  string
	DSN   string  // as the user Site, in the form of the server's driver
	SQL   *sql.DB // the same, open
	Admin *sql.DB // the same database as a user who may do anything

	As func(user, password string) string // the DSN of another user; nil for SQLite

	Path string // of SQLite: the file, in place of a DSN
}

// Fresh gives a fresh database of a store as the configuration calls it:
// "postgres", "mysql", which MariaDB stands for, or "sqlite", whose driver the
// test must link. Texts are in UTF-8.
func (s *Servers) Fresh(t testing.TB, store string) *Database {
	t.Helper()
	switch store {
	case "postgres":
		return s.Postgres(t)
	case "mysql":
		d := s.MariaDB(t)
		d.Script(t, "ALTER DATABASE "+d.Name+" CHARACTER SET utf8mb4") // its own default is latin1
		return d
	}
	path := filepath.Join(t.TempDir(), "site.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &Database{Path: path, SQL: db, Admin: db}
}

// Script runs statements, which end with a semicolon and the end of a line, on
// one connection.
func (d *Database) Script(t testing.TB, script string) {
	t.Helper()
	conn, err := d.SQL.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for q := range strings.SplitSeq(script, ";\n") {
		if q = strings.TrimSpace(q); q == "" {
			continue
		}
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// Run runs the tests of m and ends the servers; it gives what TestMain exits
// with.
func (s *Servers) Run(m *testing.M) int {
	code := m.Run()
	if err := errors.Join(s.postgres.end(), s.mariadb.end()); err != nil {
		fmt.Fprintln(os.Stderr, "ending the databases:", err)
		return max(code, 1)
	}
	return code
}

// Postgres gives a fresh database of PostgreSQL. Where it is not installed it
// skips the test; with SUPPORTD_REAL=1 in the environment it fails it.
func (s *Servers) Postgres(t testing.TB) *Database {
	t.Helper()
	return s.postgres.database(t, postgres())
}

// MariaDB gives a fresh database of MariaDB, as Postgres does.
func (s *Servers) MariaDB(t testing.TB) *Database {
	t.Helper()
	return s.mariadb.database(t, mariadb())
}

// kind is what differs between the servers.
type kind struct {
	name, pkg string   // in words; Debian's package
	user      string   // who runs it
	bins      []string // what must be installed
	end       syscall.Signal

	secret  string                    // what is in the file of that name; %s is the admin's password
	prepare func(s *server) *exec.Cmd // makes the data directory
	run     func(s *server) *exec.Cmd
	driver  string
	dsn     func(s *server, user, database string) string // with the server's password
	as      func(s *server, user, password, database string) string
	admin   string   // who may do anything
	home    string   // the admin's database
	settle  []string // statements of the admin, once
	create  func(database string) []string
	drop    string // of the database %s
}

// server is one that runs, or did not start.
type server struct {
	start    sync.Once
	kind     kind
	dir      string
	host     string
	port     string
	password string
	keeper   *keeper.Keeper
	admin    *sql.DB
	err      error

	mu   sync.Mutex
	made int // databases
}

func (s *server) database(t testing.TB, k kind) *Database {
	t.Helper()
	if why := k.missing(); why != "" {
		if os.Getenv("SUPPORTD_REAL") == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	s.start.Do(func() { s.kind, s.err = k, s.begin(k) })
	if s.err != nil {
		t.Fatalf("starting %s: %v\n%s", k.name, s.err, s.logs())
	}
	d, err := s.fresh()
	if err != nil {
		t.Fatalf("making a database of %s: %v\n%s", k.name, err, s.logs())
	}
	t.Cleanup(func() {
		if err := errors.Join(d.SQL.Close(), d.Admin.Close(), s.exec(fmt.Sprintf(k.drop, d.Name))); err != nil {
			t.Errorf("removing a database of %s: %v", k.name, err)
		}
	})
	return d
}

func (k kind) missing() string {
	for _, bin := range k.bins {
		if _, err := os.Stat(bin); err != nil {
			return fmt.Sprintf("there is no %s: to run the tests against %s, install Debian's %s", bin, k.name, k.pkg)
		}
	}
	return ""
}

// begin starts the server; what it began, end ends.
func (s *server) begin(k kind) (err error) {
	if s.dir, err = os.MkdirTemp("", "sql"); err != nil {
		return err
	}
	s.password = rand.Text()
	host, ports, err := keeper.FreePorts(1)
	if err != nil {
		return err
	}
	s.host, s.port = host, ports[0]
	if err := os.WriteFile(s.secret(), fmt.Appendf(nil, k.secret, s.password), 0o600); err != nil {
		return err
	}
	who, err := s.give(k.user)
	if err != nil {
		return err
	}
	cmd := k.prepare(s)
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: who}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Path, err, out)
	}
	cmd = k.run(s)
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: who}
	s.keeper = keeper.New(filepath.Join(s.dir, "out.log"))
	if err := s.keeper.Start(cmd, k.end); err != nil {
		return err
	}
	return s.settle(k)
}

// settle waits until the server answers, and tells it who its users are.
func (s *server) settle(k kind) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.keeper.Answering(ctx, s.host+":"+s.port); err != nil {
		return err
	}
	if s.admin, err = sql.Open(k.driver, k.dsn(s, k.admin, k.home)); err != nil {
		return err
	}
	// It takes connections before it lets anybody in.
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for err = s.admin.PingContext(ctx); err != nil && ctx.Err() == nil; err = s.admin.PingContext(ctx) {
		<-again.C
	}
	for _, q := range k.settle {
		if err == nil {
			err = s.exec(fmt.Sprintf(q, Site, s.password))
		}
	}
	return err
}

// secret is the file with the admin's password.
func (s *server) secret() string { return filepath.Join(s.dir, "secret") }

// give makes the directory the user's, when we are root, and says as whom to
// run.
func (s *server) give(name string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, errU := strconv.ParseUint(u.Uid, 10, 32)
	gid, errG := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(errU, errG, os.Chown(s.dir, int(uid), int(gid)), os.Chown(s.secret(), int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (s *server) fresh() (*Database, error) {
	s.mu.Lock()
	s.made++
	name := fmt.Sprintf("t_%d", s.made)
	s.mu.Unlock()
	for _, q := range s.kind.create(name) {
		if err := s.exec(q); err != nil {
			return nil, err
		}
	}
	d := &Database{Name: name, DSN: s.kind.dsn(s, Site, name)}
	d.As = func(user, password string) string { return s.kind.as(s, user, password, name) }
	var errSite, errAdmin error
	d.SQL, errSite = sql.Open(s.kind.driver, d.DSN)
	d.Admin, errAdmin = sql.Open(s.kind.driver, s.kind.dsn(s, s.kind.admin, name))
	return d, errors.Join(errSite, errAdmin)
}

func (s *server) exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := s.admin.ExecContext(ctx, query)
	return err
}

func (s *server) end() (err error) {
	if s.admin != nil {
		err = s.admin.Close()
	}
	if s.keeper != nil {
		err = errors.Join(err, s.keeper.Stop())
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

func (s *server) logs() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "out.log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}
