package parse

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/mail"
	"golang.org/x/net/idna"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// single are the headers of which a mail may have one. A second one is how
// somebody gets another text shown than the one that was signed.
var single = []struct{ name, shown string }{
	{"From", "From"}, {"Subject", "Subject"}, {"To", "To"}, {"Date", "Date"}, {"Message-Id", "Message-ID"},
	{"Reply-To", "Reply-To"}, {"Sender", "Sender"}, {"Content-Type", "Content-Type"},
	{"Content-Transfer-Encoding", "Content-Transfer-Encoding"}, {"In-Reply-To", "In-Reply-To"}, {"References", "References"},
	{"Cc", "Cc"}, {"Mime-Version", "MIME-Version"}, {"Content-Disposition", "Content-Disposition"},
}

// author finds the single author of a mail, or says why there is none that can
// be trusted to be what a person would see.
func author(h header) (inbox.Address, string) {
	from := h.all("From")
	if len(from) == 0 {
		return inbox.Address{}, "no From line"
	}
	if fault := doubled(h); fault != "" {
		return inbox.Address{}, fault
	}
	if h.cut {
		return inbox.Address{}, "the header is too long to be read to its end"
	}
	if fault := nearly(h); fault != "" {
		return inbox.Address{}, fault
	}
	return oneAuthor(from[0])
}

func doubled(h header) string {
	count := map[string]int{}
	for _, f := range h.fields {
		count[f.name]++
	}
	for _, s := range single {
		switch n := count[s.name]; {
		case n == 2:
			return "two " + s.shown + " lines"
		case n > 2:
			return "several " + s.shown + " lines"
		}
	}
	return ""
}

// nearly finds lines that another reader may take for one of the single
// headers, and values that hold what may end a line.
func nearly(h header) string {
	for _, line := range h.dropped {
		name, _, _ := strings.Cut(line, ":")
		name = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
				return r
			}
			return -1
		}, name)
		for _, s := range single {
			if strings.EqualFold(name, s.name) {
				return "a line that is nearly a second " + s.shown + " line"
			}
		}
	}
	for _, f := range h.fields {
		for _, s := range single {
			if f.name == s.name && strings.ContainsAny(f.value, "\r\x00") {
				return "a bare CR or NUL in the " + s.shown + " line"
			}
		}
	}
	return ""
}

// oneAuthor reads a From value that must hold exactly one plain address. The
// parser and a count of the signs that matter have to agree.
func oneAuthor(value string) (inbox.Address, string) {
	if fault := count(value); fault != "" {
		return inbox.Address{}, fault
	}
	list, err := mail.ParseAddressList(readable(value))
	if err != nil {
		return inbox.Address{}, "the From line cannot be read"
	}
	if len(list) != 1 {
		return inbox.Address{}, "several addresses in From"
	}
	addr, err := address.Canonical(list[0].Address)
	if err != nil {
		return inbox.Address{}, "From holds no plain address"
	}
	if written, err := address.Canonical(bare(value)); err != nil || written != addr {
		return inbox.Address{}, "the address in From can be read in two ways"
	}
	if r, found := unseen(addr); found {
		return inbox.Address{}, fmt.Sprintf("an invisible character in the address in From (%U)", r)
	}
	if !mapsByCase(bare(value), addr) {
		return inbox.Address{}, "the domain in From holds characters that are read as others"
	}
	name := decodeWords(list[0].Name)
	if fault := nameFault(name, addr); fault != "" {
		return inbox.Address{}, fault
	}
	return inbox.Address{Name: oneLine(name, 200), Addr: addr}, ""
}

