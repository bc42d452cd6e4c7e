package handlers_test

import (
	"context"
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"push.guru/supportd/handlers"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
)

// asked are the kinds that the faults are tried on, in order: they read, write
// and erase.
var asked = []struct {
	name string
	r    inbox.Request
}{{"copy", copied}, {"change", change}, {"delete", deleteAccount}}

var (
	withoutBirth = inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Fields: []inbox.Field{inbox.FieldBirth}}
	shoes        = inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: "shoe_size", Op: inbox.OpSet, Value: "38"}}}
)

// faults are what somebody does to the tables while the store runs. Each is
// seen, says where it is and what to do, and is nobody's loss.
var faults = []struct {
	name       string
	stores     string // that can do it
	with, mend string // statements that bring it about, and take it back; {…} is what the store says instead
	says       []string
	spares     string         // kinds that it is nothing to
	only       *inbox.Request // asked instead of the kinds, and planned only then
}{
	{name: "a column is renamed", stores: "postgres mysql sqlite",
		with: "ALTER TABLE people RENAME COLUMN phone TO telephone", mend: "ALTER TABLE people RENAME COLUMN telephone TO phone",
		says: []string{`place "profile"`, `"people"`, `"phone"`, "supportd check"}},
	{name: "a column of a related table is renamed", stores: "postgres mysql sqlite",
		with: "ALTER TABLE items RENAME COLUMN order_id TO of_order", mend: "ALTER TABLE items RENAME COLUMN of_order TO order_id",
		says: []string{`place "items"`, `"order_id"`, "supportd check"}},
	{name: "a table is gone", stores: "postgres mysql sqlite",
		with: "ALTER TABLE answers RENAME TO replies", mend: "ALTER TABLE replies RENAME TO answers",
		says: []string{`place "answers"`, `no table "answers"`, "supportd check"}},
	{name: "our own table is gone", stores: "postgres mysql sqlite",
		with: "ALTER TABLE supportd_effects RENAME TO moved", mend: "ALTER TABLE moved RENAME TO supportd_effects",
		says: []string{"supportd users init"}, spares: "copy"},
	{name: "a table is added that the map does not know", stores: "postgres mysql sqlite",
		with: "CREATE TABLE parcels (id integer PRIMARY KEY, order_id integer, FOREIGN KEY (order_id) REFERENCES orders (id));\nINSERT INTO parcels VALUES (1, 2)", mend: "DROP TABLE parcels",
		says: []string{`the place "orders"`, "no part of the data map"}, spares: "copy change"},
	{name: "what is to be emptied becomes NOT NULL", stores: "postgres mysql", only: &withoutBirth,
		with: "ALTER TABLE people {ALTER COLUMN born SET NOT NULL|MODIFY born date NOT NULL}", mend: "ALTER TABLE people {ALTER COLUMN born DROP NOT NULL|MODIFY born date NULL}",
		says: []string{`place "profile"`, `column "born"`, "cannot be empty", "let the column be NULL"}},
	{name: "a new row lacks what is NOT NULL", stores: "postgres mysql", only: &shoes,
		with: "DELETE FROM settings WHERE user_id = 17", mend: "ALTER TABLE settings ALTER COLUMN id SET DEFAULT 9",
		says: []string{"constraint", `place "shoes"`, "at ", "id", "must not be empty"}},
}

// TestTablesChange brings each fault about under a running store: what is asked
// then fails visibly, and nothing of it stays; once it is mended it runs,
// without a restart.
func TestTablesChange(t *testing.T) {
	for _, store := range databases {
		for _, f := range faults {
			if !slices.Contains(strings.Fields(f.stores), store) {
				continue
			}
			t.Run(store+"/"+f.name, func(t *testing.T) {
				s := shop(t, store)
				d := s.desk(t, shopMap(t))
				anna := d.find("anna@users.test")
				var jobs []inbox.Job
				for _, k := range asked {
					if f.only == nil {
						jobs = append(jobs, d.job("k-"+k.name, anna, k.r, false))
					}
				}
				s.script(t, s.worded(f.with))
				if f.only != nil {
					jobs = append(jobs, d.job("k-1", d.find("anna@users.test"), *f.only, false))
				}
				for _, job := range jobs {
					if !strings.Contains(f.spares, string(job.Kind)) {
						d.wantFailure(job, f.says...)
					}
				}
				s.script(t, s.worded(f.mend))
				for _, job := range jobs {
					d.perform(job)
				}
			})
		}
	}
}

