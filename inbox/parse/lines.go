package parse

import "strings"

// line is one line of readable text.
type line struct {
	text  string
	depth int  // how deeply it is quoted; 0: not at all
	cut   bool // HTML marks that history begins here; text is empty
}

// plainLines makes lines of plain text: quote marks become depth, and flowed
// text (RFC 3676) is put together again.
func plainLines(s string, flowed, delsp bool) []line {
	raw := strings.Split(clean(s), "\n")
	lines := make([]line, 0, len(raw))
	for i, t := range raw {
		depth, text := quoteDepth(t)
		if mangled(raw, i) {
			depth = 0
		}
		lines = append(lines, line{text: text, depth: depth})
	}
	if flowed {
		lines = unflow(lines, delsp)
	}
	for i := range lines {
		lines[i].text = strings.TrimRight(lines[i].text, " \t")
	}
	return lines
}

// quoteDepth counts the quote marks that a line begins with.
func quoteDepth(t string) (int, string) {
	depth, rest := 0, t
	for {
		r := rest
		if depth > 0 {
			r = strings.TrimPrefix(r, " ")
		}
		if !strings.HasPrefix(r, ">") {
			break
		}
		depth++
		rest = r[1:]
	}
	if depth > 0 {
		rest = strings.TrimPrefix(rest, " ")
	}
	return depth, rest
}

// unflow joins lines that end in a blank with the next of the same depth. The
// signature mark "-- " ends in a blank and is never joined.
func unflow(lines []line, delsp bool) []line {
	var out []line
	var b strings.Builder
	open := false
	for i, l := range lines {
		text := l.text
		if l.depth == 0 {
			text = strings.TrimPrefix(text, " ") // space-stuffing
		}
		soft := strings.HasSuffix(text, " ") && text != "-- " && i+1 < len(lines) && lines[i+1].depth == l.depth && lines[i+1].text != "-- "
		if !open {
			out = append(out, line{depth: l.depth})
			b.Reset()
		}
		if soft && delsp {
			text = text[:len(text)-1]
		}
		b.WriteString(text)
		open = soft
		if !open {
			out[len(out)-1].text = b.String()
		}
	}
	return out
}

// mangled tells whether a line has its quote mark from a mailbox file, because
// it begins with "From ": nobody quotes a single such line.
func mangled(raw []string, i int) bool {
	quoted := func(i int) bool { return i >= 0 && i < len(raw) && strings.HasPrefix(raw[i], ">") }
	return strings.HasPrefix(raw[i], ">From ") && !quoted(i-1) && !quoted(i+1)
}

// render writes lines as text, with quote marks.
func render(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		if l.cut {
			continue
		}
		if l.depth > 0 {
			b.WriteString(strings.Repeat(">", min(l.depth, 20)))
			b.WriteByte(' ')
		}
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return strings.Trim(b.String(), "\n")
}
