package mailtest_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox/mailtest"
)

func zone(t *testing.T, d *mailtest.DNS) {
	t.Helper()
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	d.TXT("_DMARC.example.org", "v=DMARC1; p=reject")
	d.TXT("long.example.org", strings.Repeat("x", 700))
	d.A("mx.example.org", netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"))
	if err := d.MX("example.org", "mx.example.org"); err != nil {
		t.Fatal(err)
	}
	d.Fail("broken.example.org", mailtest.ErrServFail)
	d.Fail("mute.example.org", mailtest.ErrNoAnswer)
}

func TestDNSAnswersAResolver(t *testing.T) {
	listening, err := mailtest.ListenDNS()
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]*mailtest.DNS{"loopback": listening, "memory": mailtest.NewDNS()} {
		zone(t, d)
		r := &net.Resolver{PreferGo: true, Dial: d.Dial}
		if name == "loopback" {
			r.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				var dialer net.Dialer
				return dialer.DialContext(ctx, network, d.Addr())
			}
		}
		if txt, err := r.LookupTXT(t.Context(), "_dmarc.example.org."); err != nil || !slices.Equal(txt, []string{"v=DMARC1; p=reject"}) {
			t.Errorf("%s: TXT %q, %v", name, txt, err)
		}
		if txt, err := r.LookupTXT(t.Context(), "long.example.org."); err != nil || len(txt) != 1 || len(txt[0]) != 700 {
			t.Errorf("%s: a long TXT: %q, %v", name, txt, err)
		}
		if mx, err := r.LookupMX(t.Context(), "example.org."); err != nil || len(mx) != 1 || mx[0].Host != "mx.example.org." {
			t.Errorf("%s: MX %v, %v", name, mx, err)
		}
		if ips, err := r.LookupNetIP(t.Context(), "ip", "mx.example.org."); err != nil || len(ips) != 2 {
			t.Errorf("%s: addresses %v, %v", name, ips, err)
		}
		if _, err := r.LookupTXT(t.Context(), "nowhere.example.org."); !notFound(err) {
			t.Errorf("%s: a name that does not exist: %v", name, err)
		}
		if _, err := r.LookupTXT(t.Context(), "broken.example.org."); err == nil || notFound(err) || !temporary(err) {
			t.Errorf("%s: a server that fails: %v", name, err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := r.LookupTXT(ctx, "mute.example.org."); err == nil || notFound(err) {
			t.Errorf("%s: a server without an answer: %v", name, err)
		}
		stop()
		if q := d.Queries(); len(q) == 0 || q[0] != "_dmarc.example.org TXT" {
			t.Errorf("%s: queries %q", name, q)
		}
	}
}

func notFound(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound
}

func temporary(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.Temporary()
}

func TestLookupTXTInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := mailtest.NewDNS()
		zone(t, d)
		if txt, err := d.LookupTXT(t.Context(), "_dmarc.EXAMPLE.org"); err != nil || !slices.Equal(txt, []string{"v=DMARC1; p=reject"}) {
			t.Errorf("TXT %q, %v", txt, err)
		}
		if _, err := d.LookupTXT(t.Context(), "mx.example.org"); !notFound(err) {
			t.Errorf("a name without TXT: %v", err)
		}
		if _, err := d.LookupTXT(t.Context(), "broken.example.org"); notFound(err) || !temporary(err) {
			t.Errorf("a server that fails: %v", err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		start := time.Now()
		if _, err := d.LookupTXT(ctx, "mute.example.org"); !temporary(err) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("a server without an answer: %v after %v", err, time.Since(start))
		}
		d.Delete("_dmarc.example.org")
		if _, err := d.LookupTXT(t.Context(), "_dmarc.example.org"); !notFound(err) {
			t.Errorf("a deleted name: %v", err)
		}
	})
}

// FuzzDNS sends a stranger's packet; the responder lives to answer the next
// question.
func FuzzDNS(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x10\x00\x01"))
	f.Add([]byte("\x00\x01\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x10\x00\x01"))
	d := mailtest.NewDNS()
	f.Cleanup(func() { _ = d.Close() })
	d.TXT("example.org", "here")
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b), 1<<16-1)]
		conn, err := d.Dial(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(append([]byte{byte(len(b) >> 8), byte(len(b))}, b...)); err != nil {
			t.Fatal(err)
		}
		r := &net.Resolver{PreferGo: true, Dial: d.Dial}
		if txt, err := r.LookupTXT(t.Context(), "example.org."); err != nil || !slices.Equal(txt, []string{"here"}) {
			t.Errorf("after it: %q, %v", txt, err)
		}
	})
}
