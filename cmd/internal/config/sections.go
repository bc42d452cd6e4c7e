package config

import (
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a time zone that is right here is right on every machine

	filippo "filippo.io/age"

	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/console"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/screen"
	"push.guru/supportd/inbox/sender"
)

const day = 24 * time.Hour

// Subjects are the names of the [policy.…] tables that hold a rule.
func Subjects() []string {
	return slices.Sorted(maps.Keys(defaultRules()))
}

// defaultRules gives the rules that stand when the operator says nothing.
func defaultRules() map[string]Rule {
	return map[string]Rule{
		"change":         {"always", "unsure", 0},
		"change_email":   {"always", "unsure", 12 * time.Hour},
		"delete_account": {"always", "unsure", 12 * time.Hour},
		"delete_fields":  {"always", "unsure", 0},
		"deactivate":     {"always", "unsure", 0},
		"copy":           {"unproven", "unsure", 0},
		"describe":       {"unproven", "unsure", 0},
		"withdraw":       {"unproven", "always", 0},
	}
}

// maxSocket is the longest path that a Unix socket can have, in octets.
const maxSocket = 107

// stateDir reads where the state is.
func stateDir(root *table) string {
	const key = "state_dir"
	dir := root.file(key, "/var/lib/supportd")
	info, err := os.Stat(dir)
	switch {
	case dir == "":
		root.Fault(key, "leave the key out for the default", "is empty")
	case err == nil && !info.IsDir():
		root.Fault(key, "", "%s is not a folder", dir)
	case len(control.Socket(dir)) > maxSocket:
		root.Fault(key, "choose a shorter one", "%s is too long for the socket in it, which may have %d octets", dir, maxSocket)
	}
	return dir
}

// readConfig reads every section.
func readConfig(root *table, known []string) *Config {
	c := &Config{StateDir: stateDir(root)}
	c.Site = readSite(root.table("site"), known)
	c.Mailboxes = readMailboxes(root)
	own := ownAddresses(c.Mailboxes)
	c.Staff = readStaff(root.table("staff"), own)
	c.Proof = readProof(root.table("proof"))
	c.Screen = readScreen(root.table("screen"), own)
	c.Policy = readPolicy(root.table("policy"))
	c.Keep = readKeep(root.table("keep"), c.Mailboxes)
	c.Compact = readCompact(root.table("compact"))
	c.Backup = readBackup(root.table("backup"), c.StateDir)
	c.Users = readUsers(root.table("users"), c.StateDir)
	c.Journal = readJournal(root.table("journal"), own)
	c.Console = readConsole(root.table("console"))
	c.Log = readLog(root.table("log"))
	c.Templates = readOverlay(root.table("templates"))
	c.Classify = readOverlay(root.table("classify"))
	c.Deadlines = readDeadlines(root.table("deadlines"), c.Site.Location)
	root.Close()
	return c
}

func readSite(t *table, known []string) Site {
	defer t.Close()
	s := Site{
		Name:       t.Required("name", "it signs every reply"),
		Languages:  t.languages("languages", known, "en", "ru", "kk"),
		Region:     t.region("region", "KZ"),
		AccountURL: t.page("account_url"),
	}
	s.Location = readZone(t, s.Region)
	return s
}

// readZone reads the zone in which the site tells the time.
func readZone(t *table, region string) *time.Location {
	zone := ""
	if region == "KZ" {
		zone = "Asia/Almaty"
	}
	if zone = t.Text("timezone", zone); zone == "" {
		return time.Local
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fault("timezone", `for example "Asia/Almaty"`, "%q is not a time zone", zone)
		return time.Local
	}
	return loc
}

