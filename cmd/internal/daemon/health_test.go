package daemon_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/queue"
)

// told is what a service manager was told, and when.
type told struct {
	mu    sync.Mutex
	words []string
	alive time.Time // when it last heard that the daemon is alive
}

func (m *told) notify(words string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for word := range strings.Lines(words) {
		word = strings.TrimSuffix(word, "\n")
		if word == "WATCHDOG=1" {
			m.alive = time.Now()
		}
		if len(m.words) == 0 || m.words[len(m.words)-1] != word {
			m.words = append(m.words, word)
		}
	}
	return nil
}

func (m *told) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.words)
}

// silent is how long nobody told that the daemon is alive.
func (m *told) silent() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Since(m.alive)
}

// managed adds a service manager to a setup.
func managed(s setup) (setup, *told) {
	m := new(told)
	s.opt.Notify, s.opt.Watchdog = m.notify, time.Minute
	return s, m
}

// asks reads one of the addresses of the daemon's health.
func (p *place) asks(path string) (code int, body string) {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+path, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	w := httptest.NewRecorder()
	p.d.Health().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestServiceManager(t *testing.T) {
	set, m := managed(setup{})
	inScene(t, set, func(s *scene) {
		s.passes(time.Hour)
		if m.silent() > 30*time.Second {
			t.Errorf("silent for %v", m.silent())
		}
		s.stop()
		want := []string{"STATUS=Connecting to the mailboxes", "WATCHDOG=1", "READY=1", "STATUS=Running in mode auto; everything is reached", "WATCHDOG=1",
			"STOPPING=1", "STATUS=Stopping: finishing what is under way"}
		if got := m.all(); !slices.Equal(got, want) {
			t.Errorf("it was told %q, want %q", got, want)
		}
	})
}

// A mail server that is down does not keep the unit from starting: what needs
// no mailbox works meanwhile, and staff can look.
func TestServiceManagerAndADeadMailbox(t *testing.T) {
	set, m := managed(setup{})
	inPlace(t, set, func(p *place) {
		p.down.Store(true)
		p.start()
		p.passes(29 * time.Second)
		if slices.Contains(m.all(), "READY=1") {
			t.Error("ready before the mailbox was waited for")
		}
		p.passes(2 * time.Second)
		if !slices.Contains(m.all(), "READY=1") {
			t.Errorf("not ready: %q", m.all())
		}
		last := func() string {
			all := slices.DeleteFunc(m.all(), func(s string) bool { return !strings.HasPrefix(s, "STATUS=") })
			return all[len(all)-1]
		}
		if !strings.Contains(last(), "out of reach: IMAP of mailbox support: was not reached yet: ") {
			t.Errorf("the status is %q", last())
		}
		if m.silent() > 30*time.Second {
			t.Error("a dead mailbox is no reason to start the daemon again")
		}
		p.down.Store(false)
		p.passes(5 * time.Minute)
		if last() != "STATUS=Running in mode auto; everything is reached" {
			t.Errorf("the status is %q", last())
		}
	})
}

// hold is a place where whoever comes waits, while it is shut.
type hold struct{ shut atomic.Pointer[chan struct{}] }

// close has whoever comes wait. It is called within the virtual time.
func (h *hold) close() {
	c := make(chan struct{})
	h.shut.Store(&c)
}

func (h *hold) pass() {
	if c := h.shut.Load(); c != nil {
		<-*c
	}
}

// open lets everybody go on.
func (h *hold) open() { close(*h.shut.Swap(nil)) }

// A loop that hangs leads to a restart: the service manager is not told any
// more that the daemon is alive. Each case hangs where nothing of ours has a
// limit.
func TestHangingLoop(t *testing.T) {
	for _, c := range []struct {
		loop  string
		where func(h *hold) daemon.Options
		limit time.Duration
	}{
		{"queue", func(h *hold) daemon.Options {
			return daemon.Options{Perform: func(next queue.Performer) queue.Performer {
				return performerFunc(func(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
					h.pass()
					return next.Perform(ctx, job)
				})
			}}
		}, 20 * time.Minute},
		{"mailbox support", func(h *hold) daemon.Options {
			return daemon.Options{Find: func(next intake.Finder) intake.Finder {
				return finderFunc(func(ctx context.Context, addr string) ([]users.Person, error) { h.pass(); return next.Find(ctx, addr) })
			}}
		}, 20 * time.Minute},
		{"outbox", func(h *hold) daemon.Options {
			return daemon.Options{Point: func(name string) {
				if name == "before commit send" {
					h.pass()
				}
			}}
		}, 20 * time.Minute},
		{"outbox support", func(h *hold) daemon.Options {
			return daemon.Options{Point: func(name string) {
				if name == "smtp before dot" {
					h.pass()
				}
			}}
		}, 3 * time.Hour},
	} {
		t.Run(c.loop, func(t *testing.T) {
			h := new(hold)
			set, m := managed(setup{opt: c.where(h)})
			inScene(t, set, func(s *scene) {
				s.passes(24 * time.Hour)
				if code, body := s.asks("/healthz"); code != http.StatusOK || m.silent() > 30*time.Second {
					t.Fatalf("before: %d %q, silent for %v", code, body, m.silent())
				}
				h.close()
				s.write(alice, "my data", copyPlease)
				s.passes(c.limit)
				code, body := s.asks("/healthz")
				if code != http.StatusServiceUnavailable || !strings.HasPrefix(body, c.loop) || strings.Count(body, "\n") != 1 {
					t.Errorf("hanging: %d %q", code, body)
				}
				if m.silent() < time.Minute {
					t.Error("the service manager still hears that it is alive")
				}
				s.wantLog("level=ERROR", "a loop hangs", c.loop)
				h.open()
				s.passes(30 * time.Minute)
				if code, body := s.asks("/healthz"); code != http.StatusOK || m.silent() > 30*time.Second {
					t.Errorf("afterwards: %d %q, silent for %v", code, body, m.silent())
				}
				s.letter("result", alice)
			})
		})
	}
}

type finderFunc func(context.Context, string) ([]users.Person, error)

func (f finderFunc) Find(ctx context.Context, addr string) ([]users.Person, error) {
	return f(ctx, addr)
}

// Work that takes its time is no hanging: a day of mails, polls and letters.
func TestWorkIsNoHanging(t *testing.T) {
	set, m := managed(setup{replace: []string{`poll = "1m"`, `poll = "3h"`}})
	set.world.Without = append(set.world.Without, "IDLE")
	inPlace(t, set, func(p *place) {
		p.start()
		for range 12 {
			p.takes(alice, "my data", copyPlease, mailtest.Aligned(true))
			p.passes(2 * time.Hour)
			if code, body := p.asks("/healthz"); code != http.StatusOK || m.silent() > 30*time.Second {
				t.Fatalf("%d %q", code, body)
			}
			if code, body := p.asks("/readyz"); code != http.StatusOK {
				t.Fatalf("%d %q", code, body)
			}
		}
	})
}

func TestReadyzNamesWhatIsOutOfReach(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		if code, body := s.asks("/readyz"); code != http.StatusOK || body != "ok\n" {
			t.Errorf("%d %q", code, body)
		}
		s.SetFail(func(stage, _ string, _ int) error {
			if stage == mailtest.StageConnect {
				return mailtest.ErrHangUp
			}
			return nil
		})
		s.write(alice, "my data", copyPlease)
		s.passes(30 * time.Minute)
		code, body := s.asks("/readyz")
		if code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "SMTP of mailbox support: was last reached 2000-01-01T00:00:00Z: ") || strings.Count(body, "\n") != 1 {
			t.Errorf("%d %q", code, body)
		}
		if strings.Contains(body, "users.test") || strings.Contains(body, "site.test") {
			t.Errorf("somebody is named: %q", body)
		}
		if _, page := s.asks("/metrics"); !strings.Contains(page, "supportd_oldest_due_reply_seconds 1800\n") || !strings.Contains(page, "supportd_due_replies 1\n") {
			t.Errorf("the metrics are\n%s", page)
		}
		s.SetFail(nil)
		s.passes(10 * time.Minute)
		if code, body := s.asks("/readyz"); code != http.StatusOK {
			t.Errorf("%d %q", code, body)
		}
		s.letter("result", alice)
		s.silence(staff)
	})
}

