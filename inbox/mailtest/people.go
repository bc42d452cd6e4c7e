package mailtest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
)

// MailOption is a trait of a mail that a person sends.
type MailOption func(*draft)

// draft is a mail before it is written.
type draft struct {
	date       time.Time
	inReplyTo  []string
	references []string
	html       *string
	quote      *Delivery
	aligned    *bool
	envelope   *string
	headers    [][2]string
}

func newDraft(opts []MailOption) *draft {
	d := &draft{date: time.Now()}
	for _, o := range opts {
		o(d)
	}
	return d
}

// InReplyTo names d in In-Reply-To, and in References behind what d itself
// refers to.
func InReplyTo(d Delivery) MailOption {
	return func(m *draft) {
		if id := d.MessageID(); id != "" {
			m.inReplyTo = []string{id}
		}
		References(d)(m)
	}
}

// References names d, behind what d itself refers to, in References only.
func References(d Delivery) MailOption {
	return func(m *draft) {
		refs, err := d.header().MsgIDList("References")
		if err != nil {
			refs = nil // an unreadable thread begins anew
		}
		if id := d.MessageID(); id != "" {
			refs = append(refs, id)
		}
		m.references = refs
	}
}

// Aligned makes the border report dmarc=pass or, when false, dmarc=none.
func Aligned(pass bool) MailOption { return func(m *draft) { m.aligned = &pass } }

// HTML adds an HTML alternative; when body is "" it is made from the text.
func HTML(body string) MailOption { return func(m *draft) { m.html = &body } }

// Header sets a header, in place of one that the mail would have otherwise; an
// empty value takes it away.
func Header(name, value string) MailOption {
	return func(m *draft) { m.headers = append(m.headers, [2]string{name, value}) }
}

// Quote appends the text of d below an attribution line, as Gmail does it.
func Quote(d Delivery) MailOption { return func(m *draft) { m.quote = &d } }

// Envelope sets the envelope's sender, "" being the null sender; otherwise it
// is the address of the From header.
func Envelope(from string) MailOption { return func(m *draft) { m.envelope = &from } }

// SentAt sets the time at which the mail is written and arrives; default now.
func SentAt(t time.Time) MailOption { return func(m *draft) { m.date = t } }

// Send writes a mail the way a person's mail program does, delivers it to the
// mailbox of to, and gives it as it was sent. From may have a display name.
// It panics when nobody has the mailbox or from is no address: the script of
// the test is wrong.
func (w *World) Send(from, to, subject, text string, opts ...MailOption) []byte {
	raw, err := Compose(from, to, subject, text, opts...)
	if err == nil {
		err = w.Deliver(to, raw, opts...)
	}
	if err != nil {
		panic(fmt.Sprintf("mailtest: sending a mail: %v", err))
	}
	return raw
}

// Reply answers a mail of ours the way a mail program does: to its Reply-To or
// From, with Re:, In-Reply-To, References and the quoted original.
func (w *World) Reply(d Delivery, from, text string, opts ...MailOption) []byte {
	subject := d.Subject()
	if !strings.HasPrefix(strings.ToLower(subject), "re:") {
		subject = "Re: " + subject
	}
	opts = slices.Concat([]MailOption{InReplyTo(d), Quote(d)}, opts)
	return w.Send(from, replyAddress(d), subject, text, opts...)
}

func replyAddress(d Delivery) string {
	if to, err := d.header().AddressList("Reply-To"); err == nil && len(to) > 0 {
		return to[0].Address
	}
	if a := author(d.header()); a != "" {
		return a
	}
	return d.From
}

// Compose writes a mail as Send does, and delivers nothing.
func Compose(from, to, subject, text string, opts ...MailOption) ([]byte, error) {
	m := newDraft(opts)
	author, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("reading the sender: %w", err)
	}
	h := m.header(author, to, subject)
	plain, rich := m.bodies(text)
	var b bytes.Buffer
	if m.html == nil {
		err = writeText(&b, h, plain)
	} else {
		err = writeAlternatives(&b, h, plain, rich)
	}
	if err != nil {
		return nil, fmt.Errorf("writing a mail: %w", err)
	}
	return b.Bytes(), nil
}

// header sets the fields from the last to the first, because each goes on top.
func (m *draft) header(author *mail.Address, to, subject string) mail.Header {
	var h mail.Header
	if len(m.references) > 0 {
		h.SetMsgIDList("References", m.references)
	}
	if len(m.inReplyTo) > 0 {
		h.SetMsgIDList("In-Reply-To", m.inReplyTo)
	}
	domain := author.Address[strings.LastIndexByte(author.Address, '@')+1:]
	h.SetMessageID(token() + "@mail." + domain)
	h.SetDate(m.date)
	h.SetSubject(subject)
	h.SetAddressList("To", []*mail.Address{{Address: to}})
	h.SetAddressList("From", []*mail.Address{author})
	for _, kv := range m.headers {
		h.Del(kv[0])
		if kv[1] != "" {
			h.Set(kv[0], kv[1])
		}
	}
	return h
}

// token gives a random word for IDs.
func token() string { return strings.ToLower(rand.Text()) }

// bodies gives the text and the HTML of the mail, quote included.
func (m *draft) bodies(text string) (plain, rich string) {
	plain = text
	if m.html != nil {
		if rich = *m.html; rich == "" {
			rich = `<div dir="ltr">` + asHTML(text) + "</div>"
		}
	}
	if m.quote == nil {
		return plain, rich
	}
	who := m.quote.Header("From")
	line := fmt.Sprintf("On %s %s wrote:", m.quote.At.Format("Mon, Jan 2, 2006 at 3:04\u202fPM"), who)
	quoted := strings.TrimRight(m.quote.Text(), "\n")
	plain += "\n\n" + line + "\n\n> " + strings.ReplaceAll(quoted, "\n", "\n> ") + "\n"
	rich += `<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">` + asHTML(line) +
		`<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">` +
		asHTML(quoted) + "</blockquote></div>"
	return plain, rich
}

func asHTML(text string) string {
	return strings.ReplaceAll(html.EscapeString(text), "\n", "<br>\r\n")
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

func writeText(b io.Writer, h mail.Header, text string) error {
	if !h.Has("Content-Type") {
		h.SetContentType("text/plain", map[string]string{"charset": "UTF-8"})
	}
	if !h.Has("Content-Transfer-Encoding") {
		h.Set("Content-Transfer-Encoding", "quoted-printable")
	}
	w, err := mail.CreateSingleInlineWriter(b, h)
	if err != nil {
		return err
	}
	return writeAll(w, crlf(text))
}

func writeAlternatives(b io.Writer, h mail.Header, text, rich string) error {
	w, err := mail.CreateInlineWriter(b, h)
	if err != nil {
		return err
	}
	for _, part := range []struct{ kind, text string }{{"text/plain", text}, {"text/html", rich}} {
		var ph mail.InlineHeader
		ph.SetContentType(part.kind, map[string]string{"charset": "UTF-8"})
		ph.Set("Content-Transfer-Encoding", "quoted-printable")
		p, err := w.CreatePart(ph)
		if err != nil {
			return err
		}
		if err := writeAll(p, crlf(part.text)); err != nil {
			return err
		}
	}
	return w.Close()
}

func writeAll(w io.WriteCloser, s string) error {
	if _, err := io.WriteString(w, s); err != nil {
		return err
	}
	return w.Close()
}
