package review

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// Span is a part of a text, in bytes, that decided about an Action.
type Span struct {
	Start  int            `json:"start"`
	End    int            `json:"end"`
	Action inbox.ActionID `json:"action"`
}

// CaseView is everything of a case page.
type CaseView struct {
	Mail      MailDetail   `json:"mail"`
	Forgotten bool         `json:"forgotten,omitempty"` // the content was kept long enough
	Spans     []Span       `json:"spans,omitempty"`     // in Mail.Text, in order, none in another
	Titles    []Span       `json:"titles,omitempty"`    // the same in Mail.Subject
	Sender    string       `json:"sender"`              // the evidence in words
	Actions   []CaseAction `json:"actions"`             // in the order in which they run
	Letters   []CaseLetter `json:"letters"`             // oldest first
	History   []CaseEvent  `json:"history"`             // oldest first
}

// CaseAction is one Action of a Case.
type CaseAction struct {
	ActionDetail
	Sender string     `json:"sender"` // its evidence in words
	Steps  []StepView `json:"steps,omitempty"`
	Keeps  []KeepView `json:"keeps,omitempty"`
	Acts   []ActView  `json:"acts"`           // of staff, each possible or not
	Undo   []StepView `json:"undo,omitempty"` // what taking it back would do; only where that is possible
}

// StepView is a step of a plan with the labels of the data map.
type StepView struct {
	Op    inbox.StepOp `json:"op"`
	Place string       `json:"place"` // label
	Field string       `json:"field,omitempty"`
	Old   string       `json:"old,omitempty"`
	New   string       `json:"new,omitempty"`
}

// KeepView is something that stays, with the labels of the data map.
type KeepView struct {
	Place string `json:"place"`
	Field string `json:"field,omitempty"`
	Why   string `json:"why"`
	Until string `json:"until,omitempty"`

	Earlier bool `json:"earlier,omitempty"` // only what stands there under an address that the person had before
}

// ActView is an act that staff may want.
type ActView struct {
	Verb     cases.Verb  `json:"verb"`
	Possible bool        `json:"possible"`
	Needs    staff.Right `json:"needs"`           // of who does it
	Why      string      `json:"why,omitempty"`   // not
	Final    string      `json:"final,omitempty"` // why it cannot be taken back, so that the case number must be typed
}

// CaseLetter is a letter of a Case with its text; a letter that was forgotten
// has none.
type CaseLetter struct {
	ReplyView
	To      string           `json:"to,omitempty"`
	Subject string           `json:"subject,omitempty"`
	Text    string           `json:"text,omitempty"`
	Sent    time.Time        `json:"sent,omitzero"`
	Actions []inbox.ActionID `json:"actions,omitempty"`
}

// CaseEvent is one line of a Case's history. Source says where it is from:
// mail, letter, attempt, action or journal.
type CaseEvent struct {
	At     time.Time      `json:"at"`
	Source string         `json:"source"`
	What   string         `json:"what"`
	Who    string         `json:"who,omitempty"`
	Why    string         `json:"why,omitempty"`
	Mail   inbox.MailID   `json:"mail,omitzero"`
	Action inbox.ActionID `json:"action,omitzero"`
	Reply  inbox.ReplyID  `json:"reply,omitzero"`
}

// Case gives everything of a case page, labels and reasons in English; see
// [Desk.CaseIn].
func (d *Desk) Case(id inbox.MailID) (CaseView, error) { return d.CaseIn(id, "en") }

// CaseIn gives everything of a case page, with the labels of the data map and
// what is kept in the language of the tag.
func (d *Desk) CaseIn(id inbox.MailID, lang string) (v CaseView, err error) {
	err = d.State.View(func(tx *state.Tx) error {
		m, err := tx.Mail(id)
		if err != nil {
			return err
		}
		acts, err := tx.CaseActions(id)
		if err != nil {
			return err
		}
		letters, err := tx.CaseReplies(id)
		if err != nil {
			return err
		}
		v = CaseView{Mail: mailDetail(m, letters), Forgotten: !tx.Remembers(id), Sender: InWords(m.Evidence), Actions: []CaseAction{}, Letters: caseLetters(letters)}
		v.Spans, v.Titles = spans(v.Mail.Text, acts), spans(v.Mail.Subject, acts)
		for _, a := range acts {
			v.Actions = append(v.Actions, d.caseAction(tx, a, lang))
		}
		v.History, err = history(tx, m, acts, letters)
		return err
	})
	return v, err
}

