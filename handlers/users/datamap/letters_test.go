package datamap

import (
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/templates"
)

// TestLettersNameTheSame: the letters' own words for fields and places are
// those of the map, so that a letter, a copy and a page never call one thing by
// two names.
func TestLettersNameTheSame(t *testing.T) {
	m := Embedded()
	languages := []string{"en", "ru", "kk"}
	with, err := templates.Load(nil, languages, m.ColumnLabel)
	if err != nil {
		t.Fatal(err)
	}
	without, err := templates.Load(nil, languages, nil)
	if err != nil {
		t.Fatal(err)
	}
	compare := func(lang, what string, n templates.Name, d templates.Data) {
		t.Helper()
		a, err := with.Render(n, lang, d)
		if err != nil {
			t.Fatal(err)
		}
		b, err := without.Render(n, lang, d)
		if err != nil {
			t.Fatal(err)
		}
		if a.Text != b.Text {
			t.Errorf("%s in %s: the map says\n%s\nthe letters say\n%s", what, lang, a.Text, b.Text)
		}
	}
	for _, lang := range languages {
		for _, f := range inbox.Fields() {
			step := inbox.Step{Place: PlaceProfile, Field: f, Op: inbox.StepClear}
			compare(lang, string(f), templates.Confirm, templates.Data{Items: []templates.Item{{Kind: inbox.KindChange, Steps: []inbox.Step{step}}}})
		}
		for _, place := range []string{PlaceProfile, PlaceVisits, CasesPlace} {
			compare(lang, place, templates.NothingHeld, templates.Data{Places: []string{place}})
		}
	}
}

// TestReasonsHaveWords: whatever the map refuses, each language has words for
// it, and no two of the same language are alike.
func TestReasonsHaveWords(t *testing.T) {
	languages := []string{"en", "ru", "kk"}
	letters, err := templates.Load(nil, languages, Embedded().ColumnLabel)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range languages {
		seen := map[string]Reason{}
		for _, r := range append(Reasons(), "never-heard-of") {
			it := templates.Item{Kind: inbox.KindChange, State: inbox.StateRefused, Reason: string(r)}
			l, err := letters.Render(templates.Already, lang, templates.Data{Items: []templates.Item{it}})
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[l.Text]; ok {
				t.Errorf("%s: %q reads like %q", lang, r, other)
			}
			seen[l.Text] = r
		}
	}
}
