package policy

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox/address"
)

func TestPlusAddress(t *testing.T) {
	for _, own := range []string{"support@site.test", "s@a.b.c", "support+gdpr@site.test", strings.Repeat("s", 64-PlusLength) + "@site.test"} {
		token := NewToken()
		addr := PlusAddress(own, token)
		if c, err := address.Canonical(addr); err != nil || c != addr {
			t.Errorf("%s is not canonical: %q, %v", addr, c, err)
		}
		for _, as := range []string{addr, strings.ToUpper(addr[:len(addr)-len("@site.test")]) + addr[len(addr)-len("@site.test"):]} {
			base, got := PlusToken(as)
			if got != token || !strings.EqualFold(base, own) {
				t.Errorf("%s has the token %q of %s, want %q of %s", as, got, base, token, own)
			}
		}
	}
}

func TestPlusToken(t *testing.T) {
	token := strings.Repeat("A", 26)
	for _, none := range []string{
		"", "@", "support@site.test", "support+tag@site.test", "+" + token + "@site.test", "support" + token + "@site.test",
		"support+" + token[1:] + "@site.test", "support+" + token + "A@site.test", "support+" + token, "support+" + token + "@",
		"support+" + token[1:] + "0@site.test", "support+" + token[1:] + "\u017f@site.test", // ſ, which folds to s
		"support+" + token[1:] + "\u212a@site.test", // the Kelvin sign, which folds to k
		"support+" + token + "+x@site.test", "support-" + token + "@site.test",
	} {
		if base, got := PlusToken(none); got != "" || base != none {
			t.Errorf("%q has the token %q of %q", none, got, base)
		}
	}
}
