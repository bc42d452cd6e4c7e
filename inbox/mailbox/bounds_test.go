package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"push.guru/supportd/inbox"
)

// counting counts what is read from a connection.
type counting struct {
	net.Conn
	read *atomic.Int64
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// counted counts what a session reads.
func counted(cfg *Config) *atomic.Int64 {
	var read atomic.Int64
	dial := cfg.Dial
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return counting{conn, &read}, nil
	}
	return &read
}

// flood sends a FETCH answer whose text goes on for n bytes, or until the
// client hangs up.
func (f *fake) flood(start string, n int) {
	f.say(start + "\x00")
	chunk := []byte(strings.Repeat("x", 64<<10))
	for n > 0 {
		m, err := f.conn.Write(chunk[:min(n, len(chunk))])
		if err != nil {
			return
		}
		n -= m
	}
}

// TestFetchBounds counts what is read from servers that say too little about
// their mails, and what stays in memory: no more than three times the largest
// mail that is fetched. The mail is blamed, or known to be too large.
func TestFetchBounds(t *testing.T) {
	const mb = 1 << 20
	literal := func(n int) string { return fmt.Sprintf("* 1 FETCH (UID 5 BODY[] {%d}\r\n", n) }
	asked := func(f *fake, size, what string) {
		f.ok("UID FETCH 5 "+askSize, size)
		f.expect("UID FETCH 5 " + what)
	}
	for _, tt := range []struct {
		name   string
		max    int64 // 0: the default
		script func(*fake)
		want   string // the mail; "": it is to blame
	}{
		{"a body of 100 MB, refused by its size", 0, func(f *fake) {
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 100*mb))
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
			f.bye()
		}, "104857600 bytes, nil"},
		{"said 3, announces 100 MB", 0, func(f *fake) {
			asked(f, size(1, 5, 3), askMost)
			f.flood(literal(100*mb), 100*mb)
		}, ""},
		{"said 3, announces 10,000 of 100", 100, func(f *fake) {
			asked(f, size(1, 5, 3), askPart)
			f.flood(literal(10000), 10000)
		}, ""},
		{"said 20 MB, announces 100 MB", 0, func(f *fake) {
			asked(f, size(1, 5, 20*mb), askBody)
			f.flood(literal(100*mb), 100*mb)
		}, ""},
		{"no size, announces 100 MB", 0, func(f *fake) {
			f.no("UID FETCH 5 "+askSize, "NO not today")
			f.expect("UID FETCH 5 " + askMost)
			f.flood(literal(100*mb), 100*mb)
		}, ""},
		{"said 3, gives the part that is asked for", 0, func(f *fake) {
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 3))
			tag := f.expect("UID FETCH 5 " + askMost)
			f.flood("* 1 FETCH (UID 5 BODY[]<0> {26214401}\r\n", 26214401)
			f.say(")", tag+" OK")
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
			f.bye()
		}, "26214401 bytes, nil"},
		{"said 3, announces 40 MB", 0, func(f *fake) {
			f.ok("UID FETCH 5 "+askSize, size(1, 5, 3))
			tag := f.expect("UID FETCH 5 " + askMost)
			f.flood(literal(40*mb), 40*mb)
			f.say(")", tag+" OK")
			f.ok("UID FETCH 5 "+askDate, date(1, 5))
			f.bye()
		}, "41943040 bytes, nil"},
		{"said 3, sends 100 MB in quotes", 0, func(f *fake) {
			asked(f, size(1, 5, 3), askMost)
			f.flood(`* 1 FETCH (UID 5 BODY[] "`, 100*mb)
		}, ""},
		{"100 MB of flags in place of a text", 0, func(f *fake) {
			asked(f, size(1, 5, 3), askMost)
			f.flood(`* 1 FETCH (UID 5 FLAGS (`, 100*mb)
		}, ""},
		{"many texts of other mails", 0, func(f *fake) {
			asked(f, size(1, 5, 3), askMost)
			for range 5 {
				f.flood(fmt.Sprintf("* 2 FETCH (UID 6 BODY[] {%d}\r\n", 20*mb), 20*mb)
				f.say(")")
			}
		}, ""},
		{"100 MB in place of a size", 0, func(f *fake) {
			f.expect("UID FETCH 5 " + askSize)
			f.flood(`* 1 FETCH (UID 5 FLAGS (`, 100*mb)
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := scripted(t, func(f *fake) { f.enter(everything, 3); tt.script(f) })
			cfg.MaxBytes = tt.max
			read := counted(&cfg)
			s, folder := enter(t, cfg)
			most := 3*s.cfg.MaxBytes + 16<<10 // the client's buffer, and what was said before
			before, bytes := heap(), read.Load()
			var got string
			err := s.Fetch(t.Context(), folder, []uint32{5}, func(r inbox.Raw) error {
				got = fmt.Sprintf("%d bytes, nil", r.Size)
				if r.Bytes != nil {
					t.Errorf("%d bytes were kept", len(r.Bytes))
				}
				return nil
			})
			kept, bytes := heap()-before, read.Load()-bytes
			t.Logf("read %d bytes, heap after GC %+d bytes, at most %d bytes a mail: %v", bytes, kept, s.cfg.MaxBytes, err)
			if bytes > most || kept > most+1<<20 { // the runtime keeps some, too
				t.Errorf("more than %d bytes", most)
			}
			var p *PoisonError
			switch blamed := errors.As(err, &p) && p.UID == 5; {
			case tt.want == "" && (!blamed || !inbox.IsTemporary(err)):
				t.Errorf("error %v, want the mail blamed", err)
			case tt.want != "" && (err != nil || got != tt.want):
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if s.link.dead() != (tt.want == "") {
				t.Errorf("the session is dead: %t", s.link.dead())
			}
		})
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestFetchBoundsOthers sees the other mails fetched when one of the batch is
// far larger than the server said.
func TestFetchBoundsOthers(t *testing.T) {
	huge := func(f *fake, command string) {
		f.expect(command)
		f.flood("* 2 FETCH (UID 6 BODY[] {10000}\r\n", 10000)
	}
	cfg := scripted(t, func(f *fake) {
		f.enter(everything, 3)
		f.ok("UID FETCH 5:7 "+askSize, size(1, 5, 3), size(2, 6, 3), size(3, 7, 3))
		huge(f, "UID FETCH 5:7 "+askPart)
	}, func(f *fake) {
		f.enter(everything, 3)
		for uid := 5; uid <= 7; uid += 2 {
			f.ok(fmt.Sprintf("UID FETCH %d %s", uid, askSize), size(1, uid, 3))
			f.ok(fmt.Sprintf("UID FETCH %d %s", uid, askPart), body(1, uid, "abc"))
			f.ok(fmt.Sprintf("UID FETCH %d %s", uid, askDate), date(1, uid))
		}
		f.ok("UID FETCH 6 "+askSize, size(2, 6, 3))
		huge(f, "UID FETCH 6 "+askPart)
	})
	cfg.MaxBytes = 100
	s, folder := enter(t, cfg)
	_, err := fetch(t, s, folder, 5, 6, 7)
	var b *BatchError
	if !errors.As(err, &b) || len(b.UIDs) != 3 {
		t.Fatalf("error %v, want the three mails", err)
	}
	s, folder = enter(t, cfg)
	for _, uid := range []uint32{5, 7} {
		if got, err := fetch(t, s, folder, uid); err != nil || len(got) != 1 {
			t.Errorf("UID %d: got %q, %v", uid, got, err)
		}
	}
	var p *PoisonError
	if _, err := fetch(t, s, folder, 6); !errors.As(err, &p) || p.UID != 6 || !strings.Contains(err.Error(), "more than it was asked for") {
		t.Errorf("error %v, want poison 6 and the reason", err)
	}
}
