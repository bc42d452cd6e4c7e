package templates

import (
	"strings"
	"testing"
)

func TestMarkup(t *testing.T) {
	for name, c := range map[string]struct{ markup, subject, text string }{
		"empty":              {"", "", "\n"},
		"paragraphs":         {"\n\na\nb\n \n\n  c\n", "", "a b\n\nc\n"},
		"subject":            {"\n Subject:  Hi \x0ethere \n\na", "Hi there", "a\n"},
		"subject only first": {"a\n\nSubject: b", "", "a\n\nSubject: b\n"},
		"lines":              {"| a\n|\n|  b\n| - c", "", "a\n\n b\n- c\n"},
		"dashes":             {"- a\n- b\n  c\n- d", "", "- a\n- b c\n- d\n"},
		"numbers":            {"1. a\n2. b\n", "", "1. a\n2. b\n"},
		"start":              {"1. a\n\n2. b", "", "1. a\n\n2. b\n"},
		"sub":                {"1. a\n   - x\n   - y\n     z\n2. b", "", "1. a\n   - x\n   - y z\n\n2. b\n"},
		"not a list":         {"a\n- b", "", "a - b\n"},
		"not a number":       {"0. a\n\n1.5 b\n\n1234. c\n\n-1. d", "", "0. a\n\n1.5 b\n\n1234. c\n\n-1. d\n"},
		"value is no marker": {"\x0e- a\n\n\x0e1. b\n\n\x0e| c", "", "- a\n\n1. b\n\n| c\n"},
		"link":               {"at \x02https://a.example\x03 now", "", "at https://a.example now\n"},
		"open link":          {"at \x02https://a.example", "", "at https://a.example\n"},
	} {
		subject, blocks := parseMarkup(c.markup)
		if text := plainText(blocks); subject != c.subject || text != c.text {
			t.Errorf("%s: %q %q, want %q %q", name, subject, text, c.subject, c.text)
		}
	}
}

func FuzzMarkup(f *testing.F) {
	for _, seed := range []string{"", "Subject: a\n\nb", "1. a\n  - b\n2. c", "| a\n|\n| b", "- \n- ", "\x02\x03\x02", "999. a\n1000. b", "1. "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, markup string) {
		subject, blocks := parseMarkup(markup)
		text := plainText(blocks)
		if strings.Contains(subject, "\n") || strings.ContainsAny(subject+text, "\x02\x03\x0e") {
			t.Errorf("subject %q, text %q", subject, text)
		}
		_, again := parseMarkup(text)
		if n := len(words(plainText(again))); n > len(words(text)) {
			t.Errorf("words appeared: %q", text)
		}
	})
}

func TestCompareFindsDrift(t *testing.T) {
	for page, same := range map[string]bool{
		"<p>a b</p><ul><li>c</li></ul>": true, "<p>a<br>b</p><ol><li>c</ol>": true, "<p>a b c": true, "<p>a <span>b</span> c</p>": true,
		"<p>a b</p>": false, "<p>a b c d</p>": false, "<p>a c b</p>": false, "<p>ab c</p>": false,
	} {
		if problem := compare(Letter{Text: "a b\n\n- c\n", HTML: page}, ""); (problem == "") != same {
			t.Errorf("%s: %q", page, problem)
		}
	}
}
