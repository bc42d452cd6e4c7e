package inbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// StepOp is what a Step does to its place.
type StepOp string

// The operations of a Step.
const (
	StepSet        StepOp = "set"        // a field gets a new value
	StepAdd        StepOp = "add"        // a value is appended to what the field holds
	StepClear      StepOp = "clear"      // a field's value is removed
	StepRemove     StepOp = "remove"     // everything the place holds about the person goes
	StepBlank      StepOp = "blank"      // a column's values are replaced by what New says: null, hash, invalid, or = and a fixed text
	StepReaddress  StepOp = "readdress"  // the place's rows that hold the person's address get the new one, which another step sets
	StepDeactivate StepOp = "deactivate" // the account is hidden and cannot be used
	StepReactivate StepOp = "reactivate" // that is undone
	StepWithdraw   StepOp = "withdraw"   // the objection is recorded
	StepSend       StepOp = "send"       // the data are sent to the person
	StepDescribe   StepOp = "describe"   // what is held is listed to the person
)

// Step is one thing that an Action does to one place.
type Step struct {
	Place string `json:"place"` // as the data map names it
	Field Field  `json:"field,omitempty"`
	Op    StepOp `json:"op"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"` // the whole value that the field will hold
}

// Keep is something that an Action leaves in place although it was asked to go.
type Keep struct {
	Place string `json:"place"`
	Field Field  `json:"field,omitempty"` // "": the place as a whole
	Why   string `json:"why"`
	Until string `json:"until,omitempty"`

	// Earlier: not what is found now, but what stands there under an address
	// that the person had before, or, of a change of the address, has until then.
	Earlier bool `json:"earlier,omitempty"`
}

// Plan is what an Action will do. The person is shown it before they confirm,
// and what runs is what was shown.
type Plan struct {
	Steps []Step `json:"steps"`
	Keeps []Keep `json:"keeps,omitempty"`
}

// Digest binds a confirmation to the plan. For a change it covers field, old
// and new value; for everything else the person and the set of places and
// rules, not what they hold at the moment.
func (p Plan) Digest(person string, kind Kind) string {
	h := sha256.New()
	// %q keeps the texts apart, also where they are no UTF-8; and a list that
	// is empty is the one that was not there, because storage makes them so.
	fmt.Fprintf(h, "%q %q\n", person, kind)
	for _, s := range p.Steps {
		switch s.Op {
		case StepSet, StepAdd:
		case StepBlank:
			s.Old = ""
		default:
			s.Old, s.New = "", ""
		}
		fmt.Fprintf(h, "step %q %q %q %q %q\n", s.Place, s.Field, s.Op, s.Old, s.New)
	}
	for _, k := range p.Keeps {
		fmt.Fprintf(h, "keep %q %q %q\n", k.Place, k.Why, k.Until)
		if k.Field != "" {
			fmt.Fprintf(h, "only %q\n", k.Field)
		}
		if k.Earlier {
			fmt.Fprintln(h, "earlier")
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Job is an Action handed over to be carried out, or to be asked about.
type Job struct {
	EffectKey string // <instance>-<epoch>-<Action ID>; idempotence hangs on it
	Kind      Kind
	Scope     Scope
	Undo      bool // of a deactivate: reactivate
	Person    string
	Address   string // on record when it was confirmed; canonical
	Request   Request
	Digest    string // of the Plan that was confirmed
	Language  string
	Past      []PastCase // of a copy or a describe: earlier cases that the state still holds
	Approved  bool       // by staff: done also to an account that only they act upon; else [ProtectedError]
	Ask       bool       // carry nothing out, only tell what an earlier attempt did; [ErrNotDone] when none did

	// Attach keeps a ZIP that a letter to the person will carry; several are
	// parts of one copy, in order, a letter each. The bytes are kept when it
	// returns.
	Attach func(zip []byte) error

	// Took tells of a delete of fields that is repeated whether it took that
	// very value from the field; where another one stands, it is left alone.
	// nil: whatever a field holds is taken.
	Took func(f Field, value string) bool

	// Had tells of a delete of an account that is repeated whether an address
	// was the one on record: the rest is looked for by it where the person is not
	// there any more. nil: it is not.
	Had func(address string) bool
}

// Remains is what the user store still holds, or holds again, of what a Job
// took away.
type Remains struct {
	Left    []Step // of the plan; none: nothing is there
	Gone    bool   // the person's own record is not there
	Guest   string // of whom rows were found by what Job.Had told: who they are without an account; "" otherwise
	Address string // on record now; "" when nothing is there
	Key     string // effect key under which the rest can be taken away; the store does not know it yet
	Digest  string // of the plan that does it

	// LeftAlone are the fields that hold another value than the one that was
	// taken away. They are in neither Left nor the plan.
	LeftAlone []Field
}

// PastCase is one earlier case with support, as the person may read it.
type PastCase struct {
	Case     MailID    `json:"case"`
	Received time.Time `json:"received"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`
	Asked    []string  `json:"asked,omitempty"` // kind and state of each Action; none of a mail that asked for nothing
}

// Outcome is what came of a Job.
type Outcome struct {
	Plan     Plan      // what was done: the receipt
	Holdings []Holding // of a describe
}

// File is an attachment of a Reply.
type File struct {
	Name  string
	Type  string // media type
	Bytes []byte
}

// Holding describes one place where something about the person is stored.
type Holding struct {
	Place      string   `json:"place"`
	Label      string   `json:"label"`
	Fields     []string `json:"fields"` // labels of what is held there; only what holds a value
	Count      int      `json:"count"`  // records
	Purpose    string   `json:"purpose"`
	Retention  string   `json:"retention"`
	Recipients string   `json:"recipients"`
}
