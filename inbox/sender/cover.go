package sender

import (
	"slices"
	"strings"
)

// unsigned gives the name of something in the mail that a signature over keys
// should cover and does not, or "".
func (m *mail) unsigned(keys []string) string {
	signed := func(name string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, name) })
	}
	must := []string{"From", "Subject", "To", "Cc", "Date", "Content-Disposition"}
	if signed("Content-Type") {
		must = append(must, "MIME-Version")
	}
	for _, name := range must {
		if _, ok := m.get(strings.ToLower(name)); ok && !signed(name) {
			return name
		}
	}
	switch {
	case !signed("Content-Transfer-Encoding") && !m.isIdentity():
		return "Content-Transfer-Encoding"
	case !signed("Content-Type") && !m.isPinned():
		return "Content-Type"
	}
	return ""
}

// uncovered gives the name of something in the mail that one of its signatures
// of the From domain should cover and does not, or "". The signatures are only
// read: one of them verified when our server says dmarc=pass by them, nobody
// knows which, and a stranger can add others but take no field out of it.
func (m *mail) uncovered(from string) string {
	for _, f := range m.fields {
		if f.name == "dkim-signature" && len(f.line) > maxSignature {
			return "what can be told: it is too long"
		}
	}
	for _, s := range m.signatures(from) {
		h, _ := onlyTag(m.fields[s.index].value, "h")
		var keys []string
		for key := range strings.SplitSeq(h, ":") {
			keys = append(keys, strings.Trim(key, " \t"))
		}
		if name := m.unsigned(keys); name != "" {
			return name
		}
	}
	return ""
}
