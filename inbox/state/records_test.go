package state

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
)

// filled sets every field of a struct to something that is not its zero, so
// that a field which storage drops is seen, also one of tomorrow.
func filled(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 3, 2, 10, 0, 0, 7, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		filled(v.Index(0))
		filled(v.Index(1))
	case reflect.Array:
		filled(v.Index(0))
	case reflect.String:
		v.SetString("é <b> & \u2028 " + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Int:
		v.SetInt(2)
	default:
		v.SetUint(3)
	}
}

func TestRoundTrips(t *testing.T) {
	db := newState(t)
	var mail, gotMail *inbox.Mail
	var action, gotAction *inbox.Action
	var reply, gotReply *inbox.Reply
	for _, v := range []any{&mail, &action, &reply} {
		filled(reflect.ValueOf(v).Elem())
	}
	// Detail is stored apart; these words must be known.
	mail.Evidence, action.Evidence = inbox.LevelRoundtrip, inbox.LevelAligned
	db.update(t, func(tx *Tx) error { return errors.Join(tx.PutMail(mail), tx.PutAction(action), tx.PutReply(reply)) })
	db.view(t, func(tx *Tx) error {
		var errs [3]error
		gotMail, errs[0] = tx.Mail(mail.ID)
		gotAction, errs[1] = tx.Action(action.ID)
		gotReply, errs[2] = tx.Reply(reply.ID)
		return errors.Join(errs[:]...)
	})
	for _, pair := range [][2]any{{mail, gotMail}, {action, gotAction}, {reply, gotReply}} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%+v\ncame back as\n%+v", pair[0], pair[1])
		}
	}
}

func TestNotFound(t *testing.T) {
	db := newState(t)
	db.view(t, func(tx *Tx) error {
		_, mail := tx.Mail(7)
		_, action := tx.Action(7)
		_, reply := tx.Reply(7)
		_, acts := tx.CaseActions(7)
		for _, err := range []error{mail, action, reply, acts} {
			if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "-000007") {
				t.Errorf("got %v", err)
			}
		}
		r, err := tx.ReplyByMessageID("none@site.test")
		q, err2 := tx.AskByToken(token)
		if r != nil || q != nil || !tx.NextDue(time.Unix(0, 0)).IsZero() || !tx.NextReply().IsZero() || !tx.NextRetry().IsZero() {
			t.Error("an empty state has something")
		}
		return errors.Join(err, err2)
	})
}

// indexes reads what the indexes of Actions say, as text.
func indexes(t *testing.T, tx *Tx, addresses ...string) string {
	t.Helper()
	var out []string
	for _, s := range inbox.States() {
		err := tx.ActionsIn(s, func(a *inbox.Action) bool { out = append(out, string(s)+" "+a.ID.String()); return true })
		if err != nil {
			t.Fatal(err)
		}
	}
	tx.eachID("action_due", nil, func(id uint64) bool { out = append(out, "due "+inbox.ActionID(id).String()); return true })
	for _, addr := range addresses {
		acts, err := tx.OpenActions(addr)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range acts {
			out = append(out, "of "+addr+" "+a.ID.String())
		}
	}
	return strings.Join(out, ", ")
}

