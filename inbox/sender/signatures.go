package sender

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Signatures gives what tells the DKIM signatures of a raw mail apart, whoever
// made them: the SHA-256 of each signature's bytes (b=, RFC 6376 section 3.5),
// of at most five DKIM-Signature fields, topmost first. Nothing is verified. A
// mail that is sent again must keep the signature that vouches for it, however
// the rest of it is changed. all is false when the mail has more than were
// looked at, so that it cannot be told from one that came before.
//
// Base64 can be written in many ways, and verifiers differ in what they
// overlook. All that any of them does is overlooked here: blanks, characters
// that are none of base64, padding that is missing or out of place, what follows it, bits beyond the
// last byte.
func Signatures(raw []byte) (sums [][32]byte, all bool) {
	m, _ := readMail(raw) // what could be read of it
	for _, f := range m.fields {
		if f.name != "dkim-signature" {
			continue
		}
		for tag := range strings.SplitSeq(f.value, ";") {
			k, v, _ := strings.Cut(tag, "=")
			b := signatureBytes(v)
			if !strings.EqualFold(strings.TrimSpace(k), "b") || len(b) == 0 {
				continue
			}
			if len(sums) == maxSignatures {
				return sums, false
			}
			sums = append(sums, sha256.Sum256(b))
		}
	}
	return sums, true
}

// signatureBytes decodes a b= value as leniently as any verifier may.
func signatureBytes(v string) []byte {
	var letters []byte
	pads := 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '=' && len(letters)%4 >= 2:
			if pads++; len(letters)%4+pads == 4 {
				i = len(v) // complete padding ends it; anything less is overlooked
			}
		case c == '+' || c == '/' || isWordByte(c) && c != '-' && c != '_':
			letters, pads = append(letters, c), 0
		}
	}
	if len(letters)%4 == 1 {
		letters = letters[:len(letters)-1] // six bits are no byte
	}
	b, err := base64.RawStdEncoding.DecodeString(string(letters))
	if err != nil {
		return nil // not reached: every character left is one of base64
	}
	return b
}