// What was done is counted, and nobody is named.
func TestMetricsOfADay(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.write(alice, "my data", copyPlease)
		s.write(bob, "phone", "Please remove my phone number.")
		s.answer(s.letter("confirm", bob), "Yes")
		s.refuses(mailtest.StageRcpt, kate, mailtest.Refuse(550, "5.1.1 no such user"))
		s.write(kate, "phone", "Please remove my phone number.")
		s.acts(control.Call{Verb: "pause", Effects: true})
		s.passes(time.Minute)
		_, page := s.asks("/metrics")
		for _, line := range []string{
			`supportd_mails_total{state="acted"} 2`, `supportd_mails_total{state="asked"} 2`, `supportd_mails_total{state="held"} 0`,
			`supportd_replies_total{state="failed"} 1`, `supportd_effects_total{kind="delete"} 1`, `supportd_effects_total{kind="copy"} 1`,
			`supportd_actions{state="done"} 2`, `supportd_actions{state="unconfirmed"} 1`, `supportd_paused{what="effects"} 1`,
			`supportd_imap_contact_age_seconds{mailbox="support"} 60`, `supportd_oldest_unaccounted_mail_seconds{mailbox="support"} 0`,
		} {
			if !strings.Contains(page, line+"\n") {
				t.Errorf("no %s in\n%s", line, page)
			}
		}
		for _, name := range []string{"users.test", "u-bob", "alice", "+7701"} {
			if strings.Contains(page, name) {
				t.Errorf("%s is named", name)
			}
		}
	})
}

