package console

import (
	"net/http"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
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
