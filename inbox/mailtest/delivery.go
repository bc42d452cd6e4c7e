package mailtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
)

// Delivery is a mail that the SMTP server accepted for one recipient.
type Delivery struct {
	From, To string // the envelope's bare addresses; From is "" for the null sender
	Bytes    []byte // as they came, without trace headers
	At       time.Time
	User     string // who had logged in to send it; "": nobody
}

// Header gives the topmost value of a header, decoded, or "".
func (d Delivery) Header(name string) string {
	v, err := d.header().Text(name)
	if err != nil {
		return d.header().Get(name)
	}
	return v
}

// Subject gives the decoded subject.
func (d Delivery) Subject() string { return d.Header("Subject") }

// MessageID gives the Message-ID without angle brackets, or "".
func (d Delivery) MessageID() string {
	return strings.Trim(strings.TrimSpace(d.Header("Message-Id")), "<>")
}

// Text gives the decoded text of the first text/plain part, with LF line ends.
func (d Delivery) Text() string {
	r, err := mail.CreateReader(bytes.NewReader(d.Bytes))
	if r == nil {
		return fmt.Sprintf("(unreadable: %v)", err)
	}
	for {
		p, err := r.NextPart()
		if p == nil || err != nil && !message.IsUnknownCharset(err) {
			return ""
		}
		h, ok := p.Header.(*mail.InlineHeader)
		if !ok {
			continue
		}
		if t, _, err := h.ContentType(); err == nil && t != "text/plain" {
			continue
		}
		b, err := io.ReadAll(p.Body)
		if err != nil {
			return ""
		}
		return strings.ReplaceAll(string(b), "\r\n", "\n")
	}
}

func (d Delivery) header() *mail.Header { return headerOf(d.Bytes) }

// headerOf reads a mail's header; an unreadable one is empty.
func headerOf(raw []byte) *mail.Header {
	e, err := message.Read(bytes.NewReader(raw))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return &mail.Header{}
	}
	return &mail.Header{Header: e.Header}
}

// author gives the only address of the From header, or "".
func author(h *mail.Header) string {
	from, err := h.AddressList("From")
	if err != nil || len(from) != 1 {
		return ""
	}
	return from[0].Address
}

// Sent lists what SMTP accepted, in order.
func (w *World) Sent() []Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Delivery(nil), w.sent...)
}

// WaitSent waits until SMTP has accepted n mails and gives them all.
func (w *World) WaitSent(ctx context.Context, n int) ([]Delivery, error) {
	for {
		w.mu.Lock()
		sent, more := append([]Delivery(nil), w.sent...), w.accepted
		w.mu.Unlock()
		if len(sent) >= n {
			return sent, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return sent, fmt.Errorf("waiting for %d mails, %d came: %w", n, len(sent), ctx.Err())
		}
	}
}

// take accepts a mail: it is put into the recipient's mailbox, when there is
// one, and on record.
func (w *World) take(d Delivery) {
	w.mu.Lock()
	hook := w.onFinalDot
	w.mu.Unlock()
	if hook != nil {
		hook(d)
	}
	from := author(d.header())
	ours := d.User != "" && from != "" && key(from) == key(d.User)
	if b := w.border(); b.delivers(d) {
		w.put(d.To, b.passes(d), passage{from: d.From, at: d.At, verdict: verdictOf((w.opts.Aligned || ours) && b.writes(d), b.writes(d))})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, d)
	close(w.accepted)
	w.accepted = make(chan struct{})
}

func (w *World) tell(mails []Delivery) {
	w.mu.Lock()
	hook := w.onSent
	w.mu.Unlock()
	if hook == nil {
		return
	}
	for _, d := range mails {
		hook(d)
	}
}

// ErrNoMailbox says that nobody has the mailbox that a mail is for.
var ErrNoMailbox = errors.New("no such mailbox")

// Deliver puts a mail into the INBOX of the user to, as if it came from the
// internet: with Return-Path, Received and, when Options.Aligned or the option
// Aligned say so, Authentication-Results of the trusted id. Line ends become
// CR LF when the mail has no CR LF at all; otherwise its bytes stay as they
// are. It returns ErrNoMailbox when there is no such user.
func (w *World) Deliver(to string, raw []byte, opts ...MailOption) error {
	d := newDraft(opts)
	if !bytes.Contains(raw, []byte("\r\n")) {
		raw = bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
	}
	p := passage{from: author(headerOf(raw)), at: d.date, verdict: verdictOf(w.opts.Aligned, w.opts.Aligned)}
	if d.aligned != nil {
		p.verdict = verdictOf(*d.aligned, true)
	}
	if d.envelope != nil {
		p.from = *d.envelope
	}
	if !w.put(to, raw, p) {
		return fmt.Errorf("delivering to %s: %w", to, ErrNoMailbox)
	}
	return nil
}

