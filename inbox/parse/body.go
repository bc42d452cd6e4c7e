package parse

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"mime"
	"strings"

	"github.com/emersion/go-message"
)

const (
	maxAttachments = 50
	maxBoundary    = 200 // bytes; RFC 2046 allows 70
	htmlFactor     = 8   // HTML may have so many bytes for each byte of text
)

// walker visits the parts of one mail and collects what they hold.
type walker struct {
	opts   Options
	faults *faults

	parts       int
	text        int // bytes of text taken so far
	hidden      bool
	attachments []string
	report      reportParts
}

// content is what the header of a part says about its body.
type content struct {
	media    string // media type, lower case
	params   map[string]string
	encoding string
	attached bool   // disposition attachment
	name     string // of the file; "": none
}

// result is the readable text of a part. Rich text comes from HTML, or from a
// multipart with something beside plain text.
type result struct {
	lines []line
	rich  bool
}

// root reads the body of the mail itself.
func (w *walker) root(h header, body []byte) []line {
	c := w.content(h, "text/plain")
	if h.noEnd && len(h.fields) == 0 && len(body) == 0 {
		return nil
	}
	return w.part(c, body, 0).lines
}

// content reads the content headers of a mail or a part.
func (w *walker) content(h header, byDefault string) content {
	media, params, ok := mediaType(h.get("Content-Type"), byDefault)
	if !ok {
		w.faults.add("a Content-Type cannot be read; it was guessed")
	}
	disp, dispParams, _ := mediaType(h.get("Content-Disposition"), "")
	return content{
		media:    media,
		params:   params,
		encoding: transferEncoding(h.get("Content-Transfer-Encoding")),
		attached: disp == "attachment",
		name:     cmp.Or(dispParams["filename"], params["name"]),
	}
}

// transferEncoding gives the first word of a Content-Transfer-Encoding, in the
// spelling that go-message knows.
func transferEncoding(v string) string {
	v = strings.ToLower(strings.Trim(word1(v), `"'`))
	switch v {
	case "7-bit", "8-bit", "7", "8", "8bits", "7bits", "utf-8", "none", "plain", "text/plain", "us-ascii":
		return ""
	}
	return v
}

// mediaType reads a Content-Type or Content-Disposition. When the strict
// parser refuses, each parameter is read by itself, and bad ones are dropped.
func mediaType(v, byDefault string) (string, map[string]string, bool) {
	v = strings.TrimSpace(v)
	if v == "" {
		return byDefault, map[string]string{}, true
	}
	var h message.Header
	h.Set("Content-Type", v)
	media, params, err := h.ContentType()
	if (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) && plainToken(media) && (byDefault == "" || strings.Contains(media, "/")) &&
		(!strings.HasPrefix(media, "multipart/") || params["boundary"] != "") {
		if params == nil {
			params = map[string]string{}
		}
		return media, params, true
	}
	items := splitParams(v)
	media = strings.ToLower(strings.TrimSpace(items[0]))
	media, _, _ = strings.Cut(media, " ")
	params = map[string]string{}
	for _, p := range items[1:] {
		key, value, ok := strings.Cut(p, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if ok && key != "" && params[key] == "" {
			params[key] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	if !plainToken(media) {
		return byDefault, params, false
	}
	switch media {
	case "text":
		media = "text/plain"
	case "html", "text/htm":
		media = "text/html"
	case "multipart":
		media = "multipart/mixed"
	}
	return media, params, true
}

func plainToken(s string) bool {
	if s == "" || len(s) > 120 {
		return false
	}
	for _, r := range s {
		if r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"[]?=`, r) {
			return false
		}
	}
	return true
}

// splitParams cuts at semicolons outside quotes.
func splitParams(v string) []string {
	var items []string
	in, start := false, 0
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '"':
			in = !in
		case v[i] == ';' && !in:
			items = append(items, v[start:i])
			start = i + 1
		}
	}
	return append(items, v[start:])
}

// part reads one part, whatever it is.
func (w *walker) part(c content, body []byte, depth int) result {
	w.parts++
	switch {
	case strings.HasPrefix(c.media, "multipart/"):
		return w.multipart(c, body, depth)
	case strings.HasPrefix(c.media, "message/") || c.media == "text/rfc822-headers":
		w.embedded(c, body)
		return result{}
	case c.attached || c.media != "text/plain" && c.media != "text/html":
		w.attach(c.kind())
		return result{}
	case c.name != "" && w.text > 0:
		w.attach(c.media)
		return result{}
	case c.media == "text/html":
		return result{w.html(c, body), true}
	}
	return result{w.plain(c, body), false}
}

// tnef is the media type of Outlook's own format (winmail.dat).
const tnef = "application/ms-tnef"

// kind gives the media type of an attachment. Many programs know TNEF only by
// its name.
func (c content) kind() string {
	name := strings.ToLower(strings.TrimSpace(decodeWords(c.name)))
	if c.media == "application/vnd.ms-tnef" || name == "winmail.dat" || name == "win.dat" {
		return tnef
	}
	return c.media
}

