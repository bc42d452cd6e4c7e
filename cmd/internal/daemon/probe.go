package daemon

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/sender"
)

// ProbeOptions say how far a probe goes.
type ProbeOptions struct {
	// Outside is host:port of the server that takes the site's mail from the
	// internet; "": mail from outside is not tried.
	Outside string
	// As is the canonical address in the From line of mail from outside; "": the
	// mailbox's own.
	As string
	// Tell gets a line whenever it waits for something; nil: nobody does.
	Tell func(line string)
	// Draw gives n Message-IDs for mails to an address, which the daemon knows
	// that runs on the mailbox; nil: it is asked over its socket.
	Draw func(ctx context.Context, n int, to string) ([]string, error)
}

const (
	probeTime   = 2 * time.Minute  // for all mails of a mailbox to arrive
	probeGrace  = 15 * time.Second // for one that need not, once the others have
	probeSend   = time.Minute      // for one mail to be taken over
	probeClean  = 30 * time.Second // for the mails to be removed
	firstLook   = time.Second      // the first pause between two looks; each is twice as long, up to
	longestLook = 15 * time.Second
	probeTries  = 2       // how often a mail of somebody else that cannot be fetched is asked for
	probeBytes  = 1 << 20 // larger mails are not ours
)

// Probe sends mails to every mailbox, looks at how they arrive, and removes
// them again. It shows what no configuration tells: whether the servers before
// us remove Authentication-Results that somebody else wrote in their name, and
// whether they write their own where own_hops says. Each finding is given to put.
//
// The forged mails carry an author of a domain that cannot exist, and are judged
// as the daemon would judge them. A daemon that runs knows the mails and leaves
// them alone; to any other reader they are automatic mail of our own.
func Probe(ctx context.Context, cfg *config.Config, opt Options, po ProbeOptions, put func(Check)) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if po.Tell == nil {
		po.Tell = func(string) {}
	}
	if po.Draw == nil {
		po.Draw = func(ctx context.Context, n int, to string) ([]string, error) {
			return drawIDs(ctx, cfg.StateDir, n, to)
		}
	}
	checker, err := newChecker(cfg, opt)
	if err != nil {
		put(Check{Name: "probe", Err: err})
		return
	}
	for _, m := range cfg.Mailboxes {
		p := &probe{ProbeOptions: po, cfg: cfg, box: m, opt: opt, checker: checker, genuine: hopsUnknown,
			put: func(c Check) { c.Name = "probe " + m.Name + ": " + c.Name; put(c) }}
		p.run(ctx)
	}
	if po.Outside == "" {
		put(Check{Open: true, Name: "not proven: mail from outside (to prove it, give --from-outside HOST:25, the server that takes " +
			"your mail from the internet; this machine must be able to reach it)"})
	}
}

// drawIDs asks the daemon that runs. Where none does nobody has to know them.
func drawIDs(ctx context.Context, stateDir string, n int, to string) (ids []string, err error) {
	client, err := control.Dial(control.Socket(stateDir))
	if errors.Is(err, control.ErrNoDaemon) {
		for range n {
			ids = append(ids, intake.NewProbeID(address.DomainOf(to)))
		}
		return ids, nil
	}
	if err != nil {
		return nil, err
	}
	err = client.Do(ctx, control.Call{Verb: "probe", Address: to, Mails: n}, nil, func(item json.RawMessage) error {
		var d control.Drawn
		err := json.Unmarshal(item, &d)
		ids = append(ids, d.MessageID)
		return err
	})
	if err == nil && len(ids) != n {
		err = fmt.Errorf("the daemon drew %d Message-IDs in place of %d", len(ids), n)
	}
	return ids, err
}

// probe is what happens to one mailbox.
type probe struct {
	ProbeOptions
	cfg     *config.Config
	box     config.Mailbox
	opt     Options
	checker *sender.Checker
	put     func(Check)

	session *mailbox.Session // nil: to be opened
	places  []*probePlace
	trials  []*trial
	waited  time.Duration
	genuine int // Received lines above our server's results in mail from outside, or one of the below
}

