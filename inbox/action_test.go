package inbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// moves is the state table of the architecture, written down a second time
// and by hand: from, event, to. "back" is where a held Action came from.
const moves = `
new          review       review
new          ask          unconfirmed
new          accept       scheduled

review       ask          unconfirmed
review       accept       scheduled
review       correct      unconfirmed
review       hold         held
review       no           cancelled
review       refuse       refused
review       answer       done
review       close        cancelled

unconfirmed  review       review
unconfirmed  correct      unconfirmed
unconfirmed  yes          scheduled
unconfirmed  yes-review   review
unconfirmed  no           cancelled
unconfirmed  expire       expired
unconfirmed  hold         held
unconfirmed  refuse       refused
unconfirmed  close        cancelled

held         release      back
held         correct      unconfirmed
held         no           cancelled
held         refuse       refused
held         answer       done
held         close        cancelled

scheduled    correct      unconfirmed
scheduled    no           cancelled
scheduled    doubtful     held
scheduled    hold         held
scheduled    brake        review
scheduled    reprove      unconfirmed
scheduled    start        running
scheduled    refuse       refused
scheduled    close        cancelled

running      done         done
running      later        scheduled
running      fail         failed
running      stale        unconfirmed
running      stale-again  review

failed       retry        scheduled
failed       correct      unconfirmed
failed       no           cancelled
failed       refuse       refused
failed       close        cancelled

expired      ask-again    unconfirmed
`

// stateNamed reads a state as moves writes it.
func stateNamed(s string) State {
	if s == "new" {
		return StateNew
	}
	return State(s)
}

// readMoves reads the table and checks that it is about known words.
func readMoves(t *testing.T) map[State]map[Event]string {
	t.Helper()
	known := map[string]bool{"new": true}
	for _, s := range States() {
		known[string(s)] = true
	}
	for _, e := range Events() {
		known["event "+string(e)] = true
	}
	table := map[State]map[Event]string{}
	for line := range strings.Lines(moves) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 || !known[f[0]] || !known["event "+f[1]] || f[2] != "back" && !known[f[2]] {
			t.Fatalf("the test's table has the line %q", line)
		}
		from := stateNamed(f[0])
		if table[from] == nil {
			table[from] = map[Event]string{}
		}
		table[from][Event(f[1])] = f[2]
	}
	return table
}

// TestNextEveryPair walks every state and event, each with every state that a
// held Action could have come from.
func TestNextEveryPair(t *testing.T) {
	table := readMoves(t)
	all := append([]State{StateNew}, States()...)
	for _, from := range all {
		for _, e := range Events() {
			for _, heldFrom := range all {
				want, allowed := table[from][e]
				if want == "back" {
					want, allowed = string(heldFrom), heldFrom != StateNew
				}
				got, err := Next(from, e, heldFrom)
				name := fmt.Sprintf("%q %s (held from %q)", from, e, heldFrom)
				if allowed {
					if err != nil || got != stateNamed(want) {
						t.Errorf("%s gave %q, %v; want %q", name, got, err, want)
					}
					continue
				}
				var refused *ErrTransition
				if !errors.As(err, &refused) || refused.State != from || refused.Event != e || got != from {
					t.Errorf("%s gave %q, %v; want it refused", name, got, err)
				}
			}
		}
	}
}

func TestNextUnknownWords(t *testing.T) {
	for _, test := range []struct {
		from State
		e    Event
	}{{"", ""}, {StateReview, "approve"}, {"gone", EventHold}, {back, EventRelease}} {
		if got, err := Next(test.from, test.e, StateScheduled); err == nil {
			t.Errorf("%q %q led to %q", test.from, test.e, got)
		}
	}
}

// TestEnds: an ended state takes no event, but that a late yes asks anew, and
// every other state has a way out.
func TestEnds(t *testing.T) {
	ends := map[State]bool{StateDone: true, StateCancelled: true, StateExpired: true, StateRefused: true}
	for _, s := range append([]State{StateNew}, States()...) {
		if s.Ended() != ends[s] {
			t.Errorf("%q ended: %t", s, s.Ended())
		}
		out := 0
		for _, e := range Events() {
			if _, err := Next(s, e, StateReview); err == nil {
				out++
			}
		}
		switch {
		case s == StateExpired && out != 1, ends[s] && s != StateExpired && out != 0, !ends[s] && out == 0:
			t.Errorf("%q has %d ways out", s, out)
		}
	}
}

// TestProofGates: nothing reaches running but through scheduled, and only an
// event that stands for proof or for staff's retry leads to scheduled.
func TestProofGates(t *testing.T) {
	proof := map[Event]bool{EventAccept: true, EventYes: true, EventRetry: true, EventLater: true}
	for _, from := range append([]State{StateNew}, States()...) {
		for _, e := range Events() {
			to, err := Next(from, e, StateReview)
			switch {
			case err != nil:
			case to == StateRunning && from != StateScheduled:
				t.Errorf("%q %s runs", from, e)
			case to == StateScheduled && !proof[e]:
				t.Errorf("%q %s schedules", from, e)
			case to == StateScheduled && from == StateHeld:
				t.Errorf("held %s schedules what was in review", e)
			}
		}
	}
}

func TestEffectKey(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range []string{EffectKey("ab", 1, 23), EffectKey("ab", 12, 3), EffectKey("ab", 1, 3), EffectKey("b", 1, 3), EffectKey("ab", 2, 3)} {
		if seen[k] {
			t.Errorf("%s is the key of two effects", k)
		}
		seen[k] = true
	}
	if got := EffectKey("0f", 7, 123); got != "0f-7-A-000123" {
		t.Errorf("got %s", got)
	}
}
