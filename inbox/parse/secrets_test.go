package parse

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// secretCases reads testdata/secrets.txt: text and what it becomes.
func secretCases(t testing.TB) (cases [][2]string) {
	b, err := os.ReadFile("testdata/secrets.txt")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.SplitSeq(string(b), "\n") {
		if l == "" || l[0] == '#' {
			continue
		}
		in, want, arrow := strings.Cut(strings.ReplaceAll(l, `\n`, "\n"), " => ")
		if !arrow {
			want = in
		}
		cases = append(cases, [2]string{in, want})
	}
	return cases
}

// TestSecrets masks what people paste, and leaves what only looks like it.
func TestSecrets(t *testing.T) {
	secret, other := 0, 0
	for _, c := range secretCases(t) {
		var notes faults
		if got := masked(c[0], &notes); got != c[1] {
			t.Errorf("%q becomes %q, want %q", c[0], got, c[1])
		}
		if c[0] == c[1] {
			other++
		} else {
			secret++
		}
		if (c[0] != c[1]) != (len(notes.list) > 0) {
			t.Errorf("%q: notes %q", c[0], notes.list)
		}
	}
	t.Logf("%d texts with a secret, %d that stay as they are", secret, other)
	if secret < 60 || other < 60 {
		t.Error("too few of a kind")
	}
}

// TestSecretsInMessage sees them masked wherever the text of a mail goes, and
// the mail stay what it is.
func TestSecretsInMessage(t *testing.T) {
	const subject, card, password = "Card 4111 1111 1111 1111", "5555 5555 5555 4444", "hunter2"
	plain := "My card: " + card + "\r\npassword: " + password + "\r\n\r\nOn 5 May 2026, support@site.test wrote:\r\n> Password:\r\n> " + password + "x\r\n"
	rich := "Content-Type: text/html\r\n\r\n<p>My card: 5555&nbsp;5555<b> 5555</b> 4444</p><p>password: <i>" + password + "</i></p>" +
		"<blockquote><p>Password:</p><p>" + password + "x</p></blockquote>"
	for name, body := range map[string]string{"plain text": "\r\n" + plain, "HTML": rich} {
		raw := []byte("From: ann@example.org\r\nSubject: " + subject + "\r\n" + body)
		m := Message(raw, Options{})
		for what, s := range map[string]string{"subject": m.Subject, "header": m.Header.Get("Subject"), "text": m.Text, "whole": m.Whole} {
			if strings.Contains(s, password) || strings.Contains(s, "5555") || strings.Contains(s, "4111") || !strings.Contains(s, secretMask) {
				t.Errorf("%s: the %s is %q", name, what, s)
			}
		}
		if strings.Count(m.Whole, secretMask) != 3 || strings.Count(m.Text, secretMask) != 2 {
			t.Errorf("%s: text %q of %q", name, m.Text, m.Whole)
		}
		if want := []string{maskedCard, maskedPassword}; !slices.Equal(m.Faults, want) {
			t.Errorf("%s: faults %q, want %q", name, m.Faults, want)
		}
		h, b := splitHeader(raw, DefaultMaxHeader)
		if m.Digest != digest(h, b) {
			t.Errorf("%s: the digest is not that of the mail", name)
		}
	}
}

func FuzzSecrets(f *testing.F) {
	for _, c := range secretCases(f) {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = clean(s)
		var notes faults
		got := masked(s, &notes)
		if strings.Count(got, "\n") != strings.Count(s, "\n") {
			t.Errorf("%q has other lines than %q", got, s)
		}
		if !utf8.ValidString(got) || len(got) > 3*len(s)+16 {
			t.Errorf("%q becomes %q", s, got)
		}
		if (got != s) != (len(notes.list) > 0) {
			t.Errorf("%q becomes %q: %q", s, got, notes.list)
		}
	})
}

// TestMarkInSubject: behind every word that a secret may follow, the mark by
// which we know an answer stays, and what stands beside it is masked.
func TestMarkInSubject(t *testing.T) {
	const mark = "[#GM2KQ7ZLWXYA3B5CD6EFGHIJKL]"
	for label := range secretWords.label {
		for _, sign := range []string{" ", ": ", " - "} {
			m := Message([]byte("From: ann@example.org\r\nSubject: Re: my "+label+sign+mark+"\r\n\r\nYes\r\n"), Options{})
			if !strings.Contains(m.Subject, mark) || !strings.Contains(m.Header.Get("Subject"), mark) {
				t.Errorf("%q: the subject is %q", label+sign, m.Subject)
			}
		}
	}
	m := Message([]byte("From: \"password: hunter2x\" <ann@example.org>\r\nSubject: Re: password: hunter2 "+mark+"\r\n\r\nYes\r\n"), Options{})
	if m.Subject != "Re: password: **** "+mark || m.From.Name != "password: ****" {
		t.Errorf("the subject is %q, the name %q", m.Subject, m.From.Name)
	}
}

// TestLongSecretInCharacters: a secret that is masked as far as it is read is
// not cut within a character.
func TestLongSecretInCharacters(t *testing.T) {
	for n := range 4 {
		var notes faults
		got := masked("password: x9"+strings.Repeat("a", n)+strings.Repeat("я", maxSecret), &notes)
		if !utf8.ValidString(got) || !strings.HasPrefix(got, "password: ****") {
			t.Errorf("%d: %.40q", n, got)
		}
	}
}
