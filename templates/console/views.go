package console

import (
	"time"
)

// Frame is what every page shows around its own part.
type Frame struct {
	Lang   string // of the page: en, ru, kk
	Site   string // whose console it is
	Page   string // the name of the page, for the navigation
	Style  string // addresses of the stylesheet, the script and the icon
	Script string
	Icon   string
	User   User
	Paused Paused
	Said   []Said
	Body   any // what the page of that name wants: [Queue], [Case], …
}

// User is who is signed in; a zero Name is nobody.
type User struct {
	Name        string
	Role        string
	Act         bool // may act on cases
	Approve     bool // may approve what cannot be undone
	Administers bool // may manage accounts
}

// Paused is what stands still.
type Paused struct{ Effects, Replies, Restored bool }

// Any tells whether anything is paused.
func (p Paused) Any() bool { return p.Effects || p.Replies }

// Said is a message above the page: what came of an act.
type Said struct {
	Kind   string // ok | fault
	Text   string
	Since  *Event // what somebody else has done meanwhile
	Detail string // the program's own reason
	Unsent string // what was typed and not sent
}

// Option is one choice of a list.
type Option struct {
	Value, Label string
	On           bool
}

// Select is a list to choose from.
type Select struct {
	Name, Label string
	Options     []Option
}

// SignIn is the page where staff sign in.
type SignIn struct {
	Name  string
	Next  string // path of a page of ours, or ""
	Fault string
	Keep  string   // address of the form that was open when the session ended, or ""
	Kept  []Hidden // what was typed into it
}

// Kept leads back to a form that was open when the session ended.
type Kept struct {
	Form   string
	Fields []Hidden
}

// Link is the page behind a one-time link.
type Link struct {
	Token string
	Fault string
}

// Password is where one chooses a password.
type Password struct {
	Least int  // characters
	First bool // behind a one-time link: there is no old one to give
	Fault string
}

// Account is what one sets for oneself.
type Account struct {
	Languages []Option
	Password
	Sessions []Session // where they are signed in, this one first
}

// Session is where somebody is signed in.
type Session struct {
	ID            string
	Browser       string // in short; "" when it is not known
	Started, Seen time.Time
	Own           bool // this one
}

// Count is a number above the queue, which filters it.
type Count struct {
	Label string
	N     int // -1: not counted
	Href  string
	On    bool
	Tone  string // "", amber, red
}

// Row is one case that needs a person, in one sentence.
type Row struct {
	Href, Case string
	Wants      string
	State      string    // the state's name, for its colour
	Why        string    // why it needs a person
	Asked, Due time.Time // Due may be zero
	Tone       string    // of the deadline: "", amber, red, still (the clock stands, and it cannot be late)
	Evidence   string    // none, aligned, roundtrip
	To         string    // who has it in hand
	Mailbox    string
	Who        string // who wrote, and about what
	Subject    string
}

// Listing is the part of the queue that is updated while it is open.
type Listing struct {
	Handed []Row // to whoever looks; only above the whole queue
	Counts []Count
	Rows   []Row
	More   string // address of the next page, or ""
	First  string // of the first page, when this is another
}

// Queue is what needs a person now.
type Queue struct {
	Filters  []Select
	Filtered bool
	Live     string // address of the updates, or ""
	Listing
}

// Found is what a search gave.
type Found struct {
	Hits []Hit
}

// Hit is one case that a search found.
type Hit struct {
	Href, Case   string
	Who, Subject string
	State        string // of the mail
	Open         bool
	Received     time.Time
}

// Span is a piece of the person's words; Mark: it decided.
type Span struct {
	Text string
	Mark bool
}

// Case is everything of one case.
type Case struct {
	ID, Subject    string
	From, Name, To string // who wrote; where answers go
	Received       time.Time
	Mailbox        string
	Language       string
	State          string
	Words          []Span
	Forgotten      bool
	Notes          []string
	Evidence       string
	EvidenceWhy    string
	Actions        []Action
	History        []Event
	Letters        []Letter
	Held           []HeldLetter
	Raw            bool // the raw mail can be asked for
}

// HeldLetter is a letter that waits to be sent or discarded.
type HeldLetter struct {
	ID, Case, What    string
	To, Subject, Text string // "" once they are forgotten
	Why               string // it is held
	Created           time.Time
	Can               bool // this user may send or discard it
}

