package browser

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"push.guru/supportd/inbox/mailtest"
	"push.guru/supportd/inbox/staff"
)

// bySightToo has staff see changes and deletes first.
const bySightToo = bySight + "[policy.change]\nreview = \"always\"\n"

// a morning in the life of a site: what has come, how many hours ago.
var morning = []struct {
	hours         int
	from, subject string
	text          string
}{
	{200, "Carol Jensen <carol@users.test>", "Still no refund", "Hello,\n\nI cancelled my subscription in October and the refund has still not arrived. When will I get it?\n\nCarol"},
	{25, "Айгуль Нурланова <aigul@users.test>", "Реклама", "Здравствуйте!\n\nЯ возражаю против обработки моих данных для рекламы.\n\nАйгуль"},
	{22, "Erin Walsh <erin@users.test>", "Closing my account", "Hi there,\n\nI have not used the site for years. Please delete my account.\n\nThank you,\nErin"},
	{73, "Ержан Сериков <erzhan@users.test>", "Сұрақ", "Сәлеметсіз бе!\n\nНеге менің аккаунтым бұғатталды?\n\nЕржан"},
	{49, "Jonas Weber <jonas@nord.test>", "Rechnung", "Guten Tag,\n\nwarum habe ich für November zwei Rechnungen bekommen?\n\nJonas Weber"},
	{7, "Alice Morgan <alice@users.test>", "I have moved", "Hello,\n\nI have moved and have a new number. Please change my phone number to +44 20 7946 0018 and my location to Bristol.\n\nMany thanks\nAlice"},
	{5, "Мадина Оспанова <madina@stepnoy.test>", "Не могу войти", "Добрый день. Почему я не могу войти в свой аккаунт со вчерашнего вечера?"},
	{3, "Bob Fisher <bob@users.test>", "Two payments in June", "Why was I charged twice in June? I have only one subscription."},
	{2, "Dana Kim <dana.kim@lotus.test>", "Who sees my address?", "Does the courier get to see my phone number, or only the address?"},
	{1, "Айгуль Нурланова <aigul@users.test>", "Новый телефон", "Здравствуйте! Поменяйте, пожалуйста, мой телефон на +7 705 111 22 44. Спасибо!"},
}

// wakes brings the morning's mail, and what staff have done with some of it.
func (s *site) wakes() {
	s.t.Helper()
	for _, m := range morning {
		s.write(m.from, m.subject, m.text, mailtest.SentAt(time.Now().Add(-time.Duration(m.hours)*time.Hour)))
	}
	s.post("/saved/put", s.admin, "name", "Charged twice", "language", "en", "text", "You were charged twice by mistake. The second payment is on its way back to you and should arrive within five working days.")
	s.post("/saved/put", s.admin, "name", "Списали дважды", "language", "ru", "text", "С вас по ошибке списали оплату дважды. Вторую мы уже возвращаем, деньги придут в течение пяти рабочих дней.")
	s.post("/case/M-000005/hand-over", s.admin, "action", s.first(5), "to", "erlan", "note", "You speak German, don’t you?")
	s.post("/case/M-000009/hold", s.admin, "action", s.first(9), "reason", "Waiting for the courier’s answer.")
}

