package templates

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"push.guru/supportd/inbox"
)

// everywhere puts s wherever a value of a person, a site or staff can stand.
func everywhere(s string) Data {
	step := func(op inbox.StepOp) inbox.Step {
		return inbox.Step{Place: s, Field: inbox.Field(s), Op: op, Old: s, New: s + s}
	}
	steps := []inbox.Step{step(inbox.StepSet), step(inbox.StepAdd), step(inbox.StepClear), step(inbox.StepRemove)}
	keeps := []inbox.Keep{{Place: s, Why: s, Until: s}}
	return Data{
		Site: Site{Name: "Site", AccountURL: "https://site.example/account", Address: "support@site.example"},
		Case: s, Name: s, Words: s, Places: []string{s}, Attached: true,
		Items: []Item{
			{Kind: inbox.KindChange, State: inbox.StateUnconfirmed, Steps: steps, Keeps: keeps},
			{Kind: inbox.KindChange, State: inbox.StateDone, Steps: steps, Keeps: keeps, Fields: []inbox.Field{inbox.Field(s)}, Words: s + "."},
			{Kind: inbox.Kind(s), Scope: inbox.Scope(s), State: inbox.State(s), Topic: inbox.Topic(s), Reason: s, Words: s + "!", Fields: []inbox.Field{inbox.Field(s)}},
		},
		Holdings: []inbox.Holding{{Place: s, Label: s, Fields: []string{s}, Count: 2, Purpose: s, Retention: s, Recipients: s}},
	}
}

// checkInert renders every letter with s everywhere and looks for what s may
// have broken.
func checkInert(t *testing.T, s *Set, hostile string) {
	t.Helper()
	d := everywhere(hostile)
	for _, n := range Names() {
		for _, lang := range s.Languages() {
			l, err := s.Render(n, lang, d)
			if err != nil {
				t.Fatalf("%s %s: %v", n, lang, err)
			}
			if problem := compare(l, d.Site.AccountURL); problem != "" {
				t.Errorf("%s %s: %s\n%q\n%q", n, lang, problem, l.Text, l.HTML)
			}
			if strings.ContainsFunc(l.Subject, control) || strings.Contains(l.Subject, "\n") {
				t.Errorf("%s %s: subject %q", n, lang, l.Subject)
			}
			if strings.ContainsFunc(l.Text, control) || !utf8.ValidString(l.Text) {
				t.Errorf("%s %s: control characters in %q", n, lang, l.Text)
			}
			if strings.Count(l.Text, firstStrongIsolate) != strings.Count(l.Text, popIsolate) {
				t.Errorf("%s %s: unbalanced isolates in %q", n, lang, l.Text)
			}
		}
	}
}

// control tells what no letter may contain, our own isolates apart.
func control(r rune) bool {
	switch r {
	case '\n', '\u2068', '\u2069', '\u200C', '\u200D', '\u2060':
		return false
	}
	return odd(r) && r != utf8.RuneError
}

var hostileValues = []string{
	"", " ", "-", "- item", "1. item", "| line", "> quote", "Subject: mine", "<script>alert(1)</script>", "</li></ul><b>",
	"a\r\nBcc: victim@example.org\r\n\r\nbody", "a\n\n- b\n  - c\n\n2. d", "\u202Egpj.exe", "\u2066\u2067x", "{{.}}", "{{.Case}}", "{new}", "{old}{field}",
	"\x02https://evil.example\x03", "\x0e", "https://evil.example/?q=<x>&y", "javascript:alert(1)", "\x00\x01\x7f\u0085\u2028\u2029", "مرحبا → hello", "שלום",
	"\xff\xfe", strings.Repeat("x", 5000), strings.Repeat("a\n", 3000), "👩‍👩‍👧", "e\u0301\u0301\u0301", "\U000E0041\U000E0042", "%s%d%!", "&lt;b&gt;", "&#60;b&#62;",
}

func TestHostileValues(t *testing.T) {
	s := load(t, siteLanguages...)
	for _, hostile := range hostileValues {
		checkInert(t, s, hostile)
	}
}

func FuzzRender(f *testing.F) {
	s := load(f, "en", "kk")
	for _, hostile := range hostileValues {
		f.Add(hostile)
	}
	f.Fuzz(func(t *testing.T, hostile string) { checkInert(t, s, hostile) })
}

// TestValueStaysInItsLine: a value cannot begin a block, a list or a link.
func TestValueStaysInItsLine(t *testing.T) {
	s := load(t, "en")
	d := Data{Items: []Item{{Kind: inbox.KindChange, Steps: []inbox.Step{
		{Place: "profile", Field: "about", Op: inbox.StepSet, Old: "x", New: "a\n\n1. b\n| c\n\x02https://evil.example\x03 {old} {{.Case}}"}}}}}
	l := render(t, s, Confirm, "en", d)
	if want := "- About me: “x” → “a 1. b | c https:\u2060//evil\u2060.example {old} {{.Case}}”\n"; !strings.Contains(l.Text, want) {
		t.Errorf("%q is not in\n%s", want, l.Text)
	}
	if strings.Contains(l.HTML, "<a") {
		t.Errorf("a value became a link:\n%s", l.HTML)
	}
}

