package sender

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"push.guru/supportd/inbox"
	"push.guru/supportd/inbox/address"
)

const (
	maxSignatures = 5               // that are looked at
	maxSignature  = 8 << 10         // octets of a DKIM-Signature
	maxSkew       = 5 * time.Minute // that the clock of a signer or an author may be ahead of ours
)

// signature is a DKIM-Signature that could be aligned.
type signature struct {
	index  int    // among the mail's fields
	domain string // d=, canonical
}

// ownVerification looks for a signature that vouches for the From domain. It
// returns an error when none was found and DNS did not answer for one.
func (c *Checker) ownVerification(ctx context.Context, m *mail, msg *inbox.Message, from string, received time.Time) (inbox.Evidence, error) {
	why := "no signature of the From domain"
	var unanswered error
	for _, s := range candidates(m, from) {
		fault, err := c.check(ctx, m, s, msg, from, received)
		switch {
		case err != nil:
			unanswered = err
		case fault == "":
			return inbox.Evidence{Level: inbox.LevelAligned, Why: "signed by " + s.domain}, nil
		default:
			why = "signature of " + s.domain + ": " + fault
		}
	}
	if unanswered != nil {
		return inbox.Evidence{}, unanswered
	}
	return none(why)
}

// candidates gives the signatures that could be aligned with from and are
// looked at.
func candidates(m *mail, from string) []signature {
	all := m.signatures(from)
	return all[:min(len(all), maxSignatures)]
}

// signatures gives those that could be aligned with from, those of the very
// domain first: they need no DMARC record to count.
func (m *mail) signatures(from string) []signature {
	var exact, near []signature
	for i, f := range m.fields {
		if f.name != "dkim-signature" || len(f.line) > maxSignature {
			continue
		}
		switch d := signingDomain(f.value); {
		case d == "":
		case d == from:
			exact = append(exact, signature{i, d})
		case sameOrganisation(d, from):
			near = append(near, signature{i, d})
		}
	}
	return append(exact, near...)
}

// signingDomain gives the d= of a signature, or "" when it has not exactly one
// in canonical form but for upper case. It only chooses what is verified; the
// library's reading is compared with it afterwards.
func signingDomain(value string) string {
	tag, _ := onlyTag(value, "d")
	d, err := address.Domain(tag)
	if err != nil || d != strings.ToLower(tag) {
		return ""
	}
	return d
}

// onlyTag gives the value of a tag that a signature has exactly once.
func onlyTag(signature, name string) (value string, once bool) {
	n := 0
	for tag := range strings.SplitSeq(signature, ";") {
		if k, v, _ := strings.Cut(tag, "="); strings.Trim(k, " \t") == name {
			value = strings.Trim(v, " \t")
			n++
		}
	}
	if n != 1 {
		return "", false
	}
	return value, true
}

// check tells what is wrong with a signature; "" when it vouches for the From
// domain. An error means that DNS did not answer.
func (c *Checker) check(ctx context.Context, m *mail, s signature, msg *inbox.Message, from string, received time.Time) (string, error) {
	v, fault, err := c.verify(ctx, m, s)
	if fault != "" || err != nil {
		return fault, err
	}
	if fault := c.age(v, msg, received); fault != "" {
		return fault, nil
	}
	if name := m.unsigned(v.HeaderKeys); name != "" {
		return "it does not cover " + name, nil
	}
	if s.domain == from {
		return "", nil
	}
	p, err := c.alignment(ctx, from)
	if err != nil || p.allows(s.domain, from) {
		return "", err
	}
	return "its domain is not aligned with the From domain", nil
}

