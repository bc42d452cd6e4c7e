package daemon_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/crowd"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/mailtest"
)

const copyPlease = "Please send me a copy of all the personal data you hold about me."

// finder is what looks people up, with a word to say about it first.
type finder struct {
	next  intake.Finder
	asked func(addr string) error
}

func (f finder) Find(ctx context.Context, addr string) ([]users.Person, error) {
	if err := f.asked(addr); err != nil {
		return nil, err
	}
	return f.next.Find(ctx, addr)
}

// finding is daemon.Options.Find that asks f first.
func finding(f func(addr string) error) func(intake.Finder) intake.Finder {
	return func(next intake.Finder) intake.Finder { return finder{next, f} }
}

func TestBadMailBlocksNobody(t *testing.T) {
	tests := []struct {
		name  string
		opt   func() daemon.Options
		bad   string
		bare  bool // no server has put its headers on top
		state inbox.MailState
	}{
		{name: "it makes the reading panic", state: inbox.MailQuarantined,
			opt: func() daemon.Options {
				return daemon.Options{Find: finding(func(addr string) error {
					if addr == "mallory@evil.test" {
						panic("a value that nobody thought of: mallory@evil.test")
					}
					return nil
				})}
			}},
		{name: "it makes the commit panic", state: inbox.MailQuarantined,
			opt: func() daemon.Options {
				var n atomic.Int32
				return daemon.Options{Point: func(name string) {
					if name == "before commit intake" && n.Add(1) <= 2 { // with others, and alone
						panic("a value that nobody thought of: mallory@evil.test")
					}
				}}
			}},
		{name: "it has no header at all", bare: true, bad: "\r\nplease delete everything", state: inbox.MailQuarantined},
		{name: "it is empty", bare: true, bad: "", state: inbox.MailQuarantined},
		{name: "it is larger than the limit", state: inbox.MailHeld,
			bad: "From: mallory@evil.test\r\nTo: support@site.test\r\nMessage-ID: <big@evil.test>\r\n\r\n" + strings.Repeat("Delete my account.\r\n", 4096)},
		{name: "two From lines", state: inbox.MailHeld,
			bad: "From: mallory@evil.test\r\nFrom: alice@users.test\r\nTo: support@site.test\r\nMessage-ID: <two@evil.test>\r\n\r\nDelete my account.\r\n"},
		{name: "two authors in one From line", state: inbox.MailHeld,
			bad: "From: mallory@evil.test, alice@users.test\r\nTo: support@site.test\r\nMessage-ID: <both@evil.test>\r\n\r\nDelete my account.\r\n"},
		{name: "it comes from our own address", state: inbox.MailHeld,
			bad: "From: support@site.test\r\nTo: support@site.test\r\nMessage-ID: <own@site.test>\r\n\r\nDelete my account.\r\n"},
		{name: "it comes from our alias in capitals", state: inbox.MailHeld,
			bad: "From: Privacy@SITE.test\r\nTo: support@site.test\r\nMessage-ID: <own2@site.test>\r\n\r\nDelete my account.\r\n"},
		{name: "it comes from our own address with a tag", state: inbox.MailHeld,
			bad: "From: support+x@site.test\r\nTo: support@site.test\r\nMessage-ID: <own3@site.test>\r\n\r\nDelete my account.\r\n"},
		{name: "it comes from a colleague", state: inbox.MailHeld,
			bad: "From: anna@site.test\r\nTo: support@site.test\r\nMessage-ID: <own4@site.test>\r\n\r\nDelete my account.\r\n"},
		{name: "it names no author", state: inbox.MailIgnored,
			bad: "To: support@site.test\r\nMessage-ID: <none@evil.test>\r\nSubject: delete my account\r\n\r\nDelete my account.\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := setup{more: "[policy]\nmax_message_bytes = 65536\n", replace: []string{`poll = "1m"`, "poll = \"1m\"\naliases = [\"privacy@site.test\"]"}}
			if tt.opt != nil {
				s.opt = tt.opt()
				tt.bad = "From: mallory@evil.test\r\nTo: support@site.test\r\nMessage-ID: <bad@evil.test>\r\n\r\nDelete my account.\r\n"
			}
			inPlace(t, s, func(p *place) {
				p.start()
				if tt.bare {
					imap(p, support, func(c *client) { c.append("INBOX", tt.bad) })
				} else {
					p.deliver(tt.bad, mailtest.Envelope("mallory@evil.test"))
				}
				p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
				p.wantMails(tt.state, inbox.MailActed)
				p.wantLetters("alice@users.test", "result")
				p.wantLetters("mallory@evil.test")
				if told := len(p.lettersTo(staff)) > 0; told != (tt.state == inbox.MailQuarantined || strings.Contains(tt.name, "larger")) {
					t.Errorf("staff were told: %v", told)
				}
				if left := p.Folder(support, "INBOX"); len(left) != 0 {
					t.Errorf("%d mails are left in the folder", len(left))
				}
				for _, a := range p.actions() {
					if a.Kind == inbox.KindDelete && a.State != inbox.StateReview {
						t.Errorf("%s, read from a mail of an uncertain author, is %s", a.ID, a.State)
					}
				}
				for _, m := range p.mails() {
					if strings.Contains(m.Reason, "evil.test") || strings.Contains(m.Reason, "\n") {
						t.Errorf("the reason of %s is %q", m.ID, m.Reason)
					}
				}
			})
		})
	}
}

