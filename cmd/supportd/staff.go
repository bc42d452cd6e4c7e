package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/handlers/users/datamap/mapfile"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
)

// caller makes one Call; each item of the answer is given to put.
type caller func(call control.Call, body io.Reader, put func(json.RawMessage) error) error

// talk gives f a caller that reaches the running daemon, or answers from the
// state when none runs. To reach a daemon takes nothing but its directory:
// staff need not be able to read the secrets.
func (c configFile) talk(w *world, f func(caller) error) error {
	dir, err := config.StateDir(c.Config)
	if err != nil {
		return inFile(c.Config, err)
	}
	client, err := control.Dial(control.Socket(dir))
	switch {
	case err == nil:
		return f(func(call control.Call, body io.Reader, put func(json.RawMessage) error) error {
			return client.Do(w.ctx, call, body, put)
		})
	case !errors.Is(err, control.ErrNoDaemon):
		return err
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	return talkDirectly(w.ctx, cfg, f)
}

func talkDirectly(ctx context.Context, cfg *config.Config, f func(caller) error) (err error) {
	d, err := daemon.Open(ctx, cfg, daemon.Options{})
	if errors.Is(err, state.ErrLocked) {
		return &inbox.Error{Err: err, Hint: "a daemon is starting or stopping: try again in a moment"}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return f(func(call control.Call, body io.Reader, put func(json.RawMessage) error) error {
		return d.Service().Do(ctx, control.Caller(), call, body, func(item any) error {
			b, err := json.Marshal(item)
			if err != nil {
				return err
			}
			return put(b)
		})
	})
}

// say makes a call whose items are sentences.
func (c configFile) say(w *world, call control.Call, body io.Reader) error {
	return c.talk(w, func(do caller) error {
		return do(call, body, func(item json.RawMessage) error {
			var s control.Said
			if err := json.Unmarshal(item, &s); err != nil {
				return err
			}
			_, err := fmt.Fprintln(w.stdout, plain(s.Said))
			return err
		})
	})
}

// each makes a call and decodes its items.
func each[T any](c configFile, w *world, call control.Call, f func(T) error) error {
	return c.talk(w, func(do caller) error { return eachItem(do, call, f) })
}

func eachItem[T any](do caller, call control.Call, f func(T) error) error {
	return do(call, nil, func(item json.RawMessage) error {
		var v T
		if err := json.Unmarshal(item, &v); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		return f(v)
	})
}

// raw makes a call and prints its items as they are.
func (c configFile) raw(w *world, call control.Call) error {
	return c.talk(w, func(do caller) error { return do.raw(w, call) })
}

func (do caller) raw(w *world, call control.Call) error {
	return do(call, nil, func(item json.RawMessage) error {
		_, err := fmt.Fprintf(w.stdout, "%s\n", harmless(item))
		return err
	})
}

// tellPause reminds whoever looks at what waits that it waits for a resume.
func (do caller) tellPause(w *world) error {
	return eachItem(do, control.Call{Verb: "paused"}, func(p review.Paused) error {
		if p.String() != "" {
			fmt.Fprintln(w.stderr, "supportd:", p)
		}
		return nil
	})
}

// IDs are looked at before anything is asked: a slip is wrong usage.
type (
	actionID string
	mailID   string
	anyID    string
	letterID string
)

// UnmarshalText takes the ID of an action.
func (id *actionID) UnmarshalText(b []byte) error {
	parsed, err := inbox.ParseActionID(string(b))
	*id = actionID(parsed.String())
	return err
}

// UnmarshalText takes the ID of a mail.
func (id *mailID) UnmarshalText(b []byte) error {
	parsed, err := inbox.ParseMailID(string(b))
	*id = mailID(parsed.String())
	return err
}

// UnmarshalText takes the ID of an action or of a mail.
func (id *anyID) UnmarshalText(b []byte) error {
	if m, err := inbox.ParseMailID(string(b)); err == nil {
		*id = anyID(m.String())
		return nil
	}
	a, err := inbox.ParseActionID(string(b))
	*id = anyID(a.String())
	return err
}

// UnmarshalText takes the ID of a letter, or of a mail for the letters of its
// case.
func (id *letterID) UnmarshalText(b []byte) error {
	if m, err := inbox.ParseMailID(string(b)); err == nil {
		*id = letterID(m.String())
		return nil
	}
	r, err := inbox.ParseReplyID(string(b))
	*id = letterID(r.String())
	return err
}

// headHash is a head of the journal's chain.
type headHash string

// UnmarshalText takes what "journal verify" prints as the head.
func (h *headHash) UnmarshalText(b []byte) error {
	*h = headHash(strings.ToLower(strings.TrimSpace(string(b))))
	if sum, err := hex.DecodeString(string(*h)); err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("%q is no head of a journal: that is %d letters and digits, as \"journal verify\" prints them", b, 2*sha256.Size)
	}
	return nil
}

// words lists names for a sentence.
func words[T ~string](names []T) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return strings.Join(out, ", ")
}

