package lang

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func rules(t testing.TB, files map[string]string) *Rules {
	t.Helper()
	m := fstest.MapFS{}
	for n, s := range files {
		m[n] = &fstest.MapFile{Data: []byte(s)}
	}
	r, err := Load(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const english = `
[common]
the, my, is
[no]
no, do not
[filler]
no problem
[account]
account
[other]
bank account
[delete]
remov*, get rid of
[ask.deactivate]
put ... <account> on ice
[set.location]
i live in {}
[word.short]
mr, tel
[word.numbered]
phone
`

const russian = "[delete]\nудалите, удалить\n[account]\nаккаунт\n[common]\nмой, я\n"

func TestFind(t *testing.T) {
	r := rules(t, map[string]string{"en.txt": english, "ru.txt": russian})
	for _, c := range []struct {
		text    string
		concept Concept
		want    string
	}{
		{"Please get rid of my account", Delete, "get rid of"},
		{"removing it", Delete, "removing"},
		{"my account", Account, "account"},
		{"my bank account", Account, ""}, // the longer phrase wins
		{"no problem", No, ""},
		{"no, problem", No, "no"}, // a comma parts a phrase
		{"put that old account on ice", AskDeactivate, "put that old account on ice"},
		{"put it away. The account on ice", AskDeactivate, ""}, // no phrase runs over a sentence's end
		{"Удалите!", Delete, "Удалите"},
		{"УДАЛИТЕ", Delete, "УДАЛИТЕ"},
		{"I live in Rome", "set.location", "I live in"},
	} {
		text := r.NewText(c.text)
		hits := r.Find(text, r.Detect(text, 0, []string{"en"})).In(Span{0, len(text.Words)}, c.concept)
		got := ""
		if len(hits) > 0 {
			got = text.Slice(hits[0].Span)
		}
		if got != c.want {
			t.Errorf("%q: [%s] found %q, want %q", c.text, c.concept, got, c.want)
		}
	}
}

func TestTypedInLatinLetters(t *testing.T) {
	r := rules(t, map[string]string{"en.txt": english, "ru.txt": russian})
	for _, s := range []string{"udalite moy akkaunt", "udalite moi akaunt", "Udalit' moj akkaunt"} {
		text := r.NewText(s)
		g := r.Detect(text, 0, []string{"en"})
		if g.Tag != "ru" || !g.Typed {
			t.Errorf("%q is taken for %+v", s, g)
			continue
		}
		all := Span{0, len(text.Words)}
		if h := r.Find(text, g); !h.Has(all, Delete) || !h.Has(all, Account) {
			t.Errorf("%q: words not found: %v", s, h)
		}
	}
}

func TestDetect(t *testing.T) {
	r := rules(t, map[string]string{"en.txt": english, "ru.txt": russian, "kk.txt": "[common]\nмен, бұл\n"})
	for text, want := range map[string]string{
		"the account is my account": "en",
		"я удалить":                 "ru",
		"бұл мен ғой":               "kk",
		"":                          Und,
		"12 34":                     Und,
		"Ez egy magyar nyelven írt levél, amelyet a rendszer nem ismer, de a betűk elárulják.": "hu",
	} {
		if g := r.Detect(r.NewText(text), 0, []string{"en", "ru", "kk"}); g.Tag != want {
			t.Errorf("%q is taken for %q, want %q", text, g.Tag, want)
		}
	}
}

func TestSentences(t *testing.T) {
	r := rules(t, map[string]string{"en.txt": english, "ru.txt": russian})
	for text, want := range map[string]string{
		"One. Two! Three?":               "One|Two|Three",
		"Mr. J. Smith is here. Yes":      "Mr. J. Smith is here|Yes",
		"12.03.1990 is it":               "12.03.1990 is it",
		"My phone no. is 5. Oh no. Stop": "My phone no. is 5|Oh no|Stop",
		"- phone\n- city":                "phone|city",
		"a line that was wrapped by the mail client at\nseventy columns": "a line that was wrapped by the mail client at\nseventy columns",
		"Name: Bob\nCity: Rome": "Name: Bob|City: Rome",
		"mail a@b.example now":  "mail a@b.example now",
	} {
		tx := r.NewText(text)
		var got []string
		for _, s := range tx.Sentences {
			got = append(got, tx.Slice(s))
		}
		if g := strings.Join(got, "|"); g != want {
			t.Errorf("%q: got %q, want %q", text, g, want)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"Ёлка": "елка", "йод": "йод", "Don’t": "dont", "Straße": "strasse", "ÇOK": "cok", "Їжак": "їжак", "ƏНІ": "əні"} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"word":                          "en.txt:1",
		"[delete]\n\n[nonsense]":        "en.txt:3",
		"[delete]\na*":                  "one letter",
		"[delete]\n... x":               "gap",
		"[delete]\nx <nonsense>":        "nonsense",
		"[set]\nno place":               "{}",
		"[delete]\nx {}":                "{}",
		"[set]\na {} b":                 "first or last",
		"[delete]\n- unknown":           "taken out",
		"[delete]\na ... b ... c ... d": "two gaps",
	} {
		_, err := Load(fstest.MapFS{"en.txt": {Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error that has %q", text, err, want)
		}
	}
}

func TestUnbend(t *testing.T) {
	r, err := Load(os.DirFS("../rules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tag, text string
		want      PlaceName
	}{
		{"ru", "Астану", PlaceName{Name: "Астана", Known: true}},
		{"ru", "астане", PlaceName{Name: "Астана", Known: true}},
		{"ru", "Алматы", PlaceName{Name: "Алматы", Known: true}},
		{"ru", "Твери", PlaceName{Name: "Тверь", Known: true}},
		{"ru", "Нижнем Новгороде", PlaceName{Name: "Нижний Новгород", Known: true}},
		{"ru", "Ростове-на-Дону", PlaceName{Name: "Ростов-на-Дону", Known: true}},
		{"ru", "Орле", PlaceName{Name: "Орел", Known: true}},
		{"ru", "Гринвич", PlaceName{Name: "Гринвич"}},
		{"ru", "Зарове", PlaceName{Name: "Зарове", Bent: true}}, // Заров or Зарова
		{"kk", "Шымкентке", PlaceName{Name: "Шымкент", Known: true}},
		{"kk", "Алматыдан", PlaceName{Name: "Алматы", Known: true}},
		{"kk", "Қаскелеңде", PlaceName{Name: "Қаскелең", Known: true}},
		{"kk", "Ақшоқыда", PlaceName{Name: "Ақшоқы", Bent: true}},
		{"en", "Springfield", PlaceName{Name: "Springfield"}},
		{"", "", PlaceName{}},
	} {
		if got := r.Unbend(c.tag, c.text); got != c.want {
			t.Errorf("%s %q: got %+v, want %+v", c.tag, c.text, got, c.want)
		}
	}
}

func TestUnbendName(t *testing.T) {
	r, err := Load(os.DirFS("../rules"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tag, text, want string
		sure            bool
	}{
		{"kk", "Айгүлге", "Айгүл", true},
		{"kk", "Перизатқа", "Перизат", true},
		{"kk", "Серікұлына", "Серікұлы", true},
		{"kk", "Асан", "Асан", true},
		{"kk", "Ерке", "Ерке", false}, // a name by itself
		{"kk", "Ольга", "Ольга", false},
		{"kk", "АЙГҮЛГЕ", "АЙГҮЛГЕ", false},
		{"en", "Inge", "Inge", true},
	} {
		if got, sure := r.UnbendName(c.tag, c.text); got != c.want || sure != c.sure {
			t.Errorf("%s %q: got %q %v, want %q %v", c.tag, c.text, got, sure, c.want, c.sure)
		}
	}
}

func FuzzText(f *testing.F) {
	r := rules(f, map[string]string{"en.txt": english, "ru.txt": russian})
	for _, s := range []string{"Please remove my account.", "put my account on ice", "«x» \"y", "a\nb\n\n- c", "удалите ё"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := r.NewText(s)
		n := 0
		for _, sp := range text.Sentences {
			if sp.From != n || sp.To <= sp.From {
				t.Fatalf("sentences leave words out: %v", text.Sentences)
			}
			n = sp.To
		}
		if n != len(text.Words) {
			t.Fatalf("%d of %d words are in sentences", n, len(text.Words))
		}
		for _, h := range r.Find(text, r.Detect(text, 0, nil)) {
			if h.From < 0 || h.To > len(text.Words) || h.From > h.To {
				t.Fatalf("broken hit %+v", h)
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(english)
	f.Add("[set]\n{} x, - y\n[delete]\n<account> ... b*")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Load(fstest.MapFS{"en.txt": {Data: []byte(s)}})
		if err != nil {
			return
		}
		text := r.NewText("the account is here")
		r.Find(text, r.Detect(text, 0, nil))
	})
}

func TestListed(t *testing.T) {
	r := rules(t, map[string]string{"en.txt": english + "[word.since]\nago, with*\n", "de.txt": "[word.since]\nbinnen\n"})
	en, de := Guess{Tag: "en"}, Guess{Tag: "de"}
	for _, c := range []struct {
		guess Guess
		word  string
		want  bool
	}{
		{en, "ago", true},
		{en, "within", true},
		{en, "binnen", false},
		{de, "binnen", true},
		{de, "ago", false},
		{Guess{}, "binnen", true}, // of any language
		{Guess{Tag: Und}, "ago", false},
	} {
		if got := r.Listed(c.guess, WordSince, c.word); got != c.want {
			t.Errorf("%q is listed for %q: %v, want %v", c.word, c.guess.Tag, got, c.want)
		}
	}
	if text := r.NewText("ago"); len(r.Find(text, en)) > 0 {
		t.Error("a word of a list was looked for in a text")
	}
	for _, bad := range []string{"[word.since]\ntwo weeks\n", "[word.unheard]\nago\n"} {
		if _, err := Load(fstest.MapFS{"en.txt": &fstest.MapFile{Data: []byte(bad)}}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
