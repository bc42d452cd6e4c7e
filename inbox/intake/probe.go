package intake

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/state"
)

const (
	// probeTime is how long a Message-ID that was drawn for a probe counts.
	probeTime = time.Hour
	// maxProbes bounds the Message-IDs that count at a time.
	maxProbes = 500
	// noteProbes is the note of the state that has them.
	noteProbes = "probes"

	whyProbe = `a mail that "supportd check --probe" sent`
)

// probed is a Message-ID that was drawn for a probe.
type probed struct {
	Until time.Time `json:"until"`
	Mail  string    `json:"mail,omitempty"` // keyed hash of the digest of the one mail that came with it
}

// ProbeIDs draws Message-IDs for mails that a probe sends to a mailbox of
// ours. For an hour the one mail that comes with such an ID is put on record as
// ignored, and left where it is: whoever sent it takes it away. The IDs are
// random and of our own choice, so that nobody can have another mail ignored;
// a second mail with one of them is judged like any other. who stands in the
// journal.
func (in *Intake) ProbeIDs(ctx context.Context, who string, n int, to string) ([]string, error) {
	domain := address.DomainOf(to)
	if domain == "" || n < 1 {
		return nil, errors.New("probing a mailbox: its address or the number of mails is missing")
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = NewProbeID(domain)
	}
	err := in.State.Update(ctx, "probe", func(tx *state.Tx) error {
		all, err := readProbes(tx)
		if err != nil {
			return err
		}
		for id, p := range all {
			if tx.Now.After(p.Until) {
				delete(all, id)
			}
		}
		if len(all)+n > maxProbes {
			return fmt.Errorf("probing a mailbox: %d mails of probes are still awaited: try again in an hour", len(all))
		}
		for _, id := range ids {
			all[probeKey(tx, id)] = probed{Until: tx.Now.Add(probeTime)}
		}
		return errors.Join(writeProbes(tx, all), tx.Journal("probe", who, 0, 0, map[string]int{"mails": n}))
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// NewProbeID draws a Message-ID for a mail of a probe, without angle brackets.
func NewProbeID(domain string) string { return "probe." + strings.ToLower(rand.Text()) + "@" + domain }

// isProbe tells whether a mail is the one that came with a Message-ID that was
// drawn for a probe.
func isProbe(tx *state.Tx, p *prepared) (bool, error) {
	if p.msg.ID == "" {
		return false, nil
	}
	all, err := readProbes(tx)
	if err != nil {
		return false, err
	}
	key, mail := probeKey(tx, p.msg.ID), hex.EncodeToString(tx.Hash("digest", string(p.msg.Digest[:])))
	drawn, ok := all[key]
	switch {
	case !ok || tx.Now.After(drawn.Until):
		return false, nil
	case drawn.Mail == "":
		drawn.Mail = mail
		all[key] = drawn
		return true, writeProbes(tx, all)
	}
	return drawn.Mail == mail, nil
}

func probeKey(tx *state.Tx, id string) string { return hex.EncodeToString(tx.Hash("probe", id)) }

func readProbes(tx *state.Tx) (map[string]probed, error) {
	all := make(map[string]probed)
	note := tx.Meta(noteProbes)
	if note == "" {
		return all, nil
	}
	if err := json.Unmarshal([]byte(note), &all); err != nil {
		return nil, fmt.Errorf("reading which mails are probes: %w", err)
	}
	return all, nil
}

func writeProbes(tx *state.Tx, all map[string]probed) error {
	b, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("noting which mails are probes: %w", err)
	}
	return tx.SetMeta(noteProbes, string(b))
}
