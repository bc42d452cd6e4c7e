package value

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func one(list []Found) (string, bool) {
	if len(list) == 0 {
		return "", false
	}
	return list[0].Value, list[0].Sure
}

func TestDates(t *testing.T) {
	for _, c := range []struct {
		text  string
		order Order
		want  string
		sure  bool
	}{
		{"1990-03-14", OrderUnknown, "1990-03-14", true},
		{"14.03.1990", OrderUnknown, "1990-03-14", true},
		{"05.04.1990", OrderUnknown, "1990-04-05", true}, // dots go with day first only
		{"05/04/1990", OrderUnknown, "1990-04-05", false},
		{"05/04/1990", DayFirst, "1990-04-05", true},
		{"05/04/1990", MonthFirst, "1990-05-04", true},
		{"07/24/1985", DayFirst, "1985-07-24", true},
		{"24/07/1985", MonthFirst, "1985-07-24", true},
		{"4/4/1990", OrderUnknown, "1990-04-04", true},
		{"14.3.90", DayFirst, "1990-03-14", true},
		{"14.3.04", DayFirst, "2004-03-14", false},
		{"14 03 1990", DayFirst, "1990-03-14", true},
		{"31.02.1990", DayFirst, "", false},
		{"32.01.1990", DayFirst, "", false},
		{"192.168.1.1990", DayFirst, "", false},
		{"1.2.3", DayFirst, "", false},
		{"14.13.1990", DayFirst, "", false},
		{"29.02.2000", DayFirst, "2000-02-29", true},
	} {
		got, sure := one(Dates(c.text, Writing{Order: c.order, Links: linking}))
		if got != c.want || sure != c.sure {
			t.Errorf("%q in order %d: got %q %v, want %q %v", c.text, c.order, got, sure, c.want, c.sure)
		}
	}
}

func TestDatesWithoutWordsInside(t *testing.T) {
	text := "14.03.1990 or so"
	if got, sure := one(Dates(text, Writing{})); got != "1990-03-14" || !sure {
		t.Errorf("%q where no word stands inside a date: got %q %v, want 1990-03-14", text, got, sure)
	}
}

func linking(word string) bool {
	return slices.Contains([]string{"th", "st", "the", "of", "г", "года", "жылғы", "жылдың", "de"}, word)
}

func mark(text, word string, month, day int) Mark {
	i := strings.Index(text, word)
	return Mark{Start: i, End: i + len(word), Month: month, Day: day}
}

func TestDatesInWords(t *testing.T) {
	for _, c := range []struct {
		text, month string
		n           int
		want        string
	}{
		{"14 March 1990", "March", 3, "1990-03-14"},
		{"March 14th, 1990", "March", 3, "1990-03-14"},
		{"the 1st of March, 1990", "March", 3, "1990-03-01"},
		{"14 марта 1990 г.", "марта", 3, "1990-03-14"},
		{"1990 жылғы 14 наурыз", "наурыз", 3, "1990-03-14"},
		{"1990 жылдың 14 наурызы", "наурызы", 3, "1990-03-14"},
		{"14 de marzo de 1990", "marzo", 3, "1990-03-14"},
		{"March 1990", "March", 3, ""},
		{"14 March", "March", 3, ""},
		{"30 February 1990", "February", 2, ""},
	} {
		got, _ := one(Dates(c.text, Writing{DayFirst, []Mark{mark(c.text, c.month, c.n, 0)}, linking}))
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	text := "восьмого марта 1979 года"
	if got, _ := one(Dates(text, Writing{DayFirst, []Mark{mark(text, "восьмого", 0, 8), mark(text, "марта", 3, 0)}, linking})); got != "1979-03-08" {
		t.Errorf("%q: got %q", text, got)
	}
}

func TestPhones(t *testing.T) {
	for _, c := range []struct {
		text, region, want string
		sure               bool
	}{
		{"+7 701 234 56 78", "KZ", "+77012345678", true},
		{"8 (701) 234-56-78", "KZ", "+77012345678", true},
		{"87012345678", "KZ", "+77012345678", true},
		{"+44 20 7946 0958", "KZ", "+442079460958", true},
		{"020 7946 0958", "GB", "+442079460958", true},
		{"1234567", "KZ", "1234567", false},
		{"12345", "KZ", "", false},
	} {
		got, sure := one(Phones("call "+c.text+" now", c.region))
		if got != c.want || sure != c.sure {
			t.Errorf("%q in %s: got %q %v, want %q %v", c.text, c.region, got, sure, c.want, c.sure)
		}
	}
}

func TestEmails(t *testing.T) {
	for text, want := range map[string]string{
		"write to Anna.New@Example.ORG.":    "Anna.New@example.org",
		"<a@b.example>":                     "a@b.example",
		"kev at site dot org":               "kev@site.org",
		"kev (at) site (dot) co (dot) uk":   "kev@site.co.uk",
		"kev[at]site.org":                   "kev@site.org",
		"vasya собака pochta точка example": "vasya@pochta.example",
		"meet me at example.org":            "",
		"look at this":                      "",
		"a..b@example.org":                  "",
		"почта@пример.рф":                   "почта@xn--e1afmkfd.xn--p1ai",
		"a.b@example.org-ға ауыстырыңыз":    "a.b@example.org",
		"a.b@example.orgға өзгертіңіз":      "a.b@example.org",
	} {
		if got, _ := one(Emails(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]string{
		"«Анна Ким».":                       "Анна Ким",
		"JOHN O'NEIL-SMITH":                 "John O'Neil-Smith",
		"Li":                                "Li",
		"agent 47":                          "",
		"one two three four five six seven": "",
		"":                                  "",
	} {
		if got := strings.Join(Name(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if Proper([]string{"something", "else"}) || !Proper([]string{"Ludwig", "van", "Beethoven"}) {
		t.Error("Proper tells capital letters wrong")
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"14.03.1990", "March 14th, 1990", "+7 701 234 56 78", "kev at site dot org", "a@b.c", "1.1.1.1.1", "«Анна»"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, list := range [][]Found{Dates(s, Writing{Order: DayFirst, Links: linking}), Dates(s, Writing{Links: linking}), Phones(s, "KZ"), Emails(s)} {
			for _, x := range list {
				if x.Start < 0 || x.End > len(s) || x.Start >= x.End || x.Value == "" {
					t.Errorf("broken place %+v in %q", x, s)
				}
			}
		}
		for _, d := range Dates(s, Writing{Order: DayFirst, Links: linking}) {
			if _, err := time.Parse("2006-01-02", d.Value); err != nil {
				t.Errorf("%q gives a day that does not exist: %v", s, err)
			}
		}
		Name(s)
	})
}
