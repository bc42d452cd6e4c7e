package daemon

import (
	"errors"
	"fmt"
	"strings"

	"push.guru/supportd/cmd/internal/config"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// CheckDeep reads all of the state and looks whether it is sound; it changes
// nothing, and does not touch the user store. The daemon must not run.
func CheckDeep(cfg *config.Config) []Check {
	parts, err := state.Examine(state.Config{Dir: cfg.StateDir, Forgotten: cfg.Backup.Forgotten})
	switch {
	case errors.Is(err, state.ErrLocked):
		return []Check{{Name: "state", Err: &inbox.Error{Err: err, Hint: "stop the daemon first"}}}
	case err != nil:
		return []Check{{Name: "state", Err: err}}
	}
	var out []Check
	for _, p := range parts {
		c := Check{Name: p.Name}
		if p.Seen != "" {
			c.Name += ": " + p.Seen
		}
		if p.Count > 0 {
			more := ""
			if n := p.Count - len(p.Faults); n > 0 {
				more = fmt.Sprintf("; and %d more", n)
			}
			c.Err = &inbox.Error{Err: errors.New(strings.Join(p.Faults, "; ") + more), Hint: `keep a copy of ` + cfg.StateDir + ` and put the last backup in place: supportd restore -c FILE COPY`}
		}
		out = append(out, c)
	}
	return out
}
