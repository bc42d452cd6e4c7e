package templates

import (
	"strconv"
	"strings"
)

// block is one piece of a letter; exactly one of its forms is set.
type block struct {
	Para  []span
	Lines [][]span
	List  *list
}

// list is a list, numbered from Start when that is not 0.
type list struct {
	Start int
	Items []listItem
}

type listItem struct {
	Spans []span
	Sub   [][]span
}

// span is a run of text; the only link is the site's account URL.
type span struct {
	Text string
	Link bool
}

const subjectPrefix = "Subject:"

// parseMarkup reads what a letter's template wrote. Every text is markup of
// some form; there are no errors.
func parseMarkup(markup string) (subject string, blocks []block) {
	markup = strings.TrimLeft(markup, "\n \t")
	if rest, ok := strings.CutPrefix(markup, subjectPrefix); ok {
		subject, markup, _ = strings.Cut(rest, "\n")
		subject = strings.TrimSpace(unmarked(subject))
	}
	var chunk []string
	flush := func() {
		if len(chunk) > 0 {
			blocks = append(blocks, parseBlock(chunk))
			chunk = nil
		}
	}
	for line := range strings.SplitSeq(markup, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" {
			flush()
			continue
		}
		chunk = append(chunk, line)
	}
	flush()
	return subject, blocks
}

// parseBlock reads the lines between two blank ones; the first decides what
// they are.
func parseBlock(lines []string) block {
	if strings.HasPrefix(lines[0], "|") {
		var b block
		for _, line := range lines {
			b.Lines = append(b.Lines, spans(strings.TrimPrefix(strings.TrimPrefix(line, "|"), " ")))
		}
		return b
	}
	if _, _, ok := cutMarker(lines[0]); ok {
		return block{List: parseList(lines)}
	}
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return block{Para: spans(strings.Join(lines, " "))}
}

func parseList(lines []string) *list {
	var l list
	var texts [][]string // per item: its own text, then those of its sub-items
	for i, line := range lines {
		number, rest, ok := cutMarker(line)
		sub, isSub := strings.CutPrefix(strings.TrimLeft(line, " \t"), "- ")
		switch {
		case ok:
			if i == 0 {
				l.Start = number
			}
			texts = append(texts, []string{rest})
		case isSub:
			texts[len(texts)-1] = append(texts[len(texts)-1], sub)
		default:
			item := texts[len(texts)-1]
			item[len(item)-1] += " " + strings.TrimSpace(line)
		}
	}
	for _, item := range texts {
		li := listItem{Spans: spans(item[0])}
		for _, s := range item[1:] {
			li.Sub = append(li.Sub, spans(s))
		}
		l.Items = append(l.Items, li)
	}
	return &l
}

// cutMarker splits "- text" and "12. text"; the number of a dash is 0.
func cutMarker(line string) (number int, rest string, ok bool) {
	if rest, ok := strings.CutPrefix(line, "- "); ok {
		return 0, rest, true
	}
	digits, rest, ok := strings.Cut(line, ". ")
	if !ok || len(digits) == 0 || len(digits) > 3 || strings.Trim(digits, "0123456789") != "" {
		return 0, "", false
	}
	number, err := strconv.Atoi(digits)
	return number, rest, err == nil && number > 0
}

// spans splits a line at its links and drops the marks.
func spans(line string) []span {
	var out []span
	for line != "" {
		before, rest, found := strings.Cut(line, string(linkOpen))
		if text := unmarked(before); text != "" {
			out = append(out, span{Text: text})
		}
		if !found {
			break
		}
		url, after, _ := strings.Cut(rest, string(linkClose))
		out = append(out, span{Text: unmarked(url), Link: true})
		line = after
	}
	return out
}

// unmarked drops the marks of values and links.
func unmarked(s string) string {
	return strings.Map(func(r rune) rune {
		if r == inert || r == linkOpen || r == linkClose {
			return -1
		}
		return r
	}, s)
}

// plainText writes blocks as plain text. Paragraphs are single lines: the
// reader's screen folds them where it ends.
func plainText(blocks []block) string {
	var parts []string
	for _, b := range blocks {
		switch {
		case b.List != nil:
			parts = append(parts, b.List.text())
		case b.Lines != nil:
			lines := make([]string, len(b.Lines))
			for i, l := range b.Lines {
				lines[i] = spanText(l)
			}
			parts = append(parts, strings.Join(lines, "\n"))
		default:
			parts = append(parts, spanText(b.Para))
		}
	}
	return strings.Join(parts, "\n\n") + "\n"
}

func (l *list) text() string {
	items := make([]string, len(l.Items))
	gap := "\n"
	for i, item := range l.Items {
		marker := "- "
		if l.Start > 0 {
			marker = strconv.Itoa(l.Start+i) + ". "
		}
		items[i] = marker + spanText(item.Spans)
		for _, s := range item.Sub {
			items[i] += "\n   - " + spanText(s)
			gap = "\n\n"
		}
	}
	return strings.Join(items, gap)
}

func spanText(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}
