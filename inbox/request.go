package inbox

// Kind is what a Request asks for.
type Kind string

// The seven kinds.
const (
	KindChange     Kind = "change"
	KindDelete     Kind = "delete"
	KindDeactivate Kind = "deactivate"
	KindCopy       Kind = "copy"
	KindDescribe   Kind = "describe"
	KindWithdraw   Kind = "withdraw"
	KindQuestion   Kind = "question"
)

// Kinds lists every kind in the order in which the Actions of one Case run:
// what only reads comes before what changes, and what destroys comes last.
func Kinds() []Kind {
	return []Kind{KindQuestion, KindCopy, KindDescribe, KindChange, KindWithdraw, KindDeactivate, KindDelete}
}

// Order gives the kind's place in [Kinds], or -1 for a word that is none.
func (k Kind) Order() int {
	for i, x := range Kinds() {
		if x == k {
			return i
		}
	}
	return -1
}

// Scope is what a delete is about.
type Scope string

// The scopes of a delete; other kinds have none.
const (
	ScopeAccount Scope = "account"
	ScopeFields  Scope = "fields"
)

// Field names one thing that is stored about a person. Beside those below it
// may be any name that the operator's data map has.
type Field string

// The fields that every site is expected to know.
const (
	FieldFullName    Field = "full_name"
	FieldGivenName   Field = "given_name"
	FieldFamilyName  Field = "family_name"
	FieldNickname    Field = "nickname"
	FieldEmail       Field = "email"
	FieldGender      Field = "gender"
	FieldBirth       Field = "date_of_birth"
	FieldNationality Field = "nationality"
	FieldLocation    Field = "location"
	FieldAbout       Field = "about"
	FieldPhone       Field = "phone"
	FieldAddress     Field = "address"
	FieldOccupation  Field = "occupation"
)

// Fields lists the known fields in the order in which people are shown them.
func Fields() []Field {
	return []Field{FieldFullName, FieldGivenName, FieldFamilyName, FieldNickname, FieldEmail, FieldPhone,
		FieldBirth, FieldGender, FieldNationality, FieldLocation, FieldAddress, FieldOccupation, FieldAbout}
}

// Op says how a change treats what a field holds.
type Op string

// The operations of a change. Removing a value is a delete of scope fields.
const (
	OpSet Op = "set" // replace
	OpAdd Op = "add" // append
)

// Change is one value that a person wants stored.
type Change struct {
	Field Field  `json:"field"`
	Op    Op     `json:"op"`
	Value string `json:"value"`
}

// Topic tells apart questions: those that the program can answer by itself, and
// the tasks that it sets staff.
type Topic string

// The topics of a question; "" is everything that a person must answer.
const (
	TopicStatus     Topic = "status"     // what about my request?
	TopicReactivate Topic = "reactivate" // undo the deactivation of my account
	TopicTell       Topic = "tell"       // for staff: recipients outside the site must be told what was done
)

// Request is one thing that a Message asks.
type Request struct {
	Kind       Kind     `json:"kind"`
	Scope      Scope    `json:"scope,omitempty"`
	Fields     []Field  `json:"fields,omitempty"`  // of a delete of scope fields
	Changes    []Change `json:"changes,omitempty"` // of a change
	Topic      Topic    `json:"topic,omitempty"`   // of a question
	Confidence float64  `json:"confidence"`        // 0 to 1
	Certain    bool     `json:"certain"`           // false: shown to staff as a suggestion, never run by itself
	Because    []string `json:"because"`           // the very words that decided
}

// Answer is what a reply to a confirmation says.
type Answer string

// The answers; no also means stop, cancel, leave it.
const (
	AnswerNone Answer = ""
	AnswerYes  Answer = "yes"
	AnswerNo   Answer = "no"
)

// Agreed is what a yes says in its own words to agree to: "yes, delete it", "yes,
// the new number is right". A mere yes names nothing.
type Agreed struct {
	Kinds    []Kind
	Fields   []Field
	Scopes   []Scope // of what is to be deleted; none where it is but "it"
	Both     bool    // it is of just two things: "yes, both"
	Unneeded bool    // what it is of is no longer needed, which tells an end: "yes, I no longer need it"
}

// Stop is what a mail says against something that its sender asked for before
// and can still stop.
type Stop int

// What a mail may say, each plainer than the one before.
const (
	StopNone   Stop = iota
	StopMaybe       // words that may mean it
	StopAll         // stop, cancel: whatever waits
	StopDelete      // do not delete, keep my account
)

// Reading is what was understood of a Message. Requests are in the order
// written. Answer and Requests may both be set: a yes beside an independent
// request. A yes with a condition is no Answer, but a question.
type Reading struct {
	Language string // BCP 47 of the new text, or "und"
	Answer   Answer
	Agreed   Agreed // what a yes names; it is one only to a question about just that
	Partial  bool   // the answer picks some of several items ("only 2"): for staff
	Stop     Stop   // StopNone, too, where there is nothing that it could stop
	Requests []Request
}
