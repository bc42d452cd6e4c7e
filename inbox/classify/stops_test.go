package classify

import (
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// A mail is searched for a stop while its writer has something to stop: what
// is missed there runs, and what is taken for one by mistake is not done.
func TestStops(t *testing.T) {
	c := testClassifier(t)
	says := map[string]inbox.Stop{"none": inbox.StopNone, "maybe": inbox.StopMaybe, "all": inbox.StopAll, "delete": inbox.StopDelete}
	for _, k := range readCases(t, "testdata/stops.txt") {
		want, known := says[k.want[0]]
		if !known {
			t.Fatalf("%s: no stop is called %q", k.where, k.want[0])
		}
		if k.msg.Subject == "" {
			k.msg.Subject = "my account"
		}
		got, rest := c.Stops(k.msg, c.Read(k.msg))
		if got != want {
			t.Errorf("%s: got %d, want %s\n\t%s: %s", k.where, got, k.want[0], k.msg.Subject, k.msg.Text)
		}
		var beside []string
		for _, q := range rest {
			beside = append(beside, wording(q))
		}
		if want != inbox.StopNone && !slices.Equal(beside, k.want[1:]) {
			t.Errorf("%s: asks %q beside it, want %q\n\t%s: %s", k.where, beside, k.want[1:], k.msg.Subject, k.msg.Text)
		}
		if got == inbox.StopNone && len(rest) == 0 {
			t.Errorf("%s: nothing is left of it", k.where)
		}
	}
}

// The subject of a reply is not its writer's, nor is what they forward.
func TestStopsOfOthers(t *testing.T) {
	c := testClassifier(t)
	for _, m := range []*inbox.Message{
		{Subject: "Re: please do not delete my account", Text: "Where do I find my invoice?"},
		{Subject: "stop", Text: "Where do I find my invoice?", InReplyTo: []string{"x@users.test"}},
		{Subject: "Fwd: stop", Text: "Where do I find my invoice?"},
		{Subject: "see below", Text: "Where do I find my invoice?\n\n-------- Forwarded Message --------\nFrom: kate@users.test\n\nStop, do not delete my account."},
	} {
		if says, _ := c.Stops(m, c.Read(m)); says != inbox.StopNone {
			t.Errorf("%q, %q: got %d", m.Subject, m.Text, says)
		}
	}
}

// A stop is found behind any number of words.
func TestStopsInALongLetter(t *testing.T) {
	c := testClassifier(t)
	m := &inbox.Message{Text: strings.Repeat("I was with you for eleven years and it was a pleasure, most of the time.\n", 50) + "\nSo please do not delete my account."}
	if says, beside := c.Stops(m, c.Read(m)); says != inbox.StopDelete || len(beside) == 0 {
		t.Errorf("got %d and %d requests", says, len(beside))
	}
}
