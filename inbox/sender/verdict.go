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

// ownVerdict reads the Authentication-Results of the configured ids; author is
// the canonical From address. The text tells staff why.
func (c *Checker) ownVerdict(m *mail, author string) (verdict, string) {
	if c.tenant != "" {
		return c.microsoftVerdict(m, author)
	}
	var found []*results
	hops, below, unreadable, fails := 0, 0, false, false
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
			ours := c.mentionsID(f.value)
			unreadable, fails = unreadable || ours, fails || ours && saysFail(f.value)
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
	case fails:
		return verdictDenied, unreadFail
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
	return judge(found[0], m, author)
}

const unreadFail = "our server says dmarc=fail, in an Authentication-Results that cannot be read"

// saysFail tells whether results that cannot be read seem to hold a failure. A
// sender whose words a server quotes can make them so; what denies is heeded
// all the same.
func saysFail(s string) bool {
	return strings.Contains(strings.ToLower(strings.Join(strings.Fields(s), "")), "dmarc=fail")
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
func judge(r *results, m *mail, author string) (verdict, string) {
	from := address.DomainOf(author)
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
	switch named := headerFrom(domains[0]); {
	case named == from:
	case sameOrganisation(named, from): // rspamd names the domain that has the record
		return verdictNone, "our server says dmarc=pass, and names another domain of the organisation in From"
	default:
		return verdictDenied, "our server says dmarc=pass for another domain than the one in From"
	}
	if name := m.uncovered(from); name != "" && !r.sentBy(author, from, name == "To") {
		return verdictNone, "our server says dmarc=pass, not that the domain itself sent the mail, and a signature of it does not cover " + name
	}
	return verdictPass, "our server says dmarc=pass for " + from
}

// sentBy tells whether our server saw the author's own provider hand over the
// mail under the author's address or, where wide is set, under any of the
// provider's domain: Microsoft 365 writes no more. Else dmarc=pass may rest on a
// signature, and whoever has a signed mail can send it on, with other fields
// where none are signed; and another customer of the provider can have it sent
// on under their own address.
func (r *results) sentBy(author, from string, wide bool) bool {
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
		if len(senders) == 1 && (address.Equal(senders[0], author) || wide && sameOrganisation(headerFrom(senders[0]), from)) {
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
