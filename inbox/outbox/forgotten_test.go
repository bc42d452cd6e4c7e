package outbox_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/outbox"
	"push.guru/supportd/inbox/state"
)

// A letter whose key is dropped after it was read, and before it is claimed, is
// void, however large it is; the others of its batch go out as ever.
func TestALetterThatIsForgottenBeforeItIsClaimed(t *testing.T) {
	for _, size := range []int{10, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var db *state.DB
				forget := sync.OnceFunc(func() {
					if err := db.Forget([]inbox.MailID{1}); err != nil {
						t.Error(err)
					}
				})
				db, err := state.Open(state.Config{Dir: t.TempDir(), Point: func(name string) {
					if name == "before commit send" {
						forget()
					}
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				oweBy(t, db, "support", 1, "bob@users.test")
				oweBy(t, db, "support", 2, "eve@users.test")
				lengthen(t, db, size)
				server := &quick{taken: make(map[string]int)}
				o := outbox.New(outbox.Config{State: db, Cases: cases.New(cases.Config{}),
					Boxes: []outbox.Box{{Name: "support", Connections: 2, Open: func() outbox.Sender { return server }}}})
				if err := o.Drain(t.Context()); err != nil {
					t.Error(err)
				}
				if server.taken["bob@users.test"] != 0 || server.taken["eve@users.test"] != 1 {
					t.Errorf("sent: %v", server.taken)
				}
				if err := db.View(func(tx *state.Tx) error {
					r, err := tx.Reply(1)
					if err == nil && (r.State != inbox.ReplyVoid || r.Error != "its content was forgotten") {
						t.Errorf("it is %s: %s", r.State, r.Error)
					}
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// lengthen gives letters a text of so many bytes.
func lengthen(t *testing.T, db *state.DB, size int) {
	t.Helper()
	err := db.Update(t.Context(), "lengthen", func(tx *state.Tx) error {
		for id := inbox.ReplyID(1); id <= tx.LastReply(); id++ {
			r, err := tx.Reply(id)
			if err != nil {
				return err
			}
			r.Detail.Text = strings.Repeat("a", size)
			if err := tx.PutReply(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