// What probe.genuine is when it is no number of lines.
const (
	hopsUnknown = -1 // no mail from outside was seen
	hopsNever   = -2 // our server writes no results on it
)

// probePlace is a folder in which mails of the probe may turn up.
type probePlace struct {
	folder mailbox.Folder
	from   uint32         // the first UID that was not there before
	tried  map[uint32]int // how often a mail was asked for; probeTries: done with
}

// trial is one mail of the probe.
type trial struct {
	outside bool   // comes the way of a stranger's mail
	claims  string // the authserv-id in whose name it brings results along, or ""
	from    string
	to      string
	id      string // Message-ID
	mark    string // stands in its subject, and in the results that it brings along
	spare   bool   // the others are not kept waiting for it

	sent  outbox.Result // Outcome 0: it was not tried, for the way is closed
	found []inbox.Raw   // every copy that arrived
}

func (p *probe) run(ctx context.Context) {
	defer p.disconnect()
	if err := p.prepare(ctx); err != nil {
		p.put(Check{Name: "nothing was sent", Err: err})
		return
	}
	p.send(ctx)
	if err := p.wait(ctx); err != nil {
		p.put(Check{Name: "looking for the mails", Err: err})
	}
	for _, c := range p.findings(ctx) {
		p.put(c)
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeClean)
	defer cancel()
	p.remove(clean)
}

// prepare notes what is in the mailbox already, and makes the trials.
func (p *probe) prepare(ctx context.Context) error {
	if err := p.connect(ctx); err != nil {
		return err
	}
	for _, name := range []string{p.box.Folder, p.box.Junk, p.box.Filed} {
		if name == "" {
			continue
		}
		place, err := p.survey(ctx, name)
		if err != nil && (name != p.box.Filed || ctx.Err() != nil) { // filed is made with the first mail
			return fmt.Errorf("folder %s: %w", name, err)
		}
		if err == nil {
			p.places = append(p.places, place)
		}
	}
	p.plan()
	ids, err := p.Draw(ctx, len(p.trials), p.box.Address)
	if err != nil {
		return fmt.Errorf("having the daemon leave the mails alone: %w", err)
	}
	for i, t := range p.trials {
		t.id, t.mark = ids[i], strings.ToLower(rand.Text())
	}
	return nil
}

func (p *probe) survey(ctx context.Context, name string) (*probePlace, error) {
	folder, err := p.session.Select(ctx, name)
	if err != nil {
		return nil, err
	}
	place := &probePlace{folder: folder, from: folder.UIDNext, tried: make(map[uint32]int)}
	if place.from != 0 {
		return place, nil
	}
	uids, err := p.session.UIDs(ctx)
	if len(uids) > 0 {
		place.from = uids[len(uids)-1] + 1
	}
	return place, err
}

// plan lists the mails: for each way a plain one and one forgery an
// authserv-id, and one to a plus-address.
func (p *probe) plan() {
	own := p.box.Address
	way := func(outside bool, from string) {
		p.trials = append(p.trials, &trial{outside: outside, from: from, to: own})
		for _, id := range p.cfg.Proof.TrustedAuthservIDs {
			p.trials = append(p.trials, &trial{outside: outside, from: "probe@probe-" + token(8) + ".example", to: own, claims: id})
		}
	}
	way(false, own)
	if p.Outside != "" {
		as := p.As
		if as == "" {
			as = own
		}
		way(true, as)
	}
	local, domain, _ := strings.Cut(own, "@")
	p.trials = append(p.trials, &trial{from: own, to: local + "+probe" + token(8) + "@" + domain, spare: !p.box.Plus})
}

func token(n int) string { return strings.ToLower(rand.Text()[:n]) }

// isPlus tells whether the mail goes to a plus-address.
func (p *probe) isPlus(t *trial) bool { return t.to != p.box.Address }

