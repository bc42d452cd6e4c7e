package daemon_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/state"
)

// beside opens another daemon with a state of its own at the same mailbox. It
// shares the place's people, as a second machine of the same site would.
func (p *place) beside(f func(q *place)) {
	p.t.Helper()
	q := &place{World: p.World, t: p.t, opt: p.opt}
	q.cfg = site(p.t, p.t.TempDir(), "", claimReplace...)
	q.open()
	if err := q.d.ImportPeople(p.t.Context(), crowd.People(100)); err != nil {
		p.t.Fatal(err)
	}
	f(q)
	q.stop()
	if err := q.d.Close(); err != nil {
		p.t.Error(err)
	}
}

var claimReplace = []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\"", "effects_per_hour = 100", "effects_per_hour = 1000000"}

// claims lists the folders by which daemons claim the mailbox.
func (p *place) claims() (found []string) {
	for _, name := range p.Folders(support) {
		if strings.HasPrefix(name, "supportd-claim-") {
			found = append(found, name)
		}
	}
	return found
}

func TestTwoDaemonsOnOneMailbox(t *testing.T) {
	in := func(t *testing.T, f func(p *place, c *crowd.Crowd)) {
		inPlace(t, setup{nobody: true, replace: claimReplace}, func(p *place) { f(p, p.people(100)) })
	}
	t.Run("the second comes later", func(t *testing.T) {
		in(t, func(p *place, c *crowd.Crowd) {
			p.start()
			p.beside(func(q *place) {
				q.start()
				for range 10 {
					c.Join(2)
					p.passes(10 * time.Minute)
					q.CutIMAP()
				}
				p.passes(24 * time.Hour)
				if n := len(q.mails()); n != 0 {
					p.t.Errorf("the second has taken %d mails", n)
				}
				p.wantLog("level=WARN", "another supportd", "delete that folder")
				q.stop()
				if err := q.d.Once(p.t.Context()); err == nil {
					p.t.Error("a single run of the second says that all is well")
				}
			})
			p.custody(c, filed)
		})
	})
	t.Run("both start at once", func(t *testing.T) {
		for range 5 {
			in(t, func(p *place, c *crowd.Crowd) {
				p.beside(func(q *place) {
					c.Join(5)
					for _, x := range []*place{p, q} {
						ctx, cancel := context.WithCancel(p.t.Context())
						x.cancel, x.done = cancel, make(chan error, 1)
						go func() { x.done <- x.d.Run(ctx) }()
					}
					synctest.Wait()
					p.passes(24 * time.Hour)
					winner, loser := p, q
					if len(p.mails()) == 0 {
						winner, loser = q, p
					}
					if n := len(loser.mails()); n != 0 {
						p.t.Errorf("both took mails: %d and %d", len(winner.mails()), n)
					}
					if got := p.claims(); len(got) != 1 {
						p.t.Errorf("the mailbox is claimed by %q", got)
					}
					winner.custody(c, filed)
				})
			})
		}
	})
	t.Run("the first is gone for good", func(t *testing.T) {
		in(t, func(p *place, c *crowd.Crowd) {
			p.start()
			p.stop()
			p.beside(func(q *place) {
				q.start()
				c.Join(5)
				p.passes(time.Hour)
				if slices.ContainsFunc(p.Sent(), func(d mailtest.Delivery) bool { return d.To != staff }) {
					p.t.Error("the second answers although the mailbox is claimed")
				}
				imap(p, support, func(m *client) { m.must("DELETE " + p.claims()[0]) })
				q.passes(24 * time.Hour)
				q.custody(c, filed)
			})
		})
	})
	t.Run("folders cannot be made", func(t *testing.T) {
		in(t, func(p *place, c *crowd.Crowd) {
			imap(p, support, func(m *client) { m.must("CREATE Processed") })
			p.SetFail(at(mailtest.StageCreate, 1<<30, mailtest.Refuse(550, "no")))
			p.start()
			c.Join(5)
			p.passes(24 * time.Hour)
			p.wantLog("level=WARN", "cannot be claimed")
			p.custody(c, filed)
		})
	})
	t.Run("the server says of what it makes that it exists", func(t *testing.T) {
		in(t, func(p *place, c *crowd.Crowd) {
			p.SetFail(at(mailtest.StageCreate, 1<<30, mailtest.ErrExists))
			p.start()
			p.passes(time.Minute)
			if got := p.claims(); len(got) != 1 {
				p.t.Errorf("the mailbox is claimed by %q", got)
			}
			p.beside(func(q *place) {
				q.start()
				c.Join(5)
				p.passes(24 * time.Hour)
				if n := len(q.mails()); n != 0 {
					p.t.Errorf("the second has taken %d mails", n)
				}
			})
			if strings.Contains(p.log.String(), "cannot be claimed") || strings.Contains(p.log.String(), "refuses to file") {
				p.t.Error("what the server made is taken for refused")
			}
			p.custody(c, filed)
		})
	})
	t.Run("a restored copy takes over", func(t *testing.T) {
		in(t, func(p *place, c *crowd.Crowd) {
			p.start()
			saved := p.t.TempDir()
			p.must(control.Call{Verb: "backup", Path: saved})
			q := &place{World: p.World, t: p.t, opt: p.opt}
			q.cfg = site(t, p.t.TempDir(), "", claimReplace...)
			q.cfg.StateDir = saved
			if err := os.MkdirAll(filepath.Dir(q.cfg.Users.Path), 0o700); err != nil {
				p.t.Fatal(err)
			}
			q.open()
			q.start() // paused, as it is restored
			p.passes(16 * time.Minute)
			c.Join(5)
			p.passes(time.Hour)
			p.wantLog("a restored copy of this state")
			if n := len(p.mails()); n != 0 {
				p.t.Errorf("the first has taken %d mails since", n)
			}
			if got := p.claims(); len(got) != 1 {
				p.t.Errorf("the mailbox is claimed by %q", got)
			}
			q.stop()
			if err := q.d.Close(); err != nil {
				p.t.Error(err)
			}
		})
	})
}

// Two daemons cannot have one state: the second says so.
func TestTwoDaemonsOnOneState(t *testing.T) {
	inPlace(t, setup{}, func(p *place) {
		p.start()
		d, err := daemon.Open(p.t.Context(), p.cfg, p.opt)
		if !errors.Is(err, state.ErrLocked) {
			p.t.Errorf("the second opened %v, %v", d, err)
		}
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.wantLetters("alice@users.test", "result")
	})
}
