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

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
)

var (
	soak     = flag.Int("soak", 1, "how many times as often the crash test kills the program")
	killSeed = flag.Uint64("killseed", uint64(time.Now().UnixNano()), "the crash test's seed")
)

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
	"outage":         "what fails for minutes at least",
	"forget":         "what is kept an hour at least is not forgotten in a test's time",
	"expunged":       "the mails that were filed are counted at the end",
	"hold all":       "an older copy of the state",
	"forget deletes": "what is kept a day at least is not forgotten in a test's time",
	"alarm":          "nothing is due soon in a test's time",
	"deadlines":      "another profile, or a state from before there were any",
	"reapply":        "the administrator", "reapply ended": "the administrator",
	"enter": "staff", "save answer": "staff", "drop answer": "staff",
	"staff add": "the administrator", "staff role": "the administrator", "staff disable": "the administrator", "staff enable": "the administrator",
	"staff reset": "the administrator", "staff link": "the administrator", "staff language": "staff", "staff seen": "staff", "sign in": "staff",
	"sign-ins refused": "staff", "sign out": "staff", "link used": "staff", "password set": "staff",
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
	crowd   *crowd
	rand    *rand.Rand
	dir     string
	binary  string
	config  string
	epoch   uint32           // UIDVALIDITY of the INBOX
	doubt   map[string][]int // by Message-ID: the runs at whose end the state had a letter on its way
	kills   map[int]string   // what ended a run
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
	s.crowd.join(30)
	for round := range 2 * *soak {
		for _, k := range killPoints() {
			n := 1 + 2*(round%2) // the first time, and a later one
			if k.once {
				n = 1
			}
			if k.prepare != nil {
				k.prepare(s)
			}
			s.killAt(k.name, n)
		}
	}
	for range 20 * *soak {
		s.killAnywhere()
	}
	s.settle()
	s.checkMails()
	s.checkActions()
	s.checkPeople()
	s.checkLetters()
	s.supportd("journal", "verify")
}

// anchor is the address that gets the head of the journal.
const anchor = "anchor@office.test"

