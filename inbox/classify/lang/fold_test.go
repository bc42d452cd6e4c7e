package lang

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// The shared spelling is what replacing one after the other gives, as it is
// easiest to read.
func TestSkeletonIsThatOfReplacers(t *testing.T) {
	digraphs := strings.NewReplacer(
		"shch", "6", "sch", "6", "tsh", "t6", "sh", "6", "ch", "4", "zh", "j", "kh", "h", "gh", "g", "ng", "n", "ts", "c", "tz", "c",
		"yo", "e", "ye", "e", "yu", "iu", "ya", "ia",
		"y", "i", "w", "u", "x", "h", "q", "k",
	)
	eitherJ := strings.NewReplacer("ja", "ia", "ju", "iu")
	plain := func(folded string) string {
		var b strings.Builder
		isLatin := false
		for _, r := range folded {
			s, ok := cyrillic[r]
			if !ok {
				s, isLatin = string(r), true
			}
			b.WriteString(s)
		}
		s := b.String()
		if isLatin {
			s = digraphs.Replace(s)
		}
		s = eitherJ.Replace(s)
		b.Reset()
		var last rune
		for _, r := range s {
			if r != last {
				b.WriteRune(r)
			}
			last = r
		}
		return b.String()
	}
	signs := []rune("sshhcctzzkghnyoeuawxqjjaulрстжшщюяьұқіїйñé7ü-\u0301")
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		word := make([]rune, random.IntN(9))
		for i := range word {
			word[i] = signs[random.IntN(len(signs))]
		}
		if got, want := skeleton(string(word)), plain(string(word)); got != want {
			t.Fatalf("%q gives %q, want %q", string(word), got, want)
		}
	}
}

// Every letter by itself and beside others has one comparable form.
func TestFoldIsThatOfMarks(t *testing.T) {
	signs := []rune("aeiouсйёїіғäöüßéèñçøłıåæžščřťďůűőğşİÉÀẞ'’`\u00AD\u0301\u0308\u0306đœŀŉſÿ÷ў")
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		word := make([]rune, random.IntN(6))
		for i := range word {
			word[i] = signs[random.IntN(len(signs))]
		}
		if got, want := Fold(string(word)), foldMarks(strings.ToLower(string(word))); got != want {
			t.Fatalf("%q gives %q, want %q", string(word), got, want)
		}
	}
}