// trap is a connection that dies when the text of a certain mail in INBOX is
// asked for.
type trap struct {
	net.Conn
	uid    string
	inbox  bool // is selected
	sprung *atomic.Int32
}

func (c *trap) Write(b []byte) (int, error) {
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		if len(words) > 2 && words[1] == "SELECT" {
			c.inbox = strings.Trim(words[2], `"`) == "INBOX"
		}
		if c.inbox && len(words) > 4 && words[1] == "UID" && words[2] == "FETCH" && strings.Contains(line, "BODY.PEEK[]") && covers(words[3], c.uid) {
			c.sprung.Add(1)
			return 0, errors.Join(net.ErrClosed, c.Close())
		}
	}
	return c.Conn.Write(b)
}

// covers tells whether a set of UIDs, as an IMAP command writes it, has uid.
func covers(set, uid string) bool {
	var n, from, to int
	fmt.Sscan(uid, &n)
	for part := range strings.SplitSeq(set, ",") {
		if c, _ := fmt.Sscanf(part, "%d:%d", &from, &to); c < 2 {
			to = from
		}
		if from <= n && n <= to {
			return true
		}
	}
	return false
}

// trapped puts a trap for the mail with a UID into every connection, and
// counts how often it was asked for.
func trapped(uid string) (wrap func(net.Conn) net.Conn, sprung *atomic.Int32) {
	sprung = new(atomic.Int32)
	return func(c net.Conn) net.Conn { return &trap{Conn: c, uid: uid, sprung: sprung} }, sprung
}

func TestPoison(t *testing.T) {
	for _, once := range []bool{false, true} {
		t.Run(fmt.Sprintf("once %v", once), func(t *testing.T) {
			s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}
			wrap, sprung := trapped("2")
			s.wrap = wrap
			inPlace(t, s, func(p *place) {
				for _, who := range []string{"alice", "bob", "carol"} {
					p.Send(who+"@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
				}
				if once {
					if err := p.d.Once(p.t.Context()); err != nil {
						t.Errorf("the run did not come to its end: %v", err)
					}
				} else {
					p.start()
					p.passes(time.Hour)
				}
				if n := sprung.Load(); n < 3 || n > 4 {
					t.Errorf("the mail was asked for %d times", n)
				}
				states := map[inbox.MailState]int{}
				for _, m := range p.mails() {
					states[m.State]++
					if m.State == inbox.MailQuarantined && m.UID != 2 {
						t.Errorf("UID %d is quarantined", m.UID)
					}
				}
				if len(states) != 2 || states[inbox.MailActed] != 2 || states[inbox.MailQuarantined] != 1 {
					t.Errorf("the mails ended as %v", states)
				}
				p.wantLetters("alice@users.test", "result")
				p.wantLetters("carol@users.test", "result")
				p.wantLetters("bob@users.test")
				p.wantLetters(staff, "staff-notice")
			})
		})
	}
}