// TestActionIndexes walks one Action through its life; after each step the
// indexes say exactly what the record says.
func TestActionIndexes(t *testing.T) {
	const fresh = "fresh@example.net"
	db := newState(t)
	var id inbox.ActionID
	db.update(t, func(tx *Tx) error {
		id = addAction(t, tx, addMail(t, tx, 1), inbox.EventReview).ID
		return nil
	})
	steps := []struct {
		event inbox.Event
		edit  func(tx *Tx, a *inbox.Action)
		want  string
	}{
		{"", nil, "review A-000001, of " + from + " A-000001"},
		{inbox.EventAsk, nil, "unconfirmed A-000001, of " + from + " A-000001"},
		{"", func(tx *Tx, a *inbox.Action) { a.Expires = tx.Now.Add(time.Hour) }, "unconfirmed A-000001, due A-000001, of " + from + " A-000001"},
		{inbox.EventHold, nil, "held A-000001, of " + from + " A-000001"},
		{inbox.EventRelease, nil, "unconfirmed A-000001, due A-000001, of " + from + " A-000001"},
		{inbox.EventYes, func(tx *Tx, a *inbox.Action) { a.RunAfter = tx.Now.Add(2 * time.Hour) }, "scheduled A-000001, due A-000001, of " + from + " A-000001"},
		{"", func(_ *Tx, a *inbox.Action) { a.Detail.Address = fresh }, "scheduled A-000001, due A-000001, of " + fresh + " A-000001"},
		{"", func(_ *Tx, a *inbox.Action) { a.RunAfter = time.Time{} }, "scheduled A-000001, due A-000001, of " + fresh + " A-000001"},
		{inbox.EventStart, nil, "running A-000001, of " + fresh + " A-000001"},
		{inbox.EventLater, func(tx *Tx, a *inbox.Action) { a.RunAfter = tx.Now.Add(time.Minute) }, "scheduled A-000001, due A-000001, of " + fresh + " A-000001"},
		{inbox.EventStart, nil, "running A-000001, of " + fresh + " A-000001"},
		{inbox.EventFail, nil, "failed A-000001, of " + fresh + " A-000001"},
		{inbox.EventRetry, nil, "scheduled A-000001, due A-000001, of " + fresh + " A-000001"},
		{inbox.EventStart, nil, "running A-000001, of " + fresh + " A-000001"},
		{inbox.EventDone, nil, "done A-000001"},
	}
	for i, s := range steps {
		db.update(t, func(tx *Tx) error {
			a, err := tx.Action(id)
			if err != nil {
				return err
			}
			if s.edit != nil {
				s.edit(tx, a)
			}
			if s.event == "" {
				err = tx.PutAction(a)
			} else {
				err = tx.Move(a, s.event, "test", nil)
			}
			if got := indexes(t, tx, from, fresh); got != s.want {
				t.Errorf("step %d (%s): %s; want %s", i, s.event, got, s.want)
			}
			return err
		})
	}
	db.view(t, func(tx *Tx) error {
		a, err := tx.Action(id)
		if err != nil {
			return err
		}
		var moved []string
		for _, h := range a.History[1:] {
			moved = append(moved, h.What)
		}
		var want []string
		for _, s := range steps {
			if s.event != "" {
				want = append(want, string(s.event))
			}
		}
		if !slices.Equal(moved, want) || a.Ended.IsZero() {
			t.Errorf("the history is %q, ended %s", moved, a.Ended)
		}
		return nil
	})
}

// TestRefusedMove: what the table does not allow changes nothing at all.
func TestRefusedMove(t *testing.T) {
	db := newState(t)
	var a *inbox.Action
	db.update(t, func(tx *Tx) error { a = addAction(t, tx, addMail(t, tx, 1), inbox.EventReview); return nil })
	db.update(t, func(tx *Tx) error {
		head, _, err := tx.JournalHead()
		if err != nil {
			return err
		}
		before := fmt.Sprintf("%+v", a)
		var refused *inbox.ErrTransition
		if err := tx.Move(a, inbox.EventStart, "nobody", nil); !errors.As(err, &refused) || !strings.Contains(err.Error(), "A-000001") {
			t.Errorf("got %v", err)
		}
		if err := tx.MoveFor(a, inbox.EventStart, "nobody", "no reason"); !errors.As(err, &refused) {
			t.Errorf("with a reason: got %v", err)
		}
		now, _, err := tx.JournalHead()
		if fmt.Sprintf("%+v", a) != before || now != head {
			t.Error("it left a mark")
		}
		return err
	})
}

// TestReasonOfAMove: it stands beside the Action and in its history.
func TestReasonOfAMove(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		a := addAction(t, tx, addMail(t, tx, 1), inbox.EventAsk)
		return tx.MoveFor(a, inbox.EventReview, "supportd", "nobody answered")
	})
	db.view(t, func(tx *Tx) error {
		a, err := tx.Action(1)
		if err != nil {
			return err
		}
		want := inbox.HistoryEntry{What: "review", Who: "supportd", Why: "nobody answered"}
		last := a.History[len(a.History)-1]
		last.At = time.Time{}
		if last != want || a.Error != want.Why || a.State != inbox.StateReview {
			t.Errorf("it is %s, beside it stands %q, its history ends with %+v", a.State, a.Error, last)
		}
		return nil
	})
}

