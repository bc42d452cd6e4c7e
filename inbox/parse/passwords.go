package parse

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// labelKind says what a label is followed by; the larger wins where a word is
// in two sections.
type labelKind int

const (
	labelNone     labelKind = iota
	labelShort              // a password, behind a colon or an equals sign only
	labelPassword           // a password
	labelCode               // the digits of a card's PIN or security code
)

// How a label and what follows it are parted, the least telling first.
const (
	byNothing = iota
	byWord    // is
	byDash    // –
	byColon   // : or =
)

const (
	maxSecret = 512 // bytes of one secret; what is longer is masked so far
	maxQuoted = 100 // bytes of a secret in quotes
	maxLinks  = 6   // words between a label and its sign
	minSecret = 4   // characters; nothing shorter is a password
)

// scanWord is a word of a text: letters, digits and marks.
type scanWord struct{ start, end int }

// scanWords finds the words of a text.
func scanWords(s string) []scanWord {
	var words []scanWord
	start := -1
	for i, r := range s {
		in := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		switch {
		case in && start < 0:
			start = i
		case !in && start >= 0:
			words = append(words, scanWord{start, i})
			start = -1
		}
	}
	if start >= 0 {
		words = append(words, scanWord{start, len(s)})
	}
	return words
}

// lowered lowers a word letter by letter; what is longer than any word of the lists is left.
func lowered(s string) string {
	const longest = 60
	if len(s) > longest {
		return s
	}
	return strings.Map(unicode.ToLower, s)
}

// secretReader looks for passwords in a text.
type secretReader struct {
	s     string
	words []scanWord
}

// passwordSpans finds what stands behind the words for passwords and codes.
// From each label only a bounded stretch is read, so the work is linear.
func passwordSpans(s string) []span {
	r := secretReader{s, scanWords(s)}
	var found []span
	for i := 0; i < len(r.words); i++ {
		kind, n := r.label(i)
		if kind == labelNone {
			continue
		}
		if x, ok := r.behind(kind, i, i+n); ok {
			found = append(found, x)
		}
		i += n - 1
	}
	return found
}

// text gives word i in lower case.
func (r secretReader) text(i int) string { return lowered(r.s[r.words[i].start:r.words[i].end]) }

// label tells whether a label begins at word i, and of how many words it is:
// the longest counts.
func (r secretReader) label(i int) (labelKind, int) {
	first := r.text(i)
	if !secretWords.first[first] {
		return labelNone, 0
	}
	best, words := secretWords.label[first], 1
	for n, phrase := 2, first; n <= 3 && i+n <= len(r.words); n++ {
		if gap := r.s[r.words[i+n-2].end:r.words[i+n-1].start]; gap != " " && gap != "-" && gap != "\n" {
			break
		}
		phrase += " " + r.text(i+n-1)
		if k := secretWords.label[phrase]; k != labelNone {
			best, words = k, n
		}
	}
	return best, words
}

// behind finds the secret behind the label that is the words from i to before
// next.
func (r secretReader) behind(kind labelKind, i, next int) (span, bool) {
	at := r.words[next-1].end
	if r.inCompound(at) {
		return span{}, false
	}
	by, value := r.sign(at)
	if kind == labelCode {
		return r.code(value, by)
	}
	linked := false
	if by == byNothing && kind == labelPassword {
		if b, v := r.linkedSign(at, next); b != byNothing {
			by, value, linked = b, v, true
		}
	}
	if kind == labelShort && (by != byColon || r.otherPass(i)) {
		return span{}, false
	}
	if x, ok := r.quoted(value, by); ok {
		return x, true
	}
	if r.paired(i) && by != byNothing {
		if x, ok := r.second(value); ok {
			return x, true
		}
	}
	return r.token(i, value, by, linked)
}

// otherPass tells whether a short label is the end of a longer name: "boarding
// pass".
func (r secretReader) otherPass(i int) bool {
	if i == 0 || r.s[r.words[i-1].end:r.words[i].start] != " " {
		return false
	}
	before := r.text(i - 1)
	return !secretWords.link[before] && !secretWords.and[before]
}

