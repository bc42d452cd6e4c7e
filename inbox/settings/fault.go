package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong in a file.
type Fault struct {
	File    string // where another file than the first is at fault; ""
	Key     string // smtp.server, mailbox[1].imap (counted from 1); "" for the file as a whole
	Problem string
	Hint    string // what to do; may be ""
	Line    int    // 0 when no line holds it
}

// String gives "key: problem (hint)".
func (f Fault) String() string {
	s := f.Problem
	if f.Key != "" {
		s = f.Key + ": " + s
	}
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}

// Faults are all the faults of a file, in the order of its lines.
type Faults []Fault

// Error lists the faults, one a line.
func (f Faults) Error() string {
	var b strings.Builder
	b.WriteString("the configuration has faults:")
	for _, x := range f {
		b.WriteString("\n  ")
		if x.File != "" {
			b.WriteString(x.File + ": ")
		}
		if x.Line > 0 {
			fmt.Fprintf(&b, "line %d: ", x.Line)
		}
		b.WriteString(x.String())
	}
	return b.String()
}

// Faults gives the faults found so far, those of other files behind one's own,
// and of each file those of no line last.
func (r *File) Faults() Faults {
	line := func(f Fault) uint { return uint(f.Line) - 1 }
	slices.SortStableFunc(r.faults, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(line(a), line(b)))
	})
	return r.faults
}

// Nearest gives the one of known that word was probably meant to be, or "".
func Nearest(word string, known []string) string {
	best, at := "", 1+len(word)/3
	for _, k := range known {
		if d := distance(word, k); d <= at && (best == "" || d < at) {
			best, at = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
