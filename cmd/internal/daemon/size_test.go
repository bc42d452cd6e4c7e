package daemon_test

import (
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

// TestSizeUntrue sees a mail that is far larger than the server says set apart
// or held, and the mails beside it answered.
func TestSizeUntrue(t *testing.T) {
	const limit = 65536
	for _, tt := range []struct {
		name  string
		size  int // bytes of the mail
		lie   mailtest.Lie
		state inbox.MailState
	}{
		{"the part that is asked for is too large", 20 * limit, mailtest.Lie{Size: 3}, inbox.MailHeld},
		{"all of it comes, and is far too large", 20 * limit, mailtest.Lie{Size: 3, Whole: true}, inbox.MailQuarantined},
		{"all of it comes, of a size that could be true", 20 * limit, mailtest.Lie{Size: 5000, Whole: true}, inbox.MailQuarantined},
		{"all of it comes, and is a little too large", limit + 1000, mailtest.Lie{Size: 5000, Whole: true}, inbox.MailHeld},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := setup{more: "[policy]\nmax_message_bytes = 65536\n", replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}
			inPlace(t, s, func(p *place) {
				p.SetLie(func(mail []byte) *mailtest.Lie {
					if len(mail) < limit {
						return nil
					}
					return &tt.lie
				})
				p.Send("alice@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
				p.Send("mallory@evil.test", support, "my data", strings.Repeat("Delete my account.\r\n", tt.size/20))
				p.Send("carol@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
				p.start()
				p.passes(time.Hour)
				p.wantMails(inbox.MailActed, tt.state, inbox.MailActed)
				p.wantLetters("alice@users.test", "result")
				p.wantLetters("carol@users.test", "result")
				p.wantLetters("mallory@evil.test")
			})
		})
	}
}
