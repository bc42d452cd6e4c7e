package lang

import (
	"fmt"
	"testing"
)

// A text keeps its number and its number the text, however many others come.
func TestWords(t *testing.T) {
	w := newWords()
	text := func(i int) string { return fmt.Sprintf("word %d", i) }
	const many = 10_000
	for i := range many {
		if n := w.number(text(i)); n != uint32(i+1) {
			t.Fatalf("%q has number %d, want %d", text(i), n, i+1)
		}
	}
	w.done()
	for i := range many {
		if n := w.number(text(i)); n != uint32(i+1) || w.find(text(i)) != n || w.at(n) != text(i) {
			t.Fatalf("%q has number %d, which is that of %q", text(i), n, w.at(n))
		}
	}
	if n := w.find("another"); n != unknown || w.at(n) != "" {
		t.Errorf("a word that was given no number has %d", n)
	}
	if n := w.number(""); n != many+1 || w.at(n) != "" {
		t.Errorf("the empty word has number %d, want %d", n, many+1)
	}
}
