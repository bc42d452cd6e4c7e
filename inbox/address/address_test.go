package address

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCanonical(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := label + "." + label + "." + label
	tests := []struct {
		name, in string
		want     string // "": no plain address
	}{
		{"plain", "alice@example.org", "alice@example.org"},
		{"domain in capitals", "alice@EXAMPLE.Org", "alice@example.org"},
		{"local part as written", "Alice.O'Neill+x@example.org", "Alice.O'Neill+x@example.org"},
		{"blanks around", " \t alice@example.org \r\n", "alice@example.org"},
		{"no-break space behind", "alice@example.org\u00a0", "alice@example.org"},
		{"trailing dot", "alice@example.org.", "alice@example.org"},
		{"ideographic trailing dot", "alice@example.org。", "alice@example.org"},
		{"ideographic dot", "alice@example。org", "alice@example.org"},
		{"fullwidth domain", "alice@ｅｘａｍｐｌｅ.org", "alice@example.org"},
		{"IDN as people read it", "info@почта.рф", "info@xn--80a1acny.xn--p1ai"},
		{"IDN in capitals", "info@ПОЧТА.РФ", "info@xn--80a1acny.xn--p1ai"},
		{"IDN in ASCII", "info@xn--80a1acny.xn--p1ai", "info@xn--80a1acny.xn--p1ai"},
		{"IDN in ASCII capitals", "info@XN--80A1ACNY.XN--P1AI", "info@xn--80a1acny.xn--p1ai"},
		{"sharp s is a letter of its own", "a@straße.de", "a@xn--strae-oqa.de"},
		{"é in the domain", "a@café.fr", "a@xn--caf-dma.fr"},
		{"e with a combining accent in the domain", "a@cafe\u0301.fr", "a@xn--caf-dma.fr"},
		{"é in the local part", "rené@example.org", "rené@example.org"},
		{"dotless i in the local part", "alıce@example.org", "alıce@example.org"},
		{"dotless i in the domain", "a@mıke.org", "a@xn--mke-jua.org"},
		{"Kelvin sign in the domain", "a@\u212aelvin.org", "a@kelvin.org"},
		{"specials that need no quotes", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"},
		{"local part of 64", strings.Repeat("a", 64) + "@example.org", strings.Repeat("a", 64) + "@example.org"},
		{"digits", "1@2.org", "1@2.org"},

		{"nothing", "", ""},
		{"blanks", "  ", ""},
		{"no @", "alice.example.org", ""},
		{"nothing before the @", "@example.org", ""},
		{"nothing behind the @", "alice@", ""},
		{"two @", "alice@example.org@evil.test", ""},
		{"two @ in a row", "alice@@example.org", ""},
		{"quoted", `"alice"@example.org`, ""},
		{"quoted with an @", `"alice@example.org"@evil.test`, ""},
		{"angle brackets", "<alice@example.org>", ""},
		{"display name", "Alice <alice@example.org>", ""},
		{"two addresses", "alice@example.org,bob@example.org", ""},
		{"a comment", "alice(her)@example.org", ""},
		{"a comment in the domain", "alice@example.org(hers)", ""},
		{"a route", "@relay.test:alice@example.org", ""},
		{"a group", "us:alice@example.org;", ""},
		{"blank inside", "al ice@example.org", ""},
		{"blank before the @", "alice @example.org", ""},
		{"NUL", "alice\x00@example.org", ""},
		{"NUL in the domain", "alice@example.org\x00.evil.test", ""},
		{"line end", "alice\r\nBcc: x@evil.test@example.org", ""},
		{"DEL", "alice\x7f@example.org", ""},
		{"next line (C1)", "alice\u0085x@example.org", ""},
		{"no UTF-8", "alic\xe9@example.org", ""},
		{"no UTF-8 in the domain", "alice@ex\xe9mple.org", ""},
		{"soft hyphen", "al\u00adice@example.org", ""},
		{"zero-width space", "al\u200bice@example.org", ""},
		{"zero-width joiner", "al\u200dice@example.org", ""},
		{"word joiner", "al\u2060ice@example.org", ""},
		{"right-to-left override", "al\u202eice@example.org", ""},
		{"byte order mark inside", "al\ufeffice@example.org", ""},
		{"Mongolian vowel separator", "al\u180eice@example.org", ""},
		{"ideographic space", "al\u3000ice@example.org", ""},
		{"Ogham space", "al\u1680ice@example.org", ""},
		{"tag character", "alice\U000e0061@example.org", ""},
		{"private use", "alice\ue000@example.org", ""},
		{"dot first", ".alice@example.org", ""},
		{"dot last", "alice.@example.org", ""},
		{"two dots", "al..ice@example.org", ""},
		{"one label", "alice@localhost", ""},
		{"one label with a dot", "alice@localhost.", ""},
		{"one label with an ideographic dot", "alice@localhost。", ""},
		{"two dots in the domain", "alice@example..org", ""},
		{"two dots at the end", "alice@example.org..", ""},
		{"dot first in the domain", "alice@.example.org", ""},
		{"underscore in the domain", "alice@my_host.org", ""},
		{"hyphen first in a label", "alice@-example.org", ""},
		{"hyphen last in a label", "alice@example-.org", ""},
		{"address literal", "alice@[192.0.2.1]", ""},
		{"port", "alice@example.org:25", ""},
		{"broken punycode", "alice@xn--zzzzzz9.org", ""},
		{"local part of 65", strings.Repeat("a", 65) + "@example.org", ""},
		{"label of 64", "alice@" + label + "a.org", ""},
		{"more than 254", strings.Repeat("b", 63) + "@" + long, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Canonical(test.in)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Fatalf("%q gave %q, %v; want %q", test.in, got, err, test.want)
			}
			if err != nil && !errors.Is(err, ErrSyntax) {
				t.Errorf("%q: %v is not ErrSyntax", test.in, err)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       bool
	}{
		{"same", "alice@example.org", "alice@example.org", true},
		{"domain case", "alice@example.org", "alice@EXAMPLE.ORG", true},
		{"local case", "alice@example.org", "Alice@example.org", false},
		{"plus", "alice@example.org", "alice+1@example.org", false},
		{"dots", "alice@example.org", "al.ice@example.org", false},
		{"accent", "rene@example.org", "rené@example.org", false},
		{"dotless i", "mike@example.org", "mıke@example.org", false},
		{"dotless i in the domain", "a@mike.org", "a@mıke.org", false},
		{"Kelvin sign in the local part", "kate@example.org", "\u212aate@example.org", false},
		{"ligature in the local part", "office@example.org", "oﬃce@example.org", false},
		{"Cyrillic look-alike", "alice@example.org", "аlice@example.org", false},
		{"sharp s", "a@strasse.de", "a@straße.de", false},
		{"IDN", "info@почта.рф", "info@xn--80a1acny.xn--p1ai", true},
		{"trailing blanks", "alice@example.org", "alice@example.org  ", true},
		{"nothing equals nothing", "", "", false},
		{"no address equals itself", "alice", "alice", false},
		{"quoted form of the same", "alice@example.org", `"alice"@example.org`, false},
		{"NUL behind", "alice@example.org", "alice@example.org\x00", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if Equal(test.a, test.b) != test.want || Equal(test.b, test.a) != test.want {
				t.Errorf("%q and %q: want %t", test.a, test.b, test.want)
			}
		})
	}
}

func TestDomainOf(t *testing.T) {
	for in, want := range map[string]string{"alice@example.org": "example.org", "a@b@c.org": "c.org", "": "", "alice": "", "alice@": "", "@x.org": ""} {
		if got := DomainOf(in); got != want {
			t.Errorf("%q gave %q", in, got)
		}
	}
}

// FuzzCanonical: what comes out is an address in one comparable form, equal to
// what went in, and safe in a header line and an SMTP command.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"alice@example.org", " Alice@EXAMPLE.org. ", "info@почта.рф", `"a b"@x.org`, "a@b@c.org", "a@xn--caf-dma.fr",
		"a@x。org。", "a\x00@x.org", "é@é.org", "a@ß.de", "a@\u0660.org", strings.Repeat("a", 64) + "@" + strings.Repeat("é.", 100) + "org"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Canonical(s)
		if err != nil {
			if c != "" || !errors.Is(err, ErrSyntax) || Equal(s, s) {
				t.Fatalf("%q is refused with %q, %v", s, c, err)
			}
			return
		}
		again, err := Canonical(c)
		if err != nil || again != c {
			t.Errorf("%q gives %q, and that %q, %v", s, c, again, err)
		}
		local, domain, _ := strings.Cut(c, "@")
		written, _, _ := strings.Cut(strings.TrimSpace(s), "@")
		switch {
		case !Equal(s, c):
			t.Errorf("%q is not equal to its form %q", s, c)
		case local != written:
			t.Errorf("%q: the local part became %q", s, local)
		case domain != DomainOf(c) || domain != strings.ToLower(domain) || !strings.Contains(strings.Trim(domain, "."), "."):
			t.Errorf("%q: the domain became %q", s, domain)
		case !utf8.ValidString(c) || strings.ContainsAny(c, "\x00\r\n\t <>()[]:;,\\\"") || len(c) > 254:
			t.Errorf("%q gives the unsafe %q", s, c)
		}
		for _, r := range domain {
			if r >= utf8.RuneSelf {
				t.Errorf("%q: the domain %q is not ASCII", s, domain)
			}
		}
	})
}