// readMailboxes reads [[mailbox]] and [smtp], which stands under each
// [mailbox.smtp].
func readMailboxes(root *table) []Mailbox {
	smtp := root.table("smtp")
	tables := root.tables("mailbox")
	if len(tables) == 0 {
		root.Fault("mailbox", "write a [[mailbox]]", "there is none")
		readSMTP(smtp)
	}
	var out []Mailbox
	seen := map[string]string{} // address or name -> where it was taken
	for _, t := range tables {
		m := readMailbox(t, smtp)
		claim(t, seen, "name", "name "+m.Name)
		claim(t, seen, "address", m.Address)
		for _, a := range m.Aliases {
			claim(t, seen, "aliases", a)
		}
		out = append(out, m)
	}
	smtp.Close()
	return out
}

// claim notes a fault when another mailbox, or another key, has the same.
func claim(t *table, seen map[string]string, key, what string) {
	if what == "" || what == "name " {
		return
	}
	if by, taken := seen[what]; taken {
		t.Fault(key, "each may occur once", "the same as %s", by)
		return
	}
	seen[what] = t.At(key)
}

// maxLocal is the length of a local part (RFC 5321 section 4.5.3.1.1).
const maxLocal = 64

func readMailbox(t, smtp *table) Mailbox {
	m := Mailbox{
		Name:     t.Required("name", `for example "support"`),
		Address:  t.Required("address", "where people write"),
		Aliases:  t.addresses("aliases"),
		Folder:   t.Text("folder", "INBOX"),
		Filed:    t.Text("filed", "Processed"),
		Junk:     t.Text("junk", ""),
		Keep:     t.duration("keep", 90*day, 0),
		Erase:    t.Flag("erase", false),
		FirstRun: t.OneOf("first_run", "new", "new", "all"),
		Poll:     t.duration("poll", time.Minute, time.Second),
		Plus:     t.Flag("plus", false),
	}
	for _, f := range t.tables("form") {
		m.Forms = append(m.Forms, readForm(f))
	}
	if strings.ContainsFunc(m.Name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) {
		t.Fault("name", "letters, digits, - and _", "%q cannot be a name", m.Name)
	}
	if m.Address != "" {
		m.Address = t.canonical("address", m.Address)
	}
	if local, _, _ := strings.Cut(m.Address, "@"); m.Plus && len(local)+policy.PlusLength > maxLocal {
		t.Fault("plus", "leave it out, or use a shorter address", "the name before the @ has no room for a token: %d octets, and %d is the most", len(local), maxLocal-policy.PlusLength)
	}
	switch m.Folder {
	case "":
		t.Fault("folder", `for example "INBOX"`, "is empty")
	case m.Filed:
		t.Fault("filed", `another folder, or "" to leave mail in place`, "the same as folder")
	case m.Junk:
		t.Fault("junk", "", "the same as folder")
	}
	if m.Junk != "" && m.Junk == m.Filed {
		t.Fault("junk", "", "the same as filed")
	}
	if s := t.Required("imap", "for example imaps://mail.site.example:993"); s != "" {
		srv, err := mailbox.ParseServer(s)
		if err != nil {
			t.Fault("imap", "", "%v", err)
		}
		m.IMAP = srv
	}
	m.Login = t.login(m.Address, true)
	over := t.table("smtp")
	over.Over(smtp.Table)
	m.SMTP = readSMTP(over)
	over.Close()
	t.Close()
	return m
}

// readForm reads one [[mailbox.form]].
func readForm(t *table) parse.Form {
	defer t.Close()
	var f parse.Form
	if from := t.Required("from", "the address that the form's mails come from"); from != "" {
		f.From = t.canonical("from", from)
	}
	const hint = `for example ["E-mail"], the words before the person's address in the form's mail`
	f.Label, f.Body, f.End = t.labels("label"), t.labels("body"), t.labels("end")
	switch person := t.OneOf("person", "reply-to", "reply-to", "line"); {
	case person == "line" && len(f.Label) == 0:
		t.Fault("label", hint, `is missing, and person is "line"`)
	case person == "reply-to" && len(f.Label) > 0:
		t.Fault("label", `write person = "line"`, "is not read, because person is %q", person)
	}
	return f
}

