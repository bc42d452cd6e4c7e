package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/control"
	"push.guru/supportd/inbox/intake"
	"push.guru/supportd/inbox/journal"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
)

// call sends a Call to the running daemon, or answers it from the state when
// none runs; each item of the answer is given to put.
func (c configFile) call(w *world, call control.Call, body io.Reader, put func(json.RawMessage) error) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	client, err := control.Dial(control.Socket(cfg.StateDir))
	switch {
	case err == nil:
		return client.Do(w.ctx, call, body, put)
	case !errors.Is(err, control.ErrNoDaemon):
		return err
	}
	return callDirectly(w.ctx, cfg, call, body, put)
}

func callDirectly(ctx context.Context, cfg *config.Config, call control.Call, body io.Reader, put func(json.RawMessage) error) (err error) {
	d, err := daemon.Open(ctx, cfg, daemon.Options{})
	if errors.Is(err, state.ErrLocked) {
		return &inbox.Error{Err: err, Hint: "a daemon is starting or stopping: try again in a moment"}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Service().Do(ctx, control.Caller(), call, body, func(item any) error {
		b, err := json.Marshal(item)
		if err != nil {
			return err
		}
		return put(b)
	})
}

// say makes a call whose items are sentences.
func (c configFile) say(w *world, call control.Call, body io.Reader) error {
	return c.call(w, call, body, func(item json.RawMessage) error {
		var s control.Said
		if err := json.Unmarshal(item, &s); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w.stdout, s.Said)
		return err
	})
}

// each makes a call and decodes its items.
func each[T any](c configFile, w *world, call control.Call, f func(T) error) error {
	return c.call(w, call, nil, func(item json.RawMessage) error {
		var v T
		if err := json.Unmarshal(item, &v); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		return f(v)
	})
}

// raw makes a call and prints its items as they are.
func (c configFile) raw(w *world, call control.Call) error {
	return c.call(w, call, nil, func(item json.RawMessage) error {
		_, err := fmt.Fprintf(w.stdout, "%s\n", item)
		return err
	})
}

type actionsCmd struct {
	configFile
	List    actionsList    `cmd:"" help:"One action a line."`
	Show    actionsShow    `cmd:"" help:"Everything about one action."`
	Approve actionsApprove `cmd:"" help:"Let an action in review go on; the person's proof is still asked for."`
	Hold    actionsID      `cmd:"" help:"Stop an action where it is; its clocks stand still."`
	Release actionsID      `cmd:"" help:"Put a held action back, and send the letters of its case that were held."`
	Refuse  actionsReason  `cmd:"" help:"End an action; a proved person is told the reason."`
	Retry   actionsID      `cmd:"" help:"Run a failed action again."`
	Undo    actionsID      `cmd:"" help:"Ask the owner to agree that a change or deactivation is taken back."`
	Correct actionsCorrect `cmd:"" help:"Give an action another reading; the person is asked about it."`
	Answer  actionsText    `cmd:"" help:"Answer a question in writing."`
	Ask     actionsText    `cmd:"" help:"Ask the person something."`
	Close   actionsReason  `cmd:"" help:"End an action without a letter."`
}

type actionsList struct {
	State string `help:"Only this state." placeholder:"S"`
	Kind  string `help:"Only this kind." placeholder:"K"`
	JSON  bool   `help:"One JSON object a line."`
}

func (c *actionsList) Run(w *world, all *cli) error {
	call := control.Call{Verb: "actions list", State: c.State, Kind: c.Kind}
	if c.JSON {
		return all.Actions.raw(w, call)
	}
	t := newTable(w.stdout, "ID", "STATE", "KIND", "RECEIVED", "DUE", "SENDER", "NOTE")
	err := each(all.Actions.configFile, w, call, func(v review.ActionView) error {
		t.row(v.ID.String(), string(v.State), kindOf(v), when(v.Received), when(v.Due), v.Evidence.String(), v.Error)
		return nil
	})
	return errors.Join(err, t.flush())
}

type actionsShow struct {
	ID   string `arg:""`
	JSON bool   `help:"As JSON."`
}

func (c *actionsShow) Run(w *world, all *cli) error {
	call := control.Call{Verb: "actions show", ID: c.ID}
	if c.JSON {
		return all.Actions.raw(w, call)
	}
	return each(all.Actions.configFile, w, call, func(v review.ActionDetail) error { return printAction(w.stdout, v) })
}

type actionsApprove struct {
	ID           string `arg:""`
	WithoutProof string `placeholder:"REASON" help:"Carry it out although the owner's proof is missing; the reason stands in the journal."`
}

