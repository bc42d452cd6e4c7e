package review

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// Cursor is where a paged list goes on: opaque text that says nothing of
// anybody. "" is the beginning, and as Next the end.
type Cursor string

// ErrCursor says that a Cursor is none that a list has given.
var ErrCursor = errors.New("that is no place in the list: begin anew")

func cursorOf(key string) Cursor { return Cursor(base64.RawURLEncoding.EncodeToString([]byte(key))) }

// key reads a cursor whose key has n bytes; "" is the beginning.
func (c Cursor) key(n int) (string, error) {
	if c == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil || len(b) != n {
		return "", ErrCursor
	}
	return string(b), nil
}

func cursorAt(n uint64) Cursor { return cursorOf(string(binary.BigEndian.AppendUint64(nil, n))) }

func (c Cursor) number() (uint64, error) {
	key, err := c.key(8)
	if err != nil || key == "" {
		return 0, err
	}
	return binary.BigEndian.Uint64([]byte(key)), nil
}

// maxPage is the most lines of a page.
const maxPage = 500

// pageOf gives how many lines a page has: 50 when nothing is asked for.
func pageOf(limit int) int { return min(cmp.Or(max(limit, 0), 50), maxPage) }

// StateLetters stands in a [QueueFilter] for everything of which a letter is
// held, in whatever state.
const StateLetters inbox.State = "letters"

// QueueFilter says what of the queue is listed; the zero value is what needs a
// person now.
type QueueFilter struct {
	Waiting    bool        // what goes on by itself, instead of what needs a person
	All        bool        // both
	Kind       string      // a kind or a Label; "": all
	State      inbox.State // or StateLetters; "": all
	Language   string      // base language tag; "": all
	Mailbox    string      // its name; "": all
	Assignee   string      // who it was handed over to; "": whoever
	Unassigned bool        // handed over to nobody
	DueBefore  time.Time   // only what is due before, and whose clock does not stand; zero: all
}

func (f QueueFilter) takes(o *state.Line) bool {
	label := ActionView{Kind: o.Kind, Scope: o.Scope, Topic: o.Topic, Undo: o.Undo}.Label()
	language, _, _ := strings.Cut(o.Language, "-")
	switch {
	case !f.All && f.Waiting != (o.Class == state.ClassSelf):
	case f.Kind != "" && f.Kind != string(o.Kind) && f.Kind != label:
	case f.State == StateLetters && !o.Letters, f.State != "" && f.State != StateLetters && f.State != o.State:
	case f.Language != "" && f.Language != language:
	case f.Mailbox != "" && f.Mailbox != o.Mailbox:
	case f.Assignee != "" && f.Assignee != o.Assignee, f.Unassigned && o.Assignee != "":
	case !f.DueBefore.IsZero() && (o.Stands || !o.Due.Before(f.DueBefore)):
	default:
		return true
	}
	return false
}

// QueueRow is a line of the queue: an Action, or with the ID 0 a Case of which
// a letter is held and nothing is open.
type QueueRow struct {
	ActionView
	Now     bool   `json:"now"`               // it needs a person
	Letters bool   `json:"letters,omitempty"` // a letter is held
	From    string `json:"from,omitempty"`    // who wrote; "" once that is forgotten
	Name    string `json:"name,omitempty"`    // as the mail gives it
	Subject string `json:"subject,omitempty"`

	Fields []inbox.Field `json:"fields,omitempty"` // that it is about; names, no values
}

// QueuePage is a page of the queue.
type QueuePage struct {
	Rows []QueueRow `json:"rows"`
	Next Cursor     `json:"next,omitempty"`
}

// Queue lists what is open and passes the filter: the nearest deadline first,
// and with All what needs a person before the rest. Only the records of the
// lines that it gives are read.
func (d *Desk) Queue(f QueueFilter, after Cursor, limit int) (page QueuePage, err error) {
	key, err := after.key(queueKey)
	if err != nil {
		return page, err
	}
	page.Rows = []QueueRow{}
	err = d.State.View(func(tx *state.Tx) error {
		lines, next, err := f.lines(tx, key, pageOf(limit))
		if err != nil {
			return err
		}
		page.Next = next
		for _, o := range lines {
			row, err := d.queueRow(tx, o)
			if err != nil {
				return err
			}
			page.Rows = append(page.Rows, row)
		}
		return nil
	})
	return page, err
}