// How often a poisonous mail was asked for is known after a restart, too.
func TestPoisonAndRestarts(t *testing.T) {
	s := setup{nobody: true, replace: []string{`poll = "1m"`, "poll = \"1m\"\nfirst_run = \"all\""}}
	wrap, sprung := trapped("2")
	s.wrap = wrap
	inPlace(t, s, func(p *place) {
		c := p.people(10)
		c.Wishes = []crowd.Wish{crowd.ACopy}
		c.Join(5)
		p.Send("mallory@evil.test", support, "hello", "hello") // stands behind them
		for range 12 {
			before := sprung.Load()
			p.start()
			for range 100 {
				if p.passes(500 * time.Millisecond); sprung.Load() > before {
					break
				}
			}
			p.reopen()
		}
		p.start()
		p.passes(time.Hour)
		if n := sprung.Load(); n < 3 || n > 4 {
			t.Errorf("the mail was asked for %d times", n)
		}
		if n := len(p.lettersTo(staff)); n != 1 {
			t.Errorf("staff were told %d times", n)
		}
		states := map[inbox.MailState]int{}
		for _, m := range p.mails() {
			states[m.State]++
		}
		if states[inbox.MailActed] != 4 || states[inbox.MailQuarantined] != 1 || len(p.mails()) != 6 {
			t.Errorf("the mails ended as %v", states)
		}
		if r := p.reconcile(); r.Server != r.Accounted {
			t.Errorf("not everything is accounted for: %+v", r)
		}
	})
}

// A poisonous mail must not be forgotten because another folder fares well.
func TestPoisonBesideJunk(t *testing.T) {
	s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\njunk = \"Spam\""}}
	wrap, sprung := trapped("2")
	s.wrap = wrap
	inPlace(t, s, func(p *place) {
		imap(p, support, func(c *client) { c.must("CREATE Spam") })
		p.start()
		p.takes("dmitry@users.test", "my data", copyPlease, mailtest.Aligned(true)) // UID 1
		for i := range 20 {
			imap(p, support, func(c *client) {
				c.append("Spam", fmt.Sprintf("From: shop%d@spam.test\r\nMessage-ID: <%d@spam.test>\r\n\r\nBuy now!\r\n", i, i))
			})
			if i == 0 {
				p.Send("bob@users.test", support, "my data", copyPlease, mailtest.Aligned(true)) // UID 2
				p.Send("alice@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
			}
			p.passes(time.Second) // so that each session finds fresh junk, too
		}
		p.passes(time.Hour)
		if n := sprung.Load(); n < 3 || n > 4 {
			t.Errorf("the mail was asked for %d times", n)
		}
		p.wantLetters("alice@users.test", "result")
		if r := p.reconcile(); r.Server != r.Accounted {
			t.Errorf("not everything is accounted for: %+v", r)
		}
	})
}

func TestSameContent(t *testing.T) {
	const mail = "From: alice@users.test\r\nTo: support@site.test, privacy@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <one@users.test>\r\nSubject: my data\r\n\r\n" + copyPlease + "\r\n"
	second := "[[mailbox]]\nname = \"privacy\"\naddress = \"privacy@site.test\"\nimap = \"imap+insecure://127.0.0.1:143\"\npassword_file = \"pass\"\n"
	tests := []struct {
		name    string
		first   string // the mail that comes first; "": a plain one
		again   string // the mail that comes second; "": the same as the first
		to      string
		slow    bool // the user store does not answer for the first minutes
		mails   []inbox.MailState
		letters []string
	}{
		{name: "twice to one mailbox", to: support, mails: []inbox.MailState{inbox.MailActed}, letters: []string{"result"}},
		{name: "to two of our mailboxes", to: "privacy@site.test", mails: []inbox.MailState{inbox.MailActed}, letters: []string{"result"}},
		{name: "twice to one mailbox, both deferred", to: support, slow: true, mails: []inbox.MailState{inbox.MailActed}, letters: []string{"result"}},
		{name: "to two of our mailboxes, both deferred", to: "privacy@site.test", slow: true, mails: []inbox.MailState{inbox.MailActed}, letters: []string{"result"}},
		{name: "both deferred, without a Message-ID", to: "privacy@site.test", slow: true, first: strings.Replace(mail, "Message-ID: <one@users.test>\r\n", "", 1),
			mails: []inbox.MailState{inbox.MailActed}, letters: []string{"result"}},
		{name: "the same Message-ID over other words", to: support, again: strings.Replace(mail, copyPlease, "Please delete my account.", 1),
			mails: []inbox.MailState{inbox.MailActed, inbox.MailHeld}, letters: []string{"result"}},
		{name: "the same Message-ID over other words, both deferred", to: support, slow: true, again: strings.Replace(mail, copyPlease, "Please delete my account.", 1),
			mails: []inbox.MailState{inbox.MailActed, inbox.MailHeld}, letters: []string{"result"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Time{}
			opt := daemon.Options{Find: finding(func(string) error {
				if tt.slow && time.Since(began) < 3*time.Minute {
					return inbox.Temporary(errors.New("the database is away"))
				}
				return nil
			})}
			s := setup{more: second, opt: opt, before: func(w *mailtest.World) {
				if err := w.AddUser("privacy@site.test", "secret"); err != nil {
					t.Error(err)
				}
			}}
			inPlace(t, s, func(p *place) {
				began = time.Now()
				p.start()
				tt.first = cmp.Or(tt.first, mail)
				p.deliver(tt.first, mailtest.Aligned(true))
				tt.again = cmp.Or(tt.again, tt.first)
				if err := p.Deliver(tt.to, []byte(tt.again), mailtest.Aligned(true)); err != nil {
					t.Fatal(err)
				}
				p.passes(time.Hour)
				p.wantMails(tt.mails...)
				p.wantLetters("alice@users.test", tt.letters...)
				for _, box := range []string{support, "privacy@site.test"} {
					if left := p.Folder(box, "INBOX"); len(left) != 0 {
						t.Errorf("%d mails are left in %s", len(left), box)
					}
				}
			})
		})
	}
}

