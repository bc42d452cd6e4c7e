package console

import (
	"os"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/templates"
)

func load(t *testing.T) *Pages {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(zone)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryPageInEveryLanguage renders them all with invented data.
func TestEveryPageInEveryLanguage(t *testing.T) {
	p := load(t)
	sample := Sample(time.Now())
	for _, name := range names() {
		f, ok := sample[name]
		if !ok {
			t.Errorf("no sample of %s", name)
			continue
		}
		for _, f.Lang = range Languages() {
			var b strings.Builder
			if err := p.Render(&b, name, f); err != nil {
				t.Error(err)
			}
			if dir := os.Getenv("CONSOLE_PAGES"); dir != "" {
				if err := os.WriteFile(dir+"/"+f.Lang+"-"+name+".html", []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestTexts: every language has the same keys with the same placeholders.
func TestTexts(t *testing.T) {
	texts := map[string]templates.Words{}
	for _, code := range Languages() {
		b, err := files.ReadFile("texts/" + code + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		w, faults := templates.ParseWords(code, string(b))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		texts[code] = w
	}
	for code, w := range texts {
		for _, f := range w.Check(code, texts["en"]) {
			t.Error(f)
		}
	}
}
