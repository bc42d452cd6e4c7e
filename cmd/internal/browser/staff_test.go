package browser

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/staff"
)

// bySight has every delete looked at once its owner has said yes, and lets
// nothing wait.
const bySight = `[policy.delete_account]
review = "always"
cool_off = "0s"
[policy.change_email]
cool_off = "0s"
`

const (
	alice = "alice@users.test"
	bob   = "bob@users.test"
	carol = "carol@users.test"
	erin  = "erin@users.test"
)

// TestStaff is a day of the staff in a real browser: what they see, what they
// do, what people get by mail, and how things stand in the end.
func TestStaff(t *testing.T) {
	chrome := start(t)
	s := open(t, "Site", bySight, "")
	b := s.tab(chrome, 1280)

	begin(s, b)
	live(s, b)
	answers(s, b)
	approves(s, b)
	corrects(s, b)
	s.byKeyboard(b)
	s.withoutScripts(s.tab(chrome, 390))
	proves(s, b)
}

// begin uses a one-time link, chooses a password, signs out, and signs in.
func begin(s *site, b *tab) {
	link := s.invite("dana", staff.RoleAdmin)
	b.visit(link)
	b.sees("Your one-time link")
	b.shot("link")
	b.press("Go on", "main")
	b.at("/password")
	b.shot("password")
	b.fill("New password", "", password)
	b.fill("New password again", "", password)
	b.press("Set the password", "main")
	b.sees("Your password is set.", "Nothing needs you now.")
	b.press("dana", "header")
	b.press("Sign out", "header")
	b.sees("You are signed out.")
	b.shot("sign-in")
	b.fill("Name", "", "dana")
	b.fill("Password", "", "not my password at all")
	b.press("Sign in", "main")
	b.sees("The name or the password is not right.")
	b.fill("Password", "", password)
	b.press("Sign in", "main")
	b.at("/queue")
	b.sees("Nothing needs you now.")
	b.whole("queue-empty")
	b.visit(link)
	b.press("Go on", "main")
	b.sees("This link was used already")
}

// live has a mail come while the queue is open: it appears by itself.
func live(s *site, b *tab) {
	b.visit("/queue")
	b.sees("Nothing needs you now.")
	eval[bool](b, `window.untouched = true`)
	s.write(bob, "my invoice", "Why was I charged twice in June? I have only one subscription.")
	s.letter("received", bob)
	b.sees("Asks a question", "my invoice")
	if !eval[bool](b, `window.untouched === true`) {
		s.t.Error("the page was loaded anew")
	}
	b.until(`document.getElementById("news").textContent == "The queue has changed"`) // what a screen reader says
	b.until(`document.querySelector(".counts b").textContent == "1"`)
}

// answers makes a saved answer, and answers the question with it.
func answers(s *site, b *tab) {
	const saved = "You were charged twice by mistake. The second payment is on its way back to you."
	b.press("Saved answers", "nav")
	b.fill("Name", "main", "Charged twice")
	b.fill("Text", "main", saved)
	b.press("Save", "main")
	b.sees("Charged twice", saved)
	b.whole("saved")

	b.press("Queue", "nav")
	b.press("Asks a question", ".rows")
	b.at("/case/M-000001")
	b.sees("Why was I charged twice in June?")
	b.whole("case-question")
	b.press("Answer", ".acts")
	b.press("Saved answers", ".acts details[open]")
	b.press("Use it", ".acts")
	b.until(field("Your answer", ".acts") + `.value == ` + quoted(saved))
	b.press("See the letter", ".acts details[open]")
	b.sees("This is the letter that goes out.", bob, saved)
	b.whole("preview")
	s.silence(bob)
	b.press("Back", "main")
	b.until(field("Your answer", ".acts") + `.value == ` + quoted(saved))
	b.press("See the letter", ".acts details[open]")
	b.press("Send", "main")
	b.sees("The answer is on its way.")
	d := s.letter("staff-answer", bob)
	if !strings.Contains(d.Text(), saved) || d.Header("In-Reply-To") == "" {
		s.t.Errorf("the answer is\n%s\n%s", d.Header("In-Reply-To"), d.Text())
	}
	stands(s, 1, inbox.StateDone)
}

