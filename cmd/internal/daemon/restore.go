package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/policy"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
)

// sealTo encrypts copies of keys to an age recipient; nil without one.
func sealTo(recipient string) state.Seal {
	if recipient == "" {
		return nil
	}
	return func(w io.Writer) (io.WriteCloser, error) {
		to, err := age.ParseRecipients(strings.NewReader(recipient))
		if err != nil {
			return nil, fmt.Errorf("reading backup.recipient: %w", err)
		}
		return age.Encrypt(w, to...)
	}
}

// openWith decrypts with the identities of a file; nil without one.
func openWith(identity string) func(io.Reader) (io.Reader, error) {
	if identity == "" {
		return nil
	}
	return func(r io.Reader) (io.Reader, error) {
		f, err := os.Open(identity)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		ids, err := age.ParseIdentities(f)
		if err != nil {
			return nil, &inbox.Error{Err: fmt.Errorf("%s holds no age identity", identity), Hint: `it is what "age-keygen" wrote; one with a passphrase must be decrypted first, with "age -d"`}
		}
		clear, err := age.Decrypt(r, ids...)
		var other *age.NoIdentityMatchError
		if errors.As(err, &other) {
			return nil, &inbox.Error{Err: fmt.Errorf("the keys of the copy were encrypted to another recipient than that of %s", identity), Hint: "name the identity of the recipient that was configured when the copy was made"}
		}
		return clear, err
	}
}

// RestoreOptions say what is restored.
type RestoreOptions struct {
	From     string            // the directory of the copy
	Identity string            // file with the age identity of a copy whose keys are encrypted; "": none
	Lists    []string          // copies of the list of what was forgotten that are elsewhere
	Tell     func(line string) // hears what was done, a sentence each
	Point    func(name string) // called at the steps of the restore; nil: not at all
}

// Restore puts a copy in place of the state, and of the embedded user store, has
// what was forgotten since forgotten again, and repeats the deletes. What was
// open is held until staff resume.
func Restore(ctx context.Context, cfg *config.Config, o RestoreOptions, opt Options) error {
	c := state.RestoreConfig{Dir: cfg.StateDir, From: o.From, Forgotten: cfg.Backup.Forgotten, Lists: o.Lists, Open: openWith(o.Identity), Point: o.Point}
	embedded := cfg.Users.Store == "bolt"
	if embedded {
		if filepath.Dir(cfg.Users.Path) != filepath.Clean(cfg.StateDir) || filepath.Base(cfg.Users.Path) != "users.db" {
			o.Tell("the user store " + cfg.Users.Path + " is left as it is: it is not users.db in the state's directory")
		} else {
			c.Files = []string{"users.db"}
		}
	}
	if err := listed(cfg); err != nil {
		return err
	}
	r, err := state.Restore(c)
	if err != nil {
		return err
	}
	tellRestored(r, o)
	d, err := Open(ctx, cfg, opt) // holds what is open, and repeats the deletes
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	if !embedded {
		o.Tell(`the people are in the site's database: if that was restored, too, repeat the deletes with "supportd users reapply --since TIME"`)
	}
	o.Tell(`everything open is held, and nothing is sent until "supportd resume"`)
	return nil
}

// listed refuses a list of what was forgotten that is not where the configuration
// says: without it all of that would be back. In the state's own directory it may
// be lost, or not begun.
func listed(cfg *config.Config) error {
	if cfg.Backup.Forgotten == "" || filepath.Dir(cfg.Backup.Forgotten) == filepath.Clean(cfg.StateDir) {
		return nil
	}
	if _, err := os.Stat(cfg.Backup.Forgotten); err != nil {
		return &inbox.Error{Err: fmt.Errorf("looking for what was forgotten: %w", err),
			Hint: "see whether its disk is there and backup.forgotten is right; where nothing of it is left, make the directory"}
	}
	return nil
}

func tellRestored(r state.Restored, o RestoreOptions) {
	if r.Finished {
		o.Tell("an earlier restore was cut short, and is finished now; nothing else was done")
	} else {
		o.Tell(fmt.Sprintf("restored from %s; forgotten since it was made: %d keys; deletes carried out since: %d", o.From, r.Keys, r.Deletes))
	}
	if r.Replaced != "" {
		o.Tell("what was there before is in " + r.Replaced + ": see whether something in it is still needed, and remove it")
	}
}

// repeatDeletes repeats, in an embedded store that was restored with the state,
// the deletes that were carried out since the copy was made.
func (d *Daemon) repeatDeletes(ctx context.Context) error {
	if d.embedded == nil {
		return nil
	}
	var since time.Time
	err := d.state.View(func(tx *state.Tx) (err error) { since, err = tx.DeletesSince(); return err })
	if err != nil || since.IsZero() {
		return err
	}
	if policy.Mode(d.cfg.Policy.Mode) == policy.Observe || d.cfg.Users.Reapply == 0 {
		d.log.Warn("daemon: deletes from before the restore are not repeated: policy.mode is observe, or users.reapply 0s", "since", since)
		return nil
	}
	if now := d.state.Now(); since.After(now) { // by the clock of another machine
		since = now
	}
	failed := 0
	err = d.desk.Reapply(ctx, inbox.WhoProgram, since, false, func(r review.Repetition) error {
		if r.Result == review.ResultFailed {
			failed++
		}
		d.log.Info("daemon: a delete from before the restore", "action", r.Action.String(), "result", string(r.Result))
		return nil
	})
	if errors.Is(err, review.ErrNotKept) { // the list had them, and put them into the state
		err = nil
	}
	if err == nil && failed > 0 {
		err = &inbox.Error{Err: fmt.Errorf("%d deletes failed", failed), Hint: "the log says why; to start without them, set users.reapply to 0s"}
	}
	if err != nil {
		return fmt.Errorf("repeating the deletes that were carried out since the restored copy was made: %w", err)
	}
	return d.state.Update(ctx, "deletes repeated", func(tx *state.Tx) error { return tx.DeletesRepeated() })
}
