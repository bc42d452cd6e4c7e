package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/state"
)

var (
	kills    = flag.Int("kills", 72, "how often the crash test kills the program; two of three times at a named moment")
	soak     = flag.Duration("soak", 0, "how long the crash test then lets it run among servers that fail at random")
	killSeed = flag.Uint64("killseed", uint64(time.Now().UnixNano()), "the crash test's seed")
)

// patience bounds every wait of these tests.
const patience = time.Minute

// killPoint is a moment at which the program is made to end.
type killPoint struct {
	name    string
	once    bool         // it comes once a start at most
	prepare func(*siege) // makes it come; nil: everyday work does
}

// killPoints lists every moment that the crash test kills the program at: the
// commits, and what happens between them.
func killPoints() []killPoint {
	var out []killPoint
	both := func(k killPoint) {
		before, after := k, k
		before.name, after.name = "before "+k.name, "after "+k.name
		out = append(out, before, after)
	}
	for _, commit := range []string{"intake", "filed", "claim", "outcome", "send", "sent"} {
		both(killPoint{name: "commit " + commit})
	}
	both(killPoint{name: "commit folder", once: true, prepare: (*siege).renumber})
	both(killPoint{name: "commit recover", once: true})
	both(killPoint{name: "commit anchor", once: true})
	both(killPoint{name: "commit erase", once: true, prepare: (*siege).deleteSomebody})
	both(killPoint{name: "ack"})
	both(killPoint{name: "effect"})
	return append(out, killPoint{name: "smtp before dot"}, killPoint{name: "smtp after dot"})
}

// notKilledAt are the commits that no mail leads to.
var notKilledAt = map[string]string{
	"outage":       "what fails for minutes at least",
	"suspects":     "no mail of the crowd ends a connection",
	"forget":       "what is kept an hour at least is not forgotten in a test's time",
	"erase mails":  "no mailbox has erase: the mails that were filed are counted at the end",
	"erased mails": "the same",
	"sweep":        "records are kept thirty days at least",
	"drop journal": "the same",
	"forget refs":  "the same",
	"expunged":     "the mails that were filed are counted at the end",
	"hold all":     "an older copy of the state", "deletes repeated": "the same",
	"forget deletes": "what is kept a day at least is not forgotten in a test's time",
	"alarm":          "nothing is due soon in a test's time",
	"deadlines":      "another profile, or a state from before there were any",
	"reapply":        "the administrator", "reapply ended": "the administrator",
	"enter": "staff", "letter": "staff", "drop letters": "staff", "save answer": "staff", "drop answer": "staff",
	"staff add": "the administrator", "staff role": "the administrator", "staff disable": "the administrator", "staff enable": "the administrator",
	"staff reset": "the administrator", "staff link": "the administrator", "staff language": "staff", "staff seen": "staff", "sign in": "staff",
	"sign-ins refused": "staff", "sign out": "staff", "sign out elsewhere": "staff", "staff browser": "staff", "link used": "staff", "password set": "staff",
	"release": "staff", "pause": "staff", "resume": "staff", "replay": "staff", "probe": "the administrator",
}

