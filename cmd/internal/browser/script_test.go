package browser

import (
	"fmt"
	"strings"
	"testing"

	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/staff"
)

// payload is what a page must show and never be: a script, an element with a
// handler, the end of an attribute, an address that is a script, a template.
func payload(n int) string {
	return fmt.Sprintf(`x"'></textarea></title><script>window.pwned=%[1]d;alert(%[1]d)</script><img id=pwned src=x onerror=alert(%[1]d)><a href="javascript:alert(%[1]d)">{{.}}</a><svg onload=alert(%[1]d)><meta http-equiv=refresh content="0;url=//evil.test">`, n)
}

// injected is what tells that a page holds an element that is not ours.
const injected = `[...document.querySelectorAll("*")].filter((e) =>
  e.id == "pwned" || [...e.attributes].some((a) => a.name.startsWith("on") || a.name == "style" || /^\s*javascript:/i.test(a.value)) ||
  e.matches("iframe, object, embed, base, img, video, audio, form[action^='http'], meta[http-equiv]") ||
  e.matches("script") && !e.src.startsWith(location.origin + "/assets/") || e.matches("svg[onload]") ||
  e.matches("a") && e.href && !e.href.startsWith(location.origin + "/")).map((e) => e.outerHTML.slice(0, 200))`

// TestStoredScript fills every field that a mail, the user store or staff can
// fill with scripts, and has a browser open every page: none runs, and no
// element is there that is not ours.
func TestStoredScript(t *testing.T) {
	chrome := start(t)
	s := open(t, "Site", bySight, mallory())
	mails := s.scripted()
	handler := s.hire("hana", staff.RoleHandler)
	s.hire("dana", staff.RoleAdmin)
	s.wrote(handler)

	b := s.tab(chrome, 1280)
	b.visit("/sign-in?next=" + strings.ReplaceAll(payload(90), " ", "+"))
	b.clean("the sign-in")
	whole, _, _ := strings.Cut(payload(89), "<meta") // which would lead away
	eval[bool](b, `document.body.insertAdjacentHTML("beforeend", `+quoted(whole)+`) || true`)
	if got := eval[[]string](b, injected); len(got) < 3 { // else it would find nothing anywhere
		t.Fatalf("of a page with scripts it finds %q", got)
	}
	b.visit("/sign-in")
	b.fill("Name", "", "dana")
	b.fill("Password", "", password)
	b.press("Sign in", "main")
	b.at("/queue")
	pages := []string{"/queue", "/queue?kind=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/mails", "/log", "/log?case=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/saved", "/staff",
		"/account?done=%3Cscript%3Ealert(1)%3C/script%3E", "/nothing/%3Cscript%3Ealert(1)%3C/script%3E"}
	for i := 1; i <= mails; i++ {
		at := fmt.Sprintf("/case/M-%06d", i)
		pages = append(pages, at, at+"/raw", at+"/receipt", at+"?do=r")
	}
	for _, path := range pages {
		b.visit(path)
		b.clean(path)
		eval[bool](b, `document.querySelectorAll("details").forEach((d) => { d.open = true; }) || true`)
		b.clean(path + ", opened")
	}
	for _, what := range []string{payload(91)[:200], "evil", "M-000001"} {
		b.visit("/queue")
		b.fill("Search", ".search", what)
		b.keys("\r")
		b.until(`location.pathname != "/queue" && document.readyState == "complete"`)
		b.clean("a search")
	}
	// What was saved goes into the text, and the letter is shown.
	b.visit("/case/M-000001")
	b.press("Answer", ".acts")
	b.press("Saved answers", ".acts details[open]")
	b.press("Use it", ".acts")
	b.clean("a saved answer")
	b.press("See the letter", ".acts details[open]")
	b.sees("This is the letter that goes out.")
	b.clean("the letter")
	// The live queue puts rows into an open page.
	b.visit("/queue")
	s.write(`"`+strings.ReplaceAll(payload(92), `"`, `\"`)+`" <late@evil.test>`, payload(93), "When do you open?")
	b.sees("alert(93)")
	b.clean("the live queue")
	t.Logf("%d pages of %d mails were looked at", 2*len(pages)+7, mails)

	b.press("dana", "header")
	b.press("Sign out", "header")
	b.sees("You are signed out.")
	eval[bool](b, `(history.back(), true)`)
	b.until(`location.pathname == "/sign-in" && location.search == "" || location.pathname == "/queue"`)
	b.sees("Sign in")
	if eval[bool](b, `document.body.innerText.includes("alert(93)")`) {
		t.Error("after the sign-out the browser still shows the queue")
	}
}

// clean fails when a script ran, or a page holds what is not ours.
func (b *tab) clean(what string) {
	b.t.Helper()
	b.until(`document.readyState == "complete"`)
	if got := eval[[]string](b, injected); len(got) > 0 {
		b.t.Errorf("%s holds %q", what, got)
	}
	if eval[bool](b, `"pwned" in window`) || len(b.said()) > 0 {
		b.t.Errorf("%s: a script ran: %q", what, b.said())
	}
}