func (w *walker) attach(media string) {
	if len(w.attachments) < maxAttachments {
		w.attachments = append(w.attachments, media)
	}
	switch media {
	case "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted":
		w.faults.add("the mail is encrypted; its text cannot be read")
	case tnef:
		w.faults.add("part of the mail is in Outlook's own format and cannot be read")
	}
}

// multipart reads the parts of a multipart. One that names no boundary, or one
// that never occurs, is read as plain text, so that nothing is lost.
func (w *walker) multipart(c content, body []byte, depth int) result {
	boundary := c.params["boundary"]
	if boundary == "" || len(boundary) > maxBoundary {
		boundary = soughtBoundary(body)
	}
	if depth >= w.opts.MaxDepth {
		w.faults.add("parts are nested too deeply; the inner ones were left out")
		return result{}
	}
	parts, closed := w.split(body, boundary)
	if len(parts) == 0 {
		w.faults.add("a multipart has no parts; it was read as plain text")
		return result{w.plain(content{media: "text/plain", params: map[string]string{}}, body), false}
	}
	if !closed {
		w.faults.add("the last boundary is missing; what came before it was kept")
	}
	byDefault := "text/plain"
	if c.media == "multipart/digest" {
		byDefault = "message/rfc822"
	}
	var results []result
	for _, p := range parts {
		if w.parts >= w.opts.MaxParts {
			w.faults.add("the mail has too many parts; the rest was left out")
			break
		}
		h, b := splitPart(p, w.opts.MaxHeader)
		if len(h.dropped) > 0 {
			w.faults.add("the header of a part has lines that are no header lines; they were left out")
		}
		if h.cut {
			w.faults.add("the header of a part is too long; its end was left out")
		}
		before := w.text
		results = append(results, w.part(w.content(h, byDefault), b, depth+1))
		if c.media == "multipart/alternative" {
			w.text = before // only one of them is taken
		}
	}
	if c.media == "multipart/alternative" {
		r := choose(results)
		w.text += size(r.lines)
		return r
	}
	return join(results)
}

// splitPart cuts a part into header and body. A part may begin with the empty
// line that ends an empty header.
func splitPart(p []byte, limit int) (header, []byte) {
	if line, rest := cutLine(p); len(line) == 0 {
		return header{}, rest
	}
	return splitHeader(p, limit)
}

// split cuts a multipart's body at its boundary, in one pass. It stops once
// there are as many parts as the mail may have, and tells whether the closing
// boundary was seen.
func (w *walker) split(body []byte, boundary string) (parts [][]byte, closed bool) {
	delim := []byte("--" + boundary)
	start := -1
	for pos := 0; pos < len(body); {
		l, next := cutLine(body[pos:])
		end := len(body) - len(next)
		if next == nil {
			end = len(body)
		}
		if isDelim, last := delimiter(l, delim); isDelim {
			if start >= 0 {
				parts = append(parts, trimEOL(body[start:pos]))
			}
			start = end
			if last {
				return parts, true
			}
			if len(parts) > w.opts.MaxParts {
				return parts, true
			}
		}
		pos = end
	}
	if start >= 0 && start < len(body) {
		parts = append(parts, body[start:])
	}
	return parts, false
}

func delimiter(l, delim []byte) (is, last bool) {
	rest, ok := bytes.CutPrefix(l, delim)
	if !ok {
		return false, false
	}
	rest = bytes.TrimRight(rest, " \t")
	return len(rest) == 0 || bytes.Equal(rest, []byte("--")), len(rest) > 0
}

func trimEOL(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}

// soughtBoundary finds the boundary of a multipart that does not name it: the
// first line that begins with two hyphens and comes before a header.
func soughtBoundary(body []byte) string {
	for range 50 {
		l, rest := cutLine(body)
		if len(rest) == 0 {
			return ""
		}
		next, _ := cutLine(rest)
		if len(l) > 2 && len(l) <= maxBoundary && bytes.HasPrefix(l, []byte("--")) && looksLikeField(next) {
			return string(bytes.TrimRight(l[2:], " \t"))
		}
		body = rest
	}
	return ""
}

// join puts the text of parts one after the other.
func join(results []result) result {
	var r result
	for _, p := range results {
		if len(p.lines) == 0 {
			continue
		}
		if len(r.lines) > 0 {
			r.lines = append(r.lines, line{})
		}
		r.lines = append(r.lines, p.lines...)
		r.rich = r.rich || p.rich
	}
	return r
}

// choose takes one of the alternatives: plain text, unless it says nothing
// new while the rich one does.
func choose(results []result) result {
	var plain, rich result
	for _, r := range results {
		switch {
		case r.rich:
			rich = r
		case len(plain.lines) == 0:
			plain = r
		}
	}
	if len(rich.lines) > 0 && (newText(plain.lines) == "" || placeholder(plain.lines)) {
		return rich
	}
	return plain
}

