package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	pages "push.guru/supportd/templates/console"
)

// maxKept is how much of a form is kept over a sign-in, in octets as a browser
// sends them: it must come back with what else the form of the sign-in holds.
const maxKept = maxForm * 7 / 8

// keptName begins the names of the fields that are kept, so that they are none
// of the sign-in's own.
const keptName = "kept."

// formPath gives the address of a form whose texts are kept when the session
// has ended meanwhile, and of the page that it stands on; "" for all others.
func formPath(path string) (form, page string) {
	if path == "/saved/put" {
		return path, "/saved"
	}
	rest, _ := strings.CutPrefix(path, "/case/")
	id, act, _ := strings.Cut(rest, "/")
	mail, err := inbox.ParseMailID(id)
	if err != nil || !slices.Contains(cases.Verbs(), cases.Verb(act)) {
		return "", ""
	}
	page = "/case/" + mail.String()
	return page + "/" + act, page
}

// keep gives the fields of a form as the sign-in carries them. What makes an act
// final is not kept: the form comes back, it is not carried out.
func keep(form url.Values) (out []pages.Hidden) {
	for name, values := range form {
		if len(values) > 0 && values[0] != "" && name != "step" && name != "typed" {
			out = append(out, pages.Hidden{Name: keptName + name, Value: values[0]})
		}
	}
	return bounded(out)
}

// bounded gives fields in order, or none when they are too many.
func bounded(fields []pages.Hidden) []pages.Hidden {
	slices.SortFunc(fields, func(a, b pages.Hidden) int { return strings.Compare(a.Name, b.Name) })
	size := 0
	for _, f := range fields {
		size += len(url.QueryEscape(f.Name)) + len(url.QueryEscape(f.Value)) + 2
	}
	if size > maxKept {
		return nil
	}
	return fields
}

// carried gives what the form of a sign-in carries along.
func carried(q *request) (form string, fields []pages.Hidden) {
	form, _ = formPath(q.PostFormValue("keep"))
	if form == "" {
		return "", nil
	}
	for name, values := range q.PostForm {
		if strings.HasPrefix(name, keptName) && len(values) > 0 {
			fields = append(fields, pages.Hidden{Name: name, Value: values[0]})
		}
	}
	return form, bounded(fields)
}

// askAgain answers a form of somebody whose session has ended with the sign-in,
// which carries what they typed along.
func (s *Server) askAgain(w http.ResponseWriter, q *request) {
	s.expire(w)
	body := pages.SignIn{}
	said := pages.Said{Text: q.words.Say("sign.idle")}
	if post, page := formPath(q.URL.Path); post != "" && form(q.Request) == nil {
		body.Next, body.Keep, body.Kept = page, post, keep(q.PostForm)
		if len(body.Kept) > 0 {
			said.Text = q.words.Say("sign.kept")
		}
	}
	f := s.frame(q, "sign-in", body)
	f.Said = []pages.Said{said}
	if err := s.show(w, http.StatusUnauthorized, "sign-in", f); err != nil {
		s.Log.Error("console: a page failed", "err", err)
	}
}

// giveBack leads from the sign-in to the form that it was before, with what was
// typed there.
func (s *Server) giveBack(w http.ResponseWriter, q *request, form string, kept []pages.Hidden) error {
	body := pages.Kept{Form: form, Fields: []pages.Hidden{{Name: "step", Value: "back"}}}
	for _, f := range kept {
		if name := strings.TrimPrefix(f.Name, keptName); name != "step" && name != "typed" {
			body.Fields = append(body.Fields, pages.Hidden{Name: name, Value: f.Value})
		}
	}
	return s.show(w, http.StatusOK, "kept", s.frame(q, "kept", body))
}
