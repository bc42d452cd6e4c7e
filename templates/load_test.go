package templates

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// overlay makes an operator's folder of path and text pairs.
func overlay(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func ours(t *testing.T, file string) string {
	t.Helper()
	b, err := embedded.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOverlayReplacesOneFile(t *testing.T) {
	s, err := Load(overlay("replies/en/received.txt", "\uFEFFHowdy.\r\nWe got\r\nit.\r\n\r\n{{template \"close\" .}}"), []string{"en", "ru"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := Data{Site: Site{Name: "Site", Address: "s@site.example"}, Case: "M-000001"}
	if l := render(t, s, Received, "en", d); l.Text != "Howdy. We got it.\n\nSite support\ns@site.example\nCase M-000001\n" {
		t.Errorf("%q", l.Text)
	}
	if l := render(t, s, Received, "ru", d); !strings.Contains(l.Text, "Наш сотрудник") {
		t.Errorf("the Russian letter changed too: %q", l.Text)
	}
	if l := render(t, s, Status, "en", d); !strings.HasPrefix(l.Text, "Hello,") {
		t.Errorf("another letter changed too: %q", l.Text)
	}
}

func TestOverlayFromDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "replies/en"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "replies/en/already.txt"), []byte("It is so already. {{.States}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(os.DirFS(dir), []string{"en"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := render(t, s, Already, "en", Data{}); l.Text != "It is so already.\n" {
		t.Errorf("%q", l.Text)
	}
	if _, err := Load(os.DirFS(filepath.Join(dir, "missing")), []string{"en"}, nil); err == nil {
		t.Error("an overlay folder that does not exist is no fault")
	}
}

// TestOverlayBringsLanguage: a language that is not embedded needs every file.
func TestOverlayBringsLanguage(t *testing.T) {
	m := overlay()
	for _, name := range []string{"parts", "phrases"} {
		m["replies/de/"+name+".txt"] = &fstest.MapFile{Data: []byte(ours(t, "replies/en/"+name+".txt"))}
	}
	for _, n := range Names() {
		if n != StaffNotice {
			m[letterFile("de", n)] = &fstest.MapFile{Data: []byte(ours(t, letterFile("en", n)))}
		}
	}
	s, err := Load(m, []string{"de"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := render(t, s, Received, "de-AT", Data{}); !strings.HasPrefix(l.Text, "Hello,") {
		t.Errorf("%q", l.Text)
	}
	delete(m, "replies/de/claim.txt")
	if _, err := Load(m, []string{"de"}, nil); err == nil || !strings.Contains(err.Error(), "replies/de/claim.txt: this file is missing") {
		t.Errorf("a missing letter: %v", err)
	}
}

func TestFaults(t *testing.T) {
	phrases := ours(t, "replies/en/phrases.txt")
	layout := ours(t, layoutFile)
	for name, c := range map[string]struct {
		overlay   fs.FS
		languages []string
		want      []string
	}{
		"no language":      {nil, nil, []string{"no language is named"}},
		"no such language": {nil, []string{"en", "xx"}, []string{"replies/xx/claim.txt: this file is missing", "replies/xx/phrases.txt: this file is missing"}},
		"not a code":       {nil, []string{"en", "../etc", "EN", "en"}, []string{`language "../etc"`, `language "EN"`, `language "en" is named twice`}},
		"unknown files": {overlay("replies/en/clam.txt", "x", "replies/ru/claim.txt", "x", "notes.md", "x", "replies/en/claim.html", "x"), []string{"en"},
			[]string{"notes.md: nothing reads", "replies/en/claim.html: nothing reads", "replies/en/clam.txt: nothing reads", "replies/ru/claim.txt: nothing reads"}},
		"staff notice in another language": {overlay("replies/ru/staff-notice.txt", "x"), []string{"ru"}, []string{"replies/ru/staff-notice.txt: nothing reads"}},
		"broken syntax, all files": {overlay("replies/en/confirm.txt", "a\nb {{if}}", "replies/en/result.txt", "{{.Did}\n", "replies/en/parts.txt", "{{define \"ask\"}}"), []string{"en"},
			[]string{"replies/en/confirm.txt:2: ", "replies/en/result.txt:1: ", "replies/en/parts.txt:1: "}},
		"unknown words, all files": {overlay("replies/en/confirm.txt", "a\n\n{{.Wil}}", "replies/en/result.txt", "{{.Did}}\n\n{{if .Attached}}\n{{.Nonsense}}{{end}}", "replies/en/status.txt", "{{template \"no\" .}}"), []string{"en"},
			[]string{"replies/en/confirm.txt:3: ", "replies/en/result.txt:4: ", "replies/en/status.txt:1: "}},
		"broken part":  {overlay("replies/en/parts.txt", "{{define \"ask\"}}{{end}}\n{{define \"close\"}}{{.Clothes}}{{end}}"), []string{"en"}, []string{"replies/en/parts.txt:2: "}},
		"empty letter": {overlay("replies/en/received.txt", "\n{{/* nothing */}}\n"), []string{"en"}, []string{"replies/en/received.txt: the letter is empty"}},
		"no subject":   {overlay("replies/en/claim.txt", "Was it you?"), []string{"en"}, []string{`replies/en/claim.txt:1: this letter must begin with a line "Subject: …"`}},
		"a subject":    {overlay("replies/en/confirm.txt", "Subject: Hello\n\nWas it you?"), []string{"en"}, []string{"replies/en/confirm.txt:1: this letter continues"}},
		"control characters": {overlay("replies/en/claim.txt", "Subject: x\n\nWas it\x02 you?", "replies/en/status.txt", "a\n\xff"), []string{"en"},
			[]string{"replies/en/claim.txt:3: the file must be UTF-8", "replies/en/status.txt:2: the file must be UTF-8"}},
		"phrases": {overlay("replies/en/phrases.txt", strings.NewReplacer("{old}” → “{new}", "{old}” → “{newer}", "{n} hour|{n} hours", "{n} hour|hours", "hello = ", "hullo = ", "answer.no = no", "answer.no").Replace(phrases)+"\ndate = {d}\n"),
			[]string{"en"}, []string{`phrase "step.set" must have the placeholders`, `phrase "hours" must have one to three forms`, `phrase "hello" is missing`, `phrase "hullo" is not one that we use`,
				`phrases.txt:13: this is not of the form`, `phrase "answer.no" is missing`, `phrase "date" is given twice`}},
		"layout drops lists": {overlay(layoutFile, strings.ReplaceAll(layout, `{{template "spans" .Spans}}`, "")), []string{"en"}, []string{"replies/layout.html: the HTML does not say the same as the text"}},
		"layout with image":  {overlay(layoutFile, strings.ReplaceAll(layout, "</body>", `<img src="https://track.example/p.gif"></body>`)), []string{"en"}, []string{"replies/layout.html: the HTML must not contain <img>"}},
		"layout with link":   {overlay(layoutFile, strings.ReplaceAll(layout, "</body>", `<a href="https://elsewhere.example/"></a></body>`)), []string{"en"}, []string{"must not link to anything but the account URL"}},
		"layout that loads":  {overlay(layoutFile, strings.ReplaceAll(layout, "margin:0;padding:16px", "background:URL(https://elsewhere.example/)")), []string{"en"}, []string{"must not have the attribute style"}},
		"layout unknown":     {overlay(layoutFile, "<p>{{.Nothing}}</p>"), []string{"en"}, []string{"replies/layout.html:1: "}},
		"layout broken":      {overlay(layoutFile, "<p>\n{{range .Blocks}}</p>"), []string{"en"}, []string{"replies/layout.html:2: "}},
	} {
		_, err := Load(c.overlay, c.languages, nil)
		var faults Faults
		if !errors.As(err, &faults) {
			t.Errorf("%s: no faults but %v", name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no fault %q in\n%v", name, want, err)
			}
		}
	}
}

// TestFaultsOnce: a part that every letter uses is one fault.
func TestFaultsOnce(t *testing.T) {
	parts := strings.Replace(ours(t, "replies/en/parts.txt"), "{{.Address}}", "{{.Adress}}", 1)
	line := 1 + strings.Count(parts[:strings.Index(parts, "{{.Adress}}")], "\n")
	_, err := Load(overlay("replies/en/parts.txt", parts), []string{"en"}, nil)
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 1 || faults[0].File != "replies/en/parts.txt" || faults[0].Line != line {
		t.Errorf("%v", err)
	}
}

// TestEmbedded tries the letters as they are, as an overlay is tried.
func TestEmbedded(t *testing.T) {
	if _, err := Load(fstest.MapFS{}, siteLanguages, nil); err != nil {
		t.Error(err)
	}
}