// Action is one request of a case and what can be done about it.
type Action struct {
	ID, Case      string
	Wants         string
	Kind, Scope   string
	State         string
	Why           string
	To, Note      string // who has it in hand, and with what words it was handed over
	Confidence    int    // per cent; -1: forgotten
	Certain       bool
	Because       []string
	Due           time.Time
	Tone          string
	Clock         string // the law that it is due by
	Stands        bool   // the clock stands still
	RunAfter      time.Time
	Expires       time.Time
	Until         time.Time // of a hold
	Steps         []Step
	Keeps         []Keep
	Attempts      int
	Acts          map[string]Offer // what can be done now, by this user; by name
	Kinds, Scopes []Option
	Fields        []FieldInput
	Colleagues    []Option
	Saved         []SavedAnswer
	Open          string // the act whose form is open
	Typed         string // what was typed into it, after a fault
	Record        string // the address on record that stood in it
	Day           string // the date that stood in it
	Tomorrow      string // YYYY-MM-DD
}

// Offer is an act that can be done.
type Offer struct {
	Can   bool
	Final string // why it cannot be taken back: the case's number must be typed
}

// Step is one line of a plan.
type Step struct {
	Op       string // set, add, clear, remove, …
	What     string // label of the field or the place
	Place    string
	Old, New string
}

// Keep is what stays although it was asked to go.
type Keep struct {
	What, Why, Until string
	Earlier          bool // only what stands there under an address that the person had before
}

// FieldInput is one field of the form that corrects a reading.
type FieldInput struct {
	Name, Label, Value string
	Add, Drop          bool
}

// Event is one line of a case's history.
type Event struct {
	At        time.Time
	Kind      string // in, out, step, staff
	What, Who string
	Why       string
	Action    string
	Text      string // of a letter
}

// Letter is a letter of ours, or one that would be sent.
type Letter struct {
	To, Subject, Text string
	Name, State       string
	Created           time.Time
}

// Preview is a letter before it is sent; Fields are sent again with the go.
type Preview struct {
	Case, Action, Act string
	Wants             string
	Letters           []Letter
	Nothing           bool // no letter goes out
	Typed             bool // the case's number must be typed
	Fields            []Hidden
}

// Hidden is a value that a form carries along.
type Hidden struct{ Name, Value string }

// Raw is a mail as the server has it.
type Raw struct {
	Case string
	Text string
	Cut  bool
}

// Entry is one line of the journal.
type Entry struct {
	Seq          uint64
	At           time.Time
	What, Who    string
	Case, Action string
	Detail       string
}

// Log is a page of the journal.
type Log struct {
	Filters   []Select
	From, To  string // YYYY-MM-DD
	Case      string
	Entries   []Entry
	More      string
	CSV, JSON string // where it is exported; "": not for this user
	Checked   *Checked
}

// Checked is what a walk over the chain found.
type Checked struct {
	Entries   int
	Dropped   int // before these, after they were kept long enough
	Forgotten int
	Head      string
	Broken    string
	Missing   bool // the head that was asked for is not in the chain
}

// Mail is one line of the list of mails.
type Mail struct {
	ID, Href string
	Received time.Time
	Mailbox  string
	State    string
	Reason   string
	Actions  []string
	Replay   bool
}

// Mails is a page of the list of mails.
type Mails struct {
	Filters []Select
	Mails   []Mail
	More    string
}

// Member is one account of staff.
type Member struct {
	Name, Role string
	Disabled   bool
	Self       bool
	Created    time.Time
	Seen       time.Time
	Roles      []Option
}

// Staff is the page of accounts.
type Staff struct {
	Members []Member
	Roles   []Option
	Link    string // just made: shown once
	For     string
}

// SavedAnswer is a text that staff use again.
type SavedAnswer struct {
	Name, Language, Text string
}

// Saved is the page of saved answers.
type Saved struct {
	Answers   []SavedAnswer
	Edits     bool // they may be changed here
	Edit      SavedAnswer
	Languages []Option
}

// Receipt shows an authority what was asked and done.
type Receipt struct {
	Site, Case        string
	Made              time.Time
	By                string
	Received          time.Time
	Sender            string
	Mailbox, Evidence string
	Items             []ReceiptItem
	Letters           []ReceiptLetter
	Entries           []ReceiptEntry
	Head              string // of the journal
	HeadSeq           uint64
}

// ReceiptItem is one request on a receipt.
type ReceiptItem struct {
	ID, Wants, State            string
	Due, Ended                  time.Time
	Answered                    time.Time // zero: by no letter
	AcknowledgeBy, Acknowledged time.Time
	Deadline                    string // a verdict: met, late, open …
	Done                        []Event
}

// ReceiptLetter is a letter on a receipt.
type ReceiptLetter struct {
	What, State, By string
	At              time.Time
}

// ReceiptEntry is an entry of the journal that proves something.
type ReceiptEntry struct {
	Seq       uint64
	At        time.Time
	What, Who string
	Hash      string
}

// Fault is a page that says why there is no other.
type Fault struct {
	Code  int
	Title string
	Text  string
	Why   string // the program's own reason
	Back  string
}
