// Package daemon wires the rooms together: from a configuration to the three
// running loops. The program, its demo and the tests all go through it.
package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/handlers"
	"push.guru/supportd/handlers/after"
	"push.guru/supportd/handlers/users/boltusers"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/handlers/users/sqlusers"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/classify"
	"push.guru/supportd/inbox/console"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/queue"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/screen"
	"push.guru/supportd/inbox/sender"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
	"push.guru/supportd/templates"
)

// Options are what tests and the demo put in place of the world outside.
type Options struct {
	Log *slog.Logger // nil: none

	// DialIMAP and DialSMTP connect; nil: the network.
	DialIMAP, DialSMTP func(ctx context.Context, network, addr string) (net.Conn, error)
	// Lookup asks DNS for TXT records; nil: the resolver of the configuration.
	Lookup func(ctx context.Context, name string) ([]string, error)
	// Perform wraps what carries jobs out; nil: as it is.
	Perform func(next queue.Performer) queue.Performer
	// Find wraps what looks people up for intake; nil: as it is.
	Find func(next intake.Finder) intake.Finder
	// Map says what the site stores; nil: the map of the embedded store.
	Map *datamap.Map
	// Point is called at the named moments; nil: not at all.
	Point func(name string)
	// Progress is told how far a backlog has come; nil: the log is.
	Progress func(intake.Progress)
	// Wall gives what the machine's clock shows; nil: time.Now.
	Wall func() time.Time
	// NoSocket has no control socket opened, which virtual time cannot hold.
	NoSocket bool
	// NoConsole has no console served.
	NoConsole bool

	// Notify tells the service manager something in the words of sd_notify(3);
	// nil: there is none.
	Notify func(words string) error
	// Watchdog is within what time the service manager wants to hear that we are
	// alive; 0: it does not.
	Watchdog time.Duration
}

// Daemon is a configured supportd. It holds the state while it is open.
type Daemon struct {
	cfg    *config.Config
	opt    Options
	log    *slog.Logger
	state  *state.DB
	store  store
	intake *intake.Intake
	queue  *queue.Queue
	outbox *outbox.Outbox
	desk   *review.Desk
	staff  *staff.Staff
	fields *datamap.Map

	listener   net.Listener // of the console, until it is served
	console    *console.Server
	consoleURL string
	keeper     *cases.Keeper

	handlers *handlers.Handlers
	signs

	embedded *boltusers.Store // the store, if it is the embedded one
	database *sqlusers.Store  // the store, if it is the site's own
	answered bool             // the database has answered, and the data map fits it
}

// Open opens the state and the user store and wires everything. Close must
// follow.
func Open(ctx context.Context, cfg *config.Config, opt Options) (*Daemon, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	d := &Daemon{cfg: cfg, opt: opt, log: opt.Log}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Daemon) open(ctx context.Context) (err error) {
	d.signs = newSigns(d.cfg)
	d.opt.Lookup = d.watched(lookups(d.cfg, d.opt))
	if d.state, err = state.Open(state.Config{Dir: d.cfg.StateDir, Forgotten: d.cfg.Backup.Forgotten, ForgottenKeep: d.cfg.Backup.Keep, Log: d.log, Point: d.opt.Point,
		Dates: cases.Dates(d.cfg.Deadlines.Clock), Wrote: d.wrote, Wall: d.opt.Wall}); err != nil {
		return err
	}
	if err := d.openStore(ctx); err != nil {
		return err
	}
	p, err := newParts(d.cfg, d.opt)
	if err != nil {
		return err
	}
	d.handlers = handlers.New(d.store, p.fields, copies(d.cfg), hook(d.cfg.Users.After))
	d.keeper, d.fields = cases.New(p.cases), p.fields
	d.staff = staff.New(staff.Config{State: d.state, Site: siteNames(d.cfg), Log: d.log})
	d.build(p, d.handlers)
	if err := d.sign(); err != nil {
		return err
	}
	if d.state.Restored() {
		d.log.Error("daemon: the state is an older copy of itself; everything open is held and nothing is sent until \"supportd resume\"")
		if err := d.state.Update(ctx, "hold all", d.keeper.HoldAll); err != nil {
			return err
		}
	}
	return d.repeatDeletes(ctx)
}

