package outbox

import (
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"push.guru/supportd/inbox"
)

// Outcome is what became of a mail, as far as anybody can know.
type Outcome int

// The outcomes of one try.
const (
	// Sent: the server took the mail over.
	Sent Outcome = iota + 1
	// Temporary: the server does not have the mail; a later try may succeed.
	Temporary
	// Permanent: the server does not have the mail and will not take it.
	Permanent
	// Unknown: the connection was lost after the final dot had begun to leave.
	// The server may have the mail.
	Unknown
)

// String gives the outcome as [inbox.Attempt] records it.
func (o Outcome) String() string {
	switch o {
	case Sent:
		return "sent"
	case Temporary:
		return "temporary"
	case Permanent:
		return "permanent"
	case Unknown:
		return "unknown"
	}
	return "Outcome(" + strconv.Itoa(int(o)) + ")"
}

// Result is what came of one try to send a mail.
type Result struct {
	Outcome  Outcome
	Code     int    // the server's reply code; 0 when it gave none
	Enhanced string // the enhanced status code (RFC 3463), or ""
	Busy     bool   // the server takes no mail at the moment, whatever it is
	// Err is nil when the mail was sent. It holds no address and no word of
	// what the server said about one. An *AuthError or a *TLSError in it means
	// that no mail can be sent until the operator acts.
	Err error
}

// AuthError says that the server does not let us in.
type AuthError struct {
	Server string
	Err    error
	Hint   string
}

// Error gives the server, the cause and what to do.
func (e *AuthError) Error() string {
	return fmt.Sprintf("authenticating with %s: %v (%s)", e.Server, e.Err, e.Hint)
}

// Unwrap gives the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// Temporary is always true: the mail itself is not to blame.
func (e *AuthError) Temporary() bool { return true }

// TLSError says that no protected connection came about.
type TLSError struct {
	Server string
	Err    error
	Hint   string
}

// Error gives the server, the cause and what to do.
func (e *TLSError) Error() string {
	return fmt.Sprintf("protecting the connection to %s: %v (%s)", e.Server, e.Err, e.Hint)
}

// Unwrap gives the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// Temporary is always true: the mail itself is not to blame.
func (e *TLSError) Temporary() bool { return true }

// ErrTakesNone says that a server answers and takes no mail at present: its
// disk is full, for example. Only a mail that it takes proves otherwise.
var ErrTakesNone = errors.New("the server takes no mail")

// OfServer tells whether the Result says something about the server, and what:
// nil when it does its work, whatever it says about this mail. That it puts one
// mail off, as with a full mailbox or a greylisted sender, says nothing.
func (r Result) OfServer() (said bool, err error) {
	var auth *AuthError
	var protect *TLSError
	switch {
	case r.Outcome == Sent:
		return true, nil
	case errors.As(r.Err, &auth), errors.As(r.Err, &protect), r.Code == 421:
		return true, r.Err
	case r.Outcome == Permanent:
		return r.Code != 0, nil // 0: it was never asked
	case r.Code == 0, r.Code/100 == 5:
		return true, r.Err
	case strings.HasPrefix(r.Enhanced, "4.3.") && r.Enhanced != "4.3.0": // RFC 3463: the mail system's own status; .0 may be anything
		return true, fmt.Errorf("%w: %w", ErrTakesNone, r.Err)
	}
	return false, nil
}

// failure makes a Result of an error in an exchange. Only the numbers of the
// server's answer are kept: its words may quote the person's address.
func failure(doing string, err error) Result {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return Result{Outcome: Temporary, Err: inbox.Temporary(fmt.Errorf("%s: %w", doing, hideLine(err)))}
	}
	res := Result{Outcome: Permanent, Code: reply.Code, Enhanced: enhancedCode(reply)}
	res.Err = fmt.Errorf("%s: the server answered %s", doing, strings.TrimSpace(strconv.Itoa(reply.Code)+" "+res.Enhanced))
	if reply.Code/100 != 5 {
		res.Outcome, res.Err = Temporary, inbox.Temporary(res.Err)
	}
	res.Busy = reply.Code == 421
	return res
}

// connectFailure makes a Result of an error of connect, which has its own
// words and is never the mail's fault.
func connectFailure(err error) Result {
	res := Result{Outcome: Temporary, Busy: true, Err: err}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		res.Code, res.Enhanced = reply.Code, enhancedCode(reply)
	}
	return res
}

// hideLine hides a line of the server that was no SMTP reply at all.
func hideLine(err error) error {
	var p textproto.ProtocolError
	if errors.As(err, &p) {
		return errors.New("the server's answer is not SMTP")
	}
	return err
}

// enhancedCode reads the class.subject.detail that the answer begins with.
func enhancedCode(e *textproto.Error) string {
	word, _, _ := strings.Cut(e.Msg, " ")
	word, _, _ = strings.Cut(word, "\n")
	parts := strings.Split(word, ".")
	if len(parts) != 3 || parts[0] != strconv.Itoa(e.Code/100) {
		return ""
	}
	for _, p := range parts {
		if _, err := strconv.ParseUint(p, 10, 10); err != nil {
			return ""
		}
	}
	return word
}

// serverWords keeps what a server says about itself or about our login, as
// one short line. Words with an @ are left out: they are somebody's address.
func serverWords(err error) error {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return hideLine(err)
	}
	words := strings.Fields(headerText(reply.Msg))
	for i, w := range words {
		if strings.Contains(w, "@") {
			words[i] = "[address]"
		}
	}
	return &textproto.Error{Code: reply.Code, Msg: strings.Join(words, " ")}
}