// mallory is somebody whose record is full of scripts.
func mallory() string {
	value := func(n int) string { return quoted(payload(n)) }
	return fmt.Sprintf(`{"id":"u-mallory","email":"mallory@evil.test","full_name":%s,"nickname":%s,"about":%s,"location":%s,"phone":"+77010000099","active":true,"events":[{"at":"2026-01-01T00:00:00Z","ip":"198.51.100.1","agent":%s,"page":%s,"cookie":"c"}]}`,
		value(1), value(2), value(3), value(4), value(5), value(6)) + "\n"
}

// scripted sends mails with scripts in every field, and tells how many.
func (s *site) scripted() int {
	s.t.Helper()
	from := `"` + strings.ReplaceAll(payload(10), `"`, `\"`) + `" <mallory@evil.test>`
	s.write(from, payload(11), "Why is this so? "+payload(12))
	s.write(from, payload(13), "Please delete my account. "+payload(14))
	s.write(from, payload(15), "Please change my nickname to "+payload(16)+"\n\nPlease set about to: "+payload(17))
	s.write(from, "copy "+payload(18), "I object to the processing of my data. "+payload(19), mailtest.HTML("<p>I object to the processing of my data.</p>"+payload(20)))
	s.write("mallory@evil.test", payload(21), "When do you open?", mailtest.Header("Message-Id", "<"+strings.ReplaceAll(payload(22), " ", "")+"@evil.test>"),
		mailtest.Header("References", "<"+strings.ReplaceAll(payload(23), " ", "")+"@evil.test>"), mailtest.Header("X-Mailer", payload(24)), mailtest.Header("Reply-To", payload(25)),
		mailtest.Header("Auto-Submitted", payload(26)), mailtest.Header("List-Id", payload(27)))
	n := s.count()
	for _, raw := range []string{
		"From: " + payload(30) + "@evil.test\nTo: support@site.test\nSubject: x\nMessage-ID: <a30@evil.test>\n\nWhere are you?\n",
		"From: \"<img id=pwned src=x onerror=alert(31)>\"@evil.test\nTo: " + payload(32) + "\nSubject: =?utf-8?q?=3Cimg_id=3Dpwned_src=3Dx_onerror=3Dalert(33)=3E?=\nMessage-ID: <a31@evil.test>\n\nWhere are you?\n",
		"From: mallory@evil.test\nTo: support@site.test\nSubject: files\nMessage-ID: <a32@evil.test>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nWhy are these not shown?\n" +
			"--b\nContent-Type: text/html; name=\"" + strings.ReplaceAll(payload(34), `"`, `\"`) + "\"\nContent-Disposition: attachment; filename=\"" + strings.ReplaceAll(payload(35), `"`, `\"`) + "\"\n\n" + payload(36) +
			"\n--b\nContent-Type: image/svg+xml\nContent-Disposition: inline; filename=x.svg\n\n<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(37)\"/>\n--b--\n",
		"From: mallory@evil.test\nTo: support@site.test\nSubject: " + payload(28) + "\nMessage-ID: <a35@evil.test>\nContent-Type: text/plain; charset=\"" + strings.ReplaceAll(payload(29), `"`, "") + "\"\n\nWhat is the price?\n",
		"From: mallory@evil.test\nTo: support@site.test\nSubject: html\nMessage-ID: <a33@evil.test>\nContent-Type: text/html\n\n<p>How do I leave?</p>" + payload(38) + "<style>body{display:none}</style>\n",
		"From: mallory@evil.test\nTo: support@site.test\nSubject: \u202e\u2066<b>x\nMessage-ID: <a34@evil.test>\n\nWho \u202e are you? \x00\x1b[31m" + payload(39) + "\n",
	} {
		if err := s.Deliver(support, []byte(raw), mailtest.Aligned(true)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.takes(n + 6)
	return s.count()
}

// wrote has staff write scripts wherever they can write.
func (s *site) wrote(handler string) {
	s.t.Helper()
	want := func(a answered, codes ...int) {
		s.t.Helper()
		for _, c := range codes {
			if a.Code == c {
				return
			}
		}
		s.t.Errorf("answered %d: %s", a.Code, a.text())
	}
	want(s.post("/saved/put", s.admin, "name", payload(50), "language", "en", "text", payload(51)), 303, 422)
	want(s.post("/saved/put", s.admin, "name", "plain name", "language", "en", "text", payload(52)), 303)
	want(s.post("/case/M-000001/hand-over", handler, "action", "A-000001", "to", "hana", "note", payload(53)), 303)
	want(s.post("/case/M-000001/hold", handler, "action", "A-000001", "reason", payload(54), "until", "2030-01-01"), 303)
	want(s.post("/case/M-000001/release", handler, "action", "A-000001"), 303)
	want(s.post("/case/M-000002/refuse", handler, "action", "A-000002", "reason", payload(55), "step", "send", "typed", "M-2"), 303)
	want(s.post("/staff/add", s.admin, "name", payload(56), "role", "viewer"), 422)
	want(s.post("/case/M-000003/correct", handler, "action", s.first(3), "kind", "change", "set.nickname", payload(57), "set.about", payload(58)), 303, 409, 422)
	s.takes(s.count())
}

// first gives the first action of a case.
func (s *site) first(mail int) string {
	s.t.Helper()
	for _, id := range s.ids() {
		if a := s.action(id); a.Case.String() == fmt.Sprintf("M-%06d", mail) {
			return id.String()
		}
	}
	return "A-000000"
}
