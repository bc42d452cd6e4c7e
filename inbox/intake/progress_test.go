package intake

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressIsToldOfALongPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		in := New(Config{Progress: func(p Progress) { got = append(got, p.String()) }})
		tell := in.tell(&Source{Name: "support"}, 1000)
		time.Sleep(2 * time.Second)
		tell(200)
		time.Sleep(2 * time.Second)
		tell(800)
		want := "support: 20 %, 200 of 1000 mails, 100 a second, 8s left; support: 100 %, 1000 of 1000 mails, 250 a second, 0s left"
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s", s)
		}
		in.tell(&Source{}, longPass-1)(64)
		if len(got) != 2 {
			t.Errorf("a short pass tells %q", got[2:])
		}
	})
}

// Where nobody looks at a bar, a backlog of any size is some lines of the log.
func TestProgressIsLoggedInParts(t *testing.T) {
	var log bytes.Buffer
	in := New(Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	tell := in.tell(&Source{Name: "support"}, 100_000)
	for range 100_000 / batchMails {
		tell(batchMails)
	}
	if n := strings.Count(log.String(), "intake: backlog"); n < progressParts-1 || n > progressParts {
		t.Errorf("%d lines", n)
	}
}