// queueKey is how long the key of a line of the queue is.
const queueKey = 18

// sift gives what the index is looked through for; it may let more through than
// the filter takes.
func (f QueueFilter) sift() state.Sift {
	s := state.Sift{Language: f.Language, Mailbox: f.Mailbox, Assignee: f.Assignee, Unassigned: f.Unassigned, DueBefore: f.DueBefore}
	switch {
	case f.All:
	case f.Waiting:
		s.Class = state.ClassSelf
	default:
		s.Class = state.ClassNow
	}
	if kind, _, _ := strings.Cut(f.Kind, " "); slices.Contains(inbox.Kinds(), inbox.Kind(kind)) { // else a label for several
		s.Kind = inbox.Kind(kind)
	}
	if f.State == StateLetters {
		s.Letters = true
	} else {
		s.State = f.State
	}
	return s
}

func (f QueueFilter) lines(tx *state.Tx, after string, limit int) (lines []state.Line, next Cursor, err error) {
	last := ""
	err = tx.OpenSifted(after, f.sift(), func(o state.Line, key string) bool {
		if !f.takes(&o) {
			return true
		}
		if len(lines) == limit {
			next = cursorOf(last)
			return false
		}
		lines, last = append(lines, o), key
		return true
	})
	return lines, next, err
}

// Languages lists the languages of what is open: the first part of each tag,
// such as "ru", by which the queue can be filtered.
func (d *Desk) Languages() (all []string, err error) {
	err = d.State.View(func(tx *state.Tx) error { all = tx.OpenLanguages(); return nil })
	return all, err
}

func (d *Desk) queueRow(tx *state.Tx, o state.Line) (QueueRow, error) {
	row := QueueRow{Now: o.Class == state.ClassNow, Letters: o.Letters}
	m, err := tx.Mail(o.Case)
	if err != nil {
		return row, err
	}
	if d := m.Detail; d != nil {
		row.From, row.Name, row.Subject = d.From.Addr, d.From.Name, d.Subject
	}
	if o.Action != 0 {
		a, err := tx.Action(o.Action)
		if err != nil {
			return row, err
		}
		row.ActionView, row.Fields = d.view(tx, a), fieldsOf(a)
		return row, nil
	}
	row.ActionView = ActionView{Case: o.Case, Received: m.Received.UTC(), Evidence: m.Evidence, Mailbox: m.Ref.Mailbox, Error: "a letter is held"}
	if !o.Undated {
		row.Due = o.Due
	}
	return row, nil
}

// fieldsOf names the fields that an Action is about.
func fieldsOf(a *inbox.Action) []inbox.Field {
	if a.Detail == nil {
		return nil
	}
	out := slices.Clone(a.Detail.Request.Fields)
	for _, c := range a.Detail.Request.Changes {
		out = append(out, c.Field)
	}
	return out
}

// Counts gives how many there are of everything. The numbers are kept, not
// counted.
func (d *Desk) Counts() (n state.Tallies, err error) {
	err = d.State.View(func(tx *state.Tx) error { n = tx.Tallies(); return nil })
	return n, err
}

// EndedFilter says what of the ended Actions is listed.
type EndedFilter struct {
	State inbox.State // done, cancelled, expired, refused; "": all
	Kind  string      // a kind or a Label; "": all
}

// looked is how many records a page of ended Actions or of mails looks at at
// most before it gives what it has found, and where to go on.
const looked = 2000

