package console

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"push.guru/supportd/inbox/staff"
	pages "push.guru/supportd/templates/console"
)

func home(_ *Server, w http.ResponseWriter, q *request) error {
	http.Redirect(w, q.Request, "/queue", http.StatusSeeOther)
	return nil
}

// signInPage is where staff sign in.
func signInPage(s *Server, w http.ResponseWriter, q *request) error {
	query := q.URL.Query()
	next := local(query.Get("next"))
	if q.actor.Name != "" && !q.session.MustChoose {
		http.Redirect(w, q.Request, orQueue(next), http.StatusSeeOther)
		return nil
	}
	f := s.frame(q, "sign-in", pages.SignIn{Next: next})
	if query.Has("idle") {
		f.Said = []pages.Said{{Kind: "", Text: q.words.Say("sign.idle")}}
	}
	if query.Has("out") {
		f.Said = []pages.Said{{Kind: "ok", Text: q.words.Say("sign.out")}}
	}
	return s.show(w, http.StatusOK, "sign-in", f)
}

func orQueue(next string) string {
	if next == "" {
		return "/queue"
	}
	return next
}

// signIn lets somebody in.
func signIn(s *Server, w http.ResponseWriter, q *request) error {
	next := local(q.PostFormValue("next"))
	form, kept := carried(q)
	name := q.PostFormValue("name")
	token, err := s.Staff.SignIn(q.Context(), name, q.PostFormValue("password"), s.from(q.Request))
	if text, code := s.signInFault(w, q, err); text != "" {
		q.session, q.actor.Name = staff.Session{}, ""
		return s.show(w, code, "sign-in", s.frame(q, "sign-in", pages.SignIn{Name: name, Next: next, Fault: text, Keep: form, Kept: kept}))
	}
	if err != nil {
		return err
	}
	s.replace(q, w, token)
	if len(kept) > 0 {
		q.session, q.actor.Name = staff.Session{}, ""
		return s.giveBack(w, q, form, kept)
	}
	http.Redirect(w, q.Request, orQueue(next), http.StatusSeeOther)
	return nil
}

// signInFault words why somebody is not let in, "" where that is no news for
// them; who must wait is told for how long in the header, too.
func (s *Server) signInFault(w http.ResponseWriter, q *request, err error) (text string, code int) {
	var throttled *staff.ThrottledError
	switch {
	case errors.As(err, &throttled):
		w.Header().Set("Retry-After", strconv.Itoa(int(wait(throttled.Wait)/time.Second)))
		return q.words.Say("sign.wait", "wait", q.words.Duration(wait(throttled.Wait))), http.StatusTooManyRequests
	case errors.Is(err, staff.ErrSignIn):
		return q.words.Say("sign.wrong"), http.StatusUnauthorized
	}
	return "", 0
}

// replace hands a new session to the browser and ends the one that it had.
func (s *Server) replace(q *request, w http.ResponseWriter, token string) {
	if q.token != "" && q.token != token {
		if err := s.Staff.SignOut(q.Context(), q.token); err != nil {
			s.Log.Error("console: ending a session", "err", err)
		}
	}
	s.let(w, q, token)
}

func signOut(s *Server, w http.ResponseWriter, q *request) error {
	if err := s.Staff.SignOut(q.Context(), q.token); err != nil {
		return err
	}
	s.expire(w)
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, q.Request, "/sign-in?out", http.StatusSeeOther)
	return nil
}

// linkPage shows a form: programs that look at links in advance use nothing up.
func linkPage(s *Server, w http.ResponseWriter, q *request) error {
	q.session, q.actor.Name = staff.Session{}, "" // the link may be somebody else's
	return s.show(w, http.StatusOK, "link", s.frame(q, "link", pages.Link{Token: q.PathValue("token")}))
}

// useLink signs in who has a one-time link.
func useLink(s *Server, w http.ResponseWriter, q *request) error {
	token, err := s.Staff.Begin(q.Context(), q.PostFormValue("token"), s.from(q.Request))
	if errors.Is(err, staff.ErrLink) {
		q.session, q.actor.Name = staff.Session{}, ""
		return s.show(w, http.StatusForbidden, "link", s.frame(q, "link", pages.Link{Fault: q.words.Say("link.used")}))
	}
	if err != nil {
		return err
	}
	s.replace(q, w, token)
	http.Redirect(w, q.Request, "/queue", http.StatusSeeOther)
	return nil
}

func passwordPage(s *Server, w http.ResponseWriter, q *request) error {
	return s.password(w, q, http.StatusOK, "")
}

func (s *Server) password(w http.ResponseWriter, q *request, code int, fault string) error {
	return s.show(w, code, "password", s.frame(q, "password", pages.Password{Least: staff.MinPassword, First: q.session.MustChoose, Fault: fault}))
}

// setPassword gives somebody the password that they chose, and a new session.
func setPassword(s *Server, w http.ResponseWriter, q *request) error {
	chosen := q.PostFormValue("password")
	if chosen != q.PostFormValue("again") {
		return s.password(w, q, http.StatusUnprocessableEntity, q.words.Say("password.differ"))
	}
	token, err := s.Staff.SetPassword(q.Context(), q.token, q.PostFormValue("old"), chosen, s.from(q.Request))
	var unfit staff.PasswordFault
	switch text, code := s.signInFault(w, q, err); {
	case errors.As(err, &unfit):
		return s.password(w, q, http.StatusUnprocessableEntity, pages.Name(q.words, "password", string(unfit)))
	case errors.Is(err, staff.ErrSignIn):
		return s.password(w, q, code, q.words.Say("password.wrong"))
	case text != "":
		return s.password(w, q, code, text)
	case err != nil:
		return err
	}
	s.let(w, q, token)
	http.Redirect(w, q.Request, "/queue?done=password", http.StatusSeeOther)
	return nil
}

func accountPage(s *Server, w http.ResponseWriter, q *request) error {
	sessions, err := s.sessions(q)
	if err != nil {
		return err
	}
	body := pages.Account{Password: pages.Password{Least: staff.MinPassword}, Sessions: sessions}
	for _, code := range pages.Languages() {
		body.Languages = append(body.Languages, pages.Option{Value: code, Label: s.pages.Words(code).Say("language." + code), On: code == q.lang})
	}
	return s.show(w, http.StatusOK, "account", s.frame(q, "account", body))
}

func setLanguage(s *Server, w http.ResponseWriter, q *request) error {
	lang := q.PostFormValue("language")
	for _, code := range pages.Languages() {
		if code == lang {
			if err := s.Staff.SetLanguage(q.Context(), q.actor.Name, q.actor.Name, lang); err != nil {
				return err
			}
			http.Redirect(w, q.Request, "/account?done=account", http.StatusSeeOther)
			return nil
		}
	}
	return &badForm{errors.New("a language that the pages do not have")}
}
