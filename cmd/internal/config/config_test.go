package config

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/screen"
)

var update = flag.Bool("update", false, "write the .want files anew; read them before you commit")

// folder makes a folder with the secrets that the cases name and, at the path
// that it returns, the configuration.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range []struct {
		name, text string
		mode       os.FileMode
	}{
		{"c.toml", text, 0o644}, {"pass", "secret\n", 0o600}, {"open.pass", "secret\n", 0o644},
		{"empty.pass", "\n", 0o600}, {"lines.pass", "one\ntwo\n", 0o600}, {"faulty-map.toml", faultyMap, 0o600},
	} {
		name := filepath.Join(dir, f.name)
		if err := os.WriteFile(name, []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, f.mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "c.toml")
}

// faultyMap is a data map with a fault of the file, and one that shows when all
// of it was read.
const faultyMap = `[account]
table = "users"
kye = "id"
purpose = { en = "p" }
retention = { en = "r" }
recipients = { en = "n" }
`

// TestFaults loads every bad configuration of testdata and compares all its
// faults, with their lines, to the .want file beside it.
func TestFaults(t *testing.T) {
	t.Setenv("CONFIG_TEST_PASSWORD", "secret")
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := folder(t, string(text))
			c, err := Load(path, "en", "ru", "kk")
			var faults Faults
			if c != nil || !errors.As(err, &faults) {
				t.Fatalf("got %v, %v, want faults", c, err)
			}
			var got strings.Builder
			for _, f := range faults {
				where := strings.TrimSpace(f.File + " " + fmt.Sprint(f.Line))
				got.WriteString(strings.ReplaceAll(where+" "+f.String()+"\n", filepath.Dir(path), "DIR"))
				if !strings.Contains(err.Error(), f.String()) {
					t.Errorf("the error leaves out %v", f)
				}
			}
			want := strings.TrimSuffix(file, "toml") + "want"
			if *update {
				if err := os.WriteFile(want, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			b, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(b) {
				t.Errorf("got\n%s\nwant\n%s", got.String(), b)
			}
		})
	}
}

// sampleIn gives the sample with its secrets in the folder of path.
func sampleIn(path string) string {
	s := strings.ReplaceAll(Sample(), "/etc/supportd/imap.pass", "pass")
	return strings.ReplaceAll(s, "/etc/supportd/smtp.pass", filepath.Join(filepath.Dir(path), "pass"))
}