func readSMTP(t *table) SMTP {
	s := SMTP{
		Connections:   int(t.Number("connections", 2, 1)),
		MaxReplyBytes: t.Number("max_reply_bytes", 15<<20, 64<<10),
		MaxParts:      int(t.Number("max_parts", 5, 1)),
	}
	if url := t.Required("server", "for example smtps://mail.site.example:465"); url != "" {
		srv, err := outbox.ParseServer(url)
		if err != nil {
			t.Fault("server", "", "%v", err)
		}
		s.Server = srv
	}
	s.Login = t.login("", false)
	return s
}

// ownAddresses maps every address of ours, in small letters, to true.
func ownAddresses(boxes []Mailbox) map[string]bool {
	own := map[string]bool{}
	for _, m := range boxes {
		own[strings.ToLower(m.Address)] = true
		for _, a := range m.Aliases {
			own[strings.ToLower(a)] = true
		}
	}
	return own
}

// ours tells whether mail to addr would come back to us, details included.
func ours(addr string, own map[string]bool) bool {
	addr = strings.ToLower(addr)
	if own[addr] {
		return true
	}
	local, domain, _ := strings.Cut(addr, "@")
	base, _, tagged := strings.Cut(local, "+")
	return tagged && own[base+"@"+domain]
}

const loopHint = "notices would come back to supportd; name a person's address"

func readStaff(t *table, own map[string]bool) Staff {
	defer t.Close()
	s := Staff{Notify: t.addresses("notify"), Approvers: t.Texts("approvers")}
	for _, a := range s.Notify {
		if ours(a, own) {
			t.Fault("notify", loopHint, "%s is one of our mailboxes", a)
		}
	}
	return s
}

func readJournal(t *table, own map[string]bool) Journal {
	defer t.Close()
	s := t.Text("anchor", "")
	if s == "" {
		return Journal{}
	}
	a := t.canonical("anchor", s)
	if ours(a, own) {
		t.Fault("anchor", loopHint, "%s is one of our mailboxes", a)
	}
	return Journal{Anchor: a}
}

func readProof(t *table) Proof {
	defer t.Close()
	p := Proof{
		TrustedAuthservIDs: t.Texts("trusted_authserv_ids"),
		MicrosoftTenant:    t.Text("microsoft365_tenant", ""),
		OwnHops:            int(t.Number("own_hops", 1, 0)),
		DKIM:               t.Flag("dkim", true),
		MaxAge:             t.duration("max_age", 72*time.Hour, time.Minute),
		Resolver:           t.hostPort("resolver", ""),
	}
	for _, id := range p.TrustedAuthservIDs {
		if id == "" || strings.ContainsAny(id, " \t;()<>@,\"") {
			t.Fault("trusted_authserv_ids", "the first word of the Authentication-Results that your server writes", "%q is not an authserv-id", id)
		}
	}
	switch {
	case p.MicrosoftTenant == "":
	case !sender.IsTenant(p.MicrosoftTenant):
		t.Fault("microsoft365_tenant", "the tenant ID that the admin centre shows, such as 01234567-89ab-cdef-0123-456789abcdef", "%q is not the ID of a tenant", p.MicrosoftTenant)
	case len(p.TrustedAuthservIDs) > 0:
		t.Fault("microsoft365_tenant", "mail comes in through one border: leave one of them out", "stands beside trusted_authserv_ids")
	}
	return p
}

func readScreen(t *table, own map[string]bool) Screen {
	defer t.Close()
	var s Screen
	var err error
	if s.SpamHeader, err = screen.ParseSpamHeader(t.Text("spam_header", "")); err != nil {
		t.Fault("spam_header", `for example "X-Spam-Flag: YES" or "X-MS-Exchange-Organization-SCL >= 5"`, "it is %v", err)
	}
	for _, d := range t.Texts("own_domains", domainsOf(own)...) {
		domain, err := address.Domain(d)
		if err != nil {
			t.Fault("own_domains", `for example ["site.example"]`, "%q is not a domain", d)
		}
		s.OwnDomains = append(s.OwnDomains, domain)
	}
	return s
}