type actionsCmd struct {
	configFile
	List     actionsList     `cmd:"" help:"One action a line; a pause is told on standard error."`
	Show     actionsShow     `cmd:"" help:"Everything about one action."`
	Search   actionsSearch   `cmd:"" help:"Find cases: by number, by exact address, or by the name of whoever wrote in an open one."`
	Approve  actionsApprove  `cmd:"" help:"Let an action in review go on, and the one letter that comes of it; the person's proof is still asked for."`
	Preview  actionsPreview  `cmd:"" help:"Show the letters that an act would send, and what it would do; nothing is done."`
	HandOver actionsHandOver `cmd:"" help:"Give an action to somebody of the staff; it stays where it is."`
	Hold     actionsHold     `cmd:"" help:"Stop an action where it is; its question and its cool-off stand still, the deadline of the law does not. With a date it needs nobody before."`
	Release  actionsRelease  `cmd:"" help:"Put a held action back, and send the letters of its case that were held."`
	Drop     actionsDrop     `cmd:"" help:"Discard a held letter, or all of a case; nobody gets it."`
	Refuse   actionsRefuse   `cmd:"" help:"End an action; a proved person is told the reason."`
	Retry    actionsID       `cmd:"" help:"Run a failed action again."`
	Undo     actionsID       `cmd:"" help:"Ask the owner to agree that a change or deactivation is taken back."`
	Correct  actionsCorrect  `cmd:"" help:"Give an action another reading; the person is asked about it."`
	Answer   actionsAnswer   `cmd:"" help:"Answer a question in writing; greeting and signature are added."`
	Ask      actionsAsk      `cmd:"" help:"Ask the person something; greeting and signature are added."`
	Close    actionsClose    `cmd:"" help:"End an action without a letter."`
	Extend   actionsExtend   `cmd:"" help:"Take the time that the law adds, once; the person is told the reason and the new date."`
}

type actionsList struct {
	State    string `help:"Only this state." placeholder:"S"`
	Kind     string `help:"Only this kind." placeholder:"K"`
	Assignee string `help:"Only what was handed over to them." placeholder:"NAME"`
	JSON     bool   `help:"One JSON object a line."`
}

func (c *actionsList) Run(w *world, all *cli) error {
	if c.State != "" && !slices.Contains(inbox.States(), inbox.State(c.State)) {
		return usageError{fmt.Errorf("--state=%s: the states are %s", c.State, words(inbox.States()))}
	}
	if c.Kind != "" && !slices.Contains(review.Labels(), c.Kind) {
		return usageError{fmt.Errorf("--kind=%s: the kinds are %s", c.Kind, words(review.Labels()))}
	}
	call := control.Call{Verb: "actions list", State: c.State, Kind: c.Kind, To: c.Assignee}
	return all.Actions.talk(w, func(do caller) error {
		if err := do.tellPause(w); err != nil {
			return err
		}
		if c.JSON {
			return do.raw(w, call)
		}
		return c.table(w, do, call, all.Actions.clock())
	})
}

func (c *actionsList) table(w *world, do caller, call control.Call, clock clock) error {
	t := newTable(w.stdout, "ID", "STATE", "KIND", "RECEIVED", "DUE", "RISK", "SENDER", "NOTE")
	err := eachItem(do, call, func(v review.ActionView) error {
		t.row(v.ID.String(), string(v.State), v.Label(), clock.when(v.Received), clock.when(v.Due), risk(v), v.Evidence.String(), v.Error)
		return nil
	})
	return t.end(err)
}

