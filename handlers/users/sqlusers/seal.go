package sqlusers

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// sealer makes what stands in the place of a value: hashes, addresses that
// cannot receive mail, and the sealed keys of guests.
type sealer struct {
	hash, mark, nonce []byte // keys
	box               cipher.AEAD
}

func newSealer(key []byte) *sealer {
	block, err := aes.NewCipher(mac(key, "supportd: keys of guests"))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &sealer{hash: mac(key, "supportd: hashes"), mark: mac(key, "supportd: marks"), nonce: mac(key, "supportd: nonces"), box: box}
}

func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(strings.Join(parts, "\x00")))
	return h.Sum(nil)
}

// A hash is hexadecimal: some digits of the keyed hash of place, column and
// value, and marked digits made from those, by which it is known again.
const (
	hashed  = 40
	marked  = 8
	hashMin = 24
	// An address in .invalid has from drawnMin to drawn digits drawn at random.
	drawn    = 20
	drawnMin = 8
	nowhere  = "@erased.invalid"
)

// hashOf gives the keyed hash of a value, of at most limit characters; false
// when that is too few.
func (s *sealer) hashOf(place, column, v string, limit int) (string, bool) {
	n := within(hashed, limit)
	if n < hashMin {
		return "", false
	}
	h := hex.EncodeToString(mac(s.hash, place, column, v))[:n-marked]
	return h + s.markOf(h), true
}

func (s *sealer) markOf(h string) string { return hex.EncodeToString(mac(s.mark, h))[:marked] }

// isHash tells whether hashOf made the text.
func (s *sealer) isHash(v string) bool {
	n := len(v) - marked
	return n >= hashMin-marked && hmac.Equal([]byte(s.markOf(v[:n])), []byte(v[n:]))
}

// invalidAddress draws an address that cannot receive mail (RFC 2606).
func invalidAddress(limit int) (string, bool) {
	n := within(drawn, limit-len(nowhere))
	if limit == 0 {
		n = drawn
	}
	if n < drawnMin {
		return "", false
	}
	b := make([]byte, drawn)
	rand.Read(b)
	return hex.EncodeToString(b)[:n] + nowhere, true
}

// within gives n, or limit where that is less; a limit of 0 is none.
func within(n, limit int) int {
	if limit == 0 {
		return n
	}
	return min(n, limit)
}

func isInvalidAddress(v string) bool { return strings.HasSuffix(v, nowhere) }

// close seals a text; the same one always in the same way.
func (s *sealer) close(v string) string {
	nonce := mac(s.nonce, v)[:s.box.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.box.Seal(nonce, nonce, []byte(v), nil))
}

func (s *sealer) open(v string) (string, bool) {
	b, err := base64.RawURLEncoding.DecodeString(v)
	if err != nil || len(b) < s.box.NonceSize() {
		return "", false
	}
	text, err := s.box.Open(nil, b[:s.box.NonceSize()], b[s.box.NonceSize():], nil)
	return string(text), err == nil
}
