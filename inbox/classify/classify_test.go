package classify

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"push.guru/supportd/inbox"
)

func TestHiddenTextMakesNothingCertain(t *testing.T) {
	c := testClassifier(t)
	r := c.Read(&inbox.Message{Text: "Please delete my account.", Hidden: true})
	if len(r.Requests) != 1 || r.Requests[0].Kind != inbox.KindDelete || r.Requests[0].Certain {
		t.Errorf("got %+v, want an uncertain delete", r.Requests)
	}
	r = c.Read(&inbox.Message{Text: "yes", Subject: "Re: x", InReplyTo: []string{"a@b"}, Hidden: true})
	if r.Answer != inbox.AnswerNone {
		t.Errorf("answer %q in a mail with hidden text", r.Answer)
	}
}

func TestSubjectOfAReplyIsNotRead(t *testing.T) {
	c := testClassifier(t)
	r := c.Read(&inbox.Message{Subject: "Re: Please delete my account", Text: "Good morning, who are you?"})
	if len(r.Requests) != 1 || r.Requests[0].Kind != inbox.KindQuestion {
		t.Errorf("got %+v, want a question", r.Requests)
	}
}

func TestSubjectAlone(t *testing.T) {
	c := testClassifier(t)
	r := c.Read(&inbox.Message{Subject: "please delete my account"})
	if len(r.Requests) != 1 || r.Requests[0].Scope != inbox.ScopeAccount || !r.Requests[0].Certain {
		t.Errorf("got %+v, want a certain delete", r.Requests)
	}
}

func TestForwardedTextIsNotTheirs(t *testing.T) {
	c := testClassifier(t)
	r := c.Read(&inbox.Message{Text: "FYI\n\n---------- Forwarded message ---------\nFrom: Bob <bob@example.org>\n\nPlease delete my account."})
	if len(r.Requests) != 1 || r.Requests[0].Kind != inbox.KindQuestion {
		t.Errorf("got %+v, want a question", r.Requests)
	}
}

func TestEmptyMessageIsAQuestion(t *testing.T) {
	r := testClassifier(t).Read(&inbox.Message{})
	if len(r.Requests) != 1 || r.Requests[0].Kind != inbox.KindQuestion || r.Language != "und" {
		t.Errorf("got %+v", r)
	}
}