// domainsOf gives the domains of our addresses, without those of providers
// where everybody may have a mailbox.
func domainsOf(own map[string]bool) []string {
	var domains []string
	for _, a := range slices.Sorted(maps.Keys(own)) {
		if d := address.DomainOf(a); d != "" && !slices.Contains(domains, d) && !forEverybody(d) {
			domains = append(domains, d)
		}
	}
	return domains
}

// forEverybody knows the largest mail providers. A site that has its mailbox at
// one is no house of its own: the provider's other users may be its people.
func forEverybody(domain string) bool {
	switch domain {
	case "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "aol.com",
		"mail.ru", "bk.ru", "list.ru", "inbox.ru", "internet.ru", "yandex.ru", "yandex.com", "yandex.kz", "ya.ru", "rambler.ru", "mail.kz",
		"gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de", "freenet.de", "proton.me", "protonmail.com", "tuta.com", "zoho.com", "fastmail.com",
		"orange.fr", "free.fr", "laposte.net", "ukr.net", "seznam.cz", "wp.pl", "o2.pl", "libero.it":
		return true
	}
	return strings.HasPrefix(domain, "yahoo.") || strings.HasPrefix(domain, "hotmail.") || strings.HasPrefix(domain, "outlook.")
}

func readPolicy(t *table) Policy {
	defer t.Close()
	p := Policy{
		Mode:            t.OneOf("mode", "auto", "observe", "assist", "auto"),
		ConfirmTTL:      t.duration("confirm_ttl", 168*time.Hour, time.Hour),
		MaxMessageBytes: t.Number("max_message_bytes", 25<<20, 64<<10),
		Rules:           defaultRules(),
	}
	limits := t.table("limits")
	p.Limits = Limits{
		Unproven:       int(limits.Number("unproven", 2, 0)),
		Proven:         int(limits.Number("proven", 10, 0)),
		Week:           int(limits.Number("week", 14, 0)),
		Thread:         int(limits.Number("thread", 5, 0)),
		EffectsPerHour: int(limits.Number("effects_per_hour", 20, 0)),
	}
	limits.Close()
	for _, subject := range Subjects() {
		def, rule := p.Rules[subject], t.table(subject)
		p.Rules[subject] = Rule{
			Confirm: rule.OneOf("confirm", def.Confirm, "always", "unproven", "never"),
			Review:  rule.OneOf("review", def.Review, "always", "unsure", "never"),
			CoolOff: rule.duration("cool_off", def.CoolOff, 0),
		}
		rule.Close()
	}
	return p
}

func readKeep(t *table, boxes []Mailbox) Keep {
	defer t.Close()
	done, other := t.duration("done", 90*day, time.Hour), t.duration("other", 30*day, time.Hour)
	k := Keep{Done: done,
		Refused: t.duration("refused", done, time.Hour), Cancelled: t.duration("cancelled", done, time.Hour), Expired: t.duration("expired", done, time.Hour),
		Answered: t.duration("answered", other, time.Hour), Held: t.duration("held", other, time.Hour),
		Ignored: t.duration("ignored", other, time.Hour), Quarantined: t.duration("quarantined", other, time.Hour),
		Records: t.duration("records", 3*365*day, 0)}
	if k.Records > 0 && k.Records < leastRecords {
		t.Fault("records", `"0s" keeps them for ever`, "is shorter than %d days", leastRecords/day)
	}
	for _, m := range boxes {
		if k.Records > 0 && k.Records < m.Keep {
			t.Fault("records", "what is dropped cannot be expunged any more", "is shorter than keep of mailbox %s", m.Name)
		}
	}
	return k
}

