package sender

import (
	"errors"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"push.guru/supportd/inbox"
)

const (
	alice = "alice@victim.org"
	plain = `From: Alice <alice@victim.org>
To: support@push.guru
Subject: My data
Date: Mon, 05 Jan 2026 10:00:00 +0500
Message-ID: <1@victim.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

Please send me a copy of my data.
`
	alternative = `From: Alice <alice@victim.org>
To: support@push.guru
Subject: My data
Date: Mon, 05 Jan 2026 10:00:00 +0500
Message-ID: <1@victim.org>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="000000000000c1d2f105f1a2b3c4"

--000000000000c1d2f105f1a2b3c4
Content-Type: text/plain; charset="UTF-8"

Please send me a copy of my data.

--000000000000c1d2f105f1a2b3c4
Content-Type: text/html; charset="UTF-8"

<div dir="ltr">Please send me a copy of my data.</div>

--000000000000c1d2f105f1a2b3c4--
`
)

// What Gmail and Yandex sign, as seen in their mail.
var (
	gmailKeys = []string{"To", "Subject", "Message-ID", "Date", "From", "MIME-Version",
		"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To"}
	yandexKeys = []string{"Subject", "To", "From", "Message-ID", "Date"}
)

// swap changes one thing that must be there.
func swap(t testing.TB, s, old, new string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("the mail has no %q", old)
	}
	return strings.Replace(s, old, new, 1)
}

