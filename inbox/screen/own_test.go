package screen

import (
	"testing"

	"push.guru/supportd/inbox/parse"
)

// TestFromUs: what our own house has written is told apart from what comes
// from a loop, and from everybody else.
func TestFromUs(t *testing.T) {
	const box, domain, mark = "it comes from one of our own mailboxes", "it comes from one of our own domains", "X-Loop names one of our own mailboxes"
	alone := Config{Own: []string{"site.support@mail.test"}} // at a provider that everybody uses
	for _, c := range []struct {
		name, header string
		config       Config
		want         string
	}{
		{"a person", "", config, ""},
		{"a mailbox", "From: Site <support@site.test>", config, box},
		{"an alias, other case", "From: Privacy@SITE.test", config, box},
		{"a mailbox with a tag", "From: support+x@site.test", config, box},
		{"a colleague", "From: Anna <anna@site.test>", config, domain},
		{"a domain below ours", "From: anna@sub.site.test", config, ""},
		{"a domain that ends like ours", "From: anna@othersite.test", config, ""},
		{"X-Loop with our address", "X-Loop: support@site.test", config, mark},
		{"X-Loop with our address and a tag", "X-Loop: <support+a@site.test>", config, mark},
		{"X-Loop with another's", "X-Loop: ann@example.org", config, ""},
		{"an answer to our mail", "In-Reply-To: <r1.out@site.test>", config, ""},
		{"no domain is ours", "From: ann@mail.test", alone, ""},
		{"no domain is ours, but the mailbox is", "From: site.support+x@mail.test", alone, box},
		{"a tag without a mailbox", "From: +x@mail.test", alone, ""},
		{"a sender who is not certain", "From: support@site.test, ann@example.org", config, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.config.FromUs(parse.Message([]byte(mail(c.header, "hello")), parse.Options{})); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