// Everything that the first run left alone stays alone, even when the server
// numbers it anew.
func TestFirstRun(t *testing.T) {
	for _, run := range []string{"new", "all"} {
		t.Run(run, func(t *testing.T) {
			s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nkeep = \"24h\"\nfirst_run = \"" + run + "\""}}
			inPlace(t, s, func(p *place) {
				for _, who := range []string{"bob", "carol"} {
					p.Send(who+"@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
				}
				p.passes(time.Hour)
				p.start()
				p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
				old := []string{}
				if run == "all" {
					old = []string{"result"}
				}
				look := func(when string) {
					t.Helper()
					p.wantLetters("alice@users.test", "result")
					p.wantLetters("bob@users.test", old...)
					p.wantLetters("carol@users.test", old...)
					if left := len(p.Folder(support, "INBOX")); left != 2*(1-len(old)) {
						t.Errorf("%s: %d mails are in the folder", when, left)
					}
					if r := p.reconcile(); r.Server != r.Accounted || r.Gone != 0 {
						t.Errorf("%s: %+v", when, r)
					}
				}
				look("after the first run")
				if err := p.SetUIDValidity(support, "INBOX", 77); err != nil {
					t.Fatal(err)
				}
				p.passes(time.Hour)
				look("after the server numbered its mail anew")
				p.passes(25 * time.Hour)
				look("after keep")
			})
		})
	}
}

func TestUIDValidity(t *testing.T) {
	tests := []struct {
		name, filed string
		slow        bool
	}{
		{"mail that was answered and is left in place", "", false},
		{"mail that is deferred", "Processed", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			slow := tt.slow
			opt := daemon.Options{Find: finding(func(string) error {
				if slow {
					return inbox.Temporary(errors.New("the database is away"))
				}
				return nil
			})}
			s := setup{opt: opt, replace: []string{`poll = "1m"`, fmt.Sprintf("poll = \"1m\"\nfiled = %q\nkeep = \"0s\"", tt.filed)}}
			inPlace(t, s, func(p *place) {
				p.start()
				p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
				if err := p.SetUIDValidity(support, "INBOX", 77); err != nil {
					t.Fatal(err)
				}
				p.passes(10 * time.Minute)
				slow = false
				p.passes(2 * time.Hour)
				p.wantMails(inbox.MailActed)
				p.wantLetters("alice@users.test", "result")
				if r := p.reconcile(); r.Server != r.Accounted || r.Gone != 0 {
					t.Errorf("after the change: %+v", r)
				}
			})
		})
	}
}

