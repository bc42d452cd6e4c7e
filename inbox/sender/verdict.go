package sender

import (
	"fmt"
	"strings"

	"push.guru/supportd/inbox/address"
)

// verdict is what our own server said about a mail.
type verdict int

const (
	verdictNone verdict = iota // nothing that can be believed
	verdictPass
	verdictFail
	verdictDenied // the mail is not of the From domain
)

// ownVerdict reads the Authentication-Results of the configured ids; from is
// the canonical From domain. The text tells staff why.
func (c *Checker) ownVerdict(m *mail, from string) (verdict, string) {
	if c.tenant != "" {
		return c.microsoftVerdict(m, from)
	}
	var found []*results
	hops, below, unreadable := 0, 0, false
	for _, f := range m.fields {
		if f.name == "received" {
			hops++
		}
		if f.name != "authentication-results" {
			continue
		}
		r, err := parseResults(f.value)
		switch {
		case err != nil:
			unreadable = unreadable || c.mentionsID(f.value)
		case c.isTrusted(r.id):
			if len(found) == 0 {
				below = hops
			}
			found = append(found, r)
		}
	}
	if v, why := failed(found); v != verdictNone {
		return v, why
	}
	switch {
	case len(c.ids) == 0:
		return verdictNone, "no server's verdict is trusted"
	case unreadable:
		return verdictNone, "an Authentication-Results that names our server cannot be read"
	case len(found) == 0:
		return verdictNone, "no Authentication-Results of " + strings.Join(c.ids, ", ")
	case len(found) > 1:
		return verdictNone, fmt.Sprintf("%d Authentication-Results of our servers, where one is expected", len(found))
	case below > c.hops:
		return verdictNone, belowHops(below, c.hops)
	}
	return judge(found[0], m, from)
}

// isTrusted tells whether an authserv-id is one of the configured.
func (c *Checker) isTrusted(id string) bool {
	for _, t := range c.ids {
		if strings.EqualFold(t, id) {
			return true
		}
	}
	return false
}

// mentionsID tells whether a header that cannot be read may be meant to be
// one of ours.
func (c *Checker) mentionsID(s string) bool {
	s = strings.ToLower(s)
	for _, t := range c.ids {
		if strings.Contains(s, t) {
			return true
		}
	}
	return false
}

// failed looks for a bad result in any header that carries a trusted id. To
// heed a bad one is safe wherever it stands.
func failed(found []*results) (verdict, string) {
	for _, r := range found {
		for _, m := range r.methods {
			if m.name != "dmarc" {
				continue
			}
			switch m.result {
			case "pass", "none", "temperror":
			case "fail":
				return verdictDenied, "our server says dmarc=fail" + r.chain()
			case "permerror": // the record of the domain cannot be read: that denies nothing
				return verdictFail, "our server says dmarc=permerror" + r.chain()
			default:
				return verdictFail, "our server gives a dmarc result that is not known"
			}
		}
	}
	return verdictNone, ""
}

// judge reads the dmarc result of the one header that is believed; bad results
// were sorted out before.
func judge(r *results, m *mail, from string) (verdict, string) {
	var dmarc []method
	for _, x := range r.methods {
		if x.name == "dmarc" {
			dmarc = append(dmarc, x)
		}
	}
	switch {
	case len(dmarc) == 0:
		return verdictNone, "our server gives no dmarc result" + r.chain()
	case len(dmarc) > 1:
		return verdictNone, "our server gives more than one dmarc result"
	case dmarc[0].result != "pass":
		return verdictNone, "our server says dmarc=" + dmarc[0].result + r.chain()
	}
	var domains []string
	for _, p := range dmarc[0].props {
		if p.name == "header.from" {
			domains = append(domains, p.value)
		}
	}
	if len(domains) != 1 {
		return verdictFail, "our server says dmarc=pass and not for which domain"
	}
	if headerFrom(domains[0]) != from {
		return verdictDenied, "our server says dmarc=pass for another domain than the one in From"
	}
	if name := m.uncovered(from); name != "" && !r.sentBy(from) {
		return verdictNone, "our server says dmarc=pass, not that the domain itself sent the mail, and a signature of it does not cover " + name
	}
	return verdictPass, "our server says dmarc=pass for " + from
}

// sentBy tells whether our server saw the mail come from a server of the
// domain's organisation. Else dmarc=pass rests on a signature, and whoever has
// a signed mail can send it on, with other fields where none are signed.
func (r *results) sentBy(from string) bool {
	for _, x := range r.methods {
		if x.name != "spf" || x.result != "pass" {
			continue
		}
		var senders []string
		for _, p := range x.props {
			if p.name == "smtp.mailfrom" || p.name == "smtp.mail" {
				senders = append(senders, p.value)
			}
		}
		if len(senders) == 1 && sameOrganisation(headerFrom(senders[0]), from) {
			return true
		}
	}
	return false
}

// chain tells staff of an arc=pass beside a dmarc result that was none: some
// forwarder says so, and its word does not count.
func (r *results) chain() string {
	for _, m := range r.methods {
		if m.name == "arc" && m.result == "pass" {
			return ", and arc=pass, by which a forwarder vouches, does not count"
		}
	}
	return ""
}

// headerFrom gives the canonical domain of a header.from value, which some
// servers write as a whole address; "" when it is none.
func headerFrom(v string) string {
	if strings.Contains(v, "@") {
		a, err := address.Canonical(v)
		if err != nil {
			return ""
		}
		return address.DomainOf(a)
	}
	d, err := address.Domain(v)
	if err != nil {
		return ""
	}
	return d
}
