// Package config reads the operator's configuration file (TOML) into one
// Config. It is strict: an unknown key, a missing secret, a value out of range
// or an unreadable file is a fault, and Load reports all faults of a file at
// once, each with its key, its line and, where there is one, a hint.
//
// Each section asks its table for the keys that it has (sections.go), with the
// default beside the key; package settings finds those that nobody asked for.
// What a value must be is in values.go, where secrets come from in login.go.
//
// Relative paths are relative to the folder of the configuration file.
package config

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/mailbox"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/screen"
	"push.guru/supportd/inbox/settings"
)

// Config is a configuration without faults; every default is filled in.
type Config struct {
	StateDir  string
	Site      Site
	Staff     Staff
	Mailboxes []Mailbox // at least one
	Proof     Proof
	Screen    Screen
	Policy    Policy
	Deadlines Deadlines
	Keep      Keep
	Compact   Compact
	Backup    Backup
	Users     Users
	Journal   Journal
	Console   Console
	Log       Log
	Templates Overlay
	Classify  Overlay
}

// Site is what the program knows about the site whose people write.
type Site struct {
	Name       string
	Languages  []string // BCP 47; the first is the default for replies
	Region     string   // ISO 3166, two capitals
	AccountURL string   // "" when people have no page of their own
	Location   *time.Location
}

// Staff are the people behind the mailbox.
type Staff struct {
	Notify    []string // canonical addresses
	Approvers []string // users of this machine who may approve without proof
}

// Mailbox is one place where people write.
type Mailbox struct {
	Name     string
	Address  string   // canonical; From and envelope sender of replies
	Aliases  []string // canonical
	IMAP     mailbox.Server
	Login    Login
	Folder   string
	Filed    string        // "": accounted mail stays in Folder
	Junk     string        // "": not read
	Keep     time.Duration // accounted mail is expunged after it; 0: never
	Erase    bool          // mails of people whose account was deleted are expunged
	FirstRun string        // new | all
	Poll     time.Duration
	Plus     bool         // the server delivers Address and Aliases with a detail, too: user+detail@…
	Forms    []parse.Form // of the site, that write to this mailbox
	SMTP     SMTP         // [smtp] with what [mailbox.smtp] overrides
}

// SMTP is where the replies of one mailbox are handed in.
type SMTP struct {
	Server        outbox.Server
	Login         Login
	Connections   int
	MaxReplyBytes int64
	MaxParts      int
}

// Proof says whose word about a sender is believed.
type Proof struct {
	TrustedAuthservIDs []string
	MicrosoftTenant    string // ID of our tenant at Microsoft 365, when that is our border; "": it is not
	OwnHops            int
	DKIM               bool
	MaxAge             time.Duration
	Resolver           string // host:port; "": the system's
}

// Screen says what nobody is to be answered about.
type Screen struct {
	SpamHeader screen.SpamHeader
	OwnDomains []string // lower case, ASCII; mail from there is for staff
}

// Policy is the operator's word on what happens by itself.
type Policy struct {
	Mode            string // observe | assist | auto
	ConfirmTTL      time.Duration
	MaxMessageBytes int64
	Limits          Limits
	Rules           map[string]Rule // by subject: every name of Subjects
}

// Limits cap what is sent and done by itself.
type Limits struct {
	Unproven, Proven, Week, Thread, EffectsPerHour int
}

// Rule says what happens to requests of one subject.
type Rule struct {
	Confirm string // always | unproven | never
	Review  string // always | unsure | never
	CoolOff time.Duration
}

// Deadlines are the clocks that answers are due by.
type Deadlines struct {
	Profile  string
	Holidays string         // the operator's file or folder of calendars; "": none
	Clock    deadline.Clock // of the profile, with what the operator changed
}

// Keep says how long the text and addresses of ended cases stay readable, by how
// they ended.
type Keep struct {
	Done, Refused, Cancelled, Expired    time.Duration // with Actions
	Answered, Held, Ignored, Quarantined time.Duration // mails without
	Records                              time.Duration // what is left of them, and the journal, after that; 0: for ever
}

// Of gives how long what a case holds that ended so is kept.
func (k Keep) Of(e inbox.End) time.Duration {
	switch e {
	case inbox.EndRefused:
		return k.Refused
	case inbox.EndCancelled:
		return k.Cancelled
	case inbox.EndExpired:
		return k.Expired
	case inbox.EndAnswered:
		return k.Answered
	case inbox.EndHeld:
		return k.Held
	case inbox.EndIgnored:
		return k.Ignored
	case inbox.EndQuarantined:
		return k.Quarantined
	}
	return k.Done
}