// Mail that cannot be put on record makes the mailbox late.
func TestUnaccountedMailAges(t *testing.T) {
	h := new(hold)
	set := setup{opt: daemon.Options{Point: func(name string) {
		if name == "before commit intake" {
			h.pass()
		}
	}}}
	inScene(t, set, func(s *scene) {
		h.close()
		s.write(alice, "my data", copyPlease)
		s.passes(10 * time.Minute)
		if _, page := s.asks("/metrics"); !strings.Contains(page, `supportd_oldest_unaccounted_mail_seconds{mailbox="support"} 600`+"\n") {
			t.Errorf("the metrics are\n%s", page)
		}
		h.open()
		s.passes(time.Minute)
		if _, page := s.asks("/metrics"); !strings.Contains(page, `supportd_oldest_unaccounted_mail_seconds{mailbox="support"} 0`+"\n") {
			t.Errorf("the metrics are\n%s", page)
		}
	})
}

// After an hour staff hear of it, once a day, and when it is over; a restart
// does not tell them again.
func TestOutage(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.cutOff()
		s.passes(58 * time.Minute)
		s.silence(staff)
		s.passes(4 * time.Minute)
		d := s.letter("staff-notice", staff)
		for _, part := range []string{"Since 2000-01-01 06:00 +06 the IMAP server of the mailbox support cannot be worked with.", "none is lost",
			"connection refused", "What to do: see that the server runs", "once a day"} {
			if !strings.Contains(strings.Join(strings.Fields(d.Text()), " "), part) {
				t.Errorf("no %q in\n%s", part, d.Text())
			}
		}
		for range 3 {
			s.reopen()
			s.start()
			s.passes(7 * time.Hour)
		}
		s.silence(staff)
		s.passes(4 * time.Hour)
		s.notice("Since 2000-01-01 06:00 +06 the IMAP server")
		s.silence(staff)
		s.down.Store(false)
		s.passes(10 * time.Minute)
		s.notice("Over: the IMAP server of the mailbox support works again. It had failed since 2000-01-01 06:00 +06.")
		s.passes(48 * time.Hour)
		s.silence(staff)
		s.cutOff() // another one
		s.passes(2 * time.Hour)
		s.notice("the IMAP server of the mailbox support cannot be worked with")
		s.down.Store(false)
		s.passes(10 * time.Minute)
		s.notice("Over: ")
	})
}

// Starting the daemon again and again does not begin the hour again; and what
// is over when it starts is told once.
func TestOutageAcrossStarts(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.cutOff()
		for range 4 {
			s.passes(16 * time.Minute)
			s.reopen()
			s.start()
		}
		s.passes(2 * time.Minute)
		s.notice("Since 2000-01-01 06:00 +06 the IMAP server")
		s.stop()
		s.down.Store(false)
		s.reopen()
		s.start()
		s.passes(2 * time.Minute)
		s.notice("Over: the IMAP server")
		s.reopen()
		s.start()
		s.passes(2 * time.Hour)
		s.silence(staff)
	})
}

// What is over within the hour nobody needs to hear of.
func TestNoOutageForAShortFailure(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		for range 5 {
			s.cutOff()
			s.passes(50 * time.Minute)
			s.down.Store(false)
			s.passes(10 * time.Minute)
		}
		s.silence(staff)
	})
}