// inCompound tells whether the label is only the beginning of a word with a
// hyphen: "password-protected".
func (r secretReader) inCompound(at int) bool {
	rest, ok := strings.CutPrefix(r.s[at:], "-")
	c, _ := utf8.DecodeRuneInString(rest)
	return ok && unicode.IsLetter(c)
}

// sign reads what parts a label from its secret, and gives where that begins.
func (r secretReader) sign(at int) (by, value int) {
	by = byNothing
	if strings.HasPrefix(r.s[at:], "'s ") || strings.HasPrefix(r.s[at:], "’s ") {
		return byWord, at + strings.IndexByte(r.s[at:], ' ') + 1
	}
	if c, n := utf8.DecodeRuneInString(r.s[at:]); strings.ContainsRune(`"'”»“`, c) && n > 0 {
		at += n // the label was in quotes
	}
	for range 4 {
		at = r.blanks(at, by == byColon)
		b, n := r.oneSign(at)
		if n == 0 {
			break
		}
		by, at = max(by, b), at+n
	}
	return by, at
}

// blanks passes over blanks and the marks of bold text, and where a line may
// end over an empty one, too.
func (r secretReader) blanks(at int, lineEnd bool) int {
	ends := 0
	for n := 0; n < 8 && at < len(r.s); n++ {
		switch c := r.s[at]; {
		case c == ' ' || c == '\t' || c == '*' && r.markup(at):
		case c == '\n' && lineEnd && ends < 2:
			ends++
		default:
			return at
		}
		at++
	}
	return at
}

// markup tells whether an asterisk ends or begins bold text, and is no part of
// a row of them.
func (r secretReader) markup(at int) bool {
	return !strings.HasPrefix(r.s[at:], "**")
}

func (r secretReader) oneSign(at int) (by, n int) {
	c, size := utf8.DecodeRuneInString(r.s[at:])
	switch {
	case size == 0:
		return byNothing, 0
	case strings.ContainsRune(":：=", c):
		return byColon, size
	case strings.HasPrefix(r.s[at:], "->"):
		return byDash, 2
	case strings.ContainsRune("–—→", c):
		return byDash, size
	case c == '-' && r.apart(at):
		return byDash, size
	}
	end := at
	for end < len(r.s) && end-at < 20 && r.s[end] != ' ' && r.s[end] != ':' && r.s[end] != '\n' {
		end++
	}
	if end > at && secretWords.is[lowered(r.s[at:end])] && end < len(r.s) {
		return byWord, end - at
	}
	return byNothing, 0
}

// apart tells whether a blank stands on a side of a hyphen.
func (r secretReader) apart(at int) bool {
	return at > 0 && r.s[at-1] == ' ' || at+1 < len(r.s) && r.s[at+1] == ' '
}

// linkedSign looks for the sign behind words that say what the password is
// for: "password for my account: x".
func (r secretReader) linkedSign(at, next int) (by, value int) {
	for k := next; k < len(r.words) && k < next+maxLinks; k++ {
		w := r.words[k]
		if !linkGap(r.s[at:w.start]) || !secretWords.link[r.text(k)] && !r.inDomain(w) {
			return byNothing, 0
		}
		at = w.end
		if by, value := r.sign(at); by != byNothing {
			return by, value
		}
	}
	return byNothing, 0
}

// linkGap tells whether two words belong to one phrase.
func linkGap(gap string) bool {
	return len(gap) <= 2 && strings.Trim(gap, " .-@()'’") == ""
}

// inDomain tells whether a word is part of a domain name or an address.
func (r secretReader) inDomain(w scanWord) bool {
	dot := func(i int) bool { return i >= 0 && i < len(r.s) && (r.s[i] == '.' || r.s[i] == '@') }
	inner := func(i int) bool { return i >= 0 && i < len(r.s) && r.s[i] > ' ' }
	return dot(w.end) && inner(w.end+1) || dot(w.start-1) && inner(w.start-2)
}

