package sender

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	netmail "net/mail"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// corpus is an archive of collected mails that is kept beside a checkout.
const corpus = "../../../shared/corpora/dev.tar.gz"

// corpusID is whose Authentication-Results the mails of the corpus carry.
const corpusID = "mx.site.test"

// corpusRecord is what the corpus says about one mail.
type corpusRecord struct {
	Part    string `json:"part"`
	Genuine bool   `json:"genuine"`
}

// TestCorpus judges collected mails: no sender-forging case may count as
// aligned, and nearly all others that our server vouched for must.
func TestCorpus(t *testing.T) {
	mails, records := readCorpus(t)
	c := checker(t, Config{TrustedIDs: []string{corpusID}, OwnHops: 1, DKIM: true, MaxAge: 1 << 62, LookupTXT: newZone().LookupTXT})
	vouched, aligned, auth := 0, 0, 0
	for name, raw := range mails {
		e := evidence(t, c, string(raw), naiveFrom(raw))
		r := records[name]
		if r.Part == "auth" {
			auth++
			if e.Level != inbox.LevelNone && !r.Genuine {
				t.Errorf("%s: %s, %q", name, e.Level, e.Why)
			}
			continue
		}
		if bytes.Contains(raw, []byte("Authentication-Results: "+corpusID)) && bytes.Contains(raw, []byte("dmarc=pass")) {
			vouched++
			if e.Level == inbox.LevelAligned {
				aligned++
			} else {
				t.Logf("%s: %q", name, e.Why)
			}
		}
	}
	t.Logf("%d forging cases; %d of %d others aligned", auth, aligned, vouched)
	if auth == 0 || aligned*100 < vouched*99 {
		t.Errorf("%d forging cases, %d of %d others aligned", auth, aligned, vouched)
	}
}

// readCorpus gives the mails and records by name without ".eml".
func readCorpus(t *testing.T) (map[string][]byte, map[string]corpusRecord) {
	f, err := os.Open(corpus)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there", corpus)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	mails, records := map[string][]byte{}, map[string]corpusRecord{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return mails, records
		}
		if err != nil {
			t.Fatal(err)
		}
		name, isMail := strings.CutSuffix(path.Base(h.Name), ".eml")
		switch {
		case isMail:
			if mails[name], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		case name == "expected.json":
			if err := json.NewDecoder(r).Decode(&records); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// naiveFrom is the address of the topmost From line, or "".
func naiveFrom(raw []byte) string {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	list, err := m.Header.AddressList("From")
	if err != nil || len(list) != 1 {
		return ""
	}
	a, err := address.Canonical(list[0].Address)
	if err != nil {
		return ""
	}
	return a
}

// delivered are mails among the sender-forging cases that Google received from
// their real senders, with its own headers on top.
var delivered = []string{"auth-mailauth_bimi", "auth-mailauth_zbimi"}

// TestCorpusWithEveryServerTrusted judges the sender-forging cases in the
// worst configuration: the id of every header is trusted, wherever it stands.
func TestCorpusWithEveryServerTrusted(t *testing.T) {
	mails, records := readCorpus(t)
	for name, raw := range mails {
		if records[name].Part != "auth" || slices.Contains(delivered, name) {
			continue
		}
		m, err := readMail(raw)
		if err != nil {
			continue
		}
		c := checker(t, Config{OwnHops: maxFields})
		for _, f := range m.fields {
			if r, err := parseResults(f.value); f.name == "authentication-results" && err == nil {
				c.ids = append(c.ids, strings.ToLower(r.id))
			}
		}
		e, err := c.Evidence(t.Context(), raw, parsed(naiveFrom(raw)), time.Now())
		if err != nil || e.Level != inbox.LevelNone && !records[name].Genuine {
			t.Errorf("%s: %s, %q, %v", name, e.Level, e.Why, err)
		}
	}
}