// When it is SMTP that fails, the mail waits and goes when it can.
func TestOutageOfSMTP(t *testing.T) {
	for _, c := range []struct {
		name  string
		stage string
		fault error
	}{
		{"hangs up", mailtest.StageConnect, mailtest.ErrHangUp},
		{"is silent", mailtest.StageConnect, mailtest.ErrSilence},
		{"turns everybody away", mailtest.StageConnect, mailtest.Refuse(554, "5.3.2 no service here")},
		{"has no room", mailtest.StageMail, mailtest.Refuse(452, "4.3.1 insufficient system storage")},
	} {
		t.Run(c.name, func(t *testing.T) {
			inScene(t, setup{}, func(s *scene) {
				s.SetFail(func(stage, _ string, _ int) error {
					if stage == c.stage {
						return c.fault
					}
					return nil
				})
				s.write(alice, "my data", copyPlease)
				s.passes(3 * time.Hour)
				s.silence(alice, staff)
				s.SetFail(nil)
				s.passes(3 * time.Hour)
				s.letter("result", alice)
				s.notice("the SMTP server of the mailbox support takes no mail")
				s.notice("Over: the SMTP server of the mailbox support works again")
				s.silence(alice, staff)
			})
		})
	}
}

// One mailbox of a person that takes nothing is no failure of the server.
func TestNoOutageOfOneFullMailbox(t *testing.T) {
	inScene(t, setup{}, func(s *scene) {
		s.refuses(mailtest.StageRcpt, alice, mailtest.Refuse(452, "4.2.2 mailbox full"))
		s.write(alice, "my data", copyPlease)
		s.passes(24 * time.Hour)
		s.silence(alice, staff)
		if code, body := s.asks("/readyz"); code != http.StatusOK {
			t.Errorf("%d %q", code, body)
		}
	})
}

func TestOutageOfDNS(t *testing.T) {
	var down, broken atomic.Bool
	set := setup{replace: []string{"dkim = false", "dkim = true"}, opt: daemon.Options{Lookup: func(_ context.Context, name string) ([]string, error) {
		if down.Load() || broken.Load() && strings.Contains(name, "users.test") {
			return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
		}
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}}}
	const signed = "DKIM-Signature: v=1; a=rsa-sha256; d=users.test; s=a; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
	const raw = signed + "From: alice@users.test\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <one@users.test>\r\nSubject: my data\r\n\r\n" + copyPlease + "\r\n"
	t.Run("nobody answers", func(t *testing.T) {
		inScene(t, set, func(s *scene) {
			down.Store(true)
			s.deliver(raw)
			s.passes(62 * time.Minute)
			d := s.letter("staff-notice", staff)
			if !strings.Contains(d.Text(), "DNS does not answer") || strings.Contains(d.Text(), "users.test") {
				t.Errorf("it says\n%s", d.Text())
			}
			down.Store(false)
			s.passes(5 * time.Minute)
			s.notice("Over: DNS works again")
			s.silence(staff)
		})
	})
	t.Run("only the sender's servers do not", func(t *testing.T) {
		inScene(t, set, func(s *scene) {
			broken.Store(true)
			s.deliver(raw)
			s.passes(24 * time.Hour)
			s.silence(staff)
		})
	})
}

// The site's database is asked also while no mail needs it.
func TestOutageOfTheUserStore(t *testing.T) {
	set, db := siteDatabase(t)
	inScene(t, set, func(s *scene) {
		if _, err := db.Exec("ALTER TABLE members RENAME COLUMN phone TO telephone"); err != nil {
			t.Fatal(err)
		}
		s.passes(75 * time.Minute)
		s.notice("the user store does not answer")
		if code, body := s.asks("/readyz"); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "user store: ") {
			t.Errorf("%d %q", code, body)
		}
		if _, err := db.Exec("ALTER TABLE members RENAME COLUMN telephone TO phone"); err != nil {
			t.Fatal(err)
		}
		s.passes(5 * time.Minute)
		s.notice("Over: the user store works again")
		s.silence(staff)
	})
}

var errNobody = errors.New("nobody listens")

// A service manager that cannot be told is logged, and nothing else.
func TestServiceManagerIsGone(t *testing.T) {
	inScene(t, setup{opt: daemon.Options{Notify: func(string) error { return errNobody }}}, func(s *scene) {
		s.write(alice, "my data", copyPlease)
		s.letter("result", alice)
		s.wantLog("level=ERROR", "nobody listens")
	})
}