func load(t *testing.T, path, text string) *Config {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSample(t *testing.T) {
	path := folder(t, "")
	c := load(t, path, sampleIn(path))
	m := c.Mailboxes[0]
	for _, x := range []struct{ what, got, want any }{
		{"state_dir", c.StateDir, "/var/lib/supportd"},
		{"timezone", c.Site.Location.String(), "Asia/Almaty"},
		{"aliases", m.Aliases[0], "privacy@push.guru"},
		{"imap", m.IMAP.String(), "imaps://mail.push.guru:993"},
		{"keep", m.Keep, 90 * 24 * time.Hour},
		{"password_file", m.Login.PasswordFile, filepath.Join(filepath.Dir(path), "pass")},
		{"smtp", m.SMTP.Server.String(), "smtps://mail.push.guru:465"},
		{"smtp username", m.SMTP.Login.Username, "support@push.guru"},
		{"users", c.Users.Store + " " + c.Users.Path, "bolt /var/lib/supportd/users.db"},
		{"keep of what expired", c.Keep.Of(inbox.EndExpired), 90 * 24 * time.Hour},
		{"keep of what is ignored", c.Keep.Of(inbox.EndIgnored), 30 * 24 * time.Hour},
		{"keep records", c.Keep.Records, 1095 * 24 * time.Hour},
		{"compact hours", c.Compact.Hours, Hours{2 * time.Hour, 5 * time.Hour}},
		{"backup forgotten", c.Backup.Forgotten, "/var/lib/supportd/forgotten"},
		{"users reapply", c.Users.Reapply, 365 * 24 * time.Hour},
		{"level", c.Log.Level, slog.LevelInfo},
	} {
		if x.got != x.want {
			t.Errorf("%s: got %v, want %v", x.what, x.got, x.want)
		}
	}
}

// minimal is what an operator cannot leave out.
const minimal = `
[site]
name = "Site"
[[mailbox]]
name = "support"
address = "support@site.test"
imap = "imaps://mail.site.test"
password_file = "pass"
[smtp]
server = "smtps://mail.site.test"
`

// TestDefaults holds the defaults against the sample, which spells out every
// one of them, but begins with the mode that changes nothing.
func TestDefaults(t *testing.T) {
	path := folder(t, "")
	sample := load(t, path, sampleIn(path))
	got := load(t, path, minimal)

	if got.Policy.Mode != "auto" || sample.Policy.Mode != "observe" {
		t.Errorf("the default mode is %q, that of the sample %q", got.Policy.Mode, sample.Policy.Mode)
	}
	sample.Policy.Mode = got.Policy.Mode
	m, s := got.Mailboxes[0], sample.Mailboxes[0]
	if m.Login.Username != "support@site.test" || m.SMTP.Login.Secret() != nil || m.SMTP.Login.Username != "" {
		t.Errorf("logins: %+v, %+v", m.Login, m.SMTP.Login)
	}
	for _, x := range [][2]any{
		{got.StateDir, sample.StateDir}, {got.Site.Region, sample.Site.Region}, {got.Site.Location.String(), sample.Site.Location.String()},
		{fmt.Sprint(got.Site.Languages), fmt.Sprint(sample.Site.Languages)},
		{m.Folder, s.Folder}, {m.Filed, s.Filed}, {m.Junk, s.Junk}, {m.Keep, s.Keep}, {m.FirstRun, s.FirstRun}, {m.Poll, s.Poll}, {m.Plus, s.Plus},
		{m.SMTP.Connections, s.SMTP.Connections}, {m.SMTP.MaxReplyBytes, s.SMTP.MaxReplyBytes}, {m.SMTP.MaxParts, s.SMTP.MaxParts},
		{got.Proof.OwnHops, sample.Proof.OwnHops}, {got.Proof.DKIM, sample.Proof.DKIM}, {got.Proof.MaxAge, sample.Proof.MaxAge},
		{got.Proof.Resolver, sample.Proof.Resolver}, {got.Proof.MicrosoftTenant, sample.Proof.MicrosoftTenant},
		{got.Screen.SpamHeader, sample.Screen.SpamHeader}, {len(m.Forms), len(s.Forms)}, {fmt.Sprint(got.Policy), fmt.Sprint(sample.Policy)},
		{fmt.Sprint(got.Deadlines.Profile, got.Deadlines.Holidays), fmt.Sprint(sample.Deadlines.Profile, sample.Deadlines.Holidays)}, {got.Keep, sample.Keep},
		{got.Compact, sample.Compact}, {got.Backup, sample.Backup}, {m.Erase, s.Erase}, {fmt.Sprint(stored(got)), fmt.Sprint(stored(sample))}, {got.Journal, sample.Journal},
		{fmt.Sprint(got.Console), fmt.Sprint(sample.Console)}, {got.Log, sample.Log}, {got.Templates, sample.Templates}, {got.Classify, sample.Classify},
	} {
		if x[0] != x[1] {
			t.Errorf("default %v, sample %v", x[0], x[1])
		}
	}
	if n := len(got.Proof.TrustedAuthservIDs) + len(sample.Proof.TrustedAuthservIDs); n != 0 {
		t.Errorf("believes %d authserv-ids by default", n)
	}
}

// stored gives [users] without the map, of which each Load makes its own.
func stored(c *Config) Users {
	u := c.Users
	u.Map = nil
	return u
}

// TestKeepByEnd: what is not said of an end is as its kind says, and each end
// has its own.
func TestKeepByEnd(t *testing.T) {
	const hours = "\n[keep]\ndone = \"1h\"\nother = \"2h\"\n"
	c := load(t, folder(t, ""), minimal+hours)
	own := load(t, folder(t, ""), minimal+hours+`refused = "3h"
cancelled = "4h"
expired = "5h"
answered = "6h"
held = "7h"
ignored = "8h"
quarantined = "9h"
`)
	for i, end := range inbox.Ends() {
		def, set := time.Hour, time.Duration(max(i+2, 1))*time.Hour
		if i > 3 {
			def = 2 * time.Hour
		}
		if i == 0 {
			set = time.Hour
		}
		if got, other := c.Keep.Of(end), own.Keep.Of(end); got != def || other != set {
			t.Errorf("%s is kept for %v and %v, want %v and %v", end, got, other, def, set)
		}
	}
}

func TestForms(t *testing.T) {
	c := load(t, folder(t, ""), strings.Replace(minimal, "[smtp]", `
[[mailbox.form]]
from = "noreply@SITE.test"
body = ["Message", "Сообщение"]
[[mailbox.form]]
from = "support@site.test"
person = "line"
label = ["E-mail"]
end = ["Sent from"]
[smtp]`, 1))
	want := []parse.Form{{From: "noreply@site.test", Body: []string{"Message", "Сообщение"}},
		{From: "support@site.test", Label: []string{"E-mail"}, End: []string{"Sent from"}}}
	if got := c.Mailboxes[0].Forms; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// map is a data map without faults.
const dataMap = `[account]
table = "users"
key = "id"
purpose = { en = "p" }
retention = { en = "r" }
recipients = { en = "n" }
last_seen = "last_login"
[[account.column]]
name = "email"
field = "email"
[[account.column]]
name = "shoes"
field = "shoe_size"
`

func TestUsers(t *testing.T) {
	t.Setenv("CONFIG_TEST_DSN", "postgres://site")
	path := folder(t, "")
	dir := filepath.Dir(path)
	for _, f := range []string{"site.db", "map.toml"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(dataMap), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct{ text, dsn, want string }{
		{`store = "sqlite"
path = "site.db"
dormant = "18m"
protected = ["1", "7"]
after = { command = ["echo", "done"] }`, "", "{sqlite site.db   <nil> {18 0} [1 7] {  [echo done]} 8760h0m0s}"},
		{`store = "mysql"
dsn_file = "pass"
after = { url = "https://site.test/after", secret_file = "pass" }
reapply = "30d"`, "secret", "{mysql  pass  <nil> {0 0} [] {https://site.test/after pass []} 720h0m0s}"},
		{`store = "postgres"
dsn_env = "CONFIG_TEST_DSN"
dormant = "2y"`, "postgres://site", "{postgres   CONFIG_TEST_DSN <nil> {24 0} [] {  []} 8760h0m0s}"},
	} {
		c := load(t, path, minimal+"[users]\nmap = \"map.toml\"\n"+x.text)
		if got := strings.ReplaceAll(fmt.Sprint(stored(c)), dir+"/", ""); got != x.want {
			t.Errorf("got %s, want %s", got, x.want)
		}
		if m := c.Users.Map; m.Label("shoe_size", "en") != "Shoe size" || len(m.Fields()) != 2 {
			t.Errorf("the map has the fields %v", m.Fields())
		}
		dsn := ""
		if read := c.Users.DSN(); read != nil {
			var err error
			if dsn, err = read(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if dsn != x.dsn {
			t.Errorf("the DSN is %q, want %q", dsn, x.dsn)
		}
	}
	if m := load(t, path, minimal).Users.Map; len(m.Places()) != 2 {
		t.Errorf("the embedded store has the places %v", m.Places())
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]string{"18m": "2024-10-01", "540d": "2024-10-07", "2y": "2024-03-31", "1m": "2026-03-03"} {
		a, err := ParseAge(s)
		if got := a.Before(now).Format(time.DateOnly); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"", "m", "18", "0m", "-1m", "1.5y", "18 m", "18M", "10000d", "18h", "1y6m"} {
		if a, err := ParseAge(s); err == nil {
			t.Errorf("%q: got %v", s, a)
		}
	}
	if (Age{}).Before(now) != now {
		t.Error("no age is not now")
	}
}

func TestScreen(t *testing.T) {
	for _, x := range []struct {
		alias, more string
		want        []string
	}{
		{"privacy@SITE.test", "", []string{"site.test"}},
		{"privacy@other.test", "", []string{"other.test", "site.test"}},
		{"site.support@gmail.com", "", []string{"site.test"}},
		{"site.support@yahoo.co.uk", "", []string{"site.test"}},
		{"privacy@other.test", "own_domains = []", nil},
		{"privacy@other.test", "own_domains = [\"Third.test\"]", []string{"third.test"}},
	} {
		c := load(t, folder(t, ""), strings.Replace(minimal, "[smtp]", "aliases = [\""+x.alias+"\"]\n[smtp]", 1)+"[screen]\n"+x.more)
		if got := c.Screen.OwnDomains; !slices.Equal(got, x.want) {
			t.Errorf("with %s and %q: %q, want %q", x.alias, x.more, got, x.want)
		}
	}
	marked, err := screen.ParseSpamHeader("X-Spam: Yes")
	if got := load(t, folder(t, ""), minimal+"[screen]\nspam_header = \"X-Spam: Yes\"").Screen.SpamHeader; got != marked || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMicrosoftTenant(t *testing.T) {
	const id = "72F988BF-86f1-41af-91ab-2d7cd011db47"
	c := load(t, folder(t, ""), minimal+"[proof]\nmicrosoft365_tenant = \""+id+"\"\nown_hops = 3\n")
	if c.Proof.MicrosoftTenant != id || c.Proof.OwnHops != 3 {
		t.Errorf("got %+v", c.Proof)
	}
}

func TestConsole(t *testing.T) {
	local := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for text, want := range map[string]Console{
		"":                      {Listen: "127.0.0.1:8080", URL: "http://127.0.0.1:8080"},
		`listen = "[::1]:9000"`: {Listen: "[::1]:9000", URL: "http://[::1]:9000"},
		`listen = ""`:           {},
		"url = \"https://x.test/\"\ntrusted_proxy = [\"127.0.0.1\"]":                                          {Listen: "127.0.0.1:8080", URL: "https://x.test", Proxies: local[:1]},
		"url = \"https://X.test:443\"\ntrusted_proxy = [\"127.0.0.1\"]":                                       {Listen: "127.0.0.1:8080", URL: "https://x.test", Proxies: local[:1]},
		"url = \"https://қызмет.қаз:8443\"\ntrusted_proxy = [\"127.0.0.1\"]":                                  {Listen: "127.0.0.1:8080", URL: "https://xn--e1adpz5by9a.xn--80ao21a:8443", Proxies: local[:1]},
		"url = \"http://localhost:80\"":                                                                       {Listen: "127.0.0.1:8080", URL: "http://localhost"},
		"url = \"https://[::1]:443\"\ntls_cert = \"/c\"\ntls_key = \"/k\"":                                    {Listen: "127.0.0.1:8080", URL: "https://[::1]", Cert: "/c", Key: "/k"},
		"listen = \"\"\nurl = \"https://x.test\"":                                                             {},
		"listen = \"0.0.0.0:443\"\nurl = \"https://x.test\"\ntrusted_proxy = [\"127.0.0.1\", \"10.0.0.0/8\"]": {Listen: "0.0.0.0:443", URL: "https://x.test", Proxies: local},
		"tls_cert = \"/c\"\ntls_key = \"/k\"":                                                                 {Listen: "127.0.0.1:8080", URL: "https://127.0.0.1:8080", Cert: "/c", Key: "/k"},
		`health_from = ["10.0.0.5", "10.1.2.3/16"]`: {Listen: "127.0.0.1:8080", URL: "http://127.0.0.1:8080",
			HealthFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32"), netip.MustParsePrefix("10.1.0.0/16")}},
	} {
		if c := load(t, folder(t, ""), minimal+"\n[console]\n"+text); !reflect.DeepEqual(c.Console, want) {
			t.Errorf("%s is %+v, want %+v", text, c.Console, want)
		}
	}
}

func TestConsoleElsewhere(t *testing.T) {
	for url, want := range map[string]string{"": "", "http://127.0.0.1:8080": "", "http://localhost": "", "https://[::1]": "", "https://x.test:8443": "https://x.test:8443"} {
		if got := (Console{URL: url}).Elsewhere(); got != want {
			t.Errorf("%q is %q elsewhere, want %q", url, got, want)
		}
	}
}

func TestPolicyMerges(t *testing.T) {
	c := load(t, folder(t, ""), minimal+`
[policy]
mode = "assist"
[policy.delete_account]
cool_off = "3d"
[policy.copy]
confirm = "always"
`)
	want := defaultRules()
	want["delete_account"] = Rule{"always", "unsure", 72 * time.Hour}
	want["copy"] = Rule{"always", "unsure", 0}
	if len(c.Policy.Rules) != len(Subjects()) || c.Policy.Mode != "assist" {
		t.Errorf("got %+v", c.Policy)
	}
	for subject, rule := range want {
		if c.Policy.Rules[subject] != rule {
			t.Errorf("%s: got %+v, want %+v", subject, c.Policy.Rules[subject], rule)
		}
	}
}

// The zone is known to whoever may not read the secrets, and to nobody's harm
// when the file is faulty.
func TestZone(t *testing.T) {
	for text, want := range map[string]string{
		"[site]\n": "Asia/Almaty",
		"nonsense = 1\n[site]\ntimezone = \"Asia/Tokyo\"": "Asia/Tokyo",
		"[site]\nregion = \"DE\"":                         time.Local.String(),
		"[site]\ntimezone = \"Asia/Atlantis\"":            time.Local.String(),
		"[site":                                           time.Local.String(),
	} {
		path := filepath.Join(t.TempDir(), "supportd.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Zone(path).String(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := Zone(filepath.Join(t.TempDir(), "nosuch.toml")); got != time.Local {
		t.Errorf("without a file: %s", got)
	}
}

func TestSMTPOverride(t *testing.T) {
	c := load(t, folder(t, ""), `
[site]
name = "Site"
region = "DE"
timezone = "Europe/Berlin"
[[mailbox]]
name = "a"
address = "a@site.test"
imap = "imaps://mail.site.test"
password_file = "pass"
[[mailbox]]
name = "b"
address = "b@site.test"
imap = "imap+insecure://localhost:1143"
username = "other"
password_file = "pass"
[mailbox.smtp]
server = "smtp+insecure://127.0.0.1:1025"
connections = 1
[[mailbox]]
name = "c"
address = "c@site.test"
imap = "imap://mail.site.test"
token_command = ["echo", "token"]
[mailbox.smtp]
username = "c@site.test"
token_command = ["echo", "token"]
[smtp]
server = "smtp://mail.site.test"
username = "support"
password_file = "pass"
max_parts = 9
`)
	type row struct {
		server      string
		user        string
		xoauth2     bool
		connections int
		parts       int
	}
	want := []row{
		{"smtp://mail.site.test:587", "support", false, 2, 9},
		{"smtp+insecure://127.0.0.1:1025", "support", false, 1, 9},
		{"smtp://mail.site.test:587", "c@site.test", true, 2, 9},
	}
	for i, m := range c.Mailboxes {
		s := m.SMTP
		if got := (row{s.Server.String(), s.Login.Username, s.Login.XOAUTH2, s.Connections, s.MaxParts}); got != want[i] {
			t.Errorf("%s: got %+v, want %+v", m.Name, got, want[i])
		}
	}
	if c.Mailboxes[2].SMTP.Login.PasswordFile != "" {
		t.Error("the password of [smtp] went to another user")
	}
	if c.Mailboxes[0].SMTP.Server.Security != outbox.StartTLS || c.Site.Location.String() != "Europe/Berlin" {
		t.Errorf("got %+v, %v", c.Mailboxes[0].SMTP.Server, c.Site.Location)
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pass")
	write := func(s string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(file, []byte(s), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CONFIG_TEST_PASSWORD", "of the environment")
	read := Login{PasswordFile: file}.Secret()
	write("first\r\n", 0o600)
	if s, err := read(t.Context()); s != "first" || err != nil {
		t.Errorf("got %q, %v", s, err)
	}
	write("second", 0o640)
	if s, err := read(t.Context()); s != "second" || err != nil {
		t.Errorf("a changed file: got %q, %v", s, err)
	}
	write("third", 0o604)
	if s, err := read(t.Context()); err == nil {
		t.Errorf("a file that all can read: got %q", s)
	}
	for _, test := range []struct {
		login Login
		want  string // "": an error
	}{
		{Login{PasswordEnv: "CONFIG_TEST_PASSWORD"}, "of the environment"},
		{Login{PasswordEnv: "CONFIG_TEST_UNSET"}, ""},
		{Login{TokenCommand: []string{"printf", `%s\n`, "a token"}}, "a token"},
		{Login{TokenCommand: []string{"false"}}, ""},
		{Login{TokenCommand: []string{"true"}}, ""},
		{Login{TokenCommand: []string{"sh", "-c", "echo a; echo b"}}, ""},
		{Login{TokenCommand: []string{"sh", "-c", "yes secret"}}, ""},
	} {
		s, err := test.login.Secret()(t.Context())
		if s != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%+v: got %q, %v", test.login, s, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
	if (Login{Username: "x"}).Secret() != nil {
		t.Error("there is a secret without a source")
	}
}

func TestTokenCommandEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Login{TokenCommand: []string{"sleep", "60"}}.Secret()(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestParseDuration(t *testing.T) {
	const d = 24 * time.Hour
	for s, want := range map[string]time.Duration{
		"90d": 90 * d, "0d": 0, "0s": 0, "12h": 12 * time.Hour, "1d12h": 36 * time.Hour, "168h": 7 * d, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute,
	} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "d", "-1d", "-1h", "1d-1h", "1d+1h", "+1h", "1", "1dd", "1.5d", "12h1d", "4000000000d", "106751d24h", "1 d", "week", "1d1"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q: got %v", s, got)
		}
	}
}

func TestUnreadable(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.toml"))
	var faults Faults
	if !errors.Is(err, os.ErrNotExist) || errors.As(err, &faults) {
		t.Errorf("got %v", err)
	}
}

func TestSubjects(t *testing.T) {
	want := []string{"change", "change_email", "copy", "deactivate", "delete_account", "delete_fields", "describe", "withdraw"}
	if got := Subjects(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
