package inbox

import (
	"errors"
	"log/slog"
)

// Error is a failure with what its different readers need. Err is the private
// reason, for logs and staff; Public is the sentence that the person who
// wrote may read, and Hint tells the operator what to do.
type Error struct {
	Err    error
	Public string
	Hint   string
	Temp   bool // trying again later may help
}

// Error gives the private reason and the hint; the public sentence is not in it.
func (e *Error) Error() string {
	if e.Hint != "" {
		return e.Err.Error() + " (" + e.Hint + ")"
	}
	return e.Err.Error()
}

// Unwrap gives the private reason.
func (e *Error) Unwrap() error { return e.Err }

// Temporary tells whether trying again later may help.
func (e *Error) Temporary() bool { return e.Temp }

// Temporary wraps err as one that trying again later may mend.
func Temporary(err error) error { return &Error{Err: err, Temp: true} }

// IsTemporary tells whether any error in err's tree says that it is temporary.
func IsTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// PublicText gives the sentence of err's tree that the person may read, or "".
func PublicText(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Public
	}
	return ""
}

// MovedError says that the address on record is no longer the one that
// confirmed an Action; nothing was done.
type MovedError struct{}

// Error says so, and names no address.
func (e *MovedError) Error() string {
	return "the address on record is no longer the one that confirmed it"
}

// ProtectedError says that only staff act upon an account, and that they have
// not approved an Action for it; nothing was done.
type ProtectedError struct{}

// Error says so.
func (e *ProtectedError) Error() string { return "the account is protected: only staff act upon it" }

// StaleError says that an Action's plan is no longer the one that was
// confirmed, because the data changed since; nothing was done.
type StaleError struct {
	Plan Plan // what would be done now
}

// Error says so, and names no value.
func (e *StaleError) Error() string { return "the data changed since they were shown" }

// ErrNotDone says that no attempt has carried an Action out that was asked
// about; see Job.Ask.
var ErrNotDone = errors.New("no attempt has carried it out")

// InDoubtError is a failure after which an Action may have been carried out
// all the same, or a part of it.
type InDoubtError struct{ Err error }

// Error gives the text of what it wraps.
func (e *InDoubtError) Error() string { return e.Err.Error() }

// Unwrap gives what it wraps.
func (e *InDoubtError) Unwrap() error { return e.Err }

// InDoubt tells whether an Action that failed with err may have been carried
// out. A temporary failure always leaves that open: the answer may be lost.
func InDoubt(err error) bool {
	var doubt *InDoubtError
	return IsTemporary(err) || errors.As(err, &doubt)
}

// UntoldError says that an Action was carried out, and that the rest of the site
// has not heard of it yet. It is temporary: only the telling is tried again.
type UntoldError struct{ Err error }

// Error gives the text of what it wraps.
func (e *UntoldError) Error() string { return e.Err.Error() }

// Unwrap gives what it wraps.
func (e *UntoldError) Unwrap() error { return e.Err }

// Temporary implements IsTemporary.
func (e *UntoldError) Temporary() bool { return true }

// Redacted is personal text that must not reach a log: slog prints a mark in
// its place.
type Redacted string

// LogValue hides the text.
func (Redacted) LogValue() slog.Value { return slog.StringValue("[personal]") }
