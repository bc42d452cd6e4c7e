package parse

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxMark        = 300 // bytes of a line that may mark history
	maxAttribution = 600 // bytes of the line above a quotation, put together
	maxSignature   = 15  // lines; more below "--" are no signature
	headerWindow   = 14  // lines in which a header written into the text must end
)

// newText gives what the person wrote anew: history and signature cut away.
//
// Quoted lines always go, and the lines between them stay: they may be
// answers. A line that introduces a quotation goes with it; when what follows
// is not marked as quoted, everything below is history. So is everything below
// a separator ("Original Message"), a header written into the text, and the
// place that HTML marks as the start of history.
func newText(lines []line) string {
	var out []line
	seg := make([]line, 0, len(lines)) // used again for each
	flush := func() {
		own := withoutSignature(seg, len(out) > 0)
		if len(own) > 0 && len(out) > 0 {
			out = append(out, line{})
		}
		out = append(out, own...)
		seg = seg[:0]
	}
	for i := 0; i < len(lines); {
		l := lines[i]
		if l.depth > 0 {
			flush()
			i++
			continue
		}
		if l.cut || separator(l.text) || headerBlock(lines[i:]) {
			break
		}
		if n := attribution(lines, i); n > 0 {
			j := nextText(lines, i+n)
			if j == len(lines) || lines[j].depth == 0 {
				break
			}
			flush()
			i = j
			continue
		}
		if !remnant(lines, i) {
			seg = append(seg, l)
		}
		i++
	}
	flush()
	return render(trimBlank(out))
}

// remnant tells whether a line is the end of the quoted line above it, which a
// program has broken without giving the rest a quote mark.
func remnant(lines []line, i int) bool {
	const wrapped = 60 // bytes; shorter lines are not broken
	if i == 0 || i+1 >= len(lines) || lines[i-1].depth == 0 || lines[i+1].depth == 0 || len(lines[i-1].text) < wrapped {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(lines[i-1].text)
	next, _ := utf8.DecodeRuneInString(lines[i].text)
	return (unicode.IsLetter(last) || last == ',') && unicode.IsLower(next)
}

// nextText gives the index of the first line from i on that is not empty.
func nextText(lines []line, i int) int {
	for i < len(lines) && lines[i].text == "" && !lines[i].cut {
		i++
	}
	return min(i, len(lines))
}

func trimBlank(lines []line) []line {
	for len(lines) > 0 && strings.TrimSpace(lines[0].text) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1].text) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// separator tells whether a line says that an older mail follows.
func separator(text string) bool {
	if len(text) > maxMark || text == "" {
		return false
	}
	s := fold(text)
	bare := strings.Trim(s, "-–—=_#>< .:")
	if !marks.separator[bare] && !strings.HasPrefix(bare, "forwarded by ") {
		return false
	}
	return strings.HasPrefix(s, "--") || strings.HasPrefix(s, "==") || strings.HasPrefix(s, "__") ||
		strings.HasPrefix(s, "——") || strings.HasPrefix(s, "––") || strings.HasSuffix(s, ":")
}

// headerBlock tells whether lines begin with the header of an older mail,
// written into the text in whatever language.
func headerBlock(lines []line) bool {
	key, value := label(lines[0])
	if !marks.from[key] {
		return false
	}
	sent, to, subject, misses := false, false, false, 0
	for _, l := range lines[1:min(len(lines), headerWindow)] {
		if l.text == "" {
			continue
		}
		key, _ := label(l)
		switch {
		case l.depth > 0 || l.cut:
			misses = 3
		case marks.sent[key]:
			sent = true
		case marks.subject[key]:
			subject = true
		case marks.to[key]:
			to = true
		default:
			misses++
		}
		if misses > 2 {
			break
		}
	}
	if sent && to && subject {
		return true
	}
	return strings.Contains(value, "@") && (sent && (to || subject) || to && subject) || subject && sent
}

// label cuts a line at its first colon. The key is folded.
func label(l line) (key, value string) {
	if l.depth > 0 || len(l.text) > 2000 {
		return "", ""
	}
	text := strings.Replace(l.text, "：", ":", 1)
	key, value, ok := strings.Cut(text, ":")
	if !ok || len(key) > 60 {
		return "", ""
	}
	return fold(key), value
}

// attribution tells how many lines from i on introduce a quotation ("On 5 May
// 2026, X wrote:"); 0 when they do not, or when only the later of them do.
func attribution(lines []line, i int) int {
	n := folded(lines, i)
	for k := 1; k < n; k++ {
		if l := lines[i+k]; l.depth == 0 && beginsWithDate(fold(l.text)) && folded(lines, i+k) > 0 {
			return 0
		}
	}
	return n
}

// folded puts lines together, as programs fold an attribution, until they are
// one.
func folded(lines []line, i int) int {
	const most = 6
	if !begins(lines[i].text) {
		return 0
	}
	dated := beginsWithDate(fold(lines[i].text))
	var s strings.Builder
	for n := 0; n < most && i+n < len(lines); n++ {
		l := lines[i+n]
		if l.cut || s.Len()+len(l.text) > maxAttribution || n > 1 && !dated {
			return 0
		}
		if l.depth > 1 || l.depth == 1 && len(l.text) > 40 {
			return 0
		}
		s.WriteString(strings.Repeat(">", l.depth))
		s.WriteString(l.text)
		s.WriteByte(' ')
		if introduces(s.String(), dated) || n == 0 && quoteFollows(lines, i) {
			return n + 1
		}
	}
	return 0
}

