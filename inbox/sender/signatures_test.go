package sender

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// signedWith gives a mail with a signature field for each b= value.
func signedWith(values ...string) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=a;\r\n\th=from:to; bh=AAAA; b=%s\r\n", v)
	}
	return b.String() + "From: bob@example.org\r\nTo: support@site.test\r\n\r\nHello\r\n"
}

func TestSignatures(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("sixteen bytes ok"))
	want := sha256.Sum256([]byte("sixteen bytes ok"))
	if !strings.HasSuffix(plain, "==") {
		t.Fatalf("%s has no padding", plain)
	}
	bare := strings.TrimRight(plain, "=")
	varied := bare[:len(bare)-1] + string(bare[len(bare)-1]+1) // other bits beyond the last byte
	for name, v := range map[string]string{
		"plain":                          plain,
		"folded":                         plain[:8] + "\r\n\t " + plain[8:],
		"blanks":                         " " + strings.Join(strings.Split(plain, ""), " ") + " ",
		"no-break space":                 plain[:4] + "\u00a0" + plain[4:],
		"without padding":                bare,
		"more behind the padding":        plain + "AAAA",
		"characters that are no base64":  plain[:5] + "!-_.\u00e9\xff" + plain[5:],
		"bits beyond the last byte":      varied + "==",
		"padding in front":               "=" + plain[:4] + "=" + plain[4:],
		"half a padding inside":          plain[:6] + "=" + plain[6:],
		"a tag behind it":                plain + "; x=1",
		"an empty tag behind it":         plain + " ;",
		"signed twice, the second empty": plain + "; b=",
	} {
		got, all := Signatures([]byte(signedWith(v)))
		if !all || !slices.Equal(got, [][32]byte{want}) {
			t.Errorf("%s: %q gives %x, %t", name, v, got, all)
		}
	}
	for name, raw := range map[string]string{
		"the name in capitals":       strings.Replace(signedWith(plain), "DKIM-Signature", "DKIM-SIGNATURE", 1),
		"line ends of one character": strings.ReplaceAll(signedWith(plain), "\r\n", "\n"),
		"the tag in capitals":        strings.Replace(signedWith(plain), " b=", " B=", 1),
		"another Message-ID":         "Message-ID: <2@example.org>\r\n" + signedWith(plain),
		"a bad line further down":    strings.Replace(signedWith(plain), "To:", "To :", 1),
	} {
		if got, all := Signatures([]byte(raw)); !all || !slices.Equal(got, [][32]byte{want}) {
			t.Errorf("%s: %x, %t", name, got, all)
		}
	}
	for name, raw := range map[string]string{
		"none":                  signedWith(),
		"an empty one":          signedWith(""),
		"only bh":               "DKIM-Signature: v=1; bh=" + plain + "\r\nFrom: bob@example.org\r\n\r\nHello\r\n",
		"in the body":           "From: bob@example.org\r\n\r\n" + signedWith(plain),
		"of another field":      strings.Replace(signedWith(plain), "DKIM-Signature", "ARC-Message-Signature", 1),
		"nothing":               "",
		"a header without end":  "From: x",
		"nothing but a newline": "\n",
	} {
		if got, all := Signatures([]byte(raw)); len(got) != 0 || !all {
			t.Errorf("%s: %x, %t", name, got, all)
		}
	}
}

func TestSignaturesAreCounted(t *testing.T) {
	var values []string
	for i := range 7 {
		values = append(values, base64.StdEncoding.EncodeToString([]byte{byte(i), 1, 2}))
	}
	for n, want := range map[int]int{1: 1, 5: 5, 6: 5, 7: 5} {
		got, all := Signatures([]byte(signedWith(values[:n]...)))
		if len(got) != want || all != (n <= 5) || got[0] != sha256.Sum256([]byte{0, 1, 2}) {
			t.Errorf("of %d signatures %d were looked at; that these are all: %t", n, len(got), all)
		}
	}
	if got, all := Signatures([]byte(signedWith(values[0] + "; b=" + values[1]))); len(got) != 2 || !all {
		t.Errorf("of a field with two values %d were looked at, %t", len(got), all)
	}
}

// FuzzSignatures: whatever a stranger writes, a few sums come out, and blanks
// inside of a signature never change them.
func FuzzSignatures(f *testing.F) {
	f.Add([]byte(signedWith("QUJD", "QUI=; b=QQ==", "=Q=Q=U=J=D")))
	f.Add([]byte("DKIM-Signature: b\r\nDKIM-Signature: ;;b=;=b\r\n\tb=A\r\n \r\nX"))
	f.Add([]byte("DKIM-Signature:b=\x00\xff+/\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		sums, all := Signatures(raw)
		if len(sums) > maxSignatures || !all && len(sums) != maxSignatures {
			t.Errorf("%d sums, all %t", len(sums), all)
		}
		v := strings.NewReplacer("\r", "", "\n", "", ";", "").Replace(string(raw))
		plain, _ := Signatures([]byte(signedWith(v)))
		spread, _ := Signatures([]byte(signedWith(strings.Join(strings.Split(v, ""), " "))))
		if !slices.Equal(plain, spread) {
			t.Errorf("%q: blanks make %x of %x", v, spread, plain)
		}
	})
}