// build makes the loops, which wake each other.
func (d *Daemon) build(p *parts, h *handlers.Handlers) {
	keeper := d.keeper
	changed := func() { d.queue.Wake(); d.outbox.Wake() }
	var performer queue.Performer = h
	if d.opt.Perform != nil {
		performer = d.opt.Perform(h)
	}
	var finder intake.Finder = h
	if d.opt.Find != nil {
		finder = d.opt.Find(h)
	}
	d.queue = queue.New(queue.Config{State: d.state, Cases: keeper, Performer: counted{performer, d.counters}, Rules: p.cases.Rules,
		Keep: d.cfg.Keep.Of, Records: d.cfg.Keep.Records, Erase: d.erases, Reapply: d.cfg.Users.Reapply, Log: d.log, Point: d.opt.Point, Replies: func() { d.outbox.Wake() }, ReadUpTo: func() time.Time { return d.intake.ReadUpTo() },
		Beat: d.pulse.Beat})
	d.outbox = outbox.New(outbox.Config{State: d.state, Cases: keeper, Boxes: d.boxes(), Mode: p.cases.Rules.Mode, Log: d.log,
		Sent: func() { d.queue.Wake() }, Watch: d.ofOutbox()})
	d.intake = intake.New(intake.Config{State: d.state, Cases: keeper, Screen: screening(d.cfg), Sender: p.sender,
		Classifier: p.classifier, People: finder, Mode: p.cases.Rules.Mode, Sources: d.sources(), Plus: plusAddresses(d.cfg), Log: d.log, Changed: changed,
		Progress: d.opt.Progress, Point: d.opt.Point, Watch: d.ofIntake()})
	d.desk = review.New(review.Config{Approvers: approvers(d.cfg), State: d.state, Cases: keeper, People: h, Region: d.cfg.Site.Region, Log: d.log, Changed: changed,
		Mailboxes: d.intake, Knows: d.knows, Eraser: eraser{h, performer}, KeepDeleted: d.cfg.Users.Reapply})
}

// approvers gives the users of this machine who may approve without proof, as
// the control socket names them.
func approvers(cfg *config.Config) []string {
	names := make([]string, len(cfg.Staff.Approvers))
	for i, user := range cfg.Staff.Approvers {
		names[i] = control.NameOf(user)
	}
	return names
}

// erases tells whether mails of deleted people are taken off a mailbox.
func (d *Daemon) erases(mailbox string) bool {
	return slices.ContainsFunc(d.cfg.Mailboxes, func(m config.Mailbox) bool { return m.Name == mailbox && m.Erase })
}

// eraser finds what is left with the handlers, and takes it away as the queue
// would.
type eraser struct {
	find interface {
		Remains(ctx context.Context, job inbox.Job) (inbox.Remains, error)
	}
	queue.Performer
}

// Remains implements review.Eraser.
func (e eraser) Remains(ctx context.Context, job inbox.Job) (inbox.Remains, error) {
	return e.find.Remains(ctx, job)
}

// parts are the rooms that need no state.
type parts struct {
	cases      cases.Config
	classifier *classify.Classifier
	sender     *sender.Checker
	fields     *datamap.Map
}

