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
func loop(c Config, m *view) string {
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
	if why := c.AuthorOfUs(m); why != "" {
		return why
	}
	for _, v := range m.Header["X-Loop"] {
		if c.ownBox(strings.Trim(v, "<> ")) {
			return "X-Loop names one of our own mailboxes"
		}
	}
	return ""
}

// AuthorOfUs is FromUs by the author alone. Of a Message that a form has made
// nothing else counts: its header is that of the form, which is of our house.
func (c Config) AuthorOfUs(m *inbox.Message) string {
	switch {
	case c.ownBox(m.From.Addr):
		return "it comes from one of our own mailboxes"
	case slices.Contains(c.Domains, address.DomainOf(m.From.Addr)):
		return "it comes from one of our own domains"
	}
	return ""
}

// ownBox tells whether mail to addr reaches one of our mailboxes.
func (c Config) ownBox(addr string) bool {
	return slices.ContainsFunc(c.Own, func(own string) bool { return sameBox(addr, own) })
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
