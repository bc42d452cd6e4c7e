package review

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/deadline"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/state"
)

// Receipt shows an authority what was asked in a Case, when, what was done and
// by whom, and by which entries of the journal it can be proved. It has no
// value, no text of a mail or letter, and no address in full.
type Receipt struct {
	Case     inbox.MailID    `json:"case"`
	Mailbox  string          `json:"mailbox"`
	Received time.Time       `json:"received"`         // when the mail had arrived at the server
	Sender   string          `json:"sender,omitempty"` // a•••@e•••.org; "" once that is forgotten
	Evidence inbox.Level     `json:"evidence"`         // the best that there was
	Proof    string          `json:"proof"`            // the same in words
	State    inbox.MailState `json:"state"`
	Asked    []ReceiptAsk    `json:"asked"`
	Letters  []ReceiptLetter `json:"letters"`
	Entries  []ReceiptEntry  `json:"entries"` // of the journal, oldest first; without those that only tell of a look at the Case
	Head     string          `json:"head"`    // hash of the journal's newest entry
	HeadSeq  uint64          `json:"head_seq"`
	Made     time.Time       `json:"made"`
}

// ReceiptAsk is one thing that was asked, and what became of it.
type ReceiptAsk struct {
	Action   inbox.ActionID `json:"action"`
	Kind     inbox.Kind     `json:"kind"`
	Scope    inbox.Scope    `json:"scope,omitempty"`
	Undo     bool           `json:"undo,omitempty"`   // of a deactivate: it was to be taken back
	Fields   []inbox.Field  `json:"fields,omitempty"` // names, no values; none once that is forgotten
	State    inbox.State    `json:"state"`
	Received time.Time      `json:"received"`
	Due      time.Time      `json:"due"`
	Ended    time.Time      `json:"ended,omitzero"`

	// AcknowledgeBy is until when the law wants a first letter, and Acknowledged
	// when that was queued.
	AcknowledgeBy time.Time `json:"acknowledge_by,omitzero"`
	Acknowledged  time.Time `json:"acknowledged,omitzero"`

	Answered time.Time     `json:"answered,omitzero"` // when the last letter left that tells its end
	Deadline Verdict       `json:"deadline"`
	Done     []ReceiptStep `json:"done"` // oldest first; each is one of the entries
}

// ReceiptStep is something that was done, when and by whom.
type ReceiptStep struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
	Who  string    `json:"who"` // as in the journal; "automatically", "the person" or "a sender without proof"
}

// ReceiptLetter is a letter that was sent, or is owed.
type ReceiptLetter struct {
	Reply   inbox.ReplyID    `json:"reply"`
	Letter  string           `json:"letter"` // its name
	State   inbox.ReplyState `json:"state"`
	Created time.Time        `json:"created"`
	Sent    time.Time        `json:"sent,omitzero"`
	By      string           `json:"by"` // staff, or automatically
}

// ReceiptEntry is an entry of the journal that proves what is said.
type ReceiptEntry struct {
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
	What string    `json:"what"`
	Who  string    `json:"who"`
	Hash string    `json:"hash"`
}

// Receipt makes the receipt of a Case.
func (d *Desk) Receipt(id inbox.MailID) (r Receipt, err error) {
	err = d.State.View(func(tx *state.Tx) error { r, err = receipt(tx, id, d.Cases.Clock); return err })
	return r, err
}

func receipt(tx *state.Tx, id inbox.MailID, clock deadline.Clock) (r Receipt, err error) {
	m, err := tx.Mail(id)
	if err != nil {
		return r, err
	}
	r = Receipt{Case: id, Mailbox: m.Ref.Mailbox, Received: m.Received.UTC(), Evidence: m.Evidence, State: m.State,
		Asked: []ReceiptAsk{}, Letters: []ReceiptLetter{}, Entries: []ReceiptEntry{}, Made: tx.Now.UTC()}
	if m.Detail != nil {
		r.Sender = masked(m.Detail.From.Addr)
	}
	if err := r.addAsked(tx, clock); err != nil {
		return r, err
	}
	r.Proof = InWords(r.Evidence)
	if err := r.addLetters(tx); err != nil {
		return r, err
	}
	if err := r.addEntries(tx); err != nil {
		return r, err
	}
	r.Head, r.HeadSeq, err = tx.JournalHead()
	return r, err
}

func (r *Receipt) addAsked(tx *state.Tx, clock deadline.Clock) error {
	acts, err := tx.CaseActions(r.Case)
	if err != nil {
		return err
	}
	letters, err := tx.CaseReplies(r.Case)
	for _, a := range acts {
		if a.ForStaff() {
			continue // nobody asked for it
		}
		r.Evidence = max(r.Evidence, a.Evidence)
		r.Asked = append(r.Asked, asked(a, letters, clock, tx.Now))
	}
	return err
}

// Verdict says how an answer stands to its deadline.
type Verdict string

