package sender

import (
	"errors"
	"strings"
)

// results is an Authentication-Results header that was read.
type results struct {
	id      string // authserv-id as written, unquoted
	methods []method
}

// method is what one resinfo says.
type method struct {
	name   string // lower case, without version
	result string // lower case
	props  []prop
}

// prop is one property of a method: header.from=example.org.
type prop struct {
	name  string // ptype.property in lower case
	value string // unquoted
}

var errResults = errors.New("not an Authentication-Results header")

// parseResults reads the unfolded value of an Authentication-Results header
// (RFC 8601 section 2.2). It reads what servers are known to write, which is a
// little more than the grammar: values of any printable characters, properties
// without a ptype, an empty last resinfo. It is strict in what separates one
// statement from the next, so that text of a stranger that a server quotes in
// a comment or a quoted string cannot become a statement: every comment and
// quoted string must be closed, a comment must not open a quotation that it
// does not close, and a statement begins after a semicolon only.
func parseResults(s string) (*results, error) {
	p := &resultsParser{s: s}
	r := new(results)
	var ok bool
	if !p.cfws() {
		return nil, errResults
	}
	if r.id, ok = p.value(); !ok || r.id == "" {
		return nil, errResults
	}
	if !p.version() {
		return nil, errResults
	}
	for !p.end() {
		if !p.literal(';') || !p.statement(r) {
			return nil, errResults
		}
	}
	return r, nil
}

// parseBareResults reads the unfolded value of an Authentication-Results
// header that begins with its first statement, where the id should be, as
// Exchange Online writes it. It is as strict as parseResults.
func parseBareResults(s string) (*results, error) {
	p := &resultsParser{s: s}
	r := new(results)
	for {
		if !p.statement(r) || len(r.methods) == 0 {
			return nil, errResults
		}
		if p.end() {
			return r, nil
		}
		if !p.literal(';') {
			return nil, errResults
		}
	}
}

// resultsParser stands at a place in s and moves forward only.
type resultsParser struct {
	s string
	i int
}

func (p *resultsParser) end() bool { return p.i == len(p.s) }

func (p *resultsParser) literal(c byte) bool {
	if p.end() || p.s[p.i] != c {
		return false
	}
	p.i++
	return true
}

// cfws skips blanks and comments; false: a comment is broken.
func (p *resultsParser) cfws() bool {
	for !p.end() {
		switch p.s[p.i] {
		case ' ', '\t':
			p.i++
		case '(':
			if !p.comment() {
				return false
			}
		default:
			return true
		}
	}
	return true
}

// comment skips a comment with the comments in it. A quotation mark that the
// comment leaves open shows that somebody else's quoted string ended it.
func (p *resultsParser) comment() bool {
	depth, quotes := 0, 0
	for ; !p.end(); p.i++ {
		switch p.s[p.i] {
		case '\\':
			p.i++
			if p.end() {
				return false
			}
		case '"':
			quotes++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.i++
				return quotes%2 == 0
			}
		}
	}
	return false
}

// word reads a keyword: letters, digits, - and _.
func (p *resultsParser) word() string {
	start := p.i
	for !p.end() && isWordByte(p.s[p.i]) {
		p.i++
	}
	return strings.ToLower(p.s[start:p.i])
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// value reads a quoted string, a run of other characters, or a quoted local
// part with the domain that follows it. It may be empty.
func (p *resultsParser) value() (string, bool) {
	var b strings.Builder
	if !p.end() && p.s[p.i] == '"' {
		n := quotedEnd(p.s[p.i:])
		if n < 0 {
			return "", false
		}
		b.WriteString(unquote(p.s[p.i+1 : p.i+n-1]))
		p.i += n
		if p.end() || p.s[p.i] != '@' {
			return b.String(), p.atBreak()
		}
	}
	start := p.i
	for !p.end() && isValueByte(p.s[p.i]) {
		p.i++
	}
	b.WriteString(p.s[start:p.i])
	return b.String(), p.atBreak()
}

// isValueByte leaves out what begins or ends something else.
func isValueByte(c byte) bool {
	return c > ' ' && c != 0x7F && !strings.ContainsRune(`;()"\`, rune(c))
}

func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// atBreak tells whether a value can end here.
func (p *resultsParser) atBreak() bool {
	return p.end() || strings.IndexByte(" \t;(", p.s[p.i]) >= 0
}

// version skips the version that may follow the authserv-id.
func (p *resultsParser) version() bool {
	if !p.cfws() {
		return false
	}
	for !p.end() && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	return p.cfws()
}

// statement reads what stands between two semicolons into r: one resinfo, or
// nothing behind the last.
func (p *resultsParser) statement(r *results) bool {
	if !p.cfws() {
		return false
	}
	if p.end() && len(r.methods) > 0 {
		return true
	}
	m, ok := p.method()
	if ok && m.name != "" {
		r.methods = append(r.methods, m)
	}
	return ok
}

// method reads one resinfo after its semicolon. "none", which says that
// nothing was checked, gives a method without a name.
func (p *resultsParser) method() (method, bool) {
	var m method
	m.name = p.word()
	if m.name == "" || !p.cfws() {
		return m, false
	}
	if p.literal('/') {
		if !p.cfws() || p.word() == "" || !p.cfws() {
			return m, false
		}
	}
	if m.name == "none" && (p.end() || p.s[p.i] == ';') {
		return method{}, true
	}
	if !p.literal('=') || !p.cfws() {
		return m, false
	}
	m.result = p.word()
	if m.result == "" || !p.atBreak() || !p.cfws() {
		return m, false
	}
	for !p.end() && p.s[p.i] != ';' {
		q, ok := p.prop()
		if !ok {
			return m, false
		}
		m.props = append(m.props, q)
	}
	return m, true
}

// prop reads "ptype.property=value" or "reason=value", and the blanks after it.
func (p *resultsParser) prop() (prop, bool) {
	var q prop
	for {
		w := p.word()
		if w == "" || !p.cfws() {
			return q, false
		}
		q.name += w
		if !p.literal('.') {
			break
		}
		q.name += "."
		if !p.cfws() {
			return q, false
		}
	}
	if !p.literal('=') || !p.cfws() {
		return q, false
	}
	var ok bool
	q.value, ok = p.value()
	return q, ok && p.cfws()
}