func newParts(cfg *config.Config, opt Options) (*parts, error) {
	var faults []error
	p := &parts{fields: opt.Map}
	if p.fields == nil {
		p.fields = cfg.Users.Map
	}
	letters, err := templates.Load(folder(cfg.Templates.Dir), cfg.Site.Languages, p.fields.ColumnLabel)
	faults = append(faults, err)
	p.classifier, err = classify.New(classify.Options{Region: cfg.Site.Region, Languages: cfg.Site.Languages,
		Overlay: folder(cfg.Classify.Dir), Fields: p.fields.Words()})
	faults = append(faults, err)
	p.sender, err = newChecker(cfg, opt)
	faults = append(faults, err)
	p.cases = cases.Config{Rules: rules(cfg), Letters: letters, Clock: cfg.Deadlines.Clock, Map: p.fields, Guards: guards(cfg.Users), Staff: cfg.Staff.Notify, Log: opt.Log,
		Site: templates.Site{Name: cfg.Site.Name, AccountURL: cfg.Site.AccountURL, ConsoleURL: cfg.Console.Elsewhere(), Zone: cfg.Site.Location}}
	for _, m := range cfg.Mailboxes {
		p.cases.Mailboxes = append(p.cases.Mailboxes, cases.Mailbox{Name: m.Name, Address: m.Address, Plus: m.Plus})
	}
	return p, errors.Join(faults...)
}

// newChecker makes what finds out who sent a mail.
func newChecker(cfg *config.Config, opt Options) (*sender.Checker, error) {
	return sender.New(sender.Config{Own: ownAddresses(cfg), TrustedIDs: cfg.Proof.TrustedAuthservIDs, MicrosoftTenant: cfg.Proof.MicrosoftTenant,
		OwnHops: cfg.Proof.OwnHops, DKIM: cfg.Proof.DKIM, MaxAge: cfg.Proof.MaxAge, LookupTXT: lookups(cfg, opt)})
}

// folder gives an overlay folder, or nil when there is none.
func folder(dir string) fs.FS {
	if dir == "" {
		return nil
	}
	return os.DirFS(dir)
}

func rules(cfg *config.Config) policy.Rules {
	c := cfg.Policy
	r := policy.Rules{Mode: policy.Mode(c.Mode), ConfirmTTL: c.ConfirmTTL, Of: make(map[policy.Subject]policy.Rule),
		Limits: policy.Limits{Unproven: c.Limits.Unproven, Proven: c.Limits.Proven, Week: c.Limits.Week, Thread: c.Limits.Thread, EffectsPerHour: c.Limits.EffectsPerHour}}
	for name, rule := range c.Rules {
		r.Of[policy.Subject(name)] = policy.Rule{Confirm: policy.Confirm(rule.Confirm), Review: policy.Review(rule.Review), CoolOff: rule.CoolOff}
	}
	return r
}

func ownAddresses(cfg *config.Config) []string {
	var own []string
	for _, m := range cfg.Mailboxes {
		own = append(append(own, m.Address), m.Aliases...)
	}
	return own
}

// siteNames lists what a password of the staff must not be made of.
func siteNames(cfg *config.Config) []string {
	names := []string{cfg.Site.Name}
	for _, own := range ownAddresses(cfg) {
		local, domain, _ := strings.Cut(own, "@")
		names = append(names, local, domain)
	}
	return names
}

func screening(cfg *config.Config) screen.Config {
	return screen.Config{Own: ownAddresses(cfg), Domains: cfg.Screen.OwnDomains, SpamHeader: cfg.Screen.SpamHeader}
}

// hook gives what tells the rest of the site of effects; nil when nobody is.
func hook(a config.After) after.Hook {
	switch {
	case a.URL != "":
		return after.NewWebhook(a.URL, a.Secret(), nil)
	case len(a.Command) > 0:
		return after.NewCommand(a.Command)
	}
	return nil
}

// guards says for whom staff see everything first.
func guards(u config.Users) cases.Guards {
	g := cases.Guards{Protected: u.Protected}
	if u.Dormant != (config.Age{}) {
		g.Dormant = u.Dormant.Before
	}
	return g
}

// copies says how large a mail with a copy may be: it may leave through any
// mailbox.
func copies(cfg *config.Config) handlers.Copies {
	c := handlers.Copies{Site: cfg.Site.Name}
	for _, m := range cfg.Mailboxes {
		if size := int(m.SMTP.MaxReplyBytes); c.PartBytes == 0 || size < c.PartBytes {
			c.PartBytes = size
		}
		if n := m.SMTP.MaxParts; c.MaxParts == 0 || n < c.MaxParts {
			c.MaxParts = n
		}
	}
	return c
}

