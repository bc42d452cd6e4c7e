package sender

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func failing(err error) func(context.Context, string) ([]string, error) {
	return func(context.Context, string) ([]string, error) { return nil, err }
}

// dnsServer answers questions over in-memory connections, framed as DNS over
// TCP is. answer gives the code and texts for a name.
func dnsServer(t testing.TB, answer func(name string) (dnsmessage.RCode, []string)) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, _, addr string) (net.Conn, error) {
		if addr != "192.0.2.53:53" {
			t.Errorf("dialed %s", addr)
		}
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			serveDNS(server, answer)
		}()
		t.Cleanup(func() { client.Close(); <-done })
		return client, nil
	}
}

func serveDNS(conn net.Conn, answer func(string) (dnsmessage.RCode, []string)) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, b); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(b); err != nil || len(m.Questions) != 1 {
			return
		}
		q := m.Questions[0]
		code, texts := answer(q.Name.String())
		m.Response, m.RecursionAvailable, m.RCode, m.Additionals = true, true, code, nil
		for _, text := range texts {
			h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.TXTResource{TXT: characterStrings(text)}})
		}
		out, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil {
			return
		}
	}
}

// characterStrings cuts a text as DNS must, and once more at its first byte.
func characterStrings(text string) []string {
	out := []string{text[:1]}
	for rest := text[1:]; rest != ""; {
		n := min(len(rest), 255)
		out, rest = append(out, rest[:n]), rest[n:]
	}
	return out
}

func TestResolver(t *testing.T) {
	var asked []string
	lookup := Resolver("192.0.2.53:53", dnsServer(t, func(name string) (dnsmessage.RCode, []string) {
		asked = append(asked, name)
		switch name {
		case "s._domainkey.victim.org.":
			return dnsmessage.RCodeSuccess, []string{"v=DKIM1; p="}
		case "broken.victim.org.":
			return dnsmessage.RCodeServerFailure, nil
		}
		return dnsmessage.RCodeNameError, nil
	}))
	got, err := lookup(t.Context(), "s._domainkey.victim.org")
	if err != nil || !slices.Equal(got, []string{"v=DKIM1; p="}) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err = lookup(t.Context(), "none.victim.org."); !isDNSError(err, func(e *net.DNSError) bool { return e.IsNotFound }) {
		t.Errorf("a name that is not there gave %v", err)
	}
	if _, err = lookup(t.Context(), "broken.victim.org"); !isDNSError(err, func(e *net.DNSError) bool { return e.IsTemporary && !e.IsNotFound }) {
		t.Errorf("a server that fails gave %v", err)
	}
	for _, name := range asked {
		if !strings.HasSuffix(name, ".victim.org.") {
			t.Errorf("asked %s, below a search domain", name)
		}
	}
}

func TestResolverThatIsNotThere(t *testing.T) {
	lookup := Resolver("192.0.2.53:53", func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("connection refused")
	})
	if _, err := lookup(t.Context(), "victim.org"); !isDNSError(err, func(e *net.DNSError) bool { return !e.IsNotFound }) {
		t.Errorf("got %v", err)
	}
}

func TestLookupEndsWithItsContext(t *testing.T) {
	c := checker(t, Config{LookupTXT: func(ctx context.Context, name string) ([]string, error) {
		<-ctx.Done()
		return nil, &net.DNSError{Err: ctx.Err().Error(), Name: name, IsTimeout: true}
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.txt(ctx, "victim.org"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func isDNSError(err error, is func(*net.DNSError) bool) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && is(e)
}
