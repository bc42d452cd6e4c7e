package boltusers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/inbox"
)

// TestImportFiles imports each file of testdata and compares the faults with
// those in the file beside it; a faulty file changes nothing.
func TestImportFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/import/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("testdata/import/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, more...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s, _ := openTest(t)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(file + ".want")
			if err != nil {
				t.Fatal(err)
			}
			n, err := s.Import(t.Context(), bytes.NewReader(data), strings.TrimPrefix(filepath.Ext(file), "."))
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "importing people: ") + "\n"
			}
			if got != string(want) {
				t.Errorf("faults:\n%swant:\n%s", got, want)
			}
			held, errCount := s.Count(t.Context())
			if errCount != nil || held != n || (err != nil && n != 0) {
				t.Errorf("%d people said to be written, %d held (%v)", n, held, errCount)
			}
		})
	}
}

func TestImportSpreadsheet(t *testing.T) {
	s, _ := openTest(t)
	f, err := os.Open("testdata/import/spreadsheet.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := s.Import(t.Context(), iotest.OneByteReader(f), FormatCSV); n != 2 || err != nil {
		t.Fatalf("%d people, %v", n, err)
	}
	found, err := s.ByAddress(t.Context(), "anna@users.test")
	if err != nil || len(found) != 1 || found[0].Fields[inbox.FieldFullName] != "Петрова, Анна" || !found[0].Active {
		t.Errorf("found %v (%v)", found, err)
	}
	if p, err := s.Get(t.Context(), "2"); err != nil || p.Active {
		t.Errorf("person 2 is active %t (%v), want deactivated", p.Active, err)
	}
}

// TestImportMerges: what a row does not name stays, what it leaves empty goes,
// and events are replaced, so that a file can be imported twice.
func TestImportMerges(t *testing.T) {
	s, _ := openTest(t)
	load := func(format, text string) {
		t.Helper()
		if n, err := s.Import(t.Context(), strings.NewReader(text), format); n != 1 || err != nil {
			t.Fatalf("%d people, %v", n, err)
		}
	}
	first := `{"id":"1","active":false,"withdrawn":"2026-01-02T03:04:05Z","email":"a@users.test","phone":"1","about":"x","events":[{"at":"2026-01-02T03:04:05Z","ip":"192.0.2.1"}]}`
	load(FormatJSONL, first)
	load(FormatJSONL, first)
	load(FormatCSV, "id,email,about\n1,b@users.test,\n")
	p, err := s.Get(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	if p.Active || p.Withdrawn.IsZero() || p.Fields[inbox.FieldPhone] != "1" || p.Fields[inbox.FieldAbout] != "" {
		t.Errorf("after the second import: %+v", p)
	}
	n := 0
	for _, err := range s.Records(t.Context(), users.Person{ID: "1"}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d records, want the profile and one visit", n)
	}
	for addr, want := range map[string]int{"a@users.test": 0, "b@users.test": 1} {
		if found, err := s.ByAddress(t.Context(), addr); err != nil || len(found) != want {
			t.Errorf("%d people under %s (%v), want %d", len(found), addr, err, want)
		}
	}
}

func TestImportManyFaults(t *testing.T) {
	s, _ := openTest(t)
	text := "id,email\n" + strings.Repeat(",x\n", maxFaults+7)
	_, err := s.Import(t.Context(), strings.NewReader(text), FormatCSV)
	if err == nil || strings.Count(err.Error(), "\n") != maxFaults || !strings.HasSuffix(err.Error(), "and 7 more faulty lines") {
		t.Errorf("error %v", err)
	}
	var line *LineError
	if !errors.As(err, &line) || line.Line != 2 {
		t.Errorf("the first fault is on %v, want line 2", line)
	}
}

func TestImportFormat(t *testing.T) {
	s, _ := openTest(t)
	if _, err := s.Import(t.Context(), strings.NewReader(""), "xml"); err == nil {
		t.Error("an unknown format was taken")
	}
	if n, err := s.Import(t.Context(), strings.NewReader(""), FormatJSONL); n != 0 || err != nil {
		t.Errorf("no lines: %d people, %v", n, err)
	}
	long := `{"id":"` + strings.Repeat("x", maxLine) + `"}`
	if _, err := s.Import(t.Context(), strings.NewReader(long), FormatJSONL); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a line without end: %v", err)
	}
	if _, err := s.Import(t.Context(), iotest.ErrReader(os.ErrClosed), FormatCSV); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a failing reader: %v", err)
	}
}