// A deferred mail that somebody takes away cannot be tried again; staff learn
// of it, and nobody asks for it for ever.
func TestDeferredMailVanishes(t *testing.T) {
	away := inbox.Temporary(errors.New("the database is away"))
	for _, renumbered := range []bool{false, true} {
		t.Run(fmt.Sprintf("renumbered %v", renumbered), func(t *testing.T) {
			var gone atomic.Bool
			opt := daemon.Options{Find: finding(func(addr string) error {
				if addr == "alice@users.test" && !gone.Load() {
					return away
				}
				return nil
			})}
			inPlace(t, setup{opt: opt}, func(p *place) {
				p.start()
				p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
				p.wantMails(inbox.MailDeferred)
				gone.Store(true)
				imap(p, support, func(c *client) {
					c.must("SELECT INBOX")
					c.must("UID STORE 1 +FLAGS.SILENT (\\Deleted)")
					c.must("UID EXPUNGE 1")
				})
				if renumbered {
					if err := p.SetUIDValidity(support, "INBOX", 77); err != nil {
						t.Fatal(err)
					}
				}
				p.passes(2 * time.Minute)
				p.takes("bob@users.test", "my data", copyPlease, mailtest.Aligned(true))
				p.wantMails(inbox.MailQuarantined, inbox.MailActed)
				p.wantLetters(staff, "staff-notice")
				p.wantLetters("alice@users.test")
				p.wantLetters("bob@users.test", "result")
			})
		})
	}
}

// Deferred mails that nobody can reach any more do not keep those of other
// folders from being tried again.
func TestDeferredBehindAFolderThatIsGone(t *testing.T) {
	const press = "[[mailbox]]\nname = \"press\"\naddress = \"press@site.test\"\nimap = \"imap+insecure://127.0.0.1:143\"\n" +
		"password_file = \"pass\"\nfolder = \"Desk\"\npoll = \"1m\"\n"
	var away atomic.Bool
	opt := daemon.Options{Find: finding(func(string) error {
		if away.Load() {
			return inbox.Temporary(errors.New("the database is away"))
		}
		return nil
	})}
	set := setup{more: press, opt: opt, before: func(w *mailtest.World) {
		if err := w.AddUser("press@site.test", "secret"); err != nil {
			t.Error(err)
		}
	}}
	inPlace(t, set, func(p *place) {
		imap(p, "press@site.test", func(c *client) { c.must("CREATE Desk") })
		p.start()
		away.Store(true)
		imap(p, "press@site.test", func(c *client) {
			for i := range 50 {
				c.append("Desk", fmt.Sprintf("From: x%d@users.test\r\nTo: press@site.test\r\nMessage-ID: <%d@users.test>\r\n\r\n%s\r\n", i, i, deletePlease))
			}
		})
		p.passes(2 * time.Minute)
		imap(p, "press@site.test", func(c *client) { c.must("DELETE Desk") })
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		if m := p.mails(); len(m) != 51 || m[50].State != inbox.MailDeferred {
			t.Fatalf("there are %d mails, the last is %s", len(m), m[len(m)-1].State)
		}
		away.Store(false)
		p.passes(time.Hour)
		p.wantLetters("alice@users.test", "result")
	})
}

