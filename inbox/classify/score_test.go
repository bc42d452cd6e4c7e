package classify

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"push.guru/supportd/inbox"
)

// testClassifier is set up like a site in Kazakhstan.
func testClassifier(t testing.TB) *Classifier {
	t.Helper()
	c, err := New(Options{Region: "KZ", Languages: []string{"en", "ru", "kk"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ownCase is one line of testdata/cases.
type ownCase struct {
	where string
	msg   *inbox.Message
	want  []string
}

func readCases(t testing.TB, file string) []ownCase {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []ownCase
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, want, ok := strings.Cut(line, " => ")
		if !ok {
			t.Fatalf("%s:%d: no \" => \"", file, n)
		}
		m := &inbox.Message{From: inbox.Address{Addr: "writer@example.org"}}
		if rest, ok := strings.CutPrefix(text, "re> "); ok {
			text, m.InReplyTo, m.Subject = rest, []string{"question@site.test"}, "Re: Please confirm [R-TEST]"
		}
		if subject, body, ok := strings.Cut(text, " :: "); ok {
			m.Subject, text = subject, body
		}
		m.Text = strings.ReplaceAll(text, `\n`, "\n")
		c := ownCase{where: fmt.Sprintf("%s:%d", filepath.Base(file), n), msg: m}
		for w := range strings.SplitSeq(want, ";") {
			c.want = append(c.want, strings.TrimSpace(w))
		}
		out = append(out, c)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// wording writes a request the way the case files do.
func wording(q inbox.Request) string {
	switch {
	case q.Topic != "":
		return string(q.Topic)
	case q.Kind == inbox.KindDelete && q.Scope == inbox.ScopeAccount:
		return "delete account"
	case q.Kind == inbox.KindDelete:
		var names []string
		for _, f := range q.Fields {
			names = append(names, string(f))
		}
		return "delete " + strings.Join(names, " ")
	case q.Kind == inbox.KindChange:
		var parts []string
		for _, c := range q.Changes {
			op := "="
			if c.Op == inbox.OpAdd {
				op = "+="
			}
			parts = append(parts, string(c.Field)+op+c.Value)
		}
		return "change " + strings.Join(parts, ", ")
	}
	return string(q.Kind)
}

// differ says how a reading differs from what a case wants; "" is not at all.
func differ(c ownCase, r inbox.Reading) string {
	var got []string
	certain := map[string]bool{}
	for _, q := range r.Requests {
		w := wording(q)
		got = append(got, w)
		certain[w] = q.Certain
	}
	var want []string
	answer, partial := inbox.AnswerNone, false
	for _, w := range c.want {
		name := strings.TrimRight(w, " !?")
		switch name {
		case "yes", "no":
			answer = inbox.Answer(name)
			continue
		case "partial":
			partial = true
			continue
		case "none":
			continue
		}
		want = append(want, name)
		if strings.HasSuffix(w, "!") && slices.Contains(got, name) && !certain[name] {
			return fmt.Sprintf("%q is not certain", name)
		}
		if strings.HasSuffix(w, "?") && certain[name] {
			return fmt.Sprintf("%q is certain", name)
		}
	}
	if partial && len(want) == 0 {
		want = []string{"question"}
	}
	if r.Answer != answer || r.Partial != partial || !slices.Equal(got, want) {
		return fmt.Sprintf("want answer %q %q, got answer %q partial %v %q", answer, want, r.Answer, r.Partial, got)
	}
	return ""
}

// harm says what a reading would wrongly do by itself; "" is nothing.
func harm(c ownCase, r inbox.Reading) string {
	want := map[string]bool{}
	for _, w := range c.want {
		want[strings.TrimRight(w, " !?")] = true
	}
	if r.Answer == inbox.AnswerYes && !want["yes"] {
		return "a yes that is none"
	}
	for _, q := range r.Requests {
		if w := wording(q); q.Certain && q.Kind != inbox.KindQuestion && !want[w] {
			return "would run " + w
		}
	}
	return ""
}

// scores is the table of what was measured.
type scores struct {
	rows     []*row
	total    map[string]int // mails read, of each source
	harmed   map[string]int // of them, those that would have done harm
	disputed map[string]int // would have, if their label were right
}

// row is one line of the table.
type row struct {
	what, on string
	hits, of int
}

// floors are what a change may not fall behind, in per cent. What is not here
// is printed only.
var floors = map[string]int{
	"right letters":                            85,
	"acted letters":                            75,
	"values right when acted letters":          100,
	"requests found pack requests":             95,
	"certain without open slots pack requests": 75,
	"yes and no recognised pack confirm en":    80,
	"yes and no recognised pack confirm ru":    80,
	"quoted history cut exactly pack reply":    85,
}

func (s *scores) count(what, on string, hit bool) {
	i := slices.IndexFunc(s.rows, func(r *row) bool { return r.what == what && r.on == on })
	if i < 0 {
		i = len(s.rows)
		s.rows = append(s.rows, &row{what: what, on: on})
	}
	s.rows[i].of++
	if hit {
		s.rows[i].hits++
	}
}

// harm notes that a reading would do something that nobody asked for, which
// always fails the test.
func (s *scores) harm(t *testing.T, on, where, what string) {
	t.Helper()
	s.harmed[on]++
	t.Errorf("%s: FALSE ACT: %s", where, what)
}

// print writes the table and fails what is below its floor.
func (s *scores) print(t *testing.T) {
	t.Helper()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\ton\tgot\tof\t%\tfloor")
	for _, on := range slices.Sorted(maps.Keys(s.total)) {
		floor := "0"
		if strings.HasPrefix(on, "traps ") {
			floor = fmt.Sprintf("at most %d %%", maxTrapHarm)
		}
		fmt.Fprintf(w, "FALSE ACT, FALSE YES\t%s\t%d\t%d\t\t%s\n", on, s.harmed[on], s.total[on], floor)
		if n := s.disputed[on]; n > 0 {
			fmt.Fprintf(w, "  disputed labels\t%s\t%d\t%d\t%.1f\tat most 1\n", on, n, s.total[on], percent(n, s.total[on]))
			if n*100 > s.total[on] {
				t.Errorf("%s: %d labels of %d are disputed, more than one in a hundred", on, n, s.total[on])
			}
		}
	}
	for _, r := range s.rows {
		floor, ok := floors[r.what+" "+r.on]
		name := ""
		if ok {
			name = fmt.Sprint(floor)
		}
		if r.what == "certain with open slots" {
			name = "0"
			if r.hits > 0 {
				t.Errorf("%d mails with places that nobody filled in would be acted upon", r.hits)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.1f\t%s\n", r.what, r.on, r.hits, r.of, percent(r.hits, r.of), name)
		if r.hits*100 < floor*r.of {
			t.Errorf("%s on %s: %d of %d; the floor is %d %%", r.what, r.on, r.hits, r.of, floor)
		}
	}
	w.Flush()
	t.Logf("\n%s", b.String())
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(of) }

// TestScore prints how well texts are read: the project's own, and, where they
// are present, mails that others wrote and labelled.
func TestScore(t *testing.T) {
	c := testClassifier(t)
	s := &scores{total: map[string]int{}, harmed: map[string]int{}, disputed: map[string]int{}}
	scoreOwn(t, c, s)
	scoreUnseen(t, c, s)
	scoreTraps(t, c, s)
	scoreLetters(t, c, s)
	scorePack(t, c, s)
	s.print(t)
}

// scoreOwn reads the project's own texts, which have to be read right but for
// those in missed.txt.
func scoreOwn(t *testing.T, c *Classifier, s *scores) {
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		known := filepath.Base(file) == "missed.txt"
		on := "own " + strings.TrimSuffix(filepath.Base(file), ".txt")
		for _, k := range readCases(t, file) {
			r := c.Read(k.msg)
			s.total[on]++
			if h := harm(k, r); h != "" {
				s.harm(t, on, k.where, h+"\n\t"+k.msg.Text)
				continue
			}
			d := differ(k, r)
			s.count("right", on, d == "")
			switch {
			case d != "" && !known:
				t.Errorf("%s: %s\n\t%s", k.where, d, k.msg.Text)
			case d == "" && known:
				t.Errorf("%s is read right now: move it to its language's file\n\t%s", k.where, k.msg.Text)
			}
			checkBecause(t, k.where, k.msg, r)
		}
	}
}

// maxUnseenHarm bounds, in per cent, the texts that no rule was tuned to of which
// something would be done wrongly.
const maxUnseenHarm = 2

// scoreUnseen reads texts that no rule was tuned to.
func scoreUnseen(t *testing.T, c *Classifier, s *scores) {
	files, err := filepath.Glob("testdata/unseen/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no texts: %v", err)
	}
	read, harmed := 0, 0
	for _, file := range files {
		on := "unseen " + strings.TrimSuffix(filepath.Base(file), ".txt")
		for _, k := range readCases(t, file) {
			k.want = plainly(k.want)
			r := c.Read(k.msg)
			read++
			s.count("right", on, differ(k, r) == "")
			if harm(k, r) != "" {
				harmed++
			}
		}
	}
	t.Logf("of %d unseen texts something would be done wrongly of %d", read, harmed)
	if harmed*100 > maxUnseenHarm*read {
		t.Errorf("of %d unseen texts something would be done wrongly of %d, more than %d in a hundred", read, harmed, maxUnseenHarm)
	}
}

// maxTrapHarm bounds, in per cent, the texts written to be mistaken for a wish of
// which something would be done wrongly.
const maxTrapHarm = 2

// scoreTraps reads texts that look like a wish and are none.
func scoreTraps(t *testing.T, c *Classifier, s *scores) {
	files, err := filepath.Glob("testdata/traps/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no texts: %v", err)
	}
	for _, file := range files {
		on := "traps " + strings.TrimSuffix(filepath.Base(file), ".txt")
		for _, k := range readCases(t, file) {
			k.want = plainly(k.want)
			s.total[on]++
			if harm(k, c.Read(k.msg)) != "" {
				s.harmed[on]++
			}
		}
		if s.harmed[on]*100 > maxTrapHarm*s.total[on] {
			t.Errorf("%s: something would be done wrongly of %d of %d, more than %d in a hundred", on, s.harmed[on], s.total[on], maxTrapHarm)
		}
	}
}

// plainly takes the marks of certainty off what a case wants.
func plainly(want []string) []string {
	out := make([]string, len(want))
	for i, w := range want {
		out[i] = strings.TrimRight(w, " !?")
	}
	return out
}

// checkBecause fails when a reading quotes words that nobody wrote.
func checkBecause(t *testing.T, where string, m *inbox.Message, r inbox.Reading) {
	t.Helper()
	for _, q := range r.Requests {
		for _, b := range q.Because {
			if !strings.Contains(m.Text, b) && !strings.Contains(m.Subject, b) {
				t.Errorf("%s: because %q is neither in the text nor in the subject", where, b)
			}
		}
	}
}
