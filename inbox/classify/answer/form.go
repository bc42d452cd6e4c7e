package answer

import (
	"slices"
	"strings"
)

// The boxes of a form that people type, empty and ticked.
var (
	emptyBoxes  = []string{"[ ]", "[]", "[_]", "[-]", "( )", "(_)", "☐", "□", "⬜"}
	tickedBoxes = []string{"[x]", "[X]", "[х]", "[Х]", "[v]", "[V]", "[*]", "[+]", "[✓]", "[✔]", "(x)", "(X)", "(х)", "(v)", "(*)", "☑", "☒", "🗹"}
)

// ticked gives a text without its boxes and without what stands behind empty
// ones, up to the next box or the end of the line. A text without boxes stays as
// it is, and so does one with empty and ticked ones: who sends both answers back
// may have ticked the wrong one.
func ticked(text string) string {
	has := func(box string) bool { return strings.Contains(text, box) }
	if slices.ContainsFunc(emptyBoxes, has) == slices.ContainsFunc(tickedBoxes, has) {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		takeTicked(&out, line)
	}
	return out.String()
}

// takeTicked writes what is ticked in a line, each box as a new line.
func takeTicked(out *strings.Builder, line string) {
	dropping := false
	for line != "" {
		box, empty := boxAt(line)
		switch {
		case box != "":
			dropping = empty
			out.WriteByte('\n')
			line = line[len(box):]
			continue
		case !dropping:
			out.WriteByte(line[0])
		}
		line = line[1:]
	}
	if dropping {
		out.WriteByte('\n')
	}
}

// boxAt gives the box that a text begins with, and whether it is empty.
func boxAt(text string) (box string, empty bool) {
	for _, b := range emptyBoxes {
		if strings.HasPrefix(text, b) {
			return b, true
		}
	}
	for _, b := range tickedBoxes {
		if strings.HasPrefix(text, b) {
			return b, false
		}
	}
	return "", false
}