func (c *actionsApprove) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "approve", ID: c.ID, Reason: c.WithoutProof}, nil)
}

type actionsID struct {
	ID string `arg:""`
}

func (c *actionsID) Run(w *world, all *cli, verb command) error {
	return all.Actions.say(w, control.Call{Verb: string(verb), ID: c.ID}, nil)
}

type actionsReason struct {
	ID     string `arg:""`
	Reason string `required:"" placeholder:"TEXT" help:"Why; a refusal's reason is sent to the person."`
}

func (c *actionsReason) Run(w *world, all *cli, verb command) error {
	return all.Actions.say(w, control.Call{Verb: string(verb), ID: c.ID, Reason: c.Reason}, nil)
}

type actionsText struct {
	ID   string `arg:""`
	File string `arg:"" help:"The text; - is standard input."`
}

func (c *actionsText) Run(w *world, all *cli, verb command) error {
	text, err := readFile(w, c.File)
	if err != nil {
		return err
	}
	return all.Actions.say(w, control.Call{Verb: string(verb), ID: c.ID, Text: string(text)}, nil)
}

type actionsCorrect struct {
	ID    string   `arg:""`
	Kind  string   `placeholder:"K" help:"change, delete, deactivate, copy, describe or withdraw."`
	Scope string   `placeholder:"S" help:"Of a delete: account or fields."`
	Edits []string `arg:"" optional:"" help:"FIELD=VALUE, FIELD+=VALUE or -FIELD."`
}

func (c *actionsCorrect) Run(w *world, all *cli) error {
	return all.Actions.say(w, control.Call{Verb: "correct", ID: c.ID,
		Correction: review.Correction{Kind: c.Kind, Scope: c.Scope, Edits: c.Edits}}, nil)
}

type mailsCmd struct {
	configFile
	List   mailsList   `cmd:"" help:"One mail a line."`
	Show   mailsShow   `cmd:"" help:"Everything about one mail."`
	Replay mailsReplay `cmd:"" help:"Process a quarantined, held or ignored mail again."`
}

type mailsList struct {
	JSON bool `help:"One JSON object a line."`
}

func (c *mailsList) Run(w *world, all *cli) error {
	call := control.Call{Verb: "mails list"}
	if c.JSON {
		return all.Mails.raw(w, call)
	}
	t := newTable(w.stdout, "ID", "STATE", "MAILBOX", "RECEIVED", "ACTIONS", "REASON")
	err := each(all.Mails.configFile, w, call, func(v review.MailView) error {
		t.row(v.ID.String(), string(v.State), v.Mailbox, when(v.Received), actionIDs(v.Actions), v.Reason)
		return nil
	})
	return errors.Join(err, t.flush())
}

type mailsShow struct {
	ID string `arg:""`
}

func (c *mailsShow) Run(w *world, all *cli) error {
	return each(all.Mails.configFile, w, control.Call{Verb: "mails show", ID: c.ID}, func(v review.MailDetail) error { return printMail(w.stdout, v) })
}

type mailsReplay struct {
	ID string `arg:""`
}

func (c *mailsReplay) Run(w *world, all *cli) error {
	return all.Mails.say(w, control.Call{Verb: "mails replay", ID: c.ID}, nil)
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
	Import usersImport `cmd:"" help:"Add or replace people from a CSV file with a header, or JSON lines."`
	Export usersExport `cmd:"" help:"Everybody, as JSON lines."`
	Show   usersShow   `cmd:"" help:"Whoever has an address on record."`
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

type journalCmd struct {
	configFile
	Verify journalVerify `cmd:"" help:"Walk the chain; exit 1 at the first broken entry."`
}

type journalVerify struct {
	Head string `placeholder:"HASH" help:"A head that was noted earlier: it must still stand in the chain."`
}

func (c *journalVerify) Run(w *world, all *cli) error {
	ok := true
	err := each(all.Journal.configFile, w, control.Call{Verb: "journal verify", Head: c.Head}, func(f journal.Finding) error {
		fmt.Fprintf(w.stdout, "%d entries hold, %d details forgotten\nhead %s\n", f.Entries, len(f.Forgotten), f.Head)
		switch {
		case f.Broken != "":
			ok = false
			fmt.Fprintln(w.stdout, "BROKEN:", f.Broken)
		case !f.Known:
			ok = false
			fmt.Fprintln(w.stdout, "BROKEN: the head that was asked for is not in this chain")
		}
		return nil
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
