package outbox

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
)

func secret(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

// TestSendOutcome walks every stage with every way to fail in it.
func TestSendOutcome(t *testing.T) {
	tests := []struct {
		stage, answer string
		want          Outcome
		code          int
		enhanced      string
	}{
		{"", "", Sent, 250, ""},
		{"greeting", "421 4.3.2 closed", Temporary, 421, "4.3.2"},
		{"greeting", "554 5.3.2 go away", Temporary, 554, "5.3.2"},
		{"greeting", "cut", Temporary, 0, ""},
		{"greeting", "stall", Temporary, 0, ""},
		{"greeting", "HTTP/1.1 400 Bad Request", Temporary, 0, ""},
		{"EHLO", "cut", Temporary, 0, ""},
		{"EHLO", "stall", Temporary, 0, ""},
		{"AUTH", "454 4.7.0 later", Temporary, 454, "4.7.0"},
		{"AUTH", "535 5.7.8 wrong", Temporary, 535, "5.7.8"},
		{"AUTH", "cut", Temporary, 0, ""},
		{"AUTH", "stall", Temporary, 0, ""},
		{"MAIL", "451 4.7.1 greylisted", Temporary, 451, "4.7.1"},
		{"MAIL", "550 5.7.1 not you", Permanent, 550, "5.7.1"},
		{"MAIL", "530 5.7.0 log in first", Temporary, 530, "5.7.0"},
		{"MAIL", "421 4.7.0 too many", Temporary, 421, "4.7.0"},
		{"MAIL", "cut", Temporary, 0, ""},
		{"MAIL", "stall", Temporary, 0, ""},
		{"RCPT", "450 4.2.1 later", Temporary, 450, "4.2.1"},
		{"RCPT", "550 5.1.1 <bob@site.test>: unknown", Permanent, 550, "5.1.1"},
		{"RCPT", "550 5.9999.1 odd", Permanent, 550, ""},
		{"RCPT", "550 2.1.1 odd", Permanent, 550, ""},
		{"RCPT", "421 4.7.0 bye", Temporary, 421, "4.7.0"},
		{"RCPT", "251 forwarded", Sent, 250, ""},
		{"RCPT", "cut", Temporary, 0, ""},
		{"RCPT", "stall", Temporary, 0, ""},
		{"DATA", "451 4.3.0 later", Temporary, 451, "4.3.0"},
		{"DATA", "554 5.5.1 no", Permanent, 554, "5.5.1"},
		{"DATA", "250 what?", Temporary, 250, ""},
		{"DATA", "cut", Temporary, 0, ""},
		{"DATA", "stall", Temporary, 0, ""},
		{"text", "cut", Temporary, 0, ""},
		{"text", "stall", Temporary, 0, ""},
		{"dot", "452 4.3.1 disk full", Temporary, 452, "4.3.1"},
		{"dot", "552 5.3.4 too big", Permanent, 552, "5.3.4"},
		{"dot", "421 4.3.0 shutting down", Temporary, 421, "4.3.0"},
		{"dot", "251 2.1.5 taken", Sent, 251, "2.1.5"},
		{"dot", "354 what?", Unknown, 354, ""},
		{"dot", "no SMTP at all", Unknown, 0, ""},
		{"dot", "cut", Unknown, 0, ""},
		{"dot", "stall", Unknown, 0, ""},
	}
	for i, test := range slices.Concat(tests, tests) {
		offers, name := []string{"AUTH PLAIN LOGIN"}, test.stage+" "+strings.ReplaceAll(test.answer, "/", "-")
		if i >= len(tests) {
			offers, name = append(offers, "PIPELINING"), name+" together"
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{offers: offers, script: map[string][]string{test.stage: {test.answer}}}
				tr := s.transport(t, func(c *TransportConfig) { c.Username, c.Secret = "support", secret("pass") })
				res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(2000))
				if res.Outcome != test.want || res.Code != test.code || res.Enhanced != test.enhanced {
					t.Errorf("got %v %d %q (%v), want %v %d %q", res.Outcome, res.Code, res.Enhanced, res.Err, test.want, test.code, test.enhanced)
				}
				if (res.Err == nil) != (test.want == Sent) {
					t.Errorf("%v with error %v", res.Outcome, res.Err)
				}
				if res.Err != nil && strings.Contains(res.Err.Error(), "bob") {
					t.Errorf("the error names the person: %v", res.Err)
				}
				if test.want == Temporary && !inbox.IsTemporary(res.Err) {
					t.Errorf("the error of a temporary outcome is not temporary: %v", res.Err)
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				if got := len(s.mails); (got == 1) != (test.want == Sent) || got > 1 {
					t.Errorf("the server took %d mails over", got)
				}
			})
		})
	}
}

