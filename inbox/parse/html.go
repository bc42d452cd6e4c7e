package parse

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxOpen bounds how many elements may be open at once; deeper ones are read
// as if their tags were not there.
const maxOpen = 1000

// element is one open element.
type element struct {
	name   string
	hidden bool // it, or one that it is in, is not shown
	quoted bool // it adds one to the depth of quotes
	tight  bool // nobody sees an empty line after it
	pre    bool
	ink    colour
	ground colour
}

// htmlReader turns the tokens of HTML into lines.
type htmlReader struct {
	sheet  sheet
	open   []element
	count  map[string]int // open elements by name
	lines  []line
	buf    strings.Builder
	space  bool // a blank is due before the next word
	depth  int
	left   int // bytes of text that may still come
	hidden bool
}

// skipped are elements whose content nobody reads.
var skipped = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Title: true, atom.Head: true, atom.Template: true, atom.Noscript: true,
	atom.Object: true, atom.Svg: true, atom.Iframe: true, atom.Select: true, atom.Textarea: true, atom.Noembed: true, atom.Noframes: true,
}

// blocks are elements that begin and end a line.
var blocks = map[atom.Atom]bool{
	atom.Div: true, atom.P: true, atom.Ul: true, atom.Ol: true, atom.Li: true, atom.Table: true, atom.Tr: true, atom.Blockquote: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Pre: true, atom.Hr: true,
	atom.Section: true, atom.Article: true, atom.Header: true, atom.Footer: true, atom.Dl: true, atom.Dt: true, atom.Dd: true,
	atom.Center: true, atom.Address: true, atom.Form: true, atom.Fieldset: true, atom.Tbody: true, atom.Thead: true, atom.Main: true,
	atom.Body: true, atom.Html: true, atom.Figure: true, atom.Aside: true, atom.Nav: true,
}

// spaced are blocks that readers see with an empty line after them.
var spaced = map[atom.Atom]bool{
	atom.P: true, atom.Ul: true, atom.Ol: true, atom.Table: true, atom.Blockquote: true, atom.Pre: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true,
}

var void = map[atom.Atom]bool{
	atom.Br: true, atom.Hr: true, atom.Img: true, atom.Input: true, atom.Meta: true, atom.Link: true, atom.Area: true, atom.Base: true,
	atom.Col: true, atom.Embed: true, atom.Param: true, atom.Source: true, atom.Track: true, atom.Wbr: true,
}

// htmlLines makes lines of HTML as a reader sees it, at most so many bytes of
// text, and tells whether the HTML hides text from that reader.
func htmlLines(s string, limit int) ([]line, bool) {
	r := &htmlReader{count: map[string]int{}, left: limit, sheet: readSheets(s)}
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(0)
	for r.left > 0 {
		switch z.Next() {
		case html.ErrorToken:
			r.endLine()
			return squeeze(r.lines), r.hidden
		case html.TextToken:
			r.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(z.Token())
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(string(name))
		}
	}
	r.endLine()
	return squeeze(r.lines), r.hidden
}

// top gives the innermost open element; when there is none, text in the
// reader's own colour on white. That colour is never taken for hiding: clients
// that drop a dark ground show such text.
func (r *htmlReader) top() element {
	if len(r.open) == 0 {
		return element{ground: white}
	}
	return r.open[len(r.open)-1]
}

func (r *htmlReader) start(t html.Token) {
	r.implied(t.DataAtom)
	attrs := map[string]string{}
	for _, a := range t.Attr {
		if _, twice := attrs[a.Key]; !twice {
			attrs[a.Key] = a.Val
		}
	}
	switch t.DataAtom {
	case atom.Br:
		r.breakLine()
		return
	case atom.Img:
		return // alternative texts are not the person's words
	}
	if blocks[t.DataAtom] {
		r.endLine()
	}
	if historyMark(t.DataAtom, attrs) && !r.top().hidden {
		r.endLine()
		r.lines = append(r.lines, line{cut: true, depth: r.depth})
	}
	if void[t.DataAtom] {
		return
	}
	r.push(t, attrs)
	switch t.DataAtom {
	case atom.Li:
		if !r.top().hidden {
			r.buf.WriteString("- ")
		}
	case atom.Td, atom.Th:
		r.space = true
	}
}

func (r *htmlReader) push(t html.Token, attrs map[string]string) {
	if len(r.open) >= maxOpen {
		return
	}
	e := r.top()
	e.name, e.quoted, e.tight = t.Data, false, tight(attrs)
	if skipped[t.DataAtom] {
		e.hidden = true
	}
	e.pre = e.pre || t.DataAtom == atom.Pre
	look := r.sheet.look(t.Data, attrs)
	if look.ground.set {
		e.ground = look.ground
	}
	if look.ink.set {
		e.ink = look.ink
	}
	e.hidden = e.hidden || look.hidden
	if t.DataAtom == atom.Blockquote && !indentOnly(attrs) {
		e.quoted = true
		r.depth++
	}
	r.open = append(r.open, e)
	r.count[e.name]++
}

