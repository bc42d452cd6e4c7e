package house

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// root is the module's folder, seen from this one.
const root = "../../.."

// TestModule holds this module against its rules.
func TestModule(t *testing.T) {
	if _, err := os.Stat(root + "/go.mod"); err != nil {
		t.Fatal("this is not the module's folder: ", err)
	}
	faults, err := House().Check(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestComments finds exported names of this module without a comment.
func TestComments(t *testing.T) {
	faults, err := Undocumented(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestUndocumented sees every sort of name found when it has no comment, and
// passed over when it has one.
func TestUndocumented(t *testing.T) {
	const src = `package x

func Bare() {}

// F does.
func F() {}

func small() {}

type T struct{ Field int }

// U is.
type U interface {
	Bare()
	// Above does.
	Above()
	Behind() // does
	small()
	error
}

func (t *T) Error() string { return "" }

func (u G[K]) String() string { return "" }

func (s hidden) Error() string { return "" }

// G is.
type G[K any] struct{}

type hidden struct{}

const A, b = 1, 2

// The letters.
const (
	C = 1
	D = 2
)

var (
	E = 1 // is
	H = 2
	// I is.
	I = 3
)
`
	tree := fstest.MapFS{"x/a.go": {Data: []byte(src)}, "x/a_test.go": {Data: []byte("package x\n\nfunc TestBare() {}\n")},
		"x/testdata/b.go": {Data: []byte("package b\n\nfunc Bare() {}\n")}}
	got, err := Undocumented(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"x/a.go:3:1: x.Bare", "x/a.go:10:6: x.T", "x/a.go:14:2: x.U.Bare", "x/a.go:22:1: x.T.Error", "x/a.go:24:1: x.G.String",
		"x/a.go:33:7: x.A", "x/a.go:43:2: x.H"}
	for i := range want {
		want[i] += " has no comment"
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, err := Undocumented(fstest.MapFS{"a.go": {Data: []byte("no Go")}}); err == nil {
		t.Errorf("a file that is no Go gave %q", got)
	}
}

// TestPageNamesRooms holds the architecture page against the table: a package
// with a layer has a room on the page.
func TestPageNamesRooms(t *testing.T) {
	page, err := os.ReadFile(root + "/inbox/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rooms, found := strings.Cut(string(page), "# The rooms")
	rooms, _, ended := strings.Cut(rooms, "# What holds everywhere")
	if !found || !ended {
		t.Fatal("the page has no section on the rooms")
	}
	for name := range House().Layer {
		if !strings.Contains(rooms, path.Base(name)) {
			t.Errorf("the page does not name %s", name)
		}
	}
}

// TestCheck sees the check fail on every kind of wrong import, and pass the
// right ones beside them.
func TestCheck(t *testing.T) {
	rules := Rules{
		Module:    "site.test/m",
		Layer:     map[string]int{"low": 0, "mid": 1, "beside": 1, "top": 2, "demo": 3, "fake": 1, "fake/real": 2, "cmd/x": 3},
		Testing:   map[string][]string{"fake": {"demo", "fake/real"}, "fake/real": nil},
		Rooms:     map[string][]string{"lib.test/a": {"mid"}, "lib.test/a/sub": {"top"}, "lib.test/cli": {"cmd/…"}, "lib.test/x": {"…"}, "lib.test/t": nil},
		TestRooms: []string{"lib.test/t"},
		Standard:  []string{"low"},
	}
	tests := []struct {
		file, pkg, imports string
		want               string // a part of the only fault; "": none
	}{
		{"mid/a.go", "mid", "site.test/m/low", ""},
		{"top/a.go", "top", "site.test/m/low site.test/m/mid", ""},
		{"mid/a.go", "mid", "site.test/m/top", "mid (layer 1) may not import top (layer 2)"},
		{"mid/a.go", "mid", "site.test/m/beside", "mid (layer 1) may not import"},
		{"mid/a_test.go", "mid", "site.test/m/beside", ""},
		{"mid/a_test.go", "mid", "site.test/m/top", "may not import"},
		{"mid/a_test.go", "mid_test", "site.test/m/beside site.test/m/mid", ""},
		{"mid/a_test.go", "mid_test", "site.test/m/top", "may not import"},
		{"mid/a_linux.go", "mid", "site.test/m/top", "may not import"},
		{"low/a.go", "low", "site.test/m/new", "new is in no layer"},
		{"new/a.go", "new", "fmt", "new is in no layer"},
		{"new/a_test.go", "new", "fmt", "new is in no layer"},
		{"a.go", "m", "fmt", "package . is in no layer"},
		{"top/a.go", "top", "site.test/m/fake", "fake serves tests"},
		{"low/a_test.go", "low", "site.test/m/fake", ""},
		{"demo/a.go", "demo", "site.test/m/fake", ""},
		{"demo/a.go", "demo", "site.test/m/fake/real", "fake/real serves tests"},
		{"fake/real/a.go", "real", "site.test/m/fake", ""},
		{"low/a.go", "low", "fmt net/http", ""},
		{"low/a.go", "low", "lib.test/x", "standard library only"},
		{"low/a_test.go", "low", "lib.test/x", ""},
		{"mid/a.go", "mid", "lib.test/a lib.test/a/deep", ""},
		{"top/a.go", "top", "lib.test/a", "outside its rooms"},
		{"top/a_test.go", "top", "lib.test/a", "outside its rooms"},
		{"top/a.go", "top", "lib.test/a/sub", ""},
		{"mid/a.go", "mid", "lib.test/a/sub", "outside its rooms"},
		{"mid/a.go", "mid", "lib.test/ab", "has no room"},
		{"cmd/x/a.go", "main", "lib.test/cli", ""},
		{"top/a.go", "top", "lib.test/cli", "outside its rooms"},
		{"top/a.go", "top", "lib.test/x/y", ""},
		{"top/a.go", "top", "lib.test/t", "outside its rooms"},
		{"top/a_test.go", "top", "lib.test/t", ""},
		{"mid/testdata/a.go", "x", "site.test/m/top", ""},
		{".hidden/a.go", "x", "site.test/m/top", ""},
	}
	for _, test := range tests {
		src := "//go:build never\n\npackage " + test.pkg + "\n"
		for i := range strings.FieldsSeq(test.imports) {
			src += "import \"" + i + "\"\n"
		}
		got, err := rules.Check(fstest.MapFS{test.file: {Data: []byte(src)}, "notes.txt": {}})
		if err != nil {
			t.Errorf("%s: %v", test.file, err)
			continue
		}
		ok := len(got) == 0
		if test.want != "" {
			ok = len(got) == 1 && strings.HasPrefix(got[0], test.file+": ") && strings.Contains(got[0], test.want)
		}
		if !ok {
			t.Errorf("%s (%s) importing %s: got %q, want %q", test.file, test.pkg, test.imports, got, test.want)
		}
	}
}

func TestCheckBroken(t *testing.T) {
	if got, err := House().Check(fstest.MapFS{"inbox/a.go": {Data: []byte("no Go")}}); err == nil {
		t.Errorf("a file that is no Go gave %q", got)
	}
}

// TestRules looks for slips in the table itself.
func TestRules(t *testing.T) {
	r := House()
	for target, importers := range r.Testing {
		for _, name := range append(slices.Clone(importers), target) {
			if _, ok := r.Layer[name]; !ok {
				t.Errorf("Testing names %s, which has no layer", name)
			}
		}
	}
	for library, rooms := range r.Rooms {
		for _, room := range rooms {
			name := strings.TrimSuffix(strings.TrimSuffix(room, "…"), "/")
			if _, ok := r.Layer[name]; !ok && name != "" && name != "cmd" {
				t.Errorf("%s has the room %s, which has no layer", library, room)
			}
		}
	}
	for _, library := range r.TestRooms {
		if _, ok := r.Rooms[library]; !ok {
			t.Errorf("TestRooms names %s, which has no entry in Rooms", library)
		}
	}
}
