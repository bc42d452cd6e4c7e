package sender

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
)

// arrival is when the mails of testdata arrived.
var arrival = time.Date(2026, 1, 5, 5, 0, 5, 0, time.UTC)

// sample is a mail of testdata: lines "# key: value" that say how to judge it,
// then the mail. A forged one is judged like the genuine one that it is a
// forgery of, which differs in the trick only.
type sample struct {
	name     string
	config   Config
	signed   bool   // the proof is a signature, not the word of our server
	why      string // part of the reason
	raw      string
	unforged *sample // of a forged mail
}

func readSample(t testing.TB, file string) *sample {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &sample{name: strings.TrimSuffix(filepath.Base(file), ".eml"), config: Config{Own: ours, MaxAge: 72 * time.Hour}, raw: string(b)}
	for strings.HasPrefix(s.raw, "# ") {
		line, rest, _ := strings.Cut(s.raw[2:], "\n")
		key, value, _ := strings.Cut(line, ": ")
		s.set(t, key, value)
		s.raw = rest
	}
	if forged := filepath.Base(filepath.Dir(file)) == "forged"; forged != (s.unforged != nil) || forged && s.why == "" {
		t.Fatalf("%s: a forged mail, and no other, says of which genuine one it is a forgery, and why it is found out", file)
	}
	return s
}

func (s *sample) set(t testing.TB, key, value string) {
	t.Helper()
	var err error
	switch key {
	case "id": // the authserv-id that is trusted
		s.config.TrustedIDs = []string{value}
	case "hops": // of our own
		s.config.OwnHops, err = strconv.Atoi(value)
	case "tenant": // at Microsoft 365
		s.config.MicrosoftTenant = value
	case "proof": // "signature": no verdict of our server is there
		s.signed = value == "signature"
	case "unforged":
		s.unforged = readSample(t, filepath.Join("testdata", "genuine", value+".eml"))
		s.config, s.signed = s.unforged.config, s.unforged.signed
	case "why":
		s.why = value
	default:
		t.Fatalf("%s: unknown key %q", s.name, key)
	}
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
}

func samples(t testing.TB, dir string) []*sample {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.eml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no mails in testdata/%s (%v)", dir, err)
	}
	var out []*sample
	for _, file := range files {
		out = append(out, readSample(t, file))
	}
	return out
}

// readZone gives the DNS of the mails in testdata. It asks once itself: what
// package net makes at its first question must not be made in virtual time.
func readZone(t testing.TB) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "zone.txt"))
	if err != nil {
		t.Fatal(err)
	}
	zone := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if name, text, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			zone[name+"."] = append(zone[name+"."], text)
		}
	}
	if got, err := resolve(t, zone)(t.Context(), "_dmarc.victim.org"); err != nil || len(got) != 1 {
		t.Fatalf("the zone says %q, %v", got, err)
	}
	return zone
}

// resolve gives a resolver whose DNS server knows the zone.
func resolve(t testing.TB, zone map[string][]string) func(context.Context, string) ([]string, error) {
	return Resolver("192.0.2.53:53", dnsServer(t, func(name string) (dnsmessage.RCode, []string) {
		if texts, ok := zone[strings.ToLower(name)]; ok {
			return dnsmessage.RCodeSuccess, texts
		}
		return dnsmessage.RCodeNameError, nil
	}))
}

// judge finds the evidence for a mail as the daemon does: parsed by the parser
// of the house, at the hour of its arrival, with keys that a DNS server gives.
// A careless parser would give the author that the genuine mail has.
func (s *sample) judge(t *testing.T, zone map[string][]string, c Config, raw string, careless bool) inbox.Evidence {
	t.Helper()
	var e inbox.Evidence
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(arrival))
		c.LookupTXT = resolve(t, zone)
		k, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		m := parse.Message([]byte(raw), parse.Options{})
		if careless && m.FromFault != "" {
			m.From, m.FromFault = parse.Message([]byte(s.unforged.raw), parse.Options{}).From, ""
		}
		e, err = k.Evidence(context.Background(), []byte(raw), m, arrival)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if e.Why == "" {
			t.Errorf("%s: no reason is given", s.name)
		}
	})
	return e
}

// all gives the evidence with LF and with CRLF line ends, with the own
// verification and, where that is not what the proof rests on, without.
func (s *sample) all(t *testing.T, zone map[string][]string, careless bool) []inbox.Evidence {
	t.Helper()
	var out []inbox.Evidence
	for _, dkim := range []bool{false, true} {
		if s.signed && !dkim {
			continue
		}
		c := s.config
		c.DKIM = dkim
		for _, raw := range []string{s.raw, crlf(s.raw)} {
			out = append(out, s.judge(t, zone, c, raw, careless))
		}
	}
	return out
}