// worded takes from "{a|b}" what is meant for the store.
func (s *site) worded(text string) string {
	before, rest, ok := strings.Cut(text, "{")
	words, after, _ := strings.Cut(rest, "}")
	if !ok {
		return text
	}
	return before + strings.Split(words, "|")[slices.Index(databases, s.store)] + after
}

// wantFailure wants the job to fail for good, or until the map fits, in these
// words, and to change nothing.
func (d *desk) wantFailure(job inbox.Job, says ...string) {
	d.t.Helper()
	before := d.dump()
	d.sent = nil
	_, err := d.Perform(d.t.Context(), job)
	if _, unfit := errors.AsType[*sqlusers.UnfitError](err); err == nil || inbox.IsTemporary(err) != unfit {
		d.t.Errorf("a %s: %v, want a permanent error, or that the map does not fit", job.Kind, err)
		return
	}
	for _, word := range says {
		if !strings.Contains(err.Error(), word) {
			d.t.Errorf("a %s: the error does not say %q: %v", job.Kind, word, err)
		}
	}
	d.wantNobodyNamed(err)
	if len(d.sent) > 0 {
		d.t.Error("a part of the copy was handed over")
	}
	d.unchanged(before)
}

// wantWait wants the job to be one to try again later.
func (d *desk) wantWait(ctx context.Context, job inbox.Job) {
	d.t.Helper()
	if _, err := d.Perform(ctx, job); !inbox.IsTemporary(err) {
		d.t.Errorf("a %s: %v, want a temporary error", job.Kind, err)
	} else {
		d.wantNobodyNamed(err)
	}
}

func (d *desk) wantNobodyNamed(err error) {
	d.t.Helper()
	if text := strings.ToLower(err.Error()); strings.Contains(text, "anna") || strings.Contains(text, "7701") {
		d.t.Errorf("the error names somebody: %v", err)
	}
}

// eachServer runs a test on the databases that are servers.
func eachServer(t *testing.T, test func(t *testing.T, s *site)) {
	for _, store := range databases[:2] {
		t.Run(store, func(t *testing.T) { test(t, shop(t, store)) })
	}
}

// along gives a desk whose store speaks to the database along a line.
func along(t *testing.T, s *site) (*line, *desk) {
	t.Helper()
	m := shopMap(t)
	d := s.desk(t, m) // makes our table
	l, dsn := lineTo(t, s)
	d.store = s.openAs(t, m, dsn)
	d.Handlers = handlers.New(d.store, m, handlers.Copies{Site: "Push.Guru"}, nil)
	return l, d
}

// TestDown: the database cannot be reached, and then it can.
func TestDown(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		l, d := along(t, s)
		anna := d.find("anna@users.test")
		before := d.dump()
		var jobs []inbox.Job
		for _, k := range asked {
			jobs = append(jobs, d.job("k-"+k.name, anna, k.r, false))
		}
		l.cut(true)
		if _, err := d.Find(t.Context(), "anna@users.test"); !inbox.IsTemporary(err) {
			t.Errorf("Find: %v, want a temporary error", err)
		}
		for _, job := range jobs {
			d.wantWait(t.Context(), job)
		}
		d.unchanged(before)
		l.cut(false)
		for _, job := range jobs {
			d.perform(job)
		}
	})
}

var commit = regexp.MustCompile(`(?i)\bcommit\b`)

// TestSlow: the database does not answer in the middle of an effect, until the
// time that the caller has is over.
func TestSlow(t *testing.T) {
	for _, r := range []struct {
		inbox.Request
		at *regexp.Regexp
	}{{change, regexp.MustCompile("UPDATE ")}, {deleteAccount, regexp.MustCompile("DELETE ")}, {deleteAccount, commit}} {
		eachServer(t, func(t *testing.T, s *site) {
			l, d := along(t, s)
			before := d.dump()
			job := d.job("k-1", d.find("anna@users.test"), r.Request, false)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			l.listen(func(sent []byte) bool {
				over := r.at.Match(sent)
				if over {
					cancel()
				}
				return over
			})
			d.wantWait(ctx, job)
			l.listen(nil)
			l.cut(false)
			if r.at != commit {
				d.unchanged(before)
			}
			d.perform(job) // it waits for what the server has not given up yet
		})
	}
}