// TestScene keeps pictures of the pages as staff see them on a busy morning, in
// their three languages; two of them are the README's.
func TestScene(t *testing.T) {
	chrome := start(t)
	s := open(t, "Push.Guru", bySightToo, "")
	s.hire("marta", staff.RoleApprover)
	s.hire("erlan", staff.RoleHandler)
	s.wakes()
	b := s.enters(chrome, "marta", 1280)
	b.sees("What needs a person", "Still no refund", "Новый телефон")
	if n := eval[int](b, `document.querySelectorAll(".rows .row").length`); n < 8 {
		t.Errorf("%d cases are open", n)
	}
	if eval[int](b, `document.querySelectorAll(".rows .row.red").length`) == 0 { // what is amber depends on the day of the week
		t.Error("no deadline is red")
	}
	b.size(784) // as many rows as fit whole
	b.shot("readme-queue")
	b.press("Wants phone number and location changed", ".rows")
	b.sees("+44 20 7946 0018", "What will happen")
	b.size(900)
	eval[bool](b, `(scrollTo(0, 0), true)`)
	b.shot("readme-case")
	e := s.enters(chrome, "erlan", 1280)
	for _, lang := range []string{"en", "ru", "kk"} {
		if got := s.post("/account", e.session(), "language", lang); got.Code != 303 {
			t.Fatal(got.Code)
		}
		e.visit("/queue")
		e.whole("scene-" + lang + "-handed")
		refused(e)
		e.whole("scene-" + lang + "-refused")
		if got := s.post("/account", b.session(), "language", lang); got.Code != 303 {
			t.Fatal(got.Code)
		}
		for name, path := range map[string]string{"queue": "/queue", "case": "/case/M-000006", "question": "/case/M-000008", "delete": "/case/M-000003", "log": "/log", "mails": "/mails", "account": "/account", "receipt": "/case/M-000003/receipt"} {
			b.visit(path)
			b.whole("scene-" + lang + "-" + name)
			if wide := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
				t.Errorf("%s in %s is wider than the window", path, lang)
			}
		}
	}
}

// refused has an act refused: its form is sent without what it needs.
func refused(b *tab) {
	b.t.Helper()
	b.visit("/case/M-000006")
	b.until(`document.querySelector("form[action$='/correct']") !== null`)
	eval[bool](b, `(() => { const f = document.querySelector("form[action$='/correct']"); f.querySelectorAll("input:not([type=hidden])").forEach((i) => { i.value = ""; i.checked = false; }); f.requestSubmit(); return true; })()`)
	b.until(`document.querySelector(".said.fault") !== null`)
}

// enters signs somebody in, in a page of their own.
func (s *site) enters(chrome context.Context, name string, width int64) *tab {
	s.t.Helper()
	b := s.tab(chrome, width)
	b.visit("/sign-in")
	b.fill("Name", "", name)
	b.fill("Password", "", password)
	b.press("Sign in", "main")
	b.at("/queue")
	return b
}

// finding is what the accessibility checker found.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// found gives what the checker finds on the page.
func (b *tab) found() []finding {
	b.t.Helper()
	return eval[[]finding](b, `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.map((v) => ({ ID: v.id, Impact: v.impact, Help: v.help,
  Nodes: v.nodes.map((n) => ({ HTML: n.html, FailureSummary: n.failureSummary })) })))`)
}

// accessible has the checker look at the page, in both widths and both sets of
// colours, and tells how often it looked.
func (b *tab) accessible(axe, what string) int {
	b.t.Helper()
	b.until(`document.readyState == "complete"`)
	eval[bool](b, axe+";true")
	before, looked := b.width, 0
	for _, width := range []int64{390, 1280} {
		b.wide(width)
		for _, scheme := range []string{"light", "dark"} {
			b.colours(scheme)
			for _, f := range b.found() {
				if slices.Contains([]string{"serious", "critical"}, f.Impact) {
					b.t.Errorf("%s, %d, %s: %s: %s", what, width, scheme, f.ID, f.Help)
					for _, n := range f.Nodes[:min(3, len(f.Nodes))] {
						b.t.Logf("%.200s\n%s", n.HTML, n.FailureSummary)
					}
				} else {
					b.t.Logf("%s, %d, %s: %s (%s)", what, width, scheme, f.ID, f.Impact)
				}
			}
			looked++
		}
	}
	b.colours("light")
	b.wide(before)
	return looked
}

