package mailbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"

	"push.guru/supportd/inbox"
)

// ErrDead says that the session lost its connection earlier. It is temporary:
// connect again.
var ErrDead = inbox.Temporary(errors.New("the IMAP session has ended; connect again"))

// ErrNoUIDPlus says that the server has no UIDPLUS, without which single
// mails cannot be expunged.
var ErrNoUIDPlus = errors.New("the IMAP server has no UIDPLUS: mail cannot be expunged one by one")

// ErrFolder says that a method wants a folder that is not the selected one,
// or that the folder's UIDVALIDITY is no longer the one that was given.
var ErrFolder = errors.New("this folder, with this UIDVALIDITY, is not the selected one; select it and list it again")

// errTooMuch ends a connection whose server sends more than it was asked for.
var errTooMuch = errors.New("the server sends much more than it was asked for; check the server, or policy.max_message_bytes")

// AuthError says that the server refused the login. It is temporary only when
// the server says so.
type AuthError struct{ Err error }

// Error gives the server's answer.
func (e *AuthError) Error() string { return "IMAP login refused: " + e.Err.Error() }

// Unwrap gives the server's answer.
func (e *AuthError) Unwrap() error { return e.Err }

// TLSError says that no protected connection came about: the certificate is
// not good, or the server does not speak TLS. It is an [inbox.Error] within,
// whose Hint says what to do.
type TLSError struct{ Err error }

// Error gives the cause.
func (e *TLSError) Error() string { return "IMAP TLS failed: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// ProtocolError says that the server wrote something that is not IMAP, or not
// as the client library knows it; the connection is lost. It is temporary.
type ProtocolError struct{ Err error }

// Error gives the cause.
func (e *ProtocolError) Error() string { return "IMAP protocol error: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

// Temporary tells that a new connection may get further.
func (e *ProtocolError) Temporary() bool { return true }

// PoisonError names the one mail that was asked for when fetching failed:
// the connection was lost or the server had no content for it. Once may be
// chance; the caller counts.
type PoisonError struct {
	UID uint32
	Err error
}

// Error gives the UID and the failure.
func (e *PoisonError) Error() string { return fmt.Sprintf("fetching UID %d alone: %v", e.UID, e.Err) }

// Unwrap gives the failure.
func (e *PoisonError) Unwrap() error { return e.Err }

// BatchError names the mails that were asked for together when the connection
// was lost. One of them may be the reason: on the next session they are best
// fetched one a call, so that a [PoisonError] can name it.
type BatchError struct {
	UIDs []uint32
	Err  error
}

// Error gives the number of mails and the failure.
func (e *BatchError) Error() string {
	return fmt.Sprintf("fetching %d mails together: %v", len(e.UIDs), e.Err)
}

// Unwrap gives the failure.
func (e *BatchError) Unwrap() error { return e.Err }

// refusal is a command's NO or BAD. The connection lives on.
type refusal struct {
	status, code, text string
}

func (r *refusal) Error() string {
	s := "the server says " + r.status
	if r.code != "" {
		s += " [" + r.code + "]"
	}
	if r.text != "" {
		s += " " + r.text
	}
	return s
}

// Temporary follows the response code (RFC 5530). A NO without one may be
// anything, so that trying again is right; a BAD is a fault of ours.
func (r *refusal) Temporary() bool {
	switch r.code {
	case "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "OVERQUOTA":
		return true
	case "NONEXISTENT", "NOPERM", "CANNOT", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED",
		"CONTACTADMIN", "TRYCREATE", "CLIENTBUG":
		return false
	}
	return r.status == string(imap.StatusResponseTypeNo)
}

// refused gives err's NO or BAD, cleaned for logs, or nil.
func refused(err error) *refusal {
	var ie *imap.Error
	if !errors.As(err, &ie) || ie.Type != imap.StatusResponseTypeNo && ie.Type != imap.StatusResponseTypeBad {
		return nil
	}
	return &refusal{string(ie.Type), harmless(string(ie.Code)), harmless(ie.Text)}
}

// isRefusal tells whether err is a server's NO or BAD.
func isRefusal(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

// Refused tells whether err is a server's NO or BAD to a command: the session
// lives on.
func Refused(err error) bool { return isRefusal(err) }

// harmless makes a server's text fit for a log: one short line of printable
// ASCII, with a mark in place of every word that may be an address.
func harmless(s string) string {
	const longest = 200
	if len(s) > longest {
		s = s[:longest]
	}
	words := strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	for i, w := range words {
		if strings.Contains(w, "@") {
			words[i] = "[address]"
		}
	}
	return strings.Join(words, " ")
}

// unquoted drops what the library quotes in its errors: on a stream that went
// out of step it may be any part of a mail.
func unquoted(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	first, last := strings.IndexByte(s, '"'), strings.LastIndexByte(s, '"')
	switch {
	case first < 0:
		return s
	case first == last: // not closed on this line
		return s[:first] + "…"
	}
	return s[:first] + "…" + s[last+1:]
}

// loginError makes an AuthError of a refusal and leaves everything else as it is.
func loginError(err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	hint := "check username and password; some providers want a password made for this program, or xoauth2"
	if r.Temporary() && r.code != "" {
		hint = "the server asks to come again later"
	}
	// A NO without a code is what old servers say to a wrong password.
	return &AuthError{&inbox.Error{Err: r, Hint: hint, Temp: r.code != "" && r.Temporary()}}
}

// unreachable wraps the failure to connect.
func unreachable(srv Server, err error) error {
	return &inbox.Error{
		Err:  fmt.Errorf("IMAP server %s unreachable: %w", srv.Addr(), err),
		Hint: "check that the server runs, its name and port, and the firewall",
		Temp: true,
	}
}

// tlsError wraps a failed handshake with what the operator can do about it.
func tlsError(srv Server, err error) error {
	return &TLSError{&inbox.Error{Err: fmt.Errorf("server %s: %w", srv.Addr(), err), Hint: tlsHint(err)}}
}

func tlsHint(err error) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		return "the certificate's issuer is not known here: name it in ca_file"
	case errors.As(err, &name):
		return "the certificate is for another name: use the name that it is for"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet: renew it, and check this machine's clock"
	case errors.As(err, &invalid):
		return "the certificate is not valid for this use"
	case errors.As(err, &record):
		return "the server does not speak TLS on this port: imaps:// is port 993, imap:// (STARTTLS) is port 143"
	}
	return "check the server's TLS settings"
}