// linked finds what mail programs make links of by themselves.
var linked = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s”]+|www\.[^\s”]+|[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.\p{L}{2,}`)

// TestValuesAreNoLinks: what people gave cannot be clicked, says the same to
// the eye, and is what it was when the joiners are taken out. What is ours
// stays whole.
func TestValuesAreNoLinks(t *testing.T) {
	s := load(t, siteLanguages...)
	site := Site{Name: "Push.Guru", AccountURL: "https://site.example/account", Address: "support@site.example"}
	for _, c := range []string{"https://evil.example", "see HTTPS://Evil.Example/?q=a.b#c now", "www.evil.example", "evil.example", "(evil.example)", "a.b.evil.example/path",
		"http://localhost/x", "ftp://1.2.3.4/", "https://user@evil.example", "xn--e1afmkfd.xn--p1ai", "пример.рф", "evil.example.", "a@evil.example/path",
		"https://a:b@evil.example:8080/", "tg://resolve?domain=x", "www.x.org", "WWW.1.org", "1.evil.example", "evil-.example", "evil.example,other.example"} {
		steps := []inbox.Step{{Place: "profile", Field: inbox.FieldAbout, Op: inbox.StepSet, Old: c, New: c + " and " + c}, {Place: "profile", Field: inbox.FieldNickname, Op: inbox.StepSet, New: c},
			{Place: "profile", Field: inbox.FieldAbout, Op: inbox.StepAdd, Old: "x", New: "x " + c}, {Place: "profile", Field: inbox.FieldAddress, Op: inbox.StepClear, Old: c}}
		for _, n := range []Name{Confirm, Result, Scheduled, StaleAsk} {
			for _, lang := range siteLanguages {
				l := render(t, s, n, lang, Data{Site: site, Items: []Item{{Kind: inbox.KindChange, State: inbox.StateUnconfirmed, Steps: steps}}})
				page, problem := pageText(l.HTML, site.AccountURL)
				if problem != "" {
					t.Errorf("%s %s: %s", n, lang, problem)
				}
				for _, text := range []string{l.Text, page} {
					for _, found := range linked.FindAllString(text, -1) {
						if found != site.AccountURL && found != site.Name && found != "site.example" {
							t.Errorf("%s %s: %q of %q can be clicked", n, lang, found, c)
						}
					}
					if n == Confirm && strings.Count(strings.ReplaceAll(text, wordJoiner, ""), c) < 4 {
						t.Errorf("%s %s: %q is not in\n%s", n, lang, c, text)
					}
				}
			}
		}
	}
}

// TestValuesThatAreNoLinks are shown as they are, addresses among them: they
// are what people have to compare.
func TestValuesThatAreNoLinks(t *testing.T) {
	for _, s := range []string{"new@users.test", "Анна Иванова", "+7 701 555 30 40", "24.03.1990", "v. 1.2", "e.g. this", "J. R. O’Neill", "A: b", "and/or", "{{.Case}}", "...yes", "new@users.test, old@users.test", "1.5", "…", ""} {
		if got := given(s); got != value(s) {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestLongValuesShowBothEnds(t *testing.T) {
	s := load(t, "en")
	long := strings.Repeat("ж", 2000)
	d := Data{Items: []Item{{Kind: inbox.KindChange, Steps: []inbox.Step{{Place: "profile", Field: "about", Op: inbox.StepSet, Old: "begin" + long + "old end", New: "begin" + long + "new end"}}}}}
	l := render(t, s, Confirm, "en", d)
	if n := utf8.RuneCountInString(l.Text); n > 2*maxValue+800 {
		t.Errorf("%d runes", n)
	}
	for _, part := range []string{"“begin", " … ", "old end”", "new end”"} {
		if !strings.Contains(l.Text, part) {
			t.Errorf("%q is not in\n%s", part, l.Text)
		}
	}
}

func TestRightToLeftIsIsolated(t *testing.T) {
	if got := value("سلام"); got != string(inert)+"\u2068سلام\u2069" {
		t.Errorf("%q", got)
	}
	if got := value("\u202Eabc\u2069"); got != string(inert)+"abc" {
		t.Errorf("%q", got)
	}
}

func TestGreetable(t *testing.T) {
	for name, want := range map[string]string{
		"Anna": "Anna", " Айгүл  Серікқызы ": "Айгүл Серікқызы", "J. R. O’Neill-Smith": "J. R. O’Neill-Smith", "Anne Marie Jr.": "Anne Marie Jr.",
		"José\u0301": "José\u0301", "محمد": "محمد", "": "", "...": "", "-": "", "visit evil.example": "", "http://evil.example": "", "a@b.example": "",
		"Anna\r\nBcc: x": "", "win 1000000": "", "<b>": "", strings.Repeat("a", 61): "", "\u202EannA": "annA",
	} {
		if got := greetable(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestAccountLink(t *testing.T) {
	s := load(t, "en")
	done := []Item{{Kind: inbox.KindChange, State: inbox.StateDone}}
	for url, linked := range map[string]bool{"https://site.example/a?b=c&d": true, "http://127.0.0.1/": true, "": false, "javascript:alert(1)": false, "data:text/html,x": false} {
		l := render(t, s, Result, "en", Data{Site: Site{AccountURL: url}, Items: done})
		if strings.Contains(l.HTML, "<a href=") != linked || strings.Contains(l.Text, "see your account here") != linked {
			t.Errorf("%q: %s", url, l.Text)
		}
		if problem := compare(l, url); problem != "" {
			t.Errorf("%q: %s", url, problem)
		}
	}
}
