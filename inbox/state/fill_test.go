package state

import (
	"testing"

	bolt "go.etcd.io/bbolt"

	"push.guru/supportd/inbox"
)

// TestPagesAreFilled: of what comes in the order of time little room is left
// behind, for a state that lasts for years.
func TestPagesAreFilled(t *testing.T) {
	db := newState(t)
	for n := range uint32(40) {
		db.update(t, func(tx *Tx) error {
			for i := range uint32(25) {
				m := addMail(t, tx, 25*n+i+1)
				addAction(t, tx, m, inbox.EventReview)
				if err := tx.Journal("asked to confirm", inbox.WhoProgram, m.ID, 0, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := db.bolt.View(func(tx *bolt.Tx) error {
		for _, name := range []string{"mails", "actions", "journal", "journal_of", "mail_refs"} {
			s := tx.Bucket([]byte(name)).Stats()
			if used := float64(s.LeafInuse) / float64(s.LeafAlloc); s.LeafPageN < 5 || used < 0.7 {
				t.Errorf("%s: %.0f %% of %d pages are used", name, 100*used, s.LeafPageN)
			} else {
				t.Logf("%s: %.0f %% of %d pages are used", name, 100*used, s.LeafPageN)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