// TestAccessible has axe-core look at every page of the console: nothing that
// it finds is serious.
func TestAccessible(t *testing.T) {
	axe := axe(t)
	chrome := start(t)
	s := open(t, "Push.Guru", bySightToo, "")
	pages, looked := 0, 0
	look := func(b *tab, what string) { b.t.Helper(); pages++; looked += b.accessible(axe, what) }
	see := func(b *tab, path string) { b.t.Helper(); b.visit(path); look(b, path) }

	b := s.tab(chrome, 1280)
	see(b, "/sign-in")
	b.fill("Name", "", "marta")
	b.fill("Password", "", "not mine")
	b.press("Sign in", "main")
	b.sees("not right")
	look(b, "a wrong sign-in")
	eval[bool](b, `document.body.append(document.createElement("img")) || true`)
	if got := b.found(); !slices.ContainsFunc(got, func(f finding) bool { return f.Impact == "critical" }) {
		t.Errorf("a picture without words is not found: %v", got)
	}
	link := s.invite("marta", staff.RoleAdmin)
	see(b, link)
	b.press("Go on", "main")
	b.at("/password")
	look(b, "/password")
	b.fill("New password", "", password)
	b.fill("New password again", "", "another one altogether")
	b.press("Set the password", "main")
	b.sees("not the same")
	look(b, "two passwords")
	b.fill("New password", "", password)
	b.fill("New password again", "", password)
	b.press("Set the password", "main")
	b.sees("Nothing needs you now.")
	look(b, "an empty queue")
	s.hire("erlan", staff.RoleHandler)
	s.wakes()

	b.visit("/queue")
	b.sees("Still no refund")
	open := func() {
		eval[bool](b, `document.querySelectorAll("details").forEach((d) => { d.removeAttribute("name"); d.open = true; }) || true`)
	}
	look(b, "a full queue")
	eval[bool](b, `document.querySelectorAll("main details").forEach((d) => { d.open = true; }) || true`)
	look(b, "a queue, filters open")
	see(b, "/queue?kind=copy&language=kk")
	for _, path := range []string{"/case/M-000001", "/case/M-000003", "/case/M-000005", "/case/M-000006", "/case/M-000009"} {
		see(b, path)
		open()
		look(b, path+", all open")
	}
	for _, path := range []string{"/case/M-000003/receipt", "/case/M-000001/raw", "/mails", "/log", "/saved", "/staff", "/account", "/nothing", "/case/M-999999", "/staff/add"} {
		see(b, path)
	}
	open()
	for _, what := range []string{"aigul@users.test", "nobody at all"} {
		b.visit("/queue")
		b.fill("Search", ".search", what)
		b.keys("\r")
		b.at("/search")
		look(b, "a search")
	}
	b.visit("/log")
	b.press("Verify", "main")
	b.sees("The chain holds.")
	look(b, "a verified log")
	b.visit("/staff")
	b.fill("Name", ".card", "nora")
	b.press("Add", "main")
	b.sees("One-time link for nora")
	look(b, "a new account")
	b.visit("/case/M-000001")
	b.press("Refuse", ".acts")
	b.fill("Reason", ".acts details[open]", "The refund was sent on Monday.")
	b.press("See the letter", ".acts details[open]")
	b.sees("This is the letter")
	look(b, "a letter before it is sent")
	b.fill("Cannot be undone", "main", "M-000002")
	b.press("Send", "main")
	b.sees("To be sure")
	look(b, "a case with a fault")
	s.post("/pause", s.admin)
	see(b, "/queue")
	h := s.enters(chrome, "erlan", 1280)
	see(h, "/staff")
	see(h, "/case/M-000003")
	h.visit("/queue")
	h.sees("Handed to you")
	look(h, "a queue with what was handed over")
	s.enters(chrome, "erlan", 1280)
	h.visit("/account")
	h.sees("Sign out everywhere else")
	look(h, "an account that is signed in elsewhere")
	if got := s.post("/account", h.session(), "language", "ru"); got.Code != 303 {
		t.Fatal(got.Code)
	}
	h.visit("/case/M-000003")
	eval[bool](h, `document.querySelectorAll("details").forEach((d) => { d.removeAttribute("name"); d.open = true; }) || true`)
	h.sees("Словами программы")
	look(h, "reasons in another language")
	refused(h)
	look(h, "a refusal in another language")
	t.Logf("%d pages, each in two widths and in light and dark: %d times nothing serious", pages, looked)
}

// session gives the session that the browser has.
func (b *tab) session() string {
	b.t.Helper()
	for _, c := range send(b, network.GetCookies, network.GetCookiesParams{}).Cookies {
		if c.Name == cookie {
			return c.Value
		}
	}
	b.t.Fatal("the browser has no session")
	return ""
}