// begins tells whether a line can be the first of an attribution.
func begins(text string) bool {
	if text == "" || len(text) > maxAttribution {
		return false
	}
	return strings.Contains(text, "@") || strings.HasSuffix(strings.TrimSpace(text), ":") || beginsWithDate(fold(text))
}

// beginsWithDate tells whether a folded line begins as dates do: with a digit,
// a weekday, or a word such as "on" and a digit somewhere behind it.
func beginsWithDate(s string) bool {
	s = strings.TrimLeft(s, "-–— >")
	if s == "" {
		return false
	}
	if s[0] >= '0' && s[0] <= '9' {
		return true
	}
	word, _, _ := strings.Cut(s, " ")
	word = strings.TrimRight(word, ".,")
	r, _ := utf8.DecodeRuneInString(s)
	if !marks.start[word] && !(wide(r) && marks.start[string(r)]) {
		return false
	}
	return strings.ContainsAny(s, "0123456789")
}

// introduces tells whether a text is the whole of an attribution. With a date
// in front, an address needs no verb, and a verb no address when it stands at
// the end or there is a time of day; else both are needed, and the verb at the
// end: "you write to x@y.example for the first time:" quotes nobody.
func introduces(text string, dated bool) bool {
	s := strings.Trim(fold(text), " -–—_")
	body, colon := strings.CutSuffix(s, ":")
	body = strings.TrimSpace(body)
	if !colon && !endsInVerb(body) {
		return false
	}
	address := strings.Contains(body, "@")
	if !address && !(dated && (endsInVerb(body) || hasTime(body))) || hasAnyWord(body, marks.own) {
		return false
	}
	verb := hasAnyWord(body, marks.wrote)
	switch {
	case verb && !dated && !hasTime(body):
		return endsInVerb(body)
	case verb:
		return true
	case dated && address && colon:
		return strings.HasSuffix(body, ">") || strings.Contains(lastWord(body), "@")
	}
	return false
}

func endsInVerb(s string) bool {
	for _, w := range marks.wrote {
		if strings.HasSuffix(s, w) && hasWord(s[max(0, len(s)-len(w)-4):], w) {
			return true
		}
	}
	return false
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// quoteFollows tells whether a line in a language that we do not know stands
// above a quotation as an attribution does: it ends in a colon and holds an
// address or a time of day.
func quoteFollows(lines []line, i int) bool {
	text := strings.TrimSpace(lines[i].text)
	if !strings.HasSuffix(text, ":") || i > 0 && lines[i-1].text != "" && lines[i-1].depth == 0 {
		return false
	}
	j := nextText(lines, i+1)
	return j < len(lines) && lines[j].depth > 0 && (strings.Contains(text, "@") || hasTime(text))
}

// hasTime finds a time of day such as 9:41.
func hasTime(s string) bool {
	for i := 1; i+2 < len(s); i++ {
		if s[i] == ':' && digit(s[i-1]) && digit(s[i+1]) && digit(s[i+2]) {
			return true
		}
	}
	return false
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// withoutSignature cuts what programs put under the text: a signature below
// "--", the lines of phones, and lines of signs. Closings ("Regards, X") are
// the person's words and stay. after tells whether new text came before.
func withoutSignature(seg []line, after bool) []line {
	for i, l := range seg {
		if l.text != "--" {
			continue
		}
		if (after || len(trimBlank(seg[:i])) > 0) && countText(seg[i+1:]) <= maxSignature {
			seg = seg[:i]
			break
		}
	}
	for len(seg) > 0 && trailing(seg[len(seg)-1].text) {
		seg = seg[:len(seg)-1]
	}
	return trimBlank(withoutPhoneLines(seg))
}

// withoutPhoneLines drops lines of phones that stand alone in the middle:
// some people write below them.
func withoutPhoneLines(seg []line) []line {
	blank := func(i int) bool { return i < 0 || i >= len(seg) || seg[i].text == "" }
	out := make([]line, 0, len(seg))
	for i, l := range seg {
		if blank(i-1) && blank(i+1) && phoneLine(l.text) {
			continue
		}
		out = append(out, l)
	}
	return out
}

func countText(lines []line) int {
	n := 0
	for _, l := range lines {
		if l.text != "" {
			n++
		}
	}
	return n
}

// trailing tells whether a last line says nothing: it is empty, a row of
// signs, or the line of a phone.
func trailing(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || text == "ᐧ" || text == "--" || len(text) > 2 && strings.Trim(text, "-_=*#~+—–") == "" || phoneLine(text)
}

// phoneLine tells whether a line is what a phone or a program adds by itself.
func phoneLine(text string) bool {
	const most = 110
	if text == "" || len(text) > 2*most || utf8.RuneCountInString(text) > most {
		return false
	}
	s := strings.Trim(fold(text), "<>()[]-–—_ .!")
	if digits(s) > 12 && !strings.Contains(s, "http") || strings.Contains(s, "@") {
		return false
	}
	for _, p := range marks.mobile {
		if !strings.HasPrefix(s, p) {
			continue
		}
		if p == "sent from my" && strings.Count(s, " ") <= 4 || strings.Contains(p, "outlook") {
			return true
		}
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '.' }) {
			if marks.device[w] {
				return true
			}
		}
	}
	return false
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		if digit(s[i]) {
			n++
		}
	}
	return n
}