func TestDeferred(t *testing.T) {
	const signed = "DKIM-Signature: v=1; a=rsa-sha256; d=users.test; s=a; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
	tests := []struct {
		name string
		lost time.Duration // how long nobody answers
		dns  bool
		end  inbox.MailState
	}{
		{"the user store is away for an hour", time.Hour, false, inbox.MailActed},
		{"the user store is away for three days", 72 * time.Hour, false, inbox.MailHeld},
		{"DNS does not answer for an hour", time.Hour, true, inbox.MailAsked},
		{"DNS does not answer for three days", 72 * time.Hour, true, inbox.MailHeld},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var began time.Time
			asked := 0
			lost := func() bool {
				if time.Since(began) >= tt.lost {
					return false
				}
				asked++
				return true
			}
			opt := daemon.Options{
				Find: finding(func(string) error {
					if !tt.dns && lost() {
						return inbox.Temporary(errors.New("the database is away"))
					}
					return nil
				}),
				Lookup: func(_ context.Context, name string) ([]string, error) {
					if tt.dns && name == "_dmarc.site.test" && time.Since(began) < tt.lost { // whether anybody answers at all
						return nil, &net.DNSError{Err: "no answer", Name: name, IsTimeout: true, IsTemporary: true}
					}
					if tt.dns && lost() {
						return nil, &net.DNSError{Err: "no answer", Name: name, IsTimeout: true, IsTemporary: true}
					}
					return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
				}}
			inPlace(t, setup{opt: opt, replace: []string{"dkim = false", "dkim = true"}}, func(p *place) {
				began = time.Now()
				p.start()
				raw := "From: alice@users.test\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <one@users.test>\r\nSubject: my data\r\n\r\n" + copyPlease + "\r\n"
				if tt.dns {
					p.deliver(signed + raw)
				} else {
					p.deliver(raw, mailtest.Aligned(true))
				}
				p.wantMails(inbox.MailDeferred)
				if in := len(p.Folder(support, "INBOX")); in != 1 {
					t.Errorf("a deferred mail was acknowledged: %d are left in the folder", in)
				}
				p.wantLetters("alice@users.test")
				p.passes(tt.lost + 31*time.Minute)
				p.wantMails(tt.end)
				if n := len(p.lettersTo("alice@users.test")); n != 1 && tt.end != inbox.MailHeld || n != 0 && tt.end == inbox.MailHeld {
					t.Errorf("the person got %d letters", n)
				}
				if tt.end == inbox.MailHeld {
					p.wantActions("copy review")
				}
				if most := int(tt.lost/(30*time.Minute)) + 8; asked > most {
					t.Errorf("asked %d times, more than %d", asked, most)
				}
				if in := len(p.Folder(support, "INBOX")); in != 0 {
					t.Errorf("%d mails are left in the folder", in)
				}
			})
		})
	}
}

// After a long absence of ours a mail is days old when it is first tried; that
// is no reason to give it up after one try.
func TestDeferredOldMail(t *testing.T) {
	var away atomic.Bool
	opt := daemon.Options{Find: finding(func(string) error {
		if away.Load() {
			return inbox.Temporary(errors.New("the database is away"))
		}
		return nil
	})}
	inPlace(t, setup{opt: opt}, func(p *place) {
		p.start()
		p.stop()
		p.Send("alice@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
		away.Store(true)
		p.passes(4 * 24 * time.Hour)
		p.reopen()
		p.start()
		p.passes(20 * time.Minute)
		p.wantMails(inbox.MailDeferred)
		away.Store(false)
		p.passes(time.Hour)
		p.wantMails(inbox.MailActed)
		p.wantLetters("alice@users.test", "result")
	})
}

func TestJunk(t *testing.T) {
	s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nkeep = \"24h\"\njunk = \"Spam\""}}
	inPlace(t, s, func(p *place) {
		imap(p, support, func(c *client) { c.must("CREATE Spam") })
		p.start()
		put := func(from, id, text string) {
			imap(p, support, func(c *client) {
				c.append("Spam", "From: "+from+"\r\nTo: support@site.test\r\nDate: Sat, 01 Jan 2000 00:00:00 +0000\r\nMessage-ID: <"+id+">\r\nSubject: hello\r\n\r\n"+text+"\r\n")
			})
		}
		put("alice@users.test", "a@users.test", "Please delete my account.")
		put("bob@users.test", "b@users.test", "When do you open on Sundays?")
		put("shop@spam.test", "c@spam.test", "Cheap watches, buy now!")
		p.passes(time.Hour)
		p.wantMails(inbox.MailHeld, inbox.MailIgnored, inbox.MailIgnored)
		p.wantActions("delete review")
		if sent := p.Sent(); len(sent) != 0 {
			t.Errorf("%d letters went out because of junk", len(sent))
		}
		if in := len(p.Folder(support, "Spam")); in != 3 {
			t.Errorf("%d mails are in the junk folder", in)
		}
		imap(p, support, func(c *client) { // staff rescue a mail that was no junk
			c.must("SELECT Spam")
			c.must("UID MOVE 2 INBOX")
		})
		p.passes(time.Minute)
		p.wantActions("delete review", "question review")
		p.passes(25 * time.Hour)
		if in := len(p.Folder(support, "Spam")); in != 2 {
			t.Errorf("%d mails are in the junk folder after keep", in)
		}
	})
}

// A junk folder that is not there must not keep mail from being read.
func TestJunkFolderMissing(t *testing.T) {
	s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\njunk = \"Spam\""}}
	inPlace(t, s, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.passes(20 * time.Minute)
		p.wantLetters("alice@users.test", "result")
		p.wantLog("level=WARN", "junk", "No such mailbox")
	})
}

