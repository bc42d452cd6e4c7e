package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/review"
	"push.guru/supportd/inbox/staff"
	"push.guru/supportd/inbox/state"
)

// TestReasonsInTheReadersLanguage: what a proof rests on and why an act was not
// done are read in one's own language; how the program said it stands below.
func TestReasonsInTheReadersLanguage(t *testing.T) {
	o := newOffice(t)
	why := "no Authentication-Results of mx.site.test; signature of users.test: body hash did not verify"
	m := o.mail("ann@users.test", "Ann Bee", why, "Maybe delete my account.", inbox.LevelAligned, inbox.Request{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Confidence: .6})
	token := o.session("mira", staff.RoleHandler)
	page, original := "/case/"+m.ID.String(), `lang="en">no Authentication-Results of mx.site.test; signature of users.test: body hash did not verify<`
	if w := o.get(page, token); strings.Contains(w.Body.String(), original) {
		t.Error("an English page says the same twice")
	}
	for lang, parts := range map[string][2]string{"ru": {"Подпись users.test: текст письма изменён", "Для отказа нужна причина"}, "kk": {"users.test қолтаңбасы: хат мәтіні өзгерген", "Бас тартуға себеп керек"}} {
		if err := o.staff.SetLanguage(t.Context(), "mira", "mira", lang); err != nil {
			t.Fatal(err)
		}
		want(t, o.get(page, token), http.StatusOK, parts[0], original)
		want(t, o.post(page+"/refuse", token, "action", m.Actions[0].String(), "reason", " "), http.StatusConflict, `<p class="small">`+parts[1], `lang="en">a refusal needs a reason: the person is told it<`)
		want(t, o.post(page+"/hold", token, "action", m.Actions[0].String(), "until", "soon"), http.StatusUnprocessableEntity, `lang="en">the date is written as YYYY-MM-DD<`)
	}
}

// TestReasonsStandAlone: what the program calls a transaction, which stands before
// its errors, is for logs.
func TestReasonsStandAlone(t *testing.T) {
	o := newOffice(t)
	m := o.deletion()
	token := o.session("mira", staff.RoleAdmin)
	page, action := "/case/"+m.ID.String(), m.Actions[0].String()
	want(t, o.post(page+"/correct", token, "action", action, "kind", "change"), http.StatusConflict, `<p class="small">A change needs at least one new value`)
	want(t, o.post(page+"/correct", token, "action", action, "kind", "change", "set.phone", "seven"), http.StatusConflict, `<p class="small">Phone number “seven”: not a telephone number`)
	want(t, o.post("/staff/role", token, "name", "mira", "role", "viewer"), http.StatusUnprocessableEntity, `<p class="small">“mira” is the last enabled administrator: make somebody else one first`)
	want(t, o.post("/staff/role", token, "name", "nobody", "role", "viewer"), http.StatusUnprocessableEntity, `<p class="small">There is no account “nobody”`)
	want(t, o.post("/saved/put", token, "name", " ", "language", "en", "text", "x"), http.StatusUnprocessableEntity, `<p class="small">A saved answer needs a name`)
}

// TestLanguagesOfTheQueue: what is open can be filtered by its own languages,
// named in the reader's.
func TestLanguagesOfTheQueue(t *testing.T) {
	o := newOffice(t)
	m := o.question()
	token := o.session("mira", staff.RoleHandler)
	for _, tag := range []string{"de-AT", "und"} {
		err := o.db.Update(t.Context(), "test", func(tx *state.Tx) error {
			a, err := tx.Action(m.Actions[0])
			if err != nil {
				return err
			}
			a.Language = tag
			return tx.PutAction(a)
		})
		if err != nil {
			t.Fatal(err)
		}
		for lang, names := range map[string]map[string]string{"en": {"de-AT": `<option value="de">German`, "und": `<option value="und">Not known`}, "ru": {"de-AT": `<option value="de">немецкий`, "und": `<option value="und">неизвестен`},
			"kk": {"de-AT": `<option value="de">неміс<`, "und": `<option value="und">белгісіз`}} {
			if err := o.staff.SetLanguage(t.Context(), "mira", "mira", lang); err != nil {
				t.Fatal(err)
			}
			w := o.get("/queue", token)
			want(t, w, http.StatusOK, names[tag])
			if strings.Contains(w.Body.String(), `<option value="ru">`) {
				t.Error("a language is offered in which nothing is open")
			}
		}
	}
	want(t, o.get("/queue?language=und", token), http.StatusOK, m.ID.String(), `<option value="und" selected>`)
	w := o.get("/queue?language=fr", token)
	want(t, w, http.StatusOK, `<option value="fr" selected>`)
	if strings.Contains(w.Body.String(), m.ID.String()) {
		t.Error("it is shown in another language")
	}
}

// TestHandedToYou: what was handed over to somebody stands on top of their queue
// and nobody else's, also while the page is open.
func TestHandedToYou(t *testing.T) {
	o := newOffice(t)
	m := o.question()
	mira, nina := o.session("mira", staff.RoleHandler), o.session("nina", staff.RoleHandler)
	want(t, o.post("/case/"+m.ID.String()+"/hand-over", mira, "action", m.Actions[0].String(), "to", "nina"), http.StatusSeeOther)
	has := func(token, path string) bool {
		w := o.get(path, token)
		want(t, w, http.StatusOK)
		return strings.Contains(w.Body.String(), "Handed to you")
	}
	if !has(nina, "/queue") || has(mira, "/queue") || has(nina, "/queue?kind=question") {
		t.Error("it stands on another queue than that of whoever has it")
	}
	for token, is := range map[string]bool{nina: true, mira: false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, livePath, nil)
		session, err := o.staff.Peek(token)
		if err != nil {
			t.Fatal(err)
		}
		q := &request{Request: r, token: token, session: session, actor: review.Actor{Name: session.Account.Name, Role: session.Account.Role}, lang: "en", words: o.s.pages.Words("en")}
		if rows, err := o.s.liveRows(q); err != nil || strings.Contains(string(rows), "Handed to you") != is {
			t.Errorf("%s: the open page says so: %t, want %t, %v", session.Account.Name, !is, is, err)
		}
	}
}