// TestMailsIn lists the Mails of one state, or all, and stops when told to.
func TestMailsIn(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		for n := range uint32(4) {
			m := addMail(t, tx, n+1)
			if n%2 == 1 {
				m.State = inbox.MailHeld
			}
			if err := tx.PutMail(m); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct {
		state inbox.MailState
		max   int
		want  []inbox.MailID
	}{
		{inbox.MailHeld, 9, []inbox.MailID{2, 4}}, {inbox.MailAsked, 9, []inbox.MailID{1, 3}}, {inbox.MailHeld, 1, []inbox.MailID{2}},
		{inbox.MailActed, 9, nil}, {"", 9, []inbox.MailID{1, 2, 3, 4}}, {"", 2, []inbox.MailID{1, 2}},
	} {
		var got []inbox.MailID
		db.view(t, func(tx *Tx) error {
			return tx.MailsIn(c.state, func(m *inbox.Mail) bool { got = append(got, m.ID); return len(got) < c.max })
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%q, at most %d: %v, want %v", c.state, c.max, got, c.want)
		}
	}
}

// TestHeldClocksStandStill: ttl, cool-off and the questions about an Action
// wait while it is held, each hold for itself.
func TestHeldClocksStandStill(t *testing.T) {
	for _, e := range []inbox.Event{inbox.EventAsk, inbox.EventAccept, inbox.EventReview} {
		t.Run(string(e), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newState(t)
				defer db.Close()
				start := time.Now()
				var id inbox.ActionID
				db.update(t, func(tx *Tx) error {
					a := addAction(t, tx, addMail(t, tx, 1), e)
					id = a.ID
					a.Expires, a.RunAfter = start.Add(7*24*time.Hour), start.Add(12*time.Hour)
					if e != inbox.EventAsk {
						a.Expires = time.Time{}
					}
					ask := &Ask{Case: a.Case, Actions: []inbox.ActionID{a.ID}, Purpose: PurposeConfirm, Expires: a.Expires}
					over := &Ask{Case: a.Case, Actions: []inbox.ActionID{a.ID}, Purpose: PurposeConfirm, Expires: start, Void: "asked anew"}
					unsent := &Ask{Case: a.Case, Actions: []inbox.ActionID{a.ID}, Purpose: PurposeConfirm}
					return errors.Join(tx.PutAction(a), tx.PutAsk(token, ask), tx.PutAsk("over", over), tx.PutAsk("unsent", unsent))
				})
				move := func(e inbox.Event) (a *inbox.Action) {
					db.update(t, func(tx *Tx) (err error) {
						if a, err = tx.Action(id); err != nil {
							return err
						}
						return tx.Move(a, e, "staff", nil)
					})
					return a
				}
				time.Sleep(time.Hour)
				move(inbox.EventHold)
				time.Sleep(30 * 24 * time.Hour)
				move(inbox.EventRelease)
				time.Sleep(time.Hour)
				move(inbox.EventHold)
				time.Sleep(24 * time.Hour)
				a := move(inbox.EventRelease)
				const held = 31 * 24 * time.Hour
				if !a.RunAfter.Equal(start.Add(12*time.Hour + held)) {
					t.Errorf("the cool-off ends after %s", a.RunAfter.Sub(start))
				}
				if !a.HeldAt.IsZero() || a.HeldFrom != inbox.StateNew {
					t.Errorf("released, but held from %q at %s", a.HeldFrom, a.HeldAt)
				}
				if e != inbox.EventAsk {
					if !a.Expires.IsZero() {
						t.Errorf("a question that nobody asked lapses at %s", a.Expires)
					}
					return
				}
				if !a.Expires.Equal(start.Add(7*24*time.Hour + held)) {
					t.Errorf("the question lapses after %s", a.Expires.Sub(start))
				}
				db.view(t, func(tx *Tx) error {
					q, err := tx.AskByToken(token)
					over, err2 := tx.AskByToken("over")
					if !q.Expires.Equal(a.Expires) || !over.Expires.Equal(start) {
						t.Errorf("the question's token lapses after %s, the void one after %s", q.Expires.Sub(start), over.Expires.Sub(start))
					}
					unsent, err3 := tx.AskByToken("unsent")
					if !unsent.Expires.IsZero() {
						t.Errorf("the question that was not sent lapses at %s", unsent.Expires)
					}
					return errors.Join(err, err2, err3)
				})
			})
		})
	}
}