func TestKeywordInPlace(t *testing.T) {
	s := setup{replace: []string{`poll = "1m"`, "poll = \"1m\"\nfiled = \"\"\nkeep = \"240h\""}}
	inPlace(t, s, func(p *place) {
		p.Send("carol@users.test", support, "old", copyPlease, mailtest.Aligned(true))
		p.start()
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		marks := func() (out []bool) {
			for _, m := range p.Folder(support, "INBOX") {
				out = append(out, slices.Contains(m.Flags, "$Supportd"))
				if slices.Contains(m.Flags, "\\Seen") {
					t.Error("a mail was marked as read")
				}
			}
			return out
		}
		if got := marks(); !slices.Equal(got, []bool{false, true}) {
			t.Errorf("marked: %v", got)
		}
		p.passes(239 * time.Hour)
		if got := marks(); !slices.Equal(got, []bool{false, true}) {
			t.Errorf("before the end of keep, marked: %v", got)
		}
		p.passes(2 * time.Hour)
		if got := marks(); !slices.Equal(got, []bool{false}) {
			t.Errorf("after keep, marked: %v", got)
		}
	})
}

// Keep expunges what we filed, and nothing that others put into the folder or
// marked as deleted.
func TestKeep(t *testing.T) {
	inPlace(t, setup{replace: []string{`poll = "1m"`, "poll = \"1h\""}}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		imap(p, support, func(c *client) {
			c.append("Processed", "From: staff@office.test\r\nSubject: notes\r\n\r\nmine\r\n")
			c.append("Processed", "From: staff@office.test\r\nSubject: old notes\r\n\r\nmine\r\n")
			c.must("SELECT Processed")
			c.must("UID STORE 3 +FLAGS.SILENT (\\Deleted)")
		})
		p.passes(89 * 24 * time.Hour)
		if n := len(p.Folder(support, "Processed")); n != 3 {
			t.Errorf("before the end of keep %d mails are in the folder", n)
		}
		p.passes(2 * 24 * time.Hour)
		left := p.Folder(support, "Processed")
		if len(left) != 2 || left[0].UID != 2 || left[1].UID != 3 {
			t.Errorf("after keep the folder has %v", left)
		}
	})
}

// The folder that mail was filed into may be gone when keep is over.
func TestKeepFolderGone(t *testing.T) {
	inPlace(t, setup{replace: []string{`poll = "1m"`, "poll = \"1h\""}}, func(p *place) {
		p.start()
		p.takes("alice@users.test", "my data", copyPlease, mailtest.Aligned(true))
		imap(p, support, func(c *client) { c.must("RENAME Processed Archive") })
		p.passes(91 * 24 * time.Hour)
		p.takes("bob@users.test", "my data", copyPlease, mailtest.Aligned(true))
		p.wantLetters("bob@users.test", "result")
		if n := len(p.Folder(support, "Archive")); n != 1 {
			t.Errorf("%d mails are left in the folder that was renamed", n)
		}
	})
}

// The server is told about a mail only when a new process would find it
// accounted for.
func TestAcknowledgeAfterCommit(t *testing.T) {
	for _, filed := range []string{"Processed", ""} {
		t.Run("filed "+filed, func(t *testing.T) {
			s := setup{replace: []string{`poll = "1m"`, fmt.Sprintf("poll = \"1m\"\nfiled = %q", filed)}}
			inPlace(t, s, func(p *place) {
				seen := map[uint32]bool{}
				p.OnAcknowledge(func(_, folder string, uids []uint32) {
					known := map[uint32]bool{}
					for _, m := range p.mails() {
						known[m.UID] = m.State != "" && m.State != inbox.MailDeferred
					}
					for _, uid := range uids {
						seen[uid] = true
						if !known[uid] {
							t.Errorf("UID %d of %s is acknowledged and not accounted for", uid, folder)
						}
					}
				})
				p.start()
				for i := range 40 {
					p.Send(fmt.Sprintf("person%d@else.test", i), support, "my data", copyPlease, mailtest.Aligned(true))
				}
				p.passes(5 * time.Minute)
				if len(seen) != 40 {
					t.Errorf("%d mails were acknowledged", len(seen))
				}
			})
		})
	}
}

