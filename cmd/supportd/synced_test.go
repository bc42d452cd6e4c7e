package main_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/inbox/mailtest"
)

// TestNothingIsSaidBeforeItIsOnDisk watches the program's system calls while
// it takes mails in and answers them, one at a time: whenever it acknowledges
// a mail or ends a letter with the final dot, every file that it wrote must be
// synced.
func TestNothingIsSaidBeforeItIsOnDisk(t *testing.T) {
	strace := straceOrSkip(t)
	dir := t.TempDir()
	binary, world := build(t, dir), newWorld(t)
	config := configure(t, dir, world)
	s := &siege{T: t, dir: dir, binary: binary, config: config, world: world}
	wishes := crowd.Wishes()
	file := filepath.Join(dir, "people.jsonl")
	if err := os.WriteFile(file, []byte(crowd.People(len(wishes))), 0o600); err != nil {
		t.Fatal(err)
	}
	s.supportd("users", "import", file)
	world.Send("first@users.test", crowd.Support, "My data", wishes[0].Text, mailtest.Aligned(true))
	s.supportd("run", "--once") // the first contact makes folders and tells the head of the journal
	for n, w := range wishes {
		world.Send(crowd.Address(n), crowd.Support, "My data", w.Text, mailtest.Aligned(w.Aligned))
		for answers := 0; ; answers++ {
			before := len(world.Sent())
			said := s.traced(strace)
			if want := []string{"acknowledges", "final dot"}; !slices.Equal(said, want) {
				t.Errorf("%s, mail %d: it said %q, want %q", crowd.Address(n), answers+1, said, want)
			}
			sent := world.Sent()
			if len(sent) != before+1 {
				t.Fatalf("%s, mail %d: %d letters came of it", crowd.Address(n), answers+1, len(sent)-before)
			}
			if answers == w.Yes {
				break
			}
			world.Reply(sent[before], crowd.Address(n), "Yes", mailtest.Aligned(w.Aligned))
		}
	}
}

func straceOrSkip(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err == nil {
		err = exec.CommandContext(t.Context(), path, "-o", os.DevNull, "true").Run() // a sandbox may forbid it
	}
	if err == nil {
		return path
	}
	why := fmt.Sprintf("strace does not work here (%v): to see that what is said is on disk, install Debian's strace and allow ptrace", err)
	if os.Getenv("SUPPORTD_REAL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// traced runs the program once under strace and gives what it said to its
// servers, after it has checked each.
func (s *siege) traced(strace string) []string {
	s.Helper()
	out := filepath.Join(s.TempDir(), "trace")
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, strace, "-f", "-y", "-s", "48", "-o", out, "-e", "trace=write,writev,pwrite64,fdatasync,fsync,rename,renameat,renameat2",
		s.binary, "run", "--once", "-c", s.config)
	if log, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("%v\n%s", err, log)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		s.Fatal(err)
	}
	said, faults := watch(string(b), filepath.Join(s.dir, "state"))
	for _, f := range faults {
		s.Error(f)
	}
	return said
}

// watcher follows a trace.
type watcher struct {
	dir     string            // the files that count are below it
	now     int               // counts the calls
	written map[string]int    // when each file was last written; a folder, when something was renamed into it
	commits int               // syncs of the state since the program last said something
	begun   map[string]string // calls that have not returned, by thread
	since   map[string]int    // and when they began
	said    []string
	faults  []string
}

var (
	traceCall    = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	traceResumed = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
	traceFile    = regexp.MustCompile(`^\d+<([^>]*)>`)
	traceQuoted  = regexp.MustCompile(`"([^"]*)"`)
)

// watch reads a trace. It gives what the program said to its servers, and what
// was not on disk by then.
func watch(trace, dir string) (said, faults []string) {
	w := &watcher{dir: dir, written: make(map[string]int), begun: make(map[string]string), since: make(map[string]int)}
	for lines := bufio.NewScanner(strings.NewReader(trace)); lines.Scan(); {
		w.now++
		line := lines.Text()
		if m := traceResumed.FindStringSubmatch(line); m != nil {
			w.ends(m[2], w.begun[m[1]], m[3], w.since[m[1]])
			continue
		}
		m := traceCall.FindStringSubmatch(line)
		if m == nil {
			continue // a signal, or the end of a thread
		}
		w.begins(m[2], m[3])
		if args, unfinished := strings.CutSuffix(m[3], "<unfinished ...>"); unfinished {
			w.begun[m[1]], w.since[m[1]] = args, w.now
		} else {
			w.ends(m[2], m[3], m[3], w.now)
		}
	}
	return w.said, w.faults
}

