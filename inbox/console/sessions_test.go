package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"push.guru/supportd/inbox/staff"
)

const (
	firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)

func TestBrowser(t *testing.T) {
	for agent, want := range map[string]string{
		firefox: "Firefox · Windows", iphone: "Safari · iPhone", "": "", "curl/8.5.0": "", "<script>": "",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                                          "Chrome · Linux",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                                "Chrome · Android",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36":             "Yandex · Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":            "Edge · Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1": "Chrome · iPhone",
	} {
		if got := browser(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

// TestSessions: the own account lists where one is signed in, and ends it
// elsewhere.
func TestSessions(t *testing.T) {
	o := newOffice(t)
	with := func(agent string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("User-Agent", agent) }
	}
	in := func(agent string) string {
		t.Helper()
		link, err := o.staff.Link(t.Context(), "test", "mira")
		if err != nil {
			t.Fatal(err)
		}
		w := o.ask(http.MethodPost, "/link", "", map[string][]string{"token": {link}}, with(agent))
		want(t, w, http.StatusSeeOther)
		return w.Result().Cookies()[0].Value
	}
	other := o.session("nina", staff.RoleHandler)
	o.session("mira", staff.RoleViewer)
	desk, phone := in(firefox), in(iphone)
	w := o.get("/account", desk)
	want(t, w, http.StatusOK, "Firefox · Windows", "This browser", "Safari · iPhone", "Browser not known", "Sign out everywhere else")
	ids := regexp.MustCompile(`name="session" value="([0-9a-f]+)"`).FindAllStringSubmatch(w.Body.String(), -1)
	if len(ids) != 2 || strings.Contains(w.Body.String(), phone) {
		t.Fatalf("it offers %q", ids)
	}
	want(t, o.post("/account/sessions", desk), http.StatusNotFound)
	want(t, o.post("/account/sessions", other, "session", ids[0][1]), http.StatusSeeOther) // which is none of hers
	want(t, o.get("/queue", phone), http.StatusOK)
	for _, id := range ids {
		want(t, o.post("/account/sessions", desk, "session", id[1]), http.StatusSeeOther, "/account?done=sessions")
	}
	want(t, o.get("/queue", phone), http.StatusSeeOther)
	tablet := in(iphone)
	want(t, o.post("/account/sessions", desk, "session", "all"), http.StatusSeeOther)
	want(t, o.get("/queue", tablet), http.StatusSeeOther)
	want(t, o.get("/queue", other), http.StatusOK)
	w = o.get("/account?done=sessions", desk)
	want(t, w, http.StatusOK, "You are signed out there.")
	if strings.Contains(w.Body.String(), "Sign out everywhere else") {
		t.Error("it offers to sign out where nobody is signed in")
	}
}
