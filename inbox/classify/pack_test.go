package classify

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
	"push.guru/supportd/inbox/screen"
)

// packMail is a mail of the pack with its label.
type packMail struct {
	name string
	raw  []byte
	want packLabel
}

// packLabel is what the pack says of a mail; which of it counts depends on the
// part.
type packLabel struct {
	Part      string          `json:"part"`
	Lang      string          `json:"lang"`
	Kind      string          `json:"kind"`
	Act       bool            `json:"act"`  // something is asked for
	Must      [][]inbox.Kind  `json:"must"` // one kind of each list has to be found
	OpenSlots bool            `json:"open_slots"`
	Answer    inbox.Answer    `json:"answer"`
	Mode      string          `json:"mode"`
	Expected  json.RawMessage `json:"expected"`
}

// readPack reads dev.tar.gz, or gives nil where it is absent.
func readPack(t *testing.T) []packMail {
	t.Helper()
	f, err := os.Open(filepath.Join(corporaDir(), "dev.tar.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	check(err)
	labels, mails := map[string]packLabel{}, []packMail(nil)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		check(err)
		name := path.Base(h.Name)
		if name != "expected.json" && path.Ext(name) != ".eml" {
			continue
		}
		b, err := io.ReadAll(r)
		check(err)
		if name == "expected.json" {
			check(json.Unmarshal(b, &labels))
			continue
		}
		mails = append(mails, packMail{name: strings.TrimSuffix(name, ".eml"), raw: b})
	}
	for i := range mails {
		mails[i].want = labels[mails[i].name]
	}
	return mails
}

// scorePack reads every mail of the pack as the program would, and adds to the
// table.
func scorePack(t *testing.T, c *Classifier, s *scores) {
	mails := readPack(t)
	if mails == nil {
		t.Log("the pack of mails is not here; set SUPPORTD_CORPORA to its folder")
		return
	}
	disputed := readDisputed(t)
	for _, m := range mails {
		msg := parse.Message(m.raw, parse.Options{})
		var r inbox.Reading
		if class, _ := (screen.Config{}).Check(msg); class == inbox.ClassNone {
			r = c.Read(msg)
		}
		part := "pack " + m.want.Part
		s.total[part]++
		if bad := m.harm(r); bad != "" && disputed[m.name] {
			s.disputed[part]++
		} else if bad != "" {
			s.harm(t, part, m.name, bad)
		}
		switch m.want.Part {
		case "requests":
			m.scoreRequest(s, r)
		case "confirm":
			if m.want.Lang == "en" || m.want.Lang == "ru" {
				s.count("yes and no recognised", part+" "+m.want.Lang, r.Answer == m.want.Answer)
			}
		case "reply":
			s.count("quoted history cut exactly", part, m.cut(msg.Text))
		}
	}
}

// does tells whether a request would change or destroy something by itself.
func does(q inbox.Request) bool {
	return q.Certain && (q.Kind == inbox.KindDelete || q.Kind == inbox.KindDeactivate || q.Kind == inbox.KindChange)
}

// may are readings that the pack's labels do not name although the words say
// so: "freeze my account", "change my name".
var may = map[string]inbox.Kind{
	"other(near-miss: freeze = deactivate?)":           inbox.KindDeactivate,
	"other(near-miss: change assistant's name for me)": inbox.KindChange,
}

// harm says what a reading would do that nobody asked for; "" is nothing.
func (m packMail) harm(r inbox.Reading) string {
	if r.Answer == inbox.AnswerYes && m.want.Answer != inbox.AnswerYes && m.want.Part != "reply" {
		return "a yes that is none"
	}
	for _, q := range r.Requests {
		if !does(q) {
			continue
		}
		asked := m.want.Act && slices.ContainsFunc(m.want.Must, func(l []inbox.Kind) bool { return slices.Contains(l, q.Kind) })
		switch {
		case asked && m.want.Kind == "delete_fields" && q.Scope == inbox.ScopeAccount:
			return "would run " + wording(q) + " for some fields"
		case !asked && may[m.want.Kind] != q.Kind:
			return "would run " + wording(q)
		}
	}
	return ""
}

func (m packMail) scoreRequest(s *scores, r inbox.Reading) {
	if !m.want.Act {
		return
	}
	found := func(sure bool) bool {
		return !slices.ContainsFunc(m.want.Must, func(l []inbox.Kind) bool {
			return !slices.ContainsFunc(r.Requests, func(q inbox.Request) bool { return slices.Contains(l, q.Kind) && (q.Certain || !sure) })
		})
	}
	s.count("requests found", "pack requests", found(false))
	if m.want.OpenSlots {
		certain := slices.ContainsFunc(r.Requests, func(q inbox.Request) bool { return q.Certain && q.Kind != inbox.KindQuestion })
		s.count("certain with open slots", "pack requests", certain)
		return
	}
	s.count("certain without open slots", "pack requests", found(true))
}

// cut tells whether the new text is what the fixture wants.
func (m packMail) cut(text string) bool {
	plain := func(s string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u200b", "")), " ")
	}
	var one string
	var list []string
	if json.Unmarshal(m.want.Expected, &one) != nil && json.Unmarshal(m.want.Expected, &list) != nil {
		return true // nothing to compare with
	}
	all := func(match func(string) bool) bool {
		return !slices.ContainsFunc(list, func(s string) bool { return !match(s) })
	}
	switch m.want.Mode {
	case "exact", "first-part", "nothing-cut":
		return plain(text) == plain(one)
	case "reply-matches-regexp":
		return all(func(s string) bool {
			re, err := regexp.Compile("(?sm)" + s)
			return err != nil || re.MatchString(strings.TrimSpace(text))
		})
	case "reply-must-contain":
		return all(func(s string) bool { return strings.Contains(plain(text), plain(s)) })
	case "reply-must-not-contain":
		return all(func(s string) bool { return !strings.Contains(plain(text), plain(s)) })
	}
	return true
}

// readDisputed reads the mails whose label is wrong.
func readDisputed(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("testdata/disputed.tsv")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, why, ok := strings.Cut(line, "\t")
		if !ok || why == "" {
			t.Fatalf("testdata/disputed.tsv: no reason beside %q", name)
		}
		out[name] = true
	}
	return out
}
