package daemon_test

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// TestDescribeNamesWhatACopyHolds: who asks what is stored about them is told
// of the same places that a copy shows, their mails to support among them.
func TestDescribeNamesWhatACopyHolds(t *testing.T) {
	u := &unreliable{}
	inScene(t, u.over(), func(s *scene) {
		s.write(bob, "my data", copyPlease+" Also, what do you store about me, why, and who has received it?")
		if d := s.letter("result", bob); strings.Contains(d.Text(), "stop") {
			t.Errorf("the letter with the copy offers to stop what is done a moment later:\n%s", d.Text())
		}
		d := s.letter("result", bob)
		s.stand("copy done", "describe done")
		past := map[inbox.Kind][]inbox.PastCase{}
		for _, job := range u.jobs {
			past[job.Kind] = job.Past
		}
		if n := len(past[inbox.KindCopy]); n != 1 || len(past[inbox.KindDescribe]) != n {
			t.Errorf("the copy has %d earlier cases, the description %d; want 1 each", n, len(past[inbox.KindDescribe]))
		}
		for _, place := range []string{"Profile", "Visits to the site", "Mails to support"} {
			if !strings.Contains(d.Text(), "- "+place+"\n") {
				t.Errorf("%s is not described in\n%s", place, d.Text())
			}
		}
	})
}
