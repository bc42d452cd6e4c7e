package screen

import (
	"os"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
)

// TestTexts reads the cases in testdata/texts.txt.
func TestTexts(t *testing.T) {
	b, err := os.ReadFile("testdata/texts.txt")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for l := range strings.Lines(string(b)) {
		if !strings.HasPrefix(l, "#") {
			lines = append(lines, l)
		}
	}
	for c := range strings.SplitSeq(strings.Join(lines, ""), "%%\n") {
		head, text, _ := strings.Cut(strings.TrimSpace(c), "\n")
		machine, subject := strings.HasPrefix(head, "+ "), strings.Trim(head, "+-? ")
		header := "Subject: " + subject
		if strings.HasPrefix(subject, "Re:") {
			header += "\nIn-Reply-To: <r1.out@site.test>"
		}
		m := parse.Message([]byte(mail(header+"\nContent-Type: text/plain; charset=utf-8", text)), parse.Options{})
		if class, why := config.Check(m); (class != inbox.ClassNone) != machine {
			t.Errorf("%s\n%s\nscreened %q (%s)", head, text, class, why)
		}
	}
}

// TestSections compares the sections of signs.txt with the signs that the
// program asks for.
func TestSections(t *testing.T) {
	asked := []string{"person", "offer"}
	for _, r := range readings {
		asked = slices.Concat(asked, []string{r.first}, r.others, r.unless)
	}
	found := map[string]bool{answering: true}
	for _, list := range known.phrases {
		for _, p := range list {
			found[p.sign] = true
			if !slices.Contains(asked, p.sign) {
				t.Errorf("nothing asks for the section [%s]", p.sign)
			}
		}
	}
	for _, sign := range asked {
		if !found[sign] {
			t.Errorf("signs.txt has no section [%s]", sign)
		}
	}
}

// TestPhrases tries the parts that a phrase can have.
func TestPhrases(t *testing.T) {
	for _, c := range []struct {
		phrase, text string
		want         bool
	}{
		{"away until|till 0", "away until May 5th.", true},
		{"away until|till 0", "away until late", false},
		{"отпуск-", "В отпуске", true},
		{"отпуск", "В отпуске", false},
		{"not * email", "I'm not looking at e-mail nor email", true},
		{"not * email", "not. email", false},
		{"not * email", "not 1 a 2 a 3 a 4 a 5 a 6 a email", false},
		{"^ away", "away", true},
		{"^ away", "Hello Ann, away", true},
		{"^ away", "go away", false},
		{"no $", "No, thanks", true},
		{"no $", "no thanks", false},
		{"write @", "Write to: a@b.example", false},
		{"write to @", "Please write to: a@b.example", true},
		{"i am", "I’m", true},
	} {
		p := readPhrase("x", c.phrase)
		found := slices.ContainsFunc(split(c.text), func(s sentence) bool {
			for i := range s.words {
				if p.in(s.words[i:]) {
					return true
				}
			}
			return false
		})
		if found != c.want {
			t.Errorf("%q in %q: %v", c.phrase, c.text, found)
		}
	}
}

func TestUnquoted(t *testing.T) {
	for text, want := range map[string]string{`a "b" c`: "a  c", "«a» b": " b", `5" screen`: "5 screen", "„a“ b “c”": " b "} {
		if got := unquoted(text); got != want {
			t.Errorf("unquoted(%q) = %q, want %q", text, got, want)
		}
	}
}
