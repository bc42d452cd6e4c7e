// Command demo shows the whole of supportd on this machine: embedded IMAP and
// SMTP servers, a user store with a dozen and a half people, and their
// conversations in English, Russian and Kazakh. It prints each mail as it goes
// in and out and ends with the table of actions. Then it starts the daemon anew
// with limits that leave room for play and a cool-off that can be stopped by
// hand, and stays up: a mail program can be pointed at it, and whatever goes in
// and out is printed, too. A one-time link opens the staff's console.
//
//	go run ./cmd/demo                  until Ctrl-C
//	go run ./cmd/demo -once            exit 0 when every conversation has ended as it should
//	go run ./cmd/demo -store sqlite    the people live in a site's own database, with related tables
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
	"push.guru/supportd/inbox/staff"
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
	patience = 20 * time.Second // for a letter that a conversation waits for

	// Nobody wants to wait for the cool-off of a conversation that is played;
	// but who tries it by hand must have the time to stop something.
	playedCoolOff = 2 * time.Second
	ownCoolOff    = 2 * time.Minute
)

// setting is in what the demo's configuration is not an ordinary one.
type setting struct {
	store   string // bolt or sqlite
	coolOff time.Duration
	limit   int // of mails to an address, mails in a thread, and effects in an hour
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	once := flags.Bool("once", false, "exit when every conversation has ended: 0 when all went as they should, else 1")
	verbose := flags.Bool("v", false, "print the daemon's log, too")
	store := flags.String("store", "bolt", "where the people are: bolt, the embedded store, or sqlite, a site's own database")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *store != "bolt" && *store != "sqlite" {
		fmt.Fprintf(stderr, "demo: -store %s: write bolt or sqlite\n", *store)
		return 2
	}
	ok, err := demo(ctx, newPrinter(stdout), *store, *once, logger(stderr, *verbose))
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
func demo(ctx context.Context, out *printer, store string, once bool, log *slog.Logger) (ok bool, err error) {
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
	if store == "sqlite" {
		if err := makeSite(ctx, dir); err != nil {
			return false, err
		}
	}
	err = serve(ctx, dir, w, setting{store, playedCoolOff, 20}, log, func(d *daemon.Daemon, _ string) error {
		if store == "bolt" {
			if err := d.ImportPeople(ctx, talk.People()+visitorRecord); err != nil {
				return err
			}
		}
		ok, err = play(ctx, w, d, out)
		return err
	})
	if err != nil || once || ctx.Err() != nil {
		return ok, err
	}
	return ok, serve(ctx, dir, w, setting{store, ownCoolOff, 1000}, log, func(d *daemon.Daemon, file string) error {
		link, err := d.Invite(ctx, "you", staff.RoleAdmin)
		if err != nil {
			return err
		}
		stay(ctx, w, d, out, func() { out.invite(w, file, link) })
		return nil
	})
}

// stay calls ready, and prints what people write and are answered until ctx
// ends.
func stay(ctx context.Context, w *mailtest.World, d *daemon.Daemon, out *printer, ready func()) {
	w.OnSent(func(m mailtest.Delivery) { out.passing(m, d.Letter(m.MessageID())) })
	defer w.OnSent(nil)
	ready()
	<-ctx.Done()
}

// serve runs a daemon with a setting while f does its part; file is the
// configuration.
func serve(ctx context.Context, dir string, w *mailtest.World, s setting, log *slog.Logger, f func(d *daemon.Daemon, file string) error) (err error) {
	file, err := configure(dir, w, s)
	if err != nil {
		return err
	}
	if s.store == "sqlite" {
		if err := initSite(ctx, file); err != nil {
			return err
		}
	}
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	d, err := daemon.Open(ctx, cfg, daemon.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Listen(); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.Run(running) }()
	err = f(d, file)
	stop()
	return errors.Join(err, <-done)
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

// configure writes the configuration of the demo, which is an ordinary one but
// for its setting.
func configure(dir string, w *mailtest.World, s setting) (string, error) {
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
[policy.limits]
unproven = %[5]d
proven = %[5]d
week = %[5]d
thread = %[5]d
effects_per_hour = %[5]d
[policy.change_email]
cool_off = "%[4]s"
[policy.delete_account]
cool_off = "%[4]s"
[console]
listen = "127.0.0.1:0"
`, support, w.IMAPAddr(), w.SMTPAddr(), s.coolOff, s.limit)
	if s.store == "sqlite" {
		text += inSite
	}
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
			case <-time.After(playedCoolOff + time.Second/2):
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
