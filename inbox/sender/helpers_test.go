package sender

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"push.guru/supportd/inbox"
)

// zone is a DNS that knows what it is told, counts what it is asked, and fails
// for the names in broken.
type zone struct {
	mu     sync.Mutex
	txt    map[string][]string
	broken map[string]bool
	asked  []string
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked = append(z.asked, name)
	if z.broken[name] {
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	if t, ok := z.txt[name]; ok {
		return t, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// testKey is fixed, so that failures repeat themselves.
func testKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("thirty-two bytes of a test's key"))
}

func keyRecord(flags string) []string {
	pub := testKey().Public().(ed25519.PublicKey)
	return []string{"v=DKIM1; k=ed25519; " + flags + "p=" + base64.StdEncoding.EncodeToString(pub)}
}

// newZone has a key at selector "s" of every domain.
func newZone(domains ...string) *zone {
	z := &zone{txt: map[string][]string{}, broken: map[string]bool{}}
	for _, d := range domains {
		z.txt["s._domainkey."+d] = keyRecord("")
	}
	return z
}

// usual are the fields that a careful signer covers.
var usual = []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}

// sign puts a signature of domain on top of a mail.
func sign(t testing.TB, text, domain string, keys []string) string {
	t.Helper()
	return signWith(t, text, &dkim.SignOptions{Domain: domain, HeaderKeys: keys})
}

func signWith(t testing.TB, text string, o *dkim.SignOptions) string {
	t.Helper()
	o.Selector, o.Signer, o.Hash = "s", crypto.Signer(testKey()), crypto.SHA256
	if o.HeaderCanonicalization == "" {
		o.HeaderCanonicalization, o.BodyCanonicalization = dkim.CanonicalizationRelaxed, dkim.CanonicalizationRelaxed
	}
	var b bytes.Buffer
	if err := dkim.Sign(&b, strings.NewReader(crlf(text)), o); err != nil {
		t.Fatalf("signing: %v", err)
	}
	return b.String()
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// ours are the addresses that the mails of the tests are written to.
var ours = []string{"support@push.guru", "privacy@push.guru"}

// parsed is what the parser of the house would make of the From line.
func parsed(addr string) *inbox.Message {
	return &inbox.Message{From: inbox.Address{Addr: addr}, Date: time.Now()}
}

// checker makes a Checker whose mailboxes are ours, and that takes mail of the
// last three days where c does not say otherwise.
func checker(t testing.TB, c Config) *Checker {
	t.Helper()
	if c.Own == nil {
		c.Own = ours
	}
	if c.MaxAge == 0 {
		c.MaxAge = 72 * time.Hour
	}
	k, err := New(c)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return k
}

func evidence(t testing.TB, c *Checker, raw, addr string) inbox.Evidence {
	t.Helper()
	e, err := c.Evidence(t.Context(), []byte(raw), parsed(addr), time.Now())
	if err != nil {
		t.Fatalf("Evidence: %v", err)
	}
	if e.Why == "" {
		t.Error("Evidence gives no reason")
	}
	if e.Level != inbox.LevelNone && e.Level != inbox.LevelAligned {
		t.Errorf("level %s is not this room's to give", e.Level)
	}
	return e
}