// approves takes a delete from the mail to the end: nothing goes without the
// number of the case.
func approves(s *site, b *tab) {
	s.write(alice, "please", "Please delete my account.")
	s.letter("received", alice)
	b.visit("/queue")
	b.press("Wants the account deleted", ".rows")
	b.sees("What will happen", "everything goes", "Cannot be undone. Type M-000002")
	b.whole("case-delete")
	b.fill("Cannot be undone", ".first", "M-000001")
	b.press("Approve", ".first")
	b.sees("To be sure, type the number of the case: M-000002")
	stands(s, 2, inbox.StateReview)
	b.fill("Cannot be undone", ".first", "m-2")
	b.press("Approve", ".first")
	b.sees("Approved.")
	s.answer(s.letter("confirm", alice), "Yes")
	s.letter("result", alice)
	if _, there := s.person("u-alice"); there {
		s.t.Error("alice is still there")
	}
	b.visit("/case/M-000002")
	b.sees("Done")
	b.whole("case-done")
	b.press("Receipt", "main")
	b.sees("Wants the account deleted")
	b.whole("receipt")
}

// corrects mends a reading; the person is asked about the new one.
func corrects(s *site, b *tab) {
	s.write(carol, "hm", "My number may have changed or not, perhaps to +45 20 99 88 77, please have a look at my phone?")
	b.visit("/queue")
	b.press("", ".rows")
	b.at("/case/M-000004")
	b.press("Correct the reading", ".acts")
	b.choose("Request", ".acts details[open]", "change")
	b.fill("Phone", ".acts details[open]", "+45 20 99 88 77")
	b.whole("case-correct")
	b.press("Correct and ask the person", ".acts")
	b.sees("Corrected. The person is asked.")
	var ask = s.next(carol)
	for s.d.Letter(ask.MessageID()) != "confirm" {
		ask = s.next(carol)
	}
	if !strings.Contains(strings.ReplaceAll(ask.Text(), " ", ""), "+4520998877") {
		s.t.Errorf("the letter does not show the new value:\n%s", ask.Text())
	}
	s.answer(ask, "Yes")
	s.letter("result", carol)
	if p, _ := s.person("u-carol"); p.Fields[inbox.FieldPhone] != "+4520998877" {
		s.t.Errorf("the store holds %q", p.Fields[inbox.FieldPhone])
	}
	b.visit("/case/M-000004")
	b.sees("+45", "What was done")
}

// byKeyboard refuses something with nothing but keys: the letter is read before
// it is sent.
func (s *site) byKeyboard(b *tab) {
	const reason = "We cannot tell you this: it is about somebody else."
	s.write(erin, "a question", "Can you tell me who lives in the flat above mine?")
	s.letter("received", erin)
	b.visit("/queue")
	b.sees("a question")
	b.keys("j")
	b.until(`document.activeElement.matches(".rows .row > a")`)
	b.keys("k", "j", "r")
	b.until(`location.search == "?do=r" && document.activeElement.matches("[data-key=r] textarea")`)
	b.keys(reason, kb.Tab)
	b.until(`document.activeElement.innerText == "See the letter"`)
	b.keys(kb.Enter)
	b.sees("This is the letter that goes out.", reason)
	s.silence(erin)
	b.until(tabTo(b, `document.activeElement.name == "typed"`))
	b.keys("M-000006", kb.Enter)
	b.sees("Refused.")
	if d := s.letter("refused", erin); !strings.Contains(d.Text(), reason) {
		s.t.Errorf("the letter does not say why:\n%s", d.Text())
	}
	// Enter opens what has the focus, and "a" goes to the approval.
	s.write(bob, "no more adverts", "I object to the processing of my data for advertising.")
	b.visit("/queue")
	b.sees("no more adverts")
	b.keys("j", kb.Enter)
	b.until(`location.pathname == "/case/M-000007" && document.readyState == "complete"`)
	b.keys("a")
	b.until(`document.activeElement.closest("[data-key=a]")`)
}

// tabTo presses the key until what has the focus is what is looked for.
func tabTo(b *tab, has string) string {
	b.t.Helper()
	for range 40 {
		if eval[bool](b, has) {
			break
		}
		b.keys(kb.Tab)
	}
	return has
}

