package sender

import (
	"testing"

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
		"fail beside a pass":                     {ar(fails) + ar("dmarc=pass header.from=example.org") + rest, true},
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
