package staff

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestEveryRoleAndRight holds each pair of the table against its case file.
func TestEveryRoleAndRight(t *testing.T) {
	b, err := os.ReadFile("testdata/rights.txt")
	if err != nil {
		t.Fatal(err)
	}
	var roles []Role
	var rights []Right
	for line := range strings.Lines(string(b)) {
		cells := strings.Fields(line)
		if len(cells) == 0 || cells[0] == "#" {
			continue
		}
		if roles == nil {
			for _, c := range cells[1:] {
				roles = append(roles, Role(c))
			}
			continue
		}
		right := Right(cells[0])
		rights = append(rights, right)
		for i, want := range cells[1:] {
			if want != "yes" && want != "no" {
				t.Fatalf("%s: %q is neither yes nor no", right, want)
			}
			if got := roles[i].May(right); got != (want == "yes") {
				t.Errorf("%s may %s: %t, want %s", roles[i], right, got, want)
			}
		}
	}
	if !slices.Equal(roles, Roles()) {
		t.Errorf("the file has the roles %v, the code %v", roles, Roles())
	}
	for _, r := range Rights() {
		if !slices.Contains(rights, r) {
			t.Errorf("the file has no case of %q", r)
		}
		for _, nobody := range []Role{"", "Admin", "root"} {
			if nobody.May(r) {
				t.Errorf("%q, which is no role, may %s", nobody, r)
			}
		}
	}
}

func TestParseRole(t *testing.T) {
	for _, r := range Roles() {
		if got, err := ParseRole(string(r)); got != r || err != nil {
			t.Errorf("%s is read as %q, %v", r, got, err)
		}
	}
	if r, err := ParseRole("boss"); r != "" || err == nil || !strings.Contains(err.Error(), "viewer, handler, approver, admin") {
		t.Errorf("%q, %v", r, err)
	}
}
