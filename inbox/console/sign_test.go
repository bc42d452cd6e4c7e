package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/cases"
	"push.guru/supportd/inbox/staff"
)

func prefixes(t *testing.T, s string) (out []netip.Prefix) {
	t.Helper()
	if s == "" {
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		t.Fatal(err)
	}
	return []netip.Prefix{p}
}

// given gives the session's cookie of an answer.
func given(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == cookie {
			return c
		}
	}
	t.Fatal("no session was given")
	return nil
}

// TestOneTimeLink: to look at the link uses nothing up; the form does, once, and
// lets nobody do anything before a password is chosen.
func TestOneTimeLink(t *testing.T) {
	o := newOffice(t)
	link, err := o.staff.Add(t.Context(), "test", "ella", staff.RoleHandler)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		want(t, o.get("/link/"+link, ""), http.StatusOK, `value="`+link+`"`)
	}
	first := given(t, o.post("/link", "", "token", link))
	if !first.Secure || !first.HttpOnly || first.SameSite != http.SameSiteStrictMode || first.Path != "/" || first.Domain != "" || !strings.HasPrefix(first.Name, "__Host-") {
		t.Errorf("the cookie is %+v", first)
	}
	want(t, o.post("/link", "", "token", link), http.StatusForbidden, "used already")
	want(t, o.get("/queue", first.Value), http.StatusSeeOther, "/password")
	want(t, o.post("/search", first.Value, "what", "x"), http.StatusSeeOther, "/password")
	want(t, o.get("/password", first.Value), http.StatusOK, "12")
	want(t, o.post("/password", first.Value, "password", "a b", "again", "a b"), http.StatusUnprocessableEntity, "too short")
	want(t, o.post("/password", first.Value, "password", password, "again", "other"), http.StatusUnprocessableEntity, "not the same")
	w := o.post("/password", first.Value, "password", password, "again", password)
	want(t, w, http.StatusSeeOther, "/queue?done=password")
	second := given(t, w)
	if second.Value == first.Value {
		t.Error("the session is the same as before")
	}
	want(t, o.get("/queue", first.Value), http.StatusSeeOther, "/sign-in")
	want(t, o.get("/queue?done=password", second.Value), http.StatusOK, "Your password is set.")
}

// TestSignIn: a new session each time, whatever the browser brought along; the
// old one ends.
func TestSignIn(t *testing.T) {
	o := newOffice(t)
	token := o.session("fred", staff.RoleViewer)
	link, err := o.staff.Reset(t.Context(), "test", "fred")
	if err != nil {
		t.Fatal(err)
	}
	token = given(t, o.post("/link", token, "token", link)).Value
	token = given(t, o.post("/password", token, "password", password, "again", password)).Value

	w := o.post("/sign-in", "planted-by-somebody", "name", "Fred", "password", password, "next", "/log")
	want(t, w, http.StatusSeeOther, "/log")
	one := given(t, w).Value
	if one == "planted-by-somebody" || one == token {
		t.Error("the session is not a new one")
	}
	two := given(t, o.post("/sign-in", one, "name", "fred", "password", password)).Value
	want(t, o.get("/queue", one), http.StatusSeeOther, "/sign-in")
	want(t, o.get("/queue", two), http.StatusOK)
	want(t, o.get("/sign-in", two), http.StatusSeeOther, "/queue")

	for _, name := range []string{"fred", "nobody", "<script>"} {
		want(t, o.post("/sign-in", "", "name", name, "password", "wrong"), http.StatusUnauthorized, "The name or the password is not right.")
	}
	w = o.post("/sign-out", two)
	want(t, w, http.StatusSeeOther, "/sign-in?out")
	if c := given(t, w); c.MaxAge >= 0 || c.Value != "" {
		t.Errorf("the cookie stays: %+v", c)
	}
	want(t, o.get("/queue", two), http.StatusSeeOther, "/sign-in")
}