// plusAddresses lists those of our addresses that are delivered with a detail.
func plusAddresses(cfg *config.Config) []string {
	var out []string
	for _, m := range cfg.Mailboxes {
		if m.Plus {
			out = append(append(out, m.Address), m.Aliases...)
		}
	}
	return out
}

func (d *Daemon) sources() []intake.Source {
	var out []intake.Source
	for _, m := range d.cfg.Mailboxes {
		c := imapConfig(m, d.cfg.Policy.MaxMessageBytes, d.opt)
		out = append(out, intake.Source{Name: m.Name, Folder: m.Folder, Filed: m.Filed, Junk: m.Junk, Keep: m.Keep, Erase: m.Erase, Poll: m.Poll,
			TakeAll: m.FirstRun == "all", Forms: m.Forms, Connect: func(ctx context.Context) (*mailbox.Session, error) { return mailbox.Connect(ctx, c) }})
	}
	return out
}

func imapConfig(m config.Mailbox, maxBytes int64, opt Options) mailbox.Config {
	return mailbox.Config{Name: m.Name, Server: m.IMAP, Username: m.Login.Username, Secret: m.Login.Secret(), XOAUTH2: m.Login.XOAUTH2,
		RootCAs: m.Login.RootCAs, Dial: opt.DialIMAP, MaxBytes: maxBytes, Log: opt.Log}
}

func (d *Daemon) boxes() []outbox.Box {
	var out []outbox.Box
	for _, m := range d.cfg.Mailboxes {
		c := smtpConfig(m.SMTP, d.opt)
		out = append(out, outbox.Box{Name: m.Name, Connections: max(m.SMTP.Connections, 1), MaxBytes: int(m.SMTP.MaxReplyBytes),
			Open: func() outbox.Sender { return outbox.NewTransport(c) }})
	}
	return out
}

func smtpConfig(s config.SMTP, opt Options) outbox.TransportConfig {
	return outbox.TransportConfig{Server: s.Server, Username: s.Login.Username, Secret: s.Login.Secret(), XOAUTH2: s.Login.XOAUTH2,
		RootCAs: s.Login.RootCAs, Dial: opt.DialSMTP, Log: opt.Log, Point: opt.Point}
}

