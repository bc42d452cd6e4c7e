package daemon_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
)

// The resolver is down: no server is found by its name, and nobody's key. When
// it is back, everybody gets what they wish.
func TestResolverIsDown(t *testing.T) {
	var down atomic.Bool
	away := func(name string) error {
		return &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	lookup := func(_ context.Context, name string) ([]string, error) {
		if down.Load() {
			return nil, away(name)
		}
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	s := setup{nobody: true, opt: daemon.Options{Lookup: lookup}, replace: []string{"dkim = false", "dkim = true", "effects_per_hour = 100", "effects_per_hour = 1000000"}}
	inPlace(t, s, func(p *place) {
		c := p.people(100)
		found := func(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
			return func(ctx context.Context, network, addr string) (net.Conn, error) {
				if down.Load() {
					return nil, &net.OpError{Op: "dial", Net: network, Err: away(addr)}
				}
				return dial(ctx, network, addr)
			}
		}
		p.opt.DialIMAP, p.opt.DialSMTP = found(p.opt.DialIMAP), found(p.opt.DialSMTP)
		p.reopen()
		p.start()
		for range 4 {
			c.Join(5)
			p.passes(20 * time.Minute)
			down.Store(true)
			c.Join(5)
			p.CutIMAP()
			p.CutSMTP()
			p.passes(5 * time.Hour)
			down.Store(false)
		}
		p.passes(48 * time.Hour)
		p.custody(c, filed)
	})
}
