package daemon_test

import (
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox/mailtest"
)

// A notice leads staff to the case in the console; who keeps the journal's head
// is not told where that is.
func TestNoticeLinksToConsole(t *testing.T) {
	const console, keeper = "https://console.site.test", "keeper@notary.test"
	inPlace(t, setup{more: `
[journal]
anchor = "` + keeper + `"
[console]
url = "` + console + `"
trusted_proxy = ["127.0.0.1"]
[policy]
max_message_bytes = 65536
`}, func(p *place) {
		p.start()
		p.Send("alice@users.test", support, "my data", strings.Repeat("Please send me a copy of my data.\n", 3000), mailtest.Aligned(true))
		p.passes(time.Hour)
		for to, want := range map[string]string{staff: console + "/case/M-000001", keeper: ""} {
			letters := p.lettersTo(to)
			if len(letters) != 1 {
				t.Fatalf("%d letters went to %s", len(letters), to)
			}
			if text := string(letters[0].Bytes); strings.Contains(text, console) != (want != "") || !strings.Contains(text, want) {
				t.Errorf("to %s, without %q:\n%s", to, want, text)
			}
		}
	})
}
