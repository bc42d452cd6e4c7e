package staff_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// desk is a server with one page, which takes the right to act.
type desk struct{ *staff.Staff }

func (d desk) signIn(w http.ResponseWriter, r *http.Request) {
	token, err := d.SignIn(r.Context(), r.PostFormValue("name"), r.PostFormValue("password"), r.RemoteAddr)
	var wait *staff.ThrottledError
	switch {
	case errors.Is(err, staff.ErrSignIn):
		http.Error(w, "wrong", http.StatusForbidden)
	case errors.As(err, &wait):
		http.Error(w, "later", http.StatusTooManyRequests)
	case err != nil:
		http.Error(w, "failed", http.StatusInternalServerError)
	default:
		http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
}

func (d desk) page(w http.ResponseWriter, r *http.Request) {
	var session staff.Session
	cookie, err := r.Cookie("__Host-session")
	if err == nil {
		session, err = d.Session(r.Context(), cookie.Value)
	}
	switch {
	case err != nil:
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	case !session.May(staff.RightAct):
		http.Error(w, "not yours", http.StatusForbidden)
	default:
		fmt.Fprintf(w, "good morning, %s", session.Account.Name)
	}
}

// A handler lets somebody in and asks for a right.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := state.Open(state.Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	d := desk{staff.New(staff.Config{State: db, Cost: staff.Cost{Memory: 64, Time: 1, Threads: 1}})}

	ask := func(handler http.HandlerFunc, method, form string, cookies ...*http.Cookie) *http.Response {
		r := httptest.NewRequest(method, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		handler(w, r)
		fmt.Println(strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)))
		return w.Result()
	}

	ctx := context.Background()
	// supportd staff add aigul --role handler, and what she does with the link
	link, err := d.Add(ctx, "root", "aigul", staff.RoleHandler)
	if err != nil {
		panic(err)
	}
	first, err := d.Begin(ctx, link, "192.0.2.1")
	if err != nil {
		panic(err)
	}
	if _, err := d.SetPassword(ctx, first, "", "correct horse battery", "192.0.2.1"); err != nil {
		panic(err)
	}

	ask(d.page, "GET", "")
	ask(d.signIn, "POST", "name=aigul&password=guess")
	in := ask(d.signIn, "POST", "name=aigul&password=correct+horse+battery")
	ask(d.page, "GET", "", in.Cookies()...)
	// Output:
	// 303 <a href="/sign-in">See Other</a>.
	// 403 wrong
	// 200
	// 200 good morning, aigul
}
