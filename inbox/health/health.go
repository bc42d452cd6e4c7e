package health

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox/state"
)

// Config is what Health looks at. Every field must be set, but Allow, Proxies,
// Version, GoVersion and Log.
type Config struct {
	State      *state.DB
	Pulse      *Pulse
	Services   *Services
	Counters   *Counters
	WaitsSince func(mailbox string) time.Time // since when it has had mail that is not on record
	Allow      []netip.Prefix                 // who may ask beside this machine
	Proxies    []netip.Prefix                 // whose word on whom they ask for is believed, beside those on this machine
	Version    string                         // of the program
	GoVersion  string
	Log        *slog.Logger // nil: none
}

// Health answers for the program. It is the http.Handler of its three
// addresses; see [Health.Serves].
type Health struct {
	Config
	began time.Time
}

// New gives a Health.
func New(c Config) *Health {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Health{Config: c, began: time.Now()}
}

// The addresses.
const (
	pathHealth  = "/healthz"
	pathReady   = "/readyz"
	pathMetrics = "/metrics"
)

// Serves tells whether an address is one of Health's. Whoever mounts it beside
// other pages asks this before it asks who is signed in.
func (h *Health) Serves(path string) bool {
	return path == pathHealth || path == pathReady || path == pathMetrics
}

// Or gives what answers Health's addresses and leaves the rest to next.
func (h *Health) Or(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Serves(r.URL.Path) {
			h.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP answers one request, or refuses it: 403 to strangers, 404 and 405
// where there is nothing.
func (h *Health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	switch {
	case !h.Serves(r.URL.Path):
		http.NotFound(w, r)
	case !h.allowed(r):
		http.Error(w, "only this machine, and whom console.health_from names, may ask", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
	case r.URL.Path == pathMetrics:
		h.metrics(w)
	case r.URL.Path == pathHealth:
		say(w, h.Pulse.Late())
	default:
		say(w, h.Missing())
	}
}

// Missing says what keeps the program from its work, one line each; nothing
// when it is ready.
func (h *Health) Missing() []string {
	if err := h.State.View(func(*state.Tx) error { return nil }); err != nil {
		return append([]string{"state: " + line(err)}, h.Services.Missing()...)
	}
	return h.Services.Missing()
}

// say answers "ok", or 503 with what is wrong.
func say(w http.ResponseWriter, wrong []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	text := "ok"
	if len(wrong) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = strings.Join(wrong, "\n")
	}
	_, _ = w.Write([]byte(text + "\n")) // who asked and went away has no answer
}

func (h *Health) metrics(w http.ResponseWriter) {
	var b bytes.Buffer
	if err := h.write(&b); err != nil {
		h.Log.Error("health: reading the state for the metrics", "err", err)
		http.Error(w, "the state cannot be read; the log has the details", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// allowed tells whether a request comes from this machine or from somebody whom
// the configuration names. A proxy passes on what others ask, so for whom it
// says that it asks is what counts, and one that does not say is refused. A page
// in a browser of this machine that had its name resolve to us asks for that
// name.
func (h *Health) allowed(r *http.Request) bool {
	peer, ok := addressOf(r.RemoteAddr)
	if !ok {
		return false
	}
	proxy := peer.IsLoopback() || within(peer, h.Proxies)
	if forwarded := r.Header.Values("X-Forwarded-For"); len(forwarded) > 0 {
		hops := strings.Split(strings.Join(forwarded, ","), ",")
		client, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])) // the one that our proxy wrote
		return err == nil && proxy && h.trusts(client.Unmap())
	}
	for _, name := range []string{"Forwarded", "X-Real-Ip", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	if peer.IsLoopback() {
		return isNumber(r.Host)
	}
	return !proxy && h.trusts(peer)
}

func (h *Health) trusts(a netip.Addr) bool { return a.IsLoopback() || within(a, h.Allow) }

func within(a netip.Addr, nets []netip.Prefix) bool {
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}

// addressOf reads host:port.
func addressOf(s string) (netip.Addr, bool) {
	p, err := netip.ParseAddrPort(s)
	return p.Addr().Unmap(), err == nil
}

// isNumber tells whether a Host is an IP address, or localhost.
func isNumber(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.EqualFold(host, "localhost")
}