// readable gives a From value in UTF-8, with its encoded words as they are.
// The parser would give up the address for a name that it cannot decode, so
// the words are shielded by quotes when it may stumble over them.
func readable(value string) string {
	value = decodeCharset([]byte(value), "")
	i := strings.LastIndexByte(value, '<')
	if i > 0 && strings.Contains(value[:i], "=?") && !strings.Contains(value[:i], `"`) {
		return `"` + strings.ReplaceAll(strings.TrimSpace(value[:i]), `\`, `\\`) + `" ` + value[i:]
	}
	return value
}

// bare gives what stands in the angle brackets, or the whole value.
func bare(value string) string {
	i, j := strings.LastIndexByte(value, '<'), strings.LastIndexByte(value, '>')
	if i >= 0 && j > i {
		return value[i+1 : j]
	}
	return value
}

// count looks at the signs outside quoted strings, as a careless reader would.
func count(value string) string {
	for _, r := range value {
		if r < ' ' && r != '\t' || r == 0x7F {
			return "a control character in From"
		}
	}
	plain, closed := unquoted(value)
	i := strings.LastIndexByte(plain, '<')
	switch {
	case strings.TrimSpace(plain) == "" && strings.TrimSpace(value) == "":
		return "the From line is empty"
	case !closed:
		return "an open quote in From"
	case strings.Contains(plain, "("):
		return "a comment in From"
	case strings.Count(plain, "<") > 1, strings.Count(plain, "@") > 1, strings.ContainsAny(plain, ","):
		return "several addresses in From"
	case strings.ContainsAny(plain, ":;"):
		return "a group or a route in From"
	case strings.Contains(plain[i+1:], "=?"):
		return "an encoded address in From"
	case !strings.Contains(plain, "@"):
		return "no address in From"
	case i >= 0 && !strings.Contains(plain[i:], "@"):
		return "the address in From can be read in two ways"
	case i >= 0 && !strings.HasSuffix(strings.TrimSpace(plain), ">"):
		return "text after the address in From"
	}
	return ""
}

// unquoted gives the value without its quoted strings, and whether the last
// one was closed.
func unquoted(value string) (string, bool) {
	var b strings.Builder
	in := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case in && c == '\\':
			i++
		case c == '"':
			in = !in
			b.WriteByte(' ')
		case !in:
			b.WriteByte(c)
		}
	}
	return b.String(), !in
}

// mapsByCase tells whether the domain as it is written and as it is looked up
// differ in nothing but capitals. IDNA (UTS #46) maps much more: it drops what
// is invisible and reads many letters as others, so that two readers may see
// two domains.
func mapsByCase(written, canonical string) bool {
	domain := func(s string) string { return strings.TrimSpace(s[strings.LastIndexByte(s, '@')+1:]) }
	w := domain(written)
	if ascii(w) {
		return true
	}
	c, err := idna.ToUnicode(domain(canonical))
	if err != nil || utf8.RuneCountInString(c) != utf8.RuneCountInString(w) {
		return false
	}
	looked := []rune(c)
	for i, r := range []rune(w) {
		if l := looked[i]; r != l && (unicode.ToLower(r) != l || r >= utf8.RuneSelf && l < utf8.RuneSelf) {
			return false
		}
	}
	return true
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// nameFault says what makes a display name look like somebody else's.
func nameFault(name, addr string) string {
	for _, r := range name {
		switch {
		case turns(r):
			return "the display name turns the direction of writing"
		case unicode.IsControl(r) && r != '\t':
			return "a control character in the display name"
		}
	}
	if r, found := unseen(name); found {
		return fmt.Sprintf("an invisible character in the display name (%U)", r)
	}
	name = strings.NewReplacer("＠", "@", "﹫", "@").Replace(name)
	if !strings.Contains(name, "@") {
		return ""
	}
	for _, w := range strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>()[]",;:'`, r) }) {
		if !strings.Contains(strings.Trim(w, "@"), "@") {
			continue
		}
		if !address.Equal(w, addr) {
			return "the display name looks like another address"
		}
	}
	return ""
}

// addressList reads To and Cc as well as it can: who else got the mail informs,
// and decides nothing.
func addressList(values []string) []inbox.Address {
	const most = 100
	var list []inbox.Address
	for _, v := range values {
		for _, item := range splitList(v) {
			if len(list) == most {
				return list
			}
			addr, err := address.Canonical(strings.Trim(bare(item), " \t<>"))
			if err != nil {
				continue
			}
			name := ""
			if i := strings.LastIndexByte(item, '<'); i > 0 {
				name = oneLine(decodeWords(strings.Trim(item[:i], " \t\"")), 200)
			}
			list = append(list, inbox.Address{Name: name, Addr: addr})
		}
	}
	return list
}

// splitList cuts an address list at commas and semicolons outside quotes.
func splitList(v string) []string {
	var items []string
	in, start := false, 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\\' && in:
			i++
		case c == '"':
			in = !in
		case !in && (c == ',' || c == ';' || c == ':'):
			items = append(items, v[start:i])
			start = i + 1
		}
	}
	return append(items, v[start:])
}
