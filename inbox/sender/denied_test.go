package sender

import (
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
)

// TestDenied: only our own server's finding that a mail is not of its From
// domain denies it; that nobody vouches for it does not. What the sender writes
// below it changes nothing.
func TestDenied(t *testing.T) {
	const bob = "bob@example.org"
	const rest = "From: bob@example.org\r\nTo: support@site.test\r\nSubject: x\r\n\r\nYes\r\n"
	c := checker(t, Config{TrustedIDs: []string{"mx.site.test"}, OwnHops: 1})
	ar := func(result string) string { return "Authentication-Results: mx.site.test; " + result + "\r\n" }
	const fails = "dmarc=fail (p=none dis=none) header.from=example.org"
	for name, test := range map[string]struct {
		raw    string
		denied bool
	}{
		"fail":                                   {ar(fails) + rest, true},
		"fail below one Received":                {"Received: from a by b\r\n" + ar(fails) + rest, true},
		"pass for another domain":                {ar("dmarc=pass header.from=evil.test") + rest, true},
		"pass for a public suffix":               {ar("dmarc=pass header.from=org") + rest, true},
		"fail beside a pass":                     {ar(fails) + ar("dmarc=pass header.from=example.org") + rest, true},
		"fail in what cannot be read":            {ar("spf=none smtp.mailfrom=a(b@evil.test; dmarc = fail header.from=example.org") + rest, true},
		"fail above a blank before a colon":      {ar(fails) + "X-Odd : 1\r\n" + rest, true},
		"fail above a line that is none":         {ar(fails) + "odd\r\n" + rest, true},
		"fail above an empty folded line":        {ar(fails) + "X-Odd: 1\r\n \r\n" + rest, true},
		"fail above a bare CR":                   {ar(fails) + "X-Odd: \r1\r\n" + rest, true},
		"fail above a header without end":        {ar(fails) + "From: bob@example.org", true},
		"fail above a field that stands twice":   {ar(fails) + "Subject: y\r\n" + rest, true},
		"fail and a From that is read in 2 ways": {ar(fails) + "From: bob@example.org (eve@evil.test)\r\nTo: x\r\n\r\nYes\r\n", true},

		"pass":                        {ar("dmarc=pass header.from=example.org") + rest, false},
		"none":                        {ar("dmarc=none header.from=example.org") + rest, false},
		"permerror":                   {ar("dmarc=permerror header.from=example.org") + rest, false},
		"temperror":                   {ar("dmarc=temperror header.from=example.org") + rest, false},
		"a result that nobody knows":  {ar("dmarc=bestguesspass header.from=example.org") + rest, false},
		"pass for nobody":             {ar("dmarc=pass") + rest, false},
		"no dmarc result":             {ar("spf=fail smtp.mailfrom=example.org") + rest, false},
		"nothing":                     {rest, false},
		"fail by a server of others":  {"Authentication-Results: mx.evil.test; " + fails + "\r\n" + rest, false},
		"fail in the body":            {rest + ar(fails), false},
		"an odd line, and no verdict": {"X-Odd : 1\r\n" + rest, false},
	} {
		got := evidence(t, c, test.raw, bob)
		if got.Denied != test.denied || got.Denied && got.Level != inbox.LevelNone {
			t.Errorf("%s: denied %t at %s (%s), want %t", name, got.Denied, got.Level, got.Why, test.denied)
		}
	}
}

// TestNamedByItsOrganisation: rspamd names the domain where it found the DMARC
// record, which is a parent of the one in From. That denies nothing, and does
// not prove anything either: a signature can.
func TestNamedByItsOrganisation(t *testing.T) {
	const bob = "bob@mail.victim.org"
	head := "Authentication-Results: mx.site.test; dmarc=pass (policy=none) header.from=victim.org\r\n"
	text := strings.Replace(plain, alice, bob, 1)
	c := Config{TrustedIDs: []string{"mx.site.test"}, MaxAge: time.Hour, LookupTXT: newZone("mail.victim.org").LookupTXT}
	if e := evidence(t, checker(t, c), head+crlf(text), bob); e.Level != inbox.LevelNone || e.Denied {
		t.Errorf("without a signature: %+v", e)
	}
	c.DKIM = true
	if e := evidence(t, checker(t, c), head+sign(t, text, "mail.victim.org", usual), bob); e.Level != inbox.LevelAligned {
		t.Errorf("with a signature of the domain: %+v", e)
	}
}

// TestDeniedByMicrosoft: a sender's own Authentication-Results below that of the
// border do not hide what it says.
func TestDeniedByMicrosoft(t *testing.T) {
	const bob = "bob@example.org"
	const rest = "From: bob@example.org\r\nTo: support@site.test\r\nSubject: x\r\n\r\nYes\r\n"
	c := checker(t, Config{MicrosoftTenant: "01234567-89ab-cdef-0123-456789abcdef", OwnHops: 3, MaxAge: time.Hour})
	const fails = "Authentication-Results: spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=evil.test; dkim=none; dmarc=fail action=none header.from=example.org\r\n"
	for name, raw := range map[string]string{
		"alone":                               fails + rest,
		"above one without an id":             fails + "Authentication-Results: spf=pass smtp.mailfrom=x\r\n" + rest,
		"above one that cannot be read":       fails + "Authentication-Results: x(\r\n" + rest,
		"made unreadable by a return path":    strings.Replace(fails, "mailfrom=evil", "mailfrom=a(b@evil", 1) + rest,
		"below no more than the own Received": "Received: from a by b\r\n" + fails + rest,
	} {
		if e := evidence(t, c, raw, bob); !e.Denied {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if e := evidence(t, c, "Authentication-Results: x(\r\n"+fails+rest, bob); e.Denied || e.Level != inbox.LevelNone {
		t.Errorf("below one that our border did not write: %+v", e)
	}
}
