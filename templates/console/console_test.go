package console

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"push.guru/supportd/templates"
)

func load(t *testing.T) *Pages {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(zone)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryPageInEveryLanguage renders them all with invented data.
func TestEveryPageInEveryLanguage(t *testing.T) {
	p := load(t)
	sample := Sample(time.Now())
	for _, name := range names() {
		f, ok := sample[name]
		if !ok {
			t.Errorf("no sample of %s", name)
			continue
		}
		for _, f.Lang = range Languages() {
			var b strings.Builder
			if err := p.Render(&b, name, f); err != nil {
				t.Error(err)
			}
			if dir := os.Getenv("CONSOLE_PAGES"); dir != "" {
				if err := os.WriteFile(dir+"/"+f.Lang+"-"+name+".html", []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestTexts: every language has the same keys with the same placeholders.
func TestTexts(t *testing.T) {
	texts := map[string]templates.Words{}
	for _, code := range Languages() {
		b, err := files.ReadFile("texts/" + code + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		w, faults := templates.ParseWords(code, string(b))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		texts[code] = w
	}
	for code, w := range texts {
		for _, f := range w.Check(code, texts["en"]) {
			t.Error(f)
		}
	}
}

// TestReasons: the program's sentences are worded in every language, others stay
// as they are.
func TestReasons(t *testing.T) {
	p := load(t)
	for _, test := range []struct{ lang, why, want string }{
		{"en", "the reading is not certain", "The reading is not certain"},
		{"ru", "the reading is not certain", "Понято не наверняка"},
		{"kk", "a question that a person must answer; the disk is full", "Адам жауап беруі керек сұрақ; the disk is full"},
		{"ru", "", ""},
	} {
		if got := Reason(p.Words(test.lang), test.why); got != test.want {
			t.Errorf("%s: %q is %q", test.lang, test.why, got)
		}
	}
}

// TestTimes: in words, as people say them, with the plurals of the language.
func TestTimes(t *testing.T) {
	p := load(t)
	almaty, err := time.LoadLocation("Asia/Almaty")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // it is midnight of 1 January 2000 UTC, five or six in the morning in Almaty
		for _, test := range []struct {
			lang string
			in   time.Duration
			want string
		}{
			{"en", -30 * time.Second, "just now"}, {"en", -time.Minute, "1 minute ago"}, {"en", -2 * time.Hour, "2 hours ago"}, {"en", -25 * time.Hour, "1 day ago"},
			{"en", -8 * 24 * time.Hour, "on 24 December 1999"},
			{"ru", -21 * time.Minute, "21 минуту назад"}, {"ru", -3 * time.Hour, "3 часа назад"}, {"ru", -11 * time.Hour, "11 часов назад"}, {"kk", -5 * time.Hour, "5 сағат бұрын"},
		} {
			if got := (Times{p.Words(test.lang), almaty}).Ago(time.Now().Add(test.in)); got != test.want {
				t.Errorf("%s %s: %q, want %q", test.lang, test.in, got, test.want)
			}
		}
		for _, test := range []struct {
			lang string
			in   time.Duration
			want string
		}{
			{"en", 3 * time.Hour, "due today 09:00"}, {"en", 24 * time.Hour, "due tomorrow 06:00"}, {"en", 72 * time.Hour, "due 4 January, 06:00"},
			{"en", -time.Minute, "just overdue"}, {"en", -5 * time.Hour, "overdue by 5 hours"}, {"en", -50 * time.Hour, "overdue by 2 days"},
			{"ru", -22 * time.Hour, "просрочено на 22 часа"}, {"ru", 24 * time.Hour, "срок завтра, 06:00"}, {"kk", -50 * time.Hour, "мерзімі 2 күн бұрын өтті"},
		} {
			if got := (Times{p.Words(test.lang), almaty}).Due(time.Now().Add(test.in)); got != test.want {
				t.Errorf("%s %s: %q, want %q", test.lang, test.in, got, test.want)
			}
		}
	})
}

// TestPlanOfWhatIsDone: what was done is told as before and after, what is still
// to be done as now and then.
func TestPlanOfWhatIsDone(t *testing.T) {
	p := load(t)
	for state, want := range map[string][]string{"done": {"Было", "Стало"}, "review": {"Сейчас", "Станет"}} {
		var b strings.Builder
		a := Action{ID: "A-000001", Case: "M-000001", State: state, Steps: []Step{{Op: "set", What: "Телефон", Old: "1", New: "2"}}}
		if err := p.Render(&b, "case", Frame{Lang: "ru", Page: "case", Body: Case{ID: "M-000001", Evidence: "none", Actions: []Action{a}}}); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(b.String(), ">"+text+"</th>") {
				t.Errorf("%s: there is no %q", state, text)
			}
		}
	}
}