type actionsShow struct {
	ID   actionID `arg:"" help:"A-000123."`
	JSON bool     `help:"One JSON object."`
}

func (c *actionsShow) Run(w *world, all *cli) error {
	call := control.Call{Verb: "actions show", ID: string(c.ID)}
	if c.JSON {
		return all.Actions.raw(w, call)
	}
	return each(all.Actions.configFile, w, call, func(v review.ActionDetail) error { return printAction(w.stdout, v, all.Actions.clock()) })
}

type actionsSearch struct {
	What string `arg:"" help:"M-000456, A-000123, an address, or words of a name as they begin; - is standard input, which other users of this machine do not see."`
	JSON bool   `help:"One JSON object a line."`
}

func (c *actionsSearch) Run(w *world, all *cli) error {
	what := c.What
	if what == "-" {
		b, err := readFile(w, what)
		if err != nil {
			return err
		}
		what = string(b)
	}
	call := control.Call{Verb: "actions search", Text: what}
	if c.JSON {
		return all.Actions.raw(w, call)
	}
	clock := all.Actions.clock()
	t := newTable(w.stdout, "CASE", "RECEIVED", "STATE", "ACTIONS", "FROM", "SUBJECT")
	err := each(all.Actions.configFile, w, call, func(h review.Hit) error {
		state := string(h.State)
		if h.Open {
			state = "open"
		}
		t.row(h.Case.String(), clock.when(h.Received), state, actionIDs(h.Actions), h.From, policy.StripTags(h.Subject))
		return nil
	})
	return t.end(err)
}

type actionsApprove struct {
	ID           actionID `arg:"" help:"A-000123."`
	WithoutProof string   `placeholder:"REASON" help:"Carry it out although the owner's proof is missing; the reason stands in the journal."`
}

func (c *actionsApprove) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "approve", ID: string(c.ID), Reason: c.WithoutProof}, nil)
}

type actionsID struct {
	ID actionID `arg:"" help:"A-000123."`
}

func (c *actionsID) Run(w *world, all *cli, verb command) error {
	return all.Actions.say(w, control.Call{Verb: string(verb), ID: string(c.ID)}, nil)
}

type actionsRelease struct {
	ID anyID `arg:"" help:"A-000123, or M-000456 for the letters of a case alone."`
}

func (c *actionsRelease) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "release", ID: string(c.ID)}, nil)
}

type actionsDrop struct {
	ID     letterID `arg:"" help:"R-000789, or M-000456 for all held letters of a case."`
	Reason string   `required:"" placeholder:"TEXT" help:"Why; it stands in the journal and is sent to nobody."`
}

func (c *actionsDrop) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "drop", ID: string(c.ID), Reason: c.Reason}, nil)
}

type actionsRefuse struct {
	ID     actionID `arg:"" help:"A-000123."`
	Reason string   `required:"" placeholder:"TEXT" help:"Why, in the person's language: a proved person is sent it."`
}

func (c *actionsRefuse) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "refuse", ID: string(c.ID), Reason: c.Reason}, nil)
}

type actionsClose struct {
	ID     actionID `arg:"" help:"A-000123."`
	Reason string   `required:"" placeholder:"TEXT" help:"Why; it stands in the journal and is sent to nobody."`
}

func (c *actionsClose) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "close", ID: string(c.ID), Reason: c.Reason}, nil)
}

type actionsExtend struct {
	ID     actionID `arg:"" help:"A-000123."`
	Reason string   `required:"" placeholder:"TEXT" help:"Why, in the person's language: they are sent it."`
}

func (c *actionsExtend) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "extend", ID: string(c.ID), Reason: c.Reason}, nil)
}

type actionsAnswer struct {
	ID   actionID `arg:"" help:"A-000123."`
	File string   `arg:"" help:"The text of the letter, in the person's language; - is standard input. A greeting in it stands in the place of ours."`
}

func (c *actionsAnswer) Run(w *world, all *cli) error {
	text, err := readFile(w, c.File)
	if err != nil {
		return err
	}
	return all.Actions.say(w, control.Call{Verb: "answer", ID: string(c.ID), Text: string(text)}, nil)
}