// The verdicts.
const (
	VerdictMet        Verdict = "met"        // answered in time
	VerdictLate       Verdict = "late"       // answered, but too late
	VerdictUnanswered Verdict = "unanswered" // ended, and nobody was written to
	VerdictStood      Verdict = "stood"      // ended without a letter while the clock stood: the person was asked, and said nothing
	VerdictStands     Verdict = "stands"     // not answered: the person is asked, and the clock stands
	VerdictOpen       Verdict = "open"       // not answered yet, and not late
	VerdictOverdue    Verdict = "overdue"    // not answered yet, and late
)

// Verdicts lists the verdicts.
func Verdicts() []Verdict {
	return []Verdict{VerdictMet, VerdictLate, VerdictUnanswered, VerdictStood, VerdictStands, VerdictOpen, VerdictOverdue}
}

func asked(a *inbox.Action, letters []*inbox.Reply, clock deadline.Clock, now time.Time) ReceiptAsk {
	v := ReceiptAsk{Action: a.ID, Kind: a.Kind, Scope: a.Scope, Undo: a.Undo, State: a.State, Fields: fieldsOf(a), Received: a.Received.UTC(), Due: a.Due.UTC(),
		Done: []ReceiptStep{}}
	if clock.Term(a.Kind).Acknowledge.N > 0 {
		v.AcknowledgeBy = clock.Date(a.Kind, deadline.Course{Received: a.Received}).Due.UTC()
		if !a.Acknowledged.IsZero() {
			v.Acknowledged = a.Acknowledged.UTC()
		}
	}
	v.Deadline, v.Answered = deadlineOf(a, letters, now)
	if !a.Ended.IsZero() {
		v.Ended = a.Ended.UTC()
	}
	return v
}

// deadlineOf tells whether the letters of its Case answered an Action before
// that was due, and when the last of them left.
func deadlineOf(a *inbox.Action, letters []*inbox.Reply, now time.Time) (Verdict, time.Time) {
	sent, owed := answers(a, letters)
	late := func(t time.Time) bool { return !a.Due.IsZero() && t.After(a.Due) }
	switch {
	case !a.State.Ended() && a.Stands:
		return VerdictStands, sent
	case (!a.State.Ended() || owed) && late(now):
		return VerdictOverdue, sent
	case !a.State.Ended() || owed:
		return VerdictOpen, sent
	case sent.IsZero() && a.Stands:
		return VerdictStood, sent
	case sent.IsZero():
		return VerdictUnanswered, sent
	case late(sent):
		return VerdictLate, sent
	}
	return VerdictMet, sent
}

// answers gives when the last letter left that tells the end of an Action, and
// whether one still waits to leave. Letters from before the end asked something.
func answers(a *inbox.Action, letters []*inbox.Reply) (sent time.Time, owed bool) {
	if !a.State.Ended() {
		return sent, false
	}
	for _, l := range letters {
		if l.Staff || !slices.Contains(l.Actions, a.ID) || l.Created.Before(a.Ended) {
			continue
		}
		if owed = owed || !l.State.Ended(); l.State == inbox.ReplySent && l.Sent.After(sent) {
			sent = l.Sent.UTC()
		}
	}
	return sent, owed
}

func (r *Receipt) addLetters(tx *state.Tx) error {
	letters, err := tx.CaseReplies(r.Case)
	for _, l := range letters {
		v := ReceiptLetter{Reply: l.ID, Letter: l.Name, State: l.State, Created: l.Created.UTC(), By: byWhom(writer(l))}
		if !l.Sent.IsZero() {
			v.Sent = l.Sent.UTC()
		}
		r.Letters = append(r.Letters, v)
	}
	return err
}

func (r *Receipt) addEntries(tx *state.Tx) error {
	seqs, err := tx.JournalOf(r.Case)
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		var l journal.Link
		if l, err = tx.JournalAt(seq); err != nil {
			return err
		}
		if looks(l.What) {
			continue
		}
		r.Entries = append(r.Entries, ReceiptEntry{Seq: l.Seq, At: l.At, What: l.What, Who: byWhom(l.Who), Hash: l.Hash})
		if i := slices.IndexFunc(r.Asked, func(a ReceiptAsk) bool { return a.Action == l.Action }); i >= 0 {
			r.Asked[i].Done = append(r.Asked[i].Done, ReceiptStep{At: l.At.UTC(), What: l.What, Who: byWhom(l.Who)})
		}
	}
	return nil
}

// byWhom says who did something, for a reader outside.
func byWhom(who string) string {
	switch who {
	case cases.Program:
		return "automatically"
	case cases.Owner:
		return "the person"
	}
	return cmp.Or(who, "nobody")
}

// masked gives an address of which only the first letters and the end are
// shown: a domain of one's own is as good as a name.
func masked(addr string) string {
	domain := address.DomainOf(addr)
	if domain == "" {
		return ""
	}
	name, end := domain, ""
	if dot := strings.LastIndexByte(domain, '.'); dot > 0 {
		name, end = domain[:dot], domain[dot:]
	}
	return hidden(strings.TrimSuffix(addr, "@"+domain)) + "@" + hidden(name) + end
}

// hidden gives the first letter of a name.
func hidden(name string) string {
	for _, first := range name {
		return string(first) + "•••"
	}
	return "•••"
}