// code finds the digits of a PIN or a security code.
func (r secretReader) code(at, by int) (span, bool) {
	n := 0
	for at+n < len(r.s) && digit(r.s[at+n]) {
		n++
	}
	next, _ := utf8.DecodeRuneInString(r.s[at+n:])
	if n < 3 || n > 4 || unicode.IsLetter(next) || next == '_' || strings.ContainsRune("./-", next) && at+n+1 < len(r.s) && digit(r.s[at+n+1]) {
		return span{}, false
	}
	if n == 3 && postal.MatchString(r.s[at:min(len(r.s), at+8)]) {
		return span{}, false
	}
	return span{start: at, end: at + n}, true
}

// postal is the second half of an Indian postal code, which is called a PIN, too.
var postal = regexp.MustCompile(`^[0-9]{3} [0-9]{3}\b`)

var closing = map[rune]rune{'"': '"', '\'': '\'', '“': '”', '”': '”', '„': '“', '«': '»', '‘': '’', '`': '`', '»': '«'}

// quoted finds a secret in quotes.
func (r secretReader) quoted(at, by int) (span, bool) {
	open, n := utf8.DecodeRuneInString(r.s[at:])
	end := closing[open]
	if end == 0 || by == byNothing && (at == 0 || r.s[at-1] != ' ') {
		return span{}, false
	}
	from := at + n
	window := r.s[from:min(len(r.s), from+maxQuoted)]
	line, _, _ := strings.Cut(window, "\n")
	ends := string(end)
	if open == '„' {
		ends = "“”\""
	}
	i := strings.IndexAny(line, ends)
	if i <= 0 || isSentence(line[:i], by) {
		return span{}, false
	}
	return span{start: from, end: from + i}, true
}

// isSentence tells whether what is in quotes reads like the words of a button
// or of an error: one word that no password is made of, or half of them where
// a sign says that a password follows.
func isSentence(s string, by int) bool {
	words, ordinary := scanWords(s), 0
	for _, w := range words {
		if secretWords.word[lowered(s[w.start:w.end])] {
			ordinary++
		}
	}
	if by == byNothing && ordinary > 0 {
		return true
	}
	return len(words) == 0 || s[0] == ' ' || 2*ordinary >= len(words)
}

// paired tells whether the label is the second of two: "login/password".
func (r secretReader) paired(i int) bool {
	if before := strings.TrimRight(r.s[max(0, r.words[i].start-3):r.words[i].start], " "); before != "" && strings.IndexByte("/|+&", before[len(before)-1]) >= 0 {
		return true
	}
	return i > 0 && secretWords.and[r.text(i-1)] && linkGap(r.s[r.words[i-1].end:r.words[i].start])
}

// second finds the second of two values: "ann / hunter2".
func (r secretReader) second(at int) (span, bool) {
	const signs = "/|,;: "
	end := at
	for end < len(r.s) && end-at < maxQuoted && r.s[end] > ' ' && strings.IndexByte("/|;,", r.s[end]) < 0 {
		end++
	}
	from, strict := end, true
	for from < len(r.s) && from-end < 4 && strings.IndexByte(signs, r.s[from]) >= 0 {
		strict = strict && r.s[from] == ' '
		from++
	}
	if from == end || end == at {
		return span{}, false
	}
	x := r.run(from)
	t := r.s[x.start:x.end]
	if strict && !strongSecret(t) || !strongSecret(t) && !plainSecret(t) {
		return span{}, false
	}
	return x, true
}

// token judges the run of signs at a place: whether it is a password.
func (r secretReader) token(i, at, by int, linked bool) (span, bool) {
	x := r.run(at)
	if inQuery := i < len(r.words) && r.words[i].start > 0 && strings.IndexByte("?&", r.s[r.words[i].start-1]) >= 0; inQuery && by == byColon {
		if n := strings.IndexAny(r.s[x.start:x.end], "&#"); n >= 0 {
			x.end = x.start + n
		}
		return x, x.end > x.start
	}
	t := r.s[x.start:x.end]
	if isAddress(t) { // the login came first
		if y, ok := r.second(x.start); ok && by != byNothing {
			return y, true
		}
		return span{}, false
	}
	switch {
	case by == byNothing:
		return x, mixedSecret(t)
	case strongSecret(t):
		return x, true
	case linked || !r.sole(x.end) || strings.Contains(r.s[r.words[i].end:x.start], "\n"):
		return span{}, false
	case by == byColon:
		return x, plainSecret(t)
	case by == byDash:
		return x, plainSecret(t) && latinWord(t) && !latinWord(r.text(i))
	}
	return span{}, false
}