// A server that fails at any stage costs time and nothing else.
func TestIMAPStages(t *testing.T) {
	stages := map[string]int{mailtest.StageLogin: 1, mailtest.StageSelect: 1, mailtest.StageMove: 2, mailtest.StageStore: 1,
		mailtest.StageFetch: 5} // UIDs, sizes, texts, dates, and UIDs again
	faults := map[string]error{"hangs up": mailtest.ErrHangUp, "falls silent": mailtest.ErrSilence, "refuses": mailtest.Refuse(450, "not now")}
	for stage, times := range stages {
		for name, fault := range faults {
			for n := 1; n <= times; n++ {
				t.Run(fmt.Sprintf("%s %s at %d", name, stage, n), func(t *testing.T) {
					s := setup{}
					if stage == mailtest.StageStore {
						s.replace = []string{`poll = "1m"`, "poll = \"1m\"\nfiled = \"\""}
					}
					inPlace(t, s, func(p *place) {
						p.start()
						p.stop()
						p.reopen()
						var reached atomic.Bool
						p.SetFail(func(at, _ string, i int) error {
							if at == stage && i == n {
								reached.Store(true)
								return fault
							}
							return nil
						})
						for _, who := range []string{"alice", "bob", "carol"} {
							p.Send(who+"@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
						}
						p.start()
						p.passes(10 * time.Minute)
						p.CutIMAP()
						p.takes("dmitry@users.test", "my data", copyPlease, mailtest.Aligned(true))
						p.passes(10 * time.Minute)
						p.wantMails(inbox.MailActed, inbox.MailActed, inbox.MailActed, inbox.MailActed)
						for _, who := range []string{"alice", "bob", "carol", "dmitry"} {
							p.wantLetters(who+"@users.test", "result")
						}
						if r := p.reconcile(); r.Server != r.Accounted || r.Gone != 0 {
							t.Errorf("%+v", r)
						}
						if !reached.Load() {
							t.Error("the stage was not reached so often")
						}
					})
				})
			}
		}
	}
}

// certificate has the server show one that is good for d from now.
func (p *place) certificate(d time.Duration) {
	p.t.Helper()
	if err := p.SetCertificate(time.Now().Add(d)); err != nil {
		p.t.Fatal(err)
	}
}

func TestServerTrouble(t *testing.T) {
	tests := []struct {
		name   string
		tls    bool
		broken func(p *place)
		mended func(p *place)
		log    []string
	}{
		{"wrong password", false, func(p *place) { p.swapPassword("not it") }, func(p *place) { p.swapPassword("secret") },
			[]string{"IMAP login refused", "check username and password"}},
		{"empty password file", false, func(p *place) { p.swapPassword("") }, func(p *place) { p.swapPassword("secret") },
			[]string{"getting the password", "is empty"}},
		{"server unreachable", false, func(p *place) { p.down.Store(true) }, func(p *place) { p.down.Store(false) },
			[]string{"unreachable", "check that the server runs"}},
		{"expired certificate", true, func(p *place) { p.certificate(-time.Hour) }, func(p *place) { p.certificate(time.Hour) },
			[]string{"IMAP TLS failed", "expired"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := setup{world: mailtest.Options{TLS: tt.tls}}
			if tt.tls {
				s.replace = []string{`"imap+insecure://127.0.0.1:143"`, "\"imaps://127.0.0.1:993\"\nca_file = \"ca.pem\""}
			}
			inPlace(t, s, func(p *place) {
				p.start()
				tt.broken(p)
				p.CutIMAP()
				p.Send("alice@users.test", support, "my data", copyPlease, mailtest.Aligned(true))
				p.passes(6 * time.Hour)
				p.wantMails()
				p.wantLog(append(tt.log, "level=WARN", "mailbox=support")...)
				if n := strings.Count(p.log.String(), "out of reach"); n < 10 || n > 100 {
					t.Errorf("tried %d times in six hours", n)
				}
				if strings.Contains(p.log.String(), "not it") {
					t.Error("the password is in the log")
				}
				tt.mended(p)
				p.passes(6 * time.Minute)
				p.wantMails(inbox.MailActed)
				p.wantLetters("alice@users.test", "result")
			})
		})
	}
}
