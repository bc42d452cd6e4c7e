package mailbox

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"push.guru/supportd/inbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a server that follows a script: it says what the test wants, and
// any command other than the expected one fails the test.
type fake struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// everything is what a modern server can do.
const everything = "IDLE MOVE UIDPLUS"

// scripted gives the configuration of a mailbox whose server follows one
// script a connection, each run to its end before the test is over.
func scripted(t *testing.T, scripts ...func(*fake)) Config {
	t.Helper()
	done := make(chan struct{}, len(scripts))
	started := 0
	t.Cleanup(func() {
		for range started {
			<-done
		}
		if started != len(scripts) {
			t.Errorf("%d connections, want %d", started, len(scripts))
		}
	})
	return Config{
		Name:     "support",
		Server:   Server{Host: "localhost", Port: 143, Security: Insecure},
		Username: "u",
		Secret:   func(context.Context) (string, error) { return "p", nil },
		Dial: func(context.Context, string, string) (net.Conn, error) {
			if started == len(scripts) {
				return nil, fmt.Errorf("nobody listens")
			}
			client, server := net.Pipe()
			script := scripts[started]
			started++
			go func() {
				defer func() { done <- struct{}{} }()
				defer server.Close()
				script(&fake{t, server, bufio.NewReader(server)})
			}()
			return client, nil
		},
	}
}

// say sends lines, or parts of lines when they end in a NUL.
func (f *fake) say(lines ...string) {
	for _, l := range lines {
		if part, ok := strings.CutSuffix(l, "\x00"); ok {
			f.conn.Write([]byte(part))
		} else {
			f.conn.Write([]byte(l + "\r\n"))
		}
	}
}

// expect reads a command and gives its tag.
func (f *fake) expect(want string) string {
	line, err := f.r.ReadString('\n')
	if err != nil {
		f.t.Errorf("waiting for %q: %v", want, err)
		return "-"
	}
	tag, got, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	if got != want {
		f.t.Errorf("got command %q, want %q", got, want)
	}
	return tag
}

// ok expects a command, says the lines and that it is done.
func (f *fake) ok(want string, lines ...string) {
	tag := f.expect(want)
	f.say(lines...)
	f.say(tag + " OK done")
}

// no expects a command and refuses it.
func (f *fake) no(want, why string) { f.say(f.expect(want) + " " + why) }

// enter plays the server's part up to a selected INBOX.
func (f *fake) enter(caps string, mails int) {
	f.login(caps)
	f.ok("SELECT INBOX", fmt.Sprintf("* %d EXISTS", mails), "* OK [UIDVALIDITY 7] x", "* OK [UIDNEXT 90] x", `* OK [PERMANENTFLAGS (\Deleted \*)] x`)
}

func (f *fake) login(caps string) {
	caps = strings.TrimSpace("CAPABILITY IMAP4rev1 " + caps)
	f.say("* OK [" + caps + "] hello")
	f.say(f.expect(`LOGIN "u" "p"`) + " OK [" + caps + "] welcome")
	f.ok("CAPABILITY", "* "+caps)
}

// line reads a line as it is, tag included.
func (f *fake) line(want string) {
	if got, err := f.r.ReadString('\n'); err != nil || got != want+"\r\n" {
		f.t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// bye plays the server's part of a farewell.
func (f *fake) bye() { f.ok("LOGOUT", "* BYE") }

// body is a FETCH answer with a literal.
func body(seq, uid int, text string) string {
	return fmt.Sprintf("* %d FETCH (UID %d BODY[] {%d}\r\n%s)", seq, uid, len(text), text)
}

// date is a FETCH answer with an arrival time.
func date(seq, uid int) string {
	return fmt.Sprintf(`* %d FETCH (UID %d INTERNALDATE "05-Mar-2026 10:00:%02d +0000")`, seq, uid, uid)
}

func size(seq, uid, n int) string {
	return fmt.Sprintf("* %d FETCH (UID %d RFC822.SIZE %d)", seq, uid, n)
}

// arrival is the time that date tells.
func arrival(uid uint32) time.Time { return time.Date(2026, 3, 5, 10, 0, int(uid), 0, time.UTC) }

func connect(t *testing.T, cfg Config) *Session {
	t.Helper()
	s, err := Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// enter connects and selects INBOX. The session is closed with the test.
func enter(t *testing.T, cfg Config) (*Session, Folder) {
	t.Helper()
	s := connect(t, cfg)
	t.Cleanup(func() { s.Close() })
	f, err := s.Select(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return s, f
}

// fetch gives "UID size text seconds" of each mail, to be compared.
func fetch(t *testing.T, s *Session, f Folder, uids ...uint32) ([]string, error) {
	t.Helper()
	var got []string
	err := s.Fetch(t.Context(), f, uids, func(r inbox.Raw) error {
		if r.Ref.Mailbox != s.cfg.Name || r.Ref.Folder != f.Name || r.Ref.UIDValidity != f.UIDValidity {
			t.Errorf("mail with Ref %v", r.Ref)
		}
		when := "now"
		if r.Received.Equal(arrival(r.Ref.UID)) {
			when = "dated"
		}
		text := string(r.Bytes)
		if r.Bytes == nil {
			text = "nil"
		}
		got = append(got, fmt.Sprintf("%d %d %s %s", r.Ref.UID, r.Size, text, when))
		return nil
	})
	return got, err
}
