package sender

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// Config says whom to believe.
type Config struct {
	// Own are the canonical addresses (package address) of all our mailboxes
	// and their aliases. A mail that names none of them in To or Cc was written
	// to somebody else and is never aligned; with none given, no mail is.
	Own []string

	// TrustedIDs are the authserv-ids whose Authentication-Results are
	// believed, as the servers write them; upper and lower case are the same.
	// None: the verdict of no server counts.
	TrustedIDs []string

	// MicrosoftTenant is the ID (a GUID) of our tenant where Microsoft 365 is
	// our border: it writes Authentication-Results without an authserv-id, and
	// only those then count. "": another border. It excludes TrustedIDs.
	MicrosoftTenant string

	// OwnHops is the number of Received lines that our own servers put on top
	// of the Authentication-Results: 0 when it is put on last, 1 when a
	// delivery by LMTP follows. Too large a number lets forged headers in.
	OwnHops int

	// DKIM has signatures verified here when no trusted header gave a verdict.
	DKIM bool

	// MaxAge is the longest time between the Date of a mail, or a signature, and
	// the arrival of the mail. It must be set where anything is believed: DKIM,
	// TrustedIDs or MicrosoftTenant.
	MaxAge time.Duration

	// LookupTXT gives the TXT records of a name that has no trailing dot, each
	// record as one string. Its errors must be of type *net.DNSError, so that
	// "no such name" can be told from "no answer". nil: the system's resolver,
	// as Resolver("", nil). It must be safe for concurrent use.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
}

// Checker finds out who sent mails. It is safe for concurrent use.
type Checker struct {
	own    map[string]bool // lower case
	ids    []string        // lower case
	tenant string          // lower case; "": not Microsoft 365
	hops   int
	dkim   bool
	maxAge time.Duration
	lookup func(ctx context.Context, name string) ([]string, error)
}

// New makes a Checker. It returns an error that names every fault of the
// configuration.
func New(c Config) (*Checker, error) {
	var faults []error
	k := &Checker{own: make(map[string]bool, len(c.Own)), tenant: strings.ToLower(c.MicrosoftTenant), hops: c.OwnHops, dkim: c.DKIM,
		maxAge: c.MaxAge, lookup: c.LookupTXT}
	for _, a := range c.Own {
		if got, err := address.Canonical(a); err != nil || got != a {
			faults = append(faults, fmt.Errorf("%q is no address of a mailbox in its comparable form: local@domain", a))
		}
		k.own[strings.ToLower(a)] = true
	}
	for _, id := range c.TrustedIDs {
		if id == "" || strings.ContainsAny(id, " \t\r\n;\"()\\") {
			faults = append(faults, fmt.Errorf("%q is no authserv-id: give the first word of your server's Authentication-Results", id))
		}
		k.ids = append(k.ids, strings.ToLower(id))
	}
	switch {
	case k.tenant != "" && !IsTenant(k.tenant):
		faults = append(faults, fmt.Errorf("%q is no ID of a tenant: give a GUID such as 01234567-89ab-cdef-0123-456789abcdef", c.MicrosoftTenant))
	case k.tenant != "" && len(k.ids) > 0:
		faults = append(faults, errors.New("a Microsoft 365 tenant beside trusted authserv-ids: mail comes in through one border; give either"))
	}
	if c.OwnHops < 0 {
		faults = append(faults, fmt.Errorf("own hops %d: a number of Received lines is 0 or more", c.OwnHops))
	}
	if believes := c.DKIM || k.tenant != "" || len(k.ids) > 0; believes && c.MaxAge <= 0 {
		faults = append(faults, fmt.Errorf("maximum age of a mail %s: give a time above zero, such as 72h", c.MaxAge))
	}
	if k.lookup == nil {
		k.lookup = Resolver("", nil)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("configuring the proof of senders: %w", err)
	}
	return k, nil
}

// Evidence says what is known about who sent raw, a mail as the server has it;
// m is the same mail parsed, and received is when it arrived. The level is
// none or aligned, never roundtrip, and Why tells staff the reason; it may name
// the sender's domain. It returns an error only when DNS did not answer
// (inbox.IsTemporary): that is neither pass nor fail, the mail has to be tried
// again.
func (c *Checker) Evidence(ctx context.Context, raw []byte, m *inbox.Message, received time.Time) (inbox.Evidence, error) {
	if m == nil || m.From.Addr == "" || m.FromFault != "" {
		why := "the mail names no single author"
		if m != nil && m.FromFault != "" {
			why += ": " + m.FromFault
		}
		return none(why)
	}
	mail, err := readMail(raw)
	from := address.DomainOf(m.From.Addr)
	v, why := c.ownVerdict(mail, m.From.Addr) // first: no odd line below it may hide what our server says
	switch {
	case v == verdictDenied:
		return inbox.Evidence{Why: why, Denied: true}, nil
	case err != nil:
		return none(err.Error())
	}
	if name := mail.doubled(); name != "" {
		return none("the mail has more than one " + name)
	}
	if !mail.isShown() {
		return none("the Content-Disposition of the mail as a whole hides its text")
	}
	if !mail.namesAuthor(m.From.Addr) {
		return none("the From line can be read in more than one way")
	}
	if _, ok := organisation(from); !ok {
		return none("the From domain is nobody's own: a public suffix or a single label")
	}
	if len(c.own) == 0 {
		return none("no mailboxes of ours are known that it could have been written to")
	}
	if !c.namesUs(mail) {
		return none("neither To nor Cc names an address of ours: it was written to somebody else")
	}
	if fault := c.timeFault(m.Date, received); fault != "" {
		return none("the Date of the mail is " + fault)
	}
	switch {
	case v == verdictPass:
		return inbox.Evidence{Level: inbox.LevelAligned, Why: why}, nil
	case v == verdictFail || !c.dkim:
		return none(why)
	}
	e, err := c.ownVerification(ctx, mail, m, from, received)
	if err == nil && e.Level == inbox.LevelNone {
		e.Why = why + "; " + e.Why
	}
	return e, err
}

// none is the finding that nobody vouches for the From line.
func none(why string) (inbox.Evidence, error) {
	return inbox.Evidence{Level: inbox.LevelNone, Why: why}, nil
}