// InWords says what is known about who sent a mail.
func InWords(l inbox.Level) string {
	switch l {
	case inbox.LevelAligned:
		return "the domain of the sender's address vouched for the mail"
	case inbox.LevelRoundtrip:
		return "the sender's mailbox answered a letter that only it could read"
	}
	return "nobody vouched for the sender's address: it is a claim"
}

func mailDetail(m *inbox.Mail, letters []*inbox.Reply) MailDetail {
	v := MailDetail{MailView: mailView(m), Language: m.Language, Evidence: m.Evidence, Replies: replyViews(letters)}
	if det := m.Detail; det != nil {
		v.From, v.Name, v.Subject, v.Text, v.Why, v.Notes = det.From.Addr, det.From.Name, det.Subject, det.Text, det.EvidenceWhy, det.Notes
	}
	return v
}

func caseLetters(letters []*inbox.Reply) []CaseLetter {
	out := make([]CaseLetter, len(letters))
	for i, r := range letters {
		out[i] = CaseLetter{ReplyView: replyView(r), Sent: r.Sent, Actions: r.Actions}
		if r.Detail != nil {
			l := letterView(r)
			out[i].To, out[i].Subject, out[i].Text = l.To, l.Subject, l.Text
		}
	}
	return out
}

func (d *Desk) caseAction(tx *state.Tx, a *inbox.Action, lang string) CaseAction {
	v := CaseAction{ActionDetail: d.actionDetail(tx, a), Sender: InWords(a.Evidence)}
	fields := d.Cases.Data()
	plan := fields.Localize(v.Plan, lang)
	v.Steps = d.steps(plan.Steps, lang)
	for _, k := range plan.Keeps {
		v.Keeps = append(v.Keeps, KeepView{Place: fields.PlaceLabel(k.Place, lang), Field: d.label(k.Place, k.Field, lang), Why: k.Why, Until: k.Until, Earlier: k.Earlier})
	}
	for _, verb := range cases.Verbs() {
		act := ActView{Verb: verb, Possible: true, Needs: needs(a, verb, a.Protected), Final: cases.Final(a, verb)}
		if err := d.Cases.Possible(tx, a, verb); err != nil {
			act.Possible, act.Why = false, err.Error()
		}
		v.Acts = append(v.Acts, act)
		if verb == cases.Undo && act.Possible {
			v.Undo = d.undoSteps(a, lang)
		}
	}
	return v
}

func (d *Desk) steps(steps []inbox.Step, lang string) (out []StepView) {
	for _, s := range steps {
		out = append(out, StepView{Op: s.Op, Place: d.Cases.Data().PlaceLabel(s.Place, lang), Field: d.label(s.Place, s.Field, lang), Old: s.Old, New: s.New})
	}
	return out
}

// label gives the label of a field, "" of a place as a whole.
func (d *Desk) label(place string, f inbox.Field, lang string) string {
	if f == "" {
		return ""
	}
	return d.Cases.Data().ColumnLabel(place, f, lang)
}

// undoSteps shows what taking an Action back would do: its steps backwards.
func (d *Desk) undoSteps(a *inbox.Action, lang string) []StepView {
	out := d.steps(a.Detail.Plan.Steps, lang)
	for i, s := range out {
		out[i].Old, out[i].New = s.New, s.Old
		switch s.Op {
		case inbox.StepAdd:
			out[i].Op = inbox.StepSet
		case inbox.StepDeactivate:
			out[i].Op = inbox.StepReactivate
		case inbox.StepReactivate:
			out[i].Op = inbox.StepDeactivate
		}
	}
	return out
}