func TestOwnVerification(t *testing.T) {
	type test struct {
		name string
		raw  func(t *testing.T) string
		zone func(z *zone)
		addr string // alice when empty
		want inbox.Level
		why  string // part of the reason
	}
	signed := func(text, domain string, keys []string) func(*testing.T) string {
		return func(t *testing.T) string { return sign(t, text, domain, keys) }
	}
	// changed signs a mail and changes it afterwards.
	changed := func(text string, keys []string, old, new string) func(*testing.T) string {
		return func(t *testing.T) string {
			return swap(t, sign(t, text, "victim.org", keys), crlf(old), crlf(new))
		}
	}
	from := func(addr string) string { return strings.Replace(plain, alice, addr, 1) }
	record := func(name, txt string) func(*zone) {
		return func(z *zone) { z.txt["_dmarc."+name] = append(z.txt["_dmarc."+name], txt) }
	}
	const none, aligned = inbox.LevelNone, inbox.LevelAligned

	tests := []test{
		{name: "same domain", raw: signed(plain, "victim.org", usual), want: aligned, why: "signed by victim.org"},
		{name: "same domain, LF line ends", raw: func(t *testing.T) string {
			return strings.ReplaceAll(sign(t, plain, "victim.org", usual), "\r\n", "\n")
		}, want: aligned},
		{name: "d= in capitals", raw: signed(plain, "VICTIM.org", usual), want: aligned},
		{name: "as Gmail signs", raw: signed(alternative, "victim.org", gmailKeys), want: aligned},
		{name: "as Yandex signs text", raw: signed(plain, "victim.org", yandexKeys), want: aligned},
		{name: "as Yandex signs HTML", raw: signed(strings.NewReplacer("text/plain", "text/html", "Please send me a copy of my data.",
			"<div>Please send me a copy of my data.</div>").Replace(plain), "victim.org", yandexKeys), want: aligned},
		{name: "strict record, same domain", raw: signed(plain, "victim.org", usual), zone: record("victim.org", "v=DMARC1; p=reject; adkim=s"), want: aligned},
		{name: "a stranger's signature beside the right one", raw: func(t *testing.T) string {
			return sign(t, sign(t, plain, "victim.org", usual), "evil.org", usual)
		}, want: aligned},
		{name: "the right one below four broken ones", raw: func(t *testing.T) string {
			return strings.Repeat("DKIM-Signature: v=1; d=victim.org; s=s\r\n", 4) + sign(t, plain, "victim.org", usual)
		}, want: aligned},

		{name: "no signature", raw: func(*testing.T) string { return crlf(plain) }, want: none, why: "no signature of the From domain"},
		{name: "another domain", raw: signed(plain, "evil.org", usual), want: none, why: "no signature of the From domain"},
		{name: "another domain that ends alike", raw: signed(plain, "evilvictim.org", usual), want: none},
		{name: "d= with a NUL", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "evil.org", usual), "d=evil.org", "d=evil.org\x00.victim.org")
		}, want: none, why: "header"},
		{name: "d= twice", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "evil.org", usual), "d=evil.org", "d=evil.org; d=victim.org")
		}, want: none},
		{name: "d= with blanks inside", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "victim.org", usual), "d=victim.org", "d=victim. org")
		}, want: none},
		{name: "d= that only IDNA makes the same", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "victim.org", usual), "d=victim.org", "d=ｖictim.org")
		}, want: none},
		{name: "d= is the public suffix", raw: signed(from("alice@victim.co.uk"), "co.uk", usual), addr: "alice@victim.co.uk", want: none},
		{name: "neighbours below a public suffix, in capitals", raw: signed(from("alice@victim.co.uk"), "evil.CO.UK", usual), addr: "alice@victim.co.uk", want: none},
		{name: "neighbours below a private suffix", raw: signed(from("alice@victim.github.io"), "evil.github.io", usual), addr: "alice@victim.github.io", want: none},
		{name: "From is a public suffix", raw: signed(from("alice@co.uk"), "co.uk", usual), addr: "alice@co.uk", want: none, why: "public suffix"},
		{name: "six signatures of the domain", raw: func(t *testing.T) string {
			return strings.Repeat("DKIM-Signature: v=1; d=victim.org; s=s\r\n", 5) + sign(t, plain, "victim.org", usual)
		}, want: none},
		{name: "a huge signature", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "victim.org", usual), "DKIM-Signature:", "DKIM-Signature: z="+strings.Repeat("a", maxSignature)+";")
		}, want: none},

		{name: "parent signs, no record", raw: signed(from("alice@mail.victim.org"), "victim.org", usual), addr: "alice@mail.victim.org", want: aligned},
		{name: "child signs, no record", raw: signed(plain, "news.victim.org", usual), want: none, why: "not aligned"},
		{name: "sibling signs, no record", raw: signed(from("alice@mail.victim.org"), "news.victim.org", usual), addr: "alice@mail.victim.org", want: none},
		{name: "child signs, relaxed record", raw: signed(plain, "news.victim.org", usual), zone: record("victim.org", "v=DMARC1; p=none"), want: aligned},
		{name: "sibling signs, relaxed record of the organisation", raw: signed(from("alice@mail.victim.org"), "news.victim.org", usual),
			zone: record("victim.org", "v=DMARC1; p=reject; adkim=R"), addr: "alice@mail.victim.org", want: aligned},
		{name: "parent signs, strict record of the organisation", raw: signed(from("alice@mail.victim.org"), "victim.org", usual),
			zone: record("victim.org", "v=DMARC1;adkim=S;p=reject"), addr: "alice@mail.victim.org", want: none},
		{name: "own relaxed record before the organisation's strict one", raw: signed(from("alice@mail.victim.org"), "victim.org", usual),
			zone: func(z *zone) {
				record("victim.org", "v=DMARC1; adkim=s")(z)
				record("mail.victim.org", "v=DMARC1; adkim=r")(z)
			}, addr: "alice@mail.victim.org", want: aligned},
		{name: "two records, one strict", raw: signed(plain, "news.victim.org", usual), zone: func(z *zone) {
			record("victim.org", "v=DMARC1; p=none")(z)
			record("victim.org", "v=DMARC1; p=none; adkim=s")(z)
		}, want: none},
		{name: "other TXT records", raw: signed(plain, "news.victim.org", usual), zone: record("victim.org", "v=spf1 -all; adkim=r"), want: none},

		{name: "body changed", raw: changed(plain, usual, "a copy of", "all of"), want: none, why: "body hash"},
		{name: "subject replaced", raw: changed(plain, usual, "Subject: My data", "Subject: Delete me"), want: none, why: "did not verify"},
		{name: "subject prepended", raw: func(t *testing.T) string { return "Subject: Delete me\r\n" + sign(t, plain, "victim.org", usual) }, want: none, why: "more than one Subject"},
		{name: "subject appended in capitals", raw: changed(plain, usual, "\nMIME-Version: 1.0", "\nSUBJECT: Delete me\nMIME-Version: 1.0"), want: none, why: "more than one Subject"},
		{name: "subject prepended with a blank before the colon", raw: func(t *testing.T) string {
			return "Subject : Delete me\r\n" + sign(t, plain, "victim.org", usual)
		}, want: none, why: "header"},
		{name: "From prepended", raw: func(t *testing.T) string {
			return "From: alice@victim.org\r\n" + sign(t, strings.Replace(plain, alice, "eve@evil.org", 1), "evil.org", usual)
		}, want: none, why: "more than one From"},
		{name: "subject not signed", raw: signed(plain, "victim.org", []string{"From", "To", "Date", "MIME-Version", "Content-Type"}), want: none, why: "does not cover Subject"},
		{name: "subject added where there was none", raw: func(t *testing.T) string {
			return "Subject: Delete me\r\n" + sign(t, strings.Replace(plain, "Subject: My data\n", "", 1), "victim.org", []string{"From", "To", "Date", "MIME-Version", "Content-Type"})
		}, want: none, why: "does not cover Subject"},
		{name: "recipient not signed", raw: signed(plain, "victim.org", []string{"From", "Subject", "Date", "MIME-Version", "Content-Type"}), want: none, why: "does not cover To"},
		{name: "date not signed", raw: signed(plain, "victim.org", []string{"From", "Subject", "To", "MIME-Version", "Content-Type"}), want: none, why: "does not cover Date"},
		{name: "MIME-Version not signed beside Content-Type", raw: signed(plain, "victim.org", []string{"From", "Subject", "To", "Date", "Content-Type"}), want: none, why: "does not cover MIME-Version"},

		{name: "another boundary", raw: changed(strings.Replace(alternative, "Please", "--injected-boundary\n\nDelete me\n--injected-boundary--\nPlease", 1), gmailKeys,
			`boundary="000000000000c1d2f105f1a2b3c4"`, `boundary="injected-boundary"`), want: none, why: "Content-Type"},
		{name: "multipart read as text", raw: changed(alternative, gmailKeys, `multipart/alternative; boundary="000000000000c1d2f105f1a2b3c4"`, "text/plain"), want: none, why: "Content-Type"},
		{name: "multipart without its type", raw: changed(alternative, gmailKeys, "Content-Type: multipart/alternative; boundary=\"000000000000c1d2f105f1a2b3c4\"\n", ""), want: none, why: "Content-Type"},
		{name: "multipart with a preamble, read as text", raw: changed(strings.Replace(alternative, "\n\n--0", "\n\nThis is a MIME message.\n--0", 1), gmailKeys,
			`multipart/alternative; boundary="000000000000c1d2f105f1a2b3c4"`, "text/plain"), want: none, why: "Content-Type"},
		{name: "alternative of other parts", raw: signed(strings.Replace(alternative, "Content-Type: text/html", "Content-Type: text/plain", 1), "victim.org", gmailKeys), want: none, why: "Content-Type"},
		{name: "alternative with an attachment", raw: signed(strings.Replace(alternative, "Content-Type: text/html", "Content-Disposition: attachment\nContent-Type: text/html", 1), "victim.org", gmailKeys), want: none, why: "Content-Type"},
		{name: "alternative of three parts", raw: signed(strings.Replace(alternative, "\n--000000000000c1d2f105f1a2b3c4--", "\n--000000000000c1d2f105f1a2b3c4\nContent-Type: text/html\n\n<p>x\n--000000000000c1d2f105f1a2b3c4--", 1), "victim.org", gmailKeys), want: none, why: "Content-Type"},
		{name: "mixed parts", raw: signed(strings.Replace(alternative, "multipart/alternative", "multipart/mixed", 1), "victim.org", gmailKeys), want: none, why: "Content-Type"},
		{name: "text after the last boundary", raw: signed(alternative+"x\n", "victim.org", gmailKeys), want: none, why: "Content-Type"},
		{name: "a boundary that is a line of text", raw: signed(strings.ReplaceAll(alternative, "000000000000c1d2f105f1a2b3c4", "-------- Forwarded message"), "victim.org", gmailKeys), want: none, why: "Content-Type"},
		{name: "a type that cannot be read", raw: signed(strings.Replace(plain, "text/plain; charset=utf-8", "text/plain; charset=a; charset=b", 1), "victim.org", yandexKeys), want: none, why: "Content-Type"},
		{name: "text in windows-1251", raw: signed(strings.Replace(plain, "utf-8", "windows-1251", 1), "victim.org", yandexKeys), want: aligned},
		{name: "HTML read as text", raw: changed(strings.NewReplacer("text/plain", "text/html", "Please", "<blockquote>Delete me</blockquote>Please").Replace(plain), yandexKeys,
			"text/html", "text/plain"), want: none, why: "Content-Type"},
		{name: "text read as HTML", raw: changed(plain, yandexKeys, "text/plain", "text/html"), want: none, why: "Content-Type"},
		{name: "text in UTF-7", raw: changed(plain, yandexKeys, "charset=utf-8", "charset=utf-7"), want: none, why: "Content-Type"},
		{name: "a code that base64 makes words of", raw: changed(strings.Replace(plain, "Please send me a copy of my data.", "RGVsZXRlIG15IGFjY291bnQ=", 1), yandexKeys,
			"7bit", "base64"), want: none, why: "Content-Transfer-Encoding"},
		{name: "the same with a signed type", raw: func(t *testing.T) string {
			text := strings.NewReplacer("Please send me a copy of my data.", "RGVsZXRlIG15IGFjY291bnQ=", "Content-Transfer-Encoding: 7bit\n", "").Replace(plain)
			return "Content-Transfer-Encoding: base64\r\n" + sign(t, text, "victim.org", usual[:7])
		}, want: none, why: "Content-Transfer-Encoding"},

		{name: "no key", raw: signed(plain, "victim.org", usual), zone: func(z *zone) { delete(z.txt, "s._domainkey.victim.org") }, want: none, why: "no valid key"},
		{name: "revoked key", raw: signed(plain, "victim.org", usual), zone: func(z *zone) { z.txt["s._domainkey.victim.org"] = []string{"v=DKIM1; k=ed25519; p="} }, want: none},
		{name: "two keys", raw: signed(plain, "victim.org", usual), zone: func(z *zone) {
			z.txt["s._domainkey.victim.org"] = append(keyRecord(""), keyRecord("")...)
		}, want: none},
		{name: "key in test mode", raw: signed(plain, "victim.org", usual), zone: func(z *zone) { z.txt["s._domainkey.victim.org"] = keyRecord("t=s:y; ") }, want: none, why: "no key"},
		{name: "key for subdomains forbidden", raw: signed(plain, "victim.org", usual), zone: func(z *zone) { z.txt["s._domainkey.victim.org"] = keyRecord("t=s; ") }, want: aligned},
		{name: "selector with a port", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "victim.org", usual), "s=s;", "s=s:53;")
		}, want: none, why: "no key"},
		{name: "selector with an empty label", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "victim.org", usual), "s=s;", "s=s..s;")
		}, want: none, why: "no key"},
		{name: "oversized key record", raw: signed(plain, "victim.org", usual), zone: func(z *zone) {
			z.txt["s._domainkey.victim.org"] = keyRecord("n=" + strings.Repeat("a", maxRecord) + "; ")
		}, want: none},
		{name: "selector that leads elsewhere", raw: func(t *testing.T) string {
			return swap(t, sign(t, plain, "victim.org", usual), "s=s;", "s=s._domainkey.evil.org\u3002;")
		}, want: none, why: "no key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			z := newZone("victim.org", "mail.victim.org", "news.victim.org", "evil.org", "evilvictim.org",
				"victim.co.uk", "evil.co.uk", "co.uk", "victim.github.io", "evil.github.io")
			if test.zone != nil {
				test.zone(z)
			}
			if test.addr == "" {
				test.addr = alice
			}
			c := checker(t, Config{DKIM: true, MaxAge: 72 * time.Hour, LookupTXT: z.LookupTXT})
			e := evidence(t, c, test.raw(t), test.addr)
			if e.Level != test.want || !strings.Contains(e.Why, test.why) {
				t.Errorf("got %s, %q; want %s, …%s…", e.Level, e.Why, test.want, test.why)
			}
		})
	}
}