// TestSendWhole sees to it that what arrives is what was given.
func TestSendWhole(t *testing.T) {
	s := &scripted{}
	tr := s.transport(t)
	msg := mailOf(5000)
	if res := tr.Send(t.Context(), "support@site.test", "bob@site.test", msg); res.Outcome != Sent {
		t.Fatal(res.Err)
	}
	if len(s.mails) != 1 || s.mails[0] != string(msg) {
		t.Error("the text has changed on the way")
	}
}

// TestLostAtTheDot tells a dot that never left from one that may have.
func TestLostAtTheDot(t *testing.T) {
	for _, test := range []struct {
		name  string
		allow int // bytes of the dot that still leave
		want  Outcome
	}{{"nothing left", 0, Temporary}, {"a part left", 1, Unknown}} {
		t.Run(test.name, func(t *testing.T) {
			s := &scripted{}
			var conn *failingConn
			tr := s.transport(t, func(c *TransportConfig) {
				c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					inner, err := s.dial(ctx, network, addr)
					conn = &failingConn{Conn: inner, allow: -1}
					return conn, err
				}
				c.Point = func(name string) {
					if name == PointBeforeDot {
						conn.allow = test.allow
					}
				}
			})
			res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(3))
			if res.Outcome != test.want {
				t.Errorf("got %v (%v), want %v", res.Outcome, res.Err, test.want)
			}
		})
	}
}

// failingConn passes on allow bytes more and then breaks; -1: no end.
type failingConn struct {
	net.Conn
	allow int
}

func (c *failingConn) Write(p []byte) (int, error) {
	if c.allow < 0 {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:min(len(p), c.allow)])
	c.allow = 0
	if err == nil {
		err = errors.New("broken")
	}
	_ = c.Close()
	return n, err
}

// TestNeverHalf fails one write in the middle of the text on a connection that
// goes on working. Nothing may follow on it: a command after half a text ends
// the text first, and the server takes the half for the whole.
func TestNeverHalf(t *testing.T) {
	for _, after := range []int{100, 5_000, 100_000} { // within the first buffer, the first block and a later one
		s := &scripted{}
		tr := s.transport(t, func(c *TransportConfig) {
			c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				inner, err := s.dial(ctx, network, addr)
				return &hiccupConn{Conn: inner, left: after}, err
			}
		})
		res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(5000))
		if res.Outcome != Temporary {
			t.Errorf("got %v (%v)", res.Outcome, res.Err)
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		s.wg.Wait()
		if len(s.mails) != 0 {
			t.Errorf("the server took %d bytes for the whole mail", len(s.mails[0]))
		}
	}
}

// hiccupConn fails one write, when left bytes have passed, and works on.
type hiccupConn struct {
	net.Conn
	left int
}

func (c *hiccupConn) Write(p []byte) (int, error) {
	before := c.left
	c.left -= len(p)
	if before > 0 && c.left <= 0 {
		return 0, errors.New("hiccup")
	}
	return c.Conn.Write(p)
}

func TestPoints(t *testing.T) {
	s := &scripted{}
	var points []string
	taken := -1
	tr := s.transport(t, func(c *TransportConfig) {
		c.Point = func(name string) {
			points = append(points, name)
			s.mu.Lock()
			defer s.mu.Unlock()
			if name == PointBeforeDot {
				taken = len(s.mails)
			}
		}
	})
	if res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(1)); res.Outcome != Sent {
		t.Fatal(res.Err)
	}
	if got := strings.Join(points, ", "); got != "smtp before dot, smtp after dot" || taken != 0 {
		t.Errorf("points %q, mails taken before the dot: %d", got, taken)
	}
}

