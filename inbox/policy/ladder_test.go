package policy

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// TestLadderIsWritten: the page of this package and the README show the ladder
// of the default rules as it is decided.
func TestLadderIsWritten(t *testing.T) {
	table := strings.TrimRight(Table(Ladder(Defaults())), "\n")
	for file, indent := range map[string]string{"policy.go": "//\t", "../../README.md": "    "} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if want := indent + strings.ReplaceAll(table, "\n", "\n"+indent) + "\n"; !strings.Contains(string(text), want) {
			t.Errorf("%s does not show\n%s", file, want)
		}
	}
}

// TestLadderMissesNothing: it has each subject that has a rule, at each level.
func TestLadderMissesNothing(t *testing.T) {
	rules := Defaults()
	seen := map[Subject]int{}
	for _, r := range Ladder(rules) {
		seen[r.Subject]++
		if a := sampleOf(r.Subject); SubjectOf(&a) != r.Subject {
			t.Errorf("the sample of %s is one of %s", r.Subject, SubjectOf(&a))
		}
	}
	for s := range rules.Of {
		if seen[s] != 3 {
			t.Errorf("%s stands in %d rows", s, seen[s])
		}
	}
	if len(seen) != len(rules.Of) {
		t.Errorf("the ladder has %v", seen)
	}
}

// TestLadderEndsProved: the proofs of a row are enough, and nobody who has
// proved nothing gets by without one unless the rules say so.
func TestLadderEndsProved(t *testing.T) {
	for _, confirm := range []Confirm{ConfirmAlways, ConfirmUnproven, ConfirmNever, ""} {
		for _, review := range []Review{ReviewAlways, ReviewUnsure, ReviewNever} {
			r := Rules{Mode: Auto, Of: map[Subject]Rule{}}
			for _, s := range Subjects() {
				r.Of[s] = Rule{Confirm: confirm, Review: review, CoolOff: time.Hour}
			}
			for _, row := range Ladder(r) {
				if row.Staff != (review == ReviewAlways) || row.Wait != time.Hour {
					t.Errorf("confirm %q, review %q: %+v", confirm, review, row)
				}
				hard := row.Subject == ChangeEmail || row.Subject == DeleteAccount || row.Subject == DeleteFields
				if who := slices.Contains(row.Asks, ProofSender); who != (row.Level == inbox.LevelNone && (confirm != ConfirmNever || hard)) {
					t.Errorf("confirm %q: %+v", confirm, row)
				}
				if row.Subject == ChangeEmail && !slices.Contains(row.Asks, ProofNewAddr) {
					t.Errorf("confirm %q: the new address is not asked: %+v", confirm, row)
				}
			}
		}
	}
}

func ExampleTable() {
	r := Defaults()
	r.Of[Copy] = Rule{Confirm: ConfirmNever, Review: ReviewUnsure}
	os.Stdout.WriteString(Table(Ladder(r)[:6]))
	// Output:
	// request    at none   at aligned   at roundtrip
	// copy       at once   at once      at once
	// describe   who?      at once      at once
}
