package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// actions has one Action of each subject.
func actions() map[Subject]inbox.Action {
	return map[Subject]inbox.Action{
		Change:        {Kind: inbox.KindChange},
		ChangeEmail:   {Kind: inbox.KindChange, Mailto: true},
		DeleteAccount: {Kind: inbox.KindDelete, Scope: inbox.ScopeAccount},
		DeleteFields:  {Kind: inbox.KindDelete, Scope: inbox.ScopeFields},
		Deactivate:    {Kind: inbox.KindDeactivate},
		Copy:          {Kind: inbox.KindCopy},
		Describe:      {Kind: inbox.KindDescribe},
		Withdraw:      {Kind: inbox.KindWithdraw},
	}
}

func TestSubjects(t *testing.T) {
	rules := Defaults()
	for want, a := range actions() {
		if got := SubjectOf(&a); got != want {
			t.Errorf("%+v is %q, want %q", a, got, want)
		}
		if _, ok := rules.Of[want]; !ok {
			t.Errorf("%s has no default", want)
		}
	}
	if len(rules.Of) != len(actions()) {
		t.Errorf("the defaults are %v", rules.Of)
	}
	if got := SubjectOf(&inbox.Action{Kind: inbox.KindDelete}); got != DeleteAccount {
		t.Errorf("a delete without a scope is %q: the stricter rule must hold", got)
	}
	if got := SubjectOf(&inbox.Action{Kind: inbox.KindQuestion}) + SubjectOf(&inbox.Action{Kind: "new"}); got != "" {
		t.Errorf("what has no rule is %q", got)
	}
}

func TestDefaults(t *testing.T) {
	want := map[Subject]Rule{
		Change:        {"always", "unsure", 0},
		ChangeEmail:   {"always", "unsure", 12 * time.Hour},
		DeleteAccount: {"always", "unsure", 12 * time.Hour},
		DeleteFields:  {"always", "unsure", 0},
		Deactivate:    {"always", "unsure", 0},
		Copy:          {"unproven", "unsure", 0},
		Describe:      {"unproven", "unsure", 0},
		Withdraw:      {"unproven", "always", 0},
	}
	got := Defaults()
	for s, rule := range want {
		if got.Of[s] != rule {
			t.Errorf("%s: %+v, want %+v", s, got.Of[s], rule)
		}
	}
	if got.Mode != Auto || got.ConfirmTTL != 168*time.Hour || got.Limits != (Limits{2, 10, 14, 5, 20}) {
		t.Errorf("got %+v", got)
	}
}

func TestIrreversible(t *testing.T) {
	for s, a := range actions() {
		if want := s == DeleteAccount || s == DeleteFields; Irreversible(&a) != want {
			t.Errorf("%s: %t", s, !want)
		}
	}
}

// proofs is what an Action lacks, by the rule's word and by what is proved so
// far. The columns are: nobody has proved anything; the domain vouches; the
// mailbox has answered; the owner said yes to another plan; to this plan.
var proofs = []struct {
	confirm  Confirm
	subjects string
	want     [5]Proof
}{
	{ConfirmAlways, "change delete_account delete_fields deactivate copy describe withdraw",
		[5]Proof{ProofSender, ProofDiff, ProofDiff, ProofDiff, ProofComplete}},
	{ConfirmUnproven, "change delete_account delete_fields deactivate copy describe withdraw",
		[5]Proof{ProofSender, ProofComplete, ProofComplete, ProofComplete, ProofComplete}},
	{ConfirmNever, "delete_account delete_fields",
		[5]Proof{ProofSender, ProofComplete, ProofComplete, ProofComplete, ProofComplete}},
	{ConfirmNever, "change deactivate copy describe withdraw",
		[5]Proof{ProofComplete, ProofComplete, ProofComplete, ProofComplete, ProofComplete}},
	// No rule lets an address change without the yes of the old one.
	{ConfirmAlways, "change_email", [5]Proof{ProofSender, ProofDiff, ProofDiff, ProofDiff, ProofComplete}},
	{ConfirmUnproven, "change_email", [5]Proof{ProofSender, ProofDiff, ProofDiff, ProofDiff, ProofComplete}},
	{ConfirmNever, "change_email", [5]Proof{ProofSender, ProofDiff, ProofDiff, ProofDiff, ProofComplete}},
	// A word that nobody knows, or none, is the strictest.
	{"", "change delete_account copy", [5]Proof{ProofSender, ProofDiff, ProofDiff, ProofDiff, ProofComplete}},
	{"Never", "change delete_account copy", [5]Proof{ProofSender, ProofDiff, ProofDiff, ProofDiff, ProofComplete}},
}