// TestCancel ends the context while the server is silent.
func TestCancel(t *testing.T) {
	for stage, want := range map[string]Outcome{
		"greeting": Temporary, "EHLO": Temporary, "MAIL": Temporary, "RCPT": Temporary, "DATA": Temporary, "dot": Unknown,
	} {
		t.Run(stage, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{offers: []string{"PIPELINING"}, script: map[string][]string{stage: {"stall"}}}
				tr := s.transport(t)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				start := time.Now()
				res := tr.Send(ctx, "support@site.test", "bob@site.test", mailOf(1))
				if res.Outcome != want || !errors.Is(res.Err, context.DeadlineExceeded) {
					t.Errorf("got %v, %v", res.Outcome, res.Err)
				}
				if d := time.Since(start); d != 3*time.Second {
					t.Errorf("the end of the context was heeded after %v", d)
				}
			})
		})
	}
}

// TestPatience bounds a step by Timeout and the final dot by five times that.
func TestPatience(t *testing.T) {
	for stage, want := range map[string]time.Duration{"RCPT": 10 * time.Second, "dot": 50 * time.Second} {
		t.Run(stage, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{offers: []string{"PIPELINING"}, script: map[string][]string{stage: {"stall"}}}
				tr := s.transport(t, func(c *TransportConfig) { c.Timeout = 10 * time.Second })
				start := time.Now()
				tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(1))
				if d := time.Since(start); d != want {
					t.Errorf("gave up after %v, want %v", d, want)
				}
			})
		})
	}
}

func TestReuse(t *testing.T) {
	tests := []struct {
		name   string
		script map[string][]string
		pause  time.Duration // before the second and third mail
		want   string        // outcomes
		dials  int
	}{
		{"one connection", nil, time.Second, "sent sent sent", 1},
		{"nothing to clear", map[string][]string{"RSET": {"502 5.5.1 what?"}}, 0, "sent sent sent", 1},
		{"cut while it is cleared", map[string][]string{"RCPT": {"550 5.1.1 no"}, "RSET": {"cut"}}, 0, "permanent sent sent", 2},
		{"RSET refused", map[string][]string{"RCPT": {"550 5.1.1 no"}, "RSET": {"502 5.5.1 what?"}}, 0, "permanent sent sent", 2},
		{"refused text", map[string][]string{"dot": {"554 5.7.1 no"}, "RSET": {"502 5.5.1 what?"}}, 0, "permanent sent sent", 2},
		{"weary server", map[string][]string{"MAIL": {"", "421 4.7.0 enough"}}, 0, "sent sent sent", 2},
		{"weary for good", map[string][]string{"MAIL": {"", "421 4.7.0 enough", "421 4.7.0 enough"}}, 0, "sent temporary sent", 3},
		{"cut at the second MAIL", map[string][]string{"MAIL": {"", "cut"}}, 0, "sent sent sent", 2},
		{"refused sender", map[string][]string{"MAIL": {"", "550 5.7.1 not you"}}, 0, "sent permanent sent", 1},
		{"refused recipient", map[string][]string{"RCPT": {"", "550 5.1.1 no"}}, 0, "sent permanent sent", 1},
		{"cut at the second RCPT", map[string][]string{"RCPT": {"", "cut"}}, 0, "sent temporary sent", 2},
		{"idle too long", nil, 10 * time.Minute, "sent sent sent", 3},
	}
	for i, test := range slices.Concat(tests, tests) {
		offers, name := []string(nil), test.name
		if i >= len(tests) {
			offers, name = []string{"PIPELINING"}, name+" together"
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{offers: offers, script: maps.Clone(test.script)}
				tr := s.transport(t)
				var got []string
				for i := range 3 {
					if i > 0 {
						time.Sleep(test.pause)
					}
					got = append(got, tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(1)).Outcome.String())
				}
				if o := strings.Join(got, " "); o != test.want || s.dials != test.dials {
					t.Errorf("got %q with %d connections, want %q with %d", o, s.dials, test.want, test.dials)
				}
				if len(s.mails) != strings.Count(test.want, "sent") {
					t.Errorf("the server took %d mails over", len(s.mails))
				}
			})
		})
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	ok := string(mailOf(1))
	tests := []struct {
		name, from, to, msg string
		offers              []string
	}{
		{"CRLF in the recipient", "support@site.test", "bob@site.test>\r\nRCPT TO:<eve@site.test", ok, nil},
		{"bracket in the recipient", "support@site.test", "bob@site.test> NOTIFY=NEVER", ok, nil},
		{"no recipient", "support@site.test", "", ok, nil},
		{"recipient not canonical", "support@site.test", "bob@SITE.test", ok, nil},
		{"CRLF in the sender", "a@site.test>\r\nRSET", "bob@site.test", ok, nil},
		{"lone LF", "support@site.test", "bob@site.test", "a: b\r\n\r\nx\n.\r\ny\r\n", nil},
		{"lone CR", "support@site.test", "bob@site.test", "a: b\r\n\r\nx\r.\r\ny\r\n", nil},
		{"cut off", "support@site.test", "bob@site.test", "a: b\r\n\r\nhalf a li", nil},
		{"too big", "support@site.test", "bob@site.test", ok, []string{"SIZE 20"}},
		{"no SMTPUTF8", "support@site.test", "боб@site.test", ok, []string{"8BITMIME"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &scripted{offers: test.offers}
			tr := s.transport(t)
			res := tr.Send(t.Context(), test.from, test.to, []byte(test.msg))
			if res.Outcome != Permanent || res.Err == nil {
				t.Errorf("got %v, %v", res.Outcome, res.Err)
			}
			if len(s.froms)+len(s.mails) != 0 {
				t.Errorf("the server heard %q", s.froms)
			}
		})
	}
}