// Close releases the state and the user store.
func (d *Daemon) Close() error {
	var errs []error
	if d.listener != nil {
		errs = append(errs, d.listener.Close())
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	if d.state != nil {
		errs = append(errs, d.state.Close())
	}
	return errors.Join(errs...)
}

// Service answers the calls of the command line.
func (d *Daemon) Service() *control.Service {
	s := &control.Service{State: d.state, Desk: d.desk, Intake: d.intake, People: d.store, Seal: sealTo(d.cfg.Backup.Recipient), Staff: d.staff, Console: cmp.Or(d.consoleURL, d.cfg.Console.URL)}
	if d.embedded != nil {
		s.Store = d.embedded
	}
	return s
}

// Run takes mail in, carries requests out and delivers replies until ctx ends,
// and answers the command line meanwhile. It returns when every loop has
// stopped.
func (d *Daemon) Run(ctx context.Context) error {
	if err := d.Listen(); err != nil {
		return err
	}
	serve := func(ctx context.Context) error { <-ctx.Done(); return nil }
	if !d.opt.NoSocket {
		l, err := control.Listen(control.Socket(d.cfg.StateDir))
		if err != nil {
			return err
		}
		serve = func(ctx context.Context) error { return control.Serve(ctx, l, d.Service(), d.log) }
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	loops := []struct {
		name string
		run  func(context.Context) error
	}{
		{"intake", d.intake.Run}, {"queue", d.queue.Run}, {"outbox", d.outbox.Run}, {"heartbeat", d.heartbeat},
		{"user store", d.untilAnswered}, {"compaction", d.compact},
		{"control", serve}, {"watch", d.watchOver}, {"service manager", d.tellManager}, {"console", d.serveConsole},
	}
	errs := make([]error, len(loops))
	for i, loop := range loops {
		wg.Go(func() {
			defer cancel() // one that ends by itself ends all: half a daemon must not go on
			if err := loop.run(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", loop.name, err)
			}
		})
	}
	if err := d.tellPause(); err != nil {
		d.log.Error("daemon: reading the state", "err", err)
	}
	d.log.Info("daemon: running", "mode", d.cfg.Policy.Mode, "mailboxes", len(d.cfg.Mailboxes))
	wg.Wait()
	d.log.Info("daemon: stopped")
	return errors.Join(errs...)
}

// tellPause reminds of a pause: it outlasts a restart.
func (d *Daemon) tellPause() error {
	return d.state.View(func(tx *state.Tx) error {
		if effects, replies := tx.Paused(); effects || replies {
			d.log.Warn(`daemon: paused until "supportd resume"`, "effects", effects, "replies", replies)
		}
		return nil
	})
}

// heartbeat logs the head of the journal once a day and mails it to the anchor,
// so that a chain that was replaced is noticed.
func (d *Daemon) heartbeat(ctx context.Context) error {
	defer d.pulse.Beat("heartbeat", 0)
	for {
		d.pulse.Beat("heartbeat", 24*time.Hour+watchTime)
		if err := d.anchor(ctx); err != nil && ctx.Err() == nil {
			d.log.Error("daemon: the journal's head could not be noted", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(24 * time.Hour):
		}
	}
}

func (d *Daemon) anchor(ctx context.Context) error {
	err := d.state.View(func(tx *state.Tx) error {
		hash, seq, err := tx.JournalHead()
		d.log.Info("daemon: journal", "entries", seq, "head", hash)
		return err
	})
	if err != nil || d.cfg.Journal.Anchor == "" {
		return err
	}
	const note = "anchored"
	err = d.state.Update(ctx, "anchor", func(tx *state.Tx) error {
		if today := tx.Now.UTC().Format(time.DateOnly); tx.Meta(note) != today {
			return errors.Join(d.keeper.Anchor(tx, d.cfg.Journal.Anchor), tx.SetMeta(note, today))
		}
		return nil
	})
	d.outbox.Wake()
	return err
}

// Once takes everything that waits, finishes all that is due, and returns.
func (d *Daemon) Once(ctx context.Context) error {
	if err := d.queue.Recover(ctx); err != nil {
		return err
	}
	taken := d.intake.Once(ctx)
	for range 3 { // a result may make a letter due, and a sent copy an action
		if err := errors.Join(d.queue.Drain(ctx), d.outbox.Drain(ctx)); err != nil {
			return errors.Join(taken, err)
		}
	}
	return errors.Join(taken, d.queue.Tidy(ctx))
}

// Tidy forgets what was kept long enough; Run does it by itself.
func (d *Daemon) Tidy(ctx context.Context) error { return d.queue.Tidy(ctx) }

// Check is one line of "supportd check".
type Check struct {
	Name string
	Err  error // nil: ok
	Open bool  // nothing was found out, which is no fault; Name says what and why
}

// String gives the line: "ok", "FAIL" or "-", what it is about, and what is wrong.
func (c Check) String() string {
	switch {
	case c.Err != nil:
		return "FAIL  " + c.Name + ": " + strings.ReplaceAll(c.Err.Error(), "\n", "; ")
	case c.Open:
		return "-     " + c.Name
	}
	return "ok    " + c.Name
}

// CheckAll tries everything that a running daemon needs, and changes nothing.
// The state is only looked at when no daemon holds it.
func CheckAll(ctx context.Context, cfg *config.Config, opt Options) []Check {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	_, err := newParts(cfg, opt)
	out := []Check{{Name: "templates, word lists, policy", Err: err}, {Name: "state directory " + cfg.StateDir, Err: checkDir(cfg.StateDir)}}
	out = append(out, checkPaused(ctx, cfg.StateDir)...)
	out = append(out, checkDeadlines(cfg.Deadlines, tooSlow(cfg), time.Now())...)
	out = append(out, checkStore(ctx, cfg.Users)...)
	for _, m := range cfg.Mailboxes {
		out = append(out, Check{Name: "IMAP " + m.Name + " " + m.IMAP.String(), Err: checkIMAP(ctx, m, cfg, opt)})
		out = append(out, Check{Name: "SMTP " + m.Name + " " + m.SMTP.Server.String(), Err: checkSMTP(ctx, m, opt)})
	}
	out = append(out, checkConsole(cfg.Console, time.Now()))
	if err == nil && len(cfg.Staff.Notify) == 0 {
		out = append(out, Check{Name: "staff", Err: &inbox.Error{Err: errors.New("nobody is told of quarantine and failures"), Hint: "set staff.notify"}})
	}
	return out
}

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := unix.Access(filepath.Dir(dir), unix.W_OK|unix.X_OK); err != nil {
			return &inbox.Error{Err: fmt.Errorf("it is not there, and cannot be made in %s: %w", filepath.Dir(dir), err),
				Hint: "make the directory and give it to the user that runs supportd"}
		}
		return nil
	case err != nil:
		return err
	case info.Mode().Perm()&0o007 != 0:
		return &inbox.Error{Err: fmt.Errorf("everybody may enter %s", dir), Hint: "chmod 0750 " + dir}
	}
	if err := unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return &inbox.Error{Err: fmt.Errorf("it cannot be written: %w", err), Hint: "give it to the user that runs supportd, and run this as that user"}
	}
	return nil
}

