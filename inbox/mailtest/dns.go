package mailtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// DNS answers for the names that a test gives it: TXT, MX, A and AAAA. It can
// be asked over loopback by UDP and TCP, over in-memory connections ([DNS.Dial]),
// or without any network at all ([DNS.LookupTXT]). Names have no case. A name
// that was never set does not exist.
type DNS struct {
	pipes   *memListener   // what Dial connects to
	memory  *listener      // the same, remembering its connections
	streams *listener      // TCP; nil without a port
	packets net.PacketConn // UDP; nil without a port
	running sync.WaitGroup
	closing sync.Once

	mu      sync.Mutex
	zone    map[string][]record
	faults  map[string]error
	queries []string
}

type record struct {
	kind dnsmessage.Type
	body dnsmessage.ResourceBody
}

// Faults of DNS.Fail.
var (
	// ErrServFail makes the server answer that it could not find out.
	ErrServFail = errors.New("the DNS server failed")
	// ErrNoAnswer makes the server drop the question, so that the client waits
	// until its own limit.
	ErrNoAnswer = errors.New("the DNS server does not answer")
)

// NewDNS makes a responder that no port leads to: it is asked through Dial and
// LookupTXT, and works inside a testing/synctest bubble. Close ends it.
func NewDNS() *DNS {
	d := &DNS{zone: map[string][]record{}, faults: map[string]error{}, pipes: newMemListener("dns:53")}
	d.memory = newListener(d.pipes, func() {})
	d.running.Go(func() { d.serveStreams(d.memory) })
	return d
}

// ListenDNS makes a responder on a free port of loopback, for UDP and TCP.
func ListenDNS() (*DNS, error) {
	streams, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for test DNS: %w", err)
	}
	packets, err := net.ListenPacket("udp", streams.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for test DNS: %w", err), streams.Close())
	}
	d := NewDNS()
	d.streams, d.packets = newListener(streams, func() {}), packets
	d.running.Go(d.servePackets)
	d.running.Go(func() { d.serveStreams(d.streams) })
	return d, nil
}

// Addr gives host:port; "" when there is no port.
func (d *DNS) Addr() string { return addrOf(d.streams) }

// Close ends the responder and waits for its goroutines.
func (d *DNS) Close() error {
	var err error
	d.closing.Do(func() {
		err = d.memory.Close()
		if d.streams != nil {
			err = errors.Join(err, d.streams.Close(), d.packets.Close())
		}
	})
	d.running.Wait()
	return err
}

// canonical gives the form of a name that the zone is keyed by.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// TXT adds TXT records to a name, each split into strings of 255 bytes.
func (d *DNS) TXT(name string, values ...string) {
	for _, v := range values {
		var parts []string
		for len(v) > 255 {
			parts, v = append(parts, v[:255]), v[255:]
		}
		d.add(name, dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: append(parts, v)})
	}
}

// MX adds mail exchangers to a name, best first.
func (d *DNS) MX(name string, hosts ...string) error {
	for i, h := range hosts {
		n, err := dnsmessage.NewName(canonical(h) + ".")
		if err != nil {
			return fmt.Errorf("setting the MX of %s: %w", name, err)
		}
		d.add(name, dnsmessage.TypeMX, &dnsmessage.MXResource{Pref: uint16(10 * (i + 1)), MX: n})
	}
	return nil
}

// A adds addresses to a name: A or AAAA records.
func (d *DNS) A(name string, addrs ...netip.Addr) {
	for _, a := range addrs {
		if a.Is4() {
			d.add(name, dnsmessage.TypeA, &dnsmessage.AResource{A: a.As4()})
		} else {
			d.add(name, dnsmessage.TypeAAAA, &dnsmessage.AAAAResource{AAAA: a.As16()})
		}
	}
}

func (d *DNS) add(name string, kind dnsmessage.Type, body dnsmessage.ResourceBody) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.zone[canonical(name)] = append(d.zone[canonical(name)], record{kind, body})
}

// Delete makes a name not exist.
func (d *DNS) Delete(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.zone, canonical(name))
}

// Fail scripts a fault for a name: ErrServFail or ErrNoAnswer; nil ends it.
func (d *DNS) Fail(name string, fault error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults[canonical(name)] = fault
}

// Queries lists what was asked, in order: name, blank, type, as in
// "_dmarc.example.org TXT".
func (d *DNS) Queries() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.queries...)
}

func (d *DNS) find(name string, kind dnsmessage.Type) (records []record, exists bool, fault error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = canonical(name)
	d.queries = append(d.queries, name+" "+strings.TrimPrefix(kind.String(), "Type"))
	if err := d.faults[name]; err != nil {
		return nil, false, err
	}
	all, exists := d.zone[name]
	for _, r := range all {
		if r.kind == kind {
			records = append(records, r)
		}
	}
	return records, exists, nil
}

// LookupTXT answers as net.Resolver does, with the same errors, and no
// network. A name that does not answer waits for the context.
func (d *DNS) LookupTXT(ctx context.Context, name string) ([]string, error) {
	failed := func(why string) *net.DNSError { return &net.DNSError{Err: why, Name: name, Server: "memory"} }
	records, _, fault := d.find(name, dnsmessage.TypeTXT)
	switch {
	case errors.Is(fault, ErrNoAnswer):
		<-ctx.Done()
		e := failed("i/o timeout")
		e.IsTimeout, e.IsTemporary, e.UnwrapErr = true, true, ctx.Err()
		return nil, e
	case fault != nil:
		e := failed("server misbehaving")
		e.IsTemporary = true
		return nil, e
	case len(records) == 0:
		e := failed("no such host")
		e.IsNotFound = true
		return nil, e
	}
	var out []string
	for _, r := range records {
		if txt, ok := r.body.(*dnsmessage.TXTResource); ok {
			out = append(out, strings.Join(txt.TXT, ""))
		}
	}
	return out, nil
}

// Dial connects a net.Resolver with PreferGo to the responder, whatever
// network and address it asks for.
func (d *DNS) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return d.pipes.dial(ctx)
}

func (d *DNS) servePackets() {
	b := make([]byte, 4096)
	for {
		n, from, err := d.packets.ReadFrom(b)
		if err != nil {
			return // closed
		}
		if answer := d.answer(b[:n], 512); answer != nil {
			_, _ = d.packets.WriteTo(answer, from) // a lost packet is asked for again
		}
	}
}

func (d *DNS) serveStreams(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed
		}
		d.running.Go(func() { d.converse(c) })
	}
}

// converse answers messages with a length of two bytes in front (RFC 1035,
// 4.2.2) until the client has closed.
func (d *DNS) converse(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		answer := d.answer(q, 1<<16-1)
		if answer == nil {
			continue
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// answer gives the reply to a question; nil for none. What is longer than
// limit is replaced by an empty reply that says to ask again by TCP.
func (d *DNS) answer(query []byte, limit int) []byte {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil || head.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	records, exists, fault := d.find(q.Name.String(), q.Type)
	if errors.Is(fault, ErrNoAnswer) {
		return nil
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: head.ID, Response: true, Authoritative: true, RecursionDesired: head.RecursionDesired, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
	}
	switch {
	case fault != nil:
		m.RCode = dnsmessage.RCodeServerFailure
	case !exists:
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, r := range records {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: r.kind, Class: dnsmessage.ClassINET, TTL: 60}, Body: r.body})
	}
	b, err := m.Pack()
	if err == nil && len(b) > limit {
		m.Truncated, m.Answers = true, nil
		b, err = m.Pack()
	}
	if err != nil {
		return nil
	}
	return b
}