// authorFault begins the reason that is the parser's to find.
const authorFault = "the mail names no single author"

// TestGenuine judges mails as large providers and usual servers hand them on.
func TestGenuine(t *testing.T) {
	zone := readZone(t)
	list := samples(t, "genuine")
	signed := 0
	for _, s := range list {
		for _, e := range s.all(t, zone, false) {
			if bySignature := strings.HasPrefix(e.Why, "signed by "); e.Level != inbox.LevelAligned || bySignature != s.signed {
				t.Errorf("%s: %s, %q", s.name, e.Level, e.Why)
			}
		}
		if s.signed {
			signed++
		}
	}
	t.Logf("%d genuine mails, %d of them by signatures, are aligned", len(list), signed)
	if len(list) < 51 || signed < 21 {
		t.Errorf("%d genuine mails, %d of them by signatures", len(list), signed)
	}
}

// TestForged judges forgeries, each beside the genuine mail that it is a
// forgery of, with the same DNS and the same trust. What the parser of the
// house finds out is found out once more where it does not.
func TestForged(t *testing.T) {
	const mostLines = 40 // that a trick changes; a signature has ten
	zone := readZone(t)
	list := samples(t, "forged")
	for _, s := range list {
		if n := differ(s.raw, s.unforged.raw); s.raw == s.unforged.raw || n > mostLines {
			t.Errorf("%s: %d lines differ from %s", s.name, n, s.unforged.name)
		}
		for _, e := range s.unforged.all(t, zone, false) {
			if e.Level != inbox.LevelAligned {
				t.Errorf("%s: unforged, as %s: %s, %q", s.name, s.unforged.name, e.Level, e.Why)
			}
		}
		for _, e := range s.all(t, zone, false) {
			if e.Level != inbox.LevelNone || !strings.Contains(e.Why, s.why) && !strings.HasPrefix(e.Why, authorFault) {
				t.Errorf("%s: %s, %q; want none, …%s…", s.name, e.Level, e.Why, s.why)
			}
		}
		if strings.HasPrefix(s.why, authorFault) {
			continue
		}
		for _, e := range s.all(t, zone, true) {
			if e.Level != inbox.LevelNone || !strings.Contains(e.Why, s.why) {
				t.Errorf("%s with a careless parser: %s, %q; want none, …%s…", s.name, e.Level, e.Why, s.why)
			}
		}
	}
	t.Logf("%d forged mails are none, each of their genuine twins is aligned", len(list))
	if len(list) < 198 {
		t.Errorf("%d forged mails", len(list))
	}
}

// differ counts the lines that one of two mails has and the other has not.
func differ(a, b string) int {
	count := map[string]int{}
	for line := range strings.Lines(a) {
		count[line]++
	}
	for line := range strings.Lines(b) {
		count[line]--
	}
	n := 0
	for _, c := range count {
		n += max(c, -c)
	}
	return n
}

// TestGenuineNeedsItsConfiguration takes away what makes each genuine mail
// believable.
func TestGenuineNeedsItsConfiguration(t *testing.T) {
	for _, s := range samples(t, "genuine") {
		if s.signed {
			continue
		}
		less := map[string]func(*Config){
			"no border":       func(c *Config) { c.TrustedIDs, c.MicrosoftTenant = nil, "" },
			"another id":      func(c *Config) { c.TrustedIDs, c.MicrosoftTenant = []string{"other.push.guru"}, "" },
			"another tenant":  func(c *Config) { c.TrustedIDs, c.MicrosoftTenant = nil, "00000000-0000-0000-0000-000000000000" },
			"other mailboxes": func(c *Config) { c.Own = []string{"sales@push.guru"} },
			"no mailboxes":    func(c *Config) { c.Own = nil },
			"a shorter age":   func(c *Config) { c.MaxAge = time.Second },
		}
		if s.config.OwnHops > 0 {
			less["one hop less"] = func(c *Config) { c.OwnHops-- }
		}
		for name, change := range less {
			c := s.config
			change(&c)
			if e := s.judge(t, nil, c, s.raw, false); e.Level != inbox.LevelNone {
				t.Errorf("%s with %s: %s", s.name, name, e.Level)
			}
		}
	}
}
