package parse

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// issuer says which numbers belong to a card system: the numbers that the
// first digits lie between, and how many digits there are in all (ISO/IEC
// 7812-1 and the systems' own lists).
type issuer struct {
	low, high int // of the same number of digits
	lengths   []int
}

var issuers = []issuer{
	{4, 4, []int{13, 16, 19}},               // Visa
	{51, 55, []int{16}},                     // Mastercard
	{2221, 2720, []int{16}},                 // Mastercard
	{34, 34, []int{15}},                     // American Express
	{37, 37, []int{15}},                     // American Express
	{300, 305, []int{14, 16, 17, 18, 19}},   // Diners Club
	{3095, 3095, []int{14, 16, 17, 18, 19}}, // Diners Club
	{36, 36, []int{14, 16, 17, 18, 19}},     // Diners Club
	{38, 39, []int{14, 16, 17, 18, 19}},     // Diners Club
	{3528, 3589, []int{16, 17, 18, 19}},     // JCB
	{6011, 6011, []int{16, 17, 18, 19}},     // Discover
	{644, 649, []int{16, 17, 18, 19}},       // Discover
	{65, 65, []int{16, 17, 18, 19}},         // Discover, RuPay, Troy
	{60, 60, []int{16}},                     // RuPay, Hipercard
	{62, 62, []int{16, 17, 18, 19}},         // UnionPay
	{81, 82, []int{16, 17, 18, 19}},         // UnionPay, RuPay
	{2200, 2204, []int{16, 17, 18, 19}},     // Mir
	{50, 50, []int{16, 17, 18, 19}},         // Maestro, Elo, Verve, RuPay
	{56, 58, []int{16, 17, 18, 19}},         // Maestro
	{63, 63, []int{16, 17, 18, 19}},         // Maestro, Elo, InstaPayment
	{67, 67, []int{16, 17, 18, 19}},         // Maestro
	{8600, 8600, []int{16}},                 // Uzcard
	{9860, 9860, []int{16}},                 // Humo
	{9792, 9792, []int{16}},                 // Troy
	{9112, 9112, []int{16}},                 // Belkart
}

// groups is a number of digits in one piece.
type group struct {
	start, end int
	n          int  // digits
	sep        rune // what parts it from the group before; 0: nothing of the kind
}

const maxCard = 19 // digits

