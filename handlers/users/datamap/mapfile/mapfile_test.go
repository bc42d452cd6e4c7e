package mapfile

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"push.guru/supportd/handlers/users"
	"push.guru/supportd/handlers/users/datamap"
	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/settings"
)

var update = flag.Bool("update", false, "write the .want files anew; read them before you commit")

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cases gives the files of a folder of testdata, without their ending.
func cases(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/" + folder + "/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases: ", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".toml")
	}
	return files
}

// golden compares with the .want file of a case.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name+".want", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(read(t, name+".want")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestGood reads every good map, and writes down all that came of it.
func TestGood(t *testing.T) {
	for _, name := range cases(t, "good") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			m, err := Read(read(t, name+".toml"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, show(m))
		})
	}
}

// TestFaulty reads every faulty map: all its faults, with their lines.
func TestFaulty(t *testing.T) {
	for _, name := range cases(t, "faulty") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			m, err := Read(read(t, name+".toml"))
			var faults settings.Faults
			if m != nil || !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("got %v, %v, want faults", m, err)
			}
			var b strings.Builder
			for _, f := range faults {
				fmt.Fprintf(&b, "%d %s\n", f.Line, f)
			}
			golden(t, name, b.String())
		})
	}
}

// show writes a map down: a line for each value that is not the zero one.
func show(m *datamap.Map) string {
	var b strings.Builder
	for _, p := range m.Places() {
		fmt.Fprintf(&b, "place %s\n", p.Name)
		columns := p.Columns
		p.Name, p.Columns = "", nil
		lines(&b, "  ", reflect.ValueOf(p))
		for _, c := range columns {
			fmt.Fprintf(&b, "  column %s\n", c.Field)
			c.Field = ""
			lines(&b, "    ", reflect.ValueOf(c))
		}
	}
	return b.String()
}

func lines(b *strings.Builder, indent string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch name := v.Type().Field(i).Name; {
		case f.IsZero():
		case f.Kind() == reflect.Struct:
			lines(b, indent+name+".", f)
		case f.Kind() == reflect.String:
			fmt.Fprintf(b, "%s%s %q\n", indent, name, f.String())
		default:
			fmt.Fprintf(b, "%s%s %v\n", indent, name, f.Interface())
		}
	}
}

// TestDefaultsAreTheEmbedded: a known field of which the file says nothing is
// that of the embedded map.
func TestDefaultsAreTheEmbedded(t *testing.T) {
	text := "[account]\ntable = \"t\"\nkey = \"k\"\npurpose = {en = \"p\"}\nretention = {en = \"r\"}\nrecipients = {en = \"n\"}\n"
	for _, f := range inbox.Fields() {
		text += fmt.Sprintf("[[account.column]]\nname = \"c_%s\"\nfield = %q\n", f, f)
	}
	m, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Places()[0].Columns {
		want, ok := datamap.Known(c.Field)
		want.Source = []string{"c_" + string(c.Field)}
		if !ok || !reflect.DeepEqual(c, want) {
			t.Errorf("got %+v, want %+v", c, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for name, want := range map[string]string{"user_id": "user_id", "UserID2": "userid2", "Дата рождения": "data_rozhdeniia", "Тегі": "tegi", "größe": "gr__e", "名": "_", "": ""} {
		if got := Plain(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	if _, err := Read(make([]byte, maxFile+1)); err == nil || !strings.Contains(err.Error(), "262145 bytes") {
		t.Errorf("got %v", err)
	}
}

// TestBounds: no file of the size that is read keeps the program busy, and none
// has more faults than can be read.
func TestBounds(t *testing.T) {
	for _, line := range []string{"[[related]]\n", "[[account.column]]\n", "[account.%d]\n", "k%d = 1\n", "[[related]]\nname = \"n%d\"\nlink = {column=\"c\", to=\"n%d.id\"}\n"} {
		var b strings.Builder
		for i := 0; b.Len() < maxFile-100; i++ {
			if strings.Contains(line, "%d.id") && i == maxPlaces {
				break
			}
			b.WriteString(strings.ReplaceAll(strings.Replace(line, "%d", fmt.Sprint(i), 1), "%d", fmt.Sprint(i+1)))
		}
		var faults settings.Faults
		if _, err := Read([]byte(b.String())); !errors.As(err, &faults) || len(faults) > 500 {
			t.Errorf("%q: %d faults", line, len(faults))
		}
	}
}

// FuzzRead: whatever a file holds, it is a map that can be planned with, or has
// faults, each with a line of the file.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.toml", "examples/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data)
		if err == nil {
			p := users.Person{ID: "1", Active: true}
			if _, err := m.Plan(p, inbox.Request{Kind: inbox.KindCopy}, false); err != nil {
				t.Error(err)
			}
			return
		}
		var faults settings.Faults
		if !errors.As(err, &faults) || len(faults) == 0 || m != nil {
			t.Fatalf("got %v, %v", m, err)
		}
		for _, fault := range faults {
			if fault.Problem == "" || fault.Line < 0 || fault.Line > 1+strings.Count(string(data), "\n") {
				t.Errorf("the fault %+v", fault)
			}
		}
	})
}