// TestMailCommand looks at how the sender is named.
func TestMailCommand(t *testing.T) {
	tests := []struct {
		from, to string
		offers   []string
		want     string
	}{
		{"support@site.test", "bob@site.test", nil, "MAIL FROM:<support@site.test>"},
		{"", "bob@site.test", nil, "MAIL FROM:<>"},
		{"support@site.test", "bob@site.test", []string{"SMTPUTF8", "8BITMIME"}, "MAIL FROM:<support@site.test> BODY=8BITMIME"},
		{"support@site.test", "боб@site.test", []string{"SMTPUTF8", "8BITMIME"}, "MAIL FROM:<support@site.test> BODY=8BITMIME SMTPUTF8"},
		{"support@site.test", "bob@site.test", []string{"SIZE 0"}, "MAIL FROM:<support@site.test>"},
	}
	for _, test := range tests {
		s := &scripted{offers: test.offers}
		tr := s.transport(t)
		if res := tr.Send(t.Context(), test.from, test.to, mailOf(1)); res.Outcome != Sent {
			t.Errorf("%s: %v", test.want, res.Err)
		}
		if len(s.froms) != 1 || s.froms[0] != test.want {
			t.Errorf("got %q, want %q", s.froms, test.want)
		}
	}
}

func TestSecretFails(t *testing.T) {
	s := &scripted{}
	tr := s.transport(t, func(c *TransportConfig) {
		c.Secret = func(context.Context) (string, error) { return "", errors.New("no such file") }
	})
	res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(1))
	var auth *AuthError
	if res.Outcome != Temporary || !errors.As(res.Err, &auth) || s.dials != 0 {
		t.Errorf("got %v, %v after %d dials", res.Outcome, res.Err, s.dials)
	}
}

func TestNoMechanism(t *testing.T) {
	for _, offers := range [][]string{nil, {"AUTH GSSAPI NTLM"}} {
		s := &scripted{offers: offers}
		tr := s.transport(t, func(c *TransportConfig) { c.Secret = secret("pass") })
		var auth *AuthError
		if err := tr.Check(t.Context()); !errors.As(err, &auth) || !inbox.IsTemporary(err) {
			t.Errorf("offered %q: %v", offers, err)
		}
	}
}