func TestMissing(t *testing.T) {
	stages := [5]struct {
		evidence inbox.Level
		proved   string
	}{{inbox.LevelNone, ""}, {inbox.LevelAligned, ""}, {inbox.LevelRoundtrip, ""}, {inbox.LevelRoundtrip, "another"}, {inbox.LevelRoundtrip, "this"}}
	for _, row := range proofs {
		for name := range strings.FieldsSeq(row.subjects) {
			for _, mode := range []Mode{Observe, Assist, Auto} {
				r := Rules{Mode: mode, Of: map[Subject]Rule{Subject(name): {Confirm: row.confirm}}}
				for i, stage := range stages {
					a := actions()[Subject(name)]
					a.Evidence, a.Proved, a.Approved, a.Certain = stage.evidence, stage.proved, true, true
					if got := r.Missing(&a, "this"); got != row.want[i] {
						t.Errorf("%s, confirm %q, mode %s, %s and proved %q: %d is missing, want %d",
							name, row.confirm, mode, stage.evidence, stage.proved, got, row.want[i])
					}
				}
			}
		}
	}
}

// TestMissingDigestless: a plan without a digest is proved by no yes.
func TestMissingDigestless(t *testing.T) {
	for s, a := range actions() {
		a.Evidence = inbox.LevelAligned
		want := Defaults().Of[s].Confirm == ConfirmAlways
		if got := Defaults().Missing(&a, ""); (got != ProofComplete) != want {
			t.Errorf("%s without a digest lacks %d", s, got)
		}
	}
}

// TestMissingWithoutProof: an approval without proof stands for every proof of
// the plan that it was given for, also where nobody proved who wrote.
func TestMissingWithoutProof(t *testing.T) {
	for s, a := range actions() {
		a.Proved, a.OldYes, a.Approved = "this", true, true
		if got := Defaults().Missing(&a, "this"); got != ProofComplete {
			t.Errorf("%s, approved without proof, lacks %d", s, got)
		}
		if got := Defaults().Missing(&a, "another"); got != ProofSender {
			t.Errorf("%s, approved for another plan, lacks %d", s, got)
		}
	}
}

// TestMissingChangeOfAddress walks the order of its proofs: the old address,
// then the new one.
func TestMissingChangeOfAddress(t *testing.T) {
	a := inbox.Action{Kind: inbox.KindChange, Mailto: true}
	steps := []struct {
		what string
		do   func()
		want Proof
	}{
		{"nothing yet", func() {}, ProofSender},
		{"a yes of the old address that proves no sender", func() { a.OldYes = true }, ProofSender},
		{"the sender is proved", func() { a.Evidence, a.OldYes = inbox.LevelAligned, false }, ProofDiff},
		{"the old address agrees", func() { a.Evidence, a.OldYes = inbox.LevelRoundtrip, true }, ProofNewAddr},
		{"the new address agrees to another plan", func() { a.Proved = "other" }, ProofNewAddr},
		{"the new address agrees", func() { a.Proved = "this" }, ProofComplete},
		{"the address on record changed meanwhile", func() { a.Evidence, a.Proved, a.OldYes = inbox.LevelNone, "", false }, ProofSender},
	}
	for _, s := range steps {
		s.do()
		if got := Defaults().Missing(&a, "this"); got != s.want {
			t.Errorf("%s: %d is missing, want %d", s.what, got, s.want)
		}
	}
}