func TestOverlay(t *testing.T) {
	over := fstest.MapFS{"en.txt": {Data: []byte("[account]\nallotment\n[delete]\n- scrap\n")}}
	c, err := New(Options{Overlay: over, Languages: []string{"en"}})
	if err != nil {
		t.Fatal(err)
	}
	if r := c.Read(&inbox.Message{Text: "Please delete my allotment."}); r.Requests[0].Scope != inbox.ScopeAccount {
		t.Errorf("an added word is not found: %+v", r.Requests)
	}
	if r := c.Read(&inbox.Message{Text: "Please scrap my account."}); r.Requests[0].Kind != inbox.KindQuestion {
		t.Errorf("a word that was taken out is found: %+v", r.Requests)
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	over := fstest.MapFS{
		"en.txt": {Data: []byte("[delete]\nzap\n\n[no such]\n")},
		"ru.txt": {Data: []byte("[set]\nбез места\n")},
	}
	_, err := New(Options{Overlay: over})
	if err == nil {
		t.Fatal("broken rule files were accepted")
	}
	for _, want := range []string{"en.txt:4", "ru.txt:2"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

// A stranger must not be able to keep a core busy with one mail: four times
// the text costs about four times the memory that is gone through, and text
// beyond the cap costs nothing.
func TestReadIsLinear(t *testing.T) {
	c := testClassifier(t)
	for _, unit := range []string{"delete ", "do not want ", "\"", "send me everything ", "1.1.", "+7 701 ", "a@b.c ", "my name is to ", "удалите ", "no, ", "stop it ", "“«", "- phone\n", "change to: "} {
		cost := func(size int) uint64 {
			m := &inbox.Message{Text: strings.Repeat(unit, size/len(unit))}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c.Stops(m, c.Read(m))
			runtime.ReadMemStats(&after)
			return after.TotalAlloc - before.TotalAlloc
		}
		cost(1 << 10) // whatever is made once
		small, large, huge := cost(4<<10), cost(16<<10), cost(1<<20)
		if large > 8*small+1<<20 || huge > 3*large+4<<20 {
			t.Errorf("%q: %d bytes are allocated for 4 KiB, %d for 16 KiB, %d for 1 MiB", unit, small, large, huge)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		for _, k := range readCases(f, file) {
			f.Add(k.msg.Subject, k.msg.Text, len(k.msg.InReplyTo) > 0)
		}
	}
	c := testClassifier(f)
	f.Fuzz(func(t *testing.T, subject, text string, reply bool) {
		m := &inbox.Message{Subject: subject, Text: text}
		if reply {
			m.InReplyTo = []string{"q@site.test"}
		}
		r := c.Read(m)
		c.Stops(m, r)
		if r.Answer == inbox.AnswerNone && len(r.Requests) == 0 {
			t.Error("neither an answer nor a request")
		}
		for _, q := range r.Requests {
			if q.Kind.Order() < 0 || q.Confidence < 0 || q.Confidence > 1 {
				t.Errorf("broken request %+v", q)
			}
			if q.Kind == inbox.KindChange && len(q.Changes) == 0 && q.Certain || q.Scope == inbox.ScopeFields && len(q.Fields) == 0 {
				t.Errorf("a request for nothing: %+v", q)
			}
			for _, ch := range q.Changes {
				if ch.Value == "" || !utf8.ValidString(ch.Value) {
					t.Errorf("broken value %q", ch.Value)
				}
			}
		}
		if utf8.ValidString(text) && utf8.ValidString(subject) {
			checkBecause(t, "fuzz", m, r)
		}
		if says, beside := c.Stops(m, r); says <= inbox.StopMaybe && len(beside) == 0 {
			t.Error("nothing is left of what is no plain stop")
		}
	})
}

// The examples of the package comment are read as it says.
func TestDocExamples(t *testing.T) {
	b, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	c, seen := testClassifier(t), map[string]bool{}
	for line := range strings.Lines(string(b)) {
		example, ok := strings.CutPrefix(line, "//\t")
		text, want, has := strings.Cut(example, " => ")
		if !ok || !has {
			continue
		}
		lang, text, _ := strings.Cut(text, " ")
		text, want = strings.TrimSpace(text), strings.TrimSpace(want)
		r := c.Read(&inbox.Message{Text: text, From: inbox.Address{Addr: "writer@example.org"}})
		if r.Language != lang || len(r.Requests) != 1 || wording(r.Requests[0]) != want {
			t.Errorf("%q is read as %s %q; want %s %q", text, r.Language, wordings(r), lang, want)
		}
		seen[lang] = true
	}
	for _, lang := range []string{"en", "ru", "kk", "de", "fr", "es", "it", "pt", "nl", "pl", "uk", "tr"} {
		if !seen[lang] {
			t.Errorf("no example in %s", lang)
		}
	}
}

// A field that only the site has may come from its data map, with its words.
func TestFieldsOfTheSite(t *testing.T) {
	c, err := New(Options{Languages: []string{"en", "ru"}, Fields: map[string]map[inbox.Field][]string{
		"en": {"shoe_size": {"Shoe size", "size of my shoes"}}, "ru": {"shoe_size": {"размер обуви", "размера обуви"}}, "tlh": {"shoe_size": {"DaS"}},
		"kk": {"shoe_size": {"Аяқ киім өлшемі", "аяқ киім өлшем*"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Please change my shoe size to 43.":          "change shoe_size=43",
		"Please remove the size of my shoes":         "delete shoe_size",
		"Поменяйте, пожалуйста, размер обуви на 43":  "change shoe_size=43",
		"Аяқ киім өлшемін өшіріп тастаңызшы":         "delete shoe_size",
		"Please change my phone to +7 701 555 30 40": "change phone=+77015553040",
	} {
		r := c.Read(&inbox.Message{Text: text})
		if len(r.Requests) != 1 || wording(r.Requests[0]) != want {
			t.Errorf("%q is read as %q, want %q", text, wordings(r), want)
		}
	}
	if slices.Contains(c.rules.Languages(), "tlh") {
		t.Error("a language without a rule file is read")
	}
	_, err = New(Options{Fields: map[string]map[inbox.Field][]string{"en": {"a": {"{}"}, "b": {"№"}}}})
	if err == nil || !strings.Contains(err.Error(), "[field.a]") || !strings.Contains(err.Error(), "[field.b]") {
		t.Errorf("words that cannot be looked for: %v", err)
	}
}

// A field that only the operator's site has is one section of an overlay.
func TestOverlayNamesAField(t *testing.T) {
	over := fstest.MapFS{
		"en.txt": {Data: []byte("[field.team]\nteam, squad\n")},
		"ru.txt": {Data: []byte("[field.team]\nкоманда, команду\n")},
	}
	c, err := New(Options{Overlay: over, Languages: []string{"en", "ru"}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Please change my team to Falcons.":      "change team=Falcons",
		"Please remove my squad from my profile": "delete team",
		"Поменяйте команду на Барыс":             "change team=Барыс",
	} {
		r := c.Read(&inbox.Message{Text: text})
		if len(r.Requests) != 1 || wording(r.Requests[0]) != want {
			t.Errorf("%q is read as %q, want %q", text, wordings(r), want)
		}
	}
}
