package daemon

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/health"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/queue"
	"push.guru/supportd/inbox/sender"
	"push.guru/supportd/inbox/state"
)

const (
	lookEvery  = time.Minute      // at what fails and what is over
	knockEvery = 10 * time.Minute // at a service that nothing else used meanwhile
	knockAgain = 2 * time.Minute  // at one that failed
	knockTime  = 30 * time.Second // for each of its steps
	slack      = 10 * time.Minute // beyond the time at which a service is used anew, until it counts as not reached
	watchTime  = 15 * time.Minute // the longest that looking may take before it is taken for hanging
)

// signs are what the daemon knows of its own health.
type signs struct {
	pulse    *health.Pulse
	services *health.Services
	counters *health.Counters
	health   *health.Health
	alarm    *health.Alarm
	refuses  *sync.Map // by mailbox: its SMTP server answers and takes no mail
}

// newSigns lists what the daemon cannot work without.
func newSigns(cfg *config.Config) signs {
	var all []health.Service
	for _, m := range cfg.Mailboxes {
		all = append(all, health.Service{Kind: health.KindIMAP, Mailbox: m.Name, Within: m.Poll + slack},
			health.Service{Kind: health.KindSMTP, Mailbox: m.Name, Within: knockEvery + slack})
	}
	all = append(all, health.Service{Kind: health.KindStore, Within: knockEvery + slack}, health.Service{Kind: health.KindState}, health.Service{Kind: health.KindDNS})
	return signs{pulse: health.NewPulse(), services: health.NewServices(all...), counters: health.NewCounters(), refuses: new(sync.Map)}
}

// watched has every lookup tell whether DNS answers. Which name was asked for
// is a sender's domain, and is not kept.
func (s signs) watched(lookup func(context.Context, string) ([]string, error)) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, name string) ([]string, error) {
		txts, err := lookup(ctx, name)
		dns, ok := errors.AsType[*net.DNSError](err)
		switch {
		case err == nil, ok && dns.IsNotFound:
			s.services.Report(health.KindDNS, "", nil)
		case errors.Is(ctx.Err(), context.Canceled):
		case ok && dns.IsTimeout, errors.Is(ctx.Err(), context.DeadlineExceeded):
			s.services.Report(health.KindDNS, "", errors.New("no answer in time"))
		default:
			s.services.Report(health.KindDNS, "", errors.New("no usable answer"))
		}
		return txts, err
	}
}

// lookups gives what asks DNS.
func lookups(cfg *config.Config, opt Options) func(context.Context, string) ([]string, error) {
	if opt.Lookup != nil {
		return opt.Lookup
	}
	return sender.Resolver(cfg.Proof.Resolver, nil)
}

func (s signs) wrote(err error) { s.services.Report(health.KindState, "", err) }

func (s signs) ofIntake() intake.Watch {
	return intake.Watch{Beat: s.pulse.Beat,
		Reached: func(mailbox string, err error) { s.services.Report(health.KindIMAP, mailbox, err) },
		Took:    func(_ string, m inbox.MailState) { s.counters.Mail(string(m)) }}
}

func (s signs) ofOutbox() outbox.Watch {
	return outbox.Watch{Beat: s.pulse.Beat,
		Reached: func(mailbox string, err error) {
			if errors.Is(err, outbox.ErrTakesNone) {
				s.refuses.Store(mailbox, true)
			} else {
				s.refuses.Delete(mailbox)
			}
			s.services.Report(health.KindSMTP, mailbox, err)
		},
		Ended: func(_ string, r inbox.ReplyState) { s.counters.Reply(string(r)) }}
}

// counted counts what is carried out.
type counted struct {
	queue.Performer
	counters *health.Counters
}

// Perform implements queue.Performer.
func (c counted) Perform(ctx context.Context, job inbox.Job) (inbox.Outcome, error) {
	o, err := c.Performer.Perform(ctx, job)
	if err == nil {
		c.counters.Effect(string(job.Kind))
	}
	return o, err
}

