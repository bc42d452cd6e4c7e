package sender

import (
	"context"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// policy is how near a signing domain must be to the From domain.
type policy int

const (
	policyStrict  policy = iota // the same domain
	policyRelaxed               // the same organisational domain
	policyUnsaid                // no DMARC record: the same domain or its parent
)

// organisation gives the organisational domain of a canonical domain: one
// label more than its public suffix. A public suffix has none.
func organisation(domain string) (string, bool) {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	return org, err == nil
}

// sameOrganisation tells whether d could be aligned with from under the widest
// policy. Both are canonical.
func sameOrganisation(d, from string) bool {
	a, okA := organisation(d)
	b, okB := organisation(from)
	return okA && okB && a == b
}

// allows tells whether d, of the same organisation as from, is aligned with it.
func (p policy) allows(d, from string) bool {
	switch p {
	case policyRelaxed:
		return true
	case policyUnsaid:
		return d == from || strings.HasSuffix(from, "."+d)
	}
	return d == from
}

// alignment looks up the DMARC policy for a From domain: its own record, else
// that of its organisational domain (RFC 7489 section 6.6.3).
func (c *Checker) alignment(ctx context.Context, from string) (policy, error) {
	names := []string{from}
	if org, ok := organisation(from); ok && org != from {
		names = append(names, org)
	}
	for _, name := range names {
		txts, err := c.txt(ctx, "_dmarc."+name)
		if err != nil {
			return policyStrict, err
		}
		if p, ok := dmarcPolicy(txts); ok {
			return p, nil
		}
	}
	return policyUnsaid, nil
}

// dmarcPolicy reads the alignment that TXT records ask for; false: none is a
// DMARC record. Several records mean nothing by the standard; here the
// strictest counts, and what cannot be read is strict.
func dmarcPolicy(txts []string) (policy, bool) {
	found, p := false, policyRelaxed
	for _, txt := range txts {
		version, rest, _ := strings.Cut(txt, ";")
		if k, v, _ := strings.Cut(version, "="); strings.TrimSpace(k) != "v" || strings.TrimSpace(v) != "DMARC1" {
			continue
		}
		found = true
		for tag := range strings.SplitSeq(rest, ";") {
			k, v, _ := strings.Cut(tag, "=")
			if strings.EqualFold(strings.TrimSpace(k), "adkim") && !strings.EqualFold(strings.TrimSpace(v), "r") {
				p = policyStrict
			}
		}
	}
	return p, found
}