type actionsAsk struct {
	ID           actionID `arg:"" help:"A-000123."`
	File         string   `arg:"" help:"The text of the letter, in the person's language; - is standard input. A greeting in it stands in the place of ours."`
	AlsoOnRecord string   `placeholder:"ADDRESS" help:"Ask whoever has this address on record, too, in a letter of its own: for somebody who wrote from another one."`
}

func (c *actionsAsk) Run(w *world, all *cli) error {
	text, err := readFile(w, c.File)
	if err != nil {
		return err
	}
	return all.Actions.say(w, control.Call{Verb: "ask", ID: string(c.ID), Text: string(text), OnRecord: c.AlsoOnRecord}, nil)
}

type actionsHold struct {
	ID     actionID `arg:"" help:"A-000123."`
	Reason string   `placeholder:"TEXT" help:"Why, for whoever looks at it; it is sent to nobody."`
	Until  string   `placeholder:"TIME" help:"It needs nobody before, and is not released then: 2026-03-02, \"2026-03-02 10:00\" where the site is, or 2026-03-02T10:00:00Z."`
}

func (c *actionsHold) Run(w *world, all *cli) error {
	call := control.Call{Verb: "hold", ID: string(c.ID), Reason: c.Reason}
	var err error
	if c.Until != "" {
		call.Until, err = all.Actions.clock().parse("--until", c.Until)
	}
	switch {
	case err != nil:
		return err
	case c.Until != "" && c.Reason == "":
		return usageError{errors.New("--until goes with --reason: whoever looks then should know why")}
	}
	return all.Actions.say(w, call, nil)
}

type actionsHandOver struct {
	ID   actionID `arg:"" help:"A-000123."`
	To   string   `required:"" placeholder:"NAME" help:"Who; \"\" is nobody."`
	Note string   `placeholder:"TEXT" help:"What they should know; it is sent to nobody."`
}

func (c *actionsHandOver) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "hand-over", ID: string(c.ID), To: c.To, Reason: c.Note}, nil)
}

type actionsPreview struct {
	Act          string   `arg:"" help:"approve, approve-without-proof, release, refuse, answer, ask, retry, undo or close."`
	ID           actionID `arg:"" help:"A-000123."`
	File         string   `arg:"" optional:"" help:"Of an answer or a question: the text; - is standard input."`
	Reason       string   `placeholder:"TEXT" help:"Of a refusal, of closing, or of an approval without proof."`
	AlsoOnRecord string   `placeholder:"ADDRESS" help:"Of a question: who is asked, too."`
	JSON         bool     `help:"One JSON object."`
}

// previewed are the acts that take no more than text and reason.
var previewed = []cases.Verb{cases.Approve, cases.ApproveWithoutProof, cases.Release, cases.Refuse, cases.Answer, cases.Ask, cases.Retry, cases.Undo, cases.Close}

func (c *actionsPreview) Run(w *world, all *cli) error {
	if !slices.Contains(previewed, cases.Verb(c.Act)) {
		return usageError{fmt.Errorf("%q: there are previews of %s", c.Act, words(previewed))}
	}
	call := control.Call{Verb: "preview", ID: string(c.ID), Act: c.Act, Reason: c.Reason, OnRecord: c.AlsoOnRecord}
	if c.File != "" {
		text, err := readFile(w, c.File)
		if err != nil {
			return err
		}
		call.Text = string(text)
	}
	if c.JSON {
		return all.Actions.raw(w, call)
	}
	return each(all.Actions.configFile, w, call, func(p review.Preview) error { return printPreview(w.stdout, c.ID, p) })
}

type actionsCorrect struct {
	ID    actionID `arg:"" help:"A-000123."`
	Kind  string   `placeholder:"K" help:"change, delete, deactivate, copy, describe or withdraw; without it the kind stays, and a question becomes what the edits say."`
	Scope string   `placeholder:"S" help:"Of a delete: account or fields."`
	Edits []string `arg:"" optional:"" help:"Of a change: FIELD=VALUE replaces, FIELD+=VALUE adds. Of a delete of fields: -FIELD."`
}

