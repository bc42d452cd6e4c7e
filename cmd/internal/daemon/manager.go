package daemon

import (
	"context"
	"fmt"
	"strings"
	"time"

	"push.guru/supportd/inbox/health"
)

const (
	// readyAfter is the longest that the service manager waits for the mailboxes.
	// A mail server that is down must not keep the unit from starting: the
	// manager would end and start us again and again, and with us what needs no
	// mailbox: what is due in the queue, the other mailboxes, the commands and
	// pages by which staff would find out.
	readyAfter  = 30 * time.Second
	statusEvery = 10 * time.Second // where nobody wants to hear more often
	untilReady  = time.Second
)

// tellManager tells the service manager how it goes, in the words of
// sd_notify(3), until ctx ends: that we are ready, in plain words what we do,
// and, while every loop is alive, that we are.
func (d *Daemon) tellManager(ctx context.Context) error {
	if d.opt.Notify == nil {
		<-ctx.Done()
		return nil
	}
	m := &manager{Daemon: d, began: time.Now()}
	for ctx.Err() == nil {
		m.tell()
		t := time.NewTimer(m.pause())
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
	m.send("STOPPING=1", "STATUS=Stopping: finishing what is under way")
	return nil
}

// manager is what the service manager was told.
type manager struct {
	*Daemon
	began  time.Time
	ready  bool
	status string
}

// pause is how long to wait until the manager hears of us again.
func (m *manager) pause() time.Duration {
	d := statusEvery
	if !m.ready {
		d = untilReady
	}
	if w := m.opt.Watchdog; w > 0 {
		d = min(d, w/3)
	}
	return d
}

func (m *manager) tell() {
	var words []string
	if !m.ready && (m.services.Reached(health.KindIMAP) || time.Since(m.began) >= readyAfter) {
		m.ready = true
		words = append(words, "READY=1")
	}
	late := m.pulse.Late()
	if s := m.saying(late); s != m.status {
		m.status = s
		words = append(words, "STATUS="+s)
	}
	if m.opt.Watchdog > 0 && len(late) == 0 {
		words = append(words, "WATCHDOG=1")
	}
	if len(late) > 0 {
		m.log.Error("daemon: a loop hangs; the service manager is not told that we are alive", "loops", strings.Join(late, "; "))
	}
	m.send(words...)
}

// saying says in one line how it goes.
func (m *manager) saying(late []string) string {
	missing := m.health.Missing()
	switch {
	case len(late) > 0:
		return "Hangs: " + strings.Join(late, "; ")
	case !m.ready:
		return "Connecting to the mailboxes"
	case len(missing) > 0:
		return fmt.Sprintf("Running in mode %s; out of reach: %s", m.cfg.Policy.Mode, strings.Join(missing, "; "))
	}
	return fmt.Sprintf("Running in mode %s; everything is reached", m.cfg.Policy.Mode)
}

func (m *manager) send(words ...string) {
	if len(words) == 0 {
		return
	}
	if err := m.opt.Notify(strings.Join(words, "\n")); err != nil {
		m.log.Error("daemon: the service manager could not be told how it goes", "err", err)
	}
}