func TestNeedsReview(t *testing.T) {
	tests := []struct {
		mode     Mode
		review   Review
		certain  bool
		approved bool
		want     bool
	}{
		{Observe, ReviewNever, true, true, true},
		{Observe, ReviewNever, true, false, true},
		{Assist, ReviewNever, true, false, true},
		{Assist, ReviewNever, true, true, false},
		{Assist, ReviewAlways, false, true, false},
		{Auto, ReviewAlways, true, false, true},
		{Auto, ReviewAlways, true, true, false},
		{Auto, ReviewAlways, false, false, true},
		{Auto, ReviewUnsure, true, false, false},
		{Auto, ReviewUnsure, false, false, true},
		{Auto, ReviewUnsure, false, true, false},
		{Auto, ReviewNever, false, false, false},
		{Auto, ReviewNever, true, false, false},
		{Auto, "", false, false, true},
		{Auto, "nevr", false, false, true},
	}
	for _, test := range tests {
		for s, a := range actions() {
			a.Certain, a.Approved = test.certain, test.approved
			r := Rules{Mode: test.mode, Of: map[Subject]Rule{s: {Review: test.review}}}
			why, got := r.NeedsReview(&a)
			if got != test.want || (why != "") != got {
				t.Errorf("%s in %+v: %t, %q", s, test, got, why)
			}
		}
	}
}

// TestNeedsReviewByDefault: under the default rules a certain reading goes on
// by itself, but a withdraw.
func TestNeedsReviewByDefault(t *testing.T) {
	for s, a := range actions() {
		for _, level := range []inbox.Level{inbox.LevelNone, inbox.LevelAligned, inbox.LevelRoundtrip} {
			a.Evidence, a.Certain = level, true
			if why, got := Defaults().NeedsReview(&a); got != (s == Withdraw) {
				t.Errorf("a certain %s at %s: %t (%s)", s, level, got, why)
			}
			a.Certain = false
			if _, got := Defaults().NeedsReview(&a); !got {
				t.Errorf("an unsure %s at %s goes on by itself", s, level)
			}
		}
	}
}

func TestQuestionsAreForPeople(t *testing.T) {
	for _, mode := range []Mode{Observe, Assist, Auto} {
		r := Defaults()
		r.Mode = mode
		for _, approved := range []bool{false, true} {
			if _, yes := r.NeedsReview(&inbox.Action{Kind: inbox.KindQuestion, Certain: true, Approved: approved, Evidence: inbox.LevelRoundtrip}); !yes {
				t.Errorf("mode %s, approved %t: a question needs nobody", mode, approved)
			}
		}
	}
}

func TestNewToken(t *testing.T) {
	seen := map[string]bool{}
	used := map[rune]bool{}
	for range 2000 {
		token := NewToken()
		if seen[token] {
			t.Fatalf("%s was drawn twice", token)
		}
		seen[token] = true
		if found := Tokens("Re: hello " + Tag(token) + " there"); len(found) != 1 || found[0] != token {
			t.Fatalf("%q is not found again: %q", token, found)
		}
		for _, r := range token {
			used[r] = true
		}
	}
	if len(used) != 32 { // 26 places of 5 bits: each letter of the alphabet must come up
		t.Errorf("2000 tokens are made of %d letters", len(used))
	}
}

// tokenOf makes a token of one letter, to be told apart by eye.
func tokenOf(letter string) string { return strings.Repeat(letter, tokenLetters) }

