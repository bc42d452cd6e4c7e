package handlers_test

import (
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// TestMovedThenGone: somebody's address changes, then they want a copy, and then
// their account deleted. What is linked by their address comes along all the
// way, with what hangs on it, and nothing of anybody else's.
func TestMovedThenGone(t *testing.T) {
	move := inbox.Request{Kind: inbox.KindChange, Changes: []inbox.Change{{Field: inbox.FieldEmail, Op: inbox.OpSet, Value: "anna@new.test"}}}
	for _, store := range databases {
		t.Run(store, func(t *testing.T) {
			d := shop(t, store).desk(t, shopMap(t))
			before, others := d.records(d.find("anna@users.test")), of("boris", d.dump())
			strangers := append(of("another", d.dump()), of("guest", d.dump())...)
			job := d.job("k-1", d.find("anna@users.test"), move, false)
			d.perform(job)
			d.perform(job) // it comes again after a crash
			who := d.find("anna@new.test")
			if who.ID != "17" {
				t.Errorf("found person %s under the new address", who.ID)
			}
			if found, err := d.Find(t.Context(), "anna@users.test"); err != nil || len(found) > 0 {
				t.Errorf("found %+v under the old address, %v", found, err)
			}
			d.perform(d.job("k-2", who, copied, false))
			var held []string
			for _, row := range rowsOf(t, d.sent) {
				held = append(held, row[3])
			}
			for _, want := range []string{"I am anna", "dear anna", "anna@new.test"} {
				if !slices.Contains(held, want) {
					t.Errorf("the copy lacks %q: %q", want, held)
				}
			}
			if n := d.records(who); n != before {
				t.Errorf("%d records after the change, and %d before", n, before)
			}
			d.perform(d.job("k-3", who, deleteAccount, false))
			after := theirs(d.dump())
			for _, line := range after {
				if (strings.HasPrefix(line, "letters: ") || strings.HasPrefix(line, "answers: ")) && len(of("anna", []string{line})) > 0 && len(of("another", []string{line})) == 0 {
					t.Errorf("left after the delete: %s", line)
				}
			}
			if got := of("boris", after); !slices.Equal(got, theirs(others)) {
				t.Errorf("somebody else has %q, and had %q", got, others)
			}
			if got := append(of("another", after), of("guest", after)...); !slices.Equal(got, strangers) {
				t.Errorf("strangers have %q, and had %q", got, strangers)
			}
		})
	}
}