// checkPaused reminds of a pause, which is no fault, and for which nothing else
// may show in days. Whoever may not look at the state is told so by checkDir.
func checkPaused(ctx context.Context, dir string) []Check {
	p, err := paused(ctx, dir)
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil
	case err != nil:
		return []Check{{Name: "state", Err: err}}
	case p.String() == "":
		return nil
	}
	return []Check{{Name: "pause: " + p.String()}}
}

// paused asks the daemon that runs, or looks at the state itself.
func paused(ctx context.Context, dir string) (p review.Paused, err error) {
	client, err := control.Dial(control.Socket(dir))
	switch {
	case errors.Is(err, control.ErrNoDaemon):
		return review.PausedIn(dir)
	case err != nil:
		return p, err
	}
	err = client.Do(ctx, control.Call{Verb: "paused"}, nil, func(item json.RawMessage) error { return json.Unmarshal(item, &p) })
	return p, err
}

func checkIMAP(ctx context.Context, m config.Mailbox, cfg *config.Config, opt Options) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s, err := mailbox.Connect(ctx, imapConfig(m, cfg.Policy.MaxMessageBytes, opt))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	folders := []string{m.Folder, m.Junk}
	for _, name := range slices.DeleteFunc(folders, func(f string) bool { return f == "" }) {
		folder, err := s.Select(ctx, name)
		if err != nil {
			return fmt.Errorf("folder %s: %w", name, err)
		}
		if m.Filed == "" && !folder.Keywords {
			return &inbox.Error{Err: errors.New("the server keeps no keywords, so accounted mail cannot be marked"), Hint: "set filed to a folder"}
		}
	}
	if m.Keep > 0 && !s.HasUIDPlus() {
		return &inbox.Error{Err: errors.New("the server has no UIDPLUS, so accounted mail cannot be expunged"), Hint: `set keep = "0s" and clean the folder by other means`}
	}
	if m.Erase && !s.HasUIDPlus() {
		return &inbox.Error{Err: errors.New("the server has no UIDPLUS, so mails of deleted people cannot be expunged"), Hint: `set erase = false and take them away by other means`}
	}
	return nil
}

func checkSMTP(ctx context.Context, m config.Mailbox, opt Options) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	t := outbox.NewTransport(smtpConfig(m.SMTP, opt))
	return errors.Join(t.Check(ctx), t.Close())
}
