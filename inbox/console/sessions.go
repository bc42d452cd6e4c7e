package console

import (
	"net/http"
	"strings"

	pages "push.guru/supportd/templates/console"
)

// everywhere stands in the form that signs somebody out in the place of one
// session.
const everywhere = "all"

// endSessions signs somebody out elsewhere.
func endSessions(s *Server, w http.ResponseWriter, q *request) error {
	id := q.PostFormValue("session")
	switch id {
	case "":
		return errNoPage
	case everywhere:
		id = ""
	}
	if _, err := s.Staff.SignOutElsewhere(q.Context(), q.token, id); err != nil {
		return err
	}
	http.Redirect(w, q.Request, "/account?done=sessions", http.StatusSeeOther)
	return nil
}

// sessions lists where somebody is signed in.
func (s *Server) sessions(q *request) ([]pages.Session, error) {
	all, err := s.Staff.Places(q.token)
	var out []pages.Session
	for _, p := range all {
		out = append(out, pages.Session{ID: p.ID, Browser: p.Browser, Started: p.Started, Seen: p.Seen, Own: p.Own})
	}
	return out, err
}

// let hands a new session to the browser, and notes in which one it is.
func (s *Server) let(w http.ResponseWriter, q *request, token string) {
	if err := s.Staff.Describe(q.Context(), token, browser(q.UserAgent())); err != nil {
		s.Log.Error("console: noting the browser of a session", "err", err)
	}
	s.admit(w, token)
}

// browser names a browser and what it runs on, as far as it says so; many say
// that they are others, too, and so the rarer ones come first.
func browser(agent string) string {
	find := func(marks ...[2]string) string {
		for _, m := range marks {
			if strings.Contains(agent, m[0]) {
				return m[1]
			}
		}
		return ""
	}
	name := find([2]string{"YaBrowser/", "Yandex"}, [2]string{"OPR/", "Opera"}, [2]string{"Edg", "Edge"}, [2]string{"SamsungBrowser/", "Samsung Internet"}, [2]string{"Firefox/", "Firefox"},
		[2]string{"FxiOS/", "Firefox"}, [2]string{"CriOS/", "Chrome"}, [2]string{"Chrome/", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := find([2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Android", "Android"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Windows", "Windows"},
		[2]string{"Macintosh", "Mac"}, [2]string{"Linux", "Linux"})
	return strings.Trim(name+" · "+system, " ·")
}
