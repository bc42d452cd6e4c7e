package daemon_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/mailtest/realmail"
	"push.guru/supportd/inbox/review"
)

const (
	// realCoolOff is short, and still longer than a conversation takes to say
	// "stop" on a busy machine.
	realCoolOff = 20 * time.Second
	// realPatience bounds a conversation.
	realPatience = 60 * time.Second
	// realLook is how often a mailbox is looked into while somebody waits.
	realLook = 200 * time.Millisecond
)

// TestConversationsOnRealServers plays every conversation with one daemon, all
// at the same time, through Dovecot and Postfix.
func TestConversationsOnRealServers(t *testing.T) {
	for _, kind := range []struct {
		name       string
		imap, smtp func(*realmail.Servers) string
	}{
		{"TLS", func(s *realmail.Servers) string { return "imaps://" + s.IMAPSAddr }, func(s *realmail.Servers) string { return "smtps://" + s.SubmissionsAddr }},
		{"STARTTLS", func(s *realmail.Servers) string { return "imap://" + s.IMAPAddr }, func(s *realmail.Servers) string { return "smtp://" + s.SubmissionAddr }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			servers := realmail.Start(t)
			d := realDaemon(t, servers, kind.imap(servers), kind.smtp(servers))
			var all sync.WaitGroup
			for _, s := range realScripts(t) {
				all.Go(func() { t.Run(s.Name, func(t *testing.T) { playReal(t, servers, d, s) }) })
			}
			all.Wait()
			accountedReal(t, servers, d)
		})
	}
}

// realBounce takes the place of the conversation whose failure report is made
// by hand: here Postfix writes it.
const realBounce = `# The mailbox of Rita is gone; Postfix reports it, and staff are told
-- write bounce-rita@users.test aligned: phone --
Please remove my phone number from my profile.
-- letter staff-notice to staff@office.test --
-- actions --
delete fields unconfirmed
-- person u-rita --
phone = +77010000042
`

const rita = `{"id":"u-rita","email":"bounce-rita@users.test","full_name":"Rita","phone":"+77010000042","active":true}` + "\n"

// realScripts gives the conversations as they are with real servers.
func realScripts(t *testing.T) []talk.Script {
	t.Helper()
	scripts, err := talk.Conversations()
	if err != nil {
		t.Fatal(err)
	}
	has := func(word string) func(talk.Script) bool {
		return func(s talk.Script) bool {
			return slices.ContainsFunc(s.Steps, func(step talk.Step) bool { return step.Words[0] == word })
		}
	}
	scripts = slices.DeleteFunc(scripts, has("bounce"))
	bounce, err := talk.Parse("real-bounce.txt", realBounce)
	if err != nil {
		t.Fatal(err)
	}
	return append(scripts, bounce)
}

// realDaemon runs a daemon, configured as an operator does it, until the test
// ends.
func realDaemon(t *testing.T, servers *realmail.Servers, imap, smtp string) *daemon.Daemon {
	t.Helper()
	d := realOpen(t, realConfig(t, servers, imap, smtp, 2)) // LMTP adds a line of its own
	if err := d.ImportPeople(t.Context(), talk.People()+rita); err != nil {
		t.Fatal(err)
	}
	realRun(t, d)
	return d
}

func realConfig(t *testing.T, servers *realmail.Servers, imap, smtp string, hops int) *config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mail.pass"), []byte(servers.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return site(t, dir, fmt.Sprintf("[policy.delete_account]\ncool_off = %[1]q\n[policy.change_email]\ncool_off = %[1]q\n", realCoolOff.String()),
		`imap = "imap+insecure://127.0.0.1:143"`, fmt.Sprintf("imap = %q\nca_file = %q", imap, servers.CAFile),
		`server = "smtp+insecure://127.0.0.1:25"`, fmt.Sprintf("server = %q\nca_file = %q\nusername = %q\npassword_file = \"mail.pass\"", smtp, servers.CAFile, support),
		`password_file = "pass"`, "password_file = \"mail.pass\"\nfirst_run = \"all\"",
		"own_hops = 1", fmt.Sprintf("own_hops = %d", hops),
		`poll = "1m"`, `poll = "1s"`) // an act waits until mail from before the end of its cool-off was read
}

