package screen

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/parse"
)

// row counts mails of one kind.
type row struct{ screened, all int }

func (r row) share() float64 { return 100 * float64(r.screened) / float64(max(r.all, 1)) }

// table counts by row, and remembers which mails were read wrongly.
type table struct {
	t    *testing.T
	rows map[string]row
}

func (b table) add(name string, raw []byte, file string, automatic bool) {
	class, why := Config{}.Check(parse.Message(raw, parse.Options{}))
	r := b.rows[name]
	r.all++
	if class != inbox.ClassNone {
		r.screened++
	}
	b.rows[name] = r
	if (class != inbox.ClassNone) != automatic {
		b.t.Logf("wrong: %s: %s [%s %s]", name, file, class, why)
	}
}

// TestScore measures how many automatic mails are screened, and how many of
// people's, and fails below the floors. Half of the own mails, every second by
// name in each language, were looked at when the words were written; the
// others are counted apart as "unseen".
func TestScore(t *testing.T) {
	b := table{t, map[string]row{}}
	b.own()
	b.pack()
	b.letters()
	people, automatic := row{}, row{}
	for _, name := range []string{"auto, headers, seen", "auto, headers, unseen", "auto, bare, seen", "auto, bare, unseen", "pack screen",
		"people, seen", "people, unseen", "pack intents", "pack requests", "pack confirm", "letters"} {
		r := b.rows[name]
		t.Logf("%-24s %5d of %5d screened, %6.2f %%", name, r.screened, r.all, r.share())
		if sum := &people; !strings.HasPrefix(name, "pack screen") {
			if strings.HasPrefix(name, "auto") {
				sum = &automatic
			}
			sum.screened, sum.all = sum.screened+r.screened, sum.all+r.all
		}
	}
	t.Logf("%-24s %5d of %5d screened, %6.2f %%", "people, all", people.screened, people.all, people.share())
	if automatic.share() < 95 {
		t.Errorf("%.2f %% of automatic mails are screened; the floor is 95 %%", automatic.share())
	}
	if r := b.rows["pack screen"]; r.all > 0 && r.share() < 98 {
		t.Errorf("%.2f %% of the pack's automatic mails are screened; the floor is 98 %%", r.share())
	}
	if people.screened > 0 && people.share() >= 0.5 {
		t.Errorf("%.2f %% of people's mails are screened; below 0.5 %% may be", people.share())
	}
}

// own reads testdata/auto and testdata/people by testdata/expected.tsv.
func (b table) own() {
	list, err := os.ReadFile("testdata/expected.tsv")
	if err != nil {
		b.t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 3 {
			b.t.Fatalf("testdata/expected.tsv: %q has no three fields", line)
		}
		raw, err := os.ReadFile(filepath.Join("testdata", f[0]))
		if err != nil {
			b.t.Fatal(err)
		}
		name := ", " + b.half(f[0])
		if f[1] != "" {
			name = ", " + f[2] + name
		}
		b.add(path.Dir(f[0])+name, raw, f[0], f[1] != "")
	}
}

// half tells which half of its language's mails a mail belongs to.
func (b table) half(file string) string {
	lang, _, _ := strings.Cut(file, "_")
	all, err := filepath.Glob(filepath.Join("testdata", lang+"_*.eml"))
	if err != nil {
		b.t.Fatal(err)
	}
	for i, f := range all {
		if strings.HasSuffix(filepath.ToSlash(f), file) && i%2 == 0 {
			return "seen"
		}
	}
	return "unseen"
}

// corpora gives the folder of mails to measure with, which are no part of the
// repository.
func corpora() string {
	if dir := os.Getenv("SUPPORTD_CORPORA"); dir != "" {
		return dir
	}
	return "../../../shared/corpora"
}

// open opens a file of the corpora, or gives nil where it is absent.
func (b table) open(name string) *os.File {
	f, err := os.Open(filepath.Join(corpora(), name))
	if errors.Is(err, fs.ErrNotExist) {
		b.t.Logf("%s is not here; set SUPPORTD_CORPORA to its folder", name)
		return nil
	}
	b.check(err)
	return f
}

func (b table) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// pack reads the mails of dev.tar.gz whose part says what they are.
func (b table) pack() {
	f := b.open("dev.tar.gz")
	if f == nil {
		return
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	b.check(err)
	labels, mails := map[string]struct{ Part string }{}, map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		b.check(err)
		text, err := io.ReadAll(r)
		b.check(err)
		if name := path.Base(h.Name); name == "expected.json" {
			b.check(json.Unmarshal(text, &labels))
		} else if path.Ext(name) == ".eml" {
			mails[strings.TrimSuffix(name, ".eml")] = text
		}
	}
	for name, raw := range mails {
		switch part := labels[name].Part; part {
		case "screen", "intents", "requests", "confirm":
			b.add("pack "+part, raw, name, part == "screen")
		}
	}
}

// letters reads the letters of people; a few of them are automatic, and count
// where their label says that they may be answered.
func (b table) letters() {
	f := b.open("letters/expected.jsonl")
	if f == nil {
		return
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var want struct{ File, Screened string }
		b.check(json.NewDecoder(bytes.NewReader(lines.Bytes())).Decode(&want))
		if want.Screened != "" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(corpora(), "letters", want.File))
		b.check(err)
		b.add("letters", raw, want.File, false)
	}
	b.check(lines.Err())
}
