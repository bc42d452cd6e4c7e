package parse

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/htmlindex"
)

// encode writes s in a charset that has all of its letters.
func encode(t *testing.T, charset, s string) []byte {
	t.Helper()
	enc, err := htmlindex.Get(charset)
	if err != nil {
		t.Fatal(err)
	}
	b, err := enc.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// numbered writes Message-IDs <0@x> to <n-1@x>.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<" + strconv.Itoa(i) + "@x> ")
	}
	return b.String()
}
