package parse

import "bytes"

// uuMedia is noted for a file that was put into the text by uuencode; what
// the file is, nobody says.
const uuMedia = "application/x-uuencode"

// withoutUU cuts files that were put into a text by uuencode (POSIX), and
// tells how many there were. It stops where more than limit bytes of text are
// left; what comes behind is nobody's to read. A file begins with "begin", a mode and a name,
// and at least one line of data follows; it ends with "end", or where the
// lines are no data any more.
func withoutUU(b []byte, limit int) ([]byte, int) {
	var out []byte
	files, kept := 0, 0
	for pos := 0; pos < len(b) && len(out)+pos-kept <= limit; {
		line, next := cutLine(b[pos:])
		end := len(b) - len(next)
		if uuBegin(line) {
			if n := uuData(next); n > 0 {
				out = append(out, b[kept:pos]...)
				files++
				end += n
				kept = end
			}
		}
		pos = end
	}
	if files == 0 {
		return b, 0
	}
	rest := b[kept:]
	return append(out, rest[:min(len(rest), limit+1)]...), files
}

// uuBegin tells whether a line begins a file: "begin 644 name".
func uuBegin(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	if !ok {
		return false
	}
	mode, name, ok := bytes.Cut(rest, []byte(" "))
	if !ok || len(mode) < 3 || len(mode) > 4 || len(bytes.TrimSpace(name)) == 0 {
		return false
	}
	for _, c := range mode {
		if c < '0' || c > '7' {
			return false
		}
	}
	return true
}

// uuData gives the length of the lines of a file, 0 when the first is none.
func uuData(b []byte) int {
	n, data := 0, false
	for n < len(b) {
		line, next := cutLine(b[n:])
		end := len(b) - len(next)
		switch {
		case data && bytes.Equal(bytes.TrimRight(line, " \t"), []byte("end")):
			return end
		case data && (len(bytes.TrimSpace(line)) == 0 || bytes.Equal(line, []byte("`"))): // the line of no data
		case uuLine(line, len(next) == 0):
			data = true
		default:
			if !data {
				return 0
			}
			return n
		}
		n = end
	}
	return n
}

// uuLine tells whether a line holds data: its first sign is the number of
// bytes, of which each three are four signs. Blanks at the end get lost on the
// way, and so does the end of a line where the text was cut.
func uuLine(line []byte, last bool) bool {
	if len(line) < 2 || line[0] <= ' ' || line[0] > 'M' {
		return false
	}
	for _, c := range line {
		if c < ' ' || c > '`' {
			return false
		}
	}
	signs := (int(line[0]-' ') + 2) / 3 * 4
	have := len(line) - 1
	return have <= signs+2 && (have >= signs-3 || last)
}