// verify has one signature verified. The library gets the mail without the
// other signatures: it would verify them all, in parallel and through pipes
// whose small writes make its simple body canonicalization quadratic. A
// signature that covers other signatures fails for it, which is the safe side.
func (c *Checker) verify(ctx context.Context, m *mail, s signature) (*dkim.Verification, string, error) {
	keys := keySource{ctx: ctx, c: c, domain: s.domain}
	raw := io.MultiReader(bytes.NewReader(m.headerFor(s)), &blocks{rest: m.body})
	found, err := dkim.VerifyWithOptions(raw, &dkim.VerifyOptions{LookupTXT: keys.lookup, MaxVerifications: 1})
	switch {
	case keys.err != nil:
		return nil, "", keys.err
	case err != nil || len(found) != 1:
		return nil, "it cannot be read", nil
	case found[0].Err != nil:
		// What follows the second colon may repeat the sender's own words.
		text, _, _ := strings.Cut(strings.TrimPrefix(found[0].Err.Error(), "dkim: "), ":")
		return nil, text, nil
	case strings.ToLower(found[0].Domain) != s.domain:
		return nil, "its domain can be read in more than one way", nil
	}
	return found[0], "", nil
}

// headerFor gives the header as it is without all signatures but one, with the
// line that ends it.
func (m *mail) headerFor(s signature) []byte {
	var b bytes.Buffer
	for i, f := range m.fields {
		if i == s.index || f.name != "dkim-signature" {
			b.Write(f.line)
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// blockSize is about how much of a body the library gets at a time.
const blockSize = 64 << 10

// blocks hands out a body. The library copies what it is given, so it must not
// get all at once; and for every block it copies the line ends with which the
// one before ended, so no block ends among line ends.
type blocks struct{ rest []byte }

// Read makes blocks a reader; the library uses it for no more than fills its
// buffer behind the header.
func (b *blocks) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// WriteTo gives w the rest in blocks.
func (b *blocks) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for len(b.rest) > 0 {
		end := min(blockSize, len(b.rest))
		for end < len(b.rest) && (b.rest[end-1] == '\r' || b.rest[end-1] == '\n') {
			end++
		}
		n, err := w.Write(b.rest[:end])
		b.rest, total = b.rest[n:], total+int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// keySource looks up the key of one signature and remembers whether DNS
// answered: the library only tells by text.
type keySource struct {
	ctx    context.Context
	c      *Checker
	domain string
	err    error
}

var errKey = errors.New("no usable key")

// lookup answers for selectors below the domain that was chosen, and for
// nothing else.
func (k *keySource) lookup(name string) ([]string, error) {
	selector, ok := strings.CutSuffix(strings.ToLower(name), "._domainkey."+k.domain)
	if !ok || !isSelector(selector) {
		return nil, errKey
	}
	txts, err := k.c.txt(k.ctx, selector+"._domainkey."+k.domain)
	if err != nil {
		k.err = err
		return nil, errKey
	}
	for _, txt := range txts {
		if len(txt) > maxRecord || isTestKey(txt) {
			return nil, errKey
		}
	}
	return txts, nil
}

// isSelector accepts labels of letters, digits, - and _, joined by dots.
func isSelector(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			if !isWordByte(label[i]) {
				return false
			}
		}
	}
	return true
}

// isTestKey tells whether a key record has the flag t=y: its mails are to be
// treated like unsigned ones (RFC 6376 section 3.6.1).
func isTestKey(txt string) bool {
	for tag := range strings.SplitSeq(txt, ";") {
		k, v, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(k) != "t" {
			continue
		}
		for flag := range strings.SplitSeq(v, ":") {
			if strings.TrimSpace(flag) == "y" {
				return true
			}
		}
	}
	return false
}

// age tells what is wrong with the time of a signature, or "". Without t= the
// Date counts, which must be signed where it exists.
func (c *Checker) age(v *dkim.Verification, msg *inbox.Message, received time.Time) string {
	made := v.Time
	if made.IsZero() {
		made = msg.Date
	}
	if fault := c.timeFault(made, received); fault != "" {
		return "its time is " + fault
	}
	if !v.Expiration.IsZero() && received.After(v.Expiration) {
		return "it had expired when the mail arrived"
	}
	return ""
}

// timeFault tells what is wrong with the time at which a mail or a signature
// says that it was made, or "".
func (c *Checker) timeFault(made, received time.Time) string {
	switch {
	case made.IsZero():
		return "missing"
	case made.After(received.Add(maxSkew)):
		return "after the arrival of the mail"
	case made.Before(received.Add(-c.maxAge)):
		return "too long before the arrival of the mail"
	}
	return ""
}
