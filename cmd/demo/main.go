// Command demo shows the whole of supportd on this machine: embedded IMAP and
// SMTP servers, a user store with a dozen and a half people, and their
// conversations in English, Russian and Kazakh. It prints each mail as it goes
// in and out, ends with the table of actions, and stays up so that a mail
// program can be pointed at it.
//
//	go run ./cmd/demo          until Ctrl-C
//	go run ./cmd/demo -once    exit 0 when every conversation has ended as it should
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	support  = "support@site.test"
	visitor  = "you@users.test"
	password = "demo"
	coolOff  = 2 * time.Second
	patience = 20 * time.Second // for a letter that a conversation waits for
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	once := flags.Bool("once", false, "exit when every conversation has ended: 0 when all went as they should, else 1")
	verbose := flags.Bool("v", false, "print the daemon's log, too")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ok, err := demo(ctx, newPrinter(stdout), *once, logger(stderr, *verbose))
	if err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	if !ok {
		return 1
	}
	return 0
}

func logger(w io.Writer, verbose bool) *slog.Logger {
	if !verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// demo starts the world and the daemon, plays, and stays up unless once.
func demo(ctx context.Context, out *printer, once bool, log *slog.Logger) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "supportd-demo-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w, err := world()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	file, err := configure(dir, w)
	if err != nil {
		return false, err
	}
	cfg, err := config.Load(file)
	if err != nil {
		return false, err
	}
	d, err := daemon.Open(ctx, cfg, daemon.Options{Log: log})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.ImportPeople(ctx, talk.People()+visitorRecord); err != nil {
		return false, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.Run(running) }()
	ok, err = play(ctx, w, d, out)
	if err == nil && !once && ctx.Err() == nil {
		out.invite(w, file)
		<-ctx.Done()
	}
	stop()
	return ok, errors.Join(err, <-done)
}

const visitorRecord = `{"id":"u-you","email":"` + visitor + `","full_name":"You","phone":"+77010000000","location":"Almaty","about":"Trying the demo.","active":true}` + "\n"

// world starts the embedded servers, with a mailbox for the site and one for
// whoever wants to try.
func world() (*mailtest.World, error) {
	w, err := mailtest.New(mailtest.Options{})
	if err != nil {
		return nil, err
	}
	for _, user := range []string{support, visitor} {
		if err := w.AddUser(user, password); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// configure writes the configuration of the demo, which is an ordinary one
// with a short cool-off.
func configure(dir string, w *mailtest.World) (string, error) {
	text := fmt.Sprintf(`state_dir = "state"
[site]
name = "Push.Guru"
account_url = "https://push.guru/account"
[staff]
notify = ["staff@office.test"]
[[mailbox]]
name = "support"
address = %q
imap = "imap+insecure://%s"
password_file = "password"
first_run = "all"
poll = "1s"
[smtp]
server = "smtp+insecure://%s"
[proof]
trusted_authserv_ids = ["mx.site.test"]
dkim = false
[policy.change_email]
cool_off = "%s"
[policy.delete_account]
cool_off = "%s"
`, support, w.IMAPAddr(), w.SMTPAddr(), coolOff, coolOff)
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(password+"\n"), 0o600); err != nil {
		return "", err
	}
	file := filepath.Join(dir, "supportd.toml")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// play plays every conversation, one after the other, and prints the table of
// actions.
func play(ctx context.Context, w *mailtest.World, d *daemon.Daemon, out *printer) (bool, error) {
	scripts, err := talk.Conversations()
	if err != nil {
		return false, err
	}
	site := talk.Site{Support: support, Post: talk.Embedded{World: w}, Person: d.Person, Letter: d.Letter, Saw: out.mail,
		Call: func(ctx context.Context, c control.Call, put func(json.RawMessage) error) error {
			return call(ctx, d, c, put)
		},
		CoolOff: func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(coolOff + time.Second/2):
				return nil
			}
		}}
	failed := 0
	for _, s := range scripts {
		out.title(s)
		one, cancel := context.WithTimeout(ctx, 2*patience)
		err := talk.Play(one, site, s)
		cancel()
		if ctx.Err() != nil {
			return false, nil
		}
		out.verdict(err)
		if err != nil {
			failed++
		}
	}
	if err := out.actions(ctx, d); err != nil {
		return false, err
	}
	out.sum(len(scripts), failed)
	return failed == 0, nil
}

func call(ctx context.Context, d *daemon.Daemon, c control.Call, put func(json.RawMessage) error) error {
	return d.Service().Do(ctx, "demo", c, strings.NewReader(""), func(item any) error {
		b, err := json.Marshal(item)
		if err != nil {
			return err
		}
		return put(b)
	})
}