// Compact says when the state is compacted by itself.
type Compact struct {
	Hours Hours
}

// Backup says how copies of the state are made, and what is kept beside them.
type Backup struct {
	Recipient string        // of age, that keys are encrypted to; "": they are not
	Forgotten string        // the directory of the list of what was forgotten
	Keep      time.Duration // how long a copy may be restored: what was forgotten before is not listed
}

// Users says where people are stored.
type Users struct {
	Store     string       // bolt | postgres | mysql | sqlite
	Path      string       // of the file of bolt and sqlite
	DSNFile   string       // where the data source name of postgres and mysql is read: here,
	DSNEnv    string       // or here
	Map       *datamap.Map // what is stored; that of the embedded store for bolt
	Dormant   Age          // who was last signed in longer ago is for staff; zero: nobody for that
	Protected []string     // IDs of people on whom only staff act
	After     After        // who is told of effects

	Reapply time.Duration // how long a delete that was carried out can be repeated; 0: not at all
}

// DSN gives a function that reads where the database is anew each time; nil of
// a store that is a file.
func (u Users) DSN() func(context.Context) (string, error) {
	return Login{PasswordFile: u.DSNFile, PasswordEnv: u.DSNEnv}.Secret()
}

// After says who is told of each effect until they have heard it; zero: nobody.
type After struct {
	URL        string   // a page of the site's, which gets a signed request
	SecretFile string   // of URL: what it is signed with
	Command    []string // or a program and its arguments
}

// Secret gives a function that reads the secret anew each time; nil where there
// is no URL.
func (a After) Secret() func(context.Context) (string, error) {
	return Login{PasswordFile: a.SecretFile}.Secret()
}

// Journal says who gets the head of the chain.
type Journal struct {
	Anchor string // canonical address, or ""
}

// Console says where staff's pages are served.
type Console struct {
	Listen  string         // host:port; "": not served
	URL     string         // what browsers ask for, without a slash at the end; "" when it is not served
	Cert    string         // file of the certificate; "": no TLS
	Key     string         // file of its key
	Proxies []netip.Prefix // whose word on the address of a browser is believed

	HealthFrom []netip.Prefix // who may ask for /healthz, /readyz and /metrics beside this machine
}

// Elsewhere gives URL, or "" where only browsers on this machine can open it.
func (c Console) Elsewhere() string {
	u, err := url.Parse(c.URL)
	if err != nil || loopback(u.Hostname()) {
		return ""
	}
	return c.URL
}

// Log says what is logged.
type Log struct {
	Level  slog.Level
	Format string // text | json
}

// Overlay is a folder whose files stand in for built-in ones of the same
// name.
type Overlay struct {
	Dir string // "": none
}

//go:embed sample.toml
var sample string

// Sample gives a commented configuration, complete but for the secrets, that
// Load takes without fault once its password files exist.
func Sample() string { return sample }

// Fault is one thing that is wrong in the configuration or its data map.
type Fault = settings.Fault

// Faults are all of them, in the order of the lines.
type Faults = settings.Faults

// StateDir reads nothing but where the state is: whoever only talks to a
// running daemon need not be able to read its secrets. Other faults of the
// file are not looked for.
func StateDir(path string) (string, error) {
	r, root, err := read(path)
	if err != nil {
		return "", err
	}
	dir := stateDir(root)
	if faults := r.Faults(); len(faults) > 0 {
		return "", faults
	}
	return dir, nil
}

// Zone reads nothing but the zone in which the site tells the time, for whoever
// only talks to a running daemon. Where the file does not tell, or is faulty,
// it is the machine's.
func Zone(path string) *time.Location {
	_, root, err := read(path)
	if err != nil {
		return time.Local
	}
	site := root.table("site")
	return readZone(site, site.region("region", "KZ"))
}

// read parses the file at path.
func read(path string) (*settings.File, *table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the configuration: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the configuration: %w", err)
	}
	r, root := settings.Parse(data)
	if root == nil {
		return nil, nil, r.Faults()
	}
	return r, &table{root, dir}, nil
}

// Load reads the file at path. When the file can be read but has faults, the
// error is a Faults with all of them. known are the languages that replies can
// be written in; without any, every well-formed language tag is accepted.
func Load(path string, known ...string) (*Config, error) {
	r, root, err := read(path)
	if err != nil {
		return nil, err
	}
	c := readConfig(root, known)
	if faults := r.Faults(); len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}
