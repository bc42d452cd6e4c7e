package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// held gives a case of a mail without a request of which two letters are held.
func (o *office) held() (m *inbox.Mail, ids []inbox.ReplyID) {
	o.t.Helper()
	m = o.mail("cy@users.test", "Cy", "hello", "How does it stand?", inbox.LevelAligned)
	err := o.db.Update(o.t.Context(), "test", func(tx *state.Tx) error {
		for _, text := range []string{"It stands <b>well</b>.", "And again."} {
			id, err := tx.NewReplyID()
			if err != nil {
				return err
			}
			r := &inbox.Reply{ID: id, Case: m.ID, Name: "status", Mailbox: "support", State: inbox.ReplyHeld, Created: tx.Now, Next: tx.Now, Error: "over a cap",
				Detail: &inbox.ReplyDetail{MessageID: tx.MessageID(id, "site.test"), To: "cy@users.test", Subject: "Re: hello", Text: text}}
			if err := tx.AddReply(r); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		m.State, m.Reason = inbox.MailHeld, ids[1].String()+", its letter, is held: over a cap"
		return tx.PutMail(m)
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return m, ids
}

func (o *office) reply(id inbox.ReplyID) (r *inbox.Reply) {
	o.t.Helper()
	if err := o.db.View(func(tx *state.Tx) (err error) { r, err = tx.Reply(id); return err }); err != nil {
		o.t.Fatal(err)
	}
	return r
}

// TestLettersThatWait: the letters of a case without a request are shown, sent
// and discarded, each by itself, by who may act; the journal tells who did it.
func TestLettersThatWait(t *testing.T) {
	o := newOffice(t)
	m, ids := o.held()
	page := "/case/" + m.ID.String()
	viewer, handler := o.session("vera", staff.RoleViewer), o.session("hal", staff.RoleHandler)

	w := o.get(page, viewer)
	want(t, w, http.StatusOK, "Letters that wait", "It stands &lt;b&gt;well&lt;/b&gt;.", "And again.", "over a cap")
	if body := w.Body.String(); slices.ContainsFunc([]string{"/letters/send", "/letters/drop"}, func(s string) bool { return strings.Contains(body, s) }) {
		t.Error("a viewer is offered to send")
	}
	want(t, o.post(page+"/letters/send", viewer, "letter", ids[0].String()), http.StatusForbidden)
	want(t, o.get(page, handler), http.StatusOK, page+"/letters/send", page+"/letters/drop")

	want(t, o.post(page+"/letters/send", handler, "letter", ids[0].String()), http.StatusSeeOther, page+"?done=send-letter")
	want(t, o.post(page+"/letters/drop", handler, "letter", ids[1].String(), "reason", " "), http.StatusConflict, "needs a reason")
	want(t, o.post(page+"/letters/drop", handler, "letter", ids[1].String(), "reason", "said by telephone"), http.StatusSeeOther, page+"?done=drop-letter")
	if a, b := o.reply(ids[0]), o.reply(ids[1]); a.State != inbox.ReplyDue || b.State != inbox.ReplyVoid {
		t.Errorf("the letters are %s and %s", a.State, b.State)
	}
	if got, err := o.desk.Mail(m.ID); err != nil || got.State != inbox.MailIgnored {
		t.Errorf("the mail is %s, %v", got.State, err)
	}
	log := o.entries()
	for _, entry := range []string{"hal reply released", "hal reply dropped", "vera denied send letter"} {
		if !slices.Contains(log, entry) {
			t.Errorf("the journal lacks %q: %q", entry, log)
		}
	}
	if w := o.get(page, handler); strings.Contains(w.Body.String(), "Letters that wait") {
		t.Error("nothing waits any more, and the card is there")
	}

	for _, id := range ids { // done is done
		want(t, o.post(page+"/letters/send", handler, "letter", id.String()), http.StatusConflict, "only a letter that is held")
	}
	other, _ := o.held()
	want(t, o.post("/case/"+o.question().ID.String()+"/letters/send", handler, "letter", "R-000003"), http.StatusNotFound)
	want(t, o.post("/case/"+other.ID.String()+"/letters/drop", handler, "letter", "A-1", "reason", "x"), http.StatusNotFound)
}

// TestADroppedQuestionWaitsForNobody: what a discarded letter asked about lapses
// in the time that the person would have had.
func TestADroppedQuestionWaitsForNobody(t *testing.T) {
	o := newOffice(t)
	m := o.mail("ann@users.test", "Ann", "phone", "My phone is +77011111111", inbox.LevelAligned, inbox.Request{Kind: inbox.KindChange, Certain: true, Confidence: 1,
		Changes: []inbox.Change{{Field: inbox.FieldPhone, Op: inbox.OpSet, Value: "+77011111111"}}})
	var id inbox.ReplyID
	err := o.db.Update(t.Context(), "test", func(tx *state.Tx) error {
		letters, err := tx.CaseReplies(m.ID)
		if err != nil || len(letters) == 0 {
			return errors.Join(err, errors.New("nobody was asked"))
		}
		r := letters[0]
		id, r.State, r.Error = r.ID, inbox.ReplyHeld, "over a cap"
		return tx.PutReply(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := o.desk.Action(m.Actions[0]); err != nil || a.State != inbox.StateUnconfirmed || !a.Expires.IsZero() {
		t.Fatalf("before: %s %s, %v", a.State, a.Expires, err)
	}
	if err := o.desk.DropHeld(t.Context(), id, "dana", "a joke"); err != nil {
		t.Fatal(err)
	}
	if a, err := o.desk.Action(m.Actions[0]); err != nil || a.State != inbox.StateUnconfirmed || a.Expires.IsZero() {
		t.Errorf("after: %s %s, %v", a.State, a.Expires, err)
	}
}
