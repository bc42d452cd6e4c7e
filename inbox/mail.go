package inbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Ref names a mail on its server. It is the identity of a Raw: flags,
// sequence numbers and the sender's Message-ID are not.
type Ref struct {
	Mailbox     string // the configured name of the mailbox
	Folder      string // the IMAP folder that the UID belongs to
	UIDValidity uint32
	UID         uint32
}

// String gives mailbox, folder, UIDVALIDITY and UID, for logs.
func (r Ref) String() string {
	return fmt.Sprintf("%s %s %d/%d", r.Mailbox, r.Folder, r.UIDValidity, r.UID)
}

// Raw is a mail as the server has it.
type Raw struct {
	Ref      Ref
	Received time.Time // INTERNALDATE; the moment of the fetch when the server has none
	Size     int64     // octets, as the server says (RFC822.SIZE)
	Junk     bool      // found in the junk folder: read, never answered
	Bytes    []byte    // nil when Size is over the limit, so that the mail was not fetched
}

// Digest identifies the content of a mail, apart from the headers that each
// server on its way adds: From, To, Date, Message-ID and body.
type Digest [32]byte

// Address is one mailbox of a header. Addr is canonical (package address);
// Name is the display name, without control characters.
type Address struct {
	Name string `json:"name,omitempty"`
	Addr string `json:"addr"`
}

// Message is a Raw made readable. It always exists, however broken the mail:
// Faults says what could not be read.
type Message struct {
	// From is the only author. It is zero when the mail has none, several or
	// one that cannot be trusted to be what a person would see; FromFault
	// then says which, in words for staff.
	From      Address
	FromFault string

	To, Cc     []Address
	Subject    string    // decoded, one line, secrets masked
	Date       time.Time // the Date header; zero when it is missing or unreadable
	ID         string    // Message-ID without the angle brackets; "" when it has none
	InReplyTo  []string  // Message-IDs without the angle brackets
	References []string  // the same
	Answers    bool      // it was sent to an address that only a letter of ours names
	Header     Header    // the headers that screening reads

	Text   string // the new text: no quoted history, no signature, LF line ends, secrets masked
	Whole  string // all readable text, history included; bounded, secrets masked
	Digest Digest
	Form   Digest // of what its body is read by: Subject, Content-Type, Content-Transfer-Encoding, Content-Disposition

	Hidden      bool     // HTML hid text from the reader; it is part of neither Text nor Whole
	Attachments []string // media types of the attachments; their content is never kept
	Report      *Report  // the report that this mail is (RFC 3464, 8098, 5965), or nil
	Faults      []string // what was repaired, cut or unreadable, in words for staff
}

// Header maps canonical header names (textproto.CanonicalMIMEHeaderKey) to
// their decoded values, topmost first.
type Header map[string][]string

// Get gives the topmost value of a header, or "".
func (h Header) Get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Report is what a machine tells about a mail that was sent earlier.
type Report struct {
	Type      string   // delivery-status | disposition-notification | feedback-report
	Failed    bool     // delivery failed for good (Action: failed)
	Originals []string // Message-IDs of the mail that it is about, without angle brackets
	Recipient string   // Final-Recipient's address, when it is given
	Detail    string   // the status line, for staff; one line
}

// Class says why a mail must not be answered automatically; "" means that it may.
type Class string

// The classes of screened mail.
const (
	ClassNone      Class = ""
	ClassAutoReply Class = "auto-reply"
	ClassBounce    Class = "bounce"
	ClassList      Class = "list"
	ClassLoop      Class = "loop"
	ClassBulk      Class = "bulk"
	ClassSpam      Class = "spam"
	ClassNoSender  Class = "no-sender"
	ClassOversize  Class = "oversize"
	ClassMalformed Class = "malformed"
)

// Level orders what is known about who sent a mail.
type Level int

// The levels of proof, weakest first.
const (
	// LevelNone: the From line is a claim and nothing more.
	LevelNone Level = iota
	// LevelAligned: the From domain vouches for the mail (DMARC alignment).
	LevelAligned
	// LevelRoundtrip: the mailbox answered a mail that only it could read.
	LevelRoundtrip
)

var levelNames = [...]string{"none", "aligned", "roundtrip"}

// String gives the level's name.
func (l Level) String() string {
	if l < 0 || int(l) >= len(levelNames) {
		return "Level(" + strconv.Itoa(int(l)) + ")"
	}
	return levelNames[l]
}

