package review

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// written finds the words that the sources give the journal: alone, or as the
// beginning of more.
var written = regexp.MustCompile(`(?:\.Journal\(|\.Note\([a-z]+, |\.Enter\([^"]*|r\.note\(ctx, |d\.record\([^"]*|what: )"([^"]+)"( ?\+)?`)

// TestWords: each word that is written into the journal can be filtered by, and
// each by which it can be filtered is written.
func TestWords(t *testing.T) {
	sources := ""
	for _, root := range []string{"..", "../../cmd/internal/daemon"} {
		err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == "review/words.go" {
				return err
			}
			b, err := os.ReadFile(root + "/" + path)
			sources += string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	offered := func(what string) bool {
		return slices.ContainsFunc(Words(), func(w string) bool { return isWord(w, what) })
	}
	// Routes that write by themselves name their act for the refusal only; what
	// the person of the desk is told of doubt goes to their mail.
	own := regexp.MustCompile(`own: true, what: "[^"]+"`)
	found := written.FindAllStringSubmatch(own.ReplaceAllString(sources, ""), -1)
	for _, m := range found {
		if what := m[1]; what != "mail " && what != "reply " && !offered(what) && !offered(what+"x") {
			t.Errorf("%q is written, and nobody can filter by it", what)
		}
	}
	if len(found) < 50 {
		t.Errorf("only %d words were found", len(found))
	}
	for _, w := range Words() {
		begins, _, _ := strings.Cut(w, "…")
		begins = strings.TrimSuffix(strings.TrimSuffix(begins, " asked for"), ", in ")
		_, state, _ := strings.Cut(begins, " ")
		mail := slices.Contains(inbox.MailStates(), inbox.MailState(state)) || strings.HasPrefix(begins, "reply ")
		if !mail && !slices.Contains(inbox.Events(), inbox.Event(begins)) && !strings.Contains(sources, `"`+begins) {
			t.Errorf("%q is offered, and nobody writes it", w)
		}
	}
}

func TestIsWord(t *testing.T) {
	for _, c := range []struct {
		word, what string
		want       bool
	}{
		{"approved", "approved", true}, {"approved", "approved without proof", false}, {"denied …", "denied approve", true}, {"denied …", "denied", false},
		{"letter …", "letter R-000001 released", true}, {"", "x", false},
	} {
		if got := isWord(c.word, c.what); got != c.want {
			t.Errorf("%q of %q: %t", c.word, c.what, got)
		}
	}
}