func realOpen(t *testing.T, cfg *config.Config) *daemon.Daemon {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	d, err := daemon.Open(t.Context(), cfg, daemon.Options{Log: log, NoConsole: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// realRun runs a daemon until the test ends.
func realRun(t *testing.T, d *daemon.Daemon) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func playReal(t *testing.T, servers *realmail.Servers, d *daemon.Daemon, s talk.Script) {
	ctx, cancel := context.WithTimeout(t.Context(), realPatience)
	defer cancel()
	where := talkSite(nil, d)
	where.Post = realPost{t, servers}
	where.Settle = func() { settleReal(ctx, t, servers) }
	where.CoolOff = func(ctx context.Context) error { return coolOffReal(ctx, where.Call) }
	if err := talk.Play(ctx, where, s); err != nil {
		t.Error(err)
	}
}

// realPost is the real servers as the Post of a conversation.
type realPost struct {
	t       *testing.T
	servers *realmail.Servers
}

// Deliver puts a mail of somebody into the mailbox of its To.
func (p realPost) Deliver(from, _ string, raw []byte, aligned bool) error {
	return p.servers.DeliverAs(from, raw, aligned)
}

var returnPath = regexp.MustCompile(`(?mi)^Return-Path: <([^>]*)>`)

// Letters looks into the mailbox of an address until there are n mails.
func (p realPost) Letters(ctx context.Context, addr string, n int) (letters []mailtest.Delivery, err error) {
	err = again(ctx, func() (bool, error) {
		letters = nil
		for _, raw := range p.servers.Mails(p.t, addr, "INBOX") {
			d := mailtest.Delivery{To: addr, Bytes: raw, At: time.Now()}
			if m := returnPath.FindSubmatch(raw); m != nil {
				d.From = string(m[1])
			}
			letters = append(letters, d)
		}
		return len(letters) >= n, nil
	})
	if err != nil {
		err = fmt.Errorf("waiting for %d letters to %s, %d came: %w", n, addr, len(letters), err)
	}
	return letters, err
}

// again looks until what it waits for is there.
func again(ctx context.Context, look func() (bool, error)) error {
	tick := time.NewTicker(realLook)
	defer tick.Stop()
	for {
		if there, err := look(); there || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settleReal waits until the daemon has taken and filed what people wrote so
// far.
func settleReal(ctx context.Context, t *testing.T, servers *realmail.Servers) {
	waiting := waitingReal(t, servers)
	err := again(ctx, func() (bool, error) {
		now := waitingReal(t, servers)
		return !slices.ContainsFunc(waiting, func(id string) bool { return slices.Contains(now, id) }), nil
	})
	if err != nil {
		t.Errorf("mails stay in the INBOX of the site: %v", err)
	}
}

// waitingReal gives the Message-IDs of what is in the site's INBOX.
func waitingReal(t *testing.T, servers *realmail.Servers) (ids []string) {
	for _, raw := range servers.Mails(t, support, "INBOX") {
		ids = append(ids, mailtest.Delivery{Bytes: raw}.MessageID())
	}
	return ids
}

type caller = func(context.Context, control.Call, func(json.RawMessage) error) error

// coolOffReal waits until what is scheduled now has run, or was stopped, and
// in any case until a cool-off is over.
func coolOffReal(ctx context.Context, call caller) error {
	over := time.Now().Add(realCoolOff)
	waiting, err := scheduled(ctx, call)
	if err != nil {
		return err
	}
	return again(ctx, func() (bool, error) {
		now, err := scheduled(ctx, call)
		still := slices.ContainsFunc(now, func(id inbox.ActionID) bool { return slices.Contains(waiting, id) })
		return !still && time.Now().After(over), err
	})
}

func scheduled(ctx context.Context, call caller) (ids []inbox.ActionID, err error) {
	err = call(ctx, control.Call{Verb: "actions list"}, func(item json.RawMessage) error {
		var v review.ActionView
		err := json.Unmarshal(item, &v)
		if v.State == inbox.StateScheduled || v.State == inbox.StateRunning {
			ids = append(ids, v.ID)
		}
		return err
	})
	return ids, err
}

// accountedReal compares the site's mailbox with the state: as Dovecot has it,
// every mail is filed once and has a record that ended.
func accountedReal(t *testing.T, servers *realmail.Servers, d *daemon.Daemon) {
	t.Helper()
	filed := servers.Mails(t, support, "Processed")
	seen := make(map[string]bool)
	for _, raw := range filed {
		id := mailtest.Delivery{Bytes: raw}.MessageID()
		if seen[id] {
			t.Errorf("%s is filed twice", id)
		}
		seen[id] = true
	}
	if left := servers.Mails(t, support, "INBOX"); len(left) > 0 {
		t.Errorf("%d mails are left in the INBOX", len(left))
	}
	call := talkSite(nil, d).Call
	var records int
	err := call(t.Context(), control.Call{Verb: "mails list"}, func(item json.RawMessage) error {
		var v review.MailView
		records++
		err := json.Unmarshal(item, &v)
		if v.State == inbox.MailDeferred || v.State == inbox.MailQuarantined {
			t.Errorf("%s is %s: %s", v.ID, v.State, v.Reason)
		}
		return err
	})
	if err != nil || records != len(filed) {
		t.Errorf("%d records account for %d mails: %v", records, len(filed), err)
	}
	err = call(t.Context(), control.Call{Verb: "reconcile"}, func(item json.RawMessage) error {
		if !strings.Contains(string(item), `"gone":0`) {
			t.Errorf("reconcile: %s", item)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