func TestExtraFields(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "users.db"), "shoe_size")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n, err := s.Import(t.Context(), strings.NewReader("id,shoe_size\n1,43\n"), FormatCSV); n != 1 || err != nil {
		t.Fatalf("%d people, %v", n, err)
	}
	for r, err := range s.Records(t.Context(), users.Person{ID: "1"}) {
		if err != nil || r.Columns[len(r.Columns)-1] != "shoe_size" || r.Values[len(r.Values)-1] != "43" {
			t.Errorf("record %v (%v)", r, err)
		}
	}
}

// TestExportRoundTrip: what is exported and imported elsewhere is exported
// there as the same text.
func TestExportRoundTrip(t *testing.T) {
	from, _ := openTest(t)
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	for i := range page + 3 {
		in := Import{ID: fmt.Sprintf("p%05d", i), Fields: map[inbox.Field]string{
			inbox.FieldEmail: fmt.Sprintf("u%d@users.test", i), inbox.FieldAbout: "two\nlines, \"quoted\" <b>жаңа</b>"}}
		switch i {
		case 1:
			in.Active, in.Withdrawn = new(bool), &at
		case 2:
			in.Events = []Event{{At: at, IP: "2001:db8::1", Agent: "A/1.0", Page: "/x?y=1&z=2", Cookie: "c=\x01"}, {At: at}}
		}
		if err := from.Put(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	var first, second bytes.Buffer
	if err := from.Export(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	to, _ := openTest(t)
	if n, err := to.Import(t.Context(), bytes.NewReader(first.Bytes()), FormatJSONL); n != page+3 || err != nil {
		t.Fatalf("%d people, %v", n, err)
	}
	if err := to.Export(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the second export differs from the first")
	}
	if !strings.Contains(first.String(), `"events":[{"at":"2026-03-04T05:06:07.000008Z","ip":"2001:db8::1"`) {
		t.Error("the events are not in the export")
	}
}

func TestPutRefuses(t *testing.T) {
	s, _ := openTest(t)
	for name, in := range map[string]Import{
		"no id":         {},
		"control in id": {ID: "a\nb"},
		"strange field": {ID: "1", Fields: map[inbox.Field]string{"emial": "x"}},
		"no address":    {ID: "1", Fields: map[inbox.Field]string{inbox.FieldEmail: "x"}},
		"NUL":           {ID: "1", Fields: map[inbox.Field]string{inbox.FieldAbout: "a\x00b"}},
		"no UTF-8":      {ID: "1", Fields: map[inbox.Field]string{inbox.FieldAbout: "a\xffb"}},
	} {
		if err := s.Put(t.Context(), in); err == nil || inbox.IsTemporary(err) {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
	if _, err := s.Get(t.Context(), "1"); !errors.Is(err, users.ErrNotFound) {
		t.Errorf("something was written: %v", err)
	}
}

func fuzzImport(f *testing.F, format string) {
	seeds, err := filepath.Glob("testdata/import/*." + format)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	s, err := Open(filepath.Join(f.TempDir(), "users.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		in := &importer{store: s, lines: map[string]int{}}
		var err error
		if format == FormatCSV {
			err = in.readCSV(bytes.NewReader(b))
		} else {
			err = in.readJSONL(bytes.NewReader(b))
		}
		if err != nil {
			return
		}
		for _, p := range in.people {
			if err := s.check(p); err != nil {
				t.Errorf("a faulty person was taken: %v", err)
			}
		}
		if len(in.faults)+in.more+len(in.people) > bytes.Count(b, []byte("\n"))+1 {
			t.Error("more people and faults than lines")
		}
	})
}

func FuzzImportCSV(f *testing.F)   { fuzzImport(f, FormatCSV) }
func FuzzImportJSONL(f *testing.F) { fuzzImport(f, FormatJSONL) }
