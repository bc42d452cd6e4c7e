package sender

import (
	"context"
	netmail "net/mail"
	"reflect"
	"strings"
	"testing"
	"time"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
	"push.guru/supportd/inbox/parse"
)

// TestVerdictThenSignature has both: the verdict of our server, and a good
// signature that is looked at only when there is no verdict.
func TestVerdictThenSignature(t *testing.T) {
	const head = "Authentication-Results: mx.push.guru; "
	tests := []struct {
		name  string
		head  string
		want  inbox.Level
		asked bool // DNS was needed
	}{
		{"pass", head + "dmarc=pass header.from=victim.org", inbox.LevelAligned, false},
		{"pass for another", head + "dmarc=pass header.from=evil.org", inbox.LevelNone, false},
		{"fail", head + "dmarc=fail header.from=victim.org", inbox.LevelNone, false},
		{"permerror", head + "dmarc=permerror header.from=victim.org", inbox.LevelNone, false},
		{"unknown", head + "dmarc=maybe header.from=victim.org", inbox.LevelNone, false},
		{"none", head + "dmarc=none header.from=victim.org", inbox.LevelAligned, true},
		{"temperror", head + "dmarc=temperror header.from=victim.org", inbox.LevelAligned, true},
		{"nothing about DMARC", head + "dkim=pass header.d=victim.org", inbox.LevelAligned, true},
		{"unreadable", head + "dmarc=pass (", inbox.LevelAligned, true},
		{"unreadable, with a fail in it", head + "spf=fail smtp.mailfrom=a(b@evil.org; dmarc=fail", inbox.LevelNone, false},
		{"split over two", head + "dmarc=pass header.from=victim.org\r\n" + head + "spf=pass", inbox.LevelAligned, true},
		{"two, one of them fail", head + "dmarc=pass header.from=victim.org\r\n" + head + "dmarc=fail", inbox.LevelNone, false},
		{"below a foreign hop", "Received: x\r\n" + head + "dmarc=pass header.from=victim.org", inbox.LevelAligned, true},
	}
	for _, test := range tests {
		z := newZone("victim.org")
		c := checker(t, Config{TrustedIDs: []string{"mx.push.guru"}, DKIM: true, MaxAge: time.Hour, LookupTXT: z.LookupTXT})
		e := evidence(t, c, test.head+"\r\n"+sign(t, plain, "victim.org", usual), alice)
		if e.Level != test.want || len(z.asked) > 0 != test.asked {
			t.Errorf("%s: %s, %q, asked %q", test.name, e.Level, e.Why, z.asked)
		}
	}
}

func TestNoAuthor(t *testing.T) {
	c := checker(t, Config{TrustedIDs: []string{"mx.push.guru"}})
	raw := []byte("Authentication-Results: mx.push.guru; dmarc=pass header.from=victim.org\r\n" + crlf(plain))
	faulty := parsed(alice)
	faulty.FromFault = "two authors"
	for name, m := range map[string]*inbox.Message{"no message": nil, "no address": {}, "a fault": faulty, "another address": parsed("bob@victim.org")} {
		if e, err := c.Evidence(t.Context(), raw, m, time.Now()); err != nil || e.Level != inbox.LevelNone {
			t.Errorf("%s: %s, %v", name, e.Level, err)
		}
	}
	if e := evidence(t, c, string(raw), alice); e.Level != inbox.LevelAligned {
		t.Errorf("the author: %s, %q", e.Level, e.Why)
	}
}

func TestHeaderLimits(t *testing.T) {
	head := "Authentication-Results: mx.push.guru; dmarc=pass header.from=victim.org\n"
	tests := []struct {
		name string
		raw  string
		want inbox.Level
	}{
		{"as many fields as allowed", head + strings.Repeat("X: y\n", maxFields-9) + plain, inbox.LevelAligned},
		{"too many fields", head + strings.Repeat("X: y\n", maxFields-8) + plain, inbox.LevelNone},
		{"too large a header", head + "X: " + strings.Repeat("y", maxHeader) + "\n" + plain, inbox.LevelNone},
		{"a large body", head + plain + strings.Repeat("y\n", maxHeader), inbox.LevelAligned},
		{"no end of the header", head + "From: " + alice + "\n", inbox.LevelNone},
		{"no header", "", inbox.LevelNone},
		{"a CR that ends no line", head + "X: y\rFrom: eve@evil.org\n" + plain, inbox.LevelNone},
		{"a fold before any field", " x\n" + head + plain, inbox.LevelNone},
		{"many folds", head + "X:\n" + strings.Repeat(" y\n", maxHeader/4) + plain, inbox.LevelAligned},
		{"an mbox line", "From alice Mon Jan 5\n" + head + plain, inbox.LevelNone},
	}
	c := checker(t, Config{TrustedIDs: []string{"mx.push.guru"}})
	for _, test := range tests {
		if e := evidence(t, c, test.raw, alice); e.Level != test.want {
			t.Errorf("%s: %s, %q", test.name, e.Level, e.Why)
		}
	}
}