// run gives the signs up to the next blank, without what ends a sentence.
func (r secretReader) run(at int) span {
	end := at
	for end < len(r.s) && end-at < maxSecret && r.s[end] != ' ' && r.s[end] != '\n' && r.s[end] != '\t' {
		end++
	}
	for end > at && end < len(r.s) && !utf8.RuneStart(r.s[end]) {
		end-- // no part of a character
	}
	for end > at {
		c, n := utf8.DecodeLastRuneInString(r.s[at:end])
		if !strings.ContainsRune(".,;:)]}>\"'”»*", c) {
			break
		}
		end -= n
	}
	return span{start: at, end: end}
}

// sole tells whether a word is the last of its line or sentence.
func (r secretReader) sole(end int) bool {
	rest, _, _ := strings.Cut(r.s[end:min(len(r.s), end+20)], "\n")
	rest = strings.TrimLeft(rest, " *)\"'”»")
	return rest == "" || strings.IndexByte(".,;/|(", rest[0]) >= 0
}

// strongSecret tells whether a run of signs looks like a password wherever a
// password is named: digits, or letters mixed with digits, signs or capitals.
func strongSecret(t string) bool {
	if utf8.RuneCountInString(t) < minSecret || isAddress(t) || isLink(t) {
		return false
	}
	if secretWords.common[lowered(t)] {
		return true
	}
	letters, digits, signs, inner := shape(t)
	switch {
	case letters == 0:
		return digits >= minSecret && signs == 0
	case digits > 0 || signs > 0:
		return true
	}
	return inner
}

// mixedSecret tells whether a run of signs is a password although no sign
// stands before it: letters and digits, with nothing that parts words.
func mixedSecret(t string) bool {
	const shortest = 6
	letters, digits, _, _ := shape(t)
	return letters > 0 && digits > 0 && utf8.RuneCountInString(t) >= shortest && !isAddress(t) && !isLink(t) && !strings.ContainsAny(t, ".,/-:()")
}

// plainSecret tells whether a word of letters may be a password.
func plainSecret(t string) bool {
	if utf8.RuneCountInString(t) < minSecret || isAddress(t) || isLink(t) {
		return false
	}
	for _, w := range scanWords(t) {
		if secretWords.word[lowered(t[w.start:w.end])] {
			return false
		}
	}
	letters, digits, _, _ := shape(t)
	return letters > 0 || digits >= minSecret
}

// shape counts what a run is made of. Signs are those that no ordinary word
// has inside or at its end; inner tells of a capital behind a small letter.
func shape(t string) (letters, digits, signs int, inner bool) {
	prev := ' '
	for i, r := range t {
		switch {
		case unicode.IsLetter(r) || unicode.IsMark(r):
			letters++
			inner = inner || unicode.IsUpper(r) && unicode.IsLower(prev)
		case unicode.IsDigit(r):
			digits++
		case strings.ContainsRune("!?", r):
			if strings.Trim(t[i:], "!?") != "" {
				signs++
			}
		case strings.ContainsRune("@#$%^&*+=~|\\<>{}_", r):
			signs++
		case letters == 0 && !strings.ContainsRune(`"'`, r):
			signs++ // digits with dots and slashes are a date, a version or a length
		}
		prev = r
	}
	return letters, digits, signs, inner
}

// isAddress tells whether a run is an e-mail address.
func isAddress(t string) bool {
	local, domain, ok := strings.Cut(t, "@")
	return ok && local != "" && !strings.Contains(domain, "@") && strings.Contains(strings.Trim(domain, "."), ".")
}

// isLink tells whether a run is a URL.
func isLink(t string) bool {
	return strings.Contains(t, "://") || strings.HasPrefix(lowered(t), "www.") || strings.HasPrefix(lowered(t), "mailto:")
}

func latinWord(t string) bool {
	for _, r := range t {
		if r >= 0x250 && unicode.IsLetter(r) {
			return false
		}
	}
	return true
}