// begins takes what counts from the moment on that it is asked for.
func (w *watcher) begins(call, args string) {
	if call != "write" && call != "writev" && call != "pwrite64" {
		return
	}
	if name := w.file(args); name != "" {
		w.written[name] = w.now
		return
	}
	switch text := traceQuoted.FindString(args); {
	case strings.Contains(text, " UID MOVE "), strings.Contains(text, " UID STORE "):
		w.says("acknowledges")
	case strings.HasSuffix(text, `.\r\n"`) && len(text) <= len(`"\r\n.\r\n"`):
		w.says("final dot")
	}
}

// ends takes what counts when it is done; began is when it was asked for.
func (w *watcher) ends(call, args, result string, began int) {
	if !strings.HasSuffix(result, "= 0") {
		return
	}
	switch call {
	case "fsync", "fdatasync":
		name := w.file(args)
		if w.written[name] <= began {
			delete(w.written, name)
		}
		if filepath.Base(name) == "state.db" {
			w.commits++
		}
	case "rename", "renameat", "renameat2":
		m := traceQuoted.FindAllStringSubmatch(args, 2)
		if len(m) != 2 || !strings.HasPrefix(m[1][1], w.dir) {
			return
		}
		if _, dirty := w.written[m[0][1]]; dirty {
			w.faults = append(w.faults, m[0][1]+" was put in place before it was synced")
		}
		w.written[filepath.Dir(m[1][1])] = w.now
	}
}

// file gives the file that a call is about, or "" when it does not count.
func (w *watcher) file(args string) string {
	m := traceFile.FindStringSubmatch(args)
	if m == nil || !strings.HasPrefix(m[1], w.dir) {
		return ""
	}
	return m[1]
}

func (w *watcher) says(what string) {
	w.said = append(w.said, what)
	if len(w.written) > 0 {
		w.faults = append(w.faults, fmt.Sprintf("%s, and these are not synced: %q", what, slices.Sorted(maps.Keys(w.written))))
	}
	if w.commits == 0 {
		w.faults = append(w.faults, what+", and nothing was committed before it")
	}
	w.commits = 0
}

// TestUnsyncedIsSeen shows that the watcher is no friend of the program.
func TestUnsyncedIsSeen(t *testing.T) {
	const commit = `7 pwrite64(5</s/state.db>, "x", 4096, 0) = 4096
7 fdatasync(5</s/state.db>) = 0
`
	const dot = `7 write(9<socket:[11]>, ".\r\n", 3) = 3
`
	const move = `7 write(9<socket:[11]>, "T9 UID MOVE 4 Processed\r\n", 25) = 25
`
	for _, test := range []struct {
		name, trace string
		said        int
		fault       string // part of the only fault; "": none
	}{
		{"committed", commit + dot, 1, ""},
		{"each after a commit of its own", commit + move + commit + dot, 2, ""},
		{"nothing committed", dot, 1, "nothing was committed"},
		{"one commit for two", commit + move + dot, 2, "nothing was committed"},
		{"a text that ends with a dot", `7 write(9<socket:[11]>, "see below.\r\n", 12) = 12` + "\n", 0, ""},
		{"written again", commit + `7 pwrite64(6</s/keys.db>, "x", 4096, 0) = 4096` + "\n" + dot, 1, "/s/keys.db"},
		{"the sync failed", commit + `7 pwrite64(5</s/state.db>, "x", 1, 0) = 1` + "\n" + `7 fdatasync(5</s/state.db>) = -1 EIO` + "\n" + dot, 1, "/s/state.db"},
		{"the sync has not returned", commit + `7 pwrite64(5</s/state.db>, "x", 1, 0) = 1` + "\n" + `8 fdatasync(5</s/state.db> <unfinished ...>` + "\n" + dot +
			`8 <... fdatasync resumed>) = 0` + "\n", 1, "/s/state.db"},
		{"written during the sync", `8 fdatasync(5</s/state.db> <unfinished ...>` + "\n" + `7 pwrite64(5</s/state.db>, "x", 1, 0) = 1` + "\n" +
			`8 <... fdatasync resumed>) = 0` + "\n" + move, 1, "/s/state.db"},
		{"renamed unsynced", commit + `7 write(6</s/a.new>, "x", 1) = 1` + "\n" + `7 renameat(AT_FDCWD, "/s/a.new", AT_FDCWD, "/s/a") = 0` + "\n" +
			`7 fsync(3</s>) = 0` + "\n" + `7 fsync(6</s/a.new>) = 0` + "\n" + dot, 1, "put in place"},
		{"the folder of a rename is not synced", commit + `7 renameat(AT_FDCWD, "/s/a.new", AT_FDCWD, "/s/a") = 0` + "\n" + dot, 1, `"/s"`},
		{"files elsewhere do not count", commit + `7 write(2</tmp/log>, "x", 1) = 1` + "\n" + dot, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			said, faults := watch(test.trace, "/s")
			ok := len(faults) == 0
			if test.fault != "" {
				ok = len(faults) == 1 && strings.Contains(faults[0], test.fault)
			}
			if len(said) != test.said || !ok {
				t.Errorf("said %q, faults %q", said, faults)
			}
		})
	}
}
