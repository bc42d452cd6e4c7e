// Package after tells the rest of a site that an effect was carried out in its
// user store: whatever else holds something about the person, such as a search
// index, files or a mailing tool, follows. The site is told by a signed webhook
// or by a command, again and again until it says that it is done; only then is
// the Action done.
//
// What it is told is a [Note] as one JSON object: ids, no personal data. The
// same effect can be told more than once, under the same key; the site must
// take the second time for a success.
//
// # Webhook
//
// A POST with the headers of the Standard Webhooks specification: webhook-id is
// the effect key, webhook-timestamp the time of sending in seconds since 1970,
// webhook-signature "v1," and the Base64 of the HMAC-SHA-256 of
// "id.timestamp.body" under the secret. Any answer of 2xx means done. No
// redirect is followed.
//
// # Command
//
// The program and its arguments as they stand, with no shell in between; the
// note is its standard input. Exit code 0 means done.
package after

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"time"

	"push.guru/supportd/inbox"
)

// Note is what the site is told.
type Note struct {
	Effect string      `json:"effect"` // effect key; the same each time
	Kind   inbox.Kind  `json:"kind"`   // change, delete, deactivate, withdraw
	Scope  inbox.Scope `json:"scope,omitempty"`
	Undo   bool        `json:"undo,omitempty"` // of a deactivate: the account is active again
	Person string      `json:"person"`         // the site's own key
}

// Hook tells the site.
type Hook interface {
	// Tell returns nil once the site has said that it is done. A failure is
	// temporary whatever it is: the effect cannot be taken back, and an operator
	// can mend the other side.
	Tell(ctx context.Context, n Note) error
}

// patience is how long the site may take for one note.
const patience = 30 * time.Second

// Webhook posts notes to a URL.
type Webhook struct {
	page   string
	secret func(context.Context) (string, error)
	client *http.Client
}

// NewWebhook gives a Webhook that signs with what secret gives, which is asked
// each time. Requests go through the transport; nil stands for
// http.DefaultTransport.
func NewWebhook(page string, secret func(context.Context) (string, error), transport http.RoundTripper) *Webhook {
	return &Webhook{page: page, secret: secret, client: &http.Client{Transport: transport, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Tell implements Hook.
func (w *Webhook) Tell(ctx context.Context, n Note) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("telling the site of %s: %w", n.Effect, err)
	}
	secret, err := w.secret(ctx)
	if err != nil {
		return failed(n, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.page, bytes.NewReader(body))
	if err != nil {
		return failed(n, errors.New("the URL cannot be used"))
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", n.Effect)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", Sign([]byte(secret), n.Effect, at, body))
	resp, err := w.client.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, which may have a secret in it
	}
	if err != nil {
		return failed(n, err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return failed(n, fmt.Errorf("it answers %s", resp.Status))
	}
	return nil
}

// Sign gives the webhook-signature of a body.
func Sign(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Command runs a program for each note.
type Command struct{ argv []string }

// NewCommand gives a Command of a program and its arguments.
func NewCommand(argv []string) *Command { return &Command{argv: argv} }

// Tell implements Hook. What the program prints is dropped: it may be personal.
func (c *Command) Tell(ctx context.Context, n Note) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("telling the site of %s: %w", n.Effect, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Stdin = bytes.NewReader(append(body, '\n'))
	cmd.WaitDelay = time.Second // for what the program leaves running with its output open
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it was ended after %s", patience)
	}
	if err != nil {
		return failed(n, err)
	}
	return nil
}

func failed(n Note, err error) error {
	return &inbox.Error{Err: fmt.Errorf("the user store has %s, but telling the site failed: %w", n.Effect, err), Temp: true,
		Hint: "see users.after in the configuration; it is tried again"}
}
