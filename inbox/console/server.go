package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/templates"
	pages "push.guru/supportd/templates/console"
)

// Replayer processes a mail anew.
type Replayer interface {
	// Replay takes a Mail that was set aside, held or ignored once more.
	Replay(ctx context.Context, id inbox.MailID, who string) error
}

// Config is what the console needs. Desk, Staff, Replay, and Site must be set.
type Config struct {
	Desk   *review.Desk
	Staff  *staff.Staff
	Replay Replayer

	Site      string              // whose console it is
	Zone      *time.Location      // of all times; nil: UTC
	Law       string              // by whose clock answers are due, as it is called; "": not shown
	Mailboxes []string            // their names
	Fields    []inbox.Field       // that a reading can be corrected to
	Label     templates.LabelFunc // names fields and places; nil: our own words
	URL       string              // what staff type into their browser, https://console.site.example; "": http:// and the address that it listens on
	Proxies   []netip.Prefix      // whose word on the address of a browser is believed

	// ProxiesOnly has others than the proxies sent away: what passes them by is
	// not encrypted.
	ProxiesOnly bool

	Revision func() (uint64, error) // grows when anything was stored; nil: open pages are not kept up to date
	Log      *slog.Logger           // nil: none

	// Before answers some addresses by itself, before it is asked who is signed
	// in and under which name, and leaves the rest to next; nil: none.
	Before func(next http.Handler) http.Handler
}

// What holds whatever the configuration says.
const (
	maxForm    = 256 << 10        // octets of a form
	maxAtOnce  = 64               // requests under way, of those who are signed in and of others each; more are sent away
	maxLive    = 200              // open pages that are kept up to date
	liveEach   = 6                // of them, of one session
	maxMade    = 64               // different parts of queues that are kept made
	lookEvery  = time.Second      // how often it is looked whether an open page must change
	slowest    = 60 * time.Second // to write an answer
	stopWithin = 10 * time.Second // for requests under way when the program stops
)

// Server is the console.
type Server struct {
	Config
	pages     *pages.Pages
	handler   http.Handler
	hosts     []string      // names under which it answers, small letters
	secure    bool          // browsers reach it over TLS
	link      string        // URL that addresses are made of
	busy      chan struct{} // taken by the requests of those who are signed in
	strangers chan struct{} // by those of others
	live      *watchers
	stop      chan struct{} // closed when the program stops: open pages end
	stopped   sync.Once
}

// New gives a console that is reached at listen, host:port.
func New(c Config, listen string) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	p, err := pages.Load(c.Zone)
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, pages: p, busy: make(chan struct{}, maxAtOnce), strangers: make(chan struct{}, maxAtOnce), stop: make(chan struct{})}
	s.live = newWatchers()
	if err := s.names(listen); err != nil {
		return nil, err
	}
	if s.handler = s.mux(); c.Before != nil {
		s.handler = c.Before(s.handler)
	}
	return s, nil
}

// names finds out under which names the console answers.
func (s *Server) names(listen string) (err error) {
	s.link, s.hosts, err = Names(s.URL, listen)
	s.secure = strings.HasPrefix(s.link, "https:")
	return err
}

// Names gives the address that links are made of, as browsers write it, and the
// names under which a console answers that is reached at address ("": at listen,
// host:port). A page that a stranger had resolve to our address asks for its own
// name, and gets nothing.
func Names(address, listen string) (link string, names []string, err error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", nil, fmt.Errorf("the console's address: %w", err)
	}
	if address == "" {
		address = "http://" + listen
	}
	link, err = PlainURL(address)
	if err != nil {
		return "", nil, err
	}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	_, own, _ := strings.Cut(link, "://")
	add(own)
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		here := []string{"localhost", "127.0.0.1", "[::1]"}
		for _, name := range here {
			if port == "80" || port == "443" { // which one of them browsers leave out, only they know
				add(name)
			}
		}
		for _, name := range here {
			add(name + ":" + port)
		}
	}
	return link, names, nil
}

// PlainURL gives a site's URL as browsers write it: the host in small letters
// and in its ASCII form, without a port that goes without saying, and nothing
// behind it.
func PlainURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("the console's URL %q names no host", s)
	}
	host := strings.ToLower(u.Hostname())
	if strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		if host, err = address.Domain(host); err != nil {
			return "", fmt.Errorf("the console's URL %q: no such host can be: %w", s, err)
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && port != map[string]string{"https": "443", "http": "80"}[u.Scheme] {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}

// Link gives the address of a one-time link.
func (s *Server) Link(token string) string { return s.link + "/link/" + url.PathEscape(token) }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers requests on l until ctx ends, and waits for those under way;
// one that takes longer than ten seconds then is cut off.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      slowest,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		Protocols:         protocols(),
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer s.end()
	wg.Go(func() { s.look(ctx) })
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving the console: %w", err)
	case <-ctx.Done():
	}
	s.end()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := srv.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Log.Warn("console: a browser was cut off")
		err = srv.Close()
	}
	<-done
	return err
}

// end has open pages end.
func (s *Server) end() { s.stopped.Do(func() { close(s.stop) }) }

func protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	return &p
}
