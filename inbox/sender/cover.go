package sender

import (
	"slices"
	"strings"
)

// unsigned gives the name of something in the mail that a signature over keys
// should cover and does not, or "": To only when it is nothing else.
func (m *mail) unsigned(keys []string) string {
	signed := func(name string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, name) })
	}
	bare := func(name string) bool {
		_, ok := m.get(strings.ToLower(name))
		return ok && !signed(name)
	}
	for _, name := range []string{"From", "Subject", "Cc", "Date", "Content-Disposition"} {
		if bare(name) {
			return name
		}
	}
	switch {
	case signed("Content-Type") && bare("MIME-Version"):
		return "MIME-Version"
	case !signed("Content-Transfer-Encoding") && !m.isIdentity():
		return "Content-Transfer-Encoding"
	case !signed("Content-Type") && !m.isPinned():
		return "Content-Type"
	case bare("To"):
		return "To"
	}
	return ""
}

// tooMany stands for what is missing where not every signature is looked at.
const tooMany = "anything for sure: there are more signatures of it than are looked at"

// uncovered gives the name of something in the mail that one of its signatures
// of the From domain should cover and does not, or "": To only when it is
// nothing else. The signatures are only read: one of them verified when our
// server says dmarc=pass by them, nobody knows which, and a stranger can add
// others but take no field out of it. No more are read than would be verified.
func (m *mail) uncovered(from string) string {
	for _, f := range m.fields {
		if f.name == "dkim-signature" && len(f.line) > maxSignature {
			return "what can be told: it is too long"
		}
	}
	all := m.signatures(from)
	if len(all) > maxSignatures {
		return tooMany
	}
	missing := ""
	for _, s := range all {
		h, _ := onlyTag(m.fields[s.index].value, "h")
		var keys []string
		for key := range strings.SplitSeq(h, ":") {
			keys = append(keys, strings.Trim(key, " \t"))
		}
		if name := m.unsigned(keys); name != "" && name != "To" {
			return name
		} else if name != "" {
			missing = name
		}
	}
	return missing
}
