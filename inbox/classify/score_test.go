package classify

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

func TestOwnCases(t *testing.T) {
	c := testClassifier(t)
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	total := 0
	for _, file := range files {
		known := filepath.Base(file) == "missed.txt"
		for _, k := range readCases(t, file) {
			total++
			r := c.Read(k.msg)
			if h := harm(k, r); h != "" {
				t.Errorf("%s: FALSE ACT: %s\n\t%s", k.where, h, k.msg.Text)
				continue
			}
			d := differ(k, r)
			switch {
			case d != "" && !known:
				t.Errorf("%s: %s\n\t%s", k.where, d, k.msg.Text)
			case d == "" && known:
				t.Errorf("%s is read right now: move it to its language's file\n\t%s", k.where, k.msg.Text)
			}
			checkBecause(t, k.where, k.msg, r)
		}
	}
	t.Logf("%d texts", total)
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