// besiege builds the program, makes its world, and brings the people.
func besiege(t *testing.T) *siege {
	t.Helper()
	s := &siege{T: t, dir: t.TempDir(), doubt: make(map[string][]int), kills: make(map[int]string), rand: rand.New(rand.NewPCG(*killSeed, 0))}
	t.Logf("-killseed=%d", *killSeed)
	s.binary = build(t, s.dir)
	s.world = newWorld(t)
	s.config = configure(t, s.dir, s.world)
	s.crowd = newCrowd(s.world)
	file := filepath.Join(s.dir, "people.jsonl")
	if err := os.WriteFile(file, []byte(people(2000**soak)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.supportd("users", "import", file)
	t.Cleanup(func() {
		if s.running != nil {
			s.running.end(syscall.SIGKILL)
		}
	})
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
	if err := w.AddUser(support, "secret"); err != nil {
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
`, support, w.IMAPAddr(), w.SMTPAddr(), anchor)
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
	log  bytes.Buffer // readable after it has ended
	done chan struct{}
}

// start runs the daemon; it ends itself at the kill point ("": none).
func (s *siege) start(kill string) *process {
	s.Helper()
	p := &process{cmd: exec.Command(s.binary, "run", "-c", s.config), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "SUPPORTD_KILL="+kill)
	p.cmd.Stderr = &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.running = p
	s.crowd.begins()
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
	err := s.crowd.until(ctx, func() bool {
		if !begun {
			begun, at = true, s.crowd.moves
		}
		return s.crowd.moves >= at+moves
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
	if err := s.world.SetUIDValidity(support, "INBOX", 1000+s.epoch); err != nil {
		s.Fatal(err)
	}
}

// deleteSomebody lets the daemon run until one more account is deleted.
func (s *siege) deleteSomebody() {
	s.Helper()
	const leaving = 4 // the wish to have the account deleted
	s.start("")
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	want := -1
	err := s.crowd.until(ctx, func() bool {
		if want < 0 {
			want = s.crowd.done(leaving) + 1
		}
		return s.crowd.done(leaving) >= want
	})
	s.stop()
	if err != nil {
		s.Fatalf("%v\n%s", err, tail(s.running.log.String()))
	}
}

// inState opens the state of a daemon that has ended.
func (s *siege) inState(f func(*state.Tx) error) {
	s.Helper()
	db, err := state.Open(state.Config{Dir: filepath.Join(s.dir, "state")})
	if err == nil {
		err = errors.Join(db.View(f), db.Close())
	}
	if err != nil {
		s.Fatal(err)
	}
}

// onTheirWay notes which letters the killed daemon was sending, as far as its
// state knows: these, and no others, may come again.
func (s *siege) onTheirWay(kill string) {
	s.Helper()
	s.kills[s.crowd.run] = kill
	s.inState(func(tx *state.Tx) error {
		for _, id := range tx.DueReplies(1 << 20) {
			r, err := tx.Reply(id)
			if err != nil {
				return err
			}
			if r.State == inbox.ReplySending {
				s.doubt[r.Detail.MessageID] = append(s.doubt[r.Detail.MessageID], s.crowd.run)
			}
		}
		return nil
	})
}

// settle lets everybody come to their end and the daemon finish its work.
func (s *siege) settle() {
	s.Helper()
	s.crowd.last()
	s.start("")
	ctx, cancel := context.WithTimeout(s.Context(), 2*patience)
	defer cancel()
	err := s.crowd.until(ctx, func() bool { return len(s.crowd.finished) == s.crowd.written })
	s.stop()
	if err != nil {
		s.Fatalf("%v\n%s", err, tail(s.running.log.String()))
	}
	s.supportd("run", "--once")
	s.Logf("%d people wrote %d mails and got %d letters", s.crowd.written, len(s.crowd.mails), len(s.crowd.copies))
}

// checkMails finds every mail filed once and accounted for once.
func (s *siege) checkMails() {
	s.Helper()
	s.Logf("%s", bytes.TrimSpace(s.supportd("reconcile")))
	if left := s.world.Folder(support, "INBOX"); len(left) > 0 {
		s.Errorf("%d mails are still in the INBOX", len(left))
	}
	var filed []string
	for _, m := range s.world.Folder(support, "Processed") {
		filed = append(filed, mailtest.Delivery{Bytes: m.Bytes}.MessageID())
	}
	wrote := slices.Sorted(slices.Values(s.crowd.mails))
	if slices.Sort(filed); !slices.Equal(filed, wrote) {
		s.Errorf("people wrote %d mails, %d are filed, or not the same ones", len(wrote), len(filed))
	}
	views := eachLine[review.MailView](s, s.supportd("mails", "list", "--json"))
	if len(views) != len(wrote) {
		s.Errorf("%d records account for %d mails", len(views), len(wrote))
	}
	refs := make(map[[2]uint32]inbox.MailID)
	for _, v := range views {
		ref := [2]uint32{v.UIDValidity, v.UID}
		if other, twice := refs[ref]; twice {
			s.Errorf("%s and %s account for the same mail", v.ID, other)
		}
		refs[ref] = v.ID
		if !slices.Contains([]inbox.MailState{inbox.MailActed, inbox.MailAsked, inbox.MailAnswered}, v.State) {
			s.Errorf("%s is %s: %s", v.ID, v.State, v.Reason)
		}
	}
}

// checkActions finds one Action for each wish, carried out once.
func (s *siege) checkActions() {
	s.Helper()
	want, got := make(map[inbox.Kind]int), make(map[inbox.Kind]int)
	for n := range s.crowd.written {
		want[wishOf(n).kind]++
	}
	s.inState(func(tx *state.Tx) error {
		return tx.ActionsIn("", func(a *inbox.Action) bool {
			got[a.Kind]++
			done := 0
			for _, h := range a.History {
				if h.What == string(inbox.EventDone) {
					done++
				}
			}
			if a.State != inbox.StateDone || done != 1 {
				s.Errorf("%s is %s and was done %d times: %s", a.ID, a.State, done, a.Error)
			}
			return true
		})
	})
	for kind, n := range want {
		if got[kind] != n {
			s.Errorf("%d people wished a %s, there are %d actions", n, kind, got[kind])
		}
	}
}

// checkPeople finds in the user store what the wishes come to, no more.
func (s *siege) checkPeople() {
	s.Helper()
	type person struct{ ID, About, Phone, Location string }
	stored := make(map[string]person)
	for _, p := range eachLine[person](s, s.supportd("users", "export")) {
		stored[p.ID] = p
	}
	for n := range s.crowd.written {
		id := fmt.Sprintf("u-%d", n)
		want := person{ID: id, About: "Hello.", Phone: fmt.Sprintf("+7701%07d", n), Location: "Almaty"}
		got := stored[id]
		switch n % len(wishes) {
		case 0:
			if c := strings.Count(got.About, "I also teach pottery"); c != 1 {
				s.Errorf("%s: %d times added: %q", id, c, got.About)
			}
			want.About = got.About
		case 1:
			want.Phone = ""
		case 2:
			want.Location = "Astana"
		case 4:
			want = person{}
		}
		if got != want {
			s.Errorf("%s is %+v, want %+v", id, got, want)
		}
	}
}

// checkLetters finds that everybody got their letters in order, each once.
func (s *siege) checkLetters() {
	s.Helper()
	names := s.letterNames()
	for n := range s.crowd.written {
		var got []string
		for _, id := range s.crowd.got[addressOf(n)] {
			got = append(got, names[id])
		}
		if want := wishOf(n).letters; !slices.Equal(got, want) {
			s.Errorf("%s got %q, want %q", addressOf(n), got, want)
		}
		delete(s.crowd.got, addressOf(n))
	}
	if len(s.crowd.got[anchor]) == 0 {
		s.Errorf("%s got nothing", anchor)
	}
	delete(s.crowd.got, anchor)
	for addr, letters := range s.crowd.got {
		s.Errorf("%s got %d letters and had written nothing", addr, len(letters))
	}
	s.checkCopies()
}

func (s *siege) letterNames() map[string]string {
	s.Helper()
	names := make(map[string]string)
	s.inState(func(tx *state.Tx) error {
		for id := range s.crowd.copies {
			r, err := tx.ReplyByMessageID(id)
			if err != nil {
				return err
			}
			if r == nil {
				return fmt.Errorf("nobody queued the letter %s that came", id)
			}
			names[id] = r.Name
		}
		return nil
	})
	return names
}

// checkCopies tolerates a second copy of a letter only when the run that had
// sent the first was killed before the state knew, and counts these.
func (s *siege) checkCopies() {
	s.Helper()
	doubled := make(map[string]int)
	for id, copies := range s.crowd.copies {
		for i, next := range copies[1:] {
			before := copies[i]
			if next.bytes != before.bytes {
				s.Errorf("the copies of %s differ", id)
			}
			if next.run == before.run || !slices.Contains(s.doubt[id], before.run) {
				s.Errorf("%s came again in run %d, after run %d, which ended at %q and had noted it", id, next.run, before.run, s.kills[before.run])
			}
			doubled[s.kills[before.run]]++
		}
	}
	for _, kill := range slices.Sorted(maps.Keys(doubled)) {
		s.Logf("%3d letters came again, sent but not yet noted when the daemon was killed: %s", doubled[kill], kill)
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
