package templates

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"push.guru/supportd/inbox"
)

var siteLanguages = []string{"en", "ru", "kk"}

func load(t testing.TB, languages ...string) *Set {
	t.Helper()
	s, err := Load(nil, languages, nil)
	if err != nil {
		t.Fatalf("the embedded letters have faults:\n%v", err)
	}
	return s
}

func render(t testing.TB, s *Set, n Name, lang string, d Data) Letter {
	t.Helper()
	l, err := s.Render(n, lang, d)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func almaty(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// plausible gives for each letter the data that it would be written with.
func plausible(t testing.TB) map[Name]Data {
	at := time.Date(2026, time.November, 22, 13, 5, 0, 0, time.UTC)
	base := Data{
		Site: Site{Name: "Push.Guru", AccountURL: "https://push.guru/account", Address: "support@push.guru", Zone: almaty(t)},
		Case: "M-000123", Name: "Anna",
	}
	with := func(items ...Item) Data {
		d := base
		d.Items = items
		return d
	}
	state := func(it Item, s inbox.State, reason string) Item {
		it.State, it.Reason = s, reason
		return it
	}
	step := func(f inbox.Field, op inbox.StepOp, before, after string) inbox.Step {
		return inbox.Step{Place: "profile", Field: f, Op: op, Old: before, New: after}
	}
	change := Item{Kind: inbox.KindChange, Steps: []inbox.Step{
		step("phone", inbox.StepSet, "+77001112233", "+77011234567"),
		step("date_of_birth", inbox.StepSet, "", "1990-03-01"),
		step("gender", inbox.StepSet, "male", "female"),
		step("about", inbox.StepAdd, "I like tea.", "I like tea. And cats."),
	}}
	mailto := Item{Kind: inbox.KindChange, Mailto: true, Wait: 12 * time.Hour, Steps: []inbox.Step{step("email", inbox.StepSet, "anna@old.example", "anna@new.example"),
		{Place: "newsletter", Field: "email", Op: inbox.StepReaddress}}, Keeps: []inbox.Keep{{Place: "invoices", Why: "tax law", Earlier: true}}}
	account := Item{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Wait: 12 * time.Hour,
		Steps: []inbox.Step{{Place: "profile", Op: inbox.StepRemove}, {Place: "visits", Op: inbox.StepRemove}},
		Keeps: []inbox.Keep{{Place: "invoices", Why: "tax law", Until: "2031-12-31"}}}
	blank := func(f inbox.Field) inbox.Step {
		return inbox.Step{Place: "orders", Field: f, Op: inbox.StepBlank, New: "null"}
	}
	stays := func(f inbox.Field) inbox.Keep {
		return inbox.Keep{Place: "orders", Field: f, Why: "tax law", Until: "2031-12-31"}
	}
	inPart := Item{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Steps: []inbox.Step{{Place: "profile", Op: inbox.StepRemove}, blank("full_name"), blank("address")},
		Keeps: []inbox.Keep{stays("total"), stays("paid_at")}}
	guest := Item{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, Guest: true, Steps: []inbox.Step{{Place: "messages", Op: inbox.StepRemove}}, Wait: 12 * time.Hour}
	fields := Item{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, Steps: []inbox.Step{step("gender", inbox.StepClear, "female", ""), step("phone", inbox.StepClear, "+77011234567", "")}}
	pause := Item{Kind: inbox.KindDeactivate}
	copied := Item{Kind: inbox.KindCopy}
	described := Item{Kind: inbox.KindDescribe}
	objection := Item{Kind: inbox.KindWithdraw}

	ask := with(copied, change, mailto, account)
	ask.Expires = at
	later := ask
	later.Items = []Item{fields, inPart, guest}
	newAddress := with()
	newAddress.Expires = at
	after := func(it Item) Item {
		it.Delay = it.Wait
		return it
	}
	scheduled := with(after(account))
	notice := with(after(mailto))
	result := with(state(copied, inbox.StateDone, ""), state(described, inbox.StateDone, ""), state(change, inbox.StateDone, ""),
		state(pause, inbox.StateDone, ""), state(inPart, inbox.StateDone, ""), state(guest, inbox.StateDone, ""),
		state(fields, inbox.StateFailed, "needed"), state(objection, inbox.StateReview, ""))
	result.Attached = true
	result.Holdings = []inbox.Holding{
		{Place: "profile", Fields: []string{"Phone", "Gender"}, Count: 1, Purpose: "to run your account", Retention: "as long as the account exists", Recipients: "nobody"},
		{Place: "visits", Count: 12, Purpose: "security", Retention: "90 days", Recipients: "nobody"},
	}
	part := with()
	part.Part, part.Parts = 2, 3
	received := with()
	received.Expires = at
	scheduledItem := state(account, inbox.StateScheduled, "")
	scheduledItem.RunAfter = at
	waiting := state(change, inbox.StateUnconfirmed, "")
	waiting.Expires = at
	refused := with(state(account, inbox.StateRefused, ""))
	refused.Words = "An order of yours is still open.\nPlease write again when it has arrived."
	extended := with(state(copied, inbox.StateReview, ""))
	extended.Words, extended.Expires = "Your data lie in an archive that is read once a month.", at
	answer := with()
	answer.Words = "Your photo can be changed on your account page.\n\nBest wishes\nDana"
	staff := with(state(account, inbox.StateFailed, "store-down"))
	staff.Words = "An action failed for good."
	nothing := with()
	nothing.Name, nothing.Places = "", []string{"profile", "visits"}

	return map[Name]Data{
		Claim: with(), Confirm: ask, ConfirmNewAddress: newAddress, AskedNew: with(mailto), Scheduled: scheduled, AddressNotice: notice,
		NotYou: with(state(account, inbox.StateCancelled, "")),
		Result: result, CopyPart: part, Cancelled: with(state(account, inbox.StateCancelled, "")), NothingHeld: nothing, Received: received,
		Status:  with(scheduledItem, waiting, state(objection, inbox.StateReview, ""), state(fields, inbox.StateExpired, "")),
		Refused: refused, Extended: extended, Failed: with(state(change, inbox.StateFailed, "store")), ExpiredAsk: later, StopCheck: with(account),
		Already: with(state(pause, inbox.StateDone, "same")), StaffAnswer: answer, StaffQuestion: answer, AskOnRecord: answer,
		AddressChanged: with(state(mailto, inbox.StateDone, "")), StaleAsk: later,
		PartialToStaff: with(state(change, inbox.StateReview, ""), state(account, inbox.StateReview, "")), StaffNotice: staff,
	}
}

// TestPrint shows every letter to a human reader (go test -run Print -v) and
// looks for what a template leaves behind when a value is missing.
func TestPrint(t *testing.T) {
	s := load(t, siteLanguages...)
	data := plausible(t)
	leftovers := regexp.MustCompile(`<no value>|[{}]|%!|“”|«»|\(\)|  | [.,:;]|::|\.\.|\n\n\n|[:,]\n\n\||—\s*\n`)
	for _, n := range Names() {
		d, ok := data[n]
		if !ok {
			t.Errorf("%s: the test has no data for it", n)
		}
		for _, lang := range siteLanguages {
			l := render(t, s, n, lang, d)
			t.Logf("=== %s %s\nSubject: %s\n\n%s", n, lang, l.Subject, l.Text)
			text := regexp.MustCompile(`(?m)^ +- `).ReplaceAllString(l.Text, "- ")
			for _, found := range leftovers.FindAllString(l.Subject+"\n\n"+text, -1) {
				t.Errorf("%s %s: %q in the text", n, lang, found)
			}
		}
	}
}

// TestReaddressed: what is linked by an address that changes is shown with it,
// and what stays under the old one, before and after.
func TestReaddressed(t *testing.T) {
	s := load(t, siteLanguages...)
	data := plausible(t)
	for lang, want := range map[string][3]string{
		"en": {"we will replace the old address in your entries with the new one", "we have replaced the old address in your entries with the new one",
			"your entries keep the old address. They will be in no later copy of your data, and a later deletion of your account will not reach them; you can still ask for them from the old address. Why: tax law"},
		"ru": {"в ваших записях мы заменим старый адрес новым", "в ваших записях мы заменили старый адрес новым",
			"в ваших записях останется старый адрес. В следующие копии ваших данных они не войдут, и удаление аккаунта их не затронет; обратиться по поводу них можно будет со старого адреса. Почему: tax law"},
		"kk": {"жазбаларыңыздағы ескі поштаны жаңасына ауыстырамыз", "жазбаларыңыздағы ескі поштаны жаңасына ауыстырдық",
			"жазбаларыңызда ескі пошта қалады. Олар деректеріңіздің кейінгі көшірмелеріне кірмейді, аккаунт жойылғанда да сақталып қалады; олар туралы ескі поштадан жаза аласыз. Себебі: tax law"},
	} {
		for name, word := range map[Name]string{Confirm: want[0], AskedNew: want[0], AddressNotice: want[0], AddressChanged: want[1]} {
			text := strings.Join(strings.Fields(render(t, s, name, lang, data[name]).Text), " ")
			for place, line := range map[string]string{"newsletter: ": word, "invoices: ": want[2]} {
				if n := strings.Count(text, "- "+place+line); n != 1 {
					t.Errorf("%s %s: %q is there %d times:\n%s", name, lang, place+line, n, text)
				}
			}
		}
	}
}

// TestEveryLetter renders every letter in every language with data that leads
// through all its branches.
func TestEveryLetter(t *testing.T) {
	s := load(t, siteLanguages...)
	for _, n := range Names() {
		for _, lang := range siteLanguages {
			for i, d := range samples() {
				l := render(t, s, n, lang, d)
				where := fmt.Sprintf("%s %s sample %d", n, lang, i)
				if (l.Subject != "") != n.ownSubject() {
					t.Errorf("%s: subject %q", where, l.Subject)
				}
				if !strings.HasSuffix(l.Text, "\n") || len(strings.Fields(l.Text)) < 3 {
					t.Errorf("%s: too little text: %q", where, l.Text)
				}
				if strings.Contains(l.Text, "<no value>") || strings.ContainsFunc(l.Text, odd) || strings.ContainsFunc(l.Subject, odd) {
					t.Errorf("%s: odd characters in %q %q", where, l.Subject, l.Text)
				}
				if problem := compare(l, d.Site.AccountURL); problem != "" {
					t.Errorf("%s: %s", where, problem)
				}
			}
		}
	}
}

func odd(r rune) bool {
	return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) || r == unicode.ReplacementChar
}

// TestAlphabet finds letters of a neighbouring alphabet that look the same, and
// words of another language that were forgotten.
func TestAlphabet(t *testing.T) {
	const kazakhOnly = "әғқңөұүһіӘҒҚҢӨҰҮҺІ"
	latin := regexp.MustCompile(`[A-Za-z]+`)
	known := map[string]bool{"IP": true, "cookie": true, "UTC": true, "Re": true}
	template := regexp.MustCompile(`(?s)\{\{.*?\}\}|\{[a-z]+\}|^Subject:|(?m:^[a-z_]+(?:[.-][A-Za-z0-9_/-]+)* =|^Subject:|^#.*$)`)
	for _, lang := range []string{"ru", "kk"} {
		files, err := embedded.ReadDir("replies/" + lang)
		if err != nil || len(files) != len(Names())-1+2 {
			t.Fatalf("%s: %d files, %v", lang, len(files), err)
		}
		for _, f := range files {
			name := "replies/" + lang + "/" + f.Name()
			b, err := embedded.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text := template.ReplaceAllString(string(b), " ")
			for _, word := range latin.FindAllString(text, -1) {
				if !known[word] {
					t.Errorf("%s: Latin %q", name, word)
				}
			}
			if lang == "ru" && strings.ContainsAny(text, kazakhOnly) {
				t.Errorf("%s: Kazakh letters in a Russian text", name)
			}
		}
	}
}

// TestAnonymous: who has proved nothing learns nothing, and the letter is the
// same for everybody. Who says that the mail was not theirs is not told what
// the stranger asked for.
func TestAnonymous(t *testing.T) {
	s := load(t, siteLanguages...)
	for _, lang := range siteLanguages {
		for _, n := range []Name{Claim, NotYou, ConfirmNewAddress} {
			bare := plausible(t)[Confirm]
			bare = Data{Site: bare.Site, Expires: bare.Expires}
			want := render(t, s, n, lang, bare)
			for other, d := range plausible(t) {
				d.Site, d.Expires = bare.Site, bare.Expires
				if got := render(t, s, n, lang, d); got != want {
					t.Errorf("%s %s differs with the data of %s", n, lang, other)
				}
			}
			for _, personal := range []string{"Anna", "M-000123", "account", "anna@"} {
				if n != ConfirmNewAddress && strings.Contains(want.Text, personal) {
					t.Errorf("%s %s says %q", n, lang, personal)
				}
			}
			for _, word := range []string{"yes", "да", "иә"} {
				if n != NotYou && !regexp.MustCompile(`[“«]`+word+`[”»]`).MatchString(want.Text) {
					t.Errorf("%s %s does not offer the word %q", n, lang, word)
				}
			}
		}
	}
}

// TestConfirmShowsAll: whatever a yes will do is in the letter, as text and as
// HTML, in each language.
func TestConfirmShowsAll(t *testing.T) {
	s := load(t, siteLanguages...)
	d := plausible(t)[Confirm]
	want := map[string][]string{
		"en": {"1. We will send a copy", "Phone number: “+77001112233” → “+77011234567”", "Date of birth: “1 March 1990” (empty until now)",
			"Gender: “male” → “female”", "About me: “And cats.”, in addition to “I like tea.”", "Email address: “anna@old.example” → “anna@new.example”",
			"4. We will delete your account for good", "- Visits to the site", "invoices. Why: tax law. Until: 31 December 2031", "This cannot be undone",
			"we will wait 12 hours", "“yes”", "“no”", "“stop”", "until 22 November 2026, 18:05 (Almaty time)"},
		"ru": {"Телефон: «+77001112233» → «+77011234567»", "Дата рождения: «1 марта 1990 г.»", "Пол: «мужской» → «женский»", "О себе: «And cats.» в дополнение к «I like tea.»",
			"навсегда удалим", "31 декабря 2031 г.", "подождём 12 часов", "«да»", "«нет»", "«стоп»", "до 22 ноября 2026 г., 18:05 (время Алматы)"},
		"kk": {"Телефон нөмірі: «+77001112233» → «+77011234567»", "Туған күні: «1990 ж. 1 наурыз»", "Жынысы: «ер» → «әйел»", "қосылатыны: «And cats.»",
			"біржола жоямыз", "2031 ж. 31 желтоқсан", "12 сағат күтеміз", "«иә»", "«жоқ»", "«тоқтатыңыз»", "2026 ж. 22 қараша, 18:05 (Алматы уақыты)"},
	}
	for lang, parts := range want {
		l := render(t, s, Confirm, lang, d)
		for _, part := range parts {
			if !strings.Contains(l.Text, part) {
				t.Errorf("%s: %q is not in\n%s", lang, part, l.Text)
			}
		}
		if problem := compare(l, d.Site.AccountURL); problem != "" {
			t.Errorf("%s: %s", lang, problem)
		}
	}
}

// TestResult: the receipt says what was done and what was not, and repeats
// nothing that was removed.
func TestResult(t *testing.T) {
	s := load(t, "en")
	d := plausible(t)[Result]
	l := render(t, s, Result, "en", d)
	for _, part := range []string{"The copy is attached", "Who has received it: nobody", "Entries: 12", "“restore account”", "https://push.guru/account",
		"Removal of details (Gender, Phone number): could not be done. An account cannot exist without this."} {
		if !strings.Contains(l.Text, part) {
			t.Errorf("%q is not in\n%s", part, l.Text)
		}
	}
	if n := strings.Count(l.HTML, "<a "); n != 1 || !strings.Contains(l.HTML, `<a href="https://push.guru/account">`) {
		t.Errorf("%d links in\n%s", n, l.HTML)
	}
	d.Items = []Item{{Kind: inbox.KindDelete, Scope: inbox.ScopeFields, State: inbox.StateDone,
		Steps: []inbox.Step{{Place: "profile", Field: "phone", Op: inbox.StepClear, Old: "+77011234567"}}}}
	if l := render(t, s, Result, "en", d); strings.Contains(l.Text, "+7701") || !strings.Contains(l.Text, "- Phone number\n") {
		t.Errorf("a removed value is repeated, or its field is not named:\n%s", l.Text)
	}
}

// TestConfirmAndRest: what cannot be done is told apart from what a yes brings.
func TestConfirmAndRest(t *testing.T) {
	s := load(t, siteLanguages...)
	d := Data{Items: []Item{
		{Kind: inbox.KindCopy, State: inbox.StateUnconfirmed},
		{Kind: inbox.KindDeactivate, State: inbox.StateRefused, Reason: "same"},
		{Kind: inbox.KindChange, State: inbox.StateRefused, Reason: "bad-email", Fields: []inbox.Field{"email"}},
		{Kind: inbox.KindDescribe},
	}}
	l := render(t, s, Confirm, "en", d)
	want := "1. We will send a copy of your data to this email address.\n2. We will tell you what we store about you, why, for how long, and who has received it.\n\n" +
		"This we cannot do:\n\n- Deactivation of your account: it was already as you asked.\n" +
		"- Change of your details (Email address): could not be done. This does not look like a complete email address.\n\nIs this right?"
	if !strings.Contains(l.Text, want) {
		t.Errorf("want\n%s\nin\n%s", want, l.Text)
	}
	for _, lang := range siteLanguages {
		if l := render(t, s, Confirm, lang, d); strings.Count(l.Text, "\n1. ") != 1 || strings.Contains(l.Text, "\n3. ") || strings.Count(l.Text, "\n- ") != 2 {
			t.Errorf("%s:\n%s", lang, l.Text)
		}
	}
}

// TestGreetedOnce: staff's own greeting stands in the place of ours, whatever
// of the site's languages it is in.
func TestGreetedOnce(t *testing.T) {
	s := load(t, siteLanguages...)
	hello := map[string]string{"en": "Hello", "ru": "Здравствуйте", "kk": "Сәлеметсіз бе"}
	for _, c := range []struct {
		lang, words string
		ours        bool // our greeting stands there
	}{
		{"en", "The map works again.", true},
		{"en", "Hello Bob,\n\nThe map works again.", false},
		{"en", "hi! The map works again.", false},
		{"en", "Dear Ms Doe,\nthe map works again.", false},
		{"en", "History is kept for a year.", true},
		{"en", "Deactivation takes a day.", true},
		{"en", "Здравствуйте, Боб!", false},
		{"ru", "Здравствуйте! Карта снова работает.", false},
		{"ru", "  \nДобрый день, Галина! Карта снова работает.", false},
		{"ru", "Уважаемая Галина Петровна!", false},
		{"ru", "Приветствие на странице можно изменить.", true},
		{"ru", "Карта снова работает. Добрый день!", true},
		{"kk", "Сәлеметсіз бе! Карта қайта істеп тұр.", false},
		{"kk", "Құрметті Сәуле!", false},
		{"kk", "Карта қайта істеп тұр.", true},
	} {
		for _, n := range []Name{StaffAnswer, StaffQuestion, AskOnRecord} {
			l := render(t, s, n, c.lang, Data{Words: c.words})
			first, _, _ := strings.Cut(l.Text, "\n")
			said, _, _ := strings.Cut(strings.TrimSpace(c.words), "\n")
			if want := strings.HasPrefix(first, hello[c.lang]) && first != said; want != c.ours {
				t.Errorf("%s %s: our greeting stands there: %v, want %v\n%s", n, c.lang, want, c.ours, l.Text)
			}
			if !c.ours && first != said {
				t.Errorf("%s %s does not begin with the words of staff:\n%s", n, c.lang, l.Text)
			}
			if !strings.Contains(l.Text, said) {
				t.Errorf("%s %s lacks words of staff:\n%s", n, c.lang, l.Text)
			}
		}
	}
}

// TestResultOfPart: when something is still to come, the letter says how to
// stop it, and only then.
func TestResultOfPart(t *testing.T) {
	s := load(t, siteLanguages...)
	done := Item{Kind: inbox.KindCopy, State: inbox.StateDone}
	later := Item{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, State: inbox.StateScheduled, Delay: 12 * time.Hour}
	for lang, stop := range map[string]string{"en": "“stop”", "ru": "«стоп»", "kk": "«тоқтатыңыз»"} {
		if l := render(t, s, Result, lang, Data{Items: []Item{done, later}}); !strings.Contains(l.Text, stop) || strings.Count(l.Text, "12 ") != 1 {
			t.Errorf("%s:\n%s", lang, l.Text)
		}
		if l := render(t, s, Result, lang, Data{Items: []Item{done}}); strings.Contains(l.Text, stop) {
			t.Errorf("%s offers to stop what is done:\n%s", lang, l.Text)
		}
	}
}

// TestWaitIsTrueWhenRead: a letter that may leave late says how long after it
// the act waits, and no date; when one of several may happen at once it promises
// no wait.
func TestWaitIsTrueWhenRead(t *testing.T) {
	s := load(t, siteLanguages...)
	at := time.Date(2026, time.November, 22, 13, 5, 0, 0, time.UTC)
	item := func(delay time.Duration) Item {
		return Item{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, State: inbox.StateScheduled, RunAfter: at, Delay: delay}
	}
	for lang, wait := range map[string]string{"en": "until 12 hours after this letter", "ru": "через 12 часов после отправки этого письма", "kk": "жіберілгеннен кейін 12 сағат өткен соң"} {
		for _, n := range []Name{Scheduled, AddressNotice, Result} {
			l := render(t, s, n, lang, Data{Items: []Item{item(12 * time.Hour)}})
			if !strings.Contains(l.Text, wait) || strings.Contains(l.Text, "2026") {
				t.Errorf("%s %s:\n%s", n, lang, l.Text)
			}
		}
		if l := render(t, s, Scheduled, lang, Data{Items: []Item{item(24 * time.Hour), item(12 * time.Hour)}}); !strings.Contains(l.Text, wait) {
			t.Errorf("%s, two waits:\n%s", lang, l.Text)
		}
		if l := render(t, s, Scheduled, lang, Data{Items: []Item{item(12 * time.Hour), item(0)}}); strings.Contains(l.Text, "12 ") {
			t.Errorf("%s, one of two at once:\n%s", lang, l.Text)
		}
	}
}

// TestWithoutValues: a receipt that kept no values names the fields alone.
func TestWithoutValues(t *testing.T) {
	s := load(t, "en")
	d := Data{Items: []Item{{Kind: inbox.KindChange, State: inbox.StateDone, Steps: []inbox.Step{
		{Place: "profile", Field: "phone", Op: inbox.StepSet}, {Place: "profile", Field: "about", Op: inbox.StepAdd}}}}}
	if l := render(t, s, Result, "en", d); !strings.Contains(l.Text, "- Phone number\n- About me\n") {
		t.Errorf("not the bare labels:\n%s", l.Text)
	}
}

func TestStates(t *testing.T) {
	s := load(t, siteLanguages...)
	for _, lang := range siteLanguages {
		seen := map[string]inbox.State{}
		for _, state := range inbox.States() {
			l := render(t, s, Status, lang, Data{Items: []Item{{Kind: inbox.KindCopy, State: state}}})
			if other, ok := seen[l.Text]; ok {
				t.Errorf("%s: %s and %s read the same", lang, state, other)
			}
			seen[l.Text] = state
			if strings.Contains(l.Text, string(state)) && lang != "en" {
				t.Errorf("%s: the bare word %q", lang, state)
			}
		}
	}
}

// TestBlankedAndKept: what an erasure makes unrecognisable is a line a place,
// and so is what it keeps for one reason; a date is a day in the reader's words.
func TestBlankedAndKept(t *testing.T) {
	blank := func(place string, f inbox.Field) inbox.Step {
		return inbox.Step{Place: place, Field: f, Op: inbox.StepBlank, New: "=gone"}
	}
	it := Item{Kind: inbox.KindDelete, Scope: inbox.ScopeAccount, State: inbox.StateUnconfirmed,
		Steps: []inbox.Step{blank("orders", "phone"), {Place: "profile", Op: inbox.StepRemove}, blank("orders", "address"), blank("notes", "phone")},
		Keeps: []inbox.Keep{{Place: "orders", Field: "nickname", Why: "a law", Until: "2031-12-31"}, {Place: "orders", Field: "email", Why: "a law", Until: "2031-12-31"},
			{Place: "orders", Field: "gender", Why: "another"}, {Place: "letters", Why: "a law", Until: "2031-12-31"},
			{Place: "keys", Why: "proof", Until: "2031-12-31", Earlier: true}, {Place: "news", Why: "proof", Earlier: true}}}
	done := it
	done.State = inbox.StateDone
	s := load(t, siteLanguages...)
	for lang, want := range map[string][2][]string{
		"en": {{"orders: we will make these values unrecognisable: Phone number, Postal address", "Profile", "notes: we will make these values unrecognisable: Phone number",
			"What stays: orders (Nickname, Email address). Why: a law. Until: 31 December 2031", "What stays: orders (Gender). Why: another",
			"What stays: letters. Why: a law. Until: 31 December 2031"},
			{"orders: we have made these values unrecognisable: Phone number, Postal address",
				"keys: what is stored there under an earlier email address of yours stays; to have that deleted, too, write to us from that address. Why: proof. Until: 31 December 2031", "news: what is stored there under an earlier"}},
		"ru": {{"orders: эти данные мы обезличим: Телефон, Почтовый адрес", "Что остаётся: orders (Никнейм, Электронная почта). Почему: a law. До какого срока: 31 декабря 2031 г."},
			{"orders: эти данные мы обезличили: Телефон, Почтовый адрес", "keys: записи под адресом, который был у вас раньше, остаются; чтобы удалить и их, напишите нам с того адреса. Почему: proof. До какого срока: 31 декабря 2031 г."}},
		"kk": {{"orders: мына деректерді танылмайтын етеміз: Телефон нөмірі, Пошталық мекенжайы", "Сақталып қалатыны: orders (Лақап аты, Электрондық пошта). Себебі: a law. Мерзімі: 2031 ж. 31 желтоқсан"},
			{"orders: мына деректерді танылмайтын еттік: Телефон нөмірі, Пошталық мекенжайы", "keys: бұрынғы поштаңызбен сақталған жазбалар қалады; оларды да жою үшін бізге сол поштадан жазыңыз. Себебі: proof. Мерзімі: 2031 ж. 31 желтоқсан"}},
	} {
		will, did := render(t, s, Confirm, lang, Data{Items: []Item{it}}).Text, render(t, s, Result, lang, Data{Items: []Item{done}}).Text
		for i, text := range []string{will, did} {
			rest := strings.Join(strings.Fields(text), " ")
			for _, line := range want[i] {
				_, after, found := strings.Cut(rest, "- "+line)
				if !found {
					t.Errorf("%s: no line %q in its place in\n%s", lang, line, text)
					continue
				}
				rest = after
			}
		}
		if n := strings.Count(will, "orders"); n != 3 {
			t.Errorf("%s: orders are named %d times in\n%s", lang, n, will)
		}
		state := render(t, s, Status, lang, Data{Items: []Item{it}}).Text
		if strings.Contains(state, "(") {
			t.Errorf("%s: the title lists columns:\n%s", lang, state)
		}
	}
}

func TestReasons(t *testing.T) {
	s := load(t, siteLanguages...)
	for _, lang := range siteLanguages {
		text := func(reason string) string {
			return render(t, s, Failed, lang, Data{Items: []Item{{Kind: inbox.KindChange, State: inbox.StateFailed, Reason: reason}}}).Text
		}
		unknown := text("never-heard-of")
		if unknown != text("") {
			t.Errorf("%s: an unknown reason reads\n%s", lang, unknown)
		}
		for _, code := range []string{"same", "bad-email", "bad-date", "future-date", "needed", "taken", "unknown-field", "too-long", "invalid", "single",
			"parts", "names", "guest", "no-deactivate", "no-withdraw", "kept"} {
			if text(code) == unknown {
				t.Errorf("%s: reason %q has no words", lang, code)
			}
		}
	}
}

func TestLabels(t *testing.T) {
	s, err := Load(nil, siteLanguages, func(place string, field inbox.Field, lang string) string {
		if field == "shoe_size" {
			return "Shoes " + place + " " + lang
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	d := Data{Items: []Item{{Kind: inbox.KindChange, Steps: []inbox.Step{
		{Place: "profile", Field: "shoe_size", Op: inbox.StepSet, Old: "41", New: "42"},
		{Place: "profile", Field: "phone", Op: inbox.StepSet, Old: "1", New: "2"},
		{Place: "profile", Field: "hat_size", Op: inbox.StepSet, Old: "1", New: "2"}}}}}
	l := render(t, s, Confirm, "kk", d)
	for _, part := range []string{"Shoes profile kk: «41» → «42»", "Телефон нөмірі: «1»", "hat size: «1»"} {
		if !strings.Contains(l.Text, part) {
			t.Errorf("%q is not in\n%s", part, l.Text)
		}
	}
}

func TestLanguages(t *testing.T) {
	s := load(t, "ru", "kk")
	for tag, hello := range map[string]string{"kk": "Сәлеметсіз", "kk-KZ": "Сәлеметсіз", "KK_kz": "Сәлеметсіз", "ru-RU": "Здравствуйте", "en": "Здравствуйте", "und": "Здравствуйте", "": "Здравствуйте"} {
		if l := render(t, s, Received, tag, Data{}); !strings.HasPrefix(l.Text, hello) {
			t.Errorf("%q: %s", tag, l.Text)
		}
	}
	if l := render(t, s, StaffNotice, "kk", plausible(t)[StaffNotice]); !strings.Contains(l.Text, "supportd mails -c FILE show M-000123") {
		t.Errorf("the notice to staff is not in English:\n%s", l.Text)
	}
	if got := s.Languages(); len(got) != 2 || got[0] != "ru" {
		t.Errorf("languages %v", got)
	}
	if _, err := s.Render("nonsense", "ru", Data{}); err == nil {
		t.Error("an unknown letter was rendered")
	}
	yes, no, stop, restore := s.Answers("kk")
	if yes != "иә" || no != "жоқ" || stop != "тоқтатыңыз" || restore != "қалпына келтіріңіз" {
		t.Errorf("answers %q %q %q %q", yes, no, stop, restore)
	}
}

// TestStaffNotice: what goes to staff by mail names no person and no value.
func TestStaffNotice(t *testing.T) {
	s := load(t, "en")
	d := plausible(t)[Confirm]
	l := render(t, s, StaffNotice, "en", d)
	for _, personal := range []string{"Anna", "anna@", "+7700", "tea"} {
		if strings.Contains(l.Text+l.Subject, personal) {
			t.Errorf("%q in\n%s", personal, l.Text)
		}
	}
	if l.Subject != "[supportd] Push.Guru M-000123: please look" || !strings.Contains(l.Text, "- delete account") {
		t.Errorf("%s\n%s", l.Subject, l.Text)
	}
	for _, c := range []struct{ url, mail, want string }{
		{"", "M-000123", ""},
		{"javascript:alert(1)", "M-000123", ""},
		{"https://staff.site.test", "M-000123", "https://staff.site.test/case/M-000123"},
		{"https://staff.site.test", "", "https://staff.site.test/queue"},
	} {
		d.Site.ConsoleURL, d.Case = c.url, c.mail
		l := render(t, s, StaffNotice, "en", d)
		if linked := strings.Contains(l.Text, "In the console: "); linked != (c.want != "") || linked && !strings.Contains(l.Text, "In the console: "+c.want+"\n") {
			t.Errorf("console at %q, want %q:\n%s", c.url, c.want, l.Text)
		}
		if c.want != "" && !strings.Contains(l.HTML, `href="`+c.want+`"`) {
			t.Errorf("%q is no link in\n%s", c.want, l.HTML)
		}
	}
}

func TestWhen(t *testing.T) {
	s := load(t, siteLanguages...)
	at := time.Date(2026, time.November, 22, 13, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		lang, want string
		zone       *time.Location
	}{
		{"en", "22 November 2026, 18:05 (Almaty time)", almaty(t)},
		{"ru", "22 ноября 2026 г., 18:05 (время Алматы)", almaty(t)},
		{"kk", "2026 ж. 22 қараша, 18:05 (Алматы уақыты)", almaty(t)},
		{"en", "22 November 2026, 13:05 (UTC+00:00)", nil},
		{"en", "23 November 2026, 00:35 (UTC+11:30)", time.FixedZone("", 41400)},
	} {
		if got := s.languages[c.lang].phrases.moment(at, c.zone); got != c.want {
			t.Errorf("%s: %q, want %q", c.lang, got, c.want)
		}
	}
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{2 * time.Second, "2 seconds, 2 секунды, 2 секунд"}, {300 * time.Millisecond, "1 second, 1 секунду, 1 секунд"},
		{time.Minute, "1 minute, 1 минуту, 1 минут"}, {90 * time.Second, "90 seconds, 90 секунд, 90 секунд"},
		{5 * time.Minute, "5 minutes, 5 минут, 5 минут"}, {time.Hour, "1 hour, 1 час, 1 сағат"},
		{12 * time.Hour, "12 hours, 12 часов, 12 сағат"}, {90 * time.Minute, "90 minutes, 90 минут, 90 минут"}, {22 * time.Hour, "22 hours, 22 часа, 22 сағат"},
		{24 * time.Hour, "24 hours, 24 часа, 24 сағат"}, {7 * 24 * time.Hour, "7 days, 7 дней, 7 күн"}, {31 * 24 * time.Hour, "31 days, 31 день, 31 күн"},
	} {
		var got []string
		for _, lang := range siteLanguages {
			got = append(got, s.languages[lang].phrases.duration(c.d))
		}
		if joined := strings.Join(got, ", "); joined != c.want {
			t.Errorf("%v: %q, want %q", c.d, joined, c.want)
		}
	}
}