// TestDue: an Action is due when its time has come, the earliest first.
func TestDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		start := time.Now()
		db.update(t, func(tx *Tx) error {
			m := addMail(t, tx, 1)
			for _, d := range []time.Duration{3 * time.Hour, time.Hour, 2 * time.Hour, time.Hour} {
				a := addAction(t, tx, m, inbox.EventAccept)
				a.RunAfter = start.Add(d)
				if err := tx.PutAction(a); err != nil {
					return err
				}
			}
			return nil
		})
		due := func(limit int) (ids []inbox.ActionID, next time.Duration) {
			db.view(t, func(tx *Tx) error { ids, next = tx.DueActions(limit), tx.NextDue(tx.Now).Sub(start); return nil })
			return ids, next
		}
		if ids, next := due(10); len(ids) != 0 || next != time.Hour {
			t.Errorf("at once: %v, next after %s", ids, next)
		}
		time.Sleep(time.Hour - 1)
		if ids, _ := due(10); len(ids) != 0 {
			t.Errorf("a moment before: %v", ids)
		}
		time.Sleep(time.Nanosecond)
		if ids, next := due(10); !slices.Equal(ids, []inbox.ActionID{2, 4}) || next != 2*time.Hour {
			t.Errorf("at its time: %v, next after %s", ids, next)
		}
		time.Sleep(5 * time.Hour)
		if ids, _ := due(10); !slices.Equal(ids, []inbox.ActionID{2, 4, 3, 1}) {
			t.Errorf("later: %v", ids)
		}
		if ids, _ := due(2); !slices.Equal(ids, []inbox.ActionID{2, 4}) {
			t.Errorf("two of them: %v", ids)
		}
	})
}

// TestReplyIndexes: the outbox looks at what is due, being sent or unknown,
// and at nothing else.
func TestReplyIndexes(t *testing.T) {
	db := newState(t)
	waits := map[inbox.ReplyState]bool{inbox.ReplyDue: true, inbox.ReplySending: true, inbox.ReplyUnknown: true}
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		r := addReply(t, tx, m.ID)
		for _, s := range []inbox.ReplyState{inbox.ReplyHeld, inbox.ReplyDue, inbox.ReplySending, inbox.ReplyUnknown, inbox.ReplySent,
			inbox.ReplyDue, inbox.ReplyBounced, inbox.ReplyDue, inbox.ReplyFailed, inbox.ReplyDue, inbox.ReplyVoid} {
			r.State = s
			r.Next = r.Next.Add(-time.Minute)
			if err := tx.PutReply(r); err != nil {
				return err
			}
			due := tx.DueReplies(10)
			if want := waits[s]; (len(due) == 1) != want || tx.NextReply().IsZero() == want {
				t.Errorf("%s: due are %v, next %s", s, due, tx.NextReply())
			}
		}
		other := addReply(t, tx, addMail(t, tx, 2).ID)
		found, err := tx.ReplyByMessageID(other.Detail.MessageID)
		if err != nil || found.ID != other.ID {
			t.Errorf("by Message-ID: %+v, %v", found, err)
		}
		replies, err := tx.CaseReplies(m.ID)
		if len(replies) != 1 || replies[0].ID != r.ID {
			t.Errorf("the Case has %d letters", len(replies))
		}
		return err
	})
}

// TestMessageIDs: ours are stable, differ, and tell no number.
func TestMessageIDs(t *testing.T) {
	db := newState(t)
	db.view(t, func(tx *Tx) error {
		a, b := tx.MessageID(1, "site.test"), tx.MessageID(2, "site.test")
		if a == b || a != tx.MessageID(1, "site.test") || !strings.HasSuffix(a, "@site.test") || strings.ContainsAny(a, "<> ") || len(a) < 40 {
			t.Errorf("got %s and %s", a, b)
		}
		return nil
	})
	newState(t).view(t, func(tx *Tx) error {
		db.view(t, func(other *Tx) error {
			if tx.MessageID(1, "site.test") == other.MessageID(1, "site.test") {
				t.Error("two states give the same Message-ID")
			}
			return nil
		})
		return nil
	})
}

