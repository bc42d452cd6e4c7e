package daemon_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox/mailtest"
)

// smallMails allows mails of 64 KiB only.
func smallMails(parts int) setup {
	const server = `server = "smtp+insecure://127.0.0.1:25"`
	return setup{replace: []string{server, server + "\nmax_reply_bytes = 65536\nmax_parts = " + fmt.Sprint(parts)}}
}

// collects gives kate visits that no mail of 64 KiB can carry.
func (s *scene) collects(visits int) {
	r := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for i := range visits {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"at":"2026-01-02T03:04:05Z","page":"/%d","cookie":"%016x%016x"}`, i, r.Uint64(), r.Uint64())
	}
	s.records(`{"id":"u-kate","events":[` + b.String() + "]}\n")
}

// A copy that is too large for a mail comes in several, and a delete waits for
// all of them.
func TestCopyInParts(t *testing.T) {
	const both = "Please send me a copy of my data and then delete my account."
	t.Run("all are sent", func(t *testing.T) {
		inScene(t, smallMails(5), func(s *scene) {
			s.collects(1000)
			s.write(kate, "my data", copyPlease)
			first := s.letter("result", kate)
			var got []string
			for _, d := range append([]mailtest.Delivery{first}, s.letter("copy-part", kate), s.letter("copy-part", kate)) {
				if len(d.Bytes) > 65536 {
					t.Errorf("a mail has %d bytes", len(d.Bytes))
				}
				got = append(got, d.Attachments()...)
			}
			slices.Sort(got)
			if want := []string{"data-1.zip", "data-2.zip", "data-3.zip"}; !slices.Equal(got, want) {
				t.Errorf("attached: %q, want %q", got, want)
			}
			if !bytes.Contains(first.Bytes, []byte("comes in 3")) {
				t.Errorf("the first letter does not say that there are 3:\n%s", first.Bytes[:3000])
			}
			s.silence(kate, staff)
			s.stand("copy done")
		})
	})
	t.Run("one cannot be sent", func(t *testing.T) {
		inScene(t, smallMails(5), func(s *scene) {
			s.collects(1000)
			s.write(kate, "leaving", both)
			s.refuses(mailtest.StageDot, kate, mailtest.Refuse(451, "4.3.0 try again later"))
			s.answer(s.letter("confirm", kate), "Yes")
			s.passes(2 * coolOff)
			s.standing("copy done", "delete account scheduled")
			s.stays("u-kate")
			s.SetFail(nil)
			s.passes(3 * time.Hour)
			s.letter("result", kate)
			s.letter("copy-part", kate)
			s.letter("copy-part", kate)
		})
	})
	t.Run("too many", func(t *testing.T) {
		inScene(t, smallMails(2), func(s *scene) {
			s.collects(1000)
			s.write(kate, "my data", copyPlease)
			s.letter("failed", kate)
			s.notice("an action failed")
			s.stand("copy failed")
			if got := s.action("A-1").Error; !strings.Contains(got, "more than 2 mails of 65536 bytes") {
				t.Errorf("staff are told %q", got)
			}
		})
	})
}
