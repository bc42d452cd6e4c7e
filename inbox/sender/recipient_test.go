package sender

import (
	"strings"
	"testing"

	"push.guru/supportd/inbox"
)

func TestRecipients(t *testing.T) {
	tests := []struct{ value, want string }{
		{"", ""},
		{"support@push.guru", "support@push.guru"},
		{" <Support@PUSH.guru> ", "Support@push.guru"},
		{`"Push.Guru, support" <support@push.guru>, a@b.org`, "support@push.guru a@b.org"},
		{"support@push.guru <support@push.guru>", "support@push.guru"},
		{"Push.Guru [support] <support@push.guru> (the desk)", "support@push.guru"},
		{"=?utf-8?B?0J/QvtC00LTQtdGA0LbQutCw?= <support@push.guru>", "support@push.guru"},
		{"Служба <support@push.guru>; \xd1\xeb\xf3\xe6\xe1\xe0 <a@b.org>", "support@push.guru a@b.org"},
		{"friends: support@push.guru, a@b.org;", "support@push.guru a@b.org"},
		{"undisclosed-recipients:;", ""},
		{"support@push.guru: eve@evil.org;", "eve@evil.org"},
		{`"support@push.guru" <eve@evil.org>`, "eve@evil.org"},
		{`"support@push.guru"`, ""},
		{`eve@evil.org "<support@push.guru>"`, ""},
		{"eve@evil.org (support@push.guru)", "eve@evil.org"},
		{"eve@evil.org (x, support@push.guru, (y), z)", "eve@evil.org"},
		{"<eve@evil.org> <support@push.guru>", ""},
		{"<support@push.guru> eve@evil.org", ""},
		{"<support@push.guru", ""},
		{`sup"x"port@push.guru`, ""},
		{"sup(x)port@push.guru", ""},
		{"support@push.guru, (", ""},
		{`support@push.guru, "`, ""},
		{"support@push.guru@evil.org", ""},
	}
	for _, test := range tests {
		if got := strings.Join(recipients(test.value), " "); got != test.want {
			t.Errorf("%q: %q, want %q", test.value, got, test.want)
		}
	}
}

func TestIsOurs(t *testing.T) {
	c := checker(t, Config{Own: []string{"support@push.guru", "data+desk@push.guru"}})
	for addr, want := range map[string]bool{
		"support@push.guru": true, "SUPPORT@push.guru": true, "support+1a2b@push.guru": true, "support+a+b@push.guru": true, "data+desk@push.guru": true,
		"data@push.guru": false, "data+other@push.guru": false, "support-x@push.guru": false, "support@mail.push.guru": false, "+support@push.guru": false,
	} {
		if got := c.isOurs(addr); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

func TestNoMailboxes(t *testing.T) {
	c := checker(t, Config{Own: []string{}, TrustedIDs: []string{"mx.push.guru"}})
	e := evidence(t, c, "Authentication-Results: mx.push.guru; dmarc=pass header.from=victim.org\r\n"+crlf(plain), alice)
	if e.Level != inbox.LevelNone || !strings.Contains(e.Why, "no mailboxes") {
		t.Errorf("%s, %q", e.Level, e.Why)
	}
}
