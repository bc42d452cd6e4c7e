package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"supportd": main})
}

// TestScripts runs the program as its users do: each script is a session of
// commands. Beside those of testscript a script has:
//
//	exits CODE PROGRAM ARGS...   run a program; it ends with that very exit code
//	nobody CODE PROGRAM ARGS...  the same as another user, who may enter the folder of the script (root only)
//	world [FILE]                 start a mail world and write site.toml for it, FILE appended
//	mail ADDR SUBJECT FILE       ADDR writes to the site; the border vouches for the domain
//	forged ADDR SUBJECT FILE     the same, and the border does not
//	reply ADDR FILE              ADDR answers the last letter that they got
//	letters ADDR N FILE          wait for the N-th letter to ADDR and put it into FILE
//	border WORD...               the border strips forged results, is silent on submitted mail, has no plus-addresses (no-plus)
//	fails STAGE                  the mail world refuses at that stage; no STAGE: nowhere
//	daemon                       start "supportd run -c site.toml"; it is ready when the command ends
//	stop                         end it; it must end well
//	replace FILE OLD NEW         put NEW for every OLD in a file of any kind
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ME", control.Caller())
			env.Setenv("TZ", "UTC")
			env.Setenv("NL", "\n") // what a script cannot write
			env.Setenv("ESC", "\x1b")
			env.Setenv("CSI", "\u009b")
			env.Setenv("RLO", "\u202e")
			env.Values[siteKey{}] = &site{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":   exits,
			"sql":     execSQL,
			"nobody":  nobody,
			"world":   on((*site).start),
			"mail":    on((*site).mail),
			"forged":  on((*site).forged),
			"reply":   on((*site).reply),
			"letters": on((*site).letters),
			"border":  on((*site).border),
			"fails":   on((*site).fails),
			"daemon":  on((*site).daemon),
			"stop":    on((*site).stop),
			"replace": replace,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

const (
	support  = "support@site.test"
	patience = time.Minute // for a letter that never comes; a test that passes does not wait
)

// site is the mail world of one script and the daemon that serves it.
type site struct {
	world *mailtest.World
	got   map[string]mailtest.Delivery // the last letter that a script has seen, by address
	end   context.CancelFunc           // of the daemon; nil when none runs
	ended chan int
	log   *watched
}

type siteKey struct{}

// on makes a command of a script from what a site does.
func on(f func(s *site, ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command takes no !")
		}
		ts.Check(f(ts.Value(siteKey{}).(*site), ts, args))
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func nobody(ts *testscript.TestScript, neg bool, args []string) {
	program, _, _ := strings.Cut(ts.Getenv("PATH"), string(os.PathListSeparator))
	for _, dir := range []string{program, ts.Getenv("WORK")} {
		for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			ts.Check(os.Chmod(dir, 0o755))
		}
	}
	code, rest := args[:1], args[1:]
	exits(ts, neg, slices.Concat(code, []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, rest))
}

func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(b, []byte(args[1]), []byte(args[2])), 0o600))
}

func (s *site) start(ts *testscript.TestScript, args []string) (err error) {
	if s.world, err = mailtest.New(mailtest.Options{RequireAuth: true}); err != nil {
		return err
	}
	ts.Defer(func() {
		if err := s.world.Close(); err != nil {
			ts.Logf("ending the mail world: %v", err)
		}
	})
	if err := s.world.AddUser(support, "secret"); err != nil {
		return err
	}
	s.got = make(map[string]mailtest.Delivery)
	ts.Setenv("IMAP", s.world.IMAPAddr())
	ts.Setenv("SMTP", s.world.SMTPAddr())
	text := fmt.Sprintf(`state_dir = "state"
[site]
name = "Site"
account_url = "https://site.test/account"
[staff]
notify = ["staff@office.test"]
approvers = [%q]
[[mailbox]]
name = "support"
address = %q
imap = "imap+insecure://%s"
password_file = "pass"
first_run = "all"
[smtp]
server = "smtp+insecure://%s"
username = %q
password_file = "pass"
[proof]
trusted_authserv_ids = ["mx.site.test"]
dkim = false
[console]
listen = "127.0.0.1:0"
`, control.Caller(), support, s.world.IMAPAddr(), s.world.SMTPAddr(), support)
	if len(args) > 0 {
		text += ts.ReadFile(args[0])
	}
	if !strings.Contains(text, "[deadlines]") { // the scripts run at any time: its calendar has no end
		text += "[deadlines]\nprofile = \"gdpr\"\n"
	}
	if err := os.WriteFile(ts.MkAbs("pass"), []byte("secret\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(ts.MkAbs("site.toml"), []byte(text), 0o600)
}

// execSQL runs the statements of a file in a SQLite database: sql DATABASE FILE.
func execSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql DATABASE FILE")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(ts.ReadFile(args[1]))
	ts.Check(err)
}

func (s *site) mail(ts *testscript.TestScript, args []string) error {
	return s.write(ts, args, true)
}

func (s *site) forged(ts *testscript.TestScript, args []string) error {
	return s.write(ts, args, false)
}

func (s *site) write(ts *testscript.TestScript, args []string, aligned bool) error {
	if len(args) != 3 {
		return errors.New("usage: mail ADDR SUBJECT FILE")
	}
	raw, err := mailtest.Compose(args[0], support, args[1], ts.ReadFile(args[2]))
	if err != nil {
		return err
	}
	return s.world.Deliver(support, raw, mailtest.Aligned(aligned))
}

func (s *site) reply(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: reply ADDR FILE")
	}
	last, ok := s.got[args[0]]
	if !ok {
		return fmt.Errorf("the script has seen no letter to %s", args[0])
	}
	s.world.Reply(last, args[0], ts.ReadFile(args[1]))
	return nil
}