// spans finds the words that decided about Actions in a text. Where Actions
// were decided by the same words the first has them.
func spans(text string, acts []*inbox.Action) []Span {
	var out []Span
	for _, a := range acts {
		if a.Detail == nil {
			continue
		}
		for _, words := range a.Detail.Request.Because {
			if s, ok := find(text, words, out); ok {
				out = append(out, Span{Start: s.Start, End: s.End, Action: a.ID})
			}
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	return out
}

// find looks for words in a text where nothing is taken yet; any blanks between
// them are the same.
func find(text, words string, taken []Span) (Span, bool) {
	parts := strings.Fields(words)
	if len(parts) == 0 {
		return Span{}, false
	}
	for from := 0; from < len(text); {
		i := strings.Index(text[from:], parts[0])
		if i < 0 {
			break
		}
		s := Span{Start: from + i}
		if s.End = match(text, s.Start, parts); s.End > 0 && !slices.ContainsFunc(taken, func(t Span) bool { return s.Start < t.End && t.Start < s.End }) {
			return s, true
		}
		_, size := utf8.DecodeRuneInString(text[s.Start:])
		from = s.Start + size
	}
	return Span{}, false
}

// match gives where the words end that begin at a place, 0 when they do not
// stand there.
func match(text string, at int, parts []string) int {
	for i, p := range parts {
		if i > 0 {
			rest := strings.TrimLeftFunc(text[at:], unicode.IsSpace)
			if len(rest) == len(text)-at {
				return 0
			}
			at = len(text) - len(rest)
		}
		if !strings.HasPrefix(text[at:], p) {
			return 0
		}
		at += len(p)
	}
	return at
}

// history merges what happened in a Case.
func history(tx *state.Tx, m *inbox.Mail, acts []*inbox.Action, letters []*inbox.Reply) ([]CaseEvent, error) {
	out, err := mailsIn(tx, m, acts)
	if err != nil {
		return nil, err
	}
	for _, a := range acts {
		for _, h := range a.History {
			out = append(out, CaseEvent{At: h.At.UTC(), Source: "action", What: h.What, Who: h.Who, Why: h.Why, Action: a.ID})
		}
	}
	for _, r := range letters {
		out = append(out, CaseEvent{At: r.Created.UTC(), Source: "letter", What: r.Name, Who: writer(r), Reply: r.ID})
		for _, t := range r.Attempts {
			out = append(out, CaseEvent{At: t.At.UTC(), Source: "attempt", What: t.Result, Reply: r.ID})
		}
	}
	notes, err := notesOf(tx, m.ID)
	if err != nil {
		return nil, err
	}
	out = append(out, notes...)
	slices.SortStableFunc(out, func(a, b CaseEvent) int { return a.At.Compare(b.At) })
	return out, nil
}

func writer(r *inbox.Reply) string {
	if r.ByStaff {
		return "staff"
	}
	return cases.Program
}

// maxRelated is how many mails of the same people are looked at for those that
// belong to a Case.
const maxRelated = 200

// mailsIn lists the mail of a Case, and those of its people that are about one
// of its Actions.
func mailsIn(tx *state.Tx, m *inbox.Mail, acts []*inbox.Action) ([]CaseEvent, error) {
	related := []inbox.MailID{m.ID}
	for _, a := range acts {
		if a.Detail != nil && a.Detail.Address != "" {
			related = append(related, tx.Tied(state.TieAddress, a.Detail.Address)...)
		}
		if a.Detail != nil && a.Detail.Person != "" {
			related = append(related, tx.Tied(state.TiePerson, a.Detail.Person)...)
		}
	}
	if m.Detail != nil && m.Detail.From.Addr != "" {
		related = append(related, tx.Tied(state.TieAddress, m.Detail.From.Addr)...)
	}
	slices.Sort(related)
	related = slices.Compact(related)
	var out []CaseEvent
	for i, id := range related {
		if id != m.ID && i < len(related)-maxRelated {
			continue
		}
		x, err := tx.Mail(id)
		if err != nil {
			return nil, err
		}
		about := func(a *inbox.Action) bool { return slices.Contains(x.Actions, a.ID) }
		if id == m.ID || slices.ContainsFunc(acts, about) {
			out = append(out, CaseEvent{At: x.Received.UTC(), Source: "mail", What: string(x.State), Why: x.Reason, Mail: id})
		}
	}
	return out, nil
}

// told are the entries of the journal that stand in no other record of a Case.
var told = []string{"staff told", "forgotten", "replay", "reply released", "reply dropped", "reply void", "reply bounced", "mail expunged", "mail not expunged"}

// notesOf lists what only the journal tells of a Case.
func notesOf(tx *state.Tx, id inbox.MailID) ([]CaseEvent, error) {
	seqs, err := tx.JournalOf(id)
	if err != nil {
		return nil, err
	}
	var out []CaseEvent
	for _, seq := range seqs {
		l, err := tx.JournalAt(seq)
		if err != nil {
			return nil, err
		}
		if slices.Contains(told, l.What) || strings.HasPrefix(l.What, denied) {
			out = append(out, noteOf(l))
		}
	}
	return out, nil
}

func noteOf(l journal.Link) CaseEvent {
	return CaseEvent{At: l.At.UTC(), Source: "journal", What: l.What, Who: l.Who, Mail: l.Case, Action: l.Action}
}