func TestTokens(t *testing.T) {
	a, b := tokenOf("A"), tokenOf("B")
	many := func(n int) (s string) {
		for i := range n {
			s += Tag(strings.Repeat(string(rune('A'+i)), tokenLetters))
		}
		return s
	}
	tests := []struct {
		name, in string
		want     string // the letters of the tokens
	}{
		{"none", "Re: my account", ""},
		{"nothing", "", ""},
		{"at the end", "Re: hello " + Tag(a), "A"},
		{"lower case, as some mailers write", "re: hello " + strings.ToLower(Tag(a)), "A"},
		{"touching words", "Re:hello" + Tag(a) + "there", "A"},
		{"twice the same", Tag(a) + " Re: " + Tag(a), "A"},
		{"twice the same in two cases", Tag(a) + strings.ToLower(Tag(a)), "A"},
		{"two, in order", Tag(b) + Tag(a), "BA"},
		{"two in one bracket", "[#" + a + "#" + b + "]", ""},
		{"a letter short", "[#" + a[1:] + "]", ""},
		{"a letter long", "[#A" + a + "]", ""},
		{"no mark", "[" + a + "]", ""},
		{"no brackets", "#" + a, ""},
		{"round brackets", "(#" + a + ")", ""},
		{"a blank inside", "[#" + a[:13] + " " + a[13:] + "]", ""},
		{"digits that the alphabet lacks", "[#" + tokenOf("1") + "]", ""},
		{"digits of the alphabet", "[#" + tokenOf("7") + "]", "7"},
		{"dotless i", "[#" + tokenOf("ı") + "]", ""},
		{"long s", "[#" + tokenOf("ſ") + "]", ""},
		{"fullwidth letters", "[#" + tokenOf("Ａ") + "]", ""},
		{"Cyrillic letters", "[#" + tokenOf("А") + "]", ""},
		{"opened again and again", strings.Repeat("[#", 1000) + a + "]", "A"},
		{"nested", "[#" + Tag(a) + "]", "A"},
		{"NUL and bytes that are no text", "\x00\xff" + Tag(a) + "\xfe", "A"},
		{"more than we ever sent", many(20), "ABCDEFGH"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			for _, token := range Tokens(test.in) {
				if token != strings.Repeat(token[:1], tokenLetters) {
					t.Fatalf("%q is no token", token)
				}
				got += token[:1]
			}
			if got != test.want {
				t.Errorf("%q gave %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestStripTags(t *testing.T) {
	tag := Tag(tokenOf("A"))
	tests := []struct{ name, in, want string }{
		{"none", "Delete my account", "Delete my account"},
		{"at the end", "Re: Delete " + tag, "Re: Delete"},
		{"in front", tag + " Re: Delete", "Re: Delete"},
		{"in the middle", "Re: " + tag + " Delete", "Re: Delete"},
		{"lower case, as some mailers write", "Re: Delete " + strings.ToLower(tag), "Re: Delete"},
		{"twice", tag + tag + " x " + tag, "x"},
		{"nothing else", tag, ""},
		{"other brackets stay", "[#12] [list] Delete", "[#12] [list] Delete"},
		{"one that appears by the removal", "[#" + tokenOf("A")[:13] + tag + tokenOf("A")[13:] + "]", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := StripTags(test.in); got != test.want {
				t.Errorf("%q gave %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// FuzzTokens: what is found is a token that the text holds, and what is
// stripped leaves none behind.
func FuzzTokens(f *testing.F) {
	tag := Tag(tokenOf("A"))
	for _, s := range []string{"", tag, strings.ToLower(tag), "Re: " + tag + tag, "[#" + tag + "]", "[#[#[#", "[#" + tokenOf("ſ") + "]", strings.Repeat(tag, 20)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seen := map[string]bool{}
		for _, token := range Tokens(s) {
			switch {
			case len(token) != tokenLetters || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "":
				t.Errorf("%q is no token", token)
			case seen[token]:
				t.Errorf("%q was given twice", token)
			case !strings.Contains(strings.ToUpper(s), Tag(token)):
				t.Errorf("%q is not in %q", token, s)
			}
			seen[token] = true
		}
		if left := StripTags(s); len(Tokens(left)) > 0 {
			t.Errorf("%q stripped is %q, which still has a token", s, left)
		}
	})
}

func ExampleTag() {
	fmt.Println(Tag("AAAABBBBCCCCDDDDEEEEFFFF22"))
	// Output: [#AAAABBBBCCCCDDDDEEEEFFFF22]
}