func (s *site) letters(ts *testscript.TestScript, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: letters ADDR N FILE")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for total := n; ; {
		all, err := s.world.WaitSent(ctx, total)
		to := slices.DeleteFunc(slices.Clone(all), func(d mailtest.Delivery) bool { return d.To != args[0] })
		if len(to) >= n {
			s.got[args[0]] = to[n-1]
			return os.WriteFile(ts.MkAbs(args[2]), []byte("Subject: "+to[n-1].Subject()+"\n\n"+to[n-1].Text()), 0o600)
		}
		if err != nil {
			return err
		}
		total = len(all) + 1
	}
}

func (s *site) border(_ *testscript.TestScript, args []string) error {
	var b mailtest.Border
	for _, word := range args {
		switch word {
		case "strips":
			b.Strips = true
		case "silent":
			b.Silent = true
		case "no-plus":
			b.Refuses = func(d mailtest.Delivery) *mailtest.Refusal {
				if !strings.Contains(d.To, "+") {
					return nil
				}
				return &mailtest.Refusal{Code: 550, Text: "5.1.1 nobody has that address"}
			}
		default:
			return fmt.Errorf("a border is not %q", word)
		}
	}
	s.world.SetBorder(b)
	return nil
}

func (s *site) fails(_ *testscript.TestScript, args []string) error {
	s.world.SetFail(func(stage, _ string, _ int) error {
		if slices.Contains(args, stage) {
			return mailtest.Refuse(550, "5.0.0 the script says no")
		}
		return nil
	})
	return nil
}

// daemon runs the program in this process: it is the one that scripts then
// talk to over its socket.
func (s *site) daemon(ts *testscript.TestScript, _ []string) error {
	ctx, cancel := context.WithCancel(context.Background())
	s.log, s.ended, s.end = newWatched("daemon: running"), make(chan int, 1), cancel
	go func() {
		s.ended <- Run(ctx, []string{"run", "-c", ts.MkAbs("site.toml")}, strings.NewReader(""), io.Discard, s.log)
	}()
	ts.Defer(func() {
		if s.end != nil {
			s.end()
			<-s.ended
		}
	})
	select {
	case <-s.log.seen:
		return nil
	case code := <-s.ended:
		s.end = nil
		return fmt.Errorf("the daemon ended with code %d:\n%s", code, s.log)
	}
}

func (s *site) stop(*testscript.TestScript, []string) error {
	if s.end == nil {
		return errors.New("no daemon runs")
	}
	s.end()
	s.end = nil
	if code := <-s.ended; code != exitDone {
		return fmt.Errorf("the daemon ended with code %d:\n%s", code, s.log)
	}
	return nil
}

// watched keeps what is written to it and tells when a text was.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	once sync.Once
	seen chan struct{}
}

func newWatched(text string) *watched {
	return &watched{text: text, seen: make(chan struct{})}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(p)
	if strings.Contains(w.buf.String(), w.text) {
		w.once.Do(func() { close(w.seen) })
	}
	return n, err
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// TestScriptsNameEveryCommand holds the scripts against the command line: a
// command or verb that no script runs is not tested.
func TestScriptsNameEveryCommand(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts: ", err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(commandPaths(t))) {
		parent, verb, nested := strings.Cut(name, " ")
		want := "supportd " + parent
		if nested {
			want += " -c site.toml " + verb
		}
		if !strings.Contains(all.String(), want) {
			t.Errorf("no script runs %q", want)
		}
	}
}

// commandPaths gives the help of every command by its words: "actions hold".
func commandPaths(t *testing.T) map[string]string {
	t.Helper()
	var c cli
	parser, err := newParser(&c, io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, leaf := range parser.Model.Leaves(true) {
		words := []string{leaf.Name}
		for p := leaf.Parent; p != nil && p.Type != 0; p = p.Parent {
			words = append([]string{p.Name}, words...)
		}
		out[strings.Join(words, " ")] = leaf.Help
	}
	return out
}
