package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/console"
	"push.guru/supportd/inbox/staff"
)

// Listen opens the console's address, if there is to be one. Run does it by
// itself; who wants to know the address before that may do it earlier. A port
// of 0 becomes one that is free.
func (d *Daemon) Listen() error {
	c := &d.cfg.Console
	if d.console != nil || d.listener != nil || d.opt.NoConsole || c.Listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &inbox.Error{Err: fmt.Errorf("opening the console: %w", err), Hint: "set another listen under [console]"}
	}
	if err != nil {
		return fmt.Errorf("opening the console: %w", err)
	}
	url := c.URL
	if strings.HasSuffix(url, c.Listen) {
		url = strings.TrimSuffix(url, c.Listen) + l.Addr().String()
	}
	if c.Cert != "" {
		pair, err := certificate(*c)
		if err != nil {
			return errors.Join(err, l.Close())
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	d.listener = l
	d.console, err = console.New(console.Config{Desk: d.desk, Staff: d.staff, Replay: d.intake, Site: d.cfg.Site.Name, Zone: d.cfg.Site.Location, Law: d.cfg.Deadlines.Profile,
		Mailboxes: mailboxNames(d.cfg), Fields: d.fields.Fields(), Label: d.fields.ColumnLabel, URL: url, Proxies: c.Proxies, ProxiesOnly: proxiesOnly(*c), Revision: d.state.Revision, Log: d.log, Before: d.health.Or},
		l.Addr().String())
	if err == nil {
		d.consoleURL = url
	}
	return err
}

// certificate reads the console's certificate.
func certificate(c config.Console) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return pair, &inbox.Error{Err: fmt.Errorf("reading the console's certificate: %w", err), Hint: "tls_cert and tls_key under [console] are PEM files that supportd may read"}
	}
	return pair, nil
}

func mailboxNames(cfg *config.Config) []string {
	var names []string
	for _, m := range cfg.Mailboxes {
		names = append(names, m.Name)
	}
	return names
}

// serveConsole serves the console until ctx ends.
func (d *Daemon) serveConsole(ctx context.Context) error {
	if d.console == nil {
		<-ctx.Done()
		return nil
	}
	d.log.Info("daemon: console", "url", d.consoleURL)
	if all, err := d.staff.List(); err == nil && len(all) == 0 {
		d.log.Info(`daemon: nobody can sign in to the console yet; "supportd staff add NAME --role admin" makes an account`)
	}
	l := d.listener
	d.listener = nil // whoever serves it closes it
	return d.console.Serve(ctx, l)
}

// knows tells whether something can be handed over to a name: somebody of the
// staff who may act. While nobody has an account, staff go by the names that
// they have on the machine.
func (d *Daemon) knows(_ context.Context, name string) bool {
	all, err := d.staff.List()
	return err == nil && (len(all) == 0 || slices.ContainsFunc(all, func(a staff.Account) bool { return a.Name == name && !a.Disabled && a.Role.May(staff.RightAct) }))
}

// Invite gives a link that signs somebody in once, without a password: for the
// demo and for tests. Who has no account gets one.
func (d *Daemon) Invite(ctx context.Context, name string, role staff.Role) (string, error) {
	if err := d.Listen(); err != nil {
		return "", err
	}
	if d.console == nil {
		return "", errors.New("there is no console")
	}
	token, err := d.staff.Link(ctx, inbox.WhoProgram, name)
	if err != nil {
		if _, err := d.staff.Add(ctx, inbox.WhoProgram, name, role); err != nil {
			return "", err
		}
		token, err = d.staff.Link(ctx, inbox.WhoProgram, name)
	}
	return d.console.Link(token), err
}

// checkConsole tries what the console needs, as far as that can be without
// opening it, and says where it is.
func checkConsole(c config.Console, now time.Time) Check {
	if c.Listen == "" {
		return Check{Name: "console: none is served", Open: true}
	}
	_, names, err := console.Names(c.URL, c.Listen)
	line := "console " + c.URL + ": answers to " + strings.Join(names, ", ")
	if len(c.Proxies) > 0 {
		line += map[bool]string{true: "; only behind ", false: "; behind "}[proxiesOnly(c)] + joined(c.Proxies)
	}
	if c.Cert == "" || err != nil {
		return Check{Name: line, Err: err}
	}
	pair, err := certificate(c)
	if err != nil {
		return Check{Name: line, Err: err}
	}
	until := pair.Leaf.NotAfter
	if line += "; certificate until " + until.UTC().Format(time.DateOnly); !until.After(now) {
		err = &inbox.Error{Err: errors.New("the certificate has expired"), Hint: "renew tls_cert, and restart"}
	}
	return Check{Name: line, Err: err}
}

// proxiesOnly tells whether only a proxy may reach the console: it is where
// others are, and does not encrypt.
func proxiesOnly(c config.Console) bool {
	host, _, err := net.SplitHostPort(c.Listen)
	ip, _ := netip.ParseAddr(host) // a name other than localhost is none of this machine
	return err == nil && c.Cert == "" && len(c.Proxies) > 0 && host != "localhost" && !ip.IsLoopback()
}

func joined(nets []netip.Prefix) string {
	var all []string
	for _, p := range nets {
		all = append(all, p.String())
	}
	return strings.Join(all, ", ")
}