// leastRecords is how long records are kept at least: until then the same mail
// may come again, and a letter that did not arrive may come back.
const leastRecords = 30 * day

// readCompact reads when the state may be compacted.
func readCompact(t *table) Compact {
	defer t.Close()
	s := t.Text("hours", "02:00-05:00")
	h, err := ParseHours(s)
	if err != nil {
		t.Fault("hours", `for example "02:00-05:00"; "" compacts never by itself`, "%v", err)
	}
	return Compact{Hours: h}
}

// readBackup reads what copies are made like.
func readBackup(t *table, stateDir string) Backup {
	defer t.Close()
	b := Backup{Recipient: t.Text("recipient", ""), Forgotten: t.file("forgotten", filepath.Join(stateDir, "forgotten")), Keep: t.duration("keep", 365*day, day)}
	if b.Recipient == "" {
		return b
	}
	if _, err := filippo.ParseRecipients(strings.NewReader(b.Recipient)); err != nil {
		t.Fault("recipient", `such as "age1…", which "age-keygen" prints as the public key`, "is no age recipient")
	}
	return b
}

func readConsole(t *table) Console {
	defer t.Close()
	c := Console{Listen: t.hostPort("listen", "127.0.0.1:8080"), Cert: t.file("tls_cert", ""), Key: t.file("tls_key", ""),
		Proxies: t.networks("trusted_proxy", `for example ["127.0.0.1"] or ["10.0.0.0/24"]`), HealthFrom: t.networks("health_from", `for example ["10.0.0.5", "10.1.0.0/16"]`)}
	c.URL = strings.TrimRight(t.page("url"), "/")
	u, err := url.Parse(c.URL)
	if err == nil && (u.Path != "" || u.RawQuery != "" || u.Fragment != "") {
		t.Fault("url", `for example "https://console.site.example"`, "it has a path, and the console takes the whole host")
	}
	if plain, bad := console.PlainURL(c.URL); bad == nil {
		c.URL = plain
	} else if err == nil && u.Hostname() != "" {
		t.Fault("url", `for example "https://console.site.example"`, "no browser can ask for that host")
	}
	if (c.Cert == "") != (c.Key == "") {
		t.Fault("tls_cert", "set both of tls_cert and tls_key, or neither", "stands without the other")
	}
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case c.Listen == "" || err != nil:
		c.URL = ""
		return c
	case !loopback(host) && c.Cert == "" && len(c.Proxies) == 0:
		t.Fault("listen", "listen on 127.0.0.1, or set tls_cert and tls_key, or trusted_proxy when a proxy with TLS stands before it", "%s is not a loopback address, and there is no TLS", host)
	case !loopback(host) && c.URL == "":
		t.Fault("url", `for example "https://console.site.example"`, "is missing: the console answers only under the name that browsers ask for")
	}
	if strings.HasPrefix(c.URL, "https:") && c.Cert == "" && len(c.Proxies) == 0 && loopback(host) {
		t.Fault("trusted_proxy", `trusted_proxy = ["127.0.0.1"] for a proxy on this machine, or tls_cert and tls_key`, "is missing: url is https, so a proxy stands before the console, and every browser would have the proxy's address")
	}
	if c.URL == "" {
		c.URL = map[bool]string{true: "https://", false: "http://"}[c.Cert != ""] + c.Listen
	}
	return c
}

func readLog(t *table) Log {
	defer t.Close()
	l := Log{Format: t.OneOf("format", "text", "text", "json")}
	switch t.OneOf("level", "info", "debug", "info", "warn", "error") {
	case "debug":
		l.Level = slog.LevelDebug
	case "warn":
		l.Level = slog.LevelWarn
	case "error":
		l.Level = slog.LevelError
	}
	return l
}

func readOverlay(t *table) Overlay {
	defer t.Close()
	return Overlay{Dir: t.folder("overlay")}
}
