package mailbox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"push.guru/supportd/inbox"
)

func TestParseServer(t *testing.T) {
	good := map[string]Server{
		"imaps://mail.example.org":            {"mail.example.org", 993, TLS},
		"imaps://mail.example.org:1993/":      {"mail.example.org", 1993, TLS},
		"imap://mail.example.org":             {"mail.example.org", 143, StartTLS},
		"imap+insecure://localhost:1143":      {"localhost", 1143, Insecure},
		"imap+insecure://127.0.0.2":           {"127.0.0.2", 143, Insecure},
		"imap+insecure://[::1]:1143":          {"::1", 1143, Insecure},
		"IMAPS://[2001:db8::1]":               {"2001:db8::1", 993, TLS},
		"imaps://" + strings.Repeat("a", 60):  {strings.Repeat("a", 60), 993, TLS},
		"imaps://mail.example.org:993?":       {"mail.example.org", 993, TLS},
		"imap://xn--e1aybc.example.org:00143": {"xn--e1aybc.example.org", 143, StartTLS},
	}
	for in, want := range good {
		got, err := ParseServer(in)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", in, got, err, want)
		}
		if again, err := ParseServer(got.String()); err != nil || again != got {
			t.Errorf("%s: written %s, read %+v, %v", in, got, again, err)
		}
	}
	for _, in := range []string{
		"", "mail.example.org", "mail.example.org:993", "imaps://", "imaps://:993", "https://mail.example.org", "imaps:mail.example.org",
		"imaps://u:secret@mail.example.org", "imaps://mail.example.org/INBOX", "imaps://mail.example.org?x=y", "imaps://mail.example.org#x",
		"imaps://mail.example.org:0", "imaps://mail.example.org:65536", "imaps://mail.example.org:secret",
		"imap+insecure://mail.example.org", "imap+insecure://localhost.example.org", "imap+insecure://128.0.0.1", "imap+insecure://[::2]",
	} {
		if got, err := ParseServer(in); err == nil || strings.Contains(err.Error(), "secret") && strings.Contains(in, "u:secret") {
			t.Errorf("%q: %+v, %v, want an error", in, got, err)
		}
	}
}

// authority is a certificate authority of the test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.cert, a.key = a.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Test CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

func (a *authority) issue(c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-24*time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// server gives the TLS configuration of a server with the name, whose
// certificate ends at the time.
func (a *authority) server(name string, until time.Time) *tls.Config {
	cert, key := a.issue(&x509.Certificate{DNSNames: []string{name}, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, NextProtos: []string{"other"}}
}

// memory starts a server with the user u and password p on loopback.
func memory(t *testing.T, security Security, conf *tls.Config) Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := Server{"localhost", ln.Addr().(*net.TCPAddr).Port, security}
	if security == TLS {
		ln = tls.NewListener(ln, conf)
	}
	serveMemory(t, ln, conf)
	return srv
}

// serveMemory runs a memory server on a listener until the test ends.
func serveMemory(t *testing.T, ln net.Listener, conf *tls.Config) *imapmemserver.User {
	t.Helper()
	user := imapmemserver.NewUser("u", "p")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIdle: {}, imap.CapMove: {}, imap.CapUIDPlus: {}},
		TLSConfig:    conf,
		InsecureAuth: conf == nil,
		Logger:       log.New(io.Discard, "", 0),
	})
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(ln)
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	return user
}