// TestMailIdentity: a mail is found by its ref, its content and its
// Message-ID, and by nothing that is only near.
func TestMailIdentity(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 7)
		ref := m.Ref
		if id, ok := tx.MailByRef(ref); !ok || id != m.ID {
			t.Errorf("by ref: %s, %t", id, ok)
		}
		for what, edit := range map[string]func(*inbox.Ref){
			"UID":                              func(r *inbox.Ref) { r.UID++ },
			"UIDVALIDITY":                      func(r *inbox.Ref) { r.UIDValidity++ },
			"folder":                           func(r *inbox.Ref) { r.Folder = "Junk" },
			"mailbox":                          func(r *inbox.Ref) { r.Mailbox = "privacy" },
			"mailbox and folder cut elsewhere": func(r *inbox.Ref) { r.Mailbox, r.Folder = "supp", "ortINBOX" },
		} {
			r := ref
			edit(&r)
			if id, ok := tx.MailByRef(r); ok {
				t.Errorf("another %s is %s", what, id)
			}
		}
		if id, ok := tx.MailByDigest(m.Digest); !ok || id != m.ID {
			t.Errorf("by content: %s, %t", id, ok)
		}
		if id, ok := tx.MailByDigest(inbox.Digest{9}); ok {
			t.Errorf("another content is %s", id)
		}
		if id, ok := tx.MailByContent(m.Digest, inbox.Digest{7}); !ok || id != m.ID {
			t.Errorf("by content and form: %s, %t", id, ok)
		}
		if id, ok := tx.MailByContent(m.Digest, inbox.Digest{8}); ok {
			t.Errorf("the same content in another form is %s", id)
		}
		if id, ok := tx.MailByMessageID(sent); !ok || id != m.ID {
			t.Errorf("by Message-ID: %s, %t", id, ok)
		}
		next := addMail(t, tx, 2)
		if err := errors.Join(tx.Sign(m.ID, from, [][32]byte{{8, 1}}), tx.Identify(m.ID, m.Digest, inbox.Digest{7}, sent), tx.Sign(next.ID, from, [][32]byte{{8, 1}, {8, 2}})); err != nil {
			return err
		}
		if id, ok := tx.MailBySignature(from, [][32]byte{{8, 3}, {8, 2}}); !ok || id != next.ID {
			t.Errorf("by the second of its signatures: %s, %t", id, ok)
		}
		if id, ok := tx.MailBySignature(from, [][32]byte{{8, 1}}); !ok || id != m.ID {
			t.Errorf("a signature moved to %s, %t", id, ok)
		}
		for _, other := range []string{"", "x", "eve@example.org"} {
			if id, ok := tx.MailBySignature(other, [][32]byte{{8, 1}, {8, 2}}); ok {
				t.Errorf("the signature of another sender is that of %s", id)
			}
		}
		if err := tx.Identify(m.ID, inbox.Digest{8}, inbox.Digest{}, ""); err != nil {
			return err
		}
		if id, ok := tx.MailByMessageID(""); ok {
			t.Errorf("no Message-ID is that of %s", id)
		}
		return nil
	})
}

