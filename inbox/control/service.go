// Package control is how the command line reaches the daemon: one service with
// a verb a call, spoken over the Unix socket supportd.sock in the state
// directory, or called directly when no daemon runs. Both ways give the same
// answers, because they are the same code.
//
// A call is a POST of a [Call] as the first line of the body, followed by
// whatever the verb reads; the answer is a line of JSON an item, and a last
// line that says that the answer is whole or why it is not. The daemon knows
// who calls from the socket's credentials; that name stands in the journal.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// Call is one command.
type Call struct {
	Verb       string            `json:"verb"`
	ID         string            `json:"id,omitempty"` // A-000123, M-000456 or R-000789
	State      string            `json:"state,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Text       string            `json:"text,omitempty"` // of a letter or an answer; what is searched for
	Head       string            `json:"head,omitempty"`
	Path       string            `json:"path,omitempty"`
	Name       string            `json:"name,omitempty"` // of a staff account, or of a saved answer
	Language   string            `json:"language,omitempty"`
	Role       string            `json:"role,omitempty"` // and its role
	Format     string            `json:"format,omitempty"`
	Address    string            `json:"address,omitempty"`
	Effects    bool              `json:"effects,omitempty"`
	Replies    bool              `json:"replies,omitempty"`
	Mails      int               `json:"mails,omitempty"` // how many
	To         string            `json:"to,omitempty"`    // of the staff
	Until      time.Time         `json:"until,omitzero"`
	OnRecord   string            `json:"on_record,omitempty"`
	Act        string            `json:"act,omitempty"` // that is to be previewed
	Since      time.Time         `json:"since,omitzero"`
	Log        review.LogFilter  `json:"log,omitzero"`
	DryRun     bool              `json:"dry_run,omitempty"`
	Correction review.Correction `json:"correction,omitzero"`
}

// Said is an item that is a sentence for the operator.
type Said struct {
	Said string `json:"said"`
}

// Drawn is a Message-ID for a mail that the caller will send as a probe.
type Drawn struct {
	MessageID string `json:"message_id"`
}

// People is what the command line reads of any user store.
type People interface {
	// ByAddress gives everybody whose address on record is addr; nobody is no
	// error.
	ByAddress(ctx context.Context, addr string) ([]users.Person, error)
	// Records gives everything that is held about a person, place by place. An
	// error ends the stream.
	Records(ctx context.Context, p users.Person) iter.Seq2[users.Record, error]
}

// Store is what the command line does with the embedded user store.
type Store interface {
	// Import writes all people that r has in the format "csv" or "jsonl", or
	// none of them, and gives their number.
	Import(ctx context.Context, r io.Reader, format string) (int, error)
	// Export writes everybody as JSON lines that Import reads.
	Export(ctx context.Context, w io.Writer) error
	// Backup writes a consistent copy of the store to a file that must not be
	// there yet.
	Backup(ctx context.Context, path string) error
}

// Service answers calls.
type Service struct {
	State  *state.DB
	Desk   *review.Desk
	Intake *intake.Intake
	People People
	Store  Store // nil when the site's people do not live in the embedded store

	Seal    state.Seal // encrypts the keys of a copy; nil: they are copied as they are
	Staff   *staff.Staff
	Console string // where staff's browsers reach the console, without "/" at the end; "": there is none
}

// verb answers one kind of call; put sends an item.
type verb func(s *Service, ctx context.Context, who string, c Call, body io.Reader, put func(any) error) error

// verbs is every verb, under the name that a Call has.
func verbs() map[string]verb {
	return map[string]verb{
		"actions list": (*Service).listActions, "actions show": (*Service).showAction, "actions search": (*Service).search,
		"approve": (*Service).act, "hold": (*Service).act, "release": (*Service).release, "drop": (*Service).drop, "refuse": (*Service).refuse,
		"retry": (*Service).act, "undo": (*Service).undo, "correct": (*Service).act, "answer": (*Service).act,
		"ask": (*Service).act, "close": (*Service).act, "extend": (*Service).extend,
		"hand-over": (*Service).act, "preview": (*Service).preview, "mails raw": (*Service).raw,
		"journal list": (*Service).listJournal, "journal export": (*Service).exportJournal, "journal receipt": (*Service).receipt,
		"mails list": (*Service).listMails, "mails show": (*Service).showMail, "mails replay": (*Service).replay,
		"reconcile": (*Service).reconcile, "journal verify": (*Service).verify,
		"pause": (*Service).pause, "paused": (*Service).paused, "resume": (*Service).resume, "backup": (*Service).backup,
		"probe":        (*Service).probe,
		"answers list": (*Service).listAnswers, "answers add": (*Service).changeAnswers, "answers remove": (*Service).changeAnswers,
		"staff add": (*Service).invite, "staff reset": (*Service).invite, "staff list": (*Service).listStaff,
		"staff role": (*Service).changeStaff, "staff disable": (*Service).changeStaff, "staff enable": (*Service).changeStaff,
		"users import": (*Service).importUsers, "users export": (*Service).exportUsers, "users show": (*Service).showUser, "users reapply": (*Service).reapply,
	}
}

// Verbs lists what a Call can ask for.
func Verbs() []string {
	var out []string
	for v := range verbs() {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// Do answers a call of who; each item of the answer is given to put.
func (s *Service) Do(ctx context.Context, who string, c Call, body io.Reader, put func(any) error) error {
	f, ok := verbs()[c.Verb]
	if !ok {
		return fmt.Errorf("unknown verb %q", c.Verb)
	}
	return f(s, ctx, who, c, body, put)
}

func (s *Service) listActions(_ context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	if c.State != "" && !slices.Contains(inbox.States(), inbox.State(c.State)) {
		return fmt.Errorf("unknown state %q: %v", c.State, inbox.States())
	}
	if c.Kind != "" && !slices.Contains(review.Labels(), c.Kind) {
		return fmt.Errorf("unknown kind %q: there are %s", c.Kind, strings.Join(review.Labels(), ", "))
	}
	var all []review.ActionView // the read transaction must not wait for a slow reader
	err := s.Desk.Actions(inbox.State(c.State), c.Kind, c.To, func(v review.ActionView) error { all = append(all, v); return nil })
	for _, v := range all {
		if err := put(v); err != nil {
			return err
		}
	}
	return err
}

func (s *Service) showAction(_ context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseActionID(c.ID)
	if err != nil {
		return err
	}
	v, err := s.Desk.Action(id)
	if err != nil {
		return err
	}
	return put(v)
}

// act is every act of staff on one Action that answers with its new state.
func (s *Service) act(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseActionID(c.ID)
	if err != nil {
		return err
	}
	switch c.Verb {
	case "approve":
		err = s.Desk.Approve(ctx, id, who, c.Reason)
	case "hold":
		err = s.Desk.Hold(ctx, id, who, c.Reason, c.Until)
	case "hand-over":
		err = s.Desk.HandOver(ctx, id, who, c.To, c.Reason)
	case "release":
		err = s.Desk.Release(ctx, id, who)
	case "retry":
		err = s.Desk.Retry(ctx, id, who)
	case "correct":
		err = s.Desk.Correct(ctx, id, who, c.Correction)
	case "answer":
		err = s.Desk.Answer(ctx, id, who, c.Text)
	case "ask":
		err = s.Desk.Ask(ctx, id, who, c.Text, c.OnRecord)
	case "close":
		err = s.Desk.Close(ctx, id, who, c.Reason)
	}
	if err != nil {
		return err
	}
	return s.tell(id, c, put)
}

func (s *Service) tell(id inbox.ActionID, c Call, put func(any) error) error {
	v, err := s.Desk.Action(id)
	if err != nil {
		return err
	}
	if c.Verb == "hand-over" {
		if v.Assignee == "" {
			return put(Said{id.String() + " was handed back"})
		}
		return put(Said{id.String() + " was handed over to " + v.Assignee})
	}
	if !v.Until.IsZero() {
		return put(Said{fmt.Sprintf("%s is %s until %s", id, v.State, v.Until.Format(time.RFC3339))})
	}
	if v.Wish != "" && !v.State.Ended() {
		return put(Said{id.String() + " may have been carried out: the user store is asked, and what was not done ends"})
	}
	return put(Said{fmt.Sprintf("%s is %s", id, v.State)})
}

// preview shows what an act would do; whoever may use the socket may do it.
func (s *Service) preview(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseActionID(c.ID)
	if err != nil {
		return err
	}
	p, err := s.Desk.Preview(ctx, review.Actor{Name: who, Role: staff.RoleAdmin}, review.Act{Verb: cases.Verb(c.Act), Action: id, Text: c.Text, Reason: c.Reason,
		To: c.To, Until: c.Until, OnRecord: c.OnRecord, Correction: c.Correction})
	if err != nil {
		return err
	}
	return put(p)
}

// Piece is a part of a text that is written as it is.
type Piece struct {
	Bytes []byte `json:"bytes"`
}

// pieceBytes is how much of a text goes into one item.
const pieceBytes = 256 << 10

func (s *Service) raw(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseMailID(c.ID)
	if err != nil {
		return err
	}
	// Whoever reads a mail as it was written stands in the journal.
	if err := s.Desk.Enter(ctx, review.Actor{Name: who, Role: staff.RoleAdmin}, staff.RightSee, "raw mail", id); err != nil {
		return err
	}
	raw, err := s.Desk.Raw(ctx, id)
	if err != nil {
		return err
	}
	for b := range slices.Chunk(raw.Bytes, pieceBytes) {
		if err := put(Piece{b}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) listJournal(_ context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	for left, after := c.Mails, review.Cursor(""); left > 0; {
		page, err := s.Desk.Log(c.Log, after, min(left, journalPage))
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if err := put(e); err != nil {
				return err
			}
		}
		if left -= len(page.Entries); page.Next == "" {
			return nil
		}
		after = page.Next
	}
	return nil
}

// journalPage is how many entries of the journal are read in one transaction.
const journalPage = 500

// exportJournal writes into the journal that it was exported, and by whom.
func (s *Service) exportJournal(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	if err := s.Desk.Enter(ctx, review.Actor{Name: who, Role: staff.RoleAdmin}, staff.RightSee, "journal export"); err != nil {
		return err
	}
	return s.Desk.ExportLog(ctx, pieces(put), c.Format, c.Log)
}

// pieces gives every Write to a function.
type pieces func(any) error

// Write implements io.Writer.
func (p pieces) Write(b []byte) (int, error) { return len(b), p(Piece{b}) }

func (s *Service) receipt(_ context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseMailID(c.ID)
	if err != nil {
		return err
	}
	r, err := s.Desk.Receipt(id)
	if err != nil {
		return err
	}
	return put(r)
}

func (s *Service) release(ctx context.Context, who string, c Call, body io.Reader, put func(any) error) error {
	if id, err := inbox.ParseMailID(c.ID); err == nil {
		if err := s.Desk.ReleaseCase(ctx, id, who); err != nil {
			return err
		}
		return put(Said{"the held letters of " + id.String() + " will be sent"})
	}
	return s.act(ctx, who, c, body, put)
}

// drop discards a held letter, or all of a case.
func (s *Service) drop(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	if id, err := inbox.ParseMailID(c.ID); err == nil {
		n, err := s.Desk.DropCase(ctx, id, who, c.Reason)
		if err != nil {
			return err
		}
		return put(Said{fmt.Sprintf("the held letters of %s are discarded: %d", id, n)})
	}
	id, err := inbox.ParseReplyID(c.ID)
	if err != nil {
		return err
	}
	if err := s.Desk.DropHeld(ctx, id, who, c.Reason); err != nil {
		return err
	}
	return put(Said{id.String() + " is discarded: nobody gets it"})
}

func (s *Service) refuse(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseActionID(c.ID)
	if err != nil {
		return err
	}
	told, err := s.Desk.Refuse(ctx, id, who, c.Reason)
	if err != nil {
		return err
	}
	if v, err := s.Desk.Action(id); err == nil && !told && v.State == inbox.StateRefused {
		return put(Said{id.String() + " is refused; no letter goes out, because nobody proved who sent it"})
	}
	return s.tell(id, c, put)
}

func (s *Service) extend(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseActionID(c.ID)
	if err != nil {
		return err
	}
	if err := s.Desk.Extend(ctx, id, who, c.Reason); err != nil {
		return err
	}
	v, err := s.Desk.Action(id)
	if err != nil {
		return err
	}
	return put(Said{fmt.Sprintf("%s is due on %s now, and the person is told", id, v.Due.Format(time.RFC3339))})
}

func (s *Service) undo(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseActionID(c.ID)
	if err != nil {
		return err
	}
	undo, err := s.Desk.Undo(ctx, id, who)
	if err != nil {
		return err
	}
	v, err := s.Desk.Action(undo)
	if err != nil {
		return err
	}
	return put(Said{fmt.Sprintf("%s, which takes %s back, is %s", undo, id, v.State)})
}

func (s *Service) listMails(_ context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	if c.State != "" && !slices.Contains(inbox.MailStates(), inbox.MailState(c.State)) {
		return fmt.Errorf("unknown state %q: %v", c.State, inbox.MailStates())
	}
	var all []review.MailView
	err := s.Desk.Mails(inbox.MailState(c.State), func(v review.MailView) error { all = append(all, v); return nil })
	for _, v := range all {
		if err := put(v); err != nil {
			return err
		}
	}
	return err
}

func (s *Service) showMail(_ context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseMailID(c.ID)
	if err != nil {
		return err
	}
	v, err := s.Desk.Mail(id)
	if err != nil {
		return err
	}
	return put(v)
}

func (s *Service) replay(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	id, err := inbox.ParseMailID(c.ID)
	if err != nil {
		return err
	}
	if err := s.Intake.Replay(ctx, id, who); err != nil {
		return err
	}
	v, err := s.Desk.Mail(id)
	if err != nil {
		return err
	}
	return put(Said{fmt.Sprintf("%s is %s %s", id, v.State, v.Reason)})
}

func (s *Service) reconcile(ctx context.Context, _ string, _ Call, _ io.Reader, put func(any) error) error {
	all, err := s.Intake.Reconcile(ctx)
	for _, a := range all {
		if err := put(a); err != nil {
			return err
		}
	}
	return err
}

func (s *Service) verify(ctx context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	f, err := s.Desk.Verify(ctx, c.Head, nil)
	if err != nil {
		return err
	}
	return put(f)
}

func (s *Service) pause(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	p, err := s.Desk.Pause(ctx, who, c.Effects, c.Replies)
	if err != nil {
		return err
	}
	return put(Said{p.String() + "; mail is still taken in, and nothing is lost"})
}

func (s *Service) paused(_ context.Context, _ string, _ Call, _ io.Reader, put func(any) error) error {
	p, err := s.Desk.Paused()
	if err != nil {
		return err
	}
	return put(p)
}

func (s *Service) resume(ctx context.Context, who string, _ Call, _ io.Reader, put func(any) error) error {
	if err := s.Desk.Resume(ctx, who); err != nil {
		return err
	}
	return put(Said{"resumed"})
}

func (s *Service) probe(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	ids, err := s.Intake.ProbeIDs(ctx, who, c.Mails, c.Address)
	for _, id := range ids {
		if err := put(Drawn{id}); err != nil {
			return err
		}
	}
	return err
}

// backup copies the state first: an effect that the copy of the store knows and
// that of the state does not is found by its key; the other way round it would
// be lost.
func (s *Service) backup(ctx context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	err := s.State.Backup(c.Path, s.Seal)
	if err == nil && s.Store != nil {
		err = s.Store.Backup(ctx, filepath.Join(c.Path, "users.db"))
	}
	if errors.Is(err, os.ErrPermission) {
		return &inbox.Error{Err: err, Hint: "the copy is made as user " + Caller() + ": name a directory that this user may write"}
	}
	if err != nil {
		return err
	}
	keys := "its keys"
	if s.Seal != nil {
		keys = "its keys, encrypted to backup.recipient,"
	}
	if s.Store == nil {
		return put(Said{"copied to " + c.Path + ": the state and " + strings.TrimSuffix(keys, ",") + "; the people are in the site's database, which has backups of its own; guard it as the original"})
	}
	return put(Said{"copied to " + c.Path + ": the state, " + keys + " and the user store; guard it as the original"})
}

var errNoStore = errors.New("the site's people do not live in the embedded store: use the tools of that database")

func (s *Service) importUsers(ctx context.Context, _ string, c Call, body io.Reader, put func(any) error) error {
	if s.Store == nil {
		return errNoStore
	}
	n, err := s.Store.Import(ctx, body, c.Format)
	if err != nil {
		return err
	}
	people := "people"
	if n == 1 {
		people = "person"
	}
	return put(Said{fmt.Sprintf("imported %d %s", n, people)})
}

func (s *Service) exportUsers(ctx context.Context, _ string, _ Call, _ io.Reader, put func(any) error) error {
	if s.Store == nil {
		return errNoStore
	}
	r, w := io.Pipe()
	var writer sync.WaitGroup
	writer.Go(func() { _ = w.CloseWithError(s.Store.Export(ctx, w)) })
	err := eachItem(r, put)
	_ = r.CloseWithError(err) // ends a writer that nobody reads any more
	writer.Wait()
	return err
}

// eachItem gives put each JSON value that it reads. The writer cuts its text
// where it likes.
func eachItem(r io.Reader, put func(any) error) error {
	d := json.NewDecoder(r)
	for {
		var item json.RawMessage
		err := d.Decode(&item)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := put(item); err != nil {
			return err
		}
	}
}

// reapply works in any store: the site has restored a backup of it.
func (s *Service) reapply(ctx context.Context, who string, c Call, _ io.Reader, put func(any) error) error {
	return s.Desk.Reapply(ctx, who, c.Since, c.DryRun, func(r review.Repetition) error { return put(r) })
}

// PersonView is a person of the user store.
type PersonView struct {
	ID        string                 `json:"id"`
	Active    bool                   `json:"active"`
	Withdrawn string                 `json:"withdrawn,omitempty"`
	Fields    map[inbox.Field]string `json:"fields"`
	Records   int                    `json:"records"`
}

func (s *Service) showUser(ctx context.Context, _ string, c Call, _ io.Reader, put func(any) error) error {
	people, err := s.People.ByAddress(ctx, c.Address)
	if err != nil {
		return err
	}
	if len(people) == 0 {
		return errors.New("nobody has that address on record")
	}
	for _, p := range people {
		v := PersonView{ID: p.ID, Active: p.Active, Fields: p.Fields}
		if !p.Withdrawn.IsZero() {
			v.Withdrawn = p.Withdrawn.UTC().Format("2006-01-02T15:04:05Z")
		}
		for _, err := range s.People.Records(ctx, p) {
			if err != nil {
				return err
			}
			v.Records++
		}
		if err := put(v); err != nil {
			return err
		}
	}
	return nil
}