func TestConnectTLS(t *testing.T) {
	ca := newAuthority(t)
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for _, security := range []Security{TLS, StartTLS} {
		tests := []struct {
			name  string
			conf  *tls.Config
			roots *x509.CertPool
			pass  string
			text  string
		}{
			{"good", ca.server("localhost", soon), ca.pool(), "p", ""},
			{"expired", ca.server("localhost", past), ca.pool(), "p", "expired"},
			{"unknown authority", ca.server("localhost", soon), x509.NewCertPool(), "p", "ca_file"},
			{"wrong name", ca.server("other.example.org", soon), ca.pool(), "p", "another name"},
			{"wrong password", ca.server("localhost", soon), ca.pool(), "wrong", "IMAP login refused"},
		}
		for _, tt := range tests {
			t.Run(security.String()+" "+tt.name, func(t *testing.T) {
				s, err := Connect(t.Context(), Config{
					Name: "support", Server: memory(t, security, tt.conf), Username: "u", RootCAs: tt.roots, Timeout: 10 * time.Second,
					Secret: func(context.Context) (string, error) { return tt.pass, nil },
				})
				if err == nil {
					defer s.Close()
					if _, err := s.Select(t.Context(), "INBOX"); err != nil {
						t.Error(err)
					}
					if !s.HasIdle() || !s.HasMove() || !s.HasUIDPlus() {
						t.Errorf("capabilities %v", s.caps)
					}
				}
				if (err == nil) != (tt.text == "") || err != nil && !strings.Contains(err.Error(), tt.text) || strings.Contains(fmt.Sprint(err), "wrong\"") {
					t.Fatalf("error %v, want %q", err, tt.text)
				}
				var te *TLSError
				var ae *AuthError
				var told *inbox.Error
				switch {
				case err == nil:
				case tt.pass == "wrong":
					if !errors.As(err, &ae) || inbox.IsTemporary(err) || !errors.As(err, &told) || told.Hint == "" {
						t.Errorf("error %#v, want an AuthError", err)
					}
				case !errors.As(err, &te) || inbox.IsTemporary(err) || !errors.As(err, &told) || told.Hint == "":
					t.Errorf("error %#v, want a TLSError", err)
				}
			})
		}
	}
}

// opening gives a configuration for a server that follows a script from the
// first byte.
func opening(t *testing.T, security Security, script func(*fake)) Config {
	cfg := scripted(t, script)
	cfg.Server.Security = security
	return cfg
}

