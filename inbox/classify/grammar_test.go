package classify

import (
	"slices"
	"testing"

	"push.guru/supportd/inbox/classify/lang"
)

func TestGrammars(t *testing.T) {
	tags := testClassifier(t).rules.Languages()
	for tag, g := range grammars {
		if tag != lang.Und && !slices.Contains(tags, tag) {
			t.Errorf("%s has a grammar, but no rule file", tag)
		}
		if g.trust <= 0 || g.trust > 1 {
			t.Errorf("%s is trusted %v", tag, g.trust)
		}
	}
}

// TestKazakhForce has one verb of each force, as it is written and as it is typed
// in Latin letters.
func TestKazakhForce(t *testing.T) {
	c := testClassifier(t)
	for text, want := range map[string]force{
		"өшіріп тастаңыз":          asking,
		"oshirip tastanyz":         asking,
		"өшіріп тастай салыңызшы":  asking,
		"өшіріп тастағым келеді":   asking,
		"өшіріп жібересіз бе":      asking,
		"өшіріп тастасам":          barring,
		"өшіріп тастамаңыз":        barring,
		"өшіріп тастадым":          declaring,
		"өшіріп тастаған":          reporting,
		"өшіріп жатыр":             reporting,
		"өшіріп тастау":            naming,
		"өшіріп":                   unmarked,
		"өшіріп тастаған дұрыс":    asking,
		"өшіріп тастағым келмейді": barring,
	} {
		r := c.newReader("", text)
		if got := (kazakh{r}).verbForce(r.all(), word(0)); got != want {
			t.Errorf("%q: force %d, want %d", text, got, want)
		}
	}
}
