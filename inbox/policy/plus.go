package policy

import (
	"regexp"
	"strings"

	"push.guru/supportd/inbox/address"
)

// PlusLength is by how many octets a token makes a local part longer.
const PlusLength = 1 + tokenLetters

// PlusAddress gives the address at which the answer to a question arrives
// where the server delivers support+detail@… to support@… (RFC 5233): what
// becomes of the subject does not matter there. The token is in small letters,
// which no server folds to anything else.
func PlusAddress(addr, token string) string {
	domain := address.DomainOf(addr)
	return strings.TrimSuffix(addr, "@"+domain) + "+" + strings.ToLower(token) + "@" + domain
}

// detail takes capitals too, because a mailer may write them.
var detail = regexp.MustCompile(`^(.+)\+([A-Za-z2-7]{26})@([^@]+)$`)

// PlusToken takes the token out of an address: "" when there is none. base is
// the address without it.
func PlusToken(addr string) (base, token string) {
	m := detail.FindStringSubmatch(addr)
	if m == nil {
		return addr, ""
	}
	return m[1] + "@" + m[3], strings.ToUpper(m[2])
}