// TestLostCommit: the database has carried an effect out, and its answer is
// lost. It may have been done, and is not done twice.
func TestLostCommit(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		l, d := along(t, s)
		add := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpAdd, Value: "2"}}}
		for _, r := range []inbox.Request{add, deleteAccount} {
			job := d.job("k-"+string(r.Kind), d.find("anna@users.test"), r, false)
			l.listen(commit.Match)
			_, err := d.Perform(t.Context(), job)
			if !inbox.IsTemporary(err) || !inbox.InDoubt(err) {
				t.Errorf("a %s: %v, want a temporary error, and a doubt", r.Kind, err)
			}
			l.listen(nil)
			done := d.dump()
			d.perform(job)
			d.unchanged(done)
			if n := len(of("k-"+string(r.Kind), done)); n != 1 {
				t.Errorf("a %s is recorded %d times", r.Kind, n)
			}
		}
	})
}

// TestFileLocked: the site writes into its SQLite file for longer than we wait.
func TestFileLocked(t *testing.T) {
	s := shop(t, "sqlite")
	d := s.desk(t, shopMap(t))
	job := d.job("k-1", d.find("anna@users.test"), deleteAccount, false)
	conn, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, q := range []string{"BEGIN IMMEDIATE", "UPDATE orders SET number = 'anna-3' WHERE id = 2"} {
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	d.wantWait(t.Context(), job)
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if n := d.records(d.find("anna@users.test")); n != 11 {
		t.Errorf("%d records are left, want all 11", n)
	}
	d.perform(job)
}

// TestRefused: the database lets us in and does not let us write. That is for
// the operator, and reading goes on.
func TestRefused(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		d := s.desk(t, shopMap(t))
		anna := d.find("anna@users.test")
		for name, c := range map[string]struct {
			dsn  func(*testing.T) string
			says []string
		}{
			"no right to delete": {s.without, []string{"rights are missing", "grant"}},
			"read-only":          {s.readOnly, []string{"read-only", "primary server"}},
		} {
			t.Run(name, func(t *testing.T) {
				m := shopMap(t)
				d := *d
				d.t, d.store = t, s.openAs(t, m, c.dsn(t))
				d.Handlers = handlers.New(d.store, m, handlers.Copies{}, nil)
				d.perform(d.job("k-1", anna, copied, false))
				d.wantFailure(d.job("k-2", anna, deleteAccount, false), c.says...)
			})
		}
		d.perform(d.job("k-2", anna, deleteAccount, false))
	})
}

// without gives the DSN of somebody who may do anything but delete.
func (s *site) without(t *testing.T) string {
	t.Helper()
	user := "ltd_" + s.real.Name
	if s.store == "mysql" {
		s.asAdmin(t, "CREATE USER "+user+"@'%' IDENTIFIED BY 'pw'", "GRANT SELECT, INSERT, UPDATE ON "+s.real.Name+".* TO "+user+"@'%'")
		t.Cleanup(func() { s.asAdmin(t, "DROP USER "+user+"@'%'") })
	} else {
		s.asAdmin(t, "CREATE ROLE "+user+" LOGIN PASSWORD 'pw'", "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO "+user)
		t.Cleanup(func() { s.asAdmin(t, "DROP OWNED BY "+user, "DROP ROLE "+user) })
	}
	return s.real.As(user, "pw")
}

// readOnly makes what is opened from then on read-only.
func (s *site) readOnly(t *testing.T) string {
	t.Helper()
	if s.store == "mysql" {
		s.asAdmin(t, "SET GLOBAL read_only = 1")
		t.Cleanup(func() { s.asAdmin(t, "SET GLOBAL read_only = 0") })
		return s.real.DSN
	}
	return s.real.DSN + "&default_transaction_read_only=on"
}

