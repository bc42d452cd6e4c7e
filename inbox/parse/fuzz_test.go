package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seed adds the files of a pattern to the corpus.
func seed(f *testing.F, pattern string, add func([]byte)) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", pattern, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		add(b)
	}
}

func FuzzMessage(f *testing.F) {
	seed(f, "testdata/*.eml", func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, raw []byte) { whole(t, raw) })
}

func FuzzNewText(f *testing.F) {
	seed(f, "testdata/quotes/*.txt", func(b []byte) {
		text, _, _ := strings.Cut(string(b), "== new ==")
		f.Add(text, false, false)
	})
	f.Fuzz(func(t *testing.T, s string, flowed, delsp bool) {
		lines := plainLines(s, flowed, delsp)
		got := newText(lines)
		if len(got) > len(render(lines)) {
			t.Errorf("%q is longer than %q", got, render(lines))
		}
		own := map[string]bool{}
		for _, l := range lines {
			if l.depth == 0 {
				own[l.text] = true
			}
		}
		for l := range strings.SplitSeq(got, "\n") {
			if l != "" && !own[l] {
				t.Errorf("%q in the new text is no line that the person wrote", l)
			}
		}
	})
}

func FuzzHTML(f *testing.F) {
	seed(f, "testdata/html*.eml", func(b []byte) {
		_, body := splitHeader(b, DefaultMaxHeader)
		f.Add(string(body))
	})
	f.Fuzz(func(t *testing.T, s string) {
		const limit = 1000
		lines, _ := htmlLines(s, limit)
		if n := size(lines); n > 3*limit {
			t.Errorf("%d bytes of text, limit %d", n, limit)
		}
		for _, l := range lines {
			if l.depth < 0 || strings.ContainsAny(l.text, "\n\r\x00") {
				t.Errorf("line %q at depth %d", l.text, l.depth)
			}
		}
		// Text in an element that is not shown never appears.
		const secret = "zqxjkvbp"
		for _, l := range second(htmlLines("<div hidden>"+secret+"</div>"+s, limit)) {
			if strings.Contains(l.text, secret) && !strings.Contains(s, secret) {
				t.Errorf("hidden text appears in %q", l.text)
			}
		}
	})
}

func second(lines []line, _ bool) []line { return lines }
