package templates

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew; read them before you commit")

// TestExtended holds the letter of an extension against its golden files: it
// must say why, and until when.
func TestExtended(t *testing.T) {
	s := load(t, siteLanguages...)
	for _, lang := range siteLanguages {
		name := "testdata/extended." + lang + ".txt"
		got := render(t, s, Extended, lang, plausible(t)[Extended]).Text
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", lang, got, want)
		}
	}
}
