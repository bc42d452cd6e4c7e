package inbox

import (
	"fmt"
	"time"
)

// ReplyID names a Reply: R-000789.
type ReplyID uint64

// String gives the written form of the ID, with at least six digits.
func (id ReplyID) String() string { return fmt.Sprintf("R-%06d", uint64(id)) }

// ParseReplyID reads R-000789, with or without leading zeros.
func ParseReplyID(s string) (ReplyID, error) {
	n, err := parseID("R", s)
	return ReplyID(n), err
}

// MarshalText gives the written form of the ID.
func (id ReplyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the written form of the ID.
func (id *ReplyID) UnmarshalText(b []byte) error {
	n, err := parseID("R", string(b))
	*id = ReplyID(n)
	return err
}

// ReplyState is where a Reply stands.
type ReplyState string

// The states of a Reply.
const (
	ReplyHeld    ReplyState = "held"    // over a cap, or the mode wants staff to release it
	ReplyDue     ReplyState = "due"     // to be sent at Next
	ReplySending ReplyState = "sending" // claimed; after a crash it is due again
	ReplyUnknown ReplyState = "unknown" // the connection was lost after the final dot: nobody can know; tried once more, late
	ReplySent    ReplyState = "sent"
	ReplyBounced ReplyState = "bounced" // sent, and a failure report came back
	ReplyFailed  ReplyState = "failed"  // given up; staff were told
	ReplyVoid    ReplyState = "void"    // no longer true when its turn came, or discarded by staff
)

// Ended tells whether nothing more will happen to the Reply by itself.
func (s ReplyState) Ended() bool {
	switch s {
	case ReplySent, ReplyBounced, ReplyFailed, ReplyVoid:
		return true
	}
	return false
}

// Reply is a mail that we owe somebody.
type Reply struct {
	ID       ReplyID    `json:"id"`
	Case     MailID     `json:"case,omitempty"` // 0: a notice to staff about no case
	Name     string     `json:"name"`           // the letter's template
	Mailbox  string     `json:"mailbox"`
	State    ReplyState `json:"state"`
	Created  time.Time  `json:"created"`
	Next     time.Time  `json:"next"`
	Sent     time.Time  `json:"sent,omitzero"`
	Attempts []Attempt  `json:"attempts,omitempty"`
	Actions  []ActionID `json:"actions,omitempty"`  // whose end or question it tells
	Staff    bool       `json:"staff,omitempty"`    // goes to [staff] notify
	ByStaff  bool       `json:"by_staff,omitempty"` // staff's own words: no automatic mail
	Error    string     `json:"error,omitempty"`

	// Detail is sealed under the key of the Case, and nil once that was dropped.
	Detail *ReplyDetail `json:"-"`
}

// Attempt is one try to send a Reply.
type Attempt struct {
	At     time.Time `json:"at"`
	Result string    `json:"result"` // sent | temporary | permanent | unknown
	Code   int       `json:"code,omitempty"`
}

// ReplyDetail is the part of a Reply that is personal.
type ReplyDetail struct {
	MessageID  string   `json:"message_id"` // without angle brackets; stable from the moment it is queued
	From       Address  `json:"from"`
	ReplyTo    string   `json:"reply_to,omitempty"` // where an answer arrives, if not at From
	To         string   `json:"to"`
	Subject    string   `json:"subject"`
	InReplyTo  string   `json:"in_reply_to,omitempty"`
	References []string `json:"references,omitempty"`
	Text       string   `json:"text"`
	HTML       string   `json:"html,omitempty"`
	Files      []string `json:"files,omitempty"` // names of the sealed files beside the state
	Part       int      `json:"part,omitempty"`  // of a copy in several letters: which one, from 1
}
