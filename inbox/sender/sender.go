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
	// TrustedIDs are the authserv-ids whose Authentication-Results are
	// believed, as the servers write them; upper and lower case are the same.
	// None: the verdict of no server counts.
	TrustedIDs []string

	// OwnHops is the number of Received lines that our own servers put on top
	// of the Authentication-Results: 0 when it is put on last, 1 when a
	// delivery by LMTP follows. Too large a number lets forged headers in.
	OwnHops int

	// DKIM has signatures verified here when no trusted header gave a verdict.
	DKIM bool

	// MaxAge is the longest time between a signature and the arrival of the
	// mail. It must be set when DKIM is.
	MaxAge time.Duration

	// LookupTXT gives the TXT records of a name that has no trailing dot, each
	// record as one string. Its errors must be of type *net.DNSError, so that
	// "no such name" can be told from "no answer". nil: the system's resolver,
	// as Resolver("", nil). It must be safe for concurrent use.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
}

// Checker finds out who sent mails. It is safe for concurrent use.
type Checker struct {
	ids    []string // lower case
	hops   int
	dkim   bool
	maxAge time.Duration
	lookup func(ctx context.Context, name string) ([]string, error)
}

// New makes a Checker. It returns an error that names every fault of the
// configuration.
func New(c Config) (*Checker, error) {
	var faults []error
	k := &Checker{hops: c.OwnHops, dkim: c.DKIM, maxAge: c.MaxAge, lookup: c.LookupTXT}
	for _, id := range c.TrustedIDs {
		if id == "" || strings.ContainsAny(id, " \t\r\n;\"()\\") {
			faults = append(faults, fmt.Errorf("%q is no authserv-id: give the first word of your server's Authentication-Results", id))
		}
		k.ids = append(k.ids, strings.ToLower(id))
	}
	if c.OwnHops < 0 {
		faults = append(faults, fmt.Errorf("own hops %d: a number of Received lines is 0 or more", c.OwnHops))
	}
	if c.DKIM && c.MaxAge <= 0 {
		faults = append(faults, fmt.Errorf("maximum age of a signature %s: give a time above zero, such as 72h", c.MaxAge))
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
	if m == nil || m.FromFault != "" || m.From.Addr == "" {
		return none("the mail names no single author")
	}
	mail, err := readMail(raw)
	from := address.DomainOf(m.From.Addr)
	v, why := c.ownVerdict(mail.fields, from) // first: no odd line below it may hide what our server says
	switch {
	case v == verdictDenied:
		return inbox.Evidence{Why: why, Denied: true}, nil
	case err != nil:
		return none(err.Error())
	}
	if name := mail.doubled(); name != "" {
		return none("the mail has more than one " + name)
	}
	if !mail.namesAuthor(m.From.Addr) {
		return none("the From line can be read in more than one way")
	}
	if _, ok := organisation(from); !ok {
		return none("the From domain is nobody's own: a public suffix or a single label")
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