func TestBodyLengthTagIsRefused(t *testing.T) {
	// The library does not make such signatures, and need not verify this one:
	// it has to refuse before it comes to that.
	z := newZone("victim.org")
	raw := swap(t, sign(t, plain, "victim.org", usual), "v=1;", "v=1; l=10;")
	e := evidence(t, checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT}), raw, alice)
	if e.Level != inbox.LevelNone || !strings.Contains(e.Why, "length") {
		t.Errorf("got %s, %q", e.Level, e.Why)
	}
}

func TestOnlyAlignableSignaturesAskDNS(t *testing.T) {
	z := newZone("victim.org", "evil.org")
	raw := sign(t, sign(t, plain, "evil.org", usual), "victim.org", usual)
	evidence(t, checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT}), raw, alice)
	if want := []string{"s._domainkey.victim.org"}; !slices.Equal(z.asked, want) {
		t.Errorf("asked %q, want %q", z.asked, want)
	}
}

func TestAge(t *testing.T) {
	now := time.Now()
	c := &Checker{maxAge: 72 * time.Hour}
	tests := []struct {
		name string
		v    dkim.Verification
		date time.Time
		ok   bool
	}{
		{"just made", dkim.Verification{Time: now}, time.Time{}, true},
		{"as old as allowed", dkim.Verification{Time: now.Add(-72 * time.Hour)}, now, true},
		{"too old", dkim.Verification{Time: now.Add(-72*time.Hour - time.Second)}, now, false},
		{"a clock that is a little fast", dkim.Verification{Time: now.Add(4 * time.Minute)}, now, true},
		{"from the future", dkim.Verification{Time: now.Add(6 * time.Minute)}, now, false},
		{"beyond all time", dkim.Verification{Time: time.Unix(1<<62, 0)}, now, false},
		{"no t=, Date now", dkim.Verification{}, now, true},
		{"no t=, Date old", dkim.Verification{}, now.Add(-100 * time.Hour), false},
		{"no t=, Date ahead", dkim.Verification{}, now.Add(time.Hour), false},
		{"no t=, no Date", dkim.Verification{}, time.Time{}, false},
		{"expired on arrival", dkim.Verification{Time: now.Add(-2 * time.Hour), Expiration: now.Add(-time.Hour)}, now, false},
		{"not yet expired", dkim.Verification{Time: now.Add(-2 * time.Hour), Expiration: now.Add(time.Hour)}, now, true},
	}
	for _, test := range tests {
		if got := c.age(&test.v, &inbox.Message{Date: test.date}, now); (got == "") != test.ok {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

func TestExpiredSignature(t *testing.T) {
	z := newZone("victim.org")
	raw := signWith(t, plain, &dkim.SignOptions{Domain: "victim.org", HeaderKeys: usual, Expiration: time.Now().Add(-time.Minute)})
	e := evidence(t, checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT}), raw, alice)
	if e.Level != inbox.LevelNone || !strings.Contains(e.Why, "expired") {
		t.Errorf("got %s, %q", e.Level, e.Why)
	}
}

func TestNoAnswerIsTemporary(t *testing.T) {
	tests := []struct {
		name   string
		domain string // that signs
		broken string
		temp   bool
	}{
		{"the key", "victim.org", "s._domainkey.victim.org", true},
		{"the record, when it matters", "news.victim.org", "_dmarc.victim.org", true},
		{"the record, when it does not", "victim.org", "_dmarc.victim.org", false},
		{"the key of a stranger", "evil.org", "s._domainkey.evil.org", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			z := newZone("victim.org", "news.victim.org", "evil.org")
			z.broken[test.broken] = true
			c := checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT})
			e, err := c.Evidence(t.Context(), []byte(sign(t, plain, test.domain, usual)), parsed(alice), time.Now())
			if got := inbox.IsTemporary(err); got != test.temp {
				t.Fatalf("temporary %v, error %v, want %v", got, err, test.temp)
			}
			if test.temp && e.Level != inbox.LevelNone {
				t.Errorf("an unanswered question gave %s", e.Level)
			}
			if err != nil && strings.Contains(err.Error(), "victim") {
				t.Errorf("the error names the sender's domain: %v", err)
			}
		})
	}
}

