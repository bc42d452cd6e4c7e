package mailtest

import (
	"bytes"
	"strings"
)

// Border says in what the server that takes the site's mail differs from one
// that adds its Authentication-Results to every mail and changes nothing else.
type Border struct {
	// Strips removes Authentication-Results of Options.AuthservID that a mail
	// brings along (RFC 8601 section 5).
	Strips bool
	// Silent writes no Authentication-Results on mail that somebody logged in
	// to send, as many submission servers do.
	Silent bool
	// Deaf writes none on mail that comes by SMTP without a login: from outside.
	Deaf bool
	// NoDetail takes mail to user+detail and loses it.
	NoDetail bool
	// Rewrites changes a mail that somebody logged in to send, trace headers not
	// included; nil: it stays as it is.
	Rewrites func(raw []byte) []byte
	// Refuses gives what SMTP answers to the final dot of a mail in place of
	// taking it; nil, or a nil answer: the mail is taken.
	Refuses func(Delivery) *Refusal
	// Loses tells by the envelope which mail is taken by SMTP and never
	// delivered; nil: none is.
	Loses func(Delivery) bool
}

// SetBorder changes how mail is treated from now on.
func (w *World) SetBorder(b Border) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opts.Border = b
}

func (w *World) border() Border {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opts.Border
}

// delivers tells whether a mail that SMTP has taken reaches its mailbox.
func (b Border) delivers(d Delivery) bool {
	return !(b.NoDetail && withoutDetail(d.To) != d.To) && (b.Loses == nil || !b.Loses(d))
}

// refuses gives the answer to a mail that is not taken, or nil.
func (b Border) refuses(d Delivery) *Refusal {
	if b.Refuses == nil {
		return nil
	}
	return b.Refuses(d)
}

// passes gives a mail as the server passes it on.
func (b Border) passes(d Delivery) []byte {
	if b.Rewrites == nil || d.User == "" {
		return d.Bytes
	}
	return b.Rewrites(d.Bytes)
}

// writes tells whether a mail that SMTP has taken gets Authentication-Results.
func (b Border) writes(d Delivery) bool {
	if d.User == "" {
		return !b.Deaf
	}
	return !b.Silent
}

// stripped gives the mail without its Authentication-Results of that id.
func stripped(raw []byte, id string) []byte {
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	var kept []byte
	drop := false
	for line := range bytes.Lines(append(bytes.Clone(head), "\r\n"...)) {
		if line[0] != ' ' && line[0] != '\t' {
			name, value, _ := strings.Cut(string(line), ":")
			claimed, _, _ := strings.Cut(strings.TrimSpace(value), ";")
			drop = strings.EqualFold(name, "Authentication-Results") && strings.EqualFold(strings.TrimSpace(claimed), id)
		}
		if !drop {
			kept = append(kept, line...)
		}
	}
	return append(append(kept, "\r\n"...), body...)
}