// passage is how a mail came through the border.
type passage struct {
	from    string // envelope sender
	at      time.Time
	verdict string // DMARC's, or "" for no Authentication-Results
}

func verdictOf(pass, known bool) string {
	switch {
	case pass:
		return "pass"
	case known:
		return "none"
	}
	return ""
}

// put stores the mail with its trace headers; false when nobody has the mailbox.
func (w *World) put(to string, raw []byte, p passage) bool {
	brought := raw
	if w.border().Strips {
		brought = stripped(raw, w.opts.AuthservID)
	}
	whole := append(w.trace(to, raw, p), brought...)
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	u := w.store.find(to)
	if u == nil {
		return false
	}
	u.folder(inboxName).add(whole, p.at, nil)
	return true
}

// trace gives the headers that the border puts on top, lowest last.
func (w *World) trace(to string, raw []byte, p passage) []byte {
	domain := p.from[strings.LastIndexByte(p.from, '@')+1:]
	if domain == "" {
		domain = "unknown.test"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\n", p.from)
	fmt.Fprintf(&b, "Received: from mail.%s (mail.%s [192.0.2.25])\r\n\tby %s with ESMTPS id %s\r\n\tfor <%s>; %s\r\n",
		domain, domain, w.opts.AuthservID, token()[:12], to, p.at.Format(time.RFC1123Z))
	if p.verdict != "" {
		from := author(headerOf(raw))
		fmt.Fprintf(&b, "Authentication-Results: %s;\r\n\tdmarc=%s header.from=%s\r\n",
			w.opts.AuthservID, p.verdict, from[strings.LastIndexByte(from, '@')+1:])
	}
	return b.Bytes()
}

// Attachments lists the file names of the mail's attachments.
func (d Delivery) Attachments() []string {
	var names []string
	d.eachAttachment(func(name string, _ io.Reader) bool { names = append(names, name); return true })
	return names
}

// Attachment gives the content of the attachment of that file name; nil when
// there is none.
func (d Delivery) Attachment(name string) (content []byte) {
	d.eachAttachment(func(n string, r io.Reader) bool {
		if n == name {
			content, _ = io.ReadAll(r) // what cannot be decoded is not there
		}
		return n != name
	})
	return content
}

// eachAttachment calls f for the attachments until it returns false.
func (d Delivery) eachAttachment(f func(name string, content io.Reader) bool) {
	r, err := mail.CreateReader(bytes.NewReader(d.Bytes))
	if err != nil {
		return
	}
	for {
		p, err := r.NextPart()
		if err != nil {
			return
		}
		h, ok := p.Header.(*mail.AttachmentHeader)
		if !ok {
			continue
		}
		if name, err := h.Filename(); err == nil && !f(name, p.Body) {
			return
		}
	}
}

// Bounce writes the report (RFC 3464) by which host says that a mail of ours
// could not be delivered; status is such as "550 5.1.1 no such user".
func Bounce(d Delivery, host, status string) []byte {
	_, rest, _ := strings.Cut(status, " ")
	enhanced, _, _ := strings.Cut(rest, " ")
	header, _, _ := bytes.Cut(d.Bytes, []byte("\r\n\r\n"))
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@%s>\r\nTo: %s\r\nSubject: Undelivered Mail Returned to Sender\r\n", host, d.From)
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s@%s>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n", time.Now().Format(time.RFC1123Z), token(), host)
	b.WriteString("Content-Type: multipart/report; report-type=delivery-status; boundary=\"part\"\r\n\r\n")
	fmt.Fprintf(&b, "--part\r\nContent-Type: text/plain\r\n\r\nYour message to <%s> could not be delivered: %s\r\n\r\n", d.To, status)
	fmt.Fprintf(&b, "--part\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; %s\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: %s\r\nDiagnostic-Code: smtp; %s\r\n\r\n",
		host, d.To, enhanced, status)
	fmt.Fprintf(&b, "--part\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n\r\n--part--\r\n", header)
	return b.Bytes()
}
