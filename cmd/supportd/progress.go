package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"push.guru/supportd/inbox/intake"
)

// barWidth is how many signs a bar has.
const barWidth = 30

// bar gives what draws the progress of a backlog, or nil where nobody looks at
// a terminal: the log tells of it then.
func bar(w io.Writer) func(intake.Progress) {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return nil
	}
	return func(p intake.Progress) { fmt.Fprint(w, drawn(p)) }
}

// drawn is one state of a bar, over the one before it.
func drawn(p intake.Progress) string {
	full, end := barWidth*p.Done/max(p.Total, 1), ""
	if p.Done >= p.Total {
		end = "\n"
	}
	return "\r\x1b[K[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + p.String() + end
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
