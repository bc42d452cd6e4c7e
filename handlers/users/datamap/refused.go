package datamap

import (
	"fmt"

	"push.guru/supportd/inbox"
)

// Reason says why something that a person asked cannot be done. The letters
// put it into words.
type Reason string

// The reasons.
const (
	ReasonSame         Reason = "same"          // it is so already; nothing to do
	ReasonUnknownField Reason = "unknown-field" // the site stores no such thing
	ReasonBadEmail     Reason = "bad-email"     // not a plain e-mail address
	ReasonBadDate      Reason = "bad-date"      // not a date that exists
	ReasonFutureDate   Reason = "future-date"   // a date of birth that is still to come
	ReasonTooLong      Reason = "too-long"      // longer than the field can hold
	ReasonNotAllowed   Reason = "not-allowed"   // the field takes one of a few values, and this is none of them
	ReasonInvalid      Reason = "invalid"       // empty, or with characters that no value has
	ReasonSingle       Reason = "single"        // the field holds one value; another cannot be added
	ReasonParts        Reason = "parts"         // the field is stored in parts, one word each, and there are more words or fewer
	ReasonNeeded       Reason = "needed"        // it cannot be removed without deleting the account
	ReasonTaken        Reason = "taken"         // somebody else's; only the store can tell
	ReasonNames        Reason = "names"         // given and family name are stored apart, and nobody can tell which is which
	ReasonGuest        Reason = "guest"         // there is no account, only rows with the address
	ReasonNoDeactivate Reason = "no-deactivate" // the site cannot deactivate accounts
	ReasonNoWithdraw   Reason = "no-withdraw"   // the site has nowhere to record an objection
	ReasonKept         Reason = "kept"          // all of it has to be kept; nothing would be deleted
)

// Reasons lists every reason, for whoever must have words for each.
func Reasons() []Reason {
	return []Reason{ReasonSame, ReasonUnknownField, ReasonBadEmail, ReasonBadDate, ReasonFutureDate,
		ReasonTooLong, ReasonNotAllowed, ReasonInvalid, ReasonSingle, ReasonParts, ReasonNeeded, ReasonTaken,
		ReasonNames, ReasonGuest, ReasonNoDeactivate, ReasonNoWithdraw, ReasonKept}
}

// sentences say each reason to staff.
var sentences = map[Reason]string{
	ReasonSame:         "it is so already",
	ReasonUnknownField: "the site stores no such thing",
	ReasonBadEmail:     "it is no plain e-mail address",
	ReasonBadDate:      "there is no such date",
	ReasonFutureDate:   "the date is still to come",
	ReasonTooLong:      "it is longer than the field can hold",
	ReasonNotAllowed:   "the field takes one of a few values, and this is none of them",
	ReasonInvalid:      "the field cannot hold it",
	ReasonSingle:       "the field holds one value, and another cannot be added",
	ReasonParts:        "the field is stored in parts, one word each, and there are more words or fewer",
	ReasonNeeded:       "it cannot be removed without deleting the account",
	ReasonTaken:        "it is somebody else's already",
	ReasonNames:        "given and family name are stored apart, and it is not clear which is which",
	ReasonGuest:        "there is no account, only rows with the address",
	ReasonNoDeactivate: "the site cannot deactivate accounts",
	ReasonNoWithdraw:   "the site has nowhere to record an objection",
	ReasonKept:         "all of it has to be kept",
}

// Sentence says the reason to staff, in English.
func (r Reason) Sentence() string {
	if s := sentences[r]; s != "" {
		return s
	}
	return string(r)
}

// RefusedError says that a request cannot be carried out as it is worded. It
// is permanent, and names no value.
type RefusedError struct {
	Reason Reason
	Field  inbox.Field // "" when it is about no single field
}

// Error gives the field, if there is one, and the reason.
func (e *RefusedError) Error() string {
	if e.Field == "" {
		return "refused: " + e.Reason.Sentence()
	}
	return fmt.Sprintf("refused: %s: %s", e.Field, e.Reason.Sentence())
}

// Refuse makes the error that Plan gives: an *inbox.Error around a
// *RefusedError.
func Refuse(r Reason, f inbox.Field) error {
	return &inbox.Error{Err: &RefusedError{Reason: r, Field: f}}
}
