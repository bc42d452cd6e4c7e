package state

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// TestSift: what is passed over unread is what reading would have left out, also
// where a name holds what a line is looked through for.
func TestSift(t *testing.T) {
	db := newState(t)
	base := time.Now().UTC()
	boxes, who := []string{"support", `a "who":"eve", <b>`}, []string{"", "dana", "dan", `e"ve`}
	db.update(t, func(tx *Tx) error {
		for i := range 48 {
			id, err := tx.NewMailID()
			if err != nil {
				return err
			}
			a := &inbox.Action{ID: inbox.ActionID(i + 1), Case: id, Kind: inbox.Kinds()[i%3], State: []inbox.State{inbox.StateReview, inbox.StateScheduled, inbox.StateHeld}[i%3],
				Mailbox: boxes[i%2], Language: []string{"en", "ru-KZ", "und", "kk"}[i%4], Assignee: who[i/3%4], Due: base.Add(time.Duration(i) * time.Hour)}
			if err := tx.PutMail(&inbox.Mail{ID: id, Ref: inbox.Ref{Mailbox: boxes[i%2], UID: uint32(id)}, Received: tx.Now}); err != nil {
				return err
			}
			if err := tx.PutAction(a); err != nil {
				return err
			}
		}
		return nil
	})
	list := func(tx *Tx, s Sift) (out []string) {
		if err := tx.OpenSifted("", s, func(o Line, key string) bool { out = append(out, fmt.Sprintf("%x %+v", key, o)); return true }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	db.view(t, func(tx *Tx) error {
		for _, c := range []struct {
			name string
			s    Sift
			has  func(o Line) bool
		}{
			{"all", Sift{}, func(Line) bool { return true }},
			{"class", Sift{Class: ClassSelf}, func(o Line) bool { return o.Class == ClassSelf }},
			{"kind and state", Sift{Kind: inbox.Kinds()[0], State: inbox.StateReview}, func(o Line) bool { return o.Kind == inbox.Kinds()[0] && o.State == inbox.StateReview }},
			{"language", Sift{Language: "ru"}, func(o Line) bool { return strings.HasPrefix(o.Language, "ru") }},
			{"mailbox", Sift{Mailbox: boxes[1]}, func(o Line) bool { return o.Mailbox == boxes[1] }},
			{"assignee", Sift{Assignee: "dan"}, func(o Line) bool { return o.Assignee == "dan" }},
			{"odd assignee", Sift{Assignee: `e"ve`}, func(o Line) bool { return o.Assignee == `e"ve` }},
			{"an assignee that only a mailbox names", Sift{Assignee: "eve"}, func(Line) bool { return false }},
			{"unassigned", Sift{Unassigned: true}, func(o Line) bool { return o.Assignee == "" }},
			{"due", Sift{DueBefore: base.Add(9 * time.Hour)}, func(o Line) bool { return o.Due.Before(base.Add(9 * time.Hour)) }},
			{"letters", Sift{Letters: true}, func(o Line) bool { return o.Letters }},
		} {
			var want []string
			err := tx.OpenAfter("", func(o Line, key string) bool {
				if c.has(o) {
					want = append(want, fmt.Sprintf("%x %+v", key, o))
				}
				return true
			})
			if got := list(tx, c.s); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %d lines, want %d; %v", c.name, len(got), len(want), err)
			}
		}
		if got := tx.OpenLanguages(); !slices.Equal(got, []string{"en", "kk", "ru", "und"}) {
			t.Errorf("the languages are %v", got)
		}
		return nil
	})
}
