package daemon

import (
	"context"
	"time"
)

// compactEvery is how often it is looked whether a compaction is due.
const compactEvery = 20 * time.Minute

// compact rewrites the state in quiet hours, once a night at most, when it would
// give back much and the disk has room. It returns when ctx ends.
func (d *Daemon) compact(ctx context.Context) error {
	for last := (time.Time{}); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(compactEvery):
		}
		now := time.Now().In(d.cfg.Site.Location)
		if !d.cfg.Compact.Hours.Has(now) || now.Sub(last) < 12*time.Hour {
			continue
		}
		done, err := d.compactNow(now)
		if done || err != nil {
			last = now
		}
		if err != nil {
			d.log.Error("daemon: the state was not compacted", "err", err)
		}
	}
}

// compactNow compacts the state if that is worth its while, and tells whether it
// did.
func (d *Daemon) compactNow(now time.Time) (bool, error) {
	s, err := d.state.Space()
	if err != nil || !s.Worth() {
		return false, err
	}
	if !s.Room() {
		d.log.Warn("daemon: the state is not compacted: its disk has no room for a copy", "bytes", s.Size, "freed", s.Freed, "disk", s.Disk)
		return true, nil // once a night is enough to say so
	}
	before, after, err := d.state.Compact()
	if err != nil {
		return false, err
	}
	d.log.Info("daemon: the state was compacted", "before", before, "after", after, "took", time.Since(now))
	return true, nil
}
