package console

import (
	"errors"
	"net/http"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
	pages "push.guru/supportd/templates/console"
)

// heldLetters lists the letters of a case that wait to be released.
func heldLetters(q *request, v review.CaseView) []pages.HeldLetter {
	var out []pages.HeldLetter
	for _, l := range v.Letters {
		if l.State == inbox.ReplyHeld {
			out = append(out, pages.HeldLetter{ID: l.ID.String(), Case: v.Mail.ID.String(), What: pages.Name(q.words, "letters", l.Letter), To: l.To, Subject: l.Subject,
				Text: l.Text, Why: l.Error, Created: l.Created, Can: q.actor.Role.May(staff.RightAct)})
		}
	}
	return out
}

func sendLetter(s *Server, w http.ResponseWriter, q *request) error {
	return s.letter(w, q, "send-letter", func(id inbox.ReplyID) error { return s.Desk.SendLetter(q.Context(), q.actor, q.mail, id) })
}

func dropLetter(s *Server, w http.ResponseWriter, q *request) error {
	reason := lines(q.PostFormValue("reason"))
	return s.letter(w, q, "drop-letter", func(id inbox.ReplyID) error { return s.Desk.DropLetter(q.Context(), q.actor, q.mail, id, reason) })
}

// letter does something about the held letter that a form names, and shows the
// case again.
func (s *Server) letter(w http.ResponseWriter, q *request, done string, do func(inbox.ReplyID) error) error {
	id, err := inbox.ParseReplyID(q.PostFormValue("letter"))
	if err != nil {
		return errNoPage
	}
	switch err := do(id); {
	case errors.Is(err, review.ErrDenied), errors.Is(err, state.ErrNotFound):
		return err
	case err != nil:
		s.Log.Info("console: a letter was neither sent nor discarded", "letter", id.String())
		return s.openCase(w, q, http.StatusConflict, opened{form: q.PostForm}, refusal{text: q.words.Say("held.not-done"), why: reason(err)})
	}
	http.Redirect(w, q.Request, "/case/"+q.mail.String()+"?done="+done, http.StatusSeeOther)
	return nil
}
