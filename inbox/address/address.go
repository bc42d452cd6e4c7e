// Package address decides when two e-mail addresses are the same mailbox: the
// domain is compared in its IDNA form in lower case, the local part as it is
// written. No database collation and no other room has a say in it.
package address

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// profile maps the way people type a domain and refuses what DNS cannot hold.
var profile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.Transitional(false))

// ErrSyntax says that a text is no plain e-mail address.
var ErrSyntax = errors.New("not a plain e-mail address")

// maxLength is that of a path in SMTP without its angle brackets (RFC 5321
// section 4.5.3.1.3).
const maxLength = 254

// Canonical gives the comparable form of a bare address: surrounding blanks
// dropped, the domain in its ASCII form in lower case, the local part as
// written. It returns ErrSyntax for anything but local@domain: quoted local
// parts, routes, comments, groups, control characters, a second @.
func Canonical(s string) (string, error) {
	s = strings.TrimSpace(s)
	local, domain, ok := cut(s)
	if !ok || len(s) > maxLength || len(local) > 64 || !plainLocal(local) {
		return "", ErrSyntax
	}
	d, err := Domain(domain)
	if err != nil {
		return "", err
	}
	if len(local)+1+len(d) > maxLength {
		return "", ErrSyntax
	}
	return local + "@" + d, nil
}

// Domain gives the comparable form of a domain name: ASCII, lower case, no
// trailing dot. A name of one label is refused.
func Domain(s string) (string, error) {
	d, err := profile.ToASCII(s)
	if err != nil {
		return "", fmt.Errorf("%w: domain: %w", ErrSyntax, err)
	}
	// The dot goes last: there is more than one character that is mapped to it.
	d = strings.TrimSuffix(strings.ToLower(d), ".")
	if !utf8.ValidString(s) || !strings.Contains(d, ".") || strings.HasSuffix(d, ".") {
		return "", ErrSyntax
	}
	return d, nil
}

// Equal tells whether two addresses are the same mailbox. What is not an
// address equals nothing.
func Equal(a, b string) bool {
	ca, errA := Canonical(a)
	cb, errB := Canonical(b)
	return errA == nil && errB == nil && ca == cb
}

// DomainOf gives the domain of a canonical address, or "".
func DomainOf(addr string) string {
	_, d, _ := cut(addr)
	return d
}

func cut(s string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || i == len(s)-1 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// plainLocal accepts a dot-atom (RFC 5322 section 3.2.3) and UTF-8 beyond
// ASCII (RFC 6532), nothing that needs quoting and nothing that is not seen.
func plainLocal(s string) bool {
	if !utf8.ValidString(s) || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case r < 0x80:
			if !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r) {
				return false
			}
		case !unicode.IsPrint(r):
			return false
		}
	}
	return true
}