func (c *actionsCorrect) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "correct", ID: string(c.ID),
		Correction: review.Correction{Kind: c.Kind, Scope: c.Scope, Edits: c.Edits}}, nil)
}

type mailsCmd struct {
	configFile
	List   mailsList   `cmd:"" help:"One mail a line."`
	Show   mailsShow   `cmd:"" help:"Everything about one mail."`
	Raw    mailsRaw    `cmd:"" help:"The mail as it is on the server now, every byte; that it was read stands in the journal."`
	Replay mailsReplay `cmd:"" help:"Process a quarantined, held or ignored mail again."`
}

type mailsList struct {
	State string `help:"Only this state." placeholder:"S"`
	JSON  bool   `help:"One JSON object a line."`
}

func (c *mailsList) Run(w *world, all *cli) error {
	if c.State != "" && !slices.Contains(inbox.MailStates(), inbox.MailState(c.State)) {
		return usageError{fmt.Errorf("--state=%s: the states are %s", c.State, words(inbox.MailStates()))}
	}
	call := control.Call{Verb: "mails list", State: c.State}
	if c.JSON {
		return all.Mails.raw(w, call)
	}
	clock := all.Mails.clock()
	t := newTable(w.stdout, "ID", "STATE", "MAILBOX", "RECEIVED", "ACTIONS", "REASON")
	err := each(all.Mails.configFile, w, call, func(v review.MailView) error {
		t.row(v.ID.String(), string(v.State), v.Mailbox, clock.when(v.Received), actionIDs(v.Actions), v.Reason)
		return nil
	})
	return t.end(err)
}

type mailsShow struct {
	ID mailID `arg:"" help:"M-000456."`
}

func (c *mailsShow) Run(w *world, all *cli) error {
	return each(all.Mails.configFile, w, control.Call{Verb: "mails show", ID: string(c.ID)}, func(v review.MailDetail) error { return printMail(w.stdout, v, all.Mails.clock()) })
}

type mailsRaw struct {
	ID mailID `arg:"" help:"M-000456."`
}

func (c *mailsRaw) Run(w *world, all *cli) error {
	return all.Mails.pieces(w, control.Call{Verb: "mails raw", ID: string(c.ID)})
}

// pieces makes a call whose items are parts of a text, and writes it as it is.
func (c configFile) pieces(w *world, call control.Call) error {
	return each(c, w, call, func(p control.Piece) error {
		_, err := w.stdout.Write(p.Bytes)
		return err
	})
}

type mailsReplay struct {
	ID mailID `arg:"" help:"M-000456."`
}

func (c *mailsReplay) Run(w *world, all *cli) error {
	return all.Mails.say(w, control.Call{Verb: "mails replay", ID: string(c.ID)}, nil)
}

type pauseCmd struct {
	configFile
	Effects bool `help:"Only what is done in the user store."`
	Replies bool `help:"Only what is sent."`
}

func (c *pauseCmd) Run(w *world) error {
	return c.say(w, control.Call{Verb: "pause", Effects: c.Effects, Replies: c.Replies}, nil)
}

type resumeCmd struct{ configFile }

func (c *resumeCmd) Run(w *world) error { return c.say(w, control.Call{Verb: "resume"}, nil) }

type reconcileCmd struct{ configFile }

func (c *reconcileCmd) Run(w *world) error {
	differs := false
	err := each(c.configFile, w, control.Call{Verb: "reconcile"}, func(a intake.Account) error {
		differs = differs || a.Server != a.Accounted
		_, err := fmt.Fprintf(w.stdout, "%s: server %d, accounted %d, filed %d, gone %d\n", a.Mailbox, a.Server, a.Accounted, a.Filed, a.Gone)
		return err
	})
	if err == nil && differs {
		return errFailed
	}
	return err
}

