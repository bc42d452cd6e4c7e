package daemon_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

const support = "support@site.test"

// site writes a configuration into dir and reads it the way the program does.
func site(t testing.TB, dir, more string, replace ...string) *config.Config {
	t.Helper()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("pass", "secret\n")
	text := fmt.Sprintf(`
state_dir = %q
[site]
name = "Site"
account_url = "https://site.test/account"
[staff]
notify = ["staff@office.test"]
approvers = ["tester"]
[[mailbox]]
name = "support"
address = "support@site.test"
imap = "imap+insecure://127.0.0.1:143"
password_file = "pass"
poll = "1m"
[smtp]
server = "smtp+insecure://127.0.0.1:25"
[proof]
trusted_authserv_ids = ["mx.site.test"]
own_hops = 1
dkim = false
[policy.limits]
effects_per_hour = 100
`, filepath.Join(dir, "state")) + more
	text = strings.NewReplacer(replace...).Replace(text)
	cfg, err := config.Load(write("supportd.toml", text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// inWorld runs f with a daemon in an embedded mail world, in virtual time.
func inWorld(t *testing.T, more string, opt daemon.Options, f func(ctx context.Context, w *mailtest.World, d *daemon.Daemon)) {
	inPlace(t, setup{more: more, opt: opt}, func(p *place) {
		p.start()
		f(p.t.Context(), p.World, p.d)
	})
}

// talkSite is the site of a conversation in virtual time.
func talkSite(w *mailtest.World, d *daemon.Daemon) talk.Site {
	return talk.Site{Support: support, Post: talk.Embedded{World: w}, Person: d.Person, Letter: d.Letter, Settle: synctest.Wait,
		Call: func(ctx context.Context, c control.Call, put func(json.RawMessage) error) error {
			return d.Service().Do(ctx, "tester", c, strings.NewReader(""), func(item any) error {
				b, err := json.Marshal(item)
				if err != nil {
					return err
				}
				return put(b)
			})
		},
		CoolOff: func(context.Context) error { time.Sleep(12*time.Hour + time.Minute); return nil },
	}
}

func TestConversations(t *testing.T) {
	scripts, err := talk.Conversations()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		t.Run(s.Name, func(t *testing.T) {
			inWorld(t, "", daemon.Options{}, func(ctx context.Context, w *mailtest.World, d *daemon.Daemon) {
				ctx, cancel := context.WithTimeout(ctx, 48*time.Hour)
				defer cancel()
				if err := talk.Play(ctx, talkSite(w, d), s); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