// Ended lists Actions that have ended, the newest first by their ID. Next may
// follow a page that is not full: it goes on behind what was looked at.
func (d *Desk) Ended(f EndedFilter, after Cursor, limit int) (page QueuePage, err error) {
	before, err := after.number()
	if err != nil {
		return page, err
	}
	if f.State != "" && !f.State.Ended() {
		return page, fmt.Errorf("%q is no end: done, cancelled, expired or refused", f.State)
	}
	page.Rows = []QueueRow{}
	err = d.State.View(func(tx *state.Tx) error {
		page.Next, err = f.each(tx, inbox.ActionID(before), pageOf(limit), func(a *inbox.Action) error {
			row, err := d.queueRow(tx, state.Line{Action: a.ID, Case: a.Case})
			page.Rows = append(page.Rows, row)
			return err
		})
		return err
	})
	return page, err
}

// each calls f for the Actions of a page.
func (f EndedFilter) each(tx *state.Tx, before inbox.ActionID, limit int, each func(*inbox.Action) error) (Cursor, error) {
	ids, n := f.newest(tx, before), 0
	for i, id := range ids {
		if n == limit {
			return cursorAt(uint64(ids[i-1])), nil
		}
		a, err := tx.Action(id)
		if err != nil {
			return "", err
		}
		if label := (ActionView{Kind: a.Kind, Scope: a.Scope, Topic: a.Topic, Undo: a.Undo}).Label(); f.Kind != "" && string(a.Kind) != f.Kind && label != f.Kind {
			continue
		}
		if err := each(a); err != nil {
			return "", err
		}
		n++
	}
	if len(ids) < looked {
		return "", nil
	}
	return cursorAt(uint64(ids[len(ids)-1])), nil
}

// newest lists the newest ended Actions before an ID.
func (f EndedFilter) newest(tx *state.Tx, before inbox.ActionID) (ids []inbox.ActionID) {
	for _, s := range inbox.States() {
		if !s.Ended() || f.State != "" && f.State != s {
			continue
		}
		n := 0
		tx.ActionsBack(s, before, func(id inbox.ActionID) bool {
			ids, n = append(ids, id), n+1
			return n < looked
		})
	}
	slices.SortFunc(ids, func(a, b inbox.ActionID) int { return cmp.Compare(b, a) })
	return ids[:min(len(ids), looked)]
}

// MailFilter says what mails are listed.
type MailFilter struct {
	State   inbox.MailState // "": all
	Mailbox string          // its name; "": all
}

// MailPage is a page of mails.
type MailPage struct {
	Mails []MailView `json:"mails"`
	Next  Cursor     `json:"next,omitempty"`
}

// MailPage lists mails, the newest first. Next may follow a page that is not
// full: it goes on behind what was looked at.
func (d *Desk) MailPage(f MailFilter, after Cursor, limit int) (page MailPage, err error) {
	before, err := after.number()
	if err != nil {
		return page, err
	}
	page.Mails = []MailView{}
	seen, last, top := 0, uint64(0), pageOf(limit)
	err = d.State.View(func(tx *state.Tx) error {
		return tx.MailsBack(f.State, inbox.MailID(before), func(m *inbox.Mail) bool {
			if len(page.Mails) == top || seen == looked {
				page.Next = cursorAt(last)
				return false
			}
			if seen, last = seen+1, uint64(m.ID); f.Mailbox == "" || m.Ref.Mailbox == f.Mailbox {
				page.Mails = append(page.Mails, mailView(m))
			}
			return true
		})
	})
	return page, err
}

// Raw gives the raw mail from its server, for showing it as text. Of a Mail
// whose content is forgotten it gives nothing, although the server may still
// have it.
func (d *Desk) Raw(ctx context.Context, id inbox.MailID) (raw inbox.Raw, err error) {
	if d.Mailboxes == nil {
		return raw, errors.New("the mailboxes cannot be reached from here")
	}
	err = d.State.View(func(tx *state.Tx) error {
		if _, err := tx.Mail(id); err != nil {
			return err
		}
		if !tx.Remembers(id) {
			return fmt.Errorf("%s: its content was kept long enough and forgotten", id)
		}
		return nil
	})
	if err != nil {
		return raw, err
	}
	return d.Mailboxes.Raw(ctx, id)
}
