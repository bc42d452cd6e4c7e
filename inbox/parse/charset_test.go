package parse

import (
	"testing"
	"unicode/utf8"
)

// TestUTF7 takes the examples of RFC 2152, and what is hurt.
func TestUTF7(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"Hi Mom -+Jjo--!":           "Hi Mom -☺-!",
		"A+ImIDkQ.":                 "A≢Α.",
		"+ZeVnLIqe-":                "日本語",
		"Item 3 is +AKM-1.":         "Item 3 is £1.",
		"1 +- 1 = 2":                "1 + 1 = 2",
		"+2D3eAA-":                  "😀",
		"+BDQEMA":                   "да",
		"+BDQ-+BDA-":                "да",
		"+AGE--":                    "a-",
		"+":                         "\uFFFD",
		"+ x":                       "\uFFFD x",
		"+2D0-":                     "\uFFFD",
		"+A-":                       "\uFFFD",
		"+BDQEMAA-":                 "да\uFFFD",
		"8 bit: \xd0\xb4 \xff":      "8 bit: д \uFFFD",
		"+BDQ\xff":                  "д\uFFFD",
		"+AGEAYgBj":                 "abc",
		"no shift at all, 50 % = 1": "no shift at all, 50 % = 1",
	} {
		if got := decodeUTF7([]byte(in)); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

func FuzzUTF7(f *testing.F) {
	for _, s := range []string{"A+ImIDkQ.", "+ZeVnLIqe-", "+2D3eAA-", "+-", "+BDQ", "+/////-"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := decodeUTF7(b); !utf8.ValidString(got) || len(got) > 3*len(b) {
			t.Errorf("%q is read as %q", b, got)
		}
	})
}