func TestConnectFails(t *testing.T) {
	hang := func(*fake) { time.Sleep(time.Hour) }
	caps := "* OK [CAPABILITY IMAP4rev1] hello"
	tests := []struct {
		name     string
		security Security
		script   func(*fake)
		text     string
		want     any
		temp     bool
	}{
		{"silent before STARTTLS", StartTLS, hang, "unreachable: not ready within 1m0s", nil, true},
		{"silent after STARTTLS", StartTLS, func(f *fake) { f.say("* OK"); f.line("S STARTTLS"); time.Sleep(time.Hour) }, "not ready within 1m0s", nil, true},
		{"silent in the handshake", TLS, hang, "not ready within 1m0s", nil, true},
		{"hangs up in the handshake", TLS, func(f *fake) {}, "unreachable: TLS handshake", nil, true},
		{"no TLS here", TLS, func(f *fake) { go io.Copy(io.Discard, f.r); f.say(caps) }, "does not speak TLS", new(*TLSError), false},
		{"no STARTTLS", StartTLS, func(f *fake) {
			f.say("* OK")
			f.line("S STARTTLS")
			f.say("* CAPABILITY IMAP4rev1", "S BAD unknown")
		}, "refused STARTTLS: BAD unknown", new(*TLSError), false},
		{"PREAUTH before TLS", StartTLS, func(f *fake) { f.say("* PREAUTH welcome") }, "start TLS", new(*TLSError), false},
		{"BYE before TLS", StartTLS, func(f *fake) { f.say("* BYE too many") }, "hangs up: * BYE too many", nil, true},
		{"an endless line", StartTLS, func(f *fake) { f.say(strings.Repeat("x", 9000) + "\x00") }, "a line of more than", nil, true},
		{"endless talk", StartTLS, func(f *fake) {
			f.say("* OK")
			f.line("S STARTTLS")
			for range 100 {
				f.say("* OK and")
			}
		}, "does not answer STARTTLS", new(*TLSError), false},
		{"plain text behind STARTTLS", StartTLS, func(f *fake) {
			f.say("* OK")
			f.line("S STARTTLS")
			go io.Copy(io.Discard, f.r)
			f.say("S OK\r\n* OK [CAPABILITY IMAP4rev1] injected")
		}, "does not speak TLS", new(*TLSError), false},
		{"silent before the greeting", Insecure, hang, "silent for 1m0s", nil, true},
		{"hangs up before the greeting", Insecure, func(*fake) {}, "closed the connection", nil, true},
		{"BYE", Insecure, func(f *fake) { f.say("* BYE [UNAVAILABLE] no room for bob@example.org") }, "hangs up", nil, true},
		{"not IMAP", Insecure, func(f *fake) { f.say("220 mail.example.org ESMTP") }, "IMAP protocol error", new(*ProtocolError), true},
		{"silent in the login", Insecure, func(f *fake) { f.say(caps); f.expect(`LOGIN "u" "p"`); time.Sleep(time.Hour) }, "silent for 1m0s", nil, true},
		{"wrong password", Insecure, func(f *fake) {
			f.say(caps)
			f.no(`LOGIN "u" "p"`, "NO [AUTHENTICATIONFAILED] not u@example.org")
			f.bye()
		}, "IMAP login refused: the server says NO [AUTHENTICATIONFAILED] not [address]", new(*AuthError), false},
		{"wrong password, without a code", Insecure, func(f *fake) { f.say(caps); f.no(`LOGIN "u" "p"`, "NO what"); f.bye() }, "IMAP login refused", new(*AuthError), false},
		{"later", Insecure, func(f *fake) { f.say(caps); f.no(`LOGIN "u" "p"`, "NO [UNAVAILABLE] backend"); f.bye() }, "come again later", new(*AuthError), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := Connect(t.Context(), opening(t, tt.security, tt.script))
				if err == nil {
					s.Close()
				}
				if err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "@") {
					t.Fatalf("error %v, want %q", err, tt.text)
				}
				if tt.want != nil && !errors.As(err, tt.want) {
					t.Errorf("error %#v, want %T", err, tt.want)
				}
				if inbox.IsTemporary(err) != tt.temp {
					t.Errorf("error %v: temporary %v", err, !tt.temp)
				}
			})
		})
	}
}

func TestConnectUnreachable(t *testing.T) {
	cfg := scripted(t)
	cfg.Server = Server{"mail.example.org", 993, TLS}
	_, err := Connect(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "IMAP server mail.example.org:993 unreachable") || !inbox.IsTemporary(err) {
		t.Errorf("error %v", err)
	}
}

func TestConnectContext(t *testing.T) {
	for _, security := range []Security{TLS, StartTLS, Insecure} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := Connect(ctx, opening(t, security, func(*fake) { time.Sleep(time.Hour) }))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v: error %v, want the context's", security, err)
			}
		})
	}
}

func TestConnectConfig(t *testing.T) {
	boom := errors.New("no token")
	tests := map[string]func(*Config){
		"far and insecure": func(c *Config) { c.Server.Host = "mail.example.org" },
		"no secret":        func(c *Config) { c.Secret = nil },
		"failing secret":   func(c *Config) { c.Secret = func(context.Context) (string, error) { return "", boom } },
	}
	for name, change := range tests {
		cfg := scripted(t)
		change(&cfg)
		_, err := Connect(t.Context(), cfg)
		if err == nil || inbox.IsTemporary(err) || (name == "failing secret") != errors.Is(err, boom) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestInsecureElsewhere is about a name that leads away from this machine.
func TestInsecureElsewhere(t *testing.T) {
	cfg := scripted(t, func(*fake) {})
	dial := cfg.Dial
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return elsewhere{c}, err
	}
	_, err := Connect(t.Context(), cfg)
	var te *TLSError
	if !errors.As(err, &te) {
		t.Errorf("error %v, want a TLSError", err)
	}
}

type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 143} }

