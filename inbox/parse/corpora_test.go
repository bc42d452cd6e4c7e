package parse

import (
	"bufio"
	"encoding/json"
	"os"
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
