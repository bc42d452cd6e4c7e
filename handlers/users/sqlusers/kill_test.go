package sqlusers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
)

// How often the child is killed: between the site's commit and its own, and at
// any moment.
const (
	gapKills = 100
	kills    = gapKills + 33
)

// task is what the child is told, and its own state: as the daemon does, it
// commits what it is about to do, does it, and commits that it is done.
type task struct {
	Store, DSN string
	Next       int    // the effect that comes next
	Old        string // what its plan was made from; valid when Begun
	Begun      bool
	Again      int // effects that had been done before, by the store's own record
}

// childTask names the file with the task in a child's environment.
const childTask = "SQLUSERS_CHILD_TASK"

func childPlaces() []datamap.Place {
	return []datamap.Place{account("people", "id", datamap.Column{Field: inbox.FieldAbout, Type: datamap.TypeLines}),
		related("visits", "user_id", "profile", "id", "page")}
}

// effect is the n-th: it adds its number to what the person says about
// themselves.
func (k task) effect() users.Effect {
	plan := inbox.Plan{Steps: []inbox.Step{{Place: "profile", Field: inbox.FieldAbout, Op: inbox.StepAdd, Old: k.Old, New: fmt.Sprintf("%s%d;", k.Old, k.Next)}}}
	return users.Effect{Key: fmt.Sprintf("kill-1-A-%06d", k.Next), Kind: inbox.KindChange, Digest: plan.Digest("17", inbox.KindChange), Person: "17", Plan: plan, Address: "anna@users.test"}
}

func (k task) save(path string) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func load(path string) (k task, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(b, &k)
}

// runChild carries out effect after effect until it is killed; one only where
// its environment says so.
func runChild(path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	k, err := load(path)
	if err != nil {
		return err
	}
	m, err := datamap.New(childPlaces()...)
	if err != nil {
		return err
	}
	st, err := Open(Config{Store: k.Store, DSN: k.DSN, Map: m, Key: make([]byte, 16)})
	if err != nil {
		return err
	}
	defer st.Close()
	for {
		if !k.Begun {
			p, err := st.Get(ctx, "17")
			if err != nil {
				return err
			}
			k.Old, k.Begun = p.Fields[inbox.FieldAbout], true
			if err := k.save(path); err != nil {
				return err
			}
		}
		fmt.Println("begin")
		a, err := st.Apply(ctx, k.effect())
		for inbox.IsTemporary(err) && ctx.Err() == nil { // the killed one's transaction may still hold the row
			a, err = st.Apply(ctx, k.effect())
		}
		if err != nil {
			return err
		}
		if os.Getenv(childTask+"_GAP") != "" { // it ends between the two commits
			fmt.Println("applied")
			<-ctx.Done()
		}
		if k.Next, k.Begun = k.Next+1, false; a.Again {
			k.Again++
		}
		if err := k.save(path); err != nil {
			return err
		}
		if os.Getenv(childTask+"_ONCE") != "" {
			return nil
		}
	}
}

// child is this test's program in another role.
func child(t *testing.T, path string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childTask+"="+path), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// TestKilled: the program is killed a hundred times between the site's commit
// and its own, and in between at random moments around them, and each effect is
// carried out once all the same.
func TestKilled(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site) {
		s.exec(t, "CREATE TABLE people (id integer PRIMARY KEY, email varchar(254), about text){end}",
			"CREATE TABLE visits (id {serial}, user_id integer, page varchar(20)){end}", "INSERT INTO people VALUES (17, 'anna@users.test', NULL)")
		s.open(t, mapOf(t, childPlaces()...))
		path := filepath.Join(t.TempDir(), "task")
		if err := (task{Store: s.store, DSN: s.real.DSN, Next: 1}).save(path); err != nil {
			t.Fatal(err)
		}
		took := oneEffect(t, path)
		for i := range kills {
			gap := i%4 != 3 // the others come when they come
			cmd, out := child(t, path, map[bool]string{true: childTask + "_GAP=1"}[gap])
			if !out.Scan() || gap && !out.Scan() {
				t.Fatalf("the child did not get so far: %v", cmd.Wait())
			}
			if !gap {
				<-time.NewTimer(rand.N(4 * took)).C
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // it was killed
			if gap {
				took = oneEffect(t, path)
			}
		}
		oneEffect(t, path)
		wantEachOnce(t, s, path)
	})
}

// oneEffect lets a child carry out one effect, and tells how long it took from
// its beginning to the end.
func oneEffect(t *testing.T, path string) time.Duration {
	t.Helper()
	cmd, out := child(t, path, childTask+"_ONCE=1")
	out.Scan()
	start := time.Now()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the child: %v", err)
	}
	return time.Since(start)
}

func wantEachOnce(t *testing.T, s *site, path string) {
	t.Helper()
	k, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for n := 1; n < k.Next; n++ {
		fmt.Fprintf(&want, "%d;", n)
	}
	if got := s.text(t, "SELECT about FROM people WHERE id = 17"); got != want.String() {
		t.Errorf("the effects have left %q, want each of %d once", got, k.Next-1)
	}
	if n := s.count(t, "SELECT count(*) FROM supportd_effects"); n != k.Next-1 {
		t.Errorf("%d effects are recorded, want %d", n, k.Next-1)
	}
	t.Logf("%d kills, %d effects, %d of them killed between the two commits", kills, k.Next-1, k.Again)
	if k.Again < gapKills {
		t.Errorf("%d kills came between the site's commit and the child's, want %d or more", k.Again, gapKills)
	}
}
