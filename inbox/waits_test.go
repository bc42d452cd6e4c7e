package inbox

import (
	"testing"
	"time"
)

// TestWaits: a question is noted once, an answer ends what it answers, and
// never before it was asked.
func TestWaits(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }
	a := &Action{}
	a.Asked(WaitProof, at(1))
	a.Asked(WaitProof, at(2))
	a.Asked(WaitWords, at(3))
	a.Answered(at(4), WaitProof)
	if len(a.Waits) != 2 || a.Waits[0] != (Wait{WaitProof, at(1), at(4)}) || a.Waits[1] != (Wait{WaitWords, at(3), time.Time{}}) {
		t.Fatalf("it waited %v", a.Waits)
	}
	a.Asked(WaitProof, at(6))
	a.Answered(at(5))
	a.Answered(at(9))
	if len(a.Waits) != 3 || a.Waits[0].To != at(4) || a.Waits[1].To != at(5) || a.Waits[2] != (Wait{WaitProof, at(6), at(6)}) {
		t.Errorf("it waited %v", a.Waits)
	}
}