// TestFiling follows a mail from the folder to its expunge.
func TestFiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		to := inbox.Ref{Mailbox: "support", Folder: "Processed", UIDValidity: 9, UID: 70}
		var m, deferred *inbox.Mail
		unfiled := func() (refs []inbox.Ref) {
			db.view(t, func(tx *Tx) (err error) { refs, err = tx.Unfiled("support", "INBOX", 1, 10); return err })
			return refs
		}
		db.update(t, func(tx *Tx) error {
			m, deferred = addMail(t, tx, 7), addMail(t, tx, 8)
			deferred.State, deferred.Retry = inbox.MailDeferred, tx.Now.Add(time.Minute)
			return tx.PutMail(deferred)
		})
		if got := unfiled(); !slices.Equal(got, []inbox.Ref{m.Ref}) {
			t.Errorf("to be filed: %v; a deferred mail stays where it is", got)
		}
		db.view(t, func(tx *Tx) error {
			for _, other := range []string{"INBO", "INBOX2", ""} {
				if refs, err := tx.Unfiled("support", other, 1, 10); len(refs) != 0 || err != nil {
					t.Errorf("folder %q: %v, %v", other, refs, err)
				}
			}
			if refs, err := tx.Unfiled("support", "INBOX", 2, 10); len(refs) != 0 || err != nil {
				t.Errorf("of another UIDVALIDITY: %v, %v", refs, err)
			}
			return nil
		})
		db.update(t, func(tx *Tx) error {
			if err := tx.Filed(inbox.Ref{Mailbox: "support", UID: 1}, to); !errors.Is(err, ErrNotFound) {
				t.Errorf("filing what is no mail of ours: %v", err)
			}
			return tx.Filed(m.Ref, to)
		})
		if got := unfiled(); len(got) != 0 {
			t.Errorf("still to be filed: %v", got)
		}
		time.Sleep(time.Hour)
		db.update(t, func(tx *Tx) error {
			if early := tx.FiledBefore("support", tx.Now.Add(-2*time.Hour), 10); len(early) != 0 {
				t.Errorf("too early: %v", early)
			}
			got := tx.FiledBefore("support", tx.Now, 10)
			if !slices.Equal(got, []inbox.Ref{to}) || len(tx.FiledBefore("privacy", tx.Now, 10)) != 0 || tx.CountFiled("support") != 1 {
				t.Errorf("to be expunged: %v", got)
			}
			if err := tx.Expunged(got, tx.Now, func(inbox.Ref) bool { return true }); err != nil {
				return err
			}
			back, err := tx.Mail(m.ID)
			if tx.CountFiled("support") != 0 || back.Where != to || back.Ref != m.Ref {
				t.Errorf("after the expunge: %d, %+v", tx.CountFiled("support"), back)
			}
			return err
		})
		db.view(t, func(tx *Tx) error {
			if id, ok := tx.MailByRef(m.Ref); !ok || id != m.ID {
				t.Error("a mail that was expunged is not accounted for any more")
			}
			if got := tx.RetryMails(10); !slices.Equal(got, []inbox.MailID{deferred.ID}) {
				t.Errorf("to be tried again: %v", got)
			}
			return nil
		})
	})
}

func TestAsks(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		r := addReply(t, tx, m.ID)
		q := &Ask{Case: m.ID, Actions: []inbox.ActionID{1, 2}, Purpose: PurposeConfirm, Digests: []string{"a", "b"},
			To: tx.Hash(TieAddress, from), Reply: r.ID, Asked: tx.Now, Expires: tx.Now.Add(time.Hour)}
		other := &Ask{Case: m.ID, Actions: []inbox.ActionID{3}, Purpose: PurposeStop}
		foreign := &Ask{Case: m.ID + 1, Actions: []inbox.ActionID{1}, Purpose: PurposeClaim}
		if err := errors.Join(tx.PutAsk(token, q), tx.PutAsk("other", other), tx.PutAsk("foreign", foreign)); err != nil {
			return err
		}
		for wrong, tok := range map[string]string{"lower case": strings.ToLower(token), "nothing": "", "a part": token[1:]} {
			if got, err := tx.AskByToken(tok); got != nil || err != nil {
				t.Errorf("%s finds %+v, %v", wrong, got, err)
			}
		}
		get := func(tok string) *Ask {
			got, err := tx.AskByToken(tok)
			if err != nil || got == nil {
				t.Fatalf("%s: %+v, %v", tok, got, err)
			}
			return got
		}
		if got := get(token); got.Reply != r.ID || !slices.Equal(got.Actions, q.Actions) || !slices.Equal(got.Digests, q.Digests) || got.Used || got.Void != "" {
			t.Errorf("got %+v", got)
		}
		if got, err := tx.AskByReply(r); err != nil || got == nil || got.Purpose != PurposeConfirm {
			t.Errorf("by reply: %+v, %v", got, err)
		}
		if all, err := tx.CaseAsks(m.ID); len(all) != 2 || err != nil {
			t.Errorf("the Case has %d asks, %v", len(all), err)
		}
		if err := tx.VoidAsks(m.ID, "corrected", 2); err != nil {
			return err
		}
		if get(token).Void != "corrected" || get("other").Void != "" || get("foreign").Void != "" {
			t.Error("other questions than those about A-000002 are void")
		}
		if err := tx.UseAsk(get("other")); err != nil {
			return err
		}
		if err := tx.VoidAsks(m.ID, "all over"); err != nil {
			return err
		}
		if got := get("other"); !got.Used || got.Void != "" {
			t.Errorf("what was answered is void: %+v", got)
		}
		if got := get(token); got.Void != "corrected" {
			t.Errorf("the first reason is lost: %+v", got)
		}
		return nil
	})
}

