package parse

import (
	"strconv"
	"strings"
)

// colour is a colour of text or of its ground.
type colour struct {
	r, g, b int
	set     bool
}

var (
	black = colour{set: true}
	white = colour{255, 255, 255, true}
)

// near tells whether nobody can tell the two apart.
func (c colour) near(d colour) bool {
	const eye = 12
	abs := func(n int) int { return max(n, -n) }
	return c.set && d.set && abs(c.r-d.r) < eye && abs(c.g-d.g) < eye && abs(c.b-d.b) < eye
}

// look is how an element is shown, as far as it decides whether it is read.
type look struct {
	hidden      bool
	ink, ground colour
}

// over puts the properties of l over those of under.
func (l look) over(under look) look {
	l.hidden = l.hidden || under.hidden
	if !l.ink.set {
		l.ink = under.ink
	}
	if !l.ground.set {
		l.ground = under.ground
	}
	return l
}

// sheet holds the rules of style sheets that bear on reading, by selector:
// "p", ".class", "#id", "p.class". Others are not understood.
type sheet map[string]look

const maxRules = 2000

// readSheets reads the style elements of a document. Rules inside @media and
// the like hold for some screens only and are left out.
func readSheets(s string) sheet {
	sh := sheet{}
	lower := strings.ToLower(s)
	if len(lower) != len(s) {
		return sh
	}
	for {
		i := strings.Index(lower, "<style")
		if i < 0 {
			return sh
		}
		lower = lower[i:]
		j := strings.IndexByte(lower, '>')
		end := strings.Index(lower, "</style")
		if j < 0 || end < j {
			return sh
		}
		sh.read(lower[j+1 : end])
		lower = lower[end:]
	}
}

func (sh sheet) read(css string) {
	css = strings.NewReplacer("<!--", "", "-->", "").Replace(withoutComments(css))
	for len(sh) < maxRules {
		sel, rest, ok := strings.Cut(css, "{")
		if !ok {
			return
		}
		if strings.HasPrefix(strings.TrimSpace(sel), "@") {
			css = afterBlock(rest)
			continue
		}
		decl, after, _ := strings.Cut(rest, "}")
		if l := readStyle(decl); l != (look{}) {
			for s := range strings.SplitSeq(sel, ",") {
				if s = strings.TrimSpace(s); s != "" && len(sh) < maxRules && !strings.ContainsAny(s, " >+~:[*") {
					sh[s] = l.over(sh[s])
				}
			}
		}
		css = after
	}
}

func withoutComments(css string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(css, "/*")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, css, _ = strings.Cut(rest, "*/")
	}
}

// afterBlock gives what follows the block whose opening brace was just read.
func afterBlock(css string) string {
	depth := 1
	for i := 0; i < len(css); i++ {
		switch css[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return css[i+1:]
			}
		}
	}
	return ""
}

// look gives how an element is shown by itself.
func (sh sheet) look(name string, attrs map[string]string) look {
	l := readStyle(strings.ToLower(attrs["style"]))
	if _, ok := attrs["hidden"]; ok {
		l.hidden = true
	}
	if c := readColour(strings.ToLower(attrs["color"])); c.set && !l.ink.set {
		l.ink = c
	}
	if c := readColour(strings.ToLower(attrs["bgcolor"])); c.set && !l.ground.set {
		l.ground = c
	}
	if len(sh) == 0 {
		return l
	}
	name = strings.ToLower(name)
	if id := strings.ToLower(attrs["id"]); id != "" {
		l = l.over(sh["#"+id]).over(sh[name+"#"+id])
	}
	for i, c := range strings.Fields(strings.ToLower(attrs["class"])) {
		if i == 20 {
			break
		}
		l = l.over(sh["."+c]).over(sh[name+"."+c])
	}
	return l.over(sh[name])
}

// readStyle reads declarations in lower case.
func readStyle(style string) look {
	var l look
	var clipped, small bool
	for d := range strings.SplitSeq(style, ";") {
		key, value, ok := strings.Cut(d, ":")
		if !ok {
			continue
		}
		key = strings.TrimSpace(key)
		value = strings.TrimSpace(strings.ReplaceAll(value, "!important", ""))
		switch key {
		case "display":
			l.hidden = l.hidden || value == "none"
		case "visibility":
			l.hidden = l.hidden || value == "hidden" || value == "collapse"
		case "mso-hide":
			l.hidden = l.hidden || value == "all"
		case "font-size", "opacity":
			l.hidden = l.hidden || tiny(value)
		case "text-indent", "left", "margin-left", "top":
			l.hidden = l.hidden || strings.HasPrefix(value, "-") && length(value[1:]) >= 999
		case "overflow":
			clipped = clipped || value == "hidden"
		case "max-height", "height", "max-width", "width":
			small = small || tiny(value) && value != "auto"
		case "color":
			if value == "transparent" {
				l.hidden = true
			}
			l.ink = readColour(value)
		case "background", "background-color":
			l.ground = readGround(value)
		}
	}
	l.hidden = l.hidden || clipped && small
	return l
}

// tiny tells whether a length is too small to read.
func tiny(value string) bool {
	n := length(value)
	switch {
	case n < 0:
		return false
	case strings.HasSuffix(value, "em"), strings.HasSuffix(value, "%") && n < 1, !strings.ContainsAny(value, "pxt%em"):
		return n < 0.05
	}
	return n <= 1
}

// length reads the number that a value begins with; -1 when there is none.
func length(value string) float64 {
	i := 0
	for i < len(value) && (value[i] >= '0' && value[i] <= '9' || value[i] == '.') {
		i++
	}
	n, err := strconv.ParseFloat(value[:i], 64)
	if err != nil {
		return -1
	}
	return n
}

// readGround finds a colour among the words of a background.
func readGround(value string) colour {
	if strings.Contains(value, "(") {
		return readColour(value)
	}
	for _, w := range strings.Fields(value) {
		if c := readColour(w); c.set {
			return c
		}
	}
	return colour{}
}

var colourNames = map[string]colour{
	"white": white, "black": black, "red": {255, 0, 0, true}, "blue": {0, 0, 255, true}, "green": {0, 128, 0, true}, "gray": {128, 128, 128, true},
	"grey": {128, 128, 128, true}, "silver": {192, 192, 192, true}, "navy": {0, 0, 128, true}, "yellow": {255, 255, 0, true},
	"snow": {255, 250, 250, true}, "ivory": {255, 255, 240, true}, "whitesmoke": {245, 245, 245, true}, "windowtext": black, "window": white,
}

// readColour reads a name, #rgb, #rrggbb or rgb(r, g, b).
func readColour(s string) colour {
	s = strings.TrimSpace(s)
	if c, ok := colourNames[s]; ok {
		return c
	}
	if body, ok := strings.CutPrefix(s, "rgb"); ok {
		_, body, _ = strings.Cut(body, "(")
		body, _, _ = strings.Cut(body, ")")
		p := strings.FieldsFunc(body, func(r rune) bool { return r == ',' || r == ' ' || r == '/' })
		if len(p) < 3 {
			return colour{}
		}
		var v [3]int
		for i := range v {
			n, err := strconv.Atoi(p[i])
			if err != nil || n < 0 || n > 255 {
				return colour{}
			}
			v[i] = n
		}
		return colour{v[0], v[1], v[2], true}
	}
	hex := strings.TrimPrefix(s, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if len(hex) != 6 || err != nil {
		return colour{}
	}
	return colour{int(n >> 16), int(n >> 8 & 255), int(n & 255), true}
}