// TestSignInsAtOnce: when too many wait for their hash, the next is told to come
// again, and it is no fault of the program.
func TestSignInsAtOnce(t *testing.T) {
	o := newOffice(t)
	busy := &inbox.Error{Err: errors.New("too many sign in at once"), Temp: true}
	q := o.s.speak(&request{Request: httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-in", nil)})
	w := httptest.NewRecorder()
	o.s.refuse(w, q, route{pattern: "POST /sign-in"}, fmt.Errorf("signing in: %w", busy))
	want(t, w, http.StatusServiceUnavailable, "Busy")
	if w.Header().Get("Retry-After") == "" {
		t.Error("it does not say when")
	}
}

// TestGuessing is slowed down, by the address of the browser.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.session("gina", staff.RoleViewer)
		refused := 0
		for range 30 {
			if w := o.post("/sign-in", "", "name", "gina", "password", "guess"); w.Code == http.StatusTooManyRequests {
				refused++
				want(t, w, http.StatusTooManyRequests, "Try again in")
				if n, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || n < 1 {
					t.Errorf("it says to come back after %q", w.Header().Get("Retry-After"))
				}
			}
		}
		if refused < 20 {
			t.Errorf("%d of 30 guesses were refused", refused)
		}
	})
}

// TestIdle: a session ends by itself, and one is told why.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		token := o.session("hana", staff.RoleViewer)
		time.Sleep(20 * time.Minute)
		want(t, o.get("/queue", token), http.StatusOK)
		time.Sleep(20 * time.Minute)
		want(t, o.get("/queue", token), http.StatusOK)
		time.Sleep(31 * time.Minute)
		want(t, o.get("/queue", token), http.StatusSeeOther, "/sign-in")
		want(t, o.post("/search", token, "what", "x"), http.StatusUnauthorized, "because nothing happened", `action="/sign-in"`)
		want(t, o.get("/sign-in?idle", ""), http.StatusOK, "because nothing happened")
	})
}

// TestAccounts: the page shows a link once, and it stands in no address.
func TestAccounts(t *testing.T) {
	o := newOffice(t)
	token := o.session("ines", staff.RoleAdmin)
	w := o.post("/staff/add", token, "name", "jon", "role", "handler")
	want(t, w, http.StatusOK, "http://"+host+"/link/", "jon")
	want(t, o.post("/staff/add", token, "name", "jon", "role", "handler"), http.StatusUnprocessableEntity, "already")
	want(t, o.post("/staff/add", token, "name", "<b>", "role", "handler"), http.StatusUnprocessableEntity, "&lt;b&gt;")
	want(t, o.post("/staff/role", token, "name", "jon", "role", "approver"), http.StatusSeeOther, "/staff?done=role")
	want(t, o.post("/staff/role", token, "name", "jon", "role", "emperor"), http.StatusUnprocessableEntity)
	want(t, o.post("/staff/role", token, "name", "ines", "role", "viewer"), http.StatusUnprocessableEntity, "last enabled admin")
	want(t, o.post("/staff/disable", token, "name", "jon"), http.StatusSeeOther, "/staff?done=disable")
	want(t, o.post("/staff/enable", token, "name", "jon"), http.StatusSeeOther, "/staff?done=enable")
	want(t, o.post("/staff/reset", token, "name", "jon"), http.StatusOK, "/link/")
}

// TestWordsOfTheJournal: nobody has a name that the journal, and the pages, have
// for somebody else: what they did would be taken for another's doing.
func TestWordsOfTheJournal(t *testing.T) {
	o := newOffice(t)
	token := o.session("ines", staff.RoleAdmin)
	for _, name := range []string{cases.Program, cases.Owner, cases.Claimant, "owner", "claimant", "person", "the-person", "nobody", "automatically", "staff"} {
		want(t, o.post("/staff/add", token, "name", name, "role", "viewer"), http.StatusUnprocessableEntity)
	}
}
