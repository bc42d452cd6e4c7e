package daemon_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox/state"
)

// swell makes most of the state's pages hold nothing any more.
func swell(p *place) {
	p.t.Helper()
	p.stop()
	if err := p.d.Close(); err != nil {
		p.t.Fatal(err)
	}
	db, err := state.Open(state.Config{Dir: p.cfg.StateDir})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, text := range []string{strings.Repeat("a long note ", 1<<18), ""} {
		for n := range 20 {
			if err := db.Update(p.t.Context(), "test", func(tx *state.Tx) error { return tx.SetMeta(fmt.Sprint("swollen ", n), text) }); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.open()
}

// TestCompactedAtNight: a state that has become much smaller than its file is
// compacted in the quiet hours of the site's zone, and at no other time.
func TestCompactedAtNight(t *testing.T) {
	size := func(p *place) int64 {
		info, err := os.Stat(filepath.Join(p.cfg.StateDir, "state.db"))
		if err != nil {
			p.t.Fatal(err)
		}
		return info.Size()
	}
	for hours, want := range map[string]bool{"02:00-05:00": true, "": false} {
		inPlace(t, setup{more: fmt.Sprintf("[compact]\nhours = %q\n", hours)}, func(p *place) {
			swell(p)
			before := size(p)
			p.start()
			zone := p.cfg.Site.Location
			now := time.Now().In(zone)
			night := time.Date(now.Year(), now.Month(), now.Day()+1, 2, 0, 0, 0, zone)
			p.passes(night.Sub(now) - 2*time.Minute)
			if size(p) != before {
				t.Error("it was compacted by day")
			}
			p.passes(time.Hour)
			if smaller := size(p) < before/2; smaller != want {
				t.Errorf("hours %q: %d bytes before the night, %d after it", hours, before, size(p))
			}
			p.takes("alice@users.test", "my data", copyPlease)
		})
	}
}