func TestCheck(t *testing.T) {
	s := &scripted{script: map[string][]string{"NOOP": {"", "", "421 4.3.2 closed"}}}
	tr := s.transport(t)
	for range 2 {
		if err := tr.Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := tr.Check(t.Context()); err == nil {
		t.Error("a server that closes is in order")
	}
	if s.dials != 3 || len(s.froms) != 0 {
		t.Errorf("%d connections, MAIL %q", s.dials, s.froms)
	}
}

func TestParseServer(t *testing.T) {
	good := map[string]string{
		"smtps://mail.site.test":         "smtps://mail.site.test:465",
		"smtp://MAIL.site.test":          "smtp://mail.site.test:587",
		"smtp://mail.site.test:25/":      "smtp://mail.site.test:25",
		"smtp+insecure://127.0.0.1:2525": "smtp+insecure://127.0.0.1:2525",
		"smtp+insecure://[::1]":          "smtp+insecure://[::1]:587",
		"smtp+insecure://localhost":      "smtp+insecure://localhost:587",
		"smtps://[2001:db8::1]:465":      "smtps://[2001:db8::1]:465",
	}
	for in, want := range good {
		s, err := ParseServer(in)
		if err != nil || s.String() != want {
			t.Errorf("%s: %v, %v, want %s", in, s, err, want)
		}
		if again, err := ParseServer(s.String()); err != nil || again != s {
			t.Errorf("%s: read again: %v, %v", in, again, err)
		}
	}
	for _, in := range []string{
		"", "mail.site.test:465", "imaps://mail.site.test", "smtps://", "smtps://:465", "smtps://mail.site.test:0", "smtps://mail.site.test:99999",
		"smtps://user:pass@mail.site.test", "smtps://mail.site.test/x", "smtps://mail.site.test?tls=no", "smtps://mail.site.test#x",
		"smtp+insecure://mail.site.test", "smtp+insecure://10.0.0.1", "smtp+insecure://localhost.site.test", "smtps://mail site.test",
	} {
		if s, err := ParseServer(in); err == nil {
			t.Errorf("%q was read as %v", in, s)
		} else if strings.Contains(err.Error(), "pass") && !strings.Contains(err.Error(), "password") {
			t.Errorf("%q: the error repeats the password: %v", in, err)
		}
	}
}

// TestTogether sends the commands of a mail in one write to a server that
// takes that, and keeps in step with it when it refuses one of them.
func TestTogether(t *testing.T) {
	for _, test := range []struct {
		name   string
		script map[string][]string
		first  Outcome
		dials  int
	}{
		{"all taken", nil, Sent, 1},
		{"recipient refused", map[string][]string{"RCPT": {"550 5.1.1 no"}}, Permanent, 1},
		{"sender refused", map[string][]string{"MAIL": {"550 5.7.1 no"}}, Permanent, 1},
		{"recipient refused, text wanted", map[string][]string{"RCPT": {"550 5.1.1 no"}, "DATA": {"354 go on"}}, Permanent, 2},
		{"weary behind a refusal", map[string][]string{"RCPT": {"550 5.1.1 no"}, "DATA": {"421 4.7.0 bye"}}, Permanent, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &scripted{offers: []string{"PIPELINING"}, script: test.script}
			var envelopes int
			tr := s.transport(t, func(c *TransportConfig) {
				c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					inner, err := s.dial(ctx, network, addr)
					return &spyingConn{inner, func(p []byte) {
						if strings.HasPrefix(string(p), "MAIL ") && strings.HasSuffix(string(p), "\r\nDATA\r\n") {
							envelopes++
						}
					}}, err
				}
			})
			if res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(20)); res.Outcome != test.first {
				t.Errorf("the first mail: %v (%v)", res.Outcome, res.Err)
			}
			if res := tr.Send(t.Context(), "support@site.test", "ann@site.test", mailOf(30)); res.Outcome != Sent {
				t.Errorf("the second mail: %v (%v)", res.Outcome, res.Err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.dials != test.dials || envelopes != 2 {
				t.Errorf("%d connections and %d envelopes, want %d and 2", s.dials, envelopes, test.dials)
			}
			if s.mails[len(s.mails)-1] != string(mailOf(30)) || test.first != Sent && len(s.mails) != 1 {
				t.Errorf("the server has %d mails", len(s.mails))
			}
		})
	}
}

// spyingConn shows what is written.
type spyingConn struct {
	net.Conn
	see func([]byte)
}

func (c *spyingConn) Write(p []byte) (int, error) {
	c.see(p)
	return c.Conn.Write(p)
}

// TestRefusedTogether: what a server says of a mail on a kept connection counts,
// whatever becomes of the connection behind it.
func TestRefusedTogether(t *testing.T) {
	for name, data := range map[string]string{"text wanted": "354 go on", "weary": "421 4.7.0 bye", "cut": "cut", "stall": "stall", "odd": "250 what?"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{offers: []string{"PIPELINING"}, script: map[string][]string{"MAIL": {"", "550 5.7.1 not you"}, "DATA": {"", data}}}
				tr := s.transport(t)
				for i, want := range []Outcome{Sent, Permanent, Sent} {
					if res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(i)); res.Outcome != want {
						t.Errorf("mail %d: %v (%v), want %v", i, res.Outcome, res.Err, want)
					}
				}
				if len(s.froms) != 3 || s.dials != 2 || len(s.mails) != 2 {
					t.Errorf("%d senders were named over %d connections, and %d mails were taken", len(s.froms), s.dials, len(s.mails))
				}
			})
		})
	}
}