func (s *site) asAdmin(t *testing.T, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := s.admin.ExecContext(context.WithoutCancel(t.Context()), q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// TestDeadlock: the site and we wait for each other, and the database gives us
// up. The next try goes through.
func TestDeadlock(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		l, d := along(t, s)
		before := d.dump()
		job := d.job("k-1", d.find("anna@users.test"), deleteAccount, false)
		tx, err := s.admin.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		run := func(statements ...string) {
			for _, q := range statements {
				if _, err := tx.ExecContext(t.Context(), q); err != nil {
					t.Errorf("%s: %v", q, err)
				}
			}
		}
		// The server is to give us up, and not the site: that has written more, or
		// looks later.
		run(map[string]string{"postgres": "SET LOCAL deadlock_timeout = '20s'",
			"mysql": "INSERT INTO invoices SELECT seq + 100, 18, 'boris' FROM seq_1_to_1000"}[s.store])
		run("UPDATE orders SET number = 'anna-3' WHERE id = 2")
		begun := make(chan struct{})
		once := sync.OnceFunc(func() { close(begun) })
		l.listen(func(sent []byte) bool {
			if deletesOrders.Match(sent) {
				once()
			}
			return false
		})
		failed := make(chan error, 1)
		go func() {
			_, err := d.Perform(t.Context(), job)
			failed <- err
		}()
		select {
		case <-begun: // it has anna's row, and waits for the order, or is about to
		case err := <-failed:
			t.Fatalf("Perform: %v, before it came to the order", err)
		}
		run("UPDATE people SET about = 'bees' WHERE id = 17")
		if err := <-failed; !inbox.IsTemporary(err) || !strings.Contains(err.Error(), map[string]string{"postgres": "40P01", "mysql": "1213"}[s.store]) {
			t.Errorf("Perform: %v, want a deadlock, to be tried again", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		d.unchanged(before)
		d.perform(job)
	})
}

var deletesOrders = regexp.MustCompile("DELETE .*orders")

// line is a proxy between the store and its database: a way that can be cut.
type line struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
	heard func(sent []byte) (deaf bool) // looks at what goes to the database; true: nothing comes back any more
	down  bool
	ended sync.WaitGroup
}

var addressOf = regexp.MustCompile(`127\.\d+\.\d+\.\d+:\d+`)

// lineTo gives a line to the site's database, and its DSN.
func lineTo(t *testing.T, s *site) (*line, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &line{Listener: l, to: addressOf.FindString(s.real.DSN)}
	p.ended.Go(p.serve)
	t.Cleanup(func() { p.Close(); p.cut(true); p.ended.Wait() })
	return p, addressOf.ReplaceAllString(s.real.DSN, l.Addr().String())
}

func (p *line) serve() {
	for {
		near, err := p.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			near.Close()
			continue
		}
		if !p.keep(near, far) {
			near.Close()
			far.Close()
			continue
		}
		deaf := make(chan struct{})
		p.ended.Go(func() { p.there(near, far, deaf) })
		p.ended.Go(func() { p.back(near, far, deaf) })
	}
}

// keep remembers the connections of a call, unless the line is down.
func (p *line) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.down {
		p.conns = append(p.conns, conns...)
	}
	return !p.down
}

// there carries what the store says, and ends the call with it.
func (p *line) there(near, far net.Conn, deaf chan struct{}) {
	defer far.Close()
	once := sync.OnceFunc(func() { close(deaf) })
	b := make([]byte, 64<<10)
	for {
		n, err := near.Read(b)
		if n > 0 {
			p.mu.Lock()
			heard := p.heard
			p.mu.Unlock()
			if heard != nil && heard(b[:n]) {
				once()
			}
			if _, err := far.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// back carries what the database answers.
func (p *line) back(near, far net.Conn, deaf chan struct{}) {
	defer near.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := far.Read(b)
		select {
		case <-deaf:
			return // what came is lost, and the call
		default:
		}
		if _, errW := near.Write(b[:n]); err != nil || errW != nil {
			return
		}
	}
}

// cut ends all calls; down: and takes no more.
func (p *line) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns, p.down = nil, down
}

func (p *line) listen(heard func([]byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = heard
}
