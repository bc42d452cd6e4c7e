package daemon

import (
	"context"
	"errors"
	"time"

	"push.guru/supportd/inbox/state"
)

const (
	compactEvery = 20 * time.Minute // how often it is looked whether a compaction is due
	compactSlow  = 1 << 20          // bytes a second that the slowest of disks copies
)

// compact rewrites the state in quiet hours, once a night at most, when it would
// give back much and the disk has room. It returns when ctx ends.
func (d *Daemon) compact(ctx context.Context) error {
	defer d.pulse.Beat("compaction", 0)
	for last := (time.Time{}); ; {
		d.pulse.Beat("compaction", compactEvery+watchTime)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(compactEvery):
		}
		now := d.state.Now().In(d.cfg.Site.Location)
		if !d.cfg.Compact.Hours.Has(now) || now.Sub(last) < 12*time.Hour {
			continue
		}
		done, err := d.compactNow()
		if done || err != nil {
			last = now
		}
		if err != nil {
			d.log.Error("daemon: the state was not compacted", "err", err)
		}
	}
}

// compactNow compacts the state if that is worth its while, and tells whether it
// did. Who writes waits meanwhile, and does not count as hanging.
func (d *Daemon) compactNow() (done bool, err error) {
	s, err := d.state.Space()
	if err != nil || !s.Worth() {
		return false, err
	}
	if !s.Room() {
		d.log.Warn("daemon: the state is not compacted: its disk has no room for a copy", "bytes", s.Size, "freed", s.Freed, "disk", s.Disk)
		return true, nil // once a night is enough to say so
	}
	began := time.Now()
	var before, after int64
	d.pulse.Alone("compaction", watchTime+time.Duration((s.Size-s.Freed)/compactSlow)*time.Second, func() { before, after, err = d.state.Compact() })
	switch {
	case errors.Is(err, state.ErrBackup):
		return false, nil // the next look is soon
	case err != nil:
		return false, err
	}
	d.log.Info("daemon: the state was compacted", "before", before, "after", after, "took", time.Since(began))
	return true, nil
}
