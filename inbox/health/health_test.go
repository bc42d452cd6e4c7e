package health

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// open opens an empty state.
func open(t testing.TB) *state.DB {
	t.Helper()
	db, err := state.Open(state.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newHealth(t testing.TB, change func(*Config)) *Health {
	t.Helper()
	c := Config{State: open(t), Pulse: NewPulse(), Counters: NewCounters(), WaitsSince: func(string) time.Time { return time.Time{} }, Version: "v1",
		Services: NewServices(Service{Kind: KindIMAP, Mailbox: "support", Within: time.Hour}, Service{Kind: KindSMTP, Mailbox: "support", Within: time.Hour},
			Service{Kind: KindStore, Within: time.Hour}, Service{Kind: KindState}, Service{Kind: KindDNS})}
	if change != nil {
		change(&c)
	}
	return New(c)
}

// get asks as somebody on this machine does.
func get(h http.Handler, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+path, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// sample is one line of a page of metrics.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

var (
	metricName  = regexp.MustCompile(`^supportd_[a-z_]+$`)
	sampleLine  = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? (\S+)$`)
	labelInside = regexp.MustCompile(`^([a-z_]+)="((?:[^"\\]|\\\\|\\"|\\n)*)"(?:,|$)`)
)

// parse reads a page strictly: HELP, TYPE and values of a metric together, each
// metric once, each set of labels once, the suffixes that its type asks for.
func parse(t testing.TB, page string) (out []sample) {
	t.Helper()
	var name, kind string
	seen := map[string]bool{}
	for s := bufio.NewScanner(strings.NewReader(page)); s.Scan(); {
		text := s.Text()
		if help, ok := strings.CutPrefix(text, "# HELP "); ok {
			name, _, _ = strings.Cut(help, " ")
			if kind = ""; seen["HELP "+name] || !metricName.MatchString(name) {
				t.Errorf("%q stands twice, or is no name", name)
			}
			seen["HELP "+name] = true
			continue
		}
		if typ, ok := strings.CutPrefix(text, "# TYPE "); ok {
			of, k, _ := strings.Cut(typ, " ")
			if kind = k; of != name || k != gauge && k != counter || (k == counter) != strings.HasSuffix(of, "_total") {
				t.Errorf("after the help of %s stands %q", name, text)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(text)
		if m == nil || m[1] != name || kind == "" || seen[m[1]+m[2]+"="] {
			t.Fatalf("%q does not belong to %q, or stands twice", text, name)
		}
		seen[m[1]+m[2]+"="] = true
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil || math.IsNaN(v) || v < 0 {
			t.Errorf("%q has no value", text)
		}
		out = append(out, sample{m[1], labels(t, m[2]), v})
	}
	return out
}

func labels(t testing.TB, s string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for s != "" {
		m := labelInside.FindStringSubmatch(s)
		if m == nil {
			t.Fatalf("the labels go on with %q", s)
		}
		out[m[1]] = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(m[2])
		s = s[len(m[0]):]
	}
	return out
}

// value finds one value; the labels are names and values in turn.
func value(t testing.TB, all []sample, name string, pairs ...string) float64 {
	t.Helper()
	i := slices.IndexFunc(all, func(s sample) bool {
		ok := s.name == name && len(s.labels) == len(pairs)/2
		for i := 0; i+1 < len(pairs); i += 2 {
			ok = ok && s.labels[pairs[i]] == pairs[i+1]
		}
		return ok
	})
	if i < 0 {
		t.Fatalf("there is no %s of %q", name, pairs)
	}
	return all[i].value
}

func TestPageIsEscaped(t *testing.T) {
	var p page
	p.begin("supportd_x", gauge, "a \\ b\nc").put(1.5, "a", "q\"b\\c\nd", "b", "")
	want := "# HELP supportd_x a \\\\ b\\nc\n# TYPE supportd_x gauge\nsupportd_x{a=\"q\\\"b\\\\c\\nd\",b=\"\"} 1.5\n"
	if got := p.b.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := parse(t, p.b.String())[0].labels["a"]; got != "q\"b\\c\nd" {
		t.Errorf("it is read as %q", got)
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 3: "3", 0.25: "0.25", 1732602000: "1732602000", 1e-7: "1e-07"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %q", v, got)
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8::1/128")}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.1.9.9/32")}
	h := newHealth(t, func(c *Config) { c.Allow, c.Proxies = allow, proxies })
	for _, c := range []struct {
		what, peer, host, header, of string
		want                         int
	}{
		{"this machine", "127.0.0.1:1", "127.0.0.1:8080", "", "", 200},
		{"this machine, by its name", "127.0.0.1:1", "localhost:8080", "", "", 200},
		{"this machine, IPv6", "[::1]:1", "[::1]:8080", "", "", 200},
		{"this machine, IPv4 in IPv6", "[::ffff:127.0.0.1]:1", "127.0.0.1", "", "", 200},
		{"a page whose name leads to us", "127.0.0.1:1", "evil.test:8080", "", "", 403},
		{"no host", "127.0.0.1:1", "", "", "", 403},
		{"a stranger", "192.0.2.7:1", "192.0.2.1:8080", "", "", 403},
		{"a stranger who says that he is here", "192.0.2.7:1", "127.0.0.1", "X-Forwarded-For", "127.0.0.1", 403},
		{"somebody named", "10.1.2.3:1", "console.test", "", "", 200},
		{"somebody named, IPv6", "[2001:db8::1]:1", "console.test", "", "", 200},
		{"somebody named who speaks for another", "10.1.2.3:1", "console.test", "X-Forwarded-For", "10.1.2.4", 403},
		{"a proxy here, for a stranger", "127.0.0.1:1", "127.0.0.1:8080", "X-Forwarded-For", "192.0.2.7", 403},
		{"a proxy here, for a stranger who lied to it", "127.0.0.1:1", "127.0.0.1:8080", "X-Forwarded-For", "127.0.0.1, 192.0.2.7", 403},
		{"a proxy here, for somebody named", "127.0.0.1:1", "console.test", "X-Forwarded-For", "192.0.2.7, 10.1.2.3", 200},
		{"a proxy here that does not say for whom", "127.0.0.1:1", "127.0.0.1:8080", "X-Forwarded-Proto", "https", 403},
		{"a proxy here with another word for it", "127.0.0.1:1", "127.0.0.1:8080", "Forwarded", "for=127.0.0.1", 403},
		{"a proxy here that writes nonsense", "127.0.0.1:1", "127.0.0.1:8080", "X-Forwarded-For", "unknown", 403},
		{"a trusted proxy, for somebody named", "10.1.9.9:1", "console.test", "X-Forwarded-For", "10.1.2.3", 200},
		{"a trusted proxy, for a stranger", "10.1.9.9:1", "console.test", "X-Forwarded-For", "192.0.2.7", 403},
		{"a trusted proxy that does not say for whom", "10.1.9.9:1", "console.test", "", "", 403},
		{"no address", "@", "127.0.0.1", "", "", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://x/healthz", nil)
		r.RemoteAddr, r.Host = c.peer, c.host
		if c.header != "" {
			r.Header.Set(c.header, c.of)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s gets %d, want %d", c.what, w.Code, c.want)
		}
	}
}

func TestAddressesAndMethods(t *testing.T) {
	h := newHealth(t, nil)
	if w := get(h, "/other"); w.Code != http.StatusNotFound {
		t.Errorf("another address gets %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/metrics", nil)
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	h.Or(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST gets %d", w.Code)
	}
	if w := get(h.Or(http.NotFoundHandler()), "/queue"); w.Code != http.StatusNotFound {
		t.Errorf("what is not ours gets %d", w.Code)
	}
	if got := get(h, "/metrics").Header().Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("the metrics are %q", got)
	}
}

func TestHangingLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, nil)
		h.Pulse.Beat("queue", time.Minute)
		h.Pulse.Beat("outbox", time.Hour)
		time.Sleep(time.Minute)
		if w := get(h, "/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
			t.Errorf("in time: %d %q", w.Code, w.Body)
		}
		time.Sleep(30 * time.Second)
		if w := get(h, "/healthz"); w.Code != 503 || w.Body.String() != "queue: hangs; it should have gone on 30s ago\n" {
			t.Errorf("late: %d %q", w.Code, w.Body)
		}
		if v := value(t, parse(t, get(h, "/metrics").Body.String()), "supportd_hanging_loops"); v != 1 {
			t.Errorf("%v loops hang", v)
		}
		h.Pulse.Beat("queue", 0)
		if w := get(h, "/healthz"); w.Code != 200 {
			t.Errorf("one that has ended: %d %q", w.Code, w.Body)
		}
	})
}

// TestWaitingForOne: who waits for the one that has the state to itself does not
// hang, before or after; that one does when it takes too long.
func TestWaitingForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPulse()
		late := func(want ...string) {
			t.Helper()
			if got := p.Late(); !slices.Equal(got, want) {
				t.Errorf("after %v: %q, want %q", time.Now(), got, want)
			}
		}
		p.Beat("queue", time.Minute)
		p.Alone("compaction", time.Hour, func() {
			time.Sleep(time.Hour)
			late()
			time.Sleep(time.Minute)
			late("compaction: hangs; it should have gone on 1m0s ago")
		})
		time.Sleep(time.Minute)
		late()
		time.Sleep(time.Second)
		late("queue: hangs; it should have gone on 1s ago")
	})
}

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, nil)
		want := func(when string, lines ...string) {
			t.Helper()
			w := get(h, "/readyz")
			code, text := 200, "ok\n"
			if len(lines) > 0 {
				code, text = 503, strings.Join(lines, "\n")+"\n"
			}
			if w.Code != code || w.Body.String() != text {
				t.Errorf("%s: %d %q, want %d %q", when, w.Code, w.Body, code, text)
			}
		}
		want("at the start", "IMAP of mailbox support: was not reached yet", "SMTP of mailbox support: was not reached yet", "user store: was not reached yet")
		good := func() {
			h.Services.Report(KindIMAP, "support", nil)
			h.Services.Report(KindSMTP, "support", nil)
			h.Services.Report(KindStore, "", nil)
		}
		good()
		want("all is reached")
		time.Sleep(30 * time.Minute)
		h.Services.Report(KindIMAP, "support", errors.New("connection\r\nrefused"))
		h.Services.Report(KindDNS, "", errors.New("no answer in time")) // mails wait for it
		want("a failure of now")
		time.Sleep(31 * time.Minute)
		h.Services.Report(KindSMTP, "support", nil)
		h.Services.Report(KindStore, "", nil)
		want("a failure that lasts", "IMAP of mailbox support: was last reached 2000-01-01T00:00:00Z: connection refused")
		h.Services.Report(KindState, "", errors.New("no space left on device"))
		good()
		want("a full disk", "state: fails since 2000-01-01T01:01:00Z: no space left on device")
		h.Services.Report(KindState, "", nil)
		want("all is well again")
	})
}

// fill puts actions of a state into the store, due at a time.
func fill(t testing.TB, db *state.DB, n int, done bool, due time.Time) {
	t.Helper()
	for n > 0 {
		batch := min(n, 100)
		n -= batch
		err := db.Update(context.Background(), "test", func(tx *state.Tx) error {
			for range batch {
				if err := addAction(tx, done, due); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func addAction(tx *state.Tx, done bool, due time.Time) error {
	id, err := tx.NewMailID()
	if err != nil {
		return err
	}
	m := &inbox.Mail{ID: id, State: inbox.MailActed, Received: tx.Now, Detail: &inbox.MailDetail{}}
	if err := tx.PutMail(m); err != nil {
		return err
	}
	a := &inbox.Action{Case: id, Kind: inbox.KindCopy, Due: due, Detail: &inbox.ActionDetail{Person: "u-1", Address: "secret@users.test"}}
	if err := tx.NewAction(a, inbox.EventAccept, "test"); err != nil {
		return err
	}
	for _, e := range []inbox.Event{inbox.EventStart, inbox.EventDone} {
		if !done {
			return nil
		}
		if err := tx.Move(a, e, "test", nil); err != nil {
			return err
		}
	}
	return nil
}

func TestMetrics(t *testing.T) {
	db := open(t)
	now := time.Now()
	waits := now.Add(-10 * time.Minute)
	h := newHealth(t, func(c *Config) {
		c.State, c.WaitsSince = db, func(string) time.Time { return waits }
		c.Version, c.GoVersion = `v1"2`, "go1.26"
	})
	fill(t, db, 5, true, now)
	fill(t, db, 2, false, now.Add(time.Hour))
	fill(t, db, 1, false, now.Add(-time.Hour))
	fill(t, db, 4, false, now.Add(30*24*time.Hour))
	err := db.Update(t.Context(), "test", func(tx *state.Tx) error {
		for n, age := range []time.Duration{time.Hour, 3 * time.Hour} { // the younger was put off to later
			id, err := tx.NewReplyID()
			if err != nil {
				return err
			}
			r := &inbox.Reply{ID: id, Case: 1, Mailbox: "support", State: inbox.ReplyDue, Created: tx.Now.Add(age - 4*time.Hour), Next: tx.Now.Add(-age),
				Detail: &inbox.ReplyDetail{MessageID: fmt.Sprintf("%d@site.test", n), To: "secret@users.test"}}
			if err := tx.AddReply(r); err != nil {
				return err
			}
		}
		id, err := tx.NewMailID()
		if err != nil {
			return err
		}
		m := &inbox.Mail{ID: id, State: inbox.MailDeferred, Received: tx.Now.Add(-2 * time.Hour), Retry: tx.Now.Add(time.Hour), Detail: &inbox.MailDetail{}}
		return errors.Join(tx.PutMail(m), tx.SetPaused(false, true))
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Counters.Mail("acted")
	h.Counters.Mail("acted")
	h.Counters.Reply("sent")
	h.Counters.Effect("delete")
	h.Services.Report(KindIMAP, "support", nil)
	page := get(h, "/metrics").Body.String()
	all := parse(t, page)
	for _, c := range []struct {
		least, most float64
		name        string
		labels      []string
	}{
		{1, 1, "supportd_build_info", []string{"version", `v1"2`, "goversion", "go1.26"}},
		{600, 660, "supportd_oldest_unaccounted_mail_seconds", []string{"mailbox", "support"}},
		{7200, 7260, "supportd_oldest_deferred_mail_seconds", nil},
		{1, 1, "supportd_deferred_mails", nil},
		{2, 2, "supportd_mails_total", []string{"state", "acted"}},
		{0, 0, "supportd_mails_total", []string{"state", "quarantined"}},
		{3 * 3600, 3*3600 + 60, "supportd_oldest_due_reply_seconds", nil},
		{2, 2, "supportd_due_replies", nil},
		{1, 1, "supportd_replies_total", []string{"state", "sent"}},
		{0, 0, "supportd_replies_total", []string{"state", "failed"}},
		{5, 5, "supportd_actions", []string{"state", "done"}},
		{7, 7, "supportd_actions", []string{"state", "scheduled"}},
		{0, 0, "supportd_actions", []string{"state", "review"}},
		{3, 3, "supportd_deadlines_at_risk", nil},
		{1, 1, "supportd_effects_total", []string{"kind", "delete"}},
		{0, 0, "supportd_effects_total", []string{"kind", "copy"}},
		{0, 0, "supportd_paused", []string{"what", "effects"}},
		{1, 1, "supportd_paused", []string{"what", "replies"}},
		{0, 60, "supportd_imap_contact_age_seconds", []string{"mailbox", "support"}},
		{0, 60, "supportd_smtp_contact_age_seconds", []string{"mailbox", "support"}},
		{0, 60, "supportd_user_store_contact_age_seconds", nil},
		{0, 0, "supportd_failing_seconds", []string{"service", "imap", "mailbox", "support"}},
		{2, 2, "supportd_not_ready_services", nil},
		{0, 0, "supportd_hanging_loops", nil},
	} {
		if v := value(t, all, c.name, c.labels...); v < c.least || v > c.most {
			t.Errorf("%s of %q is %v, want %v", c.name, c.labels, v, c.least)
		}
	}
	if strings.Contains(page, "secret") || strings.Contains(page, "u-1") {
		t.Errorf("somebody is named:\n%s", page)
	}
}

// BenchmarkMetrics reads the page beside states with much history: what is
// finished costs nothing.
func BenchmarkMetrics(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprint(n, " finished"), func(b *testing.B) {
			h := newHealth(b, nil)
			fill(b, h.State, n, true, time.Now())
			fill(b, h.State, 50, false, time.Now())
			b.ResetTimer()
			b.ReportAllocs()
			for b.Loop() {
				var w bytes.Buffer
				if err := h.write(&w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
