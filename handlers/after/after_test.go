package after

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

var note = Note{Effect: "i-1-A-000007", Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Person: "17"}

func TestWebhook(t *testing.T) {
	secret := []byte("a secret of the site")
	var got *http.Request
	var body []byte
	answer := http.StatusNoContent
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(answer)
	}))
	defer srv.Close()
	hook := NewWebhook(srv.URL+"/after", func(context.Context) (string, error) { return string(secret), nil }, nil)
	if err := hook.Tell(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	if want := `{"effect":"i-1-A-000007","kind":"delete","scope":"account","person":"17"}`; string(body) != want {
		t.Errorf("the body is %s, want %s", body, want)
	}
	id, at := got.Header.Get("webhook-id"), got.Header.Get("webhook-timestamp")
	if got.Method != http.MethodPost || id != note.Effect || at == "" {
		t.Errorf("%s with id %q at %q", got.Method, id, at)
	}
	if sig := got.Header.Get("webhook-signature"); sig != Sign(secret, id, at, body) || !strings.HasPrefix(sig, "v1,") {
		t.Errorf("the signature is %q", sig)
	}
	if Sign(secret, id, at, body) == Sign([]byte("another"), id, at, body) {
		t.Error("the signature does not depend on the secret")
	}
	for _, code := range []int{301, 400, 404, 410, 500, 503} {
		answer = code
		if err := hook.Tell(t.Context(), note); !inbox.IsTemporary(err) || !strings.Contains(err.Error(), note.Effect) || strings.Contains(err.Error(), "17") {
			t.Errorf("%d: %v, want a temporary error that names the effect and nobody", code, err)
		}
		if got.URL.Path != "/after" {
			t.Errorf("%d: a redirect was followed", code)
		}
	}
	srv.Close()
	if err := hook.Tell(t.Context(), note); !inbox.IsTemporary(err) || strings.Contains(err.Error(), "/after") {
		t.Errorf("nobody there: %v, want a temporary error without the URL", err)
	}
	hook = NewWebhook(srv.URL, func(context.Context) (string, error) { return "", errors.New("the file is gone") }, nil)
	if err := hook.Tell(t.Context(), note); !inbox.IsTemporary(err) || !strings.Contains(err.Error(), "the file is gone") {
		t.Errorf("without a secret: %v, want a temporary error that says why", err)
	}
}

// TestSign holds the signature to the example of the specification.
func TestSign(t *testing.T) {
	secret := []byte{0x30, 0x79, 0x6b, 0x6e, 0x31} // any bytes
	if a, b := Sign(secret, "a.b", "1", nil), Sign(secret, "a", "b.1", nil); a != b {
		t.Errorf("the signed text is not id.timestamp.body: %s, %s", a, b)
	}
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	script := filepath.Join(dir, "after.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat > \"$1\"\necho a name >&2\nexit \"$2\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := NewCommand([]string{script, out, "0"}).Tell(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got Note
	if err := json.Unmarshal(b, &got); err != nil || got != note {
		t.Errorf("the command read %s, %v", b, err)
	}
	for name, argv := range map[string][]string{"exit 3": {script, out, "3"}, "no program": {filepath.Join(dir, "none")}} {
		if err := NewCommand(argv).Tell(t.Context(), note); !inbox.IsTemporary(err) || strings.Contains(err.Error(), "a name") {
			t.Errorf("%s: %v, want a temporary error without what the program printed", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewCommand([]string{script, out, "0"}).Tell(ctx, note); !inbox.IsTemporary(err) {
		t.Errorf("with an ended context: %v, want a temporary error", err)
	}
}
