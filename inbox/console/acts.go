package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
	pages "push.guru/supportd/templates/console"
)

// previewed are the acts of which the letter is shown before it is sent.
func previewed(v cases.Verb) bool {
	return v == cases.Refuse || v == cases.Answer || v == cases.Ask || v == cases.Extend
}

// doAct carries out an act of staff on one request of a case. Acts that write to
// the person are done in two steps: the letter, then the go.
func doAct(s *Server, w http.ResponseWriter, q *request) error {
	verb := cases.Verb(q.PathValue("act"))
	if q.Pattern == "POST /case/{id}/approve-without-proof" {
		verb = cases.ApproveWithoutProof
	}
	if !slices.Contains(cases.Verbs(), verb) {
		return errNoPage
	}
	act, err := s.read(q, verb)
	open := opened{act.Action, string(verb), q.PostForm}
	switch {
	case errors.Is(err, errNoPage):
		return err
	case err != nil:
		return s.openCase(w, q, http.StatusUnprocessableEntity, open, refusal{why: reason(err)})
	case q.PostFormValue("step") == "back":
		return s.openCase(w, q, http.StatusOK, open, refusal{})
	case previewed(verb) && q.PostFormValue("step") != "send":
		return s.preview(w, q, act, open)
	}
	_, err = s.Desk.Do(q.Context(), q.actor, act)
	if err != nil {
		return s.notDone(w, q, open, err)
	}
	http.Redirect(w, q.Request, "/case/"+q.mail.String()+"?done="+url.QueryEscape(string(verb)), http.StatusSeeOther)
	return nil
}

// notDone shows the case again, with why an act was not done, what was typed
// still there.
func (s *Server) notDone(w http.ResponseWriter, q *request, open opened, err error) error {
	switch {
	case errors.Is(err, review.ErrDenied), errors.Is(err, state.ErrNotFound):
		return err
	case errors.Is(err, review.ErrConfirm):
		return s.openCase(w, q, http.StatusUnprocessableEntity, open, refusal{text: q.words.Say("act.typed", "case", q.mail.String())})
	}
	s.Log.Info("console: an act was not done", "act", open.act, "action", open.action.String())
	return s.openCase(w, q, http.StatusConflict, open, refusal{why: reason(err)})
}

// reason gives the program's sentence for why something was not done: what was
// said in a transaction, without the name of that.
func reason(err error) string {
	var failed *state.FailedError
	if errors.As(err, &failed) {
		return failed.Err.Error()
	}
	return err.Error()
}

// said answers with why something else than an act was not done.
func (s *Server) said(w http.ResponseWriter, q *request, err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return err
	}
	s.faultWhy(w, q, http.StatusConflict, "", reason(err))
	return nil
}

// read reads an act from its form. The Action must be one of the case that the
// address names: the journal has the right of the one for the other otherwise.
func (s *Server) read(q *request, verb cases.Verb) (review.Act, error) {
	act := review.Act{Verb: verb, Confirm: q.PostFormValue("typed"), Text: lines(q.PostFormValue("text")), Reason: strings.TrimSpace(lines(q.PostFormValue("reason"))),
		OnRecord: strings.TrimSpace(q.PostFormValue("record"))}
	var err error
	if act.Action, err = inbox.ParseActionID(q.PostFormValue("action")); err != nil {
		return act, errNoPage
	}
	v, err := s.Desk.Action(act.Action)
	if err != nil || v.Case != q.mail {
		return act, errNoPage
	}
	switch verb {
	case cases.HandOver:
		act.To, act.Reason = q.PostFormValue("to"), strings.TrimSpace(lines(q.PostFormValue("note")))
	case cases.Hold:
		if day := q.PostFormValue("until"); day != "" {
			until, err := time.ParseInLocation(time.DateOnly, day, s.Zone)
			if err != nil {
				return act, errors.New("the date is written as YYYY-MM-DD")
			}
			act.Until = until
		}
	case cases.Correct:
		act.Correction = correctionOf(q, s.Fields)
	}
	return act, nil
}

// lines gives a text with the line ends that we use; browsers send others.
func lines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// correctionOf reads the corrected reading.
func correctionOf(q *request, fields []inbox.Field) review.Correction {
	c := review.Correction{Kind: q.PostFormValue("kind"), Scope: q.PostFormValue("scope")}
	changes, drops := c.Kind == string(inbox.KindChange), c.Kind == string(inbox.KindDelete)
	if !drops {
		c.Scope = ""
	}
	for _, f := range fields {
		value := strings.TrimSpace(q.PostFormValue("set." + string(f)))
		switch {
		case changes && value != "" && q.PostFormValue("add."+string(f)) != "":
			c.Edits = append(c.Edits, string(f)+"+="+value)
		case changes && value != "":
			c.Edits = append(c.Edits, string(f)+"="+value)
		case drops && c.Scope != string(inbox.ScopeAccount) && q.PostFormValue("drop."+string(f)) != "":
			c.Edits = append(c.Edits, "-"+string(f))
		}
	}
	return c
}

