package screen

import (
	"slices"
	"strings"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

// LoopMark is the header that a mail of ours carries beside its Message-ID,
// with the same value.
const LoopMark = "X-Supportd-Loop"

// loop finds our own mail come back.
func loop(c Config, m *inbox.Message) string {
	if c.Ours == nil {
		return ""
	}
	if m.ID != "" && c.Ours(m.ID) {
		return "it carries the Message-ID of a mail that we sent"
	}
	for _, v := range m.Header[LoopMark] {
		if id := strings.Trim(v, "<> "); id != "" && c.Ours(id) {
			return "it carries the mark of a mail that we sent"
		}
	}
	return ""
}

// FromUs says, in words for staff, why a mail is one of our own house that the
// program did not write; "" when it is not. Nobody may be answered then: a
// colleague needs no letter, another program of ours might answer it, and
// whoever is neither has forged it.
func (c Config) FromUs(m *inbox.Message) string {
	for _, own := range c.Own {
		if sameBox(m.From.Addr, own) {
			return "it comes from one of our own mailboxes"
		}
		for _, v := range m.Header["X-Loop"] {
			if sameBox(strings.Trim(v, "<> "), own) {
				return "X-Loop names one of our own mailboxes"
			}
		}
	}
	if slices.Contains(c.Domains, address.DomainOf(m.From.Addr)) {
		return "it comes from one of our own domains"
	}
	return ""
}

// sameBox tells whether mail to addr reaches one of our mailboxes: whatever the
// case of its local part, and with any tag behind a plus sign.
func sameBox(addr, own string) bool {
	a, err := address.Canonical(addr)
	if err != nil {
		return false
	}
	local, domain := strings.TrimSuffix(a, "@"+address.DomainOf(a)), address.DomainOf(a)
	base, _, _ := strings.Cut(local, "+")
	return strings.EqualFold(a, own) || base != "" && strings.EqualFold(base+"@"+domain, own)
}