// cardSpans finds card numbers: digits in the groups that cards have, of a
// known issuer, with the right check digit. Telephone numbers, bank accounts
// and parts of longer numbers are passed over.
func cardSpans(s string) []span {
	var found []span
	var run []group
	skip := 0 // everything before it is an IBAN
	for i := 0; i < len(s); {
		if n := ibanLen(s, i); n > 0 {
			skip = i + n
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if digitValue(r) < 0 {
			i += size
			continue
		}
		var end int
		run, end = digitRun(run[:0], s, i)
		if i >= skip {
			found = append(found, cardsIn(s, run)...)
		}
		i = end
	}
	return found
}

// digitRun appends to run the groups of digits that begin at i, as far as only
// blanks, dots, hyphens and line ends part them.
func digitRun(run []group, s string, i int) ([]group, int) {
	const most = 1000 // of one run; no number goes on for so long
	sep := rune(0)
	for {
		g := readGroup(s, i)
		g.sep = sep
		run = append(run, g)
		n := 0
		if sep, n = betweenGroups(s[g.end:]); n == 0 || len(run) >= most && sep == '\n' {
			return run, g.end
		}
		i = g.end + n
	}
}

func readGroup(s string, i int) group {
	g := group{start: i, end: i}
	for g.end < len(s) {
		r, size := utf8.DecodeRuneInString(s[g.end:])
		if digitValue(r) < 0 {
			break
		}
		g.n++
		g.end += size
	}
	return g
}

// betweenGroups reads up to three signs that may part two groups, if a digit
// follows, and gives the one that counts.
func betweenGroups(s string) (rune, int) {
	sep, n := rune(0), 0
	for range 4 {
		r, size := utf8.DecodeRuneInString(s[n:])
		switch {
		case digitValue(r) >= 0:
			return sep, n
		case r == '\n':
			sep = '\n'
		case r == ' ' || r == '\t':
			if sep == 0 {
				sep = ' '
			}
		case strings.ContainsRune("-.‐‑‒–—·", r):
			if sep == '\n' {
				break
			}
			if sep = '-'; r == '.' || r == '·' {
				sep = '.'
			}
		default:
			return 0, 0
		}
		n += size
	}
	return 0, 0
}

// cardsIn finds the cards in a run of groups.
func cardsIn(s string, run []group) []span {
	phone := phoneBefore(s, run[0].start)
	if phone && total(run) <= 15 { // digits of a telephone number (E.164)
		return nil
	}
	var found []span
	for i := 0; i < len(run); i++ {
		if i == 0 && phone {
			continue
		}
		n := cardAt(s, run, i)
		if n == 0 {
			continue
		}
		end := run[i+n-1].end
		found = append(found, span{run[i].start, end, true})
		if code, ok := codeAfter(s, end); ok {
			found = append(found, code)
		}
		i += n - 1
	}
	return found
}

func total(run []group) int {
	n := 0
	for _, g := range run {
		n += g.n
	}
	return n
}

// cardAt tells how many groups from i on are a card; 0: none.
func cardAt(s string, run []group, i int) int {
	if glued(s, run[i].start, true) || i > 0 && run[i].sep != '\n' && run[i-1].n >= 4 {
		return 0
	}
	digits := make([]int8, 0, maxCard)
	longest := 0
	for n := 1; n <= 5 && i+n <= len(run); n++ {
		g := run[i+n-1]
		if len(digits)+g.n > maxCard || n > 2 && !alike(run[i+1].sep, g.sep) {
			break
		}
		digits = appendDigits(digits, s[g.start:g.end])
		if usual(run[i:i+n]) && !glued(s, g.end, false) && !goesOn(s, run, i+n) && isCard(digits) {
			longest = n
		}
	}
	return longest
}

func appendDigits(to []int8, s string) []int8 {
	for _, r := range s {
		to = append(to, int8(digitValue(r)))
	}
	return to
}

// alike tells whether two groups are parted as the two before: a line end
// stands for anything.
func alike(a, b rune) bool { return a == b || a == '\n' || b == '\n' }

// usual tells whether the groups have the sizes that card numbers are written
// in: all in one, fours, 4-6-5 or 4-6-4, 8-8, 6-13.
func usual(g []group) bool {
	switch {
	case len(g) == 1:
		return true
	case len(g) == 2:
		return g[0].n == 8 && g[1].n == 8 || g[0].n == 6 && g[1].n == 13
	case len(g) == 3 && g[0].n == 4 && g[1].n == 6:
		return g[2].n == 4 || g[2].n == 5
	}
	for _, x := range g[:len(g)-1] {
		if x.n != 4 {
			return false
		}
	}
	return len(g) >= 4 && g[len(g)-1].n <= 4
}

// goesOn tells whether the number goes on with the group at i, which is not
// the month and year until which a card is valid.
func goesOn(s string, run []group, i int) bool {
	if i == len(run) || run[i].sep == '\n' {
		return false
	}
	g := run[i]
	if g.n < 4 {
		return g.n > 2 && run[i].sep != ' '
	}
	if g.n == 4 {
		d := appendDigits(make([]int8, 0, 4), s[g.start:g.end])
		month, year := 10*d[0]+d[1], 10*d[2]+d[3]
		valid := month >= 1 && month <= 12 && year >= 20 && year < 50 || month == 20 && year >= 20 && year < 50
		return !valid || i+1 < len(run) && run[i+1].n == 4
	}
	return true
}

// glued tells whether a letter or a sign of an address or a fraction touches
// the number at i, before or behind it.
func glued(s string, i int, before bool) bool {
	if before {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if r == '.' || r == ',' {
			p, _ := utf8.DecodeLastRuneInString(s[:i-n])
			return digitValue(p) >= 0
		}
		return unicode.IsLetter(r) || r == '_' || r == '@'
	}
	r, _ := utf8.DecodeRuneInString(s[i:])
	return unicode.IsLetter(r) || r == '_' || inLocal(s[i:])
}

// inLocal tells whether what begins here is the rest of the local part of an
// address or a Message-ID.
func inLocal(s string) bool {
	const longest = 64
	for i := 0; i < min(len(s), longest); i++ {
		if s[i] == '@' {
			return true
		}
		if !alnum(s[i]) && strings.IndexByte(".-_$+", s[i]) < 0 {
			return false
		}
	}
	return false
}

// isCard looks at issuer, length and check digit (Luhn).
func isCard(digits []int8) bool {
	return knownIssuer(digits) && luhn(digits)
}

func knownIssuer(digits []int8) bool {
	if len(digits) < 13 {
		return false
	}
	for _, is := range issuers {
		prefix := 0
		for i, most := 0, is.high; most > 0; i, most = i+1, most/10 {
			prefix = 10*prefix + int(digits[i])
		}
		if prefix < is.low || prefix > is.high {
			continue
		}
		for _, n := range is.lengths {
			if n == len(digits) {
				return true
			}
		}
	}
	return false
}

func luhn(digits []int8) bool {
	sum := 0
	for i, d := range digits {
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// digitValue gives the value of a digit in the scripts that people may write
// a number in, -1 for anything else.
func digitValue(r rune) int {
	for _, zero := range [...]rune{'0', '０', '٠', '۰'} {
		if r >= zero && r <= zero+9 {
			return int(r - zero)
		}
	}
	return -1
}

// phoneBefore tells whether what stands before i says that a telephone number
// follows: a plus sign, or one of the last two words on the line.
func phoneBefore(s string, i int) bool {
	const window = 40 // bytes
	from := max(0, i-window)
	line := s[from:i]
	if j := strings.LastIndexByte(line, '\n'); j >= 0 {
		line = line[j+1:]
	}
	trimmed := strings.TrimRight(line, " \t(")
	if strings.HasSuffix(trimmed, "+") {
		return true
	}
	notLetter := func(r rune) bool { return !unicode.IsLetter(r) && digitValue(r) < 0 }
	words := strings.FieldsFunc(line, notLetter)
	for k := len(words) - 1; k >= max(0, len(words)-2); k-- {
		if digitValue([]rune(words[k])[0]) >= 0 {
			return false // the label is that of another number
		}
		if secretWords.phone[strings.ToLower(words[k])] {
			return true
		}
	}
	return false
}

// ibanLen tells how long the IBAN (ISO 13616) is that begins at i; 0: there is
// none. Its groups may be parted by blanks, and its check digits must fit.
func ibanLen(s string, i int) int {
	const shortest, longest = 15, 34
	if i+shortest > len(s) || !letter(s[i]) || !letter(s[i+1]) || !digit(s[i+2]) || !digit(s[i+3]) || i > 0 && alnum(s[i-1]) {
		return 0
	}
	rest, n := 0, 4 // the number behind the first four signs, modulo 97
	for j := i + 4; n < longest && j < len(s); j++ {
		if s[j] == ' ' && j+1 < len(s) && alnum(s[j+1]) {
			continue
		}
		if !alnum(s[j]) {
			return 0
		}
		rest = mod97(rest, s[j])
		n++
		if n < shortest || j+1 < len(s) && alnum(s[j+1]) {
			continue
		}
		check := rest
		for _, c := range []byte(s[i : i+4]) {
			check = mod97(check, c)
		}
		if check == 1 {
			return j + 1 - i
		}
	}
	return 0
}

func mod97(n int, c byte) int {
	switch {
	case digit(c):
		return (10*n + int(c-'0')) % 97
	case c >= 'a':
		c -= 'a' - 'A'
	}
	return (100*n + int(c-'A') + 10) % 97
}

func letter(c byte) bool { return latin(rune(c)) }
func alnum(c byte) bool  { return letter(c) || digit(c) }

// codeAfter finds the security code that stands behind a card number and the
// date until which it is valid: "12/27 123".
func codeAfter(s string, i int) (span, bool) {
	const signs = " ,;/|-"
	digits := func(from int) int {
		n := 0
		for from+n < len(s) && digit(s[from+n]) {
			n++
		}
		return n
	}
	between := func(from int) int {
		n := 0
		for n < 4 && from+n < len(s) && strings.IndexByte(signs, s[from+n]) >= 0 {
			n++
		}
		return n
	}
	i += between(i)
	if digits(i) != 2 || i+2 >= len(s) || strings.IndexByte("/.-", s[i+2]) < 0 {
		return span{}, false
	}
	i += 3
	if n := digits(i); n != 2 && n != 4 {
		return span{}, false
	} else {
		i += n
	}
	gap := between(i)
	i += gap
	n := digits(i)
	if gap == 0 || n < 3 || n > 4 || glued(s, i+n, false) {
		return span{}, false
	}
	return span{start: i, end: i + n}, true
}
