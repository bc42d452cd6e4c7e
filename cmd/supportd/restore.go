package main

import (
	"errors"
	"fmt"

	"push.guru/supportd/cmd/internal/daemon"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

type restoreCmd struct {
	configFile
	From     string   `arg:"" help:"The directory that backup wrote."`
	Identity string   `placeholder:"FILE" help:"The age identity of backup.recipient, when the keys of the copy are encrypted."`
	Lists    []string `name:"forgotten" placeholder:"DIR" help:"Another copy of the directory forgotten, newer than the one in the copy; may be given again. The one in place is read in any case."`
}

// Help explains what the usage cannot.
func (restoreCmd) Help() string {
	return "Stop the daemon first. What was forgotten since the copy was made is forgotten again: dropped keys, and in the embedded user " +
		"store the deletes of people. All files are put together and looked at before any takes its place; what was there before is moved to " +
		"the directory replaced. A restore that was cut short leaves the old state, or is finished by the next start. Afterwards everything " +
		"open is held, and nothing is sent until \"supportd resume\"."
}

func (c *restoreCmd) Run(w *world) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	tell := func(line string) { fmt.Fprintln(w.stdout, plain(line)) }
	point := killPoint()
	err = daemon.Restore(w.ctx, cfg, daemon.RestoreOptions{From: c.From, Identity: c.Identity, Lists: c.Lists, Tell: tell, Point: point},
		daemon.Options{Log: logger(cfg, w.stderr), Point: point})
	if errors.Is(err, state.ErrLocked) {
		return &inbox.Error{Err: err, Hint: "stop the daemon first"}
	}
	return err
}