// placeholder tells whether plain text only says that there is HTML.
func placeholder(lines []line) bool {
	t := strings.ToLower(render(lines))
	return len(t) < 400 && strings.Contains(t, "html") &&
		(strings.Contains(t, "support") || strings.Contains(t, "view") || strings.Contains(t, "поддерж") || strings.Contains(t, "client"))
}

// plain decodes a text/plain part into lines. Files that stand in the text are
// cut before it is, so that a large one leaves room for what follows it.
func (w *walker) plain(c content, body []byte) []line {
	if !c.encoded() {
		body = w.cutUU(body)
	}
	s := w.decode(c, body, w.room())
	if c.encoded() {
		s = string(w.cutUU([]byte(s)))
	}
	lines := plainLines(s, strings.EqualFold(c.params["format"], "flowed"), strings.EqualFold(c.params["delsp"], "yes"))
	return w.take(lines)
}

func (c content) encoded() bool { return c.encoding == "quoted-printable" || c.encoding == "base64" }

// cutUU cuts uuencoded files and notes each as an attachment.
func (w *walker) cutUU(b []byte) []byte {
	b, files := withoutUU(b, w.room())
	for range min(files, maxAttachments) {
		w.attach(uuMedia)
	}
	return b
}

// html decodes a text/html part into lines.
func (w *walker) html(c content, body []byte) []line {
	s := w.decode(c, body, w.room()*htmlFactor)
	lines, hidden := htmlLines(s, w.room())
	if hidden {
		w.hidden = true
		w.faults.add("HTML hid text from the reader; it was left out")
	}
	return w.take(lines)
}

// room says how many bytes of text may still come.
func (w *walker) room() int { return max(w.opts.MaxText-w.text, 0) }

// take counts the text of lines, and cuts what is over the limit.
func (w *walker) take(lines []line) []line {
	room := w.room()
	for i, l := range lines {
		if room -= len(l.text) + 1; room < 0 {
			w.faults.add("the text is too long; its end was left out")
			lines = lines[:i]
			break
		}
	}
	w.text += size(lines)
	return lines
}

func size(lines []line) int {
	n := 0
	for _, l := range lines {
		n += len(l.text) + 1
	}
	return n
}

// decode undoes transfer encoding and charset of a text, and reads at most
// limit bytes of it. What comes before an error is kept.
func (w *walker) decode(c content, body []byte, limit int) string {
	switch c.encoding {
	case "quoted-printable":
		body = withoutControls(body[:min(len(body), 3*limit+3)])
	case "base64":
		if !isBase64(body) {
			c.encoding = ""
			w.faults.add("a part that says that it is base64 is not; it was read as it stands")
			break
		}
		body = base64Lines(body[:min(len(body), 2*limit+4)])
	}
	var h message.Header
	h.Set("Content-Transfer-Encoding", c.encoding)
	e, err := message.New(h, bytes.NewReader(body))
	if err != nil {
		w.faults.add("a part has an unknown transfer encoding; it was read as it stands")
	}
	b, err := io.ReadAll(io.LimitReader(e.Body, int64(limit)+1))
	if err != nil {
		w.faults.add("a part is damaged; what could be read was kept")
	}
	if len(b) > limit {
		b = b[:limit]
		w.faults.add("the text is too long; its end was left out")
	}
	s, known := decodeText(b, c.params["charset"])
	if !known {
		w.faults.add("a part has an unknown charset; it was guessed")
	}
	return s
}

// withoutControls drops bytes at which the quoted-printable reader would stop.
func withoutControls(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c >= ' ' && c != 0x7F || c == '\n' || c == '\r' || c == '\t' {
			out = append(out, c)
		}
	}
	return out
}

// isBase64 tells whether the first line with something in it may be base64.
func isBase64(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	l, _ := cutLine(b)
	l = bytes.TrimRight(l, " \t")
	return !bytes.ContainsAny(l, " \t.,:!?")
}

// base64Lines keeps the lines up to the first that is not base64, such as the
// footer of a mailing list, and mends missing padding.
func base64Lines(b []byte) []byte {
	out := make([]byte, 0, len(b)+4)
	for len(b) > 0 {
		l, rest := cutLine(b)
		for _, c := range l {
			switch {
			case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/', c == '=', c == ' ', c == '\t':
			default:
				return padded(out)
			}
		}
		for _, c := range l {
			if c != ' ' && c != '\t' {
				out = append(out, c)
			}
		}
		b = rest
	}
	return padded(out)
}

func padded(b []byte) []byte {
	if i := bytes.IndexByte(b, '='); i >= 0 {
		b = b[:i]
	}
	if len(b)%4 == 1 {
		b = b[:len(b)-1]
	}
	for len(b)%4 != 0 {
		b = append(b, '=')
	}
	return b
}