// MarshalText gives the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a level's name.
func (l *Level) UnmarshalText(b []byte) error {
	for i, n := range levelNames {
		if n == string(b) {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("unknown level of evidence %q", b)
}

// Evidence is a finding about who sent a mail, with the reason in words that
// staff read.
type Evidence struct {
	Level Level  `json:"level"`
	Why   string `json:"why"`

	// Denied says more than that nobody vouches for the mail: our own server
	// found that it is not from the address in its From. No token makes up for
	// that; whoever has one may have it from somebody else.
	Denied bool `json:"denied,omitempty"`
}

// MailState is how a Mail ended.
type MailState string

// The end states of a Mail.
const (
	MailActed       MailState = "acted"       // its requests are carried out, or will be without asking
	MailAsked       MailState = "asked"       // a confirmation went out
	MailAnswered    MailState = "answered"    // a reply was enough
	MailHeld        MailState = "held"        // a person must look at it
	MailIgnored     MailState = "ignored"     // screened, a duplicate, from before the first run, or an answer without proof to nothing
	MailQuarantined MailState = "quarantined" // it could not be processed
	MailDeferred    MailState = "deferred"    // DNS or the user store did not answer, or it was not read for what came with it; tried again
)

// MailStates lists every state.
func MailStates() []MailState {
	return []MailState{MailActed, MailAsked, MailAnswered, MailHeld, MailIgnored, MailQuarantined, MailDeferred}
}

// End says how a Case ended. How long what it holds stays readable depends on it.
type End string

// The ends of a Case with Actions: of several the first in this order counts.
const (
	EndDone      End = "done"
	EndRefused   End = "refused"
	EndCancelled End = "cancelled"
	EndExpired   End = "expired"
)

// The ends of a Mail without Actions.
const (
	EndAnswered    End = "answered"
	EndHeld        End = "held"
	EndIgnored     End = "ignored"
	EndQuarantined End = "quarantined"
)

// Ends lists every End.
func Ends() []End {
	return []End{EndDone, EndRefused, EndCancelled, EndExpired, EndAnswered, EndHeld, EndIgnored, EndQuarantined}
}

// MailID names a Mail and the Case that came of it: M-000456.
type MailID uint64

// String gives the written form of the ID, with at least six digits.
func (id MailID) String() string { return fmt.Sprintf("M-%06d", uint64(id)) }

// MarshalText gives the written form of the ID.
func (id MailID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the written form of the ID.
func (id *MailID) UnmarshalText(b []byte) error {
	n, err := parseID("M", string(b))
	*id = MailID(n)
	return err
}

// ParseMailID reads M-000456, with or without leading zeros.
func ParseMailID(s string) (MailID, error) {
	n, err := parseID("M", s)
	return MailID(n), err
}

func parseID(letter, s string) (uint64, error) {
	rest, ok := strings.CutPrefix(strings.ToUpper(s), letter+"-")
	n, err := strconv.ParseUint(rest, 10, 64)
	if !ok || err != nil || n == 0 {
		return 0, fmt.Errorf("%q is not an ID of the form %s-000123", s, letter)
	}
	return n, nil
}

// Mail is the record that accounts for a Raw.
type Mail struct {
	ID       MailID     `json:"id"`
	Ref      Ref        `json:"ref"`
	Where    Ref        `json:"where,omitzero"` // where it was filed, when the server told
	Received time.Time  `json:"received"`
	State    MailState  `json:"state"`
	Reason   string     `json:"reason,omitempty"` // in words for staff; never personal
	Class    Class      `json:"class,omitempty"`
	Language string     `json:"language,omitempty"` // BCP 47, or "und"
	Evidence Level      `json:"evidence"`
	Digest   Digest     `json:"digest"`
	Actions  []ActionID `json:"actions,omitempty"`
	Again    bool       `json:"again,omitempty"` // an old mail that was sent again with something changed
	Junk     bool       `json:"junk,omitempty"`  // found in the junk folder
	Tries    int        `json:"tries,omitempty"` // how often it was deferred
	Retry    time.Time  `json:"retry,omitzero"`  // deferred: when to try again
	Ended    time.Time  `json:"ended,omitzero"`  // when the Case had nothing open any more; starts retention

	End       End       `json:"end,omitempty"`      // how the Case ended; "" until then
	Forgotten time.Time `json:"forgotten,omitzero"` // when the key of the Case was dropped

	// Detail is sealed under the Mail's key, and nil once that was dropped.
	Detail *MailDetail `json:"-"`
}

// MailDetail is the part of a Mail that is personal.
type MailDetail struct {
	From        Address  `json:"from"`
	Subject     string   `json:"subject"`
	Text        string   `json:"text"`
	MessageID   string   `json:"message_id,omitempty"`
	References  []string `json:"references,omitempty"`
	EvidenceWhy string   `json:"evidence_why,omitempty"`
	Person      string   `json:"person,omitempty"` // user store id; "" when nothing is held
	Notes       []string `json:"notes,omitempty"`  // for staff: faults, hidden text, attachments
}
