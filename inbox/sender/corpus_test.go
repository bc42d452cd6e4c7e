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
	"push.guru/supportd/inbox/parse"
)

// corpus is an archive of collected mails that is kept beside a checkout.
const corpus = "../../../shared/corpora/dev.tar.gz"

// corpusID is whose Authentication-Results the mails of the corpus carry.
const corpusID = "mx.site.test"

// corpusRecord is what the corpus says about one mail.
type corpusRecord struct {
	Part string `json:"part"`
}

// TestCorpus judges collected mails: no sender-forging case may count as
// aligned, and nearly all others that our server vouched for must. Each is
// taken to have arrived when it was written, at somebody whom it names.
func TestCorpus(t *testing.T) {
	mails, records := readCorpus(t)
	vouched, aligned, auth, forged := 0, 0, 0, 0
	for name, raw := range mails {
		if records[name].Part == "auth" {
			auth++
			forged += worst(t, name, raw, corpusID)
			continue
		}
		if !bytes.Contains(raw, []byte("Authentication-Results: "+corpusID)) || !bytes.Contains(raw, []byte("dmarc=pass")) {
			continue
		}
		vouched++
		if e := collected(t, raw, parse.Message(raw, parse.Options{}), corpusID); e.Level == inbox.LevelAligned {
			aligned++
		} else {
			t.Logf("%s: %q", name, e.Why)
		}
	}
	t.Logf("%d of %d forging cases aligned; %d of %d others aligned", forged, auth, aligned, vouched)
	if auth == 0 || forged > 0 || aligned*100 < vouched*99 {
		t.Errorf("%d of %d forging cases aligned; %d of %d others aligned", forged, auth, aligned, vouched)
	}
}

// worst counts how often a forged mail is aligned: with the parser of the
// house, and with one that takes the topmost From line as it is.
func worst(t *testing.T, name string, raw []byte, ids ...string) (aligned int) {
	t.Helper()
	m := parse.Message(raw, parse.Options{})
	careless := *m
	careless.From, careless.FromFault = inbox.Address{Addr: naiveFrom(raw)}, ""
	for _, m := range []*inbox.Message{m, &careless} {
		if e := collected(t, raw, m, ids...); e.Level != inbox.LevelNone {
			t.Errorf("%s: %s, %q", name, e.Level, e.Why)
			aligned++
		}
	}
	return aligned
}

// collected gives the evidence for a mail whose every recipient we are, on the
// day on which it was written.
func collected(t *testing.T, raw []byte, m *inbox.Message, ids ...string) inbox.Evidence {
	t.Helper()
	if m.Date.IsZero() {
		dated := *m
		dated.Date = time.Unix(0, 0)
		m = &dated
	}
	c := checker(t, Config{TrustedIDs: ids, OwnHops: maxFields, DKIM: true, LookupTXT: newZone().LookupTXT})
	if mail, err := readMail(raw); err == nil {
		for _, name := range []string{"to", "cc"} {
			value, _ := mail.get(name)
			for _, addr := range recipients(value) {
				c.own[strings.ToLower(addr)] = true
			}
		}
	}
	e, err := c.Evidence(t.Context(), raw, m, m.Date)
	if err != nil {
		t.Fatal(err)
	}
	return e
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
	auth, forged := 0, 0
	for name, raw := range mails {
		if records[name].Part != "auth" || slices.Contains(delivered, name) {
			continue
		}
		m, err := readMail(raw)
		if err != nil {
			continue
		}
		var ids []string
		for _, f := range m.fields {
			if r, err := parseResults(f.value); f.name == "authentication-results" && err == nil {
				ids = append(ids, r.id)
			}
		}
		auth++
		forged += worst(t, name, raw, ids...)
	}
	t.Logf("%d of %d forging cases aligned", forged, auth)
}
