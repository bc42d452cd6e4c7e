package daemon

import (
	"context"
	"strings"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/state"
)

// Person reads the user store; users.ErrNotFound when nobody has the ID.
func (d *Daemon) Person(ctx context.Context, id string) (users.Person, error) {
	return d.store.Get(ctx, id)
}

// ImportPeople adds people to the embedded store from JSON lines.
func (d *Daemon) ImportPeople(ctx context.Context, jsonl string) error {
	_, err := d.embedded.Import(ctx, strings.NewReader(jsonl), "jsonl")
	return err
}

// Letter names the letter that has one of our Message-IDs; "" when none has.
func (d *Daemon) Letter(messageID string) string {
	name := ""
	err := d.state.View(func(tx *state.Tx) error {
		r, err := tx.ReplyByMessageID(messageID)
		if r != nil {
			name = r.Name
		}
		return err
	})
	if err != nil {
		return ""
	}
	return name
}

// Reads counts what was read of the state since it was opened; see
// state.DB.Reads.
func (d *Daemon) Reads() int64 { return d.state.Reads() }

// Desk is where staff act: what the pages are made of.
func (d *Daemon) Desk() *review.Desk { return d.desk }

// CheckOpen counts what is open anew; see state.Tx.CheckOpen.
func (d *Daemon) CheckOpen() (faults []string, err error) {
	err = d.state.View(func(tx *state.Tx) error { faults, err = tx.CheckOpen(); return err })
	return faults, err
}
