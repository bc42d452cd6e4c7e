package daemon_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/mailtest"
)

var (
	everyByte = flag.Bool("everybyte", false, "cut connections behind every byte in place of every 37th")
	cutFrom   = flag.Int64("cutfrom", rand.Int64N(stride), "the first byte behind which connections are cut")
)

// stride is how far apart the bytes are behind which connections are cut.
const stride = 37

// custody is the end of every test that hurts the daemon: no mail is lost, none
// answered twice, no effect doubled, every mail in a named state, and the
// mailbox agrees with the state.
func (p *place) custody(c *crowd.Crowd, b crowd.Books) {
	p.t.Helper()
	b.State, b.Others = p.d.Service().State, append(slices.Clone(b.Others), staff) // who hear of what fails for an hour
	b.Person = func(id string) (users.Person, error) { return p.d.Person(p.t.Context(), id) }
	faults, doubled := c.Check(b)
	for _, f := range faults {
		p.t.Error(f)
	}
	if r := p.reconcile(); r.Server != r.Accounted || r.Gone > b.Gone {
		p.t.Errorf("the mailbox and the state do not agree: %+v", r)
	}
	p.t.Logf("%d people got what they wished; %d letters came twice because nobody could know of the first", c.Written, doubled)
}

// filed is where accounted mail lies, as the configuration has it by default.
var filed = crowd.Books{Filed: "Processed"}

// people lets a crowd of up to n write to the place.
func (p *place) people(n int) *crowd.Crowd {
	p.t.Helper()
	if err := p.d.ImportPeople(p.t.Context(), crowd.People(n)); err != nil {
		p.t.Fatal(err)
	}
	return crowd.New(p.World, false)
}

// tapping is setup with a tap in the connections of one protocol.
func (s setup) tapping(protocol string, t *tap) setup {
	s.nobody = true
	s.replace = append(s.replace, `poll = "1m"`, `poll = "10m"`, "effects_per_hour = 100", "effects_per_hour = 1000000")
	if protocol == "IMAP" {
		s.wrap = t.wrap
	} else {
		s.relay = t.wrap
	}
	return s
}

// round has one person write, over new connections, while the tap is armed. The
// person must come to their end.
func (p *place) round(c *crowd.Crowd, t *tap, at *where) {
	p.t.Helper()
	p.passes(11 * time.Minute) // the pauses before a new try are short again
	p.CutIMAP()
	synctest.Wait()
	t.reset()
	if at != nil {
		t.arm(*at)
	}
	p.passes(3 * time.Second)
	n := c.Finished()
	c.Join(1)
	synctest.Wait()
	for waited := time.Duration(0); c.Finished() == n; waited += 5 * time.Minute {
		if waited > 6*time.Hour {
			p.t.Fatalf("after six hours nothing has come of %+v", at)
		}
		p.passes(5 * time.Minute)
	}
	p.passes(time.Second)
}

// places lists where to hurt a conversation of so many bytes and lines: at the
// end of each line, a byte before and behind it, and behind every 37th byte.
func places(w way, h harm, size int64, lines int) (all []where) {
	for line := range lines {
		for delta := -1; delta <= 1; delta++ {
			all = append(all, where{way: w, harm: h, line: line + 1, delta: delta})
		}
	}
	return append(all, bytewise(w, h, size)...)
}

func bytewise(w way, h harm, size int64) (all []where) {
	from, step := *cutFrom, int64(stride)
	if *everyByte {
		from, step = 0, 1
	}
	for ; from < size; from += step {
		all = append(all, where{way: w, harm: h, byte: from})
	}
	return all
}

// A conversation whose connections end, fall silent or carry nonsense at any
// place comes to its end all the same.
func TestCuts(t *testing.T) {
	t.Logf("-cutfrom=%d", *cutFrom)
	type sweep struct {
		protocol string
		way      way
		harm     harm
		wish     crowd.Wish
		tls      bool
	}
	var sweeps []sweep
	for _, protocol := range []string{"IMAP", "SMTP"} {
		for _, w := range []way{down, up} {
			sweeps = append(sweeps, sweep{protocol, w, cut, crowd.NoPhone, false}, sweep{protocol, w, stall, crowd.NoPhone, false})
		}
		sweeps = append(sweeps, sweep{protocol, down, garbage, crowd.NoPhone, false}, sweep{protocol, down, cut, crowd.NoPhone, true})
	}
	sweeps = append(sweeps, sweep{"SMTP", up, cut, crowd.ACopy, false})
	for _, s := range sweeps {
		t.Run(fmt.Sprintf("%s %s %v %v TLS %v", s.protocol, s.wish.Kind, s.way, s.harm, s.tls), func(t *testing.T) {
			var x tap
			set := setup{world: mailtest.Options{TLS: s.tls}}
			if s.tls {
				set.replace = []string{`"imap+insecure://127.0.0.1:143"`, "\"imaps://127.0.0.1:993\"\nca_file = \"ca.pem\"",
					`"smtp+insecure://127.0.0.1:25"`, "\"smtps://127.0.0.1:465\"\nca_file = \"ca.pem\""}
			}
			inPlace(t, set.tapping(s.protocol, &x), func(p *place) {
				c := p.people(20000)
				c.Wishes = []crowd.Wish{s.wish}
				p.start()
				p.round(c, &x, nil) // makes the folder
				p.round(c, &x, nil)
				size, lines := x.counted(s.way)
				all := places(s.way, s.harm, size, lines)
				switch {
				case s.tls: // what is said after the handshake is said without it, too
					all = bytewise(s.way, s.harm, min(size, 3000))
				case s.protocol == "SMTP" && s.way == up && (s.harm != cut || s.wish.Kind == inbox.KindCopy): // the lines of a text are no words
					all = bytewise(s.way, s.harm, size)
				case s.harm != cut:
					all = all[:3*lines]
				}
				missed := 0
				for i := range all {
					p.round(c, &x, &all[i])
					if !x.sprung() {
						missed++
					}
				}
				t.Logf("%d places in %d bytes and %d lines, %d were not reached", len(all), size, lines, missed)
				if missed > 12+len(all)/20 { // what is said varies by a line or two
					t.Error("too many places were not reached")
				}
				x.reset()
				p.passes(20 * time.Minute)
				p.custody(c, filed)
			})
		})
	}
}