type usersCmd struct {
	configFile
	Import  usersImport  `cmd:"" help:"Add or replace people from a CSV file with a header, or JSON lines."`
	Export  usersExport  `cmd:"" help:"Everybody, as JSON lines."`
	Show    usersShow    `cmd:"" help:"Whoever has an address on record."`
	Init    usersInit    `cmd:"" help:"Make the table supportd_effects in the site's database, where supportd remembers what it did there."`
	Map     usersMap     `cmd:"" help:"Print a first data map, made from the tables of the site's database, or a ready one of a framework."`
	Reapply usersReapply `cmd:"" help:"After the site has restored a backup of its own: repeat the deletes that were carried out since it was made. A field with another value than the deleted one is left alone."`
}

type usersImport struct {
	File string `arg:"" help:"FILE.csv or FILE.jsonl"`
}

func (c *usersImport) Run(w *world, all *cli) error {
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(c.File)), ".")
	if format != "csv" && format != "jsonl" {
		return usageError{fmt.Errorf("%s: the file's name must end in .csv or .jsonl", c.File)}
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	return all.Users.say(w, control.Call{Verb: "users import", Format: format}, bytes.NewReader(b))
}

type usersExport struct{}

func (usersExport) Run(w *world, all *cli) error {
	return all.Users.raw(w, control.Call{Verb: "users export"})
}

type usersShow struct {
	Address string `arg:""`
}

func (c *usersShow) Run(w *world, all *cli) error {
	return each(all.Users.configFile, w, control.Call{Verb: "users show", Address: c.Address}, func(p control.PersonView) error { return printPerson(w.stdout, p) })
}

type usersReapply struct {
	Since  string `required:"" placeholder:"TIME" help:"When the backup was made: 2026-03-02, \"2026-03-02 10:00\" where the site is, or 2026-03-02T10:00:00Z."`
	DryRun bool   `help:"Only show what would be done."`
	JSON   bool   `help:"One JSON object a line."`
}

// parse reads a time that was typed for a flag, in the zone of the site unless
// it names one.
func (c clock) parse(flag, s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, c.zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("%s=%s: a time is written 2026-03-02, \"2026-03-02 10:00\" or 2026-03-02T10:00:00Z", flag, s)}
}

func (c *usersReapply) Run(w *world, all *cli) error {
	clock := all.Users.clock()
	since, err := clock.parse("--since", c.Since)
	if err != nil {
		return err
	}
	count, undone := map[review.Result]int{}, false
	call := control.Call{Verb: "users reapply", Since: since, DryRun: c.DryRun}
	err = each(all.Users.configFile, w, call, func(r review.Repetition) error {
		count[r.Result]++
		undone = undone || r.Result == review.ResultOther || r.Result == review.ResultFailed || len(r.LeftAlone) > 0
		if c.JSON {
			return printJSON(w.stdout, r)
		}
		return printRepetition(w.stdout, r, clock)
	})
	summary := w.stdout
	if c.JSON {
		summary = w.stderr
	}
	if err == nil || len(count) > 0 {
		printResults(summary, count)
	}
	if err == nil && undone {
		return errFailed
	}
	return err
}

type usersInit struct{}

func (usersInit) Run(w *world, all *cli) error {
	cfg, err := all.Users.load()
	if err != nil {
		return err
	}
	if err := daemon.InitStore(w.ctx, cfg.Users); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.stdout, "the table supportd_effects is there")
	return err
}

type usersMap struct {
	Example string `placeholder:"NAME" help:"Of the framework NAME: django, laravel, rails or wordpress."`
}

func (c *usersMap) Run(w *world, all *cli) error {
	text := mapfile.Example(c.Example)
	switch {
	case c.Example == "":
		u, err := config.Database(all.Users.Config)
		if err != nil {
			return inFile(all.Users.Config, err)
		}
		if text, err = daemon.DraftMap(w.ctx, u); err != nil {
			return err
		}
	case text == "":
		return usageError{fmt.Errorf("--example=%s: there are ready maps for %s", c.Example, strings.Join(mapfile.Examples(), ", "))}
	}
	_, err := io.WriteString(w.stdout, text)
	return err
}

type journalCmd struct {
	configFile
	Verify  journalVerify  `cmd:"" help:"Walk the chain; exit 1 at the first broken entry."`
	List    journalList    `cmd:"" help:"One entry a line, the newest first."`
	Export  journalExport  `cmd:"" help:"All entries, oldest first, as CSV or JSON lines; nothing personal unless details are asked for."`
	Receipt journalReceipt `cmd:"" help:"What was asked in a case, what was done, when and by whom, and the entries that prove it."`
}