// implied closes the elements that a start tag ends without saying so.
func (r *htmlReader) implied(a atom.Atom) {
	top := r.top().name
	switch {
	case top == "p" && blocks[a], top == "li" && a == atom.Li, top == "option" && a == atom.Option,
		(top == "td" || top == "th") && (a == atom.Td || a == atom.Th || a == atom.Tr),
		(top == "dt" || top == "dd") && (a == atom.Dt || a == atom.Dd),
		top == "tr" && a == atom.Tr, top == "head" && a == atom.Body:
		r.end(top)
		if a == atom.Tr && r.top().name == "tr" {
			r.end("tr")
		}
	}
}

func (r *htmlReader) end(name string) {
	a := atom.Lookup([]byte(name))
	if blocks[a] {
		r.endLine()
	}
	if top := r.top(); spaced[a] && len(r.lines) > 0 && !top.hidden && !(top.name == name && top.tight) {
		r.lines = append(r.lines, line{depth: r.depth})
	}
	if r.count[name] == 0 {
		return
	}
	for {
		e := r.top()
		r.open = r.open[:len(r.open)-1]
		r.count[e.name]--
		if e.quoted {
			r.depth--
		}
		if e.name == name {
			return
		}
	}
}

func (r *htmlReader) text(s string) {
	e := r.top()
	s = clean(html.UnescapeString(s))
	if e.hidden || e.ink.near(e.ground) {
		if strings.TrimSpace(s) != "" && !r.inSkipped() {
			r.hidden = true
		}
		return
	}
	if e.pre {
		for i, t := range strings.Split(s, "\n") {
			if i > 0 {
				r.breakLine()
			}
			r.write(t)
		}
		return
	}
	for i, w := range strings.Fields(s) {
		if i > 0 || r.space || strings.TrimLeft(s, " \t\n") != s {
			if n := r.buf.Len(); n > 0 && r.buf.String()[n-1] != ' ' {
				r.write(" ")
			}
		}
		r.space = false
		r.write(w)
	}
	if s != "" && strings.TrimRight(s, " \t\n") != s {
		r.space = true
	}
}

// inSkipped tells whether the text is hidden only because it is the content of
// a script, a style sheet or the like.
func (r *htmlReader) inSkipped() bool {
	for name, n := range r.count {
		if n > 0 && skipped[atom.Lookup([]byte(name))] {
			return true
		}
	}
	return false
}

func (r *htmlReader) write(s string) {
	s = s[:min(len(s), max(r.left, 0))] // an end of a line may have been one too many
	r.buf.WriteString(s)
	r.left -= len(s)
}

// breakLine ends the line even if it is empty. Plain text that was made HTML
// still has its quote marks.
func (r *htmlReader) breakLine() {
	depth, text := quoteDepth(r.buf.String())
	r.lines = append(r.lines, line{text: strings.TrimRight(text, " "), depth: r.depth + depth})
	r.buf.Reset()
	r.space = false
	r.left--
}

// endLine ends the line if there is something in it.
func (r *htmlReader) endLine() {
	switch strings.TrimSpace(r.buf.String()) {
	case "":
		r.buf.Reset()
		r.space = false
	case "-": // a list item whose text is in a block of its own
	default:
		r.breakLine()
	}
}

// squeeze leaves one empty line where there are several.
func squeeze(lines []line) []line {
	out := lines[:0]
	for _, l := range lines {
		if l.text == "" && !l.cut && (len(out) == 0 || out[len(out)-1].text == "" && !out[len(out)-1].cut) {
			continue
		}
		out = append(out, l)
	}
	for len(out) > 0 && out[len(out)-1].text == "" && !out[len(out)-1].cut {
		out = out[:len(out)-1]
	}
	return out
}

// tight tells whether a paragraph has no margins, as Outlook's have.
func tight(attrs map[string]string) bool {
	style := strings.ToLower(strings.ReplaceAll(attrs["style"], " ", ""))
	return strings.Contains(attrs["class"], "MsoNormal") || strings.HasPrefix(style, "margin:0") || strings.Contains(style, ";margin:0")
}

// indentOnly tells whether a blockquote is only used to indent text, as older
// composers do.
func indentOnly(attrs map[string]string) bool {
	style := strings.ToLower(strings.ReplaceAll(attrs["style"], " ", ""))
	return attrs["cite"] == "" && attrs["class"] == "" && attrs["type"] == "" &&
		strings.Contains(style, "margin:00040px") && strings.Contains(style, "border:none")
}

// historyMark tells whether an element is how a mail program marks the start
// of the mail that is answered.
func historyMark(a atom.Atom, attrs map[string]string) bool {
	id := strings.ToLower(strings.TrimPrefix(attrs["id"], "x_"))
	switch id {
	case "divrplyfwdmsg", "appendonsend", "mail-editor-reference-message-container", "olk_src_body_section", "stopspelling", "replysplit":
		return true
	}
	for _, c := range strings.Fields(strings.ToLower(attrs["class"])) {
		switch strings.TrimPrefix(c, "x_") {
		case "yahoo_quoted", "outlookmessageheader", "ms-outlook-mobile-reference-message":
			return true
		}
	}
	return a == atom.Div && outlookRule(attrs["style"])
}

// outlookRule tells whether a style is the thin line that Outlook draws above
// the header of the mail that is answered.
func outlookRule(style string) bool {
	s := strings.ToLower(strings.ReplaceAll(style, " ", ""))
	return strings.HasPrefix(s, "border:none;border-top:solid#") && strings.Contains(s, "padding:3.0pt0")
}
