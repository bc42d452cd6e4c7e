package sender

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
)

// Whoever signs the body but not the fields that say how to read it leaves them to
// anybody who passes the mail on: another boundary shows a part that was quoted,
// text/plain shows the source of an HTML quotation, base64 turns a harmless
// "code" into words. Gmail and Yandex sign so. Their mail still counts when
// the body itself tells how to read it, so that no other field would fit:
//
//   - it begins with a boundary line: multipart/alternative with just that
//     boundary, of one text/plain and one text/html part;
//   - it begins with a tag: text/html;
//   - anything else: text/plain, without a line that could open a MIME part.
//
// Single parts must be in a charset that keeps ASCII as it is.

// isIdentity tells whether the transfer encoding leaves the body as it is.
func (m *mail) isIdentity() bool {
	v, ok := m.get("content-transfer-encoding")
	switch strings.ToLower(strings.Trim(v, " \t")) {
	case "7bit", "8bit", "binary":
		return true
	}
	return !ok
}

// isShown tells whether the mail as a whole is to be read: marked as an
// attachment, it seems to say nothing.
func (m *mail) isShown() bool {
	v, ok := m.get("content-disposition")
	kind, _, _ := strings.Cut(v, ";")
	return !ok || strings.EqualFold(strings.Trim(kind, " \t"), "inline")
}

// isPinned tells whether the body allows no other content type than the mail
// has. An encoded body does not show what it is.
func (m *mail) isPinned() bool {
	if !m.isIdentity() {
		return false
	}
	v, ok := m.get("content-type")
	if !ok {
		v = "text/plain"
	}
	kind, params, err := mime.ParseMediaType(v)
	if err != nil {
		return false
	}
	start := bytes.TrimLeft(m.body, " \t\r\n")
	switch {
	case bytes.HasPrefix(start, []byte("--")):
		return kind == "multipart/alternative" && isAlternative(m.body, params["boundary"])
	case len(start) > 1 && start[0] == '<' && (isWordByte(start[1]) || start[1] == '!'):
		return kind == "text/html" && keepsASCII(params["charset"])
	}
	return kind == "text/plain" && keepsASCII(params["charset"]) && !opensPart(m.body)
}

// keepsASCII accepts the charsets in which ASCII bytes can mean nothing else.
func keepsASCII(charset string) bool {
	c := strings.ToLower(charset)
	switch c {
	case "", "us-ascii", "utf-8", "koi8-r", "koi8-u":
		return true
	}
	return strings.HasPrefix(c, "iso-8859-") || strings.HasPrefix(c, "windows-125")
}

// opensPart tells whether a line of the body could be the header of a part.
func opensPart(body []byte) bool {
	for line := range bytes.Lines(body) {
		if len(line) >= 8 && bytes.EqualFold(line[:8], []byte("content-")) {
			return true
		}
	}
	return false
}

// isAlternative tells whether the body is, from its first line to its last,
// one text/plain and one text/html part between lines of that boundary.
func isAlternative(body []byte, boundary string) bool {
	if len(boundary) < 8 || strings.ContainsAny(boundary, " \t") {
		return false
	}
	first, _, _ := cutLine(body)
	if string(first) != "--"+boundary || !bytes.HasSuffix(bytes.TrimRight(body, "\r\n"), []byte("\n--"+boundary+"--")) {
		return false
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for _, want := range []string{"text/plain", "text/html"} {
		part, err := r.NextRawPart()
		if err != nil || !isPlainPart(part.Header, want) {
			return false
		}
	}
	_, err := r.NextRawPart()
	return err == io.EOF
}

// isPlainPart tells whether a part is of that type and meant to be read.
func isPlainPart(h textproto.MIMEHeader, want string) bool {
	if len(h["Content-Type"]) != 1 || len(h["Content-Disposition"]) > 0 {
		return false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == want
}