// TestCounts: a day's count begins anew with the day, another never does, and
// nobody's count is another's.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		count := func(kind, who string, forever bool, n, want int) {
			t.Helper()
			db.update(t, func(tx *Tx) error {
				got, err := tx.Count(kind, who, forever, n)
				if got != want {
					t.Errorf("%s of %s is %d, want %d", kind, who, got, want)
				}
				return err
			})
		}
		count("proven", from, false, 0, 0)
		count("proven", from, false, 1, 1)
		count("proven", from, false, 2, 3)
		count("unproven", from, false, 1, 1)
		count("proven", "bob@example.org", false, 1, 1)
		count("thread", sent, true, 1, 1)
		count("proven", from, false, 0, 3)
		time.Sleep(24 * time.Hour)
		count("proven", from, false, 0, 0)
		count("proven", from, false, 1, 1)
		count("thread", sent, true, 1, 2)
		time.Sleep(400 * 24 * time.Hour)
		count("thread", sent, true, 0, 2)
	})
}

// TestWeekCounts: what was counted on a day counts for the seven days after it.
func TestWeekCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		count := func(who string, n, want int) {
			t.Helper()
			db.update(t, func(tx *Tx) error {
				got, err := tx.CountWeek("proven", who, n)
				if got != want {
					t.Errorf("it is %d, want %d", got, want)
				}
				return err
			})
		}
		const aDay = 24 * time.Hour
		count(from, 0, 0)
		for i := range 8 {
			count(from, 2, 2*i+2)
			time.Sleep(aDay)
		}
		count(from, 0, 14) // the first day is over
		count(from, 1, 15)
		count("bob@example.org", 1, 1)
		time.Sleep(3 * aDay)
		count(from, 0, 9)
		count(from, 0, 9)
		time.Sleep(4 * aDay)
		count(from, 3, 4)
		time.Sleep(7 * aDay)
		count(from, 0, 3)
		time.Sleep(aDay)
		count(from, 0, 0)
		time.Sleep(400 * aDay)
		count(from, 1, 1)
	})
}

func TestEffectsAndMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newState(t)
		defer db.Close()
		db.update(t, func(tx *Tx) error { return errors.Join(tx.Effect(1), tx.Effect(2), tx.Moved(person)) })
		time.Sleep(time.Minute)
		db.update(t, func(tx *Tx) error { return errors.Join(tx.Effect(2), tx.Effect(3)) })
		for _, s := range []struct {
			since time.Duration
			other inbox.ActionID
			want  int
		}{{time.Hour, 0, 3}, {time.Hour, 3, 2}, {time.Hour, 9, 3}, {30 * time.Second, 0, 2}, {time.Hour, 0, 2}} {
			db.update(t, func(tx *Tx) error {
				n, err := tx.Effects(tx.Now.Add(-s.since), s.other)
				if n != s.want {
					t.Errorf("%d effects in %s beside %s, want %d", n, s.since, s.other, s.want)
				}
				return err
			})
		}
		db.view(t, func(tx *Tx) error {
			if !tx.MovedSince(person, tx.Now.Add(-time.Hour)) || tx.MovedSince(person, tx.Now) || tx.MovedSince("18", tx.Now.Add(-time.Hour)) {
				t.Error("the change of address is not where it was")
			}
			return nil
		})
	})
}

func TestRendered(t *testing.T) {
	db := newState(t)
	small, large := []byte("Subject: x\r\n\r\n"+text), []byte(strings.Repeat(text+"\r\n", inlineMax/len(text)))
	var replies [2]*inbox.Reply
	db.update(t, func(tx *Tx) error {
		c := addMail(t, tx, 1).ID
		replies = [2]*inbox.Reply{addReply(t, tx, c), addReply(t, tx, c)}
		return nil
	})
	for i, want := range [][]byte{small, large} {
		r := replies[i]
		if b, err := db.Rendered(r); b != nil || err != nil {
			t.Errorf("before: %q, %v", b, err)
		}
		if err := db.SaveLarge(r, want); err != nil {
			t.Fatal(err)
		}
		if b, err := db.Rendered(r); b != nil || err != nil {
			t.Errorf("before the commit: %q, %v", b, err)
		}
		db.update(t, func(tx *Tx) error { return tx.SaveRendered(r, want) })
		if b, err := db.Rendered(r); string(b) != string(want) || err != nil {
			t.Errorf("%s: %d bytes, %v; want %d", r.ID, len(b), err, len(want))
		}
		_, err := os.Stat(db.filePath(r.ID.String()))
		if inFile := err == nil; inFile != (len(want) > inlineMax) {
			t.Errorf("%d bytes are in a file: %t", len(want), inFile)
		}
		db.update(t, func(tx *Tx) error { return tx.DropRendered(r.ID) })
		if b, err := db.Rendered(r); b != nil || err != nil {
			t.Errorf("after: %q, %v", b, err)
		}
	}
}

