package parse

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// formCase is the .json beside a mail of testdata/forms.
type formCase struct {
	Form              Form
	Addr, Fault, Text string
}

func readForm(t *testing.T, file string) (raw []byte, c formCase) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(strings.TrimSuffix(file, "eml") + "json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return raw, c
}

// TestForms reads the mails of contact forms in testdata/forms.
func TestForms(t *testing.T) {
	files, err := filepath.Glob("testdata/forms/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, c := readForm(t, file)
			m, filled := FormMessage(raw, Options{}, []Form{c.Form})
			if !filled {
				t.Fatal("it is not read as a form's mail")
			}
			if m.From.Addr != c.Addr || m.FromFault != c.Fault {
				t.Errorf("the person is %q (%s), want %q (%s)", m.From.Addr, m.FromFault, c.Addr, c.Fault)
			}
			if m.Text != c.Text {
				t.Errorf("the words are %q, want %q", m.Text, c.Text)
			}
			if len(m.InReplyTo)+len(m.References) > 0 {
				t.Errorf("it answers %q, %q", m.InReplyTo, m.References)
			}
		})
	}
}

// TestFormsOfOthers: a mail that does not come from the form's address is read
// as any other.
func TestFormsOfOthers(t *testing.T) {
	raw, c := readForm(t, "testdata/forms/django.eml")
	raw = bytes.Replace(raw, []byte("From: webmaster@site.test"), []byte("From: webmaster <other@site.test>"), 1)
	m, filled := FormMessage(raw, Options{}, []Form{c.Form})
	if filled || m.From.Addr != "other@site.test" {
		t.Errorf("it is read as the form's, from %s", m.From.Addr)
	}
}

// TestFormsOfOneAddress: of several forms that send from one address, the one
// that finds a person is taken.
func TestFormsOfOneAddress(t *testing.T) {
	raw, c := readForm(t, "testdata/forms/php-mail.eml")
	for _, forms := range [][]Form{{{From: c.Form.From}, c.Form}, {c.Form, {From: c.Form.From}}} {
		if m, _ := FormMessage(raw, Options{}, forms); m.From.Addr != c.Addr {
			t.Errorf("the person is %q (%s)", m.From.Addr, m.FromFault)
		}
	}
}

// TestFormsDigest: what two people write with the same words, in the same
// second and without a Message-ID, is not the same mail.
func TestFormsDigest(t *testing.T) {
	const mail = "From: noreply@site.test\nTo: support@site.test\nDate: Sat, 07 Mar 2026 10:00:00 -0000\nReply-To: %\n\nDelete my account.\n"
	digest := func(person string) any {
		m, _ := FormMessage([]byte(strings.Replace(mail, "%", person, 1)), Options{}, []Form{{From: "noreply@site.test"}})
		return m.Digest
	}
	if digest("ann@users.test") == digest("bob@users.test") {
		t.Error("the mails of two people have one digest")
	}
	if digest("ann@users.test") != digest("Ann <ann@users.test>") {
		t.Error("the mails of one person have two digests")
	}
}

// FuzzForm: whatever a form's mail holds, there is a person or a reason why
// not, and the form is never the person.
func FuzzForm(f *testing.F) {
	seed(f, "testdata/forms/*.eml", func(b []byte) { f.Add(b, "E-mail", "Message", "Sent") })
	f.Fuzz(func(t *testing.T, raw []byte, label, body, end string) {
		const from = "noreply@site.test"
		for _, form := range []Form{{From: from}, {From: from, Label: []string{label}, Body: []string{body}, End: []string{end}}} {
			m, filled := FormMessage(raw, Options{}, []Form{form})
			if !filled {
				return
			}
			if (m.From.Addr == "") != (m.FromFault != "") {
				t.Errorf("the person is %q (%s)", m.From.Addr, m.FromFault)
			}
			if strings.EqualFold(m.From.Addr, from) {
				t.Error("the person is the form")
			}
			if len(m.Text) > len(m.Whole) {
				t.Errorf("%d bytes of words in %d of text", len(m.Text), len(m.Whole))
			}
		}
	})
}
