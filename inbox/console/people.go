package console

import (
	"errors"
	"net/http"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
	pages "push.guru/supportd/templates/console"
)

func staffPage(s *Server, w http.ResponseWriter, q *request) error {
	return s.people(w, q, http.StatusOK, pages.Staff{}, "")
}

// people shows the accounts, with a link that was just made, or what went wrong.
func (s *Server) people(w http.ResponseWriter, q *request, code int, body pages.Staff, fault string) error {
	all, err := s.Staff.List()
	if err != nil {
		return err
	}
	for _, a := range all {
		body.Members = append(body.Members, pages.Member{Name: a.Name, Role: string(a.Role), Disabled: a.Disabled, Self: a.Name == q.actor.Name,
			Created: a.Created, Seen: a.LastSeen, Roles: roles(q, a.Role)})
	}
	body.Roles = roles(q, staff.RoleHandler)
	f := s.frame(q, "staff", body)
	if fault != "" {
		f.Said = []pages.Said{{Kind: "fault", Text: q.words.Say("said.not-done"), Detail: fault}}
	}
	return s.show(w, code, "staff", f)
}

func roles(q *request, on staff.Role) []pages.Option {
	var out []pages.Option
	for _, r := range staff.Roles() {
		out = append(out, pages.Option{Value: string(r), Label: pages.Name(q.words, "role", string(r)), On: r == on})
	}
	return out
}

// addMember and resetMember show the one-time link on the page itself: it
// stands in no address, and nowhere else.
func addMember(s *Server, w http.ResponseWriter, q *request) error {
	name := q.PostFormValue("name")
	token, err := s.Staff.Add(q.Context(), q.actor.Name, name, staff.Role(q.PostFormValue("role")))
	return s.linked(w, q, name, token, err)
}

func resetMember(s *Server, w http.ResponseWriter, q *request) error {
	name := q.PostFormValue("name")
	token, err := s.Staff.Reset(q.Context(), q.actor.Name, name)
	return s.linked(w, q, name, token, err)
}

func (s *Server) linked(w http.ResponseWriter, q *request, name, token string, err error) error {
	if err != nil {
		return s.people(w, q, http.StatusUnprocessableEntity, pages.Staff{}, public(err))
	}
	return s.people(w, q, http.StatusOK, pages.Staff{Link: s.Link(token), For: name}, "")
}

// public gives the sentence of an error for whoever acts, with what to do.
func public(err error) string {
	var e *inbox.Error
	if errors.As(err, &e) && e.Hint != "" {
		return e.Err.Error() + " (" + e.Hint + ")"
	}
	return reason(err)
}

func setRole(s *Server, w http.ResponseWriter, q *request) error {
	return s.changed(w, q, "role", s.Staff.SetRole(q.Context(), q.actor.Name, q.PostFormValue("name"), staff.Role(q.PostFormValue("role"))))
}

func disableMember(s *Server, w http.ResponseWriter, q *request) error {
	return s.changed(w, q, "disable", s.Staff.Disable(q.Context(), q.actor.Name, q.PostFormValue("name")))
}

func enableMember(s *Server, w http.ResponseWriter, q *request) error {
	return s.changed(w, q, "enable", s.Staff.Enable(q.Context(), q.actor.Name, q.PostFormValue("name")))
}

func (s *Server) changed(w http.ResponseWriter, q *request, what string, err error) error {
	if err != nil {
		return s.people(w, q, http.StatusUnprocessableEntity, pages.Staff{}, public(err))
	}
	http.Redirect(w, q.Request, "/staff?done="+what, http.StatusSeeOther)
	return nil
}
