package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/cmd/internal/talk"
	"push.guru/supportd/inbox/mailtest"
)

// screen is where the demo prints. It can be read meanwhile.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // has room for one; filled at each addition
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// TestVisitor: whoever tries the demo can write more than a mail or two a day,
// has the time to stop a delete that the letter speaks of, and sees what goes
// in and out.
func TestVisitor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := world()
	if err != nil {
		t.Fatal(err)
	}
	printed := &screen{more: make(chan struct{}, 1)}
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- serve(ctx, t.TempDir(), w, setting{"bolt", ownCoolOff, 1000}, slog.New(slog.DiscardHandler), func(d *daemon.Daemon, _ string) error {
			if err := d.ImportPeople(ctx, visitorRecord); err != nil {
				return err
			}
			stay(ctx, w, d, newPrinter(printed), func() { close(ready) })
			return nil
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	n := 0
	letter := func(want string) mailtest.Delivery {
		t.Helper()
		n++
		all, err := talk.Embedded{World: w}.Letters(ctx, visitor, n)
		if err != nil || !strings.Contains(all[n-1].Text(), want) {
			t.Fatalf("letter %d does not say %q (%v)", n, want, err)
		}
		return all[n-1]
	}
	send := func(auth smtp.Auth, subject, text string, opts ...mailtest.MailOption) {
		t.Helper()
		raw, err := mailtest.Compose(visitor, support, subject, text, opts...)
		if err == nil {
			err = smtp.SendMail(w.SMTPAddr(), auth, visitor, []string{support}, raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	answer := func(d mailtest.Delivery, text string) {
		send(nil, "Re: "+strings.TrimPrefix(d.Subject(), "Re: "), text, mailtest.InReplyTo(d), mailtest.Quote(d))
	}

	login := smtp.PlainAuth("", visitor, password, "127.0.0.1")
	if err := smtp.SendMail(w.SMTPAddr(), login, visitor, []string{support}, example(t, w)); err != nil {
		t.Fatal(err)
	}
	letter("please check that we understood you correctly")
	for i := range 5 {
		send(nil, "my data", fmt.Sprintf("Please change my phone number to +7 701 555 77 1%d.", i))
		letter("Was it you?")
	}
	send(login, "bye", "Please delete my account.")
	answer(letter("we will wait 2 minutes"), "yes")
	answer(letter("answer “stop”"), "stop")
	letter("cancelled")
	for want, times := range map[string]int{"[nobody logged in]": 7, "[logged in as " + visitor + "]": 2, "[claim]": 5, "[confirm]": 2,
		"[scheduled]": 1, "[cancelled]": 1, "│ stop\n": 1, "│ >": 0} {
		for strings.Count(printed.String(), want) < times {
			select {
			case <-printed.more:
			case <-ctx.Done():
				t.Fatalf("%q is not printed %d times in\n%s", want, times, printed)
			}
		}
		if got := strings.Count(printed.String(), want); got != times {
			t.Errorf("%q is printed %d times, want %d, in\n%s", want, got, times, printed)
		}
	}
	cancel()
	if err := errors.Join(<-done, w.Close()); err != nil {
		t.Error(err)
	}
}

// example gives the mail that the demo invites to send, as a shell makes it.
func example(t *testing.T, w *mailtest.World) []byte {
	t.Helper()
	var out strings.Builder
	newPrinter(&out).invite(w, "supportd.toml", "http://127.0.0.1/link")
	_, mail, _ := strings.Cut(out.String(), "printf '")
	mail, _, ok := strings.Cut(mail, "' |\n")
	if !ok {
		t.Fatalf("no mail to send in\n%s", &out)
	}
	mail = strings.ReplaceAll(mail, `'"$(date -R)"'`, time.Now().Format(time.RFC1123Z))
	return []byte(strings.ReplaceAll(mail, `\n`, "\r\n"))
}

// TestSiteDatabase: the conversations go the same way where the people live in
// a site's own database.
func TestSiteDatabase(t *testing.T) {
	var out, faults strings.Builder
	if code := run(t.Context(), []string{"-once", "-store", "sqlite"}, &out, &faults); code != 0 {
		t.Errorf("exit %d\n%s\n%s", code, &faults, &out)
	}
	if !strings.Contains(out.String(), "Orders: we have made these values unrecognisable: Delivery address") {
		t.Error("no letter tells what became of the orders")
	}
	if code := run(t.Context(), []string{"-store", "oracle"}, &out, &faults); code != 2 || !strings.Contains(faults.String(), "write bolt or sqlite") {
		t.Errorf("exit %d: %s", code, &faults)
	}
}
