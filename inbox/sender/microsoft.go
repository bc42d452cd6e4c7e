package sender

import (
	"fmt"
	"regexp"
	"strings"
)

// The fields by which Exchange Online says what it did with a mail. It takes
// those of the Organization group off whatever comes in from elsewhere, and
// names the tenant that it took a mail in for.
const (
	fieldTenant = "x-eoptenantattributedmessage"      // GUID:0
	fieldAuthAs = "x-ms-exchange-organization-authas" // Anonymous: from outside
)

var tenantID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// IsTenant tells whether s is written like the ID of a Microsoft 365 tenant.
func IsTenant(s string) bool { return tenantID.MatchString(s) }

// microsoftVerdict reads the Authentication-Results of Exchange Online, which
// has no authserv-id: the topmost of the mail, whatever it is, and no other of
// that form. The text tells staff why.
func (c *Checker) microsoftVerdict(m *mail, author string) (verdict, string) {
	var top *results
	hops, below, seen, odd := 0, 0, 0, ""
	for _, f := range m.fields {
		switch f.name {
		case "received":
			hops++
			continue
		case "authentication-results":
		default:
			continue
		}
		seen++
		r, errBare := parseBareResults(f.value)
		_, errNamed := parseResults(f.value)
		switch {
		case seen == 1 && errBare == nil:
			top, below = r, hops
		case seen == 1 && errNamed != nil && saysFail(f.value):
			return verdictDenied, unreadFail
		case seen == 1:
			odd = "the topmost Authentication-Results is not one of Microsoft 365"
		case odd == "" && (errBare == nil || errNamed != nil):
			odd = "a second Authentication-Results without an id"
		}
	}
	if top != nil { // first: nothing that the sender wrote below may hide a failure
		if v, why := failed([]*results{top}); v != verdictNone {
			return v, why
		}
	}
	switch {
	case odd != "":
		return verdictNone, odd
	case top == nil:
		return verdictNone, "no Authentication-Results of Microsoft 365"
	case below > c.hops:
		return verdictNone, belowHops(below, c.hops)
	}
	if why := c.notThroughTenant(m.fields); why != "" {
		return verdictNone, why
	}
	return judge(top, m, author)
}

// notThroughTenant tells what speaks against Exchange Online having taken the
// mail in from outside for our tenant, or "". For mail that somebody of the
// tenant hands in it checks nobody and writes no Authentication-Results.
func (c *Checker) notThroughTenant(fields []field) string {
	tenant, once := only(fields, fieldTenant)
	id, number, _ := strings.Cut(tenant, ":")
	if !once || strings.ToLower(id) != c.tenant || strings.Trim(number, "0123456789") != "" {
		return "Microsoft 365 does not say that it took the mail in for our tenant"
	}
	if as, once := only(fields, fieldAuthAs); !once || !strings.EqualFold(as, "anonymous") {
		return "Microsoft 365 does not say that the mail came from outside"
	}
	return ""
}

// only gives the value of a field that occurs exactly once, without the blanks
// around it.
func only(fields []field, name string) (value string, once bool) {
	n := 0
	for _, f := range fields {
		if f.name == name {
			value = strings.Trim(f.value, " \t")
			n++
		}
	}
	return value, n == 1
}

func belowHops(below, ours int) string {
	return fmt.Sprintf("the Authentication-Results stands below %d Received lines, and %d are ours", below, ours)
}
