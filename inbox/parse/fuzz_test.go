package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox/address"
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

// FuzzFrom holds every From line to what the rest of the program relies on:
// one canonical address whose every sign can be seen, or a fault.
func FuzzFrom(f *testing.F) {
	for _, c := range authors {
		f.Add(c.from)
	}
	f.Fuzz(func(t *testing.T, value string) {
		a, fault := oneAuthor(value)
		if (a.Addr == "") != (fault != "") {
			t.Fatalf("%q: address %q, fault %q", value, a.Addr, fault)
		}
		if fault != "" {
			return
		}
		if canonical, err := address.Canonical(a.Addr); err != nil || canonical != a.Addr {
			t.Errorf("%q: %q is not canonical", value, a.Addr)
		}
		if !strings.Contains(strings.ToLower(value), strings.ToLower(address.DomainOf(a.Addr))) && ascii(value) {
			t.Errorf("%q: the domain of %q is not in it", value, a.Addr)
		}
		for _, s := range []string{a.Name, a.Addr} {
			if r, found := unseen(s); found || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
				t.Errorf("%q: %q holds %U", value, s, r)
			}
		}
		for _, w := range strings.FieldsFunc(a.Name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>()[]",;:'`, r) }) {
			if address.Equal(w, w) && !address.Equal(w, a.Addr) {
				t.Errorf("%q: the name %q holds another address than %q", value, a.Name, a.Addr)
			}
		}
	})
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