// preview shows the letter of an act before it is sent.
func (s *Server) preview(w http.ResponseWriter, q *request, act review.Act, open opened) error {
	p, err := s.Desk.Preview(q.Context(), q.actor, act)
	if err != nil {
		return s.notDone(w, q, open, err)
	}
	v, err := s.Desk.Action(act.Action)
	if err != nil {
		return err
	}
	body := pages.Preview{Case: q.mail.String(), Action: act.Action.String(), Act: string(act.Verb), Wants: s.wants(q, v.ActionView, fieldsOf(v)), Typed: p.Final != "", Nothing: len(p.Letters) == 0}
	for _, l := range p.Letters {
		body.Letters = append(body.Letters, pages.Letter{To: l.To, Subject: l.Subject, Text: l.Text, State: string(l.State)})
	}
	for _, f := range []pages.Hidden{{Name: "text", Value: act.Text}, {Name: "reason", Value: act.Reason}, {Name: "record", Value: act.OnRecord}} {
		if f.Value != "" {
			body.Fields = append(body.Fields, f)
		}
	}
	return s.show(w, http.StatusOK, "preview", s.frame(q, "preview", body))
}

func fieldsOf(v review.ActionDetail) []inbox.Field {
	fields := slices.Clone(v.Fields)
	for _, c := range v.Changes {
		fields = append(fields, c.Field)
	}
	return fields
}

func (s *Server) saved() ([]pages.SavedAnswer, error) {
	all, err := s.Desk.SavedAnswers()
	var out []pages.SavedAnswer
	for _, a := range all {
		out = append(out, pages.SavedAnswer{Name: a.Name, Language: a.Language, Text: a.Text})
	}
	return out, err
}

func savedPage(s *Server, w http.ResponseWriter, q *request) error {
	return s.answers(w, q, http.StatusOK, pages.SavedAnswer{Language: q.lang}, "")
}

func (s *Server) answers(w http.ResponseWriter, q *request, code int, edit pages.SavedAnswer, fault string) error {
	all, err := s.saved()
	if err != nil {
		return err
	}
	body := pages.Saved{Answers: all, Edits: q.actor.Role.May(staff.RightAdminister), Edit: edit}
	for _, code := range pages.Languages() {
		body.Languages = append(body.Languages, pages.Option{Value: code, Label: pages.Name(q.words, "language", code), On: code == edit.Language})
	}
	f := s.frame(q, "saved", body)
	if fault != "" {
		f.Said = []pages.Said{{Kind: "fault", Text: q.words.Say("said.not-done"), Detail: fault}}
	}
	return s.show(w, code, "saved", f)
}

func putSaved(s *Server, w http.ResponseWriter, q *request) error {
	a := pages.SavedAnswer{Name: q.PostFormValue("name"), Language: q.PostFormValue("language"), Text: lines(q.PostFormValue("text"))}
	if q.PostFormValue("step") == "back" {
		return s.answers(w, q, http.StatusOK, a, "")
	}
	if err := s.Desk.SaveAnswer(q.Context(), q.actor.Name, a.Name, a.Language, a.Text); err != nil {
		return s.answers(w, q, http.StatusUnprocessableEntity, a, reason(err))
	}
	http.Redirect(w, q.Request, "/saved?done=put", http.StatusSeeOther)
	return nil
}

func dropSaved(s *Server, w http.ResponseWriter, q *request) error {
	if err := s.Desk.DropAnswer(q.Context(), q.actor.Name, q.PostFormValue("name"), q.PostFormValue("language")); err != nil {
		return err
	}
	http.Redirect(w, q.Request, "/saved?done=delete", http.StatusSeeOther)
	return nil
}

func pause(s *Server, w http.ResponseWriter, q *request) error {
	if _, err := s.Desk.Pause(q.Context(), q.actor.Name, false, false); err != nil {
		return err
	}
	http.Redirect(w, q.Request, "/queue", http.StatusSeeOther)
	return nil
}

func resume(s *Server, w http.ResponseWriter, q *request) error {
	if err := s.Desk.Resume(q.Context(), q.actor.Name); err != nil {
		return err
	}
	http.Redirect(w, q.Request, "/queue?done=resume", http.StatusSeeOther)
	return nil
}
