package mapfile_test

import (
	"os"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users/datamap/mapfile"
)

// TestReadme reads the map that the README shows, as an administrator would
// copy it.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "A complete map:\n")
	if !found {
		t.Fatal("the README shows no complete map")
	}
	var text strings.Builder
	for line := range strings.Lines(rest) {
		if line != "\n" && !strings.HasPrefix(line, "    ") {
			break
		}
		text.WriteString(line)
	}
	m, err := mapfile.Read([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Places()); n != 3 {
		t.Errorf("the map has %d places, want 3", n)
	}
}
