package templates

import (
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
	case '\n', '\u2068', '\u2069', '\u200C', '\u200D':
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
	if want := "- About me: “x” → “a 1. b | c https://evil.example {old} {{.Case}}”\n"; !strings.Contains(l.Text, want) {
		t.Errorf("%q is not in\n%s", want, l.Text)
	}
	if strings.Contains(l.HTML, "<a") {
		t.Errorf("a value became a link:\n%s", l.HTML)
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
