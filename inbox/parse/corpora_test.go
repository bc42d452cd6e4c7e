package parse

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// corpora finds the folder of measuring mails, which is not part of the
// repository.
func corpora(t *testing.T) string {
	dir := os.Getenv("SUPPORTD_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no measuring mails here; set SUPPORTD_CORPORA to their folder")
	}
	return dir
}

// TestLetters measures the new text of letters as people write them.
func TestLetters(t *testing.T) {
	dir := filepath.Join(corpora(t), "letters")
	f, err := os.Open(filepath.Join(dir, "expected.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	right, all := 0, 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var want struct {
			File string
			From string
			Text *string
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, want.File))
		if err != nil {
			t.Fatal(err)
		}
		m := Message(raw, Options{})
		if m.FromFault != "" || want.From != "" && m.From.Addr != want.From {
			t.Errorf("%s: From %q, want %q (%s)", want.File, m.From.Addr, want.From, m.FromFault)
		}
		if want.Text == nil {
			continue
		}
		all++
		if words(m.Text) == words(*want.Text) {
			right++
			continue
		}
		t.Logf("%s: text\n%q, want\n%q", want.File, m.Text, *want.Text)
	}
	t.Logf("new text of letters: %d of %d right", right, all)
	if right*100 < all*97 {
		t.Errorf("only %d of %d letters have the right new text", right, all)
	}
}

func words(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestOddMIME reads the pack's mails of odd structure. Each becomes a Message
// that keeps every promise, for work within the caps.
func TestOddMIME(t *testing.T) {
	const most = 20<<20 + 20*DefaultMaxText // bytes allocated for one mail, beside twenty times its size
	mails, answered, readable, authors, worst := 0, 0, 0, 0, int64(0)
	eachPackMail(t, "mime", func(name string, raw []byte) {
		mails++
		m, _, work := measured(raw)
		worst = max(worst, work)
		if work > most+20*int64(len(raw)) {
			t.Errorf("%s: %d bytes were allocated for a mail of %d", name, work, len(raw))
		}
		if m.Text != "" || m.Report != nil || len(m.Attachments) > 0 || m.Subject != "" {
			readable++
		}
		if m.From.Addr != "" {
			authors++
		}
		if t.Run(name, func(t *testing.T) { whole(t, raw) }) {
			answered++
		}
	})
	t.Logf("odd MIME: %d of %d answered; %d with something to read, %d with an author; at most %d bytes were allocated for one", answered, mails, readable, authors, worst)
	if mails < 300 {
		t.Errorf("only %d mails of odd structure in the pack", mails)
	}
}

// eachPackMail calls f for the mails of one part of dev.tar.gz.
func eachPackMail(t *testing.T, part string, f func(name string, raw []byte)) {
	t.Helper()
	mails, parts := readPack(t)
	for name, raw := range mails {
		if parts[name].Part == part {
			f(name, raw)
		}
	}
}

// packPart is what the pack's labels say that matters here.
type packPart struct{ Part string }

// readPack reads the mails of dev.tar.gz and their labels.
func readPack(t *testing.T) (mails map[string][]byte, parts map[string]packPart) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(corpora(t), "dev.tar.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the pack of mails is not here; set SUPPORTD_CORPORA to its folder")
	}
	check(err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	check(err)
	mails, parts = map[string][]byte{}, map[string]packPart{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return mails, parts
		}
		check(err)
		b, err := io.ReadAll(r)
		check(err)
		switch name := path.Base(h.Name); {
		case name == "expected.json":
			check(json.Unmarshal(b, &parts))
		case path.Ext(name) == ".eml":
			mails[strings.TrimSuffix(name, ".eml")] = b
		}
	}
}