func TestNew(t *testing.T) {
	_, err := New(Config{Own: []string{"Support <support@push.guru>", "support@PUSH.guru"}, TrustedIDs: []string{"", "mx push"}, MicrosoftTenant: "push.guru",
		OwnHops: -1, DKIM: true})
	if err == nil {
		t.Fatal("a configuration full of faults was accepted")
	}
	for _, want := range []string{`"Support <support@push.guru>"`, `"support@PUSH.guru"`, `""`, `"mx push"`, `"push.guru" is no ID`, "own hops -1", "maximum age"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if _, err := New(Config{}); err != nil {
		t.Errorf("nothing trusted is allowed: %v", err)
	}
	const tenant = "72F988BF-86f1-41af-91ab-2d7cd011db47"
	for name, c := range map[string]Config{
		"an id and no age":                {TrustedIDs: []string{"mx.push.guru"}},
		"a tenant and no age":             {MicrosoftTenant: tenant},
		"a tenant beside an id":           {MicrosoftTenant: tenant, TrustedIDs: []string{"mx.push.guru"}, MaxAge: time.Hour},
		"a tenant with something behind":  {MicrosoftTenant: tenant + "0", MaxAge: time.Hour},
		"a tenant with something before ": {MicrosoftTenant: "{" + tenant, MaxAge: time.Hour},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := New(Config{MicrosoftTenant: tenant, MaxAge: time.Hour}); err != nil {
		t.Errorf("a tenant: %v", err)
	}
}

func TestParseResults(t *testing.T) {
	r, err := parseResults(` mx.push.guru 1; dkim=pass (x) reason="a \"b\"; c" header.d=victim.org header.b="a;b"; spf=none smtp.mailfrom="a b"@victim.org; dmarc=pass header.from=victim.org;`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range r.methods {
		got = append(got, m.name+"="+m.result)
		for _, p := range m.props {
			got = append(got, p.name+"="+p.value)
		}
	}
	want := `dkim=pass|reason=a "b"; c|header.d=victim.org|header.b=a;b|spf=none|smtp.mailfrom=a b@victim.org|dmarc=pass|header.from=victim.org`
	if r.id != "mx.push.guru" || strings.Join(got, "|") != want {
		t.Errorf("got %s: %s\nwant %s", r.id, strings.Join(got, "|"), want)
	}
}

func TestParseResultsRefuses(t *testing.T) {
	for _, s := range []string{"", ";", "(", `"`, "a b", "a; ;", "a;", "a; =", "a; x", "a; x=", "a; x=y z", "a; x=y z.=1", "a; x=y .z=1", "a; x=y (", `a; x=y z="`,
		`a; x=y z="b"c`, "a; x=y\x00", "a; x=y\\", "a; x=y z=b\"c\"", "a; x/=y", "a; none; none x", "a; x=y;;z=y", "a; x=y (\\", "a (", "a 1 (",
		"a; (", "a; x (", "a; x/ (", "a; x/1 (", "a; x= (", "a; x=y z (", "a; x=y z. (", "a; x=y z= ("} {
		if r, err := parseResults(s); err == nil {
			t.Errorf("%q was read as %+v", s, r)
		}
	}
}

// FuzzParseResults puts a statement behind what it reads: the statements
// before it must stay as they were.
func FuzzParseResults(f *testing.F) {
	for _, dir := range []string{"genuine", "forged"} {
		for _, s := range samples(f, dir) {
			m, err := readMail([]byte(s.raw))
			if err != nil {
				continue
			}
			for _, x := range m.fields {
				if x.name == "authentication-results" {
					f.Add(x.value)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := parseBareResults(s); err == nil {
			if more, err := parseBareResults(s + "; x=y"); err == nil && !reflect.DeepEqual(more.methods[:len(r.methods)], r.methods) {
				t.Fatalf("without an id, %q: %+v became %+v", s, r, more)
			}
			if named, err := parseResults("a; " + s); err != nil || !reflect.DeepEqual(named.methods, r.methods) {
				t.Fatalf("%q reads otherwise behind an id: %+v, %+v, %v", s, r, named, err)
			}
		}
		r, err := parseResults(s)
		if err != nil {
			return
		}
		if r.id == "" {
			t.Fatal("read without an id")
		}
		more, err := parseResults(s + "; x=y")
		if err != nil {
			return // an empty statement may only be the last
		}
		if n := len(r.methods); more.id != r.id || len(more.methods) != n+1 || n > 0 && !reflect.DeepEqual(more.methods[:n], r.methods) {
			t.Fatalf("%q: %+v became %+v", s, r, more)
		}
	})
}

// FuzzEvidence has a stranger write a whole mail below our server's header.
// Without a key in DNS and with that header silent, nothing can be aligned.
func FuzzEvidence(f *testing.F) {
	for _, s := range samples(f, "forged") {
		f.Add([]byte(s.raw))
	}
	f.Add([]byte(sign(f, plain, "victim.org", usual)))
	f.Add([]byte(sign(f, alternative, "victim.org", gmailKeys)))
	c, err := New(Config{Own: ours, TrustedIDs: []string{"mx.push.guru"}, OwnHops: 1, DKIM: true, MaxAge: time.Hour,
		LookupTXT: newZone("evil.org").LookupTXT})
	if err != nil {
		f.Fatal(err)
	}
	const head = "Authentication-Results: mx.push.guru; spf=pass\r\nReceived: x\r\n"
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := c.Evidence(context.Background(), append([]byte(head), raw...), parsed(alice), time.Now())
		if err != nil || e.Level != inbox.LevelNone || e.Why == "" {
			t.Fatalf("%s, %q, %v", e.Level, e.Why, err)
		}
	})
}

// FuzzFrom writes a From line. Where our server vouches for the domain that the
// parser of the house reads there, the mail is aligned only if a strict reader
// finds the same author, and nobody else's address outside a display name.
func FuzzFrom(f *testing.F) {
	for _, dir := range []string{"genuine", "forged"} {
		for _, s := range samples(f, dir) {
			m, err := readMail([]byte(s.raw))
			if err != nil {
				continue
			}
			if from, ok := m.get("from"); ok {
				f.Add(from)
			}
		}
	}
	f.Add(" =?utf-8?q?Al?= <alice@victim.org>")
	f.Add("\r\n =?utf-8?q?Al?=\r\n <alice@victim.org>")
	f.Add("eve@evil.org\n(alice@victim.org:")
	f.Fuzz(func(t *testing.T, from string) {
		head := "From:" + from + "\r\n" + strings.TrimPrefix(crlf(plain), "From: Alice <alice@victim.org>\r\n")
		m := parse.Message([]byte(head), parse.Options{})
		raw := "Authentication-Results: mx.push.guru; dmarc=pass header.from=" + address.DomainOf(m.From.Addr) + "\r\n" + head
		c := checker(t, Config{TrustedIDs: []string{"mx.push.guru"}})
		e, err := c.Evidence(context.Background(), []byte(raw), m, m.Date)
		if err != nil {
			t.Fatal(err)
		}
		if e.Level == inbox.LevelNone {
			return
		}
		if got, err := address.Canonical(m.From.Addr); err != nil || got != m.From.Addr || m.FromFault != "" {
			t.Fatalf("aligned with the author %q, %q", m.From.Addr, m.FromFault)
		}
		if list, err := netmail.ParseAddressList(from); err == nil && (len(list) != 1 || !address.Equal(list[0].Address, m.From.Addr)) {
			t.Fatalf("%q: the house reads %s, a strict reader %v", from, m.From.Addr, list)
		}
		if outside, ok := bare(firstField(from)); !ok || strings.Count(outside, "@") != 1 || strings.ContainsAny(outside, ",;:") {
			t.Fatalf("%q counts as one author", from)
		}
		if strings.Count(raw, "\nFrom:") != 1 {
			t.Fatalf("%q counts as one line", from)
		}
	})
}

// firstField cuts a text where a line begins another field of a header: any
// printable character may stand in the name of one (RFC 5322 section 3.6.8).
func firstField(s string) string {
	for i := range len(s) {
		if s[i] == '\n' && i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '\t' {
			return s[:i]
		}
	}
	return s
}

// FuzzSigned changes a mail that victim.org signed. Whatever still counts says
// what the signed one said.
func FuzzSigned(f *testing.F) {
	good := sign(f, plain, "victim.org", usual)
	f.Add([]byte(good))
	f.Add([]byte("Subject: x\r\n" + good))
	f.Add([]byte("Cc: support@push.guru\r\n" + good))
	f.Add([]byte("Content-Disposition: inline\r\n" + good))
	f.Add([]byte("Content-Transfer-Encoding: base64\r\n" + good))
	f.Add([]byte(strings.ReplaceAll(good, "\r\n", "\n")))
	c, err := New(Config{Own: ours, DKIM: true, MaxAge: 1 << 62, LookupTXT: newZone("victim.org").LookupTXT})
	if err != nil {
		f.Fatal(err)
	}
	m, err := readMail([]byte(good))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := c.Evidence(context.Background(), raw, parsed(alice), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if e.Level == inbox.LevelNone {
			return
		}
		got, err := readMail(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"from", "to", "cc", "subject", "content-type", "content-transfer-encoding", "content-disposition"} {
			a, _ := m.get(name)
			b, _ := got.get(name)
			if strings.Join(strings.Fields(a), " ") != strings.Join(strings.Fields(b), " ") {
				t.Fatalf("aligned with %s %q, signed was %q", name, b, a)
			}
		}
		if a, b := strings.Fields(string(m.body)), strings.Fields(string(got.body)); strings.Join(a, " ") != strings.Join(b, " ") {
			t.Fatalf("aligned with body %q", got.body)
		}
	})
}
