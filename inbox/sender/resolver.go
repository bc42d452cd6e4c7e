package sender

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"push.guru/supportd/inbox"
)

const (
	lookupTimeout = 20 * time.Second // for one name, all tries included
	maxRecord     = 4096             // octets of a TXT record; a key of 8192 bits has about 1500
)

// Resolver gives a function for Config.LookupTXT that asks the DNS server at
// host:port over connections that dial makes. server "": the servers of the
// system; dial nil: plain connections. Names are asked as they are, without
// the system's search domains. It returns errors of type *net.DNSError.
func Resolver(server string, dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(ctx context.Context, name string) ([]string, error) {
	r := net.DefaultResolver
	if server != "" || dial != nil {
		if dial == nil {
			dial = new(net.Dialer).DialContext
		}
		r = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if server != "" {
				addr = server
			}
			return dial(ctx, network, addr)
		}}
	}
	return func(ctx context.Context, name string) ([]string, error) {
		// The dot keeps a name that does not exist from being asked again
		// below a search domain, where somebody else may answer.
		return r.LookupTXT(ctx, strings.TrimSuffix(name, ".")+".")
	}
}

// txt gives the TXT records of a name; none when it does not exist. Every
// other failure is temporary: an answer that did not come says nothing.
func (c *Checker) txt(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	txts, err := c.lookup(ctx, name)
	if err == nil {
		return txts, nil
	}
	e, ok := errors.AsType[*net.DNSError](err)
	if ok && e.IsNotFound {
		return nil, nil
	}
	cause := context.Cause(ctx)
	switch {
	case cause != nil:
	case ok:
		// The name is the sender's domain, and this text will be logged.
		cause = errors.New(e.Err)
		if strings.Contains(e.Err, strings.TrimSuffix(name, ".")) {
			cause = errors.New("no usable answer")
		}
	default:
		cause = errors.New("no usable answer")
	}
	return nil, &inbox.Error{
		Err:  fmt.Errorf("asking DNS about a sender's domain: %w", cause),
		Hint: "check the resolver; the mail will be tried again",
		Temp: true,
	}
}
