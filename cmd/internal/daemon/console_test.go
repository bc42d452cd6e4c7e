package daemon_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

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
