package parse

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7Names are the names of UTF-7 that mails declare.
var utf7Names = map[string]bool{"utf-7": true, "utf7": true, "unicode-1-1-utf-7": true, "x-unicode-1-1-utf-7": true, "csunicode11utf7": true}

// decodeUTF7 decodes UTF-7 (RFC 2152): "+" begins base64 of UTF-16 without
// padding, and the first byte that is not base64 ends it; "-" is dropped there.
// What is no character becomes U+FFFD. The modified form of IMAP is another.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c != '+':
			i += plainUTF7(&out, b[i:])
		case i+1 < len(b) && b[i+1] == '-':
			out.WriteByte('+')
			i += 2
		default:
			n := shifted(&out, b[i+1:])
			i += 1 + n
		}
	}
	return out.String()
}

// plainUTF7 writes one character outside base64. Bytes beyond ASCII have no
// place there, but some programs leave them as they are.
func plainUTF7(out *strings.Builder, b []byte) int {
	r, n := utf8.DecodeRune(b)
	out.WriteRune(r)
	return n
}

// shifted writes the characters of a run of base64, and gives its length.
func shifted(out *strings.Builder, b []byte) int {
	var units []uint16
	acc, bits, n := uint32(0), 0, 0
	for n < len(b) {
		v := sextet(b[n])
		if v < 0 {
			break
		}
		n++
		acc, bits = acc<<6|uint32(v), bits+6
		if bits >= 16 {
			bits -= 16
			units = append(units, uint16(acc>>bits))
			acc &= 1<<bits - 1
		}
	}
	out.WriteString(string(utf16.Decode(units)))
	if n == 0 || bits >= 6 || acc != 0 {
		out.WriteRune(utf8.RuneError)
	}
	if n < len(b) && b[n] == '-' {
		n++
	}
	return n
}

func sextet(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