// TestKillPointsAreKnown compares the list with the commits in the source, so
// that a new one is not forgotten.
func TestKillPointsAreKnown(t *testing.T) {
	commit := regexp.MustCompile(`\.Update\([^"\n]*"([^"]+)", func\(tx \*state\.Tx\)|\.Update\(ctx, "(hold all)"`)
	known := make(map[string]bool)
	for _, k := range killPoints() {
		known[k.name] = true
	}
	found := 0
	for _, dir := range []string{"../../inbox", "../internal/daemon"} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range commit.FindAllSubmatch(b, -1) {
				name := string(m[1]) + string(m[2])
				found++
				if _, excused := notKilledAt[name]; !excused && !(known["before commit "+name] && known["after commit "+name]) {
					t.Errorf("%s commits %q, where nothing kills the program", path, name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < len(notKilledAt) {
		t.Errorf("only %d commits were found in the source", found)
	}
}

// siege is a program that is killed again and again, and its world.
type siege struct {
	*testing.T
	world   *mailtest.World
	crowd   *crowd.Crowd
	rand    *rand.Rand
	dice    *rand.Rand // of what happens beside
	dir     string
	binary  string
	config  string
	epoch   uint32                  // UIDVALIDITY of the INBOX
	doubt   map[inbox.ReplyID][]int // the runs at whose end the state had a letter on its way
	kills   map[int]string          // what ended a run
	doubled map[string]int          // letters that came twice, by what ended the first run
	running *process
}

// TestCrashes kills the program at every named moment and at random ones,
// while many people write and answer. In the end each mail is accounted for
// once, each request was carried out once, and each letter came once. The one
// exception is a letter that the server had accepted and the program had not
// noted when it was killed: nobody can know, so it comes again, the same to
// the byte.
func TestCrashes(t *testing.T) {
	s := besiege(t)
	s.crowd.Join(30)
	points, killed := killPoints(), 0
	for round := range max(*kills/len(points)*2/3, 1) {
		for _, k := range points {
			n := 1 + 2*(round%2) // the first time, and a later one
			if k.once {
				n = 1
			}
			if k.prepare != nil {
				k.prepare(s)
			}
			s.killAt(k.name, n)
			killed++
		}
	}
	for ; killed < *kills; killed++ {
		s.killAnywhere()
	}
	if *soak > 0 {
		s.soak(*soak)
	}
	s.settle()
	s.Logf("killed %d times", killed)
	s.check()
	s.supportd("journal", "verify")
}

// anchor is the address that gets the head of the journal.
const anchor = "anchor@office.test"

// besiege builds the program, makes its world, and brings the people.
func besiege(t *testing.T) *siege {
	t.Helper()
	s := besieged(t)
	s.rand, s.dice = rand.New(rand.NewPCG(*killSeed, 0)), rand.New(rand.NewPCG(*killSeed, 1))
	t.Logf("-killseed=%d", *killSeed)
	file := filepath.Join(s.dir, "people.jsonl")
	if err := os.WriteFile(file, []byte(crowd.People(s.population())), 0o600); err != nil {
		t.Fatal(err)
	}
	s.supportd("users", "import", file)
	return s
}

func build(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "supportd")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "killpoints", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return binary
}

func newWorld(t *testing.T) *mailtest.World {
	t.Helper()
	w, err := mailtest.New(mailtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.AddUser(crowd.Support, "secret"); err != nil {
		t.Fatal(err)
	}
	return w
}

// configure writes an ordinary configuration, with a short cool-off and
// without a brake. The poll is short: where everybody waits for a delete, no new
// mail makes the program look, and none may start before the mailbox was read.
func configure(t *testing.T, dir string, w *mailtest.World) string {
	t.Helper()
	text := fmt.Sprintf(`state_dir = "state"
[site]
name = "Site"
account_url = "https://site.test/account"
[staff]
notify = ["staff@office.test"]
[[mailbox]]
name = "support"
address = %q
imap = "imap+insecure://%s"
password_file = "pass"
first_run = "all"
poll = "1s"
[smtp]
server = "smtp+insecure://%s"
[proof]
trusted_authserv_ids = ["mx.site.test"]
dkim = false
[policy.limits]
effects_per_hour = 100000
[policy.delete_account]
cool_off = "1s"
[journal]
anchor = %q
[console]
listen = ""
`, crowd.Support, w.IMAPAddr(), w.SMTPAddr(), anchor)
	file := filepath.Join(dir, "site.toml")
	err := errors.Join(os.WriteFile(filepath.Join(dir, "pass"), []byte("secret\n"), 0o600), os.WriteFile(file, []byte(text), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// supportd runs a command to its end and gives its output.
func (s *siege) supportd(args ...string) []byte {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	args = append(args, "-c", s.config)
	cmd := exec.CommandContext(ctx, s.binary, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.Fatalf("supportd %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out
}

// process is a running daemon.
type process struct {
	cmd  *exec.Cmd
	log  *transcript
	done chan struct{}
}

// start runs the daemon; it ends itself at the kill point ("": none).
func (s *siege) start(kill string) *process {
	s.Helper()
	p := &process{cmd: exec.Command(s.binary, "run", "-c", s.config), log: newTranscript(), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "SUPPORTD_KILL="+kill)
	p.cmd.Stderr = p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.running = p
	s.crowd.Begins()
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.done)
	}()
	return p
}

// end sends a signal and waits until the process is gone.
func (p *process) end(sig syscall.Signal) {
	_ = p.cmd.Process.Signal(sig) // one that has ended needs none
	<-p.done
}

// signal gives what ended the process; -1 when it ended by itself.
func (p *process) signal() syscall.Signal {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return -1
	}
	return status.Signal()
}

// killAt runs the daemon until it comes to a kill point for the n-th time.
func (s *siege) killAt(name string, n int) {
	s.Helper()
	p := s.start(fmt.Sprintf("%s#%d", name, n))
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
		p.end(syscall.SIGKILL)
		s.Fatalf("%q did not come %d times within %v\n%s", name, n, patience, tail(p.log.String()))
	}
	if p.signal() != syscall.SIGKILL {
		s.Fatalf("waiting for %q, the daemon ended with %v\n%s", name, p.cmd.ProcessState, tail(p.log.String()))
	}
	s.onTheirWay(name)
}

// killAnywhere kills the daemon a random moment after a random number of
// things that its servers saw.
func (s *siege) killAnywhere() {
	s.Helper()
	p := s.start("")
	moves, at := s.rand.IntN(25), 0
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	begun := false
	err := s.crowd.Until(ctx, func() bool {
		if !begun {
			begun, at = true, s.crowd.Moves
		}
		return s.crowd.Moves >= at+moves
	})
	if err != nil {
		p.end(syscall.SIGKILL)
		s.Fatalf("%v\n%s", err, tail(p.log.String()))
	}
	moment := time.NewTimer(time.Duration(s.rand.Int64N(int64(20 * time.Millisecond))))
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-p.done:
		s.Fatalf("the daemon ended by itself\n%s", tail(p.log.String()))
	}
	p.end(syscall.SIGKILL)
	s.onTheirWay("a random moment")
}

// stop ends the daemon as a service manager does; it must end well.
func (s *siege) stop() {
	s.Helper()
	s.running.end(syscall.SIGTERM)
	if state := s.running.cmd.ProcessState; !state.Success() {
		s.Fatalf("the daemon was asked to stop and ended with %v\n%s", state, tail(s.running.log.String()))
	}
}

// renumber gives the INBOX another UIDVALIDITY, once the daemon knows one.
func (s *siege) renumber() {
	s.Helper()
	s.epoch++
	if err := s.world.SetUIDValidity(crowd.Support, "INBOX", 1000+s.epoch); err != nil {
		s.Fatal(err)
	}
}

// deleteSomebody lets the daemon run until one more account is deleted.
func (s *siege) deleteSomebody() {
	s.Helper()
	leaving := func(w crowd.Wish) bool { return w.Text == crowd.ToLeave.Text }
	s.start("")
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	want := -1
	err := s.crowd.Until(ctx, func() bool {
		if want < 0 {
			want = s.crowd.Done(leaving) + 1
		}
		return s.crowd.Done(leaving) >= want
	})
	s.stop()
	if err != nil {
		s.Fatalf("%v\n%s", err, tail(s.running.log.String()))
	}
}

// inState opens the state of a daemon that has ended.
func (s *siege) inState(f func(*state.Tx) error) {
	s.Helper()
	s.inDB(func(db *state.DB) error { return db.View(f) })
}

func (s *siege) inDB(f func(*state.DB) error) {
	s.Helper()
	db, err := state.Open(state.Config{Dir: filepath.Join(s.dir, "state")})
	if err == nil {
		err = errors.Join(f(db), db.Close())
	}
	if err != nil {
		s.Fatal(err)
	}
}

// onTheirWay notes which letters the killed daemon was sending, as far as its
// state knows: these, and no others, may come again.
func (s *siege) onTheirWay(kill string) {
	s.Helper()
	s.kills[s.crowd.Run] = kill
	s.inState(func(tx *state.Tx) error {
		for _, id := range tx.DueReplies(1 << 20) {
			r, err := tx.Reply(id)
			if err != nil {
				return err
			}
			if r.State == inbox.ReplySending {
				s.doubt[id] = append(s.doubt[id], s.crowd.Run)
			}
		}
		return nil
	})
}

// settle lets everybody come to their end and the daemon finish its work.
func (s *siege) settle() {
	s.Helper()
	s.crowd.Last()
	if s.crowd.Finished() < s.crowd.Written { // after a soak nobody waits any more
		s.start("")
		ctx, cancel := context.WithTimeout(s.Context(), 2*patience)
		defer cancel()
		err := s.crowd.Until(ctx, func() bool { return s.crowd.Done(nil) == s.crowd.Written })
		s.stop()
		if err != nil {
			s.Fatalf("%v\n%s", err, tail(s.running.log.String()))
		}
	}
	s.supportd("run", "--once")
	s.Logf("%d people wrote and got %d letters", s.crowd.Written, len(s.world.Sent()))
}

// check holds everything against what the people wished.
func (s *siege) check() {
	s.Helper()
	s.Logf("%s", bytes.TrimSpace(s.supportd("reconcile")))
	stored := make(map[string]users.Person)
	for _, p := range eachLine[exported](s, s.supportd("users", "export")) {
		stored[p.ID] = users.Person{ID: p.ID, Fields: map[inbox.Field]string{inbox.FieldAbout: p.About, inbox.FieldPhone: p.Phone, inbox.FieldLocation: p.Location}}
	}
	person := func(id string) (users.Person, error) {
		if p, ok := stored[id]; ok {
			return p, nil
		}
		return users.Person{}, users.ErrNotFound
	}
	if !slices.ContainsFunc(s.world.Sent(), func(d mailtest.Delivery) bool { return d.To == anchor }) {
		s.Errorf("%s got nothing", anchor)
	}
	s.inDB(func(db *state.DB) error {
		faults, _ := s.crowd.Check(crowd.Books{State: db, Person: person, Filed: "Processed", Again: s.again(), Others: []string{anchor}})
		for _, f := range faults {
			s.Error(f)
		}
		return nil
	})
	for _, kill := range slices.Sorted(maps.Keys(s.doubled)) {
		s.Logf("%3d letters came again, sent but not yet noted: %s", s.doubled[kill], kill)
	}
}

// exported is what these tests read of a person in an export.
type exported struct{ ID, About, Phone, Location string }

// again tolerates a second copy of a letter when the run that had sent the
// first was killed before the state knew, or when a try had no answer.
func (s *siege) again() func(r *inbox.Reply, before, next crowd.Coming) string {
	return func(r *inbox.Reply, before, next crowd.Coming) string {
		for _, t := range r.Attempts {
			if t.Result == "unknown" {
				s.doubled["a try without an answer"]++
				return ""
			}
		}
		if next.Run == before.Run || !slices.Contains(s.doubt[r.ID], before.Run) {
			return fmt.Sprintf("in run %d, after run %d, which ended at %q and had noted it", next.Run, before.Run, s.kills[before.Run])
		}
		s.doubled[s.kills[before.Run]]++
		return ""
	}
}

// eachLine reads JSON lines.
func eachLine[T any](s *siege, b []byte) (out []T) {
	s.Helper()
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			s.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// tail gives the end of a log.
func tail(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