// withoutScripts does a piece of work on a telephone whose browser runs no
// scripts.
func (s *site) withoutScripts(b *tab) {
	s.hire("erlan", staff.RoleHandler)
	b.scripts(false)
	b.visit("/")
	b.at("/sign-in")
	b.fill("Name", "", "erlan")
	b.fill("Password", "", password)
	b.press("Sign in", "main")
	b.at("/queue")
	b.press("Filter", "main")
	b.choose("Request", ".filters", "withdraw")
	b.press("Apply", ".filters")
	b.sees("no more adverts")
	b.shot("queue-filtered")
	b.press("Objects", ".rows")
	b.press("Put on hold", ".acts")
	b.fill("Reason", ".acts details[open]", "Asking the colleagues.")
	b.choose("Until", ".acts details[open]", time.Now().AddDate(0, 0, 5).Format(time.DateOnly))
	b.press("Put on hold", ".acts details[open] form")
	b.sees("Put on hold.", "On hold until", "Asking the colleagues.")
	b.shot("case-held")
	b.press("Hand over", ".acts")
	b.choose("To", ".acts details[open]", "dana")
	b.fill("A note", ".acts details[open]", "Is that our Bob?")
	b.press("Hand over", ".acts details[open] form")
	b.sees("Handed over.", "Is that our Bob?")
	b.visit("/staff")
	b.sees("You may not do that")
	b.shot("fault")
	id := s.ids()[len(s.ids())-1]
	if a := s.action(id); a.State != inbox.StateHeld || a.Assignee != "dana" || a.Until.IsZero() {
		s.t.Errorf("it stands at %s with %q until %s", a.State, a.Assignee, a.Until)
	}
}

// proves exports the log in both forms, and has its chain verified on the page.
func proves(s *site, b *tab) {
	b.visit("/log")
	b.press("CSV", "main")
	b.press("JSON Lines", "main")
	for _, ending := range []string{"csv", "jsonl"} {
		text := b.downloaded(ending)
		for _, want := range []string{"approve", "dana", "M-000002"} {
			if !strings.Contains(text, want) {
				s.t.Errorf("the %s does not tell of %q:\n%s", ending, want, text)
			}
		}
		for _, personal := range []string{alice, "Alice", "charged twice"} {
			if strings.Contains(text, personal) {
				s.t.Errorf("the %s holds %q", ending, personal)
			}
		}
	}
	b.press("Verify", "main")
	b.sees("The chain holds.", "Head of the chain")
	b.whole("log")
	head := eval[string](b, `document.querySelector(".chain .hash").innerText`)
	b.fill("A head that you noted", "main", head)
	eval[bool](b, `window.before = true`)
	b.press("Verify", "main")
	b.until(`!window.before`)
	b.sees("The chain holds.")
	b.fill("A head that you noted", "main", strings.Repeat("ab", 32))
	b.press("Verify", "main")
	b.sees("the head that you noted is not in it")
	b.visit("/mails")
	b.sees("M-000001")
	b.whole("mails")
	b.visit("/case/M-000001/raw")
	b.sees("Return-Path: <bob@users.test>", "Why was I charged twice in June?")
	b.whole("raw")
	if got := s.logged(400); !slices.Contains(got, "dana raw mail opened") || !slices.Contains(got, "dana log exported") || !slices.Contains(got, "erlan denied staff opened") {
		s.t.Errorf("the journal does not tell what was looked at: %q", got)
	}
	if said := b.said(); len(said) > 0 {
		s.t.Errorf("a script opened a window: %q", said)
	}
}

// downloaded waits for a file whose name ends so, and gives its text.
func (b *tab) downloaded(ending string) string {
	b.t.Helper()
	tick, late := time.NewTicker(look), time.After(patience)
	defer tick.Stop()
	for {
		found, err := filepath.Glob(filepath.Join(b.files, "log-*."+ending))
		if err != nil {
			b.t.Fatal(err)
		}
		if len(found) == 1 {
			text, err := os.ReadFile(found[0])
			if err != nil {
				b.t.Fatal(err)
			}
			if len(text) > 0 { // an empty file stands in its place until it is whole
				return string(text)
			}
		}
		select {
		case <-tick.C:
		case <-late:
			b.t.Fatalf("no file that ends in %s came", ending)
		}
	}
}

func stands(s *site, id inbox.ActionID, want inbox.State) {
	s.t.Helper()
	if a := s.action(id); a.State != want {
		s.t.Errorf("%s stands at %s, want %s", id, a.State, want)
	}
}
