package parse

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"push.guru/supportd/inbox"
)

// digest identifies a mail by what its author gave it. Trace headers do not
// count, nor do line ends and empty lines at the end of the body, which
// servers change on the way.
func digest(h header, body []byte) inbox.Digest {
	sum := sha256.New()
	writeFields(sum, h, "From", "To", "Date", "Message-Id")
	body = bytes.TrimRight(body, "\r\n")
	for len(body) > 0 {
		line, rest := cutLine(body)
		sum.Write(line)
		sum.Write([]byte("\r\n"))
		body = rest
	}
	return inbox.Digest(sum.Sum(nil))
}

// form identifies the fields by which a body is read: with others, the same
// bytes can say something else, or nothing.
func form(h header) inbox.Digest {
	sum := sha256.New()
	writeFields(sum, h, "Subject", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition")
	return inbox.Digest(sum.Sum(nil))
}

func writeFields(sum hash.Hash, h header, names ...string) {
	for _, name := range names {
		values := h.all(name)
		writeLen(sum, len(values))
		for _, v := range values {
			writeLen(sum, len(v))
			sum.Write([]byte(v))
		}
	}
}

func writeLen(h hash.Hash, n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
