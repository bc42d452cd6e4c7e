package outbox

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"push.guru/supportd/inbox"
)

// authority signs the certificates of one test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{key, cert, pool}
}

// issue makes a server certificate for a name, valid until the given moment.
func (a *authority) issue(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// realServer is a complete SMTP server on a loopback port.
type realServer struct {
	addr string

	mu    sync.Mutex
	mails [][]byte
	users []string // who logged in
}

// serve starts a server that has the certificate, implicitly or by STARTTLS.
func serve(t *testing.T, cert tls.Certificate, implicit bool) *realServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &realServer{addr: l.Addr().String()}
	s := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return &session{r: r}, nil }))
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.ErrorLog = log.New(io.Discard, "", 0)
	if implicit {
		l = tls.NewListener(l, s.TLSConfig)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		wg.Wait()
	})
	return r
}

type session struct {
	r  *realServer
	ok bool
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain, "XOAUTH2"} }

func (s *session) Auth(mech string) (sasl.Server, error) {
	if mech == "XOAUTH2" {
		return &xoauth2{s}, nil
	}
	return sasl.NewPlainServer(func(_, user, pass string) error { return s.login(user, pass == "right") }), nil
}

func (s *session) login(user string, ok bool) error {
	if !ok {
		return gosmtp.ErrAuthFailed
	}
	s.ok = true
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.users = append(s.r.users, user)
	return nil
}

// xoauth2 is Google's protocol: a bad token is answered with a challenge that
// the client must answer with nothing, and refused after that.
type xoauth2 struct{ s *session }

func (x *xoauth2) Next(response []byte) ([]byte, bool, error) {
	switch string(response) {
	case "user=support\x01auth=Bearer right\x01\x01":
		return nil, true, x.s.login("support", true)
	case "":
		return nil, false, gosmtp.ErrAuthFailed
	}
	return []byte(`{"status":"400"}`), false, nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }
func (s *session) Mail(string, *gosmtp.MailOptions) error {
	if !s.ok {
		return gosmtp.ErrAuthRequired
	}
	return nil
}
func (s *session) Rcpt(string, *gosmtp.RcptOptions) error { return nil }
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.mails = append(s.r.mails, b)
	return nil
}

func TestTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	later, ago := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	const name = "mail.site.test"
	tests := []struct {
		name   string
		server string // what we are configured for
		cert   tls.Certificate
		tls    bool // the server speaks TLS from the first byte
		hint   string
	}{
		{"implicit", "smtps://" + name, ca.issue(t, name, later), true, ""},
		{"STARTTLS", "smtp://" + name, ca.issue(t, name, later), false, ""},
		{"unknown authority", "smtps://" + name, other.issue(t, name, later), true, "unknown authority"},
		{"STARTTLS unknown authority", "smtp://" + name, other.issue(t, name, later), false, "unknown authority"},
		{"expired", "smtps://" + name, ca.issue(t, name, ago), true, "out of date"},
		{"STARTTLS expired", "smtp://" + name, ca.issue(t, name, ago), false, "out of date"},
		{"another name", "smtps://" + name, ca.issue(t, "www.site.test", later), true, "another name"},
		{"no TLS there", "smtps://" + name, ca.issue(t, name, later), false, "no TLS on this port"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := serve(t, test.cert, test.tls)
			tr := r.transport(t, test.server, ca.pool, "right", false)
			msg := mailOf(3000)
			res := tr.Send(t.Context(), "support@site.test", "bob@site.test", msg)
			if test.hint == "" {
				if res.Outcome != Sent || len(r.mails) != 1 || !bytes.Equal(r.mails[0], msg) {
					t.Errorf("got %v (%v), %d mails", res.Outcome, res.Err, len(r.mails))
				}
				return
			}
			var e *TLSError
			if !errors.As(res.Err, &e) || !strings.Contains(e.Hint, test.hint) || !inbox.IsTemporary(res.Err) {
				t.Errorf("got error %v, want one about %q", res.Err, test.hint)
			}
			if res.Outcome != Temporary || len(r.users) != 0 {
				t.Errorf("got %v; logged in: %q", res.Outcome, r.users)
			}
		})
	}
}

// transport makes a Transport that reaches r whatever the configured name.
func (r *realServer) transport(t *testing.T, server string, pool *x509.CertPool, pass string, xoauth2 bool) *Transport {
	t.Helper()
	srv, err := ParseServer(server)
	if err != nil {
		t.Fatal(err)
	}
	tr := NewTransport(TransportConfig{
		Server: srv, Username: "support", Secret: secret(pass), XOAUTH2: xoauth2, RootCAs: pool, Timeout: 20 * time.Second,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, r.addr)
		},
	})
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

func TestLogin(t *testing.T) {
	ca := newAuthority(t)
	r := serve(t, ca.issue(t, "mail.site.test", time.Now().Add(time.Hour)), true)
	for _, test := range []struct {
		pass    string
		xoauth2 bool
		hint    string
	}{
		{"right", false, ""},
		{"right", true, ""},
		{"wrong", false, "username and password"},
		{"wrong", true, "token"},
	} {
		tr := r.transport(t, "smtps://mail.site.test", ca.pool, test.pass, test.xoauth2)
		res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(1))
		var e *AuthError
		switch {
		case test.hint == "" && res.Outcome != Sent:
			t.Errorf("%+v: %v", test, res.Err)
		case test.hint != "" && (!errors.As(res.Err, &e) || !strings.Contains(e.Hint, test.hint) || res.Outcome != Temporary || res.Code != 535):
			t.Errorf("%+v: %v %d %v", test, res.Outcome, res.Code, res.Err)
		}
		if res.Err != nil && strings.Contains(res.Err.Error(), "wrong") {
			t.Errorf("the error holds the password: %v", res.Err)
		}
	}
}

// TestStartTLSRemoved is an attacker who takes STARTTLS out of the offer: no
// password and no mail may go.
func TestStartTLSRemoved(t *testing.T) {
	srv, err := ParseServer("smtp://mail.site.test")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{offers: []string{"AUTH PLAIN"}}
	tr := s.transport(t, func(c *TransportConfig) { c.Server, c.Username, c.Secret = srv, "support", secret("pass") })
	res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(1))
	var e *TLSError
	if res.Outcome != Temporary || !errors.As(res.Err, &e) || !strings.Contains(e.Error(), "offers no STARTTLS") {
		t.Errorf("got %v, %v", res.Outcome, res.Err)
	}
	if len(s.froms)+len(s.mails) != 0 {
		t.Error("the server heard of the mail")
	}
}

// TestSilentTLS is a server that takes the connection and never shakes hands.
func TestSilentTLS(t *testing.T) {
	srv, err := ParseServer("smtps://mail.site.test")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{script: map[string][]string{"greeting": {"stall", "stall"}}}
		tr := s.transport(t, func(c *TransportConfig) { c.Server, c.Timeout = srv, 10*time.Second })
		start := time.Now()
		res := tr.Send(t.Context(), "support@site.test", "bob@site.test", mailOf(1))
		if d := time.Since(start); res.Outcome != Temporary || d != 10*time.Second {
			t.Errorf("got %v (%v) after %v", res.Outcome, res.Err, d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := tr.Check(ctx); !errors.Is(err, context.DeadlineExceeded) || !inbox.IsTemporary(err) {
			t.Errorf("the end of the context gave %v", err)
		}
	})
}
