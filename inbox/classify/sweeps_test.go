package classify

import (
	"bufio"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

// How many mails of a sweep are put together, and how many per cent of them must
// be read rightly, and certainly.
const (
	sweepMails   = 300
	sweepRight   = 98
	sweepCertain = 95
)

// sweep is a class of everyday mails: what they must be read as, and their
// parts.
type sweep struct {
	want   string
	unsure bool // none of them may be certain
	parts  [][]string
	line   int
}

// readSweeps reads a file of sweeps; the first of them says how they are written.
func readSweeps(t *testing.T, file string) (out []sweep) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	named := map[string][]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		name, rest, isName := strings.Cut(line, " = ")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '=':
			want, unsure := strings.CutSuffix(strings.TrimSpace(line[1:]), " ?")
			out = append(out, sweep{want: want, unsure: unsure, line: n})
		case isName && line[0] == '$':
			named[name] = alternatives(rest)
		case len(out) == 0:
			t.Fatalf("%s:%d: a part of no sweep", file, n)
		default:
			part, ok := named[line]
			if !ok {
				part = alternatives(line)
			}
			last := &out[len(out)-1]
			last.parts = append(last.parts, part)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func alternatives(line string) []string {
	out := strings.Split(line, " / ")
	for i, a := range out {
		if out[i] = strings.ReplaceAll(strings.TrimSpace(a), `\n`, "\n"); out[i] == "-" {
			out[i] = ""
		}
	}
	return out
}

// mail puts a mail together.
func (s sweep) mail(rnd *rand.Rand) string {
	var b strings.Builder
	for _, part := range s.parts {
		a := part[rnd.IntN(len(part))]
		if b.Len() > 0 && a != "" && !strings.ContainsAny(a[:1], ",.?!") {
			b.WriteByte(' ')
		}
		b.WriteString(a)
	}
	return b.String()
}

// read tells whether a mail is read as it must be, whether that is certain, and
// whether something else is.
func (s sweep) read(c *Classifier, text string) (got string, right, certain, wrong bool) {
	r := c.Read(&inbox.Message{From: inbox.Address{Addr: "writer@example.org"}, Text: text})
	var all []string
	certain = true
	for _, q := range r.Requests {
		all = append(all, wording(q))
		acts := q.Certain && q.Kind != inbox.KindQuestion
		certain = certain && acts
		wrong = wrong || acts && (s.unsure || !slices.Contains(strings.Split(s.want, "; "), wording(q)))
	}
	got = strings.Join(all, "; ")
	return got, got == s.want || s.unsure, certain, wrong
}

// Whatever is put together from everyday parts is read as what it is: nearly all
// of it certainly, none of it wrongly.
func TestSweeps(t *testing.T) {
	c := testClassifier(t)
	files, err := filepath.Glob("testdata/sweeps/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sweeps: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			for _, s := range readSweeps(t, file) {
				s.check(t, c)
			}
		})
	}
}

// check reads the mails of a sweep.
func (s sweep) check(t *testing.T, c *Classifier) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(uint64(s.line), 0))
	right, certain := 0, 0
	var missed, wrongly []string
	for range sweepMails {
		text := s.mail(rnd)
		got, isRight, isCertain, wrong := s.read(c, text)
		if wrong {
			wrongly = append(wrongly, text+" => "+got)
		}
		if isRight {
			right++
		}
		if isRight && isCertain {
			certain++
		} else if !s.unsure {
			missed = append(missed, text+" => "+got)
		}
	}
	if len(wrongly) > 0 {
		t.Errorf("line %d: %s: of %d mails %d are read wrongly, and certainly\n\t%s", s.line, s.want, sweepMails, len(wrongly), few(wrongly))
	}
	if right*100 < sweepRight*sweepMails || !s.unsure && certain*100 < sweepCertain*sweepMails {
		t.Errorf("line %d: %s: of %d mails %d are read rightly, %d certainly\n\t%s", s.line, s.want, sweepMails, right, certain, few(missed))
	}
}

// few gives the first of many lines.
func few(lines []string) string { return strings.Join(lines[:min(len(lines), 12)], "\n\t") }
