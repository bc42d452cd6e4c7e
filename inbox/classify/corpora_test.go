package classify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
)

// corporaDir is where mails to measure with lie, which are no part of the
// repository.
func corporaDir() string {
	if dir := os.Getenv("SUPPORTD_CORPORA"); dir != "" {
		return dir
	}
	return "../../../shared/corpora"
}

// scoreLetters reads letters that people wrote and a careful person labelled,
// and adds to the table.
func scoreLetters(t *testing.T, c *Classifier, s *scores) {
	dir := filepath.Join(corporaDir(), "letters")
	b, err := os.ReadFile(filepath.Join(dir, "expected.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("the letters are not here; set SUPPORTD_CORPORA to their folder")
		return
	} else if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var w letter
		if err := json.Unmarshal(sc.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		if w.Screened != "" {
			continue // not for this package to see
		}
		raw, err := os.ReadFile(filepath.Join(dir, w.File))
		if err != nil {
			t.Fatal(err)
		}
		m := parse.Message(raw, parse.Options{})
		r := c.Read(m)
		checkBecause(t, w.File, m, r)
		ok, sure, wrong := w.score(r)
		s.total["letters"]++
		if wrong != "" {
			s.harm(t, "letters", w.File, wrong)
		}
		if !ok {
			t.Logf("%s: got answer %q %v", w.File, r.Answer, wordings(r))
		}
		s.count("right", "letters", ok)
		s.count("acted", "letters", ok && sure)
		for _, q := range r.Requests {
			if q.Kind == inbox.KindChange && q.Certain {
				s.count("values right when acted", "letters", wrong == "")
			}
		}
	}
}

type letter struct {
	File     string            `json:"file"`
	Screened string            `json:"screened"`
	Answer   inbox.Answer      `json:"answer"`
	Requests []inbox.Request   `json:"requests"`
	Accept   [][]inbox.Request `json:"accept"`
}

// score compares a reading as the labels are meant: the requests without the
// questions must be one of the accepted lists.
func (w letter) score(r inbox.Reading) (right, sure bool, wrong string) {
	if r.Answer == inbox.AnswerYes && w.Answer != inbox.AnswerYes {
		wrong = "yes"
	}
	lists := append([][]inbox.Request{w.Requests}, w.Accept...)
	sure = true
	for _, q := range r.Requests {
		if q.Kind == inbox.KindQuestion {
			continue
		}
		known := slices.ContainsFunc(lists, func(l []inbox.Request) bool {
			return slices.ContainsFunc(l, func(x inbox.Request) bool { return ordered(x) == ordered(q) })
		})
		if q.Certain && !known {
			wrong = wording(q)
		}
		sure = sure && q.Certain
	}
	if r.Answer != w.Answer {
		return false, false, wrong
	}
	for _, l := range lists {
		if slices.Equal(plain(l), plain(r.Requests)) {
			return true, sure, wrong
		}
	}
	return false, false, wrong
}

func plain(list []inbox.Request) []string {
	var out []string
	for _, q := range list {
		if q.Kind != inbox.KindQuestion {
			out = append(out, ordered(q))
		}
	}
	slices.Sort(out)
	return out
}

// ordered is the wording of a request with its fields in a fixed order.
func ordered(q inbox.Request) string {
	q.Fields, q.Changes = slices.Clone(q.Fields), slices.Clone(q.Changes)
	slices.Sort(q.Fields)
	slices.SortFunc(q.Changes, func(a, b inbox.Change) int { return strings.Compare(string(a.Field), string(b.Field)) })
	if q.Kind == inbox.KindQuestion {
		q.Topic = ""
	}
	return wording(q)
}

func wordings(r inbox.Reading) []string {
	var out []string
	for _, q := range r.Requests {
		out = append(out, wording(q))
	}
	return out
}