// send hands the mails over. When a server cannot be talked to, the mails that
// would go the same way are not tried.
func (p *probe) send(ctx context.Context) {
	within := outbox.NewTransport(smtpConfig(p.box.SMTP, p.opt))
	defer within.Close()
	without := outbox.NewTransport(p.stranger())
	defer without.Close()
	closed, told := make(map[bool]bool), make(map[bool]bool)
	for _, t := range p.trials {
		if closed[t.outside] {
			continue
		}
		if !told[t.outside] {
			p.Tell(fmt.Sprintf("%s: sending %s to %s", p.box.Name, kindOf(t), p.server(t.outside)))
		}
		told[t.outside] = true
		transport, envelope := within, p.box.Address
		if t.outside {
			transport, envelope = without, "" // whatever comes of it, nobody gets a report
		}
		raw, err := t.compose()
		if err != nil {
			t.sent = outbox.Result{Outcome: outbox.Permanent, Err: err}
			continue
		}
		limited, cancel := context.WithTimeout(ctx, probeSend)
		t.sent = transport.Send(limited, envelope, t.to, raw)
		cancel()
		var auth *outbox.AuthError
		closed[t.outside] = t.sent.Err != nil && (t.sent.Code == 0 || errors.As(t.sent.Err, &auth))
	}
}

// stranger is how a server on the internet hands mail over: without a login,
// and without TLS, for there is nothing to hide in it.
func (p *probe) stranger() outbox.TransportConfig {
	host, port, _ := net.SplitHostPort(p.Outside) // "" is never dialled
	return outbox.TransportConfig{Server: outbox.Server{Host: host, Port: port, Security: outbox.Insecure}, Dial: p.opt.DialSMTP, Log: p.opt.Log}
}

// server names the server that mail is handed to.
func (p *probe) server(outside bool) string {
	if outside {
		return p.Outside
	}
	return p.box.SMTP.Server.String()
}

func (t *trial) compose() ([]byte, error) {
	raw, err := outbox.Compose(&inbox.ReplyDetail{MessageID: t.id, From: inbox.Address{Addr: t.from}, To: t.to, Subject: t.subject(),
		Text: "\"supportd check --probe\" sent this mail to see how mail arrives here. It is removed by itself;\nif it is still there tomorrow, delete it.\n"},
		nil, time.Now(), outbox.AutoGenerated)
	if err != nil || t.claims == "" {
		return raw, err
	}
	forged := fmt.Sprintf("Authentication-Results: %s;\r\n dmarc=pass reason=%q header.from=%s\r\n", t.claims, t.mark, address.DomainOf(t.from))
	return append([]byte(forged), raw...), nil
}

func (t *trial) subject() string { return "supportd probe " + t.mark }

// awaited tells whether the mail was taken over and has not arrived.
func (t *trial) awaited() bool {
	return len(t.found) == 0 && (t.sent.Outcome == outbox.Sent || t.sent.Outcome == outbox.Unknown)
}

