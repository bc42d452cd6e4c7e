package cases

import (
	"errors"
	"slices"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/state"
)

// TestPastWithoutTasks: a copy lists what a person asked, and not what the
// program asked of staff about it.
func TestPastWithoutTasks(t *testing.T) {
	db, err := state.Open(state.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	k := &Keeper{}
	err = db.Update(t.Context(), "test", func(tx *state.Tx) error {
		id, err := tx.NewMailID()
		if err != nil {
			return err
		}
		m := &inbox.Mail{ID: id, Evidence: inbox.LevelAligned, Detail: &inbox.MailDetail{Text: "Please change my phone number."}}
		for _, a := range []*inbox.Action{
			{Case: id, Kind: inbox.KindChange, Detail: &inbox.ActionDetail{Person: "17"}},
			{Case: id, Kind: inbox.KindQuestion, Topic: inbox.TopicTell, Detail: &inbox.ActionDetail{Person: "17", Task: "tell Mailchimp"}},
		} {
			if err := errors.Join(tx.PutMail(m), tx.Tie(state.TieAddress, "anna@users.test", id), k.add(tx, m, a, inbox.EventReview)); err != nil {
				return err
			}
		}
		past, err := k.Past(tx, "17", "anna@users.test")
		if err != nil || len(past) != 1 || !slices.Equal(past[0].Asked, []string{"change review"}) {
			t.Errorf("the past is %+v, %v", past, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