func TestPreauth(t *testing.T) {
	s := connect(t, scripted(t, func(f *fake) {
		f.say("* PREAUTH [CAPABILITY IMAP4rev1] welcome")
		f.ok("CAPABILITY", "* CAPABILITY IMAP4rev1 MOVE")
		f.bye()
	}))
	defer s.Close()
	if s.HasIdle() || s.HasUIDPlus() || !s.HasMove() {
		t.Errorf("capabilities %v", s.caps)
	}
}

// TestCapabilitiesAfterLogin is about a server that tells strangers less, and
// does not say so with the answer to the login.
func TestCapabilitiesAfterLogin(t *testing.T) {
	s := connect(t, scripted(t, func(f *fake) {
		f.say("* OK [CAPABILITY IMAP4rev1 MOVE] hello")
		f.ok(`LOGIN "u" "p"`)
		for { // the library may ask too
			line, err := f.r.ReadString('\n')
			tag, ok := strings.CutSuffix(line, " CAPABILITY\r\n")
			if err != nil || !ok {
				return
			}
			f.say("* CAPABILITY IMAP4rev1 IDLE UIDPLUS", tag+" OK")
		}
	}))
	defer s.Close()
	if !s.HasIdle() || !s.HasUIDPlus() || s.HasMove() {
		t.Errorf("capabilities %v", s.caps)
	}
}

func TestLoginDisabled(t *testing.T) {
	s := connect(t, scripted(t, func(f *fake) {
		caps := "[CAPABILITY IMAP4rev1 SASL-IR LOGINDISABLED AUTH=PLAIN]"
		f.say("* OK " + caps)
		f.say(f.expect("AUTHENTICATE PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00u\x00p"))) + " OK [CAPABILITY IMAP4rev1]")
		f.ok("CAPABILITY", "* CAPABILITY IMAP4rev1")
		f.bye()
	}))
	s.Close()
}

func TestXOAUTH2(t *testing.T) {
	token := base64.StdEncoding.EncodeToString([]byte("user=u\x01auth=Bearer p\x01\x01"))
	challenge := "+ " + base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"bearer","scope":"mail"}`))
	tests := []struct {
		name   string
		script func(*fake)
		text   string
	}{
		{"accepted", func(f *fake) {
			f.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2]")
			f.say(f.expect("AUTHENTICATE XOAUTH2 "+token) + " OK [CAPABILITY IMAP4rev1]")
			f.ok("CAPABILITY", "* CAPABILITY IMAP4rev1")
			f.bye()
		}, ""},
		{"accepted without SASL-IR", func(f *fake) {
			f.say("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2]")
			tag := f.expect("AUTHENTICATE XOAUTH2")
			f.say("+ ")
			f.line(token)
			f.say(tag + " OK [CAPABILITY IMAP4rev1]")
			f.ok("CAPABILITY", "* CAPABILITY IMAP4rev1")
			f.bye()
		}, ""},
		{"refused with a challenge", func(f *fake) {
			f.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2]")
			tag := f.expect("AUTHENTICATE XOAUTH2 " + token)
			f.say(challenge)
			f.line("=")
			f.say(tag + " NO [AUTHENTICATIONFAILED] Invalid credentials")
			f.bye()
		}, "status 401"},
		{"refused, and then hangs up", func(f *fake) {
			f.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2]")
			f.expect("AUTHENTICATE XOAUTH2 " + token)
			f.say(challenge)
			f.line("=")
		}, "status 401"},
		{"not known", func(f *fake) {
			f.say("* OK [CAPABILITY IMAP4rev1 SASL-IR]")
			f.no("AUTHENTICATE XOAUTH2 "+token, "NO unsupported")
			f.bye()
		}, "unsupported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := scripted(t, tt.script)
			cfg.XOAUTH2 = true
			s, err := Connect(t.Context(), cfg)
			if err == nil {
				s.Close()
			}
			var ae *AuthError
			if tt.text == "" && err != nil || tt.text != "" && (!errors.As(err, &ae) || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("error %v, want %q", err, tt.text)
			}
		})
	}
}