// wait looks into the mailbox, with growing pauses, until everything has
// arrived or the time is over.
func (p *probe) wait(ctx context.Context) error {
	began := time.Now()
	defer func() { p.waited = time.Since(began).Round(time.Second) }()
	end := began.Add(probeTime)
	last := -1
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		err := p.look(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		missing, spare := 0, 0
		for _, t := range p.trials {
			if t.awaited() && t.spare {
				spare++
			} else if t.awaited() {
				missing++
			}
		}
		if missing == 0 && last != 0 {
			end = earlier(end, time.Now().Add(probeGrace))
		}
		left := time.Until(end)
		if missing+spare == 0 || left <= 0 {
			return err
		}
		if last != missing {
			p.Tell(fmt.Sprintf("%s: waiting for %s in %s, for at most %s", p.box.Name, count(missing+spare, "mail"), p.folders(), left.Round(time.Second)))
		}
		last = missing
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(pause, left)):
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func (p *probe) folders() string {
	var names []string
	for _, place := range p.places {
		names = append(names, place.folder.Name)
	}
	return strings.Join(names, ", ")
}

func (p *probe) connect(ctx context.Context) error {
	if p.session != nil {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s, err := mailbox.Connect(limited, imapConfig(p.box, probeBytes, p.opt))
	if err != nil {
		return err
	}
	p.session = s
	return nil
}

func (p *probe) disconnect() {
	if p.session != nil {
		_ = p.session.Close() // it never fails
		p.session = nil
	}
}

// look reads what is new in the mailbox. It sets no flags. After an error the
// next look connects anew.
func (p *probe) look(ctx context.Context) error {
	err := p.connect(ctx)
	for _, place := range p.places {
		if err == nil {
			err = p.lookInto(ctx, place)
		}
	}
	if err != nil {
		p.disconnect()
	}
	return err
}

func (p *probe) lookInto(ctx context.Context, place *probePlace) error {
	if err := p.enter(ctx, place); err != nil {
		return err
	}
	uids, err := p.session.UIDsFrom(ctx, place.from)
	if err != nil {
		return err
	}
	for _, uid := range uids { // one by one: a mail of somebody else must not hide ours
		if place.tried[uid] >= probeTries {
			continue
		}
		place.tried[uid]++
		if err := p.session.Fetch(ctx, place.folder, []uint32{uid}, func(raw inbox.Raw) error { p.recognise(raw); return nil }); err != nil {
			return err
		}
		place.tried[uid] = probeTries
	}
	return nil
}

// enter selects a folder, which must be the one that was surveyed.
func (p *probe) enter(ctx context.Context, place *probePlace) error {
	folder, err := p.session.Select(ctx, place.folder.Name)
	if err == nil && folder.UIDValidity != place.folder.UIDValidity {
		err = errors.New("the server numbered its mails anew meanwhile")
	}
	if err != nil {
		return fmt.Errorf("folder %s: %w", place.folder.Name, err)
	}
	return nil
}

// recognise keeps a mail that is ours. Some servers give a mail another
// Message-ID, so the subject is enough; a report about the mail only quotes it.
func (p *probe) recognise(raw inbox.Raw) {
	m := parse.Message(raw.Bytes, parse.Options{})
	for _, t := range p.trials {
		if m.ID == t.id || m.Subject == t.subject() {
			t.found = append(t.found, raw)
		}
	}
}

// remove takes the mails away again, or says where they are.
func (p *probe) remove(ctx context.Context) {
	byFolder := make(map[string][]uint32)
	late, removed, taken := 0, 0, 0
	for _, t := range p.trials {
		for _, raw := range t.found {
			byFolder[raw.Ref.Folder] = append(byFolder[raw.Ref.Folder], raw.Ref.UID)
		}
		if t.awaited() {
			late++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byFolder)) {
		uids := byFolder[name]
		n, err := p.expunge(ctx, name, uids)
		switch {
		case err == nil:
			removed += n
			taken += len(uids) - n
		case errors.Is(err, mailbox.ErrNoUIDPlus):
			p.put(Check{Open: true, Name: "not removed, because the server has no UIDPLUS: " + left(name, uids)})
		default:
			p.put(Check{Name: "not removed: " + left(name, uids), Err: err})
		}
	}
	if removed > 0 {
		p.put(Check{Name: "removed the probe's " + count(removed, "mail") + " from the mailbox"})
	}
	if late > 0 {
		p.put(Check{Open: true, Name: "not removed, for it has not arrived: " + count(late, "mail") + ", should it still come, " + byHand})
	}
	if taken > 0 {
		p.put(Check{Open: true, Name: "not removed, for somebody else took it away: " + count(taken, "mail") +
			"; a daemon that was started meanwhile files such mail, and answers none of it"})
	}
}

const byHand = `delete by hand what has a subject that begins with "supportd probe"`

func left(folder string, uids []uint32) string {
	return fmt.Sprintf("%s in %s, UID %s; %s", count(len(uids), "mail"), folder, strings.Trim(strings.ReplaceAll(fmt.Sprint(uids), " ", ", "), "[]"), byHand)
}

// expunge removes mails from a folder, and tells how many of them were there.
func (p *probe) expunge(ctx context.Context, name string, uids []uint32) (int, error) {
	if err := p.connect(ctx); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(p.places, func(place *probePlace) bool { return place.folder.Name == name })
	if err := p.enter(ctx, p.places[i]); err != nil {
		return 0, err
	}
	present, err := p.session.UIDsFrom(ctx, slices.Min(uids))
	if err != nil {
		return 0, err
	}
	here := slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return !slices.Contains(present, uid) })
	if len(here) == 0 {
		return 0, nil
	}
	return len(here), p.session.Expunge(ctx, here)
}