// TestStrayFiles: what a crash left is found, and nothing that is needed.
func TestStrayFiles(t *testing.T) {
	db := newState(t)
	var running, waiting *inbox.Action
	var owed, over *inbox.Reply
	db.update(t, func(tx *Tx) error {
		m := addMail(t, tx, 1)
		running, waiting = addAction(t, tx, m, inbox.EventAccept), addAction(t, tx, m, inbox.EventAccept)
		owed, over = addReply(t, tx, m.ID), addReply(t, tx, m.ID)
		owed.Detail.Files = []string{waiting.ID.String() + "-1"}
		over.Detail.Files = []string{waiting.ID.String() + "-2"}
		over.State = inbox.ReplySent
		return errors.Join(tx.Move(running, inbox.EventStart, "supportd", nil), tx.PutReply(owed), tx.PutReply(over))
	})
	needed := []string{running.ID.String() + "-1", running.ID.String() + "-1.new", waiting.ID.String() + "-1", owed.ID.String(), owed.ID.String() + ".new"}
	stray := []string{waiting.ID.String() + "-2", waiting.ID.String() + "-1.new", over.ID.String(), over.ID.String() + ".new",
		"A-000099-1", "R-000099", "M-000001", "core", "R-", "A--1"}
	for _, name := range append(slices.Clone(needed), stray...) {
		if err := os.WriteFile(db.filePath(name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.StrayFiles()
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(slices.Values(stray)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("stray are %q, want %q", got, want)
	}
	for _, name := range append(got, "gone already") {
		if err := db.RemoveFile(name); err != nil {
			t.Error(err)
		}
	}
	if again, err := db.StrayFiles(); len(again) != 0 || err != nil {
		t.Errorf("still stray: %q, %v", again, err)
	}
}

// TestFilesStayInside: a file's name leads nowhere else.
func TestFilesStayInside(t *testing.T) {
	db := newState(t)
	if err := db.SaveFile(0, "../../escaped", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := db.RemoveFile("../state.db"); err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{"replies/escaped": true, "state.db": true, "../escaped": false} {
		if _, err := os.Stat(db.path(name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPaused(t *testing.T) {
	dir := t.TempDir()
	for _, want := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}, {false, false}} {
		db := openState(t, dir)
		db.update(t, func(tx *Tx) error { return tx.SetPaused(want[0], want[1]) })
		shut(t, db)
		db = openState(t, dir)
		db.view(t, func(tx *Tx) error {
			if e, r := tx.Paused(); e != want[0] || r != want[1] {
				t.Errorf("got %t, %t; want %v", e, r, want)
			}
			return nil
		})
		shut(t, db)
	}
}

func TestNotesAreNoMeta(t *testing.T) {
	db := newState(t)
	db.update(t, func(tx *Tx) error {
		for _, name := range []string{"schema", "instance", "epoch", "opens", "restored"} {
			if tx.Meta(name) != "" {
				t.Errorf("%s is a note", name)
			}
			if err := tx.SetMeta(name, "mine"); err != nil {
				return err
			}
		}
		return checkSchema(tx.bucket("meta"))
	})
}

func TestFolders(t *testing.T) {
	db := newState(t)
	want := Folder{UIDValidity: 7, Floor: 3, FirstRun: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	db.update(t, func(tx *Tx) error { return tx.PutFolder("support", "INBOX", want) })
	db.view(t, func(tx *Tx) error {
		if got, ok, err := tx.Folder("support", "INBOX"); !ok || err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %t, %v", got, ok, err)
		}
		if got, ok, err := tx.Folder("support", "Junk"); ok || err != nil {
			t.Errorf("another folder is known: %+v, %v", got, err)
		}
		return nil
	})
}
