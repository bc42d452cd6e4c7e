package console

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
)

// hidden gives what a page's forms would send along.
func hidden(body string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		out = append(out, m[1], m[2])
	}
	return out
}

// TestDecidedMeanwhile: who answers what another has answered sees what they
// wrote, who was quicker, and why, in their own language.
func TestDecidedMeanwhile(t *testing.T) {
	o := newOffice(t)
	m := o.question()
	quick, slow := o.session("mira", staff.RoleHandler), o.session("nina", staff.RoleHandler)
	want(t, o.post("/account", slow, "language", "ru"), http.StatusSeeOther)
	path, action := "/case/"+m.ID.String()+"/answer", m.Actions[0].String()
	want(t, o.post(path, quick, "action", action, "text", "In Almaty.", "step", "send"), http.StatusSeeOther)
	for _, step := range []string{"", "send"} {
		w := o.post(path, slow, "action", action, "text", "В Алматы,\r\nна Абая.", "step", step)
		want(t, w, http.StatusConflict, "readonly", "В Алматы,\nна Абая.</textarea>", pagesWord(o, "ru", "said.unsent"), "уже решили", "mira", "<details><summary>"+pagesWord(o, "ru", "said.why"))
	}
	// and without the reason nothing of it is in another language
	w := o.post("/case/"+m.ID.String()+"/hold", slow, "action", action, "reason", "пусть подождёт")
	want(t, w, http.StatusConflict, "пусть подождёт</textarea>", "уже решили")
}

// TestNothingTypedIsLost: a fault gives every form back as it was sent.
func TestNothingTypedIsLost(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token, _ := o.session("olga", staff.RoleHandler), o.session("pavel", staff.RoleHandler)
	path, action := "/case/"+m.ID.String(), m.Actions[0].String()
	want(t, o.post(path+"/correct", token, "action", action, "kind", "change", "scope", "fields", "set.email", "nowhere", "set.phone", "8 701", "add.phone", "yes", "drop.nickname", "yes"), http.StatusConflict,
		`<option value="change" selected>`, `<option value="fields" selected>`, `name="set.email" value="nowhere"`, `name="set.phone" value="8 701"`, `name="add.phone" value="yes" checked`, `name="drop.nickname" value="yes" checked`)
	want(t, o.post(path+"/hold", token, "action", action, "reason", "a lawyer looks", "until", "2020-01-01"), http.StatusConflict, "a lawyer looks</textarea>", `name="until" value="2020-01-01"`)
	want(t, o.post(path+"/ask", token, "action", action, "text", "Is it you?", "record", "two@users"), http.StatusConflict, "Is it you?</textarea>", `name="record" value="two@users"`)
	want(t, o.post(path+"/ask", token, "action", action, "text", "Is it you?", "record", "two@users.test", "step", "back"), http.StatusOK, "Is it you?</textarea>", `name="record" value="two@users.test"`)
	want(t, o.post(path+"/hand-over", token, "action", action, "to", "pavel", "note", "mine", "step", "back"), http.StatusOK, "mine</textarea>", `<option value="pavel" selected>`)
}

// TestSignedOutWhileTyping: what was typed comes back after the sign-in, and
// nothing is done by itself.
func TestSignedOutWhileTyping(t *testing.T) {
	o := newOffice(t)
	m := o.question()
	token := o.session("rita", staff.RoleHandler)
	link, err := o.staff.Reset(t.Context(), "test", "rita")
	if err != nil {
		t.Fatal(err)
	}
	token = given(t, o.post("/link", token, "token", link)).Value
	token = given(t, o.post("/password", token, "password", password, "again", password)).Value
	want(t, o.post("/sign-out", token), http.StatusSeeOther)

	path := "/case/" + m.ID.String() + "/answer"
	w := o.post(path, token, "action", m.Actions[0].String(), "text", "Come <by>.", "step", "send", "typed", m.ID.String())
	want(t, w, http.StatusUnauthorized, pagesWord(o, "en", "sign.kept"), `name="next" value="/case/`+m.ID.String()+`"`, `name="kept.text" value="Come &lt;by&gt;."`)
	secured(t, "sign-in", w)
	for _, gone := range []string{"kept.step", "kept.typed"} {
		if strings.Contains(w.Body.String(), gone) {
			t.Errorf("%s is kept", gone)
		}
	}
	w = o.post("/sign-in", "", append(hidden(strings.ReplaceAll(w.Body.String(), "Come &lt;by&gt;.", "Come by.")), "name", "rita", "password", "wrong")...)
	want(t, w, http.StatusUnauthorized, `name="kept.text" value="Come by."`)
	w = o.post("/sign-in", "", append(hidden(w.Body.String()), "name", "rita", "password", password)...)
	want(t, w, http.StatusOK, `action="`+path+`"`, `name="text" value="Come by."`, `name="step" value="back"`)
	token = given(t, w).Value
	w = o.post(path, token, hidden(w.Body.String())...)
	want(t, w, http.StatusOK, "Come by.</textarea>")
	if o.state(m) != inbox.StateReview {
		t.Errorf("it is %s", o.state(m))
	}
}

// TestKept: only forms with texts are kept, and of a bounded size.
func TestKept(t *testing.T) {
	o := newOffice(t)
	for path, post := range map[string]string{"/case/m-1/answer": "/case/M-000001/answer", "/saved/put": "/saved/put", "/case/M-1/explode": "", "/password": "", "/sign-in": "", "//evil.test": "", "/case/M-1/../../x": "", "/staff/add": ""} {
		if got, _ := formPath(path); got != post {
			t.Errorf("%s is kept for %q, want %q", path, got, post)
		}
	}
	w := o.post("/case/M-000001/answer", "", "text", strings.Repeat("x", maxKept))
	want(t, w, http.StatusUnauthorized)
	if strings.Contains(w.Body.String(), "xxx") {
		t.Error("more is kept than can be sent again")
	}
	want(t, o.post("/sign-in", "", "keep", "//evil.test", "kept.text", "x", "name", "a", "password", "b"), http.StatusUnauthorized, `name="keep" value=""`)
	synctest.Test(t, func(t *testing.T) { // as long as the letters of an alphabet that takes most octets
		o := newOffice(t)
		token := o.session("sofia", staff.RoleHandler)
		time.Sleep(24 * time.Hour)
		long := strings.Repeat("қ", 20_000)
		want(t, o.post("/case/M-000001/answer", token, "text", long), http.StatusUnauthorized, long)
	})
}

// TestAnswerTextKept: the form of a saved answer comes back, too.
func TestAnswerTextKept(t *testing.T) {
	o := newOffice(t)
	token := o.session("tina", staff.RoleAdmin)
	want(t, o.post("/saved/put", token, "name", "Where", "language", "ru", "text", "Here.", "step", "back"), http.StatusOK, `value="Where"`, "Here.</textarea>")
	all, err := o.desk.SavedAnswers()
	if err != nil || len(all) > 0 {
		t.Errorf("saved: %v, %v", all, err)
	}
}