// logFilter are the flags that say which entries of the journal are meant.
type logFilter struct {
	From    string   `placeholder:"TIME" help:"Not before."`
	To      string   `placeholder:"TIME" help:"Only before."`
	Case    mailID   `placeholder:"M-000456" help:"Only this case and its actions."`
	Action  actionID `placeholder:"A-000123" help:"Only this action."`
	Who     string   `placeholder:"NAME" help:"Only what they did: supportd, person, or one of the staff."`
	What    string   `placeholder:"WORD" help:"Only this: approved, hold, done, ..."`
	Details bool     `help:"With the details that are not forgotten: they may be personal."`
}

// filter reads the flags.
func (f logFilter) filter(clock clock) (out review.LogFilter, err error) {
	out = review.LogFilter{Who: f.Who, What: f.What, Details: f.Details}
	if f.From != "" {
		if out.From, err = clock.parse("--from", f.From); err != nil {
			return out, err
		}
	}
	if f.To != "" {
		if out.To, err = clock.parse("--to", f.To); err != nil {
			return out, err
		}
	}
	if f.Case != "" {
		if out.Case, err = inbox.ParseMailID(string(f.Case)); err != nil {
			return out, err
		}
	}
	if f.Action != "" {
		out.Action, err = inbox.ParseActionID(string(f.Action))
	}
	return out, err
}

type journalList struct {
	logFilter
	Oldest bool `help:"The oldest first."`
	Limit  int  `default:"100" help:"How many at most."`
	JSON   bool `help:"One JSON object a line."`
}

func (c *journalList) Run(w *world, all *cli) error {
	clock := all.Journal.clock()
	f, err := c.filter(clock)
	switch {
	case err != nil:
		return err
	case c.Limit <= 0:
		return usageError{errors.New("--limit must be 1 or more")}
	}
	f.Oldest = c.Oldest
	call := control.Call{Verb: "journal list", Log: f, Mails: c.Limit}
	if c.JSON {
		return all.Journal.raw(w, call)
	}
	t := newTable(w.stdout, "NUMBER", "AT", "WHO", "CASE", "ACTION", "WHAT")
	err = each(all.Journal.configFile, w, call, func(e review.LogEntry) error { t.row(entryCells(e, clock)...); return nil })
	return t.end(err)
}

type journalExport struct {
	logFilter
	Format string `default:"csv" enum:"csv,jsonl" help:"csv or jsonl; each line of jsonl has the entry as it is hashed."`
}

func (c *journalExport) Run(w *world, all *cli) error {
	f, err := c.filter(all.Journal.clock())
	if err != nil {
		return err
	}
	return all.Journal.pieces(w, control.Call{Verb: "journal export", Format: c.Format, Log: f})
}

type journalReceipt struct {
	ID   mailID `arg:"" help:"M-000456."`
	JSON bool   `help:"One JSON object."`
}

func (c *journalReceipt) Run(w *world, all *cli) error {
	call := control.Call{Verb: "journal receipt", ID: string(c.ID)}
	if c.JSON {
		return all.Journal.raw(w, call)
	}
	return each(all.Journal.configFile, w, call, func(r review.Receipt) error { return printReceipt(w.stdout, r, all.Journal.clock()) })
}

type journalVerify struct {
	Head headHash `placeholder:"HASH" help:"A head that was noted earlier: it must still stand in the chain."`
}

func (c *journalVerify) Run(w *world, all *cli) error {
	ok := true
	err := each(all.Journal.configFile, w, control.Call{Verb: "journal verify", Head: string(c.Head)}, func(f journal.Finding) error {
		ok = f.Broken == "" && f.Known
		return printFinding(w.stdout, f)
	})
	if err == nil && !ok {
		return errFailed
	}
	return err
}

type backupCmd struct {
	configFile
	To string `arg:"" help:"An empty directory, or one that does not exist."`
}

func (c *backupCmd) Run(w *world) error {
	to, err := filepath.Abs(c.To)
	if err != nil {
		return err
	}
	return c.say(w, control.Call{Verb: "backup", Path: to}, nil)
}
