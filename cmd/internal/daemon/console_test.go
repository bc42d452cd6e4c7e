package daemon_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/cmd/internal/daemon"
	staffroom "push.guru/supportd/inbox/staff"
)

// TestConsoleServed: the daemon serves the console while it runs, on a port that
// is free, and a link leads to a form there; it ends with the daemon. A second
// daemon that wants the same port says what to do.
func TestConsoleServed(t *testing.T) {
	cfg := site(t, t.TempDir(), "\n[console]\nlisten = \"127.0.0.1:0\"\n", `imap = "imap+insecure://127.0.0.1:143"`, `imap = "imap+insecure://127.0.0.1:1"`)
	d, err := daemon.Open(t.Context(), cfg, daemon.Options{NoSocket: true})
	if err != nil {
		t.Fatal(err)
	}
	link, err := d.Invite(t.Context(), "ann", staffroom.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	_ = resp.Body.Close() // only its head is wanted
	if again, err := d.Invite(t.Context(), "bea", staffroom.RoleViewer); err != nil || !strings.HasPrefix(again, "http://"+r.URL.Host+"/") {
		t.Errorf("while it runs, a link leads to %s, not to %s: %v", again, r.URL.Host, err)
	}
	servesHealth(t, "http://"+r.URL.Host)

	other := site(t, t.TempDir(), "\n[console]\nlisten = \""+r.URL.Host+"\"\n")
	second, err := daemon.Open(t.Context(), other, daemon.Options{NoSocket: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "set another listen") {
		t.Errorf("a second one on the same port: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := http.DefaultTransport.RoundTrip(r); err == nil {
		t.Error("it is still served")
	}
}

// servesHealth finds that the console's address answers how it goes without a
// sign-in, and not to whom a proxy speaks for.
func servesHealth(t *testing.T, address string) {
	t.Helper()
	for _, c := range []struct {
		path, client string
		want         int
	}{
		{"/healthz", "", http.StatusOK}, {"/readyz", "", http.StatusServiceUnavailable}, {"/metrics", "", http.StatusOK},
		{"/metrics", "192.0.2.7", http.StatusForbidden}, {"/readyz", "192.0.2.7", http.StatusForbidden},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.client != "" {
			r.Header.Set("X-Forwarded-For", c.client)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.want {
			t.Errorf("%s for %q gets %s", c.path, c.client, resp.Status)
		}
		_ = resp.Body.Close() // only its head is wanted
	}
}

// TestConsoleTLS: with a certificate the console speaks TLS itself, and is what
// browsers are told to keep to.
func TestConsoleTLS(t *testing.T) {
	dir := t.TempDir()
	roots := writeCertificate(t, dir)
	cfg := site(t, dir, "\n[console]\nlisten = \"127.0.0.1:0\"\ntls_cert = \"tls.crt\"\ntls_key = \"tls.key\"\n")
	d, err := daemon.Open(t.Context(), cfg, daemon.Options{NoSocket: true})
	if err != nil {
		t.Fatal(err)
	}
	link, err := d.Invite(t.Context(), "ann", staffroom.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	resp, err := client.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %s %v", resp.Proto, resp.Status, resp.Header)
	}
	_ = resp.Body.Close() // only its head is wanted
	client.CloseIdleConnections()
	stop()
	if err := errors.Join(<-done, d.Close()); err != nil {
		t.Error(err)
	}

	cfg.Console.Key = cfg.Console.Cert
	checks := daemon.CheckAll(t.Context(), cfg, daemon.Options{DialIMAP: refuse, DialSMTP: refuse})
	if !slices.ContainsFunc(checks, func(c daemon.Check) bool { return strings.HasPrefix(c.String(), "FAIL  console https://") }) {
		t.Errorf("a key that is none passes: %v", checks)
	}
}

func refuse(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("nobody is there")
}

// TestConsoleChecked: one line says where the console is, under which names it
// answers, behind whom, and until when its certificate is good.
func TestConsoleChecked(t *testing.T) {
	dir := t.TempDir()
	writeCertificate(t, dir)
	tlsLines := "\ntls_cert = \"" + filepath.Join(dir, "tls.crt") + "\"\ntls_key = \"" + filepath.Join(dir, "tls.key") + "\"\n"
	for _, test := range []struct{ console, want string }{
		{`listen = ""`, "-     console: none is served"},
		{`listen = "127.0.0.1:8080"`, "ok    console http://127.0.0.1:8080: answers to 127.0.0.1:8080, localhost:8080, [::1]:8080"},
		{"listen = \"0.0.0.0:8080\"\nurl = \"https://қызмет.қаз:443\"\ntrusted_proxy = [\"10.0.0.5\"]", "ok    console https://xn--e1adpz5by9a.xn--80ao21a: answers to xn--e1adpz5by9a.xn--80ao21a; only behind 10.0.0.5/32"},
		{"listen = \"127.0.0.1:8080\"\nurl = \"https://c.test\"\ntrusted_proxy = [\"127.0.0.1\"]", "ok    console https://c.test: answers to c.test, localhost:8080, 127.0.0.1:8080, [::1]:8080; behind 127.0.0.1/32"},
		{"listen = \"127.0.0.1:8443\"" + tlsLines, "; certificate until " + time.Now().Add(time.Hour).UTC().Format(time.DateOnly)},
	} {
		var lines []string
		for _, c := range daemon.CheckAll(t.Context(), site(t, t.TempDir(), "\n[console]\n"+test.console+"\n", `imap = "imap+insecure://127.0.0.1:143"`, `imap = "imap+insecure://127.0.0.1:1"`), daemon.Options{}) {
			if strings.Contains(c.String(), " console") {
				lines = append(lines, c.String())
			}
		}
		if len(lines) != 1 || !strings.HasSuffix(lines[0], test.want) {
			t.Errorf("%s: %q, want %q", test.console, lines, test.want)
		}
	}
}

// writeCertificate writes tls.crt and tls.key of 127.0.0.1 into a folder.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool, text := x509.NewCertPool(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	pool.AppendCertsFromPEM(text)
	err = errors.Join(os.WriteFile(filepath.Join(dir, "tls.crt"), text, 0o600),
		os.WriteFile(filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return pool
}