// sign makes what tells of the daemon's health, once the rest is open.
func (d *Daemon) sign() (err error) {
	version, goVersion := Version()
	d.health = health.New(health.Config{State: d.state, Pulse: d.pulse, Services: d.services, Counters: d.counters, WaitsSince: d.intake.WaitsSince,
		Allow: d.cfg.Console.HealthFrom, Proxies: d.cfg.Console.Proxies, Version: version, GoVersion: goVersion, Log: d.log})
	d.alarm, err = health.NewAlarm(health.AlarmConfig{State: d.state, Services: d.services, Zone: d.cfg.Site.Location, Log: d.log,
		Notify: func(tx *state.Tx, what string) error { return d.keeper.Notify(tx, what, 0) }, Direct: d.direct,
		Back: func(tx *state.Tx, s health.Service) error {
			if s.Kind != health.KindSMTP {
				return nil
			}
			return tx.HurryReplies(s.Mailbox)
		}})
	return err
}

// Version gives the versions of the program and of Go that it was built with.
func Version() (program, goVersion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)", ""
	}
	if info.Main.Version == "" {
		return "(devel)", info.GoVersion
	}
	return info.Main.Version, info.GoVersion
}

// Health answers /healthz, /readyz and /metrics.
func (d *Daemon) Health() *health.Health { return d.health }

// direct sends a notice to staff without the state.
func (d *Daemon) direct(ctx context.Context, what string) (err error) {
	letters, err := d.keeper.Unkept(what)
	if err != nil || len(letters) == 0 {
		return err
	}
	t := outbox.NewTransport(smtpConfig(d.cfg.Mailboxes[0].SMTP, d.opt))
	defer func() { err = errors.Join(err, t.Close()) }()
	for _, l := range letters {
		msg, failed := outbox.Compose(l, nil, time.Now(), outbox.AutoGenerated)
		if failed == nil {
			failed = t.Send(ctx, l.From.Addr, l.To, msg).Err
		}
		err = errors.Join(err, failed)
	}
	return err
}

// watchOver knocks at what nothing else uses, and tells staff of what fails for
// long, until ctx ends.
func (d *Daemon) watchOver(ctx context.Context) error {
	const loop = "watch"
	defer d.pulse.Beat(loop, 0)
	for {
		d.pulse.Beat(loop, watchTime)
		d.knock(ctx)
		if err := d.alarm.Look(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, state.ErrWrite) {
			d.log.Error("daemon: staff could not be told of a failure; trying again", "err", err)
		}
		d.outbox.Wake()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookEvery):
		}
	}
}

// knock tries the services that nothing has used for a while. One that nothing
// uses need not be tried.
func (d *Daemon) knock(ctx context.Context) {
	var wg sync.WaitGroup
	try := func(kind health.Kind, mailbox string, f func(context.Context) error) {
		st := d.services.Standing(kind, mailbox)
		every := knockEvery
		if !st.Since.IsZero() {
			every = knockAgain
		}
		if time.Since(st.Tried) < every {
			return
		}
		wg.Go(func() {
			if err := f(ctx); ctx.Err() == nil {
				d.services.Report(kind, mailbox, err)
			}
		})
	}
	for _, m := range d.cfg.Mailboxes {
		c := smtpConfig(m.SMTP, d.opt)
		c.Timeout = knockTime
		try(health.KindSMTP, m.Name, func(ctx context.Context) error {
			t := outbox.NewTransport(c)
			err := errors.Join(t.Check(ctx), t.Close())
			if _, refuses := d.refuses.Load(m.Name); refuses && err == nil {
				return outbox.ErrTakesNone // a greeting does not prove otherwise
			}
			return err
		})
	}
	try(health.KindStore, "", d.askStore)
	if !d.services.Standing(health.KindDNS, "").Since.IsZero() {
		try(health.KindDNS, "", d.askDNS)
	}
	wg.Wait()
}

// askStore asks a database whether it answers. The embedded store is in our
// hands.
func (d *Daemon) askStore(ctx context.Context) error {
	db, ok := d.store.(interface{ Ping(context.Context) error })
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, knockTime)
	defer cancel()
	return db.Ping(ctx)
}

// askDNS asks DNS about our own domain: that nobody answers for the domain of a
// sender is not the resolver's fault.
func (d *Daemon) askDNS(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, knockTime)
	defer cancel()
	_, err := d.opt.Lookup(asking, "_dmarc."+address.DomainOf(d.cfg.Mailboxes[0].Address))
	if err == nil || ctx.Err() != nil {
		return nil
	}
	if st := d.services.Standing(health.KindDNS, ""); st.Since.IsZero() {
		return nil // there is no such record, which is an answer
	}
	return errors.New("no usable answer")
}