func TestOneAnswerIsEnough(t *testing.T) {
	z := newZone("victim.org", "news.victim.org")
	z.broken["s._domainkey.news.victim.org"] = true
	c := checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT})
	raw := sign(t, sign(t, plain, "victim.org", usual), "news.victim.org", usual)
	if e := evidence(t, c, raw, alice); e.Level != inbox.LevelAligned {
		t.Errorf("got %s, %q", e.Level, e.Why)
	}
}

func TestDNSErrorsThatAreNone(t *testing.T) {
	z := newZone("victim.org")
	for _, fault := range []error{
		errors.New("lookup s._domainkey.victim.org: broken"),
		&net.DNSError{Err: "server misbehaving"},
		&net.DNSError{Err: "lookup s._domainkey.victim.org failed", IsTimeout: true},
	} {
		c := checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT})
		c.lookup = failing(fault)
		_, err := c.Evidence(t.Context(), []byte(sign(t, plain, "victim.org", usual)), parsed(alice), time.Now())
		if !inbox.IsTemporary(err) || strings.Contains(err.Error(), "victim") {
			t.Errorf("%v became %v", fault, err)
		}
	}
}

// TestEmptyLinesAreLinear guards the reason for verifying one signature at a
// time: many empty lines in a simple body are copied a few times, not once for
// every block that is read.
func TestEmptyLinesAreLinear(t *testing.T) {
	const lines = 2 << 20
	z := newZone("victim.org")
	c := checker(t, Config{DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT})
	raw := signWith(t, sign(t, plain, "victim.org", usual), &dkim.SignOptions{Domain: "victim.org", HeaderKeys: usual,
		HeaderCanonicalization: dkim.CanonicalizationSimple, BodyCanonicalization: dkim.CanonicalizationSimple}) + strings.Repeat("\r\n", lines)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e := evidence(t, c, raw, alice)
	runtime.ReadMemStats(&after)
	if e.Level != inbox.LevelAligned {
		t.Errorf("got %s, %q", e.Level, e.Why)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) / uint64(len(raw)); used > 40 {
		t.Errorf("verifying allocated %d times the size of the mail", used)
	}
}
