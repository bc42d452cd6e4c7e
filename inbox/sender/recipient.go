package sender

import (
	"strings"

	"push.guru/supportd/inbox/address"
)

// namesUs tells whether To or Cc names one of our addresses. The envelope can
// bring a mail to anybody; what its author wrote it for, these lines say. A
// mail to somebody else that is handed on to us proves nothing.
func (c *Checker) namesUs(m *mail) bool {
	for _, name := range []string{"to", "cc"} {
		value, _ := m.get(name)
		for _, addr := range recipients(value) {
			if c.isOurs(addr) {
				return true
			}
		}
	}
	return false
}

// isOurs tells whether a canonical address is one of ours, whatever its case
// and with or without a +tag.
func (c *Checker) isOurs(addr string) bool {
	addr = strings.ToLower(addr)
	local, domain, _ := strings.Cut(addr, "@")
	base, _, _ := strings.Cut(local, "+")
	return c.own[addr] || c.own[base+"@"+domain]
}

// recipients gives the canonical addresses of a To or Cc value. What stands in
// a quoted string, a comment, a display name or the name of a group is none,
// and a value with one that nothing closes has none.
func recipients(value string) []string {
	plain, ok := bare(value)
	if !ok {
		return nil
	}
	var found []string
	for item := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == ',' || r == ';' }) {
		item = item[strings.LastIndexByte(item, ':')+1:]
		if _, angle, ok := strings.Cut(item, "<"); ok {
			if item, ok = strings.CutSuffix(strings.TrimRight(angle, " \t"), ">"); !ok {
				continue
			}
		}
		if addr, err := address.Canonical(item); err == nil {
			found = append(found, addr)
		}
	}
	return found
}

// bare gives a value with a quotation mark for each quoted string and a blank
// for each comment, so that what is left cannot join; false: one of them has
// no end.
func bare(value string) (string, bool) {
	var b strings.Builder
	p := resultsParser{s: value}
	for !p.end() {
		switch c := p.s[p.i]; c {
		case '"':
			n := quotedEnd(p.s[p.i:])
			if n < 0 {
				return "", false
			}
			b.WriteByte('"')
			p.i += n
		case '(':
			if !p.comment() {
				return "", false
			}
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return b.String(), true
}
